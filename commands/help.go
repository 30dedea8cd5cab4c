package commands

import (
	"slices"
	"strings"
)

// Who may, in words; the domain checks it.
const (
	anybody    = "everybody"
	readers    = "whoever may read the set"
	requesters = "a requester of the set, in the set's channel"
	approvers  = "an approver of the set, never the one who asked for the rollout, in the set's channel"
	stoppers   = "a requester or an approver of the set, in the set's channel"
)

const planOptions = "options: ud=0,2|1-3  max-unavailable=2|20%  max-failures=0  soak=10m  bake=30m  note=\"CHG-123\""

// topic is the help of a verb, and what the overview says of it.
type topic struct {
	brief string
	Help
}

// topics is the one table of verbs that can be typed, in the order people need them.
var topics = []topic{
	{"plan it, ask, roll it out", Help{VerbUpgrade, []string{"upgrade SET TARGET [options]", "TARGET: a version | latest | model (what the model says already)", planOptions},
		"Plans an upgrade, opens its rollout and asks before each update domain. Without ud= it takes all domains, one after the other. Nothing is changed before somebody approves.",
		[]string{"upgrade myvmss 4.0.20160229 ud=0", "upgrade ud=0,2 myvmss latest soak=10m note=\"CHG 1\"", "upgrade rg-shop/web-prod model max-unavailable=20%"}, requesters}},
	{"only look at the plan", Help{VerbPlan, []string{"plan SET TARGET [options]", planOptions},
		"Shows the plan that upgrade would make. Nothing is asked or changed.",
		[]string{"plan myvmss latest", "plan myvmss 4.0.20160229 ud=0", "plan rg-shop/web-prod model ud=1-3"}, readers}},
	{"yes to the update domain asked for", Help{VerbApprove, []string{"approve ROLLOUT [rest]"},
		"Says yes to the update domain that is being asked; with rest, to all that come after it, too.",
		[]string{"approve r-4f2k9a", "approve r-4f2k9a rest", "approve r-0a1b2c"}, approvers}},
	{"no to it", Help{VerbDeny, []string{"deny ROLLOUT \"reason\""},
		"Says no to the update domain that is being asked. The rollout is held until somebody asks again or aborts it.",
		[]string{"deny r-4f2k9a \"release freeze until Monday\"", "deny r-4f2k9a disk alerts on UD 0", "deny r-0a1b2c \"wrong image\""}, stoppers}},
	{"ask for it once more", Help{VerbAsk, []string{"ask ROLLOUT"},
		"Asks once more for an update domain that was denied, or whose approval ran out.",
		[]string{"ask r-4f2k9a", "ask r-0a1b2c", "ask r-7"}, stoppers}},
	{"start nothing more", Help{VerbPause, []string{"pause ROLLOUT [\"reason\"]"},
		"Starts nothing more until resume. A batch that Azure is at work on finishes.",
		[]string{"pause r-4f2k9a", "pause r-4f2k9a \"looking at error rates\"", "pause r-0a1b2c lunch"}, stoppers}},
	{"go on", Help{VerbResume, []string{"resume ROLLOUT"},
		"Ends a pause, and nothing else: why names what else is in the way.",
		[]string{"resume r-4f2k9a", "resume r-0a1b2c", "resume r-7"}, stoppers}},
	{"end it now", Help{VerbAbort, []string{"abort ROLLOUT [revert|keep] \"reason\"", "abort ROLLOUT revert|keep"},
		"Ends the rollout at once; what Azure is at work on is followed to its end. revert puts the old image back into the set's model, keep leaves the new one; without either you are asked. Behind a quoted reason they mean the same. A reason that begins with one of these two words needs its quotes.",
		[]string{"abort r-4f2k9a \"bad image\"", "abort r-4f2k9a revert \"bad image\"", "abort r-4f2k9a keep"}, stoppers}},
	{"where it stands", Help{VerbStatus, []string{"status [ROLLOUT|SET]"},
		"Shows one rollout, the open one of a set, or all that are open.",
		[]string{"status", "status r-4f2k9a", "status web-prod"}, readers}},
	{"what is in the way", Help{VerbWhy, []string{"why [ROLLOUT|SET]"},
		"Lists everything that is in the way of the next start: what it is, who or what clears it, when, and what to type.",
		[]string{"why", "why r-4f2k9a", "why web-prod"}, readers}},
	{"what waits for your yes", Help{VerbPending, []string{"pending"},
		"Lists the rollouts that wait for your yes.",
		[]string{"pending"}, readers}},
	{"the scale sets", Help{VerbList, []string{"list [text]"},
		"Lists the scale sets you may see, with their image and rollout; with a text, those with it in their name.",
		[]string{"list", "list web", "list prod"}, readers}},
	{"one scale set, read now", Help{VerbShow, []string{"show SET [map|instances|image|policy]"},
		"Reads a scale set now and shows it: update domains and fault domains, instances, image, or the policy that holds for it. A rollout's id stands for its set.",
		[]string{"show web-prod", "show rg-shop/web-prod policy", "show r-4f2k9a instances"}, readers}},
	{"this, or one verb", Help{VerbHelp, []string{"help [verb]"},
		"Shows this, or how one verb is used.",
		[]string{"help", "help upgrade", "help abort"}, anybody}},
}

// helpOf returns the help of a verb; the zero verb's is the overview, which fits on one screen.
func helpOf(v Verb) (Help, bool) {
	if v == VerbHome {
		return overview(), true
	}
	i := slices.IndexFunc(topics, func(t topic) bool { return t.Verb == v })
	if i < 0 {
		return Help{}, false
	}
	return topics[i].typed(), true
}

// typed puts the root command before everything that is to be typed.
func (h Help) typed() Help {
	h.Usage, h.Examples = slices.Clone(h.Usage), slices.Clone(h.Examples)
	for i, u := range h.Usage {
		if strings.HasPrefix(u, string(h.Verb)) {
			h.Usage[i] = root + u
		}
	}
	for i, e := range h.Examples {
		h.Examples[i] = root + e
	}
	return h
}

func overview() Help {
	h := Help{
		Says:     "Rolls OS images out to VM scale sets, one update domain after another, and asks a person before each. Words and options come in any order, the set before its target; what a verb lacks is asked for in a form. `/vmss help upgrade` has a verb's details.",
		Examples: []string{root + "upgrade myvmss 4.0.20160229 ud=0", root + "why", root + "help abort"},
		Who:      "The configuration says for each set who may read it, ask for an upgrade and approve one. Nobody approves what they asked for themselves.",
	}
	for _, t := range topics {
		h.Usage = append(h.Usage, root+t.Usage[0]+" — "+t.brief)
	}
	return h
}

func verbNames() []string {
	var out []string
	for _, t := range topics {
		out = append(out, string(t.Verb))
	}
	for name := range laterVerbs {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
