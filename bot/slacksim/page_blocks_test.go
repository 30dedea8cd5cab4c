package slacksim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// shown renders a JSON array of blocks for Ana.
func shown(t *testing.T, blocks string) string {
	t.Helper()
	list, ok := readBlocks(json.RawMessage(blocks))
	if !ok {
		t.Fatalf("not an array of blocks: %s", blocks)
	}
	return string(ana().pieces(list, "msg-1", false))
}

const pickOptions = `[{"text":{"type":"plain_text","text":"One"},"value":"v,1","description":{"type":"plain_text","text":"first"}},{"text":{"type":"plain_text","text":"Two"},"value":"v2"}]`

func TestEachBlockShowsWhatItHolds(t *testing.T) {
	tests := []struct {
		says, blocks string
		want         []string
	}{
		{"header", `[{"type":"header","text":{"type":"plain_text","text":"A &amp; B :tada:"}}]`, []string{`<h3 class="header">A &amp; B `, "🎉"}},
		{"plain text without emoji", `[{"type":"header","text":{"type":"plain_text","text":":tada:","emoji":false}}]`, []string{`<h3 class="header">:tada:</h3>`}},
		{"section with fields", `[{"type":"section","text":{"type":"mrkdwn","text":"*b*"},"fields":[{"type":"mrkdwn","text":"_f_"}]}]`,
			[]string{"<strong>b</strong>", `<div class="fields"><div class="words"><em>f</em>`}},
		{"section with a button", `[{"type":"section","block_id":"b","text":{"type":"plain_text","text":"t"},"accessory":{"type":"button","action_id":"a","value":"v","style":"danger","text":{"type":"plain_text","text":"Go"},"accessibility_label":"Go on"}}]`,
			[]string{`class="btn danger"`, `data-do="press"`, `data-value="v"`, `data-block="b"`, `data-act="a"`, `aria-label="Go on"`, ">Go</button>"}},
		{"a button with an address", `[{"type":"actions","elements":[{"type":"button","action_id":"a","url":"https://e.com","text":{"type":"plain_text","text":"Go"}}]}]`,
			[]string{`href="https://e.com" target="_blank"`, `data-do="press"`}},
		{"a confirmation", `[{"type":"actions","elements":[{"type":"button","action_id":"a","text":{"type":"plain_text","text":"Go"},"confirm":{"title":{"type":"plain_text","text":"Sure?"},"text":{"type":"mrkdwn","text":"*really*"},"confirm":{"type":"plain_text","text":"Do it"},"deny":{"type":"plain_text","text":"No"},"style":"danger"}}]}]`,
			[]string{`<template class="confirm"`, "<h2>Sure?</h2>", "<strong>really</strong>", `class="btn danger" value="yes">Do it`, `value="no">No`}},
		{"overflow", `[{"type":"actions","block_id":"b","elements":[{"type":"overflow","action_id":"o","options":` + pickOptions + `}]}]`,
			[]string{`aria-haspopup="menu"`, `role="menuitem" tabindex="-1" data-value="v,1">One<small>first</small>`, "popovertarget="}},
		{"static select", `[{"type":"actions","elements":[{"type":"static_select","action_id":"s","placeholder":{"type":"plain_text","text":"Pick"},"initial_option":{"text":{"type":"plain_text","text":"Two"},"value":"v2"},"options":` + pickOptions + `}]}]`,
			[]string{`<option value="">Pick</option>`, `<option value="v,1">One - first</option>`, `<option value="v2" selected>Two</option>`}},
		{"grouped select", `[{"type":"actions","elements":[{"type":"static_select","action_id":"s","option_groups":[{"label":{"type":"plain_text","text":"G"},"options":` + pickOptions + `}]}]}]`,
			[]string{`<optgroup label="G"><option value="v,1">`}},
		{"multi select", `[{"type":"actions","elements":[{"type":"multi_static_select","action_id":"s","max_selected_items":1,"initial_options":[{"text":{"type":"plain_text","text":"Two"},"value":"v2"}],"options":` + pickOptions + `}]}]`,
			[]string{`data-do="several"`, `data-max="1"`, `<input type="checkbox" value="v2" checked>`}},
		{"people", `[{"type":"actions","elements":[{"type":"users_select","action_id":"s","initial_user":"` + Bo + `"}]}]`,
			[]string{`<option value="` + Ana + `">Ana (@ana)</option>`, `<option value="` + Bo + `" selected>Bo &#34;&lt;b&gt;&#34; (@bo)</option>`}},
		{"places", `[{"type":"actions","elements":[{"type":"multi_conversations_select","action_id":"s"},{"type":"channels_select","action_id":"c"}]}]`,
			[]string{`<input type="checkbox" value="C0GENERAL1"> <span>#general</span>`, `<option value="C0GENERAL1">#general</option>`}},
		{"dates and times", `[{"type":"actions","elements":[{"type":"datepicker","action_id":"d","initial_date":"2026-11-24"},{"type":"timepicker","action_id":"t","initial_time":"02:00"},{"type":"datetimepicker","action_id":"x","initial_date_time":1795449648}]}]`,
			[]string{`<input type="date"`, `value="2026-11-24"`, `<input type="time"`, `value="02:00"`, `<input type="datetime-local"`, `data-unix="1795449648"`}},
		{"boxes", `[{"type":"actions","elements":[{"type":"checkboxes","action_id":"c","options":` + pickOptions + `},{"type":"radio_buttons","action_id":"r","initial_option":{"text":{"type":"plain_text","text":"Two"},"value":"v2"},"options":` + pickOptions + `}]}]`,
			[]string{`<input type="checkbox"`, `role="radiogroup"`, `value="v2" checked`, "<small>first</small>"}},
		{"an input", `[{"type":"input","block_id":"b","label":{"type":"plain_text","text":"Name"},"optional":true,"hint":{"type":"plain_text","text":"yours"},"element":{"type":"plain_text_input","action_id":"n","initial_value":"<x>","max_length":9}}]`,
			[]string{`data-field="b"`, "Name <span class=\"quiet\">(optional)", `value="&lt;x&gt;"`, `maxlength="9"`, "data-quiet", `<div class="hint">yours</div>`, `class="field-error"`}},
		{"an input that reports", `[{"type":"input","label":{"type":"plain_text","text":"N"},"dispatch_action":true,"element":{"type":"plain_text_input","action_id":"n","multiline":true,"dispatch_action_config":{"trigger_actions_on":["on_character_entered"]}}}]`,
			[]string{`<textarea rows="3"`, `data-trigger="char"`}},
		{"typed inputs", `[{"type":"input","label":{"type":"plain_text","text":"N"},"element":{"type":"number_input","action_id":"n","is_decimal_allowed":false,"min_value":"1"}},{"type":"input","label":{"type":"plain_text","text":"E"},"element":{"type":"email_text_input","action_id":"e"}},{"type":"input","label":{"type":"plain_text","text":"U"},"element":{"type":"url_text_input","action_id":"u"}}]`,
			[]string{`type="number" step="1" min="1"`, `type="email"`, `type="url"`}},
		{"an image from elsewhere is named, not loaded", `[{"type":"image","alt_text":"A chart","image_url":"https://e.com/x.png"}]`, []string{"A chart", `<a href="https://e.com/x.png"`}},
		{"rich text", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a<","style":{"bold":true,"italic":true}},{"type":"user","user_id":"` + Ana + `"},{"type":"emoji","name":"x_y","unicode":"1f44d"},{"type":"date","timestamp":5,"format":"{time}","fallback":"f"}]},{"type":"rich_text_list","style":"ordered","offset":2,"indent":1,"elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"li"}]}]},{"type":"rich_text_preformatted","elements":[{"type":"text","text":"p\nq"}]},{"type":"rich_text_quote","elements":[{"type":"link","url":"https://e.com","text":"l"}]}]}]`,
			[]string{"<strong><em>a&lt;</em></strong>", `mention me">@ana`, "👍", `data-unix="5"`, `<ol start="3" class="indent1"><li>li</li></ol>`, "<pre>p\nq</pre>", `<blockquote><a href="https://e.com"`}},
		{"a table", `[{"type":"table","column_settings":[{"align":"right"}],"rows":[[{"type":"raw_text","text":"H"}],[{"type":"raw_text","text":"1<"}]]}]`,
			[]string{`<th class="right">H</th>`, `<td class="right">1&lt;</td>`}},
		{"an alert", `[{"type":"alert","level":"warning","text":{"type":"mrkdwn","text":"*w*"}}]`, []string{`class="alert warning"`, "<strong>w</strong>"}},
		{"a card with a button", `[{"type":"card","block_id":"b","title":{"type":"mrkdwn","text":"T"},"actions":[{"type":"button","action_id":"a","text":{"type":"plain_text","text":"Go"}}]}]`,
			[]string{"<strong>T</strong>", `data-block="b" data-act="a"`}},
		{"a plan", `[{"type":"plan","title":"P","tasks":[{"type":"task_card","task_id":"1","title":"Do","status":"in_progress"}]}]`, []string{"<strong>P</strong>", "in_progress", "Do"}},
		{"what nobody knows", `[{"type":"hologram"}]`, []string{"unsupported block: hologram"}},
		{"an element nobody knows", `[{"type":"actions","elements":[{"type":"knob","action_id":"k"}]}]`, []string{"unsupported element: knob"}},
	}
	for _, tt := range tests {
		got := shown(t, tt.blocks)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", tt.says, want, got)
			}
		}
		if err := wellFormed(got); err != nil {
			t.Errorf("%s: %v in\n%s", tt.says, err, got)
		}
	}
}

func TestEveryBlockAndElementOfTheValidatorIsShownOrSaidToBeUnsupported(t *testing.T) {
	unpublished := []string{"data_visualization", "layout"} // taken as they come: nobody knows what is inside
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		if known := templates().Lookup("block-"+name) != nil; known == slices.Contains(unpublished, name) {
			t.Errorf("block %s: shown = %v", name, known)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(elements)) {
		if templates().Lookup("element-"+name) == nil {
			t.Errorf("element %s is not shown", name)
		}
	}
}

// poison is a text that would run code, open a link or break out of an attribute if it were not escaped.
const poison = `"'><script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) </template></textarea>`

// poisoned returns a document of a type with poison in every property that any block or element has.
func poisoned(kind string, deep int) map[string]any {
	o := map[string]any{"type": kind}
	text := map[string]any{"type": "mrkdwn", "text": poison, "verbatim": false}
	for _, name := range strings.Fields("alt_text image_url video_url title_url external_id call_id url value action_id block_id caption status level style format fallback " +
		"user_id channel_id usergroup_id name unicode initial_value min_value max_value min_length max_length accessibility_label task_id color") {
		o[name] = poison
	}
	for _, name := range strings.Fields("text title subtitle body label hint placeholder description provider_name author_name confirm deny") {
		o[name] = text
	}
	option := map[string]any{"text": text, "value": poison, "url": poison, "description": text}
	o["options"], o["fields"], o["rows"] = []any{option}, []any{text}, []any{[]any{map[string]any{"type": "raw_text", "text": poison}}}
	o["confirm"] = map[string]any{"title": text, "text": text, "confirm": text, "deny": text, "style": poison}
	if deep > 0 {
		all := []any{}
		for _, name := range slices.Sorted(maps.Keys(elements)) {
			all = append(all, poisoned(name, 0))
		}
		for _, name := range []string{"text", "link", "user", "channel", "usergroup", "emoji", "date", "color", "broadcast"} {
			all = append(all, map[string]any{"type": "rich_text_section", "elements": []any{poisoned(name, 0)}})
		}
		o["elements"], o["actions"], o["accessory"], o["element"] = all, all, all[0], poisoned("plain_text_input", 0)
		o["tasks"], o["child_blocks"] = []any{poisoned("task_card", 0)}, []any{poisoned("section", 0)}
	}
	return o
}

func TestHostileTextStaysTextInEveryBlockAndElement(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		for _, doc := range []map[string]any{poisoned(name, 1), {"type": name, "elements": "x", "text": json.Number("1"), "rows": []any{"x"}, "options": map[string]any{}}} {
			got := string(ana().pieces([]map[string]any{doc}, "msg-1", false))
			if err := wellFormed(got); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(elements)) {
		p := piece{reader: ana(), Doc: poisoned("input", 0), Surface: "msg-1"}
		p.Doc["element"] = poisoned(name, 0)
		if err := wellFormed(string(p.Show("block-"))); err != nil {
			t.Errorf("input with %s: %v", name, err)
		}
	}
}

func TestHostileMessagesStayTextAroundTheirBlocks(t *testing.T) {
	s := New(Options{Users: []User{{ID: Ana, Name: "ana", RealName: poison}}, Channels: []Channel{{ID: Ops, Name: poison, Topic: poison, Members: []string{Ana, BotUser}}},
		AppName: poison, Team: Team{Name: poison}, Welcome: []string{poison}})
	defer s.Close()
	text, _ := json.Marshal(poison)
	m := &message{}
	m.User, m.Text, m.username = Ana, poison, poison
	m.attachments = json.RawMessage(`[{"color":` + string(text) + `,"pretext":` + string(text) + `,"title":` + string(text) + `,"title_link":` + string(text) + `,"text":` + string(text) +
		`,"footer":` + string(text) + `,"fields":[{"title":` + string(text) + `,"value":` + string(text) + `}]}]`)
	m.Reactions = []Reaction{{Name: poison, Users: []string{Ana}, Count: 1}}
	m.Files = []string{"F1"}
	s.mu.Lock()
	s.files["F1"] = &File{ID: "F1", Name: poison, Title: poison, Type: "text/html", Visible: true, AltText: poison}
	s.add(s.channels[0], m)
	s.mu.Unlock()
	sc := (&painter{sim: s, window: window{as: Ana, in: Ops, log: -1}}).scene()
	for _, it := range sc.Regions["messages"] {
		if err := wellFormed(string(it.HTML)); err != nil {
			t.Errorf("message: %v in\n%s", err, it.HTML)
		}
	}
	for name, part := range sc.Parts {
		if strings.Contains(string(part), "<script") || strings.Contains(string(part), "<img") {
			t.Errorf("%s holds foreign markup:\n%s", name, part)
		}
	}
}
