package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// testGuard guards https://management.azure.com in one subscription and one group.
func testGuard() *guard {
	base := &url.URL{Scheme: "https", Host: "management.azure.com"}
	return &guard{base: base, subscription: testSub, groups: []string{testGroup}, next: nowhere{}, now: time.Now}
}

// nowhere answers everything with 200: what reaches it has left.
type nowhere struct{}

func (nowhere) Do(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
}

const armHost = "https://management.azure.com"

// request is one row: what is sent, and whether it may leave.
type request struct {
	name, method, url, body, etag string
	leaves                        bool
}

const (
	goodIDs       = `{"instanceIds":["0","5"]}`
	goodImage     = `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":` + goodReference + `}}}}`
	goodReference = `{"offer":"UbuntuServer","publisher":"Canonical","sku":"16.04-LTS","version":"4.0.20160229"}`
	upgradeTo     = armHost + setPath + "/manualupgrade?api-version=1"
	reimageAt     = armHost + setPath + "/reimage?api-version=1"
	patchTo       = armHost + setPath + "?api-version=1"
	goodSize      = `{"sku":{"name":"Standard_D4s_v5"}}`
	goodVHD       = `{"properties":{"virtualMachineProfile":{"storageProfile":{"osDisk":{"image":{"uri":"https://corpimages.blob.core.windows.net/vhds/web-7.vhd"}}}}}}`
	inGroup       = armHost + "/subscriptions/" + testSub + "/resourceGroups/" + testGroup + "/providers/"
	inWest        = armHost + "/subscriptions/" + testSub + "/providers/Microsoft.Compute/locations/westeurope"
)

var requests = []request{
	{"the set", "GET", patchTo, "", "", true},
	{"the set in another case", "GET", armHost + strings.ToLower(setPath) + "?api-version=1", "", "", true},
	{"the set with the default port", "GET", "https://MANAGEMENT.azure.com:443" + setPath, "", "", true},
	{"instances", "GET", armHost + listPath + "?$expand=instanceView&api-version=1", "", "", true},
	{"Azure's own upgrade", "GET", armHost + setPath + "/rollingUpgrades/latest", "", "", true},
	{"an operation", "GET", armHost + opPath + "?monitor=true&s=x", "", "", true},
	{"sets of the subscription", "GET", armHost + "/subscriptions/" + testSub + setsType, "", "", true},
	{"sets of the group", "GET", armHost + "/subscriptions/" + testSub + "/resourceGroups/RG-DEMO" + setsType, "", "", true},
	{"versions", "GET", armHost + "/subscriptions/" + testSub + "/providers/Microsoft.Compute/locations/westeurope/publishers/Canonical/artifacttypes/vmimage/offers/UbuntuServer/skus/16.04-LTS/versions", "", "", true},
	{"an upgrade of named instances", "POST", upgradeTo, goodIDs, "", true},
	{"an upgrade by names", "POST", upgradeTo, `{"instanceIds":["myvmss_1a2b3c"]}`, "", true},
	{"a reimage of named instances", "POST", reimageAt, goodIDs, "", true},
	{"a forced reimage of named instances", "POST", reimageAt, `{"forceUpdateOSDiskForEphemeral":true,"instanceIds":["0","5"]}`, "", true},
	{"a version for the model", "PATCH", patchTo, goodImage, `"7"`, true},
	{"a gallery version for the model", "PATCH", patchTo, imageOf("id", "/subscriptions/"+testSub+"/resourceGroups/g/providers/Microsoft.Compute/galleries/g/images/i/versions/1.0.0"), `"7"`, true},
	{"a managed image for the model", "PATCH", patchTo, imageOf("id", "/subscriptions/"+testSub+"/resourceGroups/g/providers/Microsoft.Compute/images/i"), `"7"`, true},
	{"a community image for the model", "PATCH", patchTo, imageOf("communityGalleryImageId", "/CommunityGalleries/g-1/Images/i/Versions/1.0.0"), `"7"`, true},
	{"a shared image for the model", "PATCH", patchTo, imageOf("sharedGalleryImageId", "/SharedGalleries/g-1/Images/i/Versions/latest"), `"7"`, true},

	{"a size for the model", "PATCH", patchTo, goodSize, `"7"`, true},
	{"a VHD for the model", "PATCH", patchTo, goodVHD, `"7"`, true},
	{"machines of the set", "GET", machines(setPath), "", "", true},
	{"machines of the set in another case", "GET", machines(strings.ToUpper(setPath)), "", "", true},
	{"a further page of machines", "GET", machines(setPath) + "&$skiptoken=x", "", "", true},
	{"a further page of machines, by its token", "GET", inGroup + "Microsoft.Compute/virtualMachines?api-version=1&$skiptoken=x", "", "", true},
	{"sizes the set may have", "GET", armHost + setPath + "/skus?api-version=1", "", "", true},
	{"autoscale settings of the set's group", "GET", inGroup + "Microsoft.Insights/autoscaleSettings?api-version=1", "", "", true},
	{"versions in a community gallery", "GET", inWest + "/communityGalleries/edge-1/images/node/versions", "", "", true},
	{"a version in a community gallery", "GET", inWest + "/communityGalleries/edge-1/images/node/versions/1.0.0", "", "", true},
	{"versions in a shared gallery", "GET", inWest + "/sharedGalleries/edge-1/images/node/versions", "", "", true},

	{"another host", "GET", "https://evil.example" + setPath, "", "", false},
	{"a host that ends like ours", "GET", "https://management.azure.com.evil.example" + setPath, "", "", false},
	{"another port", "GET", "https://management.azure.com:444" + setPath, "", "", false},
	{"plain http", "GET", "http://management.azure.com" + setPath, "", "", false},
	{"a user in the URL", "GET", "https://a:b@management.azure.com" + setPath, "", "", false},
	{"our host as a user", "GET", "https://management.azure.com@evil.example" + setPath, "", "", false},
	{"another subscription", "GET", armHost + strings.Replace(setPath, "7c0ffee0", "7c0ffee1", 1), "", "", false},
	{"another group", "GET", armHost + strings.Replace(setPath, testGroup, "rg-shop", 1), "", "", false},
	{"another set than meant", "GET", armHost + strings.Replace(setPath, "myvmss", "other", 1), "", "", false},
	{"another provider", "GET", armHost + strings.Replace(setPath, "Microsoft.Compute", "Microsoft.Network", 1), "", "", false},
	{"dots", "GET", armHost + setPath + "/../../..", "", "", false},
	{"a dot", "GET", armHost + strings.Replace(setPath, "myvmss", ".", 1), "", "", false},
	{"escaped dots", "GET", armHost + strings.Replace(setPath, "myvmss", "%2e%2e", 1), "", "", false},
	{"an escaped slash", "GET", armHost + strings.Replace(setPath, "myvmss", "myvmss%2Fdelete", 1), "", "", false},
	{"an escaped letter", "GET", armHost + strings.Replace(setPath, "myvmss", "%6dyvmss", 1), "", "", false},
	{"a doubled slash", "GET", armHost + strings.Replace(setPath, "/myvmss", "//myvmss", 1), "", "", false},
	{"a slash at the end", "GET", armHost + setPath + "/", "", "", false},
	{"the provider", "GET", armHost + "/subscriptions/" + testSub + "/resourceGroups/" + testGroup + "/providers/Microsoft.Compute", "", "", false},
	{"one instance", "GET", armHost + listPath + "/0", "", "", false},
	{"secrets of a vault", "GET", armHost + "/subscriptions/" + testSub + "/providers/Microsoft.KeyVault/vaults", "", "", false},
	{"a delete", "DELETE", patchTo, "", "", false},
	{"a put", "PUT", patchTo, goodImage, `"7"`, false},
	{"a read with a body", "GET", patchTo, "{}", "", false},
	{"a reimage of all instances", "POST", reimageAt, "", "", false},
	{"a reimage of an empty object", "POST", reimageAt, "{}", "", false},
	{"a reimage of none", "POST", reimageAt, `{"instanceIds":[]}`, "", false},
	{"a reimage of null", "POST", reimageAt, `{"instanceIds":null}`, "", false},
	{"a reimage of *", "POST", reimageAt, `{"instanceIds":["*"]}`, "", false},
	{"a forced reimage of all", "POST", reimageAt, `{"forceUpdateOSDiskForEphemeral":true}`, "", false},
	{"a reimage that is not forced in so many words", "POST", reimageAt, `{"forceUpdateOSDiskForEphemeral":false,"instanceIds":["0"]}`, "", false},
	{"a reimage of the temporary disk", "POST", reimageAt, `{"instanceIds":["0"],"tempDisk":true}`, "", false},
	{"a reimage to a version", "POST", reimageAt, `{"exactVersion":"1","instanceIds":["0"]}`, "", false},
	{"a reimage with a profile", "POST", reimageAt, `{"instanceIds":["0"],"osProfile":{"adminPassword":"x"}}`, "", false},
	{"a reimage with an option", "POST", reimageAt + "&x=y", goodIDs, "", false},
	{"a reimage of the data disks, too", "POST", armHost + setPath + "/reimageall?api-version=1", goodIDs, "", false},
	{"a reimage of one instance", "POST", armHost + listPath + "/0/reimage?api-version=1", "", "", false},
	{"an upgrade that is forced", "POST", upgradeTo, `{"forceUpdateOSDiskForEphemeral":true,"instanceIds":["0"]}`, "", false},
	{"a deletion of instances", "POST", armHost + setPath + "/delete?api-version=1", goodIDs, "", false},
	{"an upgrade with an option", "POST", upgradeTo + "&forceDeletion=true", goodIDs, "", false},
	{"an upgrade without a version of the API", "POST", armHost + setPath + "/manualupgrade", goodIDs, "", false},
	{"an upgrade of all", "POST", upgradeTo, `{"instanceIds":["*"]}`, "", false},
	{"an upgrade of one and all", "POST", upgradeTo, `{"instanceIds":["0","*"]}`, "", false},
	{"an upgrade of none", "POST", upgradeTo, `{"instanceIds":[]}`, "", false},
	{"an upgrade of null", "POST", upgradeTo, `{"instanceIds":null}`, "", false},
	{"an upgrade without a body", "POST", upgradeTo, "", "", false},
	{"an upgrade of an empty object", "POST", upgradeTo, "{}", "", false},
	{"an upgrade in another spelling", "POST", upgradeTo, `{"InstanceIds":["0"]}`, "", false},
	{"an upgrade with two lists", "POST", upgradeTo, `{"instanceIds":["*"],"instanceIds":["0"]}`, "", false},
	{"an upgrade and more", "POST", upgradeTo, `{"instanceIds":["0"],"force":true}`, "", false},
	{"an upgrade and another document", "POST", upgradeTo, goodIDs + goodIDs, "", false},
	{"an id with an escape", "POST", upgradeTo, `{"instanceIds":["\u002a"]}`, "", false},
	{"a model without If-Match", "PATCH", patchTo, goodImage, "", false},
	{"a model with any If-Match", "PATCH", patchTo, goodImage, "*", false},
	{"a model with a sku", "PATCH", patchTo, `{"sku":{"capacity":0},` + goodImage[1:], `"7"`, false},
	{"a model with a script", "PATCH", patchTo, strings.Replace(goodImage, `"storageProfile"`, `"osProfile":{"customData":"x"},"storageProfile"`, 1), `"7"`, false},
	{"a model with an OS disk", "PATCH", patchTo, strings.Replace(goodImage, `"imageReference"`, `"osDisk":{},"imageReference"`, 1), `"7"`, false},
	{"a model with null", "PATCH", patchTo, `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":null}}}}`, `"7"`, false},
	{"a model with no image", "PATCH", patchTo, `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{}}}}}`, `"7"`, false},
	{"an image that is a disk", "PATCH", patchTo, imageOf("id", "/subscriptions/"+testSub+"/resourceGroups/g/providers/Microsoft.Compute/disks/d"), `"7"`, false},
	{"an image with dots", "PATCH", patchTo, imageOf("id", "/subscriptions/"+testSub+"/resourceGroups/../providers/Microsoft.Compute/images/i"), `"7"`, false},
	{"an image by URL", "PATCH", patchTo, imageOf("id", "https://store.example/image.vhd"), `"7"`, false},
	{"a version alone", "PATCH", patchTo, strings.Replace(goodImage, goodReference, `{"version":"4.0.20160229"}`, 1), `"7"`, false},
	{"a platform image by names and id", "PATCH", patchTo, strings.Replace(goodImage, `{"offer"`, `{"id":"/x","offer"`, 1), `"7"`, false},
	{"a platform image with a dotted offer", "PATCH", patchTo, strings.Replace(goodImage, "UbuntuServer", "..", 1), `"7"`, false},
	{"a platform image and what it was once", "PATCH", patchTo, strings.Replace(goodImage, `{"offer"`, `{"exactVersion":"1.0.0","offer"`, 1), `"7"`, false},
	{"two ids of images", "PATCH", patchTo, strings.Replace(goodImage, goodReference, `{"communityGalleryImageId":"/CommunityGalleries/g-1/Images/i","sharedGalleryImageId":"/SharedGalleries/g-1/Images/i"}`, 1), `"7"`, false},
	{"a size and the number of instances", "PATCH", patchTo, `{"sku":{"capacity":0,"name":"Standard_D4s_v5"}}`, `"7"`, false},
	{"the number of instances", "PATCH", patchTo, `{"sku":{"capacity":0}}`, `"7"`, false},
	{"a size and a tier", "PATCH", patchTo, `{"sku":{"name":"Standard_D4s_v5","tier":"Standard"}}`, `"7"`, false},
	{"a size without a name", "PATCH", patchTo, `{"sku":{"name":""}}`, `"7"`, false},
	{"a strange size", "PATCH", patchTo, `{"sku":{"name":"../x"}}`, `"7"`, false},
	{"a size and an image", "PATCH", patchTo, strings.TrimSuffix(goodImage, "}") + `,"sku":{"name":"Standard_D4s_v5"}}`, `"7"`, false},
	{"a size without If-Match", "PATCH", patchTo, goodSize, "", false},
	{"nothing for the model", "PATCH", patchTo, "{}", `"7"`, false},
	{"tags", "PATCH", patchTo, `{"tags":{"a":"b"}}`, `"7"`, false},
	{"a VHD and an image", "PATCH", patchTo, strings.Replace(goodVHD, `"osDisk"`, `"imageReference":`+goodReference+`,"osDisk"`, 1), `"7"`, false},
	{"a VHD with a signature", "PATCH", patchTo, strings.Replace(goodVHD, ".vhd", ".vhd?sig=x", 1), `"7"`, false},
	{"a VHD without a lock on the door", "PATCH", patchTo, strings.Replace(goodVHD, "https", "http", 1), `"7"`, false},
	{"a VHD of a stranger", "PATCH", patchTo, strings.Replace(goodVHD, "corpimages.blob.core.windows.net", "store.example", 1), `"7"`, false},
	{"a VHD and how it is cached", "PATCH", patchTo, strings.Replace(goodVHD, `{"image"`, `{"caching":"None","image"`, 1), `"7"`, false},
	{"machines of the group", "GET", inGroup + "Microsoft.Compute/virtualMachines?api-version=1&$expand=instanceView", "", "", false},
	{"machines of another set", "GET", machines(strings.Replace(setPath, "myvmss", "other", 1)), "", "", false},
	{"further machines of another set", "GET", machines(strings.Replace(setPath, "myvmss", "other", 1)) + "&$skiptoken=x", "", "", false},
	{"machines of two sets", "GET", machines(setPath) + "&$filter=x", "", "", false},
	{"machines of a set and more", "GET", machines(setPath + "' or 1 eq '1"), "", "", false},
	{"machines of the subscription", "GET", armHost + "/subscriptions/" + testSub + "/providers/Microsoft.Compute/virtualMachines?$filter=x", "", "", false},
	{"one machine", "GET", inGroup + "Microsoft.Compute/virtualMachines/web_1", "", "", false},
	{"a restart of a machine", "POST", inGroup + "Microsoft.Compute/virtualMachines/web_1/restart?api-version=1", "", "", false},
	{"a deletion of a machine", "DELETE", inGroup + "Microsoft.Compute/virtualMachines/web_1?api-version=1", "", "", false},
	{"autoscale settings of the subscription", "GET", armHost + "/subscriptions/" + testSub + "/providers/Microsoft.Insights/autoscaleSettings", "", "", false},
	{"autoscale settings of another group", "GET", strings.Replace(inGroup, testGroup, "rg-shop", 1) + "Microsoft.Insights/autoscaleSettings", "", "", false},
	{"an autoscale setting", "GET", inGroup + "Microsoft.Insights/autoscaleSettings/x", "", "", false},
	{"an autoscale setting that is switched off", "PATCH", inGroup + "Microsoft.Insights/autoscaleSettings/x?api-version=1", `{"properties":{"enabled":false}}`, `"7"`, false},
	{"a gallery's image that nobody asked for", "GET", inGroup + "Microsoft.Compute/galleries/g/images/i/versions", "", "", false},
	{"managed images that nobody asked for", "GET", inGroup + "Microsoft.Compute/images", "", "", false},
}

// machines asks for the virtual machines of a set.
func machines(set string) string {
	return inGroup + "Microsoft.Compute/virtualMachines?api-version=1&$expand=instanceView&$filter=" + url.QueryEscape("'virtualMachineScaleSet/id' eq '"+set+"'")
}

func imageOf(member, id string) string {
	return strings.Replace(goodImage, goodReference, `{"`+member+`":"`+id+`"}`, 1)
}

// pass sends a request through the guard as a flight about myvmss.
func pass(t testing.TB, g *guard, r request) error {
	f := &flight{since: time.Now(), set: target{testGroup, "myvmss"}, write: r.method != "GET"}
	ctx, cancel := f.begin(context.Background())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, strings.NewReader(r.body))
	if err != nil {
		return err
	}
	if r.etag != "" {
		req.Header.Set("If-Match", r.etag)
	}
	resp, err := g.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func TestTheGuardLetsThroughWhatIsMeantAndNothingElse(t *testing.T) {
	g := testGuard()
	for _, r := range requests {
		err := pass(t, g, r)
		var no *refusal
		switch {
		case r.leaves && err != nil:
			t.Errorf("%s: %v", r.name, err)
		case !r.leaves && err == nil:
			t.Errorf("%s left: %s %s %s", r.name, r.method, r.url, r.body)
		case !r.leaves && !errors.As(err, &no):
			t.Errorf("%s: %v is no refusal of the guard", r.name, err)
		}
	}
}

func TestTheGuardRefusesWhatNobodyAskedFor(t *testing.T) {
	g := testGuard()
	req, _ := http.NewRequest("GET", patchTo, nil)
	if _, err := g.Do(req); err == nil {
		t.Error("a request without a flight left")
	}
	for _, write := range []bool{true, false} {
		f := &flight{since: time.Now(), set: target{testGroup, "myvmss"}, write: write}
		ctx, cancel := f.begin(context.Background())
		defer cancel()
		method, to, body := "GET", patchTo, ""
		if !write {
			method, to, body = "POST", upgradeTo, goodIDs
		}
		req, _ := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
		if _, err := g.Do(req); err == nil {
			t.Errorf("%s left in a flight with write=%v", method, write)
		}
	}
	f := &flight{set: target{testGroup, "myvmss"}}
	ctx, cancel := f.begin(context.Background())
	defer cancel()
	for name, change := range map[string]func(*http.Request){
		"another Host header": func(r *http.Request) { r.Host = "evil.example" },
		"another method":      func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "DELETE") },
	} {
		req, _ := http.NewRequestWithContext(ctx, "GET", patchTo, nil)
		change(req)
		if _, err := g.Do(req); err == nil {
			t.Errorf("a request with %s left", name)
		}
	}
}

// FuzzGuard: whatever is asked, what leaves is on our host, in our group, one of our calls, names
// its instances, and changes only the image.
func FuzzGuard(f *testing.F) {
	for _, r := range requests {
		f.Add(r.method, r.url, r.body, r.etag)
	}
	f.Fuzz(func(t *testing.T, method, address, body, etag string) {
		if strings.ContainsAny(etag, "\r\n") || pass(t, testGuard(), request{method: method, url: address, body: body, etag: etag}) != nil {
			return
		}
		u, err := url.Parse(address)
		if err != nil || u.User != nil || !strings.EqualFold(u.Hostname(), "management.azure.com") || u.Scheme != "https" {
			t.Fatalf("left for %q", address)
		}
		for part := range strings.SplitSeq(u.EscapedPath(), "/") {
			if part == "." || part == ".." || strings.Contains(strings.ToLower(part), "%2") {
				t.Fatalf("left with path %q", u.EscapedPath())
			}
		}
		switch method {
		case "GET":
			if body != "" {
				t.Fatalf("a reading left with body %q", body)
			}
		case "POST":
			ids := strings.TrimPrefix(body, `{"forceUpdateOSDiskForEphemeral":true,`)
			if !strings.HasPrefix(strings.TrimPrefix(ids, "{"), `"instanceIds":["`) || strings.Contains(body, "*") || strings.Contains(body, `""`) {
				t.Fatalf("left with ids %q", body)
			}
		case "PATCH":
			sets := func(good string) bool { return strings.HasPrefix(body, good[:strings.LastIndexByte(good, '{')]) }
			if !sets(goodImage) && !sets(goodSize) && !sets(goodVHD) || strings.Contains(body, "capacity") || etag == "" || etag == "*" {
				t.Fatalf("left with model %q, etag %q", body, etag)
			}
		default:
			t.Fatalf("left with method %q", method)
		}
	})
}

// FuzzTarget: no set id that is accepted leads anywhere but to that set.
func FuzzTarget(f *testing.F) {
	f.Add(string(testSet))
	f.Add(strings.Replace(string(testSet), "myvmss", "..", 1))
	f.Add(strings.Replace(string(testSet), "rg-demo", "rg(1).x", 1))
	a := &Azure{guard: &guard{subscription: testSub}}
	f.Fuzz(func(t *testing.T, id string) {
		got, err := a.target(upgrade.SetID(id))
		if err != nil {
			return
		}
		escaped := url.PathEscape(got.group) + "/" + url.PathEscape(got.set)
		if got.set == "." || got.set == ".." || got.group == "." || got.group == ".." || strings.Count(escaped, "/") != 1 || strings.ContainsAny(got.set, "/?#%") {
			t.Fatalf("%q became %q", id, escaped)
		}
	})
}

// The role that operators are told to create must be neither too small nor too large.
func TestTheDocumentedRoleIsWhatTheCallsNeed(t *testing.T) {
	raw, err := os.ReadFile("../../docs/azure-role.json")
	if err != nil {
		t.Fatal(err)
	}
	var role struct{ Actions, NotActions, DataActions []string }
	if err := json.Unmarshal(raw, &role); err != nil {
		t.Fatal(err)
	}
	slices.Sort(role.Actions)
	if !slices.Equal(role.Actions, Actions()) || len(role.NotActions)+len(role.DataActions) > 0 {
		t.Errorf("the role is %v, the calls need %v", role, Actions())
	}
}

func TestActionsAreThoseOfTheCalls(t *testing.T) {
	want := []string{
		"Microsoft.Compute/galleries/images/versions/read",
		"Microsoft.Compute/images/read",
		"Microsoft.Compute/locations/communityGalleries/images/versions/read",
		"Microsoft.Compute/locations/operations/read",
		"Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read",
		"Microsoft.Compute/locations/sharedGalleries/images/versions/read",
		"Microsoft.Compute/virtualMachineScaleSets/manualUpgrade/action",
		"Microsoft.Compute/virtualMachineScaleSets/read",
		"Microsoft.Compute/virtualMachineScaleSets/reimage/action",
		"Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades/read",
		"Microsoft.Compute/virtualMachineScaleSets/skus/read",
		"Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read",
		"Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
		"Microsoft.Compute/virtualMachineScaleSets/write",
		"Microsoft.Compute/virtualMachines/instanceView/read",
		"Microsoft.Compute/virtualMachines/read",
		"Microsoft.Insights/autoscaleSettings/read",
	}
	if got := strings.Join(Actions(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("actions:\n%s", got)
	}
	writes := 0
	for _, c := range Calls() {
		if len(c.Actions) == 0 {
			t.Errorf("%s %s needs no right?", c.Method, c.Template)
		}
		if c.Method != "GET" {
			writes++
		}
	}
	if writes != 3 {
		t.Errorf("%d writes are possible, three are meant", writes)
	}
}

// The SDK escapes no dots: a set of such a name would be its parent in a path.
func TestNothingIsCalledADotOrTwo(t *testing.T) {
	for _, name := range []string{".", ".."} {
		for what, pattern := range patterns {
			if pattern.MatchString(name) {
				t.Errorf("%q can be a %s", name, what)
			}
		}
		if checkIDs([]string{name}) == nil {
			t.Errorf("%q can be an instance", name)
		}
		set := upgrade.NewSetID(strings.TrimSuffix(string(testSet), testSet.Name()) + name)
		if _, err := connect(t, &stub{}).Observe(context.Background(), set, upgrade.Free); faultOf(t, err, upgrade.FaultUnsafe) == nil {
			t.Errorf("a set called %q was asked for", name)
		}
	}
}

// A group with a letter that Go takes for another one without case is not the group with that other one.
func TestALetterInDisguiseMakesNoOtherGroup(t *testing.T) {
	genuine, prefix := string(testSet), "/subscriptions/"+testSub+"/resourceGroups/"
	for _, group := range []string{"rg-\u212aiosk", "rg-\u017fhop", "rg-\u0130nt"} {
		a := connect(t, &stub{})
		id := upgrade.SetID(prefix + group + "/providers/Microsoft.Compute/virtualMachineScaleSets/web")
		if _, err := a.Observe(context.Background(), id, upgrade.Free); faultOf(t, err, upgrade.FaultUnsafe) == nil {
			t.Errorf("%s was asked for", id)
		}
		if g := testGuard(); pass(t, g, request{method: "GET", url: "https://management.azure.com" + string(id) + "?api-version=1"}) == nil {
			t.Errorf("a reading of %s left", id)
		}
		body := fmt.Sprintf(`{"value":[{"id":%q,"name":"web"},{"id":%q,"name":"myvmss"}]}`, id, genuine)
		listing := connect(t, &stub{routes: map[string]http.HandlerFunc{"GET virtualMachineScaleSets": say(200, body)}}, func(c *Config) { c.ResourceGroups = nil })
		sets, err := listing.Sets(context.Background())
		if err != nil || len(sets) != 1 || sets[0].ID != testSet {
			t.Errorf("%s: listed %v, %v", group, sets, err)
		}
	}
	if disguised("rg-ärger_ısı-шоп") {
		t.Error("letters of other scripts are no disguise")
	}
}
