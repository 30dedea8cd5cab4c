package upgrade

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// People resolves who a user id is. What cannot be resolved is denied.
type People interface {
	Person(ctx context.Context, id string) (Person, error)
}

// Engine makes passes over rollouts: load, observe, note, decide, append the intent, act, record
// the outcome. It keeps no state between passes, so any process may make the next one.
type Engine struct {
	Fleet    Fleet
	Journal  Store
	Reader   Reader
	People   People
	Policies func() []Policy
	Pace     Pace
	Now      func() time.Time
	ID       func() string // unguessable, letters and digits
	Log      *slog.Logger
	Passes   int             // at once; zero = 4
	Woken    <-chan struct{} // signalled when a rollout may have become due; nil = only time
	// Frozen says why nothing may be written to Azure, "" = it may; nil = it always may. It is asked
	// before each decision and once more right before each write (R19).
	Frozen func() string
	// Gates tells what external gates last said, and keeps those that are asked for being asked; it does not wait
	// for any. nil = they say nothing.
	Gates func(names []string) map[string]Reading
	// Link says since when nobody can reach the bot through Slack; nil = somebody always can.
	Link func() Unheard
	// Closed asks Slack whether people in a channel see what the bot posts there: why they do not, "" =
	// they do, or that cannot be told. An answer that is no older than within will do. It is asked while
	// something may start, and once more right before it does; nil = they always do.
	Closed func(ctx context.Context, channel string, within time.Duration) string

	began time.Time // when Run did
}

// callTimeout bounds every call to Azure; it is shorter than a lease, so that a pass that lost its
// lease cannot be in a call any more.
const callTimeout = 6 * time.Second

// The longest the engine goes without asking the journal what is due. Signals are hints, the journal
// is the truth.
const (
	polled = time.Second      // nobody signals, or the journal could not be read
	hinted = 30 * time.Second // Woken says so when something is due sooner than was told
)

// Run makes passes until the context ends, and returns when the last one is over: within seconds, as
// every call is bounded. A pass that has begun a write when the context ends is given the time to
// record its answer.
func (e *Engine) Run(ctx context.Context) error {
	e.began = e.Now()
	var passes sync.WaitGroup
	defer passes.Wait()
	slots := make(chan struct{}, max(1, cmp.Or(e.Passes, 4)))
	freed := make(chan struct{}, 1)
	var watched time.Time
	for ctx.Err() == nil {
		wait := polled
		select {
		case slots <- struct{}{}:
			l, next, ok, err := e.claim(ctx)
			if err != nil && e.Now().Sub(watched) >= e.Pace.Refresh {
				e.watch(ctx)
				watched = e.Now()
			}
			if ok {
				passes.Go(func() {
					defer signal(freed)
					defer func() { <-slots }()
					e.pass(ctx, l)
				})
				continue
			}
			<-slots
			wait = e.until(next)
		default: // all are busy: the first to end frees the way
		}
		e.idle(ctx, wait, freed)
	}
	return nil
}

// until is how long nothing is due. It is never so short that the journal is asked in a busy loop.
func (e *Engine) until(next time.Time) time.Duration {
	longest := hinted
	if e.Woken == nil {
		longest = polled
	}
	if next.IsZero() {
		return longest
	}
	return min(max(next.Sub(e.Now()), 5*time.Millisecond), longest)
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// idle waits for whatever may make a rollout due.
func (e *Engine) idle(ctx context.Context, wait time.Duration, freed <-chan struct{}) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-freed:
	case <-e.Woken:
	}
}

func (e *Engine) claim(ctx context.Context) (l Lease, next time.Time, ok bool, err error) {
	if l, next, ok, err = e.Journal.Claim(ctx); err != nil {
		if ctx.Err() == nil {
			e.Log.Error("journal: claim a rollout", "err", err)
		}
		return l, e.Now().Add(polled), false, err
	}
	return l, next, ok, nil
}

// watch looks at what Azure has in hand while the journal takes no writes, such as on a full disk: a lease
// is a write, so there are no passes, and nothing can be recorded or told. Whoever looks for the reason finds
// in the log how the work goes on; the first pass afterwards learns it anew.
func (e *Engine) watch(ctx context.Context) {
	open, err := e.Reader.Open(ctx)
	if err != nil && ctx.Err() == nil {
		e.Log.Error("journal: list the open rollouts", "err", err)
	}
	for _, rec := range open {
		op := rec.Rollout.Op
		if op == nil || op.State != StateAccepted || rec.Poll == "" {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		reading, err := e.Fleet.Poll(ctx, rec.Poll)
		cancel()
		e.Log.Warn("in flight, and only watched", "rollout", rec.ID, "op", op.ID, "what", describe(op.Operation), "done", reading.Done, "ok", reading.OK, "code", reading.Code, "err", err)
	}
}

// pass makes one pass and gives the lease back. A panic in it fails this rollout's pass only.
func (e *Engine) pass(ctx context.Context, l Lease) {
	wake := e.Now().Add(e.Pace.Idle)
	defer func() {
		if p := recover(); p != nil {
			e.Log.Error("pass panicked", "rollout", l.Rollout, "panic", p)
		}
		// The release must not be lost because the process is told to stop.
		if err := e.Journal.Release(context.WithoutCancel(ctx), l, wake); err != nil && !errors.Is(err, ErrFenced) {
			e.Log.Error("journal: release", "rollout", l.Rollout, "err", err)
		}
	}()
	next, err := e.Step(ctx, l)
	switch {
	case errors.Is(err, ErrStale), errors.Is(err, ErrFenced):
		wake = e.Now() // somebody spoke meanwhile, or another pass is on: look again
	case err != nil:
		e.Log.Error("pass", "rollout", l.Rollout, "err", err)
	default:
		wake = next
	}
}

func (e *Engine) frozen() string {
	if e.Frozen == nil {
		return ""
	}
	return e.Frozen()
}

// Step makes one pass: it observes, notes what is new, decides and does the one next thing. It
// returns when the rollout should be looked at again; zero = never.
func (e *Engine) Step(ctx context.Context, l Lease) (time.Time, error) {
	rec, err := e.Reader.Record(ctx, l.Rollout)
	if err != nil {
		return time.Time{}, err
	}
	if rec.Rollout.Ended != nil {
		return time.Time{}, nil
	}
	s := &step{e: e, ctx: ctx, lease: l, rec: rec}
	if again, ok, err := s.spared(); ok || err != nil {
		return again, err
	}
	if err := s.observe(); err != nil {
		return time.Time{}, err
	}
	now := e.Now()
	s.add(Note(rec.Plan, rec.Rollout, s.seen, now)...)
	s.add(Milestones(rec.Plan, s.rollout(), s.seen, now)...)
	d := Decide(rec.Plan, s.rollout(), s.seen, now)
	if d.starts() { // what Slack said a minute ago is good for telling people, not for a start
		if err := s.closed(s.fence, startWithin); err != nil {
			return time.Time{}, err
		}
		s.seen.Gates = s.gates()
		d = Decide(rec.Plan, s.rollout(), s.seen, now)
	}
	s.decided(d)
	s.add(Calls(rec.Plan, s.rollout(), s.seen, d, now)...)
	if err := s.act(d); err != nil {
		return time.Time{}, err
	}
	return s.spaced(d), nil
}
