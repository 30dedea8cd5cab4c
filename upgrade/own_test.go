package upgrade

import (
	"strings"
	"testing"
	"time"
)

// self is a policy in which the requester is an approver, whose own yes counts after half an hour.
func self(p *Policy) { p.SelfApproval, p.Approvers = 30*time.Minute, []string{"UANA", "UBO", "UEVA"} }

func selfPlan(more ...func(*Policy)) func(*ScaleSet, *Policy, *Wish) {
	return func(_ *ScaleSet, p *Policy, _ *Wish) {
		self(p)
		for _, change := range more {
			change(p)
		}
	}
}

func TestDecideOnTheRequestersOwnYes(t *testing.T) {
	two := func(p *Policy) { p.Approvals = 2 }
	inForce := func(do func(*Policy)) change {
		return func(o *Observation) { do(&o.Policy); o.Rights["UANA"] = "" }
	}
	own := tale{requested, asked("ud-0"), voted("UANA", "ud-0")}
	grant := by{"", Granted{Gate: "ud-0", Asking: 1, Digest: webPlan().Digest, Voters: []string{"UANA"}}}
	deaf := Decided{Kind: Wait, Reason: ReasonChannel, Blockers: []Blocker{{Reason: ReasonChannel}}}
	runRows(t, []decideRow{
		{name: "R23 before its time it counts for nothing", tale: own, plan: selfPlan(), seen: inForce(self), later: 29 * time.Minute, kind: Wait, reason: ReasonApproval, says: "0 of 1 ('s own yes counts at"},
		{name: "R23 not even with a grant", tale: tale{own, grant}, plan: selfPlan(), seen: inForce(self), later: 29 * time.Minute, kind: Wait, reason: ReasonApproval},
		{name: "R23 then it counts", tale: tale{own, grant}, plan: selfPlan(), seen: inForce(self), later: 30 * time.Minute, kind: SetModel},
		{name: "R23 for one vote and no more", tale: tale{own, grant}, plan: selfPlan(two), seen: all(inForce(self), inForce(two)), later: time.Hour, kind: AskGate, reason: ReasonApproval},
		{name: "R21 a policy in force without it takes it away at once", tale: tale{own, grant}, plan: selfPlan(), seen: inForce(func(p *Policy) { p.SelfApproval = 0 }), later: time.Hour, kind: Wait, reason: ReasonApproval, says: "their own yes does not count"},
		{name: "R21 a longer delay in force counts at once", tale: tale{own, grant}, plan: selfPlan(), seen: inForce(func(p *Policy) { self(p); p.SelfApproval = 2 * time.Hour }), later: time.Hour, kind: Wait, reason: ReasonApproval},
		{name: "R21 one that came after the plan never", tale: tale{own, grant}, seen: inForce(self), later: time.Hour, kind: Wait, reason: ReasonApproval, says: "their own yes does not count"},
		{name: "R23 once denied it counts no more, however often it is asked again", tale: tale{own, by{"UREAD", Denied{Gate: "ud-0", Asking: 1, Name: "rita"}}, by{"UANA", AskedAgain{Gate: "ud-0"}},
			Asked{Gate: "ud-0", Asking: 2, Nonce: "n", Expires: night.Add(9 * time.Hour)}, by{"UANA", Voted{Gate: "ud-0", Asking: 2}}}, plan: selfPlan(), seen: inForce(self), later: time.Hour, kind: Wait, reason: ReasonApproval, says: "their own yes does not count"},
		{name: "R19 not while nobody could deny it, nor as soon as they can", tale: tale{own, grant, deaf}, plan: selfPlan(), seen: inForce(self), later: time.Hour, kind: Wait, reason: ReasonApproval, says: "own yes counts at"},
		{name: "R19 the delay begins anew then", tale: tale{own, grant, deaf, time.Hour, Decided{Kind: Wait, Reason: ReasonApproval}}, plan: selfPlan(), seen: inForce(self), later: 29 * time.Minute, kind: Wait, reason: ReasonApproval, says: "own yes counts at"},
		{name: "R19 and ends", tale: tale{own, grant, deaf, time.Hour, Decided{Kind: Wait, Reason: ReasonApproval}}, plan: selfPlan(), seen: inForce(self), later: 30 * time.Minute, kind: SetModel},
		{name: "R23 a denial meanwhile takes it away", tale: tale{own, by{"UREAD", Denied{Gate: "ud-0", Asking: 1, Name: "rita", Reason: "no"}}}, plan: selfPlan(), seen: inForce(self), later: time.Hour, kind: Hold, reason: ReasonDenied},
	})
}

func TestR23AnOwnYesDoesNotComeToCountWhileNoProcessIsThereToBeToldNo(t *testing.T) {
	p := webPlan(selfPlan())
	told := tale{requested, asked("ud-0"), voted("UANA", "ud-0")}
	said := told.ends()
	for _, row := range []struct {
		name    string
		up, now time.Time
		granted bool
	}{
		{"its time is not over", said.Add(-time.Hour), said.Add(29 * time.Minute), false},
		{"it is", said.Add(-time.Hour), said.Add(30 * time.Minute), true},
		{"most of it nobody was there", said.Add(20 * time.Minute), said.Add(31 * time.Minute), false},
		{"the delay begins anew", said.Add(20 * time.Minute), said.Add(49 * time.Minute), false},
		{"and ends", said.Add(20 * time.Minute), said.Add(50 * time.Minute), true},
	} {
		v := view{p: p, r: told.fold(), seen: Observation{Policy: p.Policy, Rights: map[string]string{"UANA": ""}, Up: row.up}, now: row.now}
		if got := len(v.noteOwn()) > 0; got != row.granted {
			t.Errorf("%s: granted is %v", row.name, got)
		}
	}
}

func TestR23WhoMayAgreeToTheirOwnAndWhoMayStopIt(t *testing.T) {
	p := webPlan(selfPlan())
	pol := p.Policy
	reader := Person{ID: "UREAD", Name: "rita"}
	open := tale{requested, asked("ud-0")}
	hear := func(w Word, who Person, told tale, inForce Policy) (Heard, *Refusal) {
		return Hear(w, who, nil, p, told.fold(), inForce, told.ends())
	}
	yes, no := Word{Verb: WordApprove}, Word{Verb: WordDeny, Reason: "not alone"}
	heard, refused := hear(yes, ana, open, pol)
	if refused != nil || len(heard.Facts) != 1 || !heard.Facts[0].(Voted).Counts.Equal(open.ends().Add(30*time.Minute)) || !strings.Contains(heard.Answer, "unless somebody denies it") {
		t.Errorf("her own yes: %+v, %v", heard, refused)
	}
	without := pol
	without.SelfApproval = 0
	if _, refused := hear(yes, ana, open, without); refused == nil || refused.Code != CodeRole {
		t.Errorf("R21: where the policy in force has none: %v", refused)
	}
	if _, refused := hear(Word{Verb: WordApprove, Rest: true}, ana, open, pol); refused == nil || refused.Code != CodePolicy {
		t.Errorf("the rest in one go: %v", refused)
	}
	waits := tale{open, by{"UANA", Voted{Gate: "ud-0", Asking: 1, Name: "ana", Counts: open.ends().Add(30 * time.Minute)}}}
	if heard, refused := hear(no, reader, waits, pol); refused != nil || len(heard.Facts) != 1 {
		t.Errorf("a reader's no to it: %+v, %v", heard, refused)
	}
	if _, refused := hear(no, reader, open, pol); refused == nil || refused.Code != CodeRole {
		t.Errorf("a reader's no to what nobody agreed to: %v", refused)
	}
	if _, refused := hear(no, stray, waits, pol); refused == nil || refused.Code != CodeRole {
		t.Errorf("a stranger's no: %v", refused)
	}
	enough := tale{waits, voted("UBO", "ud-0"), Granted{Gate: "ud-0", Asking: 1, Digest: p.Digest, Voters: []string{"UANA", "UBO"}, Expires: life}}
	if _, refused := hear(no, reader, enough, pol); refused == nil || refused.Code != CodeRole {
		t.Errorf("a reader's no to what somebody else has agreed to, who is enough: %v", refused)
	}
	if heard, refused := hear(no, eva, enough, pol); refused != nil || len(heard.Facts) != 1 {
		t.Errorf("an approver's no to it: %+v, %v", heard, refused)
	}
	two := pol
	two.Approvals = 2
	if _, refused := hear(no, reader, tale{waits, voted("UBO", "ud-0")}, two); refused != nil {
		t.Errorf("a reader's no to it where somebody else is not enough: %v", refused)
	}
	if heard, refused := hear(yes, bo, waits, pol); refused != nil || len(heard.Facts) != 2 {
		t.Errorf("another one's yes counts at once: %+v, %v", heard, refused)
	}
}
