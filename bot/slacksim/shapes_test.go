package slacksim_test

import (
	_ "embed"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

//go:embed testdata/shapes.json
var shapesJSON []byte

// extra are keys that real Slack sends and the samples lack, each with where it is documented.
var extra = map[string]string{
	"context_team_id":       "docs.slack.dev/apis/events-api, the event wrapper",
	"context_enterprise_id": "docs.slack.dev/apis/events-api, the event wrapper",
	"channel_type":          "docs.slack.dev/reference/events/message.channels",
	"warning":               "docs.slack.dev/apis/web-api, evaluating responses",
	"response_metadata":     "docs.slack.dev/apis/web-api, evaluating responses",
	"include_users":         "docs.slack.dev/reference/methods/usergroups.list",
	"auto_type":             "docs.slack.dev/reference/methods/usergroups.list",
	"is_user_deleted":       "docs.slack.dev/reference/methods/conversations.info, a direct message",
	"client_msg_id":         "docs.slack.dev/reference/events/message",
	"response_urls":         "docs.slack.dev/reference/interaction-payloads/view-interactions-payload",
	"blocks":                "docs.slack.dev/reference/interaction-payloads/view-interactions-payload, inside view",
	"cache_ts":              "docs.slack.dev/reference/methods/users.list",
}

// within fails for every key that the sample does not have, and for every value of another kind. Null in the
// sample means anything; null from us fits everything; empty lists fit every list.
func within(t *testing.T, at string, got, sample any) {
	t.Helper()
	switch s := sample.(type) {
	case doc:
		g, ok := got.(doc)
		if !ok {
			if got != nil {
				t.Errorf("%s: %T, the sample has an object", at, got)
			}
			return
		}
		open := len(s) == 0 // {} in a sample: keys are data
		for k, v := range g {
			if known, has := s[k]; has {
				within(t, at+"."+k, v, known)
			} else if extra[k] == "" && !open {
				t.Errorf("%s.%s: the sample has no such key", at, k)
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok && got != nil {
			t.Errorf("%s: %T, the sample has a list", at, got)
		}
		for i, v := range g {
			if len(s) > 0 {
				within(t, fmt.Sprintf("%s[%d]", at, i), v, s[0])
			}
		}
	case nil:
	default:
		if got != nil && fmt.Sprintf("%T", got) != fmt.Sprintf("%T", sample) {
			t.Errorf("%s: %T, the sample has %T", at, got, sample)
		}
	}
}

// covers fails for every key of a sample of real traffic that we do not send.
func covers(t *testing.T, at string, got, sample any) {
	t.Helper()
	s, isObject := sample.(doc)
	g, _ := got.(doc)
	for k, v := range s {
		if _, has := g[k]; !has && isObject && !strings.HasPrefix(k, "enterprise") {
			t.Errorf("%s.%s is in real traffic, not in ours", at, k)
		} else if has {
			covers(t, at+"."+k, g[k], v)
		}
	}
}

// samples compares with the shapes in testdata.
type samples struct {
	t   *testing.T
	all doc
}

// allow checks that every key we send is known.
func (s samples) allow(got any, name string) {
	s.t.Helper()
	if s.all[name] == nil {
		s.t.Fatalf("no sample %s", name)
	}
	within(s.t, name, got, s.all[name])
}

// like checks that the keys are exactly those of real traffic, but for what extra lists.
func (s samples) like(got any, name string) {
	s.t.Helper()
	s.allow(got, name)
	covers(s.t, name, got, s.all[name])
}

func TestEnvelopesHaveTheKeysOfRealTraffic(t *testing.T) {
	s := samples{t, parse(t, shapesJSON)}
	synctest.Test(t, func(t *testing.T) {
		w, end := inBubble(t, slacksim.Options{RateScale: -1, Events: []string{"app_mention", "app_home_opened"}})
		defer end()
		a := w.dial()
		defer a.close()
		s.t = t
		next := func() doc { f := <-a.got; a.ack(f, nil); return f }
		inside := func(f doc) doc { return f["payload"].(doc) }
		s.like(<-a.got, "envelope.hello.json")

		done := w.command("x")
		slash := next()
		s.allow(with(inside(slash), "is_enterprise_install", nil), "SlashCommandPayload.json")
		covers(t, "slash", slash, s.all["envelope.slash_commands.json"])
		form := with(modal(doc{"type": "input", "block_id": "hspI", "label": plainText(1), "optional": false,
			"element": doc{"type": "plain_text_input", "action_id": "maBWU"}}), "notify_on_close", true, "close", plainText(1))
		w.must("views.open", doc{"trigger_id": (<-done).TriggerID, "view": form})
		submitted := make(chan bool)
		go func() {
			w.SubmitView(slacksim.Submission{User: "ana", Values: map[string]map[string]string{"hspI": {"maBWU": "test"}}})
			close(submitted)
		}()
		f := next()
		<-submitted
		s.allow(inside(f), "ViewSubmissionPayload.json")
		covers(t, "submission", inside(f), s.all["payload.view_submission.bolt-python.json"])

		done = w.command("y")
		next()
		w.must("views.open", doc{"trigger_id": (<-done).TriggerID, "view": form})
		w.CloseView("ana", "", false)
		f = next()
		s.allow(inside(f), "ViewClosedPayload.json")
		covers(t, "closing", with(inside(f), "response_urls", nil), s.all["payload.view_closed.bolt-python.json"])

		w.Say("ana", "ops", "<@"+slacksim.BotUser+"> hey", "")
		f = next()
		s.allow(inside(f), "AppMentionPayload.json")
		s.like(f, "envelope.events_api.app_mention.json")
		w.OpenHome("ana")
		s.allow(inside(next()), "AppHomeOpenedPayload.json")
		go w.Shortcut("ana", "do-something", "", "")
		s.like(next(), "envelope.interactive.shortcut.json")

		said, _ := w.Say("ana", "ops", "look", "")
		go w.Shortcut("bo", "on-message", "ops", said.Message.TS)
		s.allow(inside(next()), "MessageShortcutPayload.json")
		ts := w.card(actions(button("a", "Click Me!", "underlying")))
		go w.Interact(slacksim.Interaction{User: "bo", Channel: "ops", TS: ts, ActionID: "a"})
		f = next()
		s.allow(inside(f), "BlockActionPayload.json")
		covers(t, "click", f, s.all["envelope.java.interactive.json"])
		private := w.must("chat.postEphemeral", doc{"channel": slacksim.Ops, "user": slacksim.Bo, "text": "x", "blocks": []any{actions(button("a", "x", "v"))}})
		go w.Interact(slacksim.Interaction{User: "bo", Channel: "ops", TS: private["message_ts"].(string), ActionID: "a"})
		f = next()
		s.allow(inside(f), "BlockActionPayload.json")
		covers(t, "ephemeral click", inside(f), s.all["payload.block_actions.bolt-python.json"])
		synctest.Wait()
	})
}

func TestMessageEventsHaveTheKeysOfRealTraffic(t *testing.T) {
	s := samples{t, parse(t, shapesJSON)}
	bubble(t, slacksim.Options{Events: []string{"message.channels"}}, func(t *testing.T, w *world) {
		s.t = t
		a := w.connect()
		defer a.close()
		w.Say("ana", "ops", "<@"+slacksim.BotUser+"> Hi here!", "")
		<-a.got
		f := <-a.got // three seconds later, since nobody acknowledged
		covers(t, "message", f, s.all["envelope.events_api.message.json"])
		s.like(f, "envelope.events_api.message.retry1-timeout.json")
		a.ack(f, nil)
		time.Sleep(time.Second)
	})
}

func TestAnswersHaveTheKeysOfTheReference(t *testing.T) {
	s := samples{t, parse(t, shapesJSON)}
	w := overTCP(t, slacksim.Options{RateScale: -1, FileDelay: -1})
	s.allow(w.must("auth.test", nil), "api.auth.test.json")
	s.allow(w.must("apps.connections.open", nil), "api.apps.connections.open.json")
	s.allow(w.must("bots.info", doc{"bot": "B0BOT00009"}), "api.bots.info.json")
	s.allow(w.must("team.info", nil), "api.team.info.json")
	for _, u := range w.State().Users {
		s.allow(w.must("users.info", doc{"user": u.ID, "include_locale": true}), "api.users.info.json")
	}
	for _, c := range w.State().Channels {
		s.allow(w.must("conversations.info", doc{"channel": c.ID, "include_num_members": true}), "api.conversations.info.json")
	}
	s.allow(w.must("usergroups.list", doc{"include_users": true}), "api.usergroups.list.json")
	s.allow(w.must("usergroups.users.list", doc{"usergroup": slacksim.Approvers}), "api.usergroups.users.list.json")

	posted := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x", "blocks": []any{section("x")}, "metadata": doc{"event_type": "t", "event_payload": doc{}}})
	s.allow(posted, "api.chat.postMessage.shape.json")
	s.allow(w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x", "thread_ts": posted["ts"], "reply_broadcast": true}), "api.chat.postMessage.shape.json")
	s.allow(w.must("chat.postEphemeral", doc{"channel": slacksim.Ops, "user": slacksim.Ana, "text": "x"}), "api.chat.postEphemeral.json")
	s.allow(w.must("chat.getPermalink", doc{"channel": slacksim.Ops, "message_ts": posted["ts"]}), "api.chat.getPermalink.json")
	s.allow(w.must("reactions.add", doc{"channel": slacksim.Ops, "timestamp": posted["ts"], "name": "eyes"}), "api.reactions.add.json")
	alone := w.must("chat.postMessage", doc{"channel": slacksim.Ops, "text": "x"})
	updated := w.must("chat.update", doc{"channel": slacksim.Ops, "ts": alone["ts"], "text": "y"})
	delete(updated["message"].(doc), "ts") // the sample's array was cut to a message without it
	s.allow(updated, "api.chat.update.shape.json")
	s.allow(w.must("chat.delete", doc{"channel": slacksim.Ops, "ts": alone["ts"]}), "api.chat.delete.json")

	home := doc{"type": "home", "blocks": []any{section("x")}}
	s.allow(w.must("views.publish", doc{"user_id": slacksim.Ana, "view": home}), "api.views.publish.shape.json")
	slot := w.must("files.getUploadURLExternal", doc{"filename": "map.png", "length": 3})
	s.allow(slot, "api.files.getUploadURLExternal.json")
	w.upload(slot["upload_url"].(string), "png")
	s.allow(w.must("files.completeUploadExternal", doc{"files": []any{doc{"id": slot["file_id"]}}, "channel_id": slacksim.Ops}), "api.files.completeUploadExternal.json")
	s.allow(w.must("files.info", doc{"file": slot["file_id"]})["file"], "file.json")
}

func TestAnswersCarryEveryKeyThatClientsRead(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	for method, keys := range map[string][]string{
		"auth.test":             {"ok", "url", "team", "user", "team_id", "user_id", "bot_id", "is_enterprise_install"},
		"users.info":            {"ok", "user"},
		"conversations.info":    {"ok", "channel"},
		"usergroups.users.list": {"ok", "users"},
		"chat.postMessage":      {"ok", "channel", "ts", "message"},
	} {
		answer := w.form(method, url.Values{"token": {w.BotToken()}, "user": {slacksim.Ana}, "channel": {slacksim.Ops}, "usergroup": {slacksim.Approvers}, "text": {"x"}})
		var got []string
		for k := range answer {
			got = append(got, k)
		}
		slices.Sort(got)
		slices.Sort(keys)
		if !slices.Equal(got, keys) {
			t.Errorf("%s has the keys %v, want %v", method, got, keys)
		}
	}
}
