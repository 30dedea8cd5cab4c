package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Apply sends one write, once, with op.ID as x-ms-client-request-id: manualupgrade or reimage of
// exactly op.Instances, or what op.To sets in the model, with If-Match. The whole of it, the token's fetching
// included, takes no longer than a call's deadline. What the SDK thinks of the answer is not
// asked: accepted is what Azure answered with 2xx and in whole.
func (a *Azure) Apply(ctx context.Context, op upgrade.Operation) (upgrade.Receipt, error) {
	what := describe(op)
	f := &flight{write: true, id: op.ID, since: a.now()}
	ctx, cancel := f.begin(ctx)
	defer cancel()
	err := a.send(ctx, f, op)
	if !f.accepted() {
		return upgrade.Receipt{}, f.fault(what, err, a.now())
	}
	return upgrade.Receipt{
		Token:       a.newToken(f).String(),
		Correlation: correlation(f.header),
		Azure:       date(f.header),
		Again:       retryAfter(f.header, a.now()),
	}, nil
}

func describe(op upgrade.Operation) string {
	set := target{set: op.Set.Name()}
	if op.Kind.OnInstances() {
		return fmt.Sprintf("%s: %s %s", set, op.Kind, upgrade.Instances(op.Instances))
	}
	return fmt.Sprintf("%s: put %s into the model", set, op.To)
}

func (a *Azure) send(ctx context.Context, f *flight, op upgrade.Operation) (err error) {
	if f.set, err = a.target(op.Set); err != nil {
		return err
	}
	if !requestID.MatchString(op.ID) {
		return refuse("%q cannot be an operation's id", clip(op.ID, 80))
	}
	switch op.Kind {
	case upgrade.OpUpgrade:
		return a.sendUpgrade(ctx, f.set, op.Instances)
	case upgrade.OpReimage:
		return a.sendReimage(ctx, f.set, op.Instances, op.Ephemeral)
	case upgrade.OpModel, upgrade.OpRevert:
		return a.sendModel(ctx, f.set, modelFor(op.To), op.IfMatch)
	}
	return refuse("%q is not a kind of write", clip(string(op.Kind), 40))
}

func (a *Azure) sendUpgrade(ctx context.Context, t target, ids []string) error {
	if err := checkIDs(ids); err != nil {
		return err
	}
	body := armcompute.VirtualMachineScaleSetVMInstanceRequiredIDs{InstanceIDs: pointers(ids)}
	_, err := a.sets.BeginUpdateInstances(ctx, t.group, t.set, body, nil)
	return err
}

// sendReimage gives instances a fresh OS disk from the model they have. A list that is missing or
// empty would mean all of them (azure-cli#6388). An ephemeral disk goes back to the image it was born
// with unless it is forced (azure-cli#28670).
func (a *Azure) sendReimage(ctx context.Context, t target, ids []string, ephemeral bool) error {
	if err := checkIDs(ids); err != nil {
		return err
	}
	input := &armcompute.VirtualMachineScaleSetReimageParameters{InstanceIDs: pointers(ids)}
	if ephemeral {
		input.ForceUpdateOSDiskForEphemeral = &ephemeral
	}
	_, err := a.sets.BeginReimage(ctx, t.group, t.set, &armcompute.VirtualMachineScaleSetsClientBeginReimageOptions{VMScaleSetReimageInput: input})
	return err
}

func pointers(ids []string) []*string {
	out := make([]*string, len(ids))
	for n := range ids {
		out[n] = &ids[n]
	}
	return out
}

// sendModel changes one thing in the model and nothing else: a PUT of the whole set would need rights
// on everything it refers to, and a word about the OS disk, even an unchanged one, marks instances
// with ephemeral disks as outdated (azure-sdk-for-java#32223). That a sku without a capacity leaves the
// capacity alone is assumed of PATCH, which leaves alone what it does not name.
func (a *Azure) sendModel(ctx context.Context, t target, m modelJSON, etag string) error {
	if err := m.check(); err != nil {
		return err
	}
	if err := checkEtag(etag); err != nil {
		return err
	}
	_, err := a.sets.BeginUpdate(ctx, t.group, t.set, m.update(), &armcompute.VirtualMachineScaleSetsClientBeginUpdateOptions{IfMatch: &etag})
	return err
}

// update is the same as the SDK has it.
func (m modelJSON) update() (u armcompute.VirtualMachineScaleSetUpdate) {
	if m.SKU != nil {
		u.SKU = &armcompute.SKU{Name: &m.SKU.Name}
		return u
	}
	storage := &armcompute.VirtualMachineScaleSetUpdateStorageProfile{}
	u.Properties = &armcompute.VirtualMachineScaleSetUpdateProperties{
		VirtualMachineProfile: &armcompute.VirtualMachineScaleSetUpdateVMProfile{StorageProfile: storage},
	}
	switch s := m.Properties.Profile.Storage; {
	case s.Image != nil:
		storage.ImageReference = s.Image.reference()
	default:
		storage.OSDisk = &armcompute.VirtualMachineScaleSetUpdateOSDisk{Image: &armcompute.VirtualHardDisk{URI: &s.Disk.Image.URI}}
	}
	return u
}

func (i imageJSON) reference() *armcompute.ImageReference {
	some := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return &armcompute.ImageReference{
		Publisher: some(i.Publisher), Offer: some(i.Offer), SKU: some(i.SKU), Version: some(i.Version),
		ID: some(i.ID), CommunityGalleryImageID: some(i.Community), SharedGalleryImageID: some(i.Shared),
	}
}

// accepted: 2xx is Azure's yes, unless the answer is not one of Azure's, such as the 200 of a proxy's
// login page: Azure's are JSON, or empty and numbered.
func (f *flight) accepted() bool {
	switch f.status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
	default:
		return false
	}
	if len(f.body) == 0 {
		return f.status == http.StatusAccepted || f.header.Get("x-ms-request-id") != ""
	}
	return json.Valid(f.body)
}
