package app

import (
	"errors"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// Check reads a configuration file and says everything of it, and of the files it names, that would keep
// [Run] from working or the bot from ever doing anything, as far as nobody must be asked for that. Tokens in
// the environment are not looked for: it may be another one that the bot runs in.
func Check(path string) (Config, error) {
	c, err := Load(path)
	files := complaints{source: c.from}
	if c.Journal != "" {
		if no := store.Look(c.Journal); no != nil {
			files.add(at("journal"), "%w", no)
		}
	}
	c.Slack.checkFiles(files.add)
	c.checkGateFiles(files.add)
	for i, w := range c.Webhooks {
		w.checkFiles(func(where place, format string, args ...any) {
			files.add(append(at("webhooks", i), where...), format, args...)
		})
	}
	return c, errors.Join(append([]error{err}, files.errs...)...)
}

// checkFiles reads the tokens that are kept in files.
func (s Slack) checkFiles(bad complain) {
	for _, token := range []struct {
		key, file, what string
		check           func(string) error
	}{
		{"bot_token_file", s.BotTokenFile, "bot token", func(is string) error { return bot.CheckTokens(is, bot.AppTokenPrefix) }},
		{"app_token_file", s.AppTokenFile, "app token", func(is string) error { return bot.CheckTokens(bot.BotTokenPrefix, is) }},
	} {
		if token.file == "" {
			continue
		}
		is, err := secret(token.what, token.file, "", "")
		if err == nil {
			err = token.check(string(is))
		}
		if err != nil {
			bad(at("slack", token.key), "%w", err)
		}
	}
}

// azure is the part of the configuration that Azure's room knows.
func (c Config) azure() azure.Config {
	return azure.Config{Subscription: c.Azure.Subscription, ResourceGroups: c.Azure.ResourceGroups, Endpoint: c.Azure.Endpoint, Cloud: azure.Cloud(c.Azure.Cloud), UserAgent: "vmssbot"}
}
