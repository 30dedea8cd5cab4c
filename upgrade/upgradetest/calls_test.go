package upgradetest_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade/azure"
)

// requests are the kinds of requests that the product has sent to Azure in all stories together.
type requests struct {
	mu   sync.Mutex
	seen map[string]bool
}

var sent = requests{seen: map[string]bool{}}

func (q *requests) over(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.Path, "/subscriptions/") {
			q.mu.Lock()
			q.seen[r.Method+" "+r.URL.Path] = true
			q.mu.Unlock()
		}
		return next.RoundTrip(r)
	})
}

// judge compares what was sent with what the role in docs/azure-role.json is made of: a right for a call that
// no story makes is one too many, or a story is missing; a call without one cannot leave the adapter.
func (q *requests) judge(t *testing.T) {
	made := map[string]bool{}
	for line := range q.seen {
		known := slices.ContainsFunc(azure.Calls(), func(c azure.Call) bool {
			is := regexp.MustCompile("(?i)^" + c.Method + " " + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(c.Template), "[^/]+") + "$").MatchString(line)
			made[c.Method+" "+c.Template] = made[c.Method+" "+c.Template] || is
			return is
		})
		if !known {
			t.Errorf("%s was sent, and the role knows nothing of it", line)
		}
	}
	// The sets of one group are listed only where groups are configured, which no story does; it takes no right of its own.
	byGroup := "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachineScaleSets"
	for _, c := range azure.Calls() {
		if !made[c.Method+" "+c.Template] && (c.Method != "GET" || c.Template != byGroup) {
			t.Errorf("no story sends %s %s: does the role need %q?", c.Method, c.Template, c.Actions)
		}
	}
}
