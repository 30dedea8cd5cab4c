package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Note returns the facts that a reading of the world adds to a rollout: operations that ended,
// instances that moved. It is as pure as [Decide], which is asked afterwards with these folded in.
// It decides nothing: it only says what was first seen.
func Note(p Plan, r Rollout, seen Observation, now time.Time) []Fact {
	v := looking(p, r, seen, now)
	if r.Ended != nil || r.Unread != "" {
		return nil
	}
	return append(v.noteProbes(), v.noteSet(seen.Gone)...)
}

// noteSet is what the reading of the set adds. gone is what Azure says of it, right or wrong.
func (v view) noteSet(gone bool) []Fact {
	r, now := v.r, v.now
	switch {
	case gone && r.UnfoundAt.IsZero():
		return []Fact{Unfound{}}
	case v.seen.Gone:
		return v.noteGone()
	case v.seen.Set == nil:
		return v.noteBlind()
	}
	facts := slices.Concat(v.noteOperation(), v.noteServing(), v.noteAbsent(), v.noteBorn())
	// Instances are judged with the operation's end already known, and those of the next gate with the end of this
	// one: nobody is asked for what needs no start any more.
	v.r = r.With(At(now, "", facts...)...)
	facts = slices.Concat(facts, v.noteStarted(), v.noteReplaced())
	v.r = r.With(At(now, "", facts...)...)
	facts = slices.Concat(facts, v.noteLeft())
	v.r = r.With(At(now, "", facts...)...)
	return slices.Concat(facts, v.noteEvidence())
}

// At makes events of facts that happen at one moment. The store numbers them.
func At(at time.Time, by string, facts ...Fact) []Event {
	out := make([]Event, len(facts))
	for i, f := range facts {
		out[i] = Event{At: at, By: by, Fact: f}
	}
	return out
}

func (v view) noteServing() []Fact {
	n := len(v.seen.Set.Instances) - v.seen.Set.Unavailable()
	if !v.r.Started() || (v.r.Lowest >= 0 && n >= v.r.Lowest) {
		return nil
	}
	return []Fact{Serving{N: n, Total: len(v.seen.Set.Instances)}}
}

// noteGone ends the operation in flight: there is nothing left that could tell how it went.
func (v view) noteGone() []Fact {
	if v.r.Op == nil || v.r.Op.State == StateIntended {
		return nil
	}
	return []Fact{Settled{Op: v.r.Op.ID, Code: "ScaleSetGone", Message: "the scale set does not exist any more"}}
}

// noteBlind lets go of an operation that nobody can follow any more: the rollout was aborted, its
// model is to be kept, and the set has not been readable until long after the call.
func (v view) noteBlind() []Fact {
	op := v.r.Op
	if op == nil || op.State == StateIntended || v.r.Abort == nil || v.r.Model.Answer != Keep || v.now.Before(op.SentAt.Add(v.deadline())) {
		return nil
	}
	return []Fact{Settled{Op: op.ID, Code: "UnknownOutcome", Message: "the scale set could not be read any more"}}
}

// noteAbsent keeps since when planned instances have been missing from the list.
func (v view) noteAbsent() []Fact {
	var facts []Fact
	if !v.r.UnfoundAt.IsZero() {
		facts = append(facts, Unfound{Back: true})
	}
	for _, g := range v.p.Gates {
		for _, m := range g.Instances {
			_, present := v.seen.Set.Instance(m.ID)
			_, known := v.r.Absent[m.ID]
			lost := !present && !v.vanished(m.ID)
			if final := v.r.Instances[m.ID].State.Final(); !final && (lost && !known || present && known) {
				facts = append(facts, Absent{ID: m.ID, Back: present})
			}
		}
	}
	return facts
}

// vanished: the instance is missing from a list that is as long as the set should be, or has been
// missing from two lists Agree apart (R46: a list that lost some on the way is no list of these).
func (v view) vanished(id string) bool {
	since, absent := v.r.Absent[id]
	return len(v.seen.Set.Instances) >= v.seen.Set.Capacity || absent && v.now.Sub(since) >= v.seen.Pace.Agree
}

// noteOperation says how the operation in flight ended, as soon as that is certain.
func (v view) noteOperation() []Fact {
	op := v.r.Op
	switch {
	case op == nil || op.State == StateIntended:
		return nil
	case op.Unknown():
		return v.noteUnknown()
	case v.seen.Op != nil && v.seen.Op.Done:
		return v.ended(v.seen.Op.OK, v.seen.Op.Code, v.seen.Op.Message)
	case v.now.Sub(op.SentAt) >= v.deadline():
		return v.ended(false, "OperationTimeout", fmt.Sprintf("Azure did not report its end within %s", minutes(v.deadline())))
	}
	return nil
}

// ended settles the operation. What the model is now is read, not believed: a reading may lag, so an
// operation on it that Azure calls done is given Settle to show.
func (v view) ended(ok bool, code, message string) []Fact {
	op := v.r.Op
	if op.Kind.OnInstances() {
		return []Fact{Settled{Op: op.ID, OK: ok, Code: code, Message: message}}
	}
	is := op.To.of(v.seen.Set.Model)
	there := is.Same(op.To)
	switch {
	case ok && !there && v.now.Before(op.AcceptedAt.Add(v.seen.Pace.Settle)):
		return nil
	case ok && !there:
		code, message = "ModelNotSet", fmt.Sprintf("Azure reported success, and the model names %s", is)
	}
	settled := Settled{Op: op.ID, OK: there, Code: code, Message: message}
	switch {
	case op.Kind == OpModel && there:
		return []Fact{settled, ModelSet{To: op.To, Previous: v.p.From}}
	case op.Kind == OpRevert && there:
		return []Fact{settled, ModelReverted{OK: true}}
	case op.Kind == OpRevert:
		return []Fact{settled, ModelReverted{Detail: fmt.Sprintf("the model still names %s (%s %s): put %s back by hand", is, code, message, op.To)}}
	}
	return []Fact{settled}
}

// noteUnknown watches a call that brought no answer (R48). What shows that it happened is believed
// at once; that it did not happen only after Settle and two agreeing lists of a quiet set. A look is
// recorded only when it says something new, however long people take.
//
// A change of the model whose If-Match still is the model's etag has not happened, and should it come
// yet, either it or the next one is refused: it is no unknown outcome any more. (R48 would ask a person
// here; there is nothing that a person could see and this does not.) A revert is tried once more only, as
// nobody can take it back and the set stays locked meanwhile.
func (v view) noteUnknown() []Fact {
	op := v.r.Op
	outdated := v.outdated(op.Operation)
	late := !v.now.Before(op.SentAt.Add(v.deadline()))
	switch {
	case len(outdated) == 0 && !v.moving():
		return v.ended(true, "", "seen in the set")
	case v.untouched():
		return []Fact{Settled{Op: op.ID, Code: NoTrace, Message: "the model is as it was read before the call, to its etag"}}
	case v.unasked() && (v.settled() || late):
		return v.ended(false, "UnknownOutcome", "the call brought no answer and the set does not show what became of it")
	case v.now.Before(op.SentAt.Add(v.seen.Pace.Settle)):
		return nil
	}
	return v.look(outdated)
}

func (v view) look(outdated []string) []Fact {
	op := v.r.Op
	var last Look
	if n := len(op.Looks); n > 0 {
		last = op.Looks[n-1]
	}
	switch {
	case v.moving() && last.Moving, v.settled():
		return nil
	case v.moving():
		return []Fact{Looked{Op: op.ID, Moving: true}}
	case !last.Moving && v.now.Before(last.At.Add(v.seen.Pace.Agree)):
		return nil
	}
	return []Fact{Looked{Op: op.ID, Outdated: outdated}}
}

// outdated lists what a write was to change and, as far as can be seen, has not: instances, or "model".
func (v view) outdated(op Operation) []string {
	if !op.Kind.OnInstances() {
		if op.To.of(v.seen.Set.Model).Same(op.To) {
			return nil
		}
		return []string{"model"}
	}
	var out []string
	for _, id := range op.Instances {
		if i, ok := v.seen.Set.Instance(id); ok && !v.shows(op, i) {
			out = append(out, id)
		}
	}
	return out
}

// shows reports whether the instance shows that the call happened. A new disk of the same image leaves nothing
// by which to tell; an upgrade of one that was on the target already, but not on the latest model, only that.
func (v view) shows(op Operation, i Instance) bool {
	return op.Kind != OpReimage && v.p.Target.Current(i) && (i.LatestModel || !op.Traceless)
}

// moving reports whether anything of the set is at work.
func (v view) moving() bool {
	return v.seen.Set.Provisioning.Moving() || slices.ContainsFunc(v.seen.Set.Instances, func(i Instance) bool { return i.Provisioning.Moving() })
}

// noteStarted follows the instances of every batch that was sent.
func (v view) noteStarted() []Fact {
	var facts []Fact
	for _, b := range v.r.Batches {
		for _, id := range v.r.Open(b) {
			if f, changed := v.judge(id, v.r.Instances[id], b); changed {
				facts = append(facts, f)
			}
		}
	}
	return facts
}

// judge says where a started instance stands now. "Done" is disproved: an instance is OK only when
// nothing speaks against it in two complete lists.
func (v view) judge(id string, was InstanceStatus, b BatchStatus) (InstanceSeen, bool) {
	i, present := v.seen.Set.Instance(id)
	if !present {
		return InstanceSeen{ID: id, State: Vanished, Detail: "the instance is not in the set any more"}, v.vanished(id)
	}
	state, detail := v.stand(i, was, b)
	f := InstanceSeen{ID: id, State: state, Image: v.p.Target.In(i).String(), Detail: detail}
	switch state {
	case Broken:
		f.Code = cmp.Or(i.Code, b.Op.Code)
	case Checking, Going, Unclear:
		f.Code = i.Code
	}
	return f, state != was.State
}

func (v view) stand(i Instance, was InstanceStatus, b BatchStatus) (Progress, string) {
	open := b.Op.Unknown() || v.owes(b) // it is not known to have begun: no deadline runs (R8)
	over := !open && (b.Op.State == StateDone || b.Op.State == StateFailed)
	good := v.good(i, b)
	switch {
	case over && good && was.State == Confirmed && v.now.Sub(was.At) >= v.seen.Pace.Confirm:
		return OK, ""
	case over && good:
		return Confirmed, ""
	case over && i.Spot && i.Power == Deallocated && i.Provisioning != Failed: // one that found no machine to be put on was not evicted
		return Left, string(SkipEvicted)
	case over && i.Provisioning == Failed && !v.leftover(i, b):
		return Broken, cmp.Or(i.Message, "provisioning failed")
	case over && v.closed() && b.Op.Code == "UnknownOutcome" && i.Available() && !v.p.Target.Current(i):
		return Unclear, "whether its call ever reached Azure is not known; it runs as before, on " + v.p.Target.In(i).String()
	case over && !i.Provisioning.Moving() && !v.p.Target.Current(i) && v.now.Sub(b.Op.SettledAt) >= v.seen.Pace.Settle:
		return Broken, cmp.Or(b.Op.Cause, "Azure reported the end of its work, the instance is still on "+v.p.Target.In(i).String())
	case !open && v.now.Sub(was.Started) >= v.deadline() && v.unclear(i):
		return Unclear, fmt.Sprintf("nothing told within %s whether it is well: %s", minutes(v.deadline()), condition(i))
	case !open && v.now.Sub(was.Started) >= v.deadline():
		return Broken, fmt.Sprintf("not healthy within %s: %s", minutes(v.deadline()), condition(i))
	case v.p.Target.Current(i):
		return Checking, condition(i)
	}
	return Going, condition(i)
}

// leftover: the failed state is from before our call, which Azure may go on telling for a while
// (azure-cli#33307). It is given Settle to become another.
func (v view) leftover(i Instance, b BatchStatus) bool {
	began := cmp.Or(b.Op.Azure, b.Op.SentAt)
	return !i.ProvisionAt.IsZero() && i.ProvisionAt.Before(began) && v.now.Sub(b.Op.SettledAt) < v.seen.Pace.Settle
}

// unclear: all that can be seen of the instance is well, and its health source says nothing (R29).
func (v view) unclear(i Instance) bool {
	return v.p.Target.Current(i) && i.Provisioning == Succeeded && i.Power == Running && (i.Health == UnknownState || i.Health == Initializing)
}

// good: provisioning succeeded, running, on the exact image, and healthy by a status that is newer
// than Azure's acceptance of the call. (R28 says newer than its end; an instance that is healthy
// before the slowest of its batch is done never reports again if Azure stamps transitions, which
// nobody has verified. The two lists after the end guard the rest. A change that needs no reboot
// never makes a newer status: after Settle the standing one is believed.)
func (v view) good(i Instance, b BatchStatus) bool {
	fresh := i.HealthAt.IsZero() || !i.HealthAt.Before(b.Op.Azure) || !b.Op.SettledAt.IsZero() && v.now.Sub(b.Op.SettledAt) >= v.seen.Pace.Settle
	return i.Available() && v.p.Target.Current(i) && (i.Health == NoHealth || fresh)
}

// minutes writes a deadline: "15 m", and odd ones as Go does.
func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d m", d/time.Minute)
	}
	return d.String()
}

// condition describes an instance in a few words.
func condition(i Instance) string {
	s := fmt.Sprintf("%s, %s", cmp.Or(string(i.Provisioning), "provisioning unknown"), cmp.Or(string(i.Power), "power unknown"))
	if i.Health != NoHealth {
		s += ", " + string(i.Health)
	}
	if i.Message != "" {
		s += ": " + i.Message
	}
	return s
}

// noteLeft passes by what need not or must not be started any more: vanished instances of any gate,
// and, in the gate that is next, those that became current, protected or deallocated since the
// plan (R34). A gate that is done by that makes the one after it the next. What came up by itself is
// followed in every gate: until it is seen well twice, nothing else goes on.
func (v view) noteLeft() []Fact {
	var facts []Fact
	next := true
	for _, g := range v.p.Gates {
		done := true
		for _, m := range g.Instances {
			was := v.r.Instances[m.ID]
			f, left := v.left(m.ID)
			back, changed := v.recovered(m.ID, was)
			if changed {
				f = back
			}
			if was.Batch == 0 && !was.State.Final() && (changed || left && (next || f.State == Vanished)) {
				facts = append(facts, f)
				was.State = f.State
			}
			done = done && was.State.Final()
		}
		next = next && done
	}
	return facts
}

// noteReplaced passes by what was upgraded and runs something else since, by somebody else's hand: done is a
// fact about an instance and a target, and no report may claim it. A list may lag (R48), so that one of soon
// after it was done only stops what comes next, see relapse.
func (v view) noteReplaced() []Fact {
	var facts []Fact
	for _, i := range v.seen.Set.Instances {
		if v.replaced(i) && v.now.Sub(v.r.Instances[i.ID].At) >= v.seen.Pace.Settle {
			is := v.p.Target.In(i).String()
			facts = append(facts, InstanceSeen{ID: i.ID, State: Left, Image: is, Detail: "it was upgraded, and somebody else has put it on " + is + " since"})
		}
	}
	return facts
}

// replaced reports whether an instance that was upgraded is listed with something else, at rest.
func (v view) replaced(i Instance) bool {
	is, was := v.p.Target.In(i), v.r.Instances[i.ID]
	return was.State == OK && !was.Vouched && is != (Setting{}) && !is.Same(v.p.Target.Setting) && !i.Provisioning.Moving()
}

// recovered follows an instance that a person wants started once more and that has come up by itself
// meanwhile: seen good twice it is done, and its disk is left alone.
func (v view) recovered(id string, was InstanceStatus) (InstanceSeen, bool) {
	i, present := v.seen.Set.Instance(id)
	f := InstanceSeen{ID: id, Image: v.p.Target.In(i).String(), Detail: "came up by itself"}
	good := present && v.p.Target.Current(i) && i.Available()
	switch {
	case !was.Retry || was.Batch != 0 || was.State != Waiting && was.State != Confirmed || !present:
		return f, false
	case good && was.State == Waiting:
		f.State = Confirmed
	case good && v.now.Sub(was.At) >= v.seen.Pace.Confirm:
		f.State = OK
	case !good && was.State == Confirmed:
		f.State, f.Detail = Waiting, condition(i)
	}
	return f, f.State != was.State && (f.State != Waiting || !good)
}

// noteEvidence keeps what Azure says of instances that are in trouble: the disk that could tell more is
// gone with a retry (R6).
func (v view) noteEvidence() []Fact {
	var facts []Fact
	for _, id := range v.r.In(Broken, Unclear, Aside, Waiting) {
		was := v.r.Instances[id]
		i, present := v.seen.Set.Instance(id)
		if present && was.Tries > 0 && !was.Kept {
			facts = append(facts, Evidence{ID: id, Lines: append([]string{condition(i)}, i.Evidence...)})
		}
	}
	return facts
}

func (v view) left(id string) (InstanceSeen, bool) {
	i, present := v.seen.Set.Instance(id)
	if !present {
		return InstanceSeen{ID: id, State: Vanished, Detail: "the instance is not in the set any more"}, v.vanished(id)
	}
	why := v.pass(i)
	return InstanceSeen{ID: id, State: Left, Image: v.p.Target.In(i).String(), Detail: string(why)}, why != ""
}
