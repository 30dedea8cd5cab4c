package pager

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// The headers of a signed event.
const (
	headerID        = "Vmssbot-Event-Id"
	headerTimestamp = "Vmssbot-Timestamp"
	headerSignature = "Vmssbot-Signature"
)

// event is the body of the JSON form. Fields may be added to it, never renamed or given another meaning.
type event struct {
	Version  int              `json:"version"`
	ID       string           `json:"id"`
	Event    upgrade.PageKind `json:"event"`
	Of       upgrade.PageKind `json:"of,omitempty"`
	At       time.Time        `json:"at"`
	Rollout  string           `json:"rollout"`
	Set      set              `json:"set"`
	Action   upgrade.Action   `json:"action,omitempty"`
	Target   string           `json:"target,omitempty"`
	Gate     string           `json:"gate,omitempty"`
	Owner    *person          `json:"owner,omitempty"`
	Channel  string           `json:"channel,omitempty"`
	Reason   upgrade.Reason   `json:"reason,omitempty"`
	Outcome  upgrade.Outcome  `json:"outcome,omitempty"`
	Text     string           `json:"text"`
	Commands []string         `json:"commands,omitempty"`
}

type set struct {
	Name          string `json:"name"`
	ResourceGroup string `json:"resource_group"`
	ID            string `json:"id"`
}

type person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

const (
	mostText    = 4000 // of a sentence, in which Azure's words may stand
	mostSummary = 1024 // of PagerDuty's
)

func eventOf(p upgrade.Page) event {
	e := event{Version: 1, ID: p.ID(), Event: p.Kind, Of: p.Of, At: p.At.UTC(), Rollout: p.Rollout, Set: set{p.Name, p.Group, string(p.Set)},
		Action: p.Action, Target: p.Target, Gate: p.Gate, Channel: p.Channel, Reason: p.Reason, Outcome: p.Outcome, Text: cut(p.Text, mostText), Commands: p.Next}
	if p.Owner != "" {
		e.Owner = &person{p.Owner, p.OwnerName}
	}
	return e
}

// cut keeps a text to so many characters.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// sign returns the signature of a body sent at a moment: whoever shares the key can tell that it is ours, and of when.
func sign(key Key, at time.Time, body []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(string(key)))
	fmt.Fprintf(mac, "v1:%s:%s", timestamp, body)
	return timestamp, "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// alert is the body of PagerDuty's Events v2.
type alert struct {
	RoutingKey  string        `json:"routing_key"`
	EventAction string        `json:"event_action"`
	DedupKey    string        `json:"dedup_key"`
	Payload     *alertPayload `json:"payload,omitempty"` // not of a resolve
	Links       []alertLink   `json:"links,omitempty"`
}

type alertPayload struct {
	Summary   string    `json:"summary"`
	Source    string    `json:"source"`
	Severity  string    `json:"severity"`
	Timestamp time.Time `json:"timestamp"`
	Component string    `json:"component,omitempty"`
	Group     string    `json:"group,omitempty"`
	Class     string    `json:"class,omitempty"`
	Details   event     `json:"custom_details"`
}

type alertLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// alertOf tells PagerDuty. All of a rollout is one incident, however often it is told; what is over resolves it.
func alertOf(p upgrade.Page, key Key) alert {
	a := alert{RoutingKey: string(key), EventAction: "trigger", DedupKey: "vmssbot/" + p.Rollout}
	if p.Kind == upgrade.PageCleared || p.Kind == upgrade.PageEnd {
		a.EventAction = "resolve"
		return a
	}
	a.Payload = &alertPayload{Summary: cut(fmt.Sprintf("%s: %s (%s)", p.Name, p.Text, p.Rollout), mostSummary), Source: cmp.Or(string(p.Set), "vmssbot"),
		Severity: severity(p), Timestamp: p.At.UTC(), Component: p.Name, Group: p.Group, Class: string(p.Reason), Details: eventOf(p)}
	if p.Channel != "" {
		a.Links = []alertLink{{"https://slack.com/app_redirect?channel=" + p.Channel, "The rollout's channel in Slack"}}
	}
	return a
}

func severity(p upgrade.Page) string {
	switch {
	case p.Kind == upgrade.PageTest:
		return "info"
	case p.Kind == upgrade.PageFailure, p.Reason == upgrade.ReasonUnknown, p.Reason == upgrade.ReasonChannel:
		return "error"
	}
	return "warning"
}

// body is what the receiver is sent.
func (h Hook) body(p upgrade.Page) ([]byte, error) {
	if h.Format == PagerDuty {
		return json.Marshal(alertOf(p, h.Key))
	}
	return json.Marshal(eventOf(p))
}
