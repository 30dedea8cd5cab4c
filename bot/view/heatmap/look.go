package heatmap

// All lengths are pixels of the picture, which is shown at half its size: 28 are drawn 14 high.
const (
	maxWidth   = 1600
	maxHeight  = 2400
	margin     = 40
	minInner   = 640  // the card's width without margins is at least this: titles need it
	noteInner  = 1000 // and as wide as title and note up to this
	comfort    = 1600 // the height that is still seen at a glance
	maxRows    = 100  // no card is high enough for more,
	maxColumns = 100  // or wide enough
	labelled   = 60   // ids are written under up to this many dots
	maxLabel   = 220
	panelGap   = 36
)

// look is every length that follows from the size of a dot.
type look struct {
	dot   int // diameter of a mark
	thick int // of the bars around it
	side  int // of the square of mark and bars
	gap   int // between squares, and around them in a cell
	label int // height of the id below the square, 0 = none
	pitch int // from one dot to the next in a row of a cell
	fonts *fonts
}

func newLook(dot int, f *fonts) look {
	thick := max(2, dot/12)
	k := look{dot: dot, thick: thick, side: dot + 4*thick, gap: max(2, dot/8), fonts: f}
	k.pitch = k.side + k.gap
	return k
}

// named is the look with ids below the dots, the widest of which takes so many pixels.
func (k look) named(widest int) look {
	k.label = k.fonts.id.line()
	k.pitch = max(k.side, min(widest, maxLabel)) + 2*k.gap
	return k
}

// sizes are the diameters of a mark to choose from.
var sizes = [...]int{56, 48, 40, 36, 32, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8}

// looks are the sizes of dots to try, with ids if there are few instances and then without.
func looks(dots []Dot, f *fonts) [][]look {
	var with, without []look
	widest := 0
	if len(dots) <= labelled {
		for _, d := range dots {
			widest = max(widest, f.idBold.width(d.ID))
		}
	}
	for _, size := range sizes {
		if k := newLook(size, f); size >= 32 && len(dots) <= labelled {
			with = append(with, k.named(widest))
		} else {
			without = append(without, k)
		}
	}
	if with == nil {
		return [][]look{without}
	}
	return [][]look{with, without}
}

// fonts of one picture. A large map is shown smaller, so its texts are larger.
type fonts struct{ title, text, strong, axis, id, idBold face }

func newFonts(instances int) *fonts {
	px, axis := 26, 23
	switch {
	case instances > 200:
		px, axis = 34, 25
	case instances > labelled:
		px, axis = 30, 26
	}
	return &fonts{
		title: sized(bold(), px*3/2), text: sized(regular(), px), strong: sized(bold(), px),
		axis: sized(regular(), axis), id: sized(regular(), 22), idBold: sized(bold(), 22),
	}
}
