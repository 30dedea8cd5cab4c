package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// How long what is over is kept: a dedupe key for longer than a rollout lives, so that what comes once
// more after that finds it ended (Slack's own last redelivery comes within minutes); an answer that belongs to no rollout until nobody can still want it edited.
const (
	keepDeliveries = 8 * 24 * time.Hour
	keepAnswers    = 24 * time.Hour
)

// passBy is how often a new message may fail before the ones after it stop waiting for it: some
// eight minutes at the usual back-off. A short outage does not shuffle a thread; a message that can
// never be sent does not keep an approval card from people.
const passBy = 10

// Receive persists deliveries, all of them or none. When it returns without an error they are on disk and
// may be acknowledged; fresh counts those that were not there before: a redelivery changes nothing. A key
// is remembered for eight days after its delivery was settled. A delivery without a key is refused; one
// without a time came now.
func (s *Store) Receive(ctx context.Context, all ...upgrade.Delivery) (fresh int, err error) {
	err = s.write(ctx, patience, func(t *tx) error {
		fresh = 0
		for _, d := range all {
			if d.At.IsZero() {
				d.At = s.now()
			}
			n, err := t.exec(insertDelivery, d.Key, d.Kind, string(d.Body), d.At.UnixNano())
			if err != nil {
				return fmt.Errorf("%s: %w", d.Key, err)
			}
			fresh += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("journal: receive deliveries: %w", err)
	}
	if fresh > 0 {
		poke(s.deliveries)
	}
	return fresh, nil
}

// Unsettled lists deliveries that came after the one with the id and were not settled yet, oldest first,
// at most limit of them. Ids grow and are never given twice.
func (s *Store) Unsettled(ctx context.Context, after int64, limit int) ([]upgrade.Delivery, error) {
	waiting, err := list(ctx, s, func(rows *sql.Rows) (d upgrade.Delivery, err error) {
		var body string
		var at int64
		err = rows.Scan(&d.ID, &d.Key, &d.Kind, &body, &at)
		d.Body, d.At = json.RawMessage(body), time.Unix(0, at).UTC()
		return d, err
	}, selectDeliveries, after, limit)
	return waiting, wrap(err, "list deliveries")
}

// Settle commits what became of a delivery, all of it or nothing: the changes, each guarded by its
// Seq (ErrStale; ErrLocked when one opens a rollout of a locked set), the answers, and the end of
// the delivery, whose body is dropped. Rollouts that were changed are due at once. Settling a
// settled delivery changes nothing and is no error.
func (s *Store) Settle(ctx context.Context, what upgrade.Settlement) error {
	err := s.write(ctx, unhurried, func(t *tx) error {
		first, err := t.settle(what.Delivery)
		if err != nil || !first {
			return err
		}
		for _, c := range what.Changes {
			if err := t.say(c); err != nil {
				return fmt.Errorf("%s: %w", stream(c.Rollout), err)
			}
		}
		for _, p := range what.Answers {
			if err := t.want(p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("journal: settle delivery %d: %w", what.Delivery, err)
	}
	return nil
}

// settle marks the delivery; first is false when it was marked before.
func (t *tx) settle(id int64) (first bool, err error) {
	n, err := t.exec(settleDelivery, id)
	if err != nil {
		return false, err
	}
	if n == 0 {
		var known int
		if err := t.row(knownDelivery, id).Scan(&known); err != nil {
			return false, err
		}
		if known == 0 {
			return false, errors.New("no such delivery")
		}
		return false, nil
	}
	if _, err := t.exec(sweepInbox, keepDeliveries.Milliseconds()); err != nil {
		return false, err
	}
	_, err = t.exec(sweepOutbox, keepAnswers.Milliseconds())
	return true, err
}

// Commit writes a change that comes from no person and no pass, all of it or nothing: that an occurrence of a
// schedule was dealt with, and the rollout that it opens.
func (s *Store) Commit(ctx context.Context, c upgrade.Change) error {
	return wrap(s.write(ctx, unhurried, func(t *tx) error { return t.say(c) }), "commit to "+stream(c.Rollout))
}

// say commits what a person changed, and wakes the rollout.
func (t *tx) say(c upgrade.Change) error {
	if _, err := t.change(c); err != nil || c.Rollout == "" {
		return err
	}
	t.passes = true
	_, err := t.exec(wake, c.Rollout)
	return err
}

// Thread names the rollout whose live message has the ts, which is that of its thread, or the group whose
// message has; ErrNotFound when there is none.
func (s *Store) Thread(ctx context.Context, channel, ts string) (rollout string, err error) {
	var slot string
	err = s.read(ctx, func(t *tx) error { return notFound(t.row(selectThread, channel, ts).Scan(&rollout, &slot)) })
	if slot == upgrade.SlotGroup {
		rollout = upgrade.GroupOf(rollout)
	}
	return rollout, wrap(err, "find the rollout of thread "+ts)
}

// NextPost returns the post that has been due longest. ok is false when none is due; next is then
// when the next one will be (zero: none is wanted).
//
// A rollout's posts in the channel of its live message go to that message's thread, and wait until
// it was posted or given up. New messages of a rollout keep the order in which they were first
// wanted, but one that failed ten times is passed by; answers that one person sees wait for none of
// them, and those that belong to no rollout for nothing. Pictures wait as messages do, and no message waits
// for them. Pictures and answers (Post.Answer) are passed over unless they are wanted.
func (s *Store) NextPost(ctx context.Context, pictures, answers bool) (p upgrade.Pending, next time.Time, ok bool, err error) {
	var want string
	var broadcast, at int64
	err = s.row(ctx, nextPost, passBy, number(pictures), number(answers)).Scan(&p.ID, &p.Version, &p.Rollout, &p.Slot, &p.Channel, &p.User, &want, &broadcast,
		&p.TS, &p.Thread, &p.Hash, &p.Attempts, &at, &ok)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return upgrade.Pending{}, time.Time{}, false, nil
	case err != nil:
		return upgrade.Pending{}, time.Time{}, false, fmt.Errorf("journal: next post: %w", err)
	case !ok:
		return upgrade.Pending{}, time.UnixMilli(at), false, nil
	}
	if want != "" {
		p.Want = json.RawMessage(want)
	}
	p.Broadcast = broadcast != 0
	return p, time.Time{}, true, nil
}

// Answers lists the other answers that wait to be told to the person of p in the same channel and belong
// to no rollout, those that are not due yet as well, in the order in which they were wanted. Pictures are
// not among them.
func (s *Store) Answers(ctx context.Context, p upgrade.Pending, limit int) ([]upgrade.Pending, error) {
	waiting, err := list(ctx, s, func(rows *sql.Rows) (p upgrade.Pending, err error) {
		var want string
		err = rows.Scan(&p.ID, &p.Version, &p.Slot, &p.Channel, &p.User, &want, &p.Attempts)
		if want != "" {
			p.Want = json.RawMessage(want)
		}
		return p, err
	}, selectAnswers, p.User, p.Channel, p.ID, limit)
	return waiting, wrap(err, "list answers")
}

// number is how a truth is written for both engines.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Sent records what became of a post, under the version that was rendered: a state wanted meanwhile
// stays due. A delivered one may be edited again after r.Next; one that failed is due again after
// r.Retry, or given up when that is negative, until its slot wants another state; one that was not
// tried, or that Slack put off, is due again after r.Wait, and that counts as no attempt. The card in
// the message, if there is one, is from now on found where it was posted.
func (s *Store) Sent(ctx context.Context, p upgrade.Pending, r upgrade.Sent) error {
	version, attempts, hash, wait := p.Version, 0, r.Hash, r.Next
	switch {
	case r.Wait > 0:
		version, attempts, hash, wait = 0, p.Attempts, p.Hash, r.Wait
	case r.Error != "" && r.Retry >= 0:
		version, attempts, hash, wait = 0, p.Attempts+1, p.Hash, r.Retry
	case r.Error != "":
		hash, wait = p.Hash, 0
	}
	err := s.write(ctx, patience, func(t *tx) error { // nobody is told: whoever sends looks for more by himself
		_, err := t.exec(sent, p.ID, version, r.TS, hash, attempts, r.Error, (wait + time.Millisecond - 1).Milliseconds()) // rounded up: never due before its time
		if gate, asking, ok := cardSlot(p.Slot); err == nil && ok && r.TS != "" {
			_, err = t.exec(placeCard, p.Rollout, gate, asking, p.Channel, r.TS)
		}
		return err
	})
	return wrap(err, fmt.Sprintf("sent post %s of %s", p.Slot, stream(p.Rollout)))
}
