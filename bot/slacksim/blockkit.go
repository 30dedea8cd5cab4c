package slacksim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// This file is the engine of the Block Kit validator: rules, and how their violations are worded. Slack validates
// with slackhq/hack-json-schema, whose sentences these are. The rules themselves are in blockkit_rules.go.

// blockError is one violation, in the form blocks.validate returns it.
type blockError struct {
	Pointer    string `json:"pointer"`
	Code       string `json:"code"` // failed_constraint, invalid_type, missing_field
	Message    string `json:"message"`
	Constraint object `json:"constraint,omitempty"`
	Field      string `json:"field,omitempty"`
}

func (e blockError) String() string { return e.Message + " [json-pointer:" + e.Pointer + "]" }

// checker collects violations while it walks a document.
type checker struct {
	errs     []blockError
	view     bool                // the surface is a modal or Home tab, not a message
	fileSeen func(o object) bool // whether a slack_file object names an image that is visible
	blockIDs map[string]struct{} // block_ids met so far
	inputs   []string            // pointers of input blocks
	types    map[string]int      // how many blocks of each type
}

// rule checks one value at a JSON pointer.
type rule func(k *checker, at string, v any)

func (k *checker) broken(at, constraint string, expected, got any, format string, a ...any) {
	c := object{"type": constraint}
	if expected != nil {
		c["expected"] = expected
	}
	if got != nil {
		c["got"] = got
	}
	k.errs = append(k.errs, blockError{Pointer: at, Code: "failed_constraint", Message: fmt.Sprintf(format, a...), Constraint: c})
}

func (k *checker) wrong(at, message string) {
	k.errs = append(k.errs, blockError{Pointer: at, Code: "invalid_type", Message: message})
}

func (k *checker) missing(at, field string) {
	k.errs = append(k.errs, blockError{Pointer: at, Code: "missing_field", Message: "missing required field: " + field, Field: field})
}

// str is a string of min to max characters (code points); max 0 means any length.
func str(min, max int) rule {
	return func(k *checker, at string, v any) {
		s, ok := v.(string)
		if !ok {
			k.wrong(at, "must provide a string")
			return
		}
		n := utf8.RuneCountInString(s)
		if n < min {
			k.broken(at, "min_length", min, n, "must be more than %d characters", min-1)
		}
		if max > 0 && n > max {
			k.broken(at, "max_length", max, n, "must be less than %d characters", max+1)
		}
	}
}

func boolean(k *checker, at string, v any) {
	if _, ok := v.(bool); !ok {
		k.wrong(at, "must be a boolean")
	}
}

// integer is a whole number from min to max.
func integer(min, max int64) rule {
	return func(k *checker, at string, v any) {
		n, ok := v.(json.Number)
		i, err := n.Int64()
		switch {
		case !ok || err != nil:
			k.wrong(at, "must provide an integer")
		case i < min:
			k.broken(at, "minimum", min, i, "must be greater than %d", min)
		case i > max:
			k.broken(at, "maximum", max, i, "must be less than %d", max)
		}
	}
}

func anything(*checker, string, any) {}

func enum(values ...string) rule {
	return func(k *checker, at string, v any) {
		if s, ok := v.(string); !ok || !slices.Contains(values, s) {
			k.broken(at, "enum", values, v, "must be a valid enum value")
		}
	}
}

// list is an array of min to max items that all satisfy the rule.
func list(min, max int, item rule) rule {
	return func(k *checker, at string, v any) {
		items, ok := v.([]any)
		if !ok {
			k.wrong(at, "must provide an array")
			return
		}
		if len(items) < min {
			k.broken(at, "min_items", min, len(items), "must provide at least %d items", min)
		}
		if max > 0 && len(items) > max {
			k.broken(at, "max_items", max, len(items), "no more than %d items allowed", max)
			return
		}
		for i, it := range items {
			item(k, fmt.Sprintf("%s/%d", at, i), it)
		}
	}
}

// field is one property of an object.
type field struct {
	name     string
	required bool
	rule     rule
}

func req(name string, r rule) field { return field{name, true, r} }
func opt(name string, r rule) field { return field{name, false, r} }

// obj is an object with exactly these properties. A null value counts as absent.
func obj(fields ...field) rule {
	return func(k *checker, at string, v any) {
		o, ok := v.(map[string]any)
		if !ok {
			k.wrong(at, "must provide an object")
			return
		}
		for _, f := range fields {
			switch value := o[f.name]; {
			case value != nil:
				f.rule(k, at+"/"+f.name, value)
			case f.required:
				k.missing(at, f.name)
			}
		}
		k.additional(at, o, fields)
	}
}

func (k *checker) additional(at string, o map[string]any, fields []field) {
	var extra []string
	for name, value := range o {
		if value != nil && !slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			extra = append(extra, name)
		}
	}
	slices.Sort(extra)
	for _, name := range extra {
		k.broken(at, "additional_properties", nil, name, "invalid additional property: %s", name)
	}
}

// byType picks the rule by the object's type property.
func byType(rules map[string]rule) rule {
	return func(k *checker, at string, v any) {
		o, ok := v.(map[string]any)
		if !ok {
			k.wrong(at, "must provide an object")
			return
		}
		t, ok := o["type"].(string)
		if !ok {
			k.missing(at, "type")
			return
		}
		r, known := rules[t]
		if !known {
			k.broken(at+"/type", "enum", nil, t, "unsupported type: %s", t)
			return
		}
		r(k, at, v)
	}
}

// union marks the violations of a value that may have several forms, as Slack does: first that no form fits.
func union(r rule) rule {
	return func(k *checker, at string, v any) {
		before := len(k.errs)
		r(k, at, v)
		if len(k.errs) > before {
			first := blockError{Pointer: at, Code: "failed_constraint", Message: "failed to match all allowed schemas", Constraint: object{"type": "any_of"}}
			k.errs = slices.Insert(k.errs, before, first)
		}
	}
}

// also adds a check to a rule, run only when the value is an object.
func also(r rule, check func(k *checker, at string, o map[string]any)) rule {
	return func(k *checker, at string, v any) {
		r(k, at, v)
		if o, ok := v.(map[string]any); ok {
			check(k, at, o)
		}
	}
}

// either requires exactly one of two properties.
func either(a, b string) func(k *checker, at string, o map[string]any) {
	return func(k *checker, at string, o map[string]any) {
		if (o[a] == nil) == (o[b] == nil) {
			k.broken(at, "any_of", nil, nil, "must define either `%s` or `%s`", a, b)
		}
	}
}

// decode reads JSON keeping numbers as they are written.
func decode(raw json.RawMessage) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	return v, d.Decode(&v) == nil
}

// textLength counts the characters of every text in a document: what msg_blocks_too_long is about.
func textLength(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += textLength(item)
		}
	case map[string]any:
		for name, item := range v {
			if s, ok := item.(string); ok && name == "text" {
				n += utf8.RuneCountInString(s)
			}
			n += textLength(item)
		}
	}
	return n
}

// lines words violations as response_metadata.messages and errors do.
func lines(errs []blockError, prefix string) []string {
	out := make([]string, len(errs))
	for i, e := range errs {
		out[i] = prefix + e.String()
	}
	return out
}

func invalidBlocks(errs []blockError) object {
	return object{"ok": false, "error": "invalid_blocks", "errors": lines(errs, ""),
		"response_metadata": object{"messages": lines(errs, "[ERROR] ")}}
}

func invalidArguments(errs []blockError) object {
	return object{"ok": false, "error": "invalid_arguments", "response_metadata": object{"messages": lines(errs, "[ERROR] ")}}
}
