package commands

import (
	"context"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/window"
)

// Verb is the first word of a command.
type Verb string

const (
	VerbHome    Verb = ""
	VerbHelp    Verb = "help"
	VerbUpgrade Verb = "upgrade"
	VerbPlan    Verb = "plan"
	VerbList    Verb = "list"
	VerbShow    Verb = "show"
	VerbImages  Verb = "images"
	VerbResize  Verb = "resize"
	VerbStatus  Verb = "status"
	VerbWhy     Verb = "why"
	VerbPending Verb = "pending"
	VerbApprove Verb = "approve"
	VerbDeny    Verb = "deny"
	VerbPause   Verb = "pause"
	VerbResume  Verb = "resume"
	VerbAbort   Verb = "abort"
	VerbAsk     Verb = "ask"   // a denied or expired gate once more
	VerbModel   Verb = "model" // the buttons of the model question; typed as abort ROLLOUT revert|keep

	VerbRetry      Verb = "retry"
	VerbSkip       Verb = "skip"
	VerbQuarantine Verb = "quarantine"
	VerbResolve    Verb = "resolve"
	VerbReplan     Verb = "replan"
	VerbRollback   Verb = "rollback"
	VerbHandover   Verb = "handover"

	VerbFreeze   Verb = "freeze"
	VerbUnfreeze Verb = "unfreeze"
	VerbWindows  Verb = "windows" // when something may start

	VerbSchedule   Verb = "schedule"
	VerbUnschedule Verb = "unschedule"

	VerbHistory Verb = "history" // what has ended
	VerbReport  Verb = "report"  // what came of one, as a file
	VerbAudit   Verb = "audit"   // who did what
	VerbShift   Verb = "shift"   // what whoever comes on call must know
)

// ofInstances reports whether instances of a rollout are named with the verb.
func (v Verb) ofInstances() bool {
	return v == VerbRetry || v == VerbSkip || v == VerbQuarantine || v == VerbResolve
}

// plans reports whether the verb makes a plan, which chooses instances and orders them.
func (v Verb) plans() bool {
	return v == VerbUpgrade || v == VerbPlan || v == VerbResize || v == VerbSchedule
}

// Request is what somebody wants, however it was said. Only the fields of the verb are set; the
// zero value asks for the home screen. A request about a rollout has its id when it was typed, and
// the nonce when the button of a card was pressed, never both.
type Request struct {
	Verb    Verb
	About   string            // help: a verb; list: a text; show, images: a set, or a rollout for its set; status, why, report, audit: a rollout or a set
	Part    string            // show: "", "map", "instances", "image", "policy" or "evidence"; report, audit: the format of the file
	Set     string            // upgrade, plan, resize: also a pattern, or a group's name; schedule; freeze: or "all"; unfreeze, unschedule: or the id of one
	Without []string          // upgrade, plan, resize of several sets: sets that are left out, sorted; nil = none
	Target  string            // upgrade, plan: a version, "latest", "model", the id of an image, or the address of a VHD
	SKU     string            // upgrade, plan: of the platform image, with a version or "latest"; "" = as it is
	Size    string            // resize: a VM size
	Which   upgrade.Selection // upgrade, plan, resize: every list in order, nil where nothing was said
	Order   upgrade.Order     // upgrade, plan, resize
	Options Options
	Rollout string              // of the verbs that say something about one; of some also a group's id, or "all"
	Nonce   string              // of the card whose button was pressed
	Rest    bool                // approve … rest
	Reason  string              // of handover: the note
	Answer  upgrade.ModelAnswer // abort, model

	Instances []string        // vm= of verbs about a rollout and of audit, in the order of upgrade.CompareIDs; nil = as the verb says
	Verdict   upgrade.Verdict // resolve
	To        string          // handover, audit: a user's id

	// Unclear has the options that chose instances and were not understood, sorted: beside a refusal
	// only. What they chose must be said before anything is done, as without them all are meant.
	Unclear []string
}

// Options are the key=value words; nil where nothing was said.
type Options struct {
	MaxUnavailable *upgrade.Limit
	MaxFailures    *int
	OnFailure      upgrade.OnFailure // "" = nothing was said
	Soak           *time.Duration
	Bake           *time.Duration
	Window         string // upgrade, plan, resize: of the set's windows
	At             string // the same: a time, as upgrade.Moment reads it
	Note           string
	For            *time.Duration // freeze
	Until          string         // freeze: a time
	Cron           string         // schedule: five fields with one blank between
	TZ             string         // schedule: whose clock they are read by, an IANA name
}

// Rollouts is the domain as the language needs it; [upgrade.Desk] is it. Errors for people are
// [*upgrade.Refusal].
type Rollouts interface {
	Plan(ctx context.Context, by upgrade.Person, ask upgrade.Ask) (upgrade.Plan, error)
	Open(ctx context.Context, by upgrade.Person, ask upgrade.Ask) (upgrade.Change, upgrade.Plan, error)
	Say(ctx context.Context, by upgrade.Person, w upgrade.Word) (upgrade.Change, string, error)
	Look(ctx context.Context, by upgrade.Person, q upgrade.Query) (upgrade.Sight, error)
	Freeze(ctx context.Context, by upgrade.Person, ask upgrade.FreezeAsk) (upgrade.Frost, error)
	Several(ctx context.Context, by upgrade.Person, ask upgrade.Ask, open bool) (upgrade.Several, []upgrade.Change, error)
	SayAll(ctx context.Context, by upgrade.Person, w upgrade.Word) ([]upgrade.Spoken, error)
	Schedule(ctx context.Context, by upgrade.Person, ask upgrade.ScheduleAsk) (upgrade.Scheduling, error)
}

// Reply is the answer to the person who spoke, as data: it is journaled and rendered when it is
// sent. Beside the verb and what was understood, exactly one of the answers is set.
type Reply struct {
	Verb     Verb
	Part     string           `json:",omitempty"` // with Rollouts of show: "evidence"; of report and audit: the format of the file, "" = none
	Request  string           `json:",omitempty"` // as understood, written back by Format
	Refusal  *Refusal         `json:",omitempty"`
	Text     string           `json:",omitempty"` // a plain sentence; foreign text in it is not escaped
	Help     *Help            `json:",omitempty"`
	Plan     *upgrade.Plan    `json:",omitempty"` // verb plan: nothing was asked or changed; upgrade, resize: the rollout was opened
	Rollout  string           `json:",omitempty"` // with Plan of a rollout that was opened: its id
	Several  *Several         `json:",omitempty"` // upgrade, plan, resize of several sets; beside a Refusal when nothing was opened
	Group    string           `json:",omitempty"` // with Rollouts: these are one command's
	Rollouts []string         `json:",omitempty"` // ids, rendered from the journal as it is when sent (status, why, pending, home, show)
	Sets     []SetLine        `json:",omitempty"` // list
	Set      *SetSight        `json:",omitempty"` // show
	Images   *Images          `json:",omitempty"` // images
	Calendar *Calendar        `json:",omitempty"` // windows
	Audit    *Audit           `json:",omitempty"` // audit, beside Rollouts
	Shift    *Shift           `json:",omitempty"` // shift, beside Rollouts
	Frost    *Frost           `json:",omitempty"` // freeze, unfreeze
	Ruled    *Ruled           `json:",omitempty"` // told to channels when the configuration changes
	Schedule *Scheduled       `json:",omitempty"` // schedule, unschedule
	Firing   *upgrade.Firing  `json:",omitempty"` // what nobody asked for just now: an occurrence of a schedule that opened nothing
	Release  *upgrade.Release `json:",omitempty"` // the same: a newer image has come out
	Empty    string           `json:",omitempty"` // said when a list has nothing in it
}

// Refusal is an [upgrade.Refusal] without its cause, which is for the log only.
type Refusal struct {
	Code    upgrade.Code
	What    string
	Next    string `json:",omitempty"`
	Rollout string `json:",omitempty"`
	Form    string `json:",omitempty"` // opens the form with what was understood, see Started
}

// Told lists the channels in which everybody is to read the reply, too.
func (r Reply) Told() []string {
	switch {
	case r.Frost != nil:
		return r.Frost.Channels
	case r.Schedule != nil:
		return []string{r.Schedule.Schedule.Ask.Channel}
	}
	return nil
}

// File reports whether a file for whoever spoke belongs to the reply.
func (r Reply) File() bool {
	return r.Set != nil && r.Set.Part == PartMap || r.Verb == VerbReport && len(r.Rollouts) > 0 || r.Audit != nil && r.Part != ""
}

// Calendar is when something may start: of one set, or what is frozen of all that a person may see.
type Calendar struct {
	Set       *upgrade.SetSummary `json:",omitempty"`
	Windows   []Opens             `json:",omitempty"`
	Freezes   []upgrade.Freeze    `json:",omitempty"`
	Schedules []upgrade.Schedule  `json:",omitempty"`
	At        time.Time
}

// Opens is a window and when it opens next, or has opened.
type Opens struct {
	Of     string        `json:",omitempty"` // the pattern of the sets, where it is not of one
	Window window.Window // not embedded: it reads its own JSON
	Next   window.Span
}

// Frost is what became of a freeze, for whoever said it and for the channels of the sets.
type Frost struct {
	Freeze   upgrade.Freeze
	Lifted   bool     `json:",omitempty"`
	By       string   `json:",omitempty"` // the name of who lifted it
	Why      string   `json:",omitempty"` // it was lifted
	Channels []string `json:",omitempty"`
}

// Ruled is what became of another configuration, as far as the people of one channel are concerned.
type Ruled struct {
	Changes []upgrade.PolicyChange `json:",omitempty"`
	Refused []string               `json:",omitempty"` // why it was not taken
}

// Scheduled is what became of a schedule, for whoever said it and for the channel of the set.
type Scheduled struct {
	Schedule upgrade.Schedule
	Next     []time.Time `json:",omitempty"` // its first occurrences
	Lifted   bool        `json:",omitempty"`
	By       string      `json:",omitempty"` // the name of who took it away
	Why      string      `json:",omitempty"` // that
}

// SetLine is one scale set in a list, with the rollout that holds it.
type SetLine struct {
	Set     upgrade.SetSummary
	Rollout string `json:",omitempty"`
	State   string `json:",omitempty"`
	Group   string `json:",omitempty"` // that the rollout is of
}

// SetSight is one scale set as just read.
type SetSight struct {
	Part    string
	Set     upgrade.ScaleSet
	Policy  upgrade.Policy
	Holds   []upgrade.Holding `json:",omitempty"` // of its policy, when that is asked for
	Rollout string            `json:",omitempty"`
}

// Images is what a set's image comes in, as just read.
type Images struct {
	Set      upgrade.SetSummary
	Current  upgrade.Image          // what the set's model names; it may follow latest
	Versions []upgrade.ImageVersion // newest first; of many the newest, the current one, and those that instances run; none where the image has no versions
	Older    int                    `json:",omitempty"` // versions that were left out
	Running  map[string]int         `json:",omitempty"` // instances by the version they run ([upgrade.Image.Running]), of the same image only
	Others   int                    `json:",omitempty"` // instances that run another image, or one that Azure does not tell
}

// Help is one screen of help.
type Help struct {
	Verb     Verb     // "" = the overview
	Usage    []string // one line a form
	Says     string   // what it does, in a sentence or two
	Examples []string
	Who      string // who may
}
