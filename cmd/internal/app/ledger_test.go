package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

func opened(t *testing.T, now func() time.Time) *ledger {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "journal.db"), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return newLedger(s, now)
}

func TestTheLedgerKnowsHowLongTheEngineIsIdle(t *testing.T) {
	at := noon
	l := opened(t, func() time.Time { return at })
	at = at.Add(time.Minute)
	if l.idle() != time.Minute {
		t.Errorf("before the first look it is idle for %s", l.idle())
	}
	if _, _, _, err := l.Claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	at = at.Add(time.Second)
	if l.idle() != time.Second {
		t.Errorf("after a look it is idle for %s", l.idle())
	}
}

func TestWhatTheDomainKnowsSaysNothingAgainstTheJournal(t *testing.T) {
	l := opened(t, time.Now)
	for _, err := range []error{upgrade.ErrStale, upgrade.ErrLocked, upgrade.ErrFenced, upgrade.ErrNotFound, context.Canceled, context.DeadlineExceeded} {
		if l.wrote(fmt.Errorf("journal: append: %w", err)); l.refusal != nil {
			t.Fatalf("%v counts", err)
		}
	}
	if l.wrote(nil); l.refusal != nil {
		t.Error("a write that was taken counts")
	}
}

func TestAJournalThatRefusedAWriteIsBelievedWhenItTakesOne(t *testing.T) {
	l := opened(t, time.Now)
	if err := l.writable(t.Context()); err != nil {
		t.Errorf("a journal nothing is known of: %v", err)
	}
	l.wrote(errors.New("disk full"))
	if err := l.writable(t.Context()); err != nil || l.refusal != nil {
		t.Errorf("it takes writes again, and says %v, %v", err, l.refusal)
	}
	if err := l.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for what, write := range map[string]func() error{
		"claim":   func() error { _, _, _, err := l.Claim(t.Context()); return err },
		"extend":  func() error { return l.Extend(t.Context(), upgrade.Lease{}) },
		"append":  func() error { _, err := l.Append(t.Context(), upgrade.Lease{}, upgrade.Change{}); return err },
		"release": func() error { return l.Release(t.Context(), upgrade.Lease{}, noon) },
		"receive": func() error { _, err := l.Receive(t.Context(), upgrade.Delivery{Key: "k", At: noon}); return err },
		"settle":  func() error { return l.Settle(t.Context(), upgrade.Settlement{Delivery: 1}) },
		"sent":    func() error { return l.Sent(t.Context(), upgrade.Pending{}, upgrade.Sent{}) },
	} {
		l.refusal = nil
		if err := write(); err == nil || l.refusal == nil {
			t.Errorf("%s: error %v, noted %v", what, err, l.refusal)
		}
	}
	if err := l.writable(t.Context()); err == nil {
		t.Error("a closed journal is called writable")
	}
}
