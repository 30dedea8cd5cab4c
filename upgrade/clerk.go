package upgrade

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Book is the journal as those need it who speak without being spoken to: the clerk and the lookout.
type Book interface {
	// Schedules lists those that were not taken away, oldest first.
	Schedules(ctx context.Context) ([]Schedule, error)
	// Sightings lists the newest version that was seen of each image and region, by [Sighted.Place].
	Sightings(ctx context.Context) (map[string]string, error)
	// Commit writes a change that comes from no person and no pass, all of it or nothing: ErrStale when an
	// occurrence was dealt with already or its schedule is gone, or a version was told of; ErrLocked as for any opening.
	Commit(ctx context.Context, c Change) error
}

// Clerk says what people have scheduled when its time has come: it opens the rollout that they would have
// opened by typing it then. From there on the engine asks, and people agree or do not; the clerk agrees to
// nothing and writes nothing to Azure. Between two rounds it keeps nothing but why something did not work,
// so that any process may make the next one.
type Clerk struct {
	Desk   Desk
	Book   Book
	Log    *slog.Logger
	Woken  <-chan struct{}                                    // signalled when a schedule was made; nil = only time
	Frozen func() string                                      // as of [Engine]
	Fit    func(ctx context.Context, channel string) *Refusal // why no rollout may be opened in the channel; nil = one always may

	trouble map[string]string // by schedule: why its occurrence waits
}

// How late an occurrence may be said, how soon what did not work is tried again, and the longest time between
// two rounds.
const (
	graceful  = time.Hour
	tryAgain  = time.Minute
	rounds    = 5 * time.Minute
	roundTime = time.Minute // what one occurrence may take
)

// Run makes rounds until the context ends.
func (c *Clerk) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		timer := time.NewTimer(max(c.round(ctx), time.Second))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-c.Woken:
		}
		timer.Stop()
	}
	return nil
}

// round deals with everything that is due, one after the other, and returns when to look again.
func (c *Clerk) round(ctx context.Context) time.Duration {
	all, err := c.Book.Schedules(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.Log.Error("journal: list the schedules", "err", err)
		}
		return tryAgain
	}
	wait := rounds
	for _, s := range all {
		wait = min(wait, c.serve(ctx, s))
	}
	return wait
}

// serve deals with the occurrence of a schedule that is due, if one is, and returns when to look again. A panic
// in it concerns this schedule only.
func (c *Clerk) serve(ctx context.Context, s Schedule) (again time.Duration) {
	defer func() {
		if p := recover(); p != nil {
			c.Log.Error("a schedule made the clerk panic", "schedule", s.ID, "panic", p)
			again = tryAgain
		}
	}()
	now := c.Desk.Now()
	at := s.Due(now)
	if at.IsZero() {
		if next := s.Next(now); !next.IsZero() {
			return next.Sub(now)
		}
		return rounds
	}
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	change, waits := c.occurrence(ctx, s, at, now)
	if waits != nil {
		c.Log.Warn("a schedule waits", "schedule", s.ID, "for", at, "why", waits.What, "err", waits.Cause)
		if c.trouble == nil {
			c.trouble = map[string]string{}
		}
		c.trouble[s.ID] = waits.What
		return tryAgain
	}
	switch err := c.Book.Commit(ctx, change); {
	case errors.Is(err, ErrStale), errors.Is(err, ErrLocked):
		return time.Second // somebody was faster: look what is there now
	case err != nil:
		if ctx.Err() == nil {
			c.Log.Error("journal: a schedule's occurrence", "schedule", s.ID, "err", err)
		}
		return tryAgain
	}
	delete(c.trouble, s.ID)
	return time.Second
}

// occurrence is what an occurrence comes to: a rollout that is opened, or a line in the channel that says why
// none is. What may pass by itself is waited for instead, as long as it is not too late.
func (c *Clerk) occurrence(ctx context.Context, s Schedule, at, now time.Time) (Change, *Refusal) {
	if now.Sub(at) >= graceful {
		why := cmp.Or(c.trouble[s.ID], "I was not at work then")
		return unopened(s, now, Fired{ID: s.ID, Set: s.Set, For: at, Missed: true, Why: why}), nil
	}
	opened, no := c.open(ctx, s)
	switch {
	case no == nil:
		fired := Fired{ID: s.ID, Set: s.Set, For: at, Rollout: opened.Rollout}
		return Change{Events: At(now, "", fired), Then: &opened}, nil
	case no.passes():
		return Change{}, no
	}
	return unopened(s, now, Fired{ID: s.ID, Set: s.Set, For: at, Code: no.Code, Why: no.What, Next: no.Next}), nil
}

// passes reports whether the same may be possible a little later.
func (r *Refusal) passes() bool {
	return r.Code == CodeAzure || r.Code == CodeInside || r.Code == CodeBusy
}

// open makes the change that opens the rollout, in the name and with the rights that its author has now.
func (c *Clerk) open(ctx context.Context, s Schedule) (Change, *Refusal) {
	by, err := c.Desk.People.Person(ctx, s.By)
	if err != nil {
		return Change{}, &Refusal{Code: CodeInside, What: "who scheduled it could not be checked", Cause: err}
	}
	if who := PolicyFor(c.Desk.Policies(), s.Set).Refuses(by, MayRequest, ""); who != "" {
		return Change{}, Refuse(CodeRole, "/vmss unschedule "+s.ID, "%s scheduled it, and may not ask for an upgrade of it any more: that takes %s. Somebody who may can schedule it anew", cmp.Or(by.Name, s.ByName), who)
	}
	if no := c.frozen(ctx, s); no != nil {
		return Change{}, no
	}
	if c.Fit != nil {
		if no := c.Fit(ctx, s.Ask.Channel); no != nil {
			return Change{}, &Refusal{Code: CodeInside, What: no.What, Cause: no}
		}
	}
	change, p, err := c.Desk.Open(ctx, by, s.occurs())
	switch {
	case err == nil && p.Set != s.Set: // by its name, in another subscription
		return Change{}, Refuse(CodeUnknown, "/vmss unschedule "+s.ID, "the scale set that it is for is gone, and there is another one of that name")
	case err == nil:
		return change, nil
	}
	var no *Refusal
	if errors.As(err, &no) {
		return Change{}, no
	}
	return Change{}, &Refusal{Code: CodeInside, What: "something inside me went wrong", Cause: err}
}

// frozen: a freeze beats a schedule, too (R11). What would be asked for in it could not start.
func (c *Clerk) frozen(ctx context.Context, s Schedule) *Refusal {
	if c.Frozen != nil {
		if why := c.Frozen(); why != "" {
			return Refuse(CodePolicy, "", "everything is frozen: %s", why)
		}
	}
	said, err := c.Desk.freezes(ctx, []SetSummary{{ID: s.Set}})
	if err != nil {
		return &Refusal{Code: CodeInside, What: "what is frozen could not be read", Cause: err}
	}
	for _, f := range said {
		if f.Holds(c.Desk.Now()) {
			return Refuse(CodePolicy, "/vmss windows "+s.Ask.Set, "%s", f.String())
		}
	}
	return nil
}

// Firing is what a channel is told of an occurrence that opened no rollout. The post wants it under its name.
type Firing struct {
	Schedule Schedule
	Fired    Fired
	Next     time.Time // the occurrence after it; zero = none comes
}

// unopened records an occurrence that opened no rollout, and says it once in the channel.
func unopened(s Schedule, now time.Time, f Fired) Change {
	want, err := json.Marshal(struct{ Firing Firing }{Firing{s, f, s.Next(now)}})
	if err != nil {
		panic("firing: " + err.Error()) // only types of this package, all of which marshal
	}
	post := Post{Slot: fmt.Sprintf("told/%s/%d", s.ID, f.For.Unix()), Channel: s.Ask.Channel, Want: want}
	return Change{Events: At(now, "", f), Posts: []Post{post}}
}
