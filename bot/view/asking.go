package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// asking is one asking of a gate as the events tell it: each card shows its own, also after a later
// one has replaced it.
type asking struct {
	asked    upgrade.AskedAt
	ids      []string // the instances that a yes covers
	again    []trial  // of these, those that were tried before
	do       string   // what is done to them
	changes  []string // of a new plan to which nobody had agreed yet
	votes    []upgrade.Ballot
	granted  time.Time // zero = not granted
	rest     bool      // the yes covered every later gate, too
	denied   *upgrade.Said
	reminded []string // who was called at half of its life
	calledIn []string // who was called in as nobody answered
	inAt     time.Time
	replaced bool // it is asked anew, or will be: no yes to this one starts anything more
}

func askingOf(rec upgrade.Record, g upgrade.Gate, n int) asking {
	a := asking{do: doingOf(rec.Plan.Target.Setting).do}
	var changes []string
	for i, e := range rec.Events {
		switch f := e.Fact.(type) {
		case upgrade.Replanned:
			changes = f.Changes
		case upgrade.Asked:
			if f.Gate == g.Key && f.Asking == n {
				a.asked, a.changes = upgrade.AskedAt{Asked: f, At: e.At}, changes
				a.cover(g, rec, i)
			}
		case upgrade.Voted:
			if f.Gate == g.Key && f.Asking == n {
				a.votes = append(a.votes, upgrade.Ballot{By: cmp.Or(f.Voter, e.By), Name: f.Name, At: e.At})
			}
		case upgrade.Granted:
			changes = nil
			a.rest = a.rest || f.Gate != g.Key && e.At.Equal(a.granted)
			if f.Gate == g.Key && f.Asking == n {
				a.granted = e.At
			}
		case upgrade.Reminded:
			if f.Gate == g.Key && f.Asking == n {
				a.reminded = f.Called
			}
		case upgrade.Escalated:
			if f.Gate == g.Key && f.Asking == n {
				a.calledIn, a.inAt = f.Called, e.At
			}
		case upgrade.Denied:
			if f.Gate == g.Key && f.Asking == n {
				a.denied = &upgrade.Said{By: e.By, Name: f.Name, Reason: f.Reason, At: e.At}
			}
		}
	}
	latest, stands := rec.Rollout.Asked[g.Key]
	a.replaced = !stands || latest.Asking != n
	return a
}

// trial is an instance that is asked for once more: how it came out before, as known when it was asked.
type trial struct {
	id    string
	tries int
	why   string
	fresh bool // it is on the image already: it gets a new disk
}

// cover works out what a yes covers, and which of that was tried before, going by the events before the
// i-th, which is the asking.
func (a *asking) cover(g upgrade.Gate, rec upgrade.Record, i int) {
	if a.ids = a.asked.Instances; a.ids == nil {
		a.ids = g.IDs()
	}
	if !slices.ContainsFunc(rec.Events[:i], func(e upgrade.Event) bool { _, is := e.Fact.(upgrade.Retried); return is }) {
		return
	}
	then := upgrade.Fold(rec.ID, rec.Events[:i])
	before := pastOf(upgrade.Record{ID: rec.ID, Events: rec.Events[:i]})
	for _, id := range a.ids {
		st := then.Instances[id]
		if !st.Retry || st.Tries == 0 {
			continue
		}
		why := reason(st.Code, st.Detail, 160)
		if f, failed := before.failures[id]; failed {
			why = reason(f.Code, f.Detail, 160)
		}
		a.again = append(a.again, trial{id, st.Tries, why, st.Image != "" && st.Image == rec.Plan.Target.String() && rec.Plan.Target.Size == ""})
	}
}

// trials has a line for those that came out alike, at most so many.
func (a asking) trials(most int) []string {
	var kinds []trial
	var ids [][]string
	for _, t := range a.again {
		id := t.id
		t.id = ""
		i := slices.Index(kinds, t)
		if i < 0 {
			i = len(kinds)
			kinds, ids = append(kinds, t), append(ids, nil)
		}
		ids[i] = append(ids[i], id)
	}
	var out []string
	rest := 0
	for i, t := range kinds {
		if i >= most {
			rest += len(ids[i])
			continue
		}
		out = append(out, t.line(ids[i], a.do))
	}
	if rest > 0 {
		out = append(out, fmt.Sprintf("… and %s tried before, for %s", upgrade.Count(rest, "more instance"), upgrade.Count(len(kinds)-most, "other reason")))
	}
	return out
}

func (t trial) line(ids []string, do string) string {
	often, next := "once", "gets the "+do+" once more"
	switch {
	case t.tries == 2:
		often = "twice"
	case t.tries > 2:
		often = fmt.Sprintf("%d times", t.tries)
	}
	if t.fresh {
		next = "gets a new disk of the image that it has"
	}
	return fmt.Sprintf("%s %s, tried %s: %s · %s", shapeOf(upgrade.Broken), those(ids), often, strings.TrimSuffix(t.why, "."), next)
}

func (a asking) voters() string {
	var names []string
	for _, v := range a.votes {
		names = append(names, name(v.Name))
	}
	return and(names)
}
