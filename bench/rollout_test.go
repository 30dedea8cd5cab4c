package bench

import (
	"fmt"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// The rollout of the package comment.
const (
	instances = 20
	domains   = 5
)

// BenchmarkRollout is a whole rollout: its makespan, how much of the set is out at once, and how
// many calls it makes.
func BenchmarkRollout(b *testing.B) {
	b.Run("simulated", func(b *testing.B) {
		const several = 6 // in each of them instances get healthy at other moments between two looks
		var found figures
		for b.Loop() {
			found = figures{}
			for n := range several {
				bubble(b, func(t *testing.T) { found.simulate(t, fmt.Sprint("web-", n), 1./several) })
			}
		}
		found.report(b)
	})
	b.Run("tcp", func(b *testing.B) {
		found := figures{}
		for b.Loop() {
			o := overTCP(b, quick, azuresim.Options{Fleet: fleet(instances, domains, "web"), Speed: speed, RetryAfter: unsaid})
			span, err := o.of("web").whole()
			o.must(err)
			found["makespan"] = span
		}
		found.report(b)
	})
}

// simulate adds a share of the figures of one rollout.
func (f figures) simulate(t *testing.T, set string, share float64) {
	s := simulated(t, fleet(instances, domains, set))
	out := s.watch()
	span, err := s.whole()
	f["out-at-once"] = max(f["out-at-once"], float64(out()))
	if err != nil {
		t.Fatal(err)
	}
	f["makespan"] += span * share
	f.calls(s.azure, share)
	f.posts(s.slack, share)
}

// whole plays a rollout with one yes to all of it and returns its makespan.
func (s stage) whole() (float64, error) {
	if _, _, err := s.agreed(); err != nil {
		return 0, err
	}
	ended, err := s.ends("succeeded")
	if err != nil {
		return 0, err
	}
	return s.makespan(ended)
}
