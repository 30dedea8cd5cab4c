package bench

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

// What every rollout here is about.
const (
	before = "4.0.20160101"
	target = "4.0.20160229"
)

// fleet is scale sets of so many instances in so many domains, each domain a matter of three minutes.
func fleet(capacity, domains int, sets ...string) azuresim.Fleet {
	image := azuresim.Image{Publisher: "Canonical", Offer: "UbuntuServer", SKU: "16.04-LTS", Versions: []azuresim.Version{{Version: before}, {Version: target}}}
	f := azuresim.Fleet{Subscription: "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee", Images: []azuresim.Image{image}}
	for _, name := range sets {
		f.Sets = append(f.Sets, azuresim.Set{Name: name, ResourceGroup: "rg-bench", Capacity: capacity, UpdateDomains: domains, Duration: azuresim.Duration(3 * time.Minute),
			Image: azuresim.ImageRef{Publisher: image.Publisher, Offer: image.Offer, SKU: image.SKU, Version: before}})
	}
	return f
}

// stage is a workspace and an Azure with a bot between them, and what people do there about one
// scale set in its channel.
type stage struct {
	slack        *slacksim.Sim
	azure        *azuresim.Sim
	set, channel string
	patience     time.Duration      // bounds every wait for something to be seen in Slack
	world        *upgradetest.World // it is simulated in; nil = it is not
	journal      string             // of a simulated one
}

// command types a slash command. It returns when it was typed and when the person saw it taken.
func (s stage) command(user, text string) (typed, acked time.Time, err error) {
	typed = time.Now()
	out, err := s.slack.Command(user, s.channel, "/vmss", text)
	if err == nil && !out.Acked {
		err = errors.New(out.Notice)
	}
	if err != nil {
		err = fmt.Errorf("/vmss %s: %w", text, err)
	}
	return typed, time.Now(), err
}

// button is one that can be pressed. The zero button is none.
type button struct{ ts, block, value string }

// click presses a button and returns when.
func (s stage) click(user string, b button) (time.Time, error) {
	pressed := time.Now()
	out, err := s.slack.Interact(slacksim.Interaction{User: user, Channel: s.channel, TS: b.ts, BlockID: b.block, ActionID: "approve"})
	if err == nil && !out.Acked {
		err = errors.New(out.Notice)
	}
	if err != nil {
		err = fmt.Errorf("a click in %s: %w", s.channel, err)
	}
	return pressed, err
}

// until waits until something is so in Slack.
func (s stage) until(what string, cond func() bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	if err := s.slack.Wait(ctx, cond); err != nil {
		return fmt.Errorf("%s: waiting for %s: %w", s.set, what, err)
	}
	return nil
}

// read finds the first message that says all of the words, and returns what it says.
func (s stage) read(words ...string) string {
	for _, m := range s.slack.Messages(s.channel) {
		body := m.Text + string(m.Blocks)
		if m.User == slacksim.BotUser && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(body, w) }) {
			return body
		}
	}
	return ""
}

var rolloutID = regexp.MustCompile(`\br-[0-9a-f]{6}\b`)

// opens has ana ask for the rollout and waits for the first message about it. It returns the
// rollout's id and how long that took.
func (s stage) opens() (id string, took time.Duration, err error) {
	typed, _, err := s.command(slacksim.Ana, "upgrade "+s.set+" "+target)
	if err != nil {
		return "", 0, err
	}
	err = s.until("a first message", func() bool {
		id = rolloutID.FindString(s.read(s.set))
		return id != ""
	})
	return id, time.Since(typed), err
}

// card waits for a card other than the last one.
func (s stage) card(last button) (b button, err error) {
	err = s.until("a card", func() bool {
		for _, m := range slices.Backward(s.slack.Messages(s.channel)) {
			for _, a := range m.Actions() {
				if b = (button{m.TS, a.BlockID, a.Value}); a.ActionID == "approve" && a.Value != last.value {
					return true
				}
			}
		}
		return false
	})
	return b, err
}

// agreed has ana ask for the rollout and bo, on the first card, agree to all of it. It returns the
// rollout's id and when bo saw his word taken.
func (s stage) agreed() (id string, acked time.Time, err error) {
	id, _, err = s.opens()
	if err != nil {
		return "", acked, err
	}
	acked, err = s.agrees(id)
	return id, acked, err
}

// agrees waits for a card of the rollout, and has bo agree on it to this gate and to all that come after. It
// returns when bo saw his word taken.
func (s stage) agrees(id string) (acked time.Time, err error) {
	var all slacksim.Interaction
	err = s.until("a card of "+id, func() bool {
		for _, m := range s.slack.Messages(s.channel) {
			for _, a := range m.Actions() {
				rest := slices.IndexFunc(a.Options, func(o string) bool { return strings.HasPrefix(o, "approve-rest:") })
				if rest >= 0 && strings.Contains(string(m.Blocks), id) {
					all = slacksim.Interaction{User: slacksim.Bo, Channel: s.channel, TS: m.TS, BlockID: a.BlockID, ActionID: a.ActionID, Value: a.Options[rest]}
					return true
				}
			}
		}
		return false
	})
	if err != nil {
		return acked, err
	}
	out, err := s.slack.Interact(all)
	if err == nil && !out.Acked {
		err = errors.New(out.Notice)
	}
	return time.Now(), err
}

// ends waits until people read that the rollout has ended in that way, and returns when.
func (s stage) ends(outcome string) (time.Time, error) {
	err := s.until("the end: "+outcome, func() bool { return s.read("finished: "+outcome) != "" })
	return time.Now(), err
}

// writes are the writes for the set that reached Azure, refused ones too, in order.
func (s stage) writes() []azuresim.Write {
	return slices.DeleteFunc(s.azure.Writes(), func(w azuresim.Write) bool { return !strings.HasSuffix(w.Set, "/"+s.set) })
}

// starts are the upgrades that Azure accepted.
func (s stage) starts() []azuresim.Write {
	return slices.DeleteFunc(s.writes(), func(w azuresim.Write) bool { return !w.Accepted || w.Action != "manualupgrade" })
}

// truth is the set as it is.
func (s stage) truth() azuresim.SetState {
	all := s.azure.Snapshot().Sets
	return all[slices.IndexFunc(all, func(t azuresim.SetState) bool { return t.Name == s.set })]
}

// ownTime is what Azure itself took for the rollout: of each domain the longest time from an
// instance's start to its health, added up. It is an error unless every instance was started once
// and runs the target, healthy.
func (s stage) ownTime() (sum time.Duration, err error) {
	started := map[string]time.Time{}
	for _, w := range s.starts() {
		for _, id := range w.Instances {
			if _, twice := started[id]; twice {
				return 0, fmt.Errorf("instance %s was started twice", id)
			}
			started[id] = w.Time
		}
	}
	took := map[int]time.Duration{}
	for _, i := range s.truth().Instances {
		at, began := started[i.ID]
		if !began || i.Version != target || i.Health != "healthy" || i.Provisioning != "succeeded" {
			return 0, fmt.Errorf("instance %s: started %t, on %s, %s and %s", i.ID, began, i.Version, i.Provisioning, i.Health)
		}
		took[i.UD] = max(took[i.UD], i.HealthSince.Sub(at))
	}
	for _, d := range took {
		sum += d
	}
	return sum, nil
}

// makespan is what the package comment says it is, of a rollout that ended then.
func (s stage) makespan(ended time.Time) (float64, error) {
	own, err := s.ownTime()
	if err != nil {
		return 0, err
	}
	return float64(ended.Sub(s.starts()[0].Time)) / float64(own), nil
}

// out counts the instances that serve nobody now.
func (s stage) out() (n int) {
	for _, i := range s.truth().Instances {
		if i.Health != "healthy" || i.Power != "running" {
			n++
		}
	}
	return n
}

// watch looks every second until it is told to stop, and then returns the most instances that were
// out at once.
func (s stage) watch() (stop func() int) {
	done, most := make(chan struct{}), make(chan int)
	go func() {
		n, tick := 0, time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				n = max(n, s.out())
			case <-done:
				most <- n
				return
			}
		}
	}()
	return func() int { close(done); return <-most }
}
