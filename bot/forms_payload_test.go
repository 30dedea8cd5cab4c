package bot

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
)

// submission is a form as Slack sends it; see the samples of bolt-python and slack-go.
const submission = `{"type":"view_submission","team":{"id":"T1","domain":"acme"},"user":{"id":"U1","team_id":"T1"},"api_app_id":"A1","token":"x",
	"trigger_id":"12.34.ab","is_enterprise_install":false,"enterprise":null,"response_urls":[],
	"view":{"id":"V1","team_id":"T1","type":"modal","callback_id":"form","private_metadata":"{\"verb\":\"upgrade\",\"channel\":\"C0OPS\"}","hash":"156.h",
	"previous_view_id":null,"root_view_id":"V1","app_id":"A1","external_id":"","bot_id":"B1","state":{"values":{
	"set":{"set":{"type":"static_select","selected_option":{"text":{"type":"plain_text","text":"web"},"value":"web"}}},
	"target/web":{"target":{"type":"static_select","selected_option":{"value":"latest"}}},
	"ud/web":{"ud":{"type":"multi_static_select","selected_options":[{"value":"2"},{"value":"0"}]}},
	"note":{"note":{"type":"plain_text_input","value":"why & how"}},
	"bake":{"bake":{"type":"plain_text_input","value":null}},
	"soak":{"soak":{"type":"plain_text_input","value":"SOAK"}}}}}}`

func filledForm(t *testing.T, change ...string) payload {
	t.Helper()
	body := strings.NewReplacer(append(change, "SOAK", "10m")...).Replace(submission)
	p, err := parse(json.RawMessage(body))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func us() *Bot { return &Bot{Team: "T1", App: "A1"} }

func TestASubmissionIsReadByItsFieldsNames(t *testing.T) {
	var s spoken
	s.submitted(filledForm(t))
	want, no := commands.Parse(`upgrade web latest ud=0,2 soak=10m note="why & how"`)
	if no != nil || s.refusal != nil || commands.Format(s.request) != commands.Format(want) || s.channel != "C0OPS" {
		t.Errorf("read %q in %q, refused %v; want %q", commands.Format(s.request), s.channel, s.refusal, commands.Format(want))
	}
}

func TestOnlyAFormOfOursIsObjectedTo(t *testing.T) {
	wrong := []string{"SOAK", "soon"}
	answer, ok := us().objection(filledForm(t, wrong...)).(*slack.ViewSubmissionResponse)
	if !ok || answer.ResponseAction != "errors" || len(answer.Errors) != 1 || !strings.Contains(answer.Errors["soak"], "it takes a time") {
		t.Fatalf("a wrong field is answered by %+v", answer)
	}
	if strings.Contains(answer.Errors["soak"], "`") {
		t.Errorf("markup in %q is not shown as such", answer.Errors["soak"])
	}
	for name, change := range map[string][]string{
		"nothing is wrong":         nil,
		"another workspace":        append([]string{`"id":"T1"`, `"id":"T2"`}, wrong...),
		"a user of another one":    append([]string{`"team_id":"T1"},"api`, `"team_id":"T2"},"api`}, wrong...),
		"another app":              append([]string{`"api_app_id":"A1"`, `"api_app_id":"A2"`}, wrong...),
		"another callback":         append([]string{`"callback_id":"form"`, `"callback_id":"survey"`}, wrong...),
		"nothing carried":          append([]string{`{\"verb\":\"upgrade\",\"channel\":\"C0OPS\"}`, ``}, wrong...),
		"a verb without a form":    append([]string{`\"upgrade\"`, `\"list\"`}, wrong...),
		"a form that was closed":   append([]string{"view_submission", "view_closed"}, wrong...),
		"a field that has no room": {`"soak":{"soak":`, `"soak":{"rinse":`, "SOAK", "soon"},
	} {
		if got := us().objection(filledForm(t, change...)); got != nil {
			t.Errorf("%s: answered by %+v", name, got)
		}
	}
}

func TestAFormThatIsSentOnceMoreAsItIsIsTheSameDelivery(t *testing.T) {
	first := deliveryKey(kindInteract, "e1", filledForm(t))
	for name, row := range map[string]struct {
		change []string
		same   bool
	}{
		"another envelope and trigger":  {[]string{"12.34.ab", "56.78.cd"}, true},
		"another value":                 {[]string{"SOAK", "20m"}, false},
		"another form":                  {[]string{`"id":"V1"`, `"id":"V2"`}, false},
		"drawn anew since":              {[]string{"156.h", "157.h"}, false},
		"filled in by somebody else":    {[]string{`"id":"U1"`, `"id":"U2"`}, false},
		"the order of the fields in it": {[]string{`"note":{"note":{"type":"plain_text_input","value":"why & how"}},`, "", `"value":null}},`, `"value":null}},"note":{"note":{"type":"plain_text_input","value":"why & how"}},`}, true},
	} {
		if got := deliveryKey(kindInteract, "e2", filledForm(t, row.change...)); (got == first) != row.same {
			t.Errorf("%s: %s and %s", name, first, got)
		}
	}
}

func TestAViewThatWasClosedIsNotHeard(t *testing.T) {
	body := strings.Replace(submission, "view_submission", "view_closed", 1)
	p, err := parse(json.RawMessage(body))
	if err != nil {
		t.Fatal(err)
	}
	var s spoken
	if s.pressed(p); s.foreign == "" || s.form != nil || s.request.Verb != "" {
		t.Errorf("heard as %+v", s)
	}
}

func TestOnlyTheHomeTabIsDrawn(t *testing.T) {
	for tab, opens := range map[string]bool{"home": true, "messages": false, "": false} {
		var p payload
		p.Event.Type, p.Event.User, p.Event.Tab = "app_home_opened", "U1", tab
		var s spoken
		s.mentioned(p, "U0BOT")
		if s.home != opens || p.forUs() != opens {
			t.Errorf("tab %q: home %v, for us %v, want %v", tab, s.home, p.forUs(), opens)
		}
	}
}

func TestHomeTabsAreForgottenWhenNobodyLooks(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var h homes
	for i := range homesKept + 5 {
		h.opened(fmt.Sprintf("U%03d", i), now.Add(time.Duration(i)*time.Second))
	}
	if got := h.users(); len(got) != homesKept || got[0] != "U005" {
		t.Errorf("%d are kept, the first is %s", len(got), got[0])
	}
	h.opened("U999", now.Add(homeLife+time.Hour))
	if got := h.users(); len(got) != 1 {
		t.Errorf("a day later %v are kept", got)
	}
	if !h.shows("U999", "a") || h.shows("U999", "a") || !h.shows("U999", "b") || h.shows("U000", "a") {
		t.Error("a tab is drawn anew only when somebody has it open and it changed")
	}
}
