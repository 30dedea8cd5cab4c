package commands

import (
	"slices"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, row := range []struct {
		name string
		text string
		want []string
	}{
		{"blanks of every kind separate words", "  a\tb\u00a0c\u3000d\u2028e\nf ", []string{"a", "b", "c", "d", "e", "f"}},
		{"straight quotes hold blanks", `note="CHG 1" x`, []string{"note=CHG 1", "x"}},
		{"curly quotes are straight quotes", "note=“CHG 1” x", []string{"note=CHG 1", "x"}},
		{"a curly quote may end what a straight one began", "note=\"CHG 1” x", []string{"note=CHG 1", "x"}},
		{"low quotes are quotes", "„CHG 1“ x", []string{"CHG 1", "x"}},
		{"apostrophes around a value are quotes", "note='CHG 1' x", []string{"note=CHG 1", "x"}},
		{"curly apostrophes around a word are quotes", "‘CHG 1’ x", []string{"CHG 1", "x"}},
		{"an apostrophe inside a word is a letter", "it's done", []string{"it's", "done"}},
		{"a curly apostrophe inside a word is a letter", "it’s done", []string{"it's", "done"}},
		{"an apostrophe behind a word is a letter", "the users' data", []string{"the", "users'", "data"}},
		{"an apostrophe inside apostrophes is a letter", "'it's done' x", []string{"it's done", "x"}},
		{"a quote in the middle of a word joins", `a"b c"d`, []string{"ab cd"}},
		{"empty quotes are a word", `a "" b`, []string{"a", "", "b"}},
		{"a backslash keeps a quote", `"say \"no\" twice" x`, []string{`say "no" twice`, "x"}},
		{"a backslash keeps a backslash", `"a\\" x`, []string{`a\`, "x"}},
		{"a backslash before anything else is itself", `"C:\dir" DOM\ana`, []string{`C:\dir`, `DOM\ana`}},
		{"a long dash before a word is two hyphens", "—batch –ud=1", []string{"--batch", "--ud=1"}},
		{"a long dash inside a word is a hyphen", "ud=1–3 web—prod a‑b −1", []string{"ud=1-3", "web-prod", "a-b", "--1"}},
		{"a long dash between quotes is kept", `"a — b"`, []string{"a — b"}},
		{"a mention is the user's id", "to <@U012AB3CD|bo> now", []string{"to", "U012AB3CD", "now"}},
		{"a mention without a name is the user's id", "<@U012AB3CD>", []string{"U012AB3CD"}},
		{"a channel is its id", "<#C024BE7LR|general> <#C024BE7LR|>", []string{"C024BE7LR", "C024BE7LR"}},
		{"a link is what was shown of it", "<http://web.prod|web.prod> <mailto:a@b.c|a@b.c>", []string{"web.prod", "a@b.c"}},
		{"a link that shows itself is its address", "<https://h/x?a=1&amp;b=2>", []string{"https://h/x?a=1&b=2"}},
		{"what is shown of a link is one word", "<http://h|a b> c", []string{"a b", "c"}},
		{"a broadcast is only its name", "<!here> <!channel|channel> <!subteam^S1|@sre>", []string{"@here", "channel", "@sre"}},
		{"escaped characters are themselves", "a&amp;b &lt;c&gt; &amp;lt;", []string{"a&b", "<c>", "&lt;"}},
		{"an escaped mention is text", "&lt;@U012AB3CD|bo&gt;", []string{"<@U012AB3CD|bo>"}},
		{"bare characters of markup are themselves", "a & b < c > d <> <x> <@bo> <a:<b> &copy;", []string{"a", "&", "b", "<", "c", ">", "d", "<>", "<x>", "<@bo>", "<a:<b>", "&copy;"}},
		{"a number sign, a pipe and a semicolon mean nothing", "x # urgent | a; b", []string{"x", "#", "urgent", "|", "a;", "b"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			words, no := read(row.text)
			if no != nil {
				t.Fatalf("read(%q) is refused: %s", row.text, no.What)
			}
			var got []string
			for _, w := range words {
				got = append(got, w.text)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("read(%q) = %q, want %q", row.text, got, row.want)
			}
		})
	}
}

func TestOnlyAWordWithAKeyBeforeItsFirstEqualSignIsAnOption(t *testing.T) {
	for text, want := range map[string]bool{
		"ud=0": true, `note="a=b"`: true, "=0": false, `"ud=0"`: false, "ud": false, `u"d=0"`: false, `"ud"=0`: false, "'ud=0'": false,
	} {
		words, no := read(text)
		if no != nil || len(words) != 1 {
			t.Fatalf("read(%q) = %v, %v", text, words, no)
		}
		if got := words[0].option(); got != want {
			t.Errorf("%q is an option: %v, want %v", text, got, want)
		}
	}
}

func TestUnreadableTextIsRefused(t *testing.T) {
	for _, row := range []struct {
		name, text, what, next string
	}{
		{"a quote that stays open, with the text", `deny r-4f2 "disk alerts`, "a quote is opened and never closed in `deny r-4f2 \"disk alerts`", "/vmss help"},
		{"an apostrophe that stays open", "note='CHG 1", "a quote is opened and never closed", "/vmss help"},
		{"invalid UTF-8, without the text", "upgrade \xff\xfe latest", "that is not valid UTF-8 text", "/vmss help"},
		{"ten thousand bytes", strings.Repeat("upgrade ", 1250), "that is 10000 characters long: I read 2000 at most", "/vmss help"},
		{"one character too many", strings.Repeat("é", 2001), "that is 2001 characters long", "/vmss help"},
		{"a zero-width space, with the command without it", "status web\u200bprod", "there is a character nobody can see in `status web\ufffdprod` (U+200B)", "/vmss status webprod"},
		{"a mark that turns the direction of text", "status web\u202eprod", "(U+202E)", "/vmss status webprod"},
		{"a soft hyphen", "status web\u00adprod", "(U+00AD)", "/vmss status webprod"},
		{"a byte order mark", "\ufeffstatus", "(U+FEFF)", "/vmss status"},
		{"a filler that looks like a blank", "status web\u3164prod", "(U+3164)", "/vmss status webprod"},
		{"a control character", "status web\x00prod", "(U+0000)", "/vmss status webprod"},
		{"the domain's own mark of a time", "deny r-4f2 \x021\x03", "(U+0002)", `/vmss deny r-4f2 1`},
		{"a delete character", "status\x7f", "(U+007F)", "/vmss status"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, no := Parse(row.text)
			if no == nil {
				t.Fatalf("Parse(%q) is not refused", row.text)
			}
			if !strings.Contains(no.What, row.what) || no.Next != row.next {
				t.Errorf("Parse(%q):\n got %q next %q\nwant %q next %q", row.text, no.What, no.Next, row.what, row.next)
			}
		})
	}
}

func TestTheLongestReadableTextIsRead(t *testing.T) {
	if _, no := read(strings.Repeat("é", maxText)); no != nil {
		t.Errorf("%d characters are refused: %s", maxText, no.What)
	}
}

func TestAnEchoIsShortAndStaysInsideItsCodeMarks(t *testing.T) {
	for _, text := range []string{strings.Repeat("a", 500), strings.Repeat("é", 61), "`@here` ``` x", "a\nb\r\nc", "a\u202eb\x00c", "\xff\xfe", ""} {
		got := echo(text)
		inner := strings.TrimSuffix(strings.TrimPrefix(got, "`"), "`")
		if n := len([]rune(inner)); n > maxEcho {
			t.Errorf("echo(%.20q…) has %d characters, want %d at most", text, n, maxEcho)
		}
		if strings.ContainsAny(inner, "`\n\r") || strings.ContainsFunc(inner, unseen) {
			t.Errorf("echo(%q) = %q breaks out", text, got)
		}
	}
}
