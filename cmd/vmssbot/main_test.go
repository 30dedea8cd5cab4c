package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot"
)

func TestEveryCommandAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vmssbot.yaml")
	if err := os.WriteFile(file, []byte("journal: j.db\nazure: {subscription: 7c0ffee0-0000-4000-8000-5e7ba5e5f1ee}\nsets: [{match: web}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLACK_BOT_TOKEN", "")
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"nothing", nil, 2, "usage:"},
		{"help", []string{"help"}, 0, "vmssbot run --config"},
		{"a slip", []string{"rum"}, 2, `I do not know "rum"`},
		{"the manifest", []string{"manifest"}, 0, vmssbot.Manifest},
		{"the version", []string{"version"}, 0, "vmssbot "},
		{"a good configuration", []string{"config", "check", "--config", file}, 0, "the configuration is good: sets has 1 entry"},
		{"no gates", []string{"gates", "ask", "--config", file}, 0, "0 gates, all pass"},
		{"gates and nothing", []string{"gates"}, 2, "usage:"},
		{"no configuration", []string{"run", "--config", file + "x"}, 1, "no such file"},
		{"no tokens", []string{"run", "--config", file}, 1, "SLACK_BOT_TOKEN"},
		{"too many words", []string{"run", "--config", file, "now"}, 2, `I do not know "now"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(row.args, &out, &errs); code != row.code || !strings.Contains(out.String()+errs.String(), row.says) {
				t.Errorf("exit %d, said %q; want %d and %q", code, out.String()+errs.String(), row.code, row.says)
			}
		})
	}
}
