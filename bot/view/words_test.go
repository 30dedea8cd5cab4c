package view

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

func refusalOf(code upgrade.Code, what string) commands.Refusal {
	return commands.Refusal{Code: code, What: what}
}

func TestADurationIsWrittenInItsTwoLargestUnits(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 s"}, {45 * time.Second, "45 s"}, {59500 * time.Millisecond, "1 m"}, {271 * time.Second, "4 m 31 s"}, {15 * time.Minute, "15 m"},
		{70 * time.Minute, "1 h 10 m"}, {4 * time.Hour, "4 h"}, {25 * time.Hour, "1 d 1 h"}, {7 * 24 * time.Hour, "7 d"},
	} {
		if got := span(c.d); got != c.want {
			t.Errorf("span(%v) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestInstancesAreListedBrieflyInTheirOrder(t *testing.T) {
	var hundred []string
	for i := range 100 {
		hundred = append(hundred, strconv.Itoa(2*i))
	}
	for _, c := range []struct {
		ids   []string
		limit int
		want  string
	}{
		{[]string{"7"}, 20, "7"},
		{[]string{"0", "5", "10"}, 20, "0 5 10"},
		{[]string{"0", "1", "2", "3", "7", "9", "10"}, 20, "0–3 7 9 10"},
		{[]string{"a_1", "b"}, 20, "a_1 b"},
		{hundred, 12, "0 2 4 6 8 …"},
		{nil, 20, ""},
	} {
		if got := brief(c.ids, c.limit); got != c.want {
			t.Errorf("brief(%.8v, %d) = %q, want %q", c.ids, c.limit, got, c.want)
		}
	}
}

func TestTheBarIsFullOnlyWhenAllIsDone(t *testing.T) {
	for _, c := range []struct {
		done, going, total int
		want               string
	}{
		{0, 0, 13, "░░░░░░░░░░░░░░░░"},
		{0, 1, 1000, "▒░░░░░░░░░░░░░░░"},
		{1, 0, 1000, "▓░░░░░░░░░░░░░░░"},
		{5, 1, 13, "▓▓▓▓▓▓▒░░░░░░░░░"},
		{999, 1, 1000, "▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▒"},
		{999, 0, 1000, "▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓░"},
		{1000, 0, 1000, "▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓"},
		{0, 0, 0, ""},
	} {
		if got := bar(c.done, c.going, c.total); got != c.want {
			t.Errorf("bar(%d, %d, %d) = %s, want %s", c.done, c.going, c.total, got, c.want)
		}
	}
}

func TestEveryRefusalIsToldApartAtAGlance(t *testing.T) {
	for _, c := range constants(t, "Code") {
		if _, ok := refusalEmoji[upgrade.Code(c)]; !ok {
			t.Errorf("refusal %s has no emoji", c)
		}
	}
}

func TestTheServingThatIsForetoldCountsWhatIsDownAlready(t *testing.T) {
	for _, c := range []struct {
		what                             string
		total, available, max, cap, size int
		want                             int
	}{
		{"all serve", 20, 20, 4, 50, 4, 16},
		{"a small gate", 20, 20, 4, 50, 1, 19},
		{"a gate larger than the limit", 20, 20, 4, 50, 10, 16},
		{"two are down: two less may go", 20, 18, 4, 50, 10, 16},
		{"more are down than may be: none that serves is taken", 20, 10, 4, 50, 10, 10},
		{"the cap of a call", 1000, 1000, 200, 50, 200, 950},
	} {
		p := upgrade.Plan{Total: c.total, Available: c.available, Limits: upgrade.Limits{MaxUnavailable: c.max, BatchCap: c.cap}}
		if got := serving(p, c.size); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

func dotsOf(n, uds, fds int) []dot {
	var out []dot
	for i := range n {
		out = append(out, dot{id: strconv.Itoa(i), ud: i % uds, fd: i / uds % fds, shape: "○"})
	}
	return out
}

func TestAMapNeverScrollsOnAPhone(t *testing.T) {
	for _, c := range []struct{ n, uds, fds int }{{1, 1, 1}, {20, 5, 5}, {20, 5, 1}, {60, 5, 5}, {60, 20, 1}, {61, 5, 5}, {100, 5, 5}, {1000, 5, 5}, {1000, 20, 20}, {1000, 200, 1}} {
		lines, legend := domainMap(dotsOf(c.n, c.uds, c.fds), rolloutKey)
		if w := width(lines); w > mapColumns || len(lines) == 0 || legend == "" {
			t.Errorf("%v: %d columns:\n%s", c, w, strings.Join(lines, "\n"))
		}
		if len(lines) > 60 {
			t.Errorf("%v: %d lines", c, len(lines))
		}
	}
}

func TestEveryInstanceOfASmallSetIsOnItsMap(t *testing.T) {
	for _, n := range []int{1, 7, 20, 37, 60} {
		lines, _ := domainMap(dotsOf(n, 5, 5), rolloutKey)
		fields := strings.Fields(strings.Join(lines, " "))
		for i := range n {
			found := 0
			for _, f := range fields {
				if f == "○"+strconv.Itoa(i) {
					found++
				}
			}
			if found != 1 {
				t.Errorf("instance %d of %d is shown %d times", i, n, found)
			}
		}
	}
}

func TestALargeMapCountsAndNamesWhatIsNotFine(t *testing.T) {
	dots := dotsOf(100, 5, 5)
	dots[17].shape, dots[3].shape, dots[4].shape = "✖", "●", "◐"
	lines, legend := domainMap(dots, rolloutKey)
	text := strings.Join(lines, "\n")
	for _, want := range []string{"UD3 1/4 0/4", "✖ 1: 17", "◐ 1: 4"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if want := "done/all in each domain  ◐ upgrading  ✖ failed"; legend != want {
		t.Errorf("legend %q, want %q", legend, want)
	}
}
