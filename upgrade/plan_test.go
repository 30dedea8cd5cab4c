package upgrade

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// planChange changes what web's plan is made from.
type planChange func(*ScaleSet, *Policy, *Wish)

func TestNewPlanRefuses(t *testing.T) {
	aki := func(f func(*ScaleSet)) planChange { return func(s *ScaleSet, _ *Policy, _ *Wish) { f(s) } }
	every := func(f func(*Instance)) planChange {
		return aki(func(s *ScaleSet) {
			for n := range s.Instances {
				f(&s.Instances[n])
			}
		})
	}
	for _, row := range []struct {
		name string
		with planChange
		code Code
		says string // part of what is said
	}{
		{"R35 R45 upgrade mode Automatic", aki(func(s *ScaleSet) { s.UpgradeMode = Automatic }), CodePolicy, "upgradePolicy.mode to Manual"},
		{"R35 R45 upgrade mode Rolling", aki(func(s *ScaleSet) { s.UpgradeMode = Rolling }), CodePolicy, "upgradePolicy.mode to Manual"},
		{"R35 R45 an upgrade mode that is not told", aki(func(s *ScaleSet) { s.UpgradeMode = "" }), CodePolicy, "Manual"},
		{"R45 automatic OS upgrades", aki(func(s *ScaleSet) { s.AutoOSUpgrade = true }), CodePolicy, "enableAutomaticOSUpgrade to false"},
		{"R45 a native rolling upgrade", aki(func(s *ScaleSet) { s.Rolling = true }), CodePolicy, "wait for it or cancel it"},
		{"R45 a set that AKS owns", aki(func(s *ScaleSet) { s.Owner = "AKS" }), CodePolicy, "managed by AKS"},
		{"R44 update domains of a Flexible set, which has none", func(s *ScaleSet, _ *Policy, w *Wish) { s.Mode, w.Which.UpdateDomains = Flexible, []int{0} }, CodeArg, "no update domains to go by. Choose with batch= or vm="},
		{"R44 one update domain after another of a Flexible set", func(s *ScaleSet, _ *Policy, w *Wish) { s.Mode, w.Order.By = Flexible, ByUpdateDomain }, CodeArg, "no update domains to go by"},
		{"R44 fault domains of a Flexible set", func(s *ScaleSet, _ *Policy, w *Wish) { s.Mode, w.Which.FaultDomains = Flexible, []int{0} }, CodeArg, "does not tell the fault domains"},
		{"R44 zones of a set that is in none", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.Zones = []string{"1"} }, CodeArg, "in no availability zones. Choose with"},
		{"R44 one zone after another of such a set", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Order.By = ByZone }, CodeArg, "in no availability zones"},
		{"R44 a fault domain that does not exist", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.FaultDomains = []int{4} }, CodeArg, "fd=4: web has FD 0-1"},
		{"R44 a zone that does not exist", func(s *ScaleSet, _ *Policy, w *Wish) { zoned(s); w.Which.Zones = []string{"4"} }, CodeArg, "zone=4: web is in zone 1, 2, 3"},
		{"R42 an instance that does not exist", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.Instances = []string{"0", "9"} }, CodeArg, "no instance 9: it has 6, from 0 to 5"},
		{"R42 an instance to leave out that does not exist", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.Skip = []string{"9"} }, CodeArg, "no instance 9"},
		{"R33 a selection that leaves all of itself out", func(_ *ScaleSet, _ *Policy, w *Wish) {
			w.Which.Instances, w.Which.Skip = []string{"0"}, []string{"0"}
		}, CodeNothing, "1 left out, as asked for"},
		{"R30 a way back where somebody else writes the model", func(s *ScaleSet, _ *Policy, w *Wish) {
			s.Model.Image, w.Target, w.Limits.OnFailure = v2, Target{Setting: to(v2), Model: true}, RollbackOnFailure
		}, CodeArg, "on-failure=abort"},
		{"R21 nothing but canaries", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Order.Canary = 9 }, CodeArg, "one yes would cover everything. Smallest change: canary=1"},
		{"R33 a choice that nothing is in", func(_ *ScaleSet, _ *Policy, w *Wish) {
			w.Which.UpdateDomains, w.Which.Instances = []int{0}, []string{"1"}
		}, CodeNothing, "no instance is in all that was chosen"},
		{"R41 a resize that would bring another image along", func(s *ScaleSet, pol *Policy, w *Wish) { larger(s, pol, w); s.Model.Image = v2 }, CodePolicy,
			"instances 0 1 2 3 4 5 are not on the model's image 2.0: with the size they would get that image, too, and a new OS disk"},
		{"R41 a resize of a set that follows latest", func(s *ScaleSet, pol *Policy, w *Wish) { larger(s, pol, w); s.Model.Image = version(Latest) }, CodePolicy, "pin the image first"},
		{"R45 another SKU that is older, where the policy permits no downgrades", func(s *ScaleSet, pol *Policy, w *Wish) {
			pol.AllowedImages = []string{"canonical:*"}
			w.Target = Target{Setting: to(Image{Publisher: "Canonical", Offer: "jammy", SKU: "20_04-lts", Version: "0.9"})}
		}, CodePolicy, "permits no downgrades"},
		{"R45 a VHD that the policy does not name", func(s *ScaleSet, _ *Policy, w *Wish) {
			s.Model.Image, w.Target = Image{URI: "https://shop.blob.core.windows.net/os/a.vhd"}, Target{Setting: to(Image{URI: "https://shop.blob.core.windows.net/os/b.vhd"})}
		}, CodePolicy, "not an image web may run (allowed: none)"},
		{"R45 an older version in the same gallery", func(s *ScaleSet, _ *Policy, w *Wish) {
			s.Model.Image, w.Target = Image{ID: ubuntu + "/versions/1.10.0"}, Target{Setting: to(Image{ID: ubuntu + "/versions/1.9.0"})}
		}, CodePolicy, "permits no downgrades"},
		{"a set that is being deleted", aki(func(s *ScaleSet) { s.Provisioning = Deleting }), CodePolicy, "deleted"},
		{"R44 an update domain that does not exist", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.UpdateDomains = []int{1, 7} }, CodeArg, "ud=7: web has UD 0-2"},
		{"R44 one between domains that exist", func(s *ScaleSet, _ *Policy, w *Wish) {
			s.Instances = slices.DeleteFunc(s.Instances, func(i Instance) bool { return i.UpdateDomain == 1 })
			w.Which.UpdateDomains = []int{1}
		}, CodeArg, "web has UD 0, 2"},
		{"R45 an image of another family", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Target.Image.SKU = "24_04-lts" }, CodePolicy, "canonical:jammy:22_04-lts"},
		{"R45 an image that is not on the set's list", func(_ *ScaleSet, p *Policy, _ *Wish) { p.AllowedImages = []string{"contoso:own:1"} }, CodePolicy, "allowed: contoso:own:1"},
		{"R45 a model that is not on the set's list", func(_ *ScaleSet, p *Policy, w *Wish) {
			p.AllowedImages = []string{"contoso:own:1"}
			w.Target = Target{Setting: to(v1), Model: true}
		}, CodePolicy, "allowed"},
		{"R5 an older version, where the policy permits none", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Target.Image = version("0.9") }, CodePolicy, "permits no downgrades"},
		{"R43 an older version than a set that follows latest runs", func(s *ScaleSet, _ *Policy, w *Wish) {
			s.Model.Image, w.Target.Image = version("latest"), version("0.9")
		}, CodePolicy, "0.9 is older than 1.0"},
		{"a limit with which nothing could ever go", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.MaxUnavailable = 0 }, CodePolicy, "max-unavailable=1"},
		{"R42 a batch cap with which nothing could ever go", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.BatchCap = 0 }, CodePolicy, "cap of 1"},
		{"R33 a set of no instances has nothing to do", func(s *ScaleSet, _ *Policy, w *Wish) { s.Instances, w.Limits.MaxUnavailable = nil, 0 }, CodeNothing, "no instances"},
		{"R33 a set that is current has nothing to do", every(func(i *Instance) { i.Image = runs(v2) }), CodeNothing, "6 already current"},
		{"R33 nor has one that is protected or deallocated", func(s *ScaleSet, _ *Policy, _ *Wish) {
			for n := range s.Instances {
				s.Instances[n].Protected = n < 4
				s.Instances[n].Power = map[bool]Power{true: Running, false: Deallocated}[n < 4]
			}
		}, CodeNothing, "4 protected · 2 deallocated"},
		{"R33 nor one whose selected domain is current", func(s *ScaleSet, _ *Policy, w *Wish) {
			s.Instances[0].Image, s.Instances[3].Image, w.Which.UpdateDomains = runs(v2), runs(v2), []int{0}
		}, CodeNothing, "2 already current"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, pol, w := web(), webPolicy(), webWish()
			row.with(&s, &pol, &w)
			_, no := NewPlan(s, pol, w, night)
			if no == nil || no.Code != row.code || !strings.Contains(no.What, row.says) {
				t.Errorf("refusal %v, want %s with %q", no, row.code, row.says)
			}
		})
	}
}

func TestNewPlanTakesUpdateDomainsInOrder(t *testing.T) {
	shape := func(p Plan) string {
		var out []string
		for _, g := range p.Gates {
			out = append(out, g.Title+"="+strings.Join(g.IDs(), ","))
		}
		for _, s := range p.Skipped {
			out = append(out, s.ID+" "+string(s.Reason))
		}
		return strings.Join(out, "; ")
	}
	for _, row := range []struct {
		name string
		with planChange
		want string
	}{
		{"R44 all of them, as they are found", func(*ScaleSet, *Policy, *Wish) {}, "UD 0=0,3; UD 1=1,4; UD 2=2,5"},
		{"R44 the selected ones only", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.UpdateDomains = []int{2, 0, 2} }, "UD 0=0,3; UD 2=2,5"},
		{"R44 more than five, and with gaps", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Instances[5].UpdateDomain = 19 }, "UD 0=0,3; UD 1=1,4; UD 2=2; UD 19=5"},
		{"R44 UD 0 of every placement group is UD 0", func(s *ScaleSet, _ *Policy, w *Wish) {
			s.Instances[0].Placement, s.Instances[3].Placement, w.Which.UpdateDomains = "g1", "g2", []int{0}
		}, "UD 0=0,3"},
		{"current and protected instances are skipped and listed", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Instances[0].Image, s.Instances[4].Protected = runs(v2), true }, "UD 0=3; UD 1=1; UD 2=2,5; 0 already current; 4 protected"},
		{"a domain with nothing to do is no gate", func(s *ScaleSet, _ *Policy, _ *Wish) {
			s.Instances[1].Image, s.Instances[4].Provisioning = runs(v2), Deleting
		}, "UD 0=0,3; UD 2=2,5; 1 already current; 4 being deleted"},
		{"an instance in no domain is listed", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Instances[0].UpdateDomain = -1 }, "UD 0=3; UD 1=1,4; UD 2=2,5; 0 in no domain that Azure tells"},
		{"R43 the exact version counts, not the word latest", func(s *ScaleSet, _ *Policy, _ *Wish) {
			s.Instances[0].Image.Version, s.Instances[0].Image.Exact = "latest", "2.0"
		}, "UD 0=3; UD 1=1,4; UD 2=2,5; 0 already current"},
		{"R5 what is on a newer version is never taken back, not even by the model", func(s *ScaleSet, _ *Policy, w *Wish) {
			w.Target = Target{Setting: to(v1), Model: true}
			for i := range s.Instances {
				s.Instances[i].LatestModel = false
			}
			s.Instances[0].Image, s.Instances[3].Image = runs(v2), runs(v2)
		}, "UD 1=1,4; UD 2=2,5; 0 on a newer version; 3 on a newer version"},
		{"R5 but where the policy permits it", func(s *ScaleSet, pol *Policy, w *Wish) {
			w.Target, pol.Downgrades = Target{Setting: to(v1), Model: true}, true
			s.Instances[0].Image, s.Instances[0].LatestModel = runs(v2), false
		}, "UD 0=0; 1 already current; 2 already current; 3 already current; 4 already current; 5 already current"},
		{"R41 target model takes whatever lacks the model", func(s *ScaleSet, _ *Policy, w *Wish) {
			w.Target = Target{Setting: to(v1), Model: true}
			s.Instances[2].LatestModel = false
		}, "UD 2=2; 0 already current; 1 already current; 3 already current; 4 already current; 5 already current"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := shape(webPlan(row.with)); got != row.want {
				t.Errorf("planned %s\n   want %s", got, row.want)
			}
		})
	}
}

func TestR20WhatTheDigestCovers(t *testing.T) {
	base := webPlan()
	if again := webPlan(); again.Digest != base.Digest || len(base.Digest) != 32 || base.Short() != base.Digest[:4] {
		t.Fatalf("the same plan has digests %s and %s", base.Digest, again.Digest)
	}
	for _, row := range []struct {
		name    string
		with    planChange
		covered bool
	}{
		{"the set", func(s *ScaleSet, _ *Policy, _ *Wish) { s.ID += "2" }, true},
		{"the target", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Target.Image = version("2.1") }, true},
		{"target model or not", func(s *ScaleSet, _ *Policy, w *Wish) { s.Model.Image, w.Target.Model = v2, true }, true},
		{"the model's image", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Model.Image = version("1.1") }, true},
		{"the instances", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Instances = s.Instances[:5] }, true},
		{"which gate an instance is in", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Instances[0].UpdateDomain = 1 }, true},
		{"the selection, where it matters", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Which.UpdateDomains = []int{0} }, true},
		{"max-unavailable", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.MaxUnavailable = 1 }, true},
		{"max-failures", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.MaxFailures = 1 }, true},
		{"the soak", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.Soak = time.Hour }, true},
		{"the bake", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.Bake = time.Hour }, true},
		{"the deadline", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Limits.Deadline = time.Hour }, true},
		{"who may approve", func(_ *ScaleSet, p *Policy, _ *Wish) { p.Approvers = append(p.Approvers, "UDAN") }, true},
		{"how many must", func(_ *ScaleSet, p *Policy, _ *Wish) { p.Approvals = 2 }, true},
		{"extensions", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Model.Sections = map[Section]string{SectionExtensions: "z"} }, true},
		{"the size beside the image", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Model.Size = "Standard_D4s_v5" }, true},
		{"the etag", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Etag = `"2"` }, false},
		{"the capacity", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Capacity = 60 }, false},
		{"who asks", func(_ *ScaleSet, _ *Policy, w *Wish) { w.By = "UEVA" }, false},
		{"the note", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Note = "CHG-1" }, false},
		{"the word that was pinned", func(_ *ScaleSet, _ *Policy, w *Wish) { w.Pinned = "latest" }, false},
		{"health", func(s *ScaleSet, _ *Policy, _ *Wish) { s.Instances[0].Health = Unhealthy }, false},
		{"when the set was read", func(s *ScaleSet, _ *Policy, _ *Wish) { s.SeenAt = night.Add(time.Hour) }, false},
	} {
		t.Run("R20 "+row.name, func(t *testing.T) {
			if got := webPlan(row.with).Digest != base.Digest; got != row.covered {
				t.Errorf("another digest: %v, want %v", got, row.covered)
			}
		})
	}
	// A canary that is all of it is the only gate, whatever the domains are; but into which others an instance
	// may move meanwhile depends on these.
	canary := func(by By) string {
		return webPlan(func(s *ScaleSet, _ *Policy, w *Wish) {
			w.Order, w.Which.Instances = Order{By: by, Canary: 1}, []string{"0"}
			for n := range s.Instances {
				s.Instances[n].FaultDomain = s.Instances[n].UpdateDomain
			}
		}).Digest
	}
	if canary(ByUpdateDomain) == canary(ByFaultDomain) {
		t.Error("R20: what the plan goes by is not in the digest")
	}
	body, err := json.Marshal(base)
	var read Plan
	if err == nil {
		err = json.Unmarshal(body, &read)
	}
	if err != nil || read.digest() != base.Digest {
		t.Errorf("R20: read back from the journal its digest is %s, not %s (%v)", read.digest(), base.Digest, err)
	}
}

func TestAPlanTellsWhatPeopleMustKnow(t *testing.T) {
	p := webPlan(func(s *ScaleSet, pol *Policy, w *Wish) {
		pol.Downgrades, w.Target.Image = true, version("0.9")
		s.HealthSource, s.AutoRepairs, s.EphemeralOS, s.ImageNotice = false, true, true, true
		s.Instances[1].LatestModel, s.Instances[2].Health = false, Unhealthy
		w.Hazards = []string{"one more"}
	})
	told := strings.Join(slices.Concat(p.Hazards, p.Pending), "\n")
	for _, want := range []string{"no health signal", "automatic repairs", "ephemeral", "notification", "one more", "which instance 1 will get, too"} {
		if !strings.Contains(told, want) {
			t.Errorf("R41: %q is not told:\n%s", want, told)
		}
	}
	if !p.Downgrade || p.Total != 6 || p.Available != 5 || p.Size() != 6 {
		t.Errorf("downgrade %v, %d of %d available, %d to go", p.Downgrade, p.Available, p.Total, p.Size())
	}
	never := webPlan(func(s *ScaleSet, _ *Policy, _ *Wish) {
		s.Instances[1].LatestModel, s.Instances[1].Protected = false, true
		s.Instances[2].LatestModel, s.Instances[2].Provisioning = false, Failed
		s.Instances[4].Image, s.Instances[4].Health = runs(v2), Unhealthy
	})
	if len(never.Pending) > 0 || !slices.Contains(never.Skipped, Skip{"4", SkipIll}) {
		t.Errorf("told of changes that nobody gets: %q; skipped %v", never.Pending, never.Skipped)
	}
	pinned := webPlan(func(s *ScaleSet, _ *Policy, _ *Wish) { s.Model.Image = version("latest") })
	if !strings.Contains(strings.Join(pinned.Hazards, ""), "follows latest") {
		t.Errorf("R43: pinning a set that follows latest is not said: %q", pinned.Hazards)
	}
}

func TestPlanLookUps(t *testing.T) {
	p := webPlan()
	if g, at := p.Gate("ud-1"); at != 1 || g.Title != "UD 1" {
		t.Errorf("gate ud-1 is %q at %d", g.Title, at)
	}
	if _, at := p.Gate("ud-9"); at != -1 {
		t.Errorf("a gate that does not exist is at %d", at)
	}
	if m, g, ok := p.Member("4"); !ok || m.UpdateDomain != 1 || g.Key != "ud-1" || m.From.Running() != "1.0" {
		t.Errorf("instance 4 is %+v in %s", m, g.Key)
	}
	if _, _, ok := p.Member("99"); ok {
		t.Error("an instance that does not exist was found")
	}
	if (Plan{}).Short() != "" {
		t.Error("a plan without a digest has a short one")
	}
}

func TestCompareVersions(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{
		{"4.0.20160101", "4.0.20160229", -1},
		{"22.04.202310190", "22.04.202401170", -1},
		{"1.10.0", "1.9.0", 1},
		{"1.0", "1.0.0", 0},
		{"1.0", "1.0.1", -1},
		{"01.007", "1.7", 0},
		{"18446744073709551616", "18446744073709551615", 1},
		{"99999999999999999999999", "100000000000000000000000", -1},
		{"1.0", "1.0", 0},
		{"", "0", 0},
		{"1.a", "1.b", -1},
	} {
		if got := CompareVersions(row.a, row.b); got != row.want {
			t.Errorf("%q to %q: %d, want %d", row.a, row.b, got, row.want)
		}
		if got := CompareVersions(row.b, row.a); got != -row.want {
			t.Errorf("%q to %q: %d, want %d", row.b, row.a, got, -row.want)
		}
	}
}

func TestAPlanForetellsThatItWouldWait(t *testing.T) {
	down := func(ids ...int) planChange {
		return func(s *ScaleSet, _ *Policy, _ *Wish) {
			for _, i := range ids {
				s.Instances[i].Power = Deallocated
			}
		}
	}
	for _, row := range []struct {
		name string
		with planChange
		want string
	}{
		{"R27 the limit is used up by instances that are passed by", down(4, 5), "out of service already: instances 4 5, and max-unavailable is 2"},
		{"R27 there is room left", down(4), ""},
		{"R27 what the first gate has may serve, and the limit is used up", func(s *ScaleSet, p *Policy, w *Wish) {
			down(4, 5)(s, p, w)
			mute(&s.Instances[0])
			mute(&s.Instances[3])
		},
			"out of service already, or not known to serve: instances 0 3 4 5, and max-unavailable is 2. Smallest change: max-unavailable=3"},
		{"R27 there is room left for one of it", func(s *ScaleSet, p *Policy, w *Wish) { down(4)(s, p, w); mute(&s.Instances[0]); mute(&s.Instances[3]) }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := strings.Join(webPlan(row.with).Hazards, "; ")
			if strings.Contains(got, "would wait") != (row.want != "") || !strings.Contains(got, row.want) {
				t.Errorf("hazards %q, want %q", got, row.want)
			}
		})
	}
}
