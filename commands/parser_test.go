package commands

import (
	"flag"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var parserInputs = flag.Int("inputs", 60_000, "how many inputs to give the parser; CI takes more, 10 million take minutes")

// Any text is understood or refused, never more: no input makes the parser panic or think for long, what
// is understood is written and read back as the same, and what is refused comes with a next step.
func TestTheParserTakesAnyText(t *testing.T) {
	const seed = 20261128
	var next, understood, slowest atomic.Int64
	began := time.Now()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			source := rand.NewPCG(0, 0)
			r := rand.New(source)
			for n := next.Add(1); n <= int64(*parserInputs) && !t.Failed(); n = next.Add(1) {
				source.Seed(seed, uint64(n))
				text, want := anyText(r)
				begun := time.Now()
				if taken(t, n, text, want) {
					understood.Add(1)
				}
				slowest.Store(max(slowest.Load(), int64(time.Since(begun))))
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	t.Logf("%d inputs of seed %d, %d understood, in %s: %.0f a second; the slowest took %s", *parserInputs, seed, understood.Load(), took.Round(time.Millisecond),
		float64(*parserInputs)/took.Seconds(), time.Duration(slowest.Load()))
	if n := understood.Load(); n < int64(*parserInputs)/4 || n > int64(*parserInputs)*3/4 {
		t.Errorf("%d were understood: the inputs are too wild or too tame", n)
	}
}

// taken parses a text and reports whether it was understood; want is the request that it was written from,
// nil when it is none.
func taken(t *testing.T, n int64, text string, want *Request) bool {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("input %d, %.400q: panic %v", n, text, p)
		}
	}()
	req, no := Parse(text)
	if no != nil {
		if want != nil {
			t.Errorf("input %d, %q, of %+v is refused: %v", n, text, *want, no)
		}
		checkRefusal(t, text, no)
		return false
	}
	if want == nil {
		again, no := Parse(Format(req))
		if want = &req; no != nil || !reflect.DeepEqual(again, req) {
			t.Errorf("input %d, %q, is %+v, written %q, read as %+v, %v", n, text, req, Format(req), again, no)
		}
	}
	if !reflect.DeepEqual(req, *want) {
		t.Errorf("input %d, %q, of %+v is read as %+v", n, text, *want, req)
	}
	return true
}

// anyText is a command, one that is damaged, or no command at all.
func anyText(r *rand.Rand) (string, *Request) {
	switch r.IntN(8) {
	case 0, 1, 2:
		req := randomRequest(r)
		return Format(req), &req
	case 3, 4, 5:
		text := Format(randomRequest(r))
		for range 1 + r.IntN(3) {
			text = damaged(r, text)
		}
		return text, nil
	case 6:
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString(noise[r.IntN(len(noise))])
		}
		if r.IntN(20) == 0 {
			return strings.Repeat(b.String(), 1+r.IntN(2000)), nil
		}
		return b.String(), nil
	}
	out := make([]rune, r.IntN(60))
	for i := range out {
		out[i] = rune(r.IntN(1 << (3 + r.IntN(19)))) // control characters, all planes, and what is no character
	}
	return string(out), nil
}

// damaged puts noise over a few bytes of a text, doubles a part of it or swaps its halves.
func damaged(r *rand.Rand, text string) string {
	at := r.IntN(len(text) + 1)
	end := min(len(text), at+r.IntN(3))
	switch r.IntN(6) {
	case 0:
		return text[at:] + " " + text[:at]
	case 1:
		return text[:end] + text[at:]
	}
	return text[:at] + noise[r.IntN(len(noise))] + text[end:]
}

var noise = []string{"\"", "'", "“", "\\", "=", "&", "<", ">", "|", " ", "\u00a0", "—", "..", "/", "\x00", "\u200b", "\u202e", "\xff", "\n", "ud=", "soak", "r-", "latest", "1.2", "stop", "é", "日本", "😀",
	"vm=", "vm=3-1", "vm=0-999999999", "fd=", "zone=", "skip=vm:", "by=", "batch=", "/versions/", "https://", "to", "ok", "not", "@bo", "<@U1|bo>", "<!channel>", "<http://h|x>", "&lt;", "&amp;",
	"upgrade", "upgarde", "approve", "APPROVE ", "rest", "keep", "abort r-1", "/vmss ", "9999999999999999999999", "-1", "%", "20%", "10m", "1e9", "note=\"", "=\"\""}
