package azure

import (
	"net/http"
	"net/url"
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

// call is a Call and what else it must be.
type call struct {
	Call
	body  func([]byte) error                       // how its body must look; nil = it has none
	query func(query url.Values, set string) error // how its query must name the set it is about; nil = the path does, or there is none
	image bool                                     // it reads what the id of an image names, and is in any subscription: the flight says which
}

const (
	subscriptionScope = "/subscriptions/{subscription}"
	groupScope        = subscriptionScope + "/resourceGroups/{group}"
	setsType          = "/providers/Microsoft.Compute/virtualMachineScaleSets"
	oneSet            = groupScope + setsType + "/{set}"
	inLocation        = subscriptionScope + "/providers/Microsoft.Compute/locations/{location}"
	imageVersions     = inLocation + "/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"
	oneGallery        = groupScope + "/providers/Microsoft.Compute/galleries/{gallery}/images/{image}"
	communityVersions = inLocation + "/communityGalleries/{gallery}/images/{image}/versions"
	sharedVersions    = inLocation + "/sharedGalleries/{gallery}/images/{image}/versions"
	managedImages     = groupScope + "/providers/Microsoft.Compute/images"
	oneOperation      = inLocation + "/operations/{operation}"

	vmsOfSet      = "/virtualMachines"
	vmsType       = "/providers/Microsoft.Compute/virtualMachines"
	autoscaleType = "/providers/Microsoft.Insights/autoscaleSettings"

	right          = "Microsoft.Compute/virtualMachineScaleSets/"
	versionRight   = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read"
	communityRight = "Microsoft.Compute/locations/communityGalleries/images/versions/read"
	sharedRight    = "Microsoft.Compute/locations/sharedGalleries/images/versions/read"
	galleryRight   = "Microsoft.Compute/galleries/images/versions/read"
	managedRight   = "Microsoft.Compute/images/read"
)

// calls is everything that may leave. The guard refuses what is not in it. Whether $expand=instanceView
// really asks for the right to instance views is not documented.
var calls = []call{
	get(subscriptionScope+setsType, right+"read"),
	get(groupScope+setsType, right+"read"),
	get(oneSet, right+"read"),
	get(oneSet+vmsOfSet, right+"virtualMachines/read", right+"virtualMachines/instanceView/read"),
	{Call: Call{"GET", groupScope + vmsType, []string{"Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/instanceView/read"}}, query: onlyOf},
	get(oneSet+"/rollingUpgrades/latest", right+"rollingUpgrades/read"),
	get(oneSet+"/skus", right+"skus/read"),
	get(groupScope+autoscaleType, "Microsoft.Insights/autoscaleSettings/read"),
	get(oneOperation, "Microsoft.Compute/locations/operations/read"),
	get(imageVersions, versionRight),
	get(imageVersions+"/{version}", versionRight),
	get(communityVersions, communityRight),
	get(communityVersions+"/{version}", communityRight),
	get(sharedVersions, sharedRight),
	get(sharedVersions+"/{version}", sharedRight),
	getImage(oneGallery+"/versions", galleryRight),
	getImage(oneGallery+"/versions/{version}", galleryRight),
	getImage(managedImages, managedRight),
	getImage(managedImages+"/{image}", managedRight),
	{Call: Call{"PATCH", oneSet, []string{right + "write"}}, body: modelBody},
	{Call: Call{"POST", oneSet + "/manualupgrade", []string{right + "manualUpgrade/action"}}, body: idsBody},
	{Call: Call{"POST", oneSet + "/reimage", []string{right + "reimage/action"}}, body: reimageBody},
}

func get(template string, actions ...string) call {
	return call{Call: Call{http.MethodGet, template, actions}}
}

func getImage(template, action string) call {
	return call{Call: Call{http.MethodGet, template, []string{action}}, image: true}
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
		case disguised(have[i]), isName && !patterns[name].MatchString(have[i]):
			return nil, false
		case isName:
			params[name] = have[i]
		}
	}
	return params, true
}

// fill puts names into a template.
func fill(template string, params map[string]string) string {
	for name, value := range params {
		template = strings.ReplaceAll(template, "{"+name+"}", value)
	}
	return template
}
