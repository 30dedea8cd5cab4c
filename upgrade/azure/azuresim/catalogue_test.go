package azuresim

import (
	"strings"
	"testing"
	"time"
)

func TestAVersionIsKnownFromTheMomentItComesOut(t *testing.T) {
	f := DefaultFleet()
	ubuntu := &f.Images[0]
	path := "/subscriptions/" + f.Subscription + "/providers/Microsoft.Compute/locations/westeurope/publishers/" + ubuntu.Publisher + "/artifacttypes/vmimage/offers/" + ubuntu.Offer + "/skus/" + ubuntu.SKU + "/versions"
	out := time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)
	ubuntu.Versions = append(ubuntu.Versions, Version{Version: "99.0.1", Published: out})
	inBubble(t, Options{Fleet: f}, func(t *testing.T, b *bench) {
		if raw := string(b.get(path).raw); strings.Contains(raw, "99.0.1") || !strings.Contains(raw, ubuntu.Versions[0].Version) {
			t.Errorf("before it comes out there are %s", raw)
		}
		if raw := string(b.get(path + "/latest").raw); strings.Contains(raw, "99.0.1") {
			t.Errorf("latest is %s before it comes out", raw)
		}
		time.Sleep(time.Until(out))
		if raw := string(b.get(path).raw); !strings.Contains(raw, "99.0.1") {
			t.Errorf("once it is out there are %s", raw)
		}
		if raw := string(b.get(path + "/latest").raw); !strings.Contains(raw, "99.0.1") {
			t.Errorf("latest is %s once it is out", raw)
		}
	})
}
