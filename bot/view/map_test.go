package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// kinds are sets of every kind: with and without domains, zones and placement groups.
func kinds(n int) map[string][]dot {
	out := map[string][]dot{}
	for _, k := range []struct {
		name            string
		uds, fds        int // 0 = not told
		zones, groups   int // 0 = none
		named, untold10 bool
	}{
		{name: "uniform", uds: 5, fds: 5},
		{name: "one fault domain", uds: 5, fds: 1},
		{name: "no fault domains told", uds: 5},
		{name: "a tenth in no domain that is told", uds: 5, fds: 5, untold10: true},
		{name: "zonal", uds: 5, fds: 1, zones: 3},
		{name: "two placement groups", uds: 5, fds: 5, groups: 2},
		{name: "zones and placement groups", uds: 5, fds: 5, zones: 3, groups: 10},
		{name: "flexible", named: true},
		{name: "flexible in zones", named: true, zones: 3},
		{name: "flexible in many zones with long names", named: true, zones: 30},
	} {
		for i := range n {
			d := dot{id: fmt.Sprint(i), ud: -1, fd: -1, shape: "○"}
			told := !k.untold10 || i%10 > 0
			if k.uds > 0 && told {
				d.ud = i % k.uds
			}
			if k.fds > 0 && told {
				d.fd = i / 5 % k.fds
			}
			if k.zones > 0 {
				d.zone = fmt.Sprint(i%k.zones + 1)
			}
			if k.groups > 0 {
				d.placement = fmt.Sprintf("0000-%04d", i%k.groups)
			}
			if k.named {
				d.id = fmt.Sprintf("web-prod-weu_%08x", 0x10000000+i)
			}
			out[k.name] = append(out[k.name], d)
		}
	}
	return out
}

func TestAMapOfAnyKindOfSetFitsAPhone(t *testing.T) {
	for _, n := range []int{1, 7, 20, 60, 61, 1000} {
		for name, dots := range kinds(n) {
			lines, legend := domainMap(dots, rolloutKey)
			if w := width(lines); w > mapColumns || len(lines) == 0 || len(lines) > 60 || legend == "" {
				t.Errorf("%d, %s: %d columns, %d lines:\n%s", n, name, w, len(lines), strings.Join(lines, "\n"))
			}
		}
	}
}

func TestAMapInventsNoDomain(t *testing.T) {
	for _, n := range []int{20, 1000} {
		for name, dots := range kinds(n) {
			lines, _ := domainMap(dots, rolloutKey)
			text := strings.Join(lines, "\n")
			if strings.Contains(text, "-1") {
				t.Errorf("%d, %s:\n%s", n, name, text)
			}
			if untold := name == "a tenth in no domain that is told"; strings.Contains(text, "UD?") != untold {
				t.Errorf("%d, %s names an unknown domain:\n%s", n, name, text)
			}
			if flexible := strings.HasPrefix(name, "flexible"); flexible && (strings.Contains(text, "UD") || strings.Contains(text, "FD")) {
				t.Errorf("%d, %s has domains:\n%s", n, name, text)
			}
		}
	}
}

func TestEveryInstanceOfASmallSetOfAnyKindIsOnItsMapOnce(t *testing.T) {
	for name, dots := range kinds(20) {
		lines, _ := domainMap(dots, rolloutKey)
		words := strings.Fields(strings.Join(lines, " "))
		for _, d := range labelled(dots) {
			n := 0
			for _, w := range words {
				if w == d.shape+d.label {
					n++
				}
			}
			if n != 1 && len(lines) > 1 && !strings.Contains(lines[0], "/") {
				t.Errorf("%s: instance %s is shown %d times:\n%s", name, d.id, n, strings.Join(lines, "\n"))
			}
		}
	}
}

func TestALargeMapAddsUpToAllInstances(t *testing.T) {
	for name, dots := range kinds(1000) {
		lines, _ := domainMap(dots, rolloutKey)
		sum := 0
		for _, w := range strings.Fields(strings.Join(lines, " ")) {
			var done, all int
			if n, _ := fmt.Sscanf(w, "%d/%d", &done, &all); n == 2 {
				sum += all
			}
		}
		if sum != 1000 && name != "flexible in many zones with long names" { // rows that are not shown are said
			t.Errorf("%s: %d instances:\n%s", name, sum, strings.Join(lines, "\n"))
		}
	}
}

func TestPlacementGroupsAndZonesAreToldApart(t *testing.T) {
	lines, _ := domainMap(kinds(20)["two placement groups"], rolloutKey)
	for _, want := range []string{"placement group 1", "placement group 2"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
	lines, _ = domainMap(kinds(20)["zonal"], rolloutKey)
	if !slices.Contains(lines, "zone 3") {
		t.Errorf("no zone 3 in\n%s", strings.Join(lines, "\n"))
	}
	_, legend := domainMap(kinds(1000)["two placement groups"], rolloutKey)
	if !strings.Contains(legend, "over 2 placement groups") {
		t.Errorf("the legend says %q", legend)
	}
}

func TestLabelsLeaveOutWhatAllNamesBeginWith(t *testing.T) {
	for _, c := range []struct{ ids, want []string }{
		{[]string{"0", "10", "100"}, []string{"0", "10", "100"}},
		{[]string{"web_1a", "web_1b"}, []string{"1a", "1b"}},
		{[]string{"web-prod_3f2a9c1b"}, []string{"3f2a9c1b"}},
		{[]string{"web1", "web2"}, []string{"web1", "web2"}},
		{[]string{"web-1", "db-1"}, []string{"web-1", "db-1"}},
		{[]string{"web-a-long-one", "web-another"}, []string{"a-lon…ne", "another"}},
		{[]string{"web-", "web-1"}, []string{"(empty)", "1"}},
	} {
		var dots []dot
		for _, id := range c.ids {
			dots = append(dots, dot{id: id})
		}
		var got []string
		for _, d := range labelled(dots) {
			got = append(got, d.label)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.ids, got, c.want)
		}
	}
}
