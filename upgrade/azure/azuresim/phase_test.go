package azuresim

import (
	"slices"
	"testing"
	"time"
)

// phases follows an instance for as long as d, and tells the phases it goes through.
func (b *bench) phases(set, id string, d time.Duration) []Phase {
	b.t.Helper()
	var out []Phase
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
		if p := b.state(set, id).Phase; len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	return out
}

func TestAnUpgradeGoesThroughItsPhases(t *testing.T) {
	up := []Phase{PhaseUpdating, PhaseStopping, PhaseStopped, PhaseStarting, PhaseInitializing}
	rows := []struct {
		name string
		set  string
		arm  Fault
		want []Phase
	}{
		{"to the model's image", demoSet, Fault{}, append(slices.Clone(up), PhaseNew)},
		{"with a load balancer's probe the page still tells starting from ill", shop + "web-prod", Fault{}, append(slices.Clone(up), PhaseNew)},
		{"never healthy", demoSet, Fault{Kind: "never-healthy"}, append(slices.Clone(up), PhaseUnhealthy)},
		{"failing", demoSet, Fault{Kind: "fail-instance"}, append(slices.Clone(up), PhaseFailed)},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				name, version := "myvmss", "4.0.20160229"
				if r.set != demoSet {
					name, version = "web-prod", "22.04.202401170"
				}
				if p := b.state(name, "0").Phase; p != PhaseNew {
					t.Errorf("at the start %s", p)
				}
				b.patchVersion(r.set, version)
				if p := b.state(name, "0").Phase; p != PhaseOld {
					t.Errorf("with a new model %s", p)
				}
				if r.arm.Kind != "" {
					r.arm.Set, r.arm.Instance = name, "0"
					b.inject(r.arm)
				}
				b.upgrade(r.set, "0").want(202)
				if got := b.phases(name, "0", 4*time.Minute); !slices.Equal(got, r.want) {
					t.Errorf("phases %v, want %v", got, r.want)
				}
			})
		})
	}
}

func TestPhasesOfInstancesThatAreNotUpgraded(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for _, r := range []struct {
			set, id string
			want    Phase
		}{
			{"ci-runners", "2", PhaseDeallocated}, {"search-edge", "7", PhaseFailed}, {"search-edge", "3", PhaseUnhealthy},
			{"api-staging", "0", PhaseNew}, {"api-staging", "1", PhaseOld}, {"aks-nodepool1-vmss", "0", PhaseNew},
		} {
			if got := b.state(r.set, r.id).Phase; got != r.want {
				t.Errorf("%s %s is %s, want %s", r.set, r.id, got, r.want)
			}
		}
		b.inject(Fault{Kind: "born", Set: "myvmss"})
		if got := b.phases("myvmss", "20", 4*time.Minute); !slices.Equal(got, []Phase{PhaseCreating, PhaseInitializing, PhaseNew}) {
			t.Errorf("a newborn goes through %v", got)
		}
		b.do("POST", demoSet+"/poweroff"+testVer, `{"instanceIds":["4"]}`).want(202)
		if got := b.phases("myvmss", "4", 4*time.Minute); !slices.Equal(got, []Phase{PhaseUpdating, PhaseStopping, PhaseStopped}) {
			t.Errorf("powered off it goes through %v", got)
		}
		b.do("POST", demoSet+"/delete"+testVer, `{"instanceIds":["4"]}`).want(202)
		if got := b.state("myvmss", "4").Phase; got != PhaseDeleting {
			t.Errorf("on its way out it is %s", got)
		}
	})
}
