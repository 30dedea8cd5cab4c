package view

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// doing are the words for what a plan does to instances: it gives them an image, or another VM size.
type doing struct {
	thing       string // what is set
	do, does    string
	going, done string
	at, born    string // where instances are with it, and new ones come up
	has, have   string
	compare     string // what tells upgraded instances from others
	short       string // for it, where it is clear what is meant
	cost        string // what it takes from each instance
}

var (
	upgrading = doing{thing: "image", do: "upgrade", does: "upgrades", going: "upgrading", done: "upgraded", at: "on", born: "on",
		has: "runs", have: "run", compare: "images", short: "image", cost: "Each instance gets a new OS disk; what is on the old one is lost."}
	resizing = doing{thing: "VM size", do: "resize", does: "resizes", going: "resizing", done: "resized", at: "at", born: "at the new size,",
		has: "has", have: "have", compare: "sizes", short: "size", cost: "Each instance restarts at the new size and keeps its OS disk. Temporary and ephemeral disks are lost."}
)

func doingOf(s upgrade.Setting) doing {
	if s.Size != "" {
		return resizing
	}
	return upgrading
}

// told is what an instance is said to have of it.
func (d doing) told(s string) string {
	if s == "" {
		return "an unknown " + d.thing
	}
	return esc(s, 40)
}

// disk is what a reimage gives an instance of a plan with that target.
func disk(s upgrade.Setting) string {
	if s.Size != "" {
		return "a new OS disk"
	}
	return "a new disk of " + version(s)
}

// byPlan says what is done because the plan says so, and no person: to abort, or to roll back. Why is the
// domain's sentence, which ends with the option.
func byPlan(what, why string) string {
	says, option, _ := strings.Cut(why, ", and the plan says ")
	return fmt.Sprintf("As the plan says (%s), %s: %s", code(cmp.Or(option, "on-failure")), what, prose(says))
}
