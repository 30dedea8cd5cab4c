package upgrade

import "fmt"

// Obstacles lists why nobody can roll the set from Slack as things are, each with the smallest change
// that helps; none = it can be driven.
func Obstacles(s ScaleSet, pol Policy) []string {
	var out []string
	add := func(is bool, format string, args ...any) {
		if is {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	if no := Drivable(s); no != nil {
		add(true, "%s", no.What)
	}
	add(len(s.Instances) == 0, "it has no instances")
	if pol.Pattern == "" {
		add(true, "no entry of the configuration matches it, so that it is nobody's. Smallest change: an entry under sets with match: %s", s.Name)
		return out
	}
	add(pol.Channel == "", "entry %s names no channel to drive it in. Smallest change: channel: C…", pol.Pattern)
	add(len(pol.Requesters) == 0, "entry %s lists nobody who may ask for a rollout. Smallest change: requesters: [U…]", pol.Pattern)
	add(len(pol.Approvers) == 0, "entry %s lists nobody who may agree. Smallest change: approvers: [S…]", pol.Pattern)
	if down, most := s.Unavailable(), pol.MaxUnavailable.Of(len(s.Instances)); len(s.Instances) > 0 && down >= most {
		add(down < len(s.Instances), "%d of %d instances do not serve, and max_unavailable %s permits %d: only those could be upgraded. Smallest change: start or repair %s",
			down, len(s.Instances), pol.MaxUnavailable, most, Count(down-most+1, "instance"))
	}
	return out
}

// Remarks lists what people should know of the set before they roll it.
func Remarks(s ScaleSet) []string {
	return hazards(s, Target{Setting: Setting{Image: s.Model.Image}})
}
