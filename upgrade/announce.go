package upgrade

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
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
		a.card(f.Gate)
	case Reminded:
		a.add(RemindSlot(f.Gate, f.Asking), nil, true)
	case Escalated:
		a.card(f.Gate)
	case Voted:
		a.card(f.Gate)
	case Denied:
		a.card(f.Gate)
	case AskedAgain:
		a.card(f.Gate)
	case ModelAsked, ModelAnswered, ModelReverted:
		if a.r.Model.Asked != nil {
			a.add(SlotModel, nil, true)
		}
	case Paused, Resumed, AbortAsked:
		a.add(fmt.Sprintf("said/%d", e.Seq), NewSaidWant(e), false)
	case Retried, Skipped, Quarantined, Resolved, Replanned, HandedOver:
		a.add(fmt.Sprintf("said/%d", e.Seq), NewSaidWant(e), false)
		a.batches()
		a.cards()
		a.holds()
	case InstanceSeen:
		if b := a.r.Instances[f.ID].Batch; b > 0 {
			a.add(BatchSlot(b), nil, false)
		}
	case Accepted, Settled, Refused, Unanswered:
		// Not Sending: its answer follows at once, and a refused batch is none.
		if n := len(a.r.Batches); n > 0 {
			a.add(BatchSlot(a.r.Batches[n-1].N), nil, false)
		}
	case Decided:
		a.decided(f)
		if f.Alarm {
			a.alarm(e.Seq)
		}
	case Probed:
		if n := a.r.Probes[f.Name].Post; n > 0 {
			a.add(fmt.Sprintf("outage/%d", n), nil, false)
		}
		a.cards()
	case Pictured:
		a.add(PictureSlot(e.Seq), f, false)
	case Ended:
		a.add(SlotReport, nil, true)
		a.cards()
		a.holds()
	}
}

// batches brings every batch's message up to date: what people do about instances may concern any.
func (a *announcement) batches() {
	for _, b := range a.r.Batches {
		a.add(BatchSlot(b.N), nil, false)
	}
}

// decided posts what people must not miss: a hold to the whole channel, and to the thread an ill
// instance that stops the next start, as it may come and go.
func (a *announcement) decided(f Decided) {
	if f.Kind == Hold {
		a.cards()
	}
	a.overtaken(f.Gate)
	a.holds()
}

// overtaken brings the cards up to date that ask for another gate than the next one: nothing may be left of what
// they ask for, or an earlier gate comes first once more.
func (a *announcement) overtaken(next string) {
	for _, gate := range slices.Sorted(maps.Keys(a.r.Cards)) {
		if _, granted := a.r.Grants[gate]; gate != next && !granted {
			a.card(gate)
		}
	}
}

// alarm tells whoever has the rollout, in private, what the channel does not show.
func (a *announcement) alarm(seq int) {
	a.posts = append(a.posts, Post{Rollout: a.r.ID, Slot: fmt.Sprintf("alarm/%d", seq), User: a.r.Owner})
}

// announced reports whether a decision calls for people and was not called out before. The model
// question has its own card, and a pause its own line.
func (d Decided) announced() bool {
	return d.loud() && !d.Quiet
}

func (d Decided) loud() bool {
	switch d.Reason {
	case ReasonHealth, ReasonChannel, ReasonFreeze:
		return true
	case ReasonModel, ReasonPaused:
		return false
	}
	return d.Kind == Hold
}

// holds brings the last two announcements up to date: the new one, and the one that is over now.
func (a *announcement) holds() {
	for _, h := range a.r.Holds[max(0, len(a.r.Holds)-2):] {
		a.add(fmt.Sprintf("hold/%d", h.Seq), h.Decided, h.Decided.Kind == Hold)
	}
}

// card brings a gate's last card up to date, and the one before, which it may just have replaced, with what
// reminds of them.
func (a *announcement) card(gate string) {
	askings := a.r.Cards[gate]
	for _, n := range askings[max(0, len(askings)-2):] {
		a.add(CardSlot(gate, n), nil, true)
		if a.r.Reminded[gate] == n {
			a.add(RemindSlot(gate, n), nil, true)
		}
		if a.r.Escalated[gate] == n {
			a.add(EscalateSlot(gate, n), nil, true)
		}
	}
}

// cards brings every card up to date, such as when a rollout ends under it.
func (a *announcement) cards() {
	for _, gate := range slices.Sorted(maps.Keys(a.r.Cards)) {
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

// Pictures begin the slots of pictures, which are files and are never edited.
const Pictures = "picture/"

// PictureSlot is the slot of the picture that an event is about; a picture of no rollout has another.
func PictureSlot(seq int) string { return fmt.Sprintf("%s%d", Pictures, seq) }

// Picture reports whether what the post wants is a picture.
func (p Post) Picture() bool { return strings.HasPrefix(p.Slot, Pictures) }

// Answer reports whether the post is for one person who said something: no picture, and nothing that calls
// somebody about a rollout.
func (p Post) Answer() bool { return p.User != "" && p.Rollout == "" && !p.Picture() }

// SaidWant is what the view needs to show a person's word in the thread.
type SaidWant struct {
	By, Name string // "" = the bot by itself, as the plan says
	Verb     WordVerb
	Reason   string
	Answer   ModelAnswer
	IDs      []string `json:",omitempty"`
	Verdict  Verdict  `json:",omitempty"`
	To       string   `json:",omitempty"` // user id of who takes over
	Probes   []string `json:",omitempty"` // external gates that are vouched for
	Changes  []string `json:",omitempty"` // of a new plan
	Plan     string   `json:",omitempty"` // its digest
}

// NewSaidWant takes it from the event of a person's word.
func NewSaidWant(e Event) SaidWant {
	w := SaidWant{By: e.By}
	switch f := e.Fact.(type) {
	case Paused:
		w.Name, w.Verb, w.Reason = f.Name, WordPause, f.Reason
	case Resumed:
		w.Name, w.Verb = f.Name, WordResume
	case AbortAsked:
		w.Name, w.Verb, w.Reason, w.Answer = f.Name, WordAbort, f.Reason, f.Answer
		if f.Rollback {
			w.Verb = WordRollback
		}
	case Retried:
		w.Name, w.Verb, w.IDs = f.Name, WordRetry, f.IDs
	case Skipped:
		w.Name, w.Verb, w.Reason, w.IDs = f.Name, WordSkip, f.Reason, f.IDs
	case Quarantined:
		w.Name, w.Verb, w.Reason, w.IDs = f.Name, WordQuarantine, f.Reason, f.IDs
	case Resolved:
		w.Name, w.Verb, w.Reason, w.IDs, w.Verdict, w.Probes = f.Name, WordResolve, f.Reason, f.IDs, f.Verdict, f.Probes
	case Replanned:
		w.Name, w.Verb, w.Changes, w.Plan = f.Name, WordReplan, f.Changes, f.Digest
	case HandedOver:
		w.Name, w.Verb, w.Reason, w.To = f.Name, WordHandover, f.Note, f.To
	}
	return w
}
