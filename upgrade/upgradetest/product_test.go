package upgradetest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/gate"
	"github.com/vmssbot/vmssbot/upgrade/pager"
	"github.com/vmssbot/vmssbot/upgrade/store"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

// product is vmssbot, wired as the programs in cmd wire it. Only what it reaches is another: an
// in-memory network, and a disk that takes a moment and may stop with the process.
func product(ctx context.Context, s upgradetest.Site) (err error) {
	fleet, err := azure.New(azure.Config{Subscription: s.Subscription, Endpoint: s.AzureURL, Credential: azure.LocalCredential(), Transport: s.HTTP, Now: s.Now})
	if err != nil {
		return err
	}
	journal, err := store.Open(s.Journal, s.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	d := disk{journal, s.Life}
	api := slack.New(s.BotToken, slack.OptionHTTPClient(s.HTTP), slack.OptionAppLevelToken(s.AppKey), slack.OptionAPIURL(s.SlackURL))
	rules := &upgrade.Rules{}
	policies := rules.Policies
	before, known, err := journal.Policies(ctx)
	if err != nil {
		return err
	}
	if err := govern(ctx, s, journal, rules, before, known, s.Policies); err != nil {
		return err
	}
	people := &bot.People{API: api, Now: s.Now}
	engine := &upgrade.Engine{Fleet: fleet, Journal: d, Reader: d, People: people, Policies: policies, Pace: upgrade.DefaultPace(), Now: s.Now, ID: s.ID, Log: s.Log,
		Woken: journal.Passes(), Frozen: s.Frozen}
	desk := upgrade.Desk{Fleet: fleet, Catalogue: fleet, Journal: d, People: people, Policies: policies, Groups: func() []upgrade.Group { return s.Groups }, Now: s.Now, ID: s.ID}
	edge := &bot.Bot{API: api, Journal: d, Reader: d, Rollouts: desk, People: people, Now: s.Now, Log: s.Log,
		Dial: s.Dial, NewDeliveries: journal.Deliveries(), NewPosts: journal.Posts()}
	engine.Link, engine.Closed = edge.Unheard, edge.Closed
	prober := gate.NewProber(s.HTTP.Transport, s.Now)
	prober.Use(s.Gates)
	engine.Gates = prober.Read
	var reloads sync.WaitGroup
	defer reloads.Wait()
	ctx, cease := context.WithCancel(ctx)
	defer cease()
	reloads.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case to := <-s.Reload:
				if err := govern(ctx, s, journal, rules, rules.Policies(), true, to); err != nil {
					s.Log.Error("the policies were not taken", "err", err)
				}
			}
		}
	})
	clerk := &upgrade.Clerk{Desk: desk, Book: d, Log: s.Log, Woken: journal.Occurrences(), Frozen: s.Frozen, Fit: edge.Fit}
	lookout := &upgrade.Lookout{Catalogue: fleet, Journal: d, Book: d, Policies: policies, Now: s.Now, Log: s.Log}
	if s.OfficeURL == "" {
		return run(ctx, engine, clerk, lookout, edge, prober)
	}
	office := pager.Hook{Name: "office", URL: pager.Address(s.OfficeURL), Format: pager.JSON, Key: pager.Key(s.OfficeKey), On: []upgrade.PageKind{upgrade.PageHold, upgrade.PageFailure, upgrade.PageExpiry, upgrade.PageEnd}}
	tells := &pager.Pager{Journal: d, Hooks: []pager.Hook{office}, Client: s.HTTP, Now: s.Now, Log: s.Log, Woken: journal.Pages()}
	if err := tells.Subscribe(ctx, tells.Hooks); err != nil {
		return err
	}
	telling, stop := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() { tells.Run(telling); close(told) }()
	defer func() { stop(); <-told }()
	return run(ctx, engine, clerk, lookout, edge, prober)
}

// govern puts policies in force.
func govern(ctx context.Context, s upgradetest.Site, journal *store.Store, rules *upgrade.Rules, before []upgrade.Policy, known bool, to []upgrade.Policy) error {
	var changes []upgrade.PolicyChange
	if known {
		changes = upgrade.Compare(before, to)
	}
	return rules.Change(to, func() error {
		if known && len(changes) == 0 {
			return nil
		}
		return journal.Commit(ctx, upgrade.Change{Events: upgrade.At(s.Now(), "", upgrade.Governed{Policies: to, Changes: changes}), Posts: bot.Ruled(s.Now(), changes)})
	})
}

func run(ctx context.Context, engine *upgrade.Engine, clerk *upgrade.Clerk, lookout *upgrade.Lookout, edge *bot.Bot, prober *gate.Prober) error {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var probing sync.WaitGroup
	probing.Go(func() { prober.Run(working) })
	defer probing.Wait()
	edge.Ends = stop
	passes, rounds, looks := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { passes <- engine.Run(working) }()
	go func() { rounds <- clerk.Run(working) }()
	go func() { looks <- lookout.Run(working) }()
	err := edge.Run(ctx)
	stop(err)
	return errors.Join(err, <-passes, <-rounds, <-looks)
}

// disk is the journal as a process of a world reaches it.
type disk struct {
	*store.Store
	life *upgradetest.Life
}

func (d disk) Claim(ctx context.Context) (l upgrade.Lease, next time.Time, ok bool, err error) {
	err = d.life.Write("journal.Claim", func() (err error) { l, next, ok, err = d.Store.Claim(ctx); return err })
	return l, next, ok, err
}

func (d disk) Extend(ctx context.Context, l upgrade.Lease) error {
	return d.life.Write("journal.Extend", func() error { return d.Store.Extend(ctx, l) })
}

func (d disk) Append(ctx context.Context, l upgrade.Lease, c upgrade.Change) (seq int, err error) {
	err = d.life.Write("journal.Append", func() (err error) { seq, err = d.Store.Append(ctx, l, c); return err })
	return seq, err
}

func (d disk) Release(ctx context.Context, l upgrade.Lease, at time.Time) error {
	return d.life.Write("journal.Release", func() error { return d.Store.Release(ctx, l, at) })
}

func (d disk) Record(ctx context.Context, id string) (r upgrade.Record, err error) {
	err = d.life.Disk("journal.Record", func() (err error) { r, err = d.Store.Record(ctx, id); return err })
	return r, err
}

func (d disk) Open(ctx context.Context) (list []upgrade.Record, err error) {
	err = d.life.Disk("journal.Open", func() (err error) { list, err = d.Store.Open(ctx); return err })
	return list, err
}

func (d disk) Ended(ctx context.Context, set upgrade.SetID, most int) (list []upgrade.Record, err error) {
	err = d.life.Disk("journal.Ended", func() (err error) { list, err = d.Store.Ended(ctx, set, most); return err })
	return list, err
}

func (d disk) Group(ctx context.Context, group string) (list []upgrade.Record, err error) {
	err = d.life.Disk("journal.Group", func() (err error) { list, err = d.Store.Group(ctx, group); return err })
	return list, err
}

func (d disk) Holder(ctx context.Context, set upgrade.SetID) (r upgrade.Record, err error) {
	err = d.life.Disk("journal.Holder", func() (err error) { r, err = d.Store.Holder(ctx, set); return err })
	return r, err
}

func (d disk) Card(ctx context.Context, nonce string) (c upgrade.Card, err error) {
	err = d.life.Disk("journal.Card", func() (err error) { c, err = d.Store.Card(ctx, nonce); return err })
	return c, err
}

func (d disk) Receive(ctx context.Context, x ...upgrade.Delivery) (fresh int, err error) {
	err = d.life.Write("journal.Receive", func() (err error) { fresh, err = d.Store.Receive(ctx, x...); return err })
	return fresh, err
}

func (d disk) Unsettled(ctx context.Context, after int64, limit int) (list []upgrade.Delivery, err error) {
	err = d.life.Disk("journal.Unsettled", func() (err error) { list, err = d.Store.Unsettled(ctx, after, limit); return err })
	return list, err
}

func (d disk) Settle(ctx context.Context, x upgrade.Settlement) error {
	return d.life.Write("journal.Settle", func() error { return d.Store.Settle(ctx, x) })
}

func (d disk) Commit(ctx context.Context, c upgrade.Change) error {
	return d.life.Write("journal.Commit", func() error { return d.Store.Commit(ctx, c) })
}

func (d disk) NextPost(ctx context.Context, pictures, answers bool) (p upgrade.Pending, next time.Time, ok bool, err error) {
	err = d.life.Disk("journal.NextPost", func() (err error) { p, next, ok, err = d.Store.NextPost(ctx, pictures, answers); return err })
	return p, next, ok, err
}

func (d disk) Sent(ctx context.Context, p upgrade.Pending, x upgrade.Sent) error {
	return d.life.Write("journal.Sent", func() error { return d.Store.Sent(ctx, p, x) })
}

func (d disk) Subscribe(ctx context.Context, hook string) error {
	return d.life.Write("journal.Subscribe", func() error { return d.Store.Subscribe(ctx, hook) })
}

func (d disk) NextPage(ctx context.Context, hook string) (p upgrade.PendingPage, next time.Time, ok bool, err error) {
	err = d.life.Disk("journal.NextPage", func() (err error) { p, next, ok, err = d.Store.NextPage(ctx, hook); return err })
	return p, next, ok, err
}

func (d disk) Told(ctx context.Context, hook string, p upgrade.PendingPage, x upgrade.Sent) error {
	return d.life.Write("journal.Told", func() error { return d.Store.Told(ctx, hook, p, x) })
}
