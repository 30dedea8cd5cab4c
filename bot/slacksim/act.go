package slacksim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Outcome is what a person saw of something they did.
type Outcome struct {
	EnvelopeID string            `json:"envelope_id,omitempty"` // empty: the app was not asked
	TriggerID  string            `json:"trigger_id,omitempty"`
	Acked      bool              `json:"acked"`             // within 3 s
	Took       time.Duration     `json:"took,omitempty"`    // nanoseconds until the acknowledgement
	Payload    json.RawMessage   `json:"payload,omitempty"` // what the acknowledgement carried
	Notice     string            `json:"notice,omitempty"`  // what Slack itself told the person
	Shown      []Message         `json:"shown,omitempty"`   // messages made by the acknowledgement
	Errors     map[string]string `json:"errors,omitempty"`  // a form's field errors by block_id
	Message    *Message          `json:"message,omitempty"` // what the person said, or clicked on
	Element    json.RawMessage   `json:"element,omitempty"` // the button or menu used, with its confirm dialog
	View       *View             `json:"view,omitempty"`    // the form that is open after a submission
}

const modalTrouble = "We had some trouble connecting. Try again?"

// actor finds the person who acts; only people with an account can.
func (s *Sim) actor(ref string) (*User, error) {
	u := s.user(ref)
	switch {
	case s.closed:
		return nil, errClosed
	case u == nil:
		return nil, fmt.Errorf("user %q does not exist", ref)
	case u.Deleted:
		return nil, fmt.Errorf("user %s is deactivated", u.Name)
	case u.Bot:
		return nil, fmt.Errorf("user %s is a bot", u.Name)
	}
	return u, nil
}

// where finds a person and a conversation that person can see. The person's own direct message with the app goes
// by the app's name.
func (s *Sim) where(user, channel string) (*User, *channel, error) {
	u, err := s.actor(user)
	if err != nil {
		return nil, nil, err
	}
	c := s.channel(channel)
	if to := s.user(channel); c == nil && to != nil && to.ID == BotUser {
		c = s.im(u.ID)
	}
	switch {
	case c == nil:
		return nil, nil, fmt.Errorf("channel %q does not exist", channel)
	case !c.sees(u):
		return nil, nil, fmt.Errorf("channel %s is not visible to %s", c.Name, u.Name)
	}
	return u, c, nil
}

// Command types a slash command. It returns when the app has acknowledged, or after 3 s.
func (s *Sim) Command(user, channel, command, text string) (Outcome, error) {
	s.mu.Lock()
	u, c, err := s.where(user, channel)
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("command %s: %w", command, err)
	}
	s.record(Entry{Kind: LogPerson, Method: "command", Args: encode(object{"user": u.Name, "channel": c.display(), "command": command, "text": text})})
	cmd := s.command(command)
	if cmd == nil {
		s.mu.Unlock()
		return Outcome{Notice: command + " is not a valid command."}, nil
	}
	text = s.escape(text, func(ref string) string {
		if !cmd.ShouldEscape {
			return ""
		}
		return s.mention(ref, true)
	})
	trigger := s.newTrigger(u.ID, "")
	e := s.newEnvelope("slash_commands", object{
		"token": "verification-token", "team_id": s.opt.Team.ID, "team_domain": s.opt.Team.Domain, "channel_id": c.ID,
		"channel_name": c.display(), "user_id": u.ID, "user_name": u.Name, "command": command, "text": text, "api_app_id": s.opt.AppID,
		"is_enterprise_install": "false", "trigger_id": trigger,
		"response_url": s.newResponseURL("commands", responseURL{channel: c.ID, user: u.ID}),
	}, true)
	sent := s.send(e)
	s.mu.Unlock()
	out := Outcome{EnvelopeID: e.id, TriggerID: trigger}
	if !sent {
		out.Notice = fmt.Sprintf("%s failed with the error %q", command, "dispatch_failed")
		return out, nil
	}
	if s.wait(e, &out); !out.Acked {
		out.Notice = fmt.Sprintf("%s failed with the error %q", command, "operation_timeout")
		return out, nil
	}
	if code := s.showAnswer(&out, c, u); code != "" {
		out.Notice = fmt.Sprintf("%s failed with the error %q", command, "invalid_command_response")
	}
	return out, nil
}

func (s *Sim) command(name string) *SlashCommand {
	for i, c := range s.opt.Commands {
		if c.Name == name {
			return &s.opt.Commands[i]
		}
	}
	return nil
}

// wait fills in what the acknowledgement says.
func (s *Sim) wait(e *envelope, out *Outcome) {
	a, acked := s.await(e)
	out.Acked, out.Payload = acked, a.Payload
	if acked {
		out.Took = s.now().Sub(e.sent)
	}
}

// showAnswer posts the message that the acknowledgement of a command may carry. The result is an error code or "".
func (s *Sim) showAnswer(out *Outcome, c *channel, u *User) string {
	a := args{vals: map[string]json.RawMessage{}}
	if len(out.Payload) == 0 {
		return ""
	}
	if bad := a.json(bytes.NewReader(out.Payload)); bad != "" {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, bad := s.content(a)
	if bad != nil {
		return errorOf(bad)
	}
	if !b.empty() {
		out.Shown = append(out.Shown, s.snapshot(c, s.answerPerson(c, u.ID, a, b)))
	}
	return ""
}

// Say posts a message as a person, in a thread when threadTS is the ts of a message. It returns at once; the
// events it causes are delivered meanwhile, and the log tells what became of them.
func (s *Sim) Say(user, channel, text, threadTS string) (Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c, err := s.where(user, channel)
	switch {
	case err != nil:
	case c.Archived:
		err = fmt.Errorf("channel %s is archived", c.Name)
	case !c.has(u.ID):
		c.Members = append(c.Members, u.ID) // Slack's client joins a public channel to post
	}
	if err == nil && threadTS != "" && c.find(threadTS) == nil {
		err = fmt.Errorf("channel %s has no message %s", c.Name, threadTS)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("say: %w", err)
	}
	s.record(Entry{Kind: LogPerson, Method: "message", Args: encode(object{"user": u.Name, "channel": c.display(), "text": text, "thread_ts": threadTS})})
	m := &message{clientID: s.ids.uuid()}
	m.User, m.ThreadTS = u.ID, root(c, threadTS)
	m.Text = s.escape(text, func(ref string) string { return s.mention(ref, false) })
	m.Blocks = encode(s.richText(m.Text))
	s.add(c, m)
	s.announce(c, m)
	said := s.snapshot(c, m)
	return Outcome{Message: &said}, nil
}

// OpenHome opens the app's Home tab, which the app hears of as app_home_opened. It returns at once with what the
// tab shows now, if anything was published.
func (s *Sim) OpenHome(user string) (Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.actor(user)
	if err != nil {
		return Outcome{}, fmt.Errorf("open home: %w", err)
	}
	s.record(Entry{Kind: LogPerson, Method: "open-home", Args: encode(object{"user": u.Name})})
	event := object{"type": "app_home_opened", "user": u.ID, "channel": s.im(u.ID).ID, "tab": "home", "event_ts": s.ts()}
	out := Outcome{}
	if v := s.homes[u.ID]; v != nil {
		event["view"] = s.viewJSON(v, nil)
		shown := *v
		out.View = &shown
	}
	s.emit("app_home_opened", event)
	return out, nil
}
