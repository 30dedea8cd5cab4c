package azure

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

func setID(group, name string) upgrade.SetID {
	return upgrade.NewSetID("/subscriptions/" + testSub + "/resourceGroups/" + group + setsType + "/" + name)
}

var flexible = setID("rg-orders", "orders-flex")

func TestAFlexibleSetIsReadThroughItsVirtualMachines(t *testing.T) {
	for _, terse := range []bool{false, true} { // whether the set's own list tells the model is not known
		a, _, _ := simulate(t, azuresim.Options{PageSize: 4, TerseFlexible: terse})
		s := observe(t, a, flexible)
		if s.Mode != upgrade.Flexible || len(s.Instances) != 6 || !slices.Equal(s.Zones, []string{"1", "2", "3"}) || s.Model.Size != "Standard_D2s_v5" || s.Unavailable() > 0 {
			t.Fatalf("set %+v", s)
		}
		for n, i := range s.Instances {
			if !strings.HasPrefix(i.ID, "orders-flex_") || n > 0 && upgrade.CompareIDs(s.Instances[n-1].ID, i.ID) >= 0 {
				t.Errorf("instance %d is called %q", n, i.ID)
			}
			if i.UpdateDomain != -1 || i.FaultDomain != -1 || i.Placement != "" || !slices.Contains(s.Zones, i.Zone) {
				t.Errorf("%s is in UD %d, FD %d, group %q, zone %q", i.ID, i.UpdateDomain, i.FaultDomain, i.Placement, i.Zone)
			}
			if !i.LatestModel || i.Protected || i.Spot || i.Size != "Standard_D2s_v5" || i.Image.Exact != "22.04.202310190" || i.Health != upgrade.Healthy || i.HealthAt.IsZero() {
				t.Errorf("instance %+v", i)
			}
		}
	}
}

func TestAnUpgradeOfAFlexibleSetTouchesTheNamedMachines(t *testing.T) {
	for _, terse := range []bool{false, true} {
		a, sim, c := simulate(t, azuresim.Options{TerseFlexible: terse})
		before := observe(t, a, flexible)
		to := upgrade.Setting{Image: before.Model.Image.At("22.04.202401170")}
		receipt, err := a.Apply(context.Background(), upgrade.Operation{ID: "m", Kind: upgrade.OpModel, Set: flexible, To: to, IfMatch: before.Etag})
		if err != nil {
			t.Fatal(err)
		}
		finish(t, sim, c, receipt.Token)
		names := []string{before.Instances[1].ID, before.Instances[4].ID}
		if receipt, err = a.Apply(context.Background(), upgrade.Operation{ID: "u", Kind: upgrade.OpUpgrade, Set: flexible, Instances: names}); err != nil {
			t.Fatal(err)
		}
		if r := finish(t, sim, c, receipt.Token); !r.OK {
			t.Fatalf("upgrade: %+v", r)
		}
		c.advance(10 * time.Minute)
		for _, i := range observe(t, a, flexible).Instances {
			named := slices.Contains(names, i.ID)
			if !i.Available() || i.LatestModel != named || to.Same(to.In(i)) != named {
				t.Errorf("%s (named %v): %+v", i.ID, named, i)
			}
		}
	}
}

func TestProtectionOfAFlexibleInstanceIsLearntFromTheSet(t *testing.T) {
	a, sim, _ := simulate(t, azuresim.Options{})
	name := observe(t, a, flexible).Instances[2].ID
	inject(t, sim, azuresim.Fault{Kind: "protect", Set: "orders-flex", Instance: name})
	for _, i := range observe(t, a, flexible).Instances {
		if i.Protected != (i.ID == name) {
			t.Errorf("%s: protected %v", i.ID, i.Protected)
		}
	}
}

func TestAFlexibleSetOfOneThousandIsReadWhole(t *testing.T) {
	fleet := azuresim.DefaultFleet()
	n := slices.IndexFunc(fleet.Sets, func(s azuresim.Set) bool { return s.Name == "orders-flex" })
	fleet.Sets[n].Capacity = 1000
	a, _, _ := simulate(t, azuresim.Options{Fleet: fleet, PageSize: 100})
	if s := observe(t, a, flexible); len(s.Instances) != 1000 || s.Unavailable() > 0 {
		t.Errorf("%d instances, %d unavailable", len(s.Instances), s.Unavailable())
	}
}

const flexPath = "/subscriptions/" + testSub + "/resourceGroups/" + testGroup + vmsType

// machineJSON is a virtual machine of myvmss.
func machineJSON(name string, more string) string {
	return `{"name":"` + name + `","properties":{"virtualMachineScaleSet":{"id":"` + strings.ToUpper(setPath) + `"},"instanceView":{"statuses":[{"code":"ProvisioningState/succeeded"},{"code":"PowerState/running"}]}` + more + `}}`
}

// flexibly observes myvmss as a Flexible set: what its own list answers, and that of virtual machines.
func flexibly(t *testing.T, own http.HandlerFunc, machines ...http.HandlerFunc) (upgrade.ScaleSet, []*url.URL, error) {
	t.Helper()
	var asked []*url.URL
	list := inTurn(machines...)
	a := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL)
		switch r.URL.Path {
		case setPath:
			say(200, setJSON(`,"orchestrationMode":"Flexible"`))(w, r)
		case setPath + vmsOfSet:
			own(w, r)
		case flexPath:
			list(w, r)
		default:
			t.Errorf("asked for %s", r.URL)
		}
	}))
	s, err := a.Observe(context.Background(), testSet, upgrade.Free)
	return s, asked, err
}

func TestTheMachinesOfASetAreAskedForWithTheOneFilter(t *testing.T) {
	s, asked, err := flexibly(t, say(200, pageJSON("", `{"instanceId":"web.a","properties":{"latestModelApplied":true}}`)),
		say(200, pageJSON("{host}"+flexPath+"?api-version=1&$skiptoken=2", machineJSON("web.a", ""))), say(200, pageJSON("", machineJSON("_web_B", ""))))
	if err != nil || ids(s) != "_web_B web.a" {
		t.Fatalf("instances %q, %v", ids(s), err)
	}
	if a, b := s.Instances[1].LatestModel, s.Instances[0].LatestModel; !a || b {
		t.Errorf("web.a has the model: %v, _web_B: %v", a, b)
	}
	if q := asked[1].Query(); q.Has("$expand") || q.Has("$filter") {
		t.Errorf("a Flexible set's own list has no views and no filter: %v", q)
	}
	if q := asked[2].Query(); q.Get("$expand") != "instanceView" || q.Get("$filter") != "'virtualMachineScaleSet/id' eq '"+setPath+"'" {
		t.Errorf("machines are asked for with %v", q)
	}
}

func TestAFlexibleSetIsReadWholeOrNotAtAll(t *testing.T) {
	own := say(200, pageJSON("", `{"instanceId":"a"}`))
	good := say(200, pageJSON("", machineJSON("a", "")))
	stranger := strings.Replace(machineJSON("b", ""), "MYVMSS", "other", 1)
	nobodys := `{"name":"b","properties":{}}`
	first := say(200, pageJSON("{host}"+flexPath+"?api-version=1&$skiptoken=2", machineJSON("a", "")))
	rows := []struct {
		name     string
		own      http.HandlerFunc
		machines []http.HandlerFunc
		ids      string // "" = it fails
		kind     upgrade.FaultKind
	}{
		{"both lists", own, []http.HandlerFunc{good}, "a", ""},
		{"a machine the set does not list yet", say(200, `{"value":[]}`), []http.HandlerFunc{good}, "a", ""},
		{"a machine that only the set lists", own, []http.HandlerFunc{say(200, `{"value":[]}`)}, "", upgrade.FaultUnavailable},
		{"a page that breaks off, and then does not", own, []http.HandlerFunc{first, half(200), good}, "a", ""},
		{"a page that breaks off again", own, []http.HandlerFunc{first, half(200), first, half(200)}, "", upgrade.FaultUnavailable},
		{"a machine of another set", own, []http.HandlerFunc{say(200, pageJSON("", machineJSON("a", ""), stranger))}, "", upgrade.FaultUnavailable},
		{"a machine of no set", own, []http.HandlerFunc{say(200, pageJSON("", machineJSON("a", ""), nobodys))}, "", upgrade.FaultUnavailable},
		{"a machine of no name", own, []http.HandlerFunc{say(200, pageJSON("", machineJSON("", "")))}, "", upgrade.FaultUnavailable},
		{"a machine called *", own, []http.HandlerFunc{say(200, pageJSON("", machineJSON("*", "")))}, "", upgrade.FaultUnavailable},
		{"null for a machine", own, []http.HandlerFunc{say(200, pageJSON("", "null"))}, "", upgrade.FaultUnavailable},
		{"no list", own, []http.HandlerFunc{say(200, `{}`)}, "", upgrade.FaultUnavailable},
		{"the set's own list fails", half(200), []http.HandlerFunc{good}, "", upgrade.FaultUnavailable},
		{"the set's own list is refused", say(400, errorJSON("BadRequest", "m")), []http.HandlerFunc{good}, "", upgrade.FaultUnavailable},
		{"machines may not be read", own, []http.HandlerFunc{say(403, errorJSON("AuthorizationFailed", "m"))}, "", upgrade.FaultDenied},
		{"machines are throttled", own, []http.HandlerFunc{say(429, "{}", "Retry-After", "60")}, "", upgrade.FaultThrottled},
		{"a link to the machines of another set", own, []http.HandlerFunc{say(200, pageJSON("{host}"+flexPath+"?$filter=x&$skiptoken=2", machineJSON("a", "")))}, "", upgrade.FaultUnsafe},
		{"a link to all machines", own, []http.HandlerFunc{say(200, pageJSON("{host}"+flexPath+"?api-version=1", machineJSON("a", "")))}, "", upgrade.FaultUnsafe},
		{"a link to another host", own, []http.HandlerFunc{say(200, pageJSON("http://127.0.0.2:1"+flexPath+"?$skiptoken=2", machineJSON("a", "")))}, "", upgrade.FaultUnsafe},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s, _, err := flexibly(t, row.own, row.machines...)
			switch {
			case row.ids == "":
				faultOf(t, err, row.kind)
				if s.ID != "" || len(s.Instances) > 0 {
					t.Errorf("a part was returned with the fault: %+v", s)
				}
			case err != nil || ids(s) != strings.Trim(row.ids, "-"):
				t.Errorf("instances %q, error %v, want %q", ids(s), err, row.ids)
			}
		})
	}
}

// Azure has no member for it in a virtual machine.
func TestWhereAzureDoesNotTellTheModelImageAndSizeDecide(t *testing.T) {
	image := func(version string) upgrade.Image {
		return upgrade.Image{Publisher: "p", Offer: "o", SKU: "s", Version: version}
	}
	runs := func(exact, size string) string {
		return `"storageProfile":{"imageReference":{"publisher":"p","offer":"o","sku":"s","version":"latest","exactVersion":"` + exact + `"}},"hardwareProfile":{"vmSize":"` + size + `"}`
	}
	rows := []struct {
		name  string
		model upgrade.Model
		vm    string
		want  bool
	}{
		{"both as in the model", upgrade.Model{Image: image("2"), Size: "L"}, runs("2", "l"), true},
		{"an older image", upgrade.Model{Image: image("2"), Size: "L"}, runs("1", "L"), false},
		{"another size", upgrade.Model{Image: image("2"), Size: "L"}, runs("2", "S"), false},
		{"a model of mixed sizes", upgrade.Model{Image: image("2")}, runs("2", "S"), true},
		{"a model that follows latest, any version", upgrade.Model{Image: image("latest"), Size: "L"}, runs("1", "L"), true},
		{"a model that follows latest, another SKU", upgrade.Model{Image: upgrade.Image{Publisher: "p", Offer: "o", SKU: "t", Version: "latest"}, Size: "L"}, runs("1", "L"), false},
		{"no image is told", upgrade.Model{Image: image("2"), Size: "L"}, `"hardwareProfile":{"vmSize":"L"}`, false},
		{"no size is told", upgrade.Model{Image: image("2"), Size: "L"}, runs("2", ""), false},
		{"Azure tells after all", upgrade.Model{Image: image("2"), Size: "L"}, runs("2", "L") + `,"latestModelApplied":false`, false},
	}
	for _, row := range rows {
		v := decode[listedVM](t, []byte(`{"name":"a","properties":{`+row.vm+`}}`))
		if i := v.instance(upgrade.ScaleSet{Mode: upgrade.Flexible, Model: row.model}); i.LatestModel != row.want {
			t.Errorf("%s: %v", row.name, i.LatestModel)
		}
	}
	v := decode[listedVM](t, []byte(`{"instanceId":"1","properties":{`+runs("2", "L")+`}}`))
	if v.instance(upgrade.ScaleSet{Mode: upgrade.Uniform, Model: upgrade.Model{Image: image("2"), Size: "L"}}).LatestModel {
		t.Error("a Uniform instance of which nothing is told counts as having the model")
	}
}

func TestTheFenceIsPassedBeforeEachCallForAFlexibleSet(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{PageSize: 4})
	passed := 0
	pass := func(context.Context) error { passed++; return nil }
	if _, err := a.Observe(context.Background(), flexible, pass); err != nil || passed != 5 {
		t.Fatalf("the fence was passed %d times for the set and two pages of each list: %v", passed, err)
	}
	for n := range 5 {
		left := n
		_, err := a.Observe(context.Background(), flexible, func(context.Context) error {
			if left--; left < 0 {
				return upgrade.ErrFenced
			}
			return nil
		})
		if f := faultOf(t, err, upgrade.FaultUnavailable); !strings.Contains(f.Message, "fence") {
			t.Errorf("closed at call %d: %v", n+1, f)
		}
	}
}
