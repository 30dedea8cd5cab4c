package slacksim

import (
	"html"
	"html/template"
	"regexp"
	"strconv"
	"strings"
)

// This file shows the markdown block: standard Markdown as far as Slack takes it, never HTML inside it.

var (
	mdHeading = regexp.MustCompile(`^(#{1,6}) +(.*?)#*$`)
	mdRule    = regexp.MustCompile(`^ {0,3}([-*_] *){3,}$`)
	mdItem    = regexp.MustCompile(`^( *)(?:([-*+])|(\d{1,9})[.)]) +(?:\[([ xX])\] +)?(.*)$`)
	mdColumns = regexp.MustCompile(`^\|?( *:?-+:? *\|)+ *:?-*:? *\|?$`)
	mdInline  = regexp.MustCompile("`([^`]+)`" + `|!?\[([^\]]*)\]\(([^()\s]+)\)|\*\*(\S(?:[^*]*\S)?)\*\*|__(\S(?:[^_]*\S)?)__|~~(\S(?:[^~]*\S)?)~~|\*([^*\s](?:[^*]*[^*\s])?)\*|\b_([^_\s](?:[^_]*[^_\s])?)_\b|<(https?://[^<>\s]+)>|\\([\\` + "`" + `*_{}\[\]()#+.!~|<>-])`)
)

// Markdown shows the text property.
func (p piece) Markdown() template.HTML {
	m := markdown{reader: p.reader, lines: strings.Split(strings.ReplaceAll(p.Str("text"), "\r\n", "\n"), "\n")}
	for m.at < len(m.lines) {
		m.block()
	}
	return template.HTML(m.out.String()) //nolint:gosec // every leaf escapes
}

// markdown is a text being shown, line by line.
type markdown struct {
	*reader
	lines []string
	at    int
	out   strings.Builder
}

func (m *markdown) block() {
	line := m.lines[m.at]
	h := mdHeading.FindStringSubmatch(line)
	switch {
	case strings.TrimSpace(line) == "":
		m.at++
	case strings.HasPrefix(strings.TrimSpace(line), "```"):
		m.fence()
	case h != nil:
		level := itoa(min(len(h[1])+2, 6)) // the page has h1 and h2 of its own
		m.out.WriteString("<h" + level + ">" + m.inline(strings.TrimSpace(h[2])) + "</h" + level + ">")
		m.at++
	case mdRule.MatchString(line):
		m.out.WriteString("<hr>")
		m.at++
	case mdItem.MatchString(line):
		m.list()
	case strings.HasPrefix(line, ">"):
		m.out.WriteString("<blockquote>")
		m.run(func(l string) (string, bool) {
			rest, ok := strings.CutPrefix(l, ">")
			return strings.TrimPrefix(rest, " "), ok
		})
		m.out.WriteString("</blockquote>")
	case strings.Contains(line, "|") && m.at+1 < len(m.lines) && mdColumns.MatchString(strings.TrimSpace(m.lines[m.at+1])):
		m.table()
	default:
		m.out.WriteString("<p>")
		m.run(func(l string) (string, bool) { return l, strings.TrimSpace(l) != "" && !m.starts(l) })
		m.out.WriteString("</p>")
	}
}

// starts reports whether a line ends a paragraph because something else begins with it.
func (m *markdown) starts(l string) bool {
	return mdHeading.MatchString(l) || mdItem.MatchString(l) || strings.HasPrefix(l, ">") || strings.HasPrefix(l, "```")
}

// run writes the first line and those after it that take accepts, each as take returns it.
func (m *markdown) run(take func(string) (string, bool)) {
	for first := true; m.at < len(m.lines); m.at++ {
		line, ok := take(m.lines[m.at])
		if !ok && !first {
			return
		}
		if !first {
			m.out.WriteString("<br>")
		}
		first = false
		m.out.WriteString(m.inline(line))
	}
}

func (m *markdown) fence() {
	m.out.WriteString("<pre>")
	for m.at++; m.at < len(m.lines); m.at++ {
		if strings.HasPrefix(strings.TrimSpace(m.lines[m.at]), "```") {
			m.at++
			break
		}
		m.out.WriteString(html.EscapeString(m.lines[m.at]) + "\n")
	}
	m.out.WriteString("</pre>")
}

// list writes the items that follow each other; deeper ones are indented.
func (m *markdown) list() {
	tag := ""
	for ; m.at < len(m.lines); m.at++ {
		it := mdItem.FindStringSubmatch(m.lines[m.at])
		if it == nil {
			break
		}
		want := "ul"
		if it[3] != "" {
			want = "ol"
		}
		if want != tag {
			m.closeList(tag)
			m.openList(want, it[3])
			tag = want
		}
		box := map[string]string{"": "", " ": "☐ ", "x": "☑ ", "X": "☑ "}[it[4]]
		m.out.WriteString(`<li class="indent` + itoa(min(len(it[1])/2, 8)) + `">` + box + m.inline(it[5]) + "</li>")
	}
	m.closeList(tag)
}

func (m *markdown) openList(tag, first string) {
	start := ""
	if n, err := strconv.Atoi(first); err == nil && n != 1 {
		start = ` start="` + itoa(n) + `"`
	}
	m.out.WriteString("<" + tag + start + ">")
}

func (m *markdown) closeList(tag string) {
	if tag != "" {
		m.out.WriteString("</" + tag + ">")
	}
}

func (m *markdown) table() {
	m.out.WriteString(`<div class="scroll"><table>`)
	for row := 0; m.at < len(m.lines) && strings.Contains(m.lines[m.at], "|"); row++ {
		cell := "td"
		if row == 0 {
			cell = "th"
		}
		if row != 1 { // the line of dashes
			m.out.WriteString("<tr>")
			for c := range strings.SplitSeq(strings.Trim(strings.TrimSpace(m.lines[m.at]), "|"), "|") {
				m.out.WriteString("<" + cell + ">" + m.inline(strings.TrimSpace(c)) + "</" + cell + ">")
			}
			m.out.WriteString("</tr>")
		}
		m.at++
	}
	m.out.WriteString("</table></div>")
}

// inline writes the words of one line.
func (m *markdown) inline(s string) string {
	var b strings.Builder
	at := 0
	for _, g := range mdInline.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(m.plain(s[at:g[0]]))
		at = g[1]
		part := func(n int) string { return s[g[2*n]:g[2*n+1]] }
		switch {
		case g[2] >= 0:
			b.WriteString("<code>" + html.EscapeString(part(1)) + "</code>")
		case g[4] >= 0:
			b.WriteString(link(part(3), m.plain(part(2))))
		case g[18] >= 0:
			b.WriteString(link(part(9), html.EscapeString(part(9))))
		case g[20] >= 0:
			b.WriteString(html.EscapeString(part(10)))
		}
		for n, tag := range map[int]string{4: "strong", 5: "strong", 6: "s", 7: "em", 8: "em"} {
			if g[2*n] >= 0 {
				b.WriteString("<" + tag + ">" + m.inline(part(n)) + "</" + tag + ">")
			}
		}
	}
	b.WriteString(m.plain(s[at:]))
	return b.String()
}
