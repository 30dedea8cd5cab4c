package azuresim

// Phase is what a person has to know of an instance, in one word. Its Provisioning, Power and Health
// say the rest.
type Phase string

// The phases. Old and New run and have nothing against them; they tell apart whether an upgrade would
// replace the OS disk.
const (
	PhaseOld          Phase = "old"          // fine, on another image than the model's
	PhaseNew          Phase = "new"          // fine, on the model's image
	PhaseUpdating     Phase = "updating"     // an action has it, it still or already runs
	PhaseStopping     Phase = "stopping"     // or on its way to being deallocated
	PhaseStopped      Phase = "stopped"      // in an upgrade: its disk is being replaced
	PhaseStarting     Phase = "starting"     //
	PhaseInitializing Phase = "initializing" // it runs and has not said yet that it is healthy
	PhaseUnhealthy    Phase = "unhealthy"    // it runs; its health is bad or unknown
	PhaseFailed       Phase = "failed"       // its provisioning failed, whatever it does since
	PhaseDeallocated  Phase = "deallocated"  //
	PhaseCreating     Phase = "creating"     // newborn
	PhaseDeleting     Phase = "deleting"     //
)

func (w *world) phase(i *instance) Phase {
	switch {
	case i.failed():
		return PhaseFailed
	case i.prov.code == "creating":
		return PhaseCreating
	case i.prov.code == "deleting":
		return PhaseDeleting
	case i.power.code != "running":
		return i.resting()
	}
	switch i.health.code {
	case "initializing":
		return PhaseInitializing
	case "unhealthy", "unknown":
		return PhaseUnhealthy
	}
	switch {
	case i.doing != "":
		return PhaseUpdating
	case w.needsDisk(i):
		return PhaseOld
	}
	return PhaseNew
}

// resting is the phase of an instance that does not run.
func (i *instance) resting() Phase {
	switch i.power.code {
	case "stopping", "deallocating":
		return PhaseStopping
	case "starting":
		return PhaseStarting
	case "deallocated":
		return PhaseDeallocated
	}
	return PhaseStopped
}
