package storetest

import (
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

var signals = []promise{
	{"whatever the last process left is looked for", func(j *journal) {
		j.signalled("PDO")
	}},
	{"a delivery calls the worker, a redelivery does not", func(j *journal) {
		j.drain()
		d := upgrade.Delivery{Key: "k", At: j.now()}
		_, err := j.Receive(j.ctx, d)
		j.must(err)
		j.signalled("D")
		_, err = j.Receive(j.ctx, d)
		j.must(err)
		j.signalled("")
	}},
	{"a new rollout calls the engine", func(j *journal) {
		d := j.deliver()
		j.drain()
		j.must(j.Settle(j.ctx, upgrade.Settlement{Delivery: d.ID, Changes: []upgrade.Change{j.opening("r-1", web)}}))
		j.signalled("P")
	}},
	{"a word calls the engine, an answer the sender", func(j *journal) {
		j.open("r-1", web)
		d := j.deliver()
		j.drain()
		c := upgrade.Change{Rollout: "r-1", Seq: 1, Events: j.events("U0BO", upgrade.Paused{Name: "bo"})}
		j.must(j.Settle(j.ctx, upgrade.Settlement{Delivery: d.ID, Changes: []upgrade.Change{c}, Answers: []upgrade.Post{{Slot: "reply/1"}}}))
		j.signalled("PO")
	}},
	{"nobody is called for what was not committed", func(j *journal) {
		j.open("r-1", web)
		d := j.deliver()
		j.drain()
		c := upgrade.Change{Rollout: "r-1", Seq: 0, Events: j.events("U0BO", upgrade.Paused{Name: "bo"})}
		j.is(j.Settle(j.ctx, upgrade.Settlement{Delivery: d.ID, Answers: []upgrade.Post{{Slot: "reply/1"}}, Changes: []upgrade.Change{c}}), upgrade.ErrStale)
		j.signalled("")
	}},
	{"a pass that wants a message calls the sender, one that does not calls nobody", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.drain()
		j.must(j.append(l, upgrade.Decided{}))
		j.signalled("")
		_, err := j.Append(j.ctx, l, upgrade.Change{Rollout: "r-1", Seq: 2, Posts: []upgrade.Post{live}})
		j.must(err)
		j.signalled("O")
	}},
	{"the end of a pass calls the engine: it may be due at once", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.drain()
		j.must(j.Release(j.ctx, l, j.now().Add(time.Minute)))
		j.signalled("P")
	}},
	{"signals that nobody takes do not pile up and hold nobody", func(j *journal) {
		for range 5 {
			j.deliver()
		}
		j.signalled("PDO")
		j.signalled("")
	}},
}

// signalled takes what is signalled and compares: P passes, D deliveries, O outbox.
func (j *journal) signalled(want string) {
	j.t.Helper()
	if got := j.drain(); got != want {
		j.t.Fatalf("signalled %q, want %q", got, want)
	}
}

// drain takes all signals.
func (j *journal) drain() string {
	got := ""
	for _, s := range []struct {
		name string
		c    <-chan struct{}
	}{{"P", j.Passes()}, {"D", j.Deliveries()}, {"O", j.Posts()}} {
		select {
		case <-s.c:
			got += s.name
		default:
		}
	}
	return got
}
