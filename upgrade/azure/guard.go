package azure

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	// callDeadline bounds one request from its fence to the last byte of its answer. A pass's lease
	// lives longer (8 s), so that nobody else acts while a request of ours may still arrive.
	callDeadline = 6 * time.Second
	// readPatience bounds a reading that has to fetch a token first: az alone may take ten seconds.
	readPatience = 30 * time.Second
	// maxAnswer is several times a page of a thousand instances with their instance views.
	maxAnswer = 32 << 20
	maxBody   = 256 << 10 // a thousand names and more
)

// refusal is the guard's no. Nothing was sent.
type refusal struct{ why string }

func (r *refusal) Error() string { return "not sent: " + r.why }

func refuse(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// fenced is the fence's no: the pass does not own its rollout any more. Nothing was sent.
type fenced struct{ err error }

func (f *fenced) Error() string { return "not sent: " + f.err.Error() }
func (f *fenced) Unwrap() error { return f.err }

// flight is what is known of one request. It travels down in the context and comes back filled.
type flight struct {
	fence upgrade.Fence // nil = none
	set   target        // the set the request must be about; zero = it is about none
	image string        // the path that a reading of an image must have; "" = it is about none
	write bool
	since time.Time     // a write's call; zero = of a reading
	id    string        // x-ms-client-request-id; "" = the SDK makes one up
	into  *bytes.Buffer // for the answer, which is over then with the next one; nil = one of its own

	url    *url.URL // of the request, once it was let through
	sent   bool     // it may have reached Azure
	status int      // 0 = no whole answer came
	header http.Header
	body   []byte
	wait   time.Duration // for which the answer asks not to be called
}

type flightKey struct{}

// begin puts the flight into the context of its request and bounds all of it, the fetching of a
// token included. A write gets no more than the deadline of its call, so that it cannot leave late.
func (f *flight) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	patience := readPatience
	if f.write {
		patience = callDeadline
	}
	return context.WithTimeout(context.WithValue(ctx, flightKey{}, f), patience)
}

// guard is the SDK's transport, the one way out.
type guard struct {
	base         *url.URL
	subscription string
	groups       []string // empty = all
	next         policy.Transporter
	now          func() time.Time
	quiet        quiet
	thrift       thrift
}

// Do checks the request, keeps the quiet that Azure asked for, passes the fence, sends the request
// once, and reads the answer to its end, all within the deadline. Only a whole answer is an answer.
func (g *guard) Do(req *http.Request) (*http.Response, error) {
	f, ok := req.Context().Value(flightKey{}).(*flight)
	if !ok {
		return nil, refuse("nobody asked for this request")
	}
	f.status, f.sent, f.wait = 0, false, 0 // the SDK repeats a request after some 401s
	c, err := g.check(req, f)
	if err != nil {
		return nil, err
	}
	if h := g.quiet.over(c, g.now()); h != nil {
		return nil, h
	}
	if f.fence != nil {
		if err := f.fence(req.Context()); err != nil {
			return nil, &fenced{err}
		}
	}
	if f.write && late(f.since, g.now()) {
		return nil, &fenced{context.DeadlineExceeded}
	}
	if f.id != "" {
		req.Header.Set("x-ms-client-request-id", f.id)
	}
	if !f.write { // which is bounded since it began
		ctx, cancel := context.WithTimeout(req.Context(), callDeadline)
		defer cancel()
		req = req.WithContext(ctx)
	}
	f.url, f.sent = req.URL, true
	resp, err := g.next.Do(req)
	if err != nil {
		f.sent = !isDial(err)
		return nil, bare(err)
	}
	if err := f.land(resp); err != nil {
		return nil, err
	}
	g.quiet.learn(c, f, g.now())
	g.thrift.learn(c, f, g.now())
	return resp, nil
}

// late reports whether a call's time is over by either of the machine's clocks: the one that its context goes by
// stands still while the machine sleeps, and one that wakes up runs on before it is told.
func late(since, now time.Time) bool {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0))) >= callDeadline
}

// land reads the answer whole and notes it.
func (f *flight) land(resp *http.Response) error {
	defer resp.Body.Close()
	into := cmp.Or(f.into, new(bytes.Buffer))
	into.Reset()
	_, err := into.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	body := into.Bytes()
	switch {
	case err != nil:
		return fmt.Errorf("the answer broke off: %w", err)
	case len(body) > maxAnswer:
		return fmt.Errorf("the answer is longer than %d MB", maxAnswer>>20)
	case resp.StatusCode < 300 && len(body) > 0 && !saysJSON(resp.Header):
		return fmt.Errorf("the answer is not JSON but %s, so it is not Azure's", scrub(resp.Header.Get("Content-Type")))
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	f.status, f.header, f.body = resp.StatusCode, resp.Header, body
	return nil
}

// saysJSON: Azure marks its answers so. An answer that is not marked at all is looked at.
func saysJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return h.Get("Content-Type") == "" || err == nil && kind == "application/json"
}

// isDial reports whether no connection came about: then nothing was sent.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// check lets a request through if it is one of our calls, in our scope, about the set it was made
// for, and shaped as meant.
func (g *guard) check(req *http.Request, f *flight) (Call, error) {
	if err := g.checkURL(req); err != nil {
		return Call{}, err
	}
	c, params, ok := findCall(req.Method, req.URL.Path)
	if !ok {
		return Call{}, refuse("%s of this path is not among the calls we mean to make", clip(req.Method, 20))
	}
	if err := g.checkSubject(req.URL, c, params, f); err != nil {
		return Call{}, err
	}
	if f.write != (c.Method != http.MethodGet) {
		return Call{}, refuse("a reading must not write, nor a write read")
	}
	return c.Call, checkShape(req, c)
}

// checkURL: our host, by our scheme, and a path that means what it looks like: RawPath is set when
// a path is not escaped as Go would, such as with %2F or %2e in it. Operation and nextLink URLs come
// from answers and from the journal, so this is where they are pinned.
func (g *guard) checkURL(req *http.Request) error {
	u := req.URL
	switch {
	case !g.ours(u) || req.Host != "" && !g.ours(&url.URL{Scheme: u.Scheme, Host: req.Host}):
		return refuse("its host is %q, not %q", clip(u.Scheme+"://"+u.Host, 80), g.base.Scheme+"://"+g.base.Host)
	case u.Opaque != "" || u.Fragment != "":
		return refuse("its URL carries more than host, path and query")
	case strings.Contains(u.RawPath, "%"):
		return refuse("its path is escaped in an unusual way")
	case req.Header.Get("X-HTTP-Method-Override") != "":
		return refuse("it would be taken for another method")
	}
	return nil
}

// ours reports whether a URL is on the configured endpoint, and carries no name or password there.
func (g *guard) ours(u *url.URL) bool {
	return u.Scheme == g.base.Scheme && hostPort(u) == hostPort(g.base) && u.User == nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// checkShape: reads carry no body, writes exactly theirs, no option of the query, and a model
// change its If-Match.
func checkShape(req *http.Request, c call) error {
	body, err := peek(req)
	if err != nil {
		return err
	}
	if c.body == nil {
		if len(body) > 0 {
			return refuse("a reading has no body")
		}
		return nil
	}
	if q := req.URL.Query(); len(q) != 1 || !q.Has("api-version") {
		return refuse("a write has no options")
	}
	if c.Method == http.MethodPatch {
		if err := checkEtag(req.Header.Get("If-Match")); err != nil {
			return err
		}
	}
	return c.body(body)
}

func checkEtag(etag string) error {
	if etag == "" || etag == "*" {
		return refuse("the model is changed only with the etag it was read with")
	}
	return nil
}

// peek reads the body and puts it back.
func peek(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, refuse("its body cannot be read or is too long")
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
