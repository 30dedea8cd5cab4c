//go:build postgres

package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store/storetest"
	"github.com/vmssbot/vmssbot/upgrade/store/storetest/pgtest"
)

func TestConformanceOnPostgreSQL(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Opened {
		s := opened(t, pgtest.Schema(t), now)
		return storetest.Opened{Journal: s, DB: s.db}
	})
}

func TestASecondProcessIsRefusedUntilTheFirstIsGone(t *testing.T) {
	place := pgtest.Schema(t)
	first, err := Open(place, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(place, time.Now); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "connected at 20") {
		t.Fatalf("the second is told %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, place, time.Now)
}

func TestTwoSchemasAreTwoJournals(t *testing.T) {
	opened(t, pgtest.Schema(t), time.Now)
	opened(t, pgtest.Schema(t), time.Now)
}

// A connection that breaks takes the lock with it. The process goes on when nobody was faster.
func TestAConnectionThatBrokeIsMadeAnewWithTheLock(t *testing.T) {
	place := pgtest.Schema(t)
	s := opened(t, place, time.Now)
	write(t, s, 1)
	<-s.Passes()
	pgtest.Cut(t, place)
	if err := eventually(func() error { _, err := s.Record(t.Context(), "r-1"); return err }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Passes(): // somebody else may have had the journal: what is due is looked for
	default:
		t.Error("nobody looks for what is due")
	}
	if _, err := Open(place, time.Now); !errors.Is(err, ErrHeld) {
		t.Errorf("the lock was not taken anew: %v", err)
	}
}

func TestWhoLostTheJournalToAnotherProcessCannotWriteAnyMore(t *testing.T) {
	place := pgtest.Schema(t)
	first := opened(t, place, time.Now)
	write(t, first, 1)
	l := upgrade.Lease{Rollout: "r-1", Epoch: 1} // which write claimed
	if err := first.Extend(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan *Store)
	go func() { // it stands by
		for {
			s, err := Open(place, time.Now)
			if err == nil {
				waiting <- s
				return
			}
			if !errors.Is(err, ErrHeld) {
				t.Error(err)
				close(waiting)
				return
			}
		}
	}()
	var second *Store
	for second == nil { // cut until the one that stands by is the faster one
		pgtest.Cut(t, place)
		select {
		case second = <-waiting:
			if second == nil {
				t.FailNow()
			}
		case <-time.After(200 * time.Millisecond):
			first.Extend(t.Context(), l) // takes the lock anew, or not
		}
	}
	defer second.Close()
	change := upgrade.Change{Rollout: "r-1", Seq: 1, Events: upgrade.At(time.Now(), "", upgrade.Decided{})}
	if err := eventually(func() error { _, err := first.Append(t.Context(), l, change); return err }); !errors.Is(err, ErrHeld) {
		t.Errorf("the first is told %v", err)
	}
	if n := events(t, second); n != 1 {
		t.Errorf("%d events, want the one of before", n)
	}
	next, _, ok, err := second.Claim(t.Context())
	if err != nil || !ok || next.Rollout != "r-1" || next.Epoch <= l.Epoch {
		t.Errorf("the second claims %+v %v %v: the lease of the first was not taken away", next, ok, err)
	}
}

func TestAJournalThatIsInUseCanBeVerified(t *testing.T) {
	place := pgtest.Schema(t)
	s := opened(t, place, time.Now)
	write(t, s, 3)
	p := upgrade.Plan{Digest: "e", Set: "/x/shop"}
	receive(t, s, "open r-2", upgrade.Change{Rollout: "r-2", Open: &p, Events: upgrade.At(time.Now(), "U0ANA", upgrade.Requested{Digest: "e"})})
	later := upgrade.Change{Rollout: "r-1", Seq: 3, Events: upgrade.At(time.Now(), "U0BO", upgrade.Paused{Name: "bo"})}
	receive(t, s, "pause", later)
	a, err := VerifyAt(t.Context(), place)
	if err != nil || a.Rollouts != 2 || a.Entries != 5 {
		t.Fatalf("%+v %v", a, err)
	}
	u, _ := url.Parse(place)
	name := u.Query().Get("search_path")
	for _, all := range []string{`plans where rollout`, `rollouts where id`, `events where rollout`, `streams where rollout`} {
		pgtest.Admin(t, `delete from `+name+`.`+all+` = 'r-2'`)
	}
	if _, err := VerifyAt(t.Context(), place); err == nil || !strings.Contains(err.Error(), "a whole stream is missing") {
		t.Errorf("a rollout was taken out, and the audit says %v", err)
	}
}

func TestADatabaseOfANewerVersionIsRefused(t *testing.T) {
	place := pgtest.Schema(t)
	s, err := Open(place, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec(`insert into goose_db_version (version_id, is_applied) values (9999, true)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(place, time.Now); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("got %v", err)
	}
}

func TestADatabaseOfAnotherEncodingIsRefused(t *testing.T) {
	name := fmt.Sprintf("ascii%d", os.Getpid())
	pgtest.Admin(t, `create database `+name+` encoding 'SQL_ASCII' locale 'C' template template0`)
	t.Cleanup(func() { pgtest.Admin(t, `drop database `+name+` with (force)`) })
	u := pgtest.Server(t)
	u.Path = "/" + name
	if _, err := Open(u.String(), time.Now); err == nil || !strings.Contains(err.Error(), "encoding UTF8") {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerThatNeverComesIsGivenUp(t *testing.T) {
	place := pgtest.Schema(t)
	s := opened(t, place, time.Now)
	write(t, s, 1)
	u, _ := url.Parse(place)
	name := u.Query().Get("search_path")
	ctx := t.Context()
	other, err := pgx.Connect(ctx, pgtest.Server(t).String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := other.Exec(ctx, `begin; lock table `+name+`.inbox in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(ctx, upgrade.Delivery{Key: "k", Kind: "x", Body: []byte(`{}`)}); err == nil {
		t.Fatal("it was acknowledged without being written")
	}
	if _, err := other.Exec(ctx, `rollback`); err != nil {
		t.Fatal(err)
	}
	if err := eventually(func() error {
		_, err := s.Receive(ctx, upgrade.Delivery{Key: "k", Kind: "x", Body: []byte(`{}`)})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// eventually tries once more after an error: what was cut is only noticed when it is used.
func eventually(do func() error) error {
	if do() == nil {
		return nil
	}
	return do()
}

// What somebody clicked in the moment in which the connection breaks is not refused for it.
func TestAReadingThatBrokeIsMadeAgain(t *testing.T) {
	place := pgtest.Schema(t)
	s := opened(t, place, time.Now)
	write(t, s, 1)
	for what, read := range map[string]func() error{
		"a rollout": func() error { _, err := s.Record(t.Context(), "r-1"); return err },
		"a card": func() error {
			if _, err := s.Card(t.Context(), "n"); !errors.Is(err, upgrade.ErrNotFound) {
				return fmt.Errorf("found: %w", err)
			}
			return nil
		},
		"the system": func() error { _, err := s.System(t.Context(), 5); return err },
	} {
		if err := read(); err != nil { // so that it is not asked whether the connection is there
			t.Fatal(err)
		}
		pgtest.Cut(t, place)
		if err := read(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestHowFarAClockIsAheadOfTheDatabases(t *testing.T) {
	for _, want := range []time.Duration{0, time.Hour, -time.Hour} {
		s := opened(t, pgtest.Schema(t), func() time.Time { return time.Now().Add(want) })
		if got, err := s.Ahead(t.Context()); err != nil || (got-want).Abs() > patience {
			t.Errorf("%s, want %s: %v", got, want, err)
		}
	}
}

// session is the one that has the journal, by its number.
func session(t *testing.T, s *Store) (pid int) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), `select pg_backend_pid()`).Scan(&pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestWhoGivesUpInTheMiddleDoesNotGiveTheJournalAway(t *testing.T) {
	place := pgtest.Schema(t)
	s := opened(t, place, time.Now)
	before := session(t, s)
	u, _ := url.Parse(place)
	other, err := pgx.Connect(t.Context(), pgtest.Server(t).String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := other.Exec(t.Context(), `begin; lock table `+u.Query().Get("search_path")+`.inbox in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.Receive(ctx, upgrade.Delivery{Key: "k", Kind: "x", Body: []byte(`{}`)})
		done <- err
	}()
	for waits := 0; waits == 0; { // for the table
		if err := other.QueryRow(t.Context(), `select count(*) from pg_locks where pid = $1 and not granted`, before).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if _, err := other.Exec(t.Context(), `rollback`); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("what had begun was not finished: %v", err)
	}
	if after := session(t, s); after != before {
		t.Errorf("the session %d is gone, %d has the journal", before, after)
	}
}
