package upgrade

import (
	"fmt"
	"strings"
	"time"
)

// Observation holds everything that was read from outside in one pass. A missing part is unknown,
// never zero: Set is nil when the set could not be read whole, and a person absent from Rights may
// nothing.
type Observation struct {
	Set       *ScaleSet
	Missing   string             // why Set is nil, in words
	Gone      bool               // Azure says there is no such set
	Throttled time.Time          // Azure asked for quiet until then; zero = it did not
	Op        *OpReading         // of the accepted operation, nil = not polled or no answer
	Policy    Policy             // in force now
	Rights    map[string]string  // per voter: "" = may approve now, else why not; absent = unknown
	Frozen    string             // why nothing may be written to Azure at all, "" = it may (R19)
	Freezes   []Freeze           // said in Slack; of the configuration's the policy tells
	Begun     []Begun            // started within the last hour, of all rollouts, where there is a budget
	Counted   bool               // whether Begun is all of it
	Up        time.Time          // since when this process has been there to be told no; zero = for as long as matters
	Unheard   Unheard            // since when people do not see what the bot says
	Gates     map[string]Reading // of external gates, by name; absent = not asked
	Pace      Pace

	Before map[string]Standing // per rollout of an earlier wave; absent = unknown
}

// Unheard is since when what the bot says has not reached people, and why; the zero value says that it
// does.
type Unheard struct {
	Since time.Time
	Why   string
	Sure  bool // Slack says so itself: no time need pass
}

// whole takes a list without a single instance of a set that should have some for what it is: no list
// at all (R46).
func (o Observation) whole() Observation {
	if o.Set != nil && len(o.Set.Instances) == 0 && o.Set.Capacity > 0 {
		o.Missing = fmt.Sprintf("Azure listed none of the %s of %s", Count(o.Set.Capacity, "instance"), o.Set.Name)
		o.Set = nil
	}
	return o
}

// OpReading is what Azure said of its own operation.
type OpReading struct {
	Done          bool
	OK            bool
	Code, Message string
	Again         time.Duration // when to ask next at the earliest, as Azure asked; zero = it did not
}

// DecisionKind is the kind of the one next thing to do.
type DecisionKind string

const (
	Nothing  DecisionKind = "nothing"   // the rollout has ended
	Wait     DecisionKind = "wait"      // something clears by itself or by a person's yes
	Hold     DecisionKind = "hold"      // a person must say how to go on
	Drop     DecisionKind = "drop"      // forget an intended write that was never sent
	Resend   DecisionKind = "resend"    // once more after an unknown outcome (R48)
	AskGate  DecisionKind = "ask"       // put the gate to people
	AskModel DecisionKind = "ask-model" // put the model question to people (R4)
	SetModel DecisionKind = "set-model" // PATCH the target image into the model
	Start    DecisionKind = "start"     // manualupgrade of Batch
	PutBack  DecisionKind = "put-back"  // PATCH the previous image back
	SetAside DecisionKind = "set-aside" // quarantine the failed instances of Batch, as the plan says (R30)
	GiveUp   DecisionKind = "give-up"   // abort, or roll back, for the failed instances of Batch, as the plan says (R30)
	End      DecisionKind = "end"
)

// Reason is why a decision is what it is; also the name of a blocker.
type Reason string

const (
	ReasonNone       Reason = ""
	ReasonIncomplete Reason = "incomplete"      // the set could not be read whole
	ReasonInFlight   Reason = "in_flight"       // Azure is at work on our call
	ReasonUnknown    Reason = "unknown_outcome" // a call brought no answer
	ReasonModel      Reason = "model_question"  // what becomes of the model
	ReasonFailure    Reason = "failure"
	ReasonDrift      Reason = "drift"
	ReasonThrottled  Reason = "throttled"
	ReasonBusy       Reason = "busy" // somebody else's operation runs on the set
	ReasonPaused     Reason = "paused"
	ReasonVerifying  Reason = "verifying" // instances come up
	ReasonSoak       Reason = "soak"
	ReasonBake       Reason = "bake"
	ReasonHealth     Reason = "health"
	ReasonApproval   Reason = "approval"
	ReasonDenied     Reason = "denied"
	ReasonExpired    Reason = "approval_expired"
	ReasonUnread     Reason = "unread_journal"
	ReasonUnclear    Reason = "inconclusive"      // instances of which nothing tells whether they are well
	ReasonChannel    Reason = "channel"           // people do not see what the bot says (R19)
	ReasonFreeze     Reason = "freeze"            // nothing may be started (R11, R19)
	ReasonBudget     Reason = "budget"            // so much was started within the hour
	ReasonPolicy     Reason = "policy"            // the policy in force no longer permits it (R21)
	ReasonWindow     Reason = "window"            // it is outside of the windows, or too late in one (R11, R12)
	ReasonProbe      Reason = "external_gate"     // an external gate fails (R32)
	ReasonProbing    Reason = "probing"           // an external gate tells nothing, and may for a while
	ReasonUnproven   Reason = "gate_inconclusive" // it has told nothing for longer than that
	ReasonWave       Reason = "wave"              // the waves before it are not over
	ReasonHalted     Reason = "wave_failed"       // one of them ended and did not succeed
)

// Holds reports whether the reason takes a person's word to go away, other than an approval.
func (r Reason) Holds() bool {
	switch r {
	case ReasonUnknown, ReasonModel, ReasonFailure, ReasonUnclear, ReasonDrift, ReasonPaused, ReasonDenied, ReasonExpired, ReasonUnread, ReasonUnproven, ReasonHalted:
		return true
	}
	return false
}

// Blocker is one thing in the way of the next start: what it is, who or what clears it, when, and
// the command to type. Until is zero when no time is known.
type Blocker struct {
	Reason  Reason
	What    string
	Details []string `json:",omitempty"` // one line each: an instance and why, a difference
	Clears  string
	Until   time.Time
	Next    string
	Also    []string `json:",omitempty"` // other ways out, as commands to type
	Need    int      `json:",omitempty"` // of an approval: how many people it takes by now

	Lapses time.Time `json:",omitzero"`  // of a soak, a freeze, a window or an external gate: when the yes there is runs out, where that may be before the start
	Anew   bool      `json:",omitempty"` // whether people are asked then by themselves; else somebody must say so
}

// Dated reports whether What says itself when it is over.
func (b Blocker) Dated() bool { return strings.HasSuffix(b.What, DateToken(b.Until)) }

// Decision is the one next thing to do, why, and everything in the way. Its Reason is the first
// blocker's. Recheck is when the rollout should be looked at again if nothing happens before.
type Decision struct {
	Kind     DecisionKind
	Reason   Reason
	Gate     string
	Batch    []string
	Outcome  Outcome
	Text     string // the reason in a sentence
	Blockers []Blocker
	Recheck  time.Time
}

// starts reports whether the decision begins what people must see. Putting the old image back ends it.
func (d Decision) starts() bool { return d.Kind == SetModel || d.Kind == Start || d.Kind == Resend }

// view is the arguments of Decide, for the rules below.
type view struct {
	p    Plan
	r    Rollout
	seen Observation
	now  time.Time
}

// Decide returns the one next thing to do, given what people have said (r) and what was read from
// the world in this pass (seen). It reads no clock and does no I/O: the same arguments give the
// same Decision, so a restarted bot picks up where the last one stopped.
//
// The order of the cases is the policy: an ended rollout does nothing; a journal that is not
// understood is not acted on, nor is what could not be read whole; a call in flight is followed
// before anything else; an abort outranks whatever else is in the way; then come, in the order of
// the rules, all that blocks a start.
func Decide(p Plan, r Rollout, seen Observation, now time.Time) Decision {
	v := looking(p, r, seen, now)
	d := v.next()
	d.Recheck = v.recheck(d)
	return d
}

// looking is the view of a pass. A set that Azure does not know is believed to be gone only when it
// has said so for as long as an unknown outcome is watched: one 404 ends nothing.
func looking(p Plan, r Rollout, seen Observation, now time.Time) view {
	v := view{p, r.hearing(now), seen.whole(), now}
	v.seen.Gone = seen.Gone && !r.UnfoundAt.IsZero() && now.Sub(r.UnfoundAt) >= seen.Pace.Settle
	return v
}

func (v view) next() Decision {
	blockers := v.blockers()
	op, abort := v.r.Op, v.r.Abort
	switch {
	case v.r.Ended != nil:
		return Decision{Kind: Nothing, Outcome: v.r.Ended.Outcome, Text: "the rollout has ended"}
	case v.r.Unread != "":
		return v.blocked(blockers)
	case op != nil && op.State == StateIntended:
		return Decision{Kind: Drop, Gate: op.Gate, Text: "the bot stopped before this was sent: nothing happened, it is decided anew"}
	case op == nil && abort != nil && (!v.r.Started() || v.seen.Gone || v.r.Model.Answer == Keep && v.seen.Set == nil):
		return Decision{Kind: End, Outcome: OutcomeAborted, Text: "aborted by " + abort.Name}
	case op == nil && !v.r.Started() && v.expired():
		return Decision{Kind: End, Outcome: OutcomeExpired, Text: "nothing was started in time"}
	case op == nil && v.seen.Gone:
		return Decision{Kind: End, Outcome: OutcomeFailed, Text: fmt.Sprintf("scale set %s does not exist any more", v.p.Name)}
	case v.seen.Set == nil:
		return v.blocked(blockers)
	case op != nil:
		return v.inFlight(blockers)
	case abort != nil:
		return v.closing(OutcomeAborted, "aborted by "+abort.Name, blockers)
	case v.expired():
		return v.closing(OutcomeExpired, "the rollout's time is up", blockers)
	}
	if b, owed := v.owed(); owed {
		return v.resend(b.Gate, v.outdated(Operation{Kind: OpUpgrade, Instances: b.Owed}), blockers)
	}
	return v.forward(blockers)
}

// forward is the way of a rollout that nothing ends and nothing is in flight of.
func (v view) forward(blockers []Blocker) Decision {
	gate, _, open := v.r.CurrentGate(v.p)
	switch failed := v.r.In(Broken); {
	case v.tooMany() && v.limits().OnFailure == QuarantineOnFailure:
		return Decision{Kind: SetAside, Batch: failed, Text: "the plan goes on without what fails", Blockers: blockers}
	case v.tooMany() && v.givesUp():
		return Decision{Kind: GiveUp, Batch: failed, Text: fmt.Sprintf("%s failed, and the plan says on-failure=%s", Instances(failed), v.limits().OnFailure), Blockers: blockers}
	case open && v.mayAsk(gate, blockers):
		return Decision{Kind: AskGate, Reason: ReasonApproval, Gate: gate.Key, Text: gate.Title + " is next", Blockers: blockers}
	case len(blockers) > 0:
		return v.blocked(blockers)
	case !open:
		return v.finished()
	case v.modelNeeded():
		return Decision{Kind: SetModel, Gate: gate.Key, Text: fmt.Sprintf("%s is approved: the model gets %s", gate.Title, v.p.Target)}
	}
	batch := v.batch(gate)
	if len(batch) == 0 { // health says so first; an empty list would mean all of the set
		return v.blocked([]Blocker{{Reason: ReasonHealth, What: "nothing of " + gate.Title + " can be started as it is now", Clears: "the next reading", Next: v.whyCommand()}})
	}
	return Decision{Kind: Start, Gate: gate.Key, Batch: batch, Text: fmt.Sprintf("%s is approved: %s", gate.Title, Count(len(batch), "instance"))}
}

// blocked waits or holds, as the first blocker says, which there must be.
func (v view) blocked(b []Blocker) Decision {
	kind := Wait
	if b[0].Reason.Holds() {
		kind = Hold
	}
	gate, _, _ := v.r.CurrentGate(v.p)
	return Decision{Kind: kind, Reason: b[0].Reason, Gate: gate.Key, Text: b[0].What, Blockers: b}
}

// recheck is when the next look is due: soon while something moves, later while only people or
// time are waited for, never after the end.
func (v view) recheck(d Decision) time.Time {
	if d.Kind == Nothing || d.Kind == End {
		return time.Time{}
	}
	switch d.Kind {
	case Drop, AskGate, AskModel, SetAside, GiveUp:
		return v.now
	case Start, Resend, SetModel, PutBack:
		return v.now.Add(v.seen.Pace.Refresh)
	}
	next := v.now.Add(v.pace(d))
	for _, b := range d.Blockers {
		if b.Until.After(v.now) && b.Until.Before(next) {
			next = b.Until
		}
	}
	if call := v.nextCall(); call.After(v.now) && call.Before(next) {
		next = call
	}
	if v.seen.Throttled.After(next) {
		next = v.seen.Throttled
	}
	return next
}

func (v view) pace(d Decision) time.Duration {
	_, open := v.r.OpenBatch()
	if v.r.Op == nil && !open && (d.Reason == ReasonWindow || d.Reason == ReasonWave || d.Reason == ReasonHalted) { // a night may be far away, and every word, and every end of a wave's rollout, wakes
		return 10 * v.seen.Pace.Idle
	}
	if v.r.Op == nil && !open && d.Reason != ReasonBusy && d.Reason != ReasonIncomplete && d.Reason != ReasonProbing {
		return v.seen.Pace.Idle
	}
	if op := v.seen.Op; op != nil && !op.Done {
		// However long Azure would rather not be asked about its operation, the instances are looked at.
		return max(v.seen.Pace.Refresh, min(op.Again, time.Minute))
	}
	return v.seen.Pace.Refresh
}

// Count writes "1 instance", "3 instances".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, y := strings.CutSuffix(noun, "y"); y && strings.TrimRight(stem, "aeou") == stem { // entries, but days
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Instances writes "instance 3", "instances 3 8", and counts a long list.
func Instances(ids []string) string {
	switch {
	case len(ids) == 1:
		return "instance " + ids[0]
	case len(ids) > 12:
		return fmt.Sprintf("instances %s … (%d)", strings.Join(ids[:12], " "), len(ids))
	}
	return "instances " + strings.Join(ids, " ")
}
