package azuresim

import (
	"net/http"
	"slices"
	"strings"
)

type bodyKind int

const (
	noBody bodyKind = iota
	optionalBody
	neededBody
)

// route is one operation of the API.
type route struct {
	method  string
	pattern string // literal segments match in any case; {name} matches one segment
	name    string // operation id of the REST specification; the kind of call in the statistics
	body    bodyKind
	open    bool   // needs neither api-version nor token
	policy  string // the throttling policy of Microsoft.Compute it falls under
	handler func(*world, *call) *reply

	segments []string
}

const (
	inSub      = "/subscriptions/{subscription}"
	inGroup    = inSub + "/resourceGroups/{group}"
	compute    = "/providers/Microsoft.Compute"
	allSets    = inGroup + compute + "/virtualMachineScaleSets"
	oneSet     = allSets + "/{set}"
	oneVM      = oneSet + "/virtualMachines/{vm}"
	inLocation = inSub + compute + "/locations/{location}"
	publishers = inLocation + "/publishers"
	offers     = publishers + "/{publisher}/artifacttypes/vmimage/offers"
	skus       = offers + "/{offer}/skus"

	allGalleries = inGroup + compute + "/galleries"
	oneGallery   = allGalleries + "/{gallery}"
	oneDefined   = oneGallery + "/images/{image}"
	communities  = inLocation + "/communityGalleries/{gallery}"
	shares       = inLocation + "/sharedGalleries/{gallery}"
)

// routes is the whole surface. Names are those of the REST specification.
var routes = compile([]route{
	{method: "GET", pattern: "/metadata/endpoints", name: "Metadata_Endpoints", open: true, handler: (*world).metadata},
	{method: "GET", pattern: "/tenants", name: "Tenants_List", handler: (*world).listTenants},
	{method: "GET", pattern: "/subscriptions", name: "Subscriptions_List", handler: (*world).listSubscriptions},
	{method: "GET", pattern: inSub, name: "Subscriptions_Get", handler: (*world).getSubscription},
	{method: "GET", pattern: inSub + "/locations", name: "Subscriptions_ListLocations", handler: (*world).listLocations},
	{method: "GET", pattern: inSub + "/resourceGroups", name: "ResourceGroups_List", handler: (*world).listGroups},
	{method: "GET", pattern: inGroup, name: "ResourceGroups_Get", handler: (*world).getGroup},
	{method: "HEAD", pattern: inGroup, name: "ResourceGroups_CheckExistence", handler: (*world).headGroup},

	{method: "GET", pattern: inSub + compute + "/virtualMachineScaleSets", name: "VirtualMachineScaleSets_ListAll", policy: highGet, handler: (*world).listAllSets},
	{method: "GET", pattern: inLocation + "/virtualMachineScaleSets", name: "VirtualMachineScaleSets_ListByLocation", policy: highGet, handler: (*world).listSetsByLocation},
	{method: "GET", pattern: allSets, name: "VirtualMachineScaleSets_List", policy: highGet, handler: (*world).listSets},
	{method: "GET", pattern: oneSet, name: "VirtualMachineScaleSets_Get", policy: lowGet, handler: onSet((*world).getSet)},
	{method: "PUT", pattern: oneSet, name: "VirtualMachineScaleSets_CreateOrUpdate", body: neededBody, policy: setUpdate, handler: (*world).putSet},
	{method: "PATCH", pattern: oneSet, name: "VirtualMachineScaleSets_Update", body: neededBody, policy: setUpdate, handler: onSet((*world).patchSet)},
	{method: "DELETE", pattern: oneSet, name: "VirtualMachineScaleSets_Delete", policy: setDelete, handler: (*world).deleteSet},
	{method: "GET", pattern: oneSet + "/skus", name: "VirtualMachineScaleSets_ListSkus", policy: lowGet, handler: onSet((*world).listSizes)},
	{method: "GET", pattern: oneSet + "/instanceView", name: "VirtualMachineScaleSets_GetInstanceView", policy: highGet, handler: onSet((*world).setView)},
	{method: "GET", pattern: oneSet + "/osUpgradeHistory", name: "VirtualMachineScaleSets_GetOSUpgradeHistory", policy: lowGet, handler: onSet((*world).upgradeHistory)},
	{method: "GET", pattern: oneSet + "/rollingUpgrades/latest", name: "VirtualMachineScaleSetRollingUpgrades_GetLatest", policy: lowGet, handler: onSet((*world).latestRolling)},
	{method: "POST", pattern: oneSet + "/rollingUpgrades/cancel", name: "VirtualMachineScaleSetRollingUpgrades_Cancel", policy: setUpdate, handler: onSet((*world).cancelRolling)},
	{method: "POST", pattern: oneSet + "/setOrchestrationServiceState", name: "VirtualMachineScaleSets_SetOrchestrationServiceState", body: neededBody, policy: setUpdate, handler: onSet((*world).setService)},

	{method: "POST", pattern: oneSet + "/manualupgrade", name: "VirtualMachineScaleSets_UpdateInstances", body: neededBody, policy: actions, handler: onSet(setAction("manualupgrade", named, (*world).upgrade))},
	{method: "POST", pattern: oneSet + "/reimage", name: "VirtualMachineScaleSets_Reimage", body: optionalBody, policy: actions, handler: onSet(reimageOf("reimage"))},
	{method: "POST", pattern: oneSet + "/reimageall", name: "VirtualMachineScaleSets_ReimageAll", body: optionalBody, policy: actions, handler: onSet(reimageOf("reimageall"))},
	{method: "POST", pattern: oneSet + "/start", name: "VirtualMachineScaleSets_Start", body: optionalBody, policy: actions, handler: onSet(setAction("start", orAll, (*world).start))},
	{method: "POST", pattern: oneSet + "/restart", name: "VirtualMachineScaleSets_Restart", body: optionalBody, policy: actions, handler: onSet(setAction("restart", orAll, (*world).restart))},
	{method: "POST", pattern: oneSet + "/poweroff", name: "VirtualMachineScaleSets_PowerOff", body: optionalBody, policy: setDelete, handler: onSet(setAction("poweroff", orAll, (*world).powerOff))},
	{method: "POST", pattern: oneSet + "/deallocate", name: "VirtualMachineScaleSets_Deallocate", body: optionalBody, policy: setDelete, handler: onSet(setAction("deallocate", orAll, (*world).deallocate))},
	{method: "POST", pattern: oneSet + "/delete", name: "VirtualMachineScaleSets_DeleteInstances", body: neededBody, policy: setDelete, handler: onSet(setAction("delete", named, (*world).remove))},

	{method: "GET", pattern: oneSet + "/virtualMachines", name: "VirtualMachineScaleSetVMs_List", policy: highGet, handler: onSet((*world).listVMs)},
	{method: "GET", pattern: oneVM, name: "VirtualMachineScaleSetVMs_Get", policy: vmGet, handler: onVM((*world).getVM)},
	{method: "PUT", pattern: oneVM, name: "VirtualMachineScaleSetVMs_Update", body: neededBody, policy: vmUpdate, handler: onVM((*world).updateVM)},
	{method: "PATCH", pattern: oneVM, name: "VirtualMachineScaleSetVMs_Update", body: neededBody, policy: vmUpdate, handler: onVM((*world).updateVM)},
	{method: "DELETE", pattern: oneVM, name: "VirtualMachineScaleSetVMs_Delete", policy: vmUpdate, handler: onVM(vmAction("DELETE", (*world).remove))},
	{method: "GET", pattern: oneVM + "/instanceView", name: "VirtualMachineScaleSetVMs_GetInstanceView", policy: vmGet, handler: onVM((*world).getMemberView)},
	{method: "POST", pattern: oneVM + "/start", name: "VirtualMachineScaleSetVMs_Start", policy: vmUpdate, handler: onVM(vmAction("start", (*world).start))},
	{method: "POST", pattern: oneVM + "/restart", name: "VirtualMachineScaleSetVMs_Restart", policy: vmUpdate, handler: onVM(vmAction("restart", (*world).restart))},
	{method: "POST", pattern: oneVM + "/powerOff", name: "VirtualMachineScaleSetVMs_PowerOff", policy: vmUpdate, handler: onVM(vmAction("poweroff", (*world).powerOff))},
	{method: "POST", pattern: oneVM + "/deallocate", name: "VirtualMachineScaleSetVMs_Deallocate", policy: vmUpdate, handler: onVM(vmAction("deallocate", (*world).deallocate))},
	{method: "POST", pattern: oneVM + "/reimage", name: "VirtualMachineScaleSetVMs_Reimage", body: optionalBody, policy: vmUpdate, handler: onVM(reimageOne)},

	{method: "GET", pattern: inLocation + "/operations/{operation}", name: "Operations_Get", policy: opGet, handler: (*world).getOperation},

	{method: "GET", pattern: publishers, name: "VirtualMachineImages_ListPublishers", handler: (*world).listPublishers},
	{method: "GET", pattern: offers, name: "VirtualMachineImages_ListOffers", handler: (*world).listOffers},
	{method: "GET", pattern: skus, name: "VirtualMachineImages_ListSkus", handler: (*world).listSKUs},
	{method: "GET", pattern: skus + "/{sku}/versions", name: "VirtualMachineImages_List", handler: (*world).listVersions},
	{method: "GET", pattern: skus + "/{sku}/versions/{version}", name: "VirtualMachineImages_Get", handler: (*world).getVersion},

	{method: "GET", pattern: inSub + compute + "/galleries", name: "Galleries_List", handler: (*world).listGalleries},
	{method: "GET", pattern: allGalleries, name: "Galleries_ListByResourceGroup", handler: (*world).listGalleries},
	{method: "GET", pattern: oneGallery, name: "Galleries_Get", handler: onGallery((*world).getGallery)},
	{method: "GET", pattern: oneGallery + "/images", name: "GalleryImages_ListByGallery", handler: onGallery((*world).listGalleryImages)},
	{method: "GET", pattern: oneDefined, name: "GalleryImages_Get", handler: onGalleryImage((*world).getGalleryImage)},
	{method: "GET", pattern: oneDefined + "/versions", name: "GalleryImageVersions_ListByGalleryImage", handler: onGalleryImage((*world).listGalleryVersions)},
	{method: "GET", pattern: oneDefined + "/versions/{version}", name: "GalleryImageVersions_Get", handler: onGalleryImage((*world).getGalleryVersion)},

	{method: "GET", pattern: communities, name: "CommunityGalleries_Get", handler: ofCommunity.onGallery(communal.get)},
	{method: "GET", pattern: communities + "/images", name: "CommunityGalleryImages_List", handler: ofCommunity.onGallery(communal.listImages)},
	{method: "GET", pattern: communities + "/images/{image}", name: "CommunityGalleryImages_Get", handler: ofCommunity.onImage(communal.getImage)},
	{method: "GET", pattern: communities + "/images/{image}/versions", name: "CommunityGalleryImageVersions_List", handler: ofCommunity.onImage(communal.listVersions)},
	{method: "GET", pattern: communities + "/images/{image}/versions/{version}", name: "CommunityGalleryImageVersions_Get", handler: ofCommunity.onImage(communal.getVersion)},
	{method: "GET", pattern: shares, name: "SharedGalleries_Get", handler: ofShared.onGallery(communal.get)},
	{method: "GET", pattern: shares + "/images", name: "SharedGalleryImages_List", handler: ofShared.onGallery(communal.listImages)},
	{method: "GET", pattern: shares + "/images/{image}", name: "SharedGalleryImages_Get", handler: ofShared.onImage(communal.getImage)},
	{method: "GET", pattern: shares + "/images/{image}/versions", name: "SharedGalleryImageVersions_List", handler: ofShared.onImage(communal.listVersions)},
	{method: "GET", pattern: shares + "/images/{image}/versions/{version}", name: "SharedGalleryImageVersions_Get", handler: ofShared.onImage(communal.getVersion)},

	{method: "GET", pattern: inSub + compute + "/images", name: "Images_List", handler: (*world).listManagedImages},
	{method: "GET", pattern: inGroup + compute + "/images", name: "Images_ListByResourceGroup", handler: (*world).listManagedImages},
	{method: "GET", pattern: inGroup + compute + "/images/{image}", name: "Images_Get", handler: (*world).getManagedImage},
	{method: "GET", pattern: inLocation + "/usages", name: "Usage_List", handler: (*world).listUsages},
}, machineRoutes, spotRoutes, autoscaleRoutes)

func compile(lists ...[]route) []route {
	list := slices.Concat(lists...)
	for i := range list {
		list[i].segments = split(list[i].pattern)
	}
	return list
}

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// findRoute returns the route of a call and its parameters as the caller wrote them, nil if there
// is none.
func findRoute(method, path string) (*route, map[string]string) {
	segments := split(path)
	for i := range routes {
		if params, ok := routes[i].match(segments); ok && routes[i].method == method {
			return &routes[i], params
		}
	}
	return nil, map[string]string{}
}

func (r *route) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(r.segments) {
		return nil, false
	}
	params := map[string]string{}
	for i, want := range r.segments {
		switch {
		case strings.HasPrefix(want, "{"):
			params[want[1:len(want)-1]] = segments[i]
		case !strings.EqualFold(want, segments[i]):
			return nil, false
		}
	}
	return params, true
}

// unknownPath is ARM's answer to a path or a method it does not know.
func unknownPath(c *call) *reply {
	segments := split(c.path)
	for i := range routes {
		if _, ok := routes[i].match(segments); ok {
			return fail(http.StatusMethodNotAllowed, "MethodNotAllowed",
				"The requested resource does not support http method '%s'.", c.method)
		}
	}
	for i, s := range segments {
		if !strings.EqualFold(s, "providers") || i+1 == len(segments) {
			continue
		}
		for _, known := range []string{"Microsoft.Compute", "Microsoft.Insights"} {
			if strings.EqualFold(segments[i+1], known) {
				return fail(http.StatusNotFound, "InvalidResourceType",
					"The resource type could not be found in the namespace '%s' for api version '%s'.", known, c.query.Get("api-version"))
			}
		}
		return fail(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", segments[i+1])
	}
	return fail(http.StatusNotFound, "NotFound", "No HTTP resource was found that matches the request URI '%s'.", c.base+c.path)
}

// onSet gives a handler the set it is about.
func onSet(do func(*world, *call, *scaleSet) *reply) func(*world, *call) *reply {
	return func(w *world, c *call) *reply {
		s, refusal := w.lookup(c)
		if refusal != nil {
			return refusal
		}
		return do(w, c, s)
	}
}

// onVM gives a handler the instance it is about. An id that is none answers as for
// azure-cli#25476 and onefuzz#2547: 400 to a change; reading it is 404.
func onVM(do func(*world, *call, *instance) *reply) func(*world, *call) *reply {
	return onSet(func(w *world, c *call, s *scaleSet) *reply {
		if refusal := s.onlyNumbers(c); refusal != nil {
			return refusal
		}
		i := s.find(c.param("vm"))
		switch {
		case i != nil:
			return do(w, c, i)
		case c.mutates():
			return inactive(c.param("vm"))
		}
		return fail(http.StatusNotFound, "NotFound",
			"The provided instanceId %s is not an active Virtual Machine Scale Set VM instanceId.", c.param("vm")).at("instanceIds")
	})
}

// lookup finds the set of a path, or refuses as ARM does.
func (w *world) lookup(c *call) (*scaleSet, *reply) {
	if refusal := w.groupOf(c); refusal != nil {
		return nil, refusal
	}
	s := w.setOf(c)
	if s == nil {
		return nil, noResource(c, typeSet, c.param("set"))
	}
	return s, nil
}

// setOf is the set a call is about, nil if there is none.
func (w *world) setOf(c *call) *scaleSet {
	return w.sets[strings.ToLower(c.setID())]
}

func (w *world) groupOf(c *call) *reply {
	if w.groups[strings.ToLower(c.param("group"))] == nil {
		return fail(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", c.param("group"))
	}
	return nil
}
