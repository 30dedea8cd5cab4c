package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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
)

// Target is the goal image, pinned when the plan is made. With Model set the set's model already
// says it (Terraform changed it) and the bot writes nothing to the model.
type Target struct {
	Image Image
	Model bool
}

// Selection narrows a plan to some instances; the zero value selects all.
type Selection struct {
	UpdateDomains []int
	Instances     []string // by id
}

// Takes reports whether the selection includes the instance.
func (s Selection) Takes(i Instance) bool {
	return (len(s.UpdateDomains) == 0 || slices.Contains(s.UpdateDomains, i.UpdateDomain)) &&
		(len(s.Instances) == 0 || slices.Contains(s.Instances, i.ID))
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
	From         Image
}

// Gate is what one person's yes covers: a named set of instances.
type Gate struct {
	Key       string // stable within the plan, such as "ud-0"
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
	SkipNoDomain    SkipReason = "in no update domain"
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
	From          Image // the model's image when the plan was made
	Gates         []Gate
	Skipped       []Skip
	Limits        Limits
	Policy        Policy // as in force when the plan was made
	UpgradeMode   UpgradeMode
	Sections      map[Section]string // the model's other sections when the plan was made
	Unique        string             // the set's uniqueId
	Undoes        string             // of a rollback: the rollout it takes back

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
	From        Image
	UpgradeMode UpgradeMode
	Sections    map[Section]string
	Unique      string
	Undoes      string `json:",omitempty"`
}

func (p Plan) digest() string {
	c := covered{p.Set, p.Action, p.Target, map[string][]string{}, nil, p.Limits, p.Policy.Version(), p.From, p.UpgradeMode, p.Sections, p.Unique, p.Undoes}
	for _, g := range p.Gates {
		c.Gates[g.Key] = g.IDs()
		c.Order = append(c.Order, g.Key)
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
	return i.Image.Same(t.Image)
}

// Wish is what a plan is made from, once the words of an [Ask] are resolved.
type Wish struct {
	Target  Target
	Pinned  string
	Which   Selection
	Limits  Limits
	Note    string
	By      string
	Hazards []string
	Undoes  string // the rollout that is taken back: older images are what is wanted then (R5)
}

func (w Wish) down(pol Policy) bool { return pol.Downgrades || w.Undoes != "" }

// NewPlan makes the plan for a wish from one complete reading of the set, or says why there can be
// none (R33, R35, R42, R44, R45).
func NewPlan(s ScaleSet, pol Policy, w Wish, now time.Time) (Plan, *Refusal) {
	if no := plannable(s, pol, w); no != nil {
		return Plan{}, no
	}
	p := Plan{
		Set: s.ID, Name: s.Name, ResourceGroup: s.ResourceGroup, Location: s.Location,
		Action: ActionUpgrade, Target: w.Target, From: s.Model.Image, Limits: w.Limits, Policy: pol,
		UpgradeMode: s.UpgradeMode, Sections: s.Model.Sections, Unique: s.Unique,
		By: w.By, At: now, Note: w.Note, Total: len(s.Instances), Available: len(s.Instances) - s.Unavailable(),
		Pinned: w.Pinned, Hazards: slices.Concat(hazards(s), w.Hazards),
	}
	if w.Undoes != "" {
		p.Action, p.Undoes = ActionRollback, w.Undoes
	}
	p.Leaves = s.Model.Leaves
	p.Downgrade = !w.Target.Model && older(w.Target.Image, standing(s))
	p.Gates, p.Skipped = gates(s, w, w.down(pol))
	if len(p.Gates) == 0 {
		return Plan{}, nothing(s, w, p.Skipped)
	}
	p.Pending = pending(s, p.Gates)
	p.Hazards = append(p.Hazards, wouldWait(s, p)...)
	p.Digest = p.digest()
	return p, nil
}

func gates(s ScaleSet, w Wish, down bool) ([]Gate, []Skip) {
	byDomain := map[int][]Member{}
	var skipped []Skip
	for _, i := range s.Instances {
		if !w.Which.Takes(i) {
			continue
		}
		if why := skip(i, w.Target, down); why != "" {
			if why == SkipCurrent && !i.Available() && i.Power != Deallocated {
				why = SkipIll
			}
			skipped = append(skipped, Skip{i.ID, why})
			continue
		}
		byDomain[i.UpdateDomain] = append(byDomain[i.UpdateDomain], Member{i.ID, i.UpdateDomain, i.FaultDomain, i.Zone, i.Image})
	}
	var out []Gate
	for _, ud := range s.Domains() {
		if members := byDomain[ud]; len(members) > 0 {
			out = append(out, Gate{udKey(ud), udTitle(ud), members})
		}
	}
	return out, skipped
}

// skip is why an instance is passed by, "" if it is not. down says whether the policy permits
// downgrades: without, an instance on a newer version is never taken back, whatever the model says.
func skip(i Instance, t Target, down bool) SkipReason {
	switch {
	case i.Provisioning == Deleting:
		return SkipDeleting
	case t.Current(i):
		return SkipCurrent
	case i.Protected:
		return SkipProtected
	case i.Power == Deallocated:
		return SkipDeallocated
	case !down && older(t.Image, i.Image):
		return SkipNewer
	case i.UpdateDomain < 0:
		return SkipNoDomain
	}
	return ""
}

func nothing(s ScaleSet, w Wish, skipped []Skip) *Refusal {
	reasons := map[SkipReason]int{}
	for _, k := range skipped {
		reasons[k.Reason]++
	}
	var parts []string
	for _, why := range []SkipReason{SkipCurrent, SkipIll, SkipProtected, SkipDeallocated, SkipNewer, SkipNoDomain, SkipDeleting} {
		if n := reasons[why]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, why))
		}
	}
	return Refuse(CodeNothing, "/vmss show "+s.Name, "nothing to do on %s for %s: %s", s.Name, w.Target.Image, cmp.Or(strings.Join(parts, " · "), "the set has no instances"))
}

// plannable holds the refusals of plan time, each with its smallest remedy.
func plannable(s ScaleSet, pol Policy, w Wish) *Refusal {
	show := "/vmss show " + s.Name
	switch {
	case s.Mode == Flexible:
		return Refuse(CodePolicy, show, "%s is a Flexible scale set: it has no update domains to go by", s.Name)
	case s.UpgradeMode != Manual:
		return Refuse(CodePolicy, show, "%s has upgrade mode %s: Azure would upgrade instances by itself as soon as the image changes. Smallest change: set its upgradePolicy.mode to Manual", s.Name, s.UpgradeMode)
	case s.AutoOSUpgrade:
		return Refuse(CodePolicy, show, "%s has automatic OS upgrades on: Azure would roll images out by itself. Smallest change: set enableAutomaticOSUpgrade to false", s.Name)
	case s.Rolling:
		return Refuse(CodePolicy, show, "a rolling upgrade of Azure's own is running on %s: wait for it or cancel it", s.Name)
	case s.Owner != "":
		return managed(s)
	case s.Provisioning == Deleting:
		return Refuse(CodePolicy, show, "%s is being deleted", s.Name)
	case len(s.Instances) == 0:
		return nothing(s, w, nil)
	case w.Limits.MaxUnavailable < 1:
		return Refuse(CodePolicy, show+" policy", "with max-unavailable 0 nothing can ever be upgraded. Smallest change: max-unavailable=1")
	case w.Limits.BatchCap < 1:
		return Refuse(CodePolicy, show+" policy", "with a batch cap of %d nothing can ever be upgraded. Smallest change: a cap of 1 in the set's policy", w.Limits.BatchCap)
	}
	if no := knownDomains(s, w.Which); no != nil {
		return no
	}
	return allowed(s, pol, w)
}

func managed(s ScaleSet) *Refusal {
	return Refuse(CodePolicy, "/vmss show "+s.Name, "%s is managed by %s: upgrade it there", s.Name, s.Owner)
}

func knownDomains(s ScaleSet, which Selection) *Refusal {
	have := s.Domains()
	for _, ud := range which.UpdateDomains {
		if !slices.Contains(have, ud) {
			return Refuse(CodeArg, fmt.Sprintf("/vmss show %s", s.Name), "I do not know ud=%d: %s has %s", ud, s.Name, domainList(have))
		}
	}
	return nil
}

func domainList(have []int) string {
	switch {
	case len(have) == 0:
		return "no update domains"
	case len(have) > 1 && have[len(have)-1]-have[0] == len(have)-1:
		return fmt.Sprintf("UD %d-%d", have[0], have[len(have)-1])
	}
	words := make([]string, len(have))
	for i, ud := range have {
		words[i] = fmt.Sprint(ud)
	}
	return "UD " + strings.Join(words, ", ")
}

// allowed keeps a plan to images the set may run: by default the family it runs now.
func allowed(s ScaleSet, pol Policy, w Wish) *Refusal {
	families, t := pol.AllowedImages, w.Target
	if len(families) == 0 {
		families = []string{s.Model.Image.Family()}
	}
	known := slices.ContainsFunc(families, func(f string) bool { return strings.EqualFold(f, t.Image.Family()) })
	if !known && w.Undoes == "" { // the image before was allowed when it was rolled out
		return Refuse(CodePolicy, "/vmss show "+s.Name+" policy", "%s is not an image %s may run (allowed: %s)", t.Image.Family(), s.Name, strings.Join(families, ", "))
	}
	if is := standing(s); !t.Model && older(t.Image, is) && !w.down(pol) {
		return Refuse(CodePolicy, "/vmss show "+s.Name+" policy", "%s is older than %s, which %s is on: the set's policy permits no downgrades", t.Image, is, s.Name)
	}
	return nil
}

// standing is the image a set is on, as far as older and newer go: its model's, or, for a model that
// follows latest, the newest that an instance runs (R43).
func standing(s ScaleSet) Image {
	is := s.Model.Image
	if !is.Platform() || is.Version != Latest {
		return is
	}
	is.Version = ""
	for _, i := range s.Instances {
		if i.Image.Family() == is.Family() && CompareVersions(i.Image.Running(), is.Version) > 0 {
			is.Version = i.Image.Running()
		}
	}
	return is
}
