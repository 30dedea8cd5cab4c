package upgrade

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// FreezeAsk is a person's wish that nothing starts for a while.
type FreezeAsk struct {
	Set   string // a name or resourcegroup/name, or [EverySet]
	For   time.Duration
	Until string // a time as [Moment] reads it; one of the two, or neither: until somebody lifts it
	Why   string
	Lift  bool // the freeze of that set, or with that id, is to be lifted
}

// Frost is a change that freezes or thaws, the freeze, and the channels whose people must know.
type Frost struct {
	Change   Change
	Freeze   Freeze
	Channels []string
}

// EverySet stands for all sets that a person may stop.
const EverySet = "all"

// longestFreeze is how long a freeze may be said for; one without an end holds longer.
const longestFreeze = 31 * 24 * time.Hour

// Freeze stops every start on a set, or on all that the person may stop, until a time or until somebody lifts
// it; or lifts a freeze.
func (d Desk) Freeze(ctx context.Context, by Person, ask FreezeAsk) (Frost, error) {
	if ask.Lift {
		return d.thaw(ctx, by, ask.Set, ask.Why)
	}
	f := Freeze{ID: "f-" + d.ID()[:6], Start: d.Now(), Why: ask.Why, By: by.ID, Name: by.Name}
	if ask.Why == "" {
		return Frost{}, Refuse(CodeArg, fmt.Sprintf("/vmss freeze %s for=2h \"reason\"", ask.Set), "a freeze needs a reason: people will ask for it")
	}
	switch {
	case ask.For > 0:
		f.End = f.Start.Add(ask.For)
	case ask.Until != "":
		end, no := Moment(ask.Until, by.Zone, f.Start)
		if no != nil {
			return Frost{}, no
		}
		f.End = end
	}
	if f.End.Sub(f.Start) > longestFreeze {
		return Frost{}, Refuse(CodeArg, fmt.Sprintf("/vmss freeze %s \"reason\"", ask.Set), "a freeze with an end lasts 31 days at most: leave the end out, and lift it when it is time")
	}
	channels, err := d.freezable(ctx, by, ask.Set, &f)
	if err != nil {
		return Frost{}, err
	}
	return Frost{Change{Events: At(f.Start, by.ID, Froze{f})}, f, channels}, nil
}

// freezable fills in the sets. Of all sets it takes those that the person may stop: not those which an entry
// that comes before one of theirs gives to other people.
func (d Desk) freezable(ctx context.Context, by Person, set string, f *Freeze) (channels []string, err error) {
	if set != EverySet {
		s, pol, err := d.find(ctx, by, set, MayRead)
		if err != nil {
			return nil, err
		}
		if who := pol.Refuses(by, MayStop, ""); who != "" {
			return nil, Refuse(CodeRole, "/vmss show "+s.Name+" policy", "to freeze %s takes %s", s.Name, who)
		}
		f.Sets = []string{s.ID.ResourceGroup() + "/" + s.ID.Name()}
		return told(channels, pol), nil
	}
	var others []string
	for _, pol := range d.Policies() {
		if pol.Refuses(by, MayStop, "") == "" {
			f.Sets = append(append(f.Sets, others...), pol.Pattern)
			others, channels = nil, told(channels, pol)
			continue
		}
		others = append(others, NotOf+pol.Pattern)
	}
	if len(f.Sets) == 0 {
		return nil, Refuse(CodeRole, "/vmss list", "to freeze sets takes a requester or approver of them, and you are neither of any")
	}
	return channels, nil
}

func told(channels []string, pol Policy) []string {
	if pol.Channel == "" || slices.Contains(channels, pol.Channel) {
		return channels
	}
	return append(channels, pol.Channel)
}

// thaw lifts a freeze: what was agreed to goes on. It takes the right to stop every set that the freeze is for.
func (d Desk) thaw(ctx context.Context, by Person, which, why string) (Frost, error) {
	f, sets, err := d.freezeNamed(ctx, by, which)
	if err != nil {
		return Frost{}, err
	}
	var channels []string
	for _, s := range sets {
		pol := PolicyFor(d.Policies(), s.ID)
		if who := pol.Refuses(by, MayStop, ""); who != "" {
			return Frost{}, Refuse(CodeRole, "/vmss windows", "to lift %s, which is for %s, too, takes %s", f.ID, s.Name, who)
		}
		channels = told(channels, pol)
	}
	return Frost{Change{Events: At(d.Now(), by.ID, Unfroze{ID: f.ID, Name: by.Name, Why: why})}, f, channels}, nil
}

// freezeNamed finds the one freeze that is meant, by its id or by a set, and the sets it is for. A freeze of
// sets that a person may not read does not exist for them.
func (d Desk) freezeNamed(ctx context.Context, by Person, which string) (Freeze, []SetSummary, error) {
	all, err := d.Journal.Freezes(ctx)
	if err != nil {
		return Freeze{}, nil, inside("list the freezes", err)
	}
	sets, err := d.Catalogue.Sets(ctx)
	if err != nil {
		return Freeze{}, nil, azure("list the scale sets", err)
	}
	var fits []Freeze
	covered := map[string][]SetSummary{}
	for _, f := range all {
		visible := false
		for _, s := range sets {
			if pol := PolicyFor(d.Policies(), s.ID); f.Of(s.ID) && pol.Pattern != "" {
				covered[f.ID] = append(covered[f.ID], s)
				visible = visible || pol.Refuses(by, MayRead, "") == ""
			}
		}
		if visible && (f.ID == which || which == EverySet && !f.single() || len(named(covered[f.ID], which)) > 0) {
			fits = append(fits, f)
		}
	}
	switch len(fits) {
	case 0:
		return Freeze{}, nil, Refuse(CodeUnknown, "/vmss windows", "no freeze `%s` holds that you may see", which)
	case 1:
		return fits[0], covered[fits[0].ID], nil
	}
	var ids []string
	for _, f := range fits {
		ids = append(ids, "`"+f.ID+"`")
	}
	return Freeze{}, nil, Refuse(CodeArg, "/vmss unfreeze "+fits[0].ID, "several freezes hold: %s. Say which", strings.Join(ids, ", "))
}

// single reports whether a freeze was said of one set.
func (f Freeze) single() bool { return len(f.Sets) == 1 && !strings.ContainsAny(f.Sets[0], "*?[") }

// Moments that people write: with the zone, or in their own.
var momentForms = []string{"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "15:04"}

// Moment reads a time that lies ahead: a date and a time, in the zone that is named (an IANA name; "" = UTC)
// where it says none itself, or a time of day, which is the next one.
func Moment(s, zone string, now time.Time) (time.Time, *Refusal) {
	in, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		in = time.UTC
	}
	for _, form := range momentForms {
		t, err := time.ParseInLocation(form, s, in)
		if err != nil {
			continue
		}
		if form == "15:04" {
			today := now.In(in)
			if t = time.Date(today.Year(), today.Month(), today.Day(), t.Hour(), t.Minute(), 0, 0, in); !t.After(now) {
				t = time.Date(today.Year(), today.Month(), today.Day()+1, t.Hour(), t.Minute(), 0, 0, in)
			}
		}
		if !t.After(now) {
			return t, Refuse(CodeArg, "", "%s is over: it is %s", s, DateToken(now))
		}
		return t.UTC(), nil
	}
	return time.Time{}, Refuse(CodeArg, "", "%s is no time: write 2026-11-24T22:00, with Z behind it for UTC, or 22:00", s)
}
