package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// exec runs one statement in a transaction of its own and returns how many rows it touched.
func (s *Store) exec(ctx context.Context, text string, args ...any) (int64, error) {
	ctx, cancel := s.limited(ctx, patience)
	defer cancel()
	stmt, args := s.with(text, args)
	return affected(stmt.ExecContext(ctx, args...))
}

// row reads the first row of one statement, in a transaction of its own.
func (s *Store) row(ctx context.Context, text string, args ...any) answer {
	ctx, cancel := s.limited(ctx, patience)
	stmt, args := s.with(text, args)
	return answer{stmt.QueryRowContext(ctx, args...), cancel}
}

// answer is a row that was asked for; it must be scanned.
type answer struct {
	*sql.Row
	done func()
}

func (a answer) Scan(dest ...any) error {
	defer a.done()
	return a.Row.Scan(dest...)
}

// list reads all rows of one statement, in a transaction of its own.
func list[T any](ctx context.Context, s *Store, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	ctx, cancel := s.limited(ctx, patience)
	defer cancel()
	stmt, args := s.with(text, args)
	rows, err := stmt.QueryContext(ctx, args...)
	return collect(rows, err, scan)
}

// limited is the context of one transaction. On a connection to another machine it waits for its turn, as long as
// the caller likes, and then has so much time: who gives up in the middle breaks the connection, and with that
// gives the journal away.
func (s *Store) limited(ctx context.Context, takes time.Duration) (context.Context, func()) {
	if !s.bound {
		return ctx, func() {}
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx, func() {}
	}
	if ctx.Err() != nil {
		<-s.turn
		return ctx, func() {}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takes)
	return ctx, func() { cancel(); <-s.turn }
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// tx is one transaction, and whom to wake once it is committed.
type tx struct {
	*sql.Tx
	ctx                             context.Context
	s                               *Store
	passes, posts, pages, schedules bool
}

// write runs do in one transaction, which may take so long: all of it is committed, or nothing.
func (s *Store) write(ctx context.Context, takes time.Duration, do func(*tx) error) error {
	t, err := s.run(ctx, nil, takes, do)
	if err != nil {
		return err
	}
	if t.passes {
		poke(s.passes)
	}
	if t.posts {
		poke(s.posts)
	}
	if t.schedules {
		poke(s.schedules)
	}
	if t.pages {
		poke(s.pages)
	}
	return nil
}

// read runs do on one consistent state of the journal; twice, where the connection may have broken the first time:
// what somebody clicked in that moment would be refused for it.
func (s *Store) read(ctx context.Context, do func(*tx) error) error {
	_, err := s.run(ctx, s.reading, unhurried, do)
	if err == nil || !s.bound || ctx.Err() != nil || errors.Is(err, upgrade.ErrNotFound) || errors.Is(err, ErrHeld) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	_, err = s.run(ctx, s.reading, unhurried, do)
	return err
}

func (s *Store) run(ctx context.Context, options *sql.TxOptions, takes time.Duration, do func(*tx) error) (*tx, error) {
	ctx, cancel := s.limited(ctx, takes)
	defer cancel()
	begun, err := s.db.BeginTx(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer begun.Rollback() // does nothing once committed
	t := &tx{Tx: begun, ctx: ctx, s: s}
	if err := do(t); err != nil {
		return nil, err
	}
	if err := t.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return t, nil
}

func (t *tx) exec(text string, args ...any) (int64, error) {
	stmt, args := t.s.with(text, args)
	return affected(t.StmtContext(t.ctx, stmt).ExecContext(t.ctx, args...))
}

func (t *tx) row(text string, args ...any) *sql.Row {
	stmt, args := t.s.with(text, args)
	return t.StmtContext(t.ctx, stmt).QueryRowContext(t.ctx, args...)
}

func (t *tx) rows(text string, args ...any) (*sql.Rows, error) {
	stmt, args := t.s.with(text, args)
	return t.StmtContext(t.ctx, stmt).QueryContext(t.ctx, args...)
}

// collect scans all rows of a query and closes it.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
