package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
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
		rows, err := t.rows(selectOpen)
		ids, err := collect(rows, err, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) })
		if err != nil {
			return err
		}
		for _, id := range ids {
			r, err := t.record(id)
			if err != nil {
				return fmt.Errorf("rollout %s: %w", id, err)
			}
			out = append(out, r)
		}
		return nil
	})
	return out, wrap(err, "list open rollouts")
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

// Card finds a card by its nonce.
func (s *Store) Card(ctx context.Context, nonce string) (upgrade.Card, error) {
	c := upgrade.Card{Nonce: nonce}
	err := s.row(ctx, selectCard, nonce).Scan(&c.Rollout, &c.Gate, &c.Asking, &c.Digest, &c.Channel, &c.TS)
	if err != nil {
		return upgrade.Card{}, wrap(notFound(err), "find card")
	}
	return c, nil
}

func (t *tx) record(id string) (upgrade.Record, error) {
	r := upgrade.Record{ID: id}
	var plan string
	if err := t.row(selectRecord, id).Scan(&plan, &r.Poll, &r.Link); err != nil {
		return r, notFound(err)
	}
	if err := json.Unmarshal([]byte(plan), &r.Plan); err != nil {
		return r, fmt.Errorf("plan: %w", err)
	}
	missing, err := unsent(t.row(selectUnsent, id))
	if err != nil {
		return r, err
	}
	r.Unsent, r.UnsentWhy = missing.Since, missing.Why
	entries, err := t.entries(id)
	if err != nil {
		return r, err
	}
	for _, x := range entries {
		fact, err := upgrade.DecodeFact(x.kind, []byte(x.body))
		if err != nil {
			return r, fmt.Errorf("event %d: %w", x.seq, err)
		}
		r.Events = append(r.Events, upgrade.Event{Seq: x.seq, At: time.Unix(0, x.at).UTC(), By: x.person, Fact: fact})
	}
	r.Rollout = upgrade.Fold(id, r.Events)
	return r, nil
}

// Unsent says since when the oldest message of any open rollout that people must see has not reached
// Slack, and what Slack or the network last said about it; the zero value = all have.
func (s *Store) Unsent(ctx context.Context) (upgrade.Unheard, error) {
	u, err := unsent(s.row(ctx, selectUnsentOfAll))
	return u, wrap(err, "find unsent messages")
}

func unsent(row *sql.Row) (upgrade.Unheard, error) {
	var since int64
	var u upgrade.Unheard
	err := row.Scan(&since, &u.Why)
	if errors.Is(err, sql.ErrNoRows) {
		return upgrade.Unheard{}, nil
	}
	u.Since = time.UnixMilli(since).UTC()
	return u, err
}

func (t *tx) entries(rollout string) ([]entry, error) {
	rows, err := t.rows(selectEvents, rollout)
	return collect(rows, err, func(rows *sql.Rows) (x entry, err error) {
		return x, rows.Scan(&x.seq, &x.at, &x.person, &x.kind, &x.body, &x.prev, &x.hash)
	})
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
