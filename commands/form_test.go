package commands

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// sent are the values of a form that is sent as it opened.
func sent(f Form) map[string]string {
	values := map[string]string{}
	for _, field := range f.Fields {
		values[field.Name] = field.Value
	}
	return values
}

func formOf(t *testing.T, req Request, l Lists) Form {
	t.Helper()
	f, ok := NewForm(req, l)
	if !ok {
		t.Fatalf("%q has no form", req.Verb)
	}
	return f
}

func TestAFormGivesTheRequestThatTypedTextGives(t *testing.T) {
	const seed, rounds = 20261123, 50_000
	forms := 0
	for i := range uint64(rounds) {
		want := randomRequest(rand.New(rand.NewPCG(seed, i)))
		f, ok := NewForm(want, Lists{})
		if !ok || want.Unfinished() {
			continue
		}
		forms++
		got, wrong := ParseForm(f.Carried, sent(f))
		if len(wrong) > 0 || !reflect.DeepEqual(got, want) {
			t.Fatalf("request %d of seed %d\n     %+v\n  form gives %+v\n  wrong %v", i, seed, want, got, wrong)
		}
		if typed, no := Parse(Format(want)); no != nil || !reflect.DeepEqual(typed, got) {
			t.Fatalf("typed %q gives %+v, %v, the form %+v", Format(want), typed, no, got)
		}
	}
	if forms < rounds/4 {
		t.Errorf("only %d forms in %d requests", forms, rounds)
	}
}

func TestTypedPressedAndFilledInAreOneRequest(t *testing.T) {
	for _, row := range []struct {
		typed  string
		form   Carried
		values map[string]string
	}{
		{"upgrade web-prod 4.0.20160229 ud=0,2 soak=10m note=\"CHG 1\"", Carried{Verb: VerbUpgrade},
			map[string]string{"set": "web-prod", "target": "4.0.20160229", "ud": "0,2", "soak": "10m", "note": "CHG 1"}},
		{"plan rg-shop/web model max-unavailable=20% max-failures=1 bake=1h", Carried{Verb: VerbPlan},
			map[string]string{"set": "rg-shop/web", "target": "Model", "max-unavailable": "20%", "max-failures": "1", "bake": "1h"}},
		{"upgrade web latest ud=1–3 note=“it’s – fine”", Carried{Verb: VerbUpgrade}, map[string]string{"set": "web", "target": "latest", "ud": "1–3", "note": "it’s – fine"}},
		{"upgrade web " + gallery + " fd=1 zone=3 vm=1,4-7 skip=vm:3,9 by=zone batch=2 canary=1", Carried{Verb: VerbUpgrade},
			map[string]string{"set": "web", "target": gallery, "which": "fd=1 zone=3 vm=1,4–7 skip=3,9", "by": "zone", "more": "canary=1 batch=2"}},
		{"plan web latest ud=1 sku=16.04-LTS on-failure=abort", Carried{Verb: VerbPlan}, map[string]string{"set": "web", "target": "latest", "which": "--UD=1", "by": "set", "more": "sku=16.04-LTS", "on-failure": "abort"}},
		{"resize web to Standard_D4s_v5 ud=0 by=batch batch=20%", Carried{Verb: VerbResize}, map[string]string{"set": "web", "size": "Standard_D4s_v5", "ud": "0", "by": "batch", "more": "batch=20%"}},
		{"images web-prod", Carried{Verb: VerbImages}, map[string]string{"set": "web-prod"}},
		{"show web-prod policy", Carried{Verb: VerbShow, Part: "policy"}, map[string]string{"set": "web-prod"}},
		{"approve r-1", Carried{Verb: VerbApprove}, map[string]string{"rollout": "r-1"}},
		{"approve r-1 rest", Carried{Verb: VerbApprove, Rest: true}, map[string]string{"rollout": "r-1"}},
		{"ask r-1", Carried{Verb: VerbAsk}, map[string]string{"rollout": "r-1"}},
		{"resume r-1", Carried{Verb: VerbResume}, map[string]string{"rollout": "r-1"}},
		{"pause r-1", Carried{Verb: VerbPause}, map[string]string{"rollout": "r-1", "reason": "  "}},
		{"pause r-1 lunch", Carried{Verb: VerbPause, Rollout: "r-1"}, map[string]string{"reason": "lunch"}},
		{"deny r-1 \"no  way\"", Carried{Verb: VerbDeny, Rollout: "r-1"}, map[string]string{"reason": "no\nway"}},
		{"abort r-1 \"bad image\"", Carried{Verb: VerbAbort, Rollout: "r-1"}, map[string]string{"reason": "bad image", "answer": "ask"}},
		{"retry r-1", Carried{Verb: VerbRetry}, map[string]string{"rollout": "r-1"}},
		{"retry r-1 vm=3,8", Carried{Verb: VerbRetry, Rollout: "r-1"}, map[string]string{"vm": "8,3"}},
		{"skip r-1 vm=4-7", Carried{Verb: VerbSkip, Rollout: "r-1"}, map[string]string{"vm": "4–7"}},
		{"quarantine r-1 vm=web_1a2b3c disk", Carried{Verb: VerbQuarantine}, map[string]string{"rollout": "r-1", "vm": "web_1a2b3c", "reason": "disk"}},
		{"resolve r-1 not-started why", Carried{Verb: VerbResolve, Rollout: "r-1"}, map[string]string{"verdict": "not-started", "reason": "why"}},
		{"resolve r-1 vm=8 failed why", Carried{Verb: VerbResolve, Rollout: "r-1"}, map[string]string{"verdict": "failed", "vm": "8", "reason": "why"}},
		{"replan r-1", Carried{Verb: VerbReplan}, map[string]string{"rollout": "r-1"}},
		{"rollback r-1 \"bad kernel\"", Carried{Verb: VerbRollback}, map[string]string{"rollout": "r-1", "reason": "bad kernel"}},
		{"handover r-1 <@U012AB3CD|bo> \"UD 2\"", Carried{Verb: VerbHandover, Rollout: "r-1"}, map[string]string{"to": "U012AB3CD", "reason": "UD 2"}},
		{"plan web latest on-failure=quarantine", Carried{Verb: VerbPlan}, map[string]string{"set": "web", "target": "latest", "on-failure": "quarantine"}},
		{"freeze web-prod for=2h sale", Carried{Verb: VerbFreeze}, map[string]string{"set": "web-prod", "for": "2h", "until": " ", "reason": "sale"}},
		{"freeze ALL until=22:00 \"incident 42\"", Carried{Verb: VerbFreeze}, map[string]string{"set": "All", "for": "", "until": "22:00", "reason": "incident\n42"}},
		{"freeze rg-shop/all \"until we know more\"", Carried{Verb: VerbFreeze}, map[string]string{"set": "rg-shop/all", "reason": "until we know more"}},
		{"unfreeze f-4f2k9a over", Carried{Verb: VerbUnfreeze}, map[string]string{"set": "f-4f2k9a", "reason": "over"}},
		{"unfreeze \"all\"", Carried{Verb: VerbUnfreeze}, map[string]string{"set": "all"}},
		{`schedule web-prod latest cron="0 9-17 * * SAT" tz=Europe/Prague window=sun-night ud=0 note=monthly`, Carried{Verb: VerbSchedule},
			map[string]string{"set": "web-prod", "target": "latest", "cron": " 0  9–17 ∗ * SAT", "tz": "Europe/Prague", "more": "window=sun-night", "ud": "0", "note": "monthly"}},
		{`schedule web model cron="0 2 * * SUN"`, Carried{Verb: VerbSchedule}, map[string]string{"set": "web", "target": "model", "cron": "“0 2 * * SUN”"}},
		{"unschedule s-4f2k9a over", Carried{Verb: VerbUnschedule}, map[string]string{"set": "s-4f2k9a", "reason": "over"}},
		{"unschedule rg-shop/web", Carried{Verb: VerbUnschedule}, map[string]string{"set": "rg-shop/web"}},
		{"abort r-1 revert \"bad image\"", Carried{Verb: VerbAbort}, map[string]string{"rollout": "r-1", "reason": "bad image", "answer": "revert"}},
	} {
		got, wrong := ParseForm(row.form, row.values)
		if want := parsed(t, row.typed); len(wrong) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n form gives %+v, wrong %v\n       want %+v", row.typed, got, wrong, want)
		}
	}
	for _, id := range []string{"deny", "abort"} {
		pressed, no := ParseAction(id, nonce)
		if no != nil || !pressed.Unfinished() {
			t.Fatalf("%s pressed gives %+v, %v: want a request that lacks its reason", id, pressed, no)
		}
		f := formOf(t, pressed, Lists{})
		values := sent(f)
		values["reason"] = "bad image"
		want := pressed
		want.Reason = "bad image"
		if got, wrong := ParseForm(f.Carried, values); len(wrong) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the form of the button gives %+v, wrong %v, want %+v", id, got, wrong, want)
		}
	}
}

func TestWhatIsWrongInAFormIsSaidAtItsField(t *testing.T) {
	plan := map[string]string{"set": "web", "target": "latest", "size": "Standard_D4s_v5"}
	for _, row := range []struct {
		name, field, value, says string
		form                     Carried
	}{
		{"a set is needed", "set", "", "this is needed", Carried{Verb: VerbPlan}},
		{"blanks are nothing", "target", "  ", "this is needed", Carried{Verb: VerbPlan}},
		{"a path is no set", "set", "../web", "no scale set's name", Carried{Verb: VerbPlan}},
		{"a slip in a target", "target", "latst", "Did you mean `latest`?", Carried{Verb: VerbUpgrade}},
		{"half an image's id", "target", "/subscriptions/x", "the whole id of an image", Carried{Verb: VerbUpgrade}},
		{"an address that is no VHD's", "target", "https://h/x", "the address of a VHD", Carried{Verb: VerbUpgrade}},
		{"a number as target", "target", "7", "a version such as", Carried{Verb: VerbUpgrade}},
		{"a size of nobody's", "size", "big", "a VM size such as", Carried{Verb: VerbResize}},
		{"instances that are not named", "which", "vm=all", "never all", Carried{Verb: VerbUpgrade}},
		{"a backward range among others", "which", "fd=1 vm=7-4", "Did you mean `vm=4-7`?", Carried{Verb: VerbUpgrade}},
		{"words without a key", "which", "3,8", "`3,8` fits nothing: it takes `ud=`, `fd=`", Carried{Verb: VerbUpgrade}},
		{"a key of another field", "which", "canary=1", "`canary=1` fits nothing", Carried{Verb: VerbUpgrade}},
		{"instances twice in one field", "which", "vm=3 vm=8", "`vm=` is given twice", Carried{Verb: VerbResize}},
		{"no batch", "more", "batch=0", "a number of instances or a percentage", Carried{Verb: VerbUpgrade}},
		{"a SKU of a size", "more", "sku=x", "`sku=x` fits nothing", Carried{Verb: VerbResize}},
		{"an order of nobody's", "by", "name", "`ud`, `fd`", Carried{Verb: VerbUpgrade}},
		{"no domains", "ud", "zero", "update domains", Carried{Verb: VerbUpgrade}},
		{"backwards", "ud", "3-1", "Did you mean `1-3`?", Carried{Verb: VerbUpgrade}},
		{"a time without its unit", "soak", "10", "Did you mean `10m`?", Carried{Verb: VerbUpgrade}},
		{"a limit", "max-unavailable", "many", "a number of instances or a percentage", Carried{Verb: VerbUpgrade}},
		{"failures", "max-failures", "-1", "a number of instances", Carried{Verb: VerbUpgrade}},
		{"a long note", "note", strings.Repeat("x", maxSaid+1), "281 characters long", Carried{Verb: VerbUpgrade}},
		{"more than is read", "note", strings.Repeat("x", maxText+1), "2001 characters long", Carried{Verb: VerbUpgrade}},
		{"what nobody can see", "set", "web\u200b", "U+200B", Carried{Verb: VerbUpgrade}},
		{"no text at all", "note", "\xff", "UTF-8", Carried{Verb: VerbUpgrade}},
		{"a reason is needed", "reason", " ", "this is needed", Carried{Verb: VerbDeny, Nonce: nonce}},
		{"an id", "rollout", "web-prod", "no rollout's id", Carried{Verb: VerbApprove}},
		{"instances are needed", "vm", "", "this is needed", Carried{Verb: VerbSkip, Rollout: "r-1"}},
		{"all instances", "vm", "all", "never all", Carried{Verb: VerbQuarantine, Rollout: "r-1"}},
		{"instances twice", "vm", "3,3", "Did you mean `3`?", Carried{Verb: VerbRetry, Rollout: "r-1"}},
		{"a verdict is needed", "verdict", "", "this is needed", Carried{Verb: VerbResolve, Rollout: "r-1"}},
		{"a verdict nobody offered", "verdict", "maybe", "started, not-started", Carried{Verb: VerbResolve, Rollout: "r-1"}},
		{"nobody", "to", "", "this is needed", Carried{Verb: VerbHandover, Rollout: "r-1"}},
		{"a name", "to", "@bo", "mention the person", Carried{Verb: VerbHandover, Rollout: "r-1"}},
		{"an end of nobody's", "on-failure", "panic", "hold", Carried{Verb: VerbPlan}},
		{"what is frozen is needed", "set", "", "this is needed", Carried{Verb: VerbFreeze}},
		{"a pattern is not frozen", "set", "web-*", "no scale set's name", Carried{Verb: VerbFreeze}},
		{"a freeze needs its reason", "reason", " ", "this is needed: people will ask for it", Carried{Verb: VerbFreeze}},
		{"a freeze without a unit", "for", "2", "Did you mean `2m`?", Carried{Verb: VerbFreeze}},
		{"a freeze for a year", "for", "52w", "a time from 1m", Carried{Verb: VerbFreeze}},
		{"a freeze until some day", "until", "Tuesday", "such as `22:00`", Carried{Verb: VerbFreeze}},
		{"what is lifted is needed", "set", "", "this is needed: its id", Carried{Verb: VerbUnfreeze}},
		{"what is taken away is needed", "set", "", "this is needed: its id", Carried{Verb: VerbUnschedule}},
		{"when is needed", "cron", "", "this is needed: minute, hour", Carried{Verb: VerbSchedule}},
		{"three fields of five", "cron", "0 2 *", "five fields with blanks between", Carried{Verb: VerbSchedule}},
		{"times with a zone in them", "cron", "CRON_TZ=UTC 0 2 * * *", "five fields with blanks between", Carried{Verb: VerbSchedule}},
		{"no time zone", "tz", "../etc/passwd", "the IANA name", Carried{Verb: VerbSchedule}},
		{"one moment of what comes again", "more", "at=22:00", "`at=22:00` fits nothing", Carried{Verb: VerbSchedule}},
		{"an answer nobody offered", "answer", "both", "revert, keep", Carried{Verb: VerbAbort, Rollout: "r-1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			values := map[string]string{"reason": "x", "rollout": "r-1", "cron": "0 2 * * SUN"}
			for k, v := range plan {
				values[k] = v
			}
			values[row.field] = row.value
			req, wrong := ParseForm(row.form, values)
			if len(wrong) != 1 || !strings.Contains(wrong[row.field], row.says) {
				t.Errorf("wrong is %v, want only %s: …%s…", wrong, row.field, row.says)
			}
			for _, s := range []string{req.Set, req.Target, req.Size, req.SKU, req.Reason, req.Rollout, req.Options.Note} {
				if s != "" && s == row.value {
					t.Errorf("%q got into the request", s)
				}
			}
		})
	}
}

func TestAFormThatCarriesWhatNoneOfOursCarriesIsRefused(t *testing.T) {
	for _, c := range []Carried{
		{}, {Verb: "vm"}, {Verb: VerbModel, Rollout: "r-1"}, {Verb: VerbDeny, Rollout: "../r-1"}, {Verb: VerbDeny, Rollout: "r-1", Nonce: nonce},
		{Verb: VerbDeny, Nonce: "short"}, {Verb: VerbShow, Part: "secrets"}, {Verb: VerbUpgrade, Some: "note"}, {Verb: VerbUpgrade, Some: "ud,"},
		{Verb: VerbFreeze, Rollout: "r-1"}, {Verb: VerbFreeze, Nonce: nonce}, {Verb: VerbFreeze, Some: "ud"}, {Verb: VerbUnfreeze, Part: "policy"}, {Verb: VerbSchedule, Rest: true}, {Verb: VerbUnschedule, Rollout: "all"},
		{Verb: VerbUpgrade, Rollout: "r-1"}, {Verb: VerbDeny, Nonce: nonce, Rest: true}, {Verb: VerbAbort, Rollout: "all"}, {Verb: VerbResume, Nonce: nonce, Some: "vm"},
	} {
		if no := c.Check(); no == nil || no.Code != upgrade.CodeArg {
			t.Errorf("%+v is let pass: %v", c, no)
		}
	}
	ours := []Carried{{Verb: VerbPause, Rollout: "all"}, {Verb: VerbPause, Rollout: "g-4f2k9a"}, {Verb: VerbShow, Part: "policy"}, {Verb: VerbApprove, Nonce: nonce, Rest: true}, {Verb: VerbSchedule, Some: "ud,window"}}
	for verb := range faces {
		ours = append(ours, Carried{Verb: verb})
		if slices.ContainsFunc(formOf(t, Request{Verb: verb}, Lists{}).Fields, func(f Field) bool { return f.Name == "rollout" }) {
			ours = append(ours, Carried{Verb: verb, Nonce: nonce}, Carried{Verb: verb, Rollout: "r-1"})
		}
	}
	for _, c := range ours {
		if no := c.Check(); no != nil {
			t.Errorf("%+v is refused: %v", c, no)
		}
	}
}

func TestAFieldThatIsNotAskedForIsNotLookedAt(t *testing.T) {
	got, wrong := ParseForm(Carried{Verb: VerbDeny, Nonce: nonce}, map[string]string{"reason": "x", "rollout": "r-9", "set": "web", "answer": "keep"})
	if want := (Request{Verb: VerbDeny, Nonce: nonce, Reason: "x"}); len(wrong) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, wrong, want)
	}
}

func TestWhatWasLeftOutIsAskedForAndWhatIsWrongIsNot(t *testing.T) {
	for text, asked := range map[string]bool{
		"resize": true, "resize web": true, "resize web to": true, "resize web to ud=0": true, "images": true,
		"upgrade web vm=3 by=zone": true, "upgrade web vm=x.y": false, "resize web big": false, "images ../x": false, "upgrade web latest sku=x zone=one": false,
		"upgrade": true, "plan": true, "upgrade web": true, "upgrade web ud=0 note=x": true, "show": true, "approve": true, "deny": true, "pause": true, "resume": true, "abort": true, "ask": true,
		"retry": true, "retry vm=3": true, "skip": true, "skip r-1": true, "skip r-1 broken": true, "quarantine r-1": true, "resolve r-1": true, "resolve r-1 ok why": true, "resolve r-1 why": true, "replan": true, "rollback": true,
		"handover r-1": true, "handover r-1 \"note\"": true, "handover": true,
		"freeze": true, "freeze for=2h": true, "freeze \"the sale\" for=2h": true, "freeze until=22:00": true, "unfreeze": true, "unschedule": true, "schedule": true, "schedule web": true, "schedule web latest": true, "schedule cron=\"0 2 * * SUN\"": true, "schedule web latest tz=UTC ud=0": true,
		"freeze for=2": false, "freeze ../x": false, "freeze for=2h until=22:00": false, "unfreeze ..": false, "schedule web latest cron=x": false, "schedule web latest cron=0 2 * * SUN": false, "schedule web latest tz=../x": false,
		"skip vm=x.y": false, "retry r-1 3": false, "resolve r-1 vm=8 started": false, "handover r-1 @bo": false, "quarantine r-1 vm=all": false,
		"upgrade web 1.2 ud=x": false, "upgrade web ud=x": false, "upgrade ../x": false, "approve web": false, "upgrde": false, "stop": false, "vm": false,
	} {
		req, no := Parse(text)
		if got := errors.Is(no, ErrIncomplete); no == nil || got != asked {
			t.Errorf("%q: incomplete %v (%v), want %v", text, got, no, asked)
		}
		if asked && !req.Unfinished() {
			t.Errorf("%q understood as %+v lacks nothing", text, req)
		}
	}
	for text, unfinished := range map[string]bool{"deny r-1": true, "abort r-1": true, "deny r-1 x": false, "abort r-1 keep": false, "pause r-1": false, "status": false, "retry r-1": false, "quarantine r-1 vm=8": true, "resolve r-1 started": true, "skip r-1 vm=3": false, "replan r-1": false, "rollback r-1": false, "handover r-1 U012AB3CD": false, "upgrade web latest": false, "": false,
		"freeze web": true, "freeze all for=2h": true, "freeze web x": false, "unfreeze all": false, "unschedule s-1": false, "schedule web latest cron=\"0 2 * * SUN\"": false} {
		if got := parsed(t, text).Unfinished(); got != unfinished {
			t.Errorf("%q unfinished: %v, want %v", text, got, unfinished)
		}
	}
}

func TestAFormOpensWithAllThatWasUnderstood(t *testing.T) {
	req, no := Parse("upgrade ud=x web-prod soak=10 vm=7-4 zone=2 by=zone canary=1 4.0.1 batch=20% note=why skip=3,9 max-failures=1")
	if no == nil {
		t.Fatal("ud=x is understood")
	}
	got := sent(formOf(t, req, Lists{}))
	want := map[string]string{"set": "web-prod", "target": "4.0.1", "ud": "", "which": "zone=2 vm= skip=vm:3,9", "by": "zone", "more": "batch=20% canary=1", "note": "why", "on-failure": "policy", "soak": "", "bake": "", "max-unavailable": "", "max-failures": "1"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("opens with %v, want %v", got, want)
	}
}

// azure is what a set and its image look like when they were read.
func azure() Lists {
	image := func(v string) upgrade.Image {
		return upgrade.Image{Publisher: "Canonical", Offer: "UbuntuServer", SKU: "16.04-LTS", Version: v}
	}
	set := upgrade.ScaleSet{Name: "web", ResourceGroup: "rg", Model: upgrade.Model{Image: image("4.0.2")}}
	for i := range 5 {
		set.Instances = append(set.Instances, upgrade.Instance{UpdateDomain: i%3 - 1}) // -1: not known
	}
	return Lists{Set: &set,
		Sets:     []upgrade.SetSummary{{Name: "web", ResourceGroup: "rg", Capacity: 5}, {Name: "db", ResourceGroup: "a"}, {Name: "DB", ResourceGroup: "b", Capacity: 1}},
		Versions: []upgrade.ImageVersion{{Image: image("4.0.4")}, {Image: image("4.0.3"), Deprecated: true}, {Image: image("4.0.2"), Deprecated: true}, {Image: image("4.0.1")}},
		Rollouts: []upgrade.Record{record("r-1", "web", "U0ANA"), record("r-2", "db", "U0ANA")},
		Freezes: []upgrade.Freeze{{Why: "the end of the year"}, {ID: "f-1", Sets: []string{"rg/web"}, Name: "ana", Why: "sale"},
			{ID: "f-2", Sets: []string{"!shop-*", "*"}, End: time.Date(2026, 11, 24, 22, 0, 0, 0, time.UTC), Name: "bo", Why: "incident"}},
		Schedules: []upgrade.Schedule{{ID: "s-1", Name: "web", Cron: "0 2 * * SUN", Zone: "Europe/Prague", ByName: "ana"}}}
}

func offered(t *testing.T, f Form, name string) (Field, []string) {
	t.Helper()
	for _, field := range f.Fields {
		if field.Name == name {
			var labels []string
			for _, c := range field.Choices {
				labels = append(labels, c.Value+"|"+c.Label)
			}
			return field, labels
		}
	}
	t.Fatalf("the form of %s has no field %s", f.Verb, name)
	return Field{}, nil
}

func TestListsBecomeChoices(t *testing.T) {
	for _, row := range []struct {
		name, field string
		req         Request
		kind        FieldKind
		value       string
		want        []string
	}{
		{"sets of one name are told apart", "set", Request{Verb: VerbPlan}, FieldChoice, "", []string{"web|web · rg · 5 instances", "a/db|db · a · 0 instances", "b/DB|DB · b · 1 instance"}},
		{"a set given in full is chosen by its short name", "set", Request{Verb: VerbPlan, Set: "RG/Web"}, FieldChoice, "web", []string{"web|web · rg · 5 instances", "a/db|db · a · 0 instances", "b/DB|DB · b · 1 instance"}},
		{"an unknown set is kept and marked", "set", Request{Verb: VerbPlan, Set: "wob"}, FieldChoice, "wob", []string{"web|web · rg · 5 instances", "a/db|db · a · 0 instances", "b/DB|DB · b · 1 instance", "wob|wob (not in the list)"}},
		{"versions newest first, the current one marked, deprecated ones left out", "target", Request{Verb: VerbPlan, Set: "web"}, FieldChoice, "",
			[]string{"latest|latest: the newest, pinned when it is planned", "model|model: what the set's model already says (4.0.2)", "4.0.4|4.0.4", "4.0.2|4.0.2 · current", "4.0.1|4.0.1"}},
		{"a version given is kept and marked", "target", Request{Verb: VerbPlan, Set: "web", Target: "9.9"}, FieldChoice, "9.9",
			[]string{"latest|latest: the newest, pinned when it is planned", "model|model: what the set's model already says (4.0.2)", "4.0.4|4.0.4", "4.0.2|4.0.2 · current", "4.0.1|4.0.1", "9.9|9.9 (not in the list)"}},
		{"domains with their counts", "ud", Request{Verb: VerbPlan, Set: "web"}, FieldChoices, "", []string{"0|UD 0 · 2 instances", "1|UD 1 · 1 instance"}},
		{"a domain the set does not have never becomes all of them", "ud", Request{Verb: VerbPlan, Set: "web", Which: upgrade.Selection{UpdateDomains: []int{1, 7}}}, FieldChoices, "1,7", []string{"0|UD 0 · 2 instances", "1|UD 1 · 1 instance", "7|7 (not in the list)"}},
		{"all sets beside each, but for one that is called so", "set", Request{Verb: VerbFreeze, Set: "WEB"}, FieldChoice, "web",
			[]string{"all|all: every scale set that you may stop", "web|web · rg · 5 instances", "a/db|db · a · 0 instances", "b/DB|DB · b · 1 instance"}},
		{"all sets are frozen where that was said", "set", Request{Verb: VerbFreeze, Set: "all"}, FieldChoice, "all",
			[]string{"all|all: every scale set that you may stop", "web|web · rg · 5 instances", "a/db|db · a · 0 instances", "b/DB|DB · b · 1 instance"}},
		{"all is not offered of what is scheduled", "set", Request{Verb: VerbSchedule}, FieldChoice, "", []string{"web|web · rg · 5 instances", "a/db|db · a · 0 instances", "b/DB|DB · b · 1 instance"}},
		{"freezes that people said, not those of the configuration", "set", Request{Verb: VerbUnfreeze}, FieldChoice, "", []string{"f-1|f-1 · rg/web · until it is lifted · by ana", "f-2|f-2 · every set · until 2026-11-24 22:00 UTC · by bo"}},
		{"a freeze that is over is kept and marked", "set", Request{Verb: VerbUnfreeze, Set: "f-9"}, FieldChoice, "f-9",
			[]string{"f-1|f-1 · rg/web · until it is lifted · by ana", "f-2|f-2 · every set · until 2026-11-24 22:00 UTC · by bo", "f-9|f-9 (not in the list)"}},
		{"schedules", "set", Request{Verb: VerbUnschedule}, FieldChoice, "", []string{"s-1|s-1 · web · 0 2 * * SUN Europe/Prague · by ana"}},
		{"rollouts", "rollout", Request{Verb: VerbResume}, FieldChoice, "", []string{"r-1|r-1 · web →  · by ", "r-2|r-2 · db →  · by "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, got := offered(t, formOf(t, row.req, azure()), row.field)
			if f.Kind != row.kind || f.Value != row.value || !reflect.DeepEqual(got, row.want) {
				t.Errorf("%s, %q, %q\nwant %s, %q, %q", f.Kind, f.Value, got, row.kind, row.value, row.want)
			}
		})
	}
}

func TestAVersionsDayIsToldWhereAzureTellsIt(t *testing.T) {
	l := azure()
	l.Versions[0].Published = time.Date(2024, 1, 17, 23, 0, 0, 0, time.UTC)
	l.Versions = append(l.Versions, upgrade.ImageVersion{Image: upgrade.Image{ID: gallery + "/versions/1.2.3"}}, upgrade.ImageVersion{Image: upgrade.Image{ID: gallery + "/versions/1.2.4"}, Unusable: "not replicated"})
	_, got := offered(t, formOf(t, Request{Verb: VerbPlan, Set: "web"}, l), "target")
	if want := []string{"4.0.4|4.0.4 · 2024-01-17", "4.0.2|4.0.2 · current", "4.0.1|4.0.1", "1.2.3|1.2.3"}; !reflect.DeepEqual(got[2:], want) {
		t.Errorf("offers %q, want %q", got[2:], want)
	}
}

func TestAnImagesIDIsTypedWhereAMenuCouldNotHoldIt(t *testing.T) {
	f, _ := offered(t, formOf(t, Request{Verb: VerbPlan, Set: "web", Target: gallery + "/versions/1.2.3"}, azure()), "target")
	if f.Kind != FieldText || f.Value != gallery+"/versions/1.2.3" || f.Most < len(f.Value) {
		t.Errorf("the image is a %s with %q", f.Kind, f.Value)
	}
}

func TestAFlexibleSetIsNotAskedForUpdateDomains(t *testing.T) {
	l := azure()
	l.Set.Mode = upgrade.Flexible
	asked := func(req Request) bool {
		return slices.ContainsFunc(formOf(t, req, l).Fields, func(f Field) bool { return f.Name == "ud" })
	}
	if asked(Request{Verb: VerbPlan, Set: "web"}) {
		t.Error("they are asked for")
	}
	if !asked(Request{Verb: VerbPlan, Set: "web", Which: upgrade.Selection{UpdateDomains: []int{1}}}) || !asked(Request{Verb: VerbPlan, Set: "web", Unclear: []string{"ud"}}) {
		t.Error("what was said of them is dropped in silence")
	}
}

func TestAListThatIsMissingOrTooLongForAMenuLeavesAText(t *testing.T) {
	many := azure()
	for range 2 * maxChoices {
		many.Sets = append(many.Sets, upgrade.SetSummary{Name: letters(rand.New(rand.NewPCG(1, uint64(len(many.Sets)))), "abc", 9)})
	}
	long := azure()
	long.Sets = []upgrade.SetSummary{{Name: strings.Repeat("n", 64), ResourceGroup: strings.Repeat("g", 90)}, {Name: strings.Repeat("N", 64)}}
	for name, l := range map[string]Lists{"nothing read": {}, "too many sets": many, "too long a name": long} {
		if f, _ := offered(t, formOf(t, Request{Verb: VerbUpgrade, Set: "web"}, l), "set"); f.Kind != FieldText || f.Value != "web" || f.Choices != nil {
			t.Errorf("%s: the set is a %s with %q and %d choices", name, f.Kind, f.Value, len(f.Choices))
		}
	}
	old := azure()
	for i := range 3 * maxChoices {
		v := old.Versions[0]
		v.Image.Version = "1.0." + numbers([]int{i})[0]
		old.Versions = append(old.Versions, v)
	}
	f, got := offered(t, formOf(t, Request{Verb: VerbUpgrade, Set: "web", Target: "1.0.299"}, old), "target")
	if f.Kind != FieldChoice || len(got) > maxChoices || f.Value != "1.0.299" {
		t.Errorf("the image is a %s of %d choices with %q", f.Kind, len(got), f.Value)
	}
}

func TestAChoiceSentBackIsTheSameRequest(t *testing.T) {
	req := Request{Verb: VerbUpgrade, Set: "web", Target: "4.0.1", Which: upgrade.Selection{UpdateDomains: []int{0, 1, 7}}}
	f := formOf(t, req, azure())
	if got, wrong := ParseForm(f.Carried, sent(f)); len(wrong) > 0 || !reflect.DeepEqual(got, req) {
		t.Errorf("got %+v, %v, want %+v", got, wrong, req)
	}
}

func TestAnotherSetForgetsWhatBelongedToTheOneBefore(t *testing.T) {
	values := map[string]string{"set": "db", "target": "4.0.1", "ud": "0,1", "which": "vm=3", "by": "zone", "more": "sku=x canary=1", "note": "why", "soak": "soon"}
	if got, want := Steered(Carried{Verb: VerbUpgrade}, values), (Request{Verb: VerbUpgrade, Set: "db", Order: upgrade.Order{By: upgrade.ByZone, Canary: 1}, Options: Options{Note: "why"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	values["target"] = "latest"
	if got := Steered(Carried{Verb: VerbUpgrade}, values); got.Target != "latest" {
		t.Errorf("latest is meant for every set, got %q", got.Target)
	}
}

func TestAFormsListsAreReadWithThePersonsRights(t *testing.T) {
	for _, row := range []struct {
		req  Request
		want []upgrade.Query
	}{
		{Request{Verb: VerbUpgrade}, []upgrade.Query{{Kind: upgrade.QuerySets}}},
		{Request{Verb: VerbPlan, Set: "web"}, []upgrade.Query{{Kind: upgrade.QuerySets}, {Kind: upgrade.QueryVersions, About: "web"}}},
		{Request{Verb: VerbShow}, []upgrade.Query{{Kind: upgrade.QuerySets}}},
		{Request{Verb: VerbImages}, []upgrade.Query{{Kind: upgrade.QuerySets}}},
		{Request{Verb: VerbResize, Set: "web"}, []upgrade.Query{{Kind: upgrade.QuerySets}, {Kind: upgrade.QuerySet, About: "web"}}},
		{Request{Verb: VerbSchedule, Set: "web"}, []upgrade.Query{{Kind: upgrade.QuerySets}, {Kind: upgrade.QueryVersions, About: "web"}}},
		{Request{Verb: VerbFreeze, Set: "web"}, []upgrade.Query{{Kind: upgrade.QuerySets}}},
		{Request{Verb: VerbUnfreeze}, []upgrade.Query{{Kind: upgrade.QueryFreezes}}},
		{Request{Verb: VerbUnschedule, Set: "web"}, []upgrade.Query{{Kind: upgrade.QueryFreezes}}},
		{Request{Verb: VerbApprove}, []upgrade.Query{{Kind: upgrade.QueryPending}}},
		{Request{Verb: VerbAbort}, []upgrade.Query{{Kind: upgrade.QueryRollouts}}},
		{Request{Verb: VerbRetry}, []upgrade.Query{{Kind: upgrade.QueryRollouts}}},
		{Request{Verb: VerbQuarantine, Rollout: "r-1"}, []upgrade.Query{{Kind: upgrade.QueryRollouts, About: "r-1"}}},
	} {
		d := &desk{}
		if _, err := ReadLists(t.Context(), row.req, ana, d); err != nil {
			t.Error(err)
		}
		var want []any
		for _, q := range row.want {
			want = append(want, ana.ID, q)
		}
		if !reflect.DeepEqual(d.asked, want) {
			t.Errorf("%+v asks %v, want %v", row.req, d.asked, want)
		}
	}
}

func TestAnUnreadSetLeavesTheListOfSets(t *testing.T) {
	sets := azure().Sets
	d := &desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QuerySets: {Sets: sets}}, refused: upgrade.Refuse(upgrade.CodeUnknown, "", "no such set")}
	l, err := ReadLists(t.Context(), Request{Verb: VerbUpgrade}, ana, d)
	if err == nil || len(l.Sets) != len(sets) {
		t.Errorf("read %d sets, %v; want the sets and the error", len(l.Sets), err)
	}
}

func TestEveryFormKeepsToSlacksLimits(t *testing.T) {
	for verb := range faces {
		for _, l := range []Lists{{}, azure()} {
			f := formOf(t, Request{Verb: verb, Set: "web", Rest: verb == VerbApprove}, l)
			if utf8.RuneCountInString(f.Title) > 24 || utf8.RuneCountInString(f.Submit) > 24 {
				t.Errorf("%s: title %q, button %q: 24 characters is the most", verb, f.Title, f.Submit)
			}
			seen := map[string]bool{}
			for _, field := range f.Fields {
				if n := utf8.RuneCountInString(field.Hint); n > 150 {
					t.Errorf("%s: the hint of %s has %d characters: 150 is the most", verb, field.Name, n)
				}
				if seen[field.Name] || field.Label == "" || field.Most > 3000 || (field.Kind == FieldChoice || field.Kind == FieldChoices) != (len(field.Choices) > 0) {
					t.Errorf("%s: field %+v", verb, field)
				}
				seen[field.Name] = true
			}
		}
	}
}

func TestAButtonOpensTheFormOfWhatWasUnderstood(t *testing.T) {
	for _, text := range []string{"upgrade web", `upgrade web latest note="a & <b> \"c\""`, "deny r-1", "abort r-1 revert \"x\"", "show", "plan"} {
		req, _ := Parse(text)
		if got, ok := ParseStarted(Started(req)); !ok || !reflect.DeepEqual(got, req) {
			t.Errorf("%q: started %q gives %+v, %v", text, Started(req), got, ok)
		}
	}
	for _, req := range []Request{{}, {Verb: VerbList}, {Verb: VerbModel, Rollout: "r-1", Answer: upgrade.Keep}, {Verb: VerbDeny, Nonce: nonce}, {Verb: VerbDeny, Rollout: "r-1", Reason: strings.Repeat("&lt;", 700)}} {
		if got := Started(req); got != "" {
			t.Errorf("%+v is started by %q", req, got)
		}
	}
	for _, value := range []string{"", "list", "rm -rf", "abort r-1 keep", strings.Repeat("x", 3000)} {
		if req, ok := ParseStarted(value); ok {
			t.Errorf("%q starts %+v", value, req)
		}
	}
}

// What chooses instances and is not understood must never come to more than was said: whoever goes on
// from the refusal, in the form or with the corrected command, says it anew.
func TestAChoiceThatWasNotUnderstoodNeverBecomesAll(t *testing.T) {
	for text, want := range map[string]string{
		"upgrade web 1.2 ud=x": "ud", "upgrade web 1.2 ud=": "ud", "upgrade web 1.2 ud=3-1": "ud", "upgrade web 1.2 ud 0": "ud which",
		"upgrade web 1.2 fd=01": "fd", "plan web 1.2 zone=west": "zone", "resize web Standard_D4s_v5 zone=1,1": "zone", "upgrade web 1.2 zone 3": "which zone",
		"upgrade web 1.2 vm=all": "vm", "upgrade web 1.2 vm=*": "vm", "upgrade web 1.2 vm=": "vm", "upgrade web 1.2 vms=3": "vm", "upgrade web 1.2 vm:3": "vm which",
		"upgrade web 1.2 skip=": "skip", "upgrade web 1.2 skip=vm:": "skip", "upgrade web 1.2 skip=ud:0": "skip", "upgrade web 1.2 skip=7-4": "skip", "upgrade web 1.2 skip vm:3": "skip which",
		"upgrade web 1.2 vm=x.y ud=y": "ud vm", "upgrade web 1.2 ud=0 ud=1": "ud", "upgrade web 1.2 skip=3 skip=9": "skip", "upgrade web 1.2 uds=0 ud=1": "ud",
		"upgrade web 1.2 du=0": "which", "upgrade web 1.2 domain=0": "which", "upgrade web 1.2 3": "which", "upgrade web 1.2 widow=x": "window", "upgrade web 1.2 at=soon": "at", "upgrade web 1.2 window=/": "window",
		"upgrade web ud:0": "ud", "upgrade web vm3": "vm", "resize web zone:1": "zone", `upgrade web "fd=0"`: "fd", "upgrade ud:0 1.2": "ud", "plan web skip:3": "skip",
		"upgrade web 1.2 ud=0 soak=x": "", "upgrade web lates": "", "upgrade web 1.2 soak=x": "", "upgrade web": "", "upgrade web 1.2 by=x": "",
	} {
		req, no := Parse(text)
		if no == nil {
			t.Fatalf("%q is understood", text)
		}
		if got := strings.Join(req.Unclear, " "); got != want {
			t.Errorf("%q: unclear is %q, want %q", text, got, want)
		}
		again, ok := ParseStarted(Refused(req, no).Refusal.Form)
		if !ok || !reflect.DeepEqual(again.Unclear, req.Unclear) {
			t.Errorf("%q: the button's form begins with %+v, want %+v", text, again, req)
		}
		checkSaidAnew(t, text, again)
	}
}

// checkSaidAnew fails the test if what was unclear can be left out by anybody who goes on.
func checkSaidAnew(t *testing.T, text string, req Request) {
	t.Helper()
	if len(req.Unclear) == 0 {
		return
	}
	if _, changes, _ := Do(t.Context(), req, ana, "C0OPS", time.Time{}, &desk{}); len(changes) > 0 || !req.Unfinished() {
		t.Errorf("%q: is done as it is", text)
	}
	for name, l := range map[string]Lists{"typed": {}, "chosen": azure()} {
		form := formOf(t, req, l)
		opened := sent(form)
		opened["set"], opened["target"], opened["size"] = "web", "1.2", "Standard_D4s_v5"
		if _, wrong := ParseForm(form.Carried, opened); len(wrong) == 0 {
			t.Errorf("%q: the form, %s, is sent as it opened", text, name)
		}
		opened["ud"], opened["which"] = "", ""
		if got, wrong := ParseForm(form.Carried, opened); len(wrong) == 0 || len(got.Unclear) == 0 {
			t.Errorf("%q: the form, %s, is sent without a choice", text, name)
		}
		opened["ud"], opened["which"], opened["more"] = "1", "fd=2 zone=3 vm=4 skip=vm:5", "window=sat at=22:00"
		got, wrong := ParseForm(form.Carried, opened)
		want := upgrade.Selection{UpdateDomains: []int{1}, FaultDomains: []int{2}, Zones: []string{"3"}, Instances: []string{"4"}, Skip: []string{"5"}}
		if len(wrong) > 0 || got.Unclear != nil || !reflect.DeepEqual(got.Which, want) {
			t.Errorf("%q: the form, %s, that says it all gives %+v, wrong %v", text, name, got, wrong)
		}
	}
	if later := Steered(formOf(t, req, Lists{}).Carried, map[string]string{"set": "db", "ud": "0", "which": "vm=4"}); !reflect.DeepEqual(later.Unclear, req.Unclear) {
		t.Errorf("%q: with another set unclear is %q", text, later.Unclear)
	}
}

func TestARefusalOffersItsFormWhereAnotherWordMayHelp(t *testing.T) {
	for code, offers := range map[upgrade.Code]bool{upgrade.CodeArg: true, upgrade.CodeUnknown: true, upgrade.CodeRole: false, upgrade.CodeLocked: false, upgrade.CodeInside: false} {
		reply := Refused(Request{Verb: VerbUpgrade, Set: "web"}, upgrade.Refuse(code, "", "no"))
		if got := reply.Refusal.Form != ""; got != offers {
			t.Errorf("%s offers %q", code, reply.Refusal.Form)
		}
	}
}

func TestAnUnknownRolloutIsChosenFromTheOpenOnes(t *testing.T) {
	no := upgrade.Refuse(upgrade.CodeUnknown, "/vmss status", "I know no rollout `r-9` that you may see")
	req, ok := ParseStarted(Refused(parsed(t, "approve r-9"), no).Refusal.Form)
	if f, _ := offered(t, formOf(t, req, azure()), "rollout"); !ok || len(f.Choices) != 2 || f.Value != "" {
		t.Errorf("the form offers %+v", f)
	}
	if form := Refused(parsed(t, "resume r-1"), upgrade.Refuse(upgrade.CodeArg, "", "no")).Refusal.Form; form != "" {
		t.Errorf("a form with nothing to fill in is offered: %q", form)
	}
}

func FuzzParseForm(f *testing.F) {
	f.Add("upgrade", "", "web", "latest", "0,1", "note", "", "")
	f.Add("upgrade", "", "web", gallery, "vm=3 fd=1", "note", "", "batch=2")
	f.Add("resize", "", "web", "Standard_D4s_v5", "skip=vm:3", "", "", "canary=1")
	f.Add("deny", "r-1", "", "", "", "why", "", "")
	f.Add("quarantine", "r-1", "", "", "3,web_1a2b3c", "why", "", "")
	f.Add("resolve", "r-1", "", "failed", "8", "why", "", "")
	f.Add("handover", "", "r-1", "U012AB3CD", "", "why", "", "")
	f.Add("freeze", "", "All", "", "", "why", "2h", "")
	f.Add("freeze", "", "rg/web", "2026-11-24T22:00Z", "", "why", "", "")
	f.Add("unfreeze", "", "f-4f2k9a", "", "", "", "", "")
	f.Add("schedule", "", "web-*", "latest", "", "Europe/Prague", "0 2 * * SUN", "window=night")
	f.Add("unschedule", "", "rg/web", "", "", "why", "", "")
	f.Fuzz(func(t *testing.T, verb, rollout, set, target, domains, text, when, more string) {
		c := Carried{Verb: Verb(verb), Rollout: rollout}
		if c.Check() != nil {
			return
		}
		req, wrong := ParseForm(c, map[string]string{"set": set, "target": target, "ud": domains, "note": text, "reason": text, "rollout": set, "answer": target, "vm": domains, "verdict": target, "to": target, "on-failure": target, "size": target, "which": domains, "by": target, "more": more,
			"for": when, "until": target, "cron": when, "tz": text})
		if len(wrong) > 0 || req.Unfinished() {
			return
		}
		if again, no := Parse(Format(req)); no != nil || !reflect.DeepEqual(again, req) {
			t.Errorf("the form gives %+v, its text %q gives %+v, %v", req, Format(req), again, no)
		}
	})
}
