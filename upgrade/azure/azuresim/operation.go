package azuresim

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// operation is a long-running operation. It ends when no instance is left in it.
type operation struct {
	id       string
	kind     string // the action: manualupgrade, patch, …
	set      *scaleSet
	whole    bool // holds the set: no other such operation may start
	start    time.Time
	end      time.Time
	status   string // InProgress, Succeeded, Failed, Canceled
	pending  map[*instance]bool
	opened   bool     // all instances are in; it may end
	started  []string // ids that had something to do
	failures []*armError
	err      *armError
	fault    *Fault // an lro-… fault: lies, fails, hangs or is forgotten
}

// open starts an operation on s. A whole one takes the set until it ends.
func (w *world) open(s *scaleSet, kind string, whole bool) *operation {
	w.opSeq++
	op := &operation{
		id: guid("operation", s.key(), w.opSeq), kind: kind, set: s, whole: whole,
		start: w.clock, status: "InProgress", pending: map[*instance]bool{},
	}
	w.ops[op.id] = op
	if whole {
		s.op = op
		s.prov = "Updating"
	}
	return op
}

// settle lets an operation that did not have to wait for any instance end after d.
func (w *world) settle(op *operation, d time.Duration) {
	op.opened = true
	if len(op.pending) == 0 {
		w.at(w.clock.Add(w.scaled(d)+time.Duration(hash64(op.id)%1000)), func() { w.finish(op) })
	}
}

// leave takes i out of op, with the error that ended it if any.
func (w *world) leave(op *operation, i *instance, err *armError) {
	if op == nil || !op.pending[i] {
		return
	}
	delete(op.pending, i)
	if err != nil {
		op.failures = append(op.failures, err)
	}
	if op.opened && len(op.pending) == 0 {
		w.finish(op)
	}
}

// interrupt takes i out of every operation it is in, with the error that ends it there if any.
func (w *world) interrupt(i *instance, err *armError) {
	for _, id := range sortedKeys(w.ops) {
		w.leave(w.ops[id], i, err)
	}
}

// preempted is the error of what gave way to something stronger (azure-rest-api-specs#22434).
func preempted() *armError {
	return &armError{Code: "OperationPreempted", Message: "Operation execution has been preempted by a more recent operation."}
}

// finish ends op by what became of its instances.
func (w *world) finish(op *operation) {
	if op.status != "InProgress" {
		return
	}
	op.end, op.status = w.clock, "Succeeded"
	if op.fault != nil && op.fault.Kind == "lro-fails" {
		op.failures = append(op.failures, op.fault.armError())
	}
	if len(op.failures) > 0 {
		op.status, op.err = "Failed", summary(op.failures)
	}
	w.release(op)
	if op.fault != nil && op.fault.Kind == "lro-hangs" {
		op.status, op.end = "InProgress", time.Time{}
		return
	}
	w.forget(op)
}

// release gives the set back.
func (w *world) release(op *operation) {
	s := op.set
	if s.op != op {
		return
	}
	s.op = nil
	s.prov = "Succeeded"
	if len(op.failures) > 0 {
		s.prov = "Failed" // and stays so until an operation succeeds (azure-cli#33307)
	}
}

// preempt ends op because something stronger came, such as the deletion of its set.
func (w *world) preempt(op *operation) {
	if op == nil || op.status != "InProgress" {
		return
	}
	op.end, op.status = w.clock, "Canceled"
	op.err = preempted()
	w.release(op)
	w.forget(op)
}

// forget lets the operation, and the bucket of its polls, be gone when its time is up.
func (w *world) forget(op *operation) {
	w.at(w.clock.Add(w.opt.OperationTTL), func() {
		delete(w.ops, op.id)
		delete(w.limits, charge{name: opGet + "Resource", scope: op.id}.key())
	})
}

// summary is the error of an operation in which instances failed: the code of the first one, and
// all of them in details.
func summary(failures []*armError) *armError {
	first := *failures[0]
	if len(failures) == 1 {
		return &first
	}
	for _, f := range failures {
		first.Details = append(first.Details, *f)
	}
	return &first
}

// accepted is the answer to an action that goes on: 202 with both operation URLs and no body.
func (w *world) accepted(c *call, op *operation) *reply {
	r := &reply{status: http.StatusAccepted}
	w.announce(c, op, r, true)
	return r
}

// announce adds the headers of op. PUT and PATCH have no Location: their result is the resource.
func (w *world) announce(c *call, op *operation, r *reply, location bool) {
	r.set("Azure-AsyncNotification", "Enabled")
	r.set("Azure-AsyncOperation", w.operationURL(c, op, false))
	if location {
		r.set("Location", w.operationURL(c, op, true))
	}
	w.retryAfter(r)
	if c.write != nil {
		c.write.Operation = op.id
	}
}

func (w *world) retryAfter(r *reply) {
	if w.opt.RetryAfter > 0 {
		r.set("Retry-After", strconv.Itoa(int((w.opt.RetryAfter+time.Second-1)/time.Second)))
	}
}

// signingCert stands for the certificate Azure puts into operation URLs (since 2024), which makes
// them about 3.5 kB long: clients have to store them whole.
var signingCert = opaque("certificate", 2600)

// operationURL is the address of op on the host the caller used, in the form and length Azure gives
// it.
func (w *world) operationURL(c *call, op *operation, monitor bool) string {
	u := fmt.Sprintf("%s/subscriptions/%s/providers/Microsoft.Compute/locations/%s/operations/%s?p=%s",
		c.base, op.set.sub, op.set.location, op.id, guid("partition", op.set.sub))
	if monitor {
		u += "&monitor=true"
	}
	return u + fmt.Sprintf("&api-version=%s&t=%d&c=%s&s=%s&h=%s", url.QueryEscape(c.query.Get("api-version")),
		op.start.UnixNano()/100, signingCert, opaque("signature "+op.id, 342), opaque("hash "+op.id, 43))
}

// opaque is n characters of base64url made from seed.
func opaque(seed string, n int) string {
	var b strings.Builder
	for k := 0; b.Len() < n; k++ {
		sum := digest(seed, k)
		b.WriteString(base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	return b.String()[:n]
}

// getOperation answers for an operation URL: the status document, or with monitor=true 202 until
// the result is there.
func (w *world) getOperation(c *call) *reply {
	op := w.ops[strings.ToLower(c.param("operation"))]
	if op == nil || !strings.EqualFold(op.set.location, c.param("location")) ||
		op.fault != nil && op.fault.Kind == "lro-404" {
		return fail(http.StatusNotFound, "NotFound", "The entity was not found in this Azure location.")
	}
	if c.query.Get("monitor") == "true" {
		return w.monitor(c, op)
	}
	doc := document{"startTime": stamp(op.start), "status": op.status, "name": op.id}
	if !op.end.IsZero() {
		doc["endTime"] = stamp(op.end)
	}
	if op.err != nil {
		doc["error"] = op.err
	}
	r := &reply{status: http.StatusOK, body: doc}
	if op.status == "InProgress" {
		w.retryAfter(r)
	}
	return r
}

// monitor is the Location form. Actions end in 200 without a body, deletions in 204. What a failed
// one answers there is not documented; here the error with 409, as ARM reports terminal failures.
func (w *world) monitor(c *call, op *operation) *reply {
	switch {
	case op.status == "InProgress":
		r := &reply{status: http.StatusAccepted}
		r.set("Location", w.operationURL(c, op, true))
		w.retryAfter(r)
		return r
	case op.err != nil:
		return &reply{status: http.StatusConflict, body: errorBody{*op.err}}
	case op.kind == "DELETE":
		return &reply{status: http.StatusNoContent}
	}
	return &reply{status: http.StatusOK}
}

// stamp writes a time as Compute does: seven decimals and +00:00.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000") + "+00:00" }
