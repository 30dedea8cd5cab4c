package azuresim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

func TestTheGoSDKReadsSizesAndUsages(t *testing.T) {
	inBubble(t, Options{PageSize: 7}, func(t *testing.T, b *bench) {
		f := factory(t, "http://arm.local", b.web)
		sizes := func(group, set string) map[string]*armcompute.VirtualMachineScaleSetSKU {
			out := map[string]*armcompute.VirtualMachineScaleSetSKU{}
			for _, s := range allOf(t, f.NewVirtualMachineScaleSetsClient().NewListSKUsPager(group, set, nil), func(p armcompute.VirtualMachineScaleSetsClientListSKUsResponse) []*armcompute.VirtualMachineScaleSetSKU {
				return p.Value
			}) {
				out[*s.SKU.Name] = s
			}
			return out
		}
		here, there := sizes("rg-demo", "myvmss"), sizes("rg-shop", "queue-zonal")
		d4 := here["Standard_D4s_v5"]
		if d4 == nil || *d4.ResourceType != typeSet || *d4.SKU.Tier != "Standard" || *d4.Capacity.Maximum != 100 || *d4.Capacity.Minimum != 0 ||
			*d4.Capacity.ScaleType != armcompute.VirtualMachineScaleSetSKUScaleTypeAutomatic {
			t.Errorf("size %+v", d4)
		}
		if here["Standard_NC4as_T4_v3"] != nil || there["Standard_NC4as_T4_v3"] == nil || *there["Standard_D4s_v5"].Capacity.Maximum != 1000 {
			t.Errorf("%d sizes here, %d there", len(here), len(there))
		}
		usages := map[string]*armcompute.Usage{}
		for _, u := range allOf(t, f.NewUsageClient().NewListPager("northeurope", nil), func(p armcompute.UsageClientListResponse) []*armcompute.Usage { return p.Value }) {
			usages[*u.Name.Value] = u
		}
		if *usages["cores"].CurrentValue != 18 || *usages["standardDSv5Family"].CurrentValue != 18 || *usages["standardESv5Family"].CurrentValue != 0 ||
			*usages["virtualMachineScaleSets"].CurrentValue != 1 || *usages["standardDSv5Family"].Name.LocalizedValue != "Standard DSv5 Family vCPUs" {
			t.Errorf("usages %v", usages)
		}
	})
}

func sizePatch(name string) string { return `{"sku":{"name":"` + name + `"}}` }

func TestASizeThatCannotBeHadIsRefused(t *testing.T) {
	rows := []struct {
		name, set, body string
		status          int
		code, says      string
	}{
		{"unknown", demoSet, sizePatch("Standard_D3s_v5"), 400, "InvalidParameter", "The value Standard_D3s_v5 provided for the VM size is not valid. The valid sizes in the current region are: Standard_B1s,"},
		{"not in this region", demoSet, sizePatch("Standard_NC4as_T4_v3"), 400, "InvalidParameter", "The requested VM size Standard_NC4as_T4_v3 is not available in the current region."},
		{"short at present", demoSet, sizePatch("Standard_D96s_v5"), 409, "SkuNotAvailable", "The requested size for resource '" + demoSet + "' is currently not available in location 'westeurope' zones '' for subscription '" + testSub + "'."},
		{"beyond the quota of its family", demoSet, sizePatch("Standard_E2s_v5"), 409, "OperationNotAllowed",
			"results in exceeding approved standardESv5Family Cores quota. Additional details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: 32, Current Usage: 0, Additional Required: 40, (Minimum) New Limit Required: 40."},
		{"within the quota", demoSet, `{"sku":{"name":"Standard_E2s_v5","capacity":16}}`, 200, "", ""},
		{"in another case", demoSet, sizePatch("STANDARD_D4S_V5"), 200, "", ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				a := b.do("PATCH", r.set+testVer, r.body).want(r.status)
				if got := text(a.doc, "error", "code"); got != r.code {
					t.Errorf("code %q", got)
				}
				if got := text(a.doc, "error", "message"); !strings.Contains(got, r.says) {
					t.Errorf("message %q", got)
				}
			})
		})
	}
}

func TestAQuotaOfAllCoresHoldsScalingOut(t *testing.T) {
	f := DefaultFleet()
	used := 0
	for _, s := range f.Sets {
		if s.Location == "westeurope" {
			used += 2 * s.Capacity
		}
	}
	f.Quotas = []Quota{{Location: "West Europe", Limit: used}}
	inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
		a := b.do("PATCH", demoSet+testVer, `{"sku":{"capacity":21}}`).refused(409, "OperationNotAllowed")
		if got := text(a.doc, "error", "message"); !strings.Contains(got, "Total Regional Cores quota") || !strings.Contains(got, "Additional Required: 2,") {
			t.Errorf("message %q", got)
		}
		b.do("PATCH", demoSet+testVer, `{"tags":{"a":"b"}}`).want(200)
	})
}

// A size without a capacity keeps the capacity; instances keep their size until they are upgraded,
// and then restart with the same disk.
func TestInstancesTakeANewSizeWhenTheyAreUpgraded(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		vm := func() document { return b.get(demoSet + "/virtualMachines/0").doc }
		before := vm()
		sets := factory(t, "http://arm.local", b.web).NewVirtualMachineScaleSetsClient()
		p, err := sets.BeginUpdate(t.Context(), "rg-demo", "myvmss", armcompute.VirtualMachineScaleSetUpdate{SKU: &armcompute.SKU{Name: to.Ptr("Standard_D4s_v5")}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if done, err := p.PollUntilDone(t.Context(), nil); err != nil || *done.SKU.Capacity != 20 || *done.SKU.Name != "Standard_D4s_v5" {
			t.Fatalf("%v %+v", err, done.SKU)
		}
		if got := vm(); text(got, "sku", "name") != "Standard_D2s_v5" || flag(got, "properties", "latestModelApplied") {
			t.Errorf("before its upgrade %v", got["sku"])
		}
		b.upgrade(demoSet, "0").want(http.StatusAccepted)
		time.Sleep(45 * time.Second)
		if got := b.state("myvmss", "0"); got.Power != "stopped" {
			t.Errorf("under way %+v", got)
		}
		time.Sleep(4 * time.Minute)
		after := vm()
		if text(after, "sku", "name") != "Standard_D4s_v5" || text(after, "properties", "hardwareProfile", "vmSize") != "Standard_D4s_v5" || !flag(after, "properties", "latestModelApplied") {
			t.Errorf("after it %v", after["sku"])
		}
		if x, y := dig(before, "properties", "storageProfile"), dig(after, "properties", "storageProfile"); !sameJSON(x, y) {
			t.Errorf("the disk changed: %v, %v", x, y)
		}
	})
}

func TestANewSizeCanFindNoRoom(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("PATCH", demoSet+testVer, sizePatch("Standard_D8s_v5")).want(200)
		time.Sleep(10 * time.Second)
		b.inject(Fault{Kind: "fail-instance", Set: "myvmss", Instance: "0", Code: "AllocationFailed"})
		b.upgrade(demoSet, "0").want(http.StatusAccepted)
		time.Sleep(4 * time.Minute)
		if got := b.state("myvmss", "0"); got.Provisioning != "failed/AllocationFailed" || !strings.HasPrefix(got.Message, "Allocation failed.") || got.LatestModelApplied {
			t.Errorf("instance %+v", got)
		}
	})
}
