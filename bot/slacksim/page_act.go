package slacksim

import (
	"fmt"
	"net/http"
	"strings"
)

// deed is the body of every post of the page; each takes the fields it needs.
type deed struct {
	As       string                       `json:"as"`
	In       string                       `json:"in"`
	ThreadTS string                       `json:"thread_ts"`
	Text     string                       `json:"text"`
	TS       string                       `json:"ts"`
	ViewID   string                       `json:"view_id"`
	ActionID string                       `json:"action_id"`
	BlockID  string                       `json:"block_id"`
	Value    string                       `json:"value"`
	Values   map[string]map[string]string `json:"values"`
	Clear    bool                         `json:"clear"`
}

// told is what the browser is told of a deed: what Slack itself says to the person, and a form's field errors.
type told struct {
	Notice string            `json:"notice,omitempty"`
	Errors map[string]string `json:"errors,omitempty"`
}

// pagePosts are what the page can do for a person: the same calls as the control API's.
var pagePosts = map[string]func(*Sim, deed) (Outcome, error){
	"send":  (*Sim).typed,
	"press": (*Sim).press,
	"submit": func(s *Sim, d deed) (Outcome, error) {
		return s.SubmitView(Submission{User: d.As, ViewID: d.ViewID, Values: d.Values})
	},
	"close": func(s *Sim, d deed) (Outcome, error) { return s.CloseView(d.As, d.ViewID, d.Clear) },
	"home":  func(s *Sim, d deed) (Outcome, error) { return s.OpenHome(d.As) },
	"read":  (*Sim).markRead,
}

// servePost carries out one deed.
func (s *Sim) servePost(w http.ResponseWriter, r *http.Request, do func(*Sim, deed) (Outcome, error)) {
	var d deed
	err := sameOrigin.Check(r)
	if err == nil && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		err = fmt.Errorf("content type %q: want application/json", r.Header.Get("Content-Type"))
	}
	if err != nil {
		controlError(w, http.StatusForbidden, err.Error())
		return
	}
	var out Outcome
	if err = decodeBody(r, &d); err == nil {
		out, err = do(s, d)
	}
	if err != nil {
		controlError(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, encode(told{out.Notice, out.Errors}))
}

// typed sends what a person typed into the composer: a command when it starts with a slash, else a message.
func (s *Sim) typed(d deed) (Outcome, error) {
	text := strings.TrimRight(d.Text, " \n")
	if strings.TrimSpace(text) == "" {
		return Outcome{}, nil
	}
	if !strings.HasPrefix(text, "/") {
		return s.Say(d.As, d.In, strings.TrimSpace(text), d.ThreadTS)
	}
	name, rest, _ := strings.Cut(strings.ReplaceAll(text, "\n", " "), " ")
	if d.ThreadTS != "" {
		return Outcome{Notice: name + " is not supported in threads. Sorry!"}, nil
	}
	return s.Command(d.As, d.In, name, strings.TrimSpace(rest))
}

// press uses a button, menu or input. The window may lag behind an edit, so what an earlier version of the message
// had counts.
func (s *Sim) press(d deed) (Outcome, error) {
	return s.Interact(Interaction{User: d.As, Channel: d.In, TS: d.TS, ViewID: d.ViewID, ActionID: d.ActionID, BlockID: d.BlockID,
		Value: d.Value, Values: d.Values, Lagging: true})
}

// markRead notes that a person has seen a conversation up to a message.
func (s *Sim) markRead(d deed) (Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c, err := s.where(d.As, d.In)
	if err != nil {
		return Outcome{}, fmt.Errorf("read: %w", err)
	}
	key := u.ID + " " + c.ID
	if tsShape.MatchString(d.TS) && d.TS > s.reads[key] && c.byTS[d.TS] != nil {
		s.reads[key] = d.TS
		s.changed()
	}
	return Outcome{}, nil
}
