package slacksim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

func parse(t *testing.T, raw []byte) doc {
	t.Helper()
	var d doc
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// card posts a message with blocks and returns its ts.
func (w *world) card(blocks ...any) string {
	w.t.Helper()
	return w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "card", "blocks": blocks})["ts"].(string)
}

// quiet is a workspace whose app hears of commands and clicks only.
var quiet = slacksim.Options{RateScale: -1, Events: []string{}}

func TestClicksAreRefusedWhereNobodyCouldClick(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1})
	ts := w.card(actions(button("go", "Go", "1"), doc{"type": "overflow", "action_id": "more", "options": []any{choice(1)}}))
	twice := w.card(doc{"type": "actions", "block_id": "one", "elements": []any{button("go", "Go", "1")}}, doc{"type": "actions", "block_id": "two", "elements": []any{button("go", "Go", "2")}})
	gone := w.card(actions(button("go", "Go", "1")))
	w.must("chat.delete", doc{"channel": slacksim.Ops, "ts": gone})
	private := w.must("chat.postEphemeral", doc{"channel": slacksim.Ops, "user": slacksim.Ana, "text": "x", "blocks": []any{actions(button("go", "Go", "1"))}})["message_ts"].(string)
	general := w.must("chat.postMessage", doc{"channel": slacksim.General, "blocks": []any{actions(button("go", "Go", "1"))}})["ts"].(string)
	for _, row := range []struct {
		name string
		in   slacksim.Interaction
		want string
	}{
		{"no such person", slacksim.Interaction{User: "zoe", Channel: "ops", TS: ts, ActionID: "go"}, `user "zoe" does not exist`},
		{"a deactivated person", slacksim.Interaction{User: "dora", Channel: "ops", TS: ts, ActionID: "go"}, "user dora is deactivated"},
		{"a bot", slacksim.Interaction{User: "hal", Channel: "ops", TS: ts, ActionID: "go"}, "user hal is a bot"},
		{"a stranger outside the shared channel", slacksim.Interaction{User: "sam", Channel: "ops", TS: ts, ActionID: "go"}, "channel ops is not visible to sam"},
		{"a guest outside his channel", slacksim.Interaction{User: "gus", Channel: "general", TS: general, ActionID: "go"}, "channel general is not visible to gus"},
		{"no such channel", slacksim.Interaction{User: "bo", Channel: "nowhere", TS: ts, ActionID: "go"}, `channel "nowhere" does not exist`},
		{"no such message", slacksim.Interaction{User: "bo", Channel: "ops", TS: "1.000001", ActionID: "go"}, "channel ops has no message 1.000001"},
		{"a deleted message", slacksim.Interaction{User: "bo", Channel: "ops", TS: gone, ActionID: "go"}, "message " + gone + " is deleted"},
		{"somebody else's ephemeral", slacksim.Interaction{User: "bo", Channel: "ops", TS: private, ActionID: "go"}, "message " + private + " is not visible to bo"},
		{"no such action", slacksim.Interaction{User: "bo", Channel: "ops", TS: ts, ActionID: "stop"}, "action stop is not there"},
		{"another value", slacksim.Interaction{User: "bo", Channel: "ops", TS: ts, ActionID: "go", Value: "2"}, `button go has the value "1"`},
		{"no such option", slacksim.Interaction{User: "bo", Channel: "ops", TS: ts, ActionID: "more", Value: "7"}, `overflow more has no option "7"`},
		{"two blocks have it", slacksim.Interaction{User: "bo", Channel: "ops", TS: twice, ActionID: "go"}, "action go is in several blocks: say which block_id"},
	} {
		if _, err := w.Interact(row.in); err == nil || err.Error() != "interact: "+row.want {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
}

func TestForcedClickDeliversWhatAHostileClientCouldSend(t *testing.T) {
	bubble(t, quiet, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		got := a.answering(nil)
		ts := w.card(actions(button("go", "Go", "1")))
		for _, in := range []slacksim.Interaction{
			{ActionID: "go", Value: "2"}, {ActionID: "invented", BlockID: "b", Value: "x"},
		} {
			in.User, in.Channel, in.TS, in.Force = "olaf", "ops", ts, true
			if out, err := w.Interact(in); err != nil || !out.Acked {
				t.Fatalf("%+v: %+v, %v", in, out, err)
			}
			act := (<-got)["payload"].(doc)["actions"].([]any)[0].(doc)
			if act["action_id"] != in.ActionID || act["value"] != in.Value {
				t.Errorf("action = %v", act)
			}
		}
	})
}

func TestEveryElementReportsItsChoice(t *testing.T) {
	options := []any{choice(1), choice(2), choice(3)}
	for _, row := range []struct {
		element doc
		value   string
		field   string
		want    string // of fmt.Sprint of that field, or of its value for options
	}{
		{button("a", "Go", "v1"), "", "value", "v1"},
		{doc{"type": "overflow", "options": options}, "2", "selected_option", "2"},
		{doc{"type": "static_select", "options": options}, "3", "selected_option", "3"},
		{doc{"type": "static_select", "option_groups": []any{doc{"label": plainText(1), "options": options}}}, "1", "selected_option", "1"},
		{doc{"type": "radio_buttons", "options": options}, "1", "selected_option", "1"},
		{doc{"type": "checkboxes", "options": options}, "1,3", "selected_options", "1 3"},
		{doc{"type": "multi_static_select", "options": options}, "2,3", "selected_options", "2 3"},
		{doc{"type": "external_select"}, "anything", "selected_option", "anything"},
		{doc{"type": "users_select"}, "bo", "selected_user", slacksim.Bo},
		{doc{"type": "multi_users_select"}, "bo,eva", "selected_users", "[" + slacksim.Bo + " " + slacksim.Eva + "]"},
		{doc{"type": "channels_select"}, "#general", "selected_channel", slacksim.General},
		{doc{"type": "conversations_select"}, "ops", "selected_conversation", slacksim.Ops},
		{doc{"type": "datepicker"}, "2026-11-23", "selected_date", "2026-11-23"},
		{doc{"type": "timepicker"}, "22:00", "selected_time", "22:00"},
		{doc{"type": "datetimepicker"}, "1764000000", "selected_date_time", "1.764e+09"},
	} {
		bubble(t, quiet, func(t *testing.T, w *world) {
			a := w.connect()
			defer a.close()
			got := a.answering(nil)
			ts := w.card(actions(with(row.element, "action_id", "a")))
			out, err := w.Interact(slacksim.Interaction{User: "bo", Channel: "ops", TS: ts, ActionID: "a", Value: row.value})
			if err != nil || !out.Acked {
				t.Fatalf("%v: %+v, %v", row.element["type"], out, err)
			}
			p := (<-got)["payload"].(doc)
			act := p["actions"].([]any)[0].(doc)
			if act["type"] != row.element["type"] || flat(act[row.field]) != row.want || act["options"] != nil {
				t.Errorf("%v: %v", row.element["type"], act)
			}
			state := p["state"].(doc)["values"].(doc)
			stateful := row.element["type"] != "button" && row.element["type"] != "overflow"
			if (len(state) == 1) != stateful {
				t.Errorf("%v: state %v", row.element["type"], state)
			}
		})
	}
}

// flat shows an option, or a list of options, by values.
func flat(v any) string {
	switch v := v.(type) {
	case doc:
		return fmt.Sprint(v["value"])
	case []any:
		var list []string
		for _, o := range v {
			if d, ok := o.(doc); ok {
				list = append(list, fmt.Sprint(d["value"]))
			} else {
				return fmt.Sprint(v)
			}
		}
		return strings.Join(list, " ")
	}
	return fmt.Sprint(v)
}

func TestTriggersOpenOneFormWithinThreeSeconds(t *testing.T) {
	bubble(t, quiet, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		a.answering(nil)
		open := func(trigger string) any {
			return w.call("views.open", doc{"trigger_id": trigger, "view": modal()})["error"]
		}
		used, late := w.trigger("ana"), w.trigger("ana")
		if got := open(used); got != nil {
			t.Errorf("first use: %v", got)
		}
		if got := open(used); got != "exchanged_trigger_id" {
			t.Errorf("second use: %v", got)
		}
		time.Sleep(3 * time.Second)
		if got := open(late); got != "expired_trigger_id" {
			t.Errorf("after 3 s: %v", got)
		}
	})
}

func TestBadFormDoesNotUseUpTheTrigger(t *testing.T) {
	bubble(t, quiet, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		a.answering(nil)
		trigger := w.trigger("ana")
		if got := w.call("views.open", doc{"trigger_id": trigger, "view": with(modal(), "title", nil)})["error"]; got != "invalid_arguments" {
			t.Errorf("bad form: %v", got)
		}
		w.must("views.open", doc{"trigger_id": trigger, "view": modal()})
	})
}

// answer posts to a response_url.
func (w *world) answer(url string, body doc) (int, string) {
	w.t.Helper()
	raw, _ := json.Marshal(body)
	resp, err := w.client.Post(url, "application/json", bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	b.ReadFrom(resp.Body)
	return resp.StatusCode, b.String()
}

func TestResponseURLWorksFiveTimesWithinHalfAnHour(t *testing.T) {
	bubble(t, quiet, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		got := a.answering(nil)
		<-w.command("x")
		url := (<-got)["payload"].(doc)["response_url"].(string)
		for n := range 5 {
			if status, body := w.answer(url, doc{"text": fmt.Sprint(n)}); status != 200 || body != "ok" {
				t.Fatalf("use %d: %d %s", n+1, status, body)
			}
		}
		if status, body := w.answer(url, doc{"text": "6"}); status != 404 || body != "used_url" {
			t.Errorf("sixth use: %d %s", status, body)
		}
		if n := len(w.Ephemerals("ana")); n != 5 {
			t.Errorf("%d ephemerals", n)
		}
		<-w.command("y")
		url = (<-got)["payload"].(doc)["response_url"].(string)
		w.answer(url, doc{"text": "for all", "response_type": "in_channel"})
		if m := w.Messages("ops"); len(m) != 1 || m[0].Text != "for all" {
			t.Errorf("messages = %+v", m)
		}
		time.Sleep(30 * time.Minute)
		if status, body := w.answer(url, doc{"text": "late"}); status != 404 || body != "expired_url" {
			t.Errorf("after 30 minutes: %d %s", status, body)
		}
		if status, _ := w.answer(strings.Replace(url, "/commands/", "/actions/", 1), doc{"text": "x"}); status != 404 {
			t.Errorf("an invented address: %d", status)
		}
	})
}

func TestResponseURLReplacesAndDeletesEvenEphemerals(t *testing.T) {
	bubble(t, quiet, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		got := a.answering(nil)
		ts := w.must("chat.postEphemeral", doc{"channel": slacksim.Ops, "user": slacksim.Ana, "text": "x", "blocks": []any{actions(button("go", "Go", "1"))}})["message_ts"].(string)
		w.Interact(slacksim.Interaction{User: "ana", Channel: "ops", TS: ts, ActionID: "go"})
		p := (<-got)["payload"].(doc)
		if p["message"] != nil || p["container"].(doc)["is_ephemeral"] != true {
			t.Errorf("payload = %v", p)
		}
		url := p["response_url"].(string)
		if status, body := w.answer(url, doc{"text": "bad", "replace_original": true, "blocks": []any{doc{"type": "x"}}}); status != 400 || body != "invalid_blocks" {
			t.Errorf("bad blocks: %d %s", status, body)
		}
		w.answer(url, doc{"text": "thanks", "replace_original": true})
		if m := w.Ephemerals("ana"); len(m) != 1 || m[0].Text != "thanks" || len(m[0].Edits) != 1 {
			t.Errorf("after replace: %+v", m)
		}
		w.answer(url, doc{"delete_original": "true"})
		if m := w.Ephemerals("ana"); !m[0].Deleted {
			t.Errorf("after delete: %+v", m)
		}
		if status, body := w.answer(url, doc{"delete_original": true}); status != 400 || body != "message_not_found" {
			t.Errorf("delete twice: %d %s", status, body)
		}
	})
}

func TestEphemeralCannotBeUpdated(t *testing.T) {
	w := overTCP(t, quiet)
	ts := w.must("chat.postEphemeral", doc{"channel": slacksim.Ops, "user": slacksim.Ana, "text": "x"})["message_ts"]
	if got := w.call("chat.update", doc{"channel": slacksim.Ops, "ts": ts, "text": "y"})["error"]; got != "message_not_found" {
		t.Errorf("update: %v", got)
	}
}

func TestSubmissionAnswersMoveTheForm(t *testing.T) {
	input := doc{"type": "input", "block_id": "b", "label": plainText(1), "element": doc{"type": "plain_text_input", "action_id": "a", "max_length": 5}}
	for _, row := range []struct {
		name    string
		payload any
		value   string
		open    int // forms open afterwards
		notice  bool
		errors  bool
	}{
		{"plain acknowledgement closes", nil, "v", 0, false, false},
		{"clear closes", doc{"response_action": "clear"}, "v", 0, false, false},
		{"errors stay", doc{"response_action": "errors", "errors": doc{"b": "no"}}, "v", 1, false, true},
		{"errors at no input are trouble", doc{"response_action": "errors", "errors": doc{"c": "no"}}, "v", 1, true, false},
		{"update shows the next form", doc{"response_action": "update", "view": modal()}, "v", 1, false, false},
		{"push opens another", doc{"response_action": "push", "view": modal()}, "v", 2, false, false},
		{"an invalid form is trouble", doc{"response_action": "update", "view": doc{"type": "modal"}}, "v", 1, true, false},
		{"an unknown action is trouble", doc{"response_action": "explode"}, "v", 1, true, false},
		{"too long a text never leaves the form", nil, "toolong", 1, false, true},
	} {
		bubble(t, quiet, func(t *testing.T, w *world) {
			a := w.connect()
			defer a.close()
			got := a.got
			done := w.command("x")
			a.ack(<-got, nil)
			w.must("views.open", doc{"trigger_id": (<-done).TriggerID, "view": modal(input)})
			a.answering(row.payload)
			out, err := w.SubmitView(slacksim.Submission{User: "ana", Values: map[string]map[string]string{"b": {"a": row.value}}})
			if err != nil || len(w.Views("ana")) != row.open || (out.Notice != "") != row.notice || (len(out.Errors) > 0) != row.errors {
				t.Errorf("%s: %d forms, %+v, %v", row.name, len(w.Views("ana")), out, err)
			}
		})
	}
}

func TestFormsStackThreeDeepAndTellWhenClosed(t *testing.T) {
	bubble(t, quiet, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		got := a.answering(nil)
		form := with(modal(actions(button("more", "More", "1"))), "notify_on_close", true)
		top := w.must("views.open", doc{"trigger_id": w.trigger("ana"), "view": form})["view"].(doc)
		<-got
		click := func() string {
			out, err := w.Interact(slacksim.Interaction{User: "ana", ViewID: top["id"].(string), ActionID: "more"})
			if err != nil {
				t.Fatal(err)
			}
			if p := (<-got)["payload"].(doc); p["view"].(doc)["id"] != top["id"] || p["container"].(doc)["type"] != "view" {
				t.Errorf("payload = %v", p)
			}
			return out.TriggerID
		}
		for range 2 {
			top = w.must("views.push", doc{"trigger_id": click(), "view": form})["view"].(doc)
		}
		if got := w.call("views.push", doc{"trigger_id": click(), "view": form})["error"]; got != "push_limit_reached" {
			t.Errorf("fourth form: %v", got)
		}
		w.CloseView("ana", "", true)
		if p := (<-got)["payload"].(doc); p["type"] != "view_closed" || p["is_cleared"] != true || len(w.Views("ana")) != 0 {
			t.Errorf("payload = %v", p)
		}
	})
}

func TestViewsUpdateKnowsHashAndExternalID(t *testing.T) {
	bubble(t, quiet, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		a.answering(nil)
		v := w.must("views.open", doc{"trigger_id": w.trigger("ana"), "view": with(modal(), "external_id", "mine")})["view"].(doc)
		if got := w.call("views.open", doc{"trigger_id": w.trigger("bo"), "view": with(modal(), "external_id", "mine")})["error"]; got != "duplicate_external_id" {
			t.Errorf("same external_id: %v", got)
		}
		next := w.must("views.update", doc{"external_id": "mine", "hash": v["hash"], "view": with(modal(), "external_id", "mine")})["view"].(doc)
		if next["hash"] == v["hash"] || next["id"] != v["id"] {
			t.Errorf("updated view = %v", next)
		}
		if got := w.call("views.update", doc{"view_id": v["id"], "hash": v["hash"], "view": modal()})["error"]; got != "hash_conflict" {
			t.Errorf("stale hash: %v", got)
		}
	})
}

func TestEventsReachTheAppOnlyWhereItIs(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		got := a.answering(nil)
		w.Say("ana", "general", "@vmssbot hello", "") // the app is not in #general
		w.Say("ana", slacksim.BotUser, "hello", "")   // its direct message
		synctest.Wait()
		if len(got) != 1 {
			t.Fatalf("%d envelopes", len(got))
		}
		if e := (<-got)["payload"].(doc)["event"].(doc); e["channel_type"] != "im" || e["text"] != "hello" {
			t.Errorf("event = %v", e)
		}
	})
}

func TestPublicURLIsUsedForEveryAddress(t *testing.T) {
	w := overTCP(t, slacksim.Options{PublicURL: "https://slack.example:8443"})
	if u := w.must("apps.connections.open", nil)["url"].(string); !strings.HasPrefix(u, "wss://slack.example:8443/socket?") {
		t.Errorf("socket address %s", u)
	}
	if u := w.must("files.getUploadURLExternal", doc{"filename": "x", "length": 1})["upload_url"].(string); !strings.HasPrefix(u, "https://slack.example:8443/files/") {
		t.Errorf("upload address %s", u)
	}
}

func TestForwardedProtoMakesAWssAddress(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	req, _ := http.NewRequest("POST", w.url+"/api/apps.connections.open", nil)
	req.Header.Set("Authorization", "Bearer "+w.AppToken())
	req.Header.Set("X-Forwarded-Proto", "https")
	if _, answer := w.do(req); !strings.HasPrefix(answer["url"].(string), "wss://") {
		t.Errorf("answer = %v", answer)
	}
}

func TestResetForgetsEverythingButSockets(t *testing.T) {
	bubble(t, quiet, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		a.answering(nil)
		first := w.card(section("x"))
		w.Inject(slacksim.Fault{Kind: "channel_archived", Channel: "ops"})
		w.Reset()
		if n := len(w.Messages("ops")); n != 0 {
			t.Errorf("%d messages", n)
		}
		if out := <-w.command("x"); !out.Acked {
			t.Errorf("out = %+v", out)
		}
		if again := w.card(section("x")); again <= first {
			t.Errorf("ts %s after %s", again, first)
		}
	})
}

func TestNothingOfBeforeAResetArrivesAfterIt(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		slot := w.must("files.getUploadURLExternal", doc{"filename": "x", "length": 1})
		w.upload(slot["upload_url"].(string), "x")
		w.must("files.completeUploadExternal", doc{"files": []any{doc{"id": slot["file_id"]}}, "channel_id": slacksim.Ops})
		w.Say("ana", "ops", "@vmssbot hello", "")
		for range 2 {
			<-a.got // message and app_mention, unacknowledged
		}
		time.Sleep(4500 * time.Millisecond) // the first retries are out, the second ones are due in a minute
		w.Reset()
		synctest.Wait()
		for len(a.got) > 0 {
			<-a.got
		}
		time.Sleep(time.Hour)
		if len(a.got) != 0 || len(w.Messages("ops")) != 0 {
			t.Errorf("%d envelopes and %d messages after Reset", len(a.got), len(w.Messages("ops")))
		}
	})
}

func TestGeneratedIdsSurviveAReset(t *testing.T) {
	w := overTCP(t, slacksim.Options{Users: []slacksim.User{{Name: "zoe"}}, Channels: []slacksim.Channel{{Name: "lab", Members: []string{"zoe", "vmssbot"}}}})
	before := w.State()
	w.Reset()
	after := w.State()
	if before.Users[0].ID != after.Users[0].ID || before.Channels[0].ID != after.Channels[0].ID || after.Channels[0].Members[0] != after.Users[0].ID {
		t.Errorf("before %+v %+v, after %+v %+v", before.Users[0], before.Channels[0], after.Users[0], after.Channels[0])
	}
}

func BenchmarkClicks(b *testing.B) {
	sim := slacksim.New(quiet)
	srv := httptest.NewServer(sim)
	w := &world{Sim: sim, t: b, url: srv.URL, client: srv.Client(), dialer: websocket.DefaultDialer}
	defer srv.Close()
	defer sim.Close()
	a := w.connect()
	go func() {
		for f := range a.got {
			a.ack(f, nil)
		}
	}()
	ts := w.card(section("x"), actions(button("go", "Go", "1")))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if out, err := sim.Interact(slacksim.Interaction{User: "bo", Channel: "ops", TS: ts, ActionID: "go"}); err != nil || !out.Acked {
				b.Errorf("click: %+v, %v", out, err)
			}
		}
	})
}
