package azuresim

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is more than any scale set document; ARM's own limit is 4 MB.
const maxBody = 4 << 20

// call is one ARM request, read whole before the world is locked.
type call struct {
	method string
	path   string
	query  url.Values
	header http.Header
	body   []byte
	base   string // scheme and host the caller used
	route  *route
	params map[string]string
	doc    document // the body, where the route wants one
	write  *Write   // the record of a mutating call

	charged []charge // the token buckets it draws on
}

func (c *call) param(name string) string { return c.params[name] }

// setID is the resource id of the set a call is about, as the caller wrote it; "" if there is none.
// The name of a machine begins with that of its Flexible set, and a list of machines may be for one.
func (c *call) setID() string {
	set := c.param("set")
	if vm := c.param("machine"); vm != "" {
		set = vm[:max(strings.LastIndexByte(vm, '_'), 0)]
	}
	if set == "" {
		of, _ := setFilter(c.query.Get("$filter"))
		return of
	}
	return "/subscriptions/" + c.param("subscription") + "/resourceGroups/" + c.param("group") + "/providers/" + typeSet + "/" + set
}

// correlation is the id that ties calls together: the caller's, or else that of the request.
func (c *call) correlation(requestID string) string {
	if id := c.header.Get("x-ms-correlation-request-id"); id != "" {
		return id
	}
	return requestID
}

// mutates tells whether the call could change something.
func (c *call) mutates() bool { return c.method != http.MethodGet && c.method != http.MethodHead }

func readCall(r *http.Request) (*call, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return &call{
		method: r.Method, path: r.URL.Path, query: r.URL.Query(), header: r.Header,
		body: body, base: scheme + "://" + r.Host, params: map[string]string{},
	}, err
}

// ServeHTTP is the ARM endpoint, and besides, under /_control/, the simulator's own API, and at / the
// fleet view. A fault that drops the connection ends in panic(http.ErrAbortHandler), which net/http
// takes as just that.
func (s *Sim) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/_control/"):
		s.control(rw, r)
	case isPage(r):
		s.servePage(rw, r)
	default:
		s.serveARM(rw, r)
	}
}

func (s *Sim) serveARM(rw http.ResponseWriter, r *http.Request) {
	c, err := readCall(r)
	if err != nil {
		panic(http.ErrAbortHandler) // the request never arrived whole
	}
	faults := s.arrive(c)
	if !wait(r, faults.delay(false)) {
		panic(http.ErrAbortHandler) // the caller gave up before the request was looked at
	}
	rep := s.answer(c, faults)
	if !wait(r, faults.delay(true)) {
		s.unanswered(c)
	}
	if rep.drip > 0 && !rep.drop {
		s.unanswered(c)
		rep.trickle(rw, r)
		return
	}
	rep.write(rw)
}

// arrive finds the route of c and takes the wire faults that are due for it.
func (s *Sim) arrive(c *call) wireFaults {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.advance(s.now())
	c.route, c.params = findRoute(c.method, c.path)
	return s.world.takeWire(c)
}

// answer lets the world deal with c at the present moment.
func (s *Sim) answer(c *call, faults wireFaults) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.world
	w.advance(s.now())
	w.calls++
	w.note(c)
	var decided *reply
	sent := faults.instead(w, c)
	if sent != nil {
		w.frame(c, sent)
	} else {
		decided = w.handle(c)
		w.frame(c, decided)
		sent = faults.after(w, c, decided)
	}
	w.count(c, sent)
	w.close(c, decided, sent)
	return sent
}

// unanswered notes that the caller of c did not wait for the answer.
func (s *Sim) unanswered(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.write != nil {
		c.write.Answered = false
	}
}

// handle checks what every call has to bring and passes it to its route. The order is ARM's: even
// the unauthenticated front page asks for an api-version first.
func (w *world) handle(c *call) *reply {
	if c.route == nil {
		return unknownPath(c)
	}
	if !c.route.open {
		if c.query.Get("api-version") == "" {
			return fail(http.StatusBadRequest, "MissingApiVersionParameter",
				"The api-version query parameter (?api-version=) is required for all requests.")
		}
		if refusal := w.authenticate(c); refusal != nil {
			return refusal
		}
		if refusal := w.subscription(c); refusal != nil {
			return refusal
		}
	}
	if refusal := w.spend(c); refusal != nil {
		return refusal
	}
	if refusal := readDocument(c); refusal != nil {
		return refusal
	}
	r := c.route.handler(w, c)
	w.spent(c, r)
	return r
}

func (w *world) authenticate(c *call) *reply {
	kind, token, _ := strings.Cut(c.header.Get("Authorization"), " ")
	var r *reply
	switch {
	case c.header.Get("Authorization") == "":
		r = fail(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	case !strings.EqualFold(kind, "Bearer") || token == "":
		r = fail(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is provided in an invalid format.")
	case w.opt.Token != "" && token != w.opt.Token:
		r = fail(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	default:
		return nil
	}
	r.set("WWW-Authenticate", `Bearer authorization_uri="https://login.microsoftonline.com/`+w.opt.Fleet.Tenant+
		`", error="invalid_token", error_description="The authentication failed because of missing or invalid 'Authorization' header."`)
	return r
}

func (w *world) subscription(c *call) *reply {
	id, given := c.params["subscription"]
	switch {
	case !given || strings.EqualFold(id, w.opt.Fleet.Subscription) || c.params["gallery"] != "" && w.opt.Fleet.owns(id):
		return nil
	case !uuidForm.MatchString(id):
		return fail(http.StatusBadRequest, "InvalidSubscriptionId", "The provided subscription identifier '%s' is malformed or invalid.", id)
	}
	return fail(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
}

// readDocument reads the body of a call whose route takes one.
func readDocument(c *call) *reply {
	if c.route.body == noBody || c.route.body == optionalBody && len(c.body) == 0 {
		return nil
	}
	if len(c.body) > maxBody {
		return fail(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content size exceeds the maximum size of 4 MB.")
	}
	d, err := decodeDocument(c.body)
	if err != nil {
		return fail(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: '%s'.", err)
	}
	c.doc = d
	return nil
}

// wait lets d pass, or tells that the caller has gone.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
