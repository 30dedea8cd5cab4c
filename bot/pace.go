package bot

import (
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Slack takes about one new message a second and channel, and short bursts.
const (
	postEvery = time.Second
	postBurst = 4
)

// pace says when the next call of its kind may be made. A post that has to wait goes back to the
// journal until then, so that a busy channel keeps nobody else's message waiting.
type pace struct {
	mu   sync.Mutex
	free map[string]time.Time // by lane: when a whole burst may be sent again, or a 429 is over
}

// lane is what Slack counts together: new messages by channel, edits and whispers by method. Of the calls
// that a picture takes each has its own count; they share a lane, because none is of use without the next.
func lane(post upgrade.Pending) string {
	switch {
	case post.Picture():
		return "picture"
	case post.User != "":
		return "whisper"
	case post.TS != "":
		return "edit"
	}
	return "post " + post.Channel
}

// wait is how long the lane is not free; zero = it is.
func (p *pace) wait(lane string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, max(0, p.free[lane].Sub(now))-(postBurst-1)*postEvery) // a lane never used is free since the year 1
}

// posted counts a new message.
func (p *pace) posted(lane string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(lane, max(0, p.free[lane].Sub(now))+postEvery, now)
}

// limited closes the lane for what Slack's 429 says.
func (p *pace) limited(lane string, after time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(lane, after+(postBurst-1)*postEvery, now)
}

// keep closes a lane. The lock is held.
func (p *pace) keep(lane string, d time.Duration, now time.Time) {
	if p.free == nil {
		p.free = map[string]time.Time{}
	}
	p.free[lane] = now.Add(d)
}
