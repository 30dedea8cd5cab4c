package upgrade

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Fold replays events into a rollout. The same events always give the same rollout.
func Fold(id string, events []Event) Rollout {
	return Rollout{ID: id, Lowest: -1}.With(events...)
}

// With returns the rollout after more events; r itself is not changed.
func (r Rollout) With(events ...Event) Rollout {
	r.Asked, r.Votes, r.Grants, r.Instances = cloned(r.Asked), cloned(r.Votes), cloned(r.Grants), cloned(r.Instances)
	r.Askings, r.Cards, r.Absent, r.Batches = cloned(r.Askings), cloned(r.Cards), cloned(r.Absent), slices.Clone(r.Batches)
	r.Born, r.Pictured, r.Probes = cloned(r.Born), cloned(r.Pictured), cloned(r.Probes)
	r.Reminded, r.Escalated = cloned(r.Reminded), cloned(r.Escalated)
	if r.Op != nil {
		op := *r.Op
		op.Looks = slices.Clone(op.Looks)
		r.Op = &op
	}
	for _, e := range events {
		r.apply(e)
	}
	return r
}

// cloned is a copy of m that can be written to, even if m is nil.
func cloned[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

// apply folds one event in. It is a long switch on purpose: one case a fact, each a few lines.
func (r *Rollout) apply(e Event) {
	r.Seq = max(r.Seq, e.Seq)
	r.Paged, _ = r.Paged.after(e)
	switch f := e.Fact.(type) {
	case Requested:
		r.Requester, r.Name, r.Channel, r.Digest, r.At = e.By, f.Name, f.Channel, f.Digest, e.At
		r.Owner, r.OwnerName, r.Wave = e.By, f.Name, f.Wave
	case Asked:
		r.Asked[f.Gate], r.Votes[f.Gate], r.Askings[f.Gate] = AskedAt{f, e.At}, nil, f.Asking
		delete(r.Grants, f.Gate)
		r.Denial = nil
		if f.Nonce != "" {
			r.Cards[f.Gate] = append(slices.Clone(r.Cards[f.Gate]), f.Asking)
		}
	case AskedAgain:
		r.void(f.Gate)
		r.Denial = nil
	case Voted:
		r.Votes[f.Gate] = append(slices.Clone(r.Votes[f.Gate]), Ballot{cmp.Or(f.Voter, e.By), f.Name, e.At})
	case Granted:
		r.Grants[f.Gate] = Grant{f, e.At}
	case Reminded:
		r.Reminded[f.Gate] = f.Asking
	case Escalated:
		r.Escalated[f.Gate] = f.Asking
	case Denied:
		r.Vetoed = r.Vetoed || slices.ContainsFunc(r.Votes[f.Gate], func(b Ballot) bool { return b.By == r.Requester })
		r.Denial = &Said{By: e.By, Name: f.Name, Reason: f.Reason, Gate: f.Gate, At: e.At}
		delete(r.Grants, f.Gate)
	case Paused:
		r.Pause = &Said{By: e.By, Name: f.Name, Reason: f.Reason, Of: f.Of, At: e.At}
	case Resumed:
		r.Pause = nil
	case AbortAsked:
		r.Abort = &Said{By: e.By, Name: f.Name, Reason: f.Reason, Answer: f.Answer, Rollback: f.Rollback, At: e.At}
		if f.Answer != ModelOpen {
			r.Model.Answer, r.Model.AnswerBy = f.Answer, e.By
		}
	case ModelAsked:
		r.Model.Asked = &f
	case ModelAnswered:
		r.Model.Answer, r.Model.AnswerBy = f.Answer, e.By
	case ModelSet:
		r.Model.Set, r.Model.To, r.Refusal = true, f.To, nil
		if r.Model.Previous == (Setting{}) {
			r.Model.Previous = f.Previous
		}
	case ModelReverted:
		r.Model.Reverted, r.Model.Detail = true, f.Detail
	case Intended:
		r.Op = &OpStatus{Operation: f.Op, State: StateIntended, IntendedAt: e.At}
	case InstanceSeen:
		r.see(f, e.At)
	case Serving:
		r.Lowest = f.N
	case Absent:
		if delete(r.Absent, f.ID); !f.Back {
			r.Absent[f.ID] = e.At
		}
	case Born:
		r.Born[f.ID] = f.Member
	case Pictured:
		for _, of := range f.Of {
			r.Pictured[of] = true
		}
		r.Failed = slices.Concat(r.Failed, f.Failed)
	case Probed:
		r.probed(f, e)
	case Unfound:
		if r.UnfoundAt = e.At; f.Back {
			r.UnfoundAt = time.Time{}
		}
	case Decided:
		if was := r.Deaf; was != mentions(f.Blockers, ReasonChannel) {
			r.Deaf, r.HeardAt = !was, e.At
		}
		if f.announced() {
			r.Holds = append(slices.Clone(r.Holds), HoldPost{e.Seq, f})
		}
	case Ended:
		r.Ended, r.EndedAt = &f, e.At
	case Unread:
		r.Unread = f.Kind
	default:
		r.applyTrouble(e)
		r.applyOp(e)
	}
}

// applyTrouble folds what people and the bot did about what went wrong.
func (r *Rollout) applyTrouble(e Event) {
	switch f := e.Fact.(type) {
	case Retried:
		r.retry(f, e.At)
	case Skipped:
		r.mark(f.IDs, Passed, because("skipped", f.Name, f.Reason), e.At)
		r.forgo()
	case Quarantined:
		r.mark(f.IDs, Aside, because("quarantined", f.Name, f.Reason), e.At)
	case Resolved:
		r.resolve(f, e.At)
	case Replanned:
		r.replan(f)
	case HandedOver:
		r.Owner, r.OwnerName = f.To, f.ToName
	case Evidence:
		i := r.Instances[f.ID]
		i.Kept = true
		r.Instances[f.ID] = i
	}
}

func because(did, who, why string) string {
	if who != "" {
		did += " by " + who
	}
	if why != "" {
		did += ": " + why
	}
	return did
}

// void takes back the asking of a gate and every yes to it.
func (r *Rollout) void(gate string) {
	delete(r.Asked, gate)
	delete(r.Votes, gate)
	delete(r.Grants, gate)
}

// retry lets instances wait again. No yes given so far covers them once more (I7).
func (r *Rollout) retry(f Retried, at time.Time) {
	for _, id := range f.IDs {
		i := r.Instances[id]
		i.State, i.Batch, i.Retry, i.At = Waiting, 0, true, at
		r.Instances[id] = i
	}
	for _, gate := range f.Gates {
		r.void(gate)
		delete(r.Pictured, gate)
	}
	r.Failed = slices.DeleteFunc(slices.Clone(r.Failed), func(id string) bool { return slices.Contains(f.IDs, id) })
	if f.Refusal {
		r.Refusal, r.Refusals = nil, 0
	}
}

func (r *Rollout) mark(ids []string, state Progress, detail string, at time.Time) {
	for _, id := range ids {
		i := r.Instances[id]
		i.State, i.Detail, i.Code, i.At = state, detail, "", at
		r.Instances[id] = i
	}
}

// forgo forgets a definite no of Azure's once nothing of what it refused is wanted any more.
func (r *Rollout) forgo() {
	op := r.RefusedOp
	wanted := slices.ContainsFunc(op.Instances, func(id string) bool { return r.Instances[id].State == Waiting })
	if r.Refusal != nil && r.Refusal.Until.IsZero() && op.Kind.OnInstances() && !wanted {
		r.Refusal, r.Refusals = nil, 0
	}
}

// resolve believes a person who looked. A call that did not happen leaves its instances waiting, for
// another yes: the one it had was for the call that was sent.
func (r *Rollout) resolve(f Resolved, at time.Time) {
	switch said := because("resolved", f.Name, f.Reason); f.Verdict {
	case IsOK:
		r.mark(f.IDs, OK, said, at)
		for _, id := range f.IDs {
			i := r.Instances[id]
			i.Vouched = true
			r.Instances[id] = i
		}
	case IsFailed:
		r.mark(f.IDs, Broken, said, at)
	case Passes:
		r.vouch(f, at)
	case NotStarted:
		if r.Op != nil && r.Op.ID == f.Op {
			r.notStarted(said, at)
		}
	case GoOn:
		r.Over, r.OverAt = cloned(r.Over), at
		for _, id := range f.Over {
			r.Over[id] = true
		}
	}
}

func (r *Rollout) notStarted(said string, at time.Time) {
	op := r.Op
	op.State, op.SettledAt, op.Cause = StateFailed, at, "not started, "+said
	r.keepBatch()
	r.Op = nil
	if !op.Kind.OnInstances() {
		return
	}
	for _, id := range op.Instances {
		if i := r.Instances[id]; i.Batch == op.Batch && !i.State.Final() {
			i.State, i.Batch, i.At = Waiting, 0, at
			i.Tries--
			r.Instances[id] = i
		}
	}
	r.void(op.Gate)
}

// replan starts the asking anew. What was written to a model that names something else by now is
// nobody's to put back.
func (r *Rollout) replan(f Replanned) {
	r.Digest, r.Denial = f.Digest, nil
	clear(r.Asked)
	clear(r.Votes)
	clear(r.Grants)
	for name, st := range r.Probes {
		st.Vouched = nil
		r.Probes[name] = st
	}
	if r.Model.Set && !f.Model.Same(r.Model.To) {
		r.Model = ModelState{}
	}
	// A re-send that is owed was covered by a yes to the plan before: its instances wait for another.
	for n, b := range r.Batches {
		for _, id := range b.Owed {
			if i := r.Instances[id]; i.Batch == b.N && !i.State.Final() {
				r.Instances[id] = InstanceStatus{Tries: i.Tries, Retry: i.Retry, At: i.At}
			}
		}
		r.Batches[n].Owed = nil
	}
}

// opOf returns the id of the operation a fact is about, "" when it is about none.
func opOf(f Fact) string {
	switch f := f.(type) {
	case Sending:
		return f.Op
	case Unanswered:
		return f.Op
	case Accepted:
		return f.Op
	case Refused:
		return f.Op
	case Dropped:
		return f.Op
	case Looked:
		return f.Op
	case Settled:
		return f.Op
	}
	return ""
}

// applyOp folds what became of the unfinished operation. Facts about any other are ignored: they
// came after its end was known.
func (r *Rollout) applyOp(e Event) {
	if r.Op == nil || r.Op.ID != opOf(e.Fact) {
		return
	}
	op := r.Op
	switch f := e.Fact.(type) {
	case Sending:
		op.State, op.SentAt = StateSending, e.At
		r.start(e.At)
	case Unanswered:
		op.Cause = f.Cause
	case Accepted:
		op.State, op.AcceptedAt, op.Azure = StateAccepted, e.At, f.Azure
		r.Refusal, r.Refusals = nil, 0
	case Looked:
		op.Looks = append(op.Looks, Look{e.At, f.Outdated, f.Moving})
	case Refused:
		r.Refusal, r.RefusedAt, r.RefusedOp = &f, e.At, op.Operation
		r.Refusals++
		r.takeBack(e.At, f.Code+" "+f.Message)
		return
	case Dropped:
		r.takeBack(e.At, "")
		return
	case Settled:
		r.settle(f, e.At)
		return
	}
	r.keepBatch()
}

// NoTrace is the code of a call that is known never to have had an effect: it may be decided anew.
const NoTrace = "NoTrace"

// settle ends the operation. A model that could not be set is a definite no, whoever said it:
// otherwise the same write would be tried for ever.
func (r *Rollout) settle(f Settled, at time.Time) {
	op := r.Op
	op.State, op.SettledAt, op.Cause, op.Code = StateDone, at, "", ""
	if !f.OK {
		op.State, op.Cause, op.Code = StateFailed, f.Code+" "+f.Message, f.Code
	}
	if !f.OK && op.Kind == OpModel && f.Code != NoTrace {
		r.RefusedOp = op.Operation
		r.Refusal, r.RefusedAt = &Refused{Op: op.ID, Kind: FaultRefused, Code: f.Code, Message: f.Message}, at
	}
	r.Model.Lost = r.Model.Lost || op.Kind == OpRevert && op.Code == NoTrace
	r.keepBatch()
	r.Op = nil
}

// start marks the operation's instances as going: from Sending on, Azure may be at work. Their time
// runs from here, for a re-send from the re-send.
func (r *Rollout) start(at time.Time) {
	op := r.Op
	if !op.Kind.OnInstances() {
		return
	}
	if !op.Resend || len(r.Batches) == 0 {
		r.Batches = append(r.Batches, BatchStatus{N: op.Batch, Gate: op.Gate, Instances: op.Instances, Op: *op})
	}
	b := &r.Batches[len(r.Batches)-1]
	b.Owed = nil
	for _, id := range b.Instances {
		switch i := r.Instances[id]; {
		case i.State == Waiting:
			r.Instances[id] = InstanceStatus{State: Going, Gate: op.Gate, Batch: op.Batch, Started: at, At: at, Tries: i.Tries + 1, Retry: i.Retry}
		case i.Batch == b.N && !i.State.Final():
			i.Started = at
			r.Instances[id] = i
		}
	}
}

// takeBack undoes an operation that certainly never happened. The instances of a batch wait again,
// as if it had never been sent. A re-send is owed still: what became of the first call is no clearer
// than before.
func (r *Rollout) takeBack(at time.Time, why string) {
	op := r.Op
	r.Op = nil
	switch {
	case !op.Kind.OnInstances() || len(r.Batches) == 0:
	case op.Resend:
		b := &r.Batches[len(r.Batches)-1]
		b.Owed = op.Instances
		b.Op.State, b.Op.SettledAt, b.Op.Cause = StateFailed, at, cmp.Or(why, b.Op.Cause)
	case op.State != StateIntended:
		for _, id := range op.Instances {
			switch i := r.Instances[id]; {
			case i.State == Going && i.Retry:
				r.Instances[id] = InstanceStatus{Tries: i.Tries - 1, Retry: true, Kept: true, At: at}
			case i.State == Going:
				delete(r.Instances, id)
			}
		}
		r.Batches = r.Batches[:len(r.Batches)-1]
	}
}

func (r *Rollout) keepBatch() {
	if !r.Op.Kind.OnInstances() || len(r.Batches) == 0 || r.Op.State == StateIntended {
		return
	}
	r.Batches[len(r.Batches)-1].Op = *r.Op
}

func (r *Rollout) see(f InstanceSeen, at time.Time) {
	i := r.Instances[f.ID]
	i.State, i.At, i.Detail, i.Code = f.State, at, f.Detail, f.Code
	i.Kept = i.Kept && f.State != Broken // what was kept while it was inconclusive tells nothing of a failure
	if f.Image != "" {
		i.Image = f.Image
	}
	r.Instances[f.ID] = i
}
