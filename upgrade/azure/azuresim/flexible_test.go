package azuresim

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

const (
	orders    = "/subscriptions/" + testSub + "/resourceGroups/rg-orders/providers/Microsoft.Compute/virtualMachineScaleSets/orders-flex"
	ordersVMs = "/subscriptions/" + testSub + "/resourceGroups/rg-orders/providers/Microsoft.Compute/virtualMachines"
)

// ofSet is the $filter for the machines of a set, as a query writes it.
func ofSet(id string) string {
	return testVer + "&$filter=" + url.QueryEscape("'virtualMachineScaleSet/id' eq '"+id+"'")
}

// names are the ids of the instances of a set, in the order they were made.
func (b *bench) names(set string) []string {
	b.t.Helper()
	for _, s := range b.sim.Snapshot().Sets {
		if s.Name == set {
			var out []string
			for _, i := range s.Instances {
				out = append(out, i.ID)
			}
			return out
		}
	}
	b.t.Fatalf("no set %s", set)
	return nil
}

func TestAFlexibleSetHasMachinesWithNames(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		form := regexp.MustCompile(`^orders-flex_[0-9a-f]{8}$`)
		list := b.get(ordersVMs + ofSet(strings.ToUpper(orders)) + "&$expand=instanceView").list()
		if len(list) != 6 {
			t.Fatalf("%d machines", len(list))
		}
		zones := map[string]int{}
		for _, vm := range list {
			name, view := text(vm, "name"), dig(vm, "properties", "instanceView")
			if !form.MatchString(name) || text(vm, "id") != ordersVMs+"/"+name || text(vm, "type") != "Microsoft.Compute/virtualMachines" {
				t.Errorf("machine %s %s %s", name, text(vm, "id"), text(vm, "type"))
			}
			if text(vm, "properties", "virtualMachineScaleSet", "id") != orders || text(vm, "managedBy") != orders {
				t.Errorf("%s is in %s", name, text(vm, "properties", "virtualMachineScaleSet", "id"))
			}
			for _, k := range []string{"platformUpdateDomain", "platformFaultDomain", "placementGroupId"} {
				if _, there := view[k]; there {
					t.Errorf("%s has a %s", name, k)
				}
			}
			if got := codes(vm); got != "ProvisioningState/succeeded PowerState/running HealthState/healthy" {
				t.Errorf("%s: %s", name, got)
			}
			if _, there := dig(vm, "properties")["latestModelApplied"]; there {
				t.Errorf("%s tells latestModelApplied, for which the API has no member", name)
			}
			zones[vm["zones"].([]any)[0].(string)]++
		}
		if fmt.Sprint(zones) != "map[1:2 2:2 3:2]" {
			t.Errorf("zones %v", zones)
		}
	})
}

func TestTheSetItselfTellsOnlyWhichMachinesItHas(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for _, m := range b.get(orders + "/virtualMachines").list() {
			if got := strings.Join(sortedKeys(dig(m, "properties")), " "); got != "latestModelApplied provisioningState virtualMachineResourceId" {
				t.Errorf("properties %s", got)
			}
			if text(m, "instanceId") != text(m, "name") || text(m, "properties", "virtualMachineResourceId") != ordersVMs+"/"+text(m, "name") {
				t.Errorf("member %v", m)
			}
		}
	})
	inBubble(t, Options{TerseFlexible: true}, func(t *testing.T, b *bench) {
		if m := b.get(orders + "/virtualMachines").list()[0]; m["properties"] != nil {
			t.Errorf("member %v", m)
		}
	})
}

func TestMachinesAreListedBySubscriptionGroupRegionAndSet(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("PUT", shop+"other"+testVer, strings.Replace(flexibleSet, "westeurope", "northeurope", 1)).want(http.StatusCreated)
		compute := "/subscriptions/" + testSub + "/providers/Microsoft.Compute"
		rows := map[string]int{
			compute + "/virtualMachines" + testVer:                       10,
			compute + "/locations/northeurope/virtualMachines" + testVer: 4,
			ordersVMs + testVer: 6,
			compute + "/virtualMachines" + ofSet(shop+"other"): 4,
			ordersVMs + ofSet(shop+"other"):                    0, // it is in another group
			ordersVMs + ofSet(shop+"nope"):                     0,
			compute + "/virtualMachines" + ofSet(demoSet):      0, // Uniform instances are no machines
		}
		for path, want := range rows {
			if got := len(b.get(path).list()); got != want {
				t.Errorf("%s: %d machines, want %d", path, got, want)
			}
		}
		if id := text(b.get(compute + "/virtualMachines").list()[0], "id"); !strings.Contains(id, "/resourceGroups/RG-ORDERS/") {
			t.Errorf("the list of a subscription writes %s", id)
		}
	})
}

const flexibleSet = `{"location":"westeurope","sku":{"name":"Standard_D2s_v5","capacity":4},"properties":{"orchestrationMode":"Flexible",
  "virtualMachineProfile":{"storageProfile":{"imageReference":{"publisher":"Canonical","offer":"0001-com-ubuntu-server-jammy",
    "sku":"22_04-lts-gen2","version":"22.04.202310190"}}}}}`

func TestAFlexibleSetCanBeMade(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("PUT", shop+"new"+testVer, flexibleSet).want(http.StatusCreated)
		time.Sleep(5 * time.Minute)
		d := b.get(shop + "new").doc
		if text(d, "properties", "orchestrationMode") != "Flexible" || flag(d, "properties", "singlePlacementGroup") || text(d, "properties", "provisioningState") != "Succeeded" {
			t.Errorf("set %v", d["properties"])
		}
		for _, id := range b.names("new") {
			if i := b.state("new", id); i.UD != -1 || i.FD != -1 || i.PlacementGroup != "" || i.Power != "running" {
				t.Errorf("instance %+v", i)
			}
		}
	})
}

func TestAnUpgradeTakesTheNamesOfMachines(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		names := b.names("orders-flex")
		b.patchVersion(orders, "22.04.202401170")
		started := b.upgrade(orders, names[1], strings.ToUpper(names[4])).want(http.StatusAccepted)
		time.Sleep(5 * time.Minute)
		if got := b.status(started); got != "Succeeded" {
			t.Errorf("operation %s", got)
		}
		done := []string{names[1], names[4]}
		for _, vm := range b.get(ordersVMs + ofSet(orders)).list() {
			image := dig(vm, "properties", "storageProfile", "imageReference")
			if want := slices.Contains(done, text(vm, "name")); (text(image, "exactVersion") == "22.04.202401170") != want || (text(image, "version") == "22.04.202401170") != want {
				t.Errorf("%s runs %v", text(vm, "name"), image)
			}
		}
		var outdated []string
		for _, m := range b.get(orders + "/virtualMachines" + testVer + "&$filter=" + url.QueryEscape("properties/latestModelApplied eq false")).list() {
			outdated = append(outdated, text(m, "instanceId"))
		}
		if len(outdated) != 4 || slices.Contains(outdated, names[1]) {
			t.Errorf("outdated %v", outdated)
		}
		if w := b.sim.Writes()[1]; strings.Join(w.Started, " ") != strings.Join(done, " ") || w.Set != strings.ToLower(orders) {
			t.Errorf("record %+v", w)
		}
	})
}

func TestAMachineIsActedOnByItself(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		name := b.names("orders-flex")[0]
		vm := ordersVMs + "/" + name
		b.do("POST", vm+"/restart"+testVer, "").want(http.StatusAccepted)
		b.do("POST", vm+"/powerOff"+testVer, "").refused(http.StatusConflict, "Conflict")
		time.Sleep(5 * time.Minute)
		b.do("POST", vm+"/deallocate"+testVer, "").want(http.StatusAccepted)
		time.Sleep(5 * time.Minute)
		if got := codes(b.get(vm + testVer + "&$expand=instanceView").doc); !strings.Contains(got, "PowerState/deallocated") {
			t.Errorf("after deallocate: %s", got)
		}
		if v := b.get(vm + "/instanceView").doc; v["vmAgent"] != nil || len(v["statuses"].([]any)) != 2 {
			t.Errorf("instance view %v", v)
		}
		b.do("DELETE", vm+testVer, "").want(http.StatusAccepted)
		time.Sleep(5 * time.Minute)
		b.do("GET", vm+testVer, "").refused(http.StatusNotFound, "ResourceNotFound")
		b.do("DELETE", vm+testVer, "").want(http.StatusNoContent)
		if capacity, _ := number(b.get(orders).doc, "sku", "capacity"); capacity != 5 {
			t.Errorf("capacity %d", capacity)
		}
		for _, w := range b.sim.Writes() {
			if w.Set != strings.ToLower(orders) {
				t.Errorf("%s is on record for %s", w.Action, w.Set)
			}
		}
	})
}

// The instance protection page: for Flexible sets from 2023-09-01 on, by a PUT of the set's VM.
func TestAMachineCanBeProtected(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		name := b.names("orders-flex")[2]
		b.do("PUT", orders+"/virtualMachines/"+name+testVer, `{"location":"westeurope","properties":{"protectionPolicy":{"protectFromScaleSetActions":true}}}`).want(http.StatusOK)
		time.Sleep(time.Minute)
		m := b.get(orders + "/virtualMachines/" + name).doc
		if !flag(m, "properties", "protectionPolicy", "protectFromScaleSetActions") || flag(m, "properties", "latestModelApplied") {
			t.Errorf("member %v", m)
		}
		b.patchVersion(orders, "22.04.202401170")
		b.upgrade(orders, name).want(http.StatusAccepted)
		time.Sleep(5 * time.Minute)
		if got := b.state("orders-flex", name).Version; got != "22.04.202310190" {
			t.Errorf("a protected machine was upgraded to %s", got)
		}
	})
}

func TestCallsForMachinesAreTroubledAsTheirSets(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		name := b.names("orders-flex")[0]
		for _, path := range []string{ordersVMs + ofSet(orders), ordersVMs + "/" + name + testVer, orders + "/virtualMachines" + testVer} {
			b.inject(Fault{Kind: "http-status", Set: "orders-flex", Status: 503})
			b.get(demoSet)
			b.do("GET", path, "").want(http.StatusServiceUnavailable)
		}
		if err := b.sim.Inject(Fault{Kind: "move", Set: "orders-flex", Instance: name, Count: 1}); err == nil {
			t.Error("a machine was moved to an update domain")
		}
	})
}

func TestAFleetNumbersFlexibleInstancesAsTheyAreMade(t *testing.T) {
	fleet := strings.Replace(smallFleet, `"capacity": 3`,
		`"capacity": 3, "orchestration": "Flexible", "protected": ["2"], "exceptions": {"1": {"version": "2"}}`, 1)
	inBubble(t, Options{Fleet: mustFleet(t, fleet)}, func(t *testing.T, b *bench) {
		is := b.sim.Snapshot().Sets[0].Instances
		if is[0].Version != "1" || is[1].Version != "2" || !is[2].Protected || is[1].Protected {
			t.Errorf("instances %+v", is)
		}
	})
}

func TestTheGoSDKListsMachinesOfAFlexibleSet(t *testing.T) {
	inBubble(t, Options{PageSize: 4}, func(t *testing.T, b *bench) {
		vms := factory(t, "http://arm.local", b.web).NewVirtualMachinesClient()
		pager := vms.NewListPager("rg-orders", &armcompute.VirtualMachinesClientListOptions{
			Filter: to.Ptr("'virtualMachineScaleSet/id' eq '" + orders + "'"), Expand: to.Ptr(armcompute.ExpandTypeForListVMsInstanceView)})
		var names []string
		for pager.More() {
			page, err := pager.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, vm := range page.Value {
				names = append(names, *vm.Name)
				view := vm.Properties.InstanceView
				if *vm.Properties.VirtualMachineScaleSet.ID != orders || view.PlatformUpdateDomain != nil || *view.VMHealth.Status.Code != "HealthState/healthy" {
					t.Errorf("%s: %+v", *vm.Name, view)
				}
			}
		}
		want := b.names("orders-flex")
		slices.Sort(want)
		if !slices.Equal(names, want) {
			t.Errorf("names %v, want %v", names, want)
		}
		one, err := vms.Get(t.Context(), "rg-orders", names[0], &armcompute.VirtualMachinesClientGetOptions{Expand: to.Ptr(armcompute.InstanceViewTypesInstanceView)})
		if err != nil || *one.Properties.StorageProfile.ImageReference.ExactVersion != "22.04.202310190" || *one.Properties.InstanceView.Statuses[1].Code != "PowerState/running" {
			t.Errorf("%v %+v", err, one.Properties)
		}
		view, err := vms.InstanceView(t.Context(), "rg-orders", names[0], nil)
		if err != nil || *view.OSVersion != "22.04.202310190" {
			t.Errorf("%v %+v", err, view)
		}
	})
}

func TestTheGoSDKUpgradesMachinesByName(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(orders, "22.04.202401170")
		f := factory(t, "http://arm.local", b.web)
		name := b.names("orders-flex")[3]
		p, err := f.NewVirtualMachineScaleSetsClient().BeginUpdateInstances(t.Context(), "rg-orders", "orders-flex", instanceIDs(name), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.PollUntilDone(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		pager := f.NewVirtualMachineScaleSetVMsClient().NewListPager("rg-orders", "orders-flex", nil)
		for pager.More() {
			page, err := pager.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Value {
				if *m.Properties.LatestModelApplied != (*m.InstanceID == name) {
					t.Errorf("%s: latestModelApplied %v", *m.Name, *m.Properties.LatestModelApplied)
				}
			}
		}
	})
}
