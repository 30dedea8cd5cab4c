package bot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/upgrade"
)

// channels remembers for a minute whether a channel is shared with people of other workspaces
// (Slack Connect).
type channels struct {
	mu    sync.Mutex
	known map[string]sharing
}

type sharing struct {
	shared bool
	at     time.Time
}

// closed refuses to open a rollout in a channel that is shared with another workspace, or of which
// that cannot be told: people there whom nobody here answers for would see and press its buttons.
func (b *Bot) closed(ctx context.Context, channel string, changes []upgrade.Change) *upgrade.Refusal {
	for _, c := range changes {
		if c.Open == nil {
			continue
		}
		shared, err := b.shared(ctx, channel)
		switch {
		case err != nil:
			b.Log.Warn("slack: whether a channel is shared could not be checked", "channel", channel, "err", err)
			return upgrade.Refuse(upgrade.CodeRole, "/invite @vmssbot", "I could not check whether this channel is shared with another workspace, so nothing was started: %s", explain(err))
		case shared:
			return upgrade.Refuse(upgrade.CodeRole, "", "this channel is shared with another workspace: no rollout is started here. Name a channel of this workspace in the configuration")
		}
	}
	return nil
}

func (b *Bot) shared(ctx context.Context, channel string) (bool, error) {
	b.channels.mu.Lock()
	was, known := b.channels.known[channel]
	b.channels.mu.Unlock()
	if known && b.Now().Sub(was.at) < freshFor {
		return was.shared, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := b.API.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: channel})
	if err != nil {
		return false, fmt.Errorf("slack: conversations.info %s: %w", channel, err)
	}
	is := sharing{c.IsExtShared || c.IsPendingExtShared, b.Now()}
	b.channels.mu.Lock()
	defer b.channels.mu.Unlock()
	if b.channels.known == nil || len(b.channels.known) >= mostPeople {
		b.channels.known = map[string]sharing{}
	}
	b.channels.known[channel] = is
	return is.shared, nil
}
