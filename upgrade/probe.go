package upgrade

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Probe is an external gate as a policy has it: something outside of Azure that says whether all is well (R32).
// (A Gate of a plan is what one yes covers.) How it is asked is the configuration's alone; Sum tells two ways of
// asking apart, and neither.
type Probe struct {
	Name     string
	Sum      string
	Patience time.Duration // how long it may tell nothing before people are called
}

// written tells two ways of asking apart, too.
func (p Probe) written() string {
	return fmt.Sprintf("%s (patience %s, asks %s)", p.Name, Span(p.Patience), p.Sum[:min(4, len(p.Sum))])
}

// ProbeState is what an external gate says.
type ProbeState string

const (
	ProbePass    ProbeState = "pass"
	ProbeFail    ProbeState = "fail"
	ProbeUnknown ProbeState = "unknown" // nothing that could be believed: never a pass
)

// Reading is what was last heard of an external gate.
type Reading struct {
	Sum   string
	State ProbeState
	Why   string        // the evidence, in a few words
	At    time.Time     // when it was asked
	Good  time.Duration // how long that is believed
}

// ProbeStatus is where an external gate of a rollout stands.
type ProbeStatus struct {
	State   ProbeState
	Why     string
	At      time.Time // since when
	Post    int       // the event of the failure that people were told of last, which names its message; 0 = none
	Over    time.Time // when it passed again; zero = it has not
	Vouched *Vouch    // a person who looked says that it passes
}

// Vouch is a person's word for an external gate. It holds for the one gate of the plan that was next, for as long as
// an approval would, and until the external gate says anything else itself.
type Vouch struct {
	Gate string
	At   time.Time
}

// probes are the external gates that bind: those of the plan and those in force. One that comes in binds at once,
// one that goes binds on (R21). The way out of trouble is not barred by what is in trouble (R5).
func (v view) probes() []Probe {
	if v.p.Action == ActionRollback {
		return nil
	}
	var out []Probe
	for _, p := range slices.Concat(v.p.Policy.Probes, v.seen.Policy.Probes) {
		if i := slices.IndexFunc(out, func(o Probe) bool { return o.Name == p.Name }); i >= 0 {
			out[i].Patience = min(out[i].Patience, p.Patience)
			continue
		}
		out = append(out, p)
	}
	return out
}

// reading is what an external gate says by now. What is old, or an answer to another question than the one that
// people agreed to, tells nothing.
func (v view) reading(name string) Reading {
	r, asked := v.seen.Gates[name]
	other := slices.ContainsFunc(slices.Concat(v.p.Policy.Probes, v.seen.Policy.Probes), func(p Probe) bool { return p.Name == name && p.Sum != r.Sum })
	switch age := v.now.Sub(r.At); {
	case !asked:
		return Reading{State: ProbeUnknown, Why: notAsked}
	case age > r.Good || age < -r.Good:
		return Reading{State: ProbeUnknown, Why: "its last answer is too old"}
	case r.State == ProbePass && other:
		return Reading{State: ProbeUnknown, Why: "it is not what it was when this was planned: the configuration was changed"}
	case r.State != ProbePass && r.State != ProbeFail:
		r.State = ProbeUnknown
	}
	return r
}

const notAsked = "it was not asked yet"

// noteProbes keeps what external gates say, and since when.
func (v view) noteProbes() []Fact {
	var facts []Fact
	probes := v.probes()
	for _, p := range probes {
		is := v.r.Probes[p.Name]
		if r := v.reading(p.Name); r.State != is.State || is.Why == notAsked && r.Why != notAsked {
			facts = append(facts, Probed{Name: p.Name, State: r.State, Why: r.Why, News: v.news(p.Name, r.State)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.r.Probes)) {
		binds := slices.ContainsFunc(probes, func(p Probe) bool { return p.Name == name })
		if !binds && v.r.Probes[name].State != ProbePass {
			facts = append(facts, Probed{Name: name, State: ProbePass, Why: "it does not bind any more"})
		}
	}
	return facts
}

// news: what fails again soon is the same trouble, and people are told in the message they have.
func (v view) news(name string, state ProbeState) bool {
	st := v.r.Probes[name]
	return state == ProbeFail && (st.Post == 0 || !st.Over.IsZero() && v.now.Sub(st.Over) >= calledAgain)
}

// probed folds what an external gate says.
func (r *Rollout) probed(f Probed, e Event) {
	st := r.Probes[f.Name]
	switch {
	case f.News:
		st.Post, st.Over = e.Seq, time.Time{}
	case f.State == ProbePass && st.Over.IsZero():
		st.Over = e.At
	case f.State == ProbeFail:
		st.Over = time.Time{}
	}
	if st.Why = f.Why; st.State != f.State {
		st.State, st.At, st.Vouched = f.State, e.At, nil
	}
	r.Probes[f.Name] = st
}

// vouch folds a person's word for external gates.
func (r *Rollout) vouch(f Resolved, at time.Time) {
	for _, name := range f.Probes {
		st := r.Probes[name]
		st.Vouched = &Vouch{f.Gate, at}
		r.Probes[name] = st
	}
}

// doubt is an external gate that does not let a start through.
type doubt struct {
	Probe
	ProbeStatus
}

// doubts are the external gates in a state, other than those that somebody vouches for. They are asked about as
// long as something is left that could start, or a success to be claimed.
func (v view) doubts(state ProbeState) []doubt {
	gate, _, open := v.r.CurrentGate(v.p)
	if !open && v.r.Count(v.p)[OK] == 0 {
		return nil
	}
	var out []doubt
	for _, p := range v.probes() {
		is, st := v.reading(p.Name), v.r.Probes[p.Name]
		if is.State != st.State { // not noted yet
			st = ProbeStatus{State: is.State, Why: is.Why, At: v.now}
		}
		if st.State == state && !v.vouched(st, gate) {
			out = append(out, doubt{p, st})
		}
	}
	return out
}

func (v view) vouched(st ProbeStatus, next Gate) bool {
	return st.Vouched != nil && st.Vouched.Gate == next.Key && v.now.Before(st.Vouched.At.Add(v.p.Policy.Tighter(v.seen.Policy).ApprovalLife))
}

// late is when the patience with an external gate is over.
func (d doubt) late() time.Time { return d.At.Add(d.Patience) }

func (v view) late(d doubt) bool { return !v.now.Before(d.late()) }

// unproven: an external gate has told nothing for too long, and a person must look (R32).
func unproven(v view) *Blocker {
	list := slices.DeleteFunc(v.doubts(ProbeUnknown), func(d doubt) bool { return !v.late(d) })
	if len(list) == 0 {
		return nil
	}
	b := doubtful(ReasonUnproven, list, "nothing tells whether %s passes", "nothing tells whether %s pass")
	b.Clears, b.Next = "the gate, once it answers, or an approver who looks", v.passedCommand()
	b.Also = v.giveUp()
	return b
}

// failing: an external gate says no. Nobody's word makes it a yes as long as something may start (R26).
func failing(v view) *Blocker {
	list := v.doubts(ProbeFail)
	if len(list) == 0 {
		return nil
	}
	b := doubtful(ReasonProbe, list, "%s fails", "%s fail")
	b.Clears, b.Next, b.Also = "what it watches, once it is well again", v.whyCommand(), v.giveUp()
	if _, _, open := v.r.CurrentGate(v.p); !open { // it only keeps the rollout from being called a success
		b.Clears, b.Next = b.Clears+", or an approver who looks", v.passedCommand()
	}
	return b.lapsing(v, time.Time{})
}

// probing: an external gate has not told anything yet, or not for a moment.
func probing(v view) *Blocker {
	list := slices.DeleteFunc(v.doubts(ProbeUnknown), v.late)
	if len(list) == 0 {
		return nil
	}
	b := doubtful(ReasonProbing, list, "nothing is heard of %s", "nothing is heard of %s")
	b.Clears = "the gate, once it answers"
	first := slices.MinFunc(list, func(a, b doubt) int { return a.late().Compare(b.late()) })
	return b.lapsing(v, first.late()) // by then it has answered, or a person must look
}

// doubtful words a blocker of external gates.
func doubtful(why Reason, list []doubt, one, many string) *Blocker {
	var names, lines []string
	for _, d := range list {
		names, lines = append(names, d.Name), append(lines, fmt.Sprintf("%s: %s, since %s", d.Name, d.Why, DateToken(d.At)))
	}
	if len(list) > 1 {
		return &Blocker{Reason: why, What: fmt.Sprintf(many, "external gates "+strings.Join(names, ", ")), Details: lines}
	}
	_, evidence, _ := strings.Cut(lines[0], ": ")
	return &Blocker{Reason: why, What: fmt.Sprintf(one, "external gate "+names[0]) + ": " + evidence}
}

func (v view) passedCommand() string {
	return fmt.Sprintf("/vmss resolve %s %s \"why\"", v.r.ID, Passes)
}

// resolveProbes believes an approver who looked at what the bot has no answer about (R1, R32). A gate that fails is
// an answer, so that nothing starts by such a word.
func (h hearing) resolveProbes() (Heard, *Refusal) {
	v := view{p: h.p, r: h.r, seen: Observation{Policy: h.pol}, now: h.now}
	gate, _, open := h.r.CurrentGate(h.p)
	var names, failing []string
	for _, p := range v.probes() {
		st := h.r.Probes[p.Name]
		switch {
		case h.early(st.At):
		case st.State == ProbeUnknown && v.late(doubt{p, st}), st.State == ProbeFail && !open:
			names = append(names, p.Name)
		case st.State == ProbeFail:
			failing = append(failing, p.Name)
		}
	}
	switch {
	case len(h.w.IDs) > 0:
		return Heard{}, Refuse(CodeArg, v.passedCommand(), "`%s` is said of external gates: leave the instances out", Passes)
	case len(names) == 0 && len(failing) > 0:
		return Heard{}, h.refuse(CodeState, "%s fails, which is an answer: nothing starts until it passes", strings.Join(failing, ", "))
	case len(names) == 0:
		return Heard{}, h.refuse(CodeState, "no external gate of %s has been without an answer for so long that it takes somebody's word", h.r.ID)
	case h.w.Reason == "":
		return Heard{}, h.reasonless()
	}
	about := "the end of " + h.p.Name
	if open {
		about = gate.Title + " of " + h.p.Name
	}
	return Heard{[]Fact{Resolved{Name: h.by.Name, Reason: h.w.Reason, Verdict: Passes, Gate: gate.Key, Probes: names}},
		fmt.Sprintf("%s: all is well, you say. That holds for %s only.", strings.Join(names, ", "), about)}, nil
}
