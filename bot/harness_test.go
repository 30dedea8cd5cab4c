package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot"
	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// office is a workspace, a journal and the bot between them. Of the domain the words are real; plans
// and looks are made up, because Azure has no part here.
type office struct {
	testing.TB
	sim     *slacksim.Sim
	journal *book
	domain  *domain
	people  *People
	log     *lines
	bot     *Bot // of the present life

	path   string
	ends   func(error)
	reader func(upgrade.Reader) upgrade.Reader // what the bot reads the journal with; nil = the journal
	desk   func(upgrade.Desk) upgrade.Desk     // what is said is carried out by this one; nil = by the domain
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	url    string
	client *http.Client
	quit   context.CancelFunc
	ended  chan error
	closes []func()
}

// inBubble opens an office in the time of a testing/synctest bubble, runs the bot, and closes
// everything before the bubble ends.
func inBubble(t *testing.T, test func(o *office), change ...func(o *office)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, slacksim.Options{Scopes: scopes}, path)
		for _, c := range change {
			c(o)
		}
		l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: o.sim}
		var serving sync.WaitGroup
		serving.Go(func() { server.Serve(l) })
		transport := &http.Transport{DialContext: l.dial}
		o.dial, o.url, o.client = l.dial, "http://slack.test", &http.Client{Transport: transport}
		o.closes = append(o.closes, func() {
			o.sim.Close()
			transport.CloseIdleConnections()
			server.Close()
			serving.Wait()
		})
		defer o.close()
		o.start()
		test(o)
	})
}

// overTCP opens an office on a loopback port, in real time.
func overTCP(t testing.TB, opt slacksim.Options) *office {
	o := newOffice(t, opt, filepath.Join(t.TempDir(), "journal.db"))
	server := httptest.NewServer(o.sim)
	o.url, o.client = server.URL, server.Client()
	o.closes = append(o.closes, func() {
		o.sim.Close()
		server.Close()
	})
	t.Cleanup(o.close)
	o.start()
	return o
}

// scopes are what the manifest asks for: what works here works with these.
var scopes = vmssbot.Installed().Scopes

func newOffice(t testing.TB, opt slacksim.Options, path string) *office {
	o := &office{TB: t, sim: slacksim.New(opt), path: path, log: &lines{}, journal: &book{}}
	o.open()
	o.domain = &domain{o: o, policies: []upgrade.Policy{policyOf("web"), policyOf("shop")}}
	return o
}

// open opens the journal, as a new life of the process does.
func (o *office) open() {
	s, err := store.Open(o.path, time.Now)
	if err != nil {
		o.Fatal(err)
	}
	o.journal.Store = s
}

// start runs the bot and waits for its sockets.
func (o *office) start() {
	o.Helper()
	o.run()
	o.until("both sockets are greeted", func() bool { return o.bot.Connected() == 2 || len(o.ended) > 0 })
}

func (o *office) run() {
	ctx, cancel := context.WithCancel(context.Background())
	o.quit, o.ended = cancel, make(chan error, 1)
	api := slack.New(o.sim.BotToken(), slack.OptionAppLevelToken(o.sim.AppToken()), slack.OptionAPIURL(o.url+"/api/"), slack.OptionHTTPClient(o.client))
	o.people = &People{API: api, Now: time.Now, Groups: func() []string { return GroupsOf(o.domain.policies) }}
	o.bot = &Bot{API: api, Journal: o.journal, Reader: o.journal, Rollouts: o.domain, People: o.people, Now: time.Now, Log: slog.New(o.log),
		NewDeliveries: o.journal.Deliveries(), NewPosts: o.journal.Posts()}
	o.bot.Dial, o.bot.Ends = o.dial, o.ends
	if o.reader != nil {
		o.bot.Reader = o.reader(o.journal)
	}
	if o.desk != nil {
		o.bot.Rollouts = o.desk(upgrade.Desk{Journal: o.journal, People: o.people, Now: time.Now, Policies: func() []upgrade.Policy { return o.domain.policies }})
	}
	o.domain.Desk = upgrade.Desk{Journal: o.journal, Policies: func() []upgrade.Policy { return o.domain.policies }, Now: time.Now, ID: func() string { return "0123456789abcdef" }}
	b, ended := o.bot, o.ended
	go func() { ended <- b.Run(ctx) }()
}

// stop tells the bot to end and returns how long it took, and what Run said.
func (o *office) stop() (took time.Duration, err error) {
	began := time.Now()
	o.quit()
	err = <-o.ended
	o.ended <- err
	return time.Since(began), err
}

// restart is a new life on the same journal.
func (o *office) restart() {
	o.Helper()
	o.stop()
	o.journal.Store.Close()
	o.open()
	o.start()
}

func (o *office) close() {
	o.stop()
	o.client.CloseIdleConnections()
	o.journal.Store.Close()
	for _, c := range o.closes {
		c()
	}
}

// until waits, at most an hour and a half of a bubble or a minute of real time.
func (o *office) until(what string, cond func() bool) {
	o.Helper()
	step, most := 5*time.Millisecond, 12_000
	if o.dial != nil {
		step, most = 50*time.Millisecond, 100_000
	}
	for range most {
		if cond() {
			return
		}
		time.Sleep(step)
	}
	o.Fatalf("it does not come to be that %s; the bot logged:\n%s", what, o.log)
}

// soon is until, within a time.
func (o *office) soon(limit time.Duration, what string, cond func() bool) {
	o.Helper()
	began := time.Now()
	o.until(what, cond)
	if took := time.Since(began); took > limit {
		o.Errorf("%s: after %s, want %s at most", what, took, limit)
	}
}

// pass lets time go by.
func (o *office) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// command types a command and expects it to be acknowledged.
func (o *office) command(user, channel, text string) {
	o.Helper()
	out, err := o.sim.Command(user, channel, "/vmss", text)
	if err != nil || !out.Acked {
		o.Fatalf("/vmss %s: %+v, %v; the bot logged:\n%s", text, out, err, o.log)
	}
}

// opened has ana open a rollout and returns its id, once its card stands in the channel.
func (o *office) opened(set string) string {
	o.Helper()
	o.command("ana", "ops", "upgrade "+set+" 4.0.1")
	id := "r-" + set
	o.until(set+" has a card", func() bool { return o.find("Approve", id) != nil })
	return id
}

// find returns the bot's newest message in #ops with both texts, in a thread or not.
func (o *office) find(texts ...string) *slacksim.Message {
	for _, m := range slices.Backward(o.sim.Messages("ops")) {
		if has(m, texts...) {
			return &m
		}
	}
	return nil
}

func has(m slacksim.Message, texts ...string) bool {
	all := m.Text + string(m.Blocks)
	return !m.Deleted && m.User == slacksim.BotUser && !slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(all, t) })
}

// root is the live message of a rollout.
func (o *office) root(id string) slacksim.Message {
	o.Helper()
	rec, err := o.journal.Record(context.Background(), id)
	if err != nil || rec.Link == "" {
		o.Fatalf("rollout %s has no live message: %v", id, err)
	}
	for _, m := range o.sim.Messages("ops") {
		if m.TS == rec.Link {
			return m
		}
	}
	o.Fatalf("the live message %s of %s is not there", rec.Link, id)
	return slacksim.Message{}
}

// facts are the kinds of a rollout's events, in order.
func (o *office) facts(id string) []string {
	o.Helper()
	rec, err := o.journal.Record(context.Background(), id)
	if errors.Is(err, upgrade.ErrNotFound) {
		return nil
	}
	if err != nil {
		o.Fatal(err)
	}
	var kinds []string
	for _, e := range rec.Events {
		kinds = append(kinds, upgrade.FactKind(e.Fact))
	}
	return kinds
}

// count counts facts of a kind.
func (o *office) count(id, kind string) int {
	o.Helper()
	return len(slices.DeleteFunc(o.facts(id), func(k string) bool { return k != kind }))
}

// answers are what the bot said to one person alone.
func (o *office) answers(user string) []string {
	var out []string
	for _, m := range o.sim.Ephemerals(user) {
		out = append(out, m.Text+string(m.Blocks))
	}
	return out
}

func (o *office) answered(user, text string) bool {
	return slices.ContainsFunc(o.answers(user), func(a string) bool { return strings.Contains(a, text) })
}

// calls counts the Web API calls of a method that arrived so far.
func (o *office) calls(method string) int {
	n := 0
	for _, e := range o.sim.Log() {
		if e.Kind == slacksim.LogAPI && e.Method == method {
			n++
		}
	}
	return n
}

func (o *office) fault(f slacksim.Fault) {
	o.Helper()
	if err := o.sim.Inject(f); err != nil {
		o.Fatal(err)
	}
}

// deliver puts a payload into the inbox as if a socket had brought it.
func (o *office) deliver(kind string, body any) {
	o.Helper()
	raw, ok := body.(json.RawMessage)
	if !ok {
		raw, _ = json.Marshal(body)
	}
	o.journal.mu.Lock()
	o.journal.n++
	key := fmt.Sprint("made up ", o.journal.n)
	o.journal.mu.Unlock()
	if _, err := o.journal.Store.Receive(context.Background(), upgrade.Delivery{Key: key, Kind: kind, Body: raw, At: time.Now()}); err != nil {
		o.Fatal(err)
	}
}

// append commits a change of an open rollout and posts, as the engine would.
func (o *office) append(c upgrade.Change) {
	o.Helper()
	ctx := context.Background()
	l, _, ok, err := o.journal.Store.Claim(ctx)
	if err != nil || !ok {
		o.Fatalf("no rollout can be claimed: %v", err)
	}
	if _, err := o.journal.Store.Append(ctx, l, c); err != nil {
		o.Fatal(err)
	}
	if err := o.journal.Store.Release(ctx, l, time.Now()); err != nil {
		o.Fatal(err)
	}
}

// want puts posts into the outbox.
func (o *office) want(posts ...upgrade.Post) {
	o.Helper()
	o.append(upgrade.Change{Posts: posts})
}

// end ends a rollout.
func (o *office) end(id string) {
	o.Helper()
	rec, err := o.journal.Record(context.Background(), id)
	if err != nil {
		o.Fatal(err)
	}
	events := upgrade.At(time.Now(), "", upgrade.Ended{Outcome: upgrade.OutcomeAborted, Reason: "for a test"})
	events[0].Seq = rec.Rollout.Seq + 1
	o.append(upgrade.Change{Rollout: id, Seq: rec.Rollout.Seq, Events: events, Posts: upgrade.Posts(rec.Rollout.With(events...), events)})
}

// pipes is a listener whose connections are net.Pipes: real sockets are no part of a bubble's time.
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

// webAPI is a Web API client that is answered by a function: for what a workspace cannot be told to
// say. The function returns the body of an answer, and its status.
func webAPI(answer func(method string, form map[string][]string) (int, string)) *slack.Client {
	return slack.New("xoxb-x", slack.OptionHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		status, body := answer(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], r.PostForm)
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"30"}},
			Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
