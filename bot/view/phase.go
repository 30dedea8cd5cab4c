package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// phase is where a rollout stands, as people say it: derived each time, never stored.
type phase struct {
	emoji    string
	word     string // for titles and lists
	sentence string // marked up
}

// outcomes are the ends of a rollout.
var outcomes = map[upgrade.Outcome]string{
	upgrade.OutcomeSucceeded: ":white_check_mark:",
	upgrade.OutcomeAborted:   ":octagonal_sign:",
	upgrade.OutcomeFailed:    ":x:",
	upgrade.OutcomeExpired:   ":hourglass:",
	upgrade.OutcomeNothing:   ":ballot_box_with_check:",
	upgrade.OutcomeAside:     ":construction:",
	upgrade.OutcomeRollback:  ":rewind:",
}

func outcomeEmoji(o upgrade.Outcome) string { return cmp.Or(outcomes[o], ":grey_question:") }

// phaseOf says it from what people said and what was sent first, which is newer than the decision
// last recorded, then from that decision.
func phaseOf(rec upgrade.Record) phase {
	r := rec.Rollout
	switch {
	case r.Ended != nil:
		return phase{outcomeEmoji(r.Ended.Outcome), string(r.Ended.Outcome), fmt.Sprintf("Ended %s: %s.", when(r.EndedAt), prose(r.Ended.Reason))}
	case r.Abort != nil:
		return aborting(rec)
	case r.Op != nil && r.Op.State != upgrade.StateIntended:
		return working(rec)
	case r.Pause != nil:
		return phase{":double_vertical_bar:", "paused", fmt.Sprintf("Paused by %s%s. Nothing starts until somebody resumes.", name(r.Pause.Name), because(r.Pause.Reason))}
	}
	return decided(rec, upgrade.LastDecided(rec.Events))
}

// because appends a reason somebody gave.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": “" + esc(reason, 200) + "”"
}

func aborting(rec upgrade.Record) phase {
	r := rec.Rollout
	p := phase{":octagonal_sign:", "aborting", stopped(*r.Abort) + ". Nothing more is started."}
	if r.Abort.Rollback {
		p = phase{":rewind:", "rolling back", stopped(*r.Abort) + ". Nothing more is started here: a rollout back takes over."}
	}
	switch {
	case r.Op != nil && r.Op.State != upgrade.StateIntended:
		p.sentence += " The call in flight is followed to its end."
	case r.Model.Asked != nil && r.Model.Answer == upgrade.ModelOpen:
		p.sentence += " One question is open: what becomes of the model."
	}
	return p
}

// stopped says who aborted a rollout, or rolls it back, and why.
func stopped(s upgrade.Said) string {
	switch {
	case s.By == "" && s.Rollback:
		return byPlan("it ends, and the way back opens", s.Reason)
	case s.By == "":
		return byPlan("it is aborted", s.Reason)
	case s.Rollback:
		return name(s.Name) + " rolls it back" + because(s.Reason)
	}
	return "Aborted by " + name(s.Name) + because(s.Reason)
}

func working(rec upgrade.Record) phase {
	op := rec.Rollout.Op
	gate, _ := rec.Plan.Gate(op.Gate)
	d, some := doingOf(rec.Plan.Target.Setting), upgrade.Count(len(op.Instances), "instance")
	p := phase{":arrows_counterclockwise:", d.going + " " + gate.Title, fmt.Sprintf("%s: Azure %s %s.", gate.Title, d.does, some)}
	if back(rec.Plan) {
		p = phase{":rewind:", "taking " + gate.Title + " back", fmt.Sprintf("%s: Azure takes %s back to %s.", gate.Title, some, version(rec.Plan.Target))}
	}
	switch op.Kind {
	case upgrade.OpReimage:
		p.word, p.sentence = "new disks in "+gate.Title, fmt.Sprintf("%s: Azure gives %s %s.", gate.Title, some, disk(rec.Plan.Target.Setting))
	case upgrade.OpModel:
		p.word, p.sentence = "setting the model", fmt.Sprintf("The model gets %s.", version(op.To))
	case upgrade.OpRevert:
		p.word, p.sentence = "putting the model back", fmt.Sprintf("The model gets %s back.", version(op.To))
	}
	last := upgrade.LastDecided(rec.Events)
	switch {
	case op.Unknown() && last.Reason == upgrade.ReasonUnknown:
		p.emoji, p.word, p.sentence = ":raised_hand:", "held: "+about(last.Reason), "Held: "+prose(last.Text)+"."
	case op.Unknown() && op.Cause != "":
		p.emoji, p.word = ":grey_question:", "watching an unclear call"
		p.sentence = fmt.Sprintf("A call brought no answer (%s). The set is watched until it is clear what happened.", esc(op.Cause, 200))
	}
	if rec.Rollout.Pause != nil {
		p.sentence += fmt.Sprintf(" Paused by %s: this finishes, nothing more starts.", name(rec.Rollout.Pause.Name))
	}
	return p
}

// decided words the decision that was last recorded.
func decided(rec upgrade.Record, d upgrade.Decided) phase {
	until, text := until(foremost(d)), prose(d.Text)
	switch {
	case d.Kind == "":
		return phase{":memo:", "planned", "Planned. The first card follows."}
	case d.Kind == upgrade.Hold:
		return phase{":raised_hand:", "held: " + about(d.Reason), "Held: " + text}
	case d.Reason == upgrade.ReasonApproval:
		return awaiting(rec)
	case d.Reason == upgrade.ReasonSoak, d.Reason == upgrade.ReasonBake:
		return phase{":hourglass_flowing_sand:", strings.ToLower(gerundOf(d.Reason)), gerundOf(d.Reason) + until + "." + nextVote(rec)}
	case d.Reason == upgrade.ReasonVerifying:
		return phase{":arrows_counterclockwise:", "checking", "Coming up: " + text + "."}
	case d.Reason == upgrade.ReasonFreeze:
		return phase{":snowflake:", "frozen", upperFirst(text) + until + "." + nextVote(rec)}
	case d.Reason == upgrade.ReasonWindow:
		return phase{":calendar:", "waiting: " + about(d.Reason), "Waiting: " + text + until + "." + nextVote(rec)}
	case d.Reason == upgrade.ReasonProbe, d.Reason == upgrade.ReasonProbing:
		return phase{":traffic_light:", "waiting: " + about(d.Reason), "Waiting: " + text + "." + nextVote(rec)}
	case d.Reason == upgrade.ReasonChannel:
		return phase{":mute:", "waiting: " + about(d.Reason), "Waiting: " + text + "."}
	case d.Reason == upgrade.ReasonInFlight, d.Reason == upgrade.ReasonNone:
		return phase{":arrows_counterclockwise:", doingOf(rec.Plan.Target.Setting).going, "Next: " + text + "."}
	}
	return phase{":hourglass:", "waiting: " + about(d.Reason), "Waiting: " + text + until + "."}
}

func gerundOf(r upgrade.Reason) string {
	if r == upgrade.ReasonBake {
		return "Baking"
	}
	return "Soaking"
}

// awaiting is the wait for a yes, which may have come since the decision was recorded.
func awaiting(rec upgrade.Record) phase {
	gate, _, open := rec.Rollout.CurrentGate(rec.Plan)
	if _, granted := rec.Rollout.Grants[gate.Key]; granted || !open {
		return phase{":arrow_forward:", gate.Title + " approved", fmt.Sprintf("%s is approved and starts.", gate.Title)}
	}
	asked, isAsked := rec.Rollout.Asked[gate.Key]
	if !isAsked {
		return phase{":bell:", "asking for " + gate.Title, gate.Title + " is next: its card follows."}
	}
	return phase{":bell:", gate.Title + " waits for approval", fmt.Sprintf("%s waits for %s, by %s.", gate.Title, missing(rec, gate), when(asked.Expires))}
}

// missing says what an open gate still takes.
func missing(rec upgrade.Record, g upgrade.Gate) string {
	have := len(rec.Rollout.Votes[g.Key])
	if own := askingOf(rec, g, rec.Rollout.Askings[g.Key]).own; !own.IsZero() {
		have-- // the requester's own, which does not count yet
	}
	if have == 0 {
		return "the yes of " + agreeing(rec)
	}
	_, need := rec.Agreement()
	return fmt.Sprintf("approval (%d of %d)", have, need)
}

// agreeing is who must say yes to a gate.
func agreeing(rec upgrade.Record) string {
	right, need := rec.Agreement()
	if right == upgrade.MayRecover {
		return fmt.Sprintf("%d requester or approver, %s included", need, name(rec.Rollout.Name))
	}
	s := upgrade.Count(need, "approver") + " other than " + name(rec.Rollout.Name)
	r, pol := rec.Rollout, rec.Plan.Policy
	gate, _, _ := r.CurrentGate(rec.Plan)
	said := slices.ContainsFunc(r.Votes[gate.Key], func(b upgrade.Ballot) bool { return b.By == r.Requester })
	if pol.SelfApproval > 0 && !said && !r.Vetoed && pol.Refuses(upgrade.Person{ID: r.Requester}, upgrade.MayApproveOwn, r.Requester) == "" {
		s += fmt.Sprintf(" (whose own yes counts %s after it, unless somebody denies)", span(pol.SelfApproval))
	}
	return s
}

// back reports whether a plan goes back to an image from before (R5).
func back(p upgrade.Plan) bool { return p.Action == upgrade.ActionRollback }

// nextVote tells during a soak or a freeze, outside of windows and before external gates whether people were asked
// already (R31), and whether a yes of theirs holds so long (R22).
func nextVote(rec upgrade.Record) string {
	gate, _, open := rec.Rollout.CurrentGate(rec.Plan)
	_, asked := rec.Rollout.Asked[gate.Key]
	_, granted := rec.Rollout.Grants[gate.Key]
	switch {
	case !open || !asked:
		return ""
	case ranOut(rec):
		return fmt.Sprintf(" The approval of %s ran out: %s.", gate.Title, code("/vmss ask "+rec.ID))
	case granted:
		return " " + lasting(rec, gate)
	}
	return fmt.Sprintf(" %s can be approved meanwhile.", gate.Title)
}

// lasting tells of an approved gate whether it starts when what it waits for is over, or the yes to it runs out before.
func lasting(rec upgrade.Record, gate upgrade.Gate) string {
	blockers := upgrade.LastDecided(rec.Events).Blockers
	i := slices.IndexFunc(blockers, func(b upgrade.Blocker) bool { return !b.Lapses.IsZero() })
	if i < 0 {
		return fmt.Sprintf("%s is approved and starts then.", gate.Title)
	}
	b, again := blockers[i], "people are asked again"
	if !b.Anew {
		again = "it takes another one, by " + code("/vmss ask "+rec.ID)
	}
	if until(b) == "" {
		return fmt.Sprintf("%s is approved; if it has not started by %s, that yes runs out and %s.", gate.Title, when(b.Lapses), again)
	}
	return fmt.Sprintf("%s is approved, but that yes runs out at %s, before it can start: then %s.", gate.Title, when(b.Lapses), again)
}

// ranOut: an approval did, though something else is named first.
func ranOut(rec upgrade.Record) bool {
	return slices.ContainsFunc(upgrade.LastDecided(rec.Events).Blockers, func(b upgrade.Blocker) bool { return b.Reason == upgrade.ReasonExpired })
}

// others are the blockers beside those of the given reasons.
func others(d upgrade.Decided, but ...upgrade.Reason) []upgrade.Blocker {
	return slices.DeleteFunc(slices.Clone(d.Blockers), func(b upgrade.Blocker) bool { return slices.Contains(but, b.Reason) })
}
