package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWithTheJournalInADatabaseTheFileLiesBesideTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	c := Config{Journal: "postgres://127.0.0.1/vmssbot", from: source{file: filepath.Join(dir, "vmssbot.yaml")}}
	if got := frozen(c.beside()); got != "" {
		t.Errorf("frozen before anybody said so: %q", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "FREEZE"), []byte("ana: storage incident"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := frozen(c.beside()); got != "ana: storage incident" {
		t.Errorf("frozen says %q", got)
	}
}

func TestWhereNoFreezeFileCouldLieNothingRuns(t *testing.T) {
	inDatabase := strings.Replace(good, "journal: ", "journal: postgres://127.0.0.1/vmssbot #", 1)
	if inDatabase == good {
		t.Fatal("the configuration names no journal")
	}
	for file, fits := range map[string]bool{"/etc/vmssbot/vmssbot.yaml": true, "/dev/stdin": false, "/dev/fd/63": false} {
		if _, err := Parse(file, []byte(inDatabase)); (err == nil) != fits || err != nil && !strings.Contains(err.Error(), "FREEZE") {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := Parse("/dev/fd/63", []byte(good)); err != nil {
		t.Errorf("with a journal in a file: %v", err)
	}
}

func TestTheFreezeFileSaysWhy(t *testing.T) {
	write := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for name, row := range map[string]struct {
		make func(path string) error
		want string
	}{
		"there is none":           {func(string) error { return nil }, ""},
		"an empty one":            {write(""), "FREEZE file"},
		"one of blanks":           {write("  \nmore"), "FREEZE file"},
		"a reason":                {write("  ana: deploy night \nand more"), "ana: deploy night"},
		"without an end of line":  {write("ana"), "ana"},
		"control characters":      {write("a\x1b[31m\tb\r\n"), "a [31m b"},
		"what is no text":         {write("a\xff\xfeb"), "a�b"},
		"a folder of that name":   {func(path string) error { return os.Mkdir(path, 0o700) }, "FREEZE file"},
		"a link to nowhere":       {func(path string) error { return os.Symlink("nowhere", path) }, "FREEZE file"},
		"a reason of many words":  {write(strings.Repeat("é ", 300)), strings.TrimSpace(strings.Repeat("é ", 100))},
		"more than anybody reads": {write(strings.Repeat("x", 1<<20)), strings.Repeat("x", 200)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := row.make(filepath.Join(dir, "FREEZE")); err != nil {
				t.Fatal(err)
			}
			if got := frozen(filepath.Join(dir, "journal.db")); got != row.want || utf8.RuneCountInString(got) > 200 {
				t.Errorf("frozen because of %q, want %q", got, row.want)
			}
		})
	}
}

func TestWhatCannotBeSeenIsFrozen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"the folder is gone": filepath.Join(t.TempDir(), "gone"), "the folder is a file": file} {
		if got := frozen(filepath.Join(dir, "journal.db")); !strings.Contains(got, "cannot be seen") {
			t.Errorf("%s: frozen because of %q", name, got)
		}
	}
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	path := filepath.Join(t.TempDir(), "FREEZE")
	if err := os.WriteFile(path, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if got := frozen(filepath.Join(filepath.Dir(path), "journal.db")); !strings.Contains(got, "cannot be read") {
		t.Errorf("a file that may not be read: frozen because of %q", got)
	}
}
