package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Gate is one external gate. It has a URL or a Prometheus, not both.
type Gate struct {
	Name    string
	Headers map[string]string `json:"-"` // secrets, so that they are no part of the sum

	URL      string            // asked with GET
	Status   []int             // what must be answered; empty = 200
	Contains string            // must be part of the answer
	JSON     map[string]string // by JSON pointer (RFC 6901), what must stand there

	Prometheus string   // base address
	Query      string   // its one value must be
	Above      *float64 // greater than this
	Below      *float64 // and less than this

	Timeout  time.Duration
	Every    time.Duration
	Patience time.Duration // how long it may be unknown before people are called
}

// Defaults of a gate, and the least of each.
const (
	Timeout, leastTimeout   = 5 * time.Second, 100 * time.Millisecond
	Every, leastEvery       = 30 * time.Second, 5 * time.Second
	Patience, leastPatience = 5 * time.Minute, time.Minute
)

// WithDefaults fills in what was not said.
func (g Gate) WithDefaults() Gate {
	for _, f := range []struct {
		at    *time.Duration
		usual time.Duration
	}{{&g.Timeout, Timeout}, {&g.Every, Every}, {&g.Patience, Patience}} {
		if *f.at == 0 {
			*f.at = f.usual
		}
	}
	if len(g.Status) == 0 && g.URL != "" {
		g.Status = []int{http.StatusOK}
	}
	return g
}

// Probe is the gate as the domain knows it.
func (g Gate) Probe() upgrade.Probe {
	return upgrade.Probe{Name: g.Name, Sum: g.Sum(), Patience: g.Patience}
}

// Sum tells two ways of asking apart. It is short of what it would take to guess an address from it.
func (g Gate) Sum() string {
	g.Timeout, g.Every, g.Patience = 0, 0, 0 // they change nothing of what a pass means
	b, err := json.Marshal(g)
	if err != nil {
		return "" // an infinite threshold, which Check refuses
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// good is how long an answer is believed.
func (g Gate) good() time.Duration { return 3*g.Every + g.Timeout }

var (
	named   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	pointer = regexp.MustCompile(`^(/([^~]|~[01])*)?$`)
)

// Check says everything that is wrong with a gate with its defaults, without asking anybody. It never repeats an
// address: it may hold a secret.
func (g Gate) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !named.MatchString(g.Name) {
		bad("name: %q: want lower-case letters, digits and dashes, 40 at most: people will read and type it", g.Name)
	}
	switch {
	case g.URL == "" && g.Prometheus == "":
		bad("it asks nobody: want url, or prometheus and query")
	case g.URL != "" && g.Prometheus != "":
		bad("want url or prometheus, not both")
	case g.URL != "":
		errs = append(errs, g.checkPage())
	default:
		errs = append(errs, g.checkQuery())
	}
	for _, f := range []struct {
		name        string
		is          time.Duration
		least, most time.Duration
	}{{"timeout", g.Timeout, leastTimeout, time.Minute}, {"every", g.Every, leastEvery, 10 * time.Minute}, {"patience", g.Patience, leastPatience, 24 * time.Hour}} {
		if f.is < f.least || f.is > f.most {
			bad("%s: %s: want %s to %s", f.name, f.is, f.least, f.most)
		}
	}
	return errors.Join(errs...)
}

func (g Gate) checkPage() error {
	errs := []error{checkAddress("url", g.URL)}
	for _, s := range g.Status {
		if s < 100 || s > 599 || s >= 300 && s < 400 {
			errs = append(errs, fmt.Errorf("status: %d: want HTTP statuses such as 200; a redirect is not followed, so that it tells nothing", s))
		}
	}
	for p := range g.JSON {
		if !pointer.MatchString(p) {
			errs = append(errs, fmt.Errorf("json: %q is no JSON pointer such as /checkout/status", p))
		}
	}
	if g.Query != "" || g.Above != nil || g.Below != nil {
		errs = append(errs, errors.New("query, above and below are of prometheus"))
	}
	return errors.Join(errs...)
}

func (g Gate) checkQuery() error {
	errs := []error{checkAddress("prometheus", g.Prometheus)}
	if g.Query == "" {
		errs = append(errs, errors.New("query: it is missing"))
	}
	if g.Above == nil && g.Below == nil {
		errs = append(errs, errors.New("want above or below, or both: what the value must be"))
	}
	for _, f := range []*float64{g.Above, g.Below} {
		if f != nil && (*f-*f != 0) { // not a number, or infinite
			errs = append(errs, errors.New("above and below: want plain numbers"))
		}
	}
	if g.Above != nil && g.Below != nil && *g.Above >= *g.Below {
		errs = append(errs, errors.New("above and below: no value can be both"))
	}
	if len(g.Status) > 0 || g.Contains != "" || len(g.JSON) > 0 {
		errs = append(errs, errors.New("status, contains and json are of url"))
	}
	return errors.Join(errs...)
}

// checkAddress refuses what would never be called.
func checkAddress(field, s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return fmt.Errorf("%s: that is no address such as https://status.example.com/checkout", field)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s: want https, or http to a private address", field)
	case u.User != nil:
		return fmt.Errorf("%s: a password has no place in it: want headers, from a variable or a file", field)
	case u.Fragment != "" || field == "prometheus" && u.RawQuery != "":
		return fmt.Errorf("%s: nothing after a # or, of prometheus, a ? is sent", field)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		if why := refused(ip, u.Scheme == "https"); why != "" {
			return fmt.Errorf("%s: %s %s", field, u.Hostname(), why)
		}
	}
	return nil
}
