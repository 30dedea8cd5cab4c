package store

import (
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// change writes all of c, and what follows it, and returns the sequence number its own stream ends at.
func (t *tx) change(c upgrade.Change) (int, error) {
	if c.Open != nil {
		if err := t.open(c); err != nil {
			return 0, err
		}
	}
	seq, err := t.append(c)
	if err != nil {
		return 0, err
	}
	for _, p := range c.Posts {
		if err := t.want(p); err != nil {
			return 0, err
		}
	}
	if err := t.tell(c.Pages); err != nil {
		return 0, err
	}
	if c.Then != nil {
		if err := t.say(*c.Then); err != nil {
			return 0, fmt.Errorf("then %s: %w", stream(c.Then.Rollout), err)
		}
	}
	return seq, nil
}

// open makes the rollout and takes the lock of its set (R16).
func (t *tx) open(c upgrade.Change) error {
	if c.Rollout == "" {
		return errors.New("open a rollout: it has no id")
	}
	n, err := t.exec(openStream, c.Rollout)
	if err == nil && n == 0 {
		return upgrade.ErrStale // the id is taken: the writer had read nothing
	}
	if err != nil {
		return fmt.Errorf("open stream: %w", err)
	}
	n, err = t.exec(openRollout, c.Rollout, string(c.Open.Set), c.Open.Digest, parent(c))
	if err == nil && n == 0 {
		return upgrade.ErrLocked
	}
	if err != nil {
		return fmt.Errorf("open rollout: %w", err)
	}
	t.passes = true
	return t.plan(c.Rollout, *c.Open)
}

// parent is the first of the rollouts that were opened together with this one, "" when it is alone.
func parent(c upgrade.Change) string {
	for _, e := range c.Events {
		if f, ok := e.Fact.(upgrade.Requested); ok && f.Wave != nil {
			return upgrade.Lead(f.Wave.Group)
		}
	}
	return ""
}

func (t *tx) plan(rollout string, p upgrade.Plan) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("plan %s: %w", p.Digest, err)
	}
	if _, err := t.exec(insertPlan, rollout, p.Digest, string(body)); err != nil {
		return fmt.Errorf("plan %s: %w", p.Digest, err)
	}
	return nil
}

// replan puts another plan of the same set in the place of the rollout's. The rollout may have had it
// before. Grants stay with the plan they were given for: the database lets none of them cover an
// operation of another one.
func (t *tx) replan(c upgrade.Change, digest string) error {
	if c.Plan == nil || c.Plan.Digest != digest {
		return fmt.Errorf("plan %s does not come with it", digest)
	}
	if err := t.plan(c.Rollout, *c.Plan); err != nil {
		return err
	}
	n, err := t.exec(replan, c.Rollout, digest, string(c.Plan.Set))
	if err == nil && n == 0 {
		err = fmt.Errorf("plan %s is for %s: the rollout drives another set, or has ended", digest, c.Plan.Set)
	}
	return err
}

// append adds the events to the stream's end, each chained to the one before, and projects them.
func (t *tx) append(c upgrade.Change) (int, error) {
	var seq int
	var hash string
	err := t.row(advance, c.Rollout, len(c.Events)).Scan(&seq, &hash)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, upgrade.ErrNotFound
	case err != nil:
		return 0, fmt.Errorf("advance: %w", err)
	case c.Rollout != "" && seq != c.Seq+len(c.Events):
		return 0, upgrade.ErrStale
	}
	for i, e := range c.Events {
		e.Seq = seq - len(c.Events) + 1 + i
		if hash, err = t.event(c.Rollout, e, hash); err != nil {
			return 0, err
		}
		if err := t.project(c, e); err != nil {
			return 0, fmt.Errorf("event %d %s: %w", e.Seq, upgrade.FactKind(e.Fact), err)
		}
	}
	if _, err := t.exec(sealStream, c.Rollout, hash); err != nil {
		return 0, fmt.Errorf("seal: %w", err)
	}
	return seq, nil
}

// event inserts one entry and returns its hash.
func (t *tx) event(rollout string, e upgrade.Event, prev string) (string, error) {
	kind, body, err := upgrade.EncodeFact(e.Fact)
	if err != nil {
		return "", fmt.Errorf("event %d %s: %w", e.Seq, kind, err)
	}
	if e.At.IsZero() {
		return "", fmt.Errorf("event %d %s: it has no time", e.Seq, kind)
	}
	x := entry{seq: e.Seq, at: e.At.UnixNano(), person: e.By, kind: kind, body: string(body), prev: prev}
	x.hash = x.sum(rollout)
	if _, err := t.exec(insertEvent, rollout, x.seq, x.at, x.person, x.kind, x.body, x.prev, x.hash); err != nil {
		return "", fmt.Errorf("event %d %s: %w", e.Seq, kind, err)
	}
	return x.hash, nil
}

// entry is an event as its row holds it.
type entry struct {
	seq                            int
	at                             int64 // nanoseconds since 1970
	person, kind, body, prev, hash string
}

// sum is the hash that chains the entry to the one before. Quoting keeps the fields apart: no text
// a person typed can look like the next field.
func (x entry) sum(rollout string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s|%q|%d|%d|%q|%q|%s", x.prev, rollout, x.seq, x.at, x.person, x.kind, x.body)
	return hex.EncodeToString(h.Sum(nil))
}

// project repeats in the side tables what the database must be able to refuse or find by itself.
// Facts that change none of them are left to the fold.
func (t *tx) project(c upgrade.Change, e upgrade.Event) error {
	if c.Rollout == "" {
		return t.projectSystem(e.Fact)
	}
	var err error
	switch f := e.Fact.(type) {
	case upgrade.Asked:
		if f.Nonce != "" { // asked and agreed to in one breath, with an earlier gate: no card
			_, err = t.exec(insertCard, f.Nonce, c.Rollout, f.Gate, f.Asking)
		}
	case upgrade.ModelAsked:
		_, err = t.exec(insertCard, f.Nonce, c.Rollout, "", 0)
	case upgrade.Voted:
		_, err = t.exec(insertVote, c.Rollout, f.Gate, f.Asking, cmp.Or(f.Voter, e.By))
	case upgrade.Granted:
		_, err = t.exec(insertGrant, c.Rollout, f.Digest, f.Gate, f.Asking)
	case upgrade.Replanned:
		err = t.replan(c, f.Digest)
	case upgrade.Intended:
		err = t.intend(c.Rollout, f.Op)
	case upgrade.Ended:
		for _, statement := range []string{endRollout, askNoMore} {
			if _, err = t.exec(statement, c.Rollout); err != nil {
				return err
			}
		}
		_, err = t.exec(wakeWaves)
		t.passes, t.posts = true, true
	default:
		err = t.projectOperation(c, e.Fact)
	}
	return err
}

// projectSystem keeps what was said of many sets at once. Every rollout has to look at it.
func (t *tx) projectSystem(fact upgrade.Fact) error {
	switch f := fact.(type) {
	case upgrade.Froze:
		body, err := json.Marshal(f.Freeze)
		if err != nil {
			return err
		}
		ends := int64(0)
		if !f.End.IsZero() {
			ends = f.End.UnixMilli()
		}
		if _, err := t.exec(insertFreeze, f.ID, string(body), ends); err != nil {
			return err
		}
	case upgrade.Unfroze:
		n, err := t.exec(liftFreeze, f.ID)
		if err == nil && n == 0 {
			err = upgrade.ErrStale // somebody was faster
		}
		if err != nil {
			return err
		}
	case upgrade.Governed:
	default:
		return t.projectSchedule(fact)
	}
	t.passes = true
	_, err := t.exec(wakeAll)
	return err
}

// projectSchedule keeps what is to be asked for later and which images are known, and lets each occurrence and
// each version be dealt with once.
func (t *tx) projectSchedule(fact upgrade.Fact) error {
	var n int64
	var err error
	switch f := fact.(type) {
	case upgrade.Scheduled:
		body, err := json.Marshal(f.Schedule)
		if err != nil {
			return err
		}
		t.schedules = true
		_, err = t.exec(insertSchedule, f.ID, string(body), f.Made.UnixMilli())
		return err
	case upgrade.Unscheduled:
		n, err = t.exec(endSchedule, f.ID)
	case upgrade.Fired:
		n, err = t.exec(serveSchedule, f.ID, f.For.UnixMilli())
	case upgrade.Sighted:
		if f.Before == "" {
			n, err = t.exec(firstSighting, f.Place, f.Version)
		} else {
			n, err = t.exec(nextSighting, f.Place, f.Version, f.Before)
		}
	default:
		return nil
	}
	if err == nil && n == 0 {
		err = upgrade.ErrStale // somebody was faster
	}
	return err
}

// intend records a write that may be sent next. A revert is covered by no grant (R4).
func (t *tx) intend(rollout string, op upgrade.Operation) error {
	digest, gate, asking := any(op.Digest), any(op.Gate), any(op.Asking)
	if op.Kind == upgrade.OpRevert {
		digest, gate, asking = nil, nil, nil
	}
	_, err := t.exec(insertOperation, op.ID, rollout, string(op.Set), string(op.Kind), digest, gate, asking)
	return err
}

// projectOperation follows an operation through its states. No other way than these is open: a
// dropped write is never sent, and what was never sent is never accepted.
func (t *tx) projectOperation(c upgrade.Change, fact upgrade.Fact) error {
	switch f := fact.(type) {
	case upgrade.Sending:
		return t.move(c.Rollout, f.Op, upgrade.StateSending, "", upgrade.StateIntended)
	case upgrade.Accepted:
		return t.move(c.Rollout, f.Op, upgrade.StateAccepted, c.Poll, upgrade.StateSending)
	case upgrade.Refused:
		return t.move(c.Rollout, f.Op, upgrade.StateRefused, "", upgrade.StateSending)
	case upgrade.Dropped:
		return t.move(c.Rollout, f.Op, upgrade.StateDropped, "", upgrade.StateIntended)
	case upgrade.Settled:
		to := upgrade.StateDone
		if !f.OK {
			to = upgrade.StateFailed
		}
		return t.move(c.Rollout, f.Op, to, "", upgrade.StateSending, upgrade.StateAccepted)
	}
	return nil
}

// move takes an operation from one of one or two states to the next. The poll token, which may hold
// a signed address, goes as soon as it is of no more use.
func (t *tx) move(rollout, op string, to upgrade.OpState, poll string, from ...upgrade.OpState) error {
	token := sql.NullString{String: poll, Valid: poll != ""}
	n, err := t.exec(moveOperation, rollout, op, string(to), token, string(from[0]), string(from[len(from)-1]))
	if err == nil && n == 0 {
		err = fmt.Errorf("operation %s is not %s: it cannot become %s", op, from[0], to)
	}
	return err
}

// want puts a post into the outbox, or replaces what its slot wants.
func (t *tx) want(p upgrade.Post) error {
	t.posts = true
	if _, err := t.exec(want, p.Rollout, p.Slot, p.Channel, p.User, string(p.Want), number(p.Broadcast)); err != nil {
		return fmt.Errorf("post %s of %s: %w", p.Slot, stream(p.Rollout), err)
	}
	return nil
}

// cardSlot reads a slot that carries a card: "model", or "card/GATE/ASKING".
func cardSlot(slot string) (gate string, asking int, ok bool) {
	if slot == upgrade.SlotModel {
		return "", 0, true
	}
	rest, ok := strings.CutPrefix(slot, "card/")
	i := strings.LastIndexByte(rest, '/')
	if !ok || i < 0 {
		return "", 0, false
	}
	asking, err := strconv.Atoi(rest[i+1:])
	return rest[:i], asking, err == nil
}
