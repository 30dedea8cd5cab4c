package azure

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// hundred is the default fleet with a hundred instances in its first set, and limits that are enforced.
func hundred(pageSize int) azuresim.Options {
	fleet := azuresim.DefaultFleet()
	fleet.Sets, fleet.Sets[0].Capacity = fleet.Sets[:1], 100
	return azuresim.Options{Fleet: fleet, PageSize: pageSize, Throttle: true}
}

// Azure allows 30 calls of a list at once and 10 a minute from then on. Whoever looks as often as Wait says
// reads whole lists at that rate and is never refused; who looks sooner is told when it is worth it.
func TestALongListIsReadAsOftenAsAzureAllowsAndNeverBrokenOff(t *testing.T) {
	for pageSize, want := range map[int]int{10: 62, 5: 31, 4: 25} { // in an hour
		t.Run(fmt.Sprint(pageSize), func(t *testing.T) {
			a, sim, clock := simulate(t, hundred(pageSize))
			whole := 0
			for began := clock.now(); clock.now().Sub(began) <= time.Hour; clock.advance(a.Wait(testSet, 1, 10*time.Second)) {
				if s, err := a.Observe(context.Background(), testSet, upgrade.Free); err == nil && len(s.Instances) == 100 {
					whole++
				} else if f := faultOf(t, err, upgrade.FaultThrottled); f.RetryAfter <= 0 || !strings.Contains(f.Message, "Azure allows fewer just now") {
					t.Fatalf("fault %+v", f)
				}
			}
			if stats := sim.Stats(); stats.Throttled > 0 || whole < want-2 || whole > want+2 {
				t.Errorf("%d whole lists in an hour, want about %d, and %d of %d calls were refused", whole, want, stats.Throttled, stats.Calls)
			}
		})
	}
}

// Before the fix that came with this test a look every few seconds drew the count to nothing for ever: the
// first pages were read over and over and no list ever became whole.
func TestALongListThatIsAskedForAllTheTimeIsStillReadNowAndThen(t *testing.T) {
	a, sim, clock := simulate(t, hundred(10))
	whole := 0
	for range 3600 / 5 {
		if _, err := a.Observe(context.Background(), testSet, upgrade.Free); err == nil {
			whole++
		} else {
			faultOf(t, err, upgrade.FaultThrottled)
		}
		clock.advance(5 * time.Second)
	}
	if whole < 55 || sim.Stats().Kinds["VirtualMachineScaleSetVMs_List"] > 30+10*60 {
		t.Errorf("%d whole lists in an hour, calls %v", whole, sim.Stats().Kinds)
	}
}

// A list that was never read is begun, and given up after its first page when that tells that the rest
// cannot be had: somebody else has drawn on the count.
func TestAListWhoseRestCannotBeHadIsGivenUpAfterItsFirstPage(t *testing.T) {
	a, sim, clock := simulate(t, hundred(10))
	stranger := connect(t, sim, func(c *Config) { c.Now = clock.now })
	for range 3 {
		observe(t, stranger, testSet)
	}
	clock.advance(30 * time.Second) // which brings five calls
	before := sim.Stats().Kinds["VirtualMachineScaleSetVMs_List"]
	f := faultOf(t, observing(a), upgrade.FaultThrottled)
	if n := sim.Stats().Kinds["VirtualMachineScaleSetVMs_List"] - before; n != 1 || sim.Stats().Throttled > 0 {
		t.Errorf("%d pages were read, %d calls refused; want one and none", n, sim.Stats().Throttled)
	}
	clock.advance(f.RetryAfter)
	if err := observing(a); err != nil {
		t.Errorf("after the %s it asked for: %v", f.RetryAfter, err)
	}
}

func observing(a *Azure) error {
	_, err := a.Observe(context.Background(), testSet, upgrade.Free)
	return err
}

// What many sets share runs low for all of them: each leaves Azure alone for longer, in the same measure.
func TestASharedCountThatRunsLowSlowsAllSetsAlike(t *testing.T) {
	const least = 10 * time.Second
	left := func(shared, reads string) http.HandlerFunc {
		return say(200, pageJSON("", vmJSON("0")), resourceLeft, "Microsoft.Compute/HighCostGetVMScaleSetResource;1,Microsoft.Compute/HighCostGetVMScaleSetSubscriptionMaximum;"+shared,
			subscriptionLeft+"Reads", reads)
	}
	for _, row := range []struct {
		shared, reads string
		want          time.Duration
	}{
		{"1000", "240", least},
		{"250", "240", least}, // a quarter
		{"125", "240", 2 * least},
		{"1000", "30", 2 * least}, // Resource Manager's own
		{"50", "30", 5 * least},
		{"0", "240", slowest * least},
		{"nonsense", "", least},
	} {
		clock := newClock()
		s := &stub{routes: map[string]http.HandlerFunc{"GET virtualMachines": inTurn(left("1000", "240"), left(row.shared, row.reads))}}
		for _, set := range []string{"myvmss", "other"} {
			s.routes["GET "+set] = say(200, strings.Replace(setJSON(""), "myvmss", set, 1))
		}
		a := connect(t, s, func(c *Config) { c.Now = clock.now })
		other := upgrade.NewSetID(strings.Replace(setPath, "myvmss", "other", 1))
		observe(t, a, testSet)
		for _, set := range []upgrade.SetID{testSet, other} {
			clock.advance(time.Minute)
			observe(t, a, set)
			if got := a.Wait(set, 1, least); got != row.want {
				t.Errorf("%s and %s left: %s is left alone for %s, want %s", row.shared, row.reads, set.Name(), got, row.want)
			}
		}
		clock.advance(fresh)
		if got := a.Wait(other, 1, least); got != least {
			t.Errorf("what was told a minute ago still counts: %s", got)
		}
	}
	if got := connect(t, http.NotFoundHandler()).Wait("nonsense", 3, least); got != least {
		t.Errorf("of a set that cannot be, %s", got)
	}
}

// Nobody documents for certain what lists of instances are counted in. Where calls come back faster than
// was published they are used; what is told in whole calls is never taken for more than it is.
func TestHowFastCallsComeBackIsSeen(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		before, after int // told by one call and the next
		apart         time.Duration
		want          time.Duration
	}{
		{20, 19, time.Second, 0},               // the next page
		{0, 0, 6 * time.Second, 0},             // one came, as far as can be told
		{0, 1, 6 * time.Second, gain},          // two may be one and a bit
		{0, 9, time.Minute, gain},              // as published
		{0, 20, time.Minute, 3 * time.Second},  // twice as fast
		{0, 10, 10 * time.Minute, gain},        // somebody else calls as well
		{28, 29, time.Hour, gain},              // full
		{0, 29, time.Second, time.Second / 29}, // a simulator in a hurry
	} {
		if got := (count{left: row.before, at: at}).next(row.after, at.Add(row.apart)); got.gain != row.want || got.left != row.after {
			t.Errorf("%d, and %s later %d: one comes every %s, want %s", row.before, row.apart, row.after, got.gain, row.want)
		}
	}
	if got := (count{}).next(30, at); got.gain != 0 {
		t.Errorf("the first count tells that one comes every %s", got.gain)
	}
}
