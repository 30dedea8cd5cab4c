package view

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Slack's markup has two layers: <…> sequences (mentions, links, dates), which escaping & < > turns
// off, and what Slack's clients make of plain characters: emphasis, `code`, :emoji:, and links out of
// anything that looks like an address. Text objects say verbatim, which stops the last of these in
// blocks; the fallback text has no such flag, so the characters themselves are replaced by look-alikes
// that mean nothing to Slack. Code spans need less: nothing in them is formatted or linked.

// lookalike holds the characters that format or mention, and what stands for them in prose: none is a
// letter, or it would make a link with a dot beside it.
var lookalike = map[rune]string{
	'&': "&amp;", '<': "&lt;", '>': "&gt;",
	'@': "＠", '*': "∗", '~': "∼", '`': "‵", '|': "∣",
}

// esc makes foreign text safe in prose, cut in its middle to at most limit characters as Slack counts
// them: an escaped one is up to five.
func esc(s string, limit int) string { return within(s, limit, defused) }

// within cuts a text in its middle until it is short enough the way it is written. No limit is below six,
// the longest that one character and the sign of the cut become.
func within(s string, limit int, written func(string) string) string {
	s = clean(s)
	for n := min(limit, utf8.RuneCountInString(s)); ; {
		out := written(middle(s, n))
		is := utf8.RuneCountInString(out)
		if is <= limit || n <= 1 {
			return out
		}
		n = max(1, min(n-1, n*limit/is))
	}
}

func defused(s string) string {
	in := []rune(s)
	var out strings.Builder
	for i, c := range in {
		out.WriteString(defuse(in, i, c))
	}
	return out.String()
}

func defuse(in []rune, i int, c rune) string {
	if c == '>' && i == 0 { // a quotation, if it begins a line, in spite of its escape
		return "›"
	}
	if s, ok := lookalike[c]; ok {
		return s
	}
	switch {
	case c == '_' && !(wordAt(in, i-1) && wordAt(in, i+1)): // _emphasis_, but not snake_case
		return "＿"
	case c == '.' && wordAt(in, i-1) && letterAt(in, i+1): // evil.example becomes a link, 4.0.1 does not
		return "․"
	case c == ':' && (i+1 == len(in) || !unicode.IsSpace(in[i+1])): // https://, mailto:, :emoji:
		return "∶"
	}
	return string(c)
}

func wordAt(in []rune, i int) bool {
	return i >= 0 && i < len(in) && (unicode.IsLetter(in[i]) || unicode.IsNumber(in[i]) || unicode.IsMark(in[i]))
}

func letterAt(in []rune, i int) bool { return i < len(in) && unicode.IsLetter(in[i]) }

// mono makes foreign text safe inside a code span or block, cut as esc does.
func mono(s string, limit int) string { return within(s, limit, monoEscaper.Replace) }

var monoEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'")

// code writes foreign text as a code span: names to copy, commands to type.
func code(s string) string { return "`" + mono(s, 120) + "`" }

// name writes a person's or a resource's name.
func name(s string) string { return esc(s, 40) }

// plain makes foreign text safe in plain_text objects (buttons, menus), where Slack formats nothing.
func plain(s string, limit int) string {
	return middle(plainEscaper.Replace(clean(s)), limit)
}

var plainEscaper = strings.NewReplacer("&", "＆", "<", "‹", ">", "›", "@", "＠", "`", "'")

// marks are what is marked up in a sentence of the domain: a moment, as written by upgrade.DateToken, a
// word in backticks, and what people copy and Azure spells with dots or colons: the path of a field
// (upgradePolicy.mode), the name of an image (Canonical:UbuntuServer:16.04-LTS:4.0.20160229) and of a right
// (Microsoft.Compute/virtualMachineScaleSets/read). These become code, too, where no look-alikes are
// needed.
var marks = regexp.MustCompile("\x02(\\d{1,10})\x03|`([^`\x02\x03]{1,200})`" +
	`|\b(Microsoft\.[A-Za-z]+(?:/[A-Za-z]+)+|[a-z]+[A-Z][A-Za-z]*(?:\.[A-Za-z]+)+|[A-Za-z][\w-]*(?::\w(?:[\w.-]*\w)?){2,3})\b`)

// prose writes a sentence of the domain, in which foreign text may stand unescaped.
func prose(s string) string { return compose(s, when, code) }

// flatProse is prose for notifications: moments in UTC, words in backticks as they are.
func flatProse(s string) string {
	return apart(compose(s, clock, func(word string) string { return esc(word, 120) }))
}

// apart defuses the dots that have become part of an address where pieces of a text met.
func apart(s string) string {
	in := []rune(s)
	for i, c := range in {
		if c == '.' && wordAt(in, i-1) && letterAt(in, i+1) {
			in[i] = '․'
		}
	}
	return string(in)
}

// compose cuts a sentence and marks up at most a few of its words: the domain's own sentences have
// no more, and whatever foreign text forges cannot swell them.
func compose(s string, moment func(time.Time) string, word func(string) string) string {
	const longest, most = 900, 10
	s = middle(s, longest)
	var out strings.Builder
	at := 0
	for _, m := range marks.FindAllStringSubmatchIndex(s, most) {
		out.WriteString(between(s, at, m[0]))
		switch {
		case m[2] >= 0:
			out.WriteString(moment(unixOf(s[m[2]:m[3]])))
		case m[4] >= 0:
			out.WriteString(word(s[m[4]:m[5]]))
		default:
			out.WriteString(word(s[m[6]:m[7]]))
		}
		at = m[1]
	}
	return out.String() + between(s, at, len(s))
}

// between escapes a stretch of a sentence and keeps the spaces at its edges. What stands beside it,
// marked up, may hold letters: a dot or colon must not make an address with them.
func between(s string, from, to int) string {
	part := s[from:to]
	text := strings.TrimSpace(part)
	if text == "" {
		return edge(part != "" && strings.Trim(part, " ") == "")
	}
	out := esc(text, 600)
	if from > 0 && len(part) > 1 && part[0] == '.' && part[1] != ' ' {
		out = "․" + out[1:]
	}
	if cut, is := strings.CutSuffix(out, "."); is && to < len(s) && strings.HasSuffix(part, ".") {
		out = cut + "․"
	}
	if cut, is := strings.CutSuffix(out, "∶"); is && strings.HasSuffix(part, ": ") {
		out = cut + ":"
	}
	return edge(strings.HasPrefix(part, " ")) + out + edge(strings.HasSuffix(part, " "))
}

func edge(is bool) string {
	if is {
		return " "
	}
	return ""
}

// flat turns our own markup into text for a notification: dates as their fallback, no emphasis, no
// leading emoji. Foreign text in it was escaped before and stays so.
func flat(markup string) string {
	s := datePattern.ReplaceAllString(markup, "$1")
	s = strings.NewReplacer("*", "", "\n", " ").Replace(s)
	return leadingEmoji.ReplaceAllString(s, "")
}

var (
	datePattern  = regexp.MustCompile(`<!date\^\d+\^[^|>]*\|([^>]*)>`)
	leadingEmoji = regexp.MustCompile(`^:[a-z_]+: `)
)

func unixOf(digits string) time.Time {
	n, _ := strconv.ParseInt(digits, 10, 64) // at most 10 digits: the pattern saw to it
	return time.Unix(n, 0)
}

// clean drops what cannot be seen or turns text around, makes every run of white space one space,
// and keeps at most two marks on a letter, so that no text can cover its neighbours.
func clean(s string) string {
	var out strings.Builder
	space, stacked := false, 0
	for _, c := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(c) || unicode.In(c, unicode.Zs, unicode.Zl, unicode.Zp) || c == '\u2800':
			space = true
			continue
		case invisible(c):
			continue
		case unicode.In(c, unicode.Mn, unicode.Me):
			if stacked++; stacked > 2 {
				continue
			}
		default:
			stacked = 0
		}
		if space && out.Len() > 0 {
			out.WriteByte(' ')
		}
		space = false
		out.WriteRune(c)
	}
	if out.Len() == 0 {
		return "(empty)"
	}
	return out.String()
}

// invisible covers control and format characters (bidi overrides, zero-width, soft hyphen, tags),
// private and unassigned ones, variation selectors, and the letters that are drawn as nothing.
func invisible(c rune) bool {
	switch c {
	case '\u034F', '\u115F', '\u1160', '\u17B4', '\u17B5', '\u3164', '\uFFA0':
		return true
	}
	return !unicode.IsGraphic(c) || unicode.Is(unicode.Variation_Selector, c)
}

// middle cuts a text in its middle, where names differ least, and never hides that it did. In a long one it cuts
// between words, where there are any.
func middle(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	if limit < 80 {
		keep := max(1, limit-1)
		head := (keep*2 + 2) / 3
		return string(r[:head]) + "…" + string(r[len(r)-(keep-head):])
	}
	keep := limit - 18 // room for a count of seven digits
	from, to := (keep*2+2)/3, len(r)-keep/3
	if space := lastSpace(r[from-longWord : from+1]); space >= 0 {
		from += space - longWord
	}
	if space := slices.Index(r[to-1:to+longWord], ' '); space >= 0 {
		to += space
	}
	return fmt.Sprintf("%s …(%d more)… %s", string(r[:from]), to-from, string(r[to:]))
}

// longWord is how far a cut goes back to the end of a word.
const longWord = 16

func lastSpace(r []rune) int {
	for i, c := range slices.Backward(r) {
		if c == ' ' {
			return i
		}
	}
	return -1
}
