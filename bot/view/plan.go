package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

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
		imageLine(p),
		targetsLine(p),
	)
	pg.code(gateTable(p)...)
	pg.para(changes(p), pace(p), agreement(p))
	pg.para(risks(p)...)
}

// planOf names the set, and of a rollback what it is.
func planOf(p upgrade.Plan) string {
	if back(p) {
		return fmt.Sprintf(":rewind: *%s*  rollback of %s", aim(p), code(p.Undoes))
	}
	return name(p.Name)
}

func imageLine(p upgrade.Plan) string {
	arrow := "→"
	if back(p) {
		arrow = "back to"
	}
	s := fmt.Sprintf("Image %s%s %s *%s*", family(p.Target.Image), froms(p), arrow, version(p.Target))
	if p.Pinned != "" {
		s += fmt.Sprintf("  (%s pinned)", code(p.Pinned))
	}
	if p.Downgrade && !back(p) {
		s += "  :warning: older than now"
	}
	return s
}

func family(i upgrade.Image) string {
	if !i.Platform() {
		return ""
	}
	return esc(i.Offer+" "+i.SKU, 50) + " "
}

// froms lists what the planned instances run now, most common first.
func froms(p upgrade.Plan) string {
	n := map[string]int{}
	for _, g := range p.Gates {
		for _, m := range g.Instances {
			n[m.From.String()]++
		}
	}
	var versions []string
	for v := range n {
		versions = append(versions, v)
	}
	slices.SortFunc(versions, func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	if len(versions) == 1 {
		return esc(versions[0], 40)
	}
	var parts []string
	for _, v := range versions[:min(3, len(versions))] {
		parts = append(parts, fmt.Sprintf("%s (%d)", esc(v, 30), n[v]))
	}
	if len(versions) > 3 {
		parts = append(parts, fmt.Sprintf("%d other versions", len(versions)-3))
	}
	return strings.Join(parts, ", ")
}

func targetsLine(p upgrade.Plan) string {
	do := "to upgrade"
	if back(p) {
		do = "to take back"
	}
	parts := []string{fmt.Sprintf("%s: %d %s", upgrade.Count(p.Total, "instance"), p.Size(), do)}
	for _, s := range skips(p) {
		parts = append(parts, fmt.Sprintf("%d %s (%s)", len(s.ids), s.reason, brief(s.ids, 60)))
	}
	return dots(parts...)
}

// gateTable has one row a gate: its number, name, size, and instances.
func gateTable(p upgrade.Plan) []string {
	const most = 24
	rows := [][]string{}
	for i, g := range p.Gates[:min(most, len(p.Gates))] {
		rows = append(rows, []string{fmt.Sprintf("%d.", i+1), plain(g.Title, 12), fmt.Sprintf("(%d)", len(g.Instances)), brief(g.IDs(), 19)})
	}
	if len(rows) == 0 {
		return nil
	}
	out := align(rows, 0)
	if n := len(p.Gates) - most; n > 0 {
		out = append(out, fmt.Sprintf("… %d more gates", n))
	}
	return out
}

// changes says what a yes sets in motion.
func changes(p upgrade.Plan) string {
	disks := "Each instance gets a new OS disk; what is on the old one is lost."
	if p.Target.Model {
		return "*What changes:* the model already names this image and is left alone. " + disks
	}
	return "*What changes:* " + born(p) + " " + disks
}

// born is the line about the model that stands on the plan and on the first card (R41).
func born(p upgrade.Plan) string {
	return fmt.Sprintf("From the first yes on, every new instance is born on %s.", version(p.Target))
}

func pace(p upgrade.Plan) string {
	l := p.Limits
	rests := time.Duration(len(p.Gates)-1)*l.Soak + l.Bake
	return fmt.Sprintf("*Pace:* at most %d out of service at once, serving never below %d/%d · soak %s, bake %s (%s in all, plus Azure's work and waiting for people)",
		l.MaxUnavailable, lowest(p), p.Total, span(l.Soak), span(l.Bake), span(rests))
}

// asksBefore says how often people are asked.
func asksBefore(p upgrade.Plan) string {
	if len(p.Gates) == 1 {
		return "one card asks before it"
	}
	return fmt.Sprintf("a card asks before each of the %d gates", len(p.Gates))
}

func agreement(p upgrade.Plan) string {
	right, need := p.Agreement(p.Policy)
	who := upgrade.Count(need, "approver") + ", not the requester"
	if right == upgrade.MayRecover {
		who = fmt.Sprintf("%d requester or approver, whoever asked for it included", need)
	}
	return fmt.Sprintf("*Agreement:* each gate takes %s, within %s · %s", who, span(p.Policy.ApprovalLife), onFailure(p.Limits))
}

func onFailure(l upgrade.Limits) string {
	switch {
	case l.OnFailure == upgrade.QuarantineOnFailure && l.MaxFailures <= 0:
		return "sets aside what fails, and goes on (budget 0)"
	case l.OnFailure == upgrade.QuarantineOnFailure:
		return fmt.Sprintf("sets aside what fails beyond %d, and goes on (budget %d)", l.MaxFailures, l.MaxFailures)
	case l.MaxFailures <= 0:
		return "holds at the first failed instance (budget 0)"
	}
	return fmt.Sprintf("goes on with up to %d failed (budget %d)", l.MaxFailures, l.MaxFailures)
}

func risks(p upgrade.Plan) []string {
	var out []string
	for _, s := range p.Pending {
		out = append(out, ":warning: Also pending: "+prose(s))
	}
	for _, s := range p.Hazards {
		out = append(out, ":warning: "+prose(s))
	}
	return out
}

// serving foretells how many instances serve at least while a gate of that size is upgraded: those
// that serve now less what may be taken down. Taking down an ill instance costs nothing (R27).
func serving(p upgrade.Plan, size int) int {
	budget := max(0, p.Limits.MaxUnavailable-(p.Total-p.Available))
	return max(0, p.Available-min(size, budget, p.Limits.BatchCap))
}

// lowest foretells it for the whole plan.
func lowest(p upgrade.Plan) int {
	n := p.Available
	for _, g := range p.Gates {
		n = min(n, serving(p, len(g.Instances)))
	}
	return n
}
