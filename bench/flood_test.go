package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

const (
	inputs = 10_000 // of a flood: clicks of people who may not, or commands
	noisy  = 40     // people who send half of them; the other half is of one
	wave   = 250    // inputs sent side by side; then somebody's word must be acknowledged, as sockets take no more at once
)

// BenchmarkFlood is what a flood of 10,000 inputs, as fast as the bot's sockets take them, does to others:
// after how long one in a hundred of what was acknowledged was, from Slack's sending; how long after it
// was typed in the middle of it an abort had ended the rollout for everybody to read; and the most memory
// that the process ever took.
func BenchmarkFlood(b *testing.B) {
	for name, send := range map[string]func(s stage, who string, card button) error{
		"clicks": func(s stage, who string, card button) error {
			_, err := s.slack.Interact(slacksim.Interaction{User: who, Channel: s.channel, TS: card.ts, BlockID: card.block, ActionID: "approve", Value: card.value, Lagging: true})
			return err
		},
		"commands": func(s stage, who string, _ button) error {
			_, err := s.slack.Command(who, s.channel, "/vmss", "status")
			return err
		},
	} {
		b.Run(name+"/tcp", func(b *testing.B) {
			found := figures{}
			for b.Loop() {
				o := overTCP(b, quick, azuresim.Options{Fleet: fleet(4, 2, "web"), Speed: speed, RetryAfter: unsaid})
				o.must(found.flood(o.of("web"), send))
				found["ack-p99-s"] = max(found["ack-p99-s"], o.acks(99).Seconds())
				rss, err := o.rss()
				o.must(err)
				found["rss-MB"] = max(found["rss-MB"], rss)
			}
			found.report(b)
		})
	}
}

// flood floods the stage's bot, and in the middle of it has bo abort the rollout.
func (f figures) flood(s stage, send func(s stage, who string, card button) error) error {
	id, _, err := s.opens()
	if err != nil {
		return err
	}
	card, err := s.card(button{})
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	failed := make(chan error, inputs+1)
	began := time.Now()
	for n := range inputs {
		who := slacksim.Olaf
		if n%2 == 0 {
			who = extra(n / 2 % noisy)
		}
		all.Go(func() {
			if err := send(s, who, card); err != nil {
				failed <- err
			}
		})
		if n == inputs/2 {
			all.Go(func() {
				at := time.Now()
				if _, _, err := s.command(slacksim.Bo, "abort "+id+` keep "a benchmark"`); err != nil {
					failed <- err
					return
				}
				ended, err := s.ends("aborted")
				f.worst("abort-s", ended.Sub(at))
				failed <- err
			})
		}
		if n%wave == wave-1 {
			if _, err := s.slack.Command(extra(noisy+n/wave), s.channel, "/vmss", "help"); err != nil {
				return err
			}
		}
	}
	f["inputs/s"] = inputs / time.Since(began).Seconds()
	all.Wait()
	for len(failed) > 0 {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

// extra is the id of one of the people that a workspace has for floods.
func extra(n int) string { return fmt.Sprintf("U0EXTRA%03d", n) }

// crowd is everybody of the usual workspace, and the extra people.
func crowd() (all []slacksim.User) {
	usual := slacksim.New(slacksim.Options{})
	defer usual.Close()
	all = slices.DeleteFunc(usual.State().Users, func(u slacksim.User) bool { return u.ID == slacksim.BotUser })
	for n := range noisy + inputs/wave {
		all = append(all, slacksim.User{ID: extra(n), Name: fmt.Sprint("extra", n)})
	}
	return all
}

// acks is after how long at most that many per cent of what was acknowledged was.
func (o *outer) acks(percent int) time.Duration {
	var took []time.Duration
	for _, e := range o.slack.Log() {
		if e.Kind == slacksim.LogAck && e.Error == "" {
			took = append(took, e.Took)
		}
	}
	slices.Sort(took)
	return took[len(took)*percent/100]
}

// rss is the most memory the program has had so far, in millions of bytes.
func (o *outer) rss() (float64, error) {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(o.bot.Process.Pid), "status"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(rest + " ?")[0])
	return float64(kb) * 1024 / 1e6, err
}
