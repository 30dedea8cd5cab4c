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
	prepared map[string]statement // by its text
	now      func() time.Time
	reading  *sql.TxOptions
	unlock   func() error

	schema string        // of the database; "" = of a file, or not connected yet
	bound  bool          // now_ms() is an argument: the database is another machine's, with a clock of its own
	turn   chan struct{} // full while somebody uses that machine's one connection

	mu    sync.Mutex
	known map[string]known // by rollout

	passes, deliveries, posts, pages, schedules chan struct{}
}

// ErrHeld is why a journal cannot be opened while another process has it; and, of one in PostgreSQL, why nothing
// can be read or written any more after another process took it over.
var ErrHeld = errors.New("in use by another process")

// Open opens the journal at a place, making it if there is none: the path of a SQLite file, or the URL of a
// PostgreSQL database (see [Remote]). One process has it at a time; for a second one the error is [ErrHeld]. As no
// other process can hold a lease then, all leases left by a dead one are cleared, and every open rollout is due at
// once. A journal of a newer version is refused and left as it is.
//
// The directory of a file must exist, and the file be readable by its owner only; a damaged file and an empty one
// are refused and left as they are. A lock file beside it keeps others out. Of a database the role must own the
// schema that its search_path begins with; the lock is a session's, see postgres.go.
//
// now is the journal's only clock: leases, wake-ups and retries are measured by it. Opened in a
// testing/synctest bubble with time.Now, a Store on a file lives in the bubble's time, and must be closed
// there.
func Open(place string, now func() time.Time) (*Store, error) {
	if Remote(place) {
		return openRemote(place, now)
	}
	path, err := filepath.Abs(place)
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
	db, err := openFile(path, now)
	if err == nil {
		s := newStore(db, now)
		s.unlock = lock.Close
		if err = s.begin(context.Background()); err == nil {
			return s, nil
		}
		err = fmt.Errorf("journal %s: %w", path, explain(path, err))
	}
	return nil, errors.Join(err, lock.Close())
}

// Free refuses a file that another process has open as its journal: whoever is about to change what lies beside
// it asks this first.
func Free(path string) error {
	lock, err := holdLock(path)
	if err != nil {
		return err
	}
	return lock.Close()
}

// Look says what of a journal's place [Open] would refuse, as far as nobody must be asked and no content read. It
// changes nothing, and a process that has the journal open is none the worse.
func Look(place string) error {
	if Remote(place) {
		_, err := remote(place)
		return err
	}
	path, err := filepath.Abs(place)
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

func newStore(db *sql.DB, now func() time.Time) *Store {
	return &Store{db: db, now: now, prepared: map[string]statement{}, known: map[string]known{}, reading: &sql.TxOptions{ReadOnly: true},
		turn: make(chan struct{}, 1), passes: signal(), deliveries: signal(), posts: signal(), pages: signal(), schedules: signal()}
}

// begin prepares the statements and takes the leases of whoever was there before; it closes what it cannot use.
func (s *Store) begin(ctx context.Context) error {
	err := s.prepare(ctx, statements...)
	if err == nil {
		if _, err = s.exec(ctx, clearLeases); err != nil {
			err = fmt.Errorf("clear leases: %w", err)
		}
	}
	if err != nil {
		s.db.Close()
	}
	return err
}

// statement is one of the journal's, prepared. A timed one takes the time as its last argument.
type statement struct {
	*sql.Stmt
	timed bool
}

func (s *Store) prepare(ctx context.Context, texts ...string) error {
	for _, text := range texts {
		timed := s.bound && strings.Contains(text, "now_ms()")
		sent := text
		if timed {
			sent = strings.ReplaceAll(text, "now_ms()", fmt.Sprintf("$%d::bigint", arguments(text)+1))
		}
		stmt, err := s.db.PrepareContext(ctx, sent)
		if err != nil {
			return fmt.Errorf("prepare %q: %w", text, err)
		}
		s.prepared[text] = statement{stmt, timed}
	}
	return nil
}

// with finds a prepared statement, and makes of what it is about what the database takes.
func (s *Store) with(text string, args []any) (*sql.Stmt, []any) {
	stmt := s.prepared[text]
	if s.bound {
		args = storable(args)
	}
	if stmt.timed {
		args = append(args, s.now().UnixMilli())
	}
	return stmt.Stmt, args
}

// Close gives the journal and its lock back. Whoever uses the Store must have stopped; later calls fail.
func (s *Store) Close() error {
	return errors.Join(s.db.Close(), s.unlock())
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
