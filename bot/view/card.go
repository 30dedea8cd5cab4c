package view

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// card is the question put to people before a gate: made for a phone at night, so the evidence is
// short, one button says yes and everything else is behind the dots. Once it is answered, or the
// answer does not matter any more, it is one line without buttons.
func card(g upgrade.Gate, at, n int, rec upgrade.Record, now time.Time) Message {
	a := askingOf(rec, g, n)
	slot := upgrade.CardSlot(g.Key, n)
	if line := closed(a, g, rec, now); line != "" {
		var p page
		p.para(line)
		p.small(code(rec.ID), "plan "+esc(rec.Plan.Short(), 8), gateOf(rec.Plan, at), goal(rec.Plan, g, a))
		return p.done(slot, fmt.Sprintf("%s (%s)", flat(line), esc(rec.ID, 20)))
	}
	var p page
	p.paraWith(restMenu(a, at, rec), question(a, at, rec), dots(goal(rec.Plan, g, a), gateOf(rec.Plan, at)))
	p.para(evidence(a, g, at, rec)...)
	p.para(acknowledge(a, at, rec)...)
	p.small(code("/vmss approve "+rec.ID), "plan "+esc(rec.Plan.Short(), 8))
	p.buttons(cardButtons(a, at, rec)...)
	return p.done(slot, cardText(a, g, rec))
}

// asksFor is what a yes to the card of the gate at i is to: with a plan that asks for gates together all that is
// left from there on.
func asksFor(a asking, at int, rec upgrade.Record) string {
	what := rec.Plan.Gates[at].Title + onceMore(a)
	if later, _ := left(at, rec); len(later) > 0 && rec.Plan.Together(at) {
		return fmt.Sprintf("%s … %s", what, later[len(later)-1].Title)
	}
	return what
}

// left are the gates after the one at i of which something waits, and so many instances of them do.
func left(at int, rec upgrade.Record) (later []upgrade.Gate, n int) {
	for _, g := range rec.Plan.Gates[at+1:] {
		waits := 0
		for _, id := range g.IDs() {
			if rec.Rollout.Instances[id].State == upgrade.Waiting {
				waits++
			}
		}
		if n += waits; waits > 0 {
			later = append(later, g)
		}
	}
	return later, n
}

// alsoCovers says what else a yes covers, where the plan has one asked for all.
func alsoCovers(a asking, at int, rec upgrade.Record) string {
	later, n := left(at, rec)
	if !rec.Plan.Together(at) || len(later) == 0 {
		return ""
	}
	return fmt.Sprintf(":link: *One yes for %s*, %s, one gate after the other: nobody is asked again; health, limits and soaks still hold",
		upgrade.Count(len(later)+1, "gate"), upgrade.Count(len(a.ids)+n, "instance"))
}

func gateOf(p upgrade.Plan, at int) string { return fmt.Sprintf("gate %d/%d", at+1, len(p.Gates)) }

// question is the title of a card. What goes back must not be taken for what goes on.
func question(a asking, at int, rec upgrade.Record) string {
	p := rec.Plan
	if back(p) {
		return fmt.Sprintf(":rewind: *Roll %s of %s back to %s?*", asksFor(a, at, rec), name(p.Name), version(p.Target))
	}
	return fmt.Sprintf("*Approve %s of %s?*", asksFor(a, at, rec), name(p.Name))
}

func onceMore(a asking) string {
	if len(a.again) == 0 {
		return ""
	}
	return " once more"
}

// subject is what a card was about, once it is over.
func subject(a asking, g upgrade.Gate, p upgrade.Plan) string {
	s := fmt.Sprintf("%s%s of %s", g.Title, onceMore(a), name(p.Name))
	if back(p) {
		return "the way back of " + s
	}
	return s
}

// goal is what becomes of how many.
func goal(p upgrade.Plan, g upgrade.Gate, a asking) string {
	return fmt.Sprintf("%s: %s %s", howMany(g, a), fromsOf(p, g), toward(p))
}

func howMany(g upgrade.Gate, a asking) string {
	some := upgrade.Count(len(g.Instances), "instance")
	if n := len(a.ids); n > 0 && n < len(g.Instances) {
		return fmt.Sprintf("%d of %s", n, some)
	}
	return some
}

func toward(p upgrade.Plan) string {
	to, arrow := version(p.Target), "→"
	if !oneFamily(p) {
		to = called(p.Target.Image)
	}
	if back(p) {
		arrow = "back to"
	}
	return arrow + " " + to
}

// yesMeans is what the button asks once more. What the instances have now gives way where there is not
// room for all of it: the card says it, too.
func yesMeans(a asking, at int, rec upgrade.Record) string {
	p, g := rec.Plan, rec.Plan.Gates[at]
	if later, n := left(at, rec); len(later) > 0 && p.Together(at) {
		return name(p.Name) + ": " + allOfIt(asksFor(a, at, rec), len(a.ids)+n, len(later)+1)
	}
	head := fmt.Sprintf("%s: %s: ", name(p.Name), howMany(g, a))
	tail := fmt.Sprintf(" %s (%s)", toward(p), clip(brief(a.ids, 60), 60))
	return head + clip(fromsOf(p, g), maxConfirm-utf8.RuneCountInString(head+tail)) + tail
}

func cardText(a asking, g upgrade.Gate, rec upgrade.Record) string {
	return fmt.Sprintf("%s %s%s: %s, approve by %s (%s)", name(rec.Plan.Name), g.Title, onceMore(a), goal(rec.Plan, g, a), clock(a.asked.Expires), esc(rec.ID, 20))
}

// closed is what stands on a card that is over, "" while it is live.
func closed(a asking, g upgrade.Gate, rec upgrade.Record, now time.Time) string {
	r := rec.Rollout
	_, done := r.GateDone(g)
	started := sentSince(r, g, a.asked.At)
	late := !started && (!now.Before(a.asked.Expires) || upgrade.LastDecided(rec.Events).Reason == upgrade.ReasonExpired)
	what := subject(a, g, rec.Plan)
	switch {
	case a.asked.At.IsZero():
		return ":grey_question: " + what + " is not asked here any more."
	case a.denied != nil:
		line := fmt.Sprintf(":no_entry_sign: %s denied %s at %s%s", name(a.denied.Name), what, when(a.denied.At), because(a.denied.Reason))
		if a.replaced || r.Ended != nil {
			return line
		}
		return line + fmt.Sprintf("\nNothing starts. Ask once more: %s", code("/vmss ask "+rec.ID))
	case !a.granted.IsZero() && !(late && r.Ended == nil && !done):
		line := fmt.Sprintf(":white_check_mark: %s approved %s%s at %s", a.voters(), what, alsoRest(a), when(a.granted))
		if a.replaced {
			return line + "\n:arrows_counterclockwise: It is asked anew since: this yes starts nothing more."
		}
		return line
	case a.replaced:
		return fmt.Sprintf(":arrows_counterclockwise: %s is asked anew: this card does not count any more.", what)
	case r.Ended != nil:
		return fmt.Sprintf("%s %s is not needed any more: the rollout has ended (%s).", outcomeEmoji(r.Ended.Outcome), what, r.Ended.Outcome)
	case r.Abort != nil && r.Abort.Rollback:
		return fmt.Sprintf(":rewind: %s is not needed any more. %s", what, stopped(*r.Abort))
	case r.Abort != nil:
		return fmt.Sprintf(":octagonal_sign: %s is not needed any more. %s", what, stopped(*r.Abort))
	case done:
		return fmt.Sprintf(":white_check_mark: %s: nothing is left to %s.", what, doingOf(rec.Plan.Target.Setting).do)
	case late:
		return fmt.Sprintf(":hourglass: The time to approve %s ran out at %s%s.\nNothing starts. Ask once more: %s", what, when(a.asked.Expires), inVain(a), code("/vmss ask "+rec.ID))
	}
	return ""
}

func alsoRest(a asking) string {
	if a.rest {
		return " and everything after it"
	}
	return ""
}

// inVain names those whose yes came to nothing.
func inVain(a asking) string {
	if len(a.votes) == 0 {
		return ""
	}
	return " (" + a.voters() + " had agreed)"
}

func batchOf(r upgrade.Rollout, g upgrade.Gate) (upgrade.BatchStatus, bool) {
	i := slices.IndexFunc(r.Batches, func(b upgrade.BatchStatus) bool { return b.Gate == g.Key })
	if i < 0 {
		return upgrade.BatchStatus{}, false
	}
	return r.Batches[i], true
}

// sentSince reports whether anything of the gate was sent after a moment.
func sentSince(r upgrade.Rollout, g upgrade.Gate, at time.Time) bool {
	return slices.ContainsFunc(r.Batches, func(b upgrade.BatchStatus) bool { return b.Gate == g.Key && !b.Op.SentAt.Before(at) })
}

// evidence is a few short lines: what it costs, how it went before, what else is in the way, who must
// agree until when.
func evidence(a asking, g upgrade.Gate, at int, rec upgrade.Record) []string {
	p := rec.Plan
	lines := []string{fmt.Sprintf("Instances %s · serving stays ≥ %d/%d", strings.Join(ends(runs(a.ids), 160), " "), serving(p, len(a.ids)), p.Total)}
	lines = append(lines, alsoCovers(a, at, rec))
	lines = append(lines, a.trials(3)...)
	if at > 0 {
		lines = append(lines, soFar(p.Gates[at-1], rec))
	}
	return append(lines, inTheWay(rec), goes(a, p), needs(a, rec))
}

// soFar tells how the gate before went.
func soFar(g upgrade.Gate, rec upgrade.Record) string {
	parts := []string{g.Title + ": " + results(g, rec.Rollout) + tookOf(g, rec, pastOf(rec))}
	if rec.Rollout.Lowest >= 0 {
		parts = append(parts, fmt.Sprintf("lowest serving so far %d/%d", rec.Rollout.Lowest, rec.Plan.Total))
	}
	return dots(parts...)
}

// tookOf is how long Azure and the instances were at work on a gate that is done, waiting for people left
// out.
func tookOf(g upgrade.Gate, rec upgrade.Record, p past) string {
	_, done := rec.Rollout.GateDone(g)
	var work time.Duration
	for _, b := range rec.Rollout.Batches {
		if b.Gate == g.Key {
			work += p.took(b)
		}
	}
	if !done || work == 0 {
		return ""
	}
	return " in " + span(work)
}

// inTheWay lists what an approval does not clear: a yes given now counts, the start waits (R31).
func inTheWay(rec upgrade.Record) string {
	if s := rec.Rollout.Pause; s != nil {
		return fmt.Sprintf(":double_vertical_bar: Paused by %s: a yes counts, nothing starts until somebody resumes", name(s.Name))
	}
	var parts []string
	for _, b := range others(upgrade.LastDecided(rec.Events), upgrade.ReasonApproval) {
		parts = append(parts, prose(b.What)+until(b))
	}
	if len(parts) == 0 {
		return "Nothing else is in the way: it starts with the yes"
	}
	return "First: " + strings.Join(parts, " · ")
}

func needs(a asking, rec upgrade.Record) string {
	s := "Needs " + agreeing(rec)
	if len(a.calledIn) > 0 {
		s += ", or of those who were called in"
	}
	others := slices.DeleteFunc(slices.Clone(a.votes), func(b upgrade.Ballot) bool { return !a.own.IsZero() && b.By == rec.Rollout.Requester })
	if len(others) > 0 {
		_, need := rec.Agreement()
		s = fmt.Sprintf("%d of %d agreed: %s", len(others), need, asking{votes: others}.voters())
	}
	if !a.own.IsZero() {
		s += fmt.Sprintf(" · %s's own yes counts at %s unless somebody denies", name(rec.Rollout.Name), when(a.own))
	}
	return s + " · by " + when(a.asked.Expires)
}

// acknowledge lists what a yes takes on board besides the gate: what is different since the plan before,
// what becomes of the model with the first one (R41), and what was changed in it since the plan (R34).
func acknowledge(a asking, at int, rec upgrade.Record) []string {
	out := different(":warning: Planned anew, and part of this yes: what is different from the plan before:", a.changes)
	if at == 0 && !rec.Plan.Target.Model && !rec.Rollout.Model.Set {
		out = append(out, ":warning: "+born(rec.Plan))
	}
	if at == 0 {
		for _, s := range rec.Plan.Pending {
			out = append(out, ":warning: Also pending: "+prose(s))
		}
	}
	if len(a.asked.Acknowledged) > 0 {
		var names []string
		for _, s := range a.asked.Acknowledged {
			names = append(names, code(string(s)))
		}
		out = append(out, fmt.Sprintf(":warning: Changed in the model since the plan, and part of this yes: %s", and(names)))
		out = append(out, bullets(a.asked.Changes)...)
	}
	return out
}

func cardButtons(a asking, at int, rec upgrade.Record) []slack.BlockElement {
	what := asksFor(a, at, rec)
	label, word, style := "Approve "+what, "Approve", slack.StylePrimary
	if back(rec.Plan) {
		label, word, style = "Roll "+what+" back", "Roll back", slack.StyleDanger
	}
	yes := button(label, label+" of "+rec.Plan.Name, commands.Request{Verb: commands.VerbApprove, Nonce: a.asked.Nonce})
	yes.WithStyle(style)
	yes.WithConfirm(confirm(label+"?", yesMeans(a, at, rec), word))
	pause := choice{"Pause", commands.Request{Verb: commands.VerbPause, Rollout: rec.ID}}
	if rec.Rollout.Pause != nil {
		pause = choice{"Resume", commands.Request{Verb: commands.VerbResume, Rollout: rec.ID}}
	}
	deny := choice{"Deny…", commands.Request{Verb: commands.VerbDeny, Nonce: a.asked.Nonce}}
	return []slack.BlockElement{yes, more(askWhy(rec), askInstances(rec), pause, deny, abort(rec))}
}

// restMenu keeps the yes to everything away from the yes to this gate, with a question of its own
// (R7, R25). It is not offered where each gate needs several people.
func restMenu(a asking, at int, rec upgrade.Record) slack.BlockElement {
	p := rec.Plan
	later, n := left(at, rec)
	if _, need := p.Agreement(p.Policy); len(later) == 0 || need > 1 || p.Together(at) {
		return nil
	}
	all := fmt.Sprintf("%s … %s", p.Gates[at].Title, later[len(later)-1].Title)
	label, title := "Approve the rest", "Approve all that is left?"
	if back(p) {
		label, title = "Roll the rest back", "Roll all that is left back?"
	}
	menu := slack.NewOverflowBlockElement(commands.ActionMore, option(choice{fmt.Sprintf("%s (%s)…", label, all), commands.Request{Verb: commands.VerbApprove, Nonce: a.asked.Nonce, Rest: true}}))
	return menu.WithConfirm(confirm(title, allOfIt(all, len(a.ids)+n, len(later)+1), label))
}

func allOfIt(what string, instances, gates int) string {
	return fmt.Sprintf("%s: %s in %s. Nobody is asked again; health, limits and soaks still hold.", what, upgrade.Count(instances, "instance"), upgrade.Count(gates, "gate"))
}

// serving foretells how many instances serve at least while so many of a gate are upgraded: those that
// serve now less what may be taken down. Taking down an ill instance costs nothing (R27).
func serving(p upgrade.Plan, some int) int {
	budget := max(0, p.Limits.MaxUnavailable-(p.Total-p.Available))
	return max(0, p.Available-min(some, budget, p.Limits.BatchCap))
}
