package upgrade

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// wide is web with n instances in ten placement groups of five update domains each.
func wide(n int) ScaleSet {
	s := web()
	s.Instances = nil
	for i := range n {
		s.Instances = append(s.Instances, Instance{ID: strconv.Itoa(i), UpdateDomain: i % 5, FaultDomain: i % 3, Placement: strconv.Itoa(i % 10), Image: runs(v1), LatestModel: true,
			Provisioning: Succeeded, Power: Running, Health: Healthy})
	}
	s.Capacity = n
	return s
}

// BenchmarkPass is what one pass over a rollout in its middle thinks, without the reading and the journal.
func BenchmarkPass(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("instances=%d", n), func(b *testing.B) {
			s, pol, w := wide(n), webPolicy(), webWish()
			w.Limits.MaxUnavailable = n / 5
			p, no := NewPlan(s, pol, w, night)
			if no != nil {
				b.Fatal(no)
			}
			told := tale{by{"UANA", Requested{Digest: p.Digest, Channel: "C1", Name: "ana"}}, agreeTo(p, granted("ud-0")), modelSet}
			first := p.Gates[0].IDs()
			op := batchOp(1, first...)
			told = append(told, write(op), Accepted{Op: op.ID}, time.Minute, Settled{Op: op.ID, OK: true})
			for _, id := range first[:len(first)/2] {
				told = append(told, InstanceSeen{ID: id, State: OK, Image: "2.0"})
			}
			r := told.fold()
			seen := Observation{Set: &s, Policy: pol, Pace: DefaultPace(), Rights: map[string]string{"UBO": ""}}
			s.Model.Image = v2
			now := told.ends().Add(time.Minute)
			b.ReportAllocs()
			for b.Loop() {
				facts := Note(p, r, seen, now)
				after := r.With(At(now, "", facts...)...)
				Milestones(p, after, seen, now)
				Decide(p, after, seen, now)
			}
		})
	}
}

// BenchmarkPlan is what making a plan of a whole set takes.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("instances=%d", n), func(b *testing.B) {
			s, pol, w := wide(n), webPolicy(), webWish()
			b.ReportAllocs()
			for b.Loop() {
				if _, no := NewPlan(s, pol, w, night); no != nil {
					b.Fatal(no)
				}
			}
		})
	}
}
