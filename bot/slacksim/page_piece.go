package slacksim

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html/template"
	"strings"
)

// piece is one object of a Block Kit document, a block or an element or part of one, and the reader it is shown to.
// The templates of page/blocks.html are written in terms of its methods.
type piece struct {
	*reader
	Doc     map[string]any
	Surface string // id of the message or view, in the page
	Block   string // block_id of the layout block it belongs to
	View    bool   // it stands in a view
	Quiet   bool   // a use is not reported by itself: an input block without dispatch_action
}

// pieces shows a list of layout blocks.
func (r *reader) pieces(blocks []map[string]any, surface string, view bool) template.HTML {
	var b strings.Builder
	for _, doc := range blocks {
		p := piece{reader: r, Doc: doc, Surface: surface, Block: asText(doc["block_id"]), View: view}
		b.WriteString(string(p.Show("block-")))
	}
	return template.HTML(b.String()) //nolint:gosec // made by templates
}

// Show renders the piece by the template of its type; kind is the template's prefix. What the page does not know, or
// what has another shape than its type promises, says so instead of vanishing.
func (p piece) Show(kind string) template.HTML {
	var b strings.Builder
	name := kind + p.Str("type")
	if templates().Lookup(name) != nil && templates().ExecuteTemplate(&b, name, p) == nil {
		return template.HTML(b.String()) //nolint:gosec // made by a template
	}
	b.Reset()
	_ = templates().ExecuteTemplate(&b, "unsupported", strings.TrimSuffix(kind, "-")+": "+p.Str("type")) // it writes to memory
	return template.HTML(b.String())                                                                     //nolint:gosec // made by a template
}

// Str is a property as text; numbers as they are written; "" when it is absent.
func (p piece) Str(name string) string {
	switch v := p.Doc[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

// Is reports whether a property is true.
func (p piece) Is(name string) bool { return p.Doc[name] == true }

// Has reports whether a property is there.
func (p piece) Has(name string) bool { return p.Doc[name] != nil }

// Sub is the object in a property; an empty one when it is absent.
func (p piece) Sub(name string) piece {
	o, _ := p.Doc[name].(map[string]any)
	return p.of(o)
}

func (p piece) of(doc map[string]any) piece {
	p.Doc = doc
	return p
}

// List is the objects in a property.
func (p piece) List(name string) []piece {
	items, _ := p.Doc[name].([]any)
	out := make([]piece, 0, len(items))
	for _, it := range items {
		if o, ok := it.(map[string]any); ok {
			out = append(out, p.of(o))
		}
	}
	return out
}

// Rows is a list of lists, as tables have it.
func (p piece) Rows(name string) [][]piece {
	rows, _ := p.Doc[name].([]any)
	out := make([][]piece, len(rows))
	for i, row := range rows {
		out[i] = p.of(map[string]any{"cells": row}).List("cells")
	}
	return out
}

// Text shows the text object in a property, or a bare string there.
func (p piece) Text(name string) template.HTML {
	if s, ok := p.Doc[name].(string); ok {
		return p.lines(entities.Replace(s))
	}
	return p.Sub(name).Words()
}

// Words shows a text object: plain_text or mrkdwn.
func (p piece) Words() template.HTML {
	if p.Str("type") == "mrkdwn" {
		return p.mrkdwn(p.Str("text"), p.Is("verbatim"))
	}
	text := entities.Replace(p.Str("text"))
	if p.Doc["emoji"] == false {
		return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(text), "\n", "<br>")) //nolint:gosec // escaped
	}
	return p.lines(text)
}

// Bare is the text of a text object without markup, for attributes and options.
func (p piece) Bare(name string) string {
	s := p.Str(name)
	if s == "" {
		s = p.Sub(name).Str("text")
	}
	return strings.TrimSpace(shortcode.ReplaceAllStringFunc(p.bare(s), func(code string) string {
		if char, known := emoji()[strings.Trim(code, ":")]; known {
			return char
		}
		return code
	}))
}

// Label is what a control is called for those who do not see it: its own label, its placeholder or its action.
func (p piece) Label() string {
	for _, name := range []string{"accessibility_label", "text", "placeholder", "action_id"} {
		if s := p.Bare(name); s != "" {
			return s
		}
	}
	return p.Str("type")
}

// ID is a name for the control that is unique in the page and the same after each edit.
func (p piece) ID() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%s", p.Surface, p.Block, p.Str("action_id"))
	return fmt.Sprintf("c%x", h.Sum64())
}

// Element is the piece as the one element of an input block.
func (p piece) Element() piece {
	e := p.Sub("element")
	e.Quiet = !p.Is("dispatch_action")
	return e
}

// SafeURL is the address in a property if it is one that may be followed, else "".
func (p piece) SafeURL(name string) string {
	if s := p.Str(name); safeURL(s) {
		return s
	}
	return ""
}

// Picture is where an image comes from: a file of this workspace, or "" for anything elsewhere, which a page that
// loads nothing from elsewhere does not show.
func (p piece) Picture() string {
	f := p.Sub("slack_file")
	for id, file := range p.files {
		if file.Visible && (f.Str("id") == id || f.Str("url") != "" && strings.HasSuffix(f.Str("url"), "/files/"+id+"/"+file.Name)) {
			return p.fileURL(id)
		}
	}
	return ""
}

// Align is the class of a table's column.
func (p piece) Align(column int) string {
	settings, _ := p.Doc["column_settings"].([]any)
	if column >= len(settings) {
		return ""
	}
	o, _ := settings[column].(map[string]any)
	switch align := asText(o["align"]); align {
	case "right", "center":
		return align
	}
	return ""
}
