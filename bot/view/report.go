package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// Report is the last message of a rollout: what came of it, what it took, what is left to do, and which of its group
// wait for it. Of one that touched nothing there is little to tell.
func Report(rec upgrade.Record, group []upgrade.Record) (Message, error) {
	r := rec.Rollout
	if r.Ended == nil {
		return Message{}, fmt.Errorf("message report of %s: the rollout has not ended", rec.ID)
	}
	t := r.Ended.Tally
	before := pastOf(rec)
	aimed := "→ " + version(rec.Plan.Target)
	if back(rec.Plan) {
		aimed = ":rewind: back to " + version(rec.Plan.Target) + ", rollback of " + code(rec.Plan.Undoes)
	}
	var p page
	p.para(
		fmt.Sprintf("%s *%s %s*  %s", outcomeEmoji(r.Ended.Outcome), name(rec.Plan.Name), ended(r.Ended), aimed),
		"Because: "+prose(r.Ended.Reason)+reasonOfAbort(r),
	)
	if untouched(r) {
		p.para(append([]string{tally(rec)}, nextSteps(rec)...)...)
		p.para(slices.Concat(bornSince(rec), overrides(rec))...)
	} else {
		p.para(tally(rec), retriedLine(r), imagesLine(r.Ended, rec.Plan), servingLine(t, rec.Plan))
		p.para(bornSince(rec)...)
		p.para(outages(rec)...)
		p.para(timesLine(rec, before), waitsLine(rec))
		p.para(gateLines(rec)...)
		p.para(overrides(rec)...)
		p.para(leftToDo(rec, before)...)
	}
	p.para(afterIt(rec, group))
	p.small(code(rec.ID), "plan "+esc(rec.Plan.Short(), 8), "asked for by "+name(r.Name), owner(r), inWave(r), note(rec.Plan))
	text := fmt.Sprintf("%s %s, %s, %d/%d %s, %d failed (%s)", name(rec.Plan.Name), ended(r.Ended), aim(rec.Plan), t.OK, t.Planned, doingOf(rec.Plan.Target.Setting).done, t.Failed, esc(rec.ID, 20))
	return p.done(upgrade.SlotReport, text), nil
}

// untouched: it ended before anything was written, neither to an instance nor to the model.
func untouched(r upgrade.Rollout) bool {
	return !r.Started() && r.Refusal == nil && (r.Ended.Outcome == upgrade.OutcomeAborted || r.Ended.Outcome == upgrade.OutcomeExpired)
}

// reported is a rollout's report for one person, or where it stands; the file follows.
func reported(reply commands.Reply, records map[string]upgrade.Record, now time.Time) Message {
	rec, ok := records[reply.Rollouts[0]]
	if !ok {
		return rollouts(reply, records, now)
	}
	m := status(rec, now)
	if rec.Rollout.Ended != nil {
		m, _ = Report(rec, nil) // it fails only where the rollout has not ended
	}
	return filed(m)
}

// filed says with an answer that its report comes as a file.
func filed(m Message) Message {
	var p page
	p.para(":page_facing_up: The report comes as a file to your own conversation with me.")
	m.Blocks = append(m.Blocks, p.done(slotReply, "").Blocks...)
	return m
}

// ended is how a rollout ended. One that is rolled back is over, and nothing is back yet: people must not
// go to bed on it.
func ended(e *upgrade.Ended) string {
	if e.Outcome == upgrade.OutcomeRollback {
		return "stopped, not back yet: the way back asks before each gate"
	}
	return "finished: " + string(e.Outcome)
}

func reasonOfAbort(r upgrade.Rollout) string {
	switch {
	case r.Abort == nil:
		return ""
	case r.Abort.By == "":
		return ": " + prose(r.Abort.Reason)
	}
	return because(r.Abort.Reason)
}

// tally counts how the planned instances came out. Of those that were not touched some had been tried before.
func tally(rec upgrade.Record) string {
	t, halted := rec.Rollout.Ended.Tally, len(halted(rec))
	parts := []string{fmt.Sprintf("%d planned", t.Planned), fmt.Sprintf("*%d %s*", t.OK, doneWord(rec.Plan)), fmt.Sprintf("%d failed", t.Failed)}
	for _, x := range []struct {
		n    int
		what string
	}{{t.Aside, "quarantined"}, {t.Passed, "skipped"}, {halted, "not tried once more"}, {t.Untouched - halted, "not touched"}, {t.Unknown, "not seen to the end"}, {t.Left, "passed by"}, {t.Vanished, "vanished"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	return dots(parts...)
}

// retriedLine counts the instances that took more than one attempt.
func retriedLine(r upgrade.Rollout) string {
	var ids []string
	more := 0
	for id, st := range r.Instances {
		if st.Retry && st.Tries > 1 {
			ids, more = append(ids, id), more+st.Tries-1
		}
	}
	if len(ids) == 0 {
		return ""
	}
	slices.SortFunc(ids, upgrade.CompareIDs)
	return fmt.Sprintf("Tried once more: %s, %s in all", those(ids), upgrade.Count(more, "time"))
}

func imagesLine(e *upgrade.Ended, p upgrade.Plan) string {
	d, t := doingOf(p.Target.Setting), e.Tally
	head, which := upperFirst(d.compare), ""
	if len(e.Others) > 0 {
		which = " (" + brief(e.Others, 60) + ")"
	}
	switch {
	case t.OnNew+t.OnOld == 0:
		return head + ": the set could not be read at the end"
	case back(p):
		return fmt.Sprintf("%s: %d %s %s, %d %s others", head, t.OnNew, d.at, version(p.Target), t.OnOld, d.at) + which
	}
	return fmt.Sprintf("%s: %d %s the new one, %d %s others", head, t.OnNew, d.at, t.OnOld, d.at) + which
}

func servingLine(t upgrade.Tally, p upgrade.Plan) string {
	if t.LowestServing < 0 {
		return ""
	}
	return fmt.Sprintf("Lowest serving %d/%d (foretold %d)", t.LowestServing, t.Total, lowest(p))
}

// timesLine splits the time as far as the facts tell; what is left over is named, too.
func timesLine(rec upgrade.Record, before past) string {
	r := rec.Rollout
	work, rests := workTime(r, before), restTime(rec)
	parts := []string{}
	if work > 0 {
		parts = append(parts, "work "+span(work))
	}
	if rests >= time.Second {
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
func workTime(r upgrade.Rollout, before past) time.Duration {
	var d time.Duration
	for _, b := range r.Batches {
		d += before.took(b)
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
		case upgrade.Retried:
			over = slices.Contains(f.Gates, a.Gate)
		case upgrade.Asked, upgrade.AskedAgain, upgrade.Denied, upgrade.Replanned, upgrade.AbortAsked, upgrade.Ended:
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
	gate, _ := rec.Plan.Gate(a.Gate)
	switch asking := askingOf(rec, gate, a.Asking); {
	case !asking.granted.IsZero():
		return asking.voters()
	case asking.denied != nil:
		return name(asking.denied.Name)
	}
	return "an answer that did not come"
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
	line, granted := fmt.Sprintf("%s  %s", g.Title, results(g, rec.Rollout)), 0
	for n := 1; n <= rec.Rollout.Askings[g.Key]; n++ {
		if a := askingOf(rec, g, n); !a.granted.IsZero() {
			line += fmt.Sprintf(" · %s by %s %s", cmp.Or(strings.TrimSpace(onceMore(a)), "approved"), a.voters(), when(a.granted))
			granted++
		}
	}
	switch {
	case granted > 0:
	case rec.Rollout.Denial != nil && rec.Rollout.Denial.Gate == g.Key:
		line += " · denied by " + name(rec.Rollout.Denial.Name)
	default:
		line += " · not approved"
	}
	return line
}
