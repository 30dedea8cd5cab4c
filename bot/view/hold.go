package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// hold tells people that the rollout stands still, why, and what they can do about it: the first thing in
// the way with every way out, what else is in it in a line. Once it is over, it says so and what ended it.
func hold(slot string, d upgrade.Decided, rec upgrade.Record) Message {
	var p page
	emoji, word := ":raised_hand:", "Held"
	if d.Kind != upgrade.Hold {
		emoji, word = ":warning:", "Waiting"
	}
	d, over := asItStands(slot, d, rec)
	first := foremost(d)
	p.para(fmt.Sprintf("%s *%s: %s* · %s", emoji, word, about(d.Reason), name(rec.Plan.Name)), upperFirst(prose(gist(first))))
	p.para(details(first, rec, 6, 300)...)
	if over == "" && rec.Rollout.Ended == nil {
		p.para(clearing(first))
		p.small(strings.Join(commandsOf(first), "\n"))
		p.small(alsoInTheWay(d))
		p.small(standingOf(rec)...)
		p.buttons(waysOut(first, rec)...)
	} else {
		p.para(over)
		p.small(code(rec.ID)) // no counts: what is over is not edited any more
	}
	return p.done(slot, fmt.Sprintf("%s: %s: %s (%s)", name(rec.Plan.Name), strings.ToLower(word), flatProse(d.Text), esc(rec.ID, 20)))
}

// foremost is the blocker that names a decision.
func foremost(d upgrade.Decided) upgrade.Blocker {
	if len(d.Blockers) == 0 {
		return upgrade.Blocker{Reason: d.Reason, What: d.Text}
	}
	return d.Blockers[0]
}

func standingOf(rec upgrade.Record) []string {
	c := countsOf(rec)
	return []string{code(rec.ID), fmt.Sprintf("done %d/%d · failed %d (max-failures %d)", c.done, c.total, c.failed, rec.Plan.Limits.MaxFailures)}
}

func commandsOf(b upgrade.Blocker) []string {
	var out []string
	for _, w := range waysOf(b) {
		out = append(out, w.line(64))
	}
	return out
}

// alsoInTheWay names the blockers beside the first that somebody or something must clear: the bot's own
// next steps are nobody's worry.
func alsoInTheWay(d upgrade.Decided) string {
	const most = 3
	var parts []string
	for _, b := range d.Blockers[min(1, len(d.Blockers)):] {
		if b.Clears != "the bot" {
			parts = append(parts, prose(middle(gist(b), 140))+until(b))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	if more := len(parts) - most; more > 0 {
		parts = append(parts[:most], fmt.Sprintf("%d more", more))
	}
	return "Also in the way: " + strings.Join(parts, " · ")
}

func until(b upgrade.Blocker) string {
	if !b.Until.After(time.Unix(0, 0)) || b.Dated() {
		return ""
	}
	return " until " + when(b.Until)
}

// blockerLines tells one thing in the way in full: what, each instance or difference of it, who or what
// clears it and when, and each way out with what it comes to.
func blockerLines(b upgrade.Blocker, rec upgrade.Record) []string {
	const in = "     "
	lines := []string{"• " + prose(gist(b))}
	for _, l := range details(b, rec, 14, 400) {
		lines = append(lines, in+l)
	}
	if s := clearing(b); s != "" {
		lines = append(lines, in+s)
	}
	for _, w := range waysOf(b) {
		if w.req.Verb == commands.VerbWhy { // this is what it tells
			continue
		}
		lines = append(lines, strings.TrimRight(in+w.line(200)+"  "+w.effect(), " "))
	}
	return lines
}

func clearing(b upgrade.Blocker) string {
	who := ""
	if b.Clears != "" {
		who = "Cleared by: " + esc(b.Clears, 160)
	}
	return dots(who, strings.TrimPrefix(until(b), " "))
}

// gist is a blocker's sentence, without the reason that its only detail gives once more.
func gist(b upgrade.Blocker) string {
	head, tail, found := strings.Cut(b.What, ": ")
	if found && len(b.Details) == 1 && strings.Contains(b.Details[0], tail) {
		return head
	}
	return b.What
}

// details are the lines below a blocker's sentence: instances that came to grief in the same way share
// one. There are at most so many lines; those in the middle are counted, with their instances.
func details(b upgrade.Blocker, rec upgrade.Record, most, room int) []string {
	groups := grouped(b, rec.Plan)
	head, hidden := (most*2+1)/3, 0
	if len(groups) > most {
		hidden = len(groups) - most + 1
	}
	var out []string
	for i, g := range groups {
		switch {
		case hidden > 0 && i == head:
			out = append(out, hiddenLine(groups[head:head+hidden], rec))
		case i < head || i >= head+hidden:
			out = append(out, g.line(b.Reason, room))
		}
	}
	return out
}

func grouped(b upgrade.Blocker, p upgrade.Plan) []group {
	var groups []group
	at := map[string]int{}
	for _, d := range b.Details {
		id, why, _ := strings.Cut(d, ": ")
		if _, _, member := p.Member(id); !member {
			groups = append(groups, group{why: d})
			continue
		}
		i, known := at[why]
		if !known {
			i = len(groups)
			at[why] = i
			groups = append(groups, group{why: why})
		}
		groups[i].ids = append(groups[i].ids, id)
	}
	return groups
}

// group is what is the same of some instances; without instances it is a detail of another kind.
type group struct {
	ids []string
	why string
}

func (g group) line(r upgrade.Reason, room int) string {
	shape := shapeOf(upgrade.Broken)
	if r == upgrade.ReasonUnclear {
		shape = shapeOf(upgrade.Unclear)
	}
	text := prose(middle(g.why, room))
	switch len(g.ids) {
	case 0:
		return "• " + change(g.why, room)
	case 1:
		return fmt.Sprintf("%s `%s` %s", shape, mono(g.ids[0], 24), text)
	}
	return fmt.Sprintf("%s %s: %s", shape, those(g.ids), text)
}

// those names instances and counts them: "instance 8", "3 instances (0 5 10)".
func those(ids []string) string {
	if len(ids) == 1 {
		return "instance " + esc(ids[0], 24)
	}
	return fmt.Sprintf("%s (%s)", upgrade.Count(len(ids), "instance"), brief(ids, 60))
}

func hiddenLine(hidden []group, rec upgrade.Record) string {
	var ids []string
	for _, g := range hidden {
		ids = append(ids, g.ids...)
	}
	if len(ids) == 0 {
		return fmt.Sprintf("… %d more …", len(hidden))
	}
	return fmt.Sprintf("… %s more, for %s: %s …", upgrade.Count(len(ids), "instance"), upgrade.Count(len(hidden), "other reason"), code("/vmss show "+rec.ID+" evidence"))
}

// asItStands is a hold that was posted with what is in the way by now, or, over, the line that says that
// it is over and by whose word, or that there is more to it, which has a message of its own. A hold is
// over when it is not in the way any more: a decision that names something else first, such as a reading
// that failed, ends nothing.
func asItStands(slot string, d upgrade.Decided, rec upgrade.Record) (now upgrade.Decided, over string) {
	_, digits, _ := strings.Cut(slot, "/")
	seq, err := strconv.Atoi(digits)
	if err != nil {
		return d, ""
	}
	now = d
	word := ""
	for _, e := range rec.Events {
		if e.Seq <= seq {
			continue
		}
		if w := upgrade.NewSaidWant(e); w.Verb != "" {
			word = ": " + deed(w, "")
		}
		f, decided := e.Fact.(upgrade.Decided)
		if !decided {
			continue
		}
		switch blockers := stillIn(f, d.Reason, e.At, rec); {
		case len(blockers) > 0:
			now.Blockers, over = blockers, ""
		case over == "":
			over = ":white_check_mark: Over since " + when(e.At) + word
		}
	}
	for _, h := range rec.Rollout.Holds {
		if h.Seq > seq && h.Decided.Reason == d.Reason && over == "" {
			return d, ":arrow_down: There is more to it by now: see the next message"
		}
	}
	return now, over
}

// stillIn are the blockers of a decision, those of the reason first; none when it is not among them.
func stillIn(f upgrade.Decided, reason upgrade.Reason, at time.Time, rec upgrade.Record) []upgrade.Blocker {
	blockers := f.Blockers
	if a := rec.Rollout.Abort; a != nil && !at.Before(a.At) {
		blockers = standing(rec, f)
	}
	is := func(b upgrade.Blocker) bool { return b.Reason == reason }
	if !slices.ContainsFunc(blockers, is) {
		return nil
	}
	first := slices.IndexFunc(blockers, is)
	return slices.Concat(blockers[first:first+1], blockers[:first], blockers[first+1:])
}
