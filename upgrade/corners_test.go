package upgrade

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Corners: where two pieces of trouble meet.

func three(f func(*Instance)) change { return instance("3", f) }

func lastModel(i *Instance) { i.Image, i.LatestModel = runs(v2), true }

func TestARetryDisksOnlyWhatMayBeTouched(t *testing.T) {
	again := tale{oneFailed, retried("3"), askedFor(2, "3")}
	for name, f := range map[string]func(*Instance){
		"protected":   func(i *Instance) { i.Protected = true },
		"deallocated": func(i *Instance) { i.Power = Deallocated },
	} {
		t.Run(name, func(t *testing.T) {
			noteRow{tale: again, seen: all(instance("0", onNew), three(lastModel), three(ill), three(f)), want: []string{"3 left out"}}.run(t)
			d := decideRow{tale: again, seen: all(three(lastModel), three(ill), three(f))}.decide()
			if d.Kind == Start {
				t.Errorf("R6, R21: %s of %v, which is %s", d.Kind, d.Batch, name)
			}
		})
	}
}

func mixed(between ...any) tale {
	return tale{begun, by{"UBO", Skipped{Name: "bo", IDs: []string{"3"}}}, batch(1, "0"), granted("ud-1"), brokenIn(batch(2, "1", "4"), "4", "X", "x"),
		by{"UBO", Retried{Name: "bo", IDs: []string{"4"}, Gates: []string{"ud-1"}}}, tale(between), by{"UBO", Retried{Name: "bo", IDs: []string{"3"}, Gates: []string{"ud-0"}}}}
}

func TestOneThatCameUpByItselfIsFollowedWhicheverGateIsNext(t *testing.T) {
	well := all(instance("0", onNew), instance("1", onNew), instance("4", lastModel))
	seenOnce := mixed(InstanceSeen{ID: "4", State: Confirmed})
	runNotes(t, []noteRow{{name: "R28 seen good twice it is done", tale: seenOnce, later: 10 * time.Second, seen: well, want: []string{"4 ok"}}})
	runRows(t, []decideRow{{name: "R6 and the gate before is asked", tale: tale{seenOnce, 10 * time.Second, InstanceSeen{ID: "4", State: OK}}, later: 10 * time.Minute, seen: well, kind: AskGate, reason: ReasonApproval, gate: "ud-0"}})
}

func TestACallOfALaterGateIsSentOnceMoreAlthoughAnEarlierOneIsOpenAgain(t *testing.T) {
	told := tale{begun, by{"UBO", Skipped{Name: "bo", IDs: []string{"3"}}}, batch(1, "0"), granted("ud-1"), write(batchOp(2, "1", "4")), Unanswered{Op: "op-2", Cause: "timeout"},
		by{"UBO", Retried{Name: "bo", IDs: []string{"3"}, Gates: []string{"ud-0"}}}}
	inLab(t, told, func(l *lab) {
		l.change(func(s *ScaleSet) { s.Instances[0].Image = runs(v2) })
		l.until("the re-send", func(Rollout) bool { return len(l.sent()) > 0 })
		l.wantSent("upgrading instances 1 4")
	})
}

func TestACardNamesWhatItsYesWouldSendOnceMore(t *testing.T) {
	inLab(t, settled, func(l *lab) {
		l.pol.Approvers = []string{"UEVA"}
		l.until("the asking anew", func(r Rollout) bool { return r.Askings["ud-0"] == 2 })
		if a := l.rollout("r-1").Asked["ud-0"]; a.Instances != nil && !slices.Contains(a.Instances, "0") {
			t.Errorf("people are asked for %q of ud-0, and their yes sends 0 and 3", a.Instances)
		}
	})
}

func TestR1WhatAzureRefusedCanBeSkipped(t *testing.T) {
	runRows(t, []decideRow{
		{name: "R1 all of it", tale: tale{azureSaidNo, by{"UBO", Skipped{Name: "bo", IDs: []string{"0", "3"}}}}, kind: AskGate, reason: ReasonApproval, gate: "ud-1"},
		{name: "R1 a part of it is no way out", tale: tale{azureSaidNo, by{"UBO", Skipped{Name: "bo", IDs: []string{"0"}}}}, kind: Hold, reason: ReasonFailure},
	})
}

func TestR29APersonsWordHoldsWhileNothingElseIsKnown(t *testing.T) {
	resolved := tale{oneUnclear, by{"UBO", Resolved{Name: "bo", Verdict: IsOK, IDs: []string{"3"}}}, granted("ud-1")}
	unknown := func(i *Instance) { lastModel(i); i.Health = UnknownState }
	runRows(t, []decideRow{
		{name: "R29 resolved as well, and still nothing tells", tale: resolved, seen: three(unknown), later: 6 * time.Minute, kind: Start, batch: []string{"1"}},
		{name: "R31 until it is known to be ill", tale: resolved, seen: all(three(lastModel), three(ill)), later: 6 * time.Minute, kind: Wait, reason: ReasonHealth},
	})
}

func TestR5ARollbackIsNoWayAroundTheSecondPerson(t *testing.T) {
	p, r := webPlan(), udDone(0).fold()
	on2 := func(s *ScaleSet) {
		s.Model.Image = v2
		for n := range s.Instances {
			if st := r.Instances[s.Instances[n].ID].State; st == OK {
				s.Instances[n].Image = runs(v2)
			}
		}
	}
	s := web()
	on2(&s)
	back, no := Undo(p, r, s, webPolicy(), "UANA", night)
	if no != nil {
		t.Fatal(no)
	}
	t.Run("the way back is not taken back", func(t *testing.T) {
		gone := tale{by{"UANA", Requested{Digest: back.Digest, Channel: "C1", Name: "ana"}}, write(patch()), Accepted{Op: "op-model"}, Settled{Op: "op-model", OK: true}, ModelSet{To: to(v1), Previous: to(v2)}, batch(1, "0", "3")}.fold()
		if q, no := Undo(back, gone, web(), webPolicy(), "UANA", night); no == nil {
			t.Errorf("%s of %s to %s takes one person's yes", q.Action, q.Name, q.Target.Image)
		}
		if heard, no := Hear(Word{Verb: WordRollback}, ana, nil, back, gone, webPolicy(), night); no == nil {
			t.Errorf("heard %+v", heard)
		}
	})
	t.Run("and is shown as no way out", func(t *testing.T) {
		v := view{p: back, r: oneFailed.fold(), seen: seenAfter(back, oneFailed.fold()), now: night}
		if b := failure(v); slices.Contains(b.Also, "/vmss rollback r-1") {
			t.Errorf("ways out %q", b.Also)
		}
	})
	t.Run("nor is what came after it taken along", func(t *testing.T) {
		later := s
		later.Model.Image = version("3.0")
		if q, no := Undo(p, r, later, webPolicy(), "UANA", night); no == nil {
			t.Errorf("%s takes %s from 3.0 to %s with one person's yes", q.Action, q.Name, q.Target.Image)
		}
	})
	t.Run("nor what somebody else put onto an instance", func(t *testing.T) {
		s := s
		s.Instances = slices.Clone(s.Instances)
		s.Instances[3].Image = runs(version("3.0"))
		q, no := Undo(p, r, s, webPolicy(), "UANA", night)
		if no != nil || q.Size() != 1 {
			t.Errorf("%v, %d instances", no, q.Size())
		}
		s.Instances[0].Image = runs(version("3.0"))
		if q, no := Undo(p, r, s, webPolicy(), "UANA", night); no == nil {
			t.Errorf("no instance is all of them: %+v", q.Gates)
		}
	})
	t.Run("the image before needs no leave of the allow-list", func(t *testing.T) {
		pol := webPolicy()
		pol.AllowedImages = []string{"canonical:noble:24_04-lts"}
		if _, no := Undo(p, r, s, pol, "UANA", night); no != nil {
			t.Error(no)
		}
	})
	t.Run("a model that was put back stands in nobody's way", func(t *testing.T) {
		p, reverted := p, s
		p.From.Version, reverted.Model.Image = Latest, version(Latest)
		if _, no := Undo(p, r, reverted, webPolicy(), "UANA", night); no != nil {
			t.Error(no)
		}
	})
	t.Run("a version that nobody knows is none to go to", func(t *testing.T) {
		for _, was := range []string{Latest, ""} {
			p := webPlan()
			for n := range p.Gates[0].Instances {
				p.Gates[0].Instances[n].From = to(version(was))
			}
			r := r
			r.Model.Previous = to(version(was))
			if q, no := Undo(p, r, s, webPolicy(), "UANA", night); no == nil {
				t.Errorf("rolls back to %q", q.Target.Image.Version)
			}
		}
	})
}

func TestR5ANewPlanForgetsNotWhatAnInstanceRanBefore(t *testing.T) {
	r := tale{oneFailed, retried("3")}.fold()
	s := web()
	s.Model.Image = version("1.5")
	s.Instances[0].Image, s.Instances[3].Image = runs(v2), runs(v2)
	q, no := Replan(webPlan(), r, s, webPolicy(), night)
	if no != nil {
		t.Fatal(no)
	}
	if m, _, _ := q.Member("3"); !m.From.Same(to(v1)) {
		t.Errorf("before it was touched, 3 ran 1.0, not %s", m.From)
	}
}

func TestR40OneOutageInOtherWordsIsToldOnce(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		since, n := night.Add(-time.Hour), 0
		l.e.Link = func() Unheard { n++; return Unheard{Since: since, Why: fmt.Sprintf("dial: error %d", n)} }
		for range 20 {
			l.pass() //nolint:errcheck // nothing crashes here
		}
		r := l.rollout("r-1")
		if len(r.Holds) != 1 || r.Seq > len(begun.events())+3 {
			t.Errorf("%d announcements, %d entries: %v", len(r.Holds), r.Seq, l.kinds("r-1"))
		}
	})
}

func TestTroubleOfAWholeSetFitsIntoAMessage(t *testing.T) {
	var ids []string
	told := tale{begun}
	for n := range 1000 {
		ids = append(ids, fmt.Sprint(10*n))
	}
	op := Operation{ID: "op-1", Kind: OpUpgrade, Gate: "ud-0", Batch: 1, Instances: ids}
	told = append(told, write(op), Accepted{Op: "op-1"}, Settled{Op: "op-1", Code: "X"})
	for _, id := range ids {
		told = append(told, InstanceSeen{ID: id, State: Broken, Detail: "boot loop"})
	}
	b := decideRow{tale: told}.decide().Blockers[0]
	for _, way := range append([]string{b.Next, b.What}, b.Also...) {
		if len(way) > 2000 {
			t.Errorf("%d characters: %.80s…", len(way), way)
		}
	}
	if n := len(strings.Join(b.Details, "\n")); n > 10000 {
		t.Errorf("the details have %d characters, in every entry of a decision", n)
	}
}

func TestR38ACrashAtAnyCommitOfAWayOut(t *testing.T) {
	for name, told := range map[string]tale{
		"retry":    {oneFailed, retried("3")},
		"rollback": {udDone(0), by{"UANA", AbortAsked{Name: "ana", Rollback: true}}},
	} {
		for n := range 60 {
			for _, before := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s %v %d", name, before, n), func(t *testing.T) {
					inLab(t, told, func(l *lab) {
						l.change(func(s *ScaleSet) {
							for n := range s.Instances {
								if i := &s.Instances[n]; told.fold().Instances[i.ID].State == OK {
									i.Image = runs(v2)
								}
							}
						})
						count := 0
						crash := func(Change) error {
							if count++; count == n+1 {
								return errCrash
							}
							return nil
						}
						if l.memory.after = crash; before {
							l.memory.before, l.memory.after = crash, nil
						}
						l.until("the end", hasEnded)
						open, _ := l.memory.Open(context.Background())
						sent := l.sent()
						switch {
						case name == "rollback" && (len(open) != 1 || open[0].Plan.Undoes != "r-1" || len(sent) > 0):
							t.Errorf("%d open, sent %q", len(open), sent)
						case name == "retry" && !slices.Equal(sent, []string{"upgrading instance 3", "upgrading instances 1 4", "upgrading instances 2 5"}):
							t.Errorf("sent %q", sent)
						}
					})
				})
			}
		}
	}
}

func TestR24ADenialIsAskedAgainForItsOwnGate(t *testing.T) {
	denied := by{"UBO", Denied{Gate: "ud-1", Asking: 1, Name: "bo", Reason: "not tonight"}}
	earlier := tale{mixed(), asked("ud-1"), denied} // 3, of the gate before, is wanted again
	t.Run("it is told which", func(t *testing.T) {
		d := decideRow{tale: earlier, later: 10 * time.Minute, seen: all(instance("0", onNew), instance("1", onNew))}.decide()
		if d.Reason != ReasonDenied || !strings.Contains(d.Text, "denied UD 1") {
			t.Errorf("%s %q", d.Reason, d.Text)
		}
	})
	hearRow{in: earlier, word: Word{Verb: WordAsk}, want: []string{"AskedAgain"}, says: "UD 1"}.run(t)
	hearRow{in: tale{begun, by{"UBO", Denied{Gate: "ud-0", Asking: 1, Name: "bo", Reason: "no"}}, by{"UBO", Retried{Gates: []string{"ud-0"}}}}, word: Word{Verb: WordAsk}, want: []string{"AskedAgain"}, says: "UD 0"}.run(t)
}

func TestR34TheImageBeforePutBackIsPlannedAnew(t *testing.T) {
	s := web()
	s.Instances[0].Image, s.Instances[3].Image = runs(v2), runs(v2)
	told := tale{udDone(0), granted("ud-1")}
	q, no := Replan(webPlan(), told.fold(), s, webPolicy(), night)
	if no != nil {
		t.Fatal(no)
	}
	row := hearRow{in: told, word: Word{Verb: WordReplan, Plan: &q}, want: []string{"Replanned"}}
	row.run(t)
	heard, _ := hear(told, bo, row.word, nil)
	runRows(t, []decideRow{{name: "R20 nothing starts by the yes of before", tale: tale{told, by{"UBO", heard.Facts[0]}}, seen: set(func(m *ScaleSet) { m.Model.Image = v1 }), later: 6 * time.Minute, kind: AskGate, gate: "ud-1", reason: ReasonApproval}})
	if f := heard.Facts[0].(Replanned); !slices.Equal(f.Changes, []string{"the model's image: 1.0, was 2.0"}) {
		t.Errorf("told are %q", f.Changes)
	}
}

func TestR48WhatBecameOfACallComesBeforeAnotherPlan(t *testing.T) {
	d := decideRow{tale: settled, seen: set(func(s *ScaleSet) { s.Model.Image = v1 })}.decide()
	if b := d.Blockers[0]; b.Reason != ReasonDrift || b.Next != `/vmss resolve r-1 not-started "why"` {
		t.Errorf("%s: %q leads nowhere while the call may still happen", b.Reason, b.Next)
	}
}

func TestR21ANewPlanIsNoWayToALooserPolicy(t *testing.T) {
	p := webPlan(func(_ *ScaleSet, pol *Policy, _ *Wish) { pol.Approvals, pol.Approvers = 2, []string{"UBO", "UEVA"} })
	loose, s := webPolicy(), web()
	loose.Approvers = []string{"UBO", "UEVA", "USTRAY"}
	s.Model.Image = version("1.5")
	q, no := Replan(p, agreeTo(p, begun).fold(), s, loose, night)
	if no != nil {
		t.Fatal(no)
	}
	if _, need := q.Agreement(loose); need != 2 {
		t.Errorf("two people had to agree, %d have to after a replan", need)
	}
	if q.Policy.Refuses(stray, MayApprove, "UANA") == "" {
		t.Error("who was no approver when it was asked for is one after a replan")
	}
}
