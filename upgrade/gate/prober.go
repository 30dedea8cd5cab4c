package gate

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// interest is for how long a gate is asked after somebody last wanted to know. A rollout that waits for its window is
// looked at every five minutes.
const interest = 15 * time.Minute

// convincing is how many passes in a row it takes after anything else. One good answer of a flapping service is none.
const convincing = 2

// Prober asks gates, each by itself and one question at a time, as long as somebody wants to know. Make it with
// [NewProber]; its methods may be called at any time.
type Prober struct {
	via  http.RoundTripper
	now  func() time.Time
	wake chan struct{}

	mu    sync.Mutex
	gates map[string]*asked
}

// asked is a gate, and what is known of it.
type asked struct {
	Gate
	wanted time.Time // when somebody last wanted to know
	due    time.Time // of the next question
	busy   bool      // one is on its way
	row    int       // passes in a row
	known  bool
	last   upgrade.Reading
}

// NewProber returns a prober of no gates.
func NewProber(via http.RoundTripper, now func() time.Time) *Prober {
	return &Prober{via: via, now: now, wake: make(chan struct{}, 1), gates: map[string]*asked{}}
}

// Use puts the gates of another configuration in the place of those before. What is known of a gate that stays
// as it is stays known. Its headers are no part of its sum, and may well say whose state is asked for.
func (p *Prober) Use(gates []Gate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := map[string]*asked{}
	for _, g := range gates {
		was, stays := p.gates[g.Name]
		if stays = stays && was.Sum() == g.Sum() && maps.Equal(was.Headers, g.Headers); stays {
			was.Gate = g
			next[g.Name] = was
			continue
		}
		next[g.Name] = &asked{Gate: g}
	}
	p.gates = next
}

// Read tells what the gates of these names last said, and has them asked from now on. It waits for nothing: a gate
// that was not asked before is missing until it has answered, or has not in time.
func (p *Prober) Read(names []string) map[string]upgrade.Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]upgrade.Reading{}
	for _, name := range names {
		g, configured := p.gates[name]
		if !configured {
			out[name] = upgrade.Reading{State: upgrade.ProbeUnknown, Why: "the configuration has no such gate any more", At: p.now(), Good: time.Minute}
			continue
		}
		g.wanted = p.now()
		if g.known {
			out[name] = g.last
		}
	}
	p.soon()
	return out
}

// Run asks what is due until the context ends, and returns when the last question is over.
func (p *Prober) Run(ctx context.Context) {
	var questions sync.WaitGroup
	defer questions.Wait()
	for ctx.Err() == nil {
		timer := time.NewTimer(p.next(func(g *asked) {
			questions.Go(func() { p.ask(ctx, g) })
		}))
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// next begins what is due and says how long nothing more is.
func (p *Prober) next(begin func(*asked)) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, wait := p.now(), time.Hour
	for _, g := range p.gates {
		switch {
		case g.busy:
		case now.Sub(g.wanted) > interest:
			g.row, g.known = 0, false // whoever wants to know next has to wait for an answer
		case now.Before(g.due) && g.due.Sub(now) <= g.Every:
			wait = min(wait, g.due.Sub(now))
		default:
			g.busy, g.due = true, now.Add(g.Every)
			wait = min(wait, g.Every)
			begin(g)
		}
	}
	return wait
}

func (p *Prober) ask(ctx context.Context, g *asked) {
	p.mu.Lock()
	gate, at := g.Gate, p.now()
	p.mu.Unlock()
	state, why := gate.Ask(ctx, p.via)
	if ctx.Err() != nil {
		return // it is the bot that did not wait
	}
	defer p.soon()
	p.mu.Lock()
	defer p.mu.Unlock()
	g.busy = false
	if g.row++; state != upgrade.ProbePass {
		g.row = 0
	}
	r := upgrade.Reading{Sum: gate.Sum(), State: state, Why: why, At: at, Good: gate.good()}
	if state == upgrade.ProbePass && g.row < convincing {
		if !g.known { // one pass is neither a pass nor anything else yet
			g.due = at.Add(min(gate.Every, leastEvery))
			return
		}
		if g.last.State != upgrade.ProbePass {
			r.State, r.Why = g.last.State, g.last.Why
		}
	}
	g.last, g.known = r, true
}

// soon has the loop look at what is due anew.
func (p *Prober) soon() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
