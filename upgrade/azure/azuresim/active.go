package azuresim

import (
	"slices"
	"time"
)

// ActiveFault is a fault that waits for its moment or still holds. What has happened once and for
// all (vanish, born, change-model, …) is none.
type ActiveFault struct {
	Fault           // as it was injected, Set as a resource id
	Left  int       `json:"left"`          // how often it will strike still; negative: until it is lifted
	From  time.Time `json:"from,omitzero"` // when it strikes, or may strike, first; zero: it already may
}

// activeFaults lists them: those of the wire, those of time, then set by set.
func (w *world) activeFaults() []ActiveFault {
	var out []ActiveFault
	for _, a := range slices.Concat(w.armed, w.planned) {
		out = append(out, w.active(a))
	}
	for _, s := range w.sortedSets() {
		for _, a := range s.arrested {
			out = append(out, w.active(a))
		}
		if s.lag > 0 {
			out = append(out, ActiveFault{Fault: Fault{Kind: "lag", Set: s.id(), Delay: Duration(s.lag)}, Left: -1})
		}
		out = append(out, s.heldBack("fail-instance", 1, func(i *instance) bool { return i.failNext != nil })...)
		out = append(out, s.heldBack("never-healthy", -1, func(i *instance) bool { return i.neverHealthy })...)
	}
	return out
}

func (w *world) active(a *armedFault) ActiveFault {
	out := ActiveFault{Fault: a.Fault, Left: a.left}
	if a.from.After(w.clock) {
		out.From = a.from
	}
	return out
}

// heldBack is the fault of a kind that sits in instances of s, if in any.
func (s *scaleSet) heldBack(kind string, left int, has func(*instance) bool) []ActiveFault {
	var struck []string
	for _, i := range s.instances {
		if has(i) {
			struck = append(struck, i.id)
		}
	}
	if struck == nil {
		return nil
	}
	return []ActiveFault{{Fault: Fault{Kind: kind, Set: s.id(), Instances: struck}, Left: left}}
}

// lift takes every active fault away. What it has done stays, but an instance that was kept from
// getting healthy gets healthy now.
func (w *world) lift() {
	w.armed, w.planned = nil, nil
	for _, s := range w.sets {
		s.arrested, s.lag = nil, 0
		for _, i := range s.instances {
			i.failNext, i.shown = nil, nil
			if i.neverHealthy && i.health.code == "unhealthy" && i.power.code == "running" && !i.failed() {
				w.setHealth(i, "healthy", w.clock)
				i.etag++
			}
			i.neverHealthy = false
		}
	}
}
