package upgrade

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// slo is an external gate, and guarded a policy that names it.
var slo = Probe{Name: "slo", Sum: "a", Patience: 5 * time.Minute}

func guarded(_ *ScaleSet, p *Policy, _ *Wish) { p.Probes = []Probe{slo} }

// says is what the external gate said a moment before the look.
func says(state ProbeState, why string) Reading {
	return Reading{Sum: "a", State: state, Why: why, At: night, Good: 24 * time.Hour}
}

func reads(r Reading) change {
	return func(o *Observation) { o.Gates = map[string]Reading{"slo": r} }
}

// heard is an external gate that was noted to say something.
func heard(state ProbeState) Probed {
	return Probed{Name: "slo", State: state, Why: "noted", News: state == ProbeFail}
}

// vouched is bo's word for it, for the gate that is next.
func vouched(gate string) by {
	return by{"UBO", Resolved{Name: "bo", Reason: "the dashboard", Verdict: Passes, Probes: []string{"slo"}, Gate: gate}}
}

func TestDecideOnExternalGates(t *testing.T) {
	silent := tale{begun, heard(ProbeUnknown)}
	for _, row := range []decideRow{
		{name: "R32 a gate that passes lets a start through", tale: begun, plan: guarded, seen: reads(says(ProbePass, "")), kind: Start},
		{name: "R32 a gate that fails stops it", tale: begun, plan: guarded, seen: reads(says(ProbeFail, "HTTP 503")), kind: Wait, reason: ReasonProbe, says: "external gate slo fails: HTTP 503, since"},
		{name: "R26 whatever was approved, and the model is not touched either", tale: tale{requested, granted("ud-0")}, plan: guarded, seen: reads(says(ProbeFail, "HTTP 503")), kind: Wait, reason: ReasonProbe},
		{name: "R32 one that was not asked is no pass", tale: begun, plan: guarded, kind: Wait, reason: ReasonProbing, says: "not asked yet"},
		{name: "R32 nor is one that tells nothing", tale: begun, plan: guarded, seen: reads(says(ProbeUnknown, "no answer within 5s")), kind: Wait, reason: ReasonProbing, says: "no answer within 5s"},
		{name: "R32 nor a state that nobody knows", tale: begun, plan: guarded, seen: reads(says("fine", "")), kind: Wait, reason: ReasonProbing},
		{name: "R32 nor an answer that is too old", tale: begun, plan: guarded, seen: reads(Reading{Sum: "a", State: ProbePass, At: night.Add(-2 * time.Minute), Good: time.Minute}), kind: Wait, reason: ReasonProbing, says: "too old"},
		{name: "R32 nor one from a time that is not yet", tale: begun, plan: guarded, seen: reads(Reading{Sum: "a", State: ProbePass, At: night.Add(time.Hour), Good: time.Minute}), kind: Wait, reason: ReasonProbing},
		{name: "R32 nor an answer to another question", tale: begun, plan: guarded, seen: reads(Reading{Sum: "b", State: ProbePass, At: night, Good: 24 * time.Hour}), kind: Wait, reason: ReasonProbing, says: "configuration was changed"},
		{name: "R32 a no is a no, whatever was asked", tale: begun, plan: guarded, seen: reads(Reading{Sum: "b", State: ProbeFail, At: night, Good: 24 * time.Hour}), kind: Wait, reason: ReasonProbe},
		{name: "R32 silent for less than its patience it is waited for", tale: silent, plan: guarded, seen: reads(says(ProbeUnknown, "x")), later: 5*time.Minute - 1, kind: Wait, reason: ReasonProbing},
		{name: "R32 and past it people are asked", tale: silent, plan: guarded, seen: reads(says(ProbeUnknown, "x")), later: 5 * time.Minute, kind: Hold, reason: ReasonUnproven, says: "nothing tells whether external gate slo passes: noted, since"},
		{name: "R1 until it answers", tale: silent, plan: guarded, seen: reads(says(ProbePass, "")), later: 5 * time.Minute, kind: Start},
		{name: "R1 or an approver who looked says so", tale: tale{silent, 5 * time.Minute, vouched("ud-0")}, plan: guarded, seen: reads(says(ProbeUnknown, "x")), kind: Start},
		{name: "R1 for that domain only", tale: tale{udDone(0), heard(ProbeUnknown), 6 * time.Minute, vouched("ud-0"), granted("ud-1")}, plan: guarded, seen: reads(says(ProbeUnknown, "x")), kind: Hold, reason: ReasonUnproven},
		{name: "R1 for as long as a yes would hold", tale: tale{silent, 5 * time.Minute, vouched("ud-0"), 4 * time.Hour}, plan: guarded, seen: reads(says(ProbeUnknown, "x")), kind: Hold, reason: ReasonUnproven},
		{name: "R1 and not against a no", tale: tale{silent, 5 * time.Minute, vouched("ud-0")}, plan: guarded, seen: reads(says(ProbeFail, "HTTP 503")), kind: Wait, reason: ReasonProbe},
		{name: "R1 nor after it has said anything else", tale: tale{silent, 5 * time.Minute, vouched("ud-0"), heard(ProbePass), heard(ProbeUnknown)}, plan: guarded, seen: reads(says(ProbeUnknown, "x")), later: time.Minute, kind: Wait, reason: ReasonProbing},
		{name: "R21 a gate of the policy in force binds an open rollout", tale: begun, seen: all(reads(says(ProbeFail, "HTTP 503")), func(o *Observation) { o.Policy.Probes = []Probe{slo} }), kind: Wait, reason: ReasonProbe},
		{name: "R21 a gate that the policy has no more binds on", tale: begun, plan: guarded, seen: all(reads(says(ProbeFail, "HTTP 503")), func(o *Observation) { o.Policy.Probes = nil }), kind: Wait, reason: ReasonProbe},
		{name: "R21 the shorter patience holds", tale: silent, plan: guarded, seen: all(reads(says(ProbeUnknown, "x")), func(o *Observation) {
			o.Policy.Probes = []Probe{{Name: "slo", Sum: "a", Patience: time.Minute}}
		}), later: time.Minute, kind: Hold, reason: ReasonUnproven},
		{name: "R31 the card goes out while a gate fails", tale: tale{requested}, plan: guarded, seen: reads(says(ProbeFail, "HTTP 503")), kind: AskGate, reason: ReasonApproval, gate: "ud-0"},
		{name: "R31 and in a soak the soak is named first", tale: tale{udDone(0), granted("ud-1")}, plan: guarded, seen: reads(says(ProbeFail, "HTTP 503")), kind: Wait, reason: ReasonSoak},
		{name: "R31 but not while nobody knows", tale: tale{requested, heard(ProbeUnknown)}, plan: guarded, seen: reads(says(ProbeUnknown, "x")), later: 5 * time.Minute, kind: Hold, reason: ReasonUnproven},
		{name: "R32 after the bake it is no success while a gate fails", tale: udDone(2), plan: guarded, seen: reads(says(ProbeFail, "HTTP 503")), later: 10 * time.Minute, kind: Wait, reason: ReasonProbe},
		{name: "R32 until it passes", tale: udDone(2), plan: guarded, seen: reads(says(ProbePass, "")), later: 10 * time.Minute, kind: End, end: OutcomeSucceeded},
		{name: "R32 or somebody takes that on", tale: tale{udDone(2), heard(ProbeFail), vouched("")}, plan: guarded, seen: reads(says(ProbeFail, "x")), later: 10 * time.Minute, kind: End, end: OutcomeSucceeded},
		{name: "R33 what upgraded nothing claims nothing", tale: tale{begun, Skipped{IDs: []string{"0", "1", "2", "3", "4", "5"}}}, plan: guarded, seen: reads(says(ProbeFail, "x")), kind: AskModel, reason: ReasonModel},
		{name: "R3 an abort is not kept waiting", tale: tale{requested, granted("ud-0"), by{"UBO", AbortAsked{Name: "bo", Reason: "x"}}}, plan: guarded, seen: reads(says(ProbeFail, "x")), kind: End, end: OutcomeAborted},
		{name: "R48 a call is not sent once more while a gate fails", tale: settled, plan: guarded, seen: all(set(modelOnNew), reads(says(ProbeFail, "HTTP 503"))), kind: Wait, reason: ReasonProbe},
		{name: "R48 it is once it passes", tale: settled, plan: guarded, seen: all(set(modelOnNew), reads(says(ProbePass, ""))), kind: Resend, reason: ReasonUnknown},
	} {
		t.Run(row.name, row.run)
	}
}

func TestR5TheWayBackAsksNoExternalGate(t *testing.T) {
	p := webPlan(guarded)
	p.Action = ActionRollback
	v := view{p: p, r: tale{begun}.fold(), now: night}
	v.seen = seenAfter(p, v.r)
	v.seen.Policy.Probes = []Probe{slo}
	reads(says(ProbeFail, "HTTP 503"))(&v.seen)
	if probes, facts := v.probes(), v.noteProbes(); len(probes) > 0 || len(facts) > 0 || failing(v) != nil {
		t.Errorf("a rollback is held by %v, and notes %v", probes, facts)
	}
}

func TestWhatAnExternalGateSaysIsNotedWhenItChanges(t *testing.T) {
	p := webPlan(guarded)
	for _, row := range []struct {
		name string
		tale tale
		seen change
		want []Fact
	}{
		{"first", begun, reads(says(ProbePass, "HTTP 200")), []Fact{Probed{Name: "slo", State: ProbePass, Why: "HTTP 200"}}},
		{"the same again is no news", tale{begun, heard(ProbePass)}, reads(says(ProbePass, "HTTP 204")), nil},
		{"a failure, of which people are told", tale{begun, heard(ProbePass)}, reads(says(ProbeFail, "HTTP 503")), []Fact{Probed{Name: "slo", State: ProbeFail, Why: "HTTP 503", News: true}}},
		{"one of another kind is the same failure", tale{begun, heard(ProbeFail)}, reads(says(ProbeFail, "HTTP 500")), nil},
		{"silence after it", tale{begun, heard(ProbeFail)}, nil, []Fact{Probed{Name: "slo", State: ProbeUnknown, Why: "it was not asked yet"}}},
		{"why it tells nothing, once that is known", tale{begun, Probed{Name: "slo", State: ProbeUnknown, Why: notAsked}}, reads(says(ProbeUnknown, "HTTP 302")), []Fact{Probed{Name: "slo", State: ProbeUnknown, Why: "HTTP 302"}}},
		{"another reason is no news", tale{begun, Probed{Name: "slo", State: ProbeUnknown, Why: "HTTP 302"}}, reads(says(ProbeUnknown, "HTTP 429")), nil},
		{"a failure soon after is the same trouble", tale{begun, heard(ProbeFail), heard(ProbePass), 9 * time.Minute}, reads(says(ProbeFail, "x")), []Fact{Probed{Name: "slo", State: ProbeFail, Why: "x"}}},
		{"one later is another", tale{begun, heard(ProbeFail), heard(ProbePass), 10 * time.Minute}, reads(says(ProbeFail, "x")), []Fact{Probed{Name: "slo", State: ProbeFail, Why: "x", News: true}}},
		{"also while the set cannot be read", tale{begun, heard(ProbePass)}, all(unreadable, reads(says(ProbeFail, "x"))), []Fact{Probed{Name: "slo", State: ProbeFail, Why: "x", News: true}}},
		{"and not after the end", tale{begun, Ended{Outcome: OutcomeAborted}}, reads(says(ProbeFail, "x")), nil},
	} {
		r := row.tale.fold()
		seen := seenAfter(p, r)
		if row.seen != nil {
			row.seen(&seen)
		}
		got := slices.DeleteFunc(Note(p, r, seen, row.tale.ends()), func(f Fact) bool { _, is := f.(Probed); return !is })
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}

func TestAnExternalGateThatBoundForAWhileIsNotLeftFailing(t *testing.T) {
	r := tale{begun, heard(ProbeFail)}.fold()
	got := Note(webPlan(), r, seenAfter(webPlan(), r), night)
	if len(got) == 0 || got[0] != (Probed{Name: "slo", State: ProbePass, Why: "it does not bind any more"}) {
		t.Errorf("%+v", got)
	}
}

func TestAFailureOfAnExternalGateIsToldInTheThreadOnceAndBroughtUpToDate(t *testing.T) {
	slots := func(facts ...Fact) []string {
		r := tale{requested, asked("ud-0")}.fold()
		var all []string
		for _, f := range facts {
			e := Event{Seq: r.Seq + 1, At: night, Fact: f}
			r = r.With(e)
			for _, p := range Posts(r, []Event{e}) {
				if strings.HasPrefix(p.Slot, "outage/") && !p.Broadcast {
					all = append(all, p.Slot)
				}
			}
		}
		return all
	}
	again := Probed{Name: "slo", State: ProbeFail}
	if got := slots(heard(ProbePass), heard(ProbeUnknown), heard(ProbePass)); got != nil {
		t.Errorf("nothing has failed, and people are told in %v", got)
	}
	if got := slots(heard(ProbeFail), heard(ProbePass), again, heard(ProbeUnknown)); len(slices.Compact(got)) != 1 || len(got) == 0 {
		t.Errorf("one trouble is told in %v", got)
	}
	if got := slots(heard(ProbeFail), heard(ProbePass), heard(ProbeFail)); len(got) != 3 || got[0] != got[1] || got[1] == got[2] {
		t.Errorf("two are told in %v", got)
	}
}

func TestAnApproversWordForAnExternalGate(t *testing.T) {
	silent := tale{begun, heard(ProbeUnknown), 5 * time.Minute}
	word := func(reason string, ids ...string) Word {
		return Word{Verb: WordResolve, Verdict: Passes, Reason: reason, IDs: ids}
	}
	for _, row := range []struct {
		name string
		tale tale
		who  Person
		word Word
		code Code
		gate string
	}{
		{"R1 past its patience it counts", silent, bo, word("the dashboard"), "", "ud-0"},
		{"R1 not before", tale{begun, heard(ProbeUnknown), 5*time.Minute - 1}, bo, word("x"), CodeState, ""},
		{"R26 nor against a no", tale{begun, heard(ProbeFail), time.Hour}, bo, word("x"), CodeState, ""},
		{"R1 a pass takes none", tale{begun, heard(ProbePass), time.Hour}, bo, word("x"), CodeState, ""},
		{"R1 with a reason", silent, bo, word(""), CodeArg, ""},
		{"R42 instances are something else", silent, bo, word("x", "3"), CodeArg, ""},
		{"R23 never the requester's", silent, ana, word("x"), CodeRole, ""},
		{"R24 nor one that was given before", silent, bo, Word{Verb: WordResolve, Verdict: Passes, Reason: "x", At: night.Add(-time.Minute)}, CodeState, ""},
		{"R32 at the end also against a no", tale{udDone(2), heard(ProbeFail)}, bo, word("it is another's fault"), "", ""},
	} {
		r := row.tale.fold()
		p := webPlan(guarded)
		got, no := Hear(row.word, row.who, nil, p, r, p.Policy, row.tale.ends())
		switch {
		case row.code != "":
			if no == nil || no.Code != row.code {
				t.Errorf("%s: %+v, %v, want %s", row.name, got, no, row.code)
			}
		case no != nil:
			t.Errorf("%s: %v", row.name, no)
		default:
			f, is := got.Facts[0].(Resolved)
			if !is || f.Gate != row.gate || !slices.Equal(f.Probes, []string{"slo"}) || f.Reason == "" || f.Name != "bo" {
				t.Errorf("%s: %+v", row.name, got.Facts)
			}
		}
	}
}

func TestANewPlanTakesNobodysWordForAnExternalGateAlong(t *testing.T) {
	r := tale{begun, heard(ProbeUnknown), vouched("ud-0"), Replanned{Digest: "d"}}.fold()
	if st := r.Probes["slo"]; st.Vouched != nil || st.State != ProbeUnknown {
		t.Errorf("%+v", st)
	}
}

func TestAnotherReasonForTheSameDoesNotPutOffItsPatience(t *testing.T) {
	r := tale{begun, heard(ProbeUnknown), time.Minute, vouched("ud-0"), Probed{Name: "slo", State: ProbeUnknown, Why: "another"}}.fold()
	if st := r.Probes["slo"]; !st.At.Equal(tale{begun}.ends()) || st.Why != "another" || st.Vouched == nil {
		t.Errorf("%+v", st)
	}
}

func TestSeveralExternalGatesInTheWayAreEachNamed(t *testing.T) {
	v := view{p: webPlan(guarded), r: tale{begun}.fold(), now: night}
	v.seen = seenAfter(v.p, v.r)
	v.seen.Policy.Probes = []Probe{slo, {Name: "errors", Sum: "e"}, {Name: "queue", Sum: "q"}}
	v.seen.Gates = map[string]Reading{"slo": says(ProbeFail, "HTTP 503"), "errors": {State: ProbeFail, Why: "0.2 is not below 0.01", At: night}, "queue": {State: ProbeUnknown, Why: "half an answer", At: night}}
	d := Decide(v.p, v.r, v.seen, night)
	if d.Reason != ReasonUnproven || !mentions(d.Blockers, ReasonProbe) { // patience 0: at once
		t.Fatalf("%s, %+v", d.Reason, d.Blockers)
	}
	b := d.Blockers[1]
	if b.What != "external gates slo, errors fail" || len(b.Details) != 2 || !strings.HasPrefix(b.Details[1], "errors: 0.2 is not below 0.01, since ") {
		t.Errorf("%+v", b)
	}
}
