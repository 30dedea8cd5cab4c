package heatmap

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// paint turns a scene into pixels. Each kind of mark is drawn once and stamped wherever it stands.
func paint(s scene) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: s.size})
	block(out, out.Bounds(), line)
	block(out, out.Bounds().Inset(2), ground)
	for _, b := range s.boxes {
		block(out, b.at, b.colour)
	}
	type kind struct {
		state State
		power Power
		dot   int
	}
	stamps := map[kind]*image.RGBA{}
	for _, p := range s.spots {
		k := kind{p.state, p.power, p.look.dot}
		if stamps[k] == nil {
			stamps[k] = stamp(p.mark, p.power, p.look)
		}
		draw.Draw(out, p.square(), stamps[k], image.Point{}, draw.Over)
	}
	for _, t := range s.texts {
		d := font.Drawer{Dst: out, Src: image.NewUniform(t.colour), Face: t.face.Face, Dot: fixed.P(t.at.X, t.at.Y)}
		d.DrawString(t.s)
	}
	return out
}

func block(dst *image.RGBA, at image.Rectangle, c color.RGBA) {
	draw.Draw(dst, at, image.NewUniform(c), image.Point{}, draw.Src)
}
