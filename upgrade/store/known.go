package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// mostKnown is how many rollouts are kept decoded: more are hardly open at once, and reading one anew
// costs a few milliseconds.
const mostKnown = 64

// known is a rollout as it was last read. Entries are only ever added to a stream, so the next reading
// decodes what is new: a pass over a rollout of 1,000 entries would spend its time on decoding them, each
// time. What is in it is shared with everybody who reads the rollout, and never written to.
type known struct {
	body    string // of the plan
	plan    upgrade.Plan
	last    entry
	events  []upgrade.Event
	rollout upgrade.Rollout
}

// catchUp reads what was added to a stream since.
func (t *tx) catchUp(id string, k known) (known, error) {
	entries, err := t.entries(id, k.last.seq)
	switch {
	case err != nil:
		return known{}, err
	case k.last.seq == 0:
		k.rollout = upgrade.Fold(id, nil)
	case len(entries) == 0 || entries[0] != k.last: // the database is another one, such as a backup
		return t.catchUp(id, known{body: k.body, plan: k.plan})
	default:
		entries = entries[1:]
	}
	if len(entries) == 0 {
		return k, nil
	}
	fresh := make([]upgrade.Event, 0, len(entries))
	for _, x := range entries {
		e, err := x.event()
		if err != nil {
			return known{}, err
		}
		fresh = append(fresh, e)
	}
	k.last, k.events, k.rollout = entries[len(entries)-1], slices.Concat(k.events, fresh), k.rollout.With(fresh...)
	return k, nil
}

func (x entry) event() (upgrade.Event, error) {
	fact, err := upgrade.DecodeFact(x.kind, []byte(x.body))
	if err != nil {
		return upgrade.Event{}, fmt.Errorf("event %d: %w", x.seq, err)
	}
	return upgrade.Event{Seq: x.seq, At: time.Unix(0, x.at).UTC(), By: x.person, Fact: fact}, nil
}

// follow brings what is known of a rollout up to date: its plan has the body.
func (t *tx) follow(id, body string) (known, error) {
	k := t.s.recall(id)
	if k.body != body {
		k.body, k.plan = body, upgrade.Plan{}
		if err := json.Unmarshal([]byte(body), &k.plan); err != nil {
			return known{}, fmt.Errorf("plan: %w", err)
		}
	}
	k, err := t.catchUp(id, k)
	if err == nil {
		t.s.remember(id, k)
	}
	return k, err
}

func (s *Store) recall(id string) known {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[id]
}

func (s *Store) remember(id string, k known) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, is := s.known[id]; !is && len(s.known) >= mostKnown {
		clear(s.known)
	}
	s.known[id] = k
}
