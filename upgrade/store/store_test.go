package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Opened {
		s := opened(t, filepath.Join(t.TempDir(), "journal.db"), now)
		return storetest.Opened{Journal: s, DB: s.db}
	})
}

// opened opens a journal that is closed when the test ends.
func opened(t testing.TB, path string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
