package heatmap

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestThePictureInWords(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Map
		want string
	}{
		{"nothing", Map{}, "No instances."},
		{"all well", Map{Title: title, Note: "r-4f2k9a · done", Dots: set(uniform(1, 1, 1), state(New), 0)},
			"web-prod → 22.04.202401170. r-4f2k9a · done. 1 instance: 1 new, ok. 1 serving."},
		{"zero values", Map{Dots: make([]Dot, 2)}, "2 instances: 2 old. 2 power not told."},
		{"everything", Map{Dots: everyState()},
			"20 instances: 4 old, 2 upgrading, 2 checking, 5 new, ok, 1 failed, 1 inconclusive, 1 quarantined, 1 skipped, 1 passed by, 1 newborn, 1 vanished. " +
				"14 serving, 2 ill, 1 stopped, 1 deallocated, 2 power not told. " +
				"failed and ill: 6; inconclusive: 11; quarantined: 1; vanished: 14; ill: 8; stopped: 13; deallocated: 4."},
		{"words of its own", Map{Words: map[State]string{New: "back, ok", Failed: "not back"}, Dots: set(set(uniform(3, 1, 1), state(New), 0, 1), state(Failed), 2)},
			"3 instances: 2 back, ok, 1 not back. 3 serving. not back: 2."},
		{"what nobody knows", Map{Dots: []Dot{{ID: "7", State: 99, Power: 99}, {State: -1, Power: -1}}},
			"2 instances: 2 inconclusive. 2 power not told. inconclusive: ?, 7."},
		{"many in trouble", Map{Dots: set(set(uniform(30, 5, 3), state(Failed), 25, 3, 14), power(Ill), 0, 1, 2, 4, 5, 6, 7, 8, 9)},
			"30 instances: 27 old, 3 failed. 21 serving, 9 ill. failed: 3, 14, 25; ill: 0, 1, 2, 4, 5, 6, 7; and 2 more."},
	} {
		if got := Alt(c.m); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestTheLongestMapInWordsKeepsItsCounts(t *testing.T) {
	m := hostile()
	m.Words = map[State]string{}
	for i := range states {
		m.Words[State(i)] = strings.Repeat(fmt.Sprint(i), 100)
	}
	for i := range 1000 {
		m.Dots = append(m.Dots, Dot{ID: strings.Repeat("long", 50), State: State(i % len(states)), Power: Power(i % len(powers))})
	}
	got := Alt(m)
	if n := utf8.RuneCountInString(got); n > longestAlt {
		t.Errorf("%d characters", n)
	}
	for _, want := range []string{"1012 instances: ", "200 ill, 200 stopped, 200 deallocated", " more."} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in: %s", want, got)
		}
	}
}
