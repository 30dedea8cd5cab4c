package view

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

const galleries = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Compute/"

func TestAnImageIsCalledAsPeopleCallIt(t *testing.T) {
	long := strings.Repeat("x", 80)
	for _, c := range []struct {
		of           upgrade.Image
		kind, called string
	}{
		{upgrade.Image{Publisher: "Canonical", Offer: "UbuntuServer", SKU: "16.04-LTS", Version: "16.04.1"}, "Image", "UbuntuServer 16.04-LTS 16.04.1"},
		{upgrade.Image{ID: galleries + "galleries/shop/images/web/versions/1.5.0"}, "Gallery image", "shop/web 1.5.0"},
		{upgrade.Image{ID: galleries + "galleries/shop/images/web"}, "Gallery image", "shop/web latest"},
		{upgrade.Image{ID: strings.ToUpper(galleries) + "GALLERIES/Shop/IMAGES/Web/VERSIONS/1.5.0"}, "Gallery image", "Shop/Web 1.5.0"},
		{upgrade.Image{ID: "/CommunityGalleries/Shop-1/Images/web/Versions/2.0.0"}, "Community gallery image", "Shop-1/web 2.0.0"},
		{upgrade.Image{ID: "/SharedGalleries/4c7d-SHOP/Images/web/Versions/2.0.0"}, "Shared gallery image", "4c7d-SHOP/web 2.0.0"},
		{upgrade.Image{ID: galleries + "images/web-2024"}, "Managed image", "web-2024"},
		{upgrade.Image{URI: "https://shopimages.blob.core.windows.net/vhds/web-1"}, "VHD", "web-1"},
		{upgrade.Image{ID: galleries + "galleries/" + long + "/images/" + long + "/versions/1.0.0"}, "Gallery image",
			"xxxxxxxxxxxxxxxxxxxx…xxxxxxxxx/xxxxxxxxxxxxxxxxxxxx…xxxxxxxxx 1.0.0"},
		{upgrade.Image{ID: "/what/is/this"}, "Image", "this"},
		{upgrade.Image{}, "Image", "an unknown image"},
	} {
		if kind, name := kindly(c.of), called(c.of); kind != c.kind || name != c.called {
			t.Errorf("%+v is called %q %q, want %q %q", c.of, kind, name, c.kind, c.called)
		}
	}
}

func TestHowMuchNewerAnImageIsStandsOnlyWhereBothDaysAreTold(t *testing.T) {
	web := func(version string) upgrade.Image {
		return upgrade.Image{Publisher: "Canonical", Offer: "Ubuntu", SKU: "22", Version: version}
	}
	other := web("22.04.202401170")
	other.SKU = "24"
	for _, c := range []struct {
		is, was upgrade.Image
		want    string
	}{
		{web("22.04.202401170"), web("22.04.202310190"), "90 days newer"},
		{web("22.04.202310200"), web("22.04.202310190"), "1 day newer"},
		{web("22.04.202310190"), web("22.04.202401170"), "90 days older"},
		{web("22.04.202310191"), web("22.04.202310190"), ""},
		{web("22.04.202401170"), web("1.4.0"), ""},
		{web("1.5.0"), web("22.04.202310190"), ""},
		{other, web("22.04.202310190"), ""},
		{web("22.04.202401170"), upgrade.Image{}, ""},
	} {
		if got := newer(c.is, c.was); got != c.want {
			t.Errorf("%s after %s: %q, want %q", c.is, c.was, got, c.want)
		}
	}
}

// What is offered to be typed is what the language reads, for every kind of target.
func TestTheCommandThatDoesTheSameAgainCanBeTyped(t *testing.T) {
	platform := upgrade.Image{Publisher: "Canonical", Offer: "Ubuntu", SKU: "22_04", Version: "1.0.0"}
	sku := platform
	sku.SKU, sku.Version = "24_04", "2.0.0"
	gallery, managed := upgrade.Image{ID: galleries + "galleries/shop/images/web/versions/1.5.0"}, upgrade.Image{ID: galleries + "images/web-" + strings.Repeat("y", 60)}
	vhd := upgrade.Image{URI: "https://shopimages.blob.core.windows.net/vhds/web-1.vhd"}
	target := func(i upgrade.Image) upgrade.Target { return upgrade.Target{Setting: upgrade.Setting{Image: i}} }
	for _, c := range []struct {
		to   upgrade.Target
		from upgrade.Image
		want string
	}{
		{target(platform), platform.At("0.9.0"), "/vmss upgrade web 1.0.0 vm=2,10"},
		{target(sku), platform, "/vmss upgrade web 2.0.0 sku=24_04 vm=2,10"},
		{target(gallery), gallery.At("1.4.0"), "/vmss upgrade web 1.5.0 vm=2,10"},
		{target(gallery), platform, "/vmss upgrade web " + gallery.ID + " vm=2,10"},
		{target(managed), managed, "/vmss upgrade web " + managed.ID + " vm=2,10"},
		{target(vhd), vhd, "/vmss upgrade web " + vhd.URI + " vm=2,10"},
		{upgrade.Target{Setting: upgrade.Setting{Image: gallery}, Model: true}, gallery, "/vmss upgrade web model vm=2,10"},
		{upgrade.Target{Setting: upgrade.Setting{Size: "Standard_D4s_v5"}}, upgrade.Image{}, "/vmss resize web to Standard_D4s_v5 vm=2,10"},
	} {
		r := again(commands.VerbUpgrade, upgrade.Plan{Name: "web", Target: c.to, From: upgrade.Setting{Image: c.from}}, []string{"2", "10"})
		typed := strings.Trim(copied(r), "`")
		if typed != c.want {
			t.Errorf("%s, want %s", typed, c.want)
		}
		read, no := commands.Parse(strings.TrimPrefix(typed, "/vmss "))
		if no != nil || !reflect.DeepEqual(read, r) {
			t.Errorf("%s is read as %+v (%v), was %+v", typed, read, no, r)
		}
	}
}

func TestAPinnedPlanGoesOnWithWhatItShowed(t *testing.T) {
	gallery := upgrade.Image{ID: galleries + "galleries/shop/images/web/versions/1.5.0"}
	platform := upgrade.Image{Publisher: "Canonical", Offer: "Ubuntu", SKU: "22_04", Version: "1.0.0"}
	for _, c := range []struct {
		request string
		to      upgrade.Image
		want    string
	}{
		{"plan web latest ud=0", platform, "`/vmss upgrade web 1.0.0 ud=0`"},
		{"plan web latest by=batch batch=2", gallery, "`/vmss upgrade web 1.5.0 by=batch batch=2`"},
		{"plan web " + galleries + "galleries/shop/images/web", gallery, "`/vmss upgrade web " + gallery.ID + "`"},
	} {
		p := upgrade.Plan{Name: "web", Pinned: upgrade.Latest, Target: upgrade.Target{Setting: upgrade.Setting{Image: c.to}}}
		if got := goOn(commands.Reply{Request: c.request, Plan: &p}); got != "to roll it out: "+c.want {
			t.Errorf("%s goes on with %s, want %s", c.request, got, c.want)
		}
	}
}

func TestAListOfImagesOffersWhatMayBeUsed(t *testing.T) {
	at := func(v string) upgrade.Image {
		return upgrade.Image{Publisher: "Canonical", Offer: "Ubuntu", SKU: "22_04", Version: v}
	}
	fine := func(v string) upgrade.ImageVersion { return upgrade.ImageVersion{Image: at(v)} }
	bad := func(change func(*upgrade.ImageVersion)) upgrade.ImageVersion {
		v := fine("3.0.0")
		change(&v)
		return v
	}
	managed := func(n string) upgrade.ImageVersion {
		return upgrade.ImageVersion{Image: upgrade.Image{ID: galleries + "images/" + n}}
	}
	next := "Look first, nothing is changed: `/vmss plan web 2.0.0`"
	for _, c := range []struct {
		what     string
		current  upgrade.Image
		versions []upgrade.ImageVersion
		want     string
	}{
		{"a newer one", at("1.0.0"), []upgrade.ImageVersion{fine("2.0.0"), fine("1.0.0")}, next},
		{"the newest is deprecated", at("1.0.0"), []upgrade.ImageVersion{bad(func(v *upgrade.ImageVersion) { v.Deprecated = true }), fine("2.0.0"), fine("1.0.0")}, next},
		{"the newest is not meant by latest", at("1.0.0"), []upgrade.ImageVersion{bad(func(v *upgrade.ImageVersion) { v.Excluded = true }), fine("2.0.0")}, next},
		{"the newest is not there", at("1.0.0"), []upgrade.ImageVersion{bad(func(v *upgrade.ImageVersion) { v.Unusable = "not replicated" }), fine("2.0.0")}, next},
		{"on the newest", at("2.0.0"), []upgrade.ImageVersion{fine("2.0.0"), fine("1.0.0")}, "The model names the newest that may be used."},
		{"a model that follows latest", at("latest"), []upgrade.ImageVersion{fine("2.0.0")}, next},
		{"nothing but bad ones", at("1.0.0"), []upgrade.ImageVersion{bad(func(v *upgrade.ImageVersion) { v.Deprecated = true })}, "There is no other that may be used."},
		{"none", at("1.0.0"), nil, "Azure lists no versions of it. Name the image to go to by its id: `/vmss plan web ID`"},
		{"managed images are in no order", managed("a").Image, []upgrade.ImageVersion{managed("a"), managed("b")}, "Look first, nothing is changed: `/vmss plan web " + galleries + "images/b`"},
	} {
		if got := nextImage(commands.Images{Set: upgrade.SetSummary{Name: "web"}, Current: c.current, Versions: c.versions}); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
