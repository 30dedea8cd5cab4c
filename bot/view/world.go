package view

import (
	"context"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// world is the Azure of a story: one set that changes only when the story says so.
type world struct {
	set     upgrade.ScaleSet
	op      upgrade.OpReading // of the operation in flight
	failing error             // the answer to the next write, nil = accepted
	unread  error             // the answer to every reading, nil = the set
	frozen  string            // why nothing may be written, "" = it may
	unheard upgrade.Unheard   // since when nobody can be reached
	then    *upgrade.Change   // the rollout back that took over
	earlier map[string]*story // by rollout, of waves before
}

// fleet is the world as the engine sees it.
type fleet struct{ s *story }

func (f *fleet) Observe(context.Context, upgrade.SetID, upgrade.Fence) (upgrade.ScaleSet, error) {
	if f.s.unread != nil {
		return upgrade.ScaleSet{}, f.s.unread
	}
	set := f.s.set
	set.Instances, set.SeenAt = slices.Clone(set.Instances), f.s.now
	return set, nil
}

// Apply takes a write: what the model gets is there at once, an upgrade goes on until the story ends it.
func (f *fleet) Apply(_ context.Context, op upgrade.Operation) (upgrade.Receipt, error) {
	if err := f.s.failing; err != nil {
		f.s.failing = nil
		return upgrade.Receipt{}, err
	}
	f.s.op = upgrade.OpReading{}
	if !op.Kind.OnInstances() {
		f.s.op = upgrade.OpReading{Done: true, OK: true}
		if op.To.Size != "" {
			f.s.set.Model.Size = op.To.Size
		} else {
			f.s.set.Model.Image = op.To.Image
		}
	}
	return upgrade.Receipt{Token: op.ID}, nil
}

func (f *fleet) Poll(context.Context, string) (upgrade.OpReading, error) { return f.s.op, nil }

func (f *fleet) Wait(_ upgrade.SetID, _ int, least time.Duration) time.Duration { return least }

// journal keeps a story's events.
type journal struct{ s *story }

func (j *journal) Claim(context.Context) (upgrade.Lease, time.Time, bool, error) {
	return upgrade.Lease{}, time.Time{}, false, nil
}

func (j *journal) Extend(context.Context, upgrade.Lease) error { return nil }

func (j *journal) Append(_ context.Context, _ upgrade.Lease, c upgrade.Change) (int, error) {
	for _, e := range c.Events {
		e.Seq = len(j.s.events) + 1
		j.s.events = append(j.s.events, e)
	}
	if c.Poll != "" {
		j.s.poll = c.Poll
	}
	if c.Then != nil {
		j.s.then = c.Then
	}
	return len(j.s.events), nil
}

func (j *journal) Release(context.Context, upgrade.Lease, time.Time) error { return nil }

func (j *journal) Record(_ context.Context, id string) (upgrade.Record, error) {
	if other, is := j.s.earlier[id]; is {
		return other.record(), nil
	}
	return j.s.record(), nil
}

func (j *journal) Open(context.Context) ([]upgrade.Record, error) { return j.s.others, nil }

func (j *journal) Ended(context.Context, upgrade.SetID, int) ([]upgrade.Record, error) {
	return nil, nil
}

func (j *journal) Group(context.Context, string) ([]upgrade.Record, error) { return nil, nil }

func (j *journal) Holder(context.Context, upgrade.SetID) (upgrade.Record, error) {
	return upgrade.Record{}, upgrade.ErrNotFound
}

func (j *journal) Freezes(context.Context) ([]upgrade.Freeze, error) { return j.s.freezes, nil }

func (j *journal) Schedules(context.Context) ([]upgrade.Schedule, error) { return nil, nil }

func (j *journal) System(context.Context, int) ([]upgrade.Event, error) { return nil, nil }

func (j *journal) Card(context.Context, string) (upgrade.Card, error) {
	return upgrade.Card{}, upgrade.ErrNotFound
}

// Person knows everybody of the cast by their id.
func (cast) Person(_ context.Context, id string) (upgrade.Person, error) {
	return upgrade.Person{ID: id}, nil
}
