package azuresim

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	Delay      Duration        `json:"delay,omitempty"`      // slow: how long; lag: how long started work stays hidden
	Status     int             `json:"status,omitempty"`     // http-status: default 503
	Code       string          `json:"code,omitempty"`       // error code of http-status, fail-instance and lro-fails
	Message    string          `json:"message,omitempty"`    // its message
	RetryAfter string          `json:"retryAfter,omitempty"` // http-status: header as it is, seconds or a date
	Host       string          `json:"host,omitempty"`       // foreign-host: scheme and host, default https://management.example.com
	Version    string          `json:"version,omitempty"`    // change-model: the image version
	Patch      json.RawMessage `json:"patch,omitempty"`      // change-model: any other change of the document
	Count      int             `json:"count,omitempty"`      // born: how many, default 1
}

// faultKinds says what each kind does.
var faultKinds = map[string]string{
	"http-status":  "answer with status, code and retryAfter instead of (when=before) or after doing the work",
	"slow":         "wait for delay before or after doing the work; a caller that gives up before is not heard",
	"reset":        "drop the connection before or after doing the work",
	"half-body":    "do the work, send half of the answer and drop the connection",
	"html":         "answer with an HTML error page (status, default 502) before or after doing the work",
	"redirect":     "answer 307 to the same path on host",
	"foreign-host": "do the work, but put host into operation URLs and nextLink",

	"lag":             "after a start on set, show its instances as they were for delay",
	"fail-instance":   "the next upgrade or reimage of instance ends in ProvisioningState/failed/code",
	"never-healthy":   "instance comes up from now on, but never healthy",
	"unhealthy-now":   "instance becomes unhealthy",
	"healthy-now":     "instance becomes healthy again, and stays able to",
	"vanish":          "instance is deleted, as by autoscale",
	"lift":            "nothing new: every fault that waits or still holds is taken away, what has happened stays",
	"born":            "count instances are added on the model, as by autoscale",
	"protect":         "instance gets protectFromScaleSetActions, by somebody else",
	"change-model":    "somebody else writes version or patch into the model",
	"foreign-upgrade": "somebody else starts manualupgrade for instances (default: all outdated)",

	"lro-fails": "the next operation on set stops half way: the later half of its instances is not touched, it fails with code",
	"lro-hangs": "the next operation on set does its work but stays InProgress",
	"lro-404":   "the next operation on set does its work but is not to be found",
	"lro-lies":  "the next operation on set does nothing and says Succeeded",
}

var (
	wireKinds  = []string{"http-status", "slow", "reset", "half-body", "html", "redirect", "foreign-host"}
	lroKinds   = []string{"lro-fails", "lro-hangs", "lro-404", "lro-lies"}
	onInstance = []string{"fail-instance", "never-healthy", "unhealthy-now", "healthy-now", "vanish", "protect"}
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
	if f.Kind != "change-model" {
		return nil
	}
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

// strike lets a fault of the world happen now. Instances that are gone by then are let be.
func (w *world) strike(f Fault, s *scaleSet) {
	w.stats.Faults[f.Kind]++
	switch f.Kind {
	case "lag":
		s.lag = time.Duration(f.Delay)
	case "born":
		w.born(s, cmp.Or(f.Count, 1))
	case "change-model":
		w.changeModel(s, f)
	case "foreign-upgrade":
		w.foreignUpgrade(s, f)
	}
	for _, id := range f.targets() {
		if i := s.find(id); i != nil && slices.Contains(onInstance, f.Kind) {
			w.strikeInstance(f, i)
		}
	}
}

func (w *world) strikeInstance(f Fault, i *instance) {
	switch f.Kind {
	case "fail-instance":
		i.failNext = failure(cmp.Or(f.Code, "VMExtensionProvisioningError"), f.Message, i)
	case "never-healthy":
		i.neverHealthy = true
	case "unhealthy-now":
		w.setHealth(i, "unhealthy", w.clock)
		i.health.message = f.Message
	case "healthy-now":
		i.neverHealthy = false
		w.setHealth(i, "healthy", w.clock)
	case "vanish":
		i.set.remove(i)
		for _, op := range w.ops {
			w.leave(op, i, nil)
		}
	case "protect":
		i.own = merge(i.own, document{"properties": document{"protectionPolicy": document{
			"protectFromScaleIn": false, "protectFromScaleSetActions": true}}})
	}
	i.etag++
}

// born adds instances as autoscale does: the set's capacity follows, no operation is to be seen.
func (w *world) born(s *scaleSet, count int) {
	op := w.open(s, "autoscale", false)
	for range count {
		i := w.newInstance(s, w.clock)
		op.pending[i] = true
		w.create(i, op)
	}
	op.opened = true
	s.touch()
}

func (w *world) changeModel(s *scaleSet, f Fault) {
	patch := document{}
	if len(f.Patch) > 0 {
		patch, _ = decodeDocument(f.Patch) // read when it was injected
	}
	if f.Version != "" {
		patch = with(patch, f.Version, "properties", "virtualMachineProfile", "storageProfile", "imageReference", "version")
	}
	record := w.foreign(s, http.MethodPatch, http.MethodPatch)
	record.ImageBefore = w.imageName(s)
	before := s.fingerprint()
	s.setDoc(merge(s.doc, clean(patch)))
	s.touch()
	record.ImageAfter = w.imageName(s)
	if s.fingerprint() != before {
		op := w.open(s, http.MethodPatch, false)
		w.propagate(s, op)
		w.settle(op, modelChange)
	}
}

func (w *world) foreignUpgrade(s *scaleSet, f Fault) {
	var chosen []*instance
	for _, i := range s.instances {
		named := slices.Contains(f.targets(), i.id)
		if i.doing == "" && (named || len(f.targets()) == 0 && !i.latest()) {
			chosen = append(chosen, i)
		}
	}
	if s.op != nil || len(chosen) == 0 {
		return // Azure would refuse it, or there is nothing to do
	}
	record := w.foreign(s, http.MethodPost, "manualupgrade")
	record.Instances = ids(chosen)
	op := w.run(s, "manualupgrade", chosen, (*world).upgrade)
	record.Started, record.Operation, record.ImageAfter = op.started, op.id, w.imageName(s)
	record.Status = http.StatusAccepted
}

// foreign records what a fault does in somebody else's name.
func (w *world) foreign(s *scaleSet, method, action string) *Write {
	record := &Write{Seq: len(w.writes) + 1, Time: w.clock, Method: method, Action: action, Path: s.id(), Set: s.key(),
		Status: http.StatusOK, Accepted: true, Answered: true, By: "fault"}
	w.writes = append(w.writes, record)
	return record
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
