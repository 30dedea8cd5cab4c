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

var escalating = func(_ *ScaleSet, pol *Policy, _ *Wish) { pol.Escalate = []string{"SLEAD", "UZOE", "UANA"} }

func TestR23OthersAreCalledInWhenNobodyAnswers(t *testing.T) {
	reminded := tale{requested, asked("ud-0"), Reminded{Gate: "ud-0", Asking: 1}}
	p := webPlan(escalating)
	force := func(after time.Duration, ids ...string) change {
		return func(o *Observation) { o.Policy.Escalate, o.Policy.EscalateAfter = ids, after }
	}
	soon := webPlan(escalating, func(_ *ScaleSet, pol *Policy, _ *Wish) { pol.EscalateAfter = 30 * time.Minute })
	others := []string{"SLEAD", "UZOE"}
	for _, row := range []struct {
		name  string
		tale  tale
		plan  Plan
		later time.Duration
		seen  change
		want  []string
	}{
		{name: "at three quarters of the time, never who asked for the rollout", tale: reminded, plan: p, later: 3 * time.Hour, want: others},
		{name: "not a moment earlier", tale: reminded, plan: p, later: 3*time.Hour - time.Nanosecond},
		{name: "once", tale: tale{reminded, Escalated{Gate: "ud-0", Asking: 1}}, plan: p, later: 3*time.Hour + time.Minute},
		{name: "as soon as both policies say", tale: reminded, plan: soon, later: 30 * time.Minute, seen: force(30*time.Minute, others...), want: others},
		{name: "no sooner than the more patient one says", tale: reminded, plan: soon, later: 30 * time.Minute, seen: force(time.Hour, others...)},
		{name: "however patient, while there is time to answer", tale: reminded, plan: soon, later: 3 * time.Hour, seen: force(24*time.Hour, others...), want: others},
		{name: "only whom both policies have for it", tale: reminded, plan: p, later: 3 * time.Hour, seen: force(0, "UZOE", "UNEW"), want: []string{"UZOE"}},
		{name: "nobody where the policy in force has none", tale: reminded, plan: p, later: 3 * time.Hour, seen: force(0)},
		{name: "nobody where the plan's has none", tale: reminded, plan: webPlan(), later: 3 * time.Hour, seen: force(0, "UZOE")},
		{name: "nobody after the no", tale: tale{reminded, by{"UBO", Denied{Gate: "ud-0", Asking: 1, Name: "bo", Reason: "no"}}}, plan: p, later: 3 * time.Hour},
		{name: "nobody after the yes", tale: agreeTo(p, tale{requested, granted("ud-0")}), plan: p, later: 3 * time.Hour, seen: func(o *Observation) { clear(o.Rights) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.seen == nil {
				row.seen = force(0, "SLEAD", "UZOE", "UANA")
			}
			facts := called(t, row.tale, row.plan, row.later, func(o *Observation) { o.Policy.Escalate = row.plan.Policy.Escalate }, row.seen)
			if len(row.want) == 0 && len(facts) > 0 {
				t.Fatalf("R23: called in are %+v, want nobody", facts)
			}
			if len(row.want) > 0 && (len(facts) != 1 || !slices.Equal(facts[0].(Escalated).Called, row.want)) {
				t.Fatalf("R23: called in are %+v, want %v", facts, row.want)
			}
		})
	}
}

func TestR23WhoIsCalledInAnswersThatCardAndNoOther(t *testing.T) {
	p := webPlan(escalating)
	lead := Person{ID: "ULEAD", Name: "lea", Groups: []string{"SLEAD"}}
	ana, guest := Person{ID: "UANA", Name: "ana"}, Person{ID: "UZOE", Name: "zoe", Guest: true}
	waiting := tale{requested, asked("ud-0")}
	in := tale{waiting, 3 * time.Hour, Escalated{Gate: "ud-0", Asking: 1, Called: []string{"SLEAD", "UZOE"}}}
	anew := tale{in, Asked{Gate: "ud-0", Asking: 2, Nonce: "n2", Expires: life.Add(4 * time.Hour)}}
	next := tale{in, udDone(0)[1:], asked("ud-1")}
	for _, row := range []struct {
		name string
		tale tale
		who  Person
		word Word
		may  bool
	}{
		{"a yes before anybody called", waiting, lead, Word{Verb: WordApprove}, false},
		{"a no before anybody called", waiting, lead, Word{Verb: WordDeny, Reason: "no"}, false},
		{"a pause before anybody called", waiting, lead, Word{Verb: WordPause}, false},
		{"a yes from then on", in, lead, Word{Verb: WordApprove}, true},
		{"a no from then on", in, lead, Word{Verb: WordDeny, Reason: "no"}, true},
		{"a pause from then on", in, lead, Word{Verb: WordPause}, true},
		{"an abort from then on", in, lead, Word{Verb: WordAbort, Reason: "no"}, true},
		{"a yes to all that comes later", in, lead, Word{Verb: WordApprove, Rest: true}, false},
		{"the end of somebody else's pause", tale{in, by{"UBO", Paused{Name: "bo"}}}, lead, Word{Verb: WordResume}, false},
		{"a new plan", in, lead, Word{Verb: WordReplan}, false},
		{"a yes to a later asking", anew, lead, Word{Verb: WordApprove}, false},
		{"a yes to the next gate", next, lead, Word{Verb: WordApprove}, false},
		{"a yes by who asked for it, who is on that list, too", in, ana, Word{Verb: WordApprove}, false},
		{"a yes by a guest", in, guest, Word{Verb: WordApprove}, false},
		{"a yes by an approver, as ever", in, bo, Word{Verb: WordApprove}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.word.Rollout = "r-1"
			heard, no := Hear(row.word, row.who, nil, p, agreeTo(p, row.tale).fold(), p.Policy, row.tale.ends())
			switch {
			case row.may && (no != nil || len(heard.Facts) == 0):
				t.Errorf("R23: refused: %v", no)
			case !row.may && (no == nil || no.Code != CodeRole || len(heard.Facts) > 0):
				t.Errorf("R23: heard %+v, %v", heard, no)
			}
		})
	}
	if why := p.Policy.Refuses(lead, MayRead, ""); why != "" {
		t.Errorf("who may be called in cannot read what about: it takes %s", why)
	}
}

// The right counts at the click and once more at the start: it is that of the asking that was answered.
func TestR23TheYesOfWhoWasCalledInCountsWhenItIsActedOn(t *testing.T) {
	p := webPlan(escalating)
	for name, row := range map[string]struct {
		asking int // that they were called in for; 0 = for none
		lose   func(*lab)
		starts bool
	}{
		"called in":                           {1, func(*lab) {}, true},
		"never called in":                     {0, func(*lab) {}, false},
		"called in for another asking":        {7, func(*lab) {}, false},
		"called in, and taken off the policy": {1, func(l *lab) { l.pol.Escalate = nil }, false},
		"called in, and out of the group":     {1, func(l *lab) { l.dir["ULEAD"] = Person{ID: "ULEAD"} }, false},
		"called in, and nobody can tell":      {1, func(l *lab) { l.dir["ULEAD"] = Person{ID: "ULEAD", Unread: []string{"SLEAD"}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, tale{requested}, func(l *lab) {
				l.plan(p)
				l.pol.Escalate = []string{"SLEAD"}
				l.dir["ULEAD"] = Person{ID: "ULEAD", Name: "lea", Groups: []string{"SLEAD"}}
				row.lose(l)
				l.say("r-1", "", asked("ud-0"))
				if row.asking > 0 {
					l.say("r-1", "", Escalated{Gate: "ud-0", Asking: row.asking, Called: []string{"SLEAD"}})
				}
				l.say("r-1", "ULEAD", Voted{Gate: "ud-0", Asking: 1, Name: "lea"}, Granted{Gate: "ud-0", Asking: 1, Digest: p.Digest, Voters: []string{"ULEAD"}, Expires: life})
				for range 20 {
					l.pass()
				}
				if started := len(l.rollout("r-1").Batches) > 0 || l.rollout("r-1").Model.Set; started != row.starts {
					t.Errorf("R23: started: %v, want %v", started, row.starts)
				}
			})
		})
	}
}
