package view

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// newborns are the instances that the set got since the plan, by what they came up with; those that have
// what the rollout goes to are first. Nobody agreed to touch them (R34): people are told, and told how to go
// on.
func newborns(rec upgrade.Record) (there []string, others map[string][]string) {
	others = map[string][]string{}
	for _, id := range slices.SortedFunc(maps.Keys(rec.Rollout.Born), upgrade.CompareIDs) {
		if is := rec.Rollout.Born[id].From.String(); is == rec.Plan.Target.String() {
			there = append(there, id)
		} else {
			others[is] = append(others[is], id)
		}
	}
	return there, others
}

// bornSince has a line for each kind of them.
func bornSince(rec upgrade.Record) []string {
	there, others := newborns(rec)
	var out []string
	if len(there) > 0 {
		out = append(out, fmt.Sprintf(":new: %s, %s", bornLine(there), bornWith(rec.Plan, rec.Plan.Target.String())))
	}
	for _, is := range slices.Sorted(maps.Keys(others)) {
		out = append(out, fmt.Sprintf(":warning: %s, %s", bornLine(others[is]), bornWith(rec.Plan, is)))
	}
	return out
}

func bornLine(ids []string) string {
	return fmt.Sprintf("%s born since the plan (%s)", upgrade.Count(len(ids), "instance"), brief(ids, 60))
}

// bornWith says what they came up with, seen from where the rollout goes. Of one back nothing is called new.
func bornWith(p upgrade.Plan, is string) string {
	d := doingOf(p.Target.Setting)
	switch {
	case back(p) || is == "":
		return d.at + " " + d.told(is)
	case is == p.Target.String():
		return fmt.Sprintf("%s the new %s", d.at, d.short)
	}
	return fmt.Sprintf("%s the OLD %s, %s", d.at, d.short, d.told(is))
}

// bornLeft is what is left to do about them once the rollout is over. Where another one took over, or the
// old image went back into the model, nothing is: they are what the model says, or soon will be.
func bornLeft(rec upgrade.Record) []string {
	r := rec.Rollout
	there, others := newborns(rec)
	var out []string
	reverted := r.Model.Reverted && r.Model.Detail == ""
	switch {
	case r.Ended.Outcome == upgrade.OutcomeRollback:
		return nil
	case reverted && len(there) > 0:
		return []string{fmt.Sprintf("• %s, %s, which the model names no more: see %s", bornLine(there), bornWith(rec.Plan, rec.Plan.Target.String()),
			code("/vmss show "+rec.Plan.Name+" instances"))}
	case reverted:
		return nil
	}
	var behind []string
	for _, is := range slices.Sorted(maps.Keys(others)) {
		out = append(out, fmt.Sprintf("• %s, %s", bornLine(others[is]), bornWith(rec.Plan, is)))
		behind = append(behind, others[is]...)
	}
	if len(behind) > 0 && !back(rec.Plan) {
		slices.SortFunc(behind, upgrade.CompareIDs)
		out = append(out, fmt.Sprintf("     %s them, too: %s", upperFirst(doingOf(rec.Plan.Target.Setting).do), copied(again(commands.VerbUpgrade, rec.Plan, behind))))
	}
	return out
}
