package upgrade

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/vmssbot/vmssbot/upgrade/window"
	"github.com/vmssbot/vmssbot/upgrade/window/windowtest"
)

// In every zone, around every change of its clocks from 2024 to 2030: what is approved starts inside of its
// window only, never in a freeze, never so late that a batch and its way back would not fit, and at the moment
// that was said it does start (R10-R12, R14).
func TestNothingStartsOutsideOfItsWindowWhereverClocksChange(t *testing.T) {
	r := rand.New(rand.NewPCG(2024, 2030))
	changes, starts, waits := 0, 0, 0
	tried := map[string]bool{} // zones that change alike are one
	for _, name := range windowtest.Zones(t) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for now := utc2024.In(zone); now.Year() < 2031; {
			_, end := now.ZoneBounds()
			if end.IsZero() {
				break
			}
			now = end.Add(time.Hour)
			_, was := end.Add(-time.Second).Zone()
			_, is := end.Zone()
			if key := fmt.Sprint(end.Unix(), was, is); tried[key] {
				continue
			} else {
				tried[key] = true
			}
			changes++
			for range 2 {
				n := newNight(r, zone, end)
				for range 6 {
					if n.judge(t, end.Add(time.Duration(r.IntN(96*60)-48*60)*time.Minute).Add(time.Duration(r.IntN(60))*time.Second)) {
						starts++
					} else {
						waits++
					}
				}
			}
		}
	}
	if changes < 200 || starts < 200 || waits < 200 {
		t.Errorf("only %d changes of clocks, %d starts, %d waits", changes, starts, waits)
	}
}

var utc2024 = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// windowNight is an approved rollout whose window opens about when a zone's clocks change.
type windowNight struct {
	zone         *time.Location
	hour, minute int
	length       time.Duration
	freeze       Freeze
	p            Plan
}

func newNight(r *rand.Rand, zone *time.Location, change time.Time) windowNight {
	n := windowNight{zone: zone, hour: (change.In(zone).Hour() + 24 + r.IntN(7) - 3) % 24, minute: r.IntN(60), length: time.Duration(30+r.IntN(300)) * time.Minute}
	w, err := window.New("night", zone.String(), fmt.Sprintf("%d %d * * *", n.minute, n.hour), n.length)
	if err != nil {
		panic(err)
	}
	if r.IntN(3) == 0 {
		n.freeze.Start = change.Add(time.Duration(r.IntN(48*60)-24*60) * time.Minute)
		n.freeze.End = n.freeze.Start.Add(time.Duration(r.IntN(20*60)) * time.Minute)
	}
	n.p = webPlan(inWindows(w))
	return n
}

// judge looks at one moment, and where something is to wait, at the moment that was said.
func (n windowNight) judge(t *testing.T, now time.Time) (started bool) {
	t.Helper()
	d := n.decide(now)
	switch d.Kind {
	case Start:
		n.mayStart(t, now)
		return true
	case Wait:
		for _, b := range d.Blockers {
			if b.Reason == ReasonWindow {
				if n.mightStart(now) {
					t.Fatalf("%s: at %s it waits until %s, and could start", n, now.In(n.zone), b.Until.In(n.zone))
				}
				if then := n.decide(b.Until); then.Kind != Start {
					t.Fatalf("%s: at %s it was to start at %s, and is %s(%s) then", n, now.In(n.zone), b.Until.In(n.zone), then.Kind, then.Reason)
				}
			}
		}
		return false
	}
	t.Fatalf("%s: at %s it is %s(%s)", n, now.In(n.zone), d.Kind, d.Reason)
	return false
}

func (n windowNight) decide(now time.Time) Decision {
	p := n.p
	rollout := tale{requested, granted("ud-0"), modelSet}.fold()
	for key, asked := range rollout.Asked {
		asked.At, asked.Expires = now.Add(-time.Hour), now.Add(100*time.Hour)
		rollout.Asked[key] = asked
	}
	rollout.At = now.Add(-time.Hour)
	grant := rollout.Grants["ud-0"]
	grant.Digest = p.Digest
	rollout.Grants["ud-0"] = grant
	seen := seenAfter(p, rollout)
	seen.Policy.Windows, seen.Policy.ApprovalLife = p.Policy.Windows, 100*time.Hour
	if !n.freeze.End.IsZero() {
		seen.Freezes = []Freeze{n.freeze}
	}
	return Decide(p, rollout, seen, now)
}

// mayStart judges a start with nothing of the product's calendar.
func (n windowNight) mayStart(t *testing.T, now time.Time) {
	t.Helper()
	if !n.freeze.End.IsZero() && !now.Before(n.freeze.Start) && now.Before(n.freeze.End) {
		t.Fatalf("%s: a start at %s, in a freeze", n, now.In(n.zone))
	}
	if n.left(now) < n.p.needs(n.p.Limits.Deadline) {
		t.Fatalf("%s: a start at %s, of whose window %s are left", n, now.In(n.zone), n.left(now))
	}
}

// mightStart reports whether it is long past the opening, long before the end, and far from the freeze.
func (n windowNight) mightStart(now time.Time) bool {
	frozen := !n.freeze.End.IsZero() && !now.Add(time.Hour).Before(n.freeze.Start) && !now.After(n.freeze.End)
	return !frozen && n.left(now) >= n.p.needs(n.p.Limits.Deadline) && n.left(now) <= n.length-longestJitter
}

// left is how long the window is open still: of the latest minute before at which the wall clock showed its
// time for the first time, or left it out.
func (n windowNight) left(now time.Time) time.Duration {
	for start := now.Truncate(time.Minute); now.Sub(start) < n.length; start = start.Add(-time.Minute) {
		if n.begins(start) {
			return start.Add(n.length).Sub(now)
		}
	}
	return 0
}

func (n windowNight) begins(start time.Time) bool {
	wanted := n.hour*60 + n.minute
	here, before := start.In(n.zone), start.Add(-time.Minute).In(n.zone)
	shows, showed := here.Hour()*60+here.Minute(), before.Hour()*60+before.Minute()
	leapt := showed < wanted && wanted < shows
	if here.Day() != before.Day() {
		leapt = wanted < shows || wanted > showed
	}
	if shows != wanted && !leapt {
		return false
	}
	for ago := time.Minute; ago <= 4*time.Hour; ago += time.Minute {
		then := start.Add(-ago).In(n.zone)
		if then.Day() == here.Day() && then.Hour()*60+then.Minute() == wanted {
			return false // the second time
		}
	}
	return true
}

func (n windowNight) String() string {
	return strings.TrimSpace(fmt.Sprintf("%02d:%02d for %s in %s, frozen %s to %s", n.hour, n.minute, n.length, n.zone, n.freeze.Start, n.freeze.End))
}
