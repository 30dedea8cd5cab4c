package app

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/store"
)

// triesAgain is how long one that stands by waits after it could not even ask.
const triesAgain = time.Second

// openJournal opens the journal. While another process has one that is in PostgreSQL this one stands by, and says
// so where health is told: it goes on with the journal as soon as the other one is gone. The journal is nil when
// the context ended before that.
func openJournal(ctx context.Context, c Config, log *slog.Logger) (*store.Store, error) {
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
