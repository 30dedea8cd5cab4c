package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// How many pages are kept, and for how long: a receiver that is dead for longer has lost what came before.
const (
	mostPages = 2_000
	keepPages = 24 * time.Hour
)

// tell puts pages at the end of the queue that all receivers are told from.
func (t *tx) tell(pages []upgrade.Page) error {
	if len(pages) == 0 {
		return nil
	}
	for _, p := range pages {
		body, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("page %s: %w", p.ID(), err)
		}
		if _, err := t.exec(insertPage, string(body)); err != nil {
			return fmt.Errorf("page %s: %w", p.ID(), err)
		}
	}
	t.pages = true
	_, err := t.exec(sweepPages, mostPages, keepPages.Milliseconds())
	return err
}

// Subscribe makes a receiver known by its name: it is told what is committed from then on. One that is known
// goes on where it was.
func (s *Store) Subscribe(ctx context.Context, hook string) error {
	_, err := s.exec(ctx, insertHook, hook)
	return wrap(err, "subscribe "+hook)
}

// NextPage returns the page that the receiver is to be told next. ok is false when none is due; next is then
// when one will be (zero: none waits). Nobody is told a page before the one that came before it was told or given up.
func (s *Store) NextPage(ctx context.Context, hook string) (p upgrade.PendingPage, next time.Time, ok bool, err error) {
	var body string
	var at int64
	err = s.row(ctx, nextPage, hook).Scan(&p.Place, &p.Lost, &body, &p.Attempts, &at, &ok)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return upgrade.PendingPage{}, time.Time{}, false, nil
	case err != nil:
		return upgrade.PendingPage{}, time.Time{}, false, wrap(err, "next page of "+hook)
	case !ok:
		return upgrade.PendingPage{}, time.UnixMilli(at), false, nil
	}
	if err := json.Unmarshal([]byte(body), &p.Page); err != nil {
		return upgrade.PendingPage{}, time.Time{}, false, wrap(err, "next page of "+hook)
	}
	return p, time.Time{}, true, nil
}

// Told records what became of a page: the receiver has it, or is given up on it (Retry is negative), or is told
// it again after Retry.
func (s *Store) Told(ctx context.Context, hook string, p upgrade.PendingPage, sent upgrade.Sent) error {
	var err error
	if sent.Error != "" && sent.Retry >= 0 {
		_, err = s.exec(ctx, retryPage, hook, p.Place, p.Attempts+1, sent.Retry.Milliseconds())
	} else {
		_, err = s.exec(ctx, passPage, hook, p.Place)
	}
	return wrap(err, "record what "+hook+" was told")
}
