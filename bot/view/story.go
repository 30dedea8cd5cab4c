package view

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// cast holds every text of a story that in life comes from people or from Azure.
type cast struct {
	set, group, location, offer, old, new       string
	requester, approver, second                 string
	note, reason, code, message, zone, instance string
}

var believable = cast{
	set: "web-prod", group: "rg-shop", location: "westeurope", offer: "0001-com-ubuntu-server-jammy", old: "22.04.202310190", new: "22.04.202401170",
	requester: "ana", approver: "bo", second: "eva", note: "CHG-881", reason: "the shop is on sale until noon",
	code: "VMExtensionProvisioningError", message: "VM has reported a failure when processing extension 'AppHealth'", zone: "2",
}

const (
	gallerySet     = "/subscriptions/1/resourcegroups/rg-shop/providers/microsoft.compute/virtualmachinescalesets/web-prod"
	galleryChannel = "C0OPS"
)

// id names the n-th instance of a set. Names are of one length, so that they sort as numbers do.
func (c cast) id(n int) string {
	if c.instance == "" {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s%03d", c.instance, n)
}

var believableNow = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)

// story plays a rollout for the gallery: the domain's own engine over a set that does what it is
// told (see world.go), and people who speak. What it shows is what the domain really says.
type story struct {
	cast   cast
	id     string
	pol    upgrade.Policy
	wish   upgrade.Wish
	plan   upgrade.Plan
	events []upgrade.Event
	poll   string
	now    time.Time

	freezes []upgrade.Freeze
	outside upgrade.Reading // what the policy's external gates say
	world
}

// begin opens a rollout of a set of n instances in five update and four fault domains.
func begin(c cast, n int, change func(*story)) *story {
	s := &story{cast: c, id: "r-4f2a9c", now: believableNow}
	s.pol = upgrade.DefaultPolicy()
	s.pol.Pattern, s.pol.Channel = "web-*", galleryChannel
	s.pol.Readers, s.pol.Requesters, s.pol.Approvers = []string{"U0ANA", "S0WEB"}, []string{"U0ANA"}, []string{"U0BO", "U0EVA", "S0SRE"}
	s.set = upgrade.ScaleSet{
		ID: gallerySet, Name: c.set, ResourceGroup: c.group, Location: c.location, Mode: upgrade.Uniform, UpgradeMode: upgrade.Manual,
		Provisioning: upgrade.Succeeded, Model: upgrade.Model{Image: s.image(c.old)}, Capacity: n, HealthSource: true, SeenAt: s.now,
	}
	for i := range n {
		s.set.Instances = append(s.set.Instances, upgrade.Instance{
			ID: c.id(i), UpdateDomain: i % 5, FaultDomain: i / 5 % 4, Zone: c.zone, Image: s.image(c.old), LatestModel: true,
			Provisioning: upgrade.Succeeded, Power: upgrade.Running, Health: upgrade.Healthy,
		})
	}
	s.wish = upgrade.Wish{Note: c.note, By: "U0ANA", Limits: upgrade.Limits{MaxUnavailable: s.pol.MaxUnavailable.Of(n), BatchCap: 50, OnFailure: upgrade.HoldOnFailure, Soak: 5 * time.Minute, Bake: 10 * time.Minute, Deadline: 15 * time.Minute}}
	s.wish.Target.Image = s.image(c.new)
	s.pol.Downgrades = true
	if change != nil {
		change(s)
	}
	s.plan, _ = upgrade.NewPlan(s.set, s.pol, s.wish, s.now)
	s.say("U0ANA", upgrade.Requested{Digest: s.plan.Digest, Channel: galleryChannel, Name: c.requester})
	return s
}

func (s *story) image(version string) upgrade.Image {
	return upgrade.Image{Publisher: "Canonical", Offer: s.cast.offer, SKU: "22_04-lts-gen2", Version: version}
}

// say journals facts.
func (s *story) say(by string, facts ...upgrade.Fact) {
	for _, e := range upgrade.At(s.now, by, facts...) {
		e.Seq = len(s.events) + 1
		s.events = append(s.events, e)
	}
}

func (s *story) record() upgrade.Record {
	return upgrade.Record{ID: s.id, Plan: s.plan, Rollout: upgrade.Fold(s.id, s.events), Events: slices.Clone(s.events), Poll: s.poll}
}

// branch is the same story up to here, to be told on in another way.
func (s *story) branch() *story {
	other := *s
	other.events, other.set.Instances = slices.Clone(s.events), slices.Clone(s.set.Instances)
	return &other
}

func (s *story) wait(d time.Duration) { s.now = s.now.Add(d) }

// look makes passes until nothing more happens at this moment.
func (s *story) look() {
	for before := -1; before != len(s.events); {
		before = len(s.events)
		s.pass()
	}
}

// pass is one pass of the engine.
func (s *story) pass() {
	ids := 0
	e := upgrade.Engine{
		Fleet: &fleet{s}, Journal: &journal{s}, Reader: &journal{s}, People: cast{}, Pace: upgrade.DefaultPace(), Log: slog.New(slog.DiscardHandler),
		Policies: func() []upgrade.Policy { return []upgrade.Policy{s.pol} },
		Now:      func() time.Time { return s.now },
		ID:       func() string { ids++; return fmt.Sprintf("nonce%04dnumber%04d", len(s.events), ids) },
		Frozen:   func() string { return s.frozen },
		Link:     func() upgrade.Unheard { return s.unheard },
		Gates:    func([]string) map[string]upgrade.Reading { return s.said() },
	}
	if _, err := e.Step(context.Background(), upgrade.Lease{Rollout: s.id}); err != nil {
		panic("gallery: " + err.Error()) // nothing in it can fail: a story that stops half way would show lies
	}
}

// reason is what the rollout waits for, as last decided.
func (s *story) reason() upgrade.Reason { return upgrade.LastDecided(s.events).Reason }

// approve lets somebody say yes to the gate that is asked, in the domain's own way.
func (s *story) approve(by, name string, rest bool) {
	s.hear(by, name, upgrade.Word{Verb: upgrade.WordApprove, Rest: rest})
}

// hear takes a person's word; what the domain refuses changes nothing.
func (s *story) hear(by, name string, w upgrade.Word) *upgrade.Refusal {
	rec := s.record()
	w.Rollout, w.Channel = s.id, galleryChannel
	switch w.Verb {
	case upgrade.WordReplan:
		plan, no := upgrade.Replan(s.plan, rec.Rollout, s.set, s.pol, s.now)
		if no != nil {
			return no
		}
		w.Plan = &plan
	case upgrade.WordHandover:
		w.Taker = &upgrade.Person{ID: w.To, Name: s.cast.second}
	}
	heard, no := upgrade.Hear(w, upgrade.Person{ID: by, Name: name}, nil, s.plan, rec.Rollout, s.pol, s.now)
	if no == nil {
		s.say(by, heard.Facts...)
	}
	if no == nil && w.Plan != nil {
		s.plan = *w.Plan
	}
	return no
}

// azure changes some instances of the set, as Azure would.
func (s *story) azure(ids []string, change func(*upgrade.Instance)) {
	for i := range s.set.Instances {
		if slices.Contains(ids, s.set.Instances[i].ID) {
			change(&s.set.Instances[i])
		}
	}
}

// flying are the instances of the batch that was sent last.
func (s *story) flying() []string {
	b, _ := s.record().Rollout.OpenBatch()
	return b.Instances
}

func (s *story) reimaged(i *upgrade.Instance) {
	if t := s.plan.Target; t.Size != "" {
		i.Size = t.Size
	} else {
		i.Image, i.Image.Exact = t.Image, t.Image.Version
	}
	i.LatestModel = true
	i.Provisioning, i.Power, i.Health = upgrade.Succeeded, upgrade.Running, upgrade.Healthy
	i.Code, i.Message, i.Evidence = "", "", nil
}

// batch lets the batch in flight come to a good end, seen healthy twice.
func (s *story) batch() {
	s.azure(s.flying(), func(i *upgrade.Instance) {
		i.Provisioning, i.Power, i.Health = upgrade.Updating, upgrade.Stopped, upgrade.UnknownState
	})
	s.wait(30 * time.Second)
	s.look()
	s.wait(2 * time.Minute)
	s.azure(s.flying(), s.reimaged)
	s.op = upgrade.OpReading{Done: true, OK: true}
	s.look()
	s.wait(11 * time.Second)
	s.look()
}

// gate approves the gate that is asked and lets it run, in as many batches as it takes.
func (s *story) gate() {
	s.wait(80 * time.Second)
	s.approve("U0BO", s.cast.approver, false)
	s.look()
	for len(s.flying()) > 0 {
		s.batch()
	}
}

// soaked lets the soak pass.
func (s *story) soaked() {
	s.wait(s.plan.Limits.Soak)
	s.look()
}

// finish runs everything that is left to its end.
func (s *story) finish() {
	for range 100 {
		s.look()
		switch {
		case s.record().Rollout.Ended != nil:
			return
		case len(s.flying()) > 0:
			s.batch()
		case s.reason() == upgrade.ReasonApproval:
			s.gate()
		default:
			s.wait(s.plan.Limits.Soak)
		}
	}
}
