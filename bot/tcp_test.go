package bot

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

func TestOverTCPACommandIsAnsweredAClickCountsAndARestartGoesOn(t *testing.T) {
	o := overTCP(t, slacksim.Options{Scopes: scopes})
	id := o.opened("web")
	o.approve("bo", "web")
	o.soon(10*time.Second, "the click counts", func() bool { return o.count(id, "Voted") == 1 })
	o.restart()
	o.command("ana", "ops", "pause "+id)
	o.soon(10*time.Second, "the pause counts", func() bool { return o.count(id, "Paused") == 1 })
	o.fault(slacksim.Fault{Kind: "drop"})
	o.soon(10*time.Second, "the sockets are there again", func() bool { return o.bot.Connected() == 2 })
	o.command("ana", "ops", "resume "+id)
	o.soon(10*time.Second, "the card shows it", func() bool { return o.find("bo approved UD 0") != nil })
	if took, err := o.stop(); err != nil || took > 5*time.Second {
		t.Errorf("Run = %v after %s", err, took)
	}
}

func TestOverTCPClicksOfManyInAStormOfReconnectsAreAllSettled(t *testing.T) {
	opt := slacksim.Options{Scopes: scopes, RateScale: -1}
	people := many(&opt, 100)
	o := overTCP(t, opt)
	id := o.opened("web")
	card := o.find("Approve", id)
	before := len(o.journal.settlements())
	var acked atomic.Int64
	var clicking sync.WaitGroup
	for n, who := range people {
		clicking.Go(func() {
			time.Sleep(time.Duration(n) * 10 * time.Millisecond)
			out, err := o.sim.Interact(slacksim.Interaction{User: who, Channel: "ops", TS: card.TS, ActionID: "approve", Value: nonceOf("web")})
			if err == nil && out.Acked {
				acked.Add(1)
			}
		})
	}
	for range 10 {
		time.Sleep(100 * time.Millisecond)
		o.sim.Inject(slacksim.Fault{Kind: "drop"}) // an error says that there is no socket just now
	}
	clicking.Wait()
	o.until("all are settled", func() bool { return o.journal.waiting() == 0 })
	if n := int64(len(o.journal.settlements()) - before); n < acked.Load() || acked.Load() < 50 {
		t.Errorf("%d clicks were acknowledged, %d settled", acked.Load(), n)
	}
}

// many adds people to a workspace and returns their ids.
func many(opt *slacksim.Options, n int) []string {
	seeded := slacksim.New(slacksim.Options{})
	defer seeded.Close()
	var ids []string
	for _, u := range seeded.State().Users {
		if u.ID != slacksim.BotUser {
			opt.Users = append(opt.Users, u)
		}
	}
	for n := range n {
		ids = append(ids, fmt.Sprintf("U0MANY%04d", n))
		opt.Users = append(opt.Users, slacksim.User{ID: ids[n], Name: fmt.Sprint("many", n)})
	}
	return ids
}

// BenchmarkClicks measures clicks from the socket to their acknowledgement: each is on disk by then.
func BenchmarkClicks(b *testing.B) {
	opt := slacksim.Options{Scopes: scopes, RateScale: -1}
	people := many(&opt, 9999)
	o := overTCP(b, opt)
	card := o.opened("web")
	ts := o.find("Approve", card).TS
	var next, failed atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			who := people[int(next.Add(1))%len(people)]
			out, err := o.sim.Interact(slacksim.Interaction{User: who, Channel: "ops", TS: ts, ActionID: "approve", Value: nonceOf("web")})
			if err != nil || !out.Acked {
				failed.Add(1)
			}
		}
	})
	b.StopTimer()
	if failed.Load() > 0 {
		b.Errorf("%d of %d clicks were not acknowledged", failed.Load(), b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acks/s")
}
