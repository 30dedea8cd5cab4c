package heatmap

import (
	"image"
	"slices"
	"strconv"
)

// arrangement is a grid with sizes.
type arrangement struct {
	measured
	look
	across int  // panels side by side
	run    int  // dots side by side in a cell
	terse  bool // some column is too narrow for more than a number at its head
}

func newArrangement(g measured, k look, across, run int) arrangement {
	a := arrangement{measured: g, look: k, across: across, run: run}
	for i, name := range g.names {
		a.terse = a.terse || a.columned() && name.long > a.dotted(i)+a.gap
	}
	return a
}

// between is the gap between cells.
func (k look) between() int { return max(4, k.gap) }

// drop is from one dot to the next below it.
func (k look) drop() int { return k.side + k.label + k.gap }

// rowed and columned tell whether the grid has axes: whether any domain is told.
func (g grid) rowed() bool    { return g.uds[0] >= 0 }
func (g grid) columned() bool { return g.fds[0] >= 0 }

// domain is a row's or column's name, number what of it tells it apart.
func domain(kind string, n int) string { return kind + " " + number(n) }
func number(n int) string              { return either(n < 0, "?", strconv.Itoa(n)) }

// measured is how wide the names of a grid's rows and columns are.
type measured struct {
	grid
	names  []struct{ long, short int } // of columns
	left   int                         // of rows, with a gap
	corner int                         // of the word over the rows that says what short names of columns count
}

func (g grid) measure(f face) measured {
	const gap = 14
	m := measured{grid: g, corner: f.width("FD") + gap, left: f.width(domain("UD", slices.Max(g.uds))) + gap}
	for _, fd := range g.fds {
		m.names = append(m.names, struct{ long, short int }{f.width(domain("FD", fd)), f.width(number(fd))})
	}
	return m
}

// head is the room above and left of a panel's cells.
func (a arrangement) head() (at image.Point) {
	if a.rowed() {
		at.X = a.left
	}
	if a.terse {
		at.X = max(at.X, a.corner)
	}
	if a.panels[0].caption != "" {
		at.Y += a.fonts.strong.line() + 6
	}
	if a.columned() {
		at.Y += a.fonts.axis.line() + 4
	}
	return at
}

// dotted is how wide the dots of a column are.
func (a arrangement) dotted(i int) int { return min(a.run, a.wide[i]) * a.pitch }

// heading is the name of a column.
func (a arrangement) heading(i int) string {
	return either(a.terse, number(a.fds[i]), domain("FD", a.fds[i]))
}

// column and row are the sizes of cells.
func (a arrangement) column(i int) int {
	w := a.dotted(i) + a.gap
	if a.columned() {
		w = max(w, a.names[i].short) // a long name fits, or else all are short
	}
	return w
}

func (a arrangement) row(i int) int { return a.height(a.tall[i], a.run) }

func (a arrangement) height(dots, run int) int {
	h := ceil(dots, run)*a.drop() + a.gap
	if a.rowed() {
		h = max(h, a.fonts.axis.line())
	}
	return h
}

// strip is the height of the row of instances without an update domain, which is one cell as wide as the panel,
// and how many stand side by side in it.
func (a arrangement) strip(width int) (height, run int) {
	run = (width - a.head().X - (a.column(0) - a.dotted(0))) / a.pitch
	return a.height(a.loose, run), run
}

// size is what one panel takes.
func (a arrangement) size() image.Point {
	at := a.head()
	for i := range a.fds {
		at.X += a.column(i) + a.between()
	}
	for i := range a.uds {
		at.Y += a.row(i) + a.between()
	}
	at = at.Sub(image.Pt(a.between(), a.between()))
	if a.loose > 0 {
		height, _ := a.strip(at.X)
		at.Y += a.between() + height
	}
	return at
}

func ceil(n, by int) int { return (n + by - 1) / by }

// body is what all panels take.
func (a arrangement) body() image.Point {
	one, down := a.size(), ceil(len(a.panels), a.across)
	at := image.Pt(a.across*(one.X+panelGap)-panelGap, down*(one.Y+panelGap)-panelGap)
	if a.said != "" {
		at.Y += panelGap/2 + a.fonts.axis.line()
	}
	return at
}

// arrange finds the form and the sizes in which the dots look largest where the picture is shown as a small
// square: as a preview in a thread, on a phone. card is how large a picture becomes with such a body. It
// finds none for no dots, or for more than any card holds.
func arrange(dots []Dot, f *fonts, card func(body image.Point) image.Point) (arrangement, bool) {
	if len(dots) == 0 {
		return arrangement{}, false
	}
	for _, g := range grids(dots) {
		if len(g.uds) > maxRows || len(g.fds) > maxColumns {
			continue
		}
		for _, ks := range looks(dots, f) {
			if a, found := largest(g.measure(f.axis), ks, card); found {
				return a, true
			}
		}
	}
	return arrangement{}, false
}

// largest tries every size of dots, number of panels in a row and of dots in a row. What is higher than is
// comfortable counts twice.
func largest(g measured, looks []look, card func(body image.Point) image.Point) (best arrangement, found bool) {
	longest, bestSide := slices.Max(g.wide), 1
	for _, k := range looks {
		for across := 1; across <= len(g.panels) && across*k.pitch <= maxWidth; across++ {
			for run := 1; run <= longest && run*k.pitch <= maxWidth; run++ {
				if run > 1 && ceil(longest, run) == ceil(longest, run-1) {
					continue // no fewer rows, just shorter last ones
				}
				a := newArrangement(g, k, across, run)
				at := card(a.body())
				if at.X > maxWidth {
					break
				}
				side := max(at.X, at.Y, 2*at.Y-comfort)
				if at.Y <= maxHeight && (!found || k.dot*bestSide > best.dot*side) {
					best, bestSide, found = a, side, true
				}
			}
		}
	}
	return best, found
}
