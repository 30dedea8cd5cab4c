package upgrade

import (
	"fmt"
	"slices"
)

// inFlight follows an operation that was sent: an accepted one is polled, one without an answer is
// settled, and after that sent once more at most (R48).
func (v view) inFlight(blockers []Blocker) Decision {
	op := v.r.Op
	if !op.Unknown() || !v.settled() || !op.repeatable() || v.closed() {
		return v.blocked(blockers)
	}
	return v.resend(op.Gate, op.Looks[len(op.Looks)-1].Outdated, blockers)
}

// settled: long enough after the call two lists of a quiet set agree on what is outdated, and what
// is seen now agrees with them (R48).
func (v view) settled() bool {
	op := v.r.Op
	n := len(op.Looks)
	if n < 2 || v.moving() {
		return false
	}
	// A look at a set at work lists nothing, so it agrees with no other.
	last := op.Looks[n-1].Outdated
	return len(last) > 0 && slices.Equal(last, op.Looks[n-2].Outdated) && slices.Equal(last, v.outdated(op.Operation))
}

// hopeless: all that R48 allows was tried, or the set never comes to rest, and the outcome is still
// unknown: a person must look.
func (v view) hopeless() bool {
	op := v.r.Op
	switch {
	case v.seen.Set == nil:
		return false
	case v.settled():
		return !op.repeatable() && !v.untouched() && !v.unasked()
	}
	return !v.now.Before(op.SentAt.Add(v.deadline())) && len(op.Looks) > 0 && op.Looks[len(op.Looks)-1].Moving
}

// untouched: the model, to its etag, is what it was before the call; see noteUnknown.
func (v view) untouched() bool {
	op := v.r.Op
	return !op.Kind.OnInstances() && !op.Resend && v.settled() && v.seen.Set.Etag == op.IfMatch
}

// unasked: the rollout ends whatever became of the call, so nobody is asked; the report says how it stands.
func (v view) unasked() bool { return v.closed() || v.r.Op.Kind == OpRevert }

// closed: no write will be sent any more but putting the old image back.
func (v view) closed() bool { return v.r.Abort != nil || v.expired() }

// owed returns the batch whose one re-send was decided and certainly never happened, as long as
// nothing shows that the first call did.
func (v view) owed() (BatchStatus, bool) {
	b, open := v.r.OpenBatch()
	return b, open && v.r.Op == nil && v.owes(b)
}

func (v view) owes(b BatchStatus) bool {
	if v.closed() || v.seen.Set == nil {
		return false
	}
	present := slices.DeleteFunc(slices.Clone(b.Owed), func(id string) bool {
		_, ok := v.seen.Set.Instance(id)
		return !ok
	})
	return len(present) > 0 && slices.Equal(present, v.outdated(Operation{Kind: OpUpgrade, Instances: present}))
}

// resend sends a call once more if everything a start needs holds still: a re-send is a write like
// any other (R26).
func (v view) resend(key string, batch []string, blockers []Blocker) Decision {
	gate, _ := v.p.Gate(key)
	idle := v
	idle.r.Op = nil
	var in []Blocker
	for _, b := range []*Blocker{failure(idle), unclear(idle), v.adrift(idle), channel(idle), throttled(idle), busy(idle), restless(idle), paused(idle), freeze(idle), outside(idle), relapse(idle), idle.strain(batch), unproven(idle), failing(idle), probing(idle), idle.covered(gate)} {
		if b != nil {
			in = append(in, *b)
		}
	}
	switch {
	case v.mayAsk(gate, in):
		return Decision{Kind: AskGate, Reason: ReasonApproval, Gate: key, Text: gate.Title + " must be put to people again", Blockers: in}
	case len(in) > 0:
		return v.blocked(append(in, slices.DeleteFunc(slices.Clone(blockers), func(b Blocker) bool { return mentions(in, b.Reason) })...))
	}
	return Decision{Kind: Resend, Gate: key, Batch: batch, Reason: ReasonUnknown, Blockers: blockers,
		Text: fmt.Sprintf("two lists agree that %s did not go: sent once more", Instances(batch))}
}

// adrift is drift of a set of which it is not known what a call did to it: that comes before another plan.
func (v view) adrift(idle view) *Blocker {
	b := drift(idle)
	if b != nil && v.r.Op != nil {
		b.Clears = "whoever changed it, by putting it back; or an approver who looks whether the call happened"
		b.Next, b.Also = fmt.Sprintf("/vmss resolve %s not-started \"why\"", v.r.ID), []string{fmt.Sprintf("/vmss resolve %s started \"why\"", v.r.ID), v.abortCommand()}
	}
	return b
}

func mentions(list []Blocker, r Reason) bool {
	return slices.ContainsFunc(list, func(b Blocker) bool { return b.Reason == r })
}

// restless: whether the first call did anything shows only when the set is quiet.
func restless(v view) *Blocker {
	if !v.moving() || busy(v) != nil {
		return nil
	}
	return &Blocker{Reason: ReasonBusy, What: "the set is at work: it is watched until it is clear what happened", Clears: "Azure"}
}

// strain: a re-send takes the same instances down as the call it repeats, and the set may have become
// weaker since (R27).
func (v view) strain(batch []string) *Blocker {
	down := v.seen.Set.Unavailable()
	for _, id := range batch {
		if i, ok := v.seen.Set.Instance(id); ok && i.Available() {
			down++
		}
	}
	if down <= max(v.limits().MaxUnavailable, v.seen.Set.Unavailable()) {
		return nil
	}
	return v.tooFew()
}
