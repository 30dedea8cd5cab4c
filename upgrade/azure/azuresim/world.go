package azuresim

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// world is the state of everything, valid at clock. Nothing in it moves by itself: what will
// happen is in queue, and advance makes it happen.
type world struct {
	opt     Options
	clock   time.Time
	queue   eventQueue
	seq     int // events made so far; breaks ties of the queue
	opSeq   int // operations made so far
	calls   int // ARM calls so far
	groups  map[string]*group
	sets    map[string]*scaleSet // by lower-cased resource id
	ops     map[string]*operation
	armed   []*armedFault // of the wire
	planned []*armedFault // of the world, for a moment to come
	writes  []*Write
	stats   Stats
	limits  limits
}

// group is a resource group.
type group struct{ name, location string }

func newWorld(opt Options, now time.Time) (*world, error) {
	w := &world{
		opt: opt, clock: now,
		groups: map[string]*group{},
		sets:   map[string]*scaleSet{},
		ops:    map[string]*operation{},
		stats:  newStats(),
		limits: limits{},
	}
	for _, name := range opt.Fleet.ResourceGroups {
		w.addGroup(name, opt.Fleet.Location)
	}
	for _, g := range opt.Fleet.Galleries {
		if strings.EqualFold(g.Subscription, opt.Fleet.Subscription) {
			w.addGroup(g.ResourceGroup, g.Location)
		}
	}
	for _, m := range opt.Fleet.ManagedImages {
		w.addGroup(m.ResourceGroup, m.Location)
	}
	for i, spec := range opt.Fleet.Sets {
		if err := w.build(spec); err != nil {
			return nil, fmt.Errorf("fleet sets[%d] %s: %w", i, spec.Name, err)
		}
	}
	for i, f := range opt.Fleet.Faults {
		if err := w.inject(f); err != nil {
			return nil, fmt.Errorf("fleet faults[%d]: %w", i, err)
		}
	}
	return w, nil
}

// event is something that will happen at a moment.
type event struct {
	at  time.Time
	seq int
	do  func()
}

type eventQueue []event

func (q eventQueue) Len() int      { return len(q) }
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q *eventQueue) Push(x any) { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// at plans do for a moment. A moment that has passed happens at the next advance.
func (w *world) at(when time.Time, do func()) {
	w.seq++
	heap.Push(&w.queue, event{when, w.seq, do})
}

// advance lets everything happen that was planned up to now, each at its own moment. A clock that
// goes backwards changes nothing.
func (w *world) advance(now time.Time) {
	for len(w.queue) > 0 && !w.queue[0].at.After(now) {
		e := heap.Pop(&w.queue).(event)
		if e.at.After(w.clock) {
			w.clock = e.at
		}
		e.do()
	}
	if now.After(w.clock) {
		w.clock = now
	}
}

// scaled divides a duration of instance life by the speed.
func (w *world) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / w.opt.Speed)
}

// hash64 is the only source of chance here: the same parts give the same number in every run, and
// no request can shift the luck of another.
func hash64(parts ...any) uint64 {
	sum := digest(parts...)
	return binary.BigEndian.Uint64(sum[:])
}

func digest(parts ...any) [32]byte {
	return sha256.Sum256([]byte(fmt.Sprintln(parts...)))
}

// guid is a UUID (version 4 in form) made from parts.
func guid(parts ...any) string {
	b := digest(parts...)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func (w *world) addGroup(name, location string) *group {
	key := strings.ToLower(name)
	if w.groups[key] == nil {
		w.groups[key] = &group{name, location}
	}
	return w.groups[key]
}

// sortedSets returns the scale sets in the order of their ids.
func (w *world) sortedSets() []*scaleSet {
	out := make([]*scaleSet, 0, len(w.sets))
	for _, s := range w.sets {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *scaleSet) int { return cmp.Compare(a.key(), b.key()) })
	return out
}

// findSets returns the sets that name means: a resource id, "group/name" or a bare name, in any
// case; "" means none.
func (w *world) findSets(name string) []*scaleSet {
	name = strings.ToLower(name)
	var out []*scaleSet
	for _, s := range w.sortedSets() {
		short := strings.ToLower(s.name)
		if name == s.key() || name == short || name == strings.ToLower(s.group.name)+"/"+short {
			out = append(out, s)
		}
	}
	return out
}
