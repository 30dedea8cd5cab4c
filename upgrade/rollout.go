package upgrade

import (
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
	Owner     string // who is called; the requester until the rollout is handed over
	OwnerName string
	Channel   string
	Digest    string
	At        time.Time
	Wave      *Wave           // its place among the rollouts of one command; nil = it is alone
	Over      map[string]bool // rollouts of earlier waves that an approver lets it go on without
	OverAt    time.Time       // when that was said last

	Askings   map[string]int      // how often each gate was asked
	Asked     map[string]AskedAt  // the latest asking of each gate
	Votes     map[string][]Ballot // yes votes of the latest asking of each gate
	Grants    map[string]Grant    // the latest grant of each gate
	Reminded  map[string]int      // the latest asking of each gate that people were reminded of
	Escalated map[string]int      // the latest asking of each gate for which others were called in
	Denial    *Said               // the open no, with Gate
	Vetoed    bool                // somebody denied what the requester had agreed to: their own yes counts no more
	Deaf      bool                // people cannot reach the bot, as was last decided
	HeardAt   time.Time           // when they could once more
	Pause     *Said
	Abort     *Said
	Model     ModelState
	Op        *OpStatus              // the unfinished operation
	Cards     map[string][]int       // the askings of each gate that got a card of their own
	Absent    map[string]time.Time   // since when lists have lacked an instance
	Probes    map[string]ProbeStatus // external gates, by name
	Born      map[string]Member      // instances the set got since the plan, by id
	Pictured  map[string]bool        // what people have a picture of
	Failed    []string               // instances that have failed on a picture
	UnfoundAt time.Time              // since when Azure has known no such set; zero = it knows it
	Holds     []HoldPost             // holds that were announced, for their messages; deciding ignores them
	Paged     Paged                  // what those outside of Slack were told last and is not over; deciding ignores it
	Refusal   *Refused               // the last definite no, until something is accepted
	RefusedOp Operation              // what it was said to
	RefusedAt time.Time
	Refusals  int           // definite noes in a row
	Batches   []BatchStatus // in the order they were sent
	Instances map[string]InstanceStatus
	Lowest    int // the lowest number of serving instances seen while running; -1 = none seen
	Ended     *Ended
	EndedAt   time.Time
	Unread    string // the kind of a journal entry this version does not know
}

// HoldPost is a decision that was announced, and the number of its event, which names its message.
type HoldPost struct {
	Seq     int
	Decided Decided
}

// AskedAt is an asking and when it was.
type AskedAt struct {
	Asked
	At time.Time
}

// Until is when the asking and every yes to it run out: as was told on the card, sooner when the
// policy in force has become stricter since (R21, R22).
func (a AskedAt) Until(inForce Policy) time.Time {
	if soon := later(a.At, a.Opens).Add(inForce.ApprovalLife); inForce.ApprovalLife > 0 && soon.Before(a.Expires) {
		return soon
	}
	return a.Expires
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
	Of               string // of a pause: what was paused at once
	Answer           ModelAnswer
	Rollback         bool // of an abort: a rollout back follows (R5)
	At               time.Time
}

// ModelState is what the rollout has done to the set's model.
type ModelState struct {
	Set      bool    // our PATCH was accepted
	To       Setting // what we set
	Previous Setting // what was there before
	Asked    *ModelAsked
	Answer   ModelAnswer
	AnswerBy string
	Lost     bool   // a revert certainly never happened, and is tried once more
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
	Cause      string    // of an unknown outcome or a failure
	Code       string    // of a failure
	Looks      []Look
}

// Unknown reports whether the operation's outcome is unknown: it may be at work or not.
func (o *OpStatus) Unknown() bool { return o.State == StateSending }

// Look is one complete list after an unknown outcome.
type Look struct {
	At       time.Time
	Outdated []string
	Moving   bool // the set was at work: what was seen before counts no more
}

// BatchStatus is one manualupgrade call. A re-send after an unknown outcome is the same batch.
type BatchStatus struct {
	N         int
	Gate      string
	Instances []string
	Op        OpStatus
	Owed      []string // ids whose one re-send was decided and certainly never happened; nil = none
}

// InstanceStatus is where one instance stands.
type InstanceStatus struct {
	State   Progress
	Gate    string
	Batch   int
	Image   string
	Detail  string
	Code    string    // Azure's own for Detail
	Started time.Time // when its call was sent
	At      time.Time // of the last change
	Tries   int       // how often it was started
	Retry   bool      // a person wants it started once more
	Kept    bool      // what Azure says of its failure is in the journal
	Vouched bool      // a person says that it is well, as nothing else tells (R29)
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

// Agreement is what a gate of the rollout takes, as far as is known: of its plan, and as was last decided by the
// policy that was in force then.
func (r Record) Agreement() (Right, int) {
	right, need := r.Plan.Agreement(r.Plan.Policy)
	for _, b := range LastDecided(r.Events).Blockers {
		need = max(need, b.Need)
	}
	return right, need
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
		if len(r.Open(b)) > 0 {
			return b, true
		}
	}
	return BatchStatus{}, false
}

// Open lists the instances that the batch is not done with. Those that wait for a retry are the next
// batch's.
func (r Rollout) Open(b BatchStatus) []string {
	var out []string
	for _, id := range b.Instances {
		if i := r.Instances[id]; i.Batch == b.N && !i.State.Final() {
			out = append(out, id)
		}
	}
	return out
}

// In lists the plan's instances in any of the states, in the order of people's counting.
func (r Rollout) In(states ...Progress) []string {
	var out []string
	for id, i := range r.Instances {
		if slices.Contains(states, i.State) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, CompareIDs)
	return out
}

// asks lists the instances of a gate that a yes to it would let go: those that wait, and those whose
// call may be sent once more; nil when that is all of it.
func (r Rollout) asks(p Plan, key string) []string {
	gate, _ := p.Gate(key)
	out := []string{} // none of it is not all of it
	for _, m := range gate.Instances {
		if r.Instances[m.ID].State == Waiting || slices.Contains(r.resendable(gate), m.ID) {
			out = append(out, m.ID)
		}
	}
	if len(out) == len(gate.Instances) {
		return nil
	}
	return out
}

// resendable lists the instances of a gate whose call brought no answer and may be sent once more.
func (r Rollout) resendable(g Gate) []string {
	if op := r.Op; op != nil && op.Unknown() && op.repeatable() && op.Gate == g.Key {
		return op.Instances
	}
	if b, open := r.OpenBatch(); open && b.Gate == g.Key {
		return b.Owed
	}
	return nil
}

// next is the gate of what may be sent next: of the call that may have to be sent once more, else the
// current one. They differ when instances of an earlier gate were taken in again meanwhile.
func (r Rollout) next(p Plan) string {
	if r.Op != nil {
		return r.Op.Gate
	}
	if b, open := r.OpenBatch(); open && len(b.Owed) > 0 {
		return b.Gate
	}
	gate, _, _ := r.CurrentGate(p)
	return gate.Key
}

// Startable reports whether something of the gate may still be sent: instances that wait, or the one
// re-send of a call that brought no answer.
func (r Rollout) Startable(g Gate) bool {
	return len(r.resendable(g)) > 0 || slices.ContainsFunc(g.Instances, func(m Member) bool { return r.Instances[m.ID].State == Waiting })
}

// standing is the policy as it holds for a gate. Whoever is called in when nobody answers is an approver of that
// asking of the gate from then on, and of nothing else (R23).
func (r Rollout) standing(p Policy, gate string) Policy {
	if asked, isAsked := r.Asked[gate]; isAsked && r.Escalated[gate] == asked.Asking {
		return p.calledIn()
	}
	return p
}

// Started reports whether anything was ever sent to Azure for the rollout.
func (r Rollout) Started() bool { return r.Model.Set || len(r.Batches) > 0 }
