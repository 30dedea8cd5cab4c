package slacksim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

var (
	errClosed  = errors.New("the workspace is closed")
	errNoScale = errors.New("limits: scale is missing: 1 is Slack's limits, -1 none")
)

const (
	maxSockets  = 10                // per app; the next one is told too_many_websockets
	ticketLife  = time.Minute       // how long an address from apps.connections.open may wait for its socket
	writeLimit  = 10 * time.Second  // a client that takes longer to read one frame is cut
	retireGrace = 10 * time.Second  // from a disconnect frame to the server's own closing
	gapGrace    = 10 * time.Second  // how long after the last socket went the app still counts as connected
	missedPings = 3                 // unanswered pings after which a socket counts as dead
	debugLife   = 360 * time.Second // socket life that an address with debug_reconnects=true asks for
	maxFrame    = 1 << 20           // bytes a client may send in one frame
	backlog     = 4096              // frames a client may leave unread before it is cut
)

// socket is one WebSocket of the app.
type socket struct {
	id   int
	conn *websocket.Conn
	out  chan frame
	gone chan struct{}
	once sync.Once

	// Guarded by Sim.mu.
	retiring bool // was told to disconnect: gets envelopes only when no other socket is there
	deaf     bool // half open: looks connected, nothing passes
	unponged int
}

type frame struct {
	kind int
	data []byte
}

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }, WriteBufferSize: 32 << 10}

// connectionsOpen hands out a single-use socket address.
func (c call) connectionsOpen() object {
	maps.DeleteFunc(c.tickets, func(_ string, t time.Time) bool { return c.now().After(t) })
	t := c.ids.secret()
	c.tickets[t] = c.now().Add(ticketLife)
	if c.opt.PublicURL == "" {
		c.Sim.base = c.base
	}
	ws := "ws" + c.base[len("http"):]
	return ok(object{"url": fmt.Sprintf("%s/socket?ticket=%s&app_id=%s", ws, t, c.opt.AppID)})
}

// serveSocket upgrades a ticket holder and reads its acknowledgements until the socket ends.
func (s *Sim) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	name := r.URL.Query().Get("ticket")
	expires, known := s.tickets[name]
	delete(s.tickets, name)
	valid := known && s.now().Before(expires) && !s.closed
	if valid {
		s.wg.Add(2)
	}
	s.mu.Unlock()
	if !valid {
		http.Error(w, "invalid or used ticket", http.StatusForbidden)
		return
	}
	defer s.wg.Done()
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.wg.Done()
		return // Upgrade has answered
	}
	conn.SetReadLimit(maxFrame)
	k := &socket{conn: conn, out: make(chan frame, backlog), gone: make(chan struct{})}
	life := s.opt.SocketLifetime
	if r.URL.Query().Get("debug_reconnects") == "true" {
		life = debugLife
	}
	s.admit(k, life)
	go s.write(k)
	s.read(k)
	s.leave(k)
}

// admit says hello, or refuses the eleventh socket.
func (s *Sim) admit(k *socket, life time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockSeq++
	k.id = s.sockSeq
	if s.closed {
		k.cut()
		return
	}
	host := fmt.Sprintf("applink-local-%d", k.id)
	if len(s.sockets) >= maxSockets {
		k.push(websocket.TextMessage, encode(object{"type": "disconnect", "reason": "too_many_websockets",
			"num_connections": len(s.sockets), "debug_info": object{"host": host}, "connection_info": object{"app_id": s.opt.AppID}}))
		k.push(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
		s.record(Entry{Kind: LogSocket, Method: "refused", Socket: k.id, Error: "too_many_websockets"})
		return
	}
	s.sockets = append(s.sockets, k)
	k.push(websocket.TextMessage, encode(object{"type": "hello", "num_connections": len(s.sockets),
		"debug_info":      object{"host": host, "build_number": 60, "approximate_connection_time": int(life.Seconds())},
		"connection_info": object{"app_id": s.opt.AppID}}))
	k.push(websocket.PingMessage, []byte("Ping from "+host))
	s.record(Entry{Kind: LogSocket, Method: "hello", Socket: k.id})
	s.after(life, func() { s.disconnect(k, "refresh_requested") })
	if life > 2*retireGrace {
		s.after(life-retireGrace, func() { s.disconnect(k, "warning") })
	}
	s.flushWaiting()
}

// disconnect sends the frame that asks a client to reconnect, and closes the socket itself some time later unless
// it is only a warning. The lock is held.
func (s *Sim) disconnect(k *socket, reason string) {
	if !slices.Contains(s.sockets, k) {
		return
	}
	k.push(websocket.TextMessage, encode(object{"type": "disconnect", "reason": reason, "debug_info": object{"host": fmt.Sprintf("applink-local-%d", k.id)}}))
	s.record(Entry{Kind: LogSocket, Method: "disconnect", Socket: k.id, Error: reason})
	k.retiring = true
	if reason != "warning" {
		s.after(retireGrace, k.cut)
	}
}

// read takes acknowledgements until the socket ends.
func (s *Sim) read(k *socket) {
	k.conn.SetPingHandler(func(data string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		k.push(websocket.PongMessage, []byte(data))
		return nil
	})
	k.conn.SetPongHandler(func(string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !k.deaf {
			k.unponged = 0
		}
		return nil
	})
	for {
		kind, data, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.TextMessage {
			s.acknowledge(k, data)
		}
	}
}

// leave takes a socket off the list and hands what it left unacknowledged to others.
func (s *Sim) leave(k *socket) {
	k.cut()
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.sockets, k)
	if i < 0 {
		return
	}
	s.sockets = slices.Delete(s.sockets, i, i+1)
	s.lastGone = s.now()
	s.record(Entry{Kind: LogSocket, Method: "closed", Socket: k.id})
	s.resend(k)
}

// write is the only goroutine that writes to the socket. Every write ends in time: a timer cuts the connection.
func (s *Sim) write(k *socket) {
	defer s.wg.Done()
	ping := time.NewTicker(s.opt.PingInterval)
	defer ping.Stop()
	for {
		f := frame{websocket.PingMessage, fmt.Appendf(nil, "Ping from applink-local-%d", k.id)}
		select {
		case <-k.gone:
			return
		case f = <-k.out:
		case <-ping.C:
			if s.countPing(k) {
				k.cut()
				return
			}
		}
		if s.isDeaf(k) {
			continue
		}
		limit := time.AfterFunc(writeLimit, k.cut)
		err := k.conn.WriteMessage(f.kind, f.data)
		limit.Stop()
		if err != nil || f.kind == websocket.CloseMessage {
			k.cut()
			return
		}
	}
}

// countPing notes one more ping on its way; true when too many were not answered.
func (s *Sim) countPing(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.unponged++
	return k.unponged > missedPings
}

func (s *Sim) isDeaf(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return k.deaf
}

// push queues a frame; a client with too much unread is cut instead. It never blocks.
func (k *socket) push(kind int, data []byte) {
	select {
	case k.out <- frame{kind, data}:
	default:
		k.cut()
	}
}

// cut ends the connection without a close frame. It may be called any number of times.
func (k *socket) cut() {
	k.once.Do(func() {
		close(k.gone)
		k.conn.Close()
	})
}

// ack is what a client sends back for an envelope.
type ack struct {
	EnvelopeID string          `json:"envelope_id"`
	Payload    json.RawMessage `json:"payload"`
}
