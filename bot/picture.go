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
	f, no := b.draw(ctx, post)
	if no == nil {
		id, no = b.upload(ctx, post, f)
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

// draw makes the picture or other file that a post wants.
func (b *Bot) draw(ctx context.Context, post upgrade.Pending) (f file, err error) {
	defer func() {
		if p := recover(); p != nil { // a picture is not worth the bot
			b.Log.Error("a picture could not be drawn", "rollout", post.Rollout, "slot", post.Slot, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: because of a mistake in me", errNoPicture)
		}
	}()
	if post.User != "" {
		return b.forOne(ctx, post)
	}
	rec, err := b.Reader.Record(ctx, post.Rollout)
	if err != nil {
		return f, err
	}
	seq, _ := strconv.Atoi(strings.TrimPrefix(post.Slot, upgrade.Pictures))
	m, caption, ok := view.Picture(rec, seq)
	if !ok {
		return f, fmt.Errorf("%w: %s is no milestone", errNoPicture, post.Slot)
	}
	return pictureFile(m, caption)
}

// file is what is brought to Slack, and alt what it shows to whoever sees no pictures.
type file struct {
	view.Document
	alt string
}

func pictureFile(m heatmap.Map, caption string) (file, error) {
	body, err := heatmap.PNG(m)
	return file{view.Document{Name: "map.png", Title: m.Title, Caption: caption, Body: body}, heatmap.Alt(m)}, err
}

// forOne makes the file that belongs to an answer.
func (b *Bot) forOne(ctx context.Context, post upgrade.Pending) (f file, err error) {
	said, err := private(post.Post)
	if err != nil {
		return f, fmt.Errorf("%w: what it shows cannot be read", errNoPicture)
	}
	if said.Set != nil {
		return pictureFile(view.SetPicture(said.Set.Set), view.SetCaption(said.Set.Set))
	}
	records, err := b.records(ctx, said.Rollouts)
	if err != nil {
		return f, err
	}
	f.Document, err = view.File(said.Reply, records, b.Now())
	if err != nil {
		err = fmt.Errorf("%w: %w", errNoPicture, err)
	}
	return f, err
}

// upload brings a picture to the rollout's thread, or to one person.
func (b *Bot) upload(ctx context.Context, post upgrade.Pending, f file) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*callTimeout)
	defer cancel()
	channel, thread := post.Channel, post.Thread
	if post.User != "" {
		if channel, err = b.privately(ctx, post.User); err != nil {
			return "", err
		}
		thread = ""
	}
	sent, err := b.API.UploadFileContext(ctx, slack.UploadFileParameters{
		Filename: f.Name, FileSize: len(f.Body), Reader: bytes.NewReader(f.Body), Title: f.Title, AltTxt: f.alt,
		InitialComment: f.Caption, Channel: channel, ThreadTimestamp: thread,
	})
	if b.doubt(channel, err); err != nil {
		return "", err
	}
	return sent.ID, nil
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
	no := upgrade.Refuse(upgrade.CodeInside, "", "the file you asked for does not come: %s", why)
	message := view.Answer(commands.Refused(commands.Request{Verb: commands.VerbShow}, no), nil, b.Now())
	if _, err := b.call(ctx, post, message); err != nil {
		b.Log.Warn("slack: not told that there is no picture", "user", post.User, "err", explain(err))
	}
}
