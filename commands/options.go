package commands

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// options has how each key's value is read into the request. With an error comes the value that
// was perhaps meant, "" when that is not certain.
var options = map[string]func(*Request, string) (meant string, err error){
	"ud":              readDomains,
	"vm":              readInstances,
	"max-unavailable": readUnavailable,
	"max-failures":    readFailures,
	"on-failure":      readOnFailure,
	"soak":            func(r *Request, s string) (string, error) { return readSpan(&r.Options.Soak, s) },
	"bake":            func(r *Request, s string) (string, error) { return readSpan(&r.Options.Bake, s) },
	"note":            readNote,
}

// What verbs take of these, in the order people are told of them.
var (
	planKeys     = []string{"ud", "max-unavailable", "max-failures", "on-failure", "soak", "bake", "note"}
	instanceKeys = []string{"vm"}
)

// plan is for verbs that take a set, a target and options: the options anywhere, the set before
// the target.
func (c *command) plan() *upgrade.Refusal {
	var places []int
	var first *upgrade.Refusal // the rest is understood all the same, for the form
	for i := 1; i < len(c.words); i++ {
		if !c.words[i].option() {
			places = append(places, i)
		} else if no := c.option(i, planKeys); first == nil {
			first = no
		}
	}
	if no := c.setAndTarget(places); first == nil {
		first = no
	}
	if len(places) > 2 {
		c.unclear()
	}
	return first
}

// unclear keeps a request that perhaps named fewer domains or instances from asking for all of them:
// nil is all, none is to be said.
func (c *command) unclear() {
	switch plans := c.req.Verb == VerbUpgrade || c.req.Verb == VerbPlan; {
	case plans && c.req.Domains == nil:
		c.req.Domains = []int{}
	case !plans && c.req.Instances == nil:
		c.req.Instances = []string{}
	}
}

func (c *command) setAndTarget(places []int) *upgrade.Refusal {
	if len(places) > 0 && isSet(c.words[places[0]].text) {
		c.req.Set = c.words[places[0]].text
	}
	switch {
	case len(places) == 0:
		return c.lacks("", "`%s` needs a scale set and a target: a version, `latest` or `model`", c.req.Verb)
	case c.req.Set == "":
		return c.badSet(places[0])
	case len(places) == 1:
		return c.lacks("", "`%s` needs a target after %s: a version, `latest` or `model`", c.req.Verb, echo(c.req.Set))
	case len(places) > 2:
		return c.tooMany(places)
	}
	return c.target(places[0], places[1])
}

func (c *command) target(set, target int) *upgrade.Refusal {
	said := c.words[target]
	c.req.Target = said.text
	if w := said.keyword(); w == "latest" || w == "model" {
		c.req.Target = w
	}
	switch {
	case isTarget(c.req.Target):
		return nil
	case strings.HasPrefix(said.text, "/") || strings.Contains(said.text, "://"):
		return c.planned("a target that is a gallery image, a managed image or a VHD", "", "what can be rolled out is a version of the platform image the set runs, `latest`, or `model`")
	case isTarget(c.words[set].text) && isSet(said.text):
		c.req.Set, c.req.Target = said.text, c.words[set].text
		swapped := command{words: slices.Clone(c.words)}
		swapped.words[set], swapped.words[target] = c.words[target], c.words[set]
		return c.refuse(swapped.with(0, 0), "the scale set comes first, then the target")
	}
	c.req.Target = ""
	return c.unknown(target, "the target ", []string{"latest", "model"})
}

// tooMany refuses a third word, and sees "ud 0" and "ud:0" for what they are.
func (c *command) tooMany(places []int) *upgrade.Refusal {
	for _, i := range places {
		key, value := cutKey(c.words[i].text)
		if !slices.Contains(planKeys, key) || c.words[i].quoted {
			continue
		}
		if value != "" {
			return c.refuse(c.with(i, 1, key+"="+value), "I do not know %s. Did you mean `%s=`?", echo(c.words[i].text), key)
		}
		if i+1 < len(c.words) {
			return c.refuse(c.with(i, 2, key+"="+c.words[i+1].String()), "`%s` and its value are one word: `%s=…`", key, key)
		}
	}
	var said []string
	for _, i := range places {
		said = append(said, c.words[i].text)
	}
	return c.refuse("", "`%s` takes a scale set and a target, and these are %d words: %s", c.req.Verb, len(said), echo(strings.Join(said, " ")))
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

// option reads one key=value word of a verb that takes these. Hyphens before the key are let pass:
// that is how other tools write options.
func (c *command) option(i int, takes []string) *upgrade.Refusal {
	w := c.words[i]
	key, value := strings.ToLower(strings.TrimLeft(w.text[:w.eq], "-")), w.text[w.eq+1:]
	switch {
	case !slices.Contains(takes, key):
		c.unclear()
		return c.unknownOption(i, key, value, takes)
	case slices.Contains(c.given, key):
		return c.refuse("", "`%s=` is given twice", key)
	}
	c.given = append(c.given, key)
	meant, err := options[key](&c.req, value)
	switch {
	case err == nil:
		return nil
	case meant == "":
		return c.refuse("", "I do not understand %s: %v", echo(w.text), err)
	}
	right := key + "=" + meant
	return c.refuse(c.with(i, 1, right), "I do not understand %s: %v. Did you mean `%s`?", echo(w.text), err, right)
}

func (c *command) unknownOption(i int, key, value string, takes []string) *upgrade.Refusal {
	near := nearest(key, takes)
	switch no := c.laterOption(i, key, value); {
	case near == "" && len(takes) == 1:
		return c.refuse("", "I do not know %s: `%s` takes `%s=`, and a reason between quotes", echo(c.words[i].text), c.req.Verb, takes[0])
	case no != nil:
		return no
	case near == "":
		return c.refuse("", "I do not know %s: the options are `%s=`", echo(c.words[i].text), strings.Join(takes, "=`, `"))
	}
	right := near + "="
	return c.refuse(c.with(i, 1, right+bare(right, value)), "I do not know %s. Did you mean `%s`?", echo(c.words[i].text), right)
}

const maxDomain = 99 // Azure has 20 at most today

var domains = listing{"a domain", "it takes update domains, such as `ud=0,2` or `ud=1-3`, without blanks; leave it out for all",
	func(s string) bool { n := number(s); return n >= 0 && n <= maxDomain }}

// readDomains reads "0,2" and "1-3" into sorted domains; what it does not understand leaves none.
func readDomains(r *Request, s string) (string, error) {
	r.Domains = []int{}
	named, meant, err := domains.read(s)
	for _, d := range named {
		r.Domains = append(r.Domains, number(d))
	}
	return meant, err
}

func readUnavailable(r *Request, s string) (string, error) {
	limit, err := upgrade.ParseLimit(s)
	if err != nil || !all(strings.TrimSuffix(s, "%"), digit) {
		return "", errors.New("it takes a number of instances or a percentage, such as `max-unavailable=2` or `max-unavailable=20%`")
	}
	r.Options.MaxUnavailable = &limit
	return "", nil
}

func readFailures(r *Request, s string) (string, error) {
	n, err := strconv.Atoi(s)
	if err != nil || len(s) > 3 || !all(s, digit) {
		return "", errors.New("it takes a number of instances up to 999, such as `max-failures=1`")
	}
	r.Options.MaxFailures = &n
	return "", nil
}

func readOnFailure(r *Request, s string) (string, error) {
	switch f := upgrade.OnFailure(strings.ToLower(s)); f {
	case upgrade.HoldOnFailure, upgrade.QuarantineOnFailure:
		r.Options.OnFailure = f
		return "", nil
	case "abort", "rollback":
		return "", fmt.Errorf("it takes `hold` or `quarantine`: that a failure comes to `%s` by itself is planned, not built yet", f)
	}
	return nearest(s, []string{string(upgrade.HoldOnFailure), string(upgrade.QuarantineOnFailure)}), errors.New("it takes `hold` or `quarantine`")
}

func readNote(r *Request, s string) (string, error) {
	note, err := remark(s)
	if err != nil {
		return "", fmt.Errorf("it is %w", err)
	}
	r.Options.Note = note
	return "", nil
}

const (
	day     = 24 * time.Hour
	maxSpan = 7 * day // no rollout lives longer
)

func readSpan(to **time.Duration, s string) (string, error) {
	d, err := parseSpan(s)
	switch {
	case err != nil:
		return likelySpan(s), errors.New("it takes a time with its unit, such as `30s`, `10m`, `1h30m` or `1d`")
	case d < 0 || d > maxSpan:
		return "", fmt.Errorf("it takes a time from 0 to %s", formatSpan(maxSpan))
	}
	*to = &d
	return "", nil
}

// parseSpan reads Go's durations, with weeks and days before them.
func parseSpan(s string) (time.Duration, error) {
	var long time.Duration
	rest := s
	for _, unit := range []struct {
		name string
		time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		count, after, found := strings.Cut(rest, unit.name)
		n, err := strconv.Atoi(count)
		if found && err == nil && len(count) <= 3 && all(count, digit) {
			long, rest = long+time.Duration(n)*unit.Duration, after
		}
	}
	if rest == "" && rest != s {
		return long, nil
	}
	short, err := time.ParseDuration(rest)
	return long + short, err
}

// likelySpan guesses at "10" and "10min".
func likelySpan(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	switch {
	case end < 0 && s != "" && len(s) <= 4:
		return s + "m"
	case end > 0 && end <= 4 && strings.ContainsRune("smhdw", rune(s[end])) && all(s[end:], lowerOrDigit):
		return s[:end+1]
	}
	return ""
}

// formatSpan leaves out the zeros that Go writes: 10m, not 10m0s.
func formatSpan(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
