package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// script is a play with people in it.
type script struct {
	says string
	own  bool // the bot is a process of its own
	play func(*stage) error
}

var scripts = map[string]script{
	"happy":   {says: "a whole rollout, one approval for each update domain", play: happy},
	"failure": {says: "an instance fails: the bot holds and says why; people set it aside and go on", play: failure},
	"waves":   {says: "one command for three scale sets, the canary first", play: waves},
	"resume":  {says: "the bot is killed in the middle of a domain and goes on", own: true, play: resume},
}

func scriptNames() string { return strings.Join(slices.Sorted(maps.Keys(scripts)), ", ") }

// patience bounds a whole script.
const patience = 4 * time.Minute

const target = "4.0.20160229"

func play(ctx context.Context, w *world, s script, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	st := &stage{ctx: ctx, w: w, out: out, seen: map[string]string{}}
	if err := st.startBot(s.own); err != nil {
		return err
	}
	defer st.stopBot()
	tell := make(chan struct{})
	listening, hush := context.WithCancel(ctx)
	go func() { defer close(tell); st.narrate(listening) }()
	err := s.play(st)
	hush()
	<-tell
	st.print()
	if err == nil {
		fmt.Fprintf(out, "\nscript: ok\n")
	}
	return err
}

// stage is where a script plays: it types and clicks as people do, and prints what they see.
type stage struct {
	ctx   context.Context
	w     *world
	out   io.Writer
	inner *runner
	outer *process
	mu    sync.Mutex        // one prints at a time: the script or the narrator
	seen  map[string]string // what was printed of each message
}

func (s *stage) startBot(own bool) (err error) {
	if own {
		if s.outer, err = startProcess(s.w.configFile(), os.Stderr); err != nil {
			return err
		}
		return s.w.connected(s.ctx, nil)
	}
	s.inner = &runner{w: s.w, log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	s.inner.start(s.ctx)
	if err := s.w.connected(s.ctx, s.inner.done); err != nil {
		return errors.Join(err, s.inner.stop())
	}
	return nil
}

func (s *stage) stopBot() {
	if s.inner != nil {
		s.inner.stop()
	}
	if s.outer != nil {
		s.outer.kill()
	}
}

func (s *stage) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "--- "+format+"\n", args...)
}

// command types a slash command and fails when Slack did not hear the bot's acknowledgement.
func (s *stage) command(user, text string) error {
	s.say("%s types: /vmss %s", user, text)
	o, err := s.w.slack.Command(user, slacksim.Ops, "/vmss", text)
	if err == nil && !o.Acked {
		err = errors.New(o.Notice)
	}
	return err
}

// click presses a button once it is there.
func (s *stage) click(user, action string, more func(button) bool) error {
	b, err := s.await(action, more)
	if err != nil {
		return err
	}
	s.say("%s clicks: [%s]", user, b.label)
	o, err := s.w.slack.Interact(slacksim.Interaction{User: user, Channel: slacksim.Ops, TS: b.ts, ActionID: action, BlockID: b.block})
	if err == nil && !o.Acked {
		err = errors.New(o.Notice)
	}
	return err
}

// button is one that stands in a message now.
type button struct{ ts, block, label, value string }

func (s *stage) await(action string, more func(button) bool) (b button, err error) {
	err = s.until("a button "+action, func() bool {
		for _, m := range slices.Backward(s.w.slack.Messages(slacksim.Ops)) {
			if found, ok := findButton(m, action); ok && !m.Deleted && (more == nil || more(found)) {
				b = found
				return true
			}
		}
		return false
	})
	return b, err
}

func findButton(m slacksim.Message, action string) (button, bool) {
	for _, a := range m.Actions() {
		if a.ActionID == action {
			return button{m.TS, a.BlockID, a.Text, a.Value}, true
		}
	}
	return button{}, false
}

func (s *stage) until(what string, cond func() bool) error {
	if err := s.w.slack.Wait(s.ctx, cond); err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	return nil
}

// happy: ana asks for everything, olaf may not approve, bo approves each domain, all ends well.
func happy(s *stage) error {
	if err := s.command("ana", "upgrade myvmss "+target); err != nil {
		return err
	}
	if err := s.click("olaf", "approve", nil); err != nil {
		return err
	}
	if err := s.whispered("olaf", "VMSS-ROLE"); err != nil {
		return err
	}
	if err := s.approveAll("bo"); err != nil {
		return err
	}
	if err := s.shown(); err != nil {
		return err
	}
	return s.check(5, 20)
}

// resume: the bot is killed while Azure is at work on the second domain, and started again.
func resume(s *stage) error {
	if err := s.command("ana", "upgrade myvmss "+target+" ud=0-2"); err != nil {
		return err
	}
	var last string
	for n := range 2 {
		if err := s.approve("bo", &last); err != nil {
			return err
		}
		if err := s.until("the start", func() bool { return len(s.starts()) > n }); err != nil {
			return err
		}
	}
	s.say("kill -9: the bot dies in the middle of a domain")
	if err := s.outer.kill(); err != nil {
		return err
	}
	s.say("the bot starts again")
	if err := s.startBot(true); err != nil {
		return err
	}
	if err := s.approve("bo", &last); err != nil {
		return err
	}
	if err := s.finished(); err != nil {
		return err
	}
	return s.check(3, 12)
}

// victim is the instance of update domain 1 that comes up ill in the script failure.
const victim = "1"

// failure: the second of two domains brings an instance that never gets healthy. The bot holds, says why;
// a yes does not help; the instance is set aside, the rollout goes on and the report names it.
func failure(s *stage) error {
	s.say("an instance of update domain 1 will not come up: it fails in the hands of Azure")
	err := s.w.azure.Inject(azuresim.Fault{Kind: "fail-instance", Set: "myvmss", Instance: victim,
		Code: "VMExtensionProvisioningError", Message: "VM has reported a failure when processing extension 'AppHealth'."})
	if err != nil {
		return err
	}
	if err := s.command("ana", "upgrade myvmss "+target+" ud=0-2"); err != nil {
		return err
	}
	var last string
	for range 2 {
		if err := s.approve("bo", &last); err != nil {
			return err
		}
	}
	if err := s.posted("Held: failure"); err != nil {
		return err
	}
	id := s.rollout()
	for _, step := range []func() error{
		func() error { return s.command("ana", "why "+id) },
		func() error { return s.whispered("ana", "/vmss retry "+id) },
		func() error { return s.command("bo", "show "+id+" evidence") },
		func() error { return s.whispered("bo", "VMExtensionProvisioningError") },
		func() error {
			return s.command("ana", "quarantine "+id+" vm="+victim+` "the image's agent does not start there"`)
		},
		func() error { return s.approve("bo", &last) },
		s.finished,
		func() error { return s.posted("succeeded with quarantine") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	// One out of service already leaves room for three of the last domain's four: it takes two calls.
	return s.check(4, 12, victim)
}

// posted waits until the bot has said something to everybody.
func (s *stage) posted(text string) error {
	return s.until("the words "+text, func() bool {
		return slices.ContainsFunc(s.w.slack.Messages(slacksim.Ops), func(m slacksim.Message) bool { return strings.Contains(flatten(m), text) })
	})
}

var rolloutID = regexp.MustCompile(`r-[0-9a-f]{6}`)

// rollout is the id of the last one.
func (s *stage) rollout() string {
	for _, m := range slices.Backward(s.w.slack.Messages(slacksim.Ops)) {
		if id := rolloutID.FindString(flatten(m)); id != "" {
			return id
		}
	}
	return ""
}

// approveAll approves every card that comes until the rollout has ended.
func (s *stage) approveAll(user string) error {
	var last string
	for range 5 {
		if err := s.approve(user, &last); err != nil {
			return err
		}
	}
	return s.finished()
}

// approve clicks the next card: one with another nonce than the last.
func (s *stage) approve(user string, last *string) error {
	return s.click(user, "approve", func(b button) bool {
		fresh := b.value != *last
		if fresh {
			*last = b.value
		}
		return fresh
	})
}

func (s *stage) finished() error {
	return s.until("the final report", func() bool {
		return slices.ContainsFunc(s.w.slack.Messages(slacksim.Ops), func(m slacksim.Message) bool {
			return m.ThreadTS != "" && m.Broadcast && strings.Contains(flatten(m), "finished: ")
		})
	})
}

// shown waits for a rollout's last picture, which comes a moment after the report.
func (s *stage) shown() error { return s.posted("[picture: *myvmss → " + target + "* · at the end") }

func (s *stage) whispered(user, word string) error {
	return s.until("an answer to "+user, func() bool {
		return slices.ContainsFunc(s.w.slack.Ephemerals(user), func(m slacksim.Message) bool { return strings.Contains(flatten(m), word) })
	})
}

// starts are the upgrades Azure accepted.
func (s *stage) starts() []azuresim.Write {
	return slices.DeleteFunc(s.w.azure.Writes(), func(w azuresim.Write) bool { return w.Action != "manualupgrade" || w.Status >= 300 })
}

// check looks at Azure's own books: so many starts, no instance twice, each upgraded and healthy but
// those set aside.
func (s *stage) check(calls, instances int, aside ...string) error {
	upgraded := map[string]int{}
	starts := s.starts()
	for _, w := range starts {
		for _, id := range w.Instances {
			upgraded[id]++
		}
	}
	if len(starts) != calls || len(upgraded) != instances {
		return fmt.Errorf("azure accepted %d starts of %d instances, want %d of %d", len(starts), len(upgraded), calls, instances)
	}
	for id, n := range upgraded {
		if n != 1 {
			return fmt.Errorf("instance %s was started %d times", id, n)
		}
	}
	for _, id := range aside {
		delete(upgraded, id)
	}
	return s.healthy(upgraded)
}

func (s *stage) healthy(ids map[string]int) error {
	for _, set := range s.w.azure.Snapshot().Sets {
		if set.Name != "myvmss" {
			continue
		}
		for _, i := range set.Instances {
			if ids[i.ID] > 0 && (i.Version != target || i.Health != "healthy") {
				return fmt.Errorf("instance %s is on %s and %s", i.ID, i.Version, i.Health)
			}
		}
	}
	return nil
}
