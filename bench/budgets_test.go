package bench

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestABudgetThatDoesNotHoldIsNamedWithWhatWasGot(t *testing.T) {
	const output = `goos: linux
BenchmarkRollout/tcp-2   	       1	         1.124 makespan	     330.0 arm:all
BenchmarkScript/by-ud    	       1	     12345 ns/op	     249.0 arm:all
PASS
`
	for _, row := range []struct {
		name, budgets, output string
		code                  int
		says                  string
	}{
		{"all hold", "# a remark\n\nRollout/tcp:makespan <= 1.30 sockets\nRollout/tcp:arm:all >= 1 it works", output, 0, ""},
		{"too much", "Rollout/tcp:makespan <= 1.10 sockets", output, 1, "Rollout/tcp:makespan: got 1.124, budget <= 1.10"},
		{"too little", "Rollout/tcp:arm:all >= 331 it works", output, 1, "Rollout/tcp:arm:all: got 330.0, budget >= 331"},
		{"just enough", "Rollout/tcp:makespan <= 1.124 sockets", output, 0, ""},
		{"not measured", "Recovery/tcp:first-poll-s <= 5 looks", output, 1, "Recovery/tcp:first-poll-s: not measured, budget <= 5"},
		{"a benchmark failed", "Rollout/tcp:makespan <= 1.30 sockets", "--- FAIL: BenchmarkRecovery/tcp\n" + output, 1, ""},
		{"no reason", "Rollout/tcp:makespan <= 1.30", output, 2, "want: figure"},
		{"no comparison", "Rollout/tcp:makespan = 1.30 sockets", output, 2, "want: figure"},
		{"twice", "Rollout/tcp:makespan <= 1.30 a\nRollout/tcp:makespan <= 1.40 b", output, 2, "has a budget already"},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, out, errs := compare(t, row.budgets, row.output)
			if code != row.code || !strings.Contains(errs, row.says) || row.says == "" && errs != "" {
				t.Errorf("exit %d, said %q; want %d and %q", code, errs, row.code, row.says)
			}
			if code < 2 && !strings.Contains(out, "Script/by-ud:arm:all") {
				t.Errorf("a figure without a budget is not in the table:\n%s", out)
			}
		})
	}
}

// compare runs .ci/budgets, which needs what every Unix has.
func compare(t *testing.T, budgets, output string) (code int, out, errs string) {
	t.Helper()
	for _, needed := range []string{"bash", "awk"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(err)
		}
	}
	file := filepath.Join(t.TempDir(), "budgets.txt")
	if err := os.WriteFile(file, []byte(budgets), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("../.ci/budgets", file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(output), &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}
