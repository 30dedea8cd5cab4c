package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// A phone shows about 38 columns of fixed-width text without scrolling; above 60 instances single
// ones are no longer told apart, and each domain gets a count.
const (
	mapColumns   = 38
	mapInstances = 60
	mapRows      = 24
)

// dot is one instance on a map. Shapes, not colours: they are told apart without seeing colours, and
// they can be copied.
type dot struct {
	id     string
	ud, fd int
	shape  string
}

// key is what the shapes of a map mean, in the order of its legend, and what each domain's count counts.
type key struct {
	shapes []struct{ shape, means string }
	counts string
}

// A rollout tells instances apart by how far they are, one back in words of its own, as what is new and
// old has changed places; a scale set tells them apart by the image they run.
var (
	rolloutKey = key{[]struct{ shape, means string }{
		{"●", "new, ok"}, {"◕", "seen good once"}, {"◑", "checking"}, {"◐", "upgrading"}, {"○", "old"},
		{"✖", "failed"}, {"?", "inconclusive"}, {"⊘", "quarantined"}, {"–", "skipped"}, {"⊝", "passed by"}, {"◌", "vanished"},
	}, "done/all in each domain"}
	backKey = key{append([]struct{ shape, means string }{
		{"●", "back, ok"}, {"◐", "going back"}, {"○", "not back yet"},
	}, rolloutKey.but("●", "◐", "○")...), rolloutKey.counts}
	setKey = key{[]struct{ shape, means string }{
		{"●", "on the model's image, ok"}, {"○", "on another image"}, {"△", "not serving"},
	}, "on the model's image/all in each domain"}
)

// but is the key's shapes without some.
func (k key) but(shapes ...string) []struct{ shape, means string } {
	return slices.DeleteFunc(slices.Clone(k.shapes), func(s struct{ shape, means string }) bool { return slices.Contains(shapes, s.shape) })
}

func keyOf(p upgrade.Plan) key {
	if back(p) {
		return backKey
	}
	return rolloutKey
}

func shapeOf(p upgrade.Progress) string {
	switch p {
	case upgrade.Going:
		return "◐"
	case upgrade.Checking:
		return "◑"
	case upgrade.Confirmed:
		return "◕"
	case upgrade.OK:
		return "●"
	case upgrade.Broken:
		return "✖"
	case upgrade.Unclear:
		return "?"
	case upgrade.Aside:
		return "⊘"
	case upgrade.Passed:
		return "–"
	case upgrade.Vanished:
		return "◌"
	case upgrade.Left:
		return "⊝"
	}
	return "○"
}

// rolloutDots places the planned instances as the rollout sees them. Skipped ones are not in the
// plan's gates and are told in words.
func rolloutDots(rec upgrade.Record) []dot {
	var out []dot
	for _, g := range rec.Plan.Gates {
		for _, m := range g.Instances {
			out = append(out, dot{m.ID, m.UpdateDomain, m.FaultDomain, shapeOf(rec.Rollout.Instances[m.ID].State)})
		}
	}
	return out
}

// domainMap draws update domains as rows and fault domains as columns, in the most telling of three
// forms that fits: every instance in its cell; every instance, row by row; counts of done by cell.
func domainMap(dots []dot, k key) (lines []string, legend string) {
	uds, fds := axis(dots, func(d dot) int { return d.ud }), axis(dots, func(d dot) int { return d.fd })
	if len(dots) == 0 {
		return nil, ""
	}
	if len(dots) <= mapInstances {
		if lines = grid(dots, uds, fds, members); width(lines) > mapColumns {
			lines = rows(dots, uds)
		}
		return lines, k.legend(dots)
	}
	if lines = grid(dots, uds, fds, share); width(lines) > mapColumns {
		lines = grid(dots, uds, nil, share)
	}
	return append(lines, k.exceptions(dots)...), k.counts + "  " + k.legend(dots, "●", "○")
}

// axis lists the domains that occur, in order.
func axis(dots []dot, of func(dot) int) []int {
	var out []int
	for _, d := range dots {
		if !slices.Contains(out, of(d)) {
			out = append(out, of(d))
		}
	}
	slices.Sort(out)
	return out
}

// grid draws one cell per update and fault domain; without fds one cell per update domain.
func grid(dots []dot, uds, fds []int, cell func([]dot) string) []string {
	rows := [][]string{{""}}
	for _, fd := range fds {
		rows[0] = append(rows[0], domain("FD", fd))
	}
	for _, ud := range uds[:min(len(uds), mapRows)] {
		row := []string{domain("UD", ud)}
		if fds == nil {
			row = append(row, cell(in(dots, ud, nil)))
		}
		for _, fd := range fds {
			row = append(row, cell(in(dots, ud, &fd)))
		}
		rows = append(rows, row)
	}
	if fds == nil {
		rows = rows[1:]
	}
	return align(rows, len(uds)-mapRows)
}

func domain(kind string, n int) string {
	if n < 0 {
		return kind + "?"
	}
	return fmt.Sprintf("%s%d", kind, n)
}

func in(dots []dot, ud int, fd *int) []dot {
	return slices.DeleteFunc(slices.Clone(dots), func(d dot) bool { return d.ud != ud || fd != nil && d.fd != *fd })
}

// align pads the cells of each column to one width, and says how many rows are not shown.
func align(rows [][]string, hidden int) []string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var out []string
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+1)
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	if hidden > 0 {
		out = append(out, fmt.Sprintf("… %d more domains", hidden))
	}
	return out
}

func members(dots []dot) string {
	var parts []string
	for _, d := range dots {
		parts = append(parts, d.shape+label(d.id))
	}
	if len(parts) == 0 {
		return "·"
	}
	return strings.Join(parts, " ")
}

// label is an instance id on a map. Azure's are numbers; anything longer is cut. Characters that
// would need escaping are replaced, so that its width is what is seen.
func label(id string) string { return plain(id, 6) }

func share(dots []dot) string {
	if len(dots) == 0 {
		return "·"
	}
	done := 0
	for _, d := range dots {
		if d.shape == "●" {
			done++
		}
	}
	return fmt.Sprintf("%d/%d", done, len(dots))
}

// rows lists each update domain's instances, fault domain by fault domain, folded to the width.
func rows(dots []dot, uds []int) []string {
	var out []string
	for _, ud := range uds[:min(len(uds), mapRows)] {
		line := fmt.Sprintf("%-5s", domain("UD", ud))
		for _, d := range in(dots, ud, nil) {
			word := d.shape + label(d.id)
			if len([]rune(line))+len([]rune(word))+1 > mapColumns {
				out, line = append(out, strings.TrimRight(line, " ")), "     "
			}
			line += word + " "
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	if hidden := len(uds) - mapRows; hidden > 0 {
		out = append(out, fmt.Sprintf("… %d more domains", hidden))
	}
	return out
}

// exceptions names the instances that are neither done nor waiting, which counts would hide.
func (k key) exceptions(dots []dot) []string {
	var out []string
	for _, s := range k.shapes {
		if s.shape == "●" || s.shape == "○" {
			continue
		}
		var ids []string
		for _, d := range dots {
			if d.shape == s.shape {
				ids = append(ids, d.id)
			}
		}
		if len(ids) > 0 {
			head := fmt.Sprintf("%s %d: ", s.shape, len(ids))
			out = append(out, head+brief(ids, mapColumns-len([]rune(head))-2))
		}
	}
	return out
}

func (k key) legend(dots []dot, but ...string) string {
	var parts []string
	for _, s := range k.shapes {
		if !slices.Contains(but, s.shape) && slices.ContainsFunc(dots, func(d dot) bool { return d.shape == s.shape }) {
			parts = append(parts, s.shape+" "+s.means)
		}
	}
	return strings.Join(parts, "  ")
}

func width(lines []string) int {
	w := 0
	for _, l := range lines {
		w = max(w, len([]rune(l)))
	}
	return w
}
