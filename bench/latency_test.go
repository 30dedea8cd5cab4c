package bench

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// BenchmarkLatency is how soon the bot answers and acts when a card is clicked for each domain: from
// the command to the first message, from a click to the first write that reaches Azure (the slowest
// of all cards), and from the first click, before which the model is untouched, to the first start.
func BenchmarkLatency(b *testing.B) {
	b.Run("simulated", func(b *testing.B) {
		found := figures{}
		for b.Loop() {
			bubble(b, func(t *testing.T) {
				if err := found.clicks(simulated(t, fleet(instances, domains, "web"))); err != nil {
					t.Fatal(err)
				}
			})
		}
		found.report(b)
	})
	b.Run("tcp", func(b *testing.B) {
		found := figures{}
		for b.Loop() {
			o := overTCP(b, quick, azuresim.Options{Fleet: fleet(instances, domains, "web"), Speed: speed, RetryAfter: unsaid})
			o.must(found.clicks(o.of("web")))
		}
		found.report(b)
	})
}

// clicks plays a rollout with a click for each domain.
func (f figures) clicks(s stage) error {
	_, took, err := s.opens()
	if err != nil {
		return err
	}
	f.worst("command-to-message-s", took)
	var pressed []time.Time
	var last button
	for range domains {
		if last, err = s.card(last); err != nil {
			return err
		}
		at, err := s.click(slacksim.Bo, last)
		if err != nil {
			return err
		}
		pressed = append(pressed, at)
	}
	if _, err := s.ends("succeeded"); err != nil {
		return err
	}
	return f.effects(pressed, s.writes(), s.starts())
}

// effects compares the clicks with what they caused: each a start, the first one the model, too.
func (f figures) effects(pressed []time.Time, writes, starts []azuresim.Write) error {
	if len(starts) != len(pressed) || len(writes) != len(starts)+1 {
		return fmt.Errorf("%d clicks made %d writes, %d of them starts", len(pressed), len(writes), len(starts))
	}
	for n, at := range pressed {
		effect := starts[n]
		if n == 0 {
			effect = writes[0]
			f.worst("click-to-start-s", starts[0].Time.Sub(at))
		}
		if effect.Time.Before(at) {
			return errors.New("Azure was written to before the click")
		}
		f.worst("click-to-write-s", effect.Time.Sub(at))
	}
	return nil
}

// BenchmarkAbort is how long after "aborted" was acknowledged a write of the rollout still reached
// Azure, at worst, for many moments of abort; zero = never.
func BenchmarkAbort(b *testing.B) {
	b.Run("simulated", func(b *testing.B) {
		found := figures{}
		for b.Loop() {
			for _, after := range momentsAroundWrites(b) {
				bubble(b, func(t *testing.T) {
					if err := found.abort(simulated(t, pair("web")), after); err != nil {
						t.Fatal(err)
					}
				})
			}
		}
		found.report(b)
	})
	b.Run("tcp", func(b *testing.B) {
		found := figures{}
		for b.Loop() {
			found.abortMany(overTCP(b, quick, azuresim.Options{Fleet: pair(slices.Sorted(maps.Keys(moments))...), Speed: speed, RetryAfter: unsaid}))
		}
		found.report(b)
	})
}

// pair is sets with two domains of two instances: three writes each.
func pair(sets ...string) azuresim.Fleet { return fleet(4, 2, sets...) }

// moments of abort on sockets, each with a set of its own. The model and the first start are written in
// the first third of a second after the approval, the second start three seconds later.
var moments = map[string]time.Duration{
	"a": 0, "b": 40 * time.Millisecond, "c": 80 * time.Millisecond, "d": 120 * time.Millisecond,
	"e": 160 * time.Millisecond, "f": 200 * time.Millisecond, "g": 240 * time.Millisecond, "h": 280 * time.Millisecond,
	"i": 400 * time.Millisecond, "j": 800 * time.Millisecond, "k": 1200 * time.Millisecond, "l": 1600 * time.Millisecond,
	"m": 2000 * time.Millisecond, "n": 2400 * time.Millisecond, "o": 2800 * time.Millisecond, "p": 3200 * time.Millisecond,
}

// momentsAroundWrites are moments after an approval: some seconds before each write of an undisturbed
// rollout, so that an abort that is slow is seen to be, and closer and closer to it.
func momentsAroundWrites(b *testing.B) (out []time.Duration) {
	bubble(b, func(t *testing.T) {
		s := simulated(t, pair("web"))
		_, acked, err := s.agreed()
		if err == nil {
			_, err = s.ends("succeeded")
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range s.writes() {
			for _, ms := range []int64{3000, 2500, 2200, 1000, 300, 150, 80, 40, 20, 0} {
				if at := w.Time.Sub(acked) - time.Duration(ms)*time.Millisecond; at >= 0 {
					out = append(out, at)
				}
			}
		}
	})
	return out
}

// abortMany aborts the rollout of each set at its moment, all of them side by side.
func (f figures) abortMany(o *outer) {
	var mu sync.Mutex
	var errs []error
	var people sync.WaitGroup
	for set, after := range moments {
		people.Go(func() {
			one := figures{}
			err := one.abort(o.of(set), after)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			f["last-write-s"] = max(f["last-write-s"], one["last-write-s"])
		})
	}
	people.Wait()
	o.must(errors.Join(errs...))
}

// abort plays a rollout that is aborted so long after all of it was approved.
func (f figures) abort(s stage, after time.Duration) error {
	id, approved, err := s.agreed()
	if err != nil {
		return err
	}
	time.Sleep(time.Until(approved.Add(after)))
	_, acked, err := s.command(slacksim.Bo, "abort "+id+` keep "a benchmark"`)
	if err != nil {
		return err
	}
	if _, err := s.ends("aborted"); err != nil {
		return err
	}
	f.worst("last-write-s", 0)
	for _, w := range s.writes() {
		f.worst("last-write-s", w.Time.Sub(acked))
	}
	return nil
}
