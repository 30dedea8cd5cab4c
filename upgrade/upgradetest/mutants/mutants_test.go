package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

func all(t *testing.T) []mutant {
	t.Helper()
	list, err := readAll("planted")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEveryMutantFindsItsLinesAndStaysGo(t *testing.T) {
	for _, m := range all(t) {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
		if err == nil {
			source, err = m.plant(source)
		}
		if err == nil {
			_, err = parser.ParseFile(token.NewFileSet(), m.file, source, parser.SkipObjectResolution)
		}
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

func TestEveryMutantIsLookedForByTestsThatExist(t *testing.T) {
	stories, err := filepath.Glob(filepath.Join("..", "testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all(t) {
		for _, c := range m.tests {
			name, story, isStory := strings.Cut(c.run, "/")
			if !slices.ContainsFunc(testsIn(t, c.pkg), regexp.MustCompile(name).MatchString) {
				t.Errorf("%s: %s has no test %s", m.name, c.pkg, name)
			}
			if isStory && !slices.ContainsFunc(stories, func(s string) bool {
				return regexp.MustCompile(story).MatchString(strings.TrimSuffix(filepath.Base(s), ".txtar"))
			}) {
				t.Errorf("%s: there is no story %s", m.name, story)
			}
		}
	}
}

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)`)

func testsIn(t *testing.T, pkg string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range testFunc.FindAllSubmatch(body, -1) {
			names = append(names, string(f[1]))
		}
	}
	return names
}

func TestEveryRuleHasAMutantOrAReasonWhyNot(t *testing.T) {
	for _, what := range unhunted(all(t)) {
		t.Error(what)
	}
	for rule := range parts {
		if uncoded[rule] != "" {
			t.Errorf("%s is said not to be coded, and to be coded in part", rule)
		}
	}
}

func TestARuleThatIsCodedByNowNeedsNoReason(t *testing.T) {
	if got := unhunted([]mutant{{rules: []string{"R36"}}}); !slices.Contains(got, "R36 has a mutant, and should have none: "+uncoded["R36"]) || !slices.Contains(got, "R1 has no mutant") {
		t.Errorf("got %v", got)
	}
}

// A module of one function and two tests, of which one knows nothing of it.
const (
	product = "package p\n\nfunc Twice(n int) int {\n\treturn 2 * n\n}\n"
	tests   = "package p\n\nimport \"testing\"\n\nfunc TestTwice(t *testing.T) {\n\tif Twice(3) != 6 {\n\t\tt.Fatal(Twice(3))\n\t}\n}\n\nfunc TestNothing(*testing.T) {}\n"
)

func TestOnlyATestThatFailsIsACatch(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{"go.mod": "module p\n\ngo 1.26\n", "p.go": product, "p_test.go": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ name, before, after, run, escaped, fails string }{
		{"a test that fails", "\treturn 2 * n\n", "\treturn 3 * n\n", "TestTwice", "", ""},
		{"a test that panics", "\treturn 2 * n\n", "\tpanic(n)\n", "TestTwice", "", ""},
		{"a test that passes", "\treturn 2 * n\n", "\treturn 3 * n\n", "TestNothing", "passes all the same", ""},
		{"a test that is not there", "\treturn 2 * n\n", "\treturn 3 * n\n", "TestThrice", "there is no test", ""},
		{"a product that does not build", "\treturn 2 * n\n", "\treturn two * n\n", "TestTwice", "", "does not build"},
		{"lines that are not there", "\treturn n + n\n", "\treturn 3 * n\n", "TestTwice", "", "0 times, not once"},
		{"half a line", " n\n", " 3\n", "TestTwice", "", "0 times, not once"},
		{"lines that stay", "\treturn 2 * n\n", "\treturn 2 * n\n", "TestTwice", "", "changes nothing"},
	} {
		m := mutant{name: "m", file: "p.go", before: row.before, after: row.after, tests: []catcher{{".", row.run, nil}}}
		escaped, err := hunt(dir, m)
		if row.fails == "" && err != nil || row.fails != "" && (err == nil || !strings.Contains(err.Error(), row.fails)) {
			t.Errorf("%s: failed by %v, want %q", row.name, err, row.fails)
		}
		if !strings.Contains(escaped, row.escaped) || row.escaped == "" && escaped != "" {
			t.Errorf("%s: escaped by %q, want %q", row.name, escaped, row.escaped)
		}
	}
	if body, err := os.ReadFile(filepath.Join(dir, "p.go")); err != nil || string(body) != product {
		t.Errorf("the product was touched: %s (%v)", body, err)
	}
}

func TestEachHasItsTurn(t *testing.T) {
	list := all(t)
	turns := map[string]int{}
	for day := range (len(list) + 4) / 5 {
		for _, m := range chosen(list, 5, day+40) {
			turns[m.name]++
		}
	}
	if len(turns) != len(list) {
		t.Errorf("%d of %d had their turn", len(turns), len(list))
	}
	if got := chosen(list, 0, 1); len(got) != len(list) {
		t.Errorf("without a number %d of %d are planted", len(got), len(list))
	}
}

func TestAFileThatIsNoMutantIsRefused(t *testing.T) {
	const parts = "-- before --\na\n-- after --\nb\n"
	for name, body := range map[string]string{
		"no rule":       "a bug\nfile: p.go\ntest: ./p TestP\n" + parts,
		"no file":       "R1: a bug\ntest: ./p TestP\n" + parts,
		"no test":       "R1: a bug\nfile: p.go\n" + parts,
		"half a test":   "R1: a bug\nfile: p.go\ntest: ./p\n" + parts,
		"another line":  "R1: a bug\nfile: p.go\ntest: ./p TestP\nseeds: 500\n" + parts,
		"no after":      "R1: a bug\nfile: p.go\ntest: ./p TestP\n-- before --\na\n",
		"another order": "R1: a bug\nfile: p.go\ntest: ./p TestP\n-- after --\na\n-- before --\nb\n",
	} {
		if m, err := parse("m", []byte(body)); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	m, err := parse("m", []byte("R1 I4: a bug\nfile: p.go\ntest: ./p TestP\ntest: ./q TestQ -seeds 500\n"+parts))
	if err != nil || !slices.Equal(m.rules, []string{"R1", "I4"}) || len(m.tests) != 2 || !slices.Equal(m.tests[1].args, []string{"-seeds", "500"}) {
		t.Errorf("%+v (%v)", m, err)
	}
}

func TestAPatternThatMatchesNoMutantIsAnError(t *testing.T) {
	list := all(t)
	for _, row := range []struct {
		named string
		fine  bool
	}{{"", true}, {"R27", true}, {"R99", false}, {"(", false}} {
		if some, err := matching(list, row.named); (err == nil) != row.fine || row.fine == (len(some) == 0) {
			t.Errorf("%q: %d of them, error %v", row.named, len(some), err)
		}
	}
}
