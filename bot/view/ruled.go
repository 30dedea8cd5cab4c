package view

import (
	"fmt"

	"github.com/vmssbot/vmssbot/commands"
)

// ruled tells a channel what became of its sets' policies, or that another configuration was not taken.
func ruled(r commands.Ruled) Message {
	const most = 12 // lines of each
	var p page
	if len(r.Refused) > 0 {
		lines := []string{":warning: *The configuration was changed, and is not taken.* What held before holds."}
		p.para(append(lines, firstOf(r.Refused, most)...)...)
		return p.done(slotReply, "The configuration was changed, and is not taken: "+flatProse(r.Refused[0]))
	}
	text := "The policy changed"
	for n, c := range r.Changes {
		if n == most {
			p.para(fmt.Sprintf("… and of %d more entries", len(r.Changes)-most))
			break
		}
		p.para(append([]string{fmt.Sprintf(":scroll: *The policy of* %s *changed*", code(c.Pattern))}, firstOf(c.What, most)...)...)
		text += only(n == 0, " of "+flat(esc(c.Pattern, 80)))
	}
	p.small("by whoever runs the bot", code("/vmss show SET policy"))
	return p.done(slotReply, text)
}

// firstOf writes so many lines of foreign text at most, and how many there are more.
func firstOf(all []string, most int) []string {
	var out []string
	for n, one := range all {
		if n == most {
			return append(out, fmt.Sprintf("… and %d more", len(all)-most))
		}
		out = append(out, "• "+esc(one, 400))
	}
	return out
}
