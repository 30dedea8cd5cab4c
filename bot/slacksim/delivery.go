package slacksim

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

const (
	ackLimit   = 3 * time.Second
	maxAckSize = 20_480 // bytes; Slack drops a larger acknowledgement without a word (measured by slack-go)
)

// envelope is one delivery to the app, from its sending until it is acknowledged or given up.
type envelope struct {
	id      string
	kind    string // slash_commands, interactive, events_api
	accepts bool   // accepts_response_payload
	payload json.RawMessage
	sent    time.Time
	on      *socket // where it went last; nil: waits for a socket
	done    chan ack
	timer   *time.Timer // what happens when nobody acknowledges
	settled bool

	eventID string // of events_api
	attempt int    // retry_attempt
	reason  string // retry_reason
	body    object // the event payload, for retries
}

func (s *Sim) newEnvelope(kind string, payload object, accepts bool) *envelope {
	return &envelope{id: s.ids.uuid(), kind: kind, accepts: accepts, payload: encode(payload), body: payload, done: make(chan ack, 1)}
}

// frame is the envelope as it goes over the wire. Only events carry the retry fields.
func (e *envelope) frame() json.RawMessage {
	o := object{"envelope_id": e.id, "payload": e.payload, "type": e.kind, "accepts_response_payload": e.accepts}
	if e.kind == "events_api" {
		o["retry_attempt"], o["retry_reason"] = e.attempt, e.reason
	}
	return encode(o)
}

// send starts a delivery: the envelope goes to any one socket, or waits a moment for one while the app is
// reconnecting. False: the app is not connected. The lock is held.
func (s *Sim) send(e *envelope) bool {
	e.sent = s.now()
	if f := s.envelopeFault("retry", e.kind); f != nil {
		e.attempt, e.reason = max(1, f.Attempt), f.reason("timeout")
	}
	connected := len(s.sockets) > 0 || s.now().Sub(s.lastGone) < gapGrace && !s.lastGone.IsZero()
	end := s.settle
	if e.kind == "events_api" {
		end = s.retry
	}
	e.timer = s.after(ackLimit, func() { end(e) })
	if !connected {
		s.record(Entry{Kind: LogEnvelope, Method: e.kind, Args: e.frame(), Envelope: e.id, Error: "not_connected"})
		return false
	}
	s.pending[e.id] = e
	if f := s.envelopeFault("hold", e.kind); f != nil {
		s.after(time.Duration(f.Delay), func() { s.place(e) })
		return true
	}
	s.place(e)
	if f := s.envelopeFault("duplicate", e.kind); f != nil {
		s.place(e)
	}
	return true
}

// place puts an envelope on the next socket in turn, sockets that shall go being the last choice.
func (s *Sim) place(e *envelope) {
	if e.settled {
		return
	}
	var free, retiring []*socket
	for _, k := range s.sockets {
		if k.retiring {
			retiring = append(retiring, k)
		} else {
			free = append(free, k)
		}
	}
	if free == nil {
		free = retiring
	}
	if free == nil {
		s.waiting = append(s.waiting, e)
		return
	}
	s.turn++
	e.on = free[s.turn%len(free)]
	body := e.frame()
	s.record(Entry{Kind: LogEnvelope, Method: e.kind, Args: body, Envelope: e.id, Socket: e.on.id})
	e.on.push(websocket.TextMessage, body)
}

// flushWaiting delivers what waited for a socket.
func (s *Sim) flushWaiting() {
	list := s.waiting
	s.waiting = nil
	for _, e := range list {
		s.place(e)
	}
}

// resend gives what a lost socket did not acknowledge to another one, with the same envelope_id and retry_attempt
// 0, as real Slack was seen to do (slackapi/bolt-js issue 2487).
func (s *Sim) resend(lost *socket) {
	var list []*envelope
	for _, e := range s.pending {
		if e.on == lost && !e.settled {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *envelope) int { return a.sent.Compare(b.sent) })
	for _, e := range list {
		e.on = nil
		s.place(e)
	}
}

// acknowledge takes one frame from a client. An acknowledgement counts whichever socket it comes from.
func (s *Sim) acknowledge(k *socket, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.deaf {
		return
	}
	entry := Entry{Kind: LogAck, Socket: k.id}
	var a ack
	switch err := json.Unmarshal(data, &a); {
	case err != nil:
		entry.Error = "not JSON"
	case a.EnvelopeID == "":
		entry.Error = "no envelope_id"
	case len(data) >= maxAckSize:
		entry.Envelope, entry.Error = a.EnvelopeID, "too large: dropped"
	default:
		entry.Envelope, entry.Args = a.EnvelopeID, a.Payload
		e := s.pending[a.EnvelopeID]
		if e == nil {
			entry.Error = "late, repeated or unknown"
			break
		}
		entry.Method, entry.Took = e.kind, s.now().Sub(e.sent)
		s.settle(e)
		e.done <- a
	}
	s.record(entry)
}

// settle ends a delivery: acknowledged, or nobody waits for it any more.
func (s *Sim) settle(e *envelope) {
	e.settled = true
	s.stop(e.timer)
	delete(s.pending, e.id)
	s.waiting = slices.DeleteFunc(s.waiting, func(w *envelope) bool { return w == e })
}

// retry delivers an event again that was not acknowledged in time: a new envelope, the same event_id.
func (s *Sim) retry(e *envelope) {
	if e.settled {
		return
	}
	s.settle(e)
	if e.attempt >= len(retryAfter) {
		return
	}
	next := s.newEnvelope(e.kind, e.body, e.accepts)
	next.eventID, next.attempt, next.reason = e.eventID, e.attempt+1, "timeout"
	era := s.era
	s.after(time.Duration(retryAfter[e.attempt])*time.Second, func() {
		if s.era == era {
			s.send(next)
		}
	})
}

// await returns the acknowledgement of an envelope, or false after 3 s; whatever comes later is late.
func (s *Sim) await(e *envelope) (ack, bool) {
	timer := time.NewTimer(ackLimit)
	defer timer.Stop()
	select {
	case a := <-e.done:
		return a, true
	case <-timer.C:
	case <-s.done:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(e)
	select {
	case a := <-e.done: // it came in the same instant
		return a, true
	default:
		return ack{}, false
	}
}
