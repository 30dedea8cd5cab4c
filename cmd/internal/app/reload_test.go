package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/gate"
	"github.com/vmssbot/vmssbot/upgrade/pager"
)

// governed is a bot's memory of its policies, with a configuration to change.
type governed struct {
	governor
	t      *testing.T
	ledger *ledger
	log    *bytes.Buffer
}

func governs(t *testing.T) *governed {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vmssbot.yaml")
	g := &governed{t: t, ledger: opened(t, time.Now), log: &bytes.Buffer{}}
	g.write(file, good)
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(g.log, nil))
	g.governor = governor{c, keyring{}, gate.NewProber(gate.Transport(net.DefaultResolver), time.Now), &pager.Pager{Journal: g.ledger, Client: pager.Client(), Now: time.Now, Log: log, Woken: g.ledger.Pages()},
		&atomic.Pointer[[]Group]{}, &upgrade.Rules{}, g.ledger, time.Now, log}
	g.begins()
	return g
}

func (g *governed) write(file, body string) {
	g.t.Helper()
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *governed) begins() {
	g.t.Helper()
	if err := g.begin(g.t.Context(), nil); err != nil {
		g.t.Fatal(err)
	}
}

// changes writes another configuration and has it read.
func (g *governed) changes(from, to string) {
	g.t.Helper()
	g.write(g.running.from.file, strings.Replace(good, from, to, 1))
	g.reload(g.t.Context())
}

// told are the messages that wait for Slack, by channel.
func (g *governed) told() (out []string) {
	g.t.Helper()
	for {
		p, _, ok, err := g.ledger.NextPost(g.t.Context(), true, true)
		if err != nil {
			g.t.Fatal(err)
		}
		if !ok {
			return out
		}
		out = append(out, p.Channel+" "+string(p.Want))
		if err := g.ledger.Store.Sent(g.t.Context(), p, upgrade.Sent{TS: "1.1", Hash: "x"}); err != nil {
			g.t.Fatal(err)
		}
	}
}

func TestAChangedPolicyIsInForceInTheAuditAndToldToItsChannel(t *testing.T) {
	g := governs(t)
	if g.rules.Policies()[0].Soak != 0 || len(g.told()) > 0 {
		t.Fatalf("at the start: %+v, %v", g.rules.Policies(), g.told())
	}
	g.changes("soak: 0s", "soak: 10m")
	if soak := g.rules.Policies()[0].Soak; soak != 10*time.Minute {
		t.Errorf("a soak of %s is in force", soak)
	}
	if got := g.told(); len(got) != 1 || !strings.HasPrefix(got[0], "C0OPS00001 ") || !strings.Contains(got[0], "soak 0s → 10m (applies at once)") {
		t.Errorf("told: %q", got)
	}
	noted, known, err := g.ledger.Policies(t.Context())
	if err != nil || !known || noted[0].Version() != g.rules.Policies()[0].Version() {
		t.Errorf("R40: the audit has %+v, %v, %v", noted, known, err)
	}
	g.changes("soak: 0s", "soak: 10m   # the same")
	if got := g.told(); len(got) > 0 {
		t.Errorf("what is the same is told: %q", got)
	}
}

func TestWhoWasSignalledWhileItStoodByBeginsWithWhatTheFileSaysNow(t *testing.T) {
	g := governs(t)
	signalled := make(chan os.Signal, 2)
	g.write(g.running.from.file, strings.NewReplacer("soak: 0s", "soak: 10m", "health: 127.0.0.1:8484", "health: 127.0.0.1:8485").Replace(good))
	signalled <- syscall.SIGHUP
	if err := g.begin(t.Context(), signalled); err != nil {
		t.Fatal(err)
	}
	if soak := g.rules.Policies()[0].Soak; soak != 10*time.Minute || len(signalled) > 0 {
		t.Errorf("a soak of %s is in force, and it is to be read %d times more", soak, len(signalled))
	}
	if got := g.told(); len(got) != 1 || !strings.Contains(got[0], "soak 0s → 10m") {
		t.Errorf("told: %q", got)
	}
	if !strings.Contains(g.log.String(), "takes a restart") || !strings.Contains(g.log.String(), "[health]") {
		t.Errorf("the log does not say what else changed: %s", g.log)
	}
	g.write(g.running.from.file, "sets: [")
	signalled <- syscall.SIGHUP
	if err := g.begin(t.Context(), signalled); err == nil || g.rules.Policies()[0].Soak != 10*time.Minute {
		t.Errorf("what cannot be read: %v, and %+v is in force", err, g.rules.Policies()[0])
	}
}

func TestWhatChangedWhileTheBotWasDownIsToldWhenItStarts(t *testing.T) {
	g := governs(t)
	g.running, _ = Parse(g.running.from.file, []byte(strings.Replace(good, "soak: 0s", "soak: 1h", 1)))
	g.begins()
	if got := g.told(); len(got) != 1 || !strings.Contains(got[0], "soak 0s → 1h (applies at once)") {
		t.Errorf("told: %q", got)
	}
	g.begins()
	if got := g.told(); len(got) > 0 {
		t.Errorf("told once more: %q", got)
	}
}

func TestAWrongConfigurationIsRefusedWhollyAndSaidSo(t *testing.T) {
	for _, row := range []struct{ name, from, to, says string }{
		{"a mistake", "soak: 0s", "soak: -1s", "vmssbot.yaml:10: sets[0]"},
		{"one that has nothing to do with sets", "journal: /var/lib/vmssbot/journal.db", "", "vmssbot.yaml:1: journal: name the file"},
		{"no YAML", "sets:", "sets: [", "vmssbot.yaml:"},
	} {
		g := governs(t)
		before := g.rules.Policies()
		g.changes(row.from, row.to)
		if !reflect.DeepEqual(g.rules.Policies(), before) {
			t.Errorf("%s: it is in force: %+v", row.name, g.rules.Policies())
		}
		got := g.told()
		if len(got) != 1 || !strings.HasPrefix(got[0], "C0OPS00001 ") || !strings.Contains(got[0], row.says) || strings.Contains(got[0], filepath.Dir(g.running.from.file)) {
			t.Errorf("%s: told %q, want %q", row.name, got, row.says)
		}
		if !strings.Contains(g.log.String(), "is not taken") {
			t.Errorf("%s: the log says %s", row.name, g.log)
		}
	}
}

func TestWhatTakesARestartIsSaid(t *testing.T) {
	g := governs(t)
	g.changes("health: 127.0.0.1:8484", "health: 127.0.0.1:8485\npace: {}")
	if !strings.Contains(g.log.String(), "takes a restart") || !strings.Contains(g.log.String(), "[health]") {
		t.Errorf("the log says %s", g.log)
	}
	if got := restart(g.running, g.running); len(got) > 0 {
		t.Errorf("the same configuration takes a restart for %v", got)
	}
}

func TestGroupsAreReadOnceMore(t *testing.T) {
	g := governs(t)
	g.changes("\nsets:", "\ngroups: [{name: web, waves: [[web-canary], [web-*]]}]\nsets:")
	if now := *g.groups.Load(); len(now) != 1 || now[0].Name != "web" || strings.Contains(g.log.String(), "restart") {
		t.Errorf("the groups are %+v, the log says %s", now, g.log)
	}
	g.changes("\nsets:", "\ngroups: [{name: web}]\nsets:") // which has no waves
	if now := *g.groups.Load(); len(now) != 1 || len(now[0].Waves) != 2 {
		t.Errorf("of a file that is not taken the groups are: %+v", now)
	}
}

// outdoors is where the gates and the receivers are: it hears what is asked and told, with which secret.
type outdoors struct {
	mu    sync.Mutex
	heard []string
}

func (o *outdoors) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = append(o.heard, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Authorization")))
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Request: r}, nil
}

// hears is what was heard within a minute, each once.
func (o *outdoors) hears() []string {
	o.mu.Lock()
	o.heard = nil
	o.mu.Unlock()
	time.Sleep(time.Minute)
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Compact(slices.Clone(o.heard))
}

// atWork is governs in the time of a bubble, with a prober and a pager that are at work.
func atWork(t *testing.T, test func(*governed, *outdoors)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g, o := governs(t), &outdoors{}
		g.prober, g.pager.Client = gate.NewProber(o, time.Now), &http.Client{Transport: o}
		ctx, end := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { g.prober.Run(ctx) })
		all.Go(func() { g.pager.Run(ctx) })
		test(g, o)
		end()
		all.Wait()
		g.ledger.Store.Close()
	})
}

func TestAGateThatIsReadOnceMoreIsAskedAsTheFileSaysNowWithTheSecretItHad(t *testing.T) {
	t.Setenv("GATE_TOKEN", "sesame")
	atWork(t, func(g *governed, o *outdoors) {
		reads := func(path, env string) []string {
			g.changes("\nsets:", fmt.Sprintf("\ngates: [{name: slo, url: 'https://slo.test%s', headers: [{name: Authorization, env: %s}]}]\nsets:", path, env))
			g.prober.Read([]string{"slo"})
			return o.hears()
		}
		for _, path := range []string{"/one", "/two"} { // the second time the variable is not in the environment any more
			if got := reads(path, "GATE_TOKEN"); !slices.Equal(got, []string{path + " sesame"}) || strings.Contains(g.log.String(), "restart") {
				t.Errorf("heard %q, want the gate asked at %s; the log says %s", got, path, g.log)
			}
		}
		if got := reads("/three", "NOT_THERE"); !slices.Equal(got, []string{"/two sesame"}) {
			t.Errorf("of a file that is not taken the gate is asked: %q", got)
		}
		if got := g.told(); len(got) != 1 || !strings.Contains(got[0], "its value is missing") || strings.Contains(got[0], "NOT_THERE") {
			t.Errorf("told %q", got)
		}
	})
}

// Who is told of a file that is not taken is a whole channel, and the journal keeps it.
func TestAKeyThatStandsWhereItsFileIsNamedIsToldToNobody(t *testing.T) {
	g := governs(t)
	for _, outside := range []string{
		"gates: [{name: slo, url: 'https://slo.test', headers: [{name: Authorization, file: canary-correct-horse}]}]",
		"gates: [{name: slo, url: 'https://slo.test', headers: [{name: Authorization, env: canary-correct-horse}]}]",
		"webhooks: [{name: slo, url: 'https://noc.test', secret_file: canary/correct+horse==}]",
	} {
		g.changes("\nsets:", "\n"+outside+"\nsets:")
		said := strings.Join(g.told(), "\n") + g.log.String()
		if !strings.Contains(said, " slo: ") || strings.Contains(said, "canary") {
			t.Errorf("%s: %s, want it to say where the mistake is, and not the key", outside, said)
		}
		g.log.Reset()
	}
}

func TestAWebhookThatIsReadOnceMoreIsToldFromThenOn(t *testing.T) {
	t.Setenv("NOC", "canary-correct-horse")
	atWork(t, func(g *governed, o *outdoors) {
		pages := 0
		page := func() {
			t.Helper()
			pages++
			p := upgrade.Page{Rollout: "r-1", Seq: pages, At: time.Now(), Kind: upgrade.PageHold, Name: "web", Text: "why"}
			if err := g.ledger.Commit(g.t.Context(), upgrade.Change{Pages: []upgrade.Page{p}}); err != nil {
				g.t.Fatal(err)
			}
		}
		page() // nobody is to be told
		for _, path := range []string{"/one", "/two"} {
			g.changes("\nsets:", fmt.Sprintf("\nwebhooks: [{name: noc, url: 'https://noc.test%s', secret_env: NOC}]\nsets:", path))
			page()
			if got := o.hears(); !slices.Equal(got, []string{path}) || strings.Contains(g.log.String(), "restart") || strings.Contains(g.log.String(), "canary") {
				t.Errorf("heard %q, want it told at %s; the log says %s", got, path, g.log)
			}
		}
		g.changes("soak: 0s", "soak: 10m") // and no webhook
		page()
		if got := o.hears(); len(got) > 0 {
			t.Errorf("a receiver that was taken out is told: %q", got)
		}
	})
}

// full is a journal that takes no writes.
type full struct{ policyBook }

func (full) Commit(ctx context.Context, c upgrade.Change) error {
	return errors.New("the disk is full")
}

func TestPoliciesThatCannotBeWrittenDownAreNotTaken(t *testing.T) {
	g := governs(t)
	g.journal = full{g.ledger}
	g.changes("soak: 0s", "soak: 10m")
	if g.rules.Policies()[0].Soak != 0 || !strings.Contains(g.log.String(), "could not be written down") {
		t.Errorf("soak %s, and the log says %s", g.rules.Policies()[0].Soak, g.log)
	}
}
