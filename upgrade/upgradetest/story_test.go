package upgradetest_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/store"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

var update = flag.Bool("update", false, "write the transcripts anew: read them before you commit them")

// tell plays a story in a bubble of its own.
func tell(t *testing.T, s upgradetest.Story) (transcript string, evidence upgradetest.Evidence, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		transcript, evidence, err = upgradetest.Tell(s, "story", journal(t), func(ctx context.Context, site upgradetest.Site) error {
			site.HTTP.Transport = sent.over(site.HTTP.Transport)
			return product(ctx, site)
		})
	})
	return transcript, evidence, err
}

// journal is a path for a journal, on a RAM disk where there is one: flushing to a real disk would
// be most of a story's time.
func journal(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "upgradetest")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "journal.db")
}

// made is a path for a journal that was opened once before: making one takes as long as the rest of a life's start.
func made(t *testing.T) string {
	path := journal(t)
	if err := os.WriteFile(path, empty(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var empty = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "upgradetest")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "journal.db")
	s, err := store.Open(path, time.Now)
	if err == nil {
		err = s.Close()
	}
	body, unread := os.ReadFile(path)
	if err = errors.Join(err, unread); err != nil {
		panic(err)
	}
	return body
})

// read reads one of the stories in testdata.
func read(t *testing.T, name string) (body []byte, s upgradetest.Story) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = upgradetest.ParseStory(body); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return body, s
}

func names(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	var out []string
	for _, file := range files {
		out = append(out, strings.TrimSuffix(filepath.Base(file), ".txtar"))
	}
	return out
}

// Each is told twice: the same to the byte, or a failure could not be looked into.
func TestEveryStoryIsToldAsItWasRead(t *testing.T) {
	var told atomic.Int32
	all := names(t)
	t.Cleanup(func() {
		if int(told.Load()) == len(all) { // else somebody wants a few of them only
			sent.judge(t)
		}
	})
	for _, name := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer told.Add(1)
			body, s := read(t, name)
			began := time.Now()
			got, e, err := tell(t, s)
			if err != nil {
				t.Errorf("%s\n%v\n%s", s.Title, err, got)
			}
			if again, _, _ := tell(t, s); again != got {
				t.Errorf("%s: told again it is another story:\n%s", s.Title, difference(got, again))
			}
			t.Logf("%s told twice in %s", e.Now.Sub(bubble).Round(time.Second), time.Since(began).Round(time.Millisecond))
			switch {
			case *update:
				if err := os.WriteFile(filepath.Join("testdata", name+".txtar"), upgradetest.WithTranscript(body, got), 0o644); err != nil {
					t.Fatal(err)
				}
			case got != s.Transcript:
				t.Errorf("%s: the story goes another way now (-update writes it, after you have read it):\n%s", s.Title, difference(s.Transcript, got))
			}
		})
	}
}

// bubble is when time begins in every bubble.
var bubble = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// difference shows the first lines that differ, with a few around them.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	n := 0
	for n < len(w) && n < len(g) && w[n] == g[n] {
		n++
	}
	from := max(0, n-4)
	cut := func(l []string) string { return strings.Join(l[min(from, len(l)):min(n+12, len(l))], "\n") }
	return "was:\n" + cut(w) + "\n\nis:\n" + cut(g)
}
