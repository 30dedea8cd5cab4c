package slacksim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Interaction is one use of a button, menu or other element, in a message or in a view.
type Interaction struct {
	User     string `json:"user"`
	Channel  string `json:"channel,omitempty"`
	TS       string `json:"ts,omitempty"`      // of the message, ephemeral ones included
	ViewID   string `json:"view_id,omitempty"` // instead of Channel and TS; "home" is the person's Home tab
	ActionID string `json:"action_id"`
	BlockID  string `json:"block_id,omitempty"` // needed only when several blocks have the action
	// Value is what is chosen: a button's value may be left out; a menu's is the value of one of its options (where
	// several may be chosen: separated by commas, or a JSON array), a user or channel id or name, a date, a time, a text.
	Value string `json:"value,omitempty"`
	// Values are other fields' contents, by block_id and action_id, for the state of a view or message.
	Values map[string]map[string]string `json:"values,omitempty"`
	// Force delivers the click even though the message does not have the element, or not with this value, or is
	// deleted: what a hostile client could try.
	Force bool `json:"force,omitempty"`
	// Lagging lets the element be one that an earlier version of the message had: the person's screen is a moment
	// behind, and Slack delivers the click all the same.
	Lagging bool `json:"lagging,omitempty"`
}

// surface is the message or view on which a person acts.
type surface struct {
	ch   *channel
	m    *message
	view *View
}

// surface finds what the person looks at. The lock is held.
func (s *Sim) surface(in Interaction, u *User) (surface, error) {
	if in.ViewID != "" {
		v := s.views[in.ViewID]
		if in.ViewID == "home" {
			v = s.homes[u.ID]
		}
		if v == nil || v.User != u.ID {
			return surface{}, fmt.Errorf("view %s is not open for %s", in.ViewID, u.Name)
		}
		return surface{view: v}, nil
	}
	_, c, err := s.where(u.ID, in.Channel)
	if err != nil {
		return surface{}, err
	}
	m := c.byTS[in.TS]
	switch {
	case m == nil:
		return surface{}, fmt.Errorf("channel %s has no message %s", c.display(), in.TS)
	case m.EphemeralTo != "" && m.EphemeralTo != u.ID:
		return surface{}, fmt.Errorf("message %s is not visible to %s", in.TS, u.Name)
	case m.Deleted && !in.Force:
		return surface{}, fmt.Errorf("message %s is deleted", in.TS)
	}
	return surface{ch: c, m: m}, nil
}

// blocks returns the layout blocks of the surface, those of attachments included.
func (f surface) blocks() []map[string]any {
	raws := []json.RawMessage{}
	if f.view != nil {
		raws = append(raws, f.view.Doc["blocks"])
	} else {
		var attachments []struct{ Blocks json.RawMessage }
		_ = json.Unmarshal(f.m.attachments, &attachments) // attachments without blocks have nothing to click
		raws = append(raws, f.m.Blocks)
		for _, a := range attachments {
			raws = append(raws, a.Blocks)
		}
	}
	var out []map[string]any
	for _, raw := range raws {
		doc, _ := decode(raw)
		items, _ := doc.([]any)
		for _, it := range items {
			if o, ok := it.(map[string]any); ok {
				out = append(out, o)
			}
		}
	}
	return out
}

// element finds the element and its block_id; nil: the surface does not have it.
func (f surface) element(in Interaction) (map[string]any, string, error) {
	var found map[string]any
	var block string
	for _, b := range f.blocks() {
		id, _ := b["block_id"].(string)
		for _, e := range interactive(b) {
			if e["action_id"] != in.ActionID || in.BlockID != "" && in.BlockID != id {
				continue
			}
			if found != nil {
				return nil, "", fmt.Errorf("action %s is in several blocks: say which block_id", in.ActionID)
			}
			found, block = e, id
		}
	}
	return found, block, nil
}

// earlier finds the element in the latest earlier version of the message that had it.
func (m *message) earlier(in Interaction) (map[string]any, string, error) {
	for _, old := range slices.Backward(m.Edits) {
		var v struct{ Blocks, Attachments json.RawMessage }
		_ = json.Unmarshal(old.Raw, &v) // made by messageJSON
		was := &message{Message: Message{Blocks: v.Blocks}, attachments: v.Attachments}
		if el, block, err := (surface{m: was}).element(in); el != nil {
			return el, block, err
		}
	}
	return nil, "", nil
}

// Interact uses an element. It returns when the app has acknowledged, or after 3 s.
func (s *Sim) Interact(in Interaction) (Outcome, error) {
	s.mu.Lock()
	e, out, err := s.prepare(in)
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("interact: %w", err)
	}
	sent := s.send(e)
	s.mu.Unlock()
	if sent {
		s.wait(e, &out)
	}
	if !out.Acked {
		out.Notice = "This app is not responding. Try again?"
	}
	return out, nil
}

// prepare finds the element and makes the envelope of a click. The lock is held.
func (s *Sim) prepare(in Interaction) (*envelope, Outcome, error) {
	u, err := s.actor(in.User)
	if err != nil {
		return nil, Outcome{}, err
	}
	f, err := s.surface(in, u)
	if err != nil {
		return nil, Outcome{}, err
	}
	el, block, err := f.element(in)
	if el == nil && in.Lagging && f.m != nil {
		el, block, err = f.m.earlier(in)
	}
	if err != nil {
		return nil, Outcome{}, err
	}
	var action object
	switch {
	case el != nil:
		if action, err = s.act(el, in); err != nil {
			return nil, Outcome{}, err
		}
	case in.Force:
		block = in.BlockID
		action = object{"type": "button", "action_id": in.ActionID, "value": in.Value, "text": object{"type": "plain_text", "text": "", "emoji": true}}
	default:
		return nil, Outcome{}, fmt.Errorf("action %s is not there", in.ActionID)
	}
	action["block_id"], action["action_ts"] = block, s.ts()
	s.record(Entry{Kind: LogPerson, Method: "interact", Args: encode(in)})
	out := Outcome{}
	if el != nil {
		out.Element = encode(el)
	}
	e := s.clickEnvelope(u, f, action, in, &out)
	out.EnvelopeID = e.id
	return e, out, nil
}

func (s *Sim) userRef(u *User) object {
	return object{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.TeamID}
}

func (s *Sim) teamRef() object { return object{"id": s.opt.Team.ID, "domain": s.opt.Team.Domain} }

// clickEnvelope is the block_actions envelope.
func (s *Sim) clickEnvelope(u *User, f surface, action object, in Interaction, out *Outcome) *envelope {
	values := s.stateOf(f, in)
	p := object{
		"type": "block_actions", "user": s.userRef(u), "api_app_id": s.opt.AppID, "token": "verification-token", "team": s.teamRef(),
		"enterprise": nil, "is_enterprise_install": false, "actions": []object{action},
	}
	if f.view != nil {
		out.TriggerID = s.newTrigger(u.ID, f.view.ID)
		p["container"], p["view"] = object{"type": "view", "view_id": f.view.ID}, s.viewJSON(f.view, values)
		p["trigger_id"] = out.TriggerID
		return s.newEnvelope("interactive", p, false)
	}
	out.TriggerID = s.newTrigger(u.ID, "")
	clicked := s.snapshot(f.ch, f.m)
	out.Message = &clicked
	container := object{"type": "message", "message_ts": f.m.TS, "channel_id": f.ch.ID, "is_ephemeral": f.m.EphemeralTo != ""}
	if f.m.ThreadTS != "" {
		container["thread_ts"] = f.m.ThreadTS
	}
	p["container"], p["trigger_id"], p["channel"] = container, out.TriggerID, object{"id": f.ch.ID, "name": f.ch.display()}
	p["state"] = object{"values": values}
	p["response_url"] = s.newResponseURL("actions", responseURL{channel: f.ch.ID, user: u.ID, ts: f.m.TS})
	if f.m.EphemeralTo == "" {
		p["message"] = s.messageJSON(f.ch, f.m)
	}
	return s.newEnvelope("interactive", p, false)
}

// Shortcut runs a shortcut of the app: a global one, or with channel and ts one on that message. It returns when the
// app has acknowledged, or after 3 s.
func (s *Sim) Shortcut(user, callbackID, channel, ts string) (Outcome, error) {
	s.mu.Lock()
	u, err := s.actor(user)
	var f surface
	if err == nil && ts != "" {
		f, err = s.surface(Interaction{Channel: channel, TS: ts}, u)
	}
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("shortcut %s: %w", callbackID, err)
	}
	s.record(Entry{Kind: LogPerson, Method: "shortcut", Args: encode(object{"user": u.Name, "callback_id": callbackID, "ts": ts})})
	out := Outcome{TriggerID: s.newTrigger(u.ID, "")}
	p := object{
		"type": "shortcut", "token": "verification-token", "action_ts": s.ts(), "team": s.teamRef(),
		"user": object{"id": u.ID, "username": u.Name, "team_id": u.TeamID}, "is_enterprise_install": false, "enterprise": nil,
		"callback_id": callbackID, "trigger_id": out.TriggerID,
	}
	if f.m != nil {
		p["type"], p["message_ts"], p["message"] = "message_action", f.m.TS, s.messageJSON(f.ch, f.m)
		p["user"], p["channel"] = object{"id": u.ID, "name": u.Name, "team_id": u.TeamID}, object{"id": f.ch.ID, "name": f.ch.display()}
		p["response_url"] = s.newResponseURL("actions", responseURL{channel: f.ch.ID, user: u.ID, ts: f.m.TS})
	}
	e := s.newEnvelope("interactive", p, false)
	sent := s.send(e)
	s.mu.Unlock()
	out.EnvelopeID = e.id
	if sent {
		s.wait(e, &out)
	}
	if !out.Acked {
		out.Notice = "This app is not responding. Try again?"
	}
	return out, nil
}

// Action is one thing a person can use in a message or view.
type Action struct {
	Type     string          `json:"type"`
	ActionID string          `json:"action_id"`
	BlockID  string          `json:"block_id"`
	Text     string          `json:"text"`
	Value    string          `json:"value,omitempty"`
	Style    string          `json:"style,omitempty"`
	Options  []string        `json:"options,omitempty"` // option values of menus
	Confirm  json.RawMessage `json:"confirm,omitempty"`
}

// Actions lists what a person can use in the message, in reading order.
func (m Message) Actions() []Action {
	return surface{m: &message{Message: m}}.actions()
}

// Actions lists what a person can use in the view, in reading order.
func (v View) Actions() []Action { return surface{view: &v}.actions() }

func (f surface) actions() []Action {
	var out []Action
	for _, b := range f.blocks() {
		for _, e := range interactive(b) {
			a := Action{Type: asText(e["type"]), ActionID: asText(e["action_id"]), BlockID: asText(b["block_id"]), Value: asText(e["value"]), Style: asText(e["style"])}
			if t, ok := e["text"].(map[string]any); ok {
				a.Text = asText(t["text"])
			}
			if e["confirm"] != nil {
				a.Confirm = encode(e["confirm"])
			}
			for _, o := range options(e) {
				a.Options = append(a.Options, asText(o["value"]))
			}
			out = append(out, a)
		}
	}
	return out
}

func asText(v any) string {
	s, _ := v.(string)
	return s
}

// split returns the values that a text names: one that an option has, a JSON array of them, or a list with commas.
func split(e map[string]any, value string) []string {
	var list []string
	switch {
	case slices.ContainsFunc(options(e), func(o map[string]any) bool { return o["value"] == value }):
		return []string{value}
	case strings.HasPrefix(value, "[") && json.Unmarshal([]byte(value), &list) == nil:
		return list
	}
	return strings.Split(value, ",")
}

// options returns the options of a menu, those in groups included.
func options(e map[string]any) []map[string]any {
	var out []map[string]any
	take := func(v any) {
		items, _ := v.([]any)
		for _, it := range items {
			if o, ok := it.(map[string]any); ok {
				out = append(out, o)
			}
		}
	}
	take(e["options"])
	groups, _ := e["option_groups"].([]any)
	for _, g := range groups {
		if o, ok := g.(map[string]any); ok {
			take(o["options"])
		}
	}
	return out
}

// pick returns the options of an element with these values; an option that does not exist is an error unless force.
func pick(e map[string]any, value string, force bool) ([]map[string]any, error) {
	out := []map[string]any{}
	for _, v := range split(e, value) {
		if v == "" {
			continue
		}
		i := slices.IndexFunc(options(e), func(o map[string]any) bool { return o["value"] == v })
		switch {
		case i >= 0:
			out = append(out, options(e)[i])
		case force || strings.HasSuffix(asText(e["type"]), "external_select"):
			out = append(out, map[string]any{"text": object{"type": "plain_text", "text": v, "emoji": true}, "value": v})
		default:
			return nil, fmt.Errorf("%s %s has no option %q", asText(e["type"]), asText(e["action_id"]), v)
		}
	}
	return out, nil
}
