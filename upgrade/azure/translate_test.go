package azure

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// sample returns the body of the 200 answer in an official sample.
func sample(t *testing.T, name string) json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Responses map[string]struct {
			Body json.RawMessage `json:"body"`
		} `json:"responses"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Responses["200"].Body
}

func decode[T any](t *testing.T, raw []byte) *T {
	t.Helper()
	v := new(T)
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// listed is an instance of a Uniform set as its entry in the list is translated.
func listed(t *testing.T, doc string, source bool) upgrade.Instance {
	t.Helper()
	return decode[listedVM](t, []byte(doc)).instance(upgrade.ScaleSet{Mode: upgrade.Uniform, HealthSource: source})
}

func TestTheOfficialSetSampleIsUnderstood(t *testing.T) {
	raw := sample(t, "VirtualMachineScaleSet_Get_WithDiskControllerType.json")
	s := scaleSet(decode[armcompute.VirtualMachineScaleSet](t, raw), raw)
	if s.Name != "myVirtualMachineScaleSet" || s.ResourceGroup != "myResourceGroup" || s.Capacity != 4 || s.Provisioning != upgrade.Succeeded ||
		s.UpgradeMode != upgrade.Automatic || s.Mode != upgrade.Uniform || s.AutoOSUpgrade || s.HealthSource || s.Owner != "" {
		t.Errorf("set %+v", s)
	}
	if want := (upgrade.Image{Publisher: "azuredatabricks", Offer: "databricks", SKU: "databricksworker", Version: "3.15.2"}); s.Model.Image != want {
		t.Errorf("image %+v", s.Model.Image)
	}
	for _, section := range []upgrade.Section{upgrade.SectionOSProfile, upgrade.SectionNetwork, upgrade.SectionOther} {
		if len(s.Model.Sections[section]) != 64 {
			t.Errorf("section %s: %q", section, s.Model.Sections[section])
		}
	}
	for _, section := range []upgrade.Section{upgrade.SectionIdentity, upgrade.SectionExtensions} {
		if _, there := s.Model.Sections[section]; there {
			t.Errorf("section %s is not in the sample", section)
		}
	}
}

func TestTheOfficialInstanceSamplesAreUnderstood(t *testing.T) {
	page := decode[page[*listedVM]](t, sample(t, "VirtualMachineScaleSetVM_List_WithResiliencyView.json"))
	view := decode[instanceView](t, sample(t, "VirtualMachineScaleSetVM_Get_InstanceViewAutoPlacedOnDedicatedHostGroup.json"))
	if len(page.Value) != 2 {
		t.Fatalf("%d instances", len(page.Value))
	}
	without := page.Value[0].instance(upgrade.ScaleSet{HealthSource: true})
	if without.UpdateDomain != -1 || without.FaultDomain != -1 || without.Power != "" || without.Health != upgrade.UnknownState || without.Available() {
		t.Errorf("without an instance view nothing is known: %+v", without)
	}
	page.Value[0].Properties.View = *view
	i := page.Value[0].instance(upgrade.ScaleSet{})
	if i.ID != "1" || i.UpdateDomain != 0 || i.FaultDomain != 0 || i.Power != upgrade.Running || i.Health != upgrade.NoHealth || i.Message != "" || i.Code != "" || i.Image.Exact == "" {
		t.Errorf("instance %+v", i)
	}
	roll := decode[armcompute.RollingUpgradeStatusInfo](t, sample(t, "VirtualMachineScaleSetRollingUpgrade_GetLatest_MaximumSet_Gen.json"))
	if *roll.Properties.RunningStatus.Code != armcompute.RollingUpgradeStatusCodeRollingForward {
		t.Errorf("rolling status %v", *roll.Properties.RunningStatus.Code)
	}
}

// vmRow is an instance with one thing to look at.
type vmRow struct {
	name   string
	doc    string // a VM document
	source bool   // the set has a health source
	check  func(upgrade.Instance) bool
}

func view(inner string) string {
	return `{"instanceId":"3","properties":{"instanceView":{` + inner + `}}}`
}

func TestWhatAnInstanceSaysOfItself(t *testing.T) {
	rows := []vmRow{
		{"nothing at all", `{"instanceId":"3"}`, true, func(i upgrade.Instance) bool {
			return i.ID == "3" && i.UpdateDomain == -1 && i.Health == upgrade.UnknownState && !i.Available()
		}},
		{"nulls everywhere", `{"instanceId":"3","zones":null,"properties":{"storageProfile":null,"protectionPolicy":null,"latestModelApplied":null,"instanceView":{"statuses":[null,{"code":null}],"extensions":[null,{"statuses":null}],"vmHealth":{"status":null},"platformUpdateDomain":null}}}`, false, func(i upgrade.Instance) bool {
			return i.UpdateDomain == -1 && i.Provisioning == "" && i.Health == upgrade.NoHealth && !i.Available()
		}},
		{"its zone", `{"instanceId":"3","zones":["2"]}`, false, func(i upgrade.Instance) bool { return i.Zone == "2" }},
		{"what cannot be a zone is none: it would become the name of a gate", `{"instanceId":"3","zones":["1/2> <!channel>"]}`, false, func(i upgrade.Instance) bool { return i.Zone == "" }},
		{"domain 0 is a domain", view(`"platformUpdateDomain":0,"platformFaultDomain":0,"placementGroupId":"g"`), false, func(i upgrade.Instance) bool {
			return i.UpdateDomain == 0 && i.FaultDomain == 0 && i.Placement == "g"
		}},
		{"the size is that of its sku", `{"instanceId":"3","sku":{"name":"Standard_D2s_v5","tier":"Standard"},"properties":{"hardwareProfile":{}}}`, false, func(i upgrade.Instance) bool { return i.Size == "Standard_D2s_v5" }},
		{"or of its hardware", `{"name":"a","properties":{"hardwareProfile":{"vmSize":"Standard_D2s_v5"}}}`, false, func(i upgrade.Instance) bool { return i.Size == "Standard_D2s_v5" }},
		{"a machine that may be evicted", `{"name":"a","properties":{"priority":"spot"}}`, false, func(i upgrade.Instance) bool { return i.Spot }},
		{"as it was called once", `{"name":"a","properties":{"priority":"Low"}}`, false, func(i upgrade.Instance) bool { return i.Spot }},
		{"a machine that may not", `{"name":"a","properties":{"priority":"Regular"}}`, false, func(i upgrade.Instance) bool { return !i.Spot }},
		{"a disk that is a copy of a VHD", `{"instanceId":"3","properties":{"storageProfile":{"imageReference":null,"osDisk":{"image":{"uri":"https://store.blob.core.windows.net/v/a.vhd?sv=1&sig=x"}}}}}`, false, func(i upgrade.Instance) bool {
			return i.Image == upgrade.Image{URI: "https://store.blob.core.windows.net/v/a.vhd"} && i.Image.Kind() == upgrade.KindVHD
		}},
		{"an image counts for more than a VHD", `{"instanceId":"3","properties":{"storageProfile":{"imageReference":{"publisher":"p"},"osDisk":{"image":{"uri":"https://store.blob.core.windows.net/v/a.vhd"}}}}}`, false, func(i upgrade.Instance) bool { return i.Image.Platform() }},
		{"a Flexible VM is known by its name", `{"id":"/subscriptions/s/x/virtualMachines/web_1a2b","properties":{}}`, false, func(i upgrade.Instance) bool { return i.ID == "web_1a2b" }},
		{"codes in any case", view(`"statuses":[{"code":"provisioningstate/SUCCEEDED"},{"code":"powerState/Running"}]`), false, func(i upgrade.Instance) bool { return i.Available() }},
		{"a failure with its reason in the code", view(`"statuses":[{"code":"ProvisioningState/failed/VMExtensionHandlerNonTransientError","level":"Error","message":"The handler failed."}]`), false, func(i upgrade.Instance) bool {
			return i.Provisioning == upgrade.Failed && i.Message == "VMExtensionHandlerNonTransientError: The handler failed." && i.Code == "VMExtensionHandlerNonTransientError"
		}},
		{"a failure told as JSON is read", view(`"statuses":[{"code":"ProvisioningState/failed/Outer","message":"{\"error\":{\"code\":\"Inner\",\"message\":\"the truth\"}}"}]`), false, func(i upgrade.Instance) bool {
			return i.Code == "Inner" && i.Message == "Inner: the truth"
		}},
		{"an exit status is no code", view(`"statuses":[{"code":"ProvisioningState/failed/VMExtensionProvisioningError"}],"extensions":[{"name":"setup","statuses":[{"code":"ProvisioningState/failed/51","message":"exit status 51"}]}]`), false, func(i upgrade.Instance) bool {
			return i.Code == "VMExtensionProvisioningError" && i.Message == "extension setup: exit status 51"
		}},
		{"since when it is provisioned so", view(`"statuses":[{"code":"PowerState/running","time":"2026-11-23T08:00:00+00:00"},{"code":"ProvisioningState/succeeded","time":"2026-11-23T09:00:00+00:00"}]`), false, func(i upgrade.Instance) bool {
			return i.ProvisionAt.Equal(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
		}},
		{"not told since when", view(`"statuses":[{"code":"ProvisioningState/succeeded"}]`), false, func(i upgrade.Instance) bool { return i.ProvisionAt.IsZero() }},
		{"an extension's words are the innermost", view(`"statuses":[{"code":"ProvisioningState/failed/X","message":"outer"}],"extensions":[{"name":"fine","statuses":[{"code":"ProvisioningState/succeeded","message":"ok"}]},{"name":"setup","statuses":[{"code":"ProvisioningState/failed/1","level":"Error","message":"exit status 1, https://s.example/x?sig=secret"}]}]`), false, func(i upgrade.Instance) bool {
			return i.Message == "extension setup: exit status 1, https://s.example/x?…"
		}},
		{"a failure without words shows its code", view(`"statuses":[{"code":"ProvisioningState/failed"}]`), false, func(i upgrade.Instance) bool { return i.Message == "ProvisioningState/failed" }},
		{"moving in the properties outweighs settled in the view", `{"instanceId":"3","properties":{"provisioningState":"Updating","instanceView":{"statuses":[{"code":"ProvisioningState/succeeded"}]}}}`, false, func(i upgrade.Instance) bool { return i.Provisioning == upgrade.Updating }},
		{"moving in the view outweighs settled in the properties", `{"instanceId":"3","properties":{"provisioningState":"Succeeded","instanceView":{"statuses":[{"code":"ProvisioningState/updating"}]}}}`, false, func(i upgrade.Instance) bool { return i.Provisioning == upgrade.Updating }},
		{"failed outweighs succeeded", `{"instanceId":"3","properties":{"provisioningState":"Failed","instanceView":{"statuses":[{"code":"ProvisioningState/succeeded"}]}}}`, false, func(i upgrade.Instance) bool { return i.Provisioning == upgrade.Failed }},
		{"a state we do not know is neither ready nor settled", view(`"statuses":[{"code":"ProvisioningState/pondering"},{"code":"PowerState/running"}]`), false, func(i upgrade.Instance) bool { return !i.Available() && i.Provisioning.Moving() }},
		{"a power we do not know is not running", view(`"statuses":[{"code":"ProvisioningState/succeeded"},{"code":"PowerState/hovering"}]`), false, func(i upgrade.Instance) bool { return !i.Available() }},
		{"the agent's status is not the instance's", view(`"vmAgent":{"statuses":[{"code":"ProvisioningState/Unavailable","level":"Warning"}]},"statuses":[{"code":"ProvisioningState/succeeded"}]`), false, func(i upgrade.Instance) bool { return i.Provisioning == upgrade.Succeeded && i.Message == "" }},
		{"healthy, and since when", view(`"vmHealth":{"status":{"code":"HealthState/healthy","time":"2026-11-23T09:00:00.1234567+00:00"}}`), true, func(i upgrade.Instance) bool {
			return i.Health == upgrade.Healthy && i.HealthAt.Truncate(time.Second).Equal(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
		}},
		{"healthy in another spelling", view(`"vmHealth":{"status":{"code":"Healthy"}}`), true, func(i upgrade.Instance) bool { return i.Health == upgrade.Healthy }},
		{"unhealthy, with words", view(`"vmHealth":{"status":{"code":"HealthState/unhealthy","displayStatus":"The VM is reporting itself as unhealthy"}}`), true, func(i upgrade.Instance) bool {
			return i.Health == upgrade.Unhealthy && strings.Contains(i.Message, "unhealthy")
		}},
		{"a health we do not know is unknown", view(`"vmHealth":{"status":{"code":"HealthState/fine"}}`), true, func(i upgrade.Instance) bool { return i.Health == upgrade.UnknownState }},
		{"no health of a set with a source is unknown", view(`"statuses":[]`), true, func(i upgrade.Instance) bool { return i.Health == upgrade.UnknownState }},
		{"protected from the set's actions", `{"instanceId":"3","properties":{"protectionPolicy":{"protectFromScaleSetActions":true}}}`, false, func(i upgrade.Instance) bool { return i.Protected }},
		{"protected from scale-in only is not", `{"instanceId":"3","properties":{"protectionPolicy":{"protectFromScaleIn":true}}}`, false, func(i upgrade.Instance) bool { return !i.Protected }},
		{"a gallery image", `{"instanceId":"3","properties":{"storageProfile":{"imageReference":{"id":"/subscriptions/s/galleries/g/images/i","exactVersion":"1.2.3"}}}}`, false, func(i upgrade.Instance) bool {
			return !i.Image.Platform() && i.Image.Exact == "1.2.3" && strings.HasSuffix(i.Image.ID, "/images/i")
		}},
		{"a community image", `{"instanceId":"3","properties":{"storageProfile":{"imageReference":{"communityGalleryImageId":"/CommunityGalleries/g/Images/i"}}}}`, false, func(i upgrade.Instance) bool { return strings.HasPrefix(i.Image.ID, "/CommunityGalleries") }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if i := listed(t, row.doc, row.source); !row.check(i) {
				t.Errorf("instance %+v", i)
			}
		})
	}
}

func TestWhatASetSaysOfItself(t *testing.T) {
	set := func(more, properties string) string {
		return `{"id":"/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/virtualMachineScaleSets/s"` + more + `,"properties":{` + properties + `}}`
	}
	rows := []struct {
		name, doc string
		check     func(upgrade.ScaleSet) bool
	}{
		{"no properties", `{"id":"/x"}`, func(s upgrade.ScaleSet) bool { return s.UpgradeMode == "" && s.Etag == "" }},
		{"a model has no exact version", set("", `"virtualMachineProfile":{"storageProfile":{"imageReference":{"publisher":"p","offer":"o","sku":"s","version":"latest","exactVersion":"1.2.3"}}}`), func(s upgrade.ScaleSet) bool {
			return s.Model.Image == upgrade.Image{Publisher: "p", Offer: "o", SKU: "s", Version: "latest"}
		}},
		{"no mode is not Manual", set("", ""), func(s upgrade.ScaleSet) bool { return s.UpgradeMode != upgrade.Manual && s.Mode == upgrade.Uniform }},
		{"a mode we do not know stays as it is", set("", `"orchestrationMode":"Loose","upgradePolicy":{"mode":"Sometimes"}`), func(s upgrade.ScaleSet) bool { return s.Mode == "Loose" && s.UpgradeMode == "Sometimes" }},
		{"words in another case", set("", `"orchestrationMode":"flexible","upgradePolicy":{"mode":"manual"}`), func(s upgrade.ScaleSet) bool { return s.Mode == upgrade.Flexible && s.UpgradeMode == upgrade.Manual }},
		{"a probe is a health source", set("", `"virtualMachineProfile":{"networkProfile":{"healthProbe":{"id":"/p"}}}`), func(s upgrade.ScaleSet) bool { return s.HealthSource }},
		{"the extension is a health source", set("", `"virtualMachineProfile":{"extensionProfile":{"extensions":[null,{"properties":{"type":"ApplicationHealthWindows"}}]}}`), func(s upgrade.ScaleSet) bool { return s.HealthSource }},
		{"another extension is none", set("", `"virtualMachineProfile":{"extensionProfile":{"extensions":[{"properties":{"type":"CustomScript"}}]}}`), func(s upgrade.ScaleSet) bool { return !s.HealthSource }},
		{"repairs", set("", `"automaticRepairsPolicy":{"enabled":true}`), func(s upgrade.ScaleSet) bool { return s.AutoRepairs }},
		{"the image notice", set("", `"virtualMachineProfile":{"scheduledEventsProfile":{"osImageNotificationProfile":{"enable":true}}}`), func(s upgrade.ScaleSet) bool { return s.ImageNotice }},
		{"an ephemeral disk", set("", `"virtualMachineProfile":{"storageProfile":{"osDisk":{"diffDiskSettings":{"option":"Local"}}}}`), func(s upgrade.ScaleSet) bool { return s.EphemeralOS }},
		{"its size", set(`,"sku":{"name":"Standard_D2s_v5","capacity":3}`, ""), func(s upgrade.ScaleSet) bool { return s.Model.Size == "Standard_D2s_v5" && s.Capacity == 3 }},
		{"a mix of sizes is none", set(`,"sku":{"name":"Mix","capacity":3}`, `"skuProfile":{"vmSizes":[{"name":"Standard_D2s_v5"}]}`), func(s upgrade.ScaleSet) bool { return s.Model.Size == "" && s.Capacity == 3 }},
		{"its zones", set(`,"zones":["1",null,"","<!channel>","3"]`, ""), func(s upgrade.ScaleSet) bool { return strings.Join(s.Zones, " ") == "1 3" }},
		{"Spot", set("", `"virtualMachineProfile":{"priority":"Spot"}`), func(s upgrade.ScaleSet) bool { return s.Spot }},
		{"not Spot", set("", `"virtualMachineProfile":{"priority":"Regular"}`), func(s upgrade.ScaleSet) bool { return !s.Spot }},
		{"a VHD", set("", `"virtualMachineProfile":{"storageProfile":{"osDisk":{"image":{"uri":"https://store.blob.core.windows.net/v/a.vhd"},"vhdContainers":["https://s.blob.core.windows.net/v"]}}}`), func(s upgrade.ScaleSet) bool {
			return s.Model.Image == upgrade.Image{URI: "https://store.blob.core.windows.net/v/a.vhd"}
		}},
		{"a Flexible set without a profile", set(`,"sku":null`, `"orchestrationMode":"Flexible","virtualMachineProfile":null`), func(s upgrade.ScaleSet) bool {
			return s.Mode == upgrade.Flexible && s.Model.Image == upgrade.Image{} && s.Model.Size == "" && !s.Spot
		}},
		{"tags of AKS", set(`,"tags":{"aks-managed-poolName":"p"}`, ""), func(s upgrade.ScaleSet) bool { return s.Owner == "AKS" }},
		{"a group of AKS", strings.Replace(set("", ""), "/RG/", "/MC_a_b_c/", 1), func(s upgrade.ScaleSet) bool { return s.Owner == "AKS" }},
		{"managed by AKS", set(`,"managedBy":"/subscriptions/s/providers/Microsoft.ContainerService/managedClusters/c"`, ""), func(s upgrade.ScaleSet) bool { return s.Owner == "AKS" }},
		{"managed by something else", set(`,"managedBy":"/subscriptions/s/providers/Microsoft.Databricks/workspaces/w"`, ""), func(s upgrade.ScaleSet) bool { return s.Owner == "w" }},
		{"nobody's", set(`,"tags":{"owner":"aks-managed-not"}`, ""), func(s upgrade.ScaleSet) bool { return s.Owner == "" }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if s := scaleSet(decode[armcompute.VirtualMachineScaleSet](t, []byte(row.doc)), []byte(row.doc)); !row.check(s) {
				t.Errorf("set %+v", s)
			}
		})
	}
}

// Flexible sets are in no domains, whatever a view says; what the set says of itself holds for those
// instances that say nothing themselves.
func TestAnInstanceIsWhatItsSetMakesOfIt(t *testing.T) {
	v := decode[listedVM](t, []byte(view(`"platformUpdateDomain":2,"platformFaultDomain":1,"placementGroupId":"g"`)))
	if i := v.instance(upgrade.ScaleSet{Mode: upgrade.Flexible}); i.UpdateDomain != -1 || i.FaultDomain != -1 || i.Placement != "" {
		t.Errorf("of a Flexible set: %+v", i)
	}
	if i := v.instance(upgrade.ScaleSet{Mode: upgrade.Uniform, Spot: true}); !i.Spot || i.UpdateDomain != 2 || i.FaultDomain != 1 {
		t.Errorf("of a Uniform Spot set: %+v", i)
	}
	regular := decode[listedVM](t, []byte(`{"name":"a","properties":{"priority":"Regular"}}`))
	if i := regular.instance(upgrade.ScaleSet{Mode: upgrade.Flexible, Spot: true}); i.Spot {
		t.Errorf("of a mixed set: %+v", i)
	}
}
