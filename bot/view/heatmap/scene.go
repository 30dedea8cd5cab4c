package heatmap

import (
	"fmt"
	"image"
	"image/color"
)

// scene is a picture that is laid out and not yet painted.
type scene struct {
	size  image.Point
	boxes []box
	spots []spot
	texts []text
}

// box is a filled rectangle: cells, dividers.
type box struct {
	at     image.Rectangle
	colour color.RGBA
}

// spot is a mark.
type spot struct {
	at    image.Point // its square's corner
	mark  []layer
	state State // names the mark; -1 for the bare one of the legend
	power Power
	look  look
}

func (s spot) square() image.Rectangle {
	return image.Rectangle{s.at, s.at.Add(image.Pt(s.look.side, s.look.side))}
}

// text is one line of it, at the left end of its baseline.
type text struct {
	at     image.Point
	s      string
	face   face
	colour color.RGBA
}

// write puts a text's top left corner somewhere, cut to a width.
func (s *scene) write(x, y, width int, str string, f face, c color.RGBA) {
	s.texts = append(s.texts, text{image.Pt(x, y+f.rise()), f.fit(str, width), f, c})
}

// center puts a text in the middle of a stretch.
func (s *scene) center(x, y, width int, str string, f face, c color.RGBA) {
	str = f.fit(str, width)
	s.write(x+(width-f.width(str))/2, y, width, str, f, c)
}

// layOut lays a map out from top to bottom: title, note, panels, legend.
func layOut(m Map) scene {
	dots, f := tidy(m.Dots), newFonts(len(m.Dots))
	title, note := clean(m.Title, longestTitle), clean(m.Note, longestTitle)
	least := max(minInner, min(noteInner, max(f.title.width(title), f.text.width(note))))
	keys := m.keys(dots)
	top := margin + f.title.line() + f.text.line() + 28
	foot, bad := 28, troubled(dots)
	tell := len(dots) > labelled && len(bad) > 0 // below, the ids stand under the dots
	if tell {
		foot += f.text.line() + 16
	}
	inner := func(body image.Point) int { return max(least, body.X) }
	a, found := arrange(dots, f, func(body image.Point) image.Point {
		w := inner(body)
		return image.Pt(w+2*margin, top+body.Y+foot+keys.height(f, w)+margin)
	})
	body := image.Pt(0, f.text.line())
	if found {
		body = a.body()
	}
	w := inner(body)
	s := scene{size: image.Pt(w+2*margin, top+body.Y+foot+keys.height(f, w)+margin)}
	s.write(margin, margin-6, w, title, f.title, ink)
	s.write(margin, margin-6+f.title.line()+4, w, note, f.text, muted)
	switch {
	case found:
		s.panels(a, image.Pt(margin, top), w)
	case len(dots) == 0:
		s.write(margin, top, w, "No instances.", f.text, muted)
	default:
		s.write(margin, top, w, fmt.Sprintf("%d instances: too many to draw.", len(dots)), f.text, muted)
	}
	if tell {
		s.write(margin, top+body.Y+20, w, m.shortTrouble(bad, f.text, w), f.text, ink)
	}
	s.legend(keys, f, image.Pt(margin, top+body.Y+foot), w)
	return s
}

// panels lays out the cells and their dots. Columns share what the card is wider than they need.
func (s *scene) panels(a arrangement, at image.Point, inner int) {
	one := a.size()
	extra := (inner - a.body().X) / a.across
	one.X += extra
	for i, p := range a.panels {
		s.panel(a, p, at.Add(image.Pt(i%a.across*(one.X+panelGap), i/a.across*(one.Y+panelGap))), extra)
	}
	if a.said != "" {
		s.write(at.X, at.Y+a.body().Y-a.fonts.axis.line(), inner, a.said, a.fonts.axis, muted)
	}
}

// panel lays out one panel, that much wider than it must be.
func (s *scene) panel(a arrangement, p panel, at image.Point, extra int) {
	width, stretch := a.size().X+extra, extra/len(a.fds)
	s.write(at.X, at.Y, width, p.caption, a.fonts.strong, ink)
	head := a.head()
	y := at.Y + head.Y
	if a.terse {
		s.write(at.X, y-a.fonts.axis.line()-4, head.X, "FD", a.fonts.axis, muted)
	}
	for r, ud := range a.uds {
		x, h := at.X+head.X, a.row(r)
		if a.rowed() {
			s.write(at.X, y+(h-a.fonts.axis.line())/2, head.X, domain("UD", ud), a.fonts.axis, muted)
		}
		for c := range a.fds {
			w := a.column(c) + stretch
			if c == len(a.fds)-1 {
				w = at.X + width - x
			}
			if r == 0 && a.columned() {
				s.center(x, y-a.fonts.axis.line()-4, w, a.heading(c), a.fonts.axis, muted)
			}
			s.cell(a, p.cells[cell{r, c}], image.Rect(x, y, x+w, y+h), min(a.run, a.wide[c]), (w-a.dotted(c))/2)
			x += w + a.between()
		}
		y += h + a.between()
	}
	if len(p.loose) > 0 {
		h, run := a.strip(a.size().X)
		s.write(at.X, y+(h-a.fonts.axis.line())/2, head.X, domain("UD", -1), a.fonts.axis, muted)
		s.cell(a, p.loose, image.Rect(at.X+head.X, y, at.X+width, y+h), run, (a.column(0)-a.dotted(0)+stretch)/2)
	}
}

// cell lays out the dots of one cell, so many in a row, that far from its left edge.
func (s *scene) cell(a arrangement, dots []Dot, at image.Rectangle, run, inset int) {
	s.boxes = append(s.boxes, box{at, tint})
	left, top := at.Min.X+inset, at.Min.Y+a.gap
	for i, d := range dots {
		x, y := left+i%run*a.pitch, top+i/run*a.drop()
		s.spots = append(s.spots, spot{image.Pt(x+(a.pitch-a.side)/2, y), states[d.State].mark, d.State, d.Power, a.look})
		if a.label > 0 {
			f, c := a.fonts.id, muted
			if d.urgent() > 0 {
				f, c = a.fonts.idBold, ink
			}
			s.center(x+a.gap/2, y+a.side, a.pitch-a.gap, d.ID, f, c)
		}
	}
}
