package heatmap

import (
	"cmp"
	"image"
	"image/color"
	"slices"
)

// reduce is the picture in at most 256 colours. It has a dozen, and shades between them at the edges of marks and
// letters, several hundred in all; the rare ones become ones close to them, which nobody sees. A thousand
// instances take 86 kB instead of 226, and less time than in true colour.
func reduce(img *image.RGBA) *image.Paletted {
	places := map[color.RGBA]int{}
	var colours []color.RGBA
	var often []int
	out := image.NewPaletted(img.Bounds(), nil)
	index := make([]int32, len(out.Pix))
	last, at := color.RGBA{}, -1
	for i := range index {
		c := color.RGBA{img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3]}
		if c != last || at < 0 { // most pixels are like the one before
			known := false
			if at, known = places[c]; !known {
				at = len(colours)
				places[c], colours, often = at, append(colours, c), append(often, 0)
			}
			last = c
		}
		index[i] = int32(at)
		often[at]++
	}
	kept, standIn := keep(colours, often)
	out.Palette = kept
	for i, c := range index {
		out.Pix[i] = standIn[c]
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
