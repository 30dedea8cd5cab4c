package upgrade

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/window"
)

// Term is one thing that a policy says. Whatever goes through all of a policy goes through [Terms]: which of two
// is the tighter, what holds for a set and where it comes from, what a change of the configuration comes to, and the
// table of defaults in the README. A key that comes is a line there, and nowhere else here.
type Term struct {
	Key     string // in the configuration
	Means   string
	Say     func(Policy) []string          // the value in words; several of a list
	items   func(Policy) []string          // of a list: what two policies have holds side by side, and is never made into one
	tighten func(p *Policy, q Policy)      // what q has where that is the tighter; nil of a list
	Change  func(from, to Policy) []string // what differs, in words, and whether open rollouts go by it
}

// Terms is the one table of what a policy says. The defaults of the values are [DefaultPolicy]'s.
func Terms() []Term {
	return []Term{
		listed("readers", "who may look, beside those in the next two: ids of people and groups", widens, "nobody", func(p Policy) []string { return p.Readers }),
		listed("requesters", "who may ask for rollouts, and stop them", widens, "nobody", func(p Policy) []string { return p.Requesters }),
		listed("approvers", "who may agree to the rollouts of others, and stop them", widens, "nobody", func(p Policy) []string { return p.Approvers }),
		scalar("approvals", "how many of them each gate takes", func(p *Policy) *int { return &p.Approvals }, most, strconv.Itoa),
		scalar("self_approval", "after which delay the requester's own yes counts as one, if they are an approver and nobody who may look denies it meanwhile; 0 = never", func(p *Policy) *time.Duration { return &p.SelfApproval }, laterOwn, orNever),
		limit("max_unavailable", "instances out of service at once, for any reason: a number, or a share that is rounded up", func(p *Policy) *Limit { return &p.MaxUnavailable }),
		scalar("batch_cap", "instances that one call to Azure may carry", func(p *Policy) *int { return &p.BatchCap }, least, strconv.Itoa),
		scalar("max_failures", "failed instances with which a rollout goes on", func(p *Policy) *int { return &p.MaxFailures }, fewest, strconv.Itoa),
		scalar("on_failure", "at one more: `hold`, `quarantine` or `abort`", func(p *Policy) *OnFailure { return &p.OnFailure }, OnFailure.tighter, func(o OnFailure) string { return string(o) }),
		scalar("soak", "the wait between gates", func(p *Policy) *time.Duration { return &p.Soak }, most, Span),
		scalar("bake", "the wait after the last gate", func(p *Policy) *time.Duration { return &p.Bake }, most, Span),
		scalar("healthy_deadline", "how long an instance has to be well", func(p *Policy) *time.Duration { return &p.Deadline }, least, Span),
		scalar("approval_life", "how long a yes holds, from the asking or the opening of a window", func(p *Policy) *time.Duration { return &p.ApprovalLife }, least, Span),
		scalar("unstarted_life", "when a rollout ends of which nothing was started", func(p *Policy) *time.Duration { return &p.UnstartedLife }, least, Span),
		scalar("whole_life", "when any rollout ends", func(p *Policy) *time.Duration { return &p.WholeLife }, least, Span),
		listed("escalate", "who is called in when nobody answers a card, and may approve that card from then on", widens, "nobody", func(p Policy) []string { return p.Escalate }),
		scalar("escalate_after", "when they are called in, from the asking; three quarters of the time there is at the latest", func(p *Policy) *time.Duration { return &p.EscalateAfter }, latest, lastQuarter),
		listed("allowed_images", "families such as `canonical:ubuntuserver:*` or `/subscriptions/…/images/golden-*`; VHDs only by name", narrows, "the family that the set runs", func(p Policy) []string { return p.AllowedImages }),
		scalar("downgrades", "whether older versions may be rolled out", func(p *Policy) *bool { return &p.Downgrades }, both, yesNo),
		scalar("watch", "whether the channel is told of newer versions of the sets' images", func(p *Policy) *bool { return &p.Watch }, inForce, yesNo),
		listed("windows", "the names of those in which something may start", opens, "at any time", func(p Policy) []string { return each(p.Windows, written) }),
		listed("gates", "the names of external gates, without whose pass nothing starts", binds, "none", func(p Policy) []string { return each(p.Probes, Probe.written) }),
		scalar("budget", "what may be started within an hour: `sets`, `instances`, and `person_sets`, `person_instances` of what one person asked for or agreed to; not of an entry, but beside `sets`", func(p *Policy) *Budget { return &p.Budget }, Budget.tighter, Budget.String),
		listed("freezes", "when nothing starts at all; not of an entry, but beside `sets`", stops, "none", func(p Policy) []string { return each(p.Freezes, Freeze.written) }),
	}
}

func most[T int | time.Duration](a, b T) T   { return max(a, b) }
func fewest[T int | time.Duration](a, b T) T { return min(a, b) }
func both(a, b bool) bool                    { return a && b }

func orNever(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return Span(d)
}

// inForce is of what concerns no rollout: there is nothing to be tighter in.
func inForce[T any](_, now T) T { return now }

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// latest is the later of two times to call others in, whose yes counts from then on: nothing said is the latest.
func latest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// lastQuarter writes when people are called in; nothing said is three quarters of the time there is.
func lastQuarter(d time.Duration) string {
	if d == 0 {
		return "at three quarters of the time there is"
	}
	return Span(d)
}

func each[T any](all []T, write func(T) string) []string {
	var out []string
	for _, one := range all {
		out = append(out, write(one))
	}
	return out
}

func written(w window.Window) string {
	return fmt.Sprintf("%s (%s for %s, %s)", w.Name, w.Recurrence, Span(w.Length), w.Zone)
}

func (f Freeze) written() string {
	of := ""
	if len(f.Sets) > 0 {
		of = ", of " + strings.Join(f.Sets, " ")
	}
	return fmt.Sprintf("%s (%s to %s UTC%s)", f.Why, f.Start.UTC().Format("2006-01-02 15:04"), f.End.UTC().Format("2006-01-02 15:04"), of)
}

// Whether a change of the configuration counts for rollouts that are open (R21).
const (
	atOnce   = " (applies at once)"
	notOpen  = " (to open rollouts only as planned)"
	bothHold = " (open rollouts keep to both)"
)

// scalar is a term with one value, of which one of two is the tighter, or what is made of them.
func scalar[T any](key, means string, at func(*Policy) *T, tighter func(a, b T) T, write func(T) string) Term {
	return Term{Key: key, Means: means,
		Say:     func(p Policy) []string { return []string{write(*at(&p))} },
		tighten: func(p *Policy, q Policy) { *at(p) = tighter(*at(p), *at(&q)) },
		Change: func(from, to Policy) []string {
			was, is, holds := write(*at(&from)), write(*at(&to)), write(tighter(*at(&from), *at(&to)))
			counts := map[string]string{is: atOnce, was: notOpen}[holds]
			switch {
			case was == is:
				return nil
			case counts == "":
				counts = " (open rollouts: " + holds + ")"
			}
			return []string{fmt.Sprintf("%s %s → %s%s", key, was, is, counts)}
		}}
}

// limit is a term with a number or a share: of one of each only a set's size tells which is the tighter.
func limit(key, means string, at func(*Policy) *Limit) Term {
	t := scalar(key, means, at, Limit.tighter, Limit.String)
	same := t.Change
	t.Change = func(from, to Policy) []string {
		if a, b := *at(&from), *at(&to); (a.Percent > 0) != (b.Percent > 0) {
			return []string{fmt.Sprintf("%s %s → %s%s", key, a, b, bothHold)}
		}
		return same(from, to)
	}
	return t
}

// tighter is the smaller of two of a kind, else the first: the second is kept to beside it.
func (l Limit) tighter(m Limit) Limit {
	if (l.Percent > 0) != (m.Percent > 0) {
		return l
	}
	return Limit{N: min(l.N, m.N), Percent: min(l.Percent, m.Percent)}
}

// grows is what more in a list comes to.
type grows int

const (
	widens  grows = iota // more is permitted
	opens                // more is permitted, and an empty list permits everything
	narrows              // more is permitted, and an empty list means something else
	stops                // more is stopped, and lifting one lifts it for all (R15)
	binds                // more is stopped, and what binds an open rollout binds on (R21)
)

// listed is a term with a list.
func listed(key, means string, more grows, none string, say func(Policy) []string) Term {
	return Term{Key: key, Means: means, items: say,
		Say: func(p Policy) []string {
			if all := say(p); len(all) > 0 {
				return all
			}
			return []string{none}
		},
		Change: func(from, to Policy) []string {
			was, is := say(from), say(to)
			gone := slices.DeleteFunc(slices.Clone(was), func(s string) bool { return slices.Contains(is, s) })
			come := slices.DeleteFunc(slices.Clone(is), func(s string) bool { return slices.Contains(was, s) })
			switch {
			case len(gone)+len(come) == 0:
				return nil
			case (more == opens || more == narrows) && (len(was) == 0 || len(is) == 0):
				counts := bothHold
				if more == opens {
					counts = map[bool]string{true: atOnce, false: notOpen}[len(was) == 0]
				}
				return []string{fmt.Sprintf("%s %s → %s%s", key, orNone(was, none), orNone(is, none), counts)}
			}
			without, with := atOnce, notOpen
			switch more {
			case stops:
				with = atOnce
			case binds:
				without, with = notOpen, atOnce
			}
			var out []string
			if len(gone) > 0 {
				out = append(out, key+" without "+strings.Join(gone, ", ")+without)
			}
			if len(come) > 0 {
				out = append(out, key+" with "+strings.Join(come, ", ")+with)
			}
			return out
		}}
}

func orNone(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

// Tighter combines the policy a plan was made under with the one in force: what either denies is
// denied, the smaller limits hold (R21: a tightened policy applies at once, a loosened one never
// to open rollouts). Zero lives and caps say nothing. Lists are not combined, nor is a number of instances with
// a share of them: people, images and windows are checked against both by the caller, and so is max-unavailable.
func (p Policy) Tighter(q Policy) Policy {
	for _, t := range Terms() {
		if t.tighten != nil {
			t.tighten(&p, q)
		}
	}
	return p
}

// Differences says in words what has become of a policy, and which of it open rollouts go by.
func (p Policy) Differences(now Policy) []string {
	var out []string
	if p.Channel != now.Channel {
		out = append(out, fmt.Sprintf("channel %s → %s%s", orNone(strings.Fields(p.Channel), "nowhere"), orNone(strings.Fields(now.Channel), "nowhere"), notOpen))
	}
	for _, t := range Terms() {
		out = append(out, t.Change(p, now)...)
	}
	return out
}

// Holding is one value that holds for a set, and where it comes from.
type Holding struct {
	Key    string
	Values []string
	From   string // "default", a line of the configuration, a rollout's plan
	Listed bool   // Values are of the list, and no words for an empty one
}

// Holdings are all that hold for the set that was looked at: of the policy in force, of its open rollout's plan
// where that is the tighter, and the freezes that were said.
func (s Sight) Holdings() []Holding {
	out := []Holding{{Key: "match", Values: []string{s.Policy.Pattern}, From: s.Policy.from("match")}}
	for _, t := range Terms() {
		h := Holding{t.Key, t.Say(s.Policy), s.Policy.from(t.Key), t.filled(s.Policy)}
		out = append(out, h)
		if len(s.Rollouts) == 0 {
			continue
		}
		rec := s.Rollouts[0]
		plans, ours := t.Say(rec.Plan.kept()), h.Values
		mine := "the plan of " + rec.ID
		switch {
		case t.items != nil && !slices.Equal(plans, ours) && t.Key != "freezes" && t.Key != "readers":
			out = append(out, Holding{t.Key, plans, mine + ", which must permit it as well", t.filled(rec.Plan.Policy)})
		case t.items == nil:
			out[len(out)-1] = t.tightest(h, s.Policy, rec.Plan, mine)
		}
	}
	for _, f := range s.Freezes {
		if f.ID != "" {
			until := " until somebody lifts it"
			if !f.End.IsZero() {
				until = f.End.UTC().Format(" until 2006-01-02 15:04 UTC")
			}
			out = append(out, Holding{"freezes", []string{f.String() + until}, "/vmss unfreeze " + f.ID, true})
		}
	}
	return out
}

// tightest is what a rollout's plan has where that is tighter than the policy in force.
func (t Term) tightest(h Holding, inForce Policy, p Plan, from string) Holding {
	inForce.MaxUnavailable = Limit{N: inForce.MaxUnavailable.Of(p.Total)} // as the plan's
	held := inForce
	if t.tighten(&held, p.kept()); slices.Equal(t.Say(held), t.Say(inForce)) {
		return h
	}
	return Holding{Key: t.Key, Values: t.Say(held), From: from}
}

// kept is the plan's policy with what was asked for beyond it.
func (p Plan) kept() Policy {
	q, l := p.Policy, p.Limits
	q.MaxUnavailable, q.BatchCap, q.MaxFailures, q.OnFailure = Limit{N: l.MaxUnavailable}, l.BatchCap, l.MaxFailures, l.OnFailure
	q.Soak, q.Bake, q.Deadline = l.Soak, l.Bake, l.Deadline
	return q
}

func (p Policy) from(key string) string {
	if line := p.From[key]; line != "" {
		return line
	}
	return "default"
}

// filled reports whether there is a list, and something in it.
func (t Term) filled(p Policy) bool { return t.items != nil && len(t.items(p)) > 0 }
