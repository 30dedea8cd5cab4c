package upgrade

import (
	"testing"
)

// Corners: where two pieces of trouble meet.

func three(f func(*Instance)) change { return instance("3", f) }

func lastModel(i *Instance) { i.Image, i.LatestModel = runs(v2), true }

func TestARetryDisksOnlyWhatMayBeTouched(t *testing.T) {
	again := tale{oneFailed, retried("3"), askedFor(2, "3")}
	for name, f := range map[string]func(*Instance){
		"protected":   func(i *Instance) { i.Protected = true },
		"deallocated": func(i *Instance) { i.Power = Deallocated },
	} {
		t.Run(name, func(t *testing.T) {
			noteRow{tale: again, seen: all(instance("0", onNew), three(lastModel), three(ill), three(f)), want: []string{"3 left out"}}.run(t)
			d := decideRow{tale: again, seen: all(three(lastModel), three(ill), three(f))}.decide()
			if d.Kind == Start {
				t.Errorf("R6, R21: %s of %v, which is %s", d.Kind, d.Batch, name)
			}
		})
	}
}
