package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// memory is a journal without a disk: it keeps what the engine relies on (compare-and-set, leases,
// fencing, wake-ups, no write without a grant, one at a time) and nothing else.
type memory struct {
	mu        sync.Mutex
	records   map[string]*entry
	woken     chan struct{}
	claims    int
	posts     []Post
	unsent    time.Time // of every record
	full      error     // of every claim: nothing can be written
	freezes   []Freeze
	schedules []Schedule
	sightings map[string]string
	system    []Event
	past      []Record // that have ended, beside those of records
	unseen    bool     // no card has reached the channel
	// before and after are called around every commit of an Append; an error of before is the
	// commit's, one of after is seen by the writer though the commit stands: a lost answer, or a crash.
	before, after func(Change) error
}

type entry struct {
	plan   Plan
	events []Event
	poll   string
	epoch  int64
	until  time.Time // of the lease
	wake   time.Time // zero = never
	wakes  int64
}

func newMemory() *memory {
	return &memory{records: map[string]*entry{}, sightings: map[string]string{}, woken: make(chan struct{}, 1)}
}

// open puts a rollout into the journal as a tale left it, due at once.
func (m *memory) open(id string, p Plan, t tale) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[id] = &entry{plan: p, events: t.events(), wake: time.Now()}
	signal(m.woken)
}

// say commits what a person said, as a delivery does.
func (m *memory) say(id, who string, facts ...Fact) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.records[id]
	events := At(time.Now(), who, facts...)
	number(events, len(e.events))
	e.events = append(e.events, events...)
	e.wake, e.wakes = time.Now(), e.wakes+1
	signal(m.woken)
}

// steal takes a lease over, as another process does when this one seemed dead.
func (m *memory) steal(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[id].epoch++
}

// restart forgets leases, as a journal does when its process starts.
func (m *memory) restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.records {
		e.until, e.wake = time.Time{}, time.Now()
	}
}

func (m *memory) rollout(id string) Rollout {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Fold(id, m.records[id].events)
}

func (m *memory) kinds(id string) (out []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.records[id].events {
		out = append(out, FactKind(e.Fact))
	}
	return out
}

func (m *memory) Claim(context.Context) (Lease, time.Time, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claims++
	if m.full != nil {
		return Lease{}, time.Time{}, false, m.full
	}
	var next time.Time
	now := time.Now()
	for _, id := range slices.Sorted(maps.Keys(m.records)) {
		e := m.records[id]
		if e.wake.IsZero() {
			continue
		}
		due := e.wake
		if e.until.After(due) {
			due = e.until
		}
		if !due.After(now) {
			e.epoch++
			e.until = now.Add(8 * time.Second)
			return Lease{id, e.epoch, e.wakes}, time.Time{}, true, nil
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return Lease{}, next, false, nil
}

func (m *memory) owned(l Lease) (*entry, error) {
	if e := m.records[l.Rollout]; e.epoch == l.Epoch {
		return e, nil
	}
	return nil, ErrFenced
}

func (m *memory) Extend(_ context.Context, l Lease) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.owned(l)
	if err == nil {
		e.until = time.Now().Add(8 * time.Second)
	}
	return err
}

func (m *memory) Append(ctx context.Context, l Lease, c Change) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if m.before != nil {
		if err := m.before(c); err != nil {
			return 0, err
		}
	}
	seq, err := m.commit(l, c)
	if err == nil && m.after != nil {
		err = m.after(c)
	}
	return seq, err
}

func (m *memory) commit(l Lease, c Change) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.owned(l)
	if err != nil {
		return 0, err
	}
	if c.Seq != len(e.events) {
		return 0, ErrStale
	}
	r := Fold(l.Rollout, e.events)
	for _, event := range c.Events {
		if f, ok := event.Fact.(Intended); ok {
			if _, granted := r.Grants[f.Op.Gate]; !granted && f.Op.Kind != OpRevert {
				return 0, fmt.Errorf("operation %s has no grant", f.Op.ID)
			}
			if r.Op != nil {
				return 0, fmt.Errorf("operation %s: %s is unfinished", f.Op.ID, r.Op.ID)
			}
		}
		if op := opOf(event.Fact); op != "" && (r.Op == nil || r.Op.ID != op) {
			return 0, fmt.Errorf("%s of operation %s, which is not the unfinished one", FactKind(event.Fact), op)
		}
		if _, ok := event.Fact.(Accepted); ok {
			e.poll = c.Poll
		}
		r = r.With(event)
	}
	e.events = append(e.events, c.Events...)
	e.until = time.Now().Add(8 * time.Second)
	if c.Plan != nil {
		e.plan = *c.Plan
	}
	if next := c.Then; next != nil {
		m.records[next.Rollout] = &entry{plan: *next.Open, events: next.Events, wake: time.Now()}
	}
	m.posts = append(m.posts, c.Posts...)
	return len(e.events), nil
}

func (m *memory) Release(_ context.Context, l Lease, wake time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.owned(l)
	if err != nil {
		return err
	}
	e.until, e.wake = time.Time{}, wake
	if e.wakes != l.Wakes {
		e.wake = time.Now()
	}
	signal(m.woken)
	return nil
}

func (m *memory) Record(_ context.Context, id string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.records[id]
	if !ok {
		return Record{}, ErrNotFound
	}
	r := Record{ID: id, Plan: e.plan, Rollout: Fold(id, e.events), Events: slices.Clone(e.events), Unsent: m.unsent}
	if r.Rollout.Op != nil && r.Rollout.Op.State == StateAccepted {
		r.Poll = e.poll
	}
	return r, nil
}

func (m *memory) ids() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.records))
}

func (m *memory) Open(ctx context.Context) (out []Record, err error) {
	for _, id := range m.ids() {
		if r, _ := m.Record(ctx, id); r.Rollout.Ended == nil {
			out = append(out, r)
		}
	}
	return out, nil
}

func (m *memory) Ended(ctx context.Context, set SetID, most int) (out []Record, err error) {
	for _, r := range m.past {
		if set == "" || r.Plan.Set == set {
			out = append(out, r)
		}
	}
	for _, id := range m.ids() {
		if r, _ := m.Record(ctx, id); r.Rollout.Ended != nil && (set == "" || r.Plan.Set == set) && len(out) < most {
			out = append(out, r)
		}
	}
	return out, nil
}

func (m *memory) Group(ctx context.Context, group string) (out []Record, err error) {
	m.mu.Lock()
	ids := slices.Sorted(maps.Keys(m.records))
	m.mu.Unlock()
	for _, id := range ids {
		if r, err := m.Record(ctx, id); err == nil && r.Rollout.Wave != nil && r.Rollout.Wave.Group == group {
			out = append(out, r)
		}
	}
	return out, nil
}

func (m *memory) Holder(ctx context.Context, set SetID) (Record, error) {
	open, _ := m.Open(ctx)
	if i := slices.IndexFunc(open, func(r Record) bool { return r.Plan.Set == set }); i >= 0 {
		return open[i], nil
	}
	return Record{}, ErrNotFound
}

func (m *memory) Freezes(context.Context) ([]Freeze, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.freezes), nil
}

func (m *memory) Schedules(context.Context) ([]Schedule, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.schedules), nil
}

// Commit deals with an occurrence of a schedule once, and opens what comes with it.
func (m *memory) Commit(_ context.Context, c Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f, ok := c.Events[0].Fact.(Sighted); ok {
		if m.sightings[f.Place] != f.Before {
			return ErrStale
		}
		m.sightings[f.Place] = f.Version
		m.system, m.posts = append(m.system, c.Events...), append(m.posts, c.Posts...)
		return nil
	}
	f := c.Events[0].Fact.(Fired)
	i := slices.IndexFunc(m.schedules, func(s Schedule) bool { return s.ID == f.ID && s.Served.Before(f.For) })
	if i < 0 {
		return ErrStale
	}
	if next := c.Then; next != nil {
		for _, e := range m.records {
			if e.plan.Set == next.Open.Set && Fold("", e.events).Ended == nil {
				return ErrLocked
			}
		}
		m.records[next.Rollout] = &entry{plan: *next.Open, events: next.Events, wake: time.Now()}
	}
	m.schedules[i].Served = f.For
	m.system, m.posts = append(m.system, c.Events...), append(m.posts, c.Posts...)
	return nil
}

func (m *memory) Sightings(context.Context) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.sightings), nil
}

func (m *memory) System(_ context.Context, most int) ([]Event, error) {
	return slices.Clone(m.system[max(0, len(m.system)-most):]), nil
}

func (m *memory) Card(ctx context.Context, nonce string) (Card, error) {
	open, _ := m.Open(ctx)
	for _, r := range open {
		for _, e := range r.Events {
			if a, ok := e.Fact.(Asked); ok && a.Nonce == nonce {
				card := Card{Nonce: nonce, Rollout: r.ID, Gate: a.Gate, Asking: a.Asking, Digest: r.Plan.Digest, Channel: "C1", TS: "1"}
				if m.unseen {
					card.TS = ""
				}
				return card, nil
			}
		}
	}
	return Card{}, ErrNotFound
}

// cloud is Azure with one set: an accepted upgrade takes a minute, and everything it was sent is
// kept. It is safe to ask from several passes.
type cloud struct {
	mu      sync.Mutex
	set     ScaleSet
	until   time.Time // the end of the operation at work
	going   []string  // its instances
	applied []Operation
	others  []string              // names of sets that are listed beside it, each of which looks as it does
	shape   func(*ScaleSet)       // how these differ
	answer  func(Operation) error // of Apply, after the write took effect; nil = accepted
	refuse  func(Operation) error // of Apply, instead of any effect
	blind   error                 // of Observe
	missed  error                 // of Poll
	scale   Autoscale
	unseen  error         // of Autoscale
	slow    time.Duration // of Observe
	scarce  time.Duration // after how long Azure allows each observation; zero = any number
	read    time.Time     // when it was last observed
	seen    []time.Time   // every observation
	polls   int           // that were answered
	lasts   time.Duration // of an upgrade; zero = a minute

	reading, peak int // calls of Observe at once, now and at most
}

func newCloud() *cloud { return &cloud{set: web()} }

// turn brings the set to the present.
func (c *cloud) turn() {
	if len(c.going) == 0 || time.Now().Before(c.until) {
		return
	}
	for n := range c.set.Instances {
		if i := &c.set.Instances[n]; slices.Contains(c.going, i.ID) {
			i.Image, i.Size, i.Provisioning, i.LatestModel, i.HealthAt = runs(c.set.Model.Image), c.set.Model.Size, Succeeded, true, time.Now()
		}
	}
	c.going = nil
}

func (c *cloud) Observe(ctx context.Context, id SetID, fence Fence) (ScaleSet, error) {
	if err := fence(ctx); err != nil {
		return ScaleSet{}, err
	}
	c.count(1)
	time.Sleep(c.slow)
	c.count(-1)
	if err := ctx.Err(); err != nil {
		return ScaleSet{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blind != nil {
		return ScaleSet{}, c.blind
	}
	c.turn()
	c.read, c.seen = time.Now(), append(c.seen, time.Now())
	s := c.set
	s.Instances = slices.Clone(s.Instances)
	if len(c.others) > 0 {
		s.ID, s.Name = id, id.Name()
	}
	if c.shape != nil {
		c.shape(&s)
	}
	return s, nil
}

func (c *cloud) count(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading += n
	c.peak = max(c.peak, c.reading)
}

func (c *cloud) Apply(_ context.Context, op Operation) (Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		if err := c.refuse(op); err != nil {
			return Receipt{}, err
		}
	}
	c.turn()
	c.applied = append(c.applied, op)
	token := ""
	switch op.Kind {
	case OpUpgrade, OpReimage:
		if len(c.going) > 0 {
			panic("two operations at once: " + describe(op))
		}
		c.going, c.until, token = op.Instances, time.Now().Add(cmp.Or(c.lasts, time.Minute)), "poll/"+op.ID
		for n := range c.set.Instances {
			if i := &c.set.Instances[n]; slices.Contains(op.Instances, i.ID) {
				i.Provisioning = Updating
			}
		}
	default:
		if op.To.Size != "" {
			c.set.Model.Size = op.To.Size
		} else {
			c.set.Model.Image = op.To.Image
		}
	}
	if c.answer != nil {
		if err := c.answer(op); err != nil {
			return Receipt{}, err
		}
	}
	return Receipt{Token: token, Correlation: "c", Azure: time.Now()}, nil
}

func (c *cloud) Poll(context.Context, string) (OpReading, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn()
	c.polls++
	return OpReading{Done: len(c.going) == 0, OK: len(c.going) == 0}, c.missed
}

// Wait keeps observations apart as Azure's counts do that allow one in each span of scarce.
func (c *cloud) Wait(_ SetID, observations int, least time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(least, time.Until(c.read.Add(time.Duration(observations)*c.scarce)))
}

// sent lists what Azure accepted.
func (c *cloud) sent() (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, op := range c.applied {
		out = append(out, describe(op))
	}
	return out
}

func (c *cloud) change(f func(*ScaleSet)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.set)
}

func (c *cloud) Sets(context.Context) ([]SetSummary, error) {
	out := []SetSummary{c.summary("web")}
	for _, name := range c.others {
		out = append(out, c.summary(name))
	}
	return out, c.blind
}

func (c *cloud) summary(name string) SetSummary {
	return SetSummary{ID: SetID(strings.TrimSuffix(string(webID), "web") + name), Name: name, ResourceGroup: "shop", Location: "westeurope"}
}

// versions are all images there are, the newest of each family first.
var versions = []ImageVersion{
	{Image: version("3.0"), Deprecated: true, Note: "gone in May"}, {Image: version("2.0")}, {Image: version("1.0")},
	{Image: Image{Publisher: "Canonical", Offer: "jammy", SKU: "24_04-lts", Version: "24.1"}},
	{Image: Image{ID: ubuntu + "/versions/1.12.0"}, Unusable: "it is in northeurope only"},
	{Image: Image{ID: ubuntu + "/versions/1.11.0"}, Excluded: true},
	{Image: Image{ID: ubuntu + "/versions/1.10.0"}},
	{Image: Image{ID: ubuntu + "/versions/1.9.0"}},
	{Image: Image{ID: golden}},
}

func (c *cloud) Versions(_ context.Context, _ string, family Image) ([]ImageVersion, error) {
	return slices.DeleteFunc(slices.Clone(versions), func(v ImageVersion) bool { return v.Image.Family() != family.Family() }), c.blind
}

func (c *cloud) Version(_ context.Context, _ string, image Image) (ImageVersion, error) {
	for _, v := range versions {
		if v.Image == image {
			return v, nil
		}
	}
	return ImageVersion{}, &Fault{Kind: FaultRefused, Code: "NotFound", Message: "no such version"}
}

func (c *cloud) Sizes(context.Context, SetID) ([]Size, error) {
	return []Size{{Name: "Standard_D2s_v5", Max: 1000}, {Name: "Standard_D4s_v5", Max: 1000}, {Name: "Standard_L80", Max: 3}}, c.blind
}

func (c *cloud) Autoscale(context.Context, SetID) (Autoscale, error) { return c.scale, c.unseen }

// directory resolves people; who is not in it cannot be checked.
type directory map[string]Person

func (d directory) Person(_ context.Context, id string) (Person, error) {
	if p, ok := d[id]; ok {
		return p, nil
	}
	return Person{}, errors.New("users.info: timeout")
}
