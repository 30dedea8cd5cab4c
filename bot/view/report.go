package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// report is the last message of a rollout: what came of it, what it took, what is left to do.
func report(rec upgrade.Record) (Message, error) {
	r := rec.Rollout
	if r.Ended == nil {
		return Message{}, fmt.Errorf("message report of %s: the rollout has not ended", rec.ID)
	}
	t := r.Ended.Tally
	var p page
	p.para(
		fmt.Sprintf("%s *%s finished: %s*  → %s", outcomeEmoji(r.Ended.Outcome), name(rec.Plan.Name), r.Ended.Outcome, version(rec.Plan.Target.Image)),
		"Because: "+prose(r.Ended.Reason)+reasonOfAbort(r),
	)
	p.para(tally(t), imagesLine(t), servingLine(t, rec.Plan))
	p.para(timesLine(rec), waitsLine(rec))
	p.para(gateLines(rec)...)
	p.para(leftToDo(rec)...)
	p.small(code(rec.ID), "plan "+esc(rec.Plan.Short(), 8), "asked for by "+name(r.Name), note(rec.Plan))
	text := fmt.Sprintf("%s finished: %s → %s, %d/%d upgraded, %d failed (%s)", name(rec.Plan.Name), r.Ended.Outcome, version(rec.Plan.Target.Image), t.OK, t.Planned, t.Failed, esc(rec.ID, 20))
	return p.done(upgrade.SlotReport, text), nil
}

func reasonOfAbort(r upgrade.Rollout) string {
	if r.Abort == nil {
		return ""
	}
	return because(r.Abort.Reason)
}

func tally(t upgrade.Tally) string {
	parts := []string{fmt.Sprintf("%d planned", t.Planned), fmt.Sprintf("*%d upgraded*", t.OK), fmt.Sprintf("%d failed", t.Failed)}
	for _, x := range []struct {
		n    int
		what string
	}{{t.Untouched, "not touched"}, {t.Unknown, "not seen to the end"}, {t.Left, "passed by"}, {t.Vanished, "vanished"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	return dots(parts...)
}

func imagesLine(t upgrade.Tally) string {
	if t.OnNew+t.OnOld == 0 {
		return "Images: the set could not be read at the end"
	}
	return fmt.Sprintf("Images: %d on the new one, %d on others", t.OnNew, t.OnOld)
}

func servingLine(t upgrade.Tally, p upgrade.Plan) string {
	if t.LowestServing < 0 {
		return ""
	}
	return fmt.Sprintf("Lowest serving %d/%d (foretold %d)", t.LowestServing, t.Total, lowest(p))
}

// timesLine splits the time as far as the facts tell; what is left over is named, too.
func timesLine(rec upgrade.Record) string {
	r := rec.Rollout
	work, rests := workTime(r), restTime(rec)
	parts := []string{}
	if work > 0 {
		parts = append(parts, "work "+span(work))
	}
	if rests > 0 {
		parts = append(parts, "soak and bake "+span(rests))
	}
	var waited time.Duration
	for _, w := range waits(rec) {
		waited += w.took
	}
	if waited > 0 {
		parts = append(parts, "waiting for people "+span(waited))
	}
	all := r.EndedAt.Sub(r.At)
	if other := all - work - rests - waited; other > 5*time.Second && len(parts) > 0 {
		parts = append(parts, "held or between "+span(other))
	}
	s := fmt.Sprintf("%s → %s = %s", when(r.At), when(r.EndedAt), span(all))
	if len(parts) > 0 {
		s += ": " + strings.Join(parts, " · ")
	}
	return s
}

// workTime is from each call to the last of its instances being judged.
func workTime(r upgrade.Rollout) time.Duration {
	var d time.Duration
	for _, b := range r.Batches {
		end := b.Op.SettledAt
		for _, id := range b.Instances {
			if at := r.Instances[id].At; at.After(end) {
				end = at
			}
		}
		if end.After(b.Op.SentAt) {
			d += end.Sub(b.Op.SentAt)
		}
	}
	return d
}

// restTime is the soaks and the bake that were really waited for.
func restTime(rec upgrade.Record) time.Duration {
	var d time.Duration
	for i, g := range rec.Plan.Gates {
		since, done := rec.Rollout.GateDone(g)
		if _, started := batchOf(rec.Rollout, g); !done || !started {
			continue
		}
		full := rec.Plan.Limits.Soak
		if i == len(rec.Plan.Gates)-1 {
			full = rec.Plan.Limits.Bake
		}
		d += max(0, min(full, rec.Rollout.EndedAt.Sub(since)))
	}
	return d
}

// wait is how long one card waited for its people, beyond what had to be soaked anyway.
type wait struct {
	names string // whose word ended it
	took  time.Duration
}

// waits has one for each asking: from the card, or the end of the soak before its gate, to the word
// that answered it, to its expiry, or to whatever came before these.
func waits(rec upgrade.Record) []wait {
	var out []wait
	for i, e := range rec.Events {
		f, asked := e.Fact.(upgrade.Asked)
		if !asked {
			continue
		}
		from := e.At
		if end := soaked(rec, f.Gate); end.After(from) {
			from = end
		}
		out = append(out, wait{answerer(rec, f), max(0, answered(f, rec.Events[i+1:]).Sub(from))})
	}
	return out
}

// soaked is the end of the soak before a gate, zero when there is none.
func soaked(rec upgrade.Record, gate string) time.Time {
	_, at := rec.Plan.Gate(gate)
	if at < 1 {
		return time.Time{}
	}
	since, done := rec.Rollout.GateDone(rec.Plan.Gates[at-1])
	if !done {
		return time.Time{}
	}
	return since.Add(rec.Plan.Limits.Soak)
}

// answered is when an asking came to its end, going by what happened later.
func answered(a upgrade.Asked, later []upgrade.Event) time.Time {
	for _, e := range later {
		over := false
		switch f := e.Fact.(type) {
		case upgrade.Granted:
			over = f.Gate == a.Gate
		case upgrade.Asked, upgrade.AskedAgain, upgrade.Denied, upgrade.AbortAsked, upgrade.Ended:
			over = true
		}
		switch {
		case e.At.After(a.Expires):
			return a.Expires
		case over:
			return e.At
		}
	}
	return a.Expires
}

// answerer names whose yes or no answered an asking.
func answerer(rec upgrade.Record, a upgrade.Asked) string {
	switch asking := askingOf(rec.Events, a.Gate, a.Asking); {
	case !asking.granted.IsZero():
		return asking.voters()
	case asking.denied != nil:
		return name(asking.denied.Name)
	}
	return "an answer that did not come"
}

func voterNames(rec upgrade.Record, gate string) string {
	var names []string
	for _, v := range rec.Rollout.Votes[gate] {
		names = append(names, name(v.Name))
	}
	return and(names)
}

// waitsLine sums the waits up by whose yes ended them.
func waitsLine(rec upgrade.Record) string {
	sums := map[string]time.Duration{}
	var order []string
	for _, w := range waits(rec) {
		if !slices.Contains(order, w.names) {
			order = append(order, w.names)
		}
		sums[w.names] += w.took
	}
	var parts []string
	for _, n := range order {
		if sums[n] > 0 {
			parts = append(parts, n+" "+span(sums[n]))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Waited for: " + strings.Join(parts, ", ")
}

func gateLines(rec upgrade.Record) []string {
	out := []string{"*Gates*"}
	for _, g := range rec.Plan.Gates {
		out = append(out, gateLine(g, rec))
	}
	return out
}

func gateLine(g upgrade.Gate, rec upgrade.Record) string {
	line := fmt.Sprintf("%s  %s", g.Title, results(g, rec.Rollout))
	switch grant, granted := rec.Rollout.Grants[g.Key]; {
	case granted:
		line += fmt.Sprintf(" · approved by %s %s", voterNames(rec, g.Key), when(grant.At))
	case rec.Rollout.Denial != nil && rec.Rollout.Denial.Gate == g.Key:
		line += " · denied by " + name(rec.Rollout.Denial.Name)
	default:
		line += " · not approved"
	}
	return line
}

// leftToDo lists what the rollout leaves behind for people.
func leftToDo(rec upgrade.Record) []string {
	var out []string
	if ids := idsIn(rec, upgrade.Broken); len(ids) > 0 {
		out = append(out, fmt.Sprintf("• %d failed: %s", len(ids), brief(ids, 120)))
		for _, id := range ids[:min(5, len(ids))] {
			out = append(out, fmt.Sprintf("     `%s` %s", mono(id, 24), esc(rec.Rollout.Instances[id].Detail, 200)))
		}
	}
	if ids := idsIn(rec, upgrade.Waiting); len(ids) > 0 {
		out = append(out, fmt.Sprintf("• %d not touched: %s", len(ids), brief(ids, 120)))
	}
	out = append(out, modelLeft(rec)...)
	if len(out) == 0 {
		return nil
	}
	return append([]string{"*Left to do*"}, out...)
}

func idsIn(rec upgrade.Record, state upgrade.Progress) []string {
	var ids []string
	for _, g := range rec.Plan.Gates {
		for _, m := range g.Instances {
			if rec.Rollout.Instances[m.ID].State == state {
				ids = append(ids, m.ID)
			}
		}
	}
	return ids
}

// modelLeft says what the model names now and what that means for whoever writes it elsewhere.
func modelLeft(rec upgrade.Record) []string {
	m := rec.Rollout.Model
	switch {
	case !m.Set:
		return nil
	case m.Reverted && m.Detail != "":
		return []string{"• The model was left as it is: " + esc(m.Detail, 300)}
	case m.Reverted:
		return []string{fmt.Sprintf("• The model names %s again. Upgraded instances read “not latest”: compare images, not that flag.", version(m.Previous))}
	}
	return []string{fmt.Sprintf("• The model names %s. If a template (Terraform, Bicep) still says %s, change it there: applying it would go back.", version(m.Image), version(m.Previous))}
}
