package azure

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	maxLeaves  = 500
	leafDigest = 12 // hexadecimal digits: enough to tell two values of one setting apart
	theRest    = "…"
)

// leaves has a digest of every single setting in the sections, by its path, for people who are told
// what was changed and must not be told to what. An element of a list is called by its name, or else
// by its place; that a list of names is in another order shows in its section only. The path is
// digested, too, so that equal values of two settings do not look equal. A digest of a short value can be
// found by trying; what must stay secret (passwords, keys, protectedSettings) Azure never hands out. Beyond maxLeaves settings the
// rest, in the order of the paths, is one leaf.
func leaves(parts map[upgrade.Section]any) map[string]string {
	flat := map[string]any{}
	for section, v := range parts {
		path := string(section)
		if section == upgrade.SectionOther {
			path = "" // its members are the profile's own
		}
		flatten(flat, path, v)
	}
	out := map[string]string{}
	paths := slices.Sorted(maps.Keys(flat))
	if len(paths) > maxLeaves {
		rest := map[string]any{}
		for _, p := range paths[maxLeaves-1:] {
			rest[p] = flat[p]
		}
		out[theRest] = digest(rest)[:leafDigest]
		paths = paths[:maxLeaves-1]
	}
	for _, p := range paths {
		out[p] = digest([]any{p, flat[p]})[:leafDigest]
	}
	return out
}

// flatten puts the leaves of a canonical value into flat.
func flatten(flat map[string]any, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) { // in order, should two paths be cut to one
			flatten(flat, strings.TrimPrefix(path+"."+k, "."), v[k])
		}
	case []any:
		seen := map[string]bool{}
		for n, x := range v {
			key := fmt.Sprint(n)
			element, _ := x.(map[string]any)
			if name, _ := element["name"].(string); name != "" && !seen[name] {
				key, seen[name] = name, true
			}
			flatten(flat, path+"["+key+"]", x)
		}
	default:
		flat[clip(scrub(path), maxPath)] = v
	}
}

// maxPath is longer than any setting of Azure's own with the id of a resource in it.
const maxPath = 300
