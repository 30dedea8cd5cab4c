package upgradetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/safety.md has a row for each promise, and each row names what shows it, or says that it is not built.
func TestEveryPromiseIsShown(t *testing.T) {
	body, err := os.ReadFile("../../docs/safety.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, section := map[string]int{}, ""
	for line := range strings.Lines(string(body)) {
		if title, found := strings.CutPrefix(line, "## "); found {
			section = strings.TrimSpace(title)
		}
		for _, m := range shownBy.FindAllStringSubmatch(line, -1) {
			name, story := strings.CutPrefix(m[1], "story:")
			switch _, missing := os.Stat(filepath.Join("testdata", name+".txtar")); {
			case story && missing != nil && name != "NAME":
				t.Errorf("%s: there is no story %s", section, name)
			case regexp.MustCompile(`^[\w/]*\.(Test|Fuzz)`).MatchString(name) && !testExists(t, name):
				t.Errorf("%s: there is no test %s", section, name)
			}
		}
		cells := strings.Split(line, "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") || section == "Figures" || strings.Contains(line, "| shown by |") {
			continue
		}
		if len(cells) != 5 || !strings.Contains(cells[3], "`") && strings.TrimSpace(cells[3]) != "not built" {
			t.Errorf("%s: nothing shows this, nor is it not built: %s", section, line)
			continue
		}
		rows[strings.TrimSpace(cells[1])]++
	}
	for letter, last := range map[string]int{"I": 20, "R": 48} {
		for n := 1; n <= last; n++ {
			if name := fmt.Sprintf("%s%d", letter, n); rows[name] != 1 {
				t.Errorf("%s has %d rows", name, rows[name])
			}
		}
	}
	if len(rows) < 20+48+20 {
		t.Errorf("only %d rows are found", len(rows))
	}
}
