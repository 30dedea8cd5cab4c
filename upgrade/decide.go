package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Observation holds everything that was read from outside in one pass. A missing part is unknown,
// never zero: Set is nil when the set could not be read whole, and a person absent from Rights may
// nothing.
type Observation struct {
	Set       *ScaleSet
	Missing   string            // why Set is nil, in words
	Gone      bool              // Azure says there is no such set
	Throttled time.Time         // Azure asked for quiet until then; zero = it did not
	Op        *OpReading        // of the accepted operation, nil = not polled or no answer
	Policy    Policy            // in force now
	Rights    map[string]string // per voter: "" = may approve now, else why not; absent = unknown
	Pace      Pace
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
)

// Holds reports whether the reason takes a person's word to go away, other than an approval.
func (r Reason) Holds() bool {
	switch r {
	case ReasonUnknown, ReasonModel, ReasonFailure, ReasonDrift, ReasonPaused, ReasonDenied, ReasonExpired, ReasonUnread:
		return true
	}
	return false
}

// Blocker is one thing in the way of the next start: what it is, who or what clears it, when, and
// the command to type. Until is zero when no time is known.
type Blocker struct {
	Reason Reason
	What   string
	Clears string
	Until  time.Time
	Next   string
}

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
// The order of the cases is the policy: an ended rollout does nothing; what could not be read whole
// is not acted on; a call in flight is followed before anything else; an abort outranks whatever
// else is in the way; then come, in the order of rules, all that blocks a start.
func Decide(p Plan, r Rollout, seen Observation, now time.Time) Decision {
	v := view{p, r, seen, now}
	d := v.next()
	d.Recheck = v.recheck(d)
	return d
}

func (v view) next() Decision {
	switch {
	case v.r.Ended != nil:
		return Decision{Kind: Nothing, Outcome: v.r.Ended.Outcome, Text: "the rollout has ended"}
	case v.r.Op != nil && v.r.Op.State == StateIntended:
		return Decision{Kind: Drop, Gate: v.r.Op.Gate, Text: "the bot stopped before this was sent: nothing happened, it is decided anew"}
	case v.r.Op == nil && !v.r.Started() && v.r.Abort != nil:
		return Decision{Kind: End, Outcome: OutcomeAborted, Text: "aborted by " + v.r.Abort.Name}
	case v.r.Op == nil && !v.r.Started() && v.expired():
		return Decision{Kind: End, Outcome: OutcomeExpired, Text: "nothing was started in time"}
	case v.seen.Gone:
		return Decision{Kind: End, Outcome: OutcomeFailed, Text: fmt.Sprintf("scale set %s does not exist any more", v.p.Name)}
	}
	blockers := v.blockers()
	switch {
	case v.seen.Set == nil || v.r.Unread != "":
		return blocked(blockers)
	case v.r.Op != nil:
		return v.inFlight(blockers)
	case v.r.Abort != nil:
		return v.closing(OutcomeAborted, "aborted by "+v.r.Abort.Name, blockers)
	case v.expired():
		return v.closing(OutcomeExpired, "the rollout's time is up", blockers)
	}
	gate, _, open := v.r.CurrentGate(v.p)
	switch {
	case open && v.mayAsk(gate, blockers):
		return Decision{Kind: AskGate, Reason: ReasonApproval, Gate: gate.Key, Text: gate.Title + " is next", Blockers: blockers}
	case len(blockers) > 0:
		return blocked(blockers)
	case !open:
		return Decision{Kind: End, Outcome: OutcomeSucceeded, Text: "every gate is done"}
	case v.modelNeeded():
		return Decision{Kind: SetModel, Gate: gate.Key, Text: fmt.Sprintf("%s is approved: the model gets %s", gate.Title, v.p.Target.Image)}
	}
	batch := v.batch(gate)
	return Decision{Kind: Start, Gate: gate.Key, Batch: batch, Text: fmt.Sprintf("%s is approved: %s", gate.Title, Count(len(batch), "instance"))}
}

func blocked(b []Blocker) Decision {
	kind := Wait
	if b[0].Reason.Holds() {
		kind = Hold
	}
	return Decision{Kind: kind, Reason: b[0].Reason, Text: b[0].What, Blockers: b}
}

// blockers asks every rule in order; what they answer is what `why` lists.
func (v view) blockers() []Blocker {
	var out []Blocker
	for _, rule := range []func(view) *Blocker{
		unread, incomplete, inFlight, failure, drift, throttled, busy, paused, verifying, soak, bake, health, approval,
	} {
		if b := rule(v); b != nil {
			out = append(out, *b)
		}
	}
	return out
}

func unread(v view) *Blocker {
	if v.r.Unread == "" {
		return nil
	}
	return &Blocker{Reason: ReasonUnread, What: fmt.Sprintf("the journal has an entry of kind %q, which this version does not know", v.r.Unread),
		Clears: "whoever runs the bot, with the version that wrote it", Next: v.abortCommand()}
}

// incomplete: a list that broke in the middle is no list (R46).
func incomplete(v view) *Blocker {
	if v.seen.Set != nil {
		return nil
	}
	return &Blocker{Reason: ReasonIncomplete, What: cmp.Or(v.seen.Missing, "the scale set could not be read"), Clears: "the next complete reading"}
}

func inFlight(v view) *Blocker {
	op := v.r.Op
	switch {
	case op == nil:
		return nil
	case op.Unknown() && v.unsettled():
		return &Blocker{Reason: ReasonUnknown, What: fmt.Sprintf("%s brought no answer, was sent once more and brought none again", describe(op.Operation)),
			Clears: "a person who looks at the set", Next: v.abortCommand()}
	case op.Unknown():
		return &Blocker{Reason: ReasonInFlight, What: fmt.Sprintf("%s brought no answer (%s): the set is watched until it is clear what happened", describe(op.Operation), cmp.Or(op.Cause, "the bot stopped")),
			Clears: "two agreeing lists", Until: op.SentAt.Add(v.seen.Pace.Settle)}
	}
	return &Blocker{Reason: ReasonInFlight, What: "Azure is at work: " + describe(op.Operation), Clears: "Azure"}
}

func describe(op Operation) string {
	switch op.Kind {
	case OpModel:
		return fmt.Sprintf("putting %s into the model", op.Image)
	case OpRevert:
		return fmt.Sprintf("putting %s back into the model", op.Image)
	}
	return "upgrading " + Instances(op.Instances)
}

// failure: failed instances beyond the budget, or a write Azure definitely refused (R1, R29).
func failure(v view) *Blocker {
	var broken []string
	for id, i := range v.r.Instances {
		if i.State == Broken {
			broken = append(broken, id)
		}
	}
	slices.SortFunc(broken, CompareIDs)
	switch {
	case len(broken) > v.limits().MaxFailures:
		first := v.r.Instances[broken[0]]
		return &Blocker{Reason: ReasonFailure, What: fmt.Sprintf("%s failed (budget %d): %s: %s", Instances(broken), v.limits().MaxFailures, broken[0], first.Detail),
			Clears: "a requester or approver", Next: v.abortCommand()}
	case v.r.Refusal != nil && v.r.Refusal.Until.IsZero():
		f := v.r.Refusal
		return &Blocker{Reason: ReasonFailure, What: fmt.Sprintf("Azure refused: %s: %s", f.Code, f.Message), Clears: "a requester or approver", Next: v.abortCommand()}
	}
	return nil
}

// drift compares the set with the plan (R34): the etag is not compared, it serves as If-Match only.
func drift(v view) *Blocker {
	if v.seen.Set == nil || v.r.Op != nil {
		return nil
	}
	diffs := v.drifted()
	if len(diffs) == 0 {
		return nil
	}
	return &Blocker{Reason: ReasonDrift, What: "the set is not as planned: " + strings.Join(diffs, "; "), Clears: "whoever changed it, by putting it back, or an abort", Next: v.abortCommand()}
}

func (v view) drifted() []string {
	var out []string
	s := v.seen.Set
	if want := v.ourImage(); !s.Model.Image.Same(want) {
		out = append(out, fmt.Sprintf("the model's image is %s, not %s", s.Model.Image, want))
	}
	if s.UpgradeMode != v.p.UpgradeMode {
		out = append(out, fmt.Sprintf("the upgrade mode is %s, not %s", s.UpgradeMode, v.p.UpgradeMode))
	}
	if s.Rolling {
		out = append(out, "a rolling upgrade of Azure's own is running")
	}
	for _, section := range v.changedSections() {
		if section.Stops() {
			out = append(out, "the model's "+string(section)+" was changed")
		}
	}
	return out
}

// ourImage is what the model must name: what we set, or what it named when the plan was made.
func (v view) ourImage() Image {
	if v.r.Model.Set && !v.r.Model.Reverted {
		return v.r.Model.Image
	}
	return v.p.From
}

func (v view) changedSections() []Section {
	return ChangedSections(v.p, *v.seen.Set)
}

// ChangedSections lists the sections of the model that differ from the plan's, in a fixed order.
func ChangedSections(p Plan, s ScaleSet) []Section {
	var out []Section
	for _, section := range []Section{SectionOSProfile, SectionNetwork, SectionIdentity, SectionExtensions, SectionOther} {
		if s.Model.Sections[section] != p.Sections[section] {
			out = append(out, section)
		}
	}
	return out
}

func throttled(v view) *Blocker {
	until, what := v.seen.Throttled, "Azure asked for quiet"
	if f := v.r.Refusal; f != nil && f.Until.After(until) {
		until, what = f.Until, fmt.Sprintf("Azure refused for now: %s: %s", f.Code, f.Message)
	}
	if !v.now.Before(until) {
		return nil
	}
	return &Blocker{Reason: ReasonThrottled, What: what, Clears: "time", Until: until}
}

// busy: ours never starts while somebody else's operation is visible on the set (I1).
func busy(v view) *Blocker {
	if v.seen.Set == nil || v.r.Op != nil {
		return nil
	}
	var moving []string
	for _, i := range v.seen.Set.Instances {
		if i.Provisioning.Moving() && v.r.Instances[i.ID].State.idle() {
			moving = append(moving, i.ID)
		}
	}
	switch {
	case len(moving) > 0:
		return &Blocker{Reason: ReasonBusy, What: fmt.Sprintf("somebody else's operation is at work on %s", Instances(moving)), Clears: "Azure"}
	case v.seen.Set.Provisioning.Moving():
		return &Blocker{Reason: ReasonBusy, What: fmt.Sprintf("the scale set is %s", v.seen.Set.Provisioning), Clears: "Azure"}
	}
	return nil
}

// idle reports whether nothing of ours should be moving the instance.
func (p Progress) idle() bool { return p == Waiting || p.Final() }

func paused(v view) *Blocker {
	if v.r.Pause == nil {
		return nil
	}
	what := "paused by " + v.r.Pause.Name
	if v.r.Pause.Reason != "" {
		what += ": " + v.r.Pause.Reason
	}
	return &Blocker{Reason: ReasonPaused, What: what, Clears: "a requester or approver", Next: "/vmss resume " + v.r.ID}
}

// verifying: the call is over, its instances are not yet confirmed healthy (R28).
func verifying(v view) *Blocker {
	b, open := v.r.OpenBatch()
	if !open || v.r.Op != nil {
		return nil
	}
	var left []string
	for _, id := range b.Instances {
		if !v.r.Instances[id].State.Final() {
			left = append(left, id)
		}
	}
	return &Blocker{Reason: ReasonVerifying, What: fmt.Sprintf("%s must be seen healthy twice", Instances(left)), Clears: "two good readings", Until: b.Op.SentAt.Add(v.deadline())}
}

// soak is the wait between gates: it starts when the last instance of the gate before is done (R31).
func soak(v view) *Blocker {
	_, i, open := v.r.CurrentGate(v.p)
	if !open || i == 0 || v.halfDone(v.p.Gates[i]) {
		return nil
	}
	return v.restAfter(i, v.limits().Soak, ReasonSoak, v.p.Gates[i-1].Title)
}

func bake(v view) *Blocker {
	if _, _, open := v.r.CurrentGate(v.p); open {
		return nil
	}
	return v.restAfter(len(v.p.Gates), v.limits().Bake, ReasonBake, "the last gate")
}

// restAfter is the wait of length d after the first n gates. Gates in which nothing was started
// need none.
func (v view) restAfter(n int, d time.Duration, why Reason, what string) *Blocker {
	var since time.Time
	for _, b := range v.r.Batches {
		for _, id := range b.Instances {
			if at := v.r.Instances[id].At; at.After(since) {
				since = at
			}
		}
	}
	until := since.Add(d)
	if since.IsZero() || !v.now.Before(until) {
		return nil
	}
	return &Blocker{Reason: why, What: fmt.Sprintf("%s after %s", why.gerund(), what), Clears: "time", Until: until}
}

func (r Reason) gerund() string {
	if r == ReasonBake {
		return "baking"
	}
	return "soaking"
}

func (v view) halfDone(g Gate) bool {
	return slices.ContainsFunc(v.r.Batches, func(b BatchStatus) bool { return b.Gate == g.Key })
}

// health: an upgraded instance that is ill again stops the start (R31), and so does a batch that
// would leave too few serving (R27).
func health(v view) *Blocker {
	if v.seen.Set == nil || v.r.Op != nil {
		return nil
	}
	var ill []string
	for _, i := range v.seen.Set.Instances {
		if v.r.Instances[i.ID].State == OK && !i.Available() {
			ill = append(ill, i.ID)
		}
	}
	if len(ill) > 0 {
		return &Blocker{Reason: ReasonHealth, What: fmt.Sprintf("%s was upgraded, was healthy and is not any more", Instances(ill)), Clears: "the instance, or an abort", Next: v.abortCommand()}
	}
	gate, _, open := v.r.CurrentGate(v.p)
	if !open || len(v.candidates(gate)) == 0 || len(v.batch(gate)) > 0 {
		return nil
	}
	return &Blocker{Reason: ReasonHealth, What: fmt.Sprintf("%d of %d instances do not serve: taking one more down would exceed max-unavailable %d",
		v.seen.Set.Unavailable(), len(v.seen.Set.Instances), v.limits().MaxUnavailable), Clears: "the instances", Next: "/vmss show " + v.p.Name}
}

// approval: a grant of this very plan and gate, given by people who may, not too long ago (R20-R23).
func approval(v view) *Blocker {
	gate, _, open := v.r.CurrentGate(v.p)
	if !open || !slices.ContainsFunc(gate.Instances, func(m Member) bool { return v.r.Instances[m.ID].State == Waiting }) {
		return nil
	}
	asked, isAsked := v.r.Asked[gate.Key]
	again := "/vmss ask " + v.r.ID
	switch {
	case v.r.Denial != nil:
		return &Blocker{Reason: ReasonDenied, What: fmt.Sprintf("%s denied %s: %s", v.r.Denial.Name, gate.Title, v.r.Denial.Reason), Clears: "a requester, by asking again or an abort", Next: again}
	case !isAsked:
		return &Blocker{Reason: ReasonApproval, What: gate.Title + " was not put to people yet", Clears: "the bot"}
	case !v.now.Before(asked.Expires):
		return &Blocker{Reason: ReasonExpired, What: fmt.Sprintf("the approval of %s ran out", gate.Title), Clears: "a requester, by asking again or an abort", Next: again}
	}
	need := max(1, v.p.Policy.Approvals, v.seen.Policy.Approvals)
	valid, doubts := v.voters(gate)
	if grant, ok := v.r.Grants[gate.Key]; ok && grant.Digest == v.p.Digest && valid >= need {
		return nil
	}
	b := &Blocker{Reason: ReasonApproval, What: fmt.Sprintf("%s waits for approval: %d of %d", gate.Title, valid, need), Clears: "an approver other than the requester", Until: asked.Expires,
		Next: "/vmss approve " + v.r.ID}
	if len(doubts) > 0 {
		b.What += " (" + strings.Join(doubts, "; ") + ")"
	}
	return b
}

// voters counts the people whose yes still counts, and says why the others' does not.
func (v view) voters(g Gate) (valid int, doubts []string) {
	for _, vote := range v.r.Votes[g.Key] {
		switch why, known := v.seen.Rights[vote.By]; {
		case !known:
			doubts = append(doubts, "could not check "+vote.Name)
		case why != "":
			doubts = append(doubts, vote.Name+" may not approve any more: it takes "+why)
		default:
			valid++
		}
	}
	return valid, doubts
}

// mayAsk: the card goes out as soon as only time, health or people are in the way, so that people
// can agree while the gate before soaks (R31).
func (v view) mayAsk(g Gate, blockers []Blocker) bool {
	if _, asked := v.r.Asked[g.Key]; asked || v.r.Denial != nil {
		return false
	}
	return !slices.ContainsFunc(blockers, func(b Blocker) bool {
		return b.Reason != ReasonSoak && b.Reason != ReasonHealth && b.Reason != ReasonApproval
	})
}

func (v view) modelNeeded() bool {
	return !v.p.Target.Model && !v.seen.Set.Model.Image.Same(v.p.Target.Image)
}

// candidates are the gate's instances that are outdated, present and free to go.
func (v view) candidates(g Gate) []Instance {
	var out []Instance
	for _, m := range g.Instances {
		i, present := v.seen.Set.Instance(m.ID)
		if present && v.r.Instances[m.ID].State == Waiting && skip(i, v.p.Target) == "" {
			out = append(out, i)
		}
	}
	return out
}

// batch picks what the next call carries (R27, R42): ill instances first, as taking them down costs
// nothing; of those that serve no more than max-unavailable leaves; never more than the cap.
func (v view) batch(g Gate) []string {
	limits := v.limits()
	budget := limits.MaxUnavailable - v.seen.Set.Unavailable()
	var ill, well []string
	for _, i := range v.candidates(g) {
		switch {
		case !i.Available():
			ill = append(ill, i.ID)
		case len(well) < budget:
			well = append(well, i.ID)
		}
	}
	out := append(ill, well...)
	return out[:min(len(out), limits.BatchCap)]
}

// limits are the plan's, tightened by the policy in force; a looser policy changes nothing (R21).
func (v view) limits() Limits {
	l, p := v.p.Limits, v.seen.Policy
	if p.BatchCap > 0 {
		l.BatchCap = min(l.BatchCap, p.BatchCap)
	}
	if n := p.MaxUnavailable.Of(v.p.Total); n > 0 {
		l.MaxUnavailable = min(l.MaxUnavailable, n)
	}
	return l
}

func (v view) deadline() time.Duration {
	d := v.p.Limits.Deadline
	if v.seen.Set != nil && v.seen.Set.ImageNotice {
		d += 15 * time.Minute
	}
	return d
}

func (v view) expired() bool {
	age := v.now.Sub(v.r.At)
	return age >= v.p.Policy.WholeLife || (!v.r.Started() && age >= v.p.Policy.UnstartedLife)
}

// inFlight follows an operation that was sent: an accepted one is polled, one without an answer is
// settled, and after that sent once more at most (R48).
func (v view) inFlight(blockers []Blocker) Decision {
	op := v.r.Op
	if !op.Unknown() || !v.settled() {
		return blocked(blockers)
	}
	if op.Kind == OpUpgrade && !op.Resend && v.r.Abort == nil && v.r.Pause == nil {
		batch := op.Looks[len(op.Looks)-1].Outdated
		return Decision{Kind: Resend, Gate: op.Gate, Batch: batch, Reason: ReasonUnknown,
			Text: fmt.Sprintf("two lists agree that %s did not go: sent once more", Instances(batch)), Blockers: blockers}
	}
	return blocked(blockers)
}

// settled: long enough after the call two lists agree on what is outdated (R48).
func (v view) settled() bool {
	op := v.r.Op
	n := len(op.Looks)
	return n >= 2 && len(op.Looks[n-1].Outdated) > 0 && slices.Equal(op.Looks[n-1].Outdated, op.Looks[n-2].Outdated)
}

// unsettled: all that R48 allows was tried and the outcome is still unknown: a person must look.
func (v view) unsettled() bool {
	op := v.r.Op
	return v.settled() && (op.Kind != OpUpgrade || op.Resend)
}

// closing ends a rollout early: first the model question, where it arises (R4), then the end.
func (v view) closing(outcome Outcome, why string, blockers []Blocker) Decision {
	over := Decision{Kind: End, Outcome: outcome, Text: why}
	if !v.modelOpen() || v.r.Model.Answer == Keep {
		return over
	}
	switch {
	case v.r.Model.Answer == Revert:
		return v.puttingBack(blockers)
	case v.r.Model.Asked == nil:
		return Decision{Kind: AskModel, Reason: ReasonModel, Text: "the model names the new image, most instances run the old one", Blockers: blockers}
	}
	b := Blocker{Reason: ReasonModel, What: fmt.Sprintf("put %s back into the model, or keep %s?", v.r.Model.Previous, v.r.Model.Image),
		Clears: "a requester or approver", Next: fmt.Sprintf("/vmss abort %s revert", v.r.ID)}
	return blocked(append([]Blocker{b}, blockers...))
}

// puttingBack waits only for what would make Azure refuse the write.
func (v view) puttingBack(blockers []Blocker) Decision {
	for _, b := range blockers {
		if b.Reason == ReasonThrottled || b.Reason == ReasonBusy {
			return blocked([]Blocker{b})
		}
	}
	return Decision{Kind: PutBack, Text: fmt.Sprintf("the model gets %s back", v.r.Model.Previous)}
}

// modelOpen reports whether the ending would leave the model newer than most instances, and the
// image is still the one we set.
func (v view) modelOpen() bool {
	if !v.r.Model.Set || v.r.Model.Reverted || !v.seen.Set.Model.Image.Same(v.r.Model.Image) {
		return false
	}
	on, off := v.split()
	return off >= on
}

// split counts the set's instances on the target image and not.
func (v view) split() (on, off int) {
	for _, i := range v.seen.Set.Instances {
		if i.Image.Same(v.p.Target.Image) {
			on++
		} else {
			off++
		}
	}
	return on, off
}

func (v view) abortCommand() string { return fmt.Sprintf("/vmss abort %s \"reason\"", v.r.ID) }

// recheck is when the next look is due: soon while something moves, later while only people or
// time are waited for, never after the end.
func (v view) recheck(d Decision) time.Time {
	if d.Kind == Nothing || d.Kind == End {
		return time.Time{}
	}
	switch d.Kind {
	case Drop, AskGate, AskModel:
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
	if v.seen.Throttled.After(next) {
		next = v.seen.Throttled
	}
	return next
}

func (v view) pace(d Decision) time.Duration {
	_, open := v.r.OpenBatch()
	if v.r.Op == nil && !open && d.Reason != ReasonBusy && d.Reason != ReasonIncomplete {
		return v.seen.Pace.Idle
	}
	if op := v.seen.Op; op != nil && !op.Done {
		return max(v.seen.Pace.Refresh, op.Again)
	}
	return v.seen.Pace.Refresh
}

// Count writes "1 instance", "3 instances".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
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
