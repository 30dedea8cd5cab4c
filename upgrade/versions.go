package upgrade

import (
	"cmp"
	"strings"
)

// CompareVersions compares dotted numeric versions part by part; Azure's have leading zeros and
// any length, so they are not semantic versions. Parts that are no numbers compare as text.
func CompareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if c := compareParts(part(as, i), part(bs, i)); c != 0 {
			return c
		}
	}
	return 0
}

func part(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return "0"
}

func compareParts(a, b string) int {
	x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(x) != len(y) && digits(a) && digits(b) {
		return cmp.Compare(len(x), len(y))
	}
	return cmp.Compare(x, y)
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
