package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

// mutant is one bug that could have been: a few lines of one file of the product, and what it would
// have instead.
type mutant struct {
	name          string // of its file, such as R27-cap-ignored
	rules         []string
	says          string // the bug in words
	file          string // by its path in the module, with slashes
	before, after string // whole lines
	tests         []catcher
}

// catcher is what must catch a mutant: tests of one package, by the patterns of `go test -run`.
type catcher struct {
	pkg  string // "./upgrade"
	run  string
	args []string // for the test binary, such as -seeds 500
}

var heading = regexp.MustCompile(`^((?:[RI]\d+ )*[RI]\d+): (.+)$`)

// parse reads a mutant's file. Its comment names the rules and says what the bug is, then come the lines
// "file: PATH" and "test: PACKAGE PATTERN [ARGS]"; of several of these each must catch it.
func parse(name string, body []byte) (mutant, error) {
	a := txtar.Parse(body)
	m := mutant{name: name}
	for n, line := range strings.Split(strings.TrimSpace(string(a.Comment)), "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch is := heading.FindStringSubmatch(line); {
		case n == 0 && is != nil:
			m.rules, m.says = strings.Fields(is[1]), is[2]
		case n > 0 && key == "file":
			m.file = value
		case n > 0 && key == "test" && len(strings.Fields(value)) > 1:
			f := strings.Fields(value)
			m.tests = append(m.tests, catcher{f[0], f[1], f[2:]})
		default:
			return m, fmt.Errorf("line %d is none of RULES: WORDS, file: PATH, test: PACKAGE PATTERN: %s", n+1, line)
		}
	}
	if len(a.Files) != 2 || a.Files[0].Name != "before" || a.Files[1].Name != "after" {
		return m, errors.New("the parts must be before and after")
	}
	m.before, m.after = string(a.Files[0].Data), string(a.Files[1].Data)
	if m.file == "" || len(m.tests) == 0 || m.before == "" {
		return m, errors.New("it takes a file, a test, and something before")
	}
	return m, nil
}

// plant puts the bug into the file's text. The lines before must be there exactly once: what is there
// no more, or twice by now, is no mutant of this product.
func (m mutant) plant(source []byte) ([]byte, error) {
	at := slices.DeleteFunc(indexes(source, []byte(m.before)), func(i int) bool { return i > 0 && source[i-1] != '\n' })
	if len(at) != 1 {
		return nil, fmt.Errorf("%s: its lines are in %s %d times, not once", m.name, m.file, len(at))
	}
	out := slices.Concat(source[:at[0]], []byte(m.after), source[at[0]+len(m.before):])
	if bytes.Equal(out, source) {
		return nil, fmt.Errorf("%s: it changes nothing in %s", m.name, m.file)
	}
	return out, nil
}

func indexes(text, part []byte) (at []int) {
	for from := 0; ; {
		i := bytes.Index(text[from:], part)
		if i < 0 {
			return at
		}
		at = append(at, from+i)
		from += i + 1
	}
}

// readAll reads the mutants of a directory, in the order of their names.
func readAll(dir string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no mutants in %s", dir)
	}
	var out []mutant
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m, err := parse(strings.TrimSuffix(filepath.Base(file), ".txtar"), body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, m)
	}
	return out, nil
}
