package upgrade

import (
	"fmt"
	"slices"
	"strings"
)

// The blockers that take a person's word, and the two that come from outside of Azure.

// failure: failed instances beyond the budget, or a write Azure definitely refused (R1, R29).
func failure(v view) *Blocker {
	switch f := v.r.Refusal; {
	case v.tooMany():
		broken := v.r.In(Broken)
		what := fmt.Sprintf("%s failed (max-failures %d)", Instances(broken), v.limits().MaxFailures)
		if i := v.r.Instances[broken[0]]; len(broken) == 1 {
			what += ": " + i.why()
		}
		return &Blocker{Reason: ReasonFailure, What: what, Details: v.why(broken), Clears: "a requester or approver", Next: "/vmss retry " + v.r.ID,
			Also: append([]string{v.about("quarantine", broken, `"why"`), v.about("skip", broken), v.evidenceCommand()}, v.giveUp()...)}
	case f != nil && f.Until.IsZero():
		return &Blocker{Reason: ReasonFailure, What: fmt.Sprintf("Azure refused %s: %s", describe(v.r.RefusedOp), inWords(f.Code, f.Message)),
			Details: []string{f.Code + ": " + f.Message}, Clears: "a requester or approver, once its cause is gone", Next: "/vmss retry " + v.r.ID, Also: v.refusedWays()}
	}
	return nil
}

func (v view) tooMany() bool { return len(v.r.In(Broken)) > max(0, v.limits().MaxFailures) }

// refusedWays are the ways out of a refusal beside trying again.
func (v view) refusedWays() []string {
	if op := v.r.RefusedOp; op.Kind.OnInstances() && len(op.Instances) > 0 {
		return []string{v.about("skip", op.Instances), v.abortCommand()}
	}
	return []string{v.abortCommand()}
}

// unclear: the time of instances is up, and nothing tells whether they are well (R29).
func unclear(v view) *Blocker {
	ids := v.r.In(Unclear)
	if len(ids) == 0 {
		return nil
	}
	return &Blocker{Reason: ReasonUnclear, What: fmt.Sprintf("nothing tells whether %s %s well", Instances(ids), are(ids)), Details: v.why(ids),
		Clears: "the health source, or an approver who looks", Next: v.about("resolve", ids, `ok "why"`),
		Also: []string{v.about("resolve", ids, `failed "why"`), v.about("quarantine", ids, `"why"`), v.about("retry", ids), v.evidenceCommand(), v.abortCommand()}}
}

// mostDetailed is how many instances have a line of their own; people see how many more there are.
const mostDetailed = 50

// why has a line for each instance: Azure's reason in a sentence, else as it was told.
func (v view) why(ids []string) []string {
	var out []string
	for n, id := range ids {
		if n == mostDetailed {
			return append(out, fmt.Sprintf("and %s more", Count(len(ids)-n, "instance")))
		}
		line := fmt.Sprintf("%s: %s", id, v.r.Instances[id].why())
		if said := v.r.Instances[id].own(); said != "" {
			line += " Azure says: " + said
		}
		if v.wellNow(id) {
			line += ". It is well by now: retry confirms that and touches nothing"
		}
		out = append(out, line)
	}
	return out
}

func (v view) wellNow(id string) bool {
	if v.seen.Set == nil {
		return false
	}
	i, present := v.seen.Set.Instance(id)
	return present && i.Available() && v.p.Target.Current(i)
}

// why is Azure's reason for where the instance stands in a sentence, else as it was told.
func (i InstanceStatus) why() string {
	if Sentence(i.Code, i.Detail) != "" {
		return inWords(i.Code, i.Detail)
	}
	return i.Detail
}

// own is what Azure said in its own words where a sentence stands for it: of a long one the end, where
// Azure has the cause.
func (i InstanceStatus) own() string {
	const most = 120
	r := []rune(i.Detail)
	switch {
	case Sentence(i.Code, i.Detail) == "":
		return ""
	case len(r) > most:
		return "… " + string(r[len(r)-most:])
	}
	return i.Detail
}

// inWords is Azure's reason in a sentence, with the code that people search for, where it is known, else
// in Azure's own words.
func inWords(code, message string) string {
	if s := Sentence(code, message); s != "" {
		return s + " (" + code + ")"
	}
	return strings.TrimSpace(code + ": " + message)
}

// drift compares the set with the plan (R34): the etag is not compared, it serves as If-Match only.
func drift(v view) *Blocker {
	if _, _, open := v.r.CurrentGate(v.p); !open || v.seen.Set == nil || v.r.Op != nil {
		return nil // nothing will be written any more that the change could spoil
	}
	if b := v.forbidden(); b != nil {
		return b
	}
	diffs := v.drifted()
	if len(diffs) == 0 {
		return nil
	}
	changes := changedLeaves(v.p.Leaves, v.seen.Set.Model.Leaves)
	if len(changes) == 0 && v.p.Leaves != nil && len(ChangedSections(v.p, *v.seen.Set)) > 0 {
		changes = []string{"only the order of a list in the model"}
	}
	b := &Blocker{Reason: ReasonDrift, What: "the set is not as planned: " + strings.Join(diffs, "; "), Clears: "whoever changed it, by putting it back",
		Details: changes, Next: v.abortCommand()}
	if _, no := Replan(v.p, v.r, *v.seen.Set, v.seen.Policy, v.now); no == nil {
		b.Clears += "; or a requester or approver, by a new plan or an abort"
		b.Next, b.Also = "/vmss replan "+v.r.ID, []string{v.abortCommand()}
	} else {
		b.Clears += "; or a requester or approver, by an abort"
	}
	return b
}

// forbidden: the policy in force no longer permits what the plan does: its image, or an older version (R21, R45).
// The way back is exempt: it is the way out of trouble, and the image before was permitted once (R5).
func (v view) forbidden() *Blocker {
	t, pol := v.p.Target, v.seen.Policy
	if v.p.Action == ActionRollback || t.Size != "" {
		return nil
	}
	what := ""
	if !pol.permits(t, v.p.From.Image) {
		what = fmt.Sprintf("the policy no longer permits %s", t.Image.Family())
	}
	if !pol.Downgrades && v.p.Policy.Downgrades {
		for _, i := range v.seen.Set.Instances {
			if _, _, planned := v.p.Member(i.ID); planned && v.r.Instances[i.ID].State == Waiting && skip(i, t, false) == SkipNewer {
				what = fmt.Sprintf("the policy no longer permits downgrades, and instance %s is on %s", i.ID, i.Image)
			}
		}
	}
	if what == "" {
		return nil
	}
	return &Blocker{Reason: ReasonPolicy, What: what, Clears: "whoever runs the bot, by permitting it again; or a requester or approver, by an abort", Next: "/vmss show " + v.p.Name + " policy", Also: []string{v.abortCommand()}}
}

func (v view) drifted() []string {
	var out []string
	s := v.seen.Set
	for _, want := range []Setting{v.ours(), v.p.Beside} {
		if is := want.of(s.Model); want != (Setting{}) && !is.Same(want) {
			out = append(out, fmt.Sprintf("the model's %s is %s, not %s", want.noun(), is, want))
		}
	}
	if s.UpgradeMode != v.p.UpgradeMode {
		out = append(out, fmt.Sprintf("the upgrade mode is %s, not %s", s.UpgradeMode, v.p.UpgradeMode))
	}
	if s.Rolling {
		out = append(out, "a rolling upgrade of Azure's own is running")
	}
	if v.p.Unique != "" && s.Unique != "" && s.Unique != v.p.Unique {
		out = append(out, "the scale set was deleted and another one made with its name")
	}
	if s.AutoOSUpgrade {
		out = append(out, "automatic OS upgrades were turned on")
	}
	out = append(out, v.moved()...)
	for _, section := range ChangedSections(v.p, *s) {
		if section.Stops() {
			out = append(out, "the model's "+string(section)+" was changed")
		}
	}
	return out
}

// ours is what the model must name: what we set, or what it named when the plan was made.
func (v view) ours() Setting {
	if v.r.Model.Set && !v.r.Model.Reverted {
		return v.r.Model.To
	}
	return v.p.From
}

// moved lists instances that were agreed to as part of one domain and are in another now.
func (v view) moved() []string {
	var out []string
	for _, g := range v.p.Gates {
		for _, m := range g.Instances {
			i, present := v.seen.Set.Instance(m.ID)
			if !present || v.r.Instances[m.ID].State != Waiting {
				continue
			}
			if how := v.p.moved(m, i); how != "" {
				out = append(out, fmt.Sprintf("instance %s moved %s", m.ID, how))
			}
		}
	}
	return out
}

// ChangedSections lists the sections of the model that differ from the plan's, in a fixed order.
func ChangedSections(p Plan, s ScaleSet) []Section { return changed(p.Sections, s.Model.Sections) }

func changed(was, is map[Section]string) []Section {
	var out []Section
	for _, section := range []Section{SectionOSProfile, SectionNetwork, SectionIdentity, SectionExtensions, SectionOther} {
		if was[section] != is[section] {
			out = append(out, section)
		}
	}
	return out
}

// mostLeaves is how many changed settings are listed; people see how many more there are.
const mostLeaves = 12

// changedLeaves lists the settings of the model that were changed, by path: never a value, as some are
// secrets. There are none for a plan that is older than their keeping.
func changedLeaves(was, is map[string]string) []string {
	if was == nil || is == nil {
		return nil
	}
	var out []string
	for path, digest := range is {
		switch before, known := was[path]; {
		case !known:
			out = append(out, path+" was added")
		case before != digest:
			out = append(out, path+" was changed")
		}
	}
	for path := range was {
		if _, still := is[path]; !still {
			out = append(out, path+" was removed")
		}
	}
	slices.Sort(out)
	if more := len(out) - mostLeaves; more > 0 {
		out = append(out[:mostLeaves], fmt.Sprintf("and %s more", Count(more, "setting")))
	}
	return out
}

// givesUp: the plan ends the rollout for failures that are too many. What somebody has said since about
// such a failure does not undo that: it counts again. While somebody has paused the rollout it is not ended
// by itself: they look into something, and a rollout back would not be paused (R1).
func (v view) givesUp() bool {
	o := v.limits().OnFailure
	return v.r.Pause == nil && (o == AbortOnFailure || o == RollbackOnFailure)
}

// channel: nothing starts that people would not see (R19). What is in flight is followed to its end.
func channel(v view) *Blocker {
	u := v.seen.Unheard
	if u.Since.IsZero() || !u.Sure && v.now.Sub(u.Since) < v.seen.Pace.Unheard {
		return nil
	}
	what := fmt.Sprintf("people have not seen what I say since %s: %s", DateToken(u.Since), u.Why)
	if u.Sure {
		what = "people do not see what I say: " + u.Why
	}
	return &Blocker{Reason: ReasonChannel, What: what,
		Clears: "Slack, or whoever invites me to the channel again", Next: "/invite @vmssbot"}
}

// mostNamed is how long a list of instances in a command may be: a whole command has 2,000 characters.
const mostNamed = 1500

// about is a command about instances. More than a command holds are left out: the verb asks for them then.
func (v view) about(verb string, ids []string, more ...string) string {
	words := []string{"/vmss", verb, v.r.ID}
	if vm := "vm=" + strings.Join(ids, ","); len(vm) <= mostNamed {
		words = append(words, vm)
	}
	return strings.Join(append(words, more...), " ")
}

// giveUp are the ways out that end the rollout: what can be rolled back may be.
func (v view) giveUp() []string {
	if v.p.Action == ActionRollback || v.p.Target.Model || len(v.r.touched()) == 0 {
		return []string{v.abortCommand()}
	}
	return []string{"/vmss rollback " + v.r.ID, v.abortCommand()}
}

func (v view) abortCommand() string    { return fmt.Sprintf("/vmss abort %s \"reason\"", v.r.ID) }
func (v view) evidenceCommand() string { return "/vmss show " + v.r.ID + " evidence" }
func (v view) whyCommand() string      { return "/vmss why " + v.r.ID }

func are(ids []string) string {
	if len(ids) == 1 {
		return "is"
	}
	return "are"
}
