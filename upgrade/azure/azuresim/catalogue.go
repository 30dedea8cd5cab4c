package azuresim

import (
	"cmp"
	"slices"
	"strings"
)

// urn writes a platform image as the Azure CLI does: publisher:offer:sku:version.
func (r ImageRef) urn() string {
	return strings.Join([]string{r.Publisher, r.Offer, r.SKU, r.Version}, ":")
}

func (r ImageRef) platform() bool { return r.ID == "" && r.VHD == "" }

// name is how the record and errors call r: a URN, a resource id or a URI.
func (r ImageRef) name() string {
	if r.platform() {
		return r.urn()
	}
	return cmp.Or(r.VHD, r.ID)
}

// catalogue is where a fleet would have r.
func (r ImageRef) catalogue(location string) string {
	if r.platform() {
		return "images"
	}
	return "galleries or managedImages, ready and in " + location
}

// document is the ARM form of r as an imageReference; a VHD has none.
func (r ImageRef) document() document {
	switch kind, _ := r.parse(); kind {
	case diskImage:
		return document{}
	case communityImage:
		return document{"communityGalleryImageId": r.ID}
	case sharedImage:
		return document{"sharedGalleryImageId": r.ID}
	case platformImage:
	default:
		return document{"id": r.ID}
	}
	return document{"publisher": r.Publisher, "offer": r.Offer, "sku": r.SKU, "version": r.Version}
}

// imageRef reads the ARM form. Community and shared gallery ids count as ids.
func imageRef(d document) ImageRef {
	r := ImageRef{Publisher: text(d, "publisher"), Offer: text(d, "offer"), SKU: text(d, "sku"), Version: text(d, "version"), ID: text(d, "id")}
	for _, k := range []string{"sharedGalleryImageId", "communityGalleryImageId"} {
		if id := text(d, k); id != "" {
			r.ID = id
		}
	}
	return r
}

// find returns the SKU that r names, without regard to case, as ARM compares.
func (f Fleet) find(publisher, offer, sku string) (Image, bool) {
	for _, i := range f.Images {
		if strings.EqualFold(i.Publisher, publisher) && strings.EqualFold(i.Offer, offer) && strings.EqualFold(i.SKU, sku) {
			if f.now != nil {
				i.Versions = slices.DeleteFunc(slices.Clone(i.Versions), func(v Version) bool { return v.Published.After(f.now()) })
			}
			return i, true
		}
	}
	return Image{}, false
}

func (i Image) version(v string) (Version, bool) {
	for _, known := range i.Versions {
		if strings.EqualFold(known.Version, v) {
			return known, true
		}
	}
	return Version{}, false
}

// newest is the version that "latest" means: the last one that is not deprecated.
func (i Image) newest() (Version, bool) {
	for n := len(i.Versions) - 1; n >= 0; n-- {
		if i.Versions[n].State != "Deprecated" {
			return i.Versions[n], true
		}
	}
	return Version{}, false
}

// resolve returns the exact version r stands for in a location, and whether the image is there. Images
// without versions have their name instead.
func (f Fleet) resolve(r ImageRef, location string) (string, bool) {
	if !r.platform() {
		exact, refusal := f.custom(r, location)
		return exact, refusal == nil
	}
	sku, ok := f.find(r.Publisher, r.Offer, r.SKU)
	if !ok {
		return "", false
	}
	if strings.EqualFold(r.Version, "latest") {
		v, ok := sku.newest()
		return v.Version, ok
	}
	v, ok := sku.version(r.Version)
	return v.Version, ok
}

// versions are those the catalogue has of the platform or gallery image r, oldest first; none for
// other images.
func (f Fleet) versions(r ImageRef) []string {
	var out []string
	if kind, parts := r.parse(); kind != platformImage {
		g, _ := f.gallery(kind, parts)
		i, _ := g.image(parts["image"])
		for _, v := range i.Versions {
			out = append(out, v.Version)
		}
		return out
	}
	sku, _ := f.find(r.Publisher, r.Offer, r.SKU)
	for _, v := range sku.Versions {
		out = append(out, v.Version)
	}
	return out
}
