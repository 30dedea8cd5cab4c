package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// blockers asks every rule in order; what they answer is what `why` lists.
func (v view) blockers() []Blocker {
	var out []Blocker
	for _, rule := range []func(view) *Blocker{
		unread, incomplete, inFlight, failure, unclear, drift, channel, throttled, busy, paused, verifying, soak, bake, freeze, outside, wave, health, unproven, failing, probing, approval,
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
		Clears: "whoever runs the bot, with the version that wrote it", Next: "/vmss why " + v.r.ID}
}

// incomplete: a list that broke in the middle is no list (R46).
func incomplete(v view) *Blocker {
	if v.seen.Set != nil {
		return nil
	}
	b := &Blocker{Reason: ReasonIncomplete, What: cmp.Or(v.seen.Missing, "the scale set could not be read"), Clears: "the next complete reading"}
	if v.r.Abort != nil && v.r.Model.Answer == ModelOpen {
		b.Next = fmt.Sprintf("/vmss abort %s keep", v.r.ID) // the way out when it never comes
	}
	return b
}

func inFlight(v view) *Blocker {
	op := v.r.Op
	b, owed := v.owed()
	switch {
	case op == nil && owed:
		return &Blocker{Reason: ReasonInFlight, What: fmt.Sprintf("upgrading %s brought no answer and is to be sent once more", Instances(b.Owed)), Clears: "the bot"}
	case op == nil:
		return nil
	case op.Unknown() && v.hopeless():
		return &Blocker{Reason: ReasonUnknown, What: fmt.Sprintf("%s brought no answer, and it cannot be told whether it happened", describe(op.Operation)),
			Clears: "an approver who looks at the set", Next: fmt.Sprintf("/vmss resolve %s started \"why\"", v.r.ID),
			Also: []string{fmt.Sprintf("/vmss resolve %s not-started \"why\"", v.r.ID), v.abortCommand()}}
	case op.Unknown():
		return &Blocker{Reason: ReasonInFlight, What: fmt.Sprintf("%s brought no answer (%s): the set is watched until it is clear what happened", describe(op.Operation), cmp.Or(op.Cause, "the bot stopped")),
			Clears: "two agreeing lists", Until: op.SentAt.Add(v.seen.Pace.Settle)}
	}
	return &Blocker{Reason: ReasonInFlight, What: "Azure is at work: " + describe(op.Operation), Clears: "Azure"}
}

func describe(op Operation) string {
	switch op.Kind {
	case OpModel:
		return fmt.Sprintf("putting %s into the model", op.To)
	case OpRevert:
		return fmt.Sprintf("putting %s back into the model", op.To)
	}
	if op.Kind == OpReimage {
		return "giving a new disk to " + Instances(op.Instances)
	}
	return "upgrading " + Instances(op.Instances)
}

func throttled(v view) *Blocker {
	until, why, what := v.seen.Throttled, ReasonThrottled, "Azure asked for quiet"
	if f := v.r.Refusal; f != nil && f.Until.After(until) {
		until, what = f.Until, "Azure refused for now: "+inWords(f.Code, f.Message)
		if f.Kind == FaultBusy {
			why = ReasonBusy
		}
	}
	if !v.now.Before(until) {
		return nil
	}
	return &Blocker{Reason: why, What: what, Clears: "time", Until: until}
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
		return &Blocker{Reason: ReasonBusy, What: fmt.Sprintf("another operation is at work on %s", Instances(moving)), Clears: "Azure"}
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
	if _, owed := v.owed(); owed || v.r.Op != nil {
		return nil
	}
	left := slices.DeleteFunc(v.r.Open(b), func(id string) bool { return v.r.Instances[id].State == Unclear })
	until := b.Op.SentAt.Add(v.deadline())
	if !open { // those that came up by themselves
		left, until = v.r.In(Confirmed), time.Time{}
	}
	if len(left) == 0 {
		return nil
	}
	return &Blocker{Reason: ReasonVerifying, What: fmt.Sprintf("%s must be seen healthy twice", Instances(left)), Clears: "two good readings", Until: until}
}

// soak is the wait between gates: it starts when the last instance of any other gate is done (R31), also of a
// later one or after this one was begun, as a retry and a new plan take in what was done. Between the batches
// of one gate there is none.
func soak(v view) *Blocker {
	gate, _, open := v.r.CurrentGate(v.p)
	if !open {
		return nil
	}
	since, after := v.lastDone(gate.Key)
	if b := v.rest(since, v.limits().Soak, ReasonSoak, "soaking after "+after); b != nil {
		return b.lapsing(v, b.Until)
	}
	return nil
}

func bake(v view) *Blocker {
	if _, _, open := v.r.CurrentGate(v.p); open {
		return nil
	}
	since, _ := v.lastDone("")
	return v.rest(since, v.limits().Bake, ReasonBake, "baking after the last gate")
}

// rest is the wait of length d since anything that was started came to its end. Gates in which
// nothing was started need none.
func (v view) rest(since time.Time, d time.Duration, why Reason, what string) *Blocker {
	until := since.Add(d)
	if since.IsZero() || !v.now.Before(until) {
		return nil
	}
	return &Blocker{Reason: why, What: what, Clears: "time", Until: until}
}

// lastDone is when the last instance that was started came to its end, and the title of its gate; one gate is
// left out.
func (v view) lastDone(but string) (at time.Time, title string) {
	for _, b := range v.r.Batches {
		gate, _ := v.p.Gate(b.Gate)
		for _, id := range b.Instances {
			if _, now, planned := v.p.Member(id); planned { // it may have moved since
				gate = now
			}
			if done := v.r.Instances[id].At; gate.Key != but && done.After(at) {
				at, title = done, gate.Title
			}
		}
	}
	return at, title
}

// health: an upgraded instance that is ill again stops the start (R31), and so does a batch that
// would leave too few serving (R27).
func health(v view) *Blocker {
	if v.seen.Set == nil || v.r.Op != nil {
		return nil
	}
	if b := relapse(v); b != nil {
		return b
	}
	if b := v.overspent(1); b != nil {
		return b
	}
	gate, _, open := v.r.CurrentGate(v.p)
	switch {
	case !open || !v.r.Startable(gate) || len(v.batch(gate)) > 0:
		return nil
	case len(v.candidates(gate)) == 0:
		return &Blocker{Reason: ReasonHealth, What: "nothing of " + gate.Title + " can be started as it is now", Clears: "the next reading", Next: "/vmss show " + v.p.Name}
	}
	return v.tooFew()
}

// relapse: an instance that was upgraded and healthy is ill again. Of one that a person has vouched for,
// nothing that was not known then is known as long as its health says nothing.
func relapse(v view) *Blocker {
	var ill, other []string
	var until time.Time
	for _, i := range v.seen.Set.Instances {
		was := v.r.Instances[i.ID]
		switch {
		case was.State == OK && !i.Available() && !(was.Vouched && v.unclear(i)):
			ill = append(ill, i.ID)
		case v.replaced(i):
			other, until = append(other, i.ID), was.At.Add(v.seen.Pace.Settle)
		}
	}
	switch {
	case len(ill) == 0 && len(other) == 0:
		return nil
	case len(ill) == 0:
		return &Blocker{Reason: ReasonHealth, What: fmt.Sprintf("%s: upgraded, and listed with another %s since: the list may lag", Instances(other), v.p.Target.noun()), Clears: "the next readings", Until: until}
	}
	return &Blocker{Reason: ReasonHealth, What: fmt.Sprintf("%s: upgraded, was healthy and is not any more", Instances(ill)), Clears: "the instance, once it serves again, or a requester or approver", Next: v.about("quarantine", ill, `"why"`), Also: v.giveUp()}
}

func (v view) tooFew() *Blocker {
	var off []string
	for _, i := range v.seen.Set.Instances {
		if i.Power == Deallocated {
			off = append(off, i.ID)
		}
	}
	b := &Blocker{Reason: ReasonHealth, What: fmt.Sprintf("%s of %d: one more would exceed max-unavailable %d",
		v.seen.Set.outOfService(), len(v.seen.Set.Instances), v.limits().MaxUnavailable), Clears: "the instances, once they serve again", Next: "/vmss show " + v.p.Name + " instances", Also: []string{v.abortCommand()}}
	if len(off) > 0 {
		b.Clears += fmt.Sprintf("; %s: deallocated, so that somebody must start it", Instances(off))
	}
	return b
}

func (v view) deadline() time.Duration {
	d := least(v.p.Limits.Deadline, v.seen.Policy.Deadline)
	if v.seen.Set != nil && v.seen.Set.ImageNotice {
		d += 15 * time.Minute
	}
	return d
}

// expired: no rollout lives for ever, and one that was never started only a day, from the first opening on
// that it had (R17). One of a later wave begins to live when its wave opens.
func (v view) expired() bool {
	since, begun := v.since()
	if !begun {
		return false
	}
	began, _ := v.p.timetable("", v.p.Policy, nil).next(since, 0)
	age, life := v.now.Sub(later(since, began)), v.p.Policy.Tighter(v.seen.Policy)
	return age >= life.WholeLife || (!v.r.Started() && age >= life.UnstartedLife)
}
