package view

import (
	"fmt"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// batch is the thread message of one call to Azure: a line an instance, edited through its life, and
// a closing line when the gate is done.
func batch(n int, rec upgrade.Record, now time.Time) Message {
	slot := upgrade.BatchSlot(n)
	i := slices.IndexFunc(rec.Rollout.Batches, func(b upgrade.BatchStatus) bool { return b.N == n })
	if i < 0 {
		return refusedBatch(n, rec)
	}
	b := rec.Rollout.Batches[i]
	gate, _ := rec.Plan.Gate(b.Gate)
	var p page
	p.para(fmt.Sprintf("*%s* of %s · batch %d · %s", gate.Title, name(rec.Plan.Name), n, upgrade.Count(len(b.Instances), "instance")), usual(b, rec), callLine(b, rec, now))
	p.para(instanceLines(b, rec, now)...)
	p.para(closing(gate, n, rec))
	return p.done(slot, batchText(gate, b, rec))
}

// refusedBatch is what is left of a batch Azure definitely refused: nothing happened to anything.
func refusedBatch(n int, rec upgrade.Record) Message {
	line := fmt.Sprintf(":no_entry_sign: Batch %d of %s was not started: nothing happened to its instances.", n, name(rec.Plan.Name))
	for _, e := range slices.Backward(rec.Events) {
		if f, ok := e.Fact.(upgrade.Refused); ok {
			line += fmt.Sprintf("\nAzure refused: %s: %s", esc(f.Code, 60), esc(f.Message, 300))
			break
		}
	}
	var p page
	p.para(line)
	p.small(code(rec.ID))
	return p.done(upgrade.BatchSlot(n), fmt.Sprintf("%s: batch %d was not started (%s)", name(rec.Plan.Name), n, esc(rec.ID, 20)))
}

func batchText(g upgrade.Gate, b upgrade.BatchStatus, rec upgrade.Record) string {
	n := map[upgrade.Progress]int{}
	for _, id := range b.Instances {
		n[rec.Rollout.Instances[id].State]++
	}
	return fmt.Sprintf("%s %s: %d/%d ok, %d failed (%s)", name(rec.Plan.Name), g.Title, n[upgrade.OK], len(b.Instances), n[upgrade.Broken], esc(rec.ID, 20))
}

// callLine tells how the call itself stands; nothing while it is simply over.
func callLine(b upgrade.BatchStatus, rec upgrade.Record, now time.Time) string {
	switch {
	case b.Op.State == upgrade.StateFailed:
		return ":warning: Azure reported a failure: " + esc(b.Op.Cause, 300) + ". Each instance is judged by itself."
	case b.Op.State == upgrade.StateSending && b.Op.Cause != "":
		return fmt.Sprintf(":grey_question: The call brought no answer (%s): the set is watched until it is clear what happened.", esc(b.Op.Cause, 200))
	case b.Op.Resend && b.Op.State == upgrade.StateAccepted:
		return fmt.Sprintf("The first call brought no answer and left no trace. Sent once more, Azure has been at work for %s", span(now.Sub(b.Op.SentAt)))
	case b.Op.State == upgrade.StateSending || b.Op.State == upgrade.StateAccepted:
		return fmt.Sprintf("Azure has been at work for %s", span(now.Sub(b.Op.SentAt)))
	}
	return ""
}

func instanceLines(b upgrade.BatchStatus, rec upgrade.Record, now time.Time) []string {
	// However many there are, each keeps its line: the more, the shorter their reasons.
	room := max(60, min(300, 5000/max(1, len(b.Instances))))
	ordinary := usual(b, rec)
	var out []string
	for _, id := range b.Instances {
		out = append(out, instanceLine(id, rec, now, room, ordinary))
	}
	return out
}

// usual is the step from image to image that most of a batch takes: it stands above the lines, so
// that these fit a phone and only the exceptions repeat it.
func usual(b upgrade.BatchStatus, rec upgrade.Record) string {
	if len(b.Instances) == 0 {
		return ""
	}
	m, _, _ := rec.Plan.Member(b.Instances[0])
	return version(m.From) + " → " + version(rec.Plan.Target.Image)
}

// instanceLine tells where one instance stands, in at most room characters of reason.
func instanceLine(id string, rec upgrade.Record, now time.Time, room int, ordinary string) string {
	m, _, _ := rec.Plan.Member(id)
	st := rec.Rollout.Instances[id]
	head := fmt.Sprintf("%s `%s` %s  ", shapeOf(st.State), mono(id, 24), place(m))
	switch st.State {
	case upgrade.OK:
		step := version(m.From) + " → " + orUnknown(st.Image)
		if step == ordinary {
			step = ""
		}
		return head + dots("ok in "+span(st.At.Sub(st.Started)), step, seenTwice(rec.Plan))
	case upgrade.Broken:
		return head + fmt.Sprintf("*failed* after %s: %s", span(st.At.Sub(st.Started)), esc(st.Detail, room))
	case upgrade.Vanished, upgrade.Left:
		return head + fmt.Sprintf("%s: %s", st.State, esc(st.Detail, room))
	case upgrade.Confirmed:
		return head + fmt.Sprintf("seen good once · %s", span(now.Sub(st.Started)))
	case upgrade.Checking:
		return head + fmt.Sprintf("on %s, coming up · %s · %s", orUnknown(st.Image), span(now.Sub(st.Started)), esc(st.Detail, min(room, 80)))
	case upgrade.Going:
		return head + "upgrading " + span(now.Sub(st.Started))
	}
	return head + "not started"
}

func place(m upgrade.Member) string {
	s := domain("FD ", m.FaultDomain)
	if m.Zone != "" {
		s += ", zone " + esc(m.Zone, 12)
	}
	return s
}

func orUnknown(v string) string {
	if v == "" {
		return "an unknown image"
	}
	return esc(v, 40)
}

// seenTwice says what "ok" rests on: a set without a health source has only power and provisioning.
func seenTwice(p upgrade.Plan) string {
	if slices.ContainsFunc(p.Hazards, func(s string) bool { return len(s) >= 16 && s[:16] == "no health signal" }) {
		return "seen running twice"
	}
	return "healthy twice"
}

// closing stands under the last batch of a gate that is done.
func closing(g upgrade.Gate, n int, rec upgrade.Record) string {
	r := rec.Rollout
	since, done := r.GateDone(g)
	first, _ := batchOf(r, g)
	last := first
	for _, b := range r.Batches {
		if b.Gate == g.Key {
			last = b
		}
	}
	if !done || last.N != n {
		return ""
	}
	return fmt.Sprintf("*%s done: %s in %s*%s", g.Title, results(g, r), span(since.Sub(first.Op.SentAt)), rest(g, since, rec))
}

// results counts how a gate's instances came out.
func results(g upgrade.Gate, r upgrade.Rollout) string {
	n := map[upgrade.Progress]int{}
	for _, m := range g.Instances {
		n[r.Instances[m.ID].State]++
	}
	s := fmt.Sprintf("%d/%d ok", n[upgrade.OK], len(g.Instances))
	for _, state := range []upgrade.Progress{upgrade.Broken, upgrade.Vanished, upgrade.Left} {
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
