package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/sync/errgroup"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	callTimeout  = 10 * time.Second        // of one Web API call
	ackTimeout   = 2500 * time.Millisecond // Slack waits 3 s
	inboundQueue = 1024
)

// Session is one Socket Mode connection and what it brought. Its event channel is drained by a loop
// that never blocks: a slack-go client whose events are not taken stops answering pings, is cut and
// never reconnects.
type Session struct {
	b       *Bot
	client  *socketmode.Client
	inbound chan inbound
	log     *slog.Logger
	once    sync.Once
	greeted bool
}

type inbound struct {
	envelope string
	delivery upgrade.Delivery
}

func (b *Bot) newSession(n int) *Session {
	return &Session{b: b, client: socketmode.New(b.API, b.Options...), inbound: make(chan inbound, inboundQueue), log: b.Log.With("socket", n)}
}

// run holds the connection until the context ends, or returns an error that trying again will not
// cure.
func (s *Session) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.client.RunContext(ctx) })
	group.Go(func() error { return s.drain(ctx) })
	group.Go(func() error { return s.persist(ctx) })
	err := group.Wait()
	s.lost()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (s *Session) drain(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-s.client.Events:
			if err := s.event(e); err != nil {
				return err
			}
		}
	}
}

func (s *Session) event(e socketmode.Event) error {
	switch e.Type {
	case socketmode.EventTypeHello:
		return s.hello(e.Request)
	case socketmode.EventTypeConnecting, socketmode.EventTypeDisconnect:
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
		s.log.Warn("slack: socket", "event", e.Type)
	}
	return nil
}

func (s *Session) hello(r *socketmode.Request) error {
	app := r.ConnectionInfo.AppID
	s.once.Do(func() { s.log.Info("slack: connected", "app", app, "connections", r.NumConnections) })
	if !s.greeted {
		s.greeted = true
		s.b.connected.Add(1)
	}
	return s.b.learnApp(app)
}

// learnApp keeps the app id that payloads must carry.
func (b *Bot) learnApp(app string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case app == "" || app == b.App:
	case b.App == "":
		b.App = app
		close(b.met)
	default:
		return fmt.Errorf("slack: the app token belongs to app %s, not %s", app, b.App)
	}
	return nil
}

func (s *Session) lost() {
	if s.greeted {
		s.greeted = false
		s.b.connected.Add(-1)
	}
}

func (s *Session) connectionError(data any) error {
	e, ok := data.(*slack.ConnectionErrorEvent)
	if !ok {
		return nil
	}
	if hopeless(e.ErrorObj) {
		return fmt.Errorf("slack: open a socket: %w", e.ErrorObj)
	}
	s.log.Warn("slack: no connection, trying again", "attempt", e.Attempt, "in", e.Backoff, "err", e.ErrorObj)
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

// take queues a payload for the journal. When the queue is full it is neither kept nor
// acknowledged: Slack tells the person, who can try again.
func (s *Session) take(kind, envelope string, payload json.RawMessage) {
	d := upgrade.Delivery{Key: deliveryKey(kind, envelope, payload), Kind: kind, Body: payload, At: s.b.Now()}
	select {
	case s.inbound <- inbound{envelope, d}:
	default:
		s.log.Error("slack: too much at once, a payload was not taken", "kind", kind)
	}
}

// persist writes deliveries to the journal and acknowledges them after that, never before.
func (s *Session) persist(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case in := <-s.inbound:
			if _, err := s.b.Journal.Receive(ctx, in.delivery); err != nil {
				s.log.Error("journal: a delivery was not persisted and is not acknowledged", "kind", in.delivery.Kind, "err", err)
				continue
			}
			s.ack(ctx, in.envelope)
		}
	}
}

func (s *Session) ack(ctx context.Context, envelope string) {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	if err := s.client.AckCtx(ctx, envelope, nil); err != nil {
		s.log.Warn("slack: not acknowledged; it is in the journal and will be carried out", "err", err)
	}
}
