package view

import (
	"fmt"
	"slices"

	"github.com/vmssbot/vmssbot/upgrade"
)

// partEvidence is how the language calls it: show ROLLOUT evidence.
const partEvidence = "evidence"

// evidenceOf shows what Azure said of each failed instance, kept before a retry replaced its disk (R6):
// word for word, as far as it fits.
func evidenceOf(rec upgrade.Record) Message {
	const most = 14
	before := pastOf(rec)
	all := slices.SortedStableFunc(slices.Values(before.kept), func(a, b testimony) int { return upgrade.CompareIDs(a.id, b.id) })
	var p page
	p.para(fmt.Sprintf("*What Azure said of instances that failed* · %s  %s", name(rec.Plan.Name), code(rec.ID)))
	if len(all) == 0 {
		p.para("Nothing was kept: no instance of this rollout has been in trouble.")
	}
	shown := all[:min(most, len(all))]
	for _, t := range shown {
		p.testimony(t, rec, before, 6000/len(shown))
	}
	if rest := all[len(shown):]; len(rest) > 0 {
		var ids []string
		for _, t := range rest {
			ids = append(ids, t.id)
		}
		p.para(fmt.Sprintf("… and of %s: %s", upgrade.Count(len(rest), "more attempt"), brief(slices.Compact(ids), 200)))
	}
	p.small("word for word, cut in the middle where it is long", code("/vmss why "+rec.ID))
	return p.done(slotReply, fmt.Sprintf("%s: what Azure said of %s (%s)", name(rec.Plan.Name), upgrade.Count(len(all), "failed attempt"), esc(rec.ID, 20)))
}

// testimony adds one, in about room characters.
func (p *page) testimony(t testimony, rec upgrade.Record, before past, room int) {
	_, g, _ := rec.Plan.Member(t.id)
	st := rec.Rollout.Instances[t.id]
	f, failed := before.failures[t.id]
	in := ""
	if said := upgrade.Sentence(f.Code, f.Detail); failed && said != "" && t.try == max(1, st.Tries) {
		in = prose(said)
	}
	p.para(fmt.Sprintf("%s `%s` %s · attempt %d · %s", shapeOf(st.State), mono(t.id, 24), g.Title, t.try, when(t.at)), in)
	shown := min(len(t.lines), max(4, min(12, room/150)))
	var lines []string
	for _, l := range t.lines[:shown] {
		lines = append(lines, mono(l, min(600, room/max(1, shown))))
	}
	if n := len(t.lines) - shown; n > 0 {
		lines = append(lines, fmt.Sprintf("… %d more lines", n))
	}
	p.code(lines...)
}
