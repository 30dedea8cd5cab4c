package azuresim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTheControlAPISaysWhatThePackageSays(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		control := func(method, path, body string) answer {
			return b.do(method, "/_control/"+path, body, "Authorization", "")
		}
		b.patchVersion(demoSet, "4.0.20160229")
		b.upgrade(demoSet, "2").want(202)
		var st State
		if err := json.Unmarshal(control("GET", "state", "").want(200).raw, &st); err != nil {
			t.Fatal(err)
		}
		if !sameJSON(st, b.sim.Snapshot()) {
			t.Error("state differs from Snapshot")
		}
		var writes []Write
		if err := json.Unmarshal(control("GET", "writes", "").want(200).raw, &writes); err != nil || len(writes) != 2 {
			t.Errorf("%v, %d writes", err, len(writes))
		}
		control("POST", "fault", `{"kind":"unhealthy-now","set":"myvmss","instance":"9"}`).want(200)
		if b.state("myvmss", "9").Health != "unhealthy" {
			t.Error("the fault did nothing")
		}
		if a := control("POST", "fault", `{"kind":"meteor"}`).refused(400, "BadRequest"); !strings.Contains(string(a.raw), "never-healthy") {
			t.Errorf("answer %s", a.raw)
		}
		control("POST", "fault", `{"kind":"slow","sett":"myvmss"}`).refused(400, "BadRequest")
		control("POST", "reset", "").want(200)
		if len(b.sim.Writes()) != 0 || b.state("myvmss", "9").Health != "healthy" {
			t.Error("something survived the reset")
		}
		control("GET", "nothing", "").refused(404, "NotFound")
	})
}

func TestCallsAreCountedByTemplateKindAndStatus(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.get(demoSet + "/virtualMachines")
		b.get(shop + "web-prod/virtualMachines")
		b.do("GET", "/nowhere"+testVer, "").want(404)
		b.inject(Fault{Kind: "http-status", Status: 429})
		b.do("GET", demoSet+testVer, "").want(429)
		b.inject(Fault{Kind: "reset"})
		b.try("GET", demoSet+testVer, "")
		b.get("/_control/stats")
		st := b.sim.Stats()
		if st.Calls != 5 || st.Kinds["VirtualMachineScaleSetVMs_List"] != 2 || st.Throttled != 1 || st.Statuses["200"] != 2 ||
			st.Statuses["404"] != 1 || st.Statuses["dropped"] != 1 || st.Routes["GET other"] != 1 ||
			st.Routes["GET "+oneSet+"/virtualMachines"] != 2 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestTheRecordOfAWriteSaysWhoWhatAndWhen(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		start := time.Now()
		b.do("PATCH", demoSet+testVer, imagePatch("4.0.20160229"), "x-ms-client-request-id", "c-1").want(200)
		time.Sleep(10 * time.Second)
		a := b.do("POST", strings.ToUpper(demoSet)+"/manualupgrade"+testVer, `{"instanceIds":["0","5"]}`, "x-ms-correlation-request-id", "corr-7").want(202)
		writes := b.sim.Writes()
		if len(writes) != 2 {
			t.Fatalf("%d writes", len(writes))
		}
		patch, post := writes[0], writes[1]
		if patch.Method != "PATCH" || patch.ImageBefore != "Canonical:UbuntuServer:16.04-LTS:4.0.20160101" || patch.ImageAfter != "Canonical:UbuntuServer:16.04-LTS:4.0.20160229" ||
			patch.ClientRequestID != "c-1" || patch.Seq != 1 || !patch.Time.Equal(start) || string(patch.Body) != imagePatch("4.0.20160229") {
			t.Errorf("patch %+v", patch)
		}
		if post.Action != "manualupgrade" || post.Set != strings.ToLower(demoSet) || strings.Join(post.Instances, " ") != "0 5" ||
			strings.Join(post.Started, " ") != "0 5" || post.CorrelationID != "corr-7" || post.Status != 202 || !post.Accepted || !post.Answered ||
			!strings.Contains(a.header.Get("Location"), post.Operation) {
			t.Errorf("post %+v", post)
		}
		if got := a.header.Get("x-ms-correlation-request-id"); got != "corr-7" {
			t.Errorf("correlation %q", got)
		}
	})
}

func TestAnswersCarryTheUsualHeaders(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		a := b.do("GET", demoSet+testVer, "", "x-ms-client-request-id", "c-2", "x-ms-return-client-request-id", "true").want(200)
		for name, want := range map[string]string{
			"Content-Type":           "application/json; charset=utf-8",
			"Date":                   time.Now().UTC().Format(http.TimeFormat),
			"x-ms-client-request-id": "c-2",
			"x-ms-ratelimit-remaining-subscription-reads": "249",
			"x-ms-ratelimit-remaining-resource":           "Microsoft.Compute/GetVMScaleSetResource;35,Microsoft.Compute/GetVMScaleSetSubscriptionMaximum;2399",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		for _, name := range []string{"x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"} {
			if a.header.Get(name) == "" || a.header.Get(name) == b.get(demoSet).header.Get(name) {
				t.Errorf("%s: %q", name, a.header.Get(name))
			}
		}
	})
}

func TestWhatToolsAskFirst(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		sub := "/subscriptions/" + testSub
		if got := text(b.get("/subscriptions").list()[0], "subscriptionId"); got != testSub {
			t.Errorf("subscription %s", got)
		}
		if text(b.get(sub).doc, "state") != "Enabled" || len(b.get("/tenants").list()) != 1 {
			t.Error("subscription or tenant")
		}
		if got := text(b.get(sub+"/resourceGroups/RG-DEMO").doc, "name"); got != "rg-demo" {
			t.Errorf("group %s", got)
		}
		b.do("HEAD", sub+"/resourceGroups/rg-demo"+testVer, "").want(204)
		b.do("HEAD", sub+"/resourceGroups/nope"+testVer, "").want(404)
		meta := b.do("GET", "/metadata/endpoints", "", "Authorization", "").want(200).doc
		if text(meta, "resourceManager") != "http://arm.local/" {
			t.Errorf("metadata %v", meta)
		}
		if raw := string(b.get(sub + "/providers/Microsoft.Compute/locations/westeurope/publishers").raw); !strings.Contains(raw, `"name":"Canonical"`) || raw[0] != '[' {
			t.Errorf("publishers %s", raw)
		}
		if raw := string(b.get(sub + "/providers/Microsoft.Compute/locations/westeurope/publishers/canonical/artifacttypes/vmimage/offers/UbuntuServer/skus").raw); !strings.Contains(raw, `"name":"18.04-LTS"`) || strings.Contains(raw, "jammy") {
			t.Errorf("skus %s", raw)
		}
		if raw := string(b.get(sub + "/providers/Microsoft.Compute/locations/westeurope/publishers/canonical/artifacttypes/vmimage/offers").raw); strings.Count(raw, `"name":"UbuntuServer"`) != 1 {
			t.Errorf("offers %s", raw)
		}
	})
}

func TestConcurrentCallersDoNotRace(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		done := make(chan bool)
		for n := range 8 {
			go func() {
				for range 5 {
					b.try("GET", demoSet+"/virtualMachines"+testVer, "")
					b.try("POST", demoSet+"/manualupgrade"+testVer, `{"instanceIds":["`+itoa(n)+`"]}`)
					b.sim.Snapshot()
					b.sim.Writes()
					b.sim.Stats()
				}
				done <- true
			}()
		}
		for range 8 {
			<-done
		}
		if n := len(b.sim.Writes()); n != 40 {
			t.Errorf("%d writes on record, want 40", n)
		}
	})
}

func TestTheStateSaysWhatTheModelStandsFor(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		sets := map[string]SetState{}
		for _, s := range b.sim.Snapshot().Sets {
			sets[s.Name] = s
		}
		for _, r := range []struct {
			set, version, source string
			versions             int
		}{
			{"myvmss", "4.0.20160101", "extension", 5},
			{"web-prod", "22.04.202310190", "probe", 3},
			{"api-staging", "22.04.202401170", "none", 3},    // its model says latest
			{"aks-nodepool1-vmss", "202401.09.0", "none", 0}, // a gallery's image
		} {
			s := sets[r.set]
			if s.ImageVersion != r.version || s.HealthSource != r.source || len(s.Versions) != r.versions {
				t.Errorf("%s: image version %s, health from %s, versions %v; want %+v", r.set, s.ImageVersion, s.HealthSource, s.Versions, r)
			}
		}
		if v := sets["myvmss"].Versions; len(v) == 5 && (v[0] != "4.0.20151120" || v[4] != "4.0.20160315") {
			t.Errorf("versions %v, want the oldest first", v)
		}
		failed := b.state("search-edge", "7")
		if !strings.Contains(failed.Message, "HealthExtension") || failed.PowerSince.IsZero() || failed.HealthSince.IsZero() {
			t.Errorf("failed instance %+v", failed)
		}
	})
}
