package azure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
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

// Versions lists the versions of a platform image in a region, newest first, with what Azure says
// of their deprecation. It is one call.
func (a *Azure) Versions(ctx context.Context, location string, family upgrade.Image) ([]upgrade.ImageVersion, error) {
	op := fmt.Sprintf("list the versions of %s in %s", clip(family.Family(), 120), clip(location, 40))
	f := &flight{}
	if err := checkFamily(location, family); err != nil {
		return nil, f.fault(op, err, a.now())
	}
	ctx, cancel := f.begin(ctx)
	defer cancel()
	resp, err := a.images.ListWithProperties(ctx, location, family.Publisher, family.Offer, family.SKU, "properties", nil)
	if err == nil && resp.VirtualMachineImageArray == nil {
		err = errNoList
	}
	if err != nil {
		return nil, f.fault(op, err, a.now())
	}
	var out []upgrade.ImageVersion
	for _, v := range resp.VirtualMachineImageArray {
		if v == nil || str(v.Name) == "" {
			return nil, f.fault(op, errNoName, a.now())
		}
		out = append(out, imageVersion(family, *v.Name, v.Properties))
	}
	slices.SortStableFunc(out, func(x, y upgrade.ImageVersion) int { return compareVersions(y.Image.Version, x.Image.Version) })
	return out, nil
}

// Version looks a version of a platform image up. A word that cannot be a version is refused like
// one that Azure does not know, without asking. Images of galleries are not looked up.
func (a *Azure) Version(ctx context.Context, location string, i upgrade.Image) (upgrade.ImageVersion, error) {
	op := fmt.Sprintf("look up version %s of %s in %s", clip(i.Version, 80), clip(i.Family(), 120), clip(location, 40))
	f := &flight{}
	if err := checkFamily(location, i); err != nil {
		return upgrade.ImageVersion{}, f.fault(op, err, a.now())
	}
	if !patterns["version"].MatchString(i.Version) {
		return upgrade.ImageVersion{}, &upgrade.Fault{Kind: upgrade.FaultRefused, Op: op, Message: fmt.Sprintf("%q cannot be a version", clip(i.Version, 80))}
	}
	ctx, cancel := f.begin(ctx)
	defer cancel()
	resp, err := a.images.Get(ctx, location, i.Publisher, i.Offer, i.SKU, i.Version, nil)
	if err == nil && !strings.EqualFold(str(resp.Name), i.Version) {
		err = fmt.Errorf("it describes another version")
	}
	if err != nil {
		return upgrade.ImageVersion{}, f.fault(op, err, a.now())
	}
	return imageVersion(i, *resp.Name, resp.Properties), nil
}

func checkFamily(location string, i upgrade.Image) error {
	if !i.Platform() {
		return refuse("only versions of platform images can be looked up")
	}
	for name, value := range map[string]string{"location": location, "publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU} {
		if !patterns[name].MatchString(value) {
			return refuse("%q cannot be a %s", clip(value, 80), name)
		}
	}
	return nil
}

func imageVersion(family upgrade.Image, version string, p *armcompute.VirtualMachineImageProperties) upgrade.ImageVersion {
	v := upgrade.ImageVersion{Image: upgrade.Image{Publisher: family.Publisher, Offer: family.Offer, SKU: family.SKU, Version: version}}
	if p == nil || p.ImageDeprecationStatus == nil {
		return v
	}
	d := p.ImageDeprecationStatus
	words := str(d.ImageState)
	if words == "" || strings.EqualFold(words, string(armcompute.ImageStateActive)) {
		return v
	}
	v.Deprecated = true // a state we do not know counts as one that is not Active
	if d.ScheduledDeprecationTime != nil {
		words += " for " + d.ScheduledDeprecationTime.UTC().Format("2006-01-02")
	}
	if o := d.AlternativeOption; o != nil && str(o.Value) != "" {
		words += fmt.Sprintf(", alternative: %s %s", str(o.Type), str(o.Value))
	}
	v.Note = scrub(words)
	return v
}

// compareVersions orders versions number by number, as 4.0.20160229 after 4.0.9; parts that are no
// numbers are compared as text.
func compareVersions(x, y string) int {
	a, b := strings.Split(x, "."), strings.Split(y, ".")
	for i := range min(len(a), len(b)) {
		m, errM := strconv.ParseUint(a[i], 10, 64)
		n, errN := strconv.ParseUint(b[i], 10, 64)
		c := cmp.Compare(m, n)
		if errM != nil || errN != nil {
			c = cmp.Compare(a[i], b[i])
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}
