package commands

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

func span(d time.Duration) *time.Duration { return &d }

func count(n int) *int { return &n }

// reading is what a text is understood as.
type reading struct {
	name, text string
	want       Request
}

func understood(t *testing.T, rows []reading) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := parsed(t, row.text); !reflect.DeepEqual(got, row.want) {
				t.Errorf("Parse(%q)\n got %+v\nwant %+v", row.text, got, row.want)
			}
		})
	}
}

// no is how a text is refused, and what it proposes.
type no struct{ name, text, what, next string }

func refused(t *testing.T, rows []no) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, no := Parse(row.text)
			if no == nil {
				t.Fatalf("Parse(%q) is not refused", row.text)
			}
			if no.Code != upgrade.CodeArg || !strings.Contains(no.What, row.what) || no.Next != row.next {
				t.Errorf("Parse(%q)\n got %s %q\n     next %q\nwant %q\n     next %q", row.text, no.Code, no.What, no.Next, row.what, row.next)
			}
			mustParse(t, no.Next)
		})
	}
}

func TestParse(t *testing.T) {
	understood(t, []reading{
		{"nothing asks for the home screen", "", Request{}},
		{"blanks ask for the home screen", " \u00a0\n", Request{}},
		{"the root command alone asks for the home screen", "/vmss", Request{}},
		{"the root command may be typed twice", "/vmss /vmss status", Request{Verb: VerbStatus}},
		{"a phone's capital letter does not matter", "Status", Request{Verb: VerbStatus}},

		{"the main job", "upgrade myvmss 4.0.20160229 ud=0", Request{Verb: VerbUpgrade, Set: "myvmss", Target: "4.0.20160229", Which: upgrade.Selection{UpdateDomains: []int{0}}}},
		{"options stand anywhere", "upgrade ud=0,2 myvmss latest soak=10m note=\"CHG 1\"",
			Request{Verb: VerbUpgrade, Set: "myvmss", Target: "latest", Which: upgrade.Selection{UpdateDomains: []int{0, 2}}, Options: Options{Soak: span(10 * time.Minute), Note: "CHG 1"}}},
		{"without ud= all domains are meant", "upgrade myvmss latest", Request{Verb: VerbUpgrade, Set: "myvmss", Target: "latest"}},
		{"plan takes what upgrade takes", "plan rg-shop/web_prod.1 model bake=1d max-failures=2",
			Request{Verb: VerbPlan, Set: "rg-shop/web_prod.1", Target: "model", Options: Options{Bake: span(day), MaxFailures: count(2)}}},
		{"as typed on a phone", "Upgrade myvmss Latest —ud=1–3 note=“it’s CHG 1”",
			Request{Verb: VerbUpgrade, Set: "myvmss", Target: "latest", Which: upgrade.Selection{UpdateDomains: []int{1, 2, 3}}, Options: Options{Note: "it's CHG 1"}}},
		{"a name that Slack took for a link", "upgrade <http://web.prod|web.prod> latest", Request{Verb: VerbUpgrade, Set: "web.prod", Target: "latest"}},
		{"lists and ranges of domains, sorted", "upgrade s latest ud=7,1-3,0", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Which: upgrade.Selection{UpdateDomains: []int{0, 1, 2, 3, 7}}}},
		{"a number of instances as limit", "upgrade s latest max-unavailable=2", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{MaxUnavailable: &upgrade.Limit{N: 2}}}},
		{"a percentage as limit", "upgrade s latest max-unavailable=20%", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{MaxUnavailable: &upgrade.Limit{Percent: 20}}}},
		{"a time of several units", "upgrade s latest soak=1h30m", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{Soak: span(90 * time.Minute)}}},
		{"a time in days and hours", "upgrade s latest soak=1d12h", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{Soak: span(36 * time.Hour)}}},
		{"a week", "upgrade s latest soak=1w", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{Soak: span(7 * day)}}},
		{"no time at all is a time", "upgrade s latest soak=0s bake=0", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{Soak: span(0), Bake: span(0)}}},
		{"one yes for all gates", "upgrade s latest approve=Once", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Order: upgrade.Order{Approve: upgrade.ApproveOnce}}},
		{"one yes for all after the canary", "plan s latest canary=1 approve=canary", Request{Verb: VerbPlan, Set: "s", Target: "latest", Order: upgrade.Order{Canary: 1, Approve: upgrade.ApproveCanary}}},
		{"a yes for each gate, which is what nothing said means", "upgrade s latest approve=each", Request{Verb: VerbUpgrade, Set: "s", Target: "latest"}},
		{"what a failure comes to", "upgrade s latest on-failure=Quarantine", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{OnFailure: upgrade.QuarantineOnFailure}}},
		{"what the policy says of failures, said once more", "plan s latest on-failure=hold", Request{Verb: VerbPlan, Set: "s", Target: "latest", Options: Options{OnFailure: upgrade.HoldOnFailure}}},
		{"blanks of a note are put in order", "upgrade s latest note=\"  a \n b \"", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{Note: "a b"}}},
		{"a note may have an equal sign", "upgrade s latest note=a=b", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{Note: "a=b"}}},
		{"a set may be named like an option", "upgrade soak latest", Request{Verb: VerbUpgrade, Set: "soak", Target: "latest"}},
		{"a version of four numbers", "upgrade s 1.2.3.4", Request{Verb: VerbUpgrade, Set: "s", Target: "1.2.3.4"}},

		{"approve", "approve r-4f2k9a", Request{Verb: VerbApprove, Rollout: "r-4f2k9a"}},
		{"approve the rest", "approve r-4f2k9a Rest", Request{Verb: VerbApprove, Rollout: "r-4f2k9a", Rest: true}},
		{"deny with a quoted reason", `deny r-1 "too risky"`, Request{Verb: VerbDeny, Rollout: "r-1", Reason: "too risky"}},
		{"deny with words as reason", "deny r-1 it’s ud=0 &amp; more", Request{Verb: VerbDeny, Rollout: "r-1", Reason: "it's ud=0 & more"}},
		{"deny without a reason is the domain's to refuse", "deny r-1", Request{Verb: VerbDeny, Rollout: "r-1"}},
		{"a person in a reason is their id", "deny r-1 ask <@U012AB3CD|bo>", Request{Verb: VerbDeny, Rollout: "r-1", Reason: "ask U012AB3CD"}},
		{"pause", "pause r-1", Request{Verb: VerbPause, Rollout: "r-1"}},
		{"pause with a reason", "pause r-1 error rates", Request{Verb: VerbPause, Rollout: "r-1", Reason: "error rates"}},
		{"resume", "resume r-1", Request{Verb: VerbResume, Rollout: "r-1"}},
		{"ask once more", "ask r-1", Request{Verb: VerbAsk, Rollout: "r-1"}},
		{"abort with a reason", "abort r-1 bad image", Request{Verb: VerbAbort, Rollout: "r-1", Reason: "bad image"}},
		{"abort and put the model back", `abort r-1 revert "bad image"`, Request{Verb: VerbAbort, Rollout: "r-1", Reason: "bad image", Answer: upgrade.Revert}},
		{"abort and keep the model", `abort r-1 Keep bad image`, Request{Verb: VerbAbort, Rollout: "r-1", Reason: "bad image", Answer: upgrade.Keep}},
		{"a quoted word is no answer", `abort r-1 "revert" was wrong`, Request{Verb: VerbAbort, Rollout: "r-1", Reason: "revert was wrong"}},
		{"the answer behind a quoted reason", `abort r-1 "bad image" revert`, Request{Verb: VerbAbort, Rollout: "r-1", Reason: "bad image", Answer: upgrade.Revert}},
		{"the answer behind a reason in a phone's quotes", `abort r-1 “stop” Keep`, Request{Verb: VerbAbort, Rollout: "r-1", Reason: "stop", Answer: upgrade.Keep}},
		{"a quoted word behind the reason is no answer", `abort r-1 "do not" "keep"`, Request{Verb: VerbAbort, Rollout: "r-1", Reason: "do not keep"}},
		{"a phone's quote in what a link shows is a plain one", `deny r-1 see <https://h/x|“it’s off>`, Request{Verb: VerbDeny, Rollout: "r-1", Reason: `see "it's off`}},
		{"the last word of a reason without quotes is no answer", `abort r-1 nothing to keep`, Request{Verb: VerbAbort, Rollout: "r-1", Reason: "nothing to keep"}},
		{"an answer without a reason answers the model question", "abort r-1 revert", Request{Verb: VerbModel, Rollout: "r-1", Answer: upgrade.Revert}},
		{"abort without a reason is the domain's to refuse", "abort r-1", Request{Verb: VerbAbort, Rollout: "r-1"}},

		{"status of everything", "status", Request{Verb: VerbStatus}},
		{"status of a rollout", "status r-1", Request{Verb: VerbStatus, About: "r-1"}},
		{"why, of a set", "why rg/web-prod", Request{Verb: VerbWhy, About: "rg/web-prod"}},
		{"pending", "pending", Request{Verb: VerbPending}},
		{"list", "list", Request{Verb: VerbList}},
		{"list by a part of the name", "list -prod", Request{Verb: VerbList, About: "-prod"}},
		{"show", "show web-prod", Request{Verb: VerbShow, About: "web-prod"}},
		{"show a part", "show web-prod Policy", Request{Verb: VerbShow, About: "web-prod", Part: "policy"}},
		{"the report of a rollout, as Markdown", "report r-1 md", Request{Verb: VerbReport, About: "r-1"}},
		{"the report of a set's last, for a spreadsheet", "report web-prod CSV", Request{Verb: VerbReport, About: "web-prod", Part: "csv"}},
		{"the audit of everything", "audit", Request{Verb: VerbAudit}},
		{"the audit of an instance", "audit web-prod vm=6", Request{Verb: VerbAudit, About: "web-prod", Instances: []string{"6"}}},
		{"the audit of a person, in any order", "audit csv <@U012AB3CD|bo> rg-shop/web-prod", Request{Verb: VerbAudit, About: "rg-shop/web-prod", To: "U012AB3CD", Part: "csv"}},
		{"the hand-over", "shift", Request{Verb: VerbShift}},
		{"show the set of a rollout", "show r-1 instances", Request{Verb: VerbShow, About: "r-1", Part: "instances"}},
		{"a schedule", `schedule web latest cron="0  2 * * SUN" tz=Europe/Prague window=night ud=0`, Request{Verb: VerbSchedule, Set: "web", Target: "latest",
			Which: upgrade.Selection{UpdateDomains: []int{0}}, Options: Options{Cron: "0 2 * * SUN", TZ: "Europe/Prague", Window: "night"}}},
		{"its end", `unschedule s-4f2k9a "over"`, Request{Verb: VerbUnschedule, Set: "s-4f2k9a", Reason: "over"}},
		{"all schedules, which windows lists", "schedules web", Request{Verb: VerbWindows, About: "web"}},
		{"help", "help", Request{Verb: VerbHelp}},
		{"help with a verb", "help Upgrade", Request{Verb: VerbHelp, About: "upgrade"}},
	})
}

func TestParseRefuses(t *testing.T) {
	long := strings.Repeat("x", 300)
	refused(t, []no{
		{"a verb with a slip, and corrects it", "aproove r-1", "I do not know `aproove`. Did you mean `approve`?", "/vmss approve r-1"},
		{"several slips, and corrects them all", "upgarde myvmss latset uds=0", "I do not know `upgarde`. Did you mean `upgrade`?", "/vmss upgrade myvmss latest ud=0"},
		{"a word that is nothing like a verb", "frobnicate", "I do not know `frobnicate`", "/vmss help"},
		{"a long word, without repeating all of it", long, "`" + strings.Repeat("x", 59) + "…`", "/vmss help"},
		{"a quoted verb", `"status"`, "I do not know `status`", "/vmss status"},
		{"a rollout without a verb", "r-4f2k9a", "`r-4f2k9a` is a rollout's id: say first what you want", "/vmss status r-4f2k9a"},
		{"revert, which is said with an abort", "revert r-1", "`revert` is said with an abort", `/vmss abort r-1 revert "reason"`},
		{"keep with a reason, which is said with an abort", `keep r-1 "bad news"`, "`keep` is said with an abort", `/vmss abort r-1 keep "bad news"`},
		{"revert without a rollout", "revert myvmss", "`revert` is said with an abort", "/vmss help abort"},
		{"stop, always", "stop r-1", "Did you mean `pause`, `abort` or `vm poweroff`?", "/vmss pause r-1"},
		{"stop without anything", "stop", "`stop` does nothing", "/vmss status"},
		{"help with stop", "help stop", "Did you mean `pause`, `abort` or `vm poweroff`?", "/vmss help pause"},
		{"help with a verb it does not have", "help upgrad", "I do not know the verb `upgrad`. Did you mean `upgrade`?", "/vmss help upgrade"},
		{"help with a slip in a verb that is not built", "help fleeet", "`fleet` is planned, not built yet", "/vmss help list"},
		{"help with nonsense", "help qqqqqqq", "I do not know the verb `qqqqqqq`", "/vmss help"},
		{"help with two verbs", "help deny abort", "`help` does not know what to do with `abort`", "/vmss help deny"},

		{"upgrade without anything", "upgrade", "`upgrade` needs a scale set and a target", "/vmss help upgrade"},
		{"upgrade without a target", "upgrade myvmss ud=0", "`upgrade` needs a target after `myvmss`", "/vmss help upgrade"},
		{"a target before its set", "upgrade 4.0.1 myvmss ud=0", "the scale set comes first, then the target", "/vmss upgrade myvmss 4.0.1 ud=0"},
		{"a target with a slip", "upgrade s modle", "I do not know the target `modle`. Did you mean `model`?", "/vmss upgrade s model"},
		{"a target that is no version", "upgrade s v4.0.1", "I do not know the target `v4.0.1`", "/vmss help upgrade"},
		{"a number as version", "upgrade s 7", "I do not know the target `7`", "/vmss help upgrade"},
		{"a version with a hole", "upgrade s 1..2", "I do not know the target `1..2`", "/vmss help upgrade"},
		{"three words", "upgrade my vmss latest", "these are 3 words: `my vmss latest`", "/vmss help upgrade"},
		{"an option whose value stands apart", "upgrade s latest ud 0", "`ud` and its value are one word", "/vmss upgrade s latest ud=0"},
		{"an option with a colon", "upgrade s latest ud:0,1", "I do not know `ud:0,1`. Did you mean `ud=`?", "/vmss upgrade s latest ud=0,1"},
		{"an option of another tool's kind", "upgrade s latest --soak 10m", "`soak` and its value are one word", "/vmss upgrade s latest soak=10m"},
		{"an option with a slip", "upgrade s latest max_unavailable=1", "I do not know `max_unavailable=1`. Did you mean `max-unavailable=`?", "/vmss upgrade s latest max-unavailable=1"},
		{"an option with a slip, and keeps the quotes in its value", `upgrade s latest notes='a"b"c'`, "Did you mean `note=`?", `/vmss upgrade s latest note="a\"b\"c"`},
		{"an option it does not have, and tells which there are", "upgrade s latest colour=red", "I do not know `colour=red`: the options are ud=, fd=, zone=, vm=, skip=, by=, ", "/vmss help upgrade"},
		{"an option given twice", "upgrade s latest ud=0 ud=1", "`ud=` is given twice", "/vmss help upgrade"},
		{"a domain named twice", "upgrade s latest ud=0,1,0", "a domain is named twice. Did you mean `ud=0,1`?", "/vmss upgrade s latest ud=0,1"},
		{"a range with a domain named before", "upgrade s latest ud=1,0-4", "a domain is named twice. Did you mean `ud=0-4`?", "/vmss upgrade s latest ud=0-4"},
		{"a range that goes backwards", "upgrade s latest ud=3-1", "the range goes backwards. Did you mean `ud=1-3`?", "/vmss upgrade s latest ud=1-3"},
		{"a domain in words", "upgrade s latest ud=all", "it takes update domains, such as `ud=0,2`", "/vmss help upgrade"},
		{"a domain below zero", "upgrade s latest ud=-1", "it takes update domains", "/vmss help upgrade"},
		{"a domain beyond any set's", "upgrade s latest ud=100", "it takes update domains", "/vmss help upgrade"},
		{"a range beyond any set's", "upgrade s latest ud=0-9999999999", "it takes update domains", "/vmss help upgrade"},
		{"a list with a hole", "upgrade s latest ud=0,,1", "it takes update domains", "/vmss help upgrade"},
		{"no domain at all, which would be all", "upgrade s latest ud=", "it takes update domains", "/vmss help upgrade"},
		{"a limit in words", "upgrade s latest max-unavailable=few", "it takes a number of instances or a percentage", "/vmss help upgrade"},
		{"a limit above all", "upgrade s latest max-unavailable=101%", "it takes a number of instances or a percentage", "/vmss help upgrade"},
		{"a limit with a sign", "upgrade s latest max-unavailable=+2", "it takes a number of instances or a percentage", "/vmss help upgrade"},
		{"a limit below zero", "upgrade s latest max-unavailable=-1", "it takes a number of instances or a percentage", "/vmss help upgrade"},
		{"failures in percent", "upgrade s latest max-failures=5%", "it takes a number of instances up to 999", "/vmss help upgrade"},
		{"failures below zero", "upgrade s latest max-failures=-1", "it takes a number of instances up to 999", "/vmss help upgrade"},
		{"a way to agree with a slip", "upgrade s latest approve=onc", "Did you mean `approve=once`?", "/vmss upgrade s latest approve=once"},
		{"a way to agree of nobody's", "upgrade s latest approve=never", "it takes `each`", "/vmss help upgrade"},
		{"a failure's end with a slip", "upgrade s latest on-failure=quarantin", "Did you mean `on-failure=quarantine`?", "/vmss upgrade s latest on-failure=quarantine"},
		{"a failure's end of nobody's", "upgrade s latest on-failure=panic", "it takes `hold`, `quarantine`, `abort` or `rollback`", "/vmss help upgrade"},
		{"a domain written as no number is", "upgrade s latest ud=01", "it takes update domains", "/vmss help upgrade"},
		{"a time without a unit, and proposes minutes", "upgrade s latest soak=10", "Did you mean `soak=10m`?", "/vmss upgrade s latest soak=10m"},
		{"a time with a long unit", "upgrade s latest bake=2hours", "Did you mean `bake=2h`?", "/vmss upgrade s latest bake=2h"},
		{"a time below zero", "upgrade s latest soak=-5m", "it takes a time from 0 to 168h", "/vmss help upgrade"},
		{"a time longer than any rollout", "upgrade s latest soak=8d", "it takes a time from 0 to 168h", "/vmss help upgrade"},
		{"a time beyond what can be counted", "upgrade s latest soak=999w2562047h", "it takes a time from 0 to 168h", "/vmss help upgrade"},
		{"a time that is none", "upgrade s latest soak=soon", "it takes a time with its unit", "/vmss help upgrade"},
		{"a long note", "upgrade s latest note=" + long, "it is 300 characters long, and 280 is the most", "/vmss help upgrade"},

		{"a time that is none, and never proposes to leave it out", "upgrade s latest at=soon", "it takes a time", "/vmss help upgrade"},
		{"a freeze that ends twice", "freeze web for=2h until=22:00 x", "both say when it ends", "/vmss help freeze"},
		{"a freeze without a set", "freeze for=2h", "needs a scale set, or `all`", "/vmss help freeze"},
		{"a freeze without a unit, and proposes one", "freeze web for=2 sale", "Did you mean", "/vmss freeze for=2m web sale"},
		{"a listing that is planned", "list behind", "`list behind` is planned, not built yet", "/vmss list"},
		{"a word to all rollouts", "deny all", "`deny` takes one rollout: only pause and resume take all", "/vmss status"},
		{"a planned verb, and proposes what comes near", "fleet web-prod", "`fleet` is planned, not built yet", "/vmss help list"},
		{"a planned verb with a slip", "fleeet", "`fleet` is planned, not built yet", "/vmss help list"},
		{"help with a planned verb", "help vm", "`vm` is planned, not built yet", "/vmss help"},

		{"a schedule without its times", "schedule web latest", "`schedule` needs to know when", "/vmss help schedule"},
		{"a schedule without a target", `schedule web cron="0 2 * * SUN"`, "`schedule` needs a target after `web`", "/vmss help schedule"},
		{"times without quotes", "schedule web latest cron=0 2 * * SUN", "the five fields of `cron=` stand between quotes", `/vmss schedule web latest cron="0 2 * * SUN"`},
		{"times without quotes, before the rest", "schedule cron=30 8 1 * * web latest tz=UTC", "stand between quotes", `/vmss schedule cron="30 8 1 * *" web latest tz=UTC`},
		{"four times without quotes", "schedule web latest cron=0 2 * *", "it takes five fields between quotes", "/vmss help schedule"},
		{"times in words", `schedule web latest cron="@every 1h"`, "it takes five fields", "/vmss help schedule"},
		{"times with a zone in them", `schedule web latest cron="CRON_TZ=UTC 0 2 * * *"`, "it takes five fields", "/vmss help schedule"},
		{"times with a sixth field", `schedule web latest cron="0 0 2 * * *"`, "it takes five fields", "/vmss help schedule"},
		{"an hour that no day has", `schedule web latest cron="0 25 * * *"`, "it takes five fields", "/vmss help schedule"},
		{"a time zone for an availability zone", `schedule web latest cron="0 2 * * *" zone=Europe/Prague`, "is said with `tz=Europe/Prague`", "/vmss help schedule"},
		{"a time zone with a path in it", `schedule web latest cron="0 2 * * *" tz=../etc/passwd`, "it takes the IANA name", "/vmss help schedule"},
		{"a schedule of one moment", `schedule web latest cron="0 2 * * *" at=22:00`, "`at=` does not go with `schedule`", "/vmss help schedule"},
		{"times of an upgrade", `upgrade web latest cron="0 2 * * *"`, "`cron=` does not go with `upgrade`", "/vmss help upgrade"},
		{"what is to be taken away left out", "unschedule", "`unschedule` needs a schedule, such as `s-4f2k9a`, or a scale set", "/vmss help unschedule"},

		{"a set with a path in it", "upgrade ../x latest", "`../x` is no scale set's name", "/vmss list"},
		{"a set of dots", "show ..", "`..` is no scale set's name", "/vmss list"},
		{"a set with two dots in it", "show a..b", "`a..b` is no scale set's name", "/vmss list"},
		{"a set with a dot at its end", "show web.", "`web.` is no scale set's name", "/vmss list"},
		{"a set in two groups", "show a/b/c", "`a/b/c` is no scale set's name", "/vmss list"},
		{"a set without a name", "show rg/", "`rg/` is no scale set's name", "/vmss list"},
		{"a set with a blank", `show "web prod"`, "`web prod` is no scale set's name", "/vmss list"},
		{"a set with a question mark", "show web?x=1", "`web?x=1` is no scale set's name", "/vmss list"},
		{"a set with an escaped slash", "show web%2f..", "`web%2f..` is no scale set's name", "/vmss list"},
		{"a set in letters that look like others", "show w\u0435b", "`w\u0435b` is no scale set's name", "/vmss list"},
		{"a long set", "show " + strings.Repeat("a", 65), "is no scale set's name", "/vmss list"},
		{"show without a set", "show", "`show` needs a scale set", "/vmss list"},
		{"show with a part it does not have", "show web polcy", "I do not know the part `polcy`. Did you mean `policy`?", "/vmss show web policy"},
		{"a report of nothing", "report", "`report` needs a rollout", "/vmss history"},
		{"a report in a format there is not", "report r-1 pdf", "I do not know the format `pdf`. Did you mean `md`?", "/vmss report r-1 md"},
		{"an audit of two sets", "audit web api", "`audit` does not know what to do with `api`", "/vmss help audit"},
		{"an audit of an instance of no set", "audit vm=6", "`vm=` is of one scale set or rollout", "/vmss help audit"},
		{"an audit of a display name", "audit @bo", "`@bo` is nobody's id", "/vmss help audit"},
		{"an audit with an option of others", "audit web soak=5m", "I do not know `soak=5m`", "/vmss help audit"},
		{"show with two parts", "show web map image", "`show` does not know what to do with `image`", "/vmss show web map"},
		{"a part of a name with a star", "list web-*", "`web-*` is no part of a scale set's name", "/vmss list"},
		{"status of a path", "status ../..", "`../..` is neither a rollout's id nor a scale set's name", "/vmss status"},
		{"more than it asked for", "why web now please", "`why` does not know what to do with `now`", "/vmss why web"},
		{"an option where there are none", "pending ud=0", "`pending` does not know what to do with `ud=0`", "/vmss pending"},

		{"approve without a rollout", "approve", "`approve` needs a rollout", "/vmss status"},
		{"approve with a set", "approve web-prod", "`approve` takes a rollout's id such as `r-4f2k9a`, and `web-prod` is none", "/vmss status web-prod"},
		{"approve with an id in capital letters", "approve R-4F2", "Did you mean `r-4f2`?", "/vmss approve r-4f2"},
		{"approve with more than the rest", "approve r-1 rest now", "I do not know `now`", "/vmss help approve"},
		{"approve with a slip in the rest", "approve r-1 rset", "I do not know `rset`. Did you mean `rest`?", "/vmss approve r-1 rest"},
		{"approve with a quoted rest", `approve r-1 "rest"`, "I do not know `rest`", "/vmss approve r-1 rest"},
		{"approve with a domain, and never proposes to leave it out", "approve r-1 ud=3", "I do not know `ud=3`", "/vmss help approve"},
		{"a rollout of markup", "abort <@U012AB3CD> x", "takes a rollout's id", "/vmss status U012AB3CD"},
		{"a rollout with a path in it", "abort r-1/../r-2 x", "is no rollout's id", "/vmss status"},
		{"a rollout with a percent sign", "abort r-1%00 x", "is no rollout's id", "/vmss status"},
		{"a long reason", "deny r-1 " + long, "the reason is 300 characters long, and 280 is the most", "/vmss help deny"},
		{"a reason where none is taken", "resume r-1 fixed", "`resume` does not know what to do with `fixed`", "/vmss resume r-1"},
	})
}

// mustParse fails the test unless the command that a refusal proposes is understood.
func mustParse(t *testing.T, next string) {
	t.Helper()
	if _, no := Parse(next); no != nil {
		t.Errorf("the next step %q is refused itself: %s", next, no.What)
	}
}

func TestEveryPlannedVerbSaysSoAndProposesACommand(t *testing.T) {
	for verb := range laterVerbs {
		for _, text := range []string{verb, verb + " web-prod", verb + " r-1 vm=3", verb + " poweroff web-prod ud=0", verb + " ../..", "help " + verb} {
			_, no := Parse(text)
			if no == nil || !strings.Contains(no.What, "planned, not built yet: ") {
				t.Fatalf("Parse(%q) = %v, want the word that it is planned", text, no)
			}
			mustParse(t, no.Next)
		}
	}
}

func TestARefusalComesWithWhatWasUnderstood(t *testing.T) {
	for text, want := range map[string]Request{
		"upgrade myvmss ud=0":  {Verb: VerbUpgrade, Set: "myvmss", Which: upgrade.Selection{UpdateDomains: []int{0}}},
		"upgrade myvmss lates": {Verb: VerbUpgrade, Set: "myvmss"},
		"deny":                 {Verb: VerbDeny},
		"show":                 {Verb: VerbShow},
		"nonsense":             {},
	} {
		got, no := Parse(text)
		if no == nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q) = %+v, %v, want %+v and a refusal", text, got, no, want)
		}
	}
}

// The domain and the view name commands in their texts: a person types these.
func TestEveryVerbThatOtherRoomsNameIsUnderstood(t *testing.T) {
	named := regexp.MustCompile(`/vmss ([a-z]+)`)
	found := 0
	for _, pattern := range []string{"../upgrade/*.go", "../bot/*.go", "../bot/view/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range named.FindAllStringSubmatch(string(source), -1) {
				found++
				if _, known := grammar[Verb(m[1])]; !known {
					t.Errorf("%s tells people to type %q", file, m[0])
				}
			}
		}
	}
	if found == 0 {
		t.Error("no room names a command: this test looks in the wrong places")
	}
}
