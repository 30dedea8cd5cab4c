package upgrade

import (
	"slices"
	"testing"
	"time"
)

func TestReplan(t *testing.T) {
	p := webPlan()
	for _, row := range []struct {
		name  string
		plan  func(*ScaleSet, *Policy, *Wish)
		in    tale
		set   func(*ScaleSet)
		pol   func(*Policy)
		gates []string // key and ids
		code  Code     // "" = there is a plan
		same  bool     // the digest
	}{
		{name: "R34 as planned is the same plan", in: begun, set: func(s *ScaleSet) { s.Model.Image = v1 }, gates: []string{"ud-0 0,3", "ud-1 1,4", "ud-2 2,5"}, same: true},
		{name: "R34 another network is another plan", in: begun, set: func(s *ScaleSet) { s.Model.Sections = map[Section]string{SectionNetwork: "z"} }, gates: []string{"ud-0 0,3", "ud-1 1,4", "ud-2 2,5"}},
		{name: "R34 an instance goes with the domain it moved to", in: begun, set: func(s *ScaleSet) { s.Instances[3].UpdateDomain = 2 }, gates: []string{"ud-0 0", "ud-1 1,4", "ud-2 3,2,5"}},
		{name: "R34 or with one that is new", in: begun, set: func(s *ScaleSet) { s.Instances[3].UpdateDomain = 7 }, gates: []string{"ud-0 0", "ud-1 1,4", "ud-2 2,5", "ud-7 3"}},
		{name: "R34 what is done stays where it was agreed to", in: udDone(0), set: func(s *ScaleSet) { s.Model.Image = v2; s.Instances[0].UpdateDomain = 2 }, gates: []string{"ud-0 0,3", "ud-1 1,4", "ud-2 2,5"}},
		{name: "R34 a born instance is never added", in: begun, set: func(s *ScaleSet) { s.Instances = append(s.Instances, Instance{ID: "6", UpdateDomain: 0}) }, gates: []string{"ud-0 0,3", "ud-1 1,4", "ud-2 2,5"}, same: true},
		{name: "a domain that is not told is the one it had", in: begun, set: func(s *ScaleSet) { s.Instances[3].UpdateDomain = -1 }, gates: []string{"ud-0 0,3", "ud-1 1,4", "ud-2 2,5"}, same: true},
		{name: "R35 a set that would upgrade itself cannot be planned", in: begun, set: func(s *ScaleSet) { s.UpgradeMode = Rolling }, code: CodePolicy},
		{name: "R45 a model that is newer than the target by now needs the policy's word", in: begun, set: func(s *ScaleSet) { s.Model.Image = version("3.0") }, code: CodePolicy},
		{name: "R34 a set made anew has other instances", in: begun, plan: func(s *ScaleSet, _ *Policy, _ *Wish) { s.Unique = "u1" }, set: func(s *ScaleSet) { s.Unique = "u2" }, code: CodePolicy},
		{name: "R41 what the model says is what it said", in: begun, plan: func(_ *ScaleSet, _ *Policy, w *Wish) { w.Target = Target{Setting: to(v1), Model: true} }, set: func(s *ScaleSet) { s.Model.Image = v2 }, code: CodePolicy},
	} {
		t.Run(row.name, func(t *testing.T) {
			q, s, pol := p, web(), webPolicy()
			if row.plan != nil {
				outdated := func(s *ScaleSet, _ *Policy, _ *Wish) {
					for n := range s.Instances {
						s.Instances[n].LatestModel = false
					}
				}
				q = webPlan(outdated, row.plan)
			}
			row.set(&s)
			got, no := Replan(q, row.in.fold(), s, pol, night.Add(time.Hour))
			code := Code("")
			if no != nil {
				code = no.Code
			}
			if code != row.code {
				t.Fatalf("refusal %v, want %q", no, row.code)
			}
			if code == "" && (!slices.Equal(grouped(got), row.gates) || (got.Digest == q.Digest) != row.same) {
				t.Errorf("gates %q, want %q; same digest %v, want %v", grouped(got), row.gates, got.Digest == q.Digest, row.same)
			}
		})
	}
}

func TestR1AnInstanceThatMovedWithinItsGateIsPlannedAnew(t *testing.T) {
	for _, row := range []struct {
		name string
		plan func(*ScaleSet, *Policy, *Wish)
		set  func(*ScaleSet)
		says string
	}{
		{"a canary", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Order.Canary = 1 }, func(s *ScaleSet) { s.Instances[0].UpdateDomain = 2 }, "instance 0: UD 2, was UD 0"},
		{"out of the zones that were chosen", func(s *ScaleSet, _ *Policy, w *Wish) { zoned(s); w.Which.Zones = []string{"1"} }, func(s *ScaleSet) { zoned(s); s.Instances[0].Zone = "2" }, "instance 0: UD 0, zone 2, was UD 0, zone 1"},
		{"out of the update domains that were chosen", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.UpdateDomains, w.Order.By = []int{0}, ByBatch }, func(s *ScaleSet) { s.Instances[0].UpdateDomain = 2 }, "instance 0: UD 2, was UD 0"},
	} {
		p, s := webPlan(row.plan), web()
		row.set(&s)
		r := tale{by{"UANA", Requested{Digest: p.Digest, Channel: "C1", Name: "ana"}}}.fold()
		seen := Observation{Set: &s, Policy: webPolicy(), Pace: DefaultPace()}
		if d := Decide(p, r, seen, night); d.Reason != ReasonDrift || d.Blockers[0].Next != "/vmss replan r-1" {
			t.Errorf("%s: %s %s, next %q", row.name, d.Kind, d.Text, d.Blockers[0].Next)
		}
		q, no := Replan(p, r, s, webPolicy(), night)
		if no != nil {
			t.Fatal(no)
		}
		heard, no := Hear(Word{Verb: WordReplan, Rollout: "r-1", Plan: &q}, ana, nil, p, r, webPolicy(), night)
		if no != nil || !slices.Contains(heard.Facts[0].(Replanned).Changes, row.says) {
			t.Errorf("%s: %+v, %v", row.name, heard.Facts, no)
		}
		if d := Decide(q, r.With(At(night, "UANA", heard.Facts...)...), seen, night); d.Kind != AskGate {
			t.Errorf("%s: planned anew, and %s: %s", row.name, d.Kind, d.Text)
		}
	}
}

func TestR21ANewPlanTakesTheTighterOfTwoPolicies(t *testing.T) {
	s, pol := web(), webPolicy()
	s.Model.Sections = map[Section]string{SectionNetwork: "z"}
	pol.Soak, pol.MaxUnavailable, pol.Approvals = time.Hour, Limit{N: 1}, 2
	q, no := Replan(webPlan(), begun.fold(), s, pol, night)
	if no != nil || q.Limits.Soak != time.Hour || q.Limits.MaxUnavailable != 1 || q.Policy.Approvals != 2 {
		t.Errorf("limits %+v, policy %+v, %v", q.Limits, q.Policy, no)
	}
	pol = webPolicy()
	pol.Soak, pol.MaxUnavailable = 0, Limit{N: 6}
	if q, no = Replan(webPlan(), begun.fold(), s, pol, night); no != nil || q.Limits.Soak != 5*time.Minute || q.Limits.MaxUnavailable != 2 {
		t.Errorf("a looser policy changed the limits: %+v, %v", q.Limits, no)
	}
}

func grouped(p Plan) []string {
	var out []string
	for _, g := range p.Gates {
		text := g.Key + " "
		for n, id := range g.IDs() {
			if n > 0 {
				text += ","
			}
			text += id
		}
		out = append(out, text)
	}
	return out
}

func TestR5ARollbackTakesWhatWasTouchedLastFirst(t *testing.T) {
	p, s := webPlan(setAside), web()
	s.Model.Image = v2
	for _, n := range []int{0, 1, 3, 4} {
		s.Instances[n].Image = runs(v2)
	}
	s.Instances[2].Image = runs(version("3.0")) // somebody else's: the rollout had not come to it
	r := udDone(1).fold()
	pol := webPolicy()
	pol.OnFailure = QuarantineOnFailure
	q, no := Undo(p, r, s, pol, "UANA", night)
	if no != nil {
		t.Fatal(no)
	}
	if want := []string{"ud-1 1,4", "ud-0 0,3"}; !slices.Equal(grouped(q), want) || !q.Target.Image.Same(v1) || q.Action != ActionRollback || q.Undoes != "r-1" || q.By != "UANA" {
		t.Errorf("%s of %v to %v of %q by %s, want %v to %v", q.Action, grouped(q), q.Target, q.Undoes, q.By, want, v1)
	}
	if q.Limits.OnFailure != HoldOnFailure {
		t.Error("R30: a rollback goes on without what fails")
	}
	if right, n := q.Agreement(Policy{Approvals: 3}); right != MayRecover || n != 1 {
		t.Errorf("it takes %d with the right to %s", n, right)
	}
	if pol.Refuses(ana, MayRecover, "UANA") != "" || pol.Refuses(stray, MayRecover, "UANA") == "" {
		t.Error("R5: who asked may agree, a stranger may not")
	}
}

func TestR5WhatFailedIsTakenBackAlthoughAzureTellsNoDomainOfIt(t *testing.T) {
	for _, by := range []By{"", ByUpdateDomain, ByFaultDomain, ByZone, ByBatch} {
		p := webPlan(func(s *ScaleSet, _ *Policy, w *Wish) { zoned(s); w.Order.By = by })
		r := tale{begun, batch(1, "0", "3")}.fold()
		seen := seenAfter(p, r)
		zoned(seen.Set)
		i := &seen.Set.Instances[0]
		i.Provisioning, i.UpdateDomain, i.FaultDomain, i.Zone = Failed, -1, -1, ""
		q, no := Undo(p, r, *seen.Set, webPolicy(), "UANA", night)
		if no != nil || q.Size() != 2 || len(q.Skipped) > 0 || q.Order.By != p.Order.By {
			t.Fatalf("by %q: back %s (%v)", by, gatesOf(q), no)
		}
		m, _, _ := q.Member("0")
		if m.UpdateDomain != 0 || m.Zone != "1" || m.From != to(runs(v2)) {
			t.Errorf("by %q: it was %+v", by, m)
		}
		zoned(seen.Set)
		seen.Set.Instances[0].UpdateDomain, seen.Set.Instances[0].FaultDomain = 0, 0
		if q.moved(m, seen.Set.Instances[0]) != "" {
			t.Errorf("by %q: told its domain, it has moved", by)
		}
	}
}

func TestR5WhatCannotBeRolledBackSaysWhy(t *testing.T) {
	mixed := func(s *ScaleSet, _ *Policy, _ *Wish) { s.Instances[3].Image = runs(version("0.9")) }
	for _, row := range []struct {
		name string
		plan Plan
		in   tale
		set  func(*ScaleSet)
		code Code
	}{
		{"nothing was touched", webPlan(), begun, nil, CodeState},
		{"all of it is back already", webPlan(), udDone(0), func(s *ScaleSet) { s.Model.Image = v2 }, CodeNothing},
		{"the model is somebody else's", func() Plan { p := webPlan(); p.Target.Model = true; return p }(), udDone(0), nil, CodePolicy},
		{"the set would upgrade itself", webPlan(), udDone(0), func(s *ScaleSet) { s.UpgradeMode = Automatic }, CodePolicy},
		{"several images were run before, and the model followed latest", webPlan(mixed, func(s *ScaleSet, _ *Policy, _ *Wish) { s.Model.Image.Version = Latest }), tale{requested, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}, nil, CodePolicy},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := web()
			if row.set != nil {
				row.set(&s)
			}
			if _, no := Undo(row.plan, row.in.fold(), s, webPolicy(), "UANA", night); no == nil || no.Code != row.code || no.What == "" || no.Next == "" {
				t.Errorf("refusal %v, want %s", no, row.code)
			}
		})
	}
}
