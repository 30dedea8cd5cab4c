package upgrade

import (
	"context"
	"errors"
	"fmt"
)

// Say is what a word about a rollout comes to: the change to commit (without events when nothing
// changes) and the answer for the person.
func (d Desk) Say(ctx context.Context, by Person, w Word) (Change, string, error) {
	var card *Card
	if w.Nonce != "" {
		c, err := d.Journal.Card(ctx, w.Nonce)
		switch {
		case errors.Is(err, ErrNotFound):
			return Change{}, "", Refuse(CodeStale, "/vmss pending", "this button belongs to no card of mine")
		case err != nil:
			return Change{}, "", inside("find the card", err)
		case c.Channel != "" && c.Channel != w.Channel:
			return Change{}, "", Refuse(CodeStale, "/vmss pending", "this card belongs to another channel")
		}
		card, w.Rollout = &c, c.Rollout
	}
	rec, err := d.record(ctx, by, w.Rollout)
	if err != nil {
		return Change{}, "", err
	}
	if w.Channel != rec.Rollout.Channel && !(w.ends() && w.Channel == PolicyFor(d.Policies(), rec.Plan.Set).Channel) {
		return Change{}, "", Refuse(CodeRole, "", "%s is driven in <#%s> only", rec.Plan.Name, rec.Rollout.Channel)
	}
	return d.hear(ctx, by, w, card, rec)
}

// ends reports whether the word stops a rollout, or ends it. It may also be said where the set is driven by now: the
// channel of an open rollout may be one that nobody can write to any more (R1).
func (w Word) ends() bool {
	return w.Verb == WordPause || w.Verb == WordAbort || w.Verb == WordModel
}

// hear is what a word about a rollout comes to, wherever it was said.
func (d Desk) hear(ctx context.Context, by Person, w Word, card *Card, rec Record) (Change, string, error) {
	pol := PolicyFor(d.Policies(), rec.Plan.Set)
	if no := (hearing{w: w, by: by, p: rec.Plan, r: rec.Rollout, pol: pol}).permitted(); no != nil {
		return Change{}, "", no
	}
	if err := d.shown(ctx, w, rec); err != nil {
		return Change{}, "", err
	}
	if w.Verb == WordRollback && rec.Rollout.Ended != nil {
		return d.rollback(ctx, by, w, rec, pol)
	}
	if rec.Rollout.Ended == nil {
		if err := d.lookUp(ctx, &w, rec, pol); err != nil {
			return Change{}, "", err
		}
	}
	heard, no := Hear(w, by, card, rec.Plan, rec.Rollout, pol, d.Now())
	if no != nil {
		return Change{}, "", no
	}
	events := At(d.Now(), by.ID, heard.Facts...)
	number(events, rec.Rollout.Seq)
	c := Change{Rollout: rec.ID, Seq: rec.Rollout.Seq, Events: events, Posts: Posts(rec.Rollout.With(events...), events), Pages: Pages(rec.Plan, rec.Rollout, events)}
	if w.Verb == WordReplan && len(events) > 0 {
		c.Plan = w.Plan
	}
	return c, heard.Answer + stillInTheWay(w, rec.Events), nil
}

// shown refuses a typed yes to a gate whose card has not reached the channel: nobody has seen what it would
// be to. A yes to the card itself shows that it has.
func (d Desk) shown(ctx context.Context, w Word, rec Record) error {
	gate, _, open := rec.Rollout.CurrentGate(rec.Plan)
	nonce := rec.Rollout.Asked[gate.Key].Nonce
	if w.Verb != WordApprove || w.Nonce != "" || !open || nonce == "" {
		return nil
	}
	card, err := d.Journal.Card(ctx, nonce)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return inside("find the card", err)
	case err == nil && card.TS == "":
		return &Refusal{Code: CodeState, What: fmt.Sprintf("the card of %s has not reached the channel yet: nobody has seen what a yes would be to. Say it again when it is there", gate.Title), Next: "/vmss approve " + rec.ID, Rollout: rec.ID}
	}
	return nil
}

// stillInTheWay is what a yes does not clear: nobody goes to bed in the belief that it starts now.
func stillInTheWay(w Word, events []Event) string {
	for _, b := range LastDecided(events).Blockers {
		if w.Verb != WordApprove || b.Reason == ReasonApproval {
			continue
		}
		s := " It does not start yet: " + b.What
		if !b.Until.IsZero() && !b.Dated() {
			s += ", until " + DateToken(b.Until)
		}
		if b.Next != "" {
			s += fmt.Sprintf(". The way out: `%s`", b.Next)
		}
		return s + "."
	}
	return ""
}

// lookUp reads what the word needs to be heard: the set as it is now for another plan, the person who
// takes a rollout over.
func (d Desk) lookUp(ctx context.Context, w *Word, rec Record, pol Policy) error {
	switch w.Verb {
	case WordReplan:
		seen, err := d.Fleet.Observe(ctx, rec.Plan.Set, Free)
		if err != nil {
			return azure("read "+rec.Plan.Name, err)
		}
		q, no := Replan(rec.Plan, rec.Rollout, seen, pol, d.Now())
		if no != nil {
			return no
		}
		w.Plan = &q
	case WordResolve:
		if w.Verdict != GoOn {
			return nil
		}
		before, err := standings(ctx, d.Journal, rec.Rollout.Wave)
		if err != nil {
			return inside("read the waves before "+rec.ID, err)
		}
		w.Before = before
	case WordHandover:
		if w.To == "" {
			return Refuse(CodeArg, "/vmss help handover", "say who takes %s over: mention them", rec.ID)
		}
		taker, err := d.People.Person(ctx, w.To)
		if err != nil {
			return &Refusal{Code: CodeRole, What: "I could not check who takes it over; nothing was changed", Next: "/vmss status " + rec.ID, Rollout: rec.ID, Cause: err}
		}
		w.Taker = &taker
	}
	return nil
}

// rollback opens the rollout back of one that has ended (R5).
func (d Desk) rollback(ctx context.Context, by Person, w Word, rec Record, pol Policy) (Change, string, error) {
	if err := d.free(ctx, SetSummary{ID: rec.Plan.Set, Name: rec.Plan.Name}); err != nil {
		return Change{}, "", err
	}
	seen, err := d.Fleet.Observe(ctx, rec.Plan.Set, Free)
	if err != nil {
		return Change{}, "", azure("read "+rec.Plan.Name, err)
	}
	p, no := Undo(rec.Plan, rec.Rollout, seen, pol, by.ID, d.Now())
	if no != nil {
		return Change{}, "", no
	}
	p.Note = because(p.Note, "", w.Reason)
	c := opening("r-"+d.ID()[:6], p, pol.Channel, by.ID, by.Name, d.Now(), nil)
	return *c, fmt.Sprintf("%s is open: %s back to %s. Its cards ask before each gate, the last one first. One person's yes is enough, also yours.", c.Rollout, p.Name, p.Target), nil
}
