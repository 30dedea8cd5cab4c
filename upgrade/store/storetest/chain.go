package storetest

import (
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// chain holds a promise for each way to touch the record of what happened.
var chain = []promise{
	{"an untouched journal verifies", func(j *journal) {
		j.must(j.Verify(j.ctx))
		j.history()
		j.must(j.Verify(j.ctx))
	}},
	{"a changed word is found", func(j *journal) {
		j.broken("rollout r-1: entry 3", `update events set body = replace(body, 'tired', 'fired') where rollout = 'r-1' and seq = 3`)
	}},
	{"a changed person is found", func(j *journal) {
		j.broken("rollout r-1: entry 2", `update events set person = 'U0EVE' where rollout = 'r-1' and seq = 2`)
	}},
	{"a changed time is found", func(j *journal) {
		j.broken("rollout r-1: entry 2", `update events set at = at + 1 where rollout = 'r-1' and seq = 2`)
	}},
	{"a changed kind is found", func(j *journal) {
		j.broken("rollout r-1: entry 4", `update events set kind = 'Paused' where rollout = 'r-1' and seq = 4`)
	}},
	{"a recomputed hash is found by the entry after it", func(j *journal) {
		j.broken("rollout r-1: entry 3", `update events set hash = 'forged' where rollout = 'r-1' and seq = 3`)
	}},
	{"a removed entry is found", func(j *journal) {
		j.broken("rollout r-1: entry 2", `delete from events where rollout = 'r-1' and seq = 2`)
	}},
	{"a cut tail is found", func(j *journal) {
		j.broken("rollout r-1: 3 entries where 4", `delete from events where rollout = 'r-1' and seq = 4`)
	}},
	{"an emptied stream is found", func(j *journal) {
		j.broken("rollout r-1: 0 entries where 4", `delete from events where rollout = 'r-1'`)
	}},
	{"an entry put in at the end is found", func(j *journal) {
		j.broken("rollout r-1: entry 5", `insert into events (rollout, seq, at, person, kind, body, prev, hash)
			select rollout, 5, at, person, kind, body, hash, 'x' from events where rollout = 'r-1' and seq = 4`)
	}},
	{"the system stream is chained as well", func(j *journal) {
		j.broken("the system stream: entry 1", `update events set person = 'U0BO' where rollout = '' and seq = 1`)
	}},
	{"a plan that was changed after people had agreed to it is found", func(j *journal) {
		j.broken("rollout r-1: plan "+planOf(web).Digest+" was changed", `update plans set body = replace(body, 'UD 1', 'UD 2') where rollout = 'r-1'`)
	}},
	{"a plan that no entry brought is found", func(j *journal) {
		j.broken("rollout r-1: plan 0bad was changed", `insert into plans (rollout, digest, body) select rollout, '0bad', body from plans where rollout = 'r-1'`)
	}},
	{"a rollout that was led back to a plan it had before is found", func(j *journal) {
		j.open("r-3", "/x/third")
		j.must(j.replan("r-3", func() upgrade.Plan { p := replanned(); p.Set = "/x/third"; return p }()))
		j.broken("rollout r-3: it does not go by the plan "+replanned().Digest, `update rollouts set plan_digest = '`+planOf("/x/third").Digest+`' where id = 'r-3'`)
	}},
	{"a plan of a journal of before, whose entry does not tell how it looked, verifies", func(j *journal) {
		c := j.opening("r-4", web)
		c.Events = j.events("U0ANA", upgrade.Requested{Digest: c.Open.Digest, Channel: "C1", Name: "ana"})
		j.must(j.settle(c))
		j.must(j.Verify(j.ctx))
	}},
	{"a rollout of a journal of before that came back to its plan verifies", func(j *journal) {
		c := j.opening("r-4", web)
		c.Events = j.events("U0ANA", upgrade.Requested{Digest: c.Open.Digest, Channel: "C1", Name: "ana"})
		j.must(j.settle(c))
		j.must(j.replan("r-4", replanned()))
		back := planOf(web)
		back.At = back.At.Add(time.Hour) // when it was made is no part of the digest
		j.must(j.replan("r-4", back))
		j.must(j.Verify(j.ctx))
	}},
	{"a plan that was taken out is found", func(j *journal) {
		j.open("r-5", "/x/third")
		j.must(j.replan("r-5", func() upgrade.Plan { p := replanned(); p.Set = "/x/third"; return p }()))
		j.broken("rollout r-5: plan "+planOf("/x/third").Digest+" is missing", `delete from plans where rollout = 'r-5' and digest = '`+planOf("/x/third").Digest+`'`)
	}},
	{"an entry moved to another stream is found", func(j *journal) {
		j.history()
		j.tamper(`update streams set seq = 1, hash = (select hash from events where rollout = 'r-1' and seq = 1) where rollout = 'r-2'`)
		j.tamper(`delete from events where rollout = 'r-2'`)
		j.tamper(`insert into events (rollout, seq, at, person, kind, body, prev, hash)
			select 'r-2', seq, at, person, kind, body, prev, hash from events where rollout = 'r-1' and seq = 1`)
		err := j.Verify(j.ctx)
		j.check(err != nil && strings.Contains(err.Error(), "rollout r-2: entry 1"), "verify says: %v", err)
	}},
}

// history writes two rollouts and the system stream.
func (j *journal) history() {
	j.t.Helper()
	j.open("r-1", web)
	j.open("r-2", shop)
	j.must(j.settle(upgrade.Change{Events: j.events("U0EVE", upgrade.Declined{Code: upgrade.CodeRole})}))
	j.must(j.say("r-1", "U0BO", upgrade.Paused{Name: "bo"}))
	j.advance(time.Second)
	j.must(j.say("r-1", "U0BO", upgrade.AbortAsked{Name: "bo", Reason: "tired"}, upgrade.Resumed{Name: "bo"}))
}

// broken tampers with a history and ends the test unless Verify names the place.
func (j *journal) broken(place, tamper string) {
	j.t.Helper()
	j.history()
	j.tamper(tamper)
	err := j.Verify(j.ctx)
	j.check(err != nil && strings.Contains(err.Error(), place), "verify says %v, want it to name %q", err, place)
}
