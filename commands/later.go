package commands

import (
	"fmt"

	"github.com/vmssbot/vmssbot/upgrade"
)

// substitute is what helps today in place of something that is planned.
type substitute struct {
	says string
	verb Verb // to type instead; VerbHome = none
}

// laterVerbs are designed and not built: people who read of them get an honest answer.
var laterVerbs = map[string]substitute{
	"fleet": {"`list` has every set with its image", VerbList},
	"vm":    {"use Azure's own tools to start, stop or delete instances", VerbHome},
	"scale": {"use Azure's own tools to change the capacity", VerbHome},
}

func (c *command) planned(what, next, instead string) *upgrade.Refusal {
	return c.refuse(next, "%s is planned, not built yet: %s", what, instead)
}

const stopSays = "`stop` does nothing: it could mean too much. Did you mean `pause`, `abort` or `vm poweroff`?"

// later answers the verbs that are not there: the planned ones, and stop, which never acts (R7).
func (c *command) later(name string) *upgrade.Refusal {
	switch name {
	case "stop":
		return c.refuse(c.with(0, 1, string(VerbPause)), stopSays)
	case string(upgrade.Revert), string(upgrade.Keep):
		return c.refuse(c.answering(name), "`%s` is said with an abort: it is what becomes of the set's model", name)
	}
	s, found := laterVerbs[name]
	if !found {
		return nil
	}
	return c.planned(fmt.Sprintf("`%s`", name), helpFor(s.verb), s.says)
}

// answering writes the abort that revert or keep alone perhaps meant.
func (c *command) answering(answer string) string {
	switch {
	case len(c.words) < 2 || !isRollout(c.words[1].text):
		return helpFor(VerbAbort)
	case len(c.words) == 2:
		return c.with(0, 2, string(VerbAbort), c.words[1].text, answer, quote("reason"))
	}
	return c.with(0, 2, string(VerbAbort), c.words[1].text, answer)
}

func (c *command) laterHelp(name string) *upgrade.Refusal {
	if name == "stop" {
		return c.refuse(helpFor(VerbPause), stopSays)
	}
	s, found := laterVerbs[name]
	if !found {
		return nil
	}
	return c.planned(fmt.Sprintf("`%s`", name), helpFor(s.verb), s.says)
}
