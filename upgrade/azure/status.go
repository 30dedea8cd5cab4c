package azure

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// status codes look like ProvisioningState/failed/VMExtensionHandlerNonTransientError: a kind, the
// state in any case, and sometimes why.
func splitCode(s *armcompute.InstanceViewStatus) (kind, state, why string) {
	if s == nil {
		return "", "", ""
	}
	parts := strings.SplitN(str(s.Code), "/", 3)
	for len(parts) < 3 {
		parts = append(parts, "")
	}
	return strings.ToLower(parts[0]), strings.ToLower(parts[1]), parts[2]
}

// state returns the state of the first status of a kind, "" when there is none.
func state(list []*armcompute.InstanceViewStatus, kind string) string {
	for _, s := range list {
		if k, state, _ := splitCode(s); k == kind {
			return state
		}
	}
	return ""
}

// provisioning joins the two places where Azure says it, the instance view and the properties.
// Where they differ, the one that is less settled holds: an instance is taken for ready only when
// nothing speaks against it.
func provisioning(p *armcompute.VirtualMachineScaleSetVMProperties) upgrade.Provisioning {
	said := upgrade.Provisioning(strings.ToLower(str(p.ProvisioningState)))
	seen := upgrade.Provisioning("")
	if p.InstanceView != nil {
		seen = upgrade.Provisioning(state(p.InstanceView.Statuses, "provisioningstate"))
	}
	switch {
	case seen == "":
		return said
	case said.Moving(), said == upgrade.Failed && !seen.Moving():
		return said
	}
	return seen
}

func power(v *armcompute.VirtualMachineScaleSetVMInstanceView) upgrade.Power {
	if v == nil {
		return ""
	}
	return upgrade.Power(state(v.Statuses, "powerstate"))
}

// health reads the vmHealth of an instance view. Without one an instance of a set that has a health
// source is unknown, which Azure, too, counts as ill. The spelling of the codes is not documented
// for scale sets; HealthState/<word> in any case is assumed, and any other word is unknown.
func health(v *armcompute.VirtualMachineScaleSetVMInstanceView, source bool) upgrade.Health {
	if v == nil || v.VMHealth == nil || v.VMHealth.Status == nil {
		if source {
			return upgrade.UnknownState
		}
		return upgrade.NoHealth
	}
	code := str(v.VMHealth.Status.Code)
	switch h := upgrade.Health(strings.ToLower(code[strings.LastIndexByte(code, '/')+1:])); h {
	case upgrade.Healthy, upgrade.Unhealthy, upgrade.Initializing:
		return h
	}
	return upgrade.UnknownState
}

// trouble is Azure's innermost word on what is wrong with an instance, "" when nothing is: of an
// extension that failed, else of the instance, else of its health.
func trouble(v *armcompute.VirtualMachineScaleSetVMInstanceView) string {
	if v == nil {
		return ""
	}
	for _, e := range v.Extensions {
		if e == nil {
			continue
		}
		for _, list := range [][]*armcompute.InstanceViewStatus{e.Substatuses, e.Statuses} {
			if words := complaint(list); words != "" {
				return scrub(fmt.Sprintf("extension %s: %s", str(e.Name), words))
			}
		}
	}
	if words := complaint(v.Statuses); words != "" {
		return scrub(words)
	}
	if v.VMHealth != nil {
		return scrub(complaint([]*armcompute.InstanceViewStatus{v.VMHealth.Status}))
	}
	return ""
}

// complaint is what the first status that reports an error says.
func complaint(list []*armcompute.InstanceViewStatus) string {
	for _, s := range list {
		_, state, why := splitCode(s)
		if s == nil || state != "failed" && state != "unhealthy" && !strings.EqualFold(str(s.Level), "Error") {
			continue
		}
		words := str(s.Message)
		if words == "" {
			words = str(s.DisplayStatus)
		}
		switch {
		case words == "":
			return str(s.Code)
		case why != "" && !strings.Contains(words, why):
			return why + ": " + words
		}
		return words
	}
	return ""
}
