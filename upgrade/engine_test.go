package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// lab is an engine over fakes, in a bubble whose time begins at the night.
type lab struct {
	t *testing.T
	e *Engine
	*memory
	*cloud
	dir directory
	pol Policy
}

// inLab runs f with rollout r-1 of web's plan in the journal, as the tale left it.
func inLab(t *testing.T, told tale, f func(*lab)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(night))
		l := &lab{t: t, memory: newMemory(), cloud: newCloud(), dir: directory{"UANA": ana, "UBO": bo, "UEVA": eva}, pol: webPolicy()}
		var n atomic.Int64
		l.e = &Engine{
			Fleet: l.cloud, Journal: l.memory, Reader: l.memory, People: l.dir, Policies: func() []Policy { return []Policy{l.pol} },
			Pace: DefaultPace(), Now: time.Now, ID: func() string { return fmt.Sprintf("id%06d", n.Add(1)) },
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Woken: l.woken,
		}
		if told.fold().Model.Set {
			l.cloud.set.Model.Image = v2
		}
		l.open("r-1", webPlan(), told)
		f(l)
	})
}

// plan puts the rollout of another plan in the place of web's.
func (l *lab) plan(p Plan) {
	l.memory = newMemory()
	l.e.Journal, l.e.Reader, l.e.Woken = l.memory, l.memory, l.woken
	l.open("r-1", p, tale{by{"UANA", Requested{Digest: p.Digest, Channel: "C1", Name: "ana"}}})
}

// pass waits for the next pass to be due and makes it. A crash leaves the lease as it was; the
// journal then starts anew.
func (l *lab) pass() error {
	for {
		lease, next, ok, _ := l.Claim(context.Background())
		if !ok {
			if next.IsZero() {
				l.t.Fatal("nothing will ever be due again")
			}
			time.Sleep(time.Until(next))
			continue
		}
		wake, err := l.e.Step(context.Background(), lease)
		if errors.Is(err, errCrash) {
			time.Sleep(time.Second)
			l.restart()
			return err
		}
		if err != nil {
			wake = time.Now()
		}
		if err := l.Release(context.Background(), lease, wake); err != nil && !errors.Is(err, ErrFenced) {
			l.t.Fatal(err)
		}
		return err
	}
}

var errCrash = errors.New("crash")

// person says yes to whatever is asked.
func (l *lab) person() {
	rec, _ := l.Record(context.Background(), "r-1")
	r := rec.Rollout
	gate, _, open := r.CurrentGate(rec.Plan)
	asked, isAsked := r.Asked[gate.Key]
	if _, granted := r.Grants[gate.Key]; open && isAsked && !granted && r.Abort == nil {
		l.say("r-1", "UBO", Voted{Gate: gate.Key, Asking: asked.Asking, Name: "bo"}, Granted{Gate: gate.Key, Asking: asked.Asking, Digest: rec.Plan.Digest, Voters: []string{"UBO"}, Expires: asked.Expires})
	}
}

// until makes passes until the condition holds.
func (l *lab) until(what string, cond func(Rollout) bool) {
	l.t.Helper()
	for range 2000 {
		if cond(l.rollout("r-1")) {
			return
		}
		l.person()
		l.pass() //nolint:errcheck // crashes are part of the story
	}
	l.t.Fatalf("it never came to %s; the journal: %v", what, l.kinds("r-1"))
}

func hasEnded(r Rollout) bool { return r.Ended != nil }

// held is the condition of waiting or holding for a reason.
func (l *lab) held(why Reason) func(Rollout) bool {
	return func(Rollout) bool {
		rec, _ := l.Record(context.Background(), "r-1")
		d := LastDecided(rec.Events)
		return d.Reason == why && (d.Kind == Wait || d.Kind == Hold)
	}
}

var everything = []string{"putting 2.0 into the model", "upgrading instances 0 3", "upgrading instances 1 4", "upgrading instances 2 5"}

func (l *lab) wantSent(want ...string) {
	l.t.Helper()
	if got := l.sent(); !slices.Equal(got, want) {
		l.t.Errorf("Azure accepted %q, want %q", got, want)
	}
}

func TestRunRollsASetOutGateByGate(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- l.e.Run(ctx) }()
		for range 3600 {
			time.Sleep(time.Second)
			l.person()
		}
		r := l.rollout("r-1")
		if r.Ended == nil || r.Ended.Outcome != OutcomeSucceeded {
			t.Fatalf("it did not succeed: %+v", r.Ended)
		}
		want := Tally{Planned: 6, OK: 6, OnNew: 6, LowestServing: 4, Total: 6}
		if r.Ended.Tally != want {
			t.Errorf("tally %+v, want %+v", r.Ended.Tally, want)
		}
		l.wantSent(everything...)
		took := r.EndedAt.Sub(night)
		if least := 3*time.Minute + 2*5*time.Minute + 10*time.Minute; took < least || took > least+5*time.Minute {
			t.Errorf("it took %s: three minutes of work, two soaks and a bake are %s", took, least)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestR38IntentIsDurableBeforeAnythingIsSent(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.refuse = func(op Operation) error {
			kinds := l.kinds("r-1")
			if end := kinds[len(kinds)-2:]; !slices.Equal(end, []string{"Intended", "Sending"}) {
				t.Errorf("%s is sent after %v", describe(op), end)
			}
			if r := l.rollout("r-1"); r.Op == nil || r.Op.ID != op.ID {
				t.Errorf("%s is sent, the journal says %+v", op.ID, r.Op)
			}
			return nil
		}
		l.until("the end", hasEnded)
		l.wantSent(everything...)
	})
}

// TestR38ACrashAtAnyCommitStartsNothingTwice crashes once, right before or right after the n-th
// commit, for every n there is: each run must end as the one without a crash. One is allowed to end
// at a person's door: a crash right before the model's write, which R48 never repeats.
func TestR38ACrashAtAnyCommitStartsNothingTwice(t *testing.T) {
	commits := 0
	inLab(t, tale{requested}, func(l *lab) {
		l.memory.before = func(Change) error { commits++; return nil }
		l.until("the end", hasEnded)
	})
	if commits < 20 {
		t.Fatalf("a whole rollout made %d commits", commits)
	}
	for n := range commits {
		for _, when := range []string{"before", "after"} {
			t.Run(fmt.Sprintf("%s commit %d", when, n), func(t *testing.T) {
				inLab(t, tale{requested}, func(l *lab) {
					count := 0
					crash := func(Change) error {
						count++
						if count == n+1 {
							return errCrash
						}
						return nil
					}
					if when == "before" {
						l.memory.before = crash
					} else {
						l.memory.after = crash
					}
					if l.until("the end", func(r Rollout) bool { return hasEnded(r) || l.held(ReasonUnknown)(r) }); l.held(ReasonUnknown)(Rollout{}) {
						if r := l.rollout("r-1"); r.Op.Kind != OpModel || len(l.applied) > 0 {
							t.Errorf("R48: a person is asked about %+v, accepted was %q", r.Op, l.sent())
						}
						return
					}
					if r := l.rollout("r-1"); r.Ended.Outcome != OutcomeSucceeded || r.Ended.Tally.OK != 6 {
						t.Errorf("ended %+v", r.Ended)
					}
					l.wantSent(everything...)
				})
			})
		}
	}
}

func TestR18AFencedPassSendsNothing(t *testing.T) {
	for _, kind := range []string{"Intended", "Sending"} {
		inLab(t, begun, func(l *lab) {
			stolen := false
			l.memory.before = func(c Change) error {
				if FactKind(c.Events[len(c.Events)-1].Fact) == kind && !stolen {
					stolen = true
					l.steal("r-1")
				}
				return nil
			}
			if err := l.pass(); !errors.Is(err, ErrFenced) {
				t.Errorf("at %s: the pass ended with %v", kind, err)
			}
			l.wantSent()
			l.restart()
			l.until("a call", func(r Rollout) bool { return len(r.Batches) == 1 })
			l.wantSent("upgrading instances 0 3")
		})
	}
}

// Another process may have taken the journal over meanwhile, waited, looked, and sent it once more.
func TestR18WhoSleptBetweenTheFenceAndTheCallSendsNothing(t *testing.T) {
	for slept, sends := range map[time.Duration]bool{time.Second: true, 10 * time.Minute: false} {
		inLab(t, begun, func(l *lab) {
			l.memory.after = func(c Change) error {
				if _, is := c.Events[len(c.Events)-1].Fact.(Sending); is {
					time.Sleep(slept)
				}
				return nil
			}
			err := l.pass()
			if sent := len(l.sent()) > 0; sent != sends || (err == nil) != sends {
				t.Errorf("after %s: sent %q, and the pass says %v", slept, l.sent(), err)
			}
			l.memory.after = nil
			l.until("a call", func(Rollout) bool { return len(l.sent()) == 1 })
			l.wantSent("upgrading instances 0 3")
		})
	}
}

func TestR2AWordSpokenDuringAPassCounts(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		said := false
		l.memory.before = func(Change) error {
			if !said {
				said = true
				l.say("r-1", "UANA", Paused{Name: "ana"})
			}
			return nil
		}
		if err := l.pass(); !errors.Is(err, ErrStale) {
			t.Errorf("the pass ended with %v", err)
		}
		l.until("a pause", l.held(ReasonPaused))
		l.wantSent()
	})
}

func TestAWakeUpIsNeverLost(t *testing.T) {
	for _, row := range []struct {
		name   string
		within time.Duration
		blind  bool // nobody signals
	}{{"a signal is heard at once", 100 * time.Millisecond, false}, {"without one the journal is asked every second", 1100 * time.Millisecond, true}} {
		t.Run(row.name, func(t *testing.T) {
			inLab(t, tale{requested, asked("ud-0")}, func(l *lab) {
				if row.blind {
					l.e.Woken = nil
				}
				ctx, stop := context.WithCancel(context.Background())
				done := make(chan error)
				go func() { done <- l.e.Run(ctx) }()
				for n := range 40 {
					time.Sleep(time.Duration(n*n) * 37 * time.Millisecond)
					l.say("r-1", "UANA", Paused{Name: fmt.Sprint("ana", n)})
					time.Sleep(row.within)
					rec, _ := l.Record(ctx, "r-1")
					if d := LastDecided(rec.Events); !strings.Contains(d.Text, fmt.Sprint("ana", n)) {
						t.Fatalf("word %d was not heard: %q", n, d.Text)
					}
				}
				stop()
				<-done
			})
		})
	}
}

func TestRunIsNoBusyLoop(t *testing.T) {
	inLab(t, tale{requested, asked("ud-0")}, func(l *lab) {
		ctx, stop := context.WithTimeout(context.Background(), time.Hour)
		defer stop()
		if err := l.e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if l.claims > 500 { // 120 passes, each with a claim after it, and a few more
			t.Errorf("in an hour of waiting the journal was asked %d times", l.claims)
		}
		if n := len(l.kinds("r-1")); n > 4 {
			t.Errorf("R40: an hour of waiting left %v", l.kinds("r-1"))
		}
	})
}

func TestRunStops(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		ctx, stop := context.WithCancel(context.Background())
		l.answer = func(Operation) error {
			stop()
			time.Sleep(5 * time.Second)
			return nil
		}
		if err := l.e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(night); took > 10*time.Second {
			t.Errorf("it took %s to stop", took)
		}
		if r := l.rollout("r-1"); r.Op == nil || r.Op.State != StateAccepted {
			t.Errorf("the answer to the call that had begun was lost: %+v", r.Op)
		}
	})
	inLab(t, begun, func(l *lab) {
		ctx, stop := context.WithCancel(context.Background())
		l.memory.after = func(c Change) error {
			if FactKind(c.Events[len(c.Events)-1].Fact) == "Intended" {
				stop()
			}
			return nil
		}
		if err := l.e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		l.wantSent()
		l.memory.after = nil
		l.restart()
		l.until("the end", hasEnded)
		l.wantSent(everything[1:]...)
	})
}

func TestOneRolloutsPanicIsItsOwn(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		l.open("r-0", webPlan(), begun)
		l.memory.before = func(c Change) error {
			if c.Rollout == "r-0" {
				panic("bug")
			}
			return nil
		}
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
		defer stop()
		if err := l.e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		l.wantSent("upgrading instances 0 3")
	})
}

func TestSeveralRolloutsRunAtOnceButNotMoreThanPasses(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.e.Passes, l.slow = 2, 100*time.Millisecond
		for n := range 20 {
			l.open(fmt.Sprintf("r-%d", n+1), webPlan(), tale{requested})
		}
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		if err := l.e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if l.peak != 2 {
			t.Errorf("%d passes were made at once, want 2", l.peak)
		}
		for n := range 20 {
			if r := l.rollout(fmt.Sprintf("r-%d", n+1)); len(r.Asked) != 1 {
				t.Errorf("%s was not asked", r.ID)
			}
		}
	})
}

func TestR48AnAnswerThatIsLost(t *testing.T) {
	unknown := &Fault{Kind: FaultUnknown, Message: "timeout"}
	first := func() func(Operation) error {
		lost := false
		return func(op Operation) error {
			if op.Kind == OpUpgrade && !lost {
				lost = true
				return unknown
			}
			return nil
		}
	}
	t.Run("R48 a call that arrived is seen and not sent again", func(t *testing.T) {
		inLab(t, tale{requested}, func(l *lab) {
			l.answer = first()
			l.until("the end", hasEnded)
			l.wantSent(everything...)
		})
	})
	t.Run("R48 a call that never arrived is sent once more, after two agreeing lists", func(t *testing.T) {
		inLab(t, tale{requested}, func(l *lab) {
			l.refuse = first()
			l.until("the end", hasEnded)
			l.wantSent(everything...)
			r := l.rollout("r-1")
			if op := r.Batches[0].Op; !op.Resend || op.SentAt.Sub(night) < 2*time.Minute {
				t.Errorf("sent again %s after the night's beginning: %+v", op.SentAt.Sub(night), op)
			}
		})
	})
	t.Run("R48 a second time is a person's business, and an abort ends it", func(t *testing.T) {
		inLab(t, tale{requested}, func(l *lab) {
			l.refuse = func(op Operation) error {
				if op.Kind == OpUpgrade {
					return unknown
				}
				return nil
			}
			l.until("a hold", l.held(ReasonUnknown))
			before := len(l.kinds("r-1"))
			for range 500 {
				l.pass()
			}
			if after := len(l.kinds("r-1")); after > before+2 {
				t.Errorf("R40: the journal grew from %d to %d entries while nobody came: %v", before, after, l.kinds("r-1")[before:])
			}
			l.say("r-1", "UANA", AbortAsked{Name: "ana", Answer: Revert})
			l.until("the end", hasEnded)
			l.wantSent("putting 2.0 into the model", "putting 1.0 back into the model")
		})
	})
	t.Run("R48 nobody can see whether one more try of what has the image happened, so a person is asked", func(t *testing.T) {
		inLab(t, tale{requested}, func(l *lab) {
			l.fails("3")
			l.until("the hold", l.held(ReasonFailure))
			l.change(func(s *ScaleSet) { s.Instances[3].LatestModel = false })
			l.refuse = first()
			l.say("r-1", "UANA", Retried{Name: "ana", IDs: []string{"3"}, Gates: []string{"ud-0"}})
			l.until("the question", l.held(ReasonUnknown))
			l.wantSent("putting 2.0 into the model", "upgrading instances 3 0")
			if op := l.rollout("r-1").Op; op.Kind != OpUpgrade || op.Resend || time.Since(op.SentAt) > 5*time.Minute {
				t.Errorf("asked %s after %+v", time.Since(op.SentAt), op)
			}
		})
	})
	t.Run("R4 R48 a revert that never arrived is sent once more and no more often", func(t *testing.T) {
		for _, lost := range []int{1, 2} {
			inLab(t, begun, func(l *lab) {
				tries := 0
				l.refuse = func(op Operation) error {
					if op.Kind != OpRevert {
						return nil
					}
					if tries++; tries > lost {
						return nil
					}
					return unknown
				}
				l.say("r-1", "UANA", AbortAsked{Name: "ana", Answer: Revert})
				l.until("the end", hasEnded)
				if r := l.rollout("r-1"); tries != 2 || (r.Model.Detail == "") != (lost == 1) {
					t.Errorf("%d lost: sent %d times, %q", lost, tries, r.Model.Detail)
				}
			})
		}
	})
	t.Run("R48 a lost write of the model that arrived is seen", func(t *testing.T) {
		inLab(t, tale{requested}, func(l *lab) {
			l.answer = func(op Operation) error {
				if op.Kind == OpModel {
					return unknown
				}
				return nil
			}
			l.until("the end", hasEnded)
			l.wantSent(everything...)
		})
	})
}

func TestRefusedWrites(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault Fault
		tries int // what is sent until the rollout holds; 0 = it never holds
		least time.Duration
	}{
		{"R6 a refusal is not tried again", Fault{Kind: FaultRefused, Code: "InvalidParameter"}, 1, 0},
		{"R6 nor is a missing right", Fault{Kind: FaultDenied, Code: "AuthorizationFailed"}, 1, 0},
		{"R37 nor what our own guard stops", Fault{Kind: FaultUnsafe}, 1, 0},
		{"R41 a model that changed under us is, but not for ever", Fault{Kind: FaultPrecondition}, patience + 1, 10 * time.Minute},
		{"R39 a token that was refused passes, but not for ever", Fault{Kind: FaultSignIn, Code: "ExpiredAuthenticationToken"}, patience + 1, 10 * time.Minute},
		{"I1 a set that somebody else keeps busy is, but not for ever", Fault{Kind: FaultBusy}, patience + 1, 10 * time.Minute},
		{"R39 throttling never fails a rollout", Fault{Kind: FaultThrottled, RetryAfter: time.Hour}, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			inLab(t, tale{requested}, func(l *lab) {
				tries, last := 0, time.Time{}
				l.refuse = func(Operation) error {
					if tries++; tries > 1 && time.Since(last) < row.fault.RetryAfter {
						t.Errorf("R39: sent again after %s, Azure asked for %s", time.Since(last), row.fault.RetryAfter)
					}
					last = time.Now()
					fault := row.fault
					return &fault
				}
				if row.tries == 0 {
					l.until("four tries", func(Rollout) bool { return tries > 3 })
					return
				}
				l.until("a hold", l.held(ReasonFailure))
				if tries != row.tries || time.Since(night) < row.least {
					t.Errorf("%d tries in %s", tries, time.Since(night))
				}
				l.wantSent()
			})
		})
	}
	t.Run("R4 a revert that Azure refuses ends and says so", func(t *testing.T) {
		inLab(t, tale{begun, by{"UANA", AbortAsked{Name: "ana", Answer: Revert}}}, func(l *lab) {
			l.refuse = func(Operation) error { return &Fault{Kind: FaultDenied, Code: "ScopeLocked", Message: "locked"} }
			l.until("the end", hasEnded)
			if r := l.rollout("r-1"); r.Ended.Outcome != OutcomeAborted || !strings.Contains(r.Model.Detail, "ScopeLocked") {
				t.Errorf("ended %+v, %+v", r.Ended, r.Model)
			}
		})
	})
}

func TestR4AnAbortAsksWhatBecomesOfTheModel(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.cloud.set.Etag = `"7"`
		l.until("a first batch", func(r Rollout) bool { return len(r.Batches) == 1 && r.Op == nil })
		l.say("r-1", "UANA", AbortAsked{Name: "ana"})
		l.until("the question", l.held(ReasonModel))
		r := l.rollout("r-1")
		if q := r.Model.Asked; q.Recommend != Revert || q.On != 2 || q.Off != 4 || q.Nonce == "" {
			t.Errorf("asked %+v", q)
		}
		l.say("r-1", "UBO", ModelAnswered{Answer: Revert})
		l.until("the end", hasEnded)
		l.wantSent("putting 2.0 into the model", "upgrading instances 0 3", "putting 1.0 back into the model")
		if op := l.applied[2]; op.Kind != OpRevert || op.IfMatch != `"7"` || op.Gate != "" || op.Asking != 0 {
			t.Errorf("R37: the revert was %+v", op)
		}
		if r = l.rollout("r-1"); r.Ended.Outcome != OutcomeAborted || r.Ended.Tally.OK != 2 || r.Ended.Tally.Untouched != 4 || r.Ended.Tally.OnOld != 4 {
			t.Errorf("ended %+v", r.Ended)
		}
	})
}

func TestR41OperationsCarryWhatWasAgreedTo(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.cloud.set.Etag = `"7"`
		l.until("the end", hasEnded)
		for n, op := range l.applied {
			if op.Digest != webPlan().Digest || op.Set != webID || op.Asking != 1 || op.To != to(v2) || (op.Kind == OpModel) != (op.IfMatch == `"7"`) || op.ID == "" {
				t.Errorf("operation %+v", op)
			}
			if op.Kind == OpUpgrade && (len(op.Instances) == 0 || op.Batch != n || op.Gate != fmt.Sprintf("ud-%d", n-1)) {
				t.Errorf("R42: operation %+v", op)
			}
		}
		rec, _ := l.Record(t.Context(), "r-1")
		for _, e := range rec.Events {
			if f, accepted := e.Fact.(Accepted); accepted && (f.Correlation != "c" || f.Azure.IsZero()) {
				t.Errorf("R40: of its acceptance is kept %+v", f)
			}
		}
	})
}

// Drift stops such a rollout before that: this is the second lock.
func TestR41WhatTheModelSaysIsNeverWritten(t *testing.T) {
	p := webPlan(func(s *ScaleSet, _ *Policy, w *Wish) { s.Model.Image, w.Target.Model = v2, true })
	for _, is := range []Image{v1, v2, version("3.0")} {
		s := web()
		s.Model.Image = is
		if (view{p: p, seen: Observation{Set: &s}}).modelNeeded() {
			t.Errorf("a model that names %s would be written", is)
		}
	}
}

func TestR23TheRightIsCheckedWhenItCounts(t *testing.T) {
	for name, lose := range map[string]func(*lab){
		"R23 an approver taken off the policy": func(l *lab) { l.pol.Approvers = []string{"UEVA"} },
		"R23 one who is a guest by now":        func(l *lab) { l.dir["UBO"] = Person{ID: "UBO", Guest: true} },
		"R23 one who cannot be checked":        func(l *lab) { delete(l.dir, "UBO") },
		"R23 a set without a policy":           func(l *lab) { l.pol = Policy{} },
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, tale{requested, granted("ud-0")}, func(l *lab) {
				lose(l)
				for range 50 {
					l.pass()
				}
				l.wantSent()
				if l.pol.Pattern != "" {
					l.say("r-1", "UEVA", Voted{Gate: "ud-0", Asking: 1, Name: "eva"})
					l.until("a start", func(r Rollout) bool { return len(r.Batches) == 1 })
				}
			})
		})
	}
}

func TestR23AGroupThatCannotBeReadTakesNobodysYesAway(t *testing.T) {
	inLab(t, tale{requested, granted("ud-0")}, func(l *lab) {
		l.pol.Approvers = []string{"SGROUP"}
		l.dir["UBO"] = Person{ID: "UBO", Unread: []string{"SGROUP"}}
		for range 50 {
			l.pass()
		}
		l.wantSent()
		r := l.rollout("r-1")
		if r.Asked["ud-0"].Asking != 1 || len(r.Grants) != 1 {
			t.Errorf("asked %+v, grants %+v", r.Asked, r.Grants)
		}
		l.dir["UBO"] = Person{ID: "UBO", Groups: []string{"SGROUP"}}
		l.until("a start", func(r Rollout) bool { return len(r.Batches) == 1 })
	})
}

func TestR34AChangedExtensionIsPutToPeopleBeforeItIsRolledOut(t *testing.T) {
	inLab(t, tale{requested, granted("ud-0")}, func(l *lab) {
		l.change(func(s *ScaleSet) {
			s.Model.Sections = map[Section]string{SectionOSProfile: "a", SectionNetwork: "b", SectionExtensions: "z"}
		})
		l.pass()
		r := l.rollout("r-1")
		if a := r.Asked["ud-0"]; a.Asking != 2 || !slices.Equal(a.Acknowledged, []Section{SectionExtensions}) || len(r.Grants) > 0 {
			t.Errorf("asked %+v", a)
		}
		l.wantSent()
		l.until("the end", hasEnded)
		l.wantSent(everything...)
	})
}

func TestASetThatIsDeleted(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		l.until("a call in flight", func(r Rollout) bool { return r.Op != nil && r.Op.State == StateAccepted })
		l.blind = &Fault{Kind: FaultGone, Op: "read web"}
		l.until("the end", hasEnded)
		r := l.rollout("r-1")
		if r.Ended.Outcome != OutcomeFailed || r.Op != nil || r.Ended.Tally.Unknown != 2 {
			t.Errorf("ended %+v with %+v in flight", r.Ended, r.Op)
		}
	})
}

func TestR46AzureThatCannotBeRead(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		n := 0
		for range 300 {
			n++
			l.blind = &Fault{Kind: FaultUnavailable, Op: "read web", Message: fmt.Sprintf("try again in %d seconds", n)}
			l.pass()
		}
		if kinds := l.kinds("r-1"); len(kinds) > len(begun.events())+1 {
			t.Errorf("R40: 300 failed readings left %v", kinds[len(begun.events()):])
		}
		l.wantSent()
		l.blind = &Fault{Kind: FaultThrottled, RetryAfter: time.Hour}
		l.pass()
		before := time.Now()
		l.blind = nil
		l.pass()
		if waited := time.Since(before); waited < 59*time.Minute {
			t.Errorf("R39: Azure asked for an hour, the next reading came after %s", waited)
		}
		l.until("the end", hasEnded)
	})
}

func TestAPollThatFailsSaysNothingOfTheOperation(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		l.until("a call in flight", func(r Rollout) bool { return r.Op != nil && r.Op.State == StateAccepted })
		l.missed = &Fault{Kind: FaultThrottled, RetryAfter: time.Minute}
		for range 3 {
			l.pass()
		}
		if r := l.rollout("r-1"); r.Op == nil {
			t.Error("the operation ended without a word of Azure")
		}
		l.missed = nil
		l.until("the end", hasEnded)
		l.wantSent(everything[1:]...)
	})
}

func TestR40AHoldIsToldOnceHoweverOftenItIsInterrupted(t *testing.T) {
	inLab(t, tale{begun, InstanceSeen{ID: "0", State: Broken, Detail: "d"}}, func(l *lab) {
		for n := range 40 {
			l.blind = map[bool]error{true: &Fault{Kind: FaultUnavailable, Message: fmt.Sprint(n)}}[n%2 == 1]
			l.pass()
		}
		rec, _ := l.Record(context.Background(), "r-1")
		loudly := 0
		for _, p := range Posts(rec.Rollout, rec.Events) {
			if strings.HasPrefix(p.Slot, "hold/") {
				loudly++
			}
		}
		if loudly != 1 {
			t.Errorf("the hold was told %d times", loudly)
		}
		l.say("r-1", "UANA", Paused{Name: "ana"})
		l.say("r-1", "UANA", Resumed{Name: "ana"})
		l.blind = nil
		l.pass()
		rec, _ = l.Record(context.Background(), "r-1")
		if d := LastDecided(rec.Events); d.Reason != ReasonFailure {
			t.Errorf("decided %+v", d)
		}
	})
}

func TestAnEndedRolloutIsLeftAlone(t *testing.T) {
	inLab(t, tale{begun, Ended{Outcome: OutcomeAborted}}, func(l *lab) {
		before := len(l.kinds("r-1"))
		l.pass()
		if wake := l.records["r-1"].wake; !wake.IsZero() || len(l.kinds("r-1")) != before {
			t.Errorf("R9: it is looked at again at %v, its journal is %v", wake, l.kinds("r-1"))
		}
		if _, err := l.e.Step(context.Background(), Lease{Rollout: "r-9"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("a rollout that does not exist: %v", err)
		}
	})
}

func TestR22AnApprovalThatRanOutIsAskedAgain(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.pass()
		time.Sleep(5 * time.Hour)
		l.until("a hold", func(Rollout) bool { l.pass(); return l.held(ReasonExpired)(Rollout{}) })
		l.wantSent()
		l.say("r-1", "UANA", AskedAgain{"ud-0"})
		l.until("the end", hasEnded)
		if r := l.rollout("r-1"); r.Ended.Outcome != OutcomeSucceeded || r.Askings["ud-0"] != 2 {
			t.Errorf("ended %+v after %d askings", r.Ended, r.Askings["ud-0"])
		}
	})
}

func TestFaultsAreReadFromAnyError(t *testing.T) {
	inner := &Fault{Kind: FaultBusy, Op: "start", Code: "Conflict", Message: "busy"}
	for _, row := range []struct {
		err  error
		kind FaultKind
		says string
	}{
		{inner, FaultBusy, "start: busy: Conflict: busy"},
		{fmt.Errorf("around: %w", inner), FaultBusy, "start: busy: Conflict: busy"},
		{context.DeadlineExceeded, FaultUnknown, "op: unknown: context deadline exceeded"},
	} {
		if f := AsFault(row.err, "op"); f.Kind != row.kind || f.Error() != row.says {
			t.Errorf("%v is %s: %q", row.err, f.Kind, f)
		}
	}
	if f := AsFault(context.Canceled, "op"); !errors.Is(f, context.Canceled) {
		t.Error("the cause is lost")
	}
	no := &Refusal{Code: CodeAzure, What: "no", Cause: inner}
	if !errors.Is(no, inner) || !strings.Contains(no.Error(), "Conflict") || strings.Contains(cmp.Or(no.What), "Conflict") {
		t.Errorf("the refusal is %v", no)
	}
}

func TestAPassThatEndsFreesTheWayAtOnce(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		l.e.Woken, l.e.Passes, l.slow = nil, 1, 100*time.Millisecond
		for n := range 3 {
			l.open(fmt.Sprintf("r-%d", n+2), webPlan(), tale{requested})
		}
		ctx, stop := context.WithTimeout(context.Background(), 900*time.Millisecond)
		defer stop()
		if err := l.e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			if r := l.rollout(fmt.Sprintf("r-%d", n+1)); len(r.Asked) != 1 {
				t.Errorf("%s was not asked in time", r.ID)
			}
		}
	})
}

func TestAPassThatFoundTheJournalMovedOnIsMadeAgainAtOnce(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		moved := false
		l.memory.before = func(Change) error {
			if !moved {
				moved = true
				return ErrStale
			}
			return nil
		}
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		if err := l.e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		l.wantSent("upgrading instances 0 3")
	})
}

func TestTheJournalIsNeverAskedInABusyLoop(t *testing.T) {
	for _, row := range []struct {
		name string
		next time.Duration // from now; zero = none
		deaf bool
		want time.Duration
	}{
		{"nothing is due and a signal will come", 0, false, hinted},
		{"nothing is due and nobody signals", 0, true, polled},
		{"due soon", 300 * time.Millisecond, true, 300 * time.Millisecond},
		{"due in days", 72 * time.Hour, false, hinted},
		{"due already, and somebody else has it", -time.Hour, false, 5 * time.Millisecond},
	} {
		e := &Engine{Now: func() time.Time { return night }, Woken: make(chan struct{})}
		if row.deaf {
			e.Woken = nil
		}
		next := night.Add(row.next)
		if row.next == 0 {
			next = time.Time{}
		}
		if got := e.until(next); got != row.want {
			t.Errorf("%s: asked again in %s, want %s", row.name, got, row.want)
		}
	}
}
