package app

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// Check reads a configuration file and says everything of it, and of the files it names, that would keep
// [Run] from working or the bot from ever doing anything, as far as nobody must be asked for that. Tokens in
// the environment are not looked for: it may be another one that the bot runs in.
func Check(path string) (Config, error) {
	c, err := Load(path)
	if c.Journal != "" {
		if no := store.Look(c.Journal); no != nil {
			err = errors.Join(err, no)
		}
	}
	return c, errors.Join(err, c.Slack.checkFiles())
}

// checkFiles reads the tokens that are kept in files.
func (s Slack) checkFiles() error {
	botToken, appToken := Secret(bot.BotTokenPrefix), Secret(bot.AppTokenPrefix) // one that is not in a file is not looked at
	var botErr, appErr error
	if s.BotTokenFile != "" {
		botToken, botErr = secret("bot token", s.BotTokenFile, "", "")
	}
	if s.AppTokenFile != "" {
		appToken, appErr = secret("app token", s.AppTokenFile, "", "")
	}
	if err := errors.Join(botErr, appErr); err != nil {
		return err
	}
	return bot.CheckTokens(string(botToken), string(appToken))
}

// azure is the part of the configuration that Azure's room knows.
func (c Config) azure() azure.Config {
	return azure.Config{Subscription: c.Azure.Subscription, ResourceGroups: c.Azure.ResourceGroups, Endpoint: c.Azure.Endpoint, Cloud: azure.Cloud(c.Azure.Cloud), UserAgent: "vmssbot"}
}

// agreeable refuses an entry by which somebody may ask and nobody could ever agree: an approver's own request
// takes others (R23). What a group comes to is Slack's to say.
func (s Set) agreeable(approvals int) error {
	group := func(id string) bool { return strings.HasPrefix(id, "S") }
	people := slices.Compact(slices.Sorted(slices.Values(s.Approvers)))
	enough := func(requester string) bool {
		others := slices.DeleteFunc(slices.Clone(people), func(id string) bool { return id == requester })
		return len(others) >= approvals
	}
	switch {
	case len(s.Requesters) == 0, slices.ContainsFunc(people, group):
		return nil
	case len(people) == 0:
		return errors.New("approvers: nobody is listed: nothing could ever start")
	case len(people) < approvals:
		return fmt.Errorf("approvals: %d are asked for and only %d approvers are listed: nothing could ever start", approvals, len(people))
	case !slices.ContainsFunc(s.Requesters, func(id string) bool { return group(id) || enough(id) }):
		return fmt.Errorf("approvers: whoever asks may not approve, and for each of the requesters less than %d others are listed: nothing could ever start", approvals)
	}
	return nil
}

// escalates refuses what would call nobody in, or too late for an answer.
func escalates(p upgrade.Policy) error {
	switch {
	case len(p.Escalate) == 0 && p.EscalateAfter > 0:
		return errors.New("escalate_after: nobody is listed who could be called in: list them in escalate, or leave it out")
	case p.EscalateAfter > p.ApprovalLife*3/4:
		return fmt.Errorf("escalate_after: %s: want %s at most, three quarters of approval_life: a quarter is left to answer in", p.EscalateAfter, p.ApprovalLife*3/4)
	}
	return nil
}

// within refuses a pattern with a resource group that is not among those in reach.
func (s Set) within(groups []string) error {
	group, _, both := strings.Cut(strings.ToLower(s.Match), "/")
	holds := func(g string) bool {
		ok, err := path.Match(group, strings.ToLower(g))
		return ok && err == nil
	}
	if !both || group == "" || len(groups) == 0 || slices.ContainsFunc(groups, holds) {
		return nil
	}
	return fmt.Errorf("match: azure.resource_groups has no group %q: no set in reach could match", group)
}
