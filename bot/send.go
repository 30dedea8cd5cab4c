package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// whisperTries is how often an answer for one person is tried, over about an hour: after that nobody
// waits for it. What belongs to a rollout is never given up.
const whisperTries = 36

// recordEvery is the longest time between two tries to record what was sent.
const recordEvery = 15 * time.Second

// send brings the outbox to Slack until answering ends, and then what is due at that moment. "Sent"
// means that Slack said ok:true; what has not been sent stays in the outbox. It returns an error when
// the token is no good any more.
//
// A picture takes several calls, and answers may be many: neither is a reason for a card to come late. One of
// each at a time is sent beside the messages; at the end no picture is begun any more.
func (b *Bot) send(answering, linked context.Context) error {
	answering, stop := context.WithCancel(answering)
	ended := make(chan aside, 2)
	var drawing, telling bool
	defer func() {
		stop()
		for drawing || telling {
			*(<-ended).busy = false
		}
	}()
	begin := func(busy *bool, post upgrade.Pending) {
		*busy = true
		go func() {
			recorded, err := b.deliver(answering, linked, post)
			ended <- aside{busy, recorded, err}
		}()
	}
	for linked.Err() == nil {
		last := answering.Err() != nil
		if len(ended) > 0 || last && telling {
			if goesOn, err := (<-ended).over(); !goesOn {
				return err
			}
			continue
		}
		post, next, ok, err := b.Journal.NextPost(linked, !drawing && !last, !telling)
		switch {
		case err != nil && linked.Err() == nil:
			b.Log.Error("journal: next post", "err", err)
			sleep(answering, time.Second)
		case ok && post.Picture():
			begin(&drawing, post)
			continue
		case ok && post.Answer() && !last:
			begin(&telling, post)
			continue
		case ok:
			if recorded, err := b.deliver(answering, linked, post); err != nil || !recorded {
				return err
			}
			continue
		case !last:
			if goesOn, err := b.restUntil(answering, next, ended); !goesOn {
				return err
			}
		}
		if last {
			return nil
		}
	}
	return nil
}

// aside is the end of what was sent beside the messages.
type aside struct {
	busy     *bool
	recorded bool
	err      error
}

// over notes the end, and reports whether more is to be sent.
func (a aside) over() (goesOn bool, err error) {
	*a.busy = false
	return a.err == nil && a.recorded, a.err
}

// restUntil waits until there may be something to send.
func (b *Bot) restUntil(ctx context.Context, next time.Time, ended <-chan aside) (goesOn bool, err error) {
	wait, goesOn := time.Minute, true
	if !next.IsZero() {
		wait = min(wait, max(next.Sub(b.Now()), time.Millisecond))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-b.NewPosts:
	case <-timer.C:
	case a := <-ended:
		goesOn, err = a.over()
	}
	select { // whatever it was, what is new is looked at now, and not a second time
	case <-b.NewPosts:
	default:
	}
	return goesOn, err
}

// deliver sends one message as it must look now, and records what came of it, also when the process is
// told to stop: Slack has the message. Nothing else is sent before that is on record, for as long as the
// bot runs: a journal that takes no writes, such as for a full disk, would have it sent again and again.
func (b *Bot) deliver(answering, linked context.Context, post upgrade.Pending) (recorded bool, err error) {
	sent, with, err := b.attempt(linked, post)
	if sent.Error != "" && sent.Wait == 0 {
		b.Log.Warn("slack: not sent", "rollout", post.Rollout, "slot", post.Slot, "attempt", post.Attempts+1, "err", sent.Error, "again", sent.Retry)
	}
	if post.Rollout != "" && sent.TS != "" {
		b.homes.stir()
	}
	all := append([]upgrade.Pending{post}, with...)
	for wait := time.Second; ; wait = min(2*wait, recordEvery) {
		var no error
		for len(all) > 0 && no == nil {
			if no = b.Journal.Sent(context.WithoutCancel(linked), all[0], sent); no == nil {
				all = all[1:]
			}
		}
		if no == nil {
			return true, err
		}
		b.Log.Error("journal: record what was sent", "slot", post.Slot, "err", no)
		if err != nil || answering.Err() != nil {
			return false, err
		}
		sleep(answering, wait)
	}
}

// attempt makes at most the calls one message needs, and names the posts that were told with this one. Its
// error says that no call will do any more.
func (b *Bot) attempt(ctx context.Context, post upgrade.Pending) (sent upgrade.Sent, with []upgrade.Pending, err error) {
	if wait := b.pace.turn(post, b.Now()); wait > 0 {
		return upgrade.Sent{Wait: wait}, nil, nil
	}
	if post.Picture() {
		sent, err = b.pictured(ctx, post)
		return sent, nil, err
	}
	if !post.Answer() {
		message, err := b.render(ctx, &post)
		sent, err = b.say(ctx, post, message, err)
		return sent, nil, err
	}
	wait, together := b.talk.wait(post.User, b.Now())
	if wait > 0 {
		return upgrade.Sent{Wait: wait}, nil, nil
	}
	var message view.Message
	if together {
		message, with, err = b.others(ctx, &post)
	} else {
		message, err = b.render(ctx, &post)
	}
	if sent, err = b.say(ctx, post, message, err); sent.Error != "" || sent.Wait > 0 {
		return sent, nil, err
	}
	b.talk.said(post.User, 1+len(with), b.Now())
	return sent, with, err
}

// say sends a message, unless rendering it failed.
func (b *Bot) say(ctx context.Context, post upgrade.Pending, message view.Message, err error) (upgrade.Sent, error) {
	if err != nil {
		return upgrade.Sent{Error: "render: " + err.Error(), Retry: backOff(post.Attempts)}, nil
	}
	hash := fingerprint(message)
	if post.TS != "" && hash == post.Hash {
		return upgrade.Sent{Hash: hash, Next: b.editEvery()}, nil // unchanged edits only cost calls
	}
	ts, err := b.call(ctx, post, message)
	if malformed(err) {
		b.Log.Error("slack: refused a message's form; its text is sent instead", "rollout", post.Rollout, "slot", post.Slot, "err", explain(err))
		ts, err = b.call(ctx, post, plainly(post.Rollout, message))
	}
	if err != nil {
		return b.failed(post, err)
	}
	return upgrade.Sent{TS: ts, Hash: hash, Next: b.editEvery()}, nil
}

// plainly is a message as text. It says that its buttons are gone, and what tells the words that do the
// same.
func plainly(rollout string, m view.Message) view.Message {
	text := view.Reduce(m)
	if slices.ContainsFunc(m.Blocks, pressable) {
		words := "/vmss help"
		if rollout != "" {
			words = "/vmss why " + rollout
		}
		text.Text += "\nSlack did not take the buttons of this message: type what they do. `" + words + "` has the words."
	}
	return text
}

func pressable(block slack.Block) bool {
	section, ok := block.(*slack.SectionBlock)
	return block.BlockType() == slack.MBTAction || ok && section.Accessory != nil
}

func (b *Bot) editEvery() time.Duration {
	if b.EditEvery > 0 {
		return b.EditEvery
	}
	return 3 * time.Second
}

// failed says when a message is tried again.
func (b *Bot) failed(post upgrade.Pending, err error) (upgrade.Sent, error) {
	if after, limited := rateLimit(err); limited {
		b.Log.Warn("slack: rate limited", "rollout", post.Rollout, "slot", post.Slot, "lane", lane(post), "again", after)
		b.pace.limited(lane(post), after, b.Now())
		return upgrade.Sent{Wait: after, Error: "Slack wants fewer messages (429)"}, nil
	}
	sent := upgrade.Sent{Error: unsent(err), Retry: backOff(post.Attempts)}
	if post.User != "" && post.Attempts+1 >= whisperTries {
		sent.Retry = -1
	}
	if revoked(err) {
		return sent, fmt.Errorf("slack: the bot token was refused: %s", explain(err))
	}
	return sent, nil
}

func backOff(attempts int) time.Duration {
	return min(time.Second<<min(attempts, 10), 2*time.Minute)
}

// render makes the body from the rollout, or the group, as it is now, not as it was when the message was wanted. It
// fails only when the journal does: a message that cannot be drawn says so, and keeps none of those
// behind it waiting.
func (b *Bot) render(ctx context.Context, post *upgrade.Pending) (view.Message, error) {
	if post.User != "" || post.Rollout == "" {
		return b.renderAnswer(ctx, post)
	}
	if post.Slot == upgrade.SlotGroup {
		group := upgrade.GroupOf(post.Rollout)
		all, err := b.Reader.Group(ctx, group)
		if err != nil {
			return view.Message{}, err
		}
		return b.drawn(*post, func() (view.Message, error) { return view.Group(group, all, b.Now()), nil }), nil
	}
	rec, err := b.Reader.Record(ctx, post.Rollout)
	if err != nil {
		return view.Message{}, err
	}
	if w := rec.Rollout.Wave; post.Slot == upgrade.SlotReport && w != nil {
		all, err := b.Reader.Group(ctx, w.Group)
		if err != nil {
			return view.Message{}, err
		}
		return b.drawn(*post, func() (view.Message, error) { return view.Report(rec, all) }), nil
	}
	return b.drawn(*post, func() (view.Message, error) { return view.Render(post.Post, rec, b.Now()) }), nil
}

func (b *Bot) renderAnswer(ctx context.Context, post *upgrade.Pending) (view.Message, error) {
	said, unread := private(post.Post)
	if post.User != "" { // else it is for a channel of its own
		post.Thread = said.Thread
	}
	records, err := b.records(ctx, said.Rollouts)
	if err != nil {
		return view.Message{}, err
	}
	return b.drawn(*post, func() (view.Message, error) { return view.Answer(said.Reply, records, b.Now()), unread }), nil
}

func (b *Bot) records(ctx context.Context, ids []string) (map[string]upgrade.Record, error) {
	records := map[string]upgrade.Record{}
	for _, id := range ids {
		rec, err := b.Reader.Record(ctx, id)
		if err != nil {
			return nil, err
		}
		records[id] = rec
	}
	return records, nil
}

// alarm reports whether a post calls one person because a rollout cannot be talked about in its channel.
func alarm(post upgrade.Post) bool { return strings.HasPrefix(post.Slot, "alarm/") }

// private is what a post for one person says: an answer, or, called, why the rollout stands.
func private(post upgrade.Post) (answer, error) {
	if alarm(post) {
		return answer{Reply: commands.Reply{Verb: commands.VerbWhy, Rollouts: []string{post.Rollout}}}, nil
	}
	var said answer
	err := json.Unmarshal(post.Want, &said)
	return said, err
}

// drawn calls draw; what cannot be drawn is replaced by a sentence.
func (b *Bot) drawn(post upgrade.Pending, draw func() (view.Message, error)) (m view.Message) {
	var err error
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			b.Log.Error("a message could not be drawn", "rollout", post.Rollout, "slot", post.Slot, "err", err)
			m = view.Message{Text: "I cannot show this message because of a mistake in me. `/vmss status " + post.Rollout + "` tells where things stand."}
		}
	}()
	m, err = draw()
	return m
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
// link names are never resolved and links are not expanded. A message that cannot be edited any more
// is posted anew.
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
		b.pace.called(editLane, b.Now())
		_, _, _, err = b.API.UpdateMessageContext(ctx, post.Channel, post.TS, options...)
		b.doubt(post.Channel, err)
		if !uneditable(err) {
			return post.TS, err
		}
		b.Log.Warn("slack: a message can not be edited any more; it is posted anew", "rollout", post.Rollout, "slot", post.Slot, "err", explain(err))
	}
	return b.post(ctx, post, options)
}

// post makes a new message: in the thread, or in the channel when there is no thread to be had.
func (b *Bot) post(ctx context.Context, post upgrade.Pending, options []slack.MsgOption) (ts string, err error) {
	defer func() {
		b.doubt(post.Channel, err)
		if err == nil {
			b.pace.called("post "+post.Channel, b.Now())
		}
	}()
	if post.Thread != "" {
		reply := append(options[:len(options):len(options)], slack.MsgOptionTS(post.Thread))
		if post.Broadcast {
			reply = append(reply, slack.MsgOptionBroadcast())
		}
		_, ts, err = b.API.PostMessageContext(ctx, post.Channel, reply...)
		if !unthreadable(err) {
			return ts, err
		}
	}
	_, ts, err = b.API.PostMessageContext(ctx, post.Channel, options...)
	return ts, err
}

// whisper speaks to one person: where they spoke, or in their own conversation with the bot when that
// place is closed to us, or was none. That is where an alarm always goes: nobody is looking at a channel
// that is out of reach.
func (b *Bot) whisper(ctx context.Context, post upgrade.Pending, options []slack.MsgOption) (string, error) {
	here := options
	if post.Thread != "" {
		here = append(options[:len(options):len(options)], slack.MsgOptionTS(post.Thread))
	}
	if post.Channel != "" && !alarm(post.Post) { // "" = in the Home tab
		ts, err := b.API.PostEphemeralContext(ctx, post.Channel, post.User, here...)
		b.doubt(post.Channel, err)
		if !unreachable(err) {
			return ts, err
		}
	}
	_, ts, err := b.API.PostMessageContext(ctx, post.User, options...)
	return ts, err
}
