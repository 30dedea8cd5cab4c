package azuresim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Gallery is an Azure Compute Gallery.
type Gallery struct {
	Name          string         `json:"name"`
	ResourceGroup string         `json:"resourceGroup"`
	Location      string         `json:"location,omitempty"`     // default: that of the fleet
	Subscription  string         `json:"subscription,omitempty"` // of its owner, a UUID; default: that of the fleet
	Community     string         `json:"community,omitempty"`    // public name, where everybody may use its images
	Shared        string         `json:"shared,omitempty"`       // unique name, where it is shared with this tenant
	Images        []GalleryImage `json:"images"`
}

// GalleryImage is an image definition of a gallery.
type GalleryImage struct {
	Name      string           `json:"name"`
	Publisher string           `json:"publisher,omitempty"` // its identifier; default: made from the names
	Offer     string           `json:"offer,omitempty"`
	SKU       string           `json:"sku,omitempty"`
	OS        string           `json:"os,omitempty"` // Linux (default) or Windows
	Versions  []GalleryVersion `json:"versions"`
}

// GalleryVersion is one version of a GalleryImage. One past its end of life can be used like any
// other: the date is advice (shared image galleries page).
type GalleryVersion struct {
	Version           string    `json:"version"`
	PublishedDate     time.Time `json:"publishedDate,omitzero"`
	EndOfLifeDate     time.Time `json:"endOfLifeDate,omitzero"`
	ExcludeFromLatest bool      `json:"excludeFromLatest,omitempty"` // an id without a version never means this one
	TargetRegions     []string  `json:"targetRegions,omitempty"`     // where it is replicated to; default: the gallery's location
	ProvisioningState string    `json:"provisioningState,omitempty"` // Succeeded (default), Creating, Updating, Failed or Deleting
}

// ManagedImage is an image resource of its own, without versions.
type ManagedImage struct {
	Name              string `json:"name"`
	ResourceGroup     string `json:"resourceGroup"`
	Location          string `json:"location,omitempty"`          // default: that of the fleet
	OS                string `json:"os,omitempty"`                // Linux (default) or Windows
	ProvisioningState string `json:"provisioningState,omitempty"` // Succeeded (default), Creating, Updating, Failed or Deleting
}

func (g Gallery) withDefaults(f Fleet) Gallery {
	g.Location = cmp.Or(g.Location, f.Location)
	g.Subscription = cmp.Or(g.Subscription, f.Subscription)
	images := make([]GalleryImage, len(g.Images))
	for n, i := range g.Images {
		i.OS = cmp.Or(i.OS, "Linux")
		i.Publisher, i.Offer, i.SKU = cmp.Or(i.Publisher, g.Name), cmp.Or(i.Offer, i.Name), cmp.Or(i.SKU, "default")
		i.Versions = slices.Clone(i.Versions)
		for k, v := range i.Versions {
			v.ProvisioningState = cmp.Or(v.ProvisioningState, "Succeeded")
			if len(v.TargetRegions) == 0 {
				v.TargetRegions = []string{g.Location}
			}
			i.Versions[k] = v
		}
		images[n] = i
	}
	g.Images = images
	return g
}

func (m ManagedImage) withDefaults(f Fleet) ManagedImage {
	m.Location, m.OS = cmp.Or(m.Location, f.Location), cmp.Or(m.OS, "Linux")
	m.ProvisioningState = cmp.Or(m.ProvisioningState, "Succeeded")
	return m
}

// checkImages reports what is wrong with galleries and managed images, by path.
func (f Fleet) checkImages() error {
	seen := map[string]bool{}
	for n, g := range f.Galleries {
		if err := g.check(seen); err != nil {
			return fmt.Errorf("fleet galleries[%d] %s: %w", n, g.Name, err)
		}
	}
	for n, m := range f.ManagedImages {
		if err := m.check(seen); err != nil {
			return fmt.Errorf("fleet managedImages[%d] %s: %w", n, m.Name, err)
		}
	}
	return nil
}

func (g Gallery) check(seen map[string]bool) error {
	switch {
	case !uuidForm.MatchString(g.Subscription):
		return fmt.Errorf("subscription: %q is not a UUID", g.Subscription)
	case !groupForm.MatchString(g.ResourceGroup):
		return fmt.Errorf("resourceGroup: %q cannot name a resource group", g.ResourceGroup)
	}
	names := []string{"galleries/" + g.Subscription + "/" + g.ResourceGroup + "/" + g.Name}
	if g.Community != "" {
		names = append(names, "community "+g.Community)
	}
	if g.Shared != "" {
		names = append(names, "shared "+g.Shared)
	}
	if err := once(seen, g.Name, names...); err != nil {
		return err
	}
	for n, i := range g.Images {
		if err := i.check(); err != nil {
			return fmt.Errorf("images[%d] %s: %w", n, i.Name, err)
		}
	}
	return nil
}

func (i GalleryImage) check() error {
	if err := oneOf("os", i.OS, "Linux", "Windows"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for n, v := range i.Versions {
		path := fmt.Sprintf("versions[%d]", n)
		if err := once(seen, v.Version, v.Version); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := provisioning(v.ProvisioningState); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func (m ManagedImage) check(seen map[string]bool) error {
	if !groupForm.MatchString(m.ResourceGroup) {
		return fmt.Errorf("resourceGroup: %q cannot name a resource group", m.ResourceGroup)
	}
	if err := once(seen, m.Name, "images/"+m.ResourceGroup+"/"+m.Name); err != nil {
		return err
	}
	if err := oneOf("os", m.OS, "Linux", "Windows"); err != nil {
		return err
	}
	return provisioning(m.ProvisioningState)
}

func provisioning(state string) error {
	return oneOf("provisioningState", state, "Succeeded", "Creating", "Updating", "Failed", "Deleting")
}

// once refuses a name that cannot name anything, and keys that were seen before, in any case.
func once(seen map[string]bool, name string, keys ...string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("name: %q is no name", name)
	}
	for _, key := range keys {
		if key = strings.ToLower(key); seen[key] {
			return fmt.Errorf("%s is there twice", key)
		}
		seen[strings.ToLower(key)] = true
	}
	return nil
}
