package slacksim

import (
	"math"
	"time"
)

// tier is a rate class of docs.slack.dev/apis/web-api/rate-limits. The published numbers are "N+ per minute" for
// each method, workspace and app, with unspecified room for bursts: here the bucket holds one minute's worth.
type tier int

const (
	tier1       tier = iota // 1+ per minute
	tier2                   // 20+
	tier3                   // 50+
	tier4                   // 100+
	tierPost                // about one message per second and channel, short bursts
	tierSpecial             // "hundreds per minute"
)

// rate is a token bucket's refill per second and its size.
type rate struct{ perSecond, burst float64 }

var rates = map[tier]rate{
	// Tier 1 has a burst well above ten, because Slack lets an app open ten sockets at once.
	tier1: {1.0 / 60, 30}, tier2: {20.0 / 60, 20}, tier3: {50.0 / 60, 50}, tier4: {100.0 / 60, 100},
	tierPost: {1, 5}, tierSpecial: {10, 600},
}

type bucket struct {
	level float64
	at    time.Time
}

// limiter holds one bucket per method, for posts per method and channel.
type limiter struct {
	scale   float64 // negative: no limits
	buckets map[string]*bucket
}

func (l *limiter) reset() { l.buckets = map[string]*bucket{} }

// take uses up one call. The result is the Retry-After in whole seconds, or 0 when the call may go on.
func (l *limiter) take(method string, t tier, channel string, now time.Time) int {
	if l.scale < 0 {
		return 0
	}
	key := method
	if t == tierPost {
		key += " " + channel
	}
	r := rate{rates[t].perSecond * l.scale, math.Max(1, rates[t].burst*l.scale)}
	b := l.buckets[key]
	if b == nil {
		b = &bucket{level: r.burst, at: now}
		l.buckets[key] = b
	}
	b.level = math.Min(r.burst, b.level+now.Sub(b.at).Seconds()*r.perSecond)
	b.at = now
	if b.level < 1-1e-9 {
		return max(1, int(math.Ceil((1-b.level)/r.perSecond)))
	}
	b.level--
	return 0
}
