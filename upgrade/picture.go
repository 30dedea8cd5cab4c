package upgrade

import (
	"slices"
	"time"
)

// What a picture can be of, beside gates.
const (
	PictureStart   = "start"
	PictureFailure = "failure"
	PictureEnd     = "end"
)

// noteBorn lists instances that the set did not have when it was planned. They are nobody's to upgrade
// here: nobody agreed to them (R34).
func (v view) noteBorn() []Fact {
	if v.p.Rest == nil { // a plan that is older than its keeping, or takes in all there was
		if v.p.Size() != v.p.Total {
			return nil
		}
	}
	known := map[string]bool{}
	for _, m := range v.p.Rest {
		known[m.ID] = true
	}
	for _, g := range v.p.Gates {
		for _, m := range g.Instances {
			known[m.ID] = true
		}
	}
	var facts []Fact
	for _, i := range v.seen.Set.Instances {
		if _, before := v.r.Born[i.ID]; !before && !known[i.ID] {
			facts = append(facts, Born{member(i, v.p.Target)})
		}
	}
	return facts
}

// Milestones says of what people are owed a picture: at the start, when a gate of which something was
// started is done, and when another instance has failed. It is asked after [Note], with its facts folded in.
func Milestones(p Plan, r Rollout, seen Observation, now time.Time) []Fact {
	v := looking(p, r, seen, now)
	if r.Ended != nil || r.Unread != "" || v.seen.Set == nil {
		return nil
	}
	var of []string
	add := func(what string, due bool) {
		if due && !v.r.Pictured[what] {
			of = append(of, what)
		}
	}
	add(PictureStart, wave(v) == nil) // before its wave nobody looks at it
	for _, g := range v.p.Gates {
		_, done := v.r.GateDone(g)
		add(g.Key, done && v.halfDone(g))
	}
	if slices.ContainsFunc(v.r.In(Broken, Unclear), func(id string) bool { return !slices.Contains(v.r.Failed, id) }) {
		of = append(of, PictureFailure)
	}
	if len(of) == 0 {
		return nil
	}
	return []Fact{v.picture(of...)}
}

// halfDone reports whether anything of the gate was started.
func (v view) halfDone(g Gate) bool {
	return slices.ContainsFunc(v.r.Batches, func(b BatchStatus) bool { return b.Gate == g.Key })
}

func (v view) picture(of ...string) Pictured {
	p := Pictured{Of: of, Failed: v.r.In(Broken, Unclear)}
	for _, i := range v.seen.Set.Instances {
		switch {
		case i.Available():
		case i.Power == Running || i.Power == "":
			p.Down = append(p.Down, i.ID)
		default:
			p.Off = append(p.Off, i.ID)
		}
	}
	for _, m := range v.p.Rest {
		if _, there := v.seen.Set.Instance(m.ID); !there {
			p.Gone = append(p.Gone, m.ID)
		}
	}
	return p
}
