package azure

import (
	"slices"
	"strings"
)

// Call is a kind of request this package may send, and the rights (Azure role-based access
// control, "actions" of a role definition) the bot's identity needs for it.
type Call struct {
	Method   string
	Template string // {name} stands for one path segment
	Actions  []string
}

// call is a Call and how its body must look; nil = it has none.
type call struct {
	Call
	body func([]byte) error
}

const (
	subscriptionScope = "/subscriptions/{subscription}"
	groupScope        = subscriptionScope + "/resourceGroups/{group}"
	setsType          = "/providers/Microsoft.Compute/virtualMachineScaleSets"
	oneSet            = groupScope + setsType + "/{set}"
	inLocation        = subscriptionScope + "/providers/Microsoft.Compute/locations/{location}"
	imageVersions     = inLocation + "/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"
	oneOperation      = inLocation + "/operations/{operation}"

	vmsType       = "/providers/Microsoft.Compute/virtualMachines"
	autoscaleType = "/providers/Microsoft.Insights/autoscaleSettings"

	right        = "Microsoft.Compute/virtualMachineScaleSets/"
	versionRight = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read"
)

// calls is everything that may leave. The guard refuses what is not in it.
var calls = []call{
	{Call{"GET", subscriptionScope + setsType, []string{right + "read"}}, nil},
	{Call{"GET", groupScope + setsType, []string{right + "read"}}, nil},
	{Call{"GET", oneSet, []string{right + "read"}}, nil},
	// $expand=instanceView: whether the second right is really asked for is not documented.
	{Call{"GET", oneSet + "/virtualMachines", []string{right + "virtualMachines/read", right + "virtualMachines/instanceView/read"}}, nil},
	{Call{"GET", oneSet + "/rollingUpgrades/latest", []string{right + "rollingUpgrades/read"}}, nil},
	{Call{"GET", oneSet + "/skus", []string{right + "skus/read"}}, nil},
	{Call{"GET", groupScope + autoscaleType, []string{"Microsoft.Insights/autoscaleSettings/read"}}, nil},
	{Call{"GET", oneOperation, []string{"Microsoft.Compute/locations/operations/read"}}, nil},
	{Call{"GET", imageVersions, []string{versionRight}}, nil},
	{Call{"GET", imageVersions + "/{version}", []string{versionRight}}, nil},
	{Call{"PATCH", oneSet, []string{right + "write"}}, modelBody},
	{Call{"POST", oneSet + "/manualupgrade", []string{right + "manualUpgrade/action"}}, idsBody},
	{Call{"POST", oneSet + "/reimage", []string{right + "reimage/action"}}, reimageBody},
}

// Calls lists every kind of request this package can send, reads first.
func Calls() []Call {
	out := make([]Call, len(calls))
	for i, c := range calls {
		out[i] = c.Call
		out[i].Actions = slices.Clone(c.Actions)
	}
	return out
}

// Actions lists the rights a role needs so that everything works, sorted, each once. Without
// …/write the bot can still roll out what the model already says; without …/reimage/action it can
// retry only instances that do not have the model yet; without any of the three it can only look.
func Actions() []string {
	var out []string
	for _, c := range calls {
		out = append(out, c.Actions...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// findCall returns the call a request is, and what the template's names stand for in it.
func findCall(method, path string) (call, map[string]string, bool) {
	for _, c := range calls {
		if c.Method != method {
			continue
		}
		if params, ok := match(c.Template, path); ok {
			return c, params, true
		}
	}
	return call{}, nil, false
}

// match compares a path with a template. Literals are compared without case, as Azure does (it
// even changes the case of what it hands out); what stands for a name must look like one.
func match(template, path string) (map[string]string, bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	params := map[string]string{}
	for i, w := range want {
		name, isName := strings.CutPrefix(w, "{")
		name = strings.TrimSuffix(name, "}")
		switch {
		case !isName && !strings.EqualFold(w, have[i]):
			return nil, false
		case isName && !patterns[name].MatchString(have[i]):
			return nil, false
		case isName:
			params[name] = have[i]
		}
	}
	return params, true
}
