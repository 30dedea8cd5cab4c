package upgrade

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestWhatBecomesOfEntriesIsSaidEntryByEntry(t *testing.T) {
	entry := func(pattern, channel string, changes ...func(*Policy)) Policy {
		p := DefaultPolicy()
		p.Pattern, p.Channel = pattern, channel
		for _, change := range changes {
			change(&p)
		}
		return p
	}
	two := func(p *Policy) { p.Approvals = 2 }
	web, db, all := entry("web-*", "C1"), entry("db-*", "C2"), entry("*", "C3")
	for _, row := range []struct {
		name        string
		before, now []Policy
		says        []string // pattern, channels, and what
	}{
		{"nothing", []Policy{web, all}, []Policy{web, all}, nil},
		{"one of them", []Policy{web, all}, []Policy{entry("web-*", "C1", two), all}, []string{"web-* C1 approvals 1 → 2 (applies at once)"}},
		{"another channel: both are told", []Policy{web}, []Policy{entry("web-*", "C9")}, []string{"web-* C1,C9 channel C1 → C9 (not to open rollouts)"}},
		{"a new one", []Policy{all}, []Policy{entry("web-*", "C1", two), all}, []string{"web-* C1 it is new: approvals 2"}},
		{"one is gone", []Policy{web, all}, []Policy{all}, []string{"web-* C1 it is gone: its sets go by the next entry that matches them, or are nobody's (applies at once)"}},
		{"another order", []Policy{web, db, all}, []Policy{db, web, all}, []string{
			"db-* C2 it stands at another place among the entries, of which the first that matches a set holds", "web-* C1 it stands at another place among the entries, of which the first that matches a set holds"}},
	} {
		var got []string
		for _, c := range Compare(row.before, row.now) {
			got = append(got, c.Pattern+" "+strings.Join(c.Channels, ",")+" "+strings.Join(c.What, "; "))
			if c.From == c.To && !strings.Contains(got[len(got)-1], "place") {
				t.Errorf("R40 %s: the versions are the same: %+v", row.name, c)
			}
		}
		if !slices.Equal(got, row.says) {
			t.Errorf("%s: it says\n%s\nwant\n%s", row.name, strings.Join(got, "\n"), strings.Join(row.says, "\n"))
		}
	}
}

func TestPoliciesThatCannotBeWrittenDownAreNotInForce(t *testing.T) {
	var r Rules
	if len(r.Policies()) > 0 {
		t.Error("R23: before any are known somebody may something")
	}
	before, after := []Policy{{Pattern: "web"}}, []Policy{{Pattern: "*"}}
	if err := r.Change(before, func() error { return nil }); err != nil || r.Policies()[0].Pattern != "web" {
		t.Fatalf("%+v, %v", r.Policies(), err)
	}
	full := errors.New("the disk is full")
	if err := r.Change(after, func() error { return full }); !errors.Is(err, full) || r.Policies()[0].Pattern != "web" {
		t.Errorf("R40: %+v, %v", r.Policies(), err)
	}
}

func TestR21APolicyThatChangesBetweenDecisionAndCallStopsTheCall(t *testing.T) {
	inLab(t, tale{requested, granted("ud-0")}, func(l *lab) {
		l.before = func(c Change) error {
			for _, e := range c.Events {
				if _, intended := e.Fact.(Intended); intended {
					l.pol.Approvals = 2
				}
			}
			return nil
		}
		l.pass() //nolint:errcheck // it drops what it intended
		l.wantSent()
		if kinds := l.kinds("r-1"); !slices.Contains(kinds, "Dropped") || slices.Contains(kinds, "Sending") {
			t.Errorf("R21: the journal: %v", kinds)
		}
	})
}
