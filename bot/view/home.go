package view

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// Home is the app's Home tab for one person. Workspace is its address, such as
// https://acme.slack.com/; "" leaves the links out.
//
// A yes cannot be given here: it belongs where the card stands, with its evidence beside it and
// where everybody sees it (a card answers in its own channel only). So the tab leads there, and its
// buttons only show.
func Home(h commands.Home, workspace string) slack.HomeTabViewRequest {
	var p page
	p.para("*VM scale set upgrades*")
	p.rolloutsOf("*Waiting for your yes*", "Read the card and answer", h.Waiting, workspace)
	p.rolloutsOf("*You asked for*", "Open the thread", h.Mine, workspace)
	if len(h.Waiting)+len(h.Mine) == 0 {
		p.para("Nothing of yours is being rolled out, and nothing waits for your yes.")
	}
	p.buttons(button("Plan…", "Plan an upgrade", commands.Request{Verb: commands.VerbPlan}), button("Help", "What I can do", commands.Request{Verb: commands.VerbHelp}))
	p.small("What you ask here is answered under Messages. " + code("/vmss upgrade SET VERSION") + " in a set's channel begins a rollout.")
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: p.done("home", "home").Blocks}}
}

// rolloutsOf shows rollouts with a way to each. Slack takes 100 blocks; what is not shown is counted.
func (p *page) rolloutsOf(head, open string, records []upgrade.Record, workspace string) {
	const most = 8
	if len(records) == 0 {
		return
	}
	p.para(head)
	heading := headings(groupOf)
	for _, rec := range inGroups(records, groupOf)[:min(most, len(records))] {
		ph, c := phaseOf(rec), countsOf(rec)
		p.para(heading(rec), fmt.Sprintf("%s %s  %s", ph.emoji, title(rec), code(rec.ID)),
			ph.sentence,
			dots(fmt.Sprintf("done %d/%d · failed %d", c.done, c.total, c.failed), "by "+name(rec.Rollout.Name), owner(rec.Rollout), note(rec.Plan)),
			link(workspace, rec, open))
		status := button("Status", "Status of "+rec.ID, commands.Request{Verb: commands.VerbStatus, About: rec.ID})
		why := button("Why", "What is in the way of "+rec.ID, commands.Request{Verb: commands.VerbWhy, About: rec.ID})
		p.buttons(status, why)
	}
	if n := len(records) - most; n > 0 {
		p.para(fmt.Sprintf("… and %d more: %s", n, code("/vmss status")))
	}
}

// link leads to a rollout's message: Slack's addresses of messages are made of the channel and the
// ts without its dot (chat.getPermalink returns the same).
func link(workspace string, rec upgrade.Record, label string) string {
	channel := rec.Rollout.Channel
	if !driven.MatchString("x is driven in <#" + channel + "> only") {
		return ""
	}
	base, err := url.Parse(workspace)
	if err != nil || base.Host == "" || rec.Link == "" || strings.ContainsAny(workspace, "<>|& ") {
		return "in <#" + channel + ">"
	}
	return fmt.Sprintf("<%sarchives/%s/p%s|%s> in <#%s>", workspace, channel, strings.Replace(rec.Link, ".", "", 1), label, channel)
}
