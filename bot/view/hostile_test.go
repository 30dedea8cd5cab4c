package view

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// fragments are what hostile names are made of.
var fragments = []string{
	"<!channel>", "<!here>", "<!everyone|x>", "<@U0BO>", "<@W123|bo>", "<#C0OPS>", "<#C0OPS|ops>", "<!subteam^S0SRE>", "<!subteam^S1|@sre>",
	"<http://evil.example|web-prod>", "<mailto:a@b.example>", "<!date^1^{date}^https://evil.example|x>", "http://evil.example/x", "https://evil.example", "slack://open",
	"www.evil.example", "evil.example", "mailto:a@b.example", "a@b.example", "@here", "@channel", "@everyone", "#general", "`", "```", "*", "_", "~", "_i_", "*b*", "~s~",
	"> ", "&", "&lt;!channel&gt;", "&amp;", "<", ">", "|", "\n", "\r\n", "\t", "\u2028", "\x00", "\x02", "\x03", "\x021700000000\x03", "\x0299999999999\x03", "\x1b[31m",
	"\u202E", "\u2066", "\u2069", "\u200B", "\u200D", "\uFEFF", "\u00AD", "\u2800", "\u3164", "\U000E0041", "\uFE0F", "e\u0301\u0301\u0301\u0301\u0301", "\xff\xfe",
	":white_check_mark:", ":+1:", ":x:", "✅", "●", "▓▓▓▓", "0/0", "done 20", "approved", "/vmss approve r-4f2a9c", "web-prod", "22.04.1", "7", "a", " ", "é", "日本", "🔥",
}

func hostileText(r *rand.Rand) string {
	var s strings.Builder
	for range 1 + r.IntN(6) {
		s.WriteString(fragments[r.IntN(len(fragments))])
	}
	if r.IntN(8) == 0 {
		return strings.Repeat(s.String(), 1+r.IntN(200))
	}
	return s.String()
}

func hostileCast(r *rand.Rand) cast {
	t := func() string { return hostileText(r) }
	return cast{
		set: t(), group: t(), location: t(), offer: t(), old: "1" + t(), new: "2" + t(),
		requester: t(), approver: t(), second: t(), note: t(), reason: t(), code: t(), message: t(), zone: t(), instance: t(),
	}
}

var names = flag.Int("names", 120, "how many hostile names to show in every view; 10000 take minutes")

func TestNoNameMentionsLinksFormatsOrBreaksALimitInAnyView(t *testing.T) {
	const inACast = 15
	var casts atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for n := int(casts.Add(1)) - 1; n*inACast < *names && !t.Failed(); n = int(casts.Add(1)) - 1 {
				c := hostileCast(rand.New(rand.NewPCG(uint64(n), 1)))
				for _, s := range gallery(c, 12+n%100) {
					people := s.Name == "said/handover" || strings.HasPrefix(s.Name, "remind/") || strings.HasPrefix(s.Name, "escalate/") || strings.HasPrefix(s.Name, "answer/show") && strings.HasSuffix(s.Name, "policy")
					for _, wrong := range append(faults(s.Message, people), faults(Reduce(s.Message), people)...) {
						t.Errorf("seed %d, %s: %s\ncast %+q", n, s.Name, wrong, c)
					}
				}
			}
		})
	}
	all.Wait()
}

// faults lists what is wrong with a message, by what Slack documents and what a hostile name wants.
func faults(m Message, people bool) []string {
	var k check
	k.people = people
	k.fallback(m.Text)
	if len(m.Blocks) > 50 {
		k.failf("%d blocks", len(m.Blocks))
	}
	ids := map[string]bool{}
	for _, b := range m.Blocks {
		k.block(b, ids)
	}
	if k.total > 13000 {
		k.failf("%d characters in all blocks", k.total)
	}
	return k.wrong
}

type check struct {
	wrong  []string
	total  int
	people bool // ids may be shown as people: those of the configuration, and of who takes a rollout over
}

func (k *check) failf(format string, a ...any) { k.wrong = append(k.wrong, fmt.Sprintf(format, a...)) }

func (k *check) length(what, s string, most int) {
	k.total += utf8.RuneCountInString(s)
	if n := utf8.RuneCountInString(s); n < 1 || n > most {
		k.failf("%s has %d characters of 1 to %d: %.200q", what, n, most, s)
	}
}

func (k *check) block(b slack.Block, ids map[string]bool) {
	if id := b.ID(); id == "" || len(id) > 255 || ids[id] {
		k.failf("block id %q is empty, too long or not alone", id)
	}
	ids[b.ID()] = true
	switch b := b.(type) {
	case *slack.SectionBlock:
		k.markup(b.Text, 3000)
		if b.Accessory != nil {
			k.element(besides(b))
		}
	case *slack.ContextBlock:
		if n := len(b.ContextElements.Elements); n < 1 || n > 10 {
			k.failf("%d elements in a context block", n)
		}
		for _, e := range b.ContextElements.Elements {
			k.markup(e.(*slack.TextBlockObject), 3000)
		}
	case *slack.ActionBlock:
		for _, e := range b.Elements.ElementSet {
			k.element(e)
		}
	default:
		k.failf("a block of type %T is not checked", b)
	}
}

func (k *check) element(e slack.BlockElement) {
	switch e := e.(type) {
	case *slack.ButtonBlockElement:
		k.plain(e.Text, 75)
		k.length("accessibility label", e.AccessibilityLabel, 75)
		k.length("value", e.Value, 2000)
		k.length("action id", e.ActionID, 255)
		k.confirm(e.Confirm)
	case *slack.OverflowBlockElement:
		if len(e.Options) < 1 || len(e.Options) > 5 {
			k.failf("an overflow menu of %d", len(e.Options))
		}
		for _, o := range e.Options {
			k.plain(o.Text, 75)
			k.length("option value", o.Value, 150)
		}
		k.confirm(e.Confirm)
	default:
		k.failf("an element of type %T is not checked", e)
	}
}

func (k *check) confirm(c *slack.ConfirmationBlockObject) {
	if c == nil {
		return
	}
	k.plain(c.Title, 100)
	k.markup(c.Text, 300)
	k.plain(c.Confirm, 30)
	k.plain(c.Deny, 30)
}

func (k *check) plain(t *slack.TextBlockObject, most int) {
	k.length("plain text", t.Text, most)
	if t.Type != slack.PlainTextType || t.Emoji == nil || *t.Emoji {
		k.failf("%q shows emoji or is marked up", t.Text)
	}
	if strings.ContainsAny(t.Text, "<>&@`") || invisibles(t.Text) {
		k.failf("plain text %q has active characters", t.Text)
	}
}

func (k *check) markup(t *slack.TextBlockObject, most int) {
	k.length("text", t.Text, most)
	if t.Type != slack.MarkdownType || !t.Verbatim {
		k.failf("text %.100q lets Slack look for links", t.Text)
	}
	k.harmless(t.Text)
}

func (k *check) fallback(s string) {
	if s == "" || utf8.RuneCountInString(s) > 4000 {
		k.failf("the fallback text has %d characters", utf8.RuneCountInString(s))
	}
	k.harmless(s)
}

var (
	ourDates   = regexp.MustCompile(`<!date\^\d{1,11}\^\{date_short_pretty\} \{time\}\|\d{4,}-\d\d-\d\d \d\d:\d\d UTC>`)
	ourPeople  = regexp.MustCompile(`<@U0(ANA|BO|EVA)>|<!subteam\^S0(SRE|WEB)>`)
	ourChannel = regexp.MustCompile(`(?m)driven in <#C0OPS>( only)?$`)
	entities   = regexp.MustCompile(`&(lt|gt|amp);`)
	fences     = regexp.MustCompile("(?s)^```.*?```|\n```.*?```|`[^`\n]*`")
	links      = regexp.MustCompile(`://|mailto:[^ ]|[\pL\pN]\.\pL`)
	emphasis   = regexp.MustCompile(`~|(^|[^\pL\pN])_[^_\n]+_($|[^\pL\pN])`)
	emoji      = regexp.MustCompile(`:[a-z0-9_+-]+:`)
	clockPart  = regexp.MustCompile(`^:\d\d:$`) // of 12:34 after a colon
)

// harmless checks one marked-up text: apart from our own dates, and where they may be shown people,
// nothing in it is active.
func (k *check) harmless(s string) {
	at := s
	s = ourDates.ReplaceAllString(s, "DATE")
	s = ourChannel.ReplaceAllString(s, "driven")
	if k.people {
		s = ourPeople.ReplaceAllString(s, "PERSON")
	}
	if strings.ContainsAny(s, "<>") || strings.Contains(entities.ReplaceAllString(s, ""), "&") {
		k.failf("active sequence in %q", at)
	}
	if invisibles(s) {
		k.failf("invisible characters in %q", at)
	}
	outside := fences.ReplaceAllString(s, " code ")
	if strings.ContainsAny(outside, "`@") {
		k.failf("an open code span or a mention in %q", at)
	}
	for _, m := range links.FindAllString(outside, -1) {
		k.failf("a link %q in %q", m, at)
	}
	if m := emphasis.FindString(outside); m != "" {
		k.failf("emphasis %q in %q", m, at)
	}
	for _, m := range emoji.FindAllString(outside, -1) {
		if !ourEmoji()[m] && !clockPart.MatchString(m) {
			k.failf("foreign emoji %q in %q", m, at)
		}
	}
	for line := range strings.SplitSeq(outside, "\n") {
		if strings.Count(line, "*")%2 != 0 || strings.HasPrefix(line, "&gt;") {
			k.failf("unbalanced emphasis or a quotation in line %q", line)
		}
	}
}

// ourEmoji are those the package itself uses, as the goldens without hostile names have them.
var ourEmoji = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	goldens, _ := filepath.Glob("testdata/*.golden") // the pattern is well formed
	for _, name := range goldens {
		raw, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		for _, m := range emoji.FindAllString(string(raw), -1) {
			out[m] = true
		}
	}
	return out
})

func invisibles(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c != '\n' && (!unicode.IsGraphic(c) || c == '\u2800' || c == '\u3164') })
}

func TestAButtonThatDoesNotFitLeavesItsCommandToBeTyped(t *testing.T) {
	long := strings.Repeat("@here", 200)
	image := upgrade.Image{Publisher: "Canonical", Offer: "UbuntuServer", SKU: "16.04-LTS"}
	var sets []upgrade.SetSummary
	for range mostReleased {
		sets = append(sets, upgrade.SetSummary{Name: long, Image: image.At("4.0.1")})
	}
	m := Answer(commands.Reply{Release: &upgrade.Release{Image: image.At("4.0.2"), Sets: sets}}, nil, time.Time{})
	if wrong := faults(m, false); len(wrong) > 0 {
		t.Error(wrong)
	}
	buttons, typed := 0, 0
	for _, b := range m.Blocks {
		if s, is := b.(*slack.SectionBlock); is {
			typed += strings.Count(s.Text.Text, "/vmss plan")
			if s.Accessory != nil {
				buttons++
			}
		}
	}
	if buttons == 0 || buttons == mostReleased || typed != mostReleased {
		t.Errorf("%d buttons and %d commands of %d sets", buttons, typed, mostReleased)
	}
}
