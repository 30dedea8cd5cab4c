package azure

import (
	"cmp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime/datetime"

	"github.com/vmssbot/vmssbot/upgrade"
)

// listedVM is one VM as the two lists show it, of a Uniform set and of the virtual machines that make
// up a Flexible one, with nothing in it but what is read. What Azure leaves out, and what is null, is the
// zero value.
type listedVM struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	InstanceID string   `json:"instanceId"` // virtual machines have none
	Zones      []string `json:"zones"`
	SKU        struct {
		Name string `json:"name"`
	} `json:"sku"` // of Uniform sets only; virtual machines have a hardware profile
	Properties struct {
		State    string `json:"provisioningState"`
		Latest   *bool  `json:"latestModelApplied"` // nil = not told; of a Flexible set only in its own list
		Priority string `json:"priority"`           // of virtual machines only
		Set      struct {
			ID string `json:"id"`
		} `json:"virtualMachineScaleSet"` // of virtual machines only
		Hardware struct {
			Size string `json:"vmSize"`
		} `json:"hardwareProfile"`
		Protection struct { // of a Flexible set only in its own list
			Actions bool `json:"protectFromScaleSetActions"`
		} `json:"protectionPolicy"`
		Storage storageProfile `json:"storageProfile"`
		View    instanceView   `json:"instanceView"`
	} `json:"properties"`
}

type storageProfile struct {
	Image imageReference `json:"imageReference"`
	Disk  struct {
		Image struct {
			URI string `json:"uri"`
		} `json:"image"`
	} `json:"osDisk"`
}

type imageReference struct {
	Publisher string `json:"publisher"`
	Offer     string `json:"offer"`
	SKU       string `json:"sku"`
	Version   string `json:"version"`
	Exact     string `json:"exactVersion"`
	ID        string `json:"id"`
	Shared    string `json:"sharedGalleryImageId"`
	Community string `json:"communityGalleryImageId"`
}

// instanceView is the same for VMs of both kinds, but that those of Flexible sets are in no domain.
type instanceView struct {
	UpdateDomain *int         `json:"platformUpdateDomain"`
	FaultDomain  *int         `json:"platformFaultDomain"`
	Placement    string       `json:"placementGroupId"`
	Statuses     []viewStatus `json:"statuses"`
	Health       struct {
		Status viewStatus `json:"status"`
	} `json:"vmHealth"`
	Agent struct {
		Statuses []viewStatus `json:"statuses"`
		Handlers []struct {
			Type   string     `json:"type"`
			Status viewStatus `json:"status"`
		} `json:"extensionHandlers"`
	} `json:"vmAgent"`
	Extensions []struct {
		Name        string       `json:"name"`
		Statuses    []viewStatus `json:"statuses"`
		Substatuses []viewStatus `json:"substatuses"`
	} `json:"extensions"`
}

// viewStatus is one status of an instance view; the zero value is none.
type viewStatus struct {
	Code    string            `json:"code"`
	Level   string            `json:"level"`
	Display string            `json:"displayStatus"`
	Message string            `json:"message"`
	Time    *datetime.RFC3339 `json:"time"` // the SDK's reading of Azure's times
}

// at is when the status began, the zero time if it does not say.
func (s viewStatus) at() time.Time {
	if s.Time == nil {
		return time.Time{}
	}
	return time.Time(*s.Time)
}

// id is what manualupgrade wants: the instance id, or on Flexible sets the VM's name. "" when the entry
// names nothing.
func (v *listedVM) id() string {
	last := v.ID[strings.LastIndexByte(v.ID, '/')+1:]
	if v.InstanceID == "" && v.Properties.Set.ID != "" {
		return cmp.Or(v.Name, last)
	}
	return cmp.Or(v.InstanceID, last, v.Name)
}

// instance translates one VM of the set.
func (v *listedVM) instance(s upgrade.ScaleSet) upgrade.Instance {
	p := &v.Properties
	parts := p.View.parts()
	i := upgrade.Instance{
		ID: v.id(), UpdateDomain: -1, FaultDomain: -1, Size: cmp.Or(v.SKU.Name, p.Hardware.Size), Image: p.Storage.image(),
		Spot: spot(p.Priority) || p.Priority == "" && s.Spot, Protected: p.Protection.Actions,
		Provisioning: v.provisioning(), Power: upgrade.Power(state(p.View.Statuses, "powerstate")),
		Health: p.View.health(s.HealthSource), HealthAt: p.View.Health.Status.at(),
		Evidence: evidence(parts), ProvisionAt: p.View.provisionedAt(),
	}
	if len(v.Zones) > 0 && patterns["zone"].MatchString(v.Zones[0]) { // it becomes the name of a gate
		i.Zone = v.Zones[0]
	}
	i.Code, i.Message = trouble(parts)
	if s.Mode != upgrade.Flexible {
		i.UpdateDomain, i.FaultDomain, i.Placement = domain(p.View.UpdateDomain), domain(p.View.FaultDomain), p.View.Placement
	}
	i.LatestModel = v.latest(i, s)
	return i
}

// domain: deallocated instances are in none, which is not domain 0.
func domain(told *int) int {
	if told == nil {
		return -1
	}
	return *told
}

// join adds to a virtual machine what only the set tells of it. nil = the set does not list it, or not yet.
func (v *listedVM) join(member *listedVM) {
	if member != nil {
		v.Properties.Latest, v.Properties.Protection = member.Properties.Latest, member.Properties.Protection
	}
}

// latest reports whether the instance has the set's model, as Azure tells. Whether it does so of Flexible
// sets is not documented: where it does not, those with the model's image and size are taken to have the
// model, and a change of anything else is not seen. An instance that is taken for older than it is costs a
// manualupgrade that does nothing; one that is taken for newer is, at the image and size that people asked
// for, where they see it.
func (v *listedVM) latest(i upgrade.Instance, s upgrade.ScaleSet) bool {
	switch told := v.Properties.Latest; {
	case told != nil:
		return *told
	case s.Mode != upgrade.Flexible, s.Model.Size != "" && !strings.EqualFold(s.Model.Size, i.Size):
		return false
	case s.Model.Image.Follows():
		return s.Model.Image.Family() == i.Image.Family()
	}
	return i.Image.Same(s.Model.Image)
}

// spot: Low is what Azure called it first.
func spot(priority string) bool {
	return strings.EqualFold(priority, "Spot") || strings.EqualFold(priority, "Low")
}
