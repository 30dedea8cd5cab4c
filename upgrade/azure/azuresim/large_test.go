package azuresim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

const large = "/subscriptions/" + testSub + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/a"

// largeFleet is one set of 1,000 instances.
func largeFleet(more string) string {
	return strings.Replace(smallFleet, `"capacity": 3`, `"capacity": 1000`+more, 1)
}

func TestAThousandInstancesFillTenPlacementGroups(t *testing.T) {
	inBubble(t, Options{Fleet: mustFleet(t, largeFleet(`, "placementGroups": 10`)), PageSize: 120}, func(t *testing.T, b *bench) {
		if flag(b.get(large).doc, "properties", "singlePlacementGroup") {
			t.Error("the set says that it has one placement group")
		}
		members, pages, next := map[string]int{}, 0, large+"/virtualMachines"+testVer+"&$expand=instanceView"
		for n := 0; next != ""; pages++ {
			a := b.do("GET", next, "").want(http.StatusOK)
			for _, vm := range a.list() {
				if text(vm, "instanceId") != strconv.Itoa(n) {
					t.Fatalf("instance %s comes at place %d", text(vm, "instanceId"), n)
				}
				v := dig(vm, "properties", "instanceView")
				ud, _ := number(v, "platformUpdateDomain")
				members[fmt.Sprint(text(v, "placementGroupId"), " ", ud)]++
				n++
			}
			next = text(a.doc, "nextLink")
		}
		if pages != 9 || len(members) != 50 {
			t.Errorf("%d pages, %d update domains", pages, len(members))
		}
		for domain, n := range members {
			if n != 20 {
				t.Errorf("%d instances in %s", n, domain)
			}
		}
	})
}

// A placement group holds 100 at most; a set made by PUT takes as many as it needs, one per zone if it has any.
func TestASetMadeByPUTHasThePlacementGroupsItNeeds(t *testing.T) {
	rows := []struct {
		name, body string
		groups     int
	}{
		{"one, as it says", `"capacity":10},"properties":{`, 1},
		{"250 instances", `"capacity":250},"properties":{"singlePlacementGroup":false,`, 3},
		{"three zones", `"capacity":10},"zones":["1","2","3"],"properties":{"singlePlacementGroup":false,`, 3},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				b.do("PUT", shop+"new"+testVer, strings.Replace(rollingSet, `"capacity":10},"properties":{`, r.body, 1)).want(http.StatusCreated)
				time.Sleep(5 * time.Minute)
				groups := map[string]int{}
				for _, id := range b.names("new") {
					groups[b.state("new", id).PlacementGroup]++
				}
				if len(groups) != r.groups {
					t.Errorf("groups %v", groups)
				}
			})
		})
	}
}

// A client at work lists a set about every ten seconds; so it must not take long.
func BenchmarkAListOfAThousand(b *testing.B) {
	flexible := large[:strings.Index(large, "/providers")] + "/providers/Microsoft.Compute/virtualMachines" + ofSet(large) + "&$expand=instanceView"
	rows := []struct{ name, fleet, path string }{
		{"Uniform", largeFleet(`, "placementGroups": 10`), large + "/virtualMachines" + testVer + "&$expand=instanceView"},
		{"filtered", largeFleet(`, "placementGroups": 10`), large + "/virtualMachines" + testVer + "&$expand=instanceView&$filter=" + url.QueryEscape("properties/latestModelApplied eq true")},
		{"Flexible", largeFleet(`, "orchestration": "Flexible"`), flexible},
	}
	for _, r := range rows {
		b.Run(r.name, func(b *testing.B) {
			fleet, err := LoadFleet(strings.NewReader(r.fleet))
			if err != nil {
				b.Fatal(err)
			}
			sim, err := New(Options{Fleet: fleet})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				readAll(b, sim, r.path)
			}
		})
	}
}

// readAll reads all pages.
func readAll(b *testing.B, sim *Sim, next string) {
	for next != "" {
		req := httptest.NewRequest(http.MethodGet, next, nil)
		req.Header.Set("Authorization", "Bearer test")
		rec := httptest.NewRecorder()
		sim.ServeHTTP(rec, req)
		if rec.Code != http.StatusOK {
			b.Fatalf("status %d: %s", rec.Code, rec.Body)
		}
		_, rest, more := strings.Cut(rec.Body.String(), `"nextLink":"`)
		next, _, _ = strings.Cut(rest, `"`)
		next = strings.ReplaceAll(next, `\u0026`, "&")
		if !more {
			next = ""
		}
	}
}
