package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// isGroup reports whether s has the shape of the id of rollouts that one command opened.
func isGroup(s string) bool {
	return upgrade.IsGroup(s) && isRollout(upgrade.Lead(s))
}

// isSets reports whether s can mean a scale set or several: a pattern of names, or a group of the configuration.
func isSets(s string) bool {
	name, group := strings.CutPrefix(s, "group:")
	if group {
		return isName(name, maxSet)
	}
	plain := strings.Map(func(r rune) rune {
		if r == '*' || r == '?' {
			return 'x'
		}
		return r
	}, s)
	return isSet(plain)
}

// ofSeveral reports whether the verb can be said of several rollouts at once.
func (v Verb) ofSeveral() bool {
	switch v {
	case VerbPause, VerbResume, VerbAbort, VerbResolve, VerbStatus, VerbWhy:
		return true
	}
	return false
}

// ofAll reports whether the verb can be said of all that is open: what stops, and what undoes just that.
func (v Verb) ofAll() bool { return v == VerbPause || v == VerbResume }

// ofSeveral is what the forms of verbs do that are said of several rollouts.
var ofSeveral = map[Verb]string{
	VerbPause:   "Starts nothing more in any rollout of these that you may stop, until resume. Batches that Azure is at work on finish.",
	VerbAbort:   "Ends at once every rollout of these that is open and that you may stop, also those whose wave is under way; what Azure is at work on is followed to its end.",
	VerbResolve: "Lets every rollout of these go on that waits because one of a wave before it did not succeed. It is for what has ended by now. Look at it first: I go by your word.",
}

// severally reports whether the request is about several rollouts.
func (r Request) severally() bool { return isGroup(r.Rollout) || r.Rollout == upgrade.EverySet }

// skippedSets reads the scale sets that are left out of several.
func skippedSets(r *Request, s string) (meant string, err error) {
	names := strings.Split(s, ",")
	if slices.ContainsFunc(names, func(name string) bool { return !isSet(name) }) {
		return "", errors.New("it leaves out scale sets, such as `skip=set:web-b,web-c`, without blanks")
	}
	slices.Sort(names)
	r.Without = slices.Compact(names)
	return "", nil
}

// Several is what a command for several scale sets comes to.
type Several struct {
	Group string    `json:",omitempty"` // the id of what was opened
	Name  string    // as it was said
	Of    int       // waves
	Sets  []SetPlan // in the order of the waves
}

// SetPlan is one of the sets of a command for several.
type SetPlan struct {
	Wave      int
	Name      string
	Rollout   string `json:",omitempty"`
	Target    upgrade.Target
	Instances int      `json:",omitempty"`
	Gates     int      `json:",omitempty"`
	Refusal   *Refusal `json:",omitempty"` // why there is no plan
}

// planSeveral answers for several sets, where several are named; ok is false where it is one.
func planSeveral(ctx context.Context, t turn, open bool) (reply Reply, changes []upgrade.Change, ok bool, err error) {
	s, changes, err := t.rollouts.Several(ctx, t.by, t.ask(), open)
	if err != nil || s.Name == "" {
		return Reply{}, nil, err != nil, err
	}
	told := &Several{Group: s.Group, Name: s.Name, Of: s.Of}
	for _, p := range s.Sets {
		line := SetPlan{Wave: p.Wave, Name: p.Set.Name, Rollout: p.Rollout, Target: p.Plan.Target, Instances: p.Plan.Size(), Gates: len(p.Plan.Gates)}
		if p.No != nil {
			line.Refusal = &Refusal{Code: p.No.Code, What: p.No.What, Next: p.No.Next, Rollout: p.No.Rollout}
		}
		told.Sets = append(told.Sets, line)
	}
	reply = Reply{Several: told}
	if no := s.Refused(); open && len(no) > 0 {
		reply.Refusal = t.notAll(no, s.Sets)
	}
	return reply, changes, true, nil
}

// notAll is why nothing was opened, and the command that leaves out what is in the way.
func (t turn) notAll(no, all []upgrade.Planned) *Refusal {
	req := t.req
	req.Without = slices.Clone(req.Without)
	for _, p := range no {
		name := p.Set.Name
		if slices.ContainsFunc(all, func(o upgrade.Planned) bool { return o.Set.Name == name && o.Set.ID != p.Set.ID }) {
			name = p.Set.ResourceGroup + "/" + name
		}
		req.Without = append(req.Without, name)
	}
	slices.Sort(req.Without)
	refusal := &Refusal{Code: no[0].No.Code, What: fmt.Sprintf("nothing was opened: %d of %d scale sets cannot be rolled out as they are. What is in the way is said of each; or leave them out", len(no), len(all)), Next: root + Format(req)}
	if len(no) == len(all) || len(refusal.Next) > maxNext {
		refusal.Next = cmp.Or(no[0].No.Next, root+"list")
	}
	return refusal
}

// sayingAll is a word about several rollouts: each is judged by itself.
func sayingAll(ctx context.Context, t turn, w upgrade.Word) (Reply, []upgrade.Change, error) {
	all, err := t.rollouts.SayAll(ctx, t.by, w)
	if err != nil {
		return Reply{}, nil, err
	}
	var changes []upgrade.Change
	var did, same, not []string
	for _, s := range all {
		switch name := fmt.Sprintf("%s (%s)", s.Name, s.Rollout); {
		case s.No != nil:
			not = append(not, fmt.Sprintf("%s: %s", name, s.No.What))
		case len(s.Change.Events) == 0:
			same = append(same, name)
		default:
			did, changes = append(did, name), append(changes, s.Change)
		}
	}
	text := fmt.Sprintf("%s %s: %s.", done[w.Verb], upgrade.Count(len(did), "rollout"), some(did, ", "))
	if len(did) == 0 {
		text = fmt.Sprintf("%s nothing.", done[w.Verb])
	}
	if len(same) > 0 {
		text += fmt.Sprintf(" As before: %s.", some(same, ", "))
	}
	if len(not) > 0 {
		text += fmt.Sprintf(" Not: %s.", some(not, "; "))
	}
	return Reply{Text: text, Request: Format(t.req)}, changes, nil
}

// done says what was done to several rollouts.
var done = map[upgrade.WordVerb]string{upgrade.WordPause: "Paused", upgrade.WordResume: "Resumed", upgrade.WordAbort: "Aborted", upgrade.WordResolve: "Let go on"}

// some names a few and counts the others.
func some(names []string, sep string) string {
	const most = 12
	text := strings.Join(names[:min(most, len(names))], sep)
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return cmp.Or(text, "none")
}
