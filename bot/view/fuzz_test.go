package view

import (
	"testing"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// FuzzNames: whatever Azure's and people's words are, no message of a rollout has a mention, a link or an
// emphasis that is not ours, none is longer than Slack takes, and no limit of a part is exceeded.
func FuzzNames(f *testing.F) {
	for i, fragment := range fragments {
		f.Add(fragment, fragments[(i+1)%len(fragments)], fragment+fragments[(i+7)%len(fragments)], uint8(i))
	}
	ourEmoji() // takes longer than an input may
	f.Fuzz(func(t *testing.T, name, word, said string, limit uint8) {
		most := 6 + int(limit)
		for what, out := range map[string]string{"esc": esc(said, most), "mono": mono(said, most), "plain": plain(said, most)} {
			if n := utf8.RuneCountInString(out); n > most || n == 0 {
				t.Errorf("%s of %q has %d characters of %d: %q", what, said, n, most, out)
			}
		}
		c := believable
		c.set, c.group, c.offer, c.instance, c.zone = name, word, word+name, word, name
		c.old, c.new, c.requester, c.approver = "1"+word, "2"+name, word, name
		c.reason, c.note, c.message = said, word, said+name
		for what, m := range told(c) {
			for _, wrong := range append(faults(m, false), faults(Reduce(m), false)...) {
				t.Errorf("%s: %s", what, wrong)
			}
		}
	})
}

// told are messages of a rollout of that cast, and of a refusal.
func told(c cast) map[string]Message {
	s := begin(c, 4, func(s *story) { s.wish.Note = c.note })
	s.look()
	var sh shelf
	sh.add("plan", s, upgrade.SlotPlan)
	sh.add("card", s, "card/ud-0/1")
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordPause, Reason: c.reason})
	s.look()
	sh.add("live", s, upgrade.SlotLive)
	sh.said("pause", s)
	sh.reply("refusal", s.now, commands.Reply{Refusal: &commands.Refusal{Code: upgrade.CodeAzure, What: c.message, Next: c.note}, Request: c.set})
	sh.reply("why", s.now, commands.Reply{Verb: commands.VerbWhy, Rollouts: []string{s.id}}, s)
	out := map[string]Message{}
	for _, one := range sh.samples {
		out[one.Name] = one.Message
	}
	return out
}
