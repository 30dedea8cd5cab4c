package azure

import (
	"cmp"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Config is what an [Azure] needs to know. Subscription and Credential are required.
type Config struct {
	Subscription   string
	ResourceGroups []string // nothing outside of these is touched; empty = the whole subscription
	Cloud          Cloud    // "" = Public
	// Endpoint is another address of Resource Manager, "" = the cloud's own. Other than the cloud's
	// own it may only be this machine (a loopback host, plain http allowed), and then only with
	// [LocalCredential].
	Endpoint   string
	Credential azcore.TokenCredential
	Transport  policy.Transporter // nil = an HTTP client of our own
	Now        func() time.Time   // nil = time.Now
	UserAgent  string             // put in front of the SDK's own; Azure reads the first 24 characters
}

// Azure is one subscription. All its methods may be called concurrently.
type Azure struct {
	guard  *guard
	sets   *armcompute.VirtualMachineScaleSetsClient
	rolls  *armcompute.VirtualMachineScaleSetRollingUpgradesClient
	images *armcompute.VirtualMachineImagesClient
	raw    *arm.Client // for operation URLs, which the SDK polls in its own way only, and for lists that are decoded here
	now    func() time.Time
}

var (
	_ upgrade.Fleet     = (*Azure)(nil)
	_ upgrade.Catalogue = (*Azure)(nil)
)

// module is what the SDK's telemetry calls us.
const module, moduleVersion = "vmssbot/azure", "v1.0.0"

// New builds an Azure and sends nothing. It refuses, in a sentence, a subscription or resource
// group that cannot be one, and every pair of endpoint and credential that could let a real
// credential leave Azure.
func New(c Config) (*Azure, error) {
	if !patterns["subscription"].MatchString(c.Subscription) {
		return nil, fmt.Errorf("azure: subscription %q is not a subscription id", c.Subscription)
	}
	for _, g := range c.ResourceGroups {
		if !patterns["group"].MatchString(g) {
			return nil, fmt.Errorf("azure: resource group %q cannot be one", g)
		}
	}
	base, conf, err := endpoint(c.Cloud, c.Endpoint, c.Credential)
	if err != nil {
		return nil, fmt.Errorf("azure: %w", err)
	}
	a := &Azure{now: c.Now}
	if a.now == nil {
		a.now = time.Now
	}
	a.guard = &guard{base: base, subscription: c.Subscription, groups: c.ResourceGroups, next: withoutRedirects(c.Transport), now: a.now}
	o := &arm.ClientOptions{
		ClientOptions: policy.ClientOptions{
			Cloud:     conf,
			Transport: a.guard,
			// A write that is sent again by the SDK (it repeats even POST on 503) would be a second
			// start; reads are repeated by the engine, which looks again anyway.
			Retry:     policy.RetryOptions{MaxRetries: -1},
			Telemetry: policy.TelemetryOptions{ApplicationID: c.UserAgent},
			// endpoint has made sure that this is loopback and a credential that is no secret.
			InsecureAllowCredentialWithHTTP: base.Scheme == "http",
		},
		DisableRPRegistration: true, // it would need a right to register providers, and send writes of its own
	}
	if err := a.connect(c, o); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Azure) connect(c Config, o *arm.ClientOptions) error {
	f, err := armcompute.NewClientFactory(c.Subscription, c.Credential, o)
	if err != nil {
		return fmt.Errorf("azure: %w", err)
	}
	a.sets = f.NewVirtualMachineScaleSetsClient()
	a.rolls = f.NewVirtualMachineScaleSetRollingUpgradesClient()
	a.images = f.NewVirtualMachineImagesClient()
	if a.raw, err = arm.NewClient(module, moduleVersion, c.Credential, o); err != nil {
		return fmt.Errorf("azure: %w", err)
	}
	return nil
}

// target is a scale set as paths name it.
type target struct{ group, set string }

func (t target) String() string { return "scale set " + cmp.Or(t.set, "?") }

// target reads a set id that comes from the journal or from people. Everything that is not exactly
// a scale set's id in our subscription and groups is refused before it comes near a URL (R47).
func (a *Azure) target(id upgrade.SetID) (target, error) {
	params, ok := match(oneSet, string(id))
	if !ok {
		return target{}, refuse("%q is not the id of a scale set", clip(string(id), 200))
	}
	t := target{params["group"], params["set"]}
	return t, a.guard.inScope(params)
}
