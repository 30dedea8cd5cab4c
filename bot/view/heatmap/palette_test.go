package heatmap

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

func TestTheFileHasTheColoursOfThePicture(t *testing.T) {
	for _, s := range samples() {
		img := Draw(s.m)
		data, err := PNG(s.m)
		if err != nil {
			t.Fatal(err)
		}
		file, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if got := file.(*image.Paletted); !got.Opaque() || len(got.Palette) > 256 {
			t.Errorf("%s: %d colours, opaque %v", s.name, len(got.Palette), got.Opaque())
		}
		worst := 0
		for i := 0; i < len(img.Pix); i += 4 {
			x, y := i/4%img.Rect.Dx(), i/img.Stride
			worst = max(worst, distance(img.RGBAAt(x, y), color.RGBAModel.Convert(file.At(x, y)).(color.RGBA)))
		}
		if worst > 4 {
			t.Errorf("%s: a pixel is %d shades off", s.name, worst)
		}
	}
}

func TestThePaletteKeepsWhatIsFrequentAndSpreadsTheRest(t *testing.T) {
	var colours []color.RGBA
	var often []int
	for i := range 1000 {
		colours, often = append(colours, color.RGBA{uint8(i), uint8(i / 4), uint8(i / 16), 255}), append(often, i)
	}
	kept, standIn := keep(colours, often)
	if len(kept) > 256 || kept[standIn[999]] != color.Color(colours[999]) {
		t.Fatalf("%d colours; the most frequent became %v", len(kept), kept[standIn[999]])
	}
	for i, c := range colours {
		if d := distance(c, kept[standIn[i]].(color.RGBA)); d > 8 {
			t.Errorf("%v became %v", c, kept[standIn[i]])
		}
	}
	if kept, standIn = keep(colours[:256], often[:256]); len(kept) != 256 || kept[standIn[7]] != color.Color(colours[7]) {
		t.Error("256 colours are not kept as they are")
	}
}
