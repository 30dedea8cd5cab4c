package commands

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	maxText = 2000 // characters of a whole command
	maxEcho = 60   // characters of foreign text that an answer repeats
)

// word is one word as it was meant: markup decoded, quotes taken off.
type word struct {
	text   string
	eq     int  // where the first = outside of quotes stands, -1 = nowhere
	quoted bool // it began with a quote: a value, never a keyword
}

// option reports whether the word is a key=value. An address with an equal sign is none.
func (w word) option() bool { return w.eq > 0 && !w.quoted && !strings.Contains(w.text[:w.eq], "/") }

// keyword is the word as compared with the language's own words: phones write the first one with a
// capital letter. It is "" for a quoted word.
func (w word) keyword() string {
	if w.quoted {
		return ""
	}
	return strings.ToLower(w.text)
}

// read splits a command into words, as Slack sends it: with &, < and > escaped and with mentions,
// channels and links as markup. What a reader could not see is refused, not dropped: a name that
// looks like another one must not become it.
func read(text string) ([]word, *upgrade.Refusal) {
	switch n := utf8.RuneCountInString(text); {
	case n > maxText:
		return nil, upgrade.Refuse(upgrade.CodeArg, "/vmss help", "that is %d characters long: I read %d at most", n, maxText)
	case !utf8.ValidString(text):
		return nil, upgrade.Refuse(upgrade.CodeArg, "/vmss help", "that is not valid UTF-8 text: type it once more")
	}
	if i := strings.IndexFunc(text, unseen); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return nil, upgrade.Refuse(upgrade.CodeArg, sentence(split(strings.Map(seen, text))), "there is a character nobody can see in %s (%U): type it without", echo(text), r)
	}
	words, whole := split(text)
	if !whole {
		return nil, upgrade.Refuse(upgrade.CodeArg, "/vmss help", "a quote is opened and never closed in %s", echo(text))
	}
	return words, nil
}

// unseen reports whether the character shows nothing, or changes how others show: control
// characters, bidirectional marks, zero-width and private ones. White space is seen.
func unseen(r rune) bool {
	if r >= ' ' && r <= '~' {
		return false
	}
	return !unicode.IsSpace(r) && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Other_Default_Ignorable_Code_Point)
}

func seen(r rune) rune {
	if unseen(r) {
		return -1
	}
	return r
}

// split finds the words of a text; whole is false when a quote stays open.
func split(text string) (words []word, whole bool) {
	s := scanner{word: word{eq: -1}}
	for text != "" {
		text = text[s.step(text):]
	}
	s.end()
	return s.words, s.quote == 0
}

type scanner struct {
	words []word
	word  word // the one being read
	text  []byte
	begun bool
	quote rune // the open quote, 0 = none
}

// step reads one character or piece of markup and returns its length.
func (s *scanner) step(text string) int {
	raw, n := utf8.DecodeRuneInString(text)
	switch r := plain(raw); {
	case r == ' ' && s.quote == 0:
		s.end()
	case r == '"' || r == '\'':
		s.mark(r, text[n:])
	case r == '\\' && s.quote == '"':
		return n + s.escaped(text[n:])
	case r == '<' || r == '&':
		meant, n := markup(text)
		s.put(meant)
		return n
	case s.quote == 0 && dash(r):
		s.put(s.dashes())
	case r == '=' && s.quote == 0 && s.word.eq < 0:
		s.word.eq = len(s.text)
		s.put("=")
	default:
		s.put(string(r))
	}
	return n
}

func (s *scanner) put(text string) {
	s.begun, s.text = true, append(s.text, text...)
}

func (s *scanner) end() {
	if s.begun {
		s.word.text = string(s.text)
		s.words = append(s.words, s.word)
	}
	s.word, s.text, s.begun = word{eq: -1}, s.text[:0], false
}

// mark reads a quote; rest is what follows. A double quote counts anywhere. An apostrophe opens
// only before a word or value and closes only behind one: in “it's” it is a letter.
func (s *scanner) mark(r rune, rest string) {
	after, _ := utf8.DecodeRuneInString(rest)
	starts := !s.begun || s.word.eq >= 0 && s.word.eq == len(s.text)-1
	switch {
	case s.quote == r && (r == '"' || rest == "" || plain(after) == ' '):
		s.quote = 0
	case s.quote == 0 && (r == '"' || starts):
		s.quote, s.word.quoted, s.begun = r, s.word.quoted || !s.begun, true
	default:
		s.put(string(r))
	}
}

// escaped reads what follows a backslash between double quotes: only a quote and a backslash can
// be escaped, before anything else it stands for itself.
func (s *scanner) escaped(rest string) int {
	raw, n := utf8.DecodeRuneInString(rest)
	if r := plain(raw); r == '"' || r == '\\' {
		s.put(string(r))
		return n
	}
	s.put(`\`)
	return 0
}

// dashes is what a long dash stands for: phones turn the two hyphens before a word into one.
func (s *scanner) dashes() string {
	if s.begun {
		return "-"
	}
	return "--"
}

func dash(r rune) bool { return r >= '\u2010' && r <= '\u2015' || r == '\u2212' }

// plain turns typographic quotes into the typewriter's, and every white space into a blank.
func plain(r rune) rune {
	switch r {
	case '“', '”', '„', '‟':
		return '"'
	case '‘', '’', '‚', '‛':
		return '\''
	case '∗': // as names with a star are shown, where Slack would make emphasis of it
		return '*'
	}
	if unicode.IsSpace(r) {
		return ' '
	}
	return r
}

var entities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// markup decodes what stands at the beginning of text, where a < or & is, and returns its length.
// What is no markup stands for itself.
func markup(text string) (meant string, n int) {
	if text[0] == '&' {
		for _, e := range []string{"&amp;", "&lt;", "&gt;"} {
			if strings.HasPrefix(text, e) {
				return entities.Replace(e), len(e)
			}
		}
		return "&", 1
	}
	end := strings.IndexAny(text[1:], "<>") + 1
	if end < 2 || text[end] == '<' {
		return "<", 1
	}
	if meant, ok := reference(text[1:end]); ok {
		return entities.Replace(meant), end + 1
	}
	return "<", 1
}

// reference decodes what stands between < and >: people and channels become their ids, links and
// everything else what was shown in their place.
func reference(body string) (meant string, ok bool) {
	link, label, _ := strings.Cut(body, "|")
	switch {
	case strings.HasPrefix(link, "@") || strings.HasPrefix(link, "#"):
		return link[1:], isID(link[1:])
	case label != "":
		return label, strings.HasPrefix(link, "!") || strings.Contains(link, ":")
	case strings.HasPrefix(link, "!"):
		return "@" + link[1:], true
	}
	scheme, _, found := strings.Cut(link, ":")
	return link, found && scheme != "" && !strings.ContainsFunc(scheme, notLetter)
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// echo repeats foreign text in an answer: as code, in one line, never more than maxEcho characters.
func echo(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unseen(r):
			return utf8.RuneError
		case r == '`':
			return '\''
		}
		return plain(r)
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	if utf8.RuneCountInString(s) > maxEcho {
		s = string([]rune(s)[:maxEcho-1]) + "…"
	}
	return fmt.Sprintf("`%s`", s)
}
