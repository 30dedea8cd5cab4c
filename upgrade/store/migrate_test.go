package store

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// older unpacks a journal as the program of commit d43fb6c left it, the last one of schema 1: r-0 has
// ended; r-1 was approved and is with Azure, its live message and card are in a channel that was
// archived before its first batch could be told; a pause waits in the inbox.
func older(t *testing.T) (path string) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(read(t, filepath.Join("testdata", "schema-1.db.gz"))))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnOlderJournalGoesOnWhereItWas(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	s := opened(t, older(t), func() time.Time { return at })
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	r, err := s.Record(t.Context(), "r-1")
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan.Name != "web" || r.Rollout.Op == nil || r.Rollout.Op.State != upgrade.StateAccepted || r.Poll == "" || r.Link != "1.0" {
		t.Errorf("r-1 reads %+v", r)
	}
	if !r.Unsent.Equal(at) || r.UnsentWhy != "is_archived" {
		t.Errorf("its batch is missed since %s because of %q, want the migration, as nothing says when it was wanted", r.Unsent, r.UnsentWhy)
	}
	waiting, err := s.Unsettled(t.Context(), 0, 10)
	if err != nil || len(waiting) != 1 || waiting[0].Key != "k-5" {
		t.Fatalf("%v wait in the inbox (%v), want the pause", waiting, err)
	}
	pause := upgrade.Change{Rollout: "r-1", Seq: r.Rollout.Seq, Events: upgrade.At(at, "U0BO", upgrade.Paused{Name: "bo"})}
	if err := s.Settle(t.Context(), upgrade.Settlement{Delivery: waiting[0].ID, Changes: []upgrade.Change{pause}}); err != nil {
		t.Error(err)
	}
	l, _, ok, err := s.Claim(t.Context())
	if err != nil || !ok || l.Rollout != "r-1" {
		t.Fatalf("r-1 is not due: %+v, %v", l, err)
	}
	if _, err := s.Append(t.Context(), l, upgrade.Change{Rollout: "r-1", Seq: r.Rollout.Seq + 1, Events: upgrade.At(at, "", upgrade.Settled{Op: "op-1", OK: true})}); err != nil {
		t.Error(err)
	}
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	path := older(t)
	db := connect(path, time.Now)
	if _, err := db.Exec(`create trigger stuck before update on outbox begin select raise(abort, 'no'); end`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refuses(t, path, "migrate schema 1 to 5")
	db = connect(path, time.Now)
	var version, columns int
	err := db.QueryRow(`select (select max(version_id) from goose_db_version), (select count(*) from pragma_table_info('outbox') where name = 'wanted_at')`).Scan(&version, &columns)
	if err != nil || version != 1 || columns != 0 {
		t.Errorf("it is of schema %d, with %d of the new columns (%v)", version, columns, err)
	}
	if _, err := db.Exec(`drop trigger stuck`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, path, time.Now)
}
