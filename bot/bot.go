package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// Journal is what the bot needs of the store: deliveries in, messages out. Nothing is kept in
// memory that would be missed after a crash.
type Journal interface {
	// Receive persists a delivery; fresh is false when it was there already. Only after it has
	// returned may the delivery be acknowledged.
	Receive(ctx context.Context, d upgrade.Delivery) (fresh bool, err error)
	// Unsettled lists deliveries that were not settled yet, oldest first.
	Unsettled(ctx context.Context, limit int) ([]upgrade.Delivery, error)
	// Settle commits what became of a delivery, all or nothing.
	Settle(ctx context.Context, s upgrade.Settlement) error
	// NextPost returns a message that is due, or when the next one will be (zero: none).
	NextPost(ctx context.Context) (p upgrade.Pending, next time.Time, ok bool, err error)
	// Sent records what became of it.
	Sent(ctx context.Context, p upgrade.Pending, s upgrade.Sent) error
}

// Bot is the Slack side of the product. Fill in the fields and call Run.
type Bot struct {
	API      *slack.Client
	Journal  Journal
	Reader   upgrade.Reader
	Rollouts commands.Rollouts
	People   *People
	Now      func() time.Time
	Log      *slog.Logger

	// Options are given to every Socket Mode client, such as a dialer.
	Options []socketmode.Option
	// Sockets is how many connections are held at once; zero = 2. Slack cuts each from time to time,
	// and the other one bridges the gap.
	Sockets int
	// Team and App are the ids every payload must carry; empty ones are learnt from Slack when the
	// bot connects.
	Team, App string
	// EditEvery is the shortest time between two edits of one message; zero = 3 s.
	EditEvery time.Duration
	// NewDeliveries and NewPosts are signalled when there is something to do.
	NewDeliveries, NewPosts <-chan struct{}

	mu        sync.Mutex    // guards App
	met       chan struct{} // closed once App is known
	user      string        // the bot's own user id
	connected atomic.Int32
}

// Run connects and works until the context ends or Slack says that the tokens are no good. When it
// returns everything that was acknowledged is in the journal; unfinished work is done after the
// next start.
func (b *Bot) Run(ctx context.Context) error {
	if err := b.check(ctx); err != nil {
		return err
	}
	b.met = make(chan struct{})
	if b.App != "" {
		close(b.met)
	}
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for n := range max(1, b.Sockets, 2*boolInt(b.Sockets == 0)) {
		s := b.newSession(n)
		all.Go(func() {
			if err := s.run(run); err != nil && run.Err() == nil {
				stop(err)
			}
		})
	}
	all.Go(func() { b.work(run) })
	all.Go(func() { b.send(run) })
	all.Wait()
	if cause := context.Cause(run); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Connected returns how many sockets have been greeted by Slack and not been lost since.
func (b *Bot) Connected() int { return int(b.connected.Load()) }

// check asks Slack who we are: a token of another workspace must not get a single payload.
func (b *Bot) check(ctx context.Context) error {
	var who *slack.AuthTestResponse
	err := b.patiently(ctx, "auth.test", func(ctx context.Context) (err error) {
		who, err = b.API.AuthTestContext(ctx)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("slack: auth.test: %w", err)
	case b.Team != "" && b.Team != who.TeamID:
		return fmt.Errorf("slack: the bot token belongs to workspace %s (%s), the configuration names %s", who.TeamID, who.Team, b.Team)
	}
	b.Team, b.user = who.TeamID, who.UserID
	b.People.team = who.TeamID
	b.Log.Info("slack: authenticated", "team", who.TeamID, "bot", who.UserID)
	return nil
}

// patiently repeats a call that changes nothing until it succeeds or is refused for good.
func (b *Bot) patiently(ctx context.Context, what string, call func(context.Context) error) error {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		attempt, cancel := context.WithTimeout(ctx, callTimeout)
		err := call(attempt)
		cancel()
		if err == nil || ctx.Err() != nil || hopeless(err) {
			return err
		}
		var limited *slack.RateLimitedError
		if errors.As(err, &limited) {
			wait = limited.RetryAfter
		}
		b.Log.Warn("slack: not reached, trying again", "call", what, "in", wait, "err", err)
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// hopeless reports whether Slack's answer will be the same next time: somebody has to change the
// token or the app. socketmode itself repeats several of these for ever.
func hopeless(err error) bool {
	var answer slack.SlackErrorResponse
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.Err {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type",
		"missing_scope", "no_permission", "org_login_required", "ekm_access_denied", "team_access_not_granted":
		return true
	}
	return false
}

// CheckTokens refuses tokens that are obviously not what they should be, without printing them.
func CheckTokens(botToken, appToken string) error {
	switch {
	case !strings.HasPrefix(botToken, "xoxb-"):
		return errors.New("slack: the bot token must begin with xoxb- (OAuth & Permissions, Bot User OAuth Token)")
	case !strings.HasPrefix(appToken, "xapp-"):
		return errors.New("slack: the app token must begin with xapp- (Basic Information, App-Level Tokens, scope connections:write)")
	}
	return nil
}
