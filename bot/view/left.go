package view

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// overrides list what people decided that the bot would not have by itself.
func overrides(rec upgrade.Record) []string {
	const most = 12
	var out []string
	for _, e := range rec.Events {
		switch w := upgrade.NewSaidWant(e); w.Verb {
		case upgrade.WordSkip, upgrade.WordQuarantine, upgrade.WordResolve, upgrade.WordReplan:
			out = append(out, fmt.Sprintf("• %s  %s", when(e.At), deed(w, "")))
		}
	}
	if len(out) == 0 {
		return nil
	}
	if n := len(out) - most; n > 0 {
		out = append(out[:most], fmt.Sprintf("… and %d more", n))
	}
	return append([]string{"*Overrides*"}, out...)
}

// leftToDo lists what the rollout leaves behind for people, and what to type.
func leftToDo(rec upgrade.Record, before past) []string {
	var out []string
	t := teller{past: before, rec: rec, room: 160}
	for _, state := range []upgrade.Progress{upgrade.Broken, upgrade.Unclear, upgrade.Aside, upgrade.Passed} {
		ids := idsIn(rec, state)
		if len(ids) == 0 {
			continue
		}
		out = append(out, fmt.Sprintf("• %d %s: %s", len(ids), state, brief(ids, 120)))
		for _, id := range ids[:min(5, len(ids))] {
			out = append(out, fmt.Sprintf("     `%s` %s", mono(id, 24), t.trouble(id, t.last(id, rec.Rollout))))
		}
		if n := len(ids) - 5; n > 0 {
			out = append(out, fmt.Sprintf("     … and %d more: %s", n, code("/vmss status "+rec.ID)))
		}
	}
	halted := halted(rec)
	untouched := slices.DeleteFunc(idsIn(rec, upgrade.Waiting), func(id string) bool { return slices.Contains(halted, id) })
	for _, left := range []struct {
		ids  []string
		what string
	}{{halted, "failed, and not tried once more"}, {untouched, "not touched"}} {
		if len(left.ids) > 0 {
			out = append(out, fmt.Sprintf("• %d %s: %s", len(left.ids), left.what, brief(left.ids, 120)))
		}
	}
	out = append(out, bornLeft(rec)...)
	out = append(out, nextSteps(rec)...)
	out = append(out, modelLeft(rec)...)
	if len(out) == 0 {
		return nil
	}
	return append([]string{"*Left to do*"}, out...)
}

// halted are the instances that were to be tried once more and were not.
func halted(rec upgrade.Record) []string {
	return slices.DeleteFunc(idsIn(rec, upgrade.Waiting), func(id string) bool {
		st := rec.Rollout.Instances[id]
		return !st.Retry || st.Tries == 0
	})
}

// nextSteps are the commands for what was left behind; none for a set that could not be read any more.
func nextSteps(rec upgrade.Record) []string {
	var out []string
	t := rec.Rollout.Ended.Tally
	if t.OnNew+t.OnOld == 0 {
		return nil
	}
	add := func(is bool, what, words string) {
		if is {
			out = append(out, "• "+what+": "+code(words))
		}
	}
	p, how := rec.Plan, rec.Rollout.Ended.Outcome
	troubled := append(halted(rec), idsIn(rec, upgrade.Broken, upgrade.Unclear, upgrade.Aside)...)
	behind := slices.ContainsFunc(append(troubled, idsIn(rec, upgrade.Passed, upgrade.Waiting)...), func(id string) bool {
		return rec.Rollout.Instances[id].Image != p.Target.String()
	})
	add(how == upgrade.OutcomeRollback, "The rollout back has taken over", "/vmss status "+cmp.Or(rec.Rollout.Ended.Then, p.Name))
	add(back(p) && len(rec.Rollout.Ended.Others) > 0, "Not back, as nobody touched them or they were born since: "+brief(rec.Rollout.Ended.Others, 60), "/vmss show "+p.Name+" instances")
	add(len(troubled) > 0, "See how these are now", "/vmss show "+p.Name+" instances")
	add(len(troubled) > 0 && evident(rec), "What Azure said of them", "/vmss show "+rec.ID+" evidence")
	if behind && !back(p) && how != upgrade.OutcomeRollback {
		what := "See what is left to upgrade"
		if p.Target.Size != "" {
			what = "See what is left to resize"
		}
		out = append(out, "• "+what+": "+copied(again(commands.VerbPlan, p, nil)))
	}
	failed := how == upgrade.OutcomeFailed || how == upgrade.OutcomeAborted
	add(failed && len(rec.Rollout.Batches) > 0 && t.OnNew > 0 && !p.Target.Model && !back(p), "Take back what was "+doingOf(p.Target.Setting).done, "/vmss rollback "+rec.ID)
	return out
}

// idsIn lists the planned instances in each of the states, one state after the other.
func idsIn(rec upgrade.Record, states ...upgrade.Progress) []string {
	var ids []string
	for _, state := range states {
		for _, g := range rec.Plan.Gates {
			for _, m := range g.Instances {
				if rec.Rollout.Instances[m.ID].State == state {
					ids = append(ids, m.ID)
				}
			}
		}
	}
	return ids
}

// modelLeft says what the model names now and what that means for whoever writes it elsewhere.
func modelLeft(rec upgrade.Record) []string {
	m, d := rec.Rollout.Model, doingOf(rec.Plan.Target.Setting)
	switch {
	case !m.Set, rec.Rollout.Ended.Outcome == upgrade.OutcomeRollback: // the rollout back sets it
		return nil
	case m.Reverted && m.Detail != "":
		return []string{"• The model was left as it is: " + esc(m.Detail, 300)}
	case m.Reverted:
		return []string{fmt.Sprintf("• The model names %s again. %s instances read “not latest”: compare %s, not that flag.", version(m.Previous), upperFirst(d.done), d.compare)}
	}
	if is := rec.Rollout.Ended.Model; is != (upgrade.Setting{}) && !is.Same(m.To) {
		return []string{fmt.Sprintf("• The model names %s by now, not %s: somebody else changed it. New instances get that.", version(is), version(m.To))}
	}
	undo := "go back"
	if back(rec.Plan) {
		undo = "bring that back"
	}
	return []string{fmt.Sprintf("• The model names %s. If a template (Terraform, Bicep) still says %s, change it there: applying it would %s.", version(m.To), version(m.Previous), undo)}
}
