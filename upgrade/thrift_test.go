package upgrade

import (
	"slices"
	"testing"
	"time"
)

// A set of a thousand instances may be listed about once a minute. The rollout takes longer for it, but
// what must be seen twice is still seen twice, in two lists as far apart as ever (R28), and the end of an
// operation, for which it is enough to ask about it, is not seen later.
func TestR28ListsThatAreDearComeLaterAndNotFewer(t *testing.T) {
	for _, scarce := range []time.Duration{0, 20 * time.Second, time.Minute, 2 * time.Minute} {
		inLab(t, tale{requested}, func(l *lab) {
			l.cloud.scarce = scarce
			l.until("its end", hasEnded)
			if r := l.rollout("r-1"); r.Ended.Outcome != OutcomeSucceeded {
				t.Fatalf("it ended %s", r.Ended.Outcome)
			}
			l.wantSent(everything...)
			l.wantSeenTwice()
			for n := range l.seen[1:] {
				if apart := l.seen[n+1].Sub(l.seen[n]); apart < scarce && !l.spokeBetween(l.seen[n], l.seen[n+1]) {
					t.Errorf("with a list every %s, two came %s apart, and nobody had spoken", scarce, apart)
				}
			}
		})
	}
}

// wantSeenTwice checks that every instance was seen well in two lists, at least Confirm apart.
func (l *lab) wantSeenTwice() {
	l.t.Helper()
	first, twice := map[string]time.Time{}, 0
	for _, e := range l.records["r-1"].events {
		f, ok := e.Fact.(InstanceSeen)
		switch {
		case ok && f.State == Confirmed:
			first[f.ID] = e.At
		case ok && f.State == OK:
			looks := slices.DeleteFunc(slices.Clone(l.seen), func(at time.Time) bool { return at.Before(first[f.ID]) || at.After(e.At) })
			if twice++; len(looks) < 2 || e.At.Sub(first[f.ID]) < l.e.Pace.Confirm {
				l.t.Errorf("instance %s: seen well at %s and called ok at %s, with looks at %s", f.ID, first[f.ID], e.At, looks)
			}
		}
	}
	if twice != 6 {
		l.t.Errorf("%d instances were called ok, want 6", twice)
	}
}

// spokeBetween: somebody's word is answered at once, whatever a list costs.
func (l *lab) spokeBetween(from, to time.Time) bool {
	return slices.ContainsFunc(l.records["r-1"].events, func(e Event) bool { return e.By != "" && !e.At.Before(from) && !e.At.After(to) })
}

// While a list is dear, the operation in flight is asked about at its usual pace and the set is left alone;
// a word, a deadline or a list to spare brings the whole look back.
func TestAnOperationIsFollowedWithoutListsOnlyWhileNothingElseMatters(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.cloud.scarce, l.cloud.lasts = time.Minute, time.Hour
		l.until("a start", func(r Rollout) bool { return len(r.Batches) == 1 && r.Op != nil && r.Op.State == StateAccepted })
		looks, polls := len(l.seen), l.polls
		for range 9 {
			l.pass() //nolint:errcheck // the journal has none
		}
		if len(l.seen) != looks || l.polls != polls+9 {
			t.Errorf("%d looks and %d polls in nine passes", len(l.seen)-looks, l.polls-polls)
		}
		if d := LastDecided(l.records["r-1"].events); d.Reason != ReasonInFlight {
			t.Errorf("people read %q", d.Reason)
		}
		l.say("r-1", "UANA", Paused{Name: "ana"})
		l.pass() //nolint:errcheck // the journal has none
		if len(l.seen) != looks+1 {
			t.Error("a word brought no whole look")
		}
		time.Sleep(3 * time.Minute)
		l.pass() //nolint:errcheck // the journal has none
		if len(l.seen) != looks+2 {
			t.Error("a list to spare was not read")
		}
		l.until("the deadline", func(r Rollout) bool { return r.Op == nil })
	})
}
