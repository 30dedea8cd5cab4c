package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// perSecond reports how many of a benchmark's commits a second takes, each on disk before the next.
func perSecond(b *testing.B, perLoop int) {
	b.ReportMetric(float64(b.N*perLoop)/b.Elapsed().Seconds(), "commits/s")
}

func BenchmarkReceive(b *testing.B) {
	s := opened(b, filepath.Join(b.TempDir(), "journal.db"), time.Now)
	body := make([]byte, 2000)
	for i := 0; b.Loop(); i++ {
		if _, err := s.Receive(b.Context(), upgrade.Delivery{Key: fmt.Sprint(i), Kind: "interactive", Body: body, At: time.Now()}); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, 1)
}

// BenchmarkClick is a click from the socket to its durable answer: received, then settled with a
// vote.
func BenchmarkClick(b *testing.B) {
	s := opened(b, filepath.Join(b.TempDir(), "journal.db"), time.Now)
	write(b, s, 1)
	for i := 1; b.Loop(); i++ {
		receive(b, s, fmt.Sprint(i), upgrade.Change{Rollout: "r-1", Seq: i, Events: upgrade.At(time.Now(), fmt.Sprintf("U%d", i), upgrade.Voted{Gate: "ud-0", Asking: 1}),
			Posts: []upgrade.Post{{Rollout: "r-1", Slot: upgrade.SlotLive, Channel: "C1"}}})
	}
	perSecond(b, 2)
}

func BenchmarkAppend(b *testing.B) {
	s := opened(b, filepath.Join(b.TempDir(), "journal.db"), time.Now)
	write(b, s, 1)
	for i := 1; b.Loop(); i++ {
		c := upgrade.Change{Rollout: "r-1", Seq: i, Events: upgrade.At(time.Now(), "", upgrade.InstanceSeen{ID: "3", State: upgrade.OK})}
		if _, err := s.Append(b.Context(), upgrade.Lease{Rollout: "r-1", Epoch: 1}, c); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, 1)
}

// BenchmarkRecord reads a rollout of 1,000 events, as each pass does.
func BenchmarkRecord(b *testing.B) {
	s := opened(b, filepath.Join(b.TempDir(), "journal.db"), time.Now)
	write(b, s, 1000)
	for b.Loop() {
		if _, err := s.Record(b.Context(), "r-1"); err != nil {
			b.Fatal(err)
		}
	}
}
