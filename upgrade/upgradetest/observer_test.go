package upgradetest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

// clone copies as much of the evidence as the forgers below touch.
func clone(t *testing.T, e upgradetest.Evidence) upgradetest.Evidence {
	t.Helper()
	e.Calls, e.Posts, e.Acts, e.Downs = slices.Clone(e.Calls), slices.Clone(e.Posts), slices.Clone(e.Acts), slices.Clone(e.Downs)
	e.Answers = slices.Clone(e.Answers)
	for i := range e.Calls {
		raw, err := json.Marshal(e.Calls[i].Before)
		if err == nil {
			e.Calls[i].Before = azuresim.State{}
			err = json.Unmarshal(raw, &e.Calls[i].Before)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// start returns the n-th accepted start.
func start(t *testing.T, e upgradetest.Evidence, n int) *upgradetest.Call {
	t.Helper()
	for i := range e.Calls {
		if e.Calls[i].Method != "POST" || !e.Calls[i].Accepted {
			continue
		}
		if n--; n < 0 {
			return &e.Calls[i]
		}
	}
	t.Fatal("the story has too few starts")
	return nil
}

// before returns what was true of an instance before the call.
func before(t *testing.T, k *upgradetest.Call, id string) *azuresim.InstanceState {
	t.Helper()
	for s := range k.Before.Sets {
		for i := range k.Before.Sets[s].Instances {
			if in := &k.Before.Sets[s].Instances[i]; in.ID == id {
				return in
			}
		}
	}
	t.Fatalf("there is no instance %s", id)
	return nil
}

// again adds a copy of the last start at another time, of instances that were as before the first.
func again(t *testing.T, e *upgradetest.Evidence, at time.Time, ids ...string) {
	t.Helper()
	k := *start(t, *e, 0)
	k.Time = at
	if ids != nil {
		k.Instances = ids
		k.Body, _ = json.Marshal(map[string]any{"instanceIds": ids})
	}
	k.Before.Operations = nil
	e.Calls = append(e.Calls, k)
}

func act(t *testing.T, e upgradetest.Evidence, user, word string) *upgradetest.Act {
	t.Helper()
	for i := range e.Acts {
		if a := &e.Acts[i]; a.User == user && (a.Action == word || strings.HasPrefix(a.Text, word)) {
			return a
		}
	}
	t.Fatalf("%s never said %s", user, word)
	return nil
}

func without(posts []upgradetest.Post, gone func(upgradetest.Post) bool) []upgradetest.Post {
	return slices.DeleteFunc(posts, gone)
}

// forgeries are promises broken on purpose in the evidence of a story in which none is broken.
var forgeries = []struct {
	name  string
	story string
	rule  string
	forge func(*testing.T, *upgradetest.Evidence)
}{
	{"a start while an operation runs", "all-domains", "I1", func(t *testing.T, e *upgradetest.Evidence) {
		k := start(t, *e, 1)
		k.Before.Operations = append(k.Before.Operations, azuresim.OperationState{Kind: "manualupgrade", Set: k.Set, Status: "InProgress", Start: k.Time.Add(-time.Minute)})
	}},
	{"a start while an instance is worked on", "all-domains", "I1", func(t *testing.T, e *upgradetest.Evidence) {
		k := start(t, *e, 1)
		i := before(t, k, "5")
		i.Doing, i.Since = "reimage", k.Time.Add(-time.Minute)
	}},
	{"an attempt Azure refused while another runs", "all-domains", "I1", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, e.Now)
		k := &e.Calls[len(e.Calls)-1]
		k.Accepted, k.Status = false, 409
		k.Before.Operations = []azuresim.OperationState{{Set: k.Set, Status: "InProgress", Start: k.Time.Add(-time.Minute)}}
	}},
	{"a wave that starts before the canary is done", "wave-to-the-end", "I21", func(t *testing.T, e *upgradetest.Evidence) {
		k := start(t, *e, 1)
		before(t, k, "0").Version = "4.0.20160101" // of the canary
		e.Posts = slices.Clone(e.Posts)
		for i, p := range e.Posts {
			e.Posts[i].States = slices.DeleteFunc(slices.Clone(p.States), func(s upgradetest.Seen) bool {
				return s.Title() == "*web-canary → 4.0.20160229*" && !s.At.Before(k.Time.Add(-time.Minute))
			})
		}
	}},
	{"a wave that starts after the canary has ended otherwise", "wave-to-the-end", "I21", func(t *testing.T, e *upgradetest.Evidence) {
		e.Posts = slices.Clone(e.Posts)
		for i, p := range e.Posts {
			e.Posts[i].States = slices.Clone(p.States)
			for j, s := range e.Posts[i].States {
				lines := slices.Clone(s.Lines)
				for n, l := range lines {
					if s.Title() == "*web-canary → 4.0.20160229*" {
						lines[n] = strings.ReplaceAll(l, ":white_check_mark: Ended", ":octagonal_sign: Ended")
					}
				}
				e.Posts[i].States[j].Lines = lines
			}
		}
	}},
	{"a wave that starts after the canary was taken back", "wave-taken-back", "I21", func(t *testing.T, e *upgradetest.Evidence) {
		k := *start(t, *e, 0)
		k.Set, k.Time = strings.Replace(k.Set, "web-canary", "web-eu", 1), e.Now
		e.Calls = append(e.Calls, k)
	}},
	{"nobody approved", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		e.Acts = slices.DeleteFunc(e.Acts, func(a upgradetest.Act) bool { return a.User == slacksim.Eva })
	}},
	{"the requester approved", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) { act(t, *e, slacksim.Eva, "approve").User = slacksim.Ana }},
	{"an outsider approved", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) { act(t, *e, slacksim.Eva, "approve").User = slacksim.Olaf }},
	{"a guest on the list approved", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		i := slices.IndexFunc(e.Users, func(u slacksim.User) bool { return u.ID == slacksim.Eva })
		e.Users = slices.Clone(e.Users)
		e.Users[i].Guest = true
	}},
	{"who approved had left", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		e.Left = map[string]time.Time{slacksim.Eva: act(t, *e, slacksim.Eva, "approve").At}
	}},
	{"an approval that was neither acknowledged nor answered", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		act(t, *e, slacksim.Eva, "approve").Acked = false
		e.Posts = without(e.Posts, func(p upgradetest.Post) bool { return p.EphemeralTo == slacksim.Eva })
	}},
	{"an approval that came after the start", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		act(t, *e, slacksim.Eva, "approve").At = start(t, *e, 1).Time.Add(time.Second)
	}},
	{"an approval that had run out", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		k := start(t, *e, 1)
		k.Time = k.Time.Add(5 * time.Hour)
	}},
	{"an approval of another gate", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, start(t, *e, 0).Time.Add(time.Minute), "2", "5")
	}},
	{"one of two approvals", "quorum", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		e.Acts = slices.DeleteFunc(e.Acts, func(a upgradetest.Act) bool { return a.User == slacksim.Eva })
	}},
	{"the model set before anybody agreed", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		e.Calls[0].Time = act(t, *e, slacksim.Bo, "approve").At.Add(-time.Second)
	}},
	{"the whole set put", "all-domains", "I2", func(t *testing.T, e *upgradetest.Evidence) { e.Calls[0].Method = "PUT" }},
	{"the model put back though nobody asked", "abort-and-revert", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		e.Acts = slices.DeleteFunc(e.Acts, func(a upgradetest.Act) bool { return a.Action == "model-revert" })
	}},
	{"an instance of another gate among them", "all-domains", "I4", func(t *testing.T, e *upgradetest.Evidence) {
		k := start(t, *e, 0)
		k.Instances = append(slices.Clone(k.Instances), "1")
	}},
	{"all instances by a star", "all-domains", "I4", func(t *testing.T, e *upgradetest.Evidence) { start(t, *e, 0).Body = []byte(`{"instanceIds":["*"]}`) }},
	{"all instances by an empty list", "all-domains", "I4", func(t *testing.T, e *upgradetest.Evidence) { start(t, *e, 0).Body = []byte(`{"instanceIds":[]}`) }},
	{"an instance that was up to date", "all-domains", "I4", func(t *testing.T, e *upgradetest.Evidence) {
		i := before(t, start(t, *e, 0), "3")
		i.Version, i.LatestModelApplied = "4.0.20160229", true
	}},
	{"a protected instance", "all-domains", "I4", func(t *testing.T, e *upgradetest.Evidence) { before(t, start(t, *e, 0), "3").Protected = true }},
	{"too many out of service", "all-domains", "I5", func(t *testing.T, e *upgradetest.Evidence) { before(t, start(t, *e, 1), "5").Health = "unhealthy" }},
	{"one that may serve taken for one that is down", "all-domains", "I5", func(t *testing.T, e *upgradetest.Evidence) {
		k := start(t, *e, 1)
		before(t, k, "5").Health = "unhealthy"
		for _, id := range k.Instances {
			before(t, k, id).Health = "unknown"
		}
	}},
	{"a soak cut short", "all-domains", "I6", func(t *testing.T, e *upgradetest.Evidence) {
		k := start(t, *e, 1)
		before(t, k, "0").Since = k.Time.Add(-4 * time.Minute)
	}},
	{"a soak cut short after what had failed before was done", "retry", "I6", func(t *testing.T, e *upgradetest.Evidence) {
		k := start(t, *e, 2)
		before(t, k, "0").Since = k.Time.Add(-30 * time.Second)
	}},
	{"a second start under one approval", "all-domains", "I7", func(t *testing.T, e *upgradetest.Evidence) { again(t, e, start(t, *e, 0).Time.Add(time.Minute)) }},
	{"a second start under a yes to the rest", "approve-rest", "I7", func(t *testing.T, e *upgradetest.Evidence) {
		k := *start(t, *e, 2)
		k.Time = k.Time.Add(time.Minute)
		e.Calls = append(e.Calls, k)
	}},
	{"an approval that a crash swallowed", "crash-after-ack", "I8", func(t *testing.T, e *upgradetest.Evidence) {
		e.Posts = without(e.Posts, func(p upgradetest.Post) bool { return p.EphemeralTo == slacksim.Bo })
	}},
	{"a command without an answer", "all-domains", "I9", func(t *testing.T, e *upgradetest.Evidence) {
		e.Posts = without(e.Posts, func(p upgradetest.Post) bool { return p.EphemeralTo == slacksim.Ana })
	}},
	{"two answers to one command", "all-domains", "I9", func(t *testing.T, e *upgradetest.Evidence) {
		i := slices.IndexFunc(e.Posts, func(p upgradetest.Post) bool { return p.EphemeralTo == slacksim.Ana })
		p := e.Posts[i]
		p.TS += "1"
		e.Posts = append(e.Posts, p)
	}},
	{"no report", "all-domains", "I10", func(t *testing.T, e *upgradetest.Evidence) {
		e.Posts = without(e.Posts, func(p upgradetest.Post) bool { return strings.Contains(strings.Join(p.Lines, "\n"), "6 planned") })
		e.Now = e.Now.Add(15 * time.Minute) // it may take a while where Slack is in trouble
	}},
	{"an outsider who got his way", "all-domains", "I17", func(t *testing.T, e *upgradetest.Evidence) {
		for i := range e.Acts {
			e.Acts[i].User = slacksim.Olaf
		}
		for i := range e.Posts {
			if e.Posts[i].EphemeralTo != "" {
				e.Posts[i].EphemeralTo = slacksim.Olaf
			}
		}
	}},
	{"a token in a message", "all-domains", "I15", func(t *testing.T, e *upgradetest.Evidence) {
		e.Leaks = append(e.Leaks, upgradetest.Leak{At: e.Now, Rule: "I15", What: "a token stands in a message"})
	}},
	{"an action that is none of ours", "all-domains", "I16", func(t *testing.T, e *upgradetest.Evidence) {
		for i := range e.Calls {
			if e.Calls[i].Method == "POST" {
				e.Calls[i].Action = "deallocate"
			}
		}
	}},
	{"a report that counts too many", "all-domains", "I10", func(t *testing.T, e *upgradetest.Evidence) { reword(t, e, "*6 upgraded*", "*7 upgraded*") }},
	{"a rollback's report that calls it an upgrade", "rollback", "I10", func(t *testing.T, e *upgradetest.Evidence) { reword(t, e, "*2 back*", "*2 upgraded*") }},
	{"a report of other images", "all-domains", "I10", func(t *testing.T, e *upgradetest.Evidence) {
		reword(t, e, "6 on the new one, 0 on others", "5 on the new one, 1 on others")
	}},
	{"a start after an abort was answered", "abort-and-revert", "I12", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, act(t, *e, slacksim.Eva, "abort").At.Add(10*time.Second))
	}},
	{"a retry that nobody agreed to", "retry", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		bos := act(t, *e, slacksim.Bo, "approve")
		e.Acts = slices.DeleteFunc(e.Acts, func(a upgradetest.Act) bool { return a.User == slacksim.Bo && a.At.After(bos.At) })
	}},
	{"a second start under the yes to a retry", "retry", "I7", func(t *testing.T, e *upgradetest.Evidence) {
		k := *start(t, *e, 1)
		k.Time = k.Time.Add(20 * time.Second)
		e.Calls = append(e.Calls, k)
	}},
	{"a new disk that nobody wanted", "retry-on-a-new-disk", "I4", func(t *testing.T, e *upgradetest.Evidence) {
		e.Acts = slices.DeleteFunc(e.Acts, func(a upgradetest.Act) bool { return strings.HasPrefix(a.Text, "retry") })
	}},
	{"a start of what was set aside", "quarantine", "R6", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, act(t, *e, slacksim.Bo, "quarantine r-").At.Add(time.Minute), "0")
	}},
	{"a start of what was skipped", "skip", "R6", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, act(t, *e, slacksim.Ana, "skip").At.Add(time.Minute), "1")
	}},
	{"an old yes to a new plan", "replan", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		replan := act(t, *e, slacksim.Bo, "replan").At
		e.Acts = slices.DeleteFunc(e.Acts, func(a upgradetest.Act) bool { return a.Action == "approve" && a.At.After(replan) })
	}},
	{"a rollback agreed to by an outsider", "rollback-after-the-end", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		act(t, *e, slacksim.Eva, "approve-rest").User = slacksim.Olaf
	}},
	{"a way back that nobody wanted, agreed to by who asked for it", "rollback", "I2", func(t *testing.T, e *upgradetest.Evidence) {
		e.Acts = slices.DeleteFunc(e.Acts, func(a upgradetest.Act) bool { return a.Action == "rollback" })
	}},
	{"a rollback to what was not there before", "rollback", "R5", func(t *testing.T, e *upgradetest.Evidence) {
		before(t, start(t, *e, 0), "0").Version = "4.0.20151120"
	}},
	{"a start of what is to be rolled back", "rollback-in-flight", "I12", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, act(t, *e, slacksim.Eva, "rollback").At.Add(10*time.Second))
	}},
	{"a start while an external gate fails", "gate-fails-in-the-soak", "R32", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, act(t, *e, slacksim.Eva, "approve").At.Add(10*time.Minute))
	}},
	{"a start by one good answer", "gate-fails-in-the-soak", "R32", func(t *testing.T, e *upgradetest.Evidence) { e.Answers = e.Answers[1:2] }},
	{"a start by an answer of long ago", "gate-fails-in-the-soak", "R32", func(t *testing.T, e *upgradetest.Evidence) {
		for i := range e.Answers {
			e.Answers[i].At = e.Answers[i].At.Add(-3 * time.Minute)
		}
	}},
	{"a success while an external gate fails", "gate-fails-in-the-soak", "R32", func(t *testing.T, e *upgradetest.Evidence) {
		n := len(e.Answers)
		e.Answers[n-1].Pass, e.Answers[n-2].Pass, e.Answers[n-3].Pass, e.Calls = false, false, false, nil
	}},
	{"a start in a freeze", "freeze", "I11", func(t *testing.T, e *upgradetest.Evidence) { again(t, e, e.Freezes[0].From.Add(time.Minute)) }},
	{"the model written in a freeze", "freeze", "I11", func(t *testing.T, e *upgradetest.Evidence) {
		k := e.Calls[0]
		k.Time = e.Freezes[0].From.Add(time.Minute)
		e.Calls = append(e.Calls, k)
	}},
	{"a start that nobody in the channel sees", "bot-kicked", "R19", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, e.Mute[len(e.Mute)-1].From.Add(7*time.Minute))
	}},
	{"a start while nobody can reach the bot", "no-socket-for-ten-minutes", "R19", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, e.Cut[0].From.Add(7*time.Minute))
	}},
	{"a report that forgets whom people set aside", "quarantine", "I10", func(t *testing.T, e *upgradetest.Evidence) {
		reword(t, e, "1 quarantined", "1 passed by")
	}},
	{"a report that counts one twice", "quarantine", "I10", func(t *testing.T, e *upgradetest.Evidence) { reword(t, e, "· 0 failed", "· 1 failed") }},
	{"a report that forgets what was skipped", "skip", "I10", func(t *testing.T, e *upgradetest.Evidence) { reword(t, e, "3 skipped", "3 not touched") }},
	{"a start in a pause", "pause-and-resume", "R2", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, act(t, *e, slacksim.Eva, "pause").At.Add(10*time.Second))
	}},
	{"a start after a no", "deny-and-ask-again", "R24", func(t *testing.T, e *upgradetest.Evidence) {
		again(t, e, act(t, *e, slacksim.Bo, "deny").At.Add(10*time.Second))
	}},
}

// reword puts other words into the report.
func reword(t *testing.T, e *upgradetest.Evidence, was, is string) {
	t.Helper()
	for i, p := range e.Posts {
		report := strings.Contains(strings.Join(p.Lines, "\n"), " planned · ")
		for n, l := range p.Lines {
			if report && strings.Contains(l, was) {
				e.Posts[i].Lines = slices.Clone(p.Lines)
				e.Posts[i].Lines[n] = strings.Replace(l, was, is, 1)
				return
			}
		}
	}
	t.Fatalf("nobody was told %q", was)
}

func TestTheObserverSeesEveryPromiseThatIsBroken(t *testing.T) {
	told := map[string]upgradetest.Evidence{}
	for _, f := range forgeries {
		_, s := read(t, f.story)
		e, known := told[f.story]
		if !known {
			var err error
			if _, e, err = tell(t, s); err != nil {
				t.Fatalf("%s: %v", f.story, err)
			}
			told[f.story] = e
		}
		t.Run(f.name, func(t *testing.T) {
			forged := clone(t, e)
			f.forge(t, &forged)
			found := upgradetest.Observer{Policy: s.Policy}.Judge(forged)
			if !slices.ContainsFunc(found, func(v upgradetest.Violation) bool { return v.Rule == f.rule }) {
				t.Errorf("%s in the story %s: want %s broken, the observer found %v", f.name, f.story, f.rule, found)
			}
		})
	}
}

func TestTheObserverFindsNothingWhereNothingIsBroken(t *testing.T) {
	_, s := read(t, "all-domains")
	_, e, err := tell(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if found := (upgradetest.Observer{Policy: s.Policy}).Judge(clone(t, e)); len(found) > 0 {
		t.Errorf("the observer found %v", found)
	}
}
