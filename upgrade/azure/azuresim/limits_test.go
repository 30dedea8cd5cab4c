package azuresim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEmptyBucketsRefuseWhenThrottlingIsOn(t *testing.T) {
	inBubble(t, Options{Throttle: true}, func(t *testing.T, b *bench) {
		var refused answer
		calls := 0
		for refused.status != http.StatusTooManyRequests && calls < 100 {
			refused = b.do("GET", demoSet+"/virtualMachines"+testVer, "")
			calls++
		}
		if calls != 31 {
			t.Errorf("refused at call %d, want 31 (a bucket of 30)", calls)
		}
		refused.refused(429, "OperationNotAllowed")
		details, _ := value(refused.doc, "error", "details").([]any)
		if d := details[0].(document); text(d, "code") != "TooManyRequests" || text(d, "target") != "HighCostGetVMScaleSetResource" {
			t.Errorf("details %v", details)
		}
		if got := refused.header.Get("Retry-After"); got != "6" {
			t.Errorf("Retry-After %q, want 6 (10 tokens a minute)", got)
		}
		time.Sleep(6 * time.Second)
		b.get(demoSet + "/virtualMachines")
		b.get(shop + "web-prod/virtualMachines") // another resource, another bucket
	})
}

// The figures are those of compute-throttling-limits (refill a minute / most) and of Resource Manager's
// own page, whose refills are a second's.
func TestTheBucketsAreThePublishedOnes(t *testing.T) {
	const region = "westeurope"
	rows := []struct {
		method, path, body string
		policy             string
		resource, whole    string // "" = none
		arm                string
	}{
		{"GET", demoSet, "", lowGet, "12/36", "800/2400", "reads 1500/250"},
		{"GET", demoSet + "/rollingUpgrades/latest", "", lowGet, "12/36", "800/2400", "reads 1500/250"},
		{"GET", demoSet + "/osUpgradeHistory", "", lowGet, "12/36", "800/2400", "reads 1500/250"},
		{"GET", demoSet + "/instanceView", "", highGet, "10/30", "360/1080", "reads 1500/250"},
		{"GET", demoSet + "/virtualMachines", "", highGet, "10/30", "360/1080", "reads 1500/250"},
		{"GET", "/subscriptions/" + testSub + "/providers/Microsoft.Compute/virtualMachineScaleSets", "", highGet, "", "360/1080", "reads 1500/250"},
		{"GET", "/subscriptions/" + testSub + "/resourceGroups/rg-demo/providers/Microsoft.Compute/virtualMachineScaleSets", "", highGet, "", "360/1080", "reads 1500/250"},
		{"GET", demoSet + "/virtualMachines/0", "", vmGet, "12/36", "2000/6000", "reads 1500/250"},
		{"GET", ordersVMs, "", machineList, "", "300/900", "reads 1500/250"},
		{"GET", ordersVMs + "/orders-flex_0", "", machineGet, "12/36", "8000/24000", "reads 1500/250"},
		{"POST", ordersVMs + "/orders-flex_0/restart", "", machineUpdate, "4/12", "500/1500", "writes 600/200"},
		{"POST", ordersVMs + "/orders-flex_0/deallocate", "", machineDelete, "4/12", "500/1500", "writes 600/200"},
		{"GET", demoSet + "/virtualMachines/0/instanceView", "", vmGet, "12/36", "2000/6000", "reads 1500/250"},
		{"GET", "/subscriptions/" + testSub + "/providers/Microsoft.Compute/locations/westeurope/operations/o-1", "", opGet, "15/45", "5000/15000", "reads 1500/250"},
		{"PUT", shop + "new", rollingSet, setPut, "4/12", "125/375", "writes 600/200"},
		{"PUT", demoSet, rollingSet, setUpdate, "4/12", "500/1500", "writes 600/200"},
		{"PATCH", demoSet, "{}", setUpdate, "4/12", "500/1500", "writes 600/200"},
		{"POST", demoSet + "/rollingUpgrades/cancel", "", setUpdate, "4/12", "500/1500", "writes 600/200"},
		{"POST", demoSet + "/setOrchestrationServiceState", "{}", setUpdate, "4/12", "500/1500", "writes 600/200"},
		{"POST", demoSet + "/manualupgrade", `{"instanceIds":["0"]}`, actions, "", "500/1500", "writes 600/200"},
		{"POST", demoSet + "/reimage", `{"instanceIds":["0"]}`, actions, "", "500/1500", "writes 600/200"},
		{"POST", demoSet + "/restart", `{"instanceIds":["0"]}`, actions, "", "500/1500", "writes 600/200"},
		{"POST", demoSet + "/poweroff", `{"instanceIds":["0"]}`, setDelete, "4/12", "175/525", "writes 600/200"},
		{"POST", demoSet + "/delete", `{"instanceIds":["0"]}`, setDelete, "4/12", "175/525", "writes 600/200"},
		{"DELETE", demoSet, "", setDelete, "4/12", "175/525", "deletes 600/200"},
		{"POST", demoSet + "/virtualMachines/0/restart", "", vmUpdate, "4/12", "500/1500", "writes 600/200"},
		{"DELETE", demoSet + "/virtualMachines/0", "", vmUpdate, "4/12", "500/1500", "deletes 600/200"},
	}
	for _, r := range rows {
		t.Run(r.method+" "+r.path[strings.LastIndexByte(r.path, '/')+1:], func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				a := b.do(r.method, r.path+testVer, r.body)
				got := map[string]string{}
				for _, s := range b.sim.Snapshot().Buckets {
					name := s.Name
					if s.Scope == region || s.Name == setPut+"SubscriptionMaximum" {
						name = "whole " + name
					}
					got[name] = fmt.Sprintf("%d/%d", s.Refill, s.Max)
					if s.Taken != 1 || s.Left != s.Max-1 || s.Refused != 0 {
						t.Errorf("bucket %+v after one call", s)
					}
				}
				kind, figures, _ := strings.Cut(r.arm, " ")
				if got[r.policy+"Resource"] != r.resource || got["whole "+r.policy+"SubscriptionMaximum"] != r.whole || got[kind] != figures {
					t.Errorf("buckets %v", got)
				}
				if a.header.Get("x-ms-request-charge") != "1" || !strings.Contains(a.header.Get("x-ms-ratelimit-remaining-resource"), "Microsoft.Compute/"+r.policy+"SubscriptionMaximum;") {
					t.Errorf("headers %v", a.header)
				}
			})
		})
	}
}

func TestACallForSeveralInstancesIsChargedForEach(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		a := b.do("POST", demoSet+"/restart"+testVer, `{"instanceIds":["0","5","10"]}`).want(202)
		if a.header.Get("x-ms-request-charge") != "3" || a.header.Get("x-ms-ratelimit-remaining-resource") != "Microsoft.Compute/VMScaleSetActionsSubscriptionMaximum;1497" ||
			a.header.Get("x-ms-ratelimit-remaining-subscription-writes") != "199" {
			t.Errorf("headers %v", a.header)
		}
	})
}

func TestResourceManagersOwnBucketRefusesInItsOwnWords(t *testing.T) {
	fleet := DefaultFleet()
	fleet.Throttle = true
	inBubble(t, Options{Fleet: fleet}, func(t *testing.T, b *bench) {
		for range 250 {
			b.do("GET", "/subscriptions"+testVer, "").want(200)
		}
		a := b.do("GET", demoSet+testVer, "").refused(429, "SubscriptionRequestsThrottled")
		if a.header.Get("x-ms-ratelimit-remaining-subscription-reads") != "0" || a.header.Get("Retry-After") != "1" || a.header.Get("x-ms-ratelimit-remaining-resource") != "" {
			t.Errorf("headers %v", a.header)
		}
		b.do("PATCH", demoSet+testVer, "{}").want(200) // writes are another bucket
		time.Sleep(time.Second)
		b.get(demoSet)
		if st := b.sim.Snapshot().Buckets; st[len(st)-2].Name != "reads" || st[len(st)-2].Refused != 1 || st[len(st)-2].Taken != 251 {
			t.Errorf("buckets %+v", st)
		}
	})
}

func TestWithoutThrottleAnEmptyBucketIsOnlyReported(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for range 40 {
			b.get(demoSet)
		}
		for _, s := range b.sim.Snapshot().Buckets {
			if s.Name == "GetVMScaleSetResource" && (s.Left != 0 || s.Taken != 40 || s.Refused != 4) {
				t.Errorf("bucket %+v", s)
			}
		}
		if got := b.get(demoSet).header.Get("x-ms-ratelimit-remaining-resource"); !strings.HasPrefix(got, "Microsoft.Compute/GetVMScaleSetResource;0,") {
			t.Errorf("remaining %s", got)
		}
	})
}

func TestBucketsAreCountedByRegionAndForgottenWithTheirOperation(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.get(demoSet)
		b.get(shop + "queue-zonal")
		a := b.upgrade(demoSet, "0").want(http.StatusAccepted)
		b.status(a)
		scopes := func() string {
			var out strings.Builder
			for _, s := range b.sim.Snapshot().Buckets {
				fmt.Fprintln(&out, s.Name, s.Scope)
			}
			return out.String()
		}
		for _, region := range []string{"westeurope", "northeurope"} {
			if got := scopes(); !strings.Contains(got, "GetVMScaleSetSubscriptionMaximum "+region+"\n") || !strings.Contains(got, opGet+"Resource") {
				t.Errorf("buckets %s", got)
			}
		}
		time.Sleep(2 * time.Hour)
		if got := scopes(); strings.Contains(got, opGet+"Resource") {
			t.Errorf("still %s", got)
		}
	})
}
