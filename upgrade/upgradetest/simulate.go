package upgradetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Figures of a simulated rollout.
const (
	wildest  = 60               // steps in which anything may go wrong, at most
	closing  = 150              // steps that people then have to bring it to an end
	patient  = 25               // how often they look for a way out before they give a rollout up
	tired    = 40               // steps before the end of these, from when on they give up whatever does not go on
	stubborn = 8                // how often they press what one message asks
	lastDay  = 24 * time.Hour   // of simulated time, all in all
	rest     = 11 * time.Minute // in which everything must be answered
)

// Simulated is what came of one simulated rollout.
type Simulated struct {
	Seed       string
	Opened     int  // rollouts
	Finished   bool // one of them upgraded all that it was to upgrade
	Elapsed    time.Duration
	Fired      map[string]int // trouble that struck, by kind
	Violations []Violation
	Trace      string // everything that reached Azure, Slack or the transcript, and when: the same for the same seed (I18)
	Story      []byte // the file of a story that tells it again
	Evidence   Evidence
	Policy     upgrade.Policy
}

// simulation is one simulated rollout at work.
type simulation struct {
	*chance
	*havoc
	play  *Play
	ask   string
	rates rates
	steps []string
	tired bool           // people have had enough of it
	todo  []string       // lines that belong together
	begun int            // how often it was asked for
	tried map[string]int // by rollout, how often people have looked for a way out, and by message, how often they have answered it
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
	s := &simulation{chance: c, havoc: &havoc{chance: c, w: p.World}, play: p, ask: ask, tried: map[string]int{}}
	s.rates = rates{trouble: pick(c, "trouble", 0, 10, 20, 35, 50), crash: pick(c, "crashes", 0, 10, 20, 30, 40), nonsense: pick(c, "nonsense", 0, 5, 10, 20),
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
		s.tired = n >= closing-tired
		s.do(s.sane(true))
	}
	if open := s.open(); len(open) > 0 {
		s.blame("I13", "%s did not come to an end, whatever people did that they were told", strings.Join(open, ", "))
	}
	if s.play.World.Down() {
		s.do("restart")
	}
	s.play.World.sniffJournal()
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
	ended, forgotten := map[string]bool{}, s.play.World.Evidence().Lost
	for _, m := range s.play.World.Messages() {
		if id := (Post{m, []Seen{m}}).Rollout(); id != "" && (m.ThreadTS == "" || m.ThreadTS == m.TS) && m.EphemeralTo == "" && slices.ContainsFunc(forgotten, func(s Span) bool { return s.Holds(moment(m.TS)) }) {
			ended[id] = true // a journal that was put back has no such rollout
		}
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
	s.found = s.play.judge.Judge(s.play.World.Evidence())
}

// wild is the next line while anything may go wrong.
func (s *simulation) wild() string {
	switch {
	case len(s.todo) > 0:
	case s.hit("trouble strikes", s.rates.trouble):
		s.todo = s.trouble()
	case s.hit("crash strikes", s.rates.crash):
		return s.crash()
	case s.hit("relief comes", 8):
		s.todo = s.remedies()
	case s.hit("rules change", 3):
		return s.govern()
	case s.hit("nonsense is said", s.rates.nonsense):
		s.todo = s.nonsense()
	case s.hit("somebody meddles", s.rates.meddling):
		return s.meddle()
	case s.hit("time passes", 100-s.rates.haste):
		return "advance " + s.span("pause", time.Second, 2*time.Minute).String()
	default:
		return s.sane(false)
	}
	if len(s.todo) == 0 {
		return "advance 1s"
	}
	line := s.todo[0]
	s.todo = s.todo[1:]
	return line
}

// result gathers what came of it.
func (s *simulation) result(file []byte) Simulated {
	w := s.play.World
	r := Simulated{Seed: s.chance.seed, Opened: len(w.Rollouts()), Elapsed: time.Since(w.Began), Fired: w.fired(), Violations: s.found, Trace: s.trace(), Evidence: w.Evidence(), Policy: s.play.judge.Policy}
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

// trace is all that happened, with its moments.
func (s *simulation) trace() string {
	var out strings.Builder
	fmt.Fprintln(&out, s.play.Transcript())
	for _, k := range s.play.World.Azure.Writes() {
		fmt.Fprintln(&out, k.Time.UnixNano(), k.Method, k.Path, string(k.Body), k.Status)
	}
	for _, e := range s.play.World.Slack.Log() {
		fmt.Fprintln(&out, e.Time.UnixNano(), e.Kind, e.Method, string(e.Args), string(e.Answer), e.Error)
	}
	return out.String()
}
