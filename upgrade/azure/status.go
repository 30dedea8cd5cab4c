package azure

import (
	"cmp"
	"regexp"
	"strings"
	"time"

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

// provisionedAt is when the provisioning state last changed, as the instance view tells; zero = not told.
func provisionedAt(v *armcompute.VirtualMachineScaleSetVMInstanceView) time.Time {
	if v == nil {
		return time.Time{}
	}
	for _, s := range v.Statuses {
		if kind, _, _ := splitCode(s); kind == "provisioningstate" && s.Time != nil {
			return *s.Time
		}
	}
	return time.Time{}
}

// trouble is Azure's innermost word on what is wrong with an instance, "" when nothing is: of an
// extension that failed, else of the instance, else of its health. The code is the innermost one that
// is a word: extensions put a script's exit status in its place.
func trouble(v *armcompute.VirtualMachineScaleSetVMInstanceView) (code, message string) {
	for _, p := range partsOf(v) {
		if p.agent {
			continue
		}
		why, words := complaint(p.statuses)
		if code == "" && codeWord.MatchString(why) {
			code = scrub(why)
		}
		if message == "" && words != "" {
			message = scrub(p.prefix() + words)
		}
	}
	return code, message
}

var codeWord = regexp.MustCompile(`^[A-Za-z]\w*$`)

// complaint is what the first status that reports an error says, and the code in it.
func complaint(list []*armcompute.InstanceViewStatus) (code, words string) {
	for _, s := range list {
		_, state, why := splitCode(s)
		if s == nil || state != "failed" && state != "unhealthy" && !strings.EqualFold(str(s.Level), "Error") {
			continue
		}
		inner := armError{Code: why, Message: cmp.Or(str(s.Message), str(s.DisplayStatus))}.innermost()
		switch code, words = inner.Code, inner.Message; {
		case words == "":
			return code, str(s.Code)
		case code != "" && !strings.Contains(words, code):
			return code, code + ": " + words
		}
		return code, words
	}
	return "", ""
}
