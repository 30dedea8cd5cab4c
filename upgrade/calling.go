package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Calls says whom a card that nobody has answered yet is brought back to mind of, once each: at half of its life
// those who were asked (R22), and later, if still nobody answers, those whom the policy has for that (R23). d is what was decided on the same reading: people are called only while nothing but
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
	if others := v.escalation(gate); len(others) > 0 && v.r.Escalated[gate.Key] != asked.Asking && !now.Before(v.escalates(asked)) {
		facts = append(facts, Escalated{Gate: gate.Key, Asking: asked.Asking, Called: others})
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

// escalates is when others are called in: as long after the asking as the more patient of the two policies says,
// and when three quarters of the time are over at the latest. By then those who were asked have had a quarter of it
// since they were reminded, and a quarter is left.
func (v view) escalates(asked AskedAt) time.Time {
	most := asked.Until(v.seen.Policy).Sub(asked.At) * 3 / 4
	after := max(cmp.Or(v.seen.Policy.EscalateAfter, most), cmp.Or(v.p.Policy.EscalateAfter, most))
	return asked.At.Add(min(after, most))
}

// nextCall is when somebody is called next; zero = nobody is.
func (v view) nextCall() (next time.Time) {
	gate, asked, waits := v.unanswered()
	if !waits {
		return next
	}
	if v.r.Reminded[gate.Key] != asked.Asking {
		next = v.halfTime(asked)
	}
	if at := v.escalates(asked); len(v.escalation(gate)) > 0 && v.r.Escalated[gate.Key] != asked.Asking && (next.IsZero() || at.Before(next)) {
		next = at
	}
	return next
}

// askedOf lists the people and groups whose yes the gate lacks, under the plan's policy and the one in force.
func (v view) askedOf(g Gate) []string {
	right, _ := v.p.Agreement(v.seen.Policy)
	inForce, planned := v.r.standing(v.seen.Policy, g.Key), v.r.standing(v.p.Policy, g.Key)
	return v.still(g, right, slices.Concat(inForce.lists(right)...), slices.Concat(planned.lists(right)...))
}

// escalation lists who is called in when nobody answers, under both policies.
func (v view) escalation(g Gate) []string {
	right, _ := v.p.Agreement(v.seen.Policy)
	return v.still(g, right, v.seen.Policy.Escalate, v.p.Policy.Escalate)
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

// EscalateSlot is the slot of the message that calls others in about one asking of a gate.
func EscalateSlot(gate string, asking int) string { return fmt.Sprintf("escalate/%s/%d", gate, asking) }
