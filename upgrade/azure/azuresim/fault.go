package azuresim

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Fault is one piece of trouble. The kinds are in faultKinds, with what each reads.
type Fault struct {
	Kind      string   `json:"kind"`
	Set       string   `json:"set,omitempty"`       // name, group/name or id; "" means any for wire faults
	Instance  string   `json:"instance,omitempty"`  // one instance
	Instances []string `json:"instances,omitempty"` // several
	// Match says which calls a wire fault strikes: a method and a part of the path, each optional,
	// with * or … for anything: "POST *manualupgrade", "GET */virtualMachines", "PATCH". "" strikes all.
	Match string `json:"match,omitempty"`
	// Times is how often it strikes; 0 means once, -1 until the next reset.
	Times int      `json:"times,omitempty"`
	After Duration `json:"after,omitempty"` // from now; it is harmless before
	// When tells whether a wire fault keeps the call from the endpoint ("before", the default) or
	// lets it do its work and spoils the answer ("after").
	When       string          `json:"when,omitempty"`
	Delay      Duration        `json:"delay,omitempty"`      // a length of time: the kinds say which
	Status     int             `json:"status,omitempty"`     // http-status: default 503
	Code       string          `json:"code,omitempty"`       // error code of http-status, fail-instance, stale-failed and lro-fails
	Message    string          `json:"message,omitempty"`    // its message
	RetryAfter string          `json:"retryAfter,omitempty"` // http-status and throttle: header as it is, seconds or a date
	Host       string          `json:"host,omitempty"`       // foreign-host: scheme and host, default https://management.example.com
	Version    string          `json:"version,omitempty"`    // change-model and foreign-rolling: the image version
	Patch      json.RawMessage `json:"patch,omitempty"`      // change-model: any other change of the document
	Count      int             `json:"count,omitempty"`      // born and scale: how many, default 1; big-body: how many MB, default 50; move: the update domain
}

// faultKinds says what each kind does.
var faultKinds = map[string]string{
	"http-status":  "answer with status, code and retryAfter instead of (when=before) or after doing the work; 401 and 403 say what Azure would, with the action and the scope, and 403 with code LinkedAuthorizationFailed that of the model's image",
	"throttle":     "answer 429 as the empty bucket of the call's policy does (retryAfter, default 30); with code SubscriptionRequestsThrottled as Resource Manager itself",
	"slow":         "wait for delay before or after doing the work; a caller that gives up before is not heard",
	"drip":         "do the work, send a byte of the answer every delay (default 1s), and never end",
	"reset":        "drop the connection before or after doing the work",
	"half-body":    "do the work, send half of the answer and drop the connection",
	"malformed":    "do the work, and answer with JSON that breaks off, in an HTTP answer that does not",
	"wrong-type":   "do the work, and send the answer as text/html",
	"big-body":     "do the work, and answer with count MB (default 50): the answer, and white space",
	"html":         "answer with an HTML error page (status, default 502) before or after doing the work",
	"redirect":     "answer 307 to the same path on host",
	"foreign-host": "do the work, but put host into operation URLs and nextLink",

	"lag":             "after a start on set, show its instances as they were for delay",
	"fail-instance":   "the next upgrade or reimage of instance ends in ProvisioningState/failed/code",
	"stale-failed":    "instance has been ProvisioningState/failed/code since long ago (delay, default 24h), and the set Failed, until an upgrade succeeds",
	"never-healthy":   "instance comes up from now on, but never healthy",
	"health-unknown":  "instance comes up from now on, but its health stays unknown",
	"health-missing":  "instance has no vmHealth any more",
	"flap":            "the health of instance alternates, now and every delay (default 30s, at least 1s)",
	"unhealthy-now":   "instance becomes unhealthy",
	"healthy-now":     "instance becomes healthy again, and stays able to",
	"vanish":          "instance is deleted, as by autoscale that scales in",
	"lift":            "nothing new: every fault that waits or still holds is taken away, what has happened stays",
	"evict":           "instance, of a Spot set, is evicted: deallocated or deleted, as its policy says",
	"scale":           "the autoscaler moves the capacity of set by count (negative: in) within the limits of its setting, when no operation has the set",
	"born":            "count instances are added on the model, as by autoscale that scales out",
	"move":            "instance is in update domain count from now on, as Azure may place anew what it moves to other hardware",
	"protect":         "instance gets protectFromScaleSetActions, by somebody else",
	"change-model":    "somebody else writes version or patch into the model; a patch can switch the upgrade mode, too",
	"foreign-upgrade": "somebody else starts manualupgrade for instances (default: all outdated)",
	"foreign-rolling": "somebody else puts version, if given, into the model and starts Azure's own rolling upgrade of what is outdated; it holds the set for delay at least",
	"cancel-rolling":  "somebody else cancels Azure's own rolling upgrade; the batch under way finishes",

	"lro-fails": "the next operation on set stops half way: the later half of its instances is not touched, it fails with code",
	"lro-hangs": "the next operation on set does its work but stays InProgress",
	"lro-404":   "the next operation on set does its work but is not to be found",
	"lro-lies":  "the next operation on set does nothing and says Succeeded",
}

var (
	wireKinds  = []string{"http-status", "throttle", "slow", "drip", "reset", "half-body", "malformed", "wrong-type", "big-body", "html", "redirect", "foreign-host"}
	lroKinds   = []string{"lro-fails", "lro-hangs", "lro-404", "lro-lies"}
	onInstance = []string{"fail-instance", "stale-failed", "never-healthy", "health-unknown", "health-missing", "flap", "unhealthy-now", "healthy-now", "vanish", "evict", "move", "protect"}
)

// armedFault is a fault that waits for its moment.
type armedFault struct {
	Fault
	from time.Time
	left int // how often still; negative: for ever
}

func (f *Fault) armError() *armError {
	return &armError{Code: cmp.Or(f.Code, "InternalExecutionError"),
		Message: cmp.Or(f.Message, "An internal execution error occurred. Please retry later.")}
}

// inject checks a fault and lets it loose.
func (w *world) inject(f Fault) error {
	if _, known := faultKinds[f.Kind]; !known {
		return fmt.Errorf("fault kind %q is unknown; there are %s", f.Kind, strings.Join(sortedKeys(faultKinds), ", "))
	}
	if f.When != "" && f.When != "before" && f.When != "after" {
		return fmt.Errorf("fault %s: when is before or after, not %q", f.Kind, f.When)
	}
	if f.Kind == "lift" {
		w.stats.Faults[f.Kind]++
		w.lift()
		return nil
	}
	wire := slices.Contains(wireKinds, f.Kind)
	found := w.findSets(f.Set)
	if len(found) != 1 && (!wire || f.Set != "") {
		return fmt.Errorf("fault %s: %d scale sets are called %q", f.Kind, len(found), f.Set)
	}
	if len(found) == 1 {
		f.Set = found[0].id()
	}
	armed := &armedFault{f, w.clock.Add(time.Duration(f.After)), cmp.Or(f.Times, 1)}
	if wire {
		w.armed = append(w.armed, armed)
		return nil
	}
	if err := w.checkWorldFault(f, found[0]); err != nil {
		return fmt.Errorf("fault %s: %w", f.Kind, err)
	}
	w.prepare(armed, found[0])
	return nil
}

// prepare gives a checked fault of the world to what it waits for: the next operation, its moment,
// or nothing.
func (w *world) prepare(a *armedFault, s *scaleSet) {
	switch {
	case slices.Contains(lroKinds, a.Kind):
		s.arrested = append(s.arrested, a)
	case a.After == 0:
		w.strike(a.Fault, s)
	default:
		w.planned = append(w.planned, a)
		w.at(a.from, func() {
			if n := slices.Index(w.planned, a); n >= 0 { // else it was lifted
				w.planned = slices.Delete(w.planned, n, n+1)
				w.strike(a.Fault, s)
			}
		})
	}
}

func (w *world) checkWorldFault(f Fault, s *scaleSet) error {
	targets := f.targets()
	if slices.Contains(onInstance, f.Kind) && len(targets) == 0 {
		return errors.New("it needs an instance")
	}
	for _, id := range targets {
		if s.find(id) == nil {
			return fmt.Errorf("scale set %s has no instance %q", s.name, id)
		}
	}
	switch f.Kind {
	case "evict":
		if !s.spot() {
			return fmt.Errorf("scale set %s is not Spot", s.name)
		}
	case "scale":
		if s.spec.Autoscale == nil || s.spec.Autoscale.Disabled {
			return fmt.Errorf("scale set %s has no autoscale setting that is enabled", s.name)
		}
	case "move":
		if s.flexible() {
			return fmt.Errorf("scale set %s is Flexible, it has no update domains", s.name)
		}
	case "change-model":
		return f.checkChange()
	case "foreign-rolling":
		image := s.image()
		if f.Version != "" {
			image = image.at(f.Version)
		}
		if _, known := w.opt.Fleet.resolve(image, s.location); !known {
			return fmt.Errorf("version: %s is not in %s", image.name(), image.catalogue(s.location))
		}
	}
	return nil
}

func (f Fault) checkChange() error {
	if f.Version == "" && len(f.Patch) == 0 {
		return errors.New("it needs a version or a patch")
	}
	if len(f.Patch) > 0 {
		if _, err := decodeDocument(f.Patch); err != nil {
			return fmt.Errorf("patch: %w", err)
		}
	}
	return nil
}

func (f Fault) targets() []string {
	if f.Instance == "" {
		return f.Instances
	}
	return append([]string{f.Instance}, f.Instances...)
}

// arrest gives an operation the fault that waited for it.
func (w *world) arrest(op *operation) {
	for n, a := range op.set.arrested {
		if w.clock.Before(a.from) {
			continue
		}
		op.fault = &a.Fault
		w.stats.Faults[a.Kind]++
		if a.left--; a.left == 0 {
			op.set.arrested = slices.Delete(op.set.arrested, n, n+1)
		}
		return
	}
}

func (op *operation) lies() bool { return op.fault != nil && op.fault.Kind == "lro-lies" }

// reach is the part of the instances that the operation gets to.
func (op *operation) reach(chosen []*instance) []*instance {
	if op.fault != nil && op.fault.Kind == "lro-fails" {
		return chosen[:len(chosen)/2]
	}
	return chosen
}
