package slacksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// View is a modal that is open, or a person's Home tab.
type View struct {
	ID       string                     `json:"id"`
	User     string                     `json:"user"`
	Type     string                     `json:"type"` // modal or home
	Hash     string                     `json:"hash"`
	Root     string                     `json:"root_view_id"`
	Previous string                     `json:"previous_view_id,omitempty"`
	Doc      map[string]json.RawMessage `json:"view"`             // what the app sent, with missing ids filled in
	Errors   map[string]string          `json:"errors,omitempty"` // by block_id, as the last submission was answered

	seq int // order of opening
}

// trigger is a trigger_id handed out with an interaction.
type trigger struct {
	user    string
	view    string // the modal it came from
	expires time.Time
	used    bool
}

const (
	triggerLife = 3 * time.Second // docs.slack.dev/interactivity/handling-user-interaction
	maxStack    = 3               // modals on top of each other
	keepLimit   = 10_000          // expired triggers and response URLs are forgotten beyond so many
)

// newTrigger hands out a trigger_id. The lock is held.
func (s *Sim) newTrigger(user, view string) string {
	if len(s.triggers) >= keepLimit {
		maps.DeleteFunc(s.triggers, func(_ string, t *trigger) bool { return s.now().After(t.expires) })
	}
	id := s.ids.trigger()
	s.triggers[id] = &trigger{user: user, view: view, expires: s.now().Add(triggerLife)}
	return id
}

// trigger redeems the trigger_id argument; bad is an error answer or nil.
func (c call) trigger() (*trigger, object) {
	id := c.str("trigger_id")
	if id == "" {
		id = c.str("interactivity_pointer")
	}
	t := c.triggers[id]
	switch {
	case t == nil:
		return nil, fail("invalid_trigger_id")
	case t.used:
		return nil, fail("exchanged_trigger_id")
	case !c.now().Before(t.expires):
		return nil, fail("expired_trigger_id")
	}
	t.used = true
	return t, nil
}

// newView keeps a view's document, with ids filled in, under a fresh id and hash.
func (s *Sim) newView(user string, doc map[string]json.RawMessage) *View {
	s.viewSeq++
	v := &View{ID: s.ids.object("V"), User: user, Hash: s.hash(), seq: s.viewSeq}
	v.set(s, doc)
	v.Root = v.ID
	return v
}

func (v *View) set(s *Sim, doc map[string]json.RawMessage) {
	doc["blocks"] = s.fillIDs(doc["blocks"])
	v.Doc, v.Errors = doc, nil
	v.Type = text(doc["type"])
}

// hash returns a view hash such as 1596530361.3wRYuk3R.
func (s *Sim) hash() string { return fmt.Sprintf("%d.%s", s.now().Unix(), s.ids.text(8, mixedDigits)) }

func text(raw json.RawMessage) string {
	var out string
	if json.Unmarshal(raw, &out) != nil {
		return ""
	}
	return out
}

// viewJSON is the view object of answers and payloads; values is state.values.
func (s *Sim) viewJSON(v *View, values object) object {
	if values == nil {
		values = object{}
	}
	o := object{
		"id": v.ID, "team_id": s.opt.Team.ID, "type": v.Type, "blocks": json.RawMessage("[]"), "private_metadata": "", "callback_id": "",
		"external_id": "", "state": object{"values": values}, "hash": v.Hash, "title": nil, "submit": nil, "close": nil,
		"clear_on_close": false, "notify_on_close": false, "previous_view_id": nil, "root_view_id": v.Root, "app_id": s.opt.AppID,
		"app_installed_team_id": s.opt.Team.ID, "bot_id": botID,
	}
	if v.Type == "home" {
		o["title"] = object{"type": "plain_text", "text": "View Title", "emoji": true}
	} else {
		o["submit_disabled"] = false
	}
	if v.Previous != "" {
		o["previous_view_id"] = v.Previous
	}
	for k, raw := range v.Doc {
		o[k] = raw
	}
	return o
}

// viewDoc reads and validates the view argument.
func (c call) viewDoc() (map[string]json.RawMessage, object) {
	raw, okJSON := c.raw("view")
	if !okJSON || len(raw) == 0 {
		return nil, invalidArguments([]blockError{{Pointer: "/view", Code: "invalid_type", Message: "must provide an object"}})
	}
	return c.parseView(raw)
}

func (s *Sim) parseView(raw json.RawMessage) (map[string]json.RawMessage, object) {
	var doc map[string]json.RawMessage
	if errs := s.checkView(raw); len(errs) > 0 {
		return nil, invalidArguments(errs)
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, invalidArguments([]blockError{{Pointer: "/view", Code: "invalid_type", Message: "must provide an object"}})
	}
	return doc, nil
}

func (c call) viewsOpen() object {
	doc, bad := c.viewDoc()
	if bad != nil {
		return bad
	}
	t, bad := c.trigger()
	if bad != nil {
		return bad
	}
	if bad := c.uniqueExternal(doc, ""); bad != nil {
		return bad
	}
	v := c.newView(t.user, doc)
	c.views[v.ID] = v
	c.changed()
	return ok(object{"view": c.viewJSON(v, nil)})
}

func (c call) viewsPush() object {
	doc, bad := c.viewDoc()
	if bad != nil {
		return bad
	}
	t, bad := c.trigger()
	if bad != nil {
		return bad
	}
	v, bad := c.push(t.view, t.user, doc)
	if bad != nil {
		return bad
	}
	return ok(object{"view": c.viewJSON(v, nil)})
}

// push opens a modal on top of another one.
func (s *Sim) push(below, user string, doc map[string]json.RawMessage) (*View, object) {
	under := s.views[below]
	if under == nil {
		return nil, fail("not_found")
	}
	depth := 1
	for _, v := range s.views {
		if v.Root == under.Root {
			depth++
		}
	}
	if depth > maxStack {
		return nil, fail("push_limit_reached")
	}
	v := s.newView(user, doc)
	v.Root, v.Previous = under.Root, under.ID
	s.views[v.ID] = v
	s.changed()
	return v, nil
}

// uniqueExternal refuses an external_id that another open view has.
func (s *Sim) uniqueExternal(doc map[string]json.RawMessage, own string) object {
	id := text(doc["external_id"])
	for _, v := range s.views {
		if id != "" && v.ID != own && text(v.Doc["external_id"]) == id {
			return fail("duplicate_external_id")
		}
	}
	return nil
}

// theView finds the view that views.update means, modal or Home tab.
func (c call) theView() *View {
	id, external := c.str("view_id"), c.str("external_id")
	for _, set := range []map[string]*View{c.views, c.homes} {
		for _, v := range set {
			if id != "" && v.ID == id || id == "" && external != "" && text(v.Doc["external_id"]) == external {
				return v
			}
		}
	}
	return nil
}

func (c call) viewsUpdate() object {
	doc, bad := c.viewDoc()
	if bad != nil {
		return bad
	}
	v := c.theView()
	switch {
	case v == nil:
		return fail("not_found")
	case c.str("hash") != "" && c.str("hash") != v.Hash:
		return fail("hash_conflict")
	}
	if bad := c.uniqueExternal(doc, v.ID); bad != nil {
		return bad
	}
	v.set(c.Sim, doc)
	v.Hash = c.hash()
	c.changed()
	return ok(object{"view": c.viewJSON(v, nil)})
}

func (c call) viewsPublish() object {
	doc, bad := c.viewDoc()
	if bad != nil {
		return bad
	}
	u := c.user(c.str("user_id"))
	if u == nil || u.ID != c.str("user_id") {
		return fail("user_not_found")
	}
	if t := text(doc["type"]); t != "home" {
		return invalidArguments([]blockError{{Pointer: "/view/type", Code: "failed_constraint", Message: "must be a valid enum value"}})
	}
	v := c.homes[u.ID]
	switch {
	case v == nil:
		v = c.newView(u.ID, doc)
		c.homes[u.ID] = v
	case c.str("hash") != "" && c.str("hash") != v.Hash:
		return fail("hash_conflict")
	default:
		v.set(c.Sim, doc)
		v.Hash = c.hash()
	}
	c.changed()
	return ok(object{"view": c.viewJSON(v, nil)})
}

// Views returns the open modals of a person, the top one last.
func (s *Sim) Views(user string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []View
	u := s.user(user)
	for _, v := range s.views {
		if u != nil && v.User == u.ID {
			out = append(out, *v)
		}
	}
	slices.SortFunc(out, func(a, b View) int { return a.seq - b.seq })
	return out
}

// Home returns a person's Home tab; false: the app has published none.
func (s *Sim) Home(user string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.user(user); u != nil && s.homes[u.ID] != nil {
		return *s.homes[u.ID], true
	}
	return View{}, false
}
