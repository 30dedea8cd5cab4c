package azure

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// script answers requests in memory, one after the other; after the last nothing is found.
type script struct {
	answers []scripted
	next    int
	strayed string // a request that left for somewhere else
}

type scripted struct {
	status int
	header http.Header
	body   []byte
}

func (s *script) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "127.0.0.1:1" {
		s.strayed = r.URL.String()
	}
	a := scripted{status: http.StatusNotFound, header: http.Header{}, body: []byte("{}")}
	if s.next < len(s.answers) {
		a = s.answers[s.next]
	}
	s.next++
	return &http.Response{StatusCode: a.status, Header: a.header.Clone(), Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r}, nil
}

// recorder keeps what the simulated Azure answers.
type recorder struct {
	http.Handler
	answers []scripted
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	w := &written{header: http.Header{}, status: http.StatusOK}
	asks := req.Clone(req.Context())
	if asks.RequestURI = req.URL.RequestURI(); asks.Body == nil {
		asks.Body = http.NoBody
	}
	r.ServeHTTP(w, asks)
	r.answers = append(r.answers, scripted{w.status, w.header, w.body.Bytes()})
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(bytes.NewReader(w.body.Bytes())), Request: req}, nil
}

type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header         { return w.header }
func (w *written) WriteHeader(status int)      { w.status = status }
func (w *written) Write(b []byte) (int, error) { return w.body.Write(b) }

// asked are the ways to ask Azure for something; each names what is wrong with what it was told.
var asked = []func(ctx context.Context, a *Azure, token string) (wrong string, err error){
	func(ctx context.Context, a *Azure, _ string) (string, error) {
		s, err := a.Observe(ctx, testSet, upgrade.Free)
		if err != nil {
			return "", err
		}
		known := map[string]bool{}
		for _, i := range s.Instances {
			if i.ID == "" || known[i.ID] {
				return "instance " + i.ID + " has no name or is there twice", nil
			}
			known[i.ID] = true
		}
		return "", nil
	},
	func(ctx context.Context, a *Azure, _ string) (string, error) {
		op := upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"0", "5"}}
		receipt, err := a.Apply(ctx, op)
		if err == nil && receipt.Token != "" {
			if _, no := parseToken(receipt.Token); no != nil {
				return "a token that cannot be read back: " + receipt.Token, nil
			}
		}
		return "", err
	},
	func(ctx context.Context, a *Azure, token string) (string, error) {
		r, err := a.Poll(ctx, token)
		if err == nil && r.OK && !r.Done {
			return "it went well and is not done", nil
		}
		return "", err
	},
	func(ctx context.Context, a *Azure, _ string) (string, error) {
		sets, err := a.Sets(ctx)
		for _, s := range sets {
			if s.ID == "" {
				return "a set without an id", nil
			}
		}
		return "", err
	},
	func(ctx context.Context, a *Azure, _ string) (string, error) {
		_, err := a.Versions(ctx, "westeurope", oldImage)
		return "", err
	},
	func(ctx context.Context, a *Azure, _ string) (string, error) {
		_, err := a.Version(ctx, "westeurope", oldImage)
		return "", err
	},
	func(ctx context.Context, a *Azure, _ string) (string, error) {
		_, err := a.Sizes(ctx, testSet)
		return "", err
	},
	func(ctx context.Context, a *Azure, _ string) (string, error) {
		_, err := a.Autoscale(ctx, testSet)
		return "", err
	},
}

// FuzzAnswers: whatever one of Azure's answers says, and whatever token the journal has, there is no panic,
// no request to anybody else, an error of a kind that is known, and nothing that contradicts itself.
func FuzzAnswers(f *testing.F) {
	sim, err := azuresim.New(azuresim.Options{})
	if err != nil {
		f.Fatal(err)
	}
	token := `{"follow":"status","set":"myvmss","path":"` + opPath + `?api-version=2024-07-01"}`
	scripts := make([][]scripted, len(asked))
	for n, ask := range asked {
		r := &recorder{Handler: sim}
		a := within(f, r)
		if wrong, err := ask(f.Context(), a, token); wrong != "" {
			f.Fatalf("way %d: %s, %v", n, wrong, err)
		}
		scripts[n] = r.answers
		for at, answer := range r.answers {
			f.Add(n, at, answer.status, answer.header.Get("Azure-AsyncOperation"), answer.header.Get("Retry-After"), token, answer.body)
		}
	}
	for _, body := range []string{"", "null", "[]", "<html>busy</html>", `{"value":null,"nextLink":"https://evil.example/x"}`, `{"error":{"code":"X","message":"{\"error\":{\"code\":\"Y\",\"message\":\"z\"}}"}}`,
		`{"status":"Succeeded"}`, `{"status":"Failed","error":{"code":"VMExtensionProvisioningError","message":"m","details":[{"message":"d"}]}}`, `{"status":7}`} {
		for n := range asked {
			f.Add(n, 0, 200, "https://evil.example/operations/1", "Fri, 31 Dec 1999 23:59:59 GMT", token, []byte(body))
			f.Add(n, 0, 429, "", "-1", "{}", []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, way, at, status int, operation, retry, token string, body []byte) {
		if status < 200 || status > 599 || strings.ContainsAny(operation+retry, "\r\n") {
			return // is no HTTP
		}
		n := int(uint(way) % uint(len(asked)))
		s := &script{answers: append([]scripted(nil), scripts[n]...)}
		if len(s.answers) == 0 {
			s.answers = []scripted{{}}
		}
		s.answers[uint(at)%uint(len(s.answers))] = scripted{status, http.Header{"Azure-Asyncoperation": {operation}, "Location": {operation}, "Retry-After": {retry}, "Content-Type": {"application/json"}}, body}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		wrong, err := asked[n](ctx, within(t, s), token)
		var fault *upgrade.Fault
		switch {
		case wrong != "":
			t.Fatalf("way %d: %s", n, wrong)
		case s.strayed != "":
			t.Fatalf("way %d: a request left for %s", n, s.strayed)
		case ctx.Err() != nil:
			t.Fatalf("way %d takes seconds after %d answers", n, s.next)
		case s.next > 200:
			t.Fatalf("way %d asked %d times", n, s.next)
		case err != nil && !errors.As(err, &fault):
			t.Fatalf("way %d: an error that is no fault: %v", n, err)
		case fault != nil && (fault.Kind == "" || len(fault.Error()) > 10_000):
			t.Fatalf("way %d: the fault %q of kind %q", n, fault, fault.Kind)
		}
	})
}

// within is an Azure that sends nothing anywhere.
func within(t testing.TB, transport interface {
	Do(*http.Request) (*http.Response, error)
}) *Azure {
	t.Helper()
	a, err := New(Config{Subscription: testSub, Endpoint: "http://127.0.0.1:1", Credential: LocalCredential(), Transport: transport, Now: newClock().now})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
