package storetest

import (
	"reflect"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// plans are the promises about a plan that takes another one's place.
var plans = []promise{
	{"another plan takes the place of the rollout's", func(j *journal) {
		j.open("r-1", web)
		j.must(j.replan("r-1", replanned()))
		r := j.record("r-1")
		j.check(reflect.DeepEqual(r.Plan, replanned()), "the plan is %+v", r.Plan)
		j.check(upgrade.FactKind(r.Events[1].Fact) == "Replanned", "the fact reads %+v", r.Events[1])
	}},
	{"a yes to the plan before covers nothing of the new one", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		j.must(j.replan("r-1", replanned()))
		j.refuses("r-1", upgrade.Intended{Op: operation("op-1", replanned())})
		j.must(j.say("r-1", "U0BO", upgrade.Granted{Gate: "ud-0", Asking: 2, Digest: replanned().Digest}))
		j.refuses("r-1", upgrade.Intended{Op: operation("op-1", replanned())})
		op := operation("op-1", replanned())
		op.Asking = 2
		j.must(j.say("r-1", "", upgrade.Intended{Op: op}))
	}},
	{"a card shows the plan it was asked with", func(j *journal) {
		j.open("r-1", web)
		j.must(j.say("r-1", "", upgrade.Asked{Gate: "ud-0", Asking: 1, Nonce: "old"}))
		c := j.replanning("r-1", replanned())
		c.Events = append(c.Events, j.events("", upgrade.Asked{Gate: "ud-0", Asking: 2, Nonce: "new"})...)
		j.must(j.settle(c))
		for nonce, digest := range map[string]string{"old": planOf(web).Digest, "new": replanned().Digest} {
			card, err := j.Card(j.ctx, nonce)
			j.must(err)
			j.check(card.Digest == digest, "the %s card is of plan %s", nonce, card.Digest)
		}
	}},
	{"a plan the rollout had before may come back", func(j *journal) {
		j.open("r-1", web)
		j.must(j.replan("r-1", replanned()))
		j.must(j.replan("r-1", planOf(web)))
		j.check(j.record("r-1").Plan.Digest == planOf(web).Digest, "the plan is %s", j.record("r-1").Plan.Digest)
		j.must(j.replan("r-1", planOf(web)))
	}},
	{"a plan comes with its fact, for the same set, to a rollout that has not ended", func(j *journal) {
		j.open("r-1", web)
		j.refuses("r-1", upgrade.Replanned{Digest: replanned().Digest})
		other := j.replanning("r-1", replanned())
		other.Plan = new(planOf(web))
		j.check(j.settle(other) != nil, "the plan is not the one the fact names")
		j.check(j.replan("r-1", planOf(shop)) != nil, "the plan is for another set")
		j.check(j.record("r-1").Plan.Set == web && j.seq("r-1") == 1, "something stayed: %+v", j.record("r-1"))
		j.must(j.say("r-1", "", upgrade.Ended{Outcome: upgrade.OutcomeAborted}))
		j.check(j.replan("r-1", replanned()) != nil, "the rollout has ended")
	}},
}

// then are the promises about a change that follows another one in the same transaction.
var then = []promise{
	{"the rollout that ends gives the lock to the one that follows", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		seq, err := j.Append(j.ctx, l, j.succession("r-1", j.opening("r-2", web)))
		j.must(err)
		j.check(seq == 2, "the first one ends at %d", seq)
		holder, err := j.Holder(j.ctx, web)
		j.must(err)
		j.check(holder.ID == "r-2" && j.record("r-1").Rollout.Ended != nil, "%s holds the set", holder.ID)
		j.must(j.Release(j.ctx, l, j.now()))
		j.check(j.claim().Rollout == "r-2", "the new one is not due")
	}},
	{"a person's word does the same, and both rollouts' messages are wanted", func(j *journal) {
		j.open("r-1", web)
		c := j.succession("r-1", j.opening("r-2", web))
		c.Posts = []upgrade.Post{live}
		c.Then.Posts = []upgrade.Post{{Rollout: "r-2", Slot: upgrade.SlotLive, Channel: "C1"}}
		j.must(j.settle(c))
		j.check(j.list()[0] == "r-2" && len(j.list()) == 1, "%v are open", j.list())
		for _, id := range []string{"r-1", "r-2"} {
			p := j.post()
			j.check(p.Rollout == id, "the message is of %s", p.Rollout)
			j.sent(p, upgrade.Sent{TS: "1.0"})
		}
	}},
	{"when what follows fails nothing of either is kept", func(j *journal) {
		j.open("r-1", web)
		j.open("r-3", shop)
		l := j.claim()
		for name, broken := range map[string]struct {
			then upgrade.Change
			want error
		}{
			"its set is held by another": {j.opening("r-2", shop), upgrade.ErrLocked},
			"its id is taken":            {j.opening("r-3", web), upgrade.ErrStale},
			"it is stale":                {upgrade.Change{Rollout: "r-3", Seq: 7, Events: j.events("", upgrade.Paused{})}, upgrade.ErrStale},
			"there is no such rollout":   {upgrade.Change{Rollout: "r-9", Events: j.events("", upgrade.Paused{})}, upgrade.ErrNotFound},
		} {
			c := j.succession("r-1", broken.then)
			c.Posts = []upgrade.Post{live}
			_, err := j.Append(j.ctx, l, c)
			j.check(err != nil, "%s, and it was written", name)
			j.is(err, broken.want)
			j.is(j.settle(c), broken.want)
		}
		j.check(j.seq("r-1") == 1 && j.record("r-1").Rollout.Ended == nil, "the first one has ended")
		j.quiet()
	}},
	{"what follows is written under the lease of the first, or not at all", func(j *journal) {
		j.open("r-1", web)
		old := j.claim()
		j.advance(leaseTime + time.Millisecond)
		l := j.claim()
		_, err := j.Append(j.ctx, old, j.succession("r-1", j.opening("r-2", web)))
		j.is(err, upgrade.ErrFenced)
		_, err = j.Record(j.ctx, "r-2")
		j.is(err, upgrade.ErrNotFound)
		_, err = j.Append(j.ctx, l, j.succession("r-1", j.opening("r-2", web)))
		j.must(err)
	}},
	{"a rollout that was there already is woken by what follows", func(j *journal) {
		j.open("r-1", web)
		j.open("r-2", shop)
		for range 2 {
			j.must(j.Release(j.ctx, j.claim(), j.now().Add(time.Hour)))
		}
		c := upgrade.Change{Rollout: "r-1", Seq: 1, Events: j.events("", upgrade.Decided{})}
		c.Then = &upgrade.Change{Rollout: "r-2", Seq: 1, Events: j.events("U0BO", upgrade.Paused{Name: "bo"})}
		j.must(j.settle(c))
		j.check(j.record("r-2").Rollout.Seq == 2, "it was not written to")
		j.claim()
		j.claim()
	}},
}

// replanned is another plan of web: the second instance of ud-0 is gone.
func replanned() upgrade.Plan {
	p := planOf(web)
	p.Digest = "9f00web"
	p.Gates[0].Instances = p.Gates[0].Instances[:1]
	return p
}

func (j *journal) replanning(id string, p upgrade.Plan) upgrade.Change {
	j.t.Helper()
	return upgrade.Change{Rollout: id, Seq: j.seq(id), Plan: &p, Events: j.events("U0ANA", upgrade.Replanned{Digest: p.Digest, Sum: p.Sum(), Name: "ana"})}
}

func (j *journal) replan(id string, p upgrade.Plan) error {
	j.t.Helper()
	return j.settle(j.replanning(id, p))
}

// succession is the end of a rollout, and what follows it.
func (j *journal) succession(id string, follows upgrade.Change) upgrade.Change {
	j.t.Helper()
	return upgrade.Change{Rollout: id, Seq: j.seq(id), Events: j.events("", upgrade.Ended{Outcome: upgrade.OutcomeRollback}), Then: &follows}
}
