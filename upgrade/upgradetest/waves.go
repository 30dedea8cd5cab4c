package upgradetest

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// Groups of rollouts, as their message shows them: its title, its waves, and a line for each rollout.
var (
	titleGroup = regexp.MustCompile("^\\*(.+)\\*  `?(g-[0-9a-f]{6})`? by ")
	titleWave  = regexp.MustCompile(`^\*Wave (\d+)\*$`)
)

// waves reads which rollouts come before which: by rollout, those of all earlier waves of its group.
func (c *cases) waves() map[string][]string {
	before := map[string][]string{}
	for _, p := range c.e.Posts {
		if p.First().group == "" || p.EphemeralTo != "" {
			continue
		}
		var earlier, same []string
		within := false // a line before the first title may name what is in the way
		for _, l := range p.First().Lines {
			if titleWave.MatchString(l) {
				earlier, same, within = append(earlier, same...), nil, true
			}
			if id := rolloutID.FindString(l); id != "" && within {
				before[id], same = slices.Clone(earlier), append(same, id)
			}
		}
	}
	return before
}

// inTurn: I21, nothing of a wave is started before all rollouts of the waves before have succeeded, nor after
// one of their sets has got another goal since, unless an approver let it go on.
func (c *cases) inTurn(k Call, r *rollout, before map[string][]string) {
	for _, id := range before[r.id] {
		b := c.rollout(id)
		switch {
		case b == nil:
			c.blame("I21", k.Time, "%v of %s was started although %s of a wave before was never announced", k.Instances, r.set, id)
		case c.letGoOn(r, k.Time):
		case c.turned(b, k.Time):
			c.blame("I21", k.Time, "%v of %s was started although %s of a wave before has got another goal since", k.Instances, r.set, b.set)
		case !c.mended(b, k.Time) && (c.endedOtherwise(b, k.Time) || !c.attained(b, k)):
			c.blame("I21", k.Time, "%v of %s was started although %s (%s) of a wave before had not succeeded", k.Instances, r.set, b.id, b.set)
		}
	}
}

// letGoOn reports whether an approver said so of the rollout, or of its whole group.
func (c *cases) letGoOn(r *rollout, by time.Time) bool {
	return slices.ContainsFunc(c.words, func(w word) bool {
		said := strings.Contains(w.Text, "go-on") || w.Action == "resolve-go-on" // also as a form
		return said && !w.At.After(by) && (w.rollout == r.id || strings.Contains(w.Text+w.Value, "g-")) && slices.Contains(c.Policy.Approvers, w.User)
	})
}

// mended reports whether a rollout of the same set to the same goal said by then that it has succeeded.
func (c *cases) mended(b *rollout, by time.Time) bool {
	return slices.ContainsFunc(c.rollouts, func(x rollout) bool {
		return x.set == b.set && x.target == b.target && !x.succeeded.IsZero() && x.succeeded.Before(by) && !x.opened.Before(b.opened)
	})
}

// turned reports whether a rollout of the same set to another goal was opened after it, long enough ago to be read.
func (c *cases) turned(b *rollout, by time.Time) bool {
	return slices.ContainsFunc(c.rollouts, func(x rollout) bool {
		return x.set == b.set && x.target != b.target && x.opened.After(b.opened) && x.opened.Add(blindness).Before(by)
	})
}

// endedOtherwise: its message said by then that it has ended, and not that it succeeded.
func (c *cases) endedOtherwise(b *rollout, by time.Time) bool {
	return !b.ended.IsZero() && b.ended.Before(by) && b.succeeded.IsZero()
}

// attained asks Azure where the message says nothing yet: what was planned has the goal, as far as it is there.
func (c *cases) attained(b *rollout, k Call) bool {
	var planned []string
	for _, ids := range b.gates {
		planned = append(planned, ids...)
	}
	for _, s := range k.Before.Sets {
		if s.Name == b.set {
			return !slices.ContainsFunc(s.Instances, func(i azuresim.InstanceState) bool {
				return slices.Contains(planned, i.ID) && !i.Protected && i.Version != b.target
			})
		}
	}
	return true // the set is gone
}
