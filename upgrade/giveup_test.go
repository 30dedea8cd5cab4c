package upgrade

import (
	"testing"
	"time"
)

func onFailure(o OnFailure) func(*ScaleSet, *Policy, *Wish) {
	return func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.OnFailure = o }
}

func TestR30ThePlanMayEndItselfForAFailure(t *testing.T) {
	failed := tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}, time.Minute, Settled{Op: "op-1", OK: true}, InstanceSeen{ID: "0", State: Broken, Detail: "provisioning failed"}}
	over := tale{failed, InstanceSeen{ID: "3", State: OK, Image: "2.0"}}
	within := func(s *ScaleSet, p *Policy, w *Wish) { failures(1)(s, p, w); w.Limits.OnFailure = RollbackOnFailure }
	runRows(t, []decideRow{
		{name: "R30 abort", tale: over, plan: onFailure(AbortOnFailure), kind: GiveUp, batch: []string{"0"}, says: "on-failure=abort"},
		{name: "R30 rollback", tale: over, plan: onFailure(RollbackOnFailure), kind: GiveUp, says: "on-failure=rollback"},
		{name: "R1 not while somebody has paused it", tale: tale{over, by{"UBO", Paused{Name: "bo"}}}, plan: onFailure(RollbackOnFailure), kind: Hold, reason: ReasonFailure},
		{name: "R1 once it goes on it does", tale: tale{over, by{"UBO", Paused{Name: "bo"}}, by{"UBO", Resumed{Name: "bo"}}}, plan: onFailure(RollbackOnFailure), kind: GiveUp},
		{name: "R30 within the budget nothing of it", tale: over, plan: within, kind: AskGate, reason: ReasonApproval},
		{name: "R30 what is still in flight is followed first", tale: tale{failed, by{"", AbortAsked{Name: "the plan", Rollback: true}}}, plan: onFailure(RollbackOnFailure), kind: Wait, reason: ReasonVerifying},
		{name: "R30 then it rolls back", tale: tale{over, by{"", AbortAsked{Name: "the plan", Rollback: true}}}, plan: onFailure(RollbackOnFailure), kind: End, end: OutcomeRollback},
		{name: "R5 R30 the way back goes when somebody has agreed to it, and not before", tale: tale{requested, asked("ud-0")}, plan: func(_ *ScaleSet, _ *Policy, w *Wish) { w.Undoes = "r-0" }, kind: Wait, reason: ReasonApproval},
		{name: "R30 R4 or asks what becomes of the model", tale: tale{over, by{"", AbortAsked{Name: "the plan"}}}, plan: onFailure(AbortOnFailure), kind: AskModel, reason: ReasonModel},
		{name: "R21 a policy that holds is no looser than an abort", tale: over, plan: onFailure(AbortOnFailure), seen: func(o *Observation) { o.Policy.OnFailure = HoldOnFailure }, kind: GiveUp},
		{name: "R21 a policy that holds keeps a plan from going on", tale: over, plan: setAside, seen: func(o *Observation) { o.Policy.OnFailure = HoldOnFailure }, kind: Hold, reason: ReasonFailure},
		{name: "R21 a policy that goes on is looser, and counts for nothing", tale: over, seen: func(o *Observation) { o.Policy.OnFailure = QuarantineOnFailure }, kind: Hold, reason: ReasonFailure},
	})
}

func TestR30TheWayBackIsOpenedOnceAndAsks(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		p := webPlan(onFailure(RollbackOnFailure))
		l.plan(p)
		l.until("the first gate's end", func(r Rollout) bool { return len(r.In(OK)) == 2 })
		l.until("its end", func(r Rollout) bool {
			l.change(func(s *ScaleSet) {
				if i := &s.Instances[1]; i.Image.Exact == "2.0" {
					i.Provisioning, i.Message = Failed, "out of order"
				}
			})
			return r.Ended != nil
		})
		r := l.rollout("r-1")
		if r.Ended.Outcome != OutcomeRollback || r.Abort.By != "" || r.Abort.Name != "the plan" {
			t.Fatalf("ended %s for %+v", r.Ended.Outcome, r.Abort)
		}
		back := l.rollout(r.Ended.Then)
		if back.Requester != "UANA" || len(back.Grants) > 0 || len(back.Batches) > 0 {
			t.Errorf("the way back: %+v", back)
		}
		if rec, _ := l.Record(t.Context(), r.Ended.Then); rec.Plan.Undoes != "r-1" || rec.Plan.Limits.OnFailure != HoldOnFailure || rec.Plan.Size() != 4 {
			t.Errorf("its plan: %+v", rec.Plan)
		}
	})
}
