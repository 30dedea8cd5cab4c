package upgrade

import (
	"fmt"
	"slices"
	"strings"
)

// What people must know of a plan before they agree to it.

// wouldWait foretells a rollout that could not start as the set is now: so many instances do not
// serve already that none of those which do may be taken down. Deallocated ones serve again only when
// somebody starts them.
func wouldWait(s ScaleSet, p Plan) []string {
	out := s.Unavailable()
	for _, m := range p.Gates[0].Instances {
		i, _ := s.Instance(m.ID)
		if s.spare(i, p.Limits.MaxUnavailable) > 0 {
			return nil
		}
		if i.Doubtful() { // it needs less room than one that serves (R27)
			out = s.Down()
		}
	}
	helps := fmt.Sprintf("max-unavailable=%d", out+1)
	if p.Policy.MaxUnavailable.Of(p.Total) <= out {
		helps += fmt.Sprintf(", which the set's policy does not permit, or start or repair %s", Count(out-p.Limits.MaxUnavailable+1, "instance"))
	}
	return []string{fmt.Sprintf("as it is now it would wait: %s, and max-unavailable is %d. Smallest change: %s", s.outOfService(), p.Limits.MaxUnavailable, helps)}
}

// pending tells what manualupgrade would apply besides the target (R41), to those it is going to reach. An
// instance that failed lacks the model for that reason alone.
func pending(s ScaleSet, gates []Gate, t Target) []string {
	var sized, others []string
	for _, g := range gates {
		for _, m := range g.Instances {
			i, present := s.Instance(m.ID)
			if !present {
				continue
			}
			sizes := t.Size == "" && s.Model.Size != "" && i.Size != "" && !strings.EqualFold(i.Size, s.Model.Size)
			switch {
			case sizes:
				sized = append(sized, i.ID)
			case !i.LatestModel && i.Provisioning != Failed && (i.Image.Same(s.Model.Image) || s.Model.Image.Follows()):
				others = append(others, i.ID)
			}
		}
	}
	var out []string
	say := func(ids []string, format string, args ...any) {
		if len(ids) > 0 {
			slices.SortFunc(ids, CompareIDs)
			out = append(out, fmt.Sprintf(format, append([]any{Instances(ids)}, args...)...))
		}
	}
	say(sized, "%s will get the model's VM size, too: %s", s.Model.Size)
	say(others, "the model has changes besides the "+t.noun()+", which %s will get, too")
	return out
}

func hazards(s ScaleSet, t Target) []string {
	var out []string
	add := func(is bool, format string, args ...any) {
		if is {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	was := s.Model.Image
	add(!s.HealthSource, "no health signal: power, provisioning and soak are all there is to go by")
	add(s.AutoRepairs, "automatic repairs on: a repaired instance is born on the new %s", t.noun())
	add(s.EphemeralOS, "ephemeral OS disks: all local data of an instance is lost")
	add(s.ImageNotice, "OS-image notification on: each instance may wait 15 m before it goes")
	add(s.Spot, "Spot instances: Azure may evict them at any time; one that is evicted is passed by")
	add(t.Size == "" && was.Follows(), "the model follows latest: after this it is pinned to a version")
	add(t.Size == "" && !t.Model && t.Image.Kind() != was.Kind(), "from a %s to a %s: Azure may refuse to change that on an existing set, and then nothing is touched", was.Kind(), t.Image.Kind())
	add(t.Image.Platform() && was.Platform() && t.Image.Family() != was.Family(), "another SKU: %s, was %s. Azure may refuse it, and then nothing is touched", t.Image.Family(), was.Family())
	add(t.Size != "", "an instance restarts at its new size; Azure may have none of it left where the instance is, and then it fails")
	return out
}

// noun is what is set, as people say it.
func (s Setting) noun() string {
	if s.Size != "" {
		return "size"
	}
	return "image"
}
