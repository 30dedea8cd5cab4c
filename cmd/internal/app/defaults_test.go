package app

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

var update = flag.Bool("update", false, "write the README's table of defaults")

// There is one table of defaults, in the code; the README's is its copy.
func TestTheREADMEsTableOfDefaultsIsTheCodes(t *testing.T) {
	const file, head = "../../../README.md", "| key | default | |\n|---|---|---|\n"
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, term := range upgrade.Terms() {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", term.Key, strings.Join(term.Say(upgrade.DefaultPolicy()), ", "), term.Means)
	}
	before, rest, found := strings.Cut(string(body), head)
	got, after, _ := strings.Cut(rest, "\n\n")
	if !found {
		t.Fatal("the README has no table of defaults")
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+head+want.String()+"\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got+"\n" != want.String() {
		t.Errorf("the README says\n%s\nwant\n%s", got, want.String())
	}
}

// Whoever can set a value can be told of it, and the other way round.
func TestEveryKeyOfAnEntryIsInTheTable(t *testing.T) {
	var keys []string
	for i := range reflect.TypeFor[Set]().NumField() {
		keys = append(keys, keyOf(reflect.TypeFor[Set]().Field(i)))
	}
	known := []string{"match", "channel"}
	for _, term := range upgrade.Terms() {
		if term.Key != "freezes" && term.Key != "budget" { // which stand beside the entries
			known = append(known, term.Key)
		}
	}
	slices.Sort(keys)
	slices.Sort(known)
	if !slices.Equal(keys, known) {
		t.Errorf("an entry has the keys %v, the table of what a policy says %v", keys, known)
	}
}

func TestEveryValueKnowsTheLineItStandsOn(t *testing.T) {
	c, err := Parse("/etc/bot/vmssbot.yaml", []byte(`journal: /var/lib/vmssbot/journal.db
azure: {subscription: 7c0ffee0-0000-4000-8000-5e7ba5e5f1ee}
sets:
  - &rule
    match: web-*
    channel: C0OPS00001
    requesters: [U0ANA00001]
    approvers: [U0BO000002]
    soak: 0s
  - <<: *rule
    match: db-*
    bake: 10m
freezes: [{name: Christmas, from: 2026-12-24, to: 2026-12-26}]
`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]string{
		{"match": "vmssbot.yaml:5", "channel": "vmssbot.yaml:6", "requesters": "vmssbot.yaml:7", "approvers": "vmssbot.yaml:8", "soak": "vmssbot.yaml:9", "freezes": "vmssbot.yaml:13"},
		{"match": "vmssbot.yaml:11", "channel": "vmssbot.yaml:6", "requesters": "vmssbot.yaml:7", "approvers": "vmssbot.yaml:8", "soak": "vmssbot.yaml:9", "bake": "vmssbot.yaml:12", "freezes": "vmssbot.yaml:13"},
	} {
		if got := c.Policies()[i].From; !reflect.DeepEqual(got, want) {
			t.Errorf("entry %d: %v, want %v", i, got, want)
		}
	}
}
