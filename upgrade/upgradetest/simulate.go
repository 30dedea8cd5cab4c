package upgradetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// Figures of a simulated rollout.
const (
	wildest = 60             // steps in which anything may go wrong, at most
	closing = 150            // steps that people then have to bring it to an end
	lastDay = 24 * time.Hour // of simulated time, all in all
	rest    = 11 * time.Minute
)

// Simulated is what came of one simulated rollout.
type Simulated struct {
	Seed       string
	Opened     int  // rollouts
	Finished   bool // one of them upgraded all that it was to upgrade
	Elapsed    time.Duration
	Fired      map[string]int // trouble that struck, by kind
	Violations []Violation
	Trace      string // a hash of everything that reached Azure, Slack or the transcript, and when
	Story      []byte // the file of a story that tells it again
}

// simulation is one simulated rollout at work.
type simulation struct {
	*chance
	*havoc
	play  *Play
	ask   string
	rates rates
	steps []string
	todo  []string // lines that belong together
	skew  time.Duration
	begun int            // how often it was asked for
	tried map[string]int // by rollout, how often its people have looked for a way out
	found []Violation
}

// rates are what happens so many times in a hundred steps; they differ from seed to seed, so that some
// rollouts are quiet enough to get deep and some are not.
type rates struct{ trouble, crash, nonsense, meddling, haste int }

// Simulate plays the rollout that the seed decides, in the bubble it is called in, until all that was
// opened has ended. The same seed gives the same one, to the byte, as long as one processor runs it.
func Simulate(seed, journal string, program Program) (Simulated, error) {
	c := newChance(seed)
	file, ask := scene(c)
	story, err := ParseStory(file)
	if err != nil {
		return Simulated{Seed: seed}, err
	}
	p, err := NewPlay(story, seed, journal, program)
	if err != nil {
		return Simulated{Seed: seed}, err
	}
	s := &simulation{chance: c, havoc: &havoc{c, p.World}, play: p, ask: ask, tried: map[string]int{}}
	s.rates = rates{trouble: pick(c, "trouble", 0, 5, 10, 20, 35), crash: pick(c, "crashes", 0, 4, 8, 15, 25), nonsense: pick(c, "nonsense", 0, 5, 10, 20),
		meddling: pick(c, "meddling", 0, 2, 5, 10), haste: pick(c, "haste", 40, 60, 80)}
	s.run()
	return s.result(file), p.Close()
}

func (s *simulation) run() {
	s.do("type ana " + s.ask)
	for n := 0; n < wildest && s.going(); n++ {
		s.do(s.wild())
	}
	s.todo = nil
	for _, line := range s.remedies() {
		s.do(line)
	}
	for n := 0; n < closing && s.going(); n++ {
		s.do(s.sane(true))
	}
	if open := s.open(); len(open) > 0 {
		s.blame("I13", "%s did not come to an end, whatever people did that they were told", strings.Join(open, ", "))
	}
	if s.play.World.Down() {
		s.do("restart")
	}
	s.do(fmt.Sprint("advance ", rest))
}

func (s *simulation) blame(rule, format string, args ...any) {
	if len(s.found) == 0 {
		s.found = append(s.found, Violation{rule, time.Now(), fmt.Sprintf(format, args...)})
	}
}

// going reports whether there is anything left to see: no promise is broken, and a rollout has not ended
// or was never opened.
func (s *simulation) going() bool {
	if len(s.found) > 0 || time.Since(s.play.World.Began) > lastDay {
		return false
	}
	return len(s.todo) > 0 || len(s.open()) > 0 || len(s.play.World.Rollouts()) == 0 && s.begun < 4
}

// open are the rollouts that were announced and have not said that they ended.
func (s *simulation) open() []string {
	ended := map[string]bool{}
	for _, m := range s.play.World.Messages() {
		if about(m.Title()) != nil && m.says(" Ended ") || slices.ContainsFunc(m.Lines, counted.MatchString) {
			ended[Post{m, []Seen{m}}.Rollout()] = true
		}
	}
	return slices.DeleteFunc(s.play.World.Rollouts(), func(id string) bool { return ended[id] })
}

// do plays a line. What a person can not do at the moment is no fault of the program's.
func (s *simulation) do(line string) {
	if len(s.found) > 0 || line == "" {
		return
	}
	step := steps(line)[0]
	s.play.tell.begin(step)
	err := s.play.carry(verbs[step.Verb], step)
	if err != nil {
		s.play.tell.note("sim", "not possible: "+err.Error())
		s.play.tell.end()
	} else {
		s.steps = append(s.steps, line)
	}
	if os.Getenv("SIMDEBUG") != "" {
		st := s.play.World.Azure.Stats()
		s.play.tell.out.WriteString(fmt.Sprintln("DEBUG", time.Now().Format("15:04:05"), st.Calls, st.Statuses, len(s.play.World.errors)))
	}
	s.found = s.play.judge.Judge(s.play.World.Evidence())
}

// wild is the next line while anything may go wrong.
func (s *simulation) wild() string {
	if len(s.todo) > 0 {
		line := s.todo[0]
		s.todo = s.todo[1:]
		return line
	}
	switch {
	case s.hit("trouble strikes", s.rates.trouble):
		s.todo = s.havoc.line()
		return s.wild0()
	case s.hit("crash strikes", s.rates.crash):
		return s.crash()
	case s.hit("relief comes", 8):
		s.todo = s.remedies()
		return s.wild0()
	case s.hit("nonsense is said", s.rates.nonsense):
		s.todo = s.nonsense()
		return s.wild0()
	case s.hit("somebody meddles", s.rates.meddling):
		return s.meddle()
	case s.hit("time passes", 100-s.rates.haste):
		return "advance " + s.span("pause", time.Second, 2*time.Minute).String()
	}
	return s.sane(false)
}

// wild0 is the first of the lines to do, if there are any.
func (s *simulation) wild0() string {
	if len(s.todo) == 0 {
		return "advance 1s"
	}
	line := s.todo[0]
	s.todo = s.todo[1:]
	if rest, found := strings.CutPrefix(line, "clock "); found { // it only ever goes ahead
		by, _ := time.ParseDuration(rest)
		s.skew += by
		line = "clock " + s.skew.String()
	}
	return line
}

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
	if d := s.last(open); d.Kind == "hold" || calm && s.below("look", 6) == 0 {
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
		if m.Deleted || m.EphemeralTo != "" || !slices.Contains(open, Post{m, []Seen{m}}.Rollout()) {
			continue
		}
		for _, b := range m.buttons() {
			who := pick(s.chance, "who answers", "bo", "eva")
			on := " on " + s.play.World.first(m).Title()
			switch {
			case b.word == "model-revert" || b.word == "model-keep":
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
	if s.tried[id]++; calm && s.tried[id] > 25 {
		return "type " + who + " abort " + id + " " + pick(s.chance, "last word", "revert", "keep") + ` "it goes nowhere"`
	}
	s.do("type " + who + " why " + id)
	var said []string
	for _, m := range slices.Backward(s.play.World.Messages()) {
		if m.EphemeralTo != s.play.World.id(who) {
			continue
		}
		for _, found := range toType.FindAllStringSubmatch(strings.Join(m.Lines, "\n"), -1) {
			verb, _, _ := strings.Cut(found[1], " ")
			if rare := verb == "abort" || verb == "rollback" || verb == "pause"; !slices.Contains([]string{"why", "show", "status"}, verb) && (!rare || s.hit("rare way", 10)) {
				said = append(said, found[1])
			}
		}
		break
	}
	if len(said) == 0 {
		return "advance " + s.span("waiting", 5*time.Second, 90*time.Second).String()
	}
	return "type " + pick(s.chance, "who types", "bo", "eva", "bo", "ana") + " " + pick(s.chance, "way out", said...)
}

// meddle is a command that changes a rollout, at any moment.
func (s *simulation) meddle() string {
	id := pick(s.chance, "meddle with", s.play.World.Rollouts()...)
	set := pick(s.chance, "meddle in", s.play.World.Azure.Snapshot().Sets...)
	vm := pick(s.chance, "meddle at", set.Instances...).ID
	who := pick(s.chance, "meddler", "ana", "bo", "eva", "bo", "olaf", "gus")
	return "type " + who + " " + pick(s.chance, "meddling",
		"pause "+id, "resume "+id, "resume "+id, "deny "+id+` "not now"`, "ask "+id, "ask "+id, "retry "+id, "retry "+id+" vm="+vm, "skip "+id+" vm="+vm,
		"quarantine "+id+" vm="+vm+` "CHG-7"`, "resume "+id, "ask "+id, "retry "+id, "resolve "+id+` started "seen"`, "resolve "+id+` not-started "looked"`, "resolve "+id+" vm="+vm+` ok "seen"`,
		"resolve "+id+" vm="+vm+` failed "seen"`, "replan "+id, "rollback "+id, "abort "+id+pick(s.chance, "abort", ` revert "bad image"`, ` keep "enough"`, ` "no"`),
		"approve "+id+" rest", "approve "+id, "upgrade "+set.Name+" latest", "handover "+id+" "+slacksim.Bo)
}

// nonsense is what outsiders, hostile and clumsy people do: it must change nothing, or no more than once.
func (s *simulation) nonsense() []string {
	id := pick(s.chance, "nonsense about", s.play.World.Rollouts()...)
	switch s.below("nonsense", 12) {
	case 0:
		return []string{"click " + pick(s.chance, "outsider", "olaf", "gus", "ana") + " approve"}
	case 1:
		return []string{"type " + pick(s.chance, "outsider", "olaf", "gus") + " " + pick(s.chance, "outside verb", "approve ", "pause ", "replan ", "rollback ", "retry ", "ask ") + id}
	case 2: // a double click
		who := pick(s.chance, "double", "bo", "eva")
		return []string{"click " + who + " approve", "click " + who + " approve"}
	case 3, 4: // a card that was
		return []string{"click " + pick(s.chance, "late", "bo", "eva", "bo", "olaf") + " " + pick(s.chance, "late button", "approve", "approve", "approve-rest", "retry", "ask", "model-revert", "resume", "replan") + s.anyCard()}
	case 5: // a forged one
		return []string{fmt.Sprintf("click %s %s value=%032x", pick(s.chance, "forger", "olaf", "bo"), pick(s.chance, "forged", "approve", "approve-rest", "model-revert", "abort"), hash(s.chance.seed, " forged ", s.below("forged", 1<<30)))}
	case 6:
		return []string{"type sam in partners approve " + id}
	case 7:
		return []string{"type bo in general approve " + id}
	case 8:
		return []string{"type ana " + s.ask, "type ana " + s.ask}
	case 9:
		return []string{"type " + pick(s.chance, "babbler", "olaf", "ana", "bo") + " " + pick(s.chance, "babble", "stop", "approve", "approve r-zzzzzz", "upgrade web 4.0.20160229 ud=77", `"unclosed`, "upgrade ../.. latest", "retry "+id+" vm=*", "skip "+id, "abort", "resolve "+id, "frobnicate", "upgrade web 0.0.1")}
	case 10:
		return []string{"type " + pick(s.chance, "reader", "olaf", "bo", "ana", "eva") + " " + pick(s.chance, "reading", "status", "pending", "list", "help", "show web", "show web instances", "show "+id+" evidence", "show web policy", "plan web latest", "images web", "why "+id, "show web map")}
	default:
		return []string{"say " + pick(s.chance, "speaker", "bo", "olaf", "ana") + " @vmssbot " + pick(s.chance, "mention", "status", "approve "+id, "pause "+id, "why "+id, "resume "+id)}
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

// result gathers what came of it.
func (s *simulation) result(file []byte) Simulated {
	w := s.play.World
	r := Simulated{Seed: s.chance.seed, Opened: len(w.Rollouts()), Elapsed: time.Since(w.Began), Fired: w.Fired(), Violations: s.found, Trace: s.trace()}
	for _, m := range w.Messages() {
		r.Finished = r.Finished || strings.Contains(m.Title(), " finished: succeeded")
	}
	a := txtar.Parse(file)
	for i := range a.Files {
		if a.Files[i].Name == partStory {
			a.Files[i].Data = []byte(strings.Join(s.steps, "\n") + "\n")
		}
	}
	r.Story = WithTranscript(txtar.Format(a), s.play.Transcript())
	return r
}

// trace is a hash of all that happened, with its moments: the same for the same seed (I18).
func (s *simulation) trace() string {
	sum := sha256.New()
	fmt.Fprintln(sum, s.play.Transcript())
	for _, k := range s.play.World.Azure.Writes() {
		fmt.Fprintln(sum, k.Time.UnixNano(), k.Method, k.Path, string(k.Body), k.Status)
	}
	for _, e := range s.play.World.Slack.Log() {
		fmt.Fprintln(sum, e.Time.UnixNano(), e.Kind, e.Method, string(e.Args), string(e.Answer), e.Error)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
