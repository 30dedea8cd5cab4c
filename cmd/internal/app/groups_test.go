package app

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

func TestGroupsAreReadAndChecked(t *testing.T) {
	c, err := Parse("x.yaml", []byte(good+"groups: [{name: web, waves: [[web-canary], [web-eu-*, rg-shop/web-us]]}]\n"))
	if want := []upgrade.Group{{Name: "web", Waves: [][]string{{"web-canary"}, {"web-eu-*", "rg-shop/web-us"}}}}; err != nil || !reflect.DeepEqual(grouped(c.Groups), want) {
		t.Errorf("the groups are %+v (%v), want %+v", grouped(c.Groups), err, want)
	}
	for groups, want := range map[string]string{
		"[{name: web}]":                                      "groups[0] (web): waves: there is none",
		"[{name: 'web-*', waves: [[a]]}]":                    "it is said where a scale set is",
		"[{name: web, waves: [[a], []]}]":                    "wave 2 is empty",
		"[{name: web, waves: [['a b']]}]":                    "no scale set can have such a name",
		"[{name: w, waves: [[a]]}, {name: W, waves: [[b]]}]": "another group has it",
		"[{name: web, wave: [[a]]}]":                         "wave: there is no such key here",
	} {
		if _, err := Parse("x.yaml", []byte(good+"groups: "+groups+"\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", groups, err, want)
		}
	}
}
