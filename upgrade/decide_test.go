package upgrade

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// decideRow is one case of the decision table.
type decideRow struct {
	name   string
	tale   tale                            // what has happened; nil = only the request
	plan   func(*ScaleSet, *Policy, *Wish) // the plan; nil = web's, as in fixtures_test.go
	seen   change                          // what is seen; nil = the world as the tale left it
	later  time.Duration                   // how long after the tale; zero = at its last moment
	kind   DecisionKind                    // what is decided
	reason Reason                          // and why; "" = there is no blocker
	gate   string                          // "" = not looked at
	batch  []string                        // nil = not looked at
	end    Outcome                         // of End; "" = not looked at
	says   string                          // must be part of the text; "" = not looked at
}

func (row decideRow) decide() Decision {
	t := row.tale
	if t == nil {
		t = tale{requested}
	}
	p := webPlan()
	if row.plan != nil {
		p = webPlan(row.plan)
	}
	r := agreeTo(p, t).fold()
	seen := seenAfter(p, r)
	if row.seen != nil {
		row.seen(&seen)
	}
	return Decide(p, r, seen, t.ends().Add(row.later))
}

// agreeTo tells the tale with the grants of web's plan given to p instead.
func agreeTo(p Plan, t tale) tale {
	out := make(tale, len(t))
	for i, x := range t {
		switch x := x.(type) {
		case tale:
			out[i] = agreeTo(p, x)
		case by:
			if g, ok := x.fact.(Granted); ok && g.Digest == webPlan().Digest {
				g.Digest = p.Digest
				x.fact = g
			}
			out[i] = x
		default:
			out[i] = x
		}
	}
	return out
}

func (row decideRow) run(t *testing.T) {
	t.Helper()
	d := row.decide()
	if d.Kind != row.kind || d.Reason != row.reason {
		t.Fatalf("decided %s %q (%s), want %s %q", d.Kind, d.Reason, d.Text, row.kind, row.reason)
	}
	if row.gate != "" && d.Gate != row.gate {
		t.Errorf("gate %q, want %q", d.Gate, row.gate)
	}
	if row.batch != nil && !slices.Equal(d.Batch, row.batch) {
		t.Errorf("batch %v, want %v", d.Batch, row.batch)
	}
	if row.end != "" && d.Outcome != row.end {
		t.Errorf("outcome %q, want %q", d.Outcome, row.end)
	}
	if !strings.Contains(d.Text, row.says) {
		t.Errorf("text %q does not say %q", d.Text, row.says)
	}
	checkDecision(t, d)
}

// checkDecision is what holds for every decision (R1): blocked ones say by what and who clears it.
func checkDecision(t *testing.T, d Decision) {
	t.Helper()
	if d.Text == "" {
		t.Errorf("%s %q says nothing", d.Kind, d.Reason)
	}
	if (d.Kind == Wait || d.Kind == Hold) && (len(d.Blockers) == 0 || d.Blockers[0].Reason != d.Reason) {
		t.Errorf("R1: %s %q is not named by its first blocker: %v", d.Kind, d.Reason, d.Blockers)
	}
	if (d.Kind == Hold) != d.Reason.Holds() && (d.Kind == Hold || d.Kind == Wait) {
		t.Errorf("%s for reason %q", d.Kind, d.Reason)
	}
	for i, b := range d.Blockers {
		if b.What == "" || b.Clears == "" {
			t.Errorf("R1: blocker %q does not say what it is and who clears it: %+v", b.Reason, b)
		}
		if b.Reason.Holds() && !typed(b.Next) {
			t.Errorf("R1: hold %q has no command to type: %q", b.Reason, b.Next)
		}
		if slices.ContainsFunc(d.Blockers[:i], func(o Blocker) bool { return o.Reason == b.Reason && o.What == b.What }) {
			t.Errorf("blocker %q is listed twice", b.Reason)
		}
	}
	if over := d.Kind == End || d.Kind == Nothing; over != d.Recheck.IsZero() {
		t.Errorf("%s is looked at again at %v", d.Kind, d.Recheck)
	}
}

// typed reports whether a command names a verb that exists.
func typed(next string) bool {
	words := strings.Fields(next)
	return len(words) > 1 && words[0] == "/vmss" &&
		slices.Contains([]string{"approve", "deny", "pause", "resume", "abort", "ask", "why", "status", "show", "retry", "skip", "quarantine", "resolve", "replan", "rollback", "handover"}, words[1])
}

func runRows(t *testing.T, rows []decideRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, row.run)
	}
}

func TestDecideFirstOfAll(t *testing.T) {
	ended := tale{requested, Ended{Outcome: OutcomeAborted}}
	runRows(t, []decideRow{
		{name: "R9 an ended rollout does nothing, whatever is seen", tale: ended, seen: unreadable, kind: Nothing, end: OutcomeAborted},
		{name: "R9 nothing ended starts again, not even with an approval", tale: tale{begun, Ended{Outcome: OutcomeExpired}}, kind: Nothing},
		{name: "an entry of a newer version holds the rollout", tale: tale{begun, Unread{Kind: "Suspended"}}, kind: Hold, reason: ReasonUnread, says: "Suspended"},
		{name: "an entry of a newer version holds even an abort", tale: tale{requested, by{"UANA", AbortAsked{Name: "ana"}}, Unread{Kind: "Suspended"}}, kind: Hold, reason: ReasonUnread},
		{name: "R38 a write that was recorded and never sent is dropped", tale: tale{begun, Intended{batchOp(1, "0", "3")}}, kind: Drop, gate: "ud-0"},
		{name: "R38 it is dropped before an abort is looked at", tale: tale{begun, Intended{batchOp(1, "0", "3")}, by{"UANA", AbortAsked{Name: "ana"}}}, kind: Drop},
		{name: "R3 an abort ends what was never started, even if Azure cannot be read", tale: tale{requested, by{"UANA", AbortAsked{Name: "ana"}}}, seen: unreadable, kind: End, end: OutcomeAborted},
		{name: "R17 what was not started in a day ends by itself", later: 24 * time.Hour, kind: End, end: OutcomeExpired},
		{name: "R17 a moment earlier it does not", later: 24*time.Hour - time.Nanosecond, kind: AskGate, reason: ReasonApproval},
		{name: "R21 a policy that shortens the day counts at once", later: time.Hour, seen: func(o *Observation) { o.Policy.UnstartedLife = time.Hour }, kind: End, end: OutcomeExpired},
		{name: "one 404 ends nothing", tale: tale{begun, Unfound{}, 80 * time.Second}, seen: gone, kind: Wait, reason: ReasonIncomplete},
		{name: "nor does one after the set was seen again", tale: tale{begun, Unfound{}, Unfound{Back: true}, 100 * time.Second}, seen: gone, kind: Wait, reason: ReasonIncomplete},
		{name: "a set that does not exist any more ends the rollout", tale: tale{begun, Unfound{}, 90 * time.Second}, seen: gone, kind: End, end: OutcomeFailed, says: "does not exist"},
		{name: "a set that is gone ends an aborted rollout as aborted", tale: tale{begun, by{"UANA", AbortAsked{Name: "ana"}}, Unfound{}, 90 * time.Second}, seen: gone, kind: End, end: OutcomeAborted},
		{name: "a set that is gone does not end a rollout with a call in flight unsettled", tale: lost, seen: gone, kind: Wait, reason: ReasonIncomplete},
	})
}

func TestDecideOnIncompleteReadings(t *testing.T) {
	empty := set(func(s *ScaleSet) { s.Instances = nil })
	runRows(t, []decideRow{
		{name: "R46 nothing is decided on a set that could not be read whole", tale: begun, seen: unreadable, kind: Wait, reason: ReasonIncomplete, says: "unavailable"},
		{name: "R46 an empty list of a set of six is no list", tale: begun, seen: empty, kind: Wait, reason: ReasonIncomplete, says: "none of the 6 instances"},
		{name: "R46 an aborted rollout waits for a reading to see what became of the model", tale: tale{begun, by{"UANA", AbortAsked{Name: "ana"}}}, seen: unreadable, kind: Wait, reason: ReasonIncomplete},
		{name: "R4 an answer of keep needs no reading: there is always a way out", tale: tale{begun, by{"UANA", AbortAsked{Name: "ana", Answer: Keep}}}, seen: unreadable, kind: End, end: OutcomeAborted},
		{name: "R46 a pause is told even if the set cannot be read", tale: tale{begun, by{"UANA", Paused{Name: "ana"}}}, seen: unreadable, kind: Wait, reason: ReasonIncomplete},
		{name: "R39 a throttled reading is looked at again when Azure allows", tale: begun, seen: all(unreadable, func(o *Observation) { o.Throttled = night.Add(time.Hour) }), kind: Wait, reason: ReasonIncomplete},
	})
}

func TestDecideWhileACallIsInFlight(t *testing.T) {
	going := tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}
	runRows(t, []decideRow{
		{name: "R38 an accepted call is followed", tale: going, kind: Wait, reason: ReasonInFlight, says: "0 3"},
		{name: "R2 a pause waits for the call in flight", tale: tale{going, by{"UANA", Paused{Name: "ana"}}}, kind: Wait, reason: ReasonInFlight},
		{name: "R3 R4 an abort follows the call in flight to its end", tale: tale{going, by{"UANA", AbortAsked{Name: "ana", Answer: Revert}}}, kind: Wait, reason: ReasonInFlight},
		{name: "R41 the model's write is followed like any other", tale: tale{requested, granted("ud-0"), write(patch()), Accepted{Op: "op-model"}}, kind: Wait, reason: ReasonInFlight},
		{name: "R34 the model of our own write in flight is no drift", tale: tale{requested, granted("ud-0"), write(patch()), Accepted{Op: "op-model"}}, seen: set(modelOnNew), kind: Wait, reason: ReasonInFlight},
		{name: "whole life or not, a call in flight comes first", tale: going, later: 8 * 24 * time.Hour, kind: Wait, reason: ReasonInFlight},
	})
}

func TestDecideOnUnknownOutcomes(t *testing.T) {
	deny := by{"UEVA", Denied{Gate: "ud-0", Asking: 1, Name: "eva", Reason: "no"}}
	regrant := tale{Asked{Gate: "ud-0", Asking: 2, Nonce: "n2", Expires: life}, by{"UEVA", Voted{Gate: "ud-0", Asking: 2, Name: "eva"}},
		by{"UEVA", Granted{Gate: "ud-0", Asking: 2, Digest: webPlan().Digest}}}
	secondLost := tale{settled, Settled{Op: "op-1"}, write(again(1, "0", "3")), Unanswered{Op: "op-1-again"}, 2 * time.Minute,
		Looked{Op: "op-1-again", Outdated: []string{"0", "3"}}, time.Minute, Looked{Op: "op-1-again", Outdated: []string{"0", "3"}}}
	traceless := tale{oneFailed, retried("3"), askedFor(2, "3"), write(Operation{ID: "op-2", Kind: OpUpgrade, Gate: "ud-0", Batch: 2, Instances: []string{"3"}, To: to(v2), Traceless: true}), Unanswered{Op: "op-2"},
		2 * time.Minute, Looked{Op: "op-2", Outdated: []string{"3"}}, time.Minute, Looked{Op: "op-2", Outdated: []string{"3"}}}
	lookedTwice := func(op Operation) tale {
		return tale{write(op), Unanswered{Op: op.ID}, 2 * time.Minute, Looked{Op: op.ID, Outdated: []string{"model"}}, time.Minute, Looked{Op: op.ID, Outdated: []string{"model"}}}
	}
	model := func(etag string) Operation { op := patch(); op.IfMatch = etag; return op }
	back := Operation{ID: "op-back", Kind: OpRevert, To: to(v1), IfMatch: `"0"`}
	runRows(t, []decideRow{
		{name: "R48 a call without an answer is watched", tale: lost, later: time.Hour, kind: Wait, reason: ReasonInFlight, says: "brought no answer (timeout)"},
		{name: "R48 one list is not believed", tale: tale{lost, 90 * time.Second, Looked{Op: "op-1", Outdated: []string{"0", "3"}}}, later: time.Minute, kind: Wait, reason: ReasonInFlight},
		{name: "R48 two lists that agree allow one re-send of what is outdated", tale: settled, kind: Resend, reason: ReasonUnknown, gate: "ud-0", batch: []string{"0", "3"}},
		{name: "R48 two lists that differ do not", tale: tale{lost, 90 * time.Second, Looked{Op: "op-1", Outdated: []string{"0", "3"}}, time.Minute, Looked{Op: "op-1", Outdated: []string{"3"}}}, seen: instance("0", onNew), kind: Wait, reason: ReasonInFlight},
		{name: "R48 what is seen now must agree as well", tale: settled, seen: instance("0", onNew), kind: Wait, reason: ReasonInFlight},
		{name: "R48 a set at work says nothing, whatever the lists said", tale: settled, seen: instance("3", updating), kind: Wait, reason: ReasonInFlight},
		{name: "R48 a set that was at work between the lists voids the first", tale: tale{lost, 90 * time.Second, Looked{Op: "op-1", Outdated: []string{"0", "3"}}, time.Minute, Looked{Op: "op-1", Moving: true}, time.Minute, Looked{Op: "op-1", Outdated: []string{"0", "3"}}}, kind: Wait, reason: ReasonInFlight},
		{name: "R2 no re-send while paused", tale: tale{settled, by{"UANA", Paused{Name: "ana"}}}, kind: Hold, reason: ReasonPaused},
		{name: "R3 no re-send after an abort", tale: tale{settled, by{"UANA", AbortAsked{Name: "ana"}}}, kind: Wait, reason: ReasonInFlight},
		{name: "R17 no re-send when the rollout's time is up", tale: settled, later: 7 * 24 * time.Hour, kind: Wait, reason: ReasonInFlight},
		{name: "R26 no re-send of what was denied since", tale: tale{settled, deny}, kind: Hold, reason: ReasonDenied},
		{name: "R22 no re-send of what was approved too long ago", tale: settled, later: 4 * time.Hour, kind: Hold, reason: ReasonExpired},
		{name: "R24 a denied re-send can be asked again", tale: tale{settled, deny, by{"UANA", AskedAgain{Gate: "ud-0"}}}, kind: AskGate, reason: ReasonApproval, gate: "ud-0"},
		{name: "R26 and goes when it is approved again", tale: tale{settled, deny, by{"UANA", AskedAgain{Gate: "ud-0"}}, regrant}, kind: Resend, reason: ReasonUnknown},
		{name: "R23 no re-send when the approver may not any more", tale: settled, seen: func(o *Observation) { o.Rights["UBO"] = "an approver" }, kind: AskGate, reason: ReasonApproval},
		{name: "R34 no re-send into a model that was changed", tale: settled, seen: set(func(s *ScaleSet) { s.Model.Image = version("3.0") }), kind: Hold, reason: ReasonDrift},
		{name: "R39 no re-send while Azure wants quiet", tale: settled, seen: func(o *Observation) { o.Throttled = night.Add(time.Hour) }, kind: Wait, reason: ReasonThrottled},
		{name: "R27 no re-send that would leave too few serving", tale: settled, seen: instance("5", ill), kind: Wait, reason: ReasonHealth},
		{name: "R48 a second unknown outcome goes to a person", tale: secondLost, kind: Hold, reason: ReasonUnknown},
		{name: "R48 a retry that no image could show goes to a person at once", tale: traceless, seen: instance("3", func(i *Instance) { onNew(i); i.LatestModel = false }), kind: Hold, reason: ReasonUnknown},
		{name: "R48 an unknown write of the model is never repeated", tale: tale{requested, granted("ud-0"), lookedTwice(model(`"0"`))}, kind: Hold, reason: ReasonUnknown},
		{name: "R48 nobody is asked about one that the etag says never happened", tale: tale{requested, granted("ud-0"), lookedTwice(model(`"1"`))}, kind: Wait, reason: ReasonInFlight},
		{name: "R4 nor about putting the image back, as nobody can take that back", tale: tale{begun, by{"UANA", AbortAsked{Answer: Revert}}, lookedTwice(back)}, seen: set(modelOnNew), kind: Wait, reason: ReasonInFlight},
		{name: "R48 a set that never comes to rest goes to a person", tale: tale{lost, 20 * time.Minute, Looked{Op: "op-1", Moving: true}}, seen: instance("4", updating), kind: Hold, reason: ReasonUnknown},
		{name: "R48 a re-send that was recorded and never sent is owed still", tale: dropped, kind: Resend, reason: ReasonUnknown, batch: []string{"0", "3"}},
		{name: "R48 an owed re-send waits like any other", tale: tale{dropped, by{"UANA", Paused{Name: "ana"}}}, kind: Hold, reason: ReasonPaused},
		{name: "R48 an owed re-send waits for a set at work", tale: dropped, seen: instance("3", updating), kind: Wait, reason: ReasonBusy},
		{name: "R48 nothing is owed when the first call shows after all", tale: dropped, seen: instance("0", onNew), kind: Wait, reason: ReasonVerifying},
		{name: "R48 vanished instances are not sent again", tale: dropped, seen: without("0"), kind: Resend, reason: ReasonUnknown, batch: []string{"3"}},
		{name: "R39 a re-send that was refused for now waits", tale: tale{settled, Settled{Op: "op-1"}, write(again(1, "0", "3")), Refused{Op: "op-1-again", Code: "TooManyRequests", Until: night.Add(time.Hour)}}, kind: Wait, reason: ReasonThrottled},
		{name: "R39 and goes then", tale: tale{settled, Settled{Op: "op-1"}, write(again(1, "0", "3")), Refused{Op: "op-1-again", Code: "TooManyRequests", Until: night.Add(time.Hour)}}, later: time.Hour, kind: Resend, reason: ReasonUnknown},
		{name: "R6 a re-send that was refused for good holds", tale: tale{settled, Settled{Op: "op-1"}, write(again(1, "0", "3")), Refused{Op: "op-1-again", Code: "AuthorizationFailed"}}, kind: Hold, reason: ReasonFailure},
	})
}

func TestDecideHowARolloutEnds(t *testing.T) {
	abort := func(a ModelAnswer) by { return by{"UANA", AbortAsked{Name: "ana", Reason: "why", Answer: a}} }
	ask := ModelAsked{Nonce: "m", Recommend: Revert}
	foreign := set(func(s *ScaleSet) { s.Model.Image = version("3.0") })
	most := all(instance("1", onNew), instance("2", onNew), instance("4", onNew))
	checking := tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, Settled{Op: "op-1", OK: true}}
	runRows(t, []decideRow{
		{name: "R4 an abort that leaves the model ahead asks what becomes of it", tale: tale{begun, abort("")}, kind: AskModel, reason: ReasonModel},
		{name: "R4 and holds until somebody answers", tale: tale{begun, abort(""), ask}, kind: Hold, reason: ReasonModel, says: "1.0"},
		{name: "R4 revert puts the old image back", tale: tale{begun, abort(""), ask, by{"UBO", ModelAnswered{Answer: Revert}}}, kind: PutBack},
		{name: "R4 keep ends it", tale: tale{begun, abort(""), ask, by{"UBO", ModelAnswered{Answer: Keep}}}, kind: End, end: OutcomeAborted},
		{name: "R4 abort answers in advance", tale: tale{begun, abort(Revert)}, kind: PutBack},
		{name: "R4 an answer in advance counts even when most run the new image", tale: tale{udDone(0), abort(Revert)}, seen: most, kind: PutBack},
		{name: "R4 nothing is asked when most run the new image", tale: tale{udDone(0), abort("")}, seen: most, kind: End, end: OutcomeAborted},
		{name: "R4 nothing is put back over an image that somebody else set", tale: tale{begun, abort(Revert)}, seen: foreign, kind: End, end: OutcomeAborted, says: "3.0"},
		{name: "R4 R3 the old image waits while Azure is at work", tale: tale{begun, abort(Revert)}, seen: instance("5", updating), kind: Wait, reason: ReasonBusy},
		{name: "R39 the old image waits while Azure wants quiet", tale: tale{begun, abort(Revert)}, seen: func(o *Observation) { o.Throttled = night.Add(time.Hour) }, kind: Wait, reason: ReasonThrottled},
		{name: "R4 what was put back is not put back twice", tale: tale{begun, abort(Revert), ModelReverted{OK: true}}, kind: End, end: OutcomeAborted},
		{name: "R4 what Azure refuses to take back ends, too", tale: tale{begun, abort(Revert), ModelReverted{Detail: "refused"}}, kind: End, end: OutcomeAborted},
		{name: "R2 what was started is followed to its end before the rollout ends", tale: tale{checking, abort(Revert)}, kind: Wait, reason: ReasonVerifying},
		{name: "R3 an abort outranks a pause", tale: tale{begun, by{"UBO", Paused{Name: "bo"}}, abort(Keep)}, kind: End, end: OutcomeAborted},
		{name: "R3 an abort outranks a failure", tale: tale{begun, InstanceSeen{ID: "0", State: Broken}, abort(Keep)}, kind: End, end: OutcomeAborted},
		{name: "R3 an abort outranks a denial", tale: tale{begun, by{"UBO", Denied{Gate: "ud-0", Name: "bo"}}, abort(Keep)}, kind: End, end: OutcomeAborted},
		{name: "R3 an abort outranks soaking", tale: tale{udDone(0), abort(Keep)}, kind: End, end: OutcomeAborted},
		{name: "R4 R17 a rollout whose time is up asks the question, too", tale: begun, later: 7 * 24 * time.Hour, kind: AskModel, reason: ReasonModel},
		{name: "R4 R17 and ends as expired", tale: tale{begun, ask, by{"UBO", ModelAnswered{Answer: Keep}}}, later: 7 * 24 * time.Hour, kind: End, end: OutcomeExpired},
		{name: "R17 a pause does not make it live for ever", tale: tale{begun, by{"UBO", Paused{Name: "bo"}}}, later: 7 * 24 * time.Hour, kind: AskModel, reason: ReasonModel},
		{name: "all gates done, soaked and baked: succeeded", tale: udDone(2), later: 10 * time.Minute, kind: End, end: OutcomeSucceeded},
		{name: "R33 not one instance left to upgrade is no success", tale: tale{requested, leftAll()}, kind: End, end: OutcomeNothing},
		{name: "R33 R4 and asks what becomes of a model that was set for nothing", tale: tale{begun, leftAll()}, kind: AskModel, reason: ReasonModel},
		{name: "R29 failures within the limits are told at the end", tale: tale{udDone(1), InstanceSeen{ID: "2", State: Broken}, InstanceSeen{ID: "5", State: OK}}, plan: failures(1), seen: instance("5", onNew), later: time.Hour, kind: End, end: OutcomeSucceeded, says: "1 instance failed"},
		{name: "R29 a rollout in which everything failed has failed", tale: tale{requested, brokenAll()}, plan: failures(6), kind: End, end: OutcomeFailed},
		{name: "R4 R29 and asks what becomes of a model that nothing runs", tale: tale{begun, brokenAll()}, plan: failures(6), kind: AskModel, reason: ReasonModel},
	})
}

func failures(n int) func(*ScaleSet, *Policy, *Wish) {
	return func(_ *ScaleSet, p *Policy, w *Wish) { p.MaxFailures, w.Limits.MaxFailures = n, n }
}

func everyInstance(s Progress) (t tale) {
	for _, i := range web().Instances {
		t = append(t, InstanceSeen{ID: i.ID, State: s, Detail: "d"})
	}
	return t
}

func leftAll() tale   { return everyInstance(Left) }
func brokenAll() tale { return everyInstance(Broken) }

func TestDecideOnTroubleBeforeAStart(t *testing.T) {
	ready := begun
	section := func(s Section) change {
		return set(func(x *ScaleSet) { x.Model.Sections = maps.Clone(x.Model.Sections); x.Model.Sections[s] = "z" })
	}
	refused := func(until time.Time) tale {
		return tale{requested, granted("ud-0"), write(patch()), Refused{Op: "op-model", Code: "C", Message: "m", Until: until}}
	}
	runRows(t, []decideRow{
		{name: "R29 a failed instance beyond the budget holds", tale: tale{ready, InstanceSeen{ID: "0", State: Broken, Detail: "provisioning failed"}}, kind: Hold, reason: ReasonFailure, says: "provisioning failed"},
		{name: "R29 one within the budget does not", tale: tale{ready, InstanceSeen{ID: "0", State: Broken}}, plan: failures(1), kind: Start, batch: []string{"3"}},
		{name: "R21 a budget cut by the policy in force counts at once", tale: tale{ready, InstanceSeen{ID: "0", State: Broken}}, plan: failures(1), seen: func(o *Observation) { o.Policy.MaxFailures = 0 }, kind: Hold, reason: ReasonFailure},
		{name: "R21 a budget raised by it never", tale: tale{ready, InstanceSeen{ID: "0", State: Broken}}, seen: func(o *Observation) { o.Policy.MaxFailures = 5 }, kind: Hold, reason: ReasonFailure},
		{name: "R6 a write that Azure refused for good holds", tale: refused(time.Time{}), kind: Hold, reason: ReasonFailure, says: "C: m"},
		{name: "R39 one refused for now waits", tale: refused(night.Add(time.Minute)), kind: Wait, reason: ReasonThrottled, says: "C: m"},
		{name: "R39 and is decided anew when the time has come", tale: refused(night.Add(time.Minute)), later: time.Minute, kind: SetModel},
		{name: "R6 a model that Azure did not set is not set again and again", tale: tale{requested, granted("ud-0"), write(patch()), Accepted{Op: "op-model"}, Settled{Op: "op-model", Code: "Failed"}}, kind: Hold, reason: ReasonFailure},
		{name: "R34 a set that was made anew under its name is another set", tale: ready, plan: func(s *ScaleSet, _ *Policy, _ *Wish) { s.Unique = "u1" }, seen: set(func(s *ScaleSet) { s.Unique = "u2" }), kind: Hold, reason: ReasonDrift, says: "another one made with its name"},
		{name: "R34 another image in the model stops", tale: ready, seen: set(func(s *ScaleSet) { s.Model.Image = version("3.0") }), kind: Hold, reason: ReasonDrift, says: "3.0, not 2.0"},
		{name: "R34 our image taken out of the model stops", tale: ready, seen: set(func(s *ScaleSet) { s.Model.Image = v1 }), kind: Hold, reason: ReasonDrift},
		{name: "R34 an image set by others before ours stops", tale: tale{requested, granted("ud-0")}, seen: set(modelOnNew), kind: Hold, reason: ReasonDrift},
		{name: "R34 drift before the first card: nobody is asked", seen: set(modelOnNew), kind: Hold, reason: ReasonDrift},
		{name: "R34 another osProfile stops", tale: ready, seen: section(SectionOSProfile), kind: Hold, reason: ReasonDrift, says: "osProfile"},
		{name: "R34 another network stops", tale: ready, seen: section(SectionNetwork), kind: Hold, reason: ReasonDrift},
		{name: "R34 an identity that was not there stops", tale: ready, seen: section(SectionIdentity), kind: Hold, reason: ReasonDrift},
		{name: "R34 R35 another upgrade mode stops", tale: ready, seen: set(func(s *ScaleSet) { s.UpgradeMode = Automatic }), kind: Hold, reason: ReasonDrift},
		{name: "R35 automatic OS upgrades turned on stop", tale: ready, seen: set(func(s *ScaleSet) { s.AutoOSUpgrade = true }), kind: Hold, reason: ReasonDrift},
		{name: "R34 a native rolling upgrade stops", tale: ready, seen: set(func(s *ScaleSet) { s.Rolling = true }), kind: Hold, reason: ReasonDrift},
		{name: "R34 an instance that moved to another domain stops", tale: ready, seen: instance("3", func(i *Instance) { i.UpdateDomain = 2 }), kind: Hold, reason: ReasonDrift, says: "instance 3 moved from UD 0 to UD 2"},
		{name: "R34 the etag alone is no drift", tale: ready, seen: set(func(s *ScaleSet) { s.Etag = `"9"` }), kind: Start},
		{name: "R34 capacity alone is no drift", tale: ready, seen: set(func(s *ScaleSet) { s.Capacity = 9 }), kind: Start},
		{name: "R34 an instance born meanwhile is never added", tale: ready, seen: set(func(s *ScaleSet) {
			s.Instances = append(s.Instances, Instance{ID: "6", UpdateDomain: 0, Image: runs(v2), Provisioning: Succeeded, Power: Running, Health: Healthy})
		}), kind: Start, batch: []string{"0", "3"}},
		{name: "R34 nor is one that was born on the old image", tale: ready, seen: set(func(s *ScaleSet) {
			s.Instances = append(s.Instances, Instance{ID: "6", UpdateDomain: 0, Image: runs(v1), Provisioning: Succeeded, Power: Running, Health: Unhealthy})
		}), kind: Start, batch: []string{"0"}},
		{name: "R39 Azure's wish for quiet is kept", tale: ready, seen: func(o *Observation) { o.Throttled = night.Add(time.Minute) }, kind: Wait, reason: ReasonThrottled},
		{name: "I1 somebody else's operation on an instance is waited for", tale: ready, seen: instance("5", updating), kind: Wait, reason: ReasonBusy, says: "instance 5"},
		{name: "I1 one on the set, too", tale: ready, seen: set(func(s *ScaleSet) { s.Provisioning = Updating }), kind: Wait, reason: ReasonBusy},
		{name: "I1 one on an instance that failed in our hands, too", tale: tale{ready, InstanceSeen{ID: "0", State: Broken}}, plan: failures(1), seen: instance("0", updating), kind: Wait, reason: ReasonBusy},
		{name: "R1 a pause holds", tale: tale{ready, by{"UBO", Paused{Name: "bo", Reason: "lunch"}}}, kind: Hold, reason: ReasonPaused, says: "paused by bo: lunch"},
		{name: "R1 and is over when somebody says so", tale: tale{ready, by{"UBO", Paused{Name: "bo"}}, by{"UANA", Resumed{}}}, kind: Start},
		{name: "R28 a batch is confirmed before anything else starts", tale: tale{ready, write(batchOp(1, "0")), Accepted{Op: "op-1"}, Settled{Op: "op-1", OK: true}}, kind: Wait, reason: ReasonVerifying, says: "instance 0"},
	})
}

func TestDecideOnTimeAndHealth(t *testing.T) {
	inForce := func(f func(*Policy)) change { return func(o *Observation) { f(&o.Policy) } }
	runRows(t, []decideRow{
		{name: "R31 the next card is posted when the soak starts", tale: udDone(0), kind: AskGate, reason: ReasonApproval, gate: "ud-1"},
		{name: "R31 an approval during the soak waits for its end", tale: tale{udDone(0), granted("ud-1")}, kind: Wait, reason: ReasonSoak, says: "soaking after UD 0"},
		{name: "R31 the start comes with the soak's end", tale: tale{udDone(0), granted("ud-1")}, later: 5 * time.Minute, kind: Start, gate: "ud-1", batch: []string{"1", "4"}},
		{name: "R21 a longer soak of the policy in force counts", tale: tale{udDone(0), granted("ud-1")}, later: 5 * time.Minute, seen: inForce(func(p *Policy) { p.Soak = time.Hour }), kind: Wait, reason: ReasonSoak},
		{name: "R21 a shorter one never", tale: tale{udDone(0), granted("ud-1")}, seen: inForce(func(p *Policy) { p.Soak = 0 }), kind: Wait, reason: ReasonSoak},
		{name: "R31 no soak between the batches of one gate", tale: tale{begun, batch(1, "0")}, kind: Start, batch: []string{"3"}},
		{name: "R31 nor between those of a later gate", tale: tale{udDone(0), 5 * time.Minute, granted("ud-1"), batch(2, "1")}, kind: Start, gate: "ud-1", batch: []string{"4"}},
		{name: "R31 a gate that was begun soaks after one that was taken in again", tale: tale{udDone(0), 5 * time.Minute, granted("ud-1"), batch(2, "1"), Retried{IDs: []string{"0"}, Gates: []string{"ud-0"}}, granted("ud-0"), batch(3, "0")},
			kind: Wait, reason: ReasonSoak, says: "soaking after UD 0"},
		{name: "R31 and so does that one after it", tale: tale{udDone(0), 5 * time.Minute, granted("ud-1"), batch(2, "1"), Retried{IDs: []string{"0"}, Gates: []string{"ud-0"}}, granted("ud-0")}, kind: Wait, reason: ReasonSoak, says: "soaking after UD 1"},
		{name: "R31 the set bakes after the last gate", tale: udDone(2), kind: Wait, reason: ReasonBake},
		{name: "R31 a gate in which nothing was started needs no soak", tale: tale{requested, InstanceSeen{ID: "0", State: Left}, InstanceSeen{ID: "3", State: Vanished}, granted("ud-1")}, kind: SetModel, gate: "ud-1"},
		{name: "R31 an upgraded instance that is ill again stops the start", tale: tale{udDone(0), granted("ud-1")}, later: 5 * time.Minute, seen: instance("0", ill), kind: Wait, reason: ReasonHealth, says: "instance 0"},
		{name: "R31 one that a list shows with another image stops the next batch", tale: tale{begun, batch(1, "0")}, seen: instance("0", func(i *Instance) { i.Image = runs(v1) }), kind: Wait, reason: ReasonHealth, says: "the list may lag"},
		{name: "R31 it stops the end, too", tale: udDone(2), later: time.Hour, seen: instance("0", ill), kind: Wait, reason: ReasonHealth},
		{name: "R31 it does not keep the next card back", tale: udDone(0), seen: instance("0", ill), kind: AskGate, reason: ReasonApproval},
		{name: "R27 nothing starts when the limit is used up", tale: begun, seen: all(instance("4", ill), instance("5", ill)), kind: Wait, reason: ReasonHealth, says: "instances 4 5 of 6"},
		{name: "R27 a start is cut to what the limit leaves", tale: begun, seen: instance("4", ill), kind: Start, batch: []string{"0"}},
		{name: "R27 an ill instance goes first and costs nothing", tale: begun, seen: all(instance("3", ill), instance("4", ill)), kind: Start, batch: []string{"3"}},
		{name: "R27 the cure of an ill set is not refused by its illness", tale: begun, seen: func(o *Observation) {
			for n := range o.Set.Instances {
				ill(&o.Set.Instances[n])
			}
		}, kind: Start, batch: []string{"0", "3"}},
		{name: "R27 one of which nothing is told may serve: taking it down is not free", tale: begun, seen: all(instance("3", mute), instance("4", ill), instance("5", ill)), kind: Wait, reason: ReasonHealth, says: "or not known to serve: instances 3 4 5 of 6"},
		{name: "R27 it is taken down where the limit leaves room for it, before those that serve", tale: begun, seen: all(instance("3", mute), instance("4", ill)), kind: Start, batch: []string{"3"}},
		{name: "R27 nor is the cure refused of a set of which nothing is told", tale: begun, seen: func(o *Observation) {
			for n := range o.Set.Instances {
				mute(&o.Set.Instances[n])
			}
		}, kind: Start, batch: []string{"0", "3"}},
		{name: "R27 but it is no more at once than the limit", tale: begun, seen: func(o *Observation) {
			for n := range o.Set.Instances {
				mute(&o.Set.Instances[n])
			}
			o.Policy.MaxUnavailable = Limit{N: 1}
		}, kind: Start, batch: []string{"0"}},
		{name: "R27 a health that is not known counts as ill", tale: begun, seen: all(instance("4", func(i *Instance) { i.Health = UnknownState }), instance("5", func(i *Instance) { i.Power = "" })), kind: Wait, reason: ReasonHealth},
		{name: "R42 a call carries no more than the cap", tale: begun, plan: func(_ *ScaleSet, p *Policy, w *Wish) { p.BatchCap, w.Limits.BatchCap = 1, 1 }, kind: Start, batch: []string{"0"}},
		{name: "R21 R45 an image that is not permitted any more stops", tale: begun, seen: inForce(func(p *Policy) { p.AllowedImages = []string{"a:b:*"} }), kind: Wait, reason: ReasonPolicy},
		{name: "R21 R45 one that is permitted by name goes on", tale: begun, seen: inForce(func(p *Policy) { p.AllowedImages = []string{v2.Family()} }), kind: Start},
		{name: "R5 the way back needs no permission", tale: begun, plan: func(s *ScaleSet, _ *Policy, w *Wish) { w.Undoes = "r-0" }, seen: inForce(func(p *Policy) { p.AllowedImages = []string{"a:b:*"} }), kind: Start},
		{name: "R21 R45 downgrades that are not permitted any more stop", tale: begun, plan: func(_ *ScaleSet, p *Policy, _ *Wish) { p.Downgrades = true }, seen: all(instance("0", func(i *Instance) { i.Image = runs(version("3.0")) }), inForce(func(p *Policy) { p.Downgrades = false })), kind: Wait, reason: ReasonPolicy, says: "downgrades"},
		{name: "R21 the second yes that the policy takes by now is asked for with another card", tale: begun, seen: inForce(func(p *Policy) { p.Approvals = 2 }), kind: AskGate, reason: ReasonApproval},
		{name: "R21 a smaller cap in force counts at once", tale: begun, seen: inForce(func(p *Policy) { p.BatchCap = 1 }), kind: Start, batch: []string{"0"}},
		{name: "R21 a smaller limit in force counts at once", tale: begun, seen: inForce(func(p *Policy) { p.MaxUnavailable = Limit{N: 1} }), kind: Start, batch: []string{"0"}},
		{name: "R21 a limit of none in force stops", tale: begun, seen: inForce(func(p *Policy) { p.MaxUnavailable = Limit{} }), kind: Wait, reason: ReasonHealth},
		{name: "R21 a larger limit in force changes nothing", tale: begun, seen: all(instance("4", ill), instance("5", ill), inForce(func(p *Policy) { p.MaxUnavailable = Limit{N: 6} })), kind: Wait, reason: ReasonHealth},
		{name: "R27 a percentage is of the set as it is now", tale: begun, plan: func(_ *ScaleSet, p *Policy, _ *Wish) { p.MaxUnavailable = Limit{Percent: 33} }, seen: without("1", "4", "5"), kind: Start, batch: []string{"0"}},
		{name: "R34 vanished instances are left out", tale: begun, seen: without("0"), kind: Start, batch: []string{"3"}},
		{name: "R34 current and protected ones, too", tale: begun, seen: all(instance("0", onNew), instance("3", func(i *Instance) { i.Protected = true })), kind: Wait, reason: ReasonHealth, says: "nothing of UD 0 can be started"},
		{name: "R42 an instance whose domain is not told just now was agreed to by name", tale: begun, seen: instance("0", func(i *Instance) { i.UpdateDomain = -1 }), kind: Start, batch: []string{"0", "3"}},
	})
}

func TestDecideOnApproval(t *testing.T) {
	two := func(_ *ScaleSet, p *Policy, _ *Wish) { p.Approvals = 2 }
	grant2 := func(voters ...string) tale {
		t := tale{asked("ud-0")}
		for _, v := range voters {
			t = append(t, voted(v, "ud-0"))
		}
		return append(t, by{"UEVA", Granted{Gate: "ud-0", Asking: 1, Digest: webPlan().Digest, Voters: voters, Expires: life}})
	}
	lostRight := func(who string) change { return func(o *Observation) { o.Rights[who] = "an approver of this set" } }
	unknownRight := func(who string) change { return func(o *Observation) { delete(o.Rights, who) } }
	extension := set(func(s *ScaleSet) {
		s.Model.Sections = map[Section]string{SectionOSProfile: "a", SectionNetwork: "b", SectionExtensions: "new"}
	})
	shown := Asked{Gate: "ud-0", Asking: 1, Nonce: "n", Expires: life, Acknowledged: []Section{SectionExtensions},
		Sections: map[Section]string{SectionOSProfile: "a", SectionNetwork: "b", SectionExtensions: "new"}}
	agreed := by{"UBO", Granted{Gate: "ud-0", Asking: 1, Digest: webPlan().Digest}}
	runRows(t, []decideRow{
		{name: "R31 the first gate is put to people at once", kind: AskGate, reason: ReasonApproval, gate: "ud-0", says: "UD 0"},
		{name: "an asked gate waits for people", tale: tale{requested, asked("ud-0")}, kind: Wait, reason: ReasonApproval, gate: "ud-0", says: "0 of 1"},
		{name: "R41 the first approval puts the image into the model", tale: tale{requested, granted("ud-0")}, kind: SetModel, gate: "ud-0"},
		{name: "R41 never before", tale: tale{requested, asked("ud-0"), voted("UBO", "ud-0")}, kind: Wait, reason: ReasonApproval},
		{name: "R41 target model writes nothing to the model", tale: tale{requested, asked("ud-0"), voted("UBO", "ud-0"), by{"UBO", Granted{Gate: "ud-0", Asking: 1, Digest: webPlan().Digest}}}, plan: targetModel, seen: all(set(modelOnNew), func(o *Observation) {
			for n := range o.Set.Instances {
				o.Set.Instances[n].LatestModel = false
			}
		}), kind: Start, batch: []string{"0", "3"}},
		{name: "an approved gate with the model set starts", tale: begun, kind: Start, gate: "ud-0", batch: []string{"0", "3"}},
		{name: "R20 a grant of another plan covers nothing", tale: tale{requested, asked("ud-0"), voted("UBO", "ud-0"), by{"UBO", Granted{Gate: "ud-0", Asking: 1, Digest: "another"}}}, kind: Wait, reason: ReasonApproval},
		{name: "R20 a grant of another gate covers nothing", tale: tale{requested, granted("ud-1"), asked("ud-0")}, kind: Wait, reason: ReasonApproval},
		{name: "R20 a grant of an earlier asking covers nothing", tale: tale{requested, granted("ud-0"), Asked{Gate: "ud-0", Asking: 2, Expires: life}, by{"UBO", Voted{Gate: "ud-0", Asking: 2}}, by{"UBO", Granted{Gate: "ud-0", Asking: 1, Digest: webPlan().Digest}}}, kind: Wait, reason: ReasonApproval},
		{name: "R22 an approval that nobody gave in time holds", tale: tale{requested, asked("ud-0")}, later: 4 * time.Hour, kind: Hold, reason: ReasonExpired},
		{name: "R22 so does one that was given and not used in time", tale: tale{requested, granted("ud-0")}, later: 4 * time.Hour, kind: Hold, reason: ReasonExpired},
		{name: "R22 it runs out between two batches of a gate, too", tale: tale{begun, batch(1, "0")}, later: 4 * time.Hour, kind: Hold, reason: ReasonExpired},
		{name: "R22 it does not once everything of the gate was started", tale: tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, Settled{Op: "op-1", OK: true}}, later: 4 * time.Hour, kind: Wait, reason: ReasonVerifying},
		{name: "R21 a shorter life in force counts at once", tale: tale{requested, granted("ud-0")}, later: time.Hour, seen: func(o *Observation) { o.Policy.ApprovalLife = time.Hour }, kind: Hold, reason: ReasonExpired},
		{name: "R22 one that ran out can be asked again", tale: tale{requested, granted("ud-0"), by{"UANA", AskedAgain{Gate: "ud-0"}}}, later: 4 * time.Hour, kind: AskGate, reason: ReasonApproval},
		{name: "R24 a denial holds", tale: tale{requested, asked("ud-0"), by{"UBO", Denied{Gate: "ud-0", Asking: 1, Name: "bo", Reason: "friday"}}}, kind: Hold, reason: ReasonDenied, says: "bo denied UD 0: friday"},
		{name: "R24 a denial after the approval holds", tale: tale{requested, granted("ud-0"), by{"UEVA", Denied{Gate: "ud-0", Asking: 1, Name: "eva", Reason: "no"}}}, kind: Hold, reason: ReasonDenied},
		{name: "R24 what was denied can be asked again", tale: tale{requested, asked("ud-0"), by{"UBO", Denied{Gate: "ud-0", Asking: 1}}, by{"UANA", AskedAgain{Gate: "ud-0"}}}, kind: AskGate, reason: ReasonApproval},
		{name: "R23 an approver whose right is gone does not count", tale: begun, seen: lostRight("UBO"), kind: AskGate, reason: ReasonApproval},
		{name: "R23 an approver who cannot be checked does not count", tale: begun, seen: unknownRight("UBO"), kind: Wait, reason: ReasonApproval, says: "could not check bo"},
		{name: "R23 another approver's yes counts instead", tale: tale{begun, voted("UEVA", "ud-0")}, seen: lostRight("UBO"), kind: Start},
		{name: "R23 two approvers are two people", tale: tale{requested, grant2("UBO", "UEVA")}, plan: two, kind: SetModel},
		{name: "R24 one person twice is one vote", tale: tale{requested, grant2("UBO", "UBO")}, plan: two, kind: Wait, reason: ReasonApproval, says: "1 of 2"},
		{name: "R23 one of two whose right is gone is one too few", tale: tale{requested, grant2("UBO", "UEVA")}, plan: two, seen: lostRight("UBO"), kind: AskGate, reason: ReasonApproval},
		{name: "R21 more approvers asked for by the policy in force count at once", tale: begun, seen: func(o *Observation) { o.Policy.Approvals = 2 }, kind: AskGate, reason: ReasonApproval},
		{name: "R21 fewer never", tale: tale{requested, asked("ud-0"), voted("UBO", "ud-0"), by{"UBO", Granted{Gate: "ud-0", Asking: 1, Digest: webPlan().Digest}}}, plan: two, seen: func(o *Observation) { o.Policy.Approvals = 1 }, kind: AskGate, reason: ReasonApproval},
		{name: "R21 R34 an extension that was changed since voids the yes: it is asked anew", tale: begun, seen: extension, kind: AskGate, reason: ReasonApproval, gate: "ud-0"},
		{name: "R34 one that stood on the card does not", tale: tale{requested, shown, voted("UBO", "ud-0"), agreed}, seen: extension, kind: SetModel},
		{name: "R34 one that stood on the card and was taken back is asked anew", tale: tale{requested, shown, voted("UBO", "ud-0"), agreed}, kind: AskGate, reason: ReasonApproval},
		{name: "R22 R34 an approval that ran out is not revived by a change", tale: begun, later: 4 * time.Hour, seen: extension, kind: Hold, reason: ReasonExpired},
		{name: "R26 an approval passes nothing by", tale: tale{begun, by{"UBO", Paused{Name: "bo"}}}, kind: Hold, reason: ReasonPaused},
		{name: "R31 nobody is asked while a person holds the rollout", tale: tale{requested, by{"UBO", Paused{Name: "bo"}}}, kind: Hold, reason: ReasonPaused},
	})
}

func targetModel(s *ScaleSet, _ *Policy, w *Wish) {
	s.Model.Image, w.Target = v2, Target{Setting: to(v2), Model: true}
	for n := range s.Instances {
		s.Instances[n].LatestModel = false
	}
}

func TestR1AllBlockersAreCollectedInTheOrderOfTheRules(t *testing.T) {
	row := decideRow{
		tale: tale{udDone(0), InstanceSeen{ID: "1", State: Broken, Detail: "d"}, by{"UBO", Paused{Name: "bo"}}, asked("ud-1")},
		seen: all(instance("2", updating), instance("0", ill), set(func(s *ScaleSet) { s.Rolling = true }), func(o *Observation) { o.Throttled = night.Add(time.Hour) }),
	}
	d := row.decide()
	var got []Reason
	for _, b := range d.Blockers {
		got = append(got, b.Reason)
	}
	want := []Reason{ReasonFailure, ReasonDrift, ReasonThrottled, ReasonBusy, ReasonPaused, ReasonSoak, ReasonHealth, ReasonApproval}
	if !slices.Equal(got, want) || d.Reason != ReasonFailure {
		t.Errorf("blockers %v, decided %q; want %v", got, d.Reason, want)
	}
}

func TestR34WhyTellsThatAGateIsAskedAnew(t *testing.T) {
	d := decideRow{tale: tale{begun, by{"UBO", Paused{Name: "bo"}}}, seen: set(func(s *ScaleSet) {
		s.Model.Sections = map[Section]string{SectionOSProfile: "a", SectionNetwork: "b", SectionExtensions: "z"}
	})}.decide()
	if d.Reason != ReasonPaused || len(d.Blockers) != 2 || !strings.Contains(d.Blockers[1].What, "extensionProfile changed since UD 0 was put to people") {
		t.Errorf("decided %+v", d)
	}
}

func TestR1EveryHoldHasAnExitThatSomebodyCanType(t *testing.T) {
	exits := map[Reason]decideRow{
		ReasonUnknown: {tale: tale{requested, granted("ud-0"), write(patch()), 2 * time.Minute, Looked{Op: "op-model", Outdated: []string{"model"}}, time.Minute, Looked{Op: "op-model", Outdated: []string{"model"}}}},
		ReasonModel:   {tale: tale{begun, by{"UANA", AbortAsked{}}, ModelAsked{}}},
		ReasonFailure: {tale: tale{begun, InstanceSeen{ID: "0", State: Broken}}},
		ReasonDrift:   {seen: set(modelOnNew)},
		ReasonPaused:  {tale: tale{begun, by{"UBO", Paused{}}}},
		ReasonDenied:  {tale: tale{requested, asked("ud-0"), by{"UBO", Denied{Gate: "ud-0"}}}},
		ReasonExpired: {tale: tale{requested, asked("ud-0")}, later: 4 * time.Hour},
		ReasonUnread:  {tale: tale{begun, Unread{Kind: "x"}}},
	}
	for _, reason := range allReasons {
		row, held := exits[reason]
		if held != reason.Holds() {
			t.Errorf("reason %q: holds %v, this test knows an exit: %v", reason, reason.Holds(), held)
			continue
		}
		if d := row.decide(); held && (d.Kind != Hold || d.Reason != reason || !typed(d.Blockers[0].Next) || !strings.Contains(d.Blockers[0].Next, "r-1")) {
			t.Errorf("hold %+v: decided %s %q, exit %+v", reason, d.Kind, d.Reason, d.Blockers)
		}
	}
}

var allReasons = []Reason{ReasonNone, ReasonIncomplete, ReasonInFlight, ReasonUnknown, ReasonModel, ReasonFailure, ReasonDrift, ReasonThrottled, ReasonBusy,
	ReasonPaused, ReasonVerifying, ReasonSoak, ReasonBake, ReasonHealth, ReasonApproval, ReasonDenied, ReasonExpired, ReasonUnread}

func TestWhenTheNextLookIsDue(t *testing.T) {
	for _, row := range []struct {
		name string
		row  decideRow
		want time.Duration
	}{
		{"R31 soon after something was asked", decideRow{}, 0},
		{"every ten seconds while a call is in flight", decideRow{tale: tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1"}}}, 10 * time.Second},
		{"but never later than a minute: the instances are looked at", decideRow{tale: tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1"}}, seen: func(o *Observation) { o.Op = &OpReading{Again: 24 * time.Hour} }}, time.Minute},
		{"as late as Azure asks for", decideRow{tale: tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1"}}, seen: func(o *Observation) { o.Op = &OpReading{Again: time.Minute} }}, time.Minute},
		{"every ten seconds while instances come up", decideRow{tale: tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1"}, Settled{Op: "op-1", OK: true}}}, 10 * time.Second},
		{"every thirty while only people are waited for", decideRow{tale: tale{requested, asked("ud-0")}}, 30 * time.Second},
		{"at the soak's end if that is sooner", decideRow{tale: tale{udDone(0), granted("ud-1")}, later: 5*time.Minute - 7*time.Second}, 7 * time.Second},
		{"at the moment an approval runs out", decideRow{tale: tale{requested, asked("ud-0")}, later: 4*time.Hour - time.Second}, time.Second},
		{"R39 not before Azure's quiet is over", decideRow{tale: begun, seen: func(o *Observation) { o.Throttled = night.Add(time.Hour) }}, time.Hour},
		{"soon when the set could not be read", decideRow{tale: begun, seen: unreadable}, 10 * time.Second},
		{"after a start in ten seconds", decideRow{tale: begun}, 10 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			told := row.row.tale
			if told == nil {
				told = tale{requested}
			}
			d := row.row.decide()
			if got := d.Recheck.Sub(told.ends().Add(row.row.later)); got != row.want {
				t.Errorf("%s %q: next look in %v, want %v", d.Kind, d.Reason, got, row.want)
			}
		})
	}
}

func TestDecideIsDeterministicAndChangesNothing(t *testing.T) {
	p, r := webPlan(), settled.fold()
	seen := seenAfter(p, r)
	before := settled.fold()
	first := Decide(p, r, seen, settled.ends())
	for range 50 {
		if d := Decide(p, r, seen, settled.ends()); !reflect.DeepEqual(d, first) {
			t.Fatalf("decided %+v, then %+v", first, d)
		}
	}
	if !reflect.DeepEqual(r, before) {
		t.Error("Decide changed the rollout")
	}
}
