package view

import (
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

// bornWithin are the newborns of a rollout by what they came up with: a version, or of a resize a size.
func bornWithin(p upgrade.Plan, with map[string]string) map[string]upgrade.Member {
	out := map[string]upgrade.Member{}
	for id, is := range with {
		from := upgrade.Setting{Image: upgrade.Image{Publisher: "P", Version: is}}
		if p.Target.Size != "" {
			from = upgrade.Setting{Size: is}
		}
		out[id] = upgrade.Member{ID: id, From: from}
	}
	return out
}

func TestNewbornsAreToldByWhatTheyCameUpWith(t *testing.T) {
	image := upgrade.Target{Setting: upgrade.Setting{Image: upgrade.Image{Publisher: "P", Offer: "O", SKU: "S", Version: "2.0"}}}
	size := upgrade.Target{Setting: upgrade.Setting{Size: "Large"}}
	for _, c := range []struct {
		what   string
		plan   upgrade.Plan
		born   map[string]string
		live   []string
		report []string
	}{
		{"none", upgrade.Plan{Target: image}, nil, nil, nil},
		{"on the new image", upgrade.Plan{Target: image}, map[string]string{"21": "2.0", "20": "2.0"},
			[]string{":new: 2 instances born since the plan (20 21), on the new image"}, nil},
		{"on the old image", upgrade.Plan{Name: "web", Target: image}, map[string]string{"20": "2.0", "101": "1.0", "22": "1.0"},
			[]string{":new: 1 instance born since the plan (20), on the new image", ":warning: 2 instances born since the plan (22 101), on the OLD image, 1.0"},
			[]string{"• 2 instances born since the plan (22 101), on the OLD image, 1.0", "     Upgrade them, too: `/vmss upgrade web 2.0 sku=S vm=22,101`"}},
		{"on what nobody told", upgrade.Plan{Name: "web", Target: image}, map[string]string{"20": ""},
			[]string{":warning: 1 instance born since the plan (20), on an unknown image"},
			[]string{"• 1 instance born since the plan (20), on an unknown image", "     Upgrade them, too: `/vmss upgrade web 2.0 sku=S vm=20`"}},
		{"at the old size", upgrade.Plan{Name: "web", Target: size}, map[string]string{"20": "Small"},
			[]string{":warning: 1 instance born since the plan (20), at the OLD size, Small"},
			[]string{"• 1 instance born since the plan (20), at the OLD size, Small", "     Resize them, too: `/vmss resize web to Large vm=20`"}},
		{"in a rollback nothing is called new", upgrade.Plan{Action: upgrade.ActionRollback, Target: image}, map[string]string{"20": "2.0", "21": "3.0"},
			[]string{":new: 1 instance born since the plan (20), on 2.0", ":warning: 1 instance born since the plan (21), on 3.0"},
			[]string{"• 1 instance born since the plan (21), on 3.0"}},
	} {
		rec := upgrade.Record{Plan: c.plan, Rollout: upgrade.Rollout{Born: bornWithin(c.plan, c.born), Ended: &upgrade.Ended{Outcome: upgrade.OutcomeSucceeded}}}
		if got := bornSince(rec); !slices.Equal(got, c.live) {
			t.Errorf("%s: %q, want %q", c.what, got, c.live)
		}
		if got := bornLeft(rec); !slices.Equal(got, c.report) {
			t.Errorf("%s, left to do: %q, want %q", c.what, got, c.report)
		}
	}
}

func TestNothingIsLeftToDoAboutNewbornsThatTheWayBackTakes(t *testing.T) {
	image := upgrade.Target{Setting: upgrade.Setting{Image: upgrade.Image{Publisher: "P", Offer: "O", SKU: "S", Version: "2.0"}}}
	rec := upgrade.Record{Plan: upgrade.Plan{Name: "web", Target: image}, Rollout: upgrade.Rollout{Born: bornWithin(upgrade.Plan{Target: image}, map[string]string{"20": "2.0", "21": "1.0"}), Ended: &upgrade.Ended{Outcome: upgrade.OutcomeRollback}}}
	if got := bornLeft(rec); got != nil {
		t.Errorf("rolled back, and still %q", got)
	}
	rec.Rollout.Ended.Outcome, rec.Rollout.Model.Reverted = upgrade.OutcomeAborted, true
	if got := strings.Join(bornLeft(rec), "\n"); !strings.Contains(got, "(20), on the new image, which the model names no more") || strings.Contains(got, "21") {
		t.Errorf("put back: %q", got)
	}
	rec.Rollout.Model.Detail = "Azure refused it"
	if got := strings.Join(bornLeft(rec), "\n"); !strings.Contains(got, "(21), on the OLD image, 1.0") {
		t.Errorf("could not be put back: %q", got)
	}
}

func TestWhatThePlanDoesIsNobodysWord(t *testing.T) {
	why := "instances 3 8 failed, and the plan says on-failure=abort"
	for _, c := range []struct {
		w    upgrade.SaidWant
		want string
	}{
		{upgrade.SaidWant{Name: "the plan", Verb: upgrade.WordAbort, Reason: why}, "As the plan says (`on-failure=abort`), web is aborted: instances 3 8 failed"},
		{upgrade.SaidWant{Name: "the plan", Verb: upgrade.WordRollback, Reason: "instance 3 failed, and the plan says on-failure=rollback"},
			"As the plan says (`on-failure=rollback`), web ends, and the way back opens: instance 3 failed"},
		{upgrade.SaidWant{By: "U0ANA", Name: "ana", Verb: upgrade.WordAbort, Reason: "no"}, "ana aborted web: “no”"},
		{upgrade.SaidWant{By: "U0ANA", Name: "the plan", Verb: upgrade.WordAbort, Reason: why}, "the plan aborted web: “" + why + "”"},
	} {
		if got := deed(c.w, "web"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
