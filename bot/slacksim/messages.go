package slacksim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Message is what stands in a conversation at the time it was read, with how it came to be.
type Message struct {
	Channel     string          `json:"channel"`
	TS          string          `json:"ts"`
	ThreadTS    string          `json:"thread_ts,omitempty"` // the parent's ts, in replies and in parents that have replies
	User        string          `json:"user"`
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks,omitempty"`       // as sent, with missing ids filled in
	EphemeralTo string          `json:"ephemeral_to,omitempty"` // only this person sees it
	Broadcast   bool            `json:"broadcast,omitempty"`    // a reply that shows in the channel too
	Deleted     bool            `json:"deleted,omitempty"`
	ViaURL      bool            `json:"via_response_url,omitempty"` // posted by a response_url or in an acknowledgement
	Edits       []Edit          `json:"edits,omitempty"`            // earlier versions, oldest first
	Reactions   []Reaction      `json:"reactions,omitempty"`
	Files       []string        `json:"files,omitempty"`   // file ids
	Raw         json.RawMessage `json:"raw"`               // the message object of the Web API, now
	Replies     []Message       `json:"replies,omitempty"` // filled in by Thread and by the control API
}

// Edit is one earlier version of a message: what it said until the edit at TS.
type Edit struct {
	TS  string          `json:"ts"`
	Raw json.RawMessage `json:"raw"`
}

// Reaction is one emoji under a message and who set it.
type Reaction struct {
	Name  string   `json:"name"`
	Users []string `json:"users"`
	Count int      `json:"count"`
}

// message is the living record behind Message.
type message struct {
	Message
	attachments json.RawMessage
	metadata    json.RawMessage
	username    string
	edited      string // ts of the edit that shows "(edited)"
	clientID    string // of messages that people type
	listed      bool   // counts as said in the channel; false for ephemerals
	cached      json.RawMessage
}

// find returns a message of the conversation that is still there; nil: there is none.
func (c *channel) find(ts string) *message {
	if m := c.byTS[ts]; m != nil && !m.Deleted {
		return m
	}
	return nil
}

// replies returns the replies to a message, oldest first.
func (c *channel) replies(parent string) []*message {
	return slices.DeleteFunc(slices.Clone(c.threads[parent]), func(m *message) bool { return m.Deleted })
}

// touch forgets the encoded forms that show a message: its own, its parent's, and those of broadcast replies,
// which carry their parent.
func (c *channel) touch(m *message) {
	m.cached = nil
	for _, r := range c.threads[m.TS] {
		r.cached = nil
	}
	if p := c.byTS[m.ThreadTS]; p != nil && p != m {
		c.touch(p)
	}
}

// messageJSON is the message object of the Web API, of events and of interaction payloads.
func (s *Sim) messageJSON(c *channel, m *message) object {
	u := s.user(m.User)
	o := object{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": u.TeamID}
	if m.User == BotUser {
		o["bot_id"], o["app_id"], o["bot_profile"] = botID, s.opt.AppID, s.botProfile()
	} else {
		o["client_msg_id"] = m.clientID
	}
	for k, raw := range map[string]json.RawMessage{"blocks": m.Blocks, "attachments": m.attachments, "metadata": m.metadata} {
		if len(raw) > 0 {
			o[k] = raw
		}
	}
	if m.username != "" {
		o["username"] = m.username
	}
	if m.edited != "" {
		o["edited"] = object{"user": m.User, "ts": m.edited}
	}
	if len(m.Reactions) > 0 {
		o["reactions"] = m.Reactions
	}
	if len(m.Files) > 0 {
		o["files"], o["upload"] = s.filesJSON(m.Files), false
	}
	s.threadJSON(c, m, o)
	return o
}

// threadJSON adds what a message says about its thread.
func (s *Sim) threadJSON(c *channel, m *message, o object) {
	if m.EphemeralTo != "" {
		return
	}
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		o["thread_ts"] = m.ThreadTS
		if p := c.find(m.ThreadTS); p != nil {
			o["parent_user_id"] = p.User
			if m.Broadcast {
				o["subtype"], o["root"] = "thread_broadcast", s.messageJSON(c, p)
			}
		}
		return
	}
	replies := c.replies(m.TS)
	if len(replies) == 0 {
		return
	}
	var users []string
	for _, r := range replies {
		if !slices.Contains(users, r.User) {
			users = append(users, r.User)
		}
	}
	o["thread_ts"], o["reply_count"], o["reply_users"], o["reply_users_count"] = m.TS, len(replies), users, len(users)
	o["latest_reply"], o["is_locked"], o["subscribed"] = replies[len(replies)-1].TS, false, m.User == BotUser
}

func (s *Sim) botProfile() object {
	return object{"id": botID, "deleted": false, "name": s.opt.AppName, "updated": s.born, "app_id": s.opt.AppID,
		"icons": object{"image_36": "", "image_48": "", "image_72": ""}, "team_id": s.opt.Team.ID}
}

// snapshot copies a message for the outside.
func (s *Sim) snapshot(c *channel, m *message) Message {
	out := m.Message
	if m.cached == nil {
		m.cached = encode(s.messageJSON(c, m))
	}
	out.Raw = m.cached
	out.Edits = slices.Clone(m.Edits)
	out.Reactions = slices.Clone(m.Reactions)
	out.Files = slices.Clone(m.Files)
	if out.ThreadTS == "" && len(c.replies(m.TS)) > 0 {
		out.ThreadTS = m.TS
	}
	return out
}

// Messages returns everything said in a conversation, deleted messages and thread replies included and
// ephemerals left out, oldest first. The conversation is given by id or name; nil: there is no such one.
func (s *Sim) Messages(channel string) []Message {
	return s.collect(channel, func(m *message) bool { return m.listed })
}

// Thread returns a message and its replies, oldest first, without deleted ones.
func (s *Sim) Thread(channel, ts string) []Message {
	return s.collect(channel, func(m *message) bool { return m.listed && !m.Deleted && (m.TS == ts || m.ThreadTS == ts) })
}

// Ephemerals returns what only this person saw, in any conversation, in the order it was shown. Replaced and
// removed ones stay, marked by Edits and Deleted.
func (s *Sim) Ephemerals(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(user)
	if u == nil {
		return nil
	}
	var out []Message
	for _, c := range s.channels {
		for _, m := range c.messages {
			if m.EphemeralTo == u.ID {
				out = append(out, s.snapshot(c, m))
			}
		}
	}
	slices.SortFunc(out, func(a, b Message) int { return strings.Compare(a.TS, b.TS) })
	return out
}

func (s *Sim) collect(channel string, keep func(*message) bool) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channel(channel)
	if c == nil {
		if u := s.user(channel); u != nil {
			c = s.im(u.ID)
		} else {
			return nil
		}
	}
	var out []Message
	for _, m := range c.messages {
		if keep(m) {
			out = append(out, s.snapshot(c, m))
		}
	}
	return out
}

// add puts a message into a conversation. The lock is held.
func (s *Sim) add(c *channel, m *message) *message {
	m.Channel, m.TS = c.ID, s.ts()
	m.listed = m.EphemeralTo == ""
	c.messages = append(c.messages, m)
	c.byTS[m.TS] = m
	if m.listed && m.ThreadTS != "" && m.ThreadTS != m.TS {
		c.threads[m.ThreadTS] = append(c.threads[m.ThreadTS], m)
	}
	c.touch(m)
	s.changed()
	return m
}

// edit keeps the present version of a message in its history and lets change make the next one. The lock is held.
func (s *Sim) edit(c *channel, m *message, change func()) {
	old := encode(s.messageJSON(c, m))
	change()
	m.Edits = append(m.Edits, Edit{TS: s.ts(), Raw: old})
	c.touch(m)
	s.changed()
}

// encode is json.Marshal without escaping <, > and &, which Slack does not escape either. It panics on values
// that have no JSON form: everything encoded here was made here or was decoded from JSON.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("slacksim: encode: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}
