package commands

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	fieldBy = "by"
	asSet   = "set" // no [upgrade.By]
)

// moreKeys are the options that are rarely said: they share a field.
var moreKeys = []string{"batch", "canary", "approve", "window", "at", "sku"}

// planFields asks for what matters most first. What chooses instances beside update domains is typed
// into one field as it is typed in a command, and so are the options that are rarely said: a field for
// each would be a wall.
func planFields(r Request, l Lists) []Field {
	o := r.Options
	goal := targetField(r, l)
	if r.Verb == VerbResize {
		goal = Field{Name: fieldSize, Label: "VM size", Hint: "Such as Standard_D4s_v5: one that Azure offers to the set", Kind: FieldText, Value: r.Size, Most: maxSet}
	}
	text := func(name, label, hint, value string, most int) Field {
		return Field{Name: name, Label: label, Hint: hint, Kind: FieldText, Optional: true, Value: value, Most: most}
	}
	fields := []Field{
		setField(r.Set, l, true),
		goal,
		domainsField(r, l),
		whichField(r),
		byField(r),
		moreField(r),
		text("note", "Note", "Why, or the change's number: everybody sees it", o.Note, maxSaid),
		text("soak", "Soak", "Wait after each gate, such as 10m; the policy's without it", written(o.Soak, formatSpan), 20),
		text("bake", "Bake", "Wait after the last one, such as 30m; the policy's without it", written(o.Bake, formatSpan), 20),
		text("max-unavailable", "Most instances out of service", "A number or a percentage, such as 2 or 20%; the policy's without it", written(o.MaxUnavailable, upgrade.Limit.String), 20),
		text("max-failures", "Failed instances to go on with", "A number; the policy's without it", written(o.MaxFailures, strconv.Itoa), 20),
		{Name: fieldOnFailure, Label: "When one more fails", Kind: FieldChoice, Optional: true, Value: cmp.Or(string(o.OnFailure), asPolicy), Choices: []Choice{
			{asPolicy, "As the set's policy says"},
			{string(upgrade.HoldOnFailure), "Hold: ask people"},
			{string(upgrade.QuarantineOnFailure), "Quarantine it and go on"},
			{string(upgrade.AbortOnFailure), "Abort the rollout"},
			{string(upgrade.RollbackOnFailure), "Abort it, and ask to roll back"},
		}},
	}
	if flexible(l) && len(r.Which.UpdateDomains) == 0 && !r.isUnclear("ud") {
		fields = slices.DeleteFunc(fields, func(f Field) bool { return f.Name == "ud" })
	}
	return fields
}

// flexible reports whether the set that was chosen has no update domains.
func flexible(l Lists) bool { return l.Set != nil && l.Set.Mode == upgrade.Flexible }

func written[T any](v *T, write func(T) string) string {
	if v == nil {
		return ""
	}
	return write(*v)
}

// whichField has what chooses instances, but for update domains. A key without a value is one that
// was not understood: it is to be completed.
func whichField(r Request) Field {
	f := Field{Name: fieldWhich, Label: "Only these instances", Kind: FieldText, Optional: true, Most: maxText, About: r.Set,
		Hint: "Such as fd=1 zone=3 vm=1,4-7 skip=vm:3,9: those that all of it names, also the update domains"}
	said := slices.DeleteFunc(r.which(), func(s string) bool { return strings.HasPrefix(s, "ud=") || s == fieldWhich+"=" })
	f.Value = strings.Join(said, " ")
	switch {
	case r.isUnclear(fieldWhich):
		f.Hint = "Say which, here or as update domains, such as fd=1 zone=3 vm=1,4-7 skip=vm:3,9: what was said was not understood"
	case slices.ContainsFunc(r.Unclear, func(key string) bool { return key != "ud" }):
		f.Optional, f.Hint = false, "Complete it, such as fd=1 zone=3 vm=1,4-7 skip=vm:3,9: what was said was not understood"
	}
	return f
}

func byField(r Request) Field {
	return Field{Name: fieldBy, Label: "One after the other", Kind: FieldChoice, Optional: true, Value: cmp.Or(string(r.Order.By), asSet), Choices: []Choice{
		{asSet, "As the set suggests: update domains, where it has them"},
		{string(upgrade.ByUpdateDomain), "Update domains"},
		{string(upgrade.ByFaultDomain), "Fault domains"},
		{string(upgrade.ByZone), "Availability zones"},
		{string(upgrade.ByBatch), "Batches of instances"},
	}}
}

func readChosenBy(r *Request, s string) (string, error) {
	if s == asSet {
		return "", nil
	}
	return readBy(r, s)
}

func moreField(r Request) Field {
	when := "window=NAME, at=22:00: when"
	if r.Verb == VerbSchedule {
		when = "window=NAME: when it starts"
	}
	f := Field{Name: fieldMore, Label: "Batches, canaries, time", Hint: "batch=2 or batch=20%: at once. canary=1: so many first. approve=once: one yes for all. " + when, Kind: FieldText, Optional: true, Most: maxSaid}
	said := ordered(upgrade.Order{Batch: r.Order.Batch, Canary: r.Order.Canary, Approve: r.Order.Approve})
	said = append(said, r.when()...)
	if r.isUnclear("window") || r.isUnclear("at") {
		f.Optional, f.Hint = false, "Say window= and at= anew: what was said with them was not understood"
	}
	if r.SKU != "" {
		said = append(said, "sku="+r.SKU)
	}
	if r.Verb != VerbResize && f.Optional {
		f.Label, f.Hint = "Batches, canaries, time, SKU", f.Hint+". sku=16.04-LTS: another one"
	}
	f.Value = strings.Join(said, " ")
	return f
}

// targetField offers what can be rolled out: what the domain refuses is left out, because deprecated or
// not to be used, and so are the oldest of more than a menu holds.
func targetField(r Request, l Lists) Field {
	f := Field{Name: fieldTarget, Label: "Image", Hint: "A version such as 4.0.20160229, latest, model (what the set's model says), the id of an image, or https://….vhd", Kind: FieldText, Value: cmp.Or(r.Target, r.Size), Most: maxTarget, Listed: true, About: r.Set}
	if l.Set == nil || len(l.Versions) == 0 {
		return f
	}
	current := l.Set.Model.Image.Running()
	choices := []Choice{{"latest", "latest: the newest, pinned when it is planned"}, {"model", "model: what the set's model already says (" + current + ")"}}
	for _, v := range l.Versions {
		name := v.Image.Running()
		switch {
		case name == current && isVersion(name):
			choices = append(choices, Choice{name, dated(v) + " · current"})
		case !v.Deprecated && v.Unusable == "" && isVersion(name) && len(choices) < maxChoices-2: // room for the current and the given one
			choices = append(choices, Choice{name, dated(v)})
		}
	}
	return f.choosing(FieldChoice, choices)
}

// dated is the version, with the day it was published where Azure tells it.
func dated(v upgrade.ImageVersion) string {
	if v.Published.IsZero() {
		return v.Image.Running()
	}
	return v.Image.Running() + " · " + v.Published.UTC().Format(time.DateOnly)
}

func domainsField(r Request, l Lists) Field {
	f := Field{Name: "ud", Label: "Update domains", Hint: "Such as 0,2 or 1-3; all of them without it", Kind: FieldText, Optional: true, Value: formatNumbers(r.Which.UpdateDomains), Most: maxSaid, Listed: true, About: r.Set}
	hint := "None chosen: all of them, one after the other"
	if r.isUnclear("ud") {
		hint = "Choose: what was said of them was not understood"
		f.Optional, f.Hint, f.Value = false, "Such as 0,2 or 1-3: what was said of them was not understood", ""
	}
	if l.Set == nil || len(r.Which.UpdateDomains) > maxChoices/2 {
		return f
	}
	count := map[int]int{}
	for _, i := range l.Set.Instances {
		count[i.UpdateDomain]++
	}
	var choices []Choice
	for _, d := range l.Set.Domains() {
		choices = append(choices, Choice{strconv.Itoa(d), fmt.Sprintf("UD %d · %s", d, upgrade.Count(count[d], "instance"))})
	}
	var chosen []string
	if f.Optional {
		chosen = numbers(r.Which.UpdateDomains)
	}
	return f.several(chosen, choices, hint)
}

// Steered is the request of a form in which another set was just chosen: what belonged to the set
// before is forgotten.
func Steered(c Carried, values map[string]string) Request {
	req, _ := ParseForm(c, values)
	if !req.Verb.plans() {
		return req
	}
	req.Which, req.Without, req.Unclear, req.SKU = upgrade.Selection{}, nil, c.request().Unclear, ""
	if isVersion(req.Target) {
		req.Target = ""
	}
	return req
}
