package bot

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/vmssbot/vmssbot/upgrade"
)

// reach knows since when nobody can reach the bot through Slack. A socket that Slack cuts at once
// reached nobody: it takes one that lasts to end such a time.
type reach struct {
	mu      sync.Mutex
	sockets int       // greeted by Slack and not lost since
	since   time.Time // when the last time without a socket began; zero = nobody has asked yet
	back    time.Time // when the first of the present sockets was greeted
	why     string    // what is known of the reason, "" = nothing
}

// Unheard says since when no socket of Slack's has lasted for ten seconds, and why; the zero value = one
// does. Before the first one that is since it was asked for the first time.
func (b *Bot) Unheard() upgrade.Unheard {
	r, now := &b.reach, b.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.since.IsZero():
		r.since = now
	case r.sockets > 0 && now.Sub(r.back) >= shortLived:
		return upgrade.Unheard{}
	}
	why := "no socket to Slack"
	if r.why != "" {
		why += ": " + r.why
	}
	return upgrade.Unheard{Since: r.since, Why: why}
}

// Connected returns how many sockets have been greeted by Slack and not been lost since.
func (b *Bot) Connected() int {
	b.reach.mu.Lock()
	defer b.reach.mu.Unlock()
	return b.reach.sockets
}

func (r *reach) greeted(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sockets++; r.sockets == 1 {
		r.back = now
	}
}

func (r *reach) lost(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sockets--; r.sockets == 0 && now.Sub(r.back) >= shortLived {
		r.since, r.why = now, "it was cut"
	}
}

// failed notes what keeps a socket from being opened.
func (r *reach) failed(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.why = why
}

// silence is how long a socket may bring nothing, not even a ping, before it counts as dead. Slack
// pings every few seconds; slack-go's own watch takes up to a minute to notice that it has stopped.
const silence = 40 * time.Second

// dialer makes connections that notice when the other end is gone without a word. The buffer is
// slack-go's, which a dialer of one's own would lose: Slack drops a frame that comes in pieces.
func (b *Bot) dialer() *websocket.Dialer {
	d := &websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: callTimeout, WriteBufferSize: 32 << 10}
	dial := (&net.Dialer{}).DialContext
	if b.Dial != nil {
		d.Proxy, dial = nil, b.Dial
	}
	d.NetDialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return listening{c, b.Now}, nil
	}
	return d
}

// listening is a connection whose reading fails after a silence.
type listening struct {
	net.Conn
	now func() time.Time
}

// Read reads what comes next, or fails when nothing does.
func (l listening) Read(p []byte) (int, error) {
	if err := l.SetReadDeadline(l.now().Add(silence)); err != nil {
		return 0, err
	}
	return l.Conn.Read(p)
}
