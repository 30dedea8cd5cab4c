package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// many is fifty sets of 5 to 20 instances, two of them of 100, in an Azure that enforces its limits.
func many() azuresim.Fleet {
	all := fleet(0, 0)
	all.Throttle, all.PageSize = true, pageSize
	for n := range 50 {
		size := 5 + n*7%16
		if n == 10 || n == 30 {
			size = 100
		}
		all.Sets = append(all.Sets, fleet(size, domains, fmt.Sprintf("web-%02d", n)).Sets...)
	}
	return all
}

// BenchmarkLargeFleet is rollouts of fifty sets at once, told in one channel: ana asks for one every two
// seconds, and bo agrees to one every two seconds. Both makespans are the worst set's: of that of which
// Azure's work took longest beside its own time, and of all from the first start to the last end.
// "wait-s" is from bo's word to the set's first start, "silence-s" the longest time between two edits of a
// live message of a set that was being worked on, which is also the longest that something took to be shown.
func BenchmarkLargeFleet(b *testing.B) {
	var f figures
	for b.Loop() {
		f = figures{}
		bubble(b, func(t *testing.T) { f.fleet(t) })
	}
	f.report(b)
}

func (f figures) fleet(t *testing.T) {
	fleet := many()
	s := simulated(t, fleet)
	m := s.meter()
	rollouts := s.opensAll(t, fleet)
	words := map[string]time.Time{}
	for _, set := range fleet.Sets {
		acked, err := s.agrees(rollouts[set.Name])
		if err != nil {
			t.Fatal(err)
		}
		words[set.Name] = acked
		time.Sleep(2 * time.Second)
	}
	ended := s.endAll(t, fleet, rollouts)
	time.Sleep(time.Minute)
	m.report(f)
	f.holds(s)
	f.service(t, s, words, ended)
	f["silence-s"] = s.silence().Seconds()
	if err := s.world.Stop(); err != nil {
		t.Fatal(err)
	}
	f.journal(t, s.journal)
}

// opensAll has ana ask for every set's rollout and waits for all cards. It returns the rollouts' ids.
func (s stage) opensAll(t *testing.T, fleet azuresim.Fleet) map[string]string {
	for _, set := range fleet.Sets {
		if _, _, err := s.command(slacksim.Ana, "upgrade "+set.Name+" "+target); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
	}
	ids := map[string]string{}
	s.each(t, 10*time.Minute, func(m slacksim.Message) bool {
		name, _, _ := strings.Cut(m.Text, " ")
		if slices.ContainsFunc(m.Actions(), func(a slacksim.Action) bool { return a.ActionID == "approve" }) {
			ids[name] = rolloutID.FindString(m.Text)
		}
		return len(ids) == len(fleet.Sets)
	})
	return ids
}

// endAll waits until every rollout is told to have succeeded, and returns when each was.
func (s stage) endAll(t *testing.T, fleet azuresim.Fleet, rollouts map[string]string) map[string]time.Time {
	ended := map[string]time.Time{}
	s.each(t, 3*time.Hour, func(m slacksim.Message) bool {
		name, _, _ := strings.Cut(m.Text, " ")
		if strings.Contains(m.Text, "finished: succeeded") && ended[name].IsZero() && strings.Contains(m.Text, rollouts[name]) {
			ended[name] = time.Now()
		}
		return len(ended) == len(fleet.Sets)
	})
	return ended
}

// each goes through all messages every second until one of them makes it enough.
func (s stage) each(t *testing.T, patience time.Duration, enough func(slacksim.Message) bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Second) {
		if slices.ContainsFunc(s.slack.Messages(s.channel), enough) {
			return
		}
	}
	t.Fatal("what fifty sets were to say was not said in time")
}

// service is how well each set was served.
func (f figures) service(t *testing.T, s stage, words, ended map[string]time.Time) {
	var first, last time.Time
	for set, at := range ended {
		s.set = set
		span, err := s.span(at)
		if err != nil {
			t.Fatal(set, err)
		}
		start := s.starts()[0].Time
		f["makespan"] = max(f["makespan"], span)
		f.worst("wait-s", start.Sub(words[set]))
		first, last = earlier(first, start), later(last, at)
	}
	f["all-s"] = last.Sub(first).Seconds()
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// silence is the longest time between two edits of the same message while its rollout went on.
func (s stage) silence() (most time.Duration) {
	last := map[string]time.Time{}
	for _, e := range s.slack.Log() {
		if e.Kind != slacksim.LogAPI || e.Method != "chat.update" || e.Status != 200 {
			continue
		}
		ts := textOf(e.Args, "ts")
		if before, edited := last[ts]; edited && strings.Contains(textOf(e.Args, "text"), "upgrading") {
			most = max(most, e.Time.Sub(before))
		}
		last[ts] = e.Time
	}
	return most
}

// textOf is one argument of a call, "" when it has none.
func textOf(args json.RawMessage, name string) string {
	var all map[string]json.RawMessage
	if json.Unmarshal(args, &all) != nil {
		return ""
	}
	var text string
	if json.Unmarshal(all[name], &text) != nil {
		return string(all[name])
	}
	return cmp.Or(text, "")
}
