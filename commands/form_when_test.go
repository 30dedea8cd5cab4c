package commands

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

func TestASetThatIsCalledAllIsNeverTakenForAllSets(t *testing.T) {
	l := Lists{Sets: []upgrade.SetSummary{{Name: "All", ResourceGroup: "rg"}, {Name: "web", ResourceGroup: "rg"}}}
	for given, chosen := range map[string]string{"": "", "all": "all", "rg/all": "rg/All", "web": "web"} {
		f, got := offered(t, formOf(t, Request{Verb: VerbFreeze, Set: given}, l), "set")
		if want := []string{"all|all: every scale set that you may stop", "rg/All|All · rg · 0 instances", "web|web · rg · 0 instances"}; f.Value != chosen || !reflect.DeepEqual(got, want) {
			t.Errorf("given %q: %q of %q, want %q of %q", given, f.Value, got, chosen, want)
		}
	}
	if f, _ := offered(t, formOf(t, Request{Verb: VerbUpgrade, Set: "all"}, l), "set"); f.Value != "rg/All" || len(f.Choices) != 2 {
		t.Errorf("to upgrade it %q of %v is chosen", f.Value, f.Choices)
	}
	for _, text := range []string{"freeze all x", "freeze All x", `freeze "ALL" x`} {
		if got := parsed(t, text); got.Set != upgrade.EverySet || Format(got) != `freeze all "x"` {
			t.Errorf("%s is heard as %q", text, Format(got))
		}
	}
}

func TestAFormOpensWithAllThatWasUnderstoodOfAFreeze(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"freeze for=2 web until=22:00 the sale": {"set": "web", "for": "", "until": "22:00", "reason": "the sale"},
		"freeze “the sale” for=2h":              {"set": "", "for": "2h", "until": "", "reason": "the sale"},
	} {
		req, no := Parse(text)
		if got := sent(formOf(t, req, Lists{})); !reflect.DeepEqual(got, want) {
			t.Errorf("%s opens with %v, want %v", text, got, want)
		}
		if again, ok := ParseStarted(Refused(req, no).Refusal.Form); !ok || !reflect.DeepEqual(again, req) {
			t.Errorf("%s: its button opens %+v, want %+v", text, again, req)
		}
	}
}

func TestAFreezeEndsOnce(t *testing.T) {
	values := map[string]string{"set": "web", "for": "2h", "until": "22:00", "reason": "x"}
	if _, wrong := ParseForm(Carried{Verb: VerbFreeze}, values); len(wrong) != 1 || !strings.Contains(wrong["until"], "both say when it ends") {
		t.Errorf("wrong is %v", wrong)
	}
}

// A schedule without its times, or with some that are none, must not become an upgrade of now, nor one of
// other instances.
func TestWhenIsSaidInTheFormOfAScheduleWhateverWasUnderstood(t *testing.T) {
	for _, text := range []string{"schedule web latest", "schedule web latest at=22:00", "schedule web latest cron=x", "schedule web latest cron=0 tz=UTC",
		`schedule web latest cron="0 2 * * SUN" tz=+02:00`, `schedule tz=../x web latest cron="0 2 * * SUN"`} { // by whose clock?
		req, no := Parse(text)
		again, ok := ParseStarted(Refused(req, no).Refusal.Form)
		if !ok || again.Verb != VerbSchedule || again.Unclear != nil {
			t.Errorf("%q: the button's form begins with %+v", text, again)
		}
		values := sent(formOf(t, again, Lists{}))
		if _, wrong := ParseForm(Carried{Verb: VerbSchedule}, values); len(wrong) != 1 || wrong["cron"] == "" {
			t.Errorf("%q: sent as it opens, wrong is %v", text, wrong)
		}
		values["cron"] = "0 2 * * SUN"
		if got, wrong := ParseForm(Carried{Verb: VerbSchedule}, values); len(wrong) > 0 || got.Options.Cron != "0 2 * * SUN" || got.Target != "latest" {
			t.Errorf("%q: the form gives %+v, wrong %v", text, got, wrong)
		}
	}
}

func TestAnUnknownFreezeIsChosenFromThoseThatHold(t *testing.T) {
	for text, given := range map[string]string{"unfreeze f-9": "", "unschedule web": "", "unfreeze f-9 over": "f-9"} {
		no := upgrade.Refuse(upgrade.CodeUnknown, "/vmss windows", "I know none that you may see")
		req, ok := ParseStarted(Refused(parsed(t, text), no).Refusal.Form)
		if f, _ := offered(t, formOf(t, req, azure()), "set"); !ok || len(f.Choices) == 0 || f.Value != given {
			t.Errorf("%s: the form offers %+v", text, f)
		}
	}
}
