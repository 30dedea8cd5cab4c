package bench

import (
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// figures are what was found, by unit.
type figures map[string]float64

func (f figures) report(b *testing.B) {
	b.ReportMetric(0, "ns/op") // how long the measuring took says nothing
	for unit, n := range f {
		b.ReportMetric(n, unit)
	}
}

// worst keeps the longest of several times, in seconds.
func (f figures) worst(unit string, took time.Duration) { f[unit] = max(f[unit], took.Seconds()) }

// calls adds a share of what was asked of Azure, by the operation ids of its REST specification.
func (f figures) calls(azure *azuresim.Sim, share float64) {
	for kind, n := range azure.Stats().Kinds {
		f["arm:"+kind] += float64(n) * share
		f["arm:all"] += float64(n) * share
	}
}

// posts adds a share of what was asked of Slack, by method.
func (f figures) posts(slack *slacksim.Sim, share float64) {
	for _, e := range slack.Log() {
		if e.Kind == slacksim.LogAPI {
			f["slack:"+e.Method] += share
			f["slack:all"] += share
		}
	}
}
