package slacksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is trouble ordered in advance. Kind says which; the other fields narrow or shape it.
//
// On Web API calls (Method names one, or response_url, or upload; empty: any; Channel narrows further):
//
//	ratelimit     429 with Retry-After RetryAfter (0: 30 s)
//	http_status   Status (0: 503) with a plain text body
//	html          Status (0: 200) with an HTML page
//	error         HTTP 200 with {"ok":false,"error":Error} (empty: internal_error)
//	broken_json   the call is carried out, half of the answer arrives with status 200
//	slow          the call is carried out after Delay
//	reset_before  the connection ends without an answer, nothing was done
//	reset_after   the connection ends without an answer, but the call was carried out
//	refuse_open   apps.connections.open answers Error (empty: internal_error)
//
// On envelopes (Type slash_commands, interactive or events_api; empty: any):
//
//	duplicate     delivered twice with the same envelope_id, on two sockets when there are two
//	retry         delivered as a retry: retry_attempt Attempt, retry_reason Reason
//	hold          delivered after Delay; the person's 3 s run meanwhile
//
// At once, on Socket (0: every one):
//
//	drop          cut without a close frame
//	deaf          half open: connected, but nothing passes in either direction
//	disconnect    a disconnect frame with Reason; refresh is the same with refresh_requested
//
// At once, on the workspace: message_deleted (Channel, TS), channel_archived, channel_unarchived, bot_kicked,
// bot_invited (Channel), user_deactivated, user_restored (User), token_revoked, token_restored, and clear, which
// takes back every fault still waiting.
type Fault struct {
	Kind       string   `json:"kind"`
	Method     string   `json:"method,omitempty"`
	Channel    string   `json:"channel,omitempty"`
	TS         string   `json:"ts,omitempty"`
	User       string   `json:"user,omitempty"`
	Type       string   `json:"type,omitempty"`
	Socket     int      `json:"socket,omitempty"`
	Times      int      `json:"times,omitempty"` // how often; 0: once; negative: until cleared
	After      int      `json:"after,omitempty"` // so many matching calls pass first
	For        Duration `json:"for,omitempty"`   // ends so long after the order; 0: never by time
	RetryAfter int      `json:"retry_after,omitempty"`
	Status     int      `json:"status,omitempty"`
	Error      string   `json:"error,omitempty"`
	Delay      Duration `json:"delay,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Attempt    int      `json:"attempt,omitempty"`

	until time.Time
}

// Duration is a time.Duration that JSON writes as "1m30s" and reads from that or from a number of seconds.
type Duration time.Duration

// MarshalJSON writes the duration as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads "1m30s" or a number of seconds.
func (d *Duration) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		*d = Duration(n * float64(time.Second))
		return nil
	}
	v, err := time.ParseDuration(text)
	*d = Duration(v)
	return err
}

func (f *Fault) reason(alt string) string {
	if f.Reason != "" {
		return f.Reason
	}
	return alt
}

var (
	callFaults     = []string{"broken_json", "error", "html", "http_status", "ratelimit", "refuse_open", "reset_after", "reset_before", "slow"}
	envelopeFaults = []string{"duplicate", "hold", "retry"}
)

// instant are the faults that happen as they are ordered. The lock is held.
var instant = map[string]func(*Sim, Fault) error{
	"drop":               func(s *Sim, f Fault) error { return s.eachSocket(f, func(k *socket) { k.cut() }) },
	"deaf":               func(s *Sim, f Fault) error { return s.eachSocket(f, func(k *socket) { k.deaf = true }) },
	"disconnect":         func(s *Sim, f Fault) error { return s.askToGo(f) },
	"refresh":            func(s *Sim, f Fault) error { return s.askToGo(f) },
	"message_deleted":    (*Sim).deleteMessage,
	"channel_archived":   func(s *Sim, f Fault) error { return s.onChannel(f, func(c *channel) { c.Archived = true }) },
	"channel_unarchived": func(s *Sim, f Fault) error { return s.onChannel(f, func(c *channel) { c.Archived = false }) },
	"bot_kicked": func(s *Sim, f Fault) error {
		return s.onChannel(f, func(c *channel) {
			c.Members = slices.DeleteFunc(c.Members, func(u string) bool { return u == BotUser })
		})
	},
	"bot_invited": func(s *Sim, f Fault) error {
		return s.onChannel(f, func(c *channel) {
			if !c.has(BotUser) {
				c.Members = append(c.Members, BotUser)
			}
		})
	},
	"user_deactivated": func(s *Sim, f Fault) error { return s.onUser(f, true) },
	"user_restored":    func(s *Sim, f Fault) error { return s.onUser(f, false) },
	"token_revoked":    func(s *Sim, _ Fault) error { s.revoked = true; return nil },
	"token_restored":   func(s *Sim, _ Fault) error { s.revoked = false; return nil },
	"clear":            func(s *Sim, _ Fault) error { s.faults = nil; return nil },
}

// FaultKinds lists every kind that Inject knows.
func FaultKinds() []string {
	kinds := slices.Collect(maps.Keys(instant))
	kinds = append(append(kinds, callFaults...), envelopeFaults...)
	slices.Sort(kinds)
	return kinds
}

// Inject orders trouble. An unknown kind, channel, user, message or socket is an error.
func (s *Sim) Inject(f Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, ok := instant[f.Kind]; ok {
		if err := now(s, f); err != nil {
			return fmt.Errorf("fault %s: %w", f.Kind, err)
		}
		s.record(Entry{Kind: LogFault, Method: f.Kind, Args: encode(f)})
		return nil
	}
	if !slices.Contains(callFaults, f.Kind) && !slices.Contains(envelopeFaults, f.Kind) {
		return fmt.Errorf("fault %q is unknown: know %s", f.Kind, strings.Join(FaultKinds(), ", "))
	}
	if f.Kind == "refuse_open" {
		f.Kind, f.Method = "error", "apps.connections.open"
	}
	if f.Times == 0 {
		f.Times = 1
		if f.For > 0 {
			f.Times = -1
		}
	}
	if f.For > 0 {
		f.until = s.now().Add(time.Duration(f.For))
	}
	s.faults = append(s.faults, &f)
	return nil
}

// due returns the first waiting fault that match accepts and counts it down. The lock is held.
func (s *Sim) due(match func(*Fault) bool) *Fault {
	for i, f := range s.faults {
		if !match(f) || !f.until.IsZero() && !s.now().Before(f.until) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		if f.Times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f
	}
	return nil
}

// httpFault returns the trouble ordered for a call.
func (s *Sim) httpFault(method, channel string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.due(func(f *Fault) bool {
		if !slices.Contains(callFaults, f.Kind) || f.Method != "" && f.Method != method {
			return false
		}
		if f.Channel == "" {
			return true
		}
		want, got := s.channel(f.Channel), s.channel(channel)
		return want != nil && want == got
	})
}

// envelopeFault returns the trouble ordered for an envelope. The lock is held.
func (s *Sim) envelopeFault(kind, envelopeType string) *Fault {
	f := s.due(func(f *Fault) bool { return f.Kind == kind && (f.Type == "" || f.Type == envelopeType) })
	if f != nil {
		s.record(Entry{Kind: LogFault, Method: kind, Args: encode(f)})
	}
	return f
}

// troubleBefore acts out what happens instead of the call; true: the call was answered.
func (s *Sim) troubleBefore(w http.ResponseWriter, r *http.Request, f *Fault, name string, a args) bool {
	status, body := 0, ""
	kind := "text/plain; charset=utf-8"
	switch f.Kind {
	case "ratelimit":
		wait := f.RetryAfter
		if wait == 0 {
			wait = 30
		}
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		status, kind, body = http.StatusTooManyRequests, "application/json; charset=utf-8", `{"ok":false,"error":"ratelimited"}`
	case "http_status":
		status, body = orInt(f.Status, http.StatusServiceUnavailable), "upstream connect error"
	case "html":
		status, kind, body = orInt(f.Status, http.StatusOK), "text/html; charset=utf-8", "<!DOCTYPE html><html><body>Sorry, something went wrong</body></html>"
	case "error":
		code := f.Error
		if code == "" {
			code = "internal_error"
		}
		status, kind, body = http.StatusOK, "application/json; charset=utf-8", string(encode(fail(code)))
	case "slow":
		select {
		case <-time.After(time.Duration(f.Delay)):
		case <-r.Context().Done():
		case <-s.done:
		}
	}
	s.mu.Lock()
	s.record(Entry{Kind: LogFault, Method: name, Args: a.public(), Status: status, Error: f.Kind})
	s.mu.Unlock()
	if f.Kind == "reset_before" {
		panic(http.ErrAbortHandler) // net/http ends the connection without an answer
	}
	if status == 0 {
		return false
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	fmt.Fprint(w, body)
	return true
}

// troubleAfter spoils the answer of a call that was carried out.
func troubleAfter(f *Fault, body json.RawMessage) json.RawMessage {
	switch f.Kind {
	case "reset_after":
		panic(http.ErrAbortHandler)
	case "broken_json":
		return body[:len(body)/2]
	}
	return body
}

func orInt(n, alt int) int {
	if n != 0 {
		return n
	}
	return alt
}

func (s *Sim) eachSocket(f Fault, do func(*socket)) error {
	found := false
	for _, k := range s.sockets {
		if f.Socket == 0 || f.Socket == k.id {
			do(k)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("no socket %d is connected", f.Socket)
	}
	return nil
}

func (s *Sim) askToGo(f Fault) error {
	reasons := []string{"warning", "refresh_requested", "link_disabled", "too_many_websockets"}
	reason := f.reason("refresh_requested")
	if !slices.Contains(reasons, reason) {
		return fmt.Errorf("reason %q is unknown: know %s", reason, strings.Join(reasons, ", "))
	}
	return s.eachSocket(f, func(k *socket) { s.disconnect(k, reason) })
}

func (s *Sim) deleteMessage(f Fault) error {
	return s.onChannel(f, func(c *channel) {
		if m := c.find(f.TS); m != nil {
			s.remove(c, m)
		}
	})
}

func (s *Sim) onChannel(f Fault, do func(*channel)) error {
	c := s.channel(f.Channel)
	if c == nil {
		return fmt.Errorf("channel %q does not exist", f.Channel)
	}
	if f.TS != "" && c.find(f.TS) == nil {
		return fmt.Errorf("channel %s has no message %s", c.Name, f.TS)
	}
	do(c)
	return nil
}

func (s *Sim) onUser(f Fault, deleted bool) error {
	u := s.user(f.User)
	if u == nil {
		return fmt.Errorf("user %q does not exist", f.User)
	}
	u.Deleted = deleted
	return nil
}
