package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// office is a clerk over fakes, in a bubble whose time begins at the tests' night: the schedule's time came an
// hour before, unless it was dealt with.
type office struct {
	*Clerk
	*memory
	cloud *cloud
	dir   directory
	pol   Policy
}

func inOffice(t *testing.T, s Schedule, f func(*office)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(night))
		o := &office{memory: newMemory(), cloud: newCloud(), dir: directory{"UANA": ana, "UBO": bo}, pol: webPolicy()}
		desk, _, _ := deskAt(night)
		desk.Fleet, desk.Catalogue, desk.Journal, desk.People, desk.Now = o.cloud, o.cloud, o.memory, o.dir, time.Now
		desk.Policies = func() []Policy { return []Policy{o.pol} }
		o.Clerk = &Clerk{Desk: desk, Book: o.memory, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
		o.schedules = []Schedule{s}
		f(o)
	})
}

// today is due at the beginning of the night: 02:00 UTC.
func today(s *Schedule) { s.Zone = "UTC" }

// fired are the occurrences that were dealt with.
func (o *office) fired() (out []Fired) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.system {
		out = append(out, e.Fact.(Fired))
	}
	return out
}

// told is what the channel was told, one after the other.
func (o *office) told() (out []Firing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.posts {
		var want struct{ Firing Firing }
		if err := json.Unmarshal(p.Want, &want); err == nil && p.Channel == "C1" && p.User == "" {
			out = append(out, want.Firing)
		}
	}
	return out
}

func (o *office) opened() (out []Record) {
	out, _ = o.memory.Open(context.Background())
	return out
}

func TestWhatIsScheduledIsAskedForAsIfItWereTyped(t *testing.T) {
	inOffice(t, sundays(today), func(o *office) {
		for range 5 {
			o.round(context.Background())
		}
		all := o.opened()
		if len(all) != 1 || len(o.fired()) != 1 {
			t.Fatalf("one occurrence opened %d rollouts: %+v", len(all), o.fired())
		}
		r := all[0]
		if r.Rollout.Requester != "UANA" || r.Rollout.Channel != "C1" || r.Plan.Target.Image != v2 || !strings.Contains(r.Plan.Note, "CHG-1") || !strings.Contains(r.Plan.Note, "s-1") {
			t.Errorf("R43: opened %+v of %+v", r.Rollout, r.Plan)
		}
		for _, e := range r.Events {
			switch e.Fact.(type) {
			case Requested:
			default:
				t.Errorf("R26: a schedule says %s", FactKind(e.Fact))
			}
		}
		if f := o.fired()[0]; f.Rollout != r.ID || !f.For.Equal(night) || o.system[0].By != "" {
			t.Errorf("R40: the audit says %+v", o.system[0])
		}
		if who := o.pol.Refuses(ana, MayApprove, r.Rollout.Requester); who == "" {
			t.Error("R23: who scheduled it may approve it")
		}
		if len(o.cloud.applied) > 0 || len(o.told()) > 0 {
			t.Errorf("sent %v, told %v", o.cloud.applied, o.told())
		}
	})
}

func TestWhatStandsInTheWayOfAScheduleIsSaidOnce(t *testing.T) {
	for _, row := range []struct {
		name  string
		world func(*office)
		code  Code
		says  string
	}{
		{"R16 another rollout", func(o *office) { o.memory.open("r-1", webPlan(), tale{requested}) }, CodeLocked, "is being rolled by r-1"},
		{"R33 nothing to do", func(o *office) {
			o.cloud.set.Model.Image = v2
			for i := range o.cloud.set.Instances {
				o.cloud.set.Instances[i].Image = runs(v2)
			}
		}, CodeNothing, "nothing to do"},
		{"R11 a freeze that was said", func(o *office) { o.freezes = []Freeze{{ID: "f-1", Start: night, Why: "sale"}} }, CodePolicy, "sale"},
		{"R11 a dated freeze", func(o *office) { o.pol.Freezes = []Freeze{{Start: night, End: night.Add(time.Hour), Why: "Christmas"}} }, CodePolicy, "Christmas"},
		{"R19 the file FREEZE", func(o *office) { o.Frozen = func() string { return "storage incident" } }, CodePolicy, "storage incident"},
		{"R23 who scheduled it may ask no more", func(o *office) { o.pol.Requesters = []string{"UBO"} }, CodeRole, "may not ask for an upgrade of it any more"},
		{"R23 who scheduled it has left", func(o *office) { o.dir["UANA"] = Person{ID: "UANA", Name: "ana", Deleted: true} }, CodeRole, "may not ask for an upgrade of it any more"},
		{"R23 who scheduled it has become a guest", func(o *office) { o.dir["UANA"] = Person{ID: "UANA", Name: "ana", Guest: true} }, CodeRole, "guests"},
		{"R23 the set stands in no entry any more", func(o *office) { o.pol.Pattern = "api" }, CodeRole, "nobody is listed"},
		{"the set is driven elsewhere now", func(o *office) { o.pol.Channel = "C2" }, CodeRole, "<#C2> only"},
		{"R35 the set upgrades itself now", func(o *office) { o.cloud.set.UpgradeMode = Automatic }, CodePolicy, "Automatic"},
		{"R20 another set has the name now, in another subscription", func(o *office) {
			o.schedules[0].Set = SetID(strings.Replace(string(o.schedules[0].Set), "/subscriptions/", "/subscriptions/gone-", 1))
		}, CodeUnknown, "another one of that name"},
		{"its window is gone", func(o *office) { o.schedules[0].Ask.Window = "night" }, CodeArg, "no windows"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inOffice(t, sundays(today), func(o *office) {
				row.world(o)
				before := len(o.opened())
				for range 3 * 60 {
					o.round(context.Background())
					time.Sleep(time.Minute)
				}
				told, fired := o.told(), o.fired()
				if len(told) != 1 || len(fired) != 1 || len(o.opened()) != before {
					t.Fatalf("told %+v, dealt with %+v, %d open", told, fired, len(o.opened()))
				}
				if f := told[0]; f.Fired != fired[0] || f.Fired.Code != row.code || !strings.Contains(f.Fired.Why, row.says) || !f.Next.Equal(night.Add(24*time.Hour)) || f.Schedule.ID != "s-1" {
					t.Errorf("told %+v", f)
				}
				time.Sleep(time.Until(night.Add(24 * time.Hour)))
				if o.round(context.Background()); len(o.fired()) != 2 {
					t.Errorf("the next time is no other chance: %+v", o.fired())
				}
			})
		})
	}
}

func TestWhatMayPassIsWaitedForAnHour(t *testing.T) {
	for _, row := range []struct {
		name    string
		trouble func(*office) (over func())
		says    string
	}{
		{"Azure cannot be read", func(o *office) func() {
			o.cloud.blind = &Fault{Kind: FaultUnavailable, Message: "down for maintenance"}
			return func() { o.cloud.blind = nil }
		}, "down for maintenance"},
		{"Slack does not say who it was", func(o *office) func() {
			delete(o.dir, "UANA")
			return func() { o.dir["UANA"] = ana }
		}, "who scheduled it could not be checked"},
		{"people would not see it", func(o *office) func() {
			o.Fit = func(context.Context, string) *Refusal { return Refuse(CodeRole, "", "the channel is archived") }
			return func() { o.Fit = nil }
		}, "the channel is archived"},
	} {
		for _, passes := range []bool{true, false} {
			t.Run(row.name, func(t *testing.T) {
				inOffice(t, sundays(today), func(o *office) {
					over := row.trouble(o)
					for m := range 90 {
						if passes && m == 50 {
							over()
						}
						o.round(context.Background())
						time.Sleep(time.Minute)
					}
					told, fired := o.told(), o.fired()
					switch {
					case len(fired) != 1 || len(o.opened()) > 1:
						t.Fatalf("dealt with %+v", fired)
					case passes && (len(told) > 0 || fired[0].Rollout == ""):
						t.Errorf("it passed, and %+v came of it", fired[0])
					case !passes && (len(told) != 1 || !fired[0].Missed || !strings.Contains(fired[0].Why, row.says)):
						t.Errorf("told %+v", told)
					}
				})
			})
		}
	}
}

func TestWhatWasMissedIsNotMadeUpFor(t *testing.T) {
	for _, row := range []struct {
		name   string
		late   time.Duration
		missed bool
	}{
		{"59 minutes late", 59 * time.Minute, false}, {"an hour late", time.Hour, true}, {"three days and a little late", 72*time.Hour + 5*time.Minute, false}, {"three and a half days late", 84 * time.Hour, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			inOffice(t, sundays(today), func(o *office) {
				time.Sleep(row.late)
				for range 10 {
					o.round(context.Background())
				}
				fired := o.fired()
				if len(fired) != 1 || fired[0].Missed != row.missed || (fired[0].Rollout == "") != row.missed || len(o.opened()) > 1 {
					t.Fatalf("dealt with %+v, opened %d", fired, len(o.opened()))
				}
				if told := o.told(); row.missed && (len(told) != 1 || !strings.Contains(told[0].Fired.Why, "not at work")) {
					t.Errorf("told %+v", told)
				}
			})
		})
	}
}

// slowBook lets something happen between what the clerk has read and what it writes.
type slowBook struct {
	Book
	meanwhile func() error
}

func (b slowBook) Commit(ctx context.Context, c Change) error {
	if err := b.meanwhile(); err != nil {
		return err
	}
	return b.Book.Commit(ctx, c)
}

func TestAnOccurrenceIsDealtWithOnceByWhoeverIsFaster(t *testing.T) {
	for _, row := range []struct {
		name      string
		meanwhile func(*office)
		want      []string // what the occurrence came to
	}{
		{"another process", func(o *office) { o.schedules[0].Served = night }, nil},
		{"it was taken away", func(o *office) { o.schedules = nil }, nil},
		{"somebody opened a rollout by hand", func(o *office) { o.memory.open("r-hand", webPlan(), tale{requested}) }, []string{"VMSS-LOCKED"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inOffice(t, sundays(today), func(o *office) {
				first := true
				o.Book = slowBook{o.memory, func() error {
					if first {
						row.meanwhile(o)
					}
					first = false
					return nil
				}}
				for range 5 {
					o.round(context.Background())
				}
				var got []string
				for _, f := range o.fired() {
					got = append(got, string(f.Code))
				}
				if !slices.Equal(got, row.want) {
					t.Errorf("R16: it came to %+v", o.fired())
				}
				for _, r := range o.opened() {
					if r.ID != "r-hand" {
						t.Errorf("%s was opened all the same", r.ID)
					}
				}
			})
		})
	}
}

func TestTheClerkGoesOnWhenTheJournalDoesNot(t *testing.T) {
	inOffice(t, sundays(today), func(o *office) {
		var full atomic.Bool
		full.Store(true)
		rest := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		o.Book = slowBook{o.memory, func() error {
			if full.Load() {
				return errors.New("disk full")
			}
			return nil
		}}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- o.Run(ctx) }()
		rest(10 * time.Minute)
		if len(o.opened()) != 0 {
			t.Error("a rollout was opened that the journal did not take")
		}
		full.Store(false)
		rest(10 * time.Minute)
		if len(o.opened()) != 1 || len(o.fired()) != 1 {
			t.Errorf("dealt with %+v", o.fired())
		}
		rest(23*time.Hour + 40*time.Minute + time.Second) // the next one finds the set locked, at its time
		if f := o.fired(); len(f) != 2 || f[1].Code != CodeLocked {
			t.Errorf("dealt with %+v", f)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
