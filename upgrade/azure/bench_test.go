package azure

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// BenchmarkObserve reads a set over a loopback socket; calls/op is what it costs of Azure's
// budgets with pages of 100.
func BenchmarkObserve(b *testing.B) {
	for _, size := range []int{20, 1000} {
		b.Run(fmt.Sprintf("instances=%d", size), func(b *testing.B) {
			fleet := azuresim.DefaultFleet()
			fleet.Sets = fleet.Sets[:1]
			fleet.Sets[0].Capacity = size
			sim, err := azuresim.New(azuresim.Options{Fleet: fleet, PageSize: 100})
			if err != nil {
				b.Fatal(err)
			}
			var calls atomic.Int64
			a := connect(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				sim.ServeHTTP(w, r)
			}))
			calls.Store(0)
			b.ReportAllocs()
			for b.Loop() {
				s, err := a.Observe(context.Background(), testSet, upgrade.Free)
				if err != nil || len(s.Instances) != size {
					b.Fatalf("%d instances, %v", len(s.Instances), err)
				}
			}
			b.ReportMetric(float64(calls.Load())/float64(b.N), "calls/op")
		})
	}
}
