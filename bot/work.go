package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	atOnce      = 8                // deliveries carried out at the same time
	workTimeout = 60 * time.Second // of one delivery; reading a large set takes its time
	attempts    = 10               // when others keep changing the same rollout
)

// work carries out deliveries. What one person said is carried out in the order it was said;
// different people do not wait for each other, so an abort does not queue behind somebody's plan.
func (b *Bot) work(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-b.met: // until then no payload could be told from another app's, and would be refused
	}
	d := desk{b: b, busy: map[string]bool{}, doing: map[int64]bool{}, freed: make(chan struct{}, 1)}
	defer d.all.Wait()
	for {
		if !d.handOut(ctx) {
			return
		}
	}
}

// desk keeps who is being served.
type desk struct {
	b     *Bot
	all   sync.WaitGroup
	freed chan struct{}

	mu    sync.Mutex
	busy  map[string]bool
	doing map[int64]bool
}

// handOut starts what can be started and waits for more; false when the context ended.
func (d *desk) handOut(ctx context.Context) bool {
	wait := time.Minute
	list, err := d.b.Journal.Unsettled(ctx, 256)
	if err != nil && ctx.Err() == nil {
		d.b.Log.Error("journal: list deliveries", "err", err)
		wait = time.Second
	}
	held := map[string]bool{}
	for _, delivery := range list {
		said := d.b.understand(delivery)
		if held[said.user] || !d.take(delivery.ID, said.user) {
			held[said.user] = true // what this person said later waits, too
			continue
		}
		d.all.Go(func() {
			defer d.done(delivery.ID, said.user)
			d.b.carryOut(ctx, delivery, said)
		})
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-d.b.NewDeliveries:
	case <-d.freed:
	case <-timer.C:
	}
	return true
}

func (d *desk) take(id int64, user string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.doing[id] || d.busy[user] || len(d.doing) >= atOnce {
		return false
	}
	d.doing[id], d.busy[user] = true, true
	return true
}

func (d *desk) done(id int64, user string) {
	d.mu.Lock()
	delete(d.doing, id)
	delete(d.busy, user)
	d.mu.Unlock()
	select {
	case d.freed <- struct{}{}:
	default:
	}
}

// carryOut does what was said and settles the delivery. When the journal cannot be written it is
// left unsettled and tried again: it was acknowledged, so it must not be lost.
func (b *Bot) carryOut(ctx context.Context, d upgrade.Delivery, said spoken) {
	for range attempts {
		err := b.Journal.Settle(ctx, b.settlement(ctx, d, said))
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case errors.Is(err, upgrade.ErrStale), errors.Is(err, upgrade.ErrLocked):
			continue // somebody was faster: say it again to what is there now
		}
		b.Log.Error("journal: settle a delivery", "delivery", d.ID, "err", err)
		sleep(ctx, time.Second)
	}
	b.giveUp(ctx, d, said, "others keep changing it")
}

// giveUp answers that nothing was done.
func (b *Bot) giveUp(ctx context.Context, d upgrade.Delivery, said spoken, why string) {
	no := upgrade.Refuse(upgrade.CodeInside, "/vmss status", "I could not do that: %s; nothing was changed", why)
	if err := b.Journal.Settle(ctx, b.refused(d, said, no)); err != nil && ctx.Err() == nil {
		b.Log.Error("journal: settle a delivery that failed", "delivery", d.ID, "err", err)
	}
}

// settlement works out what a delivery comes to. It changes nothing. A panic in it concerns this
// delivery only.
func (b *Bot) settlement(ctx context.Context, d upgrade.Delivery, said spoken) (s upgrade.Settlement) {
	defer func() {
		if p := recover(); p != nil {
			b.Log.Error("a delivery made the bot panic", "delivery", d.ID, "panic", p, "stack", string(debug.Stack()))
			s = b.refused(d, said, upgrade.Refuse(upgrade.CodeInside, "/vmss help", "I could not do that because of a mistake in me; nothing was changed"))
		}
	}()
	if no := b.trusted(said); no != nil {
		b.Log.Warn("slack: a payload was not heard", "delivery", d.ID, "user", said.user, "team", said.team, "app", said.app, "why", no.What)
		said.silent = true
		return b.refused(d, said, no)
	}
	if said.refusal != nil {
		return b.refused(d, said, said.refusal)
	}
	if said.silent {
		return upgrade.Settlement{Delivery: d.ID}
	}
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	by, err := b.People.Person(ctx, said.user)
	if err != nil {
		b.Log.Warn("slack: who speaks could not be checked", "user", said.user, "err", err)
		return b.refused(d, said, upgrade.Refuse(upgrade.CodeRole, commands.Format(said.request), "I could not check who you are, so nothing was done: try again in a minute"))
	}
	reply, changes, err := commands.Do(ctx, said.request, by, said.channel, b.Rollouts)
	if err != nil {
		b.Log.Warn("request", "delivery", d.ID, "user", said.user, "verb", said.request.Verb, "err", err)
	}
	if errors.Is(err, context.DeadlineExceeded) && reply.Refusal == nil {
		return b.refused(d, said, upgrade.Refuse(upgrade.CodeInside, commands.Format(said.request), "that took longer than %s and was given up; nothing was changed", workTimeout))
	}
	if reply.Refusal != nil {
		changes = append(changes, declined(b.Now(), said, reply.Refusal.Code, reply.Refusal.What))
	}
	return upgrade.Settlement{Delivery: d.ID, Changes: changes, Answers: answers(d, said, reply)}
}

// trusted checks that the payload is of our workspace and app. What is not gets no answer: it is
// none of its business whether we are here.
func (b *Bot) trusted(said spoken) *upgrade.Refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case said.team != b.Team:
		return upgrade.Refuse(upgrade.CodeRole, "", "the payload is of workspace %q", said.team)
	case said.app != b.App:
		return upgrade.Refuse(upgrade.CodeRole, "", "the payload is of app %q", said.app)
	case said.user == "" && !said.silent:
		return upgrade.Refuse(upgrade.CodeRole, "", "the payload names no user")
	}
	return nil
}

func (b *Bot) refused(d upgrade.Delivery, said spoken, no *upgrade.Refusal) upgrade.Settlement {
	s := upgrade.Settlement{Delivery: d.ID, Changes: []upgrade.Change{declined(b.Now(), said, no.Code, no.What)}}
	if !said.silent {
		s.Answers = answers(d, said, commands.Reply{Refusal: &commands.Refusal{Code: no.Code, What: no.What, Next: no.Next, Rollout: no.Rollout}})
	}
	return s
}

// declined is the audit line of something that was wanted and not done.
func declined(now time.Time, said spoken, code upgrade.Code, what string) upgrade.Change {
	fact := upgrade.Declined{Code: code, What: what, Said: cut(said.raw), Channel: said.channel}
	return upgrade.Change{Events: upgrade.At(now, said.user, fact)}
}

func cut(s string) string {
	const most = 200
	if s = strings.ToValidUTF8(s, "�"); len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func answers(d upgrade.Delivery, said spoken, reply commands.Reply) []upgrade.Post {
	want, err := json.Marshal(reply)
	if err != nil {
		want, _ = json.Marshal(commands.Reply{Refusal: &commands.Refusal{Code: upgrade.CodeInside, What: "the answer could not be written down"}})
	}
	return []upgrade.Post{{Slot: fmt.Sprintf("reply/%d", d.ID), Channel: said.channel, User: said.user, Want: want}}
}
