package heatmap

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// grid is where instances belong, before anything has a size. All panels have the same rows and columns,
// so that they can be compared.
type grid struct {
	panels []panel
	uds    []int  // rows, in order, -1 (not told) last; -1 alone is no axis
	fds    []int  // columns, likewise
	tall   []int  // the most instances in any cell of each row
	wide   []int  // the most instances in any cell of each column
	loose  int    // the most instances without an update domain in any panel that has update domains
	said   string // what of the domains this grid does not show
}

// panel is one zone and placement group.
type panel struct {
	caption string // "" if it is the only one
	cells   map[cell][]Dot
	loose   []Dot // no update domain is told, though other instances have one: deallocated ones, mostly
}

// cell is a place in a grid: indexes of its row and column.
type cell struct{ row, column int }

// grids are the forms a map can take, the most telling first. Those that follow are for sets with more
// domains, zones or groups than a card can hold.
func grids(dots []Dot) []grid {
	whole := newGrid(dots, "")
	forms := []grid{whole}
	without := func(said string, drop func(*Dot)) {
		fewer := slices.Clone(dots)
		for i := range fewer {
			drop(&fewer[i])
		}
		forms = append(forms, newGrid(fewer, said))
	}
	if len(whole.fds) > 1 {
		without("Too many fault domains to show.", func(d *Dot) { d.FaultDomain = -1 })
	}
	if len(whole.uds) > 1 || whole.loose > 0 {
		without("Too many domains to show.", func(d *Dot) { d.UpdateDomain, d.FaultDomain = -1, -1 })
	}
	if len(whole.panels) > 1 {
		without("Too many zones, groups or domains to show.", func(d *Dot) {
			d.UpdateDomain, d.FaultDomain, d.Zone, d.Placement = -1, -1, "", ""
		})
	}
	return forms
}

func newGrid(dots []Dot, said string) grid {
	g := grid{said: said}
	var row, column map[int]int
	var nth map[place]int
	g.panels, nth = panels(dots)
	if untold := func(d Dot) bool { return d.UpdateDomain < 0 }; slices.ContainsFunc(dots, func(d Dot) bool { return !untold(d) }) {
		for _, d := range dots {
			if p := &g.panels[nth[d.place()]]; untold(d) {
				p.loose = append(p.loose, d)
				g.loose = max(g.loose, len(p.loose))
			}
		}
		dots = slices.DeleteFunc(slices.Clone(dots), untold)
	}
	g.uds, row = axis(dots, func(d Dot) int { return d.UpdateDomain }, toldFirst)
	g.fds, column = axis(dots, func(d Dot) int { return d.FaultDomain }, toldFirst)
	g.tall, g.wide = make([]int, len(g.uds)), make([]int, len(g.fds))
	for _, d := range dots {
		cells, at := g.panels[nth[d.place()]].cells, cell{row[d.UpdateDomain], column[d.FaultDomain]}
		cells[at] = append(cells[at], d)
		g.tall[at.row] = max(g.tall[at.row], len(cells[at]))
		g.wide[at.column] = max(g.wide[at.column], len(cells[at]))
	}
	return g
}

// place is what panels are made of.
type place struct{ zone, placement string }

func (d Dot) place() place { return place{d.Zone, d.Placement} }

// panels are the places that occur, captioned with what tells them apart: the zone if there are several, the
// number of the group if there are several.
func panels(dots []Dot) ([]panel, map[place]int) {
	zones, _ := axis(dots, func(d Dot) string { return d.Zone }, natural)
	groups, number := axis(dots, func(d Dot) string { return d.Placement }, cmp.Compare[string])
	first := 1
	if groups[0] == "" {
		first = 0
	}
	places, nth := axis(dots, Dot.place, func(a, b place) int {
		return cmp.Or(natural(a.zone, b.zone), cmp.Compare(a.placement, b.placement))
	})
	out := make([]panel, len(places))
	for i, p := range places {
		var parts []string
		if len(zones) > 1 {
			parts = append(parts, either(p.zone == "", "no zone", "zone "+cmp.Or(clean(p.zone, longestID), "?")))
		}
		if len(groups) > 1 {
			parts = append(parts, either(p.placement == "", "no group", fmt.Sprintf("group %d", number[p.placement]+first)))
		}
		out[i] = panel{caption: strings.Join(parts, " · "), cells: map[cell][]Dot{}}
	}
	return out, nth
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// axis lists the values that occur, in order, and says which place each has.
func axis[T comparable](dots []Dot, of func(Dot) T, compare func(a, b T) int) ([]T, map[T]int) {
	at := map[T]int{}
	var out []T
	for _, d := range dots {
		if _, is := at[of(d)]; !is {
			at[of(d)] = 0
			out = append(out, of(d))
		}
	}
	slices.SortFunc(out, compare)
	for i, v := range out {
		at[v] = i
	}
	return out, at
}

// toldFirst sorts domains; -1 comes last.
func toldFirst(a, b int) int { return cmp.Compare(uint(a), uint(b)) }

// natural sorts names the way people count: runs of digits by their value. Equal only if the same.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		dx, dy := digits(x), digits(y)
		if dx == 0 || dy == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		nx, ny := strings.TrimLeft(x[:dx], "0"), strings.TrimLeft(y[:dy], "0")
		if c := cmp.Or(cmp.Compare(len(nx), len(ny)), cmp.Compare(nx, ny)); c != 0 {
			return c
		}
		x, y = x[dx:], y[dy:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits is how many digits a text begins with.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

// tidy makes every dot one that can be drawn, in the order of their ids.
func tidy(dots []Dot) []Dot {
	out := slices.Clone(dots)
	for i, d := range out {
		out[i].ID = clean(d.ID, longestID)
		out[i].State, out[i].Power = d.State.known(), d.Power.known()
		out[i].UpdateDomain, out[i].FaultDomain = max(d.UpdateDomain, -1), max(d.FaultDomain, -1)
	}
	slices.SortStableFunc(out, func(a, b Dot) int { return natural(a.ID, b.ID) })
	return out
}
