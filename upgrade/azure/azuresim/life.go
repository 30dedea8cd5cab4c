package azuresim

import (
	"cmp"
	"time"
)

// The parts of an upgrade's duration at which things happen to an instance. The operation ends when
// its last instance is provisioned; health comes after. Every instance takes between 80 and 100 %
// of the set's duration, so health always follows the operation's end (0.8 > 0.72).
const (
	partStopping    = 0.04
	partStopped     = 0.12
	partDiskSwapped = 0.30
	partStarting    = 0.34
	partRunning     = 0.50
	partProvisioned = 0.72
	partHealthy     = 1.00

	partPower = 0.25 // power actions
)

// step is something that happens to an instance when a part of its time has passed.
type step struct {
	part float64
	do   func()
}

// live starts a new life of i: the steps of the former one no longer happen.
func (w *world) live(i *instance, doing string, steps ...step) {
	i.life++
	i.doing = doing
	life, start, span := i.life, w.clock, w.span(i)
	for n, st := range steps {
		jitter := time.Duration(hash64("jitter", i.armID(), life, n) % 1000)
		w.at(start.Add(time.Duration(st.part*float64(span))+jitter), func() {
			if !i.gone && i.life == life {
				st.do()
				i.etag++
			}
		})
	}
}

// span is how long an upgrade of i takes this time.
func (w *world) span(i *instance) time.Duration {
	base := time.Duration(i.set.spec.Duration)
	if base == 0 {
		base = 3 * time.Minute
	}
	luck := float64(hash64("span", i.armID(), i.life)%1e6) / 1e6
	return w.scaled(time.Duration(float64(base) * (0.8 + 0.2*luck)))
}

func (w *world) setProv(i *instance, code, message string) {
	i.prov = status{code, message, w.clock}
}

func (w *world) setPower(i *instance, code string) { i.power = status{code, "", w.clock} }

// setHealth records what the health source of the set would report; a set without one has none.
func (w *world) setHealth(i *instance, code string, since time.Time) {
	if i.set.health() == "none" {
		i.health = status{}
		return
	}
	if i.health.code != code {
		i.health = status{code, "", since}
	}
	w.watch(i)
}

// powered makes a step of a power state; anything but running takes the health away.
func (w *world) powered(i *instance, part float64, code string) step {
	return step{part, func() {
		w.setPower(i, code)
		switch code {
		case "running":
			i.reported = w.clock
			w.setHealth(i, "initializing", w.clock)
		case "stopped", "deallocated", "deallocating":
			w.setHealth(i, "unknown", w.clock)
		}
	}}
}

// provisioned ends the part of i in op.
func (w *world) provisioned(i *instance, op *operation, part float64) step {
	return step{part, func() {
		i.doing = ""
		w.setProv(i, "succeeded", "")
		w.leave(op, i, nil)
	}}
}

// judged ends the part of i in op as provisioned does, or with the failure a fault has prepared.
// An instance that failed does not count as having the model: it needs another upgrade.
func (w *world) judged(i *instance, op *operation, part float64) step {
	end := w.provisioned(i, op, part)
	return step{part, func() {
		err := i.failNext
		if err == nil {
			end.do()
			return
		}
		i.failNext, i.doing, i.applied = nil, "", ""
		w.setProv(i, "failed/"+err.Code, err.Message)
		w.setHealth(i, "unhealthy", w.clock)
		w.leave(op, i, err)
	}}
}

// healthy is the last step of coming up.
func (w *world) healthy(i *instance, part float64) step {
	return step{part, func() {
		if !i.failed() {
			w.setHealth(i, cmp.Or(i.comesUp, "healthy"), w.clock)
		}
	}}
}

// adopt makes a step in which i takes over the model as it was when the action started.
func (w *world) adopt(i *instance, part float64, newDisk bool) step {
	s := i.set
	profile, size, print := s.profile(), text(s.doc, "sku", "name"), s.fingerprint()
	exact, _ := w.opt.Fleet.resolve(s.image(), s.location)
	return step{part, func() {
		i.profile, i.size, i.applied = profile, size, print
		i.renew()
		if newDisk {
			i.exact = exact
			i.disk++
		}
	}}
}

// needsDisk tells whether bringing i to the model replaces its OS disk. A model that says "latest"
// does so when the catalogue has moved on (azure-sdk-for-net#28491 saw it).
func (w *world) needsDisk(i *instance) bool {
	now, then := i.set.image(), profileImage(i.profile)
	exact, _ := w.opt.Fleet.resolve(now, i.set.location)
	return exact != i.exact || now.family() != then.family()
}

// upgrade brings i to the present model. An instance that is there already is left alone; a change
// that needs neither a new disk nor another size is applied without a restart; a deallocated
// instance stays deallocated.
func (w *world) upgrade(i *instance, op *operation) bool {
	disk := w.needsDisk(i)
	if !disk && i.applied == i.set.fingerprint() && !i.failed() {
		w.leave(op, i, nil)
		return false
	}
	light := !disk && !i.failed() && i.failNext == nil && i.size == text(i.set.doc, "sku", "name")
	swap := w.adopt(i, partDiskSwapped, disk || i.failed())
	w.hide(i)
	w.setProv(i, "updating", "")
	switch {
	case i.power.code == "deallocated":
		w.live(i, op.kind, swap, w.judged(i, op, partDiskSwapped+0.02))
	case light:
		w.live(i, op.kind, swap, w.provisioned(i, op, partDiskSwapped+0.02))
	default:
		w.live(i, op.kind, w.replaceDisk(i, op, swap)...)
	}
	return true
}

// reimage gives i a fresh disk from the model it has; "latest" is resolved anew (azure-cli#28008). An
// ephemeral disk goes back to what it was (azure-cli#28670).
func (w *world) reimage(i *instance, op *operation) bool {
	w.hide(i)
	w.setProv(i, "updating", "")
	exact, ok := w.opt.Fleet.resolve(profileImage(i.profile), i.set.location)
	if !ok || i.ephemeral() {
		exact = i.exact
	}
	w.live(i, op.kind, w.replaceDisk(i, op, step{partDiskSwapped, func() {
		i.exact = exact
		i.disk++
	}})...)
	return true
}

func (w *world) replaceDisk(i *instance, op *operation, swap step) []step {
	return []step{
		w.powered(i, partStopping, "stopping"),
		w.powered(i, partStopped, "stopped"),
		swap,
		w.powered(i, partStarting, "starting"),
		w.powered(i, partRunning, "running"),
		w.judged(i, op, partProvisioned),
		w.healthy(i, partHealthy),
	}
}

// create lets a new instance come up.
func (w *world) create(i *instance, op *operation) {
	w.setProv(i, "creating", "")
	w.live(i, op.kind,
		w.powered(i, 0.10, "starting"), w.powered(i, 0.25, "running"),
		w.provisioned(i, op, 0.45), w.healthy(i, 0.70))
}

// start, restart, powerOff and deallocate are the power actions; one that finds nothing to do ends
// at once.
func (w *world) start(i *instance, op *operation) bool {
	if i.power.code == "running" {
		w.leave(op, i, nil)
		return false
	}
	w.setProv(i, "updating", "")
	w.live(i, op.kind, w.powered(i, 0.03, "starting"), w.powered(i, 0.15, "running"),
		w.provisioned(i, op, partPower), w.healthy(i, 0.50))
	return true
}

func (w *world) restart(i *instance, op *operation) bool {
	if i.power.code == "deallocated" {
		return w.start(i, op)
	}
	w.setProv(i, "updating", "")
	w.live(i, op.kind, w.powered(i, 0.03, "stopping"), w.powered(i, 0.08, "stopped"),
		w.powered(i, 0.10, "starting"), w.powered(i, 0.18, "running"),
		w.provisioned(i, op, partPower), w.healthy(i, 0.50))
	return true
}

func (w *world) powerOff(i *instance, op *operation) bool {
	return w.down(i, op, "stopping", "stopped")
}

func (w *world) deallocate(i *instance, op *operation) bool {
	return w.down(i, op, "deallocating", "deallocated")
}

func (w *world) down(i *instance, op *operation, going, gone string) bool {
	if i.power.code == gone || gone == "stopped" && i.power.code == "deallocated" {
		w.leave(op, i, nil)
		return false
	}
	w.setProv(i, "updating", "")
	w.live(i, op.kind, w.powered(i, 0.03, going), w.powered(i, 0.15, gone), w.provisioned(i, op, partPower))
	return true
}

// remove deletes the machine.
func (w *world) remove(i *instance, op *operation) bool {
	w.setProv(i, "deleting", "")
	w.live(i, op.kind, w.powered(i, 0.05, "stopping"), step{partPower, func() {
		i.set.remove(i)
		w.leave(op, i, nil)
	}})
	return true
}

// hide keeps showing i as it is now for as long as a lag fault says.
func (w *world) hide(i *instance) {
	if i.set.lag == 0 {
		return
	}
	was := *i
	was.shown = nil
	i.shown, i.shownUntil = &was, w.clock.Add(i.set.lag)
}

// visible is what ARM shows of i.
func (w *world) visible(i *instance) *instance {
	if i.shown != nil && w.clock.Before(i.shownUntil) {
		return i.shown
	}
	return i
}
