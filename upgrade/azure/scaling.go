package azure

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Sizes lists the VM sizes that Azure offers to a set, by name.
func (a *Azure) Sizes(ctx context.Context, id upgrade.SetID) ([]upgrade.Size, error) {
	t, err := a.target(id)
	if err != nil {
		return nil, (&flight{}).fault("list the VM sizes of a scale set", err, a.now())
	}
	var out []upgrade.Size
	r := reading{op: t.String() + ": list the VM sizes it may have", set: t, now: a.now}
	err = whole(ctx, r,
		func() *runtime.Pager[armcompute.VirtualMachineScaleSetsClientListSKUsResponse] {
			return a.sets.NewListSKUsPager(t.group, t.set, nil)
		},
		func() { out = nil },
		func(page armcompute.VirtualMachineScaleSetsClientListSKUsResponse) error {
			return takeSizes(&out, page.Value)
		})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(x, y upgrade.Size) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

// takeSizes adds a page. A name that could not be put into the model is none.
func takeSizes(out *[]upgrade.Size, page []*armcompute.VirtualMachineScaleSetSKU) error {
	if page == nil {
		return errNoList
	}
	for _, v := range page {
		if v == nil || v.SKU == nil || !patterns["size"].MatchString(str(v.SKU.Name)) {
			return errNoName
		}
		size := upgrade.Size{Name: *v.SKU.Name}
		if c := v.Capacity; c != nil && c.Minimum != nil && c.Maximum != nil {
			size.Min, size.Max = int(*c.Minimum), int(*c.Maximum)
		}
		*out = append(*out, size)
	}
	return nil
}

// autoscaleSetting is a resource of Microsoft.Insights, which armcompute does not know.
type autoscaleSetting struct {
	Name       string `json:"name"`
	Properties struct {
		Enabled  bool   `json:"enabled"` // false when it is not there
		Target   string `json:"targetResourceUri"`
		Profiles []struct {
			Capacity struct {
				Minimum string `json:"minimum"`
				Maximum string `json:"maximum"`
			} `json:"capacity"`
		} `json:"profiles"`
	} `json:"properties"`
}

// Autoscale looks for an autoscale setting of the set among those of its resource group, where the portal
// puts it; one that somebody keeps elsewhere is not found. One that is off counts only when no other is on.
func (a *Azure) Autoscale(ctx context.Context, id upgrade.SetID) (upgrade.Autoscale, error) {
	t, err := a.target(id)
	if err != nil {
		return upgrade.Autoscale{}, (&flight{}).fault("read the autoscale settings of a scale set", err, a.now())
	}
	path := fill(groupScope, map[string]string{"subscription": a.guard.subscription, "group": t.group}) + autoscaleType
	var found upgrade.Autoscale
	r := reading{op: t.String() + ": read the autoscale settings of its resource group", set: t, now: a.now}
	err = whole(ctx, r,
		func() *runtime.Pager[page[autoscaleSetting]] {
			return newPager[autoscaleSetting](a, path, url.Values{"api-version": {insightsVersion}})
		},
		func() { found = upgrade.Autoscale{} },
		func(p page[autoscaleSetting]) error { return takeAutoscale(&found, p.Value, id) })
	if err != nil {
		return upgrade.Autoscale{}, err
	}
	return found, nil
}

func takeAutoscale(found *upgrade.Autoscale, list []autoscaleSetting, id upgrade.SetID) error {
	if list == nil {
		return errNoList
	}
	for _, s := range list {
		if s.Name == "" {
			return errNoName
		}
		if upgrade.NewSetID(s.Properties.Target) == id && (found.Name == "" || s.Properties.Enabled && !found.On) {
			*found = s.autoscale()
		}
	}
	return nil
}

// autoscale spans all profiles: which one holds when is the business of its recurrence.
func (s autoscaleSetting) autoscale() upgrade.Autoscale {
	out := upgrade.Autoscale{On: s.Properties.Enabled, Name: scrub(s.Name)}
	for n, p := range s.Properties.Profiles {
		least, _ := strconv.Atoi(p.Capacity.Minimum) // texts; one that is no number counts as 0
		most, _ := strconv.Atoi(p.Capacity.Maximum)
		if n == 0 || least < out.Min {
			out.Min = least
		}
		out.Max = max(out.Max, most)
	}
	return out
}
