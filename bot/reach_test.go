package bot

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

// heard reports whether the bot says that people can reach it.
func (o *office) heard() bool { return o.bot.Unheard() == upgrade.Unheard{} }

func TestWhetherTheBotIsHeard(t *testing.T) {
	type moment struct {
		after time.Duration // the last one
		does  string        // "greeted", "lost", or why none could be opened; "" = nothing
		since time.Duration // the start: nobody is heard since then; -1 = the bot is heard
		why   string
	}
	for name, story := range map[string][]moment{
		"nobody is greeted":                  {{0, "", 0, "no socket to Slack"}, {time.Hour, "", 0, "no socket to Slack"}},
		"the reason is named":                {{time.Minute, "missing_scope", 0, "no socket to Slack: missing_scope"}},
		"one socket is enough when it lasts": {{time.Second, "greeted", 0, ""}, {shortLived, "", -1, ""}, {time.Hour, "", -1, ""}},
		"of two one goes":                    {{0, "greeted", 0, ""}, {0, "greeted", 0, ""}, {time.Minute, "lost", -1, ""}},
		"the last one goes and comes back": {{0, "greeted", 0, ""}, {time.Minute, "lost", time.Minute, "it was cut"}, {time.Minute, "timeout", time.Minute, "timeout"},
			{time.Second, "greeted", time.Minute, "timeout"}, {shortLived, "", -1, ""}},
		"one that is cut at once ends nothing": {{0, "greeted", 0, ""}, {time.Second, "lost", 0, ""}, {time.Minute, "greeted", 0, ""}, {time.Second, "lost", 0, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Unix(1000, 0)
			now := start
			b := &Bot{Now: func() time.Time { return now }}
			b.Unheard()
			for i, m := range story {
				now = now.Add(m.after)
				switch m.does {
				case "":
				case "greeted":
					b.reach.greeted(now)
				case "lost":
					b.reach.lost(now)
				default:
					b.reach.failed(m.does)
				}
				got := b.Unheard()
				if m.since < 0 && got != (upgrade.Unheard{}) || m.since >= 0 && (!got.Since.Equal(start.Add(m.since)) || !strings.Contains(got.Why, m.why)) {
					t.Errorf("moment %d: %+v, want since %s because of %q", i, got, m.since, m.why)
				}
			}
		})
	}
}

func TestASocketThatWentDeafIsReplacedWithin45Seconds(t *testing.T) {
	for name, spared := range map[string]int{"while the other serves": 1, "and the other, too": 0} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				deaf := map[int]bool{}
				for _, s := range o.sim.State().Sockets[spared:] {
					deaf[s.ID] = true
					o.fault(slacksim.Fault{Kind: "deaf", Socket: s.ID})
				}
				o.soon(45*time.Second, "there are two again", func() bool {
					left := o.sim.State().Sockets
					return len(left) == 2 && o.bot.Connected() == 2 && !slices.ContainsFunc(left, func(s slacksim.SocketState) bool { return deaf[s.ID] })
				})
				o.command("ana", "ops", "help")
			}, func(o *office) { // a server that does not notice it itself
				o.sim = slacksim.New(slacksim.Options{Scopes: scopes, PingInterval: 20 * time.Second})
			})
		})
	}
}

func TestSlackThatIsNotReachedForTenMinutesIsFoundAgain(t *testing.T) {
	inBubble(t, func(o *office) {
		o.pass(time.Minute)
		if !o.heard() {
			t.Errorf("with two sockets: %+v", o.bot.Unheard())
		}
		o.fault(slacksim.Fault{Kind: "http_status", Method: "apps.connections.open", For: slacksim.Duration(10 * time.Minute)})
		o.fault(slacksim.Fault{Kind: "drop"})
		cut := time.Now()
		o.until("both are lost", func() bool { return o.bot.Connected() == 0 })
		o.pass(10 * time.Minute)
		if n := o.log.count("no connection, trying again"); n > 60 {
			t.Errorf("%d tries in ten minutes", n)
		}
		if u := o.bot.Unheard(); u.Since.Sub(cut) > time.Second || !strings.Contains(u.Why, "no socket to Slack: ") || !strings.Contains(u.Why, "503") {
			t.Errorf("unheard %+v, want since %s and the reason", u, cut)
		}
		o.soon(6*time.Minute, "both are there again", func() bool { return o.bot.Connected() == 2 })
		o.soon(shortLived, "the bot is heard", o.heard)
	})
}

func TestABotThatNeverReachedSlackIsUnheardSinceItsStart(t *testing.T) {
	inBubble(t, func(o *office) {
		o.stop()
		o.fault(slacksim.Fault{Kind: "http_status", Method: "auth.test", For: slacksim.Duration(10 * time.Minute)})
		start := time.Now()
		o.run()
		o.pass(9 * time.Minute)
		if u := o.bot.Unheard(); !u.Since.Equal(start) {
			t.Errorf("unheard since %s, want the start at %s", u.Since, start)
		}
		o.soon(3*time.Minute, "the bot is heard", o.heard)
	})
}

func TestNoReasonHoldsTheSecretOfAnAddress(t *testing.T) {
	for _, text := range []string{`parse "wss://wss-primary.slack.com/link/?ticket=canary&app_id=1": bad`,
		`UploadToURL: Post "https://files.slack.com/upload/v1/canary": EOF`, "dial tcp: " + strings.Repeat("y", 1000)} {
		if said := explain(errors.New(text)); strings.Contains(said, "canary") || len(said) > 250 {
			t.Errorf("it says %q", said)
		}
	}
}
