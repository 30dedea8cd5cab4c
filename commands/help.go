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
	recoverers = "a requester or an approver of the set, also the one who asked for the rollout, in the set's channel"
	agreers    = approvers + "; for a rollback, a requester or an approver, also the one who asked"
)

// What verbs that make plans take, a line each: a line fits on a phone's screen in two.
const (
	targets    = "TARGET: VERSION | latest | model (what the model says) | /subscriptions/…/images/…, /CommunityGalleries/…, /SharedGalleries/… | https://….vhd"
	whichWords = "which:  ud=0,2|1-3  fd=1  zone=3  vm=1,4-7  skip=vm:3,9"
	howWords   = "how:    by=ud|fd|zone|batch  batch=2|20%  canary=1  soak=10m  bake=30m  approve=each|canary|once"
	limitWords = "limits: max-unavailable=2|20%  max-failures=0  on-failure=hold|quarantine|abort|rollback"
	whenWords  = "when:   window=NAME  at=2026-11-24T22:00"
	restWords  = "also:   sku=16.04-LTS (another SKU, with a version or latest)  note=\"CHG-123\""
)

// topic is the help of a verb, and what the overview says of it.
type topic struct {
	brief string
	Help
}

// topics is the one table of verbs that can be typed, in the order people need them.
var topics = []topic{
	{"plan it, ask, roll it out", Help{VerbUpgrade, []string{"upgrade SET TARGET [options]", "upgrade web-*|GROUP TARGET [skip=set:web-b] [options]", targets, whichWords, howWords, limitWords, whenWords, restWords},
		"Plans an upgrade, opens its rollout and asks before each gate: an update domain, or what by= says. Which instances: those that all of ud=, fd=, zone= and vm= name, without those of skip=; without any all of them, one update domain after the other. Nothing is changed before somebody approves. A pattern, or a group of the configuration (group:NAME where a set has its name), opens a rollout for each set, in waves: each waits until those of the waves before have succeeded and baked.",
		[]string{"upgrade myvmss 4.0.20160229 ud=0", "upgrade web-* latest soak=10m note=\"CHG 1\"", "upgrade rg-shop/web-prod model by=zone canary=1 skip=vm:3,9 max-unavailable=20%"}, requesters}},
	{"only look at the plan", Help{VerbPlan, []string{"plan SET|web-*|GROUP TARGET [options]", "plan SET to SIZE [options]", targets, whichWords, howWords, limitWords, whenWords, restWords},
		"Shows the plan that upgrade would make: each gate with its instances, what is passed by and why, how long it takes, what is in the way. Nothing is asked or changed.",
		[]string{"plan myvmss latest", "plan myvmss 4.0.20160229 ud=0", "plan rg-shop/web-prod model ud=1-3"}, readers}},
	{"another VM size", Help{VerbResize, []string{"resize SET to SIZE [options]", whichWords, howWords, limitWords, whenWords, "also:   note=\"CHG-123\""},
		"Plans another VM size, opens its rollout and asks before each gate, as upgrade does. Instances restart, and keep their disks and their image. Nothing is changed before somebody approves.",
		[]string{"resize web-prod to Standard_D4s_v5", "resize web-prod Standard_D4s_v5 ud=0", "resize rg-shop/web-prod to Standard_E8s_v5 by=batch batch=2 note=\"CHG 1\""}, requesters}},
	{"yes to the gate asked for", Help{VerbApprove, []string{"approve ROLLOUT [rest]"},
		"Says yes to the gate that is being asked, such as an update domain; with rest, to all that come after it, too.",
		[]string{"approve r-4f2k9a", "approve r-4f2k9a rest", "approve r-0a1b2c"}, agreers}},
	{"no to it", Help{VerbDeny, []string{"deny ROLLOUT \"reason\""},
		"Says no to the gate that is being asked. The rollout is held until somebody asks again or aborts it.",
		[]string{"deny r-4f2k9a \"release freeze until Monday\"", "deny r-4f2k9a disk alerts on UD 0", "deny r-0a1b2c \"wrong image\""}, stoppers}},
	{"ask for it once more", Help{VerbAsk, []string{"ask ROLLOUT"},
		"Asks once more for a gate that was denied, or whose approval ran out.",
		[]string{"ask r-4f2k9a", "ask r-0a1b2c", "ask r-7"}, stoppers}},
	{"start nothing more", Help{VerbPause, []string{"pause ROLLOUT|GROUP|all [\"reason\"]"},
		"Starts nothing more until resume. A batch that Azure is at work on finishes. Of a group, whose id begins with g-, or of all, it pauses what you may stop, from any channel.",
		[]string{"pause r-4f2k9a", "pause r-4f2k9a \"looking at error rates\"", "pause all \"storage incident\""}, stoppers}},
	{"go on", Help{VerbResume, []string{"resume ROLLOUT|GROUP|all"},
		"Ends a pause, and nothing else: why names what else is in the way. Of a group or of all it ends pauses that were said of several, and leaves those that were said of one.",
		[]string{"resume r-4f2k9a", "resume r-0a1b2c", "resume r-7"}, stoppers}},
	{"end it now", Help{VerbAbort, []string{"abort ROLLOUT|GROUP [revert|keep] \"reason\"", "abort ROLLOUT revert|keep"},
		"Ends the rollout at once; what Azure is at work on is followed to its end. revert puts the image or size before back into the set's model, keep leaves the new one; without either you are asked. Behind a quoted reason they mean the same. A reason that begins with one of these two words needs its quotes.",
		[]string{"abort r-4f2k9a \"bad image\"", "abort r-4f2k9a revert \"bad image\"", "abort r-4f2k9a keep"}, stoppers}},
	{"failed instances once more", Help{VerbRetry, []string{"retry ROLLOUT [failed|vm=3,8]"},
		"Puts instances that failed, or were quarantined or skipped, back into the rollout; without vm= all that failed, and what Azure refused. They are asked for anew; what Azure said of them is kept, as a retry replaces their disks.",
		[]string{"retry r-4f2k9a", "retry r-4f2k9a vm=3,8", "retry r-0a1b2c vm=4-7,12"}, stoppers}},
	{"leave instances as they are", Help{VerbSkip, []string{"skip ROLLOUT vm=3 [\"reason\"]"},
		"Leaves instances as they are, for this rollout: ones that wait for their turn, or that failed. retry takes them in again.",
		[]string{"skip r-4f2k9a vm=3", "skip r-4f2k9a vm=3,8 \"rebuilt by hand\"", "skip r-0a1b2c vm=4-7"}, stoppers}},
	{"set them aside", Help{VerbQuarantine, []string{"quarantine ROLLOUT vm=8 \"why\""},
		"Sets aside instances that need a person's hands: they hold the rollout no more. The report names them, and retry takes them back.",
		[]string{"quarantine r-4f2k9a vm=8 \"disk errors\"", "quarantine r-4f2k9a vm=3,8 \"CHG-881\"", "quarantine r-0a1b2c vm=web_1a2b3c \"boot loop\""}, stoppers}},
	{"say what I cannot tell", Help{VerbResolve, []string{"resolve ROLLOUT started|not-started|passed|vm=8 ok|failed \"why\"", "resolve ROLLOUT|GROUP go-on \"why\"", "started|not-started: a call that brought no answer   vm=8 ok|failed: instances   passed: external gates   go-on: a wave"},
		"Says what I cannot tell: whether a call to Azure that brought no answer happened, whether instances that came to no clear end are well, whether external gates that tell nothing would pass, or that a wave may begin although one before it did not succeed. Look first: I go by your word.",
		[]string{"resolve r-4f2k9a not-started \"activity log has no such call\"", "resolve r-4f2k9a vm=8 ok \"logged in, all is well\"", "resolve r-0a1b2c vm=3,8 failed \"no boot\""}, approvers}},
	{"plan it anew", Help{VerbReplan, []string{"replan ROLLOUT"},
		"Puts a plan of the scale set as it is now in the place of the rollout's, when somebody has changed the set: for the same goal, with nothing added. Every yes so far is void: the gates that are left are asked for anew.",
		[]string{"replan r-4f2k9a", "replan r-0a1b2c", "replan r-7"}, stoppers}},
	{"back to what was before", Help{VerbRollback, []string{"rollback ROLLOUT [\"reason\"]"},
		"Ends the rollout, and opens one that takes the instances it has upgraded back to the image or size before, last first; also after the end. It asks before each gate: one person's yes is enough, also that of who asked, and everybody in the channel is told.",
		[]string{"rollback r-4f2k9a", "rollback r-4f2k9a \"checkout errors\"", "rollback r-0a1b2c bad kernel"}, recoverers}},
	{"let somebody else see to it", Help{VerbHandover, []string{"handover ROLLOUT @user [\"note\"]"},
		"Makes another person the one I call when something is up. It moves no right: who asked for the rollout still may not approve it. Mention the person, so that Slack fills in the id.",
		[]string{"handover r-4f2k9a U012AB3CD", "handover r-4f2k9a U012AB3CD \"UD 2 is next\"", "handover r-0a1b2c \"on call from 18:00\" U012AB3CD"}, stoppers}},
	{"start nothing on sets", Help{VerbFreeze, []string{"freeze SET|all [for=2h|until=2026-11-24T22:00] \"reason\""},
		"Starts nothing on a set, or on all that you may stop, whatever was approved, until a time or until somebody lifts it. What Azure is at work on finishes. Times without a zone are yours.",
		[]string{"freeze web-prod for=2h \"sale\"", "freeze all until=06:00 \"incident 42\"", "freeze rg-shop/web-prod \"until we know more\""}, stoppers}},
	{"lift that", Help{VerbUnfreeze, []string{"unfreeze FREEZE|SET|all [\"reason\"]"},
		"Lifts a freeze that somebody said, by its id, or the one of a set, or the one of all sets. What was approved goes on. One of the configuration is lifted there.",
		[]string{"unfreeze f-4f2k9a", "unfreeze web-prod \"the sale is over\"", "unfreeze all"}, stoppers}},
	{"ask for it again and again", Help{VerbSchedule, []string{"schedule SET TARGET cron=\"0 2 * * SUN\" [options]", targets, whichWords, howWords, limitWords, "when:   cron=\"MINUTE HOUR DAY MONTH WEEKDAY\"  tz=Europe/Prague  window=NAME", restWords},
		"Asks for an upgrade at the times of cron=, by your own clock unless tz= names another: I open the rollout then in your name, if you still may, and the cards ask as ever. It approves nothing. With window= people are asked early and the window starts it. latest is what it is at the time. windows lists schedules.",
		[]string{"schedule web-prod latest cron=\"0 9 * * SAT\" window=sun-night", "schedule web-prod latest cron=\"30 8 1 * *\" tz=Europe/Prague by=zone note=\"monthly\"", "schedule rg-shop/web-prod model cron=\"0 2 * * SUN\" ud=0"}, requesters}},
	{"no more", Help{VerbUnschedule, []string{"unschedule SCHEDULE|SET [\"reason\"]"},
		"Takes a schedule away, by its id, or the one of a set. What it has opened goes on.",
		[]string{"unschedule s-4f2k9a", "unschedule web-prod \"frozen till spring\"", "unschedule rg-shop/web-prod"}, stoppers}},
	{"when something may start", Help{VerbWindows, []string{"windows [SET]"},
		"Lists the freezes that hold and what is scheduled; for a set also its windows, and when they open next.",
		[]string{"windows", "windows web-prod", "windows rg-shop/web-prod"}, readers}},
	{"where it stands", Help{VerbStatus, []string{"status [ROLLOUT|GROUP|SET]"},
		"Shows one rollout, those of a group in their waves, the open one of a set, or all that are open.",
		[]string{"status", "status r-4f2k9a", "status web-prod"}, readers}},
	{"what is in the way", Help{VerbWhy, []string{"why [ROLLOUT|GROUP|SET]"},
		"Lists everything that is in the way of the next start: what it is, who or what clears it, when, and what to type.",
		[]string{"why", "why r-4f2k9a", "why web-prod"}, readers}},
	{"what waits for your yes", Help{VerbPending, []string{"pending"},
		"Lists the rollouts that wait for your yes.",
		[]string{"pending"}, readers}},
	{"what became of rollouts", Help{VerbHistory, []string{"history [SET]"},
		"Lists the last rollouts that have ended, of a set or of all you may see: what became of them, who agreed, how long they took. Of a set also how long a batch takes, by which plans foretell.",
		[]string{"history", "history web-prod", "history rg-shop/web-prod"}, readers}},
	{"what came of one, as a file", Help{VerbReport, []string{"report ROLLOUT|GROUP|SET [md|json|csv]"},
		"Shows the report of a rollout, also of one that has not ended, and sends it as a file to your own conversation with me: gates, who agreed, each instance with its images, times and calls. A set's name stands for its last rollout; of a group the file has a part for each set.",
		[]string{"report r-4f2k9a", "report web-prod csv", "report g-4f2k9a"}, readers}},
	{"who did what", Help{VerbAudit, []string{"audit [ROLLOUT|GROUP|SET] [@user] [vm=6] [csv|json]"},
		"Tells who asked, what people were shown and said, what was sent to Azure and how each instance came out: of a rollout, a group, a set, some of its instances, a person, or the last of all you may see. With csv or json all of it comes as a file to your own conversation with me.",
		[]string{"audit web-prod vm=6", "audit r-4f2k9a csv", "audit U012AB3CD"}, readers}},
	{"what the next shift must know", Help{VerbShift, []string{"shift"},
		"Lists for a hand-over: open rollouts with what they wait for and who has them, sets that were left on two images, what ended in the last day, freezes, and when windows open.",
		[]string{"shift"}, readers}},
	{"the scale sets", Help{VerbList, []string{"list [text]"},
		"Lists the scale sets you may see, with their image and rollout; with a text, those with it in their name.",
		[]string{"list", "list web", "list prod"}, readers}},
	{"the versions it could run", Help{VerbImages, []string{"images SET|ROLLOUT"},
		"Lists the versions of the image a scale set runs, newest first, with their dates; the current one is marked. A rollout's id stands for its set.",
		[]string{"images web-prod", "images rg-shop/web-prod", "images r-4f2k9a"}, readers}},
	{"one scale set, read now", Help{VerbShow, []string{"show SET|ROLLOUT [map|instances|image|policy|evidence]"},
		"Reads a scale set now and shows it: update domains and fault domains, instances, image, or the policy that holds for it. A rollout's id stands for its set. The map comes as a picture, too, in your own conversation with the bot. evidence is what Azure said of the rollout's instances that failed, kept before a retry replaced their disks; a set's name stands for its open rollout.",
		[]string{"show web-prod", "show rg-shop/web-prod policy", "show r-4f2k9a evidence"}, readers}},
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
		Says:     "Rolls OS images out to VM scale sets, gate by gate, an update domain each unless you say otherwise, and asks a person before each. Words and options come in any order, the set before its target; what a verb lacks is asked for in a form. `/vmss help upgrade` has a verb's details.",
		Examples: []string{root + "upgrade myvmss 4.0.20160229 ud=0", root + "why", root + "help abort"},
		Who:      "The configuration says for each set who may read it, ask for an upgrade and approve one. Nobody approves what they asked for themselves, except a rollback, or after a delay where the configuration says so.",
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
