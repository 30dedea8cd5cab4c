package upgrade

import (
	"fmt"
	"strings"
	"testing"
)

const ubuntu = "/subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourceGroups/shop/providers/Microsoft.Compute/galleries/gold/images/ubuntu"

// golden is a managed image.
const golden = "/subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourceGroups/shop/providers/Microsoft.Compute/images/golden-2"

// zoned puts the instances of a set into zones 1 to 3, in turn.
func zoned(s *ScaleSet) {
	s.Zones = []string{"1", "2", "3"}
	for n := range s.Instances {
		s.Instances[n].Zone = s.Zones[n%3]
	}
}

// flexible makes of a set one without domains, whose instances have names.
func flexible(s *ScaleSet) {
	s.Mode = Flexible
	for n := range s.Instances {
		i := &s.Instances[n]
		i.ID, i.UpdateDomain, i.FaultDomain = fmt.Sprintf("web_%02x", n), -1, -1
	}
}

func gatesOf(p Plan) string {
	var parts []string
	for _, g := range p.Gates {
		parts = append(parts, g.Title+"="+strings.Join(g.IDs(), ","))
	}
	for _, k := range p.Skipped {
		parts = append(parts, k.ID+" "+string(k.Reason))
	}
	return strings.Join(parts, "; ")
}

func TestAPlanTakesWhatWasChosenInTheOrderThatWasChosen(t *testing.T) {
	ill := func(id int) func(*ScaleSet) { return func(s *ScaleSet) { s.Instances[id].Health = Unhealthy } }
	for _, row := range []struct {
		name string
		set  func(*ScaleSet)
		wish func(*Wish)
		want string
	}{
		{"fault domains", nil, func(w *Wish) { w.Which.FaultDomains = []int{1} }, "UD 0=3; UD 1=1; UD 2=5"},
		{"zones", zoned, func(w *Wish) { w.Which.Zones = []string{"2", "3"} }, "UD 1=1,4; UD 2=2,5"},
		{"instances", nil, func(w *Wish) { w.Which.Instances = []string{"5", "0"} }, "UD 0=0; UD 2=5"},
		{"what is in all that was chosen", nil, func(w *Wish) { w.Which.UpdateDomains, w.Which.FaultDomains = []int{0, 1}, []int{0} }, "UD 0=0; UD 1=4"},
		{"all but some, which are said", nil, func(w *Wish) { w.Which.Skip = []string{"1", "3"} }, "UD 0=0; UD 1=4; UD 2=2,5; 1 left out, as asked for; 3 left out, as asked for"},
		{"by fault domain", nil, func(w *Wish) { w.Order.By = ByFaultDomain }, "FD 0=0,2,4; FD 1=1,3,5"},
		{"by zone", zoned, func(w *Wish) { w.Order.By = ByZone }, "zone 1=0,3; zone 2=1,4; zone 3=2,5"},
		{"by batch: as many as may be out of service", nil, func(w *Wish) { w.Order.By = ByBatch }, "batch 1=0,1; batch 2=2,3; batch 3=4,5"},
		{"by batch of so many", nil, func(w *Wish) { w.Order = Order{By: ByBatch, Batch: Limit{N: 4}} }, "batch 1=0,1,2,3; batch 2=4,5"},
		{"by batch of so much of the set", nil, func(w *Wish) { w.Order = Order{By: ByBatch, Batch: Limit{Percent: 50}} }, "batch 1=0,1,2; batch 2=3,4,5"},
		{"R27 by batch, ill ones first", ill(4), func(w *Wish) { w.Order.By = ByBatch }, "batch 1=4,0; batch 2=1,2; batch 3=3,5"},
		{"a canary before all", nil, func(w *Wish) { w.Order.Canary = 1 }, "canary=0; UD 0=3; UD 1=1,4; UD 2=2,5"},
		{"canaries of several domains", nil, func(w *Wish) { w.Order.Canary = 3 }, "canary=0,3,1; UD 1=4; UD 2=2,5"},
		{"a canary that serves: an ill one shows little", ill(0), func(w *Wish) { w.Order.Canary = 1 }, "canary=3; UD 0=0; UD 1=1,4; UD 2=2,5"},
		{"one instance that is the canary", nil, func(w *Wish) { w.Which.Instances, w.Order.Canary = []string{"4"}, 1 }, "canary=4"},
		{"R44 a Flexible set without zones goes by batch", flexible, func(*Wish) {}, "batch 1=web_00,web_01; batch 2=web_02,web_03; batch 3=web_04,web_05"},
		{"R44 a Flexible set in zones goes by zone", func(s *ScaleSet) { flexible(s); zoned(s) }, func(*Wish) {}, "zone 1=web_00,web_03; zone 2=web_01,web_04; zone 3=web_02,web_05"},
		{"R44 or by batch, where one is named", func(s *ScaleSet) { flexible(s); zoned(s) }, func(w *Wish) { w.Order.Batch = Limit{N: 5} }, "batch 1=web_00,web_01,web_02,web_03,web_04; batch 2=web_05"},
		{"R42 instances of a Flexible set by name", flexible, func(w *Wish) { w.Which.Instances = []string{"web_03"} }, "batch 1=web_03"},
		{"an instance whose domain is not told is passed by", func(s *ScaleSet) { s.Instances[2].FaultDomain = -1 }, func(w *Wish) { w.Order.By = ByFaultDomain }, "FD 0=0,4; FD 1=1,3,5; 2 in no domain that Azure tells"},
		{"R21 evicted Spot instances are passed by", func(s *ScaleSet) { s.Instances[2].Spot, s.Instances[2].Power = true, Deallocated }, func(*Wish) {}, "UD 0=0,3; UD 1=1,4; UD 2=5; 2 evicted, or deallocated (Spot)"},
		{"R44 a domain beyond the fifth", func(s *ScaleSet) { s.Instances[5].UpdateDomain = 19 }, func(w *Wish) { w.Which.UpdateDomains = []int{19} }, "UD 19=5"},
		{"R44 one domain of every placement group", func(s *ScaleSet) {
			for n := range s.Instances {
				s.Instances[n].Placement = []string{"a", "b"}[n/3]
			}
		}, func(w *Wish) { w.Which.UpdateDomains = []int{0} }, "UD 0=0,3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, w := web(), webWish()
			if row.set != nil {
				row.set(&s)
			}
			row.wish(&w)
			p, no := NewPlan(s, webPolicy(), w, night)
			if no != nil {
				t.Fatal(no)
			}
			if got := gatesOf(p); got != row.want {
				t.Errorf("planned %s\n   want %s", got, row.want)
			}
			if n := p.Size() + len(p.Rest); n != len(s.Instances) {
				t.Errorf("%d of %d instances are in a gate or among the rest", n, len(s.Instances))
			}
		})
	}
}

func TestABatchBoundsTheCallsOfOtherOrders(t *testing.T) {
	p := webPlan(func(_ *ScaleSet, _ *Policy, w *Wish) { w.Order.Batch = Limit{N: 1} })
	if p.Limits.BatchCap != 1 || len(p.Gates) != 3 {
		t.Errorf("a cap of %d over %s", p.Limits.BatchCap, gatesOf(p))
	}
	by := webPlan(func(_ *ScaleSet, _ *Policy, w *Wish) { w.Order = Order{By: ByBatch, Batch: Limit{N: 1}} })
	if by.Limits.BatchCap != webPolicy().BatchCap || len(by.Gates) != 6 {
		t.Errorf("a cap of %d over %s", by.Limits.BatchCap, gatesOf(by))
	}
}

func TestAnInstanceMovedOnlyAsFarAsThePlanWentByPlaces(t *testing.T) {
	m := Member{ID: "0", UpdateDomain: 0, FaultDomain: 0, Zone: "1"}
	elsewhere := Instance{ID: "0", UpdateDomain: 1, FaultDomain: 1, Zone: "2"}
	for _, row := range []struct {
		by    By
		which Selection
		is    Instance
		want  string
	}{
		{by: ByUpdateDomain, is: elsewhere, want: "from UD 0 to UD 1"},
		{is: elsewhere, want: "from UD 0 to UD 1"}, // a plan that is older than orders
		{by: ByFaultDomain, is: elsewhere, want: "from FD 0 to FD 1"},
		{by: ByZone, is: elsewhere, want: "from zone 1 to zone 2"},
		{by: ByBatch, is: elsewhere},
		{by: ByBatch, which: Selection{UpdateDomains: []int{0}}, is: elsewhere, want: "from UD 0 to UD 1"},
		{by: ByBatch, which: Selection{Zones: []string{"1"}}, is: elsewhere, want: "from zone 1 to zone 2"},
		{by: ByUpdateDomain, is: Instance{ID: "0", UpdateDomain: -1, FaultDomain: 1}}, // not told
		{by: ByZone, is: Instance{ID: "0", UpdateDomain: 1}},
	} {
		p := Plan{Order: Order{By: row.by}, Which: row.which}
		if got := p.moved(m, row.is); got != row.want {
			t.Errorf("by %q, %+v: %q, want %q", row.by, row.which, got, row.want)
		}
	}
}
