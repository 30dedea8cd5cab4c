package view

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
)

// Message is one Slack message. Text is what notifications and screen readers get and what stands
// there when the blocks cannot be shown: always set, always true by itself.
type Message struct {
	Text   string
	Blocks []slack.Block
}

// Slack's limits, with room to spare: 3,000 characters a section, 50 blocks, and, undocumented,
// about 13,200 characters over all blocks (slackapi/bolt-js issue 2509).
const (
	maxSection = 2800
	maxTotal   = 11500
	maxBlocks  = 44
	maxText    = 3800
	maxConfirm = 300 // of the question that a button asks once more: no room to spare
)

// page builds a message: paragraphs, code, small print, buttons. What does not fit is counted, not
// dropped in silence.
type page struct {
	blocks []slack.Block
	used   int
	left   int // lines that did not fit
}

func marked(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}

func unmarked(s string, limit int) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, plain(s, limit), false, false)
}

// para adds lines of text, over several sections where one is not enough. Empty lines are left out.
func (p *page) para(lines ...string) { p.sections(nil, "", lines) }

// paraWith adds lines of text with an element at their right, if there is one and it fits. The lines name
// its command: where hostile names have made it too long, that can still be typed.
func (p *page) paraWith(element slack.BlockElement, lines ...string) {
	if element == nil || p.used+room(element) > maxTotal {
		p.para(lines...)
		return
	}
	p.used += room(element)
	p.sections(slack.NewAccessory(element), "", lines)
}

// room is how many characters an element adds to a message, rather too many: its keys count, too.
func room(element slack.BlockElement) int {
	raw, _ := json.Marshal(element) // made of plain structs and strings, which marshal
	return utf8.RuneCount(raw)
}

// code adds lines in a fixed-width font.
func (p *page) code(lines ...string) { p.sections(nil, "```", lines) }

// fenced puts a text between code fences, which stand on lines of their own: Slack trims spaces that
// follow a fence.
func fenced(text, fence string) string {
	if fence == "" {
		return text
	}
	return fence + "\n" + text + "\n" + fence
}

func (p *page) sections(beside *slack.Accessory, fence string, lines []string) {
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			p.blocks = append(p.blocks, slack.NewSectionBlock(marked(fenced(text.String(), fence)), nil, beside))
			text.Reset()
			beside = nil
		}
	}
	for _, line := range lines {
		line = clip(line, maxSection)
		n := utf8.RuneCountInString(line) + 1
		switch {
		case line == "":
			continue
		case p.used+n > maxTotal || len(p.blocks) >= maxBlocks:
			p.left++
			continue
		case utf8.RuneCountInString(text.String())+n > maxSection:
			flush()
		}
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(line)
		p.used += n
	}
	flush()
}

// clip keeps a text that is marked up already to a limit. It is composed of parts that are cut one by
// one; this is reached only where many of them are as long as can be.
func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	cut := string([]rune(text)[:limit-1])
	for _, pair := range []string{"<>", "&;"} { // do not cut a date or an escape in two
		if open := strings.LastIndexByte(cut, pair[0]); open > strings.LastIndexByte(cut, pair[1]) {
			cut = cut[:open]
		}
	}
	for _, mark := range []string{"```", "`"} { // nor to begin code that does not end
		if strings.Count(cut, mark)%2 == 1 {
			cut = cut[:strings.LastIndex(cut, mark)]
		}
	}
	return cut + "…"
}

// small adds small print.
func (p *page) small(parts ...string) {
	text := clip(dots(parts...), maxSection)
	if n := utf8.RuneCountInString(text); n > 0 && p.used+n <= maxTotal {
		p.used += n
		p.blocks = append(p.blocks, slack.NewContextBlock("", marked(text)))
	}
}

// buttons adds a row of elements; nil ones are left out.
func (p *page) buttons(elements ...slack.BlockElement) {
	var row []slack.BlockElement
	for _, e := range elements {
		if e != nil {
			row = append(row, e)
		}
	}
	if len(row) > 0 {
		p.blocks = append(p.blocks, slack.NewActionBlock("", row...))
	}
}

// done closes the page. Slack wants new block ids on every edit: they are made of the slot and the
// content, so that equal messages stay equal and changed ones are new.
func (p *page) done(slot, text string) Message {
	if p.left > 0 {
		p.blocks = append(p.blocks, slack.NewContextBlock("", marked(fmt.Sprintf("%d more lines did not fit", p.left))))
	}
	raw, _ := json.Marshal(p.blocks) // made of plain structs and strings, which marshal
	sum := sha256.Sum256(append(raw, text...))
	version := hex.EncodeToString(sum[:5])
	for i, b := range p.blocks {
		setID(b, fmt.Sprintf("%s.%d.%s", middle(slot, 120), i, version))
	}
	return Message{Text: middle(text, maxText), Blocks: p.blocks}
}

func setID(b slack.Block, id string) {
	switch b := b.(type) {
	case *slack.SectionBlock:
		b.BlockID = id
	case *slack.ContextBlock:
		b.BlockID = id
	case *slack.ActionBlock:
		b.BlockID = id
	}
}

// button is a button that says what the request says.
func button(label, alt string, r commands.Request) *slack.ButtonBlockElement {
	id, value := commands.Action(r)
	b := slack.NewButtonBlockElement(id, value, unmarked(label, 70))
	b.AccessibilityLabel = plain(alt, 70)
	return b
}

// confirm asks before a click counts (R25). The text is marked up already; what may be left out of it
// stands last.
func confirm(title, text, yes string) *slack.ConfirmationBlockObject {
	return slack.NewConfirmationBlockObject(unmarked(title, 90), marked(clip(text, maxConfirm)), unmarked(yes, 28), unmarked("Not now", 28))
}

// choice is one line of an overflow menu.
type choice struct {
	label string
	r     commands.Request
}

// more is the menu behind the three dots. Slack takes five choices at most.
func more(choices ...choice) slack.BlockElement {
	if len(choices) == 0 {
		return nil
	}
	var options []*slack.OptionBlockObject
	for _, c := range choices[:min(5, len(choices))] {
		options = append(options, option(c))
	}
	return slack.NewOverflowBlockElement(commands.ActionMore, options...)
}

func option(c choice) *slack.OptionBlockObject {
	return slack.NewOptionBlockObject(commands.Option(c.r), unmarked(c.label, 70), nil)
}

// Reduce is the same message in plain text, for when Slack refuses its blocks. Buttons are gone, so
// their commands must be typed: every message with buttons names them in its small print.
func Reduce(m Message) Message {
	var lines []string
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.SectionBlock:
			lines = append(lines, b.Text.Text)
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				if t, ok := e.(*slack.TextBlockObject); ok {
					lines = append(lines, t.Text)
				}
			}
		}
	}
	return Message{Text: reduced(lines, m.Text)}
}

// reduced joins paragraphs while they fit into a message's text.
func reduced(paragraphs []string, otherwise string) string {
	out, n := "", 0
	for i, p := range paragraphs {
		n += utf8.RuneCountInString(p) + 1
		if n > maxText-40 {
			out += fmt.Sprintf("\n… and %d more paragraphs", len(paragraphs)-i)
			break
		}
		if out != "" {
			out += "\n"
		}
		out += p
	}
	if out == "" {
		return otherwise
	}
	return out
}
