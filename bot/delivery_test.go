package bot

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

func TestOneThingAPersonDidHasOneKey(t *testing.T) {
	const (
		click   = `{"type":"block_actions","trigger_id":"t1","user":{"id":"U1"},"channel":{"id":"C1"},"container":{"message_ts":"1.0","channel_id":"C1"},"actions":[{"action_id":"approve","action_ts":"9.0"}]}`
		event   = `{"event_id":"Ev1","event":{"type":"app_mention","user":"U1"}}`
		command = `{"command":"/vmss","text":"help","user_id":"U1","trigger_id":"t1"}`
	)
	for _, row := range []struct {
		name, kind, envelope, body, want string
	}{
		{"an event", kindEvent, "e1", event, "events_api/event/Ev1"},
		{"the event, sent again", kindEvent, "e2", event, "events_api/event/Ev1"},
		{"a command", kindCommand, "e1", command, "slash_commands/trigger/t1"},
		{"the command, in another envelope", kindCommand, "e2", command, "slash_commands/trigger/t1"},
		{"a click", kindInteract, "e1", click, "interactive/action/C1/1.0/approve/U1/9.0"},
		{"the click with a fresh trigger", kindInteract, "e2", strings.Replace(click, "t1", "t2", 1), "interactive/action/C1/1.0/approve/U1/9.0"},
		{"another person's click on the same button", kindInteract, "e1", strings.Replace(click, "U1", "U2", 1), "interactive/action/C1/1.0/approve/U2/9.0"},
		{"the person's next click", kindInteract, "e1", strings.Replace(click, "9.0", "9.5", 1), "interactive/action/C1/1.0/approve/U1/9.5"},
		{"a click in a view", kindInteract, "e1", `{"type":"block_actions","trigger_id":"t1","actions":[{"action_id":"a","action_ts":"9.0"}]}`, "interactive/trigger/t1"},
		{"what has no id of its own", kindInteract, "e1", `{"type":"view_closed"}`, "interactive/envelope/e1"},
		{"what cannot be read", kindInteract, "e1", `{"type":`, "interactive/envelope/e1"},
	} {
		p, _ := parse(json.RawMessage(row.body))
		if got := deliveryKey(row.kind, row.envelope, p); got != row.want {
			t.Errorf("%s has the key %q, want %q", row.name, got, row.want)
		}
	}
}

// payloads are true ones, as the workspace sent them for what a person did.
func payloads(o *office) map[string]json.RawMessage {
	o.Helper()
	out := map[string]json.RawMessage{}
	for _, e := range o.sim.Log() {
		var frame struct {
			Type    string
			Payload json.RawMessage
		}
		if e.Kind != slacksim.LogEnvelope || json.Unmarshal(e.Args, &frame) != nil {
			continue
		}
		if p, _ := parse(frame.Payload); frame.Type != kindEvent || p.forUs() {
			out[frame.Type] = frame.Payload
		}
	}
	return out
}

// with is the payload with one field set, or taken out when value is nil. The path is dotted.
func with(body json.RawMessage, path string, value any) json.RawMessage {
	var doc map[string]any
	if json.Unmarshal(body, &doc) != nil {
		return body
	}
	at, names := doc, strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		next, ok := at[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
		}
		at = next
	}
	if last := names[len(names)-1]; value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	out, _ := json.Marshal(doc)
	return out
}

// TestAPayloadIsHeardOnlyWhenEachFieldIsOurs changes one field of a true payload at a time. What Slack
// fills in and people cannot must be as it is.
func TestAPayloadIsHeardOnlyWhenEachFieldIsOurs(t *testing.T) {
	type change struct {
		kind, path string
		value      any
	}
	refused := []change{
		{kindCommand, "team_id", "T0OTHER"}, {kindCommand, "team_id", nil}, {kindCommand, "api_app_id", "A0OTHER"}, {kindCommand, "api_app_id", nil},
		{kindCommand, "enterprise_id", "E0OTHER"}, {kindCommand, "is_enterprise_install", "true"}, {kindCommand, "user_id", nil},
		{kindCommand, "user_id", slacksim.Stranger}, {kindCommand, "user_id", slacksim.Hal},
		{kindInteract, "team.id", "T0OTHER"}, {kindInteract, "team", nil}, {kindInteract, "user.team_id", "T0OTHER"}, {kindInteract, "team_id", "T0OTHER"},
		{kindInteract, "api_app_id", "A0OTHER"}, {kindInteract, "enterprise.id", "E0OTHER"}, {kindInteract, "is_enterprise_install", true},
		{kindInteract, "channel.id", slacksim.General}, {kindInteract, "container.channel_id", slacksim.General}, {kindInteract, "user.id", nil},
		{kindInteract, "user.id", slacksim.Stranger}, {kindInteract, "user.id", slacksim.Hal}, {kindInteract, "type", "gesture"},
		{kindEvent, "team_id", "T0OTHER"}, {kindEvent, "team_id", nil}, {kindEvent, "api_app_id", "A0OTHER"}, {kindEvent, "enterprise_id", "E0OTHER"},
		{kindEvent, "is_enterprise_install", true}, {kindEvent, "event.user", slacksim.Stranger}, {kindEvent, "event.user", slacksim.Hal},
		{kindEvent, "event.user", slacksim.BotUser}, {kindEvent, "event.user", nil}, {kindEvent, "event.bot_id", "B0OTHER"}, {kindEvent, "event.type", "message"},
	}
	heard := []change{ // what makes no difference, so that the rest of the table means something
		{kindCommand, "team_domain", "other"}, {kindInteract, "user.name", "bo"}, {kindEvent, "event.client_msg_id", "x"}, {kindInteract, "team_id", nil},
		{kindCommand, "enterprise_id", ""}, {kindInteract, "user.team_id", nil},
	}
	inBubble(t, func(o *office) {
		id := o.opened("web")
		say := func(what string) { // in every way there is
			n := len(o.answers("ana"))
			o.command("ana", "ops", what+" "+id)
			o.until("it is answered", func() bool { return len(o.answers("ana")) >= n+1 })
		}
		say("pause")
		say("resume")
		o.sim.Say("ana", "ops", "@vmssbot pause "+id, "")
		o.until("the pause counts", func() bool { return o.count(id, "Paused") == 2 })
		say("resume")
		o.sim.Interact(slacksim.Interaction{User: "ana", Channel: "ops", TS: o.root(id).TS, ActionID: "pause", Value: id, Force: true})
		o.until("the pause counts", func() bool { return o.count(id, "Paused") == 3 })
		say("resume")
		o.pass(10 * time.Second)
		sound := payloads(o)
		sound[kindCommand] = with(sound[kindCommand], "text", "pause "+id)

		pauses := func(c change) (counted, audited, answered int) {
			p, d, a := o.count(id, "Paused"), len(o.journal.declined()), len(o.answers("ana"))
			o.deliver(c.kind, with(sound[c.kind], c.path, c.value))
			o.until("it is settled", func() bool { return o.journal.waiting() == 0 })
			o.pass(10 * time.Second)
			return o.count(id, "Paused") - p, len(o.journal.declined()) - d, len(o.answers("ana")) - a
		}
		for _, c := range refused {
			if counted, audited, answered := pauses(c); counted != 0 || audited != 1 || answered != 0 {
				t.Errorf("%s with %s = %v: %d effects, %d lines of audit, %d answers; want only the line", c.kind, c.path, c.value, counted, audited, answered)
			}
		}
		for _, c := range heard {
			if counted, audited, answered := pauses(c); counted != 1 || audited != 0 || answered != 1 {
				t.Errorf("%s with %s = %v: %d effects, %d lines of audit, %d answers; want it heard", c.kind, c.path, c.value, counted, audited, answered)
			}
			say("resume")
		}
	})
}

func TestAFlagIsReadInBothOfItsForms(t *testing.T) {
	for body, want := range map[string]truth{`true`: true, `"true"`: true, `false`: false, `"false"`: false, `null`: false, `""`: false} {
		var f truth
		if err := json.Unmarshal([]byte(body), &f); err != nil || f != want {
			t.Errorf("%s is %v, %v, want %v", body, f, err, want)
		}
	}
	var f truth
	if err := json.Unmarshal([]byte(`"TRUE?"`), &f); err == nil {
		t.Error("anything goes")
	}
}

func TestTheBotsNameBeforeWhatIsSaidIsNoPartOfIt(t *testing.T) {
	for text, want := range map[string]string{
		"<@U0BOT> pause r-1": "pause r-1", "  <@U0BOT>pause ": "pause", "pause": "pause", "<@U0BOT>": "", "<@U0BO> pause": "<@U0BO> pause",
	} {
		if got := addressed(text, "U0BOT"); got != want {
			t.Errorf("%q says %q, want %q", text, got, want)
		}
	}
}

func TestARolloutIsPutBehindTheVerb(t *testing.T) {
	for text, want := range map[string]string{
		"pause": "pause r-1", "pause too risky": "pause r-1 too risky", "/vmss approve rest": "approve r-1 rest", "why\nnow": "why\nnow r-1",
	} {
		if got := withRollout(text, "r-1"); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// FuzzUnderstand holds what becomes of any payload: no panic, the same each time, nothing for a
// payload of elsewhere to be heard by, and an audit line of a sane length.
func FuzzUnderstand(f *testing.F) {
	for _, body := range []string{
		`{"team_id":"T1","api_app_id":"A1","user_id":"U1","channel_id":"C1","command":"/vmss","text":"pause r-1"}`,
		`{"type":"block_actions","team":{"id":"T1"},"api_app_id":"A1","user":{"id":"U1","team_id":"T1"},"channel":{"id":"C1"},"container":{"message_ts":"1.0","channel_id":"C1"},"actions":[{"action_id":"pause","value":"r-1","action_ts":"1.1"}]}`,
		`{"type":"block_actions","team":{"id":"T1"},"api_app_id":"A1","user":{"id":"U1"},"actions":[{"action_id":"more","selected_option":{"value":"abort:r-1"}}]}`,
		`{"type":"event_callback","team_id":"T1","api_app_id":"A1","event_id":"Ev1","event":{"type":"app_mention","user":"U1","text":"<@UBOT> why","channel":"C1","thread_ts":"1.0"}}`,
		`{}`, `[]`, `null`, `{"user":null,"team":null,"actions":null}`, `{"is_enterprise_install":"x"}`,
	} {
		for kind := range 4 {
			f.Add(kind, []byte(body))
		}
	}
	kinds := []string{kindCommand, kindInteract, kindEvent, "other"}
	f.Fuzz(func(t *testing.T, kind int, body []byte) {
		log := &lines{}
		b := &Bot{Team: "T1", App: "A1", user: "UBOT", Now: time.Now, Log: slog.New(log)}
		d := upgrade.Delivery{ID: 1, Kind: kinds[uint(kind)%4], Body: body}
		said := b.understand(d)
		p, err := parse(body)
		switch {
		case log.has("panic"):
			t.Fatalf("it panicked: %s", log)
		case said.foreign == "" && (err != nil || p.APIAppID != "A1" || bool(p.OrgInstall) || said.user == ""):
			t.Fatalf("a payload of elsewhere is heard: %+v", said)
		case said.foreign == "" && (p.TeamID != "T1" && p.TeamID != "" || p.Team.ID != "T1" && p.Team.ID != "" || p.TeamID+p.Team.ID == ""):
			t.Fatalf("a payload of another workspace is heard: %+v", said)
		case !reflect.DeepEqual(said, b.understand(d)):
			t.Fatal("it is understood in two ways")
		}
		fact := b.refused(d, said, upgrade.Refuse(upgrade.CodeArg, "", "no")).Changes[0].Events[0].Fact.(upgrade.Declined)
		if len(fact.Said) > 210 || len(fact.What) > 210 {
			t.Fatalf("an audit line of %d bytes", len(fact.Said))
		}
		deliveryKey(d.Kind, "e", p)
		withRollout(addressed(said.raw, "UBOT"), "r-1")
	})
}
