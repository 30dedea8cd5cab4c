package slacksim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

func plainText(n int) doc { return doc{"type": "plain_text", "text": strings.Repeat("é", n)} }
func mrkdwn(n int) doc    { return doc{"type": "mrkdwn", "text": strings.Repeat("é", n)} }
func chars(n int) string  { return strings.Repeat("x", n) }

func times(n int, item func(i int) any) []any {
	list := []any{}
	for i := range n {
		list = append(list, item(i))
	}
	return list
}

func choice(i int) any {
	return doc{"text": doc{"type": "plain_text", "text": fmt.Sprint(i)}, "value": fmt.Sprint(i)}
}

func with(o doc, kv ...any) doc {
	out := doc{}
	for k, v := range o {
		out[k] = v
	}
	for i := 0; i < len(kv); i += 2 {
		out[kv[i].(string)] = kv[i+1]
	}
	return out
}

// limitRow says: size n is fine, size n+1 is refused with this message at this pointer.
type limitRow struct {
	name    string
	n       int
	message string // of the refusal
	pointer string
	make    func(n int) any // the block
}

var limitRows = []limitRow{
	{"section text", 3000, "must be less than 3001 characters", "/text/text", func(n int) any { return doc{"type": "section", "text": mrkdwn(n)} }},
	{"section fields", 10, "no more than 10 items allowed", "/fields", func(n int) any {
		return doc{"type": "section", "fields": times(n, func(int) any { return mrkdwn(1) })}
	}},
	{"section field text", 2000, "must be less than 2001 characters", "/fields/0/text", func(n int) any { return doc{"type": "section", "fields": []any{mrkdwn(n)}} }},
	{"header text", 150, "must be less than 151 characters", "/text/text", func(n int) any { return doc{"type": "header", "text": plainText(n)} }},
	{"context elements", 10, "no more than 10 items allowed", "/elements", func(n int) any {
		return doc{"type": "context", "elements": times(n, func(int) any { return mrkdwn(1) })}
	}},
	{"actions elements", 25, "no more than 25 items allowed", "/elements", func(n int) any {
		return doc{"type": "actions", "elements": times(n, func(i int) any { return button(fmt.Sprint(i), "x", "v") })}
	}},
	{"block_id", 255, "must be less than 256 characters", "/block_id", func(n int) any { return doc{"type": "divider", "block_id": chars(n)} }},
	{"markdown text", 12000, "must be less than 12001 characters", "/text", func(n int) any { return doc{"type": "markdown", "text": chars(n)} }},
	{"image alt_text", 2000, "must be less than 2001 characters", "/alt_text", func(n int) any {
		return doc{"type": "image", "image_url": "https://x.example/y.png", "alt_text": chars(n)}
	}},
	{"image_url", 3000, "must be less than 3001 characters", "/image_url", func(n int) any { return doc{"type": "image", "image_url": chars(n), "alt_text": "x"} }},
	{"table rows", 100, "no more than 100 items allowed", "/rows", func(n int) any {
		return doc{"type": "table", "rows": times(n, func(int) any { return []any{doc{"type": "raw_text", "text": "x"}} })}
	}},
	{"table columns", 20, "no more than 20 items allowed", "/rows/0", func(n int) any {
		return doc{"type": "table", "rows": []any{times(n, func(int) any { return doc{"type": "raw_text", "text": "x"} })}}
	}},
	{"table cell", 2000, "must be less than 2001 characters", "/rows/0/0/text", func(n int) any {
		return doc{"type": "table", "rows": []any{[]any{doc{"type": "raw_text", "text": chars(n)}}}}
	}},
	{"data_table rows", 101, "no more than 101 items allowed", "/rows", func(n int) any {
		return doc{"type": "data_table", "caption": "x", "rows": times(n, func(int) any { return []any{doc{"type": "raw_text", "text": "x"}} })}
	}},
	{"alert text", 200, "must be less than 201 characters", "/text/text", func(n int) any { return doc{"type": "alert", "text": mrkdwn(n)} }},
	{"card title", 150, "must be less than 151 characters", "/title/text", func(n int) any { return doc{"type": "card", "title": mrkdwn(n)} }},
	{"card body", 200, "must be less than 201 characters", "/body/text", func(n int) any { return doc{"type": "card", "body": mrkdwn(n)} }},
	{"carousel cards", 10, "no more than 10 items allowed", "/elements", func(n int) any {
		return doc{"type": "carousel", "elements": times(n, func(int) any { return doc{"type": "card", "title": mrkdwn(1)} })}
	}},
	{"container children", 10, "no more than 10 items allowed", "/child_blocks", func(n int) any {
		return doc{"type": "container", "title": plainText(1), "child_blocks": times(n, func(int) any { return doc{"type": "divider"} })}
	}},
	{"button text", 75, "must be less than 76 characters", "/elements/0/text/text", func(n int) any { return actions(button("a", chars(n), "v")) }},
	{"button value", 2000, "must be less than 2001 characters", "/elements/0/value", func(n int) any { return actions(button("a", "x", chars(n))) }},
	{"button url", 3000, "must be less than 3001 characters", "/elements/0/url", func(n int) any { return actions(with(button("a", "x", "v"), "url", chars(n))) }},
	{"button accessibility_label", 75, "must be less than 76 characters", "/elements/0/accessibility_label", func(n int) any {
		return actions(with(button("a", "x", "v"), "accessibility_label", chars(n)))
	}},
	{"action_id", 255, "must be less than 256 characters", "/elements/0/action_id", func(n int) any { return actions(button(chars(n), "x", "v")) }},
	{"confirm title", 100, "must be less than 101 characters", "/elements/0/confirm/title/text", func(n int) any { return confirm("title", plainText(n)) }},
	{"confirm text", 300, "must be less than 301 characters", "/elements/0/confirm/text/text", func(n int) any { return confirm("text", mrkdwn(n)) }},
	{"confirm button", 30, "must be less than 31 characters", "/elements/0/confirm/confirm/text", func(n int) any { return confirm("confirm", plainText(n)) }},
	{"deny button", 30, "must be less than 31 characters", "/elements/0/confirm/deny/text", func(n int) any { return confirm("deny", plainText(n)) }},
	{"overflow options", 5, "no more than 5 items allowed", "/elements/0/options", func(n int) any { return menuOf("overflow", "options", times(n, choice)) }},
	{"option text", 75, "must be less than 76 characters", "/elements/0/options/0/text/text", func(n int) any {
		return menuOf("overflow", "options", []any{doc{"text": plainText(n), "value": "v"}})
	}},
	{"option description", 75, "must be less than 76 characters", "/elements/0/options/0/description/text", func(n int) any {
		return menuOf("overflow", "options", []any{with(choice(1).(doc), "description", plainText(n))})
	}},
	{"option value", 150, "must be less than 151 characters", "/elements/0/options/0/value", func(n int) any {
		return menuOf("overflow", "options", []any{doc{"text": plainText(1), "value": chars(n)}})
	}},
	{"select options", 100, "no more than 100 items allowed", "/elements/0/options", func(n int) any { return menuOf("static_select", "options", times(n, choice)) }},
	{"select placeholder", 150, "must be less than 151 characters", "/elements/0/placeholder/text", func(n int) any {
		return menuOf("users_select", "placeholder", plainText(n))
	}},
	{"option group label", 75, "must be less than 76 characters", "/elements/0/option_groups/0/label/text", func(n int) any {
		return menuOf("static_select", "option_groups", []any{doc{"label": plainText(n), "options": []any{choice(1)}}})
	}},
	{"checkboxes options", 10, "no more than 10 items allowed", "/elements/0/options", func(n int) any { return menuOf("checkboxes", "options", times(n, choice)) }},
	{"radio options", 10, "no more than 10 items allowed", "/elements/0/options", func(n int) any { return menuOf("radio_buttons", "options", times(n, choice)) }},
	{"input label", 2000, "must be less than 2001 characters", "/label/text", func(n int) any {
		return doc{"type": "input", "label": plainText(n), "element": doc{"type": "plain_text_input"}}
	}},
	{"input initial value", 3000, "must be less than 3001 characters", "/element/initial_value", func(n int) any {
		return doc{"type": "input", "label": plainText(1), "element": doc{"type": "plain_text_input", "initial_value": chars(n)}}
	}},
	{"input max_length", 3000, "must be less than 3000", "/element/max_length", func(n int) any {
		return doc{"type": "input", "label": plainText(1), "element": doc{"type": "plain_text_input", "max_length": n}}
	}},
	{"context actions", 5, "no more than 5 items allowed", "/elements", func(n int) any {
		return doc{"type": "context_actions", "elements": times(n, func(i int) any {
			return doc{"type": "icon_button", "action_id": fmt.Sprint(i), "icon": "trash", "text": plainText(1)}
		})}
	}},
}

func confirm(field string, value doc) doc {
	full := doc{"title": plainText(1), "text": mrkdwn(1), "confirm": plainText(1), "deny": plainText(1)}
	return actions(with(button("a", "x", "v"), "confirm", with(full, field, value)))
}

func menuOf(kind, field string, value any) doc {
	return actions(doc{"type": kind, "action_id": "a", field: value})
}

func TestEveryLimitHoldsAtItsEdge(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1})
	for _, row := range limitRows {
		for _, n := range []int{row.n, row.n + 1} {
			answer := w.call("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x", "blocks": []any{row.make(n)}})
			if n == row.n {
				if answer["ok"] != true {
					t.Errorf("%s at %d: %v", row.name, n, answer)
				}
				continue
			}
			want := row.message + " [json-pointer:/blocks/0" + row.pointer + "]"
			if answer["error"] != "invalid_blocks" || !slices.Contains(messagesOf(answer), "[ERROR] "+want) || !slices.Contains(answer["errors"].([]any), any(want)) {
				t.Errorf("%s at %d: %v, want %q", row.name, n, answer, want)
			}
		}
	}
}

func TestBlockRulesAreWordedAsSlackWordsThem(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1})
	for _, row := range []struct {
		name   string
		blocks []any
		want   []string
	}{
		{"unknown block", []any{doc{"type": "sections"}}, []string{"unsupported type: sections [json-pointer:/blocks/0/type]"}},
		{"no type", []any{doc{"text": "x"}}, []string{"missing required field: type [json-pointer:/blocks/0]"}},
		{"a block that is text", []any{"x"}, []string{"must provide an object [json-pointer:/blocks/0]"}},
		{"empty section", []any{doc{"type": "section"}}, []string{"must define either `text` or `fields` [json-pointer:/blocks/0/type]"}},
		{"unknown property", []any{doc{"type": "divider", "text": "x"}}, []string{"invalid additional property: text [json-pointer:/blocks/0]"}},
		{"emoji in mrkdwn", []any{doc{"type": "section", "text": doc{"type": "mrkdwn", "text": "x", "emoji": true}}}, []string{
			"failed to match all allowed schemas [json-pointer:/blocks/0/text]", "invalid additional property: emoji [json-pointer:/blocks/0/text]"}},
		{"text as a string", []any{doc{"type": "header", "text": "x"}}, []string{"must provide an object [json-pointer:/blocks/0/text]"}},
		{"empty text", []any{doc{"type": "header", "text": doc{"type": "plain_text", "text": ""}}}, []string{"must be more than 0 characters [json-pointer:/blocks/0/text/text]"}},
		{"mrkdwn in a header", []any{doc{"type": "header", "text": doc{"type": "mrkdwn", "text": "x"}}}, []string{"must be a valid enum value [json-pointer:/blocks/0/text/type]"}},
		{"no elements", []any{doc{"type": "actions"}}, []string{"missing required field: elements [json-pointer:/blocks/0]"}},
		{"empty elements", []any{doc{"type": "actions", "elements": []any{}}}, []string{"must provide at least 1 items [json-pointer:/blocks/0/elements]"}},
		{"button without text", []any{actions(doc{"type": "button"})}, []string{"missing required field: text [json-pointer:/blocks/0/elements/0]"}},
		{"wrong style", []any{actions(with(button("a", "x", "v"), "style", "warning"))}, []string{"must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"}},
		{"block_id on an element", []any{actions(with(button("a", "x", "v"), "block_id", "b"))}, []string{"invalid additional property: block_id [json-pointer:/blocks/0/elements/0]"}},
		{"an input element among actions", []any{actions(doc{"type": "plain_text_input"})}, []string{"unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]"}},
		{"same action_id twice in a block", []any{actions(button("a", "x", "1"), button("a", "y", "2"))}, []string{"`action_id` \"a\" already exists [json-pointer:/blocks/0/elements/1/action_id]"}},
		{"same block_id twice", []any{doc{"type": "divider", "block_id": "b"}, doc{"type": "divider", "block_id": "b"}}, []string{"`block_id` \"b\" already exists [json-pointer:/blocks/1/block_id]"}},
		{"url in a select option", []any{menuOf("static_select", "options", []any{with(choice(1).(doc), "url", "")})}, []string{"invalid additional property: url [json-pointer:/blocks/0/elements/0/options/0]"}},
		{"menu without options", []any{menuOf("static_select", "placeholder", plainText(1))}, []string{"must define either `options` or `option_groups` [json-pointer:/blocks/0/elements/0]"}},
		{"image from nowhere", []any{doc{"type": "image", "alt_text": "x"}}, []string{"must define either `image_url` or `slack_file` [json-pointer:/blocks/0]"}},
		{"image without alt_text", []any{doc{"type": "image", "image_url": "https://x.example/y.png"}}, []string{"missing required field: alt_text [json-pointer:/blocks/0]"}},
		{"a file that is not there", []any{doc{"type": "image", "alt_text": "x", "slack_file": doc{"id": "F0NOTHING1"}}}, []string{"invalid slack file [json-pointer:/blocks/0/slack_file]"}},
		{"rich text leaf", []any{doc{"type": "rich_text", "elements": []any{doc{"type": "rich_text_section", "elements": []any{doc{"type": "texte"}}}}}},
			[]string{"unsupported type: texte [json-pointer:/blocks/0/elements/0/elements/0/type]"}},
		{"51 blocks", times(51, func(int) any { return doc{"type": "divider"} }), []string{"no more than 50 items allowed [json-pointer:/blocks]"}},
		{"several at once", []any{doc{"type": "divider", "x": 1}, doc{"type": "nothing"}}, []string{
			"invalid additional property: x [json-pointer:/blocks/0]", "unsupported type: nothing [json-pointer:/blocks/1/type]"}},
	} {
		answer := w.call("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x", "blocks": row.blocks})
		var got []string
		list, _ := answer["errors"].([]any)
		for _, e := range list {
			got = append(got, e.(string))
		}
		if answer["error"] != "invalid_blocks" || !slices.Equal(got, row.want) {
			t.Errorf("%s: %v %q, want %q", row.name, answer["error"], got, row.want)
		}
	}
}

func TestWholeMessageLimits(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1})
	texts := func(n int) []any { // n characters in sections of at most 1,000
		return times((n+999)/1000, func(i int) any { return section(chars(min(1000, n-1000*i))) })
	}
	table := doc{"type": "table", "rows": []any{[]any{doc{"type": "raw_text", "text": "x"}}}}
	for _, row := range []struct {
		name   string
		blocks []any
		err    any
	}{
		{"13,200 characters", texts(13_200), nil},
		{"13,201 characters", texts(13_201), "msg_blocks_too_long"},
		{"two markdown blocks over 12,000", []any{doc{"type": "markdown", "text": chars(6001)}, doc{"type": "markdown", "text": chars(6000)}}, "msg_blocks_too_long"},
		{"fifty blocks", times(50, func(int) any { return doc{"type": "divider"} }), nil},
		{"two tables", []any{table, table}, "invalid_attachments"},
		{"the same action_id in two blocks", []any{actions(button("a", "x", "1")), actions(button("a", "x", "2"))}, nil},
	} {
		if got := w.call("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x", "blocks": row.blocks})["error"]; got != row.err {
			t.Errorf("%s: %v, want %v", row.name, got, row.err)
		}
	}
}

func TestViewRulesAreEnforced(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1})
	a := w.connect()
	defer a.close()
	a.answering(nil)
	input := doc{"type": "input", "block_id": "b", "label": plainText(1), "element": doc{"type": "plain_text_input"}}
	for _, row := range []struct {
		name string
		view doc
		want string
	}{
		{"title", with(modal(), "title", plainText(25)), "must be less than 25 characters [json-pointer:/view/title/text]"},
		{"submit", with(modal(), "submit", plainText(25)), "must be less than 25 characters [json-pointer:/view/submit/text]"},
		{"close", with(modal(), "close", plainText(25)), "must be less than 25 characters [json-pointer:/view/close/text]"},
		{"no title", with(modal(), "title", nil), "missing required field: title [json-pointer:/view]"},
		{"private_metadata", with(modal(), "private_metadata", chars(3001)), "must be less than 3001 characters [json-pointer:/view/private_metadata]"},
		{"callback_id", with(modal(), "callback_id", chars(256)), "must be less than 256 characters [json-pointer:/view/callback_id]"},
		{"external_id", with(modal(), "external_id", chars(256)), "must be less than 256 characters [json-pointer:/view/external_id]"},
		{"101 blocks", modal(times(101, func(int) any { return doc{"type": "divider"} })...), "no more than 100 items allowed [json-pointer:/view/blocks]"},
		{"input without submit", with(modal(input), "submit", nil), "must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]"},
		{"a table in a form", modal(doc{"type": "table", "rows": []any{[]any{doc{"type": "raw_text", "text": "x"}}}}), "unsupported type: table [json-pointer:/view/blocks/0/type]"},
		{"unknown property", with(modal(), "colour", "red"), "invalid additional property: colour [json-pointer:/view]"},
		{"another type", with(modal(), "type", "popup"), "must be a valid enum value [json-pointer:/view/type]"},
	} {
		answer := w.call("views.open", doc{"trigger_id": w.trigger("ana"), "view": row.view})
		if answer["error"] != "invalid_arguments" || !slices.Contains(messagesOf(answer), "[ERROR] "+row.want) {
			t.Errorf("%s: %v, want %q", row.name, answer, row.want)
		}
	}
	w.must("views.open", doc{"trigger_id": w.trigger("ana"), "view": modal(times(100, func(int) any { return doc{"type": "divider"} })...)})
}

// trigger types a command and returns its trigger_id.
func (w *world) trigger(user string) string {
	w.t.Helper()
	out, err := w.Command(user, "ops", "/vmss", "x")
	if err != nil || !out.Acked {
		w.t.Fatalf("command: %+v, %v", out, err)
	}
	return out.TriggerID
}

func TestBlocksValidateNamesPointerCodeAndConstraint(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	answer := w.form("blocks.validate", map[string][]string{"blocks": {`[{"type":"header","text":{"type":"plain_text","text":"` + chars(151) + `"}}]`}})
	errs, _ := answer["errors"].([]any)
	if answer["ok"] != false || len(errs) != 1 {
		t.Fatalf("answer = %v", answer)
	}
	e := errs[0].(doc)
	c, _ := e["constraint"].(doc)
	if e["pointer"] != "/blocks/0/text/text" || e["code"] != "failed_constraint" || c["type"] != "max_length" || c["expected"] != 150.0 || c["got"] != 151.0 {
		t.Errorf("error = %v", e)
	}
	if got := w.form("blocks.validate", map[string][]string{"blocks": {`[{"type":"divider"}]`}}); got["ok"] != true {
		t.Errorf("a divider: %v", got)
	}
	if got := w.form("blocks.validate", nil); got["error"] != "invalid_arguments" {
		t.Errorf("nothing to validate: %v", got)
	}
	if got := w.form("blocks.validate", map[string][]string{"message": {`{"text":"x"}`}}); got["ok"] != false {
		t.Errorf("text in a message is an additional property: %v", got)
	}
}

func TestBlocksInAttachmentsAreValidatedAndClickable(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1})
	bad := w.call("chat.postMessage", doc{"channel": slacksim.Ops, "attachments": []any{doc{"blocks": []any{doc{"type": "x"}}}}})
	if got := messagesOf(bad); len(got) != 1 || got[0] != "[ERROR] unsupported type: x [json-pointer:/attachments/0/blocks/0/type]" {
		t.Errorf("answer = %v", bad)
	}
	a := w.connect()
	defer a.close()
	got := a.answering(nil)
	ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "attachments": []any{doc{"color": "#f00", "blocks": []any{actions(button("go", "Go", "1"))}}}})["ts"].(string)
	<-got // the message event
	if out, err := w.Interact(slacksim.Interaction{User: "bo", Channel: "ops", TS: ts, ActionID: "go"}); err != nil || !out.Acked {
		t.Errorf("click: %+v, %v", out, err)
	}
}
