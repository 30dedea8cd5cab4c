package azure

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// quiet is what the guard keeps, for all rollouts alike, of Azure's wishes not to be called (R39). It is
// only in memory: a process that starts anew asks once and is told again.
type quiet struct {
	mu    sync.Mutex
	asked map[string]*hush // by bucket: at most one for each kind of call, and two more
}

// hush is one such wish: until when, and in which words. As an error it is the guard's answer to a call
// that was not sent because of it.
type hush struct {
	until                      time.Time
	code, message, correlation string
}

func (h *hush) Error() string { return "not sent: Azure asked for quiet" }

// quietMargin is put on top of what Azure asks, which it counts in whole seconds.
const quietMargin = 500 * time.Millisecond

// bucket is what a kind of call is counted in: of Compute's policies nobody documents which calls share
// one, so each kind of call has its own, over all scale sets.
func (c Call) bucket() string { return c.Method + " " + c.Template }

// class is what Resource Manager itself counts a call in, over the whole subscription.
func (c Call) class() string {
	if c.Method == http.MethodGet {
		return "reads"
	}
	return "writes"
}

// over returns the wish that forbids a call now, nil when there is none.
func (q *quiet) over(c Call, now time.Time) *hush {
	q.mu.Lock()
	defer q.mu.Unlock()
	var longest *hush
	for _, bucket := range []string{c.bucket(), c.class()} {
		if h := q.asked[bucket]; h != nil && now.Before(h.until) && (longest == nil || h.until.After(longest.until)) {
			longest = h
		}
	}
	return longest
}

// learn keeps the wish in an answer, if there is one. A 503 speaks for its own kind of call.
func (q *quiet) learn(c Call, f *flight, now time.Time) {
	after, limited := retryAfter(f.header, now), f.limited()
	if after == 0 || !limited && f.status != http.StatusServiceUnavailable {
		return
	}
	bucket := c.bucket()
	if limited && f.wholeSubscription(c) {
		bucket = c.class()
	}
	e, _ := errorIn(f.body)
	inner := e.innermost()
	f.wait = after + quietMargin
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.asked == nil {
		q.asked = map[string]*hush{}
	}
	until := now.Add(f.wait)
	if h := q.asked[bucket]; h == nil || h.until.Before(until) { // of several answers that were on their way
		q.asked[bucket] = &hush{until, scrub(inner.Code), scrub(inner.Message), correlation(f.header)}
	}
}

// limited reports whether the answer is about too many requests. Compute says so with 409 as well.
func (f *flight) limited() bool {
	if f.status != http.StatusConflict {
		return f.status == http.StatusTooManyRequests
	}
	e, _ := errorIn(f.body)
	return slices.Contains(e.codes(), "toomanyrequests")
}

// wholeSubscription reports whether it was Resource Manager that refused, for everything of a class:
// its own count is at zero, or of a call to Compute none of Compute's policies is named. Other providers
// have limits of their own, which say nothing about Compute.
func (f *flight) wholeSubscription(c Call) bool {
	e, _ := errorIn(f.body)
	return f.header.Get("x-ms-ratelimit-remaining-subscription-"+c.class()) == "0" ||
		strings.Contains(c.Template, "/Microsoft.Compute/") && !e.namesPolicy() && !strings.Contains(f.header.Get("x-ms-ratelimit-remaining-resource"), "Microsoft.Compute/")
}

// namesPolicy: the error of an empty bucket of Compute's has the policy as its target.
func (e armError) namesPolicy() bool {
	if nested, ok := errorIn([]byte(e.Message)); ok && nested.namesPolicy() {
		return true
	}
	return strings.EqualFold(e.Code, "TooManyRequests") && e.Target != "" || slices.ContainsFunc(e.Details, armError.namesPolicy)
}
