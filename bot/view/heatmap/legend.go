package heatmap

import (
	"fmt"
	"image"
)

// key is one entry of the legend: a mark, how many, what it means.
type key struct {
	spot
	count int
	word  string
}

// legend is the keys of the states that occur, and of the power states that occur.
type legend struct{ states, powers []key }

func (m Map) keys(dots []Dot) (l legend) {
	byState, byPower := count(dots)
	for s, n := range byState {
		if n > 0 {
			l.states = append(l.states, key{spot{mark: states[s].mark, state: State(s), power: Serving}, n, m.word(State(s))})
		}
	}
	for _, p := range []Power{Serving, Ill, Stopped, Deallocated, UnknownPower} {
		if n := byPower[p]; n > 0 {
			l.powers = append(l.powers, key{spot{mark: bare, state: -1, power: p}, n, powers[p].word})
		}
	}
	return l
}

// count is how many instances have each state and each power. Both must be known ones.
func count(dots []Dot) (byState [len(states)]int, byPower [len(powers)]int) {
	for _, d := range dots {
		byState[d.State]++
		byPower[d.Power]++
	}
	return byState, byPower
}

// keyLook is a mark as high as the text beside it.
func keyLook(f *fonts) look { return newLook(f.text.px/4*4, f) }

// grid is the width of the legend's columns, and how many there are in a width.
func (l legend) grid(f *fonts, inner int) (pitch, columns int) {
	widest := 0
	for _, k := range append(l.states[:len(l.states):len(l.states)], l.powers...) {
		widest = max(widest, k.width(f))
	}
	pitch = keyLook(f).side + 12 + widest + 32
	return pitch, max(1, (inner+32)/pitch)
}

func (k key) width(f *fonts) int {
	return f.strong.width(fmt.Sprint(k.count)) + 10 + f.text.width(k.word)
}

func keyHeight(f *fonts) int { return max(f.text.line(), keyLook(f).side) + 8 }

func (l legend) height(f *fonts, inner int) int {
	if len(l.states) == 0 {
		return 0
	}
	_, columns := l.grid(f, inner)
	return 24 + 10 + 24 + (ceil(len(l.states), columns)+ceil(len(l.powers), columns))*keyHeight(f)
}

// legend lays out the states, then the power states, each group below a divider.
func (s *scene) legend(l legend, f *fonts, at image.Point, inner int) {
	if len(l.states) == 0 {
		return
	}
	pitch, columns := l.grid(f, inner)
	for _, group := range [][]key{l.states, l.powers} {
		s.boxes = append(s.boxes, box{image.Rect(at.X, at.Y, at.X+inner, at.Y+2), line})
		at.Y += 24
		for i, k := range group {
			s.key(k, f, at.Add(image.Pt(i%columns*pitch, i/columns*keyHeight(f))))
		}
		at.Y += ceil(len(group), columns)*keyHeight(f) + 10
	}
}

func (s *scene) key(k key, f *fonts, at image.Point) {
	k.at, k.look = at, keyLook(f)
	s.spots = append(s.spots, k.spot)
	n := fmt.Sprint(k.count)
	x, y := at.X+k.look.side+12, at.Y+(k.look.side-f.text.line())/2
	s.write(x, y, maxWidth, n, f.strong, ink)
	s.write(x+f.strong.width(n)+10, y, maxWidth, k.word, f.text, ink)
}
