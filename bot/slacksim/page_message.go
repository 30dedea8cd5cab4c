package slacksim

import (
	"encoding/json"
	"html/template"
	"path"
	"strings"
	"time"
)

// This file is what the message template of page.html is written in terms of.

// readBlocks decodes an array of layout blocks; what is not an object is left out.
func readBlocks(list json.RawMessage) ([]map[string]any, bool) {
	doc, ok := decode(list)
	items, isList := doc.([]any)
	var out []map[string]any
	for _, it := range items {
		if o, isObject := it.(map[string]any); isObject {
			out = append(out, o)
		}
	}
	return out, ok && isList
}

// Body is the message's blocks, or its text when it has none.
func (v messageView) Body() template.HTML {
	if len(v.raw.Blocks) > 0 {
		return v.pieces(v.raw.Blocks, v.Surface, false)
	}
	if v.raw.Text == "" {
		return ""
	}
	return `<div class="words">` + v.mrkdwn(v.raw.Text, false) + `</div>`
}

// Said is when the message was posted, as an element the browser rewrites for its reader.
func (v messageView) Said() template.HTML {
	at := seconds(v.TS)
	return template.HTML(timeHTML(at, "{time}", time.Unix(at, 0).UTC().Format("15:04"))) //nolint:gosec // made of a number
}

// Latest is when the last reply came.
func (v messageView) Latest() template.HTML {
	at := seconds(v.LatestReply)
	return template.HTML(timeHTML(at, "{time}", time.Unix(at, 0).UTC().Format("15:04"))) //nolint:gosec // made of a number
}

// RootText is the beginning of the message that a broadcast reply answers.
func (v messageView) RootText() string {
	if v.Root == nil {
		return "a thread"
	}
	text := []rune(strings.Join(strings.Fields((piece{reader: v.reader, Doc: map[string]any{"t": v.Root.Text}}).Bare("t")), " "))
	if len(text) > 80 {
		text = append(text[:79], '…')
	}
	return string(text)
}

// Attachment is one of the message's secondary parts.
type attachment struct {
	piece
	Blocks template.HTML
}

// Attached are the message's attachments.
func (v messageView) Attached() []attachment {
	var out []attachment
	for _, doc := range v.raw.Attachments {
		a := attachment{piece: piece{reader: v.reader, Doc: doc, Surface: v.Surface}}
		blocks, _ := doc["blocks"].([]any)
		out = append(out, attachment{a.piece, v.pieces(objects(blocks), v.Surface, false)})
	}
	return out
}

func objects(list []any) []map[string]any {
	var out []map[string]any
	for _, it := range list {
		if o, ok := it.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// Marked is a property of an attachment as mrkdwn.
func (a attachment) Marked(name string) template.HTML { return a.mrkdwn(a.Str(name), false) }

// upload is a file under a message.
type upload struct {
	File
	Href    string
	Picture bool
	Kind    string
	KB      int
}

// Uploads are the message's files.
func (v messageView) Uploads() []upload {
	var out []upload
	for _, f := range v.raw.Files {
		file, known := v.files[f.ID]
		if !known {
			continue
		}
		picture := strings.HasPrefix(file.Type, "image/") && file.Type != "image/svg+xml"
		kind := strings.ToUpper(strings.TrimPrefix(path.Ext(file.Name), "."))
		out = append(out, upload{file, v.fileURL(f.ID), picture, kind, (file.Size + 1023) / 1024})
	}
	return out
}

// chip is a reaction under a message.
type chip struct {
	Picture template.HTML
	Count   int
	Mine    bool
	Who     string
}

// Chips are the reactions.
func (v messageView) Chips() []chip {
	var out []chip
	for _, r := range v.Reactions {
		c := chip{Picture: v.lines(":" + r.Name + ":"), Count: r.Count}
		var names []string
		for _, id := range r.Users {
			names = append(names, v.face(id, "").Name)
			c.Mine = c.Mine || id == v.me.ID
		}
		c.Who = strings.Join(names, ", ") + " reacted with :" + r.Name + ":"
		out = append(out, c)
	}
	return out
}

// Level is the kind of an alert block.
func (p piece) Level() string {
	switch level := p.Str("level"); level {
	case "info", "warning", "error", "success":
		return level
	}
	return "default"
}

// Plain is a text of an attachment, as mrkdwn.
func (r *reader) Plain(s string) template.HTML { return r.mrkdwn(s, false) }
