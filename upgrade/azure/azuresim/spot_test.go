package azuresim

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const spots = "/subscriptions/" + testSub + "/resourceGroups/rg-spot/providers/Microsoft.Compute/virtualMachineScaleSets/batch-spot"

// spotFleet is the small fleet with its set on Spot machines.
func spotFleet(more string) string {
	return strings.Replace(smallFleet, `"capacity": 3`, `"capacity": 3, "priority": "Spot"`+more, 1)
}

func TestASpotSetSaysSo(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		d := b.get(spots).doc
		if p := dig(d, "properties", "virtualMachineProfile"); text(p, "priority") != "Spot" || text(p, "evictionPolicy") != "Deallocate" {
			t.Errorf("profile %v", p)
		}
		if fds, _ := number(d, "properties", "platformFaultDomainCount"); fds != 1 {
			t.Errorf("%d fault domains", fds)
		}
	})
}

func TestEvictionDeallocatesOrDeletesAsThePolicySays(t *testing.T) {
	rows := []struct{ more, left, power string }{
		{"", "0 1 2", "deallocated"},
		{`, "evictionPolicy": "Delete"`, "0 2", ""},
		{`, "extra": {"properties": {"spotRestorePolicy": {"enabled": true, "restoreTimeout": "PT1H"}}}`, "0 1 2", "running"},
	}
	for _, r := range rows {
		t.Run(r.more, func(t *testing.T) {
			inBubble(t, Options{Fleet: mustFleet(t, spotFleet(r.more))}, func(t *testing.T, b *bench) {
				b.inject(Fault{Kind: "evict", Set: "a", Instance: "1"})
				time.Sleep(10 * time.Minute)
				left := b.names("a")
				if got := strings.Join(left, " "); got != r.left {
					t.Fatalf("instances %s, want %s", got, r.left)
				}
				if capacity, _ := number(b.get(large).doc, "sku", "capacity"); capacity != len(left) {
					t.Errorf("capacity %d", capacity)
				}
				if slices.Contains(left, "1") && b.state("a", "1").Power != r.power {
					t.Errorf("power %s, want %s", b.state("a", "1").Power, r.power)
				}
				if other := b.state("a", "0"); other.Power != "running" || other.Health != "healthy" {
					t.Errorf("another instance %+v", other)
				}
			})
		})
	}
}

func TestEvictionDuringAnUpgradeFailsIt(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(spots, "22.04.202401170")
		op := b.upgrade(spots, "2", "3").want(http.StatusAccepted)
		time.Sleep(20 * time.Second)
		b.inject(Fault{Kind: "evict", Set: "batch-spot", Instance: "2"})
		if got := b.status(op); got != "InProgress" {
			t.Errorf("the upgrade %s while instance 3 is in it", got)
		}
		time.Sleep(5 * time.Minute)
		a := b.do("GET", op.header.Get("Azure-AsyncOperation"), "").want(http.StatusOK)
		if text(a.doc, "status") != "Failed" || text(a.doc, "error", "code") != "OperationPreempted" {
			t.Errorf("operation %s", a.raw)
		}
		if i := b.state("batch-spot", "2"); i.Power != "deallocated" || i.LatestModelApplied {
			t.Errorf("evicted instance %+v", i)
		}
		if i := b.state("batch-spot", "3"); i.Version != "22.04.202401170" || i.Health != "healthy" {
			t.Errorf("other instance %+v", i)
		}
	})
}

func TestAnEvictionCanBeSimulated(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("POST", spots+"/virtualMachines/4/simulateEviction"+testVer, "").want(http.StatusNoContent)
		if b.state("batch-spot", "4").Doing != "" {
			t.Error("there was no notice")
		}
		time.Sleep(5 * time.Minute)
		if got := b.state("batch-spot", "4").Power; got != "deallocated" {
			t.Errorf("power %s", got)
		}
		b.do("POST", demoSet+"/virtualMachines/4/simulateEviction"+testVer, "").refused(http.StatusConflict, "OperationNotAllowed")
		b.do("POST", ordersVMs+"/"+b.names("orders-flex")[0]+"/simulateEviction"+testVer, "").refused(http.StatusConflict, "OperationNotAllowed")
	})
}
