package upgradetest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// Act is something a person did in Slack, and what came of it there.
type Act struct {
	At      time.Time
	User    string // id
	Channel string // id
	Text    string // of a typed command or mention, "" for a click
	Action  string // the button, "" for typed words; of a menu, the option's own word
	Value   string
	Message *slacksim.Message // what was clicked on, as it was then
	Trigger string            // what a form can be opened with, for a moment
	Acked   bool
	Lost    bool      // Slack found no socket to send it on until it gave up: the program never had it
	Mention string    // of an @mention, its ts: nobody sees whether it was acknowledged, only Slack's log tells
	Heard   time.Time // when a mention was acknowledged: Slack tells of it again when nobody listens
}

// Call is one write that reached Azure, with the truth right before it was looked at.
type Call struct {
	azuresim.Write
	Before azuresim.State
}

// Decision is a change of the program's decision, as it logs it.
type Decision struct {
	At                                time.Time
	Rollout, Kind, Reason, Gate, Text string
}

// name is the decision as it stands in a transcript.
func (d Decision) name() string {
	if d.Reason == "" {
		return d.Kind
	}
	return d.Kind + "(" + d.Reason + ")"
}

// Truth is the whole truth about Azure, in the world's time.
func (w *World) Truth() azuresim.State {
	s := w.Azure.Snapshot()
	for n := range s.Operations {
		op := &s.Operations[n]
		op.Start, op.End = w.ours(op.Start), w.ours(op.End)
	}
	for _, set := range s.Sets {
		for n := range set.Instances {
			i := &set.Instances[n]
			i.Since, i.PowerSince, i.HealthSince = w.ours(i.Since), w.ours(i.PowerSince), w.ours(i.HealthSince)
		}
	}
	return s
}

// ours is a moment of Azure's clock in the world's time.
func (w *World) ours(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(-w.cfg.Ahead)
}

// watch keeps the truth before each write, for the observer.
func (w *World) watch(azure *azuresim.Sim) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.keep(r.Header.Get("Authorization"))
		if r.Method == http.MethodGet {
			azure.ServeHTTP(rw, r)
			return
		}
		before, n := w.Truth(), len(azure.Writes())
		w.looked(n+1, before)                                  // a slow answer comes long after the write took effect
		defer func() { w.wrote(before, azure.Writes()[n:]) }() // also when a fault drops the connection
		azure.ServeHTTP(rw, r)
	})
}

// looked keeps the truth before the write that comes next.
func (w *World) looked(seq int, before azuresim.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before[seq] = before
}

func (w *World) wrote(before azuresim.State, writes []azuresim.Write) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range writes {
		if !slices.ContainsFunc(w.calls, func(c Call) bool { return c.Seq == one.Seq }) {
			w.calls = append(w.calls, Call{one, before})
		}
	}
}

// Calls are the writes so far, in order. Those that a fault made in somebody else's name have no
// Before.
func (w *World) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Call
	for _, one := range w.Azure.Writes() {
		call := Call{Write: one}
		call.Time = w.ours(one.Time)
		if i := slices.IndexFunc(w.calls, func(c Call) bool { return c.Seq == one.Seq }); i >= 0 {
			call.Before = w.calls[i].Before
		} else if one.By == "" {
			call.Before = w.before[one.Seq]
		}
		out = append(out, call)
	}
	return out
}

// ear hears what the program logs: decisions for the transcript, errors for whoever looks for the
// cause of a failure.
type ear struct {
	w     *World
	life  *Life
	attrs []slog.Attr
}

func (e *ear) Enabled(context.Context, slog.Level) bool { return true }
func (e *ear) WithGroup(string) slog.Handler            { return e }
func (e *ear) WithAttrs(more []slog.Attr) slog.Handler {
	return &ear{e.w, e.life, slices.Concat(e.attrs, more)}
}

func (e *ear) Handle(_ context.Context, r slog.Record) error {
	if e.life.Dead() {
		return nil
	}
	values := map[string]string{}
	for _, a := range e.attrs {
		values[a.Key] = a.Value.String()
	}
	r.Attrs(func(a slog.Attr) bool { values[a.Key] = a.Value.String(); return true })
	e.w.sniff("the log", line(r.Message, values))
	truth := e.w.atEnd(values["kind"])
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	switch {
	case r.Message == "decision":
		if values["kind"] == "end" {
			e.w.endings[values["rollout"]] = append(e.w.endings[values["rollout"]], time.Now())
			e.w.ends[values["rollout"]] = append(e.w.ends[values["rollout"]], truth)
		}
		e.w.decisions = append(e.w.decisions, Decision{time.Now(), values["rollout"], values["kind"], values["reason"], values["gate"], values["text"]})
	case r.Level >= slog.LevelWarn:
		e.w.errors = append(e.w.errors, line(r.Message, values))
	}
	return nil
}

// atEnd is the truth when a rollout ends: its report is about that moment.
func (w *World) atEnd(kind string) (truth azuresim.State) {
	if kind == "end" {
		truth = w.Truth()
	}
	return truth
}

func line(message string, values map[string]string) string {
	raw, _ := json.Marshal(values) // a map of strings, which marshals
	return message + " " + string(raw)
}

// Decisions are the changes of decision so far, in order.
func (w *World) Decisions() []Decision {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.decisions)
}

// logged is what the program logged as errors, for whoever looks for a failure's cause.
func (w *World) logged() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []error
	for _, l := range w.errors {
		all = append(all, errors.New("the bot logged: "+l))
	}
	return errors.Join(all...)
}
