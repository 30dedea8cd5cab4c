package slacksim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// retryAfter are the pauses before the three retries of an event that was not acknowledged in 3 s:
// at once, after one minute, after five (docs.slack.dev/apis/events-api, section on retries).
var retryAfter = []int{0, 60, 300}

// emit delivers an event to the app if it subscribed to it. The lock is held.
func (s *Sim) emit(subscription string, event object) {
	if !slices.Contains(s.opt.Events, subscription) {
		return
	}
	s.send(s.eventEnvelope(event, s.ids.object("Ev")))
}

func (s *Sim) eventEnvelope(event object, id string) *envelope {
	kind := event["type"].(string)
	payload := object{
		"token": "verification-token", "team_id": s.opt.Team.ID, "context_team_id": s.opt.Team.ID, "context_enterprise_id": nil,
		"api_app_id": s.opt.AppID, "event": event, "type": "event_callback", "event_id": id, "event_time": s.now().Unix(),
		"authorizations": []object{{"enterprise_id": nil, "team_id": s.opt.Team.ID, "user_id": BotUser, "is_bot": true,
			"is_enterprise_install": false}},
		"is_ext_shared_channel": false,
		"event_context":         fmt.Sprintf("1-%s-%s-%v", kind, s.opt.Team.ID, event["channel"]),
	}
	if c := s.channel(fmt.Sprint(event["channel"])); c != nil {
		payload["is_ext_shared_channel"] = c.ExtShared
	}
	e := s.newEnvelope("events_api", payload, false)
	e.eventID = id
	return e
}

// emitMessage delivers a message event about a conversation the app is in. The lock is held.
func (s *Sim) emitMessage(c *channel, event object) {
	if !c.has(BotUser) {
		return
	}
	event["type"], event["channel"], event["channel_type"] = "message", c.ID, c.kind()
	if event["event_ts"] == nil {
		event["event_ts"] = event["ts"]
	}
	s.emit("message."+map[string]string{"channel": "channels", "group": "groups", "im": "im"}[c.kind()], event)
}

// announce delivers the events that a new message causes: message, and app_mention when it mentions the app.
func (s *Sim) announce(c *channel, m *message) {
	s.emitMessage(c, s.messageJSON(c, m))
	if m.User == BotUser || !c.has(BotUser) || c.IMWith != "" || !strings.Contains(m.Text, "<@"+BotUser+">") {
		return
	}
	event := s.messageJSON(c, m)
	event["type"], event["channel"], event["event_ts"] = "app_mention", c.ID, m.TS
	s.emit("app_mention", event)
}

// typed finds what a person's text may already carry in Slack's own notation.
var typed = regexp.MustCompile(`<[@#][A-Z0-9]+(\|[^<>]*)?>|[@#][A-Za-z0-9._-]+|[&<>]`)

// escape turns what a person typed into what apps receive: &, < and > as entities, and known @names and #names as
// mentions written by link. Mentions that are already in Slack's notation stay when their id is known.
func (s *Sim) escape(text string, link func(ref string) string) string {
	return typed.ReplaceAllStringFunc(text, func(t string) string {
		switch {
		case t == "&":
			return "&amp;"
		case t == "<":
			return "&lt;"
		case t == ">":
			return "&gt;"
		case t[0] == '<':
			id, _, _ := strings.Cut(t[2:len(t)-1], "|")
			if s.known(id) {
				return t
			}
			return "&lt;" + t[1:len(t)-1] + "&gt;"
		}
		name := strings.TrimRight(t, ".-")
		if out := link(name); out != "" {
			return out + t[len(name):]
		}
		return t
	})
}

func (s *Sim) known(id string) bool {
	u, c := s.user(id), s.channel(id)
	return u != nil && u.ID == id || c != nil && c.ID == id
}

// mention writes @name and #name as messages carry them; "" when nobody is called so. With names they look as
// a command with should_escape carries them.
func (s *Sim) mention(ref string, names bool) string {
	suffix := func(name string) string {
		if names {
			return "|" + name
		}
		return ""
	}
	if ref[0] == '@' {
		if u := s.user(ref); u != nil {
			return "<@" + u.ID + suffix(u.Name) + ">"
		}
		if g := s.group(ref); g != nil {
			return "<!subteam^" + g.ID + suffix("@"+g.Handle) + ">"
		}
		return ""
	}
	if c := s.channel(ref); c != nil && c.IMWith == "" {
		return "<#" + c.ID + "|" + c.Name + ">"
	}
	return ""
}

var mentions = regexp.MustCompile(`<@([A-Z0-9]+)(\|[^<>]*)?>`)

// richText is the rich_text block that Slack's own client sends for typed text.
func (s *Sim) richText(text string) []object {
	var parts []object
	plain := func(t string) {
		if t != "" {
			parts = append(parts, object{"type": "text", "text": entities.Replace(t)})
		}
	}
	words := func(t string) {
		at := 0
		for _, m := range shortcode.FindAllStringSubmatchIndex(t, -1) {
			if name := t[m[2]:m[3]]; emoji()[name] != "" {
				plain(t[at:m[0]])
				parts, at = append(parts, object{"type": "emoji", "name": name}), m[1]
			}
		}
		plain(t[at:])
	}
	at := 0
	for _, m := range mentions.FindAllStringSubmatchIndex(text, -1) {
		words(text[at:m[0]])
		parts = append(parts, object{"type": "user", "user_id": text[m[2]:m[3]]})
		at = m[1]
	}
	words(text[at:])
	return []object{{"type": "rich_text", "block_id": s.ids.block(), "elements": []object{{"type": "rich_text_section", "elements": parts}}}}
}
