package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

// register is a workspace's people and groups, as its Web API tells of them.
type register struct {
	mu     sync.Mutex
	groups map[string][]string
	fail   map[string]string // by method: the body of the answer, "429", or "503"
	calls  map[string]int
}

func (r *register) answer(method string, form map[string][]string) (int, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[method]++
	switch fail := r.fail[method]; fail {
	case "":
	case "429":
		return 429, ""
	case "503":
		return 503, ""
	default:
		return 200, fail
	}
	if method == "users.info" {
		id := form["user"][0]
		return 200, fmt.Sprintf(`{"ok":true,"user":{"id":%q,"team_id":"T1","name":"%s","tz":"Europe/Prague"}}`, id, strings.ToLower(id))
	}
	members, known := r.groups[form["usergroup"][0]]
	if !known {
		return 200, `{"ok":false,"error":"no_such_subteam"}`
	}
	return 200, `{"ok":true,"users":["` + strings.Join(members, `","`) + `"]}`
}

func (r *register) count(method string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[method]
}

func (r *register) set(method, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail[method] = body
}

// lobby runs People on a register, in a bubble, until the test is over.
func lobby(t *testing.T, groups map[string][]string, ids []string, test func(p *People, r *register, log *lines)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		r := &register{groups: groups, fail: map[string]string{}, calls: map[string]int{}}
		log := &lines{}
		p := &People{API: webAPI(r.answer), Now: time.Now, Groups: func() []string { return ids }}
		ctx, cancel := context.WithCancel(context.Background())
		var keeping sync.WaitGroup
		p.meet(ctx, "T1", slog.New(log))
		keeping.Go(func() { p.keep(ctx) })
		test(p, r, log)
		cancel()
		keeping.Wait()
	})
}

func TestWhoSomebodyIs(t *testing.T) {
	for id, want := range map[string]upgrade.Person{
		slacksim.Ana:      {ID: slacksim.Ana, Team: "T024BE7LD", Name: "ana", Zone: "Europe/Prague"},
		slacksim.Gus:      {ID: slacksim.Gus, Team: "T024BE7LD", Name: "gus", Zone: "Europe/Lisbon", Guest: true},
		slacksim.Dora:     {ID: slacksim.Dora, Team: "T024BE7LD", Name: "dora", Deleted: true},
		slacksim.Hal:      {ID: slacksim.Hal, Team: "T024BE7LD", Name: "hal", Zone: "Etc/UTC", Bot: true},
		slacksim.BotUser:  {ID: slacksim.BotUser, Team: "T024BE7LD", Name: "vmssbot", Zone: "Etc/UTC", Bot: true},
		slacksim.Stranger: {ID: slacksim.Stranger, Team: "T0FOREIGN1", Name: "sam", Zone: "Etc/UTC", Stranger: true},
	} {
		t.Run(want.Name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				got, err := o.people.Person(context.Background(), id)
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("Person = %+v, %v, want %+v", got, err, want)
				}
				if id == slacksim.Ana {
					return
				}
				pol := upgrade.Policy{Readers: []string{id}, Requesters: []string{id}, Approvers: []string{id}}
				for _, right := range []upgrade.Right{upgrade.MayRead, upgrade.MayRequest, upgrade.MayApprove, upgrade.MayStop} {
					if pol.Refuses(got, right, "") == "" {
						t.Errorf("it may %s", right)
					}
				}
			})
		})
	}
}

// Each of Slack's marks alone is enough: nothing promises that it sets is_stranger for everybody who is of
// another workspace.
func TestEachMarkOfAStrangerIsEnough(t *testing.T) {
	for mark, user := range map[string]string{
		"another workspace": `"team_id":"T2"`, "no workspace": `"name":"u1"`, "is_stranger": `"team_id":"T1","is_stranger":true`,
	} {
		lobby(t, nil, nil, func(p *People, r *register, _ *lines) {
			r.set("users.info", `{"ok":true,"user":{"id":"U1",`+user+`}}`)
			if who, err := p.Person(context.Background(), "U1"); err != nil || !who.Stranger {
				t.Errorf("%s: %+v, %v", mark, who, err)
			}
		})
	}
}

func TestNobodyIsKnownBeforeSlackWasReached(t *testing.T) {
	p := &People{Now: time.Now}
	if who, err := p.Person(t.Context(), "U1"); !errors.Is(err, errNotMet) || who.ID != "" {
		t.Errorf("Person = %+v, %v: an engine that starts first would take every approver for a stranger", who, err)
	}
}

func TestAnAnswerAboutAPersonIsBelievedForAMinuteAndNoLonger(t *testing.T) {
	lobby(t, nil, nil, func(p *People, r *register, _ *lines) {
		ask := func() (upgrade.Person, error) { return p.Person(context.Background(), "U1") }
		for range 5 {
			if who, err := ask(); err != nil || who.Name != "u1" {
				t.Fatalf("Person = %+v, %v", who, err)
			}
			time.Sleep(10 * time.Second)
		}
		if n := r.count("users.info"); n != 1 {
			t.Errorf("%d calls, want one", n)
		}
		time.Sleep(freshFor)
		r.set("users.info", "503")
		if who, err := ask(); err == nil || who.ID != "" {
			t.Errorf("without an answer: %+v, %v; what cannot be checked is denied", who, err)
		}
		r.set("users.info", "")
		if _, err := ask(); err != nil || r.count("users.info") != 3 {
			t.Errorf("a failure is remembered: %v after %d calls", err, r.count("users.info"))
		}
	})
}

func TestTheCacheOfPeopleIsBounded(t *testing.T) {
	p := &People{Now: time.Now}
	for n := range 3 * mostPeople {
		p.remember(upgrade.Person{ID: fmt.Sprint("U", n)})
	}
	if len(p.known) > mostPeople {
		t.Errorf("%d people are remembered", len(p.known))
	}
}

func TestGroupsOfListsEachGroupThatAPolicyNamesOnce(t *testing.T) {
	got := GroupsOf([]upgrade.Policy{
		{Readers: []string{"U1", "S3"}, Requesters: []string{"S2", "W9"}, Approvers: []string{"S1"}},
		{Approvers: []string{"S2", "U2"}},
	})
	if want := []string{"S1", "S2", "S3"}; !slices.Equal(got, want) {
		t.Errorf("GroupsOf = %v, want %v", got, want)
	}
}

func TestAPersonIsInTheGroupsThatPoliciesName(t *testing.T) {
	lobby(t, map[string][]string{"S1": {"U1", "U2"}, "S2": {"U2"}, "S3": {"U1"}}, []string{"S1", "S2"}, func(p *People, r *register, _ *lines) {
		for id, want := range map[string][]string{"U1": {"S1"}, "U2": {"S1", "S2"}, "U3": {}} {
			who, err := p.Person(context.Background(), id)
			if err != nil || who.Groups == nil || !slices.Equal(who.Groups, want) {
				t.Errorf("%s is in %v, %v, want %v", id, who.Groups, err, want)
			}
		}
		if s := p.blindness(); s != "" {
			t.Errorf("it says %q", s)
		}
	})
}

func TestWhoLeavesAGroupLosesItWithinAMinute(t *testing.T) {
	lobby(t, map[string][]string{"S1": {"U1"}}, []string{"S1"}, func(p *People, r *register, _ *lines) {
		time.Sleep(time.Second)
		r.mu.Lock()
		r.groups["S1"] = []string{"U2"}
		r.mu.Unlock()
		time.Sleep(groupsEvery)
		if who, _ := p.Person(context.Background(), "U1"); len(who.Groups) != 0 || who.Groups == nil {
			t.Errorf("they are still in %v", who.Groups)
		}
		if n := r.count("usergroups.users.list"); n != 2 {
			t.Errorf("%d readings, want two", n)
		}
	})
}

func TestAStaleGroupCountsForFiveMinutesAndIsThenDenied(t *testing.T) {
	pol := upgrade.Policy{Approvers: []string{"S1", "U9"}}
	lobby(t, map[string][]string{"S1": {"U1"}}, []string{"S1"}, func(p *People, r *register, log *lines) {
		may := func(id string) bool {
			who, err := p.Person(context.Background(), id)
			return err == nil && pol.Refuses(who, upgrade.MayApprove, "") == ""
		}
		time.Sleep(time.Second)
		r.set("usergroups.users.list", "503")
		time.Sleep(groupFor - 2*time.Second)
		if !may("U1") || p.blindness() != "" {
			t.Error("a short outage takes rights away")
		}
		time.Sleep(time.Minute)
		who, _ := p.Person(context.Background(), "U1")
		if may("U1") || who.Groups != nil || !strings.Contains(p.blindness(), "S1") {
			t.Errorf("a stale group counts: %+v, %q", who, p.blindness())
		}
		if !may("U9") {
			t.Error("somebody named by id is denied because a group cannot be read")
		}
		if n := log.count("could not be read"); n != 1 {
			t.Errorf("%d lines in the log for one trouble", n)
		}
		r.set("usergroups.users.list", "")
		time.Sleep(groupsEvery)
		if !may("U1") || p.blindness() != "" {
			t.Error("it does not recover by itself")
		}
	})
}

func TestGroupsThatCannotBeReadHaveASentence(t *testing.T) {
	for code, want := range map[string]string{
		`{"ok":false,"error":"plan_upgrade_required"}`:                    "has no user groups",
		`{"ok":false,"error":"paid_teams_only"}`:                          "has no user groups",
		`{"ok":false,"error":"no_such_subteam"}`:                          "knows no user group",
		`{"ok":false,"error":"missing_scope","needed":"usergroups:read"}`: "needs the scope usergroups:read",
		`<html>`: "invalid character",
	} {
		lobby(t, nil, []string{"S1"}, func(p *People, r *register, log *lines) {
			r.set("usergroups.users.list", code)
			time.Sleep(groupsEvery + time.Second)
			if s := p.blindness(); !strings.Contains(s, want) || !strings.Contains(s, "S1") || !log.has(want) {
				t.Errorf("%s: it says %q, logs\n%s\nwant %q in both", code, s, log, want)
			}
		})
	}
}

func TestManyGroupsAreReadWithinSlacksLimit(t *testing.T) {
	groups, ids := map[string][]string{}, []string{}
	for n := range 60 {
		id := fmt.Sprintf("S%02d", n)
		groups[id], ids = []string{"U1"}, append(ids, id)
	}
	lobby(t, groups, ids, func(p *People, r *register, _ *lines) {
		before := r.count("usergroups.users.list")
		time.Sleep(time.Hour)
		if n := r.count("usergroups.users.list") - before; n > 60*20 || n < 60*10 {
			t.Errorf("%d readings in an hour, want at most 20 a minute, and each group every few minutes", n)
		}
		if who, _ := p.Person(context.Background(), "U1"); len(who.Groups) != 60 {
			t.Errorf("they are in %d groups, want 60", len(who.Groups))
		}
	})
}

func TestAfterA429TheNextGroupWaits(t *testing.T) {
	lobby(t, map[string][]string{"S1": {}, "S2": {}}, []string{"S1", "S2"}, func(p *People, r *register, _ *lines) {
		r.set("usergroups.users.list", "429")
		before := r.count("usergroups.users.list")
		time.Sleep(groupsEvery + time.Second)
		if n := r.count("usergroups.users.list") - before; n != 1 {
			t.Errorf("%d readings right after a 429, want one", n)
		}
	})
}

func TestAMemberOfAnApproversGroupApproves(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.approve("bo", "web") // in @sre-approvers
		o.until("it counts", func() bool { return o.count(id, "Voted") == 1 })
		o.approve("olaf", "web")
		o.until("olaf is refused", func() bool { return o.answered("olaf", "VMSS-UNKNOWN") })
		if o.answered("olaf", "could not be read") || o.count(id, "Voted") != 1 {
			t.Errorf("answers %q", o.answers("olaf"))
		}
	}, func(o *office) { o.domain.policies[0].Approvers = []string{slacksim.Approvers} })
}

func TestARefusalSaysThatTheGroupsCouldNotBeRead(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.opened("web")
		o.approve("bo", "web")
		o.until("bo is refused", func() bool { return o.answered("bo", "VMSS-UNKNOWN") })
		if !o.answered("bo", "has no user groups") || o.count(id, "Voted") != 0 {
			t.Errorf("answers %q", o.answers("bo"))
		}
		o.command("bo", "ops", "pending")
		o.until("bo is told why he sees nothing", func() bool {
			return len(o.answers("bo")) == 2 && strings.Contains(o.answers("bo")[1], "has no user groups")
		})
		o.approve("eva", "web")
		o.until("eva, who is named by id, counts", func() bool { return o.count(id, "Voted") == 1 })
	}, func(o *office) {
		o.domain.policies[0].Approvers = []string{slacksim.Approvers, slacksim.Eva}
		o.fault(slacksim.Fault{Kind: "error", Method: "usergroups.users.list", Error: "plan_upgrade_required", Times: -1})
	})
}
