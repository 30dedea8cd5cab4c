package commands

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Lists are the choices a form offers, as just read. The fields of what is not there take text.
type Lists struct {
	Sets     []upgrade.SetSummary
	Set      *upgrade.ScaleSet      // the one that is chosen
	Versions []upgrade.ImageVersion // of its image, newest first
	Rollouts []upgrade.Record

	Freezes   []upgrade.Freeze
	Schedules []upgrade.Schedule
}

// ReadLists reads what the form of a request offers to this person. An error says what could not be
// read; the lists then have the rest.
func ReadLists(ctx context.Context, req Request, by upgrade.Person, r Rollouts) (Lists, error) {
	t := turn{req: req, by: by, rollouts: r}
	switch req.Verb {
	case VerbUpgrade, VerbPlan, VerbResize, VerbSchedule, VerbShow, VerbImages, VerbFreeze:
		return t.setLists(ctx)
	case VerbUnfreeze, VerbUnschedule:
		sight, err := t.look(ctx, upgrade.QueryFreezes, "")
		return Lists{Freezes: sight.Freezes, Schedules: sight.Schedules}, err
	case VerbApprove:
		sight, err := t.look(ctx, upgrade.QueryPending, "")
		return Lists{Rollouts: sight.Rollouts}, err
	}
	sight, err := t.look(ctx, upgrade.QueryRollouts, req.Rollout)
	return Lists{Rollouts: sight.Rollouts}, err
}

func (t turn) setLists(ctx context.Context) (Lists, error) {
	all, err := t.look(ctx, upgrade.QuerySets, "")
	l := Lists{Sets: all.Sets}
	if err != nil || t.req.Set == "" || !t.req.Verb.plans() {
		return l, err
	}
	kind := upgrade.QueryVersions
	if t.req.Verb == VerbResize {
		kind = upgrade.QuerySet
	}
	sight, err := t.look(ctx, kind, t.req.Set)
	l.Set, l.Versions = sight.Set, sight.Versions
	return l, err
}

// What Slack takes in a menu: options, and bytes of an option's value.
const (
	maxChoices = 100
	maxValue   = 150
)

// choosing turns a field into a choice, unless there is nothing to choose from or more than a menu
// holds: then it stays a text. What was given already is never dropped in silence, and never taken
// for something else: where it is not in the list it is added to it, marked.
func (f Field) choosing(kind FieldKind, choices []Choice) Field {
	for v := range strings.SplitSeq(f.Value, ",") {
		if v != "" && len(choices) > 0 && !slices.ContainsFunc(choices, func(c Choice) bool { return c.Value == v }) {
			choices = append(choices, Choice{v, v + " (not in the list)"})
		}
	}
	tooLong := func(c Choice) bool { return len(c.Value) > maxValue }
	if len(choices) > 0 && len(choices) <= maxChoices && !slices.ContainsFunc(choices, tooLong) {
		f.Kind, f.Choices, f.Hint = kind, choices, ""
	}
	return f
}

// several is choosing for a field with any number of values, which a text holds otherwise.
func (f Field) several(values []string, choices []Choice, hint string) Field {
	listed := f
	listed.Value = strings.Join(values, ",")
	if listed = listed.choosing(FieldChoices, choices); listed.Kind == FieldText {
		return f
	}
	listed.Hint = hint
	return listed
}

func setField(given string, l Lists, steers bool) Field {
	f, choices := setChoices(given, l)
	f.Steers = steers
	return f.choosing(FieldChoice, choices)
}

// setChoices is the field of a set, and a choice for each of those that were read. One of several with a
// name is chosen with its resource group, and so is one that is called all: the word alone may mean all sets.
func setChoices(given string, l Lists) (Field, []Choice) {
	f := Field{Name: fieldSet, Label: "Scale set", Hint: "Its name, or resourcegroup/name", Kind: FieldText, Value: given, Most: maxSet + maxGroup + 1, Listed: true}
	var choices []Choice
	for _, s := range l.Sets {
		full, value := s.ResourceGroup+"/"+s.Name, s.Name
		alone := len(namesakes(l.Sets, s.Name)) == 1
		if !alone || heldSet(s.Name) == upgrade.EverySet {
			value = full
		}
		if strings.EqualFold(given, s.Name) && alone || strings.EqualFold(given, full) {
			f.Value = value
		}
		choices = append(choices, Choice{value, fmt.Sprintf("%s · %s · %s", s.Name, s.ResourceGroup, upgrade.Count(s.Capacity, "instance"))})
	}
	return f, choices
}

func namesakes(sets []upgrade.SetSummary, name string) []upgrade.SetSummary {
	return slices.DeleteFunc(slices.Clone(sets), func(s upgrade.SetSummary) bool { return !strings.EqualFold(s.Name, name) })
}

func numbers(in []int) []string {
	var out []string
	for _, n := range in {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

func rolloutField(l Lists, steers bool) Field {
	f := Field{Name: fieldRollout, Label: "Rollout", Hint: "Its id, such as r-4f2k9a", Kind: FieldText, Most: 40, Listed: true, Steers: steers}
	var choices []Choice
	for _, rec := range l.Rollouts {
		choices = append(choices, Choice{rec.ID, fmt.Sprintf("%s · %s → %s · by %s", rec.ID, rec.Plan.Name, rec.Plan.Target.Setting, rec.Rollout.Name)})
	}
	return f.choosing(FieldChoice, choices)
}
