package main

import (
	"github.com/vmssbot/vmssbot"
	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// installed gives the local workspace the app as the manifest describes it: the bot gets the
// scopes, events and commands that a real workspace would give it, and no more.
func installed(o slacksim.Options) slacksim.Options {
	app := vmssbot.Installed()
	for _, c := range app.Commands {
		o.Commands = append(o.Commands, slacksim.SlashCommand{Name: c.Name, Description: c.Description, UsageHint: c.UsageHint, ShouldEscape: c.Escape})
	}
	o.Scopes, o.Events = app.Scopes, app.Events
	return o
}
