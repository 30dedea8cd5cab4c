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
		{"nothing is not the same as nothing", Image{}, Image{}, false},
		{"of different kinds", version("2.0"), id("/versions/2.0"), false},
	} {
		if row.a.Same(row.b) != row.same || row.b.Same(row.a) != row.same {
			t.Errorf("%s: %+v and %+v the same: %v", row.name, row.a, row.b, !row.same)
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
