package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Of so many gates the table of a plan shows the first and the last ones. Of a small set every instance is
// named, with so many characters for all; of a large one each gate has so many. Counts are never cut.
const (
	firstGates = 16
	lastGates  = 6
	smallIDs   = 1600
	largeIDs   = 140
)

// gateTable tells of each gate how many instances it has, how long it is expected to take, how many serve
// at least meanwhile, and below it exactly which instances they are.
func gateTable(p upgrade.Plan) []string {
	if len(p.Gates) == 0 {
		return nil
	}
	first, last := len(p.Gates), len(p.Gates) // between these they are counted only
	if len(p.Gates) > firstGates+lastGates+1 {
		first, last = firstGates, len(p.Gates)-lastGates
	}
	rows := [][]string{{"", "gate", "", "work", "serving"}}
	for n, f := range p.Foretell() {
		if n < first || n >= last {
			rows = append(rows, gateRow(n, p.Gates[n], f, p.Total))
		}
	}
	heads := align(rows, 0)
	room := largeIDs
	if p.Size() <= mapInstances {
		room = smallIDs
	}
	out, at := heads[:1:1], 1
	for n, g := range p.Gates {
		switch {
		case n < first || n >= last:
			out = append(append(out, heads[at]), insides(g, room)...)
			at++
		case n == first:
			out = append(out, uncounted(p.Gates[first:last]))
		}
	}
	return out
}

func gateRow(n int, g upgrade.Gate, f upgrade.Forecast, total int) []string {
	work := ""
	if f.Work > 0 {
		work = "~" + span(f.Work)
	}
	return []string{fmt.Sprintf("%d.", n+1), plain(g.Title, 12), fmt.Sprintf("(%d)", len(g.Instances)), work, fmt.Sprintf("≥%d/%d", f.Serving, total)}
}

// insides are a gate's instances, folded for a phone. Update and fault domains count within a placement
// group: of several of them a gate takes the same domain of each (R44).
func insides(g upgrade.Gate, room int) []string {
	words := ends(runs(g.IDs()), room)
	if n := len(placements(g.Instances)); n > 1 {
		words = append([]string{"in", fmt.Sprint(n), "placement", "groups:"}, words...)
	}
	return fold(words, "   ", "   ")
}

func uncounted(gates []upgrade.Gate) string {
	n := 0
	for _, g := range gates {
		n += len(g.Instances)
	}
	return fmt.Sprintf("… %d more gates, %s", len(gates), upgrade.Count(n, "instance"))
}

// placements are the placement groups of instances, in the order of their ids.
func placements(members []upgrade.Member) []string {
	return distinct(members, func(m upgrade.Member) string { return m.Placement })
}

// ends keeps the first and the last words where not all of them fit.
func ends(words []string, room int) []string {
	size := func(w []string) int { return len([]rune(strings.Join(w, " "))) }
	if size(words) <= room {
		return words
	}
	head, tail := 1, 0
	for head+tail < len(words) {
		h, t := head+1, tail
		if head > 2*tail {
			h, t = head, tail+1
		}
		if size(words[:h])+size(words[len(words)-t:])+4 > room {
			break
		}
		head, tail = h, t
	}
	return slices.Concat(words[:head], []string{"…"}, words[len(words)-tail:])
}

// fold breaks words into lines that fit a phone; the first begins with head, the others with indent.
func fold(words []string, head, indent string) []string {
	var out []string
	line, empty := head, true
	for _, w := range words {
		if !empty && len([]rune(line))+len([]rune(w)) > mapColumns {
			out, line = append(out, strings.TrimRight(line, " ")), indent
		}
		line, empty = line+w+" ", false
	}
	return append(out, strings.TrimRight(line, " "))
}
