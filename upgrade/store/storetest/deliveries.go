package storetest

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

var deliveries = []promise{
	{"a delivery is fresh once, however often it is sent", func(j *journal) {
		d := upgrade.Delivery{Key: "k", Kind: "interactive", Body: []byte(`{"a":1}`), At: j.now()}
		for i, want := range []int{1, 0, 0} {
			fresh, err := j.Receive(j.ctx, d)
			j.must(err)
			j.check(fresh == want, "time %d: fresh = %d", i+1, fresh)
		}
		list, err := j.Unsettled(j.ctx, 0, 10)
		j.must(err)
		j.check(len(list) == 1, "%d deliveries wait, want 1", len(list))
		got := list[0]
		j.check(got.Key == d.Key && got.Kind == d.Kind && string(got.Body) == string(d.Body) && got.At.Equal(d.At), "it came back as %+v", got)
	}},
	{"words that no database takes are kept as far as they can be, and keep nothing from being written", func(j *journal) {
		const odd = "\xff\x00\xed\xa0\x80�' $1 \\"
		j.n++
		_, err := j.Receive(j.ctx, upgrade.Delivery{Key: "odd " + odd, Kind: odd, Body: []byte(`{"text":"` + odd + `"}`), At: j.now()})
		j.must(err)
		list, err := j.Unsettled(j.ctx, 0, 10)
		j.must(err)
		j.check(len(list) == 1 && strings.HasPrefix(list[0].Key, "odd "), "it came back as %+v", list)
		opening := j.opening("r-1", web)
		opening.Events = append(opening.Events, j.events("U0BO", upgrade.Paused{Name: odd, Reason: odd})...)
		opening.Posts = []upgrade.Post{{Rollout: "r-1", Slot: "live", Channel: odd, Want: []byte(`{"x":"` + odd + `"}`)}}
		j.must(j.settle(opening))
		j.sent(j.post(), upgrade.Sent{Error: odd, Retry: time.Second})
		j.must(j.Verify(j.ctx))
	}},
	{"a redelivery is known ten minutes after the first was settled", func(j *journal) {
		d := j.deliver()
		j.must(j.Settle(j.ctx, upgrade.Settlement{Delivery: d.ID}))
		j.advance(10 * time.Minute)
		j.must(j.settle()) // others are served meanwhile
		fresh, err := j.Receive(j.ctx, d)
		j.must(err)
		j.check(fresh == 0, "it was taken for a new one")
	}},
	{"a redelivery is known for as long as a rollout can live", func(j *journal) {
		d := j.deliver()
		j.must(j.Settle(j.ctx, upgrade.Settlement{Delivery: d.ID}))
		j.advance(upgrade.DefaultPolicy().WholeLife)
		j.must(j.settle())
		fresh, err := j.Receive(j.ctx, d)
		j.must(err)
		j.check(fresh == 0, "it was taken for a new one")
	}},
	{"settled deliveries are forgotten after nine days, open ones never", func(j *journal) {
		open := j.deliver()
		j.must(j.settle())
		j.advance(9 * 24 * time.Hour)
		j.must(j.settle())
		j.check(j.count(`select count(*) from inbox`) == 2, "%d deliveries are kept, want the open one and the last", j.count(`select count(*) from inbox`))
		list, err := j.Unsettled(j.ctx, 0, 10)
		j.must(err)
		j.check(len(list) == 1 && list[0].ID == open.ID, "the open delivery is gone")
	}},
	{"deliveries that come together are on disk together, known ones once, or not at all", func(j *journal) {
		known := j.deliver()
		new := upgrade.Delivery{Key: "new", Kind: "interactive", Body: []byte("{}"), At: j.now()}
		fresh, err := j.Receive(j.ctx, new, known, new)
		j.must(err)
		j.check(fresh == 1, "%d were fresh, want 1", fresh)
		_, err = j.Receive(j.ctx, upgrade.Delivery{Key: "good", Kind: "interactive", At: j.now()}, upgrade.Delivery{Kind: "interactive", At: j.now()})
		j.check(err != nil, "one without a key was taken")
		list, err := j.Unsettled(j.ctx, 0, 10)
		j.must(err)
		j.check(len(list) == 2 && list[1].Key == "new", "these wait: %v", list)
	}},
	{"a delivery without a key is refused", func(j *journal) {
		_, err := j.Receive(j.ctx, upgrade.Delivery{Kind: "interactive", At: j.now()})
		j.check(err != nil, "it was taken: all of them would be one")
	}},
	{"deliveries wait in the order they came", func(j *journal) {
		first, second, third := j.deliver(), j.deliver(), j.deliver()
		j.must(j.Settle(j.ctx, upgrade.Settlement{Delivery: second.ID}))
		list, err := j.Unsettled(j.ctx, 0, 10)
		j.must(err)
		j.check(len(list) == 2 && list[0].ID == first.ID && list[1].ID == third.ID, "the order is %v", list)
		list, err = j.Unsettled(j.ctx, 0, 1)
		j.must(err)
		j.check(len(list) == 1 && list[0].ID == first.ID, "one asked for: %v", list)
		list, err = j.Unsettled(j.ctx, first.ID, 10)
		j.must(err)
		j.check(len(list) == 1 && list[0].ID == third.ID, "after the first: %v", list)
	}},
	{"the body of a settled delivery is dropped", func(j *journal) {
		j.must(j.settle())
		j.check(j.count(`select count(*) from inbox where body is not null`) == 0, "a body is kept")
	}},
	{"what a delivery comes to is committed as a whole", func(j *journal) {
		d := j.deliver()
		answer := upgrade.Post{Slot: "reply/1", Channel: "C1", User: "U0ANA", Want: []byte(`{"text":"yes"}`)}
		j.must(j.Settle(j.ctx, upgrade.Settlement{Delivery: d.ID, Changes: []upgrade.Change{j.opening("r-1", web)}, Answers: []upgrade.Post{answer}}))
		j.check(j.seq("r-1") == 1, "the rollout is at %d", j.seq("r-1"))
		p := j.post()
		j.check(p.Slot == "reply/1" && p.User == "U0ANA" && string(p.Want) == `{"text":"yes"}`, "the answer is %+v", p)
		list, err := j.Unsettled(j.ctx, 0, 10)
		j.must(err)
		j.check(len(list) == 0, "the delivery still waits")
	}},
	{"nothing of a settlement is kept when one of its changes is stale", func(j *journal) {
		j.open("r-1", web)
		j.open("r-2", shop)
		d := j.deliver()
		ok := upgrade.Change{Rollout: "r-1", Seq: 1, Events: j.events("U0BO", upgrade.Paused{Name: "bo"}), Posts: []upgrade.Post{{Rollout: "r-1", Slot: "said/2", Channel: "C1"}}}
		stale := upgrade.Change{Rollout: "r-2", Seq: 0, Events: j.events("U0BO", upgrade.Paused{Name: "bo"})}
		err := j.Settle(j.ctx, upgrade.Settlement{Delivery: d.ID, Changes: []upgrade.Change{ok, stale}, Answers: []upgrade.Post{{Slot: "reply/1"}}})
		j.is(err, upgrade.ErrStale)
		j.check(j.seq("r-1") == 1, "the first change stayed")
		j.quiet()
		list, err := j.Unsettled(j.ctx, 0, 10)
		j.must(err)
		j.check(len(list) == 1, "the delivery was settled")
	}},
	{"settling twice changes nothing the second time", func(j *journal) {
		j.open("r-1", web)
		d := j.deliver()
		s := upgrade.Settlement{Delivery: d.ID, Changes: []upgrade.Change{{Rollout: "r-1", Seq: 1, Events: j.events("U0BO", upgrade.Paused{Name: "bo"})}},
			Answers: []upgrade.Post{{Slot: "reply/1", Channel: "C1", User: "U0BO"}}}
		j.must(j.Settle(j.ctx, s))
		s.Changes[0].Seq = 2
		j.must(j.Settle(j.ctx, s))
		j.check(j.seq("r-1") == 2, "the fact stands there %d times", j.seq("r-1")-1)
		j.check(j.count(`select count(*) from outbox where slot = 'reply/1' and version = 1`) == 1, "the answer was wanted twice")
	}},
	{"a delivery that never was cannot be settled", func(j *journal) {
		err := j.Settle(j.ctx, upgrade.Settlement{Delivery: 99, Changes: []upgrade.Change{j.opening("r-1", web)}})
		j.check(err != nil, "it was")
		_, err = j.Record(j.ctx, "r-1")
		j.is(err, upgrade.ErrNotFound)
	}},
	{"of many who settle one delivery at once one does", func(j *journal) {
		j.open("r-1", web)
		d := j.deliver()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				c := upgrade.Change{Rollout: "r-1", Seq: 1, Events: j.events("U0BO", upgrade.Paused{Name: "bo"})}
				if err := j.Settle(j.ctx, upgrade.Settlement{Delivery: d.ID, Changes: []upgrade.Change{c}}); err != nil {
					j.t.Error(err)
				}
			})
		}
		all.Wait()
		j.check(j.seq("r-1") == 2, "the rollout is at %d", j.seq("r-1"))
	}},
	{"of many who write after the same event one does", func(j *journal) {
		j.open("r-1", web)
		ids := make([]int64, 8)
		for i := range ids {
			ids[i] = j.deliver().ID
		}
		var done atomic.Int32
		var all sync.WaitGroup
		for _, id := range ids {
			all.Go(func() {
				c := upgrade.Change{Rollout: "r-1", Seq: 1, Events: j.events("U0BO", upgrade.Paused{Name: "bo"})}
				if j.Settle(j.ctx, upgrade.Settlement{Delivery: id, Changes: []upgrade.Change{c}}) == nil {
					done.Add(1)
				}
			})
		}
		all.Wait()
		j.check(done.Load() == 1 && j.seq("r-1") == 2, "%d were committed, the rollout is at %d", done.Load(), j.seq("r-1"))
	}},
}
