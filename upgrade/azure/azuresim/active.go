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
		out = append(out, s.heldBack("never-healthy", -1, func(i *instance) bool { return i.comesUp == "unhealthy" })...)
		out = append(out, s.heldBack("health-unknown", -1, func(i *instance) bool { return i.comesUp == "unknown" })...)
		out = append(out, s.heldBack("health-missing", -1, func(i *instance) bool { return i.mute })...)
		out = append(out, s.flapping()...)
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

// flapping is one fault for all instances that flap equally often.
func (s *scaleSet) flapping() []ActiveFault {
	var out []ActiveFault
	for _, i := range s.instances {
		n := slices.IndexFunc(out, func(f ActiveFault) bool { return f.Delay == Duration(i.flap) })
		switch {
		case i.flap == 0:
		case n < 0:
			out = append(out, ActiveFault{Fault: Fault{Kind: "flap", Set: s.id(), Delay: Duration(i.flap), Instances: []string{i.id}}, Left: -1})
		default:
			out[n].Instances = append(out[n].Instances, i.id)
		}
	}
	return out
}

// lift takes every active fault away. What it has done stays, but an instance that was kept from
// getting healthy, or flaps, is healthy now.
func (w *world) lift() {
	w.armed, w.planned = nil, nil
	for _, s := range w.sets {
		s.arrested, s.lag = nil, 0
		for _, i := range s.instances {
			kept := i.comesUp != "" && i.health.code == i.comesUp || i.flap > 0 && i.health.code == "unhealthy"
			if kept && i.power.code == "running" && !i.failed() {
				w.setHealth(i, "healthy", w.clock)
				i.etag++
			}
			i.failNext, i.shown, i.comesUp, i.mute, i.flap = nil, nil, "", false, 0
		}
	}
}
