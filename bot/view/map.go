package view

import (
	"cmp"
	"fmt"
	"maps"
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
	id              string
	ud, fd          int // below 0 = not told
	zone, placement string
	shape           string
	label           string // of the map, as short as it can be; see labelled
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
	resizeKey = key{append([]struct{ shape, means string }{
		{"●", "new size, ok"}, {"◐", "resizing"}, {"○", "old size"},
	}, rolloutKey.but("●", "◐", "○")...), rolloutKey.counts}
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
	switch {
	case back(p):
		return backKey
	case p.Target.Size != "":
		return resizeKey
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
			out = append(out, dot{m.ID, m.UpdateDomain, m.FaultDomain, m.Zone, m.Placement, shapeOf(rec.Rollout.Instances[m.ID].State), ""})
		}
	}
	return out
}

// domainMap draws update domains as rows and fault domains as columns, in the most telling form that fits:
// every instance in its cell, zone by zone and placement group by placement group, as domains count within
// one of these; every instance, row by row; counts of done by cell. Of a set that has no domains, it draws
// zones as rows, or one row of all.
func domainMap(dots []dot, k key) (lines []string, legend string) {
	if len(dots) == 0 {
		return nil, ""
	}
	dots = labelled(dots)
	if lines = panels(dots); len(dots) <= mapInstances && len(lines) <= mapRows+mapRows/2 {
		return lines, k.legend(dots)
	}
	a := axesOf(dots)
	groups := distinct(dots, func(d dot) string { return d.placement })
	if len(groups) > 1 {
		a.columns = nil
	}
	if lines = a.grid(dots, share); width(lines) > mapColumns {
		a.columns = nil
		lines = a.grid(dots, share)
	}
	legend = k.counts
	if len(groups) > 1 {
		legend = fmt.Sprintf("%s, over %d placement groups", legend, len(groups))
	}
	return append(lines, k.exceptions(dots)...), legend + "  " + k.legend(dots, "●", "○")
}

// placed puts those of which no placement group is told, such as deallocated ones, with the others where
// there is only one other.
func placed(dots []dot) []dot {
	told := slices.DeleteFunc(distinct(dots, func(d dot) string { return d.placement }), func(g string) bool { return g == "" })
	if len(told) != 1 {
		return dots
	}
	out := slices.Clone(dots)
	for n := range out {
		out[n].placement = told[0]
	}
	return out
}

// panels draws every instance, each zone and placement group by itself where there are several and the
// domains count within them.
func panels(dots []dot) []string {
	dots = placed(dots)
	a := axesOf(dots)
	zones, groups := distinct(dots, func(d dot) string { return d.zone }), distinct(dots, func(d dot) string { return d.placement })
	if !a.domains || len(zones)*len(groups) == 1 {
		return a.small(dots)
	}
	var out []string
	for _, zone := range zones {
		for n, group := range groups {
			some := slices.DeleteFunc(slices.Clone(dots), func(d dot) bool { return d.zone != zone || d.placement != group })
			if len(some) == 0 {
				continue
			}
			out = append(out, panel(zone, n, len(zones), len(groups)))
			out = append(out, axesOf(some).small(some)...)
		}
	}
	return out
}

// panel is the title of one: placement groups are numbered in the order of their ids, which say nothing.
func panel(zone string, group, zones, groups int) string {
	var parts []string
	if zones > 1 && zone == "" {
		parts = append(parts, "no zone")
	} else if zones > 1 {
		parts = append(parts, "zone "+plain(zone, 12))
	}
	if groups > 1 {
		parts = append(parts, fmt.Sprintf("placement group %d", group+1))
	}
	return strings.Join(parts, ", ")
}

// axes are what the rows and the columns of a map are.
type axes struct {
	domains bool     // update domains are told
	rows    []string // their names
	row     func(dot) string
	columns []string // names of fault domains; nil = none
}

func axesOf(dots []dot) axes {
	zoned := slices.ContainsFunc(dots, func(d dot) bool { return d.zone != "" })
	var a axes
	a.domains = slices.ContainsFunc(dots, func(d dot) bool { return d.ud >= 0 })
	switch {
	case a.domains:
		a.row = func(d dot) string { return domain("UD", d.ud) }
	case zoned:
		a.row = func(d dot) string { return join("zone", plain(cmp.Or(d.zone, "?"), 8)) }
	default:
		a.row = func(dot) string { return "" }
	}
	a.rows = named(dots, func(d dot) int { return d.ud }, a.row)
	if slices.ContainsFunc(dots, func(d dot) bool { return d.fd >= 0 }) {
		a.columns = named(dots, func(d dot) int { return d.fd }, column)
	}
	return a
}

func column(d dot) string { return domain("FD", d.fd) }

// named are the names that occur, in the order of their numbers.
func named(dots []dot, number func(dot) int, name func(dot) string) []string {
	sorted := slices.SortedStableFunc(slices.Values(dots), func(a, b dot) int {
		return cmp.Or(cmp.Compare(number(a), number(b)), upgrade.CompareIDs(a.zone, b.zone))
	})
	var out []string
	for _, d := range sorted {
		if n := name(d); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func distinct[T any](list []T, of func(T) string) []string {
	seen := map[string]bool{}
	for _, x := range list {
		seen[of(x)] = true
	}
	return slices.SortedFunc(maps.Keys(seen), upgrade.CompareIDs)
}

// small draws every instance: in its cell where that fits, else row by row.
func (a axes) small(dots []dot) []string {
	if a.columns != nil {
		if lines := a.grid(dots, members); width(lines) <= mapColumns {
			return lines
		}
	}
	var out []string
	for _, name := range a.rows[:min(len(a.rows), mapRows)] {
		var words []string
		for _, d := range dots {
			if a.row(d) == name {
				words = append(words, d.shape+d.label)
			}
		}
		head := ""
		if name != "" {
			head = fmt.Sprintf("%-5s", name+" ")
		}
		out = append(out, fold(words, head, strings.Repeat(" ", len([]rune(head))))...)
	}
	if hidden := len(a.rows) - mapRows; hidden > 0 {
		out = append(out, fmt.Sprintf("… %d more domains", hidden))
	}
	return out
}

// grid draws one cell per row and column; without columns one cell per row.
func (a axes) grid(dots []dot, cell func([]dot) string) []string {
	cells := map[[2]string][]dot{}
	for _, d := range dots {
		at := [2]string{a.row(d), ""}
		if a.columns != nil {
			at[1] = column(d)
		}
		cells[at] = append(cells[at], d)
	}
	columns := a.columns
	rows := [][]string{append([]string{""}, columns...)}
	if columns == nil {
		rows, columns = nil, []string{""}
	}
	for _, name := range a.rows[:min(len(a.rows), mapRows)] {
		row := []string{cmp.Or(name, "all")}
		for _, c := range columns {
			row = append(row, cell(cells[[2]string{name, c}]))
		}
		rows = append(rows, row)
	}
	return align(rows, len(a.rows)-mapRows)
}

func domain(kind string, n int) string {
	if n < 0 {
		return kind + "?"
	}
	return fmt.Sprintf("%s%d", kind, n)
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
		parts = append(parts, d.shape+d.label)
	}
	if len(parts) == 0 {
		return "·"
	}
	return strings.Join(parts, " ")
}

// labelled gives dots their labels. Azure's ids are numbers; of names, as Flexible sets have them, what all
// begin with is left out, and what is still too long is cut. Characters that would need escaping are
// replaced, so that a label's width is what is seen.
func labelled(dots []dot) []dot {
	shared := dots[0].id
	for _, d := range dots {
		for !strings.HasPrefix(d.id, shared) {
			shared = shared[:len(shared)-1]
		}
	}
	shared = shared[:strings.LastIndexAny(shared, "_-")+1]
	out := slices.Clone(dots)
	for i := range out {
		out[i].label = plain(strings.TrimPrefix(out[i].id, shared), 8)
	}
	return out
}

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
