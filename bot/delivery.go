package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// The kinds of payload that Slack delivers.
const (
	kindCommand  = "slash_commands"
	kindInteract = "interactive"
	kindEvent    = "events_api"
	kindTooMuch  = "too_much" // of one person: any of the above, which is only answered
)

// payload is what the bot reads of Slack's three kinds of payload. Everything else in them is
// ignored.
type payload struct {
	Type         string `json:"type"`
	TeamID       string `json:"team_id"`
	EnterpriseID string `json:"enterprise_id"`
	OrgInstall   truth  `json:"is_enterprise_install"`
	APIAppID     string `json:"api_app_id"`
	TriggerID    string `json:"trigger_id"`

	// slash_commands
	Command   string `json:"command"`
	Text      string `json:"text"`
	UserID    string `json:"user_id"`
	ChannelID string `json:"channel_id"`

	// interactive
	User struct {
		ID     string `json:"id"`
		TeamID string `json:"team_id"`
	} `json:"user"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	Enterprise struct {
		ID string `json:"id"`
	} `json:"enterprise"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Container struct {
		ChannelID string `json:"channel_id"`
		MessageTS string `json:"message_ts"`
	} `json:"container"`
	Actions []struct {
		ActionID       string `json:"action_id"`
		ActionTS       string `json:"action_ts"`
		Value          string `json:"value"`
		SelectedOption *struct {
			Value string `json:"value"`
		} `json:"selected_option"`
	} `json:"actions"`
	View surface `json:"view"`

	// events_api
	EventID string `json:"event_id"`
	Event   struct {
		Type     string `json:"type"`
		User     string `json:"user"`
		BotID    string `json:"bot_id"`
		Text     string `json:"text"`
		Channel  string `json:"channel"`
		ThreadTS string `json:"thread_ts"`
		At       string `json:"event_ts"` // seconds since 1970, with a fraction
		Tab      string `json:"tab"`      // of the app's own page
	} `json:"event"`
}

// truth is a boolean that Slack also writes as a string, in the payloads of commands.
type truth bool

// UnmarshalJSON reads true, "true", false, "false" and null.
func (f *truth) UnmarshalJSON(b []byte) error {
	switch strings.Trim(string(b), `"`) {
	case "true":
		*f = true
	case "false", "null", "":
		*f = false
	default:
		return errors.New("neither true nor false")
	}
	return nil
}

// parse reads a payload, without the secrets that people pasted; one that cannot be read is the zero value.
func parse(body json.RawMessage) (payload, error) {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return payload{}, err
	}
	p.Text, p.Event.Text = redacted(p.Text), redacted(p.Event.Text)
	for _, inputs := range p.View.State.Values {
		for field, e := range inputs {
			e.Value = redacted(e.Value)
			inputs[field] = e
		}
	}
	return p, nil
}

// person is the id of who did it.
func (p payload) person() string {
	switch {
	case p.UserID != "":
		return p.UserID
	case p.User.ID != "":
		return p.User.ID
	}
	return p.Event.User
}

// channel is the id of where it was done; "" when that was in no channel.
func (p payload) channel() string {
	for _, id := range []string{p.ChannelID, p.Channel.ID, p.Container.ChannelID} {
		if id != "" {
			return id
		}
	}
	return p.Event.Channel
}

// said is when it was said, as far as the payload tells; now, if not. Slack tells of an event that nobody
// acknowledged again for minutes.
func (p payload) said(now time.Time) time.Time {
	seconds, err := strconv.ParseFloat(p.Event.At, 64)
	if said := time.UnixMicro(int64(seconds * 1e6)); err == nil && seconds > 0 && said.Before(now) {
		return said
	}
	return now
}

// forUs reports whether an event is something said to the bot, or somebody opening its Home tab. The
// word of a bot is not heard at all: two bots must never talk to each other for ever.
func (p payload) forUs() bool {
	return (p.Event.Type == "app_mention" || p.opensHome()) && p.Event.BotID == "" && p.Event.User != ""
}

func (p payload) opensHome() bool { return p.Event.Type == "app_home_opened" && p.Event.Tab == "home" }

// foreign says in which way the payload is not of our workspace and app, "" when it is. Slack fills in
// what is checked here; people cannot.
func (b *Bot) foreign(p payload) string {
	switch {
	case p.APIAppID != b.App:
		return fmt.Sprintf("the payload is of app %q", p.APIAppID)
	case bool(p.OrgInstall):
		return "the payload is of an organisation-wide installation"
	case p.TeamID == "" && p.Team.ID == "":
		return "the payload names no workspace"
	case p.Channel.ID != "" && p.Container.ChannelID != "" && p.Channel.ID != p.Container.ChannelID:
		return fmt.Sprintf("the payload is of the channels %q and %q", p.Channel.ID, p.Container.ChannelID)
	case p.person() == "":
		return "the payload names no user"
	}
	for _, id := range []string{p.TeamID, p.Team.ID, p.User.TeamID} {
		if id != "" && id != b.Team {
			return fmt.Sprintf("the payload is of workspace %q", id)
		}
	}
	for _, id := range []string{p.EnterpriseID, p.Enterprise.ID} {
		if id != "" && id != b.enterprise {
			return fmt.Sprintf("the payload is of organisation %q", id)
		}
	}
	return ""
}

// deliveryKey is the same for every redelivery of one thing a person did, whatever envelope it
// comes in: Slack repeats events with the same event_id, commands and clicks with the same
// trigger_id (bolt-js#2487, #2188). A form that is sent once more as it is, because Slack reported
// trouble, is the same thing, too. What has neither is told apart by its envelope.
func deliveryKey(kind, envelope string, p payload) string {
	switch {
	case p.EventID != "":
		return kind + "/event/" + p.EventID
	case len(p.Actions) > 0 && p.Container.MessageTS != "" && p.Actions[0].ActionTS != "":
		return strings.Join([]string{kind, "action", p.channel(), p.Container.MessageTS, p.Actions[0].ActionID, p.User.ID, p.Actions[0].ActionTS}, "/")
	case p.Type == "view_submission" && p.View.ID != "":
		return strings.Join([]string{kind, "form", p.View.ID, p.View.Hash, p.User.ID, p.View.digest()}, "/")
	case p.TriggerID != "":
		return kind + "/trigger/" + p.TriggerID
	}
	return kind + "/envelope/" + envelope
}

// spoken is what somebody said, wherever it came from.
type spoken struct {
	user    string
	channel string
	thread  string // the thread it was said in, "" = none
	raw     string // for the audit
	foreign string // why it is none of ours: audited, not answered
	request commands.Request
	refusal *upgrade.Refusal
	form    *form // to be shown instead, if that is still possible; nil = none
	home    bool  // the Home tab was opened: nothing was said
}

// understand reads a delivery. It never fails: what is not understood is a refusal, and what cannot
// be read at all is nobody's.
func (b *Bot) understand(d upgrade.Delivery) (s spoken) {
	defer func() {
		if p := recover(); p != nil {
			b.Log.Error("a delivery could not be read for a mistake in the bot", "delivery", d.ID, "panic", p)
			s.foreign = "reading the payload failed"
		}
	}()
	p, err := parse(d.Body)
	if err != nil {
		return spoken{foreign: "the payload could not be read: " + err.Error()}
	}
	s = spoken{user: p.person(), channel: p.channel(), foreign: b.foreign(p)}
	switch d.Kind {
	case kindCommand:
		s.raw = p.Command + " " + p.Text
		s.request, s.refusal = commands.Parse(p.Text)
		s.lacking(p.TriggerID)
	case kindInteract:
		s.pressed(p)
	case kindEvent:
		s.mentioned(p, b.user)
	case kindTooMuch:
		s.thread, s.raw, s.refusal = p.Event.ThreadTS, "too much", upgrade.Refuse(upgrade.CodeBusy, "/vmss status",
			"you sent more than %d at once, or more than one a second: this was not taken, nor is what follows until you pause. Nothing was changed by it", doorBurst)
	default:
		s.foreign = fmt.Sprintf("payloads of kind %q are not understood", d.Kind)
	}
	return s
}

// pressed reads the use of a button or menu, or of a form.
func (s *spoken) pressed(p payload) {
	if p.Type == "view_submission" {
		s.submitted(p)
		return
	}
	if p.Type != "block_actions" || len(p.Actions) == 0 {
		s.foreign = fmt.Sprintf("interactions of type %q are not understood", p.Type)
		return
	}
	// Slack sends one action for each press; more in one payload would be somebody's invention.
	a := p.Actions[0]
	value := a.Value
	if a.SelectedOption != nil {
		value = a.SelectedOption.Value
	}
	s.raw = a.ActionID + " " + value
	switch {
	case p.View.Type == "modal":
		s.steered(p)
	case a.ActionID == commands.ActionForm:
		s.started(value, p.TriggerID)
	default:
		s.request, s.refusal = commands.ParseAction(a.ActionID, value)
		s.lacking(p.TriggerID)
	}
}

// mentioned reads "@vmssbot pause r-4f2".
func (s *spoken) mentioned(p payload, us string) {
	s.thread, s.raw = p.Event.ThreadTS, p.Event.Text
	if !p.forUs() || p.Event.User == us {
		s.foreign = fmt.Sprintf("events of type %q are not understood", p.Event.Type)
		return
	}
	if s.home = p.opensHome(); !s.home {
		s.request, s.refusal = commands.Parse(addressed(p.Event.Text, us))
	}
}

// addressed is what was said to us, without our name before it.
func addressed(text, us string) string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "<@"+us+">"))
}
