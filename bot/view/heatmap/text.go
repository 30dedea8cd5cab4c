package heatmap

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// The longest foreign texts that are looked at, in characters. What is shown is cut to fit.
const (
	longestTitle = 300
	longestID    = 80
	longestWord  = 20
)

// The fonts are part of the program: parsing cannot fail, a test draws with both.
var (
	regular = sync.OnceValue(func() *opentype.Font { return parsed(goregular.TTF) })
	bold    = sync.OnceValue(func() *opentype.Font { return parsed(gobold.TTF) })
)

func parsed(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(err)
	}
	return f
}

// face is a font at a size in pixels. It is not safe for concurrent use: each picture makes its own.
type face struct {
	font.Face
	px int
}

func sized(f *opentype.Font, px int) face {
	made, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(px), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic(err) // only for a font without glyphs
	}
	return face{made, px}
}

func (f face) width(s string) int { return font.MeasureString(f.Face, s).Ceil() }

// line is the height of a line, and rise what of it is above the baseline, so that capitals and digits
// stand in its middle.
func (f face) line() int { return f.px * 5 / 4 }
func (f face) rise() int { return f.px * 49 / 50 }

// fit cuts a text in its middle, where names differ least, to a width in pixels.
func (f face) fit(s string, width int) string {
	if f.width(s) <= width {
		return s
	}
	r := []rune(s)
	low, high := 0, len(r)
	for low < high { // the most characters that fit
		if keep := (low + high + 1) / 2; f.width(middle(r, keep)) <= width {
			low = keep
		} else {
			high = keep - 1
		}
	}
	return middle(r, low)
}

// middle keeps some characters of a text, rather more of its beginning, and never hides that it did.
func middle(r []rune, keep int) string {
	if len(r) <= keep {
		return string(r)
	}
	head := (keep*3 + 4) / 5
	return string(r[:head]) + "…" + string(r[len(r)-(keep-head):])
}

// clean drops what cannot be seen or turns text around, and marks that would be put on a letter (the fonts
// have few of them, and a pile of them covers other lines), makes every run of white space one space, and
// cuts what is left in its middle to a number of characters.
func clean(s string, limit int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), unicode.IsSpace)
	seen := strings.Map(func(c rune) rune {
		if !unicode.IsGraphic(c) || unicode.In(c, unicode.Mn, unicode.Me) {
			return -1
		}
		return c
	}, strings.Join(words, " "))
	r := []rune(strings.TrimSpace(seen))
	if len(r) > limit {
		return middle(r, limit-1)
	}
	return string(r)
}
