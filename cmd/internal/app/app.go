// Package app is what the programs share: it reads the configuration, makes policies of it, wires
// the rooms together and runs them until told to stop. It decides nothing.
package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/gate"
	"github.com/vmssbot/vmssbot/upgrade/pager"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// Run is the bot: it opens the journal, connects, and works until the context ends. Everything
// that was acknowledged or begun is in the journal when it returns.
//
// SIGHUP has it read its configuration once more.
func Run(ctx context.Context, c Config, log *slog.Logger) (err error) {
	hangup := make(chan os.Signal, 1) // from the first moment on: it would end the process
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	botToken, appToken, err := c.Slack.Tokens()
	if err != nil {
		return err
	}
	if err := bot.CheckTokens(string(botToken), string(appToken)); err != nil {
		return err
	}
	keys := keyring{}
	if _, _, err := c.outside(keys); err != nil {
		return err
	}
	fleet, err := newAzure(c.Azure)
	if err != nil {
		return err
	}
	journal, err := openJournal(ctx, c, log)
	if err != nil || journal == nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	p := wire(c, keys, fleet, journal, slackAPI(c.Slack, botToken, appToken), log)
	ctx, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	p.journal.lost = lose
	if err := p.governor.begin(ctx, hangup); err != nil {
		return err
	}
	watching, unwatch := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { p.governor.watch(watching, hangup) })
	defer watch.Wait()
	defer unwatch()
	return p.run(ctx)
}

func newAzure(c Azure) (*azure.Azure, error) {
	cfg := Config{Azure: c}.azure()
	var err error
	if c.Auth == "local" {
		cfg.Credential = azure.LocalCredential()
	} else if cfg.Credential, err = azure.Credential(c.Auth, c.ClientID, azure.Cloud(c.Cloud)); err != nil {
		return nil, err
	}
	return azure.New(cfg)
}

// slackAPI is the Web API client. Redirects are never followed: a token goes to one host.
func slackAPI(c Slack, botToken, appToken Secret) *slack.Client {
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	options := []slack.Option{slack.OptionHTTPClient(client), slack.OptionAppLevelToken(string(appToken))}
	if c.APIURL != "" {
		options = append(options, slack.OptionAPIURL(strings.TrimSuffix(c.APIURL, "/")+"/"))
	}
	return slack.New(string(botToken), options...)
}

// parts are the rooms, wired.
type parts struct {
	engine   *upgrade.Engine
	bot      *bot.Bot
	clerk    *upgrade.Clerk
	lookout  *upgrade.Lookout
	prober   *gate.Prober
	pager    *pager.Pager
	journal  *ledger
	governor governor
	frozen   func() string
	health   string // the address to tell it at, "" = nowhere
	log      *slog.Logger
}

func wire(c Config, keys keyring, fleet *azure.Azure, s *store.Store, api *slack.Client, log *slog.Logger) parts {
	journal, rules := newLedger(s, time.Now, log), &upgrade.Rules{}
	policies, groups := rules.Policies, &atomic.Pointer[[]Group]{}
	groups.Store(&c.Groups)
	stopped := func() string { return frozen(c.beside()) }
	people := &bot.People{API: api, Now: time.Now, Groups: func() []string { return bot.GroupsOf(policies()) }}
	desk := upgrade.Desk{Fleet: fleet, Catalogue: fleet, Journal: journal, People: people, Policies: policies, Groups: func() []upgrade.Group { return grouped(*groups.Load()) }, Now: time.Now, ID: ID}
	edge := &bot.Bot{API: api, Journal: journal, Reader: journal, Rollouts: desk, People: people, Now: time.Now, Log: log,
		Team: c.Slack.Team, App: c.Slack.App, EditEvery: c.Pace.Edit, NewDeliveries: s.Deliveries(), NewPosts: s.Posts()}
	prober := gate.NewProber(gate.Transport(net.DefaultResolver), time.Now)
	engine := &upgrade.Engine{Fleet: fleet, Journal: journal, Reader: journal, People: people, Policies: policies,
		Pace: c.Pace.pace(), Now: time.Now, ID: ID, Log: log, Woken: s.Passes(), Frozen: stopped, Link: edge.Unheard, Closed: edge.Closed, Gates: prober.Read}
	tells := &pager.Pager{Journal: journal, Client: pager.Client(), Now: time.Now, Log: log, Woken: s.Pages()}
	clerk := &upgrade.Clerk{Desk: desk, Book: journal, Log: log, Woken: s.Occurrences(), Frozen: stopped, Fit: edge.Fit}
	lookout := &upgrade.Lookout{Catalogue: fleet, Journal: journal, Book: journal, Policies: policies, Now: time.Now, Log: log}
	return parts{engine, edge, clerk, lookout, prober, tells, journal, governor{c, keys, prober, tells, groups, rules, journal, time.Now, log}, stopped, c.Health, log}
}

// run works until the context ends or one side cannot go on. The engine stops at once then, so that
// nothing new is started while the bot finishes what it began.
func (p parts) run(ctx context.Context) error {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p.bot.Ends = stop
	look := func(asking context.Context) facts { return p.look(asking, context.Cause(working)) }
	unserve, err := serveHealth(p.health, healthHandler(look, time.Now), p.log)
	if err != nil {
		return err
	}
	defer unserve()
	told := make(chan struct{})
	go func() { p.pager.Run(working); close(told) }()
	engine, clerk, lookout := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { engine <- p.engine.Run(working) }()
	go func() { clerk <- p.clerk.Run(working) }()
	go func() { lookout <- p.lookout.Run(working) }()
	var probing sync.WaitGroup
	probing.Go(func() { p.prober.Run(working) })
	defer probing.Wait()
	err = p.bot.Run(ctx)
	stop(err)
	err = errors.Join(err, <-engine, <-clerk, <-lookout)
	if cause := context.Cause(ctx); errors.Is(cause, store.ErrHeld) {
		err = errors.Join(err, cause)
	}
	<-told
	p.log.Info("stopped", "err", err)
	return err
}

// look gathers what health is told from.
func (p parts) look(ctx context.Context, ended error) facts {
	ctx, cancel := context.WithTimeout(ctx, looksFor)
	defer cancel()
	f := facts{ended: ended, sockets: p.bot.Connected(), unheard: p.bot.Unheard(), patience: p.engine.Pace.Unheard,
		idle: p.journal.idle(), frozen: p.frozen(), untold: p.pager.Failing()}
	f.unsent, f.unread = p.journal.Unsent(ctx)
	f.unwritten = p.journal.writable(ctx)
	return f
}

// ID returns 128 random bits in hex.
func ID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails: crypto/rand ends the process rather than return weak bits
	return hex.EncodeToString(b)
}

// Signals returns a context that ends when the process is asked to stop.
func Signals() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// Fail prints an error for a person and returns the exit code.
func Fail(program string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
	return 1
}
