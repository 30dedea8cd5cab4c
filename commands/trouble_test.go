package commands

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

func TestTheVerbsOfTrouble(t *testing.T) {
	understood(t, []reading{
		{"retry is of all that failed", "retry r-1", Request{Verb: VerbRetry, Rollout: "r-1"}},
		{"which may be said", "Retry r-1 Failed", Request{Verb: VerbRetry, Rollout: "r-1"}},
		{"retry of some, sorted as people count", "retry r-1 vm=12,3", Request{Verb: VerbRetry, Rollout: "r-1", Instances: []string{"3", "12"}}},
		{"instances before the rollout", "retry vm=3 r-1", Request{Verb: VerbRetry, Rollout: "r-1", Instances: []string{"3"}}},
		{"a range, as typed on a phone", "retry r-1 —vm=1,4–7", Request{Verb: VerbRetry, Rollout: "r-1", Instances: []string{"1", "4", "5", "6", "7"}}},
		{"names of a Flexible set, behind numbers", "retry r-1 vm=web_1a2b3c,a-1,10", Request{Verb: VerbRetry, Rollout: "r-1", Instances: []string{"10", "a-1", "web_1a2b3c"}}},
		{"as many as a set can have", "retry r-1 vm=0-999", Request{Verb: VerbRetry, Rollout: "r-1", Instances: numbers(upTo(1000))}},

		{"skip", "skip r-1 vm=3", Request{Verb: VerbSkip, Rollout: "r-1", Instances: []string{"3"}}},
		{"skip with words as reason", "skip r-1 vm=3 it’s rebuilt &amp; fine", Request{Verb: VerbSkip, Rollout: "r-1", Instances: []string{"3"}, Reason: "it's rebuilt & fine"}},
		{"quarantine, the reason first", "quarantine r-1 “disk = dead” vm=8", Request{Verb: VerbQuarantine, Rollout: "r-1", Instances: []string{"8"}, Reason: "disk = dead"}},
		{"a reason may begin with what would be an instance", `quarantine r-1 vm=8 9 is fine`, Request{Verb: VerbQuarantine, Rollout: "r-1", Instances: []string{"8"}, Reason: "9 is fine"}},
		{"quarantine without a reason is the domain's to refuse", "quarantine r-1 vm=8", Request{Verb: VerbQuarantine, Rollout: "r-1", Instances: []string{"8"}}},

		{"a call that happened", `resolve r-1 started "activity log has it"`, Request{Verb: VerbResolve, Rollout: "r-1", Verdict: upgrade.Started, Reason: "activity log has it"}},
		{"a call that did not", "resolve r-1 Not–Started no such call", Request{Verb: VerbResolve, Rollout: "r-1", Verdict: upgrade.NotStarted, Reason: "no such call"}},
		{"an instance that is well", `resolve r-1 vm=8 ok "logged in"`, Request{Verb: VerbResolve, Rollout: "r-1", Instances: []string{"8"}, Verdict: upgrade.IsOK, Reason: "logged in"}},
		{"in another order", `resolve r-1 failed vm=3,8 "no boot"`, Request{Verb: VerbResolve, Rollout: "r-1", Instances: []string{"3", "8"}, Verdict: upgrade.IsFailed, Reason: "no boot"}},
		{"the verdict behind a quoted reason", `resolve r-1 vm=8 "no boot" failed`, Request{Verb: VerbResolve, Rollout: "r-1", Instances: []string{"8"}, Verdict: upgrade.IsFailed, Reason: "no boot"}},
		{"a verdict in quotes is part of the reason", `resolve r-1 vm=8 ok "failed" before`, Request{Verb: VerbResolve, Rollout: "r-1", Instances: []string{"8"}, Verdict: upgrade.IsOK, Reason: "failed before"}},
		{"external gates that would pass", "resolve r-1 passed looked at the dashboard", Request{Verb: VerbResolve, Rollout: "r-1", Verdict: upgrade.Passes, Reason: "looked at the dashboard"}},
		{"resolve without a reason is the domain's to refuse", "resolve r-1 started", Request{Verb: VerbResolve, Rollout: "r-1", Verdict: upgrade.Started}},

		{"replan", "replan r-1", Request{Verb: VerbReplan, Rollout: "r-1"}},
		{"rollback", "rollback r-1", Request{Verb: VerbRollback, Rollout: "r-1"}},
		{"rollback with a reason", "rollback r-1 bad kernel", Request{Verb: VerbRollback, Rollout: "r-1", Reason: "bad kernel"}},
		{"handover to a person that Slack filled in", `handover r-1 <@U012AB3CD|bo> "UD 2 is next"`, Request{Verb: VerbHandover, Rollout: "r-1", To: "U012AB3CD", Reason: "UD 2 is next"}},
		{"handover, the note first", `handover r-1 "on call" <@W012AB3CD>`, Request{Verb: VerbHandover, Rollout: "r-1", To: "W012AB3CD", Reason: "on call"}},
		{"handover with words as note", "handover r-1 <@U012AB3CD> ask <@U0EVA> too", Request{Verb: VerbHandover, Rollout: "r-1", To: "U012AB3CD", Reason: "ask U0EVA too"}},
		{"handover without a note", "handover r-1 U012AB3CD", Request{Verb: VerbHandover, Rollout: "r-1", To: "U012AB3CD"}},
		{"the evidence of a rollout", "show r-1 Evidence", Request{Verb: VerbShow, About: "r-1", Part: "evidence"}},
	})
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestTheVerbsOfTroubleRefuse(t *testing.T) {
	refused(t, []no{
		{"all instances in a word", "retry r-1 vm=all", "never all", "/vmss help retry"},
		{"all instances in capitals", "quarantine r-1 vm=ALL why", "never all", "/vmss help quarantine"},
		{"all instances as a star", "quarantine r-1 vm=* why", "never all", "/vmss help quarantine"},
		{"no instances, which would be all", "retry r-1 vm=", "it takes instances by their ids", "/vmss help retry"},
		{"a list with a hole", "skip r-1 vm=3,,8", "without blanks", "/vmss help skip"},
		{"a list with a blank", "skip r-1 vm=3, 8", "without blanks", "/vmss help skip"},
		{"an instance that leads up", "skip r-1 vm=..", "it takes instances by their ids", "/vmss help skip"},
		{"an instance with a path in it", "skip r-1 vm=3/../4", "it takes instances by their ids", "/vmss help skip"},
		{"an instance with a dot", "skip r-1 vm=web.1", "it takes instances by their ids", "/vmss help skip"},
		{"a long instance", "skip r-1 vm=" + strings.Repeat("w", 65), "it takes instances by their ids", "/vmss help skip"},
		{"an instance of marks alone", "skip r-1 vm=_", "it takes instances by their ids", "/vmss help skip"},
		{"a number with a zero before it", "skip r-1 vm=08", "it takes instances by their ids", "/vmss help skip"},
		{"two ranges in one", "skip r-1 vm=1-2-3", "it takes instances by their ids", "/vmss help skip"},
		{"a range without an end", "skip r-1 vm=3-", "it takes instances by their ids", "/vmss help skip"},
		{"a range that goes backwards", "skip r-1 vm=7-4", "the range goes backwards. Did you mean `vm=4-7`?", "/vmss skip r-1 vm=4-7"},
		{"an instance named twice", "skip r-1 vm=3,1-4,web", "an instance is named twice. Did you mean `vm=1-4,web`?", "/vmss skip r-1 vm=1-4,web"},
		{"more than any set has", "skip r-1 vm=0-1000", "that is more than 1000 instances", "/vmss help skip"},
		{"a range beyond counting", "skip r-1 vm=0-999999999", "that is more than 1000 instances", "/vmss help skip"},
		{"a range beyond numbers", "skip r-1 vm=0-99999999999999999999", "it takes instances by their ids", "/vmss help skip"},
		{"instances given twice", "skip r-1 vm=3 vm=8", "`vm=` is given twice", "/vmss help skip"},
		{"instances with a colon", "skip r-1 vm:3,8 why", "I do not know `vm:3,8`. Did you mean `vm=`?", `/vmss skip r-1 vm=3,8 why`},
		{"instances apart from their key", "skip r-1 vm 3 why", "`vm` and its value are one word", "/vmss skip r-1 vm=3 why"},
		{"instances without a key", "retry r-1 3,8", "I do not know `3,8`. Did you mean `vm=3,8`?", "/vmss retry r-1 vm=3,8"},
		{"instances with a slip in their key", "skip vms=3 r-1", "I do not know `vms=3`. Did you mean `vm=`?", "/vmss skip r-1 vm=3"},
		{"a domain, and never takes it for a reason", "skip r-1 vm=3 ud=2", "I do not know `ud=2`: `skip` takes `vm=`, and a reason between quotes", "/vmss help skip"},

		{"retry of two kinds", "retry r-1 failed vm=3", "say one of them", "/vmss help retry"},
		{"retry with more than it takes", "retry r-1 failed now", "I do not know `now`", "/vmss help retry"},
		{"retry with a slip", "retry r-1 faild", "I do not know `faild`. Did you mean `failed`?", "/vmss retry r-1 failed"},
		{"retry with a reason, and never retries all for it", `retry r-1 "disk of 3"`, "I do not know `disk of 3`", "/vmss help retry"},
		{"retry of a set", "retry web-prod", "`retry` takes a rollout's id such as `r-4f2k9a`, and `web-prod` is none", "/vmss status web-prod"},
		{"retry without a rollout", "retry vm=3", "`retry` needs a rollout", "/vmss status"},
		{"skip without instances", "skip r-1 broken", "`skip` needs instances, such as `vm=3,8`", "/vmss help skip"},

		{"resolve without a verdict", "resolve r-1", "`resolve` needs what you found", "/vmss help resolve"},
		{"resolve with a reason alone", `resolve r-1 vm=8 "looked"`, "`resolve` needs what you found", "/vmss help resolve"},
		{"a verdict in two words", "resolve r-1 not started why", "Did you mean `not-started`?", "/vmss resolve r-1 not-started why"},
		{"a verdict with a slip", "resolve r-1 vm=8 faild why", "I do not know `faild`. Did you mean `failed`?", "/vmss resolve r-1 vm=8 failed why"},
		{"a call that names instances", "resolve r-1 vm=8 started why", "said of a whole call", "/vmss help resolve"},
		{"external gates that name instances", "resolve r-1 vm=8 passed why", "said of external gates", "/vmss help resolve"},
		{"instances that are not named", "resolve r-1 ok why", "are said of instances", "/vmss help resolve"},

		{"handover to a name", "handover r-1 @bo", "`@bo` is nobody's id: mention the person", "/vmss help handover"},
		{"handover to a name behind its note", `handover r-1 "on call" @bo`, "`@bo` is nobody's id: mention the person", "/vmss help handover"},
		{"handover to everybody", "handover r-1 <!here>", "`@here` is nobody's id", "/vmss help handover"},
		{"handover to a channel", "handover r-1 <#C012AB3CD|ops>", "`C012AB3CD` is nobody's id", "/vmss help handover"},
		{"handover to nobody", `handover r-1 "on call"`, "`handover` needs the person who takes over", "/vmss help handover"},
		{"replan with more than it takes", "replan r-1 now", "`replan` does not know what to do with `now`", "/vmss replan r-1"},
		{"rollback of a set", "rollback web-prod", "`rollback` takes a rollout's id", "/vmss status web-prod"},
	})
}

// What the domain does without a verdict, a person or instances must never be what a slip comes to.
func TestInstancesThatWereNotUnderstoodNeverBecomeAllOfThem(t *testing.T) {
	for _, text := range []string{"retry r-1 vm=x.y", "retry r-1 vm=", "retry r-1 vm=7-4", "retry r-1 ud=3", "retry r-1 3", "retry r-1 vm:3", "retry r-1 vm 3", "retry r-1 faild", "retry r-1 failed 3", "retry vm=8,8 r-1"} {
		req, no := Parse(text)
		if no == nil {
			t.Fatalf("%q is understood", text)
		}
		again, ok := ParseStarted(Refused(req, no).Refusal.Form)
		if !ok || !again.isUnclear("vm") || !again.Unfinished() {
			t.Errorf("%q: the button's form begins with %+v", text, again)
		}
		f := formOf(t, again, Lists{Rollouts: []upgrade.Record{troubled()}})
		if _, wrong := ParseForm(f.Carried, sent(f)); wrong[fieldInstances] == "" {
			t.Errorf("%q: the form is sent without instances", text)
		}
	}
}

// troubled is the record of a rollout with an instance of every state.
func troubled() upgrade.Record {
	rec := record("r-1", "web", "U0ANA")
	rec.Rollout.Instances = map[string]upgrade.InstanceStatus{}
	gate := upgrade.Gate{Key: "ud-0", Title: "UD 0"}
	for i, state := range []upgrade.Progress{upgrade.Waiting, upgrade.Going, upgrade.Checking, upgrade.OK, upgrade.Broken, upgrade.Vanished, upgrade.Left, upgrade.Unclear, upgrade.Passed, upgrade.Aside} {
		id := fmt.Sprint(i)
		gate.Instances = append(gate.Instances, upgrade.Member{ID: id})
		rec.Rollout.Instances[id] = upgrade.InstanceStatus{State: state, Detail: "says why"}
	}
	rec.Plan.Gates = []upgrade.Gate{gate}
	return rec
}

func TestAFormOffersTheInstancesThatItsVerbCanActOn(t *testing.T) {
	for verb, want := range map[Verb][]string{
		VerbRetry:      {"4|4 · UD 0 · failed: says why", "7|7 · UD 0 · inconclusive: says why", "9|9 · UD 0 · quarantined: says why", "8|8 · UD 0 · skipped: says why"},
		VerbSkip:       {"4|4 · UD 0 · failed: says why", "7|7 · UD 0 · inconclusive: says why", "0|0 · UD 0 · not started: says why"},
		VerbQuarantine: {"4|4 · UD 0 · failed: says why", "7|7 · UD 0 · inconclusive: says why", "8|8 · UD 0 · skipped: says why", "3|3 · UD 0 · ok"},
		VerbResolve:    {"7|7 · UD 0 · inconclusive: says why"},
	} {
		req := Request{Verb: verb, Rollout: "r-1"}
		f, got := offered(t, formOf(t, req, Lists{Rollouts: []upgrade.Record{record("r-0", "db", "U0ANA"), troubled()}}), fieldInstances)
		if f.Kind != FieldChoices || !reflect.DeepEqual(got, want) || f.Optional != (verb == VerbRetry || verb == VerbResolve) {
			t.Errorf("%s offers a %s (optional: %v) of %q, want %q", verb, f.Kind, f.Optional, got, want)
		}
		for name, l := range map[string]Lists{"nothing read": {}, "another rollout": {Rollouts: []upgrade.Record{record("r-0", "db", "U0ANA")}}, "none in trouble": {Rollouts: []upgrade.Record{record("r-1", "db", "U0ANA")}}} {
			req.Instances = []string{"4", "5", "6", "12"}
			if f, _ := offered(t, formOf(t, req, l), fieldInstances); f.Kind != FieldText || f.Value != "4-6,12" {
				t.Errorf("%s, %s: a %s with %q", verb, name, f.Kind, f.Value)
			}
		}
	}
}

func TestMoreInstancesThanAMenuHoldsAreTyped(t *testing.T) {
	rec := troubled()
	for i := range maxChoices {
		id := fmt.Sprint(100 + i)
		rec.Plan.Gates[0].Instances = append(rec.Plan.Gates[0].Instances, upgrade.Member{ID: id})
		rec.Rollout.Instances[id] = upgrade.InstanceStatus{State: upgrade.Waiting}
	}
	if f, _ := offered(t, formOf(t, Request{Verb: VerbSkip, Rollout: "r-1"}, Lists{Rollouts: []upgrade.Record{rec}}), fieldInstances); f.Kind != FieldText {
		t.Errorf("a %s of %d choices", f.Kind, len(f.Choices))
	}
	if f, _ := offered(t, formOf(t, Request{Verb: VerbRetry, Rollout: "r-1"}, Lists{Rollouts: []upgrade.Record{rec}}), fieldInstances); f.Kind != FieldChoices {
		t.Error("what is waiting counts against the failed ones")
	}
}

func TestAnInstanceChosenBeforeIsKeptInTheFormOfItsButton(t *testing.T) {
	pressed, no := ParseAction("quarantine-one", "r-1/12")
	if no != nil || !pressed.Unfinished() {
		t.Fatalf("pressed gives %+v, %v", pressed, no)
	}
	f := formOf(t, pressed, Lists{Rollouts: []upgrade.Record{troubled()}})
	values := sent(f)
	values[fieldReason] = "disk"
	want := parsed(t, "quarantine r-1 vm=12 disk")
	if got, wrong := ParseForm(f.Carried, values); len(wrong) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("the form gives %+v, wrong %v, want %+v", got, wrong, want)
	}
}

func TestAButtonActsAtOnceOnlyWhereNothingIsLackingThatPeopleAskFor(t *testing.T) {
	for _, row := range []struct {
		id, value string
		asks      []string // fields
	}{
		{"retry", "r-1", nil},
		{"retry-one", "r-1/8", nil},
		{"replan", "r-1", nil},
		{"rollback", "r-1", nil},
		{"skip", "r-1", []string{fieldInstances}},
		{"skip-one", "r-1/8", nil},
		{"quarantine", "r-1", []string{fieldInstances, fieldReason}},
		{"quarantine-one", "r-1/8", []string{fieldReason}},
		{"resolve", "r-1", []string{fieldVerdict, fieldReason}},
		{"resolve-started", "r-1", []string{fieldReason}},
		{"resolve-not-started", "r-1", []string{fieldReason}},
		{"resolve-ok", "r-1/8", []string{fieldReason}},
		{"resolve-failed", "r-1/8", []string{fieldReason}},
		{"resolve-passed", "r-1", []string{fieldReason}},
		{"handover", "r-1", []string{fieldTo}},
	} {
		req, no := ParseAction(row.id, row.value)
		if no != nil {
			t.Fatal(no)
		}
		var asks []string
		for _, field := range formOf(t, req, Lists{}).Fields {
			if !field.Optional && field.Value == "" {
				asks = append(asks, field.Name)
			}
		}
		if !slices.Equal(asks, row.asks) || req.Unfinished() != (row.asks != nil) {
			t.Errorf("%s asks for %q, want %q", row.id, asks, row.asks)
		}
	}
}

func TestAnUnknownInstanceIsChosenFromThoseOfItsRollout(t *testing.T) {
	no := &upgrade.Refusal{Code: upgrade.CodeUnknown, What: "instance 99 is not part of r-1", Next: "/vmss why r-1", Rollout: "r-1"}
	req, ok := ParseStarted(Refused(parsed(t, "quarantine r-1 vm=99 disk"), no).Refusal.Form)
	f, _ := offered(t, formOf(t, req, Lists{Rollouts: []upgrade.Record{troubled()}}), fieldInstances)
	if !ok || req.Rollout != "r-1" || f.Value != "99" || len(f.Choices) != 5 {
		t.Errorf("the form of %+v offers %+v", req, f)
	}
}

func TestWhatWasFoundIsAskedForAsItsButtonSays(t *testing.T) {
	for _, row := range []struct {
		req     Request
		offers  []string
		someone bool // instances are asked for
	}{
		{Request{Verb: VerbResolve, Rollout: "r-1"}, []string{"started", "not-started", "ok", "failed", "passed"}, true},
		{Request{Verb: VerbResolve, Rollout: "r-1", Verdict: upgrade.Passes}, []string{"passed"}, false},
		{Request{Verb: VerbResolve, Rollout: "r-1", Verdict: upgrade.NotStarted}, []string{"started", "not-started"}, false},
		{Request{Verb: VerbResolve, Rollout: "r-1", Instances: []string{"8"}}, []string{"ok", "failed"}, true},
		{Request{Verb: VerbResolve, Rollout: "r-1", Instances: []string{"8"}, Verdict: upgrade.IsOK}, []string{"ok", "failed"}, true},
	} {
		f := formOf(t, row.req, Lists{})
		var offers []string
		field, _ := offered(t, f, fieldVerdict)
		for _, c := range field.Choices {
			offers = append(offers, c.Value)
		}
		some := slices.ContainsFunc(f.Fields, func(f Field) bool { return f.Name == fieldInstances })
		if !slices.Equal(offers, row.offers) || some != row.someone || field.Value != string(row.req.Verdict) {
			t.Errorf("%+v offers %q, instances: %v", row.req, offers, some)
		}
	}
}

func TestWhatDoesNotGoTogetherInAFormIsSaidAtItsField(t *testing.T) {
	var names []string
	for i := range 180 {
		names = append(names, fmt.Sprintf("web_%06d", i))
	}
	for _, row := range []struct {
		name, field, says string
		verb              Verb
		values            map[string]string
	}{
		{"a call has no instances", fieldVerdict, "without `vm=`", VerbResolve, map[string]string{"verdict": "started", "vm": "8", "reason": "x"}},
		{"a verdict on instances names them", fieldInstances, "such as `vm=8`", VerbResolve, map[string]string{"verdict": "ok", "reason": "x"}},
		{"more than could be typed", fieldInstances, "name fewer", VerbQuarantine, map[string]string{"vm": strings.Join(names, ","), "reason": strings.Repeat("x", maxSaid)}},
	} {
		_, wrong := ParseForm(Carried{Verb: row.verb, Rollout: "r-1"}, row.values)
		if len(wrong) != 1 || !strings.Contains(wrong[row.field], row.says) {
			t.Errorf("%s: wrong is %v, want only %s: …%s…", row.name, wrong, row.field, row.says)
		}
	}
}

func TestAFormAboutInstancesBeginsAnewWithItsRollout(t *testing.T) {
	f := formOf(t, Request{Verb: VerbQuarantine}, Lists{Rollouts: []upgrade.Record{troubled()}})
	if field, _ := offered(t, f, fieldRollout); !field.Steers || field.Kind != FieldChoice {
		t.Errorf("the choice of a rollout does not steer: %+v", field)
	}
	req := Steered(f.Carried, map[string]string{"rollout": "r-1", "vm": "4", "reason": "disk"})
	if want := (Request{Verb: VerbQuarantine, Rollout: "r-1", Instances: []string{"4"}, Reason: "disk"}); !reflect.DeepEqual(req, want) {
		t.Errorf("steered to %+v, want %+v", req, want)
	}
	if field, _ := offered(t, formOf(t, req, Lists{Rollouts: []upgrade.Record{troubled()}}), fieldInstances); field.Kind != FieldChoices || field.Value != "4" || field.About != "r-1" {
		t.Errorf("the instances are a %s with %q of %q", field.Kind, field.Value, field.About)
	}
	if field, _ := offered(t, formOf(t, Request{Verb: VerbResume}, Lists{}), fieldRollout); field.Steers {
		t.Error("where nothing depends on the rollout its choice steers")
	}
}
