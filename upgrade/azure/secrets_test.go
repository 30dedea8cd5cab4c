package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vmssbot/vmssbot/upgrade"
)

// canary is put wherever a secret could be; it must come out nowhere.
const canary = "c4n4ry5ecret"

type canaryCredential struct{ err error }

func (c canaryCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "eyJhbGciOiJ.eyJ." + canary, ExpiresOn: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, c.err
}

// wireFunc is a transport made of a function.
type wireFunc func(*http.Request) (*http.Response, error)

func (f wireFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func respond(r *http.Request, status int, body string, headers ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// chain prints an error in every way a log might, with all its causes.
func chain(err error) string {
	var out strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&out, "%v | %+v | %q\n", err, err, err)
		if f, ok := err.(*upgrade.Fault); ok {
			fmt.Fprintf(&out, "%+v %#v\n", *f, f.Cause)
		}
	}
	return out.String()
}

func TestNoSecretComesOutOfAnError(t *testing.T) {
	signed := "https://management.azure.com" + opPath + "?s=" + canary + "&c=" + canary
	wires := map[string]wireFunc{
		"a dropped connection": func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: signed, Err: io.ErrUnexpectedEOF}
		},
		"an echo of the request": func(r *http.Request) (*http.Response, error) {
			return respond(r, 400, errorJSON("Bad", "Authorization: "+r.Header.Get("Authorization")+" at "+signed))
		},
		"an echo without words of Azure's": func(r *http.Request) (*http.Response, error) {
			return respond(r, 502, r.Header.Get("Authorization")+signed)
		},
		"an answer that cannot be read": func(r *http.Request) (*http.Response, error) {
			return respond(r, 200, `{"id":"`+signed+`","properties":`)
		},
		"a script's storage key": func(r *http.Request) (*http.Response, error) {
			return respond(r, 403, errorJSON("Failed", "cannot fetch https://store.blob.example/x?sv=1&sig="+canary+" with AccountKey="+canary+"; password = "+canary))
		},
		"a redirect": func(r *http.Request) (*http.Response, error) {
			return respond(r, 302, "", "Location", "https://evil.example/?"+canary)
		},
		"a code that is none": func(r *http.Request) (*http.Response, error) {
			return respond(r, 409, errorJSON("x?sig="+canary, "m"))
		},
	}
	for name, wire := range wires {
		for _, cred := range []canaryCredential{{}, {errors.New("no token, but Bearer " + canary + " and client_secret=" + canary)}} {
			a, err := New(Config{Subscription: testSub, Credential: cred, Transport: wire})
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			_, err1 := a.Observe(ctx, testSet, upgrade.Free)
			_, err2 := a.Apply(ctx, upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}})
			_, err3 := a.Poll(ctx, token{byStatus, "myvmss", opPath + "?s=" + canary}.String())
			_, err4 := a.Sets(ctx)
			for _, err := range []error{err1, err2, err3, err4} {
				if text := chain(err); strings.Contains(text, canary) || err == nil {
					t.Errorf("%s: %s", name, text)
				}
			}
		}
	}
}

// The SDK reads its variable when it starts, so this takes a process of its own: this test binary
// once more, with another test that talks a lot.
func TestTheSDKsOwnLogStaysOff(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoSecretComesOutOfAnError$")
	cmd.Env = append(os.Environ(), "AZURE_SDK_GO_LOGGING=all")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "REQUEST") || strings.Contains(string(out), canary) {
		t.Errorf("%v: %s", err, clip(string(out), 2000))
	}
}

func TestAForeignHostGetsNothing(t *testing.T) {
	var hosts []string
	a, err := New(Config{Subscription: testSub, Credential: canaryCredential{}, Transport: wireFunc(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		if strings.HasSuffix(r.URL.Path, "/virtualMachines") {
			return respond(r, 200, pageJSON("https://evil.example"+listPath+"?$skiptoken="+canary, vmJSON("0")))
		}
		return respond(r, 200, setJSON(""), "Azure-AsyncOperation", "https://evil.example"+opPath)
	})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Observe(context.Background(), testSet, upgrade.Free)
	if f := faultOf(t, err, upgrade.FaultUnsafe); !strings.Contains(f.Message, "evil.example") || strings.Contains(chain(err), canary) {
		t.Errorf("fault %v", f)
	}
	r, err := a.Apply(context.Background(), upgrade.Operation{ID: "a", Kind: upgrade.OpModel, Set: testSet, To: upgrade.Setting{Image: newImage}, IfMatch: `"1"`})
	if err != nil || strings.Contains(r.Token, "evil") {
		t.Errorf("receipt %+v, %v", r, err)
	}
	for _, h := range hosts {
		if h != "management.azure.com" {
			t.Errorf("a request went to %s", h)
		}
	}
}

func TestAMissingTokenIsNoUnknownOutcome(t *testing.T) {
	sent := 0
	wire := wireFunc(func(r *http.Request) (*http.Response, error) {
		sent++
		return respond(r, 202, "")
	})
	a, err := New(Config{Subscription: testSub, Credential: canaryCredential{errors.New("no identity here")}, Transport: wire})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []upgrade.Operation{
		{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}},
		{ID: "b", Kind: upgrade.OpReimage, Set: testSet, Instances: []string{"1"}},
		{ID: "c", Kind: upgrade.OpRevert, Set: testSet, To: upgrade.Setting{Image: newImage}, IfMatch: `"1"`},
	} {
		_, err = a.Apply(context.Background(), op)
		if f := faultOf(t, err, upgrade.FaultSignIn); f.Code != "Authentication" || !strings.Contains(f.Message, "no identity here") || sent > 0 {
			t.Errorf("fault %+v, %d requests", f, sent)
		}
	}
}

// sleeper is a machine that is suspended while a token is fetched: no timer notices.
type sleeper struct {
	*clock
	slept time.Duration
}

func (s sleeper) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.advance(s.slept)
	return azcore.AccessToken{Token: canary, ExpiresOn: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func TestAWriteThatSleptOnItsWayOutIsNotSent(t *testing.T) {
	for slept, sends := range map[time.Duration]bool{time.Second: true, 10 * time.Minute: false} {
		sent, c := 0, newClock()
		wire := wireFunc(func(r *http.Request) (*http.Response, error) {
			sent++
			return respond(r, 202, "")
		})
		a, err := New(Config{Subscription: testSub, Credential: sleeper{c, slept}, Transport: wire, Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Apply(context.Background(), upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}})
		if (sent > 0) != sends {
			t.Errorf("after %s: sent %d times, %v", slept, sent, err)
		}
		if !sends {
			faultOf(t, err, upgrade.FaultUnavailable)
		}
	}
}

func TestWhyThereIsNoToken(t *testing.T) {
	issuer := func(status int, body string) error {
		resp, _ := respond(nil, status, body)
		return fmt.Errorf("wrapped: %w", &azidentity.AuthenticationFailedError{RawResponse: resp})
	}
	for name, row := range map[string]struct {
		err  error
		says string
	}{
		"the issuer says no":          {issuer(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`), "invalid_client: AADSTS7000215: Invalid client secret provided."},
		"the issuer says no in HTML":  {issuer(403, "<html>"), "the token's issuer answered 403"},
		"the issuer is throttling":    {issuer(429, `{"error":"too_many_requests","error_description":"slow"}`), "slow"},
		"the issuer is ill":           {issuer(503, ""), "answered 503"},
		"the issuer does not answer":  {fmt.Errorf("token: %w", context.DeadlineExceeded), "no token in time"},
		"there is no identity at all": {errors.New("DefaultAzureCredential: failed"), "DefaultAzureCredential: failed"},
	} {
		a, err := New(Config{Subscription: testSub, Credential: canaryCredential{row.err}, Transport: nowhere{}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Observe(context.Background(), testSet, upgrade.Free)
		if f := faultOf(t, err, upgrade.FaultSignIn); !strings.Contains(f.Message, row.says) {
			t.Errorf("%s: %v", name, f)
		}
	}
}

// A token that Azure does not take any more is not used again: the next call fetches another one.
func TestAnExpiredTokenIsFetchedAnew(t *testing.T) {
	fetched, seen := &fetches{}, []string{}
	wire := wireFunc(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r.Header.Get("Authorization"))
		if len(seen) == 1 {
			return respond(r, 401, errorJSON("ExpiredAuthenticationToken", "The access token expiry time is earlier than now."), "WWW-Authenticate", `Bearer error="invalid_token"`)
		}
		return respond(r, 202, "")
	})
	a, err := New(Config{Subscription: testSub, Credential: fetched, Transport: wire})
	if err != nil {
		t.Fatal(err)
	}
	op := upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}}
	_, err = a.Apply(context.Background(), op)
	faultOf(t, err, upgrade.FaultSignIn)
	if _, err := a.Apply(context.Background(), op); err != nil {
		t.Error(err)
	}
	if want := "Bearer token-1, Bearer token-2"; strings.Join(seen, ", ") != want {
		t.Errorf("sent with %q, want %q", seen, want)
	}
}

// fetches hands out numbered tokens.
type fetches struct{ n int }

func (f *fetches) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	f.n++
	return azcore.AccessToken{Token: fmt.Sprintf("token-%d", f.n), ExpiresOn: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		"plain words, 100 % kept: a=b; is it?":  "plain words, 100 % kept: a=b; is it?",
		"see https://x.example/a?sig=1&b=2 now": "see https://x.example/a?… now",
		"/subscriptions/s/operations/o?p=1":     "/subscriptions/s/operations/o?…",
		"Authorization: Bearer abc.def":         "Authorization: Bearer …",
		"got eyJabcdefg.payload.sign here":      "got … here",
		"sig=abc&x":                             "sig=…&x",
		"two\n\tlines":                          "two lines",
		"marks \x021\x03 and `/vmss approve`":   "marks 1 and '/vmss approve'",
		strings.Repeat("ä", 1001):               strings.Repeat("ä", 999) + "…",
	} {
		if got := scrub(in); got != want {
			t.Errorf("scrub(%q) = %q, want %q", clip(in, 60), clip(got, 60), clip(want, 60))
		}
	}
}
