package upgradetest

import (
	"regexp"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/window"
)

// What the observer knows of the time that a start may take (R12) and of when rollouts begin after an opening (R14).
const (
	guessed = 5 * time.Minute // one batch, where nobody knows better
	spread  = time.Minute
	margin  = 10 * time.Minute // people are not asked for an opening of which less is left for them
)

// judgeHours: R11 and R12, nothing of a rollout reaches the set outside of its windows, nor too late to finish;
// and nothing while people were told that it is frozen. A way back is exempt from windows (R5).
func (c *cases) judgeHours() {
	for _, k := range c.e.Calls {
		r := c.of(k)
		if k.By != "" || !k.Accepted || r == nil || k.Method == "PATCH" && version(k.to()) != r.target {
			continue
		}
		c.thawed(k)
		if len(c.Policy.Windows) == 0 || r.of != "" || r.undoes != "" {
			continue
		}
		here := k.Time.Add(c.e.jumped(time.Time{}, k.Time))
		o, open := c.opening(here)
		switch {
		case !open:
			c.blame("R11", k.Time, "%s of %v was accepted outside of every window", k.Action, k.Instances)
		case k.Method == "POST" && o.End.Sub(here) < c.Policy.Deadline:
			c.blame("R12", k.Time, "%v was started %s before its window closes", k.Instances, o.End.Sub(here))
		}
	}
}

// opening is the one of the policy's windows that is open, of several the last to close.
func (c *cases) opening(at time.Time) (o window.Span, open bool) {
	for _, w := range c.Policy.Windows {
		if s, ok := w.At(at); ok && s.End.After(o.End) {
			o, open = s, true
		}
	}
	return o, open
}

var froze = regexp.MustCompile(`\bfor=(\d+)m\b`)

// thawed: after people were told that the set is frozen nothing starts until somebody lifts that, or its end.
func (c *cases) thawed(k Call) {
	set := k.Set[strings.LastIndexByte(k.Set, '/')+1:]
	for n, w := range c.words {
		if w.verb != "freeze" || !w.obeyed() || !strings.Contains(w.answer, "Nothing starts, whatever was approved") || c.e.lost(w.At) || !names(w, set) {
			continue
		}
		end := c.e.Now.Add(time.Hour)
		if said, ends := w.freezes(); ends {
			end = said.Add(-c.e.jumped(w.At, said))
		}
		for _, lift := range c.words[n+1:] {
			if lift.verb == "unfreeze" && lift.heard() && lift.At.Before(end) && (names(lift, set) || strings.Contains(lift.Text, " f-")) {
				end = lift.At
			}
		}
		if k.Time.After(w.answered) && k.Time.Before(end) {
			c.blame("R11", k.Time, "%s of %v was accepted although people had been told that it is frozen: %s", k.Action, k.Instances, w.Text)
		}
	}
}

// freezes is the end that a freeze was given, as the program's clock has it if it jumps no more.
func (w word) freezes() (end time.Time, ends bool) {
	m := froze.FindStringSubmatch(w.Text)
	if m == nil {
		return end, false
	}
	return w.At.Add(time.Duration(number(m[1])) * time.Minute), true
}

// thaws is when the freezes end that people knew of when they were asked: a yes is for what comes then.
func (c *cases) thaws(asked time.Time, set string) (end time.Time) {
	for _, w := range c.words {
		if said, ends := w.freezes(); w.verb == "freeze" && ends && w.obeyed() && w.At.Before(asked) && names(w, set) {
			end = later(end, said.Add(c.e.jumped(time.Time{}, w.At)))
		}
	}
	return end
}

func names(w word, set string) bool {
	fields := strings.Fields(w.Text)
	for _, f := range fields[1:] {
		if f == set || f == "all" {
			return true
		}
	}
	return false
}

// holds is until when a yes to what was put to people at that moment counts for a start (R22): from the asking on,
// or from the end of a freeze, or the opening in which the start lies, if they were asked for that one.
func (c *cases) holds(asked time.Time, k Call) time.Time {
	thaws := c.thaws(asked, k.Set[strings.LastIndexByte(k.Set, '/')+1:])
	asked = later(asked.Add(c.e.jumped(time.Time{}, asked)), thaws)
	back := c.e.jumped(time.Time{}, k.Time)
	o, open := c.opening(k.Time.Add(back))
	if !open || !o.Start.Add(spread).After(asked) { // who is asked a moment after the opening is asked for when it begins
		return asked.Add(c.Policy.ApprovalLife - back)
	}
	for _, w := range c.Policy.Windows {
		for at := asked; ; {
			s, ok := w.At(at)
			if !ok {
				if s, ok = w.Next(at); !ok {
					break
				}
			}
			if !s.Start.Before(o.Start) {
				break
			}
			if from := later(asked, s.Start.Add(spread)); s.End.Sub(from) >= max(guessed, c.Policy.Deadline)+guessed+margin {
				return s.End.Add(-back) // they were asked for that one, which is over
			}
			at = s.End
		}
	}
	return o.Start.Add(spread + c.Policy.ApprovalLife - back)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
