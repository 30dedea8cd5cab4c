package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

func TestWhichDatabasesAreTrusted(t *testing.T) {
	for _, key := range []string{"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSSLMODE", "PGSSLKEY", "PGSSLROOTCERT", "PGSERVICE", "PGPASSFILE"} {
		t.Setenv(key, "")
	}
	for place, want := range map[string]string{
		"postgres://bot@db.example/vmss?sslmode=verify-full":                      "",
		"postgresql://bot@db.example:5433/vmss?sslmode=verify-full":               "",
		"postgres://bot@127.0.0.1/vmss":                                           "",
		"postgres://bot@[::1]/vmss?sslmode=disable":                               "",
		"postgres://bot@localhost/vmss":                                           "",
		"postgres:///vmss?host=/run/postgresql&user=bot":                          "",
		"postgres://bot@a.example,b.example/vmss?sslmode=verify-full":             "",
		"postgres://bot@db.example/vmss":                                          "sslmode=verify-full",
		"postgres://bot@db.example/vmss?sslmode=require":                          "sslmode=verify-full",
		"postgres://bot@db.example/vmss?sslmode=prefer":                           "sslmode=verify-full",
		"postgres://bot@127.0.0.1.evil.example/vmss":                              "sslmode=verify-full",
		"postgres://bot@127.0.0.1,db.example/vmss?sslmode=prefer":                 "sslmode=verify-full",
		"postgres://bot:secret@db.example/vmss?sslmode=verify-full":               "passfile=",
		"postgres://bot@db.example/vmss?sslmode=verify-full&password=secret":      "passfile=",
		"postgres://bot@db.example/vmss?sslmode=verify-full&sslpassword=secret":   "passfile=",
		"postgres://bot:secret@db.example:port/vmss":                              "journal:",
		"postgres://bot@db.example/vmss?sslmode=often":                            "journal:",
		"postgres://bot@db.example/vmss?sslmode=verify-full&sslrootcert=/no/such": "journal:",
	} {
		err := Look(place)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", place, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is told: %v", place, err)
		}
	}
}

func TestWhatProvesWhoOneIsIsNobodyElsesToReadOrToReplace(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	file := func(dir, file fs.FileMode) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, file), os.Chmod(filepath.Dir(path), dir)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, row := range []struct {
		key, path, want string
	}{
		{"passfile", file(0o755, 0o600), ""},
		{"passfile", file(0o755, 0o440), ""}, // as it is mounted in Kubernetes
		{"passfile", file(0o755, 0o644), "chmod o-rwx"},
		{"passfile", file(0o777, 0o600), "chmod o-w"},
		{"sslkey", file(0o755, 0o644), "chmod o-rwx"},
		{"sslrootcert", file(0o777, 0o644), "chmod o-w"},
	} {
		for _, place := range []string{"postgres://bot@127.0.0.1/vmss", "postgres://bot@127.0.0.1/vmss?" + row.key + "=" + row.path} {
			t.Setenv("PG"+strings.ToUpper(row.key), "")
			if !strings.Contains(place, "?") {
				t.Setenv("PG"+strings.ToUpper(row.key), row.path)
			}
			if err := Look(place); row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%s: %v, want %q", place, err, row.want)
			}
		}
	}
}

func TestThePasswordIsNotHandedDownToOtherPrograms(t *testing.T) {
	t.Cleanup(func() { password.Store("") })
	t.Setenv("PGPASSWORD", "canary")
	for range 2 { // whoever stands by reads it again and again
		c, err := remote("postgres://bot@127.0.0.1/vmss")
		if err != nil || c.Password != "canary" {
			t.Fatalf("%v: the password is lost", err)
		}
		if left := strings.Join(os.Environ(), " "); strings.Contains(left, "canary") {
			t.Error("the password is left in the environment")
		}
	}
}

func TestASocketThatEverybodyCouldMakeIsNotTrusted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	dir := t.TempDir()
	if err := Look("postgres:///vmss?host=" + dir); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil { // as /tmp
		t.Fatal(err)
	}
	if err := Look("postgres:///vmss?host=" + dir); err == nil || !strings.Contains(err.Error(), "everybody on this machine could answer") {
		t.Errorf("got %v", err)
	}
}

// What was sent to a machine that is gone keeps its session from being probed until it is given up, which is a matter of its own.
func TestAMachineThatIsGoneGivesTheLockBackWithinHalfAMinute(t *testing.T) {
	c, err := remote("postgres://bot@127.0.0.1/vmss")
	if err != nil {
		t.Fatal(err)
	}
	seconds := func(name string) int {
		n, err := strconv.Atoi(c.RuntimeParams[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return n
	}
	if quiet := seconds("tcp_keepalives_idle") + seconds("tcp_keepalives_interval")*seconds("tcp_keepalives_count"); quiet > 30 {
		t.Errorf("a connection on which nothing was under way is kept for %d s", quiet)
	}
	if ms := seconds("tcp_user_timeout"); ms < 1 || ms > 30_000 {
		t.Errorf("an answer that nobody takes is kept for %d ms", ms)
	}
}

func TestWhatIsAnURLAndWhatIsAPath(t *testing.T) {
	for place, want := range map[string]bool{
		"postgres://h/d": true, "postgresql://h/d": true, "/var/lib/vmssbot/journal.db": false, "journal.db": false, "postgres": false, "postgres:/x": false, "sqlite://x": false,
	} {
		if Remote(place) != want {
			t.Errorf("%s: remote is %v", place, !want)
		}
	}
}

func TestTheTimeIsTheLastArgument(t *testing.T) {
	for text, want := range map[string]int{"select 1": 0, "$1 $1": 1, "$2 $1 $10": 10} {
		if got := arguments(text); got != want {
			t.Errorf("%q takes %d, got %d", text, want, got)
		}
	}
}
