package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// said is what the rollout r-1 came to, in order.
var said = []upgrade.Fact{
	upgrade.Asked{Gate: "ud-0", Asking: 1, Nonce: "5a1e"}, upgrade.Voted{Gate: "ud-0", Asking: 1, Name: "bo"}, upgrade.Paused{Name: "bo", Reason: "lunch"},
	upgrade.Resumed{Name: "eva"}, upgrade.AbortAsked{Name: "bo", Reason: "tired"}, upgrade.Ended{Outcome: upgrade.OutcomeAborted},
}

// keep writes a rollout's history, and one line of the system's, into an open journal.
func keep(t *testing.T, s *store.Store) {
	t.Helper()
	p := upgrade.Plan{Digest: "7c1e", Set: "/x/web", Name: "web", Gates: []upgrade.Gate{{Key: "ud-0", Title: "UD 0", Instances: []upgrade.Member{{ID: "0"}, {ID: "5"}}}}}
	facts := append([]upgrade.Fact{upgrade.Requested{Digest: p.Digest, Sum: p.Sum(), Channel: "C1", Name: "ana"}}, said...)
	if _, err := s.Receive(t.Context(), upgrade.Delivery{Key: "k", Kind: "k", Body: []byte("{}"), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	list, err := s.Unsettled(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Settle(t.Context(), upgrade.Settlement{Delivery: list[0].ID, Changes: []upgrade.Change{
		{Rollout: "r-1", Open: &p, Events: upgrade.At(time.Now(), "U0ANA", facts...)},
		{Events: upgrade.At(time.Now(), "U0EVE", upgrade.Declined{Code: upgrade.CodeRole, Said: "approve r-1"})},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// verified runs the command.
func verified(args ...string) (code int, says string) {
	var out, errs bytes.Buffer
	code = run(append([]string{"audit", "verify"}, args...), &out, &errs)
	return code, out.String() + errs.String()
}

func TestTheAuditIsVerifiedWhileTheBotIsAtWorkAndInABackup(t *testing.T) {
	config, journal := installation(t)
	s, err := store.Open(journal, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, s)
	const whole = "the audit is whole: 8 entries, the plans of 1 rollouts"
	if code, says := verified("--config", config); code != 0 || !strings.Contains(says, whole) {
		t.Errorf("beside the bot: exit %d, %s", code, says)
	}
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("the bot cannot write after it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(backup, body, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, says := verified("--journal", backup); code != 0 || !strings.Contains(says, whole) {
		t.Errorf("of a backup: exit %d, %s", code, says)
	}
	if after, err := os.ReadFile(backup); err != nil || !bytes.Equal(after, body) {
		t.Errorf("it changed what it read (%v)", err)
	}
}

// Every byte of what was written down is one that somebody might change.
func TestOneByteChangedAnywhereInTheAuditIsFoundAndItsPlaceNamed(t *testing.T) {
	_, journal := installation(t)
	s, err := store.Open(journal, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	for n, fact := range said {
		kind, body, err := upgrade.EncodeFact(fact)
		if err != nil {
			t.Fatal(err)
		}
		row := append([]byte(kind), body...) // columns stand side by side in SQLite's rows
		at := bytes.Index(sound, row)
		if at < 0 {
			t.Fatalf("entry %d does not stand in the file: %s", n+2, row)
		}
		for i := range row {
			changed := bytes.Clone(sound)
			changed[at+i] ^= 1
			if err := os.WriteFile(journal, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("rollout r-1: entry %d was changed after it was written", n+2)
			if code, says := verified("--journal", journal); code != 1 || !strings.Contains(says, want) {
				t.Fatalf("byte %d of entry %d: exit %d, %s", i, n+2, code, says)
			}
		}
	}
	changed := bytes.Replace(sound, []byte(`{"ID":"5"`), []byte(`{"ID":"6"`), 1)
	if err := os.WriteFile(journal, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, says := verified("--journal", journal); code != 1 || !strings.Contains(says, "rollout r-1: plan 7c1e was changed") {
		t.Errorf("another instance in the plan that was agreed to: exit %d, %s", code, says)
	}
}

// Each stream has a chain of its own: one that is gone altogether breaks none.
func TestARolloutThatWasTakenOutOfTheAuditIsMissed(t *testing.T) {
	for name, row := range map[string]struct{ says, tamper string }{
		"with all that belongs to it":        {"1 entries where 8 were written", `delete from votes; delete from grants; delete from cards; delete from plans; delete from outbox; delete from rollouts; delete from events where rollout <> ''; delete from streams where rollout <> ''`},
		"all but its votes":                  {"something in votes belongs to a rollout that is missing", `delete from grants; delete from cards; delete from plans; delete from outbox; delete from rollouts; delete from streams where rollout <> ''; delete from events where rollout <> ''; update events set rowid = 1`},
		"and one put in that says otherwise": {"rollout ?[2K?the audit is whole: ", `update streams set rollout = char(27) || '[2K' || char(13) || 'the audit is whole' where rollout = 'r-1'`},
	} {
		_, journal := installation(t)
		s, err := store.Open(journal, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		keep(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", journal)
		if err == nil {
			_, err = db.Exec(row.tamper)
		}
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if code, says := verified("--journal", journal); code != 1 || !strings.Contains(says, row.says) || strings.ContainsAny(says, "\x1b\r") {
			t.Errorf("%s: exit %d, %q", name, code, says)
		}
	}
}

func TestAnAuditThatIsNotThereIsNoWholeOne(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "journal.db")
	if code, says := verified("--journal", missing); code != 1 || !strings.Contains(says, "there is none") {
		t.Errorf("exit %d, %s", code, says)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("it was made")
	}
	if code, says := verified("--journal", ""); code != 1 || !strings.Contains(says, "vmssbot.yaml") {
		t.Errorf("of no configuration: exit %d, %s", code, says)
	}
}
