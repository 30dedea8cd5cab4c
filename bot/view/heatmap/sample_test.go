package heatmap

import (
	"fmt"
	"strings"
)

// sample is a map with a name of its own.
type sample struct {
	name string
	m    Map
}

// uniform is n instances over update and fault domains, all old and serving.
func uniform(n, uds, fds int) []Dot {
	dots := make([]Dot, n)
	for i := range dots {
		dots[i] = Dot{ID: fmt.Sprint(i), UpdateDomain: i % uds, FaultDomain: i / uds % fds, State: Old, Power: Serving}
	}
	return dots
}

// rolled is a rollout that is through with some domains and upgrades the next one.
func rolled(dots []Dot, domains int) []Dot {
	for i := range dots {
		switch ud := dots[i].UpdateDomain; {
		case ud < domains:
			dots[i].State = New
		case ud == domains:
			dots[i].State = []State{Upgrading, Checking, Upgrading, Confirmed}[i/7%4]
		}
	}
	return dots
}

// set changes some dots.
func set(dots []Dot, change func(*Dot), at ...int) []Dot {
	for _, i := range at {
		change(&dots[i])
	}
	return dots
}

func state(s State) func(*Dot) { return func(d *Dot) { d.State = s } }
func power(p Power) func(*Dot) { return func(d *Dot) { d.Power = p } }

// everyState is 20 instances in the middle of a rollout in which everything happened.
func everyState() []Dot {
	dots := rolled(uniform(20, 5, 5), 2)
	for i, s := range []State{Failed, Unclear, Quarantined, Skipped, Protected, Vanished, Newborn} {
		dots[[]int{6, 11, 1, 13, 9, 14, 19}[i]].State = s
	}
	set(dots, power(Ill), 6, 8)
	set(dots, power(Stopped), 13)
	set(dots, power(Deallocated), 4)
	set(dots, power(UnknownPower), 14, 11)
	return dots
}

// grouped is many instances in placement groups of a hundred.
func grouped(n, uds int) []Dot {
	dots := rolled(uniform(n, uds, 5), uds/3)
	for i := range dots {
		g := i / 100
		dots[i].Placement = fmt.Sprintf("%08x-91c3-4f6e-b1aa-%012x", (g*7+3)%10*0x11111111, g)
	}
	set(dots, state(Failed), 101, 642, 643)
	set(dots, state(Quarantined), 400)
	set(dots, power(Ill), 101, 777, 778, 779, 22)
	set(dots, power(Deallocated), 950, 951, 952, 953, 954)
	return set(dots, power(Stopped), 333)
}

func zonal() []Dot {
	dots := uniform(9, 3, 1)
	for i := range dots {
		dots[i].Zone = fmt.Sprint(i/3 + 1)
	}
	return set(rolled(dots, 1), power(Ill), 4)
}

func flexible() []Dot {
	var dots []Dot
	for i, id := range []string{"web-prod_0a1b2c3d", "web-prod_17c0ffee", "web-prod_3f9e8d7c", "web-prod_5ca1ab1e", "web-prod_b0bafe77", "web-prod_deadbeef"} {
		dots = append(dots, Dot{ID: id, UpdateDomain: -1, FaultDomain: -1, State: []State{New, New, Upgrading, Failed, Old, Old}[i], Power: Serving})
	}
	return set(dots, power(Ill), 3)
}

func hostile() Map {
	long := strings.Repeat("web-prod-with-a-name-that-does-not-end-", 30)
	dots := uniform(12, 3, 2)
	for i, id := range []string{"<!channel>", "", "\u202Edrowssap\u0000\u001b[31m", "日本語の名前", long, "i̶̧̢n̷̡s̸t", "🔥🔥", "\n\n\n", "a\tb", "\xff\xfe", "9223372036854775807", "x"} {
		dots[i].ID = id
	}
	dots[3].State, dots[4].Power, dots[5].UpdateDomain, dots[5].FaultDomain = State(99), Power(-7), -1<<60, -3
	dots[6].Zone, dots[7].Zone, dots[8].Placement = long, "\u200b", "\x00"
	return Map{Title: long + " → " + long, Note: "one\ntwo\x07three " + long, Words: map[State]string{Old: long}, Dots: dots}
}

const title, note = "web-prod → 22.04.202401170", "r-4f2k9a · UD 1 done · 5/13 new · Tue 02:31 UTC"

// midRollout is the picture of the README: 20 instances, two domains done, one being upgraded.
func midRollout() Map {
	dots := rolled(uniform(20, 5, 5), 2)
	set(dots, state(Failed), 7)
	set(dots, power(Ill), 7)
	set(dots, state(Protected), 19)
	set(dots, func(d *Dot) { d.Power, d.UpdateDomain, d.FaultDomain = Deallocated, -1, -1 }, 13)
	return Map{Title: title, Note: "r-4f2k9a · UD 2 1/4 · 8/19 new · Tue 02:31 UTC", Dots: dots}
}

func samples() []sample {
	return []sample{
		{"empty", Map{Title: title, Note: note}},
		{"1", Map{Title: title, Note: note, Dots: set(uniform(1, 1, 1), state(Upgrading), 0)}},
		{"20", Map{Title: title, Note: note, Dots: uniform(20, 5, 5)}},
		{"20-every-state", Map{Title: title, Note: note, Dots: everyState()}},
		{"20-mid-rollout", midRollout()},
		{"60", Map{Title: title, Note: note, Dots: set(rolled(uniform(60, 5, 3), 3), power(Ill), 17, 18)}},
		{"100", Map{Title: title, Note: note, Dots: set(rolled(uniform(100, 5, 5), 2), state(Failed), 31, 56)}},
		{"100-in-20-domains", Map{Title: title, Note: note, Dots: rolled(uniform(100, 20, 5), 7)}},
		{"600-in-one-group", Map{Title: title, Note: note, Dots: set(rolled(uniform(600, 5, 5), 3), state(Failed), 3, 8, 13)}},
		{"1000", Map{Title: title, Note: note, Dots: grouped(1000, 5)}},
		{"1000-in-20-domains", Map{Title: title, Note: note, Dots: grouped(1000, 20)}},
		{"zonal", Map{Title: title, Note: note, Dots: zonal()}},
		{"flexible", Map{Title: title, Note: note, Dots: flexible()}},
		{"hostile", hostile()},
		{"too-many-domains", Map{Title: title, Note: note, Dots: rolled(uniform(400, 100, 2), 30)}},
	}
}
