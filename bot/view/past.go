package view

import (
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// past is what the status of instances keeps no more, as it has only the last word on each: how earlier
// attempts came out, and what Azure said of them.
type past struct {
	attempts map[string][]attempt            // how earlier attempts at each instance ended, oldest first
	failures map[string]upgrade.InstanceSeen // the last failure, or doubt, of each
	judged   map[string]time.Time            // when the bot last saw where each stands
	ends     map[int]time.Time               // when the last instance of each batch was judged
	kept     []testimony                     // in the order they were kept
}

// attempt is how an instance came out of a batch.
type attempt struct {
	upgrade.InstanceStatus
	judged time.Time // when the bot last saw where it stands; what people said of it may be newer
	over   bool      // something was done about it since
}

// testimony is what Azure said of one attempt at an instance.
type testimony struct {
	id    string
	try   int // 1 = the first attempt
	at    time.Time
	lines []string
}

// pastOf reads it from the events in one go.
func pastOf(rec upgrade.Record) past {
	p := past{attempts: map[string][]attempt{}, failures: map[string]upgrade.InstanceSeen{}, judged: map[string]time.Time{}, ends: map[int]time.Time{}}
	ops := map[string]upgrade.Operation{}
	in, tries := map[string]int{}, map[string]int{} // each instance's batch, and how often it was started
	r, from := upgrade.Fold(rec.ID, nil), 0
	for i, e := range rec.Events {
		switch f := e.Fact.(type) {
		case upgrade.Intended:
			ops[f.Op.ID] = f.Op
		case upgrade.Sending:
			op := ops[f.Op]
			for _, id := range op.Instances {
				in[id] = op.Batch
				tries[id] += started(op)
			}
		case upgrade.Refused:
			op := ops[f.Op]
			for _, id := range op.Instances {
				tries[id] -= started(op)
			}
		case upgrade.Evidence:
			p.kept = append(p.kept, testimony{f.ID, tries[f.ID], e.At, f.Lines})
		case upgrade.InstanceSeen:
			p.see(f, e.At, in[f.ID])
		case upgrade.Retried, upgrade.Resolved, upgrade.Replanned:
			before := r.With(rec.Events[from:i]...)
			r, from = before.With(e), i+1
			p.leave(before, r, in)
		}
	}
	return p
}

// started is how many attempts an operation is: sent once more it still is the same one.
func started(op upgrade.Operation) int {
	if op.Resend {
		return 0
	}
	return 1
}

func (p past) see(f upgrade.InstanceSeen, at time.Time, batch int) {
	p.judged[f.ID] = at
	if batch > 0 {
		p.ends[batch] = at
	}
	if f.State == upgrade.Broken || f.State == upgrade.Unclear {
		p.failures[f.ID] = f
	}
}

// leave keeps how attempts ended whose instances were taken out of their batch.
func (p past) leave(before, after upgrade.Rollout, in map[string]int) {
	for id, was := range before.Instances {
		if was.Batch > 0 && after.Instances[id].Batch == 0 {
			p.attempts[id] = append(p.attempts[id], attempt{was, p.judged[id], true})
			delete(in, id)
		}
	}
}

// in is how an instance came out of a batch, or stands in it.
func (p past) in(batch int, id string, r upgrade.Rollout) attempt {
	for _, was := range p.attempts[id] {
		if was.Batch == batch && r.Instances[id].Batch != batch {
			return was
		}
	}
	return p.last(id, r)
}

// last is how an instance stands.
func (p past) last(id string, r upgrade.Rollout) attempt {
	return attempt{r.Instances[id], p.judged[id], false}
}

// took is how long Azure and the instances were at work on a batch.
func (p past) took(b upgrade.BatchStatus) time.Duration {
	end := b.Op.SettledAt
	if at := p.ends[b.N]; at.After(end) {
		end = at
	}
	return max(0, end.Sub(b.Op.SentAt))
}

// reason is why something failed: what Azure's code means, and the code, where that is known, else
// Azure's own words, in at most room characters. What to do about it stands on the hold.
func reason(code, detail string, room int) string {
	what, _, _ := strings.Cut(upgrade.Sentence(code, detail), ". ")
	if what == "" {
		return esc(detail, room)
	}
	return prose(middle(strings.TrimSuffix(what, "."), room)) + " (" + esc(code, 60) + ")"
}
