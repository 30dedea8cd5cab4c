package storetest

import (
	"errors"
	"reflect"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

var rollouts = []promise{
	{"a rollout reads back as it was written", func(j *journal) {
		j.open("r-1", web)
		want := j.opening("r-1", web)
		r := j.record("r-1")
		j.check(r.ID == "r-1" && reflect.DeepEqual(r.Plan, *want.Open), "the plan came back as %+v", r.Plan)
		want.Events[0].Seq = 1
		j.check(reflect.DeepEqual(r.Events, want.Events), "the events came back as %+v, want %+v", r.Events, want.Events)
		j.check(reflect.DeepEqual(r.Rollout, upgrade.Fold("r-1", want.Events)), "it folds to %+v", r.Rollout)
		j.check(r.Poll == "" && r.Link == "", "it has a poll token or a link: %+v", r)
	}},
	{"an event keeps its time to the nanosecond", func(j *journal) {
		j.open("r-1", web)
		j.check(j.record("r-1").Events[0].At.Equal(j.now()), "%s became %s", j.now(), j.record("r-1").Events[0].At)
	}},
	{"an event without a time is refused", func(j *journal) {
		c := j.opening("r-1", web)
		c.Events[0].At = time.Time{}
		j.check(j.settle(c) != nil, "it was written")
	}},
	{"events are numbered one after the other, whoever writes them", func(j *journal) {
		j.open("r-1", web)
		j.must(j.say("r-1", "U0BO", upgrade.Paused{Name: "bo"}, upgrade.Resumed{Name: "bo"}))
		l := j.claim()
		seq, err := j.Append(j.ctx, l, upgrade.Change{Rollout: "r-1", Seq: 3, Events: j.events("", upgrade.Decided{Kind: upgrade.Wait}, upgrade.Serving{N: 3, Total: 4})})
		j.must(err)
		j.check(seq == 5, "append returned %d, want 5", seq)
		for i, e := range j.record("r-1").Events {
			j.check(e.Seq == i+1, "event %d has number %d", i+1, e.Seq)
		}
	}},
	{"a writer who has not read the last event is stale", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		j.must(j.say("r-1", "U0BO", upgrade.Paused{Name: "bo"}))
		for _, seq := range []int{0, 1, 3} {
			_, err := j.Append(j.ctx, l, upgrade.Change{Rollout: "r-1", Seq: seq, Events: j.events("", upgrade.Decided{})})
			j.is(err, upgrade.ErrStale)
		}
		_, err := j.Append(j.ctx, l, upgrade.Change{Rollout: "r-1", Seq: 2, Events: j.events("", upgrade.Decided{})})
		j.must(err)
	}},
	{"a change without events is guarded as well", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		live := []upgrade.Post{{Rollout: "r-1", Slot: upgrade.SlotLive, Channel: "C1"}}
		_, err := j.Append(j.ctx, l, upgrade.Change{Rollout: "r-1", Seq: 0, Posts: live})
		j.is(err, upgrade.ErrStale)
		seq, err := j.Append(j.ctx, l, upgrade.Change{Rollout: "r-1", Seq: 1, Posts: live})
		j.must(err)
		j.check(seq == 1 && j.post().Slot == upgrade.SlotLive, "it ends at %d", seq)
	}},
	{"two rollouts of one set cannot be open at once", func(j *journal) {
		j.open("r-1", web)
		j.is(j.settle(j.opening("r-2", web)), upgrade.ErrLocked)
		_, err := j.Record(j.ctx, "r-2")
		j.is(err, upgrade.ErrNotFound)
		j.open("r-3", shop)
	}},
	{"the end of a rollout frees the set", func(j *journal) {
		j.open("r-1", web)
		r, err := j.Holder(j.ctx, web)
		j.must(err)
		j.check(r.ID == "r-1", "%s holds the set", r.ID)
		j.must(j.append(j.claim(), upgrade.Ended{Outcome: upgrade.OutcomeAborted}))
		_, err = j.Holder(j.ctx, web)
		j.is(err, upgrade.ErrNotFound)
		j.open("r-2", web)
		j.check(j.record("r-1").Rollout.Ended != nil, "the first one has not ended")
	}},
	{"a rollout's id is given once", func(j *journal) {
		j.open("r-1", web)
		j.is(j.settle(j.opening("r-1", shop)), upgrade.ErrStale)
		j.check(j.record("r-1").Plan.Set == web, "the plan was replaced")
	}},
	{"only rollouts that were opened can be written to", func(j *journal) {
		err := j.settle(upgrade.Change{Rollout: "r-9", Events: j.events("U0BO", upgrade.Paused{})})
		j.is(err, upgrade.ErrNotFound)
	}},
	{"open rollouts are listed oldest first, without those that ended", func(j *journal) {
		j.open("r-2", web)
		j.advance(time.Second)
		j.open("r-1", shop)
		j.advance(time.Second)
		j.open("r-3", "/x/third")
		list := j.list()
		j.check(reflect.DeepEqual(list, []string{"r-2", "r-1", "r-3"}), "%v are open", list)
		j.must(j.say("r-1", "", upgrade.Ended{Outcome: upgrade.OutcomeAborted}))
		list = j.list()
		j.check(reflect.DeepEqual(list, []string{"r-2", "r-3"}), "%v are open", list)
	}},
	{"rollouts that have ended are listed the latest first, of one set or of all, and no more than wanted", func(j *journal) {
		j.open("r-1", web)
		j.open("r-2", shop)
		j.advance(time.Second)
		j.must(j.say("r-2", "", upgrade.Ended{Outcome: upgrade.OutcomeAborted}))
		j.advance(time.Second)
		j.must(j.say("r-1", "", upgrade.Ended{Outcome: upgrade.OutcomeAborted}))
		j.open("r-3", web)
		for _, row := range []struct {
			set  upgrade.SetID
			most int
			want []string
		}{{"", 9, []string{"r-1", "r-2"}}, {"", 1, []string{"r-1"}}, {shop, 9, []string{"r-2"}}, {"/x/third", 9, nil}} {
			ended, err := j.Ended(j.ctx, row.set, row.most)
			j.must(err)
			j.check(reflect.DeepEqual(ids(ended), row.want), "%v of %q have ended, want %v", ids(ended), row.set, row.want)
		}
	}},
	{"the system's last entries are read, the oldest first, and no rollout's", func(j *journal) {
		j.open("r-1", web)
		for _, who := range []string{"U0BO", "U0EVA", "U0ANA"} {
			j.must(j.settle(upgrade.Change{Events: j.events(who, upgrade.Declined{Code: upgrade.CodeRole, What: who})}))
			j.advance(time.Second)
		}
		last, err := j.System(j.ctx, 2)
		j.must(err)
		j.check(len(last) == 2 && last[0].By == "U0EVA" && last[1].By == "U0ANA" && last[1].Fact == upgrade.Declined{Code: upgrade.CodeRole, What: "U0ANA"}, "read %+v", last)
		all, err := j.System(j.ctx, 99)
		j.must(err)
		j.check(len(all) == 3 && all[0].Seq == 1, "read %+v", all)
	}},
	{"what there is none of is not found", func(j *journal) {
		_, err := j.Record(j.ctx, "r-9")
		j.is(err, upgrade.ErrNotFound)
		_, err = j.Record(j.ctx, "")
		j.is(err, upgrade.ErrNotFound)
		_, err = j.Holder(j.ctx, web)
		j.is(err, upgrade.ErrNotFound)
		_, err = j.Card(j.ctx, "nonce")
		j.is(err, upgrade.ErrNotFound)
		_, err = j.Card(j.ctx, "")
		j.is(err, upgrade.ErrNotFound)
		list, err := j.Open(j.ctx)
		j.must(err)
		j.check(len(list) == 0, "%d rollouts are open", len(list))
	}},
	{"an entry of a kind this version does not know holds the rollout", func(j *journal) {
		j.open("r-1", web)
		j.must(j.say("r-1", "", upgrade.Unread{Kind: "Teleported", Raw: []byte(`{"to":"mars"}`)}))
		r := j.record("r-1")
		u, ok := r.Events[1].Fact.(upgrade.Unread)
		j.check(ok && u.Kind == "Teleported" && string(u.Raw) == `{"to":"mars"}` && r.Rollout.Unread == "Teleported", "it reads %+v", r.Events[1])
	}},
	{"the system stream takes whatever order it gets, and projects nothing", func(j *journal) {
		for i := range 3 {
			j.must(j.settle(upgrade.Change{Seq: 7 * i, Events: j.events("U0EVE", upgrade.Declined{Code: upgrade.CodeRole}, upgrade.Voted{Gate: "ud-0", Asking: 1})}))
		}
		j.check(j.count(`select count(*) from events where rollout = ''`) == 6, "entries are missing")
		j.check(j.count(`select count(*) from votes`) == 0, "a vote counts")
	}},
	{"a pass may write to the system stream as well", func(j *journal) {
		j.open("r-1", web)
		l := j.claim()
		seq, err := j.Append(j.ctx, l, upgrade.Change{Events: j.events("", upgrade.Declined{})})
		j.must(err)
		j.check(seq == 1, "it ends at %d", seq)
		_, err = j.Append(j.ctx, l, upgrade.Change{Rollout: "r-2", Events: j.events("", upgrade.Paused{})})
		j.check(err != nil && !errors.Is(err, upgrade.ErrNotFound), "the lease was good for another rollout: %v", err)
	}},
	{"a card is found by its nonce, and where it was posted", func(j *journal) {
		j.open("r-1", web)
		live := upgrade.Post{Rollout: "r-1", Slot: upgrade.SlotLive, Channel: "C1"}
		card := upgrade.Post{Rollout: "r-1", Slot: upgrade.CardSlot("ud-0", 2), Channel: "C1"}
		j.must(j.settle(upgrade.Change{Rollout: "r-1", Seq: 1, Posts: []upgrade.Post{live, card},
			Events: j.events("", upgrade.Asked{Gate: "ud-0", Asking: 1, Nonce: "n1"}, upgrade.Asked{Gate: "ud-0", Asking: 2, Nonce: "n2"})}))
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		j.sent(j.post(), upgrade.Sent{TS: "2.0"})
		want := upgrade.Card{Nonce: "n2", Rollout: "r-1", Gate: "ud-0", Asking: 2, Digest: planOf(web).Digest, Channel: "C1", TS: "2.0"}
		c, err := j.Card(j.ctx, "n2")
		j.must(err)
		j.check(c == want, "the card is %+v, want %+v", c, want)
		c, err = j.Card(j.ctx, "n1")
		j.must(err)
		j.check(c.TS == "" && c.Channel == "" && c.Asking == 1, "the older asking's card is %+v", c)
	}},
	{"the model question has a card of its own", func(j *journal) {
		j.open("r-1", web)
		j.must(j.settle(upgrade.Change{Rollout: "r-1", Seq: 1, Posts: []upgrade.Post{{Rollout: "r-1", Slot: upgrade.SlotModel, Channel: "C1"}},
			Events: j.events("", upgrade.ModelAsked{Nonce: "m", Recommend: upgrade.Revert})}))
		j.sent(j.post(), upgrade.Sent{TS: "3.0"})
		c, err := j.Card(j.ctx, "m")
		j.must(err)
		j.check(c.Rollout == "r-1" && c.Gate == "" && c.TS == "3.0", "the card is %+v", c)
	}},
	{"a gate that is agreed to with an earlier one has no card", func(j *journal) {
		j.open("r-1", web)
		j.must(j.say("r-1", "U0BO", upgrade.Asked{Gate: "ud-0", Asking: 1}, upgrade.Asked{Gate: "ud-1", Asking: 1}))
		_, err := j.Card(j.ctx, "")
		j.is(err, upgrade.ErrNotFound)
	}},
	{"the link of a rollout is its live message", func(j *journal) {
		j.open("r-1", web)
		j.must(j.settle(upgrade.Change{Rollout: "r-1", Seq: 1, Posts: []upgrade.Post{{Rollout: "r-1", Slot: upgrade.SlotLive, Channel: "C1"}}}))
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		j.check(j.record("r-1").Link == "1.0", "the link is %q", j.record("r-1").Link)
	}},
	{"a rollout is found by its thread, in its channel only", func(j *journal) {
		j.open("r-1", web)
		j.must(j.settle(upgrade.Change{Rollout: "r-1", Seq: 1, Posts: []upgrade.Post{live, plan}}))
		_, err := j.Thread(j.ctx, "C1", "")
		j.is(err, upgrade.ErrNotFound)
		j.sent(j.post(), upgrade.Sent{TS: "1.0"})
		j.sent(j.post(), upgrade.Sent{TS: "2.0"})
		id, err := j.Thread(j.ctx, "C1", "1.0")
		j.must(err)
		j.check(id == "r-1", "the thread is of %q", id)
		for _, other := range [][2]string{{"C2", "1.0"}, {"C1", "2.0"}, {"C1", "9.0"}} {
			_, err = j.Thread(j.ctx, other[0], other[1])
			j.is(err, upgrade.ErrNotFound)
		}
	}},
}

// list names the open rollouts.
func (j *journal) list() []string {
	j.t.Helper()
	records, err := j.Open(j.ctx)
	j.must(err)
	return ids(records)
}

func ids(records []upgrade.Record) (out []string) {
	for _, r := range records {
		out = append(out, r.ID)
	}
	return out
}
