package upgrade

import (
	"slices"
	"strings"
	"testing"
)

func TestObstaclesNameTheSmallestChange(t *testing.T) {
	for _, row := range []struct {
		name  string
		world func(*ScaleSet, *Policy)
		want  []string // the beginnings, or what they hold; none = it can be driven
	}{
		{"a set that can be driven", func(*ScaleSet, *Policy) {}, nil},
		{"a Flexible one, too", func(s *ScaleSet, _ *Policy) { flexible(s) }, nil},
		{"R35 one that Azure upgrades by itself", func(s *ScaleSet, _ *Policy) { s.UpgradeMode = Automatic }, []string{"set its upgradePolicy.mode to Manual"}},
		{"R45 one that AKS owns", func(s *ScaleSet, _ *Policy) { s.Owner = "AKS" }, []string{"managed by AKS: upgrade it there"}},
		{"one that nobody configured", func(_ *ScaleSet, p *Policy) { *p = Policy{} }, []string{"match: web"}},
		{"one without people or channel", func(_ *ScaleSet, p *Policy) { p.Channel, p.Requesters, p.Approvers = "", nil, nil }, []string{"channel: C", "requesters: [U", "approvers: [S"}},
		{"one of which too few serve", func(s *ScaleSet, _ *Policy) { s.Instances[1].Power, s.Instances[2].Power = Deallocated, Deallocated }, []string{"start or repair 1 instance"}},
		{"one without instances", func(s *ScaleSet, _ *Policy) { s.Instances = nil }, []string{"it has no instances"}},
	} {
		s, pol := web(), webPolicy()
		row.world(&s, &pol)
		got := slices.Concat(Obstacles(s, webPolicy().MaxUnavailable), Unconfigured(s, pol))
		if len(got) != len(row.want) {
			t.Errorf("%s: %q", row.name, got)
			continue
		}
		for n, want := range row.want {
			if !strings.Contains(got[n], want) {
				t.Errorf("%s: %q, want %q", row.name, got[n], want)
			}
		}
	}
}

func TestRemarksAreThoseOfAPlan(t *testing.T) {
	s := web()
	s.HealthSource, s.Spot = false, true
	if got := strings.Join(Remarks(s), "; "); !strings.Contains(got, "no health signal") || !strings.Contains(got, "Spot") || strings.Contains(got, "from a") {
		t.Errorf("remarks %q", got)
	}
}
