package view

import (
	"cmp"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/window"
)

// waitsFor are the ways a rollout of 20 instances, whose first card is out, comes to stand: one for each
// reason there is.
var waitsFor = []struct {
	reason upgrade.Reason
	tell   func(*story)
}{
	{upgrade.ReasonNone, func(s *story) { s.finish() }},
	{upgrade.ReasonApproval, func(*story) {}},
	{upgrade.ReasonDenied, func(s *story) {
		s.hear("U0BO", s.cast.approver, upgrade.Word{Verb: upgrade.WordDeny, Reason: s.cast.reason})
	}},
	{upgrade.ReasonExpired, func(s *story) { s.wait(5 * time.Hour) }},
	{upgrade.ReasonPaused, func(s *story) {
		s.hear("U0BO", s.cast.approver, upgrade.Word{Verb: upgrade.WordPause, Reason: s.cast.reason})
	}},
	{upgrade.ReasonInFlight, func(s *story) { s.approve("U0BO", s.cast.approver, false) }},
	{upgrade.ReasonVerifying, func(s *story) {
		s.approve("U0BO", s.cast.approver, false)
		s.look()
		s.wait(time.Minute)
		s.azure(s.flying(), func(i *upgrade.Instance) { s.reimaged(i); i.Health = upgrade.Initializing })
		s.op = upgrade.OpReading{Done: true, OK: true}
	}},
	{upgrade.ReasonSoak, func(s *story) { s.gate() }},
	{upgrade.ReasonBake, func(s *story) {
		for s.reason() != upgrade.ReasonBake {
			if s.reason() == upgrade.ReasonApproval {
				s.gate()
			} else {
				s.soaked()
			}
		}
	}},
	{upgrade.ReasonHealth, func(s *story) {
		s.gate()
		s.soaked()
		s.azure(s.ids(0, 5), func(i *upgrade.Instance) { i.Health = upgrade.Unhealthy })
	}},
	{upgrade.ReasonFailure, func(s *story) { s.firstGate(func(ids []string) { s.fails(ids[:1]...) }) }},
	{upgrade.ReasonUnclear, func(s *story) { s.firstGate(func(ids []string) { s.blurs(ids[:1]...) }) }},
	{upgrade.ReasonUnknown, unanswered},
	{upgrade.ReasonModel, func(s *story) {
		s.firstGate(func(ids []string) { s.fails(ids...) })
		s.hear("U0ANA", s.cast.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: s.cast.reason})
	}},
	{upgrade.ReasonDrift, func(s *story) { s.gate(); s.drifts() }},
	{upgrade.ReasonIncomplete, func(s *story) {
		s.unread = &upgrade.Fault{Kind: upgrade.FaultUnavailable, Op: "read " + s.cast.set, Code: "GatewayTimeout", Message: s.cast.message}
	}},
	{upgrade.ReasonThrottled, func(s *story) {
		s.approve("U0BO", s.cast.approver, false)
		s.failing = &upgrade.Fault{Kind: upgrade.FaultThrottled, Code: "TooManyRequests", Message: s.cast.message, RetryAfter: 5 * time.Minute}
	}},
	{upgrade.ReasonBusy, func(s *story) {
		s.approve("U0BO", s.cast.approver, false)
		s.azure(s.ids(3), func(i *upgrade.Instance) { i.Provisioning = upgrade.Updating })
	}},
	{upgrade.ReasonChannel, func(s *story) {
		s.approve("U0BO", s.cast.approver, false)
		s.unheard = upgrade.Unheard{Since: s.now.Add(-6 * time.Minute), Why: "the channel is archived: " + s.cast.message}
	}},
	{upgrade.ReasonFreeze, func(s *story) {
		s.approve("U0BO", s.cast.approver, false)
		s.frozen = s.cast.reason
	}},
	{upgrade.ReasonWindow, func(s *story) {
		s.pol.Windows = []window.Window{tuesdays()}
		s.approve("U0BO", s.cast.approver, false)
	}},
	{upgrade.ReasonProbe, func(s *story) {
		s.guarded(upgrade.ProbeFail, "HTTP 503")
		s.gate()
		s.soaked()
	}},
	{upgrade.ReasonProbing, func(s *story) {
		s.guarded(upgrade.ProbeUnknown, "no answer within 5s")
		s.approve("U0BO", s.cast.approver, false)
	}},
	{upgrade.ReasonUnproven, func(s *story) {
		s.guarded(upgrade.ProbeUnknown, "no answer within 5s")
		s.look()
		s.wait(6 * time.Minute)
	}},
	{upgrade.ReasonUnread, func(s *story) { s.say("", upgrade.Unread{Kind: "Deferred"}) }},
}

// standingFor is a story that stands for the reason.
func standingFor(c cast, tell func(*story)) *story {
	s := begin(c, 20, nil)
	s.look()
	tell(s)
	s.look()
	return s
}

// whyStories show the answer to why for every reason.
func whyStories(sh *shelf, c cast) {
	for _, w := range waitsFor {
		s := standingFor(c, w.tell)
		sh.reply("why, "+cmp.Or(string(w.reason), "nothing"), s.now, commands.Reply{Verb: commands.VerbWhy}, s)
	}
}
