package commands

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/vmssbot/vmssbot/upgrade"
)

func retryFields(r Request, l Lists) []Field {
	if r.isUnclear(fieldInstances) {
		return append(rolloutFields(r, l), instancesField(r, l, ""))
	}
	return append(rolloutFields(r, l), instancesField(r, l, "all that failed, and what Azure refused"))
}

func asideFields(r Request, l Lists) []Field {
	reason := mayReason(r)
	if r.Verb == VerbQuarantine {
		reason = mustReason(r)
	}
	return append(rolloutFields(r, l), instancesField(r, l, ""), reason)
}

// resolveFields asks for what is open only: the button that opens the form says what it is about.
func resolveFields(r Request, l Lists) []Field {
	fields := rolloutFields(r, l)
	found := Field{Name: fieldVerdict, Label: "What you found", Kind: FieldChoice, Value: string(r.Verdict)}
	ofCall := []Choice{{string(upgrade.Started), "The call did happen"}, {string(upgrade.NotStarted), "The call did not happen"}}
	ofInstances := []Choice{{string(upgrade.IsOK), "The instances are well"}, {string(upgrade.IsFailed), "The instances are not well"}}
	ofGates := []Choice{{string(upgrade.Passes), "The external gates pass"}}
	switch {
	case r.Verdict == upgrade.Passes:
		found.Choices = ofGates
		fields = append(fields, found)
	case r.Verdict == upgrade.Started || r.Verdict == upgrade.NotStarted:
		found.Choices = ofCall
		fields = append(fields, found)
	case r.Verdict != "" || r.Instances != nil:
		found.Choices = ofInstances
		fields = append(fields, instancesField(r, l, ""), found)
	default:
		found.Choices = slices.Concat(ofCall, ofInstances, ofGates)
		fields = append(fields, found, instancesField(r, l, "a call or external gates are meant"))
	}
	return append(fields, mustReason(r))
}

func handoverFields(r Request, l Lists) []Field {
	note := mayReason(r)
	note.Label = "Note"
	return append(rolloutFields(r, l), Field{Name: fieldTo, Label: "Who takes over", Kind: FieldPerson, Value: r.To}, note)
}

// actsOn has the states of instances that a verb can act on, in the order of their choices.
var actsOn = map[Verb][]upgrade.Progress{
	VerbRetry:      {upgrade.Broken, upgrade.Unclear, upgrade.Aside, upgrade.Passed},
	VerbSkip:       {upgrade.Broken, upgrade.Unclear, upgrade.Waiting},
	VerbQuarantine: {upgrade.Broken, upgrade.Unclear, upgrade.Passed, upgrade.OK},
	VerbResolve:    {upgrade.Unclear},
}

// instancesField offers the instances of the rollout that the verb can act on; none is what it means
// to choose none, "" where that cannot be.
func instancesField(r Request, l Lists, none string) Field {
	f := Field{Name: fieldInstances, Label: "Instances", Hint: "Such as 3,8 or 4-7", Kind: FieldText, Value: formatInstances(r.Instances), Most: maxText / 2, Listed: true, About: r.Rollout}
	if none != "" {
		f.Optional, f.Hint, none = true, f.Hint+"; without it "+none, "None chosen: "+none
	}
	i := slices.IndexFunc(l.Rollouts, func(rec upgrade.Record) bool { return rec.ID == r.Rollout })
	if i < 0 {
		return f
	}
	return f.several(r.Instances, instanceChoices(l.Rollouts[i], actsOn[r.Verb]), none)
}

func instanceChoices(rec upgrade.Record, states []upgrade.Progress) []Choice {
	var out []Choice
	for _, state := range states {
		for _, g := range rec.Plan.Gates {
			for _, id := range g.IDs() {
				if is := rec.Rollout.Instances[id]; is.State == state && isInstance(id) {
					out = append(out, Choice{id, instanceLabel(id, g, is)})
				}
			}
		}
	}
	return out
}

func instanceLabel(id string, g upgrade.Gate, is upgrade.InstanceStatus) string {
	label := fmt.Sprintf("%s · %s · %s", id, g.Title, cmp.Or(string(is.State), "not started"))
	if is.Detail != "" && is.State != upgrade.OK {
		label += ": " + is.Detail
	}
	return label
}

func readVerdict(r *Request, s string) (string, error) {
	if !slices.Contains(verdicts, s) {
		return "", errors.New("it takes started, not-started, ok, failed or passed")
	}
	r.Verdict = upgrade.Verdict(s)
	return "", nil
}

func readTo(r *Request, s string) (string, error) {
	if !isUser(s) {
		return "", errors.New("mention the person, so that Slack fills in who is meant")
	}
	r.To = s
	return "", nil
}
