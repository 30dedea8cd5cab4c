package upgrade

import (
	"flag"
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"time"
)

// walk is one random history: what is decided is done, and in between people say things, Azure
// answers or does not, processes die, and the set changes by itself.
type walk struct {
	t      *testing.T
	rng    *rand.Rand
	p      Plan
	pol    Policy // in force
	events []Event
	now    time.Time
	set    ScaleSet
	rights map[string]string
	op     int
	did    map[DecisionKind]int
	born   int
	calm   bool // nothing gets lost any more
}

var seeds = flag.Int64("seeds", 300, "random histories")

// TestRandomHistories checks every decision of thousands of random histories against the journal
// itself, read by other code than the fold: R2, R3, R20-R24, R26, R27, R34, R42, R46, R48.
func TestRandomHistories(t *testing.T) {
	did := map[DecisionKind]int{}
	for seed := range *seeds {
		w := newWalk(t, seed)
		w.did = did
		if seed%2 == 0 {
			w.p.Policy.OnFailure, w.pol.OnFailure = QuarantineOnFailure, QuarantineOnFailure
			w.p.Limits.OnFailure = []OnFailure{QuarantineOnFailure, QuarantineOnFailure, AbortOnFailure, RollbackOnFailure}[seed/2%4]
		}
		w.open()
		for step := range 150 {
			w.step()
			if t.Failed() {
				t.Fatalf("seed %d, step %d; the journal: %s", seed, step, w.story())
			}
		}
	}
	for _, kind := range []DecisionKind{Nothing, Wait, Hold, Drop, Resend, AskGate, AskModel, SetModel, Start, PutBack, SetAside, GiveUp, End} {
		if did[kind] < int(*seeds/60) {
			t.Errorf("%s was decided %d times only: this test shows too little", kind, did[kind])
		}
	}
}

// ways are the plans that histories are told of: every order, selections, and a resize.
var ways = []func(*Wish){
	func(*Wish) {},
	func(w *Wish) { w.Order.Canary = 1 },
	func(w *Wish) { w.Order.By = ByZone },
	func(w *Wish) { w.Order = Order{By: ByFaultDomain, Batch: Limit{N: 1}} },
	func(w *Wish) { w.Order = Order{By: ByBatch, Batch: Limit{N: 4}, Canary: 2} },
	func(w *Wish) {
		w.Which, w.Order.By = Selection{UpdateDomains: []int{0, 1}, Skip: []string{"3"}}, ByBatch
	},
	func(w *Wish) { w.Which.Zones = []string{"1", "3"} },
	func(w *Wish) { w.Target = Target{Setting: Setting{Size: "Standard_D4s_v5"}} },
}

// newWalk is a history that has not begun: the set is in zones and has a size.
func newWalk(t *testing.T, seed int64) *walk {
	w := &walk{t: t, rng: rand.New(rand.NewSource(seed)), pol: webPolicy(), now: night, set: web(), rights: map[string]string{"UBO": "", "UEVA": ""}, did: map[DecisionKind]int{}}
	zoned(&w.set)
	sized(&w.set)
	w.p = webPlan(func(s *ScaleSet, _ *Policy, wish *Wish) { *s = w.set; ways[seed/3%int64(len(ways))](wish) })
	w.set.Instances = slices.Clone(w.set.Instances)
	w.p.Limits.MaxFailures, w.p.Policy.MaxFailures, w.pol.MaxFailures = int(seed%3), 2, 2
	return w
}

func (w *walk) open() {
	w.p.Digest = w.p.digest()
	w.add("UANA", Requested{Digest: w.p.Digest, Name: "ana"})
}

func (w *walk) story() (out string) {
	for _, e := range w.events {
		out += fmt.Sprintf("\n  %s %s %s %+v", e.At.Sub(night), e.By, FactKind(e.Fact), e.Fact)
	}
	return out
}

func (w *walk) one(in int) bool { return w.rng.Intn(in) == 0 }

func (w *walk) add(who string, facts ...Fact) {
	events := At(w.now, who, facts...)
	number(events, len(w.events))
	w.events = append(w.events, events...)
}

func (w *walk) step() {
	w.now = w.now.Add([]time.Duration{0, time.Second, 10 * time.Second, time.Minute, 6 * time.Minute, 10 * time.Second, 20 * time.Second}[w.rng.Intn(7)])
	if w.one(20) {
		w.now = w.now.Add(time.Duration(w.rng.Intn(5)) * time.Hour)
	}
	if w.one(2) {
		w.nature()
	}
	if w.one(3) {
		w.people()
	}
	r := Fold("r-1", w.events)
	seen := w.observe(r)
	w.add("", Note(w.p, r, seen, w.now)...)
	r = Fold("r-1", w.events)
	before := Fold("r-1", w.events)
	d := Decide(w.p, r, seen, w.now)
	if again := Decide(w.p, Fold("r-1", w.events), seen, w.now); !reflect.DeepEqual(d, again) {
		w.t.Errorf("decided %+v, then %+v", d, again)
	}
	r.With(At(w.now, "UBO", Looked{Op: "op"}, asked("ud-0"), InstanceSeen{ID: "0"})...)
	if !reflect.DeepEqual(r, before) {
		w.t.Error("Decide or With changed the rollout")
	}
	w.did[d.Kind]++
	checkDecision(w.t, d)
	w.check(d, seen)
	w.do(d)
}

// nature changes the set, the policy and people's rights.
func (w *walk) nature() {
	i := &w.set.Instances[w.rng.Intn(len(w.set.Instances))]
	switch w.rng.Intn(28) {
	case 0:
		i.Health = []Health{Healthy, Unhealthy, UnknownState}[w.rng.Intn(3)]
	case 1:
		i.Provisioning = []Provisioning{Succeeded, Updating, Failed}[w.rng.Intn(3)]
	case 2:
		if len(w.set.Instances) > 3 && w.one(3) {
			w.set.Instances = slices.DeleteFunc(slices.Clone(w.set.Instances), func(x Instance) bool { return x.ID == i.ID })
		}
	case 3:
		i.Protected = !i.Protected
	case 4:
		if w.one(4) {
			w.set.Model.Image = []Image{v1, v2, version("3.0")}[w.rng.Intn(3)]
		}
	case 5:
		w.set.Model.Sections = map[Section]string{SectionOSProfile: "a", SectionNetwork: "b", SectionExtensions: []string{"c", "d"}[w.rng.Intn(2)]}
	case 6:
		w.rights["UBO"] = []string{"", "", "an approver"}[w.rng.Intn(3)]
	case 7:
		w.pol.Approvals = 1 + w.rng.Intn(2)
	case 8:
		w.pol.MaxUnavailable = Limit{N: w.rng.Intn(4)}
	case 9:
		delete(w.rights, "UEVA")
	case 10:
		w.rights["UEVA"] = ""
	case 11:
		i.Image, i.Size = runs(v2), "Standard_D4s_v5"
	case 24:
		if w.one(4) {
			i.UpdateDomain, i.FaultDomain, i.Zone = w.rng.Intn(5)-1, w.rng.Intn(3)-1, []string{"", "1", "2", "3"}[w.rng.Intn(4)]
		}
	case 25:
		if w.one(4) {
			w.set.Model.Size = []string{"Standard_D2s_v5", "Standard_D4s_v5", ""}[w.rng.Intn(3)]
		}
	case 26:
		i.Spot, i.Power = w.one(2), []Power{Running, Deallocated, Stopped, ""}[w.rng.Intn(4)]
	case 27:
		if w.born < 3 && w.one(4) {
			w.born++
			w.set.Instances = append(slices.Clone(w.set.Instances), Instance{ID: fmt.Sprint(9 + w.born), Zone: "1", Image: runs(v1), Provisioning: Succeeded, Power: Running, Health: Healthy})
		}
	case 12, 13, 14, 15, 16, 17: // things settle
		w.rest()
		w.pol, w.rights = webPolicy(), map[string]string{"UBO": "", "UEVA": ""}
		w.pol.OnFailure = w.p.Policy.OnFailure
	}
}

// rest lets every instance serve.
func (w *walk) rest() {
	for n := range w.set.Instances {
		w.set.Instances[n].Provisioning, w.set.Instances[n].Power, w.set.Instances[n].Health = Succeeded, Running, Healthy
	}
}

// people says something random; Hear alone decides what comes of it.
func (w *walk) people() {
	who := []Person{ana, bo, eva, bo, eva, stray}[w.rng.Intn(6)]
	word := Word{Verb: []WordVerb{WordApprove, WordApprove, WordApprove, WordApprove, WordDeny, WordPause, WordResume, WordResume, WordAsk, WordAsk, WordModel, WordAbort}[w.rng.Intn(12)],
		Rest: w.one(4), Reason: "why", Answer: []ModelAnswer{"", "", Keep, Revert}[w.rng.Intn(4)]}
	if word.Verb == WordAbort && w.one(2) {
		return
	}
	if w.one(4) {
		word = w.wayOut()
	}
	if word.Verb == WordReplan && word.Plan == nil {
		return // there is no other plan
	}
	heard, no := Hear(word, who, nil, w.p, Fold("r-1", w.events), w.pol, w.now)
	if no != nil && len(heard.Facts) > 0 {
		w.t.Errorf("I17: %s was refused and recorded", word.Verb)
	}
	w.add(who.ID, heard.Facts...)
	if word.Verb == WordReplan && no == nil {
		w.p = *word.Plan
	}
}

// wayOut is a word about what went wrong, or did not.
func (w *walk) wayOut() Word {
	word := Word{Reason: "why", Verb: []WordVerb{WordRetry, WordRetry, WordSkip, WordQuarantine, WordResolve, WordResolve, WordReplan, WordRollback}[w.rng.Intn(8)],
		Verdict: []Verdict{Started, NotStarted, IsOK, IsFailed}[w.rng.Intn(4)]}
	if w.one(2) {
		word.IDs = []string{fmt.Sprint(w.rng.Intn(6))}
	}
	switch word.Verb {
	case WordRollback:
		if !w.one(6) {
			word.Verb = WordRetry
		}
	case WordReplan:
		if q, no := Replan(w.p, Fold("r-1", w.events), w.set, w.pol, w.now); no == nil {
			word.Plan = &q
		}
	}
	return word
}

func (w *walk) observe(r Rollout) Observation {
	s := w.set
	s.Instances = slices.Clone(s.Instances)
	s.Capacity = len(s.Instances)
	seen := Observation{Set: &s, Policy: w.pol, Pace: DefaultPace(), Rights: w.rights}
	switch {
	case w.one(30):
		seen.Set, seen.Missing = nil, "read web: unavailable"
	case w.one(40):
		s.Instances = nil
	case w.one(40):
		seen.Throttled = w.now.Add(time.Minute)
	}
	if r.Op != nil && r.Op.State == StateAccepted && w.one(2) {
		seen.Op = &OpReading{Done: true, OK: !w.one(5), Code: "C"}
	}
	return seen
}

// do is the engine and Azure in one: the writes happen, are refused, get lost on either way, or the
// process dies before or after them.
func (w *walk) do(d Decision) {
	r := Fold("r-1", w.events)
	w.op++
	op := Operation{ID: fmt.Sprint("op-", w.op), Set: w.p.Set, Gate: d.Gate, Digest: w.p.Digest, Asking: r.Grants[d.Gate].Asking, To: w.p.Target.Setting, Instances: d.Batch}
	switch d.Kind {
	case AskGate:
		a := Asked{Gate: d.Gate, Asking: r.Askings[d.Gate] + 1, Nonce: fmt.Sprint("n", w.op), Expires: w.now.Add(4 * time.Hour), Instances: r.asks(w.p, d.Gate)}
		if len(ChangedSections(w.p, w.set)) > 0 {
			a.Sections = w.set.Model.Sections
		}
		w.add("", a)
		return
	case AskModel:
		w.add("", ModelAsked{Nonce: fmt.Sprint("m", w.op)})
		return
	case Drop:
		w.add("", Dropped{Op: r.Op.ID})
		return
	case SetAside:
		w.add("", Quarantined{IDs: d.Batch, Reason: d.Text})
		return
	case GiveUp:
		w.add("", AbortAsked{Name: "the plan", Reason: d.Text, Rollback: w.p.Limits.OnFailure == RollbackOnFailure})
		return
	case End:
		if w.one(3) { // else the history goes on as if nothing had ended, which is harder
			w.add("", Ended{Outcome: d.Outcome})
		}
		return
	case SetModel:
		op.Kind = OpModel
	case PutBack:
		op.Kind, op.To = OpRevert, r.Model.Previous
	case Start:
		op.Kind, op.Batch = OpUpgrade, len(r.Batches)+1
		if i, _ := w.set.Instance(d.Batch[0]); w.p.Target.Size == "" && w.p.Target.Current(i) {
			op.Kind = OpReimage
		}
	case Resend:
		op.Kind, op.Batch, op.Resend = OpUpgrade, len(r.Batches), true
		if r.Op != nil {
			w.add("", Settled{Op: r.Op.ID, Code: "UnknownOutcome"})
		}
	default:
		return
	}
	w.add("", Intended{op})
	if w.calm {
		w.add("", Sending{op.ID})
		w.apply(op)
		w.add("", Accepted{Op: op.ID})
		return
	}
	if w.one(12) {
		return // died before it was sent
	}
	w.add("", Sending{op.ID})
	switch w.rng.Intn(9) {
	case 0:
		w.add("", Refused{Op: op.ID, Code: "C", Until: w.now.Add(time.Minute)})
	case 1:
		if w.one(8) {
			w.add("", Refused{Op: op.ID, Code: "C"})
			return
		}
		w.apply(op)
	case 2, 3: // it never arrived, and nobody knows
	case 4: // it arrived, and nobody knows
		w.apply(op)
	default:
		w.apply(op)
		w.add("", Accepted{Op: op.ID})
	}
}

func (w *walk) apply(op Operation) {
	switch {
	case op.Kind.OnInstances():
		for n := range w.set.Instances {
			if i := &w.set.Instances[n]; slices.Contains(op.Instances, i.ID) && !w.one(4) {
				i.Image, i.Size = runs(w.set.Model.Image), w.set.Model.Size
			}
		}
	case op.To == (Setting{}):
		w.t.Errorf("R37: nothing is written to the model by %s", op.ID)
	case op.To.Size != "":
		w.set.Model.Size = op.To.Size
	default:
		w.set.Model.Image = op.To.Image
	}
}

// check compares a decision with what the journal allows. It reads the events, not the fold.
func (w *walk) check(d Decision, seen Observation) {
	last := func(kind string) int {
		at := -1
		for n, e := range w.events {
			if FactKind(e.Fact) == kind {
				at = n
			}
		}
		return at
	}
	flying := w.flying()
	switch d.Kind {
	case Start, SetModel, Resend:
	case PutBack:
		if flying != "" || seen.Set == nil || !w.p.Target.Named(seen.Set.Model) || (last("AbortAsked") < 0 && last("ModelAsked") < 0) {
			w.t.Errorf("R4: put back while %q is in flight, the model is %v", flying, seen.Set)
		}
		return
	case End:
		if flying != "" {
			w.t.Errorf("I7: ended while %q is in flight", flying)
		}
		return
	default:
		return
	}
	switch {
	case last("Ended") >= 0 || last("Unread") >= 0 || last("AbortAsked") >= 0:
		w.t.Errorf("R3, R9: %s after an abort or the end", d.Kind)
	case last("Paused") > last("Resumed"):
		w.t.Errorf("R2: %s while paused", d.Kind)
	case last("Denied") > max(last("Asked"), last("AskedAgain")):
		w.t.Errorf("R24: %s while denied", d.Kind)
	case seen.Set == nil || len(seen.Set.Instances) == 0:
		w.t.Errorf("R46: %s on an incomplete reading", d.Kind)
	case w.now.Before(seen.Throttled):
		w.t.Errorf("R39: %s while throttled", d.Kind)
	case w.now.Sub(night) >= 7*24*time.Hour:
		w.t.Errorf("R17: %s of an expired rollout", d.Kind)
	case flying != "" && d.Kind != Resend:
		w.t.Errorf("I1: %s while %q is in flight", d.Kind, flying)
	case (d.Kind == SetModel) == w.p.Target.Named(seen.Set.Model):
		w.t.Errorf("R34, R41: %s while the model is %+v", d.Kind, seen.Set.Model)
	case w.p.Beside != (Setting{}) && !w.p.Beside.of(seen.Set.Model).Same(w.p.Beside):
		w.t.Errorf("R34: %s while what would come along is %s, not %s", d.Kind, w.p.Beside.of(seen.Set.Model), w.p.Beside)
	default:
		w.checkCovered(d)
		w.checkBatch(d, seen)
	}
}

// flying is the operation without an end, "" if there is none.
func (w *walk) flying() string {
	id := ""
	for _, e := range w.events {
		switch f := e.Fact.(type) {
		case Intended:
			id = f.Op.ID
		case Settled, Refused, Dropped:
			if opOf(f) == id {
				id = ""
			}
		}
	}
	return id
}

// checkCovered: since the gate was last asked, enough people who still may have said yes in time, and
// the plan they agreed to is this one.
func (w *walk) checkCovered(d Decision) {
	voters := map[string]bool{}
	var asked *Asked
	var at time.Time
	agreed := false
	for _, e := range w.events {
		switch f := e.Fact.(type) {
		case Asked:
			if f.Gate == d.Gate {
				asked, at, agreed, voters = &f, e.At, false, map[string]bool{}
			}
		case AskedAgain:
			if f.Gate == d.Gate {
				asked, agreed, voters = nil, false, map[string]bool{}
			}
		case Replanned:
			asked, agreed, voters = nil, false, map[string]bool{}
		case Retried:
			if slices.Contains(f.Gates, d.Gate) {
				asked, agreed, voters = nil, false, map[string]bool{}
			}
		case Voted:
			if f.Gate == d.Gate {
				voters[e.By] = true
			}
		case Granted:
			agreed = agreed || f.Gate == d.Gate && f.Digest == w.p.Digest
		case Denied:
			agreed = agreed && f.Gate != d.Gate
		}
	}
	valid := 0
	for who := range voters {
		if why, known := w.rights[who]; known && why == "" && who != "UANA" {
			valid++
		}
	}
	if asked == nil || !agreed || valid < max(1, w.pol.Approvals) || !w.now.Before(at.Add(4*time.Hour)) {
		w.t.Errorf("R20-R24, I2: %s of %s without a grant: asked %+v, agreed %v, %d valid of %v", d.Kind, d.Gate, asked, agreed, valid, voters)
	}
	if asked != nil {
		shown := asked.Sections
		if shown == nil {
			shown = w.p.Sections
		}
		if !reflect.DeepEqual(shown, w.set.Model.Sections) {
			w.t.Errorf("R34: %s of %s: people saw %v, the model says %v", d.Kind, d.Gate, shown, w.set.Model.Sections)
		}
	}
}

// checkBatch: named instances of the gate, present, outdated, not taken before, within the limits.
func (w *walk) checkBatch(d Decision, seen Observation) {
	if d.Kind == SetModel {
		return
	}
	gate, _ := w.p.Gate(d.Gate)
	sent, retried, shown := map[string]int{}, map[string]bool{}, gate.IDs()
	for n, e := range w.events {
		switch f := e.Fact.(type) {
		case Intended:
			for _, id := range f.Op.Instances {
				sent[id] += bit(w.reached(n, f.Op.ID))
			}
		case Asked: // a new yes: each instance may be sent once more
			if f.Gate != d.Gate {
				continue
			}
			if shown = gate.IDs(); f.Instances != nil {
				shown = f.Instances
			}
			if d.Kind != Resend {
				clear(sent)
			}
		case Retried:
			for _, id := range f.IDs {
				retried[id] = true
			}
		case Skipped:
			for _, id := range f.IDs {
				sent[id] = 99
			}
		case Quarantined:
			for _, id := range f.IDs {
				sent[id] = 99
			}
		}
	}
	down, well := seen.Set.Unavailable(), 0
	for _, id := range d.Batch {
		i, present := seen.Set.Instance(id)
		if !present || !slices.Contains(shown, id) || w.p.Target.Current(i) && !retried[id] {
			w.t.Errorf("I4, R42: %s of instance %s, which is not an outdated one of %s that people were asked for (%v)", d.Kind, id, gate.Title, shown)
		}
		if d.Kind == Start && sent[id] > 0 || d.Kind == Resend && sent[id] < 1 {
			w.t.Errorf("I7, R48: %s of instance %s, which was sent %d times", d.Kind, id, sent[id])
		}
		if i.Available() {
			well++
		}
	}
	limit := min(w.p.Limits.MaxUnavailable, w.pol.MaxUnavailable.N)
	switch {
	case len(d.Batch) == 0:
		w.t.Errorf("R42: %s of nothing, which means everything", d.Kind)
	case well > 0 && down+well > limit:
		w.t.Errorf("R27, I5: %s takes %d down, %d are down, the limit is %d", d.Kind, well, down, limit)
	}
	for _, i := range seen.Set.Instances {
		if i.Provisioning.Moving() {
			w.t.Errorf("I1: %s while instance %s is %s", d.Kind, i.ID, i.Provisioning)
		}
	}
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

// reached reports whether the operation intended at n may have reached Azure: it was sent, and no
// definite no came back.
func (w *walk) reached(n int, id string) bool {
	sent := false
	for _, e := range w.events[n:] {
		switch f := e.Fact.(type) {
		case Sending:
			sent = sent || f.Op == id
		case Refused:
			if f.Op == id {
				return false
			}
		}
	}
	return sent
}
