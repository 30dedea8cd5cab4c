package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// shop are the scale sets of the group of that name, in its two waves.
var shop = [][]string{{"shop-canary"}, {"shop-eu", "shop-us"}}

// shopSets are three small scale sets: a canary and two regions.
func shopSets(image azuresim.ImageRef) []azuresim.Set {
	var out []azuresim.Set
	for _, name := range slices.Concat(shop...) {
		out = append(out, azuresim.Set{Name: name, ResourceGroup: "rg-fleet", Capacity: 2, UpdateDomains: 2, Image: image, Tags: map[string]string{"env": "prod", "team": "shop"}})
	}
	return out
}

// waves: one command opens a rollout for each of three sets, in two waves. The second begins when the canary has
// succeeded; nobody is asked about it before.
func waves(s *stage) error {
	if err := s.command("ana", "upgrade shop latest"); err != nil {
		return err
	}
	if err := s.whispered("ana", "3 scale sets in 2 waves"); err != nil {
		return err
	}
	said := map[string]bool{}
	for range 6 { // two domains of each
		err := s.click("bo", "approve", func(b button) bool {
			fresh := !said[b.value]
			said[b.value] = true
			return fresh
		})
		if err != nil {
			return err
		}
	}
	if err := s.posted("All 3 scale sets succeeded."); err != nil {
		return err
	}
	return inOrder(s.starts())
}

// inOrder looks at Azure's own books: nothing of the second wave before all of the first.
func inOrder(starts []azuresim.Write) error {
	var sets []string
	for _, w := range starts {
		sets = append(sets, path.Base(w.Set))
	}
	first := func(w azuresim.Write) bool { return slices.Contains(shop[0], path.Base(w.Set)) }
	if n := len(starts); n != 6 || !first(starts[0]) || !first(starts[1]) || slices.ContainsFunc(starts[2:], first) {
		return fmt.Errorf("azure was asked to upgrade %s: want the canary's two domains, then the others' four", strings.Join(sets, ", "))
	}
	return nil
}
