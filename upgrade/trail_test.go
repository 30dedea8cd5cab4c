package upgrade

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// trailTold is the trail of a tale about the plan of web, a line each.
func trailTold(t tale) []string {
	events := t.events()
	rec := Record{ID: "r-1", Plan: webPlan(), Events: events, Rollout: Fold("r-1", events)}
	var out []string
	for _, e := range Trail(rec) {
		out = append(out, strings.TrimSpace(e.Name+" "+e.What))
	}
	return out
}

func TestTheTrailSaysWhoDidWhatAndWhatTheyWereShown(t *testing.T) {
	gate := webPlan().Gates[0]
	ids := members(gate)
	op := Operation{ID: "op-1", Kind: OpUpgrade, Gate: gate.Key, Instances: ids}
	for _, row := range []struct {
		name string
		tale tale
		want []string
	}{
		{"what the bot only thought is left out", tale{Decided{Kind: Hold, Text: "x"}, Looked{Op: "op-1"}, Serving{N: 1, Total: 2}}, nil},
		{"a yes names the card it was said to", tale{Asked{Gate: gate.Key, Asking: 2, Nonce: "n", Changes: []string{"extensionProfile"}}, by{"UBO", Voted{Gate: gate.Key, Asking: 2, Name: "bo"}},
			by{"UBO", Granted{Gate: gate.Key, Asking: 2, Digest: "abcdef", Voters: []string{"UBO"}}}},
			[]string{"put UD 0 to people, card 2: " + those(ids, "") + " to 2.0, and of the model extensionProfile", "bo said yes to UD 0, card 2", "bo gave the last yes that UD 0 of plan abcd needed"}},
		{"a no has its reason", tale{Asked{Gate: gate.Key, Asking: 1, Nonce: "n"}, by{"UBO", Denied{Gate: gate.Key, Asking: 1, Name: "bo", Reason: "sale"}}},
			[]string{"put UD 0 to people, card 1: " + those(ids, "") + " to 2.0", "bo said no to UD 0, card 1: sale"}},
		{"a call is told with what came of it", tale{Intended{Op: op}, Sending{Op: "op-1"}, Accepted{Op: "op-1", Correlation: "c-1"}}, []string{"upgrade of " + those(ids, "") + ": Azure took it"}},
		{"so is one that was refused, and one without an answer", tale{Intended{Op: op}, Sending{Op: "op-1"}, Refused{Op: "op-1", Code: "Conflict", Message: "busy"}, Intended{Op: op}, Sending{Op: "op-1"}, Unanswered{Op: "op-1", Cause: "reset"}},
			[]string{"upgrade of " + those(ids, "") + ": Azure refused it, Conflict: busy", "upgrade of " + those(ids, "") + ": no answer, reset"}},
		{"instances that came out the same at a moment are one line", tale{InstanceSeen{ID: ids[0], State: Checking}, InstanceSeen{ID: ids[0], State: OK, Image: "2.0"}, InstanceSeen{ID: "9", State: OK, Image: "2.0"}, InstanceSeen{ID: "8", State: Broken, Detail: "no boot"}},
			[]string{"instances " + ids[0] + ", 9: ok on 2.0", "instance 8: failed: no boot"}},
		{"what is said of several sets at once", tale{second, by{"UBO", Paused{Name: "bo", Reason: "storage", Of: "all"}}, goOn("r-0")},
			[]string{"ana asked for upgrade of web to 2.0: 6 instances in 3 gates, wave 2 of 3 of web-* (g-0)", "bo paused it, with others (all): storage", "bo let it go on although r-0 of a wave before did not succeed: seen"}},
		{"an external gate, and somebody's word for it", tale{Probed{Name: "slo", State: ProbeUnknown, Why: "no answer within 5s"}, by{"UBO", Resolved{Name: "bo", Verdict: Passes, Probes: []string{"slo"}, Reason: "the dashboard"}}},
			[]string{"external gate slo: unknown: no answer within 5s", "bo says of external gate slo: passed: the dashboard"}},
		{"people's other words", tale{by{"UANA", Paused{Name: "ana", Reason: "lunch"}}, by{"UANA", Resumed{Name: "ana"}}, by{"UANA", HandedOver{Name: "ana", To: "UEVA", ToName: "eva", Note: "night"}}, by{"UEVA", AbortAsked{Name: "eva", Reason: "bad"}}},
			[]string{"ana paused it: lunch", "ana ended the pause", "ana handed it over to eva: night", "eva ended it: bad"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := trailTold(row.tale); !slices.Equal(got, row.want) {
				t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
		})
	}
}

func TestTheAuditShowsOnlyWhatAPersonMayReadAndWasAskedFor(t *testing.T) {
	d, _, m := deskAt(night)
	other := tookRecord("r-old", time.Minute)
	other.Events = tale{by{"UANA", Requested{Name: "ana"}}}.events()
	other.Plan.Gates = webPlan().Gates
	m.past = append(m.past, other)
	m.system = tale{
		by{ana.ID, Declined{Code: CodeRole, What: "ana's"}}, by{stray.ID, Declined{Code: CodeRole, What: "a stranger's"}},
		by{"UBO", Froze{Freeze{ID: "f-1", Name: "bo", Sets: []string{webPolicy().Pattern}}}}, by{"UBO", Froze{Freeze{ID: "f-2", Name: "bo", Sets: []string{"rg-other/*"}}}},
		Governed{Changes: []PolicyChange{{Pattern: webPolicy().Pattern, What: []string{"approvals 1 → 2 (applies at once)"}}, {Pattern: "rg-other/*", What: []string{"soak 1m → 2m"}}}},
		Governed{Changes: []PolicyChange{{Pattern: "rg-other/*", What: []string{"soak 2m → 1m"}}}},
	}.events()
	for _, row := range []struct {
		name     string
		by       Person
		q        Query
		rollouts int
		system   []string
	}{
		{"all that ana may read, and her own refusals", ana, Query{}, 1, []string{"was told no (VMSS-ROLE): ana's", "froze " + webPolicy().Pattern, "the policy of " + webPolicy().Pattern + " changed: approvals 1 → 2 (applies at once)"}},
		{"an outsider has only their own", stray, Query{}, 0, []string{"was told no (VMSS-ROLE): a stranger's"}},
		{"of a person", ana, Query{Person: ana.ID}, 1, []string{"was told no (VMSS-ROLE): ana's"}},
		{"of a person who did nothing in it", ana, Query{Person: "UEVA"}, 0, nil},
		{"of an instance in the plan", ana, Query{About: "web", Instances: []string{webPlan().Gates[0].Instances[0].ID}}, 1, nil},
		{"of an instance that is in none", ana, Query{About: "web", Instances: []string{"999"}}, 0, nil},
	} {
		row.q.Kind = QueryAudit
		sight, err := d.Look(context.Background(), row.by, row.q)
		if err != nil {
			t.Fatal(err)
		}
		var system []string
		for _, e := range SystemTrail(sight.System) {
			system = append(system, e.What)
		}
		if len(sight.Rollouts) != row.rollouts || !slices.Equal(system, row.system) {
			t.Errorf("%s: %d rollouts and %q, want %d and %q", row.name, len(sight.Rollouts), system, row.rollouts, row.system)
		}
	}
	for _, kind := range []QueryKind{QueryAudit, QueryReport} {
		if _, err := d.Look(context.Background(), stray, Query{Kind: kind, About: "web"}); err == nil {
			t.Errorf("an outsider has the %s of web", kind)
		}
	}
}

func TestTheHandOverHasWhatIsOpenWhatWasLeftHalfNewAndWhatEndedInADay(t *testing.T) {
	d, _, m := deskAt(night)
	half := tookRecord("r-half", time.Minute)
	half.Rollout.Ended, half.Rollout.EndedAt = &Ended{Outcome: OutcomeAborted, Tally: Tally{OnNew: 2, OnOld: 4}}, night.Add(-72*time.Hour)
	older := half
	older.ID = "r-older"
	m.past = []Record{half, older}
	for _, row := range []struct {
		by   Person
		want []string
	}{{ana, []string{"r-half"}}, {stray, nil}} {
		sight, err := d.Look(context.Background(), row.by, Query{Kind: QueryShift})
		var ids []string
		for _, r := range sight.Rollouts {
			ids = append(ids, r.ID)
		}
		if err != nil || !slices.Equal(ids, row.want) {
			t.Errorf("%s is told of %v (%v), want %v: the older one is over since", row.by.Name, ids, err, row.want)
		}
	}
	m.past[0].Rollout.Ended = &Ended{Outcome: OutcomeSucceeded, Tally: Tally{OnNew: 6}}
	if sight, _ := d.Look(context.Background(), ana, Query{Kind: QueryShift}); len(sight.Rollouts) != 0 {
		t.Errorf("a set that was made whole since is told of")
	}
}

func TestTheAuditTellsOfNoFreezeOfWhatAnEarlierEntryKeepsFromAPerson(t *testing.T) {
	d, _, m := deskAt(night)
	theirs, all := webPolicy(), webPolicy()
	theirs.Pattern, theirs.Readers, theirs.Requesters, theirs.Approvers, all.Pattern = "rg-pay/vault-*", nil, []string{"UEVA"}, []string{"UEVA"}, "*"
	byName := theirs
	byName.Pattern = "ledger*"
	d.Policies = func() []Policy { return []Policy{theirs, byName, all} }
	for of, may := range map[string]bool{"rg-pay/vault-1": false, "rg-pay/vault-*": false, "rg-pay/ledger": false, "ledger*": false, "!vault-1": false, "rg-shop/web": true, "*": true, "rg-shop/vault-1": true} {
		m.system = tale{by{"UEVA", Froze{Freeze{ID: "f-1", Name: "eva", Sets: []string{of}, Why: "secret"}}}}.events()
		sight, err := d.Look(context.Background(), ana, Query{Kind: QueryAudit})
		if err != nil || (len(sight.System) > 0) != may {
			t.Errorf("ana's audit has %d freezes of %s, %v", len(sight.System), of, err)
		}
	}
}
