package upgrade

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/window"
)

// other makes a value that differs.
func other(t *testing.T, v reflect.Value) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *[]string:
		*x = append(slices.Clone(*x), "SOTHER")
	case *[]window.Window:
		*x = append(slices.Clone(*x), window.Window{Name: "other"})
	case *[]Freeze:
		*x = append(slices.Clone(*x), Freeze{Why: "other"})
	case *[]Probe:
		*x = append(slices.Clone(*x), Probe{Name: "other"})
	case *int:
		*x += 7
	case *time.Duration:
		*x += 7 * time.Minute
	case *bool:
		*x = !*x
	case *Limit:
		*x = Limit{Percent: 7}
	case *Budget:
		x.Sets = 7
	case *OnFailure:
		*x = QuarantineOnFailure
	default:
		t.Fatalf("a test does not know how to change %s", v.Type())
	}
}

// What is not in the table is neither shown nor told of when it changes.
func TestEverythingAPolicySaysIsInTheTable(t *testing.T) {
	fields := reflect.TypeFor[Policy]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		if name == "Pattern" || name == "Channel" || name == "From" {
			continue
		}
		p, q := webPolicy(), webPolicy()
		other(t, reflect.ValueOf(&q).Elem().Field(i))
		var keys []string
		for _, term := range Terms() {
			if !slices.Equal(term.Say(p), term.Say(q)) {
				keys = append(keys, term.Key)
			}
		}
		if len(keys) != 1 || len(p.Differences(q)) != 1 || !strings.HasPrefix(p.Differences(q)[0], keys[0]+" ") {
			t.Errorf("%s is under the keys %v, and its change is told as %v", name, keys, p.Differences(q))
		}
	}
}

func TestAChangeOfAPolicySaysWhetherOpenRolloutsGoByIt(t *testing.T) {
	tue, sat := window.Window{Name: "tue", Recurrence: "0 2 * * TUE", Length: 2 * time.Hour, Zone: "UTC"}, window.Window{Name: "sat", Recurrence: "0 2 * * SAT", Length: time.Hour, Zone: "UTC"}
	sale := Freeze{Why: "sale", Start: night, End: night.Add(time.Hour)}
	for _, row := range []struct {
		name     string
		from, to func(*Policy) // what differs from the usual one
		says     []string
	}{
		{"nothing", nil, nil, nil},
		{"more approvals", nil, func(p *Policy) { p.Approvals = 2 }, []string{"approvals 1 → 2 (applies at once)"}},
		{"fewer approvals", func(p *Policy) { p.Approvals = 2 }, nil, []string{"approvals 2 → 1 (to open rollouts only as planned)"}},
		{"two at once", nil, func(p *Policy) { p.Approvals, p.Soak = 2, time.Minute }, []string{"approvals 1 → 2 (applies at once)", "soak 5m → 1m (to open rollouts only as planned)"}},
		{"a longer soak", nil, func(p *Policy) { p.Soak = 90 * time.Minute }, []string{"soak 5m → 1h30m (applies at once)"}},
		{"a shorter deadline", nil, func(p *Policy) { p.Deadline = time.Minute }, []string{"healthy_deadline 15m → 1m (applies at once)"}},
		{"lives", nil, func(p *Policy) { p.UnstartedLife, p.WholeLife = time.Hour, 200*time.Hour }, []string{"unstarted_life 24h → 1h (applies at once)", "whole_life 168h → 200h (to open rollouts only as planned)"}},
		{"fewer instances", nil, func(p *Policy) { p.MaxUnavailable = Limit{N: 1} }, []string{"max_unavailable 2 → 1 (applies at once)"}},
		{"a share for a number", nil, func(p *Policy) { p.MaxUnavailable = Limit{Percent: 50} }, []string{"max_unavailable 2 → 50% (open rollouts keep to both)"}},
		{"quarantine", nil, func(p *Policy) { p.OnFailure = QuarantineOnFailure }, []string{"on_failure hold → quarantine (to open rollouts only as planned)"}},
		{"no quarantine", func(p *Policy) { p.OnFailure = QuarantineOnFailure }, nil, []string{"on_failure quarantine → hold (applies at once)"}},
		{"an abort instead of it", func(p *Policy) { p.OnFailure = QuarantineOnFailure }, func(p *Policy) { p.OnFailure = AbortOnFailure }, []string{"on_failure quarantine → abort (open rollouts: hold)"}},
		{"one approver for another", nil, func(p *Policy) { p.Approvers = []string{"UBO", "SOPS", "UGUS"} }, []string{"approvers without UEVA (applies at once)", "approvers with UGUS (to open rollouts only as planned)"}},
		{"images by name", nil, func(p *Policy) { p.AllowedImages = []string{"a:b:*"} }, []string{"allowed_images the family that the set runs → a:b:* (open rollouts keep to both)"}},
		{"another image", func(p *Policy) { p.AllowedImages = []string{"a:b:*"} }, func(p *Policy) { p.AllowedImages = []string{"a:b:*", "c:d:*"} }, []string{"allowed_images with c:d:* (to open rollouts only as planned)"}},
		{"downgrades", nil, func(p *Policy) { p.Downgrades = true }, []string{"downgrades no → yes (to open rollouts only as planned)"}},
		{"watching", nil, func(p *Policy) { p.Watch = true }, []string{"watch no → yes (applies at once)"}},
		{"watching no more", func(p *Policy) { p.Watch = true }, nil, []string{"watch yes → no (applies at once)"}},
		{"no downgrades", func(p *Policy) { p.Downgrades = true }, nil, []string{"downgrades yes → no (applies at once)"}},
		{"windows at last", nil, func(p *Policy) { p.Windows = []window.Window{tue} }, []string{"windows at any time → tue (0 2 * * TUE for 2h, UTC) (applies at once)"}},
		{"no windows any more", func(p *Policy) { p.Windows = []window.Window{tue} }, nil, []string{"windows tue (0 2 * * TUE for 2h, UTC) → at any time (to open rollouts only as planned)"}},
		{"one window more", func(p *Policy) { p.Windows = []window.Window{tue} }, func(p *Policy) { p.Windows = []window.Window{tue, sat} }, []string{"windows with sat (0 2 * * SAT for 1h, UTC) (to open rollouts only as planned)"}},
		{"a freeze", nil, func(p *Policy) { p.Freezes = []Freeze{sale} }, []string{"freezes with sale (2026-11-24 02:00 to 2026-11-24 03:00 UTC) (applies at once)"}},
		{"R15 a freeze that is lifted", func(p *Policy) { p.Freezes = []Freeze{sale} }, nil, []string{"freezes without sale (2026-11-24 02:00 to 2026-11-24 03:00 UTC) (applies at once)"}},
		{"an external gate", nil, func(p *Policy) { p.Probes = []Probe{slo} }, []string{"gates with slo (patience 5m, asks a) (applies at once)"}},
		{"R21 an external gate that is taken out", func(p *Policy) { p.Probes = []Probe{slo} }, nil, []string{"gates without slo (patience 5m, asks a) (to open rollouts only as planned)"}},
		{"a budget at last", nil, func(p *Policy) { p.Budget.Sets = 3 }, []string{"budget no limit → 3 sets (applies at once)"}},
		{"more of one, less of another", func(p *Policy) { p.Budget = Budget{Sets: 3, PersonInstances: 9} }, func(p *Policy) { p.Budget = Budget{Sets: 4, PersonInstances: 8} }, []string{"budget 3 sets, 9 instances a person → 4 sets, 8 instances a person (open rollouts: 3 sets, 8 instances a person)"}},
		{"another channel", nil, func(p *Policy) { p.Channel = "C2" }, []string{"channel C1 → C2 (to open rollouts only as planned)"}},
		{"where it stands is no difference", nil, func(p *Policy) { p.From = map[string]string{"soak": "x:1"} }, nil},
	} {
		from, to := webPolicy(), webPolicy()
		for p, change := range map[*Policy]func(*Policy){&from: row.from, &to: row.to} {
			if change != nil {
				change(p)
			}
		}
		if got := from.Differences(to); !slices.Equal(got, row.says) {
			t.Errorf("%s: it says %q, want %q", row.name, got, row.says)
		}
		if (from.Version() == to.Version()) != (len(row.says) == 0) {
			t.Errorf("R20 %s: the version tells another story", row.name)
		}
	}
}

func TestWhatHoldsForASetSaysWhereItComesFrom(t *testing.T) {
	pol := webPolicy()
	pol.From = map[string]string{"match": "vmssbot.yaml:31", "soak": "vmssbot.yaml:33", "approvers": "vmssbot.yaml:35"}
	pol.Soak, pol.Bake, pol.MaxUnavailable = time.Minute, time.Hour, Limit{Percent: 50}
	p := webPlan()
	p.Limits.Soak, p.Limits.MaxUnavailable = 20*time.Minute, 1
	p.Policy.Approvers = []string{"UBO"}
	look := func(records ...Record) string {
		var out []string
		s := web()
		for _, h := range (Sight{Set: &s, Policy: pol, Rollouts: records, Freezes: []Freeze{{ID: "f-1", Why: "sale", Name: "bo"}, {Why: "Christmas"}}}).Holdings() {
			out = append(out, h.Key+" = "+strings.Join(h.Values, ", ")+" ("+h.From+")\n")
		}
		return strings.Join(out, "")
	}
	for _, row := range []struct {
		all  string
		want []string
	}{
		{look(), []string{"match = web (vmssbot.yaml:31)", "approvers = UBO, UEVA, SOPS (vmssbot.yaml:35)", "soak = 1m (vmssbot.yaml:33)", "bake = 1h (default)", "max_unavailable = 50% (default)",
			"windows = at any time (default)", "freezes = none (default)", "freezes = frozen by bo: “sale” until somebody lifts it (/vmss unfreeze f-1)"}},
		{look(Record{ID: "r-1", Plan: p}), []string{"soak = 20m (the plan of r-1)", "bake = 1h (default)", "max_unavailable = 1 (the plan of r-1)", "approvers = UBO, UEVA, SOPS (vmssbot.yaml:35)\napprovers = UBO (the plan of r-1, which must permit it as well)"}},
	} {
		for _, want := range row.want {
			if !strings.Contains(row.all, want+"\n") {
				t.Errorf("%q is not in:\n%s", want, row.all)
			}
		}
	}
}
