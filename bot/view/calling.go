package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// reminder calls those whose yes is still missing at half of a card's life. Once the card is over, it says how
// that came and calls nobody.
func reminder(g upgrade.Gate, at, n int, rec upgrade.Record, now time.Time) Message {
	a := askingOf(rec, g, n)
	return calling(upgrade.RemindSlot(g.Key, n), ":alarm_clock:", "Half of its time is over", a.reminded, a, g, at, rec, now)
}

// escalation calls in those who may answer as well from now on, because nobody else has.
func escalation(g upgrade.Gate, at, n int, rec upgrade.Record, now time.Time) Message {
	a := askingOf(rec, g, n)
	why := fmt.Sprintf("It has not got it in %s, so that others are called in: their yes counts for this card as well from now on", span(a.inAt.Sub(a.asked.At)))
	return calling(upgrade.EscalateSlot(g.Key, n), ":rotating_light:", why, a.calledIn, a, g, at, rec, now)
}

// calling is a message that mentions people and groups about a card: what is waited for, until when, and what
// to type.
func calling(slot, emoji, why string, ids []string, a asking, g upgrade.Gate, at int, rec upgrade.Record, now time.Time) Message {
	var p page
	if line := closed(a, g, rec, now); line != "" {
		line, _, _ = strings.Cut(line, "\n") // what to do then stands on the card
		p.para(line)
		p.small(code(rec.ID), gateOf(rec.Plan, at))
		return p.done(slot, fmt.Sprintf("%s (%s)", flat(line), esc(rec.ID, 20)))
	}
	head := fmt.Sprintf("%s still waits for a yes", subject(a, g, rec.Plan))
	p.para(fmt.Sprintf("%s *%s*", emoji, head), dots(goal(rec.Plan, g, a), gateOf(rec.Plan, at)))
	p.para(why+".", needs(a, rec), inTheWay(rec), summons(a, ids))
	p.small(code("/vmss approve "+rec.ID), code("/vmss deny "+rec.ID+" \"reason\""), code("/vmss why "+rec.ID))
	return p.done(slot, fmt.Sprintf("%s: by %s (%s)", flat(head), clock(a.asked.Expires), esc(rec.ID, 20)))
}

// summons mentions those who have not agreed yet. The ids are the configuration's; what is none mentions nobody.
func summons(a asking, ids []string) string {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		agreed := slices.ContainsFunc(a.votes, func(b upgrade.Ballot) bool { return b.By == id })
		return agreed || !userID.MatchString(id) && !groupID.MatchString(id)
	})
	if len(ids) == 0 {
		return "Press the card's button above, or type what stands below."
	}
	return strings.ReplaceAll(people(ids), ", ", " ") + ": press the card's button above, or type what stands below."
}
