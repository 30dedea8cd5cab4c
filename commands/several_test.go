package commands

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

func TestSeveralSetsAreNamedByAPatternOrAGroup(t *testing.T) {
	understood(t, []reading{
		{"a pattern", "upgrade web-* latest", Request{Verb: VerbUpgrade, Set: "web-*", Target: "latest"}},
		{"one in a resource group", "plan rg-shop/web-? model", Request{Verb: VerbPlan, Set: "rg-shop/web-?", Target: "model"}},
		{"a group of the configuration", "upgrade group:web 4.0.1", Request{Verb: VerbUpgrade, Set: "group:web", Target: "4.0.1"}},
		{"without some", "upgrade web-* latest skip=set:web-c,web-b", Request{Verb: VerbUpgrade, Set: "web-*", Target: "latest", Without: []string{"web-b", "web-c"}}},
		{"another size", "resize web-* to Standard_D4s_v5", Request{Verb: VerbResize, Set: "web-*", Size: "Standard_D4s_v5"}},
		{"pause what is open", `pause all "storage incident"`, Request{Verb: VerbPause, Rollout: "all", Reason: "storage incident"}},
		{"and go on", "resume All", Request{Verb: VerbResume, Rollout: "all"}},
		{"pause a group", "pause g-4f2k9a", Request{Verb: VerbPause, Rollout: "g-4f2k9a"}},
		{"abort a group", "abort g-4f2k9a revert bad image", Request{Verb: VerbAbort, Rollout: "g-4f2k9a", Answer: upgrade.Revert, Reason: "bad image"}},
		{"let a wave go on", `resolve g-4f2k9a go-on "the canary's disk was full"`, Request{Verb: VerbResolve, Rollout: "g-4f2k9a", Verdict: upgrade.GoOn, Reason: "the canary's disk was full"}},
		{"or one rollout of it", "resolve r-1 go-on looked", Request{Verb: VerbResolve, Rollout: "r-1", Verdict: upgrade.GoOn, Reason: "looked"}},
		{"look at a group", "status g-4f2k9a", Request{Verb: VerbStatus, About: "g-4f2k9a"}},
	})
	refused(t, []no{
		{"nothing else takes all", "abort all x", "`abort` takes one rollout", "/vmss status"},
		{"never one yes for two sets", "approve g-4f2k9a", "never one yes for two sets", "/vmss status g-4f2k9a"},
		{"a group is no set to show", "show web-*", "is no scale set's name", "/vmss list"},
		{"no pattern leads out of names", "upgrade web/../* latest", "is no scale set's name", "/vmss list"},
		{"what is left out is named", "upgrade web-* latest skip=set:*", "it leaves out scale sets", "/vmss help upgrade"},
		{"of several only go-on is said", "resolve g-4f2k9a started x", "only `go-on`", "/vmss help resolve"},
		{"go-on is said of no instances", "resolve r-1 vm=3 go-on x", "`go-on` is said of a whole rollout", "/vmss help resolve"},
	})
}

func TestACommandForSeveralSetsSaysWhatBecomesOfEach(t *testing.T) {
	set := func(name string) upgrade.SetSummary {
		return upgrade.SetSummary{Name: name, ResourceGroup: "rg"}
	}
	change := upgrade.Change{Rollout: "r-1"}
	d := &desk{several: upgrade.Several{Group: "g-1", Name: "web-*", Of: 2, Sets: []upgrade.Planned{
		{Wave: 1, Set: set("web-a"), Rollout: "r-1", Plan: upgrade.Plan{Gates: []upgrade.Gate{{Instances: make([]upgrade.Member, 3)}}}},
		{Wave: 2, Set: set("web-b"), No: upgrade.Refuse(upgrade.CodeNothing, "", "nothing to do")}}}, opens: []upgrade.Change{change}}
	reply, changes, err := Do(t.Context(), parsed(t, "upgrade web-* latest skip=set:web-c"), ana, "C0OPS", time.Time{}, d)
	want := &Several{Group: "g-1", Name: "web-*", Of: 2, Sets: []SetPlan{{Wave: 1, Name: "web-a", Rollout: "r-1", Instances: 3, Gates: 1}, {Wave: 2, Name: "web-b", Refusal: &Refusal{Code: upgrade.CodeNothing, What: "nothing to do"}}}}
	if err != nil || !reflect.DeepEqual(reply.Several, want) || reply.Refusal != nil || len(changes) != 1 {
		t.Errorf("it answers %+v with %d changes (%v), want %+v", reply.Several, len(changes), err, want)
	}
	if ask := d.asked[1].(upgrade.Ask); ask.Set != "web-*" || !reflect.DeepEqual(ask.Without, []string{"web-c"}) || d.asked[2] != true {
		t.Errorf("the domain was asked %+v", d.asked)
	}
	d.several.Sets[1].No, d.opens = upgrade.Refuse(upgrade.CodePolicy, "/vmss show web-b", "its mode is Automatic"), nil
	reply, changes, _ = Do(t.Context(), parsed(t, "upgrade web-* latest"), ana, "C0OPS", time.Time{}, d)
	if no := reply.Refusal; no == nil || no.Code != upgrade.CodePolicy || no.Next != "/vmss upgrade web-* latest skip=set:web-b" || len(changes) != 0 || reply.Several == nil {
		t.Errorf("with a set in the way it answers %+v, %+v", reply.Refusal, reply.Several)
	}
	if reply, _, _ = Do(t.Context(), parsed(t, "plan web-* latest"), ana, "C0OPS", time.Time{}, d); reply.Refusal != nil || reply.Several == nil {
		t.Errorf("a plan of it answers %+v", reply)
	}
}

func TestTheStatusAndTheReportOfAGroupAreOneAnswer(t *testing.T) {
	rec := record("r-1", "web", "U0BO")
	rec.Rollout.Wave = &upgrade.Wave{Group: "g-1", N: 1, Of: 2}
	for text, want := range map[string]string{"status g-1": "g-1", "status g-web": "", "status r-1": "", "report g-1": "g-1", "report r-1": ""} { // a set may be called g-web
		d := &desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryRollouts: {Rollouts: []upgrade.Record{rec}}, upgrade.QueryReport: {Rollouts: []upgrade.Record{rec}}}}
		if reply, _, err := Do(t.Context(), parsed(t, text), ana, "C0OPS", time.Time{}, d); err != nil || reply.Group != want || len(reply.Rollouts) != 1 {
			t.Errorf("%s: %+v, %v; want group %q", text, reply, err, want)
		}
	}
}

func TestOneAnswerSumsUpWhatWasSaidOfSeveral(t *testing.T) {
	paused := upgrade.Change{Rollout: "r-1", Events: upgrade.At(time.Unix(1, 0), "U0ANA", upgrade.Paused{Name: "ana"})}
	d := &desk{said: []upgrade.Spoken{{Rollout: "r-1", Name: "web", Change: paused}, {Rollout: "r-2", Name: "db"}, {Rollout: "r-3", Name: "pay", No: upgrade.Refuse(upgrade.CodeRole, "", "it takes somebody else")}}}
	reply, changes, err := Do(t.Context(), parsed(t, "pause all x"), ana, "C0OPS", time.Time{}, d)
	want := "Paused 1 rollout: web (r-1). As before: db (r-2). Not: pay (r-3): it takes somebody else."
	if err != nil || reply.Text != want || len(changes) != 1 || reply.Request != `pause all "x"` {
		t.Errorf("it answers %q (%v), want %q", reply.Text, err, want)
	}
	for _, req := range []Request{{Verb: VerbPause, Rollout: "g-4f2k9a"}, {Verb: VerbAbort, Rollout: "g-4f2k9a"}, {Verb: VerbStatus, About: "g-4f2k9a"}, {Verb: VerbResolve, Rollout: "g-4f2k9a", Verdict: upgrade.GoOn}} {
		id, value := Action(req)
		if back, no := ParseAction(id, value); no != nil || !reflect.DeepEqual(back, req) {
			t.Errorf("the button of %+v is %s %s, which reads as %+v", req, id, value, back)
		}
	}
	if _, no := ParseAction("approve", "g-4f2k9a"); no == nil {
		t.Error("a button approves several rollouts")
	}
	form, ok := NewForm(Request{Verb: VerbAbort, Rollout: "g-4f2k9a"}, Lists{})
	if no := form.Check(); !ok || no != nil || !strings.Contains(form.Says, "every rollout of these") {
		t.Errorf("there is no form to abort a group: %v", no)
	}
	if back, wrong := ParseForm(form.Carried, map[string]string{"reason": "bad image", "answer": "ask"}); back.Rollout != "g-4f2k9a" || len(wrong) > 0 || !strings.Contains(Format(back), `abort g-4f2k9a "bad image"`) {
		t.Errorf("the form comes back as %+v, %v", back, wrong)
	}
}
