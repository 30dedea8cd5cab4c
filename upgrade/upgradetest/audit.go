package upgradetest

import (
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Audit judges the program's own book by what an outsider saw (I14): every write that reached Azure was recorded
// before as being sent, no record stands for two writes that took effect, the order is the same, and every yes
// that a person was told counts stands in the book. What the journal has lost since is not asked for.
func (o Observer) Audit(e Evidence, books []upgrade.Record) []Violation {
	c := &cases{Observer: o, e: e}
	c.read()
	c.auditWrites(books)
	c.auditVotes(books)
	return c.found
}

// auditWrites compares the writes with the records of having been sent, which carry the same id.
func (c *cases) auditWrites(books []upgrade.Record) {
	sent, last := map[string][2]int{}, map[int]int{} // by operation, its book and its place there; by book, the last place
	for n, book := range books {
		for _, e := range book.Events {
			if f, is := e.Fact.(upgrade.Sending); is {
				sent[f.Op] = [2]int{n, e.Seq}
			}
		}
	}
	took := map[string]bool{}
	for _, k := range c.e.Calls {
		if k.By != "" || c.e.lost(k.Time) {
			continue
		}
		at, known := sent[k.ClientRequestID]
		switch {
		case !known:
			c.blame("I14", k.Time, "%s %v reached Azure as %q and no book says so", k.Action, k.Instances, k.ClientRequestID)
		case took[k.ClientRequestID]:
			c.blame("I14", k.Time, "%s %v took effect twice under one record %q", k.Action, k.Instances, k.ClientRequestID)
		case at[1] < last[at[0]]:
			c.blame("I14", k.Time, "%s %v reached Azure in another order than it was recorded in", k.Action, k.Instances)
		}
		last[at[0]], took[k.ClientRequestID] = max(last[at[0]], at[1]), k.Accepted
	}
}

// auditVotes looks for the yes of everybody who was told that it counts.
func (c *cases) auditVotes(books []upgrade.Record) {
	for _, w := range c.words {
		if w.verb != "approve" || !strings.HasPrefix(w.answer, "You approved ") || c.e.lostSince(w.At) {
			continue
		}
		if !slices.ContainsFunc(books, func(r upgrade.Record) bool {
			return slices.ContainsFunc(r.Events, func(e upgrade.Event) bool { _, is := e.Fact.(upgrade.Voted); return is && e.By == w.User })
		}) {
			c.blame("I14", w.answered, "%s was told %q and no book has that yes", w.User, w.answer)
		}
	}
}

// lostSince reports whether a journal that was put back may not hold what was done then, or was answered for later.
func (e Evidence) lostSince(at time.Time) bool {
	return slices.ContainsFunc(e.Lost, func(s Span) bool { return !at.After(s.To) })
}
