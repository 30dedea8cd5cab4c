package heatmap

import (
	"cmp"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
)

// reduce is the picture in at most 256 colours. It has a dozen, and shades between them at the edges of marks and
// letters, several hundred in all; the rare ones become ones close to them, which nobody sees. A thousand
// instances take half the room and less time than in true colour.
func reduce(img *image.RGBA) *image.Paletted {
	type run struct{ end, colour int } // of pixels alike: most are like the one before
	places := map[uint32]int{}
	var runs []run
	var colours []color.RGBA
	var often []int
	out := image.NewPaletted(img.Bounds(), nil)
	for from := 0; from < len(out.Pix); {
		c, to := binary.LittleEndian.Uint32(img.Pix[4*from:]), from+1
		for to < len(out.Pix) && binary.LittleEndian.Uint32(img.Pix[4*to:]) == c {
			to++
		}
		at, known := places[c]
		if !known {
			at = len(colours)
			places[c], colours, often = at, append(colours, color.RGBA{uint8(c), uint8(c >> 8), uint8(c >> 16), uint8(c >> 24)}), append(often, 0)
		}
		often[at] += to - from
		runs, from = append(runs, run{to, at}), to
	}
	kept, standIn := keep(colours, often)
	out.Palette = kept
	i := 0
	for _, r := range runs {
		for c := standIn[r.colour]; i < r.end; i++ {
			out.Pix[i] = c
		}
	}
	return out
}

// keep chooses which colours to keep, the most frequent first, and says which of these stands for each. None is
// further from its stand-in than it must be for 256 to be enough.
func keep(colours []color.RGBA, often []int) (kept color.Palette, standIn []uint8) {
	order := make([]int, len(colours))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(often[b], often[a]) })
	for shades := 0; ; shades += 2 {
		if kept, standIn = within(shades, colours, order); len(kept) <= 256 {
			return kept, standIn
		}
	}
}

// within keeps every colour that has none so near among those kept before it. It gives up above 256.
func within(shades int, colours []color.RGBA, order []int) (kept color.Palette, standIn []uint8) {
	standIn = make([]uint8, len(colours))
	var list []color.RGBA
	for _, i := range order {
		at := slices.IndexFunc(list, func(c color.RGBA) bool { return distance(c, colours[i]) <= shades })
		if at < 0 {
			at = len(list)
			list, kept = append(list, colours[i]), append(kept, colours[i])
		}
		if len(list) > 256 {
			break
		}
		standIn[i] = uint8(at)
	}
	return kept, standIn
}

// distance is the largest difference between two opaque colours in any of red, green and blue.
func distance(a, b color.RGBA) int {
	diff := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(diff(a.R, b.R), diff(a.G, b.G), diff(a.B, b.B))
}
