package view

import (
	"fmt"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// ViewSample is one modal or Home tab in one state.
type ViewSample struct {
	Name string // view/state, such as "form/deny"
	View any    // slack.ModalViewRequest or slack.HomeTabViewRequest
}

// ViewGallery returns every form and the Home tab in every state, as Gallery does for messages.
func ViewGallery() []ViewSample { return viewGallery(believable) }

func viewGallery(c cast) []ViewSample {
	s := begin(c, 20, nil)
	s.look()
	out := formSamples(c, s)
	mine := begin(c, 5, nil)
	mine.id = "r-77b01d"
	asked, requested := s.record(), mine.record()
	asked.Link, requested.Link = "1795480000.000100", "1795480000.000200"
	many := make([]upgrade.Record, 30)
	for i := range many {
		many[i] = asked
	}
	const workspace = "https://acme.slack.com/"
	return append(out,
		ViewSample{"home/home", Home(commands.Home{Waiting: []upgrade.Record{asked}, Mine: []upgrade.Record{requested}}, workspace)},
		ViewSample{"home/nothing", Home(commands.Home{}, workspace)},
		ViewSample{"home/many", Home(commands.Home{Waiting: many, Mine: many}, workspace)},
		ViewSample{"home/no address known", Home(commands.Home{Mine: []upgrade.Record{asked}}, "")})
}

func formSamples(c cast, s *story) []ViewSample {
	rec := s.record()
	lists := commands.Lists{
		Set:      &s.set,
		Sets:     []upgrade.SetSummary{{Name: c.set, ResourceGroup: c.group, Capacity: 20}, {Name: c.set + "-b", ResourceGroup: c.group, Capacity: 5}},
		Versions: []upgrade.ImageVersion{{Image: s.image(c.new)}, {Image: s.image(c.old)}},
		Rollouts: []upgrade.Record{rec},
	}
	soak, some := rec.Plan.Limits.Soak, upgrade.Limit{Percent: 20}
	filled := commands.Request{Verb: commands.VerbUpgrade, Set: c.set, Target: c.new, Which: upgrade.Selection{UpdateDomains: []int{0, 9}}, Options: commands.Options{Soak: &soak, MaxUnavailable: &some, Note: c.note}}
	var out []ViewSample
	add := func(name string, r commands.Request, l commands.Lists, trouble string) {
		f, _ := commands.NewForm(r, l)
		f.Trouble = trouble
		out = append(out, ViewSample{"form/" + name, Form(f, "{}")})
	}
	add("upgrade", commands.Request{Verb: commands.VerbUpgrade}, commands.Lists{Sets: lists.Sets}, "")
	add("upgrade, filled", filled, lists, "")
	add("upgrade, nothing read", filled, commands.Lists{}, "Azure did not let me list the scale sets: "+c.message)
	add("plan", commands.Request{Verb: commands.VerbPlan, Set: c.set}, lists, "")
	add("resize", commands.Request{Verb: commands.VerbResize, Set: c.set, Size: larger, Order: upgrade.Order{By: upgrade.ByZone, Canary: 1}}, lists, "")
	add("images", commands.Request{Verb: commands.VerbImages}, lists, "")
	add("show", commands.Request{Verb: commands.VerbShow}, lists, "")
	for _, verb := range []commands.Verb{commands.VerbApprove, commands.VerbDeny, commands.VerbAsk, commands.VerbPause, commands.VerbResume, commands.VerbAbort,
		commands.VerbRetry, commands.VerbSkip, commands.VerbQuarantine, commands.VerbResolve, commands.VerbReplan, commands.VerbRollback, commands.VerbHandover} {
		add(string(verb), commands.Request{Verb: verb}, lists, "")
	}
	add("approve the rest", commands.Request{Verb: commands.VerbApprove, Rest: true}, lists, "")
	add("deny from a card", commands.Request{Verb: commands.VerbDeny, Nonce: "nonce0001number0001"}, commands.Lists{}, "")
	add("abort, filled", commands.Request{Verb: commands.VerbAbort, Rollout: s.id, Reason: c.reason, Answer: upgrade.Revert}, commands.Lists{}, "")
	ill := commands.Lists{Rollouts: []upgrade.Record{inTrouble(c, s)}}
	for _, verb := range []commands.Verb{commands.VerbRetry, commands.VerbSkip, commands.VerbQuarantine, commands.VerbResolve} {
		add(string(verb)+" of a rollout", commands.Request{Verb: verb, Rollout: s.id}, ill, "")
	}
	add("quarantine, filled", commands.Request{Verb: commands.VerbQuarantine, Rollout: s.id, Instances: []string{"0"}, Reason: c.reason}, ill, "")
	add("resolve a call", commands.Request{Verb: commands.VerbResolve, Rollout: s.id, Verdict: upgrade.NotStarted}, commands.Lists{}, "")
	add("handover, filled", commands.Request{Verb: commands.VerbHandover, Rollout: s.id, To: "U0EVA00", Reason: c.note}, commands.Lists{}, "")
	for _, f := range whenSamples(c, s) {
		add(f.name, f.request, f.lists, "")
	}
	waiting, _ := commands.NewForm(filled, commands.Lists{})
	return append(out, ViewSample{"form/loading", Loading(waiting, fmt.Sprintf(`{"verb":%q}`, waiting.Verb))})
}

// inTrouble is the story's rollout with instances in every kind of trouble.
func inTrouble(c cast, s *story) upgrade.Record {
	ill := s.branch()
	for i, state := range []upgrade.Progress{upgrade.Broken, upgrade.Unclear, upgrade.Aside, upgrade.Passed, upgrade.OK} {
		ill.say("", upgrade.InstanceSeen{ID: c.id(i), State: state, Detail: c.message})
	}
	return ill.record()
}
