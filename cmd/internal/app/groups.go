package app

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Group is a named list of scale sets in waves, for one command: a wave begins when the one before has succeeded
// and baked.
type Group struct {
	Name  string     `yaml:"name,omitempty"`
	Waves [][]string `yaml:"waves,omitempty"` // patterns as of match; the sets of a wave go side by side
}

// groupName has the shape of a scale set's name: people say both at the same place.
var groupName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

func (c Config) checkGroups(bad complain) {
	for i, g := range c.Groups {
		said := func(where place, format string, args ...any) {
			bad(append(at("groups", i), where...), "groups[%d] (%s): %w", i, g.Name, fmt.Errorf(format, args...))
		}
		if !groupName.MatchString(g.Name) {
			said(at("name"), "name: want letters, digits, - and _, such as web: it is said where a scale set is")
		}
		if slices.ContainsFunc(c.Groups[:i], func(o Group) bool { return strings.EqualFold(o.Name, g.Name) }) {
			said(at("name"), "name: another group has it")
		}
		if len(g.Waves) == 0 {
			said(at("waves"), "waves: there is none: want lists of patterns, such as [[web-canary], [web-eu-*]]")
		}
		for n, wave := range g.Waves {
			if len(wave) == 0 {
				said(at("waves", n), "waves: wave %d is empty", n+1)
			}
			for _, pattern := range wave {
				if !matchesSomething(pattern) {
					said(at("waves", n), "waves: wave %d: no scale set can have such a name: %q", n+1, pattern)
				}
			}
		}
	}
}

// grouped are groups as the domain knows them.
func grouped(groups []Group) []upgrade.Group {
	var out []upgrade.Group
	for _, g := range groups {
		out = append(out, upgrade.Group{Name: g.Name, Waves: g.Waves})
	}
	return out
}
