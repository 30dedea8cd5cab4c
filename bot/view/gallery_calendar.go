package view

import (
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/window"
)

// tuesdays opens an hour after the stories begin, for two.
func tuesdays() window.Window { return galleryWindow("tue-night", "0 3 * * TUE", 2*time.Hour) }

func galleryWindow(name, recurrence string, length time.Duration) window.Window {
	w, err := window.New(name, "Europe/Prague", recurrence, length)
	if err != nil {
		panic("gallery: " + err.Error())
	}
	return w
}

// calendarStories are plans, cards and rollouts whose time is not yet, or is over.
func calendarStories(sh *shelf, c cast) {
	const card = "card/ud-0/1"
	s := begin(c, 20, func(s *story) { s.pol.Windows = []window.Window{tuesdays()} })
	sh.add("plan/in a window", s, upgrade.SlotPlan)
	s.look()
	sh.add("card/before its window", s, card)
	sh.add("live/before its window, asking", s, upgrade.SlotLive)
	s.approve("U0BO", c.approver, false)
	s.look()
	sh.add("card/approved before its window", s, card)
	sh.add("live/before its window, approved", s, upgrade.SlotLive)
	frozen := s.branch()
	frozen.freezes = []upgrade.Freeze{{ID: "f-4f2k9a", Start: s.now, End: s.now.Add(90 * time.Minute), Why: c.reason, By: "U0EVA", Name: c.second}}
	frozen.look()
	sh.add("live/frozen by somebody", frozen, upgrade.SlotLive)
	sh.reply("why, frozen by somebody", frozen.now, commands.Reply{Verb: commands.VerbWhy}, frozen)
	lapsing := s.branch()
	lapsing.freezes = []upgrade.Freeze{{ID: "f-4f2k9a", Start: s.now, End: s.now.Add(3 * time.Hour), Why: c.reason, By: "U0EVA", Name: c.second}}
	lapsing.look()
	sh.add("live/frozen for longer than its window", lapsing, upgrade.SlotLive)
	sh.reply("why, frozen for longer than its window", lapsing.now, commands.Reply{Verb: commands.VerbWhy}, lapsing)
	lapsing = standingFor(c, func(s *story) {
		s.approve("U0BO", c.approver, false)
		s.pol.Freezes = []upgrade.Freeze{{Start: s.now, End: s.now.Add(24 * time.Hour), Why: c.reason}}
	})
	sh.reply("why, frozen for longer than a yes holds", lapsing.now, commands.Reply{Verb: commands.VerbWhy}, lapsing)
	lapsing = standingFor(c, func(s *story) {
		s.approve("U0BO", c.approver, false)
		s.pol.Windows = []window.Window{galleryWindow("sun-night", "0 3 * * SUN", 2*time.Hour)}
	})
	sh.reply("why, its window is farther off than a yes holds", lapsing.now, commands.Reply{Verb: commands.VerbWhy}, lapsing)
	s.wait(61 * time.Minute)
	s.look()
	s.batch()
	s.wait(101 * time.Minute)
	s.look()
	sh.add("live/its window closes", s, upgrade.SlotLive)
	sh.reply("why, its window closes", s.now, commands.Reply{Verb: commands.VerbWhy}, s)

	short := begin(c, 100, func(s *story) {
		s.pol.Windows = []window.Window{tuesdays()}
		s.wish.After, s.wish.Limits.Soak = s.now.Add(90*time.Minute), 30*time.Minute
	})
	sh.add("plan/longer than its window, not before", short, upgrade.SlotPlan)
	calendarAnswers(sh, c)
}

// calendarAnswers are what windows, freeze and unfreeze say.
func calendarAnswers(sh *shelf, c cast) {
	now := believableNow
	said := upgrade.Freeze{ID: "f-4f2k9a", Sets: []string{c.group + "/" + c.set}, Start: now, End: now.Add(2 * time.Hour), Why: c.reason, By: "U0BO", Name: c.approver}
	all := upgrade.Freeze{ID: "f-77b01d", Sets: []string{"web-*", "api-*"}, Start: now, Why: c.reason, By: "U0BO", Name: c.approver}
	dated := upgrade.Freeze{Start: now.Add(30 * 24 * time.Hour), End: now.Add(34 * 24 * time.Hour), Why: "Christmas"}
	open, never := window.Span{Start: now.Add(-time.Hour), End: now.Add(time.Hour)}, window.Span{}
	next, _ := tuesdays().Next(now)
	set := &upgrade.SetSummary{Name: c.set, ResourceGroup: c.group}
	sh.reply("windows", now, commands.Reply{Verb: commands.VerbWindows, Calendar: &commands.Calendar{Freezes: []upgrade.Freeze{said, all, dated}, At: now}})
	sh.reply("windows, none", now, commands.Reply{Verb: commands.VerbWindows, Calendar: &commands.Calendar{At: now}})
	sh.reply("windows of a set", now, commands.Reply{Verb: commands.VerbWindows, Calendar: &commands.Calendar{Set: set, At: now, Freezes: []upgrade.Freeze{dated}, Windows: []commands.Opens{
		{Window: tuesdays(), Next: next},
		{Window: galleryWindow("nightly", "0 1 * * *", 2*time.Hour), Next: open},
		{Window: galleryWindow("leap", "0 1 30 2 *", time.Hour), Next: never},
	}}})
	sh.reply("windows of a set, none", now, commands.Reply{Verb: commands.VerbWindows, Calendar: &commands.Calendar{Set: set, At: now}})
	weekly := upgrade.Schedule{ID: "s-4f2k9a", Name: c.set, Ask: upgrade.Ask{Channel: "C1"}, Said: commands.Format(commands.Request{Verb: commands.VerbUpgrade, Set: c.set, Target: "latest", Options: commands.Options{Window: "sun-night", Note: c.note}}),
		Cron: "0 9 * * SAT", Zone: "Europe/Prague", By: "U0ANA", ByName: c.requester, Made: now}
	first := weekly.Next(now)
	sh.reply("windows, scheduled", now, commands.Reply{Verb: commands.VerbWindows, Calendar: &commands.Calendar{Set: set, At: now, Schedules: []upgrade.Schedule{weekly}}})
	sh.reply("schedule", now, commands.Reply{Verb: commands.VerbSchedule, Request: "schedule " + c.set + " latest", Schedule: &commands.Scheduled{Schedule: weekly, Next: []time.Time{first, weekly.Next(first)}}})
	sh.reply("unschedule", now, commands.Reply{Verb: commands.VerbUnschedule, Request: "unschedule " + weekly.ID, Schedule: &commands.Scheduled{Schedule: weekly, Lifted: true, By: c.second, Why: c.reason}})
	sh.reply("scheduled, and nothing to do", first, commands.Reply{Firing: &upgrade.Firing{Schedule: weekly, Next: weekly.Next(first),
		Fired: upgrade.Fired{ID: weekly.ID, For: first, Code: upgrade.CodeNothing, Why: "nothing to do on " + c.set + ": 20 already current", Next: "/vmss show " + c.set}}})
	sh.reply("scheduled, and the right is gone", first, commands.Reply{Firing: &upgrade.Firing{Schedule: weekly, Next: weekly.Next(first),
		Fired: upgrade.Fired{ID: weekly.ID, For: first, Code: upgrade.CodeRole, Why: c.requester + " scheduled it, and may not ask for an upgrade of it any more: that takes a requester of this set", Next: "/vmss unschedule " + weekly.ID}}})
	sh.reply("scheduled, and missed", first, commands.Reply{Firing: &upgrade.Firing{Schedule: weekly, Next: weekly.Next(first), Fired: upgrade.Fired{ID: weekly.ID, For: first, Missed: true, Why: "I was not at work then"}}})
	image := upgrade.Image{Publisher: "Canonical", Offer: c.offer, SKU: "22_04-lts"}
	behind := upgrade.SetSummary{Name: c.set, Image: image.At(c.old)}
	sh.reply("a newer image", now, commands.Reply{Release: &upgrade.Release{Image: image.At(c.new), Sets: []upgrade.SetSummary{behind}}})
	many := []upgrade.SetSummary{{Name: c.set, Image: image.At(upgrade.Latest)}}
	for range 12 {
		many = append(many, behind)
	}
	sh.reply("a newer image for many", now, commands.Reply{Release: &upgrade.Release{Image: image.At(c.new), Published: now.Add(-time.Hour), Sets: many}})
	sh.reply("freeze", now, commands.Reply{Verb: commands.VerbFreeze, Request: "freeze " + c.set + " for=2h", Frost: &commands.Frost{Freeze: said}})
	others := all
	others.Sets = []string{"!db-*", "*"}
	sh.reply("freeze of all but others", now, commands.Reply{Verb: commands.VerbFreeze, Request: "freeze all", Frost: &commands.Frost{Freeze: others}})
	sh.reply("freeze of all", now, commands.Reply{Verb: commands.VerbFreeze, Request: "freeze all", Frost: &commands.Frost{Freeze: all}})
	sh.reply("unfreeze", now, commands.Reply{Verb: commands.VerbUnfreeze, Request: "unfreeze " + c.set, Frost: &commands.Frost{Freeze: said, Lifted: true, By: c.second, Why: c.reason}})
}

// whenForm is a form of what says when something may start, or is asked for.
type whenForm struct {
	name    string
	request commands.Request
	lists   commands.Lists
}

func whenSamples(c cast, s *story) []whenForm {
	two := 2 * time.Hour
	said := upgrade.Freeze{ID: "f-4f2k9a", Sets: []string{c.group + "/" + c.set}, Start: s.now, End: s.now.Add(two), Why: c.reason, By: "U0BO", Name: c.approver}
	ever := upgrade.Freeze{ID: "f-7b01d0", Sets: []string{"*"}, Start: s.now, Why: c.note, By: "U0EVA", Name: c.second}
	lists := commands.Lists{
		Sets: []upgrade.SetSummary{{Name: c.set, ResourceGroup: c.group, Capacity: 20}, {Name: "all", ResourceGroup: c.group, Capacity: 5}},
		Set:  &s.set, Versions: []upgrade.ImageVersion{{Image: s.image(c.new)}, {Image: s.image(c.old)}},
		Freezes:   []upgrade.Freeze{said, ever, {Sets: []string{"*"}, Why: "in the configuration"}},
		Schedules: []upgrade.Schedule{{ID: "s-4f2k9a", Name: c.set, Cron: "0 9 * * SAT", Zone: "Europe/Prague", ByName: c.requester}},
	}
	return []whenForm{
		{"freeze", commands.Request{Verb: commands.VerbFreeze, Options: commands.Options{For: &two}}, lists},
		{"freeze, nothing read", commands.Request{Verb: commands.VerbFreeze, Set: upgrade.EverySet, Reason: c.reason}, commands.Lists{}},
		{"unfreeze", commands.Request{Verb: commands.VerbUnfreeze}, lists},
		{"schedule", commands.Request{Verb: commands.VerbSchedule, Set: c.set, Target: "latest", Options: commands.Options{Window: "sun-night", Note: c.note}}, lists},
		{"unschedule", commands.Request{Verb: commands.VerbUnschedule}, lists},
		{"unschedule, none stands", commands.Request{Verb: commands.VerbUnschedule}, commands.Lists{}},
	}
}
