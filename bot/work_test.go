package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

// typed is the payload of a command, as the workspace writes it.
func typed(user, channel, text string) map[string]any {
	return map[string]any{"team_id": "T024BE7LD", "api_app_id": "A0KRD7HC3", "user_id": user, "channel_id": channel, "command": "/vmss", "text": text,
		"is_enterprise_install": "false"}
}

func TestWhatOnePersonSaysIsCarriedOutInTheOrderItWasSaid(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		var want []string
		for range 20 {
			o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, "pause "+id))
			o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, "resume "+id))
			want = append(want, "Paused", "Resumed")
		}
		o.until("all are settled", func() bool { return o.journal.waiting() == 0 })
		if got := o.facts(id)[2:]; !slices.Equal(got, want) {
			t.Errorf("the journal has %v, want %v", got, want)
		}
	})
}

func TestALookShowsWhatItsAuthorSaidBefore(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.journal.disturb(nil, func(s upgrade.Settlement) error {
			if len(s.Changes) > 0 {
				time.Sleep(2 * time.Second) // the pause takes its time
			}
			return nil
		})
		o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, "pause "+id))
		o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, "status "+id))
		o.until("both are answered", func() bool { return len(o.answers("ana")) == 3 })
		if now := o.answers("ana")[2]; !strings.Contains(strings.ToLower(now), "paused") {
			t.Errorf("the status does not show the pause before it: %s", now)
		}
	})
}

func TestAnAbortPassesItsAuthorsSlowLook(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		release := o.domain.stall("sets")
		defer release()
		o.command("ana", "ops", "list")
		o.command("ana", "ops", `abort `+id+` "bad image"`)
		o.soon(2*time.Second, "the abort counts", func() bool { return o.count(id, "AbortAsked") == 1 })
	})
}

func TestAnAbortDoesNotWaitForEveryoneElsesPlans(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		release := o.domain.stall("sets")
		defer release()
		for n := range 3 * atOnce {
			o.deliver(kindCommand, typed(fmt.Sprintf("U0MANY%04d", n), slacksim.Ops, "list"))
		}
		o.fault(slacksim.Fault{Kind: "clear"})
		o.command("ana", "ops", `abort `+id+` "bad image"`)
		o.soon(2*time.Second, "the abort counts", func() bool { return o.count(id, "AbortAsked") == 1 })
	}, func(o *office) {
		opt := slacksim.Options{Scopes: scopes}
		many(&opt, 3*atOnce)
		o.sim.Close()
		o.sim = slacksim.New(opt)
	})
}

// A form opens at once, and what it offers is read from Azure then.
func TestAWordThatStopsDoesNotWaitForEveryoneElsesForms(t *testing.T) {
	for _, form := range []string{"upgrade", "freeze"} {
		t.Run(form, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.opened("web")
				release := o.domain.stall("sets")
				defer release()
				for n := range 3 * atOnce {
					o.command(fmt.Sprintf("U0MANY%04d", n), slacksim.Ops, form)
				}
				o.command("ana", "ops", `abort `+id+` "bad image"`)
				o.soon(2*time.Second, "the abort counts", func() bool { return o.count(id, "AbortAsked") == 1 })
				o.command("eva", "ops", `freeze all "storage incident"`)
				o.soon(2*time.Second, "the freeze holds", func() bool { all, err := o.journal.Freezes(context.Background()); return err == nil && len(all) == 1 })
			}, crowd(3*atOnce))
		})
	}
}

func TestOnePersonsFloodDoesNotKeepAnothersAbortWaiting(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		card := o.find("Approve", id)
		before := len(o.journal.settlements())
		var flood sync.WaitGroup
		var acked sync.Map
		for n := range 600 {
			flood.Go(func() {
				time.Sleep(time.Duration(n) * 500 * time.Microsecond)
				out, err := o.sim.Interact(slacksim.Interaction{User: "olaf", Channel: "ops", TS: card.TS, ActionID: "approve", Value: nonceOf("web")})
				if err == nil && out.Acked {
					acked.Store(out.EnvelopeID, true)
				}
			})
		}
		o.pass(150 * time.Millisecond)
		began := time.Now()
		o.command("ana", "ops", `abort `+id+` "bad image"`)
		o.until("the abort counts", func() bool { return o.count(id, "AbortAsked") == 1 })
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the abort took %s", took)
		}
		flood.Wait()
		n := 0
		acked.Range(func(any, any) bool { n++; return true })
		o.until("everything acknowledged is settled", func() bool { return o.journal.waiting() == 0 })
		if settled := len(o.journal.settlements()) - before - 1; n != settled || n < doorBurst || n > doorBurst+5 {
			t.Errorf("%d clicks were acknowledged and %d carried out, want the same, and a burst's worth", n, settled)
		}
		if o.count(id, "Voted") != 0 {
			t.Error("a click of somebody without the right counts")
		}
	})
}

func TestAFullInboxDoesNotHideWhatOthersSaid(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		release := o.domain.stall("sets")
		defer release()
		o.stop()
		for range 3 * oneLook {
			o.deliver(kindCommand, typed(slacksim.Olaf, slacksim.Ops, "list"))
		}
		o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, `abort `+id+` "bad image"`))
		o.start()
		o.soon(3*time.Second, "the abort counts", func() bool { return o.count(id, "AbortAsked") == 1 })
	})
}

func TestAPoisonedDeliveryIsSettledOnceAndHarmsNobody(t *testing.T) {
	for name, row := range map[string]struct{ kind, body string }{
		"no JSON":                    {kindCommand, `{"team_id":`},
		"nothing":                    {kindInteract, ``},
		"null":                       {kindEvent, `null`},
		"a list":                     {kindInteract, `[1,2]`},
		"wrong types":                {kindInteract, `{"user":"U1","actions":{"a":1}}`},
		"a flag that is no flag":     {kindCommand, `{"is_enterprise_install":"perhaps"}`},
		"a kind of nobody's":         {"telepathy", `{"team_id":"T024BE7LD","api_app_id":"A0KRD7HC3","user_id":"U0ANA00001","channel_id":"C0OPS00001"}`},
		"an interaction of tomorrow": {kindInteract, `{"type":"gesture","team":{"id":"T024BE7LD"},"api_app_id":"A0KRD7HC3","user":{"id":"U0ANA00001"},"channel":{"id":"C0OPS00001"}}`},
		"a click on nothing":         {kindInteract, `{"type":"block_actions","team":{"id":"T024BE7LD"},"api_app_id":"A0KRD7HC3","user":{"id":"U0ANA00001"},"channel":{"id":"C0OPS00001"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.deliver(row.kind, json.RawMessage(row.body))
				o.command("ana", "ops", "help")
				o.until("both are settled", func() bool { return o.journal.waiting() == 0 })
				o.pass(5 * time.Minute)
				if n := len(o.journal.settlements()); n != 2 {
					t.Errorf("%d settlements, want 2", n)
				}
				if len(o.journal.declined()) != 1 || len(o.answers("ana")) != 1 {
					t.Errorf("audit %+v, answers %q; want one line, and an answer to the command only", o.journal.declined(), o.answers("ana"))
				}
			})
		})
	}
}

func TestAMistakeInTheDomainIsAnsweredAndLogged(t *testing.T) {
	inBubble(t, func(o *office) {
		o.domain.trap = "web"
		o.command("ana", "ops", "upgrade web 4.0.1")
		o.until("it is answered", func() bool { return o.answered("ana", "VMSS-INSIDE") })
		if !o.log.has("made the bot panic") || o.count("r-web", "Requested") != 0 {
			t.Errorf("log:\n%s\nfacts %v", o.log, o.facts("r-web"))
		}
		o.opened("shop") // and life goes on
	})
}

func TestWhatMeetsAChangedRolloutIsSaidAgainToWhatIsThereNow(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		stale := 3
		o.journal.disturb(nil, func(s upgrade.Settlement) error {
			if stale--; stale >= 0 {
				return fmt.Errorf("journal: %w", upgrade.ErrStale)
			}
			return nil
		})
		o.command("ana", "ops", "pause "+id)
		o.soon(time.Second, "the pause counts", func() bool { return o.count(id, "Paused") == 1 })
	})
}

func TestWhatCannotBeSettledIsAnsweredSoInTheEnd(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"others are always faster":     {upgrade.ErrStale, "others keep changing it"},
		"the journal does not take it": {errors.New("constraint failed"), "my journal does not take it"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.opened("web")
				o.journal.disturb(nil, func(s upgrade.Settlement) error {
					if len(s.Changes) > 0 && s.Changes[0].Rollout != "" {
						return row.err
					}
					return nil
				})
				o.command("ana", "ops", "pause "+id)
				o.soon(15*time.Second, "it is answered", func() bool { return o.answered("ana", row.want) })
				if o.count(id, "Paused") != 0 || o.journal.waiting() != 0 {
					t.Errorf("facts %v, %d deliveries wait", o.facts(id), o.journal.waiting())
				}
			})
		})
	}
}

func TestAJournalThatCannotBeReadForAMomentRefusesNobody(t *testing.T) {
	for name, say := range map[string]func(o *office, id, root string){
		"a command": func(o *office, id, _ string) { o.command("ana", "ops", "pause "+id) },
		"a word in one of two threads": func(o *office, _, root string) {
			if _, err := o.sim.Say("ana", "ops", "@vmssbot pause", root); err != nil {
				o.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.opened("web")
				o.opened("shop")
				root := o.root(id).TS
				o.journal.unreadable(true)
				say(o, id, root)
				o.pass(3 * time.Second)
				o.journal.unreadable(false)
				o.soon(2*time.Second, "the pause counts", func() bool { return o.count(id, "Paused") == 1 })
				if o.answered("ana", "nothing was changed") {
					t.Errorf("answers %q", o.answers("ana"))
				}
			})
		})
	}
}

func TestAJournalThatStaysUnreadableIsToldInTheEnd(t *testing.T) {
	for words, want := range map[string]string{"@vmssbot pause r-web": "I could not read rollout r-web; nothing was changed", "@vmssbot pause": "I could not read which rollout this thread is about"} {
		t.Run(words, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.opened("web")
				root := o.root(id).TS
				o.journal.unreadable(true)
				if _, err := o.sim.Say("ana", "ops", words, root); err != nil {
					t.Fatal(err)
				}
				o.soon(15*time.Second, "it is answered", func() bool { return o.answered("ana", want) })
				o.journal.unreadable(false)
				o.pass(time.Minute)
				if o.count(id, "Paused") != 0 || o.journal.waiting() != 0 {
					t.Errorf("facts %v, %d deliveries wait", o.facts(id), o.journal.waiting())
				}
			})
		})
	}
}

// What a typed yes is to depends on the moment: a card that comes meanwhile is another one.
func TestATypedYesIsNotTriedLaterWhenTheJournalCannotBeRead(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.journal.unreadable(true)
		o.command("bo", "ops", "approve "+id)
		o.pass(time.Second)
		o.journal.unreadable(false)
		o.soon(5*time.Second, "it is answered", func() bool { return o.answered("bo", "I could not read rollout "+id+"; nothing was changed") })
		o.pass(time.Minute)
		if o.count(id, "Voted") != 0 {
			t.Errorf("facts %v", o.facts(id))
		}
	})
}

func TestAnAcknowledgedWordOutlivesAJournalThatIsOutForMinutes(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.journal.disturb(nil, func(upgrade.Settlement) error { return errors.New("disk full") })
		o.command("ana", "ops", "pause "+id)
		o.pass(10 * time.Minute)
		o.journal.disturb(nil, nil)
		o.soon(15*time.Second, "the pause counts", func() bool { return o.count(id, "Paused") == 1 })
		if n := o.count(id, "Paused"); n != 1 {
			t.Errorf("%d pauses", n)
		}
	})
}

func TestARestartCarriesOutWhatWasAcknowledged(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.stop()
		o.deliver(kindCommand, typed(slacksim.Ana, slacksim.Ops, "pause "+id))
		o.fault(slacksim.Fault{Kind: "refuse_open", Times: -1, For: slacksim.Duration(time.Hour)}) // nobody says hello
		o.run()
		o.soon(5*time.Second, "the pause counts", func() bool { return o.count(id, "Paused") == 1 })
		o.until("it is answered", func() bool { return o.answered("ana", "is paused") })
	})
}

func TestSomebodyWhoCannotBeCheckedIsRefusedWithTheCommandToTypeAgain(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(2 * freshFor)
		o.fault(slacksim.Fault{Kind: "http_status", Method: "users.info"})
		o.command("ana", "ops", "pause "+id)
		o.until("it is answered", func() bool { return o.answered("ana", "could not check who you are") })
		if !o.answered("ana", "/vmss pause "+id) || o.count(id, "Paused") != 0 {
			t.Errorf("answers %q, facts %v", o.answers("ana"), o.facts(id))
		}
		o.command("ana", "ops", "pause "+id)
		o.until("the second try counts", func() bool { return o.count(id, "Paused") == 1 })
	})
}

func TestAnEndlessReadingIsGivenUpAndSaidSo(t *testing.T) {
	inBubble(t, func(o *office) {
		release := o.domain.stall("web")
		defer release()
		o.command("ana", "ops", "upgrade web 4.0.1")
		o.soon(workTimeout+5*time.Second, "it is answered", func() bool { return o.answered("ana", "took longer than 1m0s") })
	})
}

func TestRolloutsDoNotStartInSharedChannels(t *testing.T) {
	shared := func(o *office) {
		o.domain.policies[0].Channel = slacksim.Partners
	}
	t.Run("shared", func(t *testing.T) {
		inBubble(t, func(o *office) {
			for range 3 {
				o.command("ana", "partners", "upgrade web 4.0.1")
			}
			o.until("all are answered", func() bool { return len(o.answers("ana")) == 3 })
			if !o.answered("ana", "shared with another workspace") || o.count("r-web", "Requested") != 0 {
				t.Errorf("answers %q, facts %v", o.answers("ana"), o.facts("r-web"))
			}
			if n := o.calls("conversations.info"); n != 1 {
				t.Errorf("%d conversations.info, want one a minute", n)
			}
			o.command("ana", "partners", "list") // reading is private
			o.until("it is answered", func() bool { return len(o.answers("ana")) == 4 })
		}, shared)
	})
	t.Run("nobody can tell", func(t *testing.T) {
		inBubble(t, func(o *office) {
			o.fault(slacksim.Fault{Kind: "http_status", Method: "conversations.info"})
			o.command("ana", "ops", "upgrade web 4.0.1")
			o.until("it is answered", func() bool { return o.answered("ana", "could not check whether this channel is shared") })
			if o.count("r-web", "Requested") != 0 {
				t.Error("it was started")
			}
			o.opened("web")
		})
	})
}

func TestInARolloutsThreadItsWordsNeedNoID(t *testing.T) {
	for _, row := range []struct {
		name, says string
		want       string // the fact it comes to, or
		answer     string
	}{
		{"a pause", "pause", "Paused", ""},
		{"a pause with a reason", "pause  until the fix is out", "Paused", "until the fix"},
		{"an abort", `abort "bad image"`, "AbortAsked", ""},
		{"with the root command", "/vmss pause", "Paused", ""},
		{"another rollout's id", "pause r-shop", "", "r-shop is paused"},
		{"an id spelt wrongly is nobody's", "pause R-Shop", "", "Did you mean `r-shop`"},
		{"a set is not filled in", "pause shop", "Paused", ""},
		{"instances to skip", "skip vm=5", "Skipped", ""},
		{"what is left out besides is told", "skip", "", "needs instances"},
		{"a reason that stands first is no rollout's id", "quarantine vm=5 \"no disk\"", "", "failed, inconclusive, skipped or upgraded"},
		{"the evidence", "show evidence", "", "r-web"},
		{"why", "why", "", "r-web"},
		{"a verb that is about no rollout", "plan", "", "VMSS-ARG"},
		{"a verb of nobody's", "jump", "", "I do not know"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.opened("shop")
				id := o.opened("web")
				if _, err := o.sim.Say("ana", "ops", "@vmssbot "+row.says, o.root(id).TS); err != nil {
					t.Fatal(err)
				}
				o.until("it is answered", func() bool { return len(o.answers("ana")) == 3 })
				if row.want != "" && o.count(id, row.want) != 1 {
					t.Errorf("facts %v, answers %q", o.facts(id), o.answers("ana")[2])
				}
				if row.want == "" && (len(o.facts(id)) != 2 || !o.answered("ana", row.answer)) {
					t.Errorf("facts %v, answers %q, want %q", o.facts(id), o.answers("ana")[2], row.answer)
				}
				if m := o.sim.Ephemerals("ana")[2]; m.ThreadTS != o.root(id).TS {
					t.Errorf("the answer stands in %q, want the thread", m.ThreadTS)
				}
			})
		})
	}
}

func TestOutsideOfARolloutsThreadWordsNeedTheID(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		chat, err := o.sim.Say("bo", "ops", "lunch?", "")
		if err != nil {
			t.Fatal(err)
		}
		for n, thread := range []string{"", chat.Message.TS} {
			if _, err := o.sim.Say("bo", "ops", "@vmssbot pause", thread); err != nil {
				t.Fatal(err)
			}
			o.until("it is answered", func() bool { return len(o.answers("bo")) == n+1 })
		}
		if o.count(id, "Paused") != 0 || !o.answered("bo", "needs a rollout") {
			t.Errorf("facts %v, answers %q", o.facts(id), o.answers("bo"))
		}
	})
}

func TestBotsAreNotHeard(t *testing.T) {
	event := func(change map[string]any) map[string]any {
		e := map[string]any{"type": "app_mention", "user": slacksim.Ana, "text": "<@" + slacksim.BotUser + "> status", "channel": slacksim.Ops, "ts": "1700000000.000100"}
		for k, v := range change {
			e[k] = v
		}
		return map[string]any{"type": "event_callback", "team_id": "T024BE7LD", "api_app_id": "A0KRD7HC3", "event_id": "Ev1", "event": e}
	}
	for name, change := range map[string]map[string]any{
		"a bot that says so":      {"bot_id": "B0OTHER"},
		"a bot's user":            {"user": slacksim.Hal},
		"itself":                  {"user": slacksim.BotUser},
		"somebody from elsewhere": {"user": slacksim.Stranger},
		"nobody":                  {"user": ""},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.deliver(kindEvent, event(change))
				o.until("it is settled", func() bool { return o.journal.waiting() == 0 })
				o.pass(time.Minute)
				for _, method := range []string{"chat.postMessage", "chat.postEphemeral"} {
					if o.calls(method) > 0 {
						t.Errorf("the bot answered with %s", method)
					}
				}
				if len(o.journal.declined()) != 1 {
					t.Errorf("audit %+v, want one line", o.journal.declined())
				}
			})
		})
	}
	inBubble(t, func(o *office) { // the same payload of a person is
		o.deliver(kindEvent, event(nil))
		o.until("it is answered", func() bool {
			return o.answered("ana", "No rollout is open") || strings.Contains(strings.Join(o.answers("ana"), ""), "No rollout")
		})
	})
}

// What somebody pastes may hold a secret. It was said to Slack; the audit, which is kept for ever, does not repeat it.
func TestTheAuditDoesNotKeepTheSecretsThatPeoplePaste(t *testing.T) {
	inBubble(t, func(o *office) {
		for n, words := range []string{
			"upgrade web https://acct.blob.core.windows.net/vhds/a.vhd?sv=1&sig=canary", "upgrade web https://me:canary@acct.blob.core.windows.net/vhds/a.vhd",
			"frobnicate xoxb-canary", "xapp-1-canary", `abort "no such" https://hooks.example/?canary`,
		} {
			o.command("ana", "ops", words)
			o.until(words+" is refused", func() bool { return len(o.journal.declined()) == n+1 })
		}
		if said := fmt.Sprintf("%+v", o.journal.declined()); strings.Contains(said, "canary") || !strings.Contains(said, "https://acct.blob.core.windows.net/vhds/a.vhd?…") {
			t.Errorf("the audit keeps %s", said)
		}
	})
}

// A form or a Home tab that was shown, and of which the journal takes no end, is tried again as anything else is:
// not at full speed.
func TestAHomeTabThatCannotBeSettledIsNotPublishedAtFullSpeed(t *testing.T) {
	inBubble(t, func(o *office) {
		o.journal.disturb(nil, func(upgrade.Settlement) error { return errors.New("disk full") })
		if _, err := o.sim.OpenHome("ana"); err != nil {
			t.Fatal(err)
		}
		published := func() (n int) {
			for _, e := range o.sim.Log() {
				if e.Kind == slacksim.LogAPI && e.Method == "views.publish" {
					n++
				}
			}
			return n
		}
		o.pass(20 * time.Second)
		if n := published(); n == 0 || n > 25 {
			t.Errorf("the tab was published %d times in 20 s", n)
		}
		o.journal.disturb(nil, nil)
		o.until("it is settled", func() bool { return o.journal.waiting() == 0 })
	})
}
