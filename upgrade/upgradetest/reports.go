package upgradetest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

var (
	counted = regexp.MustCompile(`^(\d+) planned · \*(\d+) (?:upgraded|resized|back)\* · (\d+) failed`)
	counts  = regexp.MustCompile(`^\*?(\d+) ([a-z ]+)\*?$`)
	images  = regexp.MustCompile(`^(?:Images|Sizes): (\d+) (?:on|at) (?:the new one|\S+), (\d+) (?:on|at) others`)
)

// reading is how long it may take the program to see an instance well twice.
const reading = time.Minute

// judgeReports: I10, every rollout that has ended has its report, and it tells the truth.
func (c *cases) judgeReports() {
	for i := range c.rollouts {
		r := &c.rollouts[i]
		reports := slices.DeleteFunc(slices.Clone(c.e.Posts), func(p Post) bool {
			return p.Rollout() != r.id || p.EphemeralTo != "" || !slices.ContainsFunc(p.First().Lines, counted.MatchString)
		})
		if !r.ended.IsZero() && len(reports) == 0 && c.e.upFor(r.ended, c.e.Now) > troubled {
			c.blame("I10", c.e.Now, "rollout %s has ended without a report", r.id)
		}
		for _, p := range reports {
			c.truthful(p, r)
		}
	}
}

// truthful compares a report with the truth when the rollout ended, or else when the report was there: the
// set goes on changing under it.
func (c *cases) truthful(p Post, r *rollout) {
	before := len(c.found)
	for _, truth := range c.e.Ends[r.id] { // more than once when its journal was put back
		c.found = c.found[:before]
		if c.compare(p, r, truth); len(c.found) == before {
			return
		}
	}
	if truth, known := c.e.Truths[p.TS]; known {
		c.found = c.found[:before]
		c.compare(p, r, truth)
	}
}

func (c *cases) compare(p Post, r *rollout, truth azuresim.State) {
	is := c.tally(truth, r, p)
	for _, l := range p.Lines {
		if counted.MatchString(l) {
			c.counts(l, is, p, r)
		}
		if m := images.FindStringSubmatch(l); m != nil && (number(m[1]) != is.fresh || number(m[2]) != is.old) {
			c.blame("I10", p.Posted(), "the report says %q: it is %d and %d", l, is.fresh, is.old)
		}
	}
}

// tally is what an outsider counts of a rollout's set when its report is there.
type tally struct {
	fresh, old int // instances by image
	sure, most int // bounds of what may be called upgraded
	aside      int // set aside by a person
	passed     int // skipped by a person
	left       int // skipped, and not there any more
}

func (c *cases) tally(truth azuresim.State, r *rollout, p Post) (t tally) {
	for _, s := range truth.Sets {
		if s.Name != r.set {
			continue
		}
		t.most = c.gone(r, s)
		for _, ids := range r.gates {
			for _, id := range ids {
				there := slices.ContainsFunc(s.Instances, func(i azuresim.InstanceState) bool { return i.ID == id })
				t.left += bit(!there && c.lastWord(id, r, p.Posted()).verb == "skip")
			}
		}
		for _, i := range s.Instances {
			said := c.lastWord(i.ID, r, p.Posted()).verb
			t.aside += bit(said == "quarantine")
			t.passed += bit(said == "skip")
			if i.Version != r.target && i.Size != r.target {
				t.old++
				late := p.Posted().Sub(i.Since) < reading+c.e.Lag // somebody else's work that no list may have told of yet
				t.most += bit(late && c.touched(r, i.ID))
				continue
			}
			t.fresh++
			t.most += bit(!c.touched(r, i.ID) && c.unsure(r, i.ID))
			well := i.Provisioning == "succeeded" || c.shown("●", i.ID, r, p.Posted()) // what failed later was upgraded all the same
			if well && c.touched(r, i.ID) && said != "quarantine" && said != "skip" {
				t.most++
				well := i.Provisioning == "succeeded" && i.Power == "running" && (i.Health == "" || i.Health == "healthy" && p.Posted().Sub(i.HealthSince) > reading) && p.Posted().Sub(i.Since) > reading
				t.sure += bit(well && c.e.jumped(r.opened, p.Posted()) == 0 && !c.forgotten(r, i.ID) && !c.disowned(r, i.ID, p.Posted()) && !c.saidFailed(r, p, i.ID))
			}
		}
	}
	return t
}

// saidFailed reports whether people were ever told that the instance failed, or that nothing tells whether it
// did: it may have come up since, and only a person's word makes it well. The plan may have set it aside at once.
func (c *cases) saidFailed(r *rollout, p Post, id string) bool {
	return c.shown("✖", id, r, c.e.Now) || c.shown("?", id, r, c.e.Now) || c.aside(id, r, p.Posted())
}

// unsure reports whether the program may take somebody else's work on an instance for its own (R48): a call that
// never reached Azure looks the same to it as one of which only the answer was lost.
func (c *cases) unsure(r *rollout, id string) bool {
	tried := slices.ContainsFunc(c.ours(), func(k Call) bool { return c.of(k) == r && !c.e.told(k) && slices.Contains(k.asked(), id) })
	mute := slices.ContainsFunc(c.e.Mute, func(s Span) bool { return s.From.After(r.opened) }) // what it took to be at work was not seen
	return tried || c.e.crashedSince(r.opened) && (mute || c.shown("◑", id, r, c.e.Now) || c.shown("◕", id, r, c.e.Now))
}

// disowned reports whether a person said, rightly or not, that the start of the instance had not happened.
func (c *cases) disowned(r *rollout, id string, by time.Time) bool {
	return slices.ContainsFunc(c.words, func(w word) bool {
		said := w.rollout == r.id && w.obeyed() && w.At.Before(by) && strings.Contains(w.Text+w.Action, "not-started")
		return said && slices.ContainsFunc(c.ours(), func(k Call) bool { return c.of(k) == r && k.Time.Before(w.At) && slices.Contains(k.Instances, id) })
	})
}

// about is the rollout that a message is about: one in a thread need not name it.
func (c *cases) about(p Post) string {
	if id := p.Rollout(); id != "" {
		return id
	}
	for _, root := range c.e.Posts {
		if root.TS == p.ThreadTS && root.Channel == p.Channel {
			return root.Rollout()
		}
	}
	return ""
}

// forgotten reports whether what the journal has lost holds a start of the instance.
func (c *cases) forgotten(r *rollout, id string) bool {
	return slices.ContainsFunc(c.ours(), func(k Call) bool {
		return c.of(k) == r && slices.Contains(k.Instances, id) && c.e.lost(k.Time)
	})
}

// gone counts the instances that the rollout started and that are not in the set any more: they may
// have been upgraded before.
func (c *cases) gone(r *rollout, s azuresim.SetState) int {
	started := map[string]bool{}
	for _, k := range c.ours() {
		if k.Accepted && c.of(k) == r {
			for _, id := range k.Instances {
				started[id] = true
			}
		}
	}
	for _, i := range s.Instances {
		delete(started, i.ID)
	}
	return len(started)
}

// counts compares the line that counts the planned instances with the truth, and with itself: each of
// them is counted once.
func (c *cases) counts(line string, is tally, p Post, r *rollout) {
	n, sum := map[string]int{}, 0
	for part := range strings.SplitSeq(line, " · ") {
		if m := counts.FindStringSubmatch(part); m != nil {
			n[m[2]] = number(m[1])
			sum += n[m[2]]
		}
	}
	if _, back := n["back"]; back != strings.Contains(p.Title(), ", rollback of ") {
		c.blame("I10", p.Posted(), "the report says %q and is called %q", line, p.Title())
	}
	if up := n["upgraded"] + n["resized"] + n["back"]; n["planned"] != r.planned || up < is.sure || up > is.most {
		c.blame("I10", p.Posted(), "the report says %q: %d were planned and %d to %d are upgraded", line, r.planned, is.sure, is.most)
	}
	if sum != 2*n["planned"] {
		c.blame("I10", p.Posted(), "the report says %q: that does not add up", line)
	}
	if n["quarantined"] < is.aside || n["skipped"] < is.passed || n["skipped"] > is.passed+is.left {
		c.blame("I10", p.Posted(), "the report says %q: people set %d aside and skipped %d", line, is.aside, is.passed)
	}
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // matched as digits
	return n
}
