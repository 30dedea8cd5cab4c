package azuresim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAnActionGivesBothOperationURLs(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "0").want(202)
		async, location := a.header.Get("Azure-AsyncOperation"), a.header.Get("Location")
		prefix := "http://arm.local/subscriptions/" + testSub + "/providers/Microsoft.Compute/locations/westeurope/operations/"
		if !strings.HasPrefix(async, prefix) || !strings.HasPrefix(location, prefix) || !strings.Contains(location, "&monitor=true&") {
			t.Errorf("async %s\nlocation %s", async, location)
		}
		if len(a.raw) != 0 || a.header.Get("Retry-After") != "10" {
			t.Errorf("body %q, Retry-After %q", a.raw, a.header.Get("Retry-After"))
		}
		b.do("GET", location, "").want(202)
		time.Sleep(4 * time.Minute)
		if a := b.do("GET", location, "").want(200); len(a.raw) != 0 {
			t.Errorf("result %q", a.raw)
		}
	})
}

func TestAStatusDocumentHasTheRecordedForm(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "0").want(202)
		d := b.do("GET", a.header.Get("Azure-AsyncOperation"), "").doc
		if got := strings.Join(sortedKeys(d), " "); got != "name startTime status" {
			t.Errorf("in progress: %s", got)
		}
		time.Sleep(4 * time.Minute)
		d = b.do("GET", a.header.Get("Azure-AsyncOperation"), "").doc
		if got := strings.Join(sortedKeys(d), " "); got != "endTime name startTime status" {
			t.Errorf("at the end: %s", got)
		}
		if s := text(d, "startTime"); !strings.HasSuffix(s, "+00:00") || len(s) != len("2023-01-13T03:00:47.5862691+00:00") {
			t.Errorf("startTime %s", s)
		}
	})
}

func TestAnOperationIsForgottenAfterAnHour(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "0").want(202)
		time.Sleep(time.Hour)
		b.do("GET", a.header.Get("Azure-AsyncOperation"), "").want(200)
		time.Sleep(5 * time.Minute)
		b.do("GET", a.header.Get("Azure-AsyncOperation"), "").refused(404, "NotFound")
	})
}

func TestAnUpgradeOfCurrentInstancesEndsAtOnceAndMovesNothing(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		a := b.upgrade(demoSet, "*").want(202)
		time.Sleep(5 * time.Second)
		if got := b.status(a); got != "Succeeded" {
			t.Errorf("operation %s", got)
		}
		writes := b.sim.Writes()
		if w := writes[0]; len(w.Instances) != 20 || len(w.Started) != 0 {
			t.Errorf("record %+v", w)
		}
	})
}

func TestAFailedInstanceFailsTheOperationWithItsReason(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		b.inject(Fault{Kind: "fail-instance", Set: "myvmss", Instance: "5", Code: "OSProvisioningTimedOut"})
		b.inject(Fault{Kind: "fail-instance", Set: "myvmss", Instance: "10"})
		a := b.upgrade(demoSet, "0", "5", "10").want(202)
		time.Sleep(5 * time.Minute)
		d := b.do("GET", a.header.Get("Azure-AsyncOperation"), "").want(200).doc
		details, _ := value(d, "error", "details").([]any)
		if text(d, "status") != "Failed" || len(details) != 2 || !strings.Contains(text(d, "error", "message"), "myvmss_") && !strings.Contains(text(d, "error", "message"), "extension") {
			t.Errorf("operation %v", d)
		}
		b.do("GET", a.header.Get("Location"), "").refused(409, text(d, "error", "code"))
		vm := b.get(demoSet + "/virtualMachines/5" + testVer + "&$expand=instanceView").doc
		if got := codes(vm); got != "ProvisioningState/failed/OSProvisioningTimedOut PowerState/running HealthState/unhealthy" {
			t.Errorf("instance 5: %s", got)
		}
		if text(vm, "properties", "provisioningState") != "Failed" || flag(vm, "properties", "latestModelApplied") {
			t.Errorf("instance 5: %v", vm["properties"])
		}
		if i := b.state("myvmss", "0"); i.Provisioning != "succeeded" || i.Health != "healthy" {
			t.Errorf("instance 0: %+v", i)
		}
		if got := text(b.get(demoSet).doc, "properties", "provisioningState"); got != "Failed" {
			t.Errorf("set %s", got)
		}
		b.upgrade(demoSet, "5").want(202)
		time.Sleep(5 * time.Minute)
		if i := b.state("myvmss", "5"); i.Provisioning != "succeeded" || i.Health != "healthy" || !i.LatestModelApplied {
			t.Errorf("after a second try: %+v", i)
		}
	})
}

func TestTheOperationEndsWithItsLastInstance(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "0", "1", "2", "3").want(202)
		for b.status(a) == "InProgress" {
			time.Sleep(100 * time.Millisecond)
		}
		last := time.Time{}
		for _, id := range []string{"0", "1", "2", "3"} {
			i := b.state("myvmss", id)
			if i.Provisioning != "succeeded" {
				t.Errorf("instance %s: %s", id, i.Provisioning)
			}
			if i.Since.After(last) {
				last = i.Since
			}
		}
		if since := time.Since(last); since > 100*time.Millisecond {
			t.Errorf("the operation ended %s after its last instance", since)
		}
	})
}

func TestURLsStayOnTheCallersSchemeAndHost(t *testing.T) {
	sim, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n, server := range []*httptest.Server{httptest.NewServer(sim), httptest.NewTLSServer(sim)} {
		defer server.Close()
		b := &bench{t: t, sim: sim, web: server.Client()}
		a := b.do(http.MethodPost, server.URL+demoSet+"/virtualMachines/"+itoa(n)+"/restart"+testVer, "").want(202)
		if u := a.header.Get("Azure-AsyncOperation"); !strings.HasPrefix(u, server.URL+"/subscriptions/") {
			t.Errorf("%s: operation at %s", server.URL, u)
		}
		b.do(http.MethodGet, a.header.Get("Location"), "").want(202)
	}
}

func TestCallsOnDifferentInstancesDoNotHoldEachOtherUp(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("POST", demoSet+"/virtualMachines/1/reimage"+testVer, "").want(202)
		b.do("POST", demoSet+"/virtualMachines/2/reimage"+testVer, "").want(202)
		b.upgrade(demoSet, "2", "3").refused(409, "Conflict")
		b.upgrade(demoSet, "3").want(202)
		time.Sleep(5 * time.Minute)
		b.upgrade(demoSet, "1").want(202)
	})
}

func TestUnderAutomaticAModelChangeMovesAllInstances(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := strings.Replace(shop, "rg-shop", "rg-batch", 1) + "batch-auto"
		a := b.do("PATCH", set+testVer, imagePatch("18.04.202306070")).want(200)
		time.Sleep(time.Minute)
		if got := b.state("batch-auto", "7").Provisioning; got != "updating" || b.status(a) != "InProgress" {
			t.Errorf("instance %s, operation %s", got, b.status(a))
		}
		time.Sleep(4 * time.Minute)
		if got := b.state("batch-auto", "7").Version; got != "18.04.202306070" || b.status(a) != "Succeeded" {
			t.Errorf("version %s, operation %s", got, b.status(a))
		}
	})
}

func TestUnderRollingAModelChangeMovesBatches(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "rolling"
		b.do("PUT", set+testVer, rollingSet).want(201)
		time.Sleep(5 * time.Minute)
		b.patchVersion(set, "22.04.202401170")
		time.Sleep(30 * time.Second)
		d := dig(b.get(set+"/rollingUpgrades/latest").doc, "properties")
		if going, _ := number(d, "progress", "inProgressInstanceCount"); text(d, "runningStatus", "code") != "RollingForward" || going != 2 {
			t.Errorf("progress %v", d)
		}
		time.Sleep(20 * time.Minute)
		d = dig(b.get(set+"/rollingUpgrades/latest").doc, "properties")
		if done, _ := number(d, "progress", "successfulInstanceCount"); text(d, "runningStatus", "code") != "Completed" || done != 10 {
			t.Errorf("progress %v", d)
		}
	})
}

func TestARollingUpgradeFaultsOnAnUnhealthyBatchAndCanBeCancelled(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "rolling"
		b.do("PUT", set+testVer, rollingSet).want(201)
		time.Sleep(5 * time.Minute)
		b.inject(Fault{Kind: "never-healthy", Set: "rolling", Instance: "1"})
		b.patchVersion(set, "22.04.202401170")
		time.Sleep(30 * time.Minute)
		d := dig(b.get(set+"/rollingUpgrades/latest").doc, "properties")
		if text(d, "runningStatus", "code") != "Faulted" || text(d, "error", "code") != "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade" {
			t.Errorf("upgrade %v", d)
		}
		b.patchVersion(set, "22.04.202307250")
		b.do("POST", set+"/rollingUpgrades/cancel"+testVer, "").want(202)
		d = dig(b.get(set+"/rollingUpgrades/latest").doc, "properties")
		if text(d, "runningStatus", "code") != "Cancelled" {
			t.Errorf("upgrade %v", d)
		}
	})
}
