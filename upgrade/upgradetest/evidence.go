package upgradetest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// Evidence is all an outsider can know: what reached Azure and what Azure is now, what stands in
// Slack and what it stood there before, what people did, and when the program was down. Nothing in
// it comes from the program's own tables.
type Evidence struct {
	Now      time.Time
	Calls    []Call
	Truth    azuresim.State
	Posts    []Post               // of the bot, oldest first
	Acts     []Act                // oldest first
	Opened   map[string]time.Time // forms, by the trigger they were opened with
	Downs    []Down
	Users    []slacksim.User
	Left     map[string]time.Time // when somebody's account was closed
	IMs      map[string]string    // of channels that are conversations with the bot, the person
	Ruled    []Ruled              // policies that came after the first
	Freezes  []Span               // when nothing was to be written to Azure
	Answers  []Answer             // of external gates
	Full     []Span               // when the journal's disk was full
	Lost     []Span               // what the program can know nothing of, since its journal was put back
	Leaks    []Leak
	Jumps    []Jump                      // of the program's clock: what it waits for by that clock is over sooner
	Mute     []Span                      // when nothing new that the bot said reached a channel, though it tried
	Cut      []Span                      // when Slack had no socket to the bot
	Truths   map[string]azuresim.State   // what was true when a message was first read, by its ts
	Ends     map[string][]azuresim.State // what was true whenever the program said that a rollout ends, by its id
	Endings  map[string][]time.Time      // when that was
	Lag      time.Duration               // the longest time that lists may have lagged behind
	Slow     time.Duration               // how long Azure may have kept whoever asked it waiting, in all
	Troubled bool                        // there was trouble with Slack: answers may come late, and twice
}

// Post is a message with all its states, newest first.
type Post struct {
	Seen
	States []Seen
}

// First is the message as it was posted.
func (p Post) First() Seen { return p.States[len(p.States)-1] }

// Posted is when that was.
func (p Post) Posted() time.Time { return moment(p.TS) }

// says is when the message first said that; zero = not yet.
func (p Post) says(text string) (at time.Time) {
	for _, s := range p.States {
		if s.says(text) {
			at = s.At
		}
	}
	return at
}

var rolloutID = regexp.MustCompile(`\br-[0-9a-f]{6}\b`)

// Rollout is the id the message carries, "" if it belongs to none.
func (p Post) Rollout() string {
	if p.First().group != "" {
		return "" // it names several
	}
	return p.First().rollout
}

// Evidence gathers everything up to now.
func (w *World) Evidence() Evidence {
	e := Evidence{Now: time.Now(), Calls: w.Calls(), Truth: w.Truth(), Users: w.Slack.State().Users, Opened: w.opened()}
	for _, m := range w.Messages() {
		e.Posts = append(e.Posts, Post{m, w.versions(m)})
	}
	for _, p := range e.Posts {
		if _, read := w.truths[p.TS]; !read {
			w.truths[p.TS] = e.Truth
		}
	}
	e.Left, e.Truths = maps.Clone(w.left), maps.Clone(w.truths)
	e.IMs, e.Mute, e.Cut = w.conversations(), slices.Clone(w.log.mute), slices.Clone(w.log.cut)
	w.mu.Lock()
	defer w.mu.Unlock()
	e.Leaks, e.Ends, e.Endings = slices.Clone(w.leaks), maps.Clone(w.ends), maps.Clone(w.endings)
	e.Freezes, e.Lost, e.Jumps = slices.Clone(w.freezes), slices.Clone(w.lost), slices.Clone(w.jumps)
	e.Ruled = slices.Clone(w.ruled)
	e.Full, e.Answers = slices.Clone(w.fulls), slices.Clone(w.outside.answers)
	for i, a := range w.acts {
		if at, heard := w.log.heard[a.Mention]; heard && a.Mention != "" {
			w.acts[i].Acked, w.acts[i].Heard = true, at
		}
	}
	e.Acts, e.Downs, e.Troubled, e.Lag = slices.Clone(w.acts), slices.Clone(w.downs), w.troubled, w.lag
	e.Slow = w.slow
	return e
}

// lost reports whether the program can know nothing of that moment, since its journal was put back.
func (e Evidence) lost(at time.Time) bool {
	return slices.ContainsFunc(e.Lost, func(s Span) bool { return s.Holds(at) })
}

// told reports whether the program knows for sure what Azure answered: the answer came whole, and it did not die
// in the call.
func (e Evidence) told(k Call) bool {
	return k.Answered && !slices.ContainsFunc(e.Downs, func(d Down) bool {
		return d.Crash && !d.From.Before(k.Time) && d.From.Sub(k.Time) < inCall
	})
}

// jumped is by how much the program's clock jumped ahead between two moments.
func (e Evidence) jumped(from, to time.Time) (by time.Duration) {
	for _, j := range e.Jumps {
		if !j.At.Before(from) && j.At.Before(to) {
			by += j.By
		}
	}
	return by
}

// Rollouts are the ids of all rollouts that any message names.
func (e Evidence) Rollouts() []string {
	var out []string
	for _, p := range e.Posts {
		if id := p.Rollout(); id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// Rollouts are the ids of all rollouts that were announced in a channel, oldest first.
func (w *World) Rollouts() []string {
	var out []string
	for _, m := range w.Messages() {
		id := Post{m, []Seen{m}}.Rollout()
		if id != "" && m.EphemeralTo == "" && (m.ThreadTS == "" || m.ThreadTS == m.TS) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// conversations are the channels between one person and the bot.
func (w *World) conversations() map[string]string {
	out := map[string]string{}
	for _, c := range w.Slack.State().Channels {
		if c.IMWith != "" {
			out[c.ID] = c.IMWith
		}
	}
	return out
}

// slackLog is what the log of Slack told so far.
type slackLog struct {
	read   int // entries
	opened map[string]time.Time
	mute   []Span
	cut    []Span
	up     int                  // sockets
	events map[string]string    // of envelopes, the ts of the message that they tell of
	heard  map[string]time.Time // messages that an event told of and that were acknowledged
}

// heed reads what is new in Slack's log.
func (w *World) heed() {
	all := w.Slack.Log()
	for _, e := range all[w.log.read:] {
		w.log.form(e)
		w.log.speech(e)
		w.log.socket(e)
		w.log.event(e)
	}
	w.log.read = len(all)
}

// form keeps which forms were opened.
func (l *slackLog) form(e slacksim.Entry) {
	var args struct {
		Trigger string `json:"trigger_id"`
	}
	if e.Kind == slacksim.LogAPI && e.Method == "views.open" && e.Error == "" && json.Unmarshal(e.Args, &args) == nil {
		l.opened[args.Trigger] = e.Time
	}
}

// speech keeps when the bot tried to say something new about a rollout in a channel and failed, until it succeeded.
// News of an image or of a policy waits as long as it has to: nothing is started because of it.
func (l *slackLog) speech(e slacksim.Entry) {
	var to struct {
		Channel string
		Thread  string `json:"thread_ts"`
	}
	if e.Method != "chat.postMessage" || json.Unmarshal(e.Args, &to) != nil || strings.HasPrefix(to.Channel, "U") || strings.HasPrefix(to.Channel, "D") {
		return
	}
	if to.Thread == "" && !rolloutID.Match(e.Args) {
		return
	}
	open := len(l.mute) > 0 && l.mute[len(l.mute)-1].To.IsZero()
	switch said := e.Kind == slacksim.LogAPI && e.Error == ""; {
	case said && open:
		l.mute[len(l.mute)-1].To = e.Time
	case !said && !open:
		l.mute = append(l.mute, Span{From: e.Time})
	}
}

// socket keeps when no socket was greeted and not closed.
func (l *slackLog) socket(e slacksim.Entry) {
	switch {
	case e.Kind == slacksim.LogSocket && e.Method == "hello":
		if l.up++; l.up == 1 && len(l.cut) > 0 {
			l.cut[len(l.cut)-1].To = e.Time
		}
	case e.Kind == slacksim.LogSocket && e.Method == "closed":
		if l.up--; l.up == 0 {
			l.cut = append(l.cut, Span{From: e.Time})
		}
	}
}

// event keeps which messages the program was told of and acknowledged.
func (l *slackLog) event(e slacksim.Entry) {
	switch {
	case e.Kind == slacksim.LogEnvelope && e.Method == "events_api":
		var of struct {
			Payload struct{ Event struct{ Type, TS string } }
		}
		if json.Unmarshal(e.Args, &of) == nil && of.Payload.Event.Type == "app_mention" {
			l.events[e.Envelope] = of.Payload.Event.TS
		}
	case e.Kind == slacksim.LogAck:
		if ts, told := l.events[e.Envelope]; told && l.heard[ts].IsZero() {
			l.heard[ts] = e.Time
		}
	}
}

// unsent reports whether the envelope was sent on no socket.
func (w *World) unsent(envelope string) bool {
	return !slices.ContainsFunc(w.Slack.Log(), func(e slacksim.Entry) bool {
		return e.Kind == slacksim.LogEnvelope && e.Envelope == envelope && e.Error == ""
	})
}

// opened are the forms that were opened, by the trigger they were opened with.
func (w *World) opened() map[string]time.Time {
	w.heed()
	return maps.Clone(w.log.opened)
}
