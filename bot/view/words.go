package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// when writes a moment so that everybody reads it in their own zone.
func when(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), t.UTC().Format("2006-01-02 15:04 UTC"))
}

// clock writes a moment where Slack shows no dates: code blocks, plain text, notifications.
func clock(t time.Time) string { return t.UTC().Format("15:04 UTC") }

// span writes a duration in its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := int(d/(24*time.Hour)), int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days > 0:
		return units(days, "d", hours, "h")
	case hours > 0:
		return units(hours, "h", minutes, "m")
	case minutes > 0:
		return units(minutes, "m", seconds, "s")
	}
	return fmt.Sprintf("%d s", seconds)
}

func units(a int, large string, b int, small string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, large)
	}
	return fmt.Sprintf("%d %s %d %s", a, large, b, small)
}

// brief writes the ids of instances cut to limit characters. The caller says how many there are.
func brief(ids []string, limit int) string { return fitting(runs(ids), limit) }

// runs writes ids one by one, three and more in a row as a range.
func runs(ids []string) []string {
	var parts []string
	for i := 0; i < len(ids); {
		j := i
		for j+1 < len(ids) && follows(ids[j], ids[j+1]) {
			j++
		}
		if j-i >= 2 {
			parts = append(parts, esc(ids[i], 24)+"–"+esc(ids[j], 24))
		} else {
			for _, id := range ids[i : j+1] {
				parts = append(parts, esc(id, 24))
			}
		}
		i = j + 1
	}
	return parts
}

func follows(a, b string) bool {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	return errX == nil && errY == nil && y == x+1
}

// fitting joins as many parts as fit.
func fitting(parts []string, limit int) string {
	out, n := "", 0
	for i, p := range parts {
		n += len([]rune(p)) + 1
		if i > 0 && n > limit {
			return out + " …"
		}
		out += edge(i > 0) + p
	}
	return out
}

// bar draws progress in a fixed number of cells; anything done or going shows at least one cell, and
// the bar is full only when all is done.
func bar(done, going, total int) string {
	const cells = 16
	if total == 0 {
		return ""
	}
	full := part(done, total, cells)
	half := min(part(going, total, cells), cells-full)
	return strings.Repeat("▓", full) + strings.Repeat("▒", half) + strings.Repeat("░", cells-full-half)
}

func part(n, total, cells int) int {
	if n == 0 {
		return 0
	}
	return max(1, n*cells/total)
}

// counts is a rollout's instances by how far they are.
type counts struct{ done, going, left, failed, unclear, aside, skipped, passed, total int }

func countsOf(rec upgrade.Record) counts {
	n := rec.Rollout.Count(rec.Plan)
	return counts{
		done: n[upgrade.OK], going: n[upgrade.Going] + n[upgrade.Checking] + n[upgrade.Confirmed],
		left: n[upgrade.Waiting], failed: n[upgrade.Broken], unclear: n[upgrade.Unclear], aside: n[upgrade.Aside], skipped: n[upgrade.Passed],
		passed: n[upgrade.Vanished] + n[upgrade.Left], total: rec.Plan.Size(),
	}
}

// line writes the counts that are never left out, whatever else is.
func (c counts) line(most int) string {
	s := fmt.Sprintf("%s %d/%d\ndone %d · going %d · left %d · failed %d (max-failures %d)", bar(c.done, c.going, c.total), c.done, c.total, c.done, c.going, c.left, c.failed, most)
	return dots(s, counted("inconclusive", c.unclear), counted("quarantined", c.aside), counted("skipped", c.skipped), counted("passed by", c.passed))
}

// counted is what there may be none of.
func counted(what string, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d", what, n)
}

// version is what an image, or a size, is called in a line of text.
func version(of fmt.Stringer) string {
	return upgrading.told(of.String())
}

// and joins names as people do.
func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func dots(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " · ")
}

// reasonWords says what a blocker is about.
var reasonWords = map[upgrade.Reason]string{
	upgrade.ReasonIncomplete: "the set could not be read",
	upgrade.ReasonInFlight:   "Azure is at work",
	upgrade.ReasonUnknown:    "a call without an answer",
	upgrade.ReasonModel:      "what becomes of the model",
	upgrade.ReasonFailure:    "failure",
	upgrade.ReasonDrift:      "drift",
	upgrade.ReasonThrottled:  "Azure asks for quiet",
	upgrade.ReasonBusy:       "somebody else's operation",
	upgrade.ReasonPaused:     "paused",
	upgrade.ReasonVerifying:  "instances come up",
	upgrade.ReasonSoak:       "soak",
	upgrade.ReasonBake:       "bake",
	upgrade.ReasonHealth:     "health",
	upgrade.ReasonApproval:   "approval",
	upgrade.ReasonDenied:     "denied",
	upgrade.ReasonExpired:    "approval ran out",
	upgrade.ReasonUnread:     "unknown journal entry",
	upgrade.ReasonUnclear:    "inconclusive",
	upgrade.ReasonChannel:    "people cannot be reached",
	upgrade.ReasonFreeze:     "frozen",
	upgrade.ReasonWindow:     "a window",
	upgrade.ReasonWave:       "the waves before",
	upgrade.ReasonHalted:     "a wave before did not succeed",
	upgrade.ReasonProbe:      "an external gate fails",
	upgrade.ReasonProbing:    "an external gate has not answered",
	upgrade.ReasonUnproven:   "inconclusive external gate",
	upgrade.ReasonBudget:     "the hour's budget",
	upgrade.ReasonPolicy:     "the policy",
}

func about(r upgrade.Reason) string {
	if s, ok := reasonWords[r]; ok {
		return s
	}
	return esc(string(r), 40)
}
