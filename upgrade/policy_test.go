package upgrade

import (
	"testing"
	"time"
)

func TestR23WhoHasWhichRight(t *testing.T) {
	pol := webPolicy()
	pol.Readers = []string{"SALL"}
	reader := Person{ID: "URITA", Groups: []string{"SALL"}}
	for _, row := range []struct {
		who       Person
		requester string
		may       string // of read, request, approve, stop: their first letters
	}{
		{ana, "", "rqs"}, {bo, "UANA", "ras"}, {reader, "", "r"}, {stray, "", ""}, {Person{}, "", ""},
		{bo, "UBO", "rs"},
		{Person{ID: "UBO", Guest: true}, "", ""}, {Person{ID: "UBO", Bot: true}, "", ""},
		{Person{ID: "UBO", Deleted: true}, "", ""}, {Person{ID: "UBO", Stranger: true}, "", ""},
		{Person{ID: "SOPS"}, "", "ras"}, // ids of people and groups are one list; Slack gives no person a group's id
	} {
		got := ""
		for _, right := range []struct {
			letter string
			do     Right
		}{{"r", MayRead}, {"q", MayRequest}, {"a", MayApprove}, {"s", MayStop}} {
			why := pol.Refuses(row.who, right.do, row.requester)
			if why == "" {
				got += right.letter
			}
		}
		if got != row.may {
			t.Errorf("%+v (asked by %q) may %q, want %q", row.who, row.requester, got, row.may)
		}
		if (Policy{}).Refuses(row.who, MayRead, "") == "" {
			t.Errorf("R23: an empty policy lets %+v read", row.who)
		}
		if pol.Refuses(row.who, "fly", "") == "" {
			t.Errorf("R23: a right that does not exist was given to %+v", row.who)
		}
	}
}

func TestPolicyFor(t *testing.T) {
	first, second := Policy{Pattern: "shop/w*", BatchCap: 1}, Policy{Pattern: "WEB", BatchCap: 2}
	broken := Policy{Pattern: "[", BatchCap: 3}
	for _, row := range []struct {
		name     string
		policies []Policy
		want     int
	}{
		{"the first that matches holds", []Policy{first, second}, 1},
		{"names compare without case", []Policy{second, first}, 2},
		{"a broken pattern matches nothing", []Policy{broken, second}, 2},
		{"R23 a set that none matches is nobody's", []Policy{{Pattern: "other"}}, 0},
		{"R23 without policies everything is denied", nil, 0},
		{"a pattern does not reach across the resource group", []Policy{{Pattern: "*/x", BatchCap: 9}}, 0},
	} {
		if got := PolicyFor(row.policies, webID).BatchCap; got != row.want {
			t.Errorf("%s: policy %d, want %d", row.name, got, row.want)
		}
	}
}

func TestR21TheTighterOfTwoPolicies(t *testing.T) {
	a, b := DefaultPolicy(), DefaultPolicy()
	b.Approvals, b.BatchCap, b.Soak, b.ApprovalLife, b.WholeLife, b.UnstartedLife = 2, 5, time.Hour, time.Hour, time.Hour, time.Minute
	b.MaxFailures, a.MaxFailures = 3, 1
	for _, got := range []Policy{a.Tighter(b), b.Tighter(a)} {
		if got.Approvals != 2 || got.BatchCap != 5 || got.Soak != time.Hour || got.Bake != 10*time.Minute || got.ApprovalLife != time.Hour ||
			got.WholeLife != time.Hour || got.UnstartedLife != time.Minute || got.MaxFailures != 1 {
			t.Errorf("the tighter is %+v", got)
		}
	}
	if got := a.Tighter(Policy{}); got.ApprovalLife != a.ApprovalLife || got.BatchCap != a.BatchCap || got.WholeLife != a.WholeLife {
		t.Errorf("a policy that says nothing of lives and caps makes them %+v", got)
	}
}

func TestPolicyVersion(t *testing.T) {
	a, b := webPolicy(), webPolicy()
	if a.Version() != b.Version() {
		t.Error("the same policy has two versions")
	}
	if b.Approvers = b.Approvers[:1]; a.Version() == b.Version() {
		t.Error("R20: another list of approvers is the same version")
	}
}

func TestLimit(t *testing.T) {
	for _, row := range []struct {
		text string
		of   int // of 6 instances
		ok   bool
	}{
		{"3", 3, true}, {"0", 0, true}, {"20%", 2, true}, {"100%", 6, true}, {"1%", 1, true}, {"0%", 0, true},
		{"101%", 0, false}, {"-1", 0, false}, {"", 0, false}, {"%", 0, false}, {"2 %", 0, false}, {"99999", 0, false}, {"1e3", 0, false}, {"0x1", 0, false},
	} {
		l, err := ParseLimit(row.text)
		if (err == nil) != row.ok {
			t.Errorf("limit %q: %v", row.text, err)
			continue
		}
		if l.Of(6) != row.of {
			t.Errorf("limit %q of 6 is %d, want %d", row.text, l.Of(6), row.of)
		}
		if again, err := ParseLimit(l.String()); row.ok && (err != nil || again.Of(6) != row.of) {
			t.Errorf("limit %q is written %q, which reads as %v (%v)", row.text, l, again, err)
		}
	}
	if got := (Limit{Percent: 20}).Of(3); got != 1 {
		t.Errorf("20%% of 3 instances is %d: rounded down nothing could ever go", got)
	}
}
