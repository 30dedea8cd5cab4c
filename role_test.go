package vmssbot

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade/azure"
)

func TestTheDocumentedRoleIsExactlyWhatTheCallsNeed(t *testing.T) {
	body, err := os.ReadFile("docs/azure-role.json")
	if err != nil {
		t.Fatal(err)
	}
	var role struct{ Actions []string }
	if err := json.Unmarshal(body, &role); err != nil {
		t.Fatal(err)
	}
	lower := func(in []string) []string { // Azure compares actions without case
		var out []string
		for _, s := range in {
			out = append(out, strings.ToLower(s))
		}
		slices.Sort(out)
		return out
	}
	documented, needed := lower(role.Actions), lower(azure.Actions())
	if !slices.Equal(documented, needed) {
		t.Errorf("docs/azure-role.json has\n%s\nthe calls need\n%s", strings.Join(documented, "\n"), strings.Join(needed, "\n"))
	}
}
