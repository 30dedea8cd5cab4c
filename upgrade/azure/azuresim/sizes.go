package azuresim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Size is a VM size. Those of a fleet come on top of a few usual ones that are offered everywhere.
type Size struct {
	Name        string   `json:"name"`
	Cores       int      `json:"cores"`
	Family      string   `json:"family,omitempty"`      // that its cores are counted under; default standardCustomFamily
	Locations   []string `json:"locations,omitempty"`   // where it is offered; default: everywhere
	Unavailable bool     `json:"unavailable,omitempty"` // offered, but not to this subscription at present
}

// Quota is a limit of cores.
type Quota struct {
	Location string `json:"location,omitempty"` // default: every one
	Name     string `json:"name,omitempty"`     // of a family, or "cores" (default) for all families together
	Limit    int    `json:"limit"`
}

// noLimit is the limit of what no Quota names.
const noLimit = 1_000_000

// usualSizes are always there.
var usualSizes = slices.Concat(
	series("standardDSv5Family", "Standard_D%ds_v5", 2, 4, 8, 16, 32), series("standardDLSv5Family", "Standard_D%dls_v5", 2, 4, 8, 16),
	series("standardDASv5Family", "Standard_D%das_v5", 2, 4, 8, 16), series("standardDSv3Family", "Standard_D%ds_v3", 2, 4, 8, 16),
	series("standardESv5Family", "Standard_E%ds_v5", 2, 4, 8, 16), series("standardFSv2Family", "Standard_F%ds_v2", 2, 4, 8, 16),
	[]Size{
		{Name: "Standard_B1s", Cores: 1, Family: "standardBSFamily"}, {Name: "Standard_B2s", Cores: 2, Family: "standardBSFamily"},
		{Name: "Standard_B2ms", Cores: 2, Family: "standardBSFamily"}, {Name: "Standard_DS1_v2", Cores: 1, Family: "standardDSv2Family"},
		{Name: "Standard_DS2_v2", Cores: 2, Family: "standardDSv2Family"}, {Name: "Standard_DS3_v2", Cores: 4, Family: "standardDSv2Family"},
	})

// series are sizes that are called by their cores.
func series(family, form string, cores ...int) []Size {
	var out []Size
	for _, n := range cores {
		out = append(out, Size{Name: fmt.Sprintf(form, n), Cores: n, Family: family})
	}
	return out
}

func (s Size) in(location string) bool {
	return len(s.Locations) == 0 || slices.ContainsFunc(s.Locations, func(l string) bool { return sameLocation(l, location) })
}

// size finds a size by its name, the fleet's own before the usual ones.
func (f Fleet) size(name string) (Size, bool) {
	for _, s := range slices.Concat(f.Sizes, usualSizes) {
		if strings.EqualFold(s.Name, name) {
			s.Family = cmp.Or(s.Family, "standardCustomFamily")
			return s, true
		}
	}
	return Size{}, false
}

// sizesIn are the sizes offered in a location, by name.
func (f Fleet) sizesIn(location string) []Size {
	var out []Size
	seen := map[string]bool{}
	for _, s := range slices.Concat(f.Sizes, usualSizes) {
		if key := strings.ToLower(s.Name); !seen[key] {
			seen[key] = true
			if s.in(location) {
				out = append(out, s)
			}
		}
	}
	slices.SortFunc(out, func(a, b Size) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return out
}

func (f Fleet) checkSizes() error {
	for n, s := range f.Sizes {
		if s.Name == "" || s.Cores < 1 {
			return fmt.Errorf("fleet sizes[%d] %s: a size has a name and at least one core", n, s.Name)
		}
	}
	for n, q := range f.Quotas {
		if q.Limit < 0 {
			return fmt.Errorf("fleet quotas[%d] %s: limit: %d is negative", n, q.Name, q.Limit)
		}
	}
	return nil
}

// listSizes is what VirtualMachineScaleSets_ListSkus answers. A size that is short at present is
// among them (assumed): only asking for it shows that.
func (w *world) listSizes(c *call, s *scaleSet) *reply {
	most := 1000
	if flag(s.doc, "properties", "singlePlacementGroup") {
		most = 100
	}
	return pageOf(w, c, w.opt.Fleet.sizesIn(s.location), func(z Size) string { return z.Name }, func(z Size) document {
		return document{"resourceType": typeSet, "sku": document{"name": z.Name, "tier": "Standard"},
			"capacity": document{"minimum": 0, "maximum": most, "defaultCapacity": 1, "scaleType": "Automatic"}}
	})
}

// room refuses a size that cannot be had, and cores beyond the quota, for the next document of s.
// That Azure looks at them when the model changes, not when the first instance moves, is assumed;
// so is the target of the first two, which were seen for single VMs.
func (w *world) room(s *scaleSet, next document, capacity int) *reply {
	name := text(next, "sku", "name")
	size, known := w.opt.Fleet.size(name)
	if s.doc == nil || !strings.EqualFold(name, text(s.doc, "sku", "name")) {
		var names []string
		for _, z := range w.opt.Fleet.sizesIn(s.location) {
			names = append(names, z.Name)
		}
		switch {
		case !known: // viya4-iac-azure#116
			return fail(http.StatusBadRequest, "InvalidParameter",
				"The value %s provided for the VM size is not valid. The valid sizes in the current region are: %s.", name, strings.Join(names, ",")).at("vmSize")
		case !size.in(s.location): // onefuzz#1126
			return fail(http.StatusBadRequest, "InvalidParameter",
				"The requested VM size %s is not available in the current region. The sizes available in the current region are: %s.", name, strings.Join(names, ",")).at("vmSize")
		case size.Unavailable: // aks-baseline#372
			return fail(http.StatusConflict, "SkuNotAvailable",
				"The requested size for resource '%s' is currently not available in location '%s' zones '%s' for subscription '%s'. Please try another size or deploy to a different location or zones. See https://aka.ms/azureskunotavailable for details.",
				s.id(), s.location, strings.Join(s.zones(), ","), s.sub)
		}
	}
	return w.withinQuota(s, size, capacity)
}
