package upgradetest

import (
	"slices"
	"strings"
	"time"
)

// Retell plays a story's steps in the bubble it is called in and returns the promises it finds broken. Steps
// that can not be done are passed by.
func Retell(s Story, journal string, program Program) ([]Violation, error) {
	p, err := NewPlay(s, "", journal, program)
	if err != nil {
		return nil, err
	}
	r := &simulation{chance: newChance(s.Seed), play: p}
	for _, step := range s.Steps {
		r.do(step.Text)
	}
	return r.found, p.Close()
}

// Shrink leaves out of a story what it does not take to break the same rule, as long as there is time. broken
// tells which rules a story breaks; it plays it in a bubble of its own.
func Shrink(s Story, rule string, until time.Time, broken func(Story) []Violation) Story {
	breaks := func(steps []Step) bool {
		t := s
		t.Steps = steps
		return len(steps) > 0 && slices.ContainsFunc(broken(t), func(v Violation) bool { return v.Rule == rule })
	}
	for size := len(s.Steps) / 2; size > 0; size /= 2 {
		for at := 0; at < len(s.Steps); {
			less := slices.Delete(slices.Clone(s.Steps), at, min(at+size, len(s.Steps)))
			switch {
			case time.Now().After(until):
				return s
			case breaks(less):
				s.Steps = less
			default:
				at += size
			}
		}
	}
	return s
}

// Lines are the steps of a story as they are written.
func (s Story) Lines() string {
	var out []string
	for _, step := range s.Steps {
		out = append(out, step.Text)
	}
	return strings.Join(out, "\n")
}
