package azuresim

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestAnUpgradeGoesThroughTheRealStates(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "3").want(http.StatusAccepted)
		var seen []string
		versions := map[string]bool{}
		for range 200 {
			vm := b.get(demoSet + "/virtualMachines/3?$expand=instanceView&api-version=2024-11-01").doc
			c := codes(vm)
			if len(seen) == 0 || seen[len(seen)-1] != c {
				seen = append(seen, c)
			}
			versions[text(vm, "properties", "storageProfile", "imageReference", "exactVersion")] = true
			time.Sleep(time.Second)
		}
		want := []string{
			"ProvisioningState/updating PowerState/running HealthState/healthy",
			"ProvisioningState/updating PowerState/stopping HealthState/healthy",
			"ProvisioningState/updating PowerState/stopped HealthState/unknown",
			"ProvisioningState/updating PowerState/starting HealthState/unknown",
			"ProvisioningState/updating PowerState/running HealthState/initializing",
			"ProvisioningState/succeeded PowerState/running HealthState/initializing",
			"ProvisioningState/succeeded PowerState/running HealthState/healthy",
		}
		if !slices.Equal(seen, want) {
			t.Errorf("states\n%q\nwant\n%q", seen, want)
		}
		if !versions["4.0.20160101"] || !versions["4.0.20160229"] || len(versions) != 2 {
			t.Errorf("versions seen: %v", versions)
		}
		if got := b.status(a); got != "Succeeded" {
			t.Errorf("operation %s", got)
		}
	})
}

func TestAnOperationTakesThreeMinutesToTheLastHealthyInstance(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		start := time.Now()
		a := b.upgrade(demoSet, "0", "5", "10", "15").want(http.StatusAccepted)
		ended, healthy := time.Duration(0), time.Duration(0)
		for healthy == 0 {
			time.Sleep(time.Second)
			if ended == 0 && b.status(a) == "Succeeded" {
				ended = time.Since(start)
			}
			if b.allHealthy("0", "5", "10", "15") {
				healthy = time.Since(start)
			}
		}
		if ended == 0 || ended >= healthy {
			t.Errorf("operation ended at %s, last instance healthy at %s", ended, healthy)
		}
		if healthy < 144*time.Second || healthy > 181*time.Second {
			t.Errorf("last instance healthy after %s, want about 3 m", healthy)
		}
	})
}

// allHealthy tells whether the instances of myvmss run the new image in good health.
func (b *bench) allHealthy(ids ...string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool {
		i := b.state("myvmss", id)
		return i.Version != "4.0.20160229" || i.Health != "healthy"
	})
}

func TestSpeedDividesDurations(t *testing.T) {
	inBubble(t, Options{Speed: 60}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		b.upgrade(demoSet, "0").want(http.StatusAccepted)
		time.Sleep(3 * time.Second)
		if !b.allHealthy("0") {
			t.Errorf("after 3 s at speed 60: %+v", b.state("myvmss", "0"))
		}
	})
}

func TestUnderManualAModelChangeMovesNoInstance(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		time.Sleep(time.Hour)
		for _, vm := range b.get(demoSet + "/virtualMachines").list() {
			if flag(vm, "properties", "latestModelApplied") {
				t.Errorf("instance %v reads latestModelApplied", vm["instanceId"])
			}
			if got := text(vm, "properties", "storageProfile", "imageReference", "exactVersion"); got != "4.0.20160101" {
				t.Errorf("instance %v runs %s", vm["instanceId"], got)
			}
		}
	})
}

func TestANewLifeEndsTheOldOne(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "0").want(http.StatusAccepted)
		for b.status(a) == "InProgress" {
			time.Sleep(time.Second)
		}
		// Between the operation's end and good health the machine is switched off: the upgrade's
		// last step must not call it healthy.
		b.do("POST", demoSet+"/virtualMachines/0/powerOff"+testVer, "").want(http.StatusAccepted)
		time.Sleep(5 * time.Minute)
		if i := b.state("myvmss", "0"); i.Power != "stopped" || i.Health == "healthy" {
			t.Errorf("instance %+v", i)
		}
	})
}

// The world is a function of fleet, calls and clock: two runs of the same story end in the same state,
// to the nanosecond.
func TestTheSameStoryEndsInTheSameWorld(t *testing.T) {
	var ends []State
	for range 2 {
		inBubble(t, Options{}, func(t *testing.T, b *bench) {
			b.inject(Fault{Kind: "fail-instance", Set: "myvmss", Instance: "5"})
			b.inject(Fault{Kind: "born", Set: "web-prod", Count: 3, After: Duration(time.Minute)})
			b.patchVersion(demoSet, "4.0.20160229")
			b.upgrade(demoSet, "0", "5", "10", "15").want(http.StatusAccepted)
			time.Sleep(100 * time.Second)
			ends = append(ends, b.sim.Snapshot())
		})
	}
	if !sameJSON(ends[0], ends[1]) {
		t.Error("two runs differ")
	}
	if len(ends[0].Operations) < 2 {
		t.Errorf("operations %+v", ends[0].Operations)
	}
}
