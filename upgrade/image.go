package upgrade

import (
	"cmp"
	"regexp"
	"strings"
	"time"
)

// Image refers to an OS image: a platform image by publisher, offer, SKU and version, an image of a
// gallery or a managed one by resource id, or a VHD in a storage account by its address. Exact is the
// version an instance really runs (exactVersion), "" in a model.
type Image struct {
	Publisher string `json:"publisher,omitempty"`
	Offer     string `json:"offer,omitempty"`
	SKU       string `json:"sku,omitempty"`
	Version   string `json:"version,omitempty"`
	Exact     string `json:"exact,omitempty"`
	ID        string `json:"id,omitempty"`
	URI       string `json:"uri,omitempty"` // of unmanaged disks (osDisk.image.uri), which Azure retired in 2026
}

// Latest in place of a version makes a model follow whatever is published; it is no version.
const Latest = "latest"

// ImageKind is where an image comes from; "" is unknown.
type ImageKind string

const (
	KindPlatform  ImageKind = "platform image"
	KindGallery   ImageKind = "gallery image"
	KindCommunity ImageKind = "community gallery image"
	KindShared    ImageKind = "shared gallery image"
	KindManaged   ImageKind = "managed image"
	KindVHD       ImageKind = "VHD"
)

const (
	idName     = `[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?`
	idVersions = `(?i:/versions/)[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?`
	idCompute  = `(?i:/subscriptions/)[0-9a-fA-F-]{36}(?i:/resourceGroups/)[\p{L}\p{N}_().-]{1,90}(?i:/providers/Microsoft\.Compute/)`
)

// imageIDs are the ids that name images, as strict as they can be: what people type becomes part of a
// request (R47).
var imageIDs = []struct {
	kind ImageKind
	form *regexp.Regexp
}{
	{KindGallery, regexp.MustCompile(`^` + idCompute + `(?i:galleries/)` + idName + `(?i:/images/)` + idName + `(?:` + idVersions + `)?$`)},
	{KindManaged, regexp.MustCompile(`^` + idCompute + `(?i:images/)` + idName + `$`)},
	{KindCommunity, regexp.MustCompile(`^(?i:/CommunityGalleries/)` + idName + `(?i:/Images/)` + idName + `(?:` + idVersions + `)?$`)},
	{KindShared, regexp.MustCompile(`^(?i:/SharedGalleries/)` + idName + `(?i:/Images/)` + idName + `(?:` + idVersions + `)?$`)},
}

var vhd = regexp.MustCompile(`^https://[a-z0-9]{3,24}\.blob\.[a-z0-9.-]{1,60}(?:/[A-Za-z0-9$][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*){1,8}$`)

// ImageNamed reads the id of an image or the address of a VHD; ok is false for anything else.
func ImageNamed(text string) (i Image, ok bool) {
	if strings.HasPrefix(text, "https://") {
		i.URI = text
	} else {
		i.ID = text
	}
	return i, i.Kind() != ""
}

// Kind is where the image comes from.
func (i Image) Kind() ImageKind {
	switch {
	case i.URI != "" && len(i.URI) <= 500 && vhd.MatchString(i.URI):
		return KindVHD
	case i.URI != "":
		return ""
	case i.ID == "" && i.Publisher != "":
		return KindPlatform
	}
	for _, k := range imageIDs {
		if k.form.MatchString(i.ID) {
			return k.kind
		}
	}
	return ""
}

// Platform reports whether the image is a marketplace (platform) image.
func (i Image) Platform() bool { return i.ID == "" && i.URI == "" && i.Publisher != "" }

// versioned reports whether the image is one of several versions of the same thing, as those of
// platform and galleries are.
func (i Image) versioned() bool {
	_, _, gallery := i.parts()
	return i.Platform() || gallery
}

// parts are the id without its version, the version, "" if it names none, and whether the image is a
// gallery's. They are read from the end: a resource group may be called as anything.
func (i Image) parts() (base, version string, gallery bool) {
	words := strings.Split(i.ID, "/") // …/galleries/GALLERY/images/IMAGE[/versions/VERSION]
	n := len(words)
	if base = i.ID; n > 2 && strings.EqualFold(words[n-2], "versions") {
		version, n = words[n-1], n-2
		base = i.ID[:len(i.ID)-len("/versions/"+version)]
	}
	return base, version, n > 4 && strings.HasSuffix(strings.ToLower(words[n-4]), "galleries")
}

// At is another version of the same image; of what has no versions it is the image itself.
func (i Image) At(version string) Image {
	switch {
	case i.Platform():
		return Image{Publisher: i.Publisher, Offer: i.Offer, SKU: i.SKU, Version: version}
	case i.versioned():
		base, _, _ := i.parts()
		return Image{ID: base + "/versions/" + version}
	}
	return i
}

// Running returns the version that is really meant or run: Exact when it is known, else the one named;
// "" when nothing names one. A gallery's image without a version follows the latest. Images that have
// no versions are told apart by their names.
func (i Image) Running() string {
	if i.Platform() {
		return cmp.Or(i.Exact, i.Version)
	}
	if _, named, gallery := i.parts(); gallery {
		return cmp.Or(i.Exact, named, Latest)
	}
	name := cmp.Or(i.URI, i.ID)
	return name[strings.LastIndexByte(name, '/')+1:]
}

// Follows reports whether the image is whatever is published last.
func (i Image) Follows() bool { return i.Running() == Latest }

// Family is the image without its version: what the default allow-list compares (R45). An image that
// has no versions is its own family; so are the VHDs of one container.
func (i Image) Family() string {
	switch {
	case i.Platform():
		return strings.ToLower(i.Publisher + ":" + i.Offer + ":" + i.SKU)
	case i.URI != "":
		return i.URI[:strings.LastIndexByte(i.URI, '/')+1]
	}
	base, _, _ := i.parts()
	return strings.ToLower(base)
}

// Name is the family as people say it: publisher:offer:sku, gallery/image, or an image's own name.
func (i Image) Name() string {
	switch {
	case i.Platform():
		return i.Family()
	case !i.versioned():
		return i.Running()
	}
	parts := strings.Split(i.Family(), "/") // …/galleries/GALLERY/images/IMAGE
	if len(parts) < 4 {
		return i.Family()
	}
	return parts[len(parts)-3] + "/" + parts[len(parts)-1]
}

// Same reports whether both are the same image in the same version; an unknown version is never
// the same as anything (R43: exact versions are compared). VHDs that differ in case are two blobs.
func (i Image) Same(j Image) bool {
	if i.URI != "" || j.URI != "" {
		return i.URI == j.URI
	}
	return i.Running() != "" && strings.EqualFold(i.Running(), j.Running()) && i.Family() != "" && i.Family() == j.Family() // the cheaper half first
}

// String is the version, or the name of an image that has none.
func (i Image) String() string { return i.Running() }

// older reports whether a is an earlier version of the same image as b, or of another SKU or offer of the
// same publisher an earlier one as far as their numbers and days tell.
func older(a, b Image) bool {
	switch {
	case !a.versioned() || !b.versioned():
		return false
	case a.Family() == b.Family(), a.Platform() && strings.EqualFold(a.Publisher+":"+a.Offer, b.Publisher+":"+b.Offer):
		return CompareVersions(a.Running(), b.Running()) < 0
	case a.Platform() && strings.EqualFold(a.Publisher, b.Publisher):
		x, dated := Dated(a.Running())
		y, both := Dated(b.Running())
		return dated && both && x.Before(y)
	}
	return false
}

// pinned reports whether it is one certain image or size: neither unknown nor whatever is the latest (R43).
func pinned(s Setting) bool { return s.Size != "" || s.Running() != "" && !s.Follows() }

// Dated is the day that publishers write into the version: 4.0.20160229, 22.04.202401170,
// 20348.2655.240810. ok is false when it names none; it is a habit of theirs and no promise.
func Dated(version string) (day time.Time, ok bool) {
	for part := range strings.SplitSeq(version, ".") {
		for _, form := range []string{"20060102", "060102"} {
			if !digits(part) || len(part) < len(form) || len(form) == 6 && len(part) != 6 {
				continue
			}
			t, err := time.Parse(form, part[:len(form)])
			if err == nil && t.Year() >= 2010 && t.Year() < 2100 {
				day, ok = t, true
			}
		}
	}
	return day, ok
}

// Setting is what a rollout sets in the model, and what its instances then show: an image, or of a
// resize the VM size and no image.
type Setting struct {
	Image
	Size string `json:"size,omitempty"`
}

// Same reports whether both are the same setting; sizes are compared without case, as Azure does.
func (s Setting) Same(t Setting) bool {
	if s.Size != "" || t.Size != "" {
		return strings.EqualFold(s.Size, t.Size)
	}
	return s.Image.Same(t.Image)
}

// String is the size, or the image's version.
func (s Setting) String() string { return cmp.Or(s.Size, s.Image.String()) }

// of is the same setting as the model has it.
func (s Setting) of(m Model) Setting {
	if s.Size != "" {
		return Setting{Size: m.Size}
	}
	return Setting{Image: m.Image}
}

// In is the same setting as the instance has it.
func (s Setting) In(i Instance) Setting {
	if s.Size != "" {
		return Setting{Size: i.Size}
	}
	return Setting{Image: i.Image}
}
