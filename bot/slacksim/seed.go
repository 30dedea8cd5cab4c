package slacksim

import (
	"cmp"
	"slices"
	"time"
)

// DefaultScopes are the bot scopes granted when Options.Scopes is nil: what an app that posts, opens forms,
// uploads files and looks people up needs.
var DefaultScopes = []string{
	"app_mentions:read", "channels:history", "channels:read", "chat:write", "chat:write.public", "commands",
	"files:read", "files:write", "groups:history", "groups:read", "im:history", "im:read", "im:write",
	"reactions:read", "reactions:write", "team:read", "usergroups:read", "users:read", "users:read.email",
}

// DefaultEvents are the bot events delivered when Options.Events is nil. As in Slack, message events include the
// app's own messages and their edits.
var DefaultEvents = []string{"app_home_opened", "app_mention", "message.channels", "message.groups", "message.im"}

// Ids of the seeded workspace. Every one has the shape of a real id.
const (
	Ana      = "U0ANA00001" // requester
	Bo       = "U0BO000002" // approver, in @sre-approvers
	Eva      = "U0EVA00003" // approver, in @sre-approvers, workspace admin
	Olaf     = "U0OLAF0004" // full member with no role
	Gus      = "U0GUS00005" // single-channel guest, in #ops
	Dora     = "U0DORA0006" // deactivated
	Hal      = "U0HAL00007" // another app's bot user
	Stranger = "U0STRAN008" // member of another workspace, by Slack Connect in #partners
	BotUser  = "U0BOT00009" // the app's own bot user

	Ops       = "C0OPS00001"
	General   = "C0GENERAL1"
	Attic     = "C0ATTIC001" // archived
	Partners  = "C0PARTNER1" // shared with another workspace
	Approvers = "S0APPROV01" // @sre-approvers

	botID       = "B0BOT00009"
	foreignTeam = "T0FOREIGN1"
)

// withDefaults fills in every zero field.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Team.ID = cmp.Or(o.Team.ID, "T024BE7LD")
	o.Team.Name = cmp.Or(o.Team.Name, "Acme")
	o.Team.Domain = cmp.Or(o.Team.Domain, "acme")
	o.AppID = cmp.Or(o.AppID, "A0KRD7HC3")
	o.AppName = cmp.Or(o.AppName, "vmssbot")
	o.BotToken = cmp.Or(o.BotToken, "xoxb-local-workspace")
	o.AppToken = cmp.Or(o.AppToken, "xapp-1-local-workspace")
	o.RateScale = cmp.Or(o.RateScale, 1)
	o.PingInterval = cmp.Or(o.PingInterval, 10*time.Second)
	o.SocketLifetime = cmp.Or(o.SocketLifetime, 18060*time.Second)
	o.FileDelay = cmp.Or(o.FileDelay, time.Second)
	if o.Commands == nil {
		o.Commands = []SlashCommand{{Name: "/vmss", Description: "Roll images out to scale sets",
			UsageHint: "upgrade SET TARGET [ud=0] | status | help", ShouldEscape: true}}
	}
	if o.Scopes == nil {
		o.Scopes = DefaultScopes
	}
	if o.Events == nil {
		o.Events = DefaultEvents
	}
	if o.Users == nil {
		o.Users = seedUsers()
	}
	if o.Channels == nil {
		o.Channels = seedChannels()
	}
	if o.UserGroups == nil {
		o.UserGroups = []UserGroup{{ID: Approvers, Handle: "sre-approvers", Name: "SRE approvers", Users: []string{Bo, Eva}}}
	}
	return o
}

func seedUsers() []User {
	return []User{
		{ID: Ana, Name: "ana", RealName: "Ana Requester", TZ: "Europe/Prague"},
		{ID: Bo, Name: "bo", RealName: "Bo Approver", TZ: "Europe/Stockholm"},
		{ID: Eva, Name: "eva", RealName: "Eva Approver", TZ: "America/New_York", Admin: true},
		{ID: Olaf, Name: "olaf", RealName: "Olaf Outsider", TZ: "Europe/Oslo"},
		{ID: Gus, Name: "gus", RealName: "Gus Guest", TZ: "Europe/Lisbon", Guest: true},
		{ID: Dora, Name: "dora", RealName: "Dora Departed", Deleted: true},
		{ID: Hal, Name: "hal", RealName: "Hal Bot", Bot: true},
		{ID: Stranger, Name: "sam", RealName: "Sam Stranger", TeamID: foreignTeam, Stranger: true},
	}
}

func seedChannels() []Channel {
	all := []string{Ana, Bo, Eva, Olaf, BotUser}
	return []Channel{
		{ID: Ops, Name: "ops", Topic: "Rollouts happen here", Members: append([]string{Gus, Hal}, all...)},
		{ID: General, Name: "general", General: true, Members: []string{Ana, Bo, Eva, Olaf}},
		{ID: Attic, Name: "attic", Archived: true, Members: all},
		{ID: Partners, Name: "partners", ExtShared: true, Members: append([]string{Stranger}, all...)},
	}
}

// nameAll gives ids to people, channels and groups that came without, once, so that Reset keeps them.
func (s *Sim) nameAll() {
	users, channels, groups := slices.Clone(s.opt.Users), slices.Clone(s.opt.Channels), slices.Clone(s.opt.UserGroups)
	for i := range users {
		users[i].ID = cmp.Or(users[i].ID, s.ids.object("U"))
	}
	for i := range channels {
		channels[i].ID = cmp.Or(channels[i].ID, s.ids.object("C"))
	}
	for i := range groups {
		groups[i].ID = cmp.Or(groups[i].ID, s.ids.object("S"))
	}
	s.opt.Users, s.opt.Channels, s.opt.UserGroups = users, channels, groups
}

// seed makes the first state of the workspace from the options.
func (s *Sim) seed() workspace {
	w := workspace{views: map[string]*View{}, homes: map[string]*View{}, files: map[string]*File{}, reads: map[string]string{}}
	bot := User{ID: BotUser, Name: s.opt.AppName, RealName: s.opt.AppName, Bot: true}
	for _, u := range append(append([]User{}, s.opt.Users...), bot) {
		u.TeamID = cmp.Or(u.TeamID, s.opt.Team.ID)
		u.RealName = cmp.Or(u.RealName, u.Name)
		u.TZ = cmp.Or(u.TZ, "Etc/UTC")
		u.Email = cmp.Or(u.Email, u.Name+"@"+s.opt.Team.Domain+".example")
		w.users = append(w.users, &u)
	}
	for _, c := range s.opt.Channels {
		c.Created = s.born
		c.Members = w.resolve(c.Members)
		w.channels = append(w.channels, newChannel(c))
	}
	for _, g := range s.opt.UserGroups {
		g.Users = w.resolve(g.Users)
		w.groups = append(w.groups, &g)
	}
	return w
}

// resolve turns names into ids and leaves unknown ones as they are.
func (w *workspace) resolve(refs []string) []string {
	out := slices.Clone(refs)
	for i, r := range out {
		if u := w.user(r); u != nil {
			out[i] = u.ID
		}
	}
	return out
}
