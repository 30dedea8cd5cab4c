package upgrade

import (
	"slices"
	"time"
)

// Action is what a plan does to its instances. Every write of any verb is a plan.
type Action string

const (
	// ActionUpgrade brings instances to the target image with manualupgrade.
	ActionUpgrade Action = "upgrade"
	// ActionRollback takes instances that another rollout has upgraded back to the image before, last
	// first: the recovery direction (R5).
	ActionRollback Action = "rollback"
	// ActionResize gives instances another VM size, also with manualupgrade: they keep their disks.
	ActionResize Action = "resize"
)

// Target is the goal: an image, pinned when the plan is made, or a VM size. With Model set the set's
// model already says it (Terraform changed it) and the bot writes nothing to the model.
type Target struct {
	Setting `json:"Image"`
	Model   bool
}

// Limits are the numbers a rollout keeps to, fixed in its plan. MaxUnavailable is a count here,
// worked out from the set's size.
type Limits struct {
	MaxUnavailable int
	BatchCap       int
	MaxFailures    int
	OnFailure      OnFailure
	Soak           time.Duration
	Bake           time.Duration
	Deadline       time.Duration
}

// Member is one instance of a gate as it was when the plan was made.
type Member struct {
	ID           string
	UpdateDomain int
	FaultDomain  int
	Zone         string
	Placement    string `json:",omitempty"`
	From         Setting
}

func member(i Instance, t Target) Member {
	return Member{i.ID, i.UpdateDomain, i.FaultDomain, i.Zone, i.Placement, t.In(i)}
}

// Gate is what one person's yes covers: a named set of instances.
type Gate struct {
	Key       string // stable within the plan, such as "ud-0", "zone-1", "batch-2", "canary"
	Title     string // as people say it, such as "UD 0"
	Instances []Member
}

// IDs returns the gate's instance ids in order.
func (g Gate) IDs() []string {
	ids := make([]string, len(g.Instances))
	for i, m := range g.Instances {
		ids[i] = m.ID
	}
	return ids
}

// Skip is why an instance that was selected is in no gate.
type Skip struct {
	ID     string
	Reason SkipReason
}

// SkipReason is one of the few reasons to pass an instance by.
type SkipReason string

const (
	SkipCurrent     SkipReason = "already current"
	SkipIll         SkipReason = "on the image, but not well" // an upgrade would do nothing to it
	SkipProtected   SkipReason = "protected"
	SkipDeallocated SkipReason = "deallocated"
	SkipEvicted     SkipReason = "evicted, or deallocated (Spot)"
	SkipNoDomain    SkipReason = "in no domain that Azure tells"
	SkipAsked       SkipReason = "left out, as asked for"
	SkipDeleting    SkipReason = "being deleted"
	SkipNewer       SkipReason = "on a newer version" // unless the policy permits downgrades
)

// Plan is what a rollout means to do, said once and never changed. What people agree to is its
// Digest (R20).
type Plan struct {
	Digest        string
	Set           SetID
	Name          string
	ResourceGroup string
	Location      string
	Action        Action
	Target        Target
	From          Setting // what the model named when the plan was made
	Gates         []Gate
	Skipped       []Skip
	Limits        Limits
	Policy        Policy // as in force when the plan was made
	UpgradeMode   UpgradeMode
	Sections      map[Section]string // the model's other sections when the plan was made
	Beside        Setting            `json:",omitzero"` // what the model named and the plan does not set: its size, or of a resize its image
	Which         Selection          `json:",omitzero"`
	Order         Order              `json:",omitzero"`
	Unique        string             // the set's uniqueId
	Undoes        string             // of a rollback: the rollout it takes back
	Window        string             `json:",omitempty"` // the one of the policy's that it may start in; "" = any of them
	After         time.Time          `json:",omitzero"`  // before it nothing starts

	// What follows is told to people but not part of the digest.
	By        string // user id
	At        time.Time
	Note      string
	Total     int // instances of the set
	Available int // of these, serving
	Downgrade bool
	Pinned    string // the word that was pinned ("latest"), "" if a version was given
	Pending   []string
	Hazards   []string
	Leaves    map[string]string // Model.Leaves when the plan was made
	Rest      []Member          `json:",omitempty"` // the set's other instances; nil in plans older than their keeping
	Batch     time.Duration     `json:",omitempty"` // what one call is expected to take; see [Plan.Foretell]
	Measured  int               `json:",omitempty"` // on so many batches of the set; 0 = Batch is a cautious guess
}

// covered is what the digest is taken over.
type covered struct {
	Set         SetID
	Action      Action
	Target      Target
	Gates       map[string][]string
	Order       []string
	Limits      Limits
	Policy      string
	From        Setting
	UpgradeMode UpgradeMode
	Sections    map[Section]string
	Unique      string
	Undoes      string            `json:",omitempty"`
	Beside      Setting           `json:",omitzero"`
	By          By                `json:",omitempty"`
	Approve     Together          `json:",omitempty"`
	Window      string            `json:",omitempty"`
	After       time.Time         `json:",omitzero"`
	Places      map[string]string `json:",omitempty"` // of members, where the plan goes by more than what their gate is called
}

func (p Plan) digest() string {
	c := covered{Set: p.Set, Action: p.Action, Target: p.Target, Gates: map[string][]string{}, Places: map[string]string{}, Limits: p.Limits, Policy: p.Policy.Version(),
		From: p.From, UpgradeMode: p.UpgradeMode, Sections: p.Sections, Unique: p.Unique, Undoes: p.Undoes, Beside: p.Beside, By: p.Order.By, Approve: p.Order.Approve, Window: p.Window, After: p.After}
	for _, g := range p.Gates {
		c.Gates[g.Key] = g.IDs()
		c.Order = append(c.Order, g.Key)
		for _, m := range g.Instances {
			if at := p.place(m); at != "" && at != g.Title {
				c.Places[m.ID] = at
			}
		}
	}
	return digest(c)
}

// Down reports whether an instance may be taken to an older version.
func (p Plan) Down() bool { return p.Policy.Downgrades || p.Action == ActionRollback }

// Agreement is what a gate takes: the right to say yes, and how many people who have it, under the
// plan's policy and the one in force. A rollback takes one person of any kind, also the one who asked
// for it: it is the way out of trouble (R5).
func (p Plan) Agreement(inForce Policy) (Right, int) {
	if p.Action == ActionRollback {
		return MayRecover, 1
	}
	return MayApprove, max(1, p.Policy.Approvals, inForce.Approvals)
}

// Sum is over all of the plan as a journal keeps it, told to people or not. The fact that brings the plan
// carries it, so that the plan can no more be changed afterwards than the fact.
func (p Plan) Sum() string { return digest(p) }

// Short is the digest's beginning, as shown to people.
func (p Plan) Short() string { return p.Digest[:min(4, len(p.Digest))] }

// Size is the number of instances to upgrade.
func (p Plan) Size() int {
	n := 0
	for _, g := range p.Gates {
		n += len(g.Instances)
	}
	return n
}

// Gate returns the gate with that key and its index; -1 when there is none.
func (p Plan) Gate(key string) (Gate, int) {
	i := slices.IndexFunc(p.Gates, func(g Gate) bool { return g.Key == key })
	if i < 0 {
		return Gate{}, -1
	}
	return p.Gates[i], i
}

// Member returns the plan's record of an instance and the gate it is in.
func (p Plan) Member(id string) (Member, Gate, bool) {
	for _, g := range p.Gates {
		for _, m := range g.Instances {
			if m.ID == id {
				return m, g, true
			}
		}
	}
	return Member{}, Gate{}, false
}

// Current reports whether an instance already is where the target wants it. For target "model"
// everything pending counts, not only the image.
func (t Target) Current(i Instance) bool {
	if t.Model && !i.LatestModel {
		return false
	}
	return t.In(i).Same(t.Setting)
}

// beside is what the model names and the target does not set, and manualupgrade would apply all the same.
func (t Target) beside(m Model) Setting {
	if t.Size != "" {
		return Setting{Image: m.Image}
	}
	return Setting{Size: m.Size}
}

// Named reports whether the model names the target.
func (t Target) Named(m Model) bool { return t.of(m).Same(t.Setting) }
