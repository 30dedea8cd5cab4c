package upgradetest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/commands"
)

// former is all that the tools of before could do.
var former = map[string][]string{
	"Script": {"`--resourcegroup`", "`--vmssname`", "`--newversion`", "`--customuri`", "`--updatedomain`", "`--vmid`", "`--vmlist`", "`--nowait`", "`--verbose`", "`-y`"},
	"Editor": {"version", "SKU", "custom image URI", "VM size", "Scale", "Start", "Restart", "Power off", "Stop dealloc", "heat map",
		"per fault domain: Reimage", "per fault domain: Upgrade", "per fault domain: Start", "per fault domain: Power off",
		"per VM: Reimage", "per VM: Upgrade", "per VM: Start", "per VM: Power off", "per VM: Delete", "per VM: Restart", "per VM: Dealloc",
		"rolling upgrade: batch size", "rolling upgrade: pause time"},
}

func TestWhatTheToolsOfBeforeCouldDoIsHereOrPlanned(t *testing.T) {
	body, err := os.ReadFile("../../docs/parity.md")
	if err != nil {
		t.Fatal(err)
	}
	have, section := map[string][]string{}, ""
	for line := range strings.Lines(string(body)) {
		if title, found := strings.CutPrefix(line, "## "); found {
			section = strings.TrimSpace(title)
		}
		cells := strings.Split(line, "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") || strings.HasPrefix(line, "| there |") {
			continue
		}
		if len(cells) != 5 {
			t.Fatalf("a row has what there was, what is here and what shows it: %s", line)
		}
		there := strings.TrimSpace(cells[1])
		have[section] = append(have[section], there)
		parityRow(t, there, cells[2], cells[3])
	}
	for section, all := range former {
		if !slices.Equal(have[section], all) {
			t.Errorf("%s: the page has %q, and there were %q", section, have[section], all)
		}
	}
}

// parityRow: what is here is understood and shown; what is planned says so when it is typed.
func parityRow(t *testing.T, there, here, shown string) {
	planned, typed := strings.Contains(here, "**planned**"), 0
	for _, m := range shownBy.FindAllStringSubmatch(here, -1) {
		command, is := strings.CutPrefix(m[1], "/vmss ")
		if !is {
			continue
		}
		typed++
		_, no := commands.Parse(command)
		switch {
		case planned && (no == nil || !strings.Contains(no.What, "planned, not built yet")):
			t.Errorf("%s: %s is planned, and who types it is told %v", there, command, no)
		case !planned && no != nil:
			t.Errorf("%s: %s is not understood: %v", there, command, no)
		}
	}
	names := shownBy.FindAllStringSubmatch(shown, -1)
	if typed == 0 || !planned && len(names) == 0 {
		t.Errorf("%s: there is no command, or nothing shows it", there)
	}
	for _, m := range names {
		story, is := strings.CutPrefix(m[1], "story:")
		_, err := os.Stat(filepath.Join("testdata", story+".txtar"))
		if is && err != nil || !is && !testExists(t, m[1]) {
			t.Errorf("%s: there is no %s", there, m[1])
		}
	}
}
