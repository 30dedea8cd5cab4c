package azuresim

import (
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"strings"
	"time"
)

// Write is the record of one call that could have changed something: what an outside observer
// judges a client by. It is made by the endpoint itself, whatever the client was told.
type Write struct {
	Seq       int       `json:"seq"`  // from 1
	Time      time.Time `json:"time"` // when the endpoint looked at it
	Method    string    `json:"method"`
	Action    string    `json:"action"`              // last part of a POST's path, else the method
	Path      string    `json:"path"`                // as the caller wrote it
	Set       string    `json:"set,omitempty"`       // lower-cased resource id
	Instances []string  `json:"instances,omitempty"` // ids the call was for; "*" and a missing list are resolved when accepted
	Started   []string  `json:"started,omitempty"`   // of these, the ones for which there was anything to do

	ImageBefore string `json:"imageBefore,omitempty"` // of the model; PATCH and PUT
	ImageAfter  string `json:"imageAfter,omitempty"`  // PATCH, PUT, and for actions the model's image at the time

	SizeBefore string `json:"sizeBefore,omitempty"` // of the model, where a PATCH or PUT changed it
	SizeAfter  string `json:"sizeAfter,omitempty"`

	Body            json.RawMessage `json:"body,omitempty"` // when it is JSON
	ClientRequestID string          `json:"clientRequestId,omitempty"`
	CorrelationID   string          `json:"correlationId,omitempty"`

	Status    int    `json:"status"`         // what the endpoint decided; the caller may have seen another one
	Code      string `json:"code,omitempty"` // of a refusal
	Operation string `json:"operation,omitempty"`
	Accepted  bool   `json:"accepted"`     // it took effect
	Answered  bool   `json:"answered"`     // the caller was sent that answer, whole
	By        string `json:"by,omitempty"` // "fault" for what a fault did in somebody else's name
}

// Stats counts ARM calls. Calls to /_control/ are not among them.
type Stats struct {
	Calls     int            `json:"calls"`
	Routes    map[string]int `json:"routes"`   // by method and path template; "other" for unknown paths
	Kinds     map[string]int `json:"kinds"`    // by operation id of the REST specification
	Statuses  map[string]int `json:"statuses"` // as sent; "dropped" where a fault sent none
	Throttled int            `json:"throttled"`
	Faults    map[string]int `json:"faults"` // how often each kind has struck
}

func newStats() Stats {
	return Stats{Routes: map[string]int{}, Kinds: map[string]int{}, Statuses: map[string]int{}, Faults: map[string]int{}}
}

func (s Stats) clone() Stats {
	s.Routes, s.Kinds = maps.Clone(s.Routes), maps.Clone(s.Kinds)
	s.Statuses, s.Faults = maps.Clone(s.Statuses), maps.Clone(s.Faults)
	return s
}

// note opens the record of a mutating call.
func (w *world) note(c *call) {
	if !c.mutates() {
		return
	}
	c.write = &Write{
		Seq: len(w.writes) + 1, Time: w.clock, Method: c.method, Action: c.method, Path: c.path,
		ClientRequestID: c.header.Get("x-ms-client-request-id"),
	}
	if c.method == http.MethodPost {
		c.write.Action = strings.ToLower(path.Base(c.path))
	}
	c.write.Set = strings.ToLower(c.setID())
	if json.Valid(c.body) {
		c.write.Body = c.body
	}
	w.writes = append(w.writes, c.write)
}

// close completes the record. decided is what the endpoint made of the call, nil when a fault kept
// it away; sent is what the caller got.
func (w *world) close(c *call, decided, sent *reply) {
	if c.write == nil {
		return
	}
	c.write.CorrelationID = sent.header.Get("X-Ms-Correlation-Request-Id")
	if decided == nil {
		c.write.Status, c.write.Code = sent.status, sent.code()
		c.write.Answered = !sent.drop && !sent.cut
		return
	}
	c.write.Status, c.write.Code = decided.status, decided.code()
	c.write.Accepted = decided.status < 300
	c.write.Answered = decided == sent
}

// count adds a call to the statistics.
func (w *world) count(c *call, sent *reply) {
	w.stats.Calls++
	template, kind := "other", "other"
	if c.route != nil {
		template, kind = c.route.pattern, c.route.name
	}
	w.stats.Routes[c.method+" "+template]++
	w.stats.Kinds[kind]++
	if sent.drop {
		w.stats.Statuses["dropped"]++
		return
	}
	w.stats.Statuses[itoa(sent.status)]++
	if sent.status == http.StatusTooManyRequests {
		w.stats.Throttled++
	}
}
