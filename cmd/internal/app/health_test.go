package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// noon is when the tests of this file ask.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration, why string) upgrade.Unheard {
	return upgrade.Unheard{Since: noon.Add(-d), Why: why}
}

// fine is a bot that has nothing to complain of.
func fine() facts { return facts{sockets: 2, patience: 5 * time.Minute, idle: 30 * time.Second} }

func TestWhatKeepsTheBotFromBeingReadyOrWell(t *testing.T) {
	for name, row := range map[string]struct {
		change      func(*facts)
		ready, well bool
		says        string
	}{
		"nothing":                  {func(f *facts) {}, true, true, ""},
		"one socket of two is out": {func(f *facts) { f.sockets = 1 }, true, true, ""},
		"no socket is there": {func(f *facts) { f.sockets, f.unheard = 0, ago(time.Second, "no socket to Slack: timeout") }, false, false,
			"no socket to Slack: timeout (since 2026-11-23T11:59:59Z)"},
		"sockets are cut at once for a while":   {func(f *facts) { f.unheard = ago(time.Minute, "no socket to Slack") }, true, true, ""},
		"sockets are cut at once for too long":  {func(f *facts) { f.unheard = ago(5*time.Minute, "no socket to Slack: cut") }, true, false, "no socket lasts"},
		"it was told to stop":                   {func(f *facts) { f.ended = context.Canceled }, false, false, "the bot ends and finishes what it began"},
		"its token was revoked":                 {func(f *facts) { f.ended = errors.New("the bot token was refused: token_revoked") }, false, false, "token_revoked"},
		"the journal does not answer":           {func(f *facts) { f.unread = errors.New("journal: locked") }, false, false, "the journal does not answer: journal: locked"},
		"the disk is full":                      {func(f *facts) { f.unwritten = errors.New("journal: write: full") }, true, false, "the journal takes no writes, so nothing is started"},
		"the engine rests":                      {func(f *facts) { f.idle = 2 * time.Minute }, true, true, ""},
		"the engine is stuck":                   {func(f *facts) { f.idle = 3 * time.Minute }, true, false, "the engine has looked at no rollout for 3m0s"},
		"a message waits":                       {func(f *facts) { f.unsent = ago(4*time.Minute, "timeout") }, true, true, ""},
		"a message waits too long":              {func(f *facts) { f.unsent = ago(5*time.Minute, "is_archived") }, true, false, "has not reached Slack: is_archived (since 2026-11-23T11:55:00Z)"},
		"a message waits too long for its turn": {func(f *facts) { f.unsent = ago(6*time.Minute, "") }, true, false, "it was not its turn yet"},
		"it stands by, which is no fault":       {func(f *facts) { *f = facts{standby: "standing by: another process has the journal"} }, false, true, "standing by"},
		"it stands by and could not take over": {func(f *facts) {
			*f = facts{standby: "standing by: another process has the journal", unread: errors.New("no such role")}
		}, false, false, "it could not take over: no such role"},
		"everything is frozen, which is no fault": {func(f *facts) { f.frozen = "ana: deploy night" }, true, true, "nothing is written to Azure: ana: deploy night"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fine()
			row.change(&f)
			h := healthHandler(func(context.Context) facts { return f }, func() time.Time { return noon })
			for path, ok := range map[string]bool{"/readyz": row.ready, "/healthz": row.well} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
				var got report
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
					t.Fatalf("%s answers %q: %v", path, w.Body, err)
				}
				if got.OK != ok || (w.Code == http.StatusOK) != ok || (len(got.Problems) == 0) != ok || got.Problems == nil {
					t.Errorf("%s answers %d %s, want ok %v", path, w.Code, w.Body, ok)
				}
				if path == "/healthz" && !strings.Contains(w.Body.String(), row.says) {
					t.Errorf("%s answers %s, want %q in it", path, w.Body, row.says)
				}
			}
		})
	}
}

func TestOnThePortOfHealthIsNothingElse(t *testing.T) {
	h := healthHandler(func(context.Context) facts { return fine() }, time.Now)
	for _, row := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200}, {"HEAD", "/readyz", 200}, {"POST", "/healthz", 405}, {"GET", "/", 404}, {"GET", "/healthz/x", 404}, {"GET", "/debug/pprof/", 404},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(row.method, row.path, nil))
		if w.Code != row.status {
			t.Errorf("%s %s answers %d, want %d", row.method, row.path, w.Code, row.status)
		}
		if w.Code == 200 && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be kept by a cache: %v", row.method, row.path, w.Header())
		}
	}
}

func TestHealthIsServedUntilItIsStopped(t *testing.T) {
	var log strings.Builder
	stop, err := serveHealth("127.0.0.1:0", healthHandler(func(context.Context) facts { return fine() }, time.Now), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, url, _ := strings.Cut(strings.TrimSpace(log.String()), "url=")
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	elsewhere, _ := http.NewRequest("GET", url, nil)
	elsewhere.Host = "evil.example"
	if no, err := http.DefaultClient.Do(elsewhere); err != nil || no.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("under another name it is answered: %+v, %v", no, err)
	}
	if err != nil || string(body) != `{"ok":true,"problems":[]}`+"\n" {
		t.Errorf("%s answers %q, %v", url, body, err)
	}
	if _, err := serveHealth(strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/healthz"), nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a taken port was served")
	}
	stop()
	if _, err := http.Get(url); err == nil {
		t.Error("it is still served")
	}
}

// A page that is open in a browser must not read how the bot is, or press the buttons of a local workspace, by
// having its own name lead to this machine.
func TestOnlyThisMachinesOwnNamesAreAnswered(t *testing.T) {
	h := LocalOnly(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("secret")) }))
	for host, answered := range map[string]bool{
		"127.0.0.1:8484": true, "127.0.0.1": true, "localhost:8484": true, "localhost": true, "[::1]:8484": true, "127.8.8.8:1": true,
		"evil.example": false, "evil.example:8484": false, "127.0.0.1.evil.example:8484": false, "localhost.evil.example": false, "evil.example@127.0.0.1": false,
		"10.0.0.1:8484": false, "0.0.0.0:8484": false, "169.254.169.254": false, "": false, "127.1": false, "xn--locahost-z4a": false,
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/healthz", nil)
		r.Host = host
		h.ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != answered || strings.Contains(w.Body.String(), "secret") != answered || !answered && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("Host %q is answered with %d %s, want it answered: %v", host, w.Code, w.Body, answered)
		}
	}
}
