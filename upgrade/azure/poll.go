package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/vmssbot/vmssbot/upgrade"
)

// follow says how an operation's end is learnt.
type follow string

const (
	byStatus   follow = "status"   // Azure-AsyncOperation: a document with the operation's status
	byLocation follow = "location" // Location: 202 until it is over
	byResource follow = "resource" // the set's own provisioningState
	byNothing  follow = "nothing"  // Azure named no URL we may call
)

// token is what the journal keeps of an accepted write. The zero value stands for one that was over
// at once. Path is path and query without scheme and host, so that a token altered in the journal
// cannot carry a credential elsewhere; its query may be signed.
type token struct {
	Follow follow `json:"follow"`
	Set    string `json:"set,omitempty"` // for words only
	Path   string `json:"path,omitempty"`
}

// maxToken: operation URLs are 4 kB long since Azure signs them with a certificate.
const maxToken = 16 << 10

func (t token) String() string {
	if t == (token{}) {
		return ""
	}
	text, err := json.Marshal(t)
	if err != nil {
		return "" // three strings can be encoded
	}
	return string(text)
}

func parseToken(s string) (token, error) {
	var t token
	if len(s) > maxToken || json.Unmarshal([]byte(s), &t) != nil {
		return t, refuse("this is not a token of ours")
	}
	if !slices.Contains([]follow{byStatus, byLocation, byResource, byNothing}, t.Follow) {
		return t, refuse("this token says %q", clip(string(t.Follow), 40))
	}
	if t.Set != "" && !patterns["set"].MatchString(t.Set) {
		return t, refuse("this token is about no scale set")
	}
	return t, nil
}

// newToken reads from an acceptance how to follow it, in the order of the SDK's own pollers:
// Azure-AsyncOperation, Location, the resource.
func (a *Azure) newToken(f *flight) token {
	for _, way := range []struct {
		follow follow
		url    string
	}{{byStatus, f.header.Get("Azure-AsyncOperation")}, {byLocation, f.header.Get("Location")}} {
		if path, ok := a.operationPath(way.url); ok {
			return token{way.follow, f.set.set, path}
		}
	}
	switch {
	case f.header.Get("Azure-AsyncOperation") != "" || f.header.Get("Location") != "" || f.status == http.StatusAccepted:
		return token{Follow: byNothing, Set: f.set.set}
	case f.url.Path != "" && upgrade.Provisioning(strings.ToLower(provisioningState(f.body))).Moving():
		return token{byResource, f.set.set, f.url.RequestURI()}
	}
	return token{}
}

// operationPath pins an operation URL: ours in host and shape, and not too long to keep.
func (a *Azure) operationPath(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if raw == "" || err != nil || len(raw) > maxToken/2 {
		return "", false
	}
	u = a.guard.base.ResolveReference(u)
	params, ok := match(oneOperation, u.Path)
	if !ok || !a.guard.ours(u) || a.guard.inScope(params) != nil {
		return "", false
	}
	return u.RequestURI(), true
}

func provisioningState(body []byte) string {
	var doc struct {
		Properties struct {
			State string `json:"provisioningState"`
		} `json:"properties"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return ""
	}
	return doc.Properties.State
}

// gone: what became of the operation cannot be learnt any more; its instances tell.
var gone = upgrade.OpReading{Done: true, OK: true, Code: "OperationGone"}

// Poll asks once how an accepted write goes. 404 and 410 mean that Azure has forgotten it, which it
// does only with finished ones: done, and the instances tell how. A reading that is not Done with
// neither code nor message says that it goes on, or that Azure used a word we do not know.
func (a *Azure) Poll(ctx context.Context, s string) (upgrade.OpReading, error) {
	t, err := parseToken(s)
	f, op := &flight{}, target{set: t.Set}.String()+": ask about the operation"
	if err != nil {
		return upgrade.OpReading{}, f.fault(op, err, a.now())
	}
	if t.Follow == byNothing {
		return gone, nil
	}
	err = a.get(ctx, f, t)
	switch {
	case err != nil || f.status == 0:
		return upgrade.OpReading{}, f.fault(op, err, a.now())
	case f.status == http.StatusNotFound || f.status == http.StatusGone:
		return gone, nil
	}
	r, ok := t.read(f)
	if !ok {
		return upgrade.OpReading{}, f.fault(op, errNotRead, a.now())
	}
	r.Again = retryAfter(f.header, a.now())
	return r, nil
}

var errNotRead = fmt.Errorf("it says nothing about the operation")

// get does the one request. The set's own document may be asked for by a byResource token only.
func (a *Azure) get(ctx context.Context, f *flight, t token) error {
	path, _, _ := strings.Cut(t.Path, "?")
	if params, ok := match(oneSet, path); ok && t.Follow == byResource {
		f.set = target{params["group"], params["set"]}
	} else if _, ok := match(oneOperation, path); !ok || t.Follow == byResource {
		return refuse("the token's path is not one of an operation")
	}
	ctx, cancel := f.begin(ctx)
	defer cancel()
	req, err := runtime.NewRequest(ctx, http.MethodGet, strings.TrimSuffix(a.guard.base.String(), "/")+t.Path)
	if err != nil {
		return refuse("the token's path cannot be asked for")
	}
	_, err = a.raw.Pipeline().Do(req)
	return err
}

// read translates an answer; ok is false when it is about the asking and not about the operation.
func (t token) read(f *flight) (r upgrade.OpReading, ok bool) {
	switch {
	case f.status == http.StatusAccepted && t.Follow == byLocation:
		return upgrade.OpReading{}, true
	case f.status == http.StatusNoContent, f.status < 300 && t.Follow == byLocation:
		return upgrade.OpReading{Done: true, OK: true}, true
	case f.status < 300:
		return t.readStatus(f.body)
	case t.Follow == byLocation && f.operationsOwn():
		return failed(f.body, ""), true
	}
	return r, false
}

// operationsOwn: behind a Location an operation that failed answers with its own 4xx. Those about
// the asking are the caller's.
func (f *flight) operationsOwn() bool {
	_, azureSaid := errorIn(f.body)
	switch f.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return azureSaid && f.status >= 400 && f.status < 500
}

func (t token) readStatus(body []byte) (upgrade.OpReading, bool) {
	var doc struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return upgrade.OpReading{}, false
	}
	status := doc.Status
	if t.Follow == byResource {
		status = provisioningState(body)
	}
	switch strings.ToLower(status) {
	case "succeeded":
		return upgrade.OpReading{Done: true, OK: true}, true
	case "failed", "canceled", "cancelled":
		return failed(body, status), true
	}
	return upgrade.OpReading{}, true
}

// failed tells what Azure says of an operation that ended badly, in its innermost words.
func failed(body []byte, status string) upgrade.OpReading {
	e, _ := errorIn(body)
	inner := e.innermost()
	r := upgrade.OpReading{Done: true, Code: scrub(inner.Code), Message: scrub(inner.Message)}
	if r.Code == "" {
		r.Code = scrub(e.Code)
	}
	if r.Code == "" {
		r.Code = "Operation" + spelt(status, "Failed", "Canceled")
	}
	return r
}
