package commands

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	root     = "/vmss "
	maxSaid  = 280 // characters of a note or reason
	maxNext  = 500 // characters of a corrected command: a longer one is not offered
	maxTries = 8   // mistakes that are corrected in one command
)

// Parse understands what was typed after the root command; the root command itself may stand
// before it. The text is as Slack sends it. A Refusal has code VMSS-ARG, and its Next is the
// command corrected as far as that is certain, else the verb's help. Beside a Refusal, the Request
// holds what was understood so far: enough to open a form with it, not to act on it. Its cause is
// ErrIncomplete when nothing is wrong and something was left out.
func Parse(text string) (Request, *upgrade.Refusal) {
	req, no := understand(text)
	if no != nil {
		no.Next = corrected(no.Next, req.Verb)
	}
	return req, no
}

// corrected follows corrections until one is understood.
func corrected(next string, verb Verb) string {
	for range maxTries {
		_, no := understand(next)
		if no == nil && len(next) <= maxNext {
			return next
		}
		if no == nil || no.Next == next {
			break
		}
		next = no.Next
	}
	return helpFor(verb)
}

func helpFor(verb Verb) string {
	if verb == VerbHelp {
		verb = VerbHome
	}
	return strings.TrimSpace(root + "help " + string(verb))
}

func understand(text string) (Request, *upgrade.Refusal) {
	words, no := read(text)
	if no != nil {
		return Request{}, no
	}
	for len(words) > 0 && words[0].text == strings.TrimSpace(root) {
		words = words[1:]
	}
	if len(words) == 0 {
		return Request{}, nil
	}
	c := command{words: words}
	verb := Verb(words[0].keyword())
	verb = cmp.Or(aliases[verb], verb)
	parse, known := grammar[verb]
	if !known {
		return Request{}, c.unknownVerb()
	}
	c.req.Verb = verb
	no = parse(&c)
	return c.req, no
}

// command is a command being understood.
type command struct {
	words []word // the verb first
	req   Request
	given []string // keys seen
}

// grammar has how each verb's words are understood.
var grammar = map[Verb]func(*command) *upgrade.Refusal{
	VerbHelp:    (*command).help,
	VerbUpgrade: (*command).plan,
	VerbPlan:    (*command).plan,
	VerbList:    (*command).list,
	VerbShow:    (*command).show,
	VerbImages:  (*command).images,
	VerbResize:  (*command).plan,
	VerbStatus:  (*command).about,
	VerbWhy:     (*command).about,
	VerbHistory: (*command).about,
	VerbReport:  (*command).report,
	VerbAudit:   (*command).audit,
	VerbShift:   func(c *command) *upgrade.Refusal { return c.atMost(0) },
	VerbPending: func(c *command) *upgrade.Refusal { return c.atMost(0) },
	VerbApprove: (*command).approve,
	VerbDeny:    func(c *command) *upgrade.Refusal { return c.reason(2) },
	VerbPause:   func(c *command) *upgrade.Refusal { return c.reason(2) },
	VerbResume:  (*command).only,
	VerbAsk:     (*command).only,
	VerbAbort:   (*command).abort,

	VerbRetry:      (*command).retry,
	VerbSkip:       (*command).aside,
	VerbQuarantine: (*command).aside,
	VerbResolve:    (*command).resolve,
	VerbReplan:     (*command).only,
	VerbRollback:   func(c *command) *upgrade.Refusal { return c.reason(2) },
	VerbHandover:   (*command).handover,

	VerbFreeze:   (*command).freeze,
	VerbUnfreeze: (*command).unfreeze,
	VerbWindows:  (*command).about,

	VerbSchedule:   (*command).schedule,
	VerbUnschedule: (*command).unfreeze, // takes the same: what is lifted, and why
}

// aliases are what people type for another verb.
var aliases = map[Verb]Verb{"schedules": VerbWindows}

func (c *command) unknownVerb() *upgrade.Refusal {
	if no := c.later(c.words[0].keyword()); no != nil {
		return no
	}
	if id := c.words[0].text; isRollout(id) {
		return c.refuse(root+"status "+id, "%s is a rollout's id: say first what you want", echo(id))
	}
	names := verbNames()
	if no := c.later(nearest(c.words[0].text, names)); no != nil {
		return no // what is not built is not proposed
	}
	return c.unknown(0, "", names)
}

// unknown refuses a word that fits nowhere; like has the words that would. The correction puts the
// nearest of them in its place; without one the person is left to the verb's help.
func (c *command) unknown(i int, noun string, like []string) *upgrade.Refusal {
	said := c.words[i].text
	near := nearest(said, like)
	if near == "" {
		return c.refuse("", "I do not know %s%s", noun, echo(said))
	}
	return c.refuse(c.with(i, 1, near), "I do not know %s%s. Did you mean `%s`?", noun, echo(said), near)
}

// nearest keeps long words away: no slip of the fingers makes a word out of these. Where two are as
// near as each other there is none: a guess is no correction.
func nearest(said string, like []string) string {
	if len(said) > 40 {
		return ""
	}
	back := slices.Clone(like)
	slices.Reverse(back)
	near := upgrade.Nearest(said, like)
	if upgrade.Nearest(said, back) != near {
		return ""
	}
	return near
}

// refuse takes the next command from its caller; "" is the verb's help.
func (c *command) refuse(next, format string, args ...any) *upgrade.Refusal {
	if next == "" {
		next = helpFor(c.req.Verb)
	}
	return upgrade.Refuse(upgrade.CodeArg, next, format, args...)
}

// with writes the command with n words from i on replaced.
func (c *command) with(i, n int, instead ...string) string {
	var parts []string
	for _, w := range c.words[:i] {
		parts = append(parts, w.String())
	}
	parts = append(parts, instead...)
	for _, w := range c.words[min(i+n, len(c.words)):] {
		parts = append(parts, w.String())
	}
	return root + strings.Join(parts, " ")
}

// lacks refuses what a form can ask for.
func (c *command) lacks(next, format string, args ...any) *upgrade.Refusal {
	no := c.refuse(next, format, args...)
	no.Cause = ErrIncomplete
	return no
}

// atMost refuses words beyond the verb's first n arguments.
func (c *command) atMost(n int) *upgrade.Refusal {
	if len(c.words) <= n+1 {
		return nil
	}
	extra := c.words[n+1]
	return c.refuse(c.with(n+1, len(c.words)), "`%s` does not know what to do with %s", c.req.Verb, echo(extra.text))
}

func (c *command) help() *upgrade.Refusal {
	if len(c.words) == 1 {
		return nil
	}
	name := c.words[1].keyword()
	if _, found := helpOf(Verb(name)); !found {
		if no := c.laterHelp(name); no != nil {
			return no
		}
		if no := c.laterHelp(nearest(name, verbNames())); no != nil {
			return no
		}
		return c.unknown(1, "the verb ", verbNames())
	}
	c.req.About = name
	return c.atMost(1)
}

func (c *command) list() *upgrade.Refusal {
	if len(c.words) == 1 {
		return nil
	}
	text := c.words[1].text
	switch {
	case c.words[1].keyword() == "behind":
		return c.planned("`list behind`", root+"list", "`list` names the image each set is on")
	case len(text) > maxSet || !all(text, nameByte):
		return c.refuse(root+"list", "%s is no part of a scale set's name", echo(text))
	}
	c.req.About = text
	return c.atMost(1)
}

func (c *command) about() *upgrade.Refusal {
	if len(c.words) == 1 {
		return nil
	}
	if !isSet(c.words[1].text) {
		return c.refuse(root+string(c.req.Verb), "%s is neither a rollout's id nor a scale set's name", echo(c.words[1].text))
	}
	c.req.About = c.words[1].text
	return c.atMost(1)
}

// partEvidence is what was kept of instances that failed.
const partEvidence = "evidence"

// partPolicy is what holds for a set, and where it comes from.
const partPolicy = "policy"

// PartMap is the part of a set that is also sent as a picture.
const PartMap = "map"

var parts = []string{PartMap, "instances", "image", partPolicy, partEvidence}

func isPart(s string) bool { return slices.Contains(parts, s) }

func (c *command) show() *upgrade.Refusal {
	switch {
	case len(c.words) == 1:
		return c.lacks(root+"list", "`show` needs a scale set")
	case !isSet(c.words[1].text):
		return c.badSet(1)
	}
	c.req.About = c.words[1].text
	if len(c.words) == 2 {
		return nil
	}
	part := c.words[2].keyword()
	if !isPart(part) {
		return c.unknown(2, "the part ", parts)
	}
	c.req.Part = part
	return c.atMost(2)
}

func (c *command) images() *upgrade.Refusal {
	switch {
	case len(c.words) == 1:
		return c.lacks(root+"list", "`images` needs a scale set")
	case !isSet(c.words[1].text):
		return c.badSet(1)
	}
	c.req.About = c.words[1].text
	return c.atMost(1)
}

func (c *command) badSet(i int) *upgrade.Refusal {
	return c.refuse(root+"list", "%s is no scale set's name: say `name` or `resourcegroup/name`", echo(c.words[i].text))
}

// rollout takes the id, exactly: what a person says about one rollout must never be heard by
// another.
func (c *command) rollout() *upgrade.Refusal {
	if len(c.words) == 1 {
		return c.noRollout()
	}
	said := c.words[1].text
	switch lower := strings.ToLower(said); {
	case isRollout(said), isGroup(said) && c.req.Verb.ofSeveral():
		c.req.Rollout = said
		return nil
	case lower == upgrade.EverySet && c.req.Verb.ofAll():
		c.req.Rollout = lower
		return nil
	case isGroup(said):
		return c.refuse(root+"status "+said, "`%s` takes one rollout, and %s is a group of them: never one yes for two sets", c.req.Verb, echo(said))
	case isRollout(lower):
		return c.refuse(c.with(1, 1, lower), "I know no rollout %s: ids are in small letters. Did you mean `%s`?", echo(said), lower)
	case lower == "all":
		return c.refuse(root+"status", "`%s` takes one rollout: only pause and resume take all", c.req.Verb)
	case isSet(said):
		return c.refuse(root+"status "+said, "`%s` takes a rollout's id such as `r-4f2k9a`, and %s is none", c.req.Verb, echo(said))
	}
	return c.refuse(root+"status", "%s is no rollout's id: these look like `r-4f2k9a`", echo(said))
}

func (c *command) noRollout() *upgrade.Refusal {
	return c.lacks(root+"status", "`%s` needs a rollout, such as `%s r-4f2k9a`", c.req.Verb, c.req.Verb)
}

// only is for verbs that take a rollout and nothing else.
func (c *command) only() *upgrade.Refusal {
	if no := c.rollout(); no != nil {
		return no
	}
	return c.atMost(1)
}

// approve is never corrected by leaving words out: they may have narrowed what was meant.
func (c *command) approve() *upgrade.Refusal {
	no := c.rollout()
	switch {
	case no != nil || len(c.words) == 2:
		return no
	case c.words[2].keyword() != "rest":
		return c.unknown(2, "", []string{"rest"})
	case len(c.words) > 3:
		return c.unknown(3, "", nil)
	}
	c.req.Rest = true
	return nil
}

// reason is for verbs that take a rollout and a reason, which begins at the word from. Whether a
// reason is needed is the domain's to say.
func (c *command) reason(from int) *upgrade.Refusal {
	if no := c.rollout(); no != nil {
		return no
	}
	return c.because(from)
}

// because takes everything from the word from on as the reason.
func (c *command) because(from int) *upgrade.Refusal {
	var said []string
	for _, w := range c.words[min(from, len(c.words)):] {
		said = append(said, w.text)
	}
	reason, err := remark(strings.Join(said, " "))
	if err != nil {
		return c.refuse("", "the reason is %v", err)
	}
	c.req.Reason = reason
	return nil
}

// forward takes a word that is not part of the reason before it, where the reason is quoted: quotes
// show where it ends. Without them such a word stands at the place at, or is one of the reason's.
func (c *command) forward(at int, own func(word) bool) {
	if len(c.words) == at+2 && c.words[at].quoted && own(c.words[at+1]) {
		c.words[at], c.words[at+1] = c.words[at+1], c.words[at]
	}
}

// abort alone with revert or keep answers the model question of a rollout that was ended already,
// or ended by itself. Otherwise the answer stands before the reason, or behind a quoted one.
func (c *command) abort() *upgrade.Refusal {
	c.forward(2, func(w word) bool { return answer(w) != upgrade.ModelOpen })
	if len(c.words) > 2 {
		c.req.Answer = answer(c.words[2])
	}
	if c.req.Answer == upgrade.ModelOpen {
		return c.reason(2)
	}
	no := c.reason(3)
	if c.req.Reason == "" && no == nil {
		c.req.Verb = VerbModel
	}
	return no
}

// answer is what the word says becomes of the model.
func answer(w word) upgrade.ModelAnswer {
	switch a := upgrade.ModelAnswer(w.keyword()); a {
	case upgrade.Revert, upgrade.Keep:
		return a
	}
	return upgrade.ModelOpen
}

// remark is a note or reason in one line.
func remark(text string) (string, error) {
	text = tidy(text)
	if n := utf8.RuneCountInString(text); n > maxSaid {
		return "", fmt.Errorf("%d characters long, and %d is the most", n, maxSaid)
	}
	return text, nil
}

// tidy writes a remark in one line with the typewriter's quotes, also where it came as a link's label or
// through a form: typographic ones would not be read back as they are.
func tidy(s string) string { return strings.Join(strings.Fields(strings.Map(plain, s)), " ") }
