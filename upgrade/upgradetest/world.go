package upgradetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot"
	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
	"github.com/vmssbot/vmssbot/upgrade/gate"
)

// Names of the hosts in a world. Azure's is a loopback address, because that is where the adapter
// takes its local credential.
const (
	azureHost = "127.0.0.1"
	slackHost = "slack.test"
)

// Config is what a world is made of. The zero value of Fleet is the simulator's own.
type Config struct {
	Seed    string
	Fleet   azuresim.Fleet
	Azure   azuresim.Options // Fleet and Now are filled in
	Ahead   time.Duration    // of Azure's clock, which everything of Azure is stamped with
	Policy  upgrade.Policy   // of every scale set
	Groups  []upgrade.Group
	Office  bool   // there is a receiver outside of Slack
	Journal string // the path of the journal; its directory must exist
}

// Site is what one incarnation of the program is started in: all it may reach.
type Site struct {
	Life             *Life
	Journal          string
	HTTP             *http.Client // to Azure and Slack, as the program's own transport would be
	Dial             Dial         // for sockets
	AzureURL         string
	SlackURL         string // of the Web API
	OfficeURL        string // of the receiver outside of Slack; "" = there is none
	OfficeKey        string // shared with it
	Subscription     string
	BotToken, AppKey string
	Groups           []upgrade.Group
	Policies         []upgrade.Policy        // at its start
	Gates            []gate.Gate             // external ones
	Reload           <-chan []upgrade.Policy // what SIGHUP is for the program: the configuration has others now
	Now              func() time.Time        // as the machine's clock has it
	Frozen           func() string           // why nothing may be written to Azure; "" = it may
	ID               func() string
	Log              *slog.Logger
}

// Program is the product: it works in a site until the context ends.
type Program func(context.Context, Site) error

// World is a simulated Azure, a simulated Slack and the real program between them, in the time of
// one testing/synctest bubble. It must be made and closed inside of the bubble.
type World struct {
	Azure *azuresim.Sim
	Slack *slacksim.Sim
	Began time.Time

	cfg     Config
	program Program
	hosts   map[string]*host
	ids     atomic.Int64
	lives   int
	run     *running
	lay     func(n int, point string) bool // the trap of the next life
	reload  chan []upgrade.Policy          // of this life
	page    page
	log     slackLog
	office  *office
	left    map[string]time.Time
	truths  map[string]azuresim.State

	spilt     atomic.Bool   // it has refused something since it is full
	full      atomic.Bool   // the journal's disk
	skew      *atomic.Int64 // nanoseconds that the program's clock is ahead
	mu        sync.Mutex
	decisions []Decision
	errors    []string
	acts      []Act
	calls     []Call
	downs     []Down
	frozen    string // why, "" = it is not
	freezes   []Span
	lost      []Span // between a backup and when it was put back
	jumps     []Jump
	ruled     []Ruled
	before    map[int]azuresim.State      // the truth before a write, by its number
	endings   map[string][]time.Time      // when the program said that a rollout ends
	ends      map[string][]azuresim.State // the truth whenever the program said that a rollout ends
	secrets   []string
	leaks     []Leak
	outside   outside        // external gates
	fulls     []Span         // when the journal's disk was full
	lag       time.Duration  // the longest that was ordered for Azure's lists
	slow      time.Duration  // how long its answers were held back, in all
	troubled  bool           // trouble with Slack was ordered
	struck    map[string]int // trouble with the program itself, by its kind
}

// running is a life and its end.
type running struct {
	life *Life
	stop context.CancelFunc
	said error         // once it is over
	over chan struct{} // closed at its end
	at   time.Time     // of its end
}

// Span is a stretch of time; To is zero while it lasts.
type Span struct{ From, To time.Time }

// Holds reports whether the moment is in it.
func (s Span) Holds(at time.Time) bool {
	return !at.Before(s.From) && (s.To.IsZero() || at.Before(s.To))
}

// Ruled is a policy, and since when it is the configuration's.
type Ruled struct {
	At     time.Time
	Policy upgrade.Policy
}

// Jump is a moment at which the program's clock jumped ahead.
type Jump struct {
	At time.Time
	By time.Duration
}

// Down is a time without the program.
type Down struct {
	Span
	Crash bool
}

// NewWorld makes the surroundings; Start begins the first life in them.
func NewWorld(cfg Config, program Program) (*World, error) {
	cfg.Azure.Fleet, cfg.Azure.Now = cfg.Fleet, func() time.Time { return time.Now().Add(cfg.Ahead) }
	azure, err := azuresim.New(cfg.Azure)
	if err != nil {
		return nil, err
	}
	app := vmssbot.Installed() // what it was not given it can not do here either
	w := &World{Azure: azure, Slack: slacksim.New(slacksim.Options{Now: time.Now, Scopes: app.Scopes, Events: app.Events}), Began: time.Now(), cfg: cfg, program: program,
		left: map[string]time.Time{}, truths: map[string]azuresim.State{}, page: page{versions: map[string]Seen{}}, log: slackLog{opened: map[string]time.Time{}, events: map[string]string{}, heard: map[string]time.Time{}}, struck: map[string]int{}}
	w.before, w.ends, w.endings = map[int]azuresim.State{}, map[string][]azuresim.State{}, map[string][]time.Time{}
	w.skew = new(atomic.Int64)
	w.secrets = []string{w.Slack.BotToken(), w.Slack.AppToken()}
	w.hosts, w.office = map[string]*host{azureHost: serve(w.watch(azure)), slackHost: serve(w.Slack), gateHost: serve(http.HandlerFunc(w.serveGate))}, &office{w: w}
	if cfg.Office {
		w.hosts[officeHost] = serve(w.office)
		w.secrets = append(w.secrets, officeKey)
	}
	return w, nil
}

// Close ends the program, if it runs, and everything around it. It returns what the program said.
func (w *World) Close() error {
	err := w.Stop()
	w.Slack.Close()
	for _, h := range w.hosts {
		h.close()
	}
	return err
}

// Start begins a life and waits until both sockets are greeted.
func (w *World) Start() error {
	if w.run != nil {
		return errors.New("the bot runs already")
	}
	w.lives++
	ctx, cancel := context.WithCancel(context.Background())
	life := newLife(fmt.Sprint(w.cfg.Seed, " life ", w.lives), cancel, w.full.Load, w.spill)
	life.Trap(w.lay)
	w.lay = nil
	w.run, w.reload = &running{life: life, stop: cancel, over: make(chan struct{})}, make(chan []upgrade.Policy, 1)
	transport := &http.Transport{DialContext: w.dial(life)}
	site := w.site(life, transport)
	go func(r *running) {
		r.said = w.program(ctx, site)
		transport.CloseIdleConnections()
		r.at = time.Now()
		close(r.over)
	}(w.run)
	w.up()
	return w.connected()
}

func (w *World) site(life *Life, transport *http.Transport) Site {
	gates, policy := w.gates()
	office := ""
	if w.cfg.Office {
		office = "http://" + officeHost + "/events"
	}
	return Site{
		Life: life, Journal: w.cfg.Journal, Dial: w.socket(life),
		HTTP:     &http.Client{Transport: wire{life, transport}, Timeout: 30 * time.Second},
		AzureURL: "http://" + azureHost, SlackURL: "http://" + slackHost + "/api/", OfficeURL: office, OfficeKey: officeKey,
		Subscription: w.subscription(), BotToken: w.Slack.BotToken(), AppKey: w.Slack.AppToken(),
		Policies: []upgrade.Policy{policy}, Reload: w.reload, Gates: gates, Groups: w.cfg.Groups,
		Now:    clock(w.skew),
		Frozen: w.why,
		ID:     func() string { return identify(w.cfg.Seed, w.ids.Add(1)) },
		Log:    slog.New(&ear{w: w, life: life}),
	}
}

// clock is the program's clock. It holds on to nothing else of the world: a SQLite driver never forgets the
// clock it was given.
func clock(skew *atomic.Int64) func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }
}

// Govern changes the configuration's policy of every scale set. A program that runs is told of it, another one
// finds it at its start.
func (w *World) Govern(change func(*upgrade.Policy) error) error {
	if err := change(&w.cfg.Policy); err != nil {
		return err
	}
	w.mu.Lock()
	w.ruled = append(w.ruled, Ruled{time.Now(), w.cfg.Policy})
	w.struck["policy"]++
	w.mu.Unlock()
	if !w.Down() {
		select { // what it has not looked at yet is over
		case <-w.reload:
		default:
		}
		w.reload <- []upgrade.Policy{w.cfg.Policy}
	}
	return nil
}

// Freeze is what a file FREEZE beside the journal is for the program: until [World.Unfreeze] it may write
// nothing to Azure.
func (w *World) Freeze(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.struck["freeze"]++; w.frozen != "" {
		return // there is one file
	}
	w.frozen = why
	w.freezes = append(w.freezes, Span{From: time.Now()})
}

// Unfreeze takes it away.
func (w *World) Unfreeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = ""
	w.freezes[len(w.freezes)-1].To = time.Now()
}

func (w *World) why() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frozen
}

// Skew sets the program's clock ahead of everybody else's. (Behind, its network's own deadlines, which
// go by the world's clock, would all have passed.)
func (w *World) Skew(by time.Duration) {
	was := time.Duration(w.skew.Swap(int64(by)))
	w.strike("clock")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jumps = append(w.jumps, Jump{time.Now(), by - was})
}

// forget notes that the program can know nothing of what has happened since.
func (w *World) forget(since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.struck["restore"]++
	w.lost = append(w.lost, Span{since, time.Now()})
}

// Fill makes the journal's disk full, or gives it room again.
func (w *World) Fill(full bool) {
	if was := w.full.Swap(full); was != full {
		w.mu.Lock()
		defer w.mu.Unlock()
		if full {
			w.fulls = append(w.fulls, Span{From: time.Now()})
		} else {
			w.fulls[len(w.fulls)-1].To = time.Now()
		}
	}
	w.spilt.Store(false)
}

// spill counts the first write that a full disk refuses.
func (w *World) spill() {
	if !w.spilt.Swap(true) {
		w.strike("disk full")
	}
}

func (w *World) subscription() string {
	if w.cfg.Fleet.Subscription != "" {
		return w.cfg.Fleet.Subscription
	}
	return azuresim.DefaultFleet().Subscription
}

// connected waits for a greeted socket, or for the program's end.
func (w *World) connected() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	go func(over chan struct{}) { // Slack need not change when the program ends
		select {
		case <-over:
			cancel()
		case <-ctx.Done():
		}
	}(w.run.over)
	err := w.Slack.Wait(ctx, func() bool { return len(w.Slack.State().Sockets) > 0 })
	if err != nil && !w.run.ended() {
		return fmt.Errorf("the bot does not connect: %w", err)
	}
	return nil
}

func (r *running) ended() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

// Crash ends the life as kill -9 would.
func (w *World) Crash() error {
	if w.run == nil {
		return errors.New("the bot does not run")
	}
	w.run.life.Kill()
	w.reap()
	return nil
}

// reap waits for the rests of a life that was killed.
func (w *World) reap() {
	<-w.run.over // what a dead process returns nobody hears
	w.strike(w.run.life.died())
	w.run.stop()
	w.down(true)
}

// Reap clears away a life that ended in a trap; true when there was one.
func (w *World) Reap() bool {
	if w.run == nil || !w.run.life.Dead() {
		return false
	}
	w.reap()
	return true
}

// Down reports whether no program runs.
func (w *World) Down() bool { return w.run == nil || w.run.life.Dead() || w.run.ended() }

// Ended clears away a program that has ended by itself, and returns what it said.
func (w *World) Ended() (said error, ended bool) {
	if w.run == nil || w.run.life.Dead() || !w.run.ended() {
		return nil, false
	}
	w.run.stop()
	return w.down(false), true
}

// Stop asks the program to end, as SIGTERM does, and returns what it said.
func (w *World) Stop() error {
	if w.run == nil || w.Reap() {
		return nil
	}
	w.run.stop()
	<-w.run.over
	w.strike("stop")
	return w.down(false)
}

// strike counts trouble with the program itself.
func (w *World) strike(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.struck[kind]++
}

// deaths is how often each kind of trouble with the program itself has struck.
func (w *World) deaths() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.struck)
}

// down notes since when no program runs, and returns what the last one said.
func (w *World) down(crash bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.run
	w.run = nil
	since := last.at
	if crash {
		since = last.life.deadAt
	}
	w.downs = append(w.downs, Down{Span{From: since}, crash})
	return last.said
}

func (w *World) up() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.downs); n > 0 {
		w.downs[n-1].To = time.Now()
	}
}

// Advance lets time pass, and everything that happens in it.
func (w *World) Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Trap ends the present life, or the next one if there is none, at the first point that matches.
func (w *World) Trap(match func(n int, point string) bool) {
	if w.run == nil {
		w.lay = match
		return
	}
	w.run.life.Trap(match)
}

// Points are the points the present life has passed.
func (w *World) Points() []string {
	if w.run == nil {
		return nil
	}
	return w.run.life.Points()
}
