package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Rules are the policies in force, which may change while the bot works. The zero value lets nobody do anything.
type Rules struct {
	mu   sync.RWMutex
	list []Policy
}

// Policies are those in force now, in their order.
func (r *Rules) Policies() []Policy {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.list
}

// Change puts other policies in force once keep has written down that it is so; when it fails, those before
// stay. Nobody is told of any while it is at work: whoever looks after it has begun goes by what it ends with.
func (r *Rules) Change(to []Policy, keep func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := keep(); err != nil {
		return err
	}
	r.list = to
	return nil
}

// PolicyChange is what became of one entry of the configuration.
type PolicyChange struct {
	Pattern  string
	Channels []string // where its sets are driven, and were
	From, To string   // versions; "" = there was no such entry, or is none any more
	What     []string // in words
}

// Compare says what differs between the policies known before and now, entry by entry.
func Compare(before, now []Policy) []PolicyChange {
	var out []PolicyChange
	place := func(all []Policy, pattern string) int {
		return slices.IndexFunc(all, func(p Policy) bool { return p.Pattern == pattern })
	}
	for _, is := range now {
		i := place(before, is.Pattern)
		if i < 0 {
			out = append(out, PolicyChange{is.Pattern, told(nil, is), "", is.Version(), []string{"it is new: " + is.summary()}})
			continue
		}
		was := before[i]
		what := was.Differences(is)
		if moved(before, now, is.Pattern) {
			what = append(what, "it stands at another place among the entries, of which the first that matches a set holds")
		}
		if len(what) > 0 {
			out = append(out, PolicyChange{is.Pattern, told(told(nil, was), is), was.Version(), is.Version(), what})
		}
	}
	for _, was := range before {
		if place(now, was.Pattern) < 0 {
			out = append(out, PolicyChange{was.Pattern, told(nil, was), was.Version(), "", []string{"it is gone: its sets go by the next entry that matches them, or are nobody's (applies at once)"}})
		}
	}
	return out
}

// moved reports whether other entries come before this one than did, of those that are in both.
func moved(before, now []Policy, pattern string) bool {
	ahead := func(all, both []Policy) string {
		var out []string
		for _, p := range all {
			if p.Pattern == pattern {
				break
			}
			if slices.ContainsFunc(both, func(o Policy) bool { return o.Pattern == p.Pattern }) {
				out = append(out, p.Pattern)
			}
		}
		slices.Sort(out)
		return strings.Join(out, "\n")
	}
	return ahead(before, now) != ahead(now, before)
}

// summary is what the policy says otherwise than the defaults.
func (p Policy) summary() string {
	var out []string
	for _, t := range Terms() {
		if is := t.Say(p); !slices.Equal(is, t.Say(DefaultPolicy())) {
			out = append(out, fmt.Sprintf("%s %s", t.Key, strings.Join(is, ", ")))
		}
	}
	return orNone(out, "everything by default")
}
