package storetest

import (
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// groups are the promises about rollouts that one command opens together.
var groups = []promise{
	{"rollouts that are opened together are found by their group, also those that have ended", func(j *journal) {
		j.open("r-9", "/alone")
		j.must(j.settle(j.together()...))
		j.must(j.say("r-a", "", upgrade.Ended{Outcome: upgrade.OutcomeSucceeded}))
		j.grouped("g-a", "r-a", "r-b")
		j.grouped("g-b")
		j.grouped("g-9")
	}},
	{"all of them are opened or none is", func(j *journal) {
		j.open("r-1", shop)
		j.is(j.settle(j.together()...), upgrade.ErrLocked)
		j.grouped("g-a")
		_, err := j.Holder(j.ctx, web)
		j.is(err, upgrade.ErrNotFound)
	}},
	{"an end has the reports of the others in its group drawn anew, and no other's", func(j *journal) {
		j.must(j.settle(j.together()...))
		j.open("r-9", "/alone")
		for _, id := range []string{"r-a", "r-9"} {
			j.must(j.say(id, "", upgrade.Ended{Outcome: upgrade.OutcomeAborted}))
			j.want(upgrade.Post{Rollout: id, Slot: upgrade.SlotReport, Channel: "C1", Broadcast: true})
			j.sent(j.post(), upgrade.Sent{TS: id, Hash: "h"})
		}
		j.quiet()
		j.must(j.say("r-b", "", upgrade.Ended{Outcome: upgrade.OutcomeAborted}))
		p := j.post()
		j.check(p.Rollout == "r-a" && p.Slot == upgrade.SlotReport && p.TS == "r-a" && p.Broadcast, "it is %+v", p)
		j.sent(p, upgrade.Sent{TS: "r-a", Hash: "h"})
		j.quiet()
	}},
	{"those of later waves are looked at when one ends", func(j *journal) {
		j.must(j.settle(j.together()...))
		a, b := j.claim(), j.claim()
		j.must(j.Release(j.ctx, a, j.now().Add(time.Hour)))
		j.must(j.Release(j.ctx, b, j.now().Add(time.Hour)))
		j.must(j.say("r-a", "", upgrade.Ended{Outcome: upgrade.OutcomeSucceeded}))
		j.check(j.claim().Rollout == "r-b", "r-b is not due")
	}},
	{"the group's message waits for no thread, and its thread is the group's", func(j *journal) {
		j.must(j.settle(j.together()...))
		j.want(upgrade.Post{Rollout: "r-a", Slot: upgrade.SlotLive, Channel: "C1"}, upgrade.Post{Rollout: "r-a", Slot: upgrade.SlotGroup, Channel: "C1"})
		live := j.post()
		j.sent(live, upgrade.Sent{TS: "1.0"})
		group := j.post()
		j.check(group.Slot == upgrade.SlotGroup && group.Thread == "", "after the live message comes %+v", group)
		j.sent(group, upgrade.Sent{TS: "2.0"})
		for ts, want := range map[string]string{"1.0": "r-a", "2.0": "g-a"} {
			id, err := j.Thread(j.ctx, "C1", ts)
			j.must(err)
			j.check(id == want, "thread %s is of %s, want %s", ts, id, want)
		}
	}},
}

// together are the changes that open two rollouts as one group, the second one in the second wave.
func (j *journal) together() []upgrade.Change {
	a, b := j.opening("r-a", web), j.opening("r-b", shop)
	for n, c := range []upgrade.Change{a, b} {
		f := c.Events[0].Fact.(upgrade.Requested)
		f.Wave = &upgrade.Wave{Group: "g-a", N: n + 1, Of: 2}
		c.Events[0].Fact = f
	}
	return []upgrade.Change{a, b}
}

func (j *journal) grouped(group string, want ...string) {
	j.t.Helper()
	all, err := j.Group(j.ctx, group)
	j.must(err)
	var got []string
	for _, r := range all {
		got = append(got, r.ID)
	}
	j.check(len(got) == len(want), "group %s has %v, want %v", group, got, want)
	for i := range want {
		j.check(got[i] == want[i], "group %s has %v, want %v", group, got, want)
	}
}
