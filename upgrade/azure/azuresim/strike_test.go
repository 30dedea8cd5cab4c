package azuresim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// seen is what the Go SDK reads of an instance of myvmss.
func (b *bench) seen(id string) *armcompute.VirtualMachineScaleSetVM {
	b.t.Helper()
	for _, vm := range listVMs(b.t, factory(b.t, "http://arm.local", b.web)) {
		if *vm.InstanceID == id {
			return vm
		}
	}
	b.t.Fatalf("no instance %s", id)
	return nil
}

// health is the code of its vmHealth, "" if there is none.
func health(vm *armcompute.VirtualMachineScaleSetVM) string {
	if vm.Properties.InstanceView.VMHealth == nil {
		return ""
	}
	return *vm.Properties.InstanceView.VMHealth.Status.Code
}

func TestAnInstanceThatFlapsIsHealthyAndNotByTurns(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "flap", Set: "myvmss", Instance: "3", Delay: Duration(time.Minute)})
		var turns []string
		for range 5 {
			vm := b.seen("3")
			turns = append(turns, strings.TrimPrefix(health(vm), "HealthState/"))
			if since := time.Since(*vm.Properties.InstanceView.VMHealth.Status.Time); since > time.Minute {
				t.Errorf("%s since %s", health(vm), since)
			}
			time.Sleep(time.Minute)
		}
		if want := []string{"unhealthy", "healthy", "unhealthy", "healthy", "unhealthy"}; !slices.Equal(turns, want) {
			t.Errorf("turns %v", turns)
		}
		b.patchVersion(demoSet, "4.0.20160229")
		b.upgrade(demoSet, "3").want(202)
		time.Sleep(90 * time.Second)
		if got := b.state("myvmss", "3"); got.Health == "healthy" {
			t.Errorf("it flaps while its disk is replaced: %+v", got)
		}
		b.inject(Fault{Kind: "healthy-now", Set: "myvmss", Instance: "3"})
		time.Sleep(10 * time.Minute)
		if got := b.state("myvmss", "3"); got.Health != "healthy" || time.Since(got.HealthSince) < 5*time.Minute {
			t.Errorf("it flaps still: %+v", got)
		}
	})
}

func TestAFailureOfLongAgoStaysUntilAnUpgradeSucceeds(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "stale-failed", Set: "myvmss", Instances: []string{"3", "4"}, Delay: Duration(48 * time.Hour)})
		vm := b.seen("3")
		st := vm.Properties.InstanceView.Statuses[0]
		if *st.Code != "ProvisioningState/failed/VMExtensionProvisioningError" || time.Since(*st.Time).Round(time.Second) != 48*time.Hour ||
			*vm.Properties.ProvisioningState != "Failed" || !*vm.Properties.LatestModelApplied || health(vm) != "HealthState/healthy" {
			t.Errorf("instance %s since %s, %s, latest %v, %s", *st.Code, st.Time, *vm.Properties.ProvisioningState, *vm.Properties.LatestModelApplied, health(vm))
		}
		if got := text(b.get(demoSet).doc, "properties", "provisioningState"); got != "Failed" {
			t.Errorf("the set is %s", got)
		}
		b.patchVersion(demoSet, "4.0.20160229")
		b.upgrade(demoSet, "0", "3").want(202)
		time.Sleep(5 * time.Minute)
		if b.state("myvmss", "3").Provisioning != "succeeded" || !strings.HasPrefix(b.state("myvmss", "4").Provisioning, "failed/") {
			t.Errorf("3 is %s, 4 is %s", b.state("myvmss", "3").Provisioning, b.state("myvmss", "4").Provisioning)
		}
	})
}

func TestHealthThatIsNotKnownOrNotTold(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "health-unknown", Set: "myvmss", Instance: "0"})
		b.inject(Fault{Kind: "health-missing", Set: "myvmss", Instance: "5"})
		if health(b.seen("0")) != "HealthState/healthy" || health(b.seen("5")) != "" {
			t.Errorf("at once: %q and %q", health(b.seen("0")), health(b.seen("5")))
		}
		b.patchVersion(demoSet, "4.0.20160229")
		b.upgrade(demoSet, "0", "5", "10").want(202)
		time.Sleep(10 * time.Minute)
		if health(b.seen("0")) != "HealthState/unknown" || health(b.seen("5")) != "" || health(b.seen("10")) != "HealthState/healthy" {
			t.Errorf("after an upgrade: %q, %q and %q", health(b.seen("0")), health(b.seen("5")), health(b.seen("10")))
		}
		want := []string{"health-unknown myvmss [0] -1", "health-missing myvmss [5] -1"}
		if got := b.active(); !slices.Equal(got, want) {
			t.Errorf("active %q", got)
		}
		b.inject(Fault{Kind: "lift"})
		if health(b.seen("0")) != "HealthState/healthy" || health(b.seen("5")) != "HealthState/healthy" || len(b.active()) > 0 {
			t.Errorf("lifted: %q and %q", health(b.seen("0")), health(b.seen("5")))
		}
	})
}

func TestLiftingEndsAFlap(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "flap", Set: "myvmss", Instance: "3"})
		if got := b.active(); !slices.Equal(got, []string{"flap myvmss [3] -1"}) {
			t.Errorf("active %q", got)
		}
		b.inject(Fault{Kind: "lift"})
		time.Sleep(5 * time.Minute)
		if got := b.state("myvmss", "3"); got.Health != "healthy" || time.Since(got.HealthSince) != 5*time.Minute {
			t.Errorf("instance %+v", got)
		}
	})
}

// rolling is what the Go SDK reads of the rolling upgrade of myvmss.
func (b *bench) rolling() string {
	b.t.Helper()
	r, err := factory(b.t, "http://arm.local", b.web).NewVirtualMachineScaleSetRollingUpgradesClient().GetLatest(b.t.Context(), "rg-demo", "myvmss", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(*r.Properties.RunningStatus.Code)
}

func (b *bench) provisioning() string {
	b.t.Helper()
	return text(b.get(demoSet).doc, "properties", "provisioningState")
}

func TestARollingUpgradeOfSomebodyElseHoldsTheSetUntilItIsOver(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "foreign-rolling", Set: "myvmss", Version: "4.0.20160229"})
		if b.rolling() != "RollingForward" || b.provisioning() != "Updating" {
			t.Errorf("at the start: %s, set %s", b.rolling(), b.provisioning())
		}
		b.upgrade(demoSet, "0").refused(409, "Conflict")
		time.Sleep(5 * time.Minute) // between two batches
		if b.rolling() != "RollingForward" || b.provisioning() != "Updating" || b.state("myvmss", "0").Version != "4.0.20160229" {
			t.Errorf("half way: %s, set %s", b.rolling(), b.provisioning())
		}
		time.Sleep(20 * time.Minute)
		if b.rolling() != "Completed" || b.provisioning() != "Succeeded" || b.state("myvmss", "19").Version != "4.0.20160229" {
			t.Errorf("at the end: %s, set %s", b.rolling(), b.provisioning())
		}
		w := b.sim.Writes()[0]
		if w.By != "fault" || w.Action != "osrollingupgrade" || len(w.Started) != 20 || !strings.HasSuffix(w.ImageAfter, "4.0.20160229") || !w.Accepted {
			t.Errorf("record %+v", w)
		}
		b.upgrade(demoSet, "0").want(202)
	})
}

func TestARollingUpgradeOfSomebodyElseCanBeLongCancelledOrFault(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "foreign-rolling", Set: "myvmss", Delay: Duration(time.Hour)}) // nothing is outdated
		time.Sleep(59 * time.Minute)
		if b.rolling() != "RollingForward" {
			t.Errorf("it ended early: %s", b.rolling())
		}
		time.Sleep(2 * time.Minute)
		if b.rolling() != "Completed" || b.provisioning() != "Succeeded" {
			t.Errorf("%s, set %s", b.rolling(), b.provisioning())
		}
		b.inject(Fault{Kind: "cancel-rolling", Set: "myvmss"}) // there is none
		b.inject(Fault{Kind: "foreign-rolling", Set: "myvmss", Version: "4.0.20160229"})
		time.Sleep(time.Minute)
		b.inject(Fault{Kind: "cancel-rolling", Set: "myvmss"})
		if b.rolling() != "Cancelled" || b.provisioning() != "Succeeded" {
			t.Errorf("%s, set %s", b.rolling(), b.provisioning())
		}
		time.Sleep(30 * time.Minute)
		if b.state("myvmss", "0").Version != "4.0.20160229" || b.state("myvmss", "1").Version != "4.0.20160101" {
			t.Error("the batch under way should finish, and no other begin")
		}
		b.inject(Fault{Kind: "never-healthy", Set: "myvmss", Instance: "1"})
		b.inject(Fault{Kind: "foreign-rolling", Set: "myvmss"})
		time.Sleep(30 * time.Minute)
		if b.rolling() != "Faulted" || b.provisioning() != "Failed" {
			t.Errorf("%s, set %s", b.rolling(), b.provisioning())
		}
	})
}

func TestSomebodyElseCanSwitchTheUpgradeMode(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "change-model", Set: "myvmss", Patch: []byte(`{"properties":{"upgradePolicy":{"mode":"Automatic"}}}`)})
		set, err := b.demo(t.Context())
		if err != nil || *set.Properties.UpgradePolicy.Mode != armcompute.UpgradeModeAutomatic {
			t.Errorf("mode %v, %v", set.Properties.UpgradePolicy.Mode, err)
		}
		if b.state("myvmss", "0").Doing != "" {
			t.Error("an instance moves")
		}
	})
}

const seeded = `{
  "subscription": "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee",
  "images": [{"publisher": "P", "offer": "O", "sku": "S", "versions": [{"version": "1"}, {"version": "2"}]}],
  "sets": [{"name": "a", "resourceGroup": "rg", "capacity": 3, "image": {"publisher": "P", "offer": "O", "sku": "S", "version": "1"}}],
  "faults": [{"kind": "fail-instance", "set": "a", "instance": "1", "code": "OSProvisioningTimedOut"}, %s]
}`

func TestAFleetCanBringItsOwnTrouble(t *testing.T) {
	fleet := mustFleet(t, fmt.Sprintf(seeded, `{"kind": "vanish", "set": "a", "instance": "2", "after": "1h"}`))
	inBubble(t, Options{Fleet: fleet}, func(t *testing.T, b *bench) {
		set := "/subscriptions/" + testSub + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/a"
		for range 2 {
			b.patchVersion(set, "2")
			b.upgrade(set, "0", "1").want(202)
			time.Sleep(5 * time.Minute)
			if got := b.state("a", "1").Provisioning; got != "failed/OSProvisioningTimedOut" {
				t.Errorf("instance 1 is %s", got)
			}
			time.Sleep(time.Hour)
			if got := len(b.sim.Snapshot().Sets[0].Instances); got != 2 {
				t.Errorf("%d instances, one should have vanished", got)
			}
			if err := b.sim.Reset(); err != nil { // brings the trouble back
				t.Fatal(err)
			}
		}
	})
}

func TestAFleetsTroubleThatCannotBeIsRefused(t *testing.T) {
	for fault, says := range map[string]string{
		`{"kind": "meteor"}`:                                      `fleet faults[1]: fault kind "meteor" is unknown`,
		`{"kind": "vanish", "set": "b", "instance": "0"}`:         `fleet faults[1]: fault vanish: 0 scale sets are called "b"`,
		`{"kind": "flap", "set": "a", "instance": "9"}`:           `fleet faults[1]: fault flap: scale set a has no instance "9"`,
		`{"kind": "flap", "set": "a"}`:                            "fleet faults[1]: fault flap: it needs an instance",
		`{"kind": "slow", "delai": "1s"}`:                         `unknown field "delai"`,
		`{"kind": "slow", "delay": 1}`:                            `a duration is a string such as "90s"`,
		`{"kind": "foreign-rolling", "set": "a", "version": "7"}`: "fleet faults[1]: fault foreign-rolling: version: P:O:S:7 is not in images",
	} {
		fleet, err := LoadFleet(strings.NewReader(fmt.Sprintf(seeded, fault)))
		if err == nil {
			_, err = New(Options{Fleet: fleet})
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q in it", fault, err, says)
		}
	}
}

func TestAnInstanceIsPlacedAnew(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "move", Set: "myvmss", Instance: "3", Count: 1})
		if got := b.state("myvmss", "3").UD; got != 1 || b.state("myvmss", "8").UD != 3 {
			t.Errorf("3 is in %d, 8 in %d", got, b.state("myvmss", "8").UD)
		}
	})
}
