package upgrade

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// deskAt returns a desk over one set and its journal, both at the night's beginning.
func deskAt(now time.Time) (Desk, *cloud, *memory) {
	c, m, n := newCloud(), newMemory(), 0
	return Desk{
		Fleet: c, Catalogue: c, Journal: m, People: directory{"UANA": ana, "UBO": bo, "UEVA": eva, "USTRAY": stray}, Policies: func() []Policy { return []Policy{webPolicy()} },
		Now: func() time.Time { return now },
		ID:  func() string { n++; return fmt.Sprintf("%032d", n) },
	}, c, m
}

func intp(n int) *int                          { return &n }
func limitp(l Limit) *Limit                    { return &l }
func durationp(d time.Duration) *time.Duration { return &d }
func ask(target string, changes ...func(*Ask)) Ask {
	a := Ask{Set: "web", Target: target, Channel: "C1"}
	for _, c := range changes {
		c(&a)
	}
	return a
}

func refusal(t *testing.T, err error) *Refusal {
	t.Helper()
	var no *Refusal
	if err == nil || !errors.As(err, &no) {
		t.Fatalf("no refusal: %v", err)
	}
	return no
}

func TestDeskOpensARollout(t *testing.T) {
	d, _, _ := deskAt(night)
	c, p, err := d.Open(context.Background(), ana, ask("2.0", func(a *Ask) { a.Which.UpdateDomains, a.Note = []int{0}, "CHG-1" }))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Gates) != 1 || p.By != "UANA" || p.Note != "CHG-1" || p.Target.Image != v2 || p.Digest != p.digest() {
		t.Errorf("planned %+v", p)
	}
	r := Fold(c.Rollout, c.Events)
	if !strings.HasPrefix(c.Rollout, "r-") || c.Open.Digest != p.Digest || c.Seq != 0 || r.Requester != "UANA" || r.Digest != p.Digest || r.Channel != "C1" {
		t.Errorf("change %+v opens %+v", c, r)
	}
	if len(c.Posts) != 2 || c.Posts[0].Slot != SlotLive || c.Posts[1].Slot != SlotPlan {
		t.Errorf("posts %+v", c.Posts)
	}
}

func TestDeskRefusesToOpen(t *testing.T) {
	held := func(_ *cloud, m *memory) {
		m.open("r-held", webPlan(func(_ *ScaleSet, _ *Policy, w *Wish) { w.Note = "CHG-881" }), tale{requested, Decided{Text: "UD 0 waits for approval"}})
	}
	for _, row := range []struct {
		name  string
		who   Person
		ask   Ask
		world func(*cloud, *memory)
		code  Code
		says  string
	}{
		{"R23 an approver may not request", bo, ask("2.0"), nil, CodeRole, "a requester"},
		{"R23 for who may not read it a set does not exist", stray, ask("2.0"), nil, CodeUnknown, "no scale set `web`"},
		{"a set that does not exist", ana, ask("2.0", func(a *Ask) { a.Set = "wbe" }), nil, CodeUnknown, "Did you mean `web`?"},
		{"a set is driven in its own channel", ana, ask("2.0", func(a *Ask) { a.Channel = "C2" }), nil, CodeRole, "<#C1>"},
		{"R16 a set that another rollout holds", ana, ask("2.0"), held, CodeLocked, "r-held (ana, since \x021795485600\x03, “CHG-881”): UD 0 waits"},
		{"R43 a version that does not exist", ana, ask("2.1"), nil, CodeUnknown, "it has 3.0, 2.0, 1.0. Did you mean `2.0`?"},
		{"R45 a version that is deprecated", ana, ask("3.0"), nil, CodePolicy, "gone in May"},
		{"R43 a model that follows latest cannot be a target", ana, ask("model"), func(c *cloud, _ *memory) { c.set.Model.Image = version("latest") }, CodePolicy, "follows latest"},
		{"an image that is no platform image", ana, ask("2.0"), func(c *cloud, _ *memory) { c.set.Model.Image = Image{ID: "/images/x"} }, CodePolicy, "name the image to go to by its id, or `model`"},
		{"R33 a set that is current", ana, ask("1.0"), nil, CodeNothing, "6 already current"},
		{"R33 R16 a set of none", ana, ask("2.0"), func(c *cloud, _ *memory) { c.set.Instances, c.set.Capacity = nil, 0 }, CodeNothing, "no instances"},
		{"R46 a set that cannot be read", ana, ask("2.0"), func(c *cloud, _ *memory) {
			c.blind = &Fault{Kind: FaultDenied, Code: "AuthorizationFailed", Message: "no"}
		}, CodeAzure, "AuthorizationFailed: no"},
		{"R21 a limit looser than the policy's", ana, ask("2.0", func(a *Ask) { a.MaxUnavailable = limitp(Limit{N: 3}) }), nil, CodePolicy, "max-unavailable=2"},
		{"R21 more failures than the policy's", ana, ask("2.0", func(a *Ask) { a.MaxFailures = intp(1) }), nil, CodePolicy, "max-failures=0"},
		{"R21 a shorter soak than the policy's", ana, ask("2.0", func(a *Ask) { a.Soak = durationp(time.Minute) }), nil, CodePolicy, "soak=5m0s"},
		{"R21 a shorter bake than the policy's", ana, ask("2.0", func(a *Ask) { a.Bake = durationp(0) }), nil, CodePolicy, "bake=10m0s"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d, c, m := deskAt(night)
			if row.world != nil {
				row.world(c, m)
			}
			_, _, err := d.Open(context.Background(), row.who, row.ask)
			if no := refusal(t, err); no.Code != row.code || !strings.Contains(no.What, row.says) {
				t.Errorf("refused %s: %s", no.Code, no.What)
			}
		})
	}
}

func TestDeskPlans(t *testing.T) {
	d, c, m := deskAt(night)
	m.open("r-held", webPlan(), tale{requested})
	p, err := d.Plan(context.Background(), bo, ask("latest", func(a *Ask) {
		a.MaxUnavailable, a.Soak, a.Bake, a.MaxFailures = limitp(Limit{N: 1}), durationp(time.Hour), durationp(2*time.Hour), intp(0)
	}))
	if err != nil {
		t.Fatalf("R16: a plan locks nothing and needs only the right to read: %v", err)
	}
	if p.Target.Image != v2 || p.Pinned != Latest {
		t.Errorf("R43: latest is pinned to %s (%q)", p.Target.Image, p.Pinned)
	}
	if p.Limits.MaxUnavailable != 1 || p.Limits.Soak != time.Hour || p.Limits.Bake != 2*time.Hour || p.Limits.BatchCap != 50 {
		t.Errorf("limits %+v", p.Limits)
	}
	c.set.Model.Image = v2
	if p, err := d.Plan(context.Background(), ana, ask("model")); err != nil || !p.Target.Model || p.Target.Image != v2 {
		t.Errorf("R41: target model is %+v (%v)", p.Target, err)
	}
	if len(c.applied) > 0 {
		t.Error("a plan was sent to Azure")
	}
}

func TestDeskSay(t *testing.T) {
	d, _, m := deskAt(night)
	m.open("r-1", webPlan(), tale{requested, asked("ud-0")})
	c, answer, err := d.Say(context.Background(), bo, Word{Verb: WordApprove, Nonce: "n-ud-0", Channel: "C1"})
	if err != nil || c.Rollout != "r-1" || c.Seq != 2 || len(c.Events) != 2 || c.Events[1].Seq != 4 || c.Events[0].By != "UBO" || answer == "" {
		t.Fatalf("approved: %+v, %q, %v", c, answer, err)
	}
	if len(c.Posts) == 0 || c.Posts[0].Slot != CardSlot("ud-0", 1) {
		t.Errorf("R24: posts %+v", c.Posts)
	}
	held := Decided{Kind: Hold, Reason: ReasonDrift, Text: "x", Blockers: []Blocker{{Reason: ReasonApproval, What: "y"}, {Reason: ReasonDrift, What: "the set is not as planned", Next: "/vmss replan r-1"}}}
	m.open("r-1", webPlan(), tale{requested, asked("ud-0"), held})
	if _, answer, _ := d.Say(context.Background(), bo, Word{Verb: WordApprove, Nonce: "n-ud-0", Channel: "C1"}); !strings.Contains(answer, "does not start yet: the set is not as planned. The way out: `/vmss replan r-1`") {
		t.Errorf("R26: a yes to what is held was answered %q", answer)
	}
	m.open("r-1", webPlan(), tale{requested, asked("ud-0")})
	for _, row := range []struct {
		name string
		who  Person
		word Word
		code Code
	}{
		{"R24 a button of no card", bo, Word{Verb: WordApprove, Nonce: "x", Channel: "C1"}, CodeStale},
		{"R24 a card copied to another channel", bo, Word{Verb: WordApprove, Nonce: "n-ud-0", Channel: "C2"}, CodeStale},
		{"a word in another channel", bo, Word{Verb: WordPause, Rollout: "r-1", Channel: "C2"}, CodeRole},
		{"a rollout that does not exist", bo, Word{Verb: WordPause, Rollout: "r-2", Channel: "C1"}, CodeUnknown},
		{"R23 for who may not read it a rollout does not exist", stray, Word{Verb: WordPause, Rollout: "r-1", Channel: "C1"}, CodeUnknown},
		{"R23 the requester's own click", ana, Word{Verb: WordApprove, Nonce: "n-ud-0", Channel: "C1"}, CodeRole},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, _, err := d.Say(context.Background(), row.who, row.word)
			if no := refusal(t, err); no.Code != row.code || len(c.Events) > 0 {
				t.Errorf("refused %s: %s, %v", no.Code, no.What, c.Events)
			}
		})
	}
	same, _, err := d.Say(context.Background(), bo, Word{Verb: WordResume, Rollout: "r-1", Channel: "C1"})
	if no := refusal(t, err); no.Next != "/vmss why r-1" || len(same.Events) > 0 {
		t.Errorf("R1: resume without a pause points to %q", no.Next)
	}
}

func TestATypedYesNeedsACardThatPeopleCouldSee(t *testing.T) {
	d, _, m := deskAt(night)
	m.open("r-1", webPlan(), tale{requested, asked("ud-0")})
	typed := Word{Verb: WordApprove, Rollout: "r-1", Channel: "C1"}
	m.unseen = true
	c, _, err := d.Say(context.Background(), bo, typed)
	if no := refusal(t, err); no.Code != CodeState || no.Next != "/vmss approve r-1" || len(c.Events) > 0 {
		t.Errorf("R24: a yes to a card that is still in the outbox: %+v, %v", no, c.Events)
	}
	if c, _, err := d.Say(context.Background(), bo, Word{Verb: WordDeny, Rollout: "r-1", Channel: "C1", Reason: "not tonight"}); err != nil || len(c.Events) == 0 {
		t.Errorf("a no needs to have seen nothing: %v, %v", c.Events, err)
	}
	m.unseen = false
	if c, _, err := d.Say(context.Background(), bo, typed); err != nil || len(c.Events) == 0 {
		t.Errorf("the card is in the channel: %v, %v", c.Events, err)
	}
}

func TestDeskLook(t *testing.T) {
	look := func(t *testing.T, told tale, who Person, q Query) (Sight, error) {
		t.Helper()
		d, _, m := deskAt(night)
		m.open("r-1", webPlan(), told)
		return d.Look(context.Background(), who, q)
	}
	waiting := tale{requested, asked("ud-0")}
	doubted := tale{requested, granted("ud-0"), Decided{Kind: Wait, Reason: ReasonApproval, Blockers: []Blocker{{Reason: ReasonApproval}}}}
	for _, row := range []struct {
		name string
		told tale
		who  Person
		want int // rollouts that wait for this person's yes
	}{
		{"R24 who may approve is waited for", waiting, bo, 1},
		{"R23 the requester is not", waiting, ana, 0},
		{"R23 nor is who may not approve", waiting, stray, 0},
		{"R24 nor who has said yes", tale{waiting, voted("UBO", "ud-0")}, bo, 0},
		{"R24 nor anybody once it is granted", tale{requested, granted("ud-0")}, eva, 0},
		{"R23 unless the grant was found wanting", doubted, eva, 1},
		{"R24 nor after a denial", tale{waiting, by{"UEVA", Denied{Gate: "ud-0"}}}, bo, 0},
		{"R3 nor after an abort", tale{waiting, by{"UANA", AbortAsked{}}}, bo, 0},
		{"R22 nor when the time is over", tale{waiting, Decided{Kind: Hold, Reason: ReasonExpired, Blockers: []Blocker{{Reason: ReasonExpired}}}}, bo, 0},
		{"nor before the gate was asked", tale{requested}, bo, 0},
		{"nor when all of it was started", tale{begun, write(batchOp(1, "0", "3")), Accepted{Op: "op-1"}}, eva, 0},
	} {
		s, err := look(t, row.told, row.who, Query{Kind: QueryPending})
		if err != nil || len(s.Rollouts) != row.want {
			t.Errorf("%s: %d pending, want %d (%v)", row.name, len(s.Rollouts), row.want, err)
		}
	}
	for _, row := range []struct {
		name  string
		who   Person
		q     Query
		check func(Sight) bool
		code  Code
	}{
		{"all open rollouts", bo, Query{Kind: QueryRollouts}, func(s Sight) bool { return len(s.Rollouts) == 1 }, ""},
		{"one by its id", bo, Query{Kind: QueryRollouts, About: "r-1"}, func(s Sight) bool { return s.Rollouts[0].ID == "r-1" }, ""},
		{"those of a set", bo, Query{Kind: QueryRollouts, About: "shop/WEB"}, func(s Sight) bool { return len(s.Rollouts) == 1 }, ""},
		{"sets by a part of the name", bo, Query{Kind: QuerySets, About: "E"}, func(s Sight) bool { return len(s.Sets) == 1 && len(s.Rollouts) == 1 }, ""},
		{"no set has it", bo, Query{Kind: QuerySets, About: "x"}, func(s Sight) bool { return len(s.Sets) == 0 }, ""},
		{"a set with who holds it", bo, Query{Kind: QuerySet, About: "web"}, func(s Sight) bool { return s.Set.Name == "web" && len(s.Rollouts) == 1 && s.Policy.Channel == "C1" }, ""},
		{"the versions of a set's image with the set", bo, Query{Kind: QueryVersions, About: "web"}, func(s Sight) bool { return s.Set.Name == "web" && len(s.Versions) > 1 && len(s.Rollouts) == 1 }, ""},
		{"R23 a stranger sees no rollout", stray, Query{Kind: QueryRollouts}, func(s Sight) bool { return len(s.Rollouts) == 0 }, ""},
		{"R23 a stranger sees no set", stray, Query{Kind: QuerySets}, func(s Sight) bool { return len(s.Sets) == 0 }, ""},
		{"R23 nor one by its id", stray, Query{Kind: QueryRollouts, About: "r-1"}, nil, CodeUnknown},
		{"R23 nor a set by its name", stray, Query{Kind: QuerySet, About: "web"}, nil, CodeUnknown},
		{"R23 nor its versions", stray, Query{Kind: QueryVersions, About: "web"}, nil, CodeUnknown},
		{"a slip in an id", bo, Query{Kind: QueryRollouts, About: "r-2"}, nil, CodeUnknown},
	} {
		s, err := look(t, waiting, row.who, row.q)
		if row.code != "" {
			if no := refusal(t, err); no.Code != row.code {
				t.Errorf("%s: refused %s", row.name, no.Code)
			}
			continue
		}
		if err != nil || !row.check(s) {
			t.Errorf("%s: %+v (%v)", row.name, s, err)
		}
	}
}

func TestAmbiguousNamesAreNotGuessed(t *testing.T) {
	sets := []SetSummary{{Name: "web", ResourceGroup: "a"}, {Name: "WEB", ResourceGroup: "b"}, {Name: "api", ResourceGroup: "a"}}
	if got := named(sets, "web"); len(got) != 2 || !strings.Contains(ambiguous(got, "web").What, "a/web, b/WEB") {
		t.Errorf("web is %v", got)
	}
	if got := named(sets, "B/web"); len(got) != 1 || got[0].ResourceGroup != "b" {
		t.Errorf("B/web is %v", got)
	}
}

func TestNearest(t *testing.T) {
	for _, row := range []struct{ word, want string }{
		{"wbe", "web"}, {"WEB", "web"}, {"web-prodd", "web-prod"}, {"xyz", ""}, {"", ""}, {strings.Repeat("w", 200), ""},
	} {
		if got := Nearest(row.word, []string{"web", "web-prod", "api-gateway"}); got != row.want {
			t.Errorf("nearest to %.20q is %q, want %q", row.word, got, row.want)
		}
	}
}

func TestASetIsFoundByNameOrGroupAndName(t *testing.T) {
	d, _, _ := deskAt(night)
	for _, name := range []string{"web", "WEB", "shop/web", "Shop/Web"} {
		if _, err := d.Plan(context.Background(), ana, ask("2.0", func(a *Ask) { a.Set = name })); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"other/web", "web/shop", "we", "shop"} {
		_, err := d.Plan(context.Background(), ana, ask("2.0", func(a *Ask) { a.Set = name }))
		if no := refusal(t, err); no.Code != CodeUnknown {
			t.Errorf("%s: %v", name, no)
		}
	}
}

func TestR1ARolloutOfAChannelThatIsGoneCanBeEndedWhereItsSetIsDrivenNow(t *testing.T) {
	d, _, m := deskAt(night)
	m.open("r-1", webPlan(), tale{requested, asked("ud-0")})
	now := webPolicy()
	now.Channel = "C2"
	d.Policies = func() []Policy { return []Policy{now} }
	for _, row := range []struct {
		word Word
		in   string
		may  bool
	}{
		{Word{Verb: WordAbort, Reason: "why"}, "C2", true}, {Word{Verb: WordPause}, "C2", true}, {Word{Verb: WordPause}, "C1", true}, {Word{Verb: WordAbort, Reason: "why"}, "C3", false},
		{Word{Verb: WordApprove}, "C2", false}, {Word{Verb: WordRetry}, "C2", false}, {Word{Verb: WordRollback}, "C2", false},
	} {
		row.word.Rollout, row.word.Channel = "r-1", row.in
		_, _, err := d.Say(context.Background(), bo, row.word)
		if no := new(Refusal); row.may && err != nil || !row.may && (!errors.As(err, &no) || !strings.Contains(no.What, "is driven in <#C1> only")) {
			t.Errorf("%s in %s: %v", row.word.Verb, row.in, err)
		}
	}
}
