// Package window knows when changes are allowed: recurring change windows in a place's own time,
// and dated spans. It is pure and a leaf: it reads no clock and decides nothing; package upgrade
// asks it before each start.
//
// A window belongs to the day it starts on. Its start is wall-clock time, its length is real time:
// on the night the clocks change a window of two hours lasts two hours.
package window

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Window is a recurring change window. The zero value is never open; make one with [New].
type Window struct {
	Name       string
	Zone       string // IANA name
	Recurrence string // five fields: minute hour day-of-month month day-of-week
	Length     time.Duration

	zone     *time.Location
	schedule cron.Schedule
}

// UnmarshalJSON reads a window as it was marshalled, and checks it like [New].
func (w *Window) UnmarshalJSON(data []byte) error {
	var bare struct {
		Name, Zone, Recurrence string
		Length                 time.Duration
	}
	err := json.Unmarshal(data, &bare)
	if err == nil {
		*w, err = New(bare.Name, bare.Zone, bare.Recurrence, bare.Length)
	}
	return err
}

// Span is a half-open stretch of time, [Start, End).
type Span struct{ Start, End time.Time }

// Contains reports whether t lies in the span; its end does not.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.Start) && t.Before(s.End) }

// Longest is the longest window; a window that is always open is no window.
const Longest = 7 * 24 * time.Hour

// New checks and makes a window. Five cron fields are taken and nothing else: @every has no place
// on a wall clock, and a zone inside the recurrence would contradict the window's own.
func New(name, zone, recurrence string, length time.Duration) (Window, error) {
	switch {
	case name == "":
		return Window{}, fmt.Errorf("window: it needs a name")
	case length < time.Minute || length > Longest:
		return Window{}, fmt.Errorf("window %s: length %s: want 1m to %s", name, length, Longest)
	case strings.ContainsAny(recurrence, "@=") || len(strings.Fields(recurrence)) != 5:
		return Window{}, fmt.Errorf("window %s: recurrence %q: want five fields, such as 0 2 * * TUE", name, recurrence)
	case zone == "" || zone == "Local":
		return Window{}, fmt.Errorf("window %s: zone %q: want an IANA name, such as Europe/Prague", name, zone)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return Window{}, fmt.Errorf("window %s: zone %q: want an IANA name, such as Europe/Prague: %w", name, zone, err)
	}
	// UTC has no gaps and repeats nothing: the recurrence is worked out on a bare wall clock, and
	// only its result is put into the zone. (cron itself skips a time in the spring gap and fires a
	// repeated one twice.)
	schedule, err := cron.ParseStandard("CRON_TZ=UTC " + recurrence)
	if err != nil {
		return Window{}, fmt.Errorf("window %s: recurrence %q: %w", name, recurrence, err)
	}
	return Window{name, zone, recurrence, length, loc, schedule}, nil
}

// At returns the opening that t lies in. Where two overlap it is the one that closes last.
func (w Window) At(t time.Time) (Span, bool) {
	var in Span
	for s := range w.from(t.Add(-w.Length)) {
		if s.Start.After(t) {
			break
		}
		if s.Contains(t) {
			in = s
		}
	}
	return in, in != Span{}
}

// Next returns the first opening that starts after t; ok is false when there is none in five
// years, such as on a 30th of February.
func (w Window) Next(t time.Time) (Span, bool) {
	for s := range w.from(t) {
		if s.Start.After(t) {
			return s, true
		}
	}
	return Span{}, false
}

// from yields openings in order, from a little before t on. Two wall times in one gap are the same opening,
// which comes twice then.
func (w Window) from(t time.Time) func(func(Span) bool) {
	return func(yield func(Span) bool) {
		if w.schedule == nil {
			return
		}
		// A wall clock shows the same time again up to a few hours after a change: begin a day early.
		wall := onWall(t.In(w.zone)).Add(-24 * time.Hour)
		for {
			if wall = w.schedule.Next(wall); wall.IsZero() {
				return
			}
			start := w.instant(wall)
			if !yield(Span{start, start.Add(w.Length)}) {
				return
			}
		}
	}
}

// onWall writes what the clock on the wall shows as a UTC time.
func onWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant is when the clock in the zone shows the wall time for the first time; a time that the
// spring gap leaves out is the first minute after the gap.
func (w Window) instant(wall time.Time) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, w.zone)
	if onWall(t).Equal(wall) {
		return w.first(t, wall)
	}
	// In a gap Date gives a time shifted by the gap, on either side of it: the change lies between.
	before, after := t.Add(-24*time.Hour), t.Add(24*time.Hour)
	for after.Sub(before) > time.Second {
		mid := before.Add(after.Sub(before) / 2)
		if onWall(mid.In(w.zone)).Before(wall) {
			before = mid
		} else {
			after = mid
		}
	}
	return after.Truncate(time.Second)
}

// first is the earlier of two instants at which the clock shows the same, t being one of them.
func (w Window) first(t, wall time.Time) time.Time {
	start, _ := t.ZoneBounds()
	if start.IsZero() {
		return t
	}
	_, was := start.Add(-time.Second).Zone()
	earlier := wall.Add(-time.Duration(was) * time.Second).In(w.zone)
	if earlier.Before(start) && onWall(earlier).Equal(wall) {
		return earlier
	}
	return t
}
