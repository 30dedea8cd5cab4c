package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/store"
)

// tolerated is how far the clocks of two machines may be from the one of the database: soaks, the life of a yes and the
// wait after a call without an answer begin on one machine and end on the other.
const tolerated = 10 * time.Second

// openJournal opens the journal, unless this machine's clock is not where the database's is: what the one machine
// began the other one would end too early, or too late.
func openJournal(ctx context.Context, c Config, log *slog.Logger) (*store.Store, error) {
	journal, err := standBy(ctx, c, log)
	if err != nil || journal == nil {
		return nil, err
	}
	ahead, err := journal.Ahead(ctx)
	if err == nil {
		err = together(ahead)
	}
	if err != nil {
		return nil, errors.Join(err, journal.Close())
	}
	return journal, nil
}

func together(ahead time.Duration) error {
	if ahead.Abs() > tolerated {
		return fmt.Errorf("the clock of this machine is %s from the one of the journal's database: set it right, all waits are measured by it", ahead.Round(time.Second))
	}
	return nil
}

// triesAgain is how long one that stands by waits after it could not even ask.
const triesAgain = time.Second

// standBy opens the journal. While another process has one that is in PostgreSQL this one stands by, and says
// so where health is told: it goes on with the journal as soon as the other one is gone. The journal is nil when
// the context ended before that.
func standBy(ctx context.Context, c Config, log *slog.Logger) (*store.Store, error) {
	journal, err := store.Open(c.Journal, time.Now)
	if !store.Remote(c.Journal) || !errors.Is(err, store.ErrHeld) {
		return journal, err
	}
	log.Warn("standing by", "why", err)
	var missed atomic.Pointer[error] // why it could not even ask; nil = it could
	waiting := func(context.Context) facts {
		f := facts{standby: "standing by: another process has the journal"}
		if err := missed.Load(); err != nil {
			f.unread = *err
		}
		return f
	}
	unserve, err := serveHealth(c.Health, healthHandler(waiting, time.Now), log)
	if err != nil {
		return nil, err
	}
	defer unserve()
	for ctx.Err() == nil {
		journal, err := store.Open(c.Journal, time.Now) // takes a while when the journal is still held
		if err == nil {
			log.Warn("taking over")
			return journal, nil
		}
		if errors.Is(err, store.ErrHeld) {
			missed.Store(nil)
			continue
		}
		if last := missed.Swap(&err); last == nil || (*last).Error() != err.Error() { // it may be a password that is no more, for days
			log.Warn("still standing by", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(triesAgain):
		}
	}
	return nil, nil
}
