package store

import (
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// anew reads the rollout as a process does that has just started.
func anew(t *testing.T, s *Store) upgrade.Record {
	t.Helper()
	r, err := (&Store{db: s.db, prepared: s.prepared, now: s.now, known: map[string]known{}}).Record(t.Context(), "r-1")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsKnownOfARolloutIsWhatTheJournalHolds(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "journal.db"), time.Now)
	write(t, s, 3)
	same := func(when string) {
		t.Helper()
		for range 2 {
			if got, err := s.Record(t.Context(), "r-1"); err != nil || !reflect.DeepEqual(got, anew(t, s)) {
				t.Errorf("%s: got %+v, %v, want %+v", when, got, err, anew(t, s))
			}
		}
	}
	same("at first")
	before, err := s.Record(t.Context(), "r-1")
	if err != nil {
		t.Fatal(err)
	}
	for n, facts := range [][]upgrade.Fact{
		{upgrade.Asked{Gate: "ud-0", Asking: 1}, upgrade.Voted{Gate: "ud-0", Asking: 1}},
		{upgrade.InstanceSeen{ID: "3", State: upgrade.OK}},
		{upgrade.Replanned{Digest: "d2"}},
	} {
		c := upgrade.Change{Rollout: "r-1", Seq: anew(t, s).Rollout.Seq, Events: upgrade.At(time.Now(), "U0BO", facts...), Plan: &upgrade.Plan{Digest: "d2", Set: "/x/web"}}
		receive(t, s, fmt.Sprint("more ", n), c)
		same(fmt.Sprintf("after %T", facts[0]))
	}
	if len(before.Rollout.Instances) > 0 || len(before.Events) != 3 || before.Plan.Digest != "d" {
		t.Errorf("what was read before has changed: %+v", before)
	}
	for _, text := range []string{`update events set hash = 'other', person = 'U0EVA' where seq = 7`, `delete from events where seq > 4`, `update events set person = 'U0EVA' where seq = 4`} {
		if _, err := s.db.Exec(text); err != nil {
			t.Fatal(err)
		}
		same(text)
	}
}

func TestOnlyAFewRolloutsAreKeptDecoded(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "journal.db"), time.Now)
	for n := range 2*mostKnown + 1 {
		s.remember(fmt.Sprint(n), known{})
	}
	if len(s.known) > mostKnown {
		t.Errorf("%d are kept", len(s.known))
	}
}
