package azuresim

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAFaultBeforeTheWorkKeepsItFromBeingDone(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "http-status", Match: "POST *manualupgrade", Status: 429, RetryAfter: "30"})
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "0").refused(429, "TooManyRequests")
		if a.header.Get("Retry-After") != "30" {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
		if i := b.state("myvmss", "0"); i.Provisioning != "succeeded" {
			t.Errorf("instance %+v", i)
		}
		writes := b.sim.Writes()
		if w := writes[len(writes)-1]; w.Accepted || w.Status != 429 || !w.Answered {
			t.Errorf("record %+v", w)
		}
		b.upgrade(demoSet, "0").want(202)
	})
}

func TestAFaultAfterTheWorkHidesThatItWasDone(t *testing.T) {
	for _, kind := range []string{"http-status", "html", "reset", "half-body"} {
		t.Run(kind, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				b.inject(Fault{Kind: kind, Set: "myvmss", Match: "PATCH", When: "after"})
				a, err := b.try("PATCH", demoSet+testVer, imagePatch("4.0.20160229"))
				if err == nil && a.status < 500 {
					t.Errorf("answer %d %s", a.status, a.raw)
				}
				if kind == "reset" && err == nil || kind == "half-body" && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("error %v", err)
				}
				w := b.sim.Writes()[0]
				if !w.Accepted || w.Answered || w.Status != 200 {
					t.Errorf("record %+v", w)
				}
				if got := text(b.get(demoSet).doc, "properties", "virtualMachineProfile", "storageProfile", "imageReference", "version"); got != "4.0.20160229" {
					t.Errorf("the model says %s", got)
				}
			})
		})
	}
}

func TestAFaultStrikesAsOftenAsItSays(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "http-status", Match: "GET */virtualMachines", Times: 2, After: Duration(time.Minute)})
		statuses := func() (out []int) {
			for range 3 {
				out = append(out, b.do("GET", demoSet+"/virtualMachines"+testVer, "").status)
			}
			return out
		}
		if got := statuses(); !slices.Equal(got, []int{200, 200, 200}) {
			t.Errorf("before its time: %v", got)
		}
		time.Sleep(time.Minute)
		if got := statuses(); !slices.Equal(got, []int{503, 503, 200}) {
			t.Errorf("then: %v", got)
		}
		b.inject(Fault{Kind: "http-status", Match: "GET …virtualMachines", Times: -1, Status: 500})
		if got := statuses(); !slices.Equal(got, []int{500, 500, 500}) {
			t.Errorf("for ever: %v", got)
		}
		if err := b.sim.Reset(); err != nil {
			t.Fatal(err)
		}
		if got := statuses(); !slices.Equal(got, []int{200, 200, 200}) {
			t.Errorf("after a reset: %v", got)
		}
	})
}

func TestASlowAnswerDelaysTheWorkOrOnlyTheAnswer(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for _, when := range []string{"before", "after"} {
			b.inject(Fault{Kind: "slow", Match: "PATCH", When: when, Delay: Duration(30 * time.Second)})
			start := time.Now()
			b.do("PATCH", demoSet+testVer, `{"tags":{"when":"`+when+`"}}`).want(200)
			if d := time.Since(start); d != 30*time.Second {
				t.Errorf("%s: took %s", when, d)
			}
			writes := b.sim.Writes()
			worked := writes[len(writes)-1].Time.Sub(start)
			if when == "before" && worked != 30*time.Second || when == "after" && worked != 0 {
				t.Errorf("%s: worked on after %s", when, worked)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestACallerThatGivesUpIsHeardOnlyIfTheWorkCameFirst(t *testing.T) {
	for when, heard := range map[string]bool{"before": false, "after": true} {
		inBubble(t, Options{}, func(t *testing.T, b *bench) {
			b.web.Timeout = 10 * time.Second
			b.inject(Fault{Kind: "slow", Match: "PATCH", When: when, Delay: Duration(30 * time.Second)})
			if _, err := b.try("PATCH", demoSet+testVer, imagePatch("4.0.20160229")); err == nil {
				t.Error("there was an answer")
			}
			time.Sleep(time.Minute)
			writes := b.sim.Writes()
			if (len(writes) == 1) != heard {
				t.Fatalf("%s: %d writes", when, len(writes))
			}
			if heard && (writes[0].Answered || !writes[0].Accepted) {
				t.Errorf("record %+v", writes[0])
			}
		})
	}
}

func TestForeignURLsPointElsewhere(t *testing.T) {
	inBubble(t, Options{PageSize: 5}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		b.inject(Fault{Kind: "foreign-host", Times: 2, Host: "https://evil.example"})
		a := b.upgrade(demoSet, "0").want(202)
		for _, h := range []string{"Azure-AsyncOperation", "Location"} {
			if !strings.HasPrefix(a.header.Get(h), "https://evil.example/subscriptions/") {
				t.Errorf("%s: %s", h, a.header.Get(h))
			}
		}
		if link := text(b.get(demoSet+"/virtualMachines").doc, "nextLink"); !strings.HasPrefix(link, "https://evil.example/") {
			t.Errorf("nextLink %s", link)
		}
		b.inject(Fault{Kind: "redirect", Match: "GET"})
		if a := b.do("GET", demoSet+testVer, "").want(307); !strings.HasPrefix(a.header.Get("Location"), "https://management.example.com/") {
			t.Errorf("redirect to %s", a.header.Get("Location"))
		}
	})
}

func TestLagHidesAStartFromTheListsButNotFromTheConflict(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		b.inject(Fault{Kind: "lag", Set: "myvmss", Delay: Duration(40 * time.Second)})
		b.upgrade(demoSet, "0").want(202)
		time.Sleep(35 * time.Second)
		vm := b.get(demoSet + "/virtualMachines" + testVer + "&$expand=instanceView").list()[0]
		if codes(vm) != "ProvisioningState/succeeded PowerState/running HealthState/healthy" || text(b.get(demoSet).doc, "properties", "provisioningState") != "Succeeded" {
			t.Errorf("hidden: %s", codes(vm))
		}
		b.upgrade(demoSet, "0").refused(409, "Conflict")
		if b.state("myvmss", "0").Provisioning != "updating" {
			t.Error("the snapshot does not tell the truth")
		}
		time.Sleep(6 * time.Second)
		vm = b.get(demoSet + "/virtualMachines/0" + testVer + "&$expand=instanceView").doc
		if !strings.HasPrefix(codes(vm), "ProvisioningState/updating") {
			t.Errorf("after the lag: %s", codes(vm))
		}
	})
}

func TestOperationsCanHangVanishLieAndFailHalfWay(t *testing.T) {
	rows := []struct {
		kind, status string
		code         int
		upgraded     []string
	}{
		{"lro-hangs", "InProgress", 200, []string{"0", "5", "10"}},
		{"lro-404", "", 404, []string{"0", "5", "10"}},
		{"lro-lies", "Succeeded", 200, nil},
		{"lro-fails", "Failed", 200, []string{"0"}},
	}
	for _, r := range rows {
		t.Run(r.kind, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				b.patchVersion(demoSet, "4.0.20160229")
				b.inject(Fault{Kind: r.kind, Set: "rg-demo/myvmss"})
				a := b.upgrade(demoSet, "0", "5", "10").want(202)
				time.Sleep(10 * time.Minute)
				got := b.do("GET", a.header.Get("Azure-AsyncOperation"), "")
				if got.status != r.code || text(got.doc, "status") != r.status {
					t.Errorf("operation %d %s", got.status, got.raw)
				}
				var upgraded []string
				for _, id := range []string{"0", "5", "10"} {
					if b.allHealthy(id) {
						upgraded = append(upgraded, id)
					}
				}
				if !slices.Equal(upgraded, r.upgraded) {
					t.Errorf("upgraded %v, want %v", upgraded, r.upgraded)
				}
				b.upgrade(demoSet, "15").want(202) // the set is free again
				time.Sleep(5 * time.Minute)
				if !b.allHealthy("15") {
					t.Error("the fault struck twice")
				}
			})
		})
	}
}

func TestTroubleOfTheWorld(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "unhealthy-now", Set: "myvmss", Instance: "1"})
		b.inject(Fault{Kind: "never-healthy", Set: "myvmss", Instance: "2"})
		b.inject(Fault{Kind: "protect", Set: "myvmss", Instance: "3"})
		b.inject(Fault{Kind: "born", Set: "myvmss", Count: 2})
		b.inject(Fault{Kind: "vanish", Set: "myvmss", Instance: "4", After: Duration(time.Minute)})
		if b.state("myvmss", "1").Health != "unhealthy" || !b.state("myvmss", "3").Protected || b.state("myvmss", "21").Provisioning != "creating" {
			t.Errorf("%+v", b.sim.Snapshot().Sets)
		}
		b.get(demoSet + "/virtualMachines/4")
		time.Sleep(time.Minute)
		b.do("GET", demoSet+"/virtualMachines/4"+testVer, "").want(404)

		b.patchVersion(demoSet, "4.0.20160229")
		b.upgrade(demoSet, "1", "2").want(202)
		time.Sleep(10 * time.Minute)
		if !b.allHealthy("1") || b.state("myvmss", "2").Health != "unhealthy" || b.state("myvmss", "2").Version != "4.0.20160229" {
			t.Errorf("%+v %+v", b.state("myvmss", "1"), b.state("myvmss", "2"))
		}
		b.inject(Fault{Kind: "healthy-now", Set: "myvmss", Instance: "2"})
		if !b.allHealthy("2") {
			t.Errorf("%+v", b.state("myvmss", "2"))
		}
	})
}

func TestAnInstanceThatVanishesDoesNotHoldUpItsOperation(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		a := b.upgrade(demoSet, "0", "5").want(202)
		b.inject(Fault{Kind: "vanish", Set: "myvmss", Instance: "5", After: Duration(30 * time.Second)})
		time.Sleep(5 * time.Minute)
		if got := b.status(a); got != "Succeeded" || !b.allHealthy("0") {
			t.Errorf("operation %s", got)
		}
	})
}

func TestWhatOthersDoIsOnRecordAsTheirs(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		before := text(b.get(demoSet).doc, "etag")
		b.inject(Fault{Kind: "change-model", Set: "myvmss", Version: "4.0.20160229"})
		b.inject(Fault{Kind: "change-model", Set: "myvmss", Patch: []byte(`{"tags":{"by":"terraform"}}`)})
		if text(b.get(demoSet).doc, "etag") == before || text(b.get(demoSet).doc, "tags", "by") != "terraform" {
			t.Error("the model did not change")
		}
		b.inject(Fault{Kind: "foreign-upgrade", Set: "myvmss", Instances: []string{"6", "7"}})
		if b.state("myvmss", "6").Provisioning != "updating" {
			t.Error("no upgrade began")
		}
		b.upgrade(demoSet, "0").refused(409, "Conflict")
		var foreign []string
		for _, w := range b.sim.Writes() {
			if w.By == "fault" {
				foreign = append(foreign, w.Action+" "+strings.Join(w.Started, ","))
			}
		}
		if !slices.Equal(foreign, []string{"PATCH ", "PATCH ", "manualupgrade 6,7"}) {
			t.Errorf("record %q", foreign)
		}
	})
}

func TestFaultsThatCannotBeAreRefused(t *testing.T) {
	sim, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		f    Fault
		says string
	}{
		{Fault{Kind: "meteor"}, "born, cancel-rolling, change-model,"},
		{Fault{Kind: "vanish", Set: "myvmss"}, "it needs an instance"},
		{Fault{Kind: "vanish", Set: "myvmss", Instance: "99"}, `has no instance "99"`},
		{Fault{Kind: "vanish", Set: "nope", Instance: "0"}, `0 scale sets are called "nope"`},
		{Fault{Kind: "slow", Set: "nope"}, `0 scale sets are called "nope"`},
		{Fault{Kind: "slow", When: "during"}, `not "during"`},
		{Fault{Kind: "evict", Set: "myvmss", Instance: "0"}, "scale set myvmss is not Spot"},
		{Fault{Kind: "evict", Set: "batch-spot"}, "it needs an instance"},
		{Fault{Kind: "scale", Set: "myvmss"}, "scale set myvmss has no autoscale setting that is enabled"},
		{Fault{Kind: "change-model", Set: "myvmss"}, "a version or a patch"},
		{Fault{Kind: "change-model", Set: "myvmss", Patch: []byte(`[]`)}, "patch:"},
	}
	for _, r := range rows {
		if err := sim.Inject(r.f); err == nil || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%+v: %v, want %q in it", r.f, err, r.says)
		}
	}
}

func TestEveryKindOfFaultStrikesAndIsCounted(t *testing.T) {
	for kind := range faultKinds {
		t.Run(kind, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				f := Fault{Kind: kind, Set: "myvmss", Delay: Duration(time.Millisecond)}
				if kind == "evict" {
					f.Set = "batch-spot"
				}
				switch {
				case slices.Contains(onInstance, kind):
					f.Instance = "3"
				case kind == "scale":
					f.Set = "media-scaled"
				case kind == "change-model":
					f.Version = "4.0.20160229"
				case kind == "foreign-upgrade", kind == "foreign-rolling":
					b.patchVersion(demoSet, "4.0.20160229")
				}
				b.inject(f)
				b.web.Timeout = time.Minute       // some answers never end
				b.try("GET", demoSet+testVer, "") // and some kinds let this fail
				if slices.Contains(lroKinds, kind) {
					b.upgrade(demoSet, "0").want(202)
				}
				if got := b.sim.Stats().Faults[kind]; got != 1 {
					t.Errorf("struck %d times", got)
				}
			})
		})
	}
}
