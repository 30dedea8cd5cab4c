package pager

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Journal is where pages wait, and how far each hook has come.
type Journal interface {
	Subscribe(ctx context.Context, hook string) error
	NextPage(ctx context.Context, hook string) (p upgrade.PendingPage, next time.Time, ok bool, err error)
	Told(ctx context.Context, hook string, p upgrade.PendingPage, sent upgrade.Sent) error
}

// Pager tells each hook its pages, in their order, at least once: a page that was told in a moment in which the
// process died is told once more, with the same id.
type Pager struct {
	Journal Journal
	Hooks   []Hook // the first ones, see Use
	Client  *http.Client
	Now     func() time.Time
	Log     *slog.Logger
	Woken   <-chan struct{} // signalled when a page may wait

	mu      sync.Mutex
	renew   context.CancelFunc // ends the telling of the hooks that Run began with; nil = it has not begun
	failing map[string]string  // why a hook was not told, in words
}

const (
	givenUpAfter = 6 * time.Hour // since it happened: who has not heard of it by then has heard it elsewhere
	firstRetry   = 2 * time.Second
	lastRetry    = 5 * time.Minute
	looksEvery   = time.Minute // whatever is signalled
)

// Subscribe makes hooks known: what is committed from then on waits for them.
func (p *Pager) Subscribe(ctx context.Context, hooks []Hook) error {
	for _, h := range hooks {
		if err := p.Journal.Subscribe(ctx, h.Name); err != nil {
			return err
		}
	}
	return nil
}

// Use puts the hooks of another configuration, which must be known, in the place of those before. What is being
// told at that moment is told once more, if its hook stays.
func (p *Pager) Use(hooks []Hook) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if reflect.DeepEqual(p.Hooks, hooks) {
		return
	}
	for _, was := range p.Hooks { // what became of it says nothing of one that was mended
		if !slices.ContainsFunc(hooks, func(h Hook) bool { return reflect.DeepEqual(h, was) }) {
			delete(p.failing, was.Name)
		}
	}
	p.Hooks = hooks
	if p.renew != nil {
		p.renew()
	}
}

// Run tells pages until the context ends. What is not told by then waits in the journal.
func (p *Pager) Run(ctx context.Context) {
	for ctx.Err() == nil {
		telling, end := context.WithCancel(ctx)
		p.mu.Lock()
		hooks := p.Hooks
		p.renew = end
		p.mu.Unlock()
		p.tellAll(telling, hooks)
		end()
	}
}

// tellAll tells each of the hooks by itself, until the context ends.
func (p *Pager) tellAll(ctx context.Context, hooks []Hook) {
	var all sync.WaitGroup
	defer all.Wait()
	var woken []chan struct{}
	for _, h := range hooks {
		wake := make(chan struct{}, 1)
		woken = append(woken, wake)
		all.Go(func() { p.tell(ctx, h, wake) })
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.Woken:
		}
		for _, wake := range woken {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	}
}

// tell brings one hook up to date, again and again.
func (p *Pager) tell(ctx context.Context, h Hook, woken <-chan struct{}) {
	for ctx.Err() == nil {
		wait := looksEvery
		switch page, next, ok, err := p.Journal.NextPage(ctx, h.Name); {
		case err != nil && ctx.Err() == nil:
			p.Log.Error("journal: next page", "hook", h.Name, "err", err)
			wait = firstRetry
		case ok:
			if p.deliver(ctx, h, page) {
				continue
			}
			wait = firstRetry
		case !next.IsZero():
			wait = min(wait, max(next.Sub(p.Now()), 10*time.Millisecond))
		}
		rest(ctx, wait, woken)
	}
}

func rest(ctx context.Context, wait time.Duration, woken <-chan struct{}) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-woken:
	}
}

// deliver tells one page, if the hook wants it, and records what came of it; goesOn is false when that failed.
func (p *Pager) deliver(ctx context.Context, h Hook, page upgrade.PendingPage) (goesOn bool) {
	if page.Lost > 0 {
		p.Log.Error("webhook: events were dropped, as too many waited or for too long", "hook", h.Name, "events", page.Lost)
	}
	sent, told := p.attempt(ctx, h, page)
	if told && ctx.Err() != nil && sent.Error != "" {
		return false // it is not the receiver's fault
	}
	if told {
		p.note(h, page, sent)
	}
	if err := p.Journal.Told(context.WithoutCancel(ctx), h.Name, page, sent); err != nil {
		p.Log.Error("journal: record what a receiver was told", "hook", h.Name, "event", page.ID(), "err", err)
		return false
	}
	return true
}

// attempt tells a page; told is false when the hook does not want it.
func (p *Pager) attempt(ctx context.Context, h Hook, page upgrade.PendingPage) (sent upgrade.Sent, told bool) {
	if !h.wants(page.Page) {
		return sent, false
	}
	now := p.Now()
	if age := now.Sub(page.At); age >= givenUpAfter {
		return upgrade.Sent{Error: fmt.Sprintf("it was not taken within %s", givenUpAfter), Retry: never}, true
	}
	again, err := h.Send(ctx, p.Client, page.Page, now)
	switch {
	case err == nil:
		return sent, true
	case again == 0:
		again = backOff(h, page)
	}
	return upgrade.Sent{Error: err.Error(), Retry: again}, true
}

// backOff is twice as long each time, and a little different for each receiver, event and attempt.
func backOff(h Hook, page upgrade.PendingPage) time.Duration {
	d := min(firstRetry<<min(page.Attempts, 10), lastRetry)
	spread := fnv.New32a()
	fmt.Fprint(spread, h.Name, page.ID(), page.Attempts)
	return d*3/4 + d/2*time.Duration(spread.Sum32()%1000)/1000
}

// note keeps what is known of a hook, and tells the log when that changes for the worse or an event is given up.
func (p *Pager) note(h Hook, page upgrade.PendingPage, sent upgrade.Sent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing == nil {
		p.failing = map[string]string{}
	}
	switch {
	case sent.Error == "":
		delete(p.failing, h.Name)
		return
	case sent.Retry < 0:
		p.Log.Error("webhook: an event is given up", "hook", h.Name, "to", h.URL, "event", page.ID(), "kind", page.Kind, "attempts", page.Attempts+1, "err", sent.Error)
	default:
		p.Log.Warn("webhook: not taken", "hook", h.Name, "to", h.URL, "event", page.ID(), "attempt", page.Attempts+1, "err", sent.Error, "again", sent.Retry)
	}
	p.failing[h.Name] = fmt.Sprintf("webhook %s (%s) was not told of %s of %s: %s", h.Name, h.URL, page.Kind, page.Rollout, sent.Error)
}

// Failing says in sentences which receivers were not told what they were to be told last.
func (p *Pager) Failing() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.Hooks {
		if why := p.failing[h.Name]; why != "" {
			out = append(out, why)
		}
	}
	return out
}
