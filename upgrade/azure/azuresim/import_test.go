package azuresim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

const realSub = "3d9f0c52-8a41-4b1e-9d37-6f2a1c0b7e85"

func azFile(t *testing.T, name string) Source {
	t.Helper()
	data, err := os.ReadFile("testdata/az/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return Source{Name: name, Data: data}
}

func importAll(t *testing.T, sources ...Source) (Fleet, []string) {
	t.Helper()
	f, notes, err := ImportFleet(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return f, notes
}

func TestAnImportSaysWhatItInvented(t *testing.T) {
	f, notes := importAll(t, azFile(t, "web-instances.json"), azFile(t, "vmss-list.json"))
	want := []string{
		"jobs is left out: it is a Flexible set, whose machines these files do not hold",
		"pay was Updating when it was listed: here it is Succeeded",
		"pay: no file holds its instances, 4 are invented from its capacity",
		"web: its capacity is 7, the files hold 6 instances: here it has these",
		"Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:22.04.202401171 is invented, to have something newer to roll out: Azure does not know it",
		"version 2.4.1 of image pay-base in gallery corp is invented, to have something newer to roll out: Azure does not know it",
	}
	if !slices.Equal(notes, want) {
		t.Errorf("notes\n%s", strings.Join(notes, "\n"))
	}
	if len(f.Sets) != 2 || f.Subscription != realSub || len(f.Images) != 1 || len(f.Images[0].Versions) != 3 || len(f.Galleries) != 1 ||
		len(f.Sizes) != 1 || f.Sizes[0].Name != "Standard_D4ads_v6" || f.Sizes[0].Cores != 4 {
		t.Errorf("fleet %+v", f)
	}
}

// The documents in the files, read by the SDK as ARM's, are what the SDK reads from the simulator.
func TestAnImportedSetIsServedAsItWas(t *testing.T) {
	f, _ := importAll(t, azFile(t, "vmss-list.json"), azFile(t, "web-instances.json"))
	inBubble(t, Options{Fleet: f, PageSize: 4}, func(t *testing.T, b *bench) {
		clients := factoryOf(t, realSub, "http://arm.local", b.web)
		got, err := clients.NewVirtualMachineScaleSetsClient().Get(t.Context(), "rg-web", "web", nil)
		if err != nil {
			t.Fatal(err)
		}
		p := got.Properties
		if *got.Etag != `"14"` || *got.SKU.Name != "Standard_D4ads_v6" || *got.SKU.Capacity != 6 || len(got.Zones) != 2 || *p.ProvisioningState != "Failed" ||
			*p.UniqueID != "0f6f6f7a-3a86-4a7b-8a56-3c2d1f0e9b11" || !p.TimeCreated.Equal(time.Date(2024, 2, 5, 20, 11, 32, 572215700, time.UTC)) ||
			*p.UpgradePolicy.Mode != armcompute.UpgradeModeManual || *p.UpgradePolicy.AutomaticOSUpgradePolicy.EnableAutomaticOSUpgrade || !*p.AutomaticRepairsPolicy.Enabled {
			t.Errorf("set %+v", p)
		}
		profile := p.VirtualMachineProfile
		image, nic := profile.StorageProfile.ImageReference, profile.NetworkProfile.NetworkInterfaceConfigurations[0]
		if *image.Version != "22.04.202401170" || *profile.StorageProfile.OSDisk.DiskSizeGB != 30 || *profile.OSProfile.LinuxConfiguration.ProvisionVMAgent != true ||
			*nic.Properties.IPConfigurations[0].Properties.Subnet.ID != "/subscriptions/"+realSub+"/resourceGroups/rg-web/providers/Microsoft.Network/virtualNetworks/vnet-web/subnets/default" ||
			*profile.ExtensionProfile.Extensions[0].Properties.Type != "ApplicationHealthLinux" || *got.Tags["resourceGroup"] != "kept as it is" {
			t.Errorf("profile %+v", profile)
		}
		vms := allOf(t, clients.NewVirtualMachineScaleSetVMsClient().NewListPager("rg-web", "web", &armcompute.VirtualMachineScaleSetVMsClientListOptions{Expand: to.Ptr("instanceView")}),
			func(p armcompute.VirtualMachineScaleSetVMsClientListResponse) []*armcompute.VirtualMachineScaleSetVM {
				return p.Value
			})
		var lines []string
		for _, vm := range vms {
			lines = append(lines, summaryOf(vm))
		}
		want := []string{
			"0 zone 1 ud 0 22.04.202401170 latest ProvisioningState/succeeded PowerState/running HealthState/healthy",
			"1 zone 2 ud 0 22.04.202310190 ProvisioningState/succeeded PowerState/running HealthState/healthy",
			"3 zone 2 ud 1 22.04.202401170 latest ProvisioningState/succeeded PowerState/running HealthState/unhealthy",
			"4 zone 1 22.04.202401170 latest ProvisioningState/succeeded PowerState/deallocated",
			"7 zone 2 ud 0 22.04.202310190 ProvisioningState/failed/VMExtensionProvisioningError PowerState/running HealthState/unhealthy",
			"10 zone 1 ud 2 22.04.202401170 VirtualMachine protected ProvisioningState/succeeded PowerState/running HealthState/healthy",
		}
		if !slices.Equal(lines, want) {
			t.Errorf("instances\n%s", strings.Join(lines, "\n"))
		}
	})
}

// summaryOf is what a rollout looks at.
func summaryOf(vm *armcompute.VirtualMachineScaleSetVM) string {
	p := vm.Properties
	words := []string{*vm.InstanceID, "zone " + *vm.Zones[0]}
	if ud := p.InstanceView.PlatformUpdateDomain; ud != nil {
		words = append(words, fmt.Sprintf("ud %d", *ud))
	}
	words = append(words, *p.StorageProfile.ImageReference.ExactVersion)
	if *p.LatestModelApplied {
		words = append(words, "latest")
	}
	if *p.ModelDefinitionApplied != "VirtualMachineScaleSet" {
		words = append(words, *p.ModelDefinitionApplied)
	}
	if p.ProtectionPolicy != nil && *p.ProtectionPolicy.ProtectFromScaleSetActions {
		words = append(words, "protected")
	}
	for _, s := range p.InstanceView.Statuses {
		words = append(words, *s.Code)
	}
	if h := p.InstanceView.VMHealth; h != nil {
		words = append(words, *h.Status.Code)
	}
	return strings.Join(words, " ")
}

// An instance document in the CLI's form and the one that is served hold the same: every member of the
// file is there, in ARM's place, and nothing else.
func TestNothingOfAnInstanceIsLost(t *testing.T) {
	file := azFile(t, "web-instances.json")
	f, _ := importAll(t, azFile(t, "vmss-list.json"), file)
	inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
		e, err := elements(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range e.items {
			want := armForm(i.doc, vmMembers)
			got := b.get(text(want, "id") + "?api-version=2024-11-01&$expand=instanceView").doc
			if !sameJSON(got, want) {
				t.Errorf("%s", firstDifference(text(want, "id"), got, want))
			}
		}
	})
}

// What an import serves is ARM's own form, so it can be imported again, page by page, and is the same.
func TestARMPagesAreImportedToo(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "search-edge"
		sources := []Source{{"set.json", b.get(set).raw}, {"vms.json", b.get(set + "/virtualMachines?api-version=2024-11-01&$expand=instanceView").raw}}
		f, notes := importAll(t, sources...)
		if len(notes) != 1 || !strings.HasSuffix(notes[0], "Azure does not know it") {
			t.Errorf("notes %q", notes)
		}
		again, err := New(Options{Fleet: f})
		if err != nil {
			t.Fatal(err)
		}
		before := b.sim.Snapshot().set("search-edge")
		after := again.Snapshot().set("search-edge")
		before.Versions, after.Versions = nil, nil
		for n := range before.Instances {
			before.Instances[n].PowerSince = after.Instances[n].PowerSince // ARM does not tell it
		}
		if x, y := jsonText(t, before), jsonText(t, after); x != y {
			t.Errorf("before %s\nafter  %s", x, y)
		}
	})
}

// firstDifference names a member in which two documents differ.
func firstDifference(path string, got, want any) string {
	x, isX := got.(document)
	y, isY := want.(document)
	if !isX || !isY {
		return fmt.Sprintf("%s is %v, want %v", path, got, want)
	}
	for _, k := range slices.Concat(sortedKeys(x), sortedKeys(y)) {
		if !sameJSON(x[k], y[k]) {
			return firstDifference(path+"."+k, x[k], y[k])
		}
	}
	return path
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A rollout on the copy moves it as any other set; what only Azure knew stays.
func TestAnImportedSetIsUpgraded(t *testing.T) {
	f, _ := importAll(t, azFile(t, "vmss-list.json"), azFile(t, "web-instances.json"))
	set := "/subscriptions/" + realSub + "/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachineScaleSets/web"
	inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
		vm := func(id string) document {
			return b.get(set + "/virtualMachines/" + id + "?api-version=2024-11-01&$expand=instanceView").doc
		}
		before := vm("7")
		if vm("1")["properties"].(document)["securityProfile"] != nil {
			t.Error("instance 1 shows a section it does not have")
		}
		b.patchVersion(set, "22.04.202401171")
		b.upgrade(set, "0", "1", "3", "4", "7", "10").want(http.StatusAccepted)
		time.Sleep(5 * time.Minute)
		seven := vm("7")
		if codes(seven) != "ProvisioningState/succeeded PowerState/running HealthState/healthy" || !flag(seven, "properties", "latestModelApplied") ||
			text(seven, "properties", "storageProfile", "imageReference", "exactVersion") != "22.04.202401171" {
			t.Errorf("instance 7 %s %v", codes(seven), dig(seven, "properties", "storageProfile", "imageReference"))
		}
		for _, path := range [][]string{{"properties", "vmId"}, {"properties", "storageProfile", "dataDisks"}, {"properties", "osProfile"}, {"properties", "networkProfile"},
			{"zones"}, {"properties", "instanceView", "platformUpdateDomain"}, {"properties", "instanceView", "placementGroupId"}, {"resources"}} {
			if !sameJSON(value(before, path...), value(seven, path...)) {
				t.Errorf("%v changed from %v to %v", path, value(before, path...), value(seven, path...))
			}
		}
		if x, y := text(before, "properties", "storageProfile", "osDisk", "name"), text(seven, "properties", "storageProfile", "osDisk", "name"); x == y {
			t.Error("the OS disk is the same")
		}
		if one := vm("1"); text(one, "properties", "securityProfile", "securityType") != "TrustedLaunch" || text(one, "properties", "osProfile", "computerName") != "web000001" {
			t.Errorf("instance 1 did not take over the model's sections: %v", dig(one, "properties"))
		}
		four, ten := b.state("web", "4"), b.state("web", "10")
		if four.Power != "deallocated" || four.Version != "22.04.202401171" || ten.Version != "22.04.202401170" || !ten.Protected {
			t.Errorf("4 %+v\n10 %+v", four, ten)
		}
		b.do("PATCH", set+testVer, `{"sku":{"capacity":7}}`).want(200)
		time.Sleep(5 * time.Minute)
		if born := b.state("web", "11"); born.PlacementGroup != b.state("web", "0").PlacementGroup && born.PlacementGroup != b.state("web", "1").PlacementGroup {
			t.Errorf("newborn %+v", born)
		}
	})
}

func TestOlderReleasesOfTheCLIAreRead(t *testing.T) {
	f, notes := importAll(t, azFile(t, "old-cli-list.json"))
	if want := "batch: no file holds its instances, 2 are invented from its capacity"; notes[0] != want {
		t.Errorf("notes %q", notes)
	}
	inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
		got, err := factoryOf(t, realSub, "http://arm.local", b.web).NewVirtualMachineScaleSetsClient().Get(t.Context(), "rg-batch", "batch", nil)
		if err != nil {
			t.Fatal(err)
		}
		profile := got.Properties.VirtualMachineProfile
		ip := profile.NetworkProfile.NetworkInterfaceConfigurations[0].Properties.IPConfigurations[0].Properties
		if *profile.StorageProfile.OSDisk.DiskSizeGB != 127 || !*profile.OSProfile.WindowsConfiguration.ProvisionVMAgent || got.Properties.UpgradePolicy.AutomaticOSUpgradePolicy == nil ||
			*ip.PrivateIPAddressVersion != armcompute.IPVersionIPv4 || *ip.PublicIPAddressConfiguration.Properties.IdleTimeoutInMinutes != 10 ||
			*profile.ExtensionProfile.Extensions[0].Properties.Type != "ApplicationHealthWindows" {
			t.Errorf("profile %+v", profile)
		}
		s := b.sim.Snapshot().set("batch")
		if len(s.Instances) != 2 || s.HealthSource != "extension" || s.Image != "MicrosoftWindowsServer:WindowsServer:2022-datacenter-g2:latest" || s.ImageVersion != "1.0.1" {
			t.Errorf("set %+v", s)
		}
	})
}

// Images of other kinds, and galleries of other subscriptions, are there to be looked up.
func TestImportedImagesAreInTheCatalogue(t *testing.T) {
	rows := []struct{ name, image, path, newer string }{
		{"gallery version", `{"id":"/subscriptions/` + realSub + `/resourceGroups/rg-i/providers/Microsoft.Compute/galleries/g/images/i/versions/2.9"}`,
			"/subscriptions/" + realSub + "/resourceGroups/rg-i/providers/Microsoft.Compute/galleries/g/images/i/versions", "2.10"},
		{"gallery of another subscription", `{"id":"/subscriptions/109a5e88-712a-48ae-9078-9ca8b3c81345/resourceGroups/rg-i/providers/Microsoft.Compute/galleries/g/images/i"}`,
			"/subscriptions/109a5e88-712a-48ae-9078-9ca8b3c81345/resourceGroups/rg-i/providers/Microsoft.Compute/galleries/g/images/i/versions", "1.0.1"},
		{"community image", `{"communityGalleryImageId":"/CommunityGalleries/pub-1/Images/i/Versions/1.0.9"}`,
			"/subscriptions/" + realSub + "/providers/Microsoft.Compute/locations/westeurope/communityGalleries/pub-1/images/i/versions", "1.0.10"},
		{"shared image", `{"sharedGalleryImageId":"/SharedGalleries/u-1/Images/i/Versions/1.0.0-rc"}`,
			"/subscriptions/" + realSub + "/providers/Microsoft.Compute/locations/westeurope/sharedGalleries/u-1/images/i/versions", "1.0.0-rc.1"},
		{"managed image", `{"id":"/subscriptions/` + realSub + `/resourceGroups/rg-i/providers/Microsoft.Compute/images/m"}`,
			"/subscriptions/" + realSub + "/resourceGroups/rg-i/providers/Microsoft.Compute/images", "m"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f, _ := importAll(t, Source{"sets.json", []byte(smallSet("a", r.image))})
			inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
				var names []string
				for _, v := range b.get(r.path).list() {
					names = append(names, text(v, "name"))
				}
				if !slices.Contains(names, r.newer) {
					t.Errorf("versions %v, want %s among them", names, r.newer)
				}
			})
		})
	}
}

func smallSet(name, image string) string {
	return `[
  {
    "id": "/subscriptions/` + realSub + `/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/` + name + `",
    "location": "West Europe", "sku": {"name": "Standard_D2s_v5", "capacity": 2},
    "virtualMachineProfile": {"storageProfile": {"imageReference": ` + image + `}}
  }
]`
}

func smallVM(set, id string) string {
	return `{"id": "/subscriptions/` + realSub + `/resourceGroups/RG/providers/Microsoft.Compute/virtualMachineScaleSets/` + set + `/virtualMachines/` + id + `", "instanceId": "` + id + `"}`
}

func TestBrokenFilesSayWhere(t *testing.T) {
	const platform = `{"publisher":"P","offer":"O","sku":"S","version":"1.0.0"}`
	good := smallSet("a", platform)
	whole := string(mustJSON(t, Fleet{Subscription: realSub}))
	rows := []struct {
		name    string
		sources []string
		says    string
	}{
		{"nothing", nil, "no scale set in the files: az vmss list -o json prints them"},
		{"an empty file", []string{""}, "f0.json line 1: it is no JSON: unexpected end of JSON input"},
		{"a table", []string{"Name  Location\n----  --------\n"}, "f0.json line 1: it is no JSON"},
		{"a comma too many", []string{strings.Replace(good, `"capacity": 2}`, `"capacity": 2},`, 1) + "\n"}, "f0.json line 4: it is no JSON: invalid character ','"},
		{"UTF-16", []string{"\xff\xfe[\x00]\x00"}, "f0.json line 1: the file is UTF-16, as PowerShell writes it: save it as UTF-8"},
		{"a string", []string{`"sets"`}, "f0.json line 1: it is neither a list of scale sets or instances nor a fleet"},
		{"an object of something else", []string{`{"error": {}}`}, "f0.json line 1: it is neither a list of scale sets or instances nor a fleet"},
		{"a list of names", []string{"[\n  \"web\"\n]"}, "f0.json line 2: the item is no object"},
		{"no id", []string{"[\n  {\n    \"name\": \"web\"\n  }\n]"}, "f0.json line 2: the item has no id"},
		{"another resource", []string{"[\n\n  {\"id\": \"/subscriptions/x/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm\"}\n]"}, "f0.json line 3: /subscriptions/x/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm is neither a scale set nor an instance of one"},
		{"a set twice", []string{good, "\n" + strings.Replace(good, "resourceGroups/rg", "resourceGroups/RG", 1)}, "f1.json line 3: scale set /subscriptions/" + realSub + "/resourceGroups/RG/providers/Microsoft.Compute/virtualMachineScaleSets/a is there twice; the other one is in f0.json line 2"},
		{"an instance twice", []string{good, "[" + smallVM("a", "0") + ",\n" + smallVM("A", "0") + "]"}, "f1.json line 2: instance 0 of scale set A is there twice; the other one is in f1.json line 1"},
		{"an instance of nobody", []string{"[" + smallVM("b", "0") + "]", good}, "f0.json line 1: instance 0 of scale set b in resource group RG, which is in none of the files"},
		{"an instance with a name", []string{good, "[" + smallVM("a", "a_1f2e") + "]"}, "f1.json line 1: instance a_1f2e of scale set a has an id that is no number"},
		{"an instance with a number too large", []string{good, "[" + smallVM("a", "99999999999999999999") + "]"}, "an id that is no number"},
		{"a subscription that is none", []string{strings.Replace(good, realSub, "mine", 1)}, "f0.json line 2: /subscriptions/mine/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/a names a subscription that is no UUID"},
		{"instances only", []string{"[" + smallVM("a", "0") + "]"}, "no scale set in the files"},
		{"a set cut down by --query", []string{strings.Replace(good, "virtualMachineProfile", "profile", 1)}, "f0.json line 2: scale set a has no virtualMachineProfile, location, sku.name or sku.capacity"},
		{"two subscriptions", []string{good, strings.Replace(smallSet("b", platform), realSub, testSub, 1)}, "f1.json line 2: scale set b is in subscription " + testSub + ", others are in " + realSub + ": a fleet has one"},
		{"an image of no kind", []string{smallSet("a", `{"id":"/subscriptions/x"}`)}, "f0.json line 2: scale set a: image: /subscriptions/x is not in galleries"},
		{"too large a set", []string{strings.Replace(good, `"capacity": 2`, `"capacity": 2000`, 1)}, "f0.json line 2: scale set a: capacity: 2000 is not between 0 and 1000"},
		{"a fleet and a list", []string{whole, good}, "f0.json is a whole fleet: it cannot be mixed with other files"},
		{"only Flexible sets", []string{strings.Replace(good, `"location"`, `"orchestrationMode": "Flexible", "location"`, 1)}, "no scale set is left: a is left out: it is a Flexible set"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var sources []Source
			for n, s := range r.sources {
				sources = append(sources, Source{fmt.Sprintf("f%d.json", n), []byte(s)})
			}
			_, _, err := ImportFleet(sources...)
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), " is of scale set", " of scale set"), r.says) {
				t.Errorf("error %v, want %q in it", err, r.says)
			}
		})
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A fleet of our own is one source like any other; its errors name the file.
func TestAFleetOfOurOwnIsReadAsEver(t *testing.T) {
	f, notes := importAll(t, Source{"small.json", []byte(smallFleet)})
	if len(f.Sets) != 1 || f.Sets[0].Name != "a" || notes != nil {
		t.Errorf("fleet %+v, notes %q", f, notes)
	}
	_, _, err := ImportFleet(Source{"small.json", bytes.Replace([]byte(smallFleet), []byte(`"capacity"`), []byte(`"capacitty"`), 1)})
	if err == nil || !strings.Contains(err.Error(), `small.json: fleet line 5: json: unknown field "capacitty"`) {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsUnderWayIsTakenToItsEnd(t *testing.T) {
	vm := strings.TrimSuffix(smallVM("a", "0"), "}") + `, "provisioningState": "Updating", "instanceView": {"platformUpdateDomain": 0, "statuses": [
		{"code": "ProvisioningState/updating"}, {"code": "PowerState/starting"}]}}`
	f, notes := importAll(t, Source{"sets.json", []byte("\xef\xbb\xbf" + smallSet("a", `{"publisher":"P","offer":"O","sku":"S","version":"1"}`))},
		Source{"vms.json", []byte(`{"value": [` + vm + `, ` + smallVM("a", "1") + `], "nextLink": "https://more"}`)})
	want := []string{"vms.json is one page of a longer list: what comes after it is missing",
		"instance 0 of a was updating when it was listed: here it is succeeded", "instance 0 of a was starting when it was listed: here it is running",
		"a: 1 instances have no instance view (--expand instanceView): their domains, power and health are invented"}
	if len(notes) != 5 || !slices.Equal(notes[:4], want) {
		t.Errorf("notes\n%s", strings.Join(notes, "\n"))
	}
	inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
		for _, id := range []string{"0", "1"} {
			if i := b.state("a", id); i.Provisioning != "succeeded" || i.Power != "running" || i.Version != "1" || !i.LatestModelApplied {
				t.Errorf("instance %+v", i)
			}
		}
	})
}

// Whatever is in a file, it is imported or refused, and what was imported can be served.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"vmss-list.json", "web-instances.json", "old-cli-list.json"} {
		data, err := os.ReadFile("testdata/az/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(smallFleet))
	sets, err := os.ReadFile("testdata/az/vmss-list.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, sources := range [][]Source{{{"a", data}}, {{"a", sets}, {"b", data}}} {
			fleet, _, err := ImportFleet(sources...)
			if err != nil {
				continue
			}
			sim, err := New(Options{Fleet: fleet})
			if err != nil {
				t.Fatalf("imported, but refused: %v", err)
			}
			for _, s := range sim.Snapshot().Sets {
				r := httptest.NewRequest("GET", s.ID+"/virtualMachines?api-version=1&$expand=instanceView", nil)
				r.Header.Set("Authorization", "Bearer x")
				rec := httptest.NewRecorder()
				if sim.ServeHTTP(rec, r); rec.Code != http.StatusOK {
					t.Fatalf("list of %s: %d %s", s.ID, rec.Code, rec.Body)
				}
			}
		}
	})
}
