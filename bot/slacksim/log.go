package slacksim

import (
	"encoding/json"
	"slices"
	"time"
)

// Kinds of log entries.
const (
	LogAPI      = "api"      // a Web API call and its answer
	LogEnvelope = "envelope" // an envelope sent on a socket
	LogAck      = "ack"      // an acknowledgement that arrived
	LogSocket   = "socket"   // a socket opened, was told to disconnect, closed
	LogResponse = "response" // a post to a response_url
	LogPerson   = "person"   // something a person did
	LogFault    = "fault"    // trouble that was ordered and happened
)

// Entry is one line of the log. Tokens are never in it.
type Entry struct {
	Seq      int             `json:"seq"`
	Time     time.Time       `json:"time"`
	Kind     string          `json:"kind"`
	Method   string          `json:"method,omitempty"` // API method, envelope type or what happened
	Args     json.RawMessage `json:"args,omitempty"`   // a call's arguments, an envelope, an acknowledgement
	Status   int             `json:"status,omitempty"` // HTTP status
	Answer   json.RawMessage `json:"answer,omitempty"`
	Error    string          `json:"error,omitempty"` // the answer's "error", or why something was not done
	Envelope string          `json:"envelope_id,omitempty"`
	Socket   int             `json:"socket,omitempty"`
	Took     time.Duration   `json:"took,omitempty"` // nanoseconds from call to answer, or from delivery to acknowledgement
}

// logLimit bounds the log of a long-lived workspace: beyond it the older half is dropped. It is above what
// a flood of 10,000 clicks leaves: an envelope, an acknowledgement and a few calls each are dropped only later.
const logLimit = 60_000

// Log returns what happened so far, oldest first. Seq numbers go on over Reset and have no holes.
func (s *Sim) Log() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// record appends an entry. The lock is held.
func (s *Sim) record(e Entry) {
	s.logSeq++
	e.Seq, e.Time = s.logSeq, s.now()
	if len(s.log) >= logLimit {
		s.log = append([]Entry{}, s.log[logLimit/2:]...)
	}
	s.log = append(s.log, e)
	s.changed()
}
