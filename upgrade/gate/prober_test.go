package gate

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// service is what a gate asks, in the time of a bubble.
type service struct {
	mu     sync.Mutex
	status int // 0 = it hangs
	asked  int
	at     time.Time // of the last question
}

func (s *service) is(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *service) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked, s.at = s.asked+1, time.Now()
	status := s.status
	s.mu.Unlock()
	if status == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(""))}, nil
}

// probing runs a prober of one gate in a bubble.
func probing(t *testing.T, check func(*testing.T, *Prober, *service)) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{status: 200}
		p := NewProber(s, time.Now)
		p.Use([]Gate{checkout})
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); p.Run(ctx) }()
		check(t, p, s)
		stop()
		<-over
	})
}

var checkout = Gate{Name: "checkout", URL: "https://status.example.com", Timeout: 5 * time.Second, Every: 30 * time.Second, Patience: 5 * time.Minute}.WithDefaults()

func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func read(p *Prober) upgrade.Reading { return p.Read([]string{"checkout"})["checkout"] }

func TestAGateIsAskedOnlyAsLongAsSomebodyWantsToKnow(t *testing.T) {
	probing(t, func(t *testing.T, p *Prober, s *service) {
		after(time.Hour)
		if s.times() > 0 {
			t.Fatalf("nobody wants to know, and it is asked %d times", s.times())
		}
		read(p)
		after(10 * time.Minute)
		if n := s.times(); n < 20 || n > 23 {
			t.Errorf("asked %d times in ten minutes, want every 30 s", n)
		}
		after(6 * time.Minute)
		before := s.times()
		after(time.Hour)
		if s.times() != before {
			t.Errorf("nobody has wanted to know for long, and it is asked %d times more", s.times()-before)
		}
		if r := read(p); r.State == upgrade.ProbePass {
			t.Errorf("what nobody asked for an hour is told as %+v", r)
		}
	})
}

func TestAReadingWaitsForNobody(t *testing.T) {
	probing(t, func(t *testing.T, p *Prober, s *service) {
		s.is(0)
		began := time.Now()
		if r, known := p.Read([]string{"checkout"})["checkout"]; known || time.Since(began) > 0 {
			t.Errorf("%+v after %s", r, time.Since(began))
		}
		after(5 * time.Second)
		if r := read(p); r.State != upgrade.ProbeUnknown || r.Why != "no answer within 5s" || r.Sum != checkout.Sum() {
			t.Errorf("%+v", r)
		}
		after(26 * time.Second)
		if s.times() != 2 {
			t.Errorf("a gate that hangs is asked %d times in half a minute: one question at a time", s.times())
		}
	})
}

func TestItTakesTwoPassesInARowToPass(t *testing.T) {
	probing(t, func(t *testing.T, p *Prober, s *service) {
		read(p)
		after(time.Second)
		if _, known := p.Read([]string{"checkout"})["checkout"]; known {
			t.Error("one answer is taken for two")
		}
		after(5 * time.Second)
		if r := read(p); r.State != upgrade.ProbePass || time.Since(r.At) > 2*time.Second || r.Good != 95*time.Second {
			t.Errorf("after two %+v", r)
		}
		s.is(503)
		after(30 * time.Second)
		if r := read(p); r.State != upgrade.ProbeFail || r.Why != "HTTP 503" {
			t.Errorf("one no is a no: %+v", r)
		}
		s.is(200)
		after(30 * time.Second)
		if r := read(p); r.State != upgrade.ProbeFail || time.Since(r.At) > 31*time.Second {
			t.Errorf("one good answer after it: %+v", r)
		}
		after(30 * time.Second)
		if r := read(p); r.State != upgrade.ProbePass {
			t.Errorf("two: %+v", r)
		}
	})
}

func TestWhatTheConfigurationHasNoMoreIsUnknown(t *testing.T) {
	probing(t, func(t *testing.T, p *Prober, s *service) {
		read(p)
		after(time.Minute)
		same := checkout
		same.Every = time.Minute
		p.Use([]Gate{same})
		if r := read(p); r.State != upgrade.ProbePass {
			t.Errorf("how often it is asked changes nothing of what it says: %+v", r)
		}
		other := checkout
		other.URL = "https://elsewhere.example.com"
		p.Use([]Gate{other})
		if r, known := p.Read([]string{"checkout"})["checkout"]; known {
			t.Errorf("the answer of another address is told: %+v", r)
		}
		p.Use(nil)
		if r := read(p); r.State != upgrade.ProbeUnknown || r.Why != "the configuration has no such gate any more" {
			t.Errorf("%+v", r)
		}
	})
}

// A header may say whose figures are asked for, such as X-Scope-OrgID does.
func TestWhatWasAnsweredToOtherHeadersIsNoAnswer(t *testing.T) {
	probing(t, func(t *testing.T, p *Prober, s *service) {
		known := func() bool { _, known := p.Read([]string{"checkout"})["checkout"]; return known }
		read(p)
		after(time.Minute)
		asked := s.times()
		s.is(0)
		after(6 * time.Second) // it was asked a second ago, and has four for its answer
		if s.times() != asked+1 {
			t.Fatal("no question is on its way")
		}
		other := checkout
		other.Headers = map[string]string{"X-Scope-OrgID": "another"}
		p.Use([]Gate{other})
		if known() {
			t.Error("the pass of before is told")
		}
		after(4500 * time.Millisecond) // the first question is over, the second is not
		if known() {
			t.Error("what became of the question of before is told")
		}
		s.is(200)
		after(time.Minute)
		before := s.times()
		same := other
		same.Headers = map[string]string{"X-Scope-OrgID": "another"}
		p.Use([]Gate{same})
		if r := read(p); r.State != upgrade.ProbePass || s.times() != before {
			t.Errorf("with the same headers it is as it was, and is told as %+v", r)
		}
	})
}

func TestWhatABotThatStopsDidNotWaitForIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		p := NewProber(s, time.Now)
		p.Use([]Gate{checkout})
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); p.Run(ctx) }()
		read(p)
		after(time.Second)
		began := time.Now()
		stop()
		<-over
		if _, known := p.Read([]string{"checkout"})["checkout"]; known || time.Since(began) > 0 {
			t.Errorf("known: %v, after %s", known, time.Since(began))
		}
	})
}
