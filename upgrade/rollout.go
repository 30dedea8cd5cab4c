package upgrade

import (
	"maps"
	"slices"
	"time"
)

// Rollout is one execution of a plan, as folded from its events: what people said, what was sent,
// what was first seen. It holds no decision: the phase people see is worked out each time.
type Rollout struct {
	ID        string
	Seq       int // of the last event folded
	Requester string
	Name      string // the requester's, for showing
	Channel   string
	Digest    string
	At        time.Time

	Askings   map[string]int      // how often each gate was asked
	Asked     map[string]AskedAt  // the latest asking of each gate
	Votes     map[string][]Ballot // yes votes of the latest asking of each gate
	Grants    map[string]Grant    // the latest grant of each gate
	Denial    *Said               // the open no, with Gate
	Pause     *Said
	Abort     *Said
	Model     ModelState
	Op        *OpStatus // the unfinished operation
	Refusal   *Refused  // the last definite no, until something is accepted
	RefusedAt time.Time
	Batches   []BatchStatus // in the order they were sent
	Instances map[string]InstanceStatus
	Lowest    int // the lowest number of serving instances seen while running; -1 = none seen
	Ended     *Ended
	EndedAt   time.Time
	Unread    string // the kind of a journal entry this version does not know
}

// AskedAt is an asking and when it was.
type AskedAt struct {
	Asked
	At time.Time
}

// Ballot is one person's yes.
type Ballot struct {
	By, Name string
	At       time.Time
}

// Grant is the agreement to a gate of the plan with that digest.
type Grant struct {
	Granted
	At time.Time
}

// Said is who said something, why and when.
type Said struct {
	By, Name, Reason string
	Gate             string
	Answer           ModelAnswer
	At               time.Time
}

// ModelState is what the rollout has done to the set's model.
type ModelState struct {
	Set      bool  // our PATCH was accepted
	Image    Image // what we set
	Previous Image // what was there before
	Asked    *ModelAsked
	Answer   ModelAnswer
	AnswerBy string
	Reverted bool   // the revert is over, one way or the other
	Detail   string // why the model was left, if it was
}

// OpStatus is an operation and how far it has come.
type OpStatus struct {
	Operation
	State      OpState
	IntendedAt time.Time
	SentAt     time.Time
	AcceptedAt time.Time
	SettledAt  time.Time
	Azure      time.Time // Azure's own time of acceptance, zero if it told none
	Cause      string    // of an unknown outcome
	Looks      []Look
}

// Unknown reports whether the operation's outcome is unknown: it may be at work or not.
func (o *OpStatus) Unknown() bool { return o.State == StateSending }

// Look is one complete list after an unknown outcome.
type Look struct {
	At       time.Time
	Outdated []string
}

// BatchStatus is one manualupgrade call. A re-send after an unknown outcome is the same batch.
type BatchStatus struct {
	N         int
	Gate      string
	Instances []string
	Op        OpStatus
}

// InstanceStatus is where one instance stands.
type InstanceStatus struct {
	State   Progress
	Gate    string
	Batch   int
	Image   string
	Detail  string
	Started time.Time // when its call was sent
	At      time.Time // of the last change
}

// Fold replays events into a rollout. The same events always give the same rollout.
func Fold(id string, events []Event) Rollout {
	r := Rollout{ID: id, Lowest: -1, Askings: map[string]int{},
		Asked: map[string]AskedAt{}, Votes: map[string][]Ballot{}, Grants: map[string]Grant{}, Instances: map[string]InstanceStatus{}}
	for _, e := range events {
		r.apply(e)
	}
	return r
}

// With returns the rollout after more events; r itself is not changed.
func (r Rollout) With(events ...Event) Rollout {
	r.Asked, r.Votes, r.Grants, r.Instances = maps.Clone(r.Asked), maps.Clone(r.Votes), maps.Clone(r.Grants), maps.Clone(r.Instances)
	r.Askings, r.Batches = maps.Clone(r.Askings), slices.Clone(r.Batches)
	if r.Op != nil {
		op := *r.Op
		op.Looks = slices.Clone(op.Looks)
		r.Op = &op
	}
	for _, e := range events {
		r.apply(e)
	}
	return r
}

// apply folds one event in. It is a long switch on purpose: one case a fact, each a few lines.
func (r *Rollout) apply(e Event) {
	r.Seq = max(r.Seq, e.Seq)
	switch f := e.Fact.(type) {
	case Requested:
		r.Requester, r.Name, r.Channel, r.Digest, r.At = e.By, f.Name, f.Channel, f.Digest, e.At
	case Asked:
		r.Asked[f.Gate], r.Votes[f.Gate], r.Askings[f.Gate] = AskedAt{f, e.At}, nil, f.Asking
		delete(r.Grants, f.Gate)
		r.Denial = nil
	case AskedAgain:
		delete(r.Asked, f.Gate)
		delete(r.Votes, f.Gate)
		delete(r.Grants, f.Gate)
		r.Denial = nil
	case Voted:
		r.Votes[f.Gate] = append(slices.Clone(r.Votes[f.Gate]), Ballot{e.By, f.Name, e.At})
	case Granted:
		r.Grants[f.Gate] = Grant{f, e.At}
	case Denied:
		r.Denial = &Said{By: e.By, Name: f.Name, Reason: f.Reason, Gate: f.Gate, At: e.At}
		delete(r.Grants, f.Gate)
	case Paused:
		r.Pause = &Said{By: e.By, Name: f.Name, Reason: f.Reason, At: e.At}
	case Resumed:
		r.Pause = nil
	case AbortAsked:
		r.Abort = &Said{By: e.By, Name: f.Name, Reason: f.Reason, Answer: f.Answer, At: e.At}
		if f.Answer != ModelOpen {
			r.Model.Answer, r.Model.AnswerBy = f.Answer, e.By
		}
	case ModelAsked:
		r.Model.Asked = &f
	case ModelAnswered:
		r.Model.Answer, r.Model.AnswerBy = f.Answer, e.By
	case ModelSet:
		r.Model.Set, r.Model.Image = true, f.Image
		if r.Model.Previous == (Image{}) {
			r.Model.Previous = f.Previous
		}
	case ModelReverted:
		r.Model.Reverted, r.Model.Detail = true, f.Detail
	case Intended:
		r.Op = &OpStatus{Operation: f.Op, State: StateIntended, IntendedAt: e.At}
	case InstanceSeen:
		r.see(f, e.At)
	case Serving:
		r.Lowest = f.N
	case Ended:
		r.Ended, r.EndedAt = &f, e.At
	case Unread:
		r.Unread = f.Kind
	default:
		r.applyOp(e)
	}
}

// applyOp folds what became of the unfinished operation. Facts about any other are ignored: they
// came after its end was known.
func (r *Rollout) applyOp(e Event) {
	if r.Op == nil {
		return
	}
	op := r.Op
	switch f := e.Fact.(type) {
	case Sending:
		op.State, op.SentAt = StateSending, e.At
		r.start(e.At)
	case Unanswered:
		op.Cause = f.Cause
	case Accepted:
		op.State, op.AcceptedAt, op.Azure = StateAccepted, e.At, f.Azure
		r.Refusal = nil
	case Looked:
		op.Looks = append(op.Looks, Look{e.At, f.Outdated})
	case Refused:
		r.Refusal, r.RefusedAt = &f, e.At
		if op.Resend {
			op.State, op.SettledAt = StateFailed, e.At
			r.keepBatch()
		}
		r.unstart()
		r.Op = nil
		return
	case Dropped:
		r.unstart()
		r.Op = nil
		return
	case Settled:
		op.State, op.SettledAt = StateDone, e.At
		if !f.OK {
			op.State, op.Cause = StateFailed, f.Code+" "+f.Message
		}
		r.keepBatch()
		r.Op = nil
		return
	}
	r.keepBatch()
}

// start marks the operation's instances as going: from Sending on, Azure may be at work.
func (r *Rollout) start(at time.Time) {
	op := r.Op
	if op.Kind != OpUpgrade {
		return
	}
	if !op.Resend {
		r.Batches = append(r.Batches, BatchStatus{N: op.Batch, Gate: op.Gate, Instances: op.Instances, Op: *op})
	}
	for _, id := range op.Instances {
		if r.Instances[id].State == Waiting {
			r.Instances[id] = InstanceStatus{State: Going, Gate: op.Gate, Batch: op.Batch, Started: at, At: at}
		}
	}
}

// unstart takes a definitely refused batch back: nothing happened to its instances. After a refused
// re-send the first call's outcome stays unknown, so those stay as they are.
func (r *Rollout) unstart() {
	op := r.Op
	if op.Kind != OpUpgrade || op.Resend || op.State == StateIntended {
		return
	}
	for _, id := range op.Instances {
		if r.Instances[id].State == Going {
			delete(r.Instances, id)
		}
	}
	r.Batches = r.Batches[:len(r.Batches)-1]
}

func (r *Rollout) keepBatch() {
	if r.Op.Kind != OpUpgrade || len(r.Batches) == 0 || r.Op.State == StateIntended {
		return
	}
	r.Batches[len(r.Batches)-1].Op = *r.Op
}

func (r *Rollout) see(f InstanceSeen, at time.Time) {
	i := r.Instances[f.ID]
	i.State, i.At, i.Detail = f.State, at, f.Detail
	if f.Image != "" {
		i.Image = f.Image
	}
	r.Instances[f.ID] = i
}

// LastDecided returns the decision that was last recorded: what people are shown.
func LastDecided(events []Event) Decided {
	for _, e := range slices.Backward(events) {
		if d, ok := e.Fact.(Decided); ok {
			return d
		}
	}
	return Decided{}
}

// Count returns how many of the plan's instances are in each state.
func (r Rollout) Count(p Plan) map[Progress]int {
	n := map[Progress]int{}
	for _, g := range p.Gates {
		for _, m := range g.Instances {
			n[r.Instances[m.ID].State]++
		}
	}
	return n
}

// GateDone reports whether every instance of the gate is in a final state, and since when.
func (r Rollout) GateDone(g Gate) (since time.Time, done bool) {
	for _, m := range g.Instances {
		i := r.Instances[m.ID]
		if !i.State.Final() {
			return time.Time{}, false
		}
		if i.At.After(since) {
			since = i.At
		}
	}
	return since, true
}

// CurrentGate returns the first gate that is not done; ok is false when all are.
func (r Rollout) CurrentGate(p Plan) (g Gate, index int, ok bool) {
	for i, g := range p.Gates {
		if _, done := r.GateDone(g); !done {
			return g, i, true
		}
	}
	return Gate{}, len(p.Gates), false
}

// OpenBatch returns the last batch that is not finished: its call is over or not, but instances of it
// are not in a final state.
func (r Rollout) OpenBatch() (BatchStatus, bool) {
	for _, b := range slices.Backward(r.Batches) {
		for _, id := range b.Instances {
			if !r.Instances[id].State.Final() {
				return b, true
			}
		}
	}
	return BatchStatus{}, false
}

// Started reports whether anything was ever sent to Azure for the rollout.
func (r Rollout) Started() bool { return r.Model.Set || len(r.Batches) > 0 }
