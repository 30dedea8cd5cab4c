package azuresim

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// reference is a PATCH of the image reference, given as JSON.
func reference(json string) string {
	return `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":` + json + `}}}}`
}

// What a set may run and change to. says is a part of Azure's refusal, "" where there is none; runs
// is what the model then stands for.
func TestWhatASetMayChangeTo(t *testing.T) {
	const jammy = `"publisher":"Canonical","offer":"0001-com-ubuntu-server-jammy","sku":"22_04-lts-gen2"`
	images := "/subscriptions/" + testSub + "/resourceGroups/rg-images/providers/Microsoft.Compute/images/"
	rows := []struct {
		name, set, body string
		status          int
		code, says      string
		runs            string
	}{
		{"another version", demoSet, reference(`{"version":"4.0.20160229"}`), 200, "", "", "4.0.20160229"},
		{"the whole reference, only the version differs", demoSet, reference(`{"publisher":"canonical","offer":"UbuntuServer","sku":"16.04-LTS","version":"4.0.20160229"}`), 200, "", "", "4.0.20160229"},
		{"another SKU with its version", demoSet, reference(`{"publisher":"Canonical","offer":"UbuntuServer","sku":"18.04-LTS","version":"18.04.202306070"}`), 200, "", "", "18.04.202306070"},
		{"another SKU, latest", demoSet, reference(`{"sku":"18.04-LTS","version":"latest"}`), 200, "", "", "18.04.202306070"},
		{"another SKU without its version", demoSet, reference(`{"sku":"18.04-LTS"}`), 404, "PlatformImageNotFound", "'Canonical:UbuntuServer:18.04-LTS:4.0.20160101'", "4.0.20160101"},
		{"another offer", demoSet, reference(`{` + jammy + `,"version":"22.04.202401170"}`), 409, "PropertyChangeNotAllowed", "'imageReference.offer'", "4.0.20160101"},
		{"another publisher", demoSet, reference(`{"publisher":"MicrosoftWindowsServer","offer":"WindowsServer","sku":"2022-datacenter-g2","version":"latest"}`), 409, "PropertyChangeNotAllowed", "'imageReference.publisher'", "4.0.20160101"},
		{"another offer that upgrades from this one", shop + "web-prod", reference(`{"publisher":"Canonical","offer":"ubuntu-24_04-lts","sku":"server","version":"24.04.202409120"}`), 200, "", "", "24.04.202409120"},
		{"that offer in two calls", shop + "web-prod", reference(`{"offer":"ubuntu-24_04-lts"}`), 409, "PropertyChangeNotAllowed", "'imageReference.offer'", "22.04.202310190"},

		{"another gallery version", payGroup + "checkout-gal", reference(`{"id":"` + hardened + `/versions/1.2.0"}`), 200, "", "", "1.2.0"},
		{"an id in another case", payGroup + "checkout-gal", reference(`{"id":"` + strings.ToUpper(hardened) + `/versions/1.2.0"}`), 200, "", "", "1.2.0"},
		{"a version excluded from latest, by name", payGroup + "checkout-gal", reference(`{"id":"` + hardened + `/versions/1.3.0"}`), 200, "", "", "1.3.0"},
		{"a version past its end of life", payGroup + "checkout-gal", reference(`{"id":"` + hardened + `/versions/1.0.0"}`), 200, "", "", "1.0.0"},
		{"no version means the newest that is here and not excluded", payGroup + "checkout-gal", reference(`{"id":"` + hardened + `"}`), 200, "", "", "1.2.0"},
		{"a version that is not replicated here", payGroup + "checkout-gal", reference(`{"id":"` + hardened + `/versions/1.4.0"}`), 404, "GalleryImageNotFound",
			`"The gallery image ` + hardened + `/versions/1.4.0 is not available in westeurope region. Please contact image owner to replicate to this region, or change your requested region."`, "1.1.0"},
		{"a version nobody has", payGroup + "checkout-gal", reference(`{"id":"` + hardened + `/versions/9.9.9"}`), 404, "GalleryImageNotFound", "/versions/9.9.9 is not available", "1.1.0"},
		{"a version that has failed", payGroup + "checkout-gal", reference(`{"id":"` + strings.Replace(hardened, "hardened", "gpu", 1) + `/versions/1.0.0"}`), 404, "GalleryImageNotFound", "is not available in westeurope", "1.1.0"},
		{"no version of an image nobody has", payGroup + "checkout-gal", reference(`{"id":"` + hardened + `-x"}`), 400, "InvalidParameter", "In region westeurope, the following list of Shared Image Gallery images", "1.1.0"},
		{"a managed image instead", payGroup + "checkout-gal", reference(`{"id":"` + images + `legacy-2024-02"}`), 200, "", "", "legacy-2024-02"},
		{"a platform image instead", payGroup + "checkout-gal", reference(`{"id":null,` + jammy + `,"version":"latest"}`), 409, "OperationNotAllowed", "The Image type for a Virtual Machine Scale Set may not be changed.", "1.1.0"},
		{"a platform image besides", payGroup + "checkout-gal", reference(`{` + jammy + `,"version":"latest"}`), 409, "OperationNotAllowed", "Image type", "1.1.0"},
		{"a gallery image instead of a platform image", demoSet, reference(`{"id":"` + hardened + `/versions/1.2.0"}`), 409, "OperationNotAllowed", "Image type", "4.0.20160101"},
		{"a community image as an id", payGroup + "checkout-gal", reference(`{"id":"` + edgeImage + `/Versions/3.5.1"}`), 400, "LinkedInvalidPropertyId", "Expect fully qualified resource Id", "1.1.0"},
		{"an id of something else", payGroup + "checkout-gal", reference(`{"id":"/subscriptions/` + testSub + `/resourceGroups/rg-images"}`), 400, "InvalidParameter", "imageReference.id", "1.1.0"},
		{"a gallery of a subscription nobody can look into", payGroup + "checkout-gal", reference(`{"id":"` + strings.Replace(hardened, testSub, "109a5e88-712a-48ae-9078-9ca8b3c81345", 1) + `/versions/5.0.0"}`), 200, "", "", "5.0.0"},

		{"another managed image", payGroup + "legacy-img", reference(`{"id":"` + images + `legacy-2024-02"}`), 200, "", "", "legacy-2024-02"},
		{"a managed image nobody has", payGroup + "legacy-img", reference(`{"id":"` + images + `nope"}`), 404, "NotFound", "The Image '" + images + "nope' cannot be found in 'westeurope' region.", "legacy-2023-10"},

		{"another version of a community image", edgeGroup + "edge-community", reference(`{"communityGalleryImageId":"` + edgeImage + `/Versions/3.5.1"}`), 200, "", "", "3.5.1"},
		{"the latest of a community image", edgeGroup + "edge-community", reference(`{"communityGalleryImageId":"` + edgeImage + `/Versions/latest"}`), 200, "", "", "3.5.1"},
		{"a community version nobody has", edgeGroup + "edge-community", reference(`{"communityGalleryImageId":"` + edgeImage + `/Versions/9.0.0"}`), 404, "GalleryImageNotFound", "The gallery image " + edgeImage + "/Versions/9.0.0 is not available", "3.4.0"},
		{"a community image and an id", edgeGroup + "edge-community", reference(`{"id":"` + hardened + `"}`), 400, "InvalidParameter", "more than one image", "3.4.0"},
		{"a shared image instead", edgeGroup + "edge-community", reference(`{"communityGalleryImageId":null,"sharedGalleryImageId":"/SharedGalleries/` + partner + `/Images/scanner/Versions/7.0.3"}`), 200, "", "", "7.0.3"},
		{"a shared image in the wrong member", edgeGroup + "edge-community", reference(`{"communityGalleryImageId":"/SharedGalleries/` + partner + `/Images/scanner"}`), 400, "InvalidParameter", "communityGalleryImageId", "3.4.0"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				a := b.do("PATCH", r.set+testVer, r.body).want(r.status)
				if r.code != "" {
					a.refused(r.status, r.code)
				}
				if got := text(a.doc, "error", "message"); r.says == "" != (got == "") || !strings.Contains(got, r.says) {
					t.Errorf("message %q does not say %q", got, r.says)
				}
				name := r.set[strings.LastIndexByte(r.set, '/')+1:]
				if got := b.sim.Snapshot().set(name).ImageVersion; got != r.runs {
					t.Errorf("the model stands for %s, want %s", got, r.runs)
				}
			})
		})
	}
}

func (s State) set(name string) SetState {
	for _, x := range s.Sets {
		if x.Name == name {
			return x
		}
	}
	return SetState{}
}

// Instances come to the version their model stands for; a versionless id shows in exactVersion only.
func TestInstancesFollowImagesOfEveryKind(t *testing.T) {
	images := "/subscriptions/" + testSub + "/resourceGroups/rg-images/providers/Microsoft.Compute/images/"
	rows := []struct{ set, patch, member, id, exact, before, after string }{
		{payGroup + "checkout-gal", `{"id":"` + hardened + `/versions/1.2.0"}`, "id", hardened + "/versions/1.2.0", "1.2.0", "1.1.0", "1.2.0"},
		{payGroup + "checkout-gal", `{"id":"` + hardened + `"}`, "id", hardened, "1.2.0", "1.1.0", "1.2.0"},
		{payGroup + "legacy-img", `{"id":"` + images + `legacy-2024-02"}`, "id", images + "legacy-2024-02", "", "legacy-2023-10", "legacy-2024-02"},
		{edgeGroup + "edge-community", `{"communityGalleryImageId":"` + edgeImage + `/Versions/3.5.1"}`, "communityGalleryImageId", edgeImage + "/Versions/3.5.1", "3.5.1", "3.4.0", "3.5.1"},
	}
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				name := r.set[strings.LastIndexByte(r.set, '/')+1:]
				b.do("PATCH", r.set+testVer, reference(r.patch)).want(200)
				time.Sleep(10 * time.Second)
				b.upgrade(r.set, "0").want(http.StatusAccepted)
				time.Sleep(4 * time.Minute)
				if zero, one := b.state(name, "0"), b.state(name, "1"); zero.Version != r.after || !zero.LatestModelApplied || one.Version != r.before || one.LatestModelApplied || one.Phase != PhaseOld {
					t.Errorf("0 %+v\n1 %+v", zero, one)
				}
				image := dig(b.get(r.set+"/virtualMachines/0").doc, "properties", "storageProfile", "imageReference")
				if text(image, r.member) != r.id || text(image, "exactVersion") != r.exact {
					t.Errorf("image reference %v", image)
				}
			})
		})
	}
}

// An id without a version means what the catalogue has there, so instances of one model differ.
func TestAVersionlessGalleryIdDriftsLikeLatest(t *testing.T) {
	f := DefaultFleet()
	for n, s := range f.Sets {
		if s.Name == "checkout-gal" {
			f.Sets[n].Image.ID = hardened
			f.Sets[n].Exceptions = map[string]Exception{"2": {Version: "1.0.0"}}
		}
	}
	inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
		set := payGroup + "checkout-gal"
		if two := b.state("checkout-gal", "2"); two.Version != "1.0.0" || !two.LatestModelApplied || two.Phase != PhaseOld {
			t.Errorf("instance %+v", two)
		}
		b.do("POST", set+"/reimage"+testVer, `{"instanceIds":["2"]}`).want(http.StatusAccepted)
		time.Sleep(4 * time.Minute)
		if two := b.state("checkout-gal", "2"); two.Version != "1.2.0" || two.Phase != PhaseNew {
			t.Errorf("reimaged %+v", two)
		}
	})
}

const vhdFleet = `{"subscription": "` + testSub + `", "images": [], "sets": [{"name": "old", "resourceGroup": "rg", "capacity": 2,
	"image": {"vhd": "https://store.blob.core.windows.net/images/web-1.vhd"}}]}`

// A legacy set runs VHDs in a storage account: it may change to another one, and to nothing else.
func TestALegacySetChangesItsVHD(t *testing.T) {
	inBubble(t, Options{Fleet: mustFleet(t, vhdFleet)}, func(t *testing.T, b *bench) {
		set := "/subscriptions/" + testSub + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/old"
		uri := func(u string) string {
			return `{"properties":{"virtualMachineProfile":{"storageProfile":{"osDisk":{"image":{"uri":"` + u + `"}}}}}}`
		}
		b.do("PATCH", set+testVer, uri("https://store.blob.core.windows.net/images/web-2.iso")).refused(400, "InvalidParameter")
		b.do("PATCH", set+testVer, reference(`{"id":"`+hardened+`"}`)).refused(409, "OperationNotAllowed")
		b.do("PATCH", set+testVer, uri("https://store.blob.core.windows.net/images/web-2.vhd")).want(200)
		time.Sleep(10 * time.Second)
		b.upgrade(set, "0").want(http.StatusAccepted)
		time.Sleep(4 * time.Minute)
		storage := dig(b.get(set+"/virtualMachines/0").doc, "properties", "storageProfile")
		if got := text(storage, "osDisk", "image", "uri"); got != "https://store.blob.core.windows.net/images/web-2.vhd" {
			t.Errorf("image %s", got)
		}
		if disk := text(storage, "osDisk", "vhd", "uri"); !strings.HasPrefix(disk, "https://store.blob.core.windows.net/images/old/") || dig(storage, "osDisk", "managedDisk") != nil || storage["imageReference"] != nil {
			t.Errorf("storage %v", storage)
		}
		if zero, one := b.state("old", "0"), b.state("old", "1"); zero.Version != "web-2.vhd" || one.Version != "web-1.vhd" || one.LatestModelApplied {
			t.Errorf("0 %+v\n1 %+v", zero, one)
		}
	})
}

func TestAPlatformSetTakesNoVHD(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("PATCH", demoSet+testVer, `{"properties":{"virtualMachineProfile":{"storageProfile":{"osDisk":{"image":{"uri":"https://a.blob.core.windows.net/b/c.vhd"}}}}}}`).
			refused(409, "OperationNotAllowed")
	})
}

// The faults that write a version into the model do so in the way of its image.
func TestFaultsChangeImagesOfEveryKind(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "change-model", Set: "checkout-gal", Version: "1.2.0"})
		b.inject(Fault{Kind: "change-model", Set: "legacy-img", Version: "legacy-2024-02"})
		b.inject(Fault{Kind: "foreign-rolling", Set: "edge-community", Version: "3.5.1"})
		for set, want := range map[string]string{"checkout-gal": "1.2.0", "legacy-img": "legacy-2024-02", "edge-community": "3.5.1"} {
			if got := b.sim.Snapshot().set(set); got.ImageVersion != want {
				t.Errorf("%s runs %s (%s)", set, got.ImageVersion, got.Image)
			}
		}
		if err := b.sim.Inject(Fault{Kind: "foreign-rolling", Set: "checkout-gal", Version: "1.4.0"}); err == nil || !strings.Contains(err.Error(), "1.4.0 is not in galleries") {
			t.Errorf("a version that is not here: %v", err)
		}
	})
}

// Ephemeral disks: a reimage restores what was there, the flag brings the model's image, and so does
// an upgrade.
func TestEphemeralDisksAreReimagedToWhatTheyWere(t *testing.T) {
	set := edgeGroup + "cache-eph"
	rows := []struct {
		name, path, body, version string
		latest                    bool
	}{
		{"reimage", "/reimage", `{"instanceIds":["0"]}`, "22.04.202310190", false},
		{"reimage of the one", "/virtualMachines/0/reimage", ``, "22.04.202310190", false},
		{"with the flag", "/reimage", `{"instanceIds":["0"],"forceUpdateOSDiskForEphemeral":true}`, "22.04.202401170", true},
		{"of the one with the flag", "/virtualMachines/0/reimage", `{"forceUpdateOSDiskForEphemeral":true}`, "22.04.202401170", true},
		{"upgrade", "/manualupgrade", `{"instanceIds":["0"]}`, "22.04.202401170", true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				disk := func() string {
					return text(b.get(set+"/virtualMachines/0").doc, "properties", "storageProfile", "osDisk", "name")
				}
				before := disk()
				b.patchVersion(set, "22.04.202401170")
				b.do("POST", set+r.path+testVer, r.body).want(http.StatusAccepted)
				time.Sleep(4 * time.Minute)
				if got := b.state("cache-eph", "0"); got.Version != r.version || got.LatestModelApplied != r.latest || got.Health != "healthy" {
					t.Errorf("instance %+v", got)
				}
				if disk() == before {
					t.Error("the disk is the same")
				}
			})
		})
	}
}

func TestTheFlagMeansNothingForOtherDisks(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		b.do("POST", demoSet+"/reimage"+testVer, `{"instanceIds":["0"],"forceUpdateOSDiskForEphemeral":true}`).want(http.StatusAccepted)
		time.Sleep(4 * time.Minute)
		if got := b.state("myvmss", "0"); got.Version != "4.0.20160101" {
			t.Errorf("instance %+v", got)
		}
	})
}
