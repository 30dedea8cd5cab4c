package upgradetest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Observer judges from outside whether the program kept its promises: it knows the policy people
// agreed on and the evidence, nothing else. Its findings are named after the invariants and, where a
// person's word is concerned, the rules R1 to R48.
//
// docs/faults.md says which of its functions judges which promise. Only Audit reads the program's own book, as that is
// what I14 is about.
type Observer struct {
	Policy upgrade.Policy
}

// Violation is a promise that was broken.
type Violation struct {
	Rule string
	At   time.Time
	What string
}

func (v Violation) Error() string {
	return fmt.Sprintf("%s broken at %s: %s", v.Rule, v.At.UTC().Format("15:04:05"), v.What)
}

// Figures the observer allows for.
const (
	answerTime = 10 * time.Second // from an act to its answer while the program runs (I9)
	troubled   = 10 * time.Minute // the same after trouble with Slack
	settled    = 90 * time.Second // before a call without an answer may be sent again (R48)
	inCall     = 6 * time.Second  // a call to Azure takes, at most
	blindness  = 15 * time.Second // what began this recently the program cannot have read yet
)

// Judge returns every promise that the evidence shows broken.
func (o Observer) Judge(e Evidence) []Violation {
	c := &cases{Observer: o, e: e}
	c.read()
	c.judgeStarts()
	c.judgeModel()
	c.judgeWords()
	c.judgeReports()
	c.judgeFreezes()
	c.judgeBudget()
	c.judgeHours()
	c.judgeGates()
	c.judgeSuccess()
	c.judgeReach()
	c.judgeOutsiders()
	c.judgeLeaks()
	slices.SortStableFunc(c.found, func(a, b Violation) int { return a.At.Compare(b.At) })
	return c.found
}

// cases is one judgement at work: the evidence, read.
type cases struct {
	Observer
	e        Evidence
	rollouts []rollout
	cards    []card
	words    []word
	found    []Violation
}

func (c *cases) blame(rule string, at time.Time, format string, args ...any) {
	c.found = append(c.found, Violation{rule, at, fmt.Sprintf(format, args...)})
}

// rollout is what a rollout's messages say of it.
type rollout struct {
	id, set, target, requester string
	opened, ended, succeeded   time.Time           // the last two: when its message first said so
	gates                      map[string][]string // instances by the gate's title, as in the plan's table
	cut                        bool                // the table does not show all of them
	planned                    int
	comesBack                  bool   // its plan rolls back by itself (R30)
	of                         string // the rollout that this one says it takes back
	undoes                     string // the same, if somebody wanted that (R5)
}

// card is one question put to people.
type card struct {
	Post
	gate, set, rollout string
	ids                []string
	nonce              string // of its buttons: the same question may stand there twice
	all                bool   // it says that a yes is one to every later gate, too
}

// word is an act, the rollout it is about and the answer it got.
type word struct {
	Act
	verb     string
	rollout  string
	card     *card
	rest     bool
	ids      []string // of the instances that are named
	answer   string
	answered time.Time // zero = not yet
}

var (
	titleCard      = regexp.MustCompile(`^(?::rewind: )?\*(?:Approve|Roll) (.+?)(?: once more)? of (\S+?)(?: back to \S+)?\?\*`)
	titleRollout   = regexp.MustCompile(`^\*(\S+) → (\S+)\*$`)
	titleBack      = regexp.MustCompile(`^:rewind: \*(\S+) back to (\S+)\*  rollback of .*(r-[0-9a-f]{6})`)
	titlePlan      = regexp.MustCompile(`^\*Plan [0-9a-f]+\*`)
	named          = regexp.MustCompile(`^Instances ([\w –-]+) ·`)
	tableRow       = regexp.MustCompile(`^ *\d+\. +(\S+(?: \d+)?) +\((\d+)\) `)
	tableMore      = regexp.MustCompile(`^   (?:in \d+ placement groups: ?)?([\w –…-]*)$`)
	instanceOption = regexp.MustCompile(`\bvm[=:]([\w,-]+)`)
	typedRange     = regexp.MustCompile(`\b(\d+)-(\d+)\b`) // but not the one in web-2_1a2b3c
	requester      = regexp.MustCompile(` · by (\S+) · `)
)

func (c *cases) read() {
	for _, p := range c.e.Posts {
		first, all := p.First(), p.EphemeralTo == "" && c.e.IMs[p.Channel] == ""
		switch m := about(first.Title()); {
		case m != nil && all && c.rollout(p.Rollout()) == nil: // a message may come twice after a crash
			c.rollouts = append(c.rollouts, rollout{id: p.Rollout(), set: m[1], target: m[2], of: m[3], requester: c.requesterOf(first),
				opened: p.Posted(), ended: p.says(" Ended "), succeeded: p.says(":white_check_mark: Ended ")})
		case titlePlan.MatchString(first.Title()) && all:
			c.plan(p)
		}
		if m := titleCard.FindStringSubmatch(first.Title()); m != nil {
			gate, _, _ := strings.Cut(m[1], " … ")
			c.cards = append(c.cards, card{Post: p, gate: gate, all: strings.Contains(strings.Join(first.Lines, "\n"), ":link: *One yes for "), set: m[2], rollout: p.Rollout(), ids: idsOn(first), nonce: nonceOn(first)})
		}
	}
	c.readWords()
	c.readRollbacks()
}

// about reads a rollout's first line: its set, its target and, of a rollout back, the one it undoes.
func about(title string) []string {
	if m := titleRollout.FindStringSubmatch(title); m != nil {
		m[2] = strings.ReplaceAll(m[2], "․", ".") // what Slack would make a link of has another dot
		return append(m, "")
	}
	return titleBack.FindStringSubmatch(title)
}

// plan reads the table of gates: a line each with the number of its instances, and below it which they are.
func (c *cases) plan(p Post) {
	r := c.rollout(p.Rollout())
	if r == nil {
		return
	}
	r.gates, r.planned = map[string][]string{}, 0
	gate := ""
	for _, l := range p.First().Lines {
		row, more := tableRow.FindStringSubmatch(l), tableMore.FindStringSubmatch(l)
		switch {
		case row != nil:
			gate = row[1]
			r.gates[gate] = []string{}
			r.planned += number(row[2])
		case more != nil && gate != "":
			r.gates[gate] = append(r.gates[gate], expand(strings.ReplaceAll(more[1], "…", ""))...)
			r.cut = r.cut || strings.Contains(more[1], "…")
		default:
			r.cut, gate = r.cut || strings.HasPrefix(l, "…"), ""
			r.comesBack = r.comesBack || strings.Contains(l, "and a rollout back opens")
		}
	}
}

func (c *cases) rollout(id string) *rollout {
	i := slices.IndexFunc(c.rollouts, func(r rollout) bool { return r.id == id })
	if i < 0 {
		return nil
	}
	return &c.rollouts[i]
}

func (c *cases) requesterOf(m Seen) string {
	for _, l := range m.Lines {
		if found := requester.FindStringSubmatch(l); found != nil {
			for _, u := range c.e.Users {
				if u.Name == found[1] {
					return u.ID
				}
			}
		}
	}
	return ""
}

func idsOn(m Seen) []string {
	for _, l := range m.Lines {
		if found := named.FindStringSubmatch(l); found != nil {
			return expand(found[1])
		}
	}
	return nil
}

func nonceOn(m Seen) string {
	for _, b := range m.buttons() {
		if b.word == "approve" {
			return b.value
		}
	}
	return ""
}

// expand reads "0 5 10–12".
func expand(list string) []string {
	var out []string
	for _, part := range strings.Fields(list) {
		from, to, isRange := strings.Cut(part, "–")
		if !isRange {
			out = append(out, part)
			continue
		}
		a, _ := strconv.Atoi(from)
		b, _ := strconv.Atoi(to)
		for n := a; n <= b; n++ {
			out = append(out, strconv.Itoa(n))
		}
	}
	return out
}

// readWords gives every act the answer it got: the first one its person saw afterwards that answers
// nothing earlier. What was not acknowledged may be carried out all the same, after a crash in
// between: then it is answered before the person does anything else.
func (c *cases) readWords() {
	used := map[string]bool{}
	for n, a := range c.e.Acts {
		w := c.word(a)
		until := c.e.Now.Add(time.Hour)
		if !a.Acked {
			until = c.nextAct(n)
		}
		if at, opened := c.e.Opened[a.Trigger]; opened && a.Trigger != "" {
			w.answer, w.answered = "a form", at
		} else if p := c.answerTo(a, until, used); p != nil && !a.Lost {
			used[p.key()] = true
			w.answer, w.answered = strings.Join(p.First().Lines, "\n"), p.Posted()
		}
		c.words = append(c.words, w)
	}
	c.countAnswers(used)
}

// nextAct is when the person of the n-th act did something again that the program heard of, as far as anybody
// knows; far away if never.
func (c *cases) nextAct(n int) time.Time {
	for _, a := range c.e.Acts[n+1:] {
		if a.User == c.e.Acts[n].User && (a.Acked || a.Mention != "") {
			return a.At
		}
	}
	return c.e.Now.Add(time.Hour)
}

// answerTo is what a person was told after an act. A rollout that calls its owner, in their conversation with the bot,
// says what it says to who asks why: it answers nothing else.
func (c *cases) answerTo(a Act, until time.Time, used map[string]bool) *Post {
	for i := range c.e.Posts {
		p := &c.e.Posts[i]
		call := !strings.Contains(a.Text+a.Action, "why") && !p.says("as last decided").IsZero()
		private := p.EphemeralTo == a.User || c.e.IMs[p.Channel] == a.User && !call
		if private && !used[p.key()] && !p.Posted().Before(a.At) && p.Posted().Before(until) {
			return p
		}
	}
	return nil
}

// obeyed reports whether the program said that it does what it was told.
func (w word) obeyed() bool {
	return !w.answered.IsZero() && w.answer != "a form" && !strings.Contains(w.answer, "*VMSS-")
}

// heard reports whether the program has the word for sure: it was acknowledged, or answered.
func (w word) heard() bool { return w.Acked || !w.answered.IsZero() }

// word reads what an act wanted.
func (c *cases) word(a Act) word {
	w := word{Act: a, verb: a.Action}
	if a.Text != "" {
		fields := strings.Fields(a.Text)
		if a.Mention != "" {
			fields = fields[1:]
		}
		w.verb, w.rest = fields[0], len(fields) > 2 && fields[2] == "rest"
		w.rollout = rolloutID.FindString(a.Text)
		if m := instanceOption.FindStringSubmatch(a.Text); m != nil {
			w.ids = expand(strings.ReplaceAll(typedRange.ReplaceAllString(m[1], "$1–$2"), ",", " "))
		}
		w.card = c.newest(func(k card) bool { return k.rollout == w.rollout && !k.Posted().After(a.At) })
		return w
	}
	if w.verb == "approve-rest" {
		w.verb, w.rest = "approve", true
	}
	if of, id, found := strings.Cut(a.Value, "/"); found && rolloutID.MatchString(of) {
		w.verb, w.ids = strings.TrimSuffix(w.verb, "-one"), []string{id}
	}
	if a.Message == nil {
		return w
	}
	for _, p := range c.e.Posts {
		if p.TS == a.Message.TS {
			w.rollout = p.Rollout()
		}
	}
	w.card = c.newest(func(k card) bool { return k.TS == a.Message.TS })
	return w
}

func (c *cases) newest(fits func(card) bool) *card {
	for i := len(c.cards) - 1; i >= 0; i-- {
		if fits(c.cards[i]) {
			return &c.cards[i]
		}
	}
	return nil
}

// upFor is how long the program was up between two moments, with a journal that takes writes: an answer is written
// there before it is sent.
func (e Evidence) upFor(from, to time.Time) time.Duration {
	for _, full := range e.Full {
		switch {
		case full.To.IsZero():
			return 0
		case full.To.After(from) && full.From.Before(to):
			from = full.To
		}
	}
	d := to.Sub(from)
	for _, down := range e.Downs {
		begin, end := down.From, down.To
		if end.IsZero() || end.After(to) {
			end = to
		}
		if begin.Before(from) {
			begin = from
		}
		d -= max(0, end.Sub(begin))
	}
	return d
}

func (e Evidence) crashedSince(t time.Time) bool {
	return slices.ContainsFunc(e.Downs, func(d Down) bool { return d.Crash && !d.From.Before(t) })
}
