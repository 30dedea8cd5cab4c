package azuresim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	media    = "/subscriptions/" + testSub + "/resourceGroups/rg-media/providers/Microsoft.Compute/virtualMachineScaleSets/media-scaled"
	settings = "/providers/Microsoft.Insights/autoscaleSettings"
	insight  = "?api-version=2022-10-01"
)

func TestAutoscaleSettingsAreListedAndRead(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		sub := "/subscriptions/" + testSub
		rows := map[string]int{
			sub + settings: 1,
			sub + "/resourceGroups/RG-MEDIA" + settings:                 1,
			sub + "/resourceGroups/rg-demo" + strings.ToLower(settings): 0,
		}
		for path, want := range rows {
			if got := len(b.get(path + insight).list()); got != want {
				t.Errorf("%s: %d settings, want %d", path, got, want)
			}
		}
		one := sub + "/resourceGroups/rg-media" + settings
		d := b.get(one + "/media-scaled-autoscale" + insight).doc
		profile := value(d, "properties", "profiles").([]any)[0].(document)
		if !flag(d, "properties", "enabled") || text(d, "properties", "targetResourceUri") != media || text(d, "type") != "Microsoft.Insights/autoscaleSettings" ||
			text(d, "properties", "targetResourceLocation") != "westeurope" ||
			!sameJSON(profile["capacity"], document{"minimum": "4", "maximum": "12", "default": "4"}) || len(profile["rules"].([]any)) != 2 {
			t.Errorf("setting %v", d)
		}
		if text(b.get(sub + settings + insight).list()[0], "id") != text(d, "id") {
			t.Error("the list shows it under another id")
		}
		b.do("GET", one+"/other"+insight, "").refused(http.StatusNotFound, "ResourceNotFound")
		b.do("GET", sub+"/resourceGroups/nope"+settings+insight, "").refused(http.StatusNotFound, "ResourceGroupNotFound")
		b.do("GET", sub+"/providers/Microsoft.Insights/alerts"+insight, "").refused(http.StatusNotFound, "InvalidResourceType")
		b.do("GET", sub+settings, "").refused(http.StatusBadRequest, "MissingApiVersionParameter")
	})
}

func TestTheAutoscalerMovesTheCapacityWithinItsLimits(t *testing.T) {
	rows := []struct {
		by   int
		want string // ids afterwards
	}{
		{2, "0 1 2 3 4 5 6 7"},
		{-1, "0 1 2 3 4"},
		{-5, "0 1 2 3"},
		{50, "0 1 2 3 4 5 6 7 8 9 10 11"},
	}
	for _, r := range rows {
		t.Run(strconv.Itoa(r.by), func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				b.patchVersion(media, "22.04.202401170")
				etag := text(b.get(media).doc, "etag")
				b.inject(Fault{Kind: "scale", Set: "media-scaled", Count: r.by})
				d := b.get(media).doc
				if text(d, "etag") == etag || text(d, "properties", "provisioningState") != "Updating" {
					t.Errorf("etag %s, %s", text(d, "etag"), text(d, "properties", "provisioningState"))
				}
				b.upgrade(media, "0").refused(http.StatusConflict, "Conflict")
				time.Sleep(5 * time.Minute)
				ids := b.names("media-scaled")
				if got := strings.Join(ids, " "); got != r.want {
					t.Errorf("instances %s, want %s", got, r.want)
				}
				for _, id := range ids {
					if i := b.state("media-scaled", id); i.LatestModelApplied != (len(id) > 1 || id > "5") || i.Health != "healthy" {
						t.Errorf("instance %+v", i)
					}
				}
				if capacity, _ := number(b.get(media).doc, "sku", "capacity"); capacity != len(ids) {
					t.Errorf("capacity %d", capacity)
				}
			})
		})
	}
}

func TestTheAutoscalerWaitsForAnOperation(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(media, "22.04.202401170")
		b.upgrade(media, "0", "1").want(http.StatusAccepted)
		b.inject(Fault{Kind: "scale", Set: "media-scaled"})
		time.Sleep(time.Minute)
		if n := len(b.names("media-scaled")); n != 6 {
			t.Errorf("%d instances during the upgrade", n)
		}
		time.Sleep(4 * time.Minute)
		if n := len(b.names("media-scaled")); n != 7 {
			t.Errorf("%d instances after it", n)
		}
	})
}

func TestProtectedInstancesAreNotScaledIn(t *testing.T) {
	for _, policy := range []string{"protectFromScaleIn", "protectFromScaleSetActions"} {
		t.Run(policy, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				b.do("PATCH", media+"/virtualMachines/5"+testVer, `{"properties":{"protectionPolicy":{"`+policy+`":true}}}`).want(http.StatusOK)
				time.Sleep(time.Minute)
				b.inject(Fault{Kind: "scale", Set: "media-scaled", Count: -2})
				time.Sleep(5 * time.Minute)
				if got := strings.Join(b.names("media-scaled"), " "); got != "0 1 2 5" {
					t.Errorf("instances %s", got)
				}
			})
		})
	}
}

func TestScalingInKeepsTheZonesEven(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		set := shop + "queue-zonal" // 0, 3, 6 in zone 1; 1, 4, 7 in zone 2; 2, 5, 8 in zone 3
		b.inject(Fault{Kind: "vanish", Set: "queue-zonal", Instances: []string{"2", "5"}})
		b.do("PATCH", set+testVer, `{"sku":{"capacity":3}}`).want(http.StatusOK)
		time.Sleep(5 * time.Minute)
		if got := strings.Join(b.names("queue-zonal"), " "); got != "0 1 8" {
			t.Errorf("instances %s", got)
		}
	})
}

func TestScalingInEndsWhatElseAnInstanceIsIn(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		restart := b.do("POST", media+"/virtualMachines/5/restart"+testVer, "").want(http.StatusAccepted)
		b.inject(Fault{Kind: "scale", Set: "media-scaled", Count: -1})
		if got := b.status(restart); got != "Failed" {
			t.Errorf("the restart %s", got)
		}
		time.Sleep(5 * time.Minute)
		if slices.Contains(b.names("media-scaled"), "5") {
			t.Error("instance 5 is still there")
		}
	})
}
