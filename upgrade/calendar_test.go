package upgrade

import (
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/window"
)

func mustWindow(name, recurrence string, length time.Duration) window.Window {
	w, err := window.New(name, "Europe/Prague", recurrence, length)
	if err != nil {
		panic(err)
	}
	return w
}

var (
	tuesdays  = mustWindow("tue-night", "0 3 * * TUE", 2*time.Hour) // of the tests' night: 02:00 to 04:00 UTC
	saturdays = mustWindow("sat", "0 8 * * SAT", 4*time.Hour)
)

func utc(day, clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", "2026-"+day+" "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

func TestACalendarKnowsTheNextMomentAtWhichSoMuchTimeIsLeft(t *testing.T) {
	both := [][]window.Window{{tuesdays, saturdays}, {tuesdays}}
	for _, row := range []struct {
		name string
		c    calendar
		now  time.Time
		need time.Duration
		want time.Time // zero = never
		ends time.Time
	}{
		{"R11 without windows and freezes: at once, without end", calendar{}, night, time.Hour, night, time.Time{}},
		{"inside of a window", calendar{windows: both}, utc("11-24", "02:30"), time.Hour, utc("11-24", "02:30"), utc("11-24", "04:00")},
		{"R10 the end of a window does not belong to it", calendar{windows: both}, utc("11-24", "04:00"), 0, utc("12-01", "02:00"), utc("12-01", "04:00")},
		{"R12 too late in this one: the next", calendar{windows: both}, utc("11-24", "03:01"), time.Hour, utc("12-01", "02:00"), utc("12-01", "04:00")},
		{"R21 a window that only one list has does not count", calendar{windows: both}, utc("11-27", "12:00"), 0, utc("12-01", "02:00"), utc("12-01", "04:00")},
		{"lists that never meet", calendar{windows: [][]window.Window{{saturdays}, {tuesdays}}}, night, 0, time.Time{}, time.Time{}},
		{"a window that is never long enough", calendar{windows: both}, night, 3 * time.Hour, time.Time{}, time.Time{}},
		{"R14 not everything starts at the same moment", calendar{windows: both, jitter: 40 * time.Second}, utc("11-24", "01:00"), 0, utc("11-24", "02:00").Add(40 * time.Second), utc("11-24", "04:00")},
		{"R11 a freeze outranks a window", calendar{windows: both, freezes: []Freeze{{Start: utc("11-23", "00:00"), End: utc("11-24", "03:00")}}}, night, 0, utc("11-24", "03:00"), utc("11-24", "04:00")},
		{"R12 what is left ends where a freeze begins", calendar{freezes: []Freeze{{Start: utc("11-24", "02:30"), End: utc("11-25", "00:00")}}}, night, time.Hour, utc("11-25", "00:00"), time.Time{}},
		{"a freeze without an end", calendar{freezes: []Freeze{{Start: utc("11-23", "00:00")}}}, night, 0, time.Time{}, time.Time{}},
		{"at= in mid-window", calendar{windows: both, after: utc("12-01", "03:00")}, night, 0, utc("12-01", "03:00"), utc("12-01", "04:00")},
	} {
		t.Run(row.name, func(t *testing.T) {
			when, o := row.c.next(row.now, row.need)
			if !when.Equal(row.want) || !o.End.Equal(row.ends) {
				t.Errorf("from %s: at %s until %s, want %s until %s", row.now, when, o.End, row.want, row.ends)
			}
		})
	}
}

func inWindows(ws ...window.Window) func(*ScaleSet, *Policy, *Wish) {
	return func(_ *ScaleSet, pol *Policy, _ *Wish) { pol.Windows = ws }
}

// windowed is a world whose policy in force has these windows and freezes, too.
func windowed(freezes []Freeze, ws ...window.Window) change {
	return func(o *Observation) { o.Policy.Windows, o.Freezes = ws, freezes }
}

func TestWindowsAndFreezesStopStartsAndNothingElse(t *testing.T) {
	agreed := begun
	opens := utc("11-27", "02:00")
	early := tale{requested, Asked{Gate: "ud-0", Asking: 1, Nonce: "n-ud-0", Expires: opens.Add(4 * time.Hour), Opens: opens}}
	friday := mustWindow("fri", "0 3 * * FRI", 2*time.Hour)
	long := mustWindow("long", "0 3 * * FRI", 20*time.Hour)
	tonight := tale{requested, Asked{Gate: "ud-0", Asking: 1, Nonce: "n-ud-0", Expires: utc("11-24", "03:40"), Closes: utc("11-24", "04:00")}}
	short := mustWindow("short", "50 2 * * TUE", 30*time.Minute)
	for _, row := range []decideRow{
		{name: "R11 inside of its window it starts", tale: agreed, plan: inWindows(tuesdays), seen: windowed(nil, tuesdays), later: 2 * time.Minute, kind: Start},
		{name: "R11 outside of it nothing starts", tale: agreed, plan: inWindows(friday), seen: windowed(nil, friday), kind: Wait, reason: ReasonWindow, says: "window fri is closed"},
		{name: "R12 nor so late that a batch and its way back do not fit", tale: agreed, plan: inWindows(tuesdays), seen: windowed(nil, tuesdays), later: time.Hour + 41*time.Minute, kind: Wait, reason: ReasonWindow, says: "may take 20 m"},
		{name: "R12 a minute before that it still does", tale: agreed, plan: inWindows(tuesdays), seen: windowed(nil, tuesdays), later: time.Hour + 39*time.Minute, kind: Start},
		{name: "R21 a policy that has become stricter holds at once", tale: agreed, plan: inWindows(tuesdays, friday), seen: windowed(nil, friday), kind: Wait, reason: ReasonWindow},
		{name: "R21 one that has become looser does not", tale: agreed, plan: inWindows(friday), seen: windowed(nil), kind: Wait, reason: ReasonWindow},
		{name: "a window of today's policy that is too short holds and says who can help", tale: agreed, plan: inWindows(tuesdays), seen: windowed(nil, short), kind: Wait, reason: ReasonWindow, says: "none that is long enough comes"},
		{name: "R11 a freeze outranks the window", tale: agreed, plan: inWindows(tuesdays), seen: windowed([]Freeze{{ID: "f-1", Start: night, End: night.Add(time.Hour), Why: "sale", Name: "eva"}}, tuesdays), kind: Wait, reason: ReasonFreeze, says: "frozen by eva: “sale”"},
		{name: "R11 a freeze of another set does not", tale: agreed, seen: windowed([]Freeze{{Sets: []string{"db-*"}, Start: night}}), kind: Start},
		{name: "R11 a freeze of the configuration", tale: agreed, seen: func(o *Observation) {
			o.Policy.Freezes = []Freeze{{Start: night, End: night.Add(time.Hour), Why: "year's end"}}
		}, kind: Wait, reason: ReasonFreeze, says: "year's end"},
		{name: "R12 a freeze that begins soon ends what is left", tale: agreed, seen: windowed([]Freeze{{Start: night.Add(10 * time.Minute), Why: "sale"}}), kind: Wait, reason: ReasonWindow, says: "the time before a freeze (sale)"},
		{name: "at= is not reached", tale: agreed, plan: func(_ *ScaleSet, _ *Policy, w *Wish) { w.After = night.Add(2 * time.Hour) }, kind: Wait, reason: ReasonWindow, says: "not to start yet"},
		{name: "R22 people are asked while the window is closed", tale: tale{requested}, plan: inWindows(friday), seen: windowed(nil, friday), kind: AskGate, reason: ReasonApproval},
		{name: "R22 who was asked for an opening that is over is asked for the next one, unasked", tale: tonight, plan: inWindows(tuesdays), seen: windowed(nil, tuesdays), later: time.Hour + 41*time.Minute, kind: AskGate, reason: ReasonApproval},
		{name: "R22 also where people agreed too late for it", tale: tale{tonight, by{"UBO", Voted{Gate: "ud-0", Asking: 1, Name: "bo"}}, by{"UBO", Granted{Gate: "ud-0", Asking: 1, Digest: webPlan(inWindows(tuesdays)).Digest, Voters: []string{"UBO"}}}}, plan: inWindows(tuesdays), seen: windowed(nil, tuesdays), later: time.Hour + 41*time.Minute, kind: AskGate, reason: ReasonApproval},
		{name: "R22 a yes that ran out while the window is open takes a person", tale: early, plan: inWindows(long), seen: windowed(nil, long), later: opens.Add(5 * time.Hour).Sub(night), kind: Hold, reason: ReasonExpired},
		{name: "R13 what is in flight is followed when the window closes", tale: tale{agreed, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}, plan: inWindows(tuesdays), seen: windowed(nil, tuesdays), later: 3 * time.Hour, kind: Wait, reason: ReasonInFlight},
		{name: "R13 what is done ends, also when the window has closed", tale: udDone(2), plan: inWindows(tuesdays), seen: windowed(nil, tuesdays), later: 3 * time.Hour, kind: End, end: OutcomeSucceeded},
		{name: "R17 a rollout that waits for its first window is not too old", tale: early, plan: inWindows(friday), seen: windowed(nil, friday), later: 48 * time.Hour, kind: Wait, reason: ReasonWindow},
	} {
		t.Run(row.name, row.run)
	}
}

func TestWhatWaitsForItsTimeSaysWhenTheYesRunsOutBefore(t *testing.T) {
	frozen := func(d time.Duration) []Freeze { return []Freeze{{ID: "f-1", Start: night, End: night.Add(d)}} }
	endless := []Freeze{{ID: "f-1", Start: night}}
	friday := mustWindow("fri", "0 3 * * FRI", 2*time.Hour)
	agreed := func(a Asked, p Plan) tale {
		a.Gate, a.Asking, a.Nonce = "ud-0", 1, "n-ud-0"
		return tale{requested, a, by{"UBO", Voted{Gate: "ud-0", Asking: 1, Name: "bo"}}, by{"UBO", Granted{Gate: "ud-0", Asking: 1, Digest: p.Digest, Voters: []string{"UBO"}}}}
	}
	life := Asked{Expires: night.Add(4 * time.Hour)}
	tonight := Asked{Opens: utc("11-24", "02:00"), Closes: utc("11-24", "04:00"), Expires: utc("11-24", "03:40")}
	for _, row := range []struct {
		name   string
		asked  Asked
		seen   change
		plan   func(*ScaleSet, *Policy, *Wish)
		lapses time.Time // zero = it is in time
		anew   bool
	}{
		{"a freeze that ends before", life, windowed(frozen(time.Hour)), nil, time.Time{}, false},
		{"a freeze that ends after it", life, windowed(frozen(5 * time.Hour)), nil, life.Expires, false},
		{"a freeze that ends the moment it runs out", life, windowed(frozen(4 * time.Hour)), nil, life.Expires, false},
		{"R22 a policy that shortens the life of a yes", life, all(windowed(frozen(time.Hour)), func(o *Observation) { o.Policy.ApprovalLife = time.Hour }), nil, night.Add(time.Hour), false},
		{"R11 a freeze before its window", tonight, windowed(frozen(time.Hour), tuesdays), inWindows(tuesdays), time.Time{}, false},
		{"R11 a freeze that leaves too little of its window", tonight, windowed(frozen(2*time.Hour+45*time.Minute), tuesdays), inWindows(tuesdays), tonight.Expires, true},
		{"a freeze that somebody must lift", life, windowed(endless), nil, life.Expires, false},
		{"R19 the file FREEZE, of whose end nobody knows", life, func(o *Observation) { o.Frozen = "storage" }, nil, life.Expires, false},
		{"R19 the file, in a time of windows", tonight, all(windowed(nil, tuesdays), func(o *Observation) { o.Frozen = "storage" }), inWindows(tuesdays), tonight.Expires, true},
		{"its window opens before", tonight, windowed(nil, tuesdays), inWindows(tuesdays), time.Time{}, false},
		{"a window that the policy got since, and that opens after it", life, windowed(nil, friday), nil, life.Expires, false},
		{"R32 an external gate that fails, nobody knows how long", life, reads(says(ProbeFail, "HTTP 503")), guarded, life.Expires, false},
		{"R32 one that tells nothing: soon it does, or somebody looks", life, reads(says(ProbeUnknown, "x")), guarded, time.Time{}, false},
		{"R32 and the yes runs out before", Asked{Expires: night.Add(time.Minute)}, reads(says(ProbeUnknown, "x")), guarded, night.Add(time.Minute), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := webPlan()
			if row.plan != nil {
				p = webPlan(row.plan)
			}
			r := agreed(row.asked, p).fold()
			seen := seenAfter(p, r)
			row.seen(&seen)
			d := Decide(p, r, seen, night)
			if d.Kind != Wait || d.Reason == ReasonApproval {
				t.Fatalf("decided %s, %s", d.Kind, d.Reason)
			}
			if b := d.Blockers[0]; !b.Lapses.Equal(row.lapses) || b.Anew != row.anew {
				t.Errorf("%s: the yes runs out at %s, asked anew: %v; want %s, %v", b.What, b.Lapses, b.Anew, row.lapses, row.anew)
			}
		})
	}
	p := webPlan()
	for soak, want := range map[time.Duration]time.Time{time.Hour: {}, 5 * time.Hour: night.Add(p.Policy.ApprovalLife)} {
		r := tale{udDone(0), granted("ud-1")}.fold()
		seen := seenAfter(p, r)
		seen.Policy.Soak = soak
		if b := Decide(p, r, seen, night).Blockers[0]; b.Reason != ReasonSoak || !b.Lapses.Equal(want) {
			t.Errorf("%s until %s: the yes runs out at %s, want %s", b.What, b.Until, b.Lapses, want)
		}
	}
	seen := seenAfter(p, tale{requested}.fold())
	seen.Freezes = endless
	if b := Decide(p, tale{requested, Asked{Gate: "ud-0", Asking: 1, Nonce: "n-ud-0", Expires: life.Expires}}.fold(), seen, night).Blockers[0]; !b.Lapses.IsZero() {
		t.Errorf("nobody has agreed, and a yes runs out at %s", b.Lapses)
	}
}

func TestAYesByDayHoldsForTheNight(t *testing.T) {
	friday := mustWindow("fri", "0 3 * * FRI", 8*time.Hour)
	p := webPlan(inWindows(friday))
	seen := seenAfter(p, tale{requested}.fold())
	seen.Policy.Windows = p.Policy.Windows
	v := looking(p, Fold("r-1", tale{requested}.events()), seen, night)
	var a Asked
	v.life(&a)
	opens := utc("11-27", "02:00")
	if a.Opens.Before(opens) || a.Opens.After(opens.Add(time.Minute)) {
		t.Errorf("R14 R22: asked for %s, want the opening %s and up to a minute", a.Opens, opens)
	}
	if want := a.Opens.Add(4 * time.Hour); !a.Expires.Equal(want) {
		t.Errorf("R22: it holds until %s, want 4 h from the opening: %s", a.Expires, want)
	}
	p.Policy.Windows = []window.Window{tuesdays}
	v = looking(p, Fold("r-1", tale{requested}.events()), seenAfter(p, tale{requested}.fold()), night.Add(90*time.Second))
	v.life(&a)
	if want := utc("11-24", "03:40"); !a.Expires.Equal(want) {
		t.Errorf("R22: it holds until %s, want the last moment a batch fits: %s", a.Expires, want)
	}
	asked := AskedAt{Asked: Asked{Opens: opens, Expires: opens.Add(4 * time.Hour)}, At: night}
	if got := asked.Until(Policy{ApprovalLife: time.Hour}); !got.Equal(opens.Add(time.Hour)) {
		t.Errorf("R21 R22: a shorter life counts from the opening, too: until %s", got)
	}
}

func TestPlansThatCouldNeverStartAreRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*ScaleSet, *Policy, *Wish)
		says   string // "" = it can be planned
	}{
		{"the window of its policy", func(_ *ScaleSet, pol *Policy, w *Wish) {
			pol.Windows, w.Window = []window.Window{tuesdays, saturdays}, "sat"
		}, ""},
		{"R15 without any", func(_ *ScaleSet, pol *Policy, w *Wish) { pol.Windows, w.Window = []window.Window{tuesdays}, "none" }, "in its windows only (tue-night)"},
		{"a window it does not have", func(_ *ScaleSet, pol *Policy, w *Wish) { pol.Windows, w.Window = []window.Window{tuesdays}, "sun" }, "It has: tue-night"},
		{"a window of a set without", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Window = "sun" }, "has no windows"},
		{"R12 windows too short for a batch and its way back", func(_ *ScaleSet, pol *Policy, w *Wish) {
			pol.Windows = []window.Window{mustWindow("x", "0 3 * * *", 15*time.Minute)}
		}, "nothing could ever start"},
		{"a time that is over", func(_ *ScaleSet, _ *Policy, w *Wish) { w.After = night }, "is over"},
		{"a time far ahead", func(_ *ScaleSet, _ *Policy, w *Wish) { w.After = night.Add(8 * 24 * time.Hour) }, "further ahead"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, pol, w := web(), webPolicy(), webWish()
			row.change(&s, &pol, &w)
			_, no := NewPlan(s, pol, w, night)
			if (no == nil) != (row.says == "") || no != nil && !strings.Contains(no.What, row.says) {
				t.Errorf("refused: %v, want %q", no, row.says)
			}
		})
	}
}

func TestAPlansWindowAndTimeAreInItsDigest(t *testing.T) {
	plain := webPlan(inWindows(tuesdays, saturdays))
	for name, change := range map[string]func(*ScaleSet, *Policy, *Wish){
		"window=": func(_ *ScaleSet, _ *Policy, w *Wish) { w.Window = "sat" },
		"at=":     func(_ *ScaleSet, _ *Policy, w *Wish) { w.After = night.Add(time.Hour) },
	} {
		if webPlan(inWindows(tuesdays, saturdays), change).Digest == plain.Digest {
			t.Errorf("R20: two plans that differ in %s have one digest", name)
		}
	}
}
