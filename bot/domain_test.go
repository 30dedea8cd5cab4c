package bot

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

func policyOf(set string) upgrade.Policy {
	p := upgrade.DefaultPolicy()
	p.Pattern, p.Channel = set, slacksim.Ops
	p.Requesters, p.Approvers = []string{slacksim.Ana}, []string{slacksim.Bo, slacksim.Eva}
	return p
}

// domain is the desk, with made-up plans and looks.
type domain struct {
	upgrade.Desk
	o        *office
	policies []upgrade.Policy

	mu   sync.Mutex
	hold map[string]chan struct{} // plans, looks and openings of these wait until it is closed
	trap string                   // a set about which it panics
}

func (d *domain) at(ctx context.Context, what string) error {
	d.mu.Lock()
	hold, boom := d.hold[what], d.trap != "" && d.trap == what
	d.mu.Unlock()
	if boom {
		panic("a mistake about " + what)
	}
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// stall makes everything about a set wait until the returned function is called.
func (d *domain) stall(what string) func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hold == nil {
		d.hold = map[string]chan struct{}{}
	}
	c := make(chan struct{})
	d.hold[what] = c
	return sync.OnceFunc(func() { close(c) })
}

func (d *domain) policy(set string) upgrade.Policy {
	return upgrade.PolicyFor(d.policies, upgrade.SetID("/subscriptions/s/resourcegroups/rg/"+set))
}

func (d *domain) Plan(ctx context.Context, by upgrade.Person, ask upgrade.Ask) (upgrade.Plan, error) {
	return planOf(ask.Set, d.policy(ask.Set), by), d.at(ctx, ask.Set)
}

// Open opens the rollout r-SET with its first card, unless the set's rollout is open.
func (d *domain) Open(ctx context.Context, by upgrade.Person, ask upgrade.Ask) (upgrade.Change, upgrade.Plan, error) {
	if err := d.at(ctx, ask.Set); err != nil {
		return upgrade.Change{}, upgrade.Plan{}, err
	}
	pol := d.policy(ask.Set)
	if who := pol.Refuses(by, upgrade.MayRequest, ""); who != "" {
		return upgrade.Change{}, upgrade.Plan{}, upgrade.Refuse(upgrade.CodeRole, "", "that takes %s", who)
	}
	p := planOf(ask.Set, pol, by)
	if rec, err := d.Journal.Holder(ctx, p.Set); err == nil {
		return upgrade.Change{}, upgrade.Plan{}, upgrade.Locked(rec)
	}
	id := "r-" + ask.Set
	events := upgrade.At(time.Now(), by.ID, upgrade.Requested{Digest: p.Digest, Channel: pol.Channel, Name: by.Name},
		upgrade.Asked{Gate: "ud-0", Asking: 1, Nonce: nonceOf(ask.Set), Expires: time.Now().Add(48 * time.Hour)})
	for i := range events {
		events[i].Seq = i + 1
	}
	return upgrade.Change{Rollout: id, Open: &p, Events: events, Posts: upgrade.Posts(upgrade.Fold(id, events), events)}, p, nil
}

func (d *domain) Look(ctx context.Context, by upgrade.Person, q upgrade.Query) (upgrade.Sight, error) {
	if err := d.at(ctx, string(q.Kind)); err != nil {
		return upgrade.Sight{}, err
	}
	if q.Kind == upgrade.QuerySets || q.Kind == upgrade.QuerySet {
		three := []upgrade.Instance{{ID: "0"}, {ID: "1", UpdateDomain: 1}, {ID: "5", FaultDomain: 1}}
		return upgrade.Sight{Sets: []upgrade.SetSummary{{ID: "web", Name: "web"}}, Set: &upgrade.ScaleSet{Name: "web", Instances: three}}, nil
	}
	return d.Desk.Look(ctx, by, q)
}

func (d *domain) Several(ctx context.Context, by upgrade.Person, ask upgrade.Ask, open bool) (upgrade.Several, []upgrade.Change, error) {
	return d.Desk.Several(ctx, by, ask, open)
}

func (d *domain) SayAll(ctx context.Context, by upgrade.Person, w upgrade.Word) ([]upgrade.Spoken, error) {
	return d.Desk.SayAll(ctx, by, w)
}

func (d *domain) Freeze(ctx context.Context, by upgrade.Person, ask upgrade.FreezeAsk) (upgrade.Frost, error) {
	return d.Desk.Freeze(ctx, by, ask)
}

func nonceOf(set string) string { return set + "0123456789abcdef" }

func planOf(set string, pol upgrade.Policy, by upgrade.Person) upgrade.Plan {
	gates := []upgrade.Gate{
		{Key: "ud-0", Title: "UD 0", Instances: []upgrade.Member{{ID: "0"}, {ID: "5", FaultDomain: 1}}},
		{Key: "ud-1", Title: "UD 1", Instances: []upgrade.Member{{ID: "1", UpdateDomain: 1}}},
	}
	pol.Soak, pol.Bake = 0, 0
	return upgrade.Plan{Digest: "7c1e" + set, Set: upgrade.SetID("/subscriptions/s/resourcegroups/rg/" + set), Name: set, ResourceGroup: "rg",
		Gates: gates, Policy: pol, By: by.ID, At: time.Now(), Total: 3, Available: 3}
}

// book is the journal, with what is needed to disturb and to watch it.
type book struct {
	*store.Store

	mu       sync.Mutex
	n        int
	receive  func(context.Context) error // before Receive
	settle   func(upgrade.Settlement) error
	unread   bool     // Record and Thread fail
	record   error    // of Sent; nil = it records
	received []string // keys that are on disk,
	since    []time.Time
	settled  []upgrade.Settlement
}

func (b *book) disturb(receive func(context.Context) error, settle func(upgrade.Settlement) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receive, b.settle = receive, settle
}

func (b *book) Receive(ctx context.Context, all ...upgrade.Delivery) (int, error) {
	b.mu.Lock()
	before := b.receive
	b.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return 0, err
		}
	}
	fresh, err := b.Store.Receive(ctx, all...)
	if err == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, d := range all {
			b.received, b.since = append(b.received, d.Key), append(b.since, time.Now())
		}
	}
	return fresh, err
}

func (b *book) Settle(ctx context.Context, s upgrade.Settlement) error {
	b.mu.Lock()
	before := b.settle
	b.mu.Unlock()
	if before != nil {
		if err := before(s); err != nil {
			return err
		}
	}
	err := b.Store.Settle(ctx, s)
	if err == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.settled = append(b.settled, s)
	}
	return err
}

func (b *book) Sent(ctx context.Context, p upgrade.Pending, s upgrade.Sent) error {
	b.mu.Lock()
	no := b.record
	b.mu.Unlock()
	if no != nil {
		return no
	}
	return b.Store.Sent(ctx, p, s)
}

// unreadable has readings of rollouts and threads fail, or not any more.
func (b *book) unreadable(is bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unread = is
}

func (b *book) torn() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unread {
		return errors.New("unexpected EOF")
	}
	return nil
}

func (b *book) Record(ctx context.Context, id string) (upgrade.Record, error) {
	if err := b.torn(); err != nil {
		return upgrade.Record{}, err
	}
	return b.Store.Record(ctx, id)
}

func (b *book) Thread(ctx context.Context, channel, ts string) (string, error) {
	if err := b.torn(); err != nil {
		return "", err
	}
	return b.Store.Thread(ctx, channel, ts)
}

// refuseRecords makes what was sent unrecordable, nil = recordable again.
func (b *book) refuseRecords(why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.record = why
}

func (b *book) settlements() []upgrade.Settlement {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.settled)
}

func (b *book) keys() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.received)
}

// declined are the audit lines of what was wanted and not done.
func (b *book) declined() []upgrade.Declined {
	var out []upgrade.Declined
	for _, s := range b.settlements() {
		for _, c := range s.Changes {
			for _, e := range c.Events {
				if d, ok := e.Fact.(upgrade.Declined); ok {
					out = append(out, d)
				}
			}
		}
	}
	return out
}

// waiting counts deliveries that are not settled.
func (b *book) waiting() int {
	list, err := b.Store.Unsettled(context.Background(), 0, 100_000)
	if err != nil {
		return -1
	}
	return len(list)
}

// lines is a log to read.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	text := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, text)
	return nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all[max(0, len(l.all)-40):], "\n")
}

func (l *lines) has(text string) bool { return l.count(text) > 0 }

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.all {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}
