package upgrade

import (
	"encoding/json"
	"fmt"
)

// Posts says which messages must be brought up to date when events are added to a rollout: r is
// the rollout after them. Bodies are not made here: a post names a slot, the view renders it from
// the rollout when it is sent.
func Posts(r Rollout, events []Event) []Post {
	a := announcement{r: r, seen: map[string]bool{}}
	for _, e := range events {
		a.event(e)
	}
	if len(events) > 0 {
		a.add(SlotLive, nil, false)
	}
	return a.posts
}

type announcement struct {
	r     Rollout
	seen  map[string]bool
	posts []Post
}

func (a *announcement) add(slot string, want any, broadcast bool) {
	if a.seen[slot] {
		return
	}
	a.seen[slot] = true
	var raw json.RawMessage
	if want != nil {
		raw, _ = json.Marshal(want) // only types of this package, all of which marshal
	}
	a.posts = append(a.posts, Post{Rollout: a.r.ID, Slot: slot, Channel: a.r.Channel, Want: raw, Broadcast: broadcast})
}

func (a *announcement) event(e Event) {
	switch f := e.Fact.(type) {
	case Requested:
		a.add(SlotLive, nil, false)
		a.add(SlotPlan, nil, false)
	case Asked:
		if f.Nonce != "" {
			a.add(CardSlot(f.Gate, f.Asking), nil, true)
		}
	case Voted:
		a.card(f.Gate)
	case Denied:
		a.card(f.Gate)
	case AskedAgain:
		a.add(CardSlot(f.Gate, a.r.Askings[f.Gate]), nil, true)
	case ModelAsked, ModelAnswered, ModelReverted:
		if a.r.Model.Asked != nil {
			a.add(SlotModel, nil, true)
		}
	case Paused, Resumed, AbortAsked:
		a.add(fmt.Sprintf("said/%d", e.Seq), NewSaidWant(e), false)
	case InstanceSeen:
		if b := a.r.Instances[f.ID].Batch; b > 0 {
			a.add(BatchSlot(b), nil, false)
		}
	case Sending, Accepted, Settled, Refused, Unanswered:
		if n := len(a.r.Batches); n > 0 {
			a.add(BatchSlot(a.r.Batches[n-1].N), nil, false)
		}
	case Decided:
		a.decided(e, f)
	case Ended:
		a.add(SlotReport, nil, true)
		a.cards()
	}
}

// decided posts what people must not miss: a hold, and an ill instance that stops the next start.
func (a *announcement) decided(e Event, f Decided) {
	if f.Kind == Hold && f.Reason != ReasonModel || f.Reason == ReasonHealth {
		a.add(fmt.Sprintf("hold/%d", e.Seq), f, true)
	}
	if f.Kind == Hold {
		a.cards()
	}
}

func (a *announcement) card(gate string) {
	if asked, ok := a.r.Asked[gate]; ok && asked.Nonce != "" {
		a.add(CardSlot(gate, asked.Asking), nil, true)
	}
}

// cards brings every live card up to date, such as when a rollout ends under it.
func (a *announcement) cards() {
	for gate := range a.r.Asked {
		a.card(gate)
	}
	if a.r.Model.Asked != nil {
		a.add(SlotModel, nil, true)
	}
}

// CardSlot is the slot of one asking of a gate.
func CardSlot(gate string, asking int) string { return fmt.Sprintf("card/%s/%d", gate, asking) }

// BatchSlot is the slot of a batch's thread message.
func BatchSlot(n int) string { return fmt.Sprintf("batch/%d", n) }

// SaidWant is what the view needs to show a person's word in the thread.
type SaidWant struct {
	By, Name string
	Verb     WordVerb
	Reason   string
	Answer   ModelAnswer
}

// NewSaidWant takes it from a Paused, Resumed or AbortAsked event.
func NewSaidWant(e Event) SaidWant {
	switch f := e.Fact.(type) {
	case Paused:
		return SaidWant{e.By, f.Name, WordPause, f.Reason, ""}
	case Resumed:
		return SaidWant{e.By, f.Name, WordResume, "", ""}
	case AbortAsked:
		return SaidWant{e.By, f.Name, WordAbort, f.Reason, f.Answer}
	}
	return SaidWant{}
}
