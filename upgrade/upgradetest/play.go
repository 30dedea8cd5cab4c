package upgradetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing/synctest"
	"time"
)

// Figures of a play.
const (
	settling = 4 * time.Second // after what people do: a second more than edits are held back
	patience = 6 * time.Hour   // of until
)

// Play is a story being told: a world, the people in it, and an observer who watches every step.
type Play struct {
	World *World

	tell  teller
	judge Observer

	kept   []byte // the journal, of a backup
	keptAt time.Time
}

// NewPlay makes a story's world and starts the program in it. It must be called in a bubble, and the
// play be closed there.
func NewPlay(s Story, seed, journal string, program Program) (*Play, error) {
	w, err := NewWorld(Config{Seed: cmp.Or(s.Seed, seed), Fleet: s.Fleet, Azure: s.Azure, Ahead: s.Ahead, Policy: s.Policy, Office: s.Office, Groups: s.Groups, Journal: journal}, program)
	if err != nil {
		return nil, err
	}
	p := &Play{World: w, tell: newTeller(w), judge: Observer{Policy: s.Policy}}
	if err := w.Start(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.Advance(settling)
	return p, nil
}

// Tell plays a whole story in a world of its own, in the bubble it is called in, and returns what
// came of it. The error names the first step that could not be played or after which a promise was
// broken; the transcript goes as far as that.
func Tell(s Story, seed, journal string, program Program) (transcript string, evidence Evidence, err error) {
	p, err := NewPlay(s, seed, journal, program)
	if err != nil {
		return "", Evidence{}, err
	}
	for _, step := range s.Steps {
		if err = p.step(step); err != nil {
			err = fmt.Errorf("line %d: %s: %w", step.Line, step.Text, err)
			break
		}
	}
	evidence = p.World.Evidence()
	err = errors.Join(err, p.Close())
	return p.Transcript(), evidence, err
}

// Close ends the program and the world around it.
func (p *Play) Close() error { return p.World.Close() }

// Transcript is what was told so far.
func (p *Play) Transcript() string { return p.tell.String() }

// Do plays one line of the story language.
func (p *Play) Do(line string) error { return p.step(steps(line)[0]) }

// step does one step, tells what came of it and has it judged.
func (p *Play) step(s Step) error {
	p.tell.begin(s)
	if s.Verb == "#" {
		return nil
	}
	do, known := verbs[s.Verb]
	if !known {
		return errors.New("the language does not know this verb")
	}
	if err := p.carry(do, s); err != nil {
		return errors.Join(err, p.World.logged())
	}
	return p.Judge()
}

// carry does what a step says and tells what came of it.
func (p *Play) carry(do func(*Play, string) error, s Step) error {
	err := do(p, p.filled(s.Rest))
	synctest.Wait() // what it began in this very moment comes before the next step: else chance would say which is first
	if p.World.Reap() {
		p.tell.note("bot", "died")
	}
	if said, ended := p.World.Ended(); ended {
		p.tell.note("bot", fmt.Sprintf("ended: %v", said))
	}
	p.tell.end()
	return err
}

// Judge asks the observer about everything that has happened so far.
func (p *Play) Judge() error {
	var all []error
	for _, v := range p.judge.Judge(p.World.Evidence()) {
		all = append(all, v)
	}
	return errors.Join(all...)
}

// filled puts what only the running story knows in the place of $words.
func (p *Play) filled(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	text = strings.ReplaceAll(text, "$10kB", strings.Repeat("x", 10_000))
	all := p.World.Rollouts()
	for i, id := range all {
		text = strings.ReplaceAll(text, fmt.Sprintf("$rollout%d", i+1), id)
	}
	if n := len(all); n > 0 {
		text = strings.ReplaceAll(text, "$rollout", all[n-1])
	}
	for _, m := range p.World.Messages() {
		if id := m.group; id != "" {
			text = strings.ReplaceAll(text, "$group", id)
		}
	}
	if b, found := p.World.find("", "approve", ""); found { // what "$card" is
		text = strings.ReplaceAll(text, "$card", b.act.TS)
	}
	return text
}

// settle lets the answers come and the edits settle.
func (p *Play) settle() { p.World.Advance(settling) }

// untilHeld lets time pass second by second until the condition holds, which nothing in Slack need tell.
func (p *Play) untilHeld(what string, cond func() bool) error {
	for began := time.Now(); !cond(); p.World.Advance(time.Second) {
		if time.Since(began) >= patience {
			return fmt.Errorf("%s did not come to be within %s", what, patience)
		}
	}
	return nil
}

// until lets time pass until the condition holds or the patience is at its end.
func (p *Play) until(what string, cond func() bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.World.Slack.Wait(ctx, cond); err != nil {
		return fmt.Errorf("%s did not come to be within %s", what, patience)
	}
	synctest.Wait()
	return nil
}
