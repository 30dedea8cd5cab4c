package commands

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// plan is for verbs that take a set, a goal and options: the options anywhere, the set before the
// goal.
func (c *command) plan() *upgrade.Refusal {
	var places []int
	var first *upgrade.Refusal // the rest is understood all the same, for the form
	for i := 1; i < len(c.words); i++ {
		if !c.words[i].option() {
			places = append(places, i)
		} else if no := c.option(i); first == nil {
			first = no
		}
	}
	if (c.req.Verb == VerbResize || c.req.Verb == VerbPlan) && len(places) > 1 && c.words[places[1]].keyword() == "to" {
		places = slices.Delete(places, 1, 2)
	}
	if len(places) > 2 {
		c.unclear("")
	}
	return cmp.Or(first, c.setAndGoal(places), c.fitting())
}

// goal is what a verb makes of a set.
type goal struct {
	noun, such string
	is         func(string) bool
	read       func(*Request, string) (meant string, err error)
}

var (
	toTarget = goal{"target", ": a version, `latest`, `model`, the id of an image, or the address of a VHD", isTarget, readTarget}
	toSize   = goal{"VM size", ", such as `Standard_D4s_v5`", isSize, readSize}
)

func (v Verb) goal() goal {
	if v == VerbResize {
		return toSize
	}
	return toTarget
}

func (c *command) setAndGoal(places []int) *upgrade.Refusal {
	goal := c.req.Verb.goal()
	if len(places) > 0 && isSets(c.words[places[0]].text) {
		c.req.Set = c.words[places[0]].text
	}
	switch {
	case len(places) == 0:
		return c.lacks("", "`%s` needs a scale set and a %s%s", c.req.Verb, goal.noun, goal.such)
	case len(places) == 2 && goal.swapped(c.words[places[0]].text, c.words[places[1]].text):
		return c.swapped(places[0], places[1])
	case c.req.Set == "":
		c.perhaps(places[0])
		return c.badSet(places[0])
	case len(places) == 1:
		return c.lacks("", "`%s` needs a %s after %s%s", c.req.Verb, goal.noun, echo(c.req.Set), goal.such)
	case len(places) > 2:
		return c.tooMany(places)
	}
	return c.goal(places[1])
}

func (g goal) swapped(set, said string) bool { return g.is(set) && isSet(said) && !g.is(said) }

func (c *command) swapped(set, said int) *upgrade.Refusal {
	c.req.Set = c.words[said].text
	_, _ = c.req.Verb.goal().read(&c.req, c.words[set].text) // it is one
	right := command{words: slices.Clone(c.words)}
	right.words[set], right.words[said] = c.words[said], c.words[set]
	return c.refuse(right.with(0, 0), "the scale set comes first, then the %s", c.req.Verb.goal().noun)
}

// goal reads what the set is to get. What stands behind a question mark in an address may be a secret:
// it is not repeated.
func (c *command) goal(at int) *upgrade.Refusal {
	goal, said := c.req.Verb.goal(), c.words[at].text
	meant, err := goal.read(&c.req, said)
	if err != nil {
		c.perhaps(at)
	}
	shown, _, _ := strings.Cut(said, "?")
	switch {
	case err == nil:
		return nil
	case meant == "":
		return c.refuse("", "I do not know the %s %s: %v", goal.noun, echo(shown), err)
	}
	return c.refuse(c.with(at, 1, meant), "I do not know the %s %s. Did you mean %s?", goal.noun, echo(shown), echo(meant))
}

var errTarget = errors.New("it takes a version such as 4.0.20160229, latest, model, the id of an image, or the https:// address of a VHD")

// readTarget understands what is to be rolled out.
func readTarget(r *Request, s string) (meant string, err error) {
	if w := strings.ToLower(s); w == "latest" || w == "model" {
		s = w
	}
	_, address, link := strings.Cut(s, "://")
	address, _, _ = strings.Cut("https://"+address, "?")
	switch {
	case isTarget(s):
		r.Target = s
		return "", nil
	case r.Verb == VerbPlan && isSize(s): // what a resize would come to
		r.Size = s
		return "", nil
	case link && isImage(address):
		return address, errors.New("it takes the https:// address of a VHD, without what may stand behind it")
	case link:
		return "", errors.New("it takes the address of a VHD in a storage account, such as https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME.vhd")
	case isImage("/" + s):
		return "/" + s, errors.New("the id of an image begins with a slash")
	case strings.HasPrefix(s, "/"):
		return "", errors.New("it takes the whole id of an image: /subscriptions/…/galleries/NAME/images/NAME, also with /versions/1.2.3 behind it, or the like")
	}
	return nearest(s, []string{"latest", "model"}), errTarget
}

func readSize(r *Request, s string) (meant string, err error) {
	if !isSize(s) {
		return "", errors.New("it takes a VM size such as Standard_D4s_v5")
	}
	r.Size = s
	return "", nil
}

// tooMany refuses a third word, and sees "ud 0" and "ud:0" for what they are.
func (c *command) tooMany(places []int) *upgrade.Refusal {
	for _, i := range places {
		key, value := cutKey(c.words[i].text)
		if !slices.Contains(keysOf(c.req.Verb), key) || c.words[i].quoted {
			continue
		}
		if value != "" && c.reads(key, value) {
			c.unclear(key)
			return c.refuse(c.with(i, 1, key+"="+value), "I do not know %s. Did you mean `%s=`?", echo(c.words[i].text), key)
		}
		if value == "" && i+1 < len(c.words) && c.reads(key, c.words[i+1].text) {
			c.unclear(key)
			return c.refuse(c.with(i, 2, key+"="+c.words[i+1].String()), "`%s` and its value are one word: `%s=…`", key, key)
		}
	}
	var said []string
	for _, i := range places {
		said = append(said, c.words[i].text)
	}
	return c.refuse("", "`%s` takes a scale set and a %s, and these are %d words: %s", c.req.Verb, c.req.Verb.goal().noun, len(said), echo(strings.Join(said, " ")))
}

// perhaps notes that a word that fits nowhere chose instances: "ud:0" or "zone".
func (c *command) perhaps(at int) {
	if key, _ := cutKey(c.words[at].text); slices.Contains(whichKeys, key) {
		c.unclear(key)
	}
}

// reads reports whether the value can be the key's, at least nearly: a set may be named like an option.
func (c *command) reads(key, value string) bool {
	tried := c.req
	meant, err := options[key](&tried, value)
	return err == nil || meant != ""
}

// cutKey splits "ud:0", "--ud0" and "ud" into key and value.
func cutKey(s string) (key, value string) {
	s = strings.ToLower(strings.TrimLeft(s, "-"))
	end := strings.IndexFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') })
	if end < 0 {
		return s, ""
	}
	return s[:end], strings.TrimLeft(s[end:], ":")
}
