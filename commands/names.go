package commands

import (
	"strings"
	"unicode"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Azure's own limits of names, and ours of ids and versions.
const (
	maxSet     = 64
	maxGroup   = 90
	maxVersion = 40
	maxTarget  = 600 // the longest image id that is understood has fewer
)

// isRollout reports whether s has the shape of a rollout's id.
func isRollout(s string) bool {
	id, ok := strings.CutPrefix(s, "r-")
	return ok && len(id) <= 32 && all(id, lowerOrDigit)
}

// isNonce reports whether s has the shape of a card's nonce.
func isNonce(s string) bool { return len(s) >= 16 && len(s) <= 64 && all(s, lowerOrDigit) }

// isID reports whether s has the shape of a Slack id.
func isID(s string) bool {
	return all(s, func(b byte) bool { return 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' })
}

// isSet reports whether s can be the name of a scale set, or resourcegroup/name. Names get into
// URLs: no path can be made of what passes here.
func isSet(s string) bool {
	group, name, both := strings.Cut(s, "/")
	if !both {
		return isName(s, maxSet)
	}
	return isName(group, maxGroup) && isName(name, maxSet)
}

func isName(s string, limit int) bool {
	return len(s) <= limit && all(s, nameByte) && !strings.ContainsRune("-_.", rune(s[0])) && !strings.HasSuffix(s, ".") && !strings.Contains(s, "..")
}

// isInstance reports whether s is an instance's id: a number, or the name of a VM on a Flexible set.
// Ids get into URLs and into lists: nothing that passes here is a path, a range, or all of them.
func isInstance(s string) bool {
	if all(s, digit) {
		return number(s) >= 0
	}
	return len(s) <= maxSet && all(s, idByte) && strings.ContainsFunc(s, unicode.IsLetter) && !strings.EqualFold(s, "all")
}

// isUser reports whether s has the shape of a user's id in Slack.
func isUser(s string) bool {
	return len(s) >= 3 && len(s) <= 20 && isID(s) && (s[0] == 'U' || s[0] == 'W')
}

// isTarget reports whether s says which image is meant.
func isTarget(s string) bool { return s == "latest" || s == "model" || isVersion(s) || isImage(s) }

// isImage reports whether s is an image's id or a VHD's address.
func isImage(s string) bool {
	_, ok := upgrade.ImageNamed(s)
	return ok
}

// isSKU reports whether s can be the SKU of a platform image.
func isSKU(s string) bool { return isName(s, maxSet) }

// isSize reports whether s has the shape of a VM size, such as Standard_D4s_v5.
func isSize(s string) bool {
	return isName(s, maxSet) && all(s, idByte) && unicode.IsLetter(rune(s[0])) && strings.Contains(s, "_") && strings.ContainsFunc(s, unicode.IsDigit)
}

// isVersion wants numbers with dots between, as platform images have.
func isVersion(s string) bool {
	parts := strings.Split(s, ".")
	for _, p := range parts {
		if !all(p, digit) {
			return false
		}
	}
	return len(s) <= maxVersion && len(parts) > 1
}

// all reports whether s has bytes and each of them is fine.
func all(s string, fine func(byte) bool) bool {
	for i := range len(s) {
		if !fine(s[i]) {
			return false
		}
	}
	return s != ""
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

func lowerOrDigit(b byte) bool { return digit(b) || 'a' <= b && b <= 'z' }

func nameByte(b byte) bool { return idByte(b) || b == '.' }

func idByte(b byte) bool { return lowerOrDigit(b) || 'A' <= b && b <= 'Z' || b == '-' || b == '_' }
