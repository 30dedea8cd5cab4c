package app

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Set is the policy of the scale sets its pattern matches. Pointers keep "not said" apart from zero.
type Set struct {
	Match          string         `yaml:"match,omitempty"`
	Channel        string         `yaml:"channel,omitempty"`
	Readers        []string       `yaml:"readers,omitempty"`
	Requesters     []string       `yaml:"requesters,omitempty"`
	Approvers      []string       `yaml:"approvers,omitempty"`
	Approvals      *int           `yaml:"approvals,omitempty"`
	MaxUnavailable *string        `yaml:"max_unavailable,omitempty"`
	BatchCap       *int           `yaml:"batch_cap,omitempty"`
	MaxFailures    *int           `yaml:"max_failures,omitempty"`
	OnFailure      string         `yaml:"on_failure,omitempty"` // hold (the default), quarantine or abort
	Soak           *time.Duration `yaml:"soak,omitempty"`
	Bake           *time.Duration `yaml:"bake,omitempty"`
	Deadline       *time.Duration `yaml:"healthy_deadline,omitempty"`
	ApprovalLife   *time.Duration `yaml:"approval_life,omitempty"`
	SelfApproval   *time.Duration `yaml:"self_approval,omitempty"`
	UnstartedLife  *time.Duration `yaml:"unstarted_life,omitempty"`
	WholeLife      *time.Duration `yaml:"whole_life,omitempty"`
	AllowedImages  []string       `yaml:"allowed_images,omitempty"`
	Downgrades     bool           `yaml:"downgrades,omitempty"`
	Watch          bool           `yaml:"watch,omitempty"`    // the channel is told of newer versions of the sets' images
	Windows        []string       `yaml:"windows,omitempty"`  // names; empty = at any time
	Gates          []string       `yaml:"gates,omitempty"`    // names; empty = none
	Escalate       []string       `yaml:"escalate,omitempty"` // who is called in when nobody answers a card
	EscalateAfter  *time.Duration `yaml:"escalate_after,omitempty"`
}

// Policies are the set entries as the domain knows them.
func (c Config) Policies() []upgrade.Policy {
	out := make([]upgrade.Policy, len(c.Sets))
	said := func(place, string, ...any) {} // when the configuration was read, as all of it was
	windows, freezes := c.windows(said), c.freezes(said)
	for i, s := range c.Sets {
		out[i] = s.policy(said)
		out[i].Freezes, out[i].Budget, out[i].From = freezes, upgrade.Budget(c.Budget), c.origins(i)
		for _, w := range windows {
			if slices.Contains(s.Windows, w.Name) {
				out[i].Windows = append(out[i].Windows, w)
			}
		}
		for _, g := range c.Gates {
			if slices.Contains(s.Gates, g.Name) {
				out[i].Probes = append(out[i].Probes, g.gate().Probe())
			}
		}
	}
	return out
}

// origins are the lines of an entry's keys, with the file by its name only: people read that.
func (c Config) origins(i int) map[string]string {
	from := source{filepath.Base(c.from.file), c.from.root}
	keys := []string{"match", "channel"}
	for _, t := range upgrade.Terms() {
		keys = append(keys, t.Key)
	}
	entries := map[string]string{}
	for _, key := range keys {
		for _, where := range []place{at("sets", i, key), at(key)} { // freezes stand beside the entries
			if from.has(where) {
				entries[key] = from.line(where)
				break
			}
		}
	}
	return entries
}

// checkSets says what is wrong with each entry.
func (c Config) checkSets(bad complain) {
	for i, s := range c.Sets {
		say := func(where place, format string, args ...any) {
			bad(append(at("sets", i), where...), "sets[%d] (match %q): %w", i, s.Match, fmt.Errorf(format, args...))
		}
		s.check(say)
		s.within(c.Azure.ResourceGroups, say)
		c.knows(s.Windows, say)
		c.gated(s.Gates, say)
		if j := slices.IndexFunc(c.Sets[:i], func(before Set) bool { return shadows(before.Match, s.Match) }); j >= 0 {
			say(at("match"), "sets[%d] (match %q) comes before it and holds for every set that it could be for: change their order", j, c.Sets[j].Match)
		}
	}
}

var (
	slackPerson  = regexp.MustCompile(`^[UWS][A-Z0-9]{2,20}$`)
	slackChannel = regexp.MustCompile(`^[CG][A-Z0-9]{2,20}$`)
)

func (s Set) check(bad complain) {
	if !matchesSomething(s.Match) { // its sets would be driven by the rules of a later entry
		bad(at("match"), "match: no scale set can have such a name: want one, or a pattern such as web-* or rg-shop/web-*")
	}
	switch {
	case s.Channel == "" && len(s.Requesters) > 0:
		bad(at("channel"), "channel: it is missing, and nobody could ask for anything: name the id of the channel where these sets are driven")
	case s.Channel != "" && !slackChannel.MatchString(s.Channel):
		bad(at("channel"), "channel: %q is no channel id (C…); names can be changed, ids can not", s.Channel)
	}
	for _, list := range []struct {
		key string
		ids []string
	}{{"readers", s.Readers}, {"requesters", s.Requesters}, {"approvers", s.Approvers}, {"escalate", s.Escalate}} {
		for n, id := range list.ids {
			if !slackPerson.MatchString(id) {
				bad(at(list.key, n), "%s: %q is no user id (U…) or group id (S…); names can be changed, ids can not", list.key, id)
			}
		}
	}
	wrong := false
	p := s.policy(func(where place, format string, args ...any) { wrong = true; bad(where, format, args...) })
	if !wrong {
		s.agreeable(p.Approvals, p.SelfApproval > 0, bad)
		escalates(p, bad)
	}
}

// setPattern is what a pattern of scale sets' names is made of, which Azure lets be of Latin letters only.
var setPattern = regexp.MustCompile(`^[A-Za-z0-9_.*?^\[\]\\-]+$`)

func matchesSomething(pattern string) bool {
	group, name, both := strings.Cut(pattern, "/")
	if !both {
		name = pattern
	}
	_, err := path.Match(pattern, "")
	return err == nil && setPattern.MatchString(name) && (group != "" || !both)
}

// shadows reports whether an entry plainly takes all that a later one could match.
func shadows(before, later string) bool {
	before, later = strings.ToLower(before), strings.ToLower(later)
	if before == "*" || before == later {
		return true
	}
	if strings.ContainsAny(later, `*?[\`) {
		return false
	}
	if !strings.Contains(before, "/") {
		later = path.Base(later)
	}
	taken, err := path.Match(before, later)
	return err == nil && taken
}

// policy fills in the defaults, and says what cannot be.
func (s Set) policy(bad complain) upgrade.Policy {
	p := upgrade.DefaultPolicy()
	p.Pattern, p.Channel = s.Match, s.Channel
	p.Readers, p.Requesters, p.Approvers, p.Escalate = s.Readers, s.Requesters, s.Approvers, s.Escalate
	p.AllowedImages, p.Downgrades, p.Watch = s.AllowedImages, s.Downgrades, s.Watch
	if s.MaxUnavailable != nil {
		limit, err := upgrade.ParseLimit(*s.MaxUnavailable)
		switch {
		case err != nil:
			bad(at("max_unavailable"), "max_unavailable: %w", err)
		case limit.Of(1) < 1:
			bad(at("max_unavailable"), "max_unavailable: %s: nothing could ever be upgraded; want at least 1 or 1%%", *s.MaxUnavailable)
		default:
			p.MaxUnavailable = limit
		}
	}
	switch on := upgrade.OnFailure(s.OnFailure); on {
	case "":
	case upgrade.HoldOnFailure, upgrade.QuarantineOnFailure, upgrade.AbortOnFailure:
		p.OnFailure = on
	default:
		bad(at("on_failure"), "on_failure: %q: want hold, quarantine or abort (a rollback is each plan's to choose)", s.OnFailure)
	}
	s.numbers(&p, bad)
	s.durations(&p, bad)
	return p
}

func (s Set) numbers(p *upgrade.Policy, bad complain) {
	for _, f := range []struct {
		name  string
		at    *int
		given *int
		least int
	}{{"approvals", &p.Approvals, s.Approvals, 1}, {"batch_cap", &p.BatchCap, s.BatchCap, 1}, {"max_failures", &p.MaxFailures, s.MaxFailures, 0}} {
		if f.given == nil {
			continue
		}
		if *f.given < f.least || *f.given > 1000 {
			bad(at(f.name), "%s: %d: want %d to 1000", f.name, *f.given, f.least)
			continue
		}
		*f.at = *f.given
	}
}

func (s Set) durations(p *upgrade.Policy, bad complain) {
	const week = 7 * 24 * time.Hour
	for _, f := range []struct {
		name  string
		at    *time.Duration
		given *time.Duration
		least time.Duration // below it nothing could ever succeed
	}{{"soak", &p.Soak, s.Soak, 0}, {"bake", &p.Bake, s.Bake, 0}, {"healthy_deadline", &p.Deadline, s.Deadline, time.Minute}, {"approval_life", &p.ApprovalLife, s.ApprovalLife, time.Minute},
		{"unstarted_life", &p.UnstartedLife, s.UnstartedLife, time.Minute}, {"whole_life", &p.WholeLife, s.WholeLife, time.Hour},
		{"escalate_after", &p.EscalateAfter, s.EscalateAfter, time.Minute},
		{"self_approval", &p.SelfApproval, s.SelfApproval, 5 * time.Minute}} { // people must have the time to say no
		if f.given == nil {
			continue
		}
		if never := f.name == "self_approval" && *f.given == 0; !never && (*f.given < f.least || *f.given > week) {
			bad(at(f.name), "%s: %s: want %s to 168h", f.name, upgrade.Span(*f.given), upgrade.Span(f.least))
			continue
		}
		*f.at = *f.given
	}
}

// agreeable refuses an entry by which somebody may ask and nobody could ever agree: an approver's own request
// takes others (R23). What a group comes to is Slack's to say.
func (s Set) agreeable(approvals int, own bool, bad complain) {
	group := func(id string) bool { return strings.HasPrefix(id, "S") }
	people := slices.Compact(slices.Sorted(slices.Values(s.Approvers)))
	enough := func(requester string) bool {
		others := slices.DeleteFunc(slices.Clone(people), func(id string) bool { return id == requester && !own })
		return len(others) >= approvals
	}
	switch {
	case len(s.Requesters) == 0, slices.ContainsFunc(people, group):
	case len(people) == 0:
		bad(at("approvers"), "approvers: nobody is listed: nothing could ever start")
	case len(people) < approvals:
		bad(at("approvals"), "approvals: %d are asked for and only %d approvers are listed: nothing could ever start", approvals, len(people))
	case !slices.ContainsFunc(s.Requesters, func(id string) bool { return group(id) || enough(id) }):
		bad(at("approvers"), "approvers: whoever asks may not approve, and for each of the requesters less than %d others are listed: nothing could ever start", approvals)
	}
}

// escalates refuses what would call nobody in, or too late for an answer.
func escalates(p upgrade.Policy, bad complain) {
	switch {
	case len(p.Escalate) == 0 && p.EscalateAfter > 0:
		bad(at("escalate_after"), "escalate_after: nobody is listed who could be called in: list them in escalate, or leave it out")
	case p.EscalateAfter > p.ApprovalLife*3/4:
		bad(at("escalate_after"), "escalate_after: %s: want %s at most, three quarters of approval_life: a quarter is left to answer in", upgrade.Span(p.EscalateAfter), upgrade.Span(p.ApprovalLife*3/4))
	}
}

// within refuses a pattern with a resource group that is not among those in reach.
func (s Set) within(groups []string, bad complain) {
	group, _, both := strings.Cut(strings.ToLower(s.Match), "/")
	holds := func(g string) bool {
		ok, err := path.Match(group, strings.ToLower(g))
		return ok && err == nil
	}
	if !both || group == "" || len(groups) == 0 || slices.ContainsFunc(groups, holds) {
		return
	}
	bad(at("match"), "match: azure.resource_groups has no group %q: no set in reach could match", group)
}

func (b Budget) check(bad complain) {
	for _, limit := range []struct {
		key string
		n   int
	}{{"sets", b.Sets}, {"instances", b.Instances}, {"person_sets", b.PersonSets}, {"person_instances", b.PersonInstances}} {
		if limit.n < 0 {
			bad(at("budget", limit.key), "budget.%s: %d: want a number for an hour, or 0 for no limit", limit.key, limit.n)
		}
	}
}
