package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// aboutOne are the verbs that speak about one rollout: in its thread they need no id.
var aboutOne = []commands.Verb{commands.VerbStatus, commands.VerbWhy, commands.VerbShow, commands.VerbApprove, commands.VerbDeny,
	commands.VerbPause, commands.VerbResume, commands.VerbAbort, commands.VerbAsk, commands.VerbRetry, commands.VerbSkip, commands.VerbQuarantine,
	commands.VerbResolve, commands.VerbReplan, commands.VerbRollback, commands.VerbHandover}

// inThread fills in the rollout in whose thread something was said, where the words name none: slash
// commands cannot be used in threads, and nobody there types an id that stands above them.
func (b *Bot) inThread(ctx context.Context, said *spoken) error {
	if said.thread == "" || !slices.Contains(aboutOne, said.request.Verb) || namesRollout(said.raw) {
		return nil
	}
	id, err := b.Journal.Thread(ctx, said.channel, said.thread)
	if errors.Is(err, upgrade.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("thread %s of %s: %w", said.thread, said.channel, err)
	}
	if request, no := commands.Parse(withRollout(addressed(said.raw, b.user), id)); no == nil || errors.Is(no, commands.ErrIncomplete) {
		said.request, said.refusal = request, no
	}
	return nil
}

// namesRollout reports whether a word looks like an id, however it is spelt: what was said about one
// rollout must never be heard by another.
func namesRollout(text string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(w string) bool {
		w = strings.ToLower(w)
		return strings.HasPrefix(w, "r-") || strings.HasPrefix(w, "g-")
	})
}

// withRollout puts the id behind the verb.
func withRollout(text, id string) string {
	text = strings.TrimSpace(strings.TrimPrefix(text, "/vmss"))
	verb, _, _ := strings.Cut(text, " ")
	return verb + " " + id + text[len(verb):]
}
