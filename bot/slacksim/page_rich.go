package slacksim

import (
	"html"
	"html/template"
	"strconv"
	"strings"
)

// Rich shows the parts of a rich_text block.
func (p piece) Rich() template.HTML {
	var b strings.Builder
	for _, e := range p.List("elements") {
		e.richPart(&b)
	}
	return template.HTML(b.String()) //nolint:gosec // every leaf escapes
}

func (p piece) richPart(b *strings.Builder) {
	switch p.Str("type") {
	case "rich_text_section":
		b.WriteString(`<div class="rich">` + p.leaves() + `</div>`)
	case "rich_text_quote":
		b.WriteString("<blockquote>" + p.leaves() + "</blockquote>")
	case "rich_text_preformatted":
		b.WriteString("<pre>" + strings.ReplaceAll(p.leaves(), "<br>", "\n") + "</pre>")
	case "rich_text_list":
		p.richList(b)
	}
}

// richList shows one list; Slack writes deeper levels as lists of their own with an indent.
func (p piece) richList(b *strings.Builder) {
	tag, start := "ul", ""
	if p.Str("style") == "ordered" {
		tag = "ol"
		if n, err := strconv.Atoi(p.Str("offset")); err == nil && n > 0 {
			start = ` start="` + itoa(n+1) + `"`
		}
	}
	indent, _ := strconv.Atoi(p.Str("indent"))
	b.WriteString("<" + tag + start + ` class="indent` + itoa(max(0, min(indent, 8))) + `">`)
	for _, item := range p.List("elements") {
		b.WriteString("<li>" + item.leaves() + "</li>")
	}
	b.WriteString("</" + tag + ">")
}

func (p piece) leaves() string {
	var b strings.Builder
	for _, leaf := range p.List("elements") {
		out := leaf.leaf()
		style := leaf.Sub("style")
		for _, s := range [][2]string{{"code", "code"}, {"strike", "s"}, {"italic", "em"}, {"bold", "strong"}, {"underline", "u"}} {
			if style.Is(s[0]) {
				out = "<" + s[1] + ">" + out + "</" + s[1] + ">"
			}
		}
		b.WriteString(out)
	}
	return b.String()
}

// leaf shows one run of a rich text.
func (p piece) leaf() string {
	switch p.Str("type") {
	case "text":
		return strings.ReplaceAll(html.EscapeString(p.Str("text")), "\n", "<br>")
	case "link":
		text := p.Str("text")
		if text == "" {
			text = p.Str("url")
		}
		return link(p.Str("url"), html.EscapeString(text))
	case "user":
		return p.userMention(p.Str("user_id"), "")
	case "channel":
		return p.channelMention(p.Str("channel_id"), "")
	case "usergroup":
		return p.special("subteam^"+p.Str("usergroup_id"), "")
	case "team":
		return `<span class="mention">@` + html.EscapeString(p.team.Name) + `</span>`
	case "broadcast":
		return p.special(p.Str("range"), "")
	case "emoji":
		return p.emojiLeaf()
	case "color":
		c := html.EscapeString(p.Str("value"))
		return `<span class="swatch" data-color="` + c + `"></span>` + c
	case "date":
		return p.date(p.Str("timestamp")+"^"+p.Str("format"), p.Str("fallback"))
	}
	return `<span class="unsupported">unsupported element: ` + html.EscapeString(p.Str("type")) + `</span>`
}

func (p piece) emojiLeaf() string {
	if out := emojiHTML(p.Str("name"), p.Str("skin_tone")); out != "" {
		return out
	}
	char := ""
	for part := range strings.SplitSeq(p.Str("unicode"), "-") {
		if n, err := strconv.ParseInt(part, 16, 32); err == nil {
			char += string(rune(n))
		}
	}
	if char == "" {
		char = ":" + p.Str("name") + ":"
	}
	return html.EscapeString(char)
}
