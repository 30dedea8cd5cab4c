package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/vmssbot/vmssbot/upgrade/store"
)

// installation writes a configuration for servers that are not there and a journal, and returns their
// paths.
func installation(t *testing.T) (config, journal string) {
	t.Helper()
	dir := t.TempDir()
	config, journal = filepath.Join(dir, "vmssbot.yaml"), filepath.Join(dir, "journal.db")
	body := fmt.Sprintf(`
journal: %s
slack: {api_url: 'http://127.0.0.1:9/api/'}
azure: {subscription: 7c0ffee0-0000-4000-8000-5e7ba5e5f1ee, endpoint: 'http://127.0.0.1:9', auth: local}
sets: [{match: web}]
`, journal)
	if err := os.WriteFile(config, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(journal, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLACK_BOT_TOKEN", "xoxb-x")
	t.Setenv("SLACK_APP_TOKEN", "xapp-x")
	return config, journal
}

func TestAJournalThatCannotBeTrustedIsRefusedAndKept(t *testing.T) {
	for name, row := range map[string]struct {
		damage func(journal string, body []byte) error
		says   []string
	}{
		"overwritten pages": {func(path string, body []byte) error { clear(body[4096:]); return os.WriteFile(path, body, 0o600) }, []string{"damaged", "restore the last backup"}},
		"cut in the middle": {func(path string, body []byte) error { return os.WriteFile(path, body[:len(body)/2], 0o600) }, []string{"damaged", "restore the last backup"}},
		"another kind of file": {func(path string, _ []byte) error {
			return os.WriteFile(path, bytes.Repeat([]byte("text\n"), 5000), 0o600)
		},
			[]string{"damaged", "restore the last backup"}},
		"0 bytes": {func(path string, _ []byte) error { return os.Truncate(path, 0) }, []string{"0 bytes", "restore the last backup", "delete the file yourself"}},
		"a newer schema": {func(path string, _ []byte) error { return newer(path) },
			[]string{"newer version of vmssbot (schema 99", "run that version, or restore the backup made before the upgrade"}},
		"its log without it": {func(path string, _ []byte) error { return os.Rename(path, path+"-wal") }, []string{"missing, but its log", "put the file back"}},
		"readable by others": {func(path string, _ []byte) error { return os.Chmod(path, 0o644) }, []string{"lets others in", "chmod 600"}},
	} {
		t.Run(name, func(t *testing.T) {
			config, journal := installation(t)
			body, err := os.ReadFile(journal)
			if err != nil {
				t.Fatal(err)
			}
			if err := row.damage(journal, body); err != nil {
				t.Fatal(err)
			}
			before := files(t, journal)
			var out, errs bytes.Buffer
			if code := run([]string{"run", "--config", config}, &out, &errs); code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
			for _, says := range append(row.says, journal) {
				if !strings.Contains(errs.String(), says) {
					t.Errorf("it does not say %q: %s", says, errs.String())
				}
			}
			if after := files(t, journal); after != before {
				t.Errorf("the files were changed: %.200q became %.200q", before, after)
			}
		})
	}
}

func TestAJournalThatAnotherProgramLocksIsRefusedWithAWord(t *testing.T) {
	config, journal := installation(t)
	other, err := sql.Open("sqlite", "file:"+journal+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	write, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Rollback()
	var out, errs bytes.Buffer
	if code := run([]string{"run", "--config", config}, &out, &errs); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	for _, says := range []string{journal, "another program has locked it", "fuser"} {
		if !strings.Contains(errs.String(), says) {
			t.Errorf("it does not say %q: %s", says, errs.String())
		}
	}
}

// newer makes the journal look as if a later version had written to it.
func newer(path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(`insert into goose_db_version (version_id, is_applied) values (99, 1)`)
	return err
}

// files are the bytes of the journal and of its log, as far as there are any.
func files(t *testing.T, journal string) string {
	t.Helper()
	all := ""
	for _, path := range []string{journal, journal + "-wal"} {
		body, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all += fmt.Sprintf("%s: %v %x\n", filepath.Base(path), err == nil, body)
	}
	return all
}
