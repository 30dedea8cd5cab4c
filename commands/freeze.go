package commands

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// freeze takes a set or all, how long, and a reason, which is everything else. A quoted word alone is the
// reason: the set was left out.
func (c *command) freeze() *upgrade.Refusal {
	var keyed, others []word
	for _, w := range c.words[1:] {
		if w.option() {
			keyed = append(keyed, w)
		} else {
			others = append(others, w)
		}
	}
	c.words = slices.Concat(c.words[:1], keyed, others)
	var first *upgrade.Refusal // the rest is understood all the same, for the form
	for i := range keyed {
		if no := c.option(1 + i); first == nil {
			first = no
		}
	}
	at := 1 + len(keyed)
	var second *upgrade.Refusal
	if len(others) == 1 && others[0].quoted {
		second, c.words = c.because(at), c.words[:at]
	}
	return cmp.Or(first, second, c.fitting(), c.unfrozen(at))
}

func (c *command) unfreeze() *upgrade.Refusal { return c.unfrozen(1) }

// unfrozen reads what is to be frozen or not, which stands at the place at, and the reason behind it.
func (c *command) unfrozen(at int) *upgrade.Refusal {
	switch {
	case at >= len(c.words) && c.req.Verb == VerbUnschedule:
		return c.lacks("", "`unschedule` needs a schedule, such as `s-4f2k9a`, or a scale set")
	case at >= len(c.words):
		return c.lacks("", "`%s` needs a scale set, or `%s`", c.req.Verb, upgrade.EverySet)
	case !isSet(c.words[at].text):
		return c.badSet(at)
	}
	c.req.Set = heldSet(c.words[at].text)
	return c.because(at + 1)
}

// lifts reports whether the verb ends what somebody said before.
func (v Verb) lifts() bool { return v == VerbUnfreeze || v == VerbUnschedule }

// heldSet is what a freeze is said of, and what lifts one: all are meant however the word is written, also
// between quotes. A set of that name is said with its resource group.
func heldSet(s string) string {
	if strings.EqualFold(s, upgrade.EverySet) {
		return upgrade.EverySet
	}
	return s
}

func freezing(ctx context.Context, t turn) (Reply, []upgrade.Change, error) {
	ask := upgrade.FreezeAsk{Set: t.req.Set, Until: t.req.Options.Until, Why: t.req.Reason, Lift: t.req.Verb == VerbUnfreeze}
	if t.req.Options.For != nil {
		ask.For = *t.req.Options.For
	}
	f, err := t.rollouts.Freeze(ctx, t.by, ask)
	if err != nil {
		return Reply{}, nil, err
	}
	frost := &Frost{Freeze: f.Freeze, Channels: f.Channels}
	if ask.Lift {
		frost.Lifted, frost.By, frost.Why = true, t.by.Name, ask.Why
	}
	return Reply{Frost: frost}, []upgrade.Change{f.Change}, nil
}

func windows(ctx context.Context, t turn) (Reply, error) {
	name, err := t.set(ctx)
	if err != nil {
		return Reply{}, err
	}
	sight, err := t.look(ctx, upgrade.QueryFreezes, name)
	if err != nil {
		return Reply{}, err
	}
	c := &Calendar{Freezes: sight.Freezes, Schedules: sight.Schedules, At: sight.At}
	if name != "" {
		c.Set = &sight.Sets[0]
		c.Windows = opens(sight.Policy, sight.At)
	}
	return Reply{Calendar: c}, nil
}

// opens lists a policy's windows with the opening that lasts or comes next.
func opens(pol upgrade.Policy, now time.Time) []Opens {
	var out []Opens
	for _, w := range pol.Windows {
		o := Opens{Window: w}
		if span, open := w.At(now); open {
			o.Next = span
		} else {
			o.Next, _ = w.Next(now)
		}
		out = append(out, o)
	}
	return out
}
