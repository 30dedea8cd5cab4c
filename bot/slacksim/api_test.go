package slacksim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

func TestTokensAndArgumentsTravelEveryWayAnSDKSendsThem(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	card := `[{"type":"section","text":{"type":"mrkdwn","text":"hi"}}]`
	values := url.Values{"channel": {slacksim.Ops}, "text": {"hi"}, "blocks": {card}}
	withToken := url.Values{"token": {w.BotToken()}}
	for k, v := range values {
		withToken[k] = v
	}
	multi := &bytes.Buffer{}
	mw := multipart.NewWriter(multi)
	for k := range withToken {
		mw.WriteField(k, withToken.Get(k))
	}
	mw.Close()
	const form, jsonType = "application/x-www-form-urlencoded", "application/json; charset=utf-8"
	inArray := fmt.Sprintf(`{"channel":%q,"text":"hi","blocks":%s}`, slacksim.Ops, card)
	inString := fmt.Sprintf(`{"channel":%q,"text":"hi","blocks":%q}`, slacksim.Ops, card)
	for _, row := range []struct {
		name, method, query, kind, header, body, err string
	}{
		{"token in the form body", "POST", "", form, "", withToken.Encode(), ""},
		{"token in the header, form body", "POST", "", form, "Bearer " + w.BotToken(), values.Encode(), ""},
		{"token in the query, form body", "POST", "?token=" + w.BotToken(), form, "", values.Encode(), ""},
		{"everything in the query of a GET", "GET", "?" + withToken.Encode(), "", "", "", ""},
		{"multipart form", "POST", "", mw.FormDataContentType(), "", multi.String(), ""},
		{"JSON body, blocks as an array", "POST", "", jsonType, "Bearer " + w.BotToken(), inArray, ""},
		{"JSON body, blocks as a string", "POST", "", jsonType, "Bearer " + w.BotToken(), inString, ""},
		{"a token inside a JSON body does not count", "POST", "", jsonType, "", `{"token":"` + w.BotToken() + `"}`, "not_authed"},
		{"no token", "POST", "", form, "", values.Encode(), "not_authed"},
		{"a wrong token", "POST", "", form, "Bearer xoxb-wrong", values.Encode(), "invalid_auth"},
		{"the app-level token", "POST", "", form, "Bearer " + w.AppToken(), values.Encode(), "not_allowed_token_type"},
		{"broken JSON", "POST", "", jsonType, "Bearer " + w.BotToken(), "{", "invalid_json"},
		{"JSON that is no object", "POST", "", jsonType, "Bearer " + w.BotToken(), "[]", "json_not_object"},
		{"another content type", "POST", "", "text/xml", "Bearer " + w.BotToken(), "<x/>", "invalid_post_type"},
		{"blocks that are no JSON", "POST", "", form, "Bearer " + w.BotToken(), values.Encode() + "&blocks=", ""},
	} {
		w.SetRateScale(-1)
		req, _ := http.NewRequest(row.method, w.url+"/api/chat.postMessage"+row.query, strings.NewReader(row.body))
		req.Header.Set("Content-Type", row.kind)
		req.Header.Set("Authorization", row.header)
		resp, answer := w.do(req)
		if got := answer["error"]; resp.StatusCode != 200 || (got != nil || row.err != "") && got != row.err {
			t.Errorf("%s: status %d, error %v, want %q", row.name, resp.StatusCode, got, row.err)
		}
	}
}

func TestAppTokenOpensSocketsAndNothingElse(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	if got := w.form("apps.connections.open", url.Values{"token": {w.BotToken()}})["error"]; got != "not_allowed_token_type" {
		t.Errorf("bot token: %v", got)
	}
	answer := w.form("apps.connections.open", url.Values{"token": {w.AppToken()}})
	if u, _ := answer["url"].(string); !strings.HasPrefix(u, "ws://"+strings.TrimPrefix(w.url, "http://")+"/socket?ticket=") {
		t.Errorf("url = %v", answer)
	}
}

func TestGrantedScopesAreInTheHeader(t *testing.T) {
	w := overTCP(t, slacksim.Options{Scopes: []string{"chat:write", "users:read"}})
	resp, answer := w.post("auth.test", nil)
	if got := resp.Header.Get("X-OAuth-Scopes"); got != "chat:write,users:read" {
		t.Errorf("X-OAuth-Scopes = %q", got)
	}
	if answer["user_id"] != slacksim.BotUser || answer["team_id"] != "T024BE7LD" {
		t.Errorf("auth.test = %v", answer)
	}
}

func TestEverySlackErrorHasItsCause(t *testing.T) {
	w := overTCP(t, slacksim.Options{RateScale: -1, Channels: []slacksim.Channel{
		{ID: "C0OPS00001", Name: "ops", Members: []string{"ana", "bo", "vmssbot"}},
		{ID: "C0FOREIGN1", Name: "elsewhere", Members: []string{"ana"}},
		{ID: "G0SECRET01", Name: "secret", Private: true, Members: []string{"ana"}},
		{ID: "C0ATTIC001", Name: "attic", Archived: true, Members: []string{"vmssbot"}},
	}, Scopes: scopesWithout("chat:write.public")})
	mine := w.must("chat.postMessage", doc{"channel": "C0OPS00001", "text": "mine"})["ts"]
	said, _ := w.Say("ana", "ops", "hers", "")
	hers := said.Message.TS
	long := strings.Repeat("x", 40_001)
	for _, row := range []struct {
		method string
		args   doc
		err    string
	}{
		{"no.such.method", nil, "unknown_method"},
		{"chat.postMessage", doc{"text": "x"}, "channel_not_found"},
		{"chat.postMessage", doc{"channel": "C0NOWHERE1", "text": "x"}, "channel_not_found"},
		{"chat.postMessage", doc{"channel": "G0SECRET01", "text": "x"}, "channel_not_found"},
		{"chat.postMessage", doc{"channel": "C0FOREIGN1", "text": "x"}, "not_in_channel"},
		{"chat.postMessage", doc{"channel": "C0ATTIC001", "text": "x"}, "is_archived"},
		{"chat.postMessage", doc{"channel": "C0OPS00001"}, "no_text"},
		{"chat.postMessage", doc{"channel": "C0OPS00001", "text": " ", "blocks": []any{}}, "no_text"},
		{"chat.postMessage", doc{"channel": "C0OPS00001", "text": "x", "thread_ts": "yesterday"}, "invalid_thread_ts"},
		{"chat.postMessage", doc{"channel": "C0OPS00001", "blocks": "{"}, "invalid_blocks_format"},
		{"chat.postMessage", doc{"channel": "C0OPS00001", "blocks": doc{"type": "divider"}}, "invalid_blocks_format"},
		{"chat.postMessage", doc{"channel": "C0OPS00001", "blocks": []any{doc{"type": "sections"}}}, "invalid_blocks"},
		{"chat.postMessage", doc{"channel": "C0OPS00001", "text": "x", "metadata": "["}, "invalid_metadata_format"},
		{"chat.postMessage", doc{"channel": "C0OPS00001", "text": "x", "metadata": doc{"event_type": "x"}}, "invalid_metadata_schema"},
		{"chat.postMessage", doc{"channel": "C0OPS00001", "attachments": "x"}, "invalid_attachments"},
		{"chat.postEphemeral", doc{"channel": "C0OPS00001", "user": "U0NOBODY01", "text": "x"}, "user_not_found"},
		{"chat.postEphemeral", doc{"channel": "C0OPS00001", "user": slacksim.Eva, "text": "x"}, "user_not_in_channel"},
		{"chat.postEphemeral", doc{"channel": "C0OPS00001", "user": slacksim.Ana}, "no_text"},
		{"chat.update", doc{"channel": "C0OPS00001", "ts": "1.000001", "text": "x"}, "message_not_found"},
		{"chat.update", doc{"channel": "C0OPS00001", "ts": hers, "text": "x"}, "cant_update_message"},
		{"chat.update", doc{"channel": "C0NOWHERE1", "ts": mine, "text": "x"}, "channel_not_found"},
		{"chat.update", doc{"channel": "C0OPS00001", "ts": mine}, "no_text"},
		{"chat.update", doc{"channel": "C0OPS00001", "ts": mine, "text": long}, "msg_too_long"},
		{"chat.delete", doc{"channel": "C0OPS00001", "ts": hers}, "cant_delete_message"},
		{"chat.delete", doc{"channel": "C0OPS00001", "ts": "1.000001"}, "message_not_found"},
		{"chat.getPermalink", doc{"channel": "C0OPS00001", "message_ts": "1.000001"}, "message_not_found"},
		{"conversations.info", doc{"channel": "ops"}, "channel_not_found"},
		{"conversations.info", doc{"channel": "G0SECRET01"}, "channel_not_found"},
		{"conversations.history", doc{"channel": "C0FOREIGN1"}, "not_in_channel"},
		{"conversations.replies", doc{"channel": "C0OPS00001", "ts": "1.000001"}, "thread_not_found"},
		{"conversations.list", doc{"types": "public"}, "invalid_types"},
		{"conversations.list", doc{"cursor": "x"}, "invalid_cursor"},
		{"conversations.open", doc{"users": slacksim.Hal}, "cannot_dm_bot"},
		{"conversations.open", doc{"users": slacksim.Dora}, "user_disabled"},
		{"conversations.open", nil, "users_list_not_supplied"},
		{"users.info", doc{"user": "ana"}, "user_not_found"},
		{"users.lookupByEmail", doc{"email": "nobody@acme.example"}, "users_not_found"},
		{"usergroups.users.list", doc{"usergroup": "S0NOTHING1"}, "no_such_subteam"},
		{"bots.info", doc{"bot": "B0NOTHING1"}, "bot_not_found"},
		{"reactions.add", doc{"channel": "C0OPS00001", "timestamp": "1.000001", "name": "eyes"}, "message_not_found"},
		{"reactions.add", doc{"channel": "C0OPS00001", "timestamp": mine, "name": "Not A Name"}, "invalid_name"},
		{"reactions.remove", doc{"channel": "C0OPS00001", "timestamp": mine, "name": "eyes"}, "no_reaction"},
		{"files.info", doc{"file": "F0NOTHING1"}, "file_not_found"},
		{"files.getUploadURLExternal", doc{"filename": "x", "length": 0}, "invalid_arguments"},
		{"files.completeUploadExternal", doc{"files": []any{doc{"id": "F0NOTHING1"}}}, "file_not_found"},
		{"views.open", doc{"trigger_id": "1.2.x", "view": modal()}, "invalid_trigger_id"},
		{"views.open", doc{"trigger_id": "1.2.x"}, "invalid_arguments"},
		{"views.update", doc{"view_id": "V0NOTHING1", "view": modal()}, "not_found"},
		{"views.publish", doc{"user_id": "U0NOBODY01", "view": doc{"type": "home", "blocks": []any{}}}, "user_not_found"},
		{"views.publish", doc{"user_id": slacksim.Ana, "view": modal()}, "invalid_arguments"},
	} {
		resp, answer := w.post(row.method, row.args)
		if resp.StatusCode != 200 || answer["ok"] != false || answer["error"] != row.err {
			t.Errorf("%s %v: status %d, %v; want %s", row.method, row.args, resp.StatusCode, answer, row.err)
		}
	}
}

func scopesWithout(scope string) []string {
	var out []string
	for _, s := range slacksim.DefaultScopes {
		if s != scope {
			out = append(out, s)
		}
	}
	return out
}

func modal(blocks ...any) doc {
	text := func(s string) doc { return doc{"type": "plain_text", "text": s} }
	return doc{"type": "modal", "title": text("Form"), "submit": text("Send"), "blocks": append([]any{}, blocks...)}
}

func TestEveryMethodIsRefusedWithoutItsScope(t *testing.T) {
	w := overTCP(t, slacksim.Options{Scopes: []string{"nothing"}})
	for method, needed := range map[string]string{
		"chat.postMessage": "chat:write", "chat.update": "chat:write", "users.info": "users:read", "users.lookupByEmail": "users:read.email",
		"usergroups.users.list": "usergroups:read", "reactions.add": "reactions:write", "files.getUploadURLExternal": "files:write",
		"conversations.info": "channels:read,groups:read,im:read", "team.info": "team:read",
	} {
		answer := w.call(method, nil)
		if answer["error"] != "missing_scope" || answer["needed"] != needed || answer["provided"] != "nothing" {
			t.Errorf("%s: %v", method, answer)
		}
	}
	if got := w.call("auth.test", nil); got["ok"] != true {
		t.Errorf("auth.test needs no scope: %v", got)
	}
}

func TestRateLimitsOfEachTierAreEnforcedAndRefill(t *testing.T) {
	for _, row := range []struct {
		method string
		args   doc
		burst  int
		wait   string
	}{
		{"usergroups.list", nil, 20, "3"},
		{"conversations.info", doc{"channel": slacksim.Ops}, 50, "2"},
		{"users.info", doc{"user": slacksim.Ana}, 100, "1"},
		{"chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"}, 5, "1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, end := inBubble(t, slacksim.Options{})
			defer end()
			for i := range row.burst {
				if answer := w.call(row.method, row.args); answer["ok"] != true {
					t.Fatalf("%s call %d: %v", row.method, i+1, answer)
				}
			}
			resp, answer := w.post(row.method, row.args)
			if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != row.wait || answer["error"] != "ratelimited" {
				t.Errorf("%s after %d calls: %d, Retry-After %q, %v", row.method, row.burst, resp.StatusCode, resp.Header.Get("Retry-After"), answer)
			}
			wait, _ := time.ParseDuration(row.wait + "s")
			time.Sleep(wait)
			if answer := w.call(row.method, row.args); answer["ok"] != true {
				t.Errorf("%s after Retry-After: %v", row.method, answer)
			}
		})
	}
}

func TestPostsAreLimitedPerChannelAndLimitsCanBeTurnedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := inBubble(t, slacksim.Options{})
		defer end()
		for range 5 {
			w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"})
		}
		if got := w.call("chat.postMessage", doc{"channel": "#ops", "text": "x"})["error"]; got != "ratelimited" {
			t.Errorf("the same channel by name: %v", got)
		}
		w.must("chat.postMessage", doc{"channel": slacksim.General, "text": "x"})
		w.SetRateScale(-1)
		for range 100 {
			w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"})
		}
	})
}

func TestTimestampsAreUniqueAndIncreasing(t *testing.T) {
	stopped := time.Unix(1610241741, 200_000)
	w := overTCP(t, slacksim.Options{RateScale: -1, Now: func() time.Time { return stopped }})
	last := "1610241741.000199"
	for range 50 {
		ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"})["ts"].(string)
		if ts <= last {
			t.Fatalf("ts %s after %s", ts, last)
		}
		last = ts
	}
}

func TestLongTextIsCutWithAWarning(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	answer := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": strings.Repeat("ä", 40_001)})
	if answer["warning"] != "message_truncated" || len([]rune(w.Messages("ops")[0].Text)) != 40_000 {
		t.Errorf("warning = %v", answer["warning"])
	}
}

func TestCharsetWarningsAreThoseOfSlack(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	for kind, want := range map[string]any{
		"application/json":                                 "missing_charset",
		"application/json; charset=utf-8":                  nil,
		"application/x-www-form-urlencoded":                nil,
		"application/x-www-form-urlencoded; charset=utf-8": "superfluous_charset",
	} {
		req, _ := http.NewRequest("POST", w.url+"/api/api.test", strings.NewReader(""))
		req.Header.Set("Content-Type", kind)
		if _, answer := w.do(req); answer["ok"] != true || answer["warning"] != want {
			t.Errorf("%s: %v, want %v", kind, answer, want)
		}
	}
}

func TestBlocksAreEchoedAsSentWithMissingIdsFilledIn(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	sent := `[{"type":"section","block_id":"mine","text":{"type":"mrkdwn","text":"a & <b>"}},{"type":"divider"},{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Go"}}]}]`
	answer := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x", "blocks": sent})
	var blocks []json.RawMessage
	json.Unmarshal(w.Messages("ops")[0].Blocks, &blocks)
	if want := `{"type":"section","block_id":"mine","text":{"type":"mrkdwn","text":"a & <b>"}}`; string(blocks[0]) != want {
		t.Errorf("block 0 = %s", blocks[0])
	}
	echo := answer["message"].(doc)["blocks"].([]any)
	if id, _ := echo[1].(doc)["block_id"].(string); len(id) != 5 {
		t.Errorf("divider has block_id %q", id)
	}
	if got := w.Messages("ops")[0].Actions(); len(got) != 1 || got[0].ActionID == "" || got[0].Text != "Go" {
		t.Errorf("actions = %+v", got)
	}
}

func TestEditedMarkIsOnlyForEditsWithoutBlocks(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"})["ts"]
	with := w.must("chat.update", doc{"channel": slacksim.Ops, "ts": ts, "text": "y", "blocks": []any{section("y")}})["message"].(doc)
	if with["edited"] != nil {
		t.Errorf("with blocks: %v", with)
	}
	without := w.must("chat.update", doc{"channel": slacksim.Ops, "ts": ts, "text": "z"})["message"].(doc)
	if without["edited"] == nil || without["blocks"] != nil {
		t.Errorf("without blocks: %v", without)
	}
	if n := len(w.Messages("ops")[0].Edits); n != 2 {
		t.Errorf("%d edits are remembered, want 2", n)
	}
}

func TestBroadcastReplyShowsInTheChannelToo(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "parent"})["ts"]
	w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "quiet", "thread_ts": ts})
	loud := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "loud", "thread_ts": ts, "reply_broadcast": true})
	if m := loud["message"].(doc); m["subtype"] != "thread_broadcast" || m["root"].(doc)["ts"] != ts {
		t.Errorf("message = %v", m)
	}
	var seen []string
	for _, m := range w.must("conversations.history", doc{"channel": slacksim.Ops})["messages"].([]any) {
		seen = append(seen, m.(doc)["text"].(string))
	}
	if got := strings.Join(seen, " "); got != "loud parent" {
		t.Errorf("history = %s", got)
	}
	replies := w.must("conversations.replies", doc{"channel": slacksim.Ops, "ts": ts})["messages"].([]any)
	if parent := replies[0].(doc); len(replies) != 3 || parent["reply_count"] != 2.0 {
		t.Errorf("replies = %v", replies)
	}
}

func TestListsComeInPages(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	var names []string
	cursor := ""
	for pages := 1; ; pages++ {
		answer := w.must("users.list", doc{"limit": 4, "cursor": cursor})
		for _, u := range answer["members"].([]any) {
			names = append(names, u.(doc)["name"].(string))
		}
		cursor = answer["response_metadata"].(doc)["next_cursor"].(string)
		if cursor == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if got := strings.Join(names, " "); got != "ana bo eva olaf gus dora hal sam vmssbot" {
		t.Errorf("members = %s", got)
	}
}

func TestReactionsAreSetOnceAndTakenBack(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"})["ts"]
	args := doc{"channel": slacksim.Ops, "timestamp": ts, "name": ":eyes:"}
	w.must("reactions.add", args)
	if got := w.call("reactions.add", args)["error"]; got != "already_reacted" {
		t.Errorf("twice: %v", got)
	}
	if r := w.Messages("ops")[0].Reactions; len(r) != 1 || r[0].Name != "eyes" {
		t.Errorf("reactions = %v", r)
	}
	w.must("reactions.remove", args)
	if r := w.Messages("ops")[0].Reactions; len(r) != 0 {
		t.Errorf("reactions = %v", r)
	}
}

func TestDirectMessagesOpenByUserID(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	id := w.must("conversations.open", doc{"users": slacksim.Ana})["channel"].(doc)["id"].(string)
	if !strings.HasPrefix(id, "D") {
		t.Errorf("id = %s", id)
	}
	w.must("chat.postMessage", doc{"channel": slacksim.Ana, "text": "psst"})
	if m := w.Messages(id); len(m) != 1 || m[0].Text != "psst" {
		t.Errorf("messages = %v", m)
	}
}
