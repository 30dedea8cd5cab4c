package slacksim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// line is a log entry as the inspector lists it; its JSON is asked for when it is looked at.
type line struct {
	Seq    int       `json:"seq"`
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`
	Method string    `json:"method"`
	About  string    `json:"about,omitempty"` // what tells it from others of its kind
	Status int       `json:"status,omitempty"`
	Error  string    `json:"error,omitempty"`
	TookMS float64   `json:"took,omitempty"` // milliseconds
	Socket int       `json:"socket,omitempty"`
}

// inspected bounds how many lines a window is sent at once: the latest.
const inspected = 500

// logSince returns the entries after a sequence number. The lock is held.
func (s *Sim) logSince(seq int) []Entry {
	if len(s.log) == 0 {
		return nil
	}
	from := max(seq-s.log[0].Seq+1, len(s.log)-inspected, 0)
	return append([]Entry{}, s.log[min(from, len(s.log)):]...)
}

func lineOf(e Entry) line {
	return line{Seq: e.Seq, Time: e.Time, Kind: e.Kind, Method: e.Method, About: about(e), Status: e.Status, Error: e.Error,
		TookMS: float64(e.Took.Microseconds()) / 1000, Socket: e.Socket}
}

// about picks from an entry's JSON what a reader looks for first.
func about(e Entry) string {
	var a struct {
		User, Command, Text, Channel string
		ActionID                     string `json:"action_id"`
		Payload                      struct {
			Type, Command, Text string
			Event               struct{ Type string }
			Actions             []struct {
				ActionID string `json:"action_id"`
			}
		}
	}
	_ = json.Unmarshal(e.Args, &a) // arguments of another shape have nothing to pick
	out := ""
	add := func(parts ...string) {
		for _, p := range parts {
			if p != "" && out != "" {
				out += " "
			}
			out += p
		}
	}
	add(a.User, a.Command, a.ActionID, a.Payload.Type, a.Payload.Command, a.Payload.Event.Type)
	for _, act := range a.Payload.Actions {
		add(act.ActionID)
	}
	if e.Kind == LogAPI {
		add(a.Channel)
	}
	add(a.Payload.Text, a.Text)
	if r := []rune(out); len(r) > 120 {
		out = string(r[:119]) + "…"
	}
	return out
}

// serveEntry answers with one entry of the log, indented.
func (s *Sim) serveEntry(w http.ResponseWriter, r *http.Request, seq string) {
	n, err := strconv.Atoi(seq)
	s.mu.Lock()
	var found *Entry
	if i := n - firstSeq(s.log); err == nil && i >= 0 && i < len(s.log) {
		e := s.log[i]
		found = &e
	}
	s.mu.Unlock()
	if found == nil {
		http.NotFound(w, r)
		return
	}
	var b bytes.Buffer
	_ = json.Indent(&b, encode(found), "", "  ") // encode makes valid JSON
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Write(b.Bytes()) //nolint:errcheck // the caller went away
}

func firstSeq(log []Entry) int {
	if len(log) == 0 {
		return 0
	}
	return log[0].Seq
}
