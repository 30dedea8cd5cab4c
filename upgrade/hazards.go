package upgrade

import (
	"fmt"
	"slices"
)

// What people must know of a plan before they agree to it.

// wouldWait foretells a rollout that could not start as the set is now: so many instances do not
// serve already that none of those which do may be taken down.
func wouldWait(s ScaleSet, p Plan) []string {
	var ill []string
	for _, i := range s.Instances {
		if !i.Available() {
			ill = append(ill, i.ID)
		}
	}
	sick := func(m Member) bool { i, _ := s.Instance(m.ID); return !i.Available() }
	if len(ill) < p.Limits.MaxUnavailable || slices.ContainsFunc(p.Gates[0].Instances, sick) { // ill ones cost nothing (R27)
		return nil
	}
	return []string{fmt.Sprintf("as it is now it would wait: out of service already: %s, and max-unavailable is %d", Instances(ill), p.Limits.MaxUnavailable)}
}

// pending tells what manualupgrade would apply besides the image (R41), to those it is going to reach. An
// instance that failed lacks the model for that reason alone.
func pending(s ScaleSet, gates []Gate) []string {
	var ids []string
	for _, g := range gates {
		for _, m := range g.Instances {
			i, present := s.Instance(m.ID)
			if present && !i.LatestModel && i.Provisioning != Failed && i.Image.Same(s.Model.Image) {
				ids = append(ids, i.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.SortFunc(ids, CompareIDs)
	return []string{fmt.Sprintf("the model has changes besides the image, which %s will get, too", Instances(ids))}
}

func hazards(s ScaleSet) []string {
	var out []string
	add := func(is bool, what string) {
		if is {
			out = append(out, what)
		}
	}
	add(!s.HealthSource, "no health signal: power, provisioning and soak are all there is to go by")
	add(s.AutoRepairs, "automatic repairs on: a repaired instance is born on the new image")
	add(s.EphemeralOS, "ephemeral OS disks: all local data of an instance is lost")
	add(s.ImageNotice, "OS-image notification on: each instance may wait 15 m before it goes")
	add(s.Model.Image.Platform() && s.Model.Image.Version == Latest, "the model follows latest: after this it is pinned to a version")
	return out
}
