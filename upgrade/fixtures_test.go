package upgrade

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The world of this package's tests: scale set "web", six instances in three update domains (UD 0
// holds 0 and 3, UD 1 holds 1 and 4, UD 2 holds 2 and 5), all healthy on version 1.0. Ana asks for
// 2.0; bo and eva may approve; two instances may be out of service.

const webID SetID = "/subscriptions/s/resourcegroups/shop/providers/microsoft.compute/virtualmachinescalesets/web"

var night = time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)

func version(v string) Image {
	return Image{Publisher: "Canonical", Offer: "jammy", SKU: "22_04-lts", Version: v}
}

var v1, v2 = version("1.0"), version("2.0")

func webPolicy() Policy {
	p := DefaultPolicy()
	p.Pattern, p.Channel = "web", "C1"
	p.Requesters, p.Approvers, p.Readers = []string{"UANA"}, []string{"UBO", "UEVA", "SOPS"}, []string{"UREAD"}
	p.MaxUnavailable = Limit{N: 2}
	return p
}

func web() ScaleSet {
	s := ScaleSet{
		ID: webID, Name: "web", ResourceGroup: "shop", Location: "westeurope", Mode: Uniform, UpgradeMode: Manual,
		Provisioning: Succeeded, Etag: `"1"`, Capacity: 6, HealthSource: true, SeenAt: night,
		Model: Model{Image: v1, Sections: map[Section]string{SectionOSProfile: "a", SectionNetwork: "b", SectionExtensions: "c"}},
	}
	for i := range 6 {
		s.Instances = append(s.Instances, Instance{
			ID: strconv.Itoa(i), UpdateDomain: i % 3, FaultDomain: i % 2, Image: runs(v1), LatestModel: true,
			Provisioning: Succeeded, Power: Running, Health: Healthy,
		})
	}
	return s
}

// to is the setting that an image is.
func to(i Image) Setting { return Setting{Image: i} }

// runs is the image as an instance reports it.
func runs(i Image) Image {
	i.Exact = i.Version
	return i
}

func webWish() Wish {
	pol := webPolicy()
	return Wish{Target: Target{Setting: to(v2)}, By: "UANA", Limits: Limits{
		MaxUnavailable: 2, BatchCap: pol.BatchCap, MaxFailures: pol.MaxFailures, OnFailure: pol.OnFailure, Soak: pol.Soak, Bake: pol.Bake, Deadline: pol.Deadline}}
}

func webPlan(changes ...func(*ScaleSet, *Policy, *Wish)) Plan {
	s, pol, w := web(), webPolicy(), webWish()
	for _, change := range changes {
		change(&s, &pol, &w)
	}
	p, no := NewPlan(s, pol, w, night)
	if no != nil {
		panic(no)
	}
	return p
}

// by is a fact that a person caused; the time that passes before the next fact is a time.Duration;
// a tale within a tale is told in its place.
type by struct {
	who  string
	fact Fact
}

type tale []any

// events tells a tale from the night's beginning: each fact at the moment that the durations before
// it add up to.
func (t tale) events() []Event {
	var out []Event
	now := night
	var tell func(tale)
	tell = func(t tale) {
		for _, x := range t {
			e := Event{Seq: len(out) + 1, At: now}
			switch x := x.(type) {
			case time.Duration:
				now = now.Add(x)
				continue
			case tale:
				tell(x)
				continue
			case by:
				e.By, e.Fact = x.who, x.fact
			case Fact:
				e.Fact = x
			default:
				panic(fmt.Sprintf("no part of a tale: %T", x))
			}
			out = append(out, e)
		}
	}
	tell(t)
	return out
}

// ends is the moment a tale has come to.
func (t tale) ends() time.Time {
	now := night
	for _, x := range t {
		switch x := x.(type) {
		case time.Duration:
			now = now.Add(x)
		case tale:
			now = now.Add(x.ends().Sub(night))
		}
	}
	return now
}

func (t tale) fold() Rollout { return Fold("r-1", t.events()) }

// Parts of tales.

var requested = by{"UANA", Requested{Digest: webPlan().Digest, Channel: "C1", Name: "ana"}}

// life is the time of an approval given at the night's beginning, as told on cards.
var life = night.Add(4 * time.Hour)

func asked(gate string) Asked {
	return Asked{Gate: gate, Asking: 1, Nonce: "n-" + gate, Expires: life}
}

func voted(who, gate string) by {
	return by{who, Voted{Gate: gate, Asking: 1, Name: map[string]string{"UBO": "bo", "UEVA": "eva"}[who]}}
}

func granted(gate string) tale {
	return tale{asked(gate), voted("UBO", gate), by{"UBO", Granted{Gate: gate, Asking: 1, Digest: webPlan().Digest, Voters: []string{"UBO"}, Expires: life}}}
}

// write is one operation up to and without its answer.
func write(op Operation) tale {
	op.Set, op.Digest, op.Asking = webID, webPlan().Digest, 1
	return tale{Intended{op}, Sending{op.ID}}
}

func patch() Operation {
	return Operation{ID: "op-model", Kind: OpModel, Gate: "ud-0", To: to(v2)}
}

var modelSet = tale{write(patch()), Accepted{Op: "op-model"}, Settled{Op: "op-model", OK: true}, ModelSet{To: to(v2), Previous: to(v1)}}

func batchOp(n int, ids ...string) Operation {
	i, _ := strconv.Atoi(ids[0])
	return Operation{ID: fmt.Sprintf("op-%d", n), Kind: OpUpgrade, Gate: fmt.Sprintf("ud-%d", i%3), Batch: n, Instances: ids, To: to(v2)}
}

func again(n int, ids ...string) Operation {
	op := batchOp(n, ids...)
	op.ID, op.Resend = op.ID+"-again", true
	return op
}

// batch is one call that went well, up to the last instance's confirmation.
func batch(n int, ids ...string) tale {
	op := batchOp(n, ids...)
	t := tale{write(op), Accepted{Op: op.ID}, time.Minute, Settled{Op: op.ID, OK: true}}
	for _, id := range ids {
		t = append(t, InstanceSeen{ID: id, State: OK, Image: "2.0"})
	}
	return t
}

// begun is a rollout whose first gate is approved and whose model is set.
var begun = tale{requested, granted("ud-0"), modelSet}

// lost is a first call that brought no answer.
var lost = tale{begun, write(batchOp(1, "0", "3")), Unanswered{Op: "op-1", Cause: "timeout"}}

// settled is lost, after two lists agreed that nothing happened.
var settled = tale{lost, 90 * time.Second, Looked{Op: "op-1", Outdated: []string{"0", "3"}}, 30 * time.Second, Looked{Op: "op-1", Outdated: []string{"0", "3"}}}

// dropped is settled, with the one re-send recorded and never made.
var dropped = tale{settled, Settled{Op: "op-1", Code: "UnknownOutcome"}, Intended{again(1, "0", "3")}, Dropped{Op: "op-1-again", Reason: "never sent"}}

// udDone is a rollout whose gates up to ud-n are done.
func udDone(n int) tale {
	t := tale{begun}
	for i := range n + 1 {
		gate := fmt.Sprintf("ud-%d", i)
		if i > 0 {
			t = append(t, granted(gate))
		}
		t = append(t, batch(i+1, strconv.Itoa(i), strconv.Itoa(i+3)))
	}
	return t
}

// seenAfter is the world as a rollout left it: the model names what was set, instances that are done
// or are being checked run the new image, and whoever voted still may.
func seenAfter(p Plan, r Rollout) Observation {
	s := web()
	if r.Model.Set && !(r.Model.Reverted && r.Model.Detail == "") {
		s.Model.Image = v2
	}
	for n := range s.Instances {
		switch r.Instances[s.Instances[n].ID].State {
		case OK, Checking, Confirmed:
			s.Instances[n].Image = runs(v2)
		}
	}
	seen := Observation{Set: &s, Policy: p.Policy, Pace: DefaultPace(), Rights: map[string]string{}}
	for _, votes := range r.Votes {
		for _, v := range votes {
			seen.Rights[v.By] = ""
		}
	}
	return seen
}

// Changes of an observation.

type change func(*Observation)

func instance(id string, f func(*Instance)) change {
	return func(o *Observation) {
		n := slices.IndexFunc(o.Set.Instances, func(i Instance) bool { return i.ID == id })
		f(&o.Set.Instances[n])
	}
}

func set(f func(*ScaleSet)) change { return func(o *Observation) { f(o.Set) } }

func all(changes ...change) change {
	return func(o *Observation) {
		for _, c := range changes {
			c(o)
		}
	}
}

func updating(i *Instance)   { i.Provisioning = Updating }
func ill(i *Instance)        { i.Health = Unhealthy }
func mute(i *Instance)       { i.Health = UnknownState }
func onNew(i *Instance)      { i.Image = runs(v2) }
func modelOnNew(s *ScaleSet) { s.Model.Image = v2 }

func without(ids ...string) change {
	return set(func(s *ScaleSet) {
		s.Instances = slices.DeleteFunc(s.Instances, func(i Instance) bool { return slices.Contains(ids, i.ID) })
		s.Capacity = len(s.Instances)
	})
}

func unreadable(o *Observation) { o.Set, o.Missing = nil, "read web: unavailable" }

func gone(o *Observation) { o.Set, o.Gone, o.Missing = nil, true, "read web: gone" }
