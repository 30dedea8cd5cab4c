package upgrade

import (
	"fmt"
	"slices"
	"time"
)

func (h hearing) approve() (Heard, *Refusal) {
	gate, asked, no := h.asked()
	switch {
	case no != nil:
		return Heard{}, no
	case h.early(asked.At):
		return Heard{}, h.refuse(CodeStale, "%s was put to people only after you had said that: look at its card, then say it again", gate.Title)
	case h.card == nil && asked.Nonce == "" && !h.w.Rest:
		return Heard{}, h.refuse(CodeStale, "%s was approved by %s with the rest; nobody was shown a card of it to agree to", gate.Title, h.names(gate.Key))
	case h.r.Denial != nil:
		no := h.refuse(CodeStale, "%s denied %s: %s", h.r.Denial.Name, gate.Title, h.r.Denial.Reason)
		no.Next = "/vmss ask " + h.r.ID
		return Heard{}, no
	}
	_, need := h.p.Agreement(h.pol)
	_, at := h.p.Gate(gate.Key)
	right, _ := h.p.Agreement(h.pol)
	own := right == MayApprove && h.by.ID == h.r.Requester
	called := h.pol.Refuses(h.by, right, h.r.Requester) != "" || h.p.Policy.Refuses(h.by, right, h.r.Requester) != "" // in, for this card only
	together := h.p.Together(at) && !own && !called
	var facts []Fact
	switch open := h.r.Startable(gate); {
	case open && !h.now.Before(asked.Until(h.pol)):
		return Heard{}, &Refusal{Code: CodeStale, What: "the time to approve " + gate.Title + " is over", Next: "/vmss ask " + h.r.ID, Rollout: h.r.ID}
	case open && !h.voted(gate):
		facts = h.vote(gate, asked.Asked, h.r.Votes[gate.Key], need)
	case !open && !h.voted(gate) && !h.w.Rest:
		return Heard{}, h.refuse(CodeStale, "%s was approved by %s, and all of it was started", gate.Title, h.names(gate.Key))
	}
	others := h.others(gate, asked)
	switch {
	case own && h.w.Rest:
		return Heard{}, h.refuse(CodePolicy, "your own yes counts for one gate at a time: approve %s of %s", gate.Title, h.r.ID)
	case together && len(others)+1 >= need && (granting(facts) || h.w.Rest):
		return h.approved(append(facts, h.rest(gate, asked.Asked, others)...), gate.Title+" and everything after it")
	case together && !granting(facts):
		return h.approved(facts, gate.Title+" and everything after it")
	case !h.w.Rest:
		return h.approved(facts, gate.Title)
	case need > 1:
		return Heard{}, h.refuse(CodePolicy, "%s needs %d approvers for each gate: approve them one by one", h.p.Name, need)
	}
	return h.approved(append(facts, h.rest(gate, asked.Asked, nil)...), gate.Title+" and everything after it")
}

// others are those whose yes to the gate, and with it to all that comes after, stands beside this person's: not the
// requester's, which is for one gate, nor one that ran out, nor once people were called in, who are for one card,
// that of anybody who may be one of them.
func (h hearing) others(g Gate, asked AskedAt) []Ballot {
	right, _ := h.p.Agreement(h.pol)
	calledIn := h.r.Escalated[g.Key] == asked.Asking
	return slices.DeleteFunc(slices.Clone(h.r.Votes[g.Key]), func(b Ballot) bool {
		listed := slices.Contains(h.pol.Approvers, b.By) && slices.Contains(h.p.Policy.Approvers, b.By)
		return b.By == h.by.ID || right == MayApprove && b.By == h.r.Requester || calledIn && !listed || !h.now.Before(asked.Until(h.pol))
	})
}

func granting(facts []Fact) bool {
	return slices.ContainsFunc(facts, func(f Fact) bool { _, is := f.(Granted); return is })
}

// early reports whether typed words, which may have waited behind others or for a restart, were said before
// what they would count for was there: they were about something else.
func (h hearing) early(since time.Time) bool {
	return h.card == nil && !h.w.At.IsZero() && h.w.At.Before(since)
}

func (h hearing) approved(facts []Fact, what string) (Heard, *Refusal) {
	if len(facts) == 0 {
		return Heard{Answer: fmt.Sprintf("You have approved %s already: one person, one vote.", what)}, nil
	}
	answer := fmt.Sprintf("You approved %s of %s.", what, h.p.Name)
	if own := h.owns(); !own.IsZero() {
		answer = fmt.Sprintf("You approved your own request of %s: %s counts at %s, unless somebody denies it.", h.p.Name, what, DateToken(own))
	}
	return Heard{facts, answer}, nil
}

// owns is when the yes of who speaks counts, where it is to their own request; zero = it is not.
func (h hearing) owns() time.Time {
	if d := h.p.ownDelay(h.r, h.pol); h.by.ID == h.r.Requester && d > 0 {
		return h.now.Add(d)
	}
	return time.Time{}
}

func (h hearing) voted(g Gate) bool {
	return slices.ContainsFunc(h.r.Votes[g.Key], func(b Ballot) bool { return b.By == h.by.ID })
}

// vote records one yes beside those given before, and the grant when it completes the quorum. Whether
// the others still may is asked again when it counts.
func (h hearing) vote(g Gate, asked Asked, before []Ballot, need int) []Fact {
	facts := []Fact{Voted{Gate: g.Key, Asking: asked.Asking, Name: h.by.Name, Counts: h.owns()}}
	var voters []string
	counted := 0
	for _, b := range append(slices.Clone(before), Ballot{By: h.by.ID, At: h.now}) {
		voters = append(voters, b.By)
		if !h.now.Before(h.p.counts(b, h.r, h.pol)) {
			counted++
		}
	}
	if counted >= need {
		facts = append(facts, Granted{Gate: g.Key, Asking: asked.Asking, Digest: h.p.Digest, Voters: voters, Expires: asked.Expires})
	}
	return facts
}

// rest asks and grants every later gate in one go: no card is posted for these, so they carry no
// nonce. What people saw of the model is what the current card showed. Of a plan that asks for gates
// together, those who agreed to the current one before have agreed to all of them, and the first yes is the first
// to run out.
func (h hearing) rest(current Gate, shown Asked, before []Ballot) []Fact {
	_, at := h.p.Gate(current.Key)
	since := h.now
	for _, b := range before {
		if b.At.Before(since) {
			since = b.At
		}
	}
	expires := h.p.until(shown, since, h.p.Policy.Tighter(h.pol).ApprovalLife, h.p.Limits.Deadline)
	var facts []Fact
	for _, g := range h.p.Gates[at+1:] {
		if grant, granted := h.r.Grants[g.Key]; granted && h.now.Before(grant.Expires) {
			continue
		}
		asked := Asked{Gate: g.Key, Asking: h.r.Askings[g.Key] + 1, Expires: expires, Acknowledged: shown.Acknowledged, Sections: shown.Sections, Opens: shown.Opens, Closes: shown.Closes}
		facts = append(facts, asked)
		for _, b := range before {
			facts = append(facts, Voted{Gate: g.Key, Asking: asked.Asking, Name: b.Name, Voter: b.By})
		}
		facts = append(facts, h.vote(g, asked, before, 1)...)
	}
	return facts
}
