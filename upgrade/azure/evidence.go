package azure

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// What is kept of an instance view for people who look into a failure.
const (
	maxEvidence     = 12  // lines
	maxEvidenceLine = 400 // characters
)

// part is one source of statuses in an instance view.
type part struct {
	name     string // "" = the instance itself
	agent    bool   // it is the VM agent, or a handler of extensions that the agent reports
	statuses []viewStatus
}

func (p part) prefix() string {
	if p.name == "" {
		return ""
	}
	return p.name + ": "
}

// parts lists the sources, the innermost first: extensions with their substatuses, the instance, its
// health, the agent.
func (v *instanceView) parts() (out []part) {
	for _, e := range v.Extensions {
		name := "extension " + e.Name
		out = append(out, part{name: name, statuses: e.Substatuses}, part{name: name, statuses: e.Statuses})
	}
	out = append(out, part{statuses: v.Statuses}, part{statuses: []viewStatus{v.Health.Status}},
		part{name: "VM agent", agent: true, statuses: v.Agent.Statuses})
	for _, h := range v.Agent.Handlers {
		out = append(out, part{name: "handler " + h.Type, agent: true, statuses: []viewStatus{h.Status}})
	}
	return out
}

// evidence is every status that says more than that all is well, one line each, without secrets and
// bounded: of more lines than fit, the last one counts the rest.
func evidence(parts []part) (out []string) {
	for _, p := range parts {
		for _, s := range p.statuses {
			if !s.plain() {
				out = append(out, line(p, s))
			}
		}
	}
	if n := len(out) - maxEvidence; n > 0 {
		out = append(out[:maxEvidence-1], fmt.Sprintf("… and %d more", n+1))
	}
	return out
}

// plain: it says that all is well, and no more. What a script printed comes as
// ComponentStatus/StdErr/succeeded with a message, and is just what people look for.
func (s viewStatus) plain() bool {
	_, state, _ := s.split()
	switch state {
	case "succeeded", "running", "healthy":
		return true
	}
	code := strings.ToLower(s.Code)
	return s.Message == "" && (code == "" || strings.HasSuffix(code, "/succeeded"))
}

func line(p part, s viewStatus) string {
	when := ""
	if s.Time != nil {
		when = s.at().UTC().Format(" (" + time.RFC3339 + ")")
	}
	words := p.prefix() + s.Code
	if m := cmp.Or(s.Message, s.Display); m != "" {
		words += ": " + m
	}
	return clip(scrub(words), maxEvidenceLine-len(when)) + when
}
