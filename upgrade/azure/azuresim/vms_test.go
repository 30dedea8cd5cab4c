package azuresim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestInstancesLieInTheirDomains(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for n := range 20 {
			v := b.get(demoSet + "/virtualMachines/" + strconv.Itoa(n) + "/instanceView").doc
			ud, _ := number(v, "platformUpdateDomain")
			fd, _ := number(v, "platformFaultDomain")
			if ud != n%5 || fd != n/5 {
				t.Errorf("instance %d is in UD %d FD %d", n, ud, fd)
			}
		}
	})
}

func TestZonesHavePlacementGroupsAndDomainsOfTheirOwn(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		groups := map[string]string{}
		for n, vm := range b.get(shop + "queue-zonal/virtualMachines?$expand=instanceView&api-version=2024-11-01").list() {
			zone := vm["zones"].([]any)[0].(string)
			group := text(vm, "properties", "instanceView", "placementGroupId")
			if zone != strconv.Itoa(n%3+1) {
				t.Errorf("instance %d is in zone %s", n, zone)
			}
			if groups[zone] == "" {
				groups[zone] = group
			}
			ud, _ := number(vm, "properties", "instanceView", "platformUpdateDomain")
			if groups[zone] != group || ud != n/3 {
				t.Errorf("instance %d: group %s, UD %d", n, group, ud)
			}
		}
		if len(groups) != 3 {
			t.Errorf("groups %v", groups)
		}
	})
}

func TestHealthComesFromItsSource(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		rows := map[string]string{
			demoSet + "/virtualMachines/0":         "HealthState/healthy",
			shop + "search-edge/virtualMachines/3": "HealthState/unhealthy",
			shop + "web-prod/virtualMachines/0":    "HealthState/healthy",
			shop + "api-staging/virtualMachines/0": "",
		}
		for path, want := range rows {
			if got := text(b.get(path+"/instanceView").doc, "vmHealth", "status", "code"); got != want {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
		if _, there := b.get(shop + "api-staging/virtualMachines/0/instanceView").doc["vmHealth"]; there {
			t.Error("a set without a health source has vmHealth")
		}
	})
}

func TestAProbeKnowsOnlyHealthyAndUnhealthy(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "web-prod"
		b.patchVersion(set, "22.04.202401170")
		b.upgrade(set, "0").want(202)
		seen := map[string]bool{}
		for range 200 {
			seen[text(b.get(set+"/virtualMachines/0/instanceView").doc, "vmHealth", "status", "code")] = true
			time.Sleep(time.Second)
		}
		if len(seen) != 2 || !seen["HealthState/healthy"] || !seen["HealthState/unhealthy"] {
			t.Errorf("seen %v", seen)
		}
	})
}

func TestADeallocatedInstanceIsNowhere(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		runners := strings.Replace(shop, "rg-shop", "rg-batch", 1) + "ci-runners"
		v := b.get(runners + "/virtualMachines/2/instanceView").doc
		for _, k := range []string{"platformUpdateDomain", "platformFaultDomain", "placementGroupId", "vmAgent"} {
			if _, there := v[k]; there {
				t.Errorf("%s is there", k)
			}
		}
		b.patchVersion(runners, "4.0.20160229")
		b.upgrade(runners, "2").want(202)
		time.Sleep(5 * time.Minute)
		if i := b.state("ci-runners", "2"); i.Power != "deallocated" || i.Version != "4.0.20160229" {
			t.Errorf("after an upgrade: %+v", i)
		}
	})
}

func TestTheFilterPicksInstances(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		runners := strings.Replace(shop, "rg-shop", "rg-batch", 1) + "ci-runners"
		b.patchVersion(runners, "4.0.20160229")
		b.upgrade(runners, "0", "1").want(202)
		time.Sleep(5 * time.Minute)
		rows := map[string]string{
			"properties/latestModelApplied eq false":                                                        "2 3 4",
			"properties/latestModelApplied eq true":                                                         "0 1",
			"latestModelApplied eq false":                                                                   "2 3 4",
			"latestModelApplied ne false":                                                                   "0 1",
			"startswith(instanceView/statuses/code, 'PowerState') eq true":                                  "0 1 2 3 4",
			"startswith(instanceView/statuses/code,'PowerState/running') eq true":                           "0 1 3 4",
			"startswith(instanceView/statuses/code, 'PowerState/running') eq false":                         "2",
			"instanceView/statuses/code eq 'PowerState/deallocated'":                                        "2",
			"properties/provisioningState eq 'succeeded'":                                                   "0 1 2 3 4",
			"properties/latestModelApplied eq false and instanceView/statuses/code eq 'PowerState/running'": "3 4",
			"instanceId eq '4'": "4",
		}
		for filter, want := range rows {
			var got []string
			for _, vm := range b.get(runners + "/virtualMachines" + testVer + "&$filter=" + url.QueryEscape(filter)).list() {
				got = append(got, text(vm, "instanceId"))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", filter, got, want)
			}
		}
	})
}

func TestSelectLeavesOutTheRest(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		vm := b.get(demoSet + "/virtualMachines" + testVer + "&$select=instanceView/statuses,latestModelApplied").list()[0]
		props := dig(vm, "properties")
		if len(props) != 2 || len(dig(props, "instanceView")) != 1 || value(props, "instanceView", "statuses") == nil || props["latestModelApplied"] != true {
			t.Errorf("properties %v", props)
		}
		if text(vm, "instanceId") != "0" {
			t.Errorf("vm %v", vm)
		}
	})
}

func TestPagesFollowEachOtherToTheEnd(t *testing.T) {
	inBubble(t, Options{PageSize: 8}, func(t *testing.T, b *bench) {
		var got []string
		pages := 0
		for link := demoSet + "/virtualMachines" + testVer + "&$expand=instanceView"; link != ""; pages++ {
			a := b.do("GET", link, "").want(200)
			for _, vm := range a.list() {
				got = append(got, text(vm, "instanceId"))
				if dig(vm, "properties", "instanceView") == nil {
					t.Errorf("instance %v lost its view on page %d", vm["instanceId"], pages)
				}
			}
			link = text(a.doc, "nextLink")
			if link != "" && !strings.HasPrefix(link, "http://arm.local"+demoSet) {
				t.Errorf("nextLink %s", link)
			}
		}
		if strings.Join(got, " ") != "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19" || pages != 3 {
			t.Errorf("%d pages: %v", pages, got)
		}
	})
}

func TestAPageIsNotShiftedByWhatVanishes(t *testing.T) {
	inBubble(t, Options{PageSize: 8}, func(t *testing.T, b *bench) {
		first := b.get(demoSet + "/virtualMachines")
		b.inject(Fault{Kind: "vanish", Set: "myvmss", Instances: []string{"2", "7"}})
		second := b.do("GET", text(first.doc, "nextLink"), "").want(200).list()
		if text(second[0], "instanceId") != "8" {
			t.Errorf("second page begins with %v", second[0]["instanceId"])
		}
	})
}

func TestAListCanBeReadTwiceAtOnceAndRestarted(t *testing.T) {
	inBubble(t, Options{PageSize: 15}, func(t *testing.T, b *bench) {
		one, two := b.get(demoSet+"/virtualMachines"), b.get(demoSet+"/virtualMachines")
		for _, a := range []answer{one, two, one} {
			if n := len(b.do("GET", text(a.doc, "nextLink"), "").want(200).list()); n != 5 {
				t.Errorf("second page has %d items", n)
			}
		}
		foreign := strings.Replace(text(one.doc, "nextLink"), "rg-demo/providers/Microsoft.Compute/virtualMachineScaleSets/myvmss",
			"rg-shop/providers/Microsoft.Compute/virtualMachineScaleSets/web-prod", 1)
		b.do("GET", foreign, "").refused(400, "InvalidParameter")
	})
}

func TestProtectingAnInstanceMakesItCustomised(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		vm := demoSet + "/virtualMachines/4"
		b.do("PUT", vm+testVer, `{"location":"westeurope","properties":{"protectionPolicy":{"protectFromScaleIn":true,"protectFromScaleSetActions":true}}}`).want(200)
		time.Sleep(time.Minute)
		d := b.get(vm).doc
		if flag(d, "properties", "latestModelApplied") || text(d, "properties", "modelDefinitionApplied") != "VirtualMachine" ||
			!flag(d, "properties", "protectionPolicy", "protectFromScaleSetActions") {
			t.Errorf("vm %v", d["properties"])
		}
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "4", "9").want(202)
		time.Sleep(5 * time.Minute)
		if b.state("myvmss", "4").Version != "4.0.20160101" || b.state("myvmss", "9").Version != "4.0.20160229" || b.status(a) != "Succeeded" {
			t.Errorf("protected %+v, other %+v", b.state("myvmss", "4"), b.state("myvmss", "9"))
		}
		b.do("POST", vm+"/reimage"+testVer, "").want(202)
		time.Sleep(time.Minute)
		if i := b.state("myvmss", "4"); i.Provisioning != "updating" {
			t.Errorf("protection held up a call on the instance itself: %+v", i)
		}
	})
}

func TestPowerActionsMoveInstances(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		rows := []struct{ action, body, power string }{
			{"poweroff", someIDs, "stopped"},
			{"start", someIDs, "running"},
			{"restart", someIDs, "running"},
			{"deallocate", `{}`, "deallocated"},
			{"start", ``, "running"},
			{"poweroff", `{"instanceIds":["*"]}`, "stopped"},
		}
		for _, r := range rows {
			a := b.do("POST", demoSet+"/"+r.action+testVer, r.body).want(202)
			time.Sleep(5 * time.Minute)
			if i := b.state("myvmss", "0"); i.Power != r.power || i.Provisioning != "succeeded" || b.status(a) != "Succeeded" {
				t.Errorf("after %s %s: %+v", r.action, r.body, i)
			}
			if i := b.state("myvmss", "0"); (i.Health == "healthy") != (r.power == "running") {
				t.Errorf("after %s the health is %s", r.action, i.Health)
			}
			others := b.state("myvmss", "1").Power == r.power
			if all := r.body != someIDs; others != all && r.power != "running" {
				t.Errorf("after %s %s the others are %s", r.action, r.body, b.state("myvmss", "1").Power)
			}
		}
	})
}

func TestReimageWithoutIDsMeansAll(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("POST", demoSet+"/reimage"+testVer, "").want(202)
		writes := b.sim.Writes()
		if n := len(writes[len(writes)-1].Started); n != 20 {
			t.Errorf("%d instances were reimaged", n)
		}
	})
}

func TestReimageKeepsTheModelButFollowsLatest(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "api-staging"
		b.patchVersion(demoSet, "4.0.20160229")
		b.do("POST", demoSet+"/virtualMachines/0/reimage"+testVer, "").want(202)
		b.do("POST", set+"/virtualMachines/1/reimage"+testVer, "").want(202)
		time.Sleep(5 * time.Minute)
		if i := b.state("myvmss", "0"); i.Version != "4.0.20160101" || i.LatestModelApplied {
			t.Errorf("pinned: %+v", i)
		}
		if i := b.state("api-staging", "1"); i.Version != "22.04.202401170" {
			t.Errorf("latest: %+v", i)
		}
	})
}

func TestDeletedInstancesAreGone(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("POST", demoSet+"/delete"+testVer, `{"instanceIds":["3","8"]}`).want(202)
		b.do("DELETE", demoSet+"/virtualMachines/13"+testVer, "").want(202)
		time.Sleep(5 * time.Minute)
		if n, _ := number(b.get(demoSet).doc, "sku", "capacity"); n != 17 {
			t.Errorf("capacity %d", n)
		}
		b.do("GET", demoSet+"/virtualMachines/8"+testVer, "").want(http.StatusNotFound)
	})
}

func TestInstancesOnLatestDriftWithoutSayingSo(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		d := b.get(shop + "api-staging/virtualMachines/4").doc
		ref := dig(d, "properties", "storageProfile", "imageReference")
		if !flag(d, "properties", "latestModelApplied") || text(ref, "version") != "latest" || text(ref, "exactVersion") != "22.04.202307250" {
			t.Errorf("vm %v", d["properties"])
		}
	})
}
