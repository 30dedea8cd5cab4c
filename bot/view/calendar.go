package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// frost tells everybody that sets were frozen, or are not any more.
func frost(f commands.Frost, request string) Message {
	var p page
	if f.Lifted {
		p.para(fmt.Sprintf(":fire: *%s %s not frozen any more*: %s lifted %s%s", frozenSets(f.Freeze), areOf(f.Freeze), name(f.By), code(f.Freeze.ID), because(f.Why)),
			"What was approved goes on, if nothing else is in the way.")
	} else {
		p.para(fmt.Sprintf(":snowflake: *%s %s frozen* %s by %s%s", frozenSets(f.Freeze), areOf(f.Freeze), freezeEnd(f.Freeze), name(f.Freeze.Name), because(f.Freeze.Why)),
			"Nothing starts, whatever was approved. What Azure is at work on finishes. Lift it: "+code("/vmss unfreeze "+f.Freeze.ID))
	}
	p.small(echo(request))
	what := "frozen"
	if f.Lifted {
		what = "not frozen any more"
	}
	return p.done(slotReply, fmt.Sprintf("%s: %s", flat(frozenSets(f.Freeze)), what))
}

func frozenSets(f upgrade.Freeze) string {
	first := func(s string) bool { return s == "*" || strings.HasPrefix(s, upgrade.NotOf) }
	if i := slices.IndexFunc(f.Sets, first); len(f.Sets) == 0 || i >= 0 && f.Sets[i] == "*" {
		return "every set" // whatever stands before the star is among them
	}
	var out, but []string
	for _, s := range f.Sets[:min(10, len(f.Sets))] {
		pattern, not := strings.CutPrefix(s, upgrade.NotOf) // what others have of that which comes after it
		switch {
		case not:
			but = append(but, esc(pattern, 80))
			continue
		case pattern == "*":
			pattern = "every set"
		}
		out = append(out, esc(pattern, 80)+only(len(but) > 0, " but "+strings.Join(but, " and ")))
		but = nil
	}
	if n := len(f.Sets) - 10; n > 0 {
		out = append(out, fmt.Sprintf("%d more", n))
	}
	return strings.Join(out, ", ")
}

func areOf(f upgrade.Freeze) string {
	if strings.Contains(frozenSets(f), ", ") {
		return "are"
	}
	return "is"
}

func freezeEnd(f upgrade.Freeze) string {
	if f.End.IsZero() {
		return "until somebody lifts it"
	}
	return "until " + when(f.End)
}

// calendar lists what is frozen, and a set's windows.
func calendar(c commands.Calendar) Message {
	var p page
	head := "*Freezes*"
	if c.Set != nil {
		head = fmt.Sprintf("*When %s may be changed*", name(c.Set.Name))
	}
	p.time(c, head)
	told := upgrade.Count(len(c.Freezes), "freeze")
	if n := len(c.Schedules); n > 0 {
		told += ", " + upgrade.Count(n, "schedule")
	}
	if c.Set != nil {
		told = upgrade.Count(len(c.Windows), "window") + ", " + told
	}
	return p.done(slotReply, flat(strings.Trim(head, "*")+": "+told))
}

// time lists windows and freezes.
func (p *page) time(c commands.Calendar, head string) {
	lines := []string{head}
	for _, w := range c.Windows {
		s := fmt.Sprintf(":calendar: %s*%s*  %s, %s of %s: ", ofSets(w.Of), name(w.Window.Name), code(w.Window.Recurrence), span(w.Window.Length), esc(w.Window.Zone, 40))
		switch {
		case w.Next.Contains(c.At):
			s += "open till " + when(w.Next.End)
		case w.Next.Start.IsZero():
			s += "never opens"
		default:
			s += "opens " + when(w.Next.Start)
		}
		lines = append(lines, s)
	}
	if c.Set != nil && len(c.Windows) == 0 {
		lines = append(lines, "It has no windows: at any time.")
	}
	for _, f := range c.Freezes[:min(20, len(c.Freezes))] {
		lines = append(lines, freezeLine(f, c.At))
	}
	if n := len(c.Freezes) - 20; n > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", n))
	}
	if len(c.Freezes) == 0 {
		free := "Nothing you may see is frozen."
		if c.Set != nil {
			free = "It is not frozen."
		}
		lines = append(lines, free)
	}
	for _, s := range c.Schedules[:min(20, len(c.Schedules))] {
		lines = append(lines, scheduleLine(s, c.At))
	}
	if n := len(c.Schedules) - 20; n > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", n))
	}
	p.para(lines...)
}

func ofSets(pattern string) string {
	if pattern == "" {
		return ""
	}
	return esc(pattern, 80) + "  "
}

func freezeLine(f upgrade.Freeze, now time.Time) string {
	s := ":snowflake: " + frozenSets(f)
	if f.Start.After(now) {
		s += " from " + when(f.Start)
	}
	s += " " + freezeEnd(f)
	if f.ID == "" {
		return s + because(f.Why) + " · in the configuration"
	}
	return s + ", by " + name(f.Name) + because(f.Why) + " · " + code("/vmss unfreeze "+f.ID)
}

// fits tells when a plan could start and whether it is over before that ends; "" where nothing bounds it.
func fits(p upgrade.Plan) string {
	at, o := p.Opening()
	var parts []string
	if p.After.After(p.At) {
		parts = append(parts, "not before "+when(p.After))
	}
	if len(o.Windows) == 0 && o.End.IsZero() {
		return upperFirst(dots(parts...))
	}
	if len(o.Windows) > 0 {
		parts = append(parts, "window "+esc(strings.Join(o.Windows, " and "), 80))
	}
	parts = append(parts, fmt.Sprintf("%s – %s", when(at), when(o.End)))
	work, rest := p.Length()
	switch end := at.Add(work + rest); {
	case !end.After(o.End):
		parts = append(parts, "fits")
	case !at.Add(work + rest - p.Limits.Bake).After(o.End):
		parts = append(parts, "fits, but for the bake")
	default:
		parts = append(parts, "does not fit: "+leftOver(p, at, o))
	}
	return ":calendar: " + upperFirst(dots(parts...))
}

// leftOver tells what becomes of the gates that an opening has no time for.
func leftOver(p upgrade.Plan, at time.Time, o upgrade.Opening) string {
	switch next, lives := p.Then(at, o); {
	case next.IsZero():
		return "what is left stays as it is, as nothing opens any more"
	case !lives:
		return fmt.Sprintf("what is left stays as it is: it opens next at %s, and a rollout ends after %s. Plan the rest then", when(next), span(p.Policy.WholeLife))
	default:
		return fmt.Sprintf("what is left waits till %s, and is asked for then", when(next))
	}
}

// goes tells when a yes takes effect, where that is later.
func goes(a asking, p upgrade.Plan) string {
	if a.asked.Opens.IsZero() {
		return ""
	}
	s := ":calendar: A yes counts now; it goes at " + when(a.asked.Opens)
	if !a.asked.Closes.IsZero() {
		s += " (till " + when(a.asked.Closes) + ")"
	}
	return s + fmt.Sprintf(". Then, once more: no freeze, the set as planned, at most %d out of service; else it holds and says why here", p.Limits.MaxUnavailable)
}
