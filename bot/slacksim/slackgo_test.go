package slacksim_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// stock is a program on the stock slack-go client, as anybody would write it.
type stock struct {
	api    *slack.Client
	socket *socketmode.Client
	wg     sync.WaitGroup
	stop   context.CancelFunc

	mu     sync.Mutex
	events []slackevents.EventsAPIInnerEvent
	states []socketmode.EventType
}

// start runs the program: /vmss posts a card, a click updates it, "form" opens a form.
func (w *world) start() *stock {
	ctx, cancel := context.WithCancel(context.Background())
	p := &stock{stop: cancel}
	p.api = slack.New(w.BotToken(), slack.OptionAppLevelToken(w.AppToken()), slack.OptionAPIURL(w.url+"/api/"), slack.OptionHTTPClient(w.client))
	p.socket = socketmode.New(p.api, socketmode.OptionDialer(w.dialer))
	p.wg.Go(func() { p.socket.RunContext(ctx) })
	p.wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-p.socket.Events:
				p.handle(ev)
			}
		}
	})
	return p
}

func (p *stock) end() {
	p.stop()
	p.wg.Wait()
}

func (p *stock) handle(ev socketmode.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states = append(p.states, ev.Type)
	if ev.Request == nil || ev.Type == socketmode.EventTypeHello {
		return
	}
	switch data := ev.Data.(type) {
	case slack.SlashCommand:
		p.socket.Ack(*ev.Request)
		if data.Text == "form" {
			p.api.OpenView(data.TriggerID, reasonForm())
			return
		}
		p.api.PostMessage(data.ChannelID, slack.MsgOptionText("approve?", false), slack.MsgOptionBlocks(
			slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "approve *"+data.Text+"*?", false, false), nil, nil),
			slack.NewActionBlock("", slack.NewButtonBlockElement("approve", "nonce-1", slack.NewTextBlockObject("plain_text", "Approve", false, false)))))
	case slack.InteractionCallback:
		p.interaction(ev, data)
	case slackevents.EventsAPIEvent:
		p.socket.Ack(*ev.Request)
		p.events = append(p.events, data.InnerEvent)
	}
}

func (p *stock) interaction(ev socketmode.Event, data slack.InteractionCallback) {
	if data.Type == slack.InteractionTypeViewSubmission {
		reason := data.View.State.Values["reason"]["text"].Value
		if len(reason) < 5 {
			p.socket.Ack(*ev.Request, doc{"response_action": "errors", "errors": doc{"reason": "say more"}})
			return
		}
		p.socket.Ack(*ev.Request)
		return
	}
	p.socket.Ack(*ev.Request)
	a := data.ActionCallback.BlockActions[0]
	p.api.UpdateMessage(data.Channel.ID, data.Message.Timestamp, slack.MsgOptionText(data.User.Name+" approved "+a.Value, false))
	p.api.PostMessage(data.Channel.ID, slack.MsgOptionText("started", false), slack.MsgOptionTS(data.Message.Timestamp))
	p.api.PostEphemeral(data.Channel.ID, data.User.ID, slack.MsgOptionText("thank you", false))
}

func reasonForm() slack.ModalViewRequest {
	text := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("plain_text", s, false, false) }
	return slack.ModalViewRequest{Type: "modal", Title: text("Why?"), Submit: text("Send"), CallbackID: "why",
		Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewInputBlock("reason", text("Reason"), nil, slack.NewPlainTextInputBlockElement(nil, "text"))}}}
}

// conversation is what every transport must be able to carry: command, card, click, update, thread, ephemeral.
func conversation(t *testing.T, w *world, p *stock) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.Wait(ctx, func() bool { return len(w.State().Sockets) == 1 }); err != nil {
		t.Fatal(err)
	}
	out, err := w.Command("ana", "#ops", "/vmss", "web-prod for @bo")
	if err != nil || !out.Acked {
		t.Fatalf("command: %+v, %v", out, err)
	}
	if err := w.Wait(ctx, func() bool { return len(w.Messages("ops")) == 1 }); err != nil {
		t.Fatal(err)
	}
	card := w.Messages("ops")[0]
	if want := "approve *web-prod for <@U0BO000002|bo>*?"; !strings.Contains(string(card.Blocks), want) {
		t.Errorf("card blocks = %s, want %q in them", card.Blocks, want)
	}
	if out, err = w.Interact(slacksim.Interaction{User: "bo", Channel: "ops", TS: card.TS, ActionID: "approve"}); err != nil || !out.Acked {
		t.Fatalf("click: %+v, %v", out, err)
	}
	if err := w.Wait(ctx, func() bool { return len(w.Ephemerals("bo")) == 1 }); err != nil {
		t.Fatal(err)
	}
	thread := w.Thread("ops", card.TS)
	if len(thread) != 2 || thread[0].Text != "bo approved nonce-1" || thread[1].Text != "started" {
		t.Fatalf("thread = %+v", thread)
	}
	if len(thread[0].Edits) != 1 || len(thread[0].Blocks) != 0 {
		t.Errorf("text without blocks must remove the blocks and leave one edit: %+v", thread[0])
	}
	if len(w.Ephemerals("ana")) != 0 {
		t.Error("an ephemeral message was shown to somebody else")
	}
}

func TestStockSlackGoProgramWorksOverTCP(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	p := w.start()
	defer p.end()
	conversation(t, w, p)
}

func TestStockSlackGoProgramWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := inBubble(t, slacksim.Options{})
		defer end()
		p := w.start()
		defer p.end()
		conversation(t, w, p)
	})
}

func TestStockSlackGoFormShowsFieldErrorsAndThenCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := inBubble(t, slacksim.Options{})
		defer end()
		p := w.start()
		defer p.end()
		synctest.Wait()
		if _, err := w.Command("ana", "ops", "/vmss", "form"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(w.Views("ana")); n != 1 {
			t.Fatalf("%d forms are open, want 1", n)
		}
		say := func(reason string) slacksim.Outcome {
			out, err := w.SubmitView(slacksim.Submission{User: "ana", Values: map[string]map[string]string{"reason": {"text": reason}}})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if out := say(""); out.EnvelopeID != "" || out.Errors["reason"] == "" {
			t.Errorf("an empty required field must be refused by the form itself: %+v", out)
		}
		if out := say("no"); out.Errors["reason"] != "say more" {
			t.Errorf("field error = %+v", out)
		}
		if out := say("disk is full"); !out.Acked || len(w.Views("ana")) != 0 {
			t.Errorf("the form must close after a plain acknowledgement: %+v", out)
		}
	})
}

func TestStockSlackGoClientSurvivesHoursOfPingsAndRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := inBubble(t, slacksim.Options{SocketLifetime: time.Hour})
		defer end()
		p := w.start()
		defer p.end()
		time.Sleep(5*time.Hour + time.Minute)
		hellos := 0
		for _, e := range w.Log() {
			if e.Kind == slacksim.LogSocket && e.Method == "hello" {
				hellos++
			}
		}
		// One every hour less the ten seconds of warning, at which this client reconnects.
		if hellos != 6 {
			t.Errorf("%d sockets in five hours of one-hour sockets, want 6", hellos)
		}
		out, err := w.Command("ana", "ops", "/vmss", "x")
		if err != nil || !out.Acked {
			t.Errorf("after five hours: %+v, %v", out, err)
		}
	})
}

func TestStockSlackGoReceivesEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := inBubble(t, slacksim.Options{})
		defer end()
		p := w.start()
		defer p.end()
		synctest.Wait()
		if _, err := w.Say("ana", "ops", "@vmssbot pause <b> & #general", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := w.OpenHome("ana"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		var kinds []string
		for _, e := range p.events {
			kinds = append(kinds, e.Type)
			if m, ok := e.Data.(*slackevents.AppMentionEvent); ok && m.Text != "<@U0BOT00009> pause &lt;b&gt; &amp; <#C0GENERAL1|general>" {
				t.Errorf("app_mention text = %q", m.Text)
			}
		}
		if got := strings.Join(kinds, " "); got != "message app_mention app_home_opened" {
			t.Errorf("events = %s", got)
		}
	})
}

func TestStockSlackGoUploadsAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := inBubble(t, slacksim.Options{})
		defer end()
		api := slack.New(w.BotToken(), slack.OptionAPIURL(w.url+"/api/"), slack.OptionHTTPClient(w.client))
		sum, err := api.UploadFile(slack.UploadFileParameters{Filename: "report.csv", FileSize: 6, Content: "a,b\n1,", Channel: slacksim.Ops, Title: "Report"})
		if err != nil {
			t.Fatal(err)
		}
		f, _, _, err := api.GetFileInfo(sum.ID, 0, 0)
		if err != nil || f.Mimetype != "" {
			t.Errorf("before it is processed a file has no type: %+v, %v", f, err)
		}
		if n := len(w.Messages("ops")); n != 0 {
			t.Errorf("%d messages at once, want none: completion is asynchronous", n)
		}
		time.Sleep(1100 * time.Millisecond)
		f, _, _, err = api.GetFileInfo(sum.ID, 0, 0)
		if err != nil || f.Mimetype != "text/csv" || len(f.Shares.Public[slacksim.Ops]) != 1 {
			t.Errorf("after it is processed: %+v, %v", f, err)
		}
		m := w.Messages("ops")
		if len(m) != 1 || m[0].Files[0] != sum.ID || string(w.Files()[0].Content) != "a,b\n1," {
			t.Errorf("messages = %+v", m)
		}
	})
}

func TestStockSlackGoSeesSlacksErrors(t *testing.T) {
	w := overTCP(t, slacksim.Options{Scopes: []string{"users:read"}})
	api := slack.New(w.BotToken(), slack.OptionAPIURL(w.url+"/api/"), slack.OptionHTTPClient(w.client))
	_, _, err := api.PostMessage(slacksim.Ops, slack.MsgOptionText("x", false))
	var e slack.SlackErrorResponse
	if !asError(err, &e) || e.Err != "missing_scope" || e.Needed != "chat:write" || e.Provided != "users:read" {
		t.Errorf("error = %#v", err)
	}
	if u, err := api.GetUserInfo(slacksim.Gus); err != nil || !u.IsRestricted {
		t.Errorf("guest = %+v, %v", u, err)
	}
	if u, err := api.GetUserInfo(slacksim.Stranger); err != nil || !u.IsStranger || u.TeamID == "T024BE7LD" {
		t.Errorf("stranger = %+v, %v", u, err)
	}
}

func asError(err error, target *slack.SlackErrorResponse) bool {
	e, ok := err.(slack.SlackErrorResponse)
	*target = e
	return ok
}

func TestPublishedHomeTabIsWhatThePersonSees(t *testing.T) {
	w := overTCP(t, slacksim.Options{})
	view := doc{"type": "home", "blocks": []any{section("hello")}}
	first := w.must("views.publish", doc{"user_id": slacksim.Ana, "view": view})["view"].(doc)
	out, err := w.OpenHome("ana")
	if err != nil || out.View == nil || out.View.ID != first["id"] {
		t.Fatalf("open home: %+v, %v", out, err)
	}
	if got := w.call("views.publish", doc{"user_id": slacksim.Ana, "view": view, "hash": "1.x"})["error"]; got != "hash_conflict" {
		t.Errorf("stale hash: %v", got)
	}
	raw, _ := json.Marshal(view)
	if got := w.call("views.publish", doc{"user_id": slacksim.Ana, "view": string(raw), "hash": first["hash"]}); got["ok"] != true {
		t.Errorf("fresh hash: %v", got)
	}
}
