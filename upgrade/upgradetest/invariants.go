package upgradetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// ours are the program's own attempts to start something on instances.
func (c *cases) ours() []Call {
	return slices.DeleteFunc(slices.Clone(c.e.Calls), func(k Call) bool { return k.By != "" || k.Method != "POST" })
}

func (c *cases) judgeStarts() {
	under := map[string][]Call{} // by approval, what was started
	before := c.waves()
	for _, k := range c.ours() {
		c.alone(k)
		if !k.Accepted {
			continue
		}
		r := c.of(k)
		c.named(k, r)
		if r == nil {
			c.blame("I2", k.Time, "%s of %v: no rollout of the set was ever announced", k.Action, k.Instances)
			continue
		}
		c.spared(k)
		c.rested(k, r)
		c.letAlone(k, r)
		c.takenBack(k, r)
		c.inTurn(k, r, before)
		approval := c.covered(k, r)
		for _, id := range k.Instances {
			c.once(k, id, under[approval])
		}
		if !c.e.lost(k.Time) { // of what the journal has lost the program can see only what became of it
			under[approval] = append(under[approval], k)
		}
	}
}

// once: I7. A call without an answer that came to nothing may be sent once more, when it has settled (R48).
func (c *cases) once(k Call, id string, before []Call) {
	before = slices.DeleteFunc(slices.Clone(before), func(b Call) bool { return !slices.Contains(b.Instances, id) })
	switch n := len(before); {
	case n == 0:
	case n == 1 && k.Action == "manualupgrade" && !c.e.told(before[0]) && k.Time.Sub(before[0].Time)+c.e.jumped(before[0].Time, k.Time) >= settled && !k.during(before[0].Operation):
	default:
		c.blame("I7", k.Time, "instance %s was started twice under one approval", id)
	}
}

// of is the rollout a call belongs to: the last one of its set that was opened before. One is
// announced a moment after it was opened, so a call can be a little older than the message.
func (c *cases) of(k Call) *rollout {
	name := k.Set[strings.LastIndexByte(k.Set, '/')+1:]
	for i := len(c.rollouts) - 1; i >= 0; i-- {
		if r := &c.rollouts[i]; strings.EqualFold(r.set, name) && r.opened.Before(k.Time) {
			return r
		}
	}
	return nil
}

func (k Call) set() azuresim.SetState {
	for _, s := range k.Before.Sets {
		if strings.EqualFold(s.ID, k.Set) {
			return s
		}
	}
	return azuresim.SetState{}
}

// during reports whether an operation was in progress at the call.
func (k Call) during(operation string) bool {
	return slices.ContainsFunc(k.Before.Operations, func(op azuresim.OperationState) bool { return op.ID == operation && op.Status == "InProgress" })
}

// alone: I1, also for what Azure refused. Of an operation that never ends, the instances tell whether it is
// still at work once its time has run out, and of one whose answer was lost, or with the journal all that was known
// of it, and of somebody else's, which only they show, they tell from the first.
func (c *cases) alone(k Call) {
	for _, op := range k.Before.Operations {
		age := k.Time.Sub(op.Start) + c.e.jumped(op.Start, k.Time)
		by := c.startedBy(k.Set, "", op.Start)
		if unheard := by != nil && !c.e.told(*by) || c.e.lost(op.Start) || c.others(k.Set, op.Start); !unheard && strings.EqualFold(op.Set, k.Set) && op.Status == "InProgress" && age > c.blindness(by) && age < c.Policy.Deadline {
			c.blame("I1", k.Time, "%s of %v was sent while %s %s was in progress", k.Action, k.Instances, op.Kind, op.ID)
		}
	}
	for _, i := range k.set().Instances {
		if i.Doing != "" && k.Time.Sub(i.Since) > c.blindness(c.startedBy(k.Set, i.ID, i.Since)) {
			c.blame("I1", k.Time, "%s of %v was sent while instance %s was in %s", k.Action, k.Instances, i.ID, i.Doing)
		}
	}
}

// others reports whether an operation that began then is somebody else's.
func (c *cases) others(set string, began time.Time) bool {
	return slices.ContainsFunc(c.e.Calls, func(k Call) bool {
		return k.By != "" && k.Accepted && k.Set == set && began.Sub(k.Time).Abs() < time.Second
	})
}

// startedBy is the program's last accepted call for the set by then, of one instance if it is named; nil when
// it was somebody else's, or when the journal has lost it since.
func (c *cases) startedBy(set, id string, by time.Time) *Call {
	for _, k := range slices.Backward(c.ours()) {
		if k.Accepted && k.Set == set && !k.Time.After(by.Add(time.Second)) && (id == "" || slices.Contains(k.Instances, id)) {
			if c.e.lost(k.Time) || id == "" && by.Sub(k.Time) > time.Second {
				return nil
			}
			return &k
		}
	}
	return nil
}

// blindness is how long something may be at work that the program cannot have read yet. What it has not started
// itself it learns from lists, which may lag.
func (c *cases) blindness(by *Call) time.Duration {
	if by == nil {
		return blindness + c.e.Lag
	}
	return blindness
}

// named: I4, what the call itself must look like. An instance that has the image already is given a new
// disk of it only when somebody wants it once more.
func (c *cases) named(k Call, r *rollout) {
	if k.Action != "manualupgrade" && k.Action != "reimage" {
		c.blame("I16", k.Time, "%s of %v is no call that the program may make", k.Action, k.Instances)
	}
	if ids := k.asked(); len(ids) == 0 || slices.Contains(ids, "*") {
		c.blame("I4", k.Time, "%s does not name its instances: %s", k.Action, k.Body)
	}
	set := k.set()
	for _, id := range k.Instances {
		i := slices.IndexFunc(set.Instances, func(i azuresim.InstanceState) bool { return i.ID == id })
		switch {
		case i < 0:
			c.blame("I4", k.Time, "instance %s was started and does not exist", id)
		case k.Action == "reimage" && r != nil && c.wanted(id, r, k.Time):
		case set.Instances[i].LatestModelApplied && set.Instances[i].Version == version(set.Image):
			c.blame("I4", k.Time, "instance %s was started and was up to date", id)
		case set.Instances[i].Protected:
			c.blame("I4", k.Time, "instance %s was started and is protected", id)
		}
	}
}

// asked are the ids in the call's own words.
func (k Call) asked() []string {
	var body struct {
		InstanceIDs []string `json:"instanceIds"`
	}
	if json.Unmarshal(k.Body, &body) != nil {
		return nil // it names none
	}
	return body.InstanceIDs
}

// spared: I5, after the batch is down no more than the limit do not serve; taking down what does not
// serve anyway costs nothing. What nothing is told of may serve or not: neither way may the limit be passed.
func (c *cases) spared(k Call) {
	set := k.set()
	var down, doubt, taken, doubted int // of the last two, taken down by this call
	for _, i := range set.Instances {
		runs := i.Provisioning == "succeeded" && i.Power == "running"
		mute := runs && i.Health != "" && i.Health != "healthy" && i.Health != "unhealthy"
		starts := slices.Contains(k.Instances, i.ID)
		switch {
		case !runs || i.Health == "unhealthy":
			down++
		case mute && starts:
			doubted++
		case mute:
			doubt++
		case starts:
			taken++
		}
	}
	limit := c.Policy.MaxUnavailable.Of(len(set.Instances))
	if taken > 0 && down+doubt+doubted+taken > limit || doubted > 0 && down+doubted+taken > limit {
		c.blame("I5", k.Time, "%d instances were down, of %d nothing was told, and %v was started: more than %d of %d", down, doubt+doubted, k.Instances, limit, len(set.Instances))
	}
}

// rested: I6, what was started in other gates of the rollout is at rest since the soak began, but for what was
// set aside, as the rollout goes on without it, and for what people were told had failed a soak ago: what it did since is
// none of the rollout's (R29).
func (c *cases) rested(k Call, r *rollout) {
	set := k.set()
	for _, before := range c.ours() {
		if !before.Accepted || before.Set != k.Set || !before.Time.Before(k.Time) || before.Time.Before(r.opened) || c.e.lost(before.Time) {
			continue
		}
		for _, i := range set.Instances {
			if !slices.Contains(before.Instances, i.ID) || c.gateOf(i.ID, r, k) == c.gateOf(k.Instances[0], r, k) || c.aside(i.ID, r, k.Time) || c.failedSince(i.ID, r, k.Time) {
				continue
			}
			if i.Doing != "" || k.Time.Sub(i.Since)+c.e.jumped(i.Since, k.Time) < c.soak(r, k.Time) {
				c.blame("I6", k.Time, "%v was started %s after instance %s of %s was done", k.Instances, k.Time.Sub(i.Since), i.ID, c.gateOf(i.ID, r, k))
			}
		}
	}
}

// soak is the shortest that may hold.
func (c *cases) soak(r *rollout, at time.Time) time.Duration {
	return slices.MinFunc(c.rulings(r, at), func(a, b upgrade.Policy) int { return cmp.Compare(a.Soak, b.Soak) }).Soak
}

// rulings are what a rollout must keep to one of: what was in force when it was opened and what is now, the stricter
// of each (R21). What changed a moment ago the program may or may not have read yet.
func (c *cases) rulings(r *rollout, at time.Time) (out []upgrade.Policy) {
	then, now := c.Policy, []upgrade.Policy{c.Policy}
	for _, x := range c.e.Ruled {
		if x.At.Before(r.opened) {
			then = x.Policy
		}
		switch {
		case x.At.Add(blindness).Before(at):
			now = []upgrade.Policy{x.Policy}
		case !x.At.After(at):
			now = append(now, x.Policy)
		}
	}
	for _, p := range now {
		out = append(out, stricter(then, p))
	}
	return out
}

func stricter(then, now upgrade.Policy) upgrade.Policy {
	p := then
	if p.SelfApproval = max(then.SelfApproval, now.SelfApproval); then.SelfApproval == 0 || now.SelfApproval == 0 {
		p.SelfApproval = 0
	}
	p.Approvals, p.Soak = max(then.Approvals, now.Approvals), max(then.Soak, now.Soak)
	missing := func(who string) bool { return !slices.Contains(now.Approvers, who) }
	p.Approvers = slices.DeleteFunc(slices.Clone(then.Approvers), missing)
	return p
}

// gateOf is the gate of an instance: of the newest card that names it, or that a new plan moved it to since, else
// as the plan's table has it.
// Where the table is cut, the instance's own update domain says it.
func (c *cases) gateOf(id string, r *rollout, k Call) string {
	card := c.newest(func(x card) bool { return x.rollout == r.id && x.Posted().Before(k.Time) && slices.Contains(x.ids, id) })
	if gate, at := c.regrouped(id, r, k.Time); gate != "" && (card == nil || at.After(card.Posted())) {
		return gate
	}
	if card != nil {
		return card.gate
	}
	for gate, ids := range r.gates {
		if slices.Contains(ids, id) {
			return gate
		}
	}
	for _, i := range k.set().Instances {
		if gate := fmt.Sprint("UD ", i.UD); r.cut && i.ID == id && r.gates[gate] != nil {
			return gate
		}
	}
	return ""
}

// regrouped is the gate that people were told last a new plan has moved the instance to, and when.
func (c *cases) regrouped(id string, r *rollout, before time.Time) (gate string, at time.Time) {
	for _, p := range c.e.Posts {
		if p.Posted().After(before) || p.Posted().Before(at) || c.about(p) != r.id {
			continue
		}
		for _, l := range p.First().Lines {
			to, _, moved := strings.Cut(strings.TrimPrefix(l, "• instance "+id+": "), ", was UD ")
			if moved && strings.HasPrefix(l, "• instance "+id+": ") {
				gate, at = to, p.Posted()
			}
		}
	}
	return gate, at
}

// covered: I2, I3 and I4. It returns what the start was covered by.
func (c *cases) covered(k Call, r *rollout) (approval string) {
	gate := c.gateOf(k.Instances[0], r, k)
	for _, id := range k.Instances {
		if of := c.gateOf(id, r, k); of != gate || gate == "" {
			c.blame("I4", k.Time, "instance %s was started with %v: the plan has it in %q", id, k.Instances, of)
		}
	}
	card := c.newest(func(x card) bool { // of those that the journal knows
		return x.rollout == r.id && x.gate == gate && x.Posted().Before(k.Time) && !c.e.lost(x.Posted())
	})
	if card != nil && c.agreed(k, r, func(w word) bool {
		return w.card != nil && w.card.nonce == card.nonce && w.At.Before(c.holds(card.Posted(), k))
	}, c.holds(card.Posted(), k)) {
		for _, id := range k.Instances {
			if card.ids != nil && !slices.Contains(card.ids, id) { // a card cuts a long list, too
				c.blame("I4", k.Time, "instance %s was started and is not on the card of %s", id, gate)
			}
		}
		return card.nonce
	}
	// A yes to the rest covers gates that have no card of their own, and so does one to a card that says so.
	rest := func(w word) bool {
		return (w.rest || w.card != nil && w.card.all) && w.rollout == r.id && !k.Time.After(c.holds(w.At, k).Add(blindness))
	}
	if card == nil && c.agreed(k, r, rest, k.Time) {
		return r.id + " " + gate
	}
	c.blame("I2", k.Time, "%s of %v in %s was accepted and nobody's approval covers it", k.Action, k.Instances, gate)
	return r.id + " " + gate + " nobody"
}

// agreed reports whether enough people who may said yes before the start, which came in time.
func (c *cases) agreed(k Call, r *rollout, counts func(word) bool, until time.Time) bool {
	return !k.Time.After(until.Add(time.Second)) && slices.ContainsFunc(c.rulings(r, k.Time), func(pol upgrade.Policy) bool {
		var who []string
		for _, w := range c.words {
			if w.verb == "approve" && w.heard() && !w.At.After(k.Time) && counts(w) && c.stood(w, r, k, pol) && c.mayUnder(pol, w, r, k.Time) && !slices.Contains(who, w.User) {
				who = append(who, w.User)
			}
		}
		return len(who) >= max(1, pol.Approvals) || r.undoes != "" && len(who) > 0
	})
}

// stood: R23, a yes to one's own request stood for as long as the policy says before it counted.
func (c *cases) stood(w word, r *rollout, k Call, pol upgrade.Policy) bool {
	return w.User != r.requester || r.undoes != "" || k.Time.Sub(w.At)+c.e.jumped(w.At, k.Time) >= pol.SelfApproval
}

// may reports whether the person may approve the rollout at that time. A rollback takes one person who
// may ask or approve, also the one who wanted it (R5).
func (c *cases) may(w word, r *rollout, at time.Time) bool {
	return slices.ContainsFunc(c.rulings(r, at), func(pol upgrade.Policy) bool { return c.mayUnder(pol, w, r, at) })
}

func (c *cases) mayUnder(pol upgrade.Policy, w word, r *rollout, at time.Time) bool {
	user := w.User
	back := r.undoes != "" && slices.Contains(pol.Requesters, user)
	if !back && (user == r.requester && r.undoes == "" && pol.SelfApproval == 0 || !slices.Contains(pol.Approvers, user) && !c.calledIn(w, r)) {
		return false
	}
	if left, gone := c.e.Left[user]; gone && left.Add(time.Minute+blindness).Before(at) { // People believes an answer for a minute
		return false
	}
	for _, u := range c.e.Users {
		if u.ID == user {
			return !u.Guest && !u.UltraGuest && !u.Bot && !u.Stranger
		}
	}
	return false
}

// calledIn reports whether somebody whom the policy has for it was called in about the card that was answered,
// which everybody could read, before they said it.
func (c *cases) calledIn(w word, r *rollout) bool {
	card := c.newest(func(x card) bool { return x.rollout == r.id && x.Posted().Before(w.At) })
	return card != nil && !w.rest && slices.Contains(c.Policy.Escalate, w.User) && slices.ContainsFunc(c.e.Posts, func(p Post) bool {
		return c.about(p) == r.id && p.Posted().After(card.Posted()) && p.Posted().Before(w.At) && len(p.First().Lines) > 0 && strings.HasPrefix(p.First().Lines[0], ":rotating_light: *"+card.gate+" of ")
	})
}

// judgeModel: the model is written after the first approval only, or back after an abort.
func (c *cases) judgeModel() {
	for n, k := range c.e.Calls {
		if k.By != "" || k.Method == "POST" || !k.Accepted {
			continue
		}
		r := c.of(k)
		switch {
		case k.Method != "PATCH" || r == nil:
			c.blame("I2", k.Time, "%s of the set: nobody asked for it", k.Method)
		case version(k.to()) == r.target:
			if !slices.ContainsFunc(c.words, func(w word) bool {
				return w.verb == "approve" && w.heard() && w.rollout == r.id && !w.At.After(k.Time) && c.may(w, r, k.Time)
			}) {
				c.blame("I2", k.Time, "the model of %s was set before anybody agreed", r.set)
			}
		case !c.reverts(n, r):
			c.blame("I2", k.Time, "the model of %s was set to %s, which nobody wanted", r.set, version(k.to()))
		}
	}
}

// reverts reports whether the n-th call takes back what an earlier one of the rollout set, and a
// person wanted that.
func (c *cases) reverts(n int, r *rollout) bool {
	wanted := slices.ContainsFunc(c.words, func(w word) bool {
		said := w.verb == "model-revert" || w.verb == "abort" && strings.Contains(w.Text, " revert")
		return said && w.rollout == r.id && !w.At.After(c.e.Calls[n].Time)
	})
	return wanted && slices.ContainsFunc(c.e.Calls[:n], func(k Call) bool {
		return k.By == "" && k.Method == "PATCH" && k.Accepted && k.Set == c.e.Calls[n].Set && k.from() == c.e.Calls[n].to()
	})
}

// judgeWords: what people were told must be true, and they must be told (I8, I9, I12, R2).
func (c *cases) judgeWords() {
	for n, w := range c.words {
		if w.Acked && w.answered.IsZero() {
			c.unanswered(w)
		}
		r := c.rollout(w.rollout)
		if w.answered.IsZero() || r == nil {
			continue
		}
		for _, stop := range []struct {
			verb, told, rule string
			again            []string
		}{
			{"abort", "is aborted: nothing more is started", "I12", nil},
			{"rollback", "ends now", "I12", nil},
			{"pause", "is paused: nothing more starts", "R2", []string{"resume"}},
			{"deny", "Nothing starts until somebody asks again", "R24", []string{"ask", "replan"}}, // which asks with another card
		} {
			if w.verb == stop.verb && strings.Contains(w.answer, stop.told) && !c.e.lost(w.answered) { // a journal that is put back knows nothing of it
				c.silent(w, r, stop.rule, c.next(n, r.id, stop.again...))
			}
		}
	}
}

// next is when somebody said one of the verbs about the rollout after the n-th word; far away if nobody did.
func (c *cases) next(n int, rollout string, verbs ...string) time.Time {
	for _, w := range c.words[n+1:] {
		if w.rollout == rollout && slices.Contains(verbs, w.verb) {
			return w.At
		}
	}
	return c.e.Now.Add(time.Hour)
}

// silent: after the answer nothing of the rollout starts until then.
func (c *cases) silent(w word, r *rollout, rule string, until time.Time) {
	for _, k := range c.ours() {
		if k.Accepted && c.of(k) == r && k.Time.After(w.answered) && k.Time.Before(until) {
			c.blame(rule, k.Time, "%v was started although people had been told: %s", k.Instances, w.answer)
		}
	}
}

// unanswered: I8 and I9. Whether the bot is here is none of a stranger's business.
func (c *cases) unanswered(w word) {
	if slices.ContainsFunc(c.e.Users, func(u slacksim.User) bool { return u.ID == w.User && (u.Stranger || u.Bot) }) {
		return
	}
	rule, within := "I9", answerTime
	if c.e.crashedSince(w.At) {
		rule = "I8"
	}
	if c.e.Troubled {
		within = troubled
	}
	since := w.At
	if w.Heard.After(since) {
		since = w.Heard
	}
	if up := c.e.upFor(since, c.e.Now); up > within+c.e.Slow {
		c.blame(rule, w.At, "what %s said (%s%s) was acknowledged and not answered for %s", w.User, w.Text, w.Action, up)
	}
}

// countAnswers: without a crash or trouble nobody is answered twice (I9).
func (c *cases) countAnswers(used map[string]bool) {
	if c.e.Troubled || len(c.e.Downs) > 0 {
		return
	}
	for _, p := range c.e.Posts {
		if p.EphemeralTo != "" && !used[p.key()] {
			c.blame("I9", p.Posted(), "%s was told something without having asked: %s", p.EphemeralTo, p.Title())
		}
	}
}

// touched reports whether the rollout started the instance.
func (c *cases) touched(r *rollout, id string) bool {
	return slices.ContainsFunc(c.ours(), func(k Call) bool { return k.Accepted && c.of(k) == r && slices.Contains(k.Instances, id) })
}
