package upgrade

import "time"

// usual is what one call is expected to take from its start to the second good reading of its slowest
// instance, without a history of the set to go by. It is a guess on the cautious side.
const usual = 5 * time.Minute

// expected is it for this set: with OS-image notification each instance may wait 15 minutes first.
func expected(s ScaleSet) time.Duration {
	if s.ImageNotice {
		return usual + 15*time.Minute
	}
	return usual
}

// Forecast is what a plan expects of one gate.
type Forecast struct {
	Calls   int           // to Azure, one after the other
	Work    time.Duration // of these, without soak and waiting for people; zero in plans older than its keeping
	Serving int           // instances that serve at least meanwhile
}

// Foretell says what the plan expects of each of its gates, if the set stays as it was. So many may be
// down at once as max-unavailable leaves beside those that did not serve; taking these down costs
// nothing (R27), but how many of a gate they are is not kept, so that it is not counted on.
func (p Plan) Foretell() []Forecast {
	out := make([]Forecast, len(p.Gates))
	for n, g := range p.Gates {
		room := max(1, min(p.Limits.MaxUnavailable-(p.Total-p.Available), p.Limits.BatchCap))
		calls := (len(g.Instances) + room - 1) / room
		out[n] = Forecast{Calls: calls, Work: time.Duration(calls) * p.Batch, Serving: p.serving(len(g.Instances))}
	}
	return out
}

// serving is how many instances serve at least while a gate of that size is upgraded.
func (p Plan) serving(size int) int {
	budget := max(0, p.Limits.MaxUnavailable-(p.Total-p.Available))
	return max(0, p.Available-min(size, budget, p.Limits.BatchCap))
}

// Length is how long the plan is expected to take without waiting for people: work, soaks and bake.
func (p Plan) Length() (work, rest time.Duration) {
	for _, f := range p.Foretell() {
		work += f.Work
	}
	return work, time.Duration(max(0, len(p.Gates)-1))*p.Limits.Soak + p.Limits.Bake
}
