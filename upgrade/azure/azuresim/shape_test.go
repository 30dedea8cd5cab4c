package azuresim

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The simulator's answers have the keys of Azure's own examples. What only one side has is listed
// in each row with the reason, so that a key cannot come or go unnoticed.
func TestAnswersHaveTheKeysOfAzuresExamples(t *testing.T) {
	rows := []struct {
		name    string
		sample  string
		ours    func(b *bench) any
		item    bool // the sample's body is a list: compare its first item
		only    []string
		missing []string
	}{
		{
			name: "GET of a set", sample: "VirtualMachineScaleSet_Get_WithDiskControllerType.json",
			ours: func(b *bench) any { return b.get(demoSet).doc },
			only: []string{
				"etag", "properties.uniqueId", "properties.timeCreated", "properties.virtualMachineProfile.timeCreated", // newer API versions
				"properties.orchestrationMode", "properties.zoneBalance", "properties.upgradePolicy.automaticOSUpgradePolicy.disableAutomaticRollback",
				"properties.virtualMachineProfile.extensionProfile",             // the health source
				"properties.virtualMachineProfile.storageProfile.osDisk.osType", // in recordings
				"properties.virtualMachineProfile.osProfile.secrets", "properties.virtualMachineProfile.osProfile.allowExtensionOperations",
				"properties.virtualMachineProfile.osProfile.requireGuestProvisionSignal",
				"properties.virtualMachineProfile.osProfile.linuxConfiguration.provisionVMAgent",
				"properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations.properties",
				"tags.env",
			},
			missing: []string{
				"tags.myTag1", "properties.virtualMachineProfile.applicationProfile", "properties.virtualMachineProfile.userData",
				"properties.virtualMachineProfile.storageProfile.dataDisks", "properties.hostGroup",
				"properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations.properties.networkSecurityGroup",
			},
		},
		{
			name: "an item of the VM list", sample: "VirtualMachineScaleSetVM_List_WithResiliencyView.json", item: true,
			ours: func(b *bench) any { return b.get(demoSet + "/virtualMachines").list()[0] },
			only: []string{"tags"},
			missing: []string{
				"identity", "properties.securityProfile", "properties.diagnosticsProfile", "properties.resilientVMDeletionStatus",
				"properties.storageProfile.dataDisks", "properties.osProfile.linuxConfiguration.patchSettings", "resources",
				"properties.osProfile.linuxConfiguration.enableVMAgentPlatformUpdates",
				"properties.networkProfileConfiguration.networkInterfaceConfigurations.properties.networkSecurityGroup",
			},
		},
		{
			name: "an instance view", sample: "VirtualMachineScaleSetVM_Get_InstanceViewAutoPlacedOnDedicatedHostGroup.json",
			ours: func(b *bench) any { return b.get(demoSet + "/virtualMachines/0/instanceView").doc },
			only: []string{"placementGroupId", "computerName", "hyperVGeneration", "osName", "osVersion", "vmHealth",
				"extensions.name", "extensions.statuses"},
			missing: []string{"rdpThumbPrint", "assignedHost", "bootDiagnostics", "vmAgent.extensionHandlers",
				"disks.encryptionSettings", "disks.statuses.message", "statuses.message"},
		},
		{
			name: "the instance view of a set", sample: "VirtualMachineScaleSet_GetInstanceView_MaximumSet_Gen.json",
			ours:    func(b *bench) any { return b.get(demoSet + "/instanceView").doc },
			missing: []string{"statuses.message"},
		},
		{
			name: "the latest rolling upgrade", sample: "VirtualMachineScaleSetRollingUpgrade_GetLatest_MaximumSet_Gen.json",
			ours: func(b *bench) any {
				set := shop + "rolling"
				b.do(http.MethodPut, set+testVer, rollingSet).want(http.StatusCreated)
				time.Sleep(5 * time.Minute)
				b.patchVersion(set, "22.04.202401170")
				return b.get(set + "/rollingUpgrades/latest").doc
			},
			missing: []string{"tags", "properties.error", "properties.policy.enableCrossZoneUpgrade", "properties.policy.prioritizeUnhealthyInstances",
				"properties.policy.rollbackFailedInstancesOnPolicyBreach", "properties.policy.maxSurge"},
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				sample := sampleBody(t, r.sample)
				if r.item {
					sample = sample.(document)["value"].([]any)[0]
				}
				ours, theirs := keys(r.ours(b)), keys(sample)
				expect(t, "only here", minus(ours, theirs), r.only)
				expect(t, "only in the sample", minus(theirs, ours), r.missing)
			})
		})
	}
}

const rollingSet = `{"location":"westeurope","sku":{"name":"Standard_D2s_v5","capacity":10},"properties":{
  "upgradePolicy":{"mode":"Rolling","rollingUpgradePolicy":{"maxBatchInstancePercent":20,"maxUnhealthyInstancePercent":20,
    "maxUnhealthyUpgradedInstancePercent":20,"pauseTimeBetweenBatches":"PT0S"}},
  "virtualMachineProfile":{"storageProfile":{"imageReference":{"publisher":"Canonical","offer":"0001-com-ubuntu-server-jammy",
    "sku":"22_04-lts-gen2","version":"22.04.202310190"}},
    "networkProfile":{"healthProbe":{"id":"/subscriptions/x/probe"}}}}}`

func sampleBody(t *testing.T, name string) any {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := decodeDocument(data)
	if err != nil {
		t.Fatal(err)
	}
	return dig(d, "responses", "200")["body"]
}

// keys are the paths of all members, those inside lists merged.
func keys(v any) []string {
	found := map[string]bool{}
	var visit func(prefix string, v any)
	visit = func(prefix string, v any) {
		switch v := v.(type) {
		case document:
			for k, inner := range v {
				found[strings.TrimPrefix(prefix+"."+k, ".")] = true
				visit(prefix+"."+k, inner)
			}
		case []any:
			for _, inner := range v {
				visit(prefix, inner)
			}
		}
	}
	visit("", v)
	return sortedKeys(found)
}

func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(k string) bool { return slices.Contains(b, k) })
}

// expect fails on a difference that no reason covers and on a reason that covers nothing. A reason
// covers its path and everything below.
func expect(t *testing.T, what string, differences, reasons []string) {
	t.Helper()
	used := map[string]bool{}
	for _, d := range differences {
		n := slices.IndexFunc(reasons, func(r string) bool { return d == r || strings.HasPrefix(d, r+".") })
		if n < 0 {
			t.Errorf("%s: %s", what, d)
			continue
		}
		used[reasons[n]] = true
	}
	for _, r := range reasons {
		if !used[r] {
			t.Errorf("%s: %s is excused but not there", what, r)
		}
	}
}
