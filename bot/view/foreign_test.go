package view

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/upgrade"
)

func TestForeignTextInProseMeansNothingToSlack(t *testing.T) {
	for _, c := range []struct{ what, in, want string }{
		{"a plain name stays", "web-prod_2 (v4.0.20160229)", "web-prod_2 (v4.0.20160229)"},
		{"a mention", "<!channel> <@U1>", "&lt;!channel&gt; &lt;＠U1&gt;"},
		{"escapes are not taken for ours", "&lt;!here&gt;", "&amp;lt;!here&amp;gt;"},
		{"a masked link", "<http://evil.example|ok>", "&lt;http∶//evil․example∣ok&gt;"},
		{"a bare link", "see www.evil.example.", "see www․evil․example."},
		{"a mail address", "a@b.example", "a＠b․example"},
		{"letters that look like none", "½.example e\u0301.example", "½․example e\u0301․example"},
		{"look-alikes are no letters of an address", "a@`.example b_.example _.b", "a＠‵.example b＿.example ＿.b"},
		{"emphasis", "*b* _i_ ~s~ `c`", "∗b∗ ＿i＿ ∼s∼ ‵c‵"},
		{"an emoji that says more than we do", ":white_check_mark:done", "∶white_check_mark∶done"},
		{"half an address, whatever comes behind it", "see mailto:", "see mailto∶"},
		{"a quotation", "> quoted", "› quoted"},
		{"text that turns around", "a\u202Eb\u2066c", "abc"},
		{"text that is not there", "a\u200B\u00AD\uFEFF\u3164b", "ab"},
		{"marks that cover the neighbours", "e\u0301\u0301\u0301\u0301x", "e\u0301\u0301x"},
		{"lines of its own", "one\r\n\ntwo\tthree\u2028four", "one two three four"},
		{"broken UTF-8", "a\xffb", "a\uFFFDb"},
		{"nothing to see", "\u200B \n", "(empty)"},
		{"a forged date", "\x021700000000\x03", "1700000000"},
	} {
		if got := esc(c.in, 100); got != c.want {
			t.Errorf("%s: esc(%q) = %q, want %q", c.what, c.in, got, c.want)
		}
	}
}

// Slack counts characters as they are sent: one that is escaped is up to five.
func TestALimitHoldsWhateverMustBeEscaped(t *testing.T) {
	for _, in := range []string{"web-prod", "&", "<>", "a&", "<!channel> ", "&lt;", ">_.:|`"} {
		for limit := 6; limit < 130; limit++ {
			long := strings.Repeat(in, 1+600/len(in))
			for how, out := range map[string]string{"esc": esc(long, limit), "mono": mono(long, limit)} {
				if n := utf8.RuneCountInString(out); n > limit || n < limit-12 && limit < 80 {
					t.Errorf("%s of many %q: %d characters of %d: %s", how, in, n, limit, out)
				}
				if strings.Contains(entities.ReplaceAllString(out, ""), "&") {
					t.Errorf("%s of many %q has half an escape: %s", how, in, out)
				}
			}
		}
	}
	if got, want := esc("&&", 7), "&amp;…"; got != want {
		t.Errorf("two that are escaped where one has room: got %q, want %q", got, want)
	}
	if got, want := esc("R&D <web>", 40), "R&amp;D &lt;web&gt;"; got != want {
		t.Errorf("what fits is not cut: got %q, want %q", got, want)
	}
}

func TestNothingEndsACodeSpanFromWithin(t *testing.T) {
	if got, want := code("a`b```c<!here>&"), "`a'b'''c&lt;!here&gt;&amp;`"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestASentenceOfTheDomainShowsItsMomentsAndWords(t *testing.T) {
	at := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	said := "held since " + upgrade.DateToken(at) + ": did you mean `web*prod`? <b>"
	want := "held since <!date^1795485600^{date_short_pretty} {time}|2026-11-24 02:00 UTC>: did you mean `web*prod`? &lt;b&gt;"
	if got := prose(said); got != want {
		t.Errorf("prose: got %q, want %q", got, want)
	}
	if got, want := flatProse(said), "held since 02:00 UTC: did you mean web∗prod? &lt;b&gt;"; got != want {
		t.Errorf("flat: got %q, want %q", got, want)
	}
}

func TestNoAddressIsMadeWhereAMarkedWordMeetsTheSentence(t *testing.T) {
	for in, want := range map[string]string{"a b`.example`": "a b․example", "`evil.`example": "evil․example", "see `web.`": "see web."} {
		if got := flatProse(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestWhatPeopleCopyIsWrittenAsCode(t *testing.T) {
	for _, c := range []struct{ what, in, want string }{
		{"a field", "set its upgradePolicy.mode to Manual", "set its `upgradePolicy.mode` to Manual"},
		{"a long path at the end of a sentence", "change virtualMachineProfile.osProfile.customData.", "change `virtualMachineProfile.osProfile.customData`."},
		{"an image's family", "canonical:ubuntuserver:16.04-lts has no version 9", "`canonical:ubuntuserver:16.04-lts` has no version 9"},
		{"a whole image", "Offer Canonical:0001-com-ubuntu:22_04-lts:22.04.1: deprecated", "Offer `Canonical:0001-com-ubuntu:22_04-lts:22.04.1`: deprecated"},
		{"a right", "lacks Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action. Have it", "lacks `Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action`. Have it"},
		{"not an address", "evil.example http://evil.example www.evil.example", "evil․example http∶//evil․example www․evil․example"},
		{"not an emoji", ":white_check_mark: and :x:", "∶white_check_mark: and ∶x∶"},
		{"an address around a field", "évil.fooBar.mode `a`.example https:`//b.example`", "évil․`fooBar.mode` `a`․example https∶`//b.example`"},
		{"an address that poses as an image is no link either", "a:b:evil.example", "`a:b:evil.example`"},
	} {
		if got := prose(c.in); got != c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.what, c.in, got, c.want)
		}
		if strings.Contains(flatProse(c.in), "evil.example") {
			t.Errorf("%s: the notification has an address: %q", c.what, flatProse(c.in))
		}
	}
}

func TestForgedMarksCannotSwellASentence(t *testing.T) {
	for _, forged := range []string{"\x021700000000\x03", "`x`", "& "} {
		if n := utf8.RuneCountInString(prose(strings.Repeat(forged, 5000))); n > 2800 {
			t.Errorf("%q 5,000 times makes %d characters", forged, n)
		}
	}
}

func TestALongTextLosesItsMiddleAndSaysSo(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"short", 5, "short"},
		{"vmss-frontend-production-westeurope-2", 20, "vmss-frontend…rope-2"},
		{strings.Repeat("x", 200), 80, strings.Repeat("x", 42) + " …(138 more)… " + strings.Repeat("x", 20)},
	} {
		got := middle(c.in, c.limit)
		if got != c.want || utf8.RuneCountInString(got) > c.limit {
			t.Errorf("middle(%.20q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}

func TestClippingNeverCutsAnEscapeOrADateInTwo(t *testing.T) {
	date := when(time.Unix(1700000000, 0))
	for pad := maxSection - 90; pad < maxSection+10; pad++ {
		for _, tail := range []string{date + date, strings.Repeat("&amp;", 40)} {
			got := clip(strings.Repeat("x", pad)+tail, maxSection)
			rest := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(got, "…"), date, ""), "&amp;", "")
			if strings.Trim(rest, "x") != "" || utf8.RuneCountInString(got) > maxSection {
				t.Fatalf("after %d characters: …%s", pad, got[max(0, len(got)-80):])
			}
		}
	}
}

// A channel is linked only where the domain's own sentence ends with it.
func TestOnlyTheDomainsOwnSentenceLinksAChannel(t *testing.T) {
	for _, c := range []struct {
		code upgrade.Code
		what string
		want string
	}{
		{upgrade.CodeRole, "web-prod is driven in <#C0OPS> only", "web-prod is driven in <#C0OPS> only"},
		{upgrade.CodeRole, "<#C0EVIL> is driven in <#C0OPS> only", "&lt;#C0EVIL&gt; is driven in <#C0OPS> only"},
		{upgrade.CodeAzure, "web-prod is driven in <#C0OPS> only", "web-prod is driven in &lt;#C0OPS&gt; only"},
		{upgrade.CodeRole, "x is driven in <#C0OPS|here> only", "x is driven in &lt;#C0OPS∣here&gt; only"},
		{upgrade.CodeRole, "to approve takes <!subteam^S1>", "to approve takes &lt;!subteam^S1&gt;"},
	} {
		if got := refusalWhat(refusalOf(c.code, c.what)); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.code, c.what, got, c.want)
		}
	}
}

func TestAQuestionIsNotCutWithinCode(t *testing.T) {
	for _, text := range []string{strings.Repeat("a ", 140) + "`/vmss why r-4f2a9c` and so on and on and on", "```\n" + strings.Repeat("a", 400) + "\n```"} {
		if got := clip(text, maxConfirm); strings.Count(got, "`")%2 == 1 || utf8.RuneCountInString(got) > maxConfirm {
			t.Errorf("%q ends within code", got)
		}
	}
}
