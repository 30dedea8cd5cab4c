package slacksim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// selected names, per element type, the property in which the choice is reported, and the initial_ property it
// starts from.
var selected = map[string]struct{ field, initial string }{
	"overflow":                   {"selected_option", ""},
	"static_select":              {"selected_option", "initial_option"},
	"external_select":            {"selected_option", "initial_option"},
	"radio_buttons":              {"selected_option", "initial_option"},
	"multi_static_select":        {"selected_options", "initial_options"},
	"multi_external_select":      {"selected_options", "initial_options"},
	"checkboxes":                 {"selected_options", "initial_options"},
	"users_select":               {"selected_user", "initial_user"},
	"multi_users_select":         {"selected_users", "initial_users"},
	"channels_select":            {"selected_channel", "initial_channel"},
	"multi_channels_select":      {"selected_channels", "initial_channels"},
	"conversations_select":       {"selected_conversation", "initial_conversation"},
	"multi_conversations_select": {"selected_conversations", "initial_conversations"},
	"datepicker":                 {"selected_date", "initial_date"},
	"timepicker":                 {"selected_time", "initial_time"},
	"datetimepicker":             {"selected_date_time", "initial_date_time"},
	"plain_text_input":           {"value", "initial_value"},
	"email_text_input":           {"value", "initial_value"},
	"url_text_input":             {"value", "initial_value"},
	"number_input":               {"value", "initial_value"},
	"rich_text_input":            {"rich_text_value", "initial_value"},
	"file_input":                 {"files", ""},
}

// echoed are the properties of an element that an action repeats.
var echoed = []string{"type", "action_id", "text", "value", "style", "confirm", "placeholder", "url", "initial_option", "initial_options",
	"initial_user", "initial_channel", "initial_conversation", "initial_date", "initial_time", "initial_date_time", "min_query_length", "timezone"}

// act is the entry in actions for the use of an element with a value.
func (s *Sim) act(e map[string]any, in Interaction) (object, error) {
	a := object{}
	for _, name := range echoed {
		if v, ok := e[name]; ok {
			a[name] = v
		}
	}
	t := asText(e["type"])
	how, stateful := selected[t]
	if !stateful {
		if in.Value != "" && in.Value != asText(e["value"]) {
			if !in.Force {
				return nil, fmt.Errorf("%s %s has the value %q", t, in.ActionID, asText(e["value"]))
			}
			a["value"] = in.Value
		}
		return a, nil
	}
	v, err := s.chosen(e, in.Value, in.Force)
	if err != nil {
		return nil, err
	}
	a[how.field] = v
	return a, nil
}

// chosen is the value of a stateful element in Slack's form.
func (s *Sim) chosen(e map[string]any, value string, force bool) (any, error) {
	t := asText(e["type"])
	field := selected[t].field
	switch {
	case field == "selected_option" || field == "selected_options":
		picked, err := pick(e, value, force)
		if err != nil || field == "selected_options" {
			return picked, err
		}
		if len(picked) == 0 {
			return nil, nil
		}
		return picked[0], nil
	case strings.Contains(t, "users") || strings.Contains(t, "channels") || strings.Contains(t, "conversations"):
		return s.chosenIDs(t, value, force)
	case value == "":
		return nil, nil
	case t == "datetimepicker":
		n, err := strconv.ParseInt(value, 10, 64)
		return n, err
	case t == "rich_text_input":
		return object{"type": "rich_text", "elements": []object{{"type": "rich_text_section", "elements": []object{{"type": "text", "text": value}}}}}, nil
	}
	return value, nil
}

// chosenIDs turns names and ids of users or conversations into the ids of a selection.
func (s *Sim) chosenIDs(t, value string, force bool) (any, error) {
	list := []string{}
	for _, ref := range split(nil, value) {
		u, c := s.user(ref), s.channel(ref)
		switch {
		case ref == "":
		case strings.Contains(t, "users") && u != nil:
			list = append(list, u.ID)
		case !strings.Contains(t, "users") && c != nil:
			list = append(list, c.ID)
		case force:
			list = append(list, ref)
		default:
			return nil, fmt.Errorf("%s: %q does not exist", t, ref)
		}
	}
	if strings.HasPrefix(t, "multi_") {
		return list, nil
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list[0], nil
}

// stateOf is state.values: every stateful element by block_id and action_id, with what the person entered or else
// what it started with. The element just used is among them.
func (s *Sim) stateOf(f surface, in Interaction) object {
	values := object{}
	for _, b := range f.blocks() {
		block := asText(b["block_id"])
		for _, e := range interactive(b) {
			t, id := asText(e["type"]), asText(e["action_id"])
			how, stateful := selected[t]
			if !stateful || t == "overflow" {
				continue
			}
			v := e[how.initial]
			entered, given := in.Values[block][id]
			if id == in.ActionID && (in.BlockID == "" || in.BlockID == block) {
				entered, given = in.Value, true
			}
			if given {
				v, _ = s.chosen(e, entered, true)
			}
			if v == nil && strings.HasSuffix(how.field, "s") {
				v = []any{}
			}
			of, _ := values[block].(object)
			if of == nil {
				of = object{}
				values[block] = of
			}
			of[id] = object{"type": t, how.field: v}
		}
	}
	return values
}

// Submission is a filled-in form.
type Submission struct {
	User   string                       `json:"user"`
	ViewID string                       `json:"view_id,omitempty"` // empty: the form on top
	Values map[string]map[string]string `json:"values"`            // by block_id and action_id, as Interaction.Value
}

// SubmitView presses a form's submit button. Empty required fields are refused by the form itself, without asking
// the app. It returns when the app has acknowledged, or after 3 s; the form stays open when the app did not answer
// or answered with field errors.
func (s *Sim) SubmitView(sub Submission) (Outcome, error) {
	s.mu.Lock()
	u, v, err := s.form(sub.User, sub.ViewID)
	if err == nil && len(v.Doc["submit"]) == 0 {
		err = fmt.Errorf("view %s has no submit button", v.ID)
	}
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("submit view: %w", err)
	}
	f := surface{view: v}
	values := s.stateOf(f, Interaction{Values: sub.Values})
	if errs := incomplete(f, values); len(errs) > 0 {
		v.Errors = errs
		shown := *v
		s.changed()
		s.mu.Unlock()
		return Outcome{Errors: errs, View: &shown}, nil
	}
	s.record(Entry{Kind: LogPerson, Method: "submit", Args: encode(sub)})
	out := Outcome{TriggerID: s.newTrigger(u.ID, v.ID)}
	e := s.newEnvelope("interactive", object{
		"type": "view_submission", "team": s.teamRef(), "user": s.userRef(u), "api_app_id": s.opt.AppID, "token": "verification-token",
		"trigger_id": out.TriggerID, "view": s.viewJSON(v, values), "response_urls": []any{}, "is_enterprise_install": false, "enterprise": nil,
	}, true)
	sent := s.send(e)
	s.mu.Unlock()
	out.EnvelopeID = e.id
	if sent {
		s.wait(e, &out)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !out.Acked || !s.afterSubmit(v, &out) {
		out.Notice = modalTrouble
		shown := *v
		out.View = &shown
	}
	return out, nil
}

// form finds a modal of a person: the named one, or the one on top. The lock is held.
func (s *Sim) form(user, id string) (*User, *View, error) {
	u, err := s.actor(user)
	if err != nil {
		return nil, nil, err
	}
	var top *View
	for _, v := range s.views {
		if v.User == u.ID && (id == "" || v.ID == id) && (top == nil || v.seq > top.seq) {
			top = v
		}
	}
	if top == nil {
		return nil, nil, fmt.Errorf("no form%s is open for %s", strings.TrimRight(" "+id, " "), u.Name)
	}
	return u, top, nil
}

// incomplete returns the errors a form shows by itself: required fields that are empty, and wrong lengths.
func incomplete(f surface, values object) map[string]string {
	errs := map[string]string{}
	for _, b := range f.blocks() {
		e, _ := b["element"].(map[string]any)
		if b["type"] != "input" || e == nil {
			continue
		}
		id := asText(b["block_id"])
		entry, _ := values[id].(object)[asText(e["action_id"])].(object)
		v := entry[selected[asText(e["type"])].field]
		list, isList := v.([]any)
		maps, isMaps := v.([]map[string]any)
		names, isNames := v.([]string)
		empty := v == nil || v == "" || isList && len(list) == 0 || isMaps && len(maps) == 0 || isNames && len(names) == 0
		switch {
		case empty && b["optional"] != true:
			errs[id] = "Please complete this required field."
		case !empty && tooLong(e, v):
			errs[id] = fmt.Sprintf("Must be at most %v characters.", e["max_length"])
		}
	}
	return errs
}

func tooLong(e map[string]any, v any) bool {
	limit, ok := e["max_length"].(json.Number)
	n, err := limit.Int64()
	return ok && err == nil && int64(len([]rune(asText(v)))) > n
}

// afterSubmit carries out the response_action of an acknowledged submission; false: the answer is not usable.
// The lock is held.
func (s *Sim) afterSubmit(v *View, out *Outcome) bool {
	var r struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   json.RawMessage   `json:"view"`
	}
	if len(out.Payload) > 0 && json.Unmarshal(out.Payload, &r) != nil {
		return false
	}
	defer s.changed()
	switch r.Action {
	case "":
		delete(s.views, v.ID)
		return true
	case "clear":
		for id, other := range s.views {
			if other.Root == v.Root {
				delete(s.views, id)
			}
		}
		return true
	case "errors":
		return s.fieldErrors(v, r.Errors, out)
	case "update", "push":
		return s.nextView(v, r.Action, r.View, out)
	}
	return false
}

// fieldErrors shows errors at input blocks; an error at any other block makes the answer unusable.
func (s *Sim) fieldErrors(v *View, errs map[string]string, out *Outcome) bool {
	inputs := map[string]bool{}
	for _, b := range (surface{view: v}).blocks() {
		inputs[asText(b["block_id"])] = b["type"] == "input"
	}
	for id := range errs {
		if !inputs[id] {
			return false
		}
	}
	v.Errors = errs
	out.Errors = errs
	shown := *v
	out.View = &shown
	return len(errs) > 0
}

func (s *Sim) nextView(v *View, action string, raw json.RawMessage, out *Outcome) bool {
	doc, bad := s.parseView(raw)
	if bad != nil {
		return false
	}
	next := v
	if action == "push" {
		if next, bad = s.push(v.ID, v.User, doc); bad != nil {
			return false
		}
	} else {
		v.set(s, doc)
		v.Hash = s.hash()
	}
	shown := *next
	out.View = &shown
	return true
}

// CloseView closes a form without submitting it; clear closes the whole stack. The app hears of it only when the
// view has notify_on_close. It returns at once.
func (s *Sim) CloseView(user, viewID string, clear bool) (Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, v, err := s.form(user, viewID)
	if err != nil {
		return Outcome{}, fmt.Errorf("close view: %w", err)
	}
	for id, other := range s.views {
		if id == v.ID || clear && other.Root == v.Root {
			delete(s.views, id)
		}
	}
	s.record(Entry{Kind: LogPerson, Method: "close", Args: encode(object{"user": u.Name, "view_id": v.ID})})
	if string(v.Doc["notify_on_close"]) != "true" {
		return Outcome{}, nil
	}
	e := s.newEnvelope("interactive", object{
		"type": "view_closed", "team": s.teamRef(), "user": s.userRef(u), "api_app_id": s.opt.AppID, "token": "verification-token",
		"view": s.viewJSON(v, nil), "is_cleared": clear, "is_enterprise_install": false, "enterprise": nil,
	}, false)
	s.send(e)
	return Outcome{EnvelopeID: e.id}, nil
}
