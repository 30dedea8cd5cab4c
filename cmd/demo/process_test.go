package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/cmd/internal/app"
)

// TestMain lets the test's own program be the bot's process, as the demo's program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == botCommand {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// apart is a stage whose bot is a process of its own, with what that process said.
type apart struct {
	*stage
	t    *testing.T
	said *saying
}

// saying is what a process has said so far.
type saying struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *saying) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *saying) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func processOf(t *testing.T, change ...func(*app.Config)) *apart {
	t.Helper()
	return processIn(t, anyPort(t, "--speed", "200"), change...)
}

func processIn(t *testing.T, f flags, change ...func(*app.Config)) *apart {
	t.Helper()
	t.Parallel() // most of the time is waited
	w, err := newWorld(f, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	for _, c := range change {
		config := w.config()
		c(&config)
		body, err := yaml.Marshal(config)
		if err := errors.Join(err, os.WriteFile(w.configFile(), body, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Duration(*kills)*4*time.Second)
	t.Cleanup(cancel)
	p := &apart{stage: &stage{ctx: ctx, w: w, out: io.Discard, seen: map[string]string{}}, t: t}
	p.begin()
	return p
}

// begin starts the process and waits until it holds a socket.
func (p *apart) begin() {
	p.t.Helper()
	p.said = &saying{}
	var err error
	if p.outer, err = startProcess(p.w.configFile(), p.said); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(p.stopBot)
	p.must(p.w.connected(p.ctx, nil))
}

// ends waits for the end of the process and checks its exit code and that it came in time.
func (p *apart) ends(code int, limit time.Duration, says string) {
	p.t.Helper()
	began := time.Now()
	p.outer.cmd.Wait() // the error only repeats the exit code
	if got, took := p.outer.cmd.ProcessState.ExitCode(), time.Since(began); got != code || took > limit || !strings.Contains(p.said.String(), says) {
		p.t.Errorf("exit %d after %s, want %d within %s and %q in what it said:\n%s", got, took, code, limit, says, p.said)
	}
}

func (p *apart) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// started waits until Azure has accepted so many upgrades.
func (p *apart) started(n int) {
	p.t.Helper()
	p.must(p.until("a start", func() bool { return len(p.starts()) == n }))
}

// underway has ana ask for two domains and bo agree to the first, and returns the card he pressed once
// Azure is at work.
func (p *apart) underway() (card string) {
	p.t.Helper()
	p.must(p.command("ana", "upgrade myvmss "+target+" ud=0-1"))
	p.must(p.approve("bo", &card))
	p.started(1)
	return card
}

// startedNoMore checks that nothing has begun but what was under way.
func (p *apart) startedNoMore() {
	p.t.Helper()
	if n := len(p.starts()); n != 1 {
		p.t.Errorf("azure has accepted %d starts, want the one before", n)
	}
}

// finishes has bo agree to the second domain, and checks Azure's books when all is over.
func (p *apart) finishes(last string) {
	p.t.Helper()
	p.must(p.approve("bo", &last))
	p.must(p.finished())
	p.must(p.check(2, 8))
}

// health asks the bot how it is.
func (p *apart) health() (status int, body string) {
	answer, err := http.Get(p.w.card().HealthURL)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	raw, _ := io.ReadAll(answer.Body)
	if !json.Valid(raw) {
		p.t.Errorf("health says %q, which is no JSON", raw)
	}
	return answer.StatusCode, string(raw)
}

// feels waits until the bot says of itself that it is well or not, for that reason.
func (p *apart) feels(status int, says string) {
	p.t.Helper()
	var got int
	var body string
	for range 600 {
		if got, body = p.health(); got == status && strings.Contains(body, says) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("health is %d %s, want %d and %q in it", got, body, status, says)
}

// says waits until the process has said it.
func (p *apart) says(text string) {
	p.t.Helper()
	for range 600 {
		if strings.Contains(p.said.String(), text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("it does not say %q:\n%s", text, p.said)
}

func TestSIGTERMEndsTheBotInTimeAndTheNextOneGoesOn(t *testing.T) {
	p := processOf(t)
	p.feels(http.StatusOK, `"ok":true`)
	last := p.underway()
	p.must(p.outer.cmd.Process.Signal(syscall.SIGTERM))
	p.ends(0, 10*time.Second, "")
	if status, body := p.health(); status != 0 {
		t.Errorf("somebody still says %d %s", status, body)
	}
	p.startedNoMore()
	p.begin()
	p.finishes(last)
}

func TestASecondProcessOnOneJournalEndsAtOnceAndTheFirstIsNoneTheWorse(t *testing.T) {
	p := processOf(t)
	second := &apart{stage: &stage{w: p.w}, t: t, said: &saying{}}
	var err error
	second.outer, err = startProcess(p.w.configFile(), second.said)
	p.must(err)
	second.ends(1, 5*time.Second, "in use by another process")
	if !strings.Contains(second.said.String(), "one bot per journal") {
		t.Errorf("it does not say what to do: %s", second.said)
	}
	p.feels(http.StatusOK, `"ok":true`)
	p.must(p.command("ana", "help"))
}

func TestAJournalThatAnotherProgramLocksStartsNothingIsToldAndHealsByItself(t *testing.T) {
	p := processOf(t)
	last := p.underway()
	other, err := sql.Open("sqlite", "file:"+filepath.Join(p.w.data, "journal.db")+"?_txlock=immediate&_pragma=busy_timeout(5000)")
	p.must(err)
	defer other.Close()
	write, err := other.BeginTx(p.ctx, nil)
	p.must(err)
	p.feels(http.StatusServiceUnavailable, "the journal takes no writes, so nothing is started or acknowledged")
	out, err := p.w.slack.Command("ana", slacksim.Ops, "/vmss", "status")
	if err != nil || out.Acked {
		t.Errorf("what cannot be kept was acknowledged: %+v, %v", out, err)
	}
	p.startedNoMore()
	p.must(write.Rollback())
	p.feels(http.StatusOK, `"ok":true`)
	p.finishes(last)
	p.must(p.outer.cmd.Process.Signal(syscall.SIGTERM))
	p.ends(0, 10*time.Second, "database is locked")
}

func TestARevokedTokenStartsNothingMoreAndEndsTheProcessWithAnError(t *testing.T) {
	p := processOf(t)
	last := p.underway()
	p.must(p.w.slack.Inject(slacksim.Fault{Kind: "token_revoked"}))
	p.must(p.command("ana", "help"))
	p.ends(1, 10*time.Second, "token_revoked")
	p.startedNoMore()
	p.must(p.w.slack.Inject(slacksim.Fault{Kind: "token_restored"}))
	p.begin()
	p.finishes(last)
}

func TestAClosedChannelHoldsIsToldAndHealsByItself(t *testing.T) {
	p := processOf(t, func(c *app.Config) { c.Pace.Unheard = 2 * time.Second })
	last := p.underway()
	p.must(p.w.slack.Inject(slacksim.Fault{Kind: "channel_archived", Channel: "ops"}))
	p.feels(http.StatusServiceUnavailable, "a message that people must see has not reached Slack: the channel is archived")
	p.must(p.until("ana is called", func() bool { return p.called(slacksim.Ana, "people cannot be reached") }))
	p.must(p.w.slack.Inject(slacksim.Fault{Kind: "channel_unarchived", Channel: "ops"}))
	p.feels(http.StatusOK, `"ok":true`)
	p.finishes(last)
}

// called reports whether the bot said a text to somebody in their own conversation with it.
func (p *apart) called(user, text string) bool {
	return slices.ContainsFunc(p.w.slack.State().Channels, func(c slacksim.Channel) bool {
		return c.IMWith == user && slices.ContainsFunc(p.w.slack.Messages(c.ID), func(m slacksim.Message) bool { return strings.Contains(flatten(m), text) })
	})
}

func TestAFreezeFileStopsEveryWriteIsToldAndIsNoFault(t *testing.T) {
	p := processOf(t)
	var last string
	file := filepath.Join(p.w.data, "FREEZE")
	p.must(os.WriteFile(file, []byte("ana: deploy night\n"), 0o600))
	p.feels(http.StatusOK, "nothing is written to Azure: ana: deploy night")
	p.must(p.command("ana", "upgrade myvmss "+target+" ud=0"))
	p.must(p.approve("bo", &last))
	p.must(p.until("the channel is told", func() bool { return p.reads("everything is frozen: ana: deploy night") }))
	if n := len(p.w.azure.Writes()); n != 0 {
		t.Errorf("azure has got %d writes while everything is frozen", n)
	}
	p.must(os.Remove(file))
	p.feels(http.StatusOK, `{"ok":true,"problems":[]}`)
	p.started(1)
}

// reads reports whether a text stands in the channel.
func (p *apart) reads(text string) bool {
	return slices.ContainsFunc(p.w.slack.Messages(slacksim.Ops), func(m slacksim.Message) bool { return strings.Contains(flatten(m), text) })
}

// What a process prints when it is made to crash in the middle of its work goes to whoever reads logs.
func TestACrashPrintsNoSecret(t *testing.T) {
	p := processOf(t)
	p.underway()
	p.must(p.outer.cmd.Process.Signal(syscall.SIGQUIT)) // Go prints every goroutine then
	p.ends(2, 10*time.Second, "goroutine ")
	for what, secret := range map[string]string{"the bot token": p.w.slack.BotToken(), "the app token": p.w.slack.AppToken()} {
		if secret == "" || strings.Contains(p.said.String(), secret) {
			t.Errorf("%s is printed, or there is none", what)
		}
	}
}
