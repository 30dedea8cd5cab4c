package upgrade

import (
	"fmt"
	"slices"
	"time"
)

// Replan makes the plan that takes the place of an open rollout's when the set is not as planned any
// more (R1, R34): the same target, limits and instances, compared with the set as it is now. What is
// done stays done, nothing is added, and nothing starts before people have agreed to it anew: it has
// another digest. It says why there can be none.
func Replan(p Plan, r Rollout, s ScaleSet, pol Policy, now time.Time) (Plan, *Refusal) {
	abort := fmt.Sprintf("/vmss abort %s \"reason\"", r.ID)
	switch {
	case p.Unique != "" && s.Unique != "" && p.Unique != s.Unique:
		return Plan{}, Refuse(CodePolicy, abort, "%s was deleted and made anew: its instances are others, which nobody planned", p.Name)
	case p.Target.Model && !p.Target.Named(s.Model):
		return Plan{}, Refuse(CodePolicy, abort, "the model of %s names %s by now, not %s, and this rollout only rolls what the model says: abort it and upgrade anew", p.Name, p.Target.of(s.Model), p.Target)
	}
	w := Wish{Target: p.Target, Order: p.Order, Limits: view{p: p, r: r, seen: Observation{Set: &s, Policy: pol}}.limits(), Undoes: p.Undoes}
	if no := plannable(s, pol, w); no != nil {
		return Plan{}, no
	}
	q := p
	q.Beside = p.Target.beside(s.Model)
	q.From, q.Sections, q.Leaves, q.Unique, q.UpgradeMode = p.Target.of(s.Model), s.Model.Sections, s.Model.Leaves, s.Unique, s.UpgradeMode
	q.Limits, q.Policy, q.At = w.Limits, p.Policy.Tighter(pol), now
	q.Gates = regrouped(p, r, s)
	if no := behind(s, q); no != nil {
		return Plan{}, no
	}
	q.Pending, q.Hazards = pending(s, q.Gates, q.Target), hazards(s, q.Target)
	q.Digest = q.digest()
	return q, nil
}

// regrouped are the plan's gates with the instances that wait as they are now. One that moved to another
// update domain is asked for with that one; one that is done stays where it was agreed to.
func regrouped(p Plan, r Rollout, s ScaleSet) []Gate {
	out := make([]Gate, len(p.Gates))
	for n, g := range p.Gates {
		out[n] = Gate{Key: g.Key, Title: g.Title}
	}
	for n, g := range p.Gates {
		for _, m := range g.Instances {
			i, present := s.Instance(m.ID)
			if !present || r.Instances[m.ID].State != Waiting {
				out[n].Instances = append(out[n].Instances, m)
				continue
			}
			if r.Instances[m.ID].Tries == 0 {
				m.From = p.Target.In(i) // else what it ran before it was touched is what a rollback goes to
			}
			out = regroup(p, out, n, m, i)
		}
	}
	return slices.DeleteFunc(out, func(g Gate) bool { return len(g.Instances) == 0 })
}

// regroup puts a member as it is now into its gate, the n-th or the one of the domain it moved to. A
// domain that is not told is the one it had. A canary stays one.
func regroup(p Plan, gates []Gate, n int, m Member, i Instance) []Gate {
	is := m.at(i)
	if p.moved(m, i) == "" || gates[n].Key == canaryGate || p.Order.By == ByBatch {
		gates[n].Instances = append(gates[n].Instances, is)
		return gates
	}
	return into(gates, p.Order.gate(is), is)
}

// replanned lists what differs between a plan, under which the model named ours, and the one in its
// place, in words.
func replanned(p, q Plan, ours Setting) []string {
	var out []string
	if !ours.Same(q.From) {
		out = append(out, fmt.Sprintf("the model's %s: %s, was %s", ours.noun(), q.From, ours))
	}
	if p.Beside != (Setting{}) && !p.Beside.Same(q.Beside) {
		out = append(out, fmt.Sprintf("the model's %s: %s, was %s", p.Beside.noun(), q.Beside, p.Beside))
	}
	for _, section := range changed(p.Sections, q.Sections) {
		out = append(out, "the model's "+string(section))
	}
	out = append(out, changedLeaves(p.Leaves, q.Leaves)...)
	for _, g := range q.Gates {
		for _, m := range g.Instances {
			switch before, was, known := p.Member(m.ID); {
			case known && was.Key != g.Key:
				out = append(out, fmt.Sprintf("instance %s: %s, was %s", m.ID, g.Title, was.Title))
			case known && p.place(before) != p.place(m):
				out = append(out, fmt.Sprintf("instance %s: %s, was %s", m.ID, p.place(m), p.place(before)))
			}
		}
	}
	if p.Limits != q.Limits {
		out = append(out, "tighter limits")
	}
	return out
}

// Undo makes the plan of a rollback (R5): the image before, over the instances that the rollout has
// touched, the last gate first. It is the recovery direction: neither the policy's allow-list nor its
// word on downgrades is in its way. It says why there can be none.
func Undo(p Plan, r Rollout, s ScaleSet, pol Policy, by string, now time.Time) (Plan, *Refusal) {
	show := "/vmss show " + p.Name
	touched := r.touched()
	before, no := previous(p, r, touched)
	ours := stillOurs(touched, s, p.Target.Setting, before)
	switch is := p.Target.of(s.Model); {
	case p.Action == ActionRollback:
		return Plan{}, takenBack(p, r)
	case len(touched) == 0:
		return Plan{}, Refuse(CodeState, fmt.Sprintf("/vmss abort %s revert \"reason\"", r.ID), "%s has upgraded nothing: an abort puts the old image back into the model", r.ID)
	case p.Unique != "" && s.Unique != "" && p.Unique != s.Unique:
		return Plan{}, Refuse(CodePolicy, show, "%s was deleted and made anew: its instances are others", p.Name)
	case p.Target.Model:
		return Plan{}, Refuse(CodePolicy, show, "%s rolled what the model said, and somebody else writes the model: put the old image back there, then `upgrade %s model`", r.ID, p.Name)
	case no != nil:
		return Plan{}, no
	case !is.Same(p.Target.Setting) && !is.Same(p.From) && !is.Same(before):
		return Plan{}, Refuse(CodePolicy, show, "the model of %s names %s by now, which %s did not set: what came after it would be taken back, too. Name the version to go to with `upgrade %s VERSION`", p.Name, is, r.ID, p.Name)
	case len(ours) == 0:
		return Plan{}, Refuse(CodeNothing, show, "nothing of %s to roll back: the instances that %s touched are gone, or run other images by now", p.Name, r.ID)
	case pol.Channel == "":
		return Plan{}, Refuse(CodePolicy, show, "%s has no channel in the configuration: nobody could agree to a rollback", p.Name)
	}
	limits := view{p: p, r: r, seen: Observation{Set: &s, Policy: pol}}.limits()
	limits.OnFailure = HoldOnFailure
	// By batch no instance is passed by for a domain that is not told: its gate is the one it was in.
	w := Wish{Target: Target{Setting: before}, Order: Order{By: ByBatch}, Which: Selection{Instances: ours}, Limits: limits, By: by, Undoes: r.ID, Note: "rollback of " + r.ID}
	q, no := NewPlan(s, pol, w, now)
	if no != nil {
		return Plan{}, no
	}
	q.Gates, q.Order.By = backwards(p, q, s), p.Order.By
	q.Digest, q.Hazards = q.digest(), slices.Concat(hazards(s, q.Target), wouldWait(s, q))
	return q, nil
}

// backwards are the gates of a rollback: those of the plan it takes back, the last one first, each with
// its instances where they are now.
func backwards(p, q Plan, s ScaleSet) []Gate {
	var out []Gate
	for _, g := range slices.Backward(p.Gates) {
		for _, m := range g.Instances {
			if now, _, in := q.Member(m.ID); in {
				i, _ := s.Instance(m.ID)
				m = m.at(i)
				m.From = now.From
				out = into(out, Gate{Key: g.Key, Title: g.Title}, m)
			}
		}
	}
	return out
}

// stillOurs are those of the instances that run one of the rollout's two images, or one that is not told: what
// somebody else put onto the others is not ours to take away.
func stillOurs(ids []string, s ScaleSet, to, before Setting) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		i, present := s.Instance(id)
		return !present || to.In(i).String() != "" && !to.In(i).Same(to) && !to.In(i).Same(before)
	})
}

// takenBack refuses to roll a rollback back: that is the way forward again, which takes a second person.
func takenBack(p Plan, r Rollout) *Refusal {
	return &Refusal{Code: CodePolicy, What: fmt.Sprintf("%s is a rollback itself: to go forward again, `upgrade %s VERSION`", r.ID, p.Name), Next: "/vmss why " + r.ID, Rollout: r.ID}
}

func (v view) undo(by string) (Plan, *Refusal) {
	return Undo(v.p, v.r, *v.seen.Set, v.seen.Policy, by, v.now)
}

// touched lists the instances that were named in a call that Azure may have carried out.
func (r Rollout) touched() []string {
	var out []string
	for _, b := range r.Batches {
		for _, id := range b.Instances {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// previous is the image that the touched instances ran before. Where they ran several, or nobody knows
// which, it is the one the model named.
func previous(p Plan, r Rollout, touched []string) (Setting, *Refusal) {
	var before Setting
	alike := true
	for n, id := range touched {
		m, _, _ := p.Member(id)
		was := m.From
		if was.Size == "" {
			was.Image = was.Image.At(was.Running())
		}
		if n == 0 {
			before = was
		}
		alike = alike && was.Same(before)
	}
	if alike && pinned(before) {
		return before, nil
	}
	if is := r.Model.Previous; pinned(is) {
		return is, nil
	}
	return Setting{}, Refuse(CodePolicy, "/vmss show "+p.Name, "the instances of %s ran several images before, or one that is not known: name the one to go to with `upgrade %s VERSION`", p.Name, p.Name)
}
