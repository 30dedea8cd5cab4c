package slacksim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// get fetches an address of the page.
func (w *world) get(path string) (*http.Response, string) {
	w.t.Helper()
	resp, err := w.client.Get(w.url + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(body)
}

// deed posts what the page posts; headers are pairs of name and value.
func (w *world) deed(what string, body doc, headers ...string) (int, doc) {
	w.t.Helper()
	raw, _ := json.Marshal(body)
	req, _ := http.NewRequest("POST", w.url+"/ui/"+what, strings.NewReader(string(raw)))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, answer := w.do(req)
	return resp.StatusCode, answer
}

// screen is what a browser window has been told, as its script keeps it.
type screen struct {
	t     *testing.T
	lines *bufio.Scanner
	html  map[string]string   // of parts and items
	order map[string][]string // of regions
	title string
	log   []doc
	items int // how many items came
}

// open connects a window; the query is without a question mark. A further header may be Last-Event-ID.
func (w *world) open(t *testing.T, query string) *screen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	req, _ := http.NewRequestWithContext(ctx, "GET", w.url+"/ui/stream?"+query, nil)
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("stream is %d %s", resp.StatusCode, kind)
	}
	s := &screen{t: t, lines: bufio.NewScanner(resp.Body), html: map[string]string{}, order: map[string][]string{}}
	s.lines.Buffer(nil, 1<<20)
	s.until("ready", func(n doc) bool { return n["what"] == "ready" })
	return s
}

// until reads news until one satisfies the condition.
func (s *screen) until(what string, done func(n doc) bool) {
	s.t.Helper()
	for s.lines.Scan() {
		data, isData := strings.CutPrefix(s.lines.Text(), "data: ")
		if !isData {
			continue
		}
		var n doc
		if err := json.Unmarshal([]byte(data), &n); err != nil {
			s.t.Fatal(err)
		}
		s.take(n)
		if done(n) {
			return
		}
	}
	s.t.Fatalf("the stream ended before %s: %v", what, s.lines.Err())
}

func (s *screen) take(n doc) {
	id, _ := n["id"].(string)
	body, _ := n["html"].(string)
	switch n["what"] {
	case "part":
		s.html[id] = body
	case "item":
		s.html[id] = body
		s.items++
	case "order":
		region, _ := n["region"].(string)
		s.order[region] = nil
		ids, _ := n["ids"].([]any)
		for _, one := range ids {
			s.order[region] = append(s.order[region], one.(string))
		}
	case "title":
		s.title = body
	case "log":
		for _, e := range n["entries"].([]any) {
			s.log = append(s.log, e.(doc))
		}
	}
}

// shows reads news until a region's items hold the words in this order.
func (s *screen) shows(region string, words ...string) {
	s.t.Helper()
	has := func(doc) bool {
		all := ""
		for _, id := range s.order[region] {
			all += s.html[id]
		}
		for _, w := range words {
			_, after, found := strings.Cut(all, w)
			if !found {
				return false
			}
			all = after
		}
		return true
	}
	if !has(nil) {
		s.until(region+" shows "+strings.Join(words, ", "), has)
	}
}

func TestThePageShowsBeforeAnyScriptRuns(t *testing.T) {
	w := overTCP(t, slacksim.Options{Welcome: []string{"Try `/vmss help`", "then *click*"}})
	w.Say("ana", "ops", "good morning", "")
	resp, body := w.get("/?as=bo")
	if resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'") {
		t.Errorf("status %d, policy %q", resp.StatusCode, resp.Header.Get("Content-Security-Policy"))
	}
	for _, want := range []string{"<title>#ops · Acme</title>", "good morning", "Bo Approver", `<code>/vmss help</code>`, "<strong>click</strong>", "vmssbot", `data-hint="upgrade SET TARGET`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, bad := range []string{"<script>", " onclick", " style=", w.BotToken(), w.AppToken()} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func TestEverythingThePageAsksForIsServed(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	for _, name := range []string{"page.css", "blocks.css", "icon.svg", "main.js", "place.js", "post.js", "swap.js", "text.js", "controls.js", "forms.js", "compose.js", "inspector.js"} {
		if resp, body := w.get("/ui/" + name); resp.StatusCode != 200 || body == "" || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
	}
	for _, name := range []string{"page.html", "emoji.txt", "../page.go", "", "main.js/x"} {
		if resp, _ := w.get("/ui/" + name); resp.StatusCode != 404 {
			t.Errorf("%q is served: %d", name, resp.StatusCode)
		}
	}
}

func TestAWindowIsToldOfNewChangedAndDeletedMessages(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	s := w.open(t, "as=ana&in=ops")
	first := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "one"})["ts"].(string)
	second := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "two"})["ts"].(string)
	s.shows("messages", "one", "two")
	w.must("chat.update", doc{"channel": slacksim.Ops, "ts": first, "blocks": []doc{section("*uno*")}})
	s.shows("messages", "<strong>uno</strong>", "two")
	if strings.Contains(s.html["msg-"+first], "(edited)") {
		t.Error("an edit with blocks shows as edited")
	}
	w.must("chat.update", doc{"channel": slacksim.Ops, "ts": second, "text": "dos"})
	s.shows("messages", "dos", "(edited)")
	w.must("chat.delete", doc{"channel": slacksim.Ops, "ts": first})
	s.until("the deletion", func(n doc) bool { return slices.Equal(s.order["messages"], []string{"msg-" + second}) })
}

func TestAWindowThatConnectsAgainHasEachMessageOnce(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	before := w.open(t, "as=ana&in=ops")
	w.Say("bo", "ops", "said before", "")
	before.shows("messages", "said before")
	w.Say("bo", "ops", "said in between", "")
	again := w.open(t, "as=ana&in=ops")
	again.shows("messages", "said before", "said in between")
	if len(again.order["messages"]) != 2 || again.items != 2 {
		t.Errorf("%d items in order %v, want each of 2 once", again.items, again.order["messages"])
	}
	if id := again.order["messages"][0]; again.html[id] != before.html[id] {
		t.Error("an unchanged message differs after the connection was lost: its version would, too")
	}
}

func TestEphemeralsAreForOnePersonUntilTheReload(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	born := func(page string) string { _, at, _ := strings.Cut(page, `data-born="`); return at[:17] }
	_, page := w.get("/?as=olaf")
	olaf, bo := w.open(t, "as=olaf&in=ops&born="+born(page)), w.open(t, "as=bo&in=ops&born="+born(page))
	w.must("chat.postEphemeral", doc{"channel": slacksim.Ops, "user": slacksim.Olaf, "text": "not for you"})
	olaf.shows("messages", "Only visible to you", "not for you")
	w.Say("ana", "ops", "later", "")
	bo.shows("messages", "later")
	if len(bo.order["messages"]) != 1 {
		t.Errorf("bo sees %v", bo.order["messages"])
	}
	_, page = w.get("/?as=olaf")
	if strings.Contains(page, "not for you") {
		t.Error("the ephemeral is there after a reload")
	}
}

func TestThreadsShowInTheirPaneAndBroadcastsInBoth(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	parent := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "parent"})["ts"].(string)
	w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "quiet reply", "thread_ts": parent})
	w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "loud reply", "thread_ts": parent, "reply_broadcast": true})
	s := w.open(t, "as=ana&in=ops&thread="+parent)
	s.shows("thread", "parent", "quiet reply", "Also sent to the channel", "loud reply")
	s.shows("messages", "parent", "2 replies", "replied to", "parent", "loud reply")
	if strings.Contains(strings.Join(s.order["messages"], ""), "quiet") || len(s.order["messages"]) != 2 {
		t.Errorf("the channel shows %v", s.order["messages"])
	}
	w.must("chat.delete", doc{"channel": slacksim.Ops, "ts": parent})
	s.shows("messages", "This message was deleted.", "2 replies")
}

func TestUnreadMessagesAreCountedUntilTheyAreRead(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	s := w.open(t, "as=bo&in=general")
	w.Say("ana", "ops", "one", "")
	said, _ := w.Say("ana", "ops", "two", "")
	w.Say("bo", "general", "my own", "")
	s.until("two unread", func(doc) bool { return strings.Contains(s.html["side"], `<span class="count">2<`) })
	if strings.Count(s.html["side"], `class="count"`) != 1 {
		t.Errorf("more is unread than #ops:\n%s", s.html["side"])
	}
	w.deed("read", doc{"as": "bo", "in": "ops", "ts": said.Message.TS})
	s.until("nothing unread", func(doc) bool { return !strings.Contains(s.html["side"], `class="count"`) })
	w.Say("ana", "ops", "three", "")
	fresh := w.open(t, "as=bo&in=ops")
	fresh.shows("messages", "two", `class="newline"`, "three")
}

func TestPeopleSeeOnlyTheirPlaces(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	s := w.open(t, "as=gus")
	if strings.Contains(s.html["side"], "general") || !strings.Contains(s.html["side"], ">ops<") {
		t.Errorf("a guest's places:\n%s", s.html["side"])
	}
	for _, path := range []string{"/?as=gus&in=general", "/ui/stream?as=gus&in=general", "/?as=nobody", "/?as=dora", "/?as=hal", "/?as=ana&in=nowhere"} {
		if resp, _ := w.get(path); resp.StatusCode != 404 {
			t.Errorf("%s: %d, want 404", path, resp.StatusCode)
		}
	}
	if archived := w.open(t, "as=ana&in=attic"); !strings.Contains(archived.html["foot"], "archived") || strings.Contains(archived.html["foot"], "textarea") {
		t.Errorf("an archived channel can be written to: %s", archived.html["foot"])
	}
}

func TestWhatIsTypedIsSentAsACommandOrAMessage(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	s := w.open(t, "as=ana&in=ops")
	if _, told := w.deed("send", doc{"as": "ana", "in": "ops", "text": "hello @bo :tada:"}); told["notice"] != nil {
		t.Errorf("a message was answered with %v", told)
	}
	s.shows("messages", "hello", "@bo", "🎉")
	said := w.Messages("ops")[0].TS
	for text, want := range map[string]string{"/nope x": "/nope is not a valid command.", "/vmss help": `/vmss failed with the error "dispatch_failed"`} {
		if _, told := w.deed("send", doc{"as": "ana", "in": "ops", "text": text}); told["notice"] != want {
			t.Errorf("%s: %v, want %q", text, told, want)
		}
	}
	if _, told := w.deed("send", doc{"as": "ana", "in": "ops", "thread_ts": said, "text": "/vmss help"}); told["notice"] != "/vmss is not supported in threads. Sorry!" {
		t.Errorf("a command in a thread: %v", told)
	}
	if status, told := w.deed("send", doc{"as": "gus", "in": "general", "text": "hi"}); status != 400 || told["error"] == nil {
		t.Errorf("a guest writes to a foreign channel: %d %v", status, told)
	}
	app := w.connect()
	got := app.answering(doc{"text": "at your service"})
	if _, told := w.deed("send", doc{"as": "ana", "in": "ops", "text": "/vmss  help\nme"}); told["notice"] != nil {
		t.Errorf("the command was answered with %v", told)
	}
	for f := range got {
		if f["type"] == "slash_commands" {
			if text := f["payload"].(doc)["text"]; text != "help me" {
				t.Errorf("the app got %q", text)
			}
			break
		}
	}
	s.shows("messages", "at your service")
}

func TestAPressOnWhatAnEditTookAwayStillReachesTheApp(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	got := w.connect().answering(nil)
	ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "t", "blocks": []doc{{"type": "actions", "block_id": "old", "elements": []doc{button("go", "Go", "v")}}}})["ts"].(string)
	w.must("chat.update", doc{"channel": slacksim.Ops, "ts": ts, "text": "t", "blocks": []doc{section("done")}})
	press := doc{"as": "bo", "in": "ops", "ts": ts, "action_id": "go", "block_id": "old", "value": "v"}
	if status, told := w.deed("press", press); status != 200 || told["notice"] != nil {
		t.Fatalf("press: %d %v", status, told)
	}
	for f := range got {
		if f["type"] == "interactive" {
			action := f["payload"].(doc)["actions"].([]any)[0].(doc)
			if action["block_id"] != "old" || action["value"] != "v" {
				t.Errorf("the app got %v", action)
			}
			break
		}
	}
	press["action_id"] = "never"
	if status, _ := w.deed("press", press); status != 400 {
		t.Errorf("a press on what never was there: %d", status)
	}
	if _, err := w.Interact(slacksim.Interaction{User: "bo", Channel: "ops", TS: ts, ActionID: "go"}); err == nil {
		t.Error("without Lagging an element of an earlier version can be used")
	}
}

func TestOptionsWithCommasInTheirValuesCanBeChosen(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	got := w.connect().answering(nil)
	option := func(v string) doc { return doc{"text": doc{"type": "plain_text", "text": v}, "value": v} }
	ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "t", "blocks": []doc{actions(
		doc{"type": "static_select", "action_id": "one", "options": []doc{option("1,2"), option("3")}},
		doc{"type": "multi_static_select", "action_id": "many", "options": []doc{option("1,2"), option("3")}})}})["ts"].(string)
	for action, value := range map[string]string{"one": "1,2", "many": `["1,2","3"]`} {
		if status, told := w.deed("press", doc{"as": "bo", "in": "ops", "ts": ts, "action_id": action, "value": value}); status != 200 {
			t.Errorf("%s: %d %v", action, status, told)
		}
	}
	seen := 0
	for f := range got {
		if f["type"] != "interactive" {
			continue
		}
		a := f["payload"].(doc)["actions"].([]any)[0].(doc)
		raw, _ := json.Marshal(a)
		if !strings.Contains(string(raw), `"value":"1,2"`) {
			t.Errorf("the app got %s", raw)
		}
		if seen++; seen == 2 {
			break
		}
	}
}

func TestFormsOpenTellFieldErrorsAndClose(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	s := w.open(t, "as=ana&in=ops")
	got := w.connect().answering(doc{"response_action": "errors", "errors": doc{"b": "too short"}})
	ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "t", "blocks": []doc{actions(button("form", "Form", "v"))}})["ts"].(string)
	w.deed("press", doc{"as": "ana", "in": "ops", "ts": ts, "action_id": "form"})
	for f := range got {
		if f["type"] == "interactive" {
			w.must("views.open", doc{"trigger_id": f["payload"].(doc)["trigger_id"], "view": doc{"type": "modal", "title": doc{"type": "plain_text", "text": "A form"},
				"submit": doc{"type": "plain_text", "text": "Send"}, "blocks": []doc{{"type": "input", "block_id": "b", "label": doc{"type": "plain_text", "text": "Why"},
					"element": doc{"type": "plain_text_input", "action_id": "a"}}}}})
			break
		}
	}
	s.shows("views", "A form", "Why", "Cancel", "Send")
	id := strings.TrimPrefix(s.order["views"][0], "view-")
	if _, told := w.deed("submit", doc{"as": "ana", "view_id": id, "values": doc{"b": doc{"a": ""}}}); told["errors"].(doc)["b"] != "Please complete this required field." {
		t.Errorf("an empty field: %v", told)
	}
	if _, told := w.deed("submit", doc{"as": "ana", "view_id": id, "values": doc{"b": doc{"a": "x"}}}); told["errors"].(doc)["b"] != "too short" {
		t.Errorf("the app's error: %v", told)
	}
	w.deed("close", doc{"as": "ana", "view_id": id})
	s.until("no form", func(doc) bool { return len(s.order["views"]) == 0 })
}

func TestTheHomeTabShowsWhatTheAppPublished(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	s := w.open(t, "as=ana&in=home")
	s.shows("messages", "has not published its Home tab yet")
	got := w.connect().answering(nil)
	w.deed("home", doc{"as": "ana"})
	for f := range got {
		if f["type"] == "events_api" {
			break
		}
	}
	w.must("views.publish", doc{"user_id": slacksim.Ana, "view": doc{"type": "home", "blocks": []doc{section("*mine*")}}})
	s.shows("messages", "<strong>mine</strong>")
}

func TestTheInspectorHasEveryLineOnceAndItsJSON(t *testing.T) {
	w := overTCP(t, slacksim.Options{Events: []string{}})
	w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "hello"})
	w.call("chat.postMessage", doc{"channel": "C9", "text": "lost"})
	s := w.open(t, "as=ana&in=ops&log=0")
	if len(s.log) != 2 || s.log[0]["method"] != "chat.postMessage" || s.log[1]["error"] != "channel_not_found" {
		t.Fatalf("the log is %v", s.log)
	}
	w.must("auth.test", nil)
	s.until("a third line", func(n doc) bool { return n["what"] == "log" })
	if len(s.log) != 3 || s.log[2]["method"] != "auth.test" {
		t.Errorf("the log is %v", s.log)
	}
	if again := w.open(t, "as=ana&in=ops&log=2"); len(again.log) != 1 || again.log[0]["seq"] != 3.0 {
		t.Errorf("after a lost connection the log is %v", again.log)
	}
	if _, body := w.get("/ui/log/1"); !strings.Contains(body, `"text": "hello"`) || strings.Contains(body, w.BotToken()) {
		t.Errorf("entry 1 is %s", body)
	}
	if resp, _ := w.get("/ui/log/99"); resp.StatusCode != 404 {
		t.Errorf("entry 99: %d", resp.StatusCode)
	}
}

func TestOtherSitesCannotActThroughABrowser(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	say := doc{"as": "ana", "in": "ops", "text": "hi"}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Content-Type", "text/plain"}} {
		if status, _ := w.deed("send", say, headers...); status != 403 {
			t.Errorf("%v: %d, want 403", headers, status)
		}
	}
	req, _ := http.NewRequest("POST", w.url+"/_control/message", strings.NewReader(`{"user":"ana","channel":"ops","text":"hi"}`))
	req.Header.Set("Origin", "https://evil.example")
	if resp, _ := w.do(req); resp.StatusCode != 403 {
		t.Errorf("the control API: %d, want 403", resp.StatusCode)
	}
	if got := w.Messages("ops"); len(got) != 0 {
		t.Errorf("said all the same: %v", got)
	}
	if status, _ := w.deed("send", say, "Sec-Fetch-Site", "same-origin"); status != 200 {
		t.Errorf("the page itself: %d", status)
	}
	if resp, _ := w.get("/ui/send"); resp.StatusCode == 200 {
		t.Error("a deed can be done by following a link")
	}
}

func TestFilesAreForThoseWhoSeeThemAndNeverRun(t *testing.T) {
	w := overTCP(t, slacksim.Options{FileDelay: -1})
	upload := func(name, channel string) string {
		up := w.must("files.getUploadURLExternal", doc{"filename": name, "length": 3})
		resp, err := w.client.Post(up["upload_url"].(string), "application/octet-stream", strings.NewReader("abc"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		w.must("files.completeUploadExternal", doc{"files": []doc{{"id": up["file_id"]}}, "channel_id": channel})
		return up["file_id"].(string)
	}
	page, picture := upload("x.html", slacksim.Ops), upload("map.png", slacksim.Ops)
	resp, body := w.get("/ui/file/" + page + "?as=ana")
	if body != "abc" || resp.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") ||
		!strings.Contains(resp.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("a page is served with %v", resp.Header)
	}
	if resp, _ := w.get("/ui/file/" + picture + "?as=ana"); resp.Header.Get("Content-Type") != "image/png" {
		t.Errorf("a picture is served with %v", resp.Header)
	}
	if resp, _ := w.get("/ui/file/" + picture + "?as=sam"); resp.StatusCode != 404 {
		t.Errorf("a stranger gets %d, want 404", resp.StatusCode)
	}
	s := w.open(t, "as=ana&in=ops")
	s.shows("messages", `download="x.html"`, `<img src="/ui/file/`+picture)
}

func TestPermalinksLeadToThePage(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	ts := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "parent"})["ts"].(string)
	reply := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "a reply", "thread_ts": ts})["ts"].(string)
	link := w.must("chat.getPermalink", doc{"channel": slacksim.Ops, "message_ts": reply})["permalink"].(string)
	if _, body := w.get(strings.TrimPrefix(link, w.url)); !strings.Contains(body, `id="thr-`+ts+`"`) || !strings.Contains(body, "a reply") {
		t.Errorf("%s does not lead to the thread", link)
	}
}
