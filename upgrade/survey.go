package upgrade

import "fmt"

// Obstacles lists what of the set itself keeps people from rolling it from Slack as things are, each with
// the smallest change that helps, where so many of it may be out of service at once; none = nothing does.
func Obstacles(s ScaleSet, most Limit) []string {
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
	down, room := s.Unavailable(), most.Of(len(s.Instances))
	add(down >= room && down < len(s.Instances), "%d of %d instances do not serve, and max_unavailable %s permits %d: only those could be upgraded. Smallest change: start or repair %s",
		down, len(s.Instances), most, room, Count(down-room+1, "instance"))
	return out
}

// Unconfigured lists what of the set's policy keeps people from rolling it; the zero policy is that of a
// set that no entry matches.
func Unconfigured(s ScaleSet, pol Policy) []string {
	if pol.Pattern == "" {
		return []string{fmt.Sprintf("no entry of the configuration matches it, so that it is nobody's. Smallest change: an entry under sets with match: %s", s.Name)}
	}
	var out []string
	add := func(is bool, format string) {
		if is {
			out = append(out, fmt.Sprintf(format, pol.Pattern))
		}
	}
	add(pol.Channel == "", "entry %s names no channel to drive it in. Smallest change: channel: C…")
	add(len(pol.Requesters) == 0, "entry %s lists nobody who may ask for a rollout. Smallest change: requesters: [U…]")
	add(len(pol.Approvers) == 0, "entry %s lists nobody who may agree. Smallest change: approvers: [S…]")
	return out
}

// Remarks lists what people should know of the set before they roll it.
func Remarks(s ScaleSet) []string {
	return hazards(s, Target{Setting: Setting{Image: s.Model.Image}})
}

// Scaled says of a set's autoscale what people should know, "" when there is none.
func Scaled(a Autoscale) string {
	if !a.On {
		return ""
	}
	return fmt.Sprintf("autoscale on (%s, %d to %d instances): those it adds are born as the model says, those it takes away are passed by", a.Name, a.Min, a.Max)
}
