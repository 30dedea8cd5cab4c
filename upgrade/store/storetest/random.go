package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

var random = []promise{
	{"after any sequence of changes the record is the fold of what was committed", func(j *journal) {
		for seed := range uint64(5) {
			w := &walk{journal: j, rng: rand.New(rand.NewPCG(seed, 0)), id: fmt.Sprintf("r-%d", seed), set: upgrade.SetID(fmt.Sprintf("/x/%d", seed))}
			w.run(60)
		}
		j.must(j.Verify(j.ctx))
	}},
}

// walk writes random facts to one rollout, sensible ones and not, and keeps beside the journal what
// was committed.
type walk struct {
	*journal
	rng       *rand.Rand
	id        string
	set       upgrade.SetID
	committed []upgrade.Event
	ops       int
	refused   int
}

func (w *walk) run(steps int) {
	w.t.Helper()
	opening := w.opening(w.id, w.set)
	w.must(w.settle(opening))
	w.keep(opening.Events)
	for range steps {
		w.advance(time.Duration(w.rng.IntN(3000)) * time.Millisecond)
		w.step()
		w.compare()
	}
	w.check(w.refused > 0 && len(w.committed) > steps/4, "%s: %d facts committed, %d changes refused: the walk proves little", w.id, len(w.committed), w.refused)
}

// step tries one change of one to three facts, now and then on a state that is not the last.
func (w *walk) step() {
	w.t.Helper()
	var facts []upgrade.Fact
	for range 1 + w.rng.IntN(2) {
		if w.rng.IntN(2) == 0 {
			facts = append(facts, w.likely())
		} else {
			facts = append(facts, w.fact())
		}
	}
	seq := len(w.committed)
	if w.rng.IntN(10) == 0 {
		seq--
	}
	c := upgrade.Change{Rollout: w.id, Seq: seq, Events: w.events([]string{"", "U0BO", "U0EVA"}[w.rng.IntN(3)], facts...)}
	switch err := w.settle(c); {
	case err == nil:
		w.check(seq == len(w.committed), "%s: a stale change was committed", w.id)
		w.keep(c.Events)
	case seq != len(w.committed):
		w.check(errors.Is(err, upgrade.ErrStale), "%s: a stale change failed with %v", w.id, err)
	default:
		w.refused++
	}
}

// likely picks a fact that may well come next.
func (w *walk) likely() upgrade.Fact {
	op := upgrade.Fold(w.id, w.committed).Op
	coin := w.rng.IntN(2) == 0
	switch {
	case op == nil && coin:
		return w.grant()
	case op == nil:
		return w.intend()
	case op.State == upgrade.StateIntended && coin:
		return upgrade.Dropped{Op: op.ID}
	case op.State == upgrade.StateIntended:
		return upgrade.Sending{Op: op.ID}
	case op.State == upgrade.StateSending && coin:
		return upgrade.Refused{Op: op.ID, Code: "Conflict"}
	case op.State == upgrade.StateSending:
		return upgrade.Accepted{Op: op.ID, Azure: w.now()}
	}
	return upgrade.Settled{Op: op.ID, OK: coin}
}

func (w *walk) grant() upgrade.Fact {
	gate, asking := w.gate()
	return upgrade.Granted{Gate: gate, Asking: asking, Digest: planOf(w.set).Digest, Expires: w.now().Add(time.Hour)}
}

func (w *walk) intend() upgrade.Fact {
	w.ops++
	op := operation(fmt.Sprintf("%s-op-%d", w.id, w.ops), planOf(w.set))
	op.Gate, op.Asking = w.gate()
	op.Batch = w.ops
	return upgrade.Intended{Op: op}
}

func (w *walk) gate() (gate string, asking int) {
	return []string{"ud-0", "ud-1"}[w.rng.IntN(2)], 1 + w.rng.IntN(2)
}

// fact picks any; operations are named so that some facts hit the last one and some an older one.
func (w *walk) fact() upgrade.Fact {
	gate, asking := w.gate()
	op := fmt.Sprintf("%s-op-%d", w.id, max(1, w.ops-w.rng.IntN(2)))
	switch w.rng.IntN(11) {
	case 0:
		return upgrade.Asked{Gate: gate, Asking: asking, Nonce: fmt.Sprintf("%s-%d", w.id, w.rng.Uint64())}
	case 1:
		return upgrade.Voted{Gate: gate, Asking: asking, Name: "somebody"}
	case 2:
		return w.grant()
	case 3:
		return w.intend()
	case 4:
		return upgrade.Sending{Op: op}
	case 5:
		return upgrade.Accepted{Op: op}
	case 6:
		return upgrade.Settled{Op: op}
	case 7:
		return upgrade.Refused{Op: op, Code: "Conflict"}
	case 8:
		return upgrade.Dropped{Op: op}
	case 9:
		return upgrade.Paused{Name: "bo", Reason: "“quotes” | and \x00 and é"}
	}
	return upgrade.InstanceSeen{ID: "0", State: upgrade.Checking, Detail: "starting"}
}

func (w *walk) keep(events []upgrade.Event) {
	for _, e := range events {
		e.Seq = len(w.committed) + 1
		w.committed = append(w.committed, e)
	}
}

func (w *walk) compare() {
	w.t.Helper()
	r := w.record(w.id)
	want := upgrade.Fold(w.id, w.committed)
	w.check(reflect.DeepEqual(r.Rollout, want), "%s after %d events: the record is\n%+v, the fold of what was committed\n%+v", w.id, len(w.committed), r.Rollout, want)
	w.check(w.unfinished() == operationOf(want), "%s: the database has %q unfinished, the fold %q", w.id, w.unfinished(), operationOf(want))
	bare := w.count(`select count(*) from operations o where rollout = $1 and not exists (select 1 from grants g
		where g.rollout = o.rollout and g.gate = o.gate and g.asking = o.asking and g.plan_digest = o.plan_digest)`, w.id)
	w.check(bare == 0, "%s: %d operations without a grant", w.id, bare)
}

// unfinished names the operation the database holds the set for, and its state.
func (w *walk) unfinished() string {
	w.t.Helper()
	var id, state string
	err := w.DB.QueryRowContext(w.ctx, `select id, state from operations where rollout = $1 and state in ('intended', 'sending', 'accepted')`, w.id).Scan(&id, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return ""
	}
	w.must(err)
	return id + " " + state
}

func operationOf(r upgrade.Rollout) string {
	if r.Op == nil {
		return ""
	}
	return r.Op.ID + " " + string(r.Op.State)
}
