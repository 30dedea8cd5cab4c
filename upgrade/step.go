package upgrade

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// step is one pass at work: what was read, and the events that are not yet appended.
type step struct {
	e     *Engine
	ctx   context.Context
	lease Lease
	rec   Record
	seen  Observation
	fresh []Event
	then  *Change // goes with the next commit
}

// rollout is the rollout with the fresh events folded in.
func (s *step) rollout() Rollout { return s.rec.Rollout.With(s.fresh...) }

func (s *step) add(facts ...Fact) {
	events := At(s.e.Now(), "", facts...)
	number(events, s.rec.Rollout.Seq+len(s.fresh))
	s.fresh = append(s.fresh, events...)
}

// commit appends the fresh events with the messages they call for, and goes on from there.
func (s *step) commit(poll string) error {
	if len(s.fresh) == 0 {
		return nil
	}
	after := s.rollout()
	c := Change{Rollout: s.rec.ID, Seq: s.rec.Rollout.Seq, Events: s.fresh, Poll: poll, Posts: Posts(after, s.fresh), Pages: Pages(s.rec.Plan, s.rec.Rollout, s.fresh), Then: s.then}
	seq, err := s.e.Journal.Append(s.ctx, s.lease, c)
	if err != nil {
		return err
	}
	after.Seq, s.then = seq, nil
	s.rec.Rollout, s.rec.Events, s.fresh = after, append(s.rec.Events, s.fresh...), nil
	return nil
}

// decided records a change of the decision; the same decision again is no news.
func (s *step) decided(d Decision) {
	last := LastDecided(s.rec.Events)
	now := Decided{Kind: d.Kind, Reason: d.Reason, Gate: d.Gate, Text: d.Text, Blockers: d.Blockers}
	if d.Kind == Nothing || same(last, now) && slices.EqualFunc(last.Blockers, now.Blockers, sameBlocker) {
		return
	}
	now.Quiet = known(s.rec.Events, now, s.e.Now())
	now.Alarm = mentions(now.Blockers, ReasonChannel) && !mentions(last.Blockers, ReasonChannel) && !(now.Quiet && now.Reason == ReasonChannel)
	s.add(now)
	s.e.Log.Info("decision", "rollout", s.rec.ID, "set", s.rec.Plan.Set, "kind", d.Kind, "reason", d.Reason, "gate", d.Gate, "text", d.Text)
}

// known reports whether people were called for this before, and neither has anybody spoken since nor
// anything been sent: an instance that is ill every other minute is told once. That another gate has become
// the next one meanwhile makes no other hold of it. What was over for longer than calledAgain is news.
func known(events []Event, now Decided, at time.Time) bool {
	over := at // since when it was not so any more
	for _, e := range slices.Backward(events) {
		last, decision := e.Fact.(Decided)
		_, sent := e.Fact.(Intended)
		last.Gate = now.Gate
		switch {
		case e.By != "" && !yes(e.Fact), sent:
			return false
		case decision && last.loud() && same(last, now):
			return at.Sub(over) < calledAgain
		case decision && !last.interrupts():
			over = e.At
		}
	}
	return false
}

// yes reports whether the fact is a person's yes, which answers no hold.
func yes(f Fact) bool {
	switch f.(type) {
	case Voted, Granted, Asked:
		return true
	}
	return false
}

const calledAgain = 10 * time.Minute

// interrupts: readings that fail, or somebody else's operation, are an interruption and no news.
func (d Decided) interrupts() bool { return d.Reason.worded() && !d.loud() }

func same(a, b Decided) bool {
	return a.Kind == b.Kind && a.Reason == b.Reason && a.Gate == b.Gate && (a.Text == b.Text || a.Reason.worded())
}

func sameBlocker(a, b Blocker) bool {
	return a.Reason == b.Reason && (a.What == b.What || a.Reason.worded()) && a.Lapses.Equal(b.Lapses)
}

// worded reports whether the reason's words come from Azure or Slack or count what moves by itself: they may be
// others in every reading, and a journal entry for each would fill the disk.
func (r Reason) worded() bool {
	return r == ReasonIncomplete || r == ReasonThrottled || r == ReasonBusy || r == ReasonHealth || r == ReasonChannel
}

func (s *step) act(d Decision) error {
	switch d.Kind {
	case AskGate:
		s.add(s.asked(d.Gate))
	case AskModel:
		v := s.view()
		on, off := v.split()
		s.add(ModelAsked{Nonce: s.e.ID(), Recommend: v.recommend(), On: on, Off: off})
	case Drop:
		s.add(Dropped{Op: s.rec.Rollout.Op.ID, Reason: d.Text})
	case SetAside:
		s.add(Quarantined{IDs: d.Batch, Reason: d.Text})
	case GiveUp:
		s.add(AbortAsked{Name: "the plan", Reason: d.Text, Rollback: s.rec.Plan.Limits.OnFailure == RollbackOnFailure})
	case End:
		ended := Ended{Outcome: d.Outcome, Reason: d.Text, Tally: s.tally()}
		if s.seen.Set != nil {
			ended.Model = s.rec.Plan.Target.of(s.seen.Set.Model)
			ended.Others = s.view().elsewhere()
		}
		if d.Outcome == OutcomeRollback {
			next, no := s.rollback()
			if no != nil {
				return no // it was decided on the same reading, so that this cannot be
			}
			s.then, ended.Then = next, next.Rollout
		}
		if s.seen.Set != nil && s.rollout().Started() {
			s.add(s.view().picture(PictureEnd))
		}
		s.add(ended)
	case SetModel, Start, Resend, PutBack:
		return s.write(s.operation(d))
	}
	return s.commit("")
}

func (s *step) view() view { return view{s.rec.Plan, s.rollout(), s.seen, s.e.Now()} }

// rollback is the change that opens the rollout back, in the name of who wanted it. It takes the set's
// lock over in the same transaction: nobody comes between.
func (s *step) rollback() (*Change, *Refusal) {
	abort := s.rec.Rollout.Abort
	by, name := abort.By, abort.Name
	if by == "" { // the plan said so: it is whose plan it was
		by, name = s.rec.Rollout.Requester, s.rec.Rollout.Name
	}
	p, no := s.view().undo(by)
	if no != nil {
		return nil, no
	}
	p.Note = because(p.Note, "", abort.Reason)
	return opening("r-"+s.e.ID()[:6], p, s.seen.Policy.Channel, p.By, name, s.e.Now(), nil), nil
}

// asked puts a gate to people, with what has changed in the model since the plan (R34).
func (s *step) asked(gate string) Asked {
	a := Asked{Gate: gate, Asking: s.rec.Rollout.Askings[gate] + 1, Nonce: s.e.ID()}
	s.view().life(&a)
	if a.Acknowledged = ChangedSections(s.rec.Plan, *s.seen.Set); len(a.Acknowledged) > 0 {
		a.Sections, a.Changes = s.seen.Set.Model.Sections, changedLeaves(s.rec.Plan.Leaves, s.seen.Set.Model.Leaves)
	}
	a.Instances = s.rollout().asks(s.rec.Plan, gate)
	return a
}

func (s *step) tally() Tally {
	r := s.rollout()
	n := r.Count(s.rec.Plan)
	t := Tally{Planned: s.rec.Plan.Size(), OK: n[OK], Failed: n[Broken], Vanished: n[Vanished], Left: n[Left], Aside: n[Aside], Passed: n[Passed], LowestServing: r.Lowest, Total: s.rec.Plan.Total}
	t.Born = len(r.Born)
	t.Untouched, t.Unknown = n[Waiting], n[Going]+n[Checking]+n[Confirmed]+n[Unclear]
	if s.seen.Set != nil {
		t.OnNew, t.OnOld = s.view().split()
	}
	return t
}

// operation puts the decision into the words of one write.
func (s *step) operation(d Decision) Operation {
	r := s.rollout()
	op := Operation{ID: "op-" + s.e.ID(), Set: s.rec.Plan.Set, Gate: d.Gate, Digest: s.rec.Plan.Digest, Asking: r.Grants[d.Gate].Asking, To: s.rec.Plan.Target.Setting}
	switch d.Kind {
	case Start:
		op.Kind, op.Instances, op.Batch = OpUpgrade, d.Batch, len(r.Batches)+1
		i, _ := s.seen.Set.Instance(d.Batch[0])
		if op.Traceless = s.rec.Plan.Target.Current(i); s.view().fresh(i) {
			op.Kind, op.Ephemeral = OpReimage, s.seen.Set.EphemeralOS
		}
	case Resend:
		op.Kind, op.Instances, op.Batch, op.Resend = OpUpgrade, d.Batch, r.Batches[len(r.Batches)-1].N, true
	case SetModel:
		op.Kind, op.IfMatch = OpModel, s.seen.Set.Etag
	case PutBack:
		op.Kind, op.IfMatch, op.To, op.Resend = OpRevert, s.seen.Set.Etag, r.Model.Previous, r.Model.Lost
	}
	return op
}

// write sends one operation, in steps each of which is durable before the next: intended; sending
// (a commit of its own, right before the call); the answer. A crash after the second leaves an
// unknown outcome, which is settled by looking, never by repeating (R38).
func (s *step) write(op Operation) error {
	if before := s.rollout().Op; op.Resend && before != nil {
		s.add(Settled{Op: before.ID, Code: "UnknownOutcome", Message: "no trace of it in the set"})
	}
	s.add(Intended{Op: op})
	if err := s.commit(""); err != nil {
		return err
	}
	if err := s.ctx.Err(); err != nil {
		return err
	}
	why, err := s.stopped(op)
	if err != nil {
		return err
	}
	if why != "" { // it was not when this was decided
		s.add(Dropped{Op: op.ID, Reason: why})
		return s.commit("")
	}
	// From here on the answer is worth more than a quick stop: a stop in between would leave an
	// unknown outcome of a call that was never made.
	s.ctx = context.WithoutCancel(s.ctx)
	began := s.e.Now()
	s.add(Sending{Op: op.ID})
	if err := s.commit(""); err != nil {
		return err
	}
	left := owned - lasted(began, s.e.Now())
	if left <= 0 {
		return fmt.Errorf("operation %s: not sent: the process did not run for a while, and may have been taken over from", op.ID)
	}
	ctx, cancel := context.WithTimeout(s.ctx, min(callTimeout, left))
	defer cancel()
	receipt, err := s.e.Fleet.Apply(ctx, op)
	if err != nil {
		s.add(s.failed(op, AsFault(err, describe(op)))...)
		return s.commit("")
	}
	s.add(Accepted{Op: op.ID, Correlation: receipt.Correlation, Azure: receipt.Azure})
	return s.commit(receipt.Token)
}

// owned is how long a rollout is a pass's own after a commit was begun: whoever slept for longer in the middle,
// such as on a machine that was suspended, is one whose call another process has found to be unknown by now, and
// has perhaps sent itself.
const owned = 8 * time.Second

// lasted is the time between two readings of a clock, by whichever clock of the machine more went by: one of them
// stands still while it sleeps.
func lasted(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// stopped asks once more, right before a write, whether anything was frozen meanwhile (R19), or the policy is
// another one than this was decided by (R21). A model is taken back all the same: that starts nothing.
func (s *step) stopped(op Operation) (why string, err error) {
	const before = "frozen before it was sent: "
	if why = s.e.frozen(); why != "" {
		return before + why, nil
	}
	if op.Kind == OpRevert {
		return "", nil
	}
	v := s.view()
	if PolicyFor(s.e.Policies(), s.rec.Plan.Set).Version() != v.seen.Policy.Version() {
		return "the policy changed before it was sent: it is decided anew", nil
	}
	if v.seen.Freezes, err = s.e.Reader.Freezes(s.ctx); err != nil {
		return "", err
	}
	if b := freeze(v); b != nil {
		return before + b.What, nil
	}
	return s.outbid(op)
}

// failed says what an error of a write means: only what is certain is called refused.
func (s *step) failed(op Operation, f *Fault) []Fact {
	s.e.Log.Warn("azure: write", "rollout", s.rec.ID, "op", op.ID, "kind", f.Kind, "code", f.Code, "err", f.Message)
	if f.Kind == FaultUnknown || f.Kind == FaultUnavailable {
		return []Fact{Unanswered{Op: op.ID, Cause: f.Error()}}
	}
	until := s.again(f)
	facts := []Fact{Refused{Op: op.ID, Kind: f.Kind, Code: cmp.Or(f.Code, string(f.Kind)), Message: f.Message, Until: until}}
	if op.Kind == OpRevert && until.IsZero() {
		facts = append(facts, ModelReverted{Detail: "Azure refused to take the old image back: " + f.Code + " " + f.Message})
	}
	return facts
}

// again is when a refused write may be decided anew: later each time, and for the refusals that do
// not say when they end, not for ever; zero = not by itself.
func (s *step) again(f *Fault) time.Time {
	n := s.rec.Rollout.Refusals
	switch {
	case f.Kind == FaultThrottled:
	case f.Kind != FaultBusy && f.Kind != FaultPrecondition && f.Kind != FaultSignIn, n >= patience:
		return time.Time{}
	}
	return s.e.Now().Add(max(f.RetryAfter, s.e.Pace.Refresh<<min(n, patience)))
}

// patience is how many refusals in a row are taken for a passing state of the set: with a refresh of
// 10 s that is about ten minutes.
const patience = 6
