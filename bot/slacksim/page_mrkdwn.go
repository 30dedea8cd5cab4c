package slacksim

import (
	"html"
	"html/template"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// This file shows mrkdwn, Slack's own markup, as HTML. Everything that is not markup is escaped; a construct that is
// not well formed shows as it was written.

// mrkdwn shows a text of any number of lines. Bare addresses become links unless verbatim.
func (r *reader) mrkdwn(s string, verbatim bool) template.HTML {
	var b strings.Builder
	for i, part := range fences(s) {
		if i%2 == 1 {
			b.WriteString("<pre>" + html.EscapeString(r.bare(strings.TrimPrefix(part, "\n"))) + "</pre>")
			continue
		}
		if i > 0 {
			part = strings.TrimPrefix(part, "\n")
		}
		part = strings.TrimSuffix(part, "\n")
		r.paragraphs(&b, part, verbatim)
	}
	return template.HTML(b.String()) //nolint:gosec // every path above escapes
}

// fences splits a text at pairs of ```: the parts with odd index are code. A fence without partner is text.
func fences(s string) []string {
	parts := strings.Split(s, "```")
	if len(parts)%2 == 0 {
		last := len(parts) - 2
		parts = append(parts[:last], parts[last]+"```"+parts[last+1])
	}
	for i := 1; i+1 < len(parts); i += 2 {
		if strings.TrimSpace(parts[i]) == "" { // ``` ``` holds no code: Slack shows the ticks
			return []string{s}
		}
	}
	return parts
}

// paragraphs writes lines of text, with the quoted ones (> at the start; >>> until the end) in blockquotes.
func (r *reader) paragraphs(b *strings.Builder, s string, verbatim bool) {
	quoting, toEnd, fresh := false, false, true
	for line := range strings.SplitSeq(s, "\n") {
		rest, quoted := quote(line)
		if more, all := quote(rest); quoted && all && !toEnd {
			if last, three := quote(more); three {
				rest, toEnd = last, true
			}
		}
		if toEnd {
			if !quoted {
				rest = line
			}
			quoted = true
		}
		switch {
		case quoted && !quoting:
			b.WriteString("<blockquote>")
		case !quoted && quoting:
			b.WriteString("</blockquote>")
		case !fresh:
			b.WriteString("<br>")
		}
		quoting, fresh = quoted, false
		b.WriteString(r.inline(rest, verbatim))
	}
	if quoting {
		b.WriteString("</blockquote>")
	}
}

func quote(line string) (rest string, quoted bool) {
	rest, quoted = strings.CutPrefix(line, "&gt;")
	if !quoted {
		rest, quoted = strings.CutPrefix(line, ">")
	}
	if quoted && !strings.HasPrefix(rest, ">") && !strings.HasPrefix(rest, "&gt;") {
		rest = strings.TrimPrefix(rest, " ")
	}
	return rest, quoted
}

// styles are the marks around words and the elements they stand for.
var styles = map[byte]string{'*': "strong", '_': "em", '~': "s"}

// inline writes one line.
func (r *reader) inline(s string, verbatim bool) string {
	var b strings.Builder
	start := 0              // of the text not yet written
	open := map[byte]bool{} // marks that have no partner further on
	flush := func(end int) {
		b.WriteString(r.words(s[start:end], verbatim))
	}
	for i := 0; i < len(s); i++ {
		end, body := i, ""
		switch c := s[i]; c {
		case '<':
			if n := strings.IndexByte(s[i:], '>'); n > 0 {
				end, body = i+n+1, r.angle(s[i+1:i+n])
			}
		case '`':
			if n := strings.IndexByte(s[i+1:], '`'); n > 0 {
				end, body = i+n+2, "<code>"+html.EscapeString(r.bare(s[i+1:i+1+n]))+"</code>"
			}
		case '*', '_', '~':
			if open[c] || !opens(s, i) {
				continue
			}
			n := closing(s, i)
			if n < 0 {
				open[c] = true
				continue
			}
			end, body = n+1, "<"+styles[c]+">"+r.inline(s[i+1:n], verbatim)+"</"+styles[c]+">"
		}
		if body != "" {
			flush(i)
			b.WriteString(body)
			start, i = end, end-1
		}
	}
	flush(len(s))
	return b.String()
}

// opens reports whether the mark at i may open a style: nothing of a word before it, no blank behind it.
func opens(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, size := utf8.DecodeRuneInString(s[i+1:])
	return !isWord(before) && size > 0 && !unicode.IsSpace(after) && s[i+1] != s[i]
}

// closing finds the mark that closes the one at i, outside of code and of <…>; -1: there is none.
func closing(s string, i int) int {
	for j := i + 1; j < len(s); j++ {
		switch s[j] {
		case '<':
			if n := strings.IndexByte(s[j:], '>'); n > 0 {
				j += n
			}
		case '`':
			if n := strings.IndexByte(s[j+1:], '`'); n > 0 {
				j += n + 1
			}
		case s[i]:
			before, _ := utf8.DecodeLastRuneInString(s[:j])
			after, _ := utf8.DecodeRuneInString(s[j+1:])
			if j > i+1 && !unicode.IsSpace(before) && !isWord(after) {
				return j
			}
		}
	}
	return -1
}

func isWord(c rune) bool { return c != utf8.RuneError && (unicode.IsLetter(c) || unicode.IsDigit(c)) }

// bareURL finds addresses that stand in a text by themselves.
var bareURL = regexp.MustCompile(`https?://[^\s<>"'` + "`" + `]+[^\s<>"'` + "`" + `.,;:!?)*_~]`)

// words writes text without markup: entities, emoji, addresses.
func (r *reader) words(s string, verbatim bool) string {
	if verbatim || !strings.Contains(s, "://") {
		return r.plain(entities.Replace(s))
	}
	var b strings.Builder
	at := 0
	for _, m := range bareURL.FindAllStringIndex(s, -1) {
		to := entities.Replace(s[m[0]:m[1]])
		b.WriteString(r.plain(entities.Replace(s[at:m[0]])) + link(to, html.EscapeString(to)))
		at = m[1]
	}
	b.WriteString(r.plain(entities.Replace(s[at:])))
	return b.String()
}

// bare is a text inside code, where markup is not shown: mentions and links as their words.
func (r *reader) bare(s string) string {
	s = angled.ReplaceAllStringFunc(s, func(t string) string {
		inner := t[1 : len(t)-1]
		target, label, labelled := strings.Cut(inner, "|")
		switch {
		case strings.ContainsAny(target[:1], "@#!"):
			return escapes.Replace(html.UnescapeString(untagged.ReplaceAllString(r.angle(inner), "")))
		case labelled:
			return label
		}
		return target
	})
	return entities.Replace(s)
}

var (
	angled   = regexp.MustCompile(`<(?:[@#!]|https?://|mailto:|tel:)[^<>\n]*>`)
	untagged = regexp.MustCompile(`<[^>]*>`)
)

// angle shows what stands between < and >: a mention, a date or a link.
func (r *reader) angle(inner string) string {
	target, label, _ := strings.Cut(inner, "|")
	label = entities.Replace(label)
	switch {
	case target == "":
		return html.EscapeString("<" + inner + ">")
	case target[0] == '@':
		return r.userMention(target[1:], label)
	case target[0] == '#':
		return r.channelMention(target[1:], label)
	case target[0] == '!':
		return r.special(target[1:], label)
	}
	to := entities.Replace(target)
	if !safeURL(to) {
		return html.EscapeString(entities.Replace("<" + inner + ">"))
	}
	text := html.EscapeString(to)
	if label != "" {
		text = r.plain(label)
	} else if after, isMail := strings.CutPrefix(text, "mailto:"); isMail {
		text = after
	}
	return link(to, text)
}

// link makes a link that opens elsewhere; text is HTML.
func link(to, text string) string {
	if !safeURL(to) {
		return text
	}
	return `<a href="` + html.EscapeString(to) + `" target="_blank" rel="noopener noreferrer nofollow">` + text + `</a>`
}

// safeURL reports whether an address is of a kind that Slack links.
func safeURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return u.Host != ""
	case "mailto", "tel":
		return u.Opaque != ""
	}
	return false
}

func (r *reader) userMention(id, label string) string {
	class, name := "mention", label
	if u, known := r.users[id]; known {
		name = u.Name
	} else if name == "" {
		name = "unknown user " + id
	}
	if id == r.me.ID {
		class = "mention me"
	}
	return `<span class="` + class + `">@` + html.EscapeString(strings.TrimPrefix(name, "@")) + `</span>`
}

func (r *reader) channelMention(id, label string) string {
	name, visible := r.channels[id]
	switch {
	case visible:
		return `<a class="mention" data-go href="` + html.EscapeString(r.href(id)) + `">#` + html.EscapeString(name) + `</a>`
	case label == "":
		label = "private channel"
	}
	return `<span class="mention">#` + html.EscapeString(strings.TrimPrefix(label, "#")) + `</span>`
}

func (r *reader) special(what, label string) string {
	name, rest, _ := strings.Cut(what, "^")
	switch name {
	case "here", "channel", "everyone":
		return `<span class="mention me">@` + name + `</span>`
	case "subteam":
		handle := r.groups[rest]
		if handle == "" {
			handle = label
		}
		if handle == "" {
			handle = "unknown group " + rest
		}
		return `<span class="mention">@` + html.EscapeString(strings.TrimPrefix(handle, "@")) + `</span>`
	case "date":
		return r.date(rest, label)
	}
	if label == "" {
		label = what
	}
	return html.EscapeString(label)
}

// date leaves the words to the reader's browser, which knows the zone; until then, and for a broken one, the
// fallback shows.
func (r *reader) date(rest, fallback string) string {
	part := strings.SplitN(rest, "^", 3)
	unix, err := strconv.ParseInt(part[0], 10, 64)
	if err != nil || len(part) < 2 {
		return html.EscapeString(fallback)
	}
	out := timeHTML(unix, entities.Replace(part[1]), fallback)
	if len(part) == 3 {
		return link(entities.Replace(part[2]), out)
	}
	return out
}

func timeHTML(unix int64, format, fallback string) string {
	return `<time data-unix="` + strconv.FormatInt(unix, 10) + `" data-format="` + html.EscapeString(format) + `" datetime="` +
		time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05Z") + `">` + html.EscapeString(fallback) + `</time>`
}
