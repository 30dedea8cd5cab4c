package upgrade

import (
	"fmt"
	"slices"
	"time"
)

// Note returns the facts that a reading of the world adds to a rollout: operations that ended,
// instances that moved. It is as pure as [Decide], which is asked afterwards with these folded in.
// It decides nothing: it only says what was first seen.
func Note(p Plan, r Rollout, seen Observation, now time.Time) []Fact {
	if seen.Set == nil || r.Ended != nil {
		return nil
	}
	v := view{p, r, seen, now}
	facts := slices.Concat(v.noteOperation(), v.noteServing())
	// Instances are judged with the operation's end already known.
	v.r = r.With(At(now, "", facts...)...)
	return slices.Concat(facts, v.noteStarted(), v.noteLeft())
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
		return v.ended(false, "OperationTimeout", fmt.Sprintf("Azure did not report its end within %s", v.deadline()))
	}
	return nil
}

// ended settles the operation and says what the model is now: read, not believed.
func (v view) ended(ok bool, code, message string) []Fact {
	op := v.r.Op
	facts := []Fact{Settled{Op: op.ID, OK: ok, Code: code, Message: message}}
	there := v.seen.Set.Model.Image.Same(op.Image)
	switch {
	case op.Kind == OpModel && there:
		facts = append(facts, ModelSet{Image: op.Image, Previous: v.p.From})
	case op.Kind == OpRevert && there:
		facts = append(facts, ModelReverted{OK: true})
	case op.Kind == OpRevert:
		facts = append(facts, ModelReverted{Detail: fmt.Sprintf("the model still names %s (%s %s): put %s back by hand", v.seen.Set.Model.Image, code, message, op.Image)})
	}
	return facts
}

// noteUnknown watches a call that brought no answer (R48). What shows that it happened is believed
// at once; that it did not happen only after Settle and two agreeing lists of a quiet set.
func (v view) noteUnknown() []Fact {
	op := v.r.Op
	outdated := v.outdated(op.Operation)
	switch {
	case len(outdated) == 0 && !v.moving():
		return v.ended(true, "", "seen in the set")
	case v.settled() && (v.r.Abort != nil || op.Kind == OpRevert):
		return v.ended(false, "UnknownOutcome", "the call brought no answer and the set shows no trace of it")
	case v.moving() || v.now.Before(op.SentAt.Add(v.seen.Pace.Settle)):
		return nil
	}
	if n := len(op.Looks); n > 0 && v.now.Before(op.Looks[n-1].At.Add(v.seen.Pace.Agree)) {
		return nil
	}
	return []Fact{Looked{Op: op.ID, Outdated: outdated}}
}

// outdated lists what the operation was to change and has not: instances, or "model".
func (v view) outdated(op Operation) []string {
	if op.Kind != OpUpgrade {
		if v.seen.Set.Model.Image.Same(op.Image) {
			return nil
		}
		return []string{"model"}
	}
	var out []string
	for _, id := range op.Instances {
		if i, ok := v.seen.Set.Instance(id); ok && !v.p.Target.Current(i) {
			out = append(out, id)
		}
	}
	return out
}

// moving reports whether anything of the set is at work.
func (v view) moving() bool {
	return v.seen.Set.Provisioning.Moving() || slices.ContainsFunc(v.seen.Set.Instances, func(i Instance) bool { return i.Provisioning.Moving() })
}

// noteStarted follows the instances of every batch that was sent.
func (v view) noteStarted() []Fact {
	var facts []Fact
	for _, b := range v.r.Batches {
		for _, id := range b.Instances {
			was := v.r.Instances[id]
			if was.State.Final() {
				continue
			}
			if f, changed := v.judge(id, was, b); changed {
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
		return InstanceSeen{ID: id, State: Vanished, Detail: "the instance is not in the set any more"}, true
	}
	state, detail := v.stand(i, was, b)
	f := InstanceSeen{ID: id, State: state, Image: i.Image.Running(), Detail: detail}
	return f, state != was.State
}

func (v view) stand(i Instance, was InstanceStatus, b BatchStatus) (Progress, string) {
	over := b.Op.State == StateDone || b.Op.State == StateFailed
	good := v.good(i, b)
	switch {
	case over && good && was.State == Confirmed && v.now.Sub(was.At) >= v.seen.Pace.Confirm:
		return OK, ""
	case over && good:
		return Confirmed, ""
	case over && i.Provisioning == Failed:
		return Broken, orElse(i.Message, "provisioning failed")
	case over && !i.Provisioning.Moving() && !v.p.Target.Current(i) && v.now.Sub(b.Op.SettledAt) >= v.seen.Pace.Settle:
		return Broken, orElse(b.Op.Cause, "Azure reported the end of its work, the instance is still on "+i.Image.String())
	case v.now.Sub(was.Started) >= v.deadline():
		return Broken, fmt.Sprintf("not healthy within %s: %s", v.deadline(), condition(i))
	case v.p.Target.Current(i):
		return Checking, condition(i)
	}
	return Going, condition(i)
}

// good: provisioning succeeded, running, on the exact image, and healthy by a status that is newer
// than Azure's acceptance of the call. (R28 says newer than its end; an instance that is healthy
// before the slowest of its batch is done never reports again if Azure stamps transitions, which
// nobody has verified. The two lists after the end guard the rest.)
func (v view) good(i Instance, b BatchStatus) bool {
	fresh := i.HealthAt.IsZero() || !i.HealthAt.Before(b.Op.Azure)
	return i.Available() && v.p.Target.Current(i) && (i.Health == NoHealth || fresh)
}

// condition describes an instance in a few words.
func condition(i Instance) string {
	s := fmt.Sprintf("%s, %s", orElse(string(i.Provisioning), "provisioning unknown"), orElse(string(i.Power), "power unknown"))
	if i.Health != NoHealth {
		s += ", " + string(i.Health)
	}
	if i.Message != "" {
		s += ": " + i.Message
	}
	return s
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// noteLeft passes by what need not or must not be started any more: vanished instances of any gate,
// and, in the gate that is next, those that became current, protected or deallocated since the
// plan (R34).
func (v view) noteLeft() []Fact {
	current, _, _ := v.r.CurrentGate(v.p)
	var facts []Fact
	for _, g := range v.p.Gates {
		for _, m := range g.Instances {
			if v.r.Instances[m.ID].State != Waiting {
				continue
			}
			i, present := v.seen.Set.Instance(m.ID)
			if !present {
				facts = append(facts, InstanceSeen{ID: m.ID, State: Vanished, Detail: "the instance is not in the set any more"})
			} else if why := skip(i, v.p.Target); why != "" && g.Key == current.Key {
				facts = append(facts, InstanceSeen{ID: m.ID, State: Left, Image: i.Image.Running(), Detail: string(why)})
			}
		}
	}
	return facts
}
