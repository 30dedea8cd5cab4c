package azure

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

var (
	oldImage = upgrade.Image{Publisher: "Canonical", Offer: "UbuntuServer", SKU: "16.04-LTS", Version: "4.0.20160101"}
	newImage = upgrade.Image{Publisher: "Canonical", Offer: "UbuntuServer", SKU: "16.04-LTS", Version: "4.0.20160229"}
)

func TestObserveReadsTheWholeSet(t *testing.T) {
	a, _, clock := simulate(t, azuresim.Options{PageSize: 7})
	s := observe(t, a, testSet)
	if s.ID != testSet || s.Name != "myvmss" || s.ResourceGroup != "rg-demo" || s.Location != "westeurope" {
		t.Errorf("identity: %q %q %q %q", s.ID, s.Name, s.ResourceGroup, s.Location)
	}
	if s.Mode != upgrade.Uniform || s.UpgradeMode != upgrade.Manual || s.AutoOSUpgrade || s.Rolling || s.Owner != "" || s.Provisioning != upgrade.Succeeded {
		t.Errorf("state: %+v", s)
	}
	if !s.Model.Image.Same(oldImage) || s.Etag == "" || !s.HealthSource || !s.SeenAt.Equal(clock.now()) {
		t.Errorf("model image %v, etag %q, health source %v, seen %v", s.Model.Image, s.Etag, s.HealthSource, s.SeenAt)
	}
	if len(s.Instances) != 20 || s.Capacity != 20 || !slices.Equal(s.Domains(), []int{0, 1, 2, 3, 4}) || s.Unavailable() != 0 {
		t.Fatalf("%d instances of %d, domains %v, unavailable %d", len(s.Instances), s.Capacity, s.Domains(), s.Unavailable())
	}
	ids := make([]string, 20)
	for k, i := range s.Instances {
		ids[k] = i.ID
		if i.Image.Exact != "4.0.20160101" || !i.LatestModel || i.Protected || i.FaultDomain < 0 || i.HealthAt.IsZero() || i.ProvisionAt.IsZero() || i.Message != "" || i.Code != "" || len(i.Evidence) > 0 {
			t.Errorf("instance %+v", i)
		}
	}
	if !slices.IsSortedFunc(ids, upgrade.CompareIDs) {
		t.Errorf("instances are not in order: %v", ids)
	}
}

func TestObserveSeesWhatIsSpecialAboutASet(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{})
	id := func(group, name string) upgrade.SetID {
		return upgrade.NewSetID("/subscriptions/" + testSub + "/resourceGroups/" + group + setsType + "/" + name)
	}
	web := observe(t, a, id("rg-shop", "web-prod"))
	if i, _ := web.Instance("9"); !i.Protected {
		t.Error("instance 9 of web-prod should be protected")
	}
	if i, _ := web.Instance("12"); i.LatestModel || i.Image.Exact != "22.04.202401170" {
		t.Errorf("instance 12 of web-prod: %+v", i)
	}
	if !web.AutoRepairs || !web.HealthSource {
		t.Errorf("web-prod: repairs %v, health source %v", web.AutoRepairs, web.HealthSource)
	}
	if api := observe(t, a, id("rg-shop", "api-staging")); api.HealthSource || api.Instances[0].Health != upgrade.NoHealth || api.Model.Image.Version != "latest" {
		t.Errorf("api-staging has no health source: %+v", api.Instances[0])
	}
	if auto := observe(t, a, id("rg-batch", "batch-auto")); auto.UpgradeMode != upgrade.Automatic {
		t.Errorf("batch-auto is in mode %q", auto.UpgradeMode)
	}
	aks := observe(t, a, id("MC_rg-shop_shop_westeurope", "aks-nodepool1-vmss"))
	if aks.Owner != "AKS" || aks.Model.Image.ID == "" {
		t.Errorf("aks set: owner %q, image %+v", aks.Owner, aks.Model.Image)
	}
	edge := observe(t, a, id("rg-shop", "search-edge"))
	if i, _ := edge.Instance("7"); i.Provisioning != upgrade.Failed || i.Message == "" || i.Code != "VMExtensionProvisioningError" || len(i.Evidence) < 3 || i.ProvisionAt.IsZero() {
		t.Errorf("instance 7 of search-edge: %+v", i)
	}
	if i, _ := edge.Instance("3"); i.Health != upgrade.Unhealthy || i.Available() {
		t.Errorf("instance 3 of search-edge: %+v", i)
	}
	zonal := observe(t, a, id("rg-shop", "queue-zonal"))
	if i := zonal.Instances[0]; i.Zone == "" {
		t.Errorf("queue-zonal: %+v", i)
	}
	runners := observe(t, a, id("rg-batch", "ci-runners"))
	if i, _ := runners.Instance("2"); i.Power != upgrade.Deallocated || i.Available() {
		t.Errorf("instance 2 of ci-runners: %+v", i)
	}
}

// finish polls until the operation is over, moving the clock, with an Azure of its own each time:
// everything it needs is in the token.
func finish(t *testing.T, sim *azuresim.Sim, c *clock, token string) upgrade.OpReading {
	t.Helper()
	for range 200 {
		a := connect(t, sim, func(cfg *Config) { cfg.Now = c.now })
		r, err := a.Poll(context.Background(), token)
		if err != nil {
			t.Fatalf("Poll: %v", err)
		}
		if r.Done {
			return r
		}
		c.advance(max(r.Again, time.Second))
	}
	t.Fatal("the operation does not end")
	return upgrade.OpReading{}
}

func TestModelChangeAndUpgradeTouchExactlyWhatTheyName(t *testing.T) {
	a, sim, c := simulate(t, azuresim.Options{})
	before := observe(t, a, testSet)
	op := upgrade.Operation{ID: "r-1.model.1", Kind: upgrade.OpModel, Set: testSet, Image: newImage, IfMatch: before.Etag}
	receipt, err := a.Apply(context.Background(), op)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Token != "" {
		if r := finish(t, sim, c, receipt.Token); !r.OK {
			t.Fatalf("model change: %+v", r)
		}
	}
	after := observe(t, a, testSet)
	if !after.Model.Image.Same(newImage) || after.Etag == before.Etag || after.Instances[0].LatestModel || after.Instances[0].Image.Exact != "4.0.20160101" {
		t.Fatalf("after the model change: %v, etag %s, instance %+v", after.Model.Image, after.Etag, after.Instances[0])
	}
	for section, digest := range before.Model.Sections {
		if after.Model.Sections[section] != digest {
			t.Errorf("section %s changed with the image", section)
		}
	}
	if len(before.Model.Leaves) < 20 || !maps.Equal(before.Model.Leaves, after.Model.Leaves) {
		t.Errorf("leaves %v became %v", before.Model.Leaves, after.Model.Leaves)
	}
	op = upgrade.Operation{ID: "r-1.ud-0.1", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"0", "5", "10"}}
	if receipt, err = a.Apply(context.Background(), op); err != nil {
		t.Fatal(err)
	}
	if receipt.Token == "" || receipt.Correlation == "" || receipt.Azure.IsZero() || receipt.Again <= 0 {
		t.Errorf("receipt %+v", receipt)
	}
	if r, err := a.Poll(context.Background(), receipt.Token); err != nil || r.Done || r.Again <= 0 {
		t.Errorf("right after the start: %+v, %v", r, err)
	}
	if r := finish(t, sim, c, receipt.Token); !r.OK || r.Code != "" {
		t.Fatalf("upgrade: %+v", r)
	}
	c.advance(5 * time.Minute)
	for _, i := range observe(t, a, testSet).Instances {
		named := slices.Contains(op.Instances, i.ID)
		if i.LatestModel != named || (i.Image.Exact == newImage.Version) != named || !i.Available() {
			t.Errorf("instance %s (named %v): %+v", i.ID, named, i)
		}
	}
	writes := sim.Writes()
	if len(writes) != 2 || writes[0].Method != "PATCH" || writes[1].Method != "POST" || writes[1].ClientRequestID != "r-1.ud-0.1" ||
		!slices.Equal(writes[1].Instances, op.Instances) {
		t.Errorf("writes as Azure saw them: %+v", writes)
	}
}

func TestAStaleEtagChangesNothing(t *testing.T) {
	a, sim, _ := simulate(t, azuresim.Options{})
	etag := observe(t, a, testSet).Etag
	if err := sim.Inject(azuresim.Fault{Kind: "change-model", Set: "myvmss", Version: "4.0.20160315"}); err != nil {
		t.Fatal(err)
	}
	_, err := a.Apply(context.Background(), upgrade.Operation{ID: "x", Kind: upgrade.OpModel, Set: testSet, Image: newImage, IfMatch: etag})
	faultOf(t, err, upgrade.FaultPrecondition)
	if got := observe(t, a, testSet).Model.Image.Version; got != "4.0.20160315" {
		t.Errorf("the model names %s", got)
	}
}

func TestAWriteDuringAnotherOperationIsBusy(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{})
	op := upgrade.Operation{ID: "x", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}}
	if _, err := a.Apply(context.Background(), op); err != nil {
		t.Fatal(err)
	}
	op.Instances = []string{"2"}
	_, err := a.Apply(context.Background(), op)
	faultOf(t, err, upgrade.FaultBusy)
	if s := observe(t, a, testSet); !s.Provisioning.Moving() && !s.Instances[1].Provisioning.Moving() {
		t.Errorf("the set is %s, instance 1 %s", s.Provisioning, s.Instances[1].Provisioning)
	}
}

func TestAVanishedInstanceIsRefusedInAzuresWords(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{})
	_, err := a.Apply(context.Background(), upgrade.Operation{ID: "x", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"77"}})
	f := faultOf(t, err, upgrade.FaultRefused)
	if !strings.Contains(f.Message, "instanceId 77") || !strings.Contains(f.Op, "myvmss") {
		t.Errorf("fault %v", f)
	}
}

func TestASetThatIsNotThereIsGone(t *testing.T) {
	a, _, _ := simulate(t, azuresim.Options{})
	for _, path := range []string{strings.Replace(setPath, "myvmss", "nothing", 1), strings.Replace(setPath, testGroup, "no-group", 1)} {
		_, err := a.Observe(context.Background(), upgrade.NewSetID(path), upgrade.Free)
		faultOf(t, err, upgrade.FaultGone)
	}
}

func TestAFailedInstanceFailsTheOperationInInnermostWords(t *testing.T) {
	a, sim, c := simulate(t, azuresim.Options{})
	inject(t, sim, azuresim.Fault{Kind: "change-model", Set: "myvmss", Version: "4.0.20160229"},
		azuresim.Fault{Kind: "fail-instance", Set: "myvmss", Instance: "5", Code: "VMExtensionProvisioningError"})
	receipt, err := a.Apply(context.Background(), upgrade.Operation{ID: "x", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"0", "5"}})
	if err != nil {
		t.Fatal(err)
	}
	r := finish(t, sim, c, receipt.Token)
	if r.OK || r.Code != "VMExtensionProvisioningError" || r.Message == "" {
		t.Errorf("operation: %+v", r)
	}
	if i, _ := observe(t, a, testSet).Instance("5"); i.Provisioning != upgrade.Failed || i.Message == "" {
		t.Errorf("instance 5: %+v", i)
	}
}

// A retry of an instance that has the model already: manualupgrade would find nothing to do.
func TestAReimageGivesExactlyTheNamedInstancesAFreshDisk(t *testing.T) {
	a, sim, c := simulate(t, azuresim.Options{})
	receipt, err := a.Apply(context.Background(), upgrade.Operation{ID: "x", Kind: upgrade.OpReimage, Set: testSet, Instances: []string{"3", "8"}, Ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	if r := finish(t, sim, c, receipt.Token); !r.OK {
		t.Fatalf("reimage: %+v", r)
	}
	w := sim.Writes()
	if len(w) != 1 || w[0].Action != "reimage" || !slices.Equal(w[0].Started, []string{"3", "8"}) {
		t.Errorf("writes %+v", w)
	}
}

func TestAnOperationThatAzureForgotIsJudgedByItsInstances(t *testing.T) {
	a, sim, _ := simulate(t, azuresim.Options{})
	inject(t, sim, azuresim.Fault{Kind: "lro-404", Set: "myvmss"})
	receipt, err := a.Apply(context.Background(), upgrade.Operation{ID: "x", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"0"}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.Poll(context.Background(), receipt.Token); err != nil || r != gone {
		t.Errorf("poll: %+v, %v", r, err)
	}
}

func inject(t *testing.T, sim *azuresim.Sim, faults ...azuresim.Fault) {
	t.Helper()
	for _, f := range faults {
		if err := sim.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSetsListsTheSubscriptionOrTheGroups(t *testing.T) {
	a, sim, _ := simulate(t, azuresim.Options{PageSize: 3})
	names := func(a *Azure) (out []string) {
		list, err := a.Sets(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			out = append(out, s.Name)
		}
		return out
	}
	want := []string{"aks-nodepool1-vmss", "api-staging", "batch-auto", "cache-eph", "checkout-gal", "ci-runners", "edge-community", "legacy-img",
		"myvmss", "queue-zonal", "search-edge", "web-prod"}
	if got := names(a); !slices.Equal(got, want) {
		t.Errorf("all sets: %v", got)
	}
	few := connect(t, sim, func(c *Config) { c.ResourceGroups = []string{"RG-Demo", "rg-batch"} })
	if got := names(few); !slices.Equal(got, []string{"batch-auto", "ci-runners", "myvmss"}) {
		t.Errorf("sets of two groups: %v", got)
	}
	list, err := few.Sets(context.Background())
	if err != nil || list[2].ID != testSet || list[2].Capacity != 20 || list[2].UpgradeMode != upgrade.Manual || !list[2].Image.Same(oldImage) {
		t.Errorf("summary %+v, %v", list, err)
	}
	_, err = few.Observe(context.Background(), upgrade.NewSetID(strings.Replace(setPath, testGroup, "rg-shop", 1)), upgrade.Free)
	faultOf(t, err, upgrade.FaultUnsafe)
}

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

func TestVersionsAreOrderedByTheirNumbers(t *testing.T) {
	for _, row := range [][2]string{{"4.0.9", "4.0.20160229"}, {"4.0", "4.0.0"}, {"9.0.0", "10.0.0"}, {"1.0.alpha", "1.0.beta"}, {"1.0.1", "1.0.x"}} {
		if compareVersions(row[0], row[1]) >= 0 || compareVersions(row[1], row[0]) <= 0 || compareVersions(row[0], row[0]) != 0 {
			t.Errorf("%s should be older than %s", row[0], row[1])
		}
	}
}

func TestAListOfVersionsThatIsNoneIsAFault(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{"null": say(200, "null"), "an entry without a name": say(200, `[{"location":"westeurope"}]`), "an entry of null": say(200, `[null]`)} {
		s := &stub{routes: map[string]http.HandlerFunc{"GET versions": answer, "GET virtualMachineScaleSets": answer}}
		_, err := connect(t, s).Versions(context.Background(), "westeurope", oldImage)
		if f := faultOf(t, err, upgrade.FaultUnavailable); !strings.Contains(f.Message, "cannot be read") {
			t.Errorf("%s: %v", name, f)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{"no list": say(200, "{}"), "an entry without an id": say(200, `{"value":[{"name":"x"}]}`)} {
		s := &stub{routes: map[string]http.HandlerFunc{"GET virtualMachineScaleSets": answer}}
		if sets, err := connect(t, s).Sets(context.Background()); len(sets) > 0 {
			t.Errorf("%s: %v", name, sets)
		} else {
			faultOf(t, err, upgrade.FaultUnavailable)
		}
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
