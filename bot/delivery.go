package bot

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// payload is what the bot reads of Slack's three kinds of payload; see the samples in
// testdata. Everything else in them is ignored.
type payload struct {
	Type      string `json:"type"`
	TeamID    string `json:"team_id"`
	APIAppID  string `json:"api_app_id"`
	TriggerID string `json:"trigger_id"`

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
	Team *struct {
		ID string `json:"id"`
	} `json:"team"`
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

	// events_api
	EventID string `json:"event_id"`
	Event   struct {
		Type     string `json:"type"`
		User     string `json:"user"`
		BotID    string `json:"bot_id"`
		Text     string `json:"text"`
		Channel  string `json:"channel"`
		ThreadTS string `json:"thread_ts"`
	} `json:"event"`
}

// deliveryKey is the same for every redelivery of one thing a person did, whatever envelope it
// comes in: Slack repeats events with the same event_id, commands and clicks with the same
// trigger_id (bolt-js#2487, #2188). What has neither is told apart by its envelope.
func deliveryKey(kind, envelope string, body json.RawMessage) string {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return kind + "/envelope/" + envelope
	}
	switch {
	case p.EventID != "":
		return kind + "/event/" + p.EventID
	case len(p.Actions) > 0 && p.Container.MessageTS != "" && p.Actions[0].ActionTS != "":
		return strings.Join([]string{kind, "action", p.Container.MessageTS, p.Actions[0].ActionID, p.User.ID, p.Actions[0].ActionTS}, "/")
	case p.TriggerID != "":
		return kind + "/trigger/" + p.TriggerID
	}
	return kind + "/envelope/" + envelope
}

// spoken is what somebody said, wherever it came from.
type spoken struct {
	user, team, app string
	channel         string
	raw             string // for the audit
	silent          bool   // nothing a person waits on: no answer is owed
	request         commands.Request
	refusal         *upgrade.Refusal
}

// understand reads a delivery. It never fails: what is not understood is a refusal.
func (b *Bot) understand(d upgrade.Delivery) spoken {
	var p payload
	if err := json.Unmarshal(d.Body, &p); err != nil {
		return spoken{silent: true, refusal: &upgrade.Refusal{Code: upgrade.CodeArg, What: "the payload could not be read", Cause: err}}
	}
	switch d.Kind {
	case "slash_commands":
		s := spoken{user: p.UserID, team: p.TeamID, app: p.APIAppID, channel: p.ChannelID, raw: p.Command + " " + p.Text}
		s.request, s.refusal = commands.Parse(p.Text)
		return s
	case "interactive":
		return pressed(p)
	case "events_api":
		return b.mentioned(p)
	}
	return spoken{silent: true, refusal: upgrade.Refuse(upgrade.CodeArg, "", "payloads of kind %q are not understood", d.Kind)}
}

func pressed(p payload) spoken {
	s := spoken{user: p.User.ID, team: p.User.TeamID, app: p.APIAppID, channel: p.Channel.ID}
	if s.channel == "" {
		s.channel = p.Container.ChannelID
	}
	if p.Team != nil && p.Team.ID != s.team && s.team != "" {
		s.team = s.team + " of another workspace than " + p.Team.ID
	}
	if p.Team != nil && s.team == "" {
		s.team = p.Team.ID
	}
	if p.Type != "block_actions" || len(p.Actions) == 0 {
		s.silent, s.refusal = true, upgrade.Refuse(upgrade.CodeArg, "", "interactions of type %q are not understood", p.Type)
		return s
	}
	// Slack sends one action for each press; more in one payload would be somebody's invention.
	a := p.Actions[0]
	value := a.Value
	if a.SelectedOption != nil {
		value = a.SelectedOption.Value
	}
	s.raw = a.ActionID + " " + value
	s.request, s.refusal = commands.ParseAction(a.ActionID, value)
	return s
}

// mentioned reads "@vmssbot pause r-4f2"; other events are not for us. The word of a bot is not
// heard at all: two bots must never talk to each other for ever.
func (b *Bot) mentioned(p payload) spoken {
	s := spoken{user: p.Event.User, team: p.TeamID, app: p.APIAppID, channel: p.Event.Channel, raw: p.Event.Text}
	if p.Event.Type != "app_mention" || p.Event.BotID != "" || p.Event.User == "" || p.Event.User == b.user {
		s.silent = true
		return s
	}
	text := strings.TrimSpace(p.Event.Text)
	text = strings.TrimSpace(strings.TrimPrefix(text, fmt.Sprintf("<@%s>", b.user)))
	s.request, s.refusal = commands.Parse(text)
	return s
}
