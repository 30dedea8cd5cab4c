package view

import (
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// scheduled tells everybody that something is asked for again and again, or not any more.
func scheduled(c commands.Scheduled, request string) Message {
	s := c.Schedule
	var p page
	if c.Lifted {
		p.para(fmt.Sprintf(":alarm_clock: *%s is not scheduled any more*: %s took %s away%s", name(s.Name), name(c.By), code(s.ID), because(c.Why)),
			"It was "+code("/vmss "+s.Said)+" at "+times(s)+". What it has opened goes on.")
		p.small(echo(request))
		return p.done(slotReply, fmt.Sprintf("%s is not scheduled any more", flat(name(s.Name))))
	}
	p.para(fmt.Sprintf(":alarm_clock: *%s is scheduled* by %s: %s", name(s.Name), name(s.ByName), code("/vmss "+s.Said)),
		fmt.Sprintf("At %s: %s", times(s), comes(c.Next)),
		fmt.Sprintf("I open the rollout then in the name of %s, and its cards ask as ever: it approves nothing. Take it away: %s", name(s.ByName), code("/vmss unschedule "+s.ID)))
	p.small(echo(request))
	return p.done(slotReply, fmt.Sprintf("%s is scheduled by %s", flat(name(s.Name)), flat(name(s.ByName))))
}

func times(s upgrade.Schedule) string { return code(s.Cron) + " of " + esc(s.Zone, 40) }

// comes lists occurrences.
func comes(next []time.Time) string {
	out := ""
	for i, t := range next {
		switch {
		case t.IsZero():
		case i == 0:
			out = "next " + when(t)
		default:
			out += ", then " + when(t)
		}
	}
	return out
}

func scheduleLine(s upgrade.Schedule, now time.Time) string {
	next := "never again"
	if t := s.Next(now); !t.IsZero() {
		next = "next " + when(t)
	}
	return fmt.Sprintf(":alarm_clock: %s  %s at %s, by %s: %s · %s", name(s.Name), code("/vmss "+s.Said), times(s), name(s.ByName), next, code("/vmss unschedule "+s.ID))
}

// firing tells why an occurrence of a schedule opened nothing, in a line or two.
func firing(f upgrade.Firing) Message {
	s, what := f.Schedule, "Not asked for"
	if f.Fired.Missed {
		what = "Missed"
	}
	why := string(f.Fired.Code)
	if why != "" {
		why = esc(why, 20) + "  "
	}
	var p page
	p.para(fmt.Sprintf(":alarm_clock: *%s: %s* %s (%s of %s, due %s): %s%s", what, name(s.Name), code("/vmss "+s.Said), code(s.ID), name(s.ByName), when(f.Fired.For), why, prose(f.Fired.Why)))
	more := ""
	if f.Fired.Next != "" {
		more = "You can: " + code(f.Fired.Next)
	}
	p.small(dots(more, comes([]time.Time{f.Next})))
	return p.done(slotReply, fmt.Sprintf("%s: %s, as scheduled by %s: %s", what, flat(name(s.Name)), flat(name(s.ByName)), flatProse(f.Fired.Why)))
}
