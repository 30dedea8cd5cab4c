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
// gallery's version is part of its id; Exact is what an instance of a versionless reference got.
func image(r *armcompute.ImageReference) upgrade.Image {
	if r == nil {
		return upgrade.Image{}
	}
	exact := str(r.ExactVersion)
	for _, id := range []*string{r.ID, r.SharedGalleryImageID, r.CommunityGalleryImageID} {
		if str(id) != "" {
			return upgrade.Image{ID: *id, Exact: exact}
		}
	}
	return upgrade.Image{Publisher: str(r.Publisher), Offer: str(r.Offer), SKU: str(r.SKU), Version: str(r.Version), Exact: exact}
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
