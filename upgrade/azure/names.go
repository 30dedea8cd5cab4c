package azure

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// patterns say how the names in paths look. They are narrower than what the SDK accepts: it escapes
// "/", "?" and "#" but not dots, so that a set named ".." would address its parent. No pattern
// here matches "." or "..", or anything that needs escaping but the parentheses of a group.
var patterns = map[string]*regexp.Regexp{
	"subscription": regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`),
	"group":        regexp.MustCompile(`^[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]$`),
	"set":          regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?$`),
	"location":     regexp.MustCompile(`^[A-Za-z0-9]{1,40}$`),
	"publisher":    regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?$`),
	"offer":        regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?$`),
	"sku":          regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?$`),
	"version":      regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$`),
	"operation":    regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,127}$`),
	"gallery":      regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$`),
	"image":        regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$`),
	"zone":         regexp.MustCompile(`^[A-Za-z0-9]{1,40}$`),
	"size":         regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$`),
}

// instanceID: a number on Uniform sets, the VM's name on Flexible ones, which people may have chosen:
// a VM can be put into such a set. Never "*", which Azure would take for all.
var instanceID = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$`)

// requestID becomes a header; the journal's operation ids fit it.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// maxInstances is the most a scale set can hold.
const maxInstances = 1000

// disguised reports whether a letter is none of ours and one of ours at once: without regard to case Go takes the
// sign for kelvin for a k, while to Azure a resource group of that name is another one than with the k.
func disguised(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool {
		return r >= utf8.RuneSelf && (unicode.ToLower(r) < utf8.RuneSelf || unicode.SimpleFold(r) < utf8.RuneSelf)
	})
}

func checkIDs(ids []string) error {
	if len(ids) == 0 {
		return refuse("no instance is named: Azure would take that for all of them")
	}
	if len(ids) > maxInstances {
		return refuse("%d instances are named, a set has at most %d", len(ids), maxInstances)
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !instanceID.MatchString(id) || seen[id] {
			return refuse("%q cannot be an instance id here", clip(id, 40))
		}
		seen[id] = true
	}
	return nil
}
