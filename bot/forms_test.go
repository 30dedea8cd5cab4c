package bot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

func TestWhatWasLeftOutIsAskedForInAFormAndItsListsFollow(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "upgrade note=CHG-1")
		v := d.form(slacksim.Ana, "Upgrade a scale set")
		out, err := d.Slack.Interact(slacksim.Interaction{User: slacksim.Ana, ViewID: v.ID, ActionID: "set", Value: "myvmss"})
		if err != nil || !out.Acked {
			t.Fatal(out, err)
		}
		d.Advance(5 * time.Second)
		blocks := string(d.form(slacksim.Ana, "Upgrade a scale set").Doc["blocks"])
		for _, says := range []string{image, "4.0.20160101 · current", "UD 0 · 4 instances", "latest: the newest", `"initial_value":"CHG-1"`} {
			if !strings.Contains(blocks, says) {
				t.Errorf("the form does not have %q: %s", says, blocks)
			}
		}
		if out := d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0,2"}); !out.Acked || len(out.Errors) > 0 {
			t.Fatalf("%+v", out)
		}
		d.noForm(slacksim.Ana)
		d.sees("8 instances in 2 gates")
		d.sees("CHG-1")
	})
}

func TestAFormIsTheCommandThatCouldHaveBeenTyped(t *testing.T) {
	told := func(ask func(*formDesk)) (said string) {
		fillIn(t, func(d *formDesk) {
			ask(d)
			for _, m := range d.Messages() {
				if m.EphemeralTo == slacksim.Ana {
					said += strings.Join(m.Lines, "\n")
				}
			}
		})
		return said
	}
	typed := told(func(d *formDesk) { d.types(slacksim.Ana, "plan myvmss "+image+" ud=0 note=\"a & b\"") })
	filled := told(func(d *formDesk) {
		d.types(slacksim.Ana, "plan myvmss")
		d.form(slacksim.Ana, "Plan an upgrade")
		d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0", "note": "a & b"})
	})
	if typed == "" || strings.Split(typed, "made at")[0] != strings.Split(filled, "made at")[0] {
		t.Errorf("typed:\n%s\nfilled in:\n%s", typed, filled)
	}
}

func TestAWrongFieldIsToldUnderItAndNothingIsKept(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "upgrade myvmss")
		before, messages := d.received(), len(d.Messages())
		out := d.sends(slacksim.Ana, map[string]string{"target": image, "soak": "10", "max-failures": "many"})
		if !out.Acked || len(out.Errors) != 2 || !strings.Contains(out.Errors["soak"], "Did you mean 10m?") || !strings.Contains(out.Errors["max-failures"], "a number of instances") {
			t.Errorf("acknowledged %v with %v", out.Acked, out.Errors)
		}
		if d.received() != before || len(d.Messages()) != messages {
			t.Errorf("%d deliveries kept, %d messages posted", d.received()-before, len(d.Messages())-messages)
		}
		d.form(slacksim.Ana, "Upgrade a scale set")
		d.sends(slacksim.Ana, map[string]string{"target": image, "soak": "10m"})
		d.noForm(slacksim.Ana)
		d.sees("waits for the yes")
	})
}

func TestAFormIsAcknowledgedOnlyAfterItWasKept(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "plan myvmss")
		d.full(true)
		if out := d.sends(slacksim.Ana, map[string]string{"target": image}); out.Acked || out.Notice == "" {
			t.Errorf("acknowledged %v, Slack said %q", out.Acked, out.Notice)
		}
		d.full(false)
		if out := d.sends(slacksim.Ana, map[string]string{"target": image}); !out.Acked {
			t.Error("the second try is not acknowledged")
		}
		if n := d.count("Nothing was asked or changed"); n != 1 {
			t.Errorf("answered %d times", n)
		}
	})
}

func TestAFormThatWasAcknowledgedIsCarriedOutAfterACrash(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "upgrade myvmss")
		d.Trap(func(_ int, point string) bool { return point == "before journal.Settle" })
		if out := d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0"}); !out.Acked {
			t.Fatal("not acknowledged")
		}
		if !d.Reap() {
			t.Fatal("the bot did not die")
		}
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		d.Advance(10 * time.Second)
		d.sees("UD 0 waits for the yes")
		if n := d.count("is open: myvmss"); n != 1 {
			t.Errorf("opened %d times:\n%s", n, d.all())
		}
	})
}

func TestWhenAFormCannotBeOpenedThePersonIsToldWhatToType(t *testing.T) {
	for name, trouble := range map[string]slacksim.Fault{
		"the trigger is over":   {Kind: "error", Method: "views.open", Error: "expired_trigger_id"},
		"Slack does not answer": {Kind: "reset_before", Method: "views.open"},
		"Slack is slow":         {Kind: "slow", Method: "views.open", Delay: slacksim.Duration(9 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			fillIn(t, func(d *formDesk) {
				if err := d.Slack.Inject(trouble); err != nil {
					t.Fatal(err)
				}
				d.types(slacksim.Ana, "upgrade myvmss")
				d.sees("VMSS-ARG")
				d.sees("/vmss help upgrade")
				if name != "Slack is slow" { // that form may still come
					d.noForm(slacksim.Ana)
				}
				d.clicks(slacksim.Ana, "form")
				d.form(slacksim.Ana, "Upgrade a scale set")
			})
		})
	}
}

func TestAFormIsNotOpenedAgainAfterARestart(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.Trap(func(_ int, point string) bool { return point == "before POST /api/views.open" })
		if _, err := d.Slack.Command(slacksim.Ana, slacksim.Ops, "/vmss", "upgrade myvmss"); err != nil { // acknowledged or not: it was kept
			t.Fatal(err)
		}
		d.Advance(5 * time.Second)
		if !d.Reap() {
			t.Fatal("the bot did not die")
		}
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		d.Advance(10 * time.Second)
		d.noForm(slacksim.Ana)
		d.sees("needs a target")
	})
}

func TestListsThatCannotBeReadLeaveAFormToTypeIn(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Slack.Inject(slacksim.Fault{Kind: "http_status", Method: "users.info", Times: -1}); err != nil {
			t.Fatal(err)
		}
		d.types(slacksim.Ana, "upgrade myvmss")
		blocks := string(d.form(slacksim.Ana, "Upgrade a scale set").Doc["blocks"])
		if !strings.Contains(blocks, "I could not check who you are") || !strings.Contains(blocks, `"initial_value":"myvmss"`) {
			t.Error(blocks)
		}
		if err := d.Slack.Inject(slacksim.Fault{Kind: "clear"}); err != nil {
			t.Fatal(err)
		}
		d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0"})
		d.sees("UD 0 waits for the yes")
	})
}

func TestAFormDoesNotWaitForItsAuthorsSlowPlan(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		if err := d.Azure.Inject(azuresim.Fault{Kind: "slow", Match: "GET", Delay: azuresim.Duration(30 * time.Second), Times: -1}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Slack.Command(slacksim.Ana, slacksim.Ops, "/vmss", "plan web-prod latest"); err != nil {
			t.Fatal(err)
		}
		d.clicks(slacksim.Ana, "abort")
		d.form(slacksim.Ana, "Abort a rollout")
	})
}

func TestAFormWhoseListsTakeTooLongSaysSo(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Azure.Inject(azuresim.Fault{Kind: "slow", Match: "GET", Delay: azuresim.Duration(time.Minute), Times: -1}); err != nil {
			t.Fatal(err)
		}
		d.types(slacksim.Ana, "upgrade myvmss")
		if blocks := string(d.form(slacksim.Ana, "Upgrade a scale set").Doc["blocks"]); !strings.Contains(blocks, "Reading what there is to choose from") {
			t.Errorf("while the lists are read: %s", blocks)
		}
		d.Advance(15 * time.Second)
		if blocks := string(d.form(slacksim.Ana, "Upgrade a scale set").Doc["blocks"]); !strings.Contains(blocks, ":warning:") || !strings.Contains(blocks, `"plain_text_input"`) {
			t.Errorf("when they took too long: %s", blocks)
		}
	})
}

func TestTheLastSetChosenIsTheOneWhoseListsStandThere(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "plan")
		v := d.form(slacksim.Ana, "Plan an upgrade")
		for _, set := range []string{"web-prod", "myvmss", "web-prod", "myvmss"} {
			if _, err := d.Slack.Interact(slacksim.Interaction{User: slacksim.Ana, ViewID: v.ID, ActionID: "set", Value: set}); err != nil {
				t.Fatal(err)
			}
		}
		d.Advance(20 * time.Second)
		if blocks := string(d.form(slacksim.Ana, "Plan an upgrade").Doc["blocks"]); !strings.Contains(blocks, `"target/myvmss"`) || strings.Contains(blocks, `"target/web-prod"`) {
			t.Error(blocks)
		}
	})
}

func TestDenyAsksForItsReasonInAForm(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.clicks(slacksim.Bo, "deny")
		d.form(slacksim.Bo, "Deny")
		if out := d.sends(slacksim.Bo, map[string]string{"reason": "   "}); !strings.Contains(out.Errors["reason"], "this is needed") {
			t.Errorf("%+v", out)
		}
		d.sends(slacksim.Bo, map[string]string{"reason": "not <!channel> today"})
		d.noForm(slacksim.Bo)
		d.sees("bo denied UD 0")
	})
}

func TestAbortAsksForItsReasonAndWhatBecomesOfTheModel(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.clicks(slacksim.Ana, "abort")
		d.form(slacksim.Ana, "Abort a rollout")
		d.sends(slacksim.Ana, map[string]string{"reason": "wrong image", "answer": "keep"})
		d.sees("wrong image")
		d.sees("aborted")
	})
}

func TestARolloutIsHandedOverToWhomItsFormNames(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.types(slacksim.Ana, "handover "+d.rollout())
		if blocks := string(d.form(slacksim.Ana, "Hand a rollout over").Doc["blocks"]); !strings.Contains(blocks, `"users_select"`) {
			t.Error(blocks)
		}
		d.sends(slacksim.Ana, map[string]string{"to": slacksim.Bo, "reason": "UD 0 is next"})
		d.noForm(slacksim.Ana)
		d.sees("is bo's now")
	})
}

func TestWhatAFreezeLacksIsAskedForAndItHolds(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.types(slacksim.Eva, "freeze for=2h")
		blocks := string(d.form(slacksim.Eva, "Freeze scale sets").Doc["blocks"])
		for _, says := range []string{"all: every scale set that you may stop", "myvmss · ", `"initial_value":"2h"`, "until somebody lifts it"} {
			if !strings.Contains(blocks, says) {
				t.Errorf("the form does not have %q: %s", says, blocks)
			}
		}
		if out := d.sends(slacksim.Eva, map[string]string{"set": "myvmss", "until": "22:00", "reason": "sale"}); !strings.Contains(out.Errors["until"], "for= and until= both say when it ends") {
			t.Errorf("a freeze that ends twice: %+v", out)
		}
		d.sends(slacksim.Eva, map[string]string{"set": "myvmss", "until": "", "reason": "the sale"})
		d.noForm(slacksim.Eva)
		if !d.public("by eva: “the sale”") {
			t.Errorf("the channel is not told:\n%s", d.all())
		}
		d.clicks(slacksim.Bo, "approve")
		d.sees("It does not start yet: frozen by eva")

		d.types(slacksim.Ana, "unfreeze")
		if blocks := string(d.form(slacksim.Ana, "Lift a freeze").Doc["blocks"]); !strings.Contains(blocks, "/myvmss · until ") || !strings.Contains(blocks, "UTC · by eva") {
			t.Error(blocks)
		}
		d.sends(slacksim.Ana, map[string]string{"set": d.choice(slacksim.Ana, "f-"), "reason": "sold out"})
		d.noForm(slacksim.Ana)
		d.sees("is not frozen any more")
		d.Advance(time.Minute)
		d.sees("Azure has been at work for")
	})
}

func TestAFreezeIsTypedIntoItsFormWhereAzureIsSlow(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Azure.Inject(azuresim.Fault{Kind: "slow", Match: "GET", Delay: azuresim.Duration(time.Minute), Times: -1}); err != nil {
			t.Fatal(err)
		}
		d.types(slacksim.Bo, "freeze") // and five seconds later
		if blocks := string(d.form(slacksim.Bo, "Freeze scale sets").Doc["blocks"]); !strings.Contains(blocks, ":warning:") || !strings.Contains(blocks, "or all: every one that you may stop") {
			t.Error(blocks)
		}
		d.sends(slacksim.Bo, map[string]string{"set": "all", "reason": "storage incident"})
		d.noForm(slacksim.Bo)
		d.sees("every set is frozen* until somebody lifts it by bo: “storage incident”")
	})
}

func TestWhatAScheduleLacksIsAskedForAndItIsTakenAwayByItsForm(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "schedule myvmss latest ud=0")
		blocks := string(d.form(slacksim.Ana, "Schedule an upgrade").Doc["blocks"])
		for _, says := range []string{`"label":{"type":"plain_text","text":"When"`, "each Sunday at 02:00", "latest: the newest", "UD 0 · 4 instances"} {
			if !strings.Contains(blocks, says) {
				t.Errorf("the form does not have %q: %s", says, blocks)
			}
		}
		if out := d.sends(slacksim.Ana, map[string]string{"cron": "at night", "note": "monthly"}); !strings.Contains(out.Errors["cron"], "five fields with blanks between") {
			t.Errorf("times that are none: %+v", out)
		}
		d.sends(slacksim.Ana, map[string]string{"cron": "30 8 1 * *", "tz": "Europe/Prague", "note": "monthly"})
		d.noForm(slacksim.Ana)
		for _, says := range []string{"myvmss is scheduled", "30 8 1 * *", "Europe/Prague", "latest ud=0 note=\"monthly\""} {
			d.sees(says)
		}

		d.types(slacksim.Bo, "unschedule")
		if blocks := string(d.form(slacksim.Bo, "Take a schedule away").Doc["blocks"]); !strings.Contains(blocks, "myvmss · 30 8 1 * * Europe/Prague · by ana") {
			t.Error(blocks)
		}
		d.sends(slacksim.Bo, map[string]string{"set": d.choice(slacksim.Bo, "s-"), "reason": "by hand now"})
		d.noForm(slacksim.Bo)
		d.sees("myvmss is not scheduled any more")
	})
}

func TestTheInstancesToChooseFromAreThoseOfTheRolloutThatIsChosen(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.types(slacksim.Bo, "skip \"rebuilt by hand\"")
		d.noForm(slacksim.Bo) // a reason where the rollout belongs is wrong, not left out
		d.types(slacksim.Bo, "skip")
		v := d.form(slacksim.Bo, "Skip instances")
		if _, err := d.Slack.Interact(slacksim.Interaction{User: slacksim.Bo, ViewID: v.ID, ActionID: "rollout", Value: d.rollout()}); err != nil {
			t.Fatal(err)
		}
		d.Advance(5 * time.Second)
		if blocks := string(d.form(slacksim.Bo, "Skip instances").Doc["blocks"]); !strings.Contains(blocks, "0 · UD 0 · not started") || strings.Contains(blocks, `"rollout"`) {
			t.Error(blocks)
		}
		d.sends(slacksim.Bo, map[string]string{"vm": "0", "reason": "rebuilt by hand"})
		d.noForm(slacksim.Bo)
		d.sees("left as they are, for this rollout")
	})
}

func TestAnybodyMayOpenAFormAndNobodyGetsARightByIt(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.clicks(slacksim.Olaf, "abort")
		d.form(slacksim.Olaf, "Abort a rollout")
		d.sends(slacksim.Olaf, map[string]string{"reason": "because I can"})
		d.sees("VMSS-")
		if d.public("because I can") {
			t.Error("the outsider's abort was heard")
		}
		d.types(slacksim.Olaf, "freeze all")
		d.form(slacksim.Olaf, "Freeze scale sets")
		d.sends(slacksim.Olaf, map[string]string{"reason": "because I like to"})
		d.sees("to freeze sets takes a requester or approver of them")
		if d.public("because I like to") {
			t.Error("the outsider's freeze was heard")
		}
		d.types(slacksim.Olaf, "unfreeze")
		d.form(slacksim.Olaf, "Lift a freeze")
		d.sends(slacksim.Olaf, map[string]string{"set": "all"})
		d.sees("no freeze `all` holds that you may see")
		d.types(slacksim.Olaf, "deny")
		if blocks := string(d.form(slacksim.Olaf, "Deny").Doc["blocks"]); strings.Contains(blocks, "myvmss") {
			t.Errorf("the outsider is shown rollouts: %s", blocks)
		}
	})
}

func TestAFormSentTwiceCountsOnce(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Slack.Inject(slacksim.Fault{Kind: "duplicate", Type: "interactive", After: 0}); err != nil {
			t.Fatal(err)
		}
		d.types(slacksim.Ana, "upgrade myvmss")
		d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0"})
		if n := d.count("is open: myvmss") + d.count("VMSS-LOCKED"); n != 1 {
			t.Errorf("answered %d times:\n%s", n, d.all())
		}
	})
}

func TestAFormThatIsNoneOfOursIsRefused(t *testing.T) {
	for name, row := range map[string]struct{ callback, carried string }{
		"another callback":         {"other", `{"verb":"abort","rollout":"r-1","channel":"` + slacksim.Ops + `"}`},
		"nothing carried":          {view.FormCallback, ""},
		"no JSON":                  {view.FormCallback, "{"},
		"a verb without a form":    {view.FormCallback, `{"verb":"model","rollout":"r-1"}`},
		"a path for a rollout":     {view.FormCallback, `{"verb":"deny","rollout":"../r-1"}`},
		"a nonce and a rollout":    {view.FormCallback, `{"verb":"deny","rollout":"r-1","nonce":"0123456789abcdef"}`},
		"a freeze of a rollout":    {view.FormCallback, `{"verb":"freeze","rollout":"r-1"}`},
		"a schedule of a card":     {view.FormCallback, `{"verb":"schedule","nonce":"0123456789abcdef"}`},
		"a person for a channel":   {view.FormCallback, `{"verb":"deny","rollout":"r-1","channel":"U0BO000002"}`},
		"a channel that is markup": {view.FormCallback, `{"verb":"deny","rollout":"r-1","channel":"<!channel>"}`},
	} {
		t.Run(name, func(t *testing.T) {
			fillIn(t, func(d *formDesk) {
				opened(d)
				if out := d.forge(slacksim.Ana, row.callback, row.carried); !out.Acked || len(out.Errors) > 0 {
					t.Errorf("acknowledged %v, errors %v", out.Acked, out.Errors)
				}
				d.sees("I do not know that form")
				if d.public("forged") {
					t.Error("the forged words were heard")
				}
			})
		})
	}
}

func TestAForgedFormHasNoMoreRightsThanTypedWords(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		id := d.rollout()
		d.forge(slacksim.Olaf, view.FormCallback, `{"verb":"deny","rollout":"`+id+`","channel":"`+slacksim.Ops+`"}`)
		d.forge(slacksim.Ana, view.FormCallback, `{"verb":"deny","rollout":"`+id+`","channel":"`+slacksim.General+`"}`)
		if d.public("forged") {
			t.Errorf("a forged form was heard:\n%s", d.all())
		}
		d.forge(slacksim.Ana, view.FormCallback, `{"verb":"deny","rollout":"`+id+`","channel":"`+slacksim.Ops+`"}`)
		if !d.public("forged") {
			t.Errorf("she may deny it, however she says so:\n%s", d.all())
		}
	})
}

func TestAClosedFormSaysNothing(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "upgrade myvmss")
		messages := len(d.Messages())
		if _, err := d.Slack.CloseView(slacksim.Ana, "", true); err != nil {
			t.Fatal(err)
		}
		d.Advance(10 * time.Second)
		if n := len(d.Messages()) - messages; n != 0 {
			t.Errorf("%d messages were posted", n)
		}
	})
}

func TestTheHomeTabShowsWhatConcernsThePersonAndFollows(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		for _, user := range []string{slacksim.Ana, slacksim.Bo} {
			if _, err := d.Slack.OpenHome(user); err != nil {
				t.Fatal(err)
			}
		}
		d.Advance(5 * time.Second)
		if !strings.Contains(d.home(slacksim.Bo), "nothing waits for your yes") {
			t.Errorf("bo sees %s", d.home(slacksim.Bo))
		}
		opened(d)
		d.Advance(10 * time.Second)
		if h := d.home(slacksim.Bo); !strings.Contains(h, "Waiting for your yes") || !strings.Contains(h, "/archives/"+slacksim.Ops+"/p") {
			t.Errorf("bo sees %s", h)
		}
		if h := d.home(slacksim.Ana); !strings.Contains(h, "You asked for") || strings.Contains(h, "Waiting for your yes") {
			t.Errorf("ana sees %s", h)
		}
		if h := d.home(slacksim.Eva); h != "" {
			t.Errorf("eva never looked and has %s", h)
		}
		d.clicks(slacksim.Bo, "approve")
		d.Advance(10 * time.Second)
		if h := d.home(slacksim.Bo); strings.Contains(h, "Waiting for your yes") {
			t.Errorf("bo agreed and sees %s", h)
		}
	})
}

func TestWhatIsAskedInTheHomeTabIsAnsweredInMessages(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if _, err := d.Slack.OpenHome(slacksim.Ana); err != nil {
			t.Fatal(err)
		}
		d.Advance(5 * time.Second)
		press := func(action string) {
			out, err := d.Slack.Interact(slacksim.Interaction{User: slacksim.Ana, ViewID: "home", ActionID: action})
			if err != nil || !out.Acked {
				t.Fatal(action, out, err)
			}
			d.Advance(5 * time.Second)
		}
		press("help")
		d.sees("What I can do")
		press("plan")
		d.form(slacksim.Ana, "Plan an upgrade")
		d.sends(slacksim.Ana, map[string]string{"set": "myvmss", "target": image})
		d.sees("Nothing was asked or changed")
		for _, m := range d.Messages() {
			if m.Channel == slacksim.Ops {
				t.Errorf("the channel heard of it: %s", m.Text)
			}
		}
	})
}

func TestAHomeTabThatCannotBePublishedIsDrawnWhenItIsOpenedAgain(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Slack.Inject(slacksim.Fault{Kind: "http_status", Method: "views.publish"}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := d.Slack.OpenHome(slacksim.Ana); err != nil {
				t.Fatal(err)
			}
			d.Advance(5 * time.Second)
		}
		if !strings.Contains(d.home(slacksim.Ana), "VM scale set upgrades") {
			t.Errorf("ana sees %s", d.home(slacksim.Ana))
		}
	})
}
