package azuresim

import (
	"net/http"
	"regexp"
	"strings"
)

// allCores is the name of the quota that all families share.
const allCores = "cores"

// limit is how many cores of a name a location may have.
func (f Fleet) limit(location, name string) int {
	for _, q := range f.Quotas {
		if (q.Location == "" || sameLocation(q.Location, location)) && (strings.EqualFold(q.Name, name) || q.Name == "" && name == allCores) {
			return q.Limit
		}
	}
	return noLimit
}

// cores counts those in use in a location by family and together, without the instances of a set.
// Deallocated machines count, too (the quota page says so).
func (w *world) cores(location string, but *scaleSet) map[string]int {
	used := map[string]int{allCores: 0}
	sizes := map[string]Size{}
	for _, s := range w.sets {
		if s == but || !sameLocation(s.location, location) {
			continue
		}
		for _, i := range s.instances {
			size, known := sizes[i.size]
			if !known {
				size, _ = w.opt.Fleet.size(i.size)
				sizes[i.size] = size
			}
			used[size.Family] += size.Cores
			used[allCores] += size.Cores
		}
	}
	delete(used, "")
	return used
}

// withinQuota refuses what would need more cores than before and more than there may be, in the words
// of karpenter-provider-azure#192 and onefuzz#605.
func (w *world) withinQuota(s *scaleSet, size Size, capacity int) *reply {
	if len(w.opt.Fleet.Quotas) == 0 {
		return nil
	}
	all, others := w.cores(s.location, nil), w.cores(s.location, s)
	for _, name := range []string{size.Family, allCores} {
		limit := w.opt.Fleet.limit(s.location, name)
		needed := others[name] + size.Cores*capacity
		if needed <= limit || needed <= all[name] {
			continue
		}
		title := name + " Cores"
		if name == allCores {
			title = "Total Regional Cores"
		}
		return fail(http.StatusConflict, "OperationNotAllowed",
			"Operation could not be completed as it results in exceeding approved %s quota. Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: %d, (Minimum) New Limit Required: %d. Submit a request for Quota increase at https://aka.ms/ProdportalCRP/ by specifying parameters listed in the ‘Details’ section for deployment to succeed. Please read more about quota limits at https://docs.microsoft.com/en-us/azure/azure-supportability/per-vm-quota-requests",
			title, s.location, limit, all[name], needed-all[name], needed)
	}
	return nil
}

// listUsages is what Usage_List answers: cores by family, and how many sets there are.
func (w *world) listUsages(c *call) *reply {
	location := c.param("location")
	used := w.cores(location, nil)
	for _, z := range w.opt.Fleet.sizesIn(location) {
		size, _ := w.opt.Fleet.size(z.Name)
		used[size.Family] += 0 // families nobody uses are listed, too
	}
	sets := 0
	for _, s := range w.sets {
		if sameLocation(s.location, location) {
			sets++
		}
	}
	usages := []document{usage("virtualMachineScaleSets", "Virtual Machine Scale Sets", sets, 2500)}
	for _, name := range sortedKeys(used) {
		usages = append(usages, usage(name, localized(name), used[name], w.opt.Fleet.limit(location, name)))
	}
	return pageOf(w, c, usages, func(d document) string { return text(d, "name", "value") }, func(d document) document { return d })
}

func usage(name, title string, used, limit int) document {
	return document{"unit": "Count", "currentValue": used, "limit": limit, "name": document{"value": name, "localizedValue": title}}
}

var familyName = regexp.MustCompile(`^standard(.+)Family$`)

// localized is a name for people: "Standard DSv5 Family vCPUs".
func localized(name string) string {
	if name == allCores {
		return "Total Regional vCPUs"
	}
	return familyName.ReplaceAllString(name, "Standard $1 Family vCPUs")
}
