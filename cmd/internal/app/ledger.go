package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// ledger is the journal as the rooms reach it. On the way it notes what health must know: when the engine
// last asked for something to do, and that a write was not taken; and it tells the log each fact that
// was committed, so that a journal which somebody forged as a whole differs from what was shipped elsewhere.
type ledger struct {
	*store.Store
	now func() time.Time
	log *slog.Logger

	lost func(error) // ends the process: another one has taken the journal over

	mu      sync.Mutex
	asked   time.Time
	refusal error // of the last write that was not taken; nil = none since it was last seen to take them
}

func newLedger(s *store.Store, now func() time.Time, log *slog.Logger) *ledger {
	return &ledger{Store: s, now: now, log: log, lost: func(error) {}, asked: now()}
}

// tell logs who did what when, and a sum of the words, which may be anybody's.
func (l *ledger) tell(changes ...upgrade.Change) {
	for _, c := range changes {
		for _, e := range c.Events {
			kind, body, _ := upgrade.EncodeFact(e.Fact) // it was encoded just now
			l.log.Info("fact", "rollout", c.Rollout, "fact", kind, "by", e.By, "at", e.At, "sum", upgrade.SumOf(body))
		}
		if c.Then != nil {
			l.tell(*c.Then)
		}
	}
}

// idle is how long the engine has not asked for something to do.
func (l *ledger) idle() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now().Sub(l.asked)
}

// writable says why the journal takes no writes, nil = nothing is known against it. After a refusal only
// a write of some size that succeeds says otherwise: a full disk still takes small ones.
func (l *ledger) writable(ctx context.Context) error {
	l.mu.Lock()
	refusal := l.refusal
	l.mu.Unlock()
	if refusal == nil {
		return nil
	}
	err := l.Store.Writable(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusal = err
	return err
}

// wrote notes what became of a write. What the domain knows, and a caller that gave up, says nothing
// about the journal. That the journal itself took too long does.
func (l *ledger) wrote(ctx context.Context, err error) {
	if errors.Is(err, store.ErrHeld) {
		l.lost(err)
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return
	}
	for _, known := range []error{nil, upgrade.ErrStale, upgrade.ErrLocked, upgrade.ErrFenced, upgrade.ErrNotFound} {
		if errors.Is(err, known) {
			return
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusal = err
}

// Claim also notes that the engine is at work.
func (l *ledger) Claim(ctx context.Context) (lease upgrade.Lease, next time.Time, ok bool, err error) {
	lease, next, ok, err = l.Store.Claim(ctx)
	l.wrote(ctx, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = l.now()
	return lease, next, ok, err
}

func (l *ledger) Extend(ctx context.Context, lease upgrade.Lease) error {
	err := l.Store.Extend(ctx, lease)
	l.wrote(ctx, err)
	return err
}

func (l *ledger) Append(ctx context.Context, lease upgrade.Lease, c upgrade.Change) (int, error) {
	seq, err := l.Store.Append(ctx, lease, c)
	if l.wrote(ctx, err); err == nil {
		l.tell(c)
	}
	return seq, err
}

func (l *ledger) Release(ctx context.Context, lease upgrade.Lease, at time.Time) error {
	err := l.Store.Release(ctx, lease, at)
	l.wrote(ctx, err)
	return err
}

func (l *ledger) Receive(ctx context.Context, all ...upgrade.Delivery) (int, error) {
	fresh, err := l.Store.Receive(ctx, all...)
	l.wrote(ctx, err)
	return fresh, err
}

func (l *ledger) Settle(ctx context.Context, s upgrade.Settlement) error {
	err := l.Store.Settle(ctx, s)
	if l.wrote(ctx, err); err == nil {
		l.tell(s.Changes...)
	}
	return err
}

func (l *ledger) Commit(ctx context.Context, c upgrade.Change) error {
	err := l.Store.Commit(ctx, c)
	if l.wrote(ctx, err); err == nil {
		l.tell(c)
	}
	return err
}

func (l *ledger) Sent(ctx context.Context, p upgrade.Pending, s upgrade.Sent) error {
	err := l.Store.Sent(ctx, p, s)
	l.wrote(ctx, err)
	return err
}
