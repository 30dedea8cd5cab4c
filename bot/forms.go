package bot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	triggerLife = 3 * time.Second  // docs.slack.dev/interactivity/handling-user-interaction
	listTimeout = 15 * time.Second // for reading what a form offers; a person sits before it
	stopTimeout = 3 * time.Second  // of one that stops something: then it is typed in
	maxCarried  = 3000             // characters of private_metadata
)

// form is a form that somebody needs: to be opened with a trigger, or to be drawn anew where it
// stands because another set or a rollout was chosen.
type form struct {
	request commands.Request
	trigger string
	view    string // the one that stands there; "" = to be opened
}

// carried is what a form takes along: ids only. Slack brings it back as it was; rights are checked
// as for words said in that channel.
type carried struct {
	commands.Carried
	Channel string `json:"channel,omitempty"` // "" = opened in the Home tab
}

// surface is the modal or Home tab that an interaction came from.
type surface struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Hash       string `json:"hash"`
	CallbackID string `json:"callback_id"`
	Carried    string `json:"private_metadata"`
	State      struct {
		Values map[string]map[string]entered `json:"values"` // by block id and action id
	} `json:"state"`
}

// entered is what one input holds.
type entered struct {
	Value   string   `json:"value"`
	Chosen  *option  `json:"selected_option"`
	Several []option `json:"selected_options"`
	Person  string   `json:"selected_user"`
}

type option struct {
	Value string `json:"value"`
}

func (e entered) text() string {
	if e.Chosen != nil {
		return e.Chosen.Value
	}
	var all []string
	for _, o := range e.Several {
		all = append(all, o.Value)
	}
	return cmp.Or(strings.Join(all, ","), e.Person, e.Value)
}

// values are what was entered, by field.
func (v surface) values() map[string]string {
	out := map[string]string{}
	for _, inputs := range v.State.Values {
		for field, e := range inputs {
			out[field] = e.text()
		}
	}
	return out
}

var channelID = regexp.MustCompile(`^[CDG][A-Z0-9]{2,20}$`)

// carried reads what the form took along; what none of our forms takes is refused.
func (v surface) carried() (carried, *upgrade.Refusal) {
	var c carried
	if len(v.Carried) <= maxCarried {
		_ = json.Unmarshal([]byte(v.Carried), &c) // what cannot be read lacks a verb
	}
	if c.Channel != "" && !channelID.MatchString(c.Channel) {
		c = carried{}
	}
	if v.CallbackID != view.FormCallback {
		c = carried{}
	}
	return c, c.Check()
}

// digest tells one filling of a form from another: who sees an error of Slack's presses the button
// once more, and what was kept already must not be done twice.
func (v surface) digest() string {
	body, err := json.Marshal(v.State) // maps are written in the order of their keys
	if err != nil {
		return "unwritten"
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

// objection is what a form gets for an answer when a field of it is wrong: it says so under the field,
// and the form stays open. nil = nothing is wrong that a field could show.
func (b *Bot) objection(p payload) any {
	c, no := p.View.carried()
	if p.Type != "view_submission" || no != nil || b.foreign(p) != "" {
		return nil
	}
	_, byField := commands.ParseForm(c.Carried, p.View.values())
	errs := map[string]string{}
	for block, inputs := range p.View.State.Values {
		for field := range inputs {
			if text := byField[field]; text != "" {
				errs[block] = strings.ReplaceAll(text, "`", "") // shown as it is, without markup
			}
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return slack.NewErrorsViewSubmissionResponse(errs)
}

// submitted reads a form that was sent.
func (s *spoken) submitted(p payload) {
	c, no := p.View.carried()
	s.channel, s.raw, s.refusal = c.Channel, "form "+string(c.Verb), no
	if no != nil {
		return
	}
	request, wrong := commands.ParseForm(c.Carried, p.View.values())
	s.request, s.raw = request, "form "+commands.Format(request)
	for _, field := range slices.Sorted(maps.Keys(wrong)) {
		s.refusal = upgrade.Refuse(upgrade.CodeArg, "/vmss help "+string(request.Verb), "the form's field %s: %s", field, wrong[field])
		return
	}
}

// steered reads the choice of another set, or of a rollout, in a form.
func (s *spoken) steered(p payload) {
	c, no := p.View.carried()
	s.channel, s.raw = c.Channel, "form "+string(c.Verb)
	if no != nil {
		s.foreign = "that form is none of ours"
		return
	}
	s.form = &form{request: commands.Steered(c.Carried, p.View.values()), view: p.View.ID}
}

// started reads the button that opens a form with what was understood before.
func (s *spoken) started(value, trigger string) {
	request, ok := commands.ParseStarted(value)
	if !ok {
		s.refusal = upgrade.Refuse(upgrade.CodeArg, "/vmss help", "I do not know that form: another version of me may have offered it")
		return
	}
	s.request, s.form = request, &form{request: request, trigger: trigger}
	s.refusal = upgrade.Refuse(upgrade.CodeArg, strings.TrimSpace("/vmss help "+string(request.Verb)), "the form could not be opened in time: press once more, or type the command")
}

// lacking asks in a form for what was left out. What is wrong is refused instead, and what cannot be
// asked in time, too: the words stay as they are for that.
func (s *spoken) lacking(trigger string) {
	leftOut := s.refusal == nil && s.request.Unfinished()
	if s.refusal != nil {
		leftOut = errors.Is(s.refusal, commands.ErrIncomplete)
	}
	if leftOut && trigger != "" {
		s.form = &form{request: s.request, trigger: trigger}
	}
}

// instant reports whether it must not wait for its turn: what opens a form is too late after three
// seconds. It changes nothing, so that its order does not matter. Choices in an open form keep their
// order: the last one counts.
func (s spoken) instant() bool { return s.home || s.form != nil && s.form.view == "" }

// shown reports whether what was said came to a form or a Home tab, which are not answers: they are
// best effort, never repeated, and change nothing. Not shown: the words are to be answered.
func (b *Bot) shown(ctx context.Context, d upgrade.Delivery, said spoken) (shown, settled bool) {
	defer func() {
		if p := recover(); p != nil {
			b.Log.Error("a form made the bot panic", "delivery", d.ID, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if said.foreign != "" || said.form == nil && !said.home {
		return false, false
	}
	var at string // the form's view
	switch {
	case said.home:
	case said.form.view != "":
		at = said.form.view
	default:
		if at = b.opened(ctx, d, said); at == "" {
			return false, false
		}
	}
	err := b.Journal.Settle(ctx, upgrade.Settlement{Delivery: d.ID})
	if err != nil && ctx.Err() == nil {
		b.Log.Error("journal: settle a form", "delivery", d.ID, "err", err)
	}
	switch {
	case said.home:
		b.homes.opened(said.user, b.Now())
		b.publish(ctx, said.user)
	case b.Now().Sub(d.At) < time.Minute: // after that nobody sits before it
		b.fill(ctx, said, at)
	}
	return true, err == nil
}

// opened opens a form at once with what is known without asking anybody, and returns its view's id;
// "" = it could not be opened.
func (b *Bot) opened(ctx context.Context, d upgrade.Delivery, said spoken) string {
	left := triggerLife - b.Now().Sub(d.At)
	f, has := commands.NewForm(said.form.request, commands.Lists{})
	if left <= 0 || !has {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	draw := view.Form
	if f.Waits() {
		draw = view.Loading
	}
	answer, err := b.API.OpenViewContext(ctx, said.form.trigger, draw(f, carriedBy(f, said.channel)))
	if err != nil {
		b.Log.Warn("slack: a form was not opened", "delivery", d.ID, "verb", f.Verb, "err", explain(err))
		return ""
	}
	return answer.ID
}

func carriedBy(f commands.Form, channel string) string {
	body, err := json.Marshal(carried{f.Carried, channel})
	if err != nil {
		return ""
	}
	return string(body)
}

// fill puts into an open form what there is to choose from. What cannot be read is typed.
func (b *Bot) fill(ctx context.Context, said spoken, at string) {
	f, _ := commands.NewForm(said.form.request, commands.Lists{})
	if !f.Waits() {
		return
	}
	lists, err := b.lists(ctx, said)
	f, _ = commands.NewForm(said.form.request, lists)
	f.Trouble = trouble(err, said.patience())
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := b.API.UpdateViewContext(ctx, view.Form(f, carriedBy(f, said.channel)), "", "", at); err != nil {
		b.Log.Warn("slack: a form was not filled", "verb", f.Verb, "err", explain(err)) // mostly: it was closed
	}
}

// patience is how long a form may wait for what it offers.
func (s spoken) patience() time.Duration {
	if s.stops() {
		return stopTimeout
	}
	return listTimeout
}

func (b *Bot) lists(ctx context.Context, said spoken) (commands.Lists, error) {
	ctx, cancel := context.WithTimeout(ctx, said.patience())
	defer cancel()
	by, err := b.People.Person(ctx, said.user)
	if err != nil {
		b.Log.Warn("slack: who needs a form could not be checked", "user", said.user, "err", err)
		return commands.Lists{}, upgrade.Refuse(upgrade.CodeRole, "", "I could not check who you are")
	}
	return commands.ReadLists(ctx, said.form.request, by, b.Rollouts)
}

// trouble is why a list is missing, for the person.
func trouble(err error, within time.Duration) string {
	var no *upgrade.Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &no):
		return no.What
	}
	return fmt.Sprintf("what there is to choose from could not be read within %s", within)
}
