package storetest

import (
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// unsent are the promises about what people must see and do not: since when, and why.
var unsent = []promise{
	{"a message that was sent is not missed, whatever edit of it waits", func(j *journal) {
		j.rolled()
		j.missed("r-1", time.Time{}, "")
		j.want(live)
		j.sent(j.post(), upgrade.Sent{Error: "is_archived", Retry: time.Hour})
		j.advance(time.Hour)
		j.missed("r-1", time.Time{}, "")
	}},
	{"it is missed since it was first wanted, not since the last time", func(j *journal) {
		since := j.rolled(plan)
		j.missed("r-1", since, "")
		j.advance(time.Minute)
		j.want(plan)
		j.sent(j.post(), upgrade.Sent{Error: "is_archived", Retry: time.Second})
		j.advance(time.Minute)
		j.want(plan)
		j.missed("r-1", since, "is_archived")
	}},
	{"the oldest one counts, and its last reason", func(j *journal) {
		since := j.rolled(plan)
		j.advance(time.Minute)
		j.want(batch(1))
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Second})
		j.advance(time.Second)
		j.sent(j.post(), upgrade.Sent{Error: "not_in_channel", Retry: time.Second})
		j.missed("r-1", since, "not_in_channel")
		j.advance(time.Second)
		j.sent(j.post(), upgrade.Sent{TS: "2.0"})
		r := j.record("r-1")
		j.check(r.Unsent.After(since) && r.UnsentWhy == "", "after it was sent the next one is missed since %s: %q", r.Unsent, r.UnsentWhy)
		j.sent(j.post(), upgrade.Sent{TS: "3.0"})
		j.missed("r-1", time.Time{}, "")
	}},
	{"a message whose turn has not come keeps the reason why it was not there", func(j *journal) {
		since := j.rolled(plan)
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Second})
		j.advance(time.Second)
		j.sent(j.post(), upgrade.Sent{Wait: time.Second})
		j.missed("r-1", since, "timeout")
		j.advance(time.Second)
		j.sent(j.post(), upgrade.Sent{Wait: time.Minute, Error: "ratelimited"})
		j.missed("r-1", since, "ratelimited")
	}},
	{"what only one person sees is missed by nobody else", func(j *journal) {
		j.rolled(upgrade.Post{Rollout: "r-1", Slot: "alarm/7", User: "U0BO"}, upgrade.Post{Slot: "reply/1", Channel: "C1", User: "U0BO"})
		j.missed("r-1", time.Time{}, "")
	}},
	{"a picture that cannot be sent is missed by nobody, and keeps no message waiting", func(j *journal) {
		j.rolled(picture(7), plan)
		j.sent(j.post(), upgrade.Sent{Error: "missing_scope", Retry: time.Hour})
		j.check(j.post().Slot == plan.Slot, "the plan waits for the picture before it")
		j.sent(j.post(), upgrade.Sent{TS: "2.0"})
		j.missed("r-1", time.Time{}, "")
	}},
	{"a picture that is given up leaves nothing behind", func(j *journal) {
		j.rolled(picture(7), picture(9), upgrade.Post{Slot: "picture/reply/1", User: "U0BO"})
		for range 3 {
			j.sent(j.post(), upgrade.Sent{Error: "missing_scope", Retry: -1})
		}
		next := j.quiet()
		j.check(next.IsZero(), "something is due at %s", next)
		j.missed("r-1", time.Time{}, "")
		j.advance(25 * time.Hour)
		j.must(j.settle())
		j.check(j.count(`select count(*) from outbox where rollout = ''`) == 0, "what was for one person is kept")
	}},
	{"pictures of a rollout keep their order, and take no message's place", func(j *journal) {
		j.rolled(picture(7), plan, picture(9), batch(1))
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Second})
		for _, slot := range []string{upgrade.SlotPlan, upgrade.BatchSlot(1)} {
			p := j.post()
			j.check(p.Slot == slot, "%s came, want %s", p.Slot, slot)
			j.sent(p, upgrade.Sent{TS: slot})
		}
		j.quiet()
		j.advance(time.Second)
		for _, seq := range []int{7, 9} {
			p := j.post()
			j.check(p.Slot == upgrade.PictureSlot(seq) && p.Thread == "1.0", "%s came for thread %q, want picture %d", p.Slot, p.Thread, seq)
			j.sent(p, upgrade.Sent{TS: "F1"})
		}
		j.quiet()
	}},
	{"a picture waits for the live message whose thread it goes to, and for what was wanted before it", func(j *journal) {
		j.open("r-1", web)
		j.want(picture(7), live)
		j.sent(j.post(), upgrade.Sent{Error: "is_archived", Retry: time.Second})
		j.quiet()
		j.advance(time.Second)
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		j.check(j.post().Slot == upgrade.PictureSlot(7), "it is %s", j.post().Slot)
		j.sent(j.post(), upgrade.Sent{TS: "F1"})
		j.want(plan, picture(9))
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Second})
		j.quiet()
	}},
	{"while a picture is under way the rest goes on, and no other picture begins", func(j *journal) {
		j.rolled(picture(7), plan)
		j.want(upgrade.Post{Slot: "picture/reply/1", User: "U0BO"}, upgrade.Post{Slot: "reply/1", Channel: "C1", User: "U0BO"})
		for _, slot := range []string{upgrade.SlotPlan, "reply/1"} {
			p, _, ok, err := j.NextPost(j.ctx, false, true)
			j.must(err)
			j.check(ok && p.Slot == slot, "%s came, want %s", p.Slot, slot)
			j.sent(p, upgrade.Sent{TS: "2.0"})
		}
		p, next, ok, err := j.NextPost(j.ctx, false, true)
		j.must(err)
		j.check(!ok && next.IsZero(), "%s is due, or something at %s", p.Slot, next)
		j.check(j.post().Slot == upgrade.PictureSlot(7), "%s came first", j.post().Slot)
	}},
	{"one rollout's pictures keep no other one's waiting", func(j *journal) {
		j.rolled(picture(7))
		j.sent(j.post(), upgrade.Sent{Error: "timeout", Retry: time.Hour})
		j.open("r-2", shop)
		j.want(upgrade.Post{Rollout: "r-2", Slot: upgrade.SlotLive, Channel: "C1"})
		j.sent(j.post(), upgrade.Sent{TS: "2.0"})
		j.want(upgrade.Post{Rollout: "r-2", Slot: upgrade.PictureSlot(3), Channel: "C1"})
		j.check(j.post().Rollout == "r-2", "it waits")
	}},
	{"one rollout's trouble is not another one's", func(j *journal) {
		j.open("r-2", shop)
		since := j.rolled(plan)
		j.missed("r-1", since, "")
		j.check(j.record("r-2").Unsent.IsZero(), "r-2 misses what is r-1's")
	}},
	{"of all rollouts the open ones count", func(j *journal) {
		u, err := j.Unsent(j.ctx)
		j.must(err)
		j.check(u == upgrade.Unheard{}, "an empty journal misses something since %s", u.Since)
		since := j.rolled(plan)
		j.sent(j.post(), upgrade.Sent{Error: "is_archived", Retry: time.Hour})
		u, err = j.Unsent(j.ctx)
		j.must(err)
		j.check(u.Since.Equal(since) && u.Why == "is_archived", "missed since %s, want %s: %q", u.Since, since, u.Why)
		j.must(j.say("r-1", "", upgrade.Ended{Outcome: upgrade.OutcomeAborted}))
		u, err = j.Unsent(j.ctx)
		j.must(err)
		j.check(u.Since.IsZero(), "an ended rollout is missed since %s", u.Since)
	}},
	{"a call for one person waits for no message of the channel that is out of reach", func(j *journal) {
		j.open("r-1", web)
		j.want(live, upgrade.Post{Rollout: "r-1", Slot: "alarm/7", Channel: "C1", User: "U0BO"})
		j.sent(j.post(), upgrade.Sent{Error: "is_archived", Retry: time.Hour})
		p := j.post()
		j.check(p.Slot == "alarm/7" && p.Thread == "", "it is %+v", p)
	}},
	{"a journal that takes writes says so, and keeps nothing of it", func(j *journal) {
		for range 3 {
			j.must(j.Writable(j.ctx))
		}
		j.check(j.count(`select count(*) from scratch`) == 0, "something is left")
		j.quiet()
	}},
}

func picture(seq int) upgrade.Post {
	return upgrade.Post{Rollout: "r-1", Slot: upgrade.PictureSlot(seq), Channel: "C1"}
}

// rolled opens r-1, whose live message is there, wants the posts, and returns when that was.
func (j *journal) rolled(posts ...upgrade.Post) time.Time {
	j.t.Helper()
	j.open("r-1", web)
	j.want(live)
	j.sent(j.post(), upgrade.Sent{TS: "1.0"})
	j.advance(time.Second)
	if len(posts) > 0 {
		j.want(posts...)
	}
	return j.now().Truncate(time.Millisecond)
}

// missed ends the test unless the rollout misses a message since then, for that reason.
func (j *journal) missed(id string, since time.Time, why string) {
	j.t.Helper()
	r := j.record(id)
	j.check(r.Unsent.Equal(since) && r.UnsentWhy == why, "%s misses a message since %s because of %q, want %s and %q", id, r.Unsent, r.UnsentWhy, since, why)
}
