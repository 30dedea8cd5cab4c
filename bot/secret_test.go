package bot

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

func TestSecretsThatPeoplePasteAreRedacted(t *testing.T) {
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
	key := strings.Repeat("aB3/", 21) + "Zz=="
	for _, row := range []struct{ said, stays string }{
		{"xoxb-12-34-canary", "xoxb-…"},
		{"XOXP-12-34-canary", "XOXP-…"},
		{"upgrade web 1.0 note=\"with xoxe.xoxp-1-canary\"", "upgrade web 1.0 note=\"with xoxe.xoxp-…\""},
		{"xapp-1-A0123-45-canary", "xapp-1-…"},
		{"I do not know `xoxb-canary` or `pwd=canary`", "I do not know `xoxb-…` or `pwd=…`"},
		{"<https://hooks.slack.com/services/T0/B0/canary>", "<https://hooks.slack.com/services/…>"},
		{"upgrade web <https://a.blob.core.windows.net/v/a.vhd?sv=1&amp;sig=canary%2B&amp;se=2>", "upgrade web <https://a.blob.core.windows.net/v/a.vhd?sv=1&amp;sig=…>"},
		{"<https://a/v.vhd?sig=canary|a/v.vhd?sig=canary> ud=0", "<https://a/v.vhd?sig=…> ud=0"},
		{"<https://me:canary@a/v.vhd|https://me:canary@a/v.vhd>", "<https://…@a/v.vhd|https://…@a/v.vhd>"},
		{"https://me:can@ry@host/x", "https://…@host/x"},
		{"note=\"password=canary\"", "note=\"password=…\""},
		{"note=“pwd=canary” ud=0", "note=“pwd=…” ud=0"},
		{"note='secret=canary' ud=0", "note='secret=…' ud=0"},
		{`note="password=\"can ary\" next" ud=0`, `note="password=… next" ud=0`},
		{"Password=\"can ary\" ud=0", "Password=… ud=0"},
		{"AZURE_CLIENT_SECRET=canary", "AZURE_CLIENT_SECRET=…"},
		{"AccountName=a;AccountKey=canary==", "AccountName=a;AccountKey=…"},
		{"?access_token=canary", "?access_token=…"},
		{"abort r-1 \"" + jwt + " leaked\"", "abort r-1 \"… leaked\""},
		{"abc8Q~" + strings.Repeat("x", 34), "…"},
		{"key " + key, "key …"},
	} {
		if got := redacted(row.said); got != row.stays {
			t.Errorf("%s\nbecomes %s\nwant    %s", row.said, got, row.stays)
		}
		if once := redacted(row.said); redacted(once) != once {
			t.Errorf("redacted again, %s is %s", once, redacted(once))
		}
	}
}

func TestWhatIsNoSecretStaysAsItWasWritten(t *testing.T) {
	for _, said := range []string{
		`upgrade web 4.0.20160229 ud=0,2 soak=10m max-unavailable=20% on-failure=hold note="CHG-123"`,
		"upgrade web https://acct1.blob.core.windows.net/vhds/web-2016.vhd", "upgrade <https://acct1.blob.core.windows.net/vhds/web.vhd|acct1.blob.core.windows.net/vhds/web.vhd>",
		"upgrade web /subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/i/versions/1.2.3",
		"show foxapp-web", "show xapp-web", "list xox", `deny r-1 "why? who signed? the token is old: ask ana"`, `note="https://wiki/page?id=7&design=2#secret"`,
		`note="the password was rotated, see CHG-123@ops"`, "handover r-1 <@U0123|ana> \"yours\"", "signature", `note="eyJ and ~ and ==="`, "a@b", "https://host/@ana", "sku=16.04-LTS",
	} {
		if got := redacted(said); got != said {
			t.Errorf("%s\nbecomes %s", said, got)
		}
	}
}

func TestASecretThatSomebodyPastesComesToNoAnswerAndToNoPlan(t *testing.T) {
	inBubble(t, func(o *office) {
		o.command("ana", "ops", "xoxb-1-canary")
		o.until("it is answered", func() bool { return o.answered("ana", "xoxb-…") })
		o.command("ana", "ops", `upgrade web 4.0.1`)
		o.until("it is open", func() bool { return o.count("r-web", "Requested") == 1 })
		o.command("ana", "ops", `pause r-web "password=canary for CHG-123"`)
		o.until("it is paused", func() bool { return o.count("r-web", "Paused") == 1 })
		o.command("ana", "ops", `abort r-web "https://me:canary@host is down"`)
		o.until("it is aborted", func() bool { return o.count("r-web", "AbortAsked") == 1 })
		rec, err := o.journal.Record(context.Background(), "r-web")
		if err != nil {
			t.Fatal(err)
		}
		kept := fmt.Sprintf("%+v %+v", rec, o.journal.declined())
		for _, facts := range rec.Events {
			kept += fmt.Sprintf("%+v", facts.Fact)
		}
		if strings.Contains(kept, "canary") || !strings.Contains(kept, "CHG-123") || !strings.Contains(kept, "host is down") {
			t.Errorf("the journal keeps %s", kept)
		}
		o.pass(0)
		for _, m := range o.sim.Messages(slacksim.Ops) {
			if has(m, "canary") {
				t.Errorf("a message says %s %s", m.Text, m.Blocks)
			}
		}
		if said := strings.Join(o.answers("ana"), "\n"); strings.Contains(said, "canary") {
			t.Errorf("the answers: %s", said)
		}
	})
}

func TestASecretInAFormOrAMentionIsRedactedBeforeItIsUnderstood(t *testing.T) {
	for _, body := range []string{
		`{"type": "view_submission", "view": {"state": {"values": {"b": {"reason": {"value": "password=canary CHG-123"}}}}}}`,
		`{"event": {"type": "app_mention", "text": "<@UBOT> pause r-1 \"password=canary CHG-123\""}}`,
		`{"command": "/vmss", "text": "pause r-1 \"password=canary CHG-123\""}`,
	} {
		p, err := parse([]byte(body))
		if said := fmt.Sprintf("%+v %v", p, p.View.values()); err != nil || strings.Contains(said, "canary") || !strings.Contains(said, "password=… CHG-123") {
			t.Errorf("%s is read as %s (%v)", body, said, err)
		}
	}
}
