package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	idleFor  = 2 * time.Minute // without a look; the engine looks every 30 s at least
	looksFor = 2 * time.Second // that the journal has for an answer
)

// facts are what health is told from.
type facts struct {
	standby   string // why nothing is done here yet, "" = something is
	ended     error  // why the process is about to end; nil = it is not
	sockets   int    // greeted by Slack
	unheard   upgrade.Unheard
	unread    error // why the journal did not answer
	unwritten error // why it takes no writes
	unsent    upgrade.Unheard
	patience  time.Duration // with messages and sockets: rollouts hold for them after as long (R19)
	idle      time.Duration // since the engine last looked for something to do
	frozen    string
	untold    []string // receivers outside of Slack that are not told
}

// unready says in sentences what keeps the process from serving people now.
func (f facts) unready() []string {
	if f.standby != "" {
		return []string{f.standby}
	}
	out := []string{}
	if f.ended != nil {
		out = append(out, "the bot ends and finishes what it began: "+f.ended.Error())
	}
	if f.unread != nil {
		out = append(out, "the journal does not answer: "+f.unread.Error())
	}
	if f.sockets == 0 {
		out = append(out, lasting(f.unheard))
	}
	return out
}

// unwell says in sentences what somebody should look at.
func (f facts) unwell(now time.Time) []string {
	if f.standby != "" {
		if f.unread == nil {
			return []string{}
		}
		return []string{"it could not take over: " + f.unread.Error()}
	}
	out := f.unready()
	if f.sockets > 0 && f.late(f.unheard, now) {
		out = append(out, "no socket lasts: "+lasting(f.unheard))
	}
	if f.unwritten != nil {
		out = append(out, "the journal takes no writes, so nothing is started or acknowledged: "+f.unwritten.Error())
	}
	if f.idle > idleFor {
		out = append(out, fmt.Sprintf("the engine has looked at no rollout for %s", f.idle.Round(time.Second)))
	}
	if f.late(f.unsent, now) {
		u := f.unsent
		if u.Why == "" {
			u.Why = "it was not its turn yet"
		}
		out = append(out, "a message that people must see has not reached Slack: "+lasting(u))
	}
	return out
}

// notes are no illness, but worth knowing.
func (f facts) notes() []string {
	if f.standby != "" {
		return []string{f.standby}
	}
	if f.frozen == "" {
		return f.untold
	}
	return append([]string{"nothing is written to Azure: " + f.frozen}, f.untold...)
}

func (f facts) late(u upgrade.Unheard, now time.Time) bool {
	return !u.Since.IsZero() && now.Sub(u.Since) >= f.patience
}

func lasting(u upgrade.Unheard) string {
	return fmt.Sprintf("%s (since %s)", u.Why, u.Since.UTC().Format(time.RFC3339))
}

// report is the answer to both questions.
type report struct {
	OK       bool     `json:"ok"`
	Problems []string `json:"problems"`
	Notes    []string `json:"notes,omitempty"`
}

// healthHandler answers GET /healthz and /readyz, and nothing else.
func healthHandler(look func(context.Context) facts, now func() time.Time) http.Handler {
	answer := func(problems func(facts) []string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			f := look(r.Context())
			p := problems(f)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-store")
			if len(p) > 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			json.NewEncoder(w).Encode(report{len(p) == 0, p, f.notes()})
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", answer(facts.unready))
	mux.HandleFunc("GET /healthz", answer(func(f facts) []string { return f.unwell(now()) }))
	return mux
}

// serveHealth serves on the address until stop is called; "" = nowhere.
func serveHealth(addr string, h http.Handler, log *slog.Logger) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	log.Info("health is told", "url", "http://"+l.Addr().String()+"/healthz")
	s := &http.Server{Handler: LocalOnly(h), ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	go s.Serve(l)
	return func() { s.Close() }, nil
}

// LocalOnly refuses what was sent to another name than this machine's. A browser that shows somebody's page,
// whose name was made to lead here after it was loaded (DNS rebinding), takes the two for one origin; only
// the Host header still has that name.
func LocalOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback("http://" + r.Host) {
			http.Error(w, "this is for this machine only: ask by a loopback address or localhost", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// checkHealth refuses an address that others than this machine could reach.
func checkHealth(addr string) error {
	if addr == "" {
		return nil
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("%q: want a loopback address and a port, such as 127.0.0.1:8484: only this machine may ask", addr)
	}
	return nil
}
