package azuresim

import (
	"strings"
	"time"
)

// Automatic repairs, as the page on automatic instance repairs describes them: an instance that has
// been unhealthy for the grace period is replaced, reimaged or restarted, at most 5 % of the set at a
// time. The period counts from the last change of its state, and anew when the service is resumed.

const (
	repairing    = "automaticRepairs"
	defaultGrace = 10 * time.Minute
	repairAgain  = 30 * time.Second // until the next look at what cannot be repaired yet, before Speed
)

// service is the state of automatic repairs that goes with the set's policy; a suspended service stays so.
func (s *scaleSet) service() string {
	switch {
	case !flag(s.doc, "properties", "automaticRepairsPolicy", "enabled"):
		return "NotRunning"
	case s.repairs == "Suspended":
		return s.repairs
	}
	return "Running"
}

// grace is the period of the policy, which is an ISO 8601 duration of hours, minutes and seconds.
func (s *scaleSet) grace() time.Duration {
	iso := strings.ToLower(text(s.doc, "properties", "automaticRepairsPolicy", "gracePeriod"))
	d, err := time.ParseDuration(strings.TrimPrefix(iso, "pt"))
	if err != nil {
		return defaultGrace
	}
	return d
}

// ill tells whether i is of those that are repaired: it runs, and its health is bad or unknown.
func (i *instance) ill() bool {
	return !i.gone && i.power.code == "running" && (i.health.code == "unhealthy" || i.health.code == "unknown")
}

// watch has automatic repairs look at i when the grace period is over, if it is ill now.
func (w *world) watch(i *instance) {
	if i.set.repairs == "Running" && i.ill() {
		w.lookAgain(i, w.clock.Add(w.scaled(i.set.grace())))
	}
}

func (w *world) watchAll(s *scaleSet) {
	for _, i := range s.instances {
		w.watch(i)
	}
}

func (w *world) lookAgain(i *instance, when time.Time) {
	if i.watched {
		return
	}
	i.watched = true
	w.at(when, func() {
		i.watched = false
		w.inspect(i)
	})
}

// inspect repairs i, or looks again later if that is too early or there are too many.
func (w *world) inspect(i *instance) {
	s := i.set
	if s.repairs != "Running" || s.deleting || !i.ill() {
		return
	}
	since := i.health.since
	if i.prov.since.After(since) {
		since = i.prov.since
	}
	due := since.Add(w.scaled(s.grace()))
	switch {
	case due.After(w.clock):
		w.lookAgain(i, due)
	case i.doing != "" || i.kept() || s.underRepair() >= max(len(s.instances)*5/100, 1):
		w.lookAgain(i, w.clock.Add(max(w.scaled(repairAgain), time.Millisecond)))
	default:
		w.repair(i)
	}
}

// underRepair counts the instances that are being repaired, their successors too.
func (s *scaleSet) underRepair() int {
	n := 0
	for _, i := range s.instances {
		if i.doing == repairing {
			n++
		}
	}
	return n
}

func (w *world) repair(i *instance) {
	op := w.open(i.set, repairing, false)
	op.pending[i] = true
	switch strings.ToLower(text(i.set.doc, "properties", "automaticRepairsPolicy", "repairAction")) {
	case "reimage":
		w.reimage(i, op)
	case "restart":
		w.restart(i, op)
	default:
		w.replace(i, op)
	}
	w.settle(op, noWork)
}

// replace deletes i and makes another, with an id of its own, on the model as it is then.
func (w *world) replace(i *instance, op *operation) {
	w.setProv(i, "deleting", "")
	w.live(i, op.kind, w.powered(i, 0.05, "stopping"), step{partPower, func() {
		i.set.remove(i)
		next := w.newInstance(i.set, w.clock)
		op.pending[next] = true
		w.create(next, op)
		w.leave(op, i, nil)
	}})
}
