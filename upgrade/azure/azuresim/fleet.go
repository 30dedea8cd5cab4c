package azuresim

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Fleet is what exists when a Sim starts.
type Fleet struct {
	Subscription     string   `json:"subscription"`               // a UUID
	SubscriptionName string   `json:"subscriptionName,omitempty"` // shown by subscription lists
	Tenant           string   `json:"tenant,omitempty"`           // a UUID
	Location         string   `json:"location,omitempty"`         // of sets that name none; default westeurope
	ResourceGroups   []string `json:"resourceGroups,omitempty"`   // besides those of the sets
	PageSize         int      `json:"pageSize,omitempty"`         // items on a list page; default 50
	Throttle         bool     `json:"throttle,omitempty"`         // as in Options
	Images           []Image  `json:"images"`
	Sets             []Set    `json:"sets"`

	Galleries     []Gallery      `json:"galleries,omitempty"`
	ManagedImages []ManagedImage `json:"managedImages,omitempty"`
	Sizes         []Size         `json:"sizes,omitempty"`  // besides the usual ones
	Quotas        []Quota        `json:"quotas,omitempty"` // what none names is as good as unlimited

	Faults []Fault `json:"faults,omitempty"` // let loose at the start and at every reset

	now func() time.Time // by which images come out; nil = all are out
}

// Image is one SKU of the platform image catalogue, offered in every location.
type Image struct {
	Publisher string    `json:"publisher"`
	Offer     string    `json:"offer"`
	SKU       string    `json:"sku"`
	OS        string    `json:"os,omitempty"` // Linux (default) or Windows
	Versions  []Version `json:"versions"`     // oldest first

	// UpgradesFrom are the images, as publisher:offer or publisher:offer:sku, from which a set may
	// change to this one although publisher or offer differ.
	UpgradesFrom []string `json:"upgradesFrom,omitempty"`
}

// Version is one version of an Image.
type Version struct {
	Version     string    `json:"version"`
	State       string    `json:"state,omitempty"`       // Active (default), ScheduledForDeprecation or Deprecated
	Deprecated  time.Time `json:"deprecated,omitzero"`   // when it is or was deprecated
	Alternative string    `json:"alternative,omitempty"` // the version Azure suggests instead
	Published   time.Time `json:"published,omitzero"`    // when it comes out: before that nobody knows it
}

// ImageRef names the image of a set: a platform image (publisher, offer, sku, version; version may
// be "latest"), or the id of a gallery image, with or without a version, of a shared or community
// gallery's (/SharedGalleries/…, /CommunityGalleries/…) or of a managed image, or else the URI of a VHD.
type ImageRef struct {
	Publisher string `json:"publisher,omitempty"`
	Offer     string `json:"offer,omitempty"`
	SKU       string `json:"sku,omitempty"`
	Version   string `json:"version,omitempty"`
	ID        string `json:"id,omitempty"`
	VHD       string `json:"vhd,omitempty"` // https://….vhd: a legacy set with unmanaged disks
}

// Set is one scale set.
type Set struct {
	Name            string               `json:"name"`
	ResourceGroup   string               `json:"resourceGroup"`
	Orchestration   string               `json:"orchestration,omitempty"` // Uniform (default) or Flexible
	Location        string               `json:"location,omitempty"`
	Zones           []string             `json:"zones,omitempty"`     // instance i is in zone i modulo their number
	Size            string               `json:"size,omitempty"`      // default Standard_D2s_v5
	Ephemeral       bool                 `json:"ephemeral,omitempty"` // its OS disks are ephemeral
	Image           ImageRef             `json:"image"`
	Capacity        int                  `json:"capacity"`
	UpdateDomains   int                  `json:"updateDomains,omitempty"`   // of each placement group; default 5; Flexible sets have none
	FaultDomains    int                  `json:"faultDomains,omitempty"`    // default 5; 1 with zones, of Flexible and of Spot sets
	PlacementGroups int                  `json:"placementGroups,omitempty"` // default 1, with zones one per zone; Flexible sets have none
	UpgradeMode     string               `json:"upgradeMode,omitempty"`     // Manual (default), Automatic or Rolling
	Health          string               `json:"health,omitempty"`          // probe, extension (default) or none
	Priority        string               `json:"priority,omitempty"`        // Regular (default) or Spot
	EvictionPolicy  string               `json:"evictionPolicy,omitempty"`  // of a Spot set: Deallocate (default) or Delete
	Autoscale       *Autoscale           `json:"autoscale,omitempty"`       // its autoscale setting, if it has one
	Protected       []string             `json:"protected,omitempty"`       // numbers of instances with protectFromScaleSetActions
	Exceptions      map[string]Exception `json:"exceptions,omitempty"`      // by the number of the instance, which on Uniform sets is its id
	Duration        Duration             `json:"duration,omitempty"`        // of an upgrade, POST to last instance healthy; default 3m
	Tags            map[string]string    `json:"tags,omitempty"`
	Extra           json.RawMessage      `json:"extra,omitempty"` // merged into the ARM document as it is

	subscription string // of the fleet, for ids of neighbouring resources

	document  document   // of an imported set, in ARM's form
	instances []document // of an imported set, in the order of their ids; none: they are made from the model
}

// Exception is how one instance differs from its set at the start.
type Exception struct {
	Version string `json:"version,omitempty"` // it runs this version of the image
	Power   string `json:"power,omitempty"`   // running (default), stopped or deallocated
	Health  string `json:"health,omitempty"`  // healthy (default), unhealthy, initializing or unknown
	Failed  string `json:"failed,omitempty"`  // provisioning failed with this code
}

// Duration is a time.Duration written as "3m" or "90s" in JSON.
type Duration time.Duration

// UnmarshalJSON reads a Go duration string.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("a duration is a string such as \"90s\", not %s", data)
	}
	v, err := time.ParseDuration(s)
	if err == nil && v < 0 {
		err = fmt.Errorf("duration %s is negative", s)
	}
	*d = Duration(v)
	return err
}

// MarshalJSON writes a Go duration string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

//go:embed fleet.json
var defaultFleet []byte

// DefaultFleet returns the fleet of fleet.json: myvmss and a few believable neighbours.
func DefaultFleet() Fleet {
	f, err := LoadFleet(bytes.NewReader(defaultFleet))
	if err != nil {
		panic(err) // the embedded file is part of the program; a test reads it
	}
	return f
}

// LoadFleet reads a fleet from JSON. Unknown members are refused; an error names the line, or the
// path of what is wrong.
func LoadFleet(r io.Reader) (Fleet, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return Fleet{}, fmt.Errorf("read fleet: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var f Fleet
	if err := dec.Decode(&f); err != nil {
		return Fleet{}, fmt.Errorf("fleet line %d: %w", lineOf(data, err, dec.InputOffset()), err)
	}
	f = f.withDefaults()
	return f, f.check()
}

// lineOf finds the line of a JSON error; offset is how far the decoder came when the error itself
// does not say.
func lineOf(data []byte, err error, offset int64) int {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		// Unknown members carry their name only: the first place it occurs as a member is the line.
		if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
			if i := bytes.Index(data, []byte(name)); i >= 0 {
				offset = int64(i)
			}
		}
	}
	return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n"))
}

func (f Fleet) withDefaults() Fleet {
	f.Location = cmp.Or(f.Location, "westeurope")
	f.SubscriptionName = cmp.Or(f.SubscriptionName, "Simulated subscription")
	f.Tenant = cmp.Or(f.Tenant, guid("tenant", f.Subscription))
	f.PageSize = cmp.Or(f.PageSize, 50)
	sets := make([]Set, len(f.Sets))
	for i, s := range f.Sets {
		sets[i] = s.withDefaults(f.Location)
	}
	f.Sets = sets
	f.Galleries, f.ManagedImages = slices.Clone(f.Galleries), slices.Clone(f.ManagedImages)
	for i, g := range f.Galleries {
		f.Galleries[i] = g.withDefaults(f)
	}
	for i, m := range f.ManagedImages {
		f.ManagedImages[i] = m.withDefaults(f)
	}
	return f
}

func (s Set) withDefaults(location string) Set {
	s.Location = cmp.Or(s.Location, location)
	s.Size = cmp.Or(s.Size, "Standard_D2s_v5")
	s.Orchestration = cmp.Or(s.Orchestration, "Uniform")
	s.UpdateDomains = cmp.Or(s.UpdateDomains, 5)
	s.UpgradeMode = cmp.Or(s.UpgradeMode, "Manual")
	s.Health = cmp.Or(s.Health, "extension")
	s.Duration = cmp.Or(s.Duration, Duration(3*time.Minute))
	if s.flexible() || s.spot() {
		s.FaultDomains = cmp.Or(s.FaultDomains, 1)
	}
	if len(s.Zones) > 0 {
		s.FaultDomains = cmp.Or(s.FaultDomains, 1)
		s.PlacementGroups = cmp.Or(s.PlacementGroups, len(s.Zones))
	}
	s.FaultDomains = cmp.Or(s.FaultDomains, 5)
	s.Autoscale = s.Autoscale.withDefaults(s.Name)
	if s.spot() {
		s.EvictionPolicy = cmp.Or(s.EvictionPolicy, "Deallocate")
	}
	s.PlacementGroups = cmp.Or(s.PlacementGroups, 1)
	return s
}
