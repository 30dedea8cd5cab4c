package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
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
	return newLedger(s, now, slog.New(slog.DiscardHandler))
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
	for _, err := range []error{upgrade.ErrStale, upgrade.ErrLocked, upgrade.ErrFenced, upgrade.ErrNotFound} {
		if l.wrote(t.Context(), fmt.Errorf("journal: append: %w", err)); l.refusal != nil {
			t.Fatalf("%v counts", err)
		}
	}
	if l.wrote(t.Context(), nil); l.refusal != nil {
		t.Error("a write that was taken counts")
	}
}

func TestATimeThatRanOutCountsAgainstTheJournalUnlessItWasTheCallers(t *testing.T) {
	l := opened(t, time.Now)
	gone, give := context.WithCancel(t.Context())
	give()
	for _, err := range []error{context.Canceled, context.DeadlineExceeded} {
		if l.wrote(gone, fmt.Errorf("journal: append: %w", err)); l.refusal != nil {
			t.Errorf("a caller gave up, and that counts: %v", l.refusal)
		}
	}
	if l.wrote(gone, errors.New("disk full")); l.refusal == nil {
		t.Error("a refusal does not count because the caller gave up after it")
	}
	l.refusal = nil
	if l.wrote(t.Context(), fmt.Errorf("journal: append: %w", context.DeadlineExceeded)); l.refusal == nil {
		t.Error("a database that takes no commit, such as without its replica, is called well")
	}
}

func TestAJournalThatRefusedAWriteIsBelievedWhenItTakesOne(t *testing.T) {
	l := opened(t, time.Now)
	if err := l.writable(t.Context()); err != nil {
		t.Errorf("a journal nothing is known of: %v", err)
	}
	l.wrote(t.Context(), errors.New("disk full"))
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

func TestEveryCommittedFactIsToldToTheLogWithoutItsWords(t *testing.T) {
	var log strings.Builder
	l := opened(t, func() time.Time { return noon })
	l.log = slog.New(slog.NewTextHandler(&log, nil))
	p := upgrade.Plan{Digest: "7c1e", Set: "/x/web"}
	if _, err := l.Receive(t.Context(), upgrade.Delivery{Key: "k", At: noon}); err != nil {
		t.Fatal(err)
	}
	opens := upgrade.Change{Rollout: "r-1", Open: &p, Events: upgrade.At(noon, "U0ANA", upgrade.Requested{Digest: p.Digest, Sum: p.Sum()}, upgrade.AbortAsked{Reason: "my words"})}
	if err := l.Settle(t.Context(), upgrade.Settlement{Delivery: 1, Changes: []upgrade.Change{opens}}); err != nil {
		t.Fatal(err)
	}
	lease, _, _, err := l.Claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	follows := upgrade.Change{Rollout: "r-2", Open: &p, Events: upgrade.At(noon, "U0BO", upgrade.Requested{Digest: p.Digest, Sum: p.Sum()})}
	ends := upgrade.Change{Rollout: "r-1", Seq: 2, Events: upgrade.At(noon, "", upgrade.Ended{Outcome: upgrade.OutcomeRollback}), Then: &follows}
	if _, err := l.Append(t.Context(), lease, ends); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), lease, ends); err == nil {
		t.Fatal("it was written twice")
	}
	for _, line := range []string{"rollout=r-1 fact=Requested by=U0ANA at=2026-11-23T12:00:00.000Z sum=", "rollout=r-1 fact=AbortAsked by=U0ANA", `rollout=r-1 fact=Ended by=""`, "rollout=r-2 fact=Requested by=U0BO"} {
		if strings.Count(log.String(), line) != 1 {
			t.Errorf("the log has not %q once:\n%s", line, log.String())
		}
	}
	if strings.Contains(log.String(), "my words") {
		t.Errorf("the log repeats what people said:\n%s", log.String())
	}
}
