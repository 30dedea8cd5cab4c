package slacksim

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxText   = 40_000 // longer message text is cut, with a warning (api.slack.com/changelog/2018-04-truncating-really-long-messages)
	noContent = "This content can't be displayed."
)

// tsShape is the form of a message timestamp.
var tsShape = regexp.MustCompile(`^\d{9,11}\.\d{6}$`)

// body is the content part of a message being posted or edited.
type body struct {
	text        string
	blocks      json.RawMessage
	attachments json.RawMessage
	metadata    json.RawMessage
	truncated   bool
}

// content reads and validates text, blocks, attachments and metadata; bad is an error answer or nil.
func (s *Sim) content(a args) (b body, bad object) {
	b.text = a.str("text")
	var okBlocks, okAttachments, okMetadata bool
	b.blocks, okBlocks = a.raw("blocks")
	b.attachments, okAttachments = a.raw("attachments")
	b.metadata, okMetadata = a.raw("metadata")
	switch {
	case !okBlocks:
		return b, fail("invalid_blocks_format")
	case !okAttachments:
		return b, fail("invalid_attachments")
	case !okMetadata:
		return b, fail("invalid_metadata_format")
	}
	if bad := checkMetadata(b.metadata); bad != nil {
		return b, bad
	}
	if b.blocks, bad = s.messageBlocks(b.blocks); bad != nil {
		return b, bad
	}
	if b.attachments, bad = s.attachmentBlocks(b.attachments); bad != nil {
		return b, bad
	}
	if utf8.RuneCountInString(b.text) > maxText {
		b.text, b.truncated = string([]rune(b.text)[:maxText]), true
	}
	return b, nil
}

// empty reports whether there is nothing to show.
func (b body) empty() bool {
	none := func(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "[]" }
	return strings.TrimSpace(b.text) == "" && none(b.blocks) && none(b.attachments)
}

func checkMetadata(raw json.RawMessage) object {
	if len(raw) == 0 {
		return nil
	}
	var m struct {
		EventType    *string        `json:"event_type"`
		EventPayload map[string]any `json:"event_payload"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return fail("invalid_metadata_format")
	}
	if m.EventType == nil || m.EventPayload == nil {
		return fail("invalid_metadata_schema")
	}
	return nil
}

// place finds the conversation a message shall go to; a user id means the direct message with that person.
func (c call) place() (*channel, object) {
	ref := c.str("channel")
	ch := c.channel(ref)
	if u := c.user(ref); ch == nil && u != nil && u.ID == ref && !u.Bot && !u.Deleted {
		ch = c.im(u.ID)
	}
	switch {
	case ch == nil || ch.kind() != "channel" && !ch.has(BotUser):
		return nil, fail("channel_not_found")
	case ch.Archived:
		return nil, fail("is_archived")
	case !ch.has(BotUser) && !slices.Contains(c.opt.Scopes, "chat:write.public"):
		return nil, fail("not_in_channel")
	}
	return ch, nil
}

func (c call) chatPostMessage() object {
	ch, bad := c.place()
	if bad != nil {
		return bad
	}
	b, bad := c.content(c.args)
	if bad != nil {
		return bad
	}
	thread := c.str("thread_ts")
	switch {
	case b.empty():
		return fail("no_text")
	case thread != "" && !tsShape.MatchString(thread):
		return fail("invalid_thread_ts")
	}
	m := &message{username: c.str("username")}
	m.User, m.ThreadTS, m.Broadcast = BotUser, root(ch, thread), thread != "" && c.flag("reply_broadcast")
	c.put(m, b)
	c.add(ch, m)
	c.announce(ch, m)
	answer := ok(object{"channel": ch.ID, "ts": m.TS, "message": c.messageJSON(ch, m)})
	if b.truncated {
		warn(answer, "message_truncated")
	}
	return answer
}

// root returns the ts under which a reply hangs: a reply to a reply joins the parent's thread.
func root(ch *channel, thread string) string {
	if p := ch.find(thread); p != nil && p.ThreadTS != "" {
		return p.ThreadTS
	}
	return thread
}

// put gives a message its content.
func (s *Sim) put(m *message, b body) {
	m.Text, m.Blocks, m.attachments, m.metadata = b.text, b.blocks, b.attachments, b.metadata
	if strings.TrimSpace(m.Text) == "" && len(b.blocks) > 0 {
		m.Text = noContent
	}
}

func (c call) chatPostEphemeral() object {
	ch, bad := c.place()
	if bad != nil {
		return bad
	}
	u := c.user(c.str("user"))
	switch {
	case u == nil || u.ID != c.str("user"):
		return fail("user_not_found")
	case !ch.has(u.ID):
		return fail("user_not_in_channel")
	}
	b, bad := c.content(c.args)
	switch {
	case bad != nil:
		return bad
	case b.empty():
		return fail("no_text")
	case b.truncated:
		return fail("msg_too_long")
	}
	m := &message{}
	m.User, m.EphemeralTo, m.ThreadTS = BotUser, u.ID, root(ch, c.str("thread_ts"))
	c.put(m, b)
	c.add(ch, m)
	return ok(object{"message_ts": m.TS})
}

// own finds a message of the app itself in the conversation; code is the error otherwise. Ephemeral messages are
// not found: they can only be changed through their response_url.
func (c call) own(forbidden string) (*channel, *message, object) {
	ch := c.channel(c.str("channel"))
	if ch == nil || ch.ID != c.str("channel") || ch.kind() != "channel" && !ch.has(BotUser) {
		return nil, nil, fail("channel_not_found")
	}
	m := ch.find(c.str("ts"))
	switch {
	case m == nil || !m.listed:
		return nil, nil, fail("message_not_found")
	case m.User != BotUser:
		return nil, nil, fail(forbidden)
	case ch.Archived:
		return nil, nil, fail("is_archived")
	}
	return ch, m, nil
}

// chatUpdate replaces a message's content. Text alone removes the blocks that were there; content with blocks
// does not earn the "(edited)" mark.
func (c call) chatUpdate() object {
	ch, m, bad := c.own("cant_update_message")
	if bad != nil {
		return bad
	}
	b, bad := c.content(c.args)
	switch {
	case bad != nil:
		return bad
	case b.empty():
		return fail("no_text")
	case b.truncated:
		return fail("msg_too_long")
	}
	if !c.has("attachments") {
		b.attachments = m.attachments
	}
	if !c.has("metadata") {
		b.metadata = m.metadata
	}
	previous := c.messageJSON(ch, m)
	c.edit(ch, m, func() {
		c.put(m, b)
		if c.flag("reply_broadcast") && m.ThreadTS != "" {
			m.Broadcast = true
		}
		if len(b.blocks) == 0 {
			m.edited = c.ts()
		}
	})
	now := c.messageJSON(ch, m)
	c.emitMessage(ch, object{"subtype": "message_changed", "hidden": true, "message": now, "previous_message": previous, "ts": c.ts()})
	return ok(object{"channel": ch.ID, "ts": m.TS, "text": m.Text, "message": now})
}

func (c call) chatDelete() object {
	ch, m, bad := c.own("cant_delete_message")
	if bad != nil {
		return bad
	}
	c.remove(ch, m)
	return object{"ok": true, "channel": ch.ID, "ts": m.TS}
}

// remove deletes a message, whoever wants it gone. The lock is held.
func (s *Sim) remove(ch *channel, m *message) {
	previous := s.messageJSON(ch, m)
	m.Deleted = true
	ch.touch(m)
	s.changed()
	if m.listed {
		s.emitMessage(ch, object{"subtype": "message_deleted", "hidden": true, "deleted_ts": m.TS, "previous_message": previous, "ts": s.ts()})
	}
}

func (c call) chatGetPermalink() object {
	ch := c.visible()
	if ch == nil {
		return fail("channel_not_found")
	}
	m := ch.find(c.str("message_ts"))
	if m == nil || !m.listed {
		return fail("message_not_found")
	}
	link := c.base + "/archives/" + ch.ID + "/p" + strings.ReplaceAll(m.TS, ".", "")
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		link += "?thread_ts=" + m.ThreadTS + "&cid=" + ch.ID
	}
	return ok(object{"channel": ch.ID, "permalink": link})
}

// reacted finds the message that reactions are about; SDKs name it channel and timestamp.
func (c call) reacted() (*channel, *message, object) {
	ch := c.visible()
	if ch == nil {
		return nil, nil, fail("channel_not_found")
	}
	m := ch.find(c.str("timestamp"))
	switch {
	case ch.Archived:
		return nil, nil, fail("is_archived")
	case m == nil || !m.listed:
		return nil, nil, fail("message_not_found")
	case !ch.has(BotUser):
		return nil, nil, fail("not_in_channel")
	}
	return ch, m, nil
}

var emojiName = regexp.MustCompile(`^[a-z0-9_+'-]+(::skin-tone-[2-6])?$`)

func (c call) reactionsAdd() object {
	ch, m, bad := c.reacted()
	if bad != nil {
		return bad
	}
	name := strings.Trim(c.str("name"), ":")
	if !emojiName.MatchString(name) {
		return fail("invalid_name")
	}
	i := slices.IndexFunc(m.Reactions, func(r Reaction) bool { return r.Name == name })
	if i < 0 {
		m.Reactions = append(m.Reactions, Reaction{Name: name})
		i = len(m.Reactions) - 1
	}
	r := &m.Reactions[i]
	if slices.Contains(r.Users, BotUser) {
		return fail("already_reacted")
	}
	r.Users = append(slices.Clone(r.Users), BotUser)
	r.Count = len(r.Users)
	ch.touch(m)
	c.changed()
	return ok(object{})
}

func (c call) reactionsRemove() object {
	ch, m, bad := c.reacted()
	if bad != nil {
		return bad
	}
	name := strings.Trim(c.str("name"), ":")
	i := slices.IndexFunc(m.Reactions, func(r Reaction) bool { return r.Name == name && slices.Contains(r.Users, BotUser) })
	if i < 0 {
		return fail("no_reaction")
	}
	r := &m.Reactions[i]
	r.Users = slices.DeleteFunc(slices.Clone(r.Users), func(u string) bool { return u == BotUser })
	r.Count = len(r.Users)
	if r.Count == 0 {
		m.Reactions = slices.Delete(slices.Clone(m.Reactions), i, i+1)
	}
	ch.touch(m)
	c.changed()
	return ok(object{})
}

func (c call) reactionsGet() object {
	ch, m, bad := c.reacted()
	if bad != nil {
		return bad
	}
	return ok(object{"type": "message", "channel": ch.ID, "message": c.messageJSON(ch, m)})
}
