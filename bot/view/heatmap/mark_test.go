package heatmap

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"
)

// luminance and contrast are WCAG 2's.
func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func contrast(a, b color.RGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrastIsMeasuredAsTheStandardSays(t *testing.T) {
	white := color.RGBA{255, 255, 255, 255}
	for _, c := range []struct {
		c    color.RGBA
		want float64
	}{{color.RGBA{0, 0, 0, 255}, 21}, {color.RGBA{0x77, 0x77, 0x77, 255}, 4.48}, {orange, 2.28}, {vermilion, 3.87}} {
		if got := contrast(c.c, white); math.Abs(got-c.want) > 0.05 {
			t.Errorf("%v on white: %.2f, want %.2f", c.c, got, c.want)
		}
	}
}

func TestEveryTextIsReadableOnCardAndCell(t *testing.T) {
	for _, c := range []color.RGBA{ink, muted} {
		for _, on := range []color.RGBA{ground, tint} {
			if got := contrast(c, on); got < 4.5 {
				t.Errorf("%v on %v: %.2f, want 4.5", c, on, got)
			}
		}
	}
}

// A colour too pale for the card is legal only where a darker one parts it from the card everywhere.
func TestEveryColourStandsOutFromWhatItTouches(t *testing.T) {
	for s := range states {
		for i, l := range states[s].mark {
			pale := contrast(l.colour, ground) < 3 || contrast(l.colour, tint) < 3
			if !pale {
				continue
			}
			if i+1 == len(states[s].mark) || contrast(l.colour, states[s].mark[i+1].colour) < 3 {
				t.Errorf("%s: %v is pale and not outlined by what it differs from", states[s].word, l.colour)
			}
			for _, k := range everyLook() {
				if at, bare := touchesNothing(stamp(states[s].mark, Serving, k), l.colour); bare {
					t.Errorf("%s, %d pixels: %v meets the card at %v", states[s].word, k.dot, l.colour, at)
				}
			}
		}
	}
}

// touchesNothing finds a pixel of a colour beside one that is empty.
func touchesNothing(img *image.RGBA, c color.RGBA) (image.Point, bool) {
	b := img.Bounds().Inset(1)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if img.RGBAAt(x, y) != c {
				continue
			}
			for _, d := range []image.Point{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				if img.RGBAAt(x+d.X, y+d.Y).A == 0 {
					return image.Pt(x, y), true
				}
			}
		}
	}
	return image.Point{}, false
}

func everyLook() (out []look) {
	f := newFonts(1000)
	for _, size := range sizes {
		out = append(out, newLook(size, f))
	}
	return out
}

// black is a mark without colours.
func black(mark []layer) (out []layer) {
	for _, l := range mark {
		out = append(out, layer{color.RGBA{A: 255}, l.area})
	}
	return out
}

// apart is the share of a mark's circle that differs between two pictures.
func apart(a, b *image.RGBA, k look) float64 {
	sum := 0.0
	for i := 3; i < len(a.Pix); i += 4 {
		sum += math.Abs(float64(a.Pix[i]) - float64(b.Pix[i]))
	}
	return sum / 255 / (math.Pi / 4 * float64(k.dot*k.dot))
}

func TestEveryStateHasAShapeOfItsOwnWithoutColours(t *testing.T) {
	for _, k := range everyLook() {
		for a := range states {
			for b := range a {
				x, y := stamp(black(states[a].mark), Serving, k), stamp(black(states[b].mark), Serving, k)
				if got := apart(x, y, k); got < 0.12 {
					t.Errorf("%s and %s differ in %.0f %% at %d pixels", states[a].word, states[b].word, got*100, k.dot)
				}
			}
		}
	}
}

func TestEveryPowerStateLooksDifferentAndHidesNothingOfTheMark(t *testing.T) {
	for _, k := range everyLook() {
		for s := range states {
			plain := stamp(states[s].mark, Serving, k)
			for p := range powers {
				with := stamp(states[s].mark, Power(p), k)
				if got := hidden(plain, with); got != "" {
					t.Errorf("%s, %s, %d pixels: %s", states[s].word, powers[p].word, k.dot, got)
				}
				for q := range p {
					if got := apart(with, stamp(states[s].mark, Power(q), k), k); got < 0.03 {
						t.Errorf("%s: %s and %s differ in %.0f %% at %d pixels", states[s].word, powers[p].word, powers[q].word, got*100, k.dot)
					}
				}
			}
		}
	}
}

// hidden finds what of a mark is not as it was.
func hidden(plain, with *image.RGBA) string {
	for y := range plain.Bounds().Dy() {
		for x := range plain.Bounds().Dx() {
			if c := plain.RGBAAt(x, y); c.A != 0 && c != with.RGBAAt(x, y) {
				return fmt.Sprintf("the mark is covered at (%d,%d)", x, y)
			}
		}
	}
	return ""
}
