package view

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

func TestWhatCannotBeRenderedIsAnErrorAndNotHalfAMessage(t *testing.T) {
	s := begin(believable, 20, nil)
	for _, post := range []upgrade.Post{
		{Slot: ""}, {Slot: "other"}, {Slot: "card/ud-0"}, {Slot: "card/ud-9/1"}, {Slot: "card/ud-0/x"}, {Slot: "batch/x"},
		{Slot: "hold/3", Want: json.RawMessage("{")}, {Slot: "said/3", Want: json.RawMessage("[]")}, {Slot: upgrade.SlotModel}, {Slot: upgrade.SlotReport},
	} {
		m, err := Render(post, s.record(), s.now)
		if err == nil || len(m.Blocks) > 0 || !strings.Contains(err.Error(), s.id) {
			t.Errorf("slot %q: %d blocks, error %v", post.Slot, len(m.Blocks), err)
		}
	}
}

func TestEveryMessageTheDomainPostsCanBeRendered(t *testing.T) {
	s := begin(believable, 20, nil)
	s.finish()
	rendered := 0
	for i := range s.events {
		r := upgrade.Fold(s.id, s.events[:i+1])
		rec := upgrade.Record{ID: s.id, Plan: s.plan, Rollout: r, Events: s.events[:i+1]}
		for _, post := range upgrade.Posts(r, s.events[i:i+1]) {
			rendered++
			if post.Picture() {
				if m, caption, ok := Picture(rec, s.events[i].Seq); !ok || len(m.Dots) != 20 || caption == "" {
					t.Errorf("event %d: a picture of %d instances, caption %q", i+1, len(m.Dots), caption)
				}
				continue
			}
			if m, err := Render(post, rec, s.events[i].At); err != nil || m.Text == "" || len(m.Blocks) == 0 {
				t.Errorf("event %d: %s: %v", i+1, post.Slot, err)
			}
		}
	}
	if rendered < 100 {
		t.Errorf("only %d messages were posted", rendered)
	}
}

func TestBlockIDsAreNewWheneverAnythingOfTheMessageIs(t *testing.T) {
	s := begin(believable, 20, nil)
	s.look()
	ids := func() string {
		m, err := Render(upgrade.Post{Slot: "card/ud-0/1"}, s.record(), s.now)
		if err != nil {
			t.Fatal(err)
		}
		return m.Blocks[0].ID()
	}
	first := ids()
	if again := ids(); again != first {
		t.Errorf("the same card has block %s, then %s", first, again)
	}
	s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordPause})
	if later := ids(); later == first {
		t.Errorf("a changed card keeps block %s", later)
	}
}

func TestAReducedMessageSaysTheSameWithoutBlocks(t *testing.T) {
	for _, s := range Gallery() {
		m := Reduce(s.Message)
		if len(m.Blocks) > 0 || m.Text == "" {
			t.Errorf("%s: %d blocks, text %q", s.Name, len(m.Blocks), m.Text)
		}
		first := s.Message.Blocks[0].(*slack.SectionBlock).Text.Text
		if !strings.HasPrefix(m.Text, first) && len(first) < maxText-40 {
			t.Errorf("%s begins with %q, reduced with %.80q", s.Name, first, m.Text)
		}
	}
	if got := Reduce(Message{Text: "only text"}); got.Text != "only text" {
		t.Errorf("a message without blocks becomes %q", got.Text)
	}
}

func TestTooManyLinesAreCountedNotDropped(t *testing.T) {
	var p page
	for i := range 2000 {
		p.para(fmt.Sprintf("line %d with some text to make it long enough", i))
	}
	m := p.done("slot", "text")
	last := m.Blocks[len(m.Blocks)-1].(*slack.ContextBlock).ContextElements.Elements[0].(*slack.TextBlockObject).Text
	shown := 0
	for _, b := range m.Blocks[:len(m.Blocks)-1] {
		shown += strings.Count(b.(*slack.SectionBlock).Text.Text, "line ")
	}
	if want := fmt.Sprintf("%d more lines did not fit", 2000-shown); last != want || shown == 0 {
		t.Errorf("%d lines shown, then %q, want %q", shown, last, want)
	}
}

func TestACardIsOverForEveryWayItCanEnd(t *testing.T) {
	pause := upgrade.Word{Verb: upgrade.WordPause}
	for _, c := range []struct {
		what string
		tell func(*story)
		want string // the beginning of its first line; "" = still open
	}{
		{"nobody has answered", func(*story) {}, "*Approve UD 0"},
		{"somebody paused: a yes still counts", func(s *story) { s.hear("U0BO", "bo", pause); s.look() }, "*Approve UD 0"},
		{"a yes", func(s *story) { s.approve("U0BO", "bo", false) }, ":white_check_mark: bo approved UD 0 of web-prod at "},
		{"a yes to all", func(s *story) { s.approve("U0BO", "bo", true) }, ":white_check_mark: bo approved UD 0 of web-prod and everything after it at "},
		{"a yes that was used", func(s *story) { s.approve("U0BO", "bo", false); s.finish() }, ":white_check_mark: bo approved UD 0"},
		{"a no", func(s *story) { s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordDeny, Reason: "no"}) }, ":no_entry_sign: bo denied UD 0"},
		{"no answer in time", func(s *story) { s.wait(4 * time.Hour) }, ":hourglass: The time to approve UD 0"},
		{"a yes that was not used in time", func(s *story) {
			s.hear("U0EVA", "eva", pause)
			s.approve("U0BO", "bo", false)
			s.wait(4 * time.Hour)
		}, ":hourglass: The time to approve UD 0"},
		{"an abort", func(s *story) { s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordAbort, Reason: "no"}) }, ":octagonal_sign: UD 0 of web-prod is not needed"},
		{"the end", func(s *story) { s.wait(25 * time.Hour); s.look() }, ":hourglass: UD 0 of web-prod is not needed"},
		{"its instances are gone", func(s *story) {
			s.set.Instances = s.set.Instances[1:2]
			s.pass()
			s.wait(2 * time.Minute)
			s.pass()
		}, ":white_check_mark: UD 0 of web-prod: nothing is left"},
		{"asked anew", func(s *story) {
			s.wait(4 * time.Hour)
			s.look()
			s.hear("U0ANA", "ana", upgrade.Word{Verb: upgrade.WordAsk})
		}, ":arrows_counterclockwise: UD 0 of web-prod is asked anew"},
	} {
		s := begin(believable, 20, nil)
		s.look()
		c.tell(s)
		m, err := Render(upgrade.Post{Slot: "card/ud-0/1"}, s.record(), s.now)
		if err != nil {
			t.Fatal(err)
		}
		text := m.Blocks[0].(*slack.SectionBlock).Text.Text
		if !strings.HasPrefix(text, c.want) {
			t.Errorf("%s: %q, want %q", c.what, text, c.want)
		}
		if open := strings.HasPrefix(c.want, "*Approve"); open != (len(elements(m)) > 0) {
			t.Errorf("%s: %d buttons", c.what, len(elements(m)))
		}
	}
}

func TestAnAnswerAboutARolloutThatCannotBeReadNamesIt(t *testing.T) {
	m := Answer(commands.Reply{Verb: commands.VerbStatus, Rollouts: []string{"r-gone00"}}, nil, believableNow)
	if got := Reduce(m).Text; !strings.Contains(got, "r-gone00") {
		t.Errorf("the answer is %q", got)
	}
	if got := Answer(commands.Reply{}, nil, believableNow); got.Text == "" || len(got.Blocks) == 0 {
		t.Errorf("the empty reply becomes %+v", got)
	}
}

func TestTheRecommendationForTheModelSaysNoMoreThanWasCounted(t *testing.T) {
	for _, c := range []struct {
		on, off   int
		recommend upgrade.ModelAnswer
		want      string
	}{
		{2, 17, upgrade.Revert, "Recommended: put 1.0 back: most instances do not run 2.0."},
		{5, 5, upgrade.Revert, "Recommended: put 1.0 back: nothing was upgraded."},
		{5, 5, upgrade.Keep, "Recommended: keep 2.0: half of the instances run 2.0."},
		{15, 5, upgrade.Keep, "Recommended: keep 2.0: most instances run 2.0."},
	} {
		as := func(version string) upgrade.Setting { return upgrade.Setting{Image: (&story{}).image(version)} }
		m := upgrade.ModelState{To: as("2.0"), Previous: as("1.0"), Asked: &upgrade.ModelAsked{Recommend: c.recommend, On: c.on, Off: c.off}}
		if got := recommendation(m); got != c.want {
			t.Errorf("%d run it and %d do not: %q, want %q", c.on, c.off, got, c.want)
		}
	}
}

func TestTheReportCountsEveryAskingAndNamesTheRest(t *testing.T) {
	s := begin(believable, 4, nil)
	s.look()
	s.wait(10 * time.Minute)
	s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordDeny, Reason: "no"})
	s.look()
	s.wait(20 * time.Minute)
	s.hear("U0ANA", "ana", upgrade.Word{Verb: upgrade.WordAsk})
	s.look()
	s.wait(5 * time.Hour) // an hour longer than an approval lives
	s.look()
	s.hear("U0ANA", "ana", upgrade.Word{Verb: upgrade.WordAsk})
	s.look()
	s.finish()
	rec := s.record()
	got := map[string]time.Duration{}
	var people time.Duration
	for _, w := range waits(rec) {
		got[w.names] += w.took
		people += w.took
	}
	want := map[string]time.Duration{"bo": 10*time.Minute + 4*80*time.Second, "an answer that did not come": 4 * time.Hour}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("waited for %v, want %v", got, want)
	}
	other := rec.Rollout.EndedAt.Sub(rec.Rollout.At) - workTime(rec.Rollout, pastOf(rec)) - restTime(rec) - people
	if line := timesLine(rec, pastOf(rec)); other != 80*time.Minute || !strings.Contains(line, "held or between 1 h 20 m") {
		t.Errorf("%v are left over in %q, want the 20 m after the no and the hour after the expiry", other, line)
	}
}

func TestTheReportSplitsTheTimeIntoWorkRestsAndPeople(t *testing.T) {
	s := begin(believable, 20, nil)
	s.finish()
	rec := s.record()
	var people time.Duration
	for _, w := range waits(rec) {
		people += w.took
	}
	if got, want := workTime(rec.Rollout, pastOf(rec)), 5*(161*time.Second); got != want {
		t.Errorf("work %v, want %v", got, want)
	}
	if got, want := restTime(rec), 30*time.Minute; got != want {
		t.Errorf("soak and bake %v, want %v", got, want)
	}
	if got, want := people, 5*80*time.Second; got != want {
		t.Errorf("waited for people %v, want %v", got, want)
	}
}

func TestAYesThatWasVoidedSaysSo(t *testing.T) {
	s := begin(believable, 20, nil)
	s.look()
	s.approve("U0BO", "bo", false)
	s.say("", upgrade.Asked{Gate: "ud-0", Asking: 2, Nonce: "0123456789abcdef", Expires: s.now.Add(4 * time.Hour)})
	m, err := Render(upgrade.Post{Slot: upgrade.CardSlot("ud-0", 1)}, s.record(), s.now)
	if err != nil {
		t.Fatal(err)
	}
	if text := Reduce(m).Text; !strings.Contains(text, "bo approved UD 0") || !strings.Contains(text, "asked anew since") {
		t.Errorf("the old card says %q", text)
	}
}
