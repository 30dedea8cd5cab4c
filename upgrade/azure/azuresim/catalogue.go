package azuresim

import (
	"strings"
)

// urn writes a platform image as the Azure CLI does: publisher:offer:sku:version.
func (r ImageRef) urn() string {
	return strings.Join([]string{r.Publisher, r.Offer, r.SKU, r.Version}, ":")
}

func (r ImageRef) platform() bool { return r.ID == "" }

// document is the ARM form of r.
func (r ImageRef) document() document {
	if !r.platform() {
		return document{"id": r.ID}
	}
	return document{"publisher": r.Publisher, "offer": r.Offer, "sku": r.SKU, "version": r.Version}
}

// imageRef reads the ARM form. Community and shared gallery ids count as ids.
func imageRef(d document) ImageRef {
	r := ImageRef{text(d, "publisher"), text(d, "offer"), text(d, "sku"), text(d, "version"), text(d, "id")}
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

// resolve returns the exact version r stands for, and whether the image exists. Ids are taken at
// their word: the version is their last part, or "" where the id names no version.
func (f Fleet) resolve(r ImageRef) (string, bool) {
	if !r.platform() {
		_, version, _ := strings.Cut(strings.ToLower(r.ID), "/versions/")
		return version, true
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

// versions are those the catalogue has of the platform image r, oldest first; none for other images.
func (f Fleet) versions(r ImageRef) []string {
	if !r.platform() {
		return nil
	}
	sku, _ := f.find(r.Publisher, r.Offer, r.SKU)
	var out []string
	for _, v := range sku.Versions {
		out = append(out, v.Version)
	}
	return out
}
