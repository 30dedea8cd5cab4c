package storetest

import (
	"errors"

	"github.com/vmssbot/vmssbot/upgrade"
)

// constraints are what the database refuses by itself, whatever the engine believes. A refusal is
// neither stale nor fenced: it is a mistake, and nothing of its change is kept.
var constraints = []promise{
	{"an operation without a grant is refused", func(j *journal) {
		j.open("r-1", web)
		j.refuses("r-1", upgrade.Intended{Op: operation("op-1", planOf(web))})
	}},
	{"a vote is no grant", func(j *journal) {
		j.open("r-1", web)
		j.must(j.say("r-1", "U0BO", upgrade.Asked{Gate: "ud-0", Asking: 1, Nonce: "n"}, upgrade.Voted{Gate: "ud-0", Asking: 1}))
		j.refuses("r-1", upgrade.Intended{Op: operation("op-1", planOf(web))})
	}},
	{"a grant covers its gate, asking and plan only", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		for _, change := range []func(*upgrade.Operation){
			func(op *upgrade.Operation) { op.Gate = "ud-1" },
			func(op *upgrade.Operation) { op.Asking = 2 },
			func(op *upgrade.Operation) { op.Digest = "another" },
			func(op *upgrade.Operation) { op.Gate, op.Asking = "", 0 },
		} {
			op := operation("op-1", planOf(web))
			change(&op)
			j.refuses("r-1", upgrade.Intended{Op: op})
		}
		j.must(j.say("r-1", "", upgrade.Intended{Op: operation("op-1", planOf(web))}))
	}},
	{"another rollout's grant covers nothing", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		j.open("r-2", shop)
		j.refuses("r-2", upgrade.Intended{Op: operation("op-1", planOf(web))})
	}},
	{"a rollout writes to no set but its own", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		op := operation("op-1", planOf(web))
		op.Set = shop
		j.refuses("r-1", upgrade.Intended{Op: op})
	}},
	{"a grant of a plan the rollout does not have is refused", func(j *journal) {
		j.open("r-1", web)
		j.refuses("r-1", upgrade.Granted{Gate: "ud-0", Asking: 1, Digest: "another"})
	}},
	{"a reimage needs a grant like an upgrade", func(j *journal) {
		j.open("r-1", web)
		op := operation("op-1", planOf(web))
		op.Kind = upgrade.OpReimage
		j.refuses("r-1", upgrade.Intended{Op: op})
		j.granted("r-1", "ud-0")
		j.must(j.say("r-1", "", upgrade.Intended{Op: op}, upgrade.Sending{Op: "op-1"}))
		j.refuses("r-1", upgrade.Intended{Op: operation("op-2", planOf(web))})
	}},
	{"putting the old image back needs no grant", func(j *journal) {
		j.open("r-1", web)
		j.must(j.say("r-1", "", upgrade.Intended{Op: upgrade.Operation{ID: "op-1", Kind: upgrade.OpRevert, Set: web}}))
	}},
	{"a second unfinished operation on a set is refused", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		second := upgrade.Intended{Op: operation("op-2", planOf(web))}
		j.must(j.say("r-1", "", upgrade.Intended{Op: operation("op-1", planOf(web))}))
		j.refuses("r-1", second)
		j.must(j.say("r-1", "", upgrade.Sending{Op: "op-1"}))
		j.refuses("r-1", second)
		j.must(j.say("r-1", "", upgrade.Unanswered{Op: "op-1"}))
		j.refuses("r-1", second)
		j.must(j.say("r-1", "", upgrade.Accepted{Op: "op-1"}))
		j.refuses("r-1", second)
		j.must(j.say("r-1", "", upgrade.Settled{Op: "op-1", OK: true}))
		j.must(j.say("r-1", "", second))
	}},
	{"an operation that was refused, dropped or failed makes room for the next", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		for id, over := range map[string]upgrade.Fact{
			"op-1": upgrade.Refused{Op: "op-1"}, "op-2": upgrade.Dropped{Op: "op-2"}, "op-3": upgrade.Settled{Op: "op-3"},
		} {
			j.must(j.say("r-1", "", upgrade.Intended{Op: operation(id, planOf(web))}))
			if id != "op-2" {
				j.must(j.say("r-1", "", upgrade.Sending{Op: id}))
			}
			j.must(j.say("r-1", "", over))
		}
		for id, state := range map[string]upgrade.OpState{"op-1": upgrade.StateRefused, "op-2": upgrade.StateDropped, "op-3": upgrade.StateFailed} {
			j.check(j.count(`select count(*) from operations where id = $1 and state = $2`, id, string(state)) == 1, "%s is not %s", id, state)
		}
	}},
	{"the re-send takes the place of the call that brought no answer", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		j.must(j.say("r-1", "", upgrade.Intended{Op: operation("op-1", planOf(web))}, upgrade.Sending{Op: "op-1"}, upgrade.Unanswered{Op: "op-1"}))
		again := operation("op-2", planOf(web))
		again.Resend = true
		j.must(j.say("r-1", "", upgrade.Settled{Op: "op-1", Code: "UnknownOutcome"}, upgrade.Intended{Op: again}))
	}},
	{"an operation goes through its states and no other way", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		sending, accepted, refused := upgrade.Sending{Op: "op-1"}, upgrade.Accepted{Op: "op-1"}, upgrade.Refused{Op: "op-1"}
		dropped, settled := upgrade.Dropped{Op: "op-1"}, upgrade.Settled{Op: "op-1", OK: true}
		for _, step := range []struct {
			goes upgrade.Fact // what happens
			not  []upgrade.Fact
		}{
			{nil, []upgrade.Fact{sending, accepted, refused, dropped, settled}},
			{upgrade.Intended{Op: operation("op-1", planOf(web))}, []upgrade.Fact{accepted, refused, settled}},
			{sending, []upgrade.Fact{sending, dropped}},
			{accepted, []upgrade.Fact{sending, accepted, refused, dropped}},
			{settled, []upgrade.Fact{sending, accepted, refused, dropped, settled}},
		} {
			if step.goes != nil {
				j.must(j.say("r-1", "", step.goes))
			}
			for _, fact := range step.not {
				j.refuses("r-1", fact)
			}
		}
	}},
	{"no rollout moves another one's operation", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		j.must(j.say("r-1", "", upgrade.Intended{Op: operation("op-1", planOf(web))}))
		j.open("r-2", shop)
		j.refuses("r-2", upgrade.Sending{Op: "op-1"})
	}},
	{"an operation's id is given once", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		j.must(j.say("r-1", "", upgrade.Intended{Op: operation("op-1", planOf(web))}, upgrade.Dropped{Op: "op-1"}))
		j.refuses("r-1", upgrade.Intended{Op: operation("op-1", planOf(web))})
	}},
	{"the poll token is kept while the operation runs, and no longer", func(j *journal) {
		j.open("r-1", web)
		j.granted("r-1", "ud-0")
		j.must(j.say("r-1", "", upgrade.Intended{Op: operation("op-1", planOf(web))}, upgrade.Sending{Op: "op-1"}))
		l := j.claim()
		_, err := j.Append(j.ctx, l, upgrade.Change{Rollout: "r-1", Seq: j.seq("r-1"), Poll: "https://token", Events: j.events("", upgrade.Accepted{Op: "op-1"})})
		j.must(err)
		j.check(j.record("r-1").Poll == "https://token", "the token is %q", j.record("r-1").Poll)
		j.must(j.append(l, upgrade.Settled{Op: "op-1", OK: true}))
		j.check(j.record("r-1").Poll == "", "the token is still read")
		j.check(j.count(`select count(*) from operations where poll is not null`) == 0, "the token is still stored")
	}},
	{"a person's second vote in one asking counts once", func(j *journal) {
		j.open("r-1", web)
		vote := upgrade.Voted{Gate: "ud-0", Asking: 1, Name: "bo"}
		j.must(j.say("r-1", "U0BO", vote))
		j.must(j.say("r-1", "U0BO", vote))
		j.must(j.say("r-1", "U0EVA", vote))
		j.must(j.say("r-1", "U0BO", upgrade.Voted{Gate: "ud-0", Asking: 2}))
		j.check(j.count(`select count(*) from votes where asking = 1`) == 2, "%d votes count", j.count(`select count(*) from votes where asking = 1`))
		j.check(j.count(`select count(*) from votes`) == 3, "a vote in another asking is missing")
	}},
	{"a card's nonce is given once", func(j *journal) {
		j.open("r-1", web)
		j.must(j.say("r-1", "", upgrade.Asked{Gate: "ud-0", Asking: 1, Nonce: "n"}))
		j.refuses("r-1", upgrade.Asked{Gate: "ud-1", Asking: 1, Nonce: "n"})
	}},
}

// refuses ends the test unless the database itself refuses the facts and keeps nothing of them.
func (j *journal) refuses(id string, facts ...upgrade.Fact) {
	j.t.Helper()
	before := j.record(id)
	err := j.say(id, "", facts...)
	j.check(err != nil, "%s was committed", upgrade.FactKind(facts[0]))
	for _, other := range []error{upgrade.ErrStale, upgrade.ErrFenced, upgrade.ErrLocked, upgrade.ErrNotFound} {
		j.check(!errors.Is(err, other), "it was refused for another reason: %v", err)
	}
	j.check(j.seq(id) == before.Rollout.Seq, "the fact stayed in the stream")
}
