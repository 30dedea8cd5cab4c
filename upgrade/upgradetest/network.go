package upgradetest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// host is a server on an in-memory network: real sockets are no part of a bubble's time.
type host struct {
	http *http.Server
	line *listener
	done chan struct{}
}

func serve(h http.Handler) *host {
	s := &host{http: &http.Server{Handler: h}, line: &listener{calls: make(chan net.Conn), closed: make(chan struct{})}, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.http.Serve(s.line) // returns when it is closed, with an error that says only that
	}()
	return s
}

func (s *host) close() {
	s.http.Close() // an error could only come from the listener, which has none
	<-s.done
}

// listener hands the server its ends of the pipes.
type listener struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "pipe" }
func (address) String() string  { return "127.0.0.1" }

var errNoRoute = errors.New("no such host in this world")

// mouth is a socket of a process: what it says there, acknowledgements, passes points as its requests do.
type mouth struct {
	net.Conn
	life *Life
}

// Write sends what the WebSocket client sends as one frame. Only whole text frames count: the rest is
// its greeting, pongs and goodbye.
func (m mouth) Write(frame []byte) (n int, err error) {
	const text = 0x81
	if len(frame) == 0 || frame[0] != text {
		return m.Conn.Write(frame)
	}
	if err := m.life.Point("before ack"); err != nil {
		return 0, err
	}
	n, err = m.Conn.Write(frame)
	if dead := m.life.Point("after ack"); dead != nil {
		return 0, dead
	}
	return n, err
}

// dial connects to the host of that name. What is dialled for a life is cut when it ends.
func (w *World) dial(l *Life) Dial {
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		name, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		to := w.hosts[name]
		if to == nil {
			w.stray(name)
			return nil, errNoRoute
		}
		near, far := net.Pipe()
		if !l.holds(near) {
			return nil, ErrDead
		}
		select {
		case to.line.calls <- far:
			return near, nil
		case <-to.line.closed:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// socket dials for a WebSocket client.
func (w *World) socket(l *Life) Dial {
	dial := w.dial(l)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return mouth{c, l}, nil
	}
}

// wire is the way of a request from a process to a host and back: it takes a little time, a
// different one for each request, so that no two things ever happen in the same instant, and the
// process may die at either end of it.
type wire struct {
	life *Life
	next http.RoundTripper
}

func (t wire) RoundTrip(r *http.Request) (*http.Response, error) {
	what := r.Method + " " + r.URL.Path
	if err := t.life.Point("before " + what); err != nil {
		return nil, err
	}
	if err := sleep(r.Context(), t.life.lag(what, 20*time.Millisecond)); err != nil {
		return nil, err
	}
	answer, err := t.next.RoundTrip(r)
	if dead := t.life.Point("after " + what); dead != nil {
		if err == nil {
			answer.Body.Close()
		}
		return nil, dead
	}
	return answer, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Dial opens a connection.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)
