package upgradetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

func TestAStoryThatMakesNoSenseIsRefused(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"without steps", "A title\n", "a part \"story\""},
		{"without a title", "-- story --\nadvance 1m\n", "a title"},
		{"with a part nobody knows", "A title\n-- story --\nadvance 1m\n-- cast --\nana\n", "part cast"},
		{"with a rule nobody knows", "A title\n-- story --\nadvance 1m\n-- policy.yaml --\nsoke: 1m\n", "soke"},
		{"with a person nobody knows", "A title\n-- story --\nadvance 1m\n-- policy.yaml --\napprovers: [zoe]\n", "zoe"},
		{"with a fleet that can not be", "A title\n-- story --\nadvance 1m\n-- fleet.json --\n{\"subscription\": 7}\n", "fleet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := upgradetest.ParseStory([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error that names %q, got %v", c.want, err)
			}
		})
	}
}

func TestATranscriptReplacesTheOneThatWasThere(t *testing.T) {
	file := upgradetest.WithTranscript([]byte("A title\n-- story --\nadvance 1m\n"), "first\n")
	s, err := upgradetest.ParseStory(upgradetest.WithTranscript(file, "second\n"))
	if err != nil || s.Transcript != "second\n" || len(s.Steps) != 1 {
		t.Errorf("got %+v, %v", s, err)
	}
}

// play tells a few lines in a world with a program of the test's own.
func play(t *testing.T, program upgradetest.Program, do func(*upgradetest.Play)) {
	t.Helper()
	s, err := upgradetest.ParseStory([]byte("A title\n-- story --\nadvance 1m\n"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		p, err := upgradetest.NewPlay(s, "test", journal(t), program)
		if err != nil {
			t.Fatal(err)
		}
		do(p)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAStepThatCanNotBePlayedSaysWhy(t *testing.T) {
	play(t, product, func(p *upgradetest.Play) {
		for line, want := range map[string]string{
			"dance":                               "does not know this verb",
			"type zoe status":                     "nobody is called",
			"click bo approve":                    "no button",
			"submit bo reason=\"no\"":             "no form",
			"advance soon":                        "no time to let pass",
			"until never":                         "in quotes",
			"fault moon {}":                       "azure or slack",
			"fault azure {\"kind\": \"eclipse\"}": "eclipse",
			"fault slack {\"king\": \"drop\"}":    "king",
			"instances nowhere":                   "no scale set",
			"freeze":                              "why everything is frozen",
			"unfreeze":                            "nothing is frozen",
			"disk half":                           "full or free",
			"clock back":                          "no time to be ahead",
			"restore":                             "where the bot does not run",
		} {
			if err := p.Do(line); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want an error with %q, got %v", line, want, err)
			}
		}
	})
}

func TestSilenceIsNotExpectedInVain(t *testing.T) {
	play(t, product, func(p *upgradetest.Play) {
		if err := p.Do("type ana upgrade myvmss 4.0.20160229 ud=0"); err != nil {
			t.Fatal(err)
		}
		if err := p.Do("click bo approve"); err != nil {
			t.Fatal(err)
		}
		if err := p.Do("expect-silence 10m"); err == nil || !strings.Contains(err.Error(), "reached Azure") {
			t.Errorf("want the start to break the silence, got %v", err)
		}
	})
}

func TestNothingOfADeadProcessReachesAnything(t *testing.T) {
	var after []error
	left := make(chan struct{})
	program := func(ctx context.Context, s upgradetest.Site) error {
		if r, err := s.HTTP.Get(s.AzureURL + "/subscriptions?api-version=1"); err == nil {
			r.Body.Close()
		} else {
			t.Errorf("a living process must reach Azure: %v", err)
		}
		<-ctx.Done()
		_, err := s.HTTP.Get(s.AzureURL + "/subscriptions?api-version=1")
		_, err2 := s.Dial(context.Background(), "tcp", "slack.test:80")
		after = append(after, err, err2, s.Life.Disk("journal", func() error { t.Error("a dead process wrote to its disk"); return nil }))
		close(left)
		return errors.New("what a dead process says nobody hears")
	}
	s, _ := upgradetest.ParseStory([]byte("A title\n-- story --\nadvance 1m\n"))
	synctest.Test(t, func(t *testing.T) {
		w, err := upgradetest.NewWorld(upgradetest.Config{Seed: "test", Policy: s.Policy, Journal: journal(t)}, program)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Start(); err == nil {
			t.Error("a program that opens no socket is not connected")
		}
		if err := w.Crash(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	<-left
	for _, err := range after {
		if !errors.Is(err, upgradetest.ErrDead) {
			t.Errorf("want %v, got %v", upgradetest.ErrDead, err)
		}
	}
}
