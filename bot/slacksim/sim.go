package slacksim

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options configures a workspace. The zero value is a complete one: see the seeded names in seed.go.
type Options struct {
	Now func() time.Time // the clock of ts values and of expiries; nil: time.Now

	Team     Team   // zero: T024BE7LD "Acme"
	AppID    string // zero: A0KRD7HC3
	AppName  string // the bot user's name; zero: vmssbot
	BotToken string // zero: xoxb-local-workspace
	AppToken string // zero: xapp-1-local-workspace

	Users      []User      // nil: the seeded people
	Channels   []Channel   // nil: the seeded channels
	UserGroups []UserGroup // nil: the seeded group

	Commands []SlashCommand // nil: /vmss with should_escape
	Scopes   []string       // bot scopes granted; nil: DefaultScopes
	Events   []string       // bot events subscribed to; nil: DefaultEvents

	// Welcome is a few lines of mrkdwn that the page shows to a newcomer: things to try. A piece of code that starts
	// with a slash becomes a command to click on. Empty: no hint.
	Welcome []string

	// PublicURL, such as https://slack.example:8443, is the base of response_url, socket and upload addresses.
	// Empty: the scheme and host by which the app called.
	PublicURL string

	RateScale      float64       // multiplies every rate limit; 0: 1; negative: no limits
	PingInterval   time.Duration // between WebSocket pings; 0: 10 s
	SocketLifetime time.Duration // age at which a socket is asked to refresh; 0: 18060 s, as hello announces
	FileDelay      time.Duration // from completeUploadExternal to the file being visible; 0: 1 s; negative: at once
}

// SlashCommand is one command of the app's manifest.
type SlashCommand struct {
	Name         string `json:"command"` // with the slash
	Description  string `json:"description,omitempty"`
	UsageHint    string `json:"usage_hint,omitempty"`
	ShouldEscape bool   `json:"should_escape"` // @user and #channel arrive as <@U…|name> and <#C…|name>
}

// Sim is one workspace. It is safe for concurrent use; make it with New.
type Sim struct {
	opt  Options
	now  func() time.Time
	born int64  // Unix time at which everything was made
	base string // last known base URL by which the app reaches us; guarded by mu
	done chan struct{}
	wg   sync.WaitGroup // sockets' handlers and writers

	mu      sync.Mutex
	closed  bool
	ids     ids
	lastTS  int64
	viewSeq int
	era     int // counts Resets
	changes chan struct{}
	subs    map[int]chan struct{}
	subSeq  int

	workspace
	triggers  map[string]*trigger
	responses map[string]*responseURL
	limits    limiter
	faults    []*Fault
	revoked   bool

	tickets  map[string]time.Time // expiries of addresses from apps.connections.open
	sockets  []*socket
	sockSeq  int
	turn     int // round robin over sockets
	lastGone time.Time
	pending  map[string]*envelope
	waiting  []*envelope
	timers   map[*time.Timer]struct{}

	log    []Entry
	logSeq int
}

// New returns a workspace that serves at once. Close it to end its goroutines.
func New(opt Options) *Sim {
	s := &Sim{
		opt: opt.withDefaults(), done: make(chan struct{}), changes: make(chan struct{}),
		subs: map[int]chan struct{}{}, tickets: map[string]time.Time{}, pending: map[string]*envelope{},
		timers: map[*time.Timer]struct{}{},
	}
	s.now = s.opt.Now
	s.born = s.now().Unix()
	s.base = s.opt.PublicURL
	s.limits.scale = s.opt.RateScale
	s.nameAll()
	s.fresh()
	return s
}

// fresh gives the workspace its first state; sockets and the id sequence live on.
func (s *Sim) fresh() {
	s.workspace = s.seed()
	s.triggers = map[string]*trigger{}
	s.responses = map[string]*responseURL{}
	s.limits.reset()
	s.faults, s.revoked = nil, false
}

// Reset brings people, channels, messages, views, files, faults and the log back to the beginning.
// Connected sockets stay connected, and ids and ts values go on, so that nothing old can be mistaken for new.
func (s *Sim) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fresh()
	s.log = nil
	for _, e := range s.pending {
		s.settle(e)
	}
	s.era++
	s.changed()
}

// Close cuts every socket, stops every timer and waits for the goroutines. The workspace answers nothing after.
func (s *Sim) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
		for t := range s.timers {
			t.Stop()
		}
		for _, k := range s.sockets {
			k.cut()
		}
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// ServeHTTP serves the Web API, Socket Mode, uploads, response URLs, the control API and the page.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/api/"):
		s.serveAPI(w, r, strings.TrimPrefix(path, "/api/"))
	case path == "/socket":
		s.serveSocket(w, r)
	case strings.HasPrefix(path, "/response/"):
		s.serveResponse(w, r)
	case strings.HasPrefix(path, "/files/"):
		s.serveFile(w, r)
	case strings.HasPrefix(path, "/_control/"):
		s.serveControl(w, r)
	case path == "/" || strings.HasPrefix(path, "/ui/") || strings.HasPrefix(path, "/archives/"):
		s.servePage(w, r)
	default:
		http.NotFound(w, r)
	}
}

// SetRateScale changes the rate limits from now on: 1 is Slack's, 10 is ten times as generous, negative is none.
func (s *Sim) SetRateScale(scale float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.scale = scale
	s.limits.reset()
}

// BotToken returns the token the app calls the Web API with.
func (s *Sim) BotToken() string { return s.opt.BotToken }

// AppToken returns the app-level token for apps.connections.open.
func (s *Sim) AppToken() string { return s.opt.AppToken }

// Changes returns a channel that is closed at the next change of anything: take it first, then look, then wait.
func (s *Sim) Changes() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// Subscribe returns a channel that holds one token whenever something changed since it was last read, and
// a function that ends the subscription. A slow reader loses repetitions, never the last change.
func (s *Sim) Subscribe() (<-chan struct{}, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subSeq++
	id, ch := s.subSeq, make(chan struct{}, 1)
	s.subs[id] = ch
	return ch, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subs, id)
	}
}

// Wait returns nil as soon as cond holds, looking again at each change; else the context's error.
// cond is called without locks held and may use every method of the workspace.
func (s *Sim) Wait(ctx context.Context, cond func() bool) error {
	for {
		next := s.Changes()
		if cond() {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return errClosed
		}
	}
}

// changed tells everybody who waits. The lock is held.
func (s *Sim) changed() {
	close(s.changes)
	s.changes = make(chan struct{})
	for _, ch := range s.subs {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// after runs f once, later, with the lock held, unless the workspace is closed first. The lock is held now, too.
func (s *Sim) after(d time.Duration, f func()) *time.Timer {
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.timers, t)
		if !s.closed {
			f()
		}
	})
	s.timers[t] = struct{}{}
	return t
}

// stop takes back a timer made by after. The lock is held.
func (s *Sim) stop(t *time.Timer) {
	if t != nil {
		t.Stop()
		delete(s.timers, t)
	}
}
