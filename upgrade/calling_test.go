package upgrade

import (
	"slices"
	"testing"
	"time"
)

// called is whom a pass at the end of the tale and so much later calls.
func called(t *testing.T, story tale, p Plan, later time.Duration, changes ...change) []Fact {
	t.Helper()
	now := story.ends().Add(later)
	seen := seenAfter(p, story.fold())
	for _, c := range changes {
		c(&seen)
	}
	return Calls(p, story.fold(), seen, Decide(p, story.fold(), seen, now), now)
}

func TestR22ACardThatNobodyAnsweredIsRemindedOfAtHalfOfItsLife(t *testing.T) {
	waiting := tale{requested, asked("ud-0")}
	two := webPlan(func(_ *ScaleSet, pol *Policy, _ *Wish) { pol.Approvals = 2 })
	again := Asked{Gate: "ud-0", Asking: 2, Nonce: "n2", Expires: life.Add(4 * time.Hour)}
	soon := Asked{Gate: "ud-0", Asking: 1, Nonce: "n", Expires: night.Add(20 * time.Minute)}
	tonight := Asked{Gate: "ud-0", Asking: 1, Nonce: "n", Opens: night.Add(16 * time.Hour), Closes: night.Add(24 * time.Hour), Expires: night.Add(20 * time.Hour)}
	everybody := []string{"UBO", "UEVA", "SOPS"}
	for _, row := range []struct {
		name  string
		tale  tale
		plan  Plan
		later time.Duration
		seen  change
		want  []string // called; nil = nobody
	}{
		{name: "at half of four hours", tale: waiting, later: 2 * time.Hour, want: everybody},
		{name: "not a moment earlier", tale: waiting, later: 2*time.Hour - time.Nanosecond},
		{name: "once", tale: tale{waiting, Reminded{Gate: "ud-0", Asking: 1}}, later: 3 * time.Hour},
		{name: "a later asking anew", tale: tale{waiting, Reminded{Gate: "ud-0", Asking: 1}, 4 * time.Hour, by{"UANA", AskedAgain{Gate: "ud-0"}}, again}, later: 2 * time.Hour, want: everybody},
		{name: "a card that a window gives twenty minutes after ten", tale: tale{requested, soon}, later: 10 * time.Minute, want: everybody},
		{name: "one that is given by day for the night at half of all of it, not of the window", tale: tale{requested, tonight}, later: 10 * time.Hour, want: everybody},
		{name: "not by day of its opening only", tale: tale{requested, tonight}, later: 10*time.Hour - time.Nanosecond},
		{name: "a shorter life in force counts", tale: waiting, later: time.Hour, seen: func(o *Observation) { o.Policy.ApprovalLife = 2 * time.Hour }, want: everybody},
		{name: "never after the yes", tale: tale{requested, granted("ud-0")}, later: 3 * time.Hour},
		{name: "nor when who said it cannot be checked", tale: tale{requested, granted("ud-0")}, later: 3 * time.Hour, seen: func(o *Observation) { clear(o.Rights) }},
		{name: "never after the no", tale: tale{waiting, by{"UBO", Denied{Gate: "ud-0", Asking: 1, Name: "bo", Reason: "no"}}}, later: 3 * time.Hour},
		{name: "never once its time is over", tale: waiting, later: 4 * time.Hour},
		{name: "never after an abort", tale: tale{waiting, by{"UBO", AbortAsked{Name: "bo", Reason: "no"}}}, later: 3 * time.Hour},
		{name: "never after the end", tale: tale{waiting, Ended{Outcome: OutcomeAborted}}, later: 3 * time.Hour},
		{name: "not while somebody paused it", tale: tale{waiting, by{"UBO", Paused{Name: "bo"}}}, later: 3 * time.Hour},
		{name: "not while the set cannot be read", tale: waiting, later: 3 * time.Hour, seen: func(o *Observation) { o.Set = nil }},
		{name: "of two, only who has not agreed", plan: two, tale: tale{waiting, voted("UBO", "ud-0")}, later: 3 * time.Hour, want: []string{"UEVA", "SOPS"}},
		{name: "nobody who is no approver any more", tale: waiting, later: 3 * time.Hour, seen: func(o *Observation) { o.Policy.Approvers = []string{"UEVA", "UNEW"} }, want: []string{"UEVA"}},
		{name: "not who asked for it", tale: waiting, later: 3 * time.Hour, seen: func(o *Observation) { o.Policy.Approvers = []string{"UANA", "UBO"} }, want: []string{"UBO"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := row.plan
			if p.Digest == "" {
				p = webPlan()
			}
			if row.seen == nil {
				row.seen = func(*Observation) {}
			}
			facts := called(t, row.tale, p, row.later, row.seen)
			if row.want == nil && len(facts) > 0 {
				t.Fatalf("R22: called are %+v, want nobody", facts)
			}
			if row.want == nil {
				return
			}
			if len(facts) != 1 || !slices.Equal(facts[0].(Reminded).Called, row.want) {
				t.Fatalf("R22: called are %+v, want %v", facts, row.want)
			}
		})
	}
}

// The next look comes no later than the call, however rarely people are looked for.
func TestR22TheNextLookIsNoLaterThanTheReminder(t *testing.T) {
	p, story := webPlan(), tale{requested, asked("ud-0")}
	seen := seenAfter(p, story.fold())
	seen.Pace.Idle = time.Hour
	half := night.Add(2 * time.Hour)
	if d := Decide(p, story.fold(), seen, half.Add(-10*time.Minute)); !d.Recheck.Equal(half) {
		t.Errorf("R22: looked at again at %s, want %s", d.Recheck, half)
	}
	if d := Decide(p, story.fold(), seen, half); !d.Recheck.Equal(half.Add(time.Hour)) {
		t.Errorf("R22: when it is over, at %s, want an hour later", d.Recheck)
	}
}
