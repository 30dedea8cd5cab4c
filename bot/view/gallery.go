package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// Sample is one view in one state.
type Sample struct {
	Name    string // view/state, such as "card/first"
	Message Message
}

// Gallery returns every view in every state, made by playing rollouts through the domain. The golden
// files and the workspace's gallery page show the same ones.
func Gallery() []Sample { return gallery(believable, 1, 60, 100, 1000) }

// gallery plays all stories with a cast, and one more for each size of a set.
func gallery(c cast, sizes ...int) []Sample {
	var s shelf
	for _, play := range []func(*shelf, cast){
		happyStory, planStories, quorumStory, stopStories, failureStories, unclearStories, endStories, troubleStories, whyStories, targetStories, choiceStories, bornStories, givenUpStories, calendarStories, probeStories, answers, refusals,
	} {
		play(&s, c)
	}
	for _, n := range sizes {
		sizeStory(&s, c, n)
		if n >= 1000 {
			hugeStories(&s, c, n)
		}
	}
	return s.samples
}

// shelf collects samples.
type shelf struct{ samples []Sample }

// add renders a slot of a story as it stands.
func (sh *shelf) add(name string, s *story, slot string) {
	sh.want(name, s, slot, nil)
}

func (sh *shelf) want(name string, s *story, slot string, want any) {
	raw, _ := json.Marshal(want) // types of package upgrade, all of which marshal
	m, err := Render(upgrade.Post{Rollout: s.id, Slot: slot, Want: raw}, s.record(), s.now)
	if err != nil {
		panic("gallery: " + err.Error())
	}
	sh.samples = append(sh.samples, Sample{name, m})
}

// hold renders the hold that was announced last.
func (sh *shelf) hold(name string, s *story) { sh.holdOf(name, s, s) }

// holdOf renders, as things stand now, the hold that was announced last back then.
func (sh *shelf) holdOf(name string, now, then *story) {
	holds := then.record().Rollout.Holds
	last := holds[len(holds)-1]
	sh.want("hold/"+name, now, fmt.Sprintf("hold/%d", last.Seq), last.Decided)
}

// said renders the word that was said last.
func (sh *shelf) said(name string, s *story) {
	for i, e := range slices.Backward(s.events) {
		if w := upgrade.NewSaidWant(e); w.Verb != "" {
			sh.want("said/"+name, s, fmt.Sprintf("said/%d", i+1), w)
			return
		}
	}
}

func (sh *shelf) reply(name string, now time.Time, r commands.Reply, stories ...*story) {
	records := map[string]upgrade.Record{}
	for _, s := range stories {
		records[s.id] = s.record()
		r.Rollouts = append(r.Rollouts, s.id)
	}
	sh.samples = append(sh.samples, Sample{"answer/" + name, Answer(r, records, now)})
}

// happyStory is a rollout in which everything goes well.
func happyStory(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	sh.add("live/planned", s, upgrade.SlotLive)
	sh.add("plan/plain", s, upgrade.SlotPlan)
	s.look()
	sh.add("live/asking", s, upgrade.SlotLive)
	sh.add("card/first", s, "card/ud-0/1")
	s.wait(80 * time.Second)
	s.approve("U0BO", c.approver, false)
	sh.add("live/approved", s, upgrade.SlotLive)
	sh.add("card/approved", s, "card/ud-0/1")
	s.pass()
	sh.add("live/setting the model", s, upgrade.SlotLive)
	s.look()
	s.wait(50 * time.Second)
	sh.add("live/upgrading", s, upgrade.SlotLive)
	sh.add("batch/upgrading", s, "batch/1")
	comingUp(sh, s)
	sh.add("live/soaking", s, upgrade.SlotLive)
	sh.add("batch/done", s, "batch/1")
	sh.add("card/soaking", s, "card/ud-1/1")
	s.approve("U0BO", c.approver, false)
	sh.add("live/soaking, next approved", s, upgrade.SlotLive)
	s.soaked()
	s.batch()
	s.soaked()
	sh.add("card/later", s, "card/ud-2/1")
	s.approve("U0EVA", c.second, true)
	sh.add("card/approved with the rest", s, "card/ud-2/1")
	s.finish()
	sh.add("live/succeeded", s, upgrade.SlotLive)
	sh.add("report/succeeded", s, upgrade.SlotReport)
}

// comingUp shows the first batch half way: one done, one seen once, one coming up, one still going.
func comingUp(sh *shelf, s *story) {
	ids := s.flying()
	if len(ids) < 4 {
		return
	}
	s.op = upgrade.OpReading{Done: true, OK: true}
	s.azure(ids[:1], s.reimaged)
	s.look()
	s.wait(15 * time.Second)
	s.azure(ids[1:2], s.reimaged)
	s.azure(ids[2:3], func(i *upgrade.Instance) { s.reimaged(i); i.Health = upgrade.Initializing })
	s.azure(ids[3:], func(i *upgrade.Instance) { i.Provisioning, i.Power = upgrade.Updating, upgrade.Stopped })
	s.look()
	sh.add("live/checking", s, upgrade.SlotLive)
	sh.add("batch/checking", s, "batch/1")
	s.batch()
}

// planStories are plans with something to say.
func planStories(sh *shelf, c cast) {
	s := begin(c, 20, func(s *story) {
		s.set.HealthSource, s.set.AutoRepairs, s.set.ImageNotice, s.set.EphemeralOS = false, true, true, true
		s.set.Model.Image = s.image(c.new + "9")
		s.azure([]string{c.id(3), c.id(4)}, func(i *upgrade.Instance) { i.Image = s.image(c.new) })
		s.azure([]string{c.id(9)}, func(i *upgrade.Instance) { i.Protected = true })
		s.azure([]string{c.id(11)}, func(i *upgrade.Instance) { i.Power = upgrade.Deallocated })
		s.azure([]string{c.id(12)}, func(i *upgrade.Instance) { i.Image, i.LatestModel = s.set.Model.Image, false })
	})
	s.plan.Pinned, s.plan.Downgrade = "latest", true
	sh.add("plan/with hazards", s, upgrade.SlotPlan)
	s.look()
	sh.add("card/first with hazards", s, "card/ud-0/1")
	sh.add("live/with skipped instances", s, upgrade.SlotLive)

	s = begin(c, 20, nil)
	s.plan.Target.Model = true
	sh.add("plan/of the model", s, upgrade.SlotPlan)
}

// quorumStory needs two people for each gate.
func quorumStory(sh *shelf, c cast) {
	s := begin(c, 20, func(s *story) { s.pol.Approvals, s.pol.Escalate = 2, []string{"S0WEB"} })
	s.set.Model.Sections = map[upgrade.Section]string{upgrade.SectionExtensions: "changed", upgrade.SectionOther: "changed"}
	s.look()
	sh.add("card/of two", s, "card/ud-0/1")
	s.wait(time.Minute)
	s.approve("U0BO", c.approver, false)
	sh.add("card/one of two", s, "card/ud-0/1")
	sh.add("live/one of two", s, upgrade.SlotLive)
	late := s.branch()
	remindedStory(sh, s.branch(), c)
	s.wait(time.Minute)
	s.approve("U0EVA", c.second, false)
	sh.add("card/two of two", s, "card/ud-0/1")
	late.wait(5 * time.Hour)
	late.look()
	sh.add("card/ran out with one yes", late, "card/ud-0/1")
}

// stopStories are people who say stop.
func stopStories(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	s.look()
	s.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordPause, Reason: c.reason})
	sh.said("paused", s)
	s.look()
	sh.add("live/paused", s, upgrade.SlotLive)
	sh.add("card/paused", s, "card/ud-0/1")
	s.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordResume})
	sh.said("resumed", s)
	s.look()

	s.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordDeny, Reason: c.reason})
	s.look()
	sh.add("live/denied", s, upgrade.SlotLive)
	sh.add("card/denied", s, "card/ud-0/1")
	sh.hold("denied", s)
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAsk})
	s.look()
	sh.add("card/denied and asked again", s, "card/ud-0/1")
	s.wait(5 * time.Hour)
	s.look()
	sh.add("live/ran out", s, upgrade.SlotLive)
	sh.add("card/ran out", s, "card/ud-0/2")
	sh.hold("ran out", s)
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAsk})
	s.look()
	sh.add("card/asked again", s, "card/ud-0/2")
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason})
	sh.add("card/aborted", s, "card/ud-0/3")
	sh.said("aborted", s)
	s.look()
	sh.add("card/ended", s, "card/ud-0/3")
	sh.add("report/aborted before it began", s, upgrade.SlotReport)
}

// failureStories are instances and calls that fail.
func failureStories(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	s.look()
	s.gateUntil(func() {
		ids := s.flying()
		if len(ids) < 4 {
			return
		}
		s.azure(ids[:2], s.reimaged)
		s.azure(ids[2:3], func(i *upgrade.Instance) { i.Provisioning, i.Message = upgrade.Failed, c.message })
		s.set.Instances = slices.DeleteFunc(s.set.Instances, func(i upgrade.Instance) bool { return i.ID == ids[3] })
		s.op = upgrade.OpReading{Done: true, Code: c.code, Message: c.message}
	})
	sh.add("live/held by a failure", s, upgrade.SlotLive)
	sh.add("batch/failed", s, "batch/1")
	sh.hold("failure", s)
	sh.reply("status of a failure", s.now, commands.Reply{Verb: commands.VerbStatus}, s)
	sh.reply("why of a failure", s.now, commands.Reply{Verb: commands.VerbWhy}, s)
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason})
	s.look()
	sh.add("live/aborting", s, upgrade.SlotLive)
	sh.reply("why, with the model question open", s.now, commands.Reply{Verb: commands.VerbWhy}, s)
	modelStories(sh, s)
	sh.add("live/aborted", s, upgrade.SlotLive)
	sh.add("report/aborted", s, upgrade.SlotReport)
}

// gateUntil approves the gate that is asked and lets the batch end as told.
func (s *story) gateUntil(end func()) {
	s.approve("U0BO", s.cast.approver, false)
	s.look()
	s.wait(2 * time.Minute)
	end()
	for range 3 {
		s.look()
		s.wait(11 * time.Second)
	}
	s.look()
}

// modelStories are the model question and its answers.
func modelStories(sh *shelf, s *story) {
	sh.add("model/asked", s, upgrade.SlotModel)
	kept := s.branch()
	for i, e := range kept.events {
		if f, ok := e.Fact.(upgrade.ModelAsked); ok {
			f.Recommend, f.On, f.Off = upgrade.Keep, 15, 5
			kept.events[i].Fact = f
		}
	}
	sh.add("model/asked, most on the new image", kept, upgrade.SlotModel)
	kept.hear("U0BO", s.cast.approver, upgrade.Word{Verb: upgrade.WordModel, Answer: upgrade.Keep})
	kept.say("", upgrade.Ended{Outcome: upgrade.OutcomeAborted, Reason: "aborted by " + s.cast.requester})
	sh.add("model/kept", kept, upgrade.SlotModel)
	left := s.branch()
	left.say("", upgrade.ModelReverted{Detail: "Azure refused to take the old image back: " + s.cast.code + " " + s.cast.message})
	sh.add("model/could not be put back", left, upgrade.SlotModel)
	left.say("", upgrade.Ended{Outcome: upgrade.OutcomeAborted, Reason: "aborted by " + s.cast.requester})
	sh.add("report/the model could not be put back", left, upgrade.SlotReport)

	s.hear("U0BO", s.cast.approver, upgrade.Word{Verb: upgrade.WordModel, Answer: upgrade.Revert})
	sh.add("model/to be put back", s, upgrade.SlotModel)
	s.look()
	sh.add("model/put back", s, upgrade.SlotModel)
}

// unclearStories are what Azure leaves open: no answer, refusals, quiet, other people's work, drift.
func unclearStories(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	s.look()
	s.approve("U0BO", c.approver, false)
	s.pass()
	refused := s.branch()
	s.failing = &upgrade.Fault{Kind: upgrade.FaultUnknown, Message: c.message}
	s.pass()
	s.look()
	sh.add("live/no answer", s, upgrade.SlotLive)
	sh.add("batch/no answer", s, "batch/1")
	again := s.branch()
	for range 3 {
		again.wait(90 * time.Second)
		again.look()
	}
	sh.add("live/sent once more", again, upgrade.SlotLive)
	sh.add("batch/sent once more", again, "batch/1")
	s.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordPause})
	sh.add("live/no answer and paused", s, upgrade.SlotLive)
	s.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason, Answer: upgrade.Revert})
	sh.said("aborted with revert", s)
	sh.add("live/aborting in flight", s, upgrade.SlotLive)

	refused.failing = &upgrade.Fault{Kind: upgrade.FaultDenied, Code: "AuthorizationFailed",
		Message: "The client does not have authorization to perform action 'Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action': " + c.message}
	refused.pass()
	refused.look()
	sh.add("live/refused", refused, upgrade.SlotLive)
	sh.add("batch/refused", refused, "batch/1")
	sh.hold("refused", refused)
	weatherStories(sh, c)
}

// weatherStories are hindrances that clear by themselves or by somebody else.
func weatherStories(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	s.look()
	s.gate()
	s.soaked()
	quiet, unread, busy := s.branch(), s.branch(), s.branch()
	quiet.unread = &upgrade.Fault{Kind: upgrade.FaultThrottled, Op: "read " + c.set, Code: c.code, Message: c.message, RetryAfter: 5 * time.Minute}
	quiet.look()
	sh.add("live/throttled", quiet, upgrade.SlotLive)
	unread.unread = &upgrade.Fault{Kind: upgrade.FaultUnavailable, Op: "read " + c.set, Message: c.message}
	unread.look()
	sh.add("live/unread", unread, upgrade.SlotLive)
	busy.azure([]string{c.id(3)}, func(i *upgrade.Instance) { i.Provisioning = upgrade.Updating })
	busy.look()
	sh.add("live/busy", busy, upgrade.SlotLive)

	s.azure([]string{c.id(0)}, func(i *upgrade.Instance) { i.Health = upgrade.Unhealthy })
	s.look()
	sh.add("live/ill", s, upgrade.SlotLive)
	sh.hold("health", s)
	sh.add("card/while an instance is ill", s, "card/ud-1/1")
	s.set.Model.Image, s.set.UpgradeMode = s.image(c.old+"1"), upgrade.Rolling
	s.look()
	sh.add("live/drift", s, upgrade.SlotLive)
	sh.hold("drift", s)
	sh.reply("why of several", s.now, commands.Reply{Verb: commands.VerbWhy}, s)
}

// endStories are ends other than success and abort.
func endStories(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	s.look()
	s.wait(25 * time.Hour)
	s.look()
	sh.add("live/expired", s, upgrade.SlotLive)
	sh.add("report/expired", s, upgrade.SlotReport)

	s = begin(c, 20, nil)
	s.look()
	for i := range s.set.Instances {
		s.reimaged(&s.set.Instances[i])
	}
	s.finish()
	sh.add("live/nothing left to do", s, upgrade.SlotLive)
	sh.add("report/nothing left to do", s, upgrade.SlotReport)

	s = begin(c, 20, nil)
	s.look()
	s.gate()
	s.unread = &upgrade.Fault{Kind: upgrade.FaultGone, Op: "read " + c.set}
	s.look()
	s.wait(2 * time.Minute) // one 404 is not believed
	s.look()
	sh.add("live/failed", s, upgrade.SlotLive)
	sh.add("report/failed", s, upgrade.SlotReport)
}

// sizeStory is a set of n instances half way through its first batch, with one that failed.
func sizeStory(sh *shelf, c cast, n int) {
	s := begin(c, n, nil)
	s.look()
	s.approve("U0BO", c.approver, false)
	s.look()
	if ids := s.flying(); len(ids) > 2 {
		s.wait(time.Minute)
		s.azure(ids[:len(ids)/2], s.reimaged)
		s.azure(ids[len(ids)-1:], func(i *upgrade.Instance) { i.Provisioning, i.Message = upgrade.Failed, c.message })
		s.op = upgrade.OpReading{Done: true, OK: true}
		s.look()
		s.wait(11 * time.Second)
		s.look()
	}
	sh.add(fmt.Sprintf("live/%d instances", n), s, upgrade.SlotLive)
	sh.add(fmt.Sprintf("plan/%d instances", n), s, upgrade.SlotPlan)
	sh.add(fmt.Sprintf("batch/%d instances", n), s, "batch/1")
}
