package slacksim

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// uniqueActions requires different action_ids among the elements of one block.
func uniqueActions(r rule) rule {
	return func(k *checker, at string, v any) {
		r(k, at, v)
		seen := map[string]bool{}
		items, _ := v.([]any)
		for i, it := range items {
			o, _ := it.(map[string]any)
			id, _ := o["action_id"].(string)
			if id != "" && seen[id] {
				k.broken(fmt.Sprintf("%s/%d/action_id", at, i), "unique", nil, id, "`action_id` %q already exists", id)
			}
			seen[id] = true
		}
	}
}

// block checks one layout block, its block_id's uniqueness and whether its surface takes it.
func (k *checker) block(at string, v any) {
	byType(blocks)(k, at, v)
	o, _ := v.(map[string]any)
	t, _ := o["type"].(string)
	k.types[t]++
	if k.view && blocks[t] != nil && !slices.Contains(viewBlocks, t) {
		k.broken(at+"/type", "enum", nil, t, "unsupported type: %s", t)
	}
	if t == "input" {
		k.inputs = append(k.inputs, at+"/input")
	}
	id, _ := o["block_id"].(string)
	if _, dup := k.blockIDs[id]; dup && id != "" {
		k.broken(at+"/block_id", "unique", nil, id, "`block_id` %q already exists", id)
	}
	k.blockIDs[id] = struct{}{}
}

func (s *Sim) newChecker(view bool) *checker {
	return &checker{view: view, fileSeen: s.fileSeen, blockIDs: map[string]struct{}{}, types: map[string]int{}}
}

// blocks checks an array of layout blocks.
func (k *checker) blocks(at string, v any) {
	limit := maxMessageBlocks
	if k.view {
		limit = maxViewBlocks
	}
	list(0, limit, (*checker).block)(k, at, v)
}

// messageBlocks validates and completes the blocks of a message; bad is an error answer or nil.
func (s *Sim) messageBlocks(raw json.RawMessage) (json.RawMessage, object) {
	if len(raw) == 0 {
		return nil, nil
	}
	doc, ok := decode(raw)
	items, isList := doc.([]any)
	if !ok || !isList {
		return nil, fail("invalid_blocks_format")
	}
	k := s.newChecker(false)
	k.blocks("/blocks", doc)
	switch {
	case len(k.errs) > 0:
		return nil, invalidBlocks(k.errs)
	case k.types["table"]+k.types["data_table"] > 1:
		return nil, object{"ok": false, "error": "invalid_attachments", "response_metadata": object{"messages": []string{"[ERROR] only_one_table_allowed"}}}
	case textLength(doc) > maxBlockText || markdownLength(items) > maxMarkdown:
		return nil, fail("msg_blocks_too_long")
	case len(items) == 0:
		return nil, nil
	}
	return s.fillIDs(raw), nil
}

func markdownLength(items []any) int {
	n := 0
	for _, it := range items {
		if o, _ := it.(map[string]any); o["type"] == "markdown" {
			t, _ := o["text"].(string)
			n += utf8.RuneCountInString(t)
		}
	}
	return n
}

// attachmentBlocks validates and completes the blocks inside attachments.
func (s *Sim) attachmentBlocks(raw json.RawMessage) (json.RawMessage, object) {
	var list []map[string]json.RawMessage
	switch {
	case len(raw) == 0:
		return nil, nil
	case json.Unmarshal(raw, &list) != nil:
		return nil, fail("invalid_attachments")
	case len(list) > 100:
		return nil, fail("too_many_attachments")
	}
	k, changed := s.newChecker(false), false
	for i, a := range list {
		if a["blocks"] == nil {
			continue
		}
		doc, _ := decode(a["blocks"])
		k.blocks(fmt.Sprintf("/attachments/%d/blocks", i), doc)
		if len(k.errs) == 0 {
			a["blocks"], changed = s.fillIDs(a["blocks"]), true
		}
	}
	switch {
	case len(k.errs) > 0:
		return nil, invalidBlocks(k.errs)
	case changed:
		return encode(list), nil
	}
	return raw, nil
}

// viewRule is the outer shape of a view.
func viewRule(k *checker, at string, o map[string]any) {
	common := []field{req("type", enum("modal", "home", "workflow_step")), req("blocks", (*checker).blocks), opt("private_metadata", str(0, 3000)),
		opt("callback_id", str(0, 255)), opt("external_id", str(0, 255))}
	if o["type"] != "home" {
		common = append(common, req("title", plain(24)), opt("submit", plain(24)), opt("close", plain(24)), opt("clear_on_close", boolean),
			opt("notify_on_close", boolean), opt("submit_disabled", boolean))
	} else {
		common = append(common, opt("title", plain(24)), opt("submit", plain(24)), opt("close", plain(24)))
	}
	obj(common...)(k, at, o)
	if o["type"] == "modal" && o["submit"] == nil {
		for _, at := range k.inputs {
			k.broken(at, "required", nil, nil, "must define `submit` to use an `input` block in modals")
		}
	}
}

func (s *Sim) checkView(raw json.RawMessage) []blockError {
	k := s.newChecker(true)
	doc, _ := decode(raw)
	o, ok := doc.(map[string]any)
	if !ok {
		k.wrong("/view", "must provide an object")
		return k.errs
	}
	viewRule(k, "/view", o)
	return k.errs
}

// blocksValidate answers blocks.validate: exactly one of blocks, message and view.
func (c call) blocksValidate() object {
	given := 0
	k := c.newChecker(false)
	for _, name := range []string{"blocks", "message", "view"} {
		raw, okJSON := c.raw(name)
		if raw == nil && okJSON {
			continue
		}
		given++
		doc, okDoc := decode(raw)
		if !okJSON || !okDoc {
			k.wrong("/"+name, "must provide valid JSON")
			continue
		}
		switch name {
		case "blocks":
			k.blocks("/blocks", doc)
		case "message":
			obj(opt("blocks", func(k *checker, _ string, v any) { k.blocks("/message/blocks", v) }), opt("attachments", anything))(k, "/message", doc)
		case "view":
			k.errs = append(k.errs, c.checkView(raw)...)
		}
	}
	if given != 1 {
		return invalidArguments([]blockError{{Pointer: "/", Code: "failed_constraint", Message: "must define exactly one of `blocks`, `message` or `view`"}})
	}
	if len(k.errs) > 0 {
		return object{"ok": false, "error": "invalid_blocks", "errors": k.errs, "response_metadata": object{"messages": lines(k.errs, "[ERROR] ")}}
	}
	return ok(object{})
}

// fillIDs gives every block without block_id, and every interactive element without action_id, a generated one, as
// Slack does. A block that has all its ids stays as it was sent, byte for byte.
func (s *Sim) fillIDs(raw json.RawMessage) json.RawMessage {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return raw
	}
	changed := false
	for i, item := range items {
		doc, _ := decode(item)
		o, ok := doc.(map[string]any)
		if ok && s.fillBlock(o) {
			items[i], changed = encode(o), true
		}
	}
	if !changed {
		return raw
	}
	return encode(items)
}

func (s *Sim) fillBlock(o map[string]any) bool {
	changed := false
	if id, _ := o["block_id"].(string); id == "" {
		o["block_id"], changed = s.ids.block(), true
	}
	for _, e := range interactive(o) {
		if id, _ := e["action_id"].(string); id == "" {
			e["action_id"], changed = s.ids.block(), true
		}
	}
	return changed
}

// interactive returns the elements of a block that a person can use, those of nested blocks included.
func interactive(block map[string]any) []map[string]any {
	var out []map[string]any
	take := func(v any) {
		if e, ok := v.(map[string]any); ok && elements[fmt.Sprint(e["type"])] != nil && e["type"] != "image" {
			out = append(out, e)
		}
	}
	take(block["accessory"])
	take(block["element"])
	for _, name := range []string{"elements", "actions", "child_blocks"} {
		items, _ := block[name].([]any)
		for _, it := range items {
			take(it)
			if nested, ok := it.(map[string]any); ok && nested["type"] != nil && blocks[fmt.Sprint(nested["type"])] != nil {
				out = append(out, interactive(nested)...)
			}
		}
	}
	return out
}
