package upgrade

import (
	"fmt"
	"strings"
	"time"
)

// Word is something a person says about a rollout. Typed text, buttons and forms become the same
// Word, so each verb has one path and one permission rule.
type Word struct {
	Verb    WordVerb
	Rollout string
	Nonce   string    // of the card whose button was pressed; "" = typed
	Channel string    // where it was said; a card answers only where it was posted
	At      time.Time // when it was said; zero = now
	Of      string    // what was said of several at once: [EverySet], or a group
	Rest    bool      // approve: all later gates as well (R7)
	Reason  string
	Answer  ModelAnswer // of abort and model
	IDs     []string    // of retry, skip, quarantine and resolve: the instances; empty = as the verb says
	Verdict Verdict     // of resolve
	To      string      // of handover: the user id of who takes over

	// What the Desk looks up before the word is heard.
	Plan  *Plan   // of replan: made from the set as it is now
	Taker *Person // of handover: who To is

	Before map[string]Standing // of resolve go-on: how the waves before stand
}

// WordVerb is what a Word wants.
type WordVerb string

const (
	WordApprove WordVerb = "approve"
	WordDeny    WordVerb = "deny"
	WordPause   WordVerb = "pause"
	WordResume  WordVerb = "resume"
	WordAbort   WordVerb = "abort"
	WordAsk     WordVerb = "ask"   // a denied or expired gate once more
	WordModel   WordVerb = "model" // the answer to the model question

	WordRetry      WordVerb = "retry"
	WordSkip       WordVerb = "skip"
	WordQuarantine WordVerb = "quarantine"
	WordResolve    WordVerb = "resolve"
	WordReplan     WordVerb = "replan"
	WordRollback   WordVerb = "rollback"
	WordHandover   WordVerb = "handover"
)

// Heard is what a Word comes to: facts to journal (none: it was said before, nothing changes), and
// the answer for the person.
type Heard struct {
	Facts  []Fact
	Answer string
}

// Hear decides what a person's word about a rollout comes to. It is pure: rights, state, staleness
// and idempotence of every verb are decided here and nowhere else. card is the card whose button
// was pressed, nil for typed words.
//
// What lets a rollout go on takes the right under the plan's policy and the one in force (R21).
// What stops it takes the one in force only: whoever must be able to stop is never too new for it.
func Hear(w Word, by Person, card *Card, p Plan, r Rollout, pol Policy, now time.Time) (Heard, *Refusal) {
	h := hearing{w, by, card, p, r.hearing(now), pol, now}
	if no := h.permitted(); no != nil {
		return Heard{}, no
	}
	switch {
	case r.Ended != nil:
		return Heard{}, &Refusal{Code: CodeStale, What: fmt.Sprintf("%s has ended: %s", r.ID, r.Ended.Outcome), Next: "/vmss status " + r.ID, Rollout: r.ID}
	case r.Abort != nil && w.Verb != WordAbort && w.Verb != WordModel && w.Verb != WordRollback && w.Verb != WordHandover:
		return Heard{}, h.refuse(CodeState, "%s was aborted by %s: nothing more is started", r.ID, r.Abort.Name)
	}
	return h.answer()
}

// permitted is the one rule for each verb of who may say it.
func (h hearing) permitted() *Refusal {
	gate, _, _ := h.r.CurrentGate(h.p)
	inForce, planned := h.r.standing(h.pol, gate.Key), h.r.standing(h.p.Policy, gate.Key)
	right, policies := MayStop, []Policy{h.pol}
	switch h.w.Verb {
	case WordApprove:
		right = h.p.agreeing(h.by.ID, h.r, h.pol)
		if policies = []Policy{inForce, planned}; h.w.Rest || right == MayApproveOwn { // who is called in is called for one card, of others
			policies = []Policy{h.pol, h.p.Policy}
		}
	case WordDeny:
		if policies = []Policy{inForce}; h.p.alone(h.r, gate, h.pol, h.now) {
			right = MayRead // everybody may, while somebody's own yes stands alone
		}
	case WordPause, WordAbort:
		policies = []Policy{inForce}
	case WordResolve:
		right, policies = MayApprove, []Policy{h.pol, h.p.Policy}
	case WordResume, WordAsk, WordRetry, WordSkip, WordQuarantine, WordReplan:
		policies = []Policy{h.pol, h.p.Policy}
	}
	for _, policy := range policies {
		if who := policy.Refuses(h.by, right, h.r.Requester); who != "" {
			return h.refuse(CodeRole, "to %s a rollout of %s takes %s", h.w.Verb.phrase(), h.p.Name, who)
		}
	}
	return nil
}

func (h hearing) answer() (Heard, *Refusal) {
	switch h.w.Verb {
	case WordApprove:
		return h.approve()
	case WordDeny:
		return h.deny()
	case WordPause:
		return h.pause()
	case WordResume:
		return h.resume()
	case WordAbort:
		return h.abort()
	case WordAsk:
		return h.ask()
	case WordModel:
		return h.model()
	}
	return h.trouble()
}

// trouble answers the verbs that lead out of it.
func (h hearing) trouble() (Heard, *Refusal) {
	switch h.w.Verb {
	case WordRetry:
		return h.retry()
	case WordSkip:
		return h.skip()
	case WordQuarantine:
		return h.quarantine()
	case WordResolve:
		return h.resolve()
	case WordReplan:
		return h.replan()
	case WordRollback:
		return h.rollback()
	case WordHandover:
		return h.handover()
	}
	return Heard{}, Refuse(CodeArg, "/vmss help", "I do not know the verb %q", h.w.Verb)
}

type hearing struct {
	w    Word
	by   Person
	card *Card
	p    Plan
	r    Rollout
	pol  Policy // in force
	now  time.Time
}

// asked finds the gate that is being asked, and refuses cards that are not the live one (R24).
func (h hearing) asked() (Gate, AskedAt, *Refusal) {
	gate, _, open := h.r.CurrentGate(h.p)
	asked, isAsked := h.r.Asked[gate.Key]
	if c := h.card; c != nil && (!isAsked || c.Gate != gate.Key || c.Asking != asked.Asking || (c.Digest != "" && c.Digest != h.p.Digest)) {
		return gate, asked, h.stale()
	}
	switch {
	case !open:
		return gate, asked, h.refuse(CodeState, "nothing of %s waits for approval: every gate is done", h.r.ID)
	case !isAsked:
		return gate, asked, h.refuse(CodeState, "%s of %s was not put to people yet: the card comes when the gate before it is done", gate.Title, h.r.ID)
	}
	return gate, asked, nil
}

func (h hearing) stale() *Refusal {
	gate, at := h.p.Gate(h.card.Gate)
	if at < 0 {
		return h.refuse(CodeStale, "this card of %s asks something else", h.r.ID)
	}
	what := fmt.Sprintf("this card of %s was replaced or answered", gate.Title)
	first, _, open := h.r.CurrentGate(h.p)
	switch _, done := h.r.GateDone(gate); {
	case done:
		what = fmt.Sprintf("nothing of %s is left", gate.Title)
	case open && h.r.Asked[gate.Key].Asking == h.card.Asking && first.Key != gate.Key:
		what = fmt.Sprintf("%s comes before %s once more", first.Title, gate.Title)
	}
	if g, ok := h.r.Grants[h.card.Gate]; ok && g.Asking == h.card.Asking {
		what = fmt.Sprintf("%s was approved by %s", gate.Title, h.names(h.card.Gate))
	}
	return h.refuse(CodeStale, "%s", what)
}

func (h hearing) names(gate string) string {
	var names []string
	for _, v := range h.r.Votes[gate] {
		names = append(names, v.Name)
	}
	return strings.Join(names, " and ")
}

// phrase is the verb as people say it.
func (v WordVerb) phrase() string {
	switch v {
	case WordModel:
		return "answer for the model after"
	case WordAsk:
		return "ask again in"
	case WordRetry, WordSkip, WordQuarantine:
		return string(v) + " instances in"
	case WordRollback:
		return "roll back"
	case WordHandover:
		return "hand over"
	}
	return string(v)
}

func (h hearing) refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, What: fmt.Sprintf(format, args...), Next: "/vmss why " + h.r.ID, Rollout: h.r.ID}
}

func (h hearing) deny() (Heard, *Refusal) {
	gate, asked, no := h.asked()
	switch denial := h.r.Denial; {
	case no != nil:
		return Heard{}, no
	case denial != nil && denial.By == h.by.ID:
		return Heard{Answer: fmt.Sprintf("You have denied %s already.", gate.Title)}, nil
	case denial != nil:
		return Heard{}, h.refuse(CodeStale, "%s denied %s already: %s", denial.Name, gate.Title, denial.Reason)
	case !h.r.Startable(gate):
		return Heard{}, h.refuse(CodeState, "all of %s was started: pause or abort %s to stop what comes after", gate.Title, h.r.ID)
	case h.w.Reason == "":
		return Heard{}, Refuse(CodeArg, fmt.Sprintf("/vmss deny %s \"reason\"", h.r.ID), "a denial needs a reason: people will ask for it")
	}
	return Heard{[]Fact{Denied{Gate: gate.Key, Asking: asked.Asking, Name: h.by.Name, Reason: h.w.Reason}},
		fmt.Sprintf("You denied %s of %s. Nothing starts until somebody asks again: /vmss ask %s", gate.Title, h.p.Name, h.r.ID)}, nil
}

func (h hearing) pause() (Heard, *Refusal) {
	if h.r.Pause != nil {
		return Heard{Answer: fmt.Sprintf("%s is paused already, by %s.", h.r.ID, h.r.Pause.Name)}, nil
	}
	answer := fmt.Sprintf("%s is paused: nothing more starts.", h.r.ID)
	if op := h.r.Op; op != nil && op.Kind.OnInstances() && op.State != StateIntended {
		answer += fmt.Sprintf(" This batch of %d finishes.", len(op.Instances))
	}
	return Heard{[]Fact{Paused{Name: h.by.Name, Reason: h.w.Reason, Of: h.w.Of}}, answer}, nil
}

// resume takes a pause away and nothing else: another hold has another way out (R1).
func (h hearing) resume() (Heard, *Refusal) {
	if h.r.Pause == nil {
		return Heard{}, h.refuse(CodeState, "%s is not paused: something else is in the way", h.r.ID)
	}
	if h.r.Pause.By != h.by.ID && h.early(h.r.Pause.At) { // one person's own words are heard in their order
		return Heard{}, h.refuse(CodeStale, "%s paused %s only after you had said that", h.r.Pause.Name, h.r.ID)
	}
	return Heard{[]Fact{Resumed{Name: h.by.Name}}, fmt.Sprintf("%s goes on.", h.r.ID)}, nil
}

func (h hearing) abort() (Heard, *Refusal) {
	switch {
	case h.w.Answer != ModelOpen && (h.r.Abort != nil || h.r.Model.Asked != nil):
		return h.model()
	case h.r.Abort != nil:
		return Heard{Answer: fmt.Sprintf("%s was aborted already, by %s.", h.r.ID, h.r.Abort.Name)}, nil
	case h.w.Reason == "":
		return Heard{}, Refuse(CodeArg, fmt.Sprintf("/vmss abort %s \"reason\"", h.r.ID), "an abort needs a reason: people will ask for it")
	}
	answer := fmt.Sprintf("%s is aborted: nothing more is started.", h.r.ID)
	if op := h.r.Op; op != nil && op.State != StateIntended {
		answer += " The call in flight is followed to its end."
	}
	return Heard{[]Fact{AbortAsked{Name: h.by.Name, Reason: h.w.Reason, Answer: h.w.Answer}}, answer}, nil
}

func (h hearing) ask() (Heard, *Refusal) {
	gate, _, open := h.r.CurrentGate(h.p)
	if h.r.Denial != nil { // of the current gate, unless one before it was opened again since
		gate, _ = h.p.Gate(h.r.Denial.Gate)
	}
	asked, isAsked := h.r.Asked[gate.Key]
	expired := isAsked && !h.now.Before(asked.Until(h.pol))
	answer := fmt.Sprintf("%s of %s is asked again: its card comes as soon as nothing but time, health, a window or a freeze is in the way.", gate.Title, h.p.Name)
	switch {
	case open && h.r.Denial == nil && !isAsked && h.r.Askings[gate.Key] > 0:
		return Heard{Answer: answer}, nil
	case !open || (h.r.Denial == nil && !expired):
		return Heard{}, h.refuse(CodeState, "there is nothing to ask again: no gate of %s was denied or ran out of time", h.r.ID)
	}
	return Heard{[]Fact{AskedAgain{Gate: gate.Key}}, answer}, nil
}

func (h hearing) model() (Heard, *Refusal) {
	switch {
	case h.card != nil && (h.card.Gate != "" || h.r.Model.Asked == nil):
		return Heard{}, h.stale()
	case h.w.Answer != Revert && h.w.Answer != Keep:
		return Heard{}, Refuse(CodeArg, fmt.Sprintf("/vmss abort %s revert", h.r.ID), "say revert (put the old image back) or keep (leave the new one)")
	case h.r.Model.Answer == h.w.Answer:
		return Heard{Answer: "That is the answer already."}, nil
	case h.r.Model.Answer != ModelOpen:
		return Heard{}, h.refuse(CodeStale, "the model question was answered already: %s", h.r.Model.Answer)
	case h.r.Abort == nil && h.r.Model.Asked == nil:
		return Heard{}, h.refuse(CodeState, "nobody asked what becomes of the model: %s goes on", h.r.ID)
	}
	return Heard{[]Fact{ModelAnswered{Name: h.by.Name, Answer: h.w.Answer}}, fmt.Sprintf("The answer for the model of %s is: %s.", h.p.Name, h.w.Answer)}, nil
}
