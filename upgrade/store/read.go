package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Record loads one rollout.
func (s *Store) Record(ctx context.Context, id string) (upgrade.Record, error) {
	var r upgrade.Record
	err := s.read(ctx, func(t *tx) (err error) {
		r, err = t.record(id)
		return err
	})
	return r, wrap(err, "read "+stream(id))
}

// Open lists the rollouts that have not ended, oldest first.
func (s *Store) Open(ctx context.Context) ([]upgrade.Record, error) {
	var out []upgrade.Record
	err := s.read(ctx, func(t *tx) error {
		var err error
		out, err = t.records(selectOpen)
		return err
	})
	return out, wrap(err, "list open rollouts")
}

// Ended lists the rollouts that have ended, of the set or ("") of all, the latest first.
func (s *Store) Ended(ctx context.Context, set upgrade.SetID, most int) ([]upgrade.Record, error) {
	var out []upgrade.Record
	err := s.read(ctx, func(t *tx) (err error) {
		out, err = t.records(selectEnded, string(set), most)
		return err
	})
	return out, wrap(err, "list rollouts that have ended")
}

// Group lists the rollouts that one command opened, also those that have ended.
func (s *Store) Group(ctx context.Context, group string) ([]upgrade.Record, error) {
	var out []upgrade.Record
	err := s.read(ctx, func(t *tx) (err error) {
		out, err = t.records(selectGroup, upgrade.Lead(group))
		return err
	})
	return out, wrap(err, "list group "+group)
}

// Holder returns the rollout that holds the set's lock.
func (s *Store) Holder(ctx context.Context, set upgrade.SetID) (upgrade.Record, error) {
	var r upgrade.Record
	err := s.read(ctx, func(t *tx) error {
		var id string
		if err := t.row(selectHolder, string(set)).Scan(&id); err != nil {
			return notFound(err)
		}
		var err error
		r, err = t.record(id)
		return err
	})
	return r, wrap(err, "holder of "+string(set))
}

// System lists the last entries of the system's stream, the oldest first.
func (s *Store) System(ctx context.Context, most int) ([]upgrade.Event, error) {
	var out []upgrade.Event
	err := s.read(ctx, func(t *tx) error {
		rows, err := t.rows(selectLast, "", most)
		entries, err := collect(rows, err, scanEntry)
		out = nil
		for _, x := range slices.Backward(entries) {
			e, err := x.event()
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return err
	})
	return out, wrap(err, "read the system's stream")
}

// Card finds a card by its nonce.
func (s *Store) Card(ctx context.Context, nonce string) (upgrade.Card, error) {
	c := upgrade.Card{Nonce: nonce}
	err := s.read(ctx, func(t *tx) error {
		return notFound(t.row(selectCard, nonce).Scan(&c.Rollout, &c.Gate, &c.Asking, &c.Digest, &c.Channel, &c.TS))
	})
	if err != nil {
		return upgrade.Card{}, wrap(err, "find card")
	}
	return c, nil
}

// Freezes lists those that were said in Slack and neither lifted nor over.
func (s *Store) Freezes(ctx context.Context) ([]upgrade.Freeze, error) {
	var out []upgrade.Freeze
	err := s.read(ctx, func(t *tx) error {
		rows, err := t.rows(selectFreezes)
		out, err = collect(rows, err, func(rows *sql.Rows) (f upgrade.Freeze, err error) {
			var body string
			if err := rows.Scan(&body); err != nil {
				return f, err
			}
			return f, json.Unmarshal([]byte(body), &f)
		})
		slices.SortStableFunc(out, func(a, b upgrade.Freeze) int { return a.Start.Compare(b.Start) })
		return err
	})
	return out, wrap(err, "list freezes")
}

// Policies are those that were last noted to be in force; known is false when none ever were.
func (s *Store) Policies(ctx context.Context) (list []upgrade.Policy, known bool, err error) {
	var body string
	err = s.row(ctx, selectGoverned).Scan(&body)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, false, nil
	case err != nil:
		return nil, false, wrap(err, "read the policies")
	}
	var last upgrade.Governed
	err = json.Unmarshal([]byte(body), &last)
	return last.Policies, err == nil, wrap(err, "read the policies")
}

// Schedules lists those that were not taken away.
func (s *Store) Schedules(ctx context.Context) ([]upgrade.Schedule, error) {
	out, err := list(ctx, s, func(rows *sql.Rows) (x upgrade.Schedule, err error) {
		var body string
		var served int64
		if err := rows.Scan(&body, &served); err != nil {
			return x, err
		}
		err = json.Unmarshal([]byte(body), &x)
		x.Served = time.UnixMilli(served).UTC()
		return x, err
	}, selectSchedules)
	slices.SortStableFunc(out, func(a, b upgrade.Schedule) int { return a.Made.Compare(b.Made) })
	return out, wrap(err, "list schedules")
}

// Sightings lists the newest version that was seen of each image and region.
func (s *Store) Sightings(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	_, err := list(ctx, s, func(rows *sql.Rows) (place string, err error) {
		var version string
		err = rows.Scan(&place, &version)
		out[place] = version
		return place, err
	}, selectSightings)
	return out, wrap(err, "list the images that were seen")
}

// records loads the rollouts whose ids a query lists.
func (t *tx) records(query string, args ...any) ([]upgrade.Record, error) {
	rows, err := t.rows(query, args...)
	ids, err := collect(rows, err, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return nil, err
	}
	var out []upgrade.Record
	for _, id := range ids {
		r, err := t.record(id)
		if err != nil {
			return nil, fmt.Errorf("rollout %s: %w", id, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (t *tx) record(id string) (upgrade.Record, error) {
	r := upgrade.Record{ID: id}
	var plan string
	if err := t.row(selectRecord, id).Scan(&plan, &r.Poll, &r.Link); err != nil {
		return r, notFound(err)
	}
	missing, err := unsent(t.row(selectUnsent, id))
	if err != nil {
		return r, err
	}
	r.Unsent, r.UnsentWhy = missing.Since, missing.Why
	k, err := t.follow(id, plan)
	if err != nil {
		return r, err
	}
	r.Plan, r.Events, r.Rollout = k.plan, slices.Clip(k.events), k.rollout
	return r, nil
}

// Unsent says since when the oldest message of any open rollout that people must see has not reached
// Slack, and what Slack or the network last said about it; the zero value = all have.
func (s *Store) Unsent(ctx context.Context) (upgrade.Unheard, error) {
	u, err := unsent(s.row(ctx, selectUnsentOfAll))
	return u, wrap(err, "find unsent messages")
}

func unsent(row interface{ Scan(...any) error }) (upgrade.Unheard, error) {
	var since int64
	var u upgrade.Unheard
	err := row.Scan(&since, &u.Why)
	if errors.Is(err, sql.ErrNoRows) {
		return upgrade.Unheard{}, nil
	}
	u.Since = time.UnixMilli(since).UTC()
	return u, err
}

// entries reads a stream from an entry on.
func (t *tx) entries(rollout string, from int) ([]entry, error) {
	rows, err := t.rows(selectEvents, rollout, from)
	return collect(rows, err, scanEntry)
}

func scanEntry(rows *sql.Rows) (x entry, err error) {
	return x, rows.Scan(&x.seq, &x.at, &x.person, &x.kind, &x.body, &x.prev, &x.hash)
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return upgrade.ErrNotFound
	}
	return err
}

func wrap(err error, what string) error {
	if err != nil {
		return fmt.Errorf("journal: %s: %w", what, err)
	}
	return nil
}
