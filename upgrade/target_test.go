package upgrade

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestATargetIsPinnedToOneImage(t *testing.T) {
	gallery := func(v string) func(*ScaleSet) { return func(s *ScaleSet) { s.Model.Image = Image{ID: ubuntu + v} } }
	anyImage := func(p *Policy) {
		p.AllowedImages = []string{"/sub*", "canonical:*", "https://shop.blob.core.windows.net/*"}
	}
	for _, row := range []struct {
		name   string
		ask    Ask
		set    func(*ScaleSet)
		policy func(*Policy)
		want   Image
		hazard string
	}{
		{name: "a version of the image that the set runs", ask: ask("2.0"), want: v2},
		{name: "R43 latest is the newest that may be used", ask: ask("latest"), want: v2},
		{name: "another SKU, with its version", ask: ask("24.1", func(a *Ask) { a.SKU = "24_04-lts" }), policy: anyImage,
			want: Image{Publisher: "Canonical", Offer: "jammy", SKU: "24_04-lts", Version: "24.1"}, hazard: "another SKU: canonical:jammy:24_04-lts"},
		{name: "the latest of another SKU", ask: ask("latest", func(a *Ask) { a.SKU = "24_04-lts" }), policy: anyImage,
			want: Image{Publisher: "Canonical", Offer: "jammy", SKU: "24_04-lts", Version: "24.1"}},
		{name: "a version of the gallery image that the set runs", ask: ask("1.10.0"), set: gallery("/versions/1.9.0"), want: Image{ID: ubuntu + "/versions/1.10.0"}},
		{name: "R43 the latest of it: neither excluded nor missing in the region", ask: ask("latest"), set: gallery("/versions/1.9.0"), want: Image{ID: ubuntu + "/versions/1.10.0"}},
		{name: "R43 of a set that followed it, which is said", ask: ask("latest"), set: gallery(""), want: Image{ID: ubuntu + "/versions/1.10.0"}, hazard: "follows latest: after this it is pinned"},
		{name: "a version that is excluded from latest may be named", ask: ask("1.11.0"), set: gallery("/versions/1.9.0"), want: Image{ID: ubuntu + "/versions/1.11.0"}},
		{name: "R43 the id of a gallery image without a version is its latest", ask: ask(ubuntu), set: gallery("/versions/1.9.0"), want: Image{ID: ubuntu + "/versions/1.10.0"}},
		{name: "the id of another kind, where the policy permits it", ask: ask(golden), policy: anyImage, want: Image{ID: golden}, hazard: "from a platform image to a managed image: Azure may refuse"},
		{name: "a VHD, where the policy permits it", ask: ask("https://shop.blob.core.windows.net/os/b.vhd"), policy: anyImage,
			set:  func(s *ScaleSet) { s.Model.Image = Image{URI: "https://shop.blob.core.windows.net/os/a.vhd"} },
			want: Image{URI: "https://shop.blob.core.windows.net/os/b.vhd"}, hazard: "nobody looks whether the VHD is there"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d, c, _ := deskAt(night)
			pol := webPolicy()
			if row.set != nil {
				row.set(&c.set)
			}
			if row.policy != nil {
				row.policy(&pol)
			}
			d.Policies = func() []Policy { return []Policy{pol} }
			p, err := d.Plan(context.Background(), ana, row.ask)
			if err != nil {
				t.Fatal(err)
			}
			if p.Target.Image != row.want || p.Target.Follows() {
				t.Errorf("pinned to %+v", p.Target.Image)
			}
			if !strings.Contains(strings.Join(p.Hazards, "\n"), row.hazard) {
				t.Errorf("hazards %q", p.Hazards)
			}
		})
	}
}

// closed is a catalogue that nobody may look into.
type closed struct{ Catalogue }

func (closed) Version(context.Context, string, Image) (ImageVersion, error) { panic("looked up") }

func (closed) Versions(context.Context, string, Image) ([]ImageVersion, error) { panic("listed") }

func TestR45WhatASetMayNotRunIsNotLookedUp(t *testing.T) {
	for _, target := range []string{golden, ubuntu, ubuntu + "/versions/1.9.0", "/CommunityGalleries/acme/Images/node", "https://shop.blob.core.windows.net/os/b.vhd"} {
		d, _, _ := deskAt(night)
		d.Catalogue = closed{d.Catalogue}
		_, err := d.Plan(context.Background(), ana, ask(target))
		if no := refusal(t, err); no.Code != CodePolicy {
			t.Errorf("%s: refused %s: %s", target, no.Code, no.What)
		}
	}
}

func TestATargetIsRefusedWithTheWayOn(t *testing.T) {
	onGallery := func(s *ScaleSet) { s.Model.Image = Image{ID: ubuntu + "/versions/1.9.0"} }
	onManaged := func(s *ScaleSet) { s.Model.Image = Image{ID: golden} }
	for _, row := range []struct {
		name string
		ask  Ask
		set  func(*ScaleSet)
		code Code
		says string
	}{
		{"R45 a version that is not in the region", ask("1.12.0"), onGallery, CodePolicy, "it is in northeurope only"},
		{"R43 a version that is not in the gallery", ask("1.10.1"), onGallery, CodeUnknown, "it has 1.12.0, 1.11.0, 1.10.0, 1.9.0. Did you mean `1.10.0`?"},
		{"R45 another image, which the policy does not name", ask(golden), nil, CodePolicy, "name it under allowed_images in the set's policy"},
		{"R43 a managed image that does not exist", ask(golden + "9"), func(s *ScaleSet) { s.Model.Image = Image{ID: golden + "9"} }, CodeUnknown, "there is no managed image golden-29"},
		{"a version of what has none", ask("2.0"), onManaged, CodePolicy, "runs a managed image, which has no versions: name the image"},
		{"R43 a version, for a model that follows latest, as what the model says", ask("model"), func(s *ScaleSet) { s.Model.Image = Image{ID: ubuntu} }, CodePolicy, "follows latest: name a version instead"},
		{"a SKU of what has none", ask("1.10.0", func(a *Ask) { a.SKU = "x" }), onGallery, CodeArg, "sku= is about platform images"},
		{"R45 a VHD, which takes the policy's leave", ask("https://shop.blob.core.windows.net/os/b.vhd"), nil, CodePolicy, "(allowed: none)"},
		{"a VM size that Azure does not offer", ask("", func(a *Ask) { a.Size = "Standard_D4s_v4" }), nil, CodeUnknown, "Did you mean `Standard_D"},
		{"a VM size for fewer instances", ask("", func(a *Ask) { a.Size = "Standard_L80" }), nil, CodePolicy, "3 instances of size Standard_L80 at most, and web has 6"},
		{"R4 a VM size for a set of several, to which nothing could put it back", ask("", func(a *Ask) { a.Size = "Standard_D4s_v5" }), func(s *ScaleSet) { s.Model.Size = "" }, CodePolicy, "the model of web names no one VM size"},
		{"R33 the VM size that the set has", ask("", func(a *Ask) { a.Size = "standard_d2s_v5" }), nil, CodeNothing, "6 already current"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d, c, _ := deskAt(night)
			sized(&c.set)
			if row.set != nil {
				row.set(&c.set)
			}
			_, err := d.Plan(context.Background(), ana, row.ask)
			if no := refusal(t, err); no.Code != row.code || !strings.Contains(no.What, row.says) || no.Code != CodeArg && no.Next == "" {
				t.Errorf("refused %s: %s (next: %s)", no.Code, no.What, no.Next)
			}
		})
	}
}

// sized gives a set and its instances a VM size.
func sized(s *ScaleSet) {
	s.Model.Size = "Standard_D2s_v5"
	for n := range s.Instances {
		s.Instances[n].Size = s.Model.Size
	}
}

// larger asks for another VM size of web.
func larger(s *ScaleSet, _ *Policy, w *Wish) {
	sized(s)
	w.Target = Target{Setting: Setting{Size: "Standard_D4s_v5"}}
}

func TestAResizeIsAPlanLikeAnyOther(t *testing.T) {
	p := webPlan(larger)
	if p.Action != ActionResize || gatesOf(p) != "UD 0=0,3; UD 1=1,4; UD 2=2,5" || p.From.Size != "Standard_D2s_v5" || p.Beside.Image != v1 {
		t.Errorf("planned %s from %s beside %s", gatesOf(p), p.From, p.Beside)
	}
	if p.Digest == webPlan().Digest {
		t.Error("R20: agreed to as an upgrade is")
	}
	upgraded := webPlan(func(s *ScaleSet, pol *Policy, w *Wish) { sized(s); s.Model.Size = "Standard_D4s_v5" })
	if len(upgraded.Pending) != 1 || !strings.Contains(upgraded.Pending[0], "the model's VM size, too: Standard_D4s_v5") {
		t.Errorf("R41: pending %q", upgraded.Pending)
	}
}

func TestAResizeRunsAndComesBack(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		sized(&l.cloud.set)
		p := webPlan(larger)
		l.plan(p)
		l.until("its end", hasEnded)
		if r := l.rollout("r-1"); r.Ended.Outcome != OutcomeSucceeded || r.Model.To.Size != "Standard_D4s_v5" || r.Ended.Tally.OnNew != 6 {
			t.Fatalf("ended %+v", r.Ended)
		}
		if op := l.applied[0]; op.Kind != OpModel || op.To != (Setting{Size: "Standard_D4s_v5"}) || op.IfMatch == "" {
			t.Errorf("R37: wrote %+v", op)
		}
		back, no := Undo(p, l.rollout("r-1"), l.cloud.set, webPolicy(), "UANA", time.Now())
		if no != nil || back.Target.Size != "Standard_D2s_v5" || back.Gates[0].Key != "ud-2" || back.Size() != 6 {
			t.Errorf("R5: back to %s, %s (%v)", back.Target, gatesOf(back), no)
		}
	})
}

// A resize promises that disks stay: what a new one would cure is left to an upgrade.
func TestR6AResizeTriedOnceMoreTakesNoDisk(t *testing.T) {
	inLab(t, tale{requested}, func(l *lab) {
		sized(&l.cloud.set)
		l.plan(webPlan(larger))
		l.fails("3")
		l.until("the hold", l.held(ReasonFailure))
		l.say("r-1", "UANA", Retried{Name: "ana", IDs: []string{"3"}, Gates: []string{"ud-0"}})
		l.until("the second try", func(r Rollout) bool { return r.Instances["3"].Tries == 2 })
		l.heals("3")
		l.until("its end", hasEnded)
		for _, op := range l.applied {
			if op.Kind == OpReimage {
				t.Errorf("it gave a new disk to %v", op.Instances)
			}
		}
		if r := l.rollout("r-1"); r.Ended.Outcome != OutcomeSucceeded || r.Ended.Tally.OK != 6 {
			t.Errorf("ended %+v", r.Ended)
		}
	})
}

func TestWhatAPlanDoesNotSetMustStay(t *testing.T) {
	runRows(t, []decideRow{
		{name: "R34 a VM size that somebody else changed stops an upgrade: it would come with it", plan: func(s *ScaleSet, _ *Policy, _ *Wish) { sized(s) },
			seen: set(func(s *ScaleSet) { sized(s); s.Model.Size = "Standard_D4s_v5" }), kind: Hold, reason: ReasonDrift, says: "the model's size is Standard_D4s_v5, not Standard_D2s_v5"},
		{name: "R34 the size in other letters is the same", plan: func(s *ScaleSet, _ *Policy, _ *Wish) { sized(s) },
			seen: set(func(s *ScaleSet) { sized(s); s.Model.Size = "STANDARD_D2S_V5" }), kind: AskGate, reason: ReasonApproval},
		{name: "R34 an image that somebody else set stops a resize", plan: larger, seen: set(func(s *ScaleSet) { sized(s); s.Model.Image = v2 }),
			kind: Hold, reason: ReasonDrift, says: "the model's image is 2.0, not 1.0"},
		{name: "R41 the size goes into the model after the first yes", tale: tale{requested, granted("ud-0")}, plan: larger, seen: set(sized), kind: SetModel},
		{name: "R44 an instance that moved to another zone stops a plan by zone", plan: func(s *ScaleSet, _ *Policy, w *Wish) { zoned(s); w.Order.By = ByZone },
			seen: all(set(zoned), instance("0", func(i *Instance) { i.Zone = "2" })), kind: Hold, reason: ReasonDrift, says: "instance 0 moved from zone 1 to zone 2"},
		{name: "and no plan by update domain", plan: func(s *ScaleSet, _ *Policy, w *Wish) { zoned(s) },
			seen: all(set(zoned), instance("0", func(i *Instance) { i.Zone = "2" })), kind: AskGate, reason: ReasonApproval},
	})
}

func TestWhatIsOfferedInPlaceOfASizeCostsAboutTheSame(t *testing.T) {
	for size, want := range map[string]string{"Standard_D4s_v5": "4", "standard_d16as_v4": "16", "D8s_v5": "8", "Standard_NC24ads_A100_v4": "24", "Standard_": "", "": "", "big": ""} {
		if got := cores(size); got != want {
			t.Errorf("%s has %q, want %q", size, got, want)
		}
	}
}
