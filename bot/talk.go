package bot

import (
	"context"
	"time"

	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/upgrade"
)

// How much is said to one person: some answers at once, one by one; what comes beyond these waits, and is
// said in one message.
const (
	sayEach   = 5
	sayWithin = 10 * time.Second // of the first
	sayAtMost = 200              // answers in one message
	mostHeard = mostVisitors
)

// talk is how much was said to whom lately. It is the sender's; it is gone after a restart, and then some
// answers more are sent one by one.
type talk map[string]heard

type heard struct {
	since time.Time
	n     int
}

// wait is how long the person has heard enough; zero = not. together: what waits is to be said at once.
func (t talk) wait(person string, now time.Time) (wait time.Duration, together bool) {
	h := t[person]
	if h.n < sayEach {
		return 0, false
	}
	wait = max(0, h.since.Add(sayWithin).Sub(now))
	return wait, wait == 0
}

// said counts one message with so many answers.
func (t talk) said(person string, answers int, now time.Time) {
	h := t[person]
	if now.Sub(h.since) >= sayWithin {
		h = heard{since: now}
	}
	h.n++
	if answers > 1 {
		h.n = sayEach // a flood goes on
	}
	if len(t) >= mostHeard {
		clear(t)
	}
	t[person] = h
}

// others are the answers that wait to be said to the same person in the same place, and the message that
// says all of them.
func (b *Bot) others(ctx context.Context, post *upgrade.Pending) (view.Message, []upgrade.Pending, error) {
	first, err := b.render(ctx, post)
	if err != nil {
		return view.Message{}, nil, err
	}
	rest, err := b.Journal.Answers(ctx, *post, sayAtMost)
	if err != nil || len(rest) == 0 {
		return first, nil, err
	}
	all := []view.Message{first}
	for i := range rest {
		m, err := b.render(ctx, &rest[i])
		if err != nil {
			return view.Message{}, nil, err
		}
		all = append(all, m)
	}
	return view.Together(all), rest, nil
}
