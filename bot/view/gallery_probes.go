package view

import (
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// guarded has the policy, and the plan if it is not made yet, name an external gate that says this.
func (s *story) guarded(state upgrade.ProbeState, why string) {
	const sum = "5d1c"
	s.pol.Probes = []upgrade.Probe{{Name: "checkout-slo", Sum: sum, Patience: 5 * time.Minute}}
	s.outside = upgrade.Reading{Sum: sum, State: state, Why: why}
}

// said is what the external gates say now.
func (s *story) said() map[string]upgrade.Reading {
	r := s.outside
	r.At, r.Good = s.now, time.Minute
	return map[string]upgrade.Reading{"checkout-slo": r}
}

// outage renders the failure of an external gate that people were told of last.
func (sh *shelf) outage(name string, s *story) {
	sh.add("outage/"+name, s, fmt.Sprintf("outage/%d", s.record().Rollout.Probes["checkout-slo"].Post))
}

// probeStories are a rollout whose external gate fails in a soak, falls silent, and passes again.
func probeStories(sh *shelf, c cast) {
	why := fmt.Sprintf("the answer lacks %q", c.reason)
	s := begin(c, 20, func(s *story) { s.guarded(upgrade.ProbePass, "HTTP 200") })
	sh.add("plan/with an external gate", s, upgrade.SlotPlan)
	sh.reply("show, of an external gate, policy", s.now, commands.Reply{Verb: commands.VerbShow, Set: &commands.SetSight{Part: "policy", Set: s.set, Policy: s.pol, Rollout: s.id}})
	s.look()
	s.gate()
	s.guarded(upgrade.ProbeFail, why)
	s.wait(time.Minute)
	s.look()
	sh.outage("fails", s)
	sh.add("card/an external gate fails", s, "card/ud-1/1")
	sh.add("live/an external gate fails in the soak", s, upgrade.SlotLive)
	s.soaked()
	sh.add("live/an external gate fails", s, upgrade.SlotLive)
	ended := s.branch()
	ended.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordAbort, Answer: upgrade.Keep, Reason: c.reason})
	ended.look()
	sh.outage("not over at the end", ended)
	sh.add("report/an external gate failed", ended, upgrade.SlotReport)
	s.guarded(upgrade.ProbeUnknown, "no answer within 5s")
	s.wait(time.Minute)
	s.look()
	sh.outage("tells nothing", s)
	s.wait(6 * time.Minute)
	s.look()
	sh.hold("an external gate tells nothing", s)
	sh.heard("an external gate passes", s, "U0BO", c.approver, upgrade.Word{Verb: upgrade.WordResolve, Verdict: upgrade.Passes, Reason: c.reason})
	s.guarded(upgrade.ProbePass, "HTTP 200")
	s.wait(time.Minute)
	s.look()
	sh.outage("over", s)
	s.finish()
	sh.add("report/an external gate failed for a while", s, upgrade.SlotReport)
}
