package main

import (
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
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

// killing kills the process at so many random moments and starts it again each time.
func (p *apart) killing(times int) error {
	for n := range times {
		if err := p.pause(between(n, 20*time.Millisecond, 1500*time.Millisecond)); err != nil {
			return err
		}
		if err := p.outer.kill(); err != nil {
			return err
		}
		var err error
		if p.outer, err = startProcess(p.w, os.Stderr); err != nil {
			return err
		}
		if err := p.w.connected(p.ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// yes is one person's yes that Slack heard the bot acknowledge.
type yes struct {
	nonce string
	at    time.Time
}

// roll has ana ask and bo agree to every card, each again and again until Slack has heard the bot's
// acknowledgement, and never after that: what was acknowledged must not be lost.
func (p *apart) roll(set, version string) ([]yes, error) {
	reports := p.reports()
	for p.command("ana", "upgrade "+set+" "+version) != nil {
		if err := p.pause(50 * time.Millisecond); err != nil {
			return nil, err
		}
	}
	var agreed []yes
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
		o, err := p.w.slack.Interact(slacksim.Interaction{User: "bo", Channel: slacksim.Ops, TS: b.ts, ActionID: "approve", BlockID: b.block})
		switch {
		case err == nil && o.Acked:
			agreed = append(agreed, yes{b.value, time.Now()})
		default:
			if err := p.pause(50 * time.Millisecond); err != nil {
				return agreed, err
			}
		}
	}
}

// card is the newest one that nobody has agreed to.
func (p *apart) card(agreed []yes) (button, bool) {
	for _, m := range slices.Backward(p.w.slack.Messages(slacksim.Ops)) {
		b, is := findButton(m, "approve")
		if is && !m.Deleted && !slices.ContainsFunc(agreed, func(y yes) bool { return y.nonce == b.value }) {
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

// judge looks at Azure's books: no instance twice, and never more domains under way or done than people
// had agreed to.
func judge(starts []azuresim.Write, domain map[string]int, agreed []yes) error {
	started, domains := map[string]bool{}, map[int]bool{}
	for _, w := range starts {
		for _, id := range w.Instances {
			if started[id] {
				return fmt.Errorf("instance %s was started twice", id)
			}
			started[id], domains[domain[id]] = true, true
		}
		n := 0
		for _, y := range agreed {
			if !y.at.After(w.Time) {
				n++
			}
		}
		// Slack may have heard the acknowledgement of a click that the script did not: one that came too late.
		if len(domains) > n+1 || len(domains) > len(agreed) {
			return fmt.Errorf("at %s %d domains were started, and people had agreed to %d", w.Time, len(domains), n)
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

func TestKilledAgainAndAgainItLosesNoYesAndStartsNothingTwice(t *testing.T) {
	p := processIn(t, anyPort(t, "--speed", "200", "--slack-rates", "-1")) // Slack lets an app connect about once a minute
	killed := make(chan error, 1)
	go func() { killed <- p.killing(*kills) }()
	rolled := 0
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
		rolled++
		if len(killed) > 0 {
			break
		}
	}
	p.must(<-killed)
	t.Logf("killed %d times during %d rollouts", *kills, rolled)
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
