package azure

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// errorJSON is an ARM error body.
func errorJSON(code, message string) string {
	return `{"error":{"code":"` + code + `","message":"` + message + `"}}`
}

// reset drops the connection.
func reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// half promises more than it sends.
func half(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"id":`))
	}
}

func html(status int) http.HandlerFunc {
	return say(status, "<html><title>Sign in</title></html>", "Content-Type", "text/html")
}

// tooLong is a set with more white space behind it than any answer has.
func tooLong(w http.ResponseWriter, r *http.Request) {
	say(200, setJSON("")+strings.Repeat(" ", 50<<20))(w, r)
}

// ahead is a header's date so far from a fixed moment.
func ahead(d time.Duration) string {
	return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat)
}

// Each row is an answer and what it means to a write and to a reading of the set.
var answers = []struct {
	name        string
	answer      http.HandlerFunc
	write, read upgrade.FaultKind
	says        string        // a part of the fault's code and message
	after       time.Duration // RetryAfter, without our margin
}{
	{"429 with seconds is quiet for so long", say(429, errorJSON("TooManyRequests", "slow down"), "Retry-After", "37"), upgrade.FaultThrottled, upgrade.FaultThrottled, "TooManyRequests: slow down", 37 * time.Second},
	{"429 with a date counts from Azure's own clock", say(429, errorJSON("X", "y"), "Date", "Mon, 23 Nov 2020 09:00:00 GMT", "Retry-After", "Mon, 23 Nov 2020 09:20:00 GMT"), upgrade.FaultThrottled, upgrade.FaultThrottled, "y", 20 * time.Minute},
	{"429 without a time is throttled, too", say(429, "{}"), upgrade.FaultThrottled, upgrade.FaultThrottled, "answer 429", 0},
	{"compute's throttling says OperationNotAllowed outside", say(429, `{"error":{"code":"OperationNotAllowed","message":"The server rejected the request","details":[{"code":"TooManyRequests","target":"HighCostGetVMScaleSet30Min","message":"{\"operationGroup\":\"HighCost\"}"}]}}`, "Retry-After", "900"), upgrade.FaultThrottled, upgrade.FaultThrottled, "TooManyRequests", 15 * time.Minute},
	{"a date is Azure's even when its clock is ten minutes ahead", say(429, "{}", "Date", ahead(10*time.Minute), "Retry-After", ahead(10*time.Minute+90*time.Second)), upgrade.FaultThrottled, upgrade.FaultThrottled, "", 90 * time.Second},
	{"and when it is ten minutes behind", say(429, "{}", "Date", ahead(-10*time.Minute), "Retry-After", ahead(-10*time.Minute+90*time.Second)), upgrade.FaultThrottled, upgrade.FaultThrottled, "", 90 * time.Second},
	{"a date that has passed is none", say(429, "{}", "Date", ahead(0), "Retry-After", ahead(-time.Minute)), upgrade.FaultThrottled, upgrade.FaultThrottled, "", 0},
	{"a word is none", say(429, "{}", "Retry-After", "soon"), upgrade.FaultThrottled, upgrade.FaultThrottled, "", 0},
	{"a negative time is none", say(429, "{}", "Retry-After", "-5"), upgrade.FaultThrottled, upgrade.FaultThrottled, "", 0},
	{"an absurd time is cut to a day", say(429, "{}", "Retry-After", "99999999999999999"), upgrade.FaultThrottled, upgrade.FaultThrottled, "", 24 * time.Hour},
	{"503 with Retry-After leaves a write open", say(503, errorJSON("ServerBusy", "busy"), "Retry-After", "5"), upgrade.FaultUnknown, upgrade.FaultThrottled, "ServerBusy: busy", 5 * time.Second},
	{"503 without it", say(503, errorJSON("ServerBusy", "busy")), upgrade.FaultUnknown, upgrade.FaultUnavailable, "busy", 0},
	{"500", say(500, errorJSON("InternalExecutionError", "an error occurred")), upgrade.FaultUnknown, upgrade.FaultUnavailable, "InternalExecutionError", 0},
	{"502 from something that is not Azure", html(502), upgrade.FaultUnknown, upgrade.FaultUnavailable, "answer 502 without Azure's own words", 0},
	{"504", say(504, errorJSON("GatewayTimeout", "late")), upgrade.FaultUnknown, upgrade.FaultUnavailable, "late", 0},
	{"408", say(408, ""), upgrade.FaultUnknown, upgrade.FaultUnavailable, "", 0},
	{"a connection that drops", reset, upgrade.FaultUnknown, upgrade.FaultUnavailable, "no answer", 0},
	{"half an answer", half(200), upgrade.FaultUnknown, upgrade.FaultUnavailable, "the answer broke off", 0},
	{"half an acceptance", half(202), upgrade.FaultUnknown, upgrade.FaultUnavailable, "the answer broke off", 0},
	{"a login page that says 200", html(200), upgrade.FaultUnknown, upgrade.FaultUnavailable, "", 0},
	{"JSON under another type is not Azure's", say(200, setJSON(""), "Content-Type", "text/html"), upgrade.FaultUnknown, upgrade.FaultUnavailable, "not JSON but text/html", 0},
	{"broken JSON", say(200, `{"id":"x","properties":{"provisioningState"}}`), upgrade.FaultUnknown, upgrade.FaultUnavailable, "cannot be read", 0},
	{"a whole answer that is too long", tooLong, upgrade.FaultUnknown, upgrade.FaultUnavailable, "longer than 32 MB", 0},
	{"a redirect is not followed", say(307, "", "Location", "{host}/elsewhere"), upgrade.FaultUnknown, upgrade.FaultUnavailable, "answer 307", 0},
	{"409 Conflict", say(409, errorJSON("Conflict", "The request failed due to conflict with a concurrent request.")), upgrade.FaultBusy, upgrade.FaultUnavailable, "Conflict", 0},
	{"409 OperationPreempted", say(409, errorJSON("OperationPreempted", "preempted by a more recent operation")), upgrade.FaultBusy, upgrade.FaultUnavailable, "", 0},
	{"409 OperationNotAllowed for now", say(409, errorJSON("OperationNotAllowed", "Another operation is in progress on the scale set")), upgrade.FaultBusy, upgrade.FaultUnavailable, "", 0},
	{"409 OperationNotAllowed for good", say(409, errorJSON("OperationNotAllowed", "Operation results in exceeding approved cores quota")), upgrade.FaultRefused, upgrade.FaultUnavailable, "quota", 0},
	{"409 with throttling inside", say(409, `{"error":{"code":"OperationNotAllowed","message":"m","details":[{"code":"TooManyRequests","message":"n"}]}}`), upgrade.FaultThrottled, upgrade.FaultThrottled, "n", 0},
	{"409 of a lock", say(409, errorJSON("ScopeLocked", "The scope is locked")), upgrade.FaultDenied, upgrade.FaultDenied, "ScopeLocked", 0},
	{"409 we do not know asks a person", say(409, errorJSON("PropertyChangeNotAllowed", "Changing property 'imageReference.sku' is not allowed.")), upgrade.FaultRefused, upgrade.FaultUnavailable, "imageReference.sku", 0},
	{"412", say(412, errorJSON("PreconditionFailed", "etag")), upgrade.FaultPrecondition, upgrade.FaultUnavailable, "PreconditionFailed", 0},
	{"400", say(400, errorJSON("InvalidParameter", "The provided instanceId 7 is not an active Virtual Machine Scale Set VM instanceId.")), upgrade.FaultRefused, upgrade.FaultUnavailable, "instanceId 7", 0},
	{"404 of the set", say(404, errorJSON("ResourceNotFound", "was not found")), upgrade.FaultGone, upgrade.FaultGone, "ResourceNotFound", 0},
	{"404 of the subscription is not the set's", say(404, errorJSON("SubscriptionNotFound", "s")), upgrade.FaultRefused, upgrade.FaultUnavailable, "SubscriptionNotFound", 0},
	{"a proxy's 404 ends nothing", html(404), upgrade.FaultRefused, upgrade.FaultUnavailable, "", 0},
	{"401", say(401, errorJSON("InvalidAuthenticationToken", "The access token is invalid.")), upgrade.FaultSignIn, upgrade.FaultSignIn, "InvalidAuthenticationToken", 0},
	{"401 from something that is not Azure", html(401), upgrade.FaultSignIn, upgrade.FaultSignIn, "answer 401", 0},
	{"403 names the missing right", say(403, errorJSON("AuthorizationFailed", "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.Compute/virtualMachineScaleSets/write' over scope '/subscriptions/s/x' or the scope is invalid.")), upgrade.FaultDenied, upgrade.FaultDenied, "lacks the right Microsoft.Compute/virtualMachineScaleSets/write on /subscriptions/s/x", 0},
	{"403 of a linked resource names the linked right", say(403, errorJSON("LinkedAuthorizationFailed", "The client 'c' has permission to perform action 'Microsoft.Compute/virtualMachineScaleSets/write' on scope '/a'; however, it does not have permission to perform action(s) 'Microsoft.Compute/galleries/images/versions/read' on the linked scope(s) '/b' or the linked scope(s) are invalid.")), upgrade.FaultDenied, upgrade.FaultDenied, "lacks the right Microsoft.Compute/galleries/images/versions/read on /b", 0},
	{"403 in other words keeps them", say(403, errorJSON("RequestDisallowedByPolicy", "policy p")), upgrade.FaultDenied, upgrade.FaultDenied, "policy p", 0},
	{"the innermost of several layers is told", say(400, `{"error":{"code":"Outer","message":"see details","details":[{"code":"Mid","message":"{\"error\":{\"code\":\"Inner\",\"message\":\"the truth\"}}"}]}}`), upgrade.FaultRefused, upgrade.FaultUnavailable, "Inner: the truth", 0},
	{"of several innermost errors the first is told, and their number", say(400, `{"error":{"code":"Outer","message":"m","details":[{"code":"A","message":"one"},{"code":"B","message":"two"},{"code":"C","message":"three"}]}}`), upgrade.FaultRefused, upgrade.FaultUnavailable, "A: one (and 2 more)", 0},
}

// kept is how long quiet is kept that Azure asked for.
func kept(asked time.Duration) time.Duration {
	if asked == 0 {
		return 0
	}
	return asked + quietMargin
}

func TestWhatAnAnswerMeansToAWrite(t *testing.T) {
	for _, row := range answers {
		for _, op := range []upgrade.Operation{
			{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}},
			{ID: "b", Kind: upgrade.OpModel, Set: testSet, To: upgrade.Setting{Image: newImage}, IfMatch: `"1"`},
			{ID: "c", Kind: upgrade.OpReimage, Set: testSet, Instances: []string{"1"}},
		} {
			t.Run(row.name+"/"+string(op.Kind), func(t *testing.T) {
				s := &stub{routes: map[string]http.HandlerFunc{"POST manualupgrade": row.answer, "POST reimage": row.answer, "PATCH myvmss": row.answer}}
				_, err := connect(t, s).Apply(context.Background(), op)
				f := faultOf(t, err, row.write)
				if said := f.Code + ": " + f.Message; !strings.Contains(said, row.says) || f.RetryAfter != kept(row.after) {
					t.Errorf("said %q after %v, want %q after %v", said, f.RetryAfter, row.says, row.after)
				}
				if n := len(s.requests()); n != 1 {
					t.Errorf("%d requests were sent: a write is sent once", n)
				}
			})
		}
	}
}

func TestWhatAnAnswerMeansToAReading(t *testing.T) {
	for _, row := range answers {
		t.Run(row.name, func(t *testing.T) {
			s := &stub{routes: map[string]http.HandlerFunc{"GET myvmss": row.answer}}
			_, err := connect(t, s).Observe(context.Background(), testSet, upgrade.Free)
			f := faultOf(t, err, row.read)
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d requests were sent: the engine looks again, not the adapter", n)
			}
			if said := f.Code + ": " + f.Message; !strings.Contains(said, row.says) || f.RetryAfter != kept(row.after) {
				t.Errorf("said %q after %v, want %q after %v", said, f.RetryAfter, row.says, row.after)
			}
		})
	}
}

func TestAnAddressThatNobodyListensOnIsNoUnknownOutcome(t *testing.T) {
	a, err := New(Config{Subscription: testSub, Endpoint: "http://127.0.0.1:1", Credential: LocalCredential()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Apply(context.Background(), upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}})
	faultOf(t, err, upgrade.FaultUnavailable)
}

func TestTheFenceIsPassedBeforeEveryRequestAndStopsIt(t *testing.T) {
	for _, stopAt := range []int{1, 2, 3} {
		s := &stub{routes: map[string]http.HandlerFunc{
			"GET myvmss":          say(200, setJSON("")),
			"GET virtualMachines": inTurn(say(200, pageJSON("{host}"+setPath+"/virtualMachines?api-version=1&$skiptoken=2", vmJSON("0"))), say(200, pageJSON("", vmJSON("1")))),
		}}
		passed := 0
		_, err := connect(t, s).Observe(context.Background(), testSet, func(context.Context) error {
			if passed++; passed == stopAt {
				return upgrade.ErrFenced
			}
			return nil
		})
		if !errors.Is(err, upgrade.ErrFenced) {
			t.Errorf("stopped at %d: %v", stopAt, err)
		}
		faultOf(t, err, upgrade.FaultUnavailable)
		if n := len(s.requests()); n != stopAt-1 || passed != stopAt {
			t.Errorf("stopped at %d: %d requests, fence passed %d times", stopAt, n, passed)
		}
	}
}

func TestOperationsThatMustNotBeSentAreNot(t *testing.T) {
	s := &stub{}
	a := connect(t, s, func(c *Config) { c.ResourceGroups = []string{testGroup} })
	base := upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}, To: upgrade.Setting{Image: newImage}, IfMatch: `"1"`}
	with := func(change func(*upgrade.Operation)) upgrade.Operation {
		op := base
		change(&op)
		return op
	}
	image := func(i upgrade.Image) upgrade.Operation {
		return with(func(o *upgrade.Operation) { o.Kind, o.To = upgrade.OpModel, upgrade.Setting{Image: i} })
	}
	rows := map[string]upgrade.Operation{
		"no instances":       with(func(o *upgrade.Operation) { o.Instances = nil }),
		"an empty list":      with(func(o *upgrade.Operation) { o.Instances = []string{} }),
		"all instances":      with(func(o *upgrade.Operation) { o.Instances = []string{"*"} }),
		"one of them is all": with(func(o *upgrade.Operation) { o.Instances = []string{"1", "*"} }),
		"an empty id":        with(func(o *upgrade.Operation) { o.Instances = []string{""} }),
		"a dotted id":        with(func(o *upgrade.Operation) { o.Instances = []string{".."} }),
		"an id twice":        with(func(o *upgrade.Operation) { o.Instances = []string{"1", "1"} }),
		"too many":           with(func(o *upgrade.Operation) { o.Instances = make([]string, maxInstances+1) }),
		"no such kind":       with(func(o *upgrade.Operation) { o.Kind = "delete" }),
		"no operation id":    with(func(o *upgrade.Operation) { o.ID = "" }),
		"an id for a header": with(func(o *upgrade.Operation) { o.ID = "a\r\nX: y" }),
		"no set":             with(func(o *upgrade.Operation) { o.Set = "" }),
		"another group": with(func(o *upgrade.Operation) {
			o.Set = upgrade.SetID(strings.Replace(string(testSet), testGroup, "other", 1))
		}),
		"another provider": with(func(o *upgrade.Operation) {
			o.Set = upgrade.SetID(strings.Replace(string(testSet), "microsoft.compute", "microsoft.web", 1))
		}),
		"another sub": with(func(o *upgrade.Operation) {
			o.Set = upgrade.SetID(strings.Replace(string(testSet), "7c0ffee0", "7c0ffee1", 1))
		}),
		"a set named ..":      with(func(o *upgrade.Operation) { o.Set = upgrade.SetID(strings.Replace(string(testSet), "myvmss", "..", 1)) }),
		"a set with a query":  with(func(o *upgrade.Operation) { o.Set += "?a=b" }),
		"a set with a slash":  with(func(o *upgrade.Operation) { o.Set += "/delete" }),
		"no etag":             with(func(o *upgrade.Operation) { o.Kind, o.IfMatch = upgrade.OpRevert, "" }),
		"any etag":            with(func(o *upgrade.Operation) { o.Kind, o.IfMatch = upgrade.OpModel, "*" }),
		"no image":            image(upgrade.Image{}),
		"no setting":          with(func(o *upgrade.Operation) { o.Kind, o.To = upgrade.OpModel, upgrade.Setting{} }),
		"a size and an image": with(func(o *upgrade.Operation) { o.Kind, o.To.Size = upgrade.OpModel, "Standard_D4s_v5" }),
		"a strange size":      with(func(o *upgrade.Operation) { o.Kind, o.To = upgrade.OpModel, upgrade.Setting{Size: "D4 v5"} }),
		"a signed VHD":        image(upgrade.Image{URI: "https://corpimages.blob.core.windows.net/v/a.vhd?sig=x"}),
		"no version":          image(upgrade.Image{Publisher: "p", Offer: "o", SKU: "s"}),
		"a strange version":   image(upgrade.Image{Publisher: "p", Offer: "o", SKU: "s", Version: "1/../2"}),
		"an id of no image":   image(upgrade.Image{ID: setPath}),
		"an id with a parent": image(upgrade.Image{ID: "/subscriptions/" + testSub + "/resourceGroups/../providers/Microsoft.Compute/images/i"}),
	}
	for name, op := range rows {
		for _, kind := range []upgrade.OpKind{op.Kind, upgrade.OpReimage} {
			if kind != op.Kind && op.Kind != upgrade.OpUpgrade {
				continue // what is wrong with a model change is no matter to a reimage
			}
			op.Kind = kind
			_, err := a.Apply(context.Background(), op)
			if f := faultOf(t, err, upgrade.FaultUnsafe); f.Message == "" {
				t.Errorf("%s: no reason is given", name)
			}
		}
	}
	if got := s.requests(); len(got) > 0 {
		t.Errorf("requests were sent: %v", got)
	}
}
