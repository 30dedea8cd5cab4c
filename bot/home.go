package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/commands"
)

// What is kept of Home tabs: enough to draw them anew while somebody may look at them.
const (
	homesKept = 100            // people, the latest
	homeLife  = 24 * time.Hour // since they opened it
)

// homes are the Home tabs that were opened lately. They are a convenience: after a restart a tab is
// drawn anew when it is opened.
type homes struct {
	mu    sync.Mutex
	tabs  map[string]tab // by user
	moved chan struct{}  // signalled when a rollout's messages change; made when it is first needed
}

type tab struct {
	at    time.Time
	shown string // a fingerprint of what it shows
}

// opened remembers who looks, and forgets whoever has not for the longest time.
func (h *homes) opened(user string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tabs == nil {
		h.tabs = map[string]tab{}
	}
	h.tabs[user] = tab{at: now}
	maps.DeleteFunc(h.tabs, func(_ string, t tab) bool { return now.Sub(t.at) > homeLife })
	for len(h.tabs) > homesKept {
		users := slices.SortedFunc(maps.Keys(h.tabs), func(a, b string) int { return h.tabs[a].at.Compare(h.tabs[b].at) })
		delete(h.tabs, users[0])
	}
}

func (h *homes) users() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.tabs))
}

// shows keeps the fingerprint; false when the tab shows just that.
func (h *homes) shows(user, print string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, open := h.tabs[user]
	if !open || t.shown == print {
		return false
	}
	t.shown = print
	h.tabs[user] = t
	return true
}

// stir says that something changed that a tab may show.
func (h *homes) stir() {
	select {
	case h.stirred() <- struct{}{}:
	default:
	}
}

func (h *homes) stirred() chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.moved == nil {
		h.moved = make(chan struct{}, 1)
	}
	return h.moved
}

// keepHomes draws Home tabs anew when rollouts move, at most as often as messages are edited.
func (b *Bot) keepHomes(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-b.homes.stirred():
		}
		sleep(ctx, b.editEvery())
		for _, user := range b.homes.users() {
			b.publish(ctx, user)
		}
	}
}

// publish draws a person's Home tab, unless it shows the same already. It is best effort: the tab is
// drawn again when it is opened.
func (b *Bot) publish(ctx context.Context, user string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	by, err := b.People.Person(ctx, user)
	if err != nil || by.Bot || by.Stranger {
		b.Log.Warn("slack: a Home tab was not drawn", "user", user, "err", err)
		return
	}
	h, err := commands.ReadHome(ctx, by, b.Rollouts)
	if err != nil {
		b.Log.Warn("slack: a Home tab was not drawn", "user", user, "err", err)
		return
	}
	drawn := view.Home(h, b.workspace)
	body, err := json.Marshal(drawn)
	if err != nil {
		b.Log.Error("a Home tab could not be written", "user", user, "err", err)
		return
	}
	sum := sha256.Sum256(body)
	if !b.homes.shows(user, hex.EncodeToString(sum[:8])) {
		return
	}
	if _, err := b.API.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user, View: drawn}); err != nil {
		b.homes.shows(user, "")
		b.Log.Warn("slack: a Home tab was not published", "user", user, "err", explain(err))
	}
}
