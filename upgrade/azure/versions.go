package azure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Versions lists the versions of an image that a region knows, newest first; of a managed image those
// of its resource group, by name. A VHD has none: its storage account is not asked.
func (a *Azure) Versions(ctx context.Context, location string, family upgrade.Image) ([]upgrade.ImageVersion, error) {
	r := reading{op: fmt.Sprintf("list the versions of %s in %s", clip(family.Family(), 200), clip(location, 40)), now: a.now}
	if !patterns["location"].MatchString(location) {
		return nil, (&flight{}).fault(r.op, refuse("%q cannot be a location", clip(location, 80)), a.now())
	}
	out, err := a.versionsOf(ctx, r, location, family)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(x, y upgrade.ImageVersion) int {
		if x.Image.Kind() == upgrade.KindManaged {
			return strings.Compare(strings.ToLower(x.Image.ID), strings.ToLower(y.Image.ID))
		}
		return upgrade.CompareVersions(y.Image.Running(), x.Image.Running())
	})
	return out, nil
}

func (a *Azure) versionsOf(ctx context.Context, r reading, location string, family upgrade.Image) ([]upgrade.ImageVersion, error) {
	switch family.Kind() {
	case upgrade.KindPlatform:
		return a.platformVersions(ctx, r, location, family)
	case upgrade.KindVHD, "":
		return nil, r.flight().fault(r.op, errNotAsked, a.now())
	}
	return a.shelved(ctx, r, location, family)
}

// errNotAsked is about images that are not in Resource Manager, and about what is no image.
var errNotAsked = refuse("only platform images, those of galleries and managed ones can be looked up")

// Version looks one image up, as a set in that region would use it. A word that cannot be a version is
// refused like one that Azure does not know, without asking.
func (a *Azure) Version(ctx context.Context, location string, i upgrade.Image) (upgrade.ImageVersion, error) {
	i = i.At(i.Running())
	r := reading{op: fmt.Sprintf("look up %s of %s in %s", clip(i.Running(), 80), clip(i.Family(), 200), clip(location, 40)), now: a.now}
	kind := i.Kind()
	switch {
	case !patterns["location"].MatchString(location):
		return upgrade.ImageVersion{}, r.flight().fault(r.op, refuse("%q cannot be a location", clip(location, 80)), a.now())
	case kind == "", kind == upgrade.KindVHD:
		return upgrade.ImageVersion{}, r.flight().fault(r.op, errNotAsked, a.now())
	case kind != upgrade.KindManaged && (i.Follows() || !patterns["version"].MatchString(i.Running())):
		return upgrade.ImageVersion{}, &upgrade.Fault{Kind: upgrade.FaultRefused, Op: r.op, Message: fmt.Sprintf("%q is not one version", clip(i.Running(), 80))}
	case kind == upgrade.KindPlatform:
		return a.platformVersion(ctx, r, location, i)
	}
	return a.offShelf(ctx, r, location, i)
}

func (a *Azure) platformVersions(ctx context.Context, r reading, location string, family upgrade.Image) ([]upgrade.ImageVersion, error) {
	f := r.flight()
	if err := checkFamily(family); err != nil {
		return nil, f.fault(r.op, err, a.now())
	}
	ctx, cancel := f.begin(ctx)
	defer cancel()
	resp, err := a.images.ListWithProperties(ctx, location, family.Publisher, family.Offer, family.SKU, "properties", nil)
	if err == nil && resp.VirtualMachineImageArray == nil {
		err = errNoList
	}
	if err != nil {
		return nil, f.fault(r.op, err, a.now())
	}
	var out []upgrade.ImageVersion
	for _, v := range resp.VirtualMachineImageArray {
		if v == nil || !patterns["version"].MatchString(str(v.Name)) {
			return nil, f.fault(r.op, errNoName, a.now())
		}
		out = append(out, platform(family, *v.Name, v.Properties))
	}
	return out, nil
}

func (a *Azure) platformVersion(ctx context.Context, r reading, location string, i upgrade.Image) (upgrade.ImageVersion, error) {
	f := r.flight()
	if err := checkFamily(i); err != nil {
		return upgrade.ImageVersion{}, f.fault(r.op, err, a.now())
	}
	ctx, cancel := f.begin(ctx)
	defer cancel()
	resp, err := a.images.Get(ctx, location, i.Publisher, i.Offer, i.SKU, i.Version, nil)
	if err == nil && !strings.EqualFold(str(resp.Name), i.Version) {
		err = errOther
	}
	if err != nil {
		return upgrade.ImageVersion{}, f.fault(r.op, err, a.now())
	}
	return platform(i, *resp.Name, resp.Properties), nil
}

func checkFamily(i upgrade.Image) error {
	for name, value := range map[string]string{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU} {
		if !patterns[name].MatchString(value) {
			return refuse("%q cannot be a %s", clip(value, 80), name)
		}
	}
	return nil
}

// platform translates a version of a platform image. When it was published Azure does not tell.
func platform(family upgrade.Image, version string, p *armcompute.VirtualMachineImageProperties) upgrade.ImageVersion {
	v := upgrade.ImageVersion{Image: family.At(version)}
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
