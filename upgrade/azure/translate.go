package azure

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// summary translates what a list says of a set. Azure leaves orchestrationMode out for sets older
// than the mode: those are Uniform.
func summary(v *armcompute.VirtualMachineScaleSet) upgrade.SetSummary {
	id := str(v.ID)
	s := upgrade.SetSummary{
		ID: upgrade.NewSetID(id), Name: id[strings.LastIndexByte(id, '/')+1:], ResourceGroup: groupOf(id),
		Location: str(v.Location), Mode: upgrade.Uniform,
	}
	if v.SKU != nil && v.SKU.Capacity != nil {
		s.Capacity = int(*v.SKU.Capacity)
	}
	p := v.Properties
	if p == nil {
		return s
	}
	if p.OrchestrationMode != nil {
		s.Mode = spelt(str(p.OrchestrationMode), upgrade.Uniform, upgrade.Flexible)
	}
	if p.UpgradePolicy != nil {
		s.UpgradeMode = spelt(str(p.UpgradePolicy.Mode), upgrade.Manual, upgrade.Automatic, upgrade.Rolling)
	}
	s.Provisioning = upgrade.Provisioning(strings.ToLower(str(p.ProvisioningState)))
	s.Image = modelImage(p.VirtualMachineProfile)
	return s
}

// scaleSet translates a set without its instances. raw is the same document as it came.
func scaleSet(v *armcompute.VirtualMachineScaleSet, raw []byte) upgrade.ScaleSet {
	sum, parts := summary(v), sections(raw)
	s := upgrade.ScaleSet{
		ID: sum.ID, Name: sum.Name, ResourceGroup: sum.ResourceGroup, Location: sum.Location,
		Mode: sum.Mode, UpgradeMode: sum.UpgradeMode, Provisioning: sum.Provisioning, Capacity: sum.Capacity,
		Model: upgrade.Model{Image: sum.Image, Size: size(v.SKU), Sections: digests(parts), Leaves: leaves(parts)},
		Owner: owner(v, raw), Etag: str(v.Etag),
	}
	for _, z := range v.Zones {
		if patterns["zone"].MatchString(str(z)) {
			s.Zones = append(s.Zones, *z)
		}
	}
	p := v.Properties
	if p == nil {
		return s
	}
	s.Unique = str(p.UniqueID)
	s.AutoRepairs = p.AutomaticRepairsPolicy != nil && is(p.AutomaticRepairsPolicy.Enabled)
	s.AutoOSUpgrade = p.UpgradePolicy != nil && p.UpgradePolicy.AutomaticOSUpgradePolicy != nil &&
		is(p.UpgradePolicy.AutomaticOSUpgradePolicy.EnableAutomaticOSUpgrade)
	if m := p.VirtualMachineProfile; m != nil {
		s.HealthSource = healthSource(m)
		s.EphemeralOS = ephemeral(m.StorageProfile)
		s.Spot = spot(str(m.Priority))
		s.ImageNotice = m.ScheduledEventsProfile != nil && m.ScheduledEventsProfile.OSImageNotificationProfile != nil &&
			is(m.ScheduledEventsProfile.OSImageNotificationProfile.Enable)
	}
	return s
}

// size is the VM size in the model. Flexible sets may be a mix of several sizes, which Azure calls Mix:
// then the model tells none.
func size(sku *armcompute.SKU) string {
	if sku == nil || strings.EqualFold(str(sku.Name), "Mix") {
		return ""
	}
	return str(sku.Name)
}

// healthSource: a load balancer probe, or the application health extension.
func healthSource(m *armcompute.VirtualMachineScaleSetVMProfile) bool {
	if m.NetworkProfile != nil && m.NetworkProfile.HealthProbe != nil && str(m.NetworkProfile.HealthProbe.ID) != "" {
		return true
	}
	if m.ExtensionProfile == nil {
		return false
	}
	for _, e := range m.ExtensionProfile.Extensions {
		if e != nil && e.Properties != nil && strings.HasPrefix(strings.ToLower(str(e.Properties.Type)), "applicationhealth") {
			return true
		}
	}
	return false
}

func ephemeral(p *armcompute.VirtualMachineScaleSetStorageProfile) bool {
	return p != nil && p.OSDisk != nil && p.OSDisk.DiffDiskSettings != nil &&
		strings.EqualFold(str(p.OSDisk.DiffDiskSettings.Option), "Local")
}

// owner names the service that manages a set, "" for none. Nothing documented marks the sets of a
// Kubernetes service for good, so each of its known traces counts: tags, the group's name, and
// managedBy, which also tells other owners.
func owner(v *armcompute.VirtualMachineScaleSet, raw []byte) string {
	for tag := range v.Tags {
		if strings.HasPrefix(strings.ToLower(tag), "aks-managed-") {
			return "AKS"
		}
	}
	by := strings.ToLower(managedBy(raw))
	if strings.HasPrefix(strings.ToUpper(groupOf(str(v.ID))), "MC_") || strings.Contains(by, "microsoft.containerservice") {
		return "AKS"
	}
	return clip(by[strings.LastIndexByte(by, '/')+1:], 80)
}

// groupOf returns the resource group in an id, as spelt there.
func groupOf(id string) string {
	parts := strings.Split(id, "/")
	for i := 0; i+1 < len(parts); i++ {
		if strings.EqualFold(parts[i], "resourceGroups") {
			return parts[i+1]
		}
	}
	return ""
}
