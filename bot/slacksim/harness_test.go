package slacksim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// world is a workspace that is served, and the means to reach it.
type world struct {
	*slacksim.Sim
	t      testing.TB
	url    string // without a slash at the end
	client *http.Client
	dialer *websocket.Dialer
}

// overTCP serves a workspace on a loopback port.
func overTCP(t *testing.T, opt slacksim.Options) *world {
	t.Helper()
	sim := slacksim.New(opt)
	srv := httptest.NewServer(sim)
	t.Cleanup(func() {
		sim.Close()
		srv.Close()
	})
	return &world{sim, t, srv.URL, srv.Client(), websocket.DefaultDialer}
}

// inBubble serves a workspace over in-memory pipes, for use inside synctest.Test. It ends with the test's body:
// the caller defers end.
func inBubble(t *testing.T, opt slacksim.Options) (w *world, end func()) {
	t.Helper()
	sim := slacksim.New(opt)
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: sim}
	var serving sync.WaitGroup
	serving.Go(func() { srv.Serve(l) })
	transport := &http.Transport{DialContext: l.dial}
	w = &world{sim, t, "http://slack.test", &http.Client{Transport: transport}, &websocket.Dialer{NetDialContext: l.dial}}
	return w, func() {
		sim.Close()
		transport.CloseIdleConnections()
		srv.Close()
		serving.Wait()
	}
}

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "slack.test"} }

func (l *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.done:
		return nil, net.ErrClosed
	}
}

type doc = map[string]any

// call calls a Web API method as JSON with the right token.
func (w *world) call(method string, args doc) doc {
	w.t.Helper()
	_, answer := w.post(method, args)
	return answer
}

func (w *world) post(method string, args doc) (*http.Response, doc) {
	w.t.Helper()
	token := w.BotToken()
	if method == "apps.connections.open" {
		token = w.AppToken()
	}
	body, _ := json.Marshal(args)
	req, _ := http.NewRequest("POST", w.url+"/api/"+method, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+token)
	return w.do(req)
}

func (w *world) form(method string, args url.Values) doc {
	w.t.Helper()
	req, _ := http.NewRequest("POST", w.url+"/api/"+method, strings.NewReader(args.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, answer := w.do(req)
	return answer
}

func (w *world) do(req *http.Request) (*http.Response, doc) {
	w.t.Helper()
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := doc{}
	json.Unmarshal(raw, &answer)
	return resp, answer
}

// must fails the test unless the answer is ok:true.
func (w *world) must(method string, args doc) doc {
	w.t.Helper()
	answer := w.call(method, args)
	if answer["ok"] != true {
		w.t.Fatalf("%s: %v", method, answer)
	}
	return answer
}

// app is a Socket Mode client of few lines: what each test does with an envelope is its own.
type app struct {
	w    *world
	conn *websocket.Conn
	got  chan doc // frames, in order
	wr   sync.Mutex
}

// connect opens one socket and returns after hello.
func (w *world) connect() *app {
	w.t.Helper()
	a := w.dial()
	if hello := <-a.got; hello["type"] != "hello" {
		w.t.Fatalf("first frame = %v, want hello", hello)
	}
	return a
}

func (w *world) dial() *app {
	w.t.Helper()
	conn, _, err := w.dialer.Dial(w.must("apps.connections.open", nil)["url"].(string), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	a := &app{w: w, conn: conn, got: make(chan doc, 1000)}
	go func() {
		defer close(a.got)
		for {
			var f doc
			if conn.ReadJSON(&f) != nil {
				return
			}
			a.got <- f
		}
	}()
	return a
}

func (a *app) ack(envelope doc, payload any) {
	answer := doc{"envelope_id": envelope["envelope_id"]}
	if payload != nil {
		answer["payload"] = payload
	}
	a.wr.Lock()
	defer a.wr.Unlock()
	a.conn.WriteJSON(answer)
}

// answering acknowledges everything that comes and passes it on.
func (a *app) answering(payload any) <-chan doc {
	out := make(chan doc, 1000)
	go func() {
		defer close(out)
		for f := range a.got {
			if f["envelope_id"] != nil {
				a.ack(f, payload)
			}
			out <- f
		}
	}()
	return out
}

func (a *app) close() { a.conn.Close() }

func section(text string) doc {
	return doc{"type": "section", "text": doc{"type": "mrkdwn", "text": text}}
}

func button(id, label, value string) doc {
	return doc{"type": "button", "action_id": id, "text": doc{"type": "plain_text", "text": label}, "value": value}
}

func actions(elements ...any) doc { return doc{"type": "actions", "elements": elements} }

// errorsOf returns response_metadata.messages.
func messagesOf(answer doc) []string {
	meta, _ := answer["response_metadata"].(doc)
	list, _ := meta["messages"].([]any)
	var out []string
	for _, m := range list {
		out = append(out, m.(string))
	}
	return out
}
