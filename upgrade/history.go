package upgrade

import (
	"context"
	"slices"
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
	var all []time.Duration
	for _, rec := range records {
		for _, b := range rec.Rollout.Batches {
			if d, ok := rec.Rollout.took(b); ok {
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
