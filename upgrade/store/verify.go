package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"

	"modernc.org/sqlite"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Audit is what [VerifyAt] has looked at.
type Audit struct{ Rollouts, Entries, Plans int }

// VerifyAt is [Store.Verify] for the journal at a place, as of [Open], which it opens for reading only: a bot may
// be at work with it, and it may be a backup, or of another version. It takes no lock and migrates nothing.
func VerifyAt(ctx context.Context, place string) (Audit, error) {
	if Remote(place) {
		return verifyRemote(ctx, place)
	}
	return verifyFile(ctx, place)
}

func verifyFile(ctx context.Context, path string) (a Audit, err error) {
	path, err = filepath.Abs(path)
	fresh := false
	if err == nil {
		fresh, err = inspect(path)
	}
	if fresh {
		err = errors.New("there is none")
	}
	if err != nil {
		return Audit{}, fmt.Errorf("journal %s: %w", path, err)
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "query_only(ON)"}}.Encode()}
	db := sql.OpenDB(connector{&sqlite.Driver{}, dsn.String()})
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err = check(db); err == nil {
		a, err = verifyIn(ctx, newStore(db, nil), `select count(*), coalesce(max(rowid), 0) from events`)
	}
	if err == nil {
		err = related(ctx, db)
	}
	if err != nil {
		return a, fmt.Errorf("journal %s: %w", path, explain(path, err))
	}
	return a, nil
}

func verifyRemote(ctx context.Context, place string) (a Audit, err error) {
	c, err := remote(place)
	if err != nil {
		return Audit{}, err
	}
	c.RuntimeParams["default_transaction_read_only"] = "on"
	c.RuntimeParams["statement_timeout"] = "0"
	c.ValidateConnect = nil // a copy that takes no writes will do
	s := newStore(nil, nil)
	s.reading, s.db = snapshot, connectTo(c, s.settled)
	defer func() { err = errors.Join(err, s.db.Close()) }()
	if a, err = verifyIn(ctx, s, `select count(*), coalesce(max(place), 0) from events`); err != nil {
		return a, fmt.Errorf("%s: %w", called(c), err)
	}
	return a, nil
}

// verifyIn also finds what is missed where a whole rollout was taken out: the entries of all streams are numbered
// in the order they were written, and no number is left out.
func verifyIn(ctx context.Context, s *Store, numbers string) (Audit, error) {
	err := s.prepare(ctx, selectStreams, selectEvents, selectPlans)
	if err != nil {
		return Audit{}, err
	}
	var there, written int
	a, err := s.verify(ctx, func(t *tx) error { return t.QueryRowContext(ctx, numbers).Scan(&there, &written) })
	if err == nil && there != written {
		err = fmt.Errorf("%d entries where %d were written: a whole stream is missing", there, written)
	}
	return a, err
}

// related finds what belongs to nothing any more. PostgreSQL never lets it come to that.
func related(ctx context.Context, db *sql.DB) error {
	var table string
	err := db.QueryRowContext(ctx, `select "table" from pragma_foreign_key_check limit 1`).Scan(&table)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return cmp.Or(err, fmt.Errorf("something in %s belongs to a rollout that is missing", table))
}

// Verify checks the hash chain of every stream, the system's too, and the plans that people agreed to
// against the entries that brought them. Its error names the first entry that was changed, removed or
// put in, or the plan. It proves nothing against somebody who can recompute the whole chain; for that
// the log tells the same facts.
func (s *Store) Verify(ctx context.Context) error {
	_, err := s.verify(ctx, func(*tx) error { return nil })
	return err
}

// verify reads one state of the journal, in which it asks for more.
func (s *Store) verify(ctx context.Context, more func(*tx) error) (Audit, error) {
	type end struct {
		rollout, hash string
		seq           int
	}
	var a Audit
	err := s.read(ctx, func(t *tx) error {
		a = Audit{}
		rows, err := t.rows(selectStreams)
		ends, err := collect(rows, err, func(rows *sql.Rows) (e end, err error) {
			return e, rows.Scan(&e.rollout, &e.seq, &e.hash)
		})
		if err != nil {
			return err
		}
		for _, e := range ends {
			entries, err := t.entries(e.rollout, 1)
			if err != nil {
				return err
			}
			if err := chained(e.rollout, entries, e.seq, e.hash); err != nil {
				return fmt.Errorf("%s: %w", stream(e.rollout), err)
			}
			a.Entries += len(entries)
			if e.rollout == "" {
				continue
			}
			a.Rollouts++
			n, err := t.planned(e.rollout, entries)
			if err != nil {
				return fmt.Errorf("%s: %w", stream(e.rollout), err)
			}
			a.Plans += n
		}
		return more(t)
	})
	return a, wrap(err, "verify")
}

// chained follows one stream from its first entry to the end it claims to have.
func chained(rollout string, entries []entry, seq int, hash string) error {
	prev := ""
	for i, x := range entries {
		switch {
		case x.seq != i+1:
			return fmt.Errorf("entry %d is missing", i+1)
		case x.prev != prev:
			return fmt.Errorf("entry %d does not follow entry %d", x.seq, i)
		case x.hash != x.sum(rollout):
			return fmt.Errorf("entry %d was changed after it was written", x.seq)
		}
		prev = x.hash
	}
	if len(entries) != seq || prev != hash {
		return fmt.Errorf("%d entries where %d were written", len(entries), seq)
	}
	return nil
}

// planned compares the plans of a rollout with the entries that brought them, and returns how many there
// are. An entry of an older version does not tell what its plan looked like.
func (t *tx) planned(rollout string, entries []entry) (int, error) {
	last, sums := "", map[string]string{}
	for _, x := range entries {
		if x.kind != "Requested" && x.kind != "Replanned" {
			continue
		}
		var brings struct{ Digest, Sum string }
		if err := json.Unmarshal([]byte(x.body), &brings); err != nil {
			return 0, fmt.Errorf("entry %d: %w", x.seq, err)
		}
		last = brings.Digest
		if _, back := sums[last]; !back { // one that comes back is kept as it was
			sums[last] = brings.Sum
		}
	}
	type row struct {
		digest, body string
		current      bool
	}
	rows, err := t.rows(selectPlans, rollout)
	plans, err := collect(rows, err, func(rows *sql.Rows) (r row, err error) {
		return r, rows.Scan(&r.digest, &r.body, &r.current)
	})
	if err != nil {
		return 0, err
	}
	var goes bool // on with the plan that its entries say
	for _, p := range plans {
		sum, brought := sums[p.digest]
		if !brought || sum != "" && sum != upgrade.SumOf([]byte(p.body)) {
			return 0, fmt.Errorf("plan %s was changed after it was written", p.digest)
		}
		goes = goes || p.current && p.digest == last
		delete(sums, p.digest)
	}
	if left := slices.Sorted(maps.Keys(sums)); len(left) > 0 {
		return 0, fmt.Errorf("plan %s is missing", left[0])
	}
	if !goes {
		return 0, fmt.Errorf("it does not go by the plan %s that it was asked for with", last)
	}
	return len(plans), nil
}
