package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

const (
	testSub   = "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee"
	testGroup = "rg-demo"
	setPath   = "/subscriptions/" + testSub + "/resourceGroups/" + testGroup + setsType + "/myvmss"
	opPath    = "/subscriptions/" + testSub + "/providers/Microsoft.Compute/locations/westeurope/operations/0f0e0d0c-0001-4002-8003-000000000001"
)

var testSet = upgrade.NewSetID(setPath)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// connect returns an Azure whose endpoint is h, on a real loopback socket.
func connect(t testing.TB, h http.Handler, change ...func(*Config)) *Azure {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c := Config{Subscription: testSub, Endpoint: srv.URL, Credential: LocalCredential(), Transport: srv.Client()}
	for _, f := range change {
		f(&c)
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// simulate returns an Azure in front of a simulated subscription, on one clock.
func simulate(t testing.TB, opt azuresim.Options) (*Azure, *azuresim.Sim, *clock) {
	t.Helper()
	c := newClock()
	opt.Now = c.now
	sim, err := azuresim.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return connect(t, sim, func(cfg *Config) { cfg.Now = c.now }), sim, c
}

func observe(t testing.TB, a *Azure, id upgrade.SetID) upgrade.ScaleSet {
	t.Helper()
	s, err := a.Observe(context.Background(), id, upgrade.Free)
	if err != nil {
		t.Fatalf("Observe: %v", err)
	}
	return s
}

// faultOf demands a fault of that kind.
func faultOf(t testing.TB, err error, kind upgrade.FaultKind) *upgrade.Fault {
	t.Helper()
	var f *upgrade.Fault
	if !errors.As(err, &f) {
		t.Fatalf("error %v is no Fault, want one of kind %s", err, kind)
	}
	if f.Kind != kind {
		t.Fatalf("fault %q (cause %v), want kind %s", f, f.Cause, kind)
	}
	return f
}

// stub answers by "METHOD last-path-segment", and counts the requests it got.
type stub struct {
	routes map[string]http.HandlerFunc
	mu     sync.Mutex
	got    []string
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Method + " " + r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	s.mu.Lock()
	s.got = append(s.got, key)
	s.mu.Unlock()
	if h := s.routes[key]; h != nil {
		h(w, r)
		return
	}
	say(404, `{"error":{"code":"NotFound","message":"no stub"}}`)(w, r)
}

func (s *stub) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

// say answers with a status, a body and headers given as name, value, …
func say(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], strings.ReplaceAll(headers[i+1], "{host}", "http://"+r.Host))
		}
		w.WriteHeader(status)
		fmt.Fprint(w, strings.ReplaceAll(body, "{host}", "http://"+r.Host))
	}
}

// inTurn gives each request the next handler, the last one for ever.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handlers[min(n, len(handlers)-1)]
		n++
		mu.Unlock()
		h(w, r)
	}
}

// setJSON is a settled set in mode Manual, with more members of properties if given.
func setJSON(more string) string {
	return `{"id":"` + setPath + `","name":"myvmss","location":"westeurope","etag":"\"7\"","sku":{"capacity":2},
	"properties":{"provisioningState":"Succeeded","upgradePolicy":{"mode":"Manual"}` + more + `}}`
}

// vmJSON is an instance as an up-to-date list shows it.
func vmJSON(id string) string {
	return `{"instanceId":"` + id + `","properties":{"latestModelApplied":true,"provisioningState":"Succeeded","instanceView":{"platformUpdateDomain":1,"platformFaultDomain":2,
	"statuses":[{"code":"ProvisioningState/succeeded"},{"code":"PowerState/running"}]}}}`
}

func pageJSON(next string, vms ...string) string {
	link := ""
	if next != "" {
		link = `,"nextLink":"` + next + `"`
	}
	return `{"value":[` + strings.Join(vms, ",") + `]` + link + `}`
}
