package azure

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

func TestVersionsAreListedNewestFirstWithTheirDeprecation(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{})
	list, err := a.Versions(context.Background(), "westeurope", oldImage)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range list {
		mark := ""
		if v.Deprecated {
			mark = " " + v.Note
		}
		got = append(got, v.Image.Version+mark)
	}
	want := []string{"4.0.20160315", "4.0.20160229", "4.0.20160101", "4.0.20151215", "4.0.20151120 Deprecated for 2016-02-01, alternative: "}
	if len(got) != len(want) || !slices.Equal(got[:4], want[:4]) || !strings.HasPrefix(got[4], want[4]) {
		t.Errorf("versions %q", got)
	}
}

func TestAVersionIsLookedUpOrRefusedInAzuresWords(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{})
	if v, err := a.Version(context.Background(), "westeurope", newImage); err != nil || v.Image != newImage || v.Deprecated {
		t.Errorf("version %+v, %v", v, err)
	}
	none := newImage
	none.Version = "4.0.99999999"
	_, err := a.Version(context.Background(), "westeurope", none)
	if f := faultOf(t, err, upgrade.FaultRefused); f.Code == "" || f.Message == "" {
		t.Errorf("fault %+v", f)
	}
	for _, word := range []string{"", "..", "4.0/../x", "<!channel>", "4.0 5"} {
		none.Version = word
		_, err = a.Version(context.Background(), "westeurope", none)
		faultOf(t, err, upgrade.FaultRefused)
	}
	_, err = a.Version(context.Background(), "westeurope", upgrade.Image{ID: "/subscriptions/x"})
	faultOf(t, err, upgrade.FaultUnsafe)
	_, err = a.Versions(context.Background(), "west/europe", oldImage)
	faultOf(t, err, upgrade.FaultUnsafe)
}

const (
	imagesGroup = "/subscriptions/" + testSub + "/resourceGroups/rg-images/providers/Microsoft.Compute"
	hardened    = imagesGroup + "/galleries/corpimages/images/ubuntu-hardened"
	elsewhere   = "/subscriptions/2b1f6f0a-93a1-4c55-8f37-0d5c1b7e4a10/resourceGroups/rg-publish/providers/Microsoft.Compute/galleries/edgenode/images/edge-node"
	edge        = "/CommunityGalleries/edgenode-6a0d7f52-31c4-4a8e-9d0c-7b2c9b1d5e77/Images/edge-node"
	scanner     = "/SharedGalleries/2b1f6f0a-93a1-4c55-8f37-0d5c1b7e4a10-PARTNER/Images/scanner"
)

// marked says what is special about a version.
func marked(v upgrade.ImageVersion) string {
	out := v.Image.Running()
	if v.Excluded {
		out += ", excluded"
	}
	if v.Deprecated {
		out += ", deprecated: " + v.Note
	}
	if v.Unusable != "" {
		out += ", unusable: " + v.Unusable
	}
	return out
}

func TestImagesOfEveryKindAreListed(t *testing.T) {
	// Groups bind what is done to sets; where images are, nobody but their ids knows.
	sim, err := azuresim.New(azuresim.Options{PageSize: 2, Now: newClock().now})
	if err != nil {
		t.Fatal(err)
	}
	a := connect(t, sim, func(c *Config) { c.ResourceGroups, c.Now = []string{testGroup}, newClock().now })
	rows := []struct{ id, location, want string }{
		{hardened, "westeurope", "1.4.0, unusable: it is not replicated to westeurope|1.3.0, excluded|1.2.0|1.1.0|1.0.0, deprecated: its end of life was on 2024-08-01"},
		{strings.ToUpper(hardened) + "/versions/1.2.0", "northeurope", "1.4.0|1.3.0, excluded, unusable: it is not replicated to northeurope|1.2.0|1.1.0|1.0.0, deprecated: its end of life was on 2024-08-01"},
		{imagesGroup + "/galleries/corpimages/images/ubuntu-gpu", "westeurope", "1.0.0, unusable: Azure says that it is Failed|0.9.0"},
		{elsewhere, "eastus", "3.5.1|3.4.0"},
		{edge + "/Versions/3.4.0", "westeurope", "3.5.1|3.4.0"},
		{scanner, "westeurope", "7.0.3"},
		{imagesGroup + "/images/legacy-2023-10", "westeurope", "legacy-2023-10|legacy-2024-02"},
		{imagesGroup + "/images/legacy-2023-10", "northeurope", "legacy-2023-10, unusable: it is in westeurope|legacy-2024-02, unusable: it is in westeurope"},
	}
	for _, row := range rows {
		family := upgrade.Image{ID: row.id}
		list, err := a.Versions(context.Background(), row.location, family)
		if err != nil {
			t.Errorf("%s: %v", row.id, err)
			continue
		}
		var got []string
		for _, v := range list {
			got = append(got, marked(v))
			if v.Image.Kind() != family.Kind() || family.Kind() != upgrade.KindManaged && v.Image.Family() != family.Family() || family.Kind() != upgrade.KindManaged && v.Published.IsZero() {
				t.Errorf("%s: version %+v", row.id, v)
			}
		}
		if strings.Join(got, "|") != row.want {
			t.Errorf("%s in %s:\n%s, want\n%s", row.id, row.location, strings.Join(got, "|"), row.want)
		}
	}
}

func TestAnImageOfAnyKindIsLookedUp(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{})
	rows := []struct{ id, location, want string }{
		{hardened + "/versions/1.2.0", "westeurope", "1.2.0"},
		{hardened + "/versions/1.0.0", "westeurope", "1.0.0, deprecated: its end of life was on 2024-08-01"},
		{hardened + "/versions/1.4.0", "westeurope", "1.4.0, unusable: it is not replicated to westeurope"},
		{imagesGroup + "/galleries/corpimages/images/ubuntu-gpu/versions/1.0.0", "westeurope", "1.0.0, unusable: its replication to westeurope is failed, 0 %"},
		{elsewhere + "/versions/3.5.1", "westeurope", "3.5.1"},
		{edge + "/Versions/3.5.1", "westeurope", "3.5.1"},
		{scanner + "/Versions/7.0.3", "westeurope", "7.0.3"},
		{imagesGroup + "/images/legacy-2024-02", "westeurope", "legacy-2024-02"},
		{imagesGroup + "/images/legacy-2024-02", "eastus", "legacy-2024-02, unusable: it is in westeurope"},
	}
	for _, row := range rows {
		v, err := a.Version(context.Background(), row.location, upgrade.Image{ID: row.id})
		if err != nil || marked(v) != row.want || !strings.EqualFold(v.Image.ID, row.id) {
			t.Errorf("%s: %q (%s), %v", row.id, marked(v), v.Image.ID, err)
		}
	}
	for _, id := range []string{
		hardened + "/versions/9.9.9", strings.Replace(hardened, "corpimages", "nobodys", 1) + "/versions/1.0.0", edge + "/Versions/9.9.9", scanner + "/Versions/9.9.9",
		imagesGroup + "/images/none", hardened, edge, scanner, hardened + "/versions/latest", edge + "/versions/LATEST",
	} {
		_, err := a.Version(context.Background(), "westeurope", upgrade.Image{ID: id})
		if f := faultOf(t, err, upgrade.FaultRefused); f.Message == "" {
			t.Errorf("%s: %+v", id, f)
		}
	}
	for name, image := range map[string]upgrade.Image{
		"a VHD": {URI: "https://corpimages.blob.core.windows.net/vhds/web-7.vhd"}, "nothing": {}, "a set": {ID: setPath}, "dots": {ID: imagesGroup + "/images/.."},
		"a subscription of dashes": {ID: strings.Replace(imagesGroup, testSub, strings.Repeat("-", 36), 1) + "/images/x"},
	} {
		_, err := a.Version(context.Background(), "westeurope", image)
		faultOf(t, err, upgrade.FaultUnsafe)
		_, err = a.Versions(context.Background(), "westeurope", image)
		if f := faultOf(t, err, upgrade.FaultUnsafe); f.Message == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
	_, err := a.Version(context.Background(), "west/europe", upgrade.Image{ID: edge + "/Versions/1.0.0"})
	faultOf(t, err, upgrade.FaultUnsafe)
}

func TestWhatAGallerySaysOfAVersion(t *testing.T) {
	properties := func(more string) string {
		return `{"provisioningState":"Succeeded","publishingProfile":{"targetRegions":[{"name":"West Europe"}]}` + more + `}`
	}
	replicated := func(r string) string { return properties(`,"replicationStatus":{"summary":[` + r + `]}`) }
	rows := []struct{ name, properties, want string }{
		{"a settled one", properties(""), "1.0.0"},
		{"regions in another spelling", `{"provisioningState":"succeeded","publishingProfile":{"targetRegions":[null,{"name":"westEurope"}]}}`, "1.0.0"},
		{"it is here", replicated(`{"region":"West Europe","state":"Completed"},{"region":"East US","state":"Replicating"}`), "1.0.0"},
		{"it is on its way", replicated(`{"region":"West Europe","state":"Replicating","progress":40}`), "1.0.0, unusable: its replication to westeurope is replicating, 40 %"},
		{"it did not arrive", replicated(`null,{"region":"West Europe","state":"Failed","details":"see https://s.example/?sig=abc"}`), "1.0.0, unusable: its replication to westeurope is failed: see https://s.example/?…"},
		{"a state we do not know", replicated(`{"region":"westeurope","state":"Pondering"}`), "1.0.0, unusable: its replication to westeurope is pondering"},
		{"it is being changed", strings.Replace(properties(""), "Succeeded", "Updating", 1), "1.0.0, unusable: Azure says that it is Updating"},
		{"in no state", strings.Replace(properties(""), "Succeeded", "", 1), "1.0.0, unusable: Azure says that it is in no state"},
		{"nowhere", `{"provisioningState":"Succeeded"}`, "1.0.0, unusable: it is not replicated to westeurope"},
		{"elsewhere", strings.Replace(properties(""), "West Europe", "East US", 1), "1.0.0, unusable: it is not replicated to westeurope"},
		{"nothing", `null`, "1.0.0, unusable: it is not replicated to westeurope"},
		{"excluded here", strings.Replace(properties(""), `"West Europe"`, `"West Europe","excludeFromLatest":true`, 1), "1.0.0, excluded"},
		{"excluded there", strings.Replace(properties(""), `{"name"`, `{"name":"East US","excludeFromLatest":true},{"name"`, 1), "1.0.0"},
		{"an end that lies ahead", strings.Replace(properties(""), `{"targetRegions"`, `{"endOfLifeDate":"2030-01-01T00:00:00+00:00","targetRegions"`, 1), "1.0.0"},
	}
	for _, row := range rows {
		s := &stub{routes: map[string]http.HandlerFunc{"GET 1.0.0": say(200, `{"name":"1.0.0","properties":`+row.properties+`}`)}}
		a := connect(t, s, func(c *Config) { c.Now = newClock().now })
		v, err := a.Version(context.Background(), "westeurope", upgrade.Image{ID: hardened + "/versions/1.0.0"})
		if err != nil || marked(v) != row.want {
			t.Errorf("%s: %q, %v", row.name, marked(v), err)
		}
	}
}

// trouble of the lists of images is told like that of all others, whatever the kind.
func TestAListOfImagesIsReadWholeOrNotAtAll(t *testing.T) {
	entry := `{"name":"1.0.0","location":"westeurope","properties":{"provisioningState":"Succeeded"}}`
	rows := []struct {
		name  string
		pages []http.HandlerFunc
		n     int // entries; -1 = it fails
		kind  upgrade.FaultKind
	}{
		{"two pages", []http.HandlerFunc{say(200, `{"value":[`+entry+`],"nextLink":"{link}"}`), say(200, `{"value":[`+strings.Replace(entry, "1.0.0", "1.0.1", 1)+`]}`)}, 2, ""},
		{"none", []http.HandlerFunc{say(200, `{"value":[]}`)}, 0, ""},
		{"no list", []http.HandlerFunc{say(200, `{}`)}, -1, upgrade.FaultUnavailable},
		{"null for a version", []http.HandlerFunc{say(200, `{"value":[null]}`)}, -1, upgrade.FaultUnavailable},
		{"a strange name", []http.HandlerFunc{say(200, `{"value":[{"name":"../x"}]}`)}, -1, upgrade.FaultUnavailable},
		{"a page that breaks off", []http.HandlerFunc{half(200)}, -1, upgrade.FaultUnavailable},
		{"unknown", []http.HandlerFunc{say(404, errorJSON("ResourceNotFound", "m"))}, -1, upgrade.FaultRefused},
		{"denied", []http.HandlerFunc{say(403, errorJSON("AuthorizationFailed", "m"))}, -1, upgrade.FaultDenied},
		{"throttled", []http.HandlerFunc{say(429, "{}", "Retry-After", "60")}, -1, upgrade.FaultThrottled},
		{"a link to another host", []http.HandlerFunc{say(200, `{"value":[],"nextLink":"http://127.0.0.2:1/x"}`)}, -1, upgrade.FaultUnsafe},
		{"a link to something else", []http.HandlerFunc{say(200, `{"value":[],"nextLink":"{host}`+imagesGroup+`/galleries/secret/images/x/versions?api-version=1"}`)}, -1, upgrade.FaultUnsafe},
	}
	for _, row := range rows {
		for _, id := range []string{hardened, edge, scanner, imagesGroup + "/images/1.0.0"} {
			pages := inTurn(row.pages...)
			a := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next := *r.URL
				next.Scheme, next.Host, next.RawQuery = "http", r.Host, "api-version=1&$skiptoken=2"
				pages(&rewriter{w, "{link}", next.String()}, r)
			}))
			list, err := a.Versions(context.Background(), "westeurope", upgrade.Image{ID: id})
			switch {
			case row.n < 0:
				faultOf(t, err, row.kind)
				if list != nil {
					t.Errorf("%s of %s: a part was returned: %v", row.name, id, list)
				}
			case err != nil || len(list) != row.n:
				t.Errorf("%s of %s: %v, %v", row.name, id, list, err)
			}
		}
	}
}

// rewriter puts a text that only the handler's caller knows into an answer.
type rewriter struct {
	http.ResponseWriter
	old, new string
}

func (w *rewriter) Write(b []byte) (int, error) {
	if _, err := fmt.Fprint(w.ResponseWriter, strings.ReplaceAll(string(b), w.old, w.new)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func TestAnswersAboutAnotherImageAreNone(t *testing.T) {
	for _, id := range []string{hardened + "/versions/1.0.0", edge + "/Versions/1.0.0", scanner + "/Versions/1.0.0", imagesGroup + "/images/1.0.0"} {
		for _, body := range []string{`{}`, `{"name":"1.0.1"}`, `{"name":""}`, `[]`, `null`} {
			s := &stub{routes: map[string]http.HandlerFunc{"GET 1.0.0": say(200, body)}}
			_, err := connect(t, s).Version(context.Background(), "westeurope", upgrade.Image{ID: id})
			if f := faultOf(t, err, upgrade.FaultUnavailable); !strings.Contains(f.Message, "cannot be read") {
				t.Errorf("%s: %s: %v", id, body, f)
			}
		}
	}
}

// What is asked for here and not by the SDK is asked for in the versions that the SDK speaks: galleries
// have another line of them.
func TestTheInterfacesAreThoseOfTheSDK(t *testing.T) {
	asked := map[string]string{}
	a := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]] = r.URL.Query().Get("api-version")
		say(404, "{}")(w, r)
	}))
	if _, err := a.sets.Get(context.WithValue(context.Background(), flightKey{}, &flight{set: target{testGroup, "myvmss"}}), testGroup, "myvmss", nil); err == nil {
		t.Error("no answer is an answer")
	}
	if asked["myvmss"] != computeVersion {
		t.Errorf("Compute is asked for in version %s, not %s", asked["myvmss"], computeVersion)
	}
	var gallery string
	c, err := armcompute.NewGalleryImageVersionsClient(testSub, LocalCredential(), &arm.ClientOptions{ClientOptions: policy.ClientOptions{Transport: wireFunc(func(r *http.Request) (*http.Response, error) {
		gallery = r.URL.Query().Get("api-version")
		return respond(r, 404, "{}")
	})}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(context.Background(), "g", "g", "i", "1.0.0", nil); err == nil || gallery != galleryVersion {
		t.Errorf("galleries are asked for in version %q (%v), not %s", gallery, err, galleryVersion)
	}
}
