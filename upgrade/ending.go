package upgrade

import "fmt"

// finished ends a rollout whose gates are all done. Success takes an upgraded instance (R33).
func (v view) finished() Decision {
	switch n := v.r.Count(v.p); {
	case n[OK] > 0 && n[Aside] > 0 && n[Aside]+n[Broken] > n[OK]: // most of it did not work out (R4)
		return v.closing(OutcomeAside, aside(n), nil)
	case n[OK] > 0 && n[Aside] > 0:
		return Decision{Kind: End, Outcome: OutcomeAside, Text: aside(n)}
	case n[OK] > 0 && n[Broken] > 0:
		return Decision{Kind: End, Outcome: OutcomeSucceeded, Text: fmt.Sprintf("every gate is done; %s failed, which the limits allow", Count(n[Broken], "instance"))}
	case n[OK] > 0:
		return Decision{Kind: End, Outcome: OutcomeSucceeded, Text: "every gate is done"}
	case n[Broken] > 0 || n[Aside] > 0:
		return v.closing(OutcomeFailed, "not one instance was upgraded", nil)
	}
	return v.closing(OutcomeNothing, "not one instance was left to upgrade", nil)
}

func aside(n map[Progress]int) string {
	return fmt.Sprintf("every gate is done; %s quarantined, %d failed", Count(n[Aside], "instance"), n[Broken])
}

// closing ends a rollout early: what was started is followed to its end (R2), then comes the model
// question, where it arises (R4), then the end.
func (v view) closing(outcome Outcome, why string, blockers []Blocker) Decision {
	answer := v.r.Model.Answer
	over := Decision{Kind: End, Outcome: outcome, Text: why}
	for _, b := range blockers {
		if b.Reason == ReasonVerifying {
			return v.blocked([]Blocker{b})
		}
	}
	if abort := v.r.Abort; abort != nil && abort.Rollback {
		_, no := v.undo(abort.By)
		if no == nil {
			return Decision{Kind: End, Outcome: OutcomeRollback, Text: fmt.Sprintf("%s takes it back to the %s before", abort.Name, v.p.Target.noun())}
		}
		over.Text += "; there is no rollback: " + no.What
	}
	switch {
	case !v.holds() || answer == Keep:
		if answer == Revert && v.r.Model.Set && !v.r.Model.Reverted {
			over.Text += fmt.Sprintf("; the model was left alone: it names %s, which this rollout did not set", v.r.Model.To.of(v.seen.Set.Model))
		}
		return over
	case answer == Revert:
		return v.puttingBack(blockers)
	case !v.ahead():
		return over
	case v.r.Model.Asked == nil:
		return Decision{Kind: AskModel, Reason: ReasonModel, Text: fmt.Sprintf("the model names the new %s, most instances do not have it", v.p.Target.noun()), Blockers: blockers}
	}
	b := Blocker{Reason: ReasonModel, What: fmt.Sprintf("put %s back into the model, or keep %s?", v.r.Model.Previous, v.r.Model.To),
		Clears: "a requester or approver", Next: fmt.Sprintf("/vmss abort %s revert", v.r.ID)}
	return v.blocked(append([]Blocker{b}, blockers...))
}

// puttingBack waits only for what would make Azure refuse the write.
func (v view) puttingBack(blockers []Blocker) Decision {
	for _, b := range blockers {
		if b.Reason == ReasonThrottled || b.Reason == ReasonBusy || b.Reason == ReasonFreeze && v.seen.Frozen != "" {
			return v.blocked([]Blocker{b})
		}
	}
	return Decision{Kind: PutBack, Text: fmt.Sprintf("the model gets %s back", v.r.Model.Previous)}
}

// holds reports whether the model still names what this rollout put there.
func (v view) holds() bool {
	return v.r.Model.Set && !v.r.Model.Reverted && v.r.Model.To.of(v.seen.Set.Model).Same(v.r.Model.To)
}

// ahead reports whether the model is newer than most instances.
func (v view) ahead() bool {
	on, off := v.split()
	return off >= on
}

// recommend goes with what most instances run; at a tie the new image stays. While no call was
// accepted nothing speaks for it.
func (v view) recommend() ModelAnswer {
	if on, off := v.split(); on < off || len(v.r.Batches) == 0 {
		return Revert
	}
	return Keep
}

// elsewhere lists the set's instances that are not on the target.
func (v view) elsewhere() []string {
	var out []string
	for _, i := range v.seen.Set.Instances {
		if !v.p.Target.In(i).Same(v.p.Target.Setting) {
			out = append(out, i.ID)
		}
	}
	return out
}

// split counts the set's instances on the target and not.
func (v view) split() (on, off int) {
	for _, i := range v.seen.Set.Instances {
		if v.p.Target.In(i).Same(v.p.Target.Setting) {
			on++
		} else {
			off++
		}
	}
	return on, off
}
