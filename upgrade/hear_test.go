package upgrade

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	ana   = Person{ID: "UANA", Name: "ana"}
	bo    = Person{ID: "UBO", Name: "bo"}
	eva   = Person{ID: "UEVA", Name: "eva"}
	ops   = Person{ID: "UOPS", Name: "ops", Groups: []string{"SOPS"}}
	stray = Person{ID: "USTRAY", Name: "stray"}
)

// people are all sorts of people, and whether they may stop and approve ana's rollout of web.
var people = []struct {
	name          string
	who           Person
	stop, approve bool
}{
	{"R23 the requester", ana, true, false},
	{"R23 an approver by id", bo, true, true},
	{"R23 an approver by group", ops, true, true},
	{"R23 a member who is not listed", stray, false, false},
	{"R23 one who may only look", Person{ID: "UREAD", Name: "rob"}, false, false},
	{"R23 nobody", Person{}, false, false},
	{"R23 a guest on the list", Person{ID: "UBO", Guest: true}, false, false},
	{"R23 a bot on the list", Person{ID: "UBO", Bot: true}, false, false},
	{"R23 a stranger on the list", Person{ID: "UBO", Stranger: true}, false, false},
	{"R23 a deleted user on the list", Person{ID: "UBO", Deleted: true}, false, false},
	{"R23 a member whose groups could not be read", Person{ID: "UOPS"}, false, false},
}

func hear(t tale, who Person, w Word, card *Card) (Heard, *Refusal) {
	r := t.fold()
	w.Rollout = r.ID
	return Hear(w, who, card, webPlan(), r, webPolicy(), t.ends())
}

func TestR23WhoMaySayWhat(t *testing.T) {
	waiting := tale{requested, asked("ud-0")}
	denied := tale{waiting, by{"UBO", Denied{Gate: "ud-0", Asking: 1, Name: "bo", Reason: "no"}}}
	for _, verb := range []struct {
		word     Word
		in       tale
		approves bool
	}{
		{Word{Verb: WordApprove}, waiting, true},
		{Word{Verb: WordApprove, Rest: true}, waiting, true},
		{Word{Verb: WordDeny, Reason: "no"}, waiting, false},
		{Word{Verb: WordPause}, waiting, false},
		{Word{Verb: WordResume}, tale{waiting, by{"UBO", Paused{}}}, false},
		{Word{Verb: WordAbort, Reason: "no"}, waiting, false},
		{Word{Verb: WordAsk}, denied, false},
		{Word{Verb: WordModel, Answer: Keep}, tale{begun, by{"UBO", AbortAsked{}}, ModelAsked{}}, false},
		{Word{Verb: "dance"}, waiting, false},
	} {
		for _, p := range people {
			t.Run(fmt.Sprintf("%s %s", p.name, verb.word.Verb), func(t *testing.T) {
				heard, no := hear(verb.in, p.who, verb.word, nil)
				may := p.stop
				if verb.approves {
					may = p.approve
				}
				switch {
				case no != nil && len(heard.Facts) > 0:
					t.Error("refused and recorded")
				case !may && (no == nil || no.Code != CodeRole || no.What == "" || no.Next == ""):
					t.Errorf("heard %+v, refusal %+v; want %s", heard, no, CodeRole)
				case may && verb.word.Verb == "dance":
					if no == nil || no.Code != CodeArg {
						t.Errorf("an unknown verb: %+v, %+v", heard, no)
					}
				case may && (no != nil || len(heard.Facts) == 0 || heard.Answer == ""):
					t.Errorf("heard %+v, refused: %v", heard, no)
				}
			})
		}
	}
}

func TestR21RightsUnderTwoPolicies(t *testing.T) {
	fired, hired := webPolicy(), webPolicy()
	fired.Approvers = []string{"UEVA"}
	hired.Approvers = append(hired.Approvers, "USTRAY")
	r := tale{requested, asked("ud-0"), by{"UBO", Paused{}}}.fold()
	for _, row := range []struct {
		name string
		who  Person
		verb WordVerb
		pol  Policy
		may  bool
	}{
		{"R21 who is taken off the list may not approve any more", bo, WordApprove, fired, false},
		{"R21 nor pause", bo, WordPause, fired, false},
		{"R21 who is put on it later may not approve what was planned before", stray, WordApprove, hired, false},
		{"R21 nor let it go on", stray, WordResume, hired, false},
		{"R21 nor take failed instances in again", stray, WordRetry, hired, false},
		{"R21 nor leave some out", stray, WordSkip, hired, false},
		{"R21 nor set some aside", stray, WordQuarantine, hired, false},
		{"R21 nor plan anew", stray, WordReplan, hired, false},
		{"R21 nor resolve", stray, WordResolve, hired, false},
		{"R3 but may stop it", stray, WordAbort, hired, true},
		{"R23 without a policy nobody may anything", ana, WordAbort, Policy{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, no := Hear(Word{Verb: row.verb, Reason: "why", Rollout: "r-1"}, row.who, nil, webPlan(), r, row.pol, night)
			if (no == nil || no.Code != CodeRole) != row.may {
				t.Errorf("refusal %v", no)
			}
		})
	}
}

// hearRow is one word in one state.
type hearRow struct {
	name string
	in   tale
	who  Person // the zero value is bo
	word Word
	card *Card    // nil = typed
	want []string // kinds of the facts; nil = none
	code Code     // of the refusal; "" = heard
	says string   // part of the answer or refusal
}

func (row hearRow) run(t *testing.T) {
	who := row.who
	if who.ID == "" {
		who = bo
	}
	heard, no := hear(row.in, who, row.word, row.card)
	var got []string
	for _, f := range heard.Facts {
		got = append(got, FactKind(f))
	}
	said, code := heard.Answer, Code("")
	if no != nil {
		said, code = no.What, no.Code
	}
	if code != row.code || !slices.Equal(got, row.want) {
		t.Fatalf("heard %q, refusal %q (%s); want %q, %q", got, code, said, row.want, row.code)
	}
	if said == "" || !strings.Contains(said, row.says) {
		t.Errorf("said %q, want %q in it", said, row.says)
	}
	if no != nil && !strings.HasPrefix(no.Next, "/vmss ") {
		t.Errorf("the refusal has no next command: %q", no.Next)
	}
	if no != nil || len(heard.Facts) == 0 {
		return
	}
	// R24: the same word by the same person again changes nothing.
	after := tale{row.in}
	for _, f := range heard.Facts {
		after = append(after, by{who.ID, f})
	}
	if again, _ := hear(after, who, row.word, row.card); len(again.Facts) > 0 {
		t.Errorf("R24: said twice it is recorded twice: %v", again.Facts)
	}
}

func TestHear(t *testing.T) {
	var (
		waiting = tale{requested, asked("ud-0")}
		agreed  = tale{requested, granted("ud-0")}
		denied  = tale{waiting, by{"UEVA", Denied{Gate: "ud-0", Asking: 1, Name: "eva", Reason: "friday"}}}
		paused  = tale{waiting, by{"UANA", Paused{Name: "ana"}}}
		aborted = tale{begun, by{"UANA", AbortAsked{Name: "ana"}}}
		going   = tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}
		ended   = tale{requested, Ended{Outcome: OutcomeAborted}}
		over    = tale{waiting, 4 * time.Hour}
		live    = &Card{Nonce: "n-ud-0", Rollout: "r-1", Gate: "ud-0", Asking: 1, Digest: webPlan().Digest}
		second  = &Card{Nonce: "n2", Rollout: "r-1", Gate: "ud-0", Asking: 2}
		model   = &Card{Nonce: "m", Rollout: "r-1"}
		foreign = &Card{Nonce: "n-ud-0", Rollout: "r-1", Gate: "ud-0", Asking: 1, Digest: "another"}

		approve, rest = Word{Verb: WordApprove}, Word{Verb: WordApprove, Rest: true}
		deny          = Word{Verb: WordDeny, Reason: "no"}
		pause, resume = Word{Verb: WordPause}, Word{Verb: WordResume}
		abort, again  = Word{Verb: WordAbort, Reason: "why"}, Word{Verb: WordAsk}
		keep, revert  = Word{Verb: WordModel, Answer: Keep}, Word{Verb: WordModel, Answer: Revert}
	)
	for _, row := range []hearRow{
		{name: "R24 a yes is a vote, and the last one needed a grant", in: waiting, word: approve, want: []string{"Voted", "Granted"}, says: "UD 0"},
		{name: "R24 a click on the live card is the same", in: waiting, word: approve, card: live, want: []string{"Voted", "Granted"}},
		{name: "R24 the same person twice is one vote", in: agreed, word: approve, card: live, says: "one person, one vote"},
		{name: "R23 another approver may add a yes, in case the first does not count", in: agreed, who: eva, word: approve, card: live, want: []string{"Voted", "Granted"}},
		{name: "R24 a yes when everything was started changes nothing", in: going, who: eva, word: approve, card: live, code: CodeStale, says: "approved by bo"},
		{name: "R7 approve acts on the gate being asked only", in: tale{requested}, word: approve, code: CodeState, says: "not put to people yet"},
		{name: "R24 a card that was replaced is stale", in: tale{waiting, Asked{Gate: "ud-0", Asking: 2, Expires: life}}, word: approve, card: live, code: CodeStale},
		{name: "R24 a card of the future is stale", in: waiting, word: approve, card: second, code: CodeStale},
		{name: "R24 a card of a gate that is done says who approved it", in: udDone(0), word: approve, card: live, code: CodeStale, says: "approved by bo"},
		{name: "R24 a card of which nothing is left says so", in: tale{waiting, InstanceSeen{ID: "0", State: Left}, InstanceSeen{ID: "3", State: Vanished}}, word: approve, card: live, code: CodeStale, says: "nothing of UD 0 is left"},
		{name: "R20 a card of another plan is stale", in: waiting, word: approve, card: foreign, code: CodeStale},
		{name: "R24 the model's card approves nothing", in: tale{aborted, ModelAsked{Nonce: "m"}}, word: approve, card: model, code: CodeState},
		{name: "R24 the model's card approves nothing while a gate is asked", in: waiting, word: approve, card: model, code: CodeStale, says: "something else"},
		{name: "R24 what was denied is not approved by a late click", in: denied, word: approve, card: live, code: CodeStale, says: "eva denied UD 0: friday"},
		{name: "R22 what ran out is not approved by a late click", in: over, word: approve, card: live, code: CodeStale, says: "over"},
		{name: "R22 nor by a second click of who was in time", in: tale{agreed, 4 * time.Hour}, word: approve, card: live, code: CodeStale, says: "over"},
		{name: "R24 a click after everything was started changes nothing", in: tale{going, 4 * time.Hour}, word: approve, card: live, says: "already"},
		{name: "R3 what was aborted is not approved", in: aborted, word: approve, code: CodeState, says: "aborted by ana"},
		{name: "R9 what has ended is not approved", in: ended, word: approve, card: live, code: CodeStale, says: "ended"},

		{name: "R7 approve rest votes for all later gates", in: waiting, word: rest, want: []string{"Voted", "Granted", "Asked", "Voted", "Granted", "Asked", "Voted", "Granted"}, says: "everything after it"},
		{name: "R7 it does so while the gate before is at work", in: going, word: rest, want: []string{"Asked", "Voted", "Granted", "Asked", "Voted", "Granted"}},
		{name: "R7 and for whoever approved the gate before", in: agreed, word: rest, want: []string{"Asked", "Voted", "Granted", "Asked", "Voted", "Granted"}},
		{name: "R22 it does not revive what ran out", in: over, word: rest, code: CodeStale},

		{name: "R24 a denial is recorded with its reason", in: waiting, word: deny, want: []string{"Denied"}},
		{name: "R23 the requester may deny", in: waiting, who: ana, word: deny, want: []string{"Denied"}},
		{name: "R24 a denial needs a reason", in: waiting, word: Word{Verb: WordDeny}, code: CodeArg, says: "reason"},
		{name: "R24 a denial after the approval is possible until it is used", in: agreed, who: eva, word: deny, want: []string{"Denied"}},
		{name: "R24 a denial when everything was started says what stops it", in: going, word: deny, code: CodeState, says: "pause or abort"},
		{name: "R24 a second person's denial says who denied it", in: denied, word: deny, code: CodeStale, says: "eva denied"},
		{name: "R24 a denial on an old card is stale", in: udDone(0), word: deny, card: live, code: CodeStale},

		{name: "R2 a pause is recorded", in: waiting, word: pause, want: []string{"Paused"}},
		{name: "R2 a pause tells that the batch in flight finishes", in: going, word: pause, want: []string{"Paused"}, says: "This batch of 2 finishes"},
		{name: "R2 a pause stops a call that brought no answer from being sent again", in: lost, word: pause, want: []string{"Paused"}},
		{name: "R24 a second pause changes nothing", in: paused, word: pause, says: "paused already, by ana"},
		{name: "R2 a pause from an old card counts: stopping is never stale", in: udDone(0), word: pause, card: live, want: []string{"Paused"}},
		{name: "R1 resume takes a pause away", in: paused, word: resume, want: []string{"Resumed"}},
		{name: "R1 resume takes nothing else away and points to why", in: denied, word: resume, code: CodeState, says: "something else"},
		{name: "R3 nothing is resumed after an abort", in: tale{paused, by{"UANA", AbortAsked{Name: "ana"}}}, word: resume, code: CodeState, says: "aborted"},

		{name: "R3 an abort is recorded", in: waiting, word: abort, want: []string{"AbortAsked"}},
		{name: "R3 any requester may abort", in: waiting, who: ana, word: abort, want: []string{"AbortAsked"}},
		{name: "R3 an abort is taken before anything was asked", in: tale{requested}, word: abort, want: []string{"AbortAsked"}},
		{name: "R3 an abort is taken while a call is in flight, which is followed", in: going, word: abort, want: []string{"AbortAsked"}, says: "followed to its end"},
		{name: "R3 an abort is taken while it is not known what happened", in: settled, word: abort, want: []string{"AbortAsked"}},
		{name: "R3 an abort is taken while paused", in: paused, word: abort, want: []string{"AbortAsked"}},
		{name: "R3 an abort is taken after a denial", in: denied, word: abort, want: []string{"AbortAsked"}},
		{name: "R3 an abort is taken while soaking", in: udDone(0), word: abort, want: []string{"AbortAsked"}},
		{name: "R3 an abort is taken when all gates are done", in: udDone(2), word: abort, want: []string{"AbortAsked"}},
		{name: "R3 an abort is taken under an entry that is not understood", in: tale{waiting, Unread{Kind: "x"}}, word: abort, want: []string{"AbortAsked"}},
		{name: "R3 an abort from an old card counts", in: udDone(0), word: abort, card: live, want: []string{"AbortAsked"}},
		{name: "R9 an abort of what has ended is told so", in: ended, word: abort, code: CodeStale},
		{name: "R3 an abort needs a reason", in: waiting, word: Word{Verb: WordAbort}, code: CodeArg, says: "reason"},
		{name: "R24 a second abort changes nothing", in: aborted, word: abort, says: "aborted already, by ana"},
		{name: "R4 abort answers the model question in advance", in: begun, word: Word{Verb: WordAbort, Reason: "why", Answer: Revert}, want: []string{"AbortAsked"}},
		{name: "R4 abort revert answers it afterwards, without a reason", in: aborted, word: Word{Verb: WordAbort, Answer: Revert}, want: []string{"ModelAnswered"}},
		{name: "R4 it answers for a rollout whose time was up, too", in: tale{begun, ModelAsked{Nonce: "m"}}, word: Word{Verb: WordAbort, Answer: Keep}, want: []string{"ModelAnswered"}},

		{name: "R4 the model question takes one answer", in: tale{aborted, ModelAsked{Nonce: "m"}}, word: keep, card: model, want: []string{"ModelAnswered"}},
		{name: "R4 another answer afterwards is stale", in: tale{aborted, ModelAsked{Nonce: "m"}, by{"UBO", ModelAnswered{Answer: Keep}}}, word: revert, card: model, code: CodeStale, says: "keep"},
		{name: "R4 an answer that is none is refused", in: aborted, word: Word{Verb: WordModel, Answer: "burn"}, code: CodeArg},
		{name: "R4 an answer that nobody asked for is refused", in: begun, word: keep, code: CodeState, says: "goes on"},
		{name: "R24 a gate's card answers nothing about the model", in: tale{aborted, ModelAsked{Nonce: "m"}}, word: revert, card: live, code: CodeStale},

		{name: "R1 a denied gate is asked again", in: denied, word: again, want: []string{"AskedAgain"}},
		{name: "R22 one that ran out is asked again", in: over, word: again, want: []string{"AskedAgain"}},
		{name: "R1 nothing else is asked again", in: waiting, word: again, code: CodeState},
		{name: "R1 nothing is asked again when all gates are done", in: udDone(2), word: again, code: CodeState},
	} {
		t.Run(row.name, row.run)
	}
}

func TestR23AQuorumTakesAsManyPeople(t *testing.T) {
	pol := webPolicy()
	pol.Approvals = 2
	p := webPlan(func(_ *ScaleSet, q *Policy, _ *Wish) { q.Approvals = 2 })
	r := tale{requested, asked("ud-0")}.fold()
	say := func(who Person, w Word) (Heard, *Refusal) {
		h, no := Hear(w, who, nil, p, r, pol, night)
		r = r.With(At(night, who.ID, h.Facts...)...)
		return h, no
	}
	if h, _ := say(bo, Word{Verb: WordApprove}); len(h.Facts) != 1 {
		t.Fatalf("the first of two votes: %v", h.Facts)
	}
	if h, _ := say(bo, Word{Verb: WordApprove}); len(h.Facts) != 0 {
		t.Fatalf("R24: the same person's second vote: %v", h.Facts)
	}
	if _, no := say(eva, Word{Verb: WordApprove, Rest: true}); no == nil || no.Code != CodePolicy {
		t.Fatalf("R7: approve rest with a quorum of two: %v", no)
	}
	h, _ := say(eva, Word{Verb: WordApprove})
	if len(h.Facts) != 2 {
		t.Fatalf("the second of two votes: %v", h.Facts)
	}
	if g := h.Facts[1].(Granted); !slices.Equal(g.Voters, []string{"UBO", "UEVA"}) || g.Digest != p.Digest {
		t.Errorf("granted %+v", g)
	}
}

func TestR7APlanMayAskForGatesTogether(t *testing.T) {
	for _, row := range []struct {
		name    string
		approve Together
		need    int
		say     []Person
		granted []string // gates, once these have agreed to the first card
	}{
		{"each gate takes a yes of its own", ApproveEach, 1, []Person{bo}, []string{"ud-0"}},
		{"one yes for all", ApproveOnce, 1, []Person{bo}, []string{"ud-0", "ud-1", "ud-2"}},
		{"the first card of a canary's plan is for the canary only", ApproveCanary, 1, []Person{bo}, []string{"ud-0"}},
		{"of two that are needed, one is nothing", ApproveOnce, 2, []Person{bo}, nil},
		{"nor is the same one twice", ApproveOnce, 2, []Person{bo, bo}, nil},
		{"both are one yes for all", ApproveOnce, 2, []Person{bo, eva}, []string{"ud-0", "ud-1", "ud-2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			pol := webPolicy()
			pol.Approvals = row.need
			p := webPlan(func(_ *ScaleSet, q *Policy, w *Wish) { q.Approvals, w.Order.Approve = row.need, row.approve })
			r := tale{requested, asked("ud-0")}.fold()
			for _, who := range row.say {
				h, no := Hear(Word{Verb: WordApprove}, who, nil, p, r, pol, night)
				if no != nil {
					t.Fatal(no)
				}
				r = r.With(At(night, who.ID, h.Facts...)...)
			}
			if got := slices.Sorted(maps.Keys(r.Grants)); !slices.Equal(got, row.granted) {
				t.Fatalf("granted is %v, want %v", got, row.granted)
			}
			for gate := range r.Grants {
				var who []string
				for _, b := range r.Votes[gate] {
					who = append(who, b.By)
				}
				if len(who) != row.need || r.Grants[gate].Digest != p.Digest {
					t.Errorf("%s is granted by %v, want %d people, each by their own yes", gate, who, row.need)
				}
			}
		})
	}
	// Whoever asked says yes to one gate at a time, where they may at all, and never makes one of two for the later ones.
	own := func(p *Policy) {
		p.SelfApproval, p.Approvers = 30*time.Minute, append(slices.Clone(p.Approvers), ana.ID)
	}
	for need, says := range map[int][]Person{1: {ana}, 2: {ana, bo}} {
		pol := webPolicy()
		own(&pol)
		pol.Approvals = need
		p := webPlan(func(_ *ScaleSet, q *Policy, w *Wish) { own(q); q.Approvals, w.Order.Approve = need, ApproveOnce })
		r := tale{requested, asked("ud-0")}.fold()
		for _, who := range says {
			h, no := Hear(Word{Verb: WordApprove}, who, nil, p, r, pol, night)
			if no != nil {
				t.Fatal(no)
			}
			r = r.With(At(night, who.ID, h.Facts...)...)
		}
		if len(r.Votes["ud-0"]) != need || len(r.Grants) != 0 || len(r.Votes["ud-1"]) != 0 {
			t.Errorf("R23 of %d, one of them whoever asked: granted is %v, and to the next gate said yes %v", need, r.Grants, r.Votes["ud-1"])
		}
		if h, no := Hear(Word{Verb: WordApprove, Rest: true}, ana, nil, p, r, pol, night); no == nil {
			t.Errorf("R23 whoever asked said yes to all: %v", h.Facts)
		}
	}
	p := webPlan(func(_ *ScaleSet, _ *Policy, w *Wish) { w.Order.Approve = ApproveCanary })
	if p.Together(0) || !p.Together(1) || p.Together(2) {
		t.Error("of a canary's plan the second card is for all that come after it, and the last for itself")
	}
	if each := webPlan(); each.Digest == p.Digest {
		t.Error("R20: what a yes is to is part of what is agreed to")
	}
}

func TestR34ApproveRestCarriesWhatTheCardShowed(t *testing.T) {
	shown := asked("ud-0")
	shown.Acknowledged, shown.Sections = []Section{SectionExtensions}, map[Section]string{SectionExtensions: "z"}
	heard, no := hear(tale{requested, shown}, bo, Word{Verb: WordApprove, Rest: true}, nil)
	if no != nil {
		t.Fatal(no)
	}
	n := 0
	for _, f := range heard.Facts {
		if a, ok := f.(Asked); ok {
			n++
			if a.Sections[SectionExtensions] != "z" || a.Nonce != "" || !a.Expires.Equal(night.Add(4*time.Hour)) {
				t.Errorf("asked %+v", a)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d later gates were asked, want 2", n)
	}
}

func TestR23ATypedYesNeedsACardThatSomebodyCouldRead(t *testing.T) {
	withRest := asked("ud-0")
	withRest.Nonce = "" // it was granted together with the gate before, by bo, and no card was posted
	told := tale{requested, withRest, voted("UBO", "ud-0")}
	if _, no := hear(told, eva, Word{Verb: WordApprove}, nil); no == nil || no.Code != CodeStale || !strings.Contains(no.What, "with the rest") {
		t.Errorf("refusal %v", no)
	}
	if _, no := hear(told, eva, Word{Verb: WordDeny, Reason: "friday"}, nil); no != nil {
		t.Errorf("a no needs no card: %v", no)
	}
}

// Words may wait behind others of the same person, or for a restart. What they would count for must have
// been there when they were said; what stops a rollout need not.
func TestR24WordsAreAboutWhatWasThereWhenTheyWereSaid(t *testing.T) {
	waiting, again := tale{requested, asked("ud-0")}, tale{requested, asked("ud-0"), time.Minute, AskedAgain{Gate: "ud-0"}, Asked{Gate: "ud-0", Asking: 2, Nonce: "n2", Expires: night.Add(4 * time.Hour)}}
	for _, row := range []struct {
		name  string
		in    tale
		word  Word
		stale bool
	}{
		{"a yes to a card that came later", waiting, Word{Verb: WordApprove}, true},
		{"a yes to all that is left", waiting, Word{Verb: WordApprove, Rest: true}, true},
		{"a yes to the card before", again, Word{Verb: WordApprove}, true},
		{"what became of a call that was sent later", dark, Word{Verb: WordResolve, Verdict: Started, Reason: "seen"}, true},
		{"how an instance came out that was not seen yet", oneUnclear, Word{Verb: WordResolve, Verdict: IsOK, IDs: []string{"3"}, Reason: "seen"}, true},
		{"that a pause is over which came later", tale{waiting, by{"UEVE", Paused{Name: "eve"}}}, Word{Verb: WordResume}, true},
		{"that a pause of one's own is over", tale{waiting, by{"UBO", Paused{Name: "bo"}}}, Word{Verb: WordResume}, false},
		{"that one is passed by which failed later", oneFailed, Word{Verb: WordSkip, IDs: []string{"3"}}, true},
		{"that one is set aside which failed later", oneFailed, Word{Verb: WordQuarantine, IDs: []string{"3"}, Reason: "old"}, true},
		{"that one is passed by which has not begun", waiting, Word{Verb: WordSkip, IDs: []string{"3"}}, false},
		{"a no", waiting, Word{Verb: WordDeny, Reason: "no"}, false},
		{"a pause", waiting, Word{Verb: WordPause}, false},
		{"an abort", waiting, Word{Verb: WordAbort, Reason: "no"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			ends := row.in.ends()
			for name, at := range map[string]time.Time{"at once": {}, "after it": ends.Add(time.Second)} {
				row.word.At = at
				if heard, no := hear(row.in, bo, row.word, nil); no != nil || len(heard.Facts) == 0 {
					t.Errorf("said %s: %v, %v", name, heard, no)
				}
			}
			row.word.At = ends.Add(-24 * time.Hour)
			heard, no := hear(row.in, bo, row.word, nil)
			if stale := no != nil && no.Code == CodeStale && len(heard.Facts) == 0; stale != row.stale || !stale && no != nil {
				t.Errorf("said before: %v, %v, want it stale: %v", heard, no, row.stale)
			}
		})
	}
	pressed := Word{Verb: WordApprove, Nonce: "n1", At: waiting.ends().Add(-24 * time.Hour)}
	if heard, no := hear(waiting, bo, pressed, &Card{Nonce: "n1", Gate: "ud-0", Asking: 1}); no != nil || len(heard.Facts) == 0 {
		t.Errorf("whoever presses a card's button sees it, whatever the clocks say: %v, %v", heard, no)
	}
}

func TestR22NobodyRenewsTheYesOfOthers(t *testing.T) {
	pol := webPolicy()
	pol.Approvals = 2
	p := webPlan(func(_ *ScaleSet, q *Policy, w *Wish) { q.Approvals, w.Order.Approve = 2, ApproveOnce })
	open := tale{requested, asked("ud-0")}.fold()
	say := func(r Rollout, who Person, rest bool, at time.Time) Rollout {
		h, no := Hear(Word{Verb: WordApprove, Rest: rest}, who, nil, p, r, pol, at)
		if no != nil {
			return r
		}
		return r.With(At(at, who.ID, h.Facts...)...)
	}
	late := night.Add(3*time.Hour + 30*time.Minute)
	r := say(say(open, bo, false, night), eva, false, late)
	if until := r.Grants["ud-2"].Expires; !until.Equal(night.Add(4 * time.Hour)) {
		t.Errorf("with bo's yes of %s the last gate may start until %s", night, until)
	}
	// All of the first gate was started in time and takes long, so that the yes to the others runs out meanwhile.
	r = say(say(open, bo, false, night), eva, false, night).With(At(night, "", InstanceSeen{ID: "0", State: Going}, InstanceSeen{ID: "3", State: Going})...)
	before := r.Grants["ud-1"].Expires
	r = say(r, bo, true, night.Add(5*time.Hour))
	if until := r.Grants["ud-1"].Expires; !until.Equal(before) || r.Askings["ud-1"] != 1 {
		t.Errorf("one of two has said the yes of both anew, %d times, until %s, as if eva had said it again", r.Askings["ud-1"]-1, until)
	}
}

func TestR23WhoIsCalledInAgreesToOneCardBesideOthers(t *testing.T) {
	called := Person{ID: "UCAL", Name: "cal"}
	in := func(q *Policy) { q.Approvals, q.Escalate = 2, []string{called.ID} }
	pol := webPolicy()
	in(&pol)
	p := webPlan(func(_ *ScaleSet, q *Policy, w *Wish) { in(q); w.Order.Approve = ApproveOnce })
	r := tale{requested, asked("ud-0"), Escalated{Gate: "ud-0", Asking: 1, Called: []string{called.ID}}}.fold()
	for _, who := range []Person{called, bo} {
		h, no := Hear(Word{Verb: WordApprove}, who, nil, p, r, pol, night)
		if no != nil {
			t.Fatal(no)
		}
		if who.ID == bo.ID && strings.Contains(h.Answer, "everything after") {
			t.Errorf("bo is told %q", h.Answer)
		}
		r = r.With(At(night, who.ID, h.Facts...)...)
	}
	if _, granted := r.Grants["ud-0"]; !granted || len(r.Grants) != 1 {
		t.Errorf("granted is %v, want the first gate and no more", r.Grants)
	}
	if votes := r.Votes["ud-1"]; len(votes) > 0 {
		t.Errorf("a later gate has the yes of %v", votes)
	}
}
