package view

import (
	"fmt"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Together says several answers to one person in one message, each as the first line of its text, and
// equal ones once.
func Together(answers []Message) Message {
	var lines []string
	times := map[string]int{}
	for _, m := range answers {
		line, _, _ := strings.Cut(m.Text, "\n")
		if times[line] == 0 {
			lines = append(lines, line)
		}
		times[line]++
	}
	for i, line := range lines {
		if n := times[line]; n > 1 {
			lines[i] = fmt.Sprintf("%d × %s", n, line)
		}
	}
	var p page
	what := upgrade.Count(len(answers), "answer") + " at once, as you said much in a short time:"
	p.para(":fast_forward: " + what)
	p.para(lines...)
	p.small("Say one of them once more to see all of its answer")
	return p.done(slotReply, reduced(append([]string{what}, lines...), what))
}
