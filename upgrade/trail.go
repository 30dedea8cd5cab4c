package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Entry is one line of the audit: what a person or the bot did, as the journal has it.
type Entry struct {
	At          time.Time
	By          string   // Slack user id; "" = the bot
	Name        string   // of who did it, as then known; "" = the bot, or nobody knew it
	Rollout     string   // "" = of no rollout
	Set         string   // the set's name, "" = of no one set
	Kind        string   // the journal's own word for it, see [FactKind]
	What        string   // a sentence without its subject; foreign text in it is not escaped
	Gate        string   // what it is about, "" = all
	Instances   []string // nil = no one instance is meant
	Correlation string   // by which Azure knows a call
}

// Trail tells a rollout as an auditor asks for it: who wanted what, what people were shown and said, what
// was sent to Azure, and how each instance came out. What the bot only thought is left out.
func Trail(rec Record) []Entry {
	t := trail{rec: rec, ops: map[string]Operation{}, shown: map[string]Asked{}, names: map[string]string{}}
	var out []Entry
	for i := 0; i < len(rec.Events); i++ {
		e := rec.Events[i]
		x := t.entry(e)
		if seen, ok := e.Fact.(InstanceSeen); ok {
			var more int
			x, more = came(seen, rec.Events[i+1:], e)
			i += more
		}
		if x.What == "" {
			continue
		}
		by := e.By
		if vote, is := e.Fact.(Voted); is {
			by = cmp.Or(vote.Voter, by)
		}
		if x.Name != "" {
			t.names[by] = x.Name
		}
		x.At, x.By, x.Name, x.Rollout, x.Set, x.Kind = e.At, by, t.names[by], rec.ID, rec.Plan.Name, FactKind(e.Fact)
		out = append(out, x)
	}
	return out
}

// trail is what of a rollout's past the next entry is told with.
type trail struct {
	rec   Record
	ops   map[string]Operation
	shown map[string]Asked // the latest asking of each gate
	names map[string]string
}

func (t trail) entry(e Event) Entry {
	switch f := e.Fact.(type) {
	case Requested:
		p := t.rec.Plan
		return Entry{Name: f.Name, What: fmt.Sprintf("asked for %s of %s to %s: %s in %s%s", p.Action, p.Name, briefly(p.Target.Setting), Count(p.Size(), "instance"), Count(len(p.Gates), "gate"), f.Wave.told()+remarked(p.Note))}
	case Replanned:
		return Entry{Name: f.Name, What: "had it planned anew (" + strings.Join(f.Changes, "; ") + "), so that every yes was void"}
	case Asked, AskedAgain, Voted, Granted, Denied:
		return t.approval(f)
	case Paused:
		what := "paused it"
		if f.Of != "" {
			what = "paused it, with others (" + f.Of + ")"
		}
		return Entry{Name: f.Name, What: what + reasoned(f.Reason)}
	case Resumed:
		return Entry{Name: f.Name, What: "ended the pause"}
	case AbortAsked:
		what := "ended it"
		if f.Rollback {
			what = "ended it and had it rolled back"
		}
		return Entry{Name: f.Name, What: what + reasoned(f.Reason)}
	case Retried:
		return Entry{Name: f.Name, Instances: f.IDs, What: "wants " + those(f.IDs, "what Azure refused") + " tried once more"}
	case Skipped:
		return Entry{Name: f.Name, Instances: f.IDs, What: "left " + those(f.IDs, "") + " as they are" + reasoned(f.Reason)}
	case Quarantined:
		return Entry{Name: f.Name, Instances: f.IDs, What: "set " + those(f.IDs, "") + " aside" + reasoned(f.Reason)}
	case Resolved:
		return t.resolved(f)
	case HandedOver:
		return Entry{Name: f.Name, What: "handed it over to " + f.ToName + reasoned(f.Note)}
	case ModelAnswered:
		return Entry{Name: f.Name, What: "about the model: " + string(f.Answer)}
	case ModelReverted:
		if f.OK {
			return Entry{What: "the model names what it did before"}
		}
		return Entry{What: "the model was left as it is" + reasoned(f.Detail)}
	case Probed:
		return Entry{What: fmt.Sprintf("external gate %s: %s%s", f.Name, f.State, reasoned(f.Why))}
	case Ended:
		return Entry{What: fmt.Sprintf("it ended: %s%s", f.Outcome, reasoned(f.Reason))}
	}
	return t.call(e.Fact)
}

// approval tells what people were shown, and what they said to it.
func (t trail) approval(f Fact) Entry {
	about := func(gate, name, format string, args ...any) Entry {
		g, _ := t.rec.Plan.Gate(gate)
		x := Entry{Name: name, Gate: cmp.Or(g.Title, gate), Instances: t.shown[gate].Instances}
		if x.Instances == nil {
			x.Instances = members(g)
		}
		x.What = fmt.Sprintf(format, append([]any{x.Gate}, args...)...)
		return x
	}
	switch f := f.(type) {
	case Asked:
		t.shown[f.Gate] = f
		x := about(f.Gate, "", "put %s to people, card %d", f.Asking)
		if f.Nonce == "" { // no card of its own
			x = about(f.Gate, "", "agreed to %s with a card before")
		}
		x.What += ": " + those(x.Instances, "") + " to " + briefly(t.rec.Plan.Target.Setting)
		if len(f.Changes) > 0 {
			x.What += ", and of the model " + strings.Join(f.Changes, ", ")
		}
		return x
	case AskedAgain:
		return about(f.Gate, "", "wants %s asked for once more")
	case Voted:
		return about(f.Gate, f.Name, "said yes to %s, card %d", f.Asking)
	case Granted:
		return about(f.Gate, "", "gave the last yes that %s of plan %s needed", Plan{Digest: f.Digest}.Short())
	case Denied:
		return about(f.Gate, f.Name, "said no to %s, card %d%s", f.Asking, reasoned(f.Reason))
	}
	return Entry{}
}

// call tells what became of a write to Azure.
func (t trail) call(f Fact) Entry {
	about := func(op, what string) Entry {
		o := t.ops[op]
		gate, _ := t.rec.Plan.Gate(o.Gate)
		return Entry{Gate: gate.Title, Instances: o.Instances, What: fmt.Sprintf("%s: %s", o.says(), what)}
	}
	switch f := f.(type) {
	case Intended:
		t.ops[f.Op.ID] = f.Op
	case Accepted:
		x := about(f.Op, "Azure took it")
		x.Correlation = f.Correlation
		return x
	case Refused:
		return about(f.Op, fmt.Sprintf("Azure refused it, %s: %s", f.Code, f.Message))
	case Unanswered:
		return about(f.Op, "no answer, "+f.Cause)
	case Settled:
		if !f.OK {
			return about(f.Op, fmt.Sprintf("Azure failed at it, %s: %s", f.Code, f.Message))
		}
	}
	return Entry{}
}

func (o Operation) says() string {
	switch o.Kind {
	case OpUpgrade:
		return "upgrade of " + those(o.Instances, "")
	case OpReimage:
		return "reimage of " + those(o.Instances, "")
	case OpRevert:
		return "putting " + briefly(o.To) + " back into the model"
	}
	return "writing " + briefly(o.To) + " into the model"
}

func (t trail) resolved(f Resolved) Entry {
	if f.Verdict == GoOn {
		return Entry{Name: f.Name, What: "let it go on although " + strings.Join(f.Over, ", ") + " of a wave before did not succeed" + reasoned(f.Reason)}
	}
	if f.Op != "" {
		op := t.ops[f.Op]
		return Entry{Name: f.Name, Instances: op.Instances, What: fmt.Sprintf("says of the %s: %s%s", op.says(), f.Verdict, reasoned(f.Reason))}
	}
	if f.Verdict == Passes {
		return Entry{Name: f.Name, What: fmt.Sprintf("says of external gate %s: %s%s", strings.Join(f.Probes, ", "), f.Verdict, reasoned(f.Reason))}
	}
	return Entry{Name: f.Name, Instances: f.IDs, What: fmt.Sprintf("says of %s: %s%s", those(f.IDs, ""), f.Verdict, reasoned(f.Reason))}
}

// came tells how an instance came out, and with it those that came out the same at that moment: so many of
// the later events. Their way there is nobody's business.
func came(f InstanceSeen, later []Event, at Event) (x Entry, more int) {
	if !f.State.Final() && f.State != Unclear {
		return Entry{}, 0
	}
	x.Instances = []string{f.ID}
	for _, e := range later {
		next, ok := e.Fact.(InstanceSeen)
		same := next
		same.ID = f.ID
		if !ok || same != f || !e.At.Equal(at.At) {
			break
		}
		x.Instances = append(x.Instances, next.ID)
		more++
	}
	x.What = fmt.Sprintf("%s: %s", those(x.Instances, ""), f.State)
	if f.Image != "" {
		x.What += " on " + f.Image
	}
	x.What += reasoned(f.Detail)
	return x, more
}

func remarked(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}

func reasoned(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// those names instances, and none with a word of its own.
func those(ids []string, none string) string {
	switch len(ids) {
	case 0:
		return cmp.Or(none, "nothing")
	case 1:
		return "instance " + ids[0]
	}
	return "instances " + strings.Join(ids, ", ")
}

func members(g Gate) []string {
	var ids []string
	for _, m := range g.Instances {
		ids = append(ids, m.ID)
	}
	return ids
}

// About reports whether the entry tells something of one of the instances: of what concerns a whole rollout,
// what opens and ends it.
func (e Entry) About(ids []string) bool {
	if e.Instances == nil {
		return e.Kind == "Requested" || e.Kind == "Replanned" || e.Kind == "AbortAsked" || e.Kind == "Ended"
	}
	return slices.ContainsFunc(e.Instances, func(id string) bool { return slices.Contains(ids, id) })
}

// touches reports whether one of the instances is in the rollout's plan.
func (r Record) touches(ids []string) bool {
	return slices.ContainsFunc(r.Plan.Gates, func(g Gate) bool {
		return slices.ContainsFunc(g.Instances, func(m Member) bool { return slices.Contains(ids, m.ID) })
	})
}

// SystemTrail tells what people did that is of no rollout.
func SystemTrail(events []Event) []Entry {
	var out []Entry
	for _, e := range events {
		x := Entry{At: e.At, By: e.By, Kind: FactKind(e.Fact)}
		switch f := e.Fact.(type) {
		case Declined:
			x.What = fmt.Sprintf("was told no (%s): %s", f.Code, f.What)
		case Froze:
			x.Name, x.What = f.Name, "froze "+cmp.Or(strings.Join(f.Sets, ", "), "every set")+reasoned(f.Why)
		case Unfroze:
			x.Name, x.What = f.Name, "lifted the freeze "+f.ID+reasoned(f.Why)
		case Scheduled:
			x.Name, x.What = f.ByName, fmt.Sprintf("made schedule %s: %s, cron=%q in %s", f.ID, f.Said, f.Cron, f.Zone)
		case Unscheduled:
			x.Name, x.What = f.Name, "took schedule "+f.ID+" away"+reasoned(f.Why)
		case Fired:
			x.What = f.told()
		case Governed:
			var changes []string
			for _, c := range f.Changes {
				changes = append(changes, fmt.Sprintf("the policy of %s changed: %s", c.Pattern, strings.Join(c.What, ", ")))
			}
			x.What = strings.Join(changes, "; ")
		default:
			continue
		}
		out = append(out, x)
	}
	return out
}

func briefly(s Setting) string { return cmp.Or(s.Size, s.Image.Running()) }
