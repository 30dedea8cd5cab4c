package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/window"
)

// Schedule is an upgrade that a person wants asked for again and again. It is a person's words for later, and
// no more than that: each time they are said anew in that person's name, whose rights count as they are then,
// and nothing is ever agreed to by it.
type Schedule struct {
	ID     string
	Set    SetID
	Name   string // of the set
	Ask    Ask    // what is said each time: it names the set with its resource group, and the channel where it is driven
	Said   string // the same as a command, for showing
	Cron   string // five fields, by the wall clock of Zone
	Zone   string // IANA name
	By     string // user id
	ByName string
	Made   time.Time
	Served time.Time // the last occurrence that was dealt with; at first when it was made
}

// clock is the schedule as a window, whose openings are its occurrences: the rules of nights on which clocks
// change are the same (R10).
func (s Schedule) clock() (window.Window, error) {
	return window.New("schedule", s.Zone, s.Cron, time.Minute)
}

// Next is the first occurrence after t; zero = there is none.
func (s Schedule) Next(t time.Time) time.Time {
	w, err := s.clock()
	if err != nil {
		return time.Time{}
	}
	span, _ := w.Next(t)
	return span.Start
}

// Due is the occurrence to deal with now: of several that have come since the last one was dealt with the
// latest, as nobody wants to be asked for each of them. Zero = none has come.
func (s Schedule) Due(now time.Time) (at time.Time) {
	for t := s.Next(s.Served); !t.IsZero() && !t.After(now); t = s.Next(t) {
		at = t
	}
	return at
}

// Bounds of schedules.
const (
	rarest  = time.Hour // between two occurrences at least: each reads Azure and asks people
	mostFor = 10        // schedules of one set
	looked  = 50        // occurrences that are looked at to find the shortest time between two
)

// often refuses what has no occurrences, or too many.
func (s Schedule) often(now time.Time) *Refusal {
	if zone, err := time.LoadLocation(s.Zone); err != nil || zone == time.Local || s.Zone == "" {
		return Refuse(CodeArg, "/vmss help schedule", "I know no time zone `%s`: write its IANA name, such as `tz=Europe/Prague`", s.Zone)
	}
	if _, err := s.clock(); err != nil {
		return Refuse(CodeArg, "/vmss help schedule", "`cron=` takes five fields (minute, hour, day of the month, month, day of the week), such as `cron=\"0 2 * * SUN\"`, and %q is not that", s.Cron)
	}
	last := s.Next(now)
	if last.IsZero() {
		return Refuse(CodeArg, "/vmss help schedule", "`cron=%q` never comes", s.Cron)
	}
	for range looked {
		next := s.Next(last)
		if next.IsZero() {
			break
		}
		if next.Sub(last) < rarest {
			return Refuse(CodeArg, "/vmss help schedule", "`cron=%q` comes every %s: people are asked each time, so once an hour is the most, such as `cron=\"0 * * * *\"`", s.Cron, minutes(next.Sub(last)))
		}
		last = next
	}
	return nil
}

// ScheduleAsk is a person's wish to have something asked for again and again, or no more.
type ScheduleAsk struct {
	Ask        Ask
	Said       string // Ask as a command
	Cron, Zone string // Zone: "" = the person's own, or UTC
	Lift       string // a schedule's id or a set, whose schedule is to be taken away; all else is empty then
	Why        string // it is
}

// Scheduling is a change that makes or takes away a schedule, and the channel whose people must know.
type Scheduling struct {
	Change   Change
	Schedule Schedule
	Next     []time.Time // the first occurrences
}

// Schedule takes down what a requester wants asked for again and again, once it could be planned now.
func (d Desk) Schedule(ctx context.Context, by Person, ask ScheduleAsk) (Scheduling, error) {
	if ask.Lift != "" {
		return d.unschedule(ctx, by, ask)
	}
	set, pol, err := d.find(ctx, by, ask.Ask.Set, MayRequest)
	if err != nil {
		return Scheduling{}, err
	}
	if no := driveable(set, pol, ask.Ask.Channel); no != nil {
		return Scheduling{}, no
	}
	now := d.Now()
	s := Schedule{ID: "s-" + d.ID()[:6], Set: set.ID, Name: set.Name, Ask: ask.Ask, Said: ask.Said,
		Cron: ask.Cron, Zone: cmp.Or(ask.Zone, by.Zone, "UTC"), By: by.ID, ByName: by.Name, Made: now, Served: now}
	s.Ask.Set = set.ID.ResourceGroup() + "/" + set.ID.Name()
	if no := s.often(now); no != nil {
		return Scheduling{}, no
	}
	if err := d.foreseen(ctx, by, s.Ask, set, pol); err != nil {
		return Scheduling{}, err
	}
	all, err := d.Journal.Schedules(ctx)
	if err != nil {
		return Scheduling{}, inside("list the schedules", err)
	}
	if n := len(schedulesOf(all, set.ID)); n >= mostFor {
		return Scheduling{}, Refuse(CodePolicy, "/vmss windows "+set.Name, "%s has %d schedules already: take one away first", set.Name, n)
	}
	first := s.Next(now)
	return Scheduling{Change{Events: At(now, by.ID, Scheduled{s})}, s, []time.Time{first, s.Next(first)}}, nil
}

// foreseen refuses what could not be planned today for another reason than that there is nothing to do: a
// schedule is made for the day on which there is.
func (d Desk) foreseen(ctx context.Context, by Person, ask Ask, set SetSummary, pol Policy) error {
	if ask.At != "" {
		return Refuse(CodeArg, "/vmss help schedule", "`at=` is one moment, and a schedule comes again: its times are `cron=`")
	}
	_, err := d.plan(ctx, by, ask, set, pol)
	var no *Refusal
	if !errors.As(err, &no) || no.Code != CodeNothing {
		return err
	}
	unnamed := Plan{Policy: pol, Window: ask.Window, Limits: Limits{Deadline: pol.Deadline}}
	if no := schedulable(ScaleSet{Name: set.Name}, unnamed, d.Now()); no != nil { // the plan did not come as far
		return no
	}
	return nil
}

func schedulesOf(all []Schedule, set SetID) []Schedule {
	return slices.DeleteFunc(slices.Clone(all), func(s Schedule) bool { return s.Set != set })
}

// unschedule takes a schedule away. Whoever may stop the set's rollouts may do that, as it starts nothing; a
// schedule of a set that a person may not read does not exist for them.
func (d Desk) unschedule(ctx context.Context, by Person, ask ScheduleAsk) (Scheduling, error) {
	all, err := d.Journal.Schedules(ctx)
	if err != nil {
		return Scheduling{}, inside("list the schedules", err)
	}
	var fits []Schedule
	for _, s := range all {
		if PolicyFor(d.Policies(), s.Set).Refuses(by, MayRead, "") == "" && s.is(ask.Lift) {
			fits = append(fits, s)
		}
	}
	switch len(fits) {
	case 0:
		return Scheduling{}, Refuse(CodeUnknown, "/vmss windows", "I know no schedule `%s` that you may see", ask.Lift)
	case 1:
	default:
		var ids []string
		for _, s := range fits {
			ids = append(ids, "`"+s.ID+"`")
		}
		return Scheduling{}, Refuse(CodeArg, "/vmss unschedule "+fits[0].ID, "%s has several schedules: %s. Say which", ask.Lift, strings.Join(ids, ", "))
	}
	s := fits[0]
	if who := PolicyFor(d.Policies(), s.Set).Refuses(by, MayStop, ""); who != "" {
		return Scheduling{}, Refuse(CodeRole, "/vmss windows "+s.Ask.Set, "to take %s away takes %s", s.ID, who)
	}
	return Scheduling{Change: Change{Events: At(d.Now(), by.ID, Unscheduled{ID: s.ID, Set: s.Set, Name: by.Name, Why: ask.Why})}, Schedule: s}, nil
}

// is reports whether the schedule is meant: by its id or its set.
func (s Schedule) is(named string) bool {
	return s.ID == named || strings.EqualFold(s.Name, named) || strings.EqualFold(s.Ask.Set, named)
}

// schedules lists those of the sets.
func (d Desk) schedules(ctx context.Context, sets []SetSummary) ([]Schedule, error) {
	all, err := d.Journal.Schedules(ctx)
	if err != nil {
		return nil, inside("list the schedules", err)
	}
	return slices.DeleteFunc(all, func(s Schedule) bool {
		return !slices.ContainsFunc(sets, func(of SetSummary) bool { return of.ID == s.Set })
	}), nil
}

// occurs says in the note of what a schedule opens where it comes from.
func (s Schedule) occurs() Ask {
	ask := s.Ask
	ask.Note = strings.TrimPrefix(fmt.Sprintf("%s · schedule %s", ask.Note, s.ID), " · ")
	return ask
}

// told is the occurrence as an auditor is told of it.
func (f Fired) told() string {
	what := fmt.Sprintf("schedule %s of %s: ", f.ID, f.For.UTC().Format("2006-01-02 15:04 UTC"))
	switch {
	case f.Rollout != "":
		return what + "opened " + f.Rollout
	case f.Missed:
		return what + "missed: " + f.Why
	}
	return what + fmt.Sprintf("opened nothing (%s): %s", f.Code, f.Why)
}
