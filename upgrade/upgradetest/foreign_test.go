package upgradetest_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

// quartet is a set of four, two in each update domain; a domain goes in one call.
const quartet = `Somebody else changes the set
-- story --
type ana upgrade web 4.0.20160229
-- fleet.json --
{"subscription": "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee",
 "images": [{"publisher": "Canonical", "offer": "UbuntuServer", "sku": "16.04-LTS", "versions": [
  {"version": "4.0.20160101"}, {"version": "4.0.20160229"}, {"version": "4.0.20160315"}]}],
 "sets": [{"name": "web", "resourceGroup": "rg-shop", "capacity": 4, "updateDomains": 2, "faultDomains": 2, "duration": "1m",
  "image": {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "16.04-LTS", "version": "4.0.20160101"}}]}
-- policy.yaml --
max-unavailable: 50%
soak: 2m
bake: 4m
`

// phases are how far the rollout of the quartet has come when somebody else interferes, and what
// people say a minute and a half later. Everything that is asked for at the start is agreed to at
// once, so that nothing but the interference is in the way.
var phases = []struct{ name, until, then string }{
	{"asking", "", "click bo approve-rest"},
	{"model set", "until set-model", ""},
	{"in flight", "until wait(in_flight)", ""},
	{"verifying", "until wait(verifying)", ""},
	{"soaking", "until wait(soak)", ""},
	{"baking", "until wait(bake)", ""},
	{"paused", "until wait(soak)", "type eva resume $rollout"},
}

const (
	network   = `{"networkProfile": {"healthProbe": {"id": "/subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourceGroups/rg-shop/providers/Microsoft.Network/loadBalancers/lb/probes/http"}}}`
	extension = `{"extensionProfile": {"extensions": [{"name": "Monitor", "properties": {"publisher": "Acme", "type": "Monitor", "typeHandlerVersion": "1.0"}}]}}`

	otherImage = "hold(drift) the model's image is 4.0.20160315, not 4.0.20160229; starts nothing"
	otherNet   = "hold(drift) the model's networkProfile was changed; starts nothing"
	otherMode  = "hold(drift) the upgrade mode is Rolling, not Manual; starts nothing"
	askedAnew  = "ask(approval) UD 1 is next; starts nothing" // people agreed to another model: the second gate waits for a new yes
	native     = "hold(drift) a rolling upgrade of Azure's own is running; "
	leftAlone  = "end; starts nothing" // nothing is left that it would go to; the report names the model as it is
	theirs     = "wait(busy) another operation is at work on instance 3; "
	setBusy    = "wait(busy) the scale set is updating; "
	newborn    = "wait(busy) another operation is at work on instance 4; "
)

// interferences are what somebody else does, and what comes of it in each phase: the notable
// decisions in their order, and which calls the bot makes from then on. 0 and 2 are UD 0, 1 and 3 UD 1.
var interferences = []struct {
	does, fault string
	outcomes    map[string]string
}{
	{"upgrades instance 3", `{"kind": "foreign-upgrade", "set": "web", "instances": ["3"]}`, map[string]string{
		"asking":    "end; starts model, 0 2, 1 3",  // it had what the model says: nothing happened to it
		"model set": theirs + "end; starts 0, 2, 1", // one is out of service, so the others go one by one; 3 is left out
		"in flight": "end; starts 1 3",              // Azure refuses a second operation
		"verifying": theirs + "end; starts 1",       // the yes to 1 and 3 covers 1
		"soaking":   theirs + "end; starts 1",
		"baking":    "end; starts nothing",
		"paused":    theirs + "end; starts 1",
	}},
	{"changes the image", `{"kind": "change-model", "set": "web", "version": "4.0.20160315"}`, map[string]string{
		"asking":    "hold(drift) the model's image is 4.0.20160315, not 4.0.20160101; starts nothing",
		"model set": "hold(failure) Azure reported success, but the model does not name the image; starts nothing", // ours was overwritten before it was seen
		"in flight": otherImage, "verifying": otherImage, "soaking": otherImage, "paused": otherImage,
		"baking": leftAlone,
	}},
	{"changes the network", `{"kind": "change-model", "set": "web", "patch": {"properties": {"virtualMachineProfile": ` + network + `}}}`, map[string]string{
		"asking": otherNet, "model set": otherNet, "in flight": otherNet, "verifying": otherNet, "soaking": otherNet, "paused": otherNet,
		"baking": leftAlone,
	}},
	{"changes an extension", `{"kind": "change-model", "set": "web", "patch": {"properties": {"virtualMachineProfile": ` + extension + `}}}`, map[string]string{
		"asking":    "ask(approval) UD 0 is next; end; starts model, 0 2, 1 3", // the card is posted anew before anybody has agreed
		"model set": "ask(approval) UD 0 is next; starts nothing",
		"in flight": askedAnew, "verifying": askedAnew, "soaking": askedAnew, "paused": askedAnew,
		"baking": leftAlone,
	}},
	{"switches the mode", `{"kind": "change-model", "set": "web", "patch": {"properties": {"upgradePolicy": {"mode": "Rolling"}}}}`, map[string]string{
		"asking": otherMode, "model set": otherMode, "in flight": otherMode, "verifying": otherMode, "soaking": otherMode, "paused": otherMode,
		"baking": leftAlone,
	}},
	{"starts Azure's own rolling upgrade, which ends", `{"kind": "foreign-rolling", "set": "web", "delay": "2m"}`, map[string]string{
		"asking":    native + "end; starts model, 0 2, 1 3",   // it found nothing to do
		"model set": native + setBusy + "end; starts nothing", // it did all of it; what is done drifts no more, and it is waited for
		"in flight": "end; starts 1 3",                        // Azure refuses a second operation
		"verifying": native + theirs + "end; starts nothing",
		"soaking":   native + setBusy + "end; starts nothing",
		"baking":    setBusy + "end; starts nothing",
		"paused":    native + theirs + "end; starts nothing",
	}},
	{"scales out", `{"kind": "born", "set": "web"}`, map[string]string{
		"asking":    "end; starts model, 0 2, 1 3",     // by the time of the yes it is up
		"model set": newborn + "end; starts 0, 2, 1 3", // it is out of service itself until it is up, and never started
		"in flight": "end; starts 1 3",
		"verifying": newborn + "end; starts 1 3",
		"soaking":   newborn + "end; starts 1 3",
		"baking":    newborn + "end; starts nothing",
		"paused":    newborn + "end; starts 1 3",
	}},
	{"scales in", `{"kind": "vanish", "set": "web", "instance": "3"}`, map[string]string{
		"asking":    "end; starts model, 0 2, 1", // fewer are started, and nobody is asked anew
		"model set": "end; starts 0 2, 1",
		"in flight": "end; starts 1",
		"verifying": "end; starts 1",
		"soaking":   "end; starts 1",
		"baking":    "end; starts nothing",
		"paused":    "end; starts 1",
	}},
}

func TestSomebodyElseChangesTheSetInEveryPhase(t *testing.T) {
	s, err := upgradetest.ParseStory([]byte(quartet))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interferences {
		for _, p := range phases {
			t.Run(i.does+" while "+p.name, func(t *testing.T) {
				t.Parallel()
				lines := []string{s.Steps[0].Text}
				if p.until != "" {
					lines = append(lines, "click bo approve-rest", p.until)
				}
				if p.name == "paused" {
					lines = append(lines, "type eva pause $rollout")
				}
				if got := interfere(t, s, lines, []string{"fault azure " + i.fault, "advance 90s", p.then, "advance 9m"}); got != i.outcomes[p.name] {
					t.Errorf("somebody else %s while %s:\nwant %s\ngot  %s", i.does, p.name, i.outcomes[p.name], got)
				}
			})
		}
	}
}

// interfere plays the lines before and after an interference, and says what came of the latter. The
// observer judges every step.
func interfere(t *testing.T, s upgradetest.Story, before, after []string) (outcome string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := upgradetest.NewPlay(s, "foreign", journal(t), product)
		if err != nil {
			t.Fatal(err)
		}
		do := func(lines []string) {
			for _, line := range lines {
				if line == "" {
					continue
				}
				if err := p.Do(line); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
		}
		do(before)
		decisions, calls := len(p.World.Decisions()), len(p.World.Calls())
		do(after)
		outcome = strings.Join(append(notable(p.World.Decisions()[decisions:]), "starts "+called(p.World.Calls()[calls:])), "; ")
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return outcome
}

// notable are the decisions that an interference may lead to, each once.
func notable(all []upgradetest.Decision) []string {
	var out []string
	seen := map[string]bool{}
	for _, d := range all {
		said := d.Kind + "(" + d.Reason + ") "
		switch {
		case d.Kind == "end":
			said = "end"
		case d.Kind == "hold" && d.Reason != "paused", d.Kind == "ask", d.Reason == "busy", d.Reason == "health":
			said += words(d.Text)
		default:
			continue
		}
		if !seen[said] {
			seen[said] = true
			out = append(out, said)
		}
	}
	return out
}

// words is what a decision's text says of the difference.
func words(text string) string {
	text = strings.TrimPrefix(text, "the set is not as planned: ")
	text = strings.TrimPrefix(text, "Azure refused putting 4.0.20160229 into the model: ")
	first, _, _ := strings.Cut(text, ". ")
	return first
}

// called are the bot's own calls: the model's, or the instances of each.
func called(all []upgradetest.Call) string {
	var out []string
	for _, k := range all {
		switch {
		case k.By != "":
		case k.Method == "PATCH":
			out = append(out, "model")
		default:
			out = append(out, strings.Join(k.Instances, " "))
		}
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}
