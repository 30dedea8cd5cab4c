package upgrade

import (
	"context"
	"time"
)

// Fence is called right before every request to Azure; when it fails nothing may be sent. The
// engine's fence prolongs the pass's lease (R18); readers outside of a pass give [Free].
type Fence func(context.Context) error

// Free is the fence of readers that hold no lease.
func Free(context.Context) error { return nil }

// Fleet is Azure as the engine needs it. All errors are or wrap a [*Fault].
type Fleet interface {
	// Observe reads the set and all its instances, or fails: never a part (R46). A set that does
	// not exist is a Fault of kind FaultGone.
	Observe(ctx context.Context, set SetID, fence Fence) (ScaleSet, error)
	// Apply sends one write, once. A Fault of any kind but FaultUnknown means that nothing
	// happened; FaultUnknown means that nobody knows.
	Apply(ctx context.Context, op Operation) (Receipt, error)
	// Poll asks Azure about an accepted operation. A Fault says nothing about the operation. An
	// operation Azure has forgotten (404) is done, judged by its instances.
	Poll(ctx context.Context, token string) (OpReading, error)
	// Wait says how long to leave a set alone before it is observed again: at least so long, and longer
	// while Azure allows fewer calls than that many observations take, or all sets together run low.
	Wait(set SetID, observations int, least time.Duration) time.Duration
}

// Receipt is Azure's acceptance of a write.
type Receipt struct {
	Token       string    // for Poll; "" when the write was over at once. Secret: URLs in it may be signed
	Correlation string    // ARM's correlation id
	Azure       time.Time // Azure's clock (the Date header); zero if it told none
	Again       time.Duration
}

// Catalogue is what can be rolled out, and to what.
type Catalogue interface {
	// Sets lists every scale set in reach, without instances.
	Sets(ctx context.Context) ([]SetSummary, error)
	// Versions lists the versions of an image that a region knows, newest first; of a managed image
	// the images of its resource group, by name. The argument's version is ignored.
	Versions(ctx context.Context, location string, family Image) ([]ImageVersion, error)
	// Version looks one image up, as a set in that region would use it. An unknown one is a Fault of kind
	// FaultRefused with Azure's words. A VHD is not looked up: its storage account is nobody's business here.
	Version(ctx context.Context, location string, image Image) (ImageVersion, error)
	// Sizes lists the VM sizes that Azure offers to a set.
	Sizes(ctx context.Context, set SetID) ([]Size, error)
	// Autoscale tells whether something scales the set by itself.
	Autoscale(ctx context.Context, set SetID) (Autoscale, error)
}

// Size is a VM size that a set may be given.
type Size struct {
	Name     string
	Min, Max int // instances the set may have with it
}

// Autoscale is the autoscale setting of a set; the zero value is none.
type Autoscale struct {
	On       bool
	Name     string
	Min, Max int // over all its profiles
}

// SetSummary is a scale set as listed.
type SetSummary struct {
	ID            SetID
	Name          string
	ResourceGroup string
	Location      string
	Mode          Mode
	UpgradeMode   UpgradeMode
	Image         Image
	Capacity      int
	Provisioning  Provisioning
}

// ImageVersion is one version of an image and whether it may still be used.
type ImageVersion struct {
	Image      Image
	Published  time.Time // zero = not told; see [Dated]
	Deprecated bool      // or scheduled for it, or past its end of life
	Excluded   bool      // from what "latest" means
	Unusable   string    // why sets of the region cannot run it, "" if they can
	Note       string    // Azure's words on the deprecation, "" if there are none
}
