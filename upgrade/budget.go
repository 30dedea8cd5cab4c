package upgrade

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Budget is how much may be started within an hour, of everything the bot drives: so that one account that is
// mistaken, or stolen, does not roll all of it. A person has to do with what they asked for and with what they
// agreed to. Zero = no limit.
type Budget struct {
	Sets            int `json:",omitempty"` // scale sets of which something was started
	Instances       int `json:",omitempty"`
	PersonSets      int `json:",omitempty"` // the same of each person
	PersonInstances int `json:",omitempty"`
}

// tighter is the smaller of each, where zero says nothing.
func (b Budget) tighter(c Budget) Budget {
	return Budget{least(b.Sets, c.Sets), least(b.Instances, c.Instances), least(b.PersonSets, c.PersonSets), least(b.PersonInstances, c.PersonInstances)}
}

func (b Budget) String() string {
	var out []string
	for _, limit := range []struct {
		n         int
		what, per string
	}{{b.Sets, "set", ""}, {b.Instances, "instance", ""}, {b.PersonSets, "set", " a person"}, {b.PersonInstances, "instance", " a person"}} {
		if limit.n > 0 {
			out = append(out, Count(limit.n, limit.what)+limit.per)
		}
	}
	return orNone(out, "no limit")
}

// spell is what a budget is for.
const spell = time.Hour

// Begun is one start: what of the budget it took.
type Begun struct {
	At        time.Time
	Op        string
	Set       SetID
	Instances int
	People    []string // who asked for it, and who agreed
}

// BegunIn lists what a rollout started since a time, also what is intended and not sent yet. What was dropped or
// refused never happened; the one re-send of a call takes its place, as the one before came to nothing.
func BegunIn(rec Record, since time.Time) []Begun {
	voters := map[string][]string{}
	last := "" // of the rollout's starts
	var out []Begun
	for _, e := range rec.Events {
		undone := ""
		switch f := e.Fact.(type) {
		case Granted:
			voters[f.Gate] = f.Voters
		case Intended:
			if !f.Op.Kind.OnInstances() {
				continue
			}
			if f.Op.Resend {
				undone = last
			}
			if last = f.Op.ID; e.At.After(since) {
				people := slices.Compact(slices.Sorted(slices.Values(append([]string{rec.Rollout.Requester}, voters[f.Op.Gate]...))))
				out = append(out, Begun{e.At, f.Op.ID, rec.Plan.Set, len(f.Op.Instances), people})
			}
		case Dropped:
			undone = f.Op
		case Refused:
			undone = f.Op
		}
		out = slices.DeleteFunc(out, func(b Begun) bool { return b.Op == undone && undone != "" })
	}
	return out
}

// mostCounted is how many rollouts that ended within the hour are counted at most; more cannot be.
const mostCounted = 200

// countBegun counts what was started within the hour, from the journal, so that a restart forgets nothing. counted is
// false where it cannot be told.
func countBegun(ctx context.Context, journal Reader, now time.Time) (all []Begun, counted bool, err error) {
	since := now.Add(-spell)
	open, err := journal.Open(ctx)
	if err != nil {
		return nil, false, err
	}
	ended, err := journal.Ended(ctx, "", mostCounted)
	if err != nil {
		return nil, false, err
	}
	if n := len(ended); n == mostCounted && ended[n-1].Events[len(ended[n-1].Events)-1].At.After(since) {
		return nil, false, nil
	}
	for _, rec := range append(open, ended...) {
		all = append(all, BegunIn(rec, since)...)
	}
	slices.SortStableFunc(all, func(a, b Begun) int { return a.At.Compare(b.At) })
	return all, true, nil
}

// budget is what the plan's policy and the one in force leave.
func (v view) budget() Budget { return v.p.Policy.Budget.tighter(v.seen.Policy.Budget) }

// overspent: the hour's budget leaves no room for n more instances of this set. The way back is exempt: it is the
// way out of trouble, over no more than was started before (R5).
func (v view) overspent(n int) *Blocker {
	gate, _, open := v.r.CurrentGate(v.p)
	if v.budget() == (Budget{}) || !open || v.r.Op != nil || v.p.Action == ActionRollback || !v.r.Startable(gate) {
		return nil
	}
	b := &Blocker{Reason: ReasonBudget, Clears: "time"}
	if !v.seen.Counted {
		b.What, b.Clears, b.Next = "what was started within the last hour cannot be counted, so that its budget may be spent", "the next reading of the journal", "/vmss show "+v.p.Name+" policy"
		return b
	}
	for _, limit := range v.accounts() {
		if until, spent := limit.until(v.p.Set, n); spent && until.After(b.Until) {
			b.What, b.Until = fmt.Sprintf("%s: the next start fits at %s", limit, DateToken(until)), until
		}
	}
	if b.What == "" {
		return nil
	}
	return b
}

// room is how many instances the hour's budget leaves.
func (v view) room() int {
	room := math.MaxInt
	if v.p.Action == ActionRollback {
		return room
	}
	for _, a := range v.accounts() {
		if a.instances > 0 {
			room = min(room, max(0, a.instances-sum(a.begun)))
		}
	}
	return room
}

// account is a limit, and what counts against it.
type account struct {
	who             string // a person's name; "" = everybody
	sets, instances int    // one of the two
	begun           []Begun
}

// accounts are everybody's, and of each person who has to do with the gate that is next.
func (v view) accounts() []account {
	b := v.budget()
	gate, _, _ := v.r.CurrentGate(v.p)
	people := map[string]string{v.r.Requester: v.r.Name}
	for _, vote := range v.r.Votes[gate.Key] {
		people[vote.By] = vote.Name
	}
	out := []account{{"", b.Sets, 0, v.seen.Begun}, {"", 0, b.Instances, v.seen.Begun}}
	for _, who := range slices.Sorted(maps.Keys(people)) {
		theirs := slices.DeleteFunc(slices.Clone(v.seen.Begun), func(b Begun) bool { return !slices.Contains(b.People, who) })
		name := cmp.Or(people[who], who)
		out = append(out, account{name, b.PersonSets, 0, theirs}, account{name, 0, b.PersonInstances, theirs})
	}
	return out
}

func sum(all []Begun) (n int) {
	for _, b := range all {
		n += b.Instances
	}
	return n
}

// until is when so many instances of the set fit in again; spent is false when they do now.
func (a account) until(set SetID, n int) (until time.Time, spent bool) {
	for i := range a.begun { // the oldest leave the hour first
		switch left := a.begun[i:]; {
		case a.instances > 0 && sum(left)+n > a.instances, a.sets > 0 && others(left, set) >= a.sets:
			until, spent = a.begun[i].At.Add(spell), true
		}
	}
	return until, spent
}

// others counts the sets beside this one.
func others(all []Begun, set SetID) int {
	seen := map[SetID]bool{}
	for _, b := range all {
		seen[b.Set] = b.Set != set
	}
	n := 0
	for _, other := range seen {
		if other {
			n++
		}
	}
	return n
}

func (a account) String() string {
	who := "everybody together"
	if a.who != "" {
		who = "one person, " + a.who + ","
	}
	what := Count(a.sets, "scale set")
	if a.instances > 0 {
		what = Count(a.instances, "instance")
	}
	return fmt.Sprintf("the budget of %s is spent (%s within an hour)", who, what)
}

// outbid counts once more, right before a write, what was started within the hour: two rollouts may have found the
// same room. Whoever meant it first has it.
func (s *step) outbid(op Operation) (why string, err error) {
	if err := s.count(); err != nil || !op.Kind.OnInstances() || op.Resend {
		return "", err
	}
	if i := slices.IndexFunc(s.seen.Begun, func(b Begun) bool { return b.Op == op.ID }); i >= 0 {
		s.seen.Begun = s.seen.Begun[:i]
	}
	v := s.view()
	v.r.Op = nil
	if b := v.overspent(len(op.Instances)); b != nil {
		return "before it was sent: " + b.What, nil
	}
	return "", nil
}
