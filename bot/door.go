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
	tellEvery    = 10 * time.Second
)

// door lets in so much of each person, so that nobody's flood keeps another one's abort waiting. What
// it turns away is neither kept nor acknowledged: Slack tells the person that it failed, and once in a
// while the bot does, too.
type door struct {
	mu       sync.Mutex
	visitors map[string]visitor
}

type visitor struct {
	free time.Time // when the burst is whole again
	told time.Time // that it was too much
}

// admit reports whether the person may come in, and if not, whether to say why.
func (d *door) admit(person string, now time.Time) (in, tell bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.visitors == nil || len(d.visitors) > mostVisitors {
		d.visitors = map[string]visitor{}
	}
	v := d.visitors[person]
	if v.free.Before(now) {
		v.free = now
	}
	switch {
	case v.free.Sub(now) <= (doorBurst-1)*doorRefill:
		in, v.free = true, v.free.Add(doorRefill)
	case now.Sub(v.told) >= tellEvery:
		tell, v.told = true, now
	}
	d.visitors[person] = v
	return in, tell
}
