package storetest

import (
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// leaseTime is how long a pass owns its rollout without a sign of life.
const leaseTime = 8 * time.Second

var leases = []promise{
	{"a new rollout is due at once, and leased to one", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.check(l.Rollout == "r-1" && l.Epoch == 1, "the lease is %+v", l)
		next := j.none()
		j.check(!next.Before(j.now()) && next.Sub(j.now()) <= leaseTime, "the next claim is at %s, want when the lease ends", next)
	}},
	{"the most overdue rollout goes first", func(j *journal) {
		for i, set := range []upgrade.SetID{"/x/a", "/x/b", "/x/c"} {
			j.open([]string{"r-a", "r-b", "r-c"}[i], set)
		}
		for range 3 {
			l := j.claim()
			j.must(j.Release(j.ctx, l, j.now().Add(map[string]time.Duration{"r-a": 3, "r-b": 1, "r-c": 2}[l.Rollout]*time.Second)))
		}
		j.advance(time.Minute)
		for _, want := range []string{"r-b", "r-c", "r-a"} {
			l := j.claim()
			j.check(l.Rollout == want, "%s came, want %s", l.Rollout, want)
		}
	}},
	{"nobody waits for nothing", func(j *journal) {
		next := j.none()
		j.check(next.IsZero(), "without a rollout the next is at %s", next)
	}},
	{"a lease nobody prolongs is taken over, and fences the first owner out", func(j *journal) {
		j.open("r-1", web)
		old := j.claim()
		j.advance(leaseTime + time.Millisecond)
		l := j.claim()
		j.check(l.Rollout == "r-1" && l.Epoch == old.Epoch+1, "the second lease is %+v", l)
		j.is(j.Extend(j.ctx, old), upgrade.ErrFenced)
		j.is(j.append(old, upgrade.Decided{}), upgrade.ErrFenced)
		j.is(j.Release(j.ctx, old, j.now()), upgrade.ErrFenced)
		j.check(j.seq("r-1") == 1, "the fenced pass wrote")
		j.must(j.append(l, upgrade.Decided{}))
	}},
	{"a fenced writer is told so even when it is stale as well", func(j *journal) {
		j.open("r-1", web)
		old := j.claim()
		j.advance(leaseTime + time.Millisecond)
		j.must(j.append(j.claim(), upgrade.Decided{}))
		_, err := j.Append(j.ctx, old, upgrade.Change{Rollout: "r-1", Seq: 1, Events: j.events("", upgrade.Decided{})})
		j.is(err, upgrade.ErrFenced)
	}},
	{"a prolonged lease is not taken over", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		for range 5 {
			j.advance(leaseTime - time.Second)
			j.must(j.Extend(j.ctx, l))
			j.none()
		}
	}},
	{"a late owner may go on while nobody took over", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.advance(time.Hour)
		j.must(j.Extend(j.ctx, l))
		j.none()
	}},
	{"a lease that was given back is good for nothing", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.must(j.Release(j.ctx, l, j.now().Add(time.Hour)))
		j.is(j.Extend(j.ctx, l), upgrade.ErrFenced)
		j.is(j.append(l, upgrade.Decided{}), upgrade.ErrFenced)
		j.is(j.Release(j.ctx, l, j.now()), upgrade.ErrFenced)
	}},
	{"a released rollout is due when it was told, and not before", func(j *journal) {
		j.open("r-1", web)
		due := j.now().Add(10 * time.Second)
		j.must(j.Release(j.ctx, j.claim(), due))
		next := j.none()
		j.check(!next.Before(due) && next.Sub(due) <= time.Millisecond, "the next claim is at %s, want %s", next, due)
		j.advance(next.Sub(j.now()) - time.Millisecond)
		j.none()
		j.advance(time.Millisecond)
		j.claim()
		j.check(!j.now().Before(due), "it was claimed too early")
	}},
	{"a rollout released without a time waits for a word", func(j *journal) {
		j.open("r-1", web)
		j.must(j.Release(j.ctx, j.claim(), time.Time{}))
		j.advance(365 * 24 * time.Hour)
		next := j.none()
		j.check(next.IsZero(), "it is due at %s", next)
		j.must(j.say("r-1", "U0BO", upgrade.Paused{Name: "bo"}))
		j.claim()
	}},
	{"a word makes the rollout due at once", func(j *journal) {
		j.open("r-1", web)
		j.must(j.Release(j.ctx, j.claim(), j.now().Add(time.Hour)))
		j.none()
		j.must(j.say("r-1", "U0BO", upgrade.Paused{Name: "bo"}))
		j.claim()
	}},
	{"a word during a pass is not lost", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.must(j.say("r-1", "U0BO", upgrade.Paused{Name: "bo"}))
		j.must(j.Release(j.ctx, l, j.now().Add(time.Hour)))
		again := j.claim()
		j.check(again.Wakes > l.Wakes, "the second pass has not seen the word: %+v", again)
		j.must(j.Release(j.ctx, again, j.now().Add(time.Hour)))
		j.none()
	}},
	{"a word to one rollout wakes no other", func(j *journal) {
		j.open("r-1", web)
		j.open("r-2", shop)
		for range 2 {
			j.must(j.Release(j.ctx, j.claim(), j.now().Add(time.Hour)))
		}
		j.must(j.say("r-2", "U0BO", upgrade.Paused{Name: "bo"}))
		l := j.claim()
		j.check(l.Rollout == "r-2", "%s was woken", l.Rollout)
		j.none()
	}},
	{"an ended rollout is never due", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.must(j.append(l, upgrade.Ended{Outcome: upgrade.OutcomeSucceeded}))
		j.must(j.Release(j.ctx, l, j.now()))
		j.advance(time.Hour)
		next := j.none()
		j.check(next.IsZero(), "the next is at %s", next)
	}},
	{"of many who claim at once each rollout goes to one", func(j *journal) {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			j.open("r-"+id, upgrade.SetID("/x/"+id))
		}
		var mu sync.Mutex
		var all sync.WaitGroup
		claimed := map[string]int{}
		for range 4 {
			all.Go(func() {
				for {
					l, _, ok, err := j.Claim(j.ctx)
					if err != nil {
						j.t.Error(err)
					}
					if !ok {
						return
					}
					mu.Lock()
					claimed[l.Rollout]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		j.check(len(claimed) == 5, "%d rollouts were claimed", len(claimed))
		for id, n := range claimed {
			j.check(n == 1, "%s was claimed %d times", id, n)
		}
	}},
}
