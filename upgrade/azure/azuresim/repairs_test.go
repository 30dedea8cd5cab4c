package azuresim

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// repairedFleet is the small fleet with automatic repairs after ten minutes.
func repairedFleet(capacity int, action string) string {
	return strings.Replace(smallFleet, `"capacity": 3`, `"capacity": `+strconv.Itoa(capacity)+
		`, "extra": {"properties": {"automaticRepairsPolicy": {"enabled": true, "gracePeriod": "PT10M", "repairAction": "`+action+`"}}}`, 1)
}

func (b *bench) setService(action string) {
	b.t.Helper()
	b.do("POST", large+"/setOrchestrationServiceState"+testVer, `{"serviceName":"AutomaticRepairs","action":"`+action+`"}`).want(http.StatusAccepted)
}

// serviceState is what the set's instance view says of automatic repairs.
func (b *bench) serviceState() string {
	b.t.Helper()
	services := b.get(large + "/instanceView").doc["orchestrationServices"].([]any)
	return text(services[0].(document), "serviceState")
}

func TestAnUnhealthyInstanceIsRepairedAfterTheGracePeriod(t *testing.T) {
	rows := []struct{ action, ids, version string }{
		{"Replace", "0 2 3", "2"}, // a new id, on the latest model
		{"Reimage", "0 1 2", "1"}, // on the model it has
		{"Restart", "0 1 2", "1"},
	}
	for _, r := range rows {
		t.Run(r.action, func(t *testing.T) {
			inBubble(t, Options{Fleet: mustFleet(t, repairedFleet(3, r.action))}, func(t *testing.T, b *bench) {
				b.patchVersion(large, "2")
				b.inject(Fault{Kind: "unhealthy-now", Set: "a", Instance: "1"})
				time.Sleep(9*time.Minute + 55*time.Second)
				if i := b.state("a", "1"); i.Doing != "" || i.Health != "unhealthy" {
					t.Fatalf("within the grace period: %+v", i)
				}
				time.Sleep(10 * time.Second)
				if got := b.state("a", "1").Doing; got != "automaticRepairs" {
					t.Errorf("after it: %q", got)
				}
				b.do("POST", large+"/virtualMachines/1/restart"+testVer, "").refused(http.StatusConflict, "Conflict")
				time.Sleep(5 * time.Minute)
				ids := b.names("a")
				if got := strings.Join(ids, " "); got != r.ids {
					t.Fatalf("instances %s, want %s", got, r.ids)
				}
				repaired := ids[len(ids)-1]
				if r.action != "Replace" {
					repaired = "1"
				}
				if i := b.state("a", repaired); i.Version != r.version || i.Health != "healthy" || i.Provisioning != "succeeded" {
					t.Errorf("repaired %+v", i)
				}
			})
		})
	}
}

func TestTheGracePeriodStartsAnewWithEachChange(t *testing.T) {
	changes := map[string]func(b *bench) answer{
		"a restart": func(b *bench) answer {
			return b.do("POST", large+"/virtualMachines/1/restart"+testVer, "").want(http.StatusAccepted)
		},
		"a change that leaves its health alone": func(b *bench) answer {
			return b.do("PATCH", large+"/virtualMachines/1"+testVer, `{"tags":{"a":"b"}}`).want(http.StatusOK)
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Options{Fleet: mustFleet(t, repairedFleet(3, "Replace"))}, func(t *testing.T, b *bench) {
				b.inject(Fault{Kind: "never-healthy", Set: "a", Instance: "1"})
				b.inject(Fault{Kind: "unhealthy-now", Set: "a", Instance: "1"})
				time.Sleep(8 * time.Minute)
				change(b)
				time.Sleep(9 * time.Minute)
				if i := b.state("a", "1"); i.Doing != "" || i.Health != "unhealthy" {
					t.Errorf("nine minutes later: %+v", i)
				}
				time.Sleep(8 * time.Minute)
				if got := strings.Join(b.names("a"), " "); got != "0 2 3" {
					t.Errorf("long after: %s", got)
				}
			})
		})
	}
}

func TestOfManyUnhealthyInstancesFewAreRepairedAtATime(t *testing.T) {
	inBubble(t, Options{Fleet: mustFleet(t, repairedFleet(40, "Replace"))}, func(t *testing.T, b *bench) {
		var ill []string
		for n := range 10 {
			ill = append(ill, strconv.Itoa(n))
		}
		b.inject(Fault{Kind: "unhealthy-now", Set: "a", Instances: ill})
		most := 0
		for range 180 {
			now := 0
			for _, i := range b.sim.Snapshot().Sets[0].Instances {
				if i.Doing == "automaticRepairs" {
					now++
				}
			}
			most = max(most, now)
			time.Sleep(10 * time.Second)
		}
		if most != 2 {
			t.Errorf("%d of 40 at a time, want 2 (5 %%)", most)
		}
		if got := b.names("a"); len(got) != 40 || got[0] != "10" {
			t.Errorf("instances %v", got)
		}
	})
}

func TestRepairsLeaveAlone(t *testing.T) {
	rows := []struct {
		name  string
		first func(b *bench)
	}{
		{"what is protected from scale-in", func(b *bench) {
			b.do("PATCH", large+"/virtualMachines/1"+testVer, `{"properties":{"protectionPolicy":{"protectFromScaleIn":true}}}`).want(http.StatusOK)
		}},
		{"what is protected from the set's actions", func(b *bench) { b.inject(Fault{Kind: "protect", Set: "a", Instance: "1"}) }},
		{"what is deallocated", func(b *bench) {
			b.do("POST", large+"/virtualMachines/1/deallocate"+testVer, "").want(http.StatusAccepted)
		}},
		{"what got healthy again", func(b *bench) {
			b.inject(Fault{Kind: "healthy-now", Set: "a", Instance: "1", After: Duration(5 * time.Minute)})
		}},
		{"everything while suspended", func(b *bench) { b.setService("Suspend") }},
		{"everything when switched off", func(b *bench) {
			b.do("PATCH", large+testVer, `{"properties":{"automaticRepairsPolicy":{"enabled":false}}}`).want(http.StatusOK)
		}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{Fleet: mustFleet(t, repairedFleet(3, "Replace"))}, func(t *testing.T, b *bench) {
				r.first(b)
				b.inject(Fault{Kind: "unhealthy-now", Set: "a", Instance: "1"})
				time.Sleep(time.Hour)
				if got := strings.Join(b.names("a"), " "); got != "0 1 2" {
					t.Errorf("instances %s", got)
				}
			})
		})
	}
}

func TestSuspendedRepairsWaitAndStartAnewWhenResumed(t *testing.T) {
	inBubble(t, Options{Fleet: mustFleet(t, repairedFleet(3, "Replace"))}, func(t *testing.T, b *bench) {
		if got := b.serviceState(); got != "Running" {
			t.Errorf("at first %s", got)
		}
		b.inject(Fault{Kind: "unhealthy-now", Set: "a", Instance: "1"})
		b.setService("Suspend")
		b.do("PATCH", large+testVer, `{"tags":{"a":"b"}}`).want(http.StatusOK)
		time.Sleep(time.Hour)
		if got := b.serviceState(); got != "Suspended" || b.state("a", "1").Doing != "" {
			t.Errorf("suspended: %s, %+v", got, b.state("a", "1"))
		}
		b.setService("Resume")
		time.Sleep(9 * time.Minute)
		if got := b.serviceState(); got != "Running" || len(b.names("a")) != 3 || b.names("a")[1] != "1" {
			t.Errorf("just resumed: %s, %v", got, b.names("a"))
		}
		time.Sleep(10 * time.Minute)
		if got := strings.Join(b.names("a"), " "); got != "0 2 3" {
			t.Errorf("instances %s", got)
		}
	})
}

func TestRepairsCanBeSwitchedOn(t *testing.T) {
	inBubble(t, Options{Fleet: mustFleet(t, smallFleet)}, func(t *testing.T, b *bench) {
		if got := b.serviceState(); got != "NotRunning" {
			t.Errorf("at first %s", got)
		}
		b.inject(Fault{Kind: "unhealthy-now", Set: "a", Instance: "1"})
		b.do("PATCH", large+testVer, `{"properties":{"automaticRepairsPolicy":{"enabled":true}}}`).want(http.StatusOK)
		time.Sleep(20 * time.Minute)
		if got := b.serviceState(); got != "Running" || strings.Join(b.names("a"), " ") != "0 2 3" {
			t.Errorf("%s, instances %v", got, b.names("a"))
		}
	})
}
