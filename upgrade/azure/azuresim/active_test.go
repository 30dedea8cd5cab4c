package azuresim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// active names the faults that the state lists, with whom they are for and how often.
func (b *bench) active() []string {
	var out []string
	for _, f := range b.sim.Snapshot().Faults {
		line := fmt.Sprintf("%s %s %v %d", f.Kind, f.Set[max(0, len(f.Set)-6):], f.Instances, f.Left)
		if !f.From.IsZero() {
			line += " " + time.Until(f.From).String()
		}
		out = append(out, line)
	}
	return out
}

func TestFaultsThatWaitOrHoldAreListedUntilTheyAreOver(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for _, f := range []Fault{
			{Kind: "http-status", Match: "GET", Times: 2}, {Kind: "slow", Set: "rg-demo/MYVMSS", Match: "PUT", Times: -1},
			{Kind: "vanish", Set: "myvmss", Instance: "1", After: Duration(time.Hour)}, {Kind: "lro-lies", Set: "myvmss"},
			{Kind: "lag", Set: "myvmss", Delay: Duration(time.Minute)}, {Kind: "fail-instance", Set: "myvmss", Instances: []string{"6", "5"}},
			{Kind: "never-healthy", Set: "myvmss", Instance: "7"}, {Kind: "protect", Set: "myvmss", Instance: "8"},
		} {
			b.inject(f)
		}
		b.do("GET", demoSet+testVer, "").want(503)
		want := []string{"http-status  [] 1", "slow myvmss [] -1", "vanish myvmss [] 1 1h0m0s", "lro-lies myvmss [] 1", "lag myvmss [] -1",
			"fail-instance myvmss [5 6] 1", "never-healthy myvmss [7] -1"}
		if got := b.active(); !slices.Equal(got, want) {
			t.Errorf("active %q, want %q", got, want)
		}
		b.do("GET", demoSet+testVer, "").want(503)
		b.inject(Fault{Kind: "healthy-now", Set: "myvmss", Instance: "7"})
		b.inject(Fault{Kind: "lag", Set: "myvmss"})
		b.patchVersion(demoSet, "4.0.20160229")
		b.upgrade(demoSet, "5").want(202) // the lie
		time.Sleep(5 * time.Minute)
		b.upgrade(demoSet, "5").want(202)
		time.Sleep(2 * time.Hour)
		want = []string{"slow myvmss [] -1", "fail-instance myvmss [6] 1"}
		if got := b.active(); !slices.Equal(got, want) {
			t.Errorf("later active %q, want %q", got, want)
		}
	})
}

func TestLiftingTakesFaultsAwayAndLeavesWhatTheyDid(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		b.inject(Fault{Kind: "never-healthy", Set: "myvmss", Instances: []string{"0", "1"}})
		b.upgrade(demoSet, "0").want(202)
		time.Sleep(5 * time.Minute)
		for _, f := range []Fault{
			{Kind: "http-status", Times: -1}, {Kind: "vanish", Set: "myvmss", Instance: "4", After: Duration(time.Minute)},
			{Kind: "lro-lies", Set: "myvmss"}, {Kind: "fail-instance", Set: "myvmss", Instance: "1"}, {Kind: "lag", Set: "myvmss", Delay: Duration(time.Hour)},
			{Kind: "unhealthy-now", Set: "myvmss", Instance: "9"}, {Kind: "protect", Set: "myvmss", Instance: "8"},
		} {
			b.inject(f)
		}
		if got := b.state("myvmss", "0").Health; got != "unhealthy" {
			t.Fatalf("instance 0 is %s", got)
		}
		b.inject(Fault{Kind: "lift"})
		if got := b.active(); len(got) != 0 {
			t.Errorf("still active %q", got)
		}
		if got := b.state("myvmss", "0").Phase; got != PhaseNew {
			t.Errorf("instance 0 was only kept from getting healthy, and is %s", got)
		}
		if b.state("myvmss", "9").Health != "unhealthy" || !b.state("myvmss", "8").Protected {
			t.Error("what had happened was undone")
		}
		a := b.upgrade(demoSet, "1").want(202)
		if got := codes(b.get(demoSet + "/virtualMachines/1?$expand=instanceView&api-version=1").doc); !strings.HasPrefix(got, "ProvisioningState/updating") {
			t.Errorf("the start is still hidden: %s", got)
		}
		time.Sleep(5 * time.Minute)
		if got := b.status(a); got != "Succeeded" || b.state("myvmss", "1").Phase != PhaseNew {
			t.Errorf("operation %s, instance 1 %s", got, b.state("myvmss", "1").Phase)
		}
		b.state("myvmss", "4") // still there
	})
}

func TestAFaultOfOneSetSparesItsNamesake(t *testing.T) {
	fleet := DefaultFleet()
	twin := fleet.Sets[0]
	twin.ResourceGroup = "rg-other"
	fleet.Sets = append(fleet.Sets, twin)
	inBubble(t, Options{Fleet: fleet}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "http-status", Set: "rg-other/myvmss"})
		b.get(demoSet)
		b.do("GET", "/subscriptions/"+testSub+"/RESOURCEGROUPS/RG-OTHER/providers/Microsoft.Compute/virtualMachineScaleSets/MyVMSS"+testVer, "").want(503)
	})
}

func TestLiftingALagShowsWhatItHid(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		shown := func() string {
			return codes(b.get(demoSet + "/virtualMachines/2?$expand=instanceView&api-version=1").doc)
		}
		b.patchVersion(demoSet, "4.0.20160229")
		b.inject(Fault{Kind: "lag", Set: "myvmss", Delay: Duration(time.Hour)})
		b.upgrade(demoSet, "2").want(202)
		if got := shown(); !strings.HasPrefix(got, "ProvisioningState/succeeded") {
			t.Errorf("the start is not hidden: %s", got)
		}
		b.inject(Fault{Kind: "lift"})
		if got := shown(); !strings.HasPrefix(got, "ProvisioningState/updating") {
			t.Errorf("the start is still hidden: %s", got)
		}
	})
}
