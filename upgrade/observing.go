package upgrade

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// observe reads everything that is outside: the set, the operation in flight, the rights of those
// who agreed. Only an error of the journal ends the pass; a reading that fails is an incomplete
// observation.
func (s *step) observe() error {
	s.seen = Observation{Op: s.seen.Op, Policy: PolicyFor(s.e.Policies(), s.rec.Plan.Set), Pace: s.e.Pace, Rights: map[string]string{}, Frozen: s.e.frozen(), Unheard: s.unheard(), Up: s.e.began}
	var err error
	if s.seen.Freezes, err = s.e.Reader.Freezes(s.ctx); err != nil {
		return err
	}
	if s.seen.Before, err = standings(s.ctx, s.e.Reader, s.rec.Rollout.Wave); err != nil {
		return err
	}
	if err := s.count(); err != nil {
		return err
	}
	set, err := s.e.Fleet.Observe(s.ctx, s.rec.Plan.Set, s.fence)
	switch {
	case err == nil:
		s.seen.Set = &set
	case errors.Is(err, ErrFenced), s.ctx.Err() != nil:
		return err
	default:
		s.missing(AsFault(err, "read "+s.rec.Plan.Name))
	}
	s.seen.Gates = s.gates()
	if err := s.pollOp(s.fence); err != nil {
		return err
	}
	if err := s.mayStart(s.fence); err != nil {
		return err
	}
	return s.rights(s.fence)
}

// gates tells what the external gates that bind have said.
func (s *step) gates() map[string]Reading {
	var names []string
	for _, p := range s.view().probes() {
		names = append(names, p.Name)
	}
	if s.e.Gates == nil || len(names) == 0 {
		return nil
	}
	return s.e.Gates(names)
}

// count reads what was started within the hour, where there is a budget of it.
func (s *step) count() (err error) {
	if s.view().budget() != (Budget{}) {
		s.seen.Begun, s.seen.Counted, err = countBegun(s.ctx, s.e.Reader, s.e.Now())
	}
	return err
}

// How old Slack's answer about a channel may be: while something waits to start, and right before it does.
const (
	openWithin  = time.Minute
	startWithin = 5 * time.Second
)

// fence prolongs the pass's lease.
func (s *step) fence(ctx context.Context) error { return s.e.Journal.Extend(ctx, s.lease) }

// mayStart asks whether people would see what may start next: a soak can be long, and a channel archived in
// it shows in no message that did not get through (R19).
func (s *step) mayStart(fence Fence) error {
	r := s.rec.Rollout
	if _, granted := r.Grants[r.next(s.rec.Plan)]; !granted || r.Op != nil {
		return nil
	}
	return s.closed(fence, openWithin)
}

// closed asks whether the rollout's channel is closed to people.
func (s *step) closed(fence Fence, within time.Duration) error {
	if s.e.Closed == nil {
		return nil
	}
	if err := fence(s.ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	if why := s.e.Closed(ctx, s.rec.Rollout.Channel, within); why != "" {
		s.seen.Unheard = Unheard{Since: s.e.Now(), Why: why, Sure: true}
	}
	return nil
}

// unheard is the earlier of two: since when this process has had no way to Slack, and since when a
// message of the rollout has waited there.
func (s *step) unheard() Unheard {
	u := Unheard{Since: s.rec.Unsent, Why: cmp.Or(s.rec.UnsentWhy, "a message waits to be sent")}
	if u.Since.IsZero() {
		u = Unheard{}
	}
	if s.e.Link == nil {
		return u
	}
	if l := s.e.Link(); !l.Since.IsZero() && (u.Since.IsZero() || l.Since.Before(u.Since)) {
		return l
	}
	return u
}

func (s *step) missing(f *Fault) {
	s.seen.Gone = f.Kind == FaultGone
	s.seen.Missing = f.Error()
	if Sentence(f.Code, f.Message) != "" {
		s.seen.Missing = f.Op + ": " + inWords(f.Code, f.Message)
	}
	if f.Kind == FaultThrottled {
		s.seen.Throttled = s.e.Now().Add(max(f.RetryAfter, s.e.Pace.Refresh, min(s.unread()/2, longestQuiet)))
	}
}

// longestQuiet bounds the quiet that is kept of our own accord while a set cannot be read whole.
const longestQuiet = 5 * time.Minute

// unread is for how long the set could not be read whole. A list of many pages needs as many calls at once:
// whoever reads again as soon as Azure allows one call never gets to the last page, so the quiet grows.
func (s *step) unread() (long time.Duration) {
	for _, e := range slices.Backward(s.rec.Events) {
		switch d, decision := e.Fact.(Decided); {
		case decision && d.Reason != ReasonIncomplete:
			return long
		case decision:
			long = s.e.Now().Sub(e.At)
		}
	}
	return long
}

func (s *step) pollOp(fence Fence) error {
	op := s.rec.Rollout.Op
	if op == nil || op.State != StateAccepted || s.seen.Op != nil {
		return nil
	}
	if s.rec.Poll == "" { // it was over when it was accepted
		s.seen.Op = &OpReading{Done: true, OK: true}
		return nil
	}
	if err := fence(s.ctx); err != nil {
		return err
	}
	reading, err := s.e.Fleet.Poll(s.ctx, s.rec.Poll)
	if err != nil {
		if f := AsFault(err, "poll"); f.Kind == FaultThrottled {
			s.seen.Throttled = s.e.Now().Add(max(f.RetryAfter, s.e.Pace.Refresh))
		}
		s.e.Log.Warn("operation could not be polled", "rollout", s.rec.ID, "op", op.ID, "err", err)
		return s.ctx.Err()
	}
	s.seen.Op = &reading
	return nil
}

// rights asks for everybody who agreed to what may be sent next whether they still may (R23).
func (s *step) rights(fence Fence) error {
	gate := s.rec.Rollout.next(s.rec.Plan)
	for _, vote := range s.rec.Rollout.Votes[gate] {
		if err := fence(s.ctx); err != nil {
			return err
		}
		right := s.rec.Plan.agreeing(vote.By, s.rec.Rollout, s.seen.Policy)
		who, err := s.person(vote.By)
		if err != nil {
			s.e.Log.Warn("person could not be checked", "rollout", s.rec.ID, "user", vote.By, "err", err)
			continue
		}
		inForce, planned := s.seen.Policy, s.rec.Plan.Policy
		if right != MayApproveOwn { // who is called in is called for what others asked
			inForce, planned = s.rec.Rollout.standing(inForce, gate), s.rec.Rollout.standing(planned, gate)
		}
		why := inForce.Refuses(who, right, s.rec.Rollout.Requester)
		if why == "" {
			why = planned.Refuses(who, right, s.rec.Rollout.Requester)
		}
		if why != "" && (inForce.unsure(who) || planned.unsure(who)) {
			s.e.Log.Warn("person could not be checked: a user group cannot be read", "rollout", s.rec.ID, "user", vote.By)
			continue // unknown is denied, but it takes nobody's yes away
		}
		s.seen.Rights[vote.By] = why
	}
	return nil
}

func (s *step) person(id string) (Person, error) {
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	return s.e.People.Person(ctx, id)
}

// act does what was decided. Facts are committed before anything is sent.
