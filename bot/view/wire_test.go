package view

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/commands"
)

func TestSlackAcceptsEveryView(t *testing.T) {
	sim := slacksim.New(slacksim.Options{BotToken: "xoxb-view", RateScale: -1})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	for _, s := range append(Gallery(), gallery(hostile, 100)...) {
		blocks, err := json.Marshal(s.Message.Blocks)
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		resp, err := http.PostForm(server.URL+"/api/blocks.validate", url.Values{"token": {"xoxb-view"}, "blocks": {string(blocks)}})
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

func TestEveryButtonIsUnderstoodWhenItIsPressed(t *testing.T) {
	pressed := 0
	for _, s := range Gallery() {
		for _, e := range elements(s.Message) {
			for _, p := range presses(e) {
				pressed++
				if p[0] == commands.ActionForm { // it carries a command, which a form begins with
					if _, has := commands.ParseStarted(p[1]); !has {
						t.Errorf("%s: no form begins with %q", s.Name, p[1])
					}
				} else if _, no := commands.ParseAction(p[0], p[1]); no != nil {
					t.Errorf("%s: %v: %v", s.Name, p, no)
				}
			}
		}
	}
	if pressed < 50 {
		t.Errorf("only %d buttons in the gallery", pressed)
	}
}

func elements(m Message) []slack.BlockElement {
	var out []slack.BlockElement
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.ActionBlock:
			out = append(out, b.Elements.ElementSet...)
		case *slack.SectionBlock:
			if b.Accessory != nil {
				out = append(out, besides(b))
			}
		}
	}
	return out
}

// presses are the action ids and values that an element may send.
func presses(e slack.BlockElement) [][2]string {
	switch e := e.(type) {
	case *slack.ButtonBlockElement:
		return [][2]string{{e.ActionID, e.Value}}
	case *slack.OverflowBlockElement:
		var out [][2]string
		for _, o := range e.Options {
			out = append(out, [2]string{e.ActionID, o.Value})
		}
		return out
	}
	return nil
}

func TestAYesAlwaysAsksOnceMoreAndIsTheOnlyLoudButtonOfItsRow(t *testing.T) {
	for _, s := range Gallery() {
		loud := 0
		for _, e := range elements(s.Message) {
			for _, p := range presses(e) {
				id, _, _ := strings.Cut(p[1], ":")
				asks := strings.HasPrefix(p[0], "approve") || strings.HasPrefix(p[0], "model-") || p[0] == commands.ActionMore && strings.HasPrefix(id, "approve")
				if asks && !confirmed(e) {
					t.Errorf("%s: %s counts without a question", s.Name, p[0])
				}
			}
			if b, ok := e.(*slack.ButtonBlockElement); ok && b.Style != "" {
				loud++
			}
		}
		if loud > 1 {
			t.Errorf("%s: %d loud buttons", s.Name, loud)
		}
	}
}

func confirmed(e slack.BlockElement) bool {
	switch e := e.(type) {
	case *slack.ButtonBlockElement:
		return e.Confirm != nil
	case *slack.OverflowBlockElement:
		return e.Confirm != nil
	}
	return false
}

func TestAnEndedRolloutHasNoButtons(t *testing.T) {
	s := begin(believable, 20, nil)
	s.finish()
	var sh shelf
	for slot := range map[string]bool{"live": true, "plan": true, "card/ud-0/1": true, "card/ud-4/1": true, "batch/1": true, "report": true} {
		sh.add(slot, s, slot)
	}
	for _, got := range sh.samples {
		if n := len(elements(got.Message)); n > 0 {
			t.Errorf("%s of an ended rollout has %d buttons", got.Name, n)
		}
	}
}
