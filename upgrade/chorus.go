package upgrade

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Spoken is what a word about several rollouts comes to for one of them.
type Spoken struct {
	Rollout, Name string
	Change        Change // without events when nothing changes
	No            *Refusal
}

// SayAll is what one word comes to for each of several rollouts: all open ones that the person may see
// ([EverySet]), or those of a group. Each is judged by itself, by its own set's policy. Where it is said makes
// no difference: it stops what runs, or undoes just that, and is told in each thread.
func (d Desk) SayAll(ctx context.Context, by Person, w Word) ([]Spoken, error) {
	of := w.Rollout
	all, err := d.several(ctx, by, of)
	if err != nil {
		return nil, err
	}
	if no := w.ofSeveral(); no != nil {
		return nil, no
	}
	w.Of = of
	var out []Spoken
	for _, rec := range all {
		if rec.Rollout.Ended != nil || w.Verb == WordResume && (rec.Rollout.Pause == nil || rec.Rollout.Pause.Of == "") {
			continue // what was paused for itself is resumed for itself
		}
		w.Rollout = rec.ID
		change, _, err := d.hear(ctx, by, w, nil, rec)
		said := Spoken{Rollout: rec.ID, Name: rec.Plan.Name, Change: change, No: refusalOf(err)}
		if err != nil && said.No == nil {
			return nil, err
		}
		if w.Verb == WordResolve && said.No != nil && said.No.Code == CodeState {
			continue // no wave before this one has failed
		}
		out = append(out, said)
	}
	if i := slices.IndexFunc(out, func(s Spoken) bool { return len(s.Change.Events) > 0 }); i >= 0 && of != EverySet {
		out[i].Change.Posts = append(out[i].Change.Posts, reportsOf(all)...)
	}
	switch {
	case len(out) > 0:
	case of == EverySet:
		return nil, Refuse(CodeState, "/vmss status", "of all that you may see nothing is there to %s", w.Verb)
	default:
		return nil, Refuse(CodeState, "/vmss status "+of, "of %s nothing is there to %s", of, w.Verb)
	}
	return out, nil
}

// refusalOf is why one of several is left out; nil when it is not, or when nobody can be blamed for it: what the
// journal does not tell ends the whole, which may be tried once more.
func refusalOf(err error) (no *Refusal) {
	if errors.As(err, &no) && no.Code != CodeInside {
		return no
	}
	return nil
}

// reportsOf brings the reports of a group up to date that may ask what becomes of the waves after them.
func reportsOf(group []Record) (posts []Post) {
	for _, rec := range group {
		if e := rec.Rollout.Ended; e != nil && e.Outcome != OutcomeSucceeded {
			posts = append(posts, Post{Rollout: rec.ID, Slot: SlotReport, Channel: rec.Rollout.Channel, Broadcast: true})
		}
	}
	return posts
}

// ofSeveral refuses words that mean something else for each rollout.
func (w Word) ofSeveral() *Refusal {
	switch {
	case w.Verb == WordPause, w.Verb == WordResume:
		return nil
	case w.Rollout != EverySet && (w.Verb == WordAbort || w.Verb == WordResolve && w.Verdict == GoOn):
		return nil
	}
	return Refuse(CodeArg, "/vmss status "+strings.TrimPrefix(w.Rollout, EverySet), "to %s takes one rollout: say which", w.Verb)
}

// several are the rollouts of a group, or all that are open, as far as the person may see them.
func (d Desk) several(ctx context.Context, by Person, of string) ([]Record, error) {
	if of == EverySet {
		return d.open(ctx, by)
	}
	all, err := d.Journal.Group(ctx, of)
	if err != nil {
		return nil, inside("list group "+of, err)
	}
	all = slices.DeleteFunc(all, func(r Record) bool { return PolicyFor(d.Policies(), r.Plan.Set).Refuses(by, MayRead, "") != "" })
	if len(all) == 0 {
		return nil, Refuse(CodeUnknown, "/vmss status", "I know no group `%s` that you may see", of)
	}
	slices.SortFunc(all, Record.inWaves)
	return all, nil
}

// inWaves orders a group's rollouts by wave and name.
func (r Record) inWaves(s Record) int {
	if r.Rollout.Wave != nil && s.Rollout.Wave != nil && r.Rollout.Wave.N != s.Rollout.Wave.N {
		return r.Rollout.Wave.N - s.Rollout.Wave.N
	}
	return strings.Compare(r.Plan.Name+r.ID, s.Plan.Name+s.ID)
}

// InWaves sorts a group's rollouts in the order of its waves.
func InWaves(all []Record) { slices.SortFunc(all, Record.inWaves) }
