package upgradetest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

var toType = regexp.MustCompile("`/vmss ([a-z]+ r-[0-9a-f]{6}[^`]*)`")

// sane is what people do who want the rollout to come to a good end: start a dead bot, ask, agree,
// answer, and when it does not go on by itself ask why and type what they are told.
func (s *simulation) sane(calm bool) string {
	w := s.play.World
	if w.Down() {
		return "restart"
	}
	if calm && s.hit("care", 30) {
		if cures := s.cures(); len(cures) > len(w.Azure.Snapshot().Sets) {
			return cures[len(cures)-1]
		}
	}
	open := s.open()
	if len(open) == 0 {
		return s.begin()
	}
	if line := s.answer(open); line != "" {
		return line
	}
	if d := s.last(open); d.Kind == "hold" || calm && (s.tired || s.below("look", 6) == 0) {
		return s.wayOut(open, calm)
	}
	return "advance " + s.span("waiting", 5*time.Second, 90*time.Second).String()
}

// begin asks for the rollout again where none was opened.
func (s *simulation) begin() string {
	if s.begun++; len(s.play.World.Rollouts()) == 0 {
		if s.begun > 1 { // it was refused for what was asked for besides
			s.ask = strings.Join(strings.Fields(s.ask)[:3], " ")
		}
		return "type ana " + s.ask
	}
	return "advance 1m"
}

// last is the program's last decision about one of the rollouts.
func (s *simulation) last(open []string) Decision {
	for _, d := range slices.Backward(s.play.World.Decisions()) {
		if slices.Contains(open, d.Rollout) {
			return d
		}
	}
	return Decision{}
}

// answer presses a button that asks something, if there is one.
func (s *simulation) answer(open []string) string {
	for _, m := range slices.Backward(s.play.World.Messages()) {
		if m.Deleted || m.EphemeralTo != "" || s.tried[m.TS] > stubborn || !slices.Contains(open, Post{m, []Seen{m}}.Rollout()) {
			continue
		}
		for _, b := range m.buttons() {
			who := pick(s.chance, "who answers", "bo", "eva", "bo", "eva", "ana") // whose own yes counts in a small team only
			on := " on " + s.play.World.first(m).Title()
			asks := b.word == "model-revert" || b.word == "model-keep" || b.word == "approve"
			s.tried[m.TS] += bit(asks)
			switch {
			case asks && b.word != "approve":
				return "click " + who + " " + pick(s.chance, "model", "model-revert", "model-keep") + on
			case b.word == "approve" && s.hit("rest", 5):
				return "type " + who + " approve " + Post{m, []Seen{m}}.Rollout() + " rest"
			case b.word == "approve" && s.hit("types it", 15):
				return "type " + who + " approve " + Post{m, []Seen{m}}.Rollout()
			case b.word == "approve" && s.hit("yes", 90):
				return "click " + who + " approve" + on
			}
		}
	}
	return ""
}

// wayOut asks why a rollout does not go on, and types one of the commands in the answer.
func (s *simulation) wayOut(open []string, calm bool) string {
	id := pick(s.chance, "whose way out", open...)
	who := pick(s.chance, "who looks", "bo", "eva", "ana")
	if s.tried[id]++; calm && (s.tired || s.tried[id] > patient) {
		if s.tried["abort "+id]++; s.tried["abort "+id]%4 != 1 { // what is in flight takes its time
			return "advance 1m"
		}
		return "type " + who + " abort " + id + " " + pick(s.chance, "last word", "revert", "keep") + ` "it goes nowhere"`
	}
	s.do("type " + who + " why " + id)
	said := s.told(s.play.World.id(who))
	if len(said) == 0 {
		return "advance " + s.span("waiting", 5*time.Second, 90*time.Second).String()
	}
	return "type " + pick(s.chance, "who types", "bo", "eva", "bo", "ana") + " " + pick(s.chance, "way out", said...)
}

// told are the commands in the last answer to a person that change something; those that give the rollout
// up are taken seldom.
func (s *simulation) told(user string) (said []string) {
	all := s.play.World.Messages()
	for _, m := range slices.Backward(all) {
		if m.EphemeralTo != user {
			continue
		}
		for _, found := range toType.FindAllStringSubmatch(strings.Join(m.Lines, "\n"), -1) {
			switch verb, _, _ := strings.Cut(found[1], " "); verb {
			case "why", "show", "status":
			case "abort", "rollback", "pause":
				if s.hit("rare way", 10) {
					said = append(said, found[1])
				}
			default:
				said = append(said, found[1])
			}
		}
		return said
	}
	return nil
}

// meddle is a command that changes a rollout, at any moment.
func (s *simulation) meddle() string {
	id := pick(s.chance, "meddle with", s.play.World.Rollouts()...)
	set := pick(s.chance, "meddle in", s.play.World.Azure.Snapshot().Sets...)
	vm := pick(s.chance, "meddle at", set.Instances...).ID
	who := pick(s.chance, "meddler", "ana", "bo", "eva", "bo", "olaf", "gus")
	if s.hit("chill", 12) {
		return "type " + who + " " + pick(s.chance, "chilling", "freeze "+set.Name+` for=10m "sale"`, `freeze all for=5m "lunch"`, "unfreeze "+set.Name, "unfreeze all", "windows "+set.Name)
	}
	if s.hit("schedule", 15) { // once in a rollout's life, and soon
		at := time.Now().UTC().Add(time.Duration(1+s.below("schedule's minute", 15)) * time.Minute)
		words := fmt.Sprintf("schedule %s latest cron=\"%d %d %d %d *\" tz=UTC", set.Name, at.Minute(), at.Hour(), at.Day(), at.Month())
		return pick(s.chance, "scheduling", "type ana "+words, "type ana "+words, "type ana "+words, "type "+who+" "+words, "type "+who+" unschedule "+set.Name)
	}
	return "type " + who + " " + pick(s.chance, "meddling",
		"pause "+id, "resume "+id, "resume "+id, "deny "+id+` "not now"`, "ask "+id, "ask "+id, "retry "+id, "retry "+id+" vm="+vm, "skip "+id+" vm="+vm,
		"quarantine "+id+" vm="+vm+` "CHG-7"`, "resume "+id, "ask "+id, "retry "+id, "resolve "+id+` started "seen"`, "resolve "+id+` not-started "looked"`, "resolve "+id+" vm="+vm+` ok "seen"`,
		"resolve "+id+" vm="+vm+` failed "seen"`, "replan "+id, "rollback "+id, "abort "+id+pick(s.chance, "abort", ` revert "bad image"`, ` keep "enough"`, ` "no"`),
		"approve "+id+" rest", "approve "+id, "upgrade "+set.Name+" latest", "handover "+id+" "+slacksim.Bo)
}

// govern is another policy: tighter, looser, or with other people.
func (s *simulation) govern() string {
	return "policy {" + pick(s.chance, "rules", "approvals: 2", "approvals: 1", "soak: 4m", "soak: 20s", "approvers: [ana, bo]", "approvers: [ana, bo, eva]", "self-approval: 5m", "self-approval: 0s", "max-failures: 0") + "}"
}

// nonsense is what outsiders, hostile and clumsy people do: it must change nothing, or no more than once.
func (s *simulation) nonsense() []string {
	id := pick(s.chance, "nonsense about", s.play.World.Rollouts()...)
	one := func(about string, from ...string) string { return pick(s.chance, about, from...) }
	switch s.below("nonsense", 12) {
	case 0:
		return []string{"click " + one("outsider", "olaf", "gus", "ana") + " approve"}
	case 1:
		return []string{"type " + one("outsider", "olaf", "gus") + " " + one("outside verb", "approve ", "pause ", "replan ", "rollback ", "retry ", "ask ") + id}
	case 2: // a double click
		who := one("double", "bo", "eva")
		return []string{"click " + who + " approve", "click " + who + " approve"}
	case 3, 4: // a card that was
		return []string{"click " + one("late", "bo", "eva", "bo", "olaf") + " " + one("late button", "approve", "approve", "approve-rest", "retry", "ask", "model-revert", "resume", "replan") + s.anyCard()}
	case 5:
		return []string{fmt.Sprintf("click %s %s value=%032x", one("forger", "olaf", "bo"), one("forged", "approve", "approve-rest", "model-revert", "abort"), hash(s.chance.seed, " forged ", s.below("forged", 1<<30)))}
	case 6:
		return []string{"type sam in partners approve " + id}
	case 7:
		return []string{"type bo in general approve " + id}
	case 8:
		return []string{"type ana " + s.ask, "type ana " + s.ask}
	case 9:
		return []string{"type " + one("babbler", "olaf", "ana", "bo") + " " + one("babble", "stop", "approve", "approve r-zzzzzz", "upgrade web 4.0.20160229 ud=77", `"\"unclosed"`,
			"upgrade ../.. latest", "retry "+id+" vm=*", "skip "+id, "abort", "resolve "+id, "frobnicate", "upgrade web 0.0.1", "approve $10kB")}
	case 10:
		return []string{"type " + one("reader", "olaf", "bo", "ana", "eva") + " " + one("reading", "status", "pending", "list", "help", "show web", "show web instances", "show "+id+" evidence",
			"show web policy", "plan web latest", "images web", "why "+id, "show web map")}
	default:
		return []string{"say " + one("speaker", "bo", "olaf", "ana") + " @vmssbot " + one("mention", "status", "approve "+id, "pause "+id, "why "+id, "resume "+id)}
	}
}

// anyCard names one of the messages, old or new, by its first line.
func (s *simulation) anyCard() string {
	var all []string
	for _, m := range s.play.World.Messages() {
		if m.EphemeralTo == "" && m.Channel == slacksim.Ops {
			all = append(all, " on "+s.play.World.first(m).Title())
		}
	}
	return pick(s.chance, "any card", all...)
}
