package upgrade

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Wave is the place of a rollout among those that one command has opened for several scale sets. There is
// nothing above these rollouts: each has its own plan, lock, approvals and thread, and looks at those of the
// waves before it.
type Wave struct {
	Group   string  // what all of them are called by, such as g-4f2k9a
	Name    string  // what was said: a pattern, or a group of the configuration
	N, Of   int     // which wave it is, from 1, of how many
	After   []Place `json:",omitempty"` // the rollouts of all waves before
	Channel string  // where the message stands that shows them all
}

// told says which wave it is, where there are waves.
func (w *Wave) told() string {
	if w == nil {
		return ""
	}
	return fmt.Sprintf(", wave %d of %d of %s (%s)", w.N, w.Of, w.Name, w.Group)
}

// Place is a rollout of an earlier wave.
type Place struct {
	Rollout string
	Set     SetID
	Name    string // of the set
	N       int    // of its wave
}

// groups and rollouts begin the ids of the two.
const (
	groupPrefix   = "g-"
	rolloutPrefix = "r-"
)

// IsGroup reports whether the id is a group's.
func IsGroup(id string) bool { return strings.HasPrefix(id, groupPrefix) }

// Lead is the rollout that has the group's message: the first of its first wave, whose id tells it.
func Lead(group string) string { return rolloutPrefix + strings.TrimPrefix(group, groupPrefix) }

// GroupOf is the id of the group that the rollout leads.
func GroupOf(lead string) string { return groupPrefix + strings.TrimPrefix(lead, rolloutPrefix) }

// Standing is how the scale set of an earlier wave stands. The last rollout that has driven it decides: one that
// came after the wave's own may have mended what failed, or taken back what succeeded.
type Standing struct {
	Rollout string
	Outcome Outcome   // "" = it is under way
	At      time.Time // of its end
	Goal    bool      // it is for what the wave's own rollout was for, and no fewer instances
}

// done: it ended well, which includes its bake, and the set has what this wave is to have. Set aside, failed
// within limits that somebody chose, or nothing to do: only the first of these is no success of the whole.
func (s Standing) done() bool { return s.Outcome == OutcomeSucceeded && s.Goal }

// stands reads how the set of an earlier wave stands. The ended ones are read first: what opens between the
// two readings is then seen by the second.
func stands(ctx context.Context, j Reader, p Place) (Standing, error) {
	own, err := j.Record(ctx, p.Rollout)
	if err != nil {
		return Standing{}, err
	}
	last := own
	if own.Rollout.Ended != nil {
		past, err := j.Ended(ctx, p.Set, 1)
		if err != nil {
			return Standing{}, err
		}
		if len(past) > 0 {
			last = past[0]
		}
		holder, err := j.Holder(ctx, p.Set)
		switch {
		case err == nil:
			last = holder
		case !errors.Is(err, ErrNotFound):
			return Standing{}, err
		}
	}
	s := Standing{Rollout: last.ID, At: last.Rollout.EndedAt, Goal: last.ID == own.ID || last.Plan.serves(own.Plan)}
	if last.Rollout.Ended != nil {
		s.Outcome = last.Rollout.Ended.Outcome
	}
	return s, nil
}

// serves reports whether the success of p is as good as that of q: the same goal for the same set, and at least
// the same instances chosen.
func (p Plan) serves(q Plan) bool {
	return p.Set == q.Set && p.Action == q.Action && p.Target.Same(q.Target.Setting) &&
		(reflect.DeepEqual(p.Which, Selection{}) || reflect.DeepEqual(p.Which, q.Which))
}

// standings reads how all sets of earlier waves stand.
func standings(ctx context.Context, j Reader, w *Wave) (map[string]Standing, error) {
	if w == nil {
		return nil, nil
	}
	all := map[string]Standing{}
	for _, p := range w.After {
		s, err := stands(ctx, j, p)
		if err != nil {
			return nil, fmt.Errorf("wave %d: %w", p.N, err)
		}
		all[p.Rollout] = s
	}
	return all, nil
}

// before sorts the places of earlier waves by what stands in the way: those that ended and did not succeed, and
// those that are not over; of the latter only the first wave that has any. What was not read is not over.
func (r Rollout) before(seen map[string]Standing) (failed, open []Place) {
	if r.Wave == nil {
		return nil, nil
	}
	for _, p := range r.Wave.After {
		switch s, known := seen[p.Rollout]; {
		case known && (s.done() || r.Over[s.Rollout]):
		case known && s.Outcome != "":
			failed = append(failed, p)
		case len(open) == 0 || open[0].N == p.N:
			open = append(open, p)
		}
	}
	return failed, open
}

// wave: nothing of a wave is started before all of the waves before have succeeded and have baked, nor any
// more once one of them was taken back.
func wave(v view) *Blocker {
	if _, _, left := v.r.CurrentGate(v.p); !left { // nothing is left to start: the end waits for nobody
		return nil
	}
	w := v.r.Wave
	switch failed, open := v.r.before(v.seen.Before); {
	case len(failed) > 0:
		return &Blocker{Reason: ReasonHalted, What: fmt.Sprintf("wave %d of %s waits for somebody: %s", w.N, w.Name, v.shortOf(failed)),
			Clears: "a new rollout of that set to the same that succeeds, or an approver who lets this one go on",
			Next:   fmt.Sprintf("/vmss resolve %s go-on \"why\"", v.r.ID), Also: []string{fmt.Sprintf("/vmss resolve %s go-on \"why\"", w.Group), fmt.Sprintf("/vmss abort %s \"reason\"", w.Group)}}
	case len(open) > 0 && open[0].N < w.N-1:
		return &Blocker{Reason: ReasonWave, What: fmt.Sprintf("wave %d of %d of %s: the waves before it come first", w.N, w.Of, w.Name), Clears: "the success of all of them", Next: "/vmss status " + w.Group}
	case len(open) > 0:
		return &Blocker{Reason: ReasonWave, What: fmt.Sprintf("wave %d of %d of %s is next, after %s", w.N, w.Of, w.Name, v.comesFirst(open)), Clears: "the success of all of wave " + fmt.Sprint(open[0].N) + ", baked", Next: "/vmss status " + w.Group}
	}
	return nil
}

// shortOf says how the sets of earlier waves ended that did not succeed.
func (v view) shortOf(failed []Place) string {
	var out []string
	for _, p := range failed[:min(mostPlaces, len(failed))] {
		s := v.seen.Before[p.Rollout]
		how := string(s.Outcome)
		if s.Outcome == OutcomeSucceeded {
			how = "it has got something else since"
		}
		out = append(out, fmt.Sprintf("%s: %s (%s)", p.Name, how, s.Rollout))
	}
	return strings.Join(out, ", ") + andMore(len(failed))
}

// comesFirst names the sets of a wave that is not over, with the rollout that each waits for.
func (v view) comesFirst(open []Place) string {
	now := slices.Clone(open)
	for i, p := range now {
		if s, known := v.seen.Before[p.Rollout]; known {
			now[i].Rollout = s.Rollout
			if !s.Goal {
				now[i].Rollout += ", which is for something else"
			}
		}
	}
	return places(now)
}

// mostPlaces is how many sets are named in one sentence.
const mostPlaces = 5

func places(list []Place) string {
	var out []string
	for _, p := range list[:min(mostPlaces, len(list))] {
		out = append(out, fmt.Sprintf("%s (%s)", p.Name, p.Rollout))
	}
	return strings.Join(out, ", ") + andMore(len(list))
}

func andMore(n int) string {
	if n <= mostPlaces {
		return ""
	}
	return fmt.Sprintf(" and %d more", n-mostPlaces)
}

// since is when the rollout's life began: with its request, or when its wave opened. While the waves before are
// under way it has not; once one of them has failed it runs from there, so that a chain of waves does not hold
// its locks a day longer for each (R17).
func (v view) since() (at time.Time, begun bool) {
	at = later(v.r.At, v.r.OverAt)
	failed, open := v.r.before(v.seen.Before)
	switch {
	case len(failed) > 0:
		first := v.seen.Before[failed[0].Rollout].At
		for _, p := range failed {
			if s := v.seen.Before[p.Rollout]; s.At.Before(first) {
				first = s.At
			}
		}
		return later(at, first), true
	case len(open) > 0:
		return at, false
	}
	for _, s := range v.seen.Before {
		at = later(at, s.At)
	}
	return at, true
}

// goOn lets a rollout go on although a wave before it did not succeed: an approver has looked. It counts for
// what has ended by now, and for nothing that comes after.
func (h hearing) goOn() (Heard, *Refusal) {
	failed, _ := h.r.before(h.w.Before)
	if len(failed) == 0 {
		return Heard{}, h.refuse(CodeState, "nothing of a wave before %s has failed", h.r.ID)
	}
	var over []string
	for _, p := range failed {
		s := h.w.Before[p.Rollout]
		if h.early(s.At) {
			return Heard{}, h.refuse(CodeStale, "%s of %s ended only after you had said that: look once more, then say it again", s.Rollout, p.Name)
		}
		over = append(over, s.Rollout)
	}
	if h.w.Reason == "" {
		return Heard{}, h.reasonless()
	}
	return Heard{[]Fact{Resolved{Name: h.by.Name, Reason: h.w.Reason, Verdict: GoOn, Over: over}},
		fmt.Sprintf("%s goes on although %s did not succeed, you say.", h.p.Name, places(failed))}, nil
}
