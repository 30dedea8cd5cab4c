package view

import (
	"fmt"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	galleryLead  = "r-4f2a9c"
	galleryGroup = "g-4f2a9c"
)

// member begins a rollout in a wave of the gallery's group, after those that were begun before it.
func member(c cast, id, suffix string, wave, of int, before ...*story) *story {
	s := begin(c, 10, func(s *story) { s.id, s.set.Name, s.earlier = id, c.set+suffix, map[string]*story{} })
	s.joins(c, wave, of, before...)
	return s
}

// joins puts a story's rollout into a wave after those of others.
func (s *story) joins(c cast, wave, of int, before ...*story) {
	w := &upgrade.Wave{Group: galleryGroup, Name: c.set + "*", N: wave, Of: of, Channel: galleryChannel}
	s.earlier = map[string]*story{}
	for _, b := range before {
		w.After = append(w.After, upgrade.Place{Rollout: b.id, Set: b.plan.Set, Name: b.plan.Name, N: 1})
		s.earlier[b.id] = b
	}
	s.say("U0ANA", upgrade.Requested{Digest: s.plan.Digest, Channel: galleryChannel, Name: c.requester, Wave: w})
}

// together adds the message of a group as it stands.
func (sh *shelf) together(name string, stories ...*story) {
	sh.samples = append(sh.samples, Sample{"group/" + name, Group(galleryGroup, records(stories...), stories[0].now)})
}

// reportIn adds a rollout's report as it stands in its group.
func (sh *shelf) reportIn(name string, s *story, others ...*story) {
	m, err := Report(s.record(), records(append(others, s)...))
	if err != nil {
		panic("gallery: " + err.Error())
	}
	sh.samples = append(sh.samples, Sample{"report/" + name, m})
}

func records(stories ...*story) []upgrade.Record {
	var out []upgrade.Record
	for _, s := range stories {
		out = append(out, s.record())
	}
	return out
}

// severalStories are rollouts that one command has opened, and what that command answers.
func severalStories(sh *shelf, c cast) {
	canary := member(c, galleryLead, "-canary", 1, 2)
	eu, us := member(c, "r-7d01be", "-eu", 2, 2, canary), member(c, "r-a93c52", "-us", 2, 2, canary)
	all := []*story{canary, eu, us}
	look := func() {
		for _, s := range all {
			s.now = canary.now
			s.look()
		}
	}
	sh.together("opened", all...)
	look()
	sh.together("first wave", all...)
	sh.add("live/waits for its wave", eu, upgrade.SlotLive)
	paused := eu.branch()
	paused.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordPause, Reason: c.reason})
	paused.look()
	sh.add("live/paused before its wave", paused, upgrade.SlotLive)
	failed := canary.branch()
	failed.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason})
	failed.look()
	sh.reportIn("of a wave that others wait for", failed, eu, us)
	halted := eu.branch()
	halted.earlier = map[string]*story{canary.id: failed}
	halted.look()
	sh.together("held", failed, halted, us)
	sh.add("live/held by a wave before", halted, upgrade.SlotLive)
	halted.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordResolve, Verdict: upgrade.GoOn, Reason: c.reason})
	sh.said("lets a wave go on", halted)

	canary.finish()
	look()
	sh.together("second wave", all...)
	sh.reply("status of a group", canary.now, commands.Reply{Verb: commands.VerbStatus, Group: galleryGroup, Request: "status " + galleryGroup}, all...)
	alone := begin(c, 10, func(s *story) { s.id = "r-77b01d" })
	alone.look()
	sh.reply("pending of a group and another", canary.now, commands.Reply{Verb: commands.VerbPending}, eu, alone, us)
	sh.reply("list with sets of a group", canary.now, commands.Reply{Verb: commands.VerbList, Sets: []commands.SetLine{
		{Set: upgrade.SetSummary{Name: c.set + "-eu", ResourceGroup: c.group, Location: c.location, Capacity: 10}, Rollout: eu.id, Group: galleryGroup, State: "UD 0 waits for approval: 0 of 1"},
		{Set: upgrade.SetSummary{Name: c.set + "-none", ResourceGroup: c.group, Location: c.location, Capacity: 10}},
		{Set: upgrade.SetSummary{Name: c.set + "-us", ResourceGroup: c.group, Location: c.location, Capacity: 10}, Rollout: us.id, Group: galleryGroup, State: "UD 0 waits for approval: 0 of 1"},
	}})
	sh.reply("report of a group", canary.now, commands.Reply{Verb: commands.VerbReport, Group: galleryGroup, Part: commands.Markdown, Request: "report " + galleryGroup}, all...)
	us.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason})
	us.look()
	eu.finish()
	sh.together("over", all...)
	severalAnswers(sh, c, canary.now)
}

// manySets shows that as many sets as a command may have fit into one message.
func manySets(sh *shelf, c cast) {
	var all []*story
	for n := range 50 {
		s := member(c, fmt.Sprintf("r-4f2a%02d", n), fmt.Sprintf("-%02d", n), n+1, 50, all[:min(1, len(all))]...)
		s.pass()
		all = append(all, s)
	}
	sh.together("of 50", all...)
	sets := commands.Several{Name: c.set + "*", Of: 50}
	for n, s := range all {
		sets.Sets = append(sets.Sets, commands.SetPlan{Wave: n + 1, Name: s.plan.Name, Target: s.plan.Target, Instances: 10, Gates: 5})
	}
	sh.reply("plan of 50", all[0].now, commands.Reply{Verb: commands.VerbPlan, Request: "plan web-* " + c.new, Several: &sets})
}

func severalAnswers(sh *shelf, c cast, now time.Time) {
	target := upgrade.Target{Setting: upgrade.Setting{Image: upgrade.Image{Publisher: "Canonical", Offer: c.offer, SKU: "22_04-lts-gen2", Version: c.new}}}
	sets := commands.Several{Name: c.set + "*", Of: 3, Sets: []commands.SetPlan{
		{Wave: 1, Name: c.set + "-canary", Target: target, Instances: 3, Gates: 3},
		{Wave: 2, Name: c.set + "-eu", Target: target, Instances: 20, Gates: 5},
		{Wave: 3, Name: c.set + "-us", Refusal: &commands.Refusal{Code: upgrade.CodeNothing, What: "nothing to do on " + c.set + ": 12 already current", Next: "/vmss show x"}},
	}}
	request := func(verb string) string { return verb + " web-* " + believable.new }
	sh.reply("plan of several", now, commands.Reply{Verb: commands.VerbPlan, Request: request("plan"), Several: &sets})
	opened := sets
	opened.Group, opened.Sets = galleryGroup, slices.Clone(sets.Sets)
	opened.Sets[0].Rollout, opened.Sets[1].Rollout = galleryLead, "r-7d01be"
	sh.reply("upgrade of several", now, commands.Reply{Verb: commands.VerbUpgrade, Request: request("upgrade"), Several: &opened})
	refused := sets
	refused.Sets = slices.Clone(sets.Sets)
	refused.Sets[1].Refusal = &commands.Refusal{Code: upgrade.CodePolicy, What: c.set + "-eu has upgrade mode Automatic: " + c.message, Next: "/vmss show web-prod-eu"}
	sh.reply("upgrade of several, refused", now, commands.Reply{Verb: commands.VerbUpgrade, Request: request("upgrade"), Several: &refused,
		Refusal: &commands.Refusal{Code: upgrade.CodePolicy, What: "nothing was opened: 1 of 3 scale sets cannot be rolled out as they are", Next: "/vmss " + request("upgrade") + " skip=set:rg-shop/web-prod-eu"}})
	sh.reply("pause all", now, commands.Reply{Verb: commands.VerbPause, Request: "pause all", Text: "Paused 2 rollouts: " + c.set + " (r-4f2a9c), db (r-7d01be). Not: pay (r-a93c52): to pause a rollout of pay takes a requester or approver of this set."})
}
