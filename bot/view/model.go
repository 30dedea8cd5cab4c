package view

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// model is the question what becomes of the model when a rollout ends early (R4), and its answer.
func model(rec upgrade.Record) (Message, error) {
	m, d := rec.Rollout.Model, doingOf(rec.Plan.Target.Setting)
	if m.Asked == nil {
		return Message{}, fmt.Errorf("message model of %s: the question was not asked", rec.ID)
	}
	if line := modelClosed(rec); line != "" {
		var p page
		p.para(line)
		p.small(code(rec.ID))
		return p.done(upgrade.SlotModel, fmt.Sprintf("%s (%s)", flat(line), esc(rec.ID, 20))), nil
	}
	var p page
	p.para(
		fmt.Sprintf("*Which %s stays in the model of %s?*", d.thing, name(rec.Plan.Name)),
		fmt.Sprintf("It names %s: new instances get it. %d of %d instances %s %s, %d do not.",
			version(m.To), m.Asked.On, m.Asked.On+m.Asked.Off, d.have, version(m.To), m.Asked.Off),
		recommendation(m),
		fmt.Sprintf("After putting it back, %s instances read “not latest”: compare %s, not that flag.", d.done, d.compare),
	)
	p.small(code("/vmss abort "+rec.ID+" revert"), code("/vmss abort "+rec.ID+" keep"))
	p.buttons(modelButtons(rec)...)
	return p.done(upgrade.SlotModel, fmt.Sprintf("%s: put %s back into the model, or keep %s? (%s)", name(rec.Plan.Name), version(m.Previous), version(m.To), esc(rec.ID, 20))), nil
}

// recommendation gives the reason in terms of the new image only: instances that do not run it may be
// on any other, not just on the one it replaced.
func recommendation(m upgrade.ModelState) string {
	on, off, image := m.Asked.On, m.Asked.Off, version(m.To)
	d := doingOf(m.To)
	why := "nothing was " + d.done
	switch {
	case on > off:
		why = fmt.Sprintf("most instances %s %s", d.have, image)
	case on < off:
		why = fmt.Sprintf("most instances do not %s %s", d.have, image)
	case m.Asked.Recommend == upgrade.Keep:
		why = fmt.Sprintf("half of the instances %s %s", d.have, image)
	}
	if m.Asked.Recommend == upgrade.Keep {
		return fmt.Sprintf("Recommended: keep %s: %s.", image, why)
	}
	return fmt.Sprintf("Recommended: put %s back: %s.", version(m.Previous), why)
}

func modelButtons(rec upgrade.Record) []slack.BlockElement {
	m, d := rec.Rollout.Model, doingOf(rec.Plan.Target.Setting)
	back := button("Put "+m.Previous.String()+" back", "Put the old "+d.short+" back", commands.Request{Verb: commands.VerbModel, Nonce: m.Asked.Nonce, Answer: upgrade.Revert})
	back.WithConfirm(confirm("Put the old "+d.short+" back?", fmt.Sprintf("The model of %s names %s again. Instances are left alone.", name(rec.Plan.Name), version(m.Previous)), "Put it back"))
	keep := button("Keep "+m.To.String(), "Keep the new "+d.short, commands.Request{Verb: commands.VerbModel, Nonce: m.Asked.Nonce, Answer: upgrade.Keep})
	keep.WithConfirm(confirm("Keep the new "+d.short+"?", fmt.Sprintf("New instances of %s are born %s %s.", name(rec.Plan.Name), d.at, version(m.To)), "Keep it"))
	if m.Asked.Recommend == upgrade.Keep {
		keep.WithStyle(slack.StylePrimary)
		return []slack.BlockElement{keep, back}
	}
	back.WithStyle(slack.StylePrimary)
	return []slack.BlockElement{back, keep}
}

// modelClosed is what stands there once the answer is known, "" before.
func modelClosed(rec upgrade.Record) string {
	m, who := rec.Rollout.Model, answeredBy(rec)
	switch {
	case m.Reverted && m.Detail != "":
		return fmt.Sprintf(":warning: The old %s could not be put back: %s", doingOf(rec.Plan.Target.Setting).short, esc(m.Detail, 400))
	case m.Reverted:
		return fmt.Sprintf(":white_check_mark: %sthe model of %s names %s again", who, name(rec.Plan.Name), version(m.Previous))
	case m.Answer == upgrade.Revert:
		return fmt.Sprintf(":arrows_counterclockwise: %s%s goes back into the model of %s", who, version(m.Previous), name(rec.Plan.Name))
	case m.Answer == upgrade.Keep:
		return fmt.Sprintf(":white_check_mark: %s%s stays in the model of %s", who, version(m.To), name(rec.Plan.Name))
	case rec.Rollout.Ended != nil:
		return fmt.Sprintf(":grey_question: Nobody answered: the model of %s names %s", name(rec.Plan.Name), version(m.To))
	}
	return ""
}

// answeredBy names who answered, and when.
func answeredBy(rec upgrade.Record) string {
	for _, e := range rec.Events {
		switch f := e.Fact.(type) {
		case upgrade.ModelAnswered:
			return fmt.Sprintf("%s answered at %s: ", name(f.Name), when(e.At))
		case upgrade.AbortAsked:
			if f.Answer != upgrade.ModelOpen {
				return fmt.Sprintf("%s answered at %s: ", name(f.Name), when(e.At))
			}
		}
	}
	return ""
}
