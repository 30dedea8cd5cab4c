package view

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// answers are the private answers other than refusals.
func answers(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	s.look()
	said := "upgrade " + c.set + " " + c.new
	sh.reply("opened", s.now, commands.Reply{Verb: commands.VerbUpgrade, Request: said, Plan: &s.plan, Rollout: s.id})
	sh.reply("plan", s.now, commands.Reply{Verb: commands.VerbPlan, Request: "plan " + c.set + " " + c.new, Plan: &s.plan})
	pinned := s.plan
	pinned.Pinned = upgrade.Latest
	sh.reply("plan of latest", s.now, commands.Reply{Verb: commands.VerbPlan, Request: "plan web-prod latest ud=0-4 soak=10m", Plan: &pinned})
	sh.reply("text", s.now, commands.Reply{Verb: commands.VerbPause, Request: "pause " + s.id, Text: s.id + " is paused: nothing more starts. This batch of 3 finishes."})
	sh.reply("home", s.now, commands.Reply{Empty: "No rollout is open."}, s)
	sh.reply("home, nothing open", s.now, commands.Reply{Empty: "No rollout is open."})
	sh.reply("status", s.now, commands.Reply{Verb: commands.VerbStatus}, s)
	sh.reply("why", s.now, commands.Reply{Verb: commands.VerbWhy}, s)
	sh.reply("pending, nothing", s.now, commands.Reply{Verb: commands.VerbPending, Empty: "Nothing waits for you."})
	sh.ask("help", s.now, commands.Request{Verb: commands.VerbHelp})
	sh.ask("help with abort", s.now, commands.Request{Verb: commands.VerbHelp, About: string(commands.VerbAbort)})
	s.approve("U0BO", c.approver, false)
	s.look()
	second := begin(c, 5, nil)
	second.id = "r-77b01d"
	sh.reply("status of several", s.now, commands.Reply{Verb: commands.VerbStatus}, s, second)
	s.batch()
	s.finish()
	sh.reply("why, ended", s.now, commands.Reply{Verb: commands.VerbWhy}, s)
	sh.reply("history", s.now, commands.Reply{Verb: commands.VerbHistory}, s)
	denied := begin(c, 5, nil)
	denied.id = "r-77b01d"
	denied.look()
	denied.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason})
	denied.look()
	sh.reply("history of several", s.now, commands.Reply{Verb: commands.VerbHistory}, denied, s)
	sh.reply("report", s.now, commands.Reply{Verb: commands.VerbReport, Part: commands.Markdown, Request: "report r-4f2a9c"}, s)
	sh.reply("audit", s.now, commands.Reply{Verb: commands.VerbAudit, Request: "audit web-prod vm=6", Audit: &commands.Audit{About: "web-prod", Instances: []string{c.id(6)}}}, s)
	sh.reply("audit of everything", s.now, commands.Reply{Verb: commands.VerbAudit, Part: commands.CSV, Request: "audit csv", Audit: &commands.Audit{Others: []upgrade.Entry{
		{At: s.now, By: "U0BO", Name: c.approver, Kind: "Froze", What: "froze every set: " + c.reason}}}}, denied, s)
	sh.reply("shift", s.now, commands.Reply{Verb: commands.VerbShift, Shift: &commands.Shift{Calendar: commands.Calendar{At: s.now}, Half: []string{s.id}}}, denied, s)
	sh.reply("shift of nothing", s.now, commands.Reply{Verb: commands.VerbShift, Shift: &commands.Shift{Calendar: commands.Calendar{At: s.now}}})
	sh.reply("history, none", s.now, commands.Reply{Verb: commands.VerbHistory, Empty: "Nothing has been rolled out to web-prod yet."})
	setAnswers(sh, c)
	together(sh, c)
}

// together is what one hears who says much in a short time.
func together(sh *shelf, c cast) {
	no := Answer(commands.Reply{Refusal: &commands.Refusal{Code: upgrade.CodeUnknown, What: "I know no scale set `" + c.set + "` that you may see"}}, nil, believableNow)
	done := Answer(commands.Reply{Verb: commands.VerbPause, Text: "r-4f2a9c is paused: " + c.reason}, nil, believableNow)
	sh.samples = append(sh.samples, Sample{"answer/many at once", Together([]Message{no, done, no, no})})
	var flood []Message
	for n := range 200 {
		flood = append(flood, Answer(commands.Reply{Verb: commands.VerbPause, Text: fmt.Sprintf("%d: %s", n, c.reason)}, nil, believableNow))
	}
	sh.samples = append(sh.samples, Sample{"answer/a flood at once", Together(flood)})
}

// ask shows the language's own answer to a request that needs no rollouts.
func (sh *shelf) ask(name string, now time.Time, r commands.Request) {
	reply, _, err := commands.Do(context.Background(), r, upgrade.Person{}, "", time.Time{}, nil)
	if err != nil {
		panic("gallery: " + err.Error())
	}
	sh.reply(name, now, reply)
}

// holdings are what the configuration and an open rollout, which was asked for with more care, come to.
func holdings(s *story) []upgrade.Holding {
	pol, p := s.pol, upgrade.Plan{Policy: s.pol, Total: len(s.set.Instances)}
	pol.From = map[string]string{"match": "vmssbot.yaml:31", "approvers": "vmssbot.yaml:34", "soak": "vmssbot.yaml:40", "freezes": "vmssbot.yaml:60"}
	p.Limits = upgrade.Limits{MaxUnavailable: 4, BatchCap: pol.BatchCap, OnFailure: pol.OnFailure, Soak: time.Hour, Bake: pol.Bake, Deadline: pol.Deadline}
	p.Policy.Approvers = p.Policy.Approvers[:1]
	return upgrade.Sight{Set: &s.set, Policy: pol, Rollouts: []upgrade.Record{{ID: s.id, Plan: p}},
		Freezes: []upgrade.Freeze{{ID: "f-77b01d", Why: "sale", Name: "bo", Start: s.now}}}.Holdings()
}

// setAnswers are list and show.
func setAnswers(sh *shelf, c cast) {
	for _, n := range []int{20, 100} {
		s := begin(c, n, nil)
		s.azure([]string{c.id(7)}, func(i *upgrade.Instance) {
			i.Provisioning, i.Health, i.Message, i.LatestModel = upgrade.Failed, upgrade.Unhealthy, c.message, false
		})
		s.azure([]string{c.id(8)}, func(i *upgrade.Instance) { i.Image, i.Protected = s.image(c.new), true })
		for _, part := range []string{"", "map", "instances", "image", "policy"} {
			sight := commands.SetSight{Part: part, Set: s.set, Policy: s.pol, Rollout: s.id}
			if part == "policy" {
				sight.Holds = holdings(s)
			}
			sh.reply(fmt.Sprintf("show %d %s", n, part), s.now, commands.Reply{Verb: commands.VerbShow, Set: &sight})
		}
	}
	line := commands.SetLine{Set: upgrade.SetSummary{Name: c.set, ResourceGroup: c.group, Location: c.location, Mode: upgrade.Uniform, UpgradeMode: upgrade.Manual,
		Image: upgrade.Image{Publisher: "Canonical", Offer: c.offer, SKU: "gen2", Version: c.old}, Capacity: 20}}
	held, flexible := line, line
	held.Rollout, held.State = "r-4f2a9c", "UD 1 waits for approval"
	flexible.Set.Mode = upgrade.Flexible
	sets := []commands.SetLine{line, held, flexible}
	sh.reply("list", believableNow, commands.Reply{Verb: commands.VerbList, Sets: sets})
	for range 60 {
		sets = append(sets, line)
	}
	sh.reply("list, long", believableNow, commands.Reply{Verb: commands.VerbList, Sets: sets})
}

// refusals are the answers of no: one of each code, in the words of the domain.
func refusals(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	s.look()
	no := upgrade.Locked(s.record())
	sh.refuse("locked", *no, "upgrade "+c.set+" "+c.new)
	outsider := s.hear("U0OUT", c.second, upgrade.Word{Verb: upgrade.WordApprove})
	sh.refuse("role", *outsider, "approve "+s.id)
	sh.refuse("channel", *upgrade.Refuse(upgrade.CodeRole, "", "%s is driven in <#%s> only", c.set, galleryChannel), "upgrade "+c.set+" "+c.new)
	sh.refuse("arg", *upgrade.Refuse(upgrade.CodeArg, "/vmss show "+c.set, "I do not know ud=7: %s has UD 0-4", c.set), "upgrade "+c.set+" "+c.new+" ud=7")
	sh.refuse("unknown", *upgrade.Refuse(upgrade.CodeUnknown, "/vmss list", "I know no scale set `%s` that you may see. Did you mean `web-prod`?", c.set), "show "+c.set)
	sh.refuse("version", *upgrade.Refuse(upgrade.CodeUnknown, "/vmss show "+c.set, "%s has no version 22.4 in %s", strings.ToLower("Canonical:"+c.offer+":22_04-lts-gen2"), c.location), "plan "+c.set+" 22.4")
	sh.refuse("mode", *upgrade.Refuse(upgrade.CodePolicy, "/vmss show "+c.set, "%s has upgrade mode Automatic. Smallest change: set its upgradePolicy.mode to Manual", c.set), "")
	sh.refuse("policy", *upgrade.Refuse(upgrade.CodePolicy, "", "with max-unavailable 0 nothing can ever be upgraded. Smallest change: max-unavailable=1"), "")
	sh.refuse("nothing", *upgrade.Refuse(upgrade.CodeNothing, "/vmss show "+c.set, "nothing to do on %s for %s: 20 already current", c.set, c.new), "upgrade "+c.set+" "+c.new)
	sh.refuse("stale", *upgrade.Refuse(upgrade.CodeStale, "/vmss pending", "this card of UD 1 was replaced or answered"), "")
	sh.refuse("state", *upgrade.Refuse(upgrade.CodeState, "/vmss why "+s.id, "%s is not paused: something else is in the way", s.id), "resume "+s.id)
	sh.refuse("azure", *upgrade.Refuse(upgrade.CodeAzure, "/vmss list", "Azure did not let me read %s: %s: %s", c.set, c.code, c.message), "show "+c.set)
	sh.refuse("busy", *upgrade.Refuse(upgrade.CodeBusy, "/vmss status", "you sent more than 30 at once"), "")
	sh.refuse("inside", *upgrade.Refuse(upgrade.CodeInside, "/vmss status", "I could not read rollout %s; nothing was changed", s.id), "status "+s.id)
}

func (sh *shelf) refuse(name string, no upgrade.Refusal, request string) {
	r := commands.Refusal{Code: no.Code, What: no.What, Next: no.Next, Rollout: no.Rollout}
	sh.reply("refusal, "+name, believableNow, commands.Reply{Request: request, Refusal: &r})
}
