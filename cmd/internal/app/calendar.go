package app

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/window"
)

func (c Config) windows() ([]window.Window, error) {
	var out []window.Window
	for i, w := range c.Windows {
		made, err := window.New(w.Name, w.Zone, w.Recurrence, w.Length)
		switch {
		case err != nil:
			return nil, err
		case w.Name == "none" || w.Name == upgrade.EverySet:
			return nil, fmt.Errorf("[%d]: %q means something else: take another name", i, w.Name)
		case slices.ContainsFunc(out, func(o window.Window) bool { return o.Name == w.Name }):
			return nil, fmt.Errorf("[%d]: there is a window %q already", i, w.Name)
		}
		out = append(out, made)
	}
	return out, nil
}

// knows refuses the name of a window that is not there: a misspelt one must not be none.
func (c Config) knows(names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(c.Windows, func(w Window) bool { return w.Name == name }) {
			return fmt.Errorf("windows: there is no window %q", name)
		}
	}
	return nil
}

func (c Config) freezes() ([]upgrade.Freeze, error) {
	var out []upgrade.Freeze
	for i, f := range c.Freezes {
		made, err := f.freeze()
		if err != nil {
			return nil, fmt.Errorf("[%d] (%s): %w", i, f.Name, err)
		}
		out = append(out, made)
	}
	return out, nil
}

func (f Freeze) freeze() (upgrade.Freeze, error) {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil || f.Zone == "Local" {
		return upgrade.Freeze{}, fmt.Errorf("zone: %q is no IANA name, such as Europe/Prague", f.Zone)
	}
	for _, pattern := range f.Sets {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return upgrade.Freeze{}, fmt.Errorf("sets: %q is no pattern such as web-*", pattern)
		}
	}
	from, errFrom := dated(f.From, zone, 0)
	to, errTo := dated(f.To, zone, 1)
	switch {
	case f.Name == "":
		return upgrade.Freeze{}, errors.New("name: people will ask why")
	case errFrom != nil:
		return upgrade.Freeze{}, fmt.Errorf("from: %w", errFrom)
	case errTo != nil:
		return upgrade.Freeze{}, fmt.Errorf("to: %w", errTo)
	case !to.After(from):
		return upgrade.Freeze{}, fmt.Errorf("to: %s is not after from: %s", f.To, f.From)
	}
	return upgrade.Freeze{Sets: f.Sets, Start: from, End: to, Why: f.Name}, nil
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
