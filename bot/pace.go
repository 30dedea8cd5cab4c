package bot

import (
	"slices"
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// rate is how often Slack takes a call, and how many at once.
type rate struct {
	every time.Duration
	burst int
}

// Slack takes about one new message a second and channel, and short bursts; of edits it takes 50 a minute,
// in all channels together. Of these the last ones at once are for cards, whose buttons must not stay when
// they have been pressed; live messages, which change all the time, leave them alone.
var (
	postRate = rate{time.Second, 4}
	editRate = rate{1300 * time.Millisecond, 10}
	liveRate = rate{editRate.every, 5}
)

// room is for how long the lane may be taken ahead of time when a burst has been sent.
func (r rate) room() time.Duration { return time.Duration(r.burst-1) * r.every }

// forgotten is how long after its turn a message that did not come for it loses its place.
const forgotten = 5 * time.Second

// pace says when the next call of its kind may be made. A post that has to wait goes back to the
// journal until then, so that a busy channel keeps nobody else's message waiting.
type pace struct {
	mu    sync.Mutex
	free  map[string]time.Time // by lane: when a whole burst may be sent again, or a 429 is over
	queue []turn               // of live messages that wait to be edited, first come first served
}

// turn is a message's place in a queue.
type turn struct {
	post int64
	due  time.Time
}

const editLane = "edit"

// lane is what Slack counts together: new messages by channel, edits and whispers by method. Of the calls
// that a picture takes each has its own count; they share a lane, because none is of use without the next.
func lane(post upgrade.Pending) string {
	switch {
	case post.Picture():
		return "picture"
	case post.User != "":
		return "whisper"
	case post.TS != "":
		return editLane
	}
	return "post " + post.Channel
}

// rateOf is the pace of a lane. Of those without a figure only a 429 says how fast they may be.
func rateOf(lane string) rate {
	if lane == editLane {
		return editRate
	}
	return postRate
}

// turn is how long the post has to wait; zero = it may be sent. Live messages queue: each wants to be edited
// again soon after it was, and with more of them than Slack takes edits the first ones would always be
// before the last.
func (p *pace) turn(post upgrade.Pending, now time.Time) time.Duration {
	l := lane(post)
	if l != editLane || post.Slot != upgrade.SlotLive && post.Slot != upgrade.SlotGroup {
		return p.wait(l, now)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = slices.DeleteFunc(p.queue, func(t turn) bool { return now.Sub(t.due) > forgotten })
	n := slices.IndexFunc(p.queue, func(t turn) bool { return t.post == post.ID })
	if n < 0 {
		n, p.queue = len(p.queue), append(p.queue, turn{post: post.ID})
	}
	wait := p.within(l, liveRate, now) + time.Duration(n)*liveRate.every
	if wait > 0 {
		p.queue[n].due = now.Add(wait)
		return wait
	}
	p.queue = p.queue[1:]
	return 0
}

// wait is how long the lane is not free; zero = it is.
func (p *pace) wait(lane string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.within(lane, rateOf(lane), now)
}

// within is how long the lane is not free for calls of that rate. The lock is held.
func (p *pace) within(lane string, r rate, now time.Time) time.Duration {
	return max(0, max(0, p.free[lane].Sub(now))-r.room()) // a lane never used is free since the year 1
}

// called counts a new message or an edit.
func (p *pace) called(lane string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(lane, max(0, p.free[lane].Sub(now))+rateOf(lane).every, now)
}

// limited closes the lane for what Slack's 429 says.
func (p *pace) limited(lane string, after time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(lane, after+rateOf(lane).room(), now)
}

// keep closes a lane. The lock is held.
func (p *pace) keep(lane string, d time.Duration, now time.Time) {
	if p.free == nil {
		p.free = map[string]time.Time{}
	}
	p.free[lane] = now.Add(d)
}
