package azuresim

import "slices"

// resize brings the number of instances to capacity. New ones are born on the model as it is now.
func (w *world) resize(s *scaleSet, capacity int, op *operation) {
	for n := len(s.instances); n < capacity; n++ {
		i := w.newInstance(s, w.clock)
		op.pending[i] = true
		w.create(i, op)
	}
	for _, i := range s.surplus(len(s.instances) - capacity) {
		w.interrupt(i, preempted())
		op.pending[i] = true
		w.remove(i, op)
	}
}

// surplus are the n instances that go first by the default scale-in policy: the youngest, of whatever
// zone has the most. Protected ones stay, so there may be fewer.
func (s *scaleSet) surplus(n int) []*instance {
	zones := map[string]int{}
	for _, i := range s.instances {
		zones[i.zone]++
	}
	free := slices.DeleteFunc(slices.Clone(s.instances), (*instance).kept)
	var out []*instance
	for len(out) < n && len(free) > 0 {
		next := len(free) - 1
		for at, i := range slices.Backward(free) {
			if zones[i.zone] > zones[free[next].zone] {
				next = at
			}
		}
		zones[free[next].zone]--
		out, free = append(out, free[next]), slices.Delete(free, next, next+1)
	}
	return out
}

// kept tells whether i is not to be scaled in or repaired. Either protection does it (pages on
// instance protection and automatic instance repairs).
func (i *instance) kept() bool {
	return i.protected() || i.shielded("protectFromScaleIn")
}
