package heatmap

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// faults finds what is wrong with a laid out map: its size, marks and texts that overlap or leave the card,
// instances that are missing.
func faults(m Map, s scene) (out []string) {
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if s.size.X > maxWidth || s.size.Y > maxHeight {
		fault("the card is %v, want at most %dx%d", s.size, maxWidth, maxHeight)
	}
	card := image.Rectangle{Max: s.size}.Inset(margin / 2)
	var taken []image.Rectangle
	for _, p := range s.spots {
		taken = append(taken, p.square())
	}
	for _, t := range s.texts {
		if t.s != "" {
			up := t.face.px * 3 / 4 // capitals and digits
			taken = append(taken, image.Rect(t.at.X, t.at.Y-up, t.at.X+t.face.width(t.s), t.at.Y))
		}
	}
	for _, at := range taken {
		if !at.In(card) {
			fault("%v is not on the card %v", at, card)
		}
	}
	if a, b, is := overlap(taken); is {
		fault("%v and %v overlap", a, b)
	}
	return append(out, missing(m, s)...)
}

// overlap finds two rectangles that share a pixel.
func overlap(all []image.Rectangle) (a, b image.Rectangle, is bool) {
	slices.SortFunc(all, func(a, b image.Rectangle) int { return a.Min.Y - b.Min.Y })
	for i, a := range all {
		for _, b := range all[i+1:] {
			if b.Min.Y >= a.Max.Y {
				break
			}
			if a.Overlaps(b) {
				return a, b, true
			}
		}
	}
	return a, b, false
}

// missing compares the dots on the panels, and the counts of the legend, with what was to be drawn.
func missing(m Map, s scene) (out []string) {
	var want, got [len(states)]int
	for _, d := range m.Dots {
		want[d.State.known()]++
	}
	keys := 0
	for _, n := range want {
		keys += min(n, 1)
	}
	drawn := 0
	for _, p := range s.spots {
		if p.state >= 0 {
			got[p.state]++
			drawn++
		}
	}
	if drawn == keys && len(m.Dots) > 1000 {
		return nil // too many to draw: the legend alone, and a sentence that says so
	}
	for i := range want {
		if got[i] != want[i]+min(want[i], 1) { // each once more in the legend
			out = append(out, fmt.Sprintf("%d marks of %s, want %d and one in the legend", got[i], states[i].word, want[i]))
		}
	}
	return out
}

// anyMap is a map made of chance: sizes, domains, groups and texts of every kind.
func anyMap(seed uint64, instances, spread uint16, text string) Map {
	r := rand.New(rand.NewPCG(seed, 1))
	most := func(n int) int { return r.IntN(max(1, n)) }
	uds, fds, zones, groups := most(int(spread))+1, most(int(spread))+1, most(4)+1, most(int(spread)/8)+1
	m := Map{Title: text, Note: strings.Repeat(text, most(40)), Dots: make([]Dot, int(instances)%3000)}
	if most(4) == 0 {
		m.Words = map[State]string{New: text, State(most(40)): text + text}
	}
	for i := range m.Dots {
		m.Dots[i] = Dot{
			ID: fmt.Sprint(i), UpdateDomain: most(uds) - most(2), FaultDomain: most(fds) - most(2),
			State: State(most(len(states) + 1)), Power: Power(most(len(powers) + 1)),
		}
		if most(3) == 0 {
			m.Dots[i].ID = text + fmt.Sprint(most(100))
		}
		if z := most(zones); z > 0 {
			m.Dots[i].Zone = fmt.Sprint(z)
		}
		if g := most(groups); g > 0 {
			m.Dots[i].Placement = fmt.Sprintf("%x-%s", g*0x9e3779b1, text)
		}
	}
	return m
}

func FuzzAnyMapFitsItsCardAndShowsEveryInstance(f *testing.F) {
	texts := []string{"", title, "日本語 \u202E\x00", strings.Repeat("W", 500), "\xff\n\n<!channel>", "i̶̧̢n̷̡s̸t"}
	for seed := range uint64(60) {
		f.Add(seed, uint16(seed*seed*seed%1500), uint16(seed%60), texts[seed%uint64(len(texts))])
	}
	f.Add(uint64(7), uint16(2999), uint16(60000), title)
	f.Add(uint64(8), uint16(2999), uint16(1), title)
	f.Fuzz(func(t *testing.T, seed uint64, instances, spread uint16, text string) {
		m := anyMap(seed, instances, spread, text)
		s := layOut(m)
		for _, fault := range faults(m, s) {
			t.Error(fault)
		}
		if img := paint(s); img.Bounds().Size() != s.size || !img.Opaque() {
			t.Errorf("painted %v, laid out %v, opaque %v", img.Bounds(), s.size, img.Opaque())
		}
		alt := Alt(m)
		if n := utf8.RuneCountInString(alt); n > longestAlt || strings.ContainsFunc(alt, unicode.IsControl) {
			t.Errorf("alt text of %d characters: %q", n, alt)
		}
	})
}

func TestEverySampleIsSound(t *testing.T) {
	for _, s := range samples() {
		for _, fault := range faults(s.m, layOut(s.m)) {
			t.Errorf("%s: %s", s.name, fault)
		}
	}
}

func TestTooManyInstancesAreCountedInsteadOfDrawn(t *testing.T) {
	m := Map{Dots: rolled(uniform(60000, 5, 5), 2)}
	s := layOut(m)
	if !slices.ContainsFunc(s.texts, func(t text) bool { return t.s == "60000 instances: too many to draw." }) {
		t.Error("nothing says that there are too many to draw")
	}
	if !slices.ContainsFunc(s.texts, func(t text) bool { return t.s == "24000" }) {
		t.Error("the legend does not count them")
	}
}

func TestDomainsAreDrawnWhereverAzureHasThem(t *testing.T) {
	for _, c := range []struct {
		name     string
		dots     []Dot
		captions []string
		heads    []string
		not      []string
	}{
		{"one group", uniform(20, 5, 5), nil, []string{"UD 0", "UD 4", "FD 0", "FD 3"}, []string{"group 1", "UD ?", "FD ?"}},
		{"zones", zonal(), []string{"zone 1", "zone 2", "zone 3"}, []string{"UD 2", "FD 0"}, []string{"group 1"}},
		{"flexible", flexible(), nil, nil, []string{"UD ?", "FD ?", "group 1"}},
		{"groups of twenty update domains", grouped(1000, 20), []string{"group 1", "group 10"}, []string{"UD 19", "FD", "4"}, []string{"group 0", "group 11"}},
		{"a deallocated instance", midRollout().Dots, nil, []string{"UD 4", "UD ?", "FD 3"}, []string{"FD ?"}},
		{"600 in one group", uniform(600, 5, 5), nil, []string{"UD 4", "FD 4"}, nil},
		{"some in no group", []Dot{{Placement: "b"}, {Placement: "a"}, {}}, []string{"no group", "group 1", "group 2"}, nil, []string{"zone"}},
		{"groups in zones", []Dot{{Placement: "b", Zone: "1"}, {Placement: "a", Zone: "2"}}, []string{"zone 1 · group 2", "zone 2 · group 1"}, nil, nil},
	} {
		shown := map[string]bool{}
		for _, t := range layOut(Map{Dots: c.dots}).texts {
			shown[t.s] = true
		}
		for _, want := range append(c.captions, c.heads...) {
			if !shown[want] {
				t.Errorf("%s: no %q", c.name, want)
			}
		}
		for _, not := range c.not {
			if shown[not] {
				t.Errorf("%s: has %q", c.name, not)
			}
		}
	}
}

func TestInstancesStandInTheOrderPeopleCount(t *testing.T) {
	ids := []string{"", "0", "02", "2", "10", "a", "a1", "a01b", "a2", "a10", "b"}
	for i := range ids {
		for j := range ids {
			if got, want := natural(ids[i], ids[j]), i-j; got < 0 != (want < 0) || got > 0 != (want > 0) {
				t.Errorf("natural(%q, %q) = %d", ids[i], ids[j], got)
			}
		}
	}
}

func TestTheSameSetIsTheSamePictureInAnyOrderAndFromManyAtOnce(t *testing.T) {
	m := Map{Title: title, Note: note, Dots: grouped(1000, 5)}
	want, err := PNG(m)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte)
	for seed := range uint64(4) {
		go func() {
			shuffled := slices.Clone(m.Dots)
			r := rand.New(rand.NewPCG(seed, seed))
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			b, _ := PNG(Map{Title: title, Note: note, Dots: shuffled})
			got <- b
		}()
	}
	for range 4 {
		if !bytes.Equal(<-got, want) {
			t.Error("another picture of the same set")
		}
	}
}

func TestAFewIDsAreWrittenAndManyAreNot(t *testing.T) {
	for n, want := range map[int]bool{1: true, 20: true, 60: true, 61: false, 1000: false} {
		s := layOut(Map{Dots: uniform(n, 1, 1)})
		last := fmt.Sprint(n - 1)
		if got := slices.ContainsFunc(s.texts, func(t text) bool { return t.s == last }); got != want {
			t.Errorf("%d instances: ids written %v, want %v", n, got, want)
		}
	}
}

func TestALongNameIsCutInItsMiddle(t *testing.T) {
	f := newFonts(1).text
	for _, s := range []string{strings.Repeat("ab", 400), "web-prod-with-a-long-name", "日本語日本語日本語日本語"} {
		got := f.fit(clean(s, longestTitle), 200)
		r, in := []rune(got), []rune(s)
		if f.width(got) > 200 || !strings.Contains(got, "…") || r[0] != in[0] || r[len(r)-1] != in[len(in)-1] {
			t.Errorf("fit(%q) = %q, %d pixels", s, got, f.width(got))
		}
	}
	if got := f.fit("short", 200); got != "short" {
		t.Errorf("cut what fits: %q", got)
	}
}

func TestWhatCannotBeSeenIsNotWritten(t *testing.T) {
	for in, want := range map[string]string{
		"web\x00-\x1b[31mprod": "web-[31mprod", "a\u202Eb\u200Bc": "abc", " a \n\t b ": "a b", "\xff": "\uFFFD", "": "", "\u200b \x07": "", "e\u0301": "e",
	} {
		if got := clean(in, 40); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkThousandInTenGroups(b *testing.B) {
	m := Map{Title: title, Note: note, Dots: grouped(1000, 5)}
	var draw time.Duration
	size := 0
	for b.Loop() {
		start := time.Now()
		Draw(m)
		draw += time.Since(start)
		out, err := PNG(m) // draws once more, so that encoding is what is left
		if err != nil {
			b.Fatal(err)
		}
		size = len(out)
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(ms(draw), "draw-ms")
	b.ReportMetric(ms(b.Elapsed()-2*draw), "encode-ms")
	b.ReportMetric(float64(size)/1000, "kB")
}
