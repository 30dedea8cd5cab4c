package view

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

func TestEveryFormAndHomeShowsWhatItsGoldenSays(t *testing.T) {
	for folder, samples := range map[string][]ViewSample{filepath.Join("testdata", "views"): ViewGallery(), filepath.Join("testdata", "views", "hostile"): viewGallery(hostile)} {
		found := map[string]bool{}
		for _, s := range samples {
			file := filepath.Join(folder, fileName(s.Name))
			if found[file] {
				t.Errorf("two samples are called %q", s.Name)
			}
			found[file] = true
			t.Run(file, func(t *testing.T) { compare(t, file, indented(t, s.View)) })
		}
		orphans(t, folder, found)
	}
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSlackAcceptsEveryFormAndHome(t *testing.T) {
	sim := slacksim.New(slacksim.Options{BotToken: "xoxb-view", RateScale: -1})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	for _, s := range append(ViewGallery(), viewGallery(hostile)...) {
		resp, err := http.PostForm(server.URL+"/api/blocks.validate", url.Values{"token": {"xoxb-view"}, "view": {string(indented(t, s.View))}})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			OK     bool
			Error  string
			Errors []any
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err != nil || !answer.OK {
			t.Errorf("%s: Slack says %s %v (%v)", s.Name, answer.Error, answer.Errors, err)
		}
	}
}

func TestAFieldsInputGoesByItsNameAndBeginsAnewWithAnotherSet(t *testing.T) {
	lists := commands.Lists{Sets: []upgrade.SetSummary{{Name: "web"}, {Name: "db"}}}
	ids := func(set string) map[string]string {
		f, _ := commands.NewForm(commands.Request{Verb: commands.VerbUpgrade, Set: set}, lists)
		out := map[string]string{}
		for _, b := range Form(f, "").Blocks.BlockSet {
			if in, ok := b.(*slack.InputBlock); ok {
				name, _, _ := strings.Cut(in.BlockID, "/")
				out[name] = in.BlockID
				if in.DispatchAction != (name == "set") {
					t.Errorf("%s tells at once what was chosen: %v", name, in.DispatchAction)
				}
			}
		}
		return out
	}
	web, db := ids("web"), ids("db")
	for name := range web {
		anew := name == "target" || name == "ud" || name == "which"
		if (web[name] != db[name]) != anew {
			t.Errorf("%s: %s for one set, %s for another", name, web[name], db[name])
		}
	}
	if len(web) < 8 {
		t.Errorf("only %d fields", len(web))
	}
}

func TestAFormKeepsToSlacksLimitsWhateverItIsMadeOf(t *testing.T) {
	long := strings.Repeat("very ", 900)
	f := commands.Form{Title: long, Submit: long, Says: long, Typed: long, Trouble: long, Fields: []commands.Field{
		{Name: "a", Label: long, Hint: long, Kind: commands.FieldText, Most: 9, About: long},
		{Name: "b", Label: long, Kind: commands.FieldChoice, Value: "x", Choices: []commands.Choice{{Value: "x", Label: long}}},
	}}
	for _, m := range []slack.ModalViewRequest{Form(f, "{}"), Loading(f, "{}")} {
		if n := utf8.RuneCountInString(m.Title.Text); n > 24 {
			t.Errorf("a title of %d characters", n)
		}
	}
	sim := slacksim.New(slacksim.Options{BotToken: "xoxb-view"})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	resp, err := http.PostForm(server.URL+"/api/blocks.validate", url.Values{"token": {"xoxb-view"}, "view": {string(indented(t, Form(f, "{}")))}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		OK     bool
		Errors []any
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || !answer.OK {
		t.Errorf("Slack says %v (%v)", answer.Errors, err)
	}
}

func TestARolloutsLinkNeverLeadsOutOfTheWorkspace(t *testing.T) {
	rec := begin(believable, 5, nil).record()
	rec.Link = "1795480000.000100"
	if got, want := link("https://acme.slack.com/", rec, "Open"), "<https://acme.slack.com/archives/C0OPS/p1795480000000100|Open> in <#C0OPS>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, base := range []string{"", "acme", "https://acme.slack.com/|x>", "://", "https://a b/"} {
		if got := link(base, rec, "Open"); got != "in <#C0OPS>" {
			t.Errorf("%q gives %s", base, got)
		}
	}
	rec.Rollout.Channel = "C0OPS> <!channel"
	if got := link("https://acme.slack.com/", rec, "Open"); got != "" {
		t.Errorf("a forged channel gives %s", got)
	}
}

func TestTheHomeTabOffersNoYes(t *testing.T) {
	for _, s := range ViewGallery() {
		tab, ok := s.View.(slack.HomeTabViewRequest)
		if !ok {
			continue
		}
		for _, e := range elements(Message{Blocks: tab.Blocks.BlockSet}) {
			for _, p := range presses(e) {
				req, no := commands.ParseAction(p[0], p[1])
				switch {
				case no != nil:
					t.Errorf("%s: %v is not understood: %v", s.Name, p, no)
				case req.Nonce != "" || req.Rollout != "":
					t.Errorf("%s: %v would change something", s.Name, p)
				}
			}
		}
	}
}
