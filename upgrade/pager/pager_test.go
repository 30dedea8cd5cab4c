package pager_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/pager"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// office is a pager with a journal of its own and receivers that answer as they are told to, in the time of a bubble.
type office struct {
	*pager.Pager
	t       *testing.T
	journal *store.Store
	pages   int
	mu      sync.Mutex
	heard   []string // host and event id of each call, in the order of time
	at      []time.Time
	answer  map[string]func(n int) *http.Response // by host; nil = no answer; n counts its calls
	said    strings.Builder
}

func (o *office) RoundTrip(r *http.Request) (*http.Response, error) {
	io.Copy(io.Discard, r.Body)
	o.mu.Lock()
	n := 0
	for _, h := range o.heard {
		if strings.HasPrefix(h, r.URL.Host) {
			n++
		}
	}
	o.heard, o.at = append(o.heard, r.URL.Host+" "+r.Header.Get("Vmssbot-Event-Id")), append(o.at, time.Now())
	answer := o.answer[r.URL.Host]
	o.mu.Unlock()
	if answer == nil {
		return says(200), nil
	}
	if a := answer(n); a != nil {
		return a, nil
	}
	<-r.Context().Done() // it never says anything
	return nil, r.Context().Err()
}

func says(status int, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("whatever"))}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (o *office) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said.Write(line)
}

func hook(name string, on ...upgrade.PageKind) pager.Hook {
	if len(on) == 0 {
		on = []upgrade.PageKind{upgrade.PageHold, upgrade.PageFailure, upgrade.PageExpiry, upgrade.PageEnd}
	}
	return pager.Hook{Name: name, URL: pager.Address("https://" + name + ".test/token-4711"), Format: pager.JSON, Key: "canary-key", On: on}
}

// inOffice runs f with a pager that is at work.
func inOffice(t *testing.T, f func(*office), hooks ...pager.Hook) {
	synctest.Test(t, func(t *testing.T) {
		journal, err := store.Open(filepath.Join(t.TempDir(), "journal.db"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer journal.Close()
		o := &office{t: t, journal: journal, answer: map[string]func(int) *http.Response{}}
		o.Pager = &pager.Pager{Journal: journal, Hooks: hooks, Client: &http.Client{Transport: o, Timeout: 10 * time.Second}, Now: time.Now,
			Log: slog.New(slog.NewTextHandler(o, nil)), Woken: journal.Pages()}
		if err := o.Subscribe(t.Context(), o.Hooks); err != nil {
			t.Fatal(err)
		}
		stop := o.start()
		defer stop()
		f(o)
	})
}

// start runs the pager until the returned function has ended it.
func (o *office) start() (stop func()) {
	ctx, cancel := context.WithCancel(o.t.Context())
	over := make(chan struct{})
	go func() { o.Run(ctx); close(over) }()
	return func() { cancel(); <-over }
}

// page commits a page.
func (o *office) page(kind upgrade.PageKind, change ...func(*upgrade.Page)) {
	o.t.Helper()
	o.pages++
	p := upgrade.Page{Rollout: "r-1", Seq: o.pages, At: time.Now(), Kind: kind, Set: "/subscriptions/s/resourcegroups/shop/providers/microsoft.compute/virtualmachinescalesets/web", Name: "web", Text: "why"}
	for _, c := range change {
		c(&p)
	}
	n, err := o.journal.Receive(o.t.Context(), upgrade.Delivery{Key: fmt.Sprint("k", o.pages), Kind: "x"})
	all, no := o.journal.Unsettled(o.t.Context(), 0, 10)
	if err := errors.Join(err, no); err != nil || n != 1 {
		o.t.Fatal(err)
	}
	if err := o.journal.Settle(o.t.Context(), upgrade.Settlement{Delivery: all[0].ID, Changes: []upgrade.Change{{Pages: []upgrade.Page{p}}}}); err != nil {
		o.t.Fatal(err)
	}
}

// told is what a host has heard, once nothing more happens at this moment.
func (o *office) told(host string) (ids []string) {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.heard {
		if at, id, _ := strings.Cut(h, " "); at == host+".test" {
			ids = append(ids, id)
		}
	}
	return ids
}

func (o *office) want(host string, ids ...string) {
	o.t.Helper()
	if got := o.told(host); !slices.Equal(got, ids) {
		o.t.Errorf("%s was told %v, want %v", host, got, ids)
	}
}

func TestAReceiverIsToldAtOnceAndOnce(t *testing.T) {
	inOffice(t, func(o *office) {
		o.page(upgrade.PageHold)
		o.want("noc", "r-1/1")
		time.Sleep(24 * time.Hour)
		o.want("noc", "r-1/1")
	}, hook("noc"))
}

func TestAReceiverIsToldWhatItWantsToKnow(t *testing.T) {
	ledger := func(p *upgrade.Page) {
		p.Set = "/subscriptions/s/resourcegroups/books/providers/microsoft.compute/virtualmachinescalesets/ledger"
	}
	of := func(kind upgrade.PageKind) func(*upgrade.Page) { return func(p *upgrade.Page) { p.Of = kind } }
	duty, books := hook("duty", upgrade.PageFailure), hook("books")
	duty.Format, books.Sets = pager.PagerDuty, []string{"ledger"}
	inOffice(t, func(o *office) {
		o.page(upgrade.PageHold)                             // 1
		o.page(upgrade.PageCleared, of(upgrade.PageHold))    // 2
		o.page(upgrade.PageFailure)                          // 3
		o.page(upgrade.PageCleared, of(upgrade.PageFailure)) // 4
		o.page(upgrade.PageExpiry, ledger)                   // 5
		o.page(upgrade.PageEnd)                              // 6
		o.page(upgrade.PageCleared, of(upgrade.PageExpiry))  // 7
		o.want("all", "r-1/1", "r-1/2", "r-1/3", "r-1/4", "r-1/5", "r-1/6", "r-1/7")
		o.want("ends", "r-1/6")
		o.want("duty", "r-1/3", "r-1/4", "r-1/6") // no incident stays open
		o.want("books", "r-1/5")
	}, hook("all"), hook("ends", upgrade.PageEnd), duty, books)
}

func TestADeadReceiverKeepsNobodyWaitingAndIsGivenUpInTheEnd(t *testing.T) {
	inOffice(t, func(o *office) {
		o.answer["dead.test"] = func(int) *http.Response { return says(503) }
		o.answer["deaf.test"] = func(int) *http.Response { return nil }
		o.page(upgrade.PageHold)
		o.page(upgrade.PageEnd)
		o.want("noc", "r-1/1", "r-1/2")
		time.Sleep(time.Hour)
		if n := len(o.told("dead")); n < 12 || n > 40 {
			t.Errorf("it was told %d times in an hour, want some two dozens", n)
		}
		if slices.Contains(o.told("dead"), "r-1/2") {
			t.Error("it was told of the end before the hold")
		}
		if f := strings.Join(o.Failing(), "\n"); !strings.Contains(f, "webhook dead (https://dead.test/…) was not told of hold of r-1: HTTP 503") || !strings.Contains(f, "webhook deaf") {
			t.Errorf("health tells %q", f)
		}
		time.Sleep(6 * time.Hour)
		before := len(o.told("dead"))
		time.Sleep(6 * time.Hour)
		if after := len(o.told("dead")); after != before {
			t.Errorf("it is still told: %d times more", after-before)
		}
		if strings.Count(o.said.String(), "an event is given up") != 4 {
			t.Errorf("the log does not say of each that it is given up:\n%s", o.said.String())
		}
		delete(o.answer, "dead.test")
		o.page(upgrade.PageFailure)
		if told := o.told("dead"); told[len(told)-1] != "r-1/3" {
			t.Errorf("it is back, and was told %v last", told[len(told)-1])
		}
		if f := strings.Join(o.Failing(), "\n"); strings.Contains(f, "webhook dead") {
			t.Errorf("health still tells %q", f)
		}
	}, hook("dead"), hook("deaf"), hook("noc"))
}

func TestAReceiverIsLeftAloneAsItAsks(t *testing.T) {
	for name, row := range map[string]struct {
		header string
		least  time.Duration
		most   time.Duration
	}{
		"for two minutes":      {"120", 2 * time.Minute, 2 * time.Minute},
		"for longer than ever": {"999999999", time.Hour, time.Hour},
		"in riddles":           {"soon", time.Second, 3 * time.Second},
		"for a negative time":  {"-5", time.Second, 3 * time.Second},
		"not at all":           {"", time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, func(o *office) {
				o.answer["noc.test"] = func(n int) *http.Response {
					if n == 0 {
						return says(429, "Retry-After", row.header)
					}
					return says(202)
				}
				o.page(upgrade.PageHold)
				time.Sleep(2 * time.Hour)
				o.want("noc", "r-1/1", "r-1/1")
				if d := o.at[1].Sub(o.at[0]); d < row.least || d > row.most+10*time.Millisecond {
					t.Errorf("it was told again after %s, want %s to %s", d, row.least, row.most)
				}
			}, hook("noc"))
		})
	}
}

func TestWhatAReceiverRefusesForGoodIsNotSentAgain(t *testing.T) {
	inOffice(t, func(o *office) {
		o.answer["noc.test"] = func(n int) *http.Response { return says([]int{400, 413, 415, 422, 200}[n]) }
		for range 5 {
			o.page(upgrade.PageHold)
		}
		time.Sleep(time.Hour)
		o.want("noc", "r-1/1", "r-1/2", "r-1/3", "r-1/4", "r-1/5")
	}, hook("noc"))
}

func TestWhatSomebodyMayMendIsSentAgain(t *testing.T) {
	inOffice(t, func(o *office) {
		o.answer["noc.test"] = func(n int) *http.Response { return says([]int{401, 403, 404, 408, 301, 500, 204}[n]) }
		o.page(upgrade.PageHold)
		time.Sleep(time.Hour)
		if got := o.told("noc"); len(got) != 7 {
			t.Errorf("it was told %v", got)
		}
		if len(o.Failing()) > 0 {
			t.Errorf("health tells %v", o.Failing())
		}
	}, hook("noc"))
}

func TestHooksOfAnotherConfigurationTakeThePlaceOfThoseBefore(t *testing.T) {
	inOffice(t, func(o *office) {
		o.answer["noc.test"] = func(int) *http.Response { return nil } // it is silent
		o.page(upgrade.PageHold)
		o.want("noc", "r-1/1")
		o.Use([]pager.Hook{hook("noc")})
		o.want("noc", "r-1/1") // the same: nothing is interrupted
		next := []pager.Hook{hook("duty")}
		if err := o.Subscribe(o.t.Context(), next); err != nil {
			t.Fatal(err)
		}
		o.Use(next)
		o.page(upgrade.PageFailure)
		o.want("duty", "r-1/2")
		time.Sleep(time.Hour)
		o.want("noc", "r-1/1")
		delete(o.answer, "noc.test")
		o.Use([]pager.Hook{hook("noc"), hook("duty")})
		o.want("noc", "r-1/1", "r-1/1", "r-1/2") // it goes on where it was
		o.want("duty", "r-1/2")
		if len(o.Failing()) > 0 {
			t.Errorf("health tells %v", o.Failing())
		}
	}, hook("noc"))
}

func TestOfAHookThatWasMendedHealthTellsNothingOfBefore(t *testing.T) {
	inOffice(t, func(o *office) {
		for _, host := range []string{"noc.test", "deaf.test"} {
			o.answer[host] = func(int) *http.Response { return nil }
		}
		o.page(upgrade.PageHold)
		time.Sleep(7 * time.Hour) // it is given up
		o.want("duty")
		if all := o.Failing(); len(all) != 2 {
			t.Fatalf("health tells %q, want a word of each", all)
		}
		mended := hook("noc")
		mended.URL = "https://duty.test/hooks"
		o.Use([]pager.Hook{mended, hook("deaf")})
		if all := o.Failing(); len(all) != 1 || !strings.Contains(all[0], "webhook deaf ") {
			t.Errorf("health tells %q, want a word of the one that is as it was", all)
		}
		o.Use(nil)
		o.Use([]pager.Hook{hook("deaf")})
		if all := o.Failing(); len(all) > 0 {
			t.Errorf("of one that was taken out meanwhile health tells %q", all)
		}
	}, hook("noc"), hook("deaf"))
}

// What was sent and not recorded is sent once more, with the same id: a crash, or a full disk.
func TestAnEventThatMayHaveBeenToldIsToldOnceMoreWithItsId(t *testing.T) {
	inOffice(t, func(o *office) {
		forgets := &forgetful{Store: o.journal}
		other := &pager.Pager{Journal: forgets, Hooks: []pager.Hook{hook("late")}, Client: o.Client, Now: time.Now, Log: o.Log}
		if err := other.Subscribe(o.t.Context(), other.Hooks); err != nil {
			t.Fatal(err)
		}
		o.page(upgrade.PageHold)
		ctx, die := context.WithCancel(o.t.Context())
		over := make(chan struct{})
		go func() { other.Run(ctx); close(over) }()
		o.want("late", "r-1/1")
		die()
		<-over
		forgets.still = true
		ctx, die = context.WithCancel(o.t.Context())
		over = make(chan struct{})
		go func() { other.Run(ctx); close(over) }()
		time.Sleep(time.Hour)
		o.want("late", "r-1/1", "r-1/1")
		die()
		<-over
	})
}

// forgetful loses what it was told to keep until it is still.
type forgetful struct {
	*store.Store
	still bool
}

func (f *forgetful) Told(ctx context.Context, hook string, p upgrade.PendingPage, s upgrade.Sent) error {
	if !f.still {
		return errors.New("the disk is full")
	}
	return f.Store.Told(ctx, hook, p, s)
}

func TestAStopWhileAReceiverIsSilentIsQuickAndBlamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, err := store.Open(filepath.Join(t.TempDir(), "journal.db"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer journal.Close()
		o := &office{t: t, journal: journal, answer: map[string]func(int) *http.Response{"deaf.test": func(int) *http.Response { return nil }}}
		o.Pager = &pager.Pager{Journal: journal, Hooks: []pager.Hook{hook("deaf")}, Client: &http.Client{Transport: o, Timeout: 10 * time.Second}, Now: time.Now, Log: slog.New(slog.NewTextHandler(o, nil)), Woken: journal.Pages()}
		if err := o.Subscribe(t.Context(), o.Hooks); err != nil {
			t.Fatal(err)
		}
		stop := o.start()
		o.page(upgrade.PageHold)
		o.want("deaf", "r-1/1")
		began := time.Now()
		stop()
		p, _, ok, err := journal.NextPage(t.Context(), "deaf")
		if time.Since(began) > time.Second || !ok || err != nil || p.Attempts != 0 || len(o.Failing()) > 0 {
			t.Errorf("it took %s, %+v waits (%v, %v), health tells %v", time.Since(began), p, ok, err, o.Failing())
		}
	})
}

func TestNothingThatIsSaidHoldsAKeyOrAnAddress(t *testing.T) {
	inOffice(t, func(o *office) {
		o.answer["noc.test"] = func(int) *http.Response { return says(500) }
		o.page(upgrade.PageHold)
		time.Sleep(7 * time.Hour)
		told := o.said.String() + strings.Join(o.Failing(), "\n")
		h := hook("noc")
		o.Log.Info("x", "hook", h, "hooks", o.Hooks)
		told += fmt.Sprintf("%v %+v %#v %s %q %x", h, h, h, h, h, h) + fmt.Sprintf("%v %s %q %x", h.URL, h.URL, h.Key, h.Key) + o.said.String()
		for _, secret := range []string{"token-4711", "canary-key", fmt.Sprintf("%x", "canary-key"), fmt.Sprintf("%x", "token-4711")} {
			if strings.Contains(told, secret) {
				t.Errorf("%q is told in:\n%s", secret, told)
			}
		}
		if !strings.Contains(told, "https://noc.test/…") {
			t.Errorf("nothing says where:\n%s", told)
		}
	}, hook("noc"))
}
