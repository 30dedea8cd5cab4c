package upgrade

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// People resolves who a user id is. What cannot be resolved is denied.
type People interface {
	Person(ctx context.Context, id string) (Person, error)
}

// Engine makes passes over rollouts: load, observe, note, decide, append the intent, act, record
// the outcome. It keeps no state between passes, so any process may make the next one.
type Engine struct {
	Fleet    Fleet
	Journal  Store
	Reader   Reader
	People   People
	Policies func() []Policy
	Pace     Pace
	Now      func() time.Time
	ID       func() string // unguessable, letters and digits
	Log      *slog.Logger
	Passes   int             // at once; zero = 4
	Woken    <-chan struct{} // signalled when a rollout may have become due; nil = only time
}

// callTimeout bounds every call to Azure; it is shorter than a lease, so that a pass that lost its
// lease cannot be in a call any more.
const callTimeout = 6 * time.Second

// Run makes passes until the context ends, and returns when the last one is over. A pass that has
// begun a write when the context ends is given the time to record its answer.
func (e *Engine) Run(ctx context.Context) error {
	var passes sync.WaitGroup
	defer passes.Wait()
	slots := make(chan struct{}, max(1, e.Passes, 4*b2i(e.Passes == 0)))
	freed := make(chan struct{}, 1)
	for {
		wait := time.Second
		select {
		case slots <- struct{}{}:
			claimed, next := e.claim(ctx, func(l Lease) {
				passes.Go(func() {
					defer signal(freed)
					defer func() { <-slots }()
					e.pass(ctx, l)
				})
			})
			if claimed {
				continue
			}
			<-slots
			if !next.IsZero() {
				wait = max(next.Sub(e.Now()), time.Millisecond)
			} else {
				wait = time.Hour
			}
		default:
		}
		if err := e.idle(ctx, wait, freed); err != nil {
			return nil
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// idle waits for whatever may make a rollout due.
func (e *Engine) idle(ctx context.Context, wait time.Duration, freed <-chan struct{}) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	case <-freed:
	case <-e.Woken:
	}
	return nil
}

func (e *Engine) claim(ctx context.Context, start func(Lease)) (claimed bool, next time.Time) {
	if ctx.Err() != nil {
		return false, time.Time{}
	}
	l, next, ok, err := e.Journal.Claim(ctx)
	if err != nil {
		e.Log.Error("journal: claim a rollout", "err", err)
		return false, e.Now().Add(time.Second)
	}
	if ok {
		start(l)
	}
	return ok, next
}

// pass makes one pass and gives the lease back. A panic in it fails this rollout's pass only.
func (e *Engine) pass(ctx context.Context, l Lease) {
	wake := e.Now().Add(e.Pace.Idle)
	defer func() {
		if p := recover(); p != nil {
			e.Log.Error("pass panicked", "rollout", l.Rollout, "panic", p)
		}
		// The release must not be lost because the process is told to stop.
		if err := e.Journal.Release(context.WithoutCancel(ctx), l, wake); err != nil && !errors.Is(err, ErrFenced) {
			e.Log.Error("journal: release", "rollout", l.Rollout, "err", err)
		}
	}()
	next, err := e.Step(ctx, l)
	switch {
	case errors.Is(err, ErrStale), errors.Is(err, ErrFenced):
		wake = e.Now() // somebody spoke meanwhile, or another pass is on: look again
	case err != nil:
		e.Log.Error("pass", "rollout", l.Rollout, "err", err)
	default:
		wake = next
	}
}

// Step makes one pass: it observes, notes what is new, decides and does the one next thing. It
// returns when the rollout should be looked at again; zero = never.
func (e *Engine) Step(ctx context.Context, l Lease) (time.Time, error) {
	rec, err := e.Reader.Record(ctx, l.Rollout)
	if err != nil {
		return time.Time{}, err
	}
	if rec.Rollout.Ended != nil {
		return time.Time{}, nil
	}
	s := &step{e: e, ctx: ctx, lease: l, rec: rec}
	if err := s.observe(); err != nil {
		return time.Time{}, err
	}
	now := e.Now()
	s.add("", Note(rec.Plan, rec.Rollout, s.seen, now)...)
	d := Decide(rec.Plan, s.rollout(), s.seen, now)
	s.decided(d)
	if err := s.act(d); err != nil {
		return time.Time{}, err
	}
	return d.Recheck, nil
}

// step is one pass at work: what was read, and the events that are not yet appended.
type step struct {
	e     *Engine
	ctx   context.Context
	lease Lease
	rec   Record
	seen  Observation
	fresh []Event
}

// rollout is the rollout with the fresh events folded in.
func (s *step) rollout() Rollout { return s.rec.Rollout.With(s.fresh...) }

func (s *step) add(by string, facts ...Fact) {
	events := At(s.e.Now(), by, facts...)
	number(events, s.rec.Rollout.Seq+len(s.fresh))
	s.fresh = append(s.fresh, events...)
}

// commit appends the fresh events with the messages they call for, and goes on from there.
func (s *step) commit(poll string) error {
	if len(s.fresh) == 0 {
		return nil
	}
	after := s.rollout()
	c := Change{Rollout: s.rec.ID, Seq: s.rec.Rollout.Seq, Events: s.fresh, Poll: poll, Posts: Posts(after, s.fresh)}
	seq, err := s.e.Journal.Append(s.ctx, s.lease, c)
	if err != nil {
		return err
	}
	after.Seq = seq
	s.rec.Rollout, s.rec.Events, s.fresh = after, append(s.rec.Events, s.fresh...), nil
	return nil
}

// decided records a change of the decision; the same decision again is no news.
func (s *step) decided(d Decision) {
	last := LastDecided(s.rec.Events)
	now := Decided{Kind: d.Kind, Reason: d.Reason, Gate: d.Gate, Text: d.Text, Blockers: d.Blockers}
	if d.Kind == Nothing || (last.Kind == now.Kind && last.Reason == now.Reason && last.Gate == now.Gate && last.Text == now.Text && sameReasons(last.Blockers, now.Blockers)) {
		return
	}
	s.add("", now)
	s.e.Log.Info("decision", "rollout", s.rec.ID, "set", s.rec.Plan.Set, "kind", d.Kind, "reason", d.Reason, "gate", d.Gate, "text", d.Text)
}

func sameReasons(a, b []Blocker) bool {
	return slices.EqualFunc(a, b, func(x, y Blocker) bool { return x.Reason == y.Reason && x.What == y.What })
}

// observe reads everything that is outside: the set, the operation in flight, the rights of those
// who agreed. Only an error of the journal ends the pass; a reading that fails is an incomplete
// observation.
func (s *step) observe() error {
	s.seen = Observation{Policy: PolicyFor(s.e.Policies(), s.rec.Plan.Set), Pace: s.e.Pace, Rights: map[string]string{}}
	fence := func(ctx context.Context) error { return s.e.Journal.Extend(ctx, s.lease) }
	set, err := s.e.Fleet.Observe(s.ctx, s.rec.Plan.Set, fence)
	switch {
	case err == nil:
		s.seen.Set = &set
	case errors.Is(err, ErrFenced), s.ctx.Err() != nil:
		return err
	default:
		s.missing(AsFault(err, "read "+s.rec.Plan.Name))
	}
	if err := s.poll(fence); err != nil {
		return err
	}
	return s.rights(fence)
}

func (s *step) missing(f *Fault) {
	s.seen.Gone = f.Kind == FaultGone
	s.seen.Missing = f.Error()
	if f.Kind == FaultThrottled {
		s.seen.Throttled = s.e.Now().Add(max(f.RetryAfter, s.e.Pace.Refresh))
	}
}

func (s *step) poll(fence Fence) error {
	op := s.rec.Rollout.Op
	if op == nil || op.State != StateAccepted {
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

// rights asks for everybody who agreed to the current gate whether they still may (R23).
func (s *step) rights(fence Fence) error {
	gate, _, _ := s.rec.Rollout.CurrentGate(s.rec.Plan)
	for _, vote := range s.rec.Rollout.Votes[gate.Key] {
		if err := fence(s.ctx); err != nil {
			return err
		}
		who, err := s.e.People.Person(s.ctx, vote.By)
		if err != nil {
			s.e.Log.Warn("person could not be checked", "rollout", s.rec.ID, "user", vote.By, "err", err)
			continue
		}
		why := s.seen.Policy.Refuses(who, MayApprove, s.rec.Rollout.Requester)
		if why == "" {
			why = s.rec.Plan.Policy.Refuses(who, MayApprove, s.rec.Rollout.Requester)
		}
		s.seen.Rights[vote.By] = why
	}
	return nil
}

// act does what was decided. Facts are committed before anything is sent.
func (s *step) act(d Decision) error {
	switch d.Kind {
	case AskGate:
		asking := s.rec.Rollout.Askings[d.Gate] + 1
		s.add("", Asked{Gate: d.Gate, Asking: asking, Nonce: s.e.ID(), Expires: s.e.Now().Add(s.rec.Plan.Policy.Tighter(s.seen.Policy).ApprovalLife), Acknowledged: ChangedSections(s.rec.Plan, *s.seen.Set)})
	case AskModel:
		v := view{s.rec.Plan, s.rec.Rollout, s.seen, s.e.Now()}
		on, off := v.split()
		s.add("", ModelAsked{Nonce: s.e.ID(), Recommend: recommend(on, off), On: on, Off: off})
	case Drop:
		s.add("", Dropped{Op: s.rec.Rollout.Op.ID, Reason: d.Text})
	case End:
		s.add("", Ended{Outcome: d.Outcome, Reason: d.Text, Tally: s.tally()})
	case SetModel, Start, Resend, PutBack:
		return s.write(s.operation(d))
	}
	return s.commit("")
}

// recommend goes with what most instances run; at a tie the new image stays.
func recommend(on, off int) ModelAnswer {
	if on < off {
		return Revert
	}
	return Keep
}

func (s *step) tally() Tally {
	r := s.rollout()
	n := r.Count(s.rec.Plan)
	t := Tally{Planned: s.rec.Plan.Size(), OK: n[OK], Failed: n[Broken], Vanished: n[Vanished], Left: n[Left], LowestServing: r.Lowest, Total: s.rec.Plan.Total}
	t.Untouched = n[Waiting]
	if s.seen.Set != nil {
		t.OnNew, t.OnOld = view{s.rec.Plan, r, s.seen, s.e.Now()}.split()
	}
	return t
}

// operation puts the decision into the words of one write.
func (s *step) operation(d Decision) Operation {
	r := s.rollout()
	op := Operation{ID: "op-" + s.e.ID(), Set: s.rec.Plan.Set, Gate: d.Gate, Digest: s.rec.Plan.Digest, Asking: r.Grants[d.Gate].Asking, Image: s.rec.Plan.Target.Image}
	switch d.Kind {
	case Start:
		op.Kind, op.Instances, op.Batch = OpUpgrade, d.Batch, len(r.Batches)+1
	case Resend:
		op.Kind, op.Instances, op.Batch, op.Resend, op.Asking = OpUpgrade, d.Batch, r.Op.Batch, true, r.Op.Asking
	case SetModel:
		op.Kind, op.IfMatch = OpModel, s.seen.Set.Etag
	case PutBack:
		op.Kind, op.IfMatch, op.Image = OpRevert, s.seen.Set.Etag, r.Model.Previous
	}
	return op
}

// write sends one operation, in steps each of which is durable before the next: intended; sending
// (a commit of its own, right before the call); the answer. A crash after the second leaves an
// unknown outcome, which is settled by looking, never by repeating (R38).
func (s *step) write(op Operation) error {
	if op.Resend {
		s.add("", Settled{Op: s.rec.Rollout.Op.ID, Code: "UnknownOutcome", Message: "no trace of it in the set"})
	}
	s.add("", Intended{Op: op})
	if err := s.commit(""); err != nil {
		return err
	}
	s.add("", Sending{Op: op.ID})
	if err := s.commit(""); err != nil {
		return err
	}
	if err := s.e.Journal.Extend(s.ctx, s.lease); err != nil {
		return err
	}
	// Once the call has begun its answer is worth more than a quick stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), callTimeout)
	defer cancel()
	receipt, err := s.e.Fleet.Apply(ctx, op)
	s.ctx = context.WithoutCancel(s.ctx)
	if err != nil {
		s.add("", s.failed(op, AsFault(err, describe(op)))...)
		return s.commit("")
	}
	s.add("", Accepted{Op: op.ID, Correlation: receipt.Correlation, Azure: receipt.Azure})
	return s.commit(receipt.Token)
}

// failed says what an error of a write means: only what is certain is called refused.
func (s *step) failed(op Operation, f *Fault) []Fact {
	s.e.Log.Warn("azure: write", "rollout", s.rec.ID, "op", op.ID, "kind", f.Kind, "code", f.Code, "err", f.Message)
	var until time.Time
	switch f.Kind {
	case FaultUnknown, FaultUnavailable:
		return []Fact{Unanswered{Op: op.ID, Cause: f.Error()}}
	case FaultThrottled, FaultBusy, FaultPrecondition:
		until = s.e.Now().Add(max(f.RetryAfter, s.e.Pace.Refresh))
	}
	facts := []Fact{Refused{Op: op.ID, Kind: f.Kind, Code: orElse(f.Code, string(f.Kind)), Message: f.Message, Until: until}}
	if op.Kind == OpRevert && until.IsZero() {
		facts = append(facts, ModelReverted{Detail: "Azure refused to take the old image back: " + f.Code + " " + f.Message})
	}
	return facts
}
