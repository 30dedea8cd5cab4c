package bot

import (
	"sync"
	"time"
)

// What one person may send: more at once than anybody presses who means it, then one a second.
const (
	doorBurst    = 30
	doorRefill   = time.Second
	mostVisitors = 10_000 // people remembered; beyond it everybody starts anew
)

// door lets in so much of each person, so that nobody's flood keeps another one's abort waiting. What
// it turns away is neither kept nor acknowledged: Slack tells the person that it failed.
type door struct {
	mu   sync.Mutex
	free map[string]time.Time // when the person's burst is whole again
}

// admit reports whether the person may come in.
func (d *door) admit(person string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.free == nil || len(d.free) > mostVisitors {
		d.free = map[string]time.Time{}
	}
	free := d.free[person]
	if free.Before(now) {
		free = now
	}
	if free.Sub(now) > (doorBurst-1)*doorRefill {
		return false
	}
	d.free[person] = free.Add(doorRefill)
	return true
}
