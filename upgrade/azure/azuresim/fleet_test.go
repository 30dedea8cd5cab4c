package azuresim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTheDefaultFleetIsWhatTheDemoPromises(t *testing.T) {
	sim, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]SetState{}
	for _, s := range sim.Snapshot().Sets {
		sets[s.Name] = s
	}
	my := sets["myvmss"]
	if my.ResourceGroup != "rg-demo" || len(my.Instances) != 20 || my.Image != "Canonical:UbuntuServer:16.04-LTS:4.0.20160101" || my.Mode != "Manual" {
		t.Errorf("myvmss %+v", my)
	}
	domains := map[int]int{}
	for _, i := range my.Instances {
		domains[i.UD]++
	}
	if fmt.Sprint(domains) != "map[0:4 1:4 2:4 3:4 4:4]" {
		t.Errorf("update domains %v", domains)
	}
	if web := sets["web-prod"]; len(web.Instances) != 15 || !web.Instances[9].Protected || web.Instances[12].Version != "22.04.202401170" {
		t.Errorf("web-prod %+v", web)
	}
	groups := map[string]int{}
	for _, i := range sets["grid-large"].Instances {
		groups[i.PlacementGroup]++
	}
	if len(sets["grid-large"].Instances) != 100 || len(groups) != 4 || sets["orders-flex"].Orchestration != "Flexible" ||
		!sets["batch-spot"].Spot || sets["media-scaled"].Autoscale.Maximum != 12 {
		t.Errorf("groups %v, others %+v", groups, sets)
	}
	if sets["api-staging"].Instances[0].Health != "" || sets["batch-auto"].Mode != "Automatic" ||
		sets["aks-nodepool1-vmss"].ResourceGroup != "MC_rg-shop_shop_westeurope" || sets["queue-zonal"].Instances[1].Zone != "2" ||
		sets["search-edge"].Instances[3].Health != "unhealthy" || sets["ci-runners"].Instances[2].Power != "deallocated" {
		t.Errorf("others %+v", sets)
	}
}

const smallFleet = `{
  "subscription": "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee",
  "images": [{"publisher": "P", "offer": "O", "sku": "S", "versions": [{"version": "1"}, {"version": "2"}]}],
  "sets": [
    {"name": "a", "resourceGroup": "rg", "capacity": 3,
     "image": {"publisher": "P", "offer": "O", "sku": "S", "version": "1"}}
  ]
}`

func TestAFleetThatIsWrongSaysWhere(t *testing.T) {
	rows := []struct{ old, new, says string }{
		{`"capacity": 3`, `"capacitty": 3`, `fleet line 5: json: unknown field "capacitty"`},
		{`"capacity": 3`, `"capacity": "three"`, "fleet line 5:"},
		{`"capacity": 3`, `"capacity": 3, "duration": 5`, `a duration is a string such as "90s"`},
		{`"capacity": 3`, `"capacity": 3, "duration": "-1s"`, "negative"},
		{`"capacity": 3`, `"capacity": 3,,`, "fleet line 5: invalid character"},
		{`"capacity": 3`, `"capacity": 3000`, "fleet sets[0] a: capacity: 3000 is not between 0 and 1000"},
		{`"capacity": 3`, `"capacity": 3, "health": "good"`, `health: "good" is not one of probe, extension, none`},
		{`"capacity": 3`, `"capacity": 3, "orchestration": "flexible"`, `orchestration: "flexible" is not one of Uniform, Flexible`},
		{`"capacity": 3`, `"capacity": 3, "orchestration": "Flexible", "health": "probe"`, "health: a Flexible set gets it from the extension only"},
		{`"capacity": 3`, `"capacity": 3, "priority": "Low"`, `priority: "Low" is not one of`},
		{`"capacity": 3`, `"capacity": 3, "evictionPolicy": "Delete"`, "evictionPolicy: only a Spot set has one"},
		{`"capacity": 3`, `"capacity": 3, "priority": "Spot", "evictionPolicy": "Keep"`, `evictionPolicy: "Keep" is not one of`},
		{`"capacity": 3`, `"capacity": 3, "autoscale": {"minimum": 5, "maximum": 4}`, "autoscale: minimum 5, default 5 and maximum 4 are not in order"},
		{`"capacity": 3`, `"capacity": 3, "upgradeMode": "manual"`, `upgradeMode: "manual" is not one of`},
		{`"capacity": 3`, `"capacity": 3, "protected": ["3"]`, `protected: there is no instance "3"`},
		{`"capacity": 3`, `"capacity": 3, "exceptions": {"7": {}}`, "exceptions.7: there is no such instance"},
		{`"capacity": 3`, `"capacity": 3, "exceptions": {"1": {"version": "9"}}`, "exceptions.1.version: P:O:S:9 is not in images"},
		{`"capacity": 3`, `"capacity": 3, "exceptions": {"1": {"power": "off"}}`, `exceptions.1.power: "off"`},
		{`"capacity": 3`, `"capacity": 3, "extra": []`, "extra:"},
		{`"version": "1"}}`, `"version": "3"}}`, "image: P:O:S:3 is not in images"},
		{`"name": "a"`, `"name": ".."`, `name: ".." cannot name a scale set`},
		{`"resourceGroup": "rg"`, `"resourceGroup": "rg."`, `resourceGroup: "rg."`},
		{`7c0ffee0-0000`, `nope`, "is not a UUID"},
	}
	for _, r := range rows {
		_, err := LoadFleet(strings.NewReader(strings.Replace(smallFleet, r.old, r.new, 1)))
		if err == nil || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: %v, want %q in it", r.new, err, r.says)
		}
	}
	if _, err := LoadFleet(strings.NewReader(smallFleet)); err != nil {
		t.Errorf("the small fleet itself: %v", err)
	}
}

func TestImagesAndSizesThatAreWrongSayWhere(t *testing.T) {
	const gallery = `{"name": "g", "resourceGroup": "rg", "images": [{"name": "i", "versions": [{"version": "1"}, {"version": "2", "targetRegions": ["eastus"]}]}]}`
	const id = "/subscriptions/" + testSub + "/resourceGroups/rg/providers/Microsoft.Compute/"
	rows := []struct{ members, image, says string }{
		{`"galleries": [` + gallery + `]`, `"id": "` + id + `galleries/g/images/i/versions/1"`, ""},
		{`"galleries": [` + gallery + `]`, `"id": "` + id + `galleries/G/images/I"`, ""},
		{`"managedImages": [{"name": "m", "resourceGroup": "rg"}]`, `"id": "` + id + `images/m"`, ""},
		{`"galleries": [` + gallery + `]`, `"id": "` + id + `galleries/g/images/i/versions/2"`, "sets[0] a: image: " + id + "galleries/g/images/i/versions/2 is not in galleries or managedImages, ready and in westeurope"},
		{`"galleries": [` + gallery + `]`, `"id": "` + id + `galleries/g/images/j"`, "is not in galleries"},
		{`"managedImages": [{"name": "m", "resourceGroup": "rg", "provisioningState": "Failed"}]`, `"id": "` + id + `images/m"`, "ready and in westeurope"},
		{`"managedImages": [{"name": "m", "resourceGroup": "rg", "provisioningState": "Odd"}]`, "", `fleet managedImages[0] m: provisioningState: "Odd" is not one of Succeeded`},
		{`"managedImages": [{"name": "m", "resourceGroup": "rg"}, {"name": "M", "resourceGroup": "RG"}]`, "", "managedImages[1] M: images/rg/m is there twice"},
		{`"galleries": [` + gallery + `, ` + gallery + `]`, "", "galleries[1] g: galleries/" + testSub + "/rg/g is there twice"},
		{`"galleries": [{"name": "..", "resourceGroup": "rg", "images": []}]`, "", `name: ".." is no name`},
		{`"galleries": [{"name": "g", "resourceGroup": "rg", "subscription": "x", "images": []}]`, "", `subscription: "x" is not a UUID`},
		{`"galleries": [{"name": "g", "resourceGroup": "rg", "images": [{"name": "i", "versions": [{"version": "1"}, {"version": "1"}]}]}]`, "", "images[0] i: versions[1]: 1 is there twice"},
		{`"galleries": [{"name": "g", "resourceGroup": "rg", "images": [{"name": "i", "versions": [{"version": "1", "provisioningState": "?"}]}]}]`, "", "versions[0]: provisioningState"},
		{`"sizes": [{"name": "Big"}]`, "", "fleet sizes[0] Big: a size has a name and at least one core"},
		{`"quotas": [{"limit": -1}]`, "", "fleet quotas[0] : limit: -1 is negative"},
	}
	for _, r := range rows {
		text := strings.Replace(smallFleet, `"sets": [`, r.members+`, "sets": [`, 1)
		if r.image != "" {
			text = strings.Replace(text, `"image": {"publisher": "P", "offer": "O", "sku": "S", "version": "1"}`, `"image": {`+r.image+`}`, 1)
		}
		_, err := LoadFleet(strings.NewReader(text))
		if (err == nil) != (r.says == "") || err != nil && !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: %v, want %q in it", r.members, err, r.says)
		}
	}
	_, err := LoadFleet(strings.NewReader(strings.Replace(smallFleet, `"capacity": 3`, `"capacity": 3, "size": "Tiny"`, 1)))
	if err == nil || !strings.Contains(err.Error(), "size: Tiny is not in sizes") {
		t.Errorf("an unknown size: %v", err)
	}
}

func TestNewRefusesAFleetMadeByHandThatIsWrong(t *testing.T) {
	f := DefaultFleet()
	f.Sets[0].Image.Version = "0"
	if _, err := New(Options{Fleet: f}); err == nil || !strings.Contains(err.Error(), "sets[0] myvmss: image") {
		t.Errorf("error %v", err)
	}
}

func TestASetsDurationAndExtrasCount(t *testing.T) {
	text := strings.Replace(smallFleet, `"capacity": 3`,
		`"capacity": 3, "duration": "30s", "extra": {"identity": {"type": "SystemAssigned"}, "properties": {"osThing": 1.0}}`, 1)
	inBubble(t, Options{Fleet: mustFleet(t, text)}, func(t *testing.T, b *bench) {
		set := "/subscriptions/" + testSub + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/a"
		if raw := string(b.get(set).raw); !strings.Contains(raw, `"osThing":1.0`) || !strings.Contains(raw, `"SystemAssigned"`) {
			t.Errorf("document %s", raw)
		}
		b.patchVersion(set, "2")
		b.upgrade(set, "0").want(http.StatusAccepted)
		time.Sleep(30 * time.Second)
		if i := b.state("a", "0"); i.Version != "2" || i.Health != "healthy" {
			t.Errorf("instance %+v", i)
		}
	})
}
