package storetest

import (
	"errors"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// pages are the promises about what is told outside of Slack.
var pages = []promise{
	{"a page is committed with its fact, or not at all", func(j *journal) {
		j.must(j.Subscribe(j.ctx, "noc"))
		j.open("r-1", web)
		j.is(j.settle(upgrade.Change{Rollout: "r-1", Seq: 7, Events: j.events("", upgrade.Serving{}), Pages: []upgrade.Page{{Rollout: "r-1", Seq: 2}}}), upgrade.ErrStale)
		j.unpaged("noc")
		j.page("r-1", 2)
		p := j.paged("noc")
		j.check(p.ID() == "r-1/2" && p.Kind == upgrade.PageHold && p.Text == "why" && p.At.Equal(j.now()) && p.Attempts == 0 && p.Lost == 0, "it is %+v", p)
	}},
	{"each receiver is told all pages in their order, at its own pace", func(j *journal) {
		j.must(errors.Join(j.Subscribe(j.ctx, "noc"), j.Subscribe(j.ctx, "duty")))
		j.page("r-1", 1)
		j.page("r-1", 2)
		j.told("noc", "r-1/1", upgrade.Sent{})
		j.told("noc", "r-1/2", upgrade.Sent{})
		j.unpaged("noc")
		j.told("duty", "r-1/1", upgrade.Sent{Error: "HTTP 503", Retry: time.Minute})
		next := j.unpaged("duty")
		j.check(next.Sub(j.now()) > 59*time.Second, "the next is due in %s", next.Sub(j.now()))
		j.advance(time.Minute)
		j.check(j.paged("duty").Attempts == 1, "attempts are counted as %d", j.paged("duty").Attempts)
		j.told("duty", "r-1/1", upgrade.Sent{Error: "HTTP 400", Retry: -1})
		j.check(j.paged("duty").Attempts == 0, "attempts at another page are counted")
		j.told("duty", "r-1/2", upgrade.Sent{})
		j.unpaged("duty")
	}},
	{"who subscribes is told what comes from then on, and goes on there when it comes back", func(j *journal) {
		j.page("r-1", 1)
		j.must(j.Subscribe(j.ctx, "noc"))
		j.unpaged("noc")
		j.page("r-1", 2)
		j.must(j.Subscribe(j.ctx, "noc"))
		j.told("noc", "r-1/2", upgrade.Sent{})
		j.unpaged("nobody")
	}},
	{"a late record of what was told takes nothing back", func(j *journal) {
		j.must(j.Subscribe(j.ctx, "noc"))
		j.page("r-1", 1)
		first := j.paged("noc")
		j.must(j.Told(j.ctx, "noc", first, upgrade.Sent{}))
		j.must(j.Told(j.ctx, "noc", first, upgrade.Sent{Error: "late", Retry: time.Hour}))
		j.page("r-1", 2)
		j.check(j.paged("noc").ID() == "r-1/2", "%s is due", j.paged("noc").ID())
	}},
	{"two thousand pages wait at most, the oldest are dropped and counted", func(j *journal) {
		j.must(j.Subscribe(j.ctx, "noc"))
		var flood []upgrade.Page
		for i := range 2_050 {
			flood = append(flood, upgrade.Page{Rollout: "r-1", Seq: i + 1})
		}
		j.must(j.settle(upgrade.Change{Pages: flood}))
		j.check(j.count(`select count(*) from pages`) == 2_000, "%d are kept", j.count(`select count(*) from pages`))
		p := j.paged("noc")
		j.check(p.ID() == "r-1/51" && p.Lost == 50, "the next is %s, %d are lost", p.ID(), p.Lost)
		j.must(j.Told(j.ctx, "noc", p, upgrade.Sent{}))
		j.check(j.paged("noc").Lost == 0, "what is lost is told twice")
	}},
	{"a page is kept for a day", func(j *journal) {
		j.must(j.Subscribe(j.ctx, "noc"))
		j.page("r-1", 1)
		j.advance(25 * time.Hour)
		j.page("r-1", 2)
		p := j.paged("noc")
		j.check(p.ID() == "r-1/2" && p.Lost == 1, "the next is %s, %d are lost", p.ID(), p.Lost)
	}},
	{"a page is signalled, and a commit without one is not", func(j *journal) {
		<-j.Pages() // when it was opened
		j.page("r-1", 1)
		<-j.Pages()
		j.want(live)
		select {
		case <-j.Pages():
			j.t.Error("signalled for a post")
		default:
		}
	}},
}

// page commits a page of the rollout, with nothing else.
func (j *journal) page(rollout string, seq int) {
	j.t.Helper()
	j.must(j.settle(upgrade.Change{Pages: []upgrade.Page{{Rollout: rollout, Seq: seq, At: j.now(), Kind: upgrade.PageHold, Text: "why"}}}))
}

// paged is the page that is due; the test ends when there is none.
func (j *journal) paged(hook string) upgrade.PendingPage {
	j.t.Helper()
	p, next, ok, err := j.NextPage(j.ctx, hook)
	j.must(err)
	j.check(ok, "no page is due for %s, the next is at %s", hook, next)
	return p
}

// told records what became of the page that is due, which has the id.
func (j *journal) told(hook, id string, s upgrade.Sent) {
	j.t.Helper()
	p := j.paged(hook)
	j.check(p.ID() == id, "%s is due for %s, want %s", p.ID(), hook, id)
	j.must(j.Told(j.ctx, hook, p, s))
}

// unpaged ends the test when a page is due, and returns when the next one will be.
func (j *journal) unpaged(hook string) time.Time {
	j.t.Helper()
	p, next, ok, err := j.NextPage(j.ctx, hook)
	j.must(err)
	j.check(!ok, "%s is due for %s", p.ID(), hook)
	return next
}
