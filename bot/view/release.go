package view

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// mostReleased are the sets that have a button in one message.
const mostReleased = 10

// release tells that a newer version of an image has come out, and of each set what to type.
func release(r upgrade.Release) Message {
	var p page
	version := r.Image.Running()
	head := fmt.Sprintf(":package: *%s is out*", called(r.Image))
	if !r.Published.IsZero() {
		head += " · published " + when(r.Published)
	}
	p.para(head)
	for _, s := range r.Sets[:min(mostReleased, len(r.Sets))] {
		plan := commands.Request{Verb: commands.VerbPlan, Set: s.Name, Target: version}
		runs := "runs " + esc(s.Image.Running(), 40)
		if s.Image.Follows() {
			runs = "follows latest: only what is born from now on has it"
		}
		p.paraWith(planButton(plan), fmt.Sprintf("%s %s · %s", name(s.Name), runs, code("/vmss "+commands.Format(plan))))
	}
	if rest := r.Sets[min(mostReleased, len(r.Sets)):]; len(rest) > 0 {
		var names []string
		for _, s := range rest {
			names = append(names, name(s.Name))
		}
		p.para("Also: " + strings.Join(names[:min(50, len(names))], ", "))
	}
	p.small("Nothing was asked or changed")
	return p.done(slotReply, flat(called(r.Image))+" is out")
}

// planButton opens the form of a plan, filled in; nil where it cannot carry it.
func planButton(plan commands.Request) slack.BlockElement {
	form := commands.Started(plan)
	if form == "" {
		return nil
	}
	b := slack.NewButtonBlockElement(commands.ActionForm, form, unmarked("Plan…", 70))
	b.AccessibilityLabel = plain("Plan "+plan.Set+" to "+plan.Target, 70)
	return b
}
