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
