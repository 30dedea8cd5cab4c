package azure

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// thrift is what answers have told of how many more calls Azure allows, and how many a list takes. With
// it a list of many pages is begun only when all of them can be had. One that is broken off with 429 has
// cost its calls and is no list (R46): the next one would begin as poor and end the same way, for ever.
// It is only in memory: a process that starts anew is told with the first answer.
type thrift struct {
	mu   sync.Mutex
	sets map[target]*account
	most map[string]int // by policy: the highest count that any answer told, which is about what it may hold
}

// account is what the answers to calls about one set told.
type account struct {
	counts map[string]count // by policy
	lists  map[string]list  // by template
}

// count is how many calls of a policy were left when that was told.
type count struct {
	left int
	at   time.Time
	gain time.Duration // for one more call, as last seen; zero = it was not seen
}

// next is the count after another call. Two counts tell how fast calls come back: at least one less than
// the difference came in between, as whole ones are told only, and more of them if somebody else called.
func (c count) next(left int, now time.Time) count {
	if came := left - c.left; came > 0 && !c.at.IsZero() {
		c.gain = min(gain, now.Sub(c.at)/time.Duration(came))
	}
	c.left, c.at = left, now
	return c
}

// list is one of the set's lists of instances.
type list struct {
	policies []string // that count it
	pages    int      // that it took; zero = it was never walked to its end
}

const (
	// gain is what one more call of a list takes at most: Azure publishes 10 a minute for each set
	// ("High-cost Get", the policy that recordings count lists under). Should they come faster the counts
	// tell, should they come slower the first page does.
	gain = 6 * time.Second
	// atOnce is how many more are left after the first of a full count, by the same page.
	atOnce = 29
	// patience is how long is waited at least when fewer calls are left than were reckoned with.
	patience = 30 * time.Second
	// scarce is the share of a count that is left when everything that draws on it begins to look less
	// often, all sets alike: at half of it half as often, and never less than a sixth as often.
	scarce, slowest = 0.25, 6
	// fresh is how long a count that many sets share is believed.
	fresh = time.Minute
)

const (
	resourceLeft     = "X-Ms-Ratelimit-Remaining-Resource" // "Microsoft.Compute/POLICY;LEFT,…"
	subscriptionLeft = "X-Ms-Ratelimit-Remaining-Subscription-"
)

// left reads what an answer tells of Azure's counts, by policy.
func (f *flight) left(c Call) map[string]int {
	told := f.header.Values(resourceLeft)
	told = append(told, c.class()+";"+f.header.Get(subscriptionLeft+c.class()))
	out := map[string]int{}
	for entry := range strings.SplitSeq(strings.Join(told, ","), ",") {
		policy, left, _ := strings.Cut(strings.TrimSpace(entry), ";")
		if n, err := strconv.Atoi(left); err == nil && n >= 0 {
			out[policy] = n
		}
	}
	return out
}

// own reports whether a policy counts the calls about one set only.
func own(policy string) bool { return strings.HasSuffix(strings.ToLower(policy), "resource") }

// learn keeps what the answer to a reading of a set tells. A refusal says itself when to call again.
func (t *thrift) learn(c Call, f *flight, now time.Time) {
	if f.set == (target{}) || c.Method != http.MethodGet || f.limited() {
		return
	}
	left := f.left(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sets == nil {
		t.sets, t.most = map[target]*account{}, map[string]int{}
	}
	a := t.sets[f.set]
	if a == nil {
		a = &account{map[string]count{}, map[string]list{}}
		t.sets[f.set] = a
	}
	for policy, n := range left {
		a.counts[policy] = a.counts[policy].next(n, now)
		t.most[policy] = max(t.most[policy], n)
	}
	if l, ok := a.lists[c.Template]; ok || isList(c) {
		l.policies = slices.Sorted(maps.Keys(left))
		a.lists[c.Template] = l
	}
}

// isList reports whether a call reads the instances of a set.
func isList(c Call) bool { return c.Template == oneSet+vmsOfSet || c.Template == groupScope+vmsType }

// took notes how many pages a list had.
func (t *thrift) took(set target, template string, pages int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.sets[set]; a != nil {
		l := a.lists[template]
		l.pages = pages
		a.lists[template] = l
	}
}

// pages is how many pages a list had when it was last read whole; zero = that is not known.
func (t *thrift) pages(set target, template string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.sets[set]; a != nil {
		return a.lists[template].pages
	}
	return 0
}

// lacks is how long it takes until that many calls of a list are allowed, or as many as Azure ever
// allows at once; zero = they are, or nothing is known.
func (t *thrift) lacks(set target, template string, calls int, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.sets[set]; a != nil {
		return t.short(a, a.lists[template], calls, now)
	}
	return 0
}

func (t *thrift) short(a *account, l list, calls int, now time.Time) (wait time.Duration) {
	for _, policy := range l.policies {
		c := a.counts[policy]
		full := c.at.Add(time.Duration(min(calls, max(atOnce, t.most[policy]))-c.left) * cmp.Or(c.gain, gain))
		wait = max(wait, full.Sub(now))
	}
	return wait
}

// wait is what [Azure.Wait] says.
func (t *thrift) wait(set target, readings int, least time.Duration, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.sets[set]
	if a == nil {
		return least
	}
	slower := 1.
	for policy, c := range a.counts {
		if !own(policy) && now.Sub(c.at) < fresh {
			slower = max(slower, min(slowest, scarce*float64(t.most[policy])/float64(max(1, c.left))))
		}
	}
	wait := time.Duration(math.Round(float64(least) * slower))
	for _, l := range a.lists {
		wait = max(wait, t.short(a, l, readings*l.pages, now))
	}
	return wait
}

// Wait says how long to leave a set alone before it is read again: at least so long, longer while Azure
// allows fewer calls than that many readings of the set take, and longer for all sets alike when what
// they share runs low, all by Azure's own last answers.
func (a *Azure) Wait(id upgrade.SetID, readings int, least time.Duration) time.Duration {
	t, err := a.target(id)
	if err != nil {
		return least
	}
	return a.guard.thrift.wait(t, readings, least, a.now())
}

// walker counts the pages of one walk through a list of instances.
type walker struct {
	r         reading
	thrift    *thrift
	template  string
	instances int // that the set says it has
	pages     int
}

// begin starts a walk.
func (w *walker) begin() { w.pages = 0 }

// afford is the error of a list that cannot be had as a whole now; what it took is known from before.
func (w *walker) afford() error {
	calls := w.thrift.pages(w.r.set, w.template)
	if wait := w.thrift.lacks(w.r.set, w.template, calls, w.r.now()); wait > 0 {
		return w.refuse(calls, wait)
	}
	return nil
}

// page takes the next page of so many instances. Its error is that of a list whose rest cannot be had:
// somebody else reads the set as well, or this is the first list of all.
func (w *walker) page(instances int, more bool) error {
	w.pages++
	if !more {
		w.thrift.took(w.r.set, w.template, w.pages)
		return nil
	}
	all := w.thrift.pages(w.r.set, w.template)
	if all == 0 {
		all = (w.instances + instances - 1) / max(1, instances)
	}
	if w.thrift.lacks(w.r.set, w.template, max(1, all-w.pages), w.r.now()) <= 0 {
		return nil
	}
	return w.refuse(all, max(patience, w.thrift.lacks(w.r.set, w.template, all, w.r.now()))) // it begins anew
}

func (w *walker) refuse(calls int, wait time.Duration) error {
	return &hush{until: w.r.now().Add(wait), message: fmt.Sprintf("listing the instances of %s takes %d calls, and Azure allows fewer just now", w.r.set.set, calls)}
}
