package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/bot/view/heatmap"
	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// pictureTries is how often a picture is tried, over six minutes and more: it says nothing that a message
// does not say, and a channel that is archived for good must not be asked for ever.
const pictureTries = 10

// errNoPicture is what no other try can change: there is nothing to draw, or drawing it fails.
var errNoPicture = errors.New("there is no picture to be had")

// pictured makes the calls that one picture needs. It is drawn as the rollout was at its moment, and it is
// never edited. When the last of the calls brings no answer it may stand in the thread twice.
func (b *Bot) pictured(ctx context.Context, post upgrade.Pending) (upgrade.Sent, error) {
	var id string
	d, no := b.draw(ctx, post)
	if no == nil {
		id, no = b.upload(ctx, post, d)
	}
	if no == nil {
		return upgrade.Sent{TS: id}, nil
	}
	sent, err := b.failed(post, no)
	if forbidden(no) || errors.Is(no, errNoPicture) || sent.Wait == 0 && post.Attempts+1 >= pictureTries {
		sent.Retry = -1
		b.regret(ctx, post, sent.Error)
	}
	return sent, err
}

// drawing is a picture and the words with it.
type drawing struct {
	heatmap.Map
	caption string
	png     []byte
}

// draw makes the picture that a post wants.
func (b *Bot) draw(ctx context.Context, post upgrade.Pending) (d drawing, err error) {
	defer func() {
		if p := recover(); p != nil { // a picture is not worth the bot
			b.Log.Error("a picture could not be drawn", "rollout", post.Rollout, "slot", post.Slot, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: because of a mistake in me", errNoPicture)
		}
	}()
	ok := false
	if post.User != "" {
		said, err := private(post.Post)
		if err != nil || said.Set == nil {
			return d, fmt.Errorf("%w: what it shows cannot be read", errNoPicture)
		}
		d.Map, d.caption, ok = view.SetPicture(said.Set.Set), view.SetCaption(said.Set.Set), true
	} else {
		rec, err := b.Reader.Record(ctx, post.Rollout)
		if err != nil {
			return d, err
		}
		seq, _ := strconv.Atoi(strings.TrimPrefix(post.Slot, upgrade.Pictures))
		d.Map, d.caption, ok = view.Picture(rec, seq)
	}
	if !ok {
		return d, fmt.Errorf("%w: %s is no milestone", errNoPicture, post.Slot)
	}
	d.png, err = heatmap.PNG(d.Map)
	return d, err
}

// upload brings a picture to the rollout's thread, or to one person.
func (b *Bot) upload(ctx context.Context, post upgrade.Pending, d drawing) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*callTimeout)
	defer cancel()
	channel, thread := post.Channel, post.Thread
	if post.User != "" {
		if channel, err = b.privately(ctx, post.User); err != nil {
			return "", err
		}
		thread = ""
	}
	file, err := b.API.UploadFileContext(ctx, slack.UploadFileParameters{
		Filename: "map.png", FileSize: len(d.png), Reader: bytes.NewReader(d.png), Title: d.Title, AltTxt: heatmap.Alt(d.Map),
		InitialComment: d.caption, Channel: channel, ThreadTimestamp: thread,
	})
	if b.doubt(channel, err); err != nil {
		return "", err
	}
	return file.ID, nil
}

// privately finds a person's own conversation with the bot: files cannot be shown to one person in a
// channel.
func (b *Bot) privately(ctx context.Context, user string) (string, error) {
	ch, _, _, err := b.API.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", fmt.Errorf("open the conversation with %s: %w", user, err)
	}
	return ch.ID, nil
}

// regret tells whoever asked for a picture, once and as well as may be, that it does not come: the answer
// said that it would.
func (b *Bot) regret(ctx context.Context, post upgrade.Pending, why string) {
	if post.User == "" {
		return
	}
	no := upgrade.Refuse(upgrade.CodeInside, "", "the picture you asked for does not come: %s", why)
	message := view.Answer(commands.Refused(commands.Request{Verb: commands.VerbShow}, no), nil, b.Now())
	if _, err := b.call(ctx, post, message); err != nil {
		b.Log.Warn("slack: not told that there is no picture", "user", post.User, "err", explain(err))
	}
}
