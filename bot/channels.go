package bot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/upgrade"
)

// channels remembers for a while whether a channel is shared with people of other workspaces (Slack
// Connect), and whether it is open to us.
type channels struct {
	mu    sync.Mutex
	known map[string]sharing
}

type sharing struct {
	shared bool
	closed string // why people there do not see what we post; "" = they do
	at     time.Time
}

// closed refuses to open a rollout in a channel that is shared with another workspace, or of which
// that cannot be told: people there whom nobody here answers for would see and press its buttons.
func (b *Bot) closed(ctx context.Context, channel string, changes []upgrade.Change) *upgrade.Refusal {
	for _, c := range changes {
		if c.Open == nil {
			continue
		}
		if no := b.Fit(ctx, openedIn(c, channel)); no != nil {
			return no
		}
	}
	return nil
}

// openedIn is the channel in which the rollout is talked about that a change opens: of several sets each has its
// own.
func openedIn(c upgrade.Change, said string) string {
	for _, e := range c.Events {
		if f, is := e.Fact.(upgrade.Requested); is && f.Channel != "" {
			return f.Channel
		}
	}
	return said
}

// Fit says why no rollout may be opened in a channel now; nil = one may.
func (b *Bot) Fit(ctx context.Context, channel string) *upgrade.Refusal {
	is, err := b.channel(ctx, channel, freshFor)
	switch {
	case err != nil:
		b.Log.Warn("slack: whether a channel is shared could not be checked", "channel", channel, "err", err)
		return upgrade.Refuse(upgrade.CodeRole, "/invite @vmssbot", "I could not check whether this channel is shared with another workspace, so nothing was started: %s", explain(err))
	case is.closed != "":
		return upgrade.Refuse(upgrade.CodeRole, "/invite @vmssbot", "people here would not see it, so nothing was started: %s", is.closed)
	case is.shared:
		return upgrade.Refuse(upgrade.CodeRole, "", "this channel is shared with another workspace: no rollout is started here. Name a channel of this workspace in the configuration")
	}
	return nil
}

// Closed says why people in a channel do not see what the bot posts there, as Slack itself tells: it is
// archived, or the bot is not in it. "" = they do, or that cannot be told now. An answer that is no older
// than within will do.
func (b *Bot) Closed(ctx context.Context, channel string, within time.Duration) string {
	is, err := b.channel(ctx, channel, within)
	switch {
	case unreachable(err), revoked(err):
		return unsent(err)
	case err != nil:
		b.Log.Warn("slack: whether a channel is open could not be checked", "channel", channel, "err", err)
	}
	return is.closed
}

// doubt forgets what was believed of a channel when a call there was answered as if it were closed to us:
// what a start depends on is asked anew.
func (b *Bot) doubt(channel string, err error) {
	if unreachable(err) || revoked(err) {
		b.channels.mu.Lock()
		defer b.channels.mu.Unlock()
		delete(b.channels.known, channel)
	}
}

func (b *Bot) channel(ctx context.Context, channel string, within time.Duration) (sharing, error) {
	b.channels.mu.Lock()
	was, known := b.channels.known[channel]
	b.channels.mu.Unlock()
	if known && b.Now().Sub(was.at) < within {
		return was, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := b.API.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: channel})
	if err != nil {
		return sharing{}, fmt.Errorf("slack: conversations.info %s: %w", channel, err)
	}
	is := sharing{shared: c.IsExtShared || c.IsPendingExtShared, at: b.Now()}
	switch {
	case c.IsArchived:
		is.closed = shut["is_archived"]
	case !c.IsMember:
		is.closed = shut["not_in_channel"]
	}
	b.channels.mu.Lock()
	defer b.channels.mu.Unlock()
	if b.channels.known == nil || len(b.channels.known) >= mostPeople {
		b.channels.known = map[string]sharing{}
	}
	b.channels.known[channel] = is
	return is, nil
}
