package view

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/commands"
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

func TestWhatBelongsToAGroupStandsTogetherUnderItsID(t *testing.T) {
	canary, eu := chain()
	alone := begin(believable, 10, func(s *story) { s.id = "r-77b01d" })
	all := map[string]upgrade.Record{canary.id: canary.record(), eu.id: eu.record(), alone.id: alone.record()}
	reply := commands.Reply{Verb: commands.VerbPending, Rollouts: []string{canary.id, alone.id, eu.id}}
	sets := commands.Reply{Verb: commands.VerbList, Sets: []commands.SetLine{{Rollout: canary.id, Group: galleryGroup}, {Rollout: alone.id}, {Rollout: eu.id, Group: galleryGroup}}}
	home := Home(commands.Home{Waiting: []upgrade.Record{canary.record(), alone.record(), eu.record()}}, "")
	for name, m := range map[string]Message{"pending": Answer(reply, all, canary.now), "list": Answer(sets, all, canary.now), "home": {Blocks: home.Blocks.BlockSet}} {
		text, last := Reduce(m).Text, 0
		for _, next := range []string{alone.id, "*Group* `" + galleryGroup + "`", canary.id, eu.id} {
			at := strings.Index(text, next)
			if at < last || strings.Count(text, "*Group*") != 1 {
				t.Fatalf("%s: %s does not stand behind what comes before it, or the group is named twice:\n%s", name, next, text)
			}
			last = at
		}
	}
}

func TestTheReportOfAGroupHasAPartForEachSetInTheOrderOfTheWaves(t *testing.T) {
	canary, eu := chain()
	reply := commands.Reply{Verb: commands.VerbReport, Group: galleryGroup, Rollouts: []string{eu.id, canary.id}}
	file := func(format string) []byte {
		reply.Part = format
		d, err := File(reply, map[string]upgrade.Record{canary.id: canary.record(), eu.id: eu.record()}, canary.now)
		if err != nil || d.Name != galleryGroup+"."+format {
			t.Fatalf("%s is called %s (%v)", format, d.Name, err)
		}
		return d.Body
	}
	if text := string(file(commands.Markdown)); strings.Count(text, "\n## Who did what\n") != 2 || strings.Index(text, canary.id) > strings.Index(text, eu.id) {
		t.Errorf("the text has not two parts, the canary first:\n%s", text)
	}
	var parts []struct{ Rollout string }
	if err := json.Unmarshal(file(commands.JSON), &parts); err != nil || len(parts) != 2 || parts[0].Rollout != canary.id {
		t.Errorf("JSON has %v (%v)", parts, err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file(commands.CSV))).ReadAll()
	if heads := slices.DeleteFunc(slices.Clone(rows), func(row []string) bool { return row[0] != "rollout" }); err != nil || len(rows) != 1+2*10 || len(heads) != 1 {
		t.Errorf("the table has %d rows and %d heads (%v), want one head for ten instances of two sets", len(rows), len(heads), err)
	}
	if only := Answer(reply, map[string]upgrade.Record{canary.id: canary.record(), eu.id: eu.record()}, canary.now); !strings.Contains(Reduce(only).Text, "comes as a file") {
		t.Errorf("the answer does not tell of the file:\n%s", Reduce(only).Text)
	}
}
