package slacksim

import (
	"fmt"
	"strings"
)

// ids makes identifiers in Slack's shapes. They look random and are a function of a counter only, so that two
// runs of the same story have the same ids.
type ids struct{ n uint64 }

// bits returns 64 well-mixed bits of the next counter value (the splitmix64 finaliser).
func (g *ids) bits() uint64 {
	g.n++
	z := g.n * 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// text returns n characters of the alphabet.
func (g *ids) text(n int, alphabet string) string {
	var b strings.Builder
	for v := uint64(0); b.Len() < n; v /= uint64(len(alphabet)) {
		if v == 0 {
			v = g.bits()
		}
		b.WriteByte(alphabet[v%uint64(len(alphabet))])
	}
	return b.String()
}

const (
	upperDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	mixedDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	hexDigits   = "0123456789abcdef"
	digits      = "123456789"
)

// object returns an object id such as C0A7QX9P2LM.
func (g *ids) object(prefix string) string { return prefix + "0" + g.text(9, upperDigits) }

// block returns a block_id as Slack fills it in, such as "xT4k1".
func (g *ids) block() string { return g.text(5, mixedDigits) }

// uuid returns an envelope id.
func (g *ids) uuid() string {
	h := g.text(32, hexDigits)
	return strings.Join([]string{h[:8], h[8:12], "4" + h[13:16], "a" + h[17:20], h[20:]}, "-")
}

// trigger returns a trigger id such as 13345224609.738474920.8088930838d88f008e0.
func (g *ids) trigger() string {
	return g.text(11, digits) + "." + g.text(9, digits) + "." + g.text(19, hexDigits)
}

// secret returns a random-looking path or ticket part.
func (g *ids) secret() string { return g.text(24, mixedDigits) }

// ts returns a message timestamp, "seconds.micros": unique in the workspace and always increasing.
// The lock is held.
func (s *Sim) ts() string {
	micros := max(s.now().UnixMicro(), s.lastTS+1)
	s.lastTS = micros
	return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6)
}
