package gate

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// page is a gate that asks a real server on this machine.
func page(t *testing.T, answer http.HandlerFunc, change func(*Gate)) Gate {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	g := Gate{Name: "checkout", URL: s.URL + "/health?key=hunter2", Timeout: 10 * time.Second}
	if change != nil {
		change(&g)
	}
	return g.WithDefaults()
}

func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func contains(s string) func(*Gate) { return func(g *Gate) { g.Contains = s } }
func at200(pointer, want string) func(*Gate) {
	return func(g *Gate) { g.JSON = map[string]string{pointer: want} }
}

// hangs answers only when whoever asked has gone.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// drips sends a first part and then nothing more.
func drips(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, "ok")
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func halfABody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	io.WriteString(w, `{"status": "up"`)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestAPageIsJudgedByWhatItAnswersAndUnknownIsNeverAPass(t *testing.T) {
	quick := func(g *Gate) { g.Timeout, g.Contains = 100*time.Millisecond, "ok" }
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		change func(*Gate)
		state  upgrade.ProbeState
		why    string
	}{
		{"200", answers(200, ""), nil, upgrade.ProbePass, "HTTP 200"},
		{"another status", answers(503, "sorry"), nil, upgrade.ProbeFail, "HTTP 503"},
		{"500", answers(500, ""), nil, upgrade.ProbeFail, "HTTP 500"},
		{"one of several", answers(204, ""), func(g *Gate) { g.Status = []int{200, 204} }, upgrade.ProbePass, "HTTP 204"},
		{"200 where another is wanted", answers(200, ""), func(g *Gate) { g.Status = []int{204} }, upgrade.ProbeFail, "HTTP 200"},
		{"a redirect", answers(302, ""), nil, upgrade.ProbeUnknown, "HTTP 302, a redirect, which is not followed"},
		{"a refused sign-in", answers(401, ""), nil, upgrade.ProbeUnknown, "HTTP 401"},
		{"asked too often", answers(429, ""), nil, upgrade.ProbeUnknown, "HTTP 429"},
		{"a text", answers(200, "all ok"), contains("ok"), upgrade.ProbePass, "HTTP 200"},
		{"without it", answers(200, "degraded"), contains("ok"), upgrade.ProbeFail, `the answer lacks "ok"`},
		{"a text on an error page", answers(500, "ok"), contains("ok"), upgrade.ProbeFail, "HTTP 500"},
		{"a huge answer that nobody looks at", answers(200, strings.Repeat("x", 4<<20)), nil, upgrade.ProbePass, "HTTP 200"},
		{"a huge answer", answers(200, "ok"+strings.Repeat("x", 4<<20)), contains("ok"), upgrade.ProbeUnknown, "its answer is longer than 64 kB"},
		{"as long as may be", answers(200, "ok"+strings.Repeat("x", 64<<10-2)), contains("ok"), upgrade.ProbePass, "HTTP 200"},
		{"half an answer", halfABody, at200("/status", "up"), upgrade.ProbeUnknown, "its answer broke off"},
		{"no answer", hangs, quick, upgrade.ProbeUnknown, "no answer within 100ms"},
		{"an answer without an end", drips, quick, upgrade.ProbeUnknown, "no answer within 100ms"},
		{"JSON", answers(200, `{"status": "up"}`), at200("/status", "up"), upgrade.ProbePass, "HTTP 200"},
		{"another value", answers(200, `{"status": "down"}`), at200("/status", "up"), upgrade.ProbeFail, "/status is down, not up"},
		{"a number", answers(200, `{"a": [{"b/c": 0}]}`), at200("/a/0/b~1c", "0"), upgrade.ProbePass, ""},
		{"true and null", answers(200, `{"a": true, "~": null}`), func(g *Gate) { g.JSON = map[string]string{"/a": "true", "/~0": "null"} }, upgrade.ProbePass, ""},
		{"the whole", answers(200, `"up"`), at200("", "up"), upgrade.ProbePass, ""},
		{"no such value", answers(200, `{}`), at200("/status", "up"), upgrade.ProbeUnknown, "the answer has no value at /status"},
		{"no simple value", answers(200, `{"status": {}}`), at200("/status", "up"), upgrade.ProbeUnknown, "the answer has no value at /status"},
		{"outside of a list", answers(200, `[1]`), at200("/1", "1"), upgrade.ProbeUnknown, "the answer has no value at /1"},
		{"no JSON", answers(200, `<html>`), at200("/status", "up"), upgrade.ProbeUnknown, "the answer is no JSON"},
		{"two documents", answers(200, `{"status": "up"} {"status": "down"}`), at200("/status", "up"), upgrade.ProbeUnknown, "the answer is no JSON"},
		{"foreign text is cut", answers(200, `{"status": "`+strings.Repeat("y", 400)+`\u0007"}`), at200("/status", "up"), upgrade.ProbeFail, "/status is " + strings.Repeat("y", 39) + "…, not up"},
	} {
		state, why := page(t, row.answer, row.change).Ask(t.Context(), Transport(nil))
		if state != row.state || row.why != "" && why != row.why {
			t.Errorf("%s: %s %q, want %s %q", row.name, state, why, row.state, row.why)
		}
	}
}

func TestARedirectIsNotFollowedAndTheHeadersGoNowhereElse(t *testing.T) {
	var elsewhere atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer target.Close()
	g := page(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sesame" {
			t.Errorf("Authorization %q", r.Header.Get("Authorization"))
		}
		http.Redirect(w, r, target.URL, http.StatusFound)
	}, func(g *Gate) { g.Headers = map[string]string{"Authorization": "Bearer sesame"} })
	if state, _ := g.Ask(t.Context(), Transport(nil)); state != upgrade.ProbeUnknown || elsewhere.Load() > 0 {
		t.Errorf("%s, asked elsewhere %d times", state, elsewhere.Load())
	}
}

func TestWhatCannotBeReachedOrTrustedIsUnknownAndNoWordOfItsAddressGetsOut(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	secure := httptest.NewUnstartedServer(answers(200, ""))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(answers(200, ""))
	defer plain.Close()
	for name, row := range map[string]struct{ url, why string }{
		"nobody listens":               {closed.URL, "nobody answers at its address"},
		"a certificate nobody signed":  {secure.URL, "its certificate cannot be trusted"},
		"no TLS":                       {strings.Replace(plain.URL, "http:", "https:", 1), "the connection broke"},
		"a name that leads nowhere":    {"https://nowhere.test", "its name cannot be resolved"},
		"a name that leads link-local": {"https://metadata.test", "its address must not be called: it is link-local or tells a machine's secrets, or is public and not https"},
		"a public one in clear":        {"http://public.test", "its address must not be called: it is link-local or tells a machine's secrets, or is public and not https"},
	} {
		g := Gate{URL: row.url + "/hunter2?key=hunter2", Timeout: 10 * time.Second, Headers: map[string]string{"Authorization": "hunter2"}}.WithDefaults()
		state, why := g.Ask(t.Context(), Transport(resolver(map[string]string{"metadata.test.": "169.254.169.254", "public.test.": "192.0.2.1"})))
		if state != upgrade.ProbeUnknown || why != row.why || strings.Contains(why, "hunter2") {
			t.Errorf("%s: %s %q, want unknown %q", name, state, why, row.why)
		}
	}
}

// resolver knows these names only, over a name server at the other end of a pipe.
func resolver(names map[string]string) *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			for {
				var size [2]byte // over a stream each message has its length before it
				if _, err := io.ReadFull(far, size[:]); err != nil {
					return
				}
				question := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(far, question); err != nil {
					return
				}
				answer := lookup(question, names)
				far.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		}()
		return near, nil
	}}
}

// lookup answers a question for an address of IPv4 (RFC 1035); of IPv6 there is none.
func lookup(q []byte, names map[string]string) []byte {
	name, end := "", 12
	for q[end] != 0 {
		name += string(q[end+1:end+1+int(q[end])]) + "."
		end += 1 + int(q[end])
	}
	end += 5
	ip, known := names[name]
	out := append([]byte{}, q[:end]...)
	out[2], out[3] = 0x85, 0x80                                      // an answer of authority
	copy(out[6:12], []byte{0, 0, 0, 0, 0, 0})                        // nothing else
	if isA := binary.BigEndian.Uint16(q[end-4:end-2]) == 1; !known { // no such name
		out[3] |= 3
	} else if isA {
		out[7] = 1
		out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		b := netip.MustParseAddr(ip).As4()
		out = append(out, b[:]...)
	}
	return out
}

func TestNoAddressThatTellsSecretsIsCalledInWhateverDisguise(t *testing.T) {
	for ip, want := range map[string][2]bool{ // over TLS, and in clear
		"127.0.0.1": {true, true}, "::1": {true, true}, "10.1.2.3": {true, true}, "192.168.0.9": {true, true}, "172.16.0.1": {true, true}, "fd12::1": {true, true}, "100.64.0.1": {true, true},
		"192.0.2.1": {true, false}, "2001:db8::1": {true, false}, "8.8.8.8": {true, false}, "::ffff:8.8.8.8": {true, false}, "64:ff9b::808:808": {true, false}, "::ffff:10.0.0.1": {true, true},
		"169.254.169.254": {}, "169.254.0.1": {}, "fe80::1": {}, "fe80::1%eth0": {}, "::ffff:169.254.169.254": {}, "64:ff9b::a9fe:a9fe": {}, "2002:a9fe:a9fe::1": {}, "::169.254.169.254": {},
		"168.63.129.16": {}, "::ffff:168.63.129.16": {}, "100.100.100.200": {}, "fd00:ec2::254": {}, "192.0.0.192": {},
		"0.0.0.0": {}, "::": {}, "224.0.0.1": {}, "ff02::1": {}, "255.255.255.255": {},
		"0.1.2.3": {}, "240.0.0.1": {}, "192.0.0.8": {}, "fd00:ec2::23": {}, "64:ff9b:1::a9fe:a9fe": {}, "2001:0:a9fe:a9fe::1": {}, "fec0::1": {}, "::ffff:0.1.2.3": {}, "64:ff9b::a83f:8110": {}, "64:ff9b::1:203": {},
	} {
		a := netip.MustParseAddr(ip)
		if got := [2]bool{refused(a, true) == "", refused(a, false) == ""}; got != want {
			t.Errorf("%s is called over TLS and in clear: %v, want %v", ip, got, want)
		}
	}
}

func TestTheAddressIsLookedAtWhenTheConnectionIsMade(t *testing.T) {
	// The name of a gate led to this machine when it was asked first, and to the metadata service then.
	names := map[string]string{"checkout.test.": "127.0.0.1"}
	s := httptest.NewServer(answers(200, ""))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	g := Gate{URL: "http://checkout.test:" + port, Timeout: 10 * time.Second}.WithDefaults()
	via := Transport(resolver(names))
	if state, why := g.Ask(t.Context(), via); state != upgrade.ProbePass {
		t.Fatalf("%s %q", state, why)
	}
	names["checkout.test."] = "169.254.169.254"
	if state, why := g.Ask(t.Context(), via); state != upgrade.ProbeUnknown || !strings.Contains(why, "must not be called") {
		t.Errorf("%s %q", state, why)
	}
}

func TestNoProxyOfTheEnvironmentComesBetween(t *testing.T) {
	if Transport(nil).Proxy != nil {
		t.Error("a proxy would be the one to resolve names")
	}
}

// prometheus is a gate that asks a Prometheus on this machine for one value.
func prometheus(t *testing.T, status int, body string, change func(*Gate)) Gate {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/prom/api/v1/query" || r.FormValue("query") != `sum(rate(errors[5m])) / 2` || r.FormValue("timeout") != "10s" || r.Method != "GET" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	g := Gate{Name: "errors", Prometheus: s.URL + "/prom/", Query: `sum(rate(errors[5m])) / 2`, Timeout: 10 * time.Second}
	change(&g)
	return g.WithDefaults()
}

func TestAQueryIsAPassOnlyForOneNumberOnTheRightSide(t *testing.T) {
	vector := func(values ...string) string {
		var all []string
		for _, v := range values {
			all = append(all, fmt.Sprintf(`{"metric": {"job": "shop"}, "value": [1435781451.781, %s]}`, v))
		}
		return `{"status": "success", "data": {"resultType": "vector", "result": [` + strings.Join(all, ",") + `]}}`
	}
	limit := 0.01
	below, above := func(g *Gate) { g.Below = &limit }, func(g *Gate) { g.Above = &limit }
	for _, row := range []struct {
		name   string
		status int
		body   string
		change func(*Gate)
		state  upgrade.ProbeState
		why    string
	}{
		{"below", 200, vector(`"0.002"`), below, upgrade.ProbePass, "it is 0.002"},
		{"not below", 200, vector(`"0.2"`), below, upgrade.ProbeFail, "0.2 is not below 0.01"},
		{"as much is not below", 200, vector(`"0.01"`), below, upgrade.ProbeFail, ""},
		{"above", 200, vector(`"0.2"`), above, upgrade.ProbePass, ""},
		{"not above", 200, vector(`"0.002"`), above, upgrade.ProbeFail, "0.002 is not above 0.01"},
		{"endless", 200, vector(`"+Inf"`), below, upgrade.ProbeUnknown, "the value is not a number"},
		{"a scalar", 200, `{"status": "success", "data": {"resultType": "scalar", "result": [1435781451.781, "0.002"]}}`, below, upgrade.ProbePass, ""},
		{"no series", 200, vector(), below, upgrade.ProbeUnknown, "the query has 0 values, not one"},
		{"several", 200, vector(`"0"`, `"0"`), below, upgrade.ProbeUnknown, "the query has 2 values, not one"},
		{"not a number", 200, vector(`"NaN"`), below, upgrade.ProbeUnknown, "the value is not a number"},
		{"no number at all", 200, vector(`"many"`), below, upgrade.ProbeUnknown, "the value is not a number"},
		{"a number without quotes", 200, vector(`0`), below, upgrade.ProbeUnknown, "the answer is not as Prometheus documents it"},
		{"a matrix", 200, `{"status": "success", "data": {"resultType": "matrix", "result": []}}`, below, upgrade.ProbeUnknown, "the query is for no single value"},
		{"no success", 200, `{"status": "error", "data": {"resultType": "scalar", "result": [1, "0"]}}`, below, upgrade.ProbeUnknown, "Prometheus reports no success"},
		{"a part of the truth", 200, `{"status": "success", "warnings": ["store 2 is down"], "data": {"resultType": "scalar", "result": [1, "0"]}}`, below, upgrade.ProbeUnknown, "Prometheus warns that the answer may be partial: store 2 is down"},
		{"a wrong query", 400, `{"status": "error", "errorType": "bad_data", "error": "parse error: hunter2"}`, below, upgrade.ProbeUnknown, "Prometheus answers HTTP 400 (bad_data)"},
		{"unwell itself", 503, `sorry`, below, upgrade.ProbeUnknown, "Prometheus answers HTTP 503"},
		{"no JSON", 200, `<html>`, below, upgrade.ProbeUnknown, "the answer is no JSON"},
	} {
		state, why := prometheus(t, row.status, row.body, row.change).Ask(t.Context(), Transport(nil))
		if state != row.state || row.why != "" && why != row.why {
			t.Errorf("%s: %s %q, want %s %q", row.name, state, why, row.state, row.why)
		}
	}
}
