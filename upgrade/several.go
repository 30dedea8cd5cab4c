package upgrade

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
)

// Group is a named list of scale sets in the order in which they are rolled out: one wave after the other, the
// sets of a wave side by side. It stands in the configuration.
type Group struct {
	Name  string
	Waves [][]string // patterns as of [Policy.Pattern]; a set belongs to the first wave that names it
}

// Several is what one command for several scale sets comes to.
type Several struct {
	Group string // the id of what was opened; "" = nothing was
	Name  string // as it was said; "" = a single set was named
	Of    int    // waves
	Sets  []Planned
}

// Planned is one of the sets: its plan, or why there is none.
type Planned struct {
	Wave    int // from 1
	Set     SetSummary
	Rollout string // that was opened
	Plan    Plan
	No      *Refusal
}

// nothingToDo reports whether the set needs no rollout, which is no reason against the others' (R33).
func (p Planned) nothingToDo() bool { return p.No != nil && p.No.Code == CodeNothing }

// Refused are the sets that keep the others from being rolled out.
func (s Several) Refused() []Planned {
	return slices.DeleteFunc(slices.Clone(s.Sets), func(p Planned) bool { return p.No == nil || p.nothingToDo() })
}

// Open are the sets that a rollout is for.
func (s Several) Open() []Planned {
	return slices.DeleteFunc(slices.Clone(s.Sets), func(p Planned) bool { return p.No != nil })
}

const (
	mostSets = 50 // of one command
	oneByOne = 8  // as many are planned one after the other: each reads Azure several times
)

// groupWord begins a name that can only be a group's: a bare name is a set's, if there is one.
const groupWord = "group:"

// Severally reports whether a name can only mean several sets.
func Severally(name string) bool {
	return strings.HasPrefix(name, groupWord) || strings.ContainsAny(name, "*?")
}

// Several plans for each of the sets that ask names, in waves, and with open says what opens a rollout of each:
// all of it is committed in one transaction. It opens all or none: what keeps one set from being rolled out is
// a reason to look again at what was meant, unless that set has nothing to do. Where ask names a single set it
// returns the zero value.
func (d Desk) Several(ctx context.Context, by Person, ask Ask, open bool) (Several, []Change, error) {
	waves, err := d.waves(ctx, by, ask.Set)
	if err != nil || len(waves) == 0 {
		return Several{}, nil, err
	}
	if len(ask.Which.Instances)+len(ask.Which.Skip) > 0 {
		return Several{}, nil, Refuse(CodeArg, "/vmss help upgrade", "instances are named for one scale set at a time: `vm=` and `skip=vm:` do not go with several")
	}
	if waves, err = leftOut(waves, ask.Without); err != nil {
		return Several{}, nil, err
	}
	s := Several{Name: ask.Set, Of: len(waves)}
	for n, wave := range waves {
		for _, set := range wave {
			s.Sets = append(s.Sets, Planned{Wave: n + 1, Set: set})
		}
	}
	if len(s.Sets) > mostSets {
		return Several{}, nil, Refuse(CodeArg, "/vmss list", "%s names %d scale sets: %d at once is the most", ask.Set, len(s.Sets), mostSets)
	}
	if channels := d.channels(s.Sets); open && len(channels) > 0 && !slices.Contains(channels, ask.Channel) {
		return Several{}, nil, Refuse(CodeRole, "", "%s is driven in <#%s> only", ask.Set, channels[0])
	}
	if err := d.planEach(ctx, by, ask, s.Sets, open); err != nil {
		return Several{}, nil, err
	}
	if !open || len(s.Refused()) > 0 {
		return s, nil, nil
	}
	if len(s.Open()) == 0 {
		return Several{}, nil, Refuse(CodeNothing, "/vmss plan "+ask.Set, "nothing to do on any of the %d scale sets of %s: %s", len(s.Sets), ask.Set, s.Sets[0].No.What)
	}
	return d.openEach(by, ask.Channel, s)
}

// channels are those in which the sets are driven: in one of them a command for all of them is said, and the
// people of the others see their own rollouts open.
func (d Desk) channels(sets []Planned) (all []string) {
	for _, s := range sets {
		all = told(all, PolicyFor(d.Policies(), s.Set.ID))
	}
	return all
}

// planEach fills in a plan or a refusal for each set, so many side by side that the most there may be take no longer
// than a few. Only what ends the whole is an error.
func (d Desk) planEach(ctx context.Context, by Person, ask Ask, sets []Planned, open bool) error {
	var all sync.WaitGroup
	slots := make(chan struct{}, 1+(len(sets)-1)/oneByOne)
	failed := make([]error, len(sets))
	for i := range sets {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			sets[i].Plan, failed[i] = d.planOne(ctx, by, ask, sets[i].Set, open)
			if no := refusalOf(failed[i]); no != nil {
				sets[i].No, failed[i] = no, nil
			}
		})
	}
	all.Wait()
	return cmp.Or(ctx.Err(), errors.Join(failed...))
}

// planOne is what [Desk.Plan] and [Desk.Open] do for a set; where the others are driven makes no difference.
func (d Desk) planOne(ctx context.Context, by Person, ask Ask, set SetSummary, open bool) (Plan, error) {
	pol := PolicyFor(d.Policies(), set.ID)
	if open {
		if who := pol.Refuses(by, MayRequest, ""); who != "" {
			return Plan{}, Refuse(CodeRole, "/vmss show "+set.Name, "to %s an upgrade of %s takes %s", MayRequest, set.Name, who)
		}
		if no := driveable(set, pol, pol.Channel); no != nil {
			return Plan{}, no
		}
		if err := d.free(ctx, set); err != nil {
			return Plan{}, err
		}
	}
	return d.plan(ctx, by, ask, set, pol)
}

// openEach makes the changes that open the rollouts: each knows those of all waves before it.
func (d Desk) openEach(by Person, channel string, s Several) (Several, []Change, error) {
	var changes []Change
	var opened []Place
	for i := range s.Sets {
		p := &s.Sets[i]
		if p.No != nil {
			continue
		}
		p.Rollout = rolloutPrefix + d.ID()[:6]
		s.Group = cmp.Or(s.Group, GroupOf(p.Rollout))
		w := &Wave{Group: s.Group, Name: s.Name, N: p.Wave, Of: s.Of, Channel: channel}
		for _, before := range opened {
			if before.N < p.Wave {
				w.After = append(w.After, before)
			}
		}
		opened = append(opened, Place{p.Rollout, p.Set.ID, p.Set.Name, p.Wave})
		changes = append(changes, *opening(p.Rollout, p.Plan, p.Plan.Policy.Channel, by.ID, by.Name, d.Now(), w))
	}
	return s, changes, nil
}

// waves are the sets that a name means, as far as the person may read them; none when it means a single set. A
// pattern is one set after the other, by name; a group as it stands in the configuration.
func (d Desk) waves(ctx context.Context, by Person, name string) ([][]SetSummary, error) {
	group, isGroup := d.group(strings.TrimPrefix(name, groupWord))
	if !Severally(name) && !isGroup {
		return nil, nil
	}
	sets, err := d.readable(ctx, by)
	switch {
	case err != nil:
		return nil, err
	case !Severally(name) && len(named(sets, name)) > 0: // a set's name wins
		return nil, nil
	case isGroup:
		return inWaves(sets, group)
	case strings.HasPrefix(name, groupWord):
		return nil, Refuse(CodeUnknown, "/vmss list", "the configuration has no group `%s`", strings.TrimPrefix(name, groupWord))
	}
	var waves [][]SetSummary
	for _, set := range matching(sets, name) {
		waves = append(waves, []SetSummary{set})
	}
	if len(waves) == 0 {
		return nil, Refuse(CodeUnknown, "/vmss list", "I know no scale set like `%s` that you may see", name)
	}
	return waves, nil
}

func (d Desk) group(name string) (Group, bool) {
	if d.Groups == nil {
		return Group{}, false
	}
	all := d.Groups()
	i := slices.IndexFunc(all, func(g Group) bool { return strings.EqualFold(g.Name, name) })
	if i < 0 {
		return Group{}, false
	}
	return all[i], true
}

// inWaves puts sets into a group's waves. A wave of which the person sees nothing is refused: what it was to
// show before the next would not be shown.
func inWaves(sets []SetSummary, g Group) ([][]SetSummary, error) {
	var waves [][]SetSummary
	taken := map[SetID]bool{}
	for n, patterns := range g.Waves {
		var wave []SetSummary
		for _, pattern := range patterns {
			for _, s := range matching(sets, pattern) {
				if !taken[s.ID] {
					taken[s.ID], wave = true, append(wave, s)
				}
			}
		}
		if len(wave) == 0 {
			return nil, Refuse(CodePolicy, "/vmss list", "wave %d of %s (%s) has no scale set that you may see: nothing would come before the next. Smallest change: name the sets one by one, or change the group in the configuration", n+1, g.Name, strings.Join(patterns, ", "))
		}
		waves = append(waves, wave)
	}
	return waves, nil
}

func matching(sets []SetSummary, pattern string) []SetSummary {
	out := slices.DeleteFunc(slices.Clone(sets), func(s SetSummary) bool { return !Policy{Pattern: pattern}.Match(s.ID) })
	slices.SortFunc(out, func(a, b SetSummary) int { return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out
}

// leftOut leaves sets out. One that is not among them is a slip: it would be rolled out under its right name.
func leftOut(waves [][]SetSummary, names []string) ([][]SetSummary, error) {
	for _, name := range names {
		found := false
		for i := range waves {
			left := slices.DeleteFunc(slices.Clone(waves[i]), func(s SetSummary) bool { return len(named([]SetSummary{s}, name)) > 0 })
			found = found || len(left) < len(waves[i])
			waves[i] = left
		}
		if !found {
			return nil, Refuse(CodeUnknown, "/vmss list", "`skip=set:%s` is none of the scale sets that are meant", name)
		}
	}
	waves = slices.DeleteFunc(waves, func(w []SetSummary) bool { return len(w) == 0 })
	if len(waves) == 0 {
		return nil, Refuse(CodeArg, "/vmss help upgrade", "every scale set is left out")
	}
	return waves, nil
}
