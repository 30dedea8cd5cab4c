package upgrade

import (
	"fmt"
	"slices"
	"time"
)

// Calls says whom a card that nobody has answered yet is brought back to mind of, once each: at half of its life
// those who were asked (R22). d is what was decided on the same reading: people are called only while nothing but
// they, time or health is in the way. Who was called stands in the fact, so that a restart calls nobody again.
func Calls(p Plan, r Rollout, seen Observation, d Decision, now time.Time) []Fact {
	v := looking(p, r, seen, now)
	gate, asked, waits := v.unanswered()
	if !waits || d.Kind != Wait || !patient(d.Blockers) || !mentions(d.Blockers, ReasonApproval) {
		return nil
	}
	var facts []Fact
	if v.r.Reminded[gate.Key] != asked.Asking && !now.Before(v.halfTime(asked)) {
		facts = append(facts, Reminded{Gate: gate.Key, Asking: asked.Asking, Called: v.askedOf(gate)})
	}
	return facts
}

// unanswered is the asking that waits for people: its card is out, its time is not over, and it was neither
// granted nor denied.
func (v view) unanswered() (Gate, AskedAt, bool) {
	gate, _, open := v.r.CurrentGate(v.p)
	asked, isAsked := v.r.Asked[gate.Key]
	grant, granted := v.r.Grants[gate.Key]
	switch {
	case !open || !isAsked || asked.Nonce == "" || v.r.Denial != nil:
		return gate, asked, false
	case granted && grant.Asking == asked.Asking, !v.now.Before(asked.Until(v.seen.Policy)):
		return gate, asked, false
	}
	return gate, asked, true
}

// halfTime is half of the time that people really have: from the moment they were asked, which for a window may
// be a day ahead of it, until their yes would come too late.
func (v view) halfTime(asked AskedAt) time.Time {
	return asked.At.Add(asked.Until(v.seen.Policy).Sub(asked.At) / 2)
}

// nextCall is when somebody is called next; zero = nobody is.
func (v view) nextCall() time.Time {
	gate, asked, waits := v.unanswered()
	if !waits || v.r.Reminded[gate.Key] == asked.Asking {
		return time.Time{}
	}
	return v.halfTime(asked)
}

// askedOf lists the people and groups whose yes the gate lacks, under the plan's policy and the one in force.
func (v view) askedOf(g Gate) []string {
	right, _ := v.p.Agreement(v.seen.Policy)
	return v.still(g, right, slices.Concat(v.seen.Policy.lists(right)...), slices.Concat(v.p.Policy.lists(right)...))
}

// still lists who is on both lists, has not agreed yet, and may.
func (v view) still(g Gate, right Right, inForce, planned []string) []string {
	var out []string
	for _, id := range inForce {
		agreed := slices.ContainsFunc(v.r.Votes[g.Key], func(b Ballot) bool { return b.By == id })
		mayNot := right == MayApprove && id == v.r.Requester
		if slices.Contains(planned, id) && !agreed && !mayNot && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// RemindSlot is the slot of the message that reminds of one asking of a gate.
func RemindSlot(gate string, asking int) string { return fmt.Sprintf("remind/%s/%d", gate, asking) }
