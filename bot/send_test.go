package bot

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

// approve clicks the newest approval card of a set and waits for the effect.
func (o *office) approve(user, set string) {
	o.Helper()
	card := o.find("Approve", "r-"+set)
	if card == nil {
		o.Fatal("there is no card to approve")
	}
	out, err := o.sim.Interact(slacksim.Interaction{User: user, Channel: "ops", TS: card.TS, ActionID: "approve", Value: nonceOf(set)})
	if err != nil || !out.Acked {
		o.Fatalf("the click: %+v, %v", out, err)
	}
}

// sent lists the bot's own messages in #ops, deleted ones too.
func (o *office) sent() []slacksim.Message {
	return slices.DeleteFunc(o.sim.Messages("ops"), func(m slacksim.Message) bool { return m.User != slacksim.BotUser })
}

func TestARolloutIsOneThreadThatIsEditedInPlace(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.approve("bo", "web")
		o.until("the card shows it", func() bool { return o.find("bo approved UD 0") != nil })
		o.pass(time.Minute)
		root := o.root(id)
		if n := len(o.sent()); n != 3 {
			t.Errorf("%d messages, want the live one, the plan and the card", n)
		}
		for _, m := range o.sent() {
			if m.TS != root.TS && m.ThreadTS != root.TS {
				t.Errorf("%q does not stand in the thread", m.Text)
			}
		}
		card := o.find("bo approved UD 0")
		if len(card.Edits) != 1 || !card.Broadcast || len(card.Actions()) != 0 {
			t.Errorf("the card: %d edits, broadcast %v, actions %v; want it edited once, still in the channel, without buttons", len(card.Edits), card.Broadcast, card.Actions())
		}
	})
}

func TestAnUnchangedMessageIsNotEdited(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		before := o.calls("chat.update")
		for range 5 {
			o.want(upgrade.Post{Rollout: id, Slot: upgrade.SlotPlan, Channel: slacksim.Ops})
			o.pass(10 * time.Second)
		}
		if n := o.calls("chat.update") - before; n != 0 {
			t.Errorf("%d edits of an unchanged message", n)
		}
	})
}

func TestEditsOfOneMessageAreGathered(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		before := o.calls("chat.update")
		for range 10 {
			o.command("ana", "ops", "pause "+id)
			o.command("ana", "ops", "resume "+id)
		}
		o.command("ana", "ops", "pause "+id)
		o.pass(10 * time.Second)
		edits := len(o.root(id).Edits)
		if n := o.calls("chat.update") - before; n > 6 || edits == 0 {
			t.Errorf("%d edits for 21 changes within a second, %d of the live message", n, edits)
		}
	})
}

func TestRefusedBlocksBecomeTextInTheSameMessage(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		ts, before := o.root(id).TS, len(o.sent())
		o.fault(slacksim.Fault{Kind: "error", Method: "chat.update", Error: "invalid_blocks", Times: 1})
		o.command("ana", "ops", "pause "+id)
		o.until("the live message is text", func() bool {
			m := o.root(id)
			return len(m.Edits) > 0 && string(m.Blocks) == "" && strings.Contains(strings.ToLower(m.Text), "paused")
		})
		if o.root(id).TS != ts || len(o.sent()) > before+1 { // one for what was said
			t.Errorf("a twin was posted: %d messages, want %d", len(o.sent()), before+1)
		}
	})
}

func TestANewMessageWithRefusedBlocksIsPostedAsText(t *testing.T) {
	inBubble(t, func(o *office) {
		o.fault(slacksim.Fault{Kind: "error", Method: "chat.postEphemeral", Error: "msg_blocks_too_long", Times: 1})
		o.command("ana", "ops", "help")
		o.until("it is answered", func() bool { return o.answered("ana", "upgrade") })
		if m := o.sim.Ephemerals("ana")[0]; len(m.Blocks) != 0 {
			t.Errorf("it has blocks: %s", m.Blocks)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		o.fault(slacksim.Fault{Kind: "ratelimit", Method: "chat.update", RetryAfter: 40, Times: 1})
		limited := time.Now()
		o.command("ana", "ops", "pause "+id)
		before := o.calls("chat.update")
		o.pass(30 * time.Second)
		if n := o.calls("chat.update"); n != before {
			t.Errorf("%d edits while Slack wants none", n-before)
		}
		if !o.answered("ana", "is paused") || o.find("paused") == nil {
			t.Error("what goes another way waits, too")
		}
		o.until("the live message is edited", func() bool { return len(o.root(id).Edits) > 0 })
		if took := time.Since(limited); took < 40*time.Second || took > 50*time.Second {
			t.Errorf("it was edited after %s, want soon after 40 s", took)
		}
	})
}

func TestARateLimitIsNoFailedAttempt(t *testing.T) {
	inBubble(t, func(o *office) {
		o.fault(slacksim.Fault{Kind: "ratelimit", Method: "chat.postEphemeral", RetryAfter: 120, Times: 2 * whisperTries})
		o.fault(slacksim.Fault{Kind: "error", Method: "chat.postEphemeral"}) // and then one that is
		o.command("ana", "ops", "help")
		o.pass(time.Duration(2*whisperTries)*2*time.Minute + 5*time.Minute)
		if len(o.answers("ana")) != 1 {
			t.Error("the answer was given up")
		}
	})
}

func TestSlacksPaceIsKeptAndABusyChannelKeepsNobodyElseWaiting(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		var posts []upgrade.Post
		for n := range 20 {
			posts = append(posts, upgrade.Post{Rollout: id, Slot: upgrade.BatchSlot(n + 1), Channel: slacksim.Ops})
		}
		began, before := time.Now(), len(o.sent())
		o.want(posts...)
		o.command("bo", "ops", "help")
		o.soon(time.Second, "an answer comes at once", func() bool { return o.answered("bo", "upgrade") })
		o.pass(time.Second)
		if n := len(o.sent()) - before; n > postRate.burst+3 {
			t.Errorf("%d messages in two seconds", n)
		}
		o.until("all are posted", func() bool { return len(o.sent())-before == 20 })
		if took := time.Since(began); took < 15*time.Second || took > 25*time.Second {
			t.Errorf("20 messages took %s, want about one a second after the first four", took)
		}
		if n := o.log.count("rate limited"); n != 0 {
			t.Errorf("Slack had to say so %d times", n)
		}
	})
}

func TestThePaceOfOneChannelIsNotAnothers(t *testing.T) {
	var p pace
	now := time.Unix(1000, 0)
	for n := range 10 {
		want := max(0, time.Duration(n+1-postRate.burst)*postRate.every)
		if got := p.wait("post C1", now); got != want {
			t.Fatalf("message %d waits %s, want %s", n, got, want)
		}
		p.called("post C1", now)
	}
	if got := p.wait("post C2", now); got != 0 {
		t.Errorf("another channel waits %s", got)
	}
	p.limited("edit", 30*time.Second, now)
	for d, want := range map[time.Duration]time.Duration{0: 30 * time.Second, 29 * time.Second: time.Second, 30 * time.Second: 0, time.Hour: 0} {
		if got := p.wait("edit", now.Add(d)); got != want {
			t.Errorf("%s after a 429 of 30 s it waits %s, want %s", d, got, want)
		}
	}
}

// Slack takes 50 edits a minute. Sixty live messages that change all the time are each edited in their turn,
// a card that was pressed does not wait for them, and Slack has to refuse nothing.
func TestManyLiveMessagesAreEditedInTurnAndCardsAtOnce(t *testing.T) {
	var p pace
	now := time.Unix(1000, 0)
	due, edited := map[int64]time.Time{}, map[int64]int{}
	edit := func(id int64, slot string) time.Duration {
		wait := p.turn(upgrade.Pending{ID: id, TS: "1.0", Post: upgrade.Post{Rollout: "r", Slot: slot}}, now)
		if wait == 0 {
			p.called(editLane, now)
			edited[id]++
			wait = 3 * time.Second
		}
		return wait
	}
	for ; now.Before(time.Unix(1000+600, 0)); now = now.Add(100 * time.Millisecond) {
		for id := int64(1); id <= 60; id++ { // in the order of the outbox: those of the same moment by age
			if id != 17 && !now.Before(due[id]) { // the seventeenth queued once and was replaced meanwhile
				due[id] = now.Add(edit(id, upgrade.SlotLive))
			}
		}
		if now.Unix()%10 == 0 && now.Nanosecond() == 0 {
			if wait := edit(1000+now.Unix(), "card/ud-0/1"); wait != 3*time.Second {
				t.Fatalf("a card waits %s behind live messages", wait)
			}
		}
		if now.Unix() == 1010 && now.Nanosecond() == 0 {
			edit(17, upgrade.SlotLive)
		}
	}
	least, most, all := 1<<30, 0, 0
	for id, n := range edited {
		if all += n; id <= 60 && id != 17 {
			least, most = min(least, n), max(most, n)
		}
	}
	if least < 5 || most > least+2 || all > 500+editRate.burst {
		t.Errorf("in ten minutes a live message was edited %d times, another one %d times, %d edits in all", least, most, all)
	}
}

func TestADeletedMessageIsPostedOnceMoreAndGoesOnThere(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		old := o.root(id)
		o.fault(slacksim.Fault{Kind: "message_deleted", Channel: "ops", TS: old.TS})
		o.command("ana", "ops", "pause "+id)
		o.until("there is a new one", func() bool { return o.root(id).TS != old.TS })
		fresh := o.root(id)
		o.command("ana", "ops", "resume "+id)
		o.pass(10 * time.Second)
		if m := o.root(id); m.TS != fresh.TS || len(m.Edits) == 0 {
			t.Errorf("it was not edited in its new place: %+v", m)
		}
		for _, m := range o.sent() {
			if strings.Contains(m.Text+string(m.Blocks), "resumed") && m.TS != fresh.TS && m.ThreadTS != fresh.TS {
				t.Errorf("%q stands in %q, want the new thread", m.Text, m.ThreadTS)
			}
		}
	})
}

func TestAThreadThatTakesNoRepliesDoesNotSwallowThem(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		o.fault(slacksim.Fault{Kind: "error", Method: "chat.postMessage", Error: "cannot_reply_to_message", Times: 1})
		o.command("ana", "ops", "pause "+id)
		o.until("it stands in the channel", func() bool {
			m := o.find("paused", id)
			return m != nil && m.TS != o.root(id).TS && m.ThreadTS == ""
		})
	})
}

func TestAPostWhoseAnswerWasLostIsThereTwiceAndBothButtonsWork(t *testing.T) {
	for _, kind := range []string{"reset_after", "broken_json"} {
		t.Run(kind, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.fault(slacksim.Fault{Kind: kind, Method: "chat.postMessage", After: 2}) // the third post is the card
				o.command("ana", "ops", "upgrade web 4.0.1")
				var cards []slacksim.Message
				o.until("there are two cards", func() bool {
					cards = slices.DeleteFunc(o.sent(), func(m slacksim.Message) bool { return !has(m, "Approve UD 0") })
					return len(cards) == 2
				})
				for n, who := range []string{"bo", "eva"} {
					if out, err := o.sim.Interact(slacksim.Interaction{User: who, Channel: "ops", TS: cards[n].TS, ActionID: "approve", Value: nonceOf("web")}); err != nil || !out.Acked {
						t.Fatalf("card %d: %+v, %v", n, out, err)
					}
				}
				o.until("both count", func() bool { return o.count("r-web", "Voted") == 2 })
			})
		})
	}
}

func TestSlackThatSaysNoIsNotTakenForAYes(t *testing.T) {
	for _, f := range []slacksim.Fault{
		{Kind: "error", Error: "internal_error"}, {Kind: "error", Error: "ratelimited"}, {Kind: "http_status", Status: 503}, {Kind: "html"},
		{Kind: "reset_before"}, {Kind: "slow", Delay: slacksim.Duration(2 * callTimeout)},
	} {
		t.Run(f.Kind+f.Error, func(t *testing.T) {
			inBubble(t, func(o *office) {
				f.Method, f.Times = "chat.postEphemeral", 3
				o.fault(f)
				o.command("ana", "ops", "help")
				o.until("it is answered after all", func() bool { return o.answered("ana", "upgrade") })
			})
		})
	}
}

func TestTheFinalReportOutlivesAnArchivedChannel(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		o.fault(slacksim.Fault{Kind: "channel_archived", Channel: "ops"})
		o.end(id)
		o.pass(6 * time.Hour)
		o.fault(slacksim.Fault{Kind: "channel_unarchived", Channel: "ops"})
		o.soon(3*time.Minute, "the report stands there", func() bool { return o.find("finished: aborted") != nil || o.find("aborted", "Left to do") != nil })
	})
}

func TestAMessageThatCannotBeDrawnSaysSoAndKeepsNoneWaiting(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		o.want(upgrade.Post{Rollout: id, Slot: "hologram/1", Channel: slacksim.Ops}, upgrade.Post{Slot: "reply/x", Channel: slacksim.Ops, User: slacksim.Ana, Want: []byte(`{"Verb":7}`)})
		o.soon(5*time.Second, "it says so", func() bool { return o.find("I cannot show this message", "/vmss status "+id) != nil })
		o.soon(5*time.Second, "the answer says so", func() bool { return o.answered("ana", "I cannot show this message") })
		o.command("ana", "ops", "pause "+id)
		o.soon(10*time.Second, "what comes after it is there", func() bool { return o.find("paused", "ana") != nil })
	})
}

func TestAnAnswerGoesToItsReadersOwnConversationWhereThePlaceIsClosed(t *testing.T) {
	for name, channel := range map[string]string{"the bot is no member": "general", "the channel is archived": "attic"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.command("ana", channel, "help")
				o.until("it is answered", func() bool { return o.calls("chat.postMessage") == 1 })
				for _, c := range o.sim.State().Channels {
					if c.IMWith != "" && (c.IMWith != slacksim.Ana || len(o.sim.Messages(c.ID)) != 1) {
						t.Errorf("the conversation with %s has %v", c.IMWith, o.sim.Messages(c.ID))
					}
				}
				o.pass(10 * time.Minute)
				if n := o.calls("chat.postMessage"); n != 1 {
					t.Errorf("it was posted %d times", n)
				}
			})
		})
	}
}

func TestAnAnswerThatReachesNobodyIsGivenUpAfterAnHour(t *testing.T) {
	inBubble(t, func(o *office) {
		o.fault(slacksim.Fault{Kind: "error", Method: "chat.postEphemeral", Error: "fatal_error", Times: -1})
		o.command("ana", "ops", "help")
		o.pass(45 * time.Minute)
		before := o.calls("chat.postEphemeral") + o.log.count("not sent")
		o.pass(6 * time.Hour)
		tries := o.log.count("not sent")
		if before < 10 || tries != whisperTries {
			t.Errorf("%d tries in all, %d in 45 minutes, want %d in about an hour", tries, before, whisperTries)
		}
		o.fault(slacksim.Fault{Kind: "clear"})
		o.command("ana", "ops", "help plan")
		o.until("the next one is answered", func() bool { return len(o.answers("ana")) == 1 })
	})
}
