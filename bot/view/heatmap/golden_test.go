package heatmap

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestEveryMapLooksAsItsGoldenDoes(t *testing.T) {
	golden := map[string]bool{}
	for _, s := range samples() {
		file := filepath.Join("testdata", s.name+".png")
		golden[file] = true
		t.Run(s.name, func(t *testing.T) { compare(t, file, s.m) })
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		switch {
		case golden[f]:
		case *update:
			os.Remove(f)
		default:
			t.Errorf("%s belongs to no sample", f)
		}
	}
}

func TestTheReadmeShowsARolloutAsItIsDrawnNow(t *testing.T) {
	compare(t, filepath.Join("..", "..", "..", "docs", "heatmap.png"), midRollout())
}

func compare(t *testing.T, file string, m Map) {
	got, err := PNG(m)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if where, same := alike(decoded(t, got), decoded(t, want)); !same {
		t.Errorf("%s: not as its golden at %v (go test -update writes it anew)", file, where)
	}
}

func decoded(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// alike compares pixels. The rasteriser computes coverage in 32-bit floats, and Go fuses a multiplication
// and an addition where the processor can (arm64 can, amd64 by default does not): an edge may come out
// one or two shades of 256 off, and its stand-in among the colours that are kept, which is at most four away,
// may be another. Anything more is another picture.
func alike(a, b image.Image) (image.Point, bool) {
	const shades = 6 << 8
	if a.Bounds() != b.Bounds() {
		return b.Bounds().Max, false
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r1, g1, b1, a1 := a.At(x, y).RGBA()
			r2, g2, b2, a2 := b.At(x, y).RGBA()
			if slices.Max([]int{abs(r1, r2), abs(g1, g2), abs(b1, b2), abs(a1, a2)}) > shades {
				return image.Pt(x, y), false
			}
		}
	}
	return image.Point{}, true
}

func abs(a, b uint32) int { return max(int(a)-int(b), int(b)-int(a)) }
