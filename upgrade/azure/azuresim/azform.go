package azuresim

import (
	"slices"
	"strings"
)

// The Azure CLI prints documents otherwise than ARM sends them: the members of "properties" stand
// beside the others, also in resources inside a resource; a member "resourceGroup" is added to what has
// an id; what is absent may be there as null; and a "type" inside the properties is called
// typePropertiesType. Older releases also spell some names in their own way (diskSizeGb). armForm takes
// all that back.

// What stays outside of "properties", in a set, an instance, and in the resources inside them.
var (
	setMembers = []string{"id", "name", "type", "location", "tags", "sku", "plan", "identity", "zones", "extendedLocation", "etag", "systemData", "placement"}
	vmMembers  = []string{"id", "name", "type", "location", "tags", "sku", "plan", "identity", "zones", "instanceId", "resources", "etag", "systemData"}

	// by the member they are in, and the one before that is not "properties"
	inner = map[string][]string{
		"networkProfile.networkInterfaceConfigurations":              {"id", "name", "tags"},
		"networkProfileConfiguration.networkInterfaceConfigurations": {"id", "name", "tags"},
		"networkInterfaceConfigurations.ipConfigurations":            {"id", "name"},
		"ipConfigurations.publicIPAddressConfiguration":              {"name", "sku", "tags"},
		"networkProfile.networkInterfaces":                           {"id"},
		"extensionProfile.extensions":                                {"id", "name", "type"},
		".resources":                                                 {"id", "name", "type", "location", "tags"},
	}
)

// opaque members belong to somebody else: nothing in them is touched.
var opaqueMembers = []string{"tags", "settings", "userAssignedIdentities"}

// hidden members are never told by ARM. A file that has them was not printed by the CLI.
var hiddenMembers = []string{"adminPassword", "customData", "protectedSettings"}

// spelling is how ARM writes names that the CLI has written otherwise.
var spelling = func(names ...string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		out[strings.ToLower(n)] = n
	}
	return out
}("automaticOSUpgradePolicy", "enableAutomaticOSUpgrade", "diskSizeGB", "provisionVMAgent", "enableVMAgentPlatformUpdates", "enableIPForwarding",
	"privateIPAddressVersion", "publicIPAddressConfiguration", "publicIPAddressVersion", "publicIPPrefix", "ultraSSDEnabled", "hyperVGeneration",
	"doNotRunExtensionsOnOverprovisionedVMs", "diskIOPSReadWrite", "diskMBpsReadWrite", "osImageNotificationProfile", "vTpmEnabled")

// armForm is d as ARM would send it; members stay outside of its properties.
func armForm(d document, members []string) document {
	return fold(tidy("", "", d).(document), members)
}

// tidy goes through what is in key of parent.
func tidy(parent, key string, v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			out = append(out, tidy(parent, key, x))
		}
		return out
	case document:
		return tidyObject(parent, key, v)
	}
	return v
}

func tidyObject(parent, key string, v document) any {
	out, owner := document{}, key
	if key == "properties" {
		owner = parent
	}
	for k, x := range v {
		switch {
		case x == nil || slices.Contains(hiddenMembers, k):
		case k == "resourceGroup" && v["id"] != nil:
		case slices.Contains(opaqueMembers, k):
			out[k] = x
		default:
			if arm, known := spelling[strings.ToLower(k)]; known {
				k = arm
			}
			out[k] = tidy(owner, k, x)
		}
	}
	if members, nested := inner[parent+"."+key]; nested {
		return fold(out, members)
	}
	return out
}

// fold puts everything but members into "properties", unless there is such a member already.
func fold(d document, members []string) document {
	if _, folded := d["properties"].(document); folded {
		return d
	}
	out, props := document{}, document{}
	for k, v := range d {
		switch {
		case k == "typePropertiesType":
			props["type"] = v
		case slices.Contains(members, k):
			out[k] = v
		default:
			props[k] = v
		}
	}
	if kind, _ := out["type"].(string); kind != "" && !strings.Contains(kind, "/") && props["type"] == nil {
		delete(out, "type") // an extension's own type, from a release that lost the other one
		props["type"] = kind
	}
	if len(props) > 0 {
		out["properties"] = props
	}
	return out
}
