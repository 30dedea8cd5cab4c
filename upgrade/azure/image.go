package azure

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// str is the text a pointer of the SDK points to, "" for none.
func str[T ~string](p *T) string {
	if p == nil {
		return ""
	}
	return string(*p)
}

// is reports whether a pointer of the SDK points to true.
func is(p *bool) bool { return p != nil && *p }

// image translates an image reference; whichever of the three kinds of id is set becomes the ID. A
// gallery's version is part of its id; Exact is what an instance of a versionless reference got. Without a
// reference the disk may be a copy of a VHD; what signs its address is left out.
func (p storageProfile) image() upgrade.Image {
	r := p.Image
	for _, id := range []string{r.ID, r.Shared, r.Community} {
		if id != "" {
			return upgrade.Image{ID: id, Exact: r.Exact}
		}
	}
	if r.Publisher == "" && p.Disk.Image.URI != "" {
		uri, _, _ := strings.Cut(p.Disk.Image.URI, "?")
		return upgrade.Image{URI: uri}
	}
	return upgrade.Image{Publisher: r.Publisher, Offer: r.Offer, SKU: r.SKU, Version: r.Version, Exact: r.Exact}
}

// modelImage is the image in a set's model. The exact version would be what "latest" meant once.
func modelImage(p *armcompute.VirtualMachineScaleSetVMProfile) upgrade.Image {
	var s storageProfile
	if p == nil || p.StorageProfile == nil {
		return upgrade.Image{}
	}
	if r := p.StorageProfile.ImageReference; r != nil {
		s.Image = imageReference{
			Publisher: str(r.Publisher), Offer: str(r.Offer), SKU: str(r.SKU), Version: str(r.Version),
			ID: str(r.ID), Shared: str(r.SharedGalleryImageID), Community: str(r.CommunityGalleryImageID),
		}
	}
	if d := p.StorageProfile.OSDisk; d != nil && d.Image != nil {
		s.Disk.Image.URI = str(d.Image.URI)
	}
	return s.image()
}

// spelt returns the known spelling of a word of Azure's, or the word itself: an unknown word is
// kept as it came, so that nothing takes it for a known one.
func spelt[T ~string](word string, known ...T) T {
	for _, k := range known {
		if strings.EqualFold(word, string(k)) {
			return k
		}
	}
	return T(word)
}
