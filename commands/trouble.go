package commands

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// named is for verbs about instances of a rollout: it reads the rollout and vm=, which stands anywhere,
// and returns where the other words begin.
func (c *command) named() (rest int, no *upgrade.Refusal) {
	var keyed, others []word
	for _, w := range c.words[1:] {
		if w.option() {
			keyed = append(keyed, w)
		} else {
			others = append(others, w)
		}
	}
	id := min(1, len(others))
	c.words = slices.Concat(c.words[:1], others[:id], keyed, others[id:])
	rest = 1 + id + len(keyed)
	for i := 1 + id; i < rest; i++ {
		no = cmp.Or(no, c.option(i))
	}
	if id == 0 {
		return rest, cmp.Or(no, c.noRollout())
	}
	return rest, cmp.Or(no, c.rollout(), c.apart(rest))
}

// apart sees "vm 3", "vm:3" and "3" alone for what they are, where no instance is named yet.
func (c *command) apart(at int) *upgrade.Refusal {
	if c.req.Instances != nil || at >= len(c.words) || c.words[at].quoted {
		return nil
	}
	said := c.words[at].text
	key, value := cutKey(said)
	_, _, err := instances.read(said)
	switch {
	case err == nil && number(said[:1]) >= 0:
		c.unclear(fieldInstances)
		return c.refuse(c.with(at, 1, "vm="+said), "I do not know %s. Did you mean `vm=%s`?", echo(said), said)
	case key == "vm" && value != "":
		c.unclear(fieldInstances)
		return c.refuse(c.with(at, 1, "vm="+value), "I do not know %s. Did you mean `vm=`?", echo(said))
	case key == "vm" && at+1 < len(c.words):
		c.unclear(fieldInstances)
		return c.refuse(c.with(at, 2, "vm="+c.words[at+1].String()), "`vm` and its value are one word: `vm=…`")
	}
	return nil
}

// retry is never corrected by leaving words out: they may have narrowed what was meant.
func (c *command) retry() *upgrade.Refusal {
	at, no := c.named()
	switch {
	case no != nil || at == len(c.words):
		return no
	case c.words[at].keyword() != "failed":
		c.unclear(fieldInstances)
		return c.unknown(at, "", []string{"failed"})
	case len(c.words) > at+1:
		c.unclear(fieldInstances)
		return c.unknown(at+1, "", nil)
	case c.req.Instances != nil:
		return c.refuse("", "`failed` is all that failed, and `vm=` names some: say one of them")
	}
	return nil
}

// aside is for the verbs that leave instances out.
func (c *command) aside() *upgrade.Refusal {
	at, no := c.named()
	no = cmp.Or(no, c.reason(at))
	if no == nil && c.req.Instances == nil {
		return c.lacks("", "`%s` needs instances, such as `vm=3,8`", c.req.Verb)
	}
	return cmp.Or(no, c.fitting())
}

var verdicts = []string{string(upgrade.Started), string(upgrade.NotStarted), string(upgrade.IsOK), string(upgrade.IsFailed), string(upgrade.Passes), string(upgrade.GoOn)}

func isVerdict(w word) bool { return slices.Contains(verdicts, w.keyword()) }

func (c *command) resolve() *upgrade.Refusal {
	at, no := c.named()
	c.forward(at, isVerdict)
	if at < len(c.words) && isVerdict(c.words[at]) {
		c.req.Verdict = upgrade.Verdict(c.words[at].keyword())
		return cmp.Or(no, c.reason(at+1), c.fitting())
	}
	return cmp.Or(no, c.noVerdict(at), c.reason(at), c.fitting())
}

// noVerdict sees a verdict with a slip, and in two words.
func (c *command) noVerdict(at int) *upgrade.Refusal {
	if at == len(c.words) || c.words[at].quoted {
		return nil
	}
	if c.words[at].keyword() == "not" && at+1 < len(c.words) && c.words[at+1].keyword() == "started" {
		return c.refuse(c.with(at, 2, string(upgrade.NotStarted)), "I do not know `not`. Did you mean `%s`?", upgrade.NotStarted)
	}
	if nearest(c.words[at].text, verdicts) != "" {
		return c.unknown(at, "", verdicts)
	}
	return nil
}

func (c *command) handover() *upgrade.Refusal {
	no := c.rollout()
	c.forward(2, func(w word) bool { return isUser(w.text) && !w.quoted || strings.HasPrefix(w.keyword(), "@") })
	switch {
	case len(c.words) > 2 && !c.words[2].quoted:
		no = cmp.Or(no, c.to(), c.reason(3))
	default:
		no = cmp.Or(no, c.reason(2), c.lacks("", "`handover` needs the person who takes over: mention them"))
	}
	return no
}

func (c *command) to() *upgrade.Refusal {
	if _, err := readTo(&c.req, c.words[2].text); err != nil {
		return c.refuse("", "%s is nobody's id: %v", echo(c.words[2].text), err)
	}
	return nil
}

// fitting refuses what does not go together.
func (c *command) fitting() *upgrade.Refusal {
	field, err := c.req.clash()
	switch {
	case err == nil:
		return nil
	case field == fieldVerdict && c.req.Verdict == "" || field == fieldInstances && c.req.Instances == nil:
		return c.lacks("", "%v", err)
	}
	return c.refuse("", "%v", err)
}

// clash is what lacks or does not go together in a request, and the form's field
// that is to be corrected. A canonical text is never longer than a command may be.
func (r Request) clash() (field string, err error) {
	call := r.Verdict == upgrade.Started || r.Verdict == upgrade.NotStarted
	whole := call || r.Verdict == upgrade.Passes || r.Verdict == upgrade.GoOn
	switch tooLong := len(Format(r)) > maxText; {
	case r.Verb.plans() && tooLong:
		return fieldWhich, errors.New("that is more than one command holds: name fewer instances")
	case r.SKU != "" && (r.Target == "model" || isImage(r.Target)):
		return fieldMore, errors.New("`sku=` goes with a version or `latest`: it is of the platform image that the set runs")
	case r.Instances != nil && tooLong:
		return fieldInstances, errors.New("that is more than one command holds: name fewer instances")
	case r.Options.For != nil && r.Options.Until != "":
		return "until", errors.New("`for=` and `until=` both say when it ends: say one of them")
	case r.Verb != VerbResolve:
		return "", nil
	case r.Verdict == "":
		return fieldVerdict, errors.New("`resolve` needs what you found: `started` or `not-started` of a call, `ok` or `failed` of instances, `passed` of external gates, `go-on` of a wave")
	case r.Verdict == upgrade.Passes && r.Instances != nil:
		return fieldVerdict, errors.New("`passed` is said of external gates, without `vm=`")
	case r.severally() && r.Verdict != upgrade.GoOn:
		return fieldVerdict, errors.New("of several rollouts only `go-on` is said")
	case r.Verdict == upgrade.GoOn && r.Instances != nil:
		return fieldVerdict, errors.New("`go-on` is said of a whole rollout, without `vm=`")
	case call && r.Instances != nil:
		return fieldVerdict, errors.New("`started` and `not-started` are said of a whole call, without `vm=`")
	case !whole && r.Instances == nil:
		return fieldInstances, errors.New("`ok` and `failed` are said of instances, such as `vm=8`")
	}
	return "", nil
}
