package upgrade

import (
	"testing"
)

func TestAnImageIsToldByItsName(t *testing.T) {
	const compute = "/subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourceGroups/rg-1/providers/Microsoft.Compute/"
	for text, want := range map[string]ImageKind{
		compute + "galleries/gold/images/ubuntu/versions/1.2.3":      KindGallery,
		compute + "galleries/gold/images/ubuntu":                     KindGallery,
		compute + "images/golden-1":                                  KindManaged,
		"/CommunityGalleries/acme-1234/Images/jammy/Versions/1.0.0":  KindCommunity,
		"/communitygalleries/acme-1234/images/jammy":                 KindCommunity,
		"/SharedGalleries/7c0ffee0-gold/Images/jammy/Versions/1.0.0": KindShared,
		"https://shop.blob.core.windows.net/os/web-1.vhd":            KindVHD,
		"https://shop.blob.core.chinacloudapi.cn/os/deep/web.vhd":    KindVHD,
		"4.0.20160229": "", "latest": "", "": "", "/": "",
		compute + "images/..":                                          "",
		compute + "images/a/../../x":                                   "",
		compute + "galleries/gold/images/ubuntu/versions/..":           "",
		compute + "galleries/gold/images/ubuntu/versions/1.2.3/extra":  "",
		compute + "virtualMachineScaleSets/web":                        "",
		compute + "images/a?x=1":                                       "",
		"http://shop.blob.core.windows.net/os/web-1.vhd":               "",
		"https://shop.blob.core.windows.net/os/../web-1.vhd":           "",
		"https://shop.blob.core.windows.net@evil.example/os/web-1.vhd": "",
		"https://shop.blob.core.windows.net/os/web-1.vhd?sig=secret":   "",
		"https://evil.example/shop.blob.core.windows.net/os/web-1.vhd": "",
		"https://shop.blob.core.windows.net/os/web-1.vhd#x":            "",
	} {
		i, ok := ImageNamed(text)
		if i.Kind() != want || ok != (want != "") {
			t.Errorf("%s is a %q (%v), want %q", text, i.Kind(), ok, want)
		}
	}
}

func TestR43OnlyTheExactVersionIsTheSame(t *testing.T) {
	id := func(s string) Image { return Image{ID: ubuntu + s} }
	exact := func(i Image, v string) Image { i.Exact = v; return i }
	for _, row := range []struct {
		name string
		a, b Image
		same bool
	}{
		{"the same version", version("2.0"), version("2.0"), true},
		{"another one", version("2.0"), version("2.1"), false},
		{"latest, run as that version", exact(version(Latest), "2.0"), version("2.0"), true},
		{"latest, of which the version is not told", version(Latest), version("2.0"), false},
		{"a version that is not told", version(""), version("2.0"), false},
		{"nor is it that of another that tells none", version(""), version(""), false},
		{"another SKU", Image{Publisher: "Canonical", Offer: "jammy", SKU: "x", Version: "2.0"}, version("2.0"), false},
		{"ids in other letters", id("/versions/1.2.3"), Image{ID: "/SUBSCRIPTIONS" + ubuntu[len("/subscriptions"):] + "/Versions/1.2.3"}, true},
		{"another version of a gallery", id("/versions/1.2.3"), id("/versions/1.2.4"), false},
		{"a gallery's latest, run as that version", exact(id(""), "1.2.3"), id("/versions/1.2.3"), true},
		{"a gallery's latest, of which the version is not told", id(""), id("/versions/1.2.3"), false},
		{"managed images by name", Image{ID: golden}, Image{ID: golden}, true},
		{"and only by name", Image{ID: golden}, Image{ID: golden + "1"}, false},
		{"VHDs of one container", Image{URI: "https://shop.blob.core.windows.net/os/a.vhd"}, Image{URI: "https://shop.blob.core.windows.net/os/b.vhd"}, false},
		{"VHDs in other letters: those are other blobs", Image{URI: "https://shop.blob.core.windows.net/os/a.vhd"}, Image{URI: "https://shop.blob.core.windows.net/os/A.vhd"}, false},
		{"images beside each other in a group called versions", Image{ID: inGroup("versions", "images/a")}, Image{ID: inGroup("versions", "images/b")}, false},
		{"images beside each other in a group called galleries", Image{ID: inGroup("galleries", "images/a")}, Image{ID: inGroup("galleries", "images/b")}, false},
		{"nothing is not the same as nothing", Image{}, Image{}, false},
		{"of different kinds", version("2.0"), id("/versions/2.0"), false},
	} {
		if row.a.Same(row.b) != row.same || row.b.Same(row.a) != row.same {
			t.Errorf("%s: %+v and %+v the same: %v", row.name, row.a, row.b, !row.same)
		}
	}
}

// inGroup is the id of something of Compute's in a resource group.
func inGroup(group, rest string) string {
	return "/subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourceGroups/" + group + "/providers/Microsoft.Compute/" + rest
}

func TestAnImageIsReadFromItsEndWhateverItsGroupIsCalled(t *testing.T) {
	for _, group := range []string{"versions", "galleries", "images", "my-galleries"} {
		gallery, managed := Image{ID: inGroup(group, "galleries/gold/images/ubuntu/versions/1.2.3")}, Image{ID: inGroup(group, "images/golden-1")}
		if gallery.Running() != "1.2.3" || gallery.Name() != "gold/ubuntu" || gallery.At("1.2.4").ID != inGroup(group, "galleries/gold/images/ubuntu/versions/1.2.4") {
			t.Errorf("%s: it runs %s of %s, and its next is %s", gallery.ID, gallery.Running(), gallery.Name(), gallery.At("1.2.4").ID)
		}
		if managed.Running() != "golden-1" || managed.Follows() || managed.At("1.2.4") != managed {
			t.Errorf("%s: it runs %s, and its next is %s", managed.ID, managed.Running(), managed.At("1.2.4").ID)
		}
		for _, other := range []string{"images/evil", "galleries/evil/images/ubuntu/versions/1.2.3", "galleries/gold/images/evil"} {
			if i := (Image{ID: inGroup(group, other)}); gallery.within(i.Family()) || managed.within(i.Family()) {
				t.Errorf("%s is of the family of %s", i.ID, i.Family())
			}
		}
	}
	for _, name := range []string{"versions", "images", "galleries"} {
		i := Image{ID: inGroup("shop", "galleries/"+name+"/images/"+name)}
		if at := i.At("1.2.3"); !i.Follows() || at.Running() != "1.2.3" || at.Kind() != KindGallery || at.Family() != i.Family() {
			t.Errorf("%s at 1.2.3 is %s, a %s", i.ID, at.ID, at.Kind())
		}
	}
}

func TestAFamilyHasAName(t *testing.T) {
	for want, i := range map[string]Image{
		"canonical:jammy:22_04-lts": version("2.0"), "gold/ubuntu": {ID: ubuntu + "/versions/1.2.3"}, "golden-2": {ID: golden},
		"acme/node": {ID: "/CommunityGalleries/acme/Images/node"}, "a.vhd": {URI: "https://shop.blob.core.windows.net/os/a.vhd"}, "": {},
	} {
		if got := i.Name(); got != want {
			t.Errorf("%+v is called %q, want %q", i, got, want)
		}
	}
}

func TestAPublishersDayIsReadFromTheVersion(t *testing.T) {
	for v, want := range map[string]string{
		"4.0.20160229": "2016-02-29", "22.04.202401170": "2024-01-17", "20348.2655.240810": "2024-08-10",
		"1.2.3": "", "latest": "", "": "", "202401.09.0": "", "22.04.209913990": "", "7.9.2009300312": "",
	} {
		day, ok := Dated(v)
		got := ""
		if ok {
			got = day.Format("2006-01-02")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", v, got, want)
		}
	}
}

func TestAnAllowListNamesFamiliesOrTheirBeginning(t *testing.T) {
	for word, want := range map[string]bool{
		"canonical:jammy:22_04-lts": true, "Canonical:Jammy:22_04-LTS": true, "canonical:*": true, "*": true,
		"canonical:jammy": false, "canonical": false, "": false, "canonical:noble:*": false,
	} {
		if version("2.0").within(word) != want {
			t.Errorf("%q permits %s: %v", word, version("2.0").Family(), !want)
		}
	}
	if (Image{}).within("") {
		t.Error("an empty word permits an unknown image")
	}
}

func TestR45AVHDIsPermittedByNameOnly(t *testing.T) {
	disk := Image{URI: "https://shop.blob.core.windows.net/os/a.vhd"}
	for word, want := range map[string]bool{"*": false, "https://shop.blob.core.windows.net/*": true, "https://shop.blob.core.windows.net/os/": true, "https://other.blob.core.windows.net/*": false} {
		if disk.within(word) != want {
			t.Errorf("%q permits %s: %v", word, disk.URI, !want)
		}
	}
}
