package slacksim_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// bubble runs a test inside a synctest bubble with a served workspace.
func bubble(t *testing.T, opt slacksim.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, end := inBubble(t, opt)
		defer end()
		test(t, w)
	})
}

// command types /vmss as ana without waiting for the outcome.
func (w *world) command(text string) <-chan slacksim.Outcome {
	done := make(chan slacksim.Outcome, 1)
	go func() {
		out, err := w.Command("ana", "ops", "/vmss", text)
		if err != nil {
			w.t.Error(err)
		}
		done <- out
	}()
	return done
}

// entries returns the log entries of a kind.
func (w *world) entries(kind string) []slacksim.Entry {
	return slices.DeleteFunc(w.Log(), func(e slacksim.Entry) bool { return e.Kind != kind })
}

func TestTicketsAreSingleUseAndExpire(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		used := w.must("apps.connections.open", nil)["url"].(string)
		conn, _, err := w.dialer.Dial(used, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		late := w.must("apps.connections.open", nil)["url"].(string)
		time.Sleep(time.Minute)
		for _, url := range []string{used, late, "ws://slack.test/socket?ticket=invented", "ws://slack.test/socket"} {
			if _, resp, err := w.dialer.Dial(url, nil); err == nil || resp == nil || resp.StatusCode != 403 {
				t.Errorf("dial %s: %v", url, err)
			}
		}
	})
}

func TestHelloCountsSocketsAndTheEleventhIsRefused(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		for n := 1; n <= 10; n++ {
			a := w.dial()
			defer a.close()
			hello := <-a.got
			if hello["type"] != "hello" || hello["num_connections"] != float64(n) {
				t.Fatalf("socket %d: %v", n, hello)
			}
		}
		a := w.dial()
		defer a.close()
		if f := <-a.got; f["type"] != "disconnect" || f["reason"] != "too_many_websockets" {
			t.Errorf("eleventh: %v", f)
		}
		if _, open := <-a.got; open {
			t.Error("the eleventh socket stays open")
		}
		if n := len(w.State().Sockets); n != 10 {
			t.Errorf("%d sockets", n)
		}
	})
}

func TestEachEnvelopeGoesToOneSocketInTurn(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		a, b := w.connect(), w.connect()
		defer a.close()
		defer b.close()
		fromA, fromB := a.answering(nil), b.answering(doc{})
		for range 10 {
			if out := <-w.command("x"); !out.Acked {
				t.Fatalf("out = %+v", out)
			}
		}
		synctest.Wait()
		if len(fromA) != 5 || len(fromB) != 5 {
			t.Errorf("%d and %d envelopes, want 5 and 5", len(fromA), len(fromB))
		}
	})
}

func TestServerPingsAtOnceAndThenEveryTenSecondsAndAnswersPings(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		conn, _, err := w.dialer.Dial(w.must("apps.connections.open", nil)["url"].(string), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		pings, pongs := make(chan time.Time, 100), make(chan string, 100)
		answer := conn.PingHandler()
		conn.SetPingHandler(func(data string) error { pings <- time.Now(); return answer(data) })
		conn.SetPongHandler(func(data string) error { pongs <- data; return nil })
		go func() {
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
		start := time.Now()
		for i := range 6 {
			if at := (<-pings).Sub(start); at != time.Duration(i)*10*time.Second {
				t.Errorf("ping %d after %v", i, at)
			}
		}
		conn.WriteMessage(websocket.PingMessage, []byte("are you there"))
		if got := <-pongs; got != "are you there" {
			t.Errorf("pong = %q", got)
		}
	})
}

func TestPersonSeesWhyACommandFailed(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		if out := <-w.command("x"); out.Notice != `/vmss failed with the error "dispatch_failed"` {
			t.Errorf("without an app: %+v", out)
		}
		a := w.connect()
		defer a.close()
		start := time.Now()
		out := <-w.command("x")
		if took := time.Since(start); out.Acked || out.Notice != `/vmss failed with the error "operation_timeout"` || took != 3*time.Second {
			t.Errorf("a silent app, after %v: %+v", took, out)
		}
		a.ack(<-a.got, nil) // too late
		synctest.Wait()
		if acks := w.entries(slacksim.LogAck); len(acks) != 1 || acks[0].Error == "" {
			t.Errorf("acknowledgements = %+v", acks)
		}
		if out, err := w.Command("ana", "ops", "/deploy", ""); err != nil || out.Notice != "/deploy is not a valid command." {
			t.Errorf("another command: %+v, %v", out, err)
		}
	})
}

func TestAcknowledgementMayCarryTheAnswer(t *testing.T) {
	for _, row := range []struct {
		name    string
		payload any
		shown   string // text
		private bool
		notice  string
	}{
		{"nothing", nil, "", false, ""},
		{"an empty payload", doc{}, "", false, ""},
		{"text", doc{"text": "on it"}, "on it", true, ""},
		{"text for the channel", doc{"text": "on it", "response_type": "in_channel"}, "on it", false, ""},
		{"invalid blocks", doc{"blocks": []any{doc{"type": "x"}}}, "", false, `/vmss failed with the error "invalid_command_response"`},
		{"20 kB or more is dropped", doc{"text": strings.Repeat("x", 20480)}, "", false, `/vmss failed with the error "operation_timeout"`},
	} {
		bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
			a := w.connect()
			defer a.close()
			a.answering(row.payload)
			out := <-w.command("x")
			if out.Notice != row.notice {
				t.Errorf("%s: notice %q, want %q", row.name, out.Notice, row.notice)
			}
			if row.shown == "" {
				if len(out.Shown) != 0 {
					t.Errorf("%s: shown %+v", row.name, out.Shown)
				}
				return
			}
			if len(out.Shown) != 1 || out.Shown[0].Text != row.shown || (out.Shown[0].EphemeralTo == slacksim.Ana) != row.private {
				t.Errorf("%s: shown %+v", row.name, out.Shown)
			}
		})
	}
}

func TestAcknowledgementCountsFromAnySocket(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		a, b := w.connect(), w.connect()
		defer a.close()
		defer b.close()
		done := w.command("x")
		select {
		case f := <-a.got:
			b.ack(f, nil)
		case f := <-b.got:
			a.ack(f, nil)
		}
		if out := <-done; !out.Acked {
			t.Errorf("out = %+v", out)
		}
	})
}

func TestGarbageOnTheSocketIsIgnored(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		for _, m := range []string{"hello?", "[]", `{"envelope_id":"unknown"}`, "{}"} {
			a.conn.WriteMessage(websocket.TextMessage, []byte(m))
		}
		a.conn.WriteMessage(websocket.BinaryMessage, []byte{0})
		a.answering(nil)
		if out := <-w.command("x"); !out.Acked {
			t.Errorf("out = %+v", out)
		}
	})
}

func TestRefreshLosesNoClick(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		old := w.connect()
		if err := w.Inject(slacksim.Fault{Kind: "refresh"}); err != nil {
			t.Fatal(err)
		}
		if f := <-old.got; f["type"] != "disconnect" || f["reason"] != "refresh_requested" {
			t.Fatalf("frame = %v", f)
		}
		before := w.command("on the old socket, unacknowledged") // the old socket is the only one
		envelope := <-old.got
		old.close()
		synctest.Wait()
		during := w.command("in the gap")
		synctest.Wait()
		next := w.connect()
		defer next.close()
		first := <-next.got
		if first["envelope_id"] != envelope["envelope_id"] {
			t.Errorf("the unacknowledged envelope must come again with its id: %v", first)
		}
		next.ack(first, nil)
		next.ack(<-next.got, nil)
		if out := <-before; !out.Acked {
			t.Errorf("before: %+v", out)
		}
		if out := <-during; !out.Acked {
			t.Errorf("during: %+v", out)
		}
	})
}

func TestRetiringSocketGetsNothingWhileAnotherIsThere(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		old, next := w.connect(), w.connect()
		defer next.close()
		id := w.State().Sockets[0].ID
		w.Inject(slacksim.Fault{Kind: "disconnect", Socket: id, Reason: "warning"})
		got := next.answering(nil)
		for range 5 {
			<-w.command("x")
		}
		synctest.Wait()
		if len(got) != 5 || len(old.got) != 1 {
			t.Errorf("new socket got %d envelopes, old one %d frames", len(got), len(old.got))
		}
		time.Sleep(time.Minute)
		if n := len(w.State().Sockets); n != 2 {
			t.Errorf("a warning closes nothing: %d sockets", n)
		}
		w.Inject(slacksim.Fault{Kind: "refresh", Socket: id})
		time.Sleep(11 * time.Second)
		if n := len(w.State().Sockets); n != 1 {
			t.Errorf("the server closes a socket that does not go: %d sockets", n)
		}
		old.close()
	})
}

func TestUnacknowledgedEventsComeAgainThreeTimes(t *testing.T) {
	bubble(t, slacksim.Options{Events: []string{"app_mention"}}, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		go func() {
			for range a.got {
			}
		}()
		start := time.Now()
		w.Say("ana", "ops", "@vmssbot hello", "")
		time.Sleep(time.Hour)
		var at []time.Duration
		ids := map[any]bool{}
		for i, e := range w.entries(slacksim.LogEnvelope) {
			at = append(at, e.Time.Sub(start))
			f := parse(t, e.Args)
			ids[f["payload"].(doc)["event_id"]] = true
			reason := "timeout"
			if i == 0 {
				reason = ""
			}
			if f["retry_attempt"] != float64(i) || f["retry_reason"] != reason {
				t.Errorf("attempt %d: %v %v", i, f["retry_attempt"], f["retry_reason"])
			}
		}
		want := []time.Duration{0, 3 * time.Second, 66 * time.Second, 369 * time.Second}
		if !slices.Equal(at, want) || len(ids) != 1 {
			t.Errorf("deliveries at %v of %d events, want %v of one", at, len(ids), want)
		}
	})
}

func TestAcknowledgedEventsDoNotComeAgain(t *testing.T) {
	bubble(t, slacksim.Options{Events: []string{"app_mention"}}, func(t *testing.T, w *world) {
		a := w.connect()
		defer a.close()
		a.answering(nil)
		w.Say("ana", "ops", "@vmssbot hello", "")
		time.Sleep(time.Hour)
		if n := len(w.entries(slacksim.LogEnvelope)); n != 1 {
			t.Errorf("%d deliveries", n)
		}
	})
}

func TestSocketFaults(t *testing.T) {
	t.Run("drop cuts without a close frame", func(t *testing.T) {
		bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
			a := w.connect()
			w.Inject(slacksim.Fault{Kind: "drop"})
			if _, open := <-a.got; open {
				t.Error("a frame came")
			}
		})
	})
	t.Run("deaf passes nothing and dies of missed pings", func(t *testing.T) {
		bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
			a := w.connect()
			defer a.close()
			a.answering(nil)
			w.Inject(slacksim.Fault{Kind: "deaf"})
			if out := <-w.command("x"); out.Acked || out.Notice == "" {
				t.Errorf("out = %+v", out)
			}
			if n := len(w.State().Sockets); n != 1 {
				t.Errorf("%d sockets: a half-open one still counts", n)
			}
			time.Sleep(time.Minute)
			if n := len(w.State().Sockets); n != 0 {
				t.Errorf("%d sockets after a minute without pongs", n)
			}
		})
	})
	t.Run("duplicate comes on two sockets with one id", func(t *testing.T) {
		bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
			a, b := w.connect(), w.connect()
			defer a.close()
			defer b.close()
			w.Inject(slacksim.Fault{Kind: "duplicate", Type: "slash_commands"})
			done := w.command("x")
			one, two := <-a.got, <-b.got
			if one["envelope_id"] != two["envelope_id"] {
				t.Errorf("ids %v and %v", one["envelope_id"], two["envelope_id"])
			}
			a.ack(one, nil)
			b.ack(two, nil)
			if out := <-done; !out.Acked {
				t.Errorf("out = %+v", out)
			}
		})
	})
	t.Run("hold delivers later, so that a later click overtakes", func(t *testing.T) {
		bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
			a := w.connect()
			defer a.close()
			got := a.answering(nil)
			w.Inject(slacksim.Fault{Kind: "hold", Delay: slacksim.Duration(2 * time.Second)})
			early := w.command("early")
			synctest.Wait()
			<-w.command("late")
			<-early
			if one, two := textOf(<-got), textOf(<-got); one != "late" || two != "early" {
				t.Errorf("order: %s, %s", one, two)
			}
		})
	})
	t.Run("retry marks the delivery", func(t *testing.T) {
		bubble(t, slacksim.Options{Events: []string{"app_mention"}}, func(t *testing.T, w *world) {
			a := w.connect()
			defer a.close()
			w.Inject(slacksim.Fault{Kind: "retry", Attempt: 2, Reason: "timeout"})
			w.Say("ana", "ops", "@vmssbot x", "")
			if f := <-a.got; f["retry_attempt"] != 2.0 || f["retry_reason"] != "timeout" {
				t.Errorf("frame = %v", f)
			}
		})
	})
	t.Run("refuse_open answers for a while", func(t *testing.T) {
		bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
			w.Inject(slacksim.Fault{Kind: "refuse_open", Error: "fatal_error", For: slacksim.Duration(10 * time.Minute)})
			for range 3 {
				if got := w.call("apps.connections.open", nil)["error"]; got != "fatal_error" {
					t.Errorf("during: %v", got)
				}
			}
			time.Sleep(10 * time.Minute)
			w.must("apps.connections.open", nil)
		})
	})
}

func textOf(envelope doc) any { return envelope["payload"].(doc)["text"] }

func TestSlowClientDoesNotHoldUpTheOthers(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		// Over a pipe nothing is buffered: a client that does not read blocks the server's first write to it.
		slow, _, err := w.dialer.Dial(w.must("apps.connections.open", nil)["url"].(string), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer slow.Close()
		synctest.Wait()
		quick := w.connect()
		defer quick.close()
		quick.answering(nil)
		acked := 0
		start := time.Now()
		for range 4 {
			if out := <-w.command("x"); out.Acked {
				acked++
			}
		}
		if took := time.Since(start); acked != 2 || took != 6*time.Second {
			t.Errorf("%d of 4 acknowledged in %v; the slow socket takes two, 3 s each", acked, took)
		}
		time.Sleep(10 * time.Second)
		if n := len(w.State().Sockets); n != 1 {
			t.Errorf("%d sockets: the slow one must be cut", n)
		}
	})
}

func TestOrderedSocketLifeWithDebugReconnects(t *testing.T) {
	bubble(t, slacksim.Options{}, func(t *testing.T, w *world) {
		url := w.must("apps.connections.open", nil)["url"].(string) + "&debug_reconnects=true"
		conn, _, err := w.dialer.Dial(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		start := time.Now()
		for i, want := range []string{"hello", "disconnect", "disconnect"} {
			var f doc
			if err := conn.ReadJSON(&f); err != nil || f["type"] != want {
				t.Fatalf("frame %d: %v, %v", i, f, err)
			}
		}
		if took := time.Since(start); took != 360*time.Second {
			t.Errorf("asked to reconnect after %v", took)
		}
	})
}
