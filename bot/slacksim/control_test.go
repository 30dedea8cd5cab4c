package slacksim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// upload posts the raw content of a file and returns the status.
func (w *world) upload(url, content string) int {
	w.t.Helper()
	resp, err := w.client.Post(url, "application/octet-stream", strings.NewReader(content))
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// control makes a control call: a POST with a body, a GET without one.
func (w *world) control(path, body string) (int, doc) {
	w.t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	req, _ := http.NewRequest(method, w.url+"/_control/"+path, strings.NewReader(body))
	resp, answer := w.do(req)
	return resp.StatusCode, answer
}

func TestControlAPIPlaysAWholeConversation(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1})
	p := w.start()
	defer p.end()
	for deadline := w.Changes(); len(w.State().Sockets) == 0; deadline = w.Changes() {
		<-deadline
	}
	status, out := w.control("command", `{"user":"ana","channel":"#ops","command":"/vmss","text":"web-prod"}`)
	if status != 200 || out["acked"] != true || out["ephemerals"] == nil {
		t.Fatalf("command: %d %v", status, out)
	}
	w.Wait(t.Context(), func() bool { return len(w.Messages("ops")) == 1 })
	_, said := w.control("messages/ops", "")
	card := said["messages"].([]any)[0].(doc)
	status, out = w.control("interact", `{"user":"bo","channel":"ops","ts":"`+card["ts"].(string)+`","action_id":"approve","wait":"5s"}`)
	if private := out["ephemerals"].([]any); status != 200 || len(private) != 1 || private[0].(doc)["text"] != "thank you" {
		t.Errorf("click: %d %v", status, out)
	}
	_, said = w.control("messages/"+slacksim.Ops, "")
	card = said["messages"].([]any)[0].(doc)
	if card["text"] != "bo approved nonce-1" || card["replies"].([]any)[0].(doc)["text"] != "started" || len(said["ephemerals"].([]any)) != 1 {
		t.Errorf("messages = %v", said)
	}
	_, state := w.control("state", "")
	if len(state["users"].([]any)) != 9 || len(state["sockets"].([]any)) != 1 || state["team"].(doc)["id"] != "T024BE7LD" {
		t.Errorf("state = %v", state)
	}
	_, log := w.control("log?since=3", "")
	if first := log["entries"].([]any)[0].(doc); first["seq"] != 4.0 {
		t.Errorf("log starts with %v", first)
	}
}

func TestControlErrorsAreSentences(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	for _, row := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"command", `{"user":"zoe","channel":"ops","command":"/vmss"}`, 400, `command /vmss: user "zoe" does not exist`},
		{"command", `{"user":"ana","channel":"moon","command":"/vmss"}`, 400, `command /vmss: channel "moon" does not exist`},
		{"command", `{"usr":"ana"}`, 400, `json: unknown field "usr"`},
		{"command", `{`, 400, "unexpected EOF"},
		{"message", `{"user":"ana","channel":"attic","text":"x"}`, 400, "say: channel attic is archived"},
		{"message", `{"user":"ana","channel":"ops","text":"x","thread_ts":"1.000001"}`, 400, "say: channel ops has no message 1.000001"},
		{"open-home", `{"user":"dora"}`, 400, "open home: user dora is deactivated"},
		{"submit", `{"user":"ana"}`, 400, "submit view: no form is open for ana"},
		{"disconnect", `{"reason":"boredom"}`, 400, `fault disconnect: reason "boredom" is unknown: know warning, refresh_requested, link_disabled, too_many_websockets`},
		{"disconnect", `{}`, 400, "fault disconnect: no socket 0 is connected"},
		{"limits", `{}`, 400, "limits: scale is missing: 1 is Slack's limits, -1 none"},
		{"explode", `{}`, 404, "no control call POST explode"},
		{"explode", ``, 404, "no control call GET explode"},
		{"messages/moon", ``, 404, `channel "moon" does not exist`},
		{"fault", `{"kind":"message_deleted","channel":"ops","ts":"1.000001"}`, 400, "fault message_deleted: channel ops has no message 1.000001"},
	} {
		status, answer := w.control(row.path, row.body)
		if status != row.status || answer["error"] != row.want {
			t.Errorf("%s %s: %d %v, want %d %s", row.path, row.body, status, answer["error"], row.status, row.want)
		}
	}
	status, answer := w.control("fault", `{"kind":"earthquake"}`)
	if kinds, _ := answer["kinds"].([]any); status != 400 || len(kinds) != len(slacksim.FaultKinds()) || !strings.Contains(answer["error"].(string), "ratelimit") {
		t.Errorf("unknown fault: %d %v", status, answer)
	}
}

func TestControlResetAndLimits(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	w.control("message", `{"user":"ana","channel":"ops","text":"hello"}`)
	if n := len(w.Messages("ops")); n != 1 {
		t.Fatalf("%d messages", n)
	}
	if status, _ := w.control("reset", `{}`); status != 200 || len(w.Messages("ops")) != 0 {
		t.Errorf("reset: %d, %d messages", status, len(w.Messages("ops")))
	}
	w.control("limits", `{"scale":-1}`)
	for range 20 {
		w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"})
	}
}

func TestCallFaults(t *testing.T) {
	post := doc{"channel": slacksim.Ops, "text": "x"}
	for _, row := range []struct {
		fault  string
		status int    // 0: no answer
		body   string // the answer, or its beginning
		header string // Retry-After
		posted int
	}{
		{`{"kind":"ratelimit","retry_after":7}`, 429, `{"ok":false,"error":"ratelimited"}`, "7", 0},
		{`{"kind":"http_status","status":502}`, 502, "upstream", "", 0},
		{`{"kind":"http_status"}`, 503, "upstream", "", 0},
		{`{"kind":"html"}`, 200, "<!DOCTYPE html>", "", 0},
		{`{"kind":"error","error":"fatal_error"}`, 200, `{"error":"fatal_error","ok":false}`, "", 0},
		{`{"kind":"broken_json"}`, 200, `{"channel":"C0OPS00001"`, "", 1},
		{`{"kind":"reset_before"}`, 0, "", "", 0},
		{`{"kind":"reset_after"}`, 0, "", "", 1},
		{`{"kind":"slow","delay":0.01}`, 200, `{"channel"`, "", 1},
	} {
		w := overTCP(t, slacksim.Options{})
		fault := strings.Replace(row.fault, "{", `{"method":"chat.postMessage","channel":"ops",`, 1)
		if status, answer := w.control("fault", fault); status != 200 {
			t.Fatalf("%s: %v", row.fault, answer)
		}
		w.must("auth.test", nil)                                                  // another method
		w.must("chat.postMessage", doc{"channel": slacksim.General, "text": "x"}) // another channel
		raw, _ := json.Marshal(post)
		req, _ := http.NewRequest("POST", w.url+"/api/chat.postMessage", strings.NewReader(string(raw)))
		req.Header.Set("Authorization", "Bearer "+w.BotToken())
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		resp, err := w.client.Do(req)
		switch {
		case row.status == 0:
			if err == nil {
				t.Errorf("%s: answered %d", row.fault, resp.StatusCode)
			}
		case err != nil:
			t.Errorf("%s: %v", row.fault, err)
		default:
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != row.status || !strings.HasPrefix(string(body), row.body) || resp.Header.Get("Retry-After") != row.header {
				t.Errorf("%s: %d %s %s", row.fault, resp.StatusCode, resp.Header.Get("Retry-After"), body)
			}
			if strings.Contains(row.fault, "broken") && json.Valid(body) {
				t.Errorf("%s: the answer is valid JSON", row.fault)
			}
		}
		if n := len(w.Messages("ops")); n != row.posted {
			t.Errorf("%s: %d messages, want %d", row.fault, n, row.posted)
		}
		w.must("chat.postMessage", post) // once only
	}
}

func TestFaultsCountAndEnd(t *testing.T) {
	bubble(t, slacksim.Options{RateScale: -1}, func(t *testing.T, w *world) {
		results := func(n int) string {
			var out []string
			for range n {
				if w.call("auth.test", nil)["ok"] == true {
					out = append(out, "ok")
				} else {
					out = append(out, "no")
				}
			}
			return strings.Join(out, " ")
		}
		w.Inject(slacksim.Fault{Kind: "error", After: 2, Times: 2})
		if got := results(6); got != "ok ok no no ok ok" {
			t.Errorf("after 2, times 2: %s", got)
		}
		w.Inject(slacksim.Fault{Kind: "error", Times: -1})
		if got := results(3); got != "no no no" {
			t.Errorf("until cleared: %s", got)
		}
		w.Inject(slacksim.Fault{Kind: "clear"})
		if got := results(1); got != "ok" {
			t.Errorf("cleared: %s", got)
		}
		w.Inject(slacksim.Fault{Kind: "error", For: slacksim.Duration(time.Minute)})
		if got := results(2); got != "no no" {
			t.Errorf("for a minute: %s", got)
		}
		time.Sleep(time.Minute)
		if got := results(1); got != "ok" {
			t.Errorf("a minute later: %s", got)
		}
	})
}

func TestWorkspaceFaults(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1, Scopes: scopesWithout("chat:write.public")})
	ts := w.card(section("x"))
	inject := func(f slacksim.Fault) {
		t.Helper()
		if err := w.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	post := func() any { return w.call("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"})["error"] }
	inject(slacksim.Fault{Kind: "message_deleted", Channel: "ops", TS: ts})
	if got := w.call("chat.update", doc{"channel": slacksim.Ops, "ts": ts, "text": "y"})["error"]; got != "message_not_found" {
		t.Errorf("deleted: %v", got)
	}
	for _, row := range []struct{ kind, undo, want string }{
		{"channel_archived", "channel_unarchived", "is_archived"},
		{"bot_kicked", "bot_invited", "not_in_channel"},
		{"token_revoked", "token_restored", "token_revoked"},
	} {
		inject(slacksim.Fault{Kind: row.kind, Channel: "ops"})
		if got := post(); got != row.want {
			t.Errorf("%s: %v", row.kind, got)
		}
		inject(slacksim.Fault{Kind: row.undo, Channel: "ops"})
		if got := post(); got != nil {
			t.Errorf("%s: %v", row.undo, got)
		}
	}
	inject(slacksim.Fault{Kind: "user_deactivated", User: "bo"})
	if u := w.must("users.info", doc{"user": slacksim.Bo})["user"].(doc); u["deleted"] != true {
		t.Errorf("bo = %v", u)
	}
	inject(slacksim.Fault{Kind: "user_restored", User: "bo"})
	inject(slacksim.Fault{Kind: "error", Method: "chat.update", Error: "edit_window_closed"})
	if got := w.call("chat.update", doc{"channel": slacksim.Ops, "ts": ts, "text": "y"})["error"]; got != "edit_window_closed" {
		t.Errorf("edit window: %v", got)
	}
}

func TestFilesAppearLaterAndPicturesMayBeUsedThen(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		slot := w.must("files.getUploadURLExternal", doc{"filename": "map.png", "length": 3, "alt_txt": "a map"})
		id, url := slot["file_id"], slot["upload_url"].(string)
		done := doc{"files": []any{doc{"id": id, "title": "Map"}}, "channel_id": slacksim.Ops, "initial_comment": "look"}
		if got := w.call("files.completeUploadExternal", done)["error"]; got != "file_not_found" {
			t.Errorf("before the upload: %v", got)
		}
		if status := w.upload(url, "too long"); status != 400 {
			t.Errorf("wrong length: %d", status)
		}
		if status := w.upload(url, "png"); status != 200 {
			t.Errorf("upload: %d", status)
		}
		if status := w.upload(url, "png"); status != 404 {
			t.Errorf("second upload: %d", status)
		}
		w.must("files.completeUploadExternal", done)
		image := doc{"channel": slacksim.Ops, "blocks": []any{doc{"type": "image", "alt_text": "x", "slack_file": doc{"id": id}}}}
		if got := messagesOf(w.call("chat.postMessage", image)); !slices.Equal(got, []string{"[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"}) {
			t.Errorf("too soon: %v", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if m := w.Messages("ops"); len(m) != 1 || m[0].Text != "look" || len(m[0].Files) != 1 {
			t.Errorf("messages = %+v", m)
		}
		w.must("chat.postMessage", image)
		file := w.must("files.info", doc{"file": id})["file"].(doc)
		req, _ := http.NewRequest("GET", file["url_private"].(string), nil)
		if resp, _ := w.do(req); resp.StatusCode != 403 {
			t.Errorf("without a token: %d", resp.StatusCode)
		}
		req.Header.Set("Authorization", "Bearer "+w.BotToken())
		if resp, _ := w.do(req); resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/png" {
			t.Errorf("with it: %d", resp.StatusCode)
		}
	})
}

func TestTokensAreNeverInTheLog(t *testing.T) {
	bubble(t, slacksim.Options{BotToken: "xoxb-canary-1", AppToken: "xapp-canary-2"}, func(t *testing.T, w *world) {
		p := w.start()
		defer p.end()
		synctest.Wait()
		<-w.command("x")
		synctest.Wait()
		_, log := w.control("log", "")
		raw, _ := json.Marshal(log)
		if len(log["entries"].([]any)) < 5 || strings.Contains(string(raw), "canary") {
			t.Errorf("log = %s", raw)
		}
	})
}

func TestSubscriberGetsOneTokenForManyChanges(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1})
	changed, stop := w.Subscribe()
	for range 10 {
		w.card(section("x"))
	}
	if len(changed) != 1 {
		t.Errorf("%d tokens", len(changed))
	}
	<-changed
	stop()
	w.card(section("x"))
	if len(changed) != 0 {
		t.Error("a token after the end")
	}
}

func TestCloseAnswersNobodyAndLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble fails when a goroutine is left
		w, end := inBubble(t, slacksim.Options{})
		a := w.connect()
		waiting := w.command("x")
		<-a.got
		end()
		if out := <-waiting; out.Acked {
			t.Errorf("out = %+v", out)
		}
		if _, err := w.Command("ana", "ops", "/vmss", "x"); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("after Close: %v", err)
		}
	})
}
