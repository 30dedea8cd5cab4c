package view

import (
	"fmt"
	"slices"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// trailOf is what was asked of the audit, in the order it happened.
func trailOf(a commands.Audit, known []upgrade.Record) []upgrade.Entry {
	out := slices.Clone(a.Others)
	for _, rec := range known {
		for _, e := range upgrade.Trail(rec) {
			if (a.Person == "" || e.By == a.Person) && (a.Instances == nil || e.About(a.Instances)) {
				out = append(out, e)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b upgrade.Entry) int { return a.At.Compare(b.At) })
	return out
}

// audit shows the last of it. A line that names its call is one that Azure can be asked about.
func audit(reply commands.Reply, records map[string]upgrade.Record) Message {
	var known []upgrade.Record
	for _, id := range reply.Rollouts {
		if rec, ok := records[id]; ok {
			known = append(known, rec)
		}
	}
	const most = 25
	lines := trailOf(*reply.Audit, known)
	left := max(0, len(lines)-most)
	var p page
	if left > 0 {
		where := "as a file with `csv`"
		if reply.File() {
			where = "in the file"
		}
		p.para(fmt.Sprintf("… and %d before these: %s", left, where))
	}
	rollout := ""
	var part []string
	for _, e := range lines[left:] {
		if e.Rollout != rollout {
			p.para(part...)
			part, rollout = nil, e.Rollout
			if e.Rollout != "" {
				part = []string{fmt.Sprintf("*%s*  %s", name(e.Set), code(e.Rollout))}
			}
		}
		part = append(part, auditLine(e))
	}
	p.para(part...)
	if reply.File() {
		p.para(":page_facing_up: All of it comes as a file to your own conversation with me.")
	}
	p.small(echo(reply.Request))
	return p.done(slotReply, upgrade.Count(len(lines), "entry")+" of the audit")
}

func auditLine(e upgrade.Entry) string {
	by := "·" // the bot
	switch {
	case e.Name != "":
		by = "*" + name(e.Name) + "*"
	case e.By != "":
		by = code(e.By)
	}
	const room = 160
	line := fmt.Sprintf("%s  %s %s", when(e.At), by, esc(e.What, room))
	if e.Correlation != "" {
		line += " · " + code(e.Correlation)
	}
	return line
}

// shift is the hand-over: what is open, what was left half done, what has ended, and what time will bring.
func shift(reply commands.Reply, records map[string]upgrade.Record) Message {
	var open, half, ended []string
	for _, id := range reply.Rollouts {
		rec, ok := records[id]
		switch {
		case !ok || rec.Rollout.Ended == nil:
			open = append(open, id)
		case slices.Contains(reply.Shift.Half, id):
			half = append(half, id)
		default:
			ended = append(ended, id)
		}
	}
	var p page
	p.para(fmt.Sprintf("*Open* (%d)", len(open)))
	held := 0
	for _, id := range open[:min(20, len(open))] {
		rec, ok := records[id]
		if !ok {
			p.para(code(id))
			continue
		}
		if upgrade.LastDecided(rec.Events).Kind == upgrade.Hold {
			held++
		}
		ph := phaseOf(rec)
		p.para(fmt.Sprintf("%s %s  %s", ph.emoji, title(rec), code(id)), "     "+dots(ph.sentence, owner(rec.Rollout), note(rec.Plan)))
	}
	if n := len(open) - 20; n > 0 {
		p.para(fmt.Sprintf("… and %d more: %s", n, code("/vmss status")))
	}
	if len(open) == 0 {
		p.para("Nothing is being rolled out.")
	}
	if len(half) > 0 {
		p.para("*Left on two images*")
		for _, id := range half {
			t := records[id].Rollout.Ended.Tally
			p.para(append(endedLines(records[id]), fmt.Sprintf("     %d on the new image, %d not: %s", t.OnNew, t.OnOld, code("/vmss status "+records[id].Plan.Name)))...)
		}
	}
	if len(ended) > 0 {
		p.para(fmt.Sprintf("*Ended in the last day* (%d)", len(ended)))
		for _, id := range ended[:min(10, len(ended))] {
			p.para(endedLines(records[id])...)
		}
	}
	p.time(reply.Shift.Calendar, "*Windows and freezes*")
	return p.done(slotReply, fmt.Sprintf("%s open, %d of them held; %s left on two images", upgrade.Count(len(open), "rollout"), held, upgrade.Count(len(half), "set")))
}
