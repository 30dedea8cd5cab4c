package bot

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

var flood = flag.Int("flood", 2000, "how many clicks, and then commands, to flood the bot with; CI takes 10,000")

// A flood of people who may not, and of one who may not stop pressing: what is acknowledged was on disk
// before and is carried out, what is turned away leaves no trace, nobody gets more in than his share, an
// abort counts, and answers do not make a flood of their own.
func TestAFloodOverTCPLosesNothingAndStopsNobody(t *testing.T) {
	const crowd = 10 // beside olaf, who sends half of all
	const wave = 250 // sent at once
	for name, send := range map[string]func(o *office, who string, card *slacksim.Message) slacksim.Outcome{
		"clicks": func(o *office, who string, card *slacksim.Message) slacksim.Outcome {
			out, err := o.sim.Interact(slacksim.Interaction{User: who, Channel: "ops", TS: card.TS, ActionID: "approve", Value: nonceOf("web")})
			if err != nil {
				o.Error(err)
			}
			return out
		},
		"commands": func(o *office, who string, _ *slacksim.Message) slacksim.Outcome {
			out, err := o.sim.Command(who, "ops", "/vmss", "why r-web")
			if err != nil {
				o.Error(err)
			}
			return out
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // mostly waits for the answers
			opt := slacksim.Options{Scopes: scopes, RateScale: -1}
			people := many(&opt, crowd+*flood/wave)
			o := overTCP(t, opt)
			id := o.opened("web")
			card := o.find("Approve", id)
			began := time.Now()
			var acked atomic.Int64
			var all sync.WaitGroup
			for n := range *flood {
				if n == *flood/2 {
					all.Go(func() { o.command("bo", "ops", `abort `+id+` "bad image"`) })
				}
				if n%wave == wave-1 { // somebody else's word is acknowledged when the sockets have taken what came before
					o.command(people[crowd+n/wave], "ops", "help")
				}
				who := slacksim.Olaf
				if n%2 == 0 {
					who = people[n/2%crowd]
				}
				all.Go(func() {
					if send(o, who, card).Acked {
						acked.Add(1)
					}
				})
			}
			all.Wait()
			o.until("the abort counts", func() bool { return o.count(id, "AbortAsked") == 1 })
			o.until("everything acknowledged is settled", func() bool { return o.journal.waiting() == 0 })
			took := time.Since(began)

			o.checkAcks()
			share := doorBurst + int(took/doorRefill) + int(took/tellEvery) + 2
			if n := int(acked.Load()); n < crowd*doorBurst/2 || n > (crowd+1)*share {
				t.Errorf("%d of %d were acknowledged in %s, want at most %d of each person", n, *flood, took, share)
			}
			if o.count(id, "Voted") != 0 {
				t.Error("a click of somebody without the right counts")
			}
			o.until("everything is answered", func() bool {
				_, next, ok, _ := o.journal.NextPost(context.Background(), true, true)
				return !ok && next.IsZero()
			})
			most := sayEach * (1 + int(time.Since(began)/sayWithin))
			for _, who := range append(people[:crowd:crowd], slacksim.Olaf) {
				if n := o.told(who); n == 0 || n > most {
					t.Errorf("%s got %d answers in %s, want at most %d", who, n, time.Since(began), most)
				}
			}
			if n := len(o.sim.State().Sockets); n != 2 {
				t.Errorf("%d sockets are left", n)
			}
		})
	}
}

// told counts what the bot said to one person alone, in the channel or, where the person is no member of it,
// in their conversation.
func (o *office) told(who string) (n int) {
	for _, e := range o.sim.Log() {
		var args struct{ Channel, User string }
		if e.Kind == slacksim.LogAPI && e.Error == "" && json.Unmarshal(e.Args, &args) == nil && (args.Channel == who || args.User == who && e.Method == "chat.postEphemeral") {
			n++
		}
	}
	return n
}

// checkAcks: everything that was acknowledged was on disk before, and what is on disk was settled.
func (o *office) checkAcks() {
	o.Helper()
	o.journal.mu.Lock()
	kept := map[string]time.Time{}
	for n, key := range o.journal.received {
		if _, known := kept[key]; !known {
			kept[key] = o.journal.since[n]
		}
	}
	o.journal.mu.Unlock()
	keys, acks, took := map[string]string{}, 0, []time.Duration(nil)
	for _, e := range o.sim.Log() {
		switch e.Kind {
		case slacksim.LogEnvelope:
			var frame struct{ Payload json.RawMessage }
			if err := json.Unmarshal(e.Args, &frame); err != nil {
				o.Fatal(err)
			}
			p, _ := parse(frame.Payload)
			if e.Method == kindEvent && !p.forUs() {
				continue // only acknowledged
			}
			keys[e.Envelope] = deliveryKey(e.Method, e.Envelope, p)
		case slacksim.LogAck:
			if keys[e.Envelope] == "" {
				continue
			}
			acks, took = acks+1, append(took, e.Took)
			if at, ok := kept[keys[e.Envelope]]; !ok || at.After(e.Time) {
				o.Fatalf("%s was acknowledged at %s and on disk at %s", keys[e.Envelope], e.Time, at)
			}
		}
	}
	slices.Sort(took)
	o.Logf("p99 ack %s, max %s of %d", took[len(took)*99/100], took[len(took)-1], len(took))
	if settled := len(o.journal.settlements()); acks < doorBurst || settled != len(kept) {
		o.Errorf("%d acknowledged, %d on disk, %d settled", acks, len(kept), settled)
	}
}

func TestWhatIsTooMuchOfOnePersonIsAnsweredOnceAndChangesNothing(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		var all sync.WaitGroup
		var acked atomic.Int64
		for n := range 3 * doorBurst {
			text := "resume " + id
			if n%2 == 0 {
				text = "pause " + id
			}
			all.Go(func() {
				time.Sleep(time.Duration(n) * time.Millisecond)
				if out, err := o.sim.Command("ana", "ops", "/vmss", text); err == nil && out.Acked {
					acked.Add(1)
				}
			})
		}
		all.Wait()
		o.until("they are settled", func() bool { return o.journal.waiting() == 0 })
		if n := acked.Load(); n != doorBurst+1 {
			t.Errorf("%d were acknowledged, want %d and the one that is told", n, doorBurst)
		}
		if n := o.count(id, "Paused") + o.count(id, "Resumed"); n != doorBurst {
			t.Errorf("%d facts, want %d", n, doorBurst)
		}
		var busy []upgrade.Declined
		for _, d := range o.journal.declined() {
			if d.Code == upgrade.CodeBusy {
				busy = append(busy, d)
			}
		}
		if len(busy) != 1 || !strings.Contains(busy[0].What, "more than 30 at once") {
			t.Errorf("the audit has %+v, want one line", busy)
		}
		o.soon(20*time.Second, "it is said", func() bool { return o.answered("ana", "VMSS-BUSY") })
	})
}

func TestMuchThatOnePersonSaidIsAnsweredInOneMessageEveryTenSeconds(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		before := len(o.answers("ana"))
		began := time.Now()
		for n := range 20 {
			o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, fmt.Sprintf("pause %s reason %d", id, n)))
			o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, "resume "+id))
		}
		o.pass(sayWithin / 2)
		o.deliver(kindCommand, typed(slacksim.Bo, slacksim.Ops, "status"))
		o.soon(2*time.Second, "another's answer does not wait", func() bool { return len(o.answers("bo")) == 1 })
		if n := len(o.answers("ana")) - before; n != sayEach {
			t.Errorf("%d answers at first, want %d", n, sayEach)
		}
		o.until("the rest is answered", func() bool { return len(o.answers("ana")) > before+sayEach })
		rest := o.answers("ana")[before+sayEach:]
		if !strings.Contains(rest[0], "35 answers at once") || !strings.Contains(rest[0], "18 × ") || time.Since(began) > sayWithin+2*time.Second {
			t.Errorf("after %s: %q", time.Since(began), rest[0])
		}
		o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, "status"))
		o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, "pending"))
		o.pass(sayWithin / 2)
		if n := len(o.answers("ana")) - before; n != sayEach+1 {
			t.Errorf("%d answers before the next ten seconds are over", n)
		}
		o.pass(sayWithin)
		if n := len(o.answers("ana")) - before; n != sayEach+2 || !o.answered("ana", "2 answers at once") {
			t.Errorf("%d answers: %q", n, o.answers("ana")[before:])
		}
		o.pass(time.Minute)
		o.command("ana", "ops", "status "+id)
		o.soon(time.Second, "a single answer comes at once and whole", func() bool { return len(o.answers("ana")) == before+sayEach+3 })
	})
}

func TestWhenTooMuchWaitsOnlyWordsThatStopAreTaken(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		release := o.domain.stall("sets")
		defer release()
		for n := range mostWaiting {
			o.deliver(kindCommand, typed(fmt.Sprintf("U0MANY%04d", n), slacksim.Ops, "list"))
		}
		o.pass(time.Second)
		for _, text := range []string{"approve " + id, "upgrade shop 4.0.1", "status"} {
			if out, err := o.sim.Command("eva", "ops", "/vmss", text); err != nil || out.Acked {
				t.Errorf("%s was acknowledged: %+v, %v", text, out, err)
			}
		}
		o.command("eva", "ops", "abort "+id) // asks for the reason in a form
		o.soon(2*time.Second, "the form that stops is open", func() bool {
			return slices.ContainsFunc(o.sim.Log(), func(e slacksim.Entry) bool { return e.Method == "views.open" && e.Error == "" })
		})
		o.command("bo", "ops", "freeze") // asks for the set and the reason, and the sets cannot be read
		o.soon(2*time.Second, "the form of a freeze is open", func() bool {
			return slices.ContainsFunc(o.sim.Views(slacksim.Bo), func(v slacksim.View) bool { return strings.Contains(string(v.Doc["title"]), "Freeze") })
		})
		o.soon(4*time.Second, "it can be typed in", func() bool {
			return slices.ContainsFunc(o.sim.Views(slacksim.Bo), func(v slacksim.View) bool { return strings.Contains(string(v.Doc["blocks"]), `"plain_text_input"`) })
		})
		o.command("ana", "ops", "pause "+id)
		o.soon(2*time.Second, "the pause counts", func() bool { return o.count(id, "Paused") == 1 })
		o.command("bo", "ops", `abort `+id+` "bad image"`) // after it: an aborted rollout is not paused
		o.soon(2*time.Second, "the abort counts", func() bool { return o.count(id, "AbortAsked") == 1 })
		o.command("eva", "ops", `freeze all "storage incident"`)
		o.soon(2*time.Second, "the freeze holds", func() bool { all, err := o.journal.Freezes(context.Background()); return err == nil && len(all) == 1 })
		release()
		o.until("the rest is settled", func() bool { return o.journal.waiting() == 0 })
		o.command("eva", "ops", "approve "+id) // what is taken again once there is room
	}, crowd(mostWaiting))
}

// crowd gives the workspace so many more people.
func crowd(n int) func(o *office) {
	return func(o *office) {
		opt := slacksim.Options{Scopes: scopes, RateScale: -1}
		many(&opt, n)
		o.sim.Close()
		o.sim = slacksim.New(opt)
	}
}

func TestAWordThatStopsPassesWhatEverybodyElseSaidBefore(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.journal.disturb(nil, func(upgrade.Settlement) error { time.Sleep(time.Second); return nil })
		for n := range 20 * atOnce {
			o.deliver(kindCommand, typed(fmt.Sprintf("U0MANY%04d", n), slacksim.Ops, "help"))
		}
		o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, `abort `+id+` "bad image"`))
		o.soon(3*time.Second, "the abort counts", func() bool { return o.count(id, "AbortAsked") == 1 })
		if n := o.journal.waiting(); n < 10*atOnce {
			t.Errorf("%d wait: nothing was passed", n)
		}
		o.journal.disturb(nil, nil)
		o.until("the rest is settled", func() bool { return o.journal.waiting() == 0 })
	}, crowd(20*atOnce))
}

func TestDeliveriesThatWaitTogetherAreKeptInOneCommit(t *testing.T) {
	inBubble(t, func(o *office) {
		var commits atomic.Int32
		o.journal.disturb(func(context.Context) error { commits.Add(1); time.Sleep(time.Second); return nil }, nil)
		var all sync.WaitGroup
		for _, who := range []string{"ana", "bo", "eva", "olaf"} {
			for range 5 {
				all.Go(func() { o.command(who, "ops", "help") })
			}
		}
		all.Wait()
		if n := commits.Load(); n > 4 {
			t.Errorf("%d commits for 20 deliveries over two sockets", n)
		}
	})
}

func TestWhatARolloutSaysDoesNotWaitForAnswersToPeople(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		o.fault(slacksim.Fault{Kind: "slow", Method: "chat.postEphemeral", Delay: slacksim.Duration(2 * time.Second), Times: -1})
		for _, who := range []string{slacksim.Bo, slacksim.Eva, slacksim.Olaf} {
			for range sayEach {
				o.deliver(kindCommand, typed(who, slacksim.Ops, "status"))
			}
		}
		o.pass(time.Second)
		o.command("ana", "ops", "pause "+id)
		o.soon(3*time.Second, "the thread has it", func() bool { return o.find("ana paused") != nil })
		for _, who := range []string{"bo", "eva", "olaf"} {
			o.until("everybody is answered", func() bool { return len(o.answers(who)) == sayEach })
		}
	})
}

// Where Slack is slow there is always a message that is due.
func TestAnswersToPeopleDoNotWaitForLaterMessagesOfARollout(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		o.fault(slacksim.Fault{Kind: "slow", Method: "chat.postMessage", Delay: slacksim.Duration(3 * time.Second), Times: -1})
		o.fault(slacksim.Fault{Kind: "slow", Method: "chat.postEphemeral", Delay: slacksim.Duration(time.Second), Times: -1})
		for range 3 {
			o.command("bo", "ops", "status")
		}
		o.pass(100 * time.Millisecond)
		for n := range 10 {
			o.command("ana", "ops", []string{"pause ", "resume "}[n%2]+id)
		}
		o.soon(12*time.Second, "bo has his answers", func() bool { return len(o.answers("bo")) == 3 })
	})
}

// Slack tells nobody that a mention was not taken: it tells of it again, when the author was told long since
// that it was not.
func TestAMentionThatWasTooMuchIsNotCarriedOutLater(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		for n := range doorBurst + 8 {
			verb := "resume "
			if n%2 == 0 {
				verb = "pause "
			}
			if _, err := o.sim.Say("ana", "ops", "@vmssbot "+verb+id, ""); err != nil {
				t.Fatal(err)
			}
			o.pass(time.Millisecond)
		}
		o.soon(20*time.Second, "it is said", func() bool { return o.answered("ana", "VMSS-BUSY") })
		o.pass(10 * time.Minute)
		if n := o.count(id, "Paused") + o.count(id, "Resumed"); n != doorBurst {
			t.Errorf("%d words count, want %d: the others were said not to be taken", n, doorBurst)
		}
	})
}
