package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// planWith is a plan of n instances in so many gates.
func planWith(n, gates int, id func(int) string) upgrade.Plan {
	p := upgrade.Plan{Total: n, Available: n, Batch: 5 * time.Minute, Gates: make([]upgrade.Gate, gates), Limits: upgrade.Limits{MaxUnavailable: max(1, n/5), BatchCap: 50}}
	for i := range n {
		g := &p.Gates[i%gates]
		g.Key, g.Title = fmt.Sprintf("batch-%d", i%gates+1), fmt.Sprintf("batch %d", i%gates+1)
		g.Instances = append(g.Instances, upgrade.Member{ID: id(i)})
	}
	return p
}

func number(i int) string { return fmt.Sprint(i) }
func named8(i int) string { return fmt.Sprintf("web-prod_%08x", i*2654435761%4294967291) }

func TestATableOfGatesFitsAPhoneAndAMessage(t *testing.T) {
	for _, id := range []func(int) string{number, named8} {
		for _, c := range []struct{ n, gates int }{{1, 1}, {20, 5}, {60, 3}, {61, 1}, {100, 100}, {1000, 5}, {1000, 20}, {1000, 100}, {1000, 1000}} {
			lines := gateTable(planWith(c.n, c.gates, id))
			if w := width(lines); w > mapColumns+2 {
				t.Errorf("%v: %d columns:\n%s", c, w, strings.Join(lines, "\n"))
			}
			if all := len([]rune(strings.Join(lines, "\n"))); all > 5000 {
				t.Errorf("%v: %d characters", c, all)
			}
		}
	}
}

func TestEveryInstanceOfASmallPlanIsNamedInItsTable(t *testing.T) {
	p := planWith(60, 3, named8)
	words := strings.Fields(strings.Join(gateTable(p), " "))
	for _, g := range p.Gates {
		for _, id := range g.IDs() {
			if !slices.Contains(words, id) {
				t.Errorf("%s of %s is not named", id, g.Title)
			}
		}
	}
}

func TestNoGateAndNoInstanceIsDroppedUncounted(t *testing.T) {
	lines := gateTable(planWith(1000, 100, number))
	text := strings.Join(lines, "\n")
	shown := strings.Count(text, "≥")
	if want := fmt.Sprintf("… %d more gates, %d instances", 100-shown, (100-shown)*10); !slices.Contains(lines, want) {
		t.Errorf("%d gates are shown, and no line %q in\n%s", shown, want, text)
	}
	for _, title := range []string{"batch 1 ", "batch 100 "} {
		if !strings.Contains(text, title) {
			t.Errorf("no gate %q", title)
		}
	}
	if many := gateTable(planWith(1000, 5, number)); !strings.Contains(strings.Join(many, "\n"), "(200)") || !strings.Contains(strings.Join(many, " "), " … ") {
		t.Errorf("a gate of 200:\n%s", strings.Join(many, "\n"))
	}
}

func TestAPlanOlderThanForetellingTellsNoWork(t *testing.T) {
	p := planWith(20, 5, number)
	p.Batch, p.Limits.Soak, p.Limits.Bake = 0, 5*time.Minute, 10*time.Minute
	if table := strings.Join(gateTable(p), "\n"); strings.Contains(table, "~") {
		t.Errorf("work is foretold:\n%s", table)
	}
	if got, want := length(p), "*Time:* 30 m in all (soak 5 m between gates, bake 10 m) + Azure's work + waiting for people"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatIsCutIsCutInItsMiddle(t *testing.T) {
	words := strings.Fields("0 5 10 15 20 25 30 35 40")
	for _, c := range []struct {
		room int
		want string
	}{{100, "0 5 10 15 20 25 30 35 40"}, {24, "0 5 10 15 20 25 30 35 40"}, {20, "0 5 10 15 … 35 40"}, {10, "0 5 … 40"}, {1, "0 …"}} {
		if got := strings.Join(ends(words, c.room), " "); got != c.want {
			t.Errorf("%d characters: %q, want %q", c.room, got, c.want)
		}
	}
}

func TestAPlanSaysWhatItDoesAtAFailure(t *testing.T) {
	for _, c := range []struct {
		does   upgrade.OnFailure
		budget int
		want   string
	}{
		{upgrade.HoldOnFailure, 0, "holds at the first failed instance (max-failures 0)"},
		{"", 0, "holds at the first failed instance (max-failures 0)"},
		{upgrade.HoldOnFailure, 2, "goes on with up to 2 failed (max-failures 2)"},
		{upgrade.QuarantineOnFailure, 0, "sets aside what fails, and goes on (max-failures 0)"},
		{upgrade.QuarantineOnFailure, 1, "sets aside what fails beyond 1, and goes on (max-failures 1)"},
		{upgrade.AbortOnFailure, 0, "ends by itself at the first failed instance (max-failures 0): nothing more is started"},
		{upgrade.AbortOnFailure, 2, "ends by itself beyond 2 failed (max-failures 2): nothing more is started"},
		{upgrade.RollbackOnFailure, 0, "ends by itself at the first failed instance (max-failures 0), and a rollout back opens"},
	} {
		if got := onFailure(upgrade.Limits{OnFailure: c.does, MaxFailures: c.budget}); got != c.want {
			t.Errorf("%s with %d: %q, want %q", c.does, c.budget, got, c.want)
		}
	}
}

// Nothing of a resize speaks of images and disks that it does not touch.
func TestAResizeIsNeverCalledAnUpgrade(t *testing.T) {
	for _, s := range Gallery() {
		if !strings.Contains(s.Name, "resiz") {
			continue
		}
		text := Reduce(s.Message).Text
		for _, wrong := range []string{"upgrad", "new OS disk; what", "old image", "new image", "newborn"} {
			if strings.Contains(text, wrong) {
				t.Errorf("%s says %q:\n%s", s.Name, wrong, text)
			}
		}
	}
}
