// Package upgradetest tells whole rollouts as stories, in a simulated world, and has every step of
// them watched by an outsider. Its stories in testdata are goldens: reviewers argue about their lines.
//
// # Nouns
//
//   - A [World] is a simulated Azure and a simulated Slack on an in-memory network, in the time of
//     one testing/synctest bubble: a day of waiting takes a moment. Chance is a hash of a seed, so a
//     story is the same to the byte whenever it is told.
//   - A [Program] is the product, wired as its programs wire it. A [Life] is one incarnation of it.
//     It may be killed between any two things it does; a journal file is all that survives.
//   - A [Story] is a txtar file: a title that names the rules it shows, a part "story" with one step
//     a line, a part "transcript" with what came of each, and, where the story needs them, a part
//     "fleet.json" (a fleet of azuresim) and a part "policy.yaml" (soak, bake, max-unavailable,
//     batch-cap, max-failures, healthy-deadline, approvals, approvers, requesters, escalate, escalate-after, approval-life,
//     unstarted-life, whole-life, on-failure, allowed-images, downgrades, watch, windows, freezes, gates, groups, of Azure throttle and azure-ahead, office for a receiver outside of Slack, and the seed of the world).
//   - A [Play] is a story being told.
//   - A [Simulated] rollout is a story that nobody wrote: its seed decides the fleet, the policy, what people
//     do, what goes wrong and where the program dies. It is told in the same language.
//   - The [Evidence] is all an outsider can know. The [Observer] judges it after every step; it
//     never looks into the program's own tables.
//
// # The language
//
// Unless a part policy.yaml says otherwise ana may ask, and ana, bo and eva may approve. olaf is an
// outsider, gus a guest, sam from another company.
//
//	# bo is on call tonight.                  a remark: it is told as it stands
//	type ana upgrade web 4.0.20160229 ud=0    types /vmss upgrade … in #ops
//	type ana in general list                  … in another channel
//	type ana "plan web\u00a04.0.20160229"     … a text as in a Go string
//	type bo approve $rollout                  $rollout is the last one, $rollout1 the first; $group is the last group; $10kB is long
//	say ana @vmssbot status                   posts a message
//	click bo approve                          the newest button of that name; of a menu, the choice's word
//	click bo approve on UD 0                  … in a message whose first line said "UD 0", even if it is gone there
//	click bo approve value=0123               … with a forged value
//	submit bo reason="not today"              fills in the form before bo and presses its button
//	advance 5m                                lets time pass
//	until "Approve UD 1"                      lets time pass, six hours at most, until somebody sees that
//	until hold(failure)                       … until that is the program's decision
//	until crash                               … until the program is dead, or has ended by itself
//	fault azure {"kind": "never-healthy", "set": "web", "instance": "3"}
//	fault slack {"kind": "duplicate", "type": "interactive"}
//	fault slack {"kind": "message_deleted", "channel": "ops", "ts": "$card"}
//	policy {approvals: 2, approvers: [eva]}   the configuration has another policy, as if reloaded with SIGHUP
//	freeze "the network is worked on"         what a file FREEZE beside the journal is, until "unfreeze"
//	gate slo fail                             an external gate of the policy fails, passes, hangs, redirects or refuses; "gone": out of the configuration of the next life
//	disk full                                 the journal takes no writes, until "disk free"
//	office down                               the receiver outside of Slack takes nothing, until "office up"
//	backup, restore                           keep the journal of a program that is stopped, and put it back
//	clock 1h                                  the program's clock jumps an hour ahead of everybody else's
//	crash                                     kills the program
//	crash before POST manualupgrade           … later, at that point (before, at or after a call or journal.Method)
//	crash at 17                               … after so many more of such points
//	restart                                   starts it (again); stops it first if it runs
//	stop                                      asks it to end, as SIGTERM does
//	expect-silence 10m                        lets time pass; no write to Azure and no new message may come
//	instances web                             tells the truth about a set
//
// A transcript has, for each step, what came of it in the order of time: "bot" is a change of the
// program's decision with its reason, "azure" a write that reached Azure (reads are not told), "office" what reached the receiver outside of Slack,
// "slack" what Slack itself said, and everything else a message as people see it when the step is
// over: of one that was there before, the first line and what is new in it.
//
// # Who calls it
//
// Tests only. It imports no Slack client and does no wiring: whoever tells a story brings the
// Program. It never listens on a port and never waits in real time.
package upgradetest
