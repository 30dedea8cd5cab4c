package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// took is what another rollout started some minutes ago.
func took(ago time.Duration, set SetID, instances int, people ...string) Begun {
	return Begun{At: night.Add(-ago), Op: fmt.Sprint("op-", set, ago), Set: set, Instances: instances, People: people}
}

func spent(b Budget, begun ...Begun) func(*Observation) {
	return func(o *Observation) { o.Policy.Budget, o.Begun, o.Counted = b, begun, true }
}

func TestDecideOnTheHoursBudget(t *testing.T) {
	ready := begun
	budget := func(b Budget) func(*ScaleSet, *Policy, *Wish) {
		return func(_ *ScaleSet, p *Policy, _ *Wish) { p.Budget = b }
	}
	runRows(t, []decideRow{
		{name: "within it", tale: ready, seen: spent(Budget{Sets: 2, Instances: 10}, took(time.Minute, "db", 3)), kind: Start, batch: []string{"0", "3"}},
		{name: "so many sets", tale: ready, seen: spent(Budget{Sets: 1}, took(time.Minute, "db", 3)), kind: Wait, reason: ReasonBudget, says: "the budget of everybody together is spent (1 scale set within an hour): the next start fits at " + DateToken(night.Add(59*time.Minute))},
		{name: "the set itself counts once", tale: ready, seen: spent(Budget{Sets: 1}, took(time.Minute, webID, 3)), kind: Start},
		{name: "so many instances", tale: ready, seen: spent(Budget{Instances: 3}, took(time.Minute, "db", 3)), kind: Wait, reason: ReasonBudget, says: "3 instances within an hour"},
		{name: "what is left of it is what starts", tale: ready, seen: spent(Budget{Instances: 4}, took(time.Minute, "db", 3)), kind: Start, batch: []string{"0"}},
		{name: "what one person asked for", tale: ready, seen: spent(Budget{PersonSets: 1}, took(time.Minute, "db", 3, "UANA")), kind: Wait, reason: ReasonBudget, says: "one person, ana,"},
		{name: "what one person agreed to", tale: ready, seen: spent(Budget{PersonInstances: 3}, took(time.Minute, "db", 3, "UBO")), kind: Wait, reason: ReasonBudget, says: "one person, bo,"},
		{name: "somebody else's is none of theirs", tale: ready, seen: spent(Budget{PersonSets: 1, PersonInstances: 3}, took(time.Minute, "db", 3, "UEVA")), kind: Start},
		{name: "R46 what cannot be counted may be spent", tale: ready, seen: func(o *Observation) { o.Policy.Budget = Budget{Sets: 9} }, kind: Wait, reason: ReasonBudget, says: "cannot be counted"},
		{name: "without one nothing need be counted", tale: ready, seen: func(o *Observation) { o.Counted = false }, kind: Start},
		{name: "R21 one that the policy had when it was planned holds on", tale: ready, plan: budget(Budget{Sets: 1}), seen: spent(Budget{}, took(time.Minute, "db", 3)), kind: Wait, reason: ReasonBudget},
		{name: "R5 the way back is exempt", tale: ready, plan: func(_ *ScaleSet, _ *Policy, w *Wish) { w.Undoes = "r-0" }, seen: spent(Budget{Sets: 1}, took(time.Minute, "db", 3)), kind: Start},
		{name: "R31 people are asked all the same", tale: tale{requested}, seen: spent(Budget{Sets: 1}, took(time.Minute, "db", 3)), kind: AskGate, reason: ReasonApproval},
	})
}

func TestABudgetSaysWhenThereIsRoomAgain(t *testing.T) {
	all := []Begun{took(50*time.Minute, "a", 5), took(30*time.Minute, "b", 5), took(20*time.Minute, "a", 5), took(10*time.Minute, "c", 5)}
	for _, row := range []struct {
		name string
		a    account
		n    int
		want time.Duration // from night on; 0 = there is room
	}{
		{"instances", account{instances: 20, begun: all}, 1, 10 * time.Minute},
		{"more of them", account{instances: 20, begun: all}, 6, 30 * time.Minute},
		{"there is room", account{instances: 20, begun: all[:2]}, 10, 0},
		{"sets: the one that was started twice leaves with its last", account{sets: 2, begun: all}, 1, 40 * time.Minute},
		{"all of them", account{sets: 1, begun: all}, 1, 50 * time.Minute},
		{"no limit", account{begun: all}, 99, 0},
	} {
		until, is := row.a.until("d", row.n)
		if is != (row.want > 0) || is && !until.Equal(night.Add(row.want)) {
			t.Errorf("%s: until %s, %v; want %s", row.name, until.Sub(night), is, row.want)
		}
	}
}

func TestWhatWasStartedIsCountedFromTheJournal(t *testing.T) {
	op := func(id string, kind OpKind, resend bool, ids ...string) Intended {
		return Intended{Op: Operation{ID: id, Kind: kind, Gate: "ud-0", Instances: ids, Resend: resend}}
	}
	at := func(ago time.Duration, facts ...Fact) []Event { return At(night.Add(-ago), "", facts...) }
	rec := Record{Plan: webPlan(), Rollout: Rollout{Requester: "UANA"}, Events: slices.Concat(
		at(90*time.Minute, Granted{Gate: "ud-0", Voters: []string{"UBO", "UANA"}}, op("old", OpUpgrade, false, "0")),
		at(55*time.Minute, op("old again", OpUpgrade, true, "0"), op("1", OpUpgrade, false, "1")),
		at(50*time.Minute, op("model", OpModel, false), op("2", OpUpgrade, false, "0", "3")),
		at(45*time.Minute, op("2 again", OpUpgrade, true, "0", "3")),
		at(40*time.Minute, op("refused", OpUpgrade, false, "1"), Refused{Op: "refused"}, op("dropped", OpUpgrade, false, "1"), Dropped{Op: "dropped"}),
		at(30*time.Minute, Granted{Gate: "ud-0", Voters: []string{"UEVA"}}, op("3", OpReimage, false, "4")),
	)}
	var got []string
	for _, b := range BegunIn(rec, night.Add(-time.Hour)) {
		got = append(got, fmt.Sprint(b.Op, ": ", b.Instances, " ", b.People, " ", night.Sub(b.At)))
	}
	if strings.Join(got, ", ") != "old again: 1 [UANA UBO] 55m0s, 1: 1 [UANA UBO] 55m0s, 2 again: 2 [UANA UBO] 45m0s, 3: 1 [UANA UEVA] 30m0s" {
		t.Errorf("started: %q", got)
	}
	m := newMemory()
	for n := range mostCounted {
		m.past = append(m.past, Record{ID: fmt.Sprint("r-", n), Plan: webPlan(), Events: at(time.Minute, Ended{})})
	}
	if _, counted, err := countBegun(t.Context(), m, night); counted || err != nil {
		t.Errorf("R46: more ended within the hour than are read, and they are counted: %v", err)
	}
}

func TestOfTwoThatFoundTheSameRoomTheFirstHasIt(t *testing.T) {
	inLab(t, begun, func(l *lab) {
		l.pol.Budget = Budget{Instances: 2}
		l.before = func(c Change) error {
			for _, e := range c.Events {
				if _, intended := e.Fact.(Intended); intended && len(l.past) == 0 { // another pass was a moment earlier
					start := Intended{Op: Operation{ID: "op-first", Kind: OpUpgrade, Instances: []string{"0"}}}
					l.past = []Record{{ID: "r-0", Plan: Plan{Set: "db"}, Events: At(e.At.Add(-time.Millisecond), "", start)}}
				}
			}
			return nil
		}
		l.pass() //nolint:errcheck // it drops what it intended
		l.wantSent()
	})
}
