package view

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// outage tells that an external gate fails, and once it passes again, that it did. What fails again soon after is
// the same trouble, told in the same message.
func outage(slot, rest string, rec upgrade.Record) (Message, error) {
	seq, err := strconv.Atoi(rest)
	from := slices.IndexFunc(rec.Events, func(e upgrade.Event) bool { return e.Seq == seq })
	if err != nil || from < 0 {
		return Message{}, fmt.Errorf("message %s of %s: no such outage", slot, rec.ID)
	}
	began := rec.Events[from]
	first, ok := began.Fact.(upgrade.Probed)
	if !ok {
		return Message{}, fmt.Errorf("message %s of %s: no such outage", slot, rec.ID)
	}
	last, at := first, began.At
	for _, e := range rec.Events[from+1:] {
		if f, is := e.Fact.(upgrade.Probed); is && f.Name == first.Name {
			if f.News { // that has a message of its own
				break
			}
			last, at = f, e.At
		}
	}
	var p page
	gate := "External gate " + esc(first.Name, 60)
	failed := fmt.Sprintf("It failed at %s: %s", when(began.At), prose(first.Why))
	line := fmt.Sprintf(":red_circle: *%s fails* · %s", gate, name(rec.Plan.Name))
	switch {
	case rec.Rollout.Ended != nil && last.State != upgrade.ProbePass:
		line = fmt.Sprintf(":white_circle: *%s did not pass when this ended* · %s", gate, name(rec.Plan.Name))
		p.para(line, failed)
	case last.State == upgrade.ProbePass:
		line = fmt.Sprintf(":large_green_circle: *%s passes* since %s · %s", gate, when(at), name(rec.Plan.Name))
		p.para(line, failed)
	case last.State == upgrade.ProbeUnknown:
		line = fmt.Sprintf(":white_circle: *%s tells nothing* since %s · %s", gate, when(at), name(rec.Plan.Name))
		p.para(line, prose(last.Why), failed, "Nothing starts until it passes.")
	default:
		p.para(line, fmt.Sprintf("%s, since %s", prose(last.Why), when(at)), "Nothing starts until it passes. What Azure is at work on is followed to its end.")
	}
	p.small(code(rec.ID))
	return p.done(slot, fmt.Sprintf("%s (%s)", flat(line), esc(rec.ID, 20))), nil
}

// gated says on a plan what else must be well.
func gated(p upgrade.Plan) string {
	if len(p.Policy.Probes) == 0 || back(p) {
		return ""
	}
	var names []string
	for _, g := range p.Policy.Probes {
		names = append(names, esc(g.Name, 60))
	}
	return fmt.Sprintf("*External gates:* nothing starts, and it is no success, unless %s", and(names)+passes(names))
}

func passes(names []string) string {
	if len(names) == 1 {
		return " passes"
	}
	return " pass"
}

// outages tells for how long external gates did not pass, with what they first said.
func outages(rec upgrade.Record) []string {
	type trouble struct {
		times int
		took  time.Duration
		why   string
		since time.Time
	}
	sums := map[string]*trouble{}
	for _, e := range rec.Events {
		f, is := e.Fact.(upgrade.Probed)
		if !is {
			continue
		}
		t := sums[f.Name]
		if t == nil {
			t = &trouble{}
			sums[f.Name] = t
		}
		if !t.since.IsZero() {
			t.took, t.since = t.took+e.At.Sub(t.since), time.Time{}
		}
		if f.State == upgrade.ProbeFail {
			t.times, t.since = t.times+1, e.At
			if t.why == "" {
				t.why = f.Why
			}
		}
	}
	var out []string
	for _, gate := range slices.Sorted(maps.Keys(sums)) {
		if t := sums[gate]; t.times > 0 {
			if !t.since.IsZero() {
				t.took += rec.Rollout.EndedAt.Sub(t.since)
			}
			out = append(out, fmt.Sprintf("External gate %s failed %s, for %s in all: %s", esc(gate, 60), upgrade.Count(t.times, "time"), span(t.took), prose(t.why)))
		}
	}
	return out
}
