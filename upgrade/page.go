package upgrade

import (
	"fmt"
	"time"
)

// Page is what somebody outside of Slack is told of a rollout, such as whoever is on call. It is made of a fact
// and committed with it.
type Page struct {
	Rollout   string
	Seq       int // of the fact: with Rollout it names the page, however often it is sent
	At        time.Time
	Kind      PageKind
	Of        PageKind // of PageCleared: what is over
	Set       SetID
	Name      string // of the set
	Group     string // its resource group
	Channel   string
	Action    Action
	Target    string
	Gate      string
	Owner     string // user id of whoever has the rollout
	OwnerName string
	Reason    Reason   // of a hold
	Outcome   Outcome  // of an end
	Text      string   // in a sentence; foreign words may stand in it
	Next      []string // commands to type, the first one first
}

// PageKind is why somebody is told.
type PageKind string

const (
	PageHold    PageKind = "hold"    // it stands still for something that takes a person
	PageFailure PageKind = "failure" // it does, or ends, or goes on without them, for instances that failed
	PageExpiry  PageKind = "expiry"  // nobody answered a card in time
	PageCleared PageKind = "cleared" // what was told last of these three is over
	PageEnd     PageKind = "end"     // it has ended
	PageTest    PageKind = "test"    // nothing has happened: somebody tries whether it arrives
)

// ID is the same whenever the page is sent.
func (p Page) ID() string { return fmt.Sprintf("%s/%d", p.Rollout, p.Seq) }

// PendingPage is a page that one receiver is to be told next.
type PendingPage struct {
	Page
	Place    int64 // in the queue
	Attempts int
	Lost     int // pages before it that were dropped, as too many waited
}

// Paged is what was paged last and is not over; the zero value is nothing.
type Paged struct {
	Kind   PageKind
	Reason Reason
}

// after is what stands paged after an event, and what there is to tell of it; "" = nothing. What stops a rollout is
// told when it begins and when it is over. What comes and goes, such as an instance's health, is told as seldom as
// people are called for it in Slack; what holds until a person says something is never passed over.
func (p Paged) after(e Event) (Paged, PageKind) {
	switch f := e.Fact.(type) {
	case Decided:
		kind := f.pages()
		switch {
		case kind != "" && (!f.Quiet || f.Kind == Hold && p.Reason != f.Reason):
			return Paged{kind, f.Reason}, kind
		case p.Reason != ReasonNone && !f.interrupts() && !mentions(f.Blockers, p.Reason):
			return Paged{}, PageCleared
		}
	case Quarantined:
		if e.By == "" {
			return p, PageFailure
		}
	case AbortAsked:
		if e.By == "" {
			return p, PageFailure
		}
	case Ended:
		return Paged{}, PageEnd
	}
	return p, ""
}

// pages is what a decision calls people outside of Slack for; "" = for nothing. Who pauses or freezes knows it.
func (d Decided) pages() PageKind {
	switch {
	case d.Reason == ReasonFailure:
		return PageFailure
	case d.Reason == ReasonExpired:
		return PageExpiry
	case d.Kind == Hold && d.Reason != ReasonPaused, d.Reason == ReasonHealth, d.Reason == ReasonProbe, d.Reason == ReasonChannel:
		return PageHold
	}
	return ""
}

// Pages are what events tell those outside of Slack; r is the rollout before them.
func Pages(p Plan, r Rollout, events []Event) (out []Page) {
	for _, e := range events {
		was := r.Paged
		next, kind := was.after(e)
		if r.Paged = next; kind == "" {
			continue
		}
		g := Page{Rollout: r.ID, Seq: e.Seq, At: e.At, Kind: kind, Set: p.Set, Name: p.Name, Group: p.Set.ResourceGroup(), Channel: r.Channel,
			Action: p.Action, Target: p.Target.String(), Owner: r.Owner, OwnerName: r.OwnerName}
		switch f := e.Fact.(type) {
		case Decided:
			g.Gate, g.Text = f.Gate, f.Text
			if g.Reason = f.Reason; kind == PageCleared {
				g.Of, g.Reason = was.Kind, was.Reason
			} else if len(f.Blockers) > 0 {
				g.Next = nextOf(f.Blockers[0])
			}
		case Quarantined:
			g.Reason, g.Text = ReasonFailure, because(Instances(f.IDs)+" quarantined", "the plan", f.Reason)
		case AbortAsked:
			g.Reason, g.Text = ReasonFailure, because("aborted", f.Name, f.Reason)
		case Ended:
			g.Outcome, g.Text = f.Outcome, f.Reason
		}
		out = append(out, g)
	}
	return out
}

func nextOf(b Blocker) (out []string) {
	for _, command := range append([]string{b.Next}, b.Also...) {
		if command != "" {
			out = append(out, command)
		}
	}
	return out
}
