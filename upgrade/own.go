package upgrade

import (
	"slices"
	"time"
)

// A team may be so small that nobody else is there to agree. Its policy may then let the requester's own yes count
// after a delay, in which everybody who may read can deny it (R23).

// laterOwn is the tighter of two delays: never (zero), else the longer one.
func laterOwn(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// ownDelay is how long the requester's own yes to a gate must have stood before it counts; 0 = it never does, nor
// does it any more in a rollout in which somebody denied one: nobody must stay awake to say no again.
func (p Plan) ownDelay(r Rollout, inForce Policy) time.Duration {
	if p.Action == ActionRollback || r.Vetoed { // a rollback takes nobody else
		return 0
	}
	return laterOwn(p.Policy.SelfApproval, inForce.SelfApproval)
}

// agreeing is the right that this person's yes takes.
func (p Plan) agreeing(by string, r Rollout, inForce Policy) Right {
	right, _ := p.Agreement(inForce)
	if right == MayApprove && by == r.Requester && p.ownDelay(r, inForce) > 0 {
		return MayApproveOwn
	}
	return right
}

// hearing is the rollout as of now, when people may be able to reach the bot again, but it was not decided on yet.
func (r Rollout) hearing(now time.Time) Rollout {
	if r.Deaf {
		r.HeardAt = now
	}
	return r
}

// counts is when the requester's own vote counts; zero = at once, as everybody else's does whatever the clock says.
// The delay begins anew where people could not reach the bot in it: nobody could have denied it.
func (p Plan) counts(b Ballot, r Rollout, inForce Policy) time.Time {
	if d := p.ownDelay(r, inForce); b.By == r.Requester && d > 0 {
		return later(b.At, r.HeardAt).Add(d)
	}
	return time.Time{}
}

// ownCounts is the same, of what has not counted yet: nobody could deny it while no process was there either.
func (v view) ownCounts(g Gate, b Ballot) time.Time {
	at := v.p.counts(b, v.r, v.seen.Policy)
	if _, granted := v.r.Grants[g.Key]; granted || at.IsZero() {
		return at
	}
	return later(at, v.seen.Up.Add(v.p.ownDelay(v.r, v.seen.Policy)))
}

// pending is when the requester's own yes to the gate will count; zero = there is none that waits.
func (p Plan) pending(r Rollout, g Gate, inForce Policy, now time.Time) (at time.Time) {
	for _, b := range r.Votes[g.Key] {
		if t := p.counts(b, r, inForce); now.Before(t) {
			at = t
		}
	}
	return at
}

// alone reports whether the gate would be let go by the requester's own yes, which does not count yet: without it the
// yeses are too few.
func (p Plan) alone(r Rollout, g Gate, inForce Policy, now time.Time) bool {
	_, need := p.Agreement(inForce)
	others := slices.DeleteFunc(slices.Clone(r.Votes[g.Key]), func(b Ballot) bool { return b.By == r.Requester })
	return !p.pending(r, g, inForce, now).IsZero() && len(others) < need
}

// noteOwn grants a gate once the requester's own yes counts and completes the quorum: nobody denied it meanwhile.
func (v view) noteOwn() []Fact {
	gate, _, open := v.r.CurrentGate(v.p)
	asked, isAsked := v.r.Asked[gate.Key]
	own := slices.ContainsFunc(v.r.Votes[gate.Key], func(b Ballot) bool { return b.By == v.r.Requester })
	if _, granted := v.r.Grants[gate.Key]; !open || !isAsked || granted || !own || v.p.ownDelay(v.r, v.seen.Policy) == 0 || v.r.Denial != nil || !v.now.Before(asked.Until(v.seen.Policy)) {
		return nil
	}
	_, need := v.p.Agreement(v.seen.Policy)
	if valid, _ := v.voters(gate); valid < need {
		return nil
	}
	var voters []string
	for _, b := range v.r.Votes[gate.Key] {
		voters = append(voters, b.By)
	}
	return []Fact{Granted{Gate: gate.Key, Asking: asked.Asking, Digest: v.p.Digest, Voters: voters, Expires: asked.Expires}}
}
