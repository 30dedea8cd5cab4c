package upgrade

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// noteRow is one case of what a reading adds to a rollout.
type noteRow struct {
	name  string
	tale  tale                            // what has happened
	plan  func(*ScaleSet, *Policy, *Wish) // nil = web's plan
	seen  change                          // nil = the world as the tale left it
	later time.Duration                   // after the tale
	want  []string                        // the facts as brief writes them; nil = none
}

// brief writes a fact in a few words.
func brief(f Fact) string {
	switch f := f.(type) {
	case Settled:
		if f.OK {
			return "settled " + f.Op
		}
		return fmt.Sprintf("failed %s %s", f.Op, f.Code)
	case Looked:
		if f.Moving {
			return "moving"
		}
		return fmt.Sprintf("looked %v", f.Outdated)
	case InstanceSeen:
		return fmt.Sprintf("%s %s", f.ID, f.State)
	case ModelSet:
		return fmt.Sprintf("model %s, was %s", f.To, f.Previous)
	case ModelReverted:
		return fmt.Sprintf("reverted %v", f.OK)
	case Serving:
		return fmt.Sprintf("serving %d/%d", f.N, f.Total)
	case Evidence:
		return f.ID + " kept"
	case Born:
		return fmt.Sprintf("%s born on %s", f.ID, f.From)
	}
	return FactKind(f)
}

func (row noteRow) run(t *testing.T) {
	p := webPlan()
	if row.plan != nil {
		p = webPlan(row.plan)
	}
	r := tale{row.tale, Serving{N: 0, Total: 6}}.fold() // as low as can be: rows about serving fold it away
	seen := seenAfter(p, r)
	if row.seen != nil {
		row.seen(&seen)
	}
	now := row.tale.ends().Add(row.later)
	var got []string
	facts := Note(p, r, seen, now)
	for _, f := range facts {
		got = append(got, brief(f))
	}
	if !slices.Equal(got, row.want) {
		t.Fatalf("noted %q, want %q", got, row.want)
	}
	if rest := Note(p, r.With(At(now, "", facts...)...), seen, now); len(rest) > 0 {
		t.Errorf("the same reading is noted again and again: %q, then %q", got, rest)
	}
}

func runNotes(t *testing.T, rows []noteRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, row.run)
	}
}

func answered(done, ok bool, code string) change {
	return func(o *Observation) { o.Op = &OpReading{Done: done, OK: ok, Code: code, Message: "m"} }
}

// short is a list that lacks instances the set should have.
func short(ids ...string) change {
	return set(func(s *ScaleSet) {
		s.Instances = slices.DeleteFunc(s.Instances, func(i Instance) bool { return slices.Contains(ids, i.ID) })
	})
}

func TestNoteOnOperations(t *testing.T) {
	going := tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1", Azure: night}}
	patching := tale{requested, granted("ud-0"), write(patch()), Accepted{Op: "op-model"}}
	reverting := tale{begun, by{"UANA", AbortAsked{Answer: Revert}}, write(Operation{ID: "op-back", Kind: OpRevert, To: to(v1)}), Accepted{Op: "op-back"}}
	runNotes(t, []noteRow{
		{name: "nothing is noted of an ended rollout", tale: tale{going, Ended{}}, seen: answered(true, true, "")},
		{name: "nothing is noted under an entry that is not understood", tale: tale{going, Unread{Kind: "x"}}, seen: answered(true, true, "")},
		{name: "R1 an aborted call that nobody can follow is let go when its time is up", tale: tale{going, by{"UANA", AbortAsked{Answer: Keep}}}, later: 15 * time.Minute, seen: unreadable, want: []string{"failed op-1 UnknownOutcome"}},
		{name: "R1 not before", tale: tale{going, by{"UANA", AbortAsked{Answer: Keep}}}, later: 14 * time.Minute, seen: unreadable},
		{name: "R46 nothing is noted from a broken reading", tale: going, seen: all(answered(true, true, ""), unreadable)},
		{name: "R46 nothing is noted from an empty list of a set of six", tale: going, seen: set(func(s *ScaleSet) { s.Instances = nil })},
		{name: "an intent that was never sent is not judged", tale: tale{begun, Intended{batchOp(1, "0")}}},
		{name: "R38 a call that goes on is left alone", tale: going, seen: answered(false, false, "")},
		{name: "R38 a call whose poll failed is left alone", tale: going},
		{name: "its end is noted", tale: going, seen: all(answered(true, true, ""), instance("0", updating), instance("3", updating)), want: []string{"settled op-1"}},
		{name: "a failed end is noted with Azure's code", tale: going, seen: answered(true, false, "VMFailed"), want: []string{"failed op-1 VMFailed"}},
		{name: "R8 a call that never ends is over at its deadline", tale: going, later: 15 * time.Minute, seen: all(instance("0", updating), instance("3", updating)), want: []string{"failed op-1 OperationTimeout", "0 failed", "3 failed", "0 kept", "3 kept"}},
		{name: "R8 an OS-image notification gives it 15 minutes more", tale: going, later: 29 * time.Minute, seen: set(func(s *ScaleSet) { s.ImageNotice = true })},
		{name: "R41 the model that was set is noted with the one before", tale: patching, seen: all(answered(true, true, ""), set(modelOnNew)), want: []string{"settled op-model", "model 2.0, was 1.0"}},
		{name: "R41 a model that Azure calls set is read before it is believed", tale: patching, later: time.Minute, seen: answered(true, true, "")},
		{name: "R41 and failed when it does not show", tale: patching, later: 90 * time.Second, seen: answered(true, true, ""), want: []string{"failed op-model ModelNotSet"}},
		{name: "R41 a model that is set is set, whatever Azure says of the write", tale: patching, seen: all(answered(true, false, "Oops"), set(modelOnNew)), want: []string{"settled op-model", "model 2.0, was 1.0"}},
		{name: "R41 a failed write of the model is noted", tale: patching, seen: answered(true, false, "Oops"), want: []string{"failed op-model Oops"}},
		{name: "R4 the old image put back is noted", tale: reverting, seen: all(answered(true, true, ""), set(func(s *ScaleSet) { s.Model.Image = v1 })), want: []string{"settled op-back", "reverted true"}},
		{name: "R4 that it could not be is noted, too", tale: reverting, seen: answered(true, false, "Oops"), want: []string{"failed op-back Oops", "reverted false"}},
		{name: "a set that Azure does not know is noted once", tale: going, seen: gone, want: []string{"Unfound"}},
		{name: "and that it is there again", tale: tale{begun, Unfound{}}, want: []string{"Unfound"}},
		{name: "R46 an instance that a short list lacks is noted, not believed gone", tale: going, seen: short("0"), want: []string{"Absent"}},
		{name: "R46 it is gone when a later list agrees", tale: tale{going, Absent{ID: "0"}, 30 * time.Second}, seen: short("0"), want: []string{"0 vanished"}},
		{name: "R46 and back when a later list has it", tale: tale{going, Absent{ID: "0"}}, want: []string{"Absent"}},
		{name: "a set that is gone ends the call in flight", tale: tale{going, Unfound{}, 90 * time.Second}, seen: gone, want: []string{"failed op-1 ScaleSetGone"}},
		{name: "a set that is gone has nothing else to tell", tale: tale{begun, Unfound{}, 90 * time.Second}, seen: gone},
	})
}

func TestNoteOnUnknownOutcomes(t *testing.T) {
	looked := tale{lost, 90 * time.Second, Looked{Op: "op-1", Outdated: []string{"0", "3"}}}
	modelLost := tale{requested, granted("ud-0"), write(patch()), Unanswered{Op: "op-model"}}
	backLost := func(again bool, etag string) tale {
		return tale{begun, by{"UANA", AbortAsked{Answer: Revert}}, write(Operation{ID: "op-back", Kind: OpRevert, To: to(v1), IfMatch: etag, Resend: again}), Unanswered{Op: "op-back"},
			2 * time.Minute, Looked{Op: "op-back", Outdated: []string{"model"}}, time.Minute, Looked{Op: "op-back", Outdated: []string{"model"}}}
	}
	both := all(instance("0", onNew), instance("3", onNew))
	runNotes(t, []noteRow{
		{name: "R48 what shows that it happened is believed at once", tale: lost, seen: both, want: []string{"settled op-1", "0 confirmed", "3 confirmed"}},
		{name: "R48 not while the set is at work", tale: lost, seen: all(both, instance("5", updating)), want: []string{"0 checking", "3 checking"}},
		{name: "R48 no list is believed in the first 90 seconds", tale: lost, later: 90*time.Second - 1},
		{name: "R48 the first look comes then", tale: lost, later: 90 * time.Second, want: []string{"looked [0 3]"}},
		{name: "R48 the second not within 30 seconds", tale: looked, later: 30*time.Second - 1},
		{name: "R48 but then", tale: looked, later: 30 * time.Second, want: []string{"looked [0 3]"}},
		{name: "R48 a set at work is noted once and voids the look before", tale: looked, later: time.Minute, seen: instance("3", updating), want: []string{"moving"}},
		{name: "R48 R40 two looks that agree are enough, however long people take", tale: tale{settled, by{"UANA", Paused{}}}, later: 5 * time.Hour},
		{name: "R48 a third that differs is noted", tale: settled, later: time.Minute, seen: instance("0", onNew), want: []string{"looked [3]", "0 checking"}},
		{name: "R3 after an abort two looks end it", tale: tale{settled, by{"UANA", AbortAsked{}}}, want: []string{"failed op-1 UnknownOutcome", "0 inconclusive", "3 inconclusive", "0 kept", "3 kept"}},
		{name: "R3 after an abort a set that never rests ends it at the deadline", tale: tale{lost, by{"UANA", AbortAsked{}}}, later: 15 * time.Minute, seen: instance("4", updating), want: []string{"failed op-1 UnknownOutcome", "0 inconclusive", "3 inconclusive", "0 kept", "3 kept"}},
		{name: "R17 so does the rollout's own end", tale: settled, later: 7 * 24 * time.Hour, want: []string{"failed op-1 UnknownOutcome", "0 inconclusive", "3 inconclusive", "0 kept", "3 kept"}},
		{name: "R8 no deadline runs for what may never have begun", tale: tale{settled, by{"UANA", Paused{}}}, later: 5 * time.Hour},
		{name: "R48 a vanished instance is no part of the question", tale: lost, later: 90 * time.Second, seen: without("0"), want: []string{"looked [3]", "0 vanished"}},
		{name: "R48 the model's write is believed when it shows", tale: modelLost, seen: set(modelOnNew), want: []string{"settled op-model", "model 2.0, was 1.0"}},
		{name: "R48 and looked for when it does not", tale: modelLost, later: 90 * time.Second, want: []string{"looked [model]"}},
		{name: "R4 a revert that does not show is left to people", tale: backLost(false, `"0"`), want: []string{"failed op-back UnknownOutcome", "reverted false"}},
		{name: "R4 R48 unless the etag tells that it never happened", tale: backLost(false, `"1"`), want: []string{"failed op-back NoTrace"}},
		{name: "R4 R48 once", tale: backLost(true, `"1"`), want: []string{"failed op-back UnknownOutcome", "reverted false"}},
		{name: "R48 instances of an owed re-send are no failures", tale: dropped, later: time.Hour},
		{name: "R48 when the first call shows after all they are judged", tale: dropped, later: time.Hour, seen: instance("0", onNew), want: []string{"0 confirmed", "3 failed", "3 kept"}},
		{name: "R3 after an abort nothing is owed", tale: tale{dropped, by{"UANA", AbortAsked{}}}, later: time.Hour, want: []string{"0 inconclusive", "3 inconclusive", "0 kept", "3 kept"}},
	})
}

func TestNoteOnInstances(t *testing.T) {
	over := tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1", Azure: night}, time.Minute, Settled{Op: "op-1", OK: true}}
	confirmed := tale{over, InstanceSeen{ID: "0", State: Confirmed, Image: "2.0"}}
	zero := func(f func(*Instance)) change { return all(instance("0", onNew), instance("0", f)) }
	runNotes(t, []noteRow{
		{name: "R28 on the new image before the call is over: checking", tale: tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1"}}, seen: instance("0", onNew), want: []string{"0 checking"}},
		{name: "R28 good once is confirmed, not done", tale: over, seen: instance("0", onNew), want: []string{"0 confirmed"}},
		{name: "R28 good twice in less than ten seconds is not done", tale: confirmed, later: 9 * time.Second},
		{name: "R28 good twice ten seconds apart is done", tale: confirmed, later: 10 * time.Second, want: []string{"0 ok"}},
		{name: "R28 ill in between starts over", tale: confirmed, later: 10 * time.Second, seen: zero(ill), want: []string{"0 checking"}},
		{name: "R28 not running is not good", tale: over, seen: zero(func(i *Instance) { i.Power = Starting }), want: []string{"0 checking"}},
		{name: "R28 a health of unknown is not good", tale: over, seen: zero(func(i *Instance) { i.Health = UnknownState }), want: []string{"0 checking"}},
		{name: "R28 a health from before the call is not good", tale: over, seen: zero(func(i *Instance) { i.HealthAt = night.Add(-time.Second) }), want: []string{"0 checking"}},
		{name: "R28 a health from after it is", tale: over, seen: zero(func(i *Instance) { i.HealthAt = night.Add(time.Second) }), want: []string{"0 confirmed"}},
		{name: "R28 without any health signal power and provisioning count", tale: over, seen: zero(func(i *Instance) { i.Health = NoHealth }), want: []string{"0 confirmed"}},
		{name: "R43 another exact version is not the target", tale: over, seen: instance("0", func(i *Instance) { i.Image.Exact = "2.0.1" })},
		{name: "R41 for target model an unapplied model is not the target", tale: over, plan: targetModel, seen: zero(func(i *Instance) { i.LatestModel = false })},
		{name: "R29 failed provisioning fails at once", tale: over, seen: zero(func(i *Instance) { i.Provisioning = Failed }), want: []string{"0 failed", "0 kept"}},
		{name: "R29 not while Azure is at work on the call", tale: tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1"}}, seen: instance("0", func(i *Instance) { i.Provisioning = Failed })},
		{name: "R29 still on the old image is given 90 seconds after the end", tale: over, later: 90*time.Second - 1},
		{name: "R29 then it failed, whatever the call said", tale: over, later: 90 * time.Second, want: []string{"0 failed", "0 kept"}},
		{name: "R29 not while it is still updating", tale: over, later: 90 * time.Second, seen: instance("0", updating)},
		{name: "R8 not healthy by the deadline failed", tale: over, later: 14 * time.Minute, seen: zero(ill), want: []string{"0 failed", "0 kept"}},
		{name: "R21 a Spot instance that was evicted meanwhile is left out", tale: over, seen: zero(func(i *Instance) { i.Spot, i.Power = true, Deallocated }), want: []string{"0 left out"}},
		{name: "R29 one that found no machine to be put on failed", tale: over, seen: zero(func(i *Instance) { i.Spot, i.Power, i.Provisioning = true, Deallocated, Failed }), want: []string{"0 failed", "0 kept"}},
		{name: "R34 one that vanished is noted", tale: over, seen: without("0"), want: []string{"0 vanished"}},
		{name: "R9 what failed is not judged again", tale: tale{over, InstanceSeen{ID: "0", State: Broken}}, seen: instance("0", onNew), want: []string{"0 kept"}},
		{name: "R34 vanished instances of any gate are noted", tale: begun, seen: without("0", "5"), want: []string{"0 vanished", "5 vanished"}},
		{name: "R34 current ones of the next gate are left out", tale: begun, seen: instance("0", onNew), want: []string{"0 left out"}},
		{name: "R34 those of later gates are seen to when their gate is next", tale: begun, seen: instance("1", onNew)},
		{name: "R34 protected and deallocated ones, too", tale: begun, seen: all(instance("0", func(i *Instance) { i.Protected = true }), instance("3", func(i *Instance) { i.Power = Deallocated })), want: []string{"0 left out", "3 left out"}},
		{name: "R34 a gate that is done by that makes the one after it the next", tale: begun, seen: all(without("0", "3"), instance("1", onNew)), want: []string{"0 vanished", "3 vanished", "1 left out"}},
		{name: "R34 as does one that is done with its last instance well", tale: tale{confirmed, InstanceSeen{ID: "3", State: Left}}, later: 10 * time.Second, seen: instance("1", onNew), want: []string{"0 ok", "1 left out"}},
		{name: "R42 a domain that is not told leaves nobody out", tale: begun, seen: instance("0", func(i *Instance) { i.UpdateDomain = -1 })},
		{name: "I10 a list that is older than the end of the upgrade undoes it not", tale: udDone(0), later: 89 * time.Second, seen: instance("0", func(i *Instance) { i.Image = runs(v1) })},
		{name: "I10 what was upgraded and runs something else since is done no more", tale: udDone(0), later: 90 * time.Second, seen: instance("0", func(i *Instance) { i.Image = runs(v1) }), want: []string{"0 left out"}},
		{name: "I10 that is told when it has come to rest", tale: udDone(0), later: 90 * time.Second, seen: all(instance("0", func(i *Instance) { i.Image = runs(v1) }), instance("0", updating))},
		{name: "I10 a list that names no image tells nothing of it", tale: udDone(0), later: 90 * time.Second, seen: instance("0", func(i *Instance) { i.Image = Image{} })},
		{name: "I10 nor does it undo a person's word", tale: tale{over, by{"UBO", Resolved{Verdict: IsOK, IDs: []string{"0"}}}}, seen: instance("0", func(i *Instance) { i.Image = runs(v1) })},
		{name: "a set scaled to nothing leaves nothing to do", tale: tale{requested}, seen: without("0", "1", "2", "3", "4", "5"), want: []string{"0 vanished", "3 vanished", "1 vanished", "4 vanished", "2 vanished", "5 vanished"}},
	})
}

func TestR40ServingIsNotedOnlyWhenItIsLowerThanEver(t *testing.T) {
	p := webPlan()
	r := begun.fold()
	for _, step := range []struct {
		ill  []string
		want []string
	}{
		{nil, []string{"serving 6/6"}}, {nil, nil}, {[]string{"4"}, []string{"serving 5/6"}}, {nil, nil}, {[]string{"5"}, nil}, {[]string{"4", "5"}, []string{"serving 4/6"}},
	} {
		seen := seenAfter(p, r)
		for _, id := range step.ill {
			instance(id, ill)(&seen)
		}
		facts := Note(p, r, seen, night)
		var got []string
		for _, f := range facts {
			got = append(got, brief(f))
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("with %v ill noted %q, want %q", step.ill, got, step.want)
		}
		r = r.With(At(night, "", facts...)...)
	}
	if before := (tale{requested}).fold(); len(Note(p, before, seenAfter(p, before), night)) > 0 {
		t.Error("before anything was started it is nobody's business")
	}
}
