package azure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

const modelDoc = `{
 "identity":{"type":"SystemAssigned, UserAssigned","principalId":"p","tenantId":"t","userAssignedIdentities":{"/subscriptions/S/x/id1":{"principalId":"q","clientId":"c"}}},
 "properties":{"virtualMachineProfile":{
  "timeCreated":"2026-01-01T00:00:00Z",
  "osProfile":{"adminUsername":"azureuser","linuxConfiguration":{"disablePasswordAuthentication":true}},
  "networkProfile":{"networkInterfaceConfigurations":[{"name":"nic","properties":{"subnet":{"id":"/subscriptions/S/Subnets/a"}}}]},
  "extensionProfile":{"extensions":[{"id":"/x","name":"setup","properties":{"provisioningState":"Succeeded","settings":{"clientId":"mine","n":10}}}]},
  "storageProfile":{"osDisk":{"diskSizeGB":30},"imageReference":{"version":"1.0.0","exactVersion":"1.0.0"},"dataDisks":[]},
  "hardwareProfile":null,
  "aSettingOfTomorrow":{"on":true}}}}`

func TestEachChangeShowsInItsSectionAndOnlyThere(t *testing.T) {
	before := digests(sections([]byte(modelDoc)))
	if len(before) != 5 {
		t.Fatalf("sections %v", before)
	}
	rows := []struct {
		name, old, new string
		changed        upgrade.Section // "" = none
	}{
		{"the image is no section", `"version":"1.0.0","exactVersion":"1.0.0"`, `"version":"2.0.0"`, ""},
		{"another image id", `"version":"1.0.0","exactVersion":"1.0.0"`, `"id":"/x"`, ""},
		{"an administrator", "azureuser", "root", upgrade.SectionOSProfile},
		{"a script for the first boot", `"adminUsername"`, `"customData":"eA==","adminUsername"`, upgrade.SectionOSProfile},
		{"another subnet", "Subnets/a", "Subnets/b", upgrade.SectionNetwork},
		{"a subnet's id in another case", "/subscriptions/S/Subnets/a", "/Subscriptions/s/subnets/A", ""},
		{"another identity", "/x/id1", "/x/id2", upgrade.SectionIdentity},
		{"an identity's id in another case", "/subscriptions/S/x/id1", "/subscriptions/s/X/ID1", ""},
		{"an identity's read-only ids", `"principalId":"p","tenantId":"t"`, `"principalId":"other"`, ""},
		{"a user identity's read-only ids", `{"principalId":"q","clientId":"c"}`, `{}`, ""},
		{"an extension's settings", `"n":10`, `"n":11`, upgrade.SectionExtensions},
		{"an extension's own clientId", `"mine"`, `"yours"`, upgrade.SectionExtensions},
		{"an extension's state", `"provisioningState":"Succeeded"`, `"provisioningState":"Updating"`, ""},
		{"an extension's id", `"id":"/x","name"`, `"name"`, ""},
		{"the disk", `"diskSizeGB":30`, `"diskSizeGB":31`, upgrade.SectionOther},
		{"a number written otherwise is another one", `"diskSizeGB":30`, `"diskSizeGB":30.5`, upgrade.SectionOther},
		{"a setting the SDK does not know", `"on":true`, `"on":false`, upgrade.SectionOther},
		{"a time of Azure's", `"timeCreated":"2026-01-01T00:00:00Z",`, ``, ""},
		{"null is absent", `"hardwareProfile":null,`, ``, ""},
		{"empty is absent", `,"dataDisks":[]`, ``, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			doc := strings.Replace(modelDoc, row.old, row.new, 1)
			if doc == modelDoc {
				t.Fatal("the row changes nothing")
			}
			var changed []upgrade.Section
			after := digests(sections([]byte(doc)))
			for _, s := range slices.Sorted(maps.Keys(before)) {
				if before[s] != after[s] {
					changed = append(changed, s)
				}
			}
			if want := []upgrade.Section{row.changed}; row.changed != "" && !slices.Equal(changed, want) || row.changed == "" && len(changed) > 0 {
				t.Errorf("changed %v, want %q", changed, row.changed)
			}
		})
	}
}

func TestAVHDIsAnImageAndInNoSection(t *testing.T) {
	doc := func(uri string) []byte {
		return []byte(`{"properties":{"virtualMachineProfile":{"storageProfile":{"osDisk":{"caching":"None","image":{"uri":"` + uri + `"}}}}}}`)
	}
	a, b := sections(doc("https://s.blob.core.windows.net/v/a.vhd")), sections(doc("https://s.blob.core.windows.net/v/b.vhd"))
	if !maps.Equal(digests(a), digests(b)) || !maps.Equal(leaves(a), leaves(b)) || len(leaves(a)) != 1 {
		t.Errorf("%v and %v", leaves(a), leaves(b))
	}
}

func TestTheOrderOfMembersDoesNotMatter(t *testing.T) {
	a := digests(sections([]byte(`{"properties":{"virtualMachineProfile":{"osProfile":{"a":1,"b":{"c":2,"d":3}}}}}`)))
	b := digests(sections([]byte(`{ "properties" : {"virtualMachineProfile":{"osProfile":{"b":{"d":3,"c":2},"a":1}}}}`)))
	if !maps.Equal(a, b) || len(a) != 1 {
		t.Errorf("%v and %v", a, b)
	}
}

func TestADocumentWithoutAModelHasNoSections(t *testing.T) {
	for _, doc := range []string{`{}`, `null`, `[]`, `"x"`, ``, `{"properties":{}}`, `{"properties":{"virtualMachineProfile":null},"identity":null}`, `{"properties":7,"identity":[]}`} {
		if got := sections([]byte(doc)); len(got) > 0 {
			t.Errorf("%s: %v", doc, got)
		}
	}
}

func TestLeavesNameWhatChangedAndNeverTheValue(t *testing.T) {
	before := leaves(sections([]byte(modelDoc)))
	rows := []struct{ name, old, new, changed string }{
		{"a setting", "azureuser", "root", "osProfile.adminUsername"},
		{"a setting that was not there", `"adminUsername"`, `"customData":"eA==","adminUsername"`, "osProfile.customData"},
		{"an element of a list that has a name", `"n":10`, `"n":11`, "extensionProfile.extensions[setup].properties.settings.n"},
		{"deep in a list", "Subnets/a", "Subnets/b", "networkProfile.networkInterfaceConfigurations[nic].properties.subnet.id"},
		{"a setting outside of the named sections", `"diskSizeGB":30`, `"diskSizeGB":31`, "storageProfile.osDisk.diskSizeGB"},
		{"an identity", "/x/id1", "/x/id2", "identity.userAssignedIdentities./subscriptions/s/x/id1 identity.userAssignedIdentities./subscriptions/s/x/id2"},
		{"a list without names", `"dataDisks":[]`, `"dataDisks":[{"lun":0},{"lun":1}]`, "storageProfile.dataDisks[0].lun storageProfile.dataDisks[1].lun"},
		{"the image is none", `"version":"1.0.0"`, `"version":"2.0.0"`, ""},
		{"an id in another case", "/subscriptions/S/Subnets/a", "/Subscriptions/s/subnets/A", ""},
	}
	for _, row := range rows {
		after := leaves(sections([]byte(strings.Replace(modelDoc, row.old, row.new, 1))))
		var changed []string
		for _, p := range slices.Sorted(maps.Keys(after)) {
			if before[p] != after[p] {
				changed = append(changed, p)
			}
		}
		for p := range before {
			if after[p] == "" {
				changed = append(changed, p)
			}
		}
		slices.Sort(changed)
		if got := strings.Join(changed, " "); got != row.changed {
			t.Errorf("%s: changed %q, want %q", row.name, got, row.changed)
		}
	}
	for p, d := range before {
		if len(d) != leafDigest || strings.Trim(d, "0123456789abcdef") != "" {
			t.Errorf("%s: %q", p, d)
		}
	}
}

func TestEqualValuesOfTwoSettingsHaveDifferentLeaves(t *testing.T) {
	got := leaves(map[upgrade.Section]any{upgrade.SectionOSProfile: map[string]any{"a": "x", "b": "x"}})
	if len(got) != 2 || got["osProfile.a"] == got["osProfile.b"] {
		t.Errorf("leaves %v", got)
	}
}

func TestTwoElementsOfOneNameAreTwoLeaves(t *testing.T) {
	twin := []any{map[string]any{"name": "x", "v": "1"}, map[string]any{"name": "x", "v": "2"}}
	got := leaves(map[upgrade.Section]any{upgrade.SectionNetwork: map[string]any{"l": twin}})
	if want := "networkProfile.l[1].name networkProfile.l[1].v networkProfile.l[x].name networkProfile.l[x].v"; strings.Join(slices.Sorted(maps.Keys(got)), " ") != want {
		t.Errorf("leaves %v", got)
	}
}

func TestLeavesAreBounded(t *testing.T) {
	many := func(last string) map[string]string {
		values := map[string]any{}
		for n := range 2000 {
			values[fmt.Sprintf("k%04d", n)] = "v"
		}
		values["k1999"] = last
		values[strings.Repeat("long", 500)] = "v"
		return leaves(map[upgrade.Section]any{upgrade.SectionOther: values})
	}
	a, b := many("v"), many("w")
	if len(a) != maxLeaves || a[theRest] == "" || a[theRest] == b[theRest] {
		t.Errorf("%d leaves, the rest %q and %q", len(a), a[theRest], b[theRest])
	}
	for p := range a {
		if len([]rune(p)) > maxPath {
			t.Errorf("a path of %d characters", len(p))
		}
	}
}
