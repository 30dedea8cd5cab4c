package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// send brings the outbox to Slack until the context ends. "Sent" means that Slack said ok:true; what
// has not been sent stays in the outbox.
func (b *Bot) send(ctx context.Context) {
	for ctx.Err() == nil {
		post, next, ok, err := b.Journal.NextPost(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			b.Log.Error("journal: next post", "err", err)
			sleep(ctx, time.Second)
		case err == nil && ok:
			b.deliver(ctx, post)
		case err == nil:
			b.restUntil(ctx, next)
		}
	}
}

func (b *Bot) restUntil(ctx context.Context, next time.Time) {
	wait := time.Minute
	if !next.IsZero() {
		wait = min(wait, max(next.Sub(b.Now()), time.Millisecond))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-b.NewPosts:
	case <-timer.C:
	}
}

// deliver sends one message as it must look now, and records what came of it. The record is made
// even when the process is told to stop: Slack has the message.
func (b *Bot) deliver(ctx context.Context, post upgrade.Pending) {
	sent := b.attempt(ctx, post)
	if sent.Error != "" {
		b.Log.Warn("slack: not sent", "rollout", post.Rollout, "slot", post.Slot, "attempt", post.Attempts+1, "err", sent.Error, "again", sent.Retry)
	}
	if err := b.Journal.Sent(context.WithoutCancel(ctx), post, sent); err != nil {
		b.Log.Error("journal: record what was sent", "slot", post.Slot, "err", err)
		sleep(ctx, time.Second)
	}
}

func (b *Bot) attempt(ctx context.Context, post upgrade.Pending) upgrade.Sent {
	message, err := b.render(ctx, post)
	if err != nil {
		return upgrade.Sent{Error: "render: " + err.Error(), Retry: backOff(post.Attempts)}
	}
	hash := fingerprint(message)
	if post.TS != "" && hash == post.Hash {
		return upgrade.Sent{Hash: hash, Next: b.editEvery()} // unchanged edits only cost calls
	}
	ts, err := b.call(ctx, post, message)
	if malformed(err) {
		b.Log.Error("slack: refused a message's form; its text is sent instead", "rollout", post.Rollout, "slot", post.Slot, "err", explain(err))
		ts, err = b.call(ctx, post, view.Reduce(message))
	}
	if err != nil {
		return b.failed(post, err)
	}
	return upgrade.Sent{TS: ts, Hash: hash, Next: b.editEvery()}
}

func (b *Bot) editEvery() time.Duration {
	if b.EditEvery > 0 {
		return b.EditEvery
	}
	return 3 * time.Second
}

// failed says when a message is tried again. A message that cannot be edited any more is posted
// anew; one that only its reader would have seen is given up after a while.
func (b *Bot) failed(post upgrade.Pending, err error) upgrade.Sent {
	sent := upgrade.Sent{Error: explain(err), Retry: backOff(post.Attempts)}
	var limited *slack.RateLimitedError
	switch {
	case errors.As(err, &limited):
		sent.Retry = limited.RetryAfter
	case post.User != "" && (post.Attempts >= 5 || slackError(err) != ""):
		sent.Retry = -1
	}
	return sent
}

func backOff(attempts int) time.Duration {
	return min(time.Second<<min(attempts, 10), 2*time.Minute)
}

// render makes the body from the rollout as it is now, not as it was when the message was wanted.
func (b *Bot) render(ctx context.Context, post upgrade.Pending) (view.Message, error) {
	if post.User != "" {
		return b.renderAnswer(ctx, post)
	}
	rec, err := b.Reader.Record(ctx, post.Rollout)
	if err != nil {
		return view.Message{}, err
	}
	return view.Render(post.Post, rec, b.Now())
}

func (b *Bot) renderAnswer(ctx context.Context, post upgrade.Pending) (view.Message, error) {
	var reply commands.Reply
	if err := json.Unmarshal(post.Want, &reply); err != nil {
		return view.Message{}, fmt.Errorf("answer %s: %w", post.Slot, err)
	}
	records := map[string]upgrade.Record{}
	for _, id := range reply.Rollouts {
		rec, err := b.Reader.Record(ctx, id)
		if err != nil {
			return view.Message{}, err
		}
		records[id] = rec
	}
	return view.Answer(reply, records, b.Now()), nil
}

// fingerprint tells whether a message has changed.
func fingerprint(m view.Message) string {
	body, err := json.Marshal(m)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

// call makes the one Web API call the message needs. Foreign text can neither mention nor unfurl:
// link names are never resolved and links are not expanded.
func (b *Bot) call(ctx context.Context, post upgrade.Pending, m view.Message) (ts string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	options := []slack.MsgOption{slack.MsgOptionText(m.Text, false), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl()}
	if len(m.Blocks) > 0 {
		options = append(options, slack.MsgOptionBlocks(m.Blocks...))
	}
	switch {
	case post.User != "":
		return b.whisper(ctx, post, options)
	case post.TS != "":
		_, _, _, err = b.API.UpdateMessageContext(ctx, post.Channel, post.TS, options...)
		if !uneditable(err) {
			return post.TS, err
		}
		b.Log.Warn("slack: a message can not be edited any more; it is posted anew", "rollout", post.Rollout, "slot", post.Slot, "err", explain(err))
	}
	if post.Thread != "" {
		options = append(options, slack.MsgOptionTS(post.Thread))
		if post.Broadcast {
			options = append(options, slack.MsgOptionBroadcast())
		}
	}
	_, ts, err = b.API.PostMessageContext(ctx, post.Channel, options...)
	return ts, err
}

// whisper answers one person where they spoke, or in their own conversation with the bot when that
// place is closed to us.
func (b *Bot) whisper(ctx context.Context, post upgrade.Pending, options []slack.MsgOption) (string, error) {
	ts, err := b.API.PostEphemeralContext(ctx, post.Channel, post.User, options...)
	switch slackError(err) {
	case "channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived", "no_permission", "messages_tab_disabled":
		_, ts, err = b.API.PostMessageContext(ctx, post.User, options...)
	}
	return ts, err
}

// slackError is the error code of Slack's answer, "" when there was no answer.
func slackError(err error) string {
	var answer slack.SlackErrorResponse
	if errors.As(err, &answer) {
		return answer.Err
	}
	return ""
}

// explain adds what Slack says about blocks it does not like.
func explain(err error) string {
	var answer slack.SlackErrorResponse
	if errors.As(err, &answer) && len(answer.ResponseMetadata.Messages) > 0 {
		return answer.Err + ": " + strings.Join(answer.ResponseMetadata.Messages, "; ")
	}
	return err.Error()
}

// malformed: the message itself is refused, and will be again.
func malformed(err error) bool {
	switch slackError(err) {
	case "invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "too_many_blocks", "invalid_arguments":
		return true
	}
	return false
}

// uneditable: the message is there no more, or not ours to edit.
func uneditable(err error) bool {
	switch slackError(err) {
	case "message_not_found", "cant_update_message", "edit_window_closed", "is_inactive":
		return true
	}
	return false
}
