package azuresim

import (
	"net/http"
	"slices"
	"strings"
)

// readOnly are members of a set that only Azure writes. Callers may send them back, as a GET, change
// and PUT does; they are dropped.
var readOnly = [][]string{
	{"id"}, {"name"}, {"type"}, {"etag"}, {"location"}, {"systemData"},
	{"properties", "provisioningState"}, {"properties", "uniqueId"}, {"properties", "timeCreated"},
	{"properties", "virtualMachineProfile", "timeCreated"},
	{"properties", "virtualMachineProfile", "storageProfile", "imageReference", "exactVersion"},
}

// fixed are members that an existing set does not let change. The list is the part of "properties
// that can only be set at creation" of the upgrade policy page that a set here can have.
var fixed = [][]string{
	{"properties", "orchestrationMode"},
	{"properties", "platformFaultDomainCount"},
	{"properties", "virtualMachineProfile", "osProfile", "computerNamePrefix"},
	{"properties", "virtualMachineProfile", "osProfile", "adminUsername"},
	{"zones"},
}

func clean(d document) document {
	for _, path := range readOnly {
		d = without(d, path...)
	}
	return d
}

// patchSet merges a document into the model.
func (w *world) patchSet(c *call, s *scaleSet) *reply {
	if refusal := w.precondition(c, s); refusal != nil {
		return refusal
	}
	return w.change(c, s, merge(s.doc, clean(c.doc)), "PATCH")
}

// putSet replaces the model, or makes a new set.
func (w *world) putSet(c *call) *reply {
	s, missing := w.lookup(c)
	if missing != nil && missing.code() != "ResourceNotFound" {
		return missing
	}
	if refusal := w.precondition(c, s); refusal != nil {
		return refusal
	}
	if refusal := wellFormed(c.doc); refusal != nil {
		return refusal
	}
	if s == nil {
		return w.createSet(c)
	}
	if !sameLocation(text(c.doc, "location"), s.location) {
		return fail(http.StatusConflict, "InvalidResourceLocation",
			"The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
			s.name, s.location, s.group.name, text(c.doc, "location"))
	}
	return w.change(c, s, clean(c.doc), "PUT")
}

func wellFormed(d document) *reply {
	if text(d, "location") == "" {
		return fail(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	if dig(d, "properties", "virtualMachineProfile") == nil {
		return fail(http.StatusBadRequest, "InvalidParameter", "Required parameter 'virtualMachineProfile' is missing (null).").at("virtualMachineProfile")
	}
	return nil
}

// sameLocation compares locations as ARM does: "West Europe" is westeurope.
func sameLocation(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, " ", ""), strings.ReplaceAll(b, " ", ""))
}

// precondition checks If-Match and If-None-Match. The wording is that of cloud-provider-azure#9728.
func (w *world) precondition(c *call, s *scaleSet) *reply {
	current := "null"
	if s != nil {
		current = quoted(s.etag)
	}
	if want := c.header.Get("If-Match"); want != "" && (s == nil || want != "*" && want != current) {
		return fail(http.StatusPreconditionFailed, "PreconditionFailed",
			"Etag provided in if-match header %s does not match etag %s of resource.", want, current)
	}
	if no := c.header.Get("If-None-Match"); no != "" && s != nil && (no == "*" || no == current) {
		return fail(http.StatusPreconditionFailed, "PreconditionFailed",
			"Etag provided in if-none-match header %s matches etag %s of resource.", no, current)
	}
	return nil
}

// change gives s a new document: refused as a whole or accepted as a whole. The instances stay what
// they are unless the set's own policy moves them or the capacity changed.
func (w *world) change(c *call, s *scaleSet, next document, kind string) *reply {
	if refusal := s.busy(); refusal != nil {
		return refusal
	}
	capacity, refusal := w.acceptable(s, next)
	if refusal != nil {
		return refusal
	}
	before := s.fingerprint()
	c.write.ImageBefore = w.imageName(s)
	if was, is := text(s.doc, "sku", "name"), text(next, "sku", "name"); was != is {
		c.write.SizeBefore, c.write.SizeAfter = was, is
	}
	s.setDoc(next)
	w.watchAll(s)
	s.touch()
	c.write.ImageAfter = w.imageName(s)
	op := w.open(s, kind, true)
	w.resize(s, capacity, op)
	if s.fingerprint() != before {
		w.propagate(s, op)
	}
	w.settle(op, modelChange)
	r := w.shown(http.StatusOK, s)
	w.announce(c, op, r, false)
	return r
}

// busy refuses while an operation has the set. The code and words are those of onefuzz#2124 and
// azure-powershell#23105; a set on its way out says so (onefuzz#511).
func (s *scaleSet) busy() *reply {
	if s.deleting {
		return fail(http.StatusConflict, "OperationNotAllowed",
			"Operation 'Update Virtual Machine Scale Set' is not allowed on Virtual Machine Scale Set '%s' since it is marked for deletion. For more information on your operations, please refer to https://aka.ms/activitylog.", s.name)
	}
	if s.op != nil {
		return conflict()
	}
	return nil
}

func conflict() *reply {
	return fail(http.StatusConflict, "Conflict",
		"The request failed due to conflict with a concurrent request. To resolve it, please refer to https://aka.ms/activitylog to get more details on the conflicting requests.")
}

// acceptable checks next as the new document of s, or of a new set when s has none yet, and returns
// its capacity.
func (w *world) acceptable(s *scaleSet, next document) (int, *reply) {
	capacity, whole := number(next, "sku", "capacity")
	if !whole || capacity < 0 || capacity > 1000 {
		return 0, fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter sku.capacity is invalid.").at("sku.capacity")
	}
	if mode := text(next, "properties", "upgradePolicy", "mode"); !slices.Contains([]string{"Manual", "Automatic", "Rolling"}, mode) {
		return 0, fail(http.StatusBadRequest, "InvalidParameter", "The value '%s' of parameter 'upgradePolicy.mode' is invalid.", mode).at("upgradePolicy.mode")
	}
	if s.doc != nil {
		if refusal := s.unchangeable(next); refusal != nil {
			return 0, refusal
		}
	}
	if refusal := w.usableImage(s, dig(next, "properties", "virtualMachineProfile")); refusal != nil {
		return 0, refusal
	}
	return capacity, w.room(s, next, capacity)
}

// unchangeable refuses what an existing set does not let change.
func (s *scaleSet) unchangeable(next document) *reply {
	for _, path := range fixed {
		if equalFold(value(s.doc, path...), value(next, path...)) {
			continue
		}
		name := strings.Join(path[max(len(path)-2, 0):], ".")
		name = strings.TrimPrefix(name, "properties.")
		return fixedProperty(name)
	}
	if flag(next, "properties", "singlePlacementGroup") && !flag(s.doc, "properties", "singlePlacementGroup") {
		return fixedProperty("singlePlacementGroup")
	}
	return nil
}

// createSet makes a new set with all its instances.
func (w *world) createSet(c *call) *reply {
	group := w.groups[strings.ToLower(c.param("group"))]
	s := &scaleSet{
		sub: w.opt.Fleet.Subscription, group: group, name: c.param("set"), location: text(c.doc, "location"),
		created: w.clock, etag: 1,
	}
	next := merge(unsaid(c.doc), clean(c.doc))
	capacity, refusal := w.acceptable(s, next)
	if refusal != nil {
		return refusal
	}
	s.setDoc(next)
	c.write.ImageAfter = w.imageName(s)
	w.sets[s.key()] = s
	op := w.open(s, "PUT", true)
	s.prov = "Creating"
	w.resize(s, capacity, op)
	w.settle(op, modelChange)
	r := w.shown(http.StatusCreated, s)
	w.announce(c, op, r, false)
	return r
}

// imageName names the model's image for the record: a URN, a resource id or a URI.
func (w *world) imageName(s *scaleSet) string {
	return s.image().name()
}
