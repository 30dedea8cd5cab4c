package commands

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// options has how each key's value is read into the request. With an error comes the value that
// was perhaps meant, "" when that is not certain.
var options = map[string]func(*Request, string) (meant string, err error){
	"ud": func(r *Request, s string) (string, error) {
		return readDomains(&r.Which.UpdateDomains, updateDomains, s)
	},
	"fd": func(r *Request, s string) (string, error) {
		return readDomains(&r.Which.FaultDomains, faultDomains, s)
	},
	"zone":            readZones,
	"vm":              readInstances,
	"skip":            readSkip,
	"sku":             readSKU,
	"by":              readBy,
	"batch":           readBatch,
	"canary":          readCanary,
	"approve":         readApprove,
	"max-unavailable": readUnavailable,
	"max-failures":    readFailures,
	"on-failure":      readOnFailure,
	"soak":            func(r *Request, s string) (string, error) { return readSpan(&r.Options.Soak, s) },
	"bake":            func(r *Request, s string) (string, error) { return readSpan(&r.Options.Bake, s) },
	"window":          readWindow,
	"at":              func(r *Request, s string) (string, error) { return readMoment(&r.Options.At, s) },
	"for":             func(r *Request, s string) (string, error) { return readFor(&r.Options.For, s) },
	"until":           func(r *Request, s string) (string, error) { return readMoment(&r.Options.Until, s) },
	"note":            readNote,
	"cron":            readCron,
	"tz":              readTZ,
}

// What verbs take of these, in the order people are told of them.
var (
	planKeys     = slices.Concat(resizeKeys, []string{"sku"})
	resizeKeys   = slices.Concat(whichKeys, []string{"by", "batch", "canary", "approve", "max-unavailable", "max-failures", "on-failure", "soak", "bake", "window", "at", "note"})
	scheduleKeys = slices.Concat([]string{"cron", "tz"}, slices.DeleteFunc(slices.Clone(planKeys), func(key string) bool { return key == "at" }))
	instanceKeys = []string{"vm"}
	freezeKeys   = []string{"for", "until"}
)

func keysOf(v Verb) []string {
	switch {
	case v == VerbResize:
		return resizeKeys
	case v == VerbSchedule:
		return scheduleKeys
	case v.plans():
		return planKeys
	case v == VerbFreeze:
		return freezeKeys
	}
	return instanceKeys
}

// option reads one key=value word of a verb that takes these. Hyphens before the key are let pass:
// that is how other tools write options.
func (c *command) option(i int) *upgrade.Refusal {
	w := c.words[i]
	key, value := strings.ToLower(strings.TrimLeft(w.text[:w.eq], "-")), w.text[w.eq+1:]
	switch {
	case !slices.Contains(keysOf(c.req.Verb), key):
		return c.unknownOption(i, key, value)
	case slices.Contains(c.given, key):
		c.unclear(key)
		return c.refuse("", "`%s=` is given twice", key)
	}
	c.given = append(c.given, key)
	meant, err := c.req.take(key, value)
	switch {
	case err == nil:
		return nil
	case meant == "":
		return c.refuse("", "I do not understand %s: %v", echo(w.text), err)
	}
	right := key + "=" + meant
	return c.refuse(c.with(i, 1, right), "I do not understand %s: %v. Did you mean %s?", echo(w.text), err, echo(right))
}

func (c *command) unknownOption(i int, key, value string) *upgrade.Refusal {
	takes := keysOf(c.req.Verb)
	near := nearest(key, takes)
	_, known := options[key]
	if !known || c.req.Verb != VerbSchedule { // whose at= chooses nothing: when it is asked for is said in any case
		c.unclear(near)
	}
	switch {
	case near == "" && len(takes) == 1:
		return c.refuse("", "I do not know %s: `%s` takes `%s=`, and a reason between quotes", echo(c.words[i].text), c.req.Verb, takes[0])
	case known:
		return c.refuse("", "`%s=` does not go with `%s`", key, c.req.Verb)
	case near == "":
		return c.refuse("", "I do not know %s: the options are %s=", echo(c.words[i].text), strings.Join(takes, "=, "))
	}
	right := near + "="
	return c.refuse(c.with(i, 1, right+bare(right, value)), "I do not know %s. Did you mean `%s`?", echo(c.words[i].text), right)
}

var togethers = []string{"each", string(upgrade.ApproveCanary), string(upgrade.ApproveOnce)}

func readApprove(r *Request, s string) (string, error) {
	said := strings.ToLower(s)
	if !slices.Contains(togethers, said) {
		return nearest(s, togethers), errors.New("it takes `each` (a yes for each gate), `canary` (one for the first, one for all others) or `once` (one for all)")
	}
	if r.Order.Approve = upgrade.Together(said); said == "each" {
		r.Order.Approve = upgrade.ApproveEach
	}
	return "", nil
}

func readSKU(r *Request, s string) (string, error) {
	if !isSKU(s) {
		return "", errors.New("it takes the SKU of a platform image, such as `sku=16.04-LTS`")
	}
	r.SKU = s
	return "", nil
}

func readBy(r *Request, s string) (string, error) {
	switch by := upgrade.By(strings.ToLower(s)); by {
	case upgrade.ByUpdateDomain, upgrade.ByFaultDomain, upgrade.ByZone, upgrade.ByBatch:
		r.Order.By = by
		return "", nil
	}
	return nearest(s, []string{string(upgrade.ByZone), string(upgrade.ByBatch)}), errors.New("it takes `ud`, `fd`, `zone` or `batch`")
}

func readBatch(r *Request, s string) (string, error) {
	limit, err := readLimit(s)
	if err != nil || limit == (upgrade.Limit{}) {
		return "", errors.New("it takes a number of instances or a percentage, such as `batch=2` or `batch=20%`; leave it out for as many as the limits let go")
	}
	r.Order.Batch = limit
	return "", nil
}

func readCanary(r *Request, s string) (string, error) {
	n := number(s)
	if n < 1 || n > maxListed {
		return "", errors.New("it takes the number of instances that go first, such as `canary=1`; leave it out for none")
	}
	r.Order.Canary = n
	return "", nil
}

// readLimit reads a limit as it is written: digits, perhaps with a percent sign.
func readLimit(s string) (upgrade.Limit, error) {
	if !all(strings.TrimSuffix(s, "%"), digit) {
		return upgrade.Limit{}, errors.New("no digits")
	}
	return upgrade.ParseLimit(s)
}

func readUnavailable(r *Request, s string) (string, error) {
	limit, err := readLimit(s)
	if err != nil {
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

// failureEnds has what a failed instance too many can come to.
var failureEnds = []string{string(upgrade.HoldOnFailure), string(upgrade.QuarantineOnFailure), string(upgrade.AbortOnFailure), string(upgrade.RollbackOnFailure)}

func readOnFailure(r *Request, s string) (string, error) {
	end := strings.ToLower(s)
	if !slices.Contains(failureEnds, end) {
		return nearest(s, failureEnds), errors.New("it takes `hold`, `quarantine`, `abort` or `rollback`")
	}
	r.Options.OnFailure = upgrade.OnFailure(end)
	return "", nil
}

func readNote(r *Request, s string) (string, error) {
	note, err := remark(s)
	if err != nil {
		return "", fmt.Errorf("it is %w", err)
	}
	r.Options.Note = note
	return "", nil
}

func readWindow(r *Request, s string) (string, error) {
	if len(s) > maxSet || !all(s, nameByte) {
		return "", errors.New("it takes the name of one of the set's windows, as `windows SET` lists them")
	}
	r.Options.Window = s
	return "", nil
}

var moment = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT)?\d\d:\d\d(Z|[+-]\d\d:\d\d)?$`)

// readMoment reads a time. Whether there is such a one, and lies ahead, is said when it is known whose it is.
func readMoment(to *string, s string) (string, error) {
	said := strings.ToUpper(s)
	if !moment.MatchString(said) || strings.IndexByte(said, 'T') < 0 && len(said) > len("15:04") {
		return "", errors.New("it takes a time, such as `22:00`, `2026-11-24T22:00` or, in UTC, `2026-11-24T22:00Z`")
	}
	*to = said
	return "", nil
}

const longestFor = 31 * day

func readFor(to **time.Duration, s string) (string, error) {
	d, err := parseSpan(s)
	switch {
	case err != nil:
		return likelySpan(s), errors.New("it takes a time with its unit, such as `30m`, `2h` or `3d`")
	case d < time.Minute || d > longestFor:
		return "", fmt.Errorf("it takes a time from 1m to %s", formatSpan(longestFor))
	}
	*to = &d
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
