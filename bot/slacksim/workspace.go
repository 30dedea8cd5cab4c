package slacksim

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Team is the workspace itself.
type Team struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// User is a person or a bot.
type User struct {
	ID         string `json:"id"` // empty in Options: generated
	TeamID     string `json:"team_id"`
	Name       string `json:"name"` // the handle, without @
	RealName   string `json:"real_name"`
	Email      string `json:"email"`
	TZ         string `json:"tz"` // an IANA zone; empty: Etc/UTC
	Admin      bool   `json:"is_admin"`
	Bot        bool   `json:"is_bot"`
	Guest      bool   `json:"is_restricted"`
	UltraGuest bool   `json:"is_ultra_restricted"`
	Stranger   bool   `json:"is_stranger"` // another workspace's member, met in a shared channel
	Deleted    bool   `json:"deleted"`
}

// Channel is a conversation: a public or private channel, or a direct message with the app.
type Channel struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"` // without #
	Topic     string   `json:"topic"`
	Members   []string `json:"members"` // ids; names are accepted in Options
	Private   bool     `json:"is_private"`
	General   bool     `json:"is_general"`
	Archived  bool     `json:"is_archived"`
	ExtShared bool     `json:"is_ext_shared"` // Slack Connect
	IMWith    string   `json:"im_with,omitempty"`
	Created   int64    `json:"created"`
}

// UserGroup is an @group of people.
type UserGroup struct {
	ID     string   `json:"id"`
	Handle string   `json:"handle"`
	Name   string   `json:"name"`
	Users  []string `json:"users"`
}

// channel is a Channel with what was said in it, oldest first; ephemeral messages are among them.
type channel struct {
	Channel
	messages []*message
	byTS     map[string]*message
	threads  map[string][]*message // replies by the parent's ts
}

func newChannel(c Channel) *channel {
	return &channel{Channel: c, byTS: map[string]*message{}, threads: map[string][]*message{}}
}

// workspace is everything Reset throws away.
type workspace struct {
	users    []*User
	channels []*channel
	groups   []*UserGroup
	views    map[string]*View // open modals by id
	homes    map[string]*View // published Home tabs by user
	files    map[string]*File
	reads    map[string]string // how far each person has read each conversation: ts by "user channel"
}

// user finds a person by id, name or @name; nil: there is none.
func (w *workspace) user(ref string) *User {
	ref = strings.TrimPrefix(ref, "@")
	for _, u := range w.users {
		if u.ID == ref || u.Name == ref {
			return u
		}
	}
	return nil
}

// channel finds a conversation by id, name or #name; nil: there is none.
func (w *workspace) channel(ref string) *channel {
	ref = strings.TrimPrefix(ref, "#")
	for _, c := range w.channels {
		if c.ID == ref || c.Name == ref && ref != "" {
			return c
		}
	}
	return nil
}

// group finds a user group by id or handle; nil: there is none.
func (w *workspace) group(ref string) *UserGroup {
	for _, g := range w.groups {
		if g.ID == ref || g.Handle == strings.TrimPrefix(ref, "@") {
			return g
		}
	}
	return nil
}

func (c *channel) has(user string) bool { return slices.Contains(c.Members, user) }

// sees reports whether the person can read the conversation: members always, full members of the workspace
// every public channel.
func (c *channel) sees(u *User) bool {
	if c.has(u.ID) {
		return true
	}
	full := !u.Guest && !u.UltraGuest && !u.Stranger && !u.Bot
	return full && !c.Private && c.IMWith == ""
}

// im returns the direct message between the app and a person, made when there was none.
func (s *Sim) im(user string) *channel {
	for _, c := range s.channels {
		if c.IMWith == user {
			return c
		}
	}
	c := newChannel(Channel{ID: s.ids.object("D"), IMWith: user, Members: []string{user, BotUser}, Created: s.now().Unix()})
	s.channels = append(s.channels, c)
	return c
}

func (c *channel) kind() string {
	switch {
	case c.IMWith != "":
		return "im"
	case c.Private:
		return "group"
	}
	return "channel"
}

// display is the name in payloads: "directmessage" for a direct message, as Slack says.
func (c *channel) display() string {
	if c.IMWith != "" {
		return "directmessage"
	}
	return c.Name
}

type object = map[string]any

// channelJSON is the conversation object of conversations.info.
func (s *Sim) channelJSON(c *channel) object {
	if c.IMWith != "" {
		return object{"id": c.ID, "created": c.Created, "is_im": true, "is_org_shared": false, "is_archived": false,
			"context_team_id": s.opt.Team.ID, "updated": c.Created * 1000, "user": c.IMWith, "is_user_deleted": false, "priority": 0}
	}
	shared := []string{s.opt.Team.ID}
	if c.ExtShared {
		shared = append(shared, foreignTeam)
	}
	text := func(v string) object { return object{"value": v, "creator": "", "last_set": 0} }
	return object{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name, "is_channel": !c.Private, "is_group": false, "is_im": false,
		"is_mpim": false, "is_private": c.Private, "created": c.Created, "updated": c.Created * 1000, "creator": s.users[0].ID,
		"is_archived": c.Archived, "is_general": c.General, "unlinked": 0, "is_shared": c.ExtShared, "is_ext_shared": c.ExtShared,
		"is_org_shared": false, "is_pending_ext_shared": false, "pending_shared": []string{}, "pending_connected_team_ids": []string{},
		"context_team_id": s.opt.Team.ID, "conversation_host_id": s.opt.Team.ID, "shared_team_ids": shared,
		"internal_team_ids": []string{}, "connected_team_ids": shared[1:], "is_member": c.has(BotUser),
		"topic": text(c.Topic), "purpose": text(""), "previous_names": []string{}, "num_members": len(c.Members),
	}
}

// userJSON is the user object of users.info.
func (s *Sim) userJSON(u *User, withEmail bool) object {
	profile := object{
		"title": "", "phone": "", "skype": "", "real_name": u.RealName, "real_name_normalized": u.RealName,
		"display_name": u.Name, "display_name_normalized": u.Name, "status_text": "", "status_emoji": "", "status_expiration": 0,
		"avatar_hash": "g" + strings.ToLower(u.ID), "team": u.TeamID, "first_name": u.Name, "last_name": "",
	}
	if withEmail && !u.Bot {
		profile["email"] = u.Email
	}
	if u.ID == BotUser {
		profile["bot_id"], profile["api_app_id"], profile["always_active"] = botID, s.opt.AppID, true
	}
	o := object{
		"id": u.ID, "team_id": u.TeamID, "name": u.Name, "deleted": u.Deleted, "profile": profile,
		"is_bot": u.Bot, "is_app_user": false, "updated": s.born,
	}
	if u.Deleted {
		return o
	}
	label, offset := zone(u.TZ, s.now())
	more := object{
		"color": "9f69e7", "real_name": u.RealName, "tz": u.TZ, "tz_label": label, "tz_offset": offset, "is_admin": u.Admin,
		"is_owner": false, "is_primary_owner": false, "is_restricted": u.Guest || u.UltraGuest, "is_ultra_restricted": u.UltraGuest,
		"is_email_confirmed": true, "who_can_share_contact_card": "EVERYONE",
	}
	for k, v := range more {
		o[k] = v
	}
	if u.Stranger {
		o["is_stranger"] = true
	}
	return o
}

// zone gives the label and the offset in seconds of an IANA zone; an unknown zone counts as UTC.
func zone(name string, at time.Time) (label string, offset int) {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return "Coordinated Universal Time", 0
	}
	label, offset = at.In(loc).Zone()
	return cmp.Or(label, name), offset
}

// groupJSON is the usergroup object of usergroups.list.
func (s *Sim) groupJSON(g *UserGroup, withUsers bool) object {
	o := object{
		"id": g.ID, "team_id": s.opt.Team.ID, "is_usergroup": true, "is_subteam": true, "name": g.Name, "description": "",
		"handle": g.Handle, "is_external": false, "date_create": s.born, "date_update": s.born,
		"date_delete": 0, "auto_type": nil, "auto_provision": false, "enterprise_subteam_id": "", "created_by": s.users[0].ID,
		"updated_by": s.users[0].ID, "deleted_by": nil, "prefs": object{"channels": []string{}, "groups": []string{}},
		"channel_count": 0, "user_count": len(g.Users),
	}
	if withUsers {
		o["users"] = g.Users
	}
	return o
}
