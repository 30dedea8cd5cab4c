package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	callTimeout  = 10 * time.Second        // of one Web API call
	slackWaits   = 3 * time.Second         // for an acknowledgement; then it tells the person that it failed
	ackTimeout   = 2500 * time.Millisecond // for handing one over
	inboundQueue = 256                     // of a socket; half of it is kept for words that stop
	together     = 64                      // deliveries in one commit
	shortLived   = 10 * time.Second        // a connection that was cut sooner than that
	shortInARow  = 3                       // so many of them are no accident
)

// Session is one Socket Mode connection and what it brought. Its event channel is drained by a loop
// that never blocks: a slack-go client whose events are not taken stops answering pings, is cut and
// never reconnects.
type Session struct {
	b       *Bot
	client  *socketmode.Client
	inbound chan inbound
	log     *slog.Logger
	taking  context.Context // until it ends payloads are taken

	// The loop's own.
	greeted bool
	opened  time.Time // of the connection there is; zero = none
	short   int       // connections in a row that were cut at once
	shed    int       // payloads that were too much in all
}

// inbound is a payload on its way to the journal; one without a delivery is only acknowledged, with
// the answer that travels in the acknowledgement, if there is one.
type inbound struct {
	envelope string
	delivery *upgrade.Delivery
	answer   any
	at       time.Time
}

func (b *Bot) newSession(n int) *Session {
	return &Session{b: b, client: socketmode.New(b.API, socketmode.OptionDialer(b.dialer())), inbound: make(chan inbound, inboundQueue), log: b.Log.With("socket", n)}
}

// run holds the connection until linked ends, or returns an error that trying again will not cure.
// When taking ends the connection stays for the acknowledgements that are due.
func (s *Session) run(taking, linked context.Context) error {
	s.taking = taking
	linked, cut := context.WithCancel(linked)
	var keeping sync.WaitGroup
	keeping.Go(func() { s.persist(linked) })
	defer keeping.Wait()
	defer cut()
	defer s.lost()
	for linked.Err() == nil {
		if err := s.connect(linked); err != nil {
			return err
		}
		sleep(linked, s.rest())
	}
	return nil
}

// connect runs the client and takes what it brings. It returns nil when the context ended, or when
// Slack cuts every connection at once: Socket Mode was switched off (link_disabled), or there are ten
// sockets already (too_many_websockets). slack-go would connect again the same moment, for ever, and
// tells nobody the reason.
func (s *Session) connect(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.client.RunContext(ctx) }()
	for {
		select {
		case err := <-ended:
			s.lost()
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return fmt.Errorf("slack: socket: %w", err)
		case e := <-s.client.Events:
			before := s.short
			if err := s.event(e); err != nil {
				stop()
				<-ended
				return err
			}
			if s.short > before && s.short >= shortInARow {
				stop()
			}
		}
	}
}

const cutAtOnce = "every connection is cut at once: is Socket Mode switched off, or are ten sockets of this app open?"

// rest is the pause before connecting again: longer each time that connections are cut at once.
func (s *Session) rest() time.Duration {
	if s.short < shortInARow {
		return 0
	}
	wait := min(time.Second<<min(s.short-shortInARow, 6), time.Minute)
	s.b.reach.failed(cutAtOnce)
	s.log.Error("slack: "+cutAtOnce, "in_a_row", s.short, "again_in", wait)
	return wait
}

func (s *Session) event(e socketmode.Event) error {
	switch e.Type {
	case socketmode.EventTypeConnected:
		s.opened = s.b.Now()
	case socketmode.EventTypeHello:
		return s.hello(e.Request)
	case socketmode.EventTypeConnecting:
		s.lost()
	case socketmode.EventTypeConnectionError:
		s.lost()
		return s.connectionError(e.Data)
	case socketmode.EventTypeInvalidAuth:
		return errors.New("slack: the app token was refused")
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		s.take(string(e.Type), e.Request.EnvelopeID, e.Request.Payload)
	case socketmode.EventTypeErrorBadMessage:
		s.badMessage(e.Data)
	case socketmode.EventTypeErrorWriteFailed, socketmode.EventTypeIncomingError:
		if s.taking.Err() == nil { // else it is we who end it
			s.log.Warn("slack: socket", "event", e.Type)
		}
	}
	return nil
}

// hello greets back. More connections than ours, and those they replace, mean that somebody else
// holds the same app token: Slack gives each payload to any one of us.
func (s *Session) hello(r *socketmode.Request) error {
	app := r.ConnectionInfo.AppID
	if app != "" && app != s.b.App {
		return fmt.Errorf("slack: the app token belongs to app %s, the bot token to %s", app, s.b.App)
	}
	if !s.greeted {
		s.greeted = true
		s.b.reach.greeted(s.b.Now())
	}
	s.log.Info("slack: connected", "app", app, "connections", r.NumConnections)
	if r.NumConnections > 2*max(s.b.Sockets, 2) {
		s.log.Warn("slack: another copy of this bot is connected and gets part of what people say", "connections", r.NumConnections)
	}
	return nil
}

func (s *Session) lost() {
	if s.greeted {
		s.greeted = false
		s.b.reach.lost(s.b.Now())
	}
	if s.opened.IsZero() {
		return
	}
	s.short++
	if s.b.Now().Sub(s.opened) >= shortLived {
		s.short = 0
	}
	s.opened = time.Time{}
}

func (s *Session) connectionError(data any) error {
	e, ok := data.(*slack.ConnectionErrorEvent)
	if !ok || errors.Is(e.ErrorObj, context.Canceled) {
		return nil
	}
	if hopeless(e.ErrorObj) {
		return fmt.Errorf("slack: open a socket: %s", explain(e.ErrorObj))
	}
	s.b.reach.failed(explain(e.ErrorObj))
	s.log.Warn("slack: no connection, trying again", "attempt", e.Attempt, "in", e.Backoff, "err", explain(e.ErrorObj))
	return nil
}

// badMessage takes what slack-go could not parse: it is persisted and acknowledged like the rest,
// and refused when it is looked at, so that Slack does not send it for ever.
func (s *Session) badMessage(data any) {
	bad, ok := data.(*socketmode.ErrorBadMessage)
	if !ok {
		return
	}
	var envelope socketmode.Request
	if err := json.Unmarshal(bad.Message, &envelope); err != nil || envelope.EnvelopeID == "" {
		s.log.Warn("slack: a frame that is no envelope", "bytes", len(bad.Message))
		return
	}
	s.take(envelope.Type, envelope.EnvelopeID, envelope.Payload)
}

// take queues a payload for the journal. One that is too much, of this person or in all, is neither
// kept nor acknowledged: Slack tells the person, who can try again, or tells of a mention again. What is
// too much of one person is answered once in a while, too, so that it must not come again; and nothing in
// all is too much for words that stop something.
func (s *Session) take(kind, envelope string, body json.RawMessage) {
	p, _ := parse(body) // one that cannot be read is refused when it is looked at
	in := inbound{envelope: envelope, answer: s.b.objection(p), at: s.b.Now()}
	switch {
	case s.taking.Err() != nil:
		return // another process, or the next life of this one, gets it
	case kind == kindEvent && !p.forUs():
	default:
		if in = s.admitted(in, kind, p, body); in.envelope == "" {
			return
		}
	}
	select {
	case s.inbound <- in:
	default:
		s.log.Error("slack: too much at once: a word that stops was not taken", "kind", kind)
	}
}

// admitted has the payload as a delivery; the zero value is not taken.
func (s *Session) admitted(in inbound, kind string, p payload, body json.RawMessage) inbound {
	comes, tell := s.b.door.admit(p.person(), in.at)
	switch {
	case !comes && !tell && kind == kindEvent:
		return in // acknowledged: Slack would tell nobody, and tell of it again
	case !comes && (!tell || p.Type == "view_submission"): // a form stays open when Slack says that it failed
		return inbound{}
	case comes && in.answer != nil: // the person goes on with the form
		return in
	}
	d := upgrade.Delivery{Key: deliveryKey(kind, in.envelope, p), Kind: kind, Body: body, At: p.said(in.at)}
	if !comes {
		d.Kind = kindTooMuch
		s.log.Warn("slack: too much of one person is not taken", "user", p.person(), "kind", kind)
	}
	full := len(s.inbound) >= inboundQueue/2 ||
		s.b.backlog.Load() >= mostWaiting
	if full && !s.b.understand(d).stops() {
		if s.shed++; s.shed&(s.shed-1) == 0 { // the 1st, 2nd, 4th, 8th …: the log is no flood
			s.log.Warn("slack: too much of everybody is not taken", "so_far", s.shed)
		}
		return inbound{}
	}
	in.delivery = &d
	return in
}

// persist writes deliveries to the journal, those that wait in one commit, and acknowledges them after
// that, never before.
func (s *Session) persist(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case in := <-s.inbound:
			all := []inbound{in}
			for len(all) < together && len(s.inbound) > 0 {
				all = append(all, <-s.inbound)
			}
			for _, in := range s.kept(ctx, all) {
				s.ack(ctx, in)
			}
		}
	}
}

// kept is what may be acknowledged: what is in the journal, or need not be. A delivery for which Slack has
// stopped waiting is not kept: its author was told that it failed, and must not find out later that it
// did not.
func (s *Session) kept(ctx context.Context, all []inbound) []inbound {
	for {
		now := s.b.Now()
		oldest, deliveries := now, []upgrade.Delivery(nil)
		all = slices.DeleteFunc(all, func(in inbound) bool { return in.delivery != nil && now.Sub(in.at) >= slackWaits })
		for _, in := range all {
			if in.delivery != nil && in.at.Before(oldest) {
				oldest = in.at
			}
			if in.delivery != nil {
				deliveries = append(deliveries, *in.delivery)
			}
		}
		if len(deliveries) == 0 {
			return all
		}
		within, cancel := context.WithTimeout(ctx, slackWaits-now.Sub(oldest))
		_, err := s.b.Journal.Receive(within, deliveries...)
		late := within.Err() != nil && ctx.Err() == nil // for the oldest, maybe not for the others
		cancel()
		switch {
		case err == nil:
			return all
		case !late:
			s.log.Error("journal: deliveries were not persisted and are not acknowledged", "count", len(deliveries), "err", err)
			return slices.DeleteFunc(all, func(in inbound) bool { return in.delivery != nil })
		}
		s.log.Error("journal: it is too late for a delivery, which is not acknowledged", "err", err)
	}
}

func (s *Session) ack(ctx context.Context, in inbound) {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	if err := s.client.AckCtx(ctx, in.envelope, in.answer); err != nil {
		s.log.Warn("slack: not acknowledged; it is in the journal and will be carried out", "err", err)
	}
}
