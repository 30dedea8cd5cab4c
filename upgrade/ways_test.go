package upgrade

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What went wrong, as tales.

func brokenIn(t tale, id, code, detail string) tale {
	return tale{t, InstanceSeen{ID: id, State: Broken, Image: "1.0", Detail: detail, Code: code}, Evidence{ID: id, Lines: []string{"failed"}}}
}

// oneFailed is a rollout whose first batch ended with 0 well and 3 failed.
var oneFailed = brokenIn(tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, time.Minute, Settled{Op: "op-1", OK: true},
	InstanceSeen{ID: "0", State: OK, Image: "2.0"}}, "3", "VMExtensionProvisioningError", "extension failed")

// oneUnclear is the same with 3 inconclusive.
var oneUnclear = tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, time.Minute, Settled{Op: "op-1", OK: true},
	InstanceSeen{ID: "0", State: OK, Image: "2.0"}, 15 * time.Minute, InstanceSeen{ID: "3", State: Unclear, Image: "2.0", Detail: "nothing told"}, Evidence{ID: "3"}}

// azureSaidNo is a rollout whose first start was refused for good.
var azureSaidNo = tale{begun, write(batchOp(1, "0", "3")), Refused{Op: "op-1", Kind: FaultDenied, Code: "AuthorizationFailed", Message: "no"}}

// dark is a first call without an answer that a person must resolve: it was sent twice.
var dark = tale{settled, Settled{Op: "op-1", Code: "UnknownOutcome"}, write(again(1, "0", "3")), Unanswered{Op: "op-1-again", Cause: "timeout"},
	90 * time.Second, Looked{Op: "op-1-again", Outdated: []string{"0", "3"}}, 30 * time.Second, Looked{Op: "op-1-again", Outdated: []string{"0", "3"}}}

func TestWaysOut(t *testing.T) {
	aside := tale{oneFailed, by{"UBO", Quarantined{Name: "bo", Reason: "disk", IDs: []string{"3"}}}}
	rows := []hearRow{
		{name: "R6 retry is about what failed", in: oneFailed, word: Word{Verb: WordRetry}, want: []string{"Retried"}, says: "Instance 3 of web: asked for once more"},
		{name: "R6 or about named instances", in: oneFailed, word: Word{Verb: WordRetry, IDs: []string{"3"}}, want: []string{"Retried"}},
		{name: "R6 it keeps what is done", in: oneFailed, word: Word{Verb: WordRetry, IDs: []string{"0", "3"}}, code: CodeState, says: "instance 0 is ok"},
		{name: "R6 it does not start what was not started", in: oneFailed, word: Word{Verb: WordRetry, IDs: []string{"1"}}, code: CodeState, says: "instance 1 is not started"},
		{name: "R42 nor what is not in the plan", in: oneFailed, word: Word{Verb: WordRetry, IDs: []string{"9"}}, code: CodeUnknown},
		{name: "R6 where nothing failed there is nothing to retry", in: begun, word: Word{Verb: WordRetry}, code: CodeState, says: "nothing of r-1 has failed"},
		{name: "R6 a refusal is tried again", in: azureSaidNo, word: Word{Verb: WordRetry}, want: []string{"Retried"}, says: "tries again what Azure refused"},
		{name: "R6 what was quarantined can be retried by name", in: aside, word: Word{Verb: WordRetry, IDs: []string{"3"}}, want: []string{"Retried"}},
		{name: "R6 and only by name", in: aside, word: Word{Verb: WordRetry}, code: CodeState},
		{name: "R21 skip narrows", in: begun, word: Word{Verb: WordSkip, IDs: []string{"4"}}, want: []string{"Skipped"}},
		{name: "R42 skip without instances is refused", in: begun, word: Word{Verb: WordSkip}, code: CodeArg},
		{name: "R2 what is being upgraded is followed, not skipped", in: tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}, word: Word{Verb: WordSkip, IDs: []string{"0"}}, code: CodeState, says: "instance 0 is upgrading"},
		{name: "R30 quarantine sets a failed one aside", in: oneFailed, word: Word{Verb: WordQuarantine, IDs: []string{"3"}, Reason: "disk"}, want: []string{"Quarantined"}},
		{name: "R30 and one that fell ill again", in: udDone(0), word: Word{Verb: WordQuarantine, IDs: []string{"0"}, Reason: "503"}, want: []string{"Quarantined"}},
		{name: "R30 with a reason", in: oneFailed, word: Word{Verb: WordQuarantine, IDs: []string{"3"}}, code: CodeArg, says: "needs a reason"},
		{name: "R42 and by name", in: oneFailed, word: Word{Verb: WordQuarantine, Reason: "disk"}, code: CodeArg},
		{name: "R48 an approver says that the call happened", in: dark, word: Word{Verb: WordResolve, Verdict: Started, Reason: "seen in the portal"}, want: []string{"Resolved", "Settled"}},
		{name: "R48 or that it did not", in: dark, word: Word{Verb: WordResolve, Verdict: NotStarted, Reason: "activity log"}, want: []string{"Resolved", "Settled"}},
		{name: "R48 not while it may still happen", in: lost, word: Word{Verb: WordResolve, Verdict: NotStarted, Reason: "sure"}, code: CodeState, says: "watched first"},
		{name: "R48 nor while the set is at work", in: tale{lost, 100 * time.Second, Looked{Op: "op-1", Moving: true}}, word: Word{Verb: WordResolve, Verdict: NotStarted, Reason: "sure"}, code: CodeState, says: "at work"},
		{name: "R48 but when it never rests", in: tale{lost, 100 * time.Second, Looked{Op: "op-1", Moving: true}, 15 * time.Minute}, word: Word{Verb: WordResolve, Verdict: Started, Reason: "seen"}, want: []string{"Resolved", "Settled"}},
		{name: "R48 not of a call that has an answer", in: begun, word: Word{Verb: WordResolve, Verdict: Started, Reason: "x"}, code: CodeState},
		{name: "R48 with a reason", in: dark, word: Word{Verb: WordResolve, Verdict: Started}, code: CodeArg},
		{name: "R23 never the requester", in: dark, who: ana, word: Word{Verb: WordResolve, Verdict: Started, Reason: "x"}, code: CodeRole},
		{name: "R29 an approver says how an instance came out", in: oneUnclear, word: Word{Verb: WordResolve, Verdict: IsOK, IDs: []string{"3"}, Reason: "curl"}, want: []string{"Resolved"}},
		{name: "R29 only of inconclusive ones", in: oneUnclear, word: Word{Verb: WordResolve, Verdict: IsFailed, IDs: []string{"0"}, Reason: "curl"}, code: CodeState},
		{name: "R42 instances are named", in: oneUnclear, word: Word{Verb: WordResolve, Verdict: IsOK, Reason: "curl"}, code: CodeArg},
		{name: "R2 nothing is planned anew while a call is in flight", in: tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}, word: Word{Verb: WordReplan, Plan: &Plan{Digest: "another"}}, code: CodeState, says: "in flight"},
		{name: "R5 rollback ends it and opens the way back", in: udDone(0), who: ana, word: Word{Verb: WordRollback, Reason: "errors"}, want: []string{"AbortAsked"}, says: "a rollout back opens"},
		{name: "R5 once", in: tale{udDone(0), by{"UANA", AbortAsked{Name: "ana", Rollback: true}}}, word: Word{Verb: WordRollback}, says: "rolled back already, by ana"},
		{name: "R5 also after an abort whose question is open", in: tale{udDone(0), by{"UANA", AbortAsked{Name: "ana"}}}, word: Word{Verb: WordRollback}, want: []string{"AbortAsked"}},
		{name: "R5 nothing was upgraded: an abort is all it takes", in: begun, word: Word{Verb: WordRollback}, code: CodeState, says: "has upgraded nothing"},
		{name: "a handover calls somebody else", in: begun, word: Word{Verb: WordHandover, Taker: &eva}, want: []string{"HandedOver"}, says: "r-1 is eva's now"},
		{name: "R23 not somebody who may do nothing", in: begun, word: Word{Verb: WordHandover, Taker: &stray}, code: CodeRole},
		{name: "a handover to whoever has it changes nothing", in: begun, word: Word{Verb: WordHandover, Taker: &ana}},
		{name: "R3 after an abort nothing is retried", in: tale{oneFailed, by{"UANA", AbortAsked{Name: "ana"}}}, word: Word{Verb: WordRetry}, code: CodeState},
		{name: "R9 nor after the end", in: tale{oneFailed, Ended{Outcome: OutcomeAborted}}, word: Word{Verb: WordRetry}, code: CodeStale},
	}
	for _, row := range rows {
		t.Run(row.name, row.run)
	}
}

func TestR23WhoMayLeadOutOfTrouble(t *testing.T) {
	q := webPlan()
	q.Digest = "another"
	for _, verb := range []struct {
		word     Word
		in       tale
		approves bool
	}{
		{Word{Verb: WordRetry}, oneFailed, false},
		{Word{Verb: WordSkip, IDs: []string{"4"}}, begun, false},
		{Word{Verb: WordQuarantine, IDs: []string{"3"}, Reason: "why"}, oneFailed, false},
		{Word{Verb: WordResolve, Verdict: Started, Reason: "why"}, dark, true},
		{Word{Verb: WordResolve, Verdict: IsOK, IDs: []string{"3"}, Reason: "why"}, oneUnclear, true},
		{Word{Verb: WordReplan, Plan: &q}, begun, false},
		{Word{Verb: WordRollback}, udDone(0), false},
		{Word{Verb: WordHandover, Taker: &eva}, begun, false},
	} {
		for _, p := range people {
			t.Run(p.name+" "+string(verb.word.Verb), func(t *testing.T) {
				heard, no := hear(verb.in, p.who, verb.word, nil)
				may := p.stop && !verb.approves || p.approve && verb.approves
				if may != (no == nil) || may != (len(heard.Facts) > 0) || !may && (no.Code != CodeRole || no.Next == "") {
					t.Errorf("heard %+v, refusal %v; may: %v", heard, no, may)
				}
			})
		}
	}
}

// twoFailed has both of the first batch failed.
var twoFailed = brokenIn(brokenIn(tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, time.Minute, Settled{Op: "op-1", OK: true}}, "0", "X", "x"), "3", "X", "x")

func retried(ids ...string) by {
	return by{"UBO", Retried{Name: "bo", IDs: ids, Gates: []string{"ud-0"}}}
}

// askedFor is an asking of ud-0 for some of its instances, and bo's yes to it.
func askedFor(asking int, ids ...string) tale {
	return tale{Asked{Gate: "ud-0", Asking: asking, Nonce: "n", Expires: life, Instances: ids}, by{"UBO", Voted{Gate: "ud-0", Asking: asking, Name: "bo"}},
		by{"UBO", Granted{Gate: "ud-0", Asking: asking, Digest: webPlan().Digest, Voters: []string{"UBO"}, Expires: life}}}
}

func TestDecideOnTheWaysOut(t *testing.T) {
	runRows(t, []decideRow{
		{name: "R6 I7 a retry is put to people anew", tale: tale{oneFailed, retried("3")}, kind: AskGate, reason: ReasonApproval, gate: "ud-0"},
		{name: "I7 the yes it had starts nothing twice", tale: tale{oneFailed, retried("3"), Asked{Gate: "ud-0", Asking: 2, Nonce: "n", Expires: life, Instances: []string{"3"}}}, kind: Wait, reason: ReasonApproval},
		{name: "R6 after another yes only what failed is started", tale: tale{oneFailed, retried("3"), askedFor(2, "3")}, kind: Start, gate: "ud-0", batch: []string{"3"}},
		{name: "I4 and of the gate only what people were shown", tale: tale{begun, askedFor(2, "3")}, kind: Start, batch: []string{"3"}},
		{name: "R6 one that has the image gets a new disk of it", tale: tale{oneFailed, retried("3"), askedFor(2, "3")}, seen: all(three(lastModel), three(ill)), kind: Start, batch: []string{"3"}},
		{name: "R6 a call is an upgrade or a new disk, never both", tale: tale{twoFailed, retried("0", "3"), askedFor(2, "0", "3")}, seen: all(three(lastModel), three(ill)), kind: Start, batch: []string{"3"}},
		{name: "R6 the rest follows in another one", tale: tale{twoFailed, retried("0", "3"), askedFor(2, "0", "3")}, seen: all(three(lastModel), instance("0", ill)), kind: Start, batch: []string{"0"}},
		{name: "R6 one that has come up by itself is left alone", tale: tale{oneFailed, retried("3"), InstanceSeen{ID: "3", State: Confirmed}}, seen: three(lastModel), kind: Wait, reason: ReasonVerifying, says: "instance 3"},
		{name: "R6 what Azure refused is tried again by itself", tale: tale{azureSaidNo, by{"UBO", Retried{Name: "bo", Refusal: true}}}, kind: Start, batch: []string{"0", "3"}},
		{name: "R21 a skipped instance is not started and the yes stays", tale: tale{begun, by{"UBO", Skipped{Name: "bo", IDs: []string{"3"}}}}, kind: Start, batch: []string{"0"}},
		{name: "R30 a quarantined one holds nothing any more", tale: tale{oneFailed, by{"UBO", Quarantined{Name: "bo", IDs: []string{"3"}}}}, kind: AskGate, reason: ReasonApproval, gate: "ud-1"},
		{name: "R27 but it still is out of service", tale: tale{oneFailed, by{"UBO", Quarantined{Name: "bo", IDs: []string{"3"}}}, granted("ud-1")}, later: 5 * time.Minute, seen: three(ill), kind: Start, batch: []string{"1"}},
		{name: "R30 where the plan says so failed ones are set aside", tale: oneFailed, plan: setAside, kind: SetAside, batch: []string{"3"}},
		{name: "R21 not where the policy in force says hold", tale: oneFailed, plan: setAside, seen: func(o *Observation) { o.Policy.OnFailure = HoldOnFailure }, kind: Hold, reason: ReasonFailure},
		{name: "R29 an inconclusive one holds and asks", tale: oneUnclear, seen: all(three(lastModel), three(func(i *Instance) { i.Health = UnknownState })), kind: Hold, reason: ReasonUnclear, says: "nothing tells"},
		{name: "R29 resolved as well it does not", tale: tale{oneUnclear, by{"UBO", Resolved{Name: "bo", Verdict: IsOK, IDs: []string{"3"}}}}, seen: three(lastModel), later: time.Minute, kind: AskGate, reason: ReasonApproval, gate: "ud-1"},
		{name: "R29 resolved as failed it is a failure", tale: tale{oneUnclear, by{"UBO", Resolved{Name: "bo", Verdict: IsFailed, IDs: []string{"3"}}}}, kind: Hold, reason: ReasonFailure},
		{name: "R48 a call that did not happen is put to people anew", tale: tale{dark, by{"UBO", Resolved{Name: "bo", Verdict: NotStarted, Op: "op-1-again"}}, by{"UBO", Settled{Op: "op-1-again", Code: "NotStarted"}}}, kind: AskGate, reason: ReasonApproval, gate: "ud-0"},
		{name: "R48 one that did is judged by its instances", tale: tale{dark, by{"UBO", Resolved{Name: "bo", Verdict: Started, Op: "op-1-again"}}, by{"UBO", Settled{Op: "op-1-again", OK: true}}}, kind: Wait, reason: ReasonVerifying},
		{name: "R34 a new plan voids every yes", tale: tale{udDone(0), granted("ud-1"), by{"UBO", Replanned{Digest: webPlan().Digest, Model: to(v2)}}}, kind: AskGate, reason: ReasonApproval, gate: "ud-1"},
		{name: "R4 when most was set aside the model question comes", tale: tale{udDone(0), asideAll("1", "2", "4", "5")}, later: time.Hour, kind: AskModel, reason: ReasonModel},
		{name: "R30 when little was, it ends", tale: tale{udDone(2), by{"UBO", Quarantined{Name: "bo", IDs: []string{"5"}}}}, later: time.Hour, kind: End, end: OutcomeAside},
		{name: "R5 a rollback waits for what is in flight", tale: tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, by{"UANA", AbortAsked{Name: "ana", Rollback: true}}}, kind: Wait, reason: ReasonInFlight},
		{name: "R5 and then ends the rollout without the model question", tale: tale{udDone(0), by{"UANA", AbortAsked{Name: "ana", Rollback: true}}}, kind: End, end: OutcomeRollback},
		{name: "R5 R4 where there is no way back the question comes", tale: tale{udDone(0), by{"UANA", AbortAsked{Name: "ana", Rollback: true}}}, seen: set(func(s *ScaleSet) { s.UpgradeMode = Automatic }), kind: AskModel, reason: ReasonModel},
	})
}

func asideAll(ids ...string) by { return by{"UBO", Quarantined{Name: "bo", Reason: "x", IDs: ids}} }

func setAside(_ *ScaleSet, p *Policy, w *Wish) {
	p.OnFailure, w.Limits.OnFailure = QuarantineOnFailure, QuarantineOnFailure
}

func TestDecideOnWhatComesFromOutside(t *testing.T) {
	unheard := func(d time.Duration) change {
		return func(o *Observation) { o.Unheard = Unheard{Since: night.Add(-d), Why: "no socket"} }
	}
	frozen := func(o *Observation) { o.Frozen = "CHG-9" }
	going := tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}
	runRows(t, []decideRow{
		{name: "R19 nothing starts that people would not see", tale: begun, seen: unheard(5 * time.Minute), kind: Wait, reason: ReasonChannel, says: "no socket"},
		{name: "R19 a short silence stops nothing", tale: begun, seen: unheard(5*time.Minute - time.Second), kind: Start},
		{name: "R19 what is in flight is followed", tale: going, seen: all(unheard(time.Hour), func(o *Observation) { o.Op = &OpReading{} }), kind: Wait, reason: ReasonInFlight},
		{name: "R19 nor is anybody asked", seen: unheard(time.Hour), kind: Wait, reason: ReasonChannel},
		{name: "R19 R11 a freeze beats an approval", tale: begun, seen: frozen, kind: Wait, reason: ReasonFreeze, says: "CHG-9"},
		{name: "R31 people may agree meanwhile", seen: frozen, kind: AskGate, reason: ReasonApproval},
		{name: "R19 a freeze keeps the model as it is, too", tale: tale{requested, granted("ud-0")}, seen: frozen, kind: Wait, reason: ReasonFreeze},
		{name: "R19 R4 even from being put back", tale: tale{begun, by{"UANA", AbortAsked{Name: "ana", Answer: Revert}}}, seen: frozen, kind: Wait, reason: ReasonFreeze},
		{name: "R19 R48 and a call from being sent once more", tale: settled, seen: frozen, kind: Wait, reason: ReasonFreeze},
		{name: "R19 so does silence", tale: settled, seen: unheard(time.Hour), kind: Wait, reason: ReasonChannel},
		{name: "R48 nothing is sent once more while another image is in the model", tale: tale{settled, Settled{Op: "op-1", Code: "UnknownOutcome"}, Intended{again(1, "0", "3")}, Dropped{Op: "op-1-again"}, by{"UBO", Replanned{Digest: "x", Model: to(v1)}}},
			seen: set(func(s *ScaleSet) { s.Model.Image = v1 }), kind: AskGate, reason: ReasonApproval},
		{name: "R48 nor beside an instance of which nothing tells whether it is well", tale: tale{settled, InstanceSeen{ID: "4", State: Unclear, Detail: "x"}}, kind: Hold, reason: ReasonUnclear},
		{name: "R3 an abort needs no channel", tale: tale{requested, by{"UANA", AbortAsked{Name: "ana"}}}, seen: unheard(time.Hour), kind: End, end: OutcomeAborted},
	})
}

func TestTroubleTellsEveryInstanceAndEveryWayOut(t *testing.T) {
	for _, row := range []struct {
		name string
		row  decideRow
		says []string // in the first blocker's details
		ways []string // Next, then Also
	}{
		{"a failure", decideRow{tale: brokenIn(oneFailed, "0", "", "not healthy within 15m0s: running, unhealthy")},
			[]string{"0: not healthy within 15m0s", "3: "}, []string{"/vmss retry r-1", `/vmss quarantine r-1 vm=0,3 "why"`, "/vmss skip r-1 vm=0,3", "/vmss rollback r-1", `/vmss abort r-1 "reason"`}},
		{"a failure that is over", decideRow{tale: oneFailed, seen: instance("3", onNew)}, []string{"It is well by now"}, []string{"/vmss retry r-1"}},
		{"a refusal", decideRow{tale: azureSaidNo}, []string{"AuthorizationFailed: no"}, []string{"/vmss retry r-1", "/vmss skip r-1 vm=0,3"}},
		{"an inconclusive instance", decideRow{tale: oneUnclear, seen: instance("3", func(i *Instance) { onNew(i); i.Health = UnknownState })},
			[]string{"3: nothing told"}, []string{`/vmss resolve r-1 vm=3 ok "why"`, `/vmss resolve r-1 vm=3 failed "why"`}},
		{"a call without an answer", decideRow{tale: dark}, nil, []string{`/vmss resolve r-1 started "why"`, `/vmss resolve r-1 not-started "why"`}},
		{"drift that can be planned anew", decideRow{tale: begun, seen: set(func(s *ScaleSet) { s.Model.Image = version("1.5") })}, nil, []string{"/vmss replan r-1", `/vmss abort r-1 "reason"`}},
		{"drift that cannot", decideRow{tale: begun, seen: set(func(s *ScaleSet) { s.UpgradeMode = Automatic })}, nil, []string{`/vmss abort r-1 "reason"`}},
		{"an upgraded instance that is ill again", decideRow{tale: tale{udDone(0), granted("ud-1")}, later: 5 * time.Minute, seen: instance("0", ill)}, nil, []string{`/vmss quarantine r-1 vm=0 "why"`, "/vmss rollback r-1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := row.row.decide()
			b := d.Blockers[0]
			for _, says := range row.says {
				if !slices.ContainsFunc(b.Details, func(s string) bool { return strings.Contains(s, says) }) {
					t.Errorf("%q is not in %q", says, b.Details)
				}
			}
			ways := append([]string{b.Next}, b.Also...)
			for _, way := range row.ways {
				if !slices.Contains(ways, way) {
					t.Errorf("%q is not a way out: %q", way, ways)
				}
			}
		})
	}
}

func TestR34DriftShowsWhichSettingsAndNeverAValue(t *testing.T) {
	p := webPlan(func(s *ScaleSet, _ *Policy, _ *Wish) {
		s.Model.Leaves = map[string]string{"networkProfile.dns": "1", "osProfile.user": "2", "osProfile.same": "3"}
	})
	r := agreeTo(p, begun).fold()
	seen := seenAfter(p, r)
	seen.Set.Model.Sections = map[Section]string{SectionOSProfile: "z", SectionNetwork: "b", SectionExtensions: "c"}
	seen.Set.Model.Leaves = map[string]string{"networkProfile.dns": "9", "osProfile.new": "4", "osProfile.same": "3"}
	d := Decide(p, r, seen, night)
	want := []string{"networkProfile.dns was changed", "osProfile.new was added", "osProfile.user was removed"}
	if got := d.Blockers[0].Details; d.Reason != ReasonDrift || !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", d.Reason, got, want)
	}
}

func TestNoteOnTrouble(t *testing.T) {
	over := tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, time.Minute, Settled{Op: "op-1", OK: true}, InstanceSeen{ID: "3", State: OK, Image: "2.0"}}
	onlyZero := func(f func(*Instance)) change {
		return all(instance("3", onNew), instance("0", onNew), instance("0", f))
	}
	reimage := Operation{ID: "op-2", Kind: OpReimage, Gate: "ud-0", Batch: 2, Instances: []string{"3"}, To: to(v2), Traceless: true}
	again := reimage
	again.Kind = OpUpgrade
	pending := func(i *Instance) { i.LatestModel = false }
	for _, row := range []noteRow{
		{name: "R6 evidence is kept once, when an instance fails", tale: over, seen: onlyZero(func(i *Instance) { i.Provisioning = Failed }), want: []string{"0 failed", "0 kept"}},
		{name: "R28 a failure left over from before our call is given a while", tale: over, seen: onlyZero(func(i *Instance) { i.Provisioning = Failed; i.ProvisionAt = night.Add(-time.Hour) }), want: []string{"0 checking"}},
		{name: "R28 and not for ever", tale: over, later: 90 * time.Second, seen: onlyZero(func(i *Instance) { i.Provisioning = Failed; i.ProvisionAt = night.Add(-time.Hour) }), want: []string{"0 failed", "0 kept"}},
		{name: "R29 a health that is never told is inconclusive", tale: over, later: 14 * time.Minute, seen: onlyZero(func(i *Instance) { i.Health = UnknownState }), want: []string{"0 inconclusive", "0 kept"}},
		{name: "R29 R6 an inconclusive one that turns ill failed, and that is kept, too", tale: tale{over, 14 * time.Minute, InstanceSeen{ID: "0", State: Unclear}, Evidence{ID: "0"}}, seen: onlyZero(ill), want: []string{"0 failed", "0 kept"}},
		{name: "R29 and one that turns well is", tale: tale{over, 14 * time.Minute, InstanceSeen{ID: "0", State: Unclear}, Evidence{ID: "0"}}, seen: onlyZero(func(*Instance) {}), want: []string{"0 confirmed"}},
		{name: "R6 a retried instance that came up by itself is seen good once", tale: tale{oneFailed, retried("3")}, seen: all(instance("0", onNew), instance("3", onNew)), want: []string{"3 confirmed"}},
		{name: "R28 and twice", tale: tale{oneFailed, retried("3"), InstanceSeen{ID: "3", State: Confirmed}}, later: 10 * time.Second, seen: all(instance("0", onNew), instance("3", onNew)), want: []string{"3 ok"}},
		{name: "R28 in between it may fall ill", tale: tale{oneFailed, retried("3"), InstanceSeen{ID: "3", State: Confirmed}}, later: 10 * time.Second, seen: all(instance("0", onNew), instance("3", onNew), instance("3", ill)), want: []string{"3 "}},
		{name: "R48 a model write is known not to have happened by its etag", tale: tale{requested, granted("ud-0"), write(func() Operation { o := patch(); o.IfMatch = `"1"`; return o }()), Unanswered{Op: "op-model"},
			90 * time.Second, Looked{Op: "op-model", Outdated: []string{"model"}}, 30 * time.Second, Looked{Op: "op-model", Outdated: []string{"model"}}}, want: []string{"failed op-model NoTrace"}},
		{name: "R48 with another etag a person must look", tale: tale{requested, granted("ud-0"), write(func() Operation { o := patch(); o.IfMatch = `"0"`; return o }()), Unanswered{Op: "op-model"},
			90 * time.Second, Looked{Op: "op-model", Outdated: []string{"model"}}, 30 * time.Second, Looked{Op: "op-model", Outdated: []string{"model"}}}},
		{name: "R48 nor does an upgrade of what had the image", tale: tale{oneFailed, retried("3"), askedFor(2, "3"), write(again), Unanswered{Op: "op-2"}, 90 * time.Second}, seen: all(instance("0", onNew), instance("3", onNew), instance("3", pending)), want: []string{"looked [3]", "3 checking"}},
		{name: "R48 but the latest model, which it had not", tale: tale{oneFailed, retried("3"), askedFor(2, "3"), write(again), Unanswered{Op: "op-2"}}, seen: all(instance("0", onNew), instance("3", onNew)), want: []string{"settled op-2", "3 confirmed"}},
		{name: "R48 a new disk leaves no trace to go by", tale: tale{oneFailed, retried("3"), askedFor(2, "3"), write(reimage), Unanswered{Op: "op-2"}, 90 * time.Second}, seen: all(instance("0", onNew), instance("3", onNew)), want: []string{"looked [3]", "3 checking"}},
	} {
		t.Run(row.name, row.run)
	}
}

func TestRetriesKeepCount(t *testing.T) {
	twice := tale{oneFailed, retried("3"), askedFor(2, "3"), write(Operation{ID: "op-2", Kind: OpUpgrade, Gate: "ud-0", Batch: 2, Instances: []string{"3"}, To: to(v2)})}
	r := twice.fold()
	if i := r.Instances["3"]; i.Tries != 2 || i.Batch != 2 || i.State != Going || i.Kept {
		t.Errorf("started twice: %+v", i)
	}
	if b, open := r.OpenBatch(); !open || b.N != 2 || len(r.Open(r.Batches[0])) != 0 {
		t.Errorf("open batch %+v %v, of the first still %v", b, open, r.Open(r.Batches[0]))
	}
	r = tale{twice, Refused{Op: "op-2", Code: "Conflict", Until: night.Add(time.Hour)}}.fold()
	if i := r.Instances["3"]; i.Tries != 1 || i.State != Waiting || !i.Retry || len(r.Batches) != 1 {
		t.Errorf("a refused retry waits as before: %+v, %d batches", i, len(r.Batches))
	}
}
