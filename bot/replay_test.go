package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

// envelope is what came over a socket, as the workspace sent it.
type envelope struct {
	ID      string `json:"envelope_id"`
	Type    string `json:"type"`
	Payload json.RawMessage
}

func (o *office) envelopes() (out []envelope) {
	for _, e := range o.sim.Log() {
		var x envelope
		if e.Kind == slacksim.LogEnvelope && json.Unmarshal(e.Args, &x) == nil && len(x.Payload) > 0 {
			out = append(out, x)
		}
	}
	return out
}

// again lets an envelope come over a socket once more.
func (o *office) again(x envelope) {
	s := o.bot.newSession(9)
	s.taking = context.Background()
	s.take(x.Type, x.ID, x.Payload)
	select {
	case in := <-s.inbound:
		s.kept(context.Background(), []inbound{in})
	default: // nothing for us, or too much of one person
	}
}

// history is every fact of a rollout, and everything people were told.
func (o *office) history(id string, people ...string) string {
	o.Helper()
	rec, err := o.journal.Record(context.Background(), id)
	if err != nil {
		o.Fatal(err)
	}
	all := fmt.Sprintf("%+v %d refusals", rec.Events, len(o.journal.declined()))
	for _, who := range people {
		all += fmt.Sprintf("\n%s: %q", who, o.answers(who))
	}
	return all
}

// What Slack, or whoever holds the app token, sends once more changes nothing: in the same envelope or in
// another one, in any order, at any time within a day, also to the next life of the bot.
func TestEverythingThatWasSaidComesAgainAndChangesNothing(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		for n, say := range []func(){
			func() { o.command("bo", "ops", "pause "+id) },
			func() { o.command("ana", "ops", "resume "+id) },
			func() { o.sim.Say("bo", "ops", "@vmssbot pause "+id, "") },
			func() { o.command("bo", "ops", "resume "+id) },
			func() {
				o.sim.Interact(slacksim.Interaction{User: "eva", Channel: "ops", TS: o.root(id).TS, ActionID: "pause", Value: id, Force: true})
			},
			func() { o.command("olaf", "ops", "abort "+id+` "mine"`) },
			func() { o.command("eva", "ops", "resume "+id) },
			func() { o.approve("bo", "web") },
			func() { o.command("eva", "ops", "abort "+id+` "enough"`) },
		} {
			before := len(o.journal.settlements())
			say()
			o.until(fmt.Sprintf("word %d is settled", n), func() bool { return len(o.journal.settlements()) > before && o.journal.waiting() == 0 })
			o.pass(5 * time.Second)
		}
		if want := "Requested Asked Paused Resumed Paused Resumed Paused Resumed Voted Granted AbortAsked"; strings.Join(o.facts(id), " ") != want {
			t.Fatalf("facts %v, want %s", o.facts(id), want)
		}
		all, people := o.envelopes(), []string{"ana", "bo", "eva", "olaf"}
		before := o.history(id, people...)
		rng := rand.New(rand.NewPCG(1, 2))
		for round := range 20 {
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for n, x := range all {
				if round%2 == 1 {
					x.ID = fmt.Sprintf("another-%d-%d", round, n)
				}
				o.again(x)
				o.pass(time.Duration(rng.IntN(600)) * time.Second / 2)
			}
			if round == 10 {
				o.restart()
			}
			o.command("gus", "ops", "help") // with each thing that is settled, what is too old is forgotten
			o.until("it is settled", func() bool { return o.journal.waiting() == 0 })
		}
		o.pass(time.Minute)
		if after := o.history(id, people...); after != before || o.journal.waiting() != 0 {
			t.Errorf("after %d envelopes came 20 times more it is\n%s\nand was\n%s", len(all), after, before)
		}
		t.Logf("envelopes=%d replayed=%d", len(all), 20*len(all))
	})
}

// A button's value is the nonce of one card, in its channel: no other nonce, and no other card's, is it.
// The message it stood in makes no difference: when Slack's answer to a post is lost the card stands in the
// channel twice, and either one is the card.
func TestACardIsKnownByItsNonceInItsChannel(t *testing.T) {
	inBubble(t, func(o *office) {
		web, shop := o.opened("web"), o.opened("shop")
		o.pass(10 * time.Second)
		o.approve("olaf", "web") // who may not: it shows how a press looks
		o.until("he is refused", func() bool { return len(o.journal.declined()) == 1 })
		all := o.envelopes()
		press := with(with(all[len(all)-1].Payload, "user.id", slacksim.Bo), "actions", []any{map[string]any{"action_id": "approve", "value": nonceOf("web"), "action_ts": "1.1"}})
		votes := func(body json.RawMessage) (ofWeb, ofShop, refused int) {
			w, s, r, n := o.count(web, "Voted"), o.count(shop, "Voted"), len(o.journal.declined()), len(o.journal.settlements())
			o.deliver(kindInteract, body)
			o.until("it is settled", func() bool { return o.journal.waiting() == 0 && len(o.journal.settlements()) > n })
			return o.count(web, "Voted") - w, o.count(shop, "Voted") - s, len(o.journal.declined()) - r
		}
		value := func(v string) json.RawMessage {
			return with(press, "actions", []any{map[string]any{"action_id": "approve", "value": v, "action_ts": "1.1"}})
		}
		nonce := nonceOf("web")
		for name, body := range map[string]json.RawMessage{
			"another last character": value(nonce[:len(nonce)-1] + "0"), "one character less": value(nonce[:len(nonce)-1]), "one more": value(nonce + "0"),
			"none": value(""), "upper case": value(strings.ToUpper(nonce)), "the rollout's id": value(web), "spaces": value(" " + nonce),
			"another channel": with(with(press, "channel.id", slacksim.General), "container.channel_id", slacksim.General),
		} {
			if w, s, no := votes(body); w != 0 || s != 0 || no != 1 {
				t.Errorf("%s: %d votes of web, %d of shop, %d refusals", name, w, s, no)
			}
		}
		if w, s, no := votes(value(nonceOf("shop"))); w != 0 || s != 1 || no != 0 {
			t.Errorf("the other card's nonce: %d votes of web, %d of shop, %d refusals", w, s, no)
		}
		if w, s, no := votes(with(press, "container.message_ts", "1700000000.000100")); w != 1 || s != 0 || no != 0 {
			t.Errorf("the card's copy in another message: %d votes of web, %d of shop, %d refusals", w, s, no)
		}
		if slices.Contains(o.facts(web), "Ended") {
			t.Error("it has ended")
		}
	})
}

// A typed yes that waited, for its turn or for a restart, is none to a card that came meanwhile.
func TestAYesThatWaitedIsNoneToWhatWasAskedMeanwhile(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.pass(time.Minute)
		body, err := json.Marshal(map[string]string{"api_app_id": o.bot.App, "team_id": o.bot.Team, "user_id": slacksim.Bo, "channel_id": slacksim.Ops, "command": "/vmss", "text": "approve " + id})
		if err != nil {
			t.Fatal(err)
		}
		comesTo := func(at time.Time) string {
			d := upgrade.Delivery{Kind: kindCommand, Body: body, At: at}
			s, _ := o.bot.settlement(context.Background(), d, o.bot.understand(d))
			return fmt.Sprintf("%+v", s.Changes)
		}
		if got := comesTo(time.Now().Add(-time.Hour)); strings.Contains(got, "Gate:") || !strings.Contains(got, string(upgrade.CodeStale)) {
			t.Errorf("a yes of before the card: %s", got)
		}
		if got := comesTo(time.Now()); !strings.Contains(got, "Gate:") || strings.Contains(got, string(upgrade.CodeStale)) {
			t.Errorf("a yes to the card: %s", got)
		}
	})
}

// Slack tells of a mention again for minutes while nobody takes it: it is as old as it is.
func TestAMentionThatSlackTellsOfLaterWasSaidWhenItWasSaid(t *testing.T) {
	inBubble(t, func(o *office) {
		o.journal.disturb(func(context.Context) error { return errors.New("disk full") }, nil)
		if _, err := o.sim.Say("bo", "ops", "@vmssbot approve r-web", ""); err != nil {
			t.Fatal(err)
		}
		o.pass(10 * time.Second)
		o.journal.disturb(nil, nil)
		id := o.opened("web")
		o.until("the mention is settled", func() bool { return len(o.journal.settlements()) == 2 })
		if o.count(id, "Voted") != 0 || len(o.journal.declined()) != 1 || o.journal.declined()[0].Code != upgrade.CodeStale {
			t.Errorf("what was said before the card came to %v, declined %+v", o.facts(id), o.journal.declined())
		}
		if _, err := o.sim.Say("bo", "ops", "@vmssbot approve r-web", ""); err != nil {
			t.Fatal(err)
		}
		o.soon(10*time.Second, "what is said to the card counts", func() bool { return o.count(id, "Voted") == 1 })
	})
}
