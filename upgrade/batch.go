package upgrade

import "slices"

func (v view) modelNeeded() bool {
	return !v.p.Target.Model && !v.p.Target.Named(v.seen.Set.Model)
}

// candidates are the gate's instances that are outdated, present and free to go, and that the yes to
// the gate covers.
func (v view) candidates(g Gate) []Instance {
	shown := v.r.Asked[g.Key].Instances
	var out []Instance
	for _, m := range g.Instances {
		i, present := v.seen.Set.Instance(m.ID)
		covered := shown == nil || slices.Contains(shown, m.ID)
		if present && covered && v.r.Instances[m.ID].State == Waiting && v.pass(i) == "" {
			out = append(out, i)
		}
	}
	return out
}

// pass is why an instance of the plan is passed by after all. That its domain is not told just now
// is no reason: people agreed to its name. Nor is that it is on the target when they want it done again;
// whatever else speaks against it still does.
func (v view) pass(i Instance) SkipReason {
	why := skip(i, v.p.Target, v.p.Down())
	if why == SkipCurrent && v.r.Instances[i.ID].Retry {
		why = skip(i, Target{}, true)
	}
	return why
}

// fresh reports whether the instance needs a new disk of the image it has: manualupgrade does nothing
// to one that has the latest model applied. A resize promises that disks stay: it never takes one.
func (v view) fresh(i Instance) bool {
	return v.p.Target.Size == "" && v.p.Target.Current(i) && i.LatestModel
}

// alike keeps those that the same call can carry as the first one, and of which the same can be told afterwards.
func (v view) alike(ids []string) []string {
	var out []string
	for _, id := range ids {
		first, _ := v.seen.Set.Instance(ids[0])
		if i, _ := v.seen.Set.Instance(id); v.fresh(i) == v.fresh(first) && v.p.Target.Current(i) == v.p.Target.Current(first) {
			out = append(out, id)
		}
	}
	return out
}

// batch picks what the next call carries (R27, R42): ill instances first, as taking them down costs
// nothing; of those that serve, or may, no more than max-unavailable leaves; never more than the cap.
func (v view) batch(g Gate) []string {
	limits := v.limits()
	var ill, doubtful, well []string
	for _, i := range v.candidates(g) {
		of := &ill
		switch {
		case i.Available():
			of = &well
		case i.Doubtful():
			of = &doubtful
		}
		if len(*of) < v.seen.Set.spare(i, limits.MaxUnavailable) {
			*of = append(*of, i.ID)
		}
	}
	out := v.alike(slices.Concat(ill, doubtful, well))
	return out[:min(len(out), limits.BatchCap, v.room())]
}

// limits are the plan's, tightened by the policy in force and by a set that has become smaller; a
// looser policy or a larger set changes nothing (R21).
func (v view) limits() Limits {
	l, total := v.p.Limits, v.p.Total
	if v.seen.Set != nil {
		total = min(total, len(v.seen.Set.Instances))
	}
	for _, p := range []Policy{v.p.Policy, v.seen.Policy} {
		l.BatchCap = least(l.BatchCap, p.BatchCap)
		l.MaxUnavailable = min(l.MaxUnavailable, p.MaxUnavailable.Of(total))
		l.MaxFailures = min(l.MaxFailures, p.MaxFailures)
		l.Soak, l.Bake = max(l.Soak, p.Soak), max(l.Bake, p.Bake)
		l.OnFailure = l.OnFailure.tighter(p.OnFailure)
	}
	return l
}
