package upgrade

import (
	"context"
	"encoding/json"
	"time"
)

// Post is a message somebody must come to see: what stands in the outbox. A slot of a rollout is
// one Slack message, edited in place; the latest wanted state wins. The body is rendered when it
// is sent, from the rollout as it is then and Want.
type Post struct {
	Rollout   string // "" for an answer that belongs to no rollout
	Slot      string // "live", "group", "plan", "card/ud-0/1", "remind/ud-0/1", "escalate/ud-0/1", "batch/2", "hold/3", "said/4", "model", "report", "alarm/5", "picture/6", "reply/…"
	Channel   string
	User      string          // set: only this person sees it (ephemeral), and it is never edited
	Want      json.RawMessage // what the view needs beyond the rollout, such as an answer's text
	Broadcast bool            // a thread reply that the channel sees, too
}

// Slots with a fixed name.
const (
	SlotLive   = "live"
	SlotPlan   = "plan"
	SlotModel  = "model"
	SlotReport = "report"
	SlotGroup  = "group" // of a group's first rollout: all of the group's, in no thread
)

// Pending is a Post that is due, with what is known of its message. Version must be handed back
// with the result, so that a state wanted meanwhile is not taken for sent.
type Pending struct {
	Post
	ID       int64
	Version  int64
	TS       string // the message to edit; "" = not posted yet
	Thread   string // the ts of the rollout's root message; "" for the root itself
	Hash     string // of the body last sent
	Attempts int
}

// Sent is what became of a Pending.
type Sent struct {
	TS    string        // the message's ts; "" leaves the known one
	Hash  string        // of the body
	Error string        // "" = delivered: Slack said ok:true
	Retry time.Duration // with Error: when to try again; negative = never (permanent)
	Next  time.Duration // without Error: the earliest next edit of this slot
	Wait  time.Duration // set: it is not its turn yet, or Slack put it off (with Error); due again after that, and no attempt
}

// Delivery is one payload of Slack as it came, persisted before it is acknowledged.
type Delivery struct {
	ID   int64
	Key  string // the same for every redelivery of the same thing
	Kind string // "slash_commands", "interactive", "events_api"
	Body json.RawMessage
	At   time.Time
}

// Settlement is what became of a delivery: all of it is committed together with marking the
// delivery settled, so that nothing is done twice and no answer is lost.
type Settlement struct {
	Delivery int64
	Changes  []Change
	Answers  []Post // to the person who spoke
}

// Card is a question with buttons that was put to people, found by the nonce in its buttons.
type Card struct {
	Nonce   string
	Rollout string
	Gate    string // "" for the model question
	Asking  int
	Digest  string
	Channel string // where it was posted; "" until it was
	TS      string
}

// Record is a rollout as the journal holds it.
type Record struct {
	ID      string
	Plan    Plan
	Rollout Rollout
	Events  []Event
	Poll    string // the poll token of the unfinished operation, "" if there is none
	Link    string // the ts of the root message, "" until posted

	// Since when the oldest message that people must see has not reached Slack, and why; zero = all have.
	Unsent    time.Time
	UnsentWhy string
}

// Change is everything one transaction writes, or nothing of it.
type Change struct {
	Rollout string  // "" = the system stream, which nobody folds and Seq does not guard
	Seq     int     // the last event the writer had read; the journal refuses with ErrStale if there are more
	Open    *Plan   // set: the rollout is new, and takes the lock of the plan's set
	Plan    *Plan   // set with a Replanned fact: the plan that takes the place of the rollout's
	Then    *Change // set: written after this one in the same transaction, such as the rollout that takes the lock over
	Events  []Event // At and By are filled in by the writer, Seq by the store
	Poll    string  // stored with an Accepted fact
	Posts   []Post
	Pages   []Page // for those outside of Slack
}

// Lease is the right to do one pass over one rollout until a time. Every write carries its epoch.
type Lease struct {
	Rollout string
	Epoch   int64
	Wakes   int64 // as claimed: a wake-up since then is not lost
}

// Store is the journal as the engine needs it. Every method that takes a Lease fails with
// ErrFenced once the lease was taken over.
type Store interface {
	// Claim leases the most overdue rollout that nobody holds. ok is false when none is due; next is
	// then when the next one will be (zero: none).
	Claim(ctx context.Context) (l Lease, next time.Time, ok bool, err error)
	// Extend prolongs the lease; it is called right before every network call.
	Extend(ctx context.Context, l Lease) error
	// Append commits a change under the lease, prolongs the lease like Extend, and returns the
	// sequence number the change ends at.
	Append(ctx context.Context, l Lease, c Change) (seq int, err error)
	// Release ends the pass: the rollout is due again at that time, or at once if it was woken
	// meanwhile. A zero time means never by itself (it ended).
	Release(ctx context.Context, l Lease, wake time.Time) error
}

// Reader reads the journal. Everybody may.
type Reader interface {
	// Record loads one rollout; ErrNotFound when there is none.
	Record(ctx context.Context, id string) (Record, error)
	// Open lists the rollouts that have not ended, oldest first.
	Open(ctx context.Context) ([]Record, error)
	// Group lists the rollouts that one command opened for several sets, also those that have ended; none when
	// there is no such group.
	Group(ctx context.Context, group string) ([]Record, error)
	// Holder returns the rollout that holds the set's lock; ErrNotFound when it is free.
	Holder(ctx context.Context, set SetID) (Record, error)
	// Ended lists the rollouts that have ended, of the set or ("") of all, so many at most, the latest first.
	Ended(ctx context.Context, set SetID, most int) ([]Record, error)
	// System lists the last entries of the system's stream, so many at most, the oldest first.
	System(ctx context.Context, most int) ([]Event, error)
	// Card finds a card by its nonce; ErrNotFound when there is none.
	Card(ctx context.Context, nonce string) (Card, error)
	// Freezes lists those that were said in Slack and neither lifted nor over, oldest first.
	Freezes(ctx context.Context) ([]Freeze, error)
	// Schedules lists those that were not taken away, oldest first.
	Schedules(ctx context.Context) ([]Schedule, error)
}
