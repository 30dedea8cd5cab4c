package upgrade

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func states(r Rollout, ids ...string) (out []Progress) {
	for _, id := range ids {
		out = append(out, r.Instances[id].State)
	}
	return out
}

func TestFold(t *testing.T) {
	second := Asked{Gate: "ud-0", Asking: 2, Nonce: "n2", Expires: life}
	resent := tale{settled, Settled{Op: "op-1", Code: "UnknownOutcome"}, write(again(1, "0", "3"))}
	for _, row := range []struct {
		name  string
		tale  tale
		check func(Rollout) bool
	}{
		{"the request names who, what and where", tale{requested}, func(r Rollout) bool {
			return r.Requester == "UANA" && r.Name == "ana" && r.Channel == "C1" && r.Digest == webPlan().Digest && r.At.Equal(night) && r.Lowest == -1 && !r.Started()
		}},
		{"R24 asking again voids what was agreed to", tale{requested, granted("ud-0"), second}, func(r Rollout) bool {
			_, ok := r.Grants["ud-0"]
			return !ok && len(r.Votes["ud-0"]) == 0 && r.Askings["ud-0"] == 2 && slices.Equal(r.Cards["ud-0"], []int{1, 2})
		}},
		{"R24 a wish to ask again voids it at once, and remembers how often it was asked", tale{requested, granted("ud-0"), by{"UANA", AskedAgain{"ud-0"}}}, func(r Rollout) bool {
			_, isAsked := r.Asked["ud-0"]
			return !isAsked && len(r.Grants) == 0 && r.Askings["ud-0"] == 1
		}},
		{"R24 a denial voids the grant", tale{requested, granted("ud-0"), by{"UEVA", Denied{Gate: "ud-0", Name: "eva"}}}, func(r Rollout) bool {
			return r.Denial.By == "UEVA" && len(r.Grants) == 0
		}},
		{"R1 a resume takes the pause away, and no denial", tale{requested, granted("ud-0"), by{"UEVA", Denied{Gate: "ud-0", Name: "eva"}}, by{"UBO", Paused{Name: "bo"}}, by{"UBO", Resumed{Name: "bo"}}}, func(r Rollout) bool {
			return r.Pause == nil && r.Denial != nil
		}},
		{"R38 an intent alone has started nothing", tale{begun, Intended{batchOp(1, "0", "3")}}, func(r Rollout) bool {
			return r.Op.State == StateIntended && len(r.Batches) == 0 && len(r.Instances) == 0
		}},
		{"R38 from sending on Azure may be at work", tale{begun, write(batchOp(1, "0", "3"))}, func(r Rollout) bool {
			return r.Op.Unknown() && len(r.Batches) == 1 && slices.Equal(states(r, "0", "3"), []Progress{Going, Going})
		}},
		{"R38 a dropped intent leaves no trace", tale{begun, Intended{batchOp(1, "0")}, Dropped{Op: "op-1"}}, func(r Rollout) bool {
			return r.Op == nil && len(r.Batches) == 0 && len(r.Instances) == 0
		}},
		{"a refused call leaves its instances waiting", tale{begun, write(batchOp(1, "0", "3")), Refused{Op: "op-1", Code: "Conflict"}}, func(r Rollout) bool {
			return r.Op == nil && len(r.Batches) == 0 && len(r.Instances) == 0 && r.Refusal.Code == "Conflict" && r.Refusals == 1
		}},
		{"refusals are counted until something is accepted", tale{begun, write(batchOp(1, "0")), Refused{Op: "op-1"}, write(batchOp(1, "0")), Refused{Op: "op-1"}}, func(r Rollout) bool { return r.Refusals == 2 }},
		{"an accepted call forgets refusals", tale{begun, write(batchOp(1, "0")), Refused{Op: "op-1"}, write(batchOp(1, "0")), Accepted{Op: "op-1"}}, func(r Rollout) bool {
			return r.Refusal == nil && r.Refusals == 0 && r.Op.State == StateAccepted
		}},
		{"facts about another operation change nothing", tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-9"}, Settled{Op: "op-9", OK: true}, Dropped{Op: "op-9"}, Refused{Op: "op-9"}, Looked{Op: "op-9"}, Unanswered{Op: "op-9"}}, func(r Rollout) bool {
			return r.Op.Unknown() && r.Refusal == nil && len(r.Op.Looks) == 0
		}},
		{"facts about an operation when none is in flight change nothing", tale{begun, Accepted{Op: "op-1"}, Settled{Op: "op-1"}}, func(r Rollout) bool { return r.Op == nil && len(r.Batches) == 0 }},
		{"R48 a re-send is the same batch, its time runs anew", resent, func(r Rollout) bool {
			return len(r.Batches) == 1 && r.Batches[0].N == 1 && r.Op.Resend && len(r.Op.Looks) == 0 && r.Instances["0"].Started.After(night)
		}},
		{"R48 a re-send that was refused is owed, the first call as unclear as before", tale{resent, Refused{Op: "op-1-again", Code: "TooManyRequests"}}, func(r Rollout) bool {
			return r.Op == nil && slices.Equal(r.Batches[0].Owed, []string{"0", "3"}) && slices.Equal(states(r, "0", "3"), []Progress{Going, Going}) && r.Startable(webPlan().Gates[0])
		}},
		{"R48 so is one that was never sent", dropped, func(r Rollout) bool { return slices.Equal(r.Batches[0].Owed, []string{"0", "3"}) }},
		{"R48 one that went is not owed any more", tale{dropped, write(again(1, "0", "3"))}, func(r Rollout) bool { return r.Batches[0].Owed == nil && len(r.Batches) == 1 }},
		{"R41 the model is set when it was seen, with the first image as the one to go back to", tale{begun, ModelSet{To: to(v2), Previous: to(version("9.9"))}}, func(r Rollout) bool {
			return r.Started() && r.Model.Set && r.Model.Previous == to(v1)
		}},
		{"R41 a write of the model that was accepted and did not happen is a refusal", tale{requested, granted("ud-0"), write(patch()), Accepted{Op: "op-model"}, Settled{Op: "op-model", Code: "C"}}, func(r Rollout) bool {
			return !r.Model.Set && r.Refusal.Code == "C" && r.Refusal.Until.IsZero()
		}},
		{"R4 abort may answer the model question", tale{begun, by{"UANA", AbortAsked{Answer: Keep}}}, func(r Rollout) bool { return r.Model.Answer == Keep && r.Model.AnswerBy == "UANA" }},
		{"R40 decisions and declined wishes are told, not folded", tale{begun, Decided{Kind: Hold, Reason: ReasonPaused}, Declined{What: "x"}}, func(r Rollout) bool {
			want := begun.fold()
			want.Seq = r.Seq
			return reflect.DeepEqual(r, want)
		}},
		{"an entry that is not understood is remembered", tale{begun, Unread{Kind: "Suspended"}}, func(r Rollout) bool { return r.Unread == "Suspended" }},
		{"R9 the end is folded with its time", tale{begun, time.Hour, Ended{Outcome: OutcomeExpired}}, func(r Rollout) bool {
			return r.Ended.Outcome == OutcomeExpired && r.EndedAt.Equal(night.Add(time.Hour))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if r := row.tale.fold(); !row.check(r) {
				t.Errorf("folded to %+v", r)
			}
		})
	}
}

func TestWithNeverChangesItsReceiver(t *testing.T) {
	for _, told := range []tale{{requested}, begun, lost, settled, dropped, udDone(1), {udDone(0), granted("ud-1"), write(batchOp(2, "1", "4"))}} {
		r, want := told.fold(), told.fold()
		for _, f := range []Fact{asked("ud-0"), AskedAgain{"ud-0"}, Voted{Gate: "ud-0", Asking: 1}, Granted{Gate: "ud-0"}, Denied{Gate: "ud-0"}, Looked{Op: "op-1"}, Refused{Op: "op-1"}, Refused{Op: "op-2"},
			Settled{Op: "op-1"}, Settled{Op: "op-2"}, Accepted{Op: "op-2"}, Intended{batchOp(9, "2")}, InstanceSeen{ID: "0", State: Broken}, Sending{"op-1"}, ModelSet{}, Unanswered{Op: "op-1"}, Ended{}} {
			r.With(Event{Seq: 999, At: night, By: "U", Fact: f})
			if !reflect.DeepEqual(r, want) {
				t.Fatalf("%s changed the rollout it was added to", FactKind(f))
			}
		}
	}
}

func TestTwoFuturesOfOneRolloutAreTheirOwn(t *testing.T) {
	told := tale{lost, Looked{Op: "op-1"}, Looked{Op: "op-1"}, Looked{Op: "op-1"}}
	r := told.fold()
	for _, first := range []Fact{Looked{Op: "op-1", Outdated: []string{"0"}}, asked("ud-0"), Voted{Gate: "ud-0"}} {
		a := r.With(Event{Fact: first})
		want := told.fold().With(Event{Fact: first})
		for _, second := range []Fact{Looked{Op: "op-1", Outdated: []string{"3"}}, Asked{Gate: "ud-0", Nonce: "other"}, Voted{Gate: "ud-0", Name: "other"}} {
			r.With(Event{Fact: second})
		}
		if !reflect.DeepEqual(a, want) {
			t.Errorf("%s was overwritten by another future", FactKind(first))
		}
	}
}

func TestFoldingAtOnceOrOneByOneIsTheSame(t *testing.T) {
	for _, told := range []tale{settled, dropped, udDone(2)} {
		events := told.events()
		want := Fold("r-1", events)
		r := Fold("r-1", nil)
		for _, e := range events {
			r = r.With(e)
		}
		if !reflect.DeepEqual(r, want) {
			t.Errorf("one by one %+v\nat once %+v", r, want)
		}
	}
	if got := (Rollout{}).With(At(night, "", asked("ud-0"), InstanceSeen{ID: "0"})...); got.Askings["ud-0"] != 1 {
		t.Error("the zero rollout cannot be added to")
	}
}

func TestGates(t *testing.T) {
	p := webPlan()
	for _, row := range []struct {
		name  string
		tale  tale
		gate  string // current; "" = all are done
		index int
		start bool // something of it may still be sent
	}{
		{"the first gate is the first that is current", tale{requested}, "ud-0", 0, true},
		{"it stays current while its instances come up", tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}, "ud-0", 0, false},
		{"and while one of them waits", tale{begun, batch(1, "0")}, "ud-0", 0, true},
		{"R48 something of it may still be sent while the call has no answer", lost, "ud-0", 0, true},
		{"when it is done the next is", udDone(0), "ud-1", 1, true},
		{"vanished, failed and left out count as done", tale{requested, InstanceSeen{ID: "0", State: Vanished}, InstanceSeen{ID: "3", State: Broken}, InstanceSeen{ID: "1", State: Left}, InstanceSeen{ID: "4", State: OK}}, "ud-2", 2, true},
		{"when all are done there is none", udDone(2), "", 3, false},
	} {
		r := row.tale.fold()
		g, at, open := r.CurrentGate(p)
		if g.Key != row.gate || at != row.index || open != (row.gate != "") || r.Startable(g) != row.start {
			t.Errorf("%s: gate %q (%d), open %v, may start %v", row.name, g.Key, at, open, r.Startable(g))
		}
	}
	if since, done := udDone(0).fold().GateDone(p.Gates[0]); !done || !since.Equal(night.Add(time.Minute)) {
		t.Errorf("UD 0 is done %v since %v", done, since)
	}
	if n := udDone(0).fold().Count(p); n[OK] != 2 || n[Waiting] != 4 {
		t.Errorf("counted %v", n)
	}
}

func TestR21AnApprovalRunsOutAtTheSoonerTime(t *testing.T) {
	a := AskedAt{asked("ud-0"), night}
	for _, row := range []struct {
		life time.Duration
		want time.Duration
	}{{0, 4 * time.Hour}, {time.Hour, time.Hour}, {8 * time.Hour, 4 * time.Hour}} {
		if got := a.Until(Policy{ApprovalLife: row.life}).Sub(night); got != row.want {
			t.Errorf("with a life of %s in force it runs out after %s, want %s", row.life, got, row.want)
		}
	}
}

func TestLastDecided(t *testing.T) {
	if d := LastDecided(nil); d.Kind != "" {
		t.Errorf("nothing was decided: %+v", d)
	}
	if d := LastDecided(tale{Decided{Kind: Wait}, Decided{Kind: Hold}, InstanceSeen{}}.events()); d.Kind != Hold {
		t.Errorf("last decided %+v", d)
	}
}
