package bench

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
	"github.com/vmssbot/vmssbot/upgrade/store"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

// bubble runs f in a synctest bubble. A bubble belongs to a test, and benchmarks are none: RunTests,
// by which go test itself runs its tests, makes one here and now, so that the figures of simulated
// time are reported by the same -bench run as the others, and nothing of it runs without -bench.
func bubble(b *testing.B, f func(t *testing.T)) {
	b.Helper()
	every := func(pattern, _ string) (bool, error) { // -run and -skip are for benchmarks here
		return pattern == "" || !strings.Contains(flag.Lookup("test.skip").Value.String(), pattern), nil
	}
	ok := testing.RunTests(every, []testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) { synctest.Test(t, f) }}})
	if !ok {
		b.FailNow() // it was said why
	}
}

// simulated is a stage with the product in a simulated world, at the pace of production. Its set is
// the fleet's first.
func simulated(t *testing.T, fleet azuresim.Fleet) stage {
	t.Helper()
	p := upgrade.DefaultPolicy()
	p.Pattern, p.Channel, p.Soak, p.Bake = "*", slacksim.Ops, 0, 0
	p.Requesters, p.Approvers = []string{slacksim.Ana}, []string{slacksim.Bo}
	path := journal(t)
	w, err := upgradetest.NewWorld(upgradetest.Config{Seed: "bench", Fleet: fleet, Policy: p, Journal: path}, product)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	return stage{w.Slack, w.Azure, fleet.Sets[0].Name, slacksim.Ops, time.Hour, w, path} // a rollout takes a quarter of it
}

// journal is a path for a journal, in memory where that can be: what the disk takes is no part of
// simulated time.
func journal(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "bench")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "journal.db")
}

// product is vmssbot, wired as the programs in cmd wire it. Only what it reaches is another: an
// in-memory network, and a journal whose commits take a moment, as on a disk.
func product(ctx context.Context, s upgradetest.Site) (err error) {
	fleet, err := azure.New(azure.Config{Subscription: s.Subscription, Endpoint: s.AzureURL, Credential: azure.LocalCredential(), Transport: s.HTTP, Now: time.Now})
	if err != nil {
		return err
	}
	journal, err := store.Open(s.Journal, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	d := disk{journal, s.Life}
	api := slack.New(s.BotToken, slack.OptionHTTPClient(s.HTTP), slack.OptionAppLevelToken(s.AppKey), slack.OptionAPIURL(s.SlackURL))
	policies := func() []upgrade.Policy { return s.Policies }
	people := &bot.People{API: api, Now: time.Now}
	desk := upgrade.Desk{Fleet: fleet, Catalogue: fleet, Journal: d, People: people, Policies: policies, Now: time.Now, ID: s.ID}
	edge := &bot.Bot{API: api, Journal: d, Reader: d, Rollouts: desk, People: people, Now: time.Now, Log: s.Log,
		Dial: s.Dial, NewDeliveries: journal.Deliveries(), NewPosts: journal.Posts()}
	engine := &upgrade.Engine{Fleet: fleet, Journal: d, Reader: d, People: people, Policies: policies, Pace: upgrade.DefaultPace(), Now: time.Now,
		ID: s.ID, Log: s.Log, Woken: journal.Passes(), Link: edge.Unheard, Closed: edge.Closed}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	passes := make(chan error, 1)
	go func() { passes <- engine.Run(ctx) }()
	err = edge.Run(ctx)
	stop()
	return errors.Join(err, <-passes)
}

// disk is the journal; what people, Azure or Slack wait for is on it after one or two milliseconds.
type disk struct {
	*store.Store
	life *upgradetest.Life
}

func (d disk) Receive(ctx context.Context, x ...upgrade.Delivery) (fresh int, err error) {
	err = d.life.Disk("receive", func() (err error) { fresh, err = d.Store.Receive(ctx, x...); return err })
	return fresh, err
}

func (d disk) Settle(ctx context.Context, x upgrade.Settlement) error {
	return d.life.Disk("settle", func() error { return d.Store.Settle(ctx, x) })
}

func (d disk) Append(ctx context.Context, l upgrade.Lease, c upgrade.Change) (seq int, err error) {
	err = d.life.Disk("append", func() (err error) { seq, err = d.Store.Append(ctx, l, c); return err })
	return seq, err
}

func (d disk) Sent(ctx context.Context, p upgrade.Pending, x upgrade.Sent) error {
	return d.life.Disk("sent", func() error { return d.Store.Sent(ctx, p, x) })
}
