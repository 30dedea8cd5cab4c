package upgradetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// faultRow is a row of docs/faults.md: a fault and what shows what is done about it.
type faultRow struct {
	section, fault string
	judges         []string // of a promise, the observer's functions
	stories, tests []string
}

var (
	shownBy  = regexp.MustCompile("`([^`]+)`")
	testName = regexp.MustCompile(`^(?:([\w/]+)\.)?((?:Test|Fuzz)\w+)$`)
)

// faultRows reads the tables of the catalogue.
func faultRows(t *testing.T) []faultRow {
	t.Helper()
	body, err := os.ReadFile("../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []faultRow
	section := ""
	for line := range strings.Lines(string(body)) {
		if title, found := strings.CutPrefix(line, "## "); found {
			section = strings.TrimSpace(title)
		}
		cells := strings.Split(line, "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") || strings.HasPrefix(line, "| fault |") || strings.HasPrefix(line, "| promise |") {
			continue
		}
		if len(cells) != 5 {
			t.Fatalf("a row has a fault, what the bot does and what shows it: %s", line)
		}
		row := faultRow{section: section, fault: strings.TrimSpace(cells[1])}
		for _, m := range shownBy.FindAllStringSubmatch(cells[2], -1) {
			row.judges = append(row.judges, m[1])
		}
		for _, m := range shownBy.FindAllStringSubmatch(cells[3], -1) {
			if name, story := strings.CutPrefix(m[1], "story:"); story {
				row.stories = append(row.stories, name)
			} else {
				row.tests = append(row.tests, m[1])
			}
		}
		out = append(out, row)
	}
	return out
}

func TestEveryFaultIsShown(t *testing.T) {
	rows := faultRows(t)
	seen := map[string]int{}
	for _, r := range rows {
		seen[r.section]++
		switch {
		case len(r.stories)+len(r.tests) == 0:
			t.Errorf("%s: %s: nothing shows it", r.section, r.fault)
		case len(r.stories) == 0 && (r.section == "Azure" || r.section == "Slack"):
			t.Errorf("%s: %s: no story tells it", r.section, r.fault)
		}
		for _, name := range r.stories {
			if _, err := os.Stat(filepath.Join("testdata", name+".txtar")); err != nil {
				t.Errorf("%s: %s: there is no story %s", r.section, r.fault, name)
			}
		}
		for _, name := range r.tests {
			if !testExists(t, name) {
				t.Errorf("%s: %s: there is no test %s", r.section, r.fault, name)
			}
		}
	}
	for _, section := range []string{"Azure", "Slack", "Process"} {
		if seen[section] == 0 {
			t.Errorf("there are no faults of %s", section)
		}
	}
}

func TestEveryPromiseIsJudged(t *testing.T) {
	var observer strings.Builder
	for _, file := range sources(t, "*.go") {
		observer.WriteString(file)
	}
	n := 0
	for _, r := range faultRows(t) {
		if r.section != "Promises" {
			continue
		}
		if n++; !strings.HasPrefix(r.fault, fmt.Sprintf("I%d ", n)) || len(r.judges) == 0 {
			t.Errorf("%q, judged by %v: it should be I%d, and somebody must judge it", r.fault, r.judges, n)
		}
		for _, name := range r.judges {
			if !regexp.MustCompile(`(?m)^func \([^)]*\) ` + name + `\(`).MatchString(observer.String()) {
				t.Errorf("%s: there is no %s", r.fault, name)
			}
		}
	}
	if n != 21 {
		t.Errorf("there are %d promises", n)
	}
}

// sources are the files of this package that match.
func sources(t *testing.T, pattern string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "_test.go") {
			out = append(out, string(body))
		}
	}
	return out
}

// testExists looks for "upgrade/store.TestName" in that package's tests.
func testExists(t *testing.T, name string) bool {
	t.Helper()
	m := testName.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	files, err := filepath.Glob(filepath.Join("../..", m[1], "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(body), "func "+m[2]+"(") {
			return true
		}
	}
	return false
}
