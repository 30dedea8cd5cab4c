package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// live is the one message of a rollout in the channel, edited in place.
func live(rec upgrade.Record, now time.Time) Message {
	ph := phaseOf(rec)
	var p page
	if inLine(rec) {
		p.para(title(rec), ph.emoji+" "+ph.sentence)
		p.small(code(rec.ID), "by "+name(rec.Rollout.Name), owner(rec.Rollout), extent(rec.Plan), note(rec.Plan), code("/vmss status "+rec.Rollout.Wave.Group), typed(rec))
		p.buttons(liveButtons(rec)...)
		return p.done(upgrade.SlotLive, headline(rec, ph))
	}
	p.para(title(rec), ph.emoji+" "+ph.sentence, countsOf(rec).line(rec.Plan.Limits.MaxFailures))
	p.chart(rolloutDots(rec), keyOf(rec.Plan))
	p.para(bornSince(rec)...)
	p.small(skippedBriefly(rec.Plan))
	p.small(code(rec.ID), "by "+name(rec.Rollout.Name), owner(rec.Rollout), inWave(rec.Rollout), "plan "+esc(rec.Plan.Short(), 8), note(rec.Plan), typed(rec))
	p.buttons(liveButtons(rec)...)
	return p.done(upgrade.SlotLive, headline(rec, ph))
}

// inLine: it waits for the waves before it, or has ended before its turn came, and nothing of it is to be seen.
func inLine(rec upgrade.Record) bool {
	r, d := rec.Rollout, upgrade.LastDecided(rec.Events)
	switch {
	case r.Wave == nil || r.Started():
		return false
	case r.Ended != nil:
		return untouched(r)
	}
	waits := slices.ContainsFunc(d.Blockers, func(b upgrade.Blocker) bool {
		return b.Reason == upgrade.ReasonWave || b.Reason == upgrade.ReasonHalted
	})
	return waits || d.Kind == "" && len(r.Wave.After) > 0
}

// extent is how large a plan is.
func extent(p upgrade.Plan) string {
	return fmt.Sprintf("%s in %s", upgrade.Count(p.Size(), "instance"), upgrade.Count(len(p.Gates), "gate"))
}

// title names the set and the goal; of a rollback nobody must take the one for the other.
func title(rec upgrade.Record) string {
	if back(rec.Plan) {
		return fmt.Sprintf(":rewind: *%s back to %s*  rollback of %s", name(rec.Plan.Name), version(rec.Plan.Target), code(rec.Plan.Undoes))
	}
	return fmt.Sprintf("*%s*", aim(rec.Plan))
}

// aim is the set and the goal without markup.
func aim(p upgrade.Plan) string {
	if back(p) {
		return fmt.Sprintf("%s back to %s", name(p.Name), version(p.Target))
	}
	return fmt.Sprintf("%s → %s", name(p.Name), version(p.Target))
}

// owner names who has the rollout since it was handed over.
func owner(r upgrade.Rollout) string {
	if r.Owner == r.Requester || r.Owner == "" {
		return ""
	}
	return "now with " + name(r.OwnerName)
}

// headline is a rollout in one line, for notifications and lists.
func headline(rec upgrade.Record, ph phase) string {
	c := countsOf(rec)
	return fmt.Sprintf("%s: %s · %d/%d done, %d failed (%s)", aim(rec.Plan), ph.word, c.done, c.total, c.failed, esc(rec.ID, 20))
}

func (p *page) chart(dots []dot, k key) {
	lines, legend := domainMap(dots, k)
	if len(lines) > 0 {
		p.code(lines...)
		p.small(legend)
	}
}

func note(p upgrade.Plan) string {
	if p.Note == "" || back(p) { // what a rollback's says stands in its title
		return ""
	}
	return "“" + esc(p.Note, 80) + "”"
}

// typed is the way on for whom the buttons do not show.
func typed(rec upgrade.Record) string {
	switch {
	case rec.Rollout.Ended != nil:
		return ""
	case rec.Rollout.Abort != nil:
		return code("/vmss why " + rec.ID)
	case rec.Rollout.Pause != nil:
		return code("/vmss resume " + rec.ID)
	}
	if upgrade.LastDecided(rec.Events).Kind == upgrade.Hold || inLine(rec) {
		return code("/vmss why " + rec.ID) // it has every way out
	}
	return code("/vmss pause " + rec.ID)
}

func liveButtons(rec upgrade.Record) []slack.BlockElement {
	r := rec.Rollout
	menu := []choice{askWhy(rec)}
	if !inLine(rec) {
		menu = append(menu, askInstances(rec), choice{"Hand over…", commands.Request{Verb: commands.VerbHandover, Rollout: rec.ID}}, askReport(rec))
	}
	switch {
	case r.Ended != nil:
		return nil
	case r.Abort != nil:
		return []slack.BlockElement{more(menu...)}
	case r.Pause != nil:
		resume := button("Resume", "Resume "+rec.Plan.Name, commands.Request{Verb: commands.VerbResume, Rollout: rec.ID})
		return []slack.BlockElement{resume, more(append(menu, abort(rec))...)}
	}
	pause := button("Pause", "Pause "+rec.Plan.Name, commands.Request{Verb: commands.VerbPause, Rollout: rec.ID})
	return []slack.BlockElement{pause, more(append(menu, abort(rec))...)}
}

func askWhy(rec upgrade.Record) choice {
	return choice{"Why", commands.Request{Verb: commands.VerbWhy, About: rec.ID}}
}

func askReport(rec upgrade.Record) choice {
	return choice{"Report", commands.Request{Verb: commands.VerbReport, About: rec.ID}}
}

func askInstances(rec upgrade.Record) choice {
	return choice{"Instances", commands.Request{Verb: commands.VerbShow, About: rec.ID, Part: "instances"}}
}

func abort(rec upgrade.Record) choice {
	return choice{"Abort…", commands.Request{Verb: commands.VerbAbort, Rollout: rec.ID}}
}

// skippedBriefly counts the instances that were selected and are in no gate, by reason.
func skippedBriefly(p upgrade.Plan) string {
	var parts []string
	for _, s := range skips(p) {
		parts = append(parts, fmt.Sprintf("%d %s (%s)", len(s.ids), s.reason, brief(s.ids, 60)))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Not part of it: " + strings.Join(parts, " · ")
}

type skipGroup struct {
	reason upgrade.SkipReason
	ids    []string
}

// skips gathers the skipped instances by reason, in the order of first appearance.
func skips(p upgrade.Plan) []skipGroup {
	var out []skipGroup
	at := map[upgrade.SkipReason]int{}
	for _, s := range p.Skipped {
		i, known := at[s.Reason]
		if !known {
			i = len(out)
			at[s.Reason] = i
			out = append(out, skipGroup{reason: s.Reason})
		}
		out[i].ids = append(out[i].ids, s.ID)
	}
	return out
}
