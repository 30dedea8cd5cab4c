package azuresim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// demo is the Go SDK's client for sets, and what it makes of myvmss.
func (b *bench) demo(ctx context.Context) (armcompute.VirtualMachineScaleSetsClientGetResponse, error) {
	return factory(b.t, "http://arm.local", b.web).NewVirtualMachineScaleSetsClient().Get(ctx, "rg-demo", "myvmss", nil)
}

func TestTheGoSDKMeetsSpoiltAnswers(t *testing.T) {
	rows := []struct {
		f    Fault
		says string // what the SDK's error says, "" = it notices nothing
	}{
		{Fault{Kind: "malformed"}, "unmarshalling type"},
		{Fault{Kind: "half-body"}, "unexpected EOF"},
		{Fault{Kind: "drip"}, "context deadline exceeded"},
		{Fault{Kind: "drip", Delay: Duration(time.Hour)}, "context deadline exceeded"},
		{Fault{Kind: "wrong-type"}, ""},
		{Fault{Kind: "big-body", Count: 2}, ""},
	}
	for _, r := range rows {
		t.Run(r.f.Kind, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				b.inject(r.f)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				set, err := b.demo(ctx)
				if r.says == "" && (err != nil || *set.Name != "myvmss") || r.says != "" && (err == nil || !strings.Contains(err.Error(), r.says)) {
					t.Errorf("error %v, want %q in it", err, r.says)
				}
				if _, err := b.demo(t.Context()); err != nil {
					t.Errorf("the next call: %v", err)
				}
			})
		})
	}
}

func TestSpoiltAnswersComeAfterTheWork(t *testing.T) {
	for _, kind := range []string{"malformed", "wrong-type", "big-body", "drip"} {
		inBubble(t, Options{}, func(t *testing.T, b *bench) {
			b.web.Timeout = 10 * time.Second
			b.inject(Fault{Kind: kind, Match: "PATCH", Count: 1})
			a, err := b.try("PATCH", demoSet+testVer, imagePatch("4.0.20160229"))
			if (err != nil) != (kind == "drip") {
				t.Errorf("%s: %v", kind, err)
			}
			if w := b.sim.Writes()[0]; !w.Accepted || w.Answered {
				t.Errorf("%s: record %+v", kind, w)
			}
			if kind == "wrong-type" && a.header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("type %s", a.header.Get("Content-Type"))
			}
			if kind == "big-body" && (len(a.raw) < 1<<20 || a.doc == nil) {
				t.Errorf("%d bytes, document %v", len(a.raw), a.doc != nil)
			}
		})
	}
}

func TestOfTwoFaultsOfOneAnswerTheConnectionThatIsDroppedWins(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "reset", When: "after"})
		b.inject(Fault{Kind: "drip", Delay: Duration(time.Hour)})
		defer func() {
			if said := recover(); said != http.ErrAbortHandler {
				t.Errorf("want a dropped connection, got %v", said)
			}
		}()
		b.sim.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", demoSet+testVer, nil))
	})
}

func TestABigBodyIsFiftyMegabytesUnlessSaidOtherwise(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "big-body"})
		if n := len(b.do("GET", demoSet+testVer, "").want(200).raw); n < 50<<20 || n > 51<<20 {
			t.Errorf("%d bytes", n)
		}
	})
}

func TestTheGoSDKIsDeniedInAzuresWords(t *testing.T) {
	rows := []struct {
		f    Fault
		call func(context.Context, *armcompute.VirtualMachineScaleSetsClient) error
		code string
		says []string
	}{
		{Fault{Kind: "http-status", Status: 403}, func(ctx context.Context, c *armcompute.VirtualMachineScaleSetsClient) error {
			_, err := c.Get(ctx, "rg-demo", "myvmss", nil)
			return err
		}, "AuthorizationFailed", []string{"perform action 'Microsoft.Compute/virtualMachineScaleSets/read' over scope '" + demoSet + "'"}},
		{Fault{Kind: "http-status", Status: 403}, func(ctx context.Context, c *armcompute.VirtualMachineScaleSetsClient) error {
			_, err := c.BeginUpdateInstances(ctx, "rg-demo", "myvmss", instanceIDs("0"), nil)
			return err
		}, "AuthorizationFailed", []string{"perform action 'Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action' over scope '" + demoSet + "'"}},
		{Fault{Kind: "http-status", Status: 403, Code: "LinkedAuthorizationFailed"}, func(ctx context.Context, c *armcompute.VirtualMachineScaleSetsClient) error {
			_, err := c.BeginUpdate(ctx, "rg-demo", "myvmss", imageUpdate("4.0.20160229"), nil)
			return err
		}, "LinkedAuthorizationFailed", []string{"has permission to perform action 'Microsoft.Compute/virtualMachineScaleSets/write'",
			"does not have permission to perform action(s) 'Microsoft.Compute/galleries/images/versions/read' on the linked scope(s) '/subscriptions/"}},
		{Fault{Kind: "http-status", Status: 401}, func(ctx context.Context, c *armcompute.VirtualMachineScaleSetsClient) error {
			_, err := c.Get(ctx, "rg-demo", "myvmss", nil)
			return err
		}, "ExpiredAuthenticationToken", []string{"is earlier than current UTC time"}},
		{Fault{Kind: "http-status", Status: 403, Message: "my own words"}, func(ctx context.Context, c *armcompute.VirtualMachineScaleSetsClient) error {
			_, err := c.Get(ctx, "rg-demo", "myvmss", nil)
			return err
		}, "AuthorizationFailed", []string{"my own words"}},
	}
	for _, r := range rows {
		inBubble(t, Options{}, func(t *testing.T, b *bench) {
			b.inject(r.f)
			err := r.call(t.Context(), factory(t, "http://arm.local", b.web).NewVirtualMachineScaleSetsClient())
			var e *azcore.ResponseError
			if !errors.As(err, &e) || e.ErrorCode != r.code {
				t.Fatalf("error %v, want code %s", err, r.code)
			}
			for _, part := range r.says {
				if !strings.Contains(e.Error(), part) {
					t.Errorf("%s: %v does not say %q", r.code, e, part)
				}
			}
		})
	}
}

func TestTheRightsOfCallsAreThoseOfRoleDefinitions(t *testing.T) {
	sub := "/subscriptions/" + testSub
	for asked, want := range map[string]string{
		"GET " + demoSet + "/virtualMachines":        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
		"GET " + demoSet + "/rollingUpgrades/latest": "Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades/read",
		"PUT " + demoSet:    "Microsoft.Compute/virtualMachineScaleSets/write",
		"DELETE " + demoSet: "Microsoft.Compute/virtualMachineScaleSets/delete",
		"POST " + demoSet + "/virtualMachines/0/start":                                                                                   "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/start/action",
		"GET " + sub + "/providers/Microsoft.Compute/locations/westeurope/operations/x":                                                  "Microsoft.Compute/locations/operations/read",
		"GET " + sub + "/providers/Microsoft.Compute/locations/westeurope/publishers/p/artifacttypes/vmimage/offers/o/skus/s/versions/1": "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read",
		"GET " + sub + "/resourceGroups/rg-demo":                                                                                         "Microsoft.Resources/subscriptions/resourceGroups/read",
	} {
		method, path, _ := strings.Cut(asked, " ")
		c := &call{method: method, path: path}
		c.route, _ = findRoute(method, path)
		if got := c.action(); got != want {
			t.Errorf("%s: %s, want %s", asked, got, want)
		}
	}
}

func TestTheGoSDKIsThrottledByTheCallsPolicyOrByResourceManager(t *testing.T) {
	rows := []struct {
		f                  Fault
		code, target, left string
	}{
		{Fault{Kind: "throttle"}, "OperationNotAllowed", "GetVMScaleSetSubscriptionMaximum", ""},
		{Fault{Kind: "throttle", Code: "SubscriptionRequestsThrottled", RetryAfter: "7"}, "SubscriptionRequestsThrottled", "", "0"},
	}
	for _, r := range rows {
		inBubble(t, Options{}, func(t *testing.T, b *bench) {
			b.inject(r.f)
			_, err := b.demo(t.Context())
			var e *azcore.ResponseError
			if !errors.As(err, &e) || e.StatusCode != http.StatusTooManyRequests || e.ErrorCode != r.code || !strings.Contains(e.Error(), r.target) {
				t.Fatalf("error %v", err)
			}
			h := e.RawResponse.Header
			if h.Get("Retry-After") == "" || h.Get("x-ms-ratelimit-remaining-subscription-reads") != r.left || strings.Contains(h.Get("x-ms-ratelimit-remaining-resource"), r.target+";0") != (r.target != "") {
				t.Errorf("headers %v", h)
			}
		})
	}
}
