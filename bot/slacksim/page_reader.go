package slacksim

import (
	"encoding/json"
	"net/url"
	"strings"
)

// reader is the person a page is made for, with the names that person can read. It is a copy: rendering takes time,
// and nothing here needs the workspace's lock.
type reader struct {
	me       User
	team     Team
	app      string // the app's name
	users    map[string]User
	channels map[string]string // names of the channels this person sees, by id
	groups   map[string]string // handles by id
	files    map[string]File   // without their content
}

// newReader copies what rendering needs. The lock is held.
func (s *Sim) newReader(u *User) *reader {
	r := &reader{me: *u, team: s.opt.Team, app: s.opt.AppName, users: map[string]User{}, channels: map[string]string{},
		groups: map[string]string{}, files: map[string]File{}}
	for _, x := range s.users {
		r.users[x.ID] = *x
	}
	for _, c := range s.channels {
		if c.IMWith == "" && c.sees(u) {
			r.channels[c.ID] = c.Name
		}
	}
	for _, g := range s.groups {
		r.groups[g.ID] = g.Handle
	}
	for _, f := range s.files {
		copied := *f
		copied.Content = nil
		r.files[f.ID] = copied
	}
	return r
}

// href is the address of a place for this person: a channel's id, or home.
func (r *reader) href(in string) string {
	return "/?" + url.Values{"as": {r.me.Name}, "in": {in}}.Encode()
}

// fileURL is the address of a file's content for this person.
func (r *reader) fileURL(id string) string {
	return "/ui/file/" + url.PathEscape(id) + "?" + url.Values{"as": {r.me.Name}}.Encode()
}

// face is what stands before a message: who wrote it.
type face struct {
	Name, Role, Initial string
	Hue                 int // 0 to 7: the avatar's colour
	App                 bool
}

// face describes a user; alias is the name a message gives its author, if it does.
func (r *reader) face(id, alias string) face {
	u, known := r.users[id]
	if !known {
		u = User{ID: id, Name: id, RealName: id}
	}
	f := face{Name: u.RealName, Role: role(u), App: u.Bot}
	if alias != "" {
		f.Name = alias
	}
	for _, c := range f.Name {
		f.Initial = strings.ToUpper(string(c))
		break
	}
	for _, c := range u.ID {
		f.Hue = (f.Hue*31 + int(c)) % 8
	}
	return f
}

// role says in plain words what kind of account a person has.
func role(u User) string {
	switch {
	case u.Bot:
		return "app"
	case u.Stranger:
		return "from another workspace"
	case u.Guest || u.UltraGuest:
		return "guest"
	case u.Admin:
		return "workspace admin"
	}
	return "member"
}

// raw is the message object of the Web API as far as the page reads it.
type raw struct {
	Text        string
	Blocks      []map[string]any
	Attachments []map[string]any
	Files       []struct{ ID string }
	Username    string
	Edited      *struct{ TS string }
	ReplyCount  int      `json:"reply_count"`
	ReplyUsers  []string `json:"reply_users"`
	LatestReply string   `json:"latest_reply"`
	Root        *struct {
		TS, Text string
	}
}

func readRaw(message json.RawMessage) (raw, error) {
	var out raw
	d := json.NewDecoder(strings.NewReader(string(message)))
	d.UseNumber()
	return out, d.Decode(&out)
}
