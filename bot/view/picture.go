package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/view/heatmap"
	"github.com/vmssbot/vmssbot/upgrade"
)

// stamp writes a moment where nobody's own zone is known: into a picture.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Picture is the set as it was at a milestone of the rollout, which is the event of that number, and what
// to say above it, marked up for Slack. ok is false when the event is no milestone.
func Picture(rec upgrade.Record, seq int) (m heatmap.Map, caption string, ok bool) {
	i := slices.IndexFunc(rec.Events, func(e upgrade.Event) bool { return e.Seq == seq })
	if i < 0 {
		return heatmap.Map{}, "", false
	}
	f, ok := rec.Events[i].Fact.(upgrade.Pictured)
	if !ok {
		return heatmap.Map{}, "", false
	}
	then := upgrade.Record{ID: rec.ID, Plan: rec.Plan, Rollout: upgrade.Fold(rec.ID, rec.Events[:i+1])}
	c := countsOf(then)
	what, done := milestone(f, then), fmt.Sprintf("%d/%d %s", c.done, c.total, doneWord(rec.Plan))
	m = heatmap.Map{
		Title: rec.Plan.Name + arrow(rec.Plan) + rec.Plan.Target.String(),
		Note:  dots(rec.ID, what, done, stamp(rec.Events[i].At)),
		Words: stateWords(then),
		Dots:  pictured(then, f),
	}
	return m, dots("*"+aim(rec.Plan)+"*", esc(what, 120), done, failedBriefly(then)) + " " + code(rec.ID), true
}

func arrow(p upgrade.Plan) string {
	if back(p) {
		return " back to "
	}
	return " → "
}

// doneWord is what instances are that the rollout is done with.
func doneWord(p upgrade.Plan) string {
	if back(p) {
		return "back"
	}
	return doingOf(p.Target.Setting).done
}

// milestone says what a picture is of.
func milestone(f upgrade.Pictured, then upgrade.Record) string {
	var parts []string
	for _, of := range f.Of {
		switch g, at := then.Plan.Gate(of); {
		case at >= 0:
			parts = append(parts, g.Title+" done")
		case of == upgrade.PictureFailure:
			parts = append(parts, fmt.Sprintf("%d failed", len(f.Failed)))
		case of == upgrade.PictureStart:
			parts = append(parts, "before it starts")
		case of == upgrade.PictureEnd:
			parts = append(parts, "at the end")
		}
	}
	return strings.Join(parts, ", ")
}

func failedBriefly(then upgrade.Record) string {
	failed := then.Rollout.In(upgrade.Broken, upgrade.Unclear)
	if len(failed) == 0 {
		return ""
	}
	return "not well: " + brief(failed, 60)
}

var pictureStates = map[upgrade.Progress]heatmap.State{
	upgrade.Waiting: heatmap.Old, upgrade.Going: heatmap.Upgrading, upgrade.Checking: heatmap.Checking, upgrade.Confirmed: heatmap.Confirmed,
	upgrade.OK: heatmap.New, upgrade.Broken: heatmap.Failed, upgrade.Unclear: heatmap.Unclear, upgrade.Aside: heatmap.Quarantined,
	upgrade.Passed: heatmap.Skipped, upgrade.Left: heatmap.Protected, upgrade.Vanished: heatmap.Vanished,
}

// pictured places every instance: those of the gates by how far they are, the set's others by why they are in
// none, and those that it got since.
func pictured(then upgrade.Record, f upgrade.Pictured) []heatmap.Dot {
	p, r := then.Plan, then.Rollout
	power := powersOf(p, f)
	var out []heatmap.Dot
	add := func(m upgrade.Member, state heatmap.State) {
		d := heatmap.Dot{ID: m.ID, UpdateDomain: m.UpdateDomain, FaultDomain: m.FaultDomain, Zone: m.Zone, Placement: m.Placement, State: state, Power: power(m.ID)}
		if state == heatmap.Vanished {
			d.Power = heatmap.UnknownPower
		}
		out = append(out, d)
	}
	for _, g := range p.Gates {
		for _, m := range g.Instances {
			add(m, pictureStates[r.Instances[m.ID].State])
		}
	}
	why := skipReasons(p)
	for _, m := range p.Rest {
		switch w := why[m.ID]; {
		case slices.Contains(f.Gone, m.ID):
			add(m, heatmap.Vanished)
		case w == upgrade.SkipCurrent || w == upgrade.SkipIll:
			add(m, heatmap.New)
		case w == "" || w == upgrade.SkipAsked:
			add(m, heatmap.Skipped)
		default:
			add(m, heatmap.Protected)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(r.Born), upgrade.CompareIDs) {
		add(r.Born[id], heatmap.Newborn)
	}
	return out
}

func skipReasons(p upgrade.Plan) map[string]upgrade.SkipReason {
	out := map[string]upgrade.SkipReason{}
	for _, s := range p.Skipped {
		out[s.ID] = s.Reason
	}
	return out
}

// powersOf says of each instance whether it served at the milestone. Which of those that did not run hold no
// host is known of those that the plan passes by for that.
func powersOf(p upgrade.Plan, f upgrade.Pictured) func(id string) heatmap.Power {
	known := map[string]heatmap.Power{}
	for _, id := range f.Down {
		known[id] = heatmap.Ill
	}
	why := skipReasons(p)
	for _, id := range f.Off {
		known[id] = heatmap.Stopped
		if w := why[id]; w == upgrade.SkipDeallocated || w == upgrade.SkipEvicted {
			known[id] = heatmap.Deallocated
		}
	}
	return func(id string) heatmap.Power { return cmp.Or(known[id], heatmap.Serving) }
}

// stateWords are those that mean something else than usual in this rollout.
func stateWords(then upgrade.Record) map[heatmap.State]string {
	words := map[heatmap.State]string{heatmap.Skipped: "not part of it"}
	if len(then.Rollout.In(upgrade.Passed)) > 0 {
		words[heatmap.Skipped] = "skipped, or not part of it"
	}
	switch p := then.Plan; {
	case back(p):
		words[heatmap.Old], words[heatmap.Upgrading], words[heatmap.New] = "not back yet", "going back", "back, ok"
	case p.Target.Size != "":
		words[heatmap.Old], words[heatmap.Upgrading], words[heatmap.New] = "old size", "resizing", "new size, ok"
	}
	return words
}

// SetPicture is a set as just read: which instances are on the model's image, and which serve.
func SetPicture(s upgrade.ScaleSet) heatmap.Map {
	m := heatmap.Map{
		Title: s.Name,
		Note: dots(upgrade.Count(len(s.Instances), "instance"), fmt.Sprintf("%d serving", len(s.Instances)-s.Unavailable()),
			"model "+cmp.Or(s.Model.Image.String(), "unknown"), stamp(s.SeenAt)),
		Words: map[heatmap.State]string{heatmap.New: "on the model's image", heatmap.Old: "on another image"},
	}
	for _, i := range s.Instances {
		state := heatmap.Old
		if i.Image.Same(s.Model.Image) || s.Model.Image.Follows() {
			state = heatmap.New
		}
		m.Dots = append(m.Dots, heatmap.Dot{ID: i.ID, UpdateDomain: i.UpdateDomain, FaultDomain: i.FaultDomain, Zone: i.Zone, Placement: i.Placement, State: state, Power: powerOf(i)})
	}
	return m
}

// SetCaption is what to say above the picture of a set, marked up for Slack.
func SetCaption(s upgrade.ScaleSet) string {
	return fmt.Sprintf("*%s*: %s, %d serving, model %s", name(s.Name), upgrade.Count(len(s.Instances), "instance"), len(s.Instances)-s.Unavailable(), version(s.Model.Image))
}

func powerOf(i upgrade.Instance) heatmap.Power {
	switch {
	case i.Available():
		return heatmap.Serving
	case i.Power == upgrade.Running:
		return heatmap.Ill
	case i.Power == upgrade.Deallocated:
		return heatmap.Deallocated
	case i.Power == "":
		return heatmap.UnknownPower
	}
	return heatmap.Stopped
}
