package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// history lists rollouts that have ended, and of one set how long its batches took.
func history(reply commands.Reply, records map[string]upgrade.Record) Message {
	var p page
	var known []upgrade.Record
	for _, id := range reply.Rollouts {
		rec, ok := records[id]
		if !ok {
			continue
		}
		known = append(known, rec)
		p.para(endedLines(rec)...)
	}
	of := ""
	if len(known) > 0 && !slices.ContainsFunc(known, func(r upgrade.Record) bool { return r.Plan.Set != known[0].Plan.Set }) {
		of = " of " + name(known[0].Plan.Name)
		p.para(gatesTook(known)...)
		p.small(pastLine(upgrade.TookOf(known)))
	}
	return p.done(slotReply, flat(fmt.Sprintf("%s%s", upgrade.Count(len(reply.Rollouts), "ended rollout"), of)))
}

// gatesTook has a line for each gate of the latest rollout: some domains are slower than others.
func gatesTook(known []upgrade.Record) []string {
	all := upgrade.GatesTook(known)
	if len(all) < 2 {
		return nil
	}
	const most = 12
	var out []string
	for _, g := range all[:min(most, len(all))] {
		out = append(out, fmt.Sprintf("%s: %s, half of them within %s, 9 in 10 within %s", esc(g.Title, 40), upgrade.Count(g.Batches, "call"), span(g.Median), span(g.P90)))
	}
	if n := len(all) - most; n > 0 {
		out = append(out, fmt.Sprintf("… and %d more", n))
	}
	return append([]string{"*What gates took*"}, out...)
}

// endedLines are what became of a rollout, when, how long it took and who agreed.
func endedLines(rec upgrade.Record) []string {
	r, p := rec.Rollout, rec.Plan
	if r.Ended == nil {
		return []string{fmt.Sprintf("%s  %s", title(rec), code(rec.ID))}
	}
	head := fmt.Sprintf("%s %s  %s", outcomes[r.Ended.Outcome], title(rec), code(rec.ID))
	done := len(r.In(upgrade.OK))
	parts := []string{when(r.EndedAt), string(r.Ended.Outcome), fmt.Sprintf("%d of %d", done, p.Size()), "took " + span(r.EndedAt.Sub(r.At)), "by " + name(r.Name)}
	if who := agreedBy(rec); len(who) > 0 {
		parts = append(parts, "approved by "+strings.Join(who, ", "))
	}
	if p.Note != "" {
		parts = append(parts, "“"+esc(p.Note, 80)+"”")
	}
	return []string{head, "     " + dots(parts...)}
}

// agreedBy names everybody whose yes counted, once each.
func agreedBy(rec upgrade.Record) []string {
	var out []string
	for _, g := range rec.Plan.Gates {
		for n := 1; n <= rec.Rollout.Askings[g.Key]; n++ {
			if a := askingOf(rec, g, n); !a.granted.IsZero() && !slices.Contains(out, a.voters()) {
				out = append(out, a.voters())
			}
		}
	}
	return out
}

func pastLine(t upgrade.Took) string {
	if t.Batches == 0 {
		return "no batch came out well"
	}
	return fmt.Sprintf("half of its last %d batches took no longer than %s, 9 in 10 no longer than %s", t.Batches, span(t.Median), span(t.P90))
}
