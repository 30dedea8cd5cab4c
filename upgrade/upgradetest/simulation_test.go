package upgradetest_test

import (
	"flag"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

var (
	seeds = flag.Int("seeds", 20, "how many rollouts to simulate")
	from  = flag.Int("from", 1, "the first seed")
)

// simulate plays one seed in a bubble of its own.
func simulate(t *testing.T, seed int) (r upgradetest.Simulated) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if r, err = upgradetest.Simulate(fmt.Sprint("sim", seed), journal(t), product); err != nil {
			t.Logf("seed %d: %v", seed, err)
		}
	})
	return r
}

func TestSimulation(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for n := *from; n < *from+*seeds; n++ {
		began := time.Now()
		r := simulate(t, n)
		t.Logf("seed %d: opened %d finished %v in %s, %s, %v", n, r.Opened, r.Finished, r.Elapsed.Round(time.Second), time.Since(began).Round(time.Millisecond), r.Fired)
		for _, v := range r.Violations {
			t.Errorf("seed %d: %v", n, v)
		}
		if len(r.Violations) > 0 || *seeds == 1 {
			t.Logf("%s", r.Story)
		}
	}
}
