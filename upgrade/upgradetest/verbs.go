package upgradetest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

// verbs are the story language; each is shown by an example in the package comment.
var verbs = map[string]func(*Play, string) error{
	"type":           (*Play).typed,
	"say":            (*Play).said,
	"click":          (*Play).clicked,
	"submit":         (*Play).submitted,
	"advance":        (*Play).advance,
	"until":          (*Play).untilSeen,
	"fault":          (*Play).fault,
	"clock":          (*Play).clock,
	"backup":         (*Play).backup,
	"restore":        (*Play).restore,
	"policy":         (*Play).governed,
	"freeze":         (*Play).freeze,
	"unfreeze":       (*Play).unfreeze,
	"gate":           (*Play).gate,
	"disk":           (*Play).disk,
	"office":         (*Play).office,
	"crash":          (*Play).crash,
	"restart":        (*Play).restart,
	"stop":           (*Play).stopped,
	"expect-silence": (*Play).silence,
	"instances":      (*Play).instances,
}

// spoken reads "ana TEXT" and "ana in general TEXT".
func (p *Play) spoken(rest string) (user, channel, text string, err error) {
	name, text, _ := strings.Cut(rest, " ")
	channel = slacksim.Ops
	if place, found := strings.CutPrefix(text, "in "); found {
		channel, text, _ = strings.Cut(place, " ")
	}
	if user = p.World.id(name); user == "" {
		return "", "", "", fmt.Errorf("nobody is called %q", name)
	}
	if strings.HasPrefix(text, `"`) {
		if text, err = strconv.Unquote(text); err != nil {
			return "", "", "", fmt.Errorf("a text in quotes is written as in Go: %w", err)
		}
	}
	return user, channel, text, nil
}

func (p *Play) typed(rest string) error {
	user, channel, text, err := p.spoken(rest)
	if err != nil {
		return err
	}
	act := Act{At: time.Now(), User: user, Channel: p.World.channel(channel), Text: text}
	out, err := p.World.Slack.Command(user, channel, "/vmss", text)
	return p.acted(act, out, err)
}

func (p *Play) said(rest string) error {
	user, channel, text, err := p.spoken(rest)
	if err != nil {
		return err
	}
	act := Act{At: time.Now(), User: user, Channel: p.World.channel(channel), Text: text}
	out, err := p.World.Slack.Say(user, channel, text, "")
	if err != nil {
		return err
	}
	act.Mention = out.Message.TS
	p.World.did(act)
	p.settle()
	return nil
}

// clicked reads "bo approve", "bo approve on UD 0" and "bo approve value=anything".
func (p *Play) clicked(rest string) error {
	name, rest, _ := strings.Cut(rest, " ")
	user := p.World.id(name)
	rest, value, forged := strings.Cut(rest, " value=")
	word, on, _ := strings.Cut(rest, " on ")
	b, found := p.World.find(user, word, on)
	switch {
	case user == "":
		return fmt.Errorf("nobody is called %q", name)
	case !found && !forged:
		return fmt.Errorf("there is no button %q, and never was", word)
	case !found:
		b = p.World.anywhere(word)
	}
	if forged {
		b.act.Value, b.value, b.gone = value, value, true
		if b.act.ActionID != b.word {
			b.act.Value = b.word + ":" + value // a choice of a menu
		}
	}
	return p.press(user, b)
}

// anywhere is a button that was never there, on the newest message: what a hostile client sends.
func (w *World) anywhere(word string) button {
	all := w.Messages()
	if len(all) == 0 {
		return button{}
	}
	m := all[len(all)-1]
	return button{in: m, act: slacksim.Interaction{Channel: m.Channel, TS: m.TS, ActionID: word}, word: word}
}

func (p *Play) press(user string, b button) error {
	b.act.User, b.act.Force = user, b.gone
	if b.gone && b.act.Value == "" {
		b.act.Value = b.value
	}
	act := Act{At: time.Now(), User: user, Channel: b.act.Channel, Action: b.word, Value: b.value}
	out, err := p.World.Slack.Interact(b.act)
	act.Message = out.Message
	if err == nil {
		p.tell.question(p.World.name(user), out.Element)
	}
	return p.acted(act, out, err)
}

// acted keeps what a person did, and lets the answer come.
func (p *Play) acted(act Act, out slacksim.Outcome, err error) error {
	if err != nil {
		return err
	}
	act.Acked, act.Trigger = out.Acked, out.TriggerID
	act.Lost = !out.Acked && p.World.unsent(out.EnvelopeID)
	p.World.did(act)
	if out.Notice != "" {
		p.tell.note("slack", "tells "+p.World.name(act.User)+": "+out.Notice)
	}
	p.settle()
	return nil
}

// submitted reads `bo reason="not today"`: fields of the form before bo, and its button.
func (p *Play) submitted(rest string) error {
	name, rest, _ := strings.Cut(rest, " ")
	user := p.World.id(name)
	view, open := p.World.formOf(user)
	if !open {
		return fmt.Errorf("there is no form before %s", name)
	}
	values, err := fill(view, rest)
	if err != nil {
		return err
	}
	act := p.World.opener(user)
	act.At = time.Now()
	out, err := p.World.Slack.SubmitView(slacksim.Submission{User: user, ViewID: view.ID, Values: values})
	return p.acted(act, out, err)
}

// formOf is the form on top before a person.
func (w *World) formOf(user string) (slacksim.View, bool) {
	for _, v := range slices.Backward(w.Slack.State().Views) {
		if v.User == user {
			return v, true
		}
	}
	return slacksim.View{}, false
}

// opener is what the person did to get the form: submitting it means the same.
func (w *World) opener(user string) Act {
	opened := w.opened()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range slices.Backward(w.acts) {
		if _, form := opened[a.Trigger]; form && a.User == user && a.Trigger != "" {
			return a
		}
	}
	return Act{User: user}
}

// fill reads name="value" pairs and finds the inputs they belong to.
func fill(v slacksim.View, text string) (map[string]map[string]string, error) {
	var blocks []block
	if err := json.Unmarshal(v.Doc["blocks"], &blocks); err != nil {
		return nil, err
	}
	values := map[string]map[string]string{}
	for _, m := range pair.FindAllStringSubmatch(text, -1) {
		value, err := strconv.Unquote(m[2])
		i := slices.IndexFunc(blocks, func(b block) bool { return b.Element != nil && b.Element.ActionID == m[1] })
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", m[0], err)
		case i < 0:
			return nil, fmt.Errorf("the form has no field %q", m[1])
		}
		values[blocks[i].BlockID] = map[string]string{m[1]: value}
	}
	return values, nil
}

var pair = regexp.MustCompile(`([a-z-]+)=("(?:[^"\\]|\\.)*")`)

func (p *Play) advance(rest string) error {
	d, err := time.ParseDuration(rest)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no time to let pass", rest)
	}
	p.World.Advance(d)
	return nil
}

// decided is a decision as a transcript has it.
var decided = regexp.MustCompile(`^(wait|hold|ask|ask-model|set-model|start|resend|put-back|set-aside|give-up|end)(\([a-z_]+\))?$`)

// untilSeen reads `until "text"`, `until crash` and `until hold(failure)`.
func (p *Play) untilSeen(rest string) error {
	switch {
	case rest == "crash":
		return p.untilHeld("a crash", p.World.Down)
	case decided.MatchString(rest):
		return p.untilDecided(rest)
	}
	text, err := strconv.Unquote(rest)
	if err != nil {
		return fmt.Errorf("say in quotes what somebody must see, or what must be decided as in hold(failure): %w", err)
	}
	if err := p.until(rest, func() bool { return p.World.Shows(text) }); err != nil {
		return err
	}
	p.settle()
	return nil
}

// untilDecided lets time pass until the program's last decision is this one.
func (p *Play) untilDecided(what string) error {
	err := p.untilHeld(what, func() bool {
		all := p.World.Decisions()
		return len(all) > 0 && all[len(all)-1].name() == what
	})
	p.settle()
	return err
}

// Shows reports whether anybody sees the text now.
func (w *World) Shows(text string) bool {
	for _, m := range w.Messages() {
		if !m.Deleted && m.says(text) {
			return true
		}
	}
	return false
}

// silence lets time pass in which nothing may be written to Azure and nothing new be posted.
func (p *Play) silence(rest string) error {
	d, err := time.ParseDuration(rest)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no time to let pass", rest)
	}
	writes, messages := len(p.World.Azure.Writes()), len(p.World.Messages())
	p.World.Advance(d)
	if n := len(p.World.Azure.Writes()) - writes; n > 0 {
		return fmt.Errorf("%d writes reached Azure", n)
	}
	if n := len(p.World.Messages()) - messages; n > 0 {
		return fmt.Errorf("%d messages were posted", n)
	}
	p.tell.note("silence", "for "+d.String())
	return nil
}

// governed reads keys of the part policy.yaml, such as {approvals: 2}, which change the policy from now on.
func (p *Play) governed(rest string) error {
	err := p.World.Govern(func(pol *upgrade.Policy) error {
		s := Story{Policy: *pol}
		err := s.house([]byte(rest))
		*pol = s.Policy
		return err
	})
	p.settle()
	return err
}

// instances tells the truth about a set.
func (p *Play) instances(rest string) error {
	for _, s := range p.World.Azure.Snapshot().Sets {
		if s.Name == rest {
			p.tell.truth(s)
			return nil
		}
	}
	return fmt.Errorf("there is no scale set %q", rest)
}

func (w *World) did(a Act) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acts = append(w.acts, a)
}

// channel is a channel's id by name or id.
func (w *World) channel(ref string) string {
	for _, c := range w.Slack.State().Channels {
		if c.ID == ref || c.Name == ref {
			return c.ID
		}
	}
	return ref
}
