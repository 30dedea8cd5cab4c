package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// A journal in PostgreSQL outlives the machine the bot runs on: another process, standing by, goes on with it.
// One process has it at a time. It has one connection, which takes a session's advisory lock before anything
// else is said on it, so that the database itself sees to it that nobody writes without the lock: a connection
// that breaks has lost it, and its successor must get it anew. What a process was doing meanwhile is fenced as it
// always is: by the leases, and by what was committed before it was sent.

const (
	// patience leaves a call to Azure its 6 s of a lease that was extended right before it.
	patience = lease - 6*time.Second
	// unhurried is what a look at many rollouts may take, and the opening of fifty: no call follows from it that a
	// lease must outlive. Fifty sets are some thousand statements, each of which goes there and back.
	unhurried = 30 * time.Second
	// queues is how long a new connection waits for the lock of one that broke, until the server has noticed.
	queues = patience / 2
)

// Remote tells the URL of a database from the path of a file.
func Remote(place string) bool {
	scheme, _, ok := strings.Cut(place, "://")
	return ok && (scheme == "postgres" || scheme == "postgresql")
}

// remote reads the URL of a journal's database. A password in it is refused, for it stands in a configuration, and
// so is a way to another machine on which somebody else could answer.
func remote(place string) (*pgx.ConnConfig, error) {
	if u, err := url.Parse(place); err == nil { // else it is refused below, in words that hide a password
		if _, is := u.User.Password(); is || u.Query().Has("password") || u.Query().Has("sslpassword") {
			return nil, errors.New("journal: there is a password in the URL: keep it in a file that only the bot can read and name that (passfile=/etc/vmssbot/pgpass), or in PGPASSWORD")
		}
		if err := guarded(u.Query()); err != nil {
			return nil, err
		}
	}
	password := taken()
	c, err := pgx.ParseConfig(place)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	c.Password = cmp.Or(password, c.Password)
	for _, way := range append([]*pgconn.FallbackConfig{{Host: c.Host, TLSConfig: c.TLSConfig}}, c.Fallbacks...) {
		encrypted, socket := way.TLSConfig != nil && !way.TLSConfig.InsecureSkipVerify, strings.HasPrefix(way.Host, "/")
		switch {
		case socket && shared(way.Host):
			return nil, fmt.Errorf("journal: everybody on this machine could answer in %s: have the server listen in a folder that is nobody else's to write (unix_socket_directories)", way.Host)
		case !encrypted && !socket && !loopback(way.Host):
			return nil, fmt.Errorf("journal: anybody on the way to %s could answer in its place: add sslmode=verify-full to the URL, and sslrootcert= where its certificate is not a public one", way.Host)
		}
	}
	for name, value := range map[string]string{
		"application_name":   "vmssbot " + rand.Text(), // tells a process's own sessions from another's
		"synchronous_commit": "on",                     // what was acknowledged is on disk, whatever the database's own default
		"client_encoding":    "UTF8",
		// A machine that is gone gives the lock back within half a minute, also where an answer was on its way to
		// it (for which keepalives wait); a process that was stopped in the middle of a transaction sooner.
		"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "25000",
		"idle_in_transaction_session_timeout": "10s", "statement_timeout": strconv.FormatInt(unhurried.Milliseconds(), 10),
	} {
		c.RuntimeParams[name] = value
	}
	c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite // of several hosts the one that takes writes
	c.ConnectTimeout = patience
	return c, nil
}

var password atomic.Value // that was taken out of the environment

// taken is the password of the environment, and takes it out: what is started from here, such as az, has no use for it.
func taken() string {
	if p := os.Getenv("PGPASSWORD"); p != "" {
		os.Unsetenv("PGPASSWORD")
		password.Store(p)
	}
	p, _ := password.Load().(string)
	return p
}

// guarded refuses what lets others on this machine in, or answer in the database's place: a file with a secret that
// everybody may read, a folder where everybody may put another file, or socket, in its place.
func guarded(named url.Values) error {
	for key, secret := range map[string]bool{"passfile": true, "sslkey": true, "sslrootcert": false} {
		path := cmp.Or(named.Get(key), os.Getenv("PG"+strings.ToUpper(key)))
		info, err := os.Stat(path)
		if err != nil { // what is needed is missed by whoever reads it
			continue
		}
		if secret && info.Mode()&0o007 != 0 && runtime.GOOS != "windows" {
			return fmt.Errorf("journal: mode %04o of %s lets everybody in: chmod o-rwx %s", info.Mode().Perm(), path, path)
		}
		if dir := filepath.Dir(path); OpenToAll(dir) {
			return fmt.Errorf("journal: everybody can put another file in the place of %s: chmod o-w %s", path, dir)
		}
	}
	return nil
}

// shared reports whether everybody may make a socket in a folder.
func shared(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode()&0o002 != 0
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// called is a database in errors.
func called(c *pgx.ConnConfig) string {
	return "journal postgres " + net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) + "/" + c.Database
}

func openRemote(place string, now func() time.Time) (*Store, error) {
	c, err := remote(place)
	if err != nil {
		return nil, err
	}
	s := newStore(nil, now)
	s.bound, s.reading, s.unlock = true, snapshot, func() error { return nil } // the connection's end is the lock's
	s.db = connectTo(c, s.held)
	ctx, cancel := context.WithTimeout(context.Background(), unhurried)
	defer cancel()
	if err = migrate(ctx, s.db, goose.DialectPostgres, "migrations/postgres"); err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		s.db.Close()
		return nil, fmt.Errorf("%s: %w", called(c), err)
	}
	return s, nil
}

// snapshot keeps one state while it is read, also to somebody who has no lock.
var snapshot = &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}

// connectTo returns the database with its one connection, on which first is called before all else. One on which
// that fails is ended: whoever stands by makes one every second.
func connectTo(c *pgx.ConnConfig, first func(context.Context, *pgx.Conn) error) *sql.DB {
	db := sql.OpenDB(stdlib.GetConnector(*c, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, patience) // the server may have stopped right now
		defer cancel()
		err := first(ctx, conn)
		if err != nil {
			conn.Close(ctx)
		}
		return err
	})))
	db.SetMaxOpenConns(1)
	return db
}

// The lock is the schema's: one database may hold several journals.
const (
	lockJournal = `select pg_advisory_lock(x'766d7373'::int, hashtext($1))`

	// whereabouts is the schema that tables would be made in, and the one that a journal is found in.
	whereabouts = `select current_setting('server_encoding'), pg_backend_pid(), coalesce(current_schema(), ''),
		coalesce((select n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = to_regproc('place_event')), '')`

	// whoHolds names the session of another process that has the lock, as far as this role may see it.
	whoHolds = `select coalesce(host(a.client_addr), case when a.backend_start is null then 'a machine that only its role may know' else 'the database''s own machine' end), coalesce(a.backend_start, now())
		from pg_locks l join pg_stat_activity a on a.pid = l.pid
		where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.database = (select oid from pg_database where datname = current_database())
			and l.classid::bigint = x'766d7373'::bigint and l.objid = hashtext($1)::oid
			and a.application_name is distinct from current_setting('application_name')`
)

// settled has every name on a connection mean the journal's one schema, which is the same for the life of a
// process: a search_path finds another one as soon as somebody makes it.
func (s *Store) settled(ctx context.Context, conn *pgx.Conn) error {
	var encoding, makes, has string
	var pid uint32
	err := conn.QueryRow(ctx, whereabouts).Scan(&encoding, &pid, &makes, &has)
	switch {
	case err != nil:
		return err
	case encoding != "UTF8":
		return fmt.Errorf("the database keeps texts as %s: make one with encoding UTF8", encoding)
	case pid != conn.PgConn().PID():
		return errors.New("the connection leads through a pooler, which may share the lock's session with others: name the database itself")
	case s.schema != "": // this is not the first connection
	case makes == "" || strings.HasPrefix(makes, "pg_temp"):
		return errors.New("no schema that lasts is in the role's search_path: make one, and name it in the URL (search_path=…)")
	case has != "" && has != makes:
		return fmt.Errorf("a journal is in schema %s, and the search_path begins with %s: name the one that is meant in the URL (search_path=…)", has, makes)
	default:
		s.schema = makes
	}
	_, err = conn.Exec(ctx, `select set_config('search_path', $1, false)`, pgx.Identifier{s.schema}.Sanitize()+", pg_temp")
	return err
}

// held takes the lock for the life of a connection. Somebody else may have had the journal since the last one:
// whoever waits for a signal is to look.
func (s *Store) held(ctx context.Context, conn *pgx.Conn) error {
	if err := s.settled(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `set lock_timeout = `+strconv.FormatInt(queues.Milliseconds(), 10)); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, lockJournal, s.schema)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == codeLockNotAvailable {
		return s.otherwise(ctx, conn)
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	for _, c := range []chan struct{}{s.passes, s.deliveries, s.posts, s.pages, s.schedules} {
		poke(c)
	}
	return nil
}

// Ahead is how far this process's clock is ahead of the database's, by which those of several machines can be told
// apart. A file has no clock of its own.
func (s *Store) Ahead(ctx context.Context) (time.Duration, error) {
	if !s.bound {
		return 0, nil
	}
	ctx, done := s.limited(ctx, patience)
	defer done()
	asked := s.now()
	var theirs time.Time
	err := s.db.QueryRowContext(ctx, `select clock_timestamp()`).Scan(&theirs)
	return asked.Sub(theirs), wrap(err, "compare clocks")
}

const codeLockNotAvailable = "55P03"

// otherwise says who has the lock: another process, or still the connection that this one broke off.
func (s *Store) otherwise(ctx context.Context, conn *pgx.Conn) error {
	var host string
	var since time.Time
	err := conn.QueryRow(ctx, whoHolds, s.schema).Scan(&host, &since)
	if errors.Is(err, pgx.ErrNoRows) {
		return errors.New("lock: the server has not noticed yet that a connection is gone")
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return fmt.Errorf("%w (on %s, connected at %s): one bot per journal", ErrHeld, host, since.UTC().Format(time.RFC3339))
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

// arguments is how many a statement takes.
func arguments(text string) int {
	most := 0
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1]) // digits: the pattern saw to it
		most = max(most, n)
	}
	return most
}

// storable makes texts of what PostgreSQL would refuse: no foreign word may keep what happened from being written.
// The entries of streams are JSON, in which there is nothing to mend.
func storable(args []any) []any {
	out := make([]any, len(args), len(args)+1)
	for i, a := range args {
		if s, is := a.(string); is {
			a = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
		out[i] = a
	}
	return out
}
