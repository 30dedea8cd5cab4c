package commands

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// whichKeys are the options that choose instances, as they are written. skip= leaves out, of all that
// the others choose together.
var whichKeys = []string{"ud", "fd", "zone", "vm", "skip"}

// fieldWhich is the field of a form for most of these. In [Request.Unclear] it stands for words that
// perhaps chose instances and have none of the keys.
const fieldWhich = "which"

const maxDomain = 99 // Azure has 20 update domains, 5 fault domains and 3 zones at most today

func isDomain(s string) bool { n := number(s); return n >= 0 && n <= maxDomain }

var (
	updateDomains = listing{"a domain", "it takes update domains, such as `ud=0,2` or `ud=1-3`, without blanks; leave it out for all", isDomain}
	faultDomains  = listing{"a domain", "it takes fault domains, such as `fd=0,2` or `fd=1`, without blanks; leave it out for all", isDomain}
	zones         = listing{"a zone", "it takes availability zones, such as `zone=3` or `zone=1,2`, without blanks; leave it out for all", isDomain}
	instances     = listing{"an instance", "it takes instances by their ids, such as `vm=3,8`, `vm=4-7` or `vm=web_1a2b3c`, without blanks and never all", isInstance}
	skipped       = listing{"an instance", "it leaves out instances, such as `skip=vm:3,9`, without blanks", isInstance}
)

// The readers leave a list empty when they do not understand what is to be in it: who calls them then
// keeps the request from meaning all of them, see [Request.unclear].

func readDomains(list *[]int, l listing, s string) (string, error) {
	named, meant, err := l.read(s)
	*list = nil
	for _, d := range named {
		*list = append(*list, number(d))
	}
	return meant, err
}

func readZones(r *Request, s string) (meant string, err error) {
	if r.Verb == VerbSchedule && strings.Contains(s, "/") {
		return "", errors.New("it takes availability zones, such as `zone=3`; the time zone of `cron=` is said with `tz=Europe/Prague`")
	}
	r.Which.Zones, meant, err = zones.read(s)
	return meant, err
}

// readInstances reads the ids of instances. All of them cannot be said in a word: instances are always
// named (R42).
func readInstances(r *Request, s string) (meant string, err error) {
	list := &r.Instances
	if r.Verb.plans() {
		list = &r.Which.Instances
	}
	*list, meant, err = instances.read(s)
	return meant, err
}

// What is left out: instances, which need not be said, or scale sets of several.
const (
	skipPrefix = "vm:"
	setPrefix  = "set:"
)

func readSkip(r *Request, s string) (meant string, err error) {
	if names, sets := strings.CutPrefix(s, setPrefix); sets && r.Verb.plans() {
		return skippedSets(r, names)
	}
	if start := s[:min(len(s), len(skipPrefix))]; strings.EqualFold(start, skipPrefix) || strings.EqualFold(start, "vm=") {
		s = s[len(skipPrefix):]
	}
	r.Which.Skip, meant, err = skipped.read(s)
	if meant != "" {
		meant = skipPrefix + meant
	}
	return meant, err
}

// which writes what chooses instances; of what was not understood only the key.
func (r Request) which() []string {
	s := r.Which
	skip := formatInstances(s.Skip)
	if skip != "" {
		skip = skipPrefix + skip
	}
	if len(r.Without) > 0 { // one of the two can be said
		skip = setPrefix + strings.Join(r.Without, ",")
	}
	var out []string
	for i, value := range []string{formatNumbers(s.UpdateDomains), formatNumbers(s.FaultDomains), formatInstances(s.Zones), formatInstances(slices.Concat(s.Instances, r.Instances)), skip} {
		switch key := whichKeys[i]; {
		case r.isUnclear(key):
			out = append(out, key+"=")
		case value != "":
			out = append(out, key+"="+value)
		}
	}
	if r.isUnclear(fieldWhich) {
		out = append(out, fieldWhich+"=")
	}
	return out
}

// unclear notes that what was said with the key was not understood. An empty list means all: nobody may
// take it for what was said.
func (r *Request) unclear(key string) {
	if !r.isUnclear(key) {
		r.Unclear = append(r.Unclear, key)
		slices.Sort(r.Unclear)
	}
}

func (r Request) isUnclear(key string) bool { return slices.Contains(r.Unclear, key) }

// settled forgets what was unclear and is said now.
func (r *Request) settled() {
	r.Unclear = slices.DeleteFunc(r.Unclear, r.chose)
	if len(r.Unclear) == 0 {
		r.Unclear = nil
	}
}

// chose reports whether the key chooses instances; for words without one any key does that narrows.
func (r Request) chose(key string) bool {
	s := r.Which
	said := map[string]int{"ud": len(s.UpdateDomains), "fd": len(s.FaultDomains), "zone": len(s.Zones), "vm": len(s.Instances) + len(r.Instances), "skip": len(s.Skip) + len(r.Without)}
	switch key {
	case "window":
		return r.Options.Window != ""
	case "at":
		return r.Options.At != ""
	case fieldWhich:
		return said["ud"]+said["fd"]+said["zone"]+said["vm"] > 0
	}
	return said[key] > 0
}

// unclear keeps a request that perhaps named fewer instances from asking for all of them; key is the
// one that was perhaps meant.
func (c *command) unclear(key string) {
	switch {
	case c.req.Verb.plans() && narrows(key):
		c.req.unclear(key)
	case c.req.Verb.plans():
		c.req.unclear(fieldWhich)
	case c.req.Verb.ofInstances() && c.req.Instances == nil:
		c.req.unclear(fieldInstances)
	}
}

// whenKeys are the options that say when something may start. One that was not understood is no leave to
// start at once.
var whenKeys = []string{"window", "at"}

// narrows reports whether more would be meant without the option.
func narrows(key string) bool {
	return slices.Contains(whichKeys, key) || slices.Contains(whenKeys, key)
}

// take reads one option into the request.
func (r *Request) take(key, value string) (meant string, err error) {
	meant, err = options[key](r, value)
	if err != nil && narrows(key) {
		r.unclear(key)
	}
	return meant, err
}

// readKeyed reads a form's text that has several options.
func readKeyed(r *Request, keys []string, s string) (meant string, err error) {
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !slices.Contains(keysOf(r.Verb), key) })
	var given []string
	for said := range strings.FieldsSeq(s) {
		key, value, found := strings.Cut(strings.TrimLeft(said, "-"), "=")
		key = strings.ToLower(key)
		switch {
		case !found || !slices.Contains(keys, key):
			return "", fmt.Errorf("%s fits nothing: it takes `%s=`, each with its value and without blanks", echo(said), strings.Join(keys, "=`, `"))
		case slices.Contains(given, key) || r.chose(key):
			return "", fmt.Errorf("`%s=` is given twice", key)
		}
		given = append(given, key)
		if meant, err = r.take(key, value); err != nil {
			if meant != "" {
				meant = key + "=" + meant
			}
			return meant, fmt.Errorf("%s: %w", echo(said), err)
		}
	}
	return "", nil
}

// unsaid reads the keys that a form carries, see [Carried.Some]; ok is false for what is none.
func unsaid(some string) (keys []string, ok bool) {
	if some == "" {
		return nil, true
	}
	keys = strings.Split(some, ",")
	foreign := func(key string) bool { return key != fieldWhich && !narrows(key) }
	return keys, !slices.ContainsFunc(keys, foreign)
}

// otherInstance puts an instance in the place of one that the set does not have.
func otherInstance(s *upgrade.Selection, unknown, known string) bool {
	for _, list := range []*[]string{&s.Instances, &s.Skip} {
		if i := slices.Index(*list, unknown); i >= 0 && !slices.Contains(*list, known) {
			*list = slices.Clone(*list)
			(*list)[i] = known
			slices.SortFunc(*list, upgrade.CompareIDs)
			return true
		}
	}
	return false
}
