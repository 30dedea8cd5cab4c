package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// hold tells people that the rollout stands still, why, and what they can do about it.
func hold(slot string, d upgrade.Decided, rec upgrade.Record) Message {
	var p page
	emoji, word := ":raised_hand:", "Held"
	if d.Kind != upgrade.Hold {
		emoji, word = ":warning:", "Waiting"
	}
	p.para(fmt.Sprintf("%s *%s: %s* · %s", emoji, word, about(d.Reason), name(rec.Plan.Name)))
	blockers := d.Blockers
	if len(blockers) == 0 {
		blockers = []upgrade.Blocker{{Reason: d.Reason, What: d.Text}}
	}
	for _, b := range blockers {
		p.para(blockerLines(b)...)
	}
	over := overSince(slot, d, rec)
	if over != "" {
		p.para(over)
	}
	c := countsOf(rec)
	p.small(code(rec.ID), fmt.Sprintf("done %d/%d · failed %d (budget %d)", c.done, c.total, c.failed, rec.Plan.Limits.MaxFailures))
	if over == "" && rec.Rollout.Ended == nil {
		p.buttons(holdButtons(d, rec)...)
	}
	return p.done(slot, fmt.Sprintf("%s: %s: %s (%s)", name(rec.Plan.Name), strings.ToLower(word), flatProse(d.Text), esc(rec.ID, 20)))
}

// blockerLines tells one thing in the way: what, who or what clears it and when, what to type.
func blockerLines(b upgrade.Blocker) []string {
	way := "Cleared by: " + esc(b.Clears, 120)
	if b.Clears == "" {
		way = ""
	}
	if b.Until.After(time.Unix(0, 0)) {
		way = dots(way, "until "+when(b.Until))
	}
	if b.Next != "" {
		way = dots(way, code(b.Next))
	}
	if back, is := strings.CutSuffix(b.Next, " revert"); is && b.Reason == upgrade.ReasonModel {
		way += " or " + code(back+" keep")
	}
	lines := []string{"• " + prose(b.What)}
	if way != "" {
		lines = append(lines, "     "+way)
	}
	return lines
}

// overSince tells, on a hold that was posted, that it is over: another decision has followed.
func overSince(slot string, d upgrade.Decided, rec upgrade.Record) string {
	_, digits, _ := strings.Cut(slot, "/")
	seq, err := strconv.Atoi(digits)
	if err != nil {
		return ""
	}
	for _, e := range rec.Events {
		if f, ok := e.Fact.(upgrade.Decided); ok && e.Seq > seq && f.Reason != d.Reason {
			return ":white_check_mark: Over since " + when(e.At)
		}
	}
	return ""
}

func holdButtons(d upgrade.Decided, rec upgrade.Record) []slack.BlockElement {
	why := more(askWhy(rec), askInstances(rec), abort(rec))
	switch d.Reason {
	case upgrade.ReasonDenied, upgrade.ReasonExpired:
		again := button("Ask again", "Ask again for "+rec.Plan.Name, commands.Request{Verb: commands.VerbAsk, Rollout: rec.ID})
		return []slack.BlockElement{again, why}
	case upgrade.ReasonPaused:
		resume := button("Resume", "Resume "+rec.Plan.Name, commands.Request{Verb: commands.VerbResume, Rollout: rec.ID})
		return []slack.BlockElement{resume, why}
	}
	return []slack.BlockElement{why}
}

// said shows a person's word in the thread.
func said(slot string, w upgrade.SaidWant, rec upgrade.Record) Message {
	emoji, did := ":speech_balloon:", "said "+esc(string(w.Verb), 20)+" to"
	switch w.Verb {
	case upgrade.WordPause:
		emoji, did = ":double_vertical_bar:", "paused"
	case upgrade.WordResume:
		emoji, did = ":arrow_forward:", "resumed"
	case upgrade.WordAbort:
		emoji, did = ":octagonal_sign:", "aborted"
	}
	line := fmt.Sprintf("%s %s %s %s%s", emoji, name(w.Name), did, name(rec.Plan.Name), because(w.Reason))
	switch w.Answer {
	case upgrade.Revert:
		line += "\nThe old image goes back into the model."
	case upgrade.Keep:
		line += "\nThe new image stays in the model."
	}
	var p page
	p.para(line)
	p.small(code(rec.ID))
	return p.done(slot, fmt.Sprintf("%s %s %s (%s)", name(w.Name), did, name(rec.Plan.Name), esc(rec.ID, 20)))
}
