package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

// unsent is since when people miss a message of a rollout, and why.
func (o *office) unsent(id string) upgrade.Unheard {
	o.Helper()
	rec, err := o.journal.Record(context.Background(), id)
	if err != nil {
		o.Fatal(err)
	}
	return upgrade.Unheard{Since: rec.Unsent, Why: rec.UnsentWhy}
}

// conversation is what the bot said to somebody in their own conversation with it.
func (o *office) conversation(user string) []slacksim.Message {
	for _, c := range o.sim.State().Channels {
		if c.IMWith == user {
			return o.sim.Messages(c.ID)
		}
	}
	return nil
}

func TestAChannelThatIsClosedToTheBotIsTriedAgainUntilItOpens(t *testing.T) {
	for _, row := range []struct {
		name          string
		closes, opens slacksim.Fault
		says          string
	}{
		{"archived", slacksim.Fault{Kind: "channel_archived", Channel: "ops"}, slacksim.Fault{Kind: "channel_unarchived", Channel: "ops"},
			"the channel is archived: somebody must unarchive it (is_archived)"},
		{"the bot was removed", slacksim.Fault{Kind: "bot_kicked", Channel: "ops"}, slacksim.Fault{Kind: "bot_invited", Channel: "ops"},
			"the bot is not in the channel: `/invite @vmssbot` there (not_in_channel)"},
		{"the bot was removed, and it is private", slacksim.Fault{Kind: "error", Method: "chat.postMessage", Error: "channel_not_found", Times: -1},
			slacksim.Fault{Kind: "clear"}, "the bot cannot see the channel: `/invite @vmssbot` there (channel_not_found)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.opened("web")
				o.pass(10 * time.Second)
				if u := o.unsent(id); !u.Since.IsZero() {
					t.Errorf("with everything sent: %+v", u)
				}
				o.fault(row.closes)
				shut := time.Now()
				o.want(upgrade.Post{Rollout: id, Slot: upgrade.BatchSlot(1), Channel: slacksim.Ops})
				o.pass(30 * time.Minute)
				if u := o.unsent(id); u.Since.Sub(shut) > time.Second || u.Why != row.says {
					t.Errorf("people miss it %+v, want since %s and %q", u, shut, row.says)
				}
				before := o.log.count("not sent")
				o.pass(20 * time.Minute)
				if n := o.log.count("not sent") - before; n < 10 || n > 21 {
					t.Errorf("%d tries in 20 minutes, want one every two", n)
				}
				sent := len(o.sent())
				o.fault(row.opens)
				o.soon(2*time.Minute+10*time.Second, "it is there", func() bool { return len(o.sent()) == sent+1 })
				o.until("it is missed no more", func() bool { return o.unsent(id).Since.IsZero() })
			})
		})
	}
}

func TestAChannelIsBelievedOpenNoLongerThanSlackLets(t *testing.T) {
	const minute, start = time.Minute, 5 * time.Second
	for _, row := range []struct {
		name string
		sees func(o *office, id string) // what shows that it is closed
	}{
		{"an answer to one person", func(o *office, _ string) {
			before := o.calls("chat.postEphemeral")
			o.command("ana", "ops", "list")
			o.until("it is refused there", func() bool { return o.calls("chat.postEphemeral") > before })
		}},
		{"a message", func(o *office, id string) {
			before := o.log.count("not sent")
			o.want(upgrade.Post{Rollout: id, Slot: upgrade.BatchSlot(1), Channel: slacksim.Ops})
			o.until("it is refused", func() bool { return o.log.count("not sent") > before })
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.opened("web")
				o.pass(2 * time.Minute)
				ask := func(within time.Duration) string { return o.bot.Closed(context.Background(), slacksim.Ops, within) }
				calls := o.calls("conversations.info")
				for range 3 {
					if why := ask(start); why != "" {
						t.Fatalf("it is closed: %s", why)
					}
				}
				if n := o.calls("conversations.info") - calls; n != 1 {
					t.Errorf("asked %d times in one moment", n)
				}
				o.fault(slacksim.Fault{Kind: "bot_kicked", Channel: "ops"})
				row.sees(o, id)
				if why := ask(minute); !strings.Contains(why, "not in the channel") {
					t.Errorf("a post was refused, and the channel is believed open: %q", why)
				}
				o.fault(slacksim.Fault{Kind: "bot_invited", Channel: "ops"})
				o.pass(start)
				if why := ask(start); why != "" {
					t.Errorf("it is open again, and believed closed: %s", why)
				}
				o.fault(slacksim.Fault{Kind: "bot_kicked", Channel: "ops"})
				o.pass(start)
				if why := ask(start); !strings.Contains(why, "not in the channel") {
					t.Errorf("for a start an answer of %s ago is believed: %q", start, why)
				}
			})
		})
	}
}

func TestAnAlarmReachesOnePersonWhoseChannelIsClosed(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		whispers := o.calls("chat.postEphemeral")
		o.fault(slacksim.Fault{Kind: "channel_archived", Channel: "ops"})
		o.want(upgrade.Post{Rollout: id, Slot: upgrade.BatchSlot(1), Channel: slacksim.Ops},
			upgrade.Post{Rollout: id, Slot: "alarm/7", Channel: slacksim.Ops, User: slacksim.Bo})
		o.soon(5*time.Second, "bo is called", func() bool { return len(o.conversation(slacksim.Bo)) == 1 })
		if m := o.conversation(slacksim.Bo)[0]; !has(m, "web", id, "as last decided") {
			t.Errorf("it does not say why: %s %s", m.Text, m.Blocks)
		}
		o.pass(time.Hour)
		if n := len(o.conversation(slacksim.Bo)); n != 1 || o.calls("chat.postEphemeral") != whispers {
			t.Errorf("he was called %d times, and %d times in the closed channel", n, o.calls("chat.postEphemeral")-whispers)
		}
	})
}

func TestAnAlarmOutlivesAMomentOfSlacksOwnTrouble(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		o.fault(slacksim.Fault{Kind: "http_status", Method: "chat.postMessage", For: slacksim.Duration(10 * time.Minute)})
		o.want(upgrade.Post{Rollout: id, Slot: "alarm/7", User: slacksim.Ana})
		o.pass(10 * time.Minute)
		o.soon(2*time.Minute, "ana is called", func() bool { return len(o.conversation(slacksim.Ana)) == 1 })
	})
}

func TestWhatCannotBeRecordedAsSentIsNotSentAgainAndAgain(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(10 * time.Second)
		before := len(o.sent())
		o.journal.refuseRecords(errors.New("disk full"))
		o.want(upgrade.Post{Rollout: id, Slot: upgrade.BatchSlot(1), Channel: slacksim.Ops}, upgrade.Post{Rollout: id, Slot: upgrade.BatchSlot(2), Channel: slacksim.Ops})
		o.pass(10 * time.Minute)
		if n := len(o.sent()) - before; n != 1 {
			t.Errorf("%d messages were posted while nothing could be recorded, want 1", n)
		}
		if n := o.log.count("record what was sent"); n < 30 || n > 60 {
			t.Errorf("%d tries in ten minutes", n)
		}
		o.journal.refuseRecords(nil)
		o.soon(recordEvery+5*time.Second, "the other one is there", func() bool { return len(o.sent()) == before+2 })
		o.pass(time.Minute)
		if n := len(o.sent()) - before; n != 2 {
			t.Errorf("%d messages in the end, want 2", n)
		}
		o.journal.refuseRecords(errors.New("disk full"))
		o.want(upgrade.Post{Rollout: id, Slot: upgrade.BatchSlot(3), Channel: slacksim.Ops})
		o.pass(time.Minute)
		if took, err := o.stop(); err != nil || took > 10*time.Second {
			t.Errorf("Run = %v after %s", err, took)
		}
	})
}

func TestButtonsThatSlackDoesNotTakeAreNotLostInSilence(t *testing.T) {
	for _, code := range []string{"invalid_blocks", "msg_too_long", "msg_blocks_too_long"} {
		t.Run(code, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.fault(slacksim.Fault{Kind: "error", Method: "chat.postMessage", Error: code, After: 2, Times: 1}) // the third post is the card
				o.command("ana", "ops", "upgrade web 4.0.1")
				o.until("the card is there", func() bool { return o.find("Approve UD 0") != nil })
				card := o.find("Approve UD 0")
				if !has(*card, "Slack did not take the buttons", "`/vmss approve r-web`", "`/vmss why r-web`") || len(card.Blocks) != 0 {
					t.Errorf("it does not say what to type: %s %s", card.Text, card.Blocks)
				}
				o.command("bo", "ops", "approve r-web")
				o.until("the word counts", func() bool { return o.count("r-web", "Voted") == 1 })
				o.until("the same message shows it, as blocks again", func() bool {
					m := o.find("bo approved UD 0")
					return m != nil && m.TS == card.TS && len(m.Blocks) > 0
				})
			})
		})
	}
}

func TestAMessageWithoutButtonsSaysNothingOfThem(t *testing.T) {
	inBubble(t, func(o *office) {
		o.fault(slacksim.Fault{Kind: "error", Method: "chat.postEphemeral", Error: "invalid_blocks", Times: 1})
		o.command("ana", "ops", "help")
		o.until("it is answered", func() bool { return len(o.answers("ana")) == 1 })
		if o.answered("ana", "buttons of this message") {
			t.Errorf("it says %q", o.answers("ana"))
		}
	})
}

func TestWhyTheBotEndsIsToldBeforeItHas(t *testing.T) {
	for name, trouble := range map[string]struct {
		cause error
		make  func(*office)
	}{
		"a revoked token": {errors.New("token_revoked"), func(o *office) {
			o.fault(slacksim.Fault{Kind: "token_revoked"})
			o.command("bo", "ops", "help")
		}},
		"an order to stop": {context.Canceled, func(o *office) { o.quit() }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.stop()
				told := make(chan error, 2)
				o.ends = func(err error) { told <- err }
				o.run()
				o.until("both sockets are greeted", func() bool { return o.bot.Connected() == 2 })
				release := o.domain.stall("web")
				defer release()
				o.command("ana", "ops", "upgrade web 4.0.1")
				o.pass(time.Second)
				trouble.make(o)
				o.soon(5*time.Second, "it is told", func() bool { return len(told) == 1 })
				if err := <-told; err == nil || !strings.Contains(err.Error(), trouble.cause.Error()) {
					t.Errorf("told %v, want %v", err, trouble.cause)
				}
				if len(o.ended) != 0 {
					t.Error("it has ended before: what was begun was not waited for")
				}
				o.soon(10*time.Second, "it ends", func() bool { return len(o.ended) == 1 })
				if len(told) != 0 {
					t.Error("it is told twice")
				}
			})
		})
	}
}

func TestNoAnswerHangsOnAResponseURL(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.approve("bo", "web")
		o.command("ana", "ops", "pause "+id)
		o.pass(time.Minute)
		if slices.ContainsFunc(o.sim.Log(), func(e slacksim.Entry) bool { return e.Kind == slacksim.LogResponse }) {
			t.Error("a response_url was used: it runs out after half an hour, and what is said with it cannot be repeated")
		}
	})
}
