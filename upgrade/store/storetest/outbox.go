package storetest

import (
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

var outbox = []promise{
	{"a post is due at once, with what it was wanted with", func(j *journal) {
		want := upgrade.Post{Rollout: "r-1", Slot: upgrade.SlotLive, Channel: "C1", Want: []byte(`{"x":1}`), Broadcast: true}
		j.want(want)
		p := j.post()
		j.check(fmt.Sprint(p.Post) == fmt.Sprint(want) && p.TS == "" && p.Thread == "" && p.Attempts == 0, "it is %+v", p)
	}},
	{"a delivered post is not due again until its slot wants another state", func(j *journal) {
		j.want(live)
		p := j.post()
		j.sent(p, upgrade.Sent{TS: "1.0", Hash: "h1"})
		j.quiet()
		j.want(live)
		again := j.post()
		j.check(again.ID == p.ID && again.Version > p.Version && again.TS == "1.0" && again.Hash == "h1" && again.Thread == "", "the edit is %+v", again)
	}},
	{"the latest wanted state wins", func(j *journal) {
		for i := range 3 {
			j.want(upgrade.Post{Rollout: "r-1", Slot: upgrade.SlotLive, Channel: "C1", Want: fmt.Appendf(nil, "%d", i)})
		}
		p := j.post()
		j.check(string(p.Want) == "2", "%s is wanted", p.Want)
		j.sent(p, upgrade.Sent{TS: "1.0"})
		j.quiet()
	}},
	{"a state wanted while the one before is sent stays due", func(j *journal) {
		j.want(live)
		p := j.post()
		j.want(live)
		j.sent(p, upgrade.Sent{TS: "1.0"})
		again := j.post()
		j.check(again.Version > p.Version && again.TS == "1.0", "it is %+v", again)
		j.sent(again, upgrade.Sent{})
		j.quiet()
	}},
	{"the next edit comes no earlier than was told", func(j *journal) {
		j.want(live)
		j.sent(j.post(), upgrade.Sent{TS: "1.0", Next: 3 * time.Second})
		j.want(live)
		next := j.quiet()
		j.check(next.Sub(j.now()) > 2900*time.Millisecond && next.Sub(j.now()) <= 3*time.Second, "the edit is due in %s", next.Sub(j.now()))
		j.advance(3 * time.Second)
		j.post()
	}},
	{"without a result the known message and hash stay", func(j *journal) {
		j.want(live)
		j.sent(j.post(), upgrade.Sent{TS: "1.0", Hash: "h1"})
		j.want(live)
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Second})
		j.advance(time.Second)
		p := j.post()
		j.check(p.TS == "1.0" && p.Hash == "h1" && p.Attempts == 1, "it is %+v", p)
		j.sent(p, upgrade.Sent{Hash: "h2"})
		j.want(live)
		p = j.post()
		j.check(p.TS == "1.0" && p.Hash == "h2" && p.Attempts == 0, "it is %+v", p)
	}},
	{"a failed post is tried again when it was told, as often as it takes", func(j *journal) {
		j.want(live)
		for i := range 5 {
			p := j.post()
			j.check(p.Attempts == i, "attempt %d is counted as %d", i, p.Attempts)
			j.sent(p, upgrade.Sent{Error: "ratelimited", Retry: 30 * time.Second})
			next := j.quiet()
			j.check(next.Sub(j.now()) > 29*time.Second, "it is due in %s", next.Sub(j.now()))
			j.advance(30 * time.Second)
		}
		j.post()
	}},
	{"a newer state does not shorten the wait after a failure", func(j *journal) {
		j.want(live)
		j.sent(j.post(), upgrade.Sent{Error: "ratelimited", Retry: 30 * time.Second})
		j.want(live)
		j.quiet()
	}},
	{"a post that was given up is due again when its slot wants another state", func(j *journal) {
		j.want(live)
		j.sent(j.post(), upgrade.Sent{Error: "channel_not_found", Retry: -1})
		next := j.quiet()
		j.check(next.IsZero(), "it is due at %s", next)
		j.want(live)
		j.post()
	}},
	{"the thread waits for its live message", func(j *journal) {
		j.want(plan, live)
		p := j.post()
		j.check(p.Slot == upgrade.SlotLive, "%s came first", p.Slot)
		j.sent(p, upgrade.Sent{Error: "timeout", Retry: time.Second})
		j.quiet()
		j.advance(time.Second)
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		p = j.post()
		j.check(p.Slot == upgrade.SlotPlan && p.Thread == "1.0", "it is %+v", p)
	}},
	{"the thread does not wait for a live message that was given up", func(j *journal) {
		j.want(live, plan)
		j.sent(j.post(), upgrade.Sent{Error: "restricted_action", Retry: -1})
		p := j.post()
		j.check(p.Slot == upgrade.SlotPlan && p.Thread == "", "it is %+v", p)
	}},
	{"a post of a rollout without a live message waits for nothing", func(j *journal) {
		j.want(plan)
		j.check(j.post().Slot == upgrade.SlotPlan, "it waits")
	}},
	{"a post to another place is no part of the thread", func(j *journal) {
		j.want(live, upgrade.Post{Rollout: "r-1", Slot: "reply/1", Channel: "D7"})
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Minute})
		j.want(upgrade.Post{Rollout: "r-1", Slot: "reply/2", Channel: "D7", User: "U0ANA"})
		p := j.post()
		j.check(p.Slot == "reply/2" && p.Thread == "", "it is %+v", p)
	}},
	{"new messages of a rollout keep the order they were wanted in", func(j *journal) {
		j.want(live, plan, batch(1))
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		p := j.post()
		j.check(p.Slot == upgrade.SlotPlan, "%s came first", p.Slot)
		j.sent(p, upgrade.Sent{Error: "timeout", Retry: time.Minute})
		j.want(batch(2))
		j.quiet()
		j.advance(time.Minute)
		for i, slot := range []string{upgrade.SlotPlan, "batch/1", "batch/2"} {
			p := j.post()
			j.check(p.Slot == slot, "%s came, want %s", p.Slot, slot)
			j.sent(p, upgrade.Sent{TS: fmt.Sprintf("2.%d", i)})
		}
	}},
	{"a message that can never be sent does not keep the ones after it for ever", func(j *journal) {
		j.want(plan, batch(1))
		for range 10 {
			p := j.post()
			j.check(p.Slot == upgrade.SlotPlan, "%s came before its time", p.Slot)
			j.sent(p, upgrade.Sent{Error: "render", Retry: time.Minute})
			j.advance(time.Minute)
		}
		j.check(j.post().Slot == "batch/1", "it is still in the way")
	}},
	{"a post whose turn has not come is due later, and that is no failed attempt", func(j *journal) {
		j.want(live, plan)
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		for range 20 {
			p := j.post()
			j.check(p.Slot == upgrade.SlotPlan && p.Attempts == 0, "it is %+v", p)
			j.sent(p, upgrade.Sent{Wait: time.Second})
			j.quiet()
			j.advance(time.Second)
		}
		j.want(live)
		p := j.post()
		j.sent(p, upgrade.Sent{Error: "timeout", Retry: time.Second})
		j.advance(time.Second)
		j.sent(j.post(), upgrade.Sent{TS: "2.0"})
		p = j.post()
		j.sent(p, upgrade.Sent{Wait: time.Second})
		j.advance(time.Second)
		j.check(j.post().Attempts == p.Attempts && j.post().TS == "1.0", "it was %+v, and is %+v", p, j.post())
	}},
	{"an edit does not wait for new messages", func(j *journal) {
		j.want(live, plan)
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Minute})
		j.want(live)
		j.check(j.post().Slot == upgrade.SlotLive, "it waits")
	}},
	{"an answer to one person waits for no message of the rollout", func(j *journal) {
		j.want(live, plan)
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Minute})
		j.want(upgrade.Post{Rollout: "r-1", Slot: "reply/1", Channel: "C1", User: "U0BO"})
		j.check(j.post().Slot == "reply/1", "it waits")
	}},
	{"one rollout's trouble keeps no other waiting", func(j *journal) {
		j.want(live)
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Minute})
		j.want(upgrade.Post{Rollout: "r-2", Slot: upgrade.SlotLive, Channel: "C1"}, upgrade.Post{Slot: "reply/1", Channel: "C1"}, upgrade.Post{Slot: "reply/2", Channel: "C1"})
		for _, slot := range []string{upgrade.SlotLive, "reply/1", "reply/2"} {
			p := j.post()
			j.check(p.Slot == slot && p.Rollout != "r-1", "%s of %q came, want %s", p.Slot, p.Rollout, slot)
			j.sent(p, upgrade.Sent{TS: slot})
		}
	}},
	{"the post that waits longest goes first", func(j *journal) {
		j.want(live)
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		j.advance(time.Second)
		j.want(upgrade.Post{Slot: "reply/1", Channel: "C1"})
		j.advance(time.Second)
		j.want(live)
		j.advance(time.Second)
		j.want(upgrade.Post{Slot: "reply/2", Channel: "C1"})
		j.advance(time.Second)
		j.want(live) // a slot that keeps changing keeps its place, and no better one
		for _, slot := range []string{"reply/1", upgrade.SlotLive, "reply/2"} {
			p := j.post()
			j.check(p.Slot == slot, "%s came, want %s", p.Slot, slot)
			j.sent(p, upgrade.Sent{TS: slot})
		}
	}},
	{"answers that belong to no rollout wait for nothing", func(j *journal) {
		j.want(upgrade.Post{Slot: "reply/1", Channel: "C1"})
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Minute})
		j.want(upgrade.Post{Slot: "reply/2", Channel: "C1"})
		j.check(j.post().Slot == "reply/2", "it waits")
	}},
	{"answers are passed over unless they are wanted, what calls one person about a rollout is not", func(j *journal) {
		j.want(upgrade.Post{Slot: "reply/1", Channel: "C1", User: "U0BO"}, upgrade.Post{Rollout: "r-1", Slot: "alarm/7", User: "U0BO"})
		p, _, ok, err := j.NextPost(j.ctx, true, false)
		j.must(err)
		j.check(ok && p.Slot == "alarm/7", "%s came", p.Slot)
		j.sent(p, upgrade.Sent{TS: "1.0"})
		_, next, ok, err := j.NextPost(j.ctx, true, false)
		j.must(err)
		j.check(!ok && next.IsZero(), "something else is due")
		j.check(j.post().Slot == "reply/1", "the answer is gone")
	}},
	{"the other answers of one person in one place are found, due or not, oldest first", func(j *journal) {
		mine := func(slot string) upgrade.Post {
			return upgrade.Post{Slot: slot, Channel: "C1", User: "U0BO", Want: []byte(`"` + slot + `"`)}
		}
		elsewhere, anothers := mine("reply/8"), mine("reply/9")
		elsewhere.Channel, anothers.User = "C2", "U0EVA"
		j.want(mine("reply/1"), mine("reply/2"), elsewhere, anothers, mine("picture/reply/1"), mine("reply/3"), upgrade.Post{Rollout: "r-1", Slot: "alarm/7", Channel: "C1", User: "U0BO"})
		first := j.post()
		second := j.others(first, 10, "reply/2", "reply/3")[0]
		j.sent(second, upgrade.Sent{Wait: time.Minute})
		again := j.others(first, 1, "reply/2")[0]
		j.check(again.Version == second.Version && string(again.Want) == `"reply/2"`, "it is %+v", again)
		j.sent(again, upgrade.Sent{TS: "1.0"})
		j.others(first, 10, "reply/3")
	}},
	{"answers are forgotten a day after they were sent, others never", func(j *journal) {
		j.want(live, upgrade.Post{Slot: "reply/1", Channel: "C1"}, upgrade.Post{Slot: "reply/2", Channel: "C1"})
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		j.sent(j.post(), upgrade.Sent{TS: "2.0"})
		j.advance(25 * time.Hour)
		j.must(j.settle())
		j.check(j.count(`select count(*) from outbox where slot = 'live'`) == 1, "the live message is forgotten")
		j.check(j.count(`select count(*) from outbox where slot = 'reply/1'`) == 0, "the sent answer is kept")
		j.check(j.post().Slot == "reply/2", "the unsent answer is forgotten")
	}},
}

var (
	live = upgrade.Post{Rollout: "r-1", Slot: upgrade.SlotLive, Channel: "C1"}
	plan = upgrade.Post{Rollout: "r-1", Slot: upgrade.SlotPlan, Channel: "C1"}
)

func batch(n int) upgrade.Post {
	return upgrade.Post{Rollout: "r-1", Slot: upgrade.BatchSlot(n), Channel: "C1"}
}

// want puts posts into the outbox, as answers to a made-up delivery.
func (j *journal) want(posts ...upgrade.Post) {
	j.t.Helper()
	j.must(j.Settle(j.ctx, upgrade.Settlement{Delivery: j.deliver().ID, Answers: posts}))
}

// post returns the post that is due; the test ends when there is none.
func (j *journal) post() upgrade.Pending {
	j.t.Helper()
	p, next, ok, err := j.NextPost(j.ctx, true, true)
	j.must(err)
	j.check(ok, "no post is due, the next is at %s", next)
	return p
}

// quiet ends the test when a post is due, and returns when the next one will be.
func (j *journal) quiet() time.Time {
	j.t.Helper()
	p, next, ok, err := j.NextPost(j.ctx, true, true)
	j.must(err)
	j.check(!ok, "%s of %q is due", p.Slot, p.Rollout)
	return next
}

func (j *journal) sent(p upgrade.Pending, s upgrade.Sent) {
	j.t.Helper()
	j.must(j.Sent(j.ctx, p, s))
}
