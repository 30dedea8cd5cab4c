package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// approval: the current gate needs one as long as something of it may still be sent.
func approval(v view) *Blocker {
	gate, _, open := v.r.CurrentGate(v.p)
	if !open || !v.r.Startable(gate) {
		return nil
	}
	return v.covered(gate)
}

// covered looks for a grant of this very plan, gate and asking, given by people who still may, not
// too long ago, and seeing what the model says now (R20-R23). It returns what is amiss.
func (v view) covered(gate Gate) *Blocker {
	asked, isAsked := v.r.Asked[gate.Key]
	until := asked.Until(v.seen.Policy)
	again := "/vmss ask " + v.r.ID
	switch {
	case v.r.Denial != nil:
		denied, _ := v.p.Gate(v.r.Denial.Gate)
		return &Blocker{Reason: ReasonDenied, What: fmt.Sprintf("%s denied %s: %s", v.r.Denial.Name, denied.Title, v.r.Denial.Reason), Clears: "a requester or approver, by asking again or an abort", Next: again, Also: []string{v.abortCommand()}}
	case !isAsked:
		return &Blocker{Reason: ReasonApproval, What: gate.Title + " was not put to people yet", Clears: "the bot"}
	case !v.now.Before(until) && v.missed(asked):
		return &Blocker{Reason: ReasonApproval, What: gate.Title + " was put to people for a time that is over: it is asked anew", Clears: "the bot"}
	case !v.now.Before(until):
		return &Blocker{Reason: ReasonExpired, What: fmt.Sprintf("the approval of %s ran out", gate.Title), Clears: "a requester or approver, by asking again or an abort", Next: again, Also: []string{v.abortCommand()}}
	case len(v.unacknowledged(asked)) > 0:
		return &Blocker{Reason: ReasonApproval, What: fmt.Sprintf("the model's %s changed since %s was put to people: it is asked anew", words(v.unacknowledged(asked)), gate.Title), Clears: "the bot"}
	}
	right, need := v.p.Agreement(v.seen.Policy)
	valid, doubts := v.voters(gate)
	if grant, ok := v.r.Grants[gate.Key]; ok && grant.Digest == v.p.Digest && grant.Asking == asked.Asking && valid >= need {
		return nil
	}
	b := &Blocker{Reason: ReasonApproval, What: fmt.Sprintf("%s waits for approval: %d of %d", gate.Title, valid, need), Clears: "an approver other than the requester", Until: until,
		Next: "/vmss approve " + v.r.ID, Need: need}
	if own := v.p.pending(v.r, gate, v.seen.Policy, v.now); !own.IsZero() && own.Before(until) {
		b.Until = own
	}
	if right == MayRecover {
		b.Clears = "a requester or approver, " + v.r.Name + " included"
	}
	if v.r.Escalated[gate.Key] == asked.Asking {
		b.Clears += ", or somebody who was called in"
	}
	if len(doubts) > 0 {
		b.What += " (" + strings.Join(doubts, "; ") + ")"
	}
	return b
}

// lapsing says of what keeps an approved gate from starting before a time, zero = nobody knows when, that the yes
// runs out before it (R22): who reads that it is approved must not believe that it starts by itself then.
func (b Blocker) lapsing(v view, start time.Time) *Blocker {
	gate, _, open := v.r.CurrentGate(v.p)
	if !open || !v.r.Startable(gate) || v.covered(gate) != nil {
		return &b
	}
	asked := v.r.Asked[gate.Key]
	if until := asked.Until(v.seen.Policy); start.IsZero() || !start.Before(until) {
		v.now = until
		b.Lapses, b.Anew = until, v.missed(asked)
	}
	return &b
}

// unacknowledged lists what manualupgrade would apply that the people who were asked have not seen
// (R21, R34). It stops nothing by itself, but it voids their yes.
func (v view) unacknowledged(asked AskedAt) []Section {
	if v.seen.Set == nil {
		return nil
	}
	shown := asked.Sections
	if shown == nil {
		shown = v.p.Sections
	}
	return changed(shown, v.seen.Set.Model.Sections)
}

func words(sections []Section) string {
	out := make([]string, len(sections))
	for i, s := range sections {
		out[i] = string(s)
	}
	return strings.Join(out, " and ")
}

// lapsed: the gate was granted, but somebody who agreed may not any more, and the others are too few, or the policy
// takes more by now. Its card shows no button any more, so the gate is asked anew (R21, R23). Somebody who could not
// be checked is no reason.
func (v view) lapsed(g Gate, asked AskedAt) bool {
	grant, ok := v.r.Grants[g.Key]
	if !ok || grant.Asking != asked.Asking {
		return false
	}
	gone := false
	for _, vote := range v.r.Votes[g.Key] {
		why, known := v.seen.Rights[vote.By]
		if !known {
			return false
		}
		gone = gone || why != ""
	}
	valid, _ := v.voters(g)
	_, need := v.p.Agreement(v.seen.Policy)
	return valid < need && (gone || len(grant.Voters) < need)
}

// voters counts the people whose yes still counts, each once, and says why the others' does not.
func (v view) voters(g Gate) (valid int, doubts []string) {
	counted := map[string]bool{}
	for _, vote := range v.r.Votes[g.Key] {
		if counted[vote.By] {
			continue
		}
		counted[vote.By] = true
		counts := v.ownCounts(g, vote)
		switch why, known := v.seen.Rights[vote.By]; {
		case !known:
			doubts = append(doubts, "could not check "+vote.Name)
		case why != "":
			doubts = append(doubts, vote.Name+" may not approve any more: it takes "+why)
		case vote.By == v.r.Requester && v.p.Action != ActionRollback && v.p.ownDelay(v.r, v.seen.Policy) == 0:
			doubts = append(doubts, vote.Name+" asked for it: their own yes does not count")
		case v.now.Before(counts):
			doubts = append(doubts, fmt.Sprintf("%s's own yes counts at %s unless somebody denies", vote.Name, DateToken(counts)))
		default:
			valid++
		}
	}
	return valid, doubts
}

// missed: nothing fits any more into the opening that people were asked for, so that they are asked for the
// next one. Nobody need type that: the window was too short, or they were (R22).
func (v view) missed(asked AskedAt) bool {
	return !asked.Closes.IsZero() && !v.now.Before(asked.Closes.Add(-v.p.needs(v.deadline())))
}

// mayAsk: the card goes out as soon as only time, health or people are in the way, so that people
// can agree while the gate before soaks (R31); and once more when they have not seen everything.
func (v view) mayAsk(g Gate, blockers []Blocker) bool {
	asked, isAsked := v.r.Asked[g.Key]
	switch {
	case v.r.Denial != nil:
		return false
	case isAsked && !v.now.Before(asked.Until(v.seen.Policy)) && !v.missed(asked):
		return false
	case isAsked && len(v.unacknowledged(asked)) == 0 && !v.lapsed(g, asked) && !v.missed(asked):
		return false
	}
	return patient(blockers)
}

// patient: only time, health or people are in the way.
func patient(blockers []Blocker) bool {
	return !slices.ContainsFunc(blockers, func(b Blocker) bool {
		return !slices.Contains([]Reason{ReasonSoak, ReasonFreeze, ReasonWindow, ReasonHealth, ReasonProbe, ReasonProbing, ReasonBudget, ReasonApproval}, b.Reason)
	})
}
