package azuresim

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPathsMatchInAnyCase(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for _, p := range []string{strings.ToLower(demoSet), strings.ToUpper(demoSet)} {
			if got := text(b.get(p).doc, "id"); got != demoSet {
				t.Errorf("id %s", got)
			}
		}
		b.do("POST", strings.ToUpper(demoSet)+"/ManualUpgrade"+testVer, someIDs).want(202)
	})
}

func TestListsFindTheSets(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		names := func(path string) string {
			var out []string
			for _, s := range b.get(path).list() {
				out = append(out, text(s, "name"))
			}
			slices.Sort(out)
			return strings.Join(out, " ")
		}
		sub := "/subscriptions/" + testSub
		rows := map[string]string{
			sub + "/resourceGroups/RG-DEMO/providers/Microsoft.Compute/virtualMachineScaleSets": "myvmss",
			sub + "/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachineScaleSets": "api-staging queue-zonal search-edge web-prod",
			sub + "/providers/Microsoft.Compute/locations/northeurope/virtualMachineScaleSets":  "queue-zonal",
			sub + "/providers/Microsoft.Compute/virtualMachineScaleSets":                        "aks-nodepool1-vmss api-staging batch-auto batch-spot cache-eph checkout-gal ci-runners edge-community grid-large legacy-img media-scaled myvmss orders-flex queue-zonal search-edge web-prod",
			sub + "/resourceGroups": "MC_rg-shop_shop_westeurope rg-batch rg-demo rg-edge rg-grid rg-images rg-media rg-orders rg-pay rg-shop rg-spot",
			sub + "/locations":      "northeurope westeurope",
		}
		for path, want := range rows {
			if got := names(path); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
	})
}

func TestAFleetsOtherResourceGroupsAreThere(t *testing.T) {
	f := DefaultFleet()
	f.ResourceGroups = []string{"rg-empty"}
	inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
		group := "/subscriptions/" + testSub + "/resourceGroups/rg-empty"
		if got := text(b.get(group).doc, "location"); got != "westeurope" {
			t.Errorf("location %q", got)
		}
		if n := len(b.get(group + "/providers/Microsoft.Compute/virtualMachineScaleSets").list()); n != 0 {
			t.Errorf("%d sets", n)
		}
	})
}

func TestTheListOfASubscriptionWritesResourceGroupsInCapitals(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for _, s := range b.get("/subscriptions/" + testSub + "/providers/Microsoft.Compute/virtualMachineScaleSets").list() {
			if group := strings.Split(text(s, "id"), "/")[4]; group != strings.ToUpper(group) {
				t.Errorf("id %s", text(s, "id"))
			}
		}
	})
}

func TestAPatchMergesAndKeepsWhatItDoesNotKnow(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		patch := `{"tags":{"owner":"ana","env":null},"properties":{"someFutureThing":{"exact":1.50,"list":[1,{"a":null}]}}}`
		b.do("PATCH", demoSet+testVer, patch).want(200)
		d := b.get(demoSet).doc
		if !sameJSON(d["tags"], document{"owner": "ana"}) {
			t.Errorf("tags %v", d["tags"])
		}
		if raw := string(b.get(demoSet).raw); !strings.Contains(raw, `"someFutureThing":{"exact":1.50,"list":[1,{"a":null}]}`) {
			t.Errorf("unknown member not kept word for word: %s", raw)
		}
		if got := text(d, "properties", "virtualMachineProfile", "storageProfile", "imageReference", "version"); got != "4.0.20160101" {
			t.Errorf("version %q", got)
		}
	})
}

func TestAModelChangeAnswersUpdatingAndEndsSoon(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		a := b.do("PATCH", demoSet+testVer, imagePatch("4.0.20160229")).want(200)
		if got := text(a.doc, "properties", "provisioningState"); got != "Updating" {
			t.Errorf("provisioningState %s", got)
		}
		if a.header.Get("Azure-AsyncOperation") == "" || a.header.Get("Location") != "" {
			t.Errorf("headers %v", a.header)
		}
		if got := b.status(a); got != "InProgress" {
			t.Errorf("operation %s", got)
		}
		time.Sleep(6 * time.Second)
		if got := b.status(a); got != "Succeeded" {
			t.Errorf("operation %s", got)
		}
		if got := text(b.get(demoSet).doc, "properties", "provisioningState"); got != "Succeeded" {
			t.Errorf("provisioningState %s", got)
		}
	})
}

func TestEveryChangeGivesANewEtagAndActionsDoNot(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		etag := func() string {
			a := b.get(demoSet)
			if a.header.Get("ETag") != text(a.doc, "etag") {
				t.Errorf("header %s, body %s", a.header.Get("ETag"), text(a.doc, "etag"))
			}
			return text(a.doc, "etag")
		}
		first := etag()
		b.do("PATCH", demoSet+testVer, imagePatch("4.0.20160229"), "If-Match", first).want(200)
		second := etag()
		if first == second {
			t.Error("the etag did not change")
		}
		time.Sleep(10 * time.Second)
		b.do("PATCH", demoSet+testVer, `{"tags":{"x":"y"}}`, "If-Match", first).refused(412, "PreconditionFailed")
		b.upgrade(demoSet, "0").want(202)
		time.Sleep(5 * time.Minute)
		if etag() != second {
			t.Error("an upgrade changed the etag of the set")
		}
	})
}

func TestCapacityMakesAndDeletesInstances(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.do("PATCH", demoSet+testVer, `{"sku":{"capacity":22}}`).want(200)
		if got := b.state("myvmss", "20"); got.Provisioning != "creating" {
			t.Errorf("new instance %+v", got)
		}
		time.Sleep(4 * time.Minute)
		born := b.state("myvmss", "21")
		if b.status(a) != "Succeeded" || born.Version != "4.0.20160229" || !born.LatestModelApplied || born.Health != "healthy" {
			t.Errorf("born %+v", born)
		}
		if born.UD != 1 || b.state("myvmss", "20").UD != 0 {
			t.Errorf("domains of the new ones: %d %d", b.state("myvmss", "20").UD, born.UD)
		}
		b.do("PATCH", demoSet+testVer, `{"sku":{"capacity":19}}`).want(200)
		time.Sleep(4 * time.Minute)
		list := b.get(demoSet + "/virtualMachines").list()
		if len(list) != 19 || text(list[18], "instanceId") != "18" {
			t.Errorf("%d instances, last %v", len(list), list[len(list)-1]["instanceId"])
		}
		if n, _ := number(b.get(demoSet).doc, "sku", "capacity"); n != 19 {
			t.Errorf("capacity %d", n)
		}
	})
}

func TestScaleInSparesTheProtected(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("PATCH", demoSet+"/virtualMachines/19"+testVer, `{"properties":{"protectionPolicy":{"protectFromScaleIn":true}}}`).want(200)
		time.Sleep(time.Minute)
		b.do("PATCH", demoSet+testVer, `{"sku":{"capacity":18}}`).want(200)
		time.Sleep(4 * time.Minute)
		b.get(demoSet + "/virtualMachines/19")
		b.do("GET", demoSet+"/virtualMachines/17"+testVer, "").want(404)
	})
}

func TestNeighboursAreInTheSameSubscription(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		want := `"subnet":{"id":"/subscriptions/` + testSub + `/resourceGroups/rg-demo/providers/Microsoft.Network/virtualNetworks/`
		if raw := string(b.get(demoSet).raw); !strings.Contains(raw, want) {
			t.Errorf("no %s in %s", want, raw)
		}
	})
}

func TestASetIsMadeAndDeleted(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "fresh"
		a := b.do("PUT", set+testVer, rollingSet, "If-None-Match", "*").want(201)
		if got := text(a.doc, "properties", "provisioningState"); got != "Creating" {
			t.Errorf("provisioningState %s", got)
		}
		time.Sleep(3 * time.Minute)
		if n := len(b.get(set + "/virtualMachines").list()); n != 10 || b.status(a) != "Succeeded" {
			t.Errorf("%d instances, operation %s", n, b.status(a))
		}
		a = b.do("DELETE", set+testVer, "").want(202)
		b.upgrade(set, "0").refused(409, "OperationNotAllowed")
		time.Sleep(time.Minute)
		b.do("GET", set+testVer, "").refused(404, "ResourceNotFound")
		b.do("GET", a.header.Get("Location"), "").want(204)
		b.do("DELETE", set+testVer, "").want(204)
	})
}

func TestDeletingASetPreemptsItsUpgrade(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		upgrade := b.upgrade(demoSet, "0").want(202)
		time.Sleep(30 * time.Second)
		b.do("DELETE", demoSet+testVer, "").want(202)
		d := b.do("GET", upgrade.header.Get("Azure-AsyncOperation"), "").want(200).doc
		if text(d, "status") != "Canceled" || text(d, "error", "code") != "OperationPreempted" {
			t.Errorf("operation %v", d)
		}
	})
}

func TestAGetCanBePutBackAsItIs(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("PUT", demoSet+testVer, string(b.get(demoSet).raw)).want(200)
		time.Sleep(time.Minute)
		for _, vm := range b.get(demoSet + "/virtualMachines").list() {
			if !flag(vm, "properties", "latestModelApplied") {
				t.Fatalf("instance %v is outdated after a PUT that changed nothing", vm["instanceId"])
			}
		}
	})
}

func TestASetThatFailedSaysSoUntilAnOperationSucceeds(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "search-edge"
		if got := text(b.get(set).doc, "properties", "provisioningState"); got != "Failed" {
			t.Errorf("provisioningState %s", got)
		}
		summary := string(b.get(set + "/instanceView").raw)
		if !strings.Contains(summary, `{"code":"ProvisioningState/failed/VMExtensionProvisioningError","count":1}`) {
			t.Errorf("instance view %s", summary)
		}
		b.upgrade(set, "7").want(http.StatusAccepted)
		time.Sleep(4 * time.Minute)
		if got := text(b.get(set).doc, "properties", "provisioningState"); got != "Succeeded" {
			t.Errorf("provisioningState %s", got)
		}
		if i := b.state("search-edge", "7"); i.Version != "22.04.202310190" || i.Health != "healthy" {
			t.Errorf("instance %+v", i)
		}
	})
}

func TestRepairsCanBeSuspendedAndResumed(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "web-prod"
		for action, state := range map[string]string{"Suspend": "Suspended", "Resume": "Running"} {
			b.do("POST", set+"/setOrchestrationServiceState"+testVer, `{"serviceName":"AutomaticRepairs","action":"`+action+`"}`).want(202)
			if raw := string(b.get(set + "/instanceView").raw); !strings.Contains(raw, `"serviceState":"`+state+`"`) {
				t.Errorf("after %s: %s", action, raw)
			}
			time.Sleep(time.Minute)
		}
	})
}
