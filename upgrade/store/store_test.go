package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store/storetest"
)

func TestConformance(t *testing.T) {
	first := filepath.Join(t.TempDir(), "journal.db")
	s, err := Open(first, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	empty := read(t, first) // made once: making a journal takes longer than most promises
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Opened {
		path := filepath.Join(t.TempDir(), "journal.db")
		if err := os.WriteFile(path, empty, 0o600); err != nil {
			t.Fatal(err)
		}
		s := opened(t, path, now)
		return storetest.Opened{Journal: s, DB: s.db}
	})
}

// opened opens a journal that is closed when the test ends.
func opened(t testing.TB, path string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// The store keeps to these interfaces, and the bot's.
var (
	_ upgrade.Store  = (*Store)(nil)
	_ upgrade.Reader = (*Store)(nil)
)

func TestInABubbleTheJournalLivesInItsTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		write(t, s, 1)
		claimed, owned := make(chan upgrade.Lease), upgrade.Lease{Rollout: "r-1", Epoch: 1}
		go func() { // waits as the engine does, for the signal or the time it was told
			for {
				l, next, ok, err := s.Claim(t.Context())
				if err != nil {
					t.Error(err)
				}
				if ok {
					claimed <- l
					return
				}
				timer := time.NewTimer(time.Until(next))
				select {
				case <-s.Passes():
				case <-timer.C:
				}
				timer.Stop()
			}
		}()
		start := time.Now()
		time.Sleep(5 * time.Second)
		if err := s.Extend(t.Context(), owned); err != nil {
			t.Fatal(err)
		}
		l := <-claimed
		if waited := time.Since(start); waited < 13*time.Second || waited > 13*time.Second+time.Millisecond {
			t.Errorf("the lease was taken over after %s, want 8 s after it was prolonged", waited)
		}
		if err := s.Extend(t.Context(), owned); !errors.Is(err, upgrade.ErrFenced) {
			t.Errorf("the first owner goes on: %v", err)
		}
		if err := s.Release(t.Context(), l, time.Now().Add(72*time.Hour)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStoresKeepTheirOwnClocks(t *testing.T) {
	for _, year := range []int{2000, 2030} {
		at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		s := opened(t, filepath.Join(t.TempDir(), "journal.db"), func() time.Time { return at })
		var ms int64
		if err := s.db.QueryRow(`select now_ms()`).Scan(&ms); err != nil || ms != at.UnixMilli() {
			t.Errorf("now_ms() is %d (%v), want %d", ms, err, at.UnixMilli())
		}
	}
}

func TestACancelledCallChangesNothing(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "journal.db"), time.Now)
	write(t, s, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := upgrade.Change{Rollout: "r-1", Seq: 1, Events: upgrade.At(time.Now(), "", upgrade.Decided{})}
	if _, err := s.Append(ctx, upgrade.Lease{Rollout: "r-1", Epoch: 1}, c); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if n := events(t, s); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

// TestStatementsReadNoOtherClock also keeps to what PostgreSQL reads the same way.
func TestStatementsReadNoOtherClock(t *testing.T) {
	foreign := regexp.MustCompile(`(?i)datetime|unixepoch|julianday|strftime|current_|now\(\)|\?|ifnull|insert or|\browid\b|random\(`)
	for _, text := range statements {
		if found := foreign.FindString(text); found != "" {
			t.Errorf("%q in %s", found, text)
		}
	}
}

func TestASlotWithACardSaysWhoseItIs(t *testing.T) {
	for slot, want := range map[string]string{
		"model": " 0", "card/ud-0/1": "ud-0 1", "card/a/b/12": "a/b 12", "live": "none", "card/ud-0": "none", "card/ud-0/x": "none", "batch/2": "none",
	} {
		gate, asking, ok := cardSlot(slot)
		got := "none"
		if ok {
			got = fmt.Sprint(gate, " ", asking)
		}
		if got != want {
			t.Errorf("%s is the card of %q, want %q", slot, got, want)
		}
	}
}
