package upgrade

import (
	"testing"
	"testing/synctest"
	"time"
)

// second is the request of a rollout in the second of two waves, after the rollout r-0 of the canary set.
var second = by{"UANA", Requested{Digest: webPlan().Digest, Channel: "C1", Name: "ana", Wave: &Wave{Group: "g-0", Name: "web-*", N: 2, Of: 3, Channel: "C1",
	After: []Place{{Rollout: "r-0", Set: canaryID, Name: "canary", N: 1}}}}}

// third comes after it.
var third = by{"UANA", Requested{Digest: webPlan().Digest, Channel: "C1", Name: "ana", Wave: &Wave{Group: "g-0", Name: "web-*", N: 3, Of: 3, Channel: "C1",
	After: []Place{{Rollout: "r-0", Set: canaryID, Name: "canary", N: 1}, {Rollout: "r-2", Set: "/x/second", Name: "second", N: 2}}}}}

const canaryID SetID = "/subscriptions/s/resourcegroups/shop/providers/microsoft.compute/virtualmachinescalesets/canary"

// before is how the canary stands; more is other sets of earlier waves.
func before(s Standing, more ...Standing) change {
	return func(o *Observation) {
		o.Before = map[string]Standing{"r-0": s}
		for _, m := range more {
			o.Before["r-2"] = m
		}
	}
}

func ending(o Outcome, at time.Duration) Standing {
	return Standing{Rollout: "r-0", Outcome: o, At: night.Add(at), Goal: true}
}

var underWay = Standing{Rollout: "r-0", Goal: true}

func goOn(over string) by {
	return by{"UBO", Resolved{Name: "bo", Reason: "seen", Verdict: GoOn, Over: []string{over}}}
}

func TestNothingOfAWaveStartsBeforeTheWavesBeforeHaveSucceeded(t *testing.T) {
	agreed := tale{begun, second}
	elsewhere := ending(OutcomeSucceeded, 0)
	elsewhere.Rollout, elsewhere.Goal = "r-9", false
	for _, row := range []decideRow{
		{name: "while one of them is under way", tale: agreed, seen: before(underWay), kind: Wait, reason: ReasonWave, says: "is next, after canary (r-0)"},
		{name: "while it is not known how they stand", tale: agreed, seen: func(o *Observation) { o.Before = nil }, kind: Wait, reason: ReasonWave},
		{name: "while one of them is taken back", tale: agreed, seen: before(Standing{Rollout: "r-9"}), kind: Wait, reason: ReasonWave, says: "after canary (r-9, which is for something else)"},
		{name: "once they have, it starts", tale: agreed, seen: before(ending(OutcomeSucceeded, 0)), kind: Start},
		{name: "to set instances aside is no success of the whole", tale: agreed, seen: before(ending(OutcomeAside, 0)), kind: Hold, reason: ReasonHalted, says: "canary: succeeded with quarantine (r-0)"},
		{name: "nor is nothing to do", tale: agreed, seen: before(ending(OutcomeNothing, 0)), kind: Hold, reason: ReasonHalted},
		{name: "an abort", tale: agreed, seen: before(ending(OutcomeAborted, 0)), kind: Hold, reason: ReasonHalted},
		{name: "a failure", tale: agreed, seen: before(ending(OutcomeFailed, 0)), kind: Hold, reason: ReasonHalted},
		{name: "an expiry", tale: agreed, seen: before(ending(OutcomeExpired, 0)), kind: Hold, reason: ReasonHalted},
		{name: "a rollback, also of what had succeeded", tale: agreed, seen: before(ending(OutcomeRollback, 0)), kind: Hold, reason: ReasonHalted},
		{name: "another goal since", tale: agreed, seen: before(elsewhere), kind: Hold, reason: ReasonHalted, says: "canary: it has got something else since (r-9)"},
		{name: "an approver lets it go on", tale: tale{agreed, goOn("r-0")}, seen: before(ending(OutcomeAborted, 0)), kind: Start},
		{name: "but not past what ended after that", tale: tale{agreed, goOn("r-0")}, seen: before(elsewhere), kind: Hold, reason: ReasonHalted},
		{name: "R24 nobody is asked before it is its turn", tale: tale{second}, seen: before(underWay), kind: Wait, reason: ReasonWave},
		{name: "nor while it waits for somebody", tale: tale{second}, seen: before(ending(OutcomeFailed, 0)), kind: Hold, reason: ReasonHalted},
		{name: "then people are", tale: tale{second}, seen: before(ending(OutcomeSucceeded, 0)), kind: AskGate, reason: ReasonApproval},
		{name: "the wave after the next names no set that may change", tale: tale{third}, seen: before(underWay), kind: Wait, reason: ReasonWave, says: "the waves before it come first"},
		{name: "one wave of two is not enough", tale: tale{third}, seen: before(ending(OutcomeSucceeded, 0), Standing{Rollout: "r-2", Goal: true}), kind: Wait, reason: ReasonWave, says: "after second (r-2)"},
		{name: "all of them are", tale: tale{third}, seen: before(ending(OutcomeSucceeded, 0), ending(OutcomeSucceeded, 0)), kind: AskGate, reason: ReasonApproval},
		{name: "R26 R48 a re-send waits like any write", tale: tale{settled, second}, seen: before(underWay), kind: Wait, reason: ReasonWave},
		{name: "R2 what is in flight is followed", tale: tale{agreed, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}, seen: before(ending(OutcomeRollback, 0)), kind: Wait, reason: ReasonInFlight},
		{name: "what is done ends", tale: tale{udDone(2), second}, seen: before(ending(OutcomeRollback, 0)), later: time.Hour, kind: End, end: OutcomeSucceeded},
		{name: "R11 a window comes first", tale: agreed, plan: inWindows(mustWindow("fri", "0 3 * * FRI", 2*time.Hour)), seen: before(underWay), kind: Wait, reason: ReasonWindow},
		{name: "R27 and it before health", tale: agreed, seen: all(before(underWay), instance("4", ill), instance("5", ill)), kind: Wait, reason: ReasonWave},
	} {
		t.Run(row.name, row.run)
	}
}

func TestR17ALaterWaveLivesFromItsOpening(t *testing.T) {
	day := 24 * time.Hour
	for _, row := range []decideRow{
		{name: "not from its request", tale: tale{second}, later: 30 * day, seen: before(underWay), kind: Wait, reason: ReasonWave},
		{name: "but from the end of the last one before", tale: tale{second}, later: 5*day - time.Minute, seen: before(ending(OutcomeSucceeded, 4*day)), kind: AskGate, reason: ReasonApproval},
		{name: "for a day", tale: tale{second}, later: 5 * day, seen: before(ending(OutcomeSucceeded, 4*day)), kind: End, end: OutcomeExpired},
		{name: "a day after one before has failed it is over, too", tale: tale{second}, later: 5 * day, seen: before(ending(OutcomeFailed, 4*day)), kind: End, end: OutcomeExpired},
		{name: "and all waves after it at once", tale: tale{third}, later: 5 * day, seen: before(ending(OutcomeFailed, 4*day), Standing{Rollout: "r-2", Goal: true}), kind: End, end: OutcomeExpired},
		{name: "unless somebody has let it go on since", tale: tale{second, 5 * day, goOn("r-0")}, seen: before(ending(OutcomeFailed, 4*day)), kind: AskGate, reason: ReasonApproval},
	} {
		t.Run(row.name, row.run)
	}
}

func canaryPlan() Plan {
	p := webPlan()
	p.Set, p.Name = canaryID, "canary"
	return p
}

// canaried is a journal with the canary's rollout and the one of the second wave.
func canaried(canary tale) *memory {
	m := newMemory()
	m.open("r-0", canaryPlan(), canary)
	m.open("r-1", webPlan(), tale{second})
	return m
}

func TestTheLastRolloutOfASetSaysHowItStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		place := Place{Rollout: "r-0", Set: canaryID}
		over := func(o Outcome) tale { return tale{requested, Ended{Outcome: o}} }
		later := func(m *memory, id string, tale tale, change func(*Plan)) {
			p := webPlan()
			p.Set = canaryID
			if change != nil {
				change(&p)
			}
			if tale.fold().Ended == nil {
				m.open(id, p, tale)
				return
			}
			m.past = append(m.past, Record{ID: id, Plan: p, Rollout: Fold(id, tale.events())}) // the latest
		}
		for _, row := range []struct {
			name  string
			own   tale
			since func(*memory)
			want  Standing
		}{
			{"its own, under way", tale{requested}, nil, Standing{Rollout: "r-0", Goal: true}},
			{"its own, ended", over(OutcomeSucceeded), nil, Standing{Rollout: "r-0", Outcome: OutcomeSucceeded, Goal: true}},
			{"a new one after a failure", over(OutcomeFailed), func(m *memory) { later(m, "r-9", tale{requested}, nil) }, Standing{Rollout: "r-9", Goal: true}},
			{"which succeeds", over(OutcomeFailed), func(m *memory) { later(m, "r-9", over(OutcomeSucceeded), nil) }, Standing{Rollout: "r-9", Outcome: OutcomeSucceeded, Goal: true}},
			{"with another image", over(OutcomeFailed), func(m *memory) {
				later(m, "r-9", over(OutcomeSucceeded), func(p *Plan) { p.Target.Setting = to(version("3.0")) })
			}, Standing{Rollout: "r-9", Outcome: OutcomeSucceeded}},
			{"of fewer instances", over(OutcomeFailed), func(m *memory) {
				later(m, "r-9", over(OutcomeSucceeded), func(p *Plan) { p.Which.Instances = []string{"3"} })
			}, Standing{Rollout: "r-9", Outcome: OutcomeSucceeded}},
			{"a rollback of a success", over(OutcomeSucceeded), func(m *memory) {
				later(m, "r-9", tale{requested}, func(p *Plan) { p.Action, p.Target.Setting = ActionRollback, to(v1) })
			}, Standing{Rollout: "r-9"}},
		} {
			m := canaried(row.own)
			if row.since != nil {
				row.since(m)
			}
			got, err := stands(t.Context(), m, place)
			if got.At = (time.Time{}); err != nil || got != row.want {
				t.Errorf("%s: it stands %+v (%v), want %+v", row.name, got, err, row.want)
			}
		}
	})
}

func TestAPassReadsHowTheWavesBeforeStand(t *testing.T) {
	inLab(t, tale{second}, func(l *lab) {
		l.open("r-0", canaryPlan(), tale{requested, Ended{Outcome: OutcomeAborted}})
		l.records["r-0"].wake = time.Time{}
		if err := l.pass(); err != nil {
			t.Fatal(err)
		}
		rec, _ := l.memory.Record(t.Context(), "r-1")
		if d := LastDecided(rec.Events); d.Reason != ReasonHalted {
			t.Errorf("it is decided %s (%s), want that it waits for somebody", d.Reason, d.Text)
		}
	})
}

func TestR1AnApproverLetsAWaveGoOn(t *testing.T) {
	d, _, _ := deskAt(night)
	m := canaried(tale{requested, Ended{Outcome: OutcomeAborted}})
	d.Journal = m
	word := Word{Verb: WordResolve, Rollout: "r-1", Channel: "C1", Verdict: GoOn, Reason: "the disk was full"}
	if _, _, err := d.Say(t.Context(), ana, word); refusal(t, err).Code != CodeRole {
		t.Errorf("the requester: %v, want no right", err)
	}
	silent := word
	silent.Reason = ""
	if _, _, err := d.Say(t.Context(), bo, silent); refusal(t, err).Code != CodeArg {
		t.Errorf("without a reason: %v", err)
	}
	early := word
	early.At = night.Add(-time.Minute)
	if _, _, err := d.Say(t.Context(), bo, early); refusal(t, err).Code != CodeStale {
		t.Errorf("said before it failed: %v", err)
	}
	change, _, err := d.Say(t.Context(), bo, word)
	if err != nil || len(change.Events) != 1 {
		t.Fatalf("%+v, %v", change, err)
	}
	if r := Fold("r-1", tale{second}.events()).With(change.Events...); !r.Over["r-0"] {
		t.Errorf("it is over %v, want r-0", r.Over)
	}
	d.Journal = canaried(tale{requested})
	if _, _, err := d.Say(t.Context(), bo, word); refusal(t, err).Code != CodeState {
		t.Errorf("while the canary is under way: %v, want that nothing has failed", err)
	}
}

func TestTheMessageOfAGroupComesFirstAndIsKeptUpToDate(t *testing.T) {
	events := tale{second}.events()
	posts := Posts(Fold("r-1", events), events)
	if want := (Post{Rollout: "r-0", Slot: SlotGroup, Channel: "C1"}); len(posts) == 0 || posts[0].Rollout != want.Rollout || posts[0].Slot != want.Slot || posts[0].Channel != want.Channel {
		t.Errorf("the request posts %+v, want %+v first", posts, want)
	}
	if Lead("g-0") != "r-0" || GroupOf("r-0") != "g-0" || !IsGroup("g-0") || IsGroup("r-0") {
		t.Error("a group's id does not tell its first rollout")
	}
}
