package slacksim

import (
	"html/template"
	"slices"
	"strings"
)

// choice is one line of a menu or one box of a list of boxes.
type choice struct {
	Value       string
	Text        string        // without markup
	Label       template.HTML // with it
	Description template.HTML
	URL         string
	Selected    bool
	ID          string
}

// choices is a labelled part of a menu; the label is empty when the menu has no parts.
type choices struct {
	Label   string
	Options []choice
}

// Groups is what a menu offers: its options, its option groups, or people and conversations of the workspace.
func (p piece) Groups() []choices {
	kind := p.Str("type")
	switch {
	case strings.Contains(kind, "users"):
		return []choices{{Options: p.people()}}
	case strings.Contains(kind, "channels"), strings.Contains(kind, "conversations"):
		return []choices{{Options: p.places()}}
	}
	out := []choices{}
	for _, g := range p.List("option_groups") {
		out = append(out, choices{g.Bare("label"), p.choices(g.List("options"))})
	}
	if options := p.Options(); len(options) > 0 {
		out = append(out, choices{Options: options})
	}
	return out
}

// Options is what the options property offers.
func (p piece) Options() []choice { return p.choices(p.List("options")) }

func (p piece) choices(options []piece) []choice {
	initial := p.initial()
	out := make([]choice, len(options))
	for i, o := range options {
		value := o.Str("value")
		out[i] = choice{Value: value, Text: o.Bare("text"), Label: o.Text("text"), Description: o.Text("description"), URL: o.SafeURL("url"),
			Selected: slices.Contains(initial, value), ID: p.ID() + "-" + itoa(i)}
		if d := o.Bare("description"); d != "" && strings.HasSuffix(p.Str("type"), "select") {
			out[i].Text += " - " + d
		}
	}
	return out
}

// initial is the values an element starts with.
func (p piece) initial() []string {
	how := selected[p.Str("type")]
	switch v := p.Doc[how.initial].(type) {
	case string:
		return []string{v}
	case map[string]any:
		return []string{asText(v["value"])}
	case []any:
		var out []string
		for _, it := range v {
			o, _ := it.(map[string]any)
			out = append(out, asText(it)+asText(o["value"]))
		}
		return out
	}
	return nil
}

// Initial is the text an input starts with.
func (p piece) Initial() string {
	if p.Str("type") == "rich_text_input" {
		return richWords(p.Doc["initial_value"])
	}
	return p.Str(selected[p.Str("type")].initial)
}

// richWords is the words of a rich text.
func richWords(v any) string {
	out := ""
	switch v := v.(type) {
	case []any:
		for _, it := range v {
			out += richWords(it)
		}
	case map[string]any:
		out = asText(v["text"]) + richWords(v["elements"])
	}
	return out
}

func (p piece) people() []choice {
	initial := p.initial()
	var out []choice
	for id, u := range p.users {
		if !u.Deleted {
			out = append(out, choice{Value: id, Text: u.RealName + " (@" + u.Name + ")", Selected: slices.Contains(initial, id)})
		}
	}
	return byText(out)
}

func (p piece) places() []choice {
	initial := p.initial()
	var out []choice
	for id, name := range p.channels {
		out = append(out, choice{Value: id, Text: "#" + name, Selected: slices.Contains(initial, id)})
	}
	return byText(out)
}

func byText(list []choice) []choice {
	slices.SortFunc(list, func(a, b choice) int { return strings.Compare(a.Text+a.Value, b.Text+b.Value) })
	return list
}

// Trigger is when a text input reports by itself: "enter", "char", "enter char", or "" for never.
func (p piece) Trigger() string {
	if p.Quiet {
		return ""
	}
	on := p.Sub("dispatch_action_config").Doc["trigger_actions_on"]
	list, _ := on.([]any)
	out := []string{}
	for _, it := range list {
		out = append(out, map[string]string{"on_enter_pressed": "enter", "on_character_entered": "char"}[asText(it)])
	}
	if len(out) == 0 {
		return "enter"
	}
	return strings.TrimSpace(strings.Join(out, " "))
}
