package view

import (
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// ids are instances of the set by their number.
func (s *story) ids(numbers ...int) []string {
	var out []string
	for _, n := range numbers {
		out = append(out, s.cast.id(n))
	}
	return out
}

// firstGate approves the gate that is asked and lets its batch end: well for all but those that end
// otherwise.
func (s *story) firstGate(end func(ids []string)) {
	s.gateUntil(func() {
		ids := s.flying()
		s.azure(ids, s.reimaged)
		s.op = upgrade.OpReading{Done: true, OK: true}
		if len(ids) > 0 {
			end(ids)
		}
	})
	for range 20 {
		if _, open := s.record().Rollout.OpenBatch(); !open || s.reason() == upgrade.ReasonUnclear {
			return
		}
		s.wait(time.Minute)
		s.look()
	}
}

// fails lets instances end failed on the new image, with what Azure says of them.
func (s *story) fails(ids ...string) {
	s.azure(ids, func(i *upgrade.Instance) {
		i.Provisioning, i.Health, i.Code, i.Message = upgrade.Failed, upgrade.Unhealthy, s.cast.code, s.cast.message
		i.Evidence = []string{"ProvisioningState/failed/" + s.cast.code + ": " + s.cast.message, "vmAgent: Ready: GuestAgent is running", "bootDiagnostics: " + s.cast.message}
	})
	s.op = upgrade.OpReading{Done: true, Code: s.cast.code, Message: s.cast.message}
}

// blurs lets instances come up with a health source that says nothing.
func (s *story) blurs(ids ...string) {
	s.azure(ids, func(i *upgrade.Instance) { s.reimaged(i); i.Health = upgrade.UnknownState })
}

// drifts lets somebody change the model.
func (s *story) drifts() {
	s.set.Model.Sections = map[upgrade.Section]string{upgrade.SectionOSProfile: "changed", upgrade.SectionExtensions: "changed"}
	s.set.Model.Leaves = map[string]string{"osProfile.customData": "another", "extensionProfile.extensions[AppHealth].properties.settings": "another"}
}

// unanswered is a call that brought no answer, nor did it when it was sent once more.
func unanswered(s *story) {
	s.approve("U0BO", s.cast.approver, false)
	s.pass()
	for range 10 {
		s.failing = &upgrade.Fault{Kind: upgrade.FaultUnknown, Op: "upgrade " + s.cast.set, Code: "GatewayTimeout", Message: s.cast.message}
		s.look()
		s.wait(45 * time.Second)
	}
	s.failing = nil
}

// heard lets somebody speak and shows it in the thread.
func (sh *shelf) heard(name string, s *story, by, who string, w upgrade.Word) {
	if no := s.hear(by, who, w); no != nil {
		panic("gallery: " + no.What)
	}
	sh.said(name, s)
	s.look()
}

// troubleStories are the ways out of trouble, each from its hold to its report.
func troubleStories(sh *shelf, c cast) {
	retryStory(sh, c)
	asideStory(sh, c)
	manyStory(sh, c)
	unclearStory(sh, c)
	unansweredStory(sh, c)
	driftStory(sh, c)
	rollbackStory(sh, c)
	quietStories(sh, c)
}

// retryStory is one instance that fails twice, and comes up in the third attempt.
func retryStory(sh *shelf, c cast) {
	s := standingFor(c, func(s *story) { s.firstGate(func(ids []string) { s.fails(ids[2:3]...) }) })
	ten := s.ids(10)
	sh.hold("failure of one", s)
	sh.add("batch/one failed", s, "batch/1")
	sh.reply("evidence", s.now, commands.Reply{Verb: commands.VerbShow, Part: partEvidence}, s)
	first := s.branch()
	sh.heard("retry", s, "U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordRetry})
	sh.holdOf("over by a retry", s, first)
	sh.add("card/once more", s, "card/ud-0/2")
	sh.add("card/replaced by a retry", s, "card/ud-0/1")
	sh.add("batch/waits to be tried once more", s, "batch/1")
	s.approve("U0BO", c.approver, false)
	s.look()
	sh.add("live/new disk", s, upgrade.SlotLive)
	sh.add("batch/new disk", s, "batch/2")
	s.wait(3 * time.Minute)
	s.fails(ten...)
	s.look()
	s.wait(2 * time.Minute)
	s.look()
	sh.add("batch/tried in a later one", s, "batch/1")
	sh.add("batch/failed once more", s, "batch/2")
	s.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordRetry, IDs: ten})
	s.look()
	sh.add("card/for the third time", s, "card/ud-0/3")
	sh.reply("evidence of two attempts", s.now, commands.Reply{Verb: commands.VerbShow, Part: partEvidence}, s)
	s.finish()
	sh.add("report/after retries", s, upgrade.SlotReport)
}

// asideStory is a rollout that goes on without some instances, in other hands.
func asideStory(sh *shelf, c cast) {
	s := standingFor(c, func(s *story) { s.firstGate(func(ids []string) { s.fails(ids[1:3]...) }) })
	sh.hold("failure of two alike", s)
	sh.heard("handover", s, "U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordHandover, To: "U0EVA", Reason: c.note})
	sh.add("live/handed over", s, upgrade.SlotLive)
	sh.heard("quarantine", s, "U0EVA", c.second, upgrade.Word{Verb: upgrade.WordQuarantine, IDs: s.ids(10), Reason: c.reason})
	sh.heard("skip", s, "U0EVA", c.second, upgrade.Word{Verb: upgrade.WordSkip, IDs: s.ids(5), Reason: c.reason})
	sh.heard("skip without a reason", s, "U0EVA", c.second, upgrade.Word{Verb: upgrade.WordSkip, IDs: s.ids(6, 11)})
	sh.add("live/quarantined and skipped", s, upgrade.SlotLive)
	sh.add("batch/quarantined and skipped", s, "batch/1")
	sh.reply("status, quarantined and skipped", s.now, commands.Reply{Verb: commands.VerbStatus}, s)
	s.finish()
	sh.add("report/with quarantine", s, upgrade.SlotReport)

	s = begin(c, 20, func(s *story) { s.pol.OnFailure = upgrade.QuarantineOnFailure })
	s.plan.Limits.OnFailure = upgrade.QuarantineOnFailure
	sh.add("plan/that sets aside what fails", s, upgrade.SlotPlan)
	s.look()
	s.firstGate(func(ids []string) { s.fails(ids[:1]...) })
	for i, e := range s.events {
		if _, is := e.Fact.(upgrade.Quarantined); is {
			sh.want("said/quarantined by the bot", s, fmt.Sprintf("said/%d", i+1), upgrade.NewSaidWant(e))
		}
	}
}

// manyStory is a large batch of which much fails, for many reasons.
func manyStory(sh *shelf, c cast) {
	s := begin(c, 100, nil)
	s.look()
	s.firstGate(func(ids []string) {
		s.fails(ids...)
		for n, id := range ids[:12] {
			s.azure([]string{id}, func(i *upgrade.Instance) {
				i.Code, i.Message = fmt.Sprintf("DiskTrouble%d", n), fmt.Sprintf("disk %d: %s", n, c.message)
			})
		}
	})
	sh.hold("failure of many", s)
	sh.add("live/many failed", s, upgrade.SlotLive)
	sh.reply("why, many failed", s.now, commands.Reply{Verb: commands.VerbWhy}, s)
	sh.reply("evidence of many", s.now, commands.Reply{Verb: commands.VerbShow, Part: partEvidence}, s)
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordRetry})
	s.look()
	sh.add("card/many once more", s, "card/ud-0/2")
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason, Answer: upgrade.Keep})
	s.look()
	sh.add("report/many failed", s, upgrade.SlotReport)
}

// unclearStory is about instances of which nothing tells whether they are well.
func unclearStory(sh *shelf, c cast) {
	s := standingFor(c, func(s *story) { s.firstGate(func(ids []string) { s.blurs(ids[1:]...) }) })
	sh.hold("inconclusive, several", s)
	sh.add("live/inconclusive", s, upgrade.SlotLive)
	sh.add("batch/inconclusive", s, "batch/1")
	sh.heard("resolved as well", s, "U0BO", c.approver, upgrade.Word{Verb: upgrade.WordResolve, IDs: s.ids(5), Verdict: upgrade.IsOK, Reason: c.reason})
	sh.heard("resolved as failed", s, "U0BO", c.approver, upgrade.Word{Verb: upgrade.WordResolve, IDs: s.ids(10), Verdict: upgrade.IsFailed, Reason: c.reason})
	sh.add("batch/resolved", s, "batch/1")
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason, Answer: upgrade.Revert})
	s.look()
	sh.add("report/inconclusive", s, upgrade.SlotReport)

	sh.hold("inconclusive", standingFor(c, func(s *story) { s.firstGate(func(ids []string) { s.blurs(ids[1]) }) }))
}

// unansweredStory is a call of which nobody but a person can tell whether it happened.
func unansweredStory(sh *shelf, c cast) {
	s := standingFor(c, unanswered)
	sh.hold("unknown outcome", s)
	sh.add("live/unknown outcome", s, upgrade.SlotLive)
	started := s.branch()
	sh.heard("resolved as started", started, "U0BO", c.approver, upgrade.Word{Verb: upgrade.WordResolve, Verdict: upgrade.Started, Reason: c.reason})
	sh.add("batch/resolved as started", started, "batch/1")
	sh.heard("resolved as not started", s, "U0BO", c.approver, upgrade.Word{Verb: upgrade.WordResolve, Verdict: upgrade.NotStarted, Reason: c.reason})
	sh.add("batch/resolved as not started", s, "batch/1")
	sh.add("card/after a call that did not happen", s, "card/ud-0/2")
}

// driftStory is a set that somebody changes, and a plan made anew for it.
func driftStory(sh *shelf, c cast) {
	s := standingFor(c, func(s *story) {
		s.plan.Leaves = map[string]string{"osProfile.customData": "one", "networkProfile.healthProbe.id": "two"}
		s.gate()
		s.drifts()
	})
	sh.hold("drift, to be planned anew", s)
	sh.heard("replan", s, "U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordReplan})
	sh.add("card/planned anew", s, "card/ud-1/2")
	sh.add("live/planned anew", s, upgrade.SlotLive)
	s.finish()
	sh.add("report/planned anew", s, upgrade.SlotReport)
}

// rollbackStory is a rollout that is taken back, and the one that takes it back.
func rollbackStory(sh *shelf, c cast) {
	s := standingFor(c, func(s *story) {
		s.gate()
		s.soaked()
		s.firstGate(func(ids []string) { s.fails(ids[:1]...) })
	})
	sh.heard("rollback", s, "U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordRollback, Reason: c.reason})
	sh.add("live/rolled back", s, upgrade.SlotLive)
	sh.add("report/rolled back", s, upgrade.SlotReport)
	if s.then == nil {
		panic("gallery: no rollback was opened")
	}
	b := s.branch()
	b.id, b.plan, b.events, b.poll = "r-b4cc01", *s.then.Open, s.then.Events, ""
	sh.add("live/rollback planned", b, upgrade.SlotLive)
	sh.add("plan/rollback", b, upgrade.SlotPlan)
	b.look()
	first := b.plan.Gates[0]
	card := upgrade.CardSlot(first.Key, 1)
	sh.add("card/rollback", b, card)
	sh.add("live/rollback asking", b, upgrade.SlotLive)
	sh.reply("why of a rollback", b.now, commands.Reply{Verb: commands.VerbWhy}, b)
	b.approve("U0ANA", c.requester, false)
	sh.add("card/rollback approved", b, card)
	b.look()
	sh.add("live/rollback under way", b, upgrade.SlotLive)
	b.batch()
	sh.add("batch/rollback", b, "batch/1")
	b.finish()
	sh.add("report/of a rollback", b, upgrade.SlotReport)
}

// quietStories are a freeze, a channel out of reach, and a journal that a newer version wrote.
func quietStories(sh *shelf, c cast) {
	for _, w := range waitsFor {
		switch w.reason {
		case upgrade.ReasonFreeze, upgrade.ReasonChannel, upgrade.ReasonPolicy, upgrade.ReasonUnread, upgrade.ReasonHealth:
			s := standingFor(c, w.tell)
			sh.hold(string(w.reason)+" in the way", s)
			sh.add("live/"+string(w.reason)+" in the way", s, upgrade.SlotLive)
		}
	}
}
