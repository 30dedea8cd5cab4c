package heatmap

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// A mark is drawn in the square from -1 to 1 on both axes, y downwards, angles clockwise from the right.
type point struct{ x, y float64 }

// outline is the edge of an area: closed polygons. One that runs the other way round cuts a hole.
type outline [][]point

func join(parts ...outline) (out outline) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// arc is a run of points. 64 to the circle are off it by 0.03 pixels at the largest size.
func arc(cx, cy, r, from, to float64) []point {
	steps := max(2, int(math.Abs(to-from)/360*64))
	out := make([]point, 0, steps+1)
	for i := range steps + 1 {
		sin, cos := math.Sincos((from + (to-from)*float64(i)/float64(steps)) * math.Pi / 180)
		out = append(out, point{cx + r*cos, cy + r*sin})
	}
	return out
}

func disc(cx, cy, r float64) outline { return outline{arc(cx, cy, r, 0, 360)} }

func ring(outer, inner float64) outline {
	return outline{arc(0, 0, outer, 0, 360), arc(0, 0, inner, 360, 0)}
}

func sector(r, from, to float64) outline {
	return outline{append(arc(0, 0, r, from, to), point{})}
}

// bar is a rectangle about the centre, turned by an angle.
func bar(w, h, angle float64) outline {
	sin, cos := math.Sincos(angle * math.Pi / 180)
	var out []point
	for _, c := range []point{{-w, -h}, {w, -h}, {w, h}, {-w, h}} {
		out = append(out, point{(c.x*cos - c.y*sin) / 2, (c.x*sin + c.y*cos) / 2})
	}
	return outline{out}
}

// dotted is a circle of n small discs.
func dotted(n int, r, small float64) (out outline) {
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		out = append(out, disc(r*cos, r*sin, small)...)
	}
	return out
}

// question is a question mark: a hook, its stem, a dot.
func question() outline {
	hook := append(arc(0, -0.4, 0.6, -180, 90), arc(0, -0.4, 0.26, 90, -180)...)
	stem := []point{{-0.17, -0.14}, {0.17, -0.14}, {0.17, 0.44}, {-0.17, 0.44}}
	return join(outline{hook, stem}, disc(0, 0.78, 0.22))
}

// fill paints an area about the centre of a square picture, with radius pixels to its unit.
func fill(dst *image.RGBA, o outline, radius float64, c color.RGBA) {
	b := dst.Bounds()
	mid := float64(b.Dx()) / 2
	at := func(p point) (x, y float32) { return float32(mid + p.x*radius), float32(mid + p.y*radius) }
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	for _, polygon := range o {
		z.MoveTo(at(polygon[0]))
		for _, p := range polygon[1:] {
			z.LineTo(at(p))
		}
		z.ClosePath()
	}
	z.Draw(dst, b, image.NewUniform(c), image.Point{})
}

// sides are the bars that tell power around a mark, in a square of the given side: none for an instance
// that serves, a frame for an ill one, a line below for a stopped one, lines above and below for a
// deallocated one, a short line below when nothing tells.
func sides(p Power, side, thick int) []image.Rectangle {
	top, bottom := image.Rect(0, 0, side, thick), image.Rect(0, side-thick, side, side)
	switch p {
	case Ill:
		return []image.Rectangle{top, bottom, image.Rect(0, 0, thick, side), image.Rect(side-thick, 0, side, side)}
	case Stopped:
		return []image.Rectangle{bottom}
	case Deallocated:
		return []image.Rectangle{top, bottom}
	case UnknownPower:
		third := side / 3
		return []image.Rectangle{image.Rect(third, side-thick, side-third, side)}
	}
	return nil
}

// stamp is a mark with its power around it, on nothing.
func stamp(mark []layer, p Power, k look) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, k.side, k.side))
	for _, l := range mark {
		fill(out, l.area, float64(k.dot)/2, l.colour)
	}
	for _, r := range sides(p, k.side, k.thick) {
		draw.Draw(out, r, image.NewUniform(ink), image.Point{}, draw.Src)
	}
	return out
}

// bare stands for any mark in the legend of power.
var bare = []layer{{grey, disc(0, 0, 0.5)}}
