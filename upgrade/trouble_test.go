package upgrade

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// fails makes one instance come out of every operation in a state of failure until it is healed.
func (c *cloud) fails(id string) {
	c.change(func(s *ScaleSet) {
		n := slices.IndexFunc(s.Instances, func(i Instance) bool { return i.ID == id })
		s.Instances[n].Health, s.Instances[n].Message, s.Instances[n].Code = Unhealthy, "503", "X"
		s.Instances[n].Evidence = []string{"extension app: failed"}
	})
}

func (c *cloud) heals(id string) {
	c.change(func(s *ScaleSet) {
		n := slices.IndexFunc(s.Instances, func(i Instance) bool { return i.ID == id })
		s.Instances[n].Health, s.Instances[n].Message, s.Instances[n].Code, s.Instances[n].HealthAt = Healthy, "", "", time.Now()
	})
}

func TestR6ARetryReplacesTheDiskAfterTheEvidenceIsKept(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.fails("3")
		l.until("the hold", l.held(ReasonFailure))
		l.say("r-1", "UANA", Retried{Name: "ana", IDs: []string{"3"}, Gates: []string{"ud-0"}})
		l.until("the second try", func(r Rollout) bool { return r.Op != nil && r.Op.Kind == OpReimage })
		l.heals("3")
		l.until("the end", hasEnded)
		want := slices.Insert(slices.Clone(everything), 2, "giving a new disk to instance 3")
		want[1] = "upgrading instances 3 0" // R27: the ill one goes first
		if r := l.rollout("r-1"); !slices.Equal(r.Asked["ud-0"].Instances, []string{"3"}) || r.Asked["ud-1"].Instances != nil {
			t.Errorf("I4: people were asked for %v", r.Asked["ud-0"].Instances)
		}
		l.wantSent(want...)
		kinds := l.kinds("r-1")
		if kept, again := slices.Index(kinds, "Evidence"), slices.Index(kinds, "Retried"); kept < 0 || kept > again {
			t.Errorf("evidence at %d, retry at %d", kept, again)
		}
		r := l.rollout("r-1")
		if r.Ended.Outcome != OutcomeSucceeded || r.Ended.Tally.OK != 6 || r.Instances["3"].Tries != 2 || r.Asked["ud-0"].Asking != 2 {
			t.Errorf("ended %+v; 3 is %+v", r.Ended, r.Instances["3"])
		}
	})
}

func TestR30ByThePlanTheBotSetsAsideWhatFails(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.pol.OnFailure = QuarantineOnFailure
		plan := webPlan(setAside)
		l.open("r-1", plan, tale{by{"UANA", Requested{Digest: plan.Digest, Channel: "C1", Name: "ana"}}})
		l.fails("3")
		for range 2000 {
			r := l.rollout("r-1")
			if hasEnded(r) {
				break
			}
			if gate, _, open := r.CurrentGate(plan); open {
				if asked, isAsked := r.Asked[gate.Key]; isAsked && len(r.Votes[gate.Key]) == 0 {
					l.say("r-1", "UBO", Voted{Gate: gate.Key, Asking: asked.Asking, Name: "bo"}, Granted{Gate: gate.Key, Asking: asked.Asking, Digest: plan.Digest, Voters: []string{"UBO"}, Expires: asked.Expires})
				}
			}
			l.pass() //nolint:errcheck // none is planned
		}
		r := l.rollout("r-1")
		if r.Ended == nil || r.Ended.Outcome != OutcomeAside || r.Ended.Tally.Aside != 1 || r.Ended.Tally.OK != 5 || !r.Instances["3"].Kept {
			t.Errorf("ended %+v; 3 is %+v", r.Ended, r.Instances["3"])
		}
	})
}

func TestR5ARollbackTakesTheLockOver(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.until("the first gate", func(r Rollout) bool { return r.Instances["3"].State == OK })
		l.say("r-1", "UANA", AbortAsked{Name: "ana", Reason: "errors", Rollback: true})
		l.until("the end", hasEnded)
		if r := l.rollout("r-1"); r.Ended.Outcome != OutcomeRollback {
			t.Fatalf("ended %+v", r.Ended)
		}
		back, err := l.Holder(context.Background(), webID)
		if err != nil {
			t.Fatal("nobody holds the set")
		}
		p := back.Plan
		if p.Action != ActionRollback || p.Undoes != "r-1" || !slices.Equal(grouped(p), []string{"ud-0 0,3"}) || !p.Target.Image.Same(v1) || back.Rollout.Requester != "UANA" {
			t.Errorf("the way back: %+v", p)
		}
		for range 50 {
			r := l.rollout(back.ID)
			if asked, isAsked := r.Asked["ud-0"]; isAsked && len(r.Votes["ud-0"]) == 0 {
				w := Word{Verb: WordApprove, Rollout: back.ID, Channel: "C1"}
				heard, no := Hear(w, ana, &Card{Gate: "ud-0", Asking: asked.Asking}, p, r, l.pol, time.Now())
				if no != nil {
					t.Fatalf("R5: who asked may agree: %v", no)
				}
				l.say(back.ID, "UANA", heard.Facts...)
			}
			if hasEnded(r) {
				break
			}
			l.pass() //nolint:errcheck // none is planned
		}
		l.wantSent("putting 2.0 into the model", "upgrading instances 0 3", "putting 1.0 into the model", "upgrading instances 0 3")
		if r := l.rollout(back.ID); r.Ended == nil || r.Ended.Outcome != OutcomeSucceeded {
			t.Errorf("the way back ended %+v", r.Ended)
		}
	})
}

func TestR19TheFreezeIsAskedOnceMoreRightBeforeTheWrite(t *testing.T) {
	inLab(t, tale{requested, granted("ud-0")}, func(l *lab) {
		asked := 0
		l.e.Frozen = func() string {
			if asked++; asked == 2 {
				return "put there between the decision and the call"
			}
			return ""
		}
		l.pass() //nolint:errcheck // it drops what it intended
		l.wantSent()
		if kinds := l.kinds("r-1"); !slices.Contains(kinds, "Dropped") || slices.Contains(kinds, "Sending") {
			t.Errorf("the journal: %v", kinds)
		}
		l.until("the end", hasEnded)
		l.wantSent(everything...)
	})
}

func TestR19SilenceHoldsAndPassesByItself(t *testing.T) {
	for _, row := range []struct {
		name         string
		break_, mend func(*lab)
	}{
		{"no socket", func(l *lab) { l.e.Link = func() Unheard { return Unheard{Since: night, Why: "no socket"} } }, func(l *lab) { l.e.Link = nil }},
		{"a channel that Slack says is closed", func(l *lab) { l.e.Closed = func(context.Context, string, time.Duration) string { return "archived" } }, func(l *lab) { l.e.Closed = nil }},
		{"a message that does not get through", func(l *lab) { l.unsent = night }, func(l *lab) { l.unsent = time.Time{} }},
	} {
		t.Run(row.name, func(t *testing.T) {
			inLab(t, tale{begun}, func(l *lab) {
				row.break_(l)
				time.Sleep(5 * time.Minute)
				l.until("the wait", l.held(ReasonChannel))
				l.wantSent()
				if i := slices.IndexFunc(l.posts, func(p Post) bool { return strings.HasPrefix(p.Slot, "alarm/") }); i < 0 || l.posts[i].User != "UANA" {
					t.Errorf("nobody was told: %+v", l.posts)
				}
				row.mend(l)
				l.until("the end", hasEnded)
			})
		})
	}
}

func TestR19WhetherAChannelIsClosedIsAskedOnceMoreRightBeforeAStart(t *testing.T) {
	inLab(t, tale{begun}, func(l *lab) {
		var sure int
		closed := true
		l.e.Closed = func(_ context.Context, _ string, within time.Duration) string {
			if within > 5*time.Second { // what was known a minute ago: it was open
				return ""
			}
			if sure++; closed {
				return "the bot is not in the channel"
			}
			return ""
		}
		l.until("the wait", l.held(ReasonChannel))
		l.wantSent()
		closed, sure = false, 0
		l.until("the end", hasEnded)
		if l.wantSent(everything[1:]...); sure != len(everything)-1 {
			t.Errorf("Slack was asked %d times, want once before each of the %d writes and not in between", sure, len(everything)-1)
		}
	})
}

func TestR19WhoeverHasTheRolloutIsCalledAlsoWhenSomethingElseHoldsIt(t *testing.T) {
	inLab(t, oneFailed, func(l *lab) {
		l.cloud.set.Instances[0].Image = runs(v2)
		l.until("the hold", l.held(ReasonFailure))
		alarms := func() (n int) {
			for _, p := range l.posts {
				n += bit(strings.HasPrefix(p.Slot, "alarm/"))
			}
			return n
		}
		if alarms() > 0 {
			t.Error("an alarm while people see everything")
		}
		l.unsent = night.Add(-time.Hour)
		for range 20 {
			l.pass() //nolint:errcheck // none is planned
		}
		if alarms() != 1 {
			t.Errorf("%d alarms, want one", alarms())
		}
	})
}

func TestWhatIsInFlightIsWatchedWhileTheJournalTakesNoWrites(t *testing.T) {
	inLab(t, tale{begun}, func(l *lab) {
		var log bytes.Buffer
		l.e.Log = slog.New(slog.NewTextHandler(&log, nil))
		l.until("a call in flight", func(r Rollout) bool { return r.Op != nil && r.Op.State == StateAccepted })
		before := len(l.kinds("r-1"))
		l.full = errors.New("disk full")
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- l.e.Run(ctx) }()
		time.Sleep(65 * time.Second) // Azure's work takes a minute
		stop()
		<-ended
		looks := strings.Count(log.String(), "in flight, and only watched")
		if looks < 6 || looks > 8 || !strings.Contains(log.String(), "done=false") || !strings.Contains(log.String(), "done=true") {
			t.Errorf("%d looks, want one each refresh that tell its end:\n%s", looks, log.String())
		}
		l.wantSent("upgrading instances 0 3")
		if after := len(l.kinds("r-1")); after != before {
			t.Errorf("the journal grew from %d to %d entries", before, after)
		}
		l.full = nil
		l.until("the end", hasEnded)
	})
}

func TestAHandoverMovesTheCallsAndNoRight(t *testing.T) {
	r := tale{begun, by{"UANA", HandedOver{Name: "ana", To: "UEVA", ToName: "eva"}}}.fold()
	if r.Owner != "UEVA" || r.Requester != "UANA" {
		t.Errorf("owner %s, requester %s", r.Owner, r.Requester)
	}
	if _, no := Hear(Word{Verb: WordApprove, Rollout: "r-1"}, ana, nil, webPlan(), r, webPolicy(), night); no == nil || no.Code != CodeRole {
		t.Errorf("R23: who asked may approve after handing it over: %v", no)
	}
}

func TestDeskLeadsOutOfTrouble(t *testing.T) {
	say := func(d Desk, who Person, w Word) (Change, string, error) {
		w.Rollout, w.Channel = "r-1", "C1"
		return d.Say(context.Background(), who, w)
	}
	t.Run("R34 a new plan is made from the set as it is now", func(t *testing.T) {
		d, c, m := deskAt(night)
		m.open("r-1", webPlan(), begun)
		c.set.Model = Model{Image: v2, Sections: map[Section]string{SectionNetwork: "z"}}
		got, answer, err := say(d, bo, Word{Verb: WordReplan})
		if err != nil || got.Plan == nil || got.Plan.Digest == webPlan().Digest || len(got.Events) != 1 || answer == "" {
			t.Fatalf("%+v, %q, %v", got, answer, err)
		}
		f, _ := got.Events[0].Fact.(Replanned)
		if f.Digest != got.Plan.Digest || !slices.Contains(f.Changes, "the model's networkProfile") {
			t.Errorf("recorded %+v", f)
		}
	})
	t.Run("R23 whoever may not does not even have Azure read", func(t *testing.T) {
		d, c, m := deskAt(night)
		m.open("r-1", webPlan(), begun)
		pol := webPolicy()
		pol.Readers = []string{"USTRAY"}
		d.Policies = func() []Policy { return []Policy{pol} }
		c.blind = &Fault{Kind: FaultUnavailable}
		if _, _, err := say(d, stray, Word{Verb: WordReplan}); refusal(t, err).Code != CodeRole {
			t.Errorf("refused %v", err)
		}
	})
	t.Run("R34 as planned there is nothing to plan anew", func(t *testing.T) {
		d, _, m := deskAt(night)
		m.open("r-1", webPlan(), tale{requested})
		if _, _, err := say(d, bo, Word{Verb: WordReplan}); refusal(t, err).Code != CodeState {
			t.Errorf("refused %v", err)
		}
	})
	t.Run("R5 an ended rollout is taken back by a new one", func(t *testing.T) {
		d, c, m := deskAt(night)
		m.open("r-1", webPlan(), tale{udDone(0), Ended{Outcome: OutcomeAborted}})
		c.set.Model.Image = v2
		c.set.Instances[0].Image, c.set.Instances[3].Image = runs(v2), runs(v2)
		got, _, err := say(d, ana, Word{Verb: WordRollback})
		if err != nil || got.Open == nil || got.Open.Undoes != "r-1" || got.Rollout == "r-1" {
			t.Fatalf("%+v, %v", got, err)
		}
	})
	t.Run("R16 not while another one holds the set", func(t *testing.T) {
		d, _, m := deskAt(night)
		m.open("r-1", webPlan(), tale{udDone(0), Ended{Outcome: OutcomeAborted}})
		m.open("r-2", webPlan(), begun)
		if _, _, err := say(d, ana, Word{Verb: WordRollback}); refusal(t, err).Code != CodeLocked {
			t.Errorf("refused %v", err)
		}
	})
	t.Run("R23 who takes over is looked up", func(t *testing.T) {
		d, _, m := deskAt(night)
		m.open("r-1", webPlan(), begun)
		for id, code := range map[string]Code{"UEVA": "", "USTRAY": CodeRole, "UNOBODY": CodeRole} {
			_, _, err := say(d, bo, Word{Verb: WordHandover, To: id})
			if code == "" && err != nil || code != "" && refusal(t, err).Code != code {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}

func TestR1EveryReasonHasAWayOut(t *testing.T) {
	// One state for each reason; what clears those that clear themselves is said by Clears alone.
	seen := map[Reason]Blocker{}
	for _, row := range []decideRow{
		{tale: begun, seen: unreadable}, {tale: tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1"}}}, {tale: dark}, {tale: oneFailed},
		{tale: oneUnclear, seen: instance("3", func(i *Instance) { onNew(i); i.Health = UnknownState })},
		{tale: tale{begun, Unread{Kind: "X"}}}, {tale: begun, seen: set(func(s *ScaleSet) { s.Model.Image = version("3.0") })},
		{tale: begun, seen: func(o *Observation) { o.Throttled = night.Add(time.Hour) }}, {tale: begun, seen: instance("5", updating)},
		{tale: tale{begun, by{"UBO", Paused{Name: "bo"}}}}, {tale: tale{begun, write(batchOp(1, "0")), Accepted{Op: "op-1"}, Settled{Op: "op-1", OK: true}}},
		{tale: tale{udDone(0), granted("ud-1")}}, {tale: udDone(2)}, {tale: begun, seen: all(instance("4", ill), instance("5", ill))},
		{tale: tale{requested, asked("ud-0")}}, {tale: tale{requested, asked("ud-0"), by{"UBO", Denied{Gate: "ud-0", Asking: 1, Name: "bo", Reason: "no"}}}},
		{tale: tale{requested, asked("ud-0")}, later: 5 * time.Hour}, {tale: begun, seen: func(o *Observation) { o.Unheard = Unheard{Since: night.Add(-time.Hour), Why: "x"} }},
		{tale: begun, plan: guarded, seen: reads(says(ProbeFail, "x"))}, {tale: begun, plan: guarded}, {tale: tale{begun, heard(ProbeUnknown)}, plan: guarded, later: time.Hour},
		{tale: begun, seen: func(o *Observation) { o.Frozen = "x" }}, {tale: tale{begun, by{"UANA", AbortAsked{Name: "ana"}}, ModelAsked{Nonce: "m"}}},
	} {
		for _, b := range row.decide().Blockers {
			seen[b.Reason] = b
		}
	}
	all := []Reason{ReasonIncomplete, ReasonInFlight, ReasonUnknown, ReasonModel, ReasonFailure, ReasonDrift, ReasonThrottled, ReasonBusy, ReasonPaused, ReasonVerifying,
		ReasonSoak, ReasonBake, ReasonHealth, ReasonApproval, ReasonDenied, ReasonExpired, ReasonUnread, ReasonUnclear, ReasonChannel, ReasonFreeze, ReasonProbe, ReasonProbing, ReasonUnproven}
	for _, r := range all {
		b, known := seen[r]
		switch {
		case !known:
			t.Errorf("no state shows %s", r)
		case b.Clears == "" || b.What == "":
			t.Errorf("%s does not say who clears it: %+v", r, b)
		case r.Holds() && !typed(b.Next):
			t.Errorf("R1: %s has no way out to type: %q", r, b.Next)
		}
		delete(seen, r)
	}
	if len(seen) > 0 {
		t.Errorf("reasons that this test does not list: %v", slices.Collect(maps.Keys(seen)))
	}
}
