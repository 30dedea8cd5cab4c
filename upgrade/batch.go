package upgrade

func (v view) modelNeeded() bool {
	return !v.p.Target.Model && !v.seen.Set.Model.Image.Same(v.p.Target.Image)
}

// candidates are the gate's instances that are outdated, present and free to go.
func (v view) candidates(g Gate) []Instance {
	var out []Instance
	for _, m := range g.Instances {
		i, present := v.seen.Set.Instance(m.ID)
		if present && v.r.Instances[m.ID].State == Waiting && v.pass(i) == "" {
			out = append(out, i)
		}
	}
	return out
}

// pass is why an instance of the plan is passed by after all. That its domain is not told just now
// is no reason: people agreed to its name.
func (v view) pass(i Instance) SkipReason {
	if why := skip(i, v.p.Target, v.p.Policy.Downgrades); why != SkipNoDomain {
		return why
	}
	return ""
}

// batch picks what the next call carries (R27, R42): ill instances first, as taking them down costs
// nothing; of those that serve no more than max-unavailable leaves; never more than the cap.
func (v view) batch(g Gate) []string {
	limits := v.limits()
	budget := limits.MaxUnavailable - v.seen.Set.Unavailable()
	var ill, well []string
	for _, i := range v.candidates(g) {
		switch {
		case !i.Available():
			ill = append(ill, i.ID)
		case len(well) < budget:
			well = append(well, i.ID)
		}
	}
	out := append(ill, well...)
	return out[:min(len(out), limits.BatchCap)]
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
	}
	return l
}
