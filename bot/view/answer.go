package view

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

const slotReply = "reply"

// Answer makes the private answer to the person who spoke. Rollouts are shown as records has them at
// this moment; one that is missing there is named by its id only.
func Answer(reply commands.Reply, records map[string]upgrade.Record, now time.Time) Message {
	switch {
	case reply.Several != nil:
		return severalAnswer(reply)
	case reply.Refusal != nil:
		return refusal(*reply.Refusal, reply.Request)
	case reply.Plan != nil:
		return planAnswer(reply)
	case reply.Set != nil:
		return setAnswer(*reply.Set)
	case reply.Images != nil:
		return imageList(*reply.Images)
	case reply.Frost != nil:
		return frost(*reply.Frost, reply.Request)
	case reply.Ruled != nil:
		return ruled(*reply.Ruled)
	case reply.Schedule != nil:
		return scheduled(*reply.Schedule, reply.Request)
	case reply.Firing != nil:
		return firing(*reply.Firing)
	case reply.Release != nil:
		return release(*reply.Release)
	case reply.Calendar != nil:
		return calendar(*reply.Calendar)
	case reply.Help != nil:
		return help(*reply.Help)
	case len(reply.Sets) > 0:
		return setList(reply.Sets)
	case reply.Audit != nil:
		return audit(reply, records)
	case reply.Shift != nil:
		return shift(reply, records)
	case reply.Verb == commands.VerbReport && reply.Group != "":
		return filed(groupAnswer(reply, records))
	case reply.Verb == commands.VerbReport && len(reply.Rollouts) == 1:
		return reported(reply, records, now)
	case reply.Verb == commands.VerbHistory && len(reply.Rollouts) > 0:
		return history(reply, records)
	case reply.Verb == commands.VerbHome:
		return home(reply, records)
	case reply.Group != "" && reply.Verb == commands.VerbStatus:
		return groupAnswer(reply, records)
	case len(reply.Rollouts) > 0:
		return rollouts(reply, records, now)
	}
	var p page
	p.para(prose(cmp.Or(reply.Text, reply.Empty, "There is nothing to show.")))
	p.small(echo(reply.Request))
	return p.done(slotReply, flatProse(cmp.Or(reply.Text, reply.Empty, "There is nothing to show.")))
}

// echo shows how the words were understood.
func echo(request string) string {
	if request == "" {
		return ""
	}
	return "understood as " + code("/vmss "+request)
}

// refusalEmoji tells the kinds of no apart at a glance.
var refusalEmoji = map[upgrade.Code]string{
	upgrade.CodeArg:     ":question:",
	upgrade.CodeRole:    ":lock:",
	upgrade.CodeLocked:  ":no_entry:",
	upgrade.CodePolicy:  ":warning:",
	upgrade.CodeNothing: ":ballot_box_with_check:",
	upgrade.CodeUnknown: ":mag:",
	upgrade.CodeStale:   ":hourglass:",
	upgrade.CodeState:   ":raised_hand:",
	upgrade.CodeAzure:   ":cloud:",
	upgrade.CodeBusy:    ":snail:",
	upgrade.CodeInside:  ":rotating_light:",
}

func emojiOf(code upgrade.Code) string { return cmp.Or(refusalEmoji[code], ":grey_question:") }

// refusal says what, why and what now, with its stable code.
func refusal(no commands.Refusal, request string) Message {
	var p page
	p.para(fmt.Sprintf("%s *%s*  %s", emojiOf(no.Code), esc(string(no.Code), 20), refusalWhat(no)))
	if no.Next != "" {
		p.para("You can: " + code(no.Next))
	}
	p.small(echo(request))
	p.buttons(refusalButtons(no)...)
	return p.done(slotReply, fmt.Sprintf("%s: %s", esc(string(no.Code), 20), flatProse(no.What)))
}

func refusalButtons(no commands.Refusal) []slack.BlockElement {
	var out []slack.BlockElement
	if no.Rollout != "" {
		out = append(out, button("Open "+no.Rollout, "Status of "+no.Rollout, commands.Request{Verb: commands.VerbStatus, About: no.Rollout}))
	}
	if no.Form != "" {
		out = append(out, slack.NewButtonBlockElement(commands.ActionForm, no.Form, unmarked("Open form with your values", 70)))
	}
	return out
}

// driven is how the domain ends the one sentence that names a channel; the id is from the
// configuration. Anywhere else, and in any other form, <#…> is foreign text.
var driven = regexp.MustCompile(`^(.*) is driven in <#([CG][A-Z0-9]{2,20})> only$`)

func refusalWhat(no commands.Refusal) string {
	if m := driven.FindStringSubmatch(no.What); m != nil && no.Code == upgrade.CodeRole {
		return fmt.Sprintf("%s is driven in <#%s> only", prose(m[1]), m[2])
	}
	return prose(no.What)
}

// planAnswer tells the plan to whoever asked for it; after upgrade, that its rollout is open.
func planAnswer(reply commands.Reply) Message {
	var p page
	plan := *reply.Plan
	if reply.Rollout != "" {
		p.para(fmt.Sprintf(":memo: %s is open: %s → %s, %s in %s.", code(reply.Rollout), name(plan.Name), version(plan.Target),
			upgrade.Count(plan.Size(), "instance"), upgrade.Count(len(plan.Gates), "gate")),
			"The plan and the first card are in the channel. Somebody else must approve.")
		p.small(echo(reply.Request))
		return p.done(slotReply, fmt.Sprintf("%s is open: %s", esc(reply.Rollout, 20), planText(plan)))
	}
	p.plan(plan, "")
	p.small("Nothing was asked or changed", goOn(reply))
	return p.done(slotReply, planText(plan)+". Nothing was asked or changed.")
}

// goOn is the command that turns the plan into a rollout: of the image that was shown, also when a
// newer one has appeared since.
func goOn(reply commands.Reply) string {
	req, no := commands.Parse(reply.Request)
	if no != nil || req.Verb != commands.VerbPlan {
		return ""
	}
	req.Verb = commands.VerbUpgrade
	if req.Size != "" {
		req.Verb = commands.VerbResize
	}
	if reply.Plan.Pinned != "" {
		if _, byID := upgrade.ImageNamed(req.Target); byID {
			req.Target = reply.Plan.Target.ID
		} else {
			req.Target = reply.Plan.Target.Running()
		}
	}
	return "to roll it out: " + copied(req)
}

// home is what an empty command shows: what runs, and how to begin.
func home(reply commands.Reply, records map[string]upgrade.Record) Message {
	var p page
	p.para("*VM scale set upgrades*")
	p.list(reply.Rollouts, records)
	if len(reply.Rollouts) == 0 {
		p.para(prose(cmp.Or(reply.Text, reply.Empty, "No rollout is open.")))
	}
	p.para(
		code("/vmss plan SET VERSION")+"  look first, nothing is changed",
		code("/vmss upgrade SET VERSION")+"  ask people, then roll it out",
		code("/vmss pending")+"  what waits for you",
		code("/vmss list")+"  the scale sets",
		code("/vmss images SET")+"  the versions there are",
		code("/vmss help")+"  everything else",
	)
	return p.done(slotReply, fmt.Sprintf("%s open. Type /vmss help for what I can do.", upgrade.Count(len(reply.Rollouts), "rollout")))
}

// rollouts answers status, why and pending: one in full, several as a list.
func rollouts(reply commands.Reply, records map[string]upgrade.Record, now time.Time) Message {
	var p page
	if rec, ok := records[reply.Rollouts[0]]; ok && len(reply.Rollouts) == 1 {
		switch {
		case reply.Part == partEvidence:
			return evidenceOf(rec)
		case reply.Verb == commands.VerbWhy:
			return why(rec)
		}
		return status(rec, now)
	}
	p.list(reply.Rollouts, records)
	return p.done(slotReply, upgrade.Count(len(reply.Rollouts), "rollout"))
}

// list shows rollouts with two lines each.
func (p *page) list(ids []string, records map[string]upgrade.Record) {
	const most = 20
	of := func(id string) string { return groupOf(records[id]) }
	head := headings(of)
	for _, id := range inGroups(ids, of)[:min(most, len(ids))] {
		rec, ok := records[id]
		if !ok {
			p.para(code(id))
			continue
		}
		ph := phaseOf(rec)
		c := countsOf(rec)
		p.para(head(id), fmt.Sprintf("%s %s  %s", ph.emoji, title(rec), code(id)),
			"     "+dots(ph.word, fmt.Sprintf("done %d/%d · failed %d", c.done, c.total, c.failed), "by "+name(rec.Rollout.Name), owner(rec.Rollout)))
	}
	if n := len(ids) - most; n > 0 {
		p.para(fmt.Sprintf("… and %d more", n))
	}
}

// status is the live message for one person, with what runs now instance by instance.
func status(rec upgrade.Record, now time.Time) Message {
	ph := phaseOf(rec)
	var p page
	p.para(title(rec), ph.emoji+" "+ph.sentence, countsOf(rec).line(rec.Plan.Limits.MaxFailures))
	p.chart(rolloutDots(rec), keyOf(rec.Plan))
	if b, open := rec.Rollout.OpenBatch(); open {
		p.para(usual(b, rec.Plan))
		p.para(teller{past: pastOf(rec), rec: rec, now: now, batch: b}.lines()...)
	}
	p.para(troubled(rec, now)...)
	p.para(bornSince(rec)...)
	p.small(skippedBriefly(rec.Plan))
	p.small(code("/vmss why "+rec.ID), "by "+name(rec.Rollout.Name), owner(rec.Rollout), "plan "+esc(rec.Plan.Short(), 8), note(rec.Plan))
	return p.done(slotReply, headline(rec, ph))
}

// troubled are the lines of instances that did not simply come up.
func troubled(rec upgrade.Record, now time.Time) []string {
	ids := idsIn(rec, upgrade.Broken, upgrade.Unclear, upgrade.Aside, upgrade.Passed, upgrade.Vanished)
	const most = 15
	t := teller{past: pastOf(rec), rec: rec, now: now, room: 160}
	var out []string
	for _, id := range ids[:min(most, len(ids))] {
		out = append(out, t.line(id, t.last(id, rec.Rollout)))
	}
	if n := len(ids) - most; n > 0 {
		out = append(out, fmt.Sprintf("… and %d more", n))
	}
	return out
}

// why lists everything in the way, with who or what clears it, until when, and what to type.
func why(rec upgrade.Record) Message {
	ph, d := phaseOf(rec), upgrade.LastDecided(rec.Events)
	where := ph.sentence
	if strings.Contains(where, prose(d.Text)) && len(d.Blockers) > 0 { // the first blocker says it
		vote := nextVote(rec)
		where = "*" + upperFirst(ph.word) + "*" + only(strings.HasSuffix(where, vote), vote)
	}
	var p page
	p.para(fmt.Sprintf("%s  %s", title(rec), code(rec.ID)), ph.emoji+" "+where)
	if rec.Rollout.Ended == nil {
		blockers := standing(rec, d)
		for _, b := range blockers {
			p.para(blockerLines(b, rec)...)
			if b.Reason == upgrade.ReasonModel && rec.Rollout.Model.Asked != nil {
				p.para("     " + recommendation(rec.Rollout.Model))
			}
		}
		if len(blockers) == 0 && rec.Rollout.Abort == nil {
			p.para("Nothing is in the way.")
		}
	}
	p.small("as last decided " + when(decidedAt(rec)))
	return p.done(slotReply, fmt.Sprintf("%s: %s", headline(rec, ph), flatProse(cmp.Or(d.Text, "nothing is in the way"))))
}

// standing are the blockers that still matter. Once a rollout is being closed nothing starts any more:
// what only stood in the way of a start, such as a gate's approval, is not in the way of its end.
func standing(rec upgrade.Record, d upgrade.Decided) []upgrade.Blocker {
	if rec.Rollout.Abort == nil && d.Reason != upgrade.ReasonModel {
		return d.Blockers
	}
	return others(d, upgrade.ReasonFailure, upgrade.ReasonUnclear, upgrade.ReasonDrift, upgrade.ReasonChannel, upgrade.ReasonPaused, upgrade.ReasonSoak, upgrade.ReasonBake,
		upgrade.ReasonHealth, upgrade.ReasonProbe, upgrade.ReasonProbing, upgrade.ReasonUnproven, upgrade.ReasonApproval, upgrade.ReasonDenied, upgrade.ReasonExpired)
}

func decidedAt(rec upgrade.Record) time.Time {
	at := rec.Rollout.At
	for _, e := range rec.Events {
		if _, ok := e.Fact.(upgrade.Decided); ok {
			at = e.At
		}
	}
	return at
}

// help is one screen of help. It is the bot's own text, escaped all the same.
func help(h commands.Help) Message {
	var p page
	head := "What I can do"
	if h.Verb != "" {
		head = "/vmss " + string(h.Verb)
	}
	p.para("*"+esc(head, 40)+"*", prose(h.Says))
	p.code(monoLines(h.Usage)...)
	if len(h.Examples) > 0 {
		p.para("For example")
		p.code(monoLines(h.Examples)...)
	}
	if h.Who != "" {
		p.small("Who may: " + prose(h.Who))
	}
	return p.done(slotReply, head+": "+flatProse(cmp.Or(h.Says, "commands")))
}

func monoLines(in []string) []string {
	var out []string
	for _, s := range in {
		out = append(out, mono(s, 160))
	}
	return out
}
