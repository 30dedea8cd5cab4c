package view

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/slack-go/slack"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hostile is a cast that tries everything at once.
var hostile = cast{
	set: "<!channel>*web*\u202Edorp`x`", group: "<http://evil.example|rg>", location: "west\u200Beurope", offer: "~offer~ &amp;", old: "1.<@U0BO>", new: "2.```|2",
	requester: "@here :white_check_mark: bo approved", approver: "</b><@U0ANA>", second: "eva\n*approved*",
	note: "> quoted\nhttps://evil.example/a?b=c", reason: "evil.example \x021700000000\x03 `/vmss approve` <#C0OPS> " + strings.Repeat("long & ", 200),
	code: "<!here>", message: strings.Repeat("``` <!everyone> _x_ *y* ", 60), zone: "2\n```", instance: "<&`",
}

func TestEveryViewShowsWhatItsGoldenSays(t *testing.T) {
	for _, c := range []struct {
		folder  string
		samples []Sample
	}{{"testdata", Gallery()}, {filepath.Join("testdata", "hostile"), gallery(hostile, 20, 1000)}} {
		seen := map[string]bool{}
		for _, s := range c.samples {
			file := filepath.Join(c.folder, fileName(s.Name))
			if seen[file] {
				t.Errorf("two samples are called %q", s.Name)
			}
			seen[file] = true
			t.Run(file, func(t *testing.T) { compare(t, file, golden(s.Message)) })
		}
		orphans(t, c.folder, seen)
	}
}

func fileName(sample string) string {
	return strings.NewReplacer("/", "-", " ", "-", ",", "").Replace(strings.TrimSpace(sample)) + ".golden"
}

func compare(t *testing.T, file string, got []byte) {
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("not as its golden says (go test -update writes it anew):\n%s", got)
	}
}

// orphans finds golden files that belong to no sample any more.
func orphans(t *testing.T, folder string, seen map[string]bool) {
	files, err := filepath.Glob(filepath.Join(folder, "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		switch {
		case seen[f]:
		case *update:
			os.Remove(f)
		default:
			t.Errorf("%s belongs to no sample", f)
		}
	}
}

// golden is a message for reading: what a person sees, the plain text it degrades to where that
// differs, and the JSON that is sent.
func golden(m Message) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "notification: %s\n\n%s\n\n---- JSON\n", seen(m.Text), screen(m))
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m.Blocks); err != nil {
		fmt.Fprintf(&out, "not JSON: %v", err)
	}
	return out.Bytes()
}

// screen renders the blocks as a person sees them.
func screen(m Message) string {
	var lines []string
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.SectionBlock:
			text := seen(b.Text.Text)
			if b.Accessory != nil {
				first, rest, _ := strings.Cut(text, "\n")
				text = strings.TrimSuffix(first+"   "+element(besides(b))+"\n"+rest, "\n")
			}
			lines = append(lines, text)
		case *slack.ContextBlock:
			lines = append(lines, "  . "+seen(b.ContextElements.Elements[0].(*slack.TextBlockObject).Text))
		case *slack.ActionBlock:
			var row []string
			for _, e := range b.Elements.ElementSet {
				row = append(row, element(e))
			}
			lines = append(lines, strings.Join(row, " "))
		}
	}
	return strings.Join(lines, "\n")
}

// besides is the element at the right of a section.
func besides(b *slack.SectionBlock) slack.BlockElement {
	if b.Accessory.ButtonElement != nil {
		return b.Accessory.ButtonElement
	}
	return b.Accessory.OverflowElement
}

func element(e slack.BlockElement) string {
	switch e := e.(type) {
	case *slack.ButtonBlockElement:
		s := "[" + e.Text.Text + "]"
		if e.Style != "" {
			s = "[" + strings.ToUpper(e.Text.Text) + "]"
		}
		return s + asks(e.Confirm)
	case *slack.OverflowBlockElement:
		var labels []string
		for _, o := range e.Options {
			labels = append(labels, o.Text.Text)
		}
		return "[⋮ " + strings.Join(labels, " / ") + "]" + asks(e.Confirm)
	}
	return fmt.Sprintf("[? %T]", e)
}

func asks(c *slack.ConfirmationBlockObject) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("{asks: %s %s (%s / %s)}", c.Title.Text, seen(c.Text.Text), c.Confirm.Text, c.Deny.Text)
}

var dateMark = regexp.MustCompile(`<!date\^\d+\^[^|>]*\|([^>]*)>`)

func seen(s string) string { return html.UnescapeString(dateMark.ReplaceAllString(s, "$1")) }
