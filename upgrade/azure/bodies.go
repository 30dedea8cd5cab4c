package azure

import (
	"bytes"
	"encoding/json"

	"github.com/vmssbot/vmssbot/upgrade"
)

// The bodies that may be sent, and nothing else: the guard decodes a body into these and
// demands that encoding gives the same bytes back, so an unknown, doubled or differently spelt
// member has no place to hide.

type instancesJSON struct {
	InstanceIDs []string `json:"instanceIds"`
}

type reimageJSON struct {
	Force       bool     `json:"forceUpdateOSDiskForEphemeral,omitempty"`
	InstanceIDs []string `json:"instanceIds"`
}

// modelJSON sets one thing in the model: the image reference, or of a set with unmanaged disks the
// VHD it copies, or the VM size.
type modelJSON struct {
	Properties *propertiesJSON `json:"properties,omitempty"`
	SKU        *skuJSON        `json:"sku,omitempty"`
}

type propertiesJSON struct {
	Profile struct {
		Storage storageJSON `json:"storageProfile"`
	} `json:"virtualMachineProfile"`
}

type storageJSON struct {
	Image *imageJSON `json:"imageReference,omitempty"`
	Disk  *diskJSON  `json:"osDisk,omitempty"`
}

// skuJSON leaves the capacity out: it stays as it is.
type skuJSON struct {
	Name string `json:"name"`
}

type diskJSON struct {
	Image struct {
		URI string `json:"uri"`
	} `json:"image"`
}

// imageJSON is an image reference as the model gets it: one kind of id, or a platform image by all four
// of its names, as Azure wants them in one call when more than the version changes.
type imageJSON struct {
	Community string `json:"communityGalleryImageId,omitempty"`
	ID        string `json:"id,omitempty"`
	Offer     string `json:"offer,omitempty"`
	Publisher string `json:"publisher,omitempty"`
	Shared    string `json:"sharedGalleryImageId,omitempty"`
	SKU       string `json:"sku,omitempty"`
	Version   string `json:"version,omitempty"`
}

func exactly(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return refuse("its body is not the one meant for it")
	}
	again, err := json.Marshal(into)
	if err != nil || !bytes.Equal(again, body) {
		return refuse("its body says more than, or not what, is meant for it")
	}
	return nil
}

func idsBody(body []byte) error {
	var b instancesJSON
	if err := exactly(body, &b); err != nil {
		return err
	}
	return checkIDs(b.InstanceIDs)
}

func reimageBody(body []byte) error {
	var b reimageJSON
	if err := exactly(body, &b); err != nil {
		return err
	}
	return checkIDs(b.InstanceIDs)
}

func modelBody(body []byte) error {
	var b modelJSON
	if err := exactly(body, &b); err != nil {
		return err
	}
	return b.check()
}

func (m modelJSON) check() error {
	switch {
	case (m.SKU == nil) == (m.Properties == nil):
	case m.SKU != nil && patterns["size"].MatchString(m.SKU.Name):
		return nil
	case m.SKU != nil:
		return refuse("%q cannot be a VM size", clip(m.SKU.Name, 80))
	default:
		return m.Properties.Profile.Storage.check()
	}
	return refuse("its body does not set one thing in the model")
}

func (s storageJSON) check() error {
	switch {
	case (s.Image == nil) == (s.Disk == nil):
		return refuse("its body does not name one image")
	case s.Image != nil:
		return s.Image.check()
	case upgrade.Image{URI: s.Disk.Image.URI}.Kind() != upgrade.KindVHD:
		return refuse("its image is not the address of a VHD")
	}
	return nil
}

func (i imageJSON) check() error {
	platform := imageJSON{Publisher: i.Publisher, Offer: i.Offer, SKU: i.SKU, Version: i.Version}
	switch {
	case i == platform:
		return i.checkPlatform()
	case i == imageJSON{ID: i.ID} && matchesAny(i.ID, imageIDs),
		i == imageJSON{Community: i.Community} && matchesAny(i.Community, communityIDs),
		i == imageJSON{Shared: i.Shared} && matchesAny(i.Shared, sharedIDs):
		return nil
	}
	return refuse("its image reference is not one image's names or id")
}

func (i imageJSON) checkPlatform() error {
	for name, value := range map[string]string{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU, "version": i.Version} {
		if !patterns[name].MatchString(value) {
			return refuse("its image reference has %q for a %s", clip(value, 80), name)
		}
	}
	return nil
}

var (
	imageIDs     = []string{managedImages + "/{image}", oneGallery, oneGallery + "/versions/{version}"}
	communityIDs = []string{"/CommunityGalleries/{gallery}/Images/{image}", "/CommunityGalleries/{gallery}/Images/{image}/Versions/{version}"}
	sharedIDs    = []string{"/SharedGalleries/{gallery}/Images/{image}", "/SharedGalleries/{gallery}/Images/{image}/Versions/{version}"}
)

func matchesAny(id string, templates []string) bool {
	for _, t := range templates {
		if _, ok := match(t, id); ok {
			return true
		}
	}
	return false
}

// modelFor says how the model must be told of a setting.
func modelFor(s upgrade.Setting) (m modelJSON) {
	if s.Size != "" {
		m.SKU = &skuJSON{s.Size}
	}
	if s.Image == (upgrade.Image{}) {
		return m
	}
	m.Properties = &propertiesJSON{}
	storage := &m.Properties.Profile.Storage
	if s.URI != "" {
		storage.Disk = &diskJSON{}
		storage.Disk.Image.URI = s.URI
		return m
	}
	i := imageFor(s.Image)
	storage.Image = &i
	return m
}

func imageFor(i upgrade.Image) imageJSON {
	switch {
	case i.Platform():
		return imageJSON{Publisher: i.Publisher, Offer: i.Offer, SKU: i.SKU, Version: i.Version}
	case matchesAny(i.ID, communityIDs):
		return imageJSON{Community: i.ID}
	case matchesAny(i.ID, sharedIDs):
		return imageJSON{Shared: i.ID}
	}
	return imageJSON{ID: i.ID}
}
