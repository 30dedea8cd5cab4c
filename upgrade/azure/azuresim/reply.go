package azuresim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// reply is an answer before it is written.
type reply struct {
	status int
	header http.Header
	body   any    // JSON, unless raw is set
	raw    []byte // a body of a fault

	cut  bool          // a fault: send half of the body and drop the connection
	drop bool          // a fault: drop the connection without an answer
	drip time.Duration // a fault: between two bytes of an answer without end
	kind string        // a fault: the Content-Type
}

func (r *reply) set(name, value string) {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set(name, value)
}

// armError is ARM's form of an error, in answers and in operations.
type armError struct {
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Target  string     `json:"target,omitempty"`
	Details []armError `json:"details,omitempty"`
}

type errorBody struct {
	Error armError `json:"error"`
}

func fail(status int, code, format string, args ...any) *reply {
	return &reply{status: status, body: errorBody{armError{Code: code, Message: fmt.Sprintf(format, args...)}}}
}

// at names the part of the request an error is about.
func (r *reply) at(target string) *reply {
	e := r.body.(errorBody)
	e.Error.Target = target
	r.body = e
	return r
}

func ok(body any) *reply { return &reply{status: http.StatusOK, body: body} }

// code returns the error code of a refusal, "" otherwise.
func (r *reply) code() string {
	if e, ok := r.body.(errorBody); ok {
		return e.Error.Code
	}
	return ""
}

// data is the body as bytes.
func (r *reply) data() []byte {
	if r.body == nil || r.raw != nil {
		return r.raw
	}
	data, err := json.Marshal(r.body)
	if err != nil {
		panic(fmt.Sprintf("answer: %v", err)) // made of decoded JSON and our own types
	}
	return data
}

// head sets the headers and returns the body.
func (r *reply) head(rw http.ResponseWriter) []byte {
	data := r.data()
	if r.body != nil {
		rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	for k, v := range r.header {
		rw.Header()[k] = v
	}
	if r.kind != "" {
		rw.Header().Set("Content-Type", r.kind)
	}
	rw.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.status == http.StatusNoContent {
		rw.Header().Del("Content-Length")
	}
	return data
}

// write sends r. A dropped connection is http.ErrAbortHandler, which every server understands.
func (r *reply) write(rw http.ResponseWriter) {
	if r.drop {
		panic(http.ErrAbortHandler)
	}
	data := r.head(rw)
	rw.WriteHeader(r.status)
	if !r.cut {
		rw.Write(data) // a caller that has gone away does not matter
		return
	}
	rw.Write(data[:len(data)/2])
	http.NewResponseController(rw).Flush()
	panic(http.ErrAbortHandler)
}

// frame adds the headers every ARM answer has.
func (w *world) frame(c *call, r *reply) {
	h := r.header
	if h == nil {
		h = http.Header{}
		r.header = h
	}
	requestID := guid("request", w.opt.Fleet.Subscription, w.calls)
	h.Set("Cache-Control", "no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "-1")
	h.Set("Date", w.clock.UTC().Format(http.TimeFormat))
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Ms-Request-Id", requestID)
	h.Set("X-Ms-Correlation-Request-Id", c.correlation(requestID))
	h.Set("X-Ms-Routing-Request-Id", "LOCAL:"+w.clock.UTC().Format("20060102T150405Z")+":"+requestID)
	if c.header.Get("x-ms-return-client-request-id") == "true" {
		h.Set("X-Ms-Client-Request-Id", c.header.Get("x-ms-client-request-id"))
	}
}

// seconds writes a duration for a Retry-After header, rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
