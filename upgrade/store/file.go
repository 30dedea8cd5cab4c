package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// restoreHint ends every sentence about a damaged file. Nothing is ever put in a damaged file's
// place: an empty journal would forget grants and operations that are in flight.
const restoreHint = "the file was left as it is: keep a copy, then restore the last backup of it (with its -wal beside it, if there is one)"

// holdLock takes the lock file beside the journal for the life of the Store.
func holdLock(path string) (*os.File, error) {
	name := path + ".lock"
	f, err := holdFile(name)
	if errors.Is(err, errHeld) {
		pid, _ := os.ReadFile(name)
		return nil, fmt.Errorf("journal %s: %w (%s; `fuser %s` names it): one bot per journal, stop the other one first",
			path, ErrHeld, strings.TrimSpace(string(pid)), name)
	}
	if err != nil {
		return nil, fmt.Errorf("journal %s: lock: %w", path, err)
	}
	// The number is for people who look for the other process; the lock itself is the kernel's.
	if err := errors.Join(f.Truncate(0), writePID(f)); err != nil {
		f.Close()
		return nil, fmt.Errorf("journal %s: lock: %w", path, err)
	}
	return f, nil
}

func writePID(f *os.File) error {
	_, err := fmt.Fprintf(f, "pid %d\n", os.Getpid())
	return err
}

// openFile opens the journal's database, of the newest schema and checked, making it if there is
// none.
func openFile(path string, now func() time.Time) (*sql.DB, error) {
	fresh, err := inspect(path)
	if err == nil && fresh {
		err = create(path, now)
	}
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	db := connect(path, now)
	if err = check(db); err == nil {
		err = migrateFile(db)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("journal %s: %w", path, explain(path, err))
	}
	return db, nil
}

// inspect looks at the files before SQLite does. SQLite would take an empty file for a new
// database, and throw away the log beside a missing one.
func inspect(path string) (fresh bool, err error) {
	db, err := os.Stat(path)
	wal, walErr := os.Stat(path + "-wal")
	switch {
	case errors.Is(err, fs.ErrNotExist) && walErr == nil && wal.Size() > 0:
		return false, fmt.Errorf("missing, but its log %s-wal is there: put the file back beside it", path)
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, err
	case !db.Mode().IsRegular():
		return false, errors.New("not a regular file")
	case db.Size() == 0:
		return false, fmt.Errorf("empty (0 bytes), which a journal never is: %s; to start with a new journal delete the file yourself", restoreHint)
	}
	return false, private(path, path+"-wal", path+"-shm")
}

// private refuses files that others may read: poll tokens and raw deliveries are in there.
func private(paths ...string) error {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && wide(info.Mode()) {
			return fmt.Errorf("mode %04o of %s lets others in: chmod 600 %s", info.Mode().Perm(), path, path)
		}
	}
	return nil
}

// create makes a new database under another name and renames it when it is whole, so that a crash
// on the way never leaves an empty journal behind.
func create(path string, now func() time.Time) error {
	tmp := path + ".new"
	for _, old := range []string{tmp, tmp + "-wal", tmp + "-shm"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	db := connect(tmp, now)
	// Closing the only connection folds the log into the file.
	if err := errors.Join(f.Close(), migrateFile(db), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// connector opens connections of one driver value. Each Store has its own, because now_ms() is
// registered on the driver, and several clocks live in one test process.
type connector struct {
	driver *sqlite.Driver
	dsn    string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// connect returns the database with its one connection: SQLite has one writer anyway, and a single
// connection never waits in a busy loop that a simulated clock cannot see.
func connect(path string, now func() time.Time) *sql.DB {
	d := &sqlite.Driver{}
	d.MustRegisterFunction("now_ms", &sqlite.FunctionImpl{
		Scalar: func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) { return now().UnixMilli(), nil },
	})
	options := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: options.Encode()}
	db := sql.OpenDB(connector{d, dsn.String()})
	db.SetMaxOpenConns(1)
	return db
}

// check reads every page once. Cheaper than a wrong start: 100 MB take about a second.
func check(db *sql.DB) error {
	var verdict string
	if err := db.QueryRow(`pragma quick_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, verdict)
	}
	return nil
}

func migrateFile(db *sql.DB) error {
	return migrate(context.Background(), db, goose.DialectSQLite3, "migrations/sqlite")
}

// migrate brings the schema up to date, each step in a transaction of its own, and refuses a
// database of a newer version: what that version wrote this one would misread.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string) error {
	dir, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, dir, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if has > knows {
		return fmt.Errorf("written by a newer version of vmssbot (schema %d, this one knows %d): run that version, or restore the backup made before the upgrade", has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema %d to %d: %w", has, knows, err)
	}
	return nil
}

var errDamaged = errors.New("damaged")

// SQLite's primary result codes: another program writes; the file is no sound database.
const (
	codeBusy    = 5
	codeCorrupt = 11
	codeNotADB  = 26
)

// explain adds what to do to an error that means damage, or that somebody else has the file.
func explain(path string, err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case codeBusy:
			return fmt.Errorf("another program has locked it: end that one first (`fuser %s` names it): %w", path, err)
		case codeCorrupt, codeNotADB:
			return fmt.Errorf("%w (%w): %s", errDamaged, e, restoreHint)
		}
	}
	if errors.Is(err, errDamaged) {
		return fmt.Errorf("%w: %s", err, restoreHint)
	}
	return err
}
