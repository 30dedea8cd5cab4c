package app

import (
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/window"
)

func (c Config) windows(bad complain) []window.Window {
	var out []window.Window
	for i, w := range c.Windows {
		made, err := window.New(w.Name, w.Zone, w.Recurrence, w.Length)
		switch {
		case err != nil:
			bad(at("windows", i), "windows[%d]: %w", i, err)
		case w.Name == "none" || w.Name == upgrade.EverySet:
			bad(at("windows", i, "name"), "windows[%d]: %q means something else: take another name", i, w.Name)
		case slices.ContainsFunc(out, func(o window.Window) bool { return o.Name == w.Name }):
			bad(at("windows", i, "name"), "windows[%d]: there is a window %q already", i, w.Name)
		default:
			out = append(out, made)
		}
	}
	return out
}

// knows refuses the name of a window that is not there: a misspelt one must not be none.
func (c Config) knows(names []string, bad complain) {
	for n, name := range names {
		if !slices.ContainsFunc(c.Windows, func(w Window) bool { return w.Name == name }) {
			bad(at("windows", n), "windows: there is no window %q", name)
		}
	}
}

func (c Config) freezes(bad complain) []upgrade.Freeze {
	var out []upgrade.Freeze
	for i, f := range c.Freezes {
		made := f.freeze(func(where place, format string, args ...any) {
			bad(append(at("freezes", i), where...), "freezes[%d] (%s): %w", i, f.Name, fmt.Errorf(format, args...))
		})
		out = append(out, made)
	}
	return out
}

func (f Freeze) freeze(bad complain) upgrade.Freeze {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil || f.Zone == "Local" {
		bad(at("zone"), "zone: %q is no IANA name, such as Europe/Prague", f.Zone)
		zone = time.UTC
	}
	for n, pattern := range f.Sets {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			bad(at("sets", n), "sets: %q is no pattern such as web-*", pattern)
		}
	}
	from, errFrom := dated(f.From, zone, 0)
	to, errTo := dated(f.To, zone, 1)
	switch {
	case f.Name == "":
		bad(at("name"), "name: people will ask why")
	case errFrom != nil:
		bad(at("from"), "from: %w", errFrom)
	case errTo != nil:
		bad(at("to"), "to: %w", errTo)
	case !to.After(from):
		bad(at("to"), "to: %s is not after from: %s", f.To, f.From)
	}
	return upgrade.Freeze{Sets: f.Sets, Start: from, End: to, Why: f.Name}
}

// dated reads a date, moved by so many days, or a date and a time.
func dated(s string, zone *time.Location, days int) (time.Time, error) {
	if t, err := time.ParseInLocation("2006-01-02T15:04", s, zone); err == nil {
		return t.UTC(), nil
	}
	t, err := time.ParseInLocation("2006-01-02", s, zone)
	if err != nil {
		return t, fmt.Errorf("%q: want a date such as 2026-12-24, or 2026-12-24T18:00", s)
	}
	return t.AddDate(0, 0, days).UTC(), nil
}
