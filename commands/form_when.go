package commands

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

const fieldCron = "cron"

// freezeFields asks for no end: a freeze without one holds until somebody lifts it.
func freezeFields(r Request, l Lists) []Field {
	return []Field{
		freezableField(r.Set, l),
		{Name: "for", Label: "For how long", Hint: "Such as 2h or 3d. Without this and a time: until somebody lifts it", Kind: FieldText, Optional: true, Value: written(r.Options.For, formatSpan), Most: 20},
		{Name: "until", Label: "Or until when", Hint: "Such as 22:00 or 2026-11-24T22:00, by your clock; with Z behind it by UTC", Kind: FieldText, Optional: true, Value: r.Options.Until, Most: 40},
		mustReason(r),
	}
}

// freezableField offers all sets beside each.
func freezableField(given string, l Lists) Field {
	f, sets := setChoices(given, l)
	f.Hint += fmt.Sprintf(", or %s: every one that you may stop", upgrade.EverySet)
	if len(sets) == 0 {
		return f
	}
	every := Choice{upgrade.EverySet, "all: every scale set that you may stop"}
	if given == upgrade.EverySet {
		f.Value = given
	}
	return f.choosing(FieldChoice, slices.Insert(sets, 0, every))
}

// unfreezeFields offers the freezes that people said: those of the configuration have no id.
func unfreezeFields(r Request, l Lists) []Field {
	var choices []Choice
	for _, f := range l.Freezes {
		if f.ID != "" {
			choices = append(choices, Choice{f.ID, frozen(f)})
		}
	}
	return lifting(r, "Freeze", "Its id, such as f-4f2k9a, or the set that it is for; all: the one of all sets", choices)
}

func frozen(f upgrade.Freeze) string {
	sets, end := strings.Join(f.Sets, ", "), "until it is lifted"
	if len(f.Sets) == 0 || slices.Contains(f.Sets, "*") {
		sets = "every set"
	}
	if !f.End.IsZero() {
		end = "until " + f.End.UTC().Format("2006-01-02 15:04 UTC")
	}
	return fmt.Sprintf("%s · %s · %s · by %s", f.ID, sets, end, f.Name)
}

func unscheduleFields(r Request, l Lists) []Field {
	var choices []Choice
	for _, s := range l.Schedules {
		choices = append(choices, Choice{s.ID, fmt.Sprintf("%s · %s · %s %s · by %s", s.ID, s.Name, s.Cron, s.Zone, s.ByName)})
	}
	return lifting(r, "Schedule", "Its id, such as s-4f2k9a, or the scale set", choices)
}

func lifting(r Request, label, hint string, choices []Choice) []Field {
	f := Field{Name: fieldSet, Label: label, Hint: hint, Kind: FieldText, Value: r.Set, Most: maxSet + maxGroup + 1, Listed: true}
	return []Field{f.choosing(FieldChoice, choices), mayReason(r)}
}

// scheduleFields are those of upgrade, with the times behind what is to be done.
func scheduleFields(r Request, l Lists) []Field {
	return slices.Insert(planFields(r, l), 2,
		Field{Name: fieldCron, Label: "When", Hint: "Minute, hour, day of the month, month, day of the week: 0 2 * * SUN is each Sunday at 02:00. Once an hour is the most", Kind: FieldText, Value: r.Options.Cron, Most: maxSet},
		Field{Name: "tz", Label: "Time zone", Hint: "Whose clock that is by, such as Europe/Prague; your own without it", Kind: FieldText, Optional: true, Value: r.Options.TZ, Most: maxSet})
}

// readChosenCron lets the quotes pass that a command needs.
func readChosenCron(r *Request, s string) (string, error) {
	if _, err := readCron(r, strings.Trim(s, `"'`)); err != nil {
		return "", errors.New("it takes five fields with blanks between (minute, hour, day of the month, month, day of the week), such as 0 2 * * SUN")
	}
	return "", nil
}
