//go:build postgres

package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store/storetest/pgtest"
)

// count asks for a number on a connection of its own.
func count(t testing.TB, text string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.Server(t).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// way leads to the server by a port of this machine. What the server says may be changed on it; nil = it is lost.
func way(t *testing.T, place string, change func([]byte) []byte) string {
	t.Helper()
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	socket := q.Get("host") + "/.s.PGSQL.5432"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", socket)
			if err != nil {
				in.Close()
				continue
			}
			go func() { io.Copy(out, in); out.Close() }()
			go func() {
				defer in.Close()
				some := make([]byte, 64<<10)
				for {
					n, err := out.Read(some)
					if err != nil {
						return
					}
					in.Write(change(some[:n]))
				}
			}()
		}
	}()
	q.Set("host", "127.0.0.1")
	q.Set("port", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	u.RawQuery = q.Encode()
	return u.String()
}

func TestOneThatStandsByKeepsOneConnection(t *testing.T) {
	place := pgtest.Schema(t)
	opened(t, place, time.Now)
	before := count(t, `select count(*) from pg_stat_activity`)
	for range 3 {
		if _, err := Open(place, time.Now); !errors.Is(err, ErrHeld) {
			t.Fatal(err)
		}
	}
	if err := eventually(func() error {
		if left := count(t, `select count(*) from pg_stat_activity`) - before; left > 0 {
			return errors.New(strconv.Itoa(left) + " connections are left")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func TestAJournalStaysInItsSchema(t *testing.T) {
	place := pgtest.Schema(t)
	u, _ := url.Parse(place)
	q := u.Query()
	name := q.Get("search_path")
	q.Set("search_path", "later"+name+","+name)
	u.RawQuery = q.Encode()
	s := opened(t, u.String(), time.Now)
	write(t, s, 1)
	pgtest.Admin(t, `create schema later`+name)
	t.Cleanup(func() { pgtest.Admin(t, `drop schema later`+name+` cascade`) })
	pgtest.Cut(t, place)
	if err := eventually(func() error { _, err := s.Record(t.Context(), "r-1"); return err }); err != nil {
		t.Error(err)
	}
	if _, err := Open(place, time.Now); !errors.Is(err, ErrHeld) {
		t.Errorf("the lock of the schema is free: %v", err)
	}
	if _, err := Open(u.String(), time.Now); err == nil || !strings.Contains(err.Error(), "a journal is in schema "+name) {
		t.Errorf("a second journal is made in the schema that came later: %v", err)
	}
	if _, err := VerifyAt(t.Context(), u.String()); err == nil || !strings.Contains(err.Error(), "a journal is in schema "+name) {
		t.Errorf("the audit reads another one: %v", err)
	}
}

func TestAJournalIsMadeInASchemaThatLasts(t *testing.T) {
	for _, path := range []string{"", "no_such_schema", "pg_temp"} {
		u := pgtest.Server(t)
		q := u.Query()
		q.Set("search_path", path)
		u.RawQuery = q.Encode()
		if _, err := Open(u.String(), time.Now); err == nil || !strings.Contains(err.Error(), "no schema that lasts") {
			t.Errorf("with the search_path %q: %v", path, err)
		}
	}
}

// A pooler makes numbers of sessions up.
func TestAPoolerIsRefused(t *testing.T) {
	place := way(t, pgtest.Schema(t), func(said []byte) []byte {
		key := []byte{'K', 0, 0, 0, 12}
		if i := bytes.Index(said, key); i >= 0 {
			said[i+len(key)] ^= 1
		}
		return said
	})
	if _, err := Open(place, time.Now); err == nil || !strings.Contains(err.Error(), "pooler") {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatFallsSilentIsGivenUp(t *testing.T) {
	var silent atomic.Bool
	place := way(t, pgtest.Schema(t), func(said []byte) []byte {
		if bytes.Contains(said, []byte("\x00\x03off")) { // it has let the bot in, and takes writes
			defer silent.Store(true)
		}
		if silent.Load() {
			return nil
		}
		return said
	})
	given := make(chan error, 1)
	go func() { _, err := Open(place, time.Now); given <- err }()
	select {
	case err := <-given:
		if err == nil || !silent.Load() {
			t.Errorf("it fell silent: %v, and Open says %v", silent.Load(), err)
		}
	case <-time.After(3 * patience):
		t.Error("whoever stands by asks for ever")
	}
}

// Each of some thousand statements goes there and back. Whoever runs out of time in the middle loses the journal to
// the one that stands by, which does the same.
func TestAsManySetsAsOneCommandMayNameAreOpenedFromFarAway(t *testing.T) {
	s := opened(t, way(t, pgtest.Schema(t), func(said []byte) []byte {
		<-time.After(5 * time.Millisecond)
		return said
	}), time.Now)
	var all []upgrade.Change
	for i := range 50 {
		id := "r-" + strconv.Itoa(i)
		p := upgrade.Plan{Digest: "e", Set: upgrade.SetID("/x/" + id)}
		all = append(all, upgrade.Change{Rollout: id, Open: &p, Events: upgrade.At(time.Now(), "U0ANA", upgrade.Requested{Digest: p.Digest}),
			Posts: []upgrade.Post{{Rollout: id, Slot: "live", Channel: "C", Want: []byte(`{}`)}, {Rollout: id, Slot: "plan", Channel: "C", Want: []byte(`{}`)}}})
	}
	receive(t, s, "upgrade 50 sets", all...)
}
