package heatmap

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The alt text is at most so long, and names so many instances.
const (
	longestAlt = 1000
	namedAlt   = 10
)

// Alt is the picture in words, for those who do not see it: what it is of, how many instances are in each state
// and power state, and which are not fine, the worst first. At most 1000 characters, on one line. Foreign text
// in it is shortened and has no control characters; it is plain text, not escaped for any markup.
func Alt(m Map) string {
	dots := tidy(m.Dots)
	for most := namedAlt; most > 0; most-- {
		if s := m.alt(dots, most); utf8.RuneCountInString(s) <= longestAlt {
			return s
		}
	}
	return m.alt(dots, 0) // at most 120 + 160 of title and note, 12 states of 20 + 10 and 5 power states of 14 + 10
}

func (m Map) alt(dots []Dot, most int) string {
	keys := m.keys(dots)
	sentences := []string{
		clean(m.Title, 120), clean(m.Note, 160),
		either(len(dots) == 0, "No instances",
			fmt.Sprintf("%d %s: %s", len(dots), either(len(dots) == 1, "instance", "instances"), said(keys.states))),
		said(keys.powers),
		m.trouble(troubled(dots), most), // "failed: 3, 8; ill: 12": never "3 failed", which reads as a count
	}
	sentences = slices.DeleteFunc(sentences, func(s string) bool { return s == "" })
	return strings.Join(sentences, ". ") + "."
}

func said(keys []key) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%d %s", k.count, k.word))
	}
	return strings.Join(parts, ", ")
}

// troubled are the dots that are not fine, the worst first; those with the same trouble stand together.
func troubled(dots []Dot) []Dot {
	bad := slices.DeleteFunc(slices.Clone(dots), func(d Dot) bool { return d.urgent() == 0 })
	slices.SortStableFunc(bad, func(a, b Dot) int {
		return cmp.Or(cmp.Compare(b.urgent(), a.urgent()),
			cmp.Compare(states[b.State].urgent, states[a.State].urgent), cmp.Compare(powers[a.Power].urgent, powers[b.Power].urgent))
	})
	return bad
}

// trouble names the first few of them and says how many more there are; "" if all are fine.
func (m Map) trouble(bad []Dot, most int) string {
	const longest = 16
	var groups []string
	last := ""
	for _, d := range bad[:min(len(bad), most)] {
		id := cmp.Or(clean(d.ID, longest), "?")
		if what := m.wrong(d); what != last {
			groups, last = append(groups, what+": "+id), what
		} else {
			groups[len(groups)-1] += ", " + id
		}
	}
	if more := len(bad) - most; more > 0 {
		groups = append(groups, fmt.Sprintf(either(most == 0, "%d not fine", "and %d more"), more))
	}
	return strings.Join(groups, "; ")
}

// shortTrouble names as many as fit a width, the worst always.
func (m Map) shortTrouble(bad []Dot, f face, width int) string {
	most := namedAlt
	for most > 1 && f.width(m.trouble(bad, most)) > width {
		most--
	}
	return m.trouble(bad, most)
}

// wrong is what is not fine of an instance.
func (m Map) wrong(d Dot) string {
	var parts []string
	if states[d.State].urgent > 0 {
		parts = append(parts, m.word(d.State))
	}
	if powers[d.Power].urgent > 0 {
		parts = append(parts, powers[d.Power].word)
	}
	return strings.Join(parts, " and ")
}
