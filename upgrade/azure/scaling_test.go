package azure

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

func TestSizesAreThoseAzureOffersToTheSet(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{PageSize: 3})
	list, err := a.Sizes(context.Background(), testSet)
	if err != nil || len(list) < 5 {
		t.Fatalf("%d sizes, %v", len(list), err)
	}
	names := make([]string, len(list))
	for n, s := range list {
		if names[n] = s.Name; s.Max < 1 || s.Min > s.Max {
			t.Errorf("size %+v", s)
		}
	}
	if !slices.IsSorted(names) || !slices.Contains(names, "Standard_D2s_v5") || slices.Contains(names, "Standard_NC4as_T4_v3") {
		t.Errorf("sizes %v", names)
	}
}

func TestAResizeTouchesTheModelAndThenTheNamedInstances(t *testing.T) {
	a, sim, c := simulate(t, azuresim.Options{})
	before := observe(t, a, testSet)
	receipt, err := a.Apply(context.Background(), upgrade.Operation{ID: "m", Kind: upgrade.OpModel, Set: testSet, To: upgrade.Setting{Size: "Standard_D4s_v5"}, IfMatch: before.Etag})
	if err != nil {
		t.Fatal(err)
	}
	finish(t, sim, c, receipt.Token)
	after := observe(t, a, testSet)
	if after.Model.Size != "Standard_D4s_v5" || after.Capacity != before.Capacity || len(after.Instances) != len(before.Instances) || after.Model.Image != before.Model.Image {
		t.Errorf("size %q, capacity %d, %d instances, image %v", after.Model.Size, after.Capacity, len(after.Instances), after.Model.Image)
	}
	if i := after.Instances[0]; i.Size != before.Model.Size || i.LatestModel {
		t.Errorf("instance %+v", i)
	}
	if receipt, err = a.Apply(context.Background(), upgrade.Operation{ID: "u", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"3"}}); err != nil {
		t.Fatal(err)
	}
	finish(t, sim, c, receipt.Token)
	for _, i := range observe(t, a, testSet).Instances {
		if (i.Size == "Standard_D4s_v5") != (i.ID == "3") || i.Image != before.Instances[0].Image {
			t.Errorf("instance %s is %s with %v", i.ID, i.Size, i.Image)
		}
	}
}

func TestASizeThatAzureDoesNotHaveChangesNothing(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{})
	before := observe(t, a, testSet)
	_, err := a.Apply(context.Background(), upgrade.Operation{ID: "m", Kind: upgrade.OpModel, Set: testSet, To: upgrade.Setting{Size: "Standard_X1"}, IfMatch: before.Etag})
	if f := faultOf(t, err, upgrade.FaultRefused); !strings.Contains(f.Message, "Standard_X1") {
		t.Errorf("fault %v", f)
	}
	if after := observe(t, a, testSet); after.Model.Size != before.Model.Size || after.Etag != before.Etag {
		t.Errorf("size %s, etag %s", after.Model.Size, after.Etag)
	}
}

func TestAutoscaleIsThatOfTheSet(t *testing.T) {
	fleet := azuresim.DefaultFleet()
	fleet.Sets = append(fleet.Sets, azuresim.Set{Name: "media-off", ResourceGroup: "rg-media", Image: fleet.Sets[0].Image, Capacity: 1,
		Autoscale: &azuresim.Autoscale{Minimum: 1, Maximum: 2, Disabled: true}})
	a, _, _ := simulate(t, azuresim.Options{Fleet: fleet, PageSize: 1})
	for set, want := range map[upgrade.SetID]upgrade.Autoscale{
		setID("rg-media", "media-scaled"): {On: true, Name: "media-scaled-autoscale", Min: 4, Max: 12},
		setID("rg-media", "media-off"):    {Name: "media-off-autoscale", Min: 1, Max: 2},
		setID("rg-media", "media"):        {},
		testSet:                           {},
	} {
		if got, err := a.Autoscale(context.Background(), set); err != nil || got != want {
			t.Errorf("%s: %+v, %v", set.Name(), got, err)
		}
	}
}

func TestWhatAutoscaleSettingsSay(t *testing.T) {
	setting := func(name, target, more string) string {
		return `{"name":"` + name + `","properties":{"targetResourceUri":"` + target + `"` + more + `}}`
	}
	const on = `,"enabled":true`
	profiles := `,"profiles":[{"capacity":{"minimum":"4","maximum":"6"}},{"capacity":{"minimum":"2","maximum":"9"}},null]`
	upper := strings.ToUpper(setPath)
	rows := []struct {
		name string
		list []string
		want upgrade.Autoscale
	}{
		{"none", nil, upgrade.Autoscale{}},
		{"one of another set", []string{setting("a", setPath+"2", on)}, upgrade.Autoscale{}},
		{"one without a target", []string{`{"name":"a","properties":null}`}, upgrade.Autoscale{}},
		{"in another case", []string{setting("a", upper, on)}, upgrade.Autoscale{On: true, Name: "a"}},
		{"that does not say whether it is on", []string{setting("a", setPath, "")}, upgrade.Autoscale{Name: "a"}},
		{"with several profiles", []string{setting("a", setPath, on+strings.Replace(profiles, ",null", "", 1))}, upgrade.Autoscale{On: true, Name: "a", Min: 2, Max: 9}},
		{"with a profile that says nothing", []string{setting("a", setPath, on+profiles)}, upgrade.Autoscale{On: true, Name: "a", Min: 0, Max: 9}},
		{"one that is off and one that is on", []string{setting("a", setPath, ""), setting("b", setPath, on), setting("c", setPath, "")}, upgrade.Autoscale{On: true, Name: "b"}},
		{"a name that would be read as something else", []string{setting("a`b", setPath, on)}, upgrade.Autoscale{On: true, Name: "a'b"}},
	}
	for _, row := range rows {
		s := &stub{routes: map[string]http.HandlerFunc{"GET autoscaleSettings": say(200, pageJSON("", row.list...))}}
		if got, err := connect(t, s).Autoscale(context.Background(), testSet); err != nil || got != row.want {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
	}
}

func TestSizesAndAutoscaleAreReadWholeOrNotAtAll(t *testing.T) {
	rows := []struct {
		name   string
		answer http.HandlerFunc
		kind   upgrade.FaultKind
	}{
		{"no list", say(200, `{}`), upgrade.FaultUnavailable},
		{"null for an entry", say(200, `{"value":[null]}`), upgrade.FaultUnavailable},
		{"an entry without a name", say(200, `{"value":[{"sku":{},"properties":{}}]}`), upgrade.FaultUnavailable},
		{"half a page", half(200), upgrade.FaultUnavailable},
		{"an HTML page", html(200), upgrade.FaultUnavailable},
		{"denied", say(403, errorJSON("AuthorizationFailed", "m")), upgrade.FaultDenied},
		{"gone", say(404, errorJSON("ResourceGroupNotFound", "m")), upgrade.FaultGone},
		{"throttled", say(429, "{}", "Retry-After", "60"), upgrade.FaultThrottled},
		{"a link to another host", say(200, pageJSON("http://127.0.0.2:1"+setPath+"/skus")), upgrade.FaultUnsafe},
		{"a link to another group", say(200, pageJSON("{host}/subscriptions/"+testSub+"/resourceGroups/rg-shop"+autoscaleType+"?api-version=1")), upgrade.FaultUnsafe},
		{"a link to another set", say(200, pageJSON("{host}"+strings.Replace(setPath, "myvmss", "other", 1)+"/skus?api-version=1")), upgrade.FaultUnsafe},
	}
	for _, row := range rows {
		s := &stub{routes: map[string]http.HandlerFunc{"GET skus": row.answer, "GET autoscaleSettings": row.answer}}
		sizes, err := connect(t, s).Sizes(context.Background(), testSet)
		if faultOf(t, err, row.kind); sizes != nil {
			t.Errorf("%s: sizes %v", row.name, sizes)
		}
		scale, err := connect(t, s).Autoscale(context.Background(), testSet)
		if faultOf(t, err, row.kind); scale != (upgrade.Autoscale{}) {
			t.Errorf("%s: autoscale %+v", row.name, scale)
		}
	}
	for _, id := range []upgrade.SetID{"", "x", testSet + "/..", setID("rg(1)/x", "y")} {
		_, err := connect(t, &stub{}).Sizes(context.Background(), id)
		faultOf(t, err, upgrade.FaultUnsafe)
		_, err = connect(t, &stub{}).Autoscale(context.Background(), id)
		faultOf(t, err, upgrade.FaultUnsafe)
	}
}

// Microsoft.Insights has limits of its own: a rollout does not wait for them.
func TestQuietOfAutoscaleLeavesComputeAlone(t *testing.T) {
	for count, held := range map[string]bool{"": false, "11000": false, "0": true} {
		synctest.Test(t, func(t *testing.T) {
			refusal := say(429, errorJSON("TooManyRequests", "m"), "Retry-After", "900", "x-ms-ratelimit-remaining-subscription-reads", count)
			s := twoSets("GET autoscaleSettings", refusal)
			inBubble(t, s, func(a *Azure) {
				_, err := a.Autoscale(context.Background(), testSet)
				faultOf(t, err, upgrade.FaultThrottled)
				_, err = a.Autoscale(context.Background(), testSet)
				faultOf(t, err, upgrade.FaultThrottled)
				if err := deeds["GET"](a, "other"); (err != nil) != held {
					t.Errorf("with %q reads left: %v", count, err)
				}
				if n := len(s.requests()); !held && n != 3 {
					t.Errorf("requests %v", s.requests())
				}
			})
		})
	}
}

func TestASpotSetAndItsEvictedInstance(t *testing.T) {
	a, sim, c := simulate(t, azuresim.Options{})
	id := setID("rg-spot", "batch-spot")
	inject(t, sim, azuresim.Fault{Kind: "evict", Set: "batch-spot", Instance: "2"})
	for range 30 {
		s := observe(t, a, id)
		if !s.Spot || len(s.Instances) != 8 {
			t.Fatalf("Spot %v, %d instances", s.Spot, len(s.Instances))
		}
		i, _ := s.Instance("2")
		if !i.Spot {
			t.Fatalf("instance %+v", i)
		}
		if i.Power == upgrade.Deallocated {
			return
		}
		c.advance(30e9)
	}
	t.Error("instance 2 was not seen evicted")
}
