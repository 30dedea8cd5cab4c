package upgrade

import (
	"encoding/json"
	"time"
)

// Event is one entry of a rollout's append-only journal: a fact, when it was recorded, and the
// Slack user id of who caused it ("" = the bot).
type Event struct {
	Seq  int
	At   time.Time
	By   string
	Fact Fact
}

// Fact is one of the past-tense types below. They are journaled as their type's name and JSON;
// fields may be added to them, never renamed or given another meaning.
type Fact interface{ fact() }

type (
	// Requested opens a rollout: the plan as digested, and where it is talked about.
	Requested struct {
		Digest  string
		Sum     string `json:",omitempty"` // of the plan as it is kept, see [Plan.Sum]; "" in older journals
		Channel string
		Name    string // of the requester, for showing
		Wave    *Wave  `json:",omitempty"` // its place among the rollouts of one command
	}
	// Asked says that a gate was put to people. A later asking of the same gate replaces it.
	Asked struct {
		Gate         string
		Asking       int // 1, 2, …
		Nonce        string
		Expires      time.Time
		Acknowledged []Section          // changed since the plan and named on the card (R34)
		Instances    []string           // of the gate, those that a yes covers; nil = all of it
		Changes      []string           // the settings behind Acknowledged, by path
		Sections     map[Section]string // the model's sections as then read; nil = as planned
		Opens        time.Time          `json:",omitzero"` // when it may start at the earliest, where that is later; a yes holds from then on
		Closes       time.Time          `json:",omitzero"` // of the window it is asked for; zero = nothing bounds it
	}
	// AskedAgain says that a person wants a denied or expired gate asked once more.
	AskedAgain struct{ Gate string }
	// Voted is one person's yes to one asking of a gate.
	Voted struct {
		Gate   string
		Asking int
		Name   string
		Voter  string    `json:",omitempty"` // of a gate that is agreed to together with one before: whose yes to that it was, where somebody else's completed it
		Counts time.Time `json:",omitzero"`  // of a yes to one's own request: when it does, as far as was known
	}
	// Granted is recorded with the vote that completes the quorum.
	Granted struct {
		Gate    string
		Asking  int
		Digest  string
		Voters  []string
		Expires time.Time
	}
	// Reminded says that those whose yes is missing were called once more, at half of the asking's life.
	Reminded struct {
		Gate   string
		Asking int
		Called []string `json:",omitempty"` // user and group ids
	}
	// Escalated says that those whom the policy has for it were called in, as nobody had answered: they are
	// approvers of this asking from now on.
	Escalated struct {
		Gate   string
		Asking int
		Called []string // user and group ids
	}
	// Denied is a person's no; it holds the rollout.
	Denied struct {
		Gate   string
		Asking int
		Name   string
		Reason string
	}
	// Paused holds the rollout until Resumed. Of is what was paused at once, "" = this one alone.
	Paused struct {
		Name, Reason string
		Of           string `json:",omitempty"`
	}
	Resumed struct{ Name string }
	// AbortAsked ends the rollout; Answer is what becomes of the model, "" = to be asked (R4). With
	// Rollback a rollout back to the image before follows at once, and takes the question along (R5).
	AbortAsked struct {
		Name, Reason string
		Answer       ModelAnswer
		Rollback     bool
	}
	// Retried puts failed, quarantined or skipped instances back into the rollout: their gate is asked
	// anew. With Refusal a definite no of Azure is forgotten, and what it refused is tried again.
	Retried struct {
		Name    string
		IDs     []string
		Gates   []string // of these instances
		Refusal bool
	}
	// Skipped leaves instances as they are, for this rollout.
	Skipped struct {
		Name, Reason string
		IDs          []string
	}
	// Quarantined sets instances aside that need a person's hands: they hold the rollout no more. The
	// bot does it by itself only where the plan says so (R30).
	Quarantined struct {
		Name, Reason string
		IDs          []string
	}
	// Resolved is what a person who looked says of what the bot cannot tell: whether a call without an
	// answer happened (Op, and Verdict started or not-started), how instances came out (IDs, and ok
	// or failed), that external gates pass (Probes, and passed), or that a wave goes on (Over, and go-on).
	Resolved struct {
		Name, Reason string
		Verdict      Verdict
		Op           string
		IDs          []string
		Over         []string `json:",omitempty"` // rollouts of earlier waves that have ended, as they are
		Probes       []string `json:",omitempty"` // of Passes: the external gates
		Gate         string   `json:",omitempty"` // of Passes: the plan's gate it is said for; "" = the end
	}
	// Replanned puts another plan in the place of the rollout's: every asking and yes so far is void.
	Replanned struct {
		Digest, Name string
		Sum          string   `json:",omitempty"` // as in Requested
		Model        Setting  `json:"Image"`      // what the model named then
		Changes      []string // what differs from the plan before, in words
	}
	// HandedOver makes another person the one whom the bot calls. It moves no right: who asked for the
	// rollout still may not approve it.
	HandedOver struct {
		Name       string // whose word it is
		To, ToName string
		Note       string
	}
	// Evidence is what Azure said of an instance that failed, kept before a retry replaces its disk (R6).
	Evidence struct {
		ID    string
		Lines []string
	}
	// ModelAsked says that the model question was put to people.
	ModelAsked struct {
		Nonce     string
		Recommend ModelAnswer
		On, Off   int // instances of the set on the new image and not
	}
	// ModelAnswered is a person's answer to it.
	ModelAnswered struct {
		Name   string
		Answer ModelAnswer
	}
	// Intended records a write before anything is sent: a crash now means it never was on the wire.
	Intended struct{ Op Operation }
	// Sending is recorded right before the call: from here on only an answer tells.
	Sending struct{ Op string }
	// Unanswered says that the call brought no answer that can be believed: the outcome is unknown.
	Unanswered struct{ Op, Cause string }
	// Accepted is Azure's yes to the write. Azure is its clock's time, zero if it told none.
	Accepted struct {
		Op          string
		Correlation string
		Azure       time.Time
	}
	// Refused is a definite no: nothing happened. Until is when it may be tried again, zero = not
	// by itself.
	Refused struct {
		Op            string
		Kind          FaultKind
		Code, Message string
		Until         time.Time
	}
	// Dropped says that an intended write was never sent and never will be.
	Dropped struct{ Op, Reason string }
	// Looked is one complete list after an unknown outcome: the ids of the operation that are not
	// on the target, or that the set is at work, which makes earlier lists worthless.
	Looked struct {
		Op       string
		Outdated []string
		Moving   bool
	}
	// Settled is how an accepted or unknown operation ended. A failed one says nothing about each
	// instance: these are judged one by one.
	Settled struct {
		Op            string
		OK            bool
		Code, Message string
	}
	// ModelSet says that the model now names To; Previous is what rollback and revert go to.
	ModelSet struct {
		To       Setting `json:"Image"`
		Previous Setting
	}
	// ModelReverted says that the model names the previous image again, or why it was left.
	ModelReverted struct {
		OK     bool
		Detail string
	}
	// InstanceSeen is a change of one instance's state as far as the rollout goes.
	InstanceSeen struct {
		ID     string
		State  Progress
		Image  string // the version it runs
		Detail string // why, in Azure's words and ours
		Code   string // Azure's own code for it, "" if there is none: see [Sentence]
	}
	// Declined is what somebody wanted and did not get: nothing changed. It stands in the system
	// stream, where it disturbs no rollout.
	Declined struct {
		Code    Code
		What    string
		Said    string // what was typed or pressed, cut to a sane length
		Channel string
	}
	// Froze stops every start on the sets it names, and Unfroze lifts that. Both stand in the system stream.
	Froze   struct{ Freeze }
	Unfroze struct{ ID, Name, Why string }
	// Scheduled makes a schedule, Unscheduled takes it away, and Fired is what one of its occurrences came to:
	// the rollout that was opened, or why none was. All stand in the system stream.
	Scheduled   struct{ Schedule }
	Unscheduled struct {
		ID        string
		Set       SetID
		Name, Why string
	}
	Fired struct {
		ID      string
		Set     SetID
		For     time.Time // the occurrence
		Rollout string    `json:",omitempty"`
		Missed  bool      `json:",omitempty"` // it was too late to ask
		Code    Code      `json:",omitempty"`
		Why     string    `json:",omitempty"`
		Next    string    `json:",omitempty"` // what helps, to type
	}
	// Sighted says which version of an image is the newest in a region, and which channels were told of it. It
	// stands in the system stream.
	Sighted struct {
		Place    string // the region and the image's family
		Version  string
		Before   string   `json:",omitempty"` // that was known till then; "" = none
		Channels []string `json:",omitempty"`
	}
	// Probed says that an external gate says something else than before.
	Probed struct {
		Name  string
		State ProbeState
		Why   string
		News  bool `json:",omitempty"` // people are told in a message of its own
	}
	// Governed keeps the policies that are in force from then on, and what changed since those before. It stands
	// in the system stream; the first of a journal has no changes.
	Governed struct {
		Policies []Policy
		Changes  []PolicyChange `json:",omitempty"`
	}
	// Absent says that a complete list lacked an instance, or has it again; a list that is shorter
	// than the set's capacity may have lost it on the way (R46).
	Absent struct {
		ID   string
		Back bool
	}
	// Unfound says that Azure knew no such set, or knows it again.
	Unfound struct{ Back bool }
	// Born says that the set has an instance that it did not have when it was planned. It is no part of the
	// rollout (R34). Its From is what it was born with.
	Born struct{ Member }
	// Pictured is a moment of which people get a picture of the set in the thread. What stands in it is the
	// rollout as it was then, and which instances did not serve.
	Pictured struct {
		Of     []string // PictureStart, PictureFailure, PictureEnd, and the keys of gates that are done
		Failed []string `json:",omitempty"` // instances that had failed, or of which nothing tells
		Down   []string `json:",omitempty"` // running, and not well
		Off    []string `json:",omitempty"` // not running
		Gone   []string `json:",omitempty"` // of the set's other instances: not there any more
	}
	// Serving is recorded whenever fewer instances of the set serve than ever before in the rollout.
	Serving struct{ N, Total int }
	// Decided is a change of the decision: audit and messages are made from it, deciding is not.
	// Quiet says that people were told of this very reason before and nothing they did came between:
	// only what stands behind it changed.
	Decided struct {
		Kind     DecisionKind
		Reason   Reason
		Gate     string
		Text     string
		Blockers []Blocker
		Quiet    bool
		Alarm    bool // people stopped seeing what the bot says: whoever has the rollout is told in private
	}
	// Ended is the last fact of every rollout.
	Ended struct {
		Outcome Outcome
		Reason  string
		Tally   Tally
		Model   Setting  // what the model named then; the zero value = it could not be read
		Others  []string `json:",omitempty"` // instances of the whole set that are not on the target
		Then    string   `json:",omitempty"` // the rollout that takes it back, of OutcomeRollback
	}
	// Unread stands for an entry whose kind this version does not know. It holds the rollout: a
	// newer version wrote something that matters.
	Unread struct {
		Kind string
		Raw  json.RawMessage
	}
)

func (Requested) fact()     {}
func (Asked) fact()         {}
func (AskedAgain) fact()    {}
func (Voted) fact()         {}
func (Granted) fact()       {}
func (Reminded) fact()      {}
func (Escalated) fact()     {}
func (Denied) fact()        {}
func (Paused) fact()        {}
func (Resumed) fact()       {}
func (AbortAsked) fact()    {}
func (Retried) fact()       {}
func (Skipped) fact()       {}
func (Quarantined) fact()   {}
func (Resolved) fact()      {}
func (Replanned) fact()     {}
func (HandedOver) fact()    {}
func (Evidence) fact()      {}
func (ModelAsked) fact()    {}
func (ModelAnswered) fact() {}
func (Intended) fact()      {}
func (Sending) fact()       {}
func (Unanswered) fact()    {}
func (Accepted) fact()      {}
func (Refused) fact()       {}
func (Dropped) fact()       {}
func (Looked) fact()        {}
func (Settled) fact()       {}
func (ModelSet) fact()      {}
func (ModelReverted) fact() {}
func (InstanceSeen) fact()  {}
func (Declined) fact()      {}
func (Froze) fact()         {}
func (Unfroze) fact()       {}
func (Scheduled) fact()     {}
func (Unscheduled) fact()   {}
func (Fired) fact()         {}
func (Sighted) fact()       {}
func (Probed) fact()        {}
func (Governed) fact()      {}
func (Absent) fact()        {}
func (Unfound) fact()       {}
func (Born) fact()          {}
func (Pictured) fact()      {}
func (Serving) fact()       {}
func (Decided) fact()       {}
func (Ended) fact()         {}
func (Unread) fact()        {}
