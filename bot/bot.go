package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// Journal is what the bot needs of the store: deliveries in, messages out. Nothing is kept in
// memory that would be missed after a crash.
type Journal interface {
	// Receive persists deliveries, all or none, and counts those that were not there already. Only after
	// it has returned may they be acknowledged.
	Receive(ctx context.Context, all ...upgrade.Delivery) (fresh int, err error)
	// Unsettled lists deliveries that came after the one with the id and were not settled yet, oldest first.
	Unsettled(ctx context.Context, after int64, limit int) ([]upgrade.Delivery, error)
	// Settle commits what became of a delivery, all or nothing.
	Settle(ctx context.Context, s upgrade.Settlement) error
	// Thread names the rollout whose messages stand in a thread; upgrade.ErrNotFound if there is none.
	Thread(ctx context.Context, channel, ts string) (rollout string, err error)
	// NextPost returns a message that is due, or when the next one will be (zero: none); pictures and
	// answers say whether one of these may be it.
	NextPost(ctx context.Context, pictures, answers bool) (p upgrade.Pending, next time.Time, ok bool, err error)
	// Answers lists the other answers that wait to be told to the person of p in the same channel, those
	// that are not due yet as well.
	Answers(ctx context.Context, p upgrade.Pending, limit int) ([]upgrade.Pending, error)
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

	// Dial opens the connection under a socket; nil = TCP, through the environment's proxy if it names one.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Sockets is how many connections are held at once; zero = 2. Slack cuts each from time to time,
	// and the other one bridges the gap.
	Sockets int
	// Team and App are the ids every payload must carry; empty ones are learnt from the bot token.
	Team, App string
	// EditEvery is the shortest time between two edits of one message; zero = 3 s.
	EditEvery time.Duration
	// Ends is called once, as soon as Run is about to end and takes nothing more: with what Slack said when
	// the tokens are no good, else with its context's cause. What was begun takes seconds longer. nil =
	// nobody wants to know.
	Ends func(error)
	// NewDeliveries and NewPosts are signalled when there is something to do.
	NewDeliveries, NewPosts <-chan struct{}

	enterprise string // of Team, "" = none
	user       string // the bot's own user id
	reach      reach
	door       door
	backlog    atomic.Int64 // deliveries that wait for the worker
	channels   channels
	pace       pace // the sender's
	talk       talk // the sender's, for answers, one of which is sent at a time
	homes      homes
	workspace  string // its address, such as https://acme.slack.com/
}

// How a bot that is told to stop ends, in less than ten seconds: nothing new is taken or begun; what
// was begun, and the answers to it, have drainFor; acknowledgements on their way have flushFor.
const (
	drainFor = 8 * time.Second
	flushFor = 200 * time.Millisecond
)

// Run connects and works until the context ends or Slack says that the tokens are no good. When it
// returns everything that was acknowledged is in the journal; unfinished work is done after the
// next start.
func (b *Bot) Run(ctx context.Context) error {
	b.Unheard() // from now on
	b.talk = talk{}
	if err := b.check(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	taking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	linked, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	answering, answered := context.WithCancel(linked)
	defer answered()
	var sockets, work, posts, people sync.WaitGroup
	for n := range cmp.Or(b.Sockets, 2) {
		s := b.newSession(n)
		sockets.Go(func() { stopOn(s.run(taking, linked), stop) })
	}
	work.Go(func() { b.work(taking, linked) })
	posts.Go(func() { stopOn(b.send(answering, linked), stop) })
	people.Go(func() { b.People.keep(taking) })
	people.Go(func() { b.keepHomes(taking) })

	<-taking.Done()
	if b.Ends != nil {
		b.Ends(context.Cause(taking))
	}
	limit := time.AfterFunc(drainFor, cut)
	defer limit.Stop()
	work.Wait()
	answered()
	posts.Wait()
	sleep(linked, flushFor)
	cut()
	sockets.Wait()
	people.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(taking)
}

func stopOn(err error, stop context.CancelCauseFunc) {
	if err != nil {
		stop(err)
	}
}

// check asks Slack who we are: a payload of another workspace or app must not be heard, and what was
// acknowledged before a restart must be.
func (b *Bot) check(ctx context.Context) error {
	var who *slack.AuthTestResponse
	var app *slack.Bot
	err := b.patiently(ctx, "auth.test", func(ctx context.Context) (err error) {
		who, err = b.API.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return err
	}
	err = b.patiently(ctx, "bots.info", func(ctx context.Context) (err error) {
		app, err = b.API.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: who.BotID})
		return err
	})
	switch {
	case err != nil:
		return err
	case b.Team != "" && b.Team != who.TeamID:
		return fmt.Errorf("slack: the bot token belongs to workspace %s (%s), the configuration names %s", who.TeamID, who.Team, b.Team)
	case b.App != "" && b.App != app.AppID:
		return fmt.Errorf("slack: the bot token belongs to app %s, the configuration names %s", app.AppID, b.App)
	}
	b.Team, b.App, b.enterprise, b.user, b.workspace = who.TeamID, app.AppID, who.EnterpriseID, who.UserID, who.URL
	b.Log.Info("slack: authenticated", "team", b.Team, "app", b.App, "bot", b.user)
	b.People.meet(ctx, b.Team, b.Log)
	return nil
}

// patiently repeats a call that changes nothing until it succeeds or is refused for good.
func (b *Bot) patiently(ctx context.Context, what string, call func(context.Context) error) error {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		attempt, cancel := context.WithTimeout(ctx, callTimeout)
		err := call(attempt)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || hopeless(err) {
			return fmt.Errorf("slack: %s: %s", what, explain(err))
		}
		if limit, limited := rateLimit(err); limited {
			wait = limit
		}
		b.Log.Warn("slack: not reached, trying again", "call", what, "in", wait, "err", err)
		sleep(ctx, wait)
	}
}

// sleep waits, or returns early when the context ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// What Slack's tokens begin with.
const (
	BotTokenPrefix = "xoxb-"
	AppTokenPrefix = "xapp-"
)

// CheckTokens refuses tokens that are obviously not what they should be, without printing them.
func CheckTokens(botToken, appToken string) error {
	switch {
	case !strings.HasPrefix(botToken, BotTokenPrefix):
		return errors.New("slack: the bot token must begin with xoxb- (OAuth & Permissions, Bot User OAuth Token)")
	case !strings.HasPrefix(appToken, AppTokenPrefix):
		return errors.New("slack: the app token must begin with xapp- (Basic Information, App-Level Tokens, scope connections:write)")
	}
	return nil
}
