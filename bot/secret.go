package bot

import "regexp"

// What errors and addresses of our own carry: a socket's or a disk's secret in the query, that of an upload
// in its path.
var carriesSecret = regexp.MustCompile(`(\?|/upload/)[^\s"]+`)

// What people paste. A value goes on to the end of the word, or of the quotes it stands in; that of a token
// or a key is known by its form.
var (
	login     = regexp.MustCompile(`://[^\s/?#"<>|]+@`)
	token     = regexp.MustCompile(`(?i)\b(xox[a-z](?:\.xox[a-z])?-|xapp-\d-|hooks\.slack\.com/[a-z]+/)[^\s"'<>|` + "`" + `]+`)
	named     = regexp.MustCompile(`(?i)((?:\b[\w-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|account[_-]?key|access[_-]?key|access[_-]?signature)|\bsig)=)` + value)
	shapeless = regexp.MustCompile(`\beyJ[\w-]{10,}\.[\w-]+(?:\.[\w-]*)?` + // a JSON web token
		`|\b\w{3}[78]Q~[\w.~-]{31,34}` + // a client secret of Entra ID
		`|[A-Za-z0-9+/]{86}==`) // the key of a storage account
)

const value = `(?:\\?"[^"]*"?|'[^']*'?|“[^”]*”?|‘[^’]*’?|[^\s"”<>]*[^\s"”<>'’` + "`" + `])`

// masked is a text without the secrets in it, nor anything else that an address carries: for what is only
// read.
func masked(s string) string { return carriesSecret.ReplaceAllString(redacted(s), "$1…") }

// redacted is what somebody wrote without the secrets in it. It is asked before anything is understood, so
// that neither an answer nor the journal nor the channel can have them; whatever is no secret stays as it
// is, as it may be meant.
func redacted(s string) string {
	s = login.ReplaceAllString(s, "://…@")
	s = token.ReplaceAllString(s, "$1…")
	s = named.ReplaceAllString(s, "$1…")
	return shapeless.ReplaceAllString(s, "…")
}
