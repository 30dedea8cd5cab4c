package view

import (
	"fmt"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	smaller = "Standard_D2s_v5"
	larger  = "Standard_D4s_v5"
	compute = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-images/providers/Microsoft.Compute/"
)

// sized gives the set's instances a VM size, and the wish another.
func (s *story) sized() {
	s.set.Model.Size = smaller
	for i := range s.set.Instances {
		s.set.Instances[i].Size = smaller
	}
	s.wish.Target.Setting = upgrade.Setting{Size: larger}
}

// runs lets the set's instances run an image, as its model says.
func (s *story) runs(i upgrade.Image) {
	s.set.Model.Image = i
	for n := range s.set.Instances {
		s.set.Instances[n].Image = i
	}
}

// ofGallery is a version of a gallery's image.
func (s *story) ofGallery(version string) upgrade.Image {
	return upgrade.Image{ID: compute + "galleries/shop_gallery/images/" + s.cast.offer + "/versions/" + version}
}

// targetStories are rollouts to what is no other version of the same platform image.
func targetStories(sh *shelf, c cast) {
	resizeStory(sh, c)
	for _, t := range []struct {
		name     string
		from, to func(*story) upgrade.Image
	}{
		{"of a gallery image", func(s *story) upgrade.Image { return s.ofGallery("1.4.0") }, func(s *story) upgrade.Image { return s.ofGallery("1.5.0") }},
		{"of a community gallery", func(s *story) upgrade.Image {
			return upgrade.Image{ID: "/CommunityGalleries/Shop-3b1f0a4e/Images/" + c.offer + "/Versions/20231019.1.0"}
		}, func(s *story) upgrade.Image {
			return upgrade.Image{ID: "/CommunityGalleries/Shop-3b1f0a4e/Images/" + c.offer + "/Versions/20240117.1.0"}
		}},
		{"of a shared gallery", func(s *story) upgrade.Image {
			return upgrade.Image{ID: "/SharedGalleries/4c7d-SHOP/Images/" + c.offer + "/Versions/1.4.0"}
		}, func(s *story) upgrade.Image {
			return upgrade.Image{ID: "/SharedGalleries/4c7d-SHOP/Images/" + c.offer + "/Versions/1.5.0"}
		}},
		{"of a managed image", func(s *story) upgrade.Image { return upgrade.Image{ID: compute + "images/web-2023-10-" + c.offer} },
			func(s *story) upgrade.Image { return upgrade.Image{ID: compute + "images/web-2024-01-" + c.offer} }},
		{"of a VHD", func(s *story) upgrade.Image {
			return upgrade.Image{URI: "https://shopimages.blob.core.windows.net/vhds/web-1.vhd"}
		}, func(s *story) upgrade.Image {
			return upgrade.Image{URI: "https://shopimages.blob.core.windows.net/vhds/web-2.vhd"}
		}},
		{"of another SKU", func(s *story) upgrade.Image { return s.image(c.old) }, func(s *story) upgrade.Image {
			i := s.image("24.04.202404160")
			i.SKU = "24_04-lts-gen2"
			return i
		}},
		{"from platform to gallery", func(s *story) upgrade.Image { return s.image(c.old) }, func(s *story) upgrade.Image { return s.ofGallery("1.5.0") }},
	} {
		s := begin(c, 10, func(s *story) {
			s.runs(t.from(s))
			s.wish.Target.Image = t.to(s)
			s.pol.AllowedImages = []string{s.set.Model.Image.Family(), s.wish.Target.Family()}
		})
		sh.add("plan/"+t.name, s, upgrade.SlotPlan)
		s.look()
		sh.add("card/"+t.name, s, "card/ud-0/1")
		s.gate()
		s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason, Answer: upgrade.Keep})
		s.look()
		sh.add("report/"+t.name, s, upgrade.SlotReport)
	}
	imageAnswers(sh, c)
}

// resizeStory is a change of the VM size, of which one instance fails, and what becomes of the model.
func resizeStory(sh *shelf, c cast) {
	s := begin(c, 20, func(s *story) {
		s.sized()
		s.azure(s.ids(12), func(i *upgrade.Instance) { i.Size = larger })
	})
	sh.add("plan/of a resize", s, upgrade.SlotPlan)
	s.look()
	sh.add("card/of a resize", s, "card/ud-0/1")
	ended := s.branch()
	s.approve("U0BO", c.approver, false)
	s.look()
	s.wait(time.Minute)
	ids := s.flying()
	s.azure(ids[:1], s.reimaged)
	s.azure(ids[1:2], func(i *upgrade.Instance) { s.reimaged(i); i.Health = upgrade.Initializing })
	s.look()
	sh.add("live/resizing", s, upgrade.SlotLive)
	sh.add("batch/resizing", s, "batch/1")
	s.azure(ids[1:], s.reimaged)
	s.fails(ids[2])
	for range 3 {
		s.look()
		s.wait(11 * time.Second)
	}
	sh.hold("failure of a resize", s)
	again := s.branch()
	again.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordRetry})
	again.look()
	sh.add("card/of a resize once more", again, "card/ud-0/2")
	s.hear("U0ANA", c.requester, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason})
	s.look()
	sh.add("model/of a resize", s, upgrade.SlotModel)
	s.hear("U0BO", c.approver, upgrade.Word{Verb: upgrade.WordModel, Answer: upgrade.Revert})
	s.look()
	sh.add("report/of a resize aborted", s, upgrade.SlotReport)
	ended.finish()
	sh.add("live/resized", ended, upgrade.SlotLive)
	sh.add("report/resized", ended, upgrade.SlotReport)
}

// imageAnswers are lists of what a set's image comes in.
func imageAnswers(sh *shelf, c cast) {
	s := begin(c, 20, nil)
	of := func(current upgrade.Image, versions ...upgrade.ImageVersion) commands.Images {
		return commands.Images{Set: upgrade.SetSummary{Name: c.set, ResourceGroup: c.group, Location: c.location}, Current: current, Versions: versions, Running: map[string]int{current.Running(): 20}}
	}
	show := func(name string, in commands.Images) {
		sh.reply("images, "+name, s.now, commands.Reply{Verb: commands.VerbImages, Request: "images " + c.set, Images: &in})
	}
	gone := upgrade.ImageVersion{Image: s.image(c.old + "2"), Deprecated: true, Note: c.message}
	list := of(s.image(c.old), upgrade.ImageVersion{Image: s.image(c.new)}, upgrade.ImageVersion{Image: s.image(c.old)}, gone)
	list.Running[c.new], list.Others = 2, 1
	show("platform", list)
	for n := range 60 {
		list.Versions = append(list.Versions, upgrade.ImageVersion{Image: s.image(fmt.Sprintf("20.04.2023%02d010", n))})
	}
	list.Older = 400
	show("many", list)
	newest := of(s.image(upgrade.Latest), upgrade.ImageVersion{Image: s.image(c.new)})
	show("latest", newest)
	show("newest already", of(s.image(c.new), upgrade.ImageVersion{Image: s.image(c.new)}, upgrade.ImageVersion{Image: s.image(c.old)}))
	day := func(d int) time.Time { return time.Date(2026, 11, d, 12, 0, 0, 0, time.UTC) }
	show("gallery", of(s.ofGallery("1.4.0"),
		upgrade.ImageVersion{Image: s.ofGallery("1.6.0"), Published: day(20), Unusable: "it is not replicated to " + c.location},
		upgrade.ImageVersion{Image: s.ofGallery("1.5.1"), Published: day(12), Excluded: true},
		upgrade.ImageVersion{Image: s.ofGallery("1.5.0"), Published: day(10)},
		upgrade.ImageVersion{Image: s.ofGallery("1.4.0"), Published: day(1)}))
	managed := func(name string) upgrade.ImageVersion {
		return upgrade.ImageVersion{Image: upgrade.Image{ID: compute + "images/" + name}}
	}
	show("managed", of(managed("web-2023-10").Image, managed("web-2023-10"), managed("web-2024-01")))
	show("nothing", of(upgrade.Image{URI: "https://shopimages.blob.core.windows.net/vhds/web-1.vhd"}))
}
