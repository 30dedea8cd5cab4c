package upgrade

import (
	"slices"
	"testing"
	"time"
)

// paged is what the last part of a tale tells those outside of Slack, the parts before having been told.
func paged(before tale, now ...any) (kinds []PageKind) {
	r := before.fold()
	events := append(before, now...).events()[r.Seq:]
	for _, p := range Pages(webPlan(), r, events) {
		kinds = append(kinds, p.Kind)
	}
	return kinds
}

func TestWhatIsToldOutsideOfSlack(t *testing.T) {
	held := func(reason Reason, quiet bool) Decided {
		return Decided{Kind: Hold, Reason: reason, Text: "x", Quiet: quiet, Blockers: []Blocker{{Reason: reason}, {Reason: ReasonApproval}}}
	}
	waits := func(reasons ...Reason) Decided {
		d := Decided{Kind: Wait, Reason: reasons[0]}
		for _, r := range reasons {
			d.Blockers = append(d.Blockers, Blocker{Reason: r})
		}
		return d
	}
	quiet := func(d Decided) Decided { d.Quiet = true; return d }
	start := Decided{Kind: Start}
	for _, row := range []struct {
		name   string
		before tale
		now    []any
		want   []PageKind
	}{
		{"a hold", tale{requested}, []any{held(ReasonDrift, false)}, []PageKind{PageHold}},
		{"a failure", tale{requested}, []any{held(ReasonFailure, false)}, []PageKind{PageFailure}},
		{"an approval that ran out", tale{requested}, []any{held(ReasonExpired, false)}, []PageKind{PageExpiry}},
		{"the model question", tale{requested}, []any{held(ReasonModel, false)}, []PageKind{PageHold}},
		{"an external gate that fails", tale{requested}, []any{waits(ReasonProbe)}, []PageKind{PageHold}},
		{"an ill instance", tale{requested}, []any{waits(ReasonHealth)}, []PageKind{PageHold}},
		{"a channel out of reach", tale{requested}, []any{waits(ReasonChannel)}, []PageKind{PageHold}},
		{"not what a person has just said", tale{requested}, []any{held(ReasonPaused, false), waits(ReasonFreeze)}, nil},
		{"not what passes by itself", tale{requested}, []any{waits(ReasonApproval), waits(ReasonWindow), waits(ReasonSoak), waits(ReasonThrottled), waits(ReasonIncomplete), start}, nil},
		{"its end", tale{requested, held(ReasonDrift, false)}, []any{waits(ReasonApproval)}, []PageKind{PageCleared}},
		{"its end once", tale{requested, held(ReasonDrift, false), waits(ReasonApproval)}, []any{start, waits(ReasonInFlight)}, nil},
		{"not an end while it is in the way", tale{requested, held(ReasonDrift, false)}, []any{Decided{Kind: Hold, Reason: ReasonPaused, Blockers: []Blocker{{Reason: ReasonPaused}, {Reason: ReasonDrift}}}}, nil},
		{"not an end while nothing can be read", tale{requested, held(ReasonDrift, false)}, []any{waits(ReasonIncomplete), waits(ReasonThrottled)}, nil},
		{"another reason in its place", tale{requested, held(ReasonFailure, false)}, []any{held(ReasonDenied, false)}, []PageKind{PageHold}},
		{"more of the same that is news", tale{requested, held(ReasonFailure, false)}, []any{held(ReasonFailure, false)}, []PageKind{PageFailure}},
		{"not more of the same that is none", tale{requested, held(ReasonFailure, false)}, []any{held(ReasonFailure, true)}, nil},
		{"a hold that comes back, however soon", tale{requested, held(ReasonFailure, false), start}, []any{held(ReasonFailure, true)}, []PageKind{PageFailure}},
		{"health that comes and goes is told once", tale{requested, waits(ReasonHealth), waits(ReasonApproval)}, []any{quiet(waits(ReasonHealth)), waits(ReasonApproval), quiet(waits(ReasonHealth))}, nil},
		{"an instance that the plan sets aside", tale{requested}, []any{Quarantined{IDs: []string{"3"}, Reason: "x"}}, []PageKind{PageFailure}},
		{"not one that a person does", tale{requested}, []any{by{"UBO", Quarantined{Name: "bo", IDs: []string{"3"}}}}, nil},
		{"a plan that ends itself", tale{requested}, []any{AbortAsked{Name: "the plan"}}, []PageKind{PageFailure}},
		{"not an abort of somebody's", tale{requested}, []any{by{"UBO", AbortAsked{Name: "bo"}}}, nil},
		{"the end", tale{requested, held(ReasonDrift, false)}, []any{Ended{Outcome: OutcomeAborted}}, []PageKind{PageEnd}},
		{"several in one commit", tale{requested}, []any{held(ReasonDrift, false), start, held(ReasonFailure, false), Ended{}}, []PageKind{PageHold, PageCleared, PageFailure, PageEnd}},
	} {
		if got := paged(row.before, row.now...); !slices.Equal(got, row.want) {
			t.Errorf("%s: told is %v, want %v", row.name, got, row.want)
		}
	}
}

func TestAPageSaysWhatAndWhatToType(t *testing.T) {
	story := tale{requested, asked("ud-0")}
	r := story.fold()
	d := Decide(webPlan(), r, seenAfter(webPlan(), r), story.ends().Add(4*time.Hour))
	pages := Pages(webPlan(), r, []Event{{Seq: 3, At: night, Fact: Decided{Kind: d.Kind, Reason: d.Reason, Gate: d.Gate, Text: d.Text, Blockers: d.Blockers}}})
	if len(pages) != 1 {
		t.Fatalf("told is %v", pages)
	}
	p := pages[0]
	if p.ID() != "r-1/3" || p.Kind != PageExpiry || p.Name != "web" || p.Group != "shop" || p.Channel != "C1" || p.Owner != "UANA" || p.Gate != "ud-0" || p.Reason != ReasonExpired || p.Text == "" || !p.At.Equal(night) {
		t.Errorf("it is %+v", p)
	}
	if want := []string{"/vmss ask r-1", `/vmss abort r-1 "reason"`}; !slices.Equal(p.Next, want) {
		t.Errorf("it says to type %v, want %v", p.Next, want)
	}
}
