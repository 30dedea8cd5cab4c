package view

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Render makes the message of a slot from the rollout as it is now. An error means that the slot or
// what came with it is not known; nothing is half rendered. Pictures are files: see [Picture].
func Render(post upgrade.Post, rec upgrade.Record, now time.Time) (Message, error) {
	kind, rest, _ := strings.Cut(post.Slot, "/")
	switch kind {
	case upgrade.SlotLive:
		return live(rec, now), nil
	case upgrade.SlotPlan:
		return planned(rec), nil
	case upgrade.SlotModel:
		return model(rec)
	case upgrade.SlotReport:
		return Report(rec, nil)
	case "card":
		return ofCard(kind, rest, rec, now, card)
	case "remind":
		return ofCard(kind, rest, rec, now, reminder)
	case "escalate":
		return ofCard(kind, rest, rec, now, escalation)
	case "batch":
		n, err := strconv.Atoi(rest)
		if err != nil {
			return Message{}, fmt.Errorf("message %s of %s: no such batch", post.Slot, rec.ID)
		}
		return batch(n, rec, now), nil
	case "outage":
		return outage(post.Slot, rest, rec)
	case "hold":
		var d upgrade.Decided
		if err := json.Unmarshal(post.Want, &d); err != nil {
			return Message{}, fmt.Errorf("message %s of %s: %w", post.Slot, rec.ID, err)
		}
		return hold(post.Slot, d, rec), nil
	case "said":
		var w upgrade.SaidWant
		if err := json.Unmarshal(post.Want, &w); err != nil {
			return Message{}, fmt.Errorf("message %s of %s: %w", post.Slot, rec.ID, err)
		}
		return said(post.Slot, w, rec), nil
	}
	return Message{}, fmt.Errorf("message %s of %s: no such slot", post.Slot, rec.ID)
}

// ofCard draws what belongs to one asking of a gate.
func ofCard(kind, rest string, rec upgrade.Record, now time.Time, draw func(g upgrade.Gate, at, n int, rec upgrade.Record, now time.Time) Message) (Message, error) {
	no := fmt.Errorf("message %s/%s of %s: no such card", kind, rest, rec.ID)
	cut := strings.LastIndexByte(rest, '/')
	if cut < 0 {
		return Message{}, no
	}
	gate, at := rec.Plan.Gate(rest[:cut])
	asking, err := strconv.Atoi(rest[cut+1:])
	if at < 0 || err != nil {
		return Message{}, no
	}
	return draw(gate, at, asking, rec, now), nil
}
