package azure

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
)

// The SDK has a log of its own, switched on by AZURE_SDK_GO_LOGGING, which prints errors and answers
// as they are. It stays off in every program that links this package.
func init() { log.SetListener(nil) }

// Azure's words are shown to people and logged, and they may quote URLs that are signed: of our
// own operations, or of a script's storage account in an extension's error.
var secrets = []struct {
	hint    string // in lower case, what every match has in it: most texts have none of these, and a search is cheap
	pattern *regexp.Regexp
	instead string
}{
	{"?", regexp.MustCompile(`\?[^\s"'<>]*=[^\s"'<>]*`), "?…"},                                                       // a URL's query
	{"bearer", regexp.MustCompile(`(?i)\bbearer\s+[^\s"',;]+`), "Bearer …"},                                          // an Authorization header
	{"eyj", regexp.MustCompile(`\beyJ[\w-]{5,}\.[\w-]+\.?[\w-]*`), "…"},                                              // a JSON web token
	{"=", regexp.MustCompile(`(?i)\b(sig|password|secret|token|\w*_secret|account_?key)\s*=\s*[^\s&"',;]+`), "$1=…"}, // the rest
}

// scrub takes secrets out of a text, folds white space and clips it.
func scrub(s string) string {
	low := strings.ToLower(s)
	for _, x := range secrets {
		if !strings.Contains(low, x.hint) {
			continue
		}
		s = x.pattern.ReplaceAllString(s, x.instead)
	}
	// Control characters and backticks mean something where the text will be shown.
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	return clip(strings.Join(strings.Fields(s), " "), 1000)
}

// clip shortens a text to n runes.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
