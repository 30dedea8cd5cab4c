package azure

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
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
	statuses []*armcompute.InstanceViewStatus
}

func (p part) prefix() string {
	if p.name == "" {
		return ""
	}
	return p.name + ": "
}

// partsOf lists the sources, the innermost first: extensions with their substatuses, the instance, its
// health, the agent.
func partsOf(v *armcompute.VirtualMachineScaleSetVMInstanceView) (out []part) {
	if v == nil {
		return nil
	}
	for _, e := range v.Extensions {
		if e != nil {
			name := "extension " + str(e.Name)
			out = append(out, part{name: name, statuses: e.Substatuses}, part{name: name, statuses: e.Statuses})
		}
	}
	out = append(out, part{statuses: v.Statuses})
	if v.VMHealth != nil {
		out = append(out, part{statuses: []*armcompute.InstanceViewStatus{v.VMHealth.Status}})
	}
	if v.VMAgent == nil {
		return out
	}
	out = append(out, part{name: "VM agent", agent: true, statuses: v.VMAgent.Statuses})
	for _, h := range v.VMAgent.ExtensionHandlers {
		if h != nil {
			out = append(out, part{name: "handler " + str(h.Type), agent: true, statuses: []*armcompute.InstanceViewStatus{h.Status}})
		}
	}
	return out
}

// evidence is every status that says more than that all is well, one line each, without secrets and
// bounded: of more lines than fit, the last one counts the rest.
func evidence(v *armcompute.VirtualMachineScaleSetVMInstanceView) (out []string) {
	for _, p := range partsOf(v) {
		for _, s := range p.statuses {
			if s != nil && !plain(s) {
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
func plain(s *armcompute.InstanceViewStatus) bool {
	_, state, _ := splitCode(s)
	switch state {
	case "succeeded", "running", "healthy":
		return true
	}
	code := strings.ToLower(str(s.Code))
	return str(s.Message) == "" && (code == "" || strings.HasSuffix(code, "/succeeded"))
}

func line(p part, s *armcompute.InstanceViewStatus) string {
	when := ""
	if s.Time != nil {
		when = s.Time.UTC().Format(" (" + time.RFC3339 + ")")
	}
	words := p.prefix() + str(s.Code)
	if m := cmp.Or(str(s.Message), str(s.DisplayStatus)); m != "" {
		words += ": " + m
	}
	return clip(scrub(words), maxEvidenceLine-len(when)) + when
}
