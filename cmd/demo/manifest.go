package main

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot"
	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// installed gives the local workspace the app as the manifest describes it: the bot gets the
// scopes, events and commands that a real workspace would give it, and no more.
func installed(o slacksim.Options) (slacksim.Options, error) {
	var m struct {
		Features struct {
			Commands []struct {
				Name        string `yaml:"command"`
				Description string
				UsageHint   string `yaml:"usage_hint"`
				Escape      bool   `yaml:"should_escape"`
			} `yaml:"slash_commands"`
		}
		OAuth struct {
			Scopes struct{ Bot []string }
		} `yaml:"oauth_config"`
		Settings struct {
			Events struct {
				Bot []string `yaml:"bot_events"`
			} `yaml:"event_subscriptions"`
		}
	}
	if err := yaml.Unmarshal([]byte(vmssbot.Manifest), &m); err != nil {
		return o, fmt.Errorf("manifest.yaml: %w", err)
	}
	for _, c := range m.Features.Commands {
		o.Commands = append(o.Commands, slacksim.SlashCommand{Name: c.Name, Description: c.Description, UsageHint: c.UsageHint, ShouldEscape: c.Escape})
	}
	o.Scopes, o.Events = m.OAuth.Scopes.Bot, m.Settings.Events.Bot
	return o, nil
}
