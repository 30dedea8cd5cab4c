// Package vmssbot holds what belongs to the product as a whole: the Slack app's manifest. The
// rooms of the code are the folders beside it; see docs/architecture.md.
package vmssbot

import (
	_ "embed"

	"go.yaml.in/yaml/v3"
)

// Manifest is the Slack app manifest, YAML as in manifest.yaml.
//
//go:embed manifest.yaml
var Manifest string

// App is what the manifest asks Slack for: a workspace gives the installed app this and no more.
type App struct {
	Commands []Command
	Scopes   []string // of the bot token
	Events   []string // the bot's
}

// Command is a slash command as the manifest has it.
type Command struct {
	Name        string `yaml:"command"`
	Description string `yaml:"description"`
	UsageHint   string `yaml:"usage_hint"`
	Escape      bool   `yaml:"should_escape"` // whether users and channels in its text come as markup
}

// Installed reads the manifest. It is part of the program, and a test reads it: one that cannot be read
// panics.
func Installed() App {
	var m struct {
		Features struct {
			Commands []Command `yaml:"slash_commands"`
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
	if err := yaml.Unmarshal([]byte(Manifest), &m); err != nil {
		panic("manifest.yaml: " + err.Error())
	}
	return App{m.Features.Commands, m.OAuth.Scopes.Bot, m.Settings.Events.Bot}
}
