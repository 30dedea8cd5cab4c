package slacksim

import (
	"html"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// emoji is the embedded list of standard short names: one "name characters" per line.
var emoji = sync.OnceValue(func() map[string]string {
	list, err := pageFiles.ReadFile("page/emoji.txt")
	if err != nil {
		panic("slacksim: emoji: " + err.Error())
	}
	out := map[string]string{}
	for line := range strings.Lines(string(list)) {
		name, char, _ := strings.Cut(strings.TrimSpace(line), " ")
		out[name] = char
	}
	return out
})

// shortcode finds :name:, with a skin tone behind it or not.
var shortcode = regexp.MustCompile(`:([a-z0-9_+'-]+):(?::skin-tone-([2-6]):)?`)

// emojiHTML shows the picture of a short name; "" when the list does not have it.
func emojiHTML(name, tone string) string {
	char, known := emoji()[name]
	if !known {
		return ""
	}
	if n, err := strconv.Atoi(tone); err == nil && n >= 2 && n <= 6 {
		char += string(rune(0x1F3FB + n - 2))
	}
	label := html.EscapeString(strings.ReplaceAll(name, "_", " "))
	return `<span class="emoji" role="img" aria-label="` + label + `" title=":` + html.EscapeString(name) + `:">` + char + `</span>`
}

// plain escapes text for HTML and shows the emoji it names. Unknown names stay as they were typed.
func (r *reader) plain(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range shortcode.FindAllStringSubmatchIndex(s, -1) {
		tone := ""
		if m[4] >= 0 {
			tone = s[m[4]:m[5]]
		}
		picture := emojiHTML(s[m[2]:m[3]], tone)
		if picture == "" {
			continue
		}
		b.WriteString(html.EscapeString(s[at:m[0]]) + picture)
		at = m[1]
	}
	b.WriteString(html.EscapeString(s[at:]))
	return b.String()
}

// lines is plain with line breaks.
func (r *reader) lines(s string) template.HTML {
	return template.HTML(strings.ReplaceAll(r.plain(s), "\n", "<br>")) //nolint:gosec // plain escapes
}

// entities undoes the only three escapes that Slack's texts have.
var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// escapes makes them.
var escapes = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;")
