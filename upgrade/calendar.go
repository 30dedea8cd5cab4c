package upgrade

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/window"
)

// Freeze is a stretch of time in which nothing is started, whatever windows and people say (R11).
type Freeze struct {
	ID    string   `json:",omitempty"` // of one that was said in Slack; "" = it stands in the configuration
	Sets  []string `json:",omitempty"` // as [Policy.Pattern], or such behind "!", which it is not for: the first that matches holds; empty = all
	Start time.Time
	End   time.Time // zero = until somebody lifts it
	Why   string
	By    string `json:",omitempty"` // user id; "" = the configuration's
	Name  string `json:",omitempty"` // of who said it, for showing
}

// Of reports whether the freeze is for the set.
func (f Freeze) Of(id SetID) bool {
	for _, s := range f.Sets {
		pattern, not := strings.CutPrefix(s, NotOf)
		if (Policy{Pattern: pattern}).Match(id) {
			return !not
		}
	}
	return len(f.Sets) == 0
}

// NotOf stands before a pattern of sets that a freeze is not for. No name can begin with it.
const NotOf = "!"

// Holds reports whether the freeze holds at t. Its end does not belong to it.
func (f Freeze) Holds(t time.Time) bool {
	return !t.Before(f.Start) && (f.End.IsZero() || t.Before(f.End))
}

func (f Freeze) String() string {
	by := ""
	if f.Name != "" {
		by = " by " + f.Name
	}
	return "frozen" + by + around(": “", f.Why, "”")
}

// Opening is a stretch of time in which something may start. End is zero where nothing ends it.
type Opening struct {
	window.Span
	Windows []string // names of the windows it lies in; empty = no window bounds it
}

// Within reports whether the opening holds at t.
func (o Opening) Within(t time.Time) bool {
	return !t.Before(o.Start) && (o.End.IsZero() || t.Before(o.End))
}

// left is how much of the opening is left from t on.
func (o Opening) left(t time.Time) time.Duration {
	if o.End.IsZero() {
		return endless
	}
	return o.End.Sub(t)
}

// endless is longer than anything lasts here.
const endless = 100 * 365 * 24 * time.Hour

// calendar says when a rollout may start something (R11).
type calendar struct {
	windows [][]window.Window // of each list one must be open; a list without windows always is
	freezes []Freeze
	after   time.Time     // nothing before it
	jitter  time.Duration // after a window's opening: not every rollout starts at once (R14)
}

// next is the first moment from t on at which so much time is left, and the opening that it lies in; zero =
// none comes.
func (c calendar) next(t time.Time, need time.Duration) (when time.Time, o Opening) {
	t = later(t, c.after)
	for range 500 { // two lists of windows may miss each other for ever
		o, then, open := c.at(t)
		if open && o.left(t) >= need {
			return t, o
		}
		if then.IsZero() {
			break
		}
		t = then
	}
	return time.Time{}, Opening{}
}

// at is the opening that t lies in, or else, and after it, when to look again; zero = never.
func (c calendar) at(t time.Time) (o Opening, then time.Time, ok bool) {
	o.Start = c.after
	for _, f := range c.freezes {
		switch {
		case f.Holds(t):
			return o, f.End, false
		case f.Start.After(t) && (o.End.IsZero() || f.Start.Before(o.End)):
			o.End = f.Start
		}
	}
	for _, list := range c.windows {
		if len(list) == 0 {
			continue
		}
		span, name, open := openOf(list, t)
		if !open {
			return o, opensNext(list, t), false
		}
		if start := span.Start.Add(c.jitter); t.Before(start) {
			return o, start, false
		}
		o.Start = later(o.Start, span.Start)
		if o.End.IsZero() || span.End.Before(o.End) {
			o.End = span.End
		}
		if !slices.Contains(o.Windows, name) {
			o.Windows = append(o.Windows, name)
		}
	}
	return o, o.End, true
}

// openOf is the window that is open at t; of several the one that closes last.
func openOf(list []window.Window, t time.Time) (span window.Span, name string, open bool) {
	for _, w := range list {
		if s, ok := w.At(t); ok && s.End.After(span.End) {
			span, name, open = s, w.Name, true
		}
	}
	return span, name, open
}

// opensNext is when the next window of the list opens; zero = never.
func opensNext(list []window.Window, t time.Time) (first time.Time) {
	for _, w := range list {
		if s, ok := w.Next(t); ok && (first.IsZero() || s.Start.Before(first)) {
			first = s.Start
		}
	}
	return first
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// longestJitter is how long after an opening the last rollout begins (R14).
const longestJitter = time.Minute

// jitterOf spreads rollouts over it, each always the same.
func jitterOf(rollout string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(rollout))
	return time.Duration(h.Sum32()%uint32(longestJitter/time.Second)) * time.Second
}

// windows are those that the plan may start in: the one that was named, or all of its policy.
func (p Plan) windows() []window.Window { return chosen(p.Policy.Windows, p.Window) }

func chosen(list []window.Window, name string) []window.Window {
	if name == "" {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(w window.Window) bool { return w.Name != name })
}

// timetable is the plan's calendar under the policy in force: its own windows and those of today (R21). A
// rollback is exempt from windows, as it leads out of trouble, but not from freezes (R5).
func (p Plan) timetable(rollout string, inForce Policy, said []Freeze) calendar {
	c := calendar{after: p.After, freezes: slices.DeleteFunc(slices.Concat(inForce.Freezes, said), func(f Freeze) bool { return !f.Of(p.Set) })}
	if p.Action != ActionRollback {
		c.windows, c.jitter = [][]window.Window{p.windows(), inForce.Windows}, jitterOf(rollout)
	}
	return c
}

// Opening is the first one in which the plan could start, as things stood when it was made, and when that is.
// It leaves out freezes that were said in Slack.
func (p Plan) Opening() (when time.Time, o Opening) {
	return p.timetable("", p.Policy, nil).next(p.At, p.needs(p.Limits.Deadline))
}

// Then is the opening after o, and whether the plan's rollout still lives then; zero = none comes.
func (p Plan) Then(when time.Time, o Opening) (next time.Time, lives bool) {
	next, _ = p.timetable("", p.Policy, nil).next(o.End, p.needs(p.Limits.Deadline))
	return next, next.Sub(when) < p.Policy.WholeLife
}

func (v view) timetable() calendar { return v.p.timetable(v.r.ID, v.seen.Policy, v.seen.Freezes) }

// needs is what must be left of an opening before a batch starts (R12): its instances have until their
// deadline, and a batch of the way back takes as long again as one usually does.
func (p Plan) needs(deadline time.Duration) time.Duration {
	one := cmp.Or(p.Batch, usual)
	return max(one, deadline) + one
}

// answering is how long people have at least to say yes before what they are asked for does not fit any more.
const answering = 10 * time.Minute

// life fills in how long a yes that is asked for now holds: from the opening on in which the gate would start,
// so that people can agree by day for the night (R22).
func (v view) life(a *Asked) {
	c, need := v.timetable(), v.p.needs(v.deadline())
	when, o := c.next(v.now, need+answering)
	if when.IsZero() { // no opening leaves more than a batch needs: whoever is asked now has till then
		when, o = c.next(v.now, need)
	}
	if when.After(v.now) {
		a.Opens = when
	}
	a.Closes = o.End
	a.Expires = v.p.until(*a, v.now, v.p.Policy.Tighter(v.seen.Policy).ApprovalLife, v.deadline())
}

// until is when a yes runs out: after its life, and never past the last moment at which a batch fits (R22).
func (p Plan) until(a Asked, now time.Time, life, deadline time.Duration) time.Time {
	end := later(now, a.Opens).Add(life)
	if last := a.Closes.Add(-p.needs(deadline)); !a.Closes.IsZero() && last.Before(end) {
		return last
	}
	return end
}

// freeze: nothing is started while the file lies there, or a freeze holds, which outranks windows, approvals
// and schedules (R11, R19).
func freeze(v view) *Blocker {
	if v.seen.Frozen != "" {
		return Blocker{Reason: ReasonFreeze, What: "everything is frozen: " + v.seen.Frozen, Clears: "whoever runs the bot, by removing the file FREEZE, or making it readable", Next: v.whyCommand()}.lapsing(v, time.Time{})
	}
	var holds []Freeze
	for _, f := range v.timetable().freezes {
		if f.Holds(v.now) {
			holds = append(holds, f)
		}
	}
	if len(holds) == 0 {
		return nil
	}
	last := slices.MaxFunc(holds, func(a, b Freeze) int { return cmp.Compare(ends(a), ends(b)) })
	b := Blocker{Reason: ReasonFreeze, What: last.String(), Clears: "its end, or whoever runs the bot", Until: last.End}
	if last.ID != "" {
		b.Clears, b.Next = "its end, or a requester or approver", "/vmss unfreeze "+last.ID
	}
	when, _ := v.timetable().next(v.now, v.p.needs(v.deadline()))
	return b.lapsing(v, when)
}

func ends(f Freeze) int64 {
	if f.End.IsZero() {
		return 1<<63 - 1
	}
	return f.End.UnixNano()
}

// outside: outside of its windows nothing starts, nor so shortly before one closes that a batch and its way
// back would not fit (R11, R12). What is in flight then finishes (R13).
func outside(v view) *Blocker {
	if _, _, open := v.r.CurrentGate(v.p); !open { // nothing is left to start: the end needs no window
		return nil
	}
	c, need := v.timetable(), v.p.needs(v.deadline())
	when, _ := c.next(v.now, need)
	now, _, open := c.at(v.now)
	if when.Equal(v.now) || !open && freeze(v) != nil { // a freeze says it itself
		return nil
	}
	b := Blocker{Reason: ReasonWindow, Clears: "time", Until: when}
	switch {
	case v.now.Before(v.p.After):
		b.What = "it is not to start yet"
	case open:
		b.What = fmt.Sprintf("%s ends at %s: a batch and its way back may take %s, which does not fit any more", c.ending(now), DateToken(now.End), minutes(need))
	default:
		b.What = windowsOf(slices.Concat(c.windows...)) + " closed"
	}
	if when.IsZero() {
		b.What += "; none that is long enough comes"
		b.Clears, b.Next, b.Also = "whoever runs the bot, by another window in the policy", "/vmss show "+v.p.Name+" policy", v.giveUp()
	}
	return b.lapsing(v, when)
}

// ending is what ends an opening: a window, or a freeze that begins.
func (c calendar) ending(o Opening) string {
	for _, f := range c.freezes {
		if f.Start.Equal(o.End) {
			return "the time before a freeze (" + f.Why + ")"
		}
	}
	return "window " + strings.Join(o.Windows, " and ")
}

func windowsOf(list []window.Window) string {
	var names []string
	for _, w := range list {
		if !slices.Contains(names, w.Name) {
			names = append(names, w.Name)
		}
	}
	if len(names) == 1 {
		return "window " + names[0] + " is"
	}
	return "windows " + strings.Join(names, ", ") + " are"
}

// schedulable refuses a plan that could never start for want of time.
func schedulable(s ScaleSet, p Plan, now time.Time) *Refusal {
	policy := "/vmss show " + s.Name + " policy"
	var names []string
	for _, w := range p.Policy.Windows {
		names = append(names, w.Name)
	}
	list := strings.Join(names, ", ")
	switch {
	case p.Window != "" && len(names) == 0:
		return Refuse(CodeArg, policy, "%s has no windows: it may start at any time. Leave window= out", s.Name)
	case p.Window == noWindow:
		return Refuse(CodePolicy, policy, "%s is changed in its windows only (%s): another policy, or a freeze that is lifted, is the only way around (R15)", s.Name, list)
	case p.Window != "" && len(p.windows()) == 0:
		return Refuse(CodeArg, policy, "%s has no window %s. It has: %s", s.Name, p.Window, list)
	case !p.After.IsZero() && !p.After.After(now):
		return Refuse(CodeArg, "", "at= names a time that is over. Leave it out to start as soon as people agree")
	case p.After.Sub(now) > p.Policy.WholeLife:
		return Refuse(CodeArg, "", "at= is further ahead than a rollout lives (%s). Smallest change: plan it later", p.Policy.WholeLife)
	}
	deadline := p.Limits.Deadline
	if s.ImageNotice {
		deadline += 15 * time.Minute
	}
	need := p.needs(deadline) + longestJitter
	if when, _ := p.timetable("", p.Policy, nil).next(now, need); when.IsZero() {
		return Refuse(CodePolicy, policy, "no window of %s leaves a batch and its way back the %s they may take: nothing could ever start. Smallest change: a window of %s in the set's policy", s.Name, minutes(need), minutes(need))
	}
	return nil
}

// noWindow is what somebody types who wants none.
const noWindow = "none"
