package azure

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/vmssbot/vmssbot/upgrade"
)

// patterns say how the names in paths look. They are narrower than what the SDK accepts: it escapes
// "/", "?" and "#" but not dots, so that a set named ".." would address its parent. No pattern
// here matches "." or "..", or anything that needs escaping but the parentheses of a group.
var patterns = map[string]*regexp.Regexp{
	"subscription": regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`),
	"group":        regexp.MustCompile(`^[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]$`),
	"set":          regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?$`),
	"location":     regexp.MustCompile(`^[A-Za-z0-9]{1,40}$`),
	"publisher":    regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?$`),
	"offer":        regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?$`),
	"sku":          regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?$`),
	"version":      regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$`),
	"operation":    regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,127}$`),
	"gallery":      regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$`),
	"image":        regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$`),
}

// instanceID: a number on Uniform sets, the VM's name on Flexible ones. Never "*", which Azure
// would take for all.
var instanceID = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$`)

// requestID becomes a header; the journal's operation ids fit it.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// maxInstances is the most a scale set can hold.
const maxInstances = 1000

func checkIDs(ids []string) error {
	if len(ids) == 0 {
		return refuse("no instance is named: Azure would take that for all of them")
	}
	if len(ids) > maxInstances {
		return refuse("%d instances are named, a set has at most %d", len(ids), maxInstances)
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !instanceID.MatchString(id) || seen[id] {
			return refuse("%q cannot be an instance id here", clip(id, 40))
		}
		seen[id] = true
	}
	return nil
}

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

type modelJSON struct {
	Properties struct {
		Profile struct {
			Storage struct {
				Image imageJSON `json:"imageReference"`
			} `json:"storageProfile"`
		} `json:"virtualMachineProfile"`
	} `json:"properties"`
}

// imageJSON is an image reference as the model gets it; exactly one member is set. For a platform
// image that is the version: publisher, offer and sku stay as they are in the model.
type imageJSON struct {
	Community string `json:"communityGalleryImageId,omitempty"`
	ID        string `json:"id,omitempty"`
	Shared    string `json:"sharedGalleryImageId,omitempty"`
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

func imageBody(body []byte) error {
	var b modelJSON
	if err := exactly(body, &b); err != nil {
		return err
	}
	return b.Properties.Profile.Storage.Image.check()
}

func (i imageJSON) check() error {
	set := 0
	for _, s := range []string{i.Community, i.ID, i.Shared, i.Version} {
		if s != "" {
			set++
		}
	}
	switch {
	case set != 1:
		return refuse("its body does not name one image")
	case i.Version != "" && patterns["version"].MatchString(i.Version):
		return nil
	case i.ID != "" && matchesAny(i.ID, imageIDs):
		return nil
	case i.Community != "" && matchesAny(i.Community, communityIDs):
		return nil
	case i.Shared != "" && matchesAny(i.Shared, sharedIDs):
		return nil
	}
	return refuse("its image reference is not a version or the id of an image")
}

var (
	imageIDs = []string{
		groupScope + "/providers/Microsoft.Compute/images/{image}",
		groupScope + "/providers/Microsoft.Compute/galleries/{gallery}/images/{image}",
		groupScope + "/providers/Microsoft.Compute/galleries/{gallery}/images/{image}/versions/{version}",
	}
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

// imageFor says how the model must name an image.
func imageFor(i upgrade.Image) imageJSON {
	switch {
	case i.Platform():
		return imageJSON{Version: i.Version}
	case matchesAny(i.ID, communityIDs):
		return imageJSON{Community: i.ID}
	case matchesAny(i.ID, sharedIDs):
		return imageJSON{Shared: i.ID}
	}
	return imageJSON{ID: i.ID}
}
