package view

import (
	"testing"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// FuzzNames: whatever Azure's and people's words are, nothing that they are written into has a mention, a
// link or an emphasis that is not ours, and no limit is exceeded. Whole messages of rollouts are too much
// for this: TestNoNameMentions… has them.
func FuzzNames(f *testing.F) {
	for i, fragment := range fragments {
		f.Add(fragment, fragments[(i+1)%len(fragments)]+fragments[(i+7)%len(fragments)], uint8(i))
	}
	f.Fuzz(func(t *testing.T, name, said string, limit uint8) {
		most := 6 + int(limit)
		for what, out := range map[string]string{"esc": esc(said, most), "mono": mono(said, most), "plain": plain(said, most)} {
			if n := utf8.RuneCountInString(out); n > most || n == 0 {
				t.Errorf("%s of %q has %d characters of %d: %q", what, said, n, most, out)
			}
		}
		var k check
		k.element(button(name, said, commands.Request{Verb: commands.VerbStatus, About: "r-4f2a9c"}).WithConfirm(confirm(name, "Is "+esc(name, most)+" "+prose(said)+"?", said)))
		for _, m := range []Message{
			Answer(commands.Reply{Refusal: &commands.Refusal{Code: upgrade.CodeAzure, What: said, Next: name}, Request: name}, nil, believableNow),
			Answer(commands.Reply{Text: said + name, Request: said}, nil, believableNow),
		} {
			k.wrong = append(append(k.wrong, faults(m, false)...), faults(Reduce(m), false)...)
		}
		for _, wrong := range k.wrong {
			t.Error(wrong)
		}
	})
}
