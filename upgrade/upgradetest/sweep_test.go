package upgradetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

var (
	crashes = flag.Int("crashes", 4, "at how many moments of each scenario the bot is killed, evenly spread; 0: at every one")
	literal = flag.Bool("literal", false, "kill it at every point, also where nothing has happened outside since the last one")
	pairs   = flag.Bool("pairs", false, "kill the next life, too, at each of its moments, in the shortest scenario")
	only    = flag.String("scenario", "", "sweep only the scenario of that name")
	fatal   = flag.String("at", "", "kill it only there, one point for each life: 17 or 17,4")
	part    = flag.Int("part", 0, "the part of the moments that this process takes")
	parts   = flag.Int("parts", 1, "into how many they are dealt out")
)

// scenario is something that people want of the bot, as short as it can be and still leave all its traces.
type scenario struct {
	name           string
	machines       int // in so many update domains:
	domains        int
	maxUnavailable string
	people         []errand
	sets           []string // that many alike; none = web
}

// errand is one thing that somebody wants done. They do the line, again while Slack tells them that it did
// not get through and never after it was acknowledged, and wait until anybody sees the text. An empty line
// is only waited for, an empty text not at all.
type errand struct{ do, until string }

// The first one is the shortest.
var scenarios = []scenario{
	{"one domain", 1, 1, "100%", []errand{
		{"type ana upgrade web 4.0.20160229", "Approve UD 0 of web?"},
		{"click bo approve", "bo approved UD 0"},
		{"", "web finished: succeeded"},
	}, nil},
	{"the rest of three batches in two domains", 3, 2, "1", []errand{
		{"type ana upgrade web 4.0.20160229", "Approve UD 0 of web?"},
		{"click bo approve-rest", "bo approved"},
		{"", "web finished: succeeded"},
	}, nil},
	{"one failure set aside and one tried again", 2, 1, "100%", []errand{
		{`fault azure {"kind": "fail-instance", "set": "web", "instance": "0"}`, ""},
		{`fault azure {"kind": "fail-instance", "set": "web", "instance": "1"}`, ""},
		{"type ana upgrade web 4.0.20160229", "Approve UD 0 of web?"},
		{"click bo approve", "bo approved UD 0"},
		{"", "Held: failure"},
		{"type ana quarantine $rollout vm=1 INC-7", "set instance 1 of web aside"},
		{"type ana retry $rollout vm=0", "Approve UD 0 once more of web?"},
		{"click bo approve", "bo approved UD 0 once more"},
		{"", "web finished: succeeded"},
	}, nil},
	{"a start that is lost and sent once more", 1, 1, "100%", []errand{
		{`fault azure {"kind": "reset", "set": "web", "match": "POST *manualupgrade", "when": "before"}`, ""},
		{"type ana upgrade web 4.0.20160229", "Approve UD 0 of web?"},
		{"click bo approve", "bo approved UD 0"},
		{"", "web finished: succeeded"},
	}, nil},
	{"a new plan after a change, and an abort that takes the model back", 3, 3, "1", []errand{
		{"type ana upgrade web 4.0.20160229", "Approve UD 0 of web?"},
		{`fault azure {"kind": "change-model", "set": "web", "patch": {"properties": {"virtualMachineProfile": {"networkProfile": {"healthProbe": {"id": "/subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourceGroups/rg-shop/providers/Microsoft.Network/loadBalancers/lb/probes/http"}}}}}}`, ""},
		{"", "Held: drift"},
		{"type bo replan $rollout", "bo planned web anew"},
		{"", "and part of this yes: what is different from the plan before"},
		{"click bo approve", "bo approved UD 0"},
		{"", "Approve UD 1 of web?"},
		{"type eva abort $rollout INC-7", "Which image stays in the model of web?"},
		{"click eva model-revert", "Because: aborted"},
	}, nil},
	{"a rollback after the end", 1, 1, "100%", []errand{
		{"type ana upgrade web 4.0.20160229", "Approve UD 0 of web?"},
		{"click bo approve", "bo approved UD 0"},
		{"", "web finished: succeeded"},
		{"type eva rollback $rollout1", "Roll UD 0 of web back"},
		{"click eva approve", "eva approved the way back"},
		{"", ":rewind: back to 4.0.20160101, rollback of"},
	}, nil},
	{"two scale sets, one after the other", 1, 1, "100%", []errand{
		{"type ana upgrade web-* 4.0.20160229", "Approve UD 0 of web-a?"},
		{"click bo approve on UD 0 of web-a", "bo approved UD 0"},
		{"", "Approve UD 0 of web-b?"},
		{"click bo approve on UD 0 of web-b", ""},
		{"", "All 2 scale sets succeeded"},
	}, []string{"web-a", "web-b"}},
}

// story is the scenario's world. Nothing in it takes longer than it must.
func (s scenario) story() (upgradetest.Story, error) {
	var sets []string
	for _, name := range s.names() {
		sets = append(sets, fmt.Sprintf(`{"name": %q, "resourceGroup": "rg-shop", "capacity": %d, "updateDomains": %d, "faultDomains": 1, "duration": "20s",
  "image": {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "16.04-LTS", "version": "4.0.20160101"}}`, name, s.machines, s.domains))
	}
	return upgradetest.ParseStory(fmt.Appendf(nil, `%s
-- story --
# told by what people want
-- fleet.json --
{"subscription": "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee",
 "images": [{"publisher": "Canonical", "offer": "UbuntuServer", "sku": "16.04-LTS", "versions": [{"version": "4.0.20160101"}, {"version": "4.0.20160229"}]}],
 "sets": [%s]}
-- policy.yaml --
max-unavailable: %s
soak: 10s
bake: 10s
`, s.name, strings.Join(sets, ",\n  "), s.maxUnavailable))
}

func (s scenario) names() []string {
	if len(s.sets) == 0 {
		return []string{"web"}
	}
	return s.sets
}

// sweeping is one telling of a scenario.
type sweeping struct {
	*upgradetest.Play
	kills  []int      // at which of its points each life dies; a life without a number lives on
	points [][]string // that each life passed
	again  bool       // a card is to come for what a person said did not happen
}

// outside tells the points at which something outside of the process was just changed or is about to be: a
// commit, a request, an acknowledgement. To die at a reading of the journal is to die after whatever came before.
func outside(point string) bool {
	when, what, _ := strings.Cut(point, " ")
	return when != "at" && !slices.Contains([]string{"journal.Record", "journal.Open", "journal.Holder", "journal.Card", "journal.Unsettled", "journal.NextPost"}, what)
}

// live counts the points of a life from now on, and ends it where it is to die.
func (p *sweeping) live() {
	life := len(p.points)
	p.points = append(p.points, nil)
	p.World.Trap(func(_ int, point string) bool {
		if !outside(point) {
			return false
		}
		p.points[life] = append(p.points[life], point)
		return life < len(p.kills) && p.kills[life] == len(p.points[life])-1
	})
}

// run has one errand done after the other.
func (p *sweeping) run(errands []errand) error {
	p.live()
	for _, e := range errands {
		if err := p.see(e); err != nil {
			return fmt.Errorf("%s: %w", e.do, err)
		}
	}
	p.World.Advance(20 * time.Second) // in which everything is answered and told
	if err := p.revive(); err != nil {
		return err
	}
	if len(p.points) <= len(p.kills) {
		return fmt.Errorf("only %d of %d lives came to their end", len(p.points)-1, len(p.kills))
	}
	return p.Judge()
}

// see has an errand done and waits until it can be seen.
func (p *sweeping) see(e errand) error {
	told := e.do == ""
	for range 900 {
		if err := errors.Join(p.revive(), p.look()); err != nil {
			return err
		}
		switch {
		case e.until != "" && p.World.Shows(e.until), e.until == "" && told:
			return nil
		case told:
			p.World.Advance(time.Second)
		default:
			before := len(p.World.Evidence().Acts)
			if err := p.Do(e.do); err != nil {
				return err
			}
			acts := p.World.Evidence().Acts
			told = len(acts) == before || acts[before].Acked // trouble is made only once
		}
	}
	return fmt.Errorf("nobody sees %q", e.until)
}

// revive starts a bot that was killed. One that ended by itself stays dead.
func (p *sweeping) revive() error {
	if !p.World.Down() {
		return nil
	}
	p.World.Reap()
	if len(p.points) > len(p.kills) {
		return errors.New("the bot ended by itself")
	}
	p.live()
	return p.Do("restart")
}

// look answers the one question that a crash may raise besides: whether a call happened of which nothing in the
// set tells. Bo looks into Azure's books, and agrees once more to what did not.
func (p *sweeping) look() error {
	all := p.World.Decisions()
	unclear := len(all) > 0 && all[len(all)-1].Kind == "hold" && all[len(all)-1].Reason == "unknown_outcome"
	switch {
	case p.World.Down():
		return nil
	case unclear && p.happened():
		return p.Do(`type bo resolve $rollout started "it is in the activity log"`)
	case unclear:
		p.again = true
		return p.Do(`type bo resolve $rollout not-started "it is not in the activity log"`)
	case p.again && p.asked():
		p.again = false
		return p.Do("click bo approve")
	}
	return nil
}

// happened reports whether Azure has accepted a start since people last agreed to one.
func (p *sweeping) happened() bool {
	var yes, start time.Time
	for _, a := range p.World.Evidence().Acts {
		if strings.HasPrefix(a.Action, "approve") {
			yes = a.At
		}
	}
	for _, k := range p.World.Calls() {
		if k.Accepted && k.Method == "POST" {
			start = k.Time
		}
	}
	return start.After(yes)
}

// asked reports whether a card has its button.
func (p *sweeping) asked() bool {
	return slices.ContainsFunc(p.World.Slack.Messages(slacksim.Ops), func(m slacksim.Message) bool {
		return slices.ContainsFunc(m.Actions(), func(a slacksim.Action) bool { return a.ActionID == "approve" })
	})
}

// account is what a telling came to, without moments, names of rollouts and what was said twice: who
// agreed to what, what Azure accepted, how each instance came out, what the reports counted.
func account(w *upgradetest.World, journal string) (lines []string, err error) {
	add := func(format string, args ...any) {
		if l := rolloutID.ReplaceAllString(fmt.Sprintf(format, args...), "r-…"); !slices.Contains(lines, l) || strings.HasPrefix(l, "azure accepted") {
			lines = append(lines, l)
		}
	}
	s, err := store.Open(journal, time.Now)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for n, id := range w.Rollouts() {
		r, err := s.Record(context.Background(), id)
		if err != nil {
			return nil, err
		}
		var shown []string // on the last card; nil = all of its gate
		for _, e := range r.Events {
			switch f := e.Fact.(type) {
			case upgrade.Asked:
				shown = f.Instances
			case upgrade.Granted:
				add("%d granted %s %v: %v", n+1, f.Gate, shown, f.Voters)
			case upgrade.AbortAsked, upgrade.Retried, upgrade.Quarantined, upgrade.Replanned, upgrade.ModelAnswered:
				add("%d said %T by %s", n+1, f, e.By)
			case upgrade.Ended:
				add("%d ended %s", n+1, f.Outcome)
			}
		}
		for _, id := range slices.SortedFunc(maps.Keys(r.Rollout.Instances), upgrade.CompareIDs) {
			i := r.Rollout.Instances[id]
			add("%d instance %s of %s is %s on %s after %d tries", n+1, id, i.Gate, i.State, i.Image, i.Tries)
		}
	}
	for _, k := range w.Calls() {
		if k.By == "" && k.Accepted {
			add("azure accepted %s %v %s", k.Action, k.Instances, k.ImageAfter)
		}
	}
	for _, set := range w.Azure.Snapshot().Sets {
		add("azure has %s on %s", set.Name, set.Image)
		for _, i := range set.Instances {
			add("azure has %s on %s, %s, %s", i.ID, i.Version, i.Provisioning, i.Health)
		}
	}
	for _, m := range w.Messages() {
		for n, l := range m.Lines {
			if strings.Contains(l, " planned · *") {
				add("%s %s %s", m.Lines[0], l, m.Lines[n+1])
			}
		}
	}
	return lines, s.Verify(context.Background())
}

// tell tells a scenario in which the lives die at these points.
func (s scenario) tell(t *testing.T, kills ...int) (points [][]string, came []string, err error) {
	story, err := s.story()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		path := journal(t)
		play, failed := upgradetest.NewPlay(story, "sweep", path, product)
		if failed != nil {
			err = failed
			return
		}
		p := &sweeping{Play: play, kills: kills}
		if err = p.run(s.people); err != nil {
			err = fmt.Errorf("%w\n%s", errors.Join(err, p.Do("instances "+s.names()[0])), p.Transcript())
		}
		err = errors.Join(err, p.Close())
		points = p.points
		if err == nil {
			came, err = account(p.World, path)
		}
	})
	return points, came, err
}

// crash is a place to die at: right after the point of that number. The points up to the next thing that
// happens outside are the same moment to everybody but the process, so that they may go without.
type crash struct {
	at, points int
	moment     bool // something has just happened outside
}

// places are all there are between the points of a life: one for each moment, or for each point.
func places(points []string, each bool) (out []crash) {
	for n, p := range points {
		moment := n == 0 || strings.HasPrefix(p, "after ")
		if moment || each {
			out = append(out, crash{at: n, moment: moment})
		}
		out[len(out)-1].points++
	}
	return out
}

// sample takes n of them, evenly spread; 0: all.
func sample(all []crash, n int) []crash {
	if n == 0 || n >= len(all) {
		return all
	}
	var out []crash
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

// swept is what a sweep of one scenario came to.
type swept struct{ Points, Crashes, Violations int }

func (c *counts) sweep(scenario string, s swept) {
	sum := c.Swept[scenario]
	c.Swept[scenario] = swept{sum.Points + s.Points, sum.Crashes + s.Crashes, sum.Violations + s.Violations}
}

// swept is a line for each scenario and one for all of them; nothing when none was swept.
func (c *counts) swept() (lines string) {
	var sum swept
	for _, s := range scenarios {
		if one, told := c.Swept[s.name]; told {
			lines += fmt.Sprintf("sweep: %s: %d points, %d crashes, %d violations\n", s.name, one.Points, one.Crashes, one.Violations)
			sum = swept{sum.Points + one.Points, sum.Crashes + one.Crashes, sum.Violations + one.Violations}
		}
	}
	if lines == "" {
		return ""
	}
	return lines + fmt.Sprintf("sweep: scenarios=%d points=%d violations=%d\n", len(c.Swept), sum.Points, sum.Violations)
}

// sweep kills the bot at the moments of its first life that are this part's, and with pairs at each moment of
// the second one, too.
func (s scenario) sweep(t *testing.T, pairs bool) (sum swept) {
	points, want, err := s.tell(t)
	if err != nil {
		t.Errorf("%s, not killed: %v", s.name, err)
		return swept{Violations: 1}
	}
	check := func(points int, kills ...int) [][]string {
		passed, got, err := s.tell(t, kills...)
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("it came to something else\n%s", difference(strings.Join(want, "\n"), strings.Join(got, "\n")))
		}
		sum.Points, sum.Crashes = sum.Points+points, sum.Crashes+1
		if err != nil {
			if sum.Violations++; sum.Violations <= 3 {
				t.Errorf("%s, killed %s: %v\n-run WhereverTheBotIsKilled -scenario %q -at %s tells it again", s.name, where(passed, kills), err, s.name, list(kills))
			}
		}
		return passed
	}
	if *fatal != "" {
		check(1, numbers(t, *fatal)...)
		return sum
	}
	for n, first := range sample(places(points[0], *literal), *crashes) {
		if n%*parts != *part {
			continue
		}
		passed := check(first.points, first.at)
		if !pairs || !first.moment || len(passed) < 2 {
			continue
		}
		for _, second := range places(passed[1], false) {
			check(second.points, first.at, second.at)
		}
	}
	return sum
}

// where names the points at which lives ended.
func where(points [][]string, kills []int) string {
	var out []string
	for life, at := range kills {
		if life < len(points) && at < len(points[life]) {
			out = append(out, points[life][at])
		}
	}
	return strings.Join(out, ", then ")
}

func list(kills []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(kills), " ", ","), "[]")
}

var rolloutID = regexp.MustCompile(`r-[0-9a-f]{6}`)

func numbers(t *testing.T, list string) (out []int) {
	if err := json.Unmarshal([]byte("["+list+"]"), &out); err != nil {
		t.Fatalf("-at %s: %v", list, err)
	}
	return out
}

// TestARolloutComesToTheSameEndWhereverTheBotIsKilled tells seven scenarios, kills the bot at its moments one by
// one, and wants the same to come of it as where it lives.
func TestARolloutComesToTheSameEndWhereverTheBotIsKilled(t *testing.T) {
	if *shards > 1 {
		for _, c := range share(t, t.Name(), func(n int) []string {
			return []string{"-part=" + strconv.Itoa(n), "-parts=" + strconv.Itoa(*shards), "-crashes=" + strconv.Itoa(*crashes), "-scenario=" + *only,
				"-literal=" + strconv.FormatBool(*literal), "-pairs=" + strconv.FormatBool(*pairs)}
		}) {
			for name, sum := range c.Swept {
				counted.sweep(name, sum)
			}
		}
		return
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	for n, s := range scenarios {
		if *only == "" || *only == s.name {
			counted.sweep(s.name, s.sweep(t, *pairs && n == 0))
		}
	}
}
