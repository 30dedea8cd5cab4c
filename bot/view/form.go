package view

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
)

// FormCallback is the callback id of every form, by which its submission is known as ours.
const FormCallback = "form"

// Form is a form as a modal. The action id of an input is its field's name. Its block id has the set
// or rollout, too, where the choices belong to one: Slack keeps what was entered for as long as both
// ids stay, and what was chosen for one must not be taken for another's. Carried comes back with the
// submission, 3,000 characters at most.
func Form(f commands.Form, carried string) slack.ModalViewRequest {
	var p page
	p.para(prose(f.Says))
	if f.Trouble != "" {
		p.para(":warning: " + prose(f.Trouble))
	}
	for _, field := range f.Fields {
		p.blocks = append(p.blocks, input(field))
	}
	p.small(orType(f))
	m := modal(f, carried, p)
	m.Submit = unmarked(f.Submit, maxTitle)
	return m
}

// Loading is what stands there while the choices of a form are read. Nothing can be entered, so
// nothing entered can be lost.
func Loading(f commands.Form, carried string) slack.ModalViewRequest {
	var p page
	p.para(":hourglass_flowing_sand: Reading what there is to choose from…")
	p.small(orType(f))
	return modal(f, carried, p)
}

const maxTitle = 24 // characters of a modal's title and buttons

func modal(f commands.Form, carried string, p page) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: unmarked(f.Title, maxTitle), Close: unmarked("Cancel", maxTitle), Blocks: slack.Blocks{BlockSet: p.blocks},
		CallbackID: FormCallback, PrivateMetadata: carried,
	}
}

// orType is the way on for whom forms do not work.
func orType(f commands.Form) string {
	help := "or type it: " + code("/vmss help "+string(f.Verb))
	if f.Typed == "" || f.Typed == string(f.Verb) {
		return help
	}
	return dots("so far "+code("/vmss "+f.Typed), help)
}

// What Slack takes in an input.
const (
	maxLabel  = 150
	maxOption = 75
)

func input(f commands.Field) *slack.InputBlock {
	block := f.Name
	if f.About != "" {
		block += "/" + f.About
	}
	in := slack.NewInputBlock(middle(block, 250), unmarked(f.Label, maxLabel), nil, inputElement(f))
	if f.Hint != "" {
		in.Hint = unmarked(f.Hint, maxLabel)
	}
	return in.WithOptional(f.Optional).WithDispatchAction(f.Steers && f.Kind == commands.FieldChoice)
}

func inputElement(f commands.Field) slack.BlockElement {
	switch f.Kind {
	case commands.FieldChoice:
		menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, f.Name, choices(f, nil)...)
		if chosen := choices(f, []string{f.Value}); len(chosen) > 0 {
			menu.InitialOption = chosen[0]
		}
		return menu
	case commands.FieldChoices:
		menu := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeStatic, nil, f.Name, choices(f, nil)...)
		menu.InitialOptions = choices(f, strings.Split(f.Value, ","))
		return menu
	case commands.FieldPerson:
		menu := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, nil, f.Name)
		menu.InitialUser = f.Value
		return menu
	}
	text := slack.NewPlainTextInputBlockElement(nil, f.Name).WithMaxLength(f.Most)
	text.InitialValue = f.Value // shown as it was typed: nothing is formatted in an input
	return text
}

// choices are the options of a menu; with values, only those.
func choices(f commands.Field, values []string) []*slack.OptionBlockObject {
	var out []*slack.OptionBlockObject
	for _, c := range f.Choices {
		if values == nil || slices.Contains(values, c.Value) {
			out = append(out, slack.NewOptionBlockObject(c.Value, unmarked(c.Label, maxOption), nil))
		}
	}
	return out
}
