package upgradetest

import (
	"slices"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// Troubles are all kinds of trouble that a simulated rollout may meet, by the names that [Simulated.Fired]
// counts them under.
func Troubles() (all []string) {
	for _, from := range []struct {
		where string
		kinds []string
	}{{"azure ", azureKinds}, {"slack ", slackKinds}, {"process ", processKinds}} {
		for _, kind := range from.kinds {
			all = append(all, from.where+kind)
		}
	}
	return all
}

// fired counts how often each kind of trouble has really struck.
func (w *World) fired() map[string]int {
	out := map[string]int{}
	for kind, n := range w.Azure.Stats().Faults {
		if slices.Contains(azureKinds, kind) {
			out["azure "+kind] = n
		}
	}
	for _, e := range w.Slack.Log() {
		if e.Kind != slacksim.LogFault {
			continue
		}
		kind := e.Method
		if e.Error != "" {
			kind = e.Error
		}
		if e.Method == "apps.connections.open" && e.Error == "error" {
			kind = "refuse_open"
		}
		if slices.Contains(slackKinds, kind) {
			out["slack "+kind]++
		}
	}
	for kind, n := range w.deaths() {
		out["process "+kind] = n
	}
	return out
}
