package store

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// refuses ends the test unless the journal cannot be opened, and the error says each of the words.
func refuses(t *testing.T, path string, words ...string) {
	t.Helper()
	s, err := Open(path, time.Now)
	if err == nil {
		s.Close()
		t.Fatal("the journal was opened")
	}
	for _, word := range append(words, path) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q: %v", word, err)
		}
	}
}

// written makes a journal with one rollout of n events and closes it.
func written(t *testing.T, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	s, err := Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, n)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// write opens rollout r-1 and appends events to it, one a commit, until there are n.
func write(t testing.TB, s *Store, n int) {
	t.Helper()
	p := upgrade.Plan{Digest: "d", Set: "/x/web"}
	receive(t, s, "open", upgrade.Change{Rollout: "r-1", Open: &p, Events: upgrade.At(time.Now(), "U0ANA", upgrade.Requested{Digest: "d"})})
	l, _, _, err := s.Claim(t.Context())
	for i := 1; i < n && err == nil; i++ {
		_, err = s.Append(t.Context(), l, upgrade.Change{Rollout: "r-1", Seq: i, Events: upgrade.At(time.Now(), "", upgrade.Decided{Text: strings.Repeat("x", 100)})})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// receive takes a delivery and settles it with the changes.
func receive(t testing.TB, s *Store, key string, changes ...upgrade.Change) {
	t.Helper()
	if _, err := s.Receive(t.Context(), upgrade.Delivery{Key: key, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	list, err := s.Unsettled(t.Context(), 0, 1)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := s.Settle(t.Context(), upgrade.Settlement{Delivery: list[0].ID, Changes: changes}); err != nil {
		t.Fatal(err)
	}
}

// events counts what is readable of rollout r-1.
func events(t *testing.T, s *Store) int {
	t.Helper()
	r, err := s.Record(t.Context(), "r-1")
	if errors.Is(err, upgrade.ErrNotFound) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(r.Events)
}

func TestTheJournalOutlivesItsProcess(t *testing.T) {
	path := written(t, 5)
	s := opened(t, path, time.Now)
	if n := events(t, s); n != 5 {
		t.Errorf("%d events are left of 5", n)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnOpenedJournalHasNoLeases(t *testing.T) {
	path := written(t, 2) // the pass that wrote was never released
	s := opened(t, path, time.Now)
	if l, next, ok, err := s.Claim(t.Context()); !ok || err != nil || l.Rollout != "r-1" {
		t.Errorf("the rollout is not due before %s (%v)", next, err)
	}
}

func TestANewJournalIsItsOwnersOnly(t *testing.T) {
	path := written(t, 1)
	for _, name := range []string{path, path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if wide(info.Mode()) {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestAJournalOthersMayReadIsRefused(t *testing.T) {
	path := written(t, 1)
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		refuses(t, path, "chmod 600")
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	opened(t, path, time.Now)
}

// Whoever can rename what lies in a folder needs no right to it: another journal, no FREEZE, a link for a lock.
func TestAJournalThatEverybodyCanReplaceIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its folders have no modes")
	}
	path := written(t, 1)
	dir := filepath.Dir(path)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	refuses(t, path, "chmod o-w "+dir)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := errors.Join(os.Chmod(dir, 0o777|fs.ModeSticky), os.Remove(path+".lock"), os.WriteFile(victim, []byte("mine"), 0o600), os.Symlink(victim, path+".lock")); err != nil {
		t.Fatal(err)
	}
	refuses(t, path, "lock")
	if body, err := os.ReadFile(victim); err != nil || string(body) != "mine" {
		t.Errorf("a link in the lock's place had another file written: %q, %v", body, err)
	}
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	opened(t, path, time.Now)
}

func TestTheDirectoryMustExist(t *testing.T) {
	refuses(t, filepath.Join(t.TempDir(), "none", "journal.db"), "does not exist")
}

func TestADirectoryIsNoJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	refuses(t, path, "not a regular file")
}

func TestASecondOpenerIsRefusedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	first := opened(t, path, time.Now)
	start := time.Now()
	refuses(t, path, path+".lock", "pid ", "one bot per journal")
	if took := time.Since(start); took > 500*time.Millisecond {
		t.Errorf("it took %s", took)
	}
	write(t, first, 2) // the first one is none the worse
}

func TestASecondProcessIsRefusedUntilTheFirstDies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	holder := exec.Command(os.Args[0], "-test.run=^TestHolder$", "-test.v")
	holder.Env = append(os.Environ(), "HOLD_JOURNAL="+path)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, out, "holding")
	refuses(t, path, "in use by another process")
	holder.Process.Kill()
	holder.Wait()
	s := opened(t, path, time.Now)
	if n := events(t, s); n != 3 {
		t.Errorf("%d events of the killed process are left, want 3", n)
	}
	if _, _, ok, err := s.Claim(t.Context()); !ok || err != nil {
		t.Errorf("the killed process still holds its lease (%v)", err)
	}
}

// TestHolder is the other process of the test above.
func TestHolder(t *testing.T) {
	path := os.Getenv("HOLD_JOURNAL")
	if path == "" {
		t.Skip("only run by TestASecondProcessIsRefusedUntilTheFirstDies")
	}
	s, err := Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, 3)
	os.Stdout.WriteString("holding\n")
	select {}
}

func waitFor(t *testing.T, out interface{ Read([]byte) (int, error) }, word string) {
	t.Helper()
	var heard strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(heard.String(), word) {
		n, err := out.Read(buf)
		heard.Write(buf[:n])
		if err != nil {
			t.Fatalf("the other process said %q: %v", heard.String(), err)
		}
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	path := written(t, 1)
	db := connect(path, time.Now)
	if _, err := db.Exec(`insert into goose_db_version (version_id, is_applied) values (99, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refuses(t, path, "newer version of vmssbot", "schema 99")
}

// TestADamagedFileIsRefusedAndKept damages a journal in several ways.
func TestADamagedFileIsRefusedAndKept(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"another kind of file":   func([]byte) []byte { return []byte(strings.Repeat("this is no database\n", 500)) },
		"cut in the middle":      func(b []byte) []byte { return b[:len(b)/2/4096*4096] },
		"cut inside a page":      func(b []byte) []byte { return b[:len(b)-1000] },
		"header overwritten":     func(b []byte) []byte { copy(b, make([]byte, 100)); return b },
		"schema overwritten":     func(b []byte) []byte { copy(b[100:], make([]byte, 2000)); return b },
		"every page overwritten": func(b []byte) []byte { clear(b[4096:]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, 50)
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			broken := damage(body)
			if err := os.WriteFile(path, broken, 0o600); err != nil {
				t.Fatal(err)
			}
			refuses(t, path, "damaged", "restore")
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(broken) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestAnEmptyFileIsNeverTakenForANewJournal(t *testing.T) {
	path := written(t, 1)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	refuses(t, path, "0 bytes", "restore")
}

func TestALogWithoutItsDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path+"-wal", []byte("log"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuses(t, path, "missing", "-wal")
}

func TestACrashWhileTheFirstFileIsMadeLeavesNothingInTheWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	for _, rest := range []string{".new", ".new-wal", ".new-shm"} {
		if err := os.WriteFile(path+rest, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(t, opened(t, path, time.Now), 2)
}

// TestWhatWasCommittedSurvivesACrash copies the files of a journal that was never closed, as a
// killed process leaves them, with the log cut off anywhere, as a power loss may leave it.
func TestWhatWasCommittedSurvivesACrash(t *testing.T) {
	const n = 20
	path := filepath.Join(t.TempDir(), "journal.db")
	write(t, opened(t, path, time.Now), n)
	db, wal := read(t, path), read(t, path+"-wal")
	rng := rand.New(rand.NewPCG(1, 2))
	whole, most := 0, 0
	for i := range 25 {
		cut := len(wal)
		if i > 0 {
			cut = rng.IntN(len(wal))
		}
		copied := filepath.Join(t.TempDir(), "journal.db")
		for name, body := range map[string][]byte{copied: db, copied + "-wal": wal[:cut]} {
			if err := os.WriteFile(name, body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := opened(t, copied, time.Now)
		if err := s.Verify(t.Context()); err != nil {
			t.Errorf("log cut at %d of %d: %v", cut, len(wal), err)
		}
		got := events(t, s)
		if i == 0 {
			whole = got
		} else {
			most = max(most, got)
		}
	}
	if whole != n {
		t.Errorf("after a crash %d of %d committed events are left", whole, n)
	}
	if most == 0 || most > n {
		t.Errorf("cut logs left at most %d events: the test proves nothing", most)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestAFullDiskLosesNothingAndHealsByItself(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "journal.db"), time.Now)
	write(t, s, 3)
	if _, err := s.db.Exec(`pragma max_page_count = 1`); err != nil { // SQLite takes the present size
		t.Fatal(err)
	}
	l := upgrade.Lease{Rollout: "r-1", Epoch: 1}
	add := func(seq int) error {
		_, err := s.Append(t.Context(), l, upgrade.Change{Rollout: "r-1", Seq: seq, Events: upgrade.At(time.Now(), "", upgrade.Decided{Text: strings.Repeat("x", 3000)})})
		return err
	}
	before := 3
	for add(before) == nil {
		if before++; before > 100 {
			t.Fatal("the disk never filled up")
		}
	}
	if err := add(before); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("the error does not say that the disk is full: %v", err)
	}
	if err := s.Writable(t.Context()); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("whether it can be written is answered with: %v", err)
	}
	if n := events(t, s); n != before {
		t.Errorf("%d events are readable, want %d", n, before)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.db.Exec(`pragma max_page_count = 1000000`); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Writable(t.Context()), add(before)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestPathsMayHoldAnyCharacter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20e&mode=memory")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "journal.db")
	write(t, opened(t, path, time.Now), 1)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the journal is somewhere else: %v", err)
	}
}
