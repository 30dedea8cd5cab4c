package azuresim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// wireFaults are the faults that strike one call.
type wireFaults []*armedFault

// takeWire takes the wire faults that are due for c, in the order they were injected.
func (w *world) takeWire(c *call) wireFaults {
	var out wireFaults
	for _, a := range w.armed {
		if w.clock.Before(a.from) || !a.strikes(c) {
			continue
		}
		a.left--
		out = append(out, a)
		w.stats.Faults[a.Kind]++
	}
	w.armed = slices.DeleteFunc(w.armed, func(a *armedFault) bool { return a.left == 0 })
	return out
}

func (f Fault) strikes(c *call) bool {
	f.Match = strings.ReplaceAll(f.Match, "…", "*")
	if f.Set != "" && !strings.EqualFold(f.Set, c.setID()) {
		return false
	}
	method, path, both := strings.Cut(strings.TrimSpace(f.Match), " ")
	if !both && method != strings.ToUpper(method) {
		method, path = "*", method
	}
	return matches(method, c.method, true) && matches(path, c.path, false)
}

// matches compares with a pattern in which * stands for anything; a part of s is enough unless whole
// is asked for. The empty pattern matches all.
func matches(pattern, s string, whole bool) bool {
	expr := strings.ReplaceAll(regexp.QuoteMeta(strings.ToLower(pattern)), `\*`, `.*`)
	if pattern == "" {
		return true
	}
	if whole {
		expr = "^" + expr + "$"
	}
	ok, err := regexp.MatchString(expr, strings.ToLower(s))
	return err == nil && ok
}

// delay is how long slow faults hold the call up, before or after the work.
func (fs wireFaults) delay(after bool) time.Duration {
	var d time.Duration
	for _, f := range fs {
		if f.Kind == "slow" && (f.When == "after") == after {
			d += time.Duration(f.Delay)
		}
	}
	return d
}

// instead is the answer of a fault that keeps the call from the endpoint, nil if none does.
func (fs wireFaults) instead(w *world, c *call) *reply {
	for _, f := range fs {
		if f.When == "after" {
			continue
		}
		if r := f.answer(w, c); r != nil {
			return r
		}
	}
	return nil
}

// after spoils the answer of a call that was worked on.
func (fs wireFaults) after(w *world, c *call, r *reply) *reply {
	for _, f := range fs {
		switch spoilt := f.spoil(c, r); {
		case spoilt != nil:
			r = spoilt
		case f.When == "after":
			if other := f.answer(w, c); other != nil {
				other.header = mergeHeader(r.header, other.header)
				r = other
			}
		}
	}
	return r
}

// answer is what the fault says in place of the endpoint, nil for kinds that say nothing.
func (f Fault) answer(w *world, c *call) *reply {
	var r *reply
	switch f.Kind {
	case "http-status":
		status := cmp.Or(f.Status, http.StatusServiceUnavailable)
		code := cmp.Or(f.Code, statusCode(status))
		r = fail(status, code, "%s", cmp.Or(f.Message, w.refusal(c, status, code)))
		if f.RetryAfter != "" {
			r.set("Retry-After", f.RetryAfter)
		}
	case "throttle":
		r = w.full(c, f)
	case "html":
		status := cmp.Or(f.Status, http.StatusBadGateway)
		r = &reply{status: status, raw: fmt.Appendf(nil, "<html><head><title>%d</title></head><body><h1>%s</h1></body></html>\n", status, http.StatusText(status))}
		r.set("Content-Type", "text/html")
	case "redirect":
		r = &reply{status: http.StatusTemporaryRedirect}
		r.set("Location", f.host()+c.path)
	case "reset":
		r = &reply{drop: true}
	}
	return r
}

// full is the answer of an empty bucket: of Compute's policy for the call, or of Resource Manager.
func (w *world) full(c *call, f Fault) *reply {
	after := cmp.Or(f.RetryAfter, "30")
	if f.Code == armThrottled || c.route == nil || w.policy(c) == "" {
		return w.tooManyForARM(armKind(c.method), after)
	}
	charges := w.charges(c)
	whole := charges[len(charges)-1]
	return w.tooManyForCompute(whole.name, int(whole.rate.max), after)
}

// statusCode is the error code that usually goes with a status.
func statusCode(status int) string {
	switch status {
	case http.StatusTooManyRequests:
		return "TooManyRequests"
	case http.StatusServiceUnavailable:
		return "ServerBusy"
	case http.StatusForbidden:
		return "AuthorizationFailed"
	case http.StatusUnauthorized:
		return "ExpiredAuthenticationToken"
	}
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

func (f Fault) host() string {
	return strings.TrimSuffix(cmp.Or(f.Host, "https://management.example.com"), "/")
}

// misdirect puts another host into every URL of an answer.
func (f Fault) misdirect(c *call, r *reply) *reply {
	other := *r
	other.header = r.header.Clone()
	for _, name := range []string{"Azure-Asyncoperation", "Location"} {
		if v := other.header.Get(name); v != "" {
			other.header.Set(name, strings.Replace(v, c.base, f.host(), 1))
		}
	}
	if page, isPage := r.body.(document); isPage && page["nextLink"] != nil {
		data, err := json.Marshal(page)
		if err != nil {
			panic(fmt.Sprintf("page: %v", err)) // made of decoded JSON
		}
		other.raw = bytes.ReplaceAll(data, []byte(`"nextLink":"`+c.base), []byte(`"nextLink":"`+f.host()))
		other.header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return &other
}

// mergeHeader adds the common headers of an answer to those of the fault that replaces it.
func mergeHeader(common, own http.Header) http.Header {
	out := http.Header{}
	for _, name := range []string{"Date", "X-Ms-Request-Id", "X-Ms-Correlation-Request-Id"} {
		if v := common.Get(name); v != "" {
			out.Set(name, v)
		}
	}
	for k, v := range own {
		out[k] = v
	}
	return out
}
