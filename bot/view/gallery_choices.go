package view

import (
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// zoned spreads the set over three zones.
func (s *story) zoned() {
	s.set.Zones = []string{"1", "2", "3"}
	for i := range s.set.Instances {
		s.set.Instances[i].Zone = s.set.Zones[i%3]
	}
}

// flexible makes the set one whose instances are virtual machines with names, in no domains.
func (s *story) flexible() {
	s.set.Mode = upgrade.Flexible
	for n := range s.set.Instances {
		i := &s.set.Instances[n]
		i.ID, i.UpdateDomain, i.FaultDomain, i.Zone = fmt.Sprintf("%s_%08x", s.cast.set, 0x3f2a9c1b+uint32(n)*0x1a2b), -1, -1, ""
	}
}

// grouped spreads the set over placement groups, one after the other as Azure fills them.
func (s *story) grouped(groups int) {
	for n := range s.set.Instances {
		s.set.Instances[n].Placement = fmt.Sprintf("9c1b%04d-0000-4000-8000-%s", n*groups/len(s.set.Instances), s.cast.zone)
	}
}

// kindOf is a set that is in some way not like the others, or a plan for one.
type kindOf struct {
	name   string
	n      int
	change func(*story)
}

// choiceStories are the ways to choose instances and to order them, over sets of every kind.
func choiceStories(sh *shelf, c cast) {
	for _, k := range []kindOf{
		{"chosen", 20, func(s *story) {
			s.wish.Which = upgrade.Selection{UpdateDomains: []int{0, 2}, Instances: s.ids(0, 2, 5, 7, 10, 11), Skip: s.ids(5)}
		}},
		{"with a canary", 20, func(s *story) { s.wish.Order = upgrade.Order{By: upgrade.ByUpdateDomain, Canary: 2} }},
		{"by fault domain", 20, func(s *story) { s.wish.Order = upgrade.Order{By: upgrade.ByFaultDomain} }},
		{"by zone", 20, func(s *story) { s.zoned(); s.wish.Order = upgrade.Order{By: upgrade.ByZone} }},
		{"by batch", 20, func(s *story) {
			s.azure(s.ids(7), func(i *upgrade.Instance) { i.Health = upgrade.Unhealthy })
			s.wish.Order = upgrade.Order{By: upgrade.ByBatch, Batch: upgrade.Limit{N: 3}}
		}},
		{"flexible in zones", 12, func(s *story) {
			s.flexible()
			s.zoned()
			s.azure([]string{s.set.Instances[4].ID}, func(i *upgrade.Instance) { i.Spot, i.Power = true, upgrade.Deallocated })
		}},
		{"flexible without zones", 12, func(s *story) { s.flexible(); s.wish.Order.Batch = upgrade.Limit{N: 4} }},
		{"over two placement groups", 20, func(s *story) { s.grouped(2) }},
		{"one yes for all", 20, func(s *story) { s.wish.Order.Approve = upgrade.ApproveOnce }},
		{"one yes after the canary", 20, func(s *story) {
			s.wish.Order = upgrade.Order{By: upgrade.ByUpdateDomain, Canary: 2, Approve: upgrade.ApproveCanary}
		}},
		{"that aborts by itself", 20, func(s *story) {
			s.wish.Limits.OnFailure, s.pol.OnFailure = upgrade.AbortOnFailure, upgrade.AbortOnFailure
		}},
		{"that rolls back by itself", 20, func(s *story) {
			s.wish.Limits.OnFailure, s.pol.OnFailure = upgrade.RollbackOnFailure, upgrade.RollbackOnFailure
		}},
	} {
		k.story(sh, c)
	}
	shownStories(sh, c)
}

// story is the plan, and its first gate half way.
func (k kindOf) story(sh *shelf, c cast) {
	s := begin(c, k.n, k.change)
	sh.add("plan/"+k.name, s, upgrade.SlotPlan)
	s.look()
	sh.add("card/"+k.name, s, upgrade.CardSlot(s.plan.Gates[0].Key, 1))
	s.approve("U0BO", c.approver, false)
	s.look()
	s.wait(time.Minute)
	if ids := s.flying(); len(ids) > 1 {
		s.azure(ids[:1], s.reimaged)
		s.look()
	}
	sh.add("live/"+k.name, s, upgrade.SlotLive)
	sh.add("batch/"+k.name, s, "batch/1")
}

// hugeStories are choices that only a large set has.
func hugeStories(sh *shelf, c cast, n int) {
	for _, k := range []kindOf{
		{"over ten placement groups", n, func(s *story) { s.grouped(10) }},
		{"in a hundred gates", n, func(s *story) { s.wish.Order = upgrade.Order{By: upgrade.ByBatch, Batch: upgrade.Limit{N: n / 100}} }},
	} {
		k.story(sh, c)
	}
}

// shownStories are sets of every kind as /vmss show tells of them.
func shownStories(sh *shelf, c cast) {
	for _, k := range []struct {
		name   string
		change func(*story)
	}{
		{"flexible", func(s *story) {
			s.flexible()
			s.zoned()
			s.sized()
			s.set.Spot = true
			s.azure([]string{s.set.Instances[4].ID}, func(i *upgrade.Instance) { i.Spot, i.Power = true, upgrade.Deallocated })
			s.azure([]string{s.set.Instances[5].ID}, func(i *upgrade.Instance) { i.Size, i.Protected = larger, true })
		}},
		{"zonal in placement groups", func(s *story) { s.zoned(); s.grouped(2) }},
	} {
		s := begin(c, 12, k.change)
		for _, part := range []string{"", "map", "instances"} {
			sh.reply("show "+k.name+" "+part, s.now, commands.Reply{Verb: commands.VerbShow, Set: &commands.SetSight{Part: part, Set: s.set, Policy: s.pol}})
		}
	}
}

// bears lets the set get instances that nobody planned: the first on the new image, the others on another.
func (s *story) bears(numbers ...int) {
	for n, id := range s.ids(numbers...) {
		i := upgrade.Instance{ID: id, UpdateDomain: n % 5, FaultDomain: 0, Zone: s.cast.zone, Image: s.plan.Target.Image, LatestModel: true,
			Provisioning: upgrade.Succeeded, Power: upgrade.Running, Health: upgrade.Healthy}
		if n > 0 {
			i.Image, i.LatestModel = s.image(s.cast.old), false
		}
		s.set.Instances = append(s.set.Instances, i)
	}
}

// bornStories are instances that came up while the set was rolled.
func bornStories(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	s.look()
	s.gate()
	aborted := s.branch()
	s.bears(20, 21, 22)
	s.look()
	sh.add("live/with newborns", s, upgrade.SlotLive)
	sh.reply("status, with newborns", s.now, commands.Reply{Verb: commands.VerbStatus}, s)
	s.finish()
	sh.add("report/with newborns", s, upgrade.SlotReport)
	aborted.bears(20)
	aborted.look()
	aborted.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason, Answer: upgrade.Revert})
	aborted.finish()
	sh.add("report/aborted, with newborns", aborted, upgrade.SlotReport)
}

// givenUpStories are rollouts that end by themselves at a failure, as their plans say.
func givenUpStories(sh *shelf, c cast) {
	for _, k := range []struct {
		name string
		does upgrade.OnFailure
	}{{"aborted by the plan", upgrade.AbortOnFailure}, {"rolled back by the plan", upgrade.RollbackOnFailure}} {
		s := begin(c, 20, func(s *story) { s.wish.Limits.OnFailure, s.pol.OnFailure = k.does, k.does })
		s.look()
		s.gate()
		s.soaked()
		var now *story
		s.gateUntil(func() {
			ids := s.flying()
			s.azure(ids, s.reimaged)
			s.fails(ids[:1]...)
		})
		for range 4 {
			s.wait(time.Minute)
			s.pass()
			if now == nil && s.record().Rollout.Abort != nil {
				now = s.branch()
			}
			s.look()
		}
		sh.said(k.name, s)
		if now != nil {
			sh.add("live/"+k.name, now, upgrade.SlotLive)
		}
		s.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordModel, Answer: upgrade.Keep})
		s.finish()
		sh.add("report/"+k.name, s, upgrade.SlotReport)
	}
}
