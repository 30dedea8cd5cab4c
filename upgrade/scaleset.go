package upgrade

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SetID is a scale set's Azure resource id in lower case: Azure compares ids without case, so
// two spellings must never be two sets. The zero value names no set.
type SetID string

// NewSetID lower-cases a resource id.
func NewSetID(resourceID string) SetID { return SetID(strings.ToLower(resourceID)) }

// Name returns the last segment of the id.
func (id SetID) Name() string { return string(id[strings.LastIndexByte(string(id), '/')+1:]) }

// ResourceGroup returns the segment after "resourcegroups", "" when there is none.
func (id SetID) ResourceGroup() string { return id.after("resourcegroups") }

// Subscription returns the segment after "subscriptions", "" when there is none.
func (id SetID) Subscription() string { return id.after("subscriptions") }

func (id SetID) after(key string) string {
	parts := strings.Split(string(id), "/")
	if i := slices.Index(parts, key); i >= 0 && i+1 < len(parts) {
		return parts[i+1]
	}
	return ""
}

// Mode is a scale set's orchestration mode.
type Mode string

const (
	Uniform  Mode = "Uniform"
	Flexible Mode = "Flexible"
)

// UpgradeMode is the set's own upgrade policy: only Manual leaves instances alone when the model
// changes.
type UpgradeMode string

const (
	Manual    UpgradeMode = "Manual"
	Automatic UpgradeMode = "Automatic"
	Rolling   UpgradeMode = "Rolling"
)

// ScaleSet is one complete reading of a set and all its instances. A value of this type is whole:
// a listing that broke in the middle never becomes one (R46).
type ScaleSet struct {
	ID            SetID
	Name          string // as Azure spells it
	ResourceGroup string // as Azure spells it
	Location      string
	Mode          Mode
	UpgradeMode   UpgradeMode
	AutoOSUpgrade bool   // automaticOSUpgradePolicy.enableAutomaticOSUpgrade
	Rolling       bool   // a native rolling upgrade is running
	Owner         string // "AKS" when a service owns the set, else ""
	Provisioning  Provisioning
	Model         Model
	Etag          string
	Unique        string // Azure's uniqueId: another one means another set under the same name; "" = not told
	Capacity      int
	HealthSource  bool // an application health extension or load balancer probe is configured
	AutoRepairs   bool
	ImageNotice   bool // osImageNotificationProfile: each instance may wait 15 minutes
	EphemeralOS   bool
	Spot          bool       // its instances may be evicted at any time
	Zones         []string   // availability zones the set spreads over; none = a regional set
	SeenAt        time.Time  // when the listing was complete
	Instances     []Instance // sorted by id
}

// Model is the goal state new instances are born with, as far as a rollout depends on it.
type Model struct {
	Image    Image
	Size     string             // of the VMs, such as Standard_D2s_v5; "" = not told
	Sections map[Section]string // a digest of each section's JSON; absent = the section is absent
	// Leaves has a digest of every single setting in the sections, by its path, such as
	// "networkProfile.healthProbe.id": it tells people what was changed, and never a value.
	Leaves map[string]string
}

// Section names a part of the model that is compared as a whole.
type Section string

const (
	SectionOSProfile  Section = "osProfile"
	SectionNetwork    Section = "networkProfile"
	SectionIdentity   Section = "identity"
	SectionExtensions Section = "extensionProfile"
	SectionOther      Section = "other settings"
)

// Stops reports whether a change of the section after the plan stops the rollout (R34). Other
// sections are acknowledged on the next card.
func (s Section) Stops() bool {
	return s == SectionOSProfile || s == SectionNetwork || s == SectionIdentity
}

// Provisioning is the last segment of a ProvisioningState/… code, lower case.
type Provisioning string

const (
	Succeeded Provisioning = "succeeded"
	Updating  Provisioning = "updating"
	Creating  Provisioning = "creating"
	Deleting  Provisioning = "deleting"
	Failed    Provisioning = "failed"
)

// Moving reports whether Azure is still at work on the resource.
func (p Provisioning) Moving() bool {
	return p != Succeeded && p != Failed && p != "canceled" && p != ""
}

// Power is the last segment of a PowerState/… code, lower case; "" is unknown.
type Power string

const (
	Running     Power = "running"
	Starting    Power = "starting"
	Stopping    Power = "stopping"
	Stopped     Power = "stopped"
	Deallocated Power = "deallocated"
)

// Health is what the set's own health source says of an instance; "" = no source is configured.
type Health string

const (
	NoHealth     Health = ""
	Healthy      Health = "healthy"
	Unhealthy    Health = "unhealthy"
	Initializing Health = "initializing"
	UnknownState Health = "unknown"
)

// Instance is one VM of a set as last listed.
type Instance struct {
	ID           string // "0" on Uniform sets, the VM's name on Flexible ones
	UpdateDomain int    // -1 = not known (deallocated, or a Flexible set)
	FaultDomain  int    // -1 = not known
	Zone         string
	Placement    string // placement group id; update and fault domains count within one
	Size         string // of the VM; "" = not told
	Image        Image
	LatestModel  bool // latestModelApplied
	Spot         bool // Azure may evict it
	Protected    bool // protectFromScaleSetActions: the set's upgrades pass it by
	Provisioning Provisioning
	Power        Power
	Health       Health
	HealthAt     time.Time // when the health last changed; zero = not told
	Message      string    // Azure's innermost words on what is wrong, "" when nothing is
	Code         string    // Azure's innermost code for it, "" if it gave none: see [Sentence]
	Evidence     []string  // every status that says more than "succeeded", as Azure says it; for people who look into a failure
	ProvisionAt  time.Time // when the provisioning state last changed; zero = not told
}

// Available reports whether the instance serves: provisioned, running and not known to be ill.
// A health that is configured but not "healthy" counts as ill (Azure treats unknown so, too).
func (i Instance) Available() bool {
	return i.Provisioning == Succeeded && i.Power == Running && (i.Health == NoHealth || i.Health == Healthy)
}

// Doubtful reports whether nothing tells if the instance serves: it is provisioned and runs, as far as Azure says, and
// its health source says nothing. It may well serve.
func (i Instance) Doubtful() bool {
	return !i.Available() && i.Provisioning == Succeeded && (i.Power == Running || i.Power == "") && i.Health != Unhealthy
}

// spare is how many instances like this one may be taken down at once, when no more than so many may be out of service
// (R27). One that is down costs nothing. One of which nothing is told counts as down when another is to be taken, and
// as serving when it is the one.
func (s ScaleSet) spare(i Instance, most int) int {
	switch {
	case i.Available():
		return most - s.Unavailable()
	case i.Doubtful():
		return most - s.Down()
	}
	return len(s.Instances)
}

// Instance returns the instance with that id.
func (s ScaleSet) Instance(id string) (Instance, bool) {
	i, found := slices.BinarySearchFunc(s.Instances, id, func(x Instance, id string) int { return CompareIDs(x.ID, id) })
	if !found {
		return Instance{}, false
	}
	return s.Instances[i], true
}

// Unavailable counts the instances that do not serve.
func (s ScaleSet) Unavailable() int {
	n := 0
	for _, i := range s.Instances {
		if !i.Available() {
			n++
		}
	}
	return n
}

// Down counts the instances of which it is told that they do not serve.
func (s ScaleSet) Down() int {
	n := 0
	for _, i := range s.Instances {
		if !i.Available() && !i.Doubtful() {
			n++
		}
	}
	return n
}

// outOfService names the instances that count as such, for people.
func (s ScaleSet) outOfService() string {
	what, ids := "out of service already", []string(nil)
	for _, i := range s.Instances {
		if !i.Available() {
			ids = append(ids, i.ID)
		}
		if i.Doubtful() {
			what = "out of service already, or not known to serve"
		}
	}
	return what + ": " + Instances(ids)
}

// CompareIDs orders instance ids as people count: 2 before 10, names after numbers.
func CompareIDs(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}
