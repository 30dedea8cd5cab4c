package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Slack refuses a whole message for one question of more than 300 characters: its buttons would be gone.
func TestTheQuestionOfAYesFitsAndSaysWhatItIsAboutHoweverLongTheNames(t *testing.T) {
	for _, c := range []struct{ what, set, offer, id string }{
		{"short names", "web-prod", "ubuntu", ""},
		{"the longest of life", "vmss-frontend-production-westeurope-group-2-of-the-shop-abcdefgh", "0001-com-ubuntu-minimal-jammy-confidential-vm-daily", "vmss-frontend-production_"},
		{"escaped ones", strings.Repeat("&", 64), strings.Repeat("<", 64), strings.Repeat(">", 50)},
	} {
		names := believable
		names.set, names.offer, names.instance = c.set, c.offer, c.id
		s := begin(names, 25, func(s *story) { // four images, which go to that of another SKU
			for i := range s.set.Instances {
				s.set.Instances[i].Image = s.image(fmt.Sprintf("22.04.20231019%d", i%4))
			}
			s.wish.Target.Image = s.image("24.04.202404160")
			s.wish.Target.Image.SKU = "24_04-lts-gen2"
			s.pol.AllowedImages = []string{s.set.Model.Image.Family(), s.wish.Target.Family()}
		})
		s.look()
		var sh shelf
		sh.add("card", s, "card/ud-0/1")
		all := elements(sh.samples[0].Message)
		yes := all[slices.IndexFunc(all, func(e slack.BlockElement) bool {
			b, is := e.(*slack.ButtonBlockElement)
			return is && b.ActionID == "approve"
		})]
		asked := yes.(*slack.ButtonBlockElement).Confirm.Text.Text
		n := utf8.RuneCountInString(asked)
		for _, part := range []string{name(c.set), "5 instances", "→", "24.04.202404160", "(" + brief([]string{names.id(0)}, 60)} {
			if n > 300 || !strings.Contains(asked, part) || !strings.HasSuffix(asked, ")") && !strings.HasSuffix(asked, "…)") {
				t.Errorf("%s: %d characters that must say %q: %s", c.what, n, part, asked)
			}
		}
	}
}

func TestNoQuestionIsLongerThanSlackTakes(t *testing.T) {
	for _, text := range []string{strings.Repeat("&amp;", 100), strings.Repeat("x", 298) + "&lt;", strings.Repeat("y", 300)} {
		asked := confirm("Sure?", text, "Yes").Text.Text
		if n := utf8.RuneCountInString(asked); n > 300 || n < 290 {
			t.Errorf("%d characters: %s", n, asked)
		}
		if rest := entities.ReplaceAllString(asked, ""); strings.Contains(rest, "&") {
			t.Errorf("half an escape: %s", asked)
		}
	}
}

// A limit is that of the text as it is sent, so the sum of a message's parts is what it says it is.
func TestAQuestionAboutTheModelIsWhole(t *testing.T) {
	names := believable
	names.set, names.old, names.new = strings.Repeat("&", 64), strings.Repeat("<", 40), strings.Repeat(">", 40)
	s := begin(names, 5, nil)
	s.look()
	s.gate()
	s.hear("U0ANA", "ana", upgrade.Word{Verb: upgrade.WordAbort, Reason: "no"})
	s.look()
	rec := s.record()
	if rec.Rollout.Model.Asked == nil {
		t.Fatal("nothing is asked")
	}
	for _, e := range modelButtons(rec) {
		if asked := e.(*slack.ButtonBlockElement).Confirm.Text.Text; !strings.HasSuffix(asked, ".") || utf8.RuneCountInString(asked) > 300 {
			t.Errorf("cut, or %d characters: %s", utf8.RuneCountInString(asked), asked)
		}
	}
}
