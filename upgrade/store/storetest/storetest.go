// Package storetest says in tests what a journal promises, whatever database it is kept in.
//
// [Run] is the suite. A store's own tests call it with a function that opens an empty journal on the
// given clock; each promise is a subtest whose name is a sentence. The suite speaks to the journal
// through the methods the engine and the bot use, and to the database behind it only to tamper with
// it. It knows nothing of any one database, and it never waits: time passes when it says so.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Journal is everything the engine and the bot use of a store.
type Journal interface {
	upgrade.Store
	upgrade.Reader
	Answers(ctx context.Context, p upgrade.Pending, limit int) ([]upgrade.Pending, error)
	Receive(ctx context.Context, all ...upgrade.Delivery) (fresh int, err error)
	Unsettled(ctx context.Context, after int64, limit int) ([]upgrade.Delivery, error)
	Settle(ctx context.Context, s upgrade.Settlement) error
	Thread(ctx context.Context, channel, ts string) (rollout string, err error)
	NextPost(ctx context.Context, pictures, answers bool) (p upgrade.Pending, next time.Time, ok bool, err error)
	Sent(ctx context.Context, p upgrade.Pending, s upgrade.Sent) error
	Subscribe(ctx context.Context, hook string) error
	NextPage(ctx context.Context, hook string) (p upgrade.PendingPage, next time.Time, ok bool, err error)
	Told(ctx context.Context, hook string, p upgrade.PendingPage, sent upgrade.Sent) error
	Pages() <-chan struct{}
	Passes() <-chan struct{}
	Deliveries() <-chan struct{}
	Posts() <-chan struct{}
	Policies(ctx context.Context) (list []upgrade.Policy, known bool, err error)
	Occurrences() <-chan struct{}
	Commit(ctx context.Context, c upgrade.Change) error
	Sightings(ctx context.Context) (map[string]string, error)
	Unsent(ctx context.Context) (upgrade.Unheard, error)
	Writable(ctx context.Context) error
	Verify(ctx context.Context) error
}

// Opened is an empty journal, and the database it is kept in.
type Opened struct {
	Journal
	DB *sql.DB
}

// Run checks every promise of a journal. open is called once for each subtest; it must close what it
// opens when the test ends.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) Opened) {
	for _, group := range []struct {
		name     string
		promises []promise
	}{
		{"deliveries", deliveries}, {"rollouts", rollouts}, {"leases", leases}, {"constraints", constraints},
		{"plans", plans}, {"then", then}, {"outbox", outbox}, {"unsent", unsent}, {"signals", signals}, {"pages", pages}, {"freezes", freezes}, {"schedules", schedules}, {"groups", groups}, {"chain", chain}, {"random", random},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, p := range group.promises {
				t.Run(p.says, func(t *testing.T) {
					t.Parallel() // most of the time is the disk's
					p.holds(newJournal(t, open))
				})
			}
		})
	}
}

// promise is one sentence and the test of it.
type promise struct {
	says  string
	holds func(j *journal)
}

// journal is a journal under test: an Opened whose failures end the test, and its clock.
type journal struct {
	Opened
	t   *testing.T
	ctx context.Context
	at  time.Time
	n   int // deliveries made up so far
}

func newJournal(t *testing.T, open func(*testing.T, func() time.Time) Opened) *journal {
	j := &journal{t: t, ctx: t.Context(), at: time.Date(2026, 11, 23, 2, 0, 0, 123456789, time.UTC)}
	j.Opened = open(t, func() time.Time { return j.at })
	return j
}

func (j *journal) now() time.Time          { return j.at }
func (j *journal) advance(d time.Duration) { j.at = j.at.Add(d) }

func (j *journal) must(err error) {
	j.t.Helper()
	if err != nil {
		j.t.Fatal(err)
	}
}

// is fails the test unless err is the wanted one; nil wants success.
func (j *journal) is(err, want error) {
	j.t.Helper()
	if !errors.Is(err, want) || (want == nil && err != nil) {
		j.t.Fatalf("got error %v, want %v", err, want)
	}
}

func (j *journal) check(ok bool, format string, args ...any) {
	j.t.Helper()
	if !ok {
		j.t.Fatalf(format, args...)
	}
}

const (
	web  upgrade.SetID = "/subscriptions/s/resourcegroups/g/web"
	shop upgrade.SetID = "/subscriptions/s/resourcegroups/g/shop"
)

// planOf is a plan with two gates of two instances.
func planOf(set upgrade.SetID) upgrade.Plan {
	gates := []upgrade.Gate{
		{Key: "ud-0", Title: "UD 0", Instances: []upgrade.Member{{ID: "0"}, {ID: "5", UpdateDomain: 0, FaultDomain: 1}}},
		{Key: "ud-1", Title: "UD 1", Instances: []upgrade.Member{{ID: "1", UpdateDomain: 1}, {ID: "6", UpdateDomain: 1}}},
	}
	return upgrade.Plan{Digest: "7c1e" + set.Name(), Set: set, Name: set.Name(), Gates: gates, By: "U0ANA", Note: "CHG-881",
		Sections: map[upgrade.Section]string{upgrade.SectionNetwork: "n1"}}
}

// deliver receives a made-up delivery and returns it as it stands in the inbox.
func (j *journal) deliver() upgrade.Delivery {
	j.t.Helper()
	j.n++
	d := upgrade.Delivery{Key: fmt.Sprintf("k-%d", j.n), Kind: "slash_commands", Body: []byte(`{"text":"x"}`), At: j.now()}
	fresh, err := j.Receive(j.ctx, d)
	j.must(err)
	j.check(fresh == 1, "delivery %s was known", d.Key)
	list, err := j.Unsettled(j.ctx, 0, 1000)
	j.must(err)
	return list[len(list)-1]
}

// settle settles a made-up delivery with the changes and returns the error.
func (j *journal) settle(changes ...upgrade.Change) error {
	j.t.Helper()
	return j.Settle(j.ctx, upgrade.Settlement{Delivery: j.deliver().ID, Changes: changes})
}

// opening is the change that opens a rollout.
func (j *journal) opening(id string, set upgrade.SetID) upgrade.Change {
	p := planOf(set)
	return upgrade.Change{Rollout: id, Open: &p, Events: j.events("U0ANA", upgrade.Requested{Digest: p.Digest, Sum: p.Sum(), Channel: "C1", Name: "ana"})}
}

func (j *journal) open(id string, set upgrade.SetID) {
	j.t.Helper()
	j.must(j.settle(j.opening(id, set)))
}

func (j *journal) events(by string, facts ...upgrade.Fact) []upgrade.Event {
	return upgrade.At(j.now(), by, facts...)
}

// say commits facts of a person to a rollout, whatever it has come to.
func (j *journal) say(id, by string, facts ...upgrade.Fact) error {
	j.t.Helper()
	return j.settle(upgrade.Change{Rollout: id, Seq: j.seq(id), Events: j.events(by, facts...)})
}

func (j *journal) seq(id string) int {
	j.t.Helper()
	return j.record(id).Rollout.Seq
}

func (j *journal) record(id string) upgrade.Record {
	j.t.Helper()
	r, err := j.Record(j.ctx, id)
	j.must(err)
	return r
}

// claim leases a rollout; the test ends when none is due.
func (j *journal) claim() upgrade.Lease {
	j.t.Helper()
	l, next, ok, err := j.Claim(j.ctx)
	j.must(err)
	j.check(ok, "no rollout is due, the next is at %s", next)
	return l
}

// none ends the test when a rollout is due, and returns when the next one will be.
func (j *journal) none() time.Time {
	j.t.Helper()
	l, next, ok, err := j.Claim(j.ctx)
	j.must(err)
	j.check(!ok, "rollout %s is due", l.Rollout)
	return next
}

// append commits facts under the lease.
func (j *journal) append(l upgrade.Lease, facts ...upgrade.Fact) error {
	j.t.Helper()
	_, err := j.Append(j.ctx, l, upgrade.Change{Rollout: l.Rollout, Seq: j.seq(l.Rollout), Events: j.events("", facts...)})
	return err
}

// granted asks for a gate and has it agreed to.
func (j *journal) granted(id, gate string) {
	j.t.Helper()
	p := j.record(id).Plan
	j.must(j.say(id, "U0BO",
		upgrade.Asked{Gate: gate, Asking: 1, Nonce: id + gate, Expires: j.now().Add(time.Hour)},
		upgrade.Voted{Gate: gate, Asking: 1, Name: "bo"},
		upgrade.Granted{Gate: gate, Asking: 1, Digest: p.Digest, Voters: []string{"U0BO"}, Expires: j.now().Add(time.Hour)}))
}

// operation is a start of ud-0 that a grant covers.
func operation(id string, p upgrade.Plan) upgrade.Operation {
	return upgrade.Operation{ID: id, Kind: upgrade.OpUpgrade, Set: p.Set, Gate: "ud-0", Asking: 1, Digest: p.Digest, Batch: 1, Instances: []string{"0", "5"}}
}

// count runs a query that counts.
func (j *journal) count(query string, args ...any) int {
	j.t.Helper()
	var n int
	j.must(j.DB.QueryRowContext(j.ctx, query, args...).Scan(&n))
	return n
}

// tamper changes the database behind the journal's back.
func (j *journal) tamper(query string, args ...any) {
	j.t.Helper()
	_, err := j.DB.ExecContext(j.ctx, query, args...)
	j.must(err)
}

// others lists the answers beside p, at most limit of them, and expects these slots.
func (j *journal) others(p upgrade.Pending, limit int, want ...string) []upgrade.Pending {
	j.t.Helper()
	list, err := j.Answers(j.ctx, p, limit)
	j.must(err)
	var got []string
	for _, o := range list {
		got = append(got, o.Slot)
	}
	j.check(slices.Equal(got, want), "beside %s wait %v, want %v", p.Slot, got, want)
	return list
}
