package upgrade

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Query is a question that changes nothing.
type Query struct {
	Kind  QueryKind
	About string // a rollout or a set; "" = all that are open

	Person    string   // of an audit: a user's id; "" = everybody
	Instances []string // of an audit; nil = all
}

// QueryKind says what the answer to a Query holds.
type QueryKind string

const (
	QueryRollouts QueryKind = "rollouts" // Sight.Rollouts: the one named, the set's, or all open ones
	QueryHistory  QueryKind = "history"  // Sight.Rollouts: those that have ended, of the set or of all, the latest first
	QueryReport   QueryKind = "report"   // Sight.Rollouts: the one named, or the set's last
	QueryAudit    QueryKind = "audit"    // Sight.Rollouts of the person, the set's and instances', or all; Sight.System
	QueryShift    QueryKind = "shift"    // Sight.Rollouts: open ones, those that ended in the last day, and those that left a set half new; Sight.Freezes and Sight.Policies
	QueryPending  QueryKind = "pending"  // Sight.Rollouts: open ones that wait for this person's yes
	QuerySets     QueryKind = "sets"     // Sight.Sets, those whose name contains About
	QuerySet      QueryKind = "set"      // Sight.Set, its Policy, and the rollout that holds it
	QueryVersions QueryKind = "versions" // the same, and Sight.Versions of the set's image
	QueryFreezes  QueryKind = "freezes"  // Sight.Freezes that hold or are announced, and Sight.Schedules, for what this person may read, or for the set
)

// Sight is what a person asked to see.
type Sight struct {
	Rollouts  []Record
	Sets      []SetSummary
	Set       *ScaleSet
	Policy    Policy
	Freezes   []Freeze
	Schedules []Schedule     // with Freezes
	At        time.Time      // of windows and freezes: now
	System    []Event        // of no rollout
	Policies  []Policy       // those with windows
	Versions  []ImageVersion // newest first; none when the set runs a VHD, or an image of a kind that is not known
}

// Group is what was asked about where the rollouts are those of a group; a set may be called like one.
func (s Sight) Group(about string) string {
	if len(s.Rollouts) > 0 && s.Rollouts[0].Rollout.Wave != nil && s.Rollouts[0].Rollout.Wave.Group == about {
		return about
	}
	return ""
}

// Look answers a query, with only what the person may read.
func (d Desk) Look(ctx context.Context, by Person, q Query) (Sight, error) {
	switch q.Kind {
	case QuerySets:
		return d.lookSets(ctx, by, q.About)
	case QuerySet:
		return d.lookSet(ctx, by, q.About)
	case QueryVersions:
		return d.lookVersions(ctx, by, q.About)
	case QueryFreezes:
		return d.lookFreezes(ctx, by, q.About)
	case QueryHistory:
		return d.lookHistory(ctx, by, q.About)
	case QueryReport:
		return d.lookReport(ctx, by, q.About)
	case QueryAudit:
		return d.lookAudit(ctx, by, q)
	case QueryShift:
		return d.lookShift(ctx, by)
	case QueryPending:
		return d.lookPending(ctx, by)
	}
	return d.lookRollouts(ctx, by, q.About)
}

func (d Desk) lookSets(ctx context.Context, by Person, text string) (Sight, error) {
	sets, err := d.Catalogue.Sets(ctx)
	if err != nil {
		return Sight{}, azure("list the scale sets", err)
	}
	sets = slices.DeleteFunc(sets, func(s SetSummary) bool {
		return PolicyFor(d.Policies(), s.ID).Refuses(by, MayRead, "") != "" || !strings.Contains(strings.ToLower(s.Name), strings.ToLower(text))
	})
	open, err := d.open(ctx, by)
	return Sight{Sets: sets, Rollouts: open}, err
}

func (d Desk) lookSet(ctx context.Context, by Person, name string) (Sight, error) {
	set, pol, err := d.find(ctx, by, name, MayRead)
	if err != nil {
		return Sight{}, err
	}
	seen, err := d.Fleet.Observe(ctx, set.ID, Free)
	if err != nil {
		return Sight{}, azure("read "+set.Name, err)
	}
	s := Sight{Set: &seen, Policy: pol}
	if s.Freezes, err = d.freezes(ctx, []SetSummary{set}); err != nil {
		return Sight{}, err
	}
	if rec, err := d.Journal.Holder(ctx, set.ID); err == nil {
		s.Rollouts = []Record{rec}
	}
	return s, nil
}

// lookFreezes lists the freezes of the sets that the person may read.
func (d Desk) lookFreezes(ctx context.Context, by Person, name string) (Sight, error) {
	if name != "" {
		set, pol, err := d.find(ctx, by, name, MayRead)
		if err != nil {
			return Sight{}, err
		}
		s, err := d.ahead(ctx, Sight{Sets: []SetSummary{set}})
		s.Policy = pol
		return s, err
	}
	s, err := d.lookSets(ctx, by, "")
	if err != nil {
		return s, err
	}
	return d.ahead(ctx, s)
}

// ahead adds the freezes and schedules of the sets.
func (d Desk) ahead(ctx context.Context, s Sight) (Sight, error) {
	var err error
	s.At = d.Now()
	if s.Freezes, err = d.freezes(ctx, s.Sets); err == nil {
		s.Schedules, err = d.schedules(ctx, s.Sets)
	}
	return s, err
}

// freezes lists those that hold for one of the sets, or will.
func (d Desk) freezes(ctx context.Context, sets []SetSummary) ([]Freeze, error) {
	all, err := d.Journal.Freezes(ctx)
	if err != nil {
		return nil, inside("list the freezes", err)
	}
	var listed []Freeze
	for _, s := range sets {
		for _, f := range PolicyFor(d.Policies(), s.ID).Freezes {
			if f.Of(s.ID) && !slices.ContainsFunc(listed, func(o Freeze) bool { return o.Start.Equal(f.Start) && o.Why == f.Why }) {
				listed = append(listed, f)
			}
		}
	}
	for _, f := range all {
		if slices.ContainsFunc(sets, func(s SetSummary) bool { return f.Of(s.ID) }) {
			listed = append(listed, f)
		}
	}
	return slices.DeleteFunc(listed, func(f Freeze) bool { return !f.End.IsZero() && !f.End.After(d.Now()) }), nil
}

func (d Desk) lookVersions(ctx context.Context, by Person, name string) (Sight, error) {
	s, err := d.lookSet(ctx, by, name)
	if err != nil || s.Set.Model.Image.Kind() == KindVHD || s.Set.Model.Image.Kind() == "" {
		return s, err
	}
	s.Versions, err = d.Catalogue.Versions(ctx, s.Set.Location, s.Set.Model.Image)
	if err != nil {
		return s, azure("list the versions of "+s.Set.Model.Image.Name(), err)
	}
	return s, nil
}

func (d Desk) lookPending(ctx context.Context, by Person) (Sight, error) {
	open, err := d.open(ctx, by)
	open = slices.DeleteFunc(open, func(r Record) bool {
		pol := PolicyFor(d.Policies(), r.Plan.Set)
		right, _ := r.Plan.Agreement(pol)
		gate, _, _ := r.Rollout.CurrentGate(r.Plan)
		inForce, planned := r.Rollout.standing(pol, gate.Key), r.Rollout.standing(r.Plan.Policy, gate.Key)
		return !r.waitsFor(by) || inForce.Refuses(by, right, r.Rollout.Requester) != "" || planned.Refuses(by, right, r.Rollout.Requester) != ""
	})
	return Sight{Rollouts: open}, err
}

// waitsFor reports whether the gate that is asked lacks a yes that this person could give: there is
// no grant, or the last decision found the grant wanting.
func (r Record) waitsFor(by Person) bool {
	gate, _, open := r.Rollout.CurrentGate(r.Plan)
	_, asked := r.Rollout.Asked[gate.Key]
	voted := slices.ContainsFunc(r.Rollout.Votes[gate.Key], func(b Ballot) bool { return b.By == by.ID })
	if !open || !asked || voted || r.Rollout.Denial != nil || r.Rollout.Abort != nil || !r.Rollout.Startable(gate) {
		return false
	}
	for _, e := range slices.Backward(r.Events) {
		switch f := e.Fact.(type) {
		case Granted:
			if f.Gate == gate.Key {
				return false
			}
		case Asked:
			if f.Gate == gate.Key {
				return true
			}
		case Decided:
			return mentions(f.Blockers, ReasonApproval)
		}
	}
	return true
}

func (d Desk) lookRollouts(ctx context.Context, by Person, about string) (Sight, error) {
	open, err := d.open(ctx, by)
	if err != nil || about == "" {
		return Sight{Rollouts: open}, err
	}
	if IsGroup(about) {
		all, err := d.several(ctx, by, about)
		var no *Refusal
		if !errors.As(err, &no) || no.Code != CodeUnknown { // a set may be called so
			return Sight{Rollouts: all}, err
		}
	}
	if strings.HasPrefix(about, "r-") {
		rec, err := d.record(ctx, by, about)
		return Sight{Rollouts: []Record{rec}}, err
	}
	set, _, err := d.find(ctx, by, about, MayRead)
	if err != nil {
		return Sight{}, err
	}
	return Sight{Rollouts: slices.DeleteFunc(open, func(r Record) bool { return r.Plan.Set != set.ID })}, nil
}
