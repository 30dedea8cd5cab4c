package view

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

func render(t *testing.T, s *story, slot string) string {
	t.Helper()
	m, err := Render(upgrade.Post{Slot: slot}, s.record(), s.now)
	if err != nil {
		t.Fatal(err)
	}
	return Reduce(m).Text
}

func TestACardOfARetryNamesExactlyWhatItsYesCovers(t *testing.T) {
	for _, c := range []struct {
		what string
		tell func(*story)
		want []string
	}{
		{"one failed and has the image: a new disk",
			func(s *story) { s.firstGate(func(ids []string) { s.fails(ids[2]) }); s.retry() },
			[]string{"*Approve UD 0 once more of web-prod?*", "1 of 4 instances: ", "\nInstances 10 · ", "✖ instance 10, tried once: The extension AppHealth failed", "gets a new disk of the image that it has"}},
		{"it stayed on the old image: the upgrade once more",
			func(s *story) {
				s.firstGate(func(ids []string) {
					s.fails(ids[2])
					s.azure(ids[2:3], func(i *upgrade.Instance) { i.Image = s.image("22.04.202310190") })
				})
				s.retry()
			},
			[]string{"\nInstances 10 · ", "✖ instance 10, tried once: The extension AppHealth failed", "gets the upgrade once more"}},
		{"two of three that failed were set aside before",
			func(s *story) {
				s.firstGate(func(ids []string) { s.fails(ids[1:]...) })
				s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordQuarantine, IDs: []string{"5"}, Reason: "disk"})
				s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordSkip, IDs: []string{"10"}})
				s.retry()
			},
			[]string{"1 of 4 instances: ", "\nInstances 15 · "}},
		{"one that was quarantined comes back: why it had failed",
			func(s *story) {
				s.firstGate(func(ids []string) { s.fails(ids[1]) })
				s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordQuarantine, IDs: []string{"5"}, Reason: "disk"})
				s.retry("5")
			},
			[]string{"\nInstances 5 · ", "✖ instance 5, tried once: The extension AppHealth failed"}},
		{"one that was skipped before it was ever tried",
			func(s *story) {
				s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordSkip, IDs: []string{"5"}})
				s.retry("5")
			},
			[]string{"*Approve UD 0 of web-prod?*", "\n4 instances: ", "\nInstances 0 5 10 15 · "}},
	} {
		s := standingFor(believable, c.tell)
		card := s.record().Rollout.Asked["ud-0"]
		text := render(t, s, upgrade.CardSlot("ud-0", card.Asking))
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", c.what, want, text)
			}
		}
	}
}

// retry wants instances once more, all that failed without any.
func (s *story) retry(ids ...string) {
	s.hear("U0ANA", s.cast.requester, upgrade.Word{Verb: upgrade.WordRetry, IDs: ids})
	s.look()
}

func TestAfterARetryTheOldCardAndTheOldBatchSayHowItWent(t *testing.T) {
	s := standingFor(believable, func(s *story) { s.firstGate(func(ids []string) { s.fails(ids[2]) }); s.retry() })
	if text := render(t, s, "card/ud-0/1"); !strings.Contains(text, "bo approved UD 0") || !strings.Contains(text, "starts nothing more") {
		t.Errorf("the old card says %q", text)
	}
	s.approve("U0BO", "bo", false)
	s.look()
	s.batch()
	for slot, want := range map[string]string{
		"batch/1": "✖ `10` FD 2, zone 2  *failed* after 2 m: The extension AppHealth failed, so the instance is not up (VMExtensionProvisioningError) · once more in batch 2",
		"batch/2": "● `10` FD 2, zone 2  ok in 2 m 41 s",
	} {
		if text := render(t, s, slot); !strings.Contains(text, want) {
			t.Errorf("%s has no %q:\n%s", slot, want, text)
		}
	}
}

func TestACardOfARollbackCannotBeTakenForOneThatGoesOn(t *testing.T) {
	s := standingFor(believable, func(s *story) {
		s.gate()
		s.hear("U0ANA", "ana", upgrade.Word{Verb: upgrade.WordRollback, Reason: "checkout errors"})
	})
	b := s.branch()
	b.id, b.plan, b.events, b.poll = "r-b4cc01", *s.then.Open, s.then.Events, ""
	b.look()
	m, err := Render(upgrade.Post{Slot: "card/ud-0/1"}, b.record(), b.now)
	if err != nil {
		t.Fatal(err)
	}
	text := Reduce(m).Text
	for _, want := range []string{":rewind: *Roll UD 0 of web-prod back to 22.04.202310190?*", "4 instances: 22.04.202401170 back to 22.04.202310190", "Needs 1 requester or approver, ana included"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "Approve") || strings.Contains(text, "other than") {
		t.Errorf("it reads like the other kind:\n%s", text)
	}
	yes := elements(m)[0].(*slack.ButtonBlockElement)
	if yes.Style != slack.StyleDanger || yes.Text.Text != "Roll UD 0 back" || yes.Confirm == nil {
		t.Errorf("its button is %q, style %q", yes.Text.Text, yes.Style)
	}
}

func TestAHandoverMentionsOnlyWhoTakesOver(t *testing.T) {
	rec := begin(believable, 5, nil).record()
	for _, c := range []struct{ to, want string }{
		{"U0EVA", "<@U0EVA>"}, {"U0EVA> <!channel", ""}, {"", ""}, {"S0SRE", ""}, {"eva", ""},
	} {
		want, _ := json.Marshal(upgrade.SaidWant{By: "U0ANA", Name: "<@U0BO>", Verb: upgrade.WordHandover, To: c.to, Reason: "<!here> <@U0BO>"})
		m, err := Render(upgrade.Post{Slot: "said/1", Want: want}, rec, believableNow)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(regexp.MustCompile(`<[^>]*>`).FindAllString(Reduce(m).Text+m.Text, -1), " "); got != c.want {
			t.Errorf("handed to %q it mentions %q, want %q", c.to, got, c.want)
		}
	}
}

func TestAReminderMentionsTheConfigurationsIdsAndNothingElse(t *testing.T) {
	s := begin(believable, 5, nil)
	s.look()
	s.say("", upgrade.Reminded{Gate: "ud-0", Asking: 1, Called: []string{"U0EVA", "<!channel>", "S0SRE> <!here", "eva", "", "S0SRE"}})
	mentions := func() string {
		m, err := Render(upgrade.Post{Slot: "remind/ud-0/1"}, s.record(), s.now)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(regexp.MustCompile(`<[@!]s?[^>d]*>`).FindAllString(Reduce(m).Text, -1), " ")
	}
	if got, want := mentions(), "<@U0EVA> <!subteam^S0SRE>"; got != want {
		t.Errorf("it mentions %q, want %q", got, want)
	}
	s.approve("U0BO", "bo", false)
	if got := mentions(); got != "" {
		t.Errorf("the card was answered, and it mentions %q", got)
	}
}

func TestAHoldThatIsOverSaysByWhoseWord(t *testing.T) {
	for _, c := range []struct {
		what string
		tell func(*story)
		want string
	}{
		{"a retry", func(s *story) { s.retry() }, "Over since 2026-11-24 01:02 UTC: ana wants instance 10 tried once more"},
		{"set aside", func(s *story) {
			s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordQuarantine, IDs: []string{"10"}, Reason: "disk"})
		}, ": bo set instance 10 aside: “disk”"},
		{"more fail", func(s *story) {
			s.azure(s.ids(0), func(i *upgrade.Instance) { i.Provisioning, i.Message = upgrade.Failed, "disk" })
			s.wait(20 * time.Minute)
		}, "There is more to it by now"},
		{"nothing", func(*story) {}, "Cleared by: a requester or approver"},
		{"nothing, but the set cannot be read", func(s *story) {
			s.unread = &upgrade.Fault{Kind: upgrade.FaultUnavailable, Op: "read web-prod"}
			s.wait(time.Minute)
		}, "Also in the way: read web-prod: unavailable"},
		{"an abort", func(s *story) {
			s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordAbort, Reason: "bad image"})
			s.wait(20 * time.Minute)
		}, ": bo aborted it: “bad image”"},
	} {
		s := standingFor(believable, func(s *story) {
			s.approve("U0BO", "bo", false)
			s.look()
			ids := s.flying()
			s.wait(2 * time.Minute)
			s.azure(ids, s.reimaged)
			s.fails(ids[2])
			s.op = upgrade.OpReading{Done: true, OK: true}
		})
		first := s.record().Rollout.Holds[0]
		c.tell(s)
		s.look()
		want, _ := json.Marshal(first.Decided)
		m, err := Render(upgrade.Post{Slot: fmt.Sprintf("hold/%d", first.Seq), Want: want}, s.record(), s.now)
		if err != nil {
			t.Fatal(err)
		}
		if text := datePattern.ReplaceAllString(Reduce(m).Text, "$1"); !strings.Contains(text, c.want) {
			t.Errorf("%s: no %q in\n%s", c.what, c.want, text)
		}
		if over := !strings.HasPrefix(c.what, "nothing"); over == (len(elements(m)) > 0) {
			t.Errorf("%s: %d buttons", c.what, len(elements(m)))
		}
	}
}

func TestTheReportTellsWhatWasLeftAsideAndWhoDecidedIt(t *testing.T) {
	s := standingFor(believable, func(s *story) {
		s.firstGate(func(ids []string) { s.fails(ids[1], ids[2]) })
		s.retry("5")
		s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordQuarantine, IDs: []string{"10"}, Reason: "disk"})
		s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordSkip, IDs: []string{"6"}, Reason: "in use"})
	})
	s.finish()
	text := render(t, s, upgrade.SlotReport)
	for _, want := range []string{
		":construction: *web-prod finished: succeeded with quarantine*", "20 planned · *18 upgraded* · 0 failed · 1 quarantined · 1 skipped",
		"Tried once more: instance 5, 1 time in all", "*Overrides*", "bo set instance 10 aside: “disk”", "bo skipped instance 6: “in use”",
		"• 1 quarantined: 10", "`10` quarantined by bo: disk · it had failed: The extension AppHealth failed", "• 1 skipped: 6", "`6` skipped by bo: in use",
		"`/vmss show web-prod instances`", "`/vmss show r-4f2a9c evidence`", "`/vmss plan web-prod 22.04.202401170`",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestEvidenceIsShownWordForWordByAttemptAndCutHonestly(t *testing.T) {
	s := standingFor(believable, func(s *story) { s.firstGate(func(ids []string) { s.fails(ids[2]) }) })
	show := func() Message {
		return Answer(commands.Reply{Verb: commands.VerbShow, Part: "evidence", Rollouts: []string{s.id}}, map[string]upgrade.Record{s.id: s.record()}, s.now)
	}
	text := Reduce(show()).Text
	for _, want := range []string{"✖ `10` UD 0 · attempt 1 · ", "vmAgent: Ready: GuestAgent is running"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for n := range 40 {
		var lines []string
		for range 30 {
			lines = append(lines, strings.Repeat("``` <!channel> & ", 100))
		}
		s.say("", upgrade.Evidence{ID: strconv.Itoa(n), Lines: lines})
	}
	m := show()
	for _, wrong := range append(faults(m, false), faults(Reduce(m), false)...) {
		t.Error(wrong)
	}
	text = ""
	for _, b := range m.Blocks {
		raw, _ := json.Marshal(b)
		text += string(raw)
	}
	for _, want := range []string{"… 26 more lines", "… and of 27 more attempts: 13–39", "more)…"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "did not fit") {
		t.Error("lines that were announced did not fit")
	}
	empty := begin(believable, 5, nil)
	if text := Reduce(evidenceOf(empty.record())).Text; !strings.Contains(text, "Nothing was kept") {
		t.Errorf("without a failure it says %q", text)
	}
}
