package pager

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

var believable = upgrade.Page{Rollout: "r-4f2a9c", Seq: 17, At: time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC), Kind: upgrade.PageExpiry,
	Set:  "/subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourcegroups/rg-shop/providers/microsoft.compute/virtualmachinescalesets/web-prod",
	Name: "web-prod", Group: "rg-shop", Channel: "C0123456789", Action: upgrade.ActionUpgrade, Target: "22.04.202401170", Gate: "ud-1", Owner: "U0123456789", OwnerName: "ana",
	Reason: upgrade.ReasonExpired, Text: "the approval of UD 1 ran out", Next: []string{"/vmss ask r-4f2a9c", `/vmss abort r-4f2a9c "reason"`}}

func TestTheDocumentedExampleIsWhatIsSent(t *testing.T) {
	doc, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	body, err := Hook{Format: JSON}.body(believable)
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(doc, lines.Bytes()) {
		t.Errorf("docs/webhooks.md does not have what is sent:\n%s", lines.Bytes())
	}
	_, signature := sign("correct horse battery staple", time.Unix(1795500000, 0), body)
	if !bytes.Contains(doc, []byte("`"+signature+"`")) {
		t.Errorf("docs/webhooks.md has another signature than %s", signature)
	}
	for _, h := range []string{headerID, headerTimestamp, headerSignature} {
		if !bytes.Contains(doc, []byte("`"+h+"`")) {
			t.Errorf("docs/webhooks.md does not know %s", h)
		}
	}
}

// heard is a receiver on this machine.
type heard struct {
	*httptest.Server
	requests []*http.Request
	bodies   [][]byte
}

func receiver(t *testing.T, answer http.HandlerFunc) *heard {
	h := &heard{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.requests, h.bodies = append(h.requests, r), append(h.bodies, body)
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *heard) hook() Hook {
	return Hook{Name: "noc", URL: Address(h.URL + "/hooks/token-4711?sig=canary"), Format: JSON, Key: "canary-key"}
}

func taken(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }

func TestAReceiverCanTellThatAnEventIsOursAndOfWhen(t *testing.T) {
	r := receiver(t, taken)
	now := time.Unix(1795500000, 0)
	if _, err := r.hook().Send(t.Context(), Client(), believable, now); err != nil {
		t.Fatal(err)
	}
	got, body := r.requests[0], r.bodies[0]
	timestamp, signature := sign("canary-key", now, body)
	if got.Header.Get(headerTimestamp) != timestamp || timestamp != "1795500000" || got.Header.Get(headerSignature) != signature || got.Header.Get(headerID) != "r-4f2a9c/17" || got.Method != "POST" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("it came with %v", got.Header)
	}
	for name, other := range map[string]string{"another key": second(sign("other", now, body)), "another moment": second(sign("canary-key", now.Add(time.Second), body)), "another body": second(sign("canary-key", now, append(body, ' ')))} {
		if other == signature {
			t.Errorf("%s has the same signature", name)
		}
	}
	if bytes.Contains(body, []byte("canary")) || strings.Contains(fmt.Sprint(got.Header), "canary-key") {
		t.Errorf("the key travels: %s %v", body, got.Header)
	}
}

func second(_, s string) string { return s }

func TestForeignWordsArePlainStrings(t *testing.T) {
	p := believable
	p.Text = "\"},\"event\":\"end\" <!channel> \x00\xff \u202e" + strings.Repeat("x", 5000)
	p.OwnerName = "</script>"
	for _, h := range []Hook{{Format: JSON}, {Format: PagerDuty}} {
		body, err := h.body(p)
		if err != nil || !json.Valid(body) || len(body) > 20_000 || bytes.ContainsAny(body, "<>\x00") {
			t.Errorf("%s: %v, %d bytes: %.200s", h.Format, err, len(body), body)
		}
	}
}

func TestPagerDutyIsToldInItsOwnWords(t *testing.T) {
	var a struct {
		RoutingKey  string `json:"routing_key"`
		EventAction string `json:"event_action"`
		DedupKey    string `json:"dedup_key"`
		Payload     *struct {
			Summary, Source, Severity string
			Timestamp                 time.Time
			Details                   map[string]any `json:"custom_details"`
		}
		Links []map[string]string
	}
	for kind, want := range map[upgrade.PageKind]string{upgrade.PageHold: "trigger warning", upgrade.PageFailure: "trigger error", upgrade.PageExpiry: "trigger warning", upgrade.PageTest: "trigger info",
		upgrade.PageCleared: "resolve", upgrade.PageEnd: "resolve"} {
		p := believable
		p.Kind, p.Text = kind, strings.Repeat("ü", 2000)
		body, err := Hook{Format: PagerDuty, Key: "R0UT1NG"}.body(p)
		a.Payload = nil
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		got := a.EventAction
		if a.Payload != nil {
			got += " " + a.Payload.Severity
			if n := len([]rune(a.Payload.Summary)); n > 1024 || a.Payload.Source == "" || a.Payload.Timestamp.IsZero() || a.Payload.Details["rollout"] != "r-4f2a9c" {
				t.Errorf("%s: %d characters, %+v", kind, n, a.Payload)
			}
		}
		if err != nil || got != want || a.RoutingKey != "R0UT1NG" || a.DedupKey != "vmssbot/r-4f2a9c" {
			t.Errorf("%s: %s by %s for %s (%v), want %s", kind, got, a.RoutingKey, a.DedupKey, err, want)
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	other := receiver(t, taken)
	for _, status := range []int{301, 302, 303, 307, 308} {
		r := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		again, err := r.hook().Send(t.Context(), Client(), believable, time.Now())
		if err == nil || again != 0 || len(r.requests) != 1 || len(other.requests) != 0 {
			t.Errorf("%d: %v, %v; %d requests there, %d elsewhere", status, again, err, len(r.requests), len(other.requests))
		}
	}
}

func TestAnErrorSaysWhatAndNotWhere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String() + "/token-4711"
	l.Close()
	plain := receiver(t, taken)
	for name, row := range map[string]struct{ url, says string }{
		"nobody there":                  {closed, "refused"},
		"TLS where there is none":       {strings.Replace(plain.URL, "http:", "https:", 1) + "/token-4711", "HTTP"},
		"a name that is none":           {"https://token-4711.invalid/token-4711", ""},
		"an address that is none":       {"http://[token-4711", "none"},
		"where a cloud tells secrets":   {"http://169.254.169.254/metadata/token-4711", "where no receiver can be"},
		"where Azure talks to machines": {"http://168.63.129.16/token-4711", "where no receiver can be"},
	} {
		_, err := Hook{URL: Address(row.url), Format: JSON, Key: "canary-key"}.Send(t.Context(), Client(), believable, time.Now())
		if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(strings.ReplaceAll(err.Error(), "token-4711.invalid", ""), "token-4711") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(plain.requests) > 0 {
		t.Error("it was told without TLS")
	}
}

func TestACertificateIsVerified(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(taken))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	if _, err := (Hook{URL: Address(s.URL), Format: JSON}).Send(t.Context(), Client(), believable, time.Now()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("told a receiver that nobody vouches for: %v", err)
	}
}

func TestAnEndlessAnswerIsNotReadToItsEnd(t *testing.T) {
	r := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < 1<<16; i++ {
			if _, err := w.Write(make([]byte, 1<<12)); err != nil {
				return
			}
		}
		t.Error("256 MB were read")
	})
	if _, err := r.hook().Send(t.Context(), Client(), believable, time.Now()); err != nil {
		t.Error(err)
	}
	r.CloseClientConnections()
}

func TestWhereAReceiverMayBe(t *testing.T) {
	for _, row := range []struct {
		ip   string
		here bool
		may  bool
	}{
		{"93.184.216.34", false, true}, {"10.1.2.3", false, true}, {"192.168.0.9", false, true}, {"2606:2800:220:1::1", false, true}, {"fd12::1", false, true},
		{"127.0.0.1", true, true}, {"::1", true, true}, {"::ffff:127.0.0.1", true, true},
		{"127.0.0.1", false, false}, {"::1", false, false}, {"::ffff:127.0.0.1", false, false}, {"10.1.2.3", true, false}, {"93.184.216.34", true, false},
		{"169.254.169.254", false, false}, {"::ffff:169.254.169.254", false, false}, {"fe80::1", false, false}, {"168.63.129.16", false, false}, {"fd00:ec2::254", false, false}, {"100.100.100.200", false, false},
		{"0.0.0.0", false, false}, {"::", false, false}, {"0.1.2.3", false, false}, {"224.0.0.1", false, false}, {"ff02::1", false, false}, {"255.255.255.255", false, false},
		{"2001:0:a9fe:a9fe::1", false, false}, {"fec0::1", false, false}, {"64:ff9b:1::a9fe:a9fe", false, false}, {"fd00:ec2::23", false, false}, {"192.0.0.8", false, false}, {"240.0.0.1", false, false}, {"::ffff:168.63.129.16", false, false},
		{"64:ff9b::a9fe:a9fe", false, false}, {"2002:a9fe:a9fe::1", false, false}, {"::a9fe:a9fe", false, false}, {"192.0.0.192", false, false},
	} {
		if err := allowed(net.JoinHostPort(row.ip, "443"), row.here); (err == nil) != row.may {
			t.Errorf("%s, this machine wanted: %v: %v", row.ip, row.here, err)
		}
	}
	var here []string
	for _, host := range []string{"localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "localhost.", "localhost.evil.example", "10.0.0.1", "0.0.0.0", ""} {
		if Here(host) {
			here = append(here, host)
		}
	}
	if want := []string{"localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"}; !slices.Equal(here, want) {
		t.Errorf("this machine are %v, want %v", here, want)
	}
}

func TestRetryAfterIsRead(t *testing.T) {
	now := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second, "Mon, 23 Nov 2026 00:00:00 GMT": 0, strconv.Itoa(1 << 60): time.Hour} {
		if got := quiet(header, now); got != want {
			t.Errorf("%q is %s, want %s", header, got, want)
		}
	}
}
