package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// planned is the plan of a rollout, the first message of its thread.
func planned(rec upgrade.Record) Message {
	var p page
	p.plan(rec.Plan, "by "+name(rec.Rollout.Name))
	p.small(code(rec.ID), asksBefore(rec.Plan))
	return p.done(upgrade.SlotPlan, planText(rec.Plan))
}

func planText(p upgrade.Plan) string {
	return fmt.Sprintf("Plan %s: %s, %s in %s", esc(p.Short(), 8), aim(p), upgrade.Count(p.Size(), "instance"), upgrade.Count(len(p.Gates), "gate"))
}

// plan tells a plan: what, in which gates, what changes, what is known to be risky.
func (pg *page) plan(p upgrade.Plan, by string) {
	pg.para(
		fmt.Sprintf("*Plan %s*  %s (%s, %s)", esc(p.Short(), 8), planOf(p), name(p.ResourceGroup), name(p.Location)),
		dots(by, note(p)),
		goalLine(p),
		targetsLine(p),
		chosen(p),
	)
	pg.code(gateTable(p)...)
	pg.para(changes(p), pace(p), length(p), fits(p), gated(p), agreement(p))
	pg.para(risks(p)...)
	if full := inFull(p.Target.Image); full != "" {
		pg.para("In full: " + full)
	}
}

// planOf names the set, and of a rollback what it is.
func planOf(p upgrade.Plan) string {
	if back(p) {
		return fmt.Sprintf(":rewind: *%s*  rollback of %s", aim(p), code(p.Undoes))
	}
	return name(p.Name)
}

// goalLine says from what to what. Images that are not of one family are named in full, both.
func goalLine(p upgrade.Plan) string {
	arrow := "→"
	if back(p) {
		arrow = "back to"
	}
	what, goal := kindly(p.Target.Image)+" "+family(p.Target.Image), version(p.Target)
	switch {
	case p.Target.Size != "":
		what = "VM size"
	case !oneFamily(p):
		what, goal = "Image", called(p.Target.Image)
		if p.From.Kind() == p.Target.Kind() {
			what = kindly(p.Target.Image)
		}
	}
	s := fmt.Sprintf("%s %s *%s*", join(what, froms(p)), arrow, goal)
	var more []string
	if age := newer(p.Target.Image, onlyFrom(p)); age != "" && !back(p) {
		more = append(more, age)
	}
	if p.Pinned != "" {
		more = append(more, code(p.Pinned)+" pinned")
	}
	if len(more) > 0 {
		s += "  (" + strings.Join(more, "; ") + ")"
	}
	if p.Downgrade && !back(p) {
		s += "  :warning: older than now"
	}
	return s
}

// oneFamily reports whether all planned instances run versions of the target.
func oneFamily(p upgrade.Plan) bool {
	for _, g := range p.Gates {
		for _, m := range g.Instances {
			if m.From.Family() != p.Target.Family() {
				return false
			}
		}
	}
	return true
}

// onlyFrom is the image that all planned instances run; the zero value when they run several.
func onlyFrom(p upgrade.Plan) upgrade.Image {
	first := p.Gates[0].Instances[0].From
	for _, g := range p.Gates {
		for _, m := range g.Instances {
			if !m.From.Same(first) {
				return upgrade.Image{}
			}
		}
	}
	return first.Image
}

// froms lists what the planned instances have now, most common first.
func froms(p upgrade.Plan) string { return fromsOf(p, p.Gates...) }

func fromsOf(p upgrade.Plan, gates ...upgrade.Gate) string {
	n := map[string]int{}
	one := oneFamily(p)
	for _, g := range gates {
		for _, m := range g.Instances {
			was := doingOf(p.Target.Setting).told(m.From.String())
			if !one && m.From.String() != "" {
				was = called(m.From.Image)
			}
			n[was]++
		}
	}
	all := slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	if len(all) == 1 {
		return all[0]
	}
	var parts []string
	for _, was := range all[:min(3, len(all))] {
		parts = append(parts, fmt.Sprintf("%s (%d)", was, n[was]))
	}
	if len(all) > 3 {
		parts = append(parts, fmt.Sprintf("%d others", len(all)-3))
	}
	return strings.Join(parts, ", ")
}

func targetsLine(p upgrade.Plan) string {
	do := "to " + doingOf(p.Target.Setting).do
	if back(p) {
		do = "to take back"
	}
	parts := []string{fmt.Sprintf("%s: %d %s", upgrade.Count(p.Total, "instance"), p.Size(), do)}
	for _, s := range skips(p) {
		parts = append(parts, fmt.Sprintf("%d %s (%s)", len(s.ids), s.reason, brief(s.ids, 60)))
	}
	if n := p.Total - p.Size() - len(p.Skipped); n > 0 && !back(p) {
		parts = append(parts, fmt.Sprintf("%d not chosen", n))
	}
	return dots(parts...)
}

// chosen is how the plan was narrowed and ordered, as it is typed; "" when it takes in all in the set's own
// order. A rollback takes back what was touched.
func chosen(p upgrade.Plan) string {
	words := commands.Format(commands.Request{Which: p.Which, Order: p.Order})
	if words == "by=ud" || words == "" || back(p) {
		return ""
	}
	return "Options: `" + mono(words, 300) + "`"
}

// changes says what a yes sets in motion.
func changes(p upgrade.Plan) string {
	d := doingOf(p.Target.Setting)
	if p.Target.Model {
		return "*What changes:* the model already names this image and is left alone. " + costOfModel(p)
	}
	return "*What changes:* " + born(p) + " " + d.cost
}

// costOfModel: an instance that is on the image already gets what else the model says, and no more is known
// of what Azure does to it for that.
func costOfModel(p upgrade.Plan) string {
	var there []string
	for _, g := range p.Gates {
		for _, m := range g.Instances {
			if m.From.Same(p.Target.Setting) {
				there = append(there, m.ID)
			}
		}
	}
	also := "On this image already: " + brief(there, 60) + ". They get what else the model says; Azure may restart them."
	switch len(there) {
	case 0:
		return upgrading.cost
	case p.Size():
		return also
	}
	return upgrading.cost + " " + also
}

// born is the line about the model that stands on the plan and on the first card (R41).
func born(p upgrade.Plan) string {
	return fmt.Sprintf("From the first yes on, every new instance is born %s %s.", doingOf(p.Target.Setting).born, version(p.Target))
}

func pace(p upgrade.Plan) string {
	l := p.Limits
	s := fmt.Sprintf("*Pace:* at most %d out of service at once, serving never below %d/%d", l.MaxUnavailable, lowest(p), p.Total)
	if most := p.Policy.MaxUnavailable; most.Percent > 0 && most.Of(p.Total) == l.MaxUnavailable {
		s = strings.Replace(s, " out of service", fmt.Sprintf(" (%s of %d, rounded up) out of service", most, p.Total), 1)
	}
	if n := min(l.MaxUnavailable, p.Size()); l.BatchCap < n {
		s += fmt.Sprintf(" · %d in a call at most", l.BatchCap)
	}
	calls := 1
	for _, f := range p.Foretell() {
		calls = max(calls, f.Calls)
	}
	if calls > 1 {
		s += fmt.Sprintf(" · a gate takes up to %d calls, one after the other", calls)
	}
	return s
}

// length foretells how long it takes, without the people, for whom nobody can tell.
func length(p upgrade.Plan) string {
	work, rests := p.Length()
	parts := []string{}
	if len(p.Gates) > 1 {
		parts = append(parts, "soak "+span(p.Limits.Soak)+" between gates")
	}
	parts = append(parts, "bake "+span(p.Limits.Bake))
	if work == 0 { // plans from before work was foretold
		return fmt.Sprintf("*Time:* %s in all (%s) + Azure's work + waiting for people", span(rests), strings.Join(parts, ", "))
	}
	took := ""
	if p.Measured > 0 {
		took = fmt.Sprintf(" by its last %d batches", p.Measured)
	}
	return fmt.Sprintf("*Time:* about %s in all (work %s%s, %s) + waiting for people", span(work+rests), span(work), took, strings.Join(parts, ", "))
}

// asksBefore says how often people are asked.
func asksBefore(p upgrade.Plan) string {
	switch {
	case len(p.Gates) == 1:
		return "one card asks before it"
	case p.Together(0):
		return fmt.Sprintf("one card asks for all %d gates", len(p.Gates))
	case p.Together(1):
		return fmt.Sprintf("one card asks before the first gate, one for the other %d", len(p.Gates)-1)
	}
	return fmt.Sprintf("a card asks before each of the %d gates", len(p.Gates))
}

func agreement(p upgrade.Plan) string {
	right, need := p.Agreement(p.Policy)
	who := upgrade.Count(need, "approver") + ", not the requester"
	if right == upgrade.MayRecover {
		who = fmt.Sprintf("%d requester or approver, whoever asked for it included", need)
	}
	takes := "each gate takes " + who
	switch {
	case p.Together(0):
		takes = "one yes for all gates takes " + who
	case p.Together(1):
		takes = "the first gate takes " + who + ", and so do all others together"
	}
	return fmt.Sprintf("*Agreement:* %s, within %s · %s", takes, span(p.Policy.ApprovalLife), onFailure(p.Limits))
}

// onFailure says what the rollout does at one failed instance too many.
func onFailure(l upgrade.Limits) string {
	at := "at the first failed instance (max-failures 0)"
	if l.MaxFailures > 0 {
		at = fmt.Sprintf("beyond %d failed (max-failures %d)", l.MaxFailures, l.MaxFailures)
	}
	switch {
	case l.OnFailure == upgrade.QuarantineOnFailure && l.MaxFailures <= 0:
		return "sets aside what fails, and goes on (max-failures 0)"
	case l.OnFailure == upgrade.QuarantineOnFailure:
		return fmt.Sprintf("sets aside what fails beyond %d, and goes on (max-failures %d)", l.MaxFailures, l.MaxFailures)
	case l.OnFailure == upgrade.AbortOnFailure:
		return "ends by itself " + at + ": nothing more is started"
	case l.OnFailure == upgrade.RollbackOnFailure:
		return "ends by itself " + at + ", and a rollout back opens"
	case l.MaxFailures <= 0:
		return "holds " + at
	}
	return fmt.Sprintf("goes on with up to %d failed (max-failures %d)", l.MaxFailures, l.MaxFailures)
}

// risks are what people must know, and that there is nothing where they look for it (R41).
func risks(p upgrade.Plan) []string {
	var out []string
	for _, s := range p.Pending {
		out = append(out, ":warning: Also pending: "+prose(s))
	}
	if len(p.Pending) == 0 {
		out = append(out, "Nothing else is pending in the model.")
	}
	for _, s := range p.Hazards {
		out = append(out, ":warning: "+prose(s))
	}
	return out
}

// lowest foretells how many instances serve at least over the whole plan.
func lowest(p upgrade.Plan) int {
	n := p.Available
	for _, f := range p.Foretell() {
		n = min(n, f.Serving)
	}
	return n
}
