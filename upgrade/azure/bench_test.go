package azure

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// recorded answers each URL from h once and then always the same, so that the simulator's own
// work is not measured. It counts the calls.
type recorded struct {
	h     http.Handler
	kept  sync.Map
	calls atomic.Int64
}

func (r *recorded) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.calls.Add(1)
	kept, ok := r.kept.Load(req.URL.String())
	if !ok {
		rec := httptest.NewRecorder()
		r.h.ServeHTTP(rec, req)
		kept = rec.Body.Bytes()
		r.kept.Store(req.URL.String(), kept)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(kept.([]byte))
}

// BenchmarkObserve reads a set over a loopback socket; calls/op is what it costs of Azure's
// budgets with pages of 100.
func BenchmarkObserve(b *testing.B) {
	for _, row := range []struct {
		mode string
		size int
	}{{"Uniform", 20}, {"Uniform", 1000}, {"Flexible", 20}, {"Flexible", 1000}} {
		b.Run(fmt.Sprintf("%s/instances=%d", row.mode, row.size), func(b *testing.B) {
			fleet := azuresim.DefaultFleet()
			fleet.Sets = fleet.Sets[:1]
			fleet.Sets[0].Capacity, fleet.Sets[0].Orchestration = row.size, row.mode
			sim, err := azuresim.New(azuresim.Options{Fleet: fleet, PageSize: 100})
			if err != nil {
				b.Fatal(err)
			}
			server := &recorded{h: sim}
			a := connect(b, server)
			observe(b, a, testSet)
			server.calls.Store(0)
			b.ReportAllocs()
			for b.Loop() {
				if s := observe(b, a, testSet); len(s.Instances) != row.size {
					b.Fatalf("%d instances", len(s.Instances))
				}
			}
			b.ReportMetric(float64(server.calls.Load())/float64(b.N), "calls/op")
		})
	}
}
