package azure

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// pipes is a network in memory, which a bubble's clock understands: sockets would stop it.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}
}

// inBubble runs f with an Azure before h, all in memory and simulated time.
func inBubble(t *testing.T, h http.Handler, f func(a *Azure)) {
	t.Helper()
	p := newPipes()
	srv := &http.Server{Handler: h}
	go srv.Serve(p)
	transport := &http.Transport{DialContext: p.dial}
	a, err := New(Config{Subscription: testSub, Endpoint: "http://127.0.0.1:1", Credential: LocalCredential(), Transport: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	f(a)
	transport.CloseIdleConnections()
	srv.Close()
	time.Sleep(2 * time.Second) // so that handlers notice that nobody listens any more
}

// silent takes the whole request and never answers.
var silent = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		<-r.Context().Done()
	}
})

func TestAnUpgradeIsFollowedToItsEndInSimulatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := azuresim.New(azuresim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		inBubble(t, sim, func(a *Azure) {
			inject(t, sim, azuresim.Fault{Kind: "change-model", Set: "myvmss", Version: newImage.Version})
			began := time.Now()
			receipt, err := a.Apply(context.Background(), upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"0", "5", "10", "15"}})
			if err != nil {
				t.Fatal(err)
			}
			polls := 0
			for wait := receipt.Again; ; polls++ {
				time.Sleep(wait)
				r, err := a.Poll(context.Background(), receipt.Token)
				if err != nil || r.Done && !r.OK {
					t.Fatalf("poll: %+v, %v", r, err)
				}
				if r.Done {
					break
				}
				if wait = r.Again; wait <= 0 {
					t.Fatal("Azure asked for no pause between polls")
				}
			}
			for observe(t, a, testSet).Unavailable() > 0 {
				time.Sleep(10 * time.Second)
			}
			if took := time.Since(began); polls == 0 || took < time.Minute || took > 10*time.Minute {
				t.Errorf("the upgrade took %s and %d polls", took, polls)
			}
		})
	})
}

// trickle accepts and then sends a blank a second, for ever.
var trickle = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusAccepted)
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
		http.NewResponseController(w).Flush()
		time.Sleep(time.Second)
	}
})

func TestACallIsGivenUpAtItsDeadline(t *testing.T) {
	for name, h := range map[string]http.Handler{"no answer": silent, "an answer that does not end": trickle} {
		synctest.Test(t, func(t *testing.T) {
			inBubble(t, h, func(a *Azure) {
				began := time.Now()
				_, err := a.Apply(context.Background(), upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"0"}})
				f := faultOf(t, err, upgrade.FaultUnknown)
				if took := time.Since(began); took != callDeadline || !errors.Is(f, context.DeadlineExceeded) {
					t.Errorf("%s: given up after %s: %v", name, took, f.Cause)
				}
			})
		})
	}
}

// A reading that drips in is given up like a write, and nothing is known then.
func TestAReadingIsGivenUpAtItsDeadline(t *testing.T) {
	for name, h := range map[string]http.Handler{"no answer": silent, "an answer that does not end": trickle} {
		synctest.Test(t, func(t *testing.T) {
			inBubble(t, h, func(a *Azure) {
				began := time.Now()
				_, err := a.Observe(context.Background(), testSet, upgrade.Free)
				faultOf(t, err, upgrade.FaultUnavailable)
				_, err = a.Poll(context.Background(), token{byStatus, "myvmss", opPath}.String())
				faultOf(t, err, upgrade.FaultUnavailable)
				if took := time.Since(began); took != 2*callDeadline {
					t.Errorf("%s: given up after %s", name, took)
				}
			})
		})
	}
}

func TestTheDeadlineRunsFromTheFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inBubble(t, silent, func(a *Azure) {
			var fenced time.Time
			_, err := a.Observe(context.Background(), testSet, func(context.Context) error {
				time.Sleep(4 * time.Second) // a slow journal
				fenced = time.Now()
				return nil
			})
			faultOf(t, err, upgrade.FaultUnavailable)
			if took := time.Since(fenced); took != callDeadline {
				t.Errorf("given up %s after the fence", took)
			}
		})
	})
}
