package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/cmd/internal/app"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

func anyPort(t *testing.T, args ...string) flags {
	t.Helper()
	f, err := parse(append([]string{"--addr", "127.0.0.1:0", "--azure-addr", "127.0.0.1:0"}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestJSONPrintsOneLineWithEverythingAClientNeeds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- demo(ctx, anyPort(t, "--no-bot", "--json"), write, io.Discard) }()
	line, err := bufio.NewReader(read).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(line, &c); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"url", "slack_api_url", "azure_url", "health_url", "subscription", "resource_group", "bot_token", "app_token", "team", "channel"} {
		if s, _ := c[key].(string); s == "" {
			t.Errorf("%s is missing in %s", key, line)
		}
	}
	for _, who := range []string{"requester", "approver", "outsider", "guest"} {
		if c["users"].(map[string]any)[who] == "" {
			t.Errorf("users.%s is missing", who)
		}
	}
	for _, url := range []string{c["url"].(string) + "/_control/state", c["azure_url"].(string) + "/_control/state"} {
		answer, err := http.Get(url)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %v", url, answer, err)
		}
	}
	if _, err := app.Load(c["config"].(string)); err != nil {
		t.Errorf("the configuration it leaves for a bot of one's own: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestATakenPortFallsBackAndSaysSo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f := anyPort(t)
	f.addr = taken.Addr().String()
	var errs bytes.Buffer
	w, err := newWorld(f, &errs)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if !strings.Contains(errs.String(), f.addr+" is taken, the workspace listens on") || strings.HasSuffix(w.slackURL, f.addr) {
		t.Errorf("said %q, listens on %s", errs.String(), w.slackURL)
	}
}

func TestAMistypedFlagIsAnswered(t *testing.T) {
	for _, row := range []struct{ args, says string }{
		{"--script sad", "there are: failure, happy, resume"},
		{"--speed 0", "want more than 0"},
		{"--script happy --no-bot", "a script needs the bot"},
		{"please", `I do not know "please"`},
	} {
		var errs bytes.Buffer
		if code := run(strings.Fields(row.args), io.Discard, &errs); code != 2 || !strings.Contains(errs.String(), row.says) {
			t.Errorf("%s: exit %d, said %q; want 2 and %q", row.args, code, errs.String(), row.says)
		}
	}
}

func TestABrokenFleetFileIsRefusedByName(t *testing.T) {
	var errs bytes.Buffer
	if code := run([]string{"--fleet", "no-such-file.json"}, io.Discard, &errs); code != 1 || !strings.Contains(errs.String(), "no-such-file.json") {
		t.Errorf("exit %d, said %q", code, errs.String())
	}
}

// What the Azure CLI prints of real sets is a world like any other: the notes tell what is not real.
func TestACopyOfRealSetsIsRead(t *testing.T) {
	const files = "../../upgrade/azure/azuresim/testdata/az/"
	var errs bytes.Buffer
	w, err := newWorld(anyPort(t, "--fleet", files+"vmss-list.json", "--fleet", files+"web-instances.json"), &errs)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	sets := w.azure.Snapshot().Sets
	if len(sets) != 2 || sets[1].Name != "web" || len(sets[1].Instances) != 6 || w.config().Azure.Subscription != "3d9f0c52-8a41-4b1e-9d37-6f2a1c0b7e85" {
		t.Errorf("sets %+v", sets)
	}
	for _, says := range []string{"demo: jobs is left out: it is a Flexible set", "demo: pay: no file holds its instances, 4 are invented", "22.04.202401171 is invented"} {
		if !strings.Contains(errs.String(), says) {
			t.Errorf("%q is not in %q", says, errs.String())
		}
	}
	var out bytes.Buffer
	if w.welcome(&out, flags{fleet: []string{"sets.json"}}); !strings.Contains(out.String(), "The scale sets are those of your files.") || strings.Contains(out.String(), "myvmss") {
		t.Errorf("welcome %s", out.String())
	}
	errs.Reset()
	if code := run([]string{"--fleet", files + "web-instances.json"}, io.Discard, &errs); code != 1 || !strings.Contains(errs.String(), "fleet: no scale set in the files: az vmss list -o json prints them") {
		t.Errorf("exit %d, said %q", code, errs.String())
	}
}

// The real thing in miniature: real sockets, real SDKs, real time; one domain of four instances.
func TestOneDomainOverTheRealProtocols(t *testing.T) {
	w, err := newWorld(anyPort(t, "--speed", "600"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = play(ctx, w, script{play: func(s *stage) error {
		if err := s.command("ana", "upgrade myvmss "+target+" ud=0"); err != nil {
			return err
		}
		if err := s.click("bo", "approve", nil); err != nil {
			return err
		}
		for _, step := range []func() error{s.finished, s.shown, func() error { return s.command("ana", "show myvmss map") }} {
			if err := step(); err != nil {
				return err
			}
		}
		fourth := func() bool { all := s.w.slack.Files(); return len(all) == 4 && all[3].Visible } // start, UD 0, end, hers
		if err := s.until("ana's picture", fourth); err != nil {
			return err
		}
		return s.check(1, 4)
	}}, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, says := range []string{"Approve UD 0 of myvmss?", "[picture: *myvmss → " + target + "* · before it starts · 0/4 upgraded `r-", " · UD 0 done · 4/4 upgraded",
		"vmssbot (to ana alone)\n    [picture: *myvmss*: 20 instances, 20 serving, model " + target + "]", "script: ok"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("%q is not in what was printed:\n%s", says, out.String())
		}
	}
}

// What other sites' pages make a browser send reaches neither page's controls, by whatever name they go.
func TestNoOtherSitesPageReachesTheLocalServers(t *testing.T) {
	w, err := newWorld(anyPort(t), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for _, at := range []string{w.slackURL, w.azureURL} {
		host := strings.TrimPrefix(at, "http://")
		for name, row := range map[string]struct {
			method, path, host string
			header             [2]string
			status             int
		}{
			"one's own page":                     {"GET", "/", host, [2]string{"Sec-Fetch-Site", "none"}, 200},
			"a program":                          {"POST", "/_control/reset", host, [2]string{}, 200},
			"one's own page, when it does":       {"POST", "/_control/reset", host, [2]string{"Origin", at}, 200},
			"another site's form":                {"POST", "/_control/reset", host, [2]string{"Origin", "https://evil.example"}, 403},
			"another site's script":              {"POST", "/_control/reset", host, [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
			"another port's page":                {"POST", "/_control/reset", host, [2]string{"Origin", "http://127.0.0.1:1"}, 403},
			"a file's page":                      {"POST", "/_control/reset", host, [2]string{"Origin", "null"}, 403},
			"a name that was made to lead here":  {"POST", "/_control/reset", "evil.example", [2]string{"Origin", "http://evil.example"}, 421},
			"the same, to read":                  {"GET", "/_control/state", "evil.example", [2]string{"Sec-Fetch-Site", "same-origin"}, 421},
			"the same, by the name of localhost": {"GET", "/_control/state", "localhost.evil.example", [2]string{}, 421},
		} {
			r, err := http.NewRequest(row.method, at+row.path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = row.host
			if row.header[0] != "" {
				r.Header.Set(row.header[0], row.header[1])
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != row.status {
				t.Errorf("%s: %s %s%s is answered with %d, want %d", name, row.method, at, row.path, answer.StatusCode, row.status)
			}
		}
	}
}

func TestMarkupIsPrintedAsPeopleSeeIt(t *testing.T) {
	m := slacksim.Message{Blocks: json.RawMessage(`[
		{"type":"section","text":{"type":"mrkdwn","text":"by <@U0ANA00001> at <!date^1^{time}|08:00> a &lt;b&gt;"}},
		{"type":"context","elements":[{"type":"mrkdwn","text":"small"}]},
		{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Yes"}},
			{"type":"overflow","options":[{"text":{"type":"plain_text","text":"Why"}},{"text":{"type":"plain_text","text":"Abort…"}}]}]}]`)}
	if got, want := flatten(m), "by @ana at 08:00 a <b>\nsmall\n[Yes]  [⋮ Why / Abort…]"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTheGalleryShowsWhateverTheBotSays(t *testing.T) {
	w, err := newWorld(anyPort(t), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	answer, err := http.Get(w.slackURL + "/gallery")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range []string{"live", "plan", "card", "batch", "hold", "model", "report", "answer", "form", "home"} {
		if !bytes.Contains(body, []byte(`id="`+group+`"`)) {
			t.Errorf("no group %s on the page", group)
		}
	}
	if bytes.Contains(body, []byte("unsupported")) {
		t.Error("the page shows a block it does not know")
	}
}

func TestTheWelcomeNamesBothPagesAndFourThingsToTry(t *testing.T) {
	w, err := newWorld(anyPort(t), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	var out bytes.Buffer
	w.welcome(&out, flags{})
	for _, want := range []string{"The first build takes about a minute", w.slackURL, w.azureURL, "/gallery", "  4. "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the welcome:\n%s", want, out.String())
		}
	}
}

func TestASecondDemoInAFolderLeavesTheFirstOnesFilesAlone(t *testing.T) {
	data := t.TempDir()
	first, err := store.Open(filepath.Join(data, "journal.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	files := []string{"vmssbot.yaml", "bot-token", "app-token"}
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(data, name), []byte("the first one's"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, err := newWorld(anyPort(t, "--data", data), io.Discard)
	if err == nil {
		w.close()
	}
	if err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("error %v", err)
	}
	for _, name := range files {
		if body, err := os.ReadFile(filepath.Join(data, name)); string(body) != "the first one's" {
			t.Errorf("%s was overwritten (%v)", name, err)
		}
	}
}

func TestWhatWouldCallSomebodyComesToTheTerminal(t *testing.T) {
	var out strings.Builder
	o := outside{"the key", &shared{to: &out}}
	tell := func(key, body string) int {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte("v1:1:" + body))
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Vmssbot-Timestamp", "1")
		r.Header.Set("Vmssbot-Signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
		o.ServeHTTP(w, r)
		return w.Code
	}
	body := `{"event":"failure","rollout":"r-1","set":{"name":"web"},"text":"instance 4 failed\u001b[2J","commands":["/vmss retry r-1"]}`
	if code := tell("the key", body); code != 200 || out.String() != "webhook: failure web (r-1): instance 4 failed?[2J  -> /vmss retry r-1\n" {
		t.Errorf("%d, printed is %q", code, out.String())
	}
	if code := tell("another", body); code != 401 || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%d, printed is %q", code, out.String())
	}
}
