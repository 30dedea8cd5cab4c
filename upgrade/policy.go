package upgrade

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/window"
)

// Policy says who may do what to the sets its Pattern matches, and how carefully. The zero value
// denies everybody everything: empty lists deny.
type Policy struct {
	Pattern    string   // "name" or "resourcegroup/name", * and ? as in path.Match; compared without case
	Channel    string   // the Slack channel id where the sets are driven; "" = nowhere
	Readers    []string // user ids (U…) and group ids (S…); requesters and approvers read, too
	Requesters []string
	Approvers  []string

	Approvals      int           // distinct approvers per gate; never fewer than 1 counts
	MaxUnavailable Limit         // instances out of service at once, for any reason
	BatchCap       int           // instances one call to Azure may carry
	MaxFailures    int           // failed instances the rollout may go on with
	OnFailure      OnFailure     // what one more does; "" = hold
	Soak           time.Duration // between gates
	Bake           time.Duration // after the last gate
	Deadline       time.Duration // for an instance to become healthy, from the operation's start
	ApprovalLife   time.Duration // from the asking
	UnstartedLife  time.Duration // of a rollout in which nothing was started
	WholeLife      time.Duration // of any rollout
	AllowedImages  []string      // image families; empty = the family the set runs now (R45)
	Downgrades     bool          // whether older versions may be rolled out

	Watch bool `json:",omitempty"` // whether the channel is told of newer images

	Windows []window.Window `json:",omitempty"` // nothing starts outside of these; empty = at any time (R11)
	Freezes []Freeze        `json:",omitempty"` // in which nothing starts at all

	Escalate      []string      `json:",omitempty"` // who is called in when nobody answers a card, and may approve it from then on (R23)
	EscalateAfter time.Duration `json:",omitempty"` // the asking; zero = three quarters of the time people have, which is also the latest
	Probes        []Probe       `json:",omitempty"` // external gates, without whose pass nothing starts (R32)
	SelfApproval  time.Duration `json:",omitzero"`  // after which the requester's own yes counts, unless somebody denies; 0 = never
	Budget        Budget        `json:",omitzero"`  // of an hour, for everything that the bot drives

	From map[string]string `json:"-"` // where what stands under a key comes from, such as vmssbot.yaml:31; it is no part of what is said
}

// OnFailure is what the bot does with a failed instance that is one too many (R30).
type OnFailure string

const (
	HoldOnFailure       OnFailure = "hold"
	QuarantineOnFailure OnFailure = "quarantine" // sets it aside and goes on, as far as max-unavailable lets it
	AbortOnFailure      OnFailure = "abort"      // ends the rollout; the model question is asked as ever
	RollbackOnFailure   OnFailure = "rollback"   // ends it and opens the rollout back, which asks; a plan may choose it, a policy may not
)

// tighter: only to set aside and go on is looser than to stop, in whatever way.
func (o OnFailure) tighter(p OnFailure) OnFailure {
	if o == QuarantineOnFailure && p != QuarantineOnFailure {
		return HoldOnFailure
	}
	return o
}

// DefaultPolicy is the one table of defaults. It has no people and no channel: those must be given.
func DefaultPolicy() Policy {
	return Policy{
		Approvals:      1,
		MaxUnavailable: Limit{Percent: 20},
		BatchCap:       50,
		MaxFailures:    0,
		OnFailure:      HoldOnFailure,
		Soak:           5 * time.Minute,
		Bake:           10 * time.Minute,
		Deadline:       15 * time.Minute,
		ApprovalLife:   4 * time.Hour,
		UnstartedLife:  24 * time.Hour,
		WholeLife:      7 * 24 * time.Hour,
	}
}

// Pace is how often the engine looks and how long it waits before it believes. It belongs to the
// installation, not to a set, and only a loopback installation may shorten it.
type Pace struct {
	Refresh time.Duration // between readings while something moves
	Idle    time.Duration // between readings while only people are waited for
	Confirm time.Duration // between the two lists that make an instance done (R28)
	Settle  time.Duration // after an unknown outcome, before any list is believed (R48)
	Agree   time.Duration // between the two agreeing lists (R48)
	Unheard time.Duration // how long people may not see what the bot says before it starts nothing more (R19)
}

// DefaultPace holds the figures of the safety rules.
func DefaultPace() Pace {
	return Pace{Refresh: 10 * time.Second, Idle: 30 * time.Second, Confirm: 10 * time.Second, Settle: 90 * time.Second, Agree: 30 * time.Second, Unheard: 5 * time.Minute}
}

// Limit is a number of instances or a percentage of a set. The zero value is zero instances.
type Limit struct {
	N       int
	Percent int
}

// ParseLimit reads "3" or "20%".
func ParseLimit(s string) (Limit, error) {
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || len(digits) > 4 || (percent && n > 100) {
		return Limit{}, fmt.Errorf("limit %q: want a number of instances or a percentage such as 20%%", s)
	}
	if percent {
		return Limit{Percent: n}, nil
	}
	return Limit{N: n}, nil
}

// Of returns the number of instances out of total; a percentage is rounded up, so that 20 % of 3
// instances lets one go rather than none ever.
func (l Limit) Of(total int) int {
	if l.Percent > 0 {
		return (total*l.Percent + 99) / 100
	}
	return l.N
}

func (l Limit) String() string {
	if l.Percent > 0 {
		return strconv.Itoa(l.Percent) + "%"
	}
	return strconv.Itoa(l.N)
}

// Version identifies the policy's content: any change makes another version.
func (p Policy) Version() string { return digest(p) }

// Match reports whether the policy is for the set.
func (p Policy) Match(id SetID) bool {
	pattern, name := strings.ToLower(p.Pattern), id.Name()
	if strings.Contains(pattern, "/") {
		name = id.ResourceGroup() + "/" + name
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// PolicyFor returns the first policy that matches; a set that none matches is nobody's (deny).
func PolicyFor(policies []Policy, id SetID) Policy {
	if i := slices.IndexFunc(policies, func(p Policy) bool { return p.Match(id) }); i >= 0 {
		return policies[i]
	}
	return Policy{}
}

// Person is who spoke, as resolved from Slack when it was needed. The zero value is nobody and may
// nothing: what could not be resolved is denied (R23).
type Person struct {
	ID       string // Slack user id; never a name
	Team     string
	Name     string   // for showing only
	Groups   []string // user group ids; nil when they could not be read
	Unread   []string // user groups that could not be read: whether the person is in them is unknown
	Guest    bool     // restricted or ultra-restricted
	Bot      bool
	Deleted  bool
	Stranger bool   // from another workspace (Slack Connect)
	Zone     string // IANA name, for showing only
}

// unsure reports whether a group that the policy's approvers name could not be read for the person: a
// refusal may then be for want of knowing only.
func (p Policy) unsure(who Person) bool {
	return slices.ContainsFunc(p.Approvers, func(id string) bool { return slices.Contains(who.Unread, id) })
}

// Right is something a policy can permit.
type Right string

const (
	MayRead    Right = "read"
	MayRequest Right = "request"
	MayApprove Right = "approve"
	// MayApproveOwn is an approver's right to agree to their own request, where the policy has a delay for that.
	MayApproveOwn Right = "approve own"

	MayStop    Right = "stop"    // pause, deny, abort: whoever may start or agree may stop
	MayRecover Right = "recover" // agree to a rollback: the same people, the requester included (R5)
)

// Refuses returns "" when the person has the right on the policy's sets, else who has it, in
// words. requester is the user id of who asked for the rollout, "" outside of one: the requester
// may stop but never approve.
func (p Policy) Refuses(who Person, do Right, requester string) string {
	switch {
	case who.ID == "" || who.Deleted:
		return "a known member of this workspace"
	case who.Bot:
		return "a person (bots never count)"
	case who.Guest || who.Stranger:
		return "a full member of this workspace (guests and people of other workspaces never count)"
	case do == MayApprove && who.ID == requester:
		return "an approver other than the requester"
	case do == MayApproveOwn && p.SelfApproval == 0:
		return "an approver other than the requester (the policy has no self_approval)"
	}
	for _, list := range p.lists(do) {
		if names(list, who) {
			return ""
		}
	}
	return p.holders(do)
}

func (p Policy) lists(do Right) [][]string {
	switch do {
	case MayRead:
		return [][]string{p.Readers, p.Requesters, p.Approvers, p.Escalate}
	case MayRequest:
		return [][]string{p.Requesters}
	case MayApprove, MayApproveOwn:
		return [][]string{p.Approvers}
	case MayStop, MayRecover:
		return [][]string{p.Requesters, p.Approvers}
	}
	return nil
}

// calledIn is the policy as it stands once those who are called in when nobody answers are approvers, too.
func (p Policy) calledIn() Policy {
	p.Approvers = slices.Concat(p.Approvers, p.Escalate)
	return p
}

func (p Policy) holders(do Right) string {
	noun := map[Right]string{MayRead: "a reader", MayRequest: "a requester", MayApprove: "an approver", MayApproveOwn: "an approver", MayStop: "a requester or approver", MayRecover: "a requester or approver"}[do]
	if len(slices.Concat(p.lists(do)...)) == 0 {
		return noun + " (nobody is listed for this set in the configuration)"
	}
	return noun + " of this set"
}

func names(list []string, who Person) bool {
	return slices.ContainsFunc(list, func(id string) bool { return id == who.ID || slices.Contains(who.Groups, id) })
}

// least is the smaller of two, where zero says nothing.
func least[T int | time.Duration](a, b T) T {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// digest is the first 16 bytes of the SHA-256 of v's JSON, in hex. Struct fields and sorted map
// keys make the JSON canonical.
func digest(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("digest: " + err.Error()) // only types of this package, all of which marshal
	}
	return SumOf(b)
}

// SumOf is what [Plan.Sum] is of a plan that is written already.
func SumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// Span writes a length of time as people write it: 5m, 4h, 1h30m, 0s.
func Span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
