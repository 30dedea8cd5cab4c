package storetest

import (
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// freezes are the promises about what stops many rollouts at once.
var freezes = []promise{
	{"a freeze is found until its end, oldest first", func(j *journal) {
		first := upgrade.Freeze{ID: "f-2", Sets: []string{"web-*"}, Start: j.now(), End: j.now().Add(time.Hour), Why: "sale", By: "U0EVA", Name: "eva"}
		j.must(j.freeze(first))
		j.advance(time.Minute)
		j.must(j.freeze(upgrade.Freeze{ID: "f-1", Start: j.now()}))
		j.frozen("f-2", "f-1")
		all, err := j.Freezes(j.ctx)
		j.must(err)
		j.check(all[0].Why == "sale" && all[0].Name == "eva" && all[0].Sets[0] == "web-*" && all[0].Start.Equal(first.Start) && all[0].End.Equal(first.End), "it reads %+v", all[0])
		j.advance(time.Hour)
		j.frozen("f-1")
	}},
	{"one that was lifted holds no more, and is lifted once", func(j *journal) {
		j.must(j.freeze(upgrade.Freeze{ID: "f-1", Start: j.now()}))
		lift := func() error {
			return j.settle(upgrade.Change{Events: j.events("U0BO", upgrade.Unfroze{ID: "f-1", Name: "bo"})})
		}
		j.must(lift())
		j.frozen()
		j.is(lift(), upgrade.ErrStale)
	}},
	{"the policies that were noted last are found, every open rollout is looked at, and the audit is whole", func(j *journal) {
		if list, known, err := j.Policies(j.ctx); err != nil || known || len(list) > 0 {
			j.check(false, "an empty journal knows policies: %v, %v, %v", list, known, err)
		}
		j.open("r-1", web)
		j.must(j.Release(j.ctx, j.claim(), j.now().Add(time.Hour)))
		note := func(soak time.Duration) error {
			fact := upgrade.Governed{Policies: []upgrade.Policy{{Pattern: "web-*", Soak: soak, Readers: []string{}}}}
			return j.Commit(j.ctx, upgrade.Change{Events: j.events("", fact), Posts: []upgrade.Post{{Slot: "told/rules/1/0", Channel: "C1", Want: []byte("{}")}}})
		}
		j.must(note(time.Minute))
		j.must(j.Release(j.ctx, j.claim(), j.now().Add(time.Hour)))
		j.must(note(time.Hour))
		j.claim()
		list, known, err := j.Policies(j.ctx)
		j.must(err)
		want := upgrade.Policy{Pattern: "web-*", Soak: time.Hour, Readers: []string{}}
		j.check(known && len(list) == 1 && list[0].Version() == want.Version(), "it knows %+v", list)
		j.must(j.Verify(j.ctx))
	}},
	{"every open rollout is looked at when one is said or lifted", func(j *journal) {
		j.open("r-1", web)
		j.must(j.Release(j.ctx, j.claim(), j.now().Add(time.Hour)))
		j.must(j.freeze(upgrade.Freeze{ID: "f-1", Start: j.now()}))
		j.must(j.Release(j.ctx, j.claim(), j.now().Add(time.Hour)))
		j.must(j.settle(upgrade.Change{Events: j.events("U0BO", upgrade.Unfroze{ID: "f-1"})}))
		j.claim()
	}},
	{"a freeze that comes while a rollout is looked at is not missed", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.must(j.freeze(upgrade.Freeze{ID: "f-1", Start: j.now()}))
		j.must(j.Release(j.ctx, l, j.now().Add(time.Hour)))
		j.claim()
	}},
}

func (j *journal) freeze(f upgrade.Freeze) error {
	return j.settle(upgrade.Change{Events: j.events(f.By, upgrade.Froze{Freeze: f})})
}

// frozen checks which freezes hold.
func (j *journal) frozen(want ...string) {
	j.t.Helper()
	all, err := j.Freezes(j.ctx)
	j.must(err)
	var got []string
	for _, f := range all {
		got = append(got, f.ID)
	}
	j.check(slices.Equal(got, want), "these freezes hold: %v, want %v", got, want)
}
