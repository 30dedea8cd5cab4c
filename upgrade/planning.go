package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Wish is what a plan is made from, once the words of an [Ask] are resolved.
type Wish struct {
	Target  Target
	Pinned  string
	Past    Took // how long batches of the set took; zero = nothing is known
	Which   Selection
	Order   Order
	Limits  Limits
	Note    string
	By      string
	Hazards []string
	Window  string
	After   time.Time
	Undoes  string // the rollout that is taken back: older images are what is wanted then (R5)
}

func (w Wish) down(pol Policy) bool { return pol.Downgrades || w.Undoes != "" }

// NewPlan makes the plan for a wish from one complete reading of the set, or says why there can be
// none (R33, R35, R42, R44, R45).
func NewPlan(s ScaleSet, pol Policy, w Wish, now time.Time) (Plan, *Refusal) {
	if no := plannable(s, pol, w); no != nil {
		return Plan{}, no
	}
	w.Order = w.Order.or(s)
	p := Plan{
		Set: s.ID, Name: s.Name, ResourceGroup: s.ResourceGroup, Location: s.Location,
		Action: w.action(), Target: w.Target, From: w.Target.of(s.Model), Limits: w.limits(len(s.Instances)), Policy: pol,
		UpgradeMode: s.UpgradeMode, Sections: s.Model.Sections, Beside: w.Target.beside(s.Model), Unique: s.Unique, Undoes: w.Undoes,
		Which: w.Which, Order: w.Order, Leaves: s.Model.Leaves,
		By: w.By, At: now, Note: w.Note, Total: len(s.Instances), Available: len(s.Instances) - s.Unavailable(),
		Pinned: w.Pinned, Batch: cmp.Or(w.Past.P90, expected(s)), Measured: w.Past.Batches, Window: w.Window, After: w.After,
	}
	p.Downgrade = !w.Target.Model && older(w.Target.Image, standing(s))
	p.Gates, p.Skipped, p.Rest = divide(s, w, p.Limits, w.down(pol))
	switch n := p.Size(); {
	case n == 0:
		return Plan{}, nothing(s, w, p.Skipped)
	case n > 1 && w.Order.Canary >= n:
		return Plan{}, Refuse(CodeArg, "/vmss help upgrade", "%d canaries are all that is to be upgraded: one yes would cover everything. Smallest change: canary=1", n)
	}
	if no := behind(s, p); no != nil {
		return Plan{}, no
	}
	if no := schedulable(s, p, now); no != nil {
		return Plan{}, no
	}
	p.Pending = pending(s, p.Gates, w.Target)
	p.Hazards = slices.Concat(hazards(s, p.Target), w.Hazards, wouldWait(s, p))
	p.Digest = p.digest()
	return p, nil
}

func (w Wish) action() Action {
	switch {
	case w.Undoes != "":
		return ActionRollback
	case w.Target.Size != "":
		return ActionResize
	}
	return ActionUpgrade
}

// limits: a number of instances that was asked for bounds a call; of gates by batch it is the gate.
func (w Wish) limits(total int) Limits {
	l := w.Limits
	if n := w.Order.Batch.Of(total); n > 0 && w.Order.By != ByBatch {
		l.BatchCap = min(l.BatchCap, n)
	}
	return l
}

// divide makes gates of the instances that are wanted, says why it passes others by, and lists all that are in no gate.
func divide(s ScaleSet, w Wish, l Limits, down bool) (gates []Gate, skipped []Skip, rest []Member) {
	var members []Member
	ill := map[string]bool{}
	for _, i := range s.Instances {
		m := member(i, w.Target)
		wanted := w.Which.Takes(i)
		why := w.skip(i, down)
		if wanted && why != "" {
			skipped = append(skipped, Skip{i.ID, why})
		}
		if !wanted || why != "" {
			rest = append(rest, m)
			continue
		}
		members, ill[i.ID] = append(members, m), !i.Available()
	}
	size := w.Order.Batch.Of(len(s.Instances))
	if size == 0 {
		size = min(l.MaxUnavailable, l.BatchCap)
	}
	return w.Order.gates(members, func(m Member) bool { return ill[m.ID] }, size), skipped, rest
}

// skip is why a plan passes an instance by, "" if it does not.
func (w Wish) skip(i Instance, down bool) SkipReason {
	why := skip(i, w.Target, down)
	switch {
	case why == SkipCurrent && !i.Available() && i.Power != Deallocated:
		return SkipIll
	case why == "" && slices.Contains(w.Which.Skip, i.ID):
		return SkipAsked
	case why == "" && w.Order.lacks(i):
		return SkipNoDomain
	}
	return why
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
	case i.Power == Deallocated && i.Spot:
		return SkipEvicted
	case i.Power == Deallocated:
		return SkipDeallocated
	case !down && t.Size == "" && older(t.Image, i.Image):
		return SkipNewer
	}
	return ""
}

func nothing(s ScaleSet, w Wish, skipped []Skip) *Refusal {
	reasons := map[SkipReason]int{}
	for _, k := range skipped {
		reasons[k.Reason]++
	}
	var parts []string
	for _, why := range []SkipReason{SkipCurrent, SkipIll, SkipProtected, SkipDeallocated, SkipEvicted, SkipNewer, SkipNoDomain, SkipDeleting, SkipAsked} {
		if n := reasons[why]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, why))
		}
	}
	why := "no instance is in all that was chosen"
	if len(s.Instances) == 0 {
		why = "the set has no instances"
	}
	return Refuse(CodeNothing, "/vmss show "+s.Name, "nothing to do on %s for %s: %s", s.Name, w.Target, cmp.Or(strings.Join(parts, " · "), why))
}

// behind refuses a resize of instances that would get another image with it: people are promised that
// disks stay, and manualupgrade knows no half measures (R41).
func behind(s ScaleSet, p Plan) *Refusal {
	var ids []string
	for _, g := range p.Gates {
		for _, m := range g.Instances {
			if i, _ := s.Instance(m.ID); !i.Image.Same(s.Model.Image) {
				ids = append(ids, m.ID)
			}
		}
	}
	switch {
	case p.Target.Size == "":
		return nil
	case s.Model.Image.Follows():
		return Refuse(CodePolicy, fmt.Sprintf("/vmss upgrade %s latest", s.Name), "the model of %s follows latest: with its size each instance could get the newest image, too, and a new OS disk. Smallest change: pin the image first", s.Name)
	case len(ids) > 0:
		slices.SortFunc(ids, CompareIDs)
		return Refuse(CodePolicy, fmt.Sprintf("/vmss upgrade %s model", s.Name), "%s not on the model's image %s: with the size they would get that image, too, and a new OS disk. Smallest change: upgrade them first, or leave them out with skip=", Instances(ids)+" "+are(ids), s.Model.Image)
	}
	return nil
}

// plannable holds the refusals of plan time, each with its smallest remedy.
func plannable(s ScaleSet, pol Policy, w Wish) *Refusal {
	policy := "/vmss show " + s.Name + " policy"
	if no := Drivable(s); no != nil {
		return no
	}
	switch {
	case len(s.Instances) == 0:
		return nothing(s, w, nil)
	case w.Target.Size != "" && s.Model.Size == "":
		return Refuse(CodePolicy, "/vmss show "+s.Name, "the model of %s names no one VM size, as a mix of several does not: nothing could put that back", s.Name)
	case w.Limits.OnFailure == RollbackOnFailure && w.Target.Model:
		return Refuse(CodeArg, "", "with target model there is no rollback: somebody else writes the model. Smallest change: on-failure=abort")
	case w.Limits.MaxUnavailable < 1:
		return Refuse(CodePolicy, policy, "with max-unavailable 0 nothing can ever be upgraded. Smallest change: max-unavailable=1")
	case w.Limits.BatchCap < 1:
		return Refuse(CodePolicy, policy, "with a batch cap of %d nothing can ever be upgraded. Smallest change: a cap of 1 in the set's policy", w.Limits.BatchCap)
	}
	if no := choosable(s, w); no != nil {
		return no
	}
	return allowed(s, pol, w)
}

// Drivable is why a set cannot be rolled by the bot as it is, and the smallest change that helps; nil
// when nothing of the set itself is in the way (R35, R45).
func Drivable(s ScaleSet) *Refusal {
	show := "/vmss show " + s.Name
	switch {
	case s.Owner != "":
		return Refuse(CodePolicy, show, "%s is managed by %s: upgrade it there", s.Name, s.Owner)
	case s.UpgradeMode != Manual:
		return Refuse(CodePolicy, show, "%s has upgrade mode %s: Azure would upgrade instances by itself as soon as the image changes. Smallest change: set its upgradePolicy.mode to Manual", s.Name, s.UpgradeMode)
	case s.AutoOSUpgrade:
		return Refuse(CodePolicy, show, "%s has automatic OS upgrades on: Azure would roll images out by itself. Smallest change: set enableAutomaticOSUpgrade to false", s.Name)
	case s.Rolling:
		return Refuse(CodePolicy, show, "a rolling upgrade of Azure's own is running on %s: wait for it or cancel it", s.Name)
	case s.Provisioning == Deleting:
		return Refuse(CodePolicy, show, "%s is being deleted", s.Name)
	}
	return nil
}

// allowed keeps a plan to images the set may run, and to those that are not older than what it is on.
func allowed(s ScaleSet, pol Policy, w Wish) *Refusal {
	t := w.Target
	if t.Size != "" {
		return nil
	}
	if no := permitted(s, pol, t); no != nil && w.Undoes == "" { // the image before was allowed when it was rolled out
		return no
	}
	if is := standing(s); !t.Model && older(t.Image, is) && !w.down(pol) {
		return Refuse(CodePolicy, "/vmss show "+s.Name+" policy", "%s is older than %s, which %s is on: the set's policy permits no downgrades", t.Image, is, s.Name)
	}
	return nil
}

// permitted refuses images that the set may not run: by default those of another family than it runs now.
// A VHD must be permitted by name: such disks are a thing of the past, and the bot knows nothing about
// what is in them.
func permitted(s ScaleSet, pol Policy, t Target) *Refusal {
	families := pol.families(t, s.Model.Image)
	if slices.ContainsFunc(families, t.Image.within) {
		return nil
	}
	return Refuse(CodePolicy, "/vmss show "+s.Name+" policy", "%s is not an image %s may run (allowed: %s). Smallest change: name it under allowed_images in the set's policy", t.Image.Family(), s.Name, cmp.Or(strings.Join(families, ", "), "none"))
}

// families are what a set that runs an image may go to: what the policy lists, else the same family.
func (p Policy) families(t Target, runs Image) []string {
	if len(p.AllowedImages) == 0 && (t.Image.Kind() != KindVHD || t.Model) {
		return []string{runs.Family()}
	}
	return p.AllowedImages
}

// permits reports whether a set that ran an image when its plan was made may go to the plan's target.
func (p Policy) permits(t Target, ran Image) bool {
	return t.Model || slices.ContainsFunc(p.families(t, ran), t.Image.within)
}

// within reports whether a word of an allow-list permits the image: its family, or the beginning of
// it before an asterisk.
func (i Image) within(word string) bool {
	family := i.Family()
	if i.URI != "" && !strings.HasPrefix(word, "https://") {
		return false // a VHD is permitted by name only
	}
	if start, some := strings.CutSuffix(word, "*"); some {
		return len(family) >= len(start) && strings.EqualFold(family[:len(start)], start)
	}
	return family != "" && strings.EqualFold(word, family)
}

// standing is the image a set is on, as far as older and newer go: its model's, or, for a model that
// follows latest, the newest that an instance runs (R43).
func standing(s ScaleSet) Image {
	is := s.Model.Image
	if !is.Follows() {
		return is
	}
	newest := ""
	for _, i := range s.Instances {
		if i.Image.Family() == is.Family() && CompareVersions(i.Image.Running(), newest) > 0 {
			newest = i.Image.Running()
		}
	}
	if newest == "" {
		return Image{} // nothing is known to be older or newer
	}
	return is.At(newest)
}
