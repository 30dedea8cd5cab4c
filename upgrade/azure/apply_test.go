package azure

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

// sentBy applies an operation and returns what went over the wire.
func sentBy(t *testing.T, op upgrade.Operation) (line, body string, h http.Header) {
	t.Helper()
	a := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		line, body, h = fmt.Sprintf("%s %s", r.Method, r.URL.RequestURI()), string(raw), r.Header
		say(202, "")(w, r)
	}))
	if _, err := a.Apply(context.Background(), op); err != nil {
		t.Fatal(err)
	}
	return line, body, h
}

func TestAModelChangeSaysOneThingAndNothingElse(t *testing.T) {
	const gallery = "/subscriptions/" + testSub + "/resourceGroups/g/providers/Microsoft.Compute/galleries/g/images/i/versions/1.0.0"
	const managed = "/subscriptions/" + testSub + "/resourceGroups/g/providers/Microsoft.Compute/images/i"
	const vhd = "https://corpimages.blob.core.windows.net/vhds/web-7.vhd"
	image := func(i upgrade.Image) upgrade.Setting { return upgrade.Setting{Image: i} }
	reference := func(r string) string {
		return `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":` + r + `}}}}`
	}
	rows := []struct {
		kind upgrade.OpKind
		to   upgrade.Setting
		want string
	}{
		{upgrade.OpModel, image(newImage), reference(`{"offer":"UbuntuServer","publisher":"Canonical","sku":"16.04-LTS","version":"4.0.20160229"}`)},
		{upgrade.OpRevert, image(newImage.At("latest")), reference(`{"offer":"UbuntuServer","publisher":"Canonical","sku":"16.04-LTS","version":"latest"}`)},
		{upgrade.OpModel, image(upgrade.Image{ID: gallery}), reference(`{"id":"` + gallery + `"}`)},
		{upgrade.OpModel, image(upgrade.Image{ID: managed}), reference(`{"id":"` + managed + `"}`)},
		{upgrade.OpModel, image(upgrade.Image{ID: "/CommunityGalleries/g-1/Images/i/Versions/1.0.0"}), reference(`{"communityGalleryImageId":"/CommunityGalleries/g-1/Images/i/Versions/1.0.0"}`)},
		{upgrade.OpRevert, image(upgrade.Image{ID: "/SharedGalleries/g-1/Images/i"}), reference(`{"sharedGalleryImageId":"/SharedGalleries/g-1/Images/i"}`)},
		{upgrade.OpModel, image(upgrade.Image{URI: vhd}), `{"properties":{"virtualMachineProfile":{"storageProfile":{"osDisk":{"image":{"uri":"` + vhd + `"}}}}}}`},
		{upgrade.OpModel, upgrade.Setting{Size: "Standard_D4s_v5"}, `{"sku":{"name":"Standard_D4s_v5"}}`},
		{upgrade.OpRevert, upgrade.Setting{Size: "Standard_D2s_v5"}, `{"sku":{"name":"Standard_D2s_v5"}}`},
	}
	for _, row := range rows {
		line, body, h := sentBy(t, upgrade.Operation{ID: "op-7", Kind: row.kind, Set: testSet, To: row.to, IfMatch: `"7"`, Instances: []string{"3"}})
		if body != row.want {
			t.Errorf("body %s, want %s", body, row.want)
		}
		if !strings.HasPrefix(line, "PATCH /subscriptions/"+testSub+"/resourceGroups/rg-demo"+setsType+"/myvmss?api-version=2") || h.Get("If-Match") != `"7"` || h.Get("x-ms-client-request-id") != "op-7" {
			t.Errorf("%s, If-Match %q, id %q", line, h.Get("If-Match"), h.Get("x-ms-client-request-id"))
		}
	}
}

func TestAnUpgradeSaysItsInstancesInOrderAndNothingElse(t *testing.T) {
	line, body, h := sentBy(t, upgrade.Operation{ID: "op-8", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"10", "2", "web_1a"}, To: upgrade.Setting{Image: newImage}, IfMatch: `"7"`})
	if body != `{"instanceIds":["10","2","web_1a"]}` || h.Get("If-Match") != "" || h.Get("x-ms-client-request-id") != "op-8" || h.Get("Authorization") != "Bearer "+localToken {
		t.Errorf("%s %s %v", line, body, h)
	}
}

func TestAReimageForcesEphemeralDisksAndSaysNothingElse(t *testing.T) {
	for ephemeral, want := range map[bool]string{false: `{"instanceIds":["10","2"]}`, true: `{"forceUpdateOSDiskForEphemeral":true,"instanceIds":["10","2"]}`} {
		line, body, h := sentBy(t, upgrade.Operation{ID: "op-9", Kind: upgrade.OpReimage, Set: testSet, Instances: []string{"10", "2"}, Ephemeral: ephemeral, To: upgrade.Setting{Image: newImage}, IfMatch: `"7"`})
		if body != want || !strings.HasPrefix(line, "POST ") || !strings.Contains(line, "/myvmss/reimage?api-version=2") || h.Get("If-Match") != "" || h.Get("x-ms-client-request-id") != "op-9" {
			t.Errorf("%s %s %v", line, body, h)
		}
	}
}
