package storetest

import (
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// schedules are the promises about what is asked for later.
var schedules = []promise{
	{"a schedule is found until it is taken away, oldest first", func(j *journal) {
		soak := time.Hour
		first := upgrade.Schedule{ID: "s-2", Set: web, Name: "web", Ask: upgrade.Ask{Set: "g/web", Target: "latest", Soak: &soak, Channel: "C1"}, Said: "upgrade web latest",
			Cron: "0 2 * * SUN", Zone: "Europe/Prague", By: "U0ANA", ByName: "ana", Made: j.now()}
		j.must(j.schedule(first))
		j.advance(time.Minute)
		j.must(j.schedule(upgrade.Schedule{ID: "s-1", Made: j.now()}))
		all := j.scheduled("s-2", "s-1")
		got := all[0]
		j.check(got.Served.Equal(j.now().Add(-time.Minute).Truncate(time.Millisecond)), "it is dealt with up to %s", got.Served)
		j.check(got.Ask.Target == "latest" && *got.Ask.Soak == soak && got.Cron == first.Cron && got.Zone == first.Zone && got.By == "U0ANA" && got.Made.Equal(first.Made), "it reads %+v", got)
		end := func() error {
			return j.settle(upgrade.Change{Events: j.events("U0BO", upgrade.Unscheduled{ID: "s-2", Name: "bo"})})
		}
		j.must(end())
		j.scheduled("s-1")
		j.is(end(), upgrade.ErrStale)
	}},
	{"an occurrence opens its rollout and is dealt with, both or neither", func(j *journal) {
		j.must(j.schedule(upgrade.Schedule{ID: "s-1", Made: j.now()}))
		at := j.now().Add(time.Hour).Truncate(time.Minute)
		j.must(j.fire("s-1", at, "r-1"))
		j.check(j.record("r-1").Rollout.Requester == "U0ANA", "r-1 reads %+v", j.record("r-1").Rollout)
		j.check(j.scheduled("s-1")[0].Served.Equal(at), "it is dealt with up to %s", j.scheduled("s-1")[0].Served)
		j.claim()

		j.is(j.fire("s-1", at.Add(time.Hour), "r-2"), upgrade.ErrLocked)
		_, err := j.Record(j.ctx, "r-2")
		j.is(err, upgrade.ErrNotFound)
		j.check(j.scheduled("s-1")[0].Served.Equal(at), "what opened nothing is dealt with")
		events, err := j.System(j.ctx, 10)
		j.must(err)
		j.check(len(events) == 2 && upgrade.FactKind(events[1].Fact) == "Fired", "the system stream has %+v", events)
	}},
	{"an occurrence is dealt with once, and not after the schedule was taken away", func(j *journal) {
		j.must(j.schedule(upgrade.Schedule{ID: "s-1", Made: j.now()}))
		at := j.now().Add(time.Hour).Truncate(time.Minute)
		missed := func(at time.Time) error {
			return j.Commit(j.ctx, upgrade.Change{Events: j.events("", upgrade.Fired{ID: "s-1", For: at, Missed: true}), Posts: []upgrade.Post{{Slot: "told/s-1/" + at.String(), Channel: "C1"}}})
		}
		j.must(missed(at))
		j.is(missed(at), upgrade.ErrStale)
		j.is(j.fire("s-1", at, "r-1"), upgrade.ErrStale)
		j.is(j.fire("s-1", at.Add(-time.Minute), "r-1"), upgrade.ErrStale)
		j.must(j.settle(upgrade.Change{Events: j.events("U0BO", upgrade.Unscheduled{ID: "s-1"})}))
		j.is(j.fire("s-1", at.Add(time.Hour), "r-1"), upgrade.ErrStale)
		j.is(j.fire("s-9", at.Add(time.Hour), "r-1"), upgrade.ErrStale)
		_, err := j.Record(j.ctx, "r-1")
		j.is(err, upgrade.ErrNotFound)
		j.check(j.count("select count(*) from outbox") == 1, "it was told more than once")
		j.must(j.Verify(j.ctx))
	}},
	{"a version of an image is told of once, by whoever is first", func(j *journal) {
		see := func(place, version, before string) error {
			return j.Commit(j.ctx, upgrade.Change{Events: j.events("", upgrade.Sighted{Place: place, Version: version, Before: before}), Posts: []upgrade.Post{{Slot: "told/" + place + version, Channel: "C1"}}})
		}
		j.must(see("westeurope a", "1.0", ""))
		j.is(see("westeurope a", "1.1", ""), upgrade.ErrStale)
		j.must(see("westeurope a", "2.0", "1.0"))
		j.is(see("westeurope a", "2.0", "1.0"), upgrade.ErrStale)
		j.is(see("westeurope b", "2.0", "1.0"), upgrade.ErrStale)
		j.must(see("westeurope b", "2.0", ""))
		all, err := j.Sightings(j.ctx)
		j.must(err)
		j.check(len(all) == 2 && all["westeurope a"] == "2.0" && all["westeurope b"] == "2.0", "it knows %v", all)
		j.check(j.count("select count(*) from outbox") == 3, "what was refused is told")
	}},
	{"whoever waits for occurrences hears of a new schedule", func(j *journal) {
		<-j.Occurrences() // that it was opened
		j.must(j.schedule(upgrade.Schedule{ID: "s-1", Made: j.now()}))
		select {
		case <-j.Occurrences():
		default:
			j.t.Error("nobody was told")
		}
	}},
}

func (j *journal) schedule(s upgrade.Schedule) error {
	return j.settle(upgrade.Change{Events: j.events(s.By, upgrade.Scheduled{Schedule: s})})
}

// fire commits that an occurrence opened a rollout of web.
func (j *journal) fire(id string, at time.Time, rollout string) error {
	open := j.opening(rollout, web)
	return j.Commit(j.ctx, upgrade.Change{Events: j.events("", upgrade.Fired{ID: id, For: at, Rollout: rollout}), Then: &open})
}

// scheduled checks which schedules there are.
func (j *journal) scheduled(want ...string) []upgrade.Schedule {
	j.t.Helper()
	all, err := j.Schedules(j.ctx)
	j.must(err)
	var got []string
	for _, s := range all {
		got = append(got, s.ID)
	}
	j.check(slices.Equal(got, want), "these are scheduled: %v, want %v", got, want)
	return all
}
