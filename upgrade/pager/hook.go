package pager

import (
	"fmt"
	"io"
	"net/url"
	"slices"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Hook is a receiver.
type Hook struct {
	Name   string
	URL    Address
	Format Format
	Key    Key                // signs JSON; of PagerDuty the routing key
	On     []upgrade.PageKind // hold, failure, expiry, end
	Sets   []string           // as [upgrade.Policy.Pattern]; empty = all
}

// Format is the form in which a receiver is told.
type Format string

// The forms there are.
const (
	JSON      Format = "json"
	PagerDuty Format = "pagerduty"
)

// PagerDutyURL is where PagerDuty takes events.
const PagerDutyURL Address = "https://events.pagerduty.com/v2/enqueue"

// Address is where a receiver is. Whoever knows the whole of it may often tell the receiver things, so that it
// prints as its host only.
type Address string

func (a Address) String() string {
	u, err := url.Parse(string(a))
	switch {
	case err != nil || u.Host == "":
		return "…"
	case u.Path == "" && u.RawQuery == "" && u.User == nil:
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// Format keeps every printing verb from the address itself.
func (a Address) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// MarshalText keeps encoders and slog from it.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Key is a secret that a receiver shares. It prints as nothing of itself.
type Key string

func (Key) String() string { return "…" }

// Format keeps every printing verb from the key itself.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// MarshalText keeps encoders and slog from it.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// wants reports whether the receiver is to be told. That something is over is told to whoever was told that it
// began; PagerDuty hears of each end, so that no incident stays open.
func (h Hook) wants(p upgrade.Page) bool {
	if len(h.Sets) > 0 && p.Kind != upgrade.PageTest &&
		!slices.ContainsFunc(h.Sets, func(pattern string) bool { return upgrade.Policy{Pattern: pattern}.Match(p.Set) }) {
		return false
	}
	switch p.Kind {
	case upgrade.PageTest:
		return true
	case upgrade.PageCleared:
		return p.Of == upgrade.PageTest || slices.Contains(h.On, p.Of)
	case upgrade.PageEnd:
		return h.Format == PagerDuty || slices.Contains(h.On, p.Kind)
	}
	return slices.Contains(h.On, p.Kind)
}
