package azuresim

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Throttling policies of Microsoft.Compute. Names are those of the x-ms-ratelimit-remaining-resource
// header in recordings of 2024 where one was found, and in their manner otherwise. Neither
// manualupgrade nor the VM list is named by the throttling page: the recordings count the first
// under VMScaleSetActions, the second is put with the expensive reads.
const (
	lowGet    = "GetVMScaleSet"
	highGet   = "HighCostGetVMScaleSet"
	setUpdate = "UpdateVMScaleSet"
	actions   = "VMScaleSetActions"
	setDelete = "DeleteVMScaleSet"
	vmGet     = "GetVMScaleSetVM"
	vmUpdate  = "VMScaleSetVMActions"
	opGet     = "GetOperation"
)

// rate is a token bucket: it holds up to max and gains refill a minute.
type rate struct{ refill, max float64 }

// policies are the published figures (compute-throttling-limits), per resource and per subscription.
// A zero rate has no limit.
var policies = map[string]struct{ resource, subscription rate }{
	lowGet:    {rate{12, 36}, rate{800, 2400}},
	highGet:   {rate{10, 30}, rate{360, 1080}},
	setUpdate: {rate{4, 12}, rate{500, 1500}},
	actions:   {rate{}, rate{500, 1500}},
	setDelete: {rate{4, 12}, rate{175, 525}},
	vmGet:     {rate{12, 36}, rate{2000, 6000}},
	vmUpdate:  {rate{4, 12}, rate{500, 1500}},
	opGet:     {rate{15, 45}, rate{5000, 15000}},
}

// armRates are the limits of Resource Manager itself, per subscription (25, 10 and 10 a second).
var armRates = map[string]rate{"reads": {1500, 250}, "writes": {600, 200}, "deletes": {600, 200}}

func armKind(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "reads"
	case http.MethodDelete:
		return "deletes"
	}
	return "writes"
}

type bucket struct {
	tokens float64
	at     time.Time
}

// limits are the buckets in use, by policy and what they are counted for.
type limits map[string]*bucket

// fill brings a bucket up to now and returns it.
func (l limits) fill(key string, r rate, now time.Time) *bucket {
	b := l[key]
	if b == nil {
		b = &bucket{r.max, now}
		l[key] = b
	}
	b.tokens = min(r.max, b.tokens+now.Sub(b.at).Minutes()*r.refill)
	b.at = now
	return b
}

// charge is one bucket a call draws on.
type charge struct {
	name string // as the header shows it
	key  string
	rate rate
}

func (c *call) charges() []charge {
	kind := armKind(c.method)
	list := []charge{{"", "arm/" + kind, armRates[kind]}}
	p, known := policies[c.route.policy]
	if !known {
		return list
	}
	if p.resource.max > 0 && (c.params["set"] != "" || c.params["operation"] != "") {
		resource := strings.ToLower(c.params["set"] + "/" + c.params["vm"] + "/" + c.params["operation"])
		list = append(list, charge{c.route.policy + "Resource", c.route.policy + " " + resource, p.resource})
	}
	return append(list, charge{c.route.policy + "SubscriptionMaximum", c.route.policy, p.subscription})
}

// spend takes a token from every bucket of the call, or refuses when one is empty and Throttle is
// on. Without Throttle an empty bucket stays at zero.
func (w *world) spend(c *call) *reply {
	for _, ch := range c.charges() {
		b := w.limits.fill(ch.key, ch.rate, w.clock)
		if b.tokens < 1 && w.opt.Throttle {
			return w.throttled(ch, b)
		}
	}
	for _, ch := range c.charges() {
		b := w.limits.fill(ch.key, ch.rate, w.clock)
		b.tokens = max(b.tokens-1, 0)
	}
	return nil
}

// throttled is the answer of an empty bucket: Resource Manager's own, or that of Compute, whose 429
// says OperationNotAllowed with TooManyRequests inside.
func (w *world) throttled(ch charge, b *bucket) *reply {
	after := time.Duration((1 - b.tokens) / ch.rate.refill * float64(time.Minute))
	var r *reply
	if ch.name == "" {
		r = fail(http.StatusTooManyRequests, "SubscriptionRequestsThrottled",
			"Number of %s for subscription '%s' exceeded the limit. Please try again after '%s' seconds.",
			strings.TrimPrefix(ch.key, "arm/"), w.opt.Fleet.Subscription, seconds(after))
	} else {
		r = tooManyRequests(ch.name, int(ch.rate.max), w.clock)
	}
	r.set("Retry-After", seconds(max(after, time.Second)))
	return r
}

// tooManyRequests has the form that public threads quote (aks-engine#3655 and others).
func tooManyRequests(policy string, allowed int, now time.Time) *reply {
	inner, err := json.Marshal(document{"operationGroup": policy, "startTime": stamp(now), "endTime": stamp(now.Add(time.Minute)),
		"allowedRequestCount": allowed, "measuredRequestCount": allowed + 1})
	if err != nil {
		panic(fmt.Sprintf("throttle message: %v", err)) // made of strings and numbers
	}
	r := fail(http.StatusTooManyRequests, "OperationNotAllowed",
		"The server rejected the request because too many requests have been received for this subscription.")
	e := r.body.(errorBody)
	e.Error.Details = []armError{{Code: "TooManyRequests", Message: string(inner), Target: policy}}
	r.body = e
	return r
}

// spent reports what is left in the buckets of the call.
func (w *world) spent(c *call, r *reply) {
	var left []string
	for _, ch := range c.charges() {
		n := strconv.Itoa(int(math.Floor(w.limits.fill(ch.key, ch.rate, w.clock).tokens)))
		if ch.name == "" {
			r.set("X-Ms-Ratelimit-Remaining-Subscription-"+armKind(c.method), n)
			continue
		}
		left = append(left, "Microsoft.Compute/"+ch.name+";"+n)
	}
	if len(left) > 0 {
		r.set("X-Ms-Ratelimit-Remaining-Resource", strings.Join(left, ","))
	}
	if c.mutates() && c.route.policy != "" {
		r.set("X-Ms-Request-Charge", strconv.Itoa(max(1, len(c.write.Instances))))
	}
}
