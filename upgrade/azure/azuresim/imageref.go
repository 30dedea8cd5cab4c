package azuresim

import (
	"net/http"
	"strings"
)

// imageKind is where the image of a set comes from.
type imageKind int

const (
	noKind imageKind = iota
	platformImage
	galleryImage   // imageReference.id
	sharedImage    // imageReference.sharedGalleryImageId
	communityImage // imageReference.communityGalleryImageId
	managedImage   // imageReference.id
	diskImage      // osDisk.image.uri
)

// idForms are the ids of images, the last part with a version before the one without.
var idForms = []struct {
	kind imageKind
	route
}{
	{galleryImage, idForm(inGroup + compute + "/galleries/{gallery}/images/{image}/versions/{version}")},
	{galleryImage, idForm(inGroup + compute + "/galleries/{gallery}/images/{image}")},
	{sharedImage, idForm("/sharedGalleries/{gallery}/images/{image}/versions/{version}")},
	{sharedImage, idForm("/sharedGalleries/{gallery}/images/{image}")},
	{communityImage, idForm("/communityGalleries/{gallery}/images/{image}/versions/{version}")},
	{communityImage, idForm("/communityGalleries/{gallery}/images/{image}")},
	{managedImage, idForm(inGroup + compute + "/images/{image}")},
}

func idForm(pattern string) route { return route{segments: split(pattern)} }

// parse tells the kind of r, and the named parts of its id.
func (r ImageRef) parse() (imageKind, map[string]string) {
	switch {
	case r.VHD != "":
		return diskImage, nil
	case r.ID == "":
		return platformImage, nil
	}
	segments := split(r.ID)
	for _, form := range idForms {
		if parts, ok := form.match(segments); ok {
			return form.kind, parts
		}
	}
	return noKind, nil
}

// floating tells whether r names no version but the newest of its image.
func (r ImageRef) floating() bool {
	switch kind, parts := r.parse(); kind {
	case platformImage:
		return strings.EqualFold(r.Version, "latest")
	case galleryImage, sharedImage, communityImage:
		return parts["version"] == "" || strings.EqualFold(parts["version"], "latest")
	}
	return false
}

// versioned tells whether ARM shows an exactVersion of such an image.
func (r ImageRef) versioned() bool {
	kind, _ := r.parse()
	return kind != managedImage && kind != diskImage
}

// at is r with another version. That of a managed image or a VHD is its name: such images are
// replaced by a neighbour.
func (r ImageRef) at(version string) ImageRef {
	kind, parts := r.parse()
	switch {
	case kind == platformImage:
		r.Version = version
	case kind == diskImage:
		r.VHD = r.VHD[:strings.LastIndexByte(r.VHD, '/')+1] + version
	case kind == managedImage || parts["version"] != "":
		r.ID = r.ID[:strings.LastIndexByte(r.ID, '/')+1] + version
	default:
		r.ID += "/versions/" + version
	}
	return r
}

// family is what two references share that differ in version only.
func (r ImageRef) family() ImageRef {
	r = r.at("")
	return ImageRef{Publisher: strings.ToLower(r.Publisher), Offer: strings.ToLower(r.Offer), SKU: strings.ToLower(r.SKU),
		ID: strings.ToLower(r.ID), VHD: strings.ToLower(r.VHD)}
}

// profileImage is the image that a profile names.
func profileImage(profile document) ImageRef {
	storage := dig(profile, "storageProfile")
	r := imageRef(dig(storage, "imageReference"))
	if r.ID == "" {
		r.VHD = text(storage, "osDisk", "image", "uri")
	}
	return r
}

// withImage is profile with another image of the same kind.
func withImage(profile document, r ImageRef) document {
	if r.VHD != "" {
		return with(profile, r.VHD, "storageProfile", "osDisk", "image", "uri")
	}
	for member, v := range r.document() {
		profile = with(profile, v, "storageProfile", "imageReference", member)
	}
	return profile
}

// versionPatch is the PATCH that puts another version of its image into the model of s.
func (s *scaleSet) versionPatch(version string) document {
	return with(nil, withImage(nil, s.image().at(version)), "properties", "virtualMachineProfile")
}

// custom returns what an image that is no platform image stands for in a location: the version, or
// the name of an image that has none. Or else Azure's refusal.
func (f Fleet) custom(r ImageRef, location string) (string, *reply) {
	kind, parts := r.parse()
	foreign := parts["subscription"] != "" && !strings.EqualFold(parts["subscription"], f.Subscription)
	switch kind {
	case diskImage:
		return f.disk(r.VHD)
	case managedImage:
		return f.managed(r.ID, parts, location, foreign)
	case noKind:
		return "", wrongID(r.ID)
	}
	g, known := f.gallery(kind, parts)
	if !known && foreign {
		return parts["version"], nil // nobody can look into another subscription: it is taken at its word
	}
	image, _ := g.image(parts["image"])
	if r.floating() {
		v, ok := image.newest(location)
		if !ok {
			return "", noVersion(r, location)
		}
		return v.Version, nil
	}
	v, ok := image.version(parts["version"])
	if !ok || !v.usable(location) {
		return "", notReplicated(r.ID, location)
	}
	return v.Version, nil
}

// disk takes the URI of a VHD: this world has no storage accounts to look into.
func (f Fleet) disk(uri string) (string, *reply) {
	if !strings.HasPrefix(uri, "https://") || !strings.HasSuffix(strings.ToLower(uri), ".vhd") {
		return "", fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter osDisk.image.uri is invalid.").at("osDisk.image.uri")
	}
	return uri[strings.LastIndexByte(uri, '/')+1:], nil
}

// managed finds a managed image. The words for one in another region are those of azure-docs#53728;
// those for one that is not ready are quoted in cloudbreak#11993, without their code.
func (f Fleet) managed(id string, parts map[string]string, location string, foreign bool) (string, *reply) {
	m, known := f.managedImage(parts["group"], parts["image"])
	switch {
	case foreign:
		return parts["image"], nil
	case !known || !sameLocation(m.Location, location):
		return "", fail(http.StatusNotFound, "NotFound", "The Image '%s' cannot be found in '%s' region.", id, location).at("imageReference")
	case m.ProvisioningState != "Succeeded":
		return "", fail(http.StatusConflict, "OperationNotAllowed",
			"The resource cannot be created from Image '%s' until Image has been successfully created.", id).at("imageReference")
	}
	return m.Name, nil
}

// notReplicated are the words of terraform-azurerm-caf#852 and cloud-api-adaptor#1709, quotation
// marks included. That a version which does not exist, or has not succeeded, is refused in the same
// words is assumed.
func notReplicated(id, location string) *reply {
	return fail(http.StatusNotFound, "GalleryImageNotFound",
		`"The gallery image %s is not available in %s region. Please contact image owner to replicate to this region, or change your requested region."`,
		id, location).at("imageReference")
}

// noVersion are the words of bicep-registry-modules#462, for an id without a version.
func noVersion(r ImageRef, location string) *reply {
	return fail(http.StatusBadRequest, "InvalidParameter",
		"In region %[1]s, the following list of Shared Image Gallery images referenced from the deployment template were not found: %[2]s. Please check that at least one image has been replicated to %[1]s or that the ‘exclude from latest’ flag is set to false. Please refer to https://docs.microsoft.com/en-us/azure/virtual-machines/windows/shared-image-galleries for instructions on creating and deleting such images.",
		location, r.at("latest").ID).at("imageReference")
}

func wrongID(id string) *reply {
	return fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter imageReference.id is invalid: %s is no image.", id).at("imageReference.id")
}

func (f Fleet) managedImage(group, name string) (ManagedImage, bool) {
	for _, m := range f.ManagedImages {
		if strings.EqualFold(m.ResourceGroup, group) && strings.EqualFold(m.Name, name) {
			return m, true
		}
	}
	return ManagedImage{}, false
}

// gallery finds the gallery that a parsed id, or a path, is about.
func (f Fleet) gallery(kind imageKind, parts map[string]string) (Gallery, bool) {
	for _, g := range f.Galleries {
		switch kind {
		case galleryImage:
			if strings.EqualFold(g.Subscription, parts["subscription"]) && strings.EqualFold(g.ResourceGroup, parts["group"]) &&
				strings.EqualFold(g.Name, parts["gallery"]) {
				return g, true
			}
		case sharedImage:
			if g.Shared != "" && strings.EqualFold(g.Shared, parts["gallery"]) {
				return g, true
			}
		case communityImage:
			if g.Community != "" && strings.EqualFold(g.Community, parts["gallery"]) {
				return g, true
			}
		}
	}
	return Gallery{}, false
}

func (g Gallery) image(name string) (GalleryImage, bool) {
	for _, i := range g.Images {
		if strings.EqualFold(i.Name, name) {
			return i, true
		}
	}
	return GalleryImage{}, false
}

func (i GalleryImage) version(name string) (GalleryVersion, bool) {
	for _, v := range i.Versions {
		if strings.EqualFold(v.Version, name) {
			return v, true
		}
	}
	return GalleryVersion{}, false
}

// newest is the version that an id without one means in a location: the highest that may be used
// there and is not excluded.
func (i GalleryImage) newest(location string) (newest GalleryVersion, found bool) {
	for _, v := range i.Versions {
		if !v.ExcludeFromLatest && v.usable(location) && (!found || versionLess(newest.Version, v.Version)) {
			newest, found = v, true
		}
	}
	return newest, found
}

// usable tells whether machines in a location can be made from v.
func (v GalleryVersion) usable(location string) bool {
	return v.ProvisioningState == "Succeeded" && v.in(location)
}

func (v GalleryVersion) in(location string) bool {
	for _, r := range v.TargetRegions {
		if sameLocation(r, location) {
			return true
		}
	}
	return false
}

// versionLess orders versions part by part, numbers by value.
func versionLess(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for n := range min(len(x), len(y)) {
		if x[n] != y[n] {
			return idLess(x[n], y[n])
		}
	}
	return len(x) < len(y)
}
