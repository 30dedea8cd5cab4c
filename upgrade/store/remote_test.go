package store

import (
	"strings"
	"testing"
)

func TestWhichDatabasesAreTrusted(t *testing.T) {
	for _, key := range []string{"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSSLMODE", "PGSERVICE", "PGPASSFILE"} {
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
