package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Store is an open journal. The zero value is of no use: see [Open].
type Store struct {
	db       *sql.DB
	prepared map[string]*sql.Stmt // by the statement's text
	lock     *os.File
	now      func() time.Time

	mu    sync.Mutex
	known map[string]known // by rollout

	passes, deliveries, posts, pages, schedules chan struct{}
}

// Open opens the journal in the SQLite file at path, making it if there is none. The directory must
// exist; the file must be readable by its owner only; a damaged file, an empty one and one of a
// newer version are refused and left as they are. A lock file beside it keeps a second process
// out for as long as this one lives. As no other process can hold a lease then, all leases left by
// a dead one are cleared, and every open rollout is due at once.
//
// now is the journal's only clock: leases, wake-ups and retries are measured by it. Opened in a
// testing/synctest bubble with time.Now, the Store lives in the bubble's time, and must be closed
// there.
func Open(path string, now func() time.Time) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := placed(path); err != nil {
		return nil, err
	}
	lock, err := holdLock(path)
	if err != nil {
		return nil, err
	}
	s, err := open(path, now)
	if err != nil {
		lock.Close()
		return nil, err
	}
	s.lock = lock
	return s, nil
}

// Free refuses a journal that another process has open: whoever is about to change what lies beside it asks
// this first.
func Free(path string) error {
	lock, err := holdLock(path)
	if err != nil {
		return err
	}
	return lock.Close()
}

// Look says what of the place and the file of a journal [Open] would refuse, as far as its content need not
// be read. It changes nothing, and a process that has the journal open is none the worse.
func Look(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := placed(path); err != nil {
		return err
	}
	if _, err := inspect(path); err != nil {
		return fmt.Errorf("journal %s: %w", path, err)
	}
	return nil
}

// placed refuses a folder that is not there, or that is everybody's.
func placed(path string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("journal %s: directory %s does not exist: make it (mode 0700), or name another path", path, dir)
	}
	if OpenToAll(dir) {
		return fmt.Errorf("journal %s: everybody can put another file in its place, and take a FREEZE away: chmod o-w %s", path, dir)
	}
	return nil
}

func open(path string, now func() time.Time) (*Store, error) {
	db, err := openFile(path, now)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, now: now, prepared: map[string]*sql.Stmt{}, known: map[string]known{}, passes: signal(), deliveries: signal(), posts: signal(), pages: signal(), schedules: signal()}
	if err := s.prepare(statements...); err != nil {
		db.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	if _, err := s.exec(context.Background(), clearLeases); err != nil {
		db.Close()
		return nil, fmt.Errorf("journal %s: clear leases: %w", path, explain(path, err))
	}
	return s, nil
}

func (s *Store) prepare(texts ...string) error {
	for _, text := range texts {
		stmt, err := s.db.Prepare(text)
		if err != nil {
			return fmt.Errorf("prepare %q: %w", text, err)
		}
		s.prepared[text] = stmt
	}
	return nil
}

// Close gives the file and its lock back. Whoever uses the Store must have stopped; later calls fail.
func (s *Store) Close() error {
	return errors.Join(s.db.Close(), s.lock.Close())
}

// Writable writes something of the size of a few events and takes it out again. Whoever was told that
// the journal takes no writes asks this to learn that it does again.
func (s *Store) Writable(ctx context.Context) error {
	_, err := s.exec(ctx, insertScratch, strings.Repeat("x", 16<<10))
	if err == nil {
		_, err = s.exec(ctx, emptyScratch)
	}
	return wrap(err, "write")
}

// Passes is signalled after every commit that may have made a rollout due. Like the other two
// signals it has room for one, is signalled once when the journal is opened, and may come in vain:
// ask [Store.Claim]. One goroutine should listen.
func (s *Store) Passes() <-chan struct{} { return s.passes }

// Deliveries is signalled after every commit that may have made a delivery wait.
func (s *Store) Deliveries() <-chan struct{} { return s.deliveries }

// Posts is signalled after every commit that may have made a post due.
func (s *Store) Posts() <-chan struct{} { return s.posts }

// Occurrences is signalled after every commit that may have made one of a schedule come sooner.
func (s *Store) Occurrences() <-chan struct{} { return s.schedules }

// Pages is signalled after every commit that may have made a page wait.
func (s *Store) Pages() <-chan struct{} { return s.pages }

// signal returns a channel that is signalled already: whatever the last process left waits.
func signal() chan struct{} {
	c := make(chan struct{}, 1)
	c <- struct{}{}
	return c
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// exec runs one statement in a transaction of its own and returns how many rows it touched.
func (s *Store) exec(ctx context.Context, text string, args ...any) (int64, error) {
	return affected(s.prepared[text].ExecContext(ctx, args...))
}

func (s *Store) row(ctx context.Context, text string, args ...any) *sql.Row {
	return s.prepared[text].QueryRowContext(ctx, args...)
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

// write runs do in one transaction: all of it is committed, or nothing.
func (s *Store) write(ctx context.Context, do func(*tx) error) error {
	t, err := s.run(ctx, nil, do)
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

// read runs do on one consistent state of the journal.
func (s *Store) read(ctx context.Context, do func(*tx) error) error {
	_, err := s.run(ctx, &sql.TxOptions{ReadOnly: true}, do)
	return err
}

func (s *Store) run(ctx context.Context, options *sql.TxOptions, do func(*tx) error) (*tx, error) {
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
	return affected(t.StmtContext(t.ctx, t.s.prepared[text]).ExecContext(t.ctx, args...))
}

func (t *tx) row(text string, args ...any) *sql.Row {
	return t.StmtContext(t.ctx, t.s.prepared[text]).QueryRowContext(t.ctx, args...)
}

func (t *tx) rows(text string, args ...any) (*sql.Rows, error) {
	return t.StmtContext(t.ctx, t.s.prepared[text]).QueryContext(t.ctx, args...)
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
