package main

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/cmd/internal/app"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

var kills = flag.Int("kills", 4, "how often the bot's process is killed at random moments while it works; CI takes 50")

// between is a length of time that chance gives, the same for the same n.
func between(n int, least, most time.Duration) time.Duration {
	h := fnv.New64a()
	fmt.Fprint(h, "moment ", n)
	return least + time.Duration(h.Sum64()%uint64(most-least))
}

// pause lets real time pass, unless the test's is up.
func (s *stage) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.ctx.Done():
		return s.ctx.Err()
	case <-timer.C:
		return nil
	}
}

// harm kills the process at so many random moments and starts it again each time. Every tenth time before that
// it is stopped for a while that may be longer than a lease, and goes on.
func (p *apart) harm(world, times int) error {
	for n := range times {
		n += world * times
		if err := p.pause(between(n, 20*time.Millisecond, 1500*time.Millisecond)); err != nil {
			return err
		}
		if n%10 == 9 {
			stop := p.outer.cmd.Process.Signal(syscall.SIGSTOP)
			wait := p.pause(between(-n, 100*time.Millisecond, 10*time.Second))
			if err := errors.Join(stop, wait, p.outer.cmd.Process.Signal(syscall.SIGCONT), p.pause(between(n, 0, time.Second))); err != nil {
				return err
			}
		}
		if err := p.outer.kill(); err != nil {
			return err
		}
		var err error
		if p.outer, err = startProcess(p.w.configFile(), os.Stderr); err != nil {
			return err
		}
		if err := p.w.connected(p.ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// yes is one person's yes to a card.
type yes struct {
	at    time.Time // at which the button was pressed first
	label string
	acked bool // Slack heard that the bot has it
}

// roll has ana ask and bo agree to every card, each again and again until Slack has heard the bot's
// acknowledgement, and never after that: what was acknowledged must not be lost.
func (p *apart) roll(set, version string) (map[string]yes, error) {
	reports := p.reports()
	for p.command("ana", "upgrade "+set+" "+version) != nil {
		if err := p.pause(50 * time.Millisecond); err != nil {
			return nil, err
		}
	}
	agreed := map[string]yes{}
	for {
		var b button
		if err := p.until("a card or the end", func() (there bool) {
			b, there = p.card(agreed)
			return there || p.reports() > reports
		}); err != nil {
			return agreed, err
		}
		if b.value == "" {
			return agreed, nil
		}
		y, again := agreed[b.value]
		if !again {
			y = yes{at: time.Now(), label: b.label}
		}
		o, err := p.w.slack.Interact(slacksim.Interaction{User: "bo", Channel: slacksim.Ops, TS: b.ts, ActionID: "approve", BlockID: b.block})
		y.acked = err == nil && o.Acked
		agreed[b.value] = y
		if !y.acked {
			if err := p.pause(50 * time.Millisecond); err != nil {
				return agreed, err
			}
		}
	}
}

// card is the newest one of which no yes was acknowledged.
func (p *apart) card(agreed map[string]yes) (button, bool) {
	for _, m := range slices.Backward(p.w.slack.Messages(slacksim.Ops)) {
		if b, is := findButton(m, "approve"); is && !m.Deleted && !agreed[b.value].acked {
			return b, true
		}
	}
	return button{}, false
}

// reports counts the rollouts that have told their end; one may be told twice after a kill.
func (p *apart) reports() int {
	ids := map[string]bool{}
	for _, m := range p.w.slack.Messages(slacksim.Ops) {
		if text := flatten(m); m.Broadcast && strings.Contains(text, "finished: ") {
			ids[rolloutID.FindString(text)] = true
		}
	}
	return len(ids)
}

// judge looks at Azure's books: no instance twice, and none before somebody agreed to its domain.
func judge(starts []azuresim.Write, domain map[string]int, agreed map[string]yes) error {
	started := map[string]bool{}
	for _, w := range starts {
		for _, id := range w.Instances {
			if started[id] {
				return fmt.Errorf("instance %s was started twice", id)
			}
			started[id] = true
			if !slices.ContainsFunc(slices.Collect(maps.Values(agreed)), func(y yes) bool {
				return y.label == fmt.Sprintf("Approve UD %d", domain[id]) && y.at.Before(w.Time)
			}) {
				return fmt.Errorf("instance %s of domain %d was started at %s, and people had agreed to %v", id, domain[id], w.Time, agreed)
			}
		}
	}
	return nil
}

// domains are the update domains of a set's instances.
func (p *apart) domains(set string) map[string]int {
	out := map[string]int{}
	for _, s := range p.w.azure.Snapshot().Sets {
		for _, i := range s.Instances {
			if s.Name == set {
				out[i.ID] = i.UD
			}
		}
	}
	return out
}

// TestKilledAgainAndAgainItLosesNoYesAndStartsNothingTwice rolls out and kills, in as many worlds as have work
// for so many kills, two at a time.
func TestKilledAgainAndAgainItLosesNoYesAndStartsNothingTwice(t *testing.T) {
	const each = 50
	for world := range (*kills + each - 1) / each {
		t.Run(fmt.Sprint("world ", world), func(t *testing.T) { killedIn(t, world, min(*kills, each)) })
	}
}

func killedIn(t *testing.T, world, times int, change ...func(*app.Config)) {
	p := processIn(t, anyPort(t, "--speed", "200", "--slack-rates", "-1"), change...) // Slack lets an app connect about once a minute
	killed := make(chan error, 1)
	go func() { killed <- p.harm(world, times) }()
	rolled, said := 0, 0
	for _, r := range []struct{ set, version string }{
		{"myvmss", "4.0.20160229"}, {"myvmss", "4.0.20160315"}, {"cache-eph", "22.04.202401170"}, {"media-scaled", "22.04.202401170"}, {"batch-spot", "22.04.202401170"},
	} {
		before := len(p.starts())
		agreed, err := p.roll(r.set, r.version)
		p.must(err)
		p.must(judge(p.starts()[before:], p.domains(r.set), agreed))
		for id := range p.domains(r.set) {
			if i := p.instance(r.set, id); i.Version != r.version || i.Health != "healthy" {
				t.Errorf("instance %s of %s is on %s and %s", id, r.set, i.Version, i.Health)
			}
		}
		rolled, said = rolled+1, said+len(agreed)
		if len(killed) > 0 {
			break
		}
	}
	t.Logf("%d rollouts, %d times yes; killed %d times, all of them meanwhile: %v", rolled, said, times, len(killed) > 0)
	p.must(<-killed)
}

func (p *apart) instance(set, id string) azuresim.InstanceState {
	for _, s := range p.w.azure.Snapshot().Sets {
		for _, i := range s.Instances {
			if s.Name == set && i.ID == id {
				return i
			}
		}
	}
	return azuresim.InstanceState{}
}

func TestStoppedForLongerThanALeaseItGoesOnWhereItWas(t *testing.T) {
	p := processOf(t)
	last := p.underway()
	p.must(p.outer.cmd.Process.Signal(syscall.SIGSTOP))
	p.must(p.pause(10 * time.Second))
	p.must(p.outer.cmd.Process.Signal(syscall.SIGCONT))
	p.finishes(last)
}
