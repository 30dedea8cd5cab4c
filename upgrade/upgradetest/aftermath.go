package upgradetest

import (
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Figures of what the observer allows for in trouble.
const (
	underway = 10 * time.Second // a write that was on its way when a freeze came
	earshot  = 6 * time.Minute  // R19's five minutes, and one to notice
)

// readRollbacks finds the rollouts back: they say so, and who asked for them said rollback of the other
// one before (R5).
func (c *cases) readRollbacks() {
	for i := range c.rollouts {
		r := &c.rollouts[i]
		for _, w := range c.words {
			if r.of != "" && w.verb == "rollback" && w.rollout == r.of && w.User == r.requester && w.heard() && w.At.Before(r.opened) {
				r.undoes = r.of
			}
		}
		if of := c.rollout(r.of); of != nil && of.comesBack && of.requester == r.requester {
			r.undoes = r.of // what people agreed to says so (R30)
		}
	}
}

// takenBack: R5, a rollout back goes to what its instances ran before, and to no other instance.
func (c *cases) takenBack(k Call, r *rollout) {
	if r.undoes == "" {
		return
	}
	for _, id := range k.Instances {
		if was := c.ranBefore(id, r.undoes, r.target); was != r.target {
			c.blame("R5", k.Time, "instance %s was taken back to %s: before %s it ran %q", id, r.target, r.undoes, was)
		}
	}
}

// ranBefore is what an instance ran when the rollout first started it, "" if it never did. Of a target
// that is a size, it is its size.
func (c *cases) ranBefore(id, rollout, target string) string {
	for _, k := range c.ours() {
		if of := c.of(k); !k.Accepted || of == nil || of.id != rollout || !slices.Contains(k.Instances, id) {
			continue
		}
		for _, i := range k.set().Instances {
			if i.ID == id && strings.HasPrefix(target, "Standard_") {
				return i.Size
			}
			if i.ID == id {
				return i.Version
			}
		}
	}
	return ""
}

// lastWord is what was last said of whether an instance is part of the rollout, and obeyed, before a
// moment: to set it aside, to pass it by, or to start it once more.
func (c *cases) lastWord(id string, r *rollout, before time.Time) (last word) {
	for _, w := range c.words {
		about := w.verb == "quarantine" || w.verb == "skip" || w.verb == "retry"
		if about && w.rollout == r.id && w.obeyed() && w.answered.Before(before) && slices.Contains(w.ids, id) {
			last = w
		}
	}
	return last
}

// aside reports whether the rollout goes on without an instance by then, as a person said or the plan (R30).
func (c *cases) aside(id string, r *rollout, at time.Time) bool {
	said := c.lastWord(id, r, at).verb
	return said == "quarantine" || said == "skip" || said == "" && c.Policy.OnFailure == upgrade.QuarantineOnFailure && c.shown("⊘", id, r, at)
}

// failedSince reports whether people were told a soak before that the instance had failed, and it was not started
// since it did.
func (c *cases) failedSince(id string, r *rollout, at time.Time) bool {
	from := at.Add(-c.Policy.Soak)
	from = from.Add(c.e.jumped(from, at))
	var started time.Time
	for _, k := range c.ours() {
		if k.Accepted && c.of(k) == r && k.Time.Before(at) && slices.Contains(k.Instances, id) {
			started = k.Time
		}
	}
	return c.shownBetween("✖", id, r, started, from)
}

// shown reports whether people saw the mark at an instance by then.
func (c *cases) shown(mark, id string, r *rollout, at time.Time) bool {
	return c.shownBetween(mark, id, r, time.Time{}, at)
}

// shownBetween reports whether a message that people saw then was given the mark at an instance.
func (c *cases) shownBetween(mark, id string, r *rollout, after, by time.Time) bool {
	return slices.ContainsFunc(c.e.Posts, func(p Post) bool {
		return c.about(p) == r.id && slices.ContainsFunc(p.States, func(s Seen) bool { return s.At.After(after) && !s.At.After(by) && s.says(mark+" `"+id+"`") })
	})
}

// letAlone: R6, what people set aside or passed by is started by nobody until somebody wants it once more.
func (c *cases) letAlone(k Call, r *rollout) {
	for _, id := range k.Instances {
		if w := c.lastWord(id, r, k.Time); w.verb == "quarantine" || w.verb == "skip" {
			c.blame("R6", k.Time, "instance %s was started although %s had said %s of it", id, w.User, w.verb)
		}
	}
}

// wanted reports whether somebody wanted the instance started once more: by its name, or with all that
// had failed.
func (c *cases) wanted(id string, r *rollout, before time.Time) bool {
	return slices.ContainsFunc(c.words, func(w word) bool {
		return w.verb == "retry" && w.rollout == r.id && w.heard() && w.At.Before(before) && (w.ids == nil || slices.Contains(w.ids, id))
	})
}

// judgeBudget: R21, within an hour no more instances are started than the policy's budget has, the way back aside.
func (c *cases) judgeBudget() {
	limit := c.Policy.Budget.Instances
	var begun []Call
	for _, k := range c.ours() {
		if limit == 0 || !k.Accepted || c.e.lost(k.Time) {
			continue
		}
		over := func(b Call) bool { // or came to nothing, as far as the program knows: it was sent once more
			again := !c.e.told(b) && b.Set == k.Set && slices.Equal(b.Instances, k.Instances)
			return again || k.Time.Sub(b.Time)+c.e.jumped(b.Time, k.Time) >= time.Hour
		}
		begun = append(slices.DeleteFunc(begun, over), k)
		n := 0
		for _, b := range begun {
			n += len(b.Instances)
		}
		if r := c.of(k); n > limit && (r == nil || r.undoes == "") {
			c.blame("budget", k.Time, "%d instances were started within an hour, of %d", n, limit)
		}
	}
}

// judgeFreezes: I11, nothing reaches Azure while it is frozen.
func (c *cases) judgeFreezes() {
	for _, k := range c.e.Calls {
		for _, f := range c.e.Freezes {
			if k.By == "" && f.Holds(k.Time) && k.Time.Sub(f.From) > underway {
				c.blame("I11", k.Time, "%s %v was sent %s after everything had been frozen", k.Action, k.Instances, k.Time.Sub(f.From))
			}
		}
	}
}

// judgeReach: R19, nothing starts while people see nothing of it.
func (c *cases) judgeReach() {
	for _, k := range c.ours() {
		for _, s := range c.e.Mute {
			if k.Accepted && s.Holds(k.Time) && k.Time.Sub(s.From) > earshot && !c.e.lost(s.From) { // else a journal that was put back owes nobody that message
				c.blame("R19", k.Time, "%v was started while nothing new had reached the channel for %s", k.Instances, k.Time.Sub(s.From))
			}
		}
		for _, s := range c.e.Cut {
			if from := c.e.upSince(s.From, k.Time); k.Accepted && s.Holds(k.Time) && k.Time.Sub(from) > earshot {
				c.blame("R19", k.Time, "%v was started while nobody could reach the bot for %s", k.Instances, k.Time.Sub(from))
			}
		}
	}
}

// upSince is the moment, or when the program last came up between it and the other one.
func (e Evidence) upSince(from, to time.Time) time.Time {
	for _, d := range e.Downs {
		if d.To.After(from) && d.To.Before(to) {
			from = d.To
		}
	}
	return from
}
