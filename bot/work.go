package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	atOnce      = 16               // deliveries carried out at the same time
	atOnceSlow  = 8                // of these, ones that read Azure or Slack first
	atOnceStops = 12               // and with those of them that stop something
	atOnceForms = 16               // forms beside these: one that has opened waits for what it offers; as many again of those that stop something
	mostWaiting = 512              // deliveries that wait for their turn; beyond it only words that stop are taken
	workTimeout = 60 * time.Second // of one delivery; reading a large set takes its time
	attempts    = 10               // when others keep changing the same rollout, or the journal fails
	patience    = 10 * time.Second // with a journal that cannot be read
	oneLook     = 256              // deliveries listed at once
)

// work carries out deliveries until taking ends, and returns when those begun are done. What one
// person said is carried out in the order it was said; different people do not wait for each other,
// so an abort does not queue behind somebody's plan, nor behind what everybody else said before it.
func (b *Bot) work(taking, linked context.Context) {
	d := desk{b: b, done: make(chan *errand, atOnce), look: true}
	for taking.Err() == nil {
		d.wait(taking, d.handOut(linked))
	}
	for d.begun > 0 {
		d.end(<-d.done)
	}
}

// desk keeps what waits and what is being carried out. Only the goroutine of work uses it; done is how
// the others tell it. Everything that waits is here, its words at least: what is listed again for each
// that is done makes a flood take for ever.
type desk struct {
	b           *Bot
	waiting     []*errand // in the order it was said, begun ones as well
	last        int64     // the delivery that was listed last
	look        bool      // there may be more in the journal
	begun       int
	slow, forms int // of these
	done        chan *errand
}

// errand is a delivery that waits, without its body, or that is being carried out.
type errand struct {
	delivery upgrade.Delivery
	said     spoken
	begun    bool
	settled  bool
}

// queue is what of one person stands before a delivery.
type queue struct{ words, looks int }

// handOut starts what can be started, what stops first, and returns how long to wait when nobody signals.
func (d *desk) handOut(ctx context.Context) time.Duration {
	wait := time.Minute
	if err := d.list(ctx); err != nil {
		if ctx.Err() == nil {
			d.b.Log.Error("journal: list deliveries", "err", err)
		}
		wait = time.Second
	}
	d.b.backlog.Store(int64(len(d.waiting)))
	for _, stops := range []bool{true, false} {
		before := map[string]queue{}
		for _, e := range d.waiting {
			q := before[e.said.user]
			if !e.begun && stops == e.said.stops() && q.passes(e.said) && d.room(e.said) {
				d.begin(ctx, e)
			}
			switch {
			case e.said.instant():
			case looks(e.said.request.Verb):
				q.looks++
			default:
				q.words++
			}
			before[e.said.user] = q
		}
	}
	return wait
}

// list takes over what has come since the last look.
func (d *desk) list(ctx context.Context) error {
	for d.look {
		list, err := d.b.Journal.Unsettled(ctx, d.last, oneLook)
		if err != nil {
			return err
		}
		for _, delivery := range list {
			said := d.b.understand(delivery)
			d.last, delivery.Body = delivery.ID, nil
			d.waiting = append(d.waiting, &errand{delivery: delivery, said: said})
		}
		d.look = len(list) == oneLook
	}
	return nil
}

// passes reports whether it is said's turn among what its author said. Reading changes nothing, so
// that words that change something do not wait for it: an abort passes a slow list.
func (q queue) passes(said spoken) bool {
	return said.instant() || q.words == 0 && (q.looks == 0 || !looks(said.request.Verb))
}

// room keeps a place free for words that need nothing but the journal: an abort does not wait until
// eight people's plans have been made, and neither does a freeze. Forms take none of these places: what they
// offer is read when they have opened, and that waits for Azure.
func (d *desk) room(said spoken) bool {
	if said.form != nil {
		return d.forms < atOnceForms || said.stops() && d.forms < 2*atOnceForms
	}
	most := atOnceSlow
	if said.stops() {
		most = atOnceStops
	}
	return d.begun-d.forms < atOnce && (!said.slow() || d.slow < most)
}

func (d *desk) begin(ctx context.Context, e *errand) {
	e.begun = true
	d.begun++
	if e.said.slow() {
		d.slow++
	}
	if e.said.form != nil {
		d.forms++
	}
	go func() {
		defer func() { d.done <- e }()
		e.settled = d.b.carryOut(ctx, e.delivery, e.said)
	}()
}

// end takes back what is done; what could not be settled waits on, as it was acknowledged.
func (d *desk) end(e *errand) {
	e.begun = false
	d.begun--
	if e.said.slow() {
		d.slow--
	}
	if e.said.form != nil {
		d.forms--
	}
	if e.settled {
		d.waiting = slices.DeleteFunc(d.waiting, func(w *errand) bool { return w == e })
	}
}

// wait returns when something may have changed.
func (d *desk) wait(ctx context.Context, longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-d.b.NewDeliveries:
		d.look = true
	case e := <-d.done:
		d.end(e)
	case <-timer.C:
		d.look = true
	}
}

// stops reports whether the words keep something from happening, or open the form that asks for the reason:
// they wait for nobody else's, and are taken when nothing else is.
func (s spoken) stops() bool {
	switch s.request.Verb {
	case commands.VerbPause, commands.VerbAbort, commands.VerbDeny, commands.VerbFreeze:
		return s.foreign == "" && (s.refusal == nil || s.form != nil)
	}
	return false
}

// looks reports whether a verb only reads.
func looks(v commands.Verb) bool {
	switch v {
	case commands.VerbHome, commands.VerbHelp, commands.VerbPlan, commands.VerbList, commands.VerbShow, commands.VerbImages, commands.VerbStatus, commands.VerbWhy, commands.VerbPending,
		commands.VerbWindows, commands.VerbHistory, commands.VerbReport, commands.VerbAudit, commands.VerbShift:
		return true
	}
	return false
}

// slow reports whether Azure or Slack is read before there is an answer.
func (s spoken) slow() bool {
	if s.form != nil {
		return false // it opens first
	}
	switch s.request.Verb {
	case commands.VerbUpgrade, commands.VerbResize, commands.VerbPlan, commands.VerbList, commands.VerbShow, commands.VerbImages, commands.VerbReplan, commands.VerbRollback, commands.VerbHandover,
		commands.VerbSchedule, commands.VerbUnschedule, commands.VerbFreeze, commands.VerbUnfreeze, commands.VerbWindows, commands.VerbHistory, commands.VerbReport, commands.VerbAudit, commands.VerbShift:
		return true
	}
	return false
}

// dated: what the words are about depends on what stands there when they are said: the newest card, the one freeze.
// A moment later that may be another.
func (s spoken) dated() bool {
	return s.request.Verb == commands.VerbApprove && s.request.Nonce == "" || s.request.Verb == commands.VerbUnfreeze
}

// carryOut does what was said and settles the delivery. When the journal cannot be read it is tried once more
// before anybody is told no; when it cannot be written, the delivery is left unsettled and tried again: it was
// acknowledged, so it must not be lost.
func (b *Bot) carryOut(ctx context.Context, d upgrade.Delivery, said spoken) (settled bool) {
	if shown, settled := b.shown(ctx, d, said); shown {
		if !settled {
			sleep(ctx, time.Second)
		}
		return settled
	}
	var err error
	giveUp := b.Now().Add(patience)
	for n := range attempts {
		settlement, unread := b.settlement(ctx, d, said)
		if ctx.Err() != nil {
			return false
		}
		if unread != nil && !said.dated() && n < attempts-1 && b.Now().Before(giveUp) {
			sleep(ctx, time.Second)
			continue
		}
		err = b.Journal.Settle(ctx, settlement)
		switch {
		case err == nil || ctx.Err() != nil:
			return err == nil
		case errors.Is(err, upgrade.ErrStale), errors.Is(err, upgrade.ErrLocked):
			continue // somebody was faster: say it again to what is there now
		}
		b.Log.Error("journal: settle a delivery", "delivery", d.ID, "err", err)
		sleep(ctx, time.Second)
	}
	why := "my journal does not take it"
	if errors.Is(err, upgrade.ErrStale) || errors.Is(err, upgrade.ErrLocked) {
		why = "others keep changing it"
	}
	no := upgrade.Refuse(upgrade.CodeInside, "/vmss status", "I could not do that: %s; nothing was changed", why)
	if err = b.Journal.Settle(ctx, b.refused(d, said, no)); err != nil && ctx.Err() == nil {
		b.Log.Error("journal: settle a delivery that failed", "delivery", d.ID, "err", err)
	}
	return err == nil
}

// settlement works out what a delivery comes to. It changes nothing. A panic in it concerns this
// delivery only. When the journal could not be read, what it says is true and another try may come further.
func (b *Bot) settlement(ctx context.Context, d upgrade.Delivery, said spoken) (s upgrade.Settlement, unread error) {
	defer func() {
		if p := recover(); p != nil {
			b.Log.Error("a delivery made the bot panic", "delivery", d.ID, "panic", p, "stack", string(debug.Stack()))
			s, unread = b.refused(d, said, upgrade.Refuse(upgrade.CodeInside, "/vmss help", "I could not do that because of a mistake in me; nothing was changed")), nil
		}
	}()
	if said.foreign != "" {
		return b.unheard(d, said, said.foreign), nil
	}
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	by, err := b.People.Person(ctx, said.user)
	switch {
	case err != nil:
		b.Log.Warn("slack: who speaks could not be checked", "user", said.user, "err", err)
		return b.refused(d, said, upgrade.Refuse(upgrade.CodeRole, again(said), "I could not check who you are, so nothing was done: try again in a minute")), nil
	case by.Bot, by.Stranger:
		return b.unheard(d, said, "bots and people of other workspaces are not heard"), nil
	}
	if err := b.inThread(ctx, &said); err != nil {
		b.Log.Error("journal: find the rollout of a thread", "delivery", d.ID, "err", err)
		return b.refused(d, said, upgrade.Refuse(upgrade.CodeInside, "/vmss pending", "I could not read which rollout this thread is about; nothing was changed")), err
	}
	if said.refusal != nil {
		return b.refused(d, said, said.refusal), nil
	}
	return b.done(ctx, d, said, by)
}

// done has the request carried out.
func (b *Bot) done(ctx context.Context, d upgrade.Delivery, said spoken, by upgrade.Person) (s upgrade.Settlement, unread error) {
	reply, changes, err := commands.Do(ctx, said.request, by, said.channel, d.At, b.Rollouts)
	if err != nil {
		b.Log.Warn("request", "delivery", d.ID, "user", said.user, "verb", said.request.Verb, "err", err)
	}
	switch {
	case reply.Refusal != nil:
		if no := reply.Refusal; no.Code == upgrade.CodeRole || no.Code == upgrade.CodeUnknown {
			no.What = b.People.blindness() + no.What
		}
		if reply.Refusal.Code == upgrade.CodeInside {
			unread = err
		}
		changes = []upgrade.Change{declined(b.Now(), said, reply.Refusal.Code, reply.Refusal.What)}
	case err != nil:
		return b.refused(d, said, upgrade.Refuse(upgrade.CodeInside, again(said), "that took longer than %s and was given up; nothing was changed", workTimeout)), nil
	case reply.Empty != "":
		reply.Empty = b.People.blindness() + reply.Empty
	default:
		if no := b.closed(ctx, said.channel, changes); no != nil {
			return b.refused(d, said, no), nil
		}
	}
	return upgrade.Settlement{Delivery: d.ID, Changes: changes, Answers: answers(d, said, reply)}, unread
}

// again is the command that says the same, for people to type.
func again(said spoken) string {
	if said.request.Nonce != "" || said.refusal != nil {
		return "/vmss status"
	}
	return strings.TrimSpace("/vmss " + commands.Format(said.request))
}

// refused answers no and writes that down.
func (b *Bot) refused(d upgrade.Delivery, said spoken, no *upgrade.Refusal) upgrade.Settlement {
	s := upgrade.Settlement{Delivery: d.ID, Changes: []upgrade.Change{declined(b.Now(), said, no.Code, no.What)}}
	if said.foreign == "" {
		s.Answers = answers(d, said, commands.Refused(said.request, no))
	}
	return s
}

// unheard only writes it down: whether we are here is none of a stranger's business.
func (b *Bot) unheard(d upgrade.Delivery, said spoken, why string) upgrade.Settlement {
	b.Log.Warn("slack: a payload was not heard", "delivery", d.ID, "user", said.user, "why", why)
	said.foreign = why
	return b.refused(d, said, upgrade.Refuse(upgrade.CodeRole, "", "%s", why))
}

// declined is the audit line of something that was wanted and not done. People paste addresses with the
// signature in them, and the audit is kept for ever.
func declined(now time.Time, said spoken, code upgrade.Code, what string) upgrade.Change {
	fact := upgrade.Declined{Code: code, What: cut(masked(what)), Said: cut(masked(said.raw)), Channel: said.channel}
	return upgrade.Change{Events: upgrade.At(now, said.user, fact)}
}

func cut(s string) string {
	const most = 200
	if s = strings.ToValidUTF8(s, "�"); len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// answer is a reply and the thread it was asked for in.
type answer struct {
	commands.Reply
	Thread string `json:",omitempty"`
}

func answers(d upgrade.Delivery, said spoken, reply commands.Reply) []upgrade.Post {
	want, err := json.Marshal(answer{reply, said.thread})
	if err != nil {
		want, _ = json.Marshal(answer{Reply: commands.Reply{Refusal: &commands.Refusal{Code: upgrade.CodeInside, What: "the answer could not be written down"}}})
	}
	out := []upgrade.Post{{Slot: fmt.Sprintf("reply/%d", d.ID), Channel: said.channel, User: said.user, Want: want}}
	for n, channel := range reply.Told() {
		out = append(out, upgrade.Post{Slot: fmt.Sprintf("told/%d/%d", d.ID, n), Channel: channel, Want: want})
	}
	if reply.File() {
		picture := upgrade.Post{Slot: fmt.Sprintf("%sreply/%d", upgrade.Pictures, d.ID), User: said.user, Want: want}
		out = append(out, picture)
	}
	return out
}
