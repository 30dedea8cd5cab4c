// Package heatmap draws a scale set as a picture: one dot per instance, update domains as rows, fault
// domains as columns, one panel for each zone and placement group.
//
// Its nouns. A [Map] is what to draw, a [Dot] one instance with its [State], how far the rollout is
// with it, and its [Power], whether it serves. A mark is the shape of a state, the same shapes as in the
// map of the live message; power is drawn around the mark and hides nothing of it. A scene is a picture
// that is laid out and not yet painted.
//
// The bot uploads [PNG] into the thread, with [Alt] as the words for those who do not see it. People look
// at it in a Slack thread: on a phone, on a wide screen, as a preview of at most 360 pixels, on a dark
// background, and some of them see no red or no green. So it is a white card that is never transparent,
// drawn at twice its size, as square as its domains allow, and no state is told apart by colour alone.
//
// Everything here is a pure function: the same Map gives the same bytes. It knows nothing of Slack,
// Azure and rollouts, decides nothing, and any text or number in a Map is safe.
package heatmap

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
)

// Map is what to draw. The zero value is drawn as a set without instances.
type Map struct {
	Title string           // first line: the scale set and where it goes
	Note  string           // second line, smaller: rollout, progress, time
	Words map[State]string // what states mean in this map, where the usual words would be wrong; nil = the usual
	Dots  []Dot            // in any order
}

// Dot is one instance.
type Dot struct {
	ID           string // shown as far as there is room
	UpdateDomain int    // below 0 = not told; drawn in a row of its own if others have one
	FaultDomain  int    // below 0 = not told
	Zone         string // "" = none
	Placement    string // id of the placement group, "" = none; groups are numbered in the order of their ids
	State        State  // zero = Old
	Power        Power  // zero = UnknownPower
}

// PNG is the picture as a file: opaque, at most 1600 by 2400 pixels, meant to be shown at half its size.
func PNG(m Map) ([]byte, error) {
	var out bytes.Buffer
	// The best compression would save a sixth of the room (24 kB of 28 for 20 instances) and take four times as long.
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, reduce(Draw(m))); err != nil {
		return nil, fmt.Errorf("encode the map of %d instances: %w", len(m.Dots), err)
	}
	return out.Bytes(), nil
}

// Draw is the picture as pixels.
func Draw(m Map) *image.RGBA { return paint(layOut(m)) }
