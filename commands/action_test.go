package commands

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/upgrade"
)

const nonce = "7c1e09aa41b2d3f4"

var longest = "r-" + strings.Repeat("z", 32) // a rollout's id

func TestAButtonIsTheRequestItWasMadeFrom(t *testing.T) {
	for _, row := range []struct {
		req       Request
		id, value string
	}{
		{Request{Verb: VerbApprove, Nonce: nonce}, "approve", nonce},
		{Request{Verb: VerbApprove, Nonce: nonce, Rest: true}, "approve-rest", nonce},
		{Request{Verb: VerbDeny, Nonce: nonce}, "deny", nonce},
		{Request{Verb: VerbModel, Nonce: nonce, Answer: upgrade.Revert}, "model-revert", nonce},
		{Request{Verb: VerbModel, Nonce: nonce, Answer: upgrade.Keep}, "model-keep", nonce},
		{Request{Verb: VerbPause, Rollout: "r-4f2k9a"}, "pause", "r-4f2k9a"},
		{Request{Verb: VerbResume, Rollout: "r-4f2k9a"}, "resume", "r-4f2k9a"},
		{Request{Verb: VerbAbort, Rollout: "r-4f2k9a"}, "abort", "r-4f2k9a"},
		{Request{Verb: VerbAbort, Nonce: nonce}, "abort", nonce},
		{Request{Verb: VerbAsk, Rollout: "r-4f2k9a"}, "ask", "r-4f2k9a"},
		{Request{Verb: VerbAsk, Nonce: nonce}, "ask", nonce},
		{Request{Verb: VerbRetry, Rollout: "r-4f2k9a"}, "retry", "r-4f2k9a"},
		{Request{Verb: VerbRetry, Rollout: "r-4f2k9a", Instances: []string{"8"}}, "retry-one", "r-4f2k9a/8"},
		{Request{Verb: VerbSkip, Rollout: "r-4f2k9a"}, "skip", "r-4f2k9a"},
		{Request{Verb: VerbSkip, Rollout: "r-4f2k9a", Instances: []string{"0"}}, "skip-one", "r-4f2k9a/0"},
		{Request{Verb: VerbQuarantine, Rollout: "r-4f2k9a"}, "quarantine", "r-4f2k9a"},
		{Request{Verb: VerbQuarantine, Rollout: longest, Instances: []string{strings.Repeat("w", 64)}}, "quarantine-one", longest + "/" + strings.Repeat("w", 64)},
		{Request{Verb: VerbResolve, Rollout: "r-4f2k9a"}, "resolve", "r-4f2k9a"},
		{Request{Verb: VerbResolve, Rollout: "r-4f2k9a", Verdict: upgrade.Started}, "resolve-started", "r-4f2k9a"},
		{Request{Verb: VerbResolve, Rollout: "r-4f2k9a", Verdict: upgrade.NotStarted}, "resolve-not-started", "r-4f2k9a"},
		{Request{Verb: VerbResolve, Rollout: "r-4f2k9a", Instances: []string{"web-1_a"}, Verdict: upgrade.IsOK}, "resolve-ok", "r-4f2k9a/web-1_a"},
		{Request{Verb: VerbResolve, Rollout: "r-4f2k9a", Verdict: upgrade.GoOn}, "resolve-go-on", "r-4f2k9a"},
		{Request{Verb: VerbPause, Rollout: "g-4f2k9a"}, "pause", "g-4f2k9a"},
		{Request{Verb: VerbResolve, Rollout: "r-4f2k9a", Instances: []string{"8"}, Verdict: upgrade.IsFailed}, "resolve-failed", "r-4f2k9a/8"},
		{Request{Verb: VerbReplan, Rollout: "r-4f2k9a"}, "replan", "r-4f2k9a"},
		{Request{Verb: VerbRollback, Rollout: "r-4f2k9a"}, "rollback", "r-4f2k9a"},
		{Request{Verb: VerbHandover, Rollout: "r-4f2k9a"}, "handover", "r-4f2k9a"},
		{Request{Verb: VerbShow, About: "r-4f2k9a", Part: "evidence"}, "evidence", "r-4f2k9a"},
		{Request{Verb: VerbStatus, About: "r-4f2k9a"}, "status", "r-4f2k9a"},
		{Request{Verb: VerbWhy, About: "r-4f2k9a"}, "why", "r-4f2k9a"},
		{Request{Verb: VerbShow, About: "r-4f2k9a", Part: "instances"}, "instances", "r-4f2k9a"},
		{Request{Verb: VerbReport, About: "r-4f2k9a"}, "report", "r-4f2k9a"},
	} {
		id, value := Action(row.req)
		if id != row.id || value != row.value {
			t.Errorf("Action(%+v) = %q, %q, want %q, %q", row.req, id, value, row.id, row.value)
		}
		if got, no := ParseAction(id, value); no != nil || !reflect.DeepEqual(got, row.req) {
			t.Errorf("ParseAction(%q, %q) = %+v, %v, want %+v", id, value, got, no, row.req)
		}
		if got, no := ParseAction(ActionMore, Option(row.req)); no != nil || !reflect.DeepEqual(got, row.req) {
			t.Errorf("ParseAction(%q, %q) = %+v, %v, want %+v", ActionMore, Option(row.req), got, no, row.req)
		}
		if n := len(Option(row.req)); n > 150 {
			t.Errorf("Option(%+v) has %d characters: Slack takes 150", row.req, n)
		}
	}
}

func TestOpenShowsTheRollout(t *testing.T) {
	got, no := ParseAction("open", "r-1")
	if want := (Request{Verb: VerbStatus, About: "r-1"}); no != nil || !reflect.DeepEqual(got, want) {
		t.Errorf(`ParseAction("open", "r-1") = %+v, %v, want %+v`, got, no, want)
	}
}

func TestNoButtonIsMadeOfWhatItCouldNotCarry(t *testing.T) {
	for name, req := range map[string]Request{
		"an approval without its card": {Verb: VerbApprove, Rollout: "r-1"},
		"an abort with a reason":       {Verb: VerbAbort, Rollout: "r-1", Reason: "x"},
		"a retry of two":               {Verb: VerbRetry, Rollout: "r-1", Instances: []string{"3", "8"}},
		"a retry of nobody knows whom": {Verb: VerbRetry, Rollout: "r-1", Unclear: []string{"vm"}},
		"a retry of a path":            {Verb: VerbRetry, Rollout: "r-1", Instances: []string{".."}},
		"a retry by a card":            {Verb: VerbRetry, Nonce: nonce},
		"a skip with a reason":         {Verb: VerbSkip, Rollout: "r-1", Instances: []string{"3"}, Reason: "x"},
		"a handover to somebody":       {Verb: VerbHandover, Rollout: "r-1", To: "U012AB3CD"},
		"an upgrade":                   {Verb: VerbUpgrade, Set: "s", Target: "latest"},
		"a look at a set":              {Verb: VerbStatus, About: "web-prod"},
		"a look by a card":             {Verb: VerbWhy, Nonce: nonce},
		"a malformed nonce":            {Verb: VerbApprove, Nonce: "x"},
		"home":                         {},
	} {
		if id, value := Action(req); id != "" || value != "" || Option(req) != "" {
			t.Errorf("%s: Action = %q, %q, Option = %q, want none", name, id, value, Option(req))
		}
	}
}

func TestForeignButtonsAreRefused(t *testing.T) {
	for _, row := range []struct{ name, id, value string }{
		{"no name", "", nonce},
		{"a name of nobody's", "launch", nonce},
		{"a name in capitals", "Approve", nonce},
		{"a verb that has no button", "upgrade", "r-1"},
		{"nothing on the card", "approve", ""},
		{"an approval by a rollout's id", "approve", "r-4f2k9a"},
		{"the rest by a rollout's id", "approve-rest", "r-4f2k9a"},
		{"a denial by a rollout's id", "deny", "r-4f2k9a"},
		{"the model question by a rollout's id", "model-keep", "r-4f2k9a"},
		{"a short nonce", "approve", "7c1e09aa41b2d3f"},
		{"a long nonce", "approve", strings.Repeat("a", 65)},
		{"a nonce in capitals", "approve", strings.ToUpper(nonce)},
		{"a nonce with more behind it", "approve", nonce + "\n"},
		{"a set's name", "pause", "web-prod"},
		{"a command", "pause", "/vmss pause r-1"},
		{"a rollout's id with a path", "why", "r-1/../r-2"},
		{"a look by a nonce", "why", nonce},
		{"an instance where a rollout is meant", "retry", "r-1/8"},
		{"a rollout where an instance is meant", "retry-one", "r-1"},
		{"no instance", "retry-one", "r-1/"},
		{"no rollout", "skip-one", "/8"},
		{"a rollout's nonce and an instance", "retry-one", nonce + "/8"},
		{"two instances", "retry-one", "r-1/8,9"},
		{"an instance below an instance", "resolve-ok", "r-1/8/9"},
		{"an instance that leads up", "resolve-ok", "r-1/.."},
		{"an instance that is itself", "resolve-ok", "r-1/."},
		{"all instances", "quarantine-one", "r-1/all"},
		{"a range of instances", "quarantine-one", "r-1/4-7"},
		{"any instance", "quarantine-one", "r-1/*"},
		{"an instance with a zero before it", "retry-one", "r-1/08"},
		{"an instance with more behind it", "retry-one", "r-1/8\n"},
		{"a long instance", "retry-one", "r-1/" + strings.Repeat("w", 65)},
		{"a word about a rollout by a card's nonce", "rollback", nonce},
		{"an option without its verb", ActionMore, nonce},
		{"an option of nothing", ActionMore, ""},
		{"an option of an option", ActionMore, ActionMore + ":" + "deny:" + nonce},
		{"an option's value in a plain button", "deny", "deny:" + nonce},
		{"ten thousand characters", strings.Repeat("x", 10_000), strings.Repeat("y", 10_000)},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, no := ParseAction(row.id, row.value)
			if no == nil {
				t.Fatalf("ParseAction(%.80q, %.80q) = %+v, want a refusal", row.id, row.value, got)
			}
			if !reflect.DeepEqual(got, Request{}) {
				t.Errorf("the refusal comes with %+v", got)
			}
			checkRefusal(t, row.id, no)
		})
	}
}

func FuzzParseAction(f *testing.F) {
	for _, b := range buttons {
		f.Add(b.id, nonce)
		f.Add(b.id, "r-1")
		f.Add(ActionMore, b.id+":r-1")
		f.Add(b.id, "r-1/8")
		f.Add(ActionMore, b.id+":r-1/web_1a2b3c")
	}
	f.Fuzz(func(t *testing.T, id, value string) {
		req, no := ParseAction(id, value)
		if no != nil {
			checkRefusal(t, id, no)
			if n := utf8.RuneCountInString(no.What); n > maxEcho+80 {
				t.Fatalf("%q is refused in %d characters", id, n)
			}
			return
		}
		if again, no := ParseAction(Action(req)); no != nil || !reflect.DeepEqual(again, req) {
			t.Fatalf("%q, %q is %+v, and back %+v, %v", id, value, req, again, no)
		}
	})
}
