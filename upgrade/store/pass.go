package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// lease is how long a pass owns its rollout without a sign of life. A network call inside a pass
// gives up after 6 s, so that a lease extended right before it outlives it.
const lease = 8 * time.Second

// Claim leases the most overdue rollout that nobody holds.
func (s *Store) Claim(ctx context.Context) (upgrade.Lease, time.Time, bool, error) {
	var l upgrade.Lease
	err := s.row(ctx, claim, lease.Milliseconds()).Scan(&l.Rollout, &l.Epoch, &l.Wakes)
	if err == nil {
		return l, time.Time{}, true, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return l, time.Time{}, false, fmt.Errorf("journal: claim a rollout: %w", err)
	}
	var next sql.NullInt64
	if err := s.row(ctx, nextDue).Scan(&next); err != nil {
		return l, time.Time{}, false, fmt.Errorf("journal: next due rollout: %w", err)
	}
	if !next.Valid {
		return l, time.Time{}, false, nil
	}
	return l, time.UnixMilli(next.Int64), false, nil
}

// Extend prolongs the lease to 8 s from now.
func (s *Store) Extend(ctx context.Context, l upgrade.Lease) error {
	return fenced(l, "extend lease")(s.exec(ctx, fence, l.Rollout, l.Epoch, lease.Milliseconds()))
}

// Append commits a change of the leased rollout, or of the system stream, under the lease, which it
// prolongs like [Store.Extend].
func (s *Store) Append(ctx context.Context, l upgrade.Lease, c upgrade.Change) (int, error) {
	if c.Rollout != l.Rollout && c.Rollout != "" {
		return 0, fmt.Errorf("journal: append to %s: the lease is for %s", c.Rollout, l.Rollout)
	}
	var seq int
	err := s.write(ctx, patience, func(t *tx) error {
		err := fenced(l, "append")(t.exec(fence, l.Rollout, l.Epoch, lease.Milliseconds()))
		if err != nil {
			return err
		}
		seq, err = t.change(c)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("journal: append to %s: %w", stream(c.Rollout), err)
	}
	return seq, nil
}

// Release ends the pass.
func (s *Store) Release(ctx context.Context, l upgrade.Lease, at time.Time) error {
	due := sql.NullInt64{Int64: ceilMilli(at), Valid: !at.IsZero()}
	if err := fenced(l, "release lease")(s.exec(ctx, release, l.Rollout, l.Epoch, l.Wakes, due)); err != nil {
		return err
	}
	poke(s.passes)
	return nil
}

// fenced turns "no row" of a statement under the lease into ErrFenced.
func fenced(l upgrade.Lease, what string) func(int64, error) error {
	return func(n int64, err error) error {
		if err == nil && n == 0 {
			err = upgrade.ErrFenced
		}
		if err != nil {
			return fmt.Errorf("journal: rollout %s: %s: %w", l.Rollout, what, err)
		}
		return nil
	}
}

// ceilMilli rounds up: whoever is woken must find that the time has come.
func ceilMilli(at time.Time) int64 {
	return at.Add(time.Millisecond - 1).UnixMilli()
}

// stream names a stream in errors.
func stream(rollout string) string {
	if rollout == "" {
		return "the system stream"
	}
	return "rollout " + rollout
}
