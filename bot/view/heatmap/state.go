package heatmap

import "image/color"

// State is how far a rollout is with an instance, or, outside of one, which image it runs. A value that is
// none of these counts as Unclear: nothing looks well of which it is not known.
type State int

const (
	Old         State = iota // not started; outside of a rollout: on another image than the model's
	Upgrading                // named in a call that was sent
	Checking                 // on the new image, not yet known to be healthy
	Confirmed                // seen good once; a second look must agree
	New                      // upgraded and healthy; outside of a rollout: on the model's image
	Failed                   //
	Unclear                  // its time is up and nothing says whether it is well
	Quarantined              // set aside by a person
	Skipped                  // left as it is by a person
	Protected                // passed by: protected, or current already
	Newborn                  // appeared after the plan was made
	Vanished                 // gone since
)

// Power is whether an instance serves. A value that is none of these counts as UnknownPower.
type Power int

const (
	UnknownPower Power = iota // nothing tells
	Serving                   // running, and not known to be ill
	Ill                       // running, not healthy
	Stopped                   // holds its host, does not run
	Deallocated               // holds no host: switched off or evicted
)

// The colours of Okabe and Ito, which people with any kind of colour vision tell apart. Grey, sky blue, orange
// and purple are too pale on white (WCAG 1.4.11 wants 3:1 for what carries meaning): grey and purple are darkened,
// sky blue and orange only fill what is outlined in ink.
var (
	blue      = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	sky       = color.RGBA{0x56, 0xb4, 0xe9, 0xff}
	green     = color.RGBA{0x00, 0x8f, 0x68, 0xff}
	orange    = color.RGBA{0xe6, 0x9f, 0x00, 0xff}
	vermilion = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	purple    = color.RGBA{0xa8, 0x4d, 0x82, 0xff}
	grey      = color.RGBA{0x70, 0x74, 0x78, 0xff}
	ink       = color.RGBA{0x1a, 0x1a, 0x1a, 0xff}

	muted  = color.RGBA{0x55, 0x58, 0x5c, 0xff} // captions
	ground = color.RGBA{0xff, 0xff, 0xff, 0xff} // the card
	tint   = color.RGBA{0xf3, 0xf4, 0xf6, 0xff} // a cell of the grid
	line   = color.RGBA{0xd5, 0xd8, 0xdc, 0xff} // the card's edge, dividers
)

// layer is one area of a mark.
type layer struct {
	colour color.RGBA
	area   outline
}

// states says of each state what it is called, how urgent it is (0 = fine), and its mark. The marks are
// those of the map in the live message: ○ ◐ ◑ ◕ ● ✖ ? ⊘ – ⊝, a diamond for the newborn, ◌.
var states = [...]struct {
	word   string
	urgent int
	mark   []layer
}{
	Old:         {"old", 0, []layer{{grey, ring(1, 0.70)}}},
	Upgrading:   {"upgrading", 0, []layer{{orange, sector(0.92, 90, 270)}, {ink, join(ring(1, 0.82), bar(0.12, 1.8, 0))}}},
	Checking:    {"checking", 0, []layer{{sky, sector(0.92, -90, 90)}, {ink, join(ring(1, 0.82), bar(0.12, 1.8, 0))}}},
	Confirmed:   {"seen good once", 0, []layer{{blue, join(ring(1, 0.80), sector(0.9, -90, 180))}}},
	New:         {"new, ok", 0, []layer{{blue, disc(0, 0, 1)}}},
	Failed:      {"failed", 9, []layer{{vermilion, join(bar(2.5, 0.66, 45), bar(2.5, 0.66, -45))}}},
	Unclear:     {"inconclusive", 8, []layer{{purple, question()}}},
	Quarantined: {"quarantined", 7, []layer{{ink, join(ring(1, 0.76), bar(1.8, 0.28, -45))}}},
	Skipped:     {"skipped", 0, []layer{{grey, bar(2, 0.6, 0)}}},
	Protected:   {"passed by", 0, []layer{{green, join(ring(1, 0.78), bar(1.0, 0.34, 0))}}},
	Newborn:     {"newborn", 0, []layer{{green, bar(1.42, 1.42, 45)}}},
	Vanished:    {"vanished", 6, []layer{{grey, dotted(8, 0.8, 0.2)}}},
}

// powers says of each power state what it is called and how urgent it is (0 = fine). How it is drawn says
// [sides].
var powers = [...]struct {
	word   string
	urgent int
}{
	UnknownPower: {"power not told", 0},
	Serving:      {"serving", 0},
	Ill:          {"ill", 5},
	Stopped:      {"stopped", 4},
	Deallocated:  {"deallocated", 3},
}

func (s State) known() State {
	if s < 0 || int(s) >= len(states) {
		return Unclear
	}
	return s
}

func (p Power) known() Power {
	if p < 0 || int(p) >= len(powers) {
		return UnknownPower
	}
	return p
}

// urgent is how much an instance needs looking at, 0 if not at all.
func (d Dot) urgent() int { return max(states[d.State].urgent, powers[d.Power].urgent) }

// word is what a state is called in this map.
func (m Map) word(s State) string {
	if w := clean(m.Words[s], longestWord); w != "" {
		return w
	}
	return states[s].word
}
