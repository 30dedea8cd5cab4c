package upgradetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// The receiver outside of Slack, in worlds that have one: where it is, and the key that it shares with the program.
const (
	officeHost = "office.test"
	officeKey  = "office-key-0c0ffee5"
)

// office is a receiver of webhooks, as somebody would write one: it takes what comes, once by its id.
type office struct {
	w *World

	mu    sync.Mutex
	down  bool
	calls []officeCall
}

// officeCall is an event that reached the office.
type officeCall struct {
	at                           time.Time
	ID, Event, Of, Text, Outcome string
	Commands                     []string
	refused, again               bool
}

func (o *office) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c := officeCall{at: time.Now()}
	if err != nil || json.Unmarshal(body, &c) != nil || r.Header.Get("Vmssbot-Signature") == "" {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	o.w.sniff("what the office is told", string(body))
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, before := range o.calls {
		c.again = c.again || before.ID == c.ID && !before.refused
	}
	c.refused = o.down
	o.calls = append(o.calls, c)
	if o.down {
		rw.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (c officeCall) String() string {
	s := c.Event
	if c.Of != "" {
		s += " (" + c.Of + ")"
	}
	if c.Outcome != "" {
		s += " " + c.Outcome
	}
	if c.Text != "" {
		s += ": " + dated(c.Text)
	}
	switch {
	case c.refused:
		s += ": refused (503)"
	case c.again:
		s += ": it has that already"
	}
	return s
}

func (t *teller) hearOffice() {
	t.w.office.mu.Lock()
	defer t.w.office.mu.Unlock()
	for _, c := range t.w.office.calls[t.office:] {
		t.items = append(t.items, item{c.at, 1, "office " + c.String(), c.Commands})
	}
	t.office = len(t.w.office.calls)
}

// office closes the receiver outside of Slack, or opens it again.
func (p *Play) office(what string) error {
	if what != "down" && what != "up" {
		return fmt.Errorf("the office is down or up, not %q", what)
	}
	o := p.World.office
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = what == "down"
	return nil
}
