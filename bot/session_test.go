package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

func TestADeliveryIsOnDiskBeforeItIsAcknowledged(t *testing.T) {
	inBubble(t, func(o *office) {
		written := make(chan struct{})
		o.journal.disturb(func(context.Context) error { <-written; return nil }, nil)
		out := make(chan slacksim.Outcome, 1)
		go func() {
			got, _ := o.sim.Command("ana", "ops", "/vmss", "help")
			out <- got
		}()
		o.pass(2 * time.Second)
		if len(out) > 0 {
			t.Error("it was acknowledged before it was written")
		}
		close(written)
		if got := <-out; !got.Acked || len(o.journal.keys()) != 1 {
			t.Errorf("after it was written: %+v, on disk %v", got, o.journal.keys())
		}
	})
}

func TestWithoutAJournalNothingIsAcknowledged(t *testing.T) {
	inBubble(t, func(o *office) {
		o.journal.disturb(func(context.Context) error { return errors.New("disk full") }, nil)
		out, err := o.sim.Command("ana", "ops", "/vmss", "help")
		if err != nil || out.Acked || !strings.Contains(out.Notice, "operation_timeout") {
			t.Errorf("a command without a journal: %+v, %v", out, err)
		}
		o.journal.disturb(nil, nil)
		o.command("ana", "ops", "help")
		o.until("the second try is answered", func() bool { return len(o.answers("ana")) == 1 })
		o.pass(time.Hour)
		if n := len(o.answers("ana")); n != 1 {
			t.Errorf("%d answers, want one: what Slack said had failed must not be done later", n)
		}
	})
}

func TestAStuckJournalDoesNotCostTheSockets(t *testing.T) {
	inBubble(t, func(o *office) {
		o.journal.disturb(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, nil)
		var people sync.WaitGroup
		for n := range 200 { // more than slack-go's event channel holds
			user := []string{"ana", "bo", "eva", "olaf"}[n%4]
			people.Go(func() { o.sim.Command(user, "ops", "/vmss", fmt.Sprint("help ", n)) })
		}
		people.Wait()
		o.pass(2 * time.Minute)
		for _, e := range o.sim.Log() {
			if e.Kind == slacksim.LogSocket && e.Method == "closed" {
				t.Fatalf("socket %d was cut", e.Socket)
			}
		}
		o.journal.disturb(nil, nil)
		o.command("ana", "ops", "help")
	})
}

func TestARedeliveryHasOneEffectAndOneAnswer(t *testing.T) {
	for _, f := range []slacksim.Fault{{Kind: "duplicate"}, {Kind: "retry", Type: "interactive"}} {
		t.Run(f.Kind, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.opened("web")
				o.fault(f)
				card := o.find("Approve", id)
				if out, err := o.sim.Interact(slacksim.Interaction{User: "bo", Channel: "ops", TS: card.TS, ActionID: "approve", Value: nonceOf("web")}); err != nil || !out.Acked {
					t.Fatalf("the click: %+v, %v", out, err)
				}
				o.pass(time.Minute)
				if n, answers := o.count(id, "Voted"), o.answers("bo"); n != 1 || len(answers) != 1 {
					t.Errorf("%d votes and the answers %q, want one of each", n, answers)
				}
			})
		})
	}
}

func TestARefreshOfTheSocketsLosesNoClick(t *testing.T) {
	for _, reason := range []string{"refresh_requested", "warning"} {
		t.Run(reason, func(t *testing.T) {
			inBubble(t, func(o *office) {
				var people sync.WaitGroup
				users := []string{"ana", "bo", "eva", "olaf"}
				for n := range 100 {
					people.Go(func() {
						time.Sleep(time.Duration(n)*101*time.Millisecond + time.Microsecond)
						if out, err := o.sim.Command(users[n%4], "ops", "/vmss", "help"); err != nil || !out.Acked {
							t.Errorf("command %d: %+v, %v", n, out, err)
						}
					})
				}
				for range 4 { // one socket after the other, then both at once
					o.pass(2 * time.Second)
					o.fault(slacksim.Fault{Kind: "disconnect", Reason: reason, Socket: o.sim.State().Sockets[0].ID})
				}
				o.fault(slacksim.Fault{Kind: "disconnect", Reason: reason})
				people.Wait()
				o.until("all are answered", func() bool { return o.journal.waiting() == 0 })
				o.pass(time.Second) // a settlement is counted right after its commit
				if n := len(o.journal.settlements()); n != 100 {
					t.Errorf("%d commands were carried out, want 100", n)
				}
			})
		})
	}
}

func TestSocketsThatAreCutAtOnceAreNotReopenedAtFullSpeed(t *testing.T) {
	for _, reason := range []string{"link_disabled", "too_many_websockets"} {
		t.Run(reason, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.sim.SetRateScale(-1) // it must not take Slack's own limit to be slow
				before := o.calls("apps.connections.open")
				for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
					for _, s := range o.sim.State().Sockets {
						if !s.Retiring {
							o.fault(slacksim.Fault{Kind: "disconnect", Reason: reason, Socket: s.ID})
						}
					}
				}
				if n := o.calls("apps.connections.open") - before; n < 10 || n > 60 {
					t.Errorf("%d sockets were opened in five minutes, want some and not many", n)
				}
				if !o.log.has("every connection is cut at once") {
					t.Error("nobody is told")
				}
				if u := o.bot.Unheard(); time.Since(u.Since) < 5*time.Minute || !strings.Contains(u.Why, "Socket Mode switched off") {
					t.Errorf("sockets that are cut at once count for reaching people: %+v", u)
				}
				o.soon(70*time.Second, "both are there again", func() bool { return o.bot.Connected() == 2 })
				o.soon(shortLived, "the bot is heard", o.heard)
				o.command("ana", "ops", "help")
			})
		})
	}
}

func TestWhatIsNoEnvelopeAndWhatSlackGoCannotReadDoesNoHarm(t *testing.T) {
	inBubble(t, func(o *office) {
		s := o.bot.newSession(9)
		s.taking = context.Background()
		s.badMessage(nil)
		s.take(kindEvent, "e-1", []byte(`{"event":{"type":"app_mention","user":"U1"`)) // cut off
		s.take(kindEvent, "e-2", []byte(`{"event":{"type":"message","user":"U1"}}`))
		s.take(kindCommand, "e-3", []byte(`[]`))
		if n := len(s.inbound); n != 3 {
			t.Fatalf("%d are acknowledged, want 3: Slack would repeat them for ever", n)
		}
		kept := 0
		for range 3 {
			if in := <-s.inbound; in.delivery != nil {
				kept++
			}
		}
		if kept != 1 {
			t.Errorf("%d are kept, want the command only: events that are not for us mean nothing", kept)
		}
	})
}

func TestAnotherCopyOfTheBotIsNoticed(t *testing.T) {
	inBubble(t, func(o *office) {
		if o.log.has("another copy of this bot") {
			t.Error("it takes itself for another copy")
		}
		quit, ended := o.quit, o.ended
		for range 2 { // two more bots on the same token
			o.start()
			defer func(quit context.CancelFunc, ended chan error) { quit(); <-ended }(o.quit, o.ended)
		}
		if !o.log.has("another copy of this bot") {
			t.Error("nobody is told")
		}
		o.quit, o.ended = quit, ended
	})
}

func TestTheFirstDisagreementAboutTheAppEndsTheRun(t *testing.T) {
	inBubble(t, func(o *office) {
		o.stop()
		for what, set := range map[string]func(*Bot){
			"the configuration names T0OTHER": func(b *Bot) { b.Team = "T0OTHER" },
			"the configuration names A0OTHER": func(b *Bot) { b.App = "A0OTHER" },
			"":                                func(b *Bot) { b.Team, b.App = "T024BE7LD", "A0KRD7HC3" },
		} {
			o.run()
			o.stop()
			o.ended = make(chan error, 1)
			set(o.bot)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			err := o.bot.Run(ctx)
			cancel()
			if (what == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), what) {
				t.Errorf("Run = %v, want %q", err, what)
			}
			o.ended <- nil
		}
	})
}

func TestTwoTokensOfTwoAppsAreNotTakenForOne(t *testing.T) {
	b := &Bot{App: "A1", Log: slog.New(&lines{}), API: slack.New("xoxb-x"), Now: time.Now}
	for app, fine := range map[string]bool{"A1": true, "": true, "A2": false} {
		err := b.newSession(0).hello(&socketmode.Request{ConnectionInfo: socketmode.ConnectionInfo{AppID: app}})
		if fine != (err == nil) {
			t.Errorf("a socket of app %q: %v", app, err)
		}
	}
}

func TestTheDoorLetsABurstInAndThenOneASecond(t *testing.T) {
	var d door
	now := time.Unix(0, 0)
	count := func(who string, n int) (in int) {
		for range n {
			if comes, _ := d.admit(who, now); comes {
				in++
			}
		}
		return in
	}
	if n := count("U1", 1000); n != doorBurst {
		t.Errorf("%d came in at once, want %d", n, doorBurst)
	}
	if n := count("U2", 10); n != 10 {
		t.Errorf("%d of another person's ten came in", n)
	}
	now = now.Add(5 * time.Second)
	if n := count("U1", 100); n != 5 {
		t.Errorf("%d came in after five seconds, want 5", n)
	}
	now = now.Add(time.Hour)
	if n := count("U1", 100); n != doorBurst {
		t.Errorf("%d came in after an hour, want %d", n, doorBurst)
	}
	for n := range 3 * mostVisitors {
		d.admit(fmt.Sprint("U", n), now)
	}
	if len(d.visitors) > mostVisitors+1 {
		t.Errorf("%d people are remembered", len(d.visitors))
	}
}

func TestWhatWasBegunIsFinishedAndAnsweredWhenTheBotIsToldToStop(t *testing.T) {
	inBubble(t, func(o *office) {
		release := o.domain.stall("web")
		o.command("ana", "ops", "upgrade web 4.0.1")
		o.pass(time.Second)
		time.AfterFunc(2*time.Second, release)
		late := make(chan slacksim.Outcome, 1)
		time.AfterFunc(time.Second, func() {
			out, _ := o.sim.Command("bo", "ops", "/vmss", "help")
			late <- out
		})
		took, err := o.stop()
		if err != nil || took > 3*time.Second {
			t.Errorf("Run = %v after %s", err, took)
		}
		if o.count("r-web", "Requested") != 1 || len(o.answers("ana")) != 1 || o.find("r-web") == nil {
			t.Errorf("what was begun was not finished: %v, %q", o.facts("r-web"), o.answers("ana"))
		}
		if out := <-late; out.Acked {
			t.Error("something new was taken while stopping")
		}
	})
}

func TestAcknowledgementsOnTheirWayAreFlushed(t *testing.T) {
	inBubble(t, func(o *office) {
		o.journal.disturb(func(context.Context) error { time.Sleep(100 * time.Millisecond); return nil }, nil)
		out := make(chan slacksim.Outcome, 1)
		go func() {
			got, _ := o.sim.Command("ana", "ops", "/vmss", "help")
			out <- got
		}()
		o.pass(50 * time.Millisecond)
		o.stop()
		if got := <-out; !got.Acked {
			t.Errorf("what was on disk was not acknowledged: %+v", got)
		}
	})
}

func TestWorkThatHangsDoesNotKeepTheProcess(t *testing.T) {
	inBubble(t, func(o *office) {
		release := o.domain.stall("web")
		o.command("ana", "ops", "upgrade web 4.0.1")
		o.pass(time.Second)
		if took, err := o.stop(); err != nil || took >= 10*time.Second {
			t.Errorf("Run = %v after %s, want less than 10 s", err, took)
		}
		release()
		o.restart()
		o.soon(5*time.Second, "it is carried out after the restart", func() bool { return o.count("r-web", "Requested") == 1 })
	})
}

func TestAStartThatIsCancelledEndsWithoutAnError(t *testing.T) {
	inBubble(t, func(o *office) {
		o.stop()
		o.fault(slacksim.Fault{Kind: "http_status", Method: "auth.test", Times: -1})
		o.run()
		o.pass(10 * time.Minute)
		if n := o.log.count("not reached, trying again"); n < 5 || n > 30 {
			t.Errorf("%d tries in ten minutes", n)
		}
		if took, err := o.stop(); err != nil || took > time.Second {
			t.Errorf("Run = %v after %s", err, took)
		}
	})
}

func TestTokensThatAreNoGoodEndTheRunWithASentence(t *testing.T) {
	for name, row := range map[string]struct {
		fault slacksim.Fault
		want  string
	}{
		"a bot token that was revoked before the start": {slacksim.Fault{Kind: "error", Method: "auth.test", Error: "account_inactive", Times: -1}, "auth.test: account_inactive"},
		"an app without the scope":                      {slacksim.Fault{Kind: "error", Method: "bots.info", Error: "missing_scope", Times: -1}, "bots.info: missing_scope"},
		"an app token that was revoked":                 {slacksim.Fault{Kind: "refuse_open", Error: "token_revoked", Times: -1}, "socket: token_revoked"},
		"an app token of another kind":                  {slacksim.Fault{Kind: "refuse_open", Error: "not_allowed_token_type", Times: -1}, "not_allowed_token_type"},
		"an app token without its scope":                {slacksim.Fault{Kind: "refuse_open", Error: "missing_scope", Times: -1}, "missing_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.stop()
				o.fault(row.fault)
				o.run()
				o.soon(10*time.Second, "Run ends", func() bool { return len(o.ended) > 0 })
				err := <-o.ended
				o.ended <- err
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("Run = %v, want %q in it", err, row.want)
				}
			})
		})
	}
}

func TestATokenRevokedWhileRunningEndsTheRun(t *testing.T) {
	inBubble(t, func(o *office) {
		o.fault(slacksim.Fault{Kind: "token_revoked"})
		o.command("ana", "ops", "help")
		o.soon(10*time.Second, "Run ends", func() bool { return len(o.ended) > 0 })
		err := <-o.ended
		o.ended <- err
		if err == nil || !strings.Contains(err.Error(), "token_revoked") {
			t.Errorf("Run = %v, want it to name the revoked token", err)
		}
		o.fault(slacksim.Fault{Kind: "token_restored"})
		o.restart()
		o.until("the answer comes after all", func() bool { return len(o.answers("ana")) == 1 })
	})
}

func TestNothingIsLeftRunning(t *testing.T) {
	inBubble(t, func(o *office) { // the bubble itself fails the test when a goroutine stays
		for range 3 {
			o.command("ana", "ops", "help")
			o.restart()
		}
		synctest.Wait()
	})
}

// A commit that takes too long for one word is none the worse for the others that wait with it.
func TestAWordForWhichItIsTooLateTakesNoOtherWithIt(t *testing.T) {
	inBubble(t, func(o *office) {
		o.journal.disturb(func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second): // a slow disk
				return nil
			}
		}, nil)
		s, now := o.bot.newSession(9), time.Now()
		word := func(key string, age time.Duration) inbound {
			return inbound{envelope: key, at: now.Add(-age), delivery: &upgrade.Delivery{Key: key, Kind: kindCommand, Body: []byte("{}"), At: now.Add(-age)}}
		}
		kept := s.kept(context.Background(), []inbound{word("old", slackWaits-100*time.Millisecond), {envelope: "no word"}, word("new", 0)})
		var names []string
		for _, in := range kept {
			names = append(names, in.envelope)
		}
		if !slices.Equal(names, []string{"no word", "new"}) || time.Since(now) > slackWaits {
			t.Errorf("after %s these are acknowledged: %v", time.Since(now), names)
		}
		o.journal.disturb(func(context.Context) error { return errors.New("disk full") }, nil)
		if kept := s.kept(context.Background(), []inbound{word("a", 0), {envelope: "no word"}, word("b", 0)}); len(kept) != 1 {
			t.Errorf("without a journal these are acknowledged: %v", kept)
		}
	})
}
