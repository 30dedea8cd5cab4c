package upgrade

import (
	"fmt"
	"slices"
)

// The ways out of trouble: what the verbs retry, skip, quarantine, resolve, replan, rollback and
// handover come to. Each changes what the rollout knows; what follows is decided in the next pass.

// chosen are the instances a word names, or else those in one of the states. Each must be in one of the
// states; noun says what they must be.
func (h hearing) chosen(noun string, states ...Progress) ([]string, *Refusal) {
	if len(h.w.IDs) == 0 {
		return h.r.In(states...), nil
	}
	ids := slices.Clone(h.w.IDs)
	slices.SortFunc(ids, CompareIDs)
	ids = slices.Compact(ids)
	for _, id := range ids {
		_, _, planned := h.p.Member(id)
		switch is := h.r.Instances[id].State; {
		case !planned:
			return nil, h.refuse(CodeUnknown, "instance %s is not part of %s", id, h.r.ID)
		case !slices.Contains(states, is):
			return nil, h.refuse(CodeState, "instance %s is %s: to %s takes one that is %s", id, is.named(), h.w.Verb, noun)
		}
	}
	return ids, nil
}

// known are chosen instances of which people could know, when they spoke, that they had failed or that
// nothing tells whether they did: the rollout goes on without these.
func (h hearing) known(noun string, states ...Progress) ([]string, *Refusal) {
	ids, no := h.chosen(noun, states...)
	for _, id := range ids {
		if is := h.r.Instances[id]; (is.State == Broken || is.State == Unclear) && h.early(is.At) {
			return nil, h.refuse(CodeStale, "%s of %s: seen so only after you had said that: look once more, then say it again", Instances(ids), h.p.Name)
		}
	}
	return ids, no
}

// named is where an instance stands, as people say it.
func (p Progress) named() string {
	if p == Waiting {
		return "not started"
	}
	return string(p)
}

// retry puts instances back; their gate is asked anew, as the yes they had is used up (I7). Without
// instances it is about all that failed, and about a write that Azure refused.
func (h hearing) retry() (Heard, *Refusal) {
	states := []Progress{Broken, Aside, Passed, Unclear}
	if len(h.w.IDs) == 0 {
		states = []Progress{Broken}
	}
	ids, no := h.chosen("failed, inconclusive, quarantined or skipped", states...)
	if no != nil {
		return Heard{}, no
	}
	refusal := len(h.w.IDs) == 0 && h.r.Refusal != nil && h.r.Refusal.Until.IsZero()
	f := Retried{Name: h.by.Name, IDs: ids, Gates: h.gatesOf(ids), Refusal: refusal}
	switch {
	case len(ids) > 0:
		return Heard{[]Fact{f}, fmt.Sprintf("%s of %s: asked for once more. Nothing happens before somebody agrees.", upperFirst(Instances(ids)), h.p.Name)}, nil
	case refusal:
		return Heard{[]Fact{f}, fmt.Sprintf("%s tries again what Azure refused.", h.r.ID)}, nil
	}
	return Heard{}, h.refuse(CodeState, "nothing of %s has failed", h.r.ID)
}

func (h hearing) gatesOf(ids []string) []string {
	var keys []string
	for _, id := range ids {
		if _, g, _ := h.p.Member(id); !slices.Contains(keys, g.Key) {
			keys = append(keys, g.Key)
		}
	}
	return keys
}

// skip leaves instances as they are. It narrows what was agreed to, so that a yes stays (R21).
func (h hearing) skip() (Heard, *Refusal) {
	if len(h.w.IDs) == 0 {
		return Heard{}, Refuse(CodeArg, fmt.Sprintf("/vmss skip %s vm=3", h.r.ID), "say which instances: they are always named")
	}
	ids, no := h.known("not started, failed or inconclusive", Waiting, Broken, Unclear)
	if no != nil {
		return Heard{}, no
	}
	return Heard{[]Fact{Skipped{Name: h.by.Name, Reason: h.w.Reason, IDs: ids}},
		fmt.Sprintf("%s of %s: left as they are, for this rollout. `/vmss retry %s vm=…` takes them in again.", upperFirst(Instances(ids)), h.p.Name, h.r.ID)}, nil
}

func (h hearing) quarantine() (Heard, *Refusal) {
	ids, no := h.known("failed, inconclusive, skipped or upgraded", Broken, Unclear, Passed, OK)
	switch {
	case len(h.w.IDs) == 0:
		return Heard{}, Refuse(CodeArg, fmt.Sprintf("/vmss quarantine %s vm=8 \"why\"", h.r.ID), "say which instances: they are always named")
	case no != nil:
		return Heard{}, no
	case h.w.Reason == "":
		return Heard{}, Refuse(CodeArg, h.aboutIDs(ids, `"why"`), "a quarantine needs a reason: somebody will have to repair them")
	}
	return Heard{[]Fact{Quarantined{Name: h.by.Name, Reason: h.w.Reason, IDs: ids}},
		fmt.Sprintf("%s of %s: set aside. The report names them as left to repair.", upperFirst(Instances(ids)), h.p.Name)}, nil
}

// resolve believes an approver who looked at Azure (R1, R29, R48).
func (h hearing) resolve() (Heard, *Refusal) {
	switch h.w.Verdict {
	case Started, NotStarted:
		return h.resolveCall()
	case IsOK, IsFailed:
		return h.resolveInstances()
	case Passes:
		return h.resolveProbes()
	}
	return Heard{}, Refuse(CodeArg, fmt.Sprintf("/vmss resolve %s started \"why\"", h.r.ID), "say started or not-started of a call, ok or failed of instances, passed of external gates")
}

func (h hearing) resolveCall() (Heard, *Refusal) {
	op := h.r.Op
	switch {
	case len(h.w.IDs) > 0:
		return Heard{}, Refuse(CodeArg, fmt.Sprintf("/vmss resolve %s %s \"why\"", h.r.ID, h.w.Verdict), "a call starts as a whole or not at all: leave the instances out")
	case op == nil || !op.Unknown():
		return Heard{}, h.refuse(CodeState, "no call of %s is without an answer", h.r.ID)
	case h.early(op.SentAt):
		return Heard{}, h.refuse(CodeStale, "you said that before %s was sent: it was about something else", describe(op.Operation))
	case !h.watched(op):
		return Heard{}, h.refuse(CodeState, "%s brought no answer only just now, or the set is at work: it is watched first, as it may still happen", describe(op.Operation))
	case h.w.Reason == "":
		return Heard{}, h.reasonless()
	}
	said := Resolved{Name: h.by.Name, Reason: h.w.Reason, Verdict: h.w.Verdict, Op: op.ID}
	next := "is asked for once more"
	if op.Kind == OpModel {
		next = "is done once more, under the yes there is"
	}
	if h.w.Verdict == NotStarted {
		return Heard{[]Fact{said, Settled{Op: op.ID, Code: "NotStarted", Message: "as resolved by " + h.by.Name}},
			fmt.Sprintf("%s did not happen, you say: it %s.", upperFirst(describe(op.Operation)), next)}, nil
	}
	facts := []Fact{said, Settled{Op: op.ID, OK: true, Code: "Resolved", Message: "as resolved by " + h.by.Name}}
	if op.Kind == OpModel {
		facts = append(facts, ModelSet{To: op.To, Previous: h.p.From})
	}
	return Heard{facts, fmt.Sprintf("%s did happen, you say: what is seen of the set tells how it went.", upperFirst(describe(op.Operation)))}, nil
}

// watched: long enough after the call a list was quiet, or the set does not come to rest at all.
func (h hearing) watched(op *OpStatus) bool {
	n := len(op.Looks)
	return n > 0 && (!op.Looks[n-1].Moving || h.now.Sub(op.SentAt) >= h.p.Limits.Deadline)
}

func (h hearing) resolveInstances() (Heard, *Refusal) {
	ids, no := h.known("inconclusive", Unclear)
	switch {
	case len(h.w.IDs) == 0:
		return Heard{}, Refuse(CodeArg, fmt.Sprintf("/vmss resolve %s vm=8 %s \"why\"", h.r.ID, h.w.Verdict), "say which instances: they are always named")
	case no != nil:
		return Heard{}, no
	case h.w.Reason == "":
		return Heard{}, h.reasonless()
	}
	return Heard{[]Fact{Resolved{Name: h.by.Name, Reason: h.w.Reason, Verdict: h.w.Verdict, IDs: ids}},
		fmt.Sprintf("%s of %s: %s, you say.", upperFirst(Instances(ids)), h.p.Name, h.w.Verdict)}, nil
}

func (h hearing) reasonless() *Refusal {
	next := fmt.Sprintf("/vmss resolve %s %s \"why\"", h.r.ID, h.w.Verdict)
	if len(h.w.IDs) > 0 {
		next = h.aboutIDs(h.w.IDs, string(h.w.Verdict), `"why"`)
	}
	return Refuse(CodeArg, next, "say what you saw: the rollout goes on by your word")
}

func (h hearing) aboutIDs(ids []string, more ...string) string {
	return view{r: h.r}.about(string(h.w.Verb), ids, more...)
}

// replan puts the Desk's new plan in the place of the rollout's. Where somebody has put the image before
// back into the model, that is the very same plan, and it begins anew.
func (h hearing) replan() (Heard, *Refusal) {
	ours := view{p: h.p, r: h.r}.ours()
	switch q := h.w.Plan; {
	case h.r.Op != nil:
		return Heard{}, h.refuse(CodeState, "a call of %s is in flight: it is followed to its end first", h.r.ID)
	case q.Digest == h.p.Digest && q.From.Same(ours):
		return Heard{}, h.refuse(CodeState, "%s is as planned: there is nothing to plan anew", h.p.Name)
	default:
		return Heard{[]Fact{Replanned{Digest: q.Digest, Sum: q.Sum(), Name: h.by.Name, Model: q.From, Changes: replanned(h.p, *q, ours)}},
			fmt.Sprintf("%s is planned anew (plan %s): every yes so far is void, the next card shows what is different.", h.r.ID, q.Short())}, nil
	}
}

// rollback ends the rollout and opens the one back, once everything in flight has ended (R5).
func (h hearing) rollback() (Heard, *Refusal) {
	switch {
	case h.p.Action == ActionRollback:
		return Heard{}, takenBack(h.p, h.r)
	case h.r.Abort != nil && h.r.Abort.Rollback:
		return Heard{Answer: fmt.Sprintf("%s is rolled back already, by %s.", h.r.ID, h.r.Abort.Name)}, nil
	case h.r.Abort != nil && h.r.Model.Answer != ModelOpen:
		return Heard{}, h.refuse(CodeState, "%s was aborted by %s, with the model's image to %s: roll back once it has ended", h.r.ID, h.r.Abort.Name, h.r.Model.Answer)
	case len(h.r.touched()) == 0:
		return Heard{}, &Refusal{Code: CodeState, What: h.r.ID + " has upgraded nothing: an abort is all it takes", Next: fmt.Sprintf("/vmss abort %s revert \"reason\"", h.r.ID), Rollout: h.r.ID}
	case h.p.Target.Model:
		return Heard{}, h.refuse(CodePolicy, "%s rolls what the model says, and somebody else writes the model: put the old image back there, abort, and `upgrade %s model`", h.r.ID, h.p.Name)
	}
	answer := fmt.Sprintf("%s ends now, and a rollout back opens: its cards ask before each gate, the last one first. One person's yes is enough, also yours.", h.r.ID)
	return Heard{[]Fact{AbortAsked{Name: h.by.Name, Reason: h.w.Reason, Rollback: true}}, answer}, nil
}

// handover makes another person the one the bot calls. It is no way around the second pair of eyes: who
// asked for the rollout still may not approve it.
func (h hearing) handover() (Heard, *Refusal) {
	switch to := h.w.Taker; {
	case to.ID == h.r.Owner:
		return Heard{Answer: fmt.Sprintf("%s has %s already.", to.Name, h.r.ID)}, nil
	case h.pol.Refuses(*to, MayStop, "") != "":
		return Heard{}, h.refuse(CodeRole, "%s cannot take %s over: it takes %s", to.Name, h.r.ID, h.pol.Refuses(*to, MayStop, ""))
	default:
		return Heard{[]Fact{HandedOver{Name: h.by.Name, To: to.ID, ToName: to.Name, Note: h.w.Reason}}, fmt.Sprintf("%s is %s's now.", h.r.ID, to.Name)}, nil
	}
}

func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
