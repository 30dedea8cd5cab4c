package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/pager"
)

func TestAMistakeInAWebhookIsNamedAndItsKeyIsNot(t *testing.T) {
	for _, row := range []struct{ name, hook, says string }{
		{"no name", "url: https://noc.example/x, secret_env: NOC", "name: want small letters"},
		{"a name for nobody", "name: 'NOC 1', url: https://noc.example/x, secret_env: NOC", "name: want small letters"},
		{"no address", "name: noc, secret_env: NOC", "url: it is missing"},
		{"an address that is none", "name: noc, url: 'https://canary:x/', secret_env: NOC", "url: that is no address"},
		{"plain HTTP to somebody", "name: noc, url: 'http://noc.example/canary', secret_env: NOC", "url: want https"},
		{"a name that looks like this machine", "name: noc, url: 'http://localhost.evil.example/canary', secret_env: NOC", "url: want https"},
		{"another scheme", "name: noc, url: 'file:///canary', secret_env: NOC", "that is no address"},
		{"a password in the address", "name: noc, url: 'https://u:canary@noc.example/', secret_env: NOC", "url: there is a name or a password in it"},
		{"no key", "name: noc, url: https://noc.example/x", "secret_env, secret_file: want one of the two"},
		{"two keys", "name: noc, url: https://noc.example/x, secret_env: NOC, secret_file: /etc/noc.key", "secret_env, secret_file: want one of the two"},
		{"the key where its variable is named", "name: noc, url: https://noc.example/x, secret_env: canary-4711", "secret_env: that is no name of a variable"},
		{"the key where its file is named", "name: noc, url: https://noc.example/x, secret_file: canary4711", "secret_file: that names no folder"},
		{"PagerDuty without its key", "name: duty, format: pagerduty", "routing_key_env, routing_key_file: want one of the two"},
		{"PagerDuty with another one's", "name: duty, format: pagerduty, routing_key_env: DUTY, secret_env: NOC", "secret_env: a webhook of this format has none"},
		{"PagerDuty for ends only", "name: duty, format: pagerduty, routing_key_env: DUTY, on: [end]", "on: an end only resolves an incident"},
		{"a form that is none", "name: noc, url: https://noc.example/x, secret_env: NOC, format: xml", `format: "xml": want json or pagerduty`},
		{"an event that is none", "name: noc, url: https://noc.example/x, secret_env: NOC, on: [cleared]", `on: "cleared": want any of`},
		{"sets that are none", "name: noc, url: https://noc.example/x, secret_env: NOC, sets: ['[']", "sets: no scale set"},
		{"a misspelt key", "name: noc, url: https://noc.example/x, secret: canary", "secret: there is no such key here"},
		{"two of a name", "name: noc, url: https://noc.example/x, secret_env: NOC}, {name: noc, url: https://noc.example/y, secret_env: NOC", "name: there is a webhook of that name"},
	} {
		_, err := Parse("vmssbot.yaml", []byte(strings.Replace(good, "sets:", "webhooks: [{"+row.hook+"}]\nsets:", 1)))
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want it to say %q", row.name, err, row.says)
		}
		if strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: the error repeats what is secret: %v", row.name, err)
		}
	}
}

func webhooks(t *testing.T, list string) Config {
	t.Helper()
	c, err := Parse("vmssbot.yaml", []byte(strings.Replace(good, "sets:", "webhooks: ["+list+"]\nsets:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAWebhookOfTheConfigurationIsAReceiver(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "duty.key")
	if err := os.WriteFile(file, []byte("canary-R0UT1NGKEY-0123456789abcd\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOC", "canary-correct-horse")
	c := webhooks(t, "{name: noc, url: 'https://noc.example/canary', secret_env: NOC}, {name: duty, format: pagerduty, routing_key_file: "+file+", on: [failure], sets: [web-*]}")
	hooks, err := c.hooks(keyring{})
	if err != nil {
		t.Fatal(err)
	}
	noc, duty := hooks[0], hooks[1]
	if noc.Format != pager.JSON || string(noc.Key) != "canary-correct-horse" || len(noc.On) != 4 || len(noc.Sets) != 0 {
		t.Errorf("noc is %d keys, %v", len(noc.Key), noc)
	}
	if duty.URL != pager.PagerDutyURL || string(duty.Key) != "canary-R0UT1NGKEY-0123456789abcd" || !slices.Equal(duty.On, []upgrade.PageKind{upgrade.PageFailure}) || len(duty.Sets) != 1 {
		t.Errorf("duty is %v", duty)
	}
	if os.Getenv("NOC") != "" {
		t.Error("what is started from here is handed the key down")
	}
	if told := fmt.Sprintf("%v %+v %#v %v", c, c, c, hooks); strings.Contains(told, "canary") {
		t.Errorf("it prints as %s", told)
	}
	if body, err := json.Marshal([]any{c.Webhooks, hooks}); err != nil || bytes.Contains(body, []byte("canary")) {
		t.Errorf("it is encoded as %s, %v", body, err)
	}
}

func TestAKeyThatIsMissingOrWeakIsRefused(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open.key")
	if err := os.WriteFile(open, []byte("canary-correct-horse"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SHORT", "canary")
	for hook, says := range map[string]string{
		"secret_env: CANARY0NOT0SET0ANYWHERE": "the environment variable that is named for it, as it was when the program started, is empty",
		"secret_env: SHORT":                   "its key has 6 characters: want 16",
		"secret_file: " + open:                "lets everybody in",
		"secret_file: /nowhere/noc.key":       "no such file",
	} {
		_, err := webhooks(t, "{name: noc, url: 'https://noc.example/x', "+hook+"}").hooks(keyring{})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(strings.ToLower(err.Error()), "canary") {
			t.Errorf("%s: %v, want it to say %q", hook, err, says)
		}
	}
}

// Such as secret_file: /dev/fd/3 of a bot that is started with 3< <(sops -d noc.key).
func TestAKeyThatComesThroughAPipeIsKept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the names of descriptors are the system's")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = w.WriteString("canary-correct-horse\n")
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	pipe := fmt.Sprintf("/dev/fd/%d", r.Fd())
	c := webhooks(t, "{name: noc, url: 'https://noc.example/x', secret_file: "+pipe+"}")
	c.Gates = []Gate{{Name: "slo", URL: "https://slo.example", Headers: []Header{{Name: "Authorization", File: pipe}}}}
	keys := keyring{}
	for _, when := range []string{"before the journal is opened", "at the start", "after SIGHUP"} {
		gates, hooks, err := c.outside(keys)
		if err != nil || hooks[0].Key != "canary-correct-horse" || gates[0].Headers["Authorization"] != "canary-correct-horse" {
			t.Errorf("%s: %v", when, err)
		}
	}
}

func TestATestEventArrives(t *testing.T) {
	var bodies []string
	status := http.StatusAccepted
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		w.WriteHeader(status)
	}))
	defer s.Close()
	list := "{name: noc, url: '" + s.URL + "/canary', secret_env: NOC}, {name: duty, url: '" + s.URL + "/canary', format: pagerduty, routing_key_env: NOC}"
	try := func(name string) (string, error) {
		bodies = nil
		t.Setenv("NOC", "canary-correct-horse")
		var out bytes.Buffer
		err := TestWebhook(t.Context(), webhooks(t, list), name, &out)
		if strings.Contains(out.String()+fmt.Sprint(err), "canary") {
			t.Errorf("what is secret is printed: %s %v", &out, err)
		}
		return out.String(), err
	}
	if out, err := try("noc"); err != nil || len(bodies) != 1 || !strings.Contains(bodies[0], `"event":"test"`) || !strings.Contains(out, "webhook noc (http://127.0.0.1:") {
		t.Errorf("%q, %v; told is %v", out, err, bodies)
	}
	if _, err := try("duty"); err != nil || len(bodies) != 2 || !strings.Contains(bodies[0], `"trigger"`) || !strings.Contains(bodies[1], `"resolve"`) {
		t.Errorf("%v; told is %v", err, bodies)
	}
	if _, err := try("nco"); err == nil || !strings.Contains(err.Error(), "there are: noc, duty") {
		t.Errorf("a name that is none: %v", err)
	}
	status = http.StatusForbidden
	if _, err := try("noc"); err == nil || !strings.Contains(err.Error(), "HTTP 403") {
		t.Errorf("one that does not take it: %v", err)
	}
}
