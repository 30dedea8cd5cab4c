package azuresim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// rollingUpgrade is what a set of mode Rolling does by itself when its model changes: batches of
// maxBatchInstancePercent, one update domain after another, the next one when every instance of the
// last is up and healthy. An instance that failed, or is not healthy in time, faults it.
type rollingUpgrade struct {
	code    string // RollingForward, Completed, Cancelled, Faulted
	start   time.Time
	last    time.Time
	action  string // Start, Cancel
	todo    []*instance
	batch   []*instance
	done    int
	err     *armError
	stopped bool
	op      *operation // that holds the set until the end; nil where a change of the model made the upgrade
	until   time.Time  // it does not end before
}

// propagate is what the upgrade policy makes of a changed model. Manual: nothing. Automatic: all
// instances at once, and the operation waits for them. Rolling: a rolling upgrade of its own.
func (w *world) propagate(s *scaleSet, op *operation) {
	switch s.mode() {
	case "Automatic":
		for _, i := range s.instances {
			if i.doing == "" && !i.protected() {
				op.pending[i] = true
				w.upgrade(i, op)
			}
		}
	case "Rolling":
		w.roll(s)
	}
}

func (w *world) roll(s *scaleSet) {
	r := &rollingUpgrade{code: "RollingForward", action: "Start", start: w.clock, last: w.clock}
	for _, i := range s.instances {
		if !i.latest() && !i.protected() {
			r.todo = append(r.todo, i)
		}
	}
	slices.SortStableFunc(r.todo, func(a, b *instance) int { return cmp.Compare(a.ud, b.ud) })
	if s.rolling != nil {
		s.rolling.stopped = true
	}
	s.rolling = r
	w.at(w.clock.Add(w.scaled(2*modelChange)), func() { w.nextBatch(s, r) })
}

// nextBatch starts a batch, or ends the upgrade when none is left.
func (w *world) nextBatch(s *scaleSet, r *rollingUpgrade) {
	if r.stopped {
		return
	}
	switch {
	case len(r.todo) == 0 && w.clock.Before(r.until):
		w.at(r.until, func() { w.nextBatch(s, r) })
		return
	case len(r.todo) == 0:
		w.endRolling(r, "Completed", nil)
		return
	}
	percent, given := number(s.doc, "properties", "upgradePolicy", "rollingUpgradePolicy", "maxBatchInstancePercent")
	if !given {
		percent = 20
	}
	size, ud := max(len(s.instances)*percent/100, 1), r.todo[0].ud
	r.batch = nil
	for len(r.todo) > 0 && len(r.batch) < size && r.todo[0].ud == ud {
		r.batch, r.todo = append(r.batch, r.todo[0]), r.todo[1:]
	}
	op := w.open(s, "rollingUpgrade", false)
	for _, i := range r.batch {
		if !i.gone && i.doing == "" {
			op.pending[i] = true
			w.upgrade(i, op)
		}
	}
	w.settle(op, noWork)
	w.at(w.clock.Add(w.batchTime(s)), func() { w.judge(s, r) })
}

// batchTime is when a batch is looked at: after the longest upgrade and the pause of the policy.
func (w *world) batchTime(s *scaleSet) time.Duration {
	base := cmp.Or(time.Duration(s.spec.Duration), 3*time.Minute)
	return w.scaled(base + 5*time.Second)
}

// judge looks at the batch that has had its time.
func (w *world) judge(s *scaleSet, r *rollingUpgrade) {
	if r.stopped {
		return
	}
	bad := 0
	for _, i := range r.batch {
		if i.failed() || i.health.code != "" && i.health.code != "healthy" {
			bad++
		}
	}
	r.done += len(r.batch) - bad
	r.last = w.clock
	if bad == 0 {
		w.nextBatch(s, r)
		return
	}
	w.endRolling(r, "Faulted", &armError{Code: "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade",
		Message: "Rolling Upgrade failed after exceeding the MaxUnhealthyUpgradedInstancePercent value defined in the RollingUpgradePolicy."})
}

// endRolling ends a rolling upgrade, and with it the operation that held the set, if one did.
func (w *world) endRolling(r *rollingUpgrade, code string, err *armError) {
	r.code, r.err, r.stopped, r.last = code, err, true, w.clock
	switch {
	case code == "Cancelled":
		r.action = "Cancel"
		w.preempt(r.op)
	case r.op != nil:
		if err != nil {
			r.op.failures = append(r.op.failures, err)
		}
		w.finish(r.op)
	}
}

func (w *world) latestRolling(c *call, s *scaleSet) *reply {
	r := s.rolling
	if r == nil {
		return fail(http.StatusNotFound, "NotFound", "There is no rolling upgrade on Virtual Machine Scale Set '%s'.", s.name)
	}
	failed, going := 0, 0
	for _, i := range r.batch {
		switch {
		case r.code == "Faulted" && (i.failed() || i.health.code != "healthy"):
			failed++
		case !r.stopped:
			going++
		}
	}
	count := func(n int) json.Number { return json.Number(seconds(time.Duration(n) * time.Second)) }
	props := document{
		"policy": value(s.doc, "properties", "upgradePolicy", "rollingUpgradePolicy"),
		"runningStatus": document{"code": r.code, "startTime": stamp(r.start), "lastAction": r.action,
			"lastActionTime": stamp(r.last)},
		"progress": document{"successfulInstanceCount": count(r.done), "failedInstanceCount": count(failed),
			"inProgressInstanceCount": count(going), "pendingInstanceCount": count(len(r.todo))},
	}
	if r.err != nil {
		props["error"] = r.err
	}
	return ok(document{"properties": props, "id": s.id() + "/rollingUpgrades/latest", "name": "latest",
		"type": typeSet + "/rollingUpgrades", "location": s.location})
}

// cancelRolling stops a rolling upgrade; the batch under way finishes.
func (w *world) cancelRolling(c *call, s *scaleSet) *reply {
	r := s.rolling
	if r == nil || r.stopped {
		return fail(http.StatusConflict, "OperationNotAllowed", "There is no running rolling upgrade on Virtual Machine Scale Set '%s' to cancel.", s.name)
	}
	w.endRolling(r, "Cancelled", nil)
	op := w.open(s, "rollingUpgradeCancel", false)
	w.settle(op, noWork)
	return w.accepted(c, op)
}
