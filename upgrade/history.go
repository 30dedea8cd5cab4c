package upgrade

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Took is how long batches of a scale set took, from the call to the last good reading.
type Took struct {
	Batches     int
	Median, P90 time.Duration // of these; nine in ten took no longer than P90
}

// enough is how many batches tell more of a set than a cautious guess does.
const enough = 3

// remembered is how many of a set's last rollouts are looked at.
const remembered = 20

// TookOf measures the batches of rollouts all of whose instances came out well. Those that failed, were sent
// once more or were given up tell nothing of what a batch takes.
func TookOf(records []Record) Took {
	return tookIn(records, func(BatchStatus) bool { return true })
}

// GateTook is how long the batches of one gate took.
type GateTook struct {
	Title string
	Took
}

// GatesTook measures the gates of the latest of a set's rollouts, as TookOf does, over all that had a gate of that
// key. Those of which nothing is known are left out.
func GatesTook(records []Record) (out []GateTook) {
	if len(records) == 0 {
		return nil
	}
	for _, g := range records[0].Plan.Gates {
		if t := tookIn(records, func(b BatchStatus) bool { return b.Gate == g.Key }); t.Batches > 0 {
			out = append(out, GateTook{g.Title, t})
		}
	}
	return out
}

func tookIn(records []Record, counts func(BatchStatus) bool) Took {
	var all []time.Duration
	for _, rec := range records {
		for _, b := range rec.Rollout.Batches {
			if d, ok := rec.Rollout.took(b); ok && counts(b) {
				all = append(all, d)
			}
		}
	}
	if len(all) == 0 {
		return Took{}
	}
	slices.Sort(all)
	return Took{Batches: len(all), Median: all[(len(all)-1)/2], P90: all[(9*len(all)+9)/10-1]}
}

func (r Rollout) took(b BatchStatus) (d time.Duration, ok bool) {
	for _, id := range b.Instances {
		i := r.Instances[id]
		if i.Batch != b.N || i.State != OK || i.Vouched {
			return 0, false
		}
		d = max(d, i.At.Sub(b.Op.SentAt))
	}
	return d, d > 0
}

// past is how long batches of the set took; the zero value where too few are known.
func (d Desk) past(ctx context.Context, set SetID) (Took, error) {
	ended, err := d.Journal.Ended(ctx, set, remembered)
	if err != nil {
		return Took{}, inside("read what became of the set's rollouts", err)
	}
	if t := TookOf(ended); t.Batches >= enough {
		return t, nil
	}
	return Took{}, nil
}

// lookHistory lists the rollouts that have ended, of one set or of all that the person may read.
func (d Desk) lookHistory(ctx context.Context, by Person, name string) (Sight, error) {
	var set SetID
	if name != "" {
		found, _, err := d.find(ctx, by, name, MayRead)
		if err != nil {
			return Sight{}, err
		}
		set = found.ID
	}
	ended, err := d.Journal.Ended(ctx, set, 2*remembered)
	if err != nil {
		return Sight{}, inside("read what became of rollouts", err)
	}
	ended = slices.DeleteFunc(ended, func(r Record) bool { return PolicyFor(d.Policies(), r.Plan.Set).Refuses(by, MayRead, "") != "" })
	return Sight{Rollouts: ended[:min(remembered, len(ended))]}, nil
}

// lookReport finds the rollout that is named, or the last one of the set, open or not.
func (d Desk) lookReport(ctx context.Context, by Person, about string) (Sight, error) {
	s, err := d.lookRollouts(ctx, by, about)
	if err != nil || len(s.Rollouts) > 0 {
		return s, err
	}
	if s, err = d.lookHistory(ctx, by, about); len(s.Rollouts) > 1 {
		s.Rollouts = s.Rollouts[:1]
	}
	return s, err
}

// lookAudit finds the rollouts that an audit is about, the oldest first, and what people did that is of none.
func (d Desk) lookAudit(ctx context.Context, by Person, q Query) (Sight, error) {
	s, err := d.lookRollouts(ctx, by, q.About)
	if err != nil {
		return s, err
	}
	if !strings.HasPrefix(q.About, "r-") && s.Group(q.About) == "" {
		ended, err := d.lookHistory(ctx, by, q.About)
		if err != nil {
			return s, err
		}
		slices.Reverse(ended.Rollouts)
		s.Rollouts = append(ended.Rollouts, s.Rollouts...)
	}
	s.Rollouts = slices.DeleteFunc(s.Rollouts, func(r Record) bool {
		return q.Instances != nil && !r.touches(q.Instances) ||
			q.Person != "" && !slices.ContainsFunc(r.Events, func(e Event) bool { return e.By == q.Person })
	})
	if q.About != "" {
		return s, nil
	}
	if s.System, err = d.Journal.System(ctx, 10*remembered); err != nil {
		return s, inside("read what was said of no rollout", err)
	}
	for i, e := range s.System { // of policies only what has become of those that the person may read
		if f, is := e.Fact.(Governed); is {
			s.System[i].Fact = Governed{Changes: slices.DeleteFunc(slices.Clone(f.Changes), func(c PolicyChange) bool { return !d.mayReadOf(by, c.Pattern) })}
		}
	}
	s.System = slices.DeleteFunc(s.System, func(e Event) bool { return q.Person != "" && e.By != q.Person || !d.mayHear(by, e) })
	return s, nil
}

// mayHear reports whether the person may be told of it: of their own refusals, and of the freezes of what they
// may read, and the schedules.
func (d Desk) mayHear(by Person, e Event) bool {
	switch f := e.Fact.(type) {
	case Froze:
		return len(f.Sets) == 0 || slices.ContainsFunc(f.Sets, func(of string) bool { return d.mayReadOf(by, of) })
	case Unfroze:
		return by.ID == e.By
	case Scheduled:
		return PolicyFor(d.Policies(), f.Set).Refuses(by, MayRead, "") == ""
	case Unscheduled:
		return PolicyFor(d.Policies(), f.Set).Refuses(by, MayRead, "") == ""
	case Fired:
		return PolicyFor(d.Policies(), f.Set).Refuses(by, MayRead, "") == ""
	case Governed:
		return len(f.Changes) > 0
	case Declined:
		return by.ID == e.By
	}
	return false
}

// mayReadOf reports whether the person may read what a freeze names: a set, to which the first entry applies that
// matches it as ever, or the pattern of an entry.
func (d Desk) mayReadOf(by Person, of string) bool {
	switch {
	case strings.HasPrefix(of, NotOf):
		return false
	case !strings.ContainsAny(of, "*?["):
		return PolicyFor(d.Policies(), SetID("resourcegroups/"+of)).Refuses(by, MayRead, "") == ""
	}
	return slices.ContainsFunc(d.Policies(), func(p Policy) bool { return p.Pattern == of && p.Refuses(by, MayRead, "") == "" })
}

// shiftEnded is how long what has ended is still told to whoever comes on call.
const shiftEnded = 24 * time.Hour

// lookShift finds what whoever comes on call must know. It asks Azure nothing but for the names of the sets
// that are frozen, and does without when that fails: a hand-over must work on a bad day.
func (d Desk) lookShift(ctx context.Context, by Person) (Sight, error) {
	s := Sight{At: d.Now()}
	open, err := d.open(ctx, by)
	if err != nil {
		return s, err
	}
	ended, err := d.lookHistory(ctx, by, "")
	if err != nil {
		return s, err
	}
	s.Rollouts = open
	seen := map[SetID]bool{}
	for _, r := range open {
		seen[r.Plan.Set] = true
	}
	for _, r := range ended.Rollouts {
		if half := !seen[r.Plan.Set] && r.HalfNew(); half || s.At.Sub(r.Rollout.EndedAt) < shiftEnded {
			s.Rollouts = append(s.Rollouts, r)
		}
		seen[r.Plan.Set] = true
	}
	for _, p := range d.Policies() {
		if len(p.Windows) > 0 && p.Refuses(by, MayRead, "") == "" {
			s.Policies = append(s.Policies, p)
		}
	}
	if frozen, err := d.lookFreezes(ctx, by, ""); err == nil {
		s.Freezes, s.Schedules = frozen.Freezes, frozen.Schedules
	}
	return s, nil
}

// HalfNew reports whether the rollout has ended and left its set on two images.
func (r Record) HalfNew() bool {
	return r.Rollout.Ended != nil && r.Rollout.Ended.Tally.OnNew > 0 && r.Rollout.Ended.Tally.OnOld > 0
}
