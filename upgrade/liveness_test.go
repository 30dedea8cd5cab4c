package upgrade

import (
	"strings"
	"testing"
	"time"
)

// TestR1FromWhereverARolloutStandsPeopleLeadItToAnEnd lets the world come to rest after a random history and
// people do what each hold says: it must end.
func TestR1FromWhereverARolloutStandsPeopleLeadItToAnEnd(t *testing.T) {
	for seed := range *seeds {
		w := newWalk(t, seed)
		w.open()
		for range 20 + w.rng.Intn(100) {
			w.step()
		}
		if Fold("r-1", w.events).Ended != nil {
			continue
		}
		w.calm = true
		if last := w.cured(300); last.Kind != End && last.Kind != Nothing {
			t.Fatalf("seed %d never ends: %s %q: %s; the journal: %s", seed, last.Kind, last.Reason, last.Text, w.story())
		}
	}
}

// cured makes passes until the end, at most so many, and returns the last decision.
func (w *walk) cured(most int) (d Decision) {
	for range most {
		if d = w.cure(); d.Kind == End || d.Kind == Nothing {
			break
		}
	}
	return d
}

// cure is one pass in a world at rest, with people who do what is asked of them.
func (w *walk) cure() Decision {
	w.now = w.now.Add(time.Minute)
	w.rest()
	w.pol, w.rights = webPolicy(), map[string]string{"UBO": "", "UEVA": ""}
	r := Fold("r-1", w.events)
	s := w.set
	s.Capacity = len(s.Instances)
	seen := Observation{Set: &s, Policy: w.pol, Pace: DefaultPace(), Rights: w.rights}
	if r.Op != nil && r.Op.State == StateAccepted {
		seen.Op = &OpReading{Done: true, OK: true}
	}
	w.add("", Note(w.p, r, seen, w.now)...)
	d := Decide(w.p, Fold("r-1", w.events), seen, w.now)
	switch d.Kind {
	case Wait, Hold:
		w.obey(d)
	default:
		w.do(d)
	}
	return d
}

// say is what people say by themselves, with a reason: whoever may, does.
func (w *walk) say(word Word, whos ...Person) {
	word.Reason = "why"
	for _, who := range whos {
		heard, no := Hear(word, who, nil, w.p, Fold("r-1", w.events), w.pol, w.now)
		w.add(who.ID, heard.Facts...)
		if no == nil && word.Plan != nil {
			w.p = *word.Plan
		}
	}
}

// obey does what the first blocker wants of people.
func (w *walk) obey(d Decision) {
	r := Fold("r-1", w.events)
	switch d.Reason {
	case ReasonApproval:
		w.say(Word{Verb: WordApprove}, eva, bo)
	case ReasonPaused:
		w.say(Word{Verb: WordResume}, bo)
	case ReasonDenied, ReasonExpired:
		w.say(Word{Verb: WordAsk}, bo)
	case ReasonUnclear:
		w.say(Word{Verb: WordResolve, Verdict: IsOK, IDs: r.In(Unclear)}, bo)
	case ReasonUnknown:
		w.say(Word{Verb: WordResolve, Verdict: []Verdict{Started, NotStarted}[w.rng.Intn(2)]}, bo)
	case ReasonModel:
		w.say(Word{Verb: WordModel, Answer: Revert}, bo)
	case ReasonFailure:
		if ids := r.In(Broken); len(ids) > 0 && w.one(2) {
			w.say(Word{Verb: WordQuarantine, IDs: ids}, bo)
		} else {
			w.say(Word{Verb: WordRetry}, bo)
		}
	case ReasonDrift:
		w.adrift(d.Blockers[0].Next)
	}
}

func (w *walk) adrift(next string) {
	q, no := Replan(w.p, Fold("r-1", w.events), w.set, w.pol, w.now)
	switch {
	case strings.Contains(next, "resolve"):
		w.say(Word{Verb: WordResolve, Verdict: NotStarted}, bo)
	case no == nil:
		w.say(Word{Verb: WordReplan, Plan: &q}, bo)
	default:
		w.say(Word{Verb: WordAbort}, bo)
	}
}
