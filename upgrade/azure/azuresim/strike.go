package azuresim

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// strike lets a fault of the world happen now. Instances that are gone by then are let be.
func (w *world) strike(f Fault, s *scaleSet) {
	w.stats.Faults[f.Kind]++
	switch f.Kind {
	case "lag":
		s.lag = time.Duration(f.Delay)
	case "scale":
		w.autoscale(s, cmp.Or(f.Count, 1))
	case "born":
		w.born(s, cmp.Or(f.Count, 1))
	case "change-model":
		w.changeModel(s, f)
	case "foreign-upgrade":
		w.foreignUpgrade(s, f)
	case "foreign-rolling":
		w.foreignRolling(s, f)
	case "cancel-rolling":
		w.foreignCancel(s)
	}
	for _, id := range f.targets() {
		if i := s.find(id); i != nil && slices.Contains(onInstance, f.Kind) {
			w.strikeInstance(f, i)
		}
	}
}

func (w *world) strikeInstance(f Fault, i *instance) {
	switch f.Kind {
	case "fail-instance":
		i.failNext = f.failure(i)
	case "stale-failed":
		w.leaveFailed(i, f)
	case "never-healthy":
		i.comesUp = "unhealthy"
	case "health-unknown":
		i.comesUp = "unknown"
	case "health-missing":
		i.mute = true
	case "flap":
		i.flap, i.flaps = max(cmp.Or(time.Duration(f.Delay), 30*time.Second), time.Second), i.flaps+1
		w.flip(i, i.flaps)
	case "unhealthy-now":
		w.setHealth(i, "unhealthy", w.clock)
		i.health.message = f.Message
	case "healthy-now":
		i.comesUp, i.mute, i.flap = "", false, 0
		w.setHealth(i, "healthy", w.clock)
	case "vanish":
		i.set.remove(i)
		w.interrupt(i, nil)
	case "evict":
		w.evict(i)
	case "move":
		i.ud = f.Count
	case "protect":
		i.own = merge(i.own, document{"properties": document{"protectionPolicy": document{
			"protectFromScaleIn": false, "protectFromScaleSetActions": true}}})
	}
	i.etag++
}

func (f Fault) failure(i *instance) *armError {
	return failure(cmp.Or(f.Code, "VMExtensionProvisioningError"), f.Message, i)
}

// leaveFailed makes i look as if an upgrade of long ago had failed, and nobody had seen to it.
func (w *world) leaveFailed(i *instance, f Fault) {
	err := f.failure(i)
	i.prov = status{"failed/" + err.Code, err.Message, w.clock.Add(-cmp.Or(time.Duration(f.Delay), 24*time.Hour))}
	if i.set.op == nil {
		i.set.prov = "Failed"
	}
}

// flip turns the health of an instance over, if it says anything, now and every so long; n is which of
// the instance's flaps this is.
func (w *world) flip(i *instance, n int) {
	if i.gone || i.flap == 0 || i.flaps != n {
		return
	}
	switch {
	case i.health.code == "healthy":
		w.setHealth(i, "unhealthy", w.clock)
	case i.health.code == "unhealthy" && !i.failed():
		w.setHealth(i, "healthy", w.clock)
	}
	i.etag++
	w.at(w.clock.Add(i.flap), func() { w.flip(i, n) })
}

// born adds instances as autoscale does: the set's capacity follows, no operation is to be seen.
func (w *world) born(s *scaleSet, count int) {
	op := w.open(s, "autoscale", false)
	for range count {
		i := w.newInstance(s, w.clock)
		op.pending[i] = true
		w.create(i, op)
	}
	op.opened = true
	s.touch()
}

func (w *world) changeModel(s *scaleSet, f Fault) {
	patch := document{}
	if len(f.Patch) > 0 {
		patch, _ = decodeDocument(f.Patch) // read when it was injected
	}
	if f.Version != "" {
		patch = merge(patch, s.versionPatch(f.Version))
	}
	record := w.foreign(s, http.MethodPatch, http.MethodPatch)
	record.ImageBefore = w.imageName(s)
	before := s.fingerprint()
	s.setDoc(merge(s.doc, clean(patch)))
	w.watchAll(s)
	s.touch()
	record.ImageAfter = w.imageName(s)
	if s.fingerprint() != before {
		op := w.open(s, http.MethodPatch, false)
		w.propagate(s, op)
		w.settle(op, modelChange)
	}
}

func (w *world) foreignUpgrade(s *scaleSet, f Fault) {
	var chosen []*instance
	for _, i := range s.instances {
		named := slices.Contains(f.targets(), i.id)
		if i.doing == "" && (named || len(f.targets()) == 0 && !i.latest()) {
			chosen = append(chosen, i)
		}
	}
	if s.op != nil || len(chosen) == 0 {
		return // Azure would refuse it, or there is nothing to do
	}
	record := w.foreign(s, http.MethodPost, "manualupgrade")
	record.Instances = ids(chosen)
	op := w.run(s, "manualupgrade", chosen, (*world).upgrade)
	record.Started, record.Operation, record.ImageAfter = op.started, op.id, w.imageName(s)
	record.Status = http.StatusAccepted
}

// foreign records what a fault does in somebody else's name.
func (w *world) foreign(s *scaleSet, method, action string) *Write {
	record := &Write{Seq: len(w.writes) + 1, Time: w.clock, Method: method, Action: action, Path: s.id(), Set: s.key(),
		Status: http.StatusOK, Accepted: true, Answered: true, By: "fault"}
	w.writes = append(w.writes, record)
	return record
}

// foreignRolling starts Azure's own rolling upgrade, which holds the set until it is over.
func (w *world) foreignRolling(s *scaleSet, f Fault) {
	if s.op != nil || s.rolling != nil && !s.rolling.stopped {
		return // Azure would refuse it
	}
	record := w.foreign(s, http.MethodPost, "osrollingupgrade")
	record.ImageBefore = w.imageName(s)
	if f.Version != "" {
		s.setDoc(merge(s.doc, s.versionPatch(f.Version)))
		s.touch()
	}
	op := w.open(s, "osRollingUpgrade", true)
	w.roll(s)
	s.rolling.op, s.rolling.until = op, w.clock.Add(time.Duration(f.Delay))
	record.Started, record.Operation, record.ImageAfter = ids(s.rolling.todo), op.id, w.imageName(s)
	record.Status = http.StatusAccepted
}

func (w *world) foreignCancel(s *scaleSet) {
	if s.rolling == nil || s.rolling.stopped {
		return // Azure would refuse it
	}
	w.foreign(s, http.MethodPost, "cancel").Status = http.StatusAccepted
	w.endRolling(s.rolling, "Cancelled", nil)
}
