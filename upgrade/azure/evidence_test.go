package azure

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func evidenceOf(t *testing.T, inner string) []string {
	t.Helper()
	return listed(t, view(inner), true).Evidence
}

func TestEvidenceIsWhatIsNotPlainlyWell(t *testing.T) {
	const at = `,"time":"2026-11-23T09:00:00.1234567+00:00"`
	rows := []struct {
		name, inner string
		want        []string
	}{
		{"nothing", ``, nil},
		{"all is well", `"statuses":[{"code":"ProvisioningState/succeeded","displayStatus":"Provisioning succeeded"` + at + `},{"code":"PowerState/running"}],"vmHealth":{"status":{"code":"HealthState/healthy"}},
			"vmAgent":{"statuses":[{"code":"ProvisioningState/succeeded","message":"Guest Agent is running"}]},"extensions":[{"name":"e","statuses":[{"code":"ProvisioningState/succeeded","message":"Enabled"}],"substatuses":[{"code":"ComponentStatus/AppHealthStatus/succeeded"}]}]`, nil},
		{"the innermost comes first, each with its source, words and time", `"statuses":[{"code":"ProvisioningState/failed/VMExtensionProvisioningError","level":"Error","message":"outer"` + at + `},{"code":"PowerState/stopped","displayStatus":"VM stopped"}],
			"vmHealth":{"status":{"code":"HealthState/unhealthy"` + at + `}},
			"extensions":[{"name":"setup","statuses":[{"code":"ProvisioningState/failed/1","message":"exit status 1"` + at + `}],"substatuses":[{"code":"ComponentStatus/StdErr/succeeded","message":"no space left on device"},{"code":"ComponentStatus/StdOut/succeeded"}]}],
			"vmAgent":{"statuses":[{"code":"ProvisioningState/Unavailable","displayStatus":"Not Ready"}],"extensionHandlers":[{"type":"CustomScript","status":{"code":"ProvisioningState/NotReady"}},null]}`,
			[]string{
				"extension setup: ComponentStatus/StdErr/succeeded: no space left on device",
				"extension setup: ProvisioningState/failed/1: exit status 1 (2026-11-23T09:00:00Z)",
				"ProvisioningState/failed/VMExtensionProvisioningError: outer (2026-11-23T09:00:00Z)",
				"PowerState/stopped: VM stopped",
				"HealthState/unhealthy (2026-11-23T09:00:00Z)",
				"VM agent: ProvisioningState/Unavailable: Not Ready",
				"handler CustomScript: ProvisioningState/NotReady",
			}},
		{"a state that goes on", `"statuses":[{"code":"ProvisioningState/updating"}]`, []string{"ProvisioningState/updating"}},
		{"words we do not know", `"statuses":[null,{"code":"PowerState/hovering"},{"code":null}],"extensions":[null]`, []string{"PowerState/hovering"}},
		{"no secrets", `"statuses":[{"code":"ProvisioningState/failed","message":"see https://s.example/x?sig=abc and\npassword=abc"}]`, []string{"ProvisioningState/failed: see https://s.example/x?… and password=…"}},
	}
	for _, row := range rows {
		if got := evidenceOf(t, row.inner); !slices.Equal(got, row.want) {
			t.Errorf("%s:\n%q, want\n%q", row.name, got, row.want)
		}
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	var list []string
	for n := range 30 {
		list = append(list, fmt.Sprintf(`{"code":"ProvisioningState/failed/%d","message":%q,"time":"2026-11-23T09:00:00+00:00"}`, n, strings.Repeat("ä", 2000)))
	}
	got := evidenceOf(t, `"statuses":[`+strings.Join(list, ",")+`]`)
	if len(got) != maxEvidence || got[maxEvidence-1] != "… and 19 more" {
		t.Fatalf("%d lines, the last %q", len(got), got[len(got)-1])
	}
	if n := len([]rune(got[0])); n != maxEvidenceLine || !strings.HasSuffix(got[0], "… (2026-11-23T09:00:00Z)") {
		t.Errorf("a line of %d characters: %s", n, got[0])
	}
}
