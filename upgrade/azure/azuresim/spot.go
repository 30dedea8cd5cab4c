package azuresim

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

func (s Set) spot() bool { return s.Priority == "Spot" }

func (s Set) checkPriority() error {
	if err := oneOf("priority", s.Priority, "", "Regular", "Spot"); err != nil {
		return err
	}
	if !s.spot() && s.EvictionPolicy != "" {
		return errors.New("evictionPolicy: only a Spot set has one")
	}
	return oneOf("evictionPolicy", s.EvictionPolicy, "", "Deallocate", "Delete")
}

// spot tells whether the model is for Spot machines.
func (s *scaleSet) spot() bool { return isSpot(s.profile()) }

func isSpot(profile document) bool { return strings.EqualFold(text(profile, "priority"), "Spot") }

// How long things around an eviction take, before Speed. The notice is that of Scheduled Events. How
// soon Azure tries to restore is up to its capacity.
const (
	evictionNotice = 30 * time.Second
	spotRestore    = 5 * time.Minute
)

var spotRoutes = []route{
	{method: "POST", pattern: oneVM + "/simulateEviction", name: "VirtualMachineScaleSetVMs_SimulateEviction", policy: vmUpdate, handler: onVM((*world).simulateEviction)},
	{method: "POST", pattern: oneMachine + "/simulateEviction", name: "VirtualMachines_SimulateEviction", policy: machineDelete, handler: onMachine((*world).simulateEviction)},
}

// simulateEviction lets a Spot machine be evicted soon ("within 30 minutes"), at a caller's request.
func (w *world) simulateEviction(c *call, i *instance) *reply {
	c.write.Instances = []string{i.id}
	if !isSpot(i.profile) {
		return fail(http.StatusConflict, "OperationNotAllowed",
			"The operation 'SimulateEviction' is not allowed on VM '%s' since it is not a Spot VM.", i.name())
	}
	c.write.Started = []string{i.id}
	w.at(w.clock.Add(w.scaled(evictionNotice)), func() { w.evict(i) })
	return &reply{status: http.StatusNoContent}
}

// evict takes a Spot machine away, whatever goes on with it: an operation that had it fails there. It is
// deallocated and counts on, or it is deleted and the capacity with it, as its policy says.
func (w *world) evict(i *instance) {
	if i.gone || i.set.deleting || i.power.code == "deallocated" || i.prov.code == "deleting" {
		return
	}
	w.interrupt(i, preempted())
	op := w.open(i.set, "evict", false)
	op.pending[i] = true
	if strings.EqualFold(text(i.profile, "evictionPolicy"), "Delete") {
		w.remove(i, op)
	} else {
		w.deallocate(i, op)
		w.at(w.clock.Add(w.scaled(spotRestore)), func() { w.restore(i) })
	}
	w.settle(op, noWork)
}

// restore starts an evicted machine again where the set's spotRestorePolicy says so.
func (w *world) restore(i *instance) {
	wanted := flag(i.set.doc, "properties", "spotRestorePolicy", "enabled")
	if !wanted || i.gone || i.set.deleting || i.doing != "" || i.power.code != "deallocated" {
		return
	}
	op := w.open(i.set, "spotRestore", false)
	op.pending[i] = true
	w.start(i, op)
	w.settle(op, noWork)
}
