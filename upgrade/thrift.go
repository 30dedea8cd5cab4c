package upgrade

import (
	"slices"
	"time"
)

// How many observations Azure must allow before the next is made. A list of a thousand instances takes ten
// calls or more of the thirty that Azure allows at once, and of the ten a minute that come back (R39).
const (
	// needed is the one itself: what was just decided, or was seen well once, goes on as soon as it can.
	needed = 1
	// spare leaves one more: for whoever speaks while only time and people are waited for, and for the
	// second look at what is well.
	spare = 2
	// followed leaves the two that tell that instances are well (R28) for the moment an operation ends.
	followed = 3
)

// spaced is when the next pass is due: as decided, or later where Azure's counts of calls want it so. It
// is never sooner, so that what must be seen twice is seen as far apart as ever.
func (s *step) spaced(d Decision) time.Time {
	if d.Recheck.IsZero() || !s.seen.Throttled.IsZero() { // Azure has said when
		return d.Recheck
	}
	r, n := s.rollout(), spare
	switch {
	case s.pollable():
		n = 0 // the pass may do without an observation
	case d.Kind != Wait && d.Kind != Hold, r.confirmed():
		n = needed
	}
	now := s.e.Now()
	return now.Add(s.e.Fleet.Wait(s.rec.Plan.Set, n, d.Recheck.Sub(now)))
}

// confirmed reports whether all that is open has been seen well once.
func (r Rollout) confirmed() bool {
	b, open := r.OpenBatch()
	return open && !slices.ContainsFunc(r.Open(b), func(id string) bool { return r.Instances[id].State != Confirmed })
}

// pollable: an operation is in flight that Azure can be asked about.
func (s *step) pollable() bool {
	op := s.rec.Rollout.Op
	return op != nil && op.State == StateAccepted && s.rec.Poll != ""
}

// spared asks only about the operation in flight, and not for the instances, while a list of them is dear:
// nothing starts before it ends, whatever they show. It does so while nobody has spoken since a whole pass
// sent the operation or saw it in flight, before any deadline, and until Azure allows a list to spare, which
// is a matter of minutes. Its answer is when to look again; ok is false when a whole pass is due now.
func (s *step) spared() (again time.Time, ok bool, err error) {
	if !s.unspoken() || s.e.Fleet.Wait(s.rec.Plan.Set, followed, 0) <= 0 {
		return again, false, nil
	}
	s.seen.Pace = s.e.Pace
	if err := s.pollOp(s.fence); err != nil {
		return again, false, err
	}
	v := s.view()
	if s.seen.Op != nil && s.seen.Op.Done {
		wait := s.e.Fleet.Wait(s.rec.Plan.Set, spare, 0)
		return v.now.Add(wait), wait > 0, nil
	}
	d := v.blocked([]Blocker{*inFlight(v)})
	if LastDecided(s.rec.Events).Reason != d.Reason {
		s.decided(d)
	}
	wait := s.e.Fleet.Wait(s.rec.Plan.Set, 0, v.recheck(d).Sub(v.now))
	return v.now.Add(wait), true, s.commit("")
}

// unspoken reports whether an operation can be followed by asking about it alone.
func (s *step) unspoken() bool {
	if !s.pollable() || !s.e.Now().Before(s.rec.Rollout.Op.SentAt.Add(s.rec.Plan.Limits.Deadline)) {
		return false
	}
	for _, e := range slices.Backward(s.rec.Events) {
		d, decision := e.Fact.(Decided)
		_, accepted := e.Fact.(Accepted)
		if decision || accepted || e.By != "" {
			return accepted || decision && d.Reason == ReasonInFlight
		}
	}
	return false
}
