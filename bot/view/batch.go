package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// batch is the thread message of one call to Azure: a line an instance, edited through its life, and
// a closing line when the gate is done. What is tried once more in a later batch keeps its old line here.
func batch(n int, rec upgrade.Record, now time.Time) Message {
	slot := upgrade.BatchSlot(n)
	i := slices.IndexFunc(rec.Rollout.Batches, func(b upgrade.BatchStatus) bool { return b.N == n })
	if i < 0 {
		return refusedBatch(n, rec)
	}
	b := rec.Rollout.Batches[i]
	gate, _ := rec.Plan.Gate(b.Gate)
	before := pastOf(rec)
	var p page
	call := fmt.Sprintf("batch %d", n)
	if rec.Plan.Order.By == upgrade.ByBatch { // there a gate is called batch
		call = fmt.Sprintf("call %d", n)
	}
	p.para(fmt.Sprintf("*%s* of %s · %s · %s", gate.Title, name(rec.Plan.Name), call, upgrade.Count(len(b.Instances), "instance")), usual(b, rec.Plan), callLine(b, rec, now))
	p.para(teller{past: before, rec: rec, now: now, batch: b}.lines()...)
	p.para(closing(gate, n, rec, before))
	if rec.Rollout.Ended == nil && slices.ContainsFunc(before.kept, func(t testimony) bool { return slices.Contains(b.Instances, t.id) }) {
		look := askEvidence(rec)
		p.buttons(button(look.label, "What Azure said of what failed", look.r))
	}
	return p.done(slot, batchText(gate, b, rec, before))
}

// refusedBatch is what is left of a batch Azure definitely refused: nothing happened to anything.
func refusedBatch(n int, rec upgrade.Record) Message {
	line := fmt.Sprintf(":no_entry_sign: Batch %d of %s was not started: nothing happened to its instances.", n, name(rec.Plan.Name))
	for _, e := range slices.Backward(rec.Events) {
		if f, ok := e.Fact.(upgrade.Refused); ok {
			said := reason(f.Code, f.Message, 300)
			if upgrade.Sentence(f.Code, f.Message) == "" {
				said = esc(f.Code, 60) + ": " + said
			}
			line += "\nAzure refused: " + said
			break
		}
	}
	var p page
	p.para(line)
	p.small(code(rec.ID))
	return p.done(upgrade.BatchSlot(n), fmt.Sprintf("%s: batch %d was not started (%s)", name(rec.Plan.Name), n, esc(rec.ID, 20)))
}

func batchText(g upgrade.Gate, b upgrade.BatchStatus, rec upgrade.Record, before past) string {
	n := map[upgrade.Progress]int{}
	for _, id := range b.Instances {
		n[before.in(b.N, id, rec.Rollout).State]++
	}
	return fmt.Sprintf("%s %s: %d/%d ok, %d failed (%s)", name(rec.Plan.Name), g.Title, n[upgrade.OK], len(b.Instances), n[upgrade.Broken], esc(rec.ID, 20))
}

// callLine tells how the call itself stands; nothing while it is simply over.
func callLine(b upgrade.BatchStatus, rec upgrade.Record, now time.Time) string {
	switch f := resolution(b, rec); {
	case f.Verdict != "":
		return fmt.Sprintf(":eyes: The call brought no answer. %s looked: %s%s", name(f.Name), found[f.Verdict], because(f.Reason))
	case b.Op.State == upgrade.StateFailed:
		said := reason(b.Op.Code, strings.TrimPrefix(b.Op.Cause, b.Op.Code+" "), 300)
		return ":warning: Azure reported a failure: " + strings.TrimSuffix(said, ".") + ". Each instance is judged by itself."
	case b.Op.State == upgrade.StateSending && b.Op.Cause != "":
		return fmt.Sprintf(":grey_question: The call brought no answer (%s): the set is watched until it is clear what happened.", esc(b.Op.Cause, 200))
	case b.Op.Resend && b.Op.State == upgrade.StateAccepted:
		return fmt.Sprintf("The first call brought no answer and left no trace. Sent once more, Azure has been at work for %s", span(now.Sub(b.Op.SentAt)))
	case b.Op.State == upgrade.StateSending || b.Op.State == upgrade.StateAccepted:
		return fmt.Sprintf("Azure has been at work for %s", span(now.Sub(b.Op.SentAt)))
	}
	return ""
}

// resolution is what somebody found who looked what became of a batch's call; zero = nobody had to.
func resolution(b upgrade.BatchStatus, rec upgrade.Record) upgrade.Resolved {
	for _, e := range rec.Events {
		if f, ok := e.Fact.(upgrade.Resolved); ok && f.Op == b.Op.ID && f.Op != "" {
			return f
		}
	}
	return upgrade.Resolved{}
}

// teller tells where instances stand, each in a line.
type teller struct {
	past
	rec   upgrade.Record
	now   time.Time
	batch upgrade.BatchStatus
	room  int // characters of a reason
}

// lines are those of the batch. However many there are, each keeps its line: the more, the shorter their
// reasons.
func (t teller) lines() []string {
	t.room = max(60, min(300, 5000/max(1, len(t.batch.Instances))))
	var out []string
	for _, id := range t.batch.Instances {
		was := t.in(t.batch.N, id, t.rec.Rollout)
		line := t.line(id, was)
		if was.over {
			line += since(t.rec.Rollout.Instances[id])
		}
		out = append(out, line)
	}
	return out
}

// since is what became of an instance after the attempt that a line tells of.
func since(now upgrade.InstanceStatus) string {
	switch {
	case now.Batch > 0:
		return fmt.Sprintf(" · once more in batch %d", now.Batch)
	case now.Retry && !now.State.Final():
		return " · waits to be tried once more"
	case now.State == upgrade.Waiting:
		return " · waits for another yes"
	}
	return " · since then " + string(now.State)
}

// usual is the step from image to image that most of a batch takes: it stands above the lines, so
// that these fit a phone and only the exceptions repeat it.
func usual(b upgrade.BatchStatus, p upgrade.Plan) string {
	if len(b.Instances) == 0 {
		return ""
	}
	m, _, _ := p.Member(b.Instances[0])
	was := doingOf(p.Target.Setting).told(m.From.String())
	switch {
	case b.Op.Kind == upgrade.OpReimage:
		return upperFirst(disk(p.Target.Setting)[2:])
	case back(p):
		return fmt.Sprintf(":rewind: %s back to %s", was, version(p.Target))
	}
	return was + " → " + version(p.Target)
}

// step is an instance's own step, "" where it is the usual one.
func (t teller) step(m upgrade.Member, image string) string {
	p, fromElsewhere := t.rec.Plan, true
	if len(t.batch.Instances) > 0 {
		first, _, _ := p.Member(t.batch.Instances[0])
		fromElsewhere = !m.From.Same(first.From) && t.batch.Op.Kind != upgrade.OpReimage
	}
	d := doingOf(p.Target.Setting)
	if !fromElsewhere && d.told(image) == version(p.Target) {
		return ""
	}
	return d.told(m.From.String()) + " → " + d.told(image)
}

// line tells where one instance stands, or stood.
func (t teller) line(id string, st attempt) string {
	m, _, _ := t.rec.Plan.Member(id)
	if st.over && !st.State.Final() && st.State != upgrade.Unclear { // somebody found that it never began
		st.State = upgrade.Waiting
	}
	d := doingOf(t.rec.Plan.Target.Setting)
	head := strings.TrimSpace(fmt.Sprintf("%s `%s` %s", shapeOf(st.State), mono(id, 24), place(m))) + "  "
	if line := t.trouble(id, st); line != "" {
		return head + line
	}
	switch st.State {
	case upgrade.OK:
		return head + dots("ok in "+span(st.At.Sub(st.Started)), t.step(m, st.Image), seenTwice(t.rec.Plan))
	case upgrade.Confirmed:
		return head + fmt.Sprintf("seen good once · %s", span(t.now.Sub(st.Started)))
	case upgrade.Checking:
		return head + fmt.Sprintf("%s %s, coming up · %s · %s", d.at, d.told(st.Image), span(t.now.Sub(st.Started)), esc(st.Detail, min(t.room, 80)))
	case upgrade.Going:
		return head + d.going + " " + span(t.now.Sub(st.Started))
	}
	return head + "not started"
}

// trouble tells of an instance that did not simply come up, "" if it did: the bot's own judgement with
// its time, a person's with their reason and, where they set it aside, why it had failed.
func (t teller) trouble(id string, st attempt) string {
	after, why := "", reason(st.Code, st.Detail, t.room)
	if st.At.Equal(st.judged) && !st.Started.IsZero() {
		after = " after " + span(st.At.Sub(st.Started))
	}
	switch st.State {
	case upgrade.OK:
		if st.Detail != "" {
			return "ok · " + why
		}
	case upgrade.Broken:
		return "*failed*" + after + ": " + why
	case upgrade.Unclear:
		return "*inconclusive*" + after + ": " + why
	case upgrade.Aside:
		if f, failed := t.failures[id]; failed {
			why += " · it had failed: " + reason(f.Code, f.Detail, t.room)
		}
		return why
	case upgrade.Passed:
		return why
	case upgrade.Vanished, upgrade.Left:
		return fmt.Sprintf("%s: %s", st.State, why)
	}
	return ""
}

// place is where an instance is, as far as that is told: of Flexible sets Azure tells no fault domain.
func place(m upgrade.Member) string {
	var parts []string
	if m.FaultDomain >= 0 {
		parts = append(parts, domain("FD ", m.FaultDomain))
	}
	if m.Zone != "" {
		parts = append(parts, "zone "+esc(m.Zone, 12))
	}
	return strings.Join(parts, ", ")
}

// seenTwice says what "ok" rests on: a set without a health source has only power and provisioning.
func seenTwice(p upgrade.Plan) string {
	if slices.ContainsFunc(p.Hazards, func(s string) bool { return len(s) >= 16 && s[:16] == "no health signal" }) {
		return "seen running twice"
	}
	return "healthy twice"
}

// closing stands under the last batch of a gate that is done.
func closing(g upgrade.Gate, n int, rec upgrade.Record, before past) string {
	r := rec.Rollout
	since, done := r.GateDone(g)
	last := 0
	for _, b := range r.Batches {
		if b.Gate == g.Key {
			last = b.N
		}
	}
	if !done || last != n {
		return ""
	}
	return fmt.Sprintf("*%s done: %s%s*%s", g.Title, results(g, r), tookOf(g, rec, before), rest(g, since, rec))
}

// results counts how a gate's instances came out.
func results(g upgrade.Gate, r upgrade.Rollout) string {
	n := map[upgrade.Progress]int{}
	for _, m := range g.Instances {
		n[r.Instances[m.ID].State]++
	}
	s := fmt.Sprintf("%d/%d ok", n[upgrade.OK], len(g.Instances))
	for _, state := range []upgrade.Progress{upgrade.Broken, upgrade.Unclear, upgrade.Aside, upgrade.Passed, upgrade.Vanished, upgrade.Left} {
		if n[state] > 0 {
			s += fmt.Sprintf(", %d %s", n[state], state)
		}
	}
	return s
}

// rest is the wait that follows a gate, where something follows.
func rest(g upgrade.Gate, since time.Time, rec upgrade.Record) string {
	p := rec.Plan
	if rec.Rollout.Abort != nil || upgrade.LastDecided(rec.Events).Kind == upgrade.Hold {
		return ""
	}
	_, at := p.Gate(g.Key)
	wait, what := p.Limits.Soak, "soak"
	if at == len(p.Gates)-1 {
		wait, what = p.Limits.Bake, "bake"
	}
	if wait <= 0 {
		return ""
	}
	return fmt.Sprintf(" · %s until %s", what, when(since.Add(wait)))
}
