package view

import (
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

// chain is a canary that was aborted, and a set in the wave after it.
func chain() (canary, eu *story) {
	c := believable
	canary = member(c, galleryLead, "-canary", 1, 2)
	eu = member(c, "r-7d01be", "-eu", 2, 2, canary)
	canary.look()
	canary.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason})
	canary.look()
	eu.look()
	return canary, eu
}

func TestAReportAsksWhetherTheWavesAfterItGoOnOnlyWhileTheyWait(t *testing.T) {
	for name, row := range map[string]struct {
		tell func(eu *story)
		asks bool
	}{
		"it waits":     {func(*story) {}, true},
		"it is to end": {func(eu *story) { eu.hear("U0ANA", "ana", upgrade.Word{Verb: upgrade.WordAbort, Reason: "no"}) }, false},
		"it has ended": {func(eu *story) {
			eu.hear("U0ANA", "ana", upgrade.Word{Verb: upgrade.WordAbort, Reason: "no"})
			eu.look()
		}, false},
		"an approver has let it go on": {func(eu *story) {
			eu.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordResolve, Verdict: upgrade.GoOn, Reason: "I looked"})
		}, false},
		"somebody has paused it before": {func(eu *story) { eu.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordPause}) }, true},
	} {
		canary, eu := chain()
		row.tell(eu)
		m, err := Report(canary.record(), records(canary, eu))
		if err != nil {
			t.Fatal(err)
		}
		if asks := strings.Contains(Reduce(m).Text, "go-on"); asks != row.asks {
			t.Errorf("%s: the report asks: %v, want %v:\n%s", name, asks, row.asks, Reduce(m).Text)
		}
	}
}

func TestASetThatWaitsForItsWaveTakesAFewLinesUntilItBegins(t *testing.T) {
	short := func(s *story) bool {
		m, err := Render(upgrade.Post{Slot: upgrade.SlotLive}, s.record(), s.now)
		if err != nil {
			t.Fatal(err)
		}
		return !strings.Contains(Reduce(m).Text, "going 0") && len(m.Blocks) <= 3
	}
	_, eu := chain()
	began := member(believable, "r-7d01be", "-eu", 1, 2)
	if short(began) {
		t.Error("one of the first wave shows its instances")
	}
	if !short(eu) {
		t.Error("nothing of it can be seen while it waits")
	}
	for _, w := range []upgrade.Word{{Verb: upgrade.WordPause}, {Verb: upgrade.WordAbort, Reason: "no"}} {
		if eu.hear("U0ANA", "ana", w); !short(eu) {
			t.Errorf("%s: nothing of it can be seen", w.Verb)
		}
		if eu.look(); !short(eu) {
			t.Errorf("%s, carried out: nothing of it was ever seen", w.Verb)
		}
	}
}
