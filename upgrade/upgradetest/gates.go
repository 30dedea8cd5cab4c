package upgradetest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/gate"
)

// gateHost is the host of all external gates of a world; each has a page there.
const gateHost = "gates.test"

// moods are what an external gate can be told to do from now on.
var moods = []string{"pass", "fail", "hang", "redirect", "refuse"}

// Answer is what an external gate answered, and when it began to.
type Answer struct {
	At   time.Time
	Gate string
	Pass bool
}

// outside are the external gates of a world.
type outside struct {
	moods   map[string]string // by name; none = pass
	gone    []string          // which the configuration of the next life does not have
	answers []Answer
}

// gateOf is an external gate as a configuration has it.
func gateOf(name string, patience time.Duration) gate.Gate {
	return gate.Gate{Name: name, URL: "http://" + gateHost + "/" + name, Patience: patience}.WithDefaults()
}

// gates are those of the policy, as the next life has them in its configuration.
func (w *World) gates() (gates []gate.Gate, policy upgrade.Policy) {
	w.mu.Lock()
	defer w.mu.Unlock()
	policy = w.cfg.Policy
	policy.Probes = slices.DeleteFunc(slices.Clone(policy.Probes), func(p upgrade.Probe) bool { return slices.Contains(w.outside.gone, p.Name) })
	for _, p := range policy.Probes {
		gates = append(gates, gateOf(p.Name, p.Patience))
	}
	return gates, policy
}

// ServeGate answers as the gate was told to.
func (w *World) serveGate(rw http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	w.mu.Lock()
	mood := w.outside.moods[name]
	if mood != "hang" {
		w.outside.answers = append(w.outside.answers, Answer{time.Now(), name, mood == "" || mood == "pass"})
	}
	w.mu.Unlock()
	switch mood {
	case "hang":
		<-r.Context().Done()
	case "fail":
		rw.WriteHeader(http.StatusServiceUnavailable)
	case "refuse":
		rw.WriteHeader(http.StatusUnauthorized)
	case "redirect":
		http.Redirect(rw, r, "http://elsewhere.test/", http.StatusFound) // a host that is nowhere: to call it is a violation
	}
}

// gate reads `gate slo fail` and `gate slo gone`, which takes it out of the configuration of the next life.
func (p *Play) gate(rest string) error {
	name, mood, _ := strings.Cut(rest, " ")
	w := p.World
	if !slices.ContainsFunc(w.cfg.Policy.Probes, func(p upgrade.Probe) bool { return p.Name == name }) {
		return fmt.Errorf("there is no external gate %q", name)
	}
	if mood != "gone" && !slices.Contains(moods, mood) {
		return errors.New("an external gate can " + strings.Join(moods, ", ") + ", or be gone")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if mood == "gone" {
		w.outside.gone = append(w.outside.gone, name)
		return nil
	}
	if mood != "pass" {
		w.struck["gate "+mood]++
	}
	if w.outside.moods == nil {
		w.outside.moods = map[string]string{}
	}
	w.outside.moods[name] = mood
	return nil
}

// What the observer knows of external gates: how long an answer is believed, and how many passes it takes.
const (
	believed   = 95 * time.Second
	convincing = 2
)

// judgeGates: R32, nothing starts, and nothing is called a success, unless the last that each external gate has
// answered, not long ago, was a pass, and the answer before that, too; an approver's word may stand in for what
// it does not answer.
func (c *cases) judgeGates() {
	for _, k := range c.e.Calls {
		r := c.of(k)
		if k.By != "" || !k.Accepted || r == nil || r.of != "" || r.undoes != "" || k.Method == "PATCH" && version(k.to()) != r.target {
			continue
		}
		for _, p := range c.Policy.Probes {
			if why := c.unproven(p.Name, r.id, k.Time); why != "" {
				c.blame("R32", k.Time, "%s of %v was accepted although external gate %s %s", k.Action, k.Instances, p.Name, why)
			}
		}
	}
}

// judgeSuccess: nor is anything called a success.
func (c *cases) judgeSuccess() {
	for _, p := range c.e.Posts {
		r := c.rollout(p.Rollout())
		if r == nil || r.of != "" || r.undoes != "" || !strings.Contains(p.Title(), " finished: succeeded") {
			continue
		}
		for _, g := range c.Policy.Probes {
			if why := c.unproven(g.Name, r.id, p.Posted()); why != "" {
				c.blame("R32", p.Posted(), "%s was called a success although external gate %s %s", r.id, g.Name, why)
			}
		}
	}
}

// unproven says why what an external gate had answered by then lets nothing start.
func (c *cases) unproven(name, rollout string, at time.Time) string {
	if slices.ContainsFunc(c.words, func(w word) bool {
		return strings.HasPrefix(w.verb, "resolve") && w.rollout == rollout && w.heard() && !strings.Contains(w.answer, "*VMSS-") && w.At.Before(at)
	}) {
		return ""
	}
	passes, last := 0, time.Time{}
	for _, a := range c.e.Answers {
		if a.Gate != name || a.At.After(at.Add(-underway)) && !a.Pass || a.At.After(at) {
			continue // what came while the call was on its way could not stop it
		}
		if last = a.At; a.Pass {
			passes++
		} else {
			passes = 0
		}
	}
	switch {
	case passes < convincing:
		return fmt.Sprintf("had passed %d times in a row", passes)
	case at.Sub(last) > believed+underway:
		return fmt.Sprintf("had not answered for %s", at.Sub(last))
	}
	return ""
}
