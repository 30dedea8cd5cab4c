package azure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Sets lists every scale set in the configured resource groups, or in the subscription when none
// are configured, by name.
func (a *Azure) Sets(ctx context.Context) ([]upgrade.SetSummary, error) {
	if len(a.guard.groups) == 0 {
		return a.allSets(ctx)
	}
	var out []upgrade.SetSummary
	for _, g := range a.guard.groups {
		some, err := a.setsOf(ctx, g)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return sorted(out), nil
}

func (a *Azure) allSets(ctx context.Context) (out []upgrade.SetSummary, err error) {
	r := reading{op: "list the scale sets of the subscription", now: a.now}
	err = whole(ctx, r,
		func() *runtime.Pager[armcompute.VirtualMachineScaleSetsClientListAllResponse] {
			return a.sets.NewListAllPager(nil)
		},
		func() { out = nil },
		func(page armcompute.VirtualMachineScaleSetsClientListAllResponse) error {
			return takeSets(&out, page.Value)
		})
	return sorted(out), err
}

func (a *Azure) setsOf(ctx context.Context, group string) (out []upgrade.SetSummary, err error) {
	r := reading{op: fmt.Sprintf("list the scale sets of resource group %s", group), now: a.now}
	err = whole(ctx, r,
		func() *runtime.Pager[armcompute.VirtualMachineScaleSetsClientListResponse] {
			return a.sets.NewListPager(group, nil)
		},
		func() { out = nil },
		func(page armcompute.VirtualMachineScaleSetsClientListResponse) error {
			return takeSets(&out, page.Value)
		})
	return out, err
}

func takeSets(out *[]upgrade.SetSummary, page []*armcompute.VirtualMachineScaleSet) error {
	if page == nil {
		return errNoList
	}
	for _, v := range page {
		if v == nil || str(v.ID) == "" {
			return errNoName
		}
		if disguised(str(v.ID)) { // it would be listed as a set that it is not
			continue
		}
		*out = append(*out, summary(v))
	}
	return nil
}

func sorted(list []upgrade.SetSummary) []upgrade.SetSummary {
	slices.SortFunc(list, func(x, y upgrade.SetSummary) int {
		return cmp.Or(cmp.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), cmp.Compare(x.ID, y.ID))
	})
	return slices.CompactFunc(list, func(x, y upgrade.SetSummary) bool { return x.ID == y.ID })
}
