package view

import (
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// Group is the message that stands above all rollouts of one command: which wave it is, where each set stands,
// what comes next. It is edited in place; each rollout's own message and thread have the rest.
func Group(group string, records []upgrade.Record, now time.Time) Message {
	upgrade.InWaves(records)
	var p page
	p.group(group, records)
	p.small(code("/vmss status "+group), code("/vmss pause "+group), "each set has its own message, thread and approvals")
	p.buttons(groupButtons(group, records)...)
	return p.done(upgrade.SlotGroup, groupText(group, records))
}

// group draws a group's state and its sets.
func (p *page) group(group string, records []upgrade.Record) {
	first := records[0].Rollout
	n := standOf(records)
	p.para(fmt.Sprintf("*%s*  %s by %s", groupName(records), code(group), name(first.Name)), n.sentence())
	var lines []string
	wave := 0
	for _, rec := range records {
		if w := waveOf(rec); w != wave {
			wave, lines = w, append(lines, fmt.Sprintf("*Wave %d*", w))
		}
		lines = append(lines, groupLine(rec))
	}
	p.para(lines...)
}

func groupLine(rec upgrade.Record) string {
	ph, c := phaseOf(rec), countsOf(rec)
	return dots(fmt.Sprintf("%s %s → %s  %s", ph.emoji, name(rec.Plan.Name), version(rec.Plan.Target), code(rec.ID)), ph.word, fmt.Sprintf("done %d/%d", c.done, c.total), counted("failed", c.failed))
}

// inGroups puts what belongs to no group first, then what belongs to each, in the order in which they are met.
func inGroups[T any](all []T, of func(T) string) []T {
	met := []string{""}
	for _, one := range all {
		if g := of(one); !slices.Contains(met, g) {
			met = append(met, g)
		}
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b T) int { return slices.Index(met, of(a)) - slices.Index(met, of(b)) })
	return all
}

// headings has the id of a group above the first of it.
func headings[T any](of func(T) string) func(T) string {
	above := ""
	return func(one T) string {
		g := of(one)
		if g == above {
			return ""
		}
		above = g
		return fmt.Sprintf("*Group* %s", code(g))
	}
}

func groupOf(rec upgrade.Record) string {
	if w := rec.Rollout.Wave; w != nil {
		return w.Group
	}
	return ""
}

func waveOf(rec upgrade.Record) int {
	if w := rec.Rollout.Wave; w != nil {
		return w.N
	}
	return 1
}

func groupName(records []upgrade.Record) string {
	if w := records[0].Rollout.Wave; w != nil {
		return name(w.Name)
	}
	return "several scale sets"
}

// stand is where a group stands.
type stand struct {
	sets, ok, other int // of those that have ended: succeeded, and in any other way
	wave, of        int // the first that is not over; 0 = all are
	held            []string
}

func standOf(records []upgrade.Record) stand {
	s := stand{sets: len(records)}
	for _, rec := range records {
		if w := rec.Rollout.Wave; w != nil {
			s.of = max(s.of, w.Of)
		}
		switch end := rec.Rollout.Ended; {
		case end == nil:
			if s.wave == 0 {
				s.wave = waveOf(rec)
			}
			if waveHeld(rec) {
				s.held = append(s.held, rec.ID)
			}
		case end.Outcome == upgrade.OutcomeSucceeded:
			s.ok++
		default:
			s.other++
		}
	}
	return s
}

// waveHeld: a wave before it did not succeed.
func waveHeld(rec upgrade.Record) bool {
	return slices.ContainsFunc(upgrade.LastDecided(rec.Events).Blockers, func(b upgrade.Blocker) bool { return b.Reason == upgrade.ReasonHalted })
}

func (s stand) sentence() string {
	switch {
	case s.wave == 0 && s.other == 0:
		return fmt.Sprintf(":white_check_mark: All %s succeeded.", upgrade.Count(s.sets, "scale set"))
	case s.wave == 0:
		return fmt.Sprintf(":octagonal_sign: Over: %d of %s succeeded, %d ended otherwise.", s.ok, upgrade.Count(s.sets, "scale set"), s.other)
	case len(s.held) > 0:
		return fmt.Sprintf(":raised_hand: Held in wave %d of %d: a wave before it did not succeed. %s has the ways out.", s.wave, s.of, code("/vmss why "+s.held[0]))
	}
	next := " It is the last one."
	if s.wave < s.of {
		next = " The next one opens when all of it has succeeded and baked."
	}
	return dots(fmt.Sprintf(":arrows_counterclockwise: Wave %d of %d", s.wave, s.of), fmt.Sprintf("%d of %s done", s.ok, upgrade.Count(s.sets, "scale set")), counted("ended otherwise", s.other)) + "." + next
}

// word is the sentence for notifications.
func (s stand) word() string {
	switch {
	case s.wave == 0:
		return fmt.Sprintf("over, %d/%d succeeded", s.ok, s.sets)
	case len(s.held) > 0:
		return fmt.Sprintf("held in wave %d/%d, %d/%d done", s.wave, s.of, s.ok, s.sets)
	}
	return fmt.Sprintf("wave %d/%d, %d/%d done", s.wave, s.of, s.ok, s.sets)
}

func groupText(group string, records []upgrade.Record) string {
	return fmt.Sprintf("%s: %s (%s)", groupName(records), standOf(records).word(), esc(group, 20))
}

func groupButtons(group string, records []upgrade.Record) []slack.BlockElement {
	s := standOf(records)
	if s.wave == 0 {
		return nil
	}
	about := func(verb commands.Verb) commands.Request { return commands.Request{Verb: verb, Rollout: group} }
	pause := button("Pause all", "Pause all rollouts of "+group, about(commands.VerbPause))
	menu := []choice{{"Status", commands.Request{Verb: commands.VerbStatus, About: group}}, {"Resume all", about(commands.VerbResume)}}
	if len(s.held) > 0 {
		menu = append(menu, choice{"Let the next wave go on…", commands.Request{Verb: commands.VerbResolve, Rollout: group, Verdict: upgrade.GoOn}})
	}
	return []slack.BlockElement{pause, more(append(menu, choice{"Abort all that is open…", about(commands.VerbAbort)})...)}
}

// groupAnswer is a group's state for one person.
func groupAnswer(reply commands.Reply, records map[string]upgrade.Record) Message {
	var all []upgrade.Record
	for _, id := range reply.Rollouts {
		if rec, ok := records[id]; ok {
			all = append(all, rec)
		}
	}
	if len(all) == 0 {
		return Answer(commands.Reply{Empty: "There is nothing to show."}, nil, time.Time{})
	}
	upgrade.InWaves(all)
	var p page
	p.group(reply.Group, all)
	p.small(echo(reply.Request))
	return p.done(slotReply, groupText(reply.Group, all))
}

// severalAnswer tells what a command for several sets comes to: what was opened, or would be, set by set in the
// order of the waves.
func severalAnswer(reply commands.Reply) Message {
	s := *reply.Several
	var p page
	text := fmt.Sprintf("%s: %s in %s", name(s.Name), upgrade.Count(len(s.Sets), "scale set"), upgrade.Count(s.Of, "wave"))
	switch {
	case reply.Refusal != nil:
		return severalRefused(reply, text)
	case s.Group != "":
		p.para(fmt.Sprintf(":memo: %s is open: %s.", code(s.Group), text), "Its message is in the channel, each set's own below it, with its plan and its cards: somebody else must approve each. A wave begins when the one before has succeeded and baked.")
		text = fmt.Sprintf("%s is open: %s", esc(s.Group, 20), text)
	default:
		p.para(fmt.Sprintf("*Plan of %s*", text), "Each set would have its own rollout and approvals. A wave begins when the one before has succeeded and baked.")
		text = "Plan of " + text + ". Nothing was asked or changed."
	}
	p.sets(s)
	if s.Group == "" {
		p.small("Nothing was asked or changed", severally(reply))
	} else {
		p.small(echo(reply.Request))
	}
	return p.done(slotReply, text)
}

func severalRefused(reply commands.Reply, text string) Message {
	var p page
	no := *reply.Refusal
	p.para(fmt.Sprintf("%s *%s*  %s", emojiOf(no.Code), esc(string(no.Code), 20), refusalWhat(no)))
	if no.Next != "" {
		p.para("You can: " + code(no.Next))
	}
	p.sets(*reply.Several)
	p.small(echo(reply.Request))
	return p.done(slotReply, fmt.Sprintf("%s: %s. Nothing was opened.", esc(string(no.Code), 20), text))
}

// sets has a line for each set; of one that is in the way also what helps.
func (p *page) sets(s commands.Several) {
	var lines []string
	wave := 0
	for _, set := range s.Sets {
		if set.Wave != wave {
			wave, lines = set.Wave, append(lines, fmt.Sprintf("*Wave %d*", set.Wave))
		}
		switch no := set.Refusal; {
		case no == nil:
			lines = append(lines, dots(fmt.Sprintf("     %s → %s", name(set.Name), version(set.Target)), fmt.Sprintf("%s in %s", upgrade.Count(set.Instances, "instance"), upgrade.Count(set.Gates, "gate")), idOf(set)))
		default:
			lines = append(lines, fmt.Sprintf("%s %s: %s", emojiOf(no.Code), name(set.Name), prose(middle(no.What, 240))))
			if no.Next != "" && no.Code != upgrade.CodeNothing {
				lines = append(lines, "     You can: "+code(no.Next))
			}
		}
	}
	p.para(lines...)
}

func idOf(set commands.SetPlan) string {
	if set.Rollout == "" {
		return ""
	}
	return code(set.Rollout)
}

// severally is the command that opens what was planned.
func severally(reply commands.Reply) string {
	req, no := commands.Parse(reply.Request)
	if no != nil || req.Verb != commands.VerbPlan {
		return ""
	}
	if req.Verb = commands.VerbUpgrade; req.Size != "" {
		req.Verb = commands.VerbResize
	}
	return "to roll it out: " + copied(req)
}

// inWave says which wave of what a rollout is, for small print.
func inWave(r upgrade.Rollout) string {
	if r.Wave == nil {
		return ""
	}
	return fmt.Sprintf("wave %d of %d of %s %s", r.Wave.N, r.Wave.Of, name(r.Wave.Name), code(r.Wave.Group))
}

// afterIt says, of a rollout of a wave that did not succeed, what the waves after it do, where any of them goes on.
func afterIt(rec upgrade.Record, group []upgrade.Record) string {
	w := rec.Rollout.Wave
	waits := func(other upgrade.Record) bool {
		r := other.Rollout
		return r.Wave.N > w.N && r.Ended == nil && r.Abort == nil && !r.Over[rec.ID]
	}
	if rec.Rollout.Ended.Outcome == upgrade.OutcomeSucceeded || !slices.ContainsFunc(group, waits) {
		return ""
	}
	return fmt.Sprintf(":raised_hand: What is open of the waves after it waits: for a new rollout of this set that succeeds, for an approver (%s), or for an end (%s).",
		code(fmt.Sprintf("/vmss resolve %s go-on \"why\"", w.Group)), code(fmt.Sprintf("/vmss abort %s \"reason\"", w.Group)))
}
