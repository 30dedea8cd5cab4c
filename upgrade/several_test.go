package upgrade

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// several is a desk with sets beside web: two canaries, two of a region, and one that nobody but eva reads.
func several(t *testing.T) (Desk, *cloud, *memory) {
	t.Helper()
	d, c, m := deskAt(night)
	c.others = append(c.others, "canary-2", "canary-1", "eu-1", "eu-2", "hidden")
	n := 0
	d.ID = func() string { n++; return fmt.Sprintf("%06d", n) }
	pol := webPolicy()
	secret := webPolicy()
	pol.Pattern, secret.Pattern = "*", "hidden"
	secret.Requesters, secret.Approvers, secret.Readers = []string{"UEVA"}, []string{"UEVA"}, nil
	d.Policies = func() []Policy { return []Policy{secret, pol} }
	d.Groups = func() []Group {
		return []Group{{"fleet", [][]string{{"canary-*"}, {"eu-*", "canary-1", "web"}}}, {"web", [][]string{{"eu-1"}}}, {"dark", [][]string{{"hidden"}, {"eu-1"}}}}
	}
	return d, c, m
}

// shape is how sets stand in waves.
func (s Several) shape() string {
	var out []string
	for _, p := range s.Sets {
		for len(out) < p.Wave {
			out = append(out, "")
		}
		out[p.Wave-1] = strings.TrimSpace(out[p.Wave-1] + " " + p.Set.Name)
	}
	return strings.Join(out, " | ")
}

func severally(set string, changes ...func(*Ask)) Ask {
	return ask("2.0", append([]func(*Ask){func(a *Ask) { a.Set = set }}, changes...)...)
}

func TestANameMeansOneSetOrSeveralInWaves(t *testing.T) {
	d, _, _ := several(t)
	for name, want := range map[string]string{
		"canary-*":    "canary-1 | canary-2",
		"eu-?":        "eu-1 | eu-2",
		"shop/eu-*":   "eu-1 | eu-2",
		"fleet":       "canary-1 canary-2 | eu-1 eu-2 web",
		"group:fleet": "canary-1 canary-2 | eu-1 eu-2 web",
		"web":         "", // a set's name wins
		"group:web":   "eu-1",
		"eu-1":        "",
		"hid*":        "VMSS-UNKNOWN", // what a person may not read does not exist for them
		"group:none":  "VMSS-UNKNOWN",
		"dark":        "VMSS-POLICY", // the first wave would show nothing
	} {
		s, changes, err := d.Several(t.Context(), ana, severally(name), false)
		got := s.shape()
		if err != nil {
			got = string(refusal(t, err).Code)
		}
		if got != want || len(changes) > 0 {
			t.Errorf("%s: %q with %d changes, want %q and none", name, got, len(changes), want)
		}
	}
}

func TestEachSetGetsARolloutThatKnowsTheWavesBefore(t *testing.T) {
	d, _, _ := several(t)
	s, changes, err := d.Several(t.Context(), ana, severally("fleet"), true)
	if err != nil || len(changes) != 5 || s.Group != GroupOf(changes[0].Rollout) {
		t.Fatalf("%+v, %d changes, %v", s, len(changes), err)
	}
	for i, c := range changes {
		f := c.Events[0].Fact.(Requested)
		if f.Wave.Group != s.Group || f.Wave.Of != 2 || c.Open.Set != s.Sets[i].Set.ID || f.Digest != c.Open.Digest {
			t.Errorf("%s opens with %+v", c.Rollout, f)
		}
		var after []string
		for _, p := range f.Wave.After {
			after = append(after, p.Name)
		}
		if want := []string{"canary-1", "canary-2"}; i >= 2 && !slices.Equal(after, want) || i < 2 && after != nil {
			t.Errorf("%s of wave %d waits for %v", f.Wave.Name, f.Wave.N, after)
		}
	}
}

func TestAllAreOpenedOrNone(t *testing.T) {
	d, c, m := several(t)
	opens := func(set string, changes ...func(*Ask)) (Several, []Change, error) {
		return d.Several(t.Context(), ana, severally(set, changes...), true)
	}
	c.shape = func(s *ScaleSet) {
		if s.Name == "eu-2" {
			s.UpgradeMode = Automatic
		}
		if s.Name == "canary-1" {
			for i := range s.Instances {
				s.Instances[i].Image = runs(v2)
			}
		}
	}
	s, changes, err := opens("fleet")
	if err != nil || len(changes) != 0 || len(s.Refused()) != 1 || s.Refused()[0].Set.Name != "eu-2" {
		t.Errorf("with a set that cannot be driven it opens %d, refused %+v, %v", len(changes), s.Refused(), err)
	}
	s, changes, err = opens("fleet", func(a *Ask) { a.Without = []string{"eu-2"} })
	if err != nil || len(changes) != 3 || s.Sets[0].No == nil || s.Sets[0].No.Code != CodeNothing {
		t.Errorf("without it: %d changes, %+v, %v; want three, as canary-1 has nothing to do", len(changes), s.shape(), err)
	}
	if _, _, err := opens("fleet", func(a *Ask) { a.Without = []string{"eu-3"} }); refusal(t, err).Code != CodeUnknown {
		t.Errorf("a slip in what is left out: %v", err)
	}
	if _, _, err := opens("canary-1*"); refusal(t, err).Code != CodeNothing {
		t.Errorf("nothing to do on any: %v", err)
	}
	if _, _, err := opens("eu-*", func(a *Ask) { a.Which.Instances = []string{"3"} }); refusal(t, err).Code != CodeArg {
		t.Errorf("instances of several sets: %v", err)
	}
	if _, _, err := opens("canary-*", func(a *Ask) { a.Channel = "C9" }); refusal(t, err).Code != CodeRole {
		t.Errorf("in a channel that none of them is driven in: %v", err)
	}
	if s, changes, err := d.Several(t.Context(), bo, severally("canary-*"), true); err != nil || len(changes) > 0 || len(s.Refused()) != 2 {
		t.Errorf("who may not ask for them opens %d (%v)", len(changes), err)
	}
	m.open("r-9", func() Plan { p := webPlan(); p.Set = c.summary("canary-2").ID; return p }(), tale{requested})
	if s, changes, err := opens("canary-*"); err != nil || len(changes) > 0 || s.Refused()[0].No.Code != CodeLocked {
		t.Errorf("with a set that another rollout holds: %d changes, %v", len(changes), err)
	}
	for range mostSets {
		c.others = append(c.others, "many-"+strings.Repeat("x", len(c.others)))
	}
	if _, _, err := opens("*"); refusal(t, err).Code != CodeArg {
		t.Errorf("too many: %v", err)
	}
}

func TestOneWordStopsSeveral(t *testing.T) {
	d, _, m := several(t)
	other := webPlan()
	other.Set, other.Name = "/subscriptions/s/resourcegroups/shop/providers/microsoft.compute/virtualmachinescalesets/hidden", "hidden"
	m.open("r-0", canaryPlan(), tale{by{"UANA", Requested{Channel: "C1", Wave: &Wave{Group: "g-0", N: 1, Of: 2}}}})
	m.open("r-1", webPlan(), tale{second, by{"UEVA", Paused{Name: "eva"}}})
	m.open("r-2", other, tale{requested})
	said := func(w Word) string {
		t.Helper()
		all, err := d.SayAll(t.Context(), ana, w)
		if err != nil {
			return string(refusal(t, err).Code)
		}
		var out []string
		for _, s := range all {
			for _, e := range s.Change.Events {
				m.say(s.Rollout, e.By, e.Fact)
				out = append(out, s.Rollout+" "+FactKind(e.Fact))
			}
		}
		return strings.Join(out, ", ")
	}
	for _, row := range []struct {
		word Word
		want string
	}{
		{Word{Verb: WordPause, Rollout: EverySet, Channel: "C9"}, "r-0 Paused"}, // r-1 is paused already, r-2 is none of ana's
		{Word{Verb: WordResume, Rollout: EverySet}, "r-0 Resumed"},              // eva's pause stays
		{Word{Verb: WordResume, Rollout: EverySet}, "VMSS-STATE"},
		{Word{Verb: WordPause, Rollout: "g-0"}, "r-0 Paused"},
		{Word{Verb: WordApprove, Rollout: "g-0"}, "VMSS-ARG"}, // never one yes for two sets
		{Word{Verb: WordAbort, Rollout: EverySet, Reason: "x"}, "VMSS-ARG"},
		{Word{Verb: WordAbort, Rollout: "g-7", Reason: "x"}, "VMSS-UNKNOWN"},
		{Word{Verb: WordAbort, Rollout: "g-0", Reason: "x"}, "r-0 AbortAsked, r-1 AbortAsked"},
	} {
		if got := said(row.word); got != row.want {
			t.Errorf("%s %s: %q, want %q", row.word.Verb, row.word.Rollout, got, row.want)
		}
	}
	if sight, err := d.Look(t.Context(), ana, Query{Kind: QueryRollouts, About: "g-0"}); err != nil || len(sight.Rollouts) != 2 {
		t.Errorf("the group shows %d rollouts (%v), want 2", len(sight.Rollouts), err)
	}
}

func TestAWordAboutAGroupBringsTheReportsOfWhatHasEndedUpToDate(t *testing.T) {
	d, _, m := several(t)
	m.open("r-0", canaryPlan(), tale{by{"UANA", Requested{Channel: "C1", Wave: &Wave{Group: "g-0", N: 1, Of: 2}}}, Ended{Outcome: OutcomeAborted}})
	m.open("r-1", webPlan(), tale{second})
	reports := func(w Word) (out []string) {
		t.Helper()
		all, err := d.SayAll(t.Context(), ana, w)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			for _, p := range s.Change.Posts {
				if p.Slot == SlotReport {
					out = append(out, p.Rollout+" in "+p.Channel)
				}
			}
		}
		return out
	}
	if got := reports(Word{Verb: WordAbort, Rollout: "g-0", Reason: "x"}); !slices.Equal(got, []string{"r-0 in C1"}) {
		t.Errorf("the report that asked to go on is drawn anew: %q", got)
	}
	if got := reports(Word{Verb: WordPause, Rollout: EverySet}); len(got) > 0 {
		t.Errorf("a word about all that is open is about no report: %q", got)
	}
}

// torn is a journal that does not tell who holds a set.
type torn struct{ *memory }

func (torn) Holder(context.Context, SetID) (Record, error) {
	return Record{}, errors.New("unexpected EOF")
}

func TestWhatTheJournalDoesNotTellLeavesNobodyOutOfSeveral(t *testing.T) {
	d, _, m := several(t)
	m.open("r-0", canaryPlan(), tale{by{"UANA", Requested{Channel: "C1", Wave: &Wave{Group: "g-0", N: 1, Of: 2}}}, Ended{Outcome: OutcomeAborted}})
	m.open("r-1", webPlan(), tale{second})
	d.Journal = torn{m}
	for words, say := range map[string]func() error{
		"upgrade eu-*": func() error { _, _, err := d.Several(t.Context(), ana, severally("eu-*"), true); return err },
		"resolve g-0 go-on": func() error {
			_, err := d.SayAll(t.Context(), bo, Word{Verb: WordResolve, Verdict: GoOn, Rollout: "g-0", Reason: "x"})
			return err
		},
	} {
		var no *Refusal
		if err := say(); !errors.As(err, &no) || no.Code != CodeInside || no.Cause == nil {
			t.Errorf("%s ends with %v: want what could not be read, and that it may be tried again", words, err)
		}
	}
}

func TestAGroupHasAReportAndAnAuditOfAllItsRolloutsThatAPersonMayRead(t *testing.T) {
	d, _, m := several(t)
	hidden, alone := webPlan(), webPlan()
	hidden.Set, hidden.Name = "/subscriptions/s/resourcegroups/shop/providers/microsoft.compute/virtualmachinescalesets/hidden", "hidden"
	alone.Set = "/subscriptions/s/resourcegroups/shop/providers/microsoft.compute/virtualmachinescalesets/alone"
	in := func(wave int) by {
		return by{"UANA", Requested{Channel: "C1", Wave: &Wave{Group: "g-0", N: wave, Of: 2}}}
	}
	m.open("r-0", canaryPlan(), tale{in(1), Ended{Outcome: OutcomeSucceeded}})
	m.open("r-1", webPlan(), tale{in(2)})
	m.open("r-2", hidden, tale{in(2)})
	m.open("r-3", alone, tale{requested})
	for _, kind := range []QueryKind{QueryReport, QueryAudit} {
		sight, err := d.Look(t.Context(), ana, Query{Kind: kind, About: "g-0"})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		var ids []string
		for _, r := range sight.Rollouts {
			ids = append(ids, r.ID)
		}
		if !slices.Equal(ids, []string{"r-0", "r-1"}) || sight.Group("g-0") != "g-0" {
			t.Errorf("the %s of the group is about %q", kind, ids)
		}
		if _, err := d.Look(t.Context(), ana, Query{Kind: kind, About: "g-7"}); refusal(t, err).Code != CodeUnknown {
			t.Errorf("the %s of no group: %v", kind, err)
		}
	}
	if sight, err := d.Look(t.Context(), ana, Query{Kind: QueryAudit, About: "g-0", Person: "UBO"}); err != nil || len(sight.Rollouts) > 0 {
		t.Errorf("bo said nothing in it: %d rollouts, %v", len(sight.Rollouts), err)
	}
}
