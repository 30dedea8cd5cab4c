package upgrade

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// more adds instances to the set that was planned.
func more(ids ...string) change {
	return set(func(s *ScaleSet) {
		for _, id := range ids {
			s.Instances = append(s.Instances, Instance{ID: id, UpdateDomain: 0, Image: runs(v2), Provisioning: Succeeded, Power: Running, Health: Healthy})
		}
		s.Capacity = len(s.Instances)
	})
}

func TestR34InstancesBornMeanwhileAreListed(t *testing.T) {
	some := func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.UpdateDomains = []int{0} }
	runNotes(t, []noteRow{
		{name: "what was there before is not", tale: begun, plan: some},
		{name: "one more", tale: begun, seen: more("6"), want: []string{"6 born on 2.0"}},
		{name: "each once", tale: tale{begun, Born{Member{ID: "6"}}}, seen: more("6", "7"), want: []string{"7 born on 2.0"}},
		{name: "on the old image", tale: begun, plan: some, seen: all(more("6"), instance("6", func(i *Instance) { i.Image = runs(v1) })), want: []string{"6 born on 1.0"}},
	})
	t.Run("of a plan that is older than the keeping of what else there was nothing is known", func(t *testing.T) {
		p := webPlan(some)
		p.Rest = nil
		r := tale{begun, Serving{N: 0, Total: 6}}.fold()
		if facts := Note(p, r, seenAfter(p, r), night); len(facts) > 0 {
			t.Errorf("noted %v", facts)
		}
	})
}

func TestMilestones(t *testing.T) {
	started := tale{begun, Pictured{Of: []string{PictureStart}}}
	seen := InstanceSeen{ID: "0", State: Broken, Detail: "provisioning failed"}
	failed := tale{started, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, time.Minute, Settled{Op: "op-1", OK: true}, seen}
	for _, row := range []struct {
		name string
		tale tale
		seen change
		want []string
	}{
		{"the start", tale{requested}, nil, []string{PictureStart}},
		{"not before its wave", tale{second}, nil, nil},
		{"once", started, nil, nil},
		{"not of a set that cannot be read", tale{requested}, unreadable, nil},
		{"a gate that is done", tale{started, batch(1, "0", "3")}, nil, []string{"ud-0"}},
		{"not one that is half done", tale{started, batch(1, "0")}, nil, nil},
		{"not one of which nothing was started", tale{started, InstanceSeen{ID: "0", State: Left}, InstanceSeen{ID: "3", State: Left}}, nil, nil},
		{"a failure", failed, nil, []string{PictureFailure}},
		{"the same failure once", tale{failed, Pictured{Of: []string{PictureFailure}, Failed: []string{"0"}}}, nil, nil},
		{"another failure, together with the gate's end", tale{failed, Pictured{Of: []string{PictureFailure}, Failed: []string{"0"}}, InstanceSeen{ID: "3", State: Broken}}, nil, []string{"ud-0", PictureFailure}},
		{"the same instance, failed again after a retry", tale{failed, Pictured{Of: []string{PictureFailure}, Failed: []string{"0"}}, by{"UBO", Retried{IDs: []string{"0"}, Gates: []string{"ud-0"}}}, seen}, nil, []string{PictureFailure}},
		{"nothing after the end", tale{requested, Ended{Outcome: OutcomeAborted}}, nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := row.tale.fold()
			o := seenAfter(webPlan(), r)
			if row.seen != nil {
				row.seen(&o)
			}
			var got []string
			facts := Milestones(webPlan(), r, o, row.tale.ends())
			for _, f := range facts {
				got = append(got, f.(Pictured).Of...)
			}
			if !slices.Equal(got, row.want) {
				t.Fatalf("a picture of %q, want %q", got, row.want)
			}
			if again := Milestones(webPlan(), r.With(At(night, "", facts...)...), o, row.tale.ends()); len(again) > 0 {
				t.Errorf("and again: %v", again)
			}
		})
	}
}

func TestAPictureTellsWhoDoesNotServe(t *testing.T) {
	r := tale{requested}.fold()
	o := seenAfter(webPlan(), r)
	all(instance("1", ill), instance("2", func(i *Instance) { i.Power = Deallocated }), instance("4", func(i *Instance) { i.Power = Stopped }))(&o)
	want := Pictured{Of: []string{PictureStart}, Down: []string{"1"}, Off: []string{"2", "4"}}
	if got := Milestones(webPlan(), r, o, night)[0].(Pictured); !reflect.DeepEqual(got, want) {
		t.Errorf("pictured %+v", got)
	}
}

func TestForetelling(t *testing.T) {
	for _, row := range []struct {
		name string
		plan func(*ScaleSet, *Policy, *Wish)
		want []Forecast
	}{
		{"both of a domain at once", nil, []Forecast{{1, usual, 4}, {1, usual, 4}, {1, usual, 4}}},
		{"one after the other", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.MaxUnavailable = 1 }, []Forecast{{2, 2 * usual, 5}, {2, 2 * usual, 5}, {2, 2 * usual, 5}}},
		{"beside one that is ill", func(s *ScaleSet, _ *Policy, w *Wish) { s.Instances[5].Health = Unhealthy }, []Forecast{{2, 2 * usual, 4}, {2, 2 * usual, 4}, {2, 2 * usual, 4}}},
		{"with notification of the OS image", func(s *ScaleSet, _ *Policy, w *Wish) { s.ImageNotice, w.Which.UpdateDomains = true, []int{0} }, []Forecast{{1, usual + 15*time.Minute, 4}}},
		{"a canary", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.UpdateDomains, w.Order.Canary = []int{0}, 1 }, []Forecast{{1, usual, 5}, {1, usual, 5}}},
	} {
		if got := webPlan(orNothing(row.plan)).Foretell(); !slices.Equal(got, row.want) {
			t.Errorf("%s: foretold %v, want %v", row.name, got, row.want)
		}
	}
	if work, rest := webPlan().Length(); work != 3*usual || rest != 20*time.Minute {
		t.Errorf("%s of work and %s of rest", work, rest)
	}
}

func orNothing(change func(*ScaleSet, *Policy, *Wish)) func(*ScaleSet, *Policy, *Wish) {
	if change == nil {
		return func(*ScaleSet, *Policy, *Wish) {}
	}
	return change
}
