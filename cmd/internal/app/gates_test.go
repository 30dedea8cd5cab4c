package app

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const withGates = `
gates:
  - name: checkout-slo
    url: https://status.example.com/checkout
    status: 204
    contains: ok
    json: {/status: up, /errors: 0}
    headers: [{name: Authorization, prefix: "Bearer ", env: GATE_TOKEN}]
    patience: 10m
  - {name: errors, prometheus: "http://prometheus.monitoring:9090", query: sum(up), above: 2.5, every: 1m}
`

func TestGatesOfTheConfigurationReachThePoliciesThatNameThem(t *testing.T) {
	t.Setenv("GATE_TOKEN", "sesame")
	c, err := Parse("vmssbot.yaml", []byte(strings.Replace(good, "soak: 0s", "gates: [checkout-slo, errors]", 1)+withGates))
	if err != nil {
		t.Fatal(err)
	}
	web, rest := c.Policies()[0], c.Policies()[1]
	if len(web.Probes) != 2 || len(rest.Probes) != 0 || web.Probes[0].Name != "checkout-slo" || web.Probes[0].Patience != 10*time.Minute || web.Probes[1].Patience != 5*time.Minute {
		t.Errorf("gates %+v and %+v, want what each entry names", web.Probes, rest.Probes)
	}
	gates, err := c.gates(keyring{})
	if err != nil {
		t.Fatal(err)
	}
	g, q := gates[0], gates[1]
	if g.Headers["Authorization"] != "Bearer sesame" || len(g.Status) != 1 || g.Status[0] != 204 || g.JSON["/errors"] != "0" || g.Timeout != 5*time.Second || g.Every != 30*time.Second {
		t.Errorf("%+v", g)
	}
	if *q.Above != 2.5 || q.Below != nil || q.Every != time.Minute || q.Query != "sum(up)" {
		t.Errorf("%+v", q)
	}
	if g.Sum() != web.Probes[0].Sum || q.Sum() != web.Probes[1].Sum {
		t.Error("what is asked is not what the policies know: it would be unknown for ever")
	}
	if _, there := os.LookupEnv("GATE_TOKEN"); there {
		t.Error("a secret is handed down to other programs")
	}
}

func TestThePolicyIsAnotherWhenWhatAGateAsksIsAnother(t *testing.T) {
	version := func(gates string) string {
		c, err := Parse("vmssbot.yaml", []byte(strings.Replace(good, "soak: 0s", "gates: [checkout-slo]", 1)+gates))
		if err != nil {
			t.Fatal(err)
		}
		return c.Policies()[0].Version()
	}
	was := version(withGates)
	if was == version(strings.Replace(withGates, "contains: ok", "contains: o", 1)) {
		t.Error("a yes to the one would count for the other")
	}
	if was != version(strings.Replace(withGates, "GATE_TOKEN", "OTHER_TOKEN", 1)) {
		t.Error("where its secret is kept makes another policy")
	}
}

func TestAMistakeInAGateIsNamed(t *testing.T) {
	for _, row := range []struct{ name, from, to, says string }{
		{"one that is not there", "name: errors", "name: err", `sets[0] (match "web-*"): gates: there is no gate "errors"`},
		{"two of one name", "name: errors", "name: checkout-slo", `gates[1] (checkout-slo): name: there is a gate "checkout-slo" already`},
		{"a link-local address", "https://status.example.com/checkout", "http://169.254.169.254/", "gates[0] (checkout-slo): url: 169.254.169.254 is link-local and is never called"},
		{"a header without a place", ", env: GATE_TOKEN", "", "gates[0] (checkout-slo): headers: Authorization: want env or file"},
		{"a header with two", "env: GATE_TOKEN", "env: GATE_TOKEN, file: /x", "want env or file"},
		{"a secret in the configuration", "env: GATE_TOKEN", "value: sesame", "value: there is no such key here"},
		{"no header", "name: Authorization", `name: "A: b"`, "is no name of a header"},
		{"a query without a threshold", ", above: 2.5", "", "gates[1] (errors): want above or below"},
		{"a status in words", "status: 204", "status: ok", "want a whole number"},
	} {
		body := strings.Replace(good, "soak: 0s", "gates: [checkout-slo, errors]", 1) + withGates
		if !strings.Contains(body, row.from) {
			t.Fatalf("%s: nothing to replace", row.name)
		}
		_, err := Parse("vmssbot.yaml", []byte(strings.Replace(body, row.from, row.to, 1)))
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
}

func TestASecretOfAGateThatIsMissingIsSaidBeforeAnythingRuns(t *testing.T) {
	t.Setenv("GATE_TOKEN", "")
	c, err := Parse("vmssbot.yaml", []byte(good+withGates))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.gates(keyring{}); err == nil || !strings.Contains(err.Error(), "gate checkout-slo: header Authorization: its value is missing: the environment variable") || strings.Contains(err.Error(), "GATE_TOKEN") {
		t.Errorf("%v", err)
	}
	file := filepath.Join(t.TempDir(), "token")
	c.Gates[0].Headers[0].Env, c.Gates[0].Headers[0].File = "", file
	for _, row := range []struct {
		body string
		mode os.FileMode
		says string
	}{{"sesame\n", 0o644, "lets everybody in"}, {"\n", 0o600, "is empty"}, {"a\r\nb", 0o600, "several lines"}, {"sesame\n", 0o600, ""}} {
		os.Remove(file)
		if err := os.WriteFile(file, []byte(row.body), row.mode); err != nil {
			t.Fatal(err)
		}
		files := complaints{}
		c.checkGateFiles(files.add)
		err := errors.Join(files.errs...)
		if (err == nil) != (row.says == "") || err != nil && (!strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "sesame")) {
			t.Errorf("%q: %v, want %q", row.body, err, row.says)
		}
	}
}

func TestGatesAreAskedOnceAndToldWithoutTheirAddress(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ill" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	c := Config{Gates: []Gate{{Name: "well", URL: s.URL + "/well?key=hunter2"}}}
	var out bytes.Buffer
	if err := AskGates(t.Context(), c, &out); err != nil || out.String() != "pass     well: HTTP 200\n1 gate, all pass\n" {
		t.Errorf("%v, %q", err, out.String())
	}
	c.Gates = append(c.Gates, Gate{Name: "ill", URL: s.URL + "/ill"})
	out.Reset()
	err := AskGates(t.Context(), c, &out)
	if err == nil || !strings.Contains(err.Error(), "1 of 2 gates do not pass") || !strings.Contains(out.String(), "fail     ill: HTTP 503\n") || strings.Contains(out.String(), "hunter2") {
		t.Errorf("%v, %q", err, out.String())
	}
}
