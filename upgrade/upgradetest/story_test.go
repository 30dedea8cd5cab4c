package upgradetest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

var update = flag.Bool("update", false, "write the transcripts anew: read them before you commit them")

// tell plays a story in a bubble of its own.
func tell(t *testing.T, s upgradetest.Story) (transcript string, lasted time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		transcript, err = upgradetest.Tell(s, "story", filepath.Join(t.TempDir(), "journal.db"), product)
		lasted = time.Since(began)
	})
	return transcript, lasted, err
}

func TestEveryStoryIsToldAsItWasRead(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := upgradetest.ParseStory(body)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			got, lasted, err := tell(t, s)
			if err != nil {
				t.Errorf("%s\n%v\n%s", s.Title, err, got)
			}
			t.Logf("%s told in %s", lasted.Round(time.Second), time.Since(began).Round(time.Millisecond))
			switch {
			case *update:
				if err := os.WriteFile(file, upgradetest.WithTranscript(body, got), 0o644); err != nil {
					t.Fatal(err)
				}
			case got != s.Transcript:
				t.Errorf("%s: the story goes another way now (-update writes it, after you have read it):\n%s", s.Title, difference(s.Transcript, got))
			}
		})
	}
}

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
