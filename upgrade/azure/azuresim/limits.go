package azuresim

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	setPut    = "PutVMScaleSet"
	setUpdate = "UpdateVMScaleSet"
	actions   = "VMScaleSetActions"
	setDelete = "DeleteVMScaleSet"
	vmGet     = "GetVMScaleSetVM"
	vmUpdate  = "VMScaleSetVMActions"
	opGet     = "GetOperation"

	// Of virtual machines. The first two are the names that headers of 2018 to 2021 have (LowCostGet3Min).
	machineGet    = "LowCostGet"
	machineList   = "HighCostGet"
	machineUpdate = "UpdateVM"
	machineDelete = "DeleteVM"
)

// rate is a token bucket: it holds up to max and gains refill a minute.
type rate struct{ refill, max float64 }

// policies are the published figures (compute-throttling-limits), per resource, and per subscription
// and region. A zero rate has no limit.
var policies = map[string]struct{ resource, subscription rate }{
	lowGet:    {rate{12, 36}, rate{800, 2400}},
	highGet:   {rate{10, 30}, rate{360, 1080}},
	setPut:    {rate{4, 12}, rate{125, 375}},
	setUpdate: {rate{4, 12}, rate{500, 1500}},
	actions:   {rate{}, rate{500, 1500}},
	setDelete: {rate{4, 12}, rate{175, 525}},
	vmGet:     {rate{12, 36}, rate{2000, 6000}},
	vmUpdate:  {rate{4, 12}, rate{500, 1500}},
	opGet:     {rate{15, 45}, rate{5000, 15000}},

	machineGet:    {rate{12, 36}, rate{8000, 24000}},
	machineList:   {rate{}, rate{300, 900}},
	machineUpdate: {rate{4, 12}, rate{500, 1500}},
	machineDelete: {rate{4, 12}, rate{500, 1500}},
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

// BucketState is one token bucket that calls have drawn on.
type BucketState struct {
	Name    string `json:"name"`            // the policy as headers show it, or "reads", "writes", "deletes" of Resource Manager itself
	Scope   string `json:"scope,omitempty"` // the resource or the region it is counted for; "" = the subscription
	Left    int    `json:"left"`            // calls it allows at once
	Max     int    `json:"max"`             // that it allows when it is full
	Refill  int    `json:"refill"`          // that it gains a minute
	Taken   int    `json:"taken"`           // that were charged so far
	Refused int    `json:"refused"`         // that found it empty; without Throttle they were let through
}

type bucket struct {
	charge
	tokens         float64
	at             time.Time
	taken, refused int
}

// limits are the buckets in use, by policy and what they are counted for.
type limits map[string]*bucket

// fill brings the bucket of a charge up to now and returns it.
func (l limits) fill(c charge, now time.Time) *bucket {
	b := l[c.key()]
	if b == nil {
		b = &bucket{charge: c, tokens: c.rate.max, at: now}
		l[c.key()] = b
	}
	b.tokens = min(c.rate.max, b.tokens+now.Sub(b.at).Minutes()*c.rate.refill)
	b.at = now
	return b
}

// take charges n calls. What is not there cannot be taken.
func (b *bucket) take(n int) {
	b.tokens = max(b.tokens-float64(n), 0)
	b.taken += n
}

func (l limits) state(now time.Time) []BucketState {
	var out []BucketState
	for _, key := range sortedKeys(l) {
		b := l.fill(l[key].charge, now)
		out = append(out, BucketState{Name: b.name, Scope: b.scope, Left: int(b.tokens), Max: int(b.rate.max), Refill: int(b.rate.refill), Taken: b.taken, Refused: b.refused})
	}
	return out
}

// at is the rate in a world that is so much faster than life.
func (r rate) at(speed float64) rate { return rate{r.refill * speed, r.max} }

// charge is one bucket a call draws on.
type charge struct {
	name  string // as headers show it
	scope string
	rate  rate
}

func (c charge) key() string { return c.name + " " + c.scope }

// own tells whether the bucket is Resource Manager's.
func (c charge) own() bool { return c.scope == "" }

func (w *world) charges(c *call) []charge {
	kind := armKind(c.method)
	speed := w.opt.Speed
	list := []charge{{kind, "", armRates[kind].at(speed)}}
	policy := w.policy(c)
	p, known := policies[policy]
	if !known {
		return list
	}
	if resource := c.resource(); p.resource.max > 0 && resource != "" {
		list = append(list, charge{policy + "Resource", resource, p.resource.at(speed)})
	}
	return append(list, charge{policy + "SubscriptionMaximum", w.region(c), p.subscription.at(speed)})
}

// resource is what a call is counted for besides the region: its operation, VM or set.
func (c *call) resource() string {
	switch {
	case c.params["machine"] != "":
		return strings.ToLower(c.params["group"] + "/" + c.params["machine"])
	case c.params["set"] == "":
		return strings.ToLower(c.params["operation"])
	}
	return strings.ToLower(strings.TrimSuffix(c.params["group"]+"/"+c.params["set"]+"/"+c.params["vm"], "/"))
}

// policy is that of the route, but making a set is another one than changing it.
func (w *world) policy(c *call) string {
	if c.method == http.MethodPut && c.route.policy == setUpdate && w.setOf(c) == nil {
		return setPut
	}
	return c.route.policy
}

// region is where a call is counted: where its set is. Calls about none are counted where the fleet is.
func (w *world) region(c *call) string {
	if s := w.setOf(c); s != nil {
		return strings.ToLower(s.location)
	}
	return strings.ToLower(cmp.Or(c.params["location"], w.opt.Fleet.Location))
}

// spend takes a call from every bucket, or refuses when one is empty and Throttle is on. Without
// Throttle an empty bucket stays at zero.
func (w *world) spend(c *call) *reply {
	c.charged = w.charges(c)
	for _, ch := range c.charged {
		b := w.limits.fill(ch, w.clock)
		if b.tokens >= 1 {
			continue
		}
		b.refused++
		if w.throttles() {
			return w.throttled(b)
		}
	}
	for _, ch := range c.charged {
		w.limits.fill(ch, w.clock).take(1)
	}
	return nil
}

func (w *world) throttles() bool { return w.opt.Throttle || w.opt.Fleet.Throttle }

// throttled is the answer of an empty bucket: Resource Manager's own, or that of Compute, whose 429
// says OperationNotAllowed with TooManyRequests inside.
func (w *world) throttled(b *bucket) *reply {
	after := max(time.Duration((1-b.tokens)/b.rate.refill*float64(time.Minute)), time.Second)
	if b.own() {
		return w.tooManyForARM(b.name, seconds(after))
	}
	return w.tooManyForCompute(b.name, int(b.rate.max), seconds(after))
}

// armThrottled is the code of Resource Manager's own refusals.
const armThrottled = "SubscriptionRequestsThrottled"

func (w *world) tooManyForARM(kind, after string) *reply {
	r := fail(http.StatusTooManyRequests, armThrottled,
		"Number of %s for subscription '%s' exceeded the limit. Please try again after '%s' seconds.", kind, w.opt.Fleet.Subscription, after)
	r.set(remainingSubscription+kind, "0")
	r.set("Retry-After", after)
	return r
}

// remainingSubscription and the kind are the header with what Resource Manager's own bucket holds.
const remainingSubscription = "X-Ms-Ratelimit-Remaining-Subscription-"

// tooManyForCompute has the form that public threads quote (aks-engine#3655 and others).
func (w *world) tooManyForCompute(policy string, allowed int, after string) *reply {
	inner, err := json.Marshal(document{"operationGroup": policy, "startTime": stamp(w.clock), "endTime": stamp(w.clock.Add(time.Minute)),
		"allowedRequestCount": allowed, "measuredRequestCount": allowed + 1})
	if err != nil {
		panic(fmt.Sprintf("throttle message: %v", err)) // made of strings and numbers
	}
	r := fail(http.StatusTooManyRequests, "OperationNotAllowed",
		"The server rejected the request because too many requests have been received for this subscription.")
	e := r.body.(errorBody)
	e.Error.Details = []armError{{Code: "TooManyRequests", Message: string(inner), Target: policy}}
	r.body = e
	r.set("X-Ms-Ratelimit-Remaining-Resource", "Microsoft.Compute/"+policy+";0")
	r.set("Retry-After", after)
	return r
}

// spent reports what is left in the buckets of the call, and what it was charged. A call for several
// instances is charged for each ("batch requests can charge multiple counts"): whether that is so for
// manualupgrade is not documented.
func (w *world) spent(c *call, r *reply) {
	n := 1
	if c.write != nil && r.status < 300 {
		n = max(1, len(c.write.Instances))
	}
	var left []string
	for _, ch := range c.charged {
		b := w.limits.fill(ch, w.clock)
		if !b.own() {
			b.take(n - 1)
			left = append(left, "Microsoft.Compute/"+b.name+";"+strconv.Itoa(int(b.tokens)))
			continue
		}
		r.set(remainingSubscription+b.name, strconv.Itoa(int(b.tokens)))
	}
	if len(left) > 0 {
		r.set("X-Ms-Ratelimit-Remaining-Resource", strings.Join(left, ","))
		r.set("X-Ms-Request-Charge", strconv.Itoa(n))
	}
}
