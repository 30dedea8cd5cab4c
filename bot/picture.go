package bot

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/bot/view/heatmap"
	"github.com/vmssbot/vmssbot/upgrade"
)

// pictureTries is how often a picture is tried, over about ten minutes: it says nothing that a message
// does not say, and an app that was installed before it might upload files never will.
const pictureTries = 10

// pictured makes the calls that one picture needs. It is drawn as the rollout was at its moment, and it is
// never edited. When the last of the three calls brings no answer it may stand in the thread twice.
func (b *Bot) pictured(ctx context.Context, post upgrade.Pending) (upgrade.Sent, error) {
	d, ok, err := b.draw(ctx, post)
	if err != nil {
		return upgrade.Sent{Error: "draw: " + err.Error(), Retry: backOff(post.Attempts)}, nil
	}
	if !ok {
		return upgrade.Sent{Error: "there is nothing to draw", Retry: -1}, nil
	}
	id, err := b.upload(ctx, post, d)
	if err == nil {
		return upgrade.Sent{TS: id}, nil
	}
	sent, err := b.failed(post, err)
	if sent.Wait == 0 && post.Attempts+1 >= pictureTries || forbidden(err) {
		sent.Retry = -1
	}
	return sent, err
}

// drawing is a picture and the words with it.
type drawing struct {
	heatmap.Map
	caption string
	png     []byte
}

// draw makes the picture that a post wants; ok is false when there is none to be had.
func (b *Bot) draw(ctx context.Context, post upgrade.Pending) (d drawing, ok bool, err error) {
	defer func() {
		if p := recover(); p != nil { // a picture is not worth the bot
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if post.User != "" {
		said, err := private(post.Post)
		if err != nil || said.Set == nil {
			return d, false, err
		}
		d.Map, d.caption, ok = view.SetPicture(said.Set.Set), view.SetCaption(said.Set.Set), true
	} else {
		rec, err := b.Reader.Record(ctx, post.Rollout)
		if err != nil {
			return d, false, err
		}
		seq, _ := strconv.Atoi(strings.TrimPrefix(post.Slot, upgrade.Pictures))
		d.Map, d.caption, ok = view.Picture(rec, seq)
	}
	if ok {
		d.png, err = heatmap.PNG(d.Map)
	}
	return d, ok, err
}

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
	if err != nil {
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
