package azuresim

import (
	"net/http"
	"slices"
	"strings"
)

// usableImage refuses an image that s cannot run, or not change to: next is the profile to come.
func (w *world) usableImage(s *scaleSet, next document) *reply {
	after := profileImage(next)
	if s.doc != nil {
		if refusal := w.imageChange(s.image(), next); refusal != nil {
			return refusal
		}
	}
	if refusal := unclear(dig(next, "storageProfile", "imageReference"), after); refusal != nil {
		return refusal
	}
	if !after.platform() {
		_, refusal := w.opt.Fleet.custom(after, s.location)
		return refusal
	}
	if _, known := w.opt.Fleet.resolve(after, s.location); !known {
		return fail(http.StatusNotFound, "PlatformImageNotFound",
			"The platform image '%s' is not available. Verify that all fields in the storage profile are correct. For more details about storage profile information, please refer to https://aka.ms/storageprofile",
			after.urn()).at("imageReference")
	}
	return nil
}

// imageChange refuses what an image may not become. A platform image stays one, a VHD stays one
// (azure-docs#89791, azure-devops-docs#7422); that galleries and managed images may follow each other
// is assumed. A set keeps publisher and offer (azure-powershell#11911, azurerm#13657) unless the new
// image says from which it upgrades: the upgrade policy page shows Ubuntu releases follow each other,
// and calls it dependent on the current value. The SKU is free.
func (w *world) imageChange(before ImageRef, next document) *reply {
	after := profileImage(next)
	reference := dig(next, "storageProfile", "imageReference")
	mixed := after.ID != "" && text(reference, "publisher") != ""
	if before.platform() != after.platform() || (before.VHD != "") != (after.VHD != "") || mixed || after.VHD != "" && len(reference) > 0 {
		return fail(http.StatusConflict, "OperationNotAllowed", "The Image type for a Virtual Machine Scale Set may not be changed.")
	}
	if w.opt.Fleet.follows(after, before) {
		return nil
	}
	switch {
	case !strings.EqualFold(before.Publisher, after.Publisher):
		return fixedProperty("imageReference.publisher")
	case !strings.EqualFold(before.Offer, after.Offer):
		return fixedProperty("imageReference.offer")
	}
	return nil
}

func fixedProperty(name string) *reply {
	return fail(http.StatusConflict, "PropertyChangeNotAllowed", "Changing property '%s' is not allowed.", name).at(name)
}

// follows tells whether the catalogue lets a set change from one platform image to another.
func (f Fleet) follows(after, before ImageRef) bool {
	i, _ := f.find(after.Publisher, after.Offer, after.SKU)
	offer := before.Publisher + ":" + before.Offer
	return slices.ContainsFunc(i.UpgradesFrom, func(from string) bool {
		return strings.EqualFold(from, offer) || strings.EqualFold(from, offer+":"+before.SKU)
	})
}

// unclear refuses a reference that names several images, and an id in the wrong member; the words of
// the latter are those of ansible-collections/azure#1757.
func unclear(reference document, image ImageRef) *reply {
	ids := 0
	for _, member := range []string{"id", "sharedGalleryImageId", "communityGalleryImageId"} {
		if text(reference, member) != "" {
			ids++
		}
	}
	id := text(reference, "id")
	switch kind, _ := image.parse(); {
	case ids > 1 || image.ID != "" && text(reference, "publisher") != "" || image.VHD != "" && len(reference) > 0:
		return fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter imageReference is invalid: it names more than one image.").at("imageReference")
	case id != "" && !strings.HasPrefix(strings.ToLower(id), "/subscriptions/") && !strings.HasPrefix(strings.ToLower(id), "/providers/"):
		return fail(http.StatusBadRequest, "LinkedInvalidPropertyId",
			"Property id '%s' at path 'properties.virtualMachineProfile.storageProfile.imageReference.id' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.", id)
	case text(reference, "communityGalleryImageId") != "" && kind != communityImage:
		return fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter imageReference.communityGalleryImageId is invalid.").at("imageReference.communityGalleryImageId")
	case text(reference, "sharedGalleryImageId") != "" && kind != sharedImage:
		return fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter imageReference.sharedGalleryImageId is invalid.").at("imageReference.sharedGalleryImageId")
	}
	return nil
}
