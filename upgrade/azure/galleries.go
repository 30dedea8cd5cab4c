package azure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime/datetime"

	"github.com/vmssbot/vmssbot/upgrade"
)

// shelf is where Azure lists the images of a kind: the versions of a gallery's image, or of a managed
// image, which has none, those beside it.
type shelf struct {
	ids     []string // how the ids of its images look
	list    string   // {location} is the set's
	item    string   // what an entry of the list adds to its path
	version string   // of the interface
}

var shelves = map[upgrade.ImageKind]shelf{
	upgrade.KindGallery:   {imageIDs, oneGallery + "/versions", "/{version}", galleryVersion},
	upgrade.KindCommunity: {communityIDs, communityVersions, "/{version}", galleryVersion},
	upgrade.KindShared:    {sharedIDs, sharedVersions, "/{version}", galleryVersion},
	upgrade.KindManaged:   {imageIDs, managedImages, "/{image}", computeVersion},
}

// names are those in the id of an image, and the region; a gallery or managed image may be in any
// subscription, those that are published to others are asked for in ours.
func (s shelf) names(a *Azure, i upgrade.Image, location string) map[string]string {
	names := map[string]string{"subscription": a.guard.subscription, "location": location}
	for _, t := range s.ids {
		if params, ok := match(t, i.ID); ok {
			maps.Copy(names, params)
		}
	}
	return names
}

// onShelf is an entry of any shelf.
type onShelf struct {
	Name       string `json:"name"`
	Location   string `json:"location"`
	Properties struct {
		State       string     `json:"provisioningState"` // community and shared galleries tell none
		publication            // of community and shared galleries
		Publishing  publishing `json:"publishingProfile"` // of galleries
		Replication struct {
			Summary []replication `json:"summary"`
		} `json:"replicationStatus"` // of galleries, when asked
	} `json:"properties"`
}

type publication struct {
	Published *datetime.RFC3339 `json:"publishedDate"`
	EndOfLife *datetime.RFC3339 `json:"endOfLifeDate"`
	Excluded  bool              `json:"excludeFromLatest"`
}

type publishing struct {
	publication
	Regions []struct {
		Name     string `json:"name"`
		Excluded bool   `json:"excludeFromLatest"`
	} `json:"targetRegions"`
}

type replication struct {
	Region   string `json:"region"`
	State    string `json:"state"`
	Progress *int   `json:"progress"` // in per cent
	Details  string `json:"details"`
}

// shelved lists what is on the image's shelf.
func (a *Azure) shelved(ctx context.Context, r reading, location string, family upgrade.Image) (out []upgrade.ImageVersion, err error) {
	s := shelves[family.Kind()]
	r.image = fill(s.list, s.names(a, family, location))
	err = whole(ctx, r,
		func() *runtime.Pager[page[onShelf]] {
			return newPager[onShelf](a, r.image, url.Values{"api-version": {s.version}})
		},
		func() { out = nil },
		func(p page[onShelf]) error {
			if p.Value == nil {
				return errNoList
			}
			for _, e := range p.Value {
				v, err := e.version(family, location, a.now())
				if err != nil {
					return err
				}
				out = append(out, v)
			}
			return nil
		})
	return out, err
}

var errOther = errors.New("it describes another image")

// offShelf looks one image up. Of a gallery's it asks for the replication, too, which the list does not tell.
func (a *Azure) offShelf(ctx context.Context, r reading, location string, i upgrade.Image) (upgrade.ImageVersion, error) {
	s, query := shelves[i.Kind()], ""
	r.image = fill(s.list+s.item, s.names(a, i, location))
	if i.Kind() == upgrade.KindGallery {
		query = "$expand=ReplicationStatus&"
	}
	f := r.flight()
	ctx, cancel := f.begin(ctx)
	defer cancel()
	e, err := fetch[onShelf](ctx, a, r.image+"?"+query+"api-version="+s.version)
	if err == nil && !strings.EqualFold(e.Name, r.image[strings.LastIndexByte(r.image, '/')+1:]) {
		err = errOther
	}
	var v upgrade.ImageVersion
	if err == nil {
		v, err = e.version(i, location, a.now())
	}
	if err != nil {
		return upgrade.ImageVersion{}, f.fault(r.op, err, a.now())
	}
	return v, nil
}

// version translates an entry of the shelf that family is on.
func (e onShelf) version(family upgrade.Image, location string, now time.Time) (upgrade.ImageVersion, error) {
	var v upgrade.ImageVersion
	switch kind := family.Kind(); {
	case kind == upgrade.KindManaged && patterns["image"].MatchString(e.Name):
		v.Image = upgrade.Image{ID: family.ID[:strings.LastIndexByte(family.ID, '/')+1] + e.Name}
		v.Unusable = e.elsewhere(location)
	case kind != upgrade.KindManaged && patterns["version"].MatchString(e.Name):
		v.Image = family.At(e.Name)
		if kind == upgrade.KindGallery {
			v.Unusable = e.missing(location)
		}
	default:
		return v, errNoName
	}
	p := e.Properties
	at, end := cmp.Or(p.Published, p.Publishing.Published), cmp.Or(p.EndOfLife, p.Publishing.EndOfLife)
	v.Excluded = p.Excluded || p.Publishing.excludedIn(location)
	if at != nil {
		v.Published = time.Time(*at).UTC()
	}
	if end != nil && !now.Before(time.Time(*end)) { // Azure would still let it be used
		v.Deprecated, v.Note = true, "its end of life was on "+time.Time(*end).UTC().Format("2006-01-02")
	}
	return v, nil
}

// elsewhere is why a managed image cannot be used in a region: it is a resource of its own one only.
func (e onShelf) elsewhere(location string) string {
	if !sameRegion(e.Location, location) {
		return "it is in " + cmp.Or(scrub(e.Location), "no region that Azure tells")
	}
	return e.unfinished()
}

func (e onShelf) unfinished() string {
	if state := e.Properties.State; !strings.EqualFold(state, "Succeeded") {
		return "Azure says that it is " + cmp.Or(scrub(state), "in no state")
	}
	return ""
}

// missing is why a gallery's version cannot be used in a region.
func (e onShelf) missing(location string) string {
	if _, there := e.Properties.Publishing.in(location); !there {
		return "it is not replicated to " + location
	}
	for _, r := range e.Properties.Replication.Summary {
		if !sameRegion(r.Region, location) || strings.EqualFold(r.State, "Completed") {
			continue
		}
		words := fmt.Sprintf("its replication to %s is %s", location, strings.ToLower(scrub(r.State)))
		if r.Progress != nil {
			words += fmt.Sprintf(", %d %%", *r.Progress)
		}
		if r.Details != "" {
			words += ": " + scrub(r.Details)
		}
		return words
	}
	return e.unfinished()
}

// in is whether a version is, or is to be, in a region, and is excluded from what latest means there.
func (p publishing) in(location string) (excluded, there bool) {
	for _, r := range p.Regions {
		if sameRegion(r.Name, location) {
			return r.Excluded, true
		}
	}
	return false, false
}

func (p publishing) excludedIn(location string) bool {
	excluded, _ := p.in(location)
	return p.Excluded || excluded
}

// sameRegion: galleries call regions by the names that people see, West Europe, everything else by westeurope.
func sameRegion(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, " ", ""), strings.ReplaceAll(b, " ", ""))
}
